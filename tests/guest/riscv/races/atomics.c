/*
 * Atomic instructions of four harts on the same words: nothing is lost, nothing is seen twice.
 *
 * The words lie alone in a page, share a line with words that others store to, or lie in a page
 * with code that is run, where accesses take another way.
 */
#include "races.h"

#define STEPS 20000

static uint64_t *word;  /* what all work on */
static uint64_t *other; /* a word beside it for each hart */
static uint32_t taken[HARTS * STEPS];
static uint64_t sum[HARTS];

static void prepare(unsigned round)
{
    uint8_t *page = arena[round % 2];

    put(arena[1] + 256, LUI(A0, 1));
    put(arena[1] + 260, RET);
    word = (uint64_t *)(page + 64 * (round / 2 % 4));
    other = word + 1;
    for (unsigned k = 0; k <= HARTS; k++)
        word[k] = 0;
    *(uint64_t *)arena[2] = 0; /* the lock */
    for (unsigned k = 0; k < HARTS * STEPS; k++)
        taken[k] = 0;
    for (unsigned k = 0; k < HARTS; k++)
        sum[k] = 0;
}

/* What happens beside the atomics. */
static void disturb(unsigned hart, unsigned step)
{
    STORE(other[hart], step + 1);
    if (step % 64 == 0)
        call(arena[1] + 256, 0, 0, 0, 0);
}

#define AMO(insn, p, v)                                                                  \
    ({                                                                                   \
        uint64_t old_;                                                                   \
        __asm__ volatile(insn " %0, %2, (%1)" : "=r"(old_) : "r"(p), "r"(v) : "memory"); \
        old_;                                                                            \
    })

static void take(uint64_t n)
{
    if (n >= HARTS * STEPS || __atomic_fetch_add(&taken[n], 1, __ATOMIC_RELAXED))
        fail("a value came twice or from nowhere", n, 0);
}

static const char *verify_taken(uint64_t got)
{
    for (unsigned n = 0; n < HARTS * STEPS; n++)
        if (!taken[n])
            return "a value is missing";
    for (unsigned k = 0; k < HARTS; k++)
        if (other[k] != STEPS)
            return "the word beside is wrong";
    return got == HARTS * STEPS ? NULL : "the sum is wrong";
}

static void run_add(unsigned hart, unsigned round)
{
    for (unsigned n = 0; n < STEPS; n++) {
        take(round & 1 ? AMO("amoadd.d", word, 1) : AMO("amoadd.w", word, 1));
        disturb(hart, n);
    }
}

static const char *verify_add(unsigned round)
{
    (void)round;
    return verify_taken(*word);
}

/* One more by load reserved and store conditional; the old value. */
static uint64_t lrsc_w(uint64_t *p)
{
    uint64_t old, t;

    __asm__ volatile("1: lr.w %0, (%2)\n addi %1, %0, 1\n sc.w %1, %1, (%2)\n bnez %1, 1b"
                     : "=&r"(old), "=&r"(t)
                     : "r"(p)
                     : "memory");
    return old;
}

static uint64_t lrsc_d(uint64_t *p)
{
    uint64_t old, t;

    __asm__ volatile("1: lr.d.aq %0, (%2)\n addi %1, %0, 1\n sc.d.rl %1, %1, (%2)\n bnez %1, 1b"
                     : "=&r"(old), "=&r"(t)
                     : "r"(p)
                     : "memory");
    return old;
}

static void run_lrsc(unsigned hart, unsigned round)
{
    for (unsigned n = 0; n < STEPS; n++) {
        take(round & 1 ? lrsc_d(word) : lrsc_w(word));
        disturb(hart, n);
    }
}

/* A lock, and a count that it guards. */
static void run_lock(unsigned hart, unsigned round)
{
    uint64_t *lock = (uint64_t *)arena[2];

    (void)round;
    for (unsigned n = 0; n < STEPS / 8; n++) {
        uint64_t t;
        __asm__ volatile("1: lr.w.aq %0, (%1)\n bnez %0, 2f\n sc.w %0, %2, (%1)\n beqz %0, 3f\n"
                         "2: .word 0x0100000f\n j 1b\n3:"
                         : "=&r"(t)
                         : "r"(lock), "r"(1)
                         : "memory");
        for (unsigned k = 0; k < 8; k++) {
            uint64_t v = LOAD(*word);
            take(v);
            STORE(*word, v + 1);
            disturb(hart, 8 * n + k);
        }
        AMO("amoswap.w.rl", lock, 0);
    }
}

