/*
 * Each floating-point operation on every backend against the interpreter (whose arithmetic is
 * tested against MPFR elsewhere): special values with each other, random ones, all roundings;
 * results and flags. $MYNA_SEED repeats a run.
 */
#include <string.h>
#include <tcg/opt.h>
#include "fpvalues.h"
#include "irmachine.h"

#define MAX_INSNS 50
#define RANDOMS   1500

/* An operation with its variant; operands in f0 to f2 or h0, result in f3 or x0. */
struct form {
    enum ir_op op;
    enum ir_type type; /* of the float operands; I2F: of the result */
    unsigned cond;
    enum ir_type other; /* F2I: of the result; I2F: of the operand */
};

static ir_val operand(struct ir *ir, const struct form *f, unsigned n)
{
    ir_val v = ir_get(ir, IRM_F + n);

    return f->type == IR_F32 ? ir_unary(ir, IR_UNBOX, IR_F32, v) : v;
}

static ir_val emit(struct ir *ir, const struct form *f)
{
    ir_val a = operand(ir, f, 0), b = operand(ir, f, 1), h;

    switch (f->op) {
    case IR_FMA: return ir_fma(ir, f->cond, a, b, operand(ir, f, 2));
    case IR_FCMP: return ir_fcmp(ir, f->cond, a, b);
    case IR_F2I: return ir_f2i(ir, f->other, f->cond, a);
    case IR_F2F: return ir_unary(ir, IR_F2F, f->type ^ IR_F32 ^ IR_F64, a);
    case IR_I2F:
        h = ir_get(ir, IRM_H);
        return ir_i2f(ir, f->type, f->cond, f->other == IR_I32 ? ir_trunc(ir, h) : h);
    default:
        return ir_op_info[f->op].nargs == 1 ? ir_unary(ir, f->op, f->type, a)
                                            : ir_binary(ir, f->op, a, b);
    }
}

/* Operations on bits alone keep signalling NaNs, which FCANON does not take. */
static void set_result(struct ir *ir, ir_val v, bool canon)
{
    enum ir_type t = ir_type_of(ir, v);

    switch (t) {
    case IR_I32: ir_set(ir, IRM_X, ir_zext32(ir, v)); break;
    case IR_I64: ir_set(ir, IRM_X, v); break;
    default:
        if (canon)
            v = ir_unary(ir, IR_FCANON, t, v);
        ir_set(ir, IRM_F + 3, t == IR_F32 ? ir_unary(ir, IR_BOX, IR_F64, v) : v);
        break;
    }
}

static void *build(const struct form *f, const struct irm_backend *b)
{
    static struct ir_insn buf[MAX_INSNS];
    static uint32_t scratch[2 * MAX_INSNS];
    struct ir ir;
    void *unit;

    ir_init(&ir, buf, MAX_INSNS, &irm_slots);
    ir_begin(&ir, 0x1000, 0);
    ir_insn_start(&ir, 0x1000);
    set_result(&ir, emit(&ir, f), !(ir_op_info[f->op].props & IR_P_P));
    ir_exit(&ir, 0x2000);
    opt_run(&ir, scratch, b->passes);
    unit = b->new_unit(&ir);
    g_assert_nonnull(unit);
    return unit;
}

/* One form on two backends. */
struct pair {
    const struct form *form;
    const struct irm_backend *b;
    void *unit_a, *unit_b;
    struct irm *ma, *mb;
};

static void run(struct irm *m, const struct irm_backend *b, void *unit, const uint64_t v[3],
                unsigned round)
{
    memcpy(m->cpu->f, v, 3 * sizeof(v[0]));
    m->cpu->tcg.hot[0] = v[0];
    m->cpu->f[3] = m->cpu->x[0] = 0;
    m->fp.flags = 0;
    m->fp.round = round;
    b->run(m, unit);
}

static void check(struct pair *p, const uint64_t v[3])
{
    for (unsigned round = FP_RNE; round <= FP_RUP; round++) {
        const struct irm_cpu *a = p->ma->cpu, *b = p->mb->cpu;
        unsigned flags_a, flags_b;

        run(p->ma, &irm_interp, p->unit_a, v, round);
        run(p->mb, p->b, p->unit_b, v, round);
        flags_a = p->ma->fp.flags & 0x1f;
        flags_b = p->mb->fp.flags & 0x1f;
        if (a->f[3] == b->f[3] && a->x[0] == b->x[0] && flags_a == flags_b)
            continue;
        g_error("%s.%s cond %u on %s, round %u: %" G_GINT64_MODIFIER "x %" G_GINT64_MODIFIER
                "x %" G_GINT64_MODIFIER "x gives %" G_GINT64_MODIFIER "x flags %x, not "
                "%" G_GINT64_MODIFIER "x flags %x",
                ir_op_info[p->form->op].name, ir_type_name[p->form->type], p->form->cond,
                p->b->name, round, v[0], v[1], v[2], b->f[3] | b->x[0], flags_b, a->f[3] | a->x[0],
                flags_a);
    }
}

