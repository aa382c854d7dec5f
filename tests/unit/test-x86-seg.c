/*
 * x86 segment loads, system descriptors, and far transfers: checks with their error codes, changes
 * of privilege, call gates.
 */
#include "x86sys.h"

#define SP (s.c->cpu.tcg.hot[R_SP])

/* What loading @sel into @nr at the current privilege comes to: vector << 16 | error code; 0: fine.
 */
static uint32_t outcome(struct x86sys *s, unsigned nr, uint16_t sel)
{
    uint64_t sp = s->c->cpu.tcg.hot[R_SP];

    if (TRY(s, x86_seg_load(s->c, nr, sel)))
        return 0;
    g_assert_cmphex(s->c->cpu.tcg.hot[R_SP], !=, sp);
    return (uint32_t)x86sys_vector(s) << 16 | (uint32_t)x86sys_frame(s, 0);
}

struct load {
    bool user;
    uint8_t nr;
    uint16_t sel;
    uint32_t result;
};
#define GP(err) (EXC_GP << 16 | (err))
#define NP(err) (EXC_NP << 16 | (err))
#define SS(err) (EXC_SS << 16 | (err))

static const struct load loads[] = {
    { false, S_DS, SEL_DATA3, 0 },
    { false, S_DS, 0, 0 },
    { false, S_DS, SEL_CODE0, 0 }, /* readable */
    { false, S_DS, SEL_XONLY, GP(SEL_XONLY & ~3) },
    { false, S_ES, SEL_TSS, GP(SEL_TSS) }, /* not a segment */
    { false, S_ES, 0x200, GP(0x200) },     /* beyond the table */
    { false, S_ES, 0x0c, GP(0x0c) },       /* no LDT */
    { false, S_FS, SEL_ABSENT, NP(SEL_ABSENT & ~3) },
    { false, S_FS, SEL_DATA0 | 1, GP(SEL_DATA0) }, /* RPL 1, DPL 0 */
    { true, S_GS, SEL_DATA0, GP(SEL_DATA0) },
    { true, S_GS, SEL_CONF, 0 },
    { true, S_GS, SEL_RO, 0 },
    { false, S_SS, SEL_DATA0, 0 },
    { false, S_SS, 0, GP(0) },
    { false, S_SS, SEL_DATA3, GP(SEL_DATA3 & ~3) },
    { false, S_SS, SEL_CODE0, GP(SEL_CODE0) },
    { true, S_SS, SEL_RO, GP(SEL_RO & ~3) },
    { true, S_SS, SEL_ABSENT, SS(SEL_ABSENT & ~3) },
    { true, S_SS, SEL_DOWN, 0 },
};

static void data_loads(void)
{
    for (unsigned k = 0; k < ARRAY_LEN(loads); k++) {
        const struct load *l = &loads[k];
        struct x86sys s;

        x86sys_new(&s, "i386", "pentium3");
        x86sys_protected(&s);
        if (l->user)
            x86sys_user(&s);
        g_test_message("load %u: register %u, selector %x", k, l->nr, l->sel);
        g_assert_cmphex(outcome(&s, l->nr, l->sel), ==, l->result);
        if (!l->result)
            g_assert_cmphex(s.c->seg[l->nr].selector, ==, l->sel);
        x86sys_free(&s);
    }
}

static void accessed(void)
{
    struct x86sys s;

    x86sys_new(&s, "i386", "pentium3");
    x86sys_protected(&s);
    g_assert_cmphex(x86sys_get(&s, X86SYS_GDT + (SEL_DATA3 & ~7) + 5, 1), ==, 0xf2);
    g_assert_cmphex(outcome(&s, S_DS, SEL_DATA3), ==, 0);
    g_assert_cmphex(x86sys_get(&s, X86SYS_GDT + (SEL_DATA3 & ~7) + 5, 1), ==, 0xf3);
    g_assert_cmphex(s.c->seg[S_DS].attr, ==, 0xc0f3);
    x86sys_free(&s);
}

