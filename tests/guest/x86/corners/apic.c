/*
 * Interrupts by each way: 8259, I/O APIC (edges and levels), the local APIC's own and its timer.
 */
#include "corners.h"

enum {
    ICR = 0x300,
    ICR_HIGH = 0x310,
    LVT_TIMER = 0x320,
    FIRST = 0x380,
    NOW = 0x390,
    DIVIDE = 0x3e0
};
enum { TPR = 0x80, EOI = 0xb0, LDR = 0xd0, DFR = 0xe0, ISR = 0x100, IRR = 0x200, ESR = 0x280 };
enum {
    TO_SELF = 0x40000,
    MASKED = 0x10000,
    PERIODIC = 0x20000,
    DEADLINE = 0x40000,
    LEVEL = 0x8000
};
enum { UART = 0x3f8, IER = UART + 1, IIR = UART + 2, MCR = UART + 4, UART_PIN = 4 };
enum { MSR_BASE = 0x1b, MSR_X2 = 0x800, MSR_DEADLINE = 0x6e0, X2APIC = 21, TSC_DEADLINE = 24 };

static volatile uint32_t *apic(unsigned reg)
{
    return reg32(APIC + reg);
}

void pin(unsigned n, uint32_t low)
{
    *reg32(IOAPIC) = 0x10 + 2 * n + 1;
    *reg32(IOAPIC + 0x10) = 0;
    *reg32(IOAPIC) = 0x10 + 2 * n;
    *reg32(IOAPIC + 0x10) = low;
}

/* Counter 0 counts down once, in about a millisecond. */
void pit_oneshot(void)
{
    out8(0x43, 0x30);
    out8(0x40, 0xa0);
    out8(0x40, 4);
}

static bool waits(unsigned vector)
{
    return *apic(IRR + vector / 32 * 16) >> (vector % 32) & 1;
}

void arm_pic(void)
{
    out8(0x21, 0xfe);
    pit_oneshot();
    do
        out8(0x20, 0x0a);
    while (!(in8(0x20) & 1));
}

void arm_self(void)
{
    *apic(ICR) = TO_SELF | SELF;
    while (!waits(SELF))
        ;
}

void arm_pin(void)
{
    pin(2, PIN);
    pit_oneshot();
    while (!waits(PIN))
        ;
}

static void let_in(void)
{
    __asm__ volatile("sti" : : : "memory");
    wait_a_little();
    __asm__ volatile("cli" : : : "memory");
}

static void number(const char *name, uint64_t v)
{
    say(name);
    say_hex(v, 8);
    say("\n");
}

/* ---- priorities ---- */

/* Each interrupt lets others in while it is served. */
static void nest(struct frame *f)
{
    (void)f;
    say("(");
    say_hex(*apic(0xa0) & 0xff, 2);
    let_in();
    say(")");
}

static void serve_high(struct frame *f)
{
    if (f->vector == SELF) {
        *apic(ICR) = TO_SELF | HIGH;
        *apic(ICR) = TO_SELF | LOW;
    }
    nest(f);
}

static void priorities(void)
{
    static const uint8_t task[] = { 0x00, 0x30, 0x40, 0x50, 0xf0 };

    say("priorities: ");
    forget();
    hook = serve_high;
    *apic(ICR) = TO_SELF | SELF;
    let_in();
    hook = NULL;
    tell();
    for (unsigned k = 0; k < sizeof(task); k++) {
        say("task priority ");
        say_hex(task[k], 2);
        say(":");
        forget();
        *apic(TPR) = task[k];
        *apic(ICR) = TO_SELF | SELF;
        let_in();
        say_hex(*apic(0xa0) & 0xff, 2);
        say(" ");
        say_hex(met_count(), 1);
        *apic(TPR) = 0;
        let_in();
        tell();
    }
}

#ifdef __x86_64__
SNIPPET(cr8_lower,
        "movq $5, %rax\n movq %rax, %cr8\n sti\n nop\n xorl %eax, %eax\n movq %rax, %cr8\n nop\n"
        "cli\n movq %cr8, %rax");
SNIPPET(cr8_bad, "movq $16, %rax\n movq %rax, %cr8");