/* A ball goes round: each hart waits for its turn. */
static void run_turns(unsigned hart, unsigned round)
{
    for (unsigned n = 0; n < 16; n++) {
        uint64_t turn = n * HARTS + hart;
        for (;;) {
            uint64_t now, t;
            __asm__ volatile("lr.d.aq %0, (%1)" : "=r"(now) : "r"(word) : "memory");
            if (now != turn) {
                if (now > turn)
                    fail("the turn went past", now, turn);
                pause();
                continue;
            }
            __asm__ volatile("sc.d.rl %0, %1, (%2)" : "=r"(t) : "r"(now + 1), "r"(word) : "memory");
            if (!t)
                break;
        }
        STORE(other[(hart + round) % HARTS], n);
    }
}

static const char *verify_turns(unsigned round)
{
    (void)round;
    return *word == 16 * HARTS ? NULL : "turns are missing";
}

/* Whatever is put in comes out once: the sums agree. */
static void run_swap(unsigned hart, unsigned round)
{
    for (unsigned n = 0; n < STEPS; n++) {
        uint64_t mine = hart * STEPS + n;
        sum[hart] +=
            mine - (round & 1 ? AMO("amoswap.d", word, mine) : AMO("amoswap.w", word, mine));
        disturb(hart, n);
    }
}

static const char *verify_swap(unsigned round)
{
    (void)round;
    return sum[0] + sum[1] + sum[2] + sum[3] == *word ? NULL : "swapped values got lost";
}

/* Each hart sets, clears and flips its own bits and sees them as it left them. */
static void run_bits(unsigned hart, unsigned round)
{
    uint64_t mine = 0xfful << (8 * hart), bits = 0;

    if (round & 1)
        mine |= mine << 32;
    for (unsigned n = 0; n < STEPS; n++) {
        uint64_t v = (uint64_t)random32(hart) << 32 | random32(hart), old;
        switch (random32(hart) % 3) {
        case 0:
            old = round & 1 ? AMO("amoor.d", word, v & mine) : AMO("amoor.w", word, v & mine);
            v = bits | (v & mine);
            break;
        case 1:
            old = round & 1 ? AMO("amoand.d", word, v | ~mine) : AMO("amoand.w", word, v | ~mine);
            v = bits & v;
            break;
        default:
            old = round & 1 ? AMO("amoxor.d", word, v & mine) : AMO("amoxor.w", word, v & mine);
            v = bits ^ (v & mine);
        }
        if ((old & mine) != bits)
            fail("another hart changed my bits", old & mine, bits);
        bits = v;
        disturb(hart, n);
    }
    sum[hart] = bits;
}

static const char *verify_bits(unsigned round)
{
    uint64_t all = sum[0] | sum[1] | sum[2] | sum[3];

    return *word == (round & 1 ? all : all & 0xffffffff) ? NULL : "bits are wrong";
}

/* Signed and unsigned extremes of random numbers; a word seen never goes the wrong way. */
static void run_extremes(unsigned hart, unsigned round)
{
    int64_t max = INT64_MIN, last = INT64_MIN;

    for (unsigned n = 0; n < STEPS; n++) {
        int64_t v = (int32_t)random32(hart), old;
        switch (round / 8 % 4) {
        case 0: old = round & 1 ? AMO("amomax.d", word, v) : AMO("amomax.w", word, v); break;
        case 1:
            old = round & 1 ? AMO("amomin.d", word, v) : AMO("amomin.w", word, v);
            old = -old;
            v = -v;
            break;
        case 2:
            v = (uint32_t)v;
            old = round & 1 ? AMO("amomaxu.d", word, v) : (uint32_t)AMO("amomaxu.w", word, v);
            break;
        default:
            v = (uint32_t)v;
            old = round & 1 ? AMO("amominu.d", word, v) : (uint32_t)AMO("amominu.w", word, v);
            old = -old;
            v = -v;
        }
        if (n && old < last)
            fail("an extreme went back", old, last);
        last = old;
        max = v > max ? v : max;
        disturb(hart, n);
    }
    sum[hart] = max;
}

static void prepare_extremes(unsigned round)
{
    static const int64_t begin[] = { INT32_MIN, INT32_MAX, 0, UINT32_MAX };

    prepare(round);
    *word = begin[round / 8 % 4];
}

static const char *verify_extremes(unsigned round)
{
    int64_t max = sum[0], got = *word;
    unsigned kind = round / 8 % 4;

    for (unsigned k = 1; k < HARTS; k++)
        if ((int64_t)sum[k] > max)
            max = sum[k];
    if (!(round & 1))
        got = kind < 2 ? (int32_t)got : (int64_t)(uint32_t)got;
    return max == (kind & 1 ? -got : got) ? NULL : "the extreme is wrong";
}

/*
 * A stack of nodes, each taken by one hart at a time and put back: a node that comes back to its
 * top while another hart is between LR and SC has another one behind it now, so the SC must fail.
 */
