/*
 * The builder simplifies without changing results: random expressions are built and, beside, their
 * values computed; then what was built is evaluated and compared. MYNA_SEED repeats a run.
 */
#include <glib.h>
#include <stdlib.h>
#include <string.h>
#include "ireval.h"

#define MAX_INSNS 2000
#define NB_VALUES 60
#define UNIT_PC   0x1000

static const struct ir_slot slot[] = {
    { "x0", 0, IR_I64 },  { "x1", 8, IR_I64 },  { "x2", 16, IR_I64 },
    { "w0", 24, IR_I32 }, { "w1", 28, IR_I32 }, { "f0", 32, IR_F64 },
};
static const struct ir_slots slots = { slot, G_N_ELEMENTS(slot), NULL, 0 };

/* A value as the test knows it: where the builder put it and what it must be. */
struct known {
    ir_val v;
    enum ir_type type;
    uint64_t value;
};

struct gen {
    GRand *rand;
    struct ir ir;
    struct ir_insn buf[MAX_INSNS];
    uint64_t in[G_N_ELEMENTS(slot)];
    struct known known[NB_VALUES * 2 + 8];
    unsigned nknown;
};

static unsigned below(struct gen *g, unsigned n)
{
    return g_rand_int_range(g->rand, 0, n);
}

static uint64_t random64(struct gen *g)
{
    static const uint64_t special[] = {
        0,
        1,
        2,
        3,
        8,
        31,
        32,
        33,
        63,
        64,
        0xff,
        0xffff,
        0x7f,
        0x80,
        0x7fff,
        0x8000,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        0x100000000,
        INT64_MAX,
        UINT64_C(1) << 63,
        UINT64_MAX,
        UINT64_MAX - 1,
        0x7fc00000,
        0x7f800001,
        UINT64_C(0x7ff0000000000001),
        24,
        48,
        56,
        16,
    };
    uint64_t v = (uint64_t)g_rand_int(g->rand) << 32 | g_rand_int(g->rand);

    switch (below(g, 4)) {
    case 0: return special[below(g, G_N_ELEMENTS(special))];
    case 1: return 0 - special[below(g, G_N_ELEMENTS(special))];
    case 2: return v >> below(g, 64);
    default: return v;
    }
}

static void add_known(struct gen *g, ir_val v, enum ir_type type, uint64_t value)
{
    if (type == IR_I32 || type == IR_F32)
        value = (uint32_t)value;
    g_assert_cmpuint(v, !=, IR_NONE);
    g_assert_cmpuint(ir_type_of(&g->ir, v), ==, type);
    g->known[g->nknown++] = (struct known){ v, type, value };
}

/* An operand of @type: recent ones more often, so that idioms of several operations arise. */
static struct known pick(struct gen *g, enum ir_type type)
{
    if (below(g, 3) == 0) {
        uint64_t c = random64(g);

        return (struct known){ ir_imm(&g->ir, type, c), type,
                               type == IR_I32 || type == IR_F32 ? (uint32_t)c : c };
    }
    for (unsigned tries = 0; tries < 50; tries++) {
        unsigned back = below(g, 2) ? below(g, MIN(g->nknown, 6)) : below(g, g->nknown);
        const struct known *k = &g->known[g->nknown - 1 - back];

        if (k->type == type)
            return *k;
    }
    return (struct known){ ir_imm(&g->ir, type, 5), type, 5 };
}

static void step_unary(struct gen *g)
{
    static const uint8_t to[][3] = {
        { IR_SEXT32, IR_I32, IR_I64 }, { IR_ZEXT32, IR_I32, IR_I64 }, { IR_TRUNC, IR_I64, IR_I32 },
        { IR_FNEG, IR_F64, IR_F64 },   { IR_FABS, IR_F64, IR_F64 },   { IR_FCANON, IR_F64, IR_F64 },
        { IR_FNEG, IR_F32, IR_F32 },   { IR_FABS, IR_F32, IR_F32 },   { IR_FCANON, IR_F32, IR_F32 },
        { IR_FBITS, IR_F64, IR_I64 },  { IR_FBITS, IR_F32, IR_I32 },  { IR_BITSF, IR_I64, IR_F64 },
        { IR_BITSF, IR_I32, IR_F32 },  { IR_BOX, IR_F32, IR_F64 },    { IR_UNBOX, IR_F64, IR_F32 },
    };
    struct ir_insn i = { 0 };
    uint64_t v[4] = { 0 }, r;
    enum ir_type from;
    struct known a;

    if (below(g, 2)) {
        const uint8_t *row = to[below(g, G_N_ELEMENTS(to))];
        i.op = row[0];
        from = row[1];
        i.type = row[2];
    } else {
        i.op = IR_NEG + below(g, IR_ZEXT16 - IR_NEG + 1);
        i.type = from = below(g, 3) ? IR_I64 : IR_I32;
    }
    a = pick(g, from);
    v[0] = a.value;
    g_assert_true(ireval(&i, from, v, &r));
    add_known(g, ir_unary(&g->ir, i.op, i.type, a.v), i.type, r);
}