static uint64_t boxed(enum ir_type type, fpv_u128 v)
{
    return type == IR_F32 ? UINT64_C(0xffffffff) << 32 | (uint64_t)v : (uint64_t)v;
}

/* Of any width, of either sign, with a few bits set, or all but a few. */
static uint64_t random_integer(GRand *rand)
{
    uint64_t v = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);

    if (g_rand_boolean(rand))
        v &= v << g_rand_int_range(rand, 1, 60);
    v >>= g_rand_int_range(rand, 0, 64);
    return g_rand_boolean(rand) ? v : 0 - v;
}

static void check_form(struct pair *p, GRand *rand)
{
    const struct fpv_shape shape = p->form->type == IR_F32 ? (struct fpv_shape){ 8, 23, false }
                                                           : (struct fpv_shape){ 11, 52, false };
    GArray *special = fpv_special(&shape);
    bool one = ir_op_info[p->form->op].nargs == 1;
    uint64_t v[3];

    for (unsigned i = 0; i < special->len; i++) {
        /* Each with each, but that takes long for what is not the host's. */
        for (unsigned k = 0; k < (one ? 1 : special->len); k += 1 + (i + k) % 3) {
            v[0] = boxed(p->form->type, g_array_index(special, fpv_u128, i));
            v[1] = boxed(p->form->type, g_array_index(special, fpv_u128, k));
            v[2] =
                boxed(p->form->type, g_array_index(special, fpv_u128, (i * 7 + k) % special->len));
            check(p, v);
        }
    }
    for (unsigned n = 0; n < RANDOMS; n++) {
        for (unsigned k = 0; k < 3; k++)
            v[k] = boxed(p->form->type, fpv_random(&shape, rand, special));
        if (p->form->op == IR_I2F)
            v[0] = random_integer(rand);
        check(p, v);
    }
    g_array_unref(special);
}

static void check_one(const struct irm_backend *b, GRand *rand, struct form form)
{
    struct pair p = { .form = &form, .b = b, .ma = irm_new(), .mb = irm_new() };

    p.unit_a = build(&form, &irm_interp);
    p.unit_b = build(&form, b);
    check_form(&p, rand);
    irm_interp.free_unit(p.unit_a);
    b->free_unit(p.unit_b);
    irm_free(p.ma);
    irm_free(p.mb);
}

static void check_type(const struct irm_backend *b, GRand *rand, enum ir_type t)
{
    static const uint8_t plain[] = { IR_FADD,    IR_FSUB,    IR_FMUL, IR_FDIV, IR_FSQRT,
                                     IR_FMINNUM, IR_FMAXNUM, IR_F2F,  IR_FNEG, IR_FABS,
                                     IR_FSGN,    IR_FSGNN,   IR_FSGNX };

    for (unsigned n = 0; n < G_N_ELEMENTS(plain); n++)
        check_one(b, rand, (struct form){ plain[n], t, 0, 0 });
    for (unsigned c = 0; c < 4; c++)
        check_one(b, rand, (struct form){ IR_FMA, t, c, 0 });
    for (unsigned c = 0; c < 5; c++)
        check_one(b, rand, (struct form){ IR_FCMP, t, c, 0 });
    for (enum ir_type i = IR_I32; i <= IR_I64; i++) {
        for (unsigned c = 0; c < 6; c++) {
            check_one(b, rand, (struct form){ IR_F2I, t, c, i });
            check_one(b, rand, (struct form){ IR_F2I, t, c | IR_F2I_UNSIGNED, i });
        }
        check_one(b, rand, (struct form){ IR_I2F, t, 0, i });
        check_one(b, rand, (struct form){ IR_I2F, t, 1, i });
    }
}

static void test_backend(const void *backend)
{
    GRand *rand = fpv_rand_new();

    check_type(backend, rand, IR_F32);
    check_type(backend, rand, IR_F64);
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned n = 0; irm_backends[n]; n++) {
        char *path = g_strdup_printf("/ir/float/%s", irm_backends[n]->name);

        /* The interpreter does the same with passes and without. */
        if (irm_backends[n]->run != irm_interp.run)
            g_test_add_data_func(path, irm_backends[n], test_backend);
        g_free(path);
    }
    return g_test_run();
}
