/*
 * NMIs: one at a time, out of any sleep; and what comes while another waits (SDM 3, 6.7.1).
 */
#include "corners.h"

enum { ICR = 0x300, NMI_TO_SELF = 0x44400, DELIVER_NMI = 0x400 };

static unsigned depth, deepest, again;

static void slow_handler(struct frame *f)
{
    if (f->vector != NMI)
        return;
    if (++depth > deepest)
        deepest = depth;
    if (again) {
        again--;
        *reg32(APIC + ICR) = NMI_TO_SELF;
        wait_a_little();
    }
    depth--;
}

static void says_ip(struct frame *f)
{
    (void)f;
}

/* Counter 0 of the 8254 ends in 55 ms, which its pin hands on as an NMI. */
#define SOON \
    "movb $0x30, %al\n outb %al, $0x43\n movb $0xff, %al\n outb %al, $0x40\n outb %al, $0x40\n"
SNIPPET(n_hlt, SOON "cli\n hlt\n nop");
SNIPPET(n_sti_hlt, SOON "sti\n hlt\n nop\n cli");
SNIPPET(n_int, "int $2\n nop");
SNIPPET(n_fault, "ud2");

/* An exception in an NMI's handler whose IRET opens for the next (6.7.1). */
static bool inside;

static void faults_inside(struct frame *f)
{
    if (f->vector == UD) {
        f->ip += 2;
        return;
    }
    if (f->vector != NMI || inside)
        return;
    inside = true;
    *reg32(APIC + ICR) = NMI_TO_SELF;
    wait_a_little();
    say_hex(met_count(), 1);
    __asm__ volatile("ud2"); /* its IRET lets the second one in */
    wait_a_little();
    say_hex(met_count(), 1);
    inside = false;
}

void test_nmi(void)
{
    struct regs r = { 0 };

    say("-- nmi\nto itself:");
    hook = slow_handler;
    forget();
    *reg32(APIC + ICR) = NMI_TO_SELF;
    wait_a_little();
    say_hex(met_count(), 2);
    say("\nin its handler:");
    forget();
    again = 3;
    *reg32(APIC + ICR) = NMI_TO_SELF;
    wait_a_little();
    wait_a_little();
    say_hex(met_count(), 2);
    say_hex(deepest, 2);
    say("\n");
    hook = says_ip;
    pin(2, DELIVER_NMI);
    probe("cli; hlt", n_hlt, &r);
    probe("sti; hlt", n_sti_hlt, &r);
    pin(2, 0x10000);
    probe("int 2", n_int, &r);
    say("an exception in its handler:");
    forget();
    hook = faults_inside;
    *reg32(APIC + ICR) = NMI_TO_SELF;
    wait_a_little();
    wait_a_little();
    hook = NULL;
    say_hex(met_count(), 2);
    say("\n");
}
