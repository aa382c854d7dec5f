/*
 * Data accesses of 64-bit code at addresses that are not canonical raise #SS where the stack is
 * accessed, or RSP or RBP is the base (Intel volume 1, 3.7.5), else #GP; what begins below the hole
 * and ends in it does so too, whatever is mapped. Interpreter, host backend and the host's CPU must
 * agree.
 */
#include "fpvalues.h"
#include "x86run.h"

#define HOLE UINT64_C(0x0000800000000000)
#define TOP  UINT64_C(0xffff7fffffffffff)
#define SP   (1 << R_SP)
#define BP   (1 << R_BP)
#define BX   (1 << R_BX)
#define R13  (1 << 13)
#define R12  (1 << 12)
#define DI   (1 << R_DI)
#define SI   (1 << R_SI)

struct row {
    const char *text;
    uint8_t code[12], len;
    uint16_t bad;   /* registers that hold the address */
    uint8_t vector; /* when all of it is not canonical */
    uint8_t bytes;  /* that it accesses from there on; 0: below */
};

static const struct row rows[] = {
    { "mov (%rbx), %rax", { 0x48, 0x8b, 0x03 }, 3, BX, EXC_GP, 8 },
    { "mov %al, (%rbx)", { 0x88, 0x03 }, 2, BX, EXC_GP, 1 },
    { "mov (%rbp), %rax", { 0x48, 0x8b, 0x45, 0x00 }, 4, BP, EXC_SS, 8 },
    { "mov %rax, (%rbp)", { 0x48, 0x89, 0x45, 0x00 }, 4, BP, EXC_SS, 8 },
    { "mov (%rsp), %eax", { 0x8b, 0x04, 0x24 }, 3, SP, EXC_SS, 4 },
    { "mov %ax, (%rsp)", { 0x66, 0x89, 0x04, 0x24 }, 4, SP, EXC_SS, 2 },
    { "mov (%r13), %rax", { 0x49, 0x8b, 0x45, 0x00 }, 4, R13, EXC_GP, 8 },
    { "mov (%r12), %rax", { 0x49, 0x8b, 0x04, 0x24 }, 4, R12, EXC_GP, 8 },
    { "mov (,%rbp,1), %rax", { 0x48, 0x8b, 0x04, 0x2d, 0, 0, 0, 0 }, 8, BP, EXC_GP, 8 },
    { "ds: mov (%rbp), %rax", { 0x3e, 0x48, 0x8b, 0x45, 0x00 }, 5, BP, EXC_SS, 8 },
    { "ss: mov (%rbx), %rax", { 0x36, 0x48, 0x8b, 0x03 }, 4, BX, EXC_GP, 8 },
    { "fs: mov (%rbp), %rax", { 0x64, 0x48, 0x8b, 0x45, 0x00 }, 5, BP, EXC_GP, 0 },
    { "add %rax, (%rbp)", { 0x48, 0x01, 0x45, 0x00 }, 4, BP, EXC_SS, 8 },
    { "lock add %rax, (%rbp)", { 0xf0, 0x48, 0x01, 0x45, 0x00 }, 5, BP, EXC_SS, 8 },
    { "lock add %rax, (%rbx)", { 0xf0, 0x48, 0x01, 0x03 }, 4, BX, EXC_GP, 8 },
    { "cmpxchg %rcx, (%rbp)", { 0x48, 0x0f, 0xb1, 0x4d, 0x00 }, 5, BP, EXC_SS, 8 },
    { "movups (%rbp), %xmm0", { 0x0f, 0x10, 0x45, 0x00 }, 4, BP, EXC_SS, 16 },
    { "movups %xmm0, (%rbx)", { 0x0f, 0x11, 0x03 }, 3, BX, EXC_GP, 16 },
    { "movups %xmm0, (%rsp)", { 0x0f, 0x11, 0x04, 0x24 }, 4, SP, EXC_SS, 16 },
    { "fld (%rbp)", { 0xdd, 0x45, 0x00 }, 3, BP, EXC_SS, 8 },
    { "push %rax", { 0x50 }, 1, SP, EXC_SS, 0 },
    { "push $5", { 0x6a, 0x05 }, 2, SP, EXC_SS, 0 },
    { "push (%rbx)", { 0xff, 0x33 }, 2, SP, EXC_SS, 0 },
    { "push (%rbx), which is bad", { 0xff, 0x33 }, 2, BX, EXC_GP, 8 },
    { "push (%rbp), which is bad", { 0xff, 0x75, 0x00 }, 3, BP, EXC_SS, 8 },
    { "pop %rax", { 0x58 }, 1, SP, EXC_SS, 8 },
    { "pop (%rbx)", { 0x8f, 0x03 }, 2, SP, EXC_SS, 8 },
    { "pop (%rbx), which is bad", { 0x8f, 0x03 }, 2, BX, EXC_GP, 8 },
    { "pop (%rbp), which is bad", { 0x8f, 0x45, 0x00 }, 3, BP, EXC_SS, 8 },
    { "pushf", { 0x9c }, 1, SP, EXC_SS, 0 },
    { "call", { 0xe8, 0, 0, 0, 0 }, 5, SP, EXC_SS, 0 },
    { "call *(%rbx)", { 0xff, 0x13 }, 2, SP, EXC_SS, 0 },
    { "call *(%rbx), which is bad", { 0xff, 0x13 }, 2, BX, EXC_GP, 8 },
    { "jmp *(%rbp)", { 0xff, 0x65, 0x00 }, 3, BP, EXC_SS, 8 },
    { "ret", { 0xc3 }, 1, SP, EXC_SS, 8 },
    { "leave", { 0xc9 }, 1, BP, EXC_SS, 8 },
    { "enter", { 0xc8, 0, 0, 0 }, 4, SP, EXC_SS, 0 },
    { "lods", { 0x48, 0xad }, 2, SI, EXC_GP, 8 },
    { "ss: lods", { 0x36, 0x48, 0xad }, 3, SI, EXC_GP, 8 },
    { "stos", { 0x48, 0xab }, 2, DI, EXC_GP, 8 },
    { "movs", { 0x48, 0xa5 }, 2, DI, EXC_GP, 8 },
};

