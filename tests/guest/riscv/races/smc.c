/*
 * Code that changes: by the hart that runs it, in the very piece that runs, beside data; and by
 * one hart while others run it. Stores are seen by fetches after FENCE.I (RISC-V Instruction Set
 * Manual, volume I, chapter "Zifencei").
 */
#include "../hello/print.h"
#include "../hello/sbi.h"
#include "races.h"

/* Code for one hart alone: it begins anywhere in the first of three pages of its own. */
static uint8_t *own_code(unsigned hart)
{
    return arena[4 * hart] + random32(hart) % (PAGE / 4) * 4;
}

/* ---- One hart changes what it runs ---- */

static void run_ahead(unsigned hart, unsigned round)
{
    unsigned distance = 8 + random32(hart) % (round % 2 ? 1024 : 60) * 4;
    uint8_t *code = own_code(hart), *target = code + distance;

    put(code, SW(A1, 0, A0));
    put(code + 4, FENCE_I);
    for (unsigned n = 8; n < distance; n += 4)
        put(code + n, NOP);
    put(target, LUI(A2, 1));
    put(target + 4, ADDI(A0, A2, 0));
    put(target + 8, RET);
    fence_i();
    for (unsigned n = 2; n < 6; n++) {
        uint64_t got = call(code, (uintptr_t)target, LUI(A2, n), 0, 0) >> 12;
        if (got != n)
            fail("an instruction ahead was not changed", got, n);
    }
}

static void run_behind(unsigned hart, unsigned round)
{
    uint8_t *code = own_code(hart);

    (void)round;
    put(code, LUI(A2, 1));
    put(code + 4, SW(A1, 0, A0));
    put(code + 8, ADDI(A0, A2, 0));
    put(code + 12, RET);
    fence_i();
    for (unsigned n = 2; n < 6; n++) {
        uint64_t got = call(code, (uintptr_t)code, LUI(A2, n), 0, 0) >> 12;
        if (got != n - 1)
            fail("an instruction that has run was changed", got, n - 1);
        fence_i();
    }
}

static void run_loop(unsigned hart, unsigned round)
{
    uint8_t *code = own_code(hart);
    unsigned n = 2 + random32(hart) % 50;
    uint64_t got;

    (void)round;
    put(code, ADDI(A2, ZERO, 0));
    put(code + 4, ADDI(T1, ZERO, n));
    put(code + 8, LUI(T0, 1)); /* the loop's head, and what is changed */
    put(code + 12, ADD(A2, A2, T0));
    put(code + 16, ADD(A1, A1, A3));
    put(code + 20, SW(A1, 8, A0));
    put(code + 24, FENCE_I);
    put(code + 28, ADDI(T1, T1, -1));
    put(code + 32, BNE(T1, ZERO, -24));
    put(code + 36, ADDI(A0, A2, 0));
    put(code + 40, RET);
    fence_i();
    got = call(code, (uintptr_t)code, LUI(T0, 1), 0, 1 << 12) >> 12;
    if (got != n * (n + 1) / 2)
        fail("a loop that changes itself went wrong", got, n * (n + 1) / 2);
}

/* Counts in a word of the page that the code is in, @at bytes from it. */
static void count_at(unsigned hart, unsigned at, unsigned calls_made)
{
    uint8_t *code = arena[4 * hart];

    put(code, LW(A2, 0, A0));
    put(code + 4, ADDI(A2, A2, 1));
    put(code + 8, SW(A2, 0, A0));
    put(code + 12, ADDI(A1, A1, -1));
    put(code + 16, BNE(A1, ZERO, -16));
    put(code + 20, RET);
    STORE(*(uint32_t *)(code + at), 0);
    fence_i();
    for (unsigned n = 0; n < calls_made; n++)
        call(code, (uintptr_t)code + at, 10, 0, 0);
    if (LOAD(*(uint32_t *)(code + at)) != 10 * calls_made)
        fail("a count beside its code went wrong", LOAD(*(uint32_t *)(code + at)), 10 * calls_made);
}

static void run_data(unsigned hart, unsigned round)
{
    count_at(hart, 64 + 4 * (round % 1000), 100);
}

static void run_near_data(unsigned hart, unsigned round)
{
    (void)round;
    count_at(hart, 28, 2);
}

/* ---- One hart changes what others run ---- */

#define PLACES 8
#define STEPS  400
#define KEPT   1024 /* in half of the pages is more code there, which is run once and stays */

static uint32_t version[PLACES][16]; /* a line each */
static uint32_t done, calls;