#define NODES 6

static struct node {
    struct node *next;
    uint64_t owner;
    uint64_t pad[6];
} node[NODES] __attribute__((aligned(64)));

static void push(struct node **top, struct node *n)
{
    struct node *old;
    uint64_t t;

    __asm__ volatile("1: lr.d %0, (%2)\n sd %0, 0(%3)\n sc.d.rl %1, %3, (%2)\n bnez %1, 1b"
                     : "=&r"(old), "=&r"(t)
                     : "r"(top), "r"(n)
                     : "memory");
}

static struct node *pop(struct node **top)
{
    struct node *n, *next;
    uint64_t t;

    __asm__ volatile("1: lr.d.aq %0, (%3)\n beqz %0, 2f\n ld %1, 0(%0)\n"
                     "sc.d.rl %2, %1, (%3)\n bnez %2, 1b\n2:"
                     : "=&r"(n), "=&r"(next), "=&r"(t)
                     : "r"(top)
                     : "memory");
    return n;
}

static void prepare_stack(unsigned round)
{
    prepare(round);
    for (unsigned k = 0; k < NODES; k++) {
        node[k].owner = 0;
        node[k].next = k ? &node[k - 1] : NULL;
    }
    *word = (uintptr_t)&node[NODES - 1];
}

static void run_stack(unsigned hart, unsigned round)
{
    struct node **top = (struct node **)word, *mine[2];

    (void)round;
    for (unsigned n = 0; n < STEPS / 4; n++) {
        for (unsigned k = 0; k < 2; k++) {
            mine[k] = pop(top);
            if (mine[k] && AMO("amoswap.d", &mine[k]->owner, hart + 1))
                fail("a node was taken twice", (uintptr_t)mine[k], n);
        }
        for (unsigned k = 0; k < 2; k++) {
            if (!mine[k])
                continue;
            if (AMO("amoswap.d", &mine[k]->owner, 0) != hart + 1)
                fail("another hart took my node", (uintptr_t)mine[k], n);
            push(top, mine[k]);
        }
        if (n % 64 == 0)
            disturb(hart, n);
    }
}

static const char *verify_stack(unsigned round)
{
    unsigned n = 0;

    (void)round;
    for (const struct node *p = (const struct node *)*word; p && n <= NODES; p = p->next)
        n++;
    return n == NODES ? NULL : "nodes got lost";
}

/* Another hart's SCs put back the value that was read: the first hart's SC fails all the same. */
static void run_back(unsigned hart, unsigned round)
{
    uint64_t old, t, *turn = (uint64_t *)arena[2];

    if (hart > 1)
        return;
    for (unsigned n = 1; n <= 2; n++) { /* the first way has what both do translated */
        if (hart) {
            while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) != 2 * n - 1)
                pause();
            __asm__ volatile("1: lr.d %0, (%2)\n sc.d %1, %3, (%2)\n bnez %1, 1b\n"
                             "2: lr.d %1, (%2)\n sc.d %1, %0, (%2)\n bnez %1, 2b"
                             : "=&r"(old), "=&r"(t)
                             : "r"(word), "r"(round + 7)
                             : "memory");
            __atomic_store_n(turn, 2 * n, __ATOMIC_RELEASE);
            continue;
        }
        __asm__ volatile("lr.d %0, (%1)" : "=r"(old) : "r"(word) : "memory");
        __atomic_store_n(turn, 2 * n - 1, __ATOMIC_RELEASE);
        while (__atomic_load_n(turn, __ATOMIC_ACQUIRE) != 2 * n)
            pause();
        __asm__ volatile("sc.d %0, %1, (%2)" : "=&r"(t) : "r"(old + 1), "r"(word) : "memory");
        if (!t)
            fail("SC stored although others had", old, n);
    }
}

const struct test atomics_tests[] = {
    { "amoadd", prepare, run_add, verify_add, NULL, NULL },
    { "lr+sc", prepare, run_lrsc, verify_add, NULL, NULL },
    { "lock by lr+sc", prepare, run_lock, verify_add, NULL, NULL },
    { "stack by lr+sc", prepare_stack, run_stack, verify_stack, NULL, NULL },
    { "lr, others' sc, sc", prepare, run_back, NULL, NULL, NULL },
    { "turns by lr+sc", prepare, run_turns, verify_turns, NULL, NULL },
    { "amoswap", prepare, run_swap, verify_swap, NULL, NULL },
    { "amoor, amoand, amoxor", prepare, run_bits, verify_bits, NULL, NULL },
    { "amomax, amomin", prepare_extremes, run_extremes, verify_extremes, NULL, NULL },
    { 0 },
};
