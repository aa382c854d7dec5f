/*
 * The optimiser's passes, one case each: a unit and what must come out of it.
 */
#include <stdlib.h>
#include <string.h>
#include <tcg/opt.h>
#include "irmachine.h"

#define MAX_INSNS 500

static struct ir_insn buf[MAX_INSNS];
static uint32_t scratch[2 * MAX_INSNS];

static void parse(struct ir *ir, const char *text)
{
    char *all = g_strconcat("unit 0x1000 flags 0x0\n", text, NULL), *error;

    ir_init(ir, buf, MAX_INSNS, &irm_slots);
    if (!ir_parse(ir, all, irm_helpers, &error))
        g_error("%s", error);
    g_free(all);
}

/* Names of the operations left, with spaces between; INSN, CONST and GET are not mentioned. */
static char *ops_of(const struct ir *ir)
{
    GString *s = g_string_new(NULL);

    for (uint32_t n = 1; n < ir->count; n++) {
        unsigned op = ir->insn[n].op;

        if (op == IR_NOP || op == IR_INSN || op == IR_CONST || op == IR_GET)
            continue;
        g_string_append_printf(s, "%s%s", s->len ? " " : "", ir_op_info[op].name);
        if (op == IR_SET)
            g_string_append_printf(s, ":%s", ir->slots->slot[ir->insn[n].imm].name);
    }
    return g_string_free(s, FALSE);
}

struct one {
    const char *what;
    unsigned pass;
    const char *text, *ops;
};

