/*
 * Litmus tests: which outcomes of a few loads and stores on several harts RVWMO forbids (the RISC-V
 * Instruction Set Manual, volume I, chapters "RVWMO Memory Consistency Model" and "Memory Model
 * Explanatory Material").
 *
 * A round runs each test on INSTANCES pairs of locations, one after the other on all harts, which
 * wait for each other a little before each. How the locations lie changes from round to round.
 * Outcomes that are allowed but not sequentially consistent are counted and printed: a test that
 * never sees one where fences are missing does not test much.
 */
#include "../hello/print.h"
#include "races.h"

#define INSTANCES 240

static uint32_t place;               /* how the locations lie */
static uint32_t progress[HARTS][16]; /* a line each */
static uint32_t result[HARTS][INSTANCES][2];
static uint64_t relaxed, seen;

/* Location @which (0, 1) of instance @i for harts 2 * pair and 2 * pair + 1. */
static uint32_t *location(unsigned pair, unsigned which, unsigned i)
{
    uint8_t *base = arena[8 * pair];

    switch (place) {
    case 0: return (uint32_t *)(base + which * 2 * PAGE + i * 16);
    case 1: return (uint32_t *)(base + i * 16 + which * 8);
    case 2: return (uint32_t *)(base + i * 16 + which * (PAGE + 8)); /* the second page has code */
    default: return (uint32_t *)(base + PAGE + i * 16 + which * 8);
    }
}

/* Each hart runs what lies in the second page of each pair's, so that stores there are slow ones.
 */
static void use_code(void)
{
    for (unsigned pair = 0; pair < 2; pair++)
        call(arena[8 * pair + 1] + PAGE - 8, 0, 0, 0, 0);
}

static void prepare(unsigned round)
{
    place = round % 4;
    for (unsigned pair = 0; pair < 2; pair++) {
        for (unsigned i = 0; i < INSTANCES; i++)
            *location(pair, 0, i) = *location(pair, 1, i) = 0;
        put(arena[8 * pair + 1] + PAGE - 8, LUI(A0, 1));
        put(arena[8 * pair + 1] + PAGE - 4, RET);
    }
    for (unsigned k = 0; k < HARTS; k++)
        progress[k][0] = 0;
}

/* Waits for the others to come to instance @i, but not for long. */
static void meet(unsigned hart, unsigned first, unsigned n, unsigned i)
{
    STORE(progress[hart][0], i + 1);
    for (unsigned k = first; k < first + n; k++)
        for (unsigned tries = 0; LOAD(progress[k][0]) <= i && tries < 1000; tries++)
            if (tries % 250 == 249)
                pause(); /* it may need the processor that we are on */
    random_delay(hart, 1 << i % 9);
}

#define ACCESSES(name, text)                                                               \
    static void name(uint32_t *x, uint32_t *y, uint32_t *r)                                \
    {                                                                                      \
        uint32_t r0 = 0, r1 = 0;                                                           \
        __asm__ volatile(text : "+&r"(r0), "+&r"(r1) : "r"(x), "r"(y), "r"(1) : "memory"); \
        r[0] = r0;                                                                         \
        r[1] = r1;                                                                         \
    }

/* x is %2, y is %3, a 1 is %4, results are %0 and %1. */
ACCESSES(mp_write, "sw %4, (%2)\n fence w, w\n sw %4, (%3)")
ACCESSES(mp_read, "lw %0, (%3)\n fence r, r\n lw %1, (%2)")
ACCESSES(mp_release, "sw %4, (%2)\n amoswap.w.rl zero, %4, (%3)")
ACCESSES(mp_acquire, "amoor.w.aq %0, zero, (%3)\n lw %1, (%2)")
ACCESSES(mp_address, "lw %0, (%3)\n xor %1, %0, %0\n add %1, %1, %2\n lw %1, (%1)")
ACCESSES(sb_fence_x, "sw %4, (%2)\n fence rw, rw\n lw %0, (%3)")
ACCESSES(sb_fence_y, "sw %4, (%3)\n fence w, r\n lw %0, (%2)")
ACCESSES(sb_x, "sw %4, (%2)\n lw %0, (%3)")
ACCESSES(sb_y, "sw %4, (%3)\n lw %0, (%2)")
ACCESSES(sb_amo_x, "amoswap.w.aqrl zero, %4, (%2)\n lw %0, (%3)")
ACCESSES(sb_amo_y, "amoadd.w.aqrl zero, %4, (%3)\n lw %0, (%2)")
ACCESSES(lb_x, "lw %0, (%2)\n fence r, w\n sw %4, (%3)")
ACCESSES(lb_y, "lw %0, (%3)\n xor %1, %0, %0\n add %1, %1, %4\n sw %1, (%2)")
ACCESSES(write_x, "sw %4, (%2)")
ACCESSES(write_y, "sw %4, (%3)")
ACCESSES(read_xy, "lw %0, (%2)\n fence rw, rw\n lw %1, (%3)")
ACCESSES(read_yx, "lw %0, (%3)\n fence rw, rw\n lw %1, (%2)")
ACCESSES(read_xx, "lw %0, (%2)\n lw %1, (%2)")

