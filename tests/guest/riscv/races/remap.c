/*
 * Virtual pages of code that are mapped to other memory (RISC-V Instruction Set Manual, volume II,
 * chapter "Supervisor-Level ISA": SFENCE.VMA, satp, Sv39).
 *
 * Each hart has a window of four pages of its own: the first leads into the second by a jump, by
 * falling through, and by calls in a loop; an instruction straddles the third and the fourth. The
 * second and the fourth are each mapped to one of two places. A fifth page is the same for all.
 */
#include "races.h"

#define WINDOW   0x100000000ul
#define SHARED   (WINDOW + 64 * PAGE)
#define BITS     0xcful /* valid, read, write, execute, accessed, dirty */
#define GLOBAL   0x20ul
#define VERSIONS 12

static _Alignas(PAGE) uint64_t root[2][512], middle[2][512], leaf[2][512];
static uint32_t version, done;

/* The arena's pages: for each hart two of entries, then all harts share the places. */
static uint8_t *entry_page(unsigned hart)
{
    return arena[hart];
}

static uint8_t *straddle_page(unsigned hart)
{
    return arena[HARTS + hart];
}

static uint8_t *second_page(unsigned which)
{
    return arena[2 * HARTS + which];
}

static uint8_t *fourth_page(unsigned which)
{
    return arena[2 * HARTS + 2 + which];
}

static uint8_t *version_page(unsigned n)
{
    return arena[2 * HARTS + 4 + n];
}

static uint64_t pte(const void *p, uint64_t bits)
{
    return (uintptr_t)p >> 12 << 10 | bits;
}

static uint64_t satp(unsigned space)
{
    return 8ul << 60 | (uint64_t)(space + 1) << 44 | (uintptr_t)root[space] >> 12;
}

static void write_satp(uint64_t v)
{
    __asm__ volatile("csrw satp, %0" : : "r"(v) : "memory");
}

#define JALR(rd, rs, n) (((uint32_t)(n) << 20) | (rs) << 15 | (rd) << 7 | 0x67u)

static void put_code(void)
{
    for (unsigned h = 0; h < HARTS; h++) {
        uint8_t *p = entry_page(h);
        put(p, JAL(ZERO, PAGE));
        put(p + 32, ADDI(A3, RA, 0));
        put(p + 36, JAL(RA, PAGE - 36));
        put(p + 40, ADD(A2, A2, A0));
        put(p + 44, ADDI(A1, A1, -1));
        put(p + 48, BNE(A1, ZERO, -12));
        put(p + 52, ADDI(A0, A2, 0));
        put(p + 56, JALR(ZERO, A3, 0));
        put(p + PAGE - 8, NOP);
        put(p + PAGE - 4, NOP);
        *(uint16_t *)(straddle_page(h) + PAGE - 2) = (uint16_t)LUI(A0, 0x10);
    }
    for (unsigned k = 0; k < 2; k++) {
        put(second_page(k), LUI(A0, k + 1));
        put(second_page(k) + 4, RET);
        *(uint16_t *)fourth_page(k) = LUI(A0, 0x10 * (k + 1)) >> 16;
        *(uint16_t *)(fourth_page(k) + 2) = (uint16_t)RET;
        *(uint16_t *)(fourth_page(k) + 4) = RET >> 16;
    }
    for (unsigned n = 0; n < VERSIONS; n++) {
        put(version_page(n), LUI(A0, n));
        put(version_page(n) + 4, RET);
    }
    remote_fence_i((1 << HARTS) - 1);
}

static void prepare(unsigned round)
{
    (void)round;
    put_code();
    for (unsigned s = 0; s < 2; s++) {
        root[s][2] = pte((void *)0x80000000ul, BITS | GLOBAL);
        root[s][4] = pte(middle[s], 1);
        middle[s][0] = pte(leaf[s], 1);
        for (unsigned h = 0; h < HARTS; h++) {
            leaf[s][8 * h] = pte(entry_page(h), BITS);
            leaf[s][8 * h + 1] = pte(second_page(s), BITS);
            leaf[s][8 * h + 2] = pte(straddle_page(h), BITS);
            leaf[s][8 * h + 3] = pte(fourth_page(s), BITS);
        }
        leaf[s][64] = pte(version_page(0), BITS);
    }
    version = done = 0;
    remote_sfence((1 << HARTS) - 1, 0, -1ul);
}