#define START  "insn 0x1000, 0\n %a = get.i64 h0\n %b = get.i64 h1\n"
#define FSTART "insn 0x1000, 0\n %f = get.f64 f0\n %g = get.f64 f1\n"
static const struct one cases[] = {
    { "unused values go, with what only they used", OPT_DEAD,
      START "%1 = add.i64 %a, %b\n%2 = mul.i64 %1, %a\n%3 = sub.i64 %a, %b\nset.i64 h2, %3\nexit 0",
      "sub set:h2 exit" },
    { "loads stay, they may fault", OPT_DEAD, START "%1 = ld.i64 u8:0 [%a]\nexit 0", "ld exit" },
    { "float arithmetic stays, it raises flags", OPT_DEAD,
      FSTART "%1 = fadd.f64 %f, %g\n%2 = fneg.f64 %f\nexit 0", "fadd exit" },
    { "a slot set again unseen", OPT_DEAD,
      START "set.i64 h2, %a\nset.i64 h3, %a\nset.i64 h2, %b\nexit 0", "set:h3 set:h2 exit" },
    { "a slot killed unseen", OPT_DEAD,
      START "set.i64 h2, %a\nset.i64 h3, %a\nkill h2\n%1 = ld.i64 u8:0 [%a]\nset.i64 h2, "
            "%b\nexit 0",
      "set:h3 ld set:h2 exit" },
    { "a slot that a fault shows before it is killed", OPT_DEAD,
      START "set.i64 h2, %a\n%1 = ld.i64 u8:0 [%a]\nkill h2\nexit 0", "set:h2 ld exit" },
    { "a slot read in between", OPT_DEAD,
      START "set.i64 h2, %a\n%1 = get.i64 h2\nset.i64 h3, %1\nset.i64 h2, %b\nexit 0",
      "set:h2 set:h3 set:h2 exit" },
    { "a slot seen by a fault", OPT_DEAD,
      START "set.i64 h2, %a\n%1 = ld.i64 u8:0 [%a]\nset.i64 h2, %b\nexit 0",
      "set:h2 ld set:h2 exit" },
    { "a slot seen by a side exit", OPT_DEAD,
      START "set.i64 h2, %a\nexitif.eq.i64 %a, %b, 5\nset.i64 h2, %b\nexit 0",
      "set:h2 exitif set:h2 exit" },
    { "a slot seen by a helper", OPT_DEAD,
      START "set.i64 h2, %a\n%1 = call.i64 seen()\nset.i64 h2, %b\nset.i64 h3, %1\nexit 0",
      "set:h2 call set:h2 set:h3 exit" },
    { "a slot not seen by a pure helper", OPT_DEAD,
      START "set.i64 h2, %a\n%1 = call.i64 pure2(%a, %b)\nset.i64 h2, %1\nexit 0",
      "call set:h2 exit" },
    { "a pure call without use", OPT_DEAD, START "%1 = call.i64 pure2(%a, %b)\nexit 0", "exit" },
    { "a slot under merged accesses", OPT_DEAD,
      START "%c = check.i64 u1:0 [%a], 16\nset.i64 h2, %a\n%1 = ldh.i64 u8:0 [%a], %c\n"
            "set.i64 h2, %b\nexit 0",
      "check ldh set:h2 exit" },
    { "NaNs between arithmetic", OPT_FCANON | OPT_DEAD,
      FSTART "%1 = fadd.f64 %f, %g\n%2 = fcanon.f64 %1\n%3 = fmul.f64 %2, %2\n%4 = fcanon.f64 %3\n"
             "set.f64 f2, %4\nexit 0",
      "fadd fmul fcanon set:f2 exit" },
    { "a NaN that is seen too", OPT_FCANON | OPT_DEAD,
      FSTART
      "%1 = fadd.f64 %f, %g\n%2 = fcanon.f64 %1\n%3 = fmul.f64 %2, %2\nset.f64 f2, %2\nexit 0",
      "fadd fcanon fmul set:f2 exit" },
    { "a NaN that may signal", OPT_FCANON | OPT_DEAD,
      FSTART "%2 = fcanon.f64 %f\n%3 = fmul.f64 %2, %2\nexit 0", "fcanon fmul exit" },
    { "a NaN whose bits are moved", OPT_FCANON | OPT_DEAD,
      FSTART
      "%1 = fadd.f64 %f, %g\n%2 = fcanon.f64 %1\n%3 = fsgnx.f64 %2, %g\nset.f64 f2, %3\nexit 0",
      "fadd fcanon fsgnx set:f2 exit" },
    { "two loads from one base", OPT_MERGE,
      START "%1 = ld.i64 u8:0 [%a]\n%2 = ld.i64 u8:0 [%a + 8]\nexit 0", "check ldh ldh exit" },
    { "one load alone", OPT_MERGE, START "%1 = ld.i64 u8:0 [%a]\nexit 0", "ld exit" },
    { "two bases in turn", OPT_MERGE,
      START "%1 = ld.i64 u8:0 [%a]\ninsn 0x1004, 1\n%2 = ld.i64 u8:0 [%b]\ninsn 0x1008, 2\n"
            "%3 = ld.i64 u8:0 [%a + 8]\ninsn 0x100c, 3\nst.i64 u8:0 [%b + 8], %3\nexit 0",
      "check ldh check ldh ldh sth exit" },
    { "a base and what is a constant away from it", OPT_MERGE,
      START "%1 = ld.i64 u8:0 [%a]\ninsn 0x1004, 1\n%k = const.i64 -32\n%s = add.i64 %a, %k\n"
            "set.i64 h0, %s\ninsn 0x1008, 2\nst.i64 u8:0 [%s + 24], %b\nexit 0",
      "check ldh add set:h0 sth exit" },
    { "two modes", OPT_MERGE, START "%1 = ld.i64 u8:0 [%a]\n%2 = ld.i64 u8:1 [%a + 8]\nexit 0",
      "ld ld exit" },
    { "too far apart", OPT_MERGE,
      START "%1 = ld.i64 u8:0 [%a]\n%2 = ld.i64 u8:0 [%a + 4000]\nexit 0", "ld ld exit" },
    { "something happened before in the instruction", OPT_MERGE,
      START "set.i64 h2, %a\n%1 = ld.i64 u8:0 [%a]\n%2 = ld.i64 u8:0 [%a + 8]\nexit 0",
      "set:h2 ld ld exit" },
    { "a fence between", OPT_MERGE,
      START "%1 = ld.i64 u8:0 [%a]\nfence rw, rw\n%2 = ld.i64 u8:0 [%a + 8]\nexit 0",
      "ld fence ld exit" },
    { "a helper between", OPT_MERGE,
      START "%1 = ld.i64 u8:0 [%a]\n%x = call.i64 seen()\n%2 = ld.i64 u8:0 [%a + 8]\nexit 0",
      "ld call ld exit" },
    { "an x87 instruction between", OPT_MERGE,
      START "%1 = ld.i64 u8:0 [%a]\n%x = call.i64 seen(), 0x8c1\n"
            "%2 = ld.i64 u8:0 [%a + 8]\nexit 0",
      "check ldh call ldh exit" },
    { "a check joins loads", OPT_MERGE,
      START "%1 = ld.i64 u8:0 [%a]\ninsn 0x1004, 1\n%c = check.i64 u1w:0 [%a + 8], 10\n"
            "sth.i64 u8:0 [%a + 8], %b, %c\n%w = trunc.i32 %b\n"
            "sth.i32 u2:0 [%a + 16], %w, %c\nexit 0",
      "check ldh sth trunc sth exit" },
    { "a check that comes first", OPT_MERGE,
      START "%c = check.i64 u1w:0 [%a], 8\nsth.i64 u8:0 [%a], %b, %c\n"
            "insn 0x1004, 1\n%1 = ld.i64 u8:0 [%a + 8]\nexit 0",
      "check sth ldh exit" },
    { "a check alone", OPT_MERGE,
      START "%c = check.i64 u1w:0 [%a], 8\nsth.i64 u8:0 [%a], %b, %c\nexit 0", "check sth exit" },
    { "a side exit between", OPT_MERGE,
      START "%1 = ld.i64 u8:0 [%a]\nexitif.eq.i64 %1, %b, 5\n%2 = ld.i64 u8:0 [%a + 8]\nexit 0",
      "check ldh exitif ldh exit" },
    { "accesses that must be aligned", OPT_MERGE,
      START "%1 = ld.i64 u8al:0 [%a]\n%2 = ld.i64 u8al:0 [%a + 8]\nexit 0", "ld ld exit" },
    { "aligned vectors, and what is between", OPT_MERGE,
      START "%1 = ld.v128 u16al:0 [%a]\n%2 = ld.v128 u16al:0 [%a + 32]\n"
            "%3 = ld.i64 u8:0 [%a + 20]\nexit 0",
      "check ldh ldh ldh exit" },
    { "vectors that cannot be aligned both", OPT_MERGE,
      START "%1 = ld.v128 u16al:0 [%a]\n%2 = ld.v128 u16al:0 [%a + 24]\nexit 0", "ld ld exit" },
};

