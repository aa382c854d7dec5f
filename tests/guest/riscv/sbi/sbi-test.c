/*
 * Exercises every call of an SBI 2.0 firmware from S-mode and prints TAP, then powers off. Runs on
 * any number of harts; with two or more it also tests what one hart does to another.
 *
 *     myna -M virt -smp 4 -nographic -kernel sbi-test-64.elf [-append =reboot=]
 *
 * With "=reboot=" among the boot arguments it first restarts the machine once.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXT_BASE   0x10
#define EXT_TIME   0x54494d45
#define EXT_IPI    0x735049
#define EXT_RFENCE 0x52464e43
#define EXT_HSM    0x48534d
#define EXT_SRST   0x53525354
#define EXT_DBCN   0x4442434e
#define EXT_SUSP   0x53555350

#define NOT_SUPPORTED     -2
#define INVALID_PARAM     -3
#define DENIED            -4
#define INVALID_ADDRESS   -5
#define ALREADY_AVAILABLE -6

#define STARTED   0
#define STOPPED   1
#define SUSPENDED 4

#define FIRMWARE     0x80000000ul
#define CLINT        0x2000000ul
#define NO_SUCH_HART 4095
#define MAX_HARTS    64

#define SSI         2ul
#define STI         32ul
#define SSTATUS_SIE 2ul
#define INTERRUPT   (1ul << (__riscv_xlen - 1))

#define csr_read(name)                                            \
    ({                                                            \
        unsigned long v_;                                         \
        __asm__ volatile("csrr %0, " #name : "=r"(v_)::"memory"); \
        v_;                                                       \
    })
#define csr_write(name, v) \
    __asm__ volatile("csrw " #name ", %0" ::"r"((unsigned long)(v)) : "memory")
#define csr_set(name, v) __asm__ volatile("csrs " #name ", %0" ::"r"((unsigned long)(v)) : "memory")
#define csr_clear(name, v) \
    __asm__ volatile("csrc " #name ", %0" ::"r"((unsigned long)(v)) : "memory")

struct ret {
    long error, value;
};

struct context {
    unsigned long x[32];
};

void second_start(void);
void trap_vector(void);
long suspend(unsigned long ext, unsigned long fid, unsigned long type, struct context *context);
long call_at(unsigned long addr);

/* Called by start.S. */
void test_main(unsigned long id, const uint8_t *fdt);
void second_main(unsigned long id);
unsigned long trap(unsigned long cause, unsigned long value, unsigned long pc);

static struct ret sbi(unsigned long ext, unsigned long fid, unsigned long arg0, unsigned long arg1,
                      unsigned long arg2, unsigned long arg3, unsigned long arg4)
{
    register unsigned long a0 __asm__("a0") = arg0, a1 __asm__("a1") = arg1;
    register unsigned long a2 __asm__("a2") = arg2, a3 __asm__("a3") = arg3;
    register unsigned long a4 __asm__("a4") = arg4;
    register unsigned long a6 __asm__("a6") = fid, a7 __asm__("a7") = ext;

    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1)
                     : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
                     : "memory");
    return (struct ret){ a0, a1 };
}

#define sbi0(ext, fid)          sbi(ext, fid, 0, 0, 0, 0, 0)
#define sbi1(ext, fid, a)       sbi(ext, fid, a, 0, 0, 0, 0)
#define sbi2(ext, fid, a, b)    sbi(ext, fid, a, b, 0, 0, 0)
#define sbi3(ext, fid, a, b, c) sbi(ext, fid, a, b, c, 0, 0)

/* -- output ----------------------------------------------------------------------------------- */

static unsigned checks, failures;

static void print(const char *s)
{
    unsigned long n = 0;

    while (s[n]) {
        n++;
    }
    sbi3(EXT_DBCN, 0, n, (unsigned long)s, 0);
}

static void print_number(long value)
{
    char text[24], *p = text + sizeof(text);
    unsigned long v = value < 0 ? -(unsigned long)value : (unsigned long)value;

    *--p = 0;
    do {
        *--p = '0' + v % 10;
        v /= 10;
    } while (v);
    if (value < 0) {
        *--p = '-';
    }
    print(p);
}

static void check(bool good, const char *name)
{
    checks++;
    failures += !good;
    print(good ? "ok " : "not ok ");
    print_number(checks);
    print(" - ");
    print(name);
    print("\n");
}

