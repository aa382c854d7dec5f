/*
 * Further processors: INIT and start-up, what wakes them, and code that one changes under another.
 */
#include "corners.h"

enum {
    ICR = 0x300,
    ICR_HIGH = 0x310,
    BUSY = 0x1000,
    INIT = 0x4500,
    START = 0x4608,
    NMI_TO = 0x4400
};
enum { OTHERS = 0xc0000, FW_CPUS = 5 };
enum order { NOTHING, CHANGE_CODE, HALT, HALT_OPEN, NMI_WHILE_BUSY, SEND_BACK };

void ap_main(void);

static volatile uint32_t arrived, done;
static volatile enum order order;
static volatile bool stop_spinning, ready;

SNIPPET(p_spin, "1: movl $1, %eax\n cmpl $1, %eax\n je 1b");

static void send(uint32_t command)
{
    *reg32(APIC + ICR_HIGH) = 1 << 24;
    *reg32(APIC + ICR) = command;
    while (*reg32(APIC + ICR) & BUSY)
        ;
    wait_a_little();
}

static void obey(enum order what)
{
    ready = true;
    switch (what) {
    case CHANGE_CODE:
        wait_a_little();
        ((volatile uint8_t *)(word)p_spin)[1] = 2;
        break;
    case HALT: __asm__ volatile("cli; hlt"); break;
    case HALT_OPEN: __asm__ volatile("sti; hlt; cli"); break;
    case NMI_WHILE_BUSY:
        while (!stop_spinning)
            __asm__ volatile("");
        break;
    case SEND_BACK: *reg32(APIC + ICR_HIGH) = 0, *reg32(APIC + ICR) = 0x4000 | SELF; break;
    default: break;
    }
}

void ap_main(void)
{
    *reg32(APIC + 0xf0) = 0x100 | SPURIOUS;
    __asm__ volatile("lock incl %0" : "+m"(arrived));
    for (;;) {
        enum order what;

        while ((what = order) == NOTHING)
            __asm__ volatile("pause");
        obey(what);
        order = NOTHING;
        done++;
    }
}

static void wait_until(volatile uint32_t *what, uint32_t value)
{
    for (unsigned k = 0; k < 100000 && *what < value; k++)
        wait_a_little();
}

static void tell_count(const char *text)
{
    say(text);
    say_hex(arrived, 2);
    tell();
}

/* How many the machine has, by fw_cfg. */
static unsigned cpus(void)
{
    unsigned n;

    __asm__ volatile("outw %w0, %w1" : : "a"(FW_CPUS), "d"(0x510));
    n = in8(0x511);
    return n | in8(0x511) << 8;
}

/* The other CPU may be slow to halt, and meet what it is sent before: it is sent again then. */
static void woken(const char *name, enum order what, uint32_t command)
{
    uint32_t before = done;

    say(name);
    forget();
    ready = stop_spinning = false;
    order = what;
    while (!ready)
        wait_a_little();
    for (unsigned k = 0; k < 20; k++)
        wait_a_little();
    say_hex(done - before, 1);
    for (unsigned k = 0; k < 100 && !met_count(); k++) {
        send(command);
        for (unsigned n = 0; n < 200 && !met_count(); n++)
            wait_a_little();
    }
    stop_spinning = true;
    while (done == before) {
        for (unsigned k = 0; k < 1000 && done == before; k++)
            wait_a_little();
        if (done == before)
            send(command);
    }
    forget_but(1);
    tell();
}

static void start_one(void)
{
    struct regs r = { 0 };

    forget();
    send(START);
    wait_until(&arrived, 1);
    tell_count("start-up: ");
    send(INIT);
    send(START);
    wait_until(&arrived, 2);
    send(START); /* a second one is for nobody */
    send(START);
    tell_count("INIT, start-up: ");
    woken("halted, an NMI: ", HALT, NMI_TO);
    woken("halted with IF, an interrupt: ", HALT_OPEN, 0x4000 | SELF);
    woken("halted with IF, an NMI: ", HALT_OPEN, NMI_TO);
    woken("busy, an NMI: ", NMI_WHILE_BUSY, NMI_TO);
    say("code changed by another:");
    forget();
    order = CHANGE_CODE;
    run(p_spin, &r);
    say_hex(r.ax, 2);
    wait_until(&done, 5);
    tell();
    say("hlt, an interrupt from another:");
    forget();
    order = SEND_BACK;
    __asm__ volatile("sti\n hlt\n cli");
    wait_until(&done, 6);
    tell();
    order = HALT; /* an interrupt does not wake it, INIT does */
    wait_a_little();
    send(0x4000 | SELF);
    forget();
    say_hex(done, 2);
    send(INIT);
    order = NOTHING;
    send(START);
    wait_until(&arrived, 3);
    tell_count(" INIT of a halted one: ");
    *reg32(APIC + ICR) = INIT; /* at once: the start-up waits for who is slow */
    *reg32(APIC + ICR) = START;
    wait_until(&arrived, 4);
    tell_count("INIT and start-up at once: ");
    send(0x4000 | SELF); /* comes while IF is clear: no harm */
    send(INIT);
    tell_count("INIT: ");
}

void test_smp(void)
{
    unsigned n = cpus();

    say("-- processors\n");
    for (unsigned k = 0; k < (unsigned)(ap_end - ap_start); k++)
        ((volatile uint8_t *)0x8000)[k] = ap_start[k];
    if (n == 2) {
        start_one();
    } else if (n > 2) {
        forget();
        send(OTHERS | INIT);
        send(OTHERS | START);
        send(OTHERS | START);
        wait_until(&arrived, n - 1);
        tell_count("all others: ");
    }
}
