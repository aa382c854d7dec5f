/*
 * The tests of several harts and changing code; prints TAP, then powers off.
 *
 *     myna -M virt -smp 4 -nographic -kernel races.elf -append "seed=1 ms=100 only=mp"
 *
 * Of the boot arguments, `seed` begins the random numbers, `ms` is the time of each test, and
 * `only` names the tests to run by what their names begin with, a hyphen for a
 * blank; `idle` does not power off.
 */
#include "../hello/print.h"
#include "../hello/sbi.h"
#include "../hello/string.h"
#include "races.h"

#define SBI_HSM    0x48534d
#define SBI_RFENCE 0x52464e43
#define STACK      16384

/* Called by start.S. */
void guest_main(unsigned long id, const char *fdt);
void guest_second(unsigned long hart);
void guest_fault(unsigned long cause, unsigned long pc, unsigned long value);
void second_start(void);

static const struct test *const groups[] = { litmus_tests, atomics_tests, smc_tests, dma_tests,
                                             remap_tests };

_Alignas(PAGE) uint8_t arena[ARENA_PAGES][PAGE];

static _Alignas(16) uint8_t stack[HARTS][STACK];
static unsigned long ids[HARTS];
static uint32_t random_state[HARTS];
static const struct test *current; /* NULL: no more */
static bool more;                  /* rounds */
static uint32_t failures;

void guest_fault(unsigned long cause, unsigned long pc, unsigned long value)
{
    print("Bail out! fault %u at %x, %x\n", cause, pc, value);
    sbi_stop(false);
}

void barrier(void)
{
    static uint32_t arrived, generation;
    uint32_t g = LOAD(generation);

    fence();
    if (__atomic_add_fetch(&arrived, 1, __ATOMIC_SEQ_CST) == HARTS) {
        STORE(arrived, 0);
        __atomic_store_n(&generation, g + 1, __ATOMIC_SEQ_CST);
    } else {
        while (__atomic_load_n(&generation, __ATOMIC_ACQUIRE) == g)
            pause();
    }
    fence();
}

void fail(const char *what, uint64_t got, uint64_t expected)
{
    static uint32_t lock;

    if (__atomic_fetch_add(&failures, 1, __ATOMIC_SEQ_CST) >= 5)
        return;
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
        pause();
    print("# %s: got %x, expected %x\n", what, got, expected);
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

uint32_t random32(unsigned hart)
{
    uint32_t x = random_state[hart];

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return random_state[hart] = x;
}

void random_delay(unsigned hart, unsigned most)
{
    for (unsigned n = random32(hart) % most; n; n--)
        __asm__ volatile("");
}

static unsigned long mask_of(unsigned mask)
{
    unsigned long m = 0;

    for (unsigned k = 0; k < HARTS; k++)
        if (mask >> k & 1)
            m |= 1ul << ids[k];
    return m;
}

void remote_fence_i(unsigned mask)
{
    sbi_call(SBI_RFENCE, 0, mask_of(mask), 0, 0);
}

void remote_sfence(unsigned mask, uint64_t start, uint64_t size)
{
    register unsigned long a0 __asm__("a0") = mask_of(mask), a1 __asm__("a1") = 0;
    register unsigned long a2 __asm__("a2") = start, a3 __asm__("a3") = size;
    register unsigned long a6 __asm__("a6") = 1, a7 __asm__("a7") = SBI_RFENCE;

    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a6), "r"(a7) : "memory");
}

/* ---- Rounds ---- */

static unsigned rounds;
static uint64_t end_time;

/* Between rounds; on hart 0. */
static void after_round(const struct test *t)
{
    const char *what = t->verify ? t->verify(rounds) : NULL;

    if (what)
        fail(what, 0, 0);
    rounds++;
    more = time_now() < end_time && !failures;
}

/* On each hart. */
static void run_rounds(unsigned hart, const struct test *t)
{
    do {
        if (hart == 0 && t->prepare)
            t->prepare(rounds);
        barrier();
        t->run(hart, rounds);
        barrier();
        if (hart == 0)
            after_round(t);
        barrier();
    } while (more);
}

void guest_second(unsigned long hart)
{
    for (;;) {
        barrier();
        if (!current)
            break;
        run_rounds(hart, current);
    }
    for (;;)
        __asm__ volatile("wfi");
}

static void run_test(const struct test *t, uint64_t ticks)
{
    static unsigned number;

    number++;
    if (t->possible && !t->possible()) {
        print("ok %u - %s # SKIP\n", (unsigned long)number, t->name);
        return;
    }
    failures = 0;
    rounds = 0;
    end_time = time_now() + ticks;
    current = t;
    barrier();
    run_rounds(0, t);
    if (t->report)
        t->report();
    print("%s %u - %s\n# %u rounds\n", failures ? "not ok" : "ok", (unsigned long)number, t->name,
          (unsigned long)rounds);
}

/* ---- Options and start ---- */

static uint32_t word(const char *p)
{
    const uint8_t *b = (const uint8_t *)p;

    return (uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

/* What stands behind @name anywhere in the devicetree, or NULL. The second word of its header is
 * its size. */
static const char *option(const char *fdt, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = fdt, *end = fdt + word(fdt + 4) - n; p < end; p++)
        if (memcmp(p, name, n) == 0)
            return p + n;
    return NULL;
}

static uint64_t number_option(const char *fdt, const char *name, uint64_t value)
{
    const char *p = option(fdt, name);

    if (!p)
        return value;
    for (value = 0; *p >= '0' && *p <= '9'; p++)
        value = value * 10 + *p - '0';
    return value;
}

static bool wanted(const struct test *t, const char *only)
{
    if (!only)
        return true;
    for (const char *s = t->name; *only && *only != ' '; s++, only++)
        if (*s != *only && (*s != ' ' || *only != '-'))
            return false;
    return true;
}

static void start_others(unsigned long self)
{
    unsigned n = 1;

    ids[0] = self;
    for (unsigned long id = 0; id < 64 && n < HARTS; id++) {
        uint64_t *top = (uint64_t *)(stack[n] + STACK) - 2;
        if (id == self)
            continue;
        *top = n;
        if (sbi_call(SBI_HSM, 0, id, (unsigned long)second_start, (unsigned long)top).error == 0)
            ids[n++] = id;
    }
    if (n < HARTS) {
        print("Bail out! needs %u harts\n", (unsigned long)HARTS);
        sbi_stop(false);
    }
}

void guest_main(unsigned long id, const char *fdt)
{
    uint64_t seed = number_option(fdt, "seed=", 1), ms = number_option(fdt, "ms=", 100);
    const char *only = option(fdt, "only=");
    unsigned long count = 0;

    sbi_init();
    for (unsigned k = 0; k < HARTS; k++)
        random_state[k] = (seed + 1) * 2654435761u ^ (k + 1) * 40503u ^ 1u << 31;
    start_others(id);
    for (unsigned g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
        for (const struct test *t = groups[g]; t->name; t++)
            if (wanted(t, only)) {
                count++;
                run_test(t, ms * 10000);
            }
    current = NULL;
    barrier();
    print("1..%u\n", count);
    if (!option(fdt, "idle"))
        sbi_stop(false);
    for (;;)
        __asm__ volatile("wfi");
}
