/*
 * x86 task switches: JMP, CALL with IRET back, through a task gate, what is wrong with a new task,
 * and a 16-bit TSS.
 */
#include "x86sys.h"

#define HOT(n) (s.c->cpu.tcg.hot[n])

static void put_task(struct x86sys *s)
{
    static const struct {
        uint8_t at;
        uint32_t val;
    } fields[] = {
        { 32, 0x50000 },   { 36, FLAG_IF | FLAG_ZF },
        { 40, 0xaaaa },    { 44, 0xcccc },
        { 56, 0x7000 },    { 72, SEL_DATA0 },
        { 76, SEL_CODE0 }, { 80, SEL_DATA0 },
        { 84, SEL_DATA3 }, { 88, 0 },
        { 92, 0 },         { 96, 0 },
    };

    for (unsigned k = 0; k < 0x68; k += 4)
        x86sys_put(s, X86SYS_TSS2 + k, 4, 0);
    for (unsigned k = 0; k < ARRAY_LEN(fields); k++)
        x86sys_put(s, X86SYS_TSS2 + fields[k].at, 4, fields[k].val);
}

static void make(struct x86sys *s)
{
    x86sys_new(s, "i386", "pentium3");
    x86sys_protected(s);
    put_task(s);
    s->c->cpu.tcg.hot[R_BX] = 0xbbbb;
}

static unsigned type_of(struct x86sys *s, uint16_t sel)
{
    return x86sys_get(s, X86SYS_GDT + sel + 5, 1) & 15;
}

static void check_new(struct x86sys *s)
{
    g_assert_cmphex(s->c->cpu.tcg.pc, ==, 0x50000);
    g_assert_cmphex(s->c->cpu.tcg.hot[R_AX], ==, 0xaaaa);
    g_assert_cmphex(s->c->cpu.tcg.hot[R_SP], ==, 0x7000);
    g_assert_cmphex(s->c->seg[S_DS].selector, ==, SEL_DATA3);
    g_assert_cmphex(s->c->tr.selector, ==, SEL_TSS2);
    g_assert_true(s->c->cr0 & CR0_TS);
    g_assert_cmpint(type_of(s, SEL_TSS2), ==, 11);
}

static void jump(void)
{
    struct x86sys s;

    make(&s);
    g_assert_true(TRY(&s, x86_far_jmp(s.c, SEL_TSS2, 0, 2, 0x30007)));
    check_new(&s);
    g_assert_cmphex(x86_eflags(s.c), ==, FLAG_IF | FLAG_ZF | FLAG_FIXED);
    g_assert_cmpint(type_of(&s, SEL_TSS), ==, 9); /* not busy any more */
    g_assert_cmphex(x86sys_get(&s, X86SYS_TSS + 32, 4), ==, 0x30007);
    g_assert_cmphex(x86sys_get(&s, X86SYS_TSS + 52, 4), ==, 0xbbbb);
    g_assert_cmphex(x86sys_get(&s, X86SYS_TSS + 76, 2), ==, SEL_CODE0);
    x86sys_free(&s);
}

static void call_and_return(void)
{
    struct x86sys s;

    make(&s);
    g_assert_true(TRY(&s, x86_far_call(s.c, SEL_TASK, 0, 2, 0x30007)));
    check_new(&s);
    g_assert_true(s.c->eflags & FLAG_NT);
    g_assert_cmpint(type_of(&s, SEL_TSS), ==, 11);
    g_assert_cmphex(x86sys_get(&s, X86SYS_TSS2, 2), ==, SEL_TSS);
    g_assert_true(TRY(&s, x86_iret(s.c, 2, 0x50001)));
    g_assert_cmphex(s.c->cpu.tcg.pc, ==, 0x30007);
    g_assert_cmphex(HOT(R_BX), ==, 0xbbbb);
    g_assert_cmphex(HOT(R_SP), ==, X86SYS_STACK0 + 0x800);
    g_assert_cmpint(type_of(&s, SEL_TSS2), ==, 9);
    g_assert_cmphex(x86sys_get(&s, X86SYS_TSS2 + 32, 4), ==, 0x50001);
    g_assert_cmphex(x86sys_get(&s, X86SYS_TSS2 + 36, 4) & FLAG_NT, ==, 0);
    x86sys_free(&s);
}

/* An exception with an error code through a task gate: it is on the new task's stack. */
static void exception(void)
{
    struct x86sys s;

    make(&s);
    x86sys_gate(&s, EXC_GP, SEL_TSS2, 5, 0, 0);
    g_assert_false(TRY(&s, x86_raise_err(s.c, EXC_GP, 0x1230)));
    g_assert_cmphex(s.c->cpu.tcg.pc, ==, 0x50000);
    g_assert_cmphex(HOT(R_SP), ==, 0x6ffc);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, 0x1230);
    g_assert_cmphex(x86sys_get(&s, X86SYS_TSS + 32, 4), ==, 0x30000);
    x86sys_free(&s);
}

/* Segments are checked in the new task: it gets the exception. */
static void bad_segment(void)
{
    struct x86sys s;

    make(&s);
    x86sys_put(&s, X86SYS_TSS2 + 84, 4, SEL_XONLY);
    g_assert_false(TRY(&s, x86_far_jmp(s.c, SEL_TSS2, 0, 2, 0x30007)));
    g_assert_cmpint(x86sys_vector(&s), ==, EXC_TS);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, SEL_XONLY & ~3);
    g_assert_cmphex(x86sys_frame(&s, 1), ==, 0x50000);
    g_assert_cmphex(s.c->tr.selector, ==, SEL_TSS2);
    x86sys_free(&s);
}

static void busy(void)
{
    struct x86sys s;

    make(&s);
    g_assert_false(TRY(&s, x86_far_jmp(s.c, SEL_TSS, 0, 2, 0x30007)));
    g_assert_cmpint(x86sys_vector(&s), ==, EXC_GP);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, SEL_TSS);
    g_assert_cmphex(s.c->tr.selector, ==, SEL_TSS);
    x86sys_free(&s);
}

/* 44 bytes, words of 16 bits. */
static void old_tss(void)
{
    static const uint16_t words[] = { 0,         0,         0,         0,      0,      0,
                                      0,         0x4000,    0,         0x1111, 0x2222, 0x3333,
                                      0x4444,    0x7000,    0x6666,    0x7777, 0x8888, SEL_DATA0,
                                      SEL_CODE0, SEL_DATA0, SEL_DATA0, 0 };
    struct x86sys s;

    make(&s);
    for (unsigned k = 0; k < ARRAY_LEN(words); k++)
        x86sys_put(&s, X86SYS_TSS2 + 2 * k, 2, words[k]);
    x86sys_put(&s, X86SYS_GDT + SEL_TSS2 + 5, 1, 0x81);
    g_assert_true(TRY(&s, x86_far_jmp(s.c, SEL_TSS2, 0, 2, 0x30007)));
    g_assert_cmphex(s.c->cpu.tcg.pc, ==, 0x4000);
    g_assert_cmphex(HOT(R_AX) & 0xffff, ==, 0x1111);
    g_assert_cmphex(HOT(R_DI) & 0xffff, ==, 0x8888);
    g_assert_cmpint(type_of(&s, SEL_TSS2), ==, 3);
    x86sys_free(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/x86/task/jump", jump);
    g_test_add_func("/x86/task/call-and-return", call_and_return);
    g_test_add_func("/x86/task/exception", exception);
    g_test_add_func("/x86/task/bad-segment", bad_segment);
    g_test_add_func("/x86/task/busy", busy);
    g_test_add_func("/x86/task/old-tss", old_tss);
    return g_test_run();
}
