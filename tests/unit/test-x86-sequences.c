/*
 * Random sequences of x86 integer instructions: flags that one leaves and another uses, registers
 * written in parts, memory accesses that share a check, faults in the middle. And of x87
 * instructions, among which the state is looked at, changed or aliased (FXSAVE, FLDENV, FLDCW,
 * MMX): generated code holds it in the host's registers meanwhile. Interpreter, host backend and,
 * where it can, the host's CPU must agree. MYNA_COUNT: sequences a mode.
 */
#include "fpvalues.h"
#include "target/x86/x87.h"
#include "x86run.h"

static const char *const mode_names[] = { "64", "32", "16", "real" };

static const struct x86_form int_forms[] = {
#define X86(encoding, name, operands, handler, arg, flags, feature, undefined) \
    { encoding, name, operands, x86_tr_##handler, arg, flags, FEAT_##feature, undefined },
#include "target/x86/int.def"
#undef X86
};

/*
 * Instructions whose results are all defined and do not depend on what is not: AF, which logic and
 * shifts leave undefined, is seen by few. Jumps end sequences early, so there are fewer of them,
 * and none that could lead into the middle of an instruction.
 */
static bool fits(const struct x86_form *f, GRand *rand)
{
    if (f->undefined & ~U_AF || f->flags & X_NOHOST || !x86run_host_has(f->feature))
        return false;
    if (f->handler == x86_tr_lahf || f->handler == x86_tr_bcd || f->handler == x86_tr_string ||
        f->handler == x86_tr_popa || f->handler == x86_tr_ud || f->handler == x86_tr_call_ind ||
        f->handler == x86_tr_jmp_ind || f->handler == x86_tr_ret)
        return false;
    return !strchr(f->operands, 'J') || !g_rand_int_range(rand, 0, 8);
}

static bool is_x87(const struct x86_form *f)
{
    return f->encoding[0] == 'D' && (f->encoding[1] == '8' || f->encoding[1] >= '9') &&
           (f->feature == FEAT_FPU || f->feature == FEAT_CMOV || f->feature == FEAT_SSE3);
}

static bool is_mmx(const struct x86_form *f)
{
    return strpbrk(f->operands, "PQN") || f->handler == x86_tr_mmx_empty;
}

/* Images hold the last instruction's address, which not every host tells. */
static bool is_image(const struct x86_form *f)
{
    return f->handler == x86_tr_x87_env || f->handler == x86_tr_fxsave;
}

/* Mostly x87; some integer instructions change the flags and addresses. */
static bool fits_x87(const struct x86_form *f, GRand *rand)
{
    if (is_x87(f))
        return !is_image(f) || !g_rand_int_range(rand, 0, 3);
    if (is_image(f) || is_mmx(f))
        return !g_rand_int_range(rand, 0, 12);
    return f < x86_forms + G_N_ELEMENTS(int_forms) && fits(f, rand) &&
           !g_rand_int_range(rand, 0, 10);
}

static unsigned append(struct x86run *r, GRand *rand, bool x87, bool *on_host, uint8_t *code)
{
    for (;;) {
        unsigned k = g_rand_int_range(rand, 0, x87 ? x86_nforms : G_N_ELEMENTS(int_forms));
        const struct x86_form *f = &x86_forms[k];
        uint8_t bytes[32];
        unsigned len =
            (x87 ? fits_x87(f, rand) : fits(f, rand)) ? x86run_encode(r, f, rand, bytes) : 0;

        /* The segment GS is the test's own on the host in 32-bit code; for CS see test-x86-forms.
         */
        if (!len || (r->mode == X86RUN_32 && (bytes[0] == 0x65 || bytes[1] == 0x65)) ||
            (r->mode == X86RUN_16 && memchr(bytes, 0x2e, 4)))
            continue;
        *on_host &= !(f->flags & X_NOHOST) && !is_image(f) && x86run_host_has(f->feature);
        memcpy(code, bytes, len);
        return len;
    }
}

/* MOV and FLDCW of a control word that masks all exceptions: one out of random memory hardly does.
 */
static unsigned append_control(struct x86run *r, GRand *rand, uint8_t *code)
{
    uint16_t cw = X87_CW_INIT & ~0x300;
    uint32_t at = X86RUN_RAM + 64;
    unsigned n = 0;

    cw |= g_rand_int_range(rand, 0, 4) << 10 | (uint16_t[]){ 0, 2, 3 }[g_rand_int_range(rand, 0, 3)]
                                                   << 8;
    for (unsigned is_load = 0; is_load < 2; is_load++) {
        static const uint8_t op[2][3] = { { 0x66, 0xc7, 0 << 3 }, { 0xd9, 5 << 3 } };

        memcpy(code + n, op[is_load], 3 - is_load);
        n += 3 - is_load;
        code[n - 1] |= r->mode == X86RUN_64 ? 4 : 5;
        if (r->mode == X86RUN_64)
            code[n++] = 0x25;
        memcpy(code + n, &at, 4);
        n += 4;
        if (!is_load)
            code[n++] = cw & 0xff, code[n++] = cw >> 8;
    }
    return n;
}

static bool test_once(struct x86run *r, GRand *rand, bool x87)
{
    unsigned len = 0, count = g_rand_int_range(rand, 2, 13), start[13], end[13];
    uint8_t code[512 + 32] = { 0 };
    g_autofree char *what = NULL;
    bool on_host = x86run_has_host(r->mode);

    for (unsigned k = 0; k < count; k++) {
        if (x87 && r->mode <= X86RUN_32 && !g_rand_int_range(rand, 0, 8))
            len += append_control(r, rand, code + len);
        start[k] = len;
        end[k] = len += append(r, rand, x87, &on_host, code + len);
    }
    for (unsigned k = 0; k < count; k++) {
        int32_t rel = end[g_rand_int_range(rand, k, count)] - end[k];
        x86run_aim(r, code + start[k], rel < 128 ? rel : 0);
    }
    x86run_randomize(r, rand);
    x86run_set_code(r, code, len);
    /* Of large operands in 16-bit segments one part may be beyond the limit, another not there. */
    r->any_fault = x87 && r->mode == X86RUN_16;
    what = x86run_run(r);
    if (!what && on_host)
        what = x86run_host(r, U_AF);
    if (!what)
        return true;
    x86run_report(r, "sequence", what);
    return false;
}

enum { OF_X87 = 4 }; /* beside the mode */

static void test_mode(const void *opaque)
{
    enum x86run_mode mode = GPOINTER_TO_INT(opaque) & 3;
    bool x87 = GPOINTER_TO_INT(opaque) & OF_X87;
    struct x86run *r = x86run_new("x86_64", "max", mode);
    GRand *rand = fpv_rand_new();
    unsigned failures = 0;

    for (uint64_t n = x86run_count(2000); n && failures < 5; n--)
        failures += !test_once(r, rand, x87);
    g_test_message("%" G_GUINT64_FORMAT " sequences compared with the host", r->compared);
    g_rand_free(rand);
    x86run_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (int mode = X86RUN_64; mode <= X86RUN_REAL; mode++) {
        g_autofree char *path = g_strdup_printf("/x86/sequences/%s", mode_names[mode]);
        g_autofree char *x87 = g_strdup_printf("/x86/sequences/x87-%s", mode_names[mode]);
        g_test_add_data_func(path, GINT_TO_POINTER(mode), test_mode);
        g_test_add_data_func(x87, GINT_TO_POINTER(mode | OF_X87), test_mode);
    }
    return g_test_run();
}