static void is(long got, long expected, const char *name)
{
    check(got == expected, name);
    if (got != expected) {
        print("# got ");
        print_number(got);
        print(", expected ");
        print_number(expected);
        print("\n");
    }
}

/* -- traps ------------------------------------------------------------------------------------ */

/* What the last expected exception of the first hart was, and how often which interrupt came. */
static volatile unsigned long fault_cause, fault_value, fault_pc;
static volatile unsigned long timer_traps, ipi_traps;

unsigned long trap(unsigned long cause, unsigned long value, unsigned long pc)
{
    if (cause == (INTERRUPT | 5)) {
        timer_traps++;
        csr_clear(sie, STI);
        return pc;
    }
    if (cause == (INTERRUPT | 1)) {
        csr_clear(sip, SSI);
        __atomic_fetch_add(&ipi_traps, 1, __ATOMIC_SEQ_CST);
        return pc;
    }
    fault_cause = cause;
    fault_value = value;
    fault_pc = pc;
    /* A fetch that failed came from call_at(): its return address is at the "mv ra, t0" there. */
    if (cause == 1) {
        return (unsigned long)call_at + 8;
    }
    return pc + 4;
}

#define NO_FAULT 99
#define faulting(...)                  \
    ({                                 \
        fault_cause = NO_FAULT;        \
        __asm__ volatile(__VA_ARGS__); \
        fault_cause;                   \
    })

static uint64_t now(void)
{
#if __riscv_xlen == 64
    return csr_read(time);
#else
    unsigned long high, low;

    do {
        high = csr_read(timeh);
        low = csr_read(time);
    } while (high != csr_read(timeh));
    return (uint64_t)high << 32 | low;
#endif
}

static long set_timer(uint64_t when)
{
#if __riscv_xlen == 64
    return sbi1(EXT_TIME, 0, when).error;
#else
    return sbi2(EXT_TIME, 0, when, when >> 32).error;
#endif
}

/* Ticks are 100 ns on these machines; PATIENCE is minutes, as harts may wait long for a host that
 * has more to do than it can. */
#define SOON     20000
#define PATIENCE 3000000000

#define wait_until(condition)                            \
    ({                                                   \
        uint64_t end_ = now() + PATIENCE;                \
        bool seen_;                                      \
        while (!(seen_ = (condition)) && now() < end_) { \
        }                                                \
        seen_;                                           \
    })

/* -- base, console, reset --------------------------------------------------------------------- */

static const unsigned long known[] = { EXT_BASE, EXT_TIME, EXT_IPI,  EXT_RFENCE,
                                       EXT_HSM,  EXT_SRST, EXT_DBCN, EXT_SUSP };

static void test_base(void)
{
    bool all = true;

    is(sbi0(EXT_BASE, 0).value, 2 << 24, "base: specification 2.0");
    is(sbi0(EXT_BASE, 1).error, 0, "base: implementation id");
    is(sbi0(EXT_BASE, 2).error, 0, "base: implementation version");
    for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        all = all && sbi1(EXT_BASE, 3, known[i]).value == 1;
    }
    check(all, "base: all extensions are probed as present");
    is(sbi1(EXT_BASE, 3, 0x12345).value, 0, "base: an unknown extension is not");
    is(sbi0(EXT_BASE, 4).error, 0, "base: vendor id");
    is(sbi0(EXT_BASE, 5).error, 0, "base: architecture id");
    is(sbi0(EXT_BASE, 6).error, 0, "base: machine implementation id");
    is(sbi0(EXT_BASE, 99).error, NOT_SUPPORTED, "base: unknown function");
    is(sbi0(0x12345, 0).error, NOT_SUPPORTED, "unknown extension");
}