/* Registers in @k->bad are @at, all others lead to memory. */
static void run(struct x86run *r, const struct row *k, GRand *rand, uint64_t at, int vector)
{
    g_autofree char *what = NULL;

    x86run_randomize(r, rand);
    for (unsigned n = 0; n < 16; n++)
        r->cpu->cpu.tcg.hot[n] = k->bad >> n & 1 ? at : X86RUN_RAM + 0x1000 + 64 * n;
    r->cpu->eflags &= ~(uint64_t)FLAG_DF;
    x86run_set_code(r, k->code, k->len);
    what = x86run_run(r);
    if (!what && r->vector != vector)
        what = g_strdup_printf("vector %d where %d was expected, at 0x%" G_GINT64_MODIFIER "x",
                               r->vector, vector, at);
    if (!what && x86run_has_host(r->mode))
        what = x86run_host(r, 0);
    if (what)
        x86run_report(r, k->text, what);
}

static void test_rows(void)
{
    struct x86run *r = x86run_new("x86_64", "max", X86RUN_64);
    GRand *rand = fpv_rand_new();

    for (unsigned n = 0; n < G_N_ELEMENTS(rows) && !g_test_failed(); n++) {
        const struct row *k = &rows[n];

        run(r, k, rand, HOLE + 0x1000, k->vector);
        run(r, k, rand, UINT64_C(0x5000000000000000), k->vector);
        run(r, k, rand, TOP - 0x1000, k->vector);
        for (unsigned below = 1; below < k->bytes; below++)
            run(r, k, rand, HOLE - below, k->vector);
        if (k->bytes > 1)
            run(r, k, rand, TOP, k->vector);
        if (k->bytes)
            run(r, k, rand, HOLE - k->bytes, EXC_PF);
    }
    g_test_message("%u runs on the host, too", (unsigned)r->compared);
    g_rand_free(rand);
    x86run_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/x86/canonical", test_rows);
    return g_test_run();
}