static void cr8(void)
{
    struct regs r = { 0 };

    arm_self();
    probe("cr8 lowered", cr8_lower, &r);
    *apic(TPR) = 0x73;
    __asm__ volatile("movq %%cr8, %0" : "=r"(r.ax));
    number("cr8 of 73: ", r.ax);
    __asm__ volatile("movq %0, %%cr8" : : "r"((word)9));
    number("task priority of 9: ", *apic(TPR));
    *apic(TPR) = 0;
    probe("cr8 of 16", cr8_bad, &r);
}
#endif

/* ---- a line that stays high until its cause is gone ---- */

static unsigned left;

static void still_there(struct frame *f)
{
    (void)f;
    if (--left == 0)
        out8(IER, 0);
}

static void levels(void)
{
    out8(IER, 0);
    out8(MCR, 8);
    for (unsigned by_pin = 0; by_pin < 2; by_pin++) {
        say(by_pin ? "level, I/O APIC:" : "level, 8259:");
        forget();
        left = 4;
        hook = still_there;
        if (by_pin) {
            pin(UART_PIN, LEVEL | PIN);
        } else {
            out8(0x4d0, in8(0x4d0) | 1 << UART_PIN);
            out8(0x21, 0xef);
        }
        out8(IER, 2); /* the transmitter is empty, and stays so */
        let_in();
        hook = NULL;
        say_hex(*apic(ISR + 16 * (PIN / 32)) | *apic(IRR + 16 * (PIN / 32)), 8);
        pin(UART_PIN, MASKED);
        out8(0x21, 0xff);
        out8(0x4d0, in8(0x4d0) & ~(1 << UART_PIN));
        in8(IIR);
        tell();
    }
    say("level while masked, then not:");
    forget();
    left = 1;
    hook = still_there;
    pin(UART_PIN, MASKED | LEVEL | PIN);
    out8(IER, 2);
    let_in();
    say_hex(met_count(), 1);
    pin(UART_PIN, LEVEL | PIN);
    let_in();
    hook = NULL;
    pin(UART_PIN, MASKED);
    tell();
}

static void others(void)
{
    say("to a logical address:");
    forget();
    *apic(DFR) = 0xffffffff;
    *apic(LDR) = 0x04000000;
    *apic(ICR_HIGH) = 0x04000000;
    *apic(ICR) = 0x800 | SELF;
    let_in();
    *apic(ICR_HIGH) = 0x02000000; /* nobody */
    *apic(ICR) = 0x800 | SELF;
    let_in();
    tell();
    say("to all, and to all but itself:");
    forget();
    *apic(ICR) = 0x80000 | SELF;
    let_in();
    *apic(ICR) = 0xc0000 | HIGH;
    let_in();
    tell();
    say("twice, taken once:");
    forget();
    arm_self();
    *apic(ICR) = TO_SELF | SELF;
    *apic(ICR) = TO_SELF | LOW;
    let_in();
    tell();
}

/* ---- the local APIC's timer ---- */

static void wait_for(unsigned count)
{
    while (met_count() < count)
        let_in();
}

static void stop_after_three(struct frame *f)
{
    (void)f;
    if (met_count() == 3)
        *apic(LVT_TIMER) = MASKED | PERIODIC | LVT;
}