static void test_case(const void *opaque)
{
    const struct one *c = opaque;
    struct ir ir;
    char *ops, *wrong;

    parse(&ir, c->text);
    opt_run(&ir, scratch, c->pass);
    wrong = ir_verify(&ir);
    g_assert_cmpstr(wrong, ==, NULL);
    ops = ops_of(&ir);
    g_assert_cmpstr(ops, ==, c->ops);
    g_free(ops);
}

/* The check's range holds all members', and it is for stores if one is. */
static void test_check_range(void)
{
    const struct ir_insn *check = NULL;
    struct ir ir;

    parse(&ir, START "%1 = ld.i64 u8:2 [%a + 16]\n%2 = ld.i64 u4:2 [%a + -4]\n"
                     "st.i64 u2:2 [%a + 40], %b\nexit 0");
    opt_run(&ir, scratch, OPT_MERGE);
    for (uint32_t n = 1; n < ir.count; n++) {
        if (ir.insn[n].op == IR_CHECK)
            check = &ir.insn[n];
    }
    g_assert_nonnull(check);
    g_assert_cmpint(check->imm, ==, -4);
    g_assert_cmpuint(check->c, ==, 46);
    g_assert_cmphex(check->mem, ==, IR_MEM(0, 2, IR_MEM_WRITE));
}

/* A range with aligned accesses begins at a place aligned like them. */
static void test_check_aligned(void)
{
    const struct ir_insn *check = NULL;
    struct ir ir;

    parse(&ir, START "%1 = ld.i64 u8:1 [%a + 4]\n%2 = ld.v128 u16al:1 [%a + 40]\nexit 0");
    opt_run(&ir, scratch, OPT_MERGE);
    g_assert_null(ir_verify(&ir));
    for (uint32_t n = 1; n < ir.count; n++) {
        if (ir.insn[n].op == IR_CHECK)
            check = &ir.insn[n];
    }
    g_assert_nonnull(check);
    g_assert_cmpint(check->imm, ==, -8);
    g_assert_cmpuint(check->c, ==, 64);
    g_assert_cmphex(check->mem, ==, IR_MEM(4, 1, IR_MEM_ALIGNED));
}

/* Without room for the CHECK nothing is merged. */
static void test_no_room(void)
{
    struct ir ir;
    uint32_t count;

    parse(&ir, START "%1 = ld.i64 u8:0 [%a]\n%2 = ld.i64 u8:0 [%a + 8]\nexit 0");
    count = ir.max = ir.count;
    opt_run(&ir, scratch, OPT_MERGE);
    g_assert_cmpuint(ir.count, ==, count);
    g_assert_null(ir_verify(&ir));
}

static void test_uses(void)
{
    uint32_t last[MAX_INSNS];
    struct ir ir;

    parse(&ir, "insn 0x1000, 0\n%2 = get.i64 h0\n%3 = get.i64 h1\n%4 = add.i64 %2, %3\n"
               "%5 = add.i64 %4, %2\nexit 0");
    opt_uses(&ir, last);
    g_assert_cmpuint(last[2], ==, 5);
    g_assert_cmpuint(last[3], ==, 4);
    g_assert_cmpuint(last[4], ==, 5);
    g_assert_cmpuint(last[5], ==, 0);
    g_assert_cmpuint(last[1], ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned n = 0; n < G_N_ELEMENTS(cases); n++) {
        char *path = g_strdup_printf("/ir/opt/%s", cases[n].what);
        g_test_add_data_func(path, &cases[n], test_case);
        g_free(path);
    }
    g_test_add_func("/ir/opt/check-range", test_check_range);
    g_test_add_func("/ir/opt/check-aligned", test_check_aligned);
    g_test_add_func("/ir/opt/no-room", test_no_room);
    g_test_add_func("/ir/opt/uses", test_uses);
    return g_test_run();
}