static void check_window(unsigned hart, unsigned second, unsigned fourth)
{
    const uint8_t *w = (const uint8_t *)(WINDOW + hart * 8 * PAGE);
    uint64_t got;

    got = call(w, 0, 0, 0, 0) >> 12;
    if (got != second + 1)
        fail("a jump went to a page's old place", got, second + 1);
    got = call(w + PAGE - 8, 0, 0, 0, 0) >> 12;
    if (got != second + 1)
        fail("falling through led to a page's old place", got, second + 1);
    got = call(w + 32, 0, 5, 0, 0) >> 12;
    if (got != 5 * (second + 1))
        fail("calls went to a page's old place", got, 5 * (second + 1));
    got = call(w + PAGE, 0, 0, 0, 0) >> 12;
    if (got != second + 1)
        fail("an indirect jump went to a page's old place", got, second + 1);
    got = call(w + 3 * PAGE - 2, 0, 0, 0, 0) >> 16;
    if (got != fourth + 1)
        fail("half of an instruction came from a page's old place", got, fourth + 1);
}

/* Maps the second and the fourth page elsewhere in the space in force. */
static void move(unsigned hart, unsigned space, unsigned second, unsigned fourth)
{
    uint64_t *e = &leaf[space][8 * hart];
    uint64_t va = WINDOW + hart * 8 * PAGE, asid = space + 1;

    STORE(e[1], pte(second_page(second), BITS));
    STORE(e[3], pte(fourth_page(fourth), BITS));
    switch (random32(hart) % 4) {
    case 0: __asm__ volatile("sfence.vma" : : : "memory"); break;
    case 1: __asm__ volatile("sfence.vma zero, %0" : : "r"(asid) : "memory"); break;
    case 2:
        __asm__ volatile("sfence.vma %0, zero\n sfence.vma %1, zero"
                         :
                         : "r"(va + PAGE), "r"(va + 3 * PAGE)
                         : "memory");
        break;
    default:
        __asm__ volatile("sfence.vma %0, %2\n sfence.vma %1, %2"
                         :
                         : "r"(va + PAGE), "r"(va + 3 * PAGE), "r"(asid)
                         : "memory");
    }
}

static void run_windows(unsigned hart, unsigned round)
{
    unsigned where[2][2] = { { 0, 0 }, { 1, 1 } }, space = 0;

    (void)round;
    write_satp(satp(space));
    for (unsigned n = 0; n < 40; n++) {
        if (random32(hart) & 1) {
            where[space][0] = random32(hart) & 1;
            where[space][1] = random32(hart) & 1;
            move(hart, space, where[space][0], where[space][1]);
        } else {
            space ^= 1;
            write_satp(satp(space));
        }
        check_window(hart, where[space][0], where[space][1]);
    }
    write_satp(0);
}

/* One hart moves a page for all. */
static void run_shared(unsigned hart, unsigned round)
{
    (void)round;
    write_satp(satp(0));
    for (unsigned n = 1; hart == 0 && n < VERSIONS; n++) {
        STORE(leaf[0][64], pte(version_page(n), BITS));
        fence();
        remote_sfence((1 << HARTS) - 1, SHARED, PAGE);
        __atomic_store_n(&version, n, __ATOMIC_RELEASE);
        random_delay(hart, 1024);
    }
    if (hart == 0)
        STORE(done, 1);
    while (!LOAD(done)) {
        uint32_t expected = __atomic_load_n(&version, __ATOMIC_ACQUIRE);
        uint64_t got = call((const void *)SHARED, 0, 0, 0, 0) >> 12;
        if (got < expected)
            fail("code of a page's old place was run", got, expected);
    }
    write_satp(0);
}

const struct test remap_tests[] = {
    { "remap", prepare, run_windows, NULL, NULL, NULL },
    { "remap for others", prepare, run_shared, NULL, NULL, NULL },
    { 0 },
};