static void limits(void)
{
    struct x86sys s;

    x86sys_new(&s, "i386", "pentium3");
    x86sys_protected(&s);
    g_assert_cmphex(outcome(&s, S_DS, SEL_DOWN), ==, 0);
    g_assert_cmpint(s.c->seg_limit[S_DS], ==, -1);
    g_assert_false(x86_seg_ok(s.c, S_DS, 0xffff, 1, false));
    g_assert_true(x86_seg_ok(s.c, S_DS, 0x10000, 4, true));
    g_assert_true(x86_seg_ok(s.c, S_DS, 0xfffffffc, 4, true));
    g_assert_false(x86_seg_ok(s.c, S_DS, 0xfffffffd, 4, true));
    g_assert_cmphex(outcome(&s, S_DS, SEL_RO), ==, 0);
    g_assert_true(x86_seg_ok(s.c, S_DS, 0, 4, false));
    g_assert_false(x86_seg_ok(s.c, S_DS, 0, 4, true));
    g_assert_cmphex(outcome(&s, S_DS, 0), ==, 0);
    g_assert_false(x86_seg_ok(s.c, S_DS, 0, 1, false));
    x86sys_free(&s);
}

/* Real mode keeps the limit; virtual-8086 mode does not. */
static void big_real(void)
{
    struct x86sys s;

    x86sys_new(&s, "i386", "pentium3");
    x86sys_protected(&s);
    x86_set_cr0(s.c, s.c->cr0 & ~CR0_PE);
    x86_seg_load(s.c, S_ES, 0x1234);
    g_assert_cmphex(s.c->seg_base[S_ES], ==, 0x12340);
    g_assert_cmphex(s.c->seg_limit[S_ES], ==, UINT32_MAX);
    x86sys_free(&s);
}

static void inspection(void)
{
    struct x86sys s;
    uint32_t v;

    x86sys_new(&s, "i386", "pentium3");
    x86sys_protected(&s);
    g_assert_true(x86_lar(s.c, SEL_DATA0, &v));
    g_assert_cmphex(v, ==, 0xc09300);
    g_assert_true(x86_lar(s.c, SEL_GATE, &v));
    g_assert_false(x86_lsl(s.c, SEL_GATE, &v));
    g_assert_true(x86_lsl(s.c, SEL_DATA0, &v));
    g_assert_cmphex(v, ==, UINT32_MAX);
    g_assert_true(x86_verify(s.c, SEL_RO, false));
    g_assert_false(x86_verify(s.c, SEL_RO, true));
    g_assert_false(x86_verify(s.c, SEL_XONLY, false));
    g_assert_false(x86_lar(s.c, 0, &v));
    x86sys_user(&s);
    g_assert_false(x86_lar(s.c, SEL_DATA0, &v));
    g_assert_true(x86_lar(s.c, SEL_CONF, &v));
    x86sys_free(&s);
}

static void far_calls(void)
{
    struct x86sys s;

    x86sys_new(&s, "i386", "pentium3");
    x86sys_protected(&s);
    x86sys_user(&s);
    /* Conforming: the privilege stays. */
    g_assert_true(TRY(&s, x86_far_call(s.c, SEL_CONF, 0x50000, 2, 0x30007)));
    g_assert_cmphex(s.c->seg[S_CS].selector, ==, SEL_CONF | 3);
    g_assert_cmphex(s.c->cpu.tcg.pc, ==, 0x50000);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, 0x30007);
    g_assert_true(TRY(&s, x86_far_ret(s.c, 2, 0)));
    g_assert_cmphex(s.c->seg[S_CS].selector, ==, SEL_CODE3);
    /* To an inner privilege without a gate. */
    g_assert_false(TRY(&s, x86_far_jmp(s.c, SEL_CODE0, 0, 2, 0)));
    g_assert_cmpint(x86sys_vector(&s), ==, EXC_GP);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, SEL_CODE0);
    x86sys_free(&s);
}