static void step_binary(struct gen *g)
{
    struct ir_insn i = { 0 };
    uint64_t v[4] = { 0 }, r;
    struct known a, b;

    i.type = below(g, 3) ? IR_I64 : IR_I32;
    i.op = IR_ADD + below(g, IR_ROTR - IR_ADD + 1);
    if (below(g, 8) == 0) {
        i.type = below(g, 2) ? IR_F32 : IR_F64;
        i.op = IR_FSGN + below(g, 3);
    }
    a = pick(g, i.type);
    b = below(g, 10) ? pick(g, i.type) : a;
    v[0] = a.value;
    v[1] = b.value;
    g_assert_true(ireval(&i, i.type, v, &r));
    add_known(g, ir_binary(&g->ir, i.op, a.v, b.v), i.type, r);
}

/* A value shifted left and back, masked, or extended twice: what front ends emit in pairs. */
static void step_idiom(struct gen *g)
{
    static const uint8_t counts[] = { 8, 16, 24, 32, 48, 56, 3 };
    static const uint8_t second[] = { IR_SHR, IR_SAR, IR_SHL, IR_AND, IR_ROTL };
    struct ir_insn i = { .op = IR_SHL, .type = below(g, 3) ? IR_I64 : IR_I32 };
    struct known a = pick(g, i.type);

    for (unsigned n = 0; n < 2; n++) {
        uint64_t v[4] = { a.value, counts[below(g, G_N_ELEMENTS(counts))], 0, 0 };

        g_assert_true(ireval(&i, i.type, v, &a.value));
        a.v = ir_binary(&g->ir, i.op, a.v, ir_imm(&g->ir, i.type, v[1]));
        add_known(g, a.v, i.type, a.value);
        i.op = second[below(g, G_N_ELEMENTS(second))];
    }
}

static void step_condition(struct gen *g)
{
    enum ir_type type = below(g, 3) ? IR_I64 : IR_I32, result = below(g, 2) ? IR_I64 : IR_I32;
    struct known a = pick(g, type), b = below(g, 8) ? pick(g, type) : a, yes, no;
    enum ir_cond c = below(g, 12);
    bool holds = ireval_cond(c, type, a.value, b.value);

    if (below(g, 2)) {
        add_known(g, ir_setcc(&g->ir, result, c, a.v, b.v), result, holds);
        return;
    }
    yes = pick(g, result);
    no = below(g, 8) ? pick(g, result) : yes;
    add_known(g, ir_select(&g->ir, c, a.v, b.v, yes.v, no.v), result, holds ? yes.value : no.value);
}

static void step_slot(struct gen *g)
{
    unsigned s = below(g, G_N_ELEMENTS(slot));
    struct known a = pick(g, slot[s].type);

    if (below(g, 2)) {
        ir_set(&g->ir, s, a.v);
        g->in[s] = a.value; /* from here on; the walk below starts from a copy */
    } else {
        add_known(g, ir_get(&g->ir, s), slot[s].type, g->in[s]);
    }
}

/* Evaluates the unit: values to @val, slots changed in @state. Returns the pc of the exit taken. */
static uint64_t evaluate(const struct ir *ir, uint64_t *state, uint64_t *val)
{
    for (uint32_t n = 1; n < ir->count; n++) {
        const struct ir_insn *i = &ir->insn[n];
        const uint64_t v[4] = { val[i->a], val[i->b], val[i->c], val[i->d] };

        switch (i->op) {
        case IR_GET: val[n] = state[i->imm]; break;
        case IR_SET: state[i->imm] = v[0]; break;
        case IR_EXIT: return i->imm;
        case IR_EXITIF:
            if (ireval_cond(i->cond, i->type, v[0], v[1]))
                return i->imm;
            break;
        default: g_assert_true(ireval(i, ir_type_of(ir, i->a), v, &val[n])); break;
        }
    }
    g_assert_not_reached();
}

