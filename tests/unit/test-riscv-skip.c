/*
 * Short branches forward become conditional instructions within a unit: random code full of them
 * leaves the registers that its instructions leave one by one.
 */
#include "fpvalues.h"
#include "rvrun.h"

#define LENGTH 12

static uint32_t reg(GRand *rand)
{
    return g_rand_int_range(rand, 5, 13);
}

/* beq, bne, blt, bge, bltu, bgeu over 4 to 16 bytes */
static uint32_t branch(GRand *rand)
{
    static const uint8_t funct3[] = { 0, 1, 4, 5, 6, 7 };
    uint32_t over = 4 * g_rand_int_range(rand, 1, 5) + 4;

    return 0x63 | funct3[g_rand_int_range(rand, 0, 6)] << 12 | reg(rand) << 15 | reg(rand) << 20 |
           (over >> 1 & 15) << 8 | (over >> 5 & 63) << 25;
}

static uint32_t instruction(GRand *rand)
{
    static const uint32_t ops[] = {
        0x33,   0x40000033, 0x4033,     0x6033,
        0x7033, 0x3033,     0x02000033, /* add sub xor or and sltu mul */
    };
    uint32_t rd = reg(rand) << 7, rs1 = reg(rand) << 15, rs2 = reg(rand) << 20;

    switch (g_rand_int_range(rand, 0, 8)) {
    case 0:
    case 1:
    case 2: return branch(rand);
    case 3: return 0x13 | rd | (uint32_t)g_rand_int(rand) << 20;       /* li */
    case 4: return 0x13 | rd | rs1 | (uint32_t)g_rand_int(rand) << 20; /* addi */
    case 5: return 0x3003 | rd | 2 << 15 | 8u << 20;                   /* ld rd, 8(sp) */
    default: return ops[g_rand_int_range(rand, 0, G_N_ELEMENTS(ops))] | rd | rs1 | rs2;
    }
}

static void run(struct rvrun *r, const uint32_t *code, unsigned n)
{
    g_autofree char *what = NULL;

    r->cpu->cpu.tcg.pc = RVRUN_PC;
    rvrun_set_code(r, code, n * sizeof(*code));
    what = rvrun_run(r);
    if (what)
        g_error("%s", what);
}

/* Steps from the state @x to the instruction at @end; the registers go to @x. */
static void step(struct rvrun *r, const uint32_t *code, uint64_t *x, uint64_t end)
{
    uint64_t pc = RVRUN_PC;

    while (pc < end) {
        memcpy(r->cpu->cpu.tcg.hot, x, 32 * sizeof(*x));
        run(r, &code[(pc - RVRUN_PC) / 4], 1);
        memcpy(x, r->cpu->cpu.tcg.hot, 32 * sizeof(*x));
        pc += r->cpu->cpu.tcg.pc - RVRUN_PC;
    }
    g_assert_cmphex(pc, ==, end);
}

static void test_skip(void)
{
    struct rvrun *r = rvrun_new("riscv64", "rv64");
    GRand *rand = fpv_rand_new();

    for (unsigned n = 0; n < rvrun_count(3000); n++) {
        uint32_t code[LENGTH];
        uint64_t x[32], whole[32], end;

        for (unsigned k = 0; k < LENGTH; k++)
            code[k] = instruction(rand);
        rvrun_randomize(r, rand);
        r->cpu->cpu.tcg.hot[2] = RVRUN_RAM + 64;
        for (unsigned k = 5; k < 9; k++) /* so that equal ones meet */
            r->cpu->cpu.tcg.hot[k] = g_rand_int_range(rand, -2, 3);
        memcpy(x, r->cpu->cpu.tcg.hot, sizeof(x));
        run(r, code, LENGTH);
        memcpy(whole, r->cpu->cpu.tcg.hot, sizeof(whole));
        end = r->cpu->cpu.tcg.pc;
        step(r, code, x, end);
        for (unsigned k = 1; k < 32; k++)
            g_assert_cmphex(whole[k], ==, x[k]);
    }
    g_rand_free(rand);
    rvrun_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/riscv/skip", test_skip);
    return g_test_run();
}