/* Each place has a page; its code returns a version. */
static uint8_t *place(unsigned k)
{
    return arena[16 + k];
}

static void prepare(unsigned round)
{
    (void)round;
    for (unsigned k = 0; k < PLACES; k++) {
        put(place(k), LUI(A0, 0));
        put(place(k) + 4, RET);
        put(place(k) + KEPT, RET);
        version[k][0] = 0;
    }
    done = 0;
    remote_fence_i((1 << HARTS) - 1);
}

/* Runs what another changes: it must not be older than the version that was announced. */
static void check_places(unsigned hart, bool fences)
{
    for (unsigned k = 0; k < PLACES; k += 2)
        call(place(k) + KEPT, 0, 0, 0, 0);
    while (!LOAD(done)) {
        unsigned k = random32(hart) % PLACES;
        uint32_t expected = __atomic_load_n(&version[k][0], __ATOMIC_ACQUIRE);
        if (fences)
            fence_i();
        uint64_t got = call(place(k), 0, 0, 0, 0) >> 12;
        if (got < expected)
            fail("old code was run", got, expected);
        __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
        if (random32(hart) % 16 == 0)
            pause(); /* there may be fewer processors than harts */
    }
}

/* Lets the others go on, if they are not running anyway. */
static void let_run(void)
{
    uint32_t before = LOAD(calls);

    for (unsigned tries = 0; LOAD(calls) == before && tries < 50; tries++)
        pause();
}

static void announce(unsigned k, unsigned n)
{
    __atomic_store_n(&version[k][0], n, __ATOMIC_RELEASE);
}

static void run_remote(unsigned hart, unsigned round)
{
    (void)round;
    if (hart) {
        check_places(hart, false);
        return;
    }
    for (unsigned n = 1; n < STEPS / 8; n++) {
        unsigned k = random32(hart) % PLACES;
        put(place(k), LUI(A0, n));
        fence();
        remote_fence_i((1 << HARTS) - 1);
        announce(k, n);
    }
    STORE(done, 1);
}

static void run_own_fence(unsigned hart, unsigned round)
{
    (void)round;
    if (hart) {
        check_places(hart, true);
        return;
    }
    for (unsigned n = 1; n < STEPS; n++) {
        unsigned k = random32(hart) % PLACES;
        put(place(k), LUI(A0, n));
        announce(k, n);
        if (n % 4)
            random_delay(hart, 256);
        else
            let_run();
    }
    STORE(done, 1);
}

#define UART    0x10000000ul
#define READ_4  "lbu t0, 5(%2)\n lbu t0, 5(%2)\n lbu t0, 5(%2)\n lbu t0, 5(%2)\n"
#define READ_16 READ_4 READ_4 READ_4 READ_4
#define LATE(s) "sd zero, 2040(%0)\n" s "sw %1, 0(%0)"

/*
 * Two stores to one page, the second long after the first, since accesses to a device lie between:
 * an emulator that looks only once at how both may be done finds another hart running the page's
 * code by the time of the second.
 */
static void store_late(void *page, uint32_t insn, bool longer)
{
    if (longer)
        __asm__ volatile(LATE(READ_16 READ_16 READ_16)
                         :
                         : "r"(page), "r"(insn), "r"(UART)
                         : "t0", "memory");
    else
        __asm__ volatile(LATE(READ_4) : : "r"(page), "r"(insn), "r"(UART) : "t0", "memory");
}

static void run_late(unsigned hart, unsigned round)
{
    (void)round;
    if (hart) {
        check_places(hart, true);
        return;
    }
    for (unsigned n = 1; n < STEPS; n++) {
        unsigned k = n / 8 % PLACES;
        store_late(place(k), LUI(A0, n), n & 1);
        announce(k, n);
        if (n % 8 == 0)
            let_run();
    }
    STORE(done, 1);
}

const struct test smc_tests[] = {
    { "change ahead", NULL, run_ahead, NULL, NULL, NULL },
    { "change behind", NULL, run_behind, NULL, NULL, NULL },
    { "change in a loop", NULL, run_loop, NULL, NULL, NULL },
    { "data beside code", NULL, run_data, NULL, NULL, NULL },
    { "data right behind code", NULL, run_near_data, NULL, NULL, NULL },
    { "change for others, IPI", prepare, run_remote, NULL, NULL, NULL },
    { "change for others, own fence.i", prepare, run_own_fence, NULL, NULL, NULL },
    { "change for others, late store", prepare, run_late, NULL, NULL, NULL },
    { 0 },
};