static void build(struct gen *g, uint64_t *expected_pc)
{
    struct known a, b;
    enum ir_cond c;

    for (unsigned s = 0; s < G_N_ELEMENTS(slot); s++)
        add_known(g, ir_get(&g->ir, s), slot[s].type, g->in[s]);
    for (unsigned n = 0; n < NB_VALUES; n++) {
        switch (below(g, 8)) {
        case 0:
        case 1: step_unary(g); break;
        case 2: step_condition(g); break;
        case 3: below(g, 2) ? step_slot(g) : step_idiom(g); break;
        default: step_binary(g); break;
        }
    }
    a = pick(g, IR_I64);
    b = pick(g, IR_I64);
    c = below(g, 12);
    *expected_pc = ireval_cond(c, IR_I64, a.value, b.value) ? 1 : 2;
    ir_exit_if(&g->ir, c, a.v, b.v, 1);
    ir_exit(&g->ir, 2);
}

static void check_one(struct gen *g, uint32_t seed)
{
    uint64_t state[G_N_ELEMENTS(slot)], val[MAX_INSNS] = { 0 }, expected_pc;
    char *wrong;

    g_rand_set_seed(g->rand, seed);
    for (unsigned s = 0; s < G_N_ELEMENTS(slot); s++) {
        g->in[s] = random64(g);
        if (slot[s].type == IR_I32)
            g->in[s] = (uint32_t)g->in[s];
    }
    memcpy(state, g->in, sizeof(state));
    g->nknown = 0;
    ir_init(&g->ir, g->buf, MAX_INSNS, &slots);
    ir_begin(&g->ir, UNIT_PC, 0);
    build(g, &expected_pc);
    g_assert_false(g->ir.full);
    wrong = ir_verify(&g->ir);
    g_assert_cmpstr(wrong, ==, NULL);
    g_assert_cmphex(evaluate(&g->ir, state, val), ==, expected_pc);
    for (unsigned n = 0; n < g->nknown; n++) {
        if (val[g->known[n].v] == g->known[n].value)
            continue;
        ir_print(&g->ir, stdout);
        g_error("seed %u: %%%u is 0x%" G_GINT64_MODIFIER "x, not 0x%" G_GINT64_MODIFIER "x", seed,
                g->known[n].v, val[g->known[n].v], g->known[n].value);
    }
    g_assert_cmpmem(state, sizeof(state), g->in, sizeof(g->in));
}

static void test_random(void)
{
    const char *given = g_getenv("MYNA_SEED");
    uint32_t seed = given ? strtoul(given, NULL, 0) : 20000;
    struct gen *g = g_new0(struct gen, 1);

    g_test_message("seeds from %u", seed);
    g->rand = g_rand_new();
    for (unsigned n = 0; n < 20000; n++)
        check_one(g, seed + n);
    g_rand_free(g->rand);
    g_free(g);
}

/* What must come out of one rule each. */
static struct ir *fresh(void)
{
    static struct ir_insn buf[100];
    static struct ir ir;

    ir_init(&ir, buf, G_N_ELEMENTS(buf), &slots);
    return &ir;
}

static void test_address(void)
{
    struct ir *ir = fresh();
    ir_val x = ir_get(ir, 0), y = ir_add(ir, ir_add(ir, x, ir_imm64(ir, 16)), ir_imm64(ir, -4)), l;

    l = ir_load(ir, IR_I64, IR_MEM(3, 0, 0), y, 8);
    g_assert_cmpuint(ir_def(ir, l)->a, ==, x);
    g_assert_cmpint(ir_def(ir, l)->imm, ==, 20);
    ir_set(ir, 1, y);
    l = ir_load(ir, IR_I64, IR_MEM(3, 0, 0), y, 8);
    g_assert_cmpuint(ir_def(ir, l)->a, ==, y);
    l = ir_load(ir, IR_I64, IR_MEM(3, 0, 0), x, INT64_C(1) << 33);
    g_assert_cmpuint(ir_def(ir, ir_def(ir, l)->a)->op, ==, IR_ADD);
    g_assert_cmpint(ir_def(ir, l)->imm, ==, 0);
    l = ir_load(ir, IR_I64, IR_MEM(3, 0, 0), ir_imm64(ir, 0x12345), -1);
    y = ir_load(ir, IR_I64, IR_MEM(3, 0, 0), ir_imm64(ir, 0x12678), 0);
    g_assert_cmpuint(ir_def(ir, l)->a, ==, ir_def(ir, y)->a);
    g_assert_cmpint(ir_def(ir, l)->imm, ==, 0x344);
}

