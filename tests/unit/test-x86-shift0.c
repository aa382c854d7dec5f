/*
 * Shifts and rotates by 0 change no flag, be the count in the instruction, in CL as this code put
 * it there, or in CL from before. Interpreter, host backend and, where it can, the host's CPU must
 * agree on all of EFLAGS.
 */
#include "fpvalues.h"
#include "x86run.h"

enum count { COUNT_IMMEDIATE, COUNT_KNOWN, COUNT_UNKNOWN, NB_COUNTS };

/* ROL, ROR, RCL, RCR, SHL, SHR, SHL again, SAR of 1, 2, 4 or 8 bytes of EDX by 0. */
static unsigned shift_by_0(uint8_t *code, unsigned which, unsigned log2size, enum count count)
{
    static const uint8_t opcode[NB_COUNTS] = { 0xc0, 0xd2, 0xd2 };
    unsigned len = 0;

    if (count == COUNT_KNOWN) {
        code[len++] = 0xb1; /* MOV CL, 64: some bits of that count are not looked at */
        code[len++] = 64;
    }
    if (log2size == 1)
        code[len++] = 0x66;
    if (log2size == 3)
        code[len++] = 0x48;
    code[len++] = opcode[count] | (log2size ? 1 : 0);
    code[len++] = 0xc0 | which << 3 | R_DX;
    if (count == COUNT_IMMEDIATE)
        code[len++] = 0;
    return len;
}

static void check(struct x86run *r, GRand *rand, const uint8_t *code, unsigned len)
{
    g_autofree char *what = NULL;

    x86run_randomize(r, rand);
    r->cpu->cpu.tcg.hot[R_CX] &= ~UINT64_C(0x3f);
    x86run_set_code(r, code, len);
    what = x86run_run(r);
    if (!what && x86run_has_host(r->mode))
        what = x86run_host(r, 0);
    if (what)
        x86run_report(r, "shift by 0", what);
}

static void test_shifts(const void *opaque)
{
    struct x86run *r = x86run_new("x86_64", "max", GPOINTER_TO_INT(opaque));
    unsigned largest = r->mode == X86RUN_64 ? 3 : 2;
    GRand *rand = fpv_rand_new();

    for (unsigned which = 0; which < 8; which++)
        for (unsigned log2size = 0; log2size <= largest; log2size++)
            for (unsigned count = 0; count < NB_COUNTS; count++)
                for (unsigned n = 0; n < 8 && !g_test_failed(); n++) {
                    uint8_t code[16];
                    check(r, rand, code, shift_by_0(code, which, log2size, count));
                }
    g_rand_free(rand);
    x86run_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/x86/shift0/64", GINT_TO_POINTER(X86RUN_64), test_shifts);
    g_test_add_data_func("/x86/shift0/32", GINT_TO_POINTER(X86RUN_32), test_shifts);
    return g_test_run();
}