static void test_console(void)
{
    static char buffer[8];
    struct ret r = sbi3(EXT_DBCN, 0, 15, (unsigned long)"# written text\n", 0);

    is(r.error, 0, "console: write");
    is(r.value, 15, "console: write returns the count");
    r = sbi1(EXT_DBCN, 2, '#');
    is(sbi1(1, 0, '\n').error, 0, "console: legacy putchar");
    is(r.error, 0, "console: write a byte");
    r = sbi3(EXT_DBCN, 1, sizeof(buffer), (unsigned long)buffer, 0);
    check(r.error == 0 && r.value == 0, "console: nothing to read");
    is(sbi0(2, 0).error, -1, "console: legacy getchar finds nothing");
    is(sbi3(EXT_DBCN, 0, 16, FIRMWARE, 0).error, INVALID_PARAM, "console: no write from firmware");
    is(sbi3(EXT_DBCN, 1, 16, FIRMWARE, 0).error, INVALID_PARAM, "console: no read into firmware");
    is(sbi3(EXT_DBCN, 0, 16, FIRMWARE + 0x7fff8, 0).error, INVALID_PARAM,
       "console: no write that begins in firmware");
    is(sbi3(EXT_DBCN, 0, 16, CLINT, 0).error, INVALID_PARAM, "console: no write from devices");
    is(sbi3(EXT_DBCN, 0, -1ul, (unsigned long)buffer, 0).error, INVALID_PARAM,
       "console: no write that wraps around");
    is(sbi3(EXT_DBCN, 0, 1, (unsigned long)buffer, 1).error, INVALID_PARAM,
       "console: no address above the register");
    is(sbi0(EXT_DBCN, 3).error, NOT_SUPPORTED, "console: unknown function");
}

static void test_reset_errors(void)
{
    is(sbi2(EXT_SRST, 0, 3, 0).error, INVALID_PARAM, "reset: reserved type");
    is(sbi2(EXT_SRST, 0, 0, 2).error, INVALID_PARAM, "reset: reserved reason");
    is(sbi2(EXT_SRST, 1, 0, 0).error, NOT_SUPPORTED, "reset: unknown function");
}

/* -- protection and delegation ---------------------------------------------------------------- */

static bool tree_contains(const uint8_t *fdt, const char *text)
{
    uint32_t size = (uint32_t)fdt[4] << 24 | fdt[5] << 16 | fdt[6] << 8 | fdt[7];

    for (uint32_t i = 0; i < size; i++) {
        uint32_t n = 0;

        while (text[n] && i + n < size && fdt[i + n] == (uint8_t)text[n]) {
            n++;
        }
        if (!text[n]) {
            return true;
        }
    }
    return false;
}

static void test_protection(const uint8_t *fdt)
{
    unsigned long x = 0;

    is(faulting("lw %0, (%1)" : "=r"(x) : "r"(FIRMWARE) : "memory"), 5, "firmware: no load");
    is(fault_value, FIRMWARE, "firmware: the fault names the address");
    is(faulting("sw x0, (%0)" ::"r"(FIRMWARE + 0x7fffc) : "memory"), 7, "firmware: no store");
    fault_cause = NO_FAULT;
    call_at(FIRMWARE);
    is(fault_cause, 1, "firmware: no fetch");
    is(faulting("lw %0, (%1)" : "=r"(x) : "r"(CLINT) : "memory"), 5, "machine timer: no load");
    is(faulting(".word 0xffffffff" ::: "memory"), 2, "illegal instructions come to S-mode");
    is(faulting("csrr %0, mstatus" : "=r"(x)::"memory"), 2, "machine CSRs are illegal");
    check(tree_contains(fdt, "mmode_resv@80000000"), "devicetree: firmware's memory is reserved");
    check(tree_contains(fdt, "no-map"), "devicetree: not to be mapped");
}

static void test_misaligned(void)
{
    static uint8_t buffer[16] __attribute__((aligned(16)));
    long x = 0;

    for (unsigned i = 0; i < sizeof(buffer); i++) {
        buffer[i] = 0x81 + i;
    }
    __asm__ volatile("lw %0, 1(%1)" : "=r"(x) : "r"(buffer) : "memory");
    is(x, (int32_t)0x85848382, "misaligned: lw");
    __asm__ volatile("lhu %0, 3(%1)" : "=r"(x) : "r"(buffer) : "memory");
    is(x, 0x8584, "misaligned: lhu");
    __asm__ volatile("lh %0, 3(%1)" : "=r"(x) : "r"(buffer) : "memory");
    is(x, (int16_t)0x8584, "misaligned: lh");
    __asm__ volatile("sw %0, 5(%1)" ::"r"(0x01020304), "r"(buffer) : "memory");
    check(buffer[5] == 4 && buffer[8] == 1 && buffer[4] == 0x85 && buffer[9] == 0x8a,
          "misaligned: sw");
    /* Load or store, misaligned or access fault: emulators and machines differ. */
    faulting("amoadd.w x0, x0, (%0)" ::"r"(buffer + 14) : "memory");
    is(fault_cause & ~3ul, 4, "misaligned: an atomic faults in S-mode");
}

