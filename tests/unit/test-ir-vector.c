/*
 * Every vector operation of every lane size, on random operands with special values among them,
 * under every rounding mode and with denormals flushed or not: generated code, which is the host's
 * own instruction where it has one, against the evaluator. MYNA_SEED repeats a run.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <tcg/opt.h>
#include "irmachine.h"

#define STATES 12 /* random states for each form; immediates in full */

/* Two machines in one random state, which a third keeps. */
static struct irm *start, *want, *got;

struct form {
    enum ir_vop vop;
    unsigned lane, imm;
};

static uint32_t first_seed(void)
{
    const char *given = g_getenv("MYNA_SEED");
    uint32_t seed = given ? strtoul(given, NULL, 0) : g_random_int() % 1000000;

    g_test_message("MYNA_SEED=%u", seed);
    return seed;
}

static ir_val operand(struct ir *ir, enum ir_type type, unsigned n)
{
    switch (type) {
    case IR_V128: return ir_get(ir, IRM_V + n);
    case IR_I32: return ir_get(ir, IRM_W + n);
    case IR_I64: return ir_get(ir, IRM_X + n);
    case IR_F32: return ir_unary(ir, IR_UNBOX, IR_F32, ir_get(ir, IRM_F + n));
    case IR_F64: return ir_get(ir, IRM_F + n);
    default: return IR_NONE;
    }
}

static void set_result(struct ir *ir, ir_val v)
{
    switch (ir_type_of(ir, v)) {
    case IR_V128: ir_set(ir, IRM_V + 3, v); break;
    case IR_I32: ir_set(ir, IRM_W + 3, v); break;
    case IR_I64: ir_set(ir, IRM_X + 5, v); break;
    case IR_F32: ir_set(ir, IRM_F + 5, ir_unary(ir, IR_BOX, IR_F64, v)); break;
    default: ir_set(ir, IRM_F + 5, v); break;
    }
}

/* With @again, operands live on behind the operation; with @same they are one. */
static void build(struct ir *ir, const struct form *f, bool again, bool same)
{
    ir_val v[3] = { IR_NONE, IR_NONE, IR_NONE };

    ir_begin(ir, 0x1000, 0);
    ir_insn_start(ir, 0x1000);
    for (unsigned n = 0; n < 3; n++)
        v[n] = operand(ir, ir_vop_type(f->vop, f->lane, n + 1), same ? 0 : n);
    set_result(ir, ir_v3(ir, f->vop, f->lane, f->imm, v[0], v[1], v[2]));
    if (again && v[1] && ir_type_of(ir, v[1]) == IR_V128 && ir_type_of(ir, v[0]) == IR_V128)
        ir_set(ir, IRM_V, ir_v2(ir, IR_V_XOR, 128, 0, v[0], v[1]));
    ir_exit(ir, 0x2000);
}

static void run(const struct irm_backend *b, const struct ir *ir, struct irm *m)
{
    void *unit = b->new_unit(ir);

    g_assert_nonnull(unit);
    m->how = IRM_LEFT;
    m->fp.flags = 0;
    b->run(m, unit);
    b->free_unit(unit);
}

static void fail(const struct form *f, const struct irm_backend *b, const char *wrong)
{
    for (unsigned n = 0; n < 4; n++)
        g_printerr("v%u %016" PRIx64 "%016" PRIx64 "  wanted %016" PRIx64 "%016" PRIx64
                   "  got %016" PRIx64 "%016" PRIx64 "\n",
                   n, start->cpu->v[n].q[1], start->cpu->v[n].q[0], want->cpu->v[n].q[1],
                   want->cpu->v[n].q[0], got->cpu->v[n].q[1], got->cpu->v[n].q[0]);
    g_error(
        "%s lane %u%s immediate %u on %s, rounding %u, DAZ %u, flush %u: %s; flags %#x, wanted %#x",
        ir_vop_info[f->vop].name, f->lane & 0xff, f->lane & IR_LANE_SCALAR ? "s" : "", f->imm,
        b->name, start->fp.round, start->fp.denormals_are_zero, start->fp.flush, wrong,
        got->fp.flags, want->fp.flags);
}