static void test_known_extension(void)
{
    struct ir *ir = fresh();
    ir_val x = ir_get(ir, 0), w = ir_get(ir, 3);
    ir_val s = ir_load(ir, IR_I64, IR_MEM(2, 0, IR_MEM_SIGNED), x, 0);
    ir_val u = ir_load(ir, IR_I64, IR_MEM(2, 0, 0), x, 0);

    g_assert_cmpuint(ir_sext32(ir, ir_trunc(ir, s)), ==, s);
    g_assert_cmpuint(ir_sext32(ir, ir_trunc(ir, u)), !=, u);
    g_assert_cmpuint(ir_zext32(ir, ir_trunc(ir, u)), ==, u);
    g_assert_cmpuint(ir_trunc(ir, ir_sext32(ir, w)), ==, w);
    g_assert_cmpuint(
        ir_unary(ir, IR_UNBOX, IR_F32, ir_unary(ir, IR_BOX, IR_F64, ir_imm(ir, IR_F32, 3))), ==,
        ir_imm(ir, IR_F32, 3));
}

static void test_exits(void)
{
    struct ir *ir = fresh();
    ir_val x = ir_get(ir, 0), y = ir_get(ir, 1), less = ir_setcc(ir, IR_I64, IR_LT, x, y);
    uint32_t before;

    ir_exit_if(ir, IR_EQ, less, ir_imm64(ir, 0), 4);
    g_assert_cmpuint(ir->insn[ir->count - 1].cond, ==, IR_GE);
    g_assert_cmpuint(ir->insn[ir->count - 1].a, ==, x);
    before = ir->count;
    ir_exit_if(ir, IR_LTU, x, ir_imm64(ir, 0), 4);
    g_assert_cmpuint(ir->count, ==, before);
    g_assert_false(ir->ended);
    ir_exit_if(ir, IR_GEU, x, ir_imm64(ir, 0), 4);
    g_assert_true(ir->ended);
    g_assert_cmpuint(ir->insn[ir->count - 1].op, ==, IR_EXIT);
    before = ir->count;
    ir_set(ir, 2, ir_add(ir, x, y));
    ir_exit(ir, 8);
    g_assert_cmpuint(ir->count, ==, before);
    g_assert_false(ir->full);
}

static void test_slots(void)
{
    static const struct ir_helper writes = { "writes", NULL, IR_H_WRITES, IR_VOID, 0, { 0 } };
    struct ir *ir = fresh();
    ir_val x = ir_get(ir, 0), y = ir_get(ir, 1);
    uint32_t before = ir->count;

    ir_set(ir, 0, x);
    g_assert_cmpuint(ir->count, ==, before);
    ir_set(ir, 0, y);
    g_assert_cmpuint(ir_get(ir, 0), ==, y);
    ir_call(ir, &writes, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    g_assert_cmpuint(ir_get(ir, 0), !=, y);
}

/* Whatever is appended when there is no room: the latch is set and nothing is written behind. */
static void test_full(void)
{
    static struct ir_insn buf[41];
    struct ir ir;

    for (unsigned max = 2; max < 40; max++) {
        memset(buf, 0xa5, sizeof(buf));
        ir_init(&ir, buf, max, &slots);
        for (unsigned n = 0; n < 10; n++) {
            ir_val x = ir_get(&ir, n % 3), y = ir_mul(&ir, x, ir_imm64(&ir, n * 100));

            ir_insn_start(&ir, n);
            y = ir_shr(&ir, ir_shl(&ir, y, ir_imm64(&ir, 32)), ir_imm64(&ir, 30));
            ir_set(&ir, n % 3, ir_sext32(&ir, ir_trunc(&ir, y)));
            ir_store(&ir, 3, x, n, ir_load(&ir, IR_I64, 3, y, INT64_C(1) << 40));
            ir_exit_if(&ir, IR_NE, ir_setcc(&ir, IR_I64, IR_LT, x, y), ir_imm64(&ir, 0), 4);
            ir_set(&ir, n % 3, ir_select(&ir, IR_EQ, x, y, y, x));
        }
        ir_exit(&ir, 0);
        g_assert_true(ir.full);
        g_assert_cmpuint(ir.count, <=, max);
        g_assert_cmphex(buf[max].op, ==, 0xa5);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ir/fold/random", test_random);
    g_test_add_func("/ir/fold/address", test_address);
    g_test_add_func("/ir/fold/known-extension", test_known_extension);
    g_test_add_func("/ir/fold/exits", test_exits);
    g_test_add_func("/ir/fold/slots", test_slots);
    g_test_add_func("/ir/fold/full", test_full);
    return g_test_run();
}