/* -- timer, IPI, fences on one hart ----------------------------------------------------------- */

static void test_timer(void)
{
    uint64_t start = now();

    check(wait_until(now() > start), "time advances");
    is(set_timer(-1ull), 0, "timer: set");
    is(csr_read(sip) & STI, 0, "timer: nothing pending");
    timer_traps = 0;
    csr_set(sie, STI);
    csr_set(sstatus, SSTATUS_SIE);
    set_timer(now() + SOON);
    check(wait_until(timer_traps), "timer: the interrupt comes");
    is(timer_traps, 1, "timer: once");
    csr_clear(sstatus, SSTATUS_SIE);
    set_timer(0);
    check(wait_until(csr_read(sip) & STI), "timer: the past is pending at once");
    set_timer(-1ull);
    is(csr_read(sip) & STI, 0, "timer: setting it withdraws the interrupt");
    is(sbi2(0, 0, -1ul, -1ul).error, 0, "timer: legacy set");
    is(sbi0(EXT_TIME, 1).error, NOT_SUPPORTED, "timer: unknown function");
}

static void test_ipi(unsigned long id)
{
    unsigned long mask = 1ul << id % __riscv_xlen;

    csr_clear(sie, SSI);
    is(sbi2(EXT_IPI, 0, 1, id).error, 0, "ipi: to oneself");
    check(csr_read(sip) & SSI, "ipi: pending");
    csr_clear(sip, SSI);
    is(sbi2(EXT_IPI, 0, 0, 0).error, 0, "ipi: to nobody");
    is(csr_read(sip) & SSI, 0, "ipi: not pending");
    is(sbi2(EXT_IPI, 0, 1, NO_SUCH_HART).error, INVALID_PARAM, "ipi: no such hart");
    is(sbi0(EXT_IPI, 1).error, NOT_SUPPORTED, "ipi: unknown function");
    is(sbi1(4, 0, (unsigned long)&mask).error, 0, "ipi: legacy");
    check(csr_read(sip) & SSI, "ipi: legacy pending");
    is(sbi0(3, 0).error, 0, "ipi: legacy clear");
    is(csr_read(sip) & SSI, 0, "ipi: legacy cleared");
}

static void test_fences(unsigned long id)
{
    unsigned long mask = 1;

    is(sbi2(EXT_RFENCE, 0, 1, id).error, 0, "fence.i: on oneself");
    is(sbi2(EXT_RFENCE, 0, 0, -1ul).error, 0, "fence.i: on all");
    is(sbi(EXT_RFENCE, 1, 0, -1ul, 0, 0, 0).error, 0, "sfence.vma: everything");
    is(sbi(EXT_RFENCE, 1, 0, -1ul, 0x1234, 0x3000, 0).error, 0, "sfence.vma: a range");
    is(sbi(EXT_RFENCE, 1, 0, -1ul, 0x1234, -1ul, 0).error, 0, "sfence.vma: the whole range");
    is(sbi(EXT_RFENCE, 2, 0, -1ul, 0x1234, 0x3000, 7).error, 0, "sfence.vma: a range of an ASID");
    is(sbi(EXT_RFENCE, 2, 0, -1ul, 0, -1ul, 7).error, 0, "sfence.vma: an ASID");
    is(sbi(EXT_RFENCE, 3, 0, -1ul, 0, 0, 0).error, NOT_SUPPORTED, "hfence: not supported");
    is(sbi2(EXT_RFENCE, 0, 1, NO_SUCH_HART).error, INVALID_PARAM, "fence.i: no such hart");
    is(sbi1(5, 0, 0).error, 0, "fence.i: legacy, all harts");
    is(sbi3(6, 0, (unsigned long)&mask, 0, 0).error, 0, "sfence.vma: legacy");
    is(sbi(7, 0, (unsigned long)&mask, 0, 0, 7, 0).error, 0, "sfence.vma: legacy with ASID");
    is(faulting("li a7, 5\n\tli a0, -8\n\tecall" ::
                    : "a0", "a1", "a7", "memory"),
       NO_FAULT, "fence.i: legacy survives a bad mask address");
}

/* -- suspension ------------------------------------------------------------------------------- */

