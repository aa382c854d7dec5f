/*
 * Each pure operation of the interpreter against a second evaluation, and how units are left and
 * chained. MYNA_SEED repeats a run.
 */
#include <stdlib.h>
#include <string.h>
#include <tcg/interp.h>
#include "ireval.h"
#include "irmachine.h"

#define MAX_INSNS 100

static struct ir_insn buf[MAX_INSNS];

static GRand *rand_new(void)
{
    const char *given = g_getenv("MYNA_SEED");
    uint32_t seed = given ? strtoul(given, NULL, 0) : g_random_int() % 1000000;

    g_test_message("MYNA_SEED=%u", seed);
    return g_rand_new_with_seed(seed);
}

/* The slots that hold operands of a type, and take a result of it. */
static unsigned slot_of(enum ir_type type, unsigned n)
{
    return type == IR_I32 ? IRM_W + n : type == IR_F64 ? IRM_F + n : IRM_X + n;
}

/* A raw insn, so that the builder has no say. */
static ir_val raw(struct ir *ir, const struct ir_insn *i)
{
    ir->insn[ir->count] = *i;
    return ir->count++;
}

static ir_val operand(struct ir *ir, enum ir_type type, unsigned n)
{
    ir_val v = ir_get(ir, slot_of(type, n));

    return type == IR_F32
               ? raw(ir, &(struct ir_insn){ .op = IR_BITSF,
                                            .type = IR_F32,
                                            .a = raw(ir, &(struct ir_insn){ .op = IR_TRUNC,
                                                                            .type = IR_I32,
                                                                            .a = v }) })
               : v;
}

/* Runs one operation on the machine's slots; @imm: operand b as a constant. */
static void check_op(struct irm *m, struct ir_insn i, enum ir_type from, bool imm)
{
    unsigned nargs = ir_op_info[i.op].nargs;
    uint64_t v[4] = { 0 }, want, got;
    struct interp_unit *u;
    struct ir ir;
    ir_val r;

    for (unsigned n = 0; n < nargs; n++) {
        enum ir_type t = n < 2 ? from : i.type;
        const char *p = (const char *)m->cpu + irm_slots.slot[slot_of(t, n)].offset;

        memcpy(&v[n], p, ir_type_bytes[t]);
    }
    g_assert_true(ireval(&i, from, v, &want));
    ir_init(&ir, buf, MAX_INSNS, &irm_slots);
    i.a = operand(&ir, from, 0);
    if (nargs > 1)
        i.b = imm ? ir_imm(&ir, from, v[1]) : operand(&ir, from, 1);
    if (nargs > 2) {
        i.c = operand(&ir, i.type, 2);
        i.d = operand(&ir, i.type, 3);
    }
    r = raw(&ir, &i);
    if (i.type == IR_F32)
        r = ir_zext32(&ir, ir_unary(&ir, IR_FBITS, IR_I32, r));
    ir_set(&ir, i.type == IR_F64 ? IRM_F + 5 : i.type == IR_I32 ? IRM_W + 1 : IRM_H, r);
    ir_exit(&ir, 0);
    got = 0;
    u = interp_unit_new(&ir, NULL, NULL);
    interp_run(&m->cpu->tcg, u, &irm_runtime, &m->fp);
    interp_unit_free(u);
    if (i.type == IR_I32)
        got = (uint32_t)m->cpu->tcg.hot[17];
    else
        got = i.type == IR_F64 ? m->cpu->f[5] : m->cpu->tcg.hot[0];
    if (got != want) {
        ir_print(&ir, stdout);
        g_error("0x%" G_GINT64_MODIFIER "x, not 0x%" G_GINT64_MODIFIER "x", got, want);
    }
}

static void check_integer(struct irm *m, enum ir_type t)
{
    for (unsigned op = IR_ADD; op <= IR_ZEXT16; op++) {
        check_op(m, (struct ir_insn){ .op = op, .type = t }, t, false);
        check_op(m, (struct ir_insn){ .op = op, .type = t }, t, true);
    }
    for (unsigned c = 0; c < 12; c++) {
        for (unsigned k = 0; k < 4; k++) {
            enum ir_type to = k & 2 ? IR_I32 : IR_I64;

            check_op(m, (struct ir_insn){ .op = IR_SETCC, .type = to, .cond = c }, t, k & 1);
            check_op(m, (struct ir_insn){ .op = IR_SELECT, .type = to, .cond = c }, t, k & 1);
        }
    }
}

static void check_float(struct irm *m, enum ir_type t)
{
    static const uint8_t ops[] = { IR_FCANON, IR_FNEG, IR_FABS, IR_FSGN, IR_FSGNN, IR_FSGNX };

    for (unsigned n = 0; n < G_N_ELEMENTS(ops); n++)
        check_op(m, (struct ir_insn){ .op = ops[n], .type = t }, t, false);
}