static void timer(void)
{
    static const uint8_t divide[] = { 0x0b, 0x00, 0x03, 0x0a };

    for (unsigned k = 0; k < sizeof(divide); k++) {
        say("timer, once, divided by ");
        *apic(FIRST) = 0; /* KVMs begin an expired count anew otherwise */
        *apic(DIVIDE) = divide[k];
        say_hex(*apic(DIVIDE), 2);
        say(":");
        forget();
        *apic(LVT_TIMER) = LVT;
        *apic(FIRST) = 20000;
        wait_for(1);
        let_in();
        say_hex(*apic(NOW), 8);
        tell();
    }
    say("timer, over and over:");
    forget();
    hook = stop_after_three;
    *apic(LVT_TIMER) = PERIODIC | LVT;
    *apic(FIRST) = 20000;
    wait_for(3);
    let_in();
    hook = NULL;
    forget_but(3); /* a fourth may have come before the third was served */
    tell();
    say("timer, over:");
    forget();
    let_in();
    tell();
    say("= timer, masked:"); /* Linux' KVM sends it when the mask goes, so with QEMU on it, too */
    forget();
    *apic(LVT_TIMER) = MASKED | LVT;
    *apic(FIRST) = 1000;
    while (*apic(NOW))
        ;
    for (unsigned k = 0; k < 20; k++) /* its end may be told late */
        wait_a_little();
    *apic(LVT_TIMER) = LVT;
    let_in();
    tell();
    say("timer, stopped:");
    forget();
    *apic(FIRST) = 0x7fffffff;
    say_hex(*apic(NOW) != 0, 1);
    *apic(FIRST) = 0;
    let_in();
    say_hex(*apic(NOW), 8);
    *apic(FIRST) = 1000; /* and again */
    wait_for(1);
    tell();
    say("timer, hlt:");
    forget();
    for (unsigned k = 0; k < 3; k++) {
        *apic(FIRST) = 20000;
        __asm__ volatile("sti\n hlt\n cli");
    }
    tell();
    *apic(LVT_TIMER) = MASKED;
}

static void deadline(void)
{
    uint32_t r[4], low, high;

    cpuid(1, r);
    if (!(r[2] >> TSC_DEADLINE & 1))
        return;
    say("~ deadline:");
    forget();
    *apic(LVT_TIMER) = DEADLINE | LVT;
    wrmsr(MSR_DEADLINE, 1); /* long past */
    wait_for(1);
    say_hex(rdmsr(MSR_DEADLINE), 8);
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    wrmsr(MSR_DEADLINE, ((uint64_t)high << 32 | low) + 1000000);
    wait_for(2);
    say_hex(rdmsr(MSR_DEADLINE), 8);
    wrmsr(MSR_DEADLINE, ~0ULL >> 2);
    wrmsr(MSR_DEADLINE, 0);
    let_in();
    tell();
    *apic(LVT_TIMER) = MASKED;
}

/* Lines that begin with "~" are of what not every machine has. */
static void x2apic(void)
{
    uint32_t r[4];

    cpuid(1, r);
    if (!(r[2] >> X2APIC & 1))
        return;
    wrmsr(MSR_BASE, rdmsr(MSR_BASE) | 0x400);
    say("~ x2apic:");
    forget();
    wrmsr(MSR_X2 + 0x3f, SELF);
    wrmsr(MSR_X2 + 0x30, TO_SELF | HIGH);
    hook = NULL;
    __asm__ volatile("sti\n nop\n nop\n cli");
    wrmsr(MSR_X2 + 0xb, 0);
    __asm__ volatile("sti\n nop\n nop\n cli");
    wrmsr(MSR_X2 + 0xb, 0);
    say_hex(rdmsr(MSR_X2 + 2), 8);
    say_hex(rdmsr(MSR_X2 + 0xd), 8);
    tell();
    wrmsr(MSR_BASE, rdmsr(MSR_BASE) & ~0xc00ULL); /* by way of off */
    wrmsr(MSR_BASE, rdmsr(MSR_BASE) | 0x800);
    *apic(0xf0) = 0x100 | SPURIOUS;
    *apic(0x350) = 0x700;
}

static void registers(void)
{
    say("apic registers:");
    for (unsigned reg = 0x20; reg < 0x3f0; reg += 16)
        if (reg != NOW && (reg < 0x30 || reg >= 0x80) && reg != 0xc0 &&
            (reg < 0x2f0 || reg > 0x310)) {
            say(" ");
            say_hex(*apic(reg), 1);
        }
    say("\n");
    say("version of 8259's mask and I/O APIC: ");
    say_hex(in8(0x21), 2);
    *reg32(IOAPIC) = 0x10;
    number(" ", *reg32(IOAPIC + 0x10));
}

void test_apic(void)
{
    say("-- interrupts\n");
    priorities();
#ifdef __x86_64__
    if (!told("no-cr8"))
        cr8();
#endif
    levels();
    others();
    timer();
    registers();
    deadline();
    x2apic();
}