static void test_suspend(unsigned long id)
{
    static struct context context;

    is(sbi1(EXT_HSM, 2, id).value, STARTED, "hsm: this hart is started");
    is(sbi1(EXT_HSM, 2, NO_SUCH_HART).error, INVALID_PARAM, "hsm: no such hart");
    is(sbi3(EXT_HSM, 0, id, (unsigned long)second_start, 0).error, ALREADY_AVAILABLE,
       "hsm: cannot be started again");
    is(sbi3(EXT_HSM, 0, NO_SUCH_HART, (unsigned long)second_start, 0).error, INVALID_PARAM,
       "hsm: cannot start a hart that is not there");
    is(sbi3(EXT_HSM, 3, 1, 0, 0).error, INVALID_PARAM, "suspend: reserved type");
    is(sbi3(EXT_HSM, 3, 0x80000000, FIRMWARE, 0).error, INVALID_ADDRESS,
       "suspend: not to resume in firmware");
    is(sbi0(EXT_HSM, 4).error, NOT_SUPPORTED, "hsm: unknown function");

    csr_set(sie, STI);
    set_timer(now() + SOON);
    is(sbi3(EXT_HSM, 3, 0, 0, 0).error, 0, "suspend: retentive");
    check(csr_read(sip) & STI, "suspend: the timer woke it");

    set_timer(now() + SOON);
    csr_set(sie, STI);
    is(suspend(EXT_HSM, 3, 0x80000000, &context), 1000 + id, "suspend: resumes where it was told");
    is(csr_read(satp), 0, "suspend: translation is off");
    is(csr_read(sstatus) & SSTATUS_SIE, 0, "suspend: interrupts are off");
    csr_write(stvec, trap_vector);

    is(sbi3(EXT_SUSP, 0, 1, (unsigned long)second_start, 0).error, INVALID_PARAM,
       "system suspend: reserved type");
    is(sbi3(EXT_SUSP, 0, 0, FIRMWARE, 0).error, INVALID_ADDRESS,
       "system suspend: not to resume in firmware");
    set_timer(now() + SOON);
    csr_set(sie, STI);
    is(suspend(EXT_SUSP, 0, 0, &context), 1000 + id, "system suspend: resumes");
    csr_write(stvec, trap_vector);
    set_timer(-1ull);
}

/* -- several harts ---------------------------------------------------------------------------- */

enum order { NOTHING, REPORT, SLEEP, STORM, STOP };
static volatile unsigned long order[MAX_HARTS], done[MAX_HARTS];
static uint8_t stacks[MAX_HARTS][2048] __attribute__((aligned(16)));

/* Everybody shoots at everybody: fences that wait for answers while IPIs come in. */
#define ROUNDS 100
static unsigned long storm(void)
{
    unsigned long errors = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        errors += sbi(EXT_RFENCE, i % 3, 0, -1ul, 0x1000 * i, 0x2000, i).error != 0;
        errors += sbi2(EXT_IPI, 0, 0, -1ul).error != 0;
    }
    return errors;
}

void second_main(unsigned long id)
{
    static struct context contexts[MAX_HARTS];

    csr_write(stvec, trap_vector);
    csr_set(sie, SSI);
    csr_set(sstatus, SSTATUS_SIE);
    for (;;) {
        unsigned long what = order[id];

        if (what == NOTHING) {
            continue;
        }
        order[id] = NOTHING;
        switch (what) {
        case REPORT: done[id] = 1; break;
        case STORM: done[id] = 1 + storm(); break;
        case SLEEP:
            csr_clear(sstatus, SSTATUS_SIE);
            done[id] = suspend(EXT_HSM, 3, 0x80000000, &contexts[id]);
            csr_write(stvec, trap_vector);
            csr_set(sie, SSI);
            csr_set(sstatus, SSTATUS_SIE);
            break;
        case STOP: sbi0(EXT_HSM, 1); done[id] = -1ul;
        }
    }
}

static unsigned long status(unsigned long id)
{
    return sbi1(EXT_HSM, 2, id).value;
}