static void test_operations(void)
{
    static const uint8_t conversions[][3] = {
        { IR_SEXT32, IR_I32, IR_I64 }, { IR_ZEXT32, IR_I32, IR_I64 }, { IR_TRUNC, IR_I64, IR_I32 },
        { IR_FBITS, IR_F64, IR_I64 },  { IR_FBITS, IR_F32, IR_I32 },  { IR_BITSF, IR_I64, IR_F64 },
        { IR_BITSF, IR_I32, IR_F32 },  { IR_BOX, IR_F32, IR_F64 },    { IR_UNBOX, IR_F64, IR_F32 },
    };
    struct irm *m = irm_new();
    GRand *rand = rand_new();

    for (unsigned n = 0; n < 500; n++) {
        irm_randomize(m, rand);
        check_integer(m, IR_I32);
        check_integer(m, IR_I64);
        check_float(m, IR_F32);
        check_float(m, IR_F64);
        for (unsigned k = 0; k < G_N_ELEMENTS(conversions); k++)
            check_op(m, (struct ir_insn){ .op = conversions[k][0], .type = conversions[k][2] },
                     conversions[k][1], false);
    }
    g_rand_free(rand);
    irm_free(m);
}

static struct interp_unit *parse(const char *text, interp_map_fn *map)
{
    struct ir ir;
    char *error;

    ir_init(&ir, buf, MAX_INSNS, &irm_slots);
    if (!ir_parse(&ir, text, irm_helpers, &error))
        g_error("%s", error);
    return interp_unit_new(&ir, map, NULL);
}

static void test_attention(void)
{
    struct interp_unit *u = parse("unit 0x1000 flags 0\n loop", NULL);
    struct irm *m = irm_new();

    m->cpu->tcg.flags = TCG_FLAGS_ATTENTION;
    g_assert_cmpint(interp_run(&m->cpu->tcg, u, &irm_runtime, &m->fp), ==, INTERP_ATTENTION);
    g_assert_cmphex(m->cpu->tcg.pc, ==, 0x1000);
    interp_unit_free(u);
    irm_free(m);
}

static void put_jump(struct irm *m, uint64_t pc, struct interp_unit *u)
{
    m->cpu->tcg.jump[tcg_jump_index(pc)] = (struct tcg_jump){ pc, u };
}

static void map_seven(void *opaque, uint64_t pc, struct interp_map *map)
{
    (void)opaque;
    (void)pc;
    *map = (struct interp_map){ 1, 7 };
}

/* Units follow each other by the jump cache if flags and mapping are right. */
static void test_chain(void)
{
    static const char text[] = "unit 0x2000 flags 0\n %a = get.i64 h0\n %1 = const.i64 1\n"
                               "%b = add.i64 %a, %1\n set.i64 h0, %b\n exit 0x3000";
    struct interp_unit *first = parse("unit 0x1000 flags 0\n exit 0x2000", NULL);
    struct interp_unit *second = parse(text, map_seven);
    struct irm *m = irm_new();
    struct tcg_cpu *c = &m->cpu->tcg;

    g_assert_cmpint(interp_run(c, first, &irm_runtime, &m->fp), ==, INTERP_DIRECT);
    g_assert_cmphex(c->pc, ==, 0x2000);
    put_jump(m, 0x2000, second);
    interp_run(c, first, &irm_runtime, &m->fp);
    g_assert_cmphex(c->pc, ==, 0x2000); /* its page is not mapped as it was */
    c->map[1][tcg_map_index(0x2000)] = 7;
    interp_run(c, first, &irm_runtime, &m->fp);
    g_assert_cmphex(c->pc, ==, 0x3000);
    g_assert_cmpuint(c->hot[0], ==, 1);
    c->flags = 5;
    interp_run(c, first, &irm_runtime, &m->fp);
    g_assert_cmphex(c->pc, ==, 0x2000);
    interp_unit_free(first);
    interp_unit_free(second);
    irm_free(m);
}

static void test_guard(void)
{
    struct interp_unit *u = parse("unit 0x1000 flags 0\n guard 0x5000\n exit 0x2000", map_seven);
    struct irm *m = irm_new();
    struct tcg_cpu *c = &m->cpu->tcg;

    g_assert_cmpint(interp_run(c, u, &irm_runtime, &m->fp), ==, INTERP_REMAPPED);
    g_assert_cmphex(c->pc, ==, 0x5000);
    c->map[1][tcg_map_index(0x5000)] = 7;
    g_assert_cmpint(interp_run(c, u, &irm_runtime, &m->fp), ==, INTERP_DIRECT);
    interp_unit_free(u);
    irm_free(m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/interp/operations", test_operations);
    g_test_add_func("/interp/attention", test_attention);
    g_test_add_func("/interp/chain", test_chain);
    g_test_add_func("/interp/guard", test_guard);
    return g_test_run();
}
