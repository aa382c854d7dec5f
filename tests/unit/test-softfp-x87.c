/*
 * The f80 format against the host's x87: results and flags under every rounding and precision
 * control, with NaNs, denormals and the encodings that the 387 and later refuse. Skipped on hosts
 * that are not x86-64.
 */
#include "fpvalues.h"
#include <inttypes.h>
#include <tcg/softfp.h>

#ifdef __x86_64__

#define CONTROL_MASKED 0x3fu
#define STATUS_FLAGS   0x3fu

/* Where operands, result, status and control words of one instruction are. */
struct x87 {
    uint8_t a[16], b[16], r[16];
    uint16_t control, status;
};

/* Runs `insn` on a fresh x87 and stores what it leaves in s->r; `store` pops it. */
#define UNDER_CONTROL(s, load, insn, store)                                                  \
    __asm__ volatile(                                                                        \
        "fninit\n\tfldcw %[c]\n\t" load "\n\t" insn "\n\t" store "\n\tfnstsw %[w]\n\tfninit" \
        : [r] "=m"((s)->r), [w] "=m"((s)->status)                                            \
        : [a] "m"((s)->a), [b] "m"((s)->b), [c] "m"((s)->control)                            \
        : "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "ax", "cc")

#define LOAD_BOTH "fldt %[b]\n\tfldt %[a]"
#define STORE_80  "fstpt %[r]"

#define HOST(name, load, insn, store)        \
    static void host_##name(struct x87 *s)   \
    {                                        \
        UNDER_CONTROL(s, load, insn, store); \
    }

#define SOFT(name, expr)                                                  \
    static fpv_u128 soft_##name(struct fp_env *e, fpv_u128 a, fpv_u128 b) \
    {                                                                     \
        (void)b;                                                          \
        return expr;                                                      \
    }

HOST(add, LOAD_BOTH, "fadd %%st(1), %%st", STORE_80)
HOST(sub, LOAD_BOTH, "fsub %%st(1), %%st", STORE_80)
HOST(mul, LOAD_BOTH, "fmul %%st(1), %%st", STORE_80)
HOST(div, LOAD_BOTH, "fdiv %%st(1), %%st", STORE_80)
HOST(sqrt, "fldt %[a]", "fsqrt", STORE_80)
HOST(rint, "fldt %[a]", "frndint", STORE_80)
HOST(rem, LOAD_BOTH, "1: fprem1\n\tfnstsw %%ax\n\ttestb $4, %%ah\n\tjnz 1b", STORE_80)
HOST(rem_trunc, LOAD_BOTH, "1: fprem\n\tfnstsw %%ax\n\ttestb $4, %%ah\n\tjnz 1b", STORE_80)
HOST(to_f32, "fldt %[a]", "", "fstps %[r]")
HOST(to_f64, "fldt %[a]", "", "fstpl %[r]")
HOST(from_f32, "flds %[a]", "", STORE_80)
HOST(from_f64, "fldl %[a]", "", STORE_80)
HOST(to_i16, "fldt %[a]", "", "fistps %[r]")
HOST(to_i32, "fldt %[a]", "", "fistpl %[r]")
HOST(to_i64, "fldt %[a]", "", "fistpll %[r]")
HOST(from_i64, "fildll %[a]", "", STORE_80)
SOFT(add, fp_f80_add(e, a, b))
SOFT(sub, fp_f80_sub(e, a, b))
SOFT(mul, fp_f80_mul(e, a, b))
SOFT(div, fp_f80_div(e, a, b))
SOFT(sqrt, fp_f80_sqrt(e, a))
SOFT(rint, fp_f80_rint(e, a, e->round, true))
SOFT(rem, fp_f80_rem(e, a, b, NULL))
SOFT(rem_trunc, fp_f80_rem_trunc(e, a, b, NULL))
SOFT(to_f32, fp_f80_to_f32(e, a))
SOFT(to_f64, fp_f80_to_f64(e, a))
SOFT(from_f32, fp_f32_to_f80(e, (uint32_t)a))
SOFT(from_f64, fp_f64_to_f80(e, (uint64_t)a))
SOFT(to_i16, (uint16_t)fp_f80_to_int(e, a, e->round, 16))
SOFT(to_i32, (uint32_t)fp_f80_to_int(e, a, e->round, 32))
SOFT(to_i64, (uint64_t)fp_f80_to_int(e, a, e->round, 64))
SOFT(from_i64, fp_f80_from_int(e, (int64_t)a))

static const struct fpv_shape shape_f32 = { 8, 23, false };
static const struct fpv_shape shape_f64 = { 11, 52, false };
static const struct fpv_shape shape_f80 = { 15, 63, true };

struct x87_op {
    const char *name;
    const struct fpv_shape *shape; /* of the operands */
    int result_bytes;
    guint step;      /* takes every so many'th case: FPREM loops for long */
    unsigned ignore; /* status bits that fp_env does not model for this instruction */
    void (*host)(struct x87 *s);
    fpv_u128 (*soft)(struct fp_env *e, fpv_u128 a, fpv_u128 b);
};

/*
 * FRNDINT raises it, SSE4.1's ROUND does not; FST does not, SSE2's conversions do; the partial
 * remainders of FPREM may be denormal where the final operation's operands are not.
 */
#define STATUS_DENORMAL 2u
#define OP(name, shape, bytes, ignore)                           \
    {                                                            \
#name, shape, bytes, 1, ignore, host_##name, soft_##name \
    }
#define OP_SLOW(name)                                                        \
    {                                                                        \
#name, &shape_f80, 10, 13, STATUS_DENORMAL, host_##name, soft_##name \
    }

static const struct x87_op ops[] = {
    OP(add, &shape_f80, 10, 0),
    OP(sub, &shape_f80, 10, 0),
    OP(mul, &shape_f80, 10, 0),
    OP(div, &shape_f80, 10, 0),
    OP(sqrt, &shape_f80, 10, 0),
    OP(rint, &shape_f80, 10, STATUS_DENORMAL),
    OP_SLOW(rem),
    OP_SLOW(rem_trunc),
    OP(to_f32, &shape_f80, 4, STATUS_DENORMAL),
    OP(to_f64, &shape_f80, 8, STATUS_DENORMAL),
    OP(from_f32, &shape_f32, 10, 0),
    OP(from_f64, &shape_f64, 10, 0),
    OP(to_i16, &shape_f80, 2, 0),
    OP(to_i32, &shape_f80, 4, 0),
    OP(to_i64, &shape_f80, 8, 0),
    OP(from_i64, &shape_f64, 10, 0),
};

static unsigned status_flags(uint8_t flags)
{
    static const uint8_t order[6] = { FP_FLAG_NV, FP_FLAG_DE, FP_FLAG_DZ,
                                      FP_FLAG_OF, FP_FLAG_UF, FP_FLAG_NX };
    unsigned status = 0;

    for (int i = 0; i < 6; i++) {
        status |= flags & order[i] ? 1u << i : 0;
    }
    return status;
}

static void check(const struct x87_op *op, unsigned mode, fpv_u128 a, fpv_u128 b)
{
    static const uint8_t rounds[4] = { FP_RNE, FP_RDN, FP_RUP, FP_RTZ };
    static const uint8_t precisions[3] = { 0, 53, 24 };
    static const uint16_t controls[3] = { 3 << 8, 2 << 8, 0 << 8 };
    struct fp_env env = { .round = rounds[mode % 4],
                          .f80_precision = precisions[mode / 4 % 3],
                          .nan = FP_NAN_X87,
                          .toint = FP_TOINT_X86,
                          .default_nan_sign = true };
    struct x87 s = { .control = CONTROL_MASKED | controls[mode / 4 % 3] | (mode % 4) << 10 };
    fpv_u128 got, want = 0;
    unsigned keep = STATUS_FLAGS & ~op->ignore;

    memcpy(s.a, &a, sizeof(s.a));
    memcpy(s.b, &b, sizeof(s.b));
    op->host(&s);
    memcpy(&want, s.r, (size_t)op->result_bytes);
    got = op->soft(&env, a, b);
    if (got != want || (status_flags(env.flags) & keep) != (s.status & keep)) {
        g_test_message("%s(%04x:%016" PRIx64 ", %04x:%016" PRIx64
                       ") control %#x: got %04x:%016" PRIx64 " flags %#x, host %04x:%016" PRIx64
                       " flags %#x",
                       op->name, (unsigned)(a >> 64), (uint64_t)a, (unsigned)(b >> 64), (uint64_t)b,
                       s.control, (unsigned)(got >> 64), (uint64_t)got, status_flags(env.flags),
                       (unsigned)(want >> 64), (uint64_t)want, s.status & STATUS_FLAGS);
        g_test_fail();
    }
}

/* Encodings that only this format has: the integer bit does not agree with the exponent. */
static void add_odd_encodings(GArray *a)
{
    static const uint16_t exps[] = { 0, 1, 0x3fff, 0x7ffe, 0x7fff };
    static const uint64_t sigs[] = { 0, 1, 1ull << 62, UINT64_MAX >> 1 };

    for (size_t i = 0; i < G_N_ELEMENTS(exps); i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(sigs); k++) {
            fpv_u128 v = (fpv_u128)exps[i] << 64 | sigs[k] | (exps[i] ? 0 : 1ull << 63);

            g_array_append_val(a, v);
        }
    }
}

static void test_op(const void *data)
{
    const struct x87_op *op = data;
    GArray *special = fpv_special(op->shape);
    GRand *rand = fpv_rand_new();

    if (op->shape == &shape_f80) {
        add_odd_encodings(special);
    }
    for (guint i = 0; i < special->len * special->len && !g_test_failed(); i += op->step) {
        check(op, (unsigned)g_rand_int(rand), g_array_index(special, fpv_u128, i / special->len),
              g_array_index(special, fpv_u128, i % special->len));
    }
    for (guint i = 0; i < 24000 && !g_test_failed(); i += op->step) {
        fpv_u128 a = fpv_random(op->shape, rand, special);

        check(op, i, a, fpv_random(op->shape, rand, special));
    }
    g_rand_free(rand);
    g_array_unref(special);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(ops); i++) {
        char *path = g_strdup_printf("/softfp/x87/%s", ops[i].name);

        g_test_add_data_func(path, &ops[i], test_op);
        g_free(path);
    }
    return g_test_run();
}

#else

static void test_skip(void)
{
    g_test_skip("the host is not x86-64");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/softfp/x87", test_skip);
    return g_test_run();
}

#endif