static void test_start(unsigned long id)
{
    unsigned long stack = (unsigned long)stacks[id + 1];
    static struct context context;

    order[id] = REPORT;
    is(status(id), STOPPED, "other hart: stopped");
    is(sbi2(EXT_IPI, 0, 1, id).error, 0, "other hart: an IPI to it goes nowhere");
    is(sbi3(EXT_HSM, 0, id, FIRMWARE, stack).error, INVALID_ADDRESS,
       "other hart: not into firmware");
    is(sbi3(EXT_HSM, 0, id, (unsigned long)second_start, stack).error, 0, "other hart: start");
    check(wait_until(done[id] == 1), "other hart: runs");
    is(status(id), STARTED, "other hart: started");
    is(sbi3(EXT_HSM, 0, id, (unsigned long)second_start, stack).error, ALREADY_AVAILABLE,
       "other hart: only once");
    is(suspend(EXT_SUSP, 0, 0, &context), DENIED, "system suspend: denied while it runs");
}

static void test_other(unsigned long id)
{
    unsigned long before = ipi_traps;

    test_start(id);
    sbi2(EXT_IPI, 0, 1, id);
    check(wait_until(ipi_traps != before), "other hart: takes an IPI");
    is(sbi(EXT_RFENCE, 1, 1, id, 0, 0, 0).error, 0, "other hart: fences");
    done[id] = 0;
    order[id] = SLEEP;
    check(wait_until(status(id) == SUSPENDED), "other hart: suspends itself");
    is(sbi(EXT_RFENCE, 0, 1, id, 0, 0, 0).error, 0, "other hart: fences in its sleep");
    is(done[id], 0, "other hart: and sleeps on");
    sbi2(EXT_IPI, 0, 1, id);
    check(wait_until(done[id] == 1000 + id), "other hart: an IPI wakes it");
    order[id] = STOP;
    check(wait_until(status(id) == STOPPED), "other hart: stops");
    is(sbi(EXT_RFENCE, 0, 1, id, 0, 0, 0).error, 0, "other hart: a fence does not wait for it");
    is(done[id], 1000 + id, "other hart: is gone");
}

static void test_storm(unsigned long self, unsigned long first, unsigned long count)
{
    unsigned long errors;
    bool all = true;

    for (unsigned long id = first; id < count; id++) {
        if (id != self) {
            done[id] = 0;
            order[id] = STORM;
            all = all &&
                  !sbi3(EXT_HSM, 0, id, (unsigned long)second_start, (unsigned long)stacks[id + 1])
                       .error;
        }
    }
    check(all, "storm: all harts start");
    errors = storm();
    for (unsigned long id = first; id < count; id++) {
        if (id != self) {
            all = all && wait_until(done[id]);
            errors += done[id] - 1;
            order[id] = STOP;
            all = all && wait_until(status(id) == STOPPED);
        }
    }
    check(all, "storm: all get through and stop");
    is(errors, 0, "storm: no call fails");
    csr_clear(sip, SSI);
}

static void test_harts(unsigned long self)
{
    unsigned long count = 0, other;

    while (count < MAX_HARTS - 1 && sbi1(EXT_HSM, 2, count).error == 0) {
        count++;
    }
    print("# harts: ");
    print_number(count);
    print("\n");
    if (count < 2) {
        return;
    }
    other = self ? 0 : 1;
    test_other(other);
    test_storm(self, 0, count);
}

/* -- the whole -------------------------------------------------------------------------------- */

/* Kept in memory that no loader writes, so that it outlives a reset of the machine. */
#define MARK       ((volatile uint32_t *)0x80300000ul)
#define MARK_VALUE 0x5eb007ed

void test_main(unsigned long id, const uint8_t *fdt)
{
    csr_write(stvec, trap_vector);
    csr_write(sie, 0);
    csr_clear(sstatus, SSTATUS_SIE);
    if (tree_contains(fdt, "=reboot=") && *MARK != MARK_VALUE) {
        *MARK = MARK_VALUE;
        sbi2(EXT_SRST, 0, 1, 0);
        check(false, "reset: a reboot does not come back");
    }
    print("# SBI test\n");
    if (tree_contains(fdt, "=reboot=")) {
        is(*MARK, MARK_VALUE, "reset: rebooted");
        *MARK = 0;
    }
    test_base();
    test_console();
    test_reset_errors();
    test_protection(fdt);
    test_misaligned();
    test_timer();
    test_ipi(id);
    test_fences(id);
    test_suspend(id);
    test_harts(id);
    print("1..");
    print_number(checks);
    print("\n");
    sbi2(EXT_SRST, 0, 0, failures != 0);
}