typedef void accesses(uint32_t *x, uint32_t *y, uint32_t *r);

/* Harts 0 and 1 on one set of locations, 2 and 3 on another. */
static void run_pairs(unsigned hart, accesses *even, accesses *odd)
{
    unsigned pair = hart / 2;
    accesses *f = hart & 1 ? odd : even;

    use_code();
    for (unsigned i = 0; i < INSTANCES; i++) {
        meet(hart, 2 * pair, 2, i);
        f(location(pair, 0, i), location(pair, 1, i), result[hart][i]);
    }
}

/* All four on the same. */
static void run_four(unsigned hart, accesses *const f[HARTS])
{
    use_code();
    for (unsigned i = 0; i < INSTANCES; i++) {
        meet(hart, 0, HARTS, i);
        f[hart](location(0, 0, i), location(0, 1, i), result[hart][i]);
    }
}

static void run_mp(unsigned hart, unsigned round)
{
    (void)round;
    run_pairs(hart, mp_write, mp_read);
}

static void run_mp_amo(unsigned hart, unsigned round)
{
    (void)round;
    run_pairs(hart, mp_release, mp_acquire);
}

static void run_mp_address(unsigned hart, unsigned round)
{
    (void)round;
    run_pairs(hart, mp_write, mp_address);
}

static void run_sb(unsigned hart, unsigned round)
{
    (void)round;
    run_pairs(hart, sb_x, sb_y);
}

static void run_sb_fence(unsigned hart, unsigned round)
{
    (void)round;
    run_pairs(hart, sb_fence_x, sb_fence_y);
}

static void run_sb_amo(unsigned hart, unsigned round)
{
    (void)round;
    run_pairs(hart, sb_amo_x, sb_amo_y);
}

static void run_lb(unsigned hart, unsigned round)
{
    (void)round;
    run_pairs(hart, lb_x, lb_y);
}

static void run_corr(unsigned hart, unsigned round)
{
    (void)round;
    run_pairs(hart, write_x, read_xx);
}

static void run_iriw(unsigned hart, unsigned round)
{
    static accesses *const f[HARTS] = { write_x, write_y, read_xy, read_yx };

    (void)round;
    run_four(hart, f);
}

/* Instances of both pairs in which @outcome holds of the even and the odd hart's results. */
static unsigned count(bool (*outcome)(const uint32_t *even, const uint32_t *odd))
{
    unsigned n = 0;

    for (unsigned pair = 0; pair < 2; pair++)
        for (unsigned i = 0; i < INSTANCES; i++)
            n += outcome(result[2 * pair][i], result[2 * pair + 1][i]);
    return n;
}

static bool flag_without_data(const uint32_t *even, const uint32_t *odd)
{
    (void)even;
    return odd[0] == 1 && odd[1] == 0;
}

static bool both_zero(const uint32_t *even, const uint32_t *odd)
{
    return even[0] == 0 && odd[0] == 0;
}

static bool both_one(const uint32_t *even, const uint32_t *odd)
{
    return even[0] == 1 && odd[0] == 1;
}

static const char *verify_mp(unsigned round)
{
    (void)round;
    return count(flag_without_data) ? "the flag was seen, the data not" : NULL;
}

static const char *verify_corr(unsigned round)
{
    (void)round;
    return count(flag_without_data) ? "a location went back to its old value" : NULL;
}

static const char *verify_sb(unsigned round)
{
    (void)round;
    return count(both_zero) ? "neither hart saw the other's store" : NULL;
}

static const char *count_sb(unsigned round)
{
    (void)round;
    relaxed += count(both_zero);
    seen += 2 * INSTANCES;
    return NULL;
}

static void report_sb(void)
{
    print("# store buffering without fences: %u of %u\n", relaxed, seen);
}

static const char *verify_lb(unsigned round)
{
    (void)round;
    return count(both_one) ? "both harts saw a store from the future" : NULL;
}

static const char *verify_iriw(unsigned round)
{
    (void)round;
    for (unsigned i = 0; i < INSTANCES; i++)
        if (result[2][i][0] && !result[2][i][1] && result[3][i][0] && !result[3][i][1])
            return "two harts saw two stores in different orders";
    return NULL;
}

const struct test litmus_tests[] = {
    { "mp+fences", prepare, run_mp, verify_mp, NULL, NULL },
    { "mp+release+acquire", prepare, run_mp_amo, verify_mp, NULL, NULL },
    { "mp+fence+address", prepare, run_mp_address, verify_mp, NULL, NULL },
    { "sb", prepare, run_sb, count_sb, report_sb, NULL },
    { "sb+fences", prepare, run_sb_fence, verify_sb, NULL, NULL },
    { "sb+amos", prepare, run_sb_amo, verify_sb, NULL, NULL },
    { "lb+fence+data", prepare, run_lb, verify_lb, NULL, NULL },
    { "corr", prepare, run_corr, verify_corr, NULL, NULL },
    { "iriw+fences", prepare, run_iriw, verify_iriw, NULL, NULL },
    { 0 },
};