static void call_gate(void)
{
    struct x86sys s;

    x86sys_new(&s, "i386", "pentium3");
    x86sys_protected(&s);
    x86sys_user(&s);
    x86sys_put(&s, X86SYS_STACK3, 4, 0x11111111);
    x86sys_put(&s, X86SYS_STACK3 + 4, 4, 0x22222222);
    g_assert_true(TRY(&s, x86_far_call(s.c, SEL_GATE, 0, 2, 0x30007)));
    g_assert_cmpint(x86_cpl(s.c), ==, 0);
    g_assert_cmphex(s.c->cpu.tcg.pc, ==, X86SYS_HANDLER);
    g_assert_cmphex(SP, ==, X86SYS_STACK0 - 24);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, 0x30007);
    g_assert_cmphex(x86sys_frame(&s, 1), ==, SEL_CODE3);
    g_assert_cmphex(x86sys_frame(&s, 2), ==, 0x11111111);
    g_assert_cmphex(x86sys_frame(&s, 3), ==, 0x22222222);
    g_assert_cmphex(x86sys_frame(&s, 4), ==, X86SYS_STACK3);
    g_assert_cmphex(x86sys_frame(&s, 5), ==, SEL_DATA3);
    g_assert_cmphex(outcome(&s, S_DS, SEL_DATA0), ==, 0);
    g_assert_true(TRY(&s, x86_far_ret(s.c, 2, 8)));
    g_assert_cmpint(x86_cpl(s.c), ==, 3);
    g_assert_cmphex(SP, ==, X86SYS_STACK3 + 8);
    g_assert_cmphex(s.c->seg[S_DS].selector, ==, 0); /* not for ring 3 */
    x86sys_free(&s);
}

static void call_gate_long(void)
{
    struct x86sys s;

    x86sys_new(&s, "x86_64", "max");
    x86sys_long_mode(&s);
    x86sys_user(&s);
    g_assert_true(TRY(&s, x86_far_call(s.c, SEL_GATE, 0, 2, 0x30007)));
    g_assert_cmpint(x86_cpl(s.c), ==, 0);
    g_assert_cmphex(SP, ==, X86SYS_STACK0 - 32);
    g_assert_cmphex(s.c->seg[S_SS].selector, ==, 0);
    g_assert_true(TRY(&s, x86_far_ret(s.c, 3, 0)));
    g_assert_cmphex(SP, ==, X86SYS_STACK3);
    x86sys_free(&s);
}

static void local_table(void)
{
    struct x86sys s;

    x86sys_new(&s, "x86_64", "max");
    x86sys_long_mode(&s);
    g_assert_true(TRY(&s, x86_lldt(s.c, SEL_LDT)));
    g_assert_cmphex(s.c->ldt.base, ==, X86SYS_LDT);
    x86sys_put(&s, X86SYS_LDT + 8, 8, 0x00cff3000000ffff);
    g_assert_cmphex(outcome(&s, S_DS, 0x0f), ==, 0);
    g_assert_false(TRY(&s, x86_ltr(s.c, SEL_TSS))); /* busy */
    g_assert_cmphex(x86sys_frame(&s, 0), ==, SEL_TSS);
    x86sys_free(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/x86/seg/loads", data_loads);
    g_test_add_func("/x86/seg/accessed", accessed);
    g_test_add_func("/x86/seg/limits", limits);
    g_test_add_func("/x86/seg/big-real", big_real);
    g_test_add_func("/x86/seg/inspection", inspection);
    g_test_add_func("/x86/seg/far-calls", far_calls);
    g_test_add_func("/x86/seg/call-gate", call_gate);
    g_test_add_func("/x86/seg/call-gate-long", call_gate_long);
    g_test_add_func("/x86/seg/local-table", local_table);
    return g_test_run();
}
