/*
 * An instruction that ended the unit can be taken back, and another end put in its place: what the
 * driver of front ends does with a jump that reaches into a page not entered yet.
 */
#include <glib.h>
#include <tcg/ir.h>

static const struct ir_slot slot[] = { { "a", 0, IR_I64 } };
static const struct ir_slots slots = { slot, 1, NULL, 0 };

static void test_end_again(void)
{
    static struct ir_insn buf[64];
    static struct ir ir;

    ir_init(&ir, buf, G_N_ELEMENTS(buf), &slots);
    ir_begin(&ir, 0x1000, 0);
    ir_insn_start(&ir, 0x1000);
    ir_set(&ir, 0, ir_imm64(&ir, 5));
    struct ir_mark mark = ir_mark(&ir);
    ir_insn_start(&ir, 0x1002);
    ir_exit_ind(&ir, ir_get(&ir, 0));
    g_assert_true(ir.ended);
    ir_rewind(&ir, &mark);
    g_assert_false(ir.ended);
    ir_exit(&ir, 0x1002);
    g_assert_cmpint(ir.insn[ir.count - 1].op, ==, IR_EXIT);
    g_assert_cmpint(ir.insn[ir.count - 1].imm, ==, 0x1002);
    g_assert_cmpint(ir.ninsns, ==, 1);
    g_assert_null(ir_verify(&ir));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ir/rewind", test_end_again);
    return g_test_run();
}
