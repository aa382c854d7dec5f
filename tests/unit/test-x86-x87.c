/*
 * x87 operations in integer arithmetic against the host's x87: results, exceptions and condition
 * codes under any control word, unmasked exceptions included; of transcendental functions the
 * results may differ in the last place. Skipped on hosts that are not x86-64.
 */
#include <inttypes.h>
#include "fpvalues.h"
#include "target/x86/x87.h"

#ifdef __x86_64__

static const struct fpv_shape f80_shape = { 15, 63, true }, f64_shape = { 11, 52, false },
                              f32_shape = { 8, 23, false };

static const struct row {
    const char *name;
    enum x87_op op;
    bool two;   /* has a second result */
    bool loose; /* the last place may differ */
    bool near1; /* arguments are of moderate size */
} rows[] = {
    { "add", X87_ADD, false, false, false },       { "mul", X87_MUL, false, false, false },
    { "com", X87_COM, false, false, false },       { "sub", X87_SUB, false, false, false },
    { "subr", X87_SUBR, false, false, false },     { "div", X87_DIV, false, false, false },
    { "divr", X87_DIVR, false, false, false },     { "ucom", X87_UCOM, false, false, false },
    { "tst", X87_TST, false, false, false },       { "xam", X87_XAM, false, false, false },
    { "sqrt", X87_SQRT, false, false, false },     { "rndint", X87_RNDINT, false, false, true },
    { "scale", X87_SCALE, false, false, false },   { "prem", X87_PREM, false, false, true },
    { "prem1", X87_PREM1, false, false, true },    { "xtract", X87_XTRACT, true, false, false },
    { "ld-f32", X87_LD_F32, false, false, false }, { "ld-f64", X87_LD_F64, false, false, false },
    { "st-f32", X87_ST_F32, false, false, false }, { "st-f64", X87_ST_F64, false, false, false },
    { "st-i16", X87_ST_I16, false, false, true },  { "st-i32", X87_ST_I32, false, false, true },
    { "st-i64", X87_ST_I64, false, false, true },  { "tt-i16", X87_TT_I16, false, false, true },
    { "tt-i32", X87_TT_I32, false, false, true },  { "tt-i64", X87_TT_I64, false, false, true },
    { "st-bcd", X87_ST_BCD, false, false, true },  { "f2xm1", X87_F2XM1, false, true, true },
    { "sin", X87_SIN, false, true, true },         { "cos", X87_COS, false, true, true },
    { "sincos", X87_SINCOS, true, true, true },    { "tan", X87_PTAN, true, true, true },
    { "atan", X87_PATAN, false, true, true },      { "yl2x", X87_YL2X, false, true, true },
    { "yl2xp1", X87_YL2XP1, false, true, true },
};

static struct x86_f80 random_f80(GRand *rand, GArray *special, bool near1)
{
    fpv_u128 v = fpv_random(&f80_shape, rand, special);
    struct x86_f80 r = { (uint64_t)v, (uint16_t)(v >> 64) };

    if (near1 && g_rand_int_range(rand, 0, 4))
        r = (struct x86_f80){ r.lo | 1ull << 63,
                              (r.hi & 0x8000) | (0x3fff + g_rand_int_range(rand, -20, 66)) };
    return r;
}

/* Whether the values are the same, or neighbours. */
static bool close_to(struct x86_f80 a, struct x86_f80 b, bool loose)
{
    fpv_u128 x = (fpv_u128)a.hi << 63 | (a.lo & INT64_MAX),
             y = (fpv_u128)b.hi << 63 | (b.lo & INT64_MAX);

    if (a.hi == b.hi && a.lo == b.lo)
        return true;
    return loose && (x > y ? x - y : y - x) <= 1;
}

static bool is_zero(struct x86_f80 v)
{
    return !(v.hi & 0x7fff) && !v.lo;
}

/* f2xm1 and yl2xp1 are defined for small arguments only. */
static bool defined(const struct row *row, const struct x87_io *io)
{
    int exp = io->a.hi & 0x7fff;

    /* Processors have their own ideas of scaling beyond all numbers. */
    if (row->op == X87_SCALE)
        return (io->b.hi & 0x7fff) < 0x3fff + 14;
    if (row->op == X87_F2XM1 || row->op == X87_YL2XP1)
        return exp < 0x3fff - 1 && exp > 0x3fff - 60;
    return !row->loose || (exp < 0x3fff + 20 && exp > 0x3fff - 60) || is_zero(io->a);
}