static void randomize(const struct form *f, GRand *rand)
{
    struct irm_cpu *c = start->cpu;

    for (unsigned n = 0; n < 6; n++) {
        c->x[n] = irm_random_lanes(rand);
        c->f[n] = irm_random_lanes(rand) | (n % 2 ? UINT64_C(0xffffffff) << 32 : 0);
    }
    for (unsigned n = 0; n < 8; n++)
        c->v[n / 2].q[n % 2] = irm_random_lanes(rand);
    start->fp.round = g_rand_int_range(rand, 0, 4);
    start->fp.denormals_are_zero = g_rand_boolean(rand);
    start->fp.flush = g_rand_boolean(rand) ? FP_FLUSH_X86 : FP_FLUSH_OFF;
    if (f->vop >= IR_V_SHLS && f->vop <= IR_V_SARS && g_rand_boolean(rand))
        c->v[1].q[0] &= 0x3f;
    for (unsigned n = 0; n < 2; n++) {
        struct irm *m = n ? want : got;
        memcpy(m->cpu->x, c->x, offsetof(struct irm_cpu, machine) - offsetof(struct irm_cpu, x));
        m->fp = start->fp;
    }
}

static void check(const struct form *f, GRand *rand, const struct irm_backend *b)
{
    static struct ir_insn buf[64];
    bool again = g_rand_boolean(rand), same = g_rand_int_range(rand, 0, 8) == 0;
    struct ir ir;
    char *wrong;

    randomize(f, rand);
    ir_init(&ir, buf, G_N_ELEMENTS(buf), &irm_slots);
    build(&ir, f, again, same);
    wrong = ir_verify(&ir);
    g_assert_cmpstr(wrong, ==, NULL);
    run(&irm_interp, &ir, want);
    run(b, &ir, got);
    wrong = irm_compare(want, got);
    if (!wrong && (want->fp.flags ^ got->fp.flags) & FP_FLAG_DE)
        wrong = g_strdup("denormal flag");
    if (wrong)
        fail(f, b, wrong);
}

static bool takes_imm(const struct form *f)
{
    if (f->vop == IR_V_SXT || f->vop == IR_V_ZXT)
        return f->imm >= 8 && f->imm < f->lane && !(f->imm & (f->imm - 1));
    if (f->vop == IR_V_FMA)
        return f->imm < 16;
    if (f->vop == IR_V_FCMP || f->vop == IR_V_FROUND || f->vop == IR_V_FTOF16)
        return f->imm < 32;
    return true;
}

static void check_lane(enum ir_vop vop, unsigned lane, GRand *rand, const struct irm_backend *b)
{
    bool imms = ir_vop_info[vop].props & IR_VP_N;

    for (unsigned imm = 0; imm < (imms ? 256 : 1); imm++) {
        struct form f = { vop, lane, imm };
        if (imms && !takes_imm(&f))
            continue;
        for (unsigned n = 0; n < (imms ? STATES / 6 : STATES); n++)
            check(&f, rand, b);
    }
}

static void test_backend(const void *opaque)
{
    const struct irm_backend *b = opaque;
    GRand *rand = g_rand_new_with_seed(first_seed());

    for (unsigned vop = 0; vop < IR_NB_VOPS; vop++) {
        const struct ir_vop_info *info = &ir_vop_info[vop];

        for (unsigned lane = 8; lane <= 128; lane *= 2) {
            if (!(info->lanes & lane))
                continue;
            check_lane(vop, lane, rand, b);
            if (info->props & IR_VP_S)
                check_lane(vop, lane | IR_LANE_SCALAR, rand, b);
        }
    }
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    start = irm_new();
    want = irm_new();
    got = irm_new();
    for (unsigned n = 1; irm_backends[n]; n++) {
        char *path;

        /* The interpreter is the evaluator; passes and chaining change nothing here. */
        if (irm_backends[n]->passes != 0 && irm_backends[n]->passes != OPT_ALL)
            continue;
        if (!strncmp(irm_backends[n]->name, "interp", 6) ||
            !strcmp(irm_backends[n]->name, "jit-chained"))
            continue;
        path = g_strdup_printf("/ir/vector/%s", irm_backends[n]->name);
        g_test_add_data_func(path, irm_backends[n], test_backend);
        g_free(path);
    }
    status = g_test_run();
    irm_free(start);
    irm_free(want);
    irm_free(got);
    return status;
}