static bool is_circular(enum x87_op op)
{
    return op == X87_SIN || op == X87_COS || op == X87_SINCOS || op == X87_PTAN;
}

static void check(const struct row *row, unsigned kind, const struct x87_io *in)
{
    struct x87_io soft = *in, host = *in;
    uint16_t mask =
        X87_EXC | (row->op == X87_COM || row->op == X87_UCOM || row->op == X87_TST ||
                           row->op == X87_XAM || row->op == X87_PREM || row->op == X87_PREM1
                       ? X87_CC
                       : X87_C1);
    bool failed, same;

    if (!defined(row, in))
        return;
    if (row->loose)
        mask = X87_IE | X87_ZE | (is_circular(row->op) ? X87_C2 : 0);
    x87_soft_run(row->op + kind, &soft);
    x87_host_run(row->op + kind, &host);
    failed = host.sw & ~in->cw &
             (row->op == X87_ST_F32 || row->op == X87_ST_F64 ? X87_EXC & ~X87_PE
                                                             : X87_IE | X87_DE | X87_ZE);
    /* How much of a remainder is left is the processor's choice; without one there is no quotient.
     */
    if ((row->op == X87_PREM || row->op == X87_PREM1)) {
        if (host.sw & X87_C2 && soft.sw & X87_C2)
            return;
        if ((host.r.hi & 0x7fff) == 0x7fff)
            mask &= ~X87_CC;
    }
    if (failed)
        mask &= row->op == X87_PREM || row->op == X87_PREM1 ? X87_EXC : ~X87_C1;
    same = ((soft.sw ^ host.sw) & mask) == 0;
    if (!failed && !(row->op <= X87_XAM && mask & X87_C0))
        same = same && close_to(soft.r, host.r, row->loose) &&
               (!row->two || soft.sw & X87_C2 || close_to(soft.r2, host.r2, row->loose));
    if (same)
        return;
    g_test_message("%s %u of %04x:%016" PRIx64 ", %04x:%016" PRIx64 ", %016" PRIx64
                   " under %#x: %04x:%016" PRIx64 " status %#x, host %04x:%016" PRIx64
                   " status %#x",
                   row->name, kind, in->a.hi, in->a.lo, in->b.hi, in->b.lo, in->mem, in->cw,
                   soft.r.hi, soft.r.lo, soft.sw & mask, host.r.hi, host.r.lo, host.sw & mask);
    g_test_fail();
}

static void test_op(const void *opaque)
{
    const struct row *row = opaque;
    GArray *special = fpv_special(&f80_shape), *special64 = fpv_special(&f64_shape),
           *special32 = fpv_special(&f32_shape);
    GRand *rand = fpv_rand_new();
    unsigned kinds = row->op <= X87_DIVR ? X87_KINDS : 1;

    for (unsigned n = 0; n < 6000 && !g_test_failed(); n++) {
        unsigned kind = n % kinds;
        struct x87_io io = { .cw = 0x7f | g_rand_int_range(rand, 0, 4) << 10,
                             .a = random_f80(rand, special, row->near1),
                             .b = random_f80(rand, special, row->near1) };

        io.cw |= (uint16_t[]){ 0, 2, 3, 3 }[n & 3] << 8;
        if (!row->loose && !g_rand_int_range(rand, 0, 4))
            io.cw &= ~(g_rand_int(rand) & 0x3f);
        if (kind == X87_F32 || row->op == X87_LD_F32)
            io.mem = (uint32_t)fpv_random(&f32_shape, rand, special32);
        else if (kind == X87_F64 || row->op == X87_LD_F64)
            io.mem = (uint64_t)fpv_random(&f64_shape, rand, special64);
        else
            io.mem = g_rand_int(rand) >> g_rand_int_range(rand, 0, 32);
        check(row, kind, &io);
    }
    g_rand_free(rand);
    g_array_unref(special);
    g_array_unref(special64);
    g_array_unref(special32);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strdup_printf("/x86/x87/%s", rows[i].name);

        g_test_add_data_func(path, &rows[i], test_op);
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
    g_test_add_func("/x86/x87", test_skip);
    return g_test_run();
}

#endif
