/*
 * Entering handlers of x86 exceptions and interrupts: frames, error codes, CR2, stacks, double and
 * triple faults, software interrupts, in real, protected, virtual-8086 and long mode.
 */
#include "target/x86/debug.h"
#include "x86sys.h"

#define SP (s.c->cpu.tcg.hot[R_SP])

static void same_level_long(void)
{
    struct x86sys s;

    x86sys_new(&s, "x86_64", "max");
    x86sys_long_mode(&s);
    SP = X86SYS_STACK0 + 0x7fc; /* is aligned to 16 first */
    x86_set_eflags(s.c, FLAG_IF | FLAG_CF | FLAG_TF | FLAG_NT, ~0u);
    g_assert_false(TRY(&s, x86_raise_err(s.c, EXC_GP, 0x1234)));
    g_assert_cmpint(x86sys_vector(&s), ==, EXC_GP);
    g_assert_cmphex(SP, ==, X86SYS_STACK0 + 0x7f0 - 48);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, 0x1234);
    g_assert_cmphex(x86sys_frame(&s, 1), ==, 0x30000);
    g_assert_cmphex(x86sys_frame(&s, 2), ==, SEL_CODE0);
    g_assert_cmphex(x86sys_frame(&s, 3), ==,
                    FLAG_IF | FLAG_CF | FLAG_TF | FLAG_NT | FLAG_RF | FLAG_FIXED);
    g_assert_cmphex(x86sys_frame(&s, 4), ==, X86SYS_STACK0 + 0x7fc);
    g_assert_cmphex(x86sys_frame(&s, 5), ==, SEL_DATA0);
    g_assert_cmphex(s.c->seg[S_SS].selector, ==, SEL_DATA0);
    g_assert_cmphex(x86_eflags(s.c), ==, FLAG_CF | FLAG_FIXED);
    x86sys_free(&s);
}

static void inner_level_long(void)
{
    struct x86sys s;

    x86sys_new(&s, "x86_64", "max");
    x86sys_long_mode(&s);
    x86sys_user(&s);
    g_assert_false(TRY(&s, x86_raise(s.c, EXC_UD)));
    g_assert_cmpint(x86sys_vector(&s), ==, EXC_UD);
    g_assert_cmphex(SP, ==, X86SYS_STACK0 - 40);
    g_assert_cmphex(x86sys_frame(&s, 1), ==, SEL_CODE3);
    g_assert_cmphex(x86sys_frame(&s, 3), ==, X86SYS_STACK3);
    g_assert_cmphex(x86sys_frame(&s, 4), ==, SEL_DATA3);
    g_assert_cmphex(s.c->seg[S_SS].selector, ==, 0);
    g_assert_cmpint(x86_cpl(s.c), ==, 0);
    /* And back. */
    g_assert_true(TRY(&s, x86_iret(s.c, 3, 0)));
    g_assert_cmpint(x86_cpl(s.c), ==, 3);
    g_assert_cmphex(s.c->cpu.tcg.pc, ==, 0x30000);
    g_assert_cmphex(SP, ==, X86SYS_STACK3);
    x86sys_free(&s);
}

static void ist(void)
{
    struct x86sys s;

    x86sys_new(&s, "x86_64", "max");
    x86sys_long_mode(&s);
    x86sys_gate(&s, EXC_DF, SEL_CODE0, 14, 0, 1);
    g_assert_false(TRY(&s, x86_raise_err(s.c, EXC_DF, 0)));
    g_assert_cmphex(SP, ==, X86SYS_IST1 - 48);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, 0);
    x86sys_free(&s);
}

static void page_fault(void)
{
    struct x86sys s;
    struct cpu_fault f = { FAULT_PAGE, ACCESS_WRITE, 0x123456789, 6 };

    x86sys_new(&s, "x86_64", "max");
    x86sys_long_mode(&s);
    x86_take_fault(&s.c->cpu, &f);
    g_assert_cmpint(x86sys_vector(&s), ==, EXC_PF);
    g_assert_cmphex(s.c->cr2, ==, 0x123456789);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, 6);
    x86sys_free(&s);
}

/* The stack is not mapped: a page fault on the way to a page fault. */
static void double_fault(void)
{
    struct cpu_fault f = { FAULT_PAGE, ACCESS_READ, 0x5000, 0 };
    struct x86sys s;

    x86sys_new(&s, "x86_64", "max");
    x86sys_long_mode(&s);
    x86sys_gate(&s, EXC_DF, SEL_CODE0, 14, 0, 1);
    SP = 0x80000000; /* beyond the first GiB */
    g_assert_false(TRY(&s, x86_take_fault(&s.c->cpu, &f)));
    g_assert_cmpint(x86sys_vector(&s), ==, EXC_DF);
    g_assert_cmphex(s.c->cr2, ==, 0x7ffffff8);
    g_assert_cmphex(x86sys_frame(&s, 4), ==, 0x80000000);
    x86sys_free(&s);
}

static void triple_fault(void)
{
    struct x86sys s;

    x86sys_new(&s, "x86_64", "max");
    x86sys_long_mode(&s);
    s.c->idt.limit = 0;
    g_assert_false(TRY(&s, x86_raise(s.c, EXC_UD)));
    g_assert_cmpint(s.shutdowns, ==, 1);
    x86sys_free(&s);
}

/* An exception that is not contributory does not double: the second is just taken. */
static void benign(void)
{
    struct x86sys s;

    x86sys_new(&s, "x86_64", "max");
    x86sys_long_mode(&s);
    x86sys_put(&s, X86SYS_IDT + 16 * EXC_UD, 8, 0);
    g_assert_false(TRY(&s, x86_raise(s.c, EXC_UD)));
    g_assert_cmpint(x86sys_vector(&s), ==, EXC_GP);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, EXC_UD * 8 + 2 + 1); /* IDT, EXT */
    x86sys_free(&s);
}

static void software(void)
{
    struct x86sys s;

    x86sys_new(&s, "x86_64", "max");
    x86sys_long_mode(&s);
    x86sys_user(&s);
    g_assert_true(TRY(&s, x86_software_interrupt(s.c, 0x80, EVENT_SOFT, 0x30002)));
    g_assert_cmpint(x86sys_vector(&s), ==, 0x80);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, 0x30002);
    x86sys_long_mode(&s);
    x86sys_user(&s);
    g_assert_false(TRY(&s, x86_software_interrupt(s.c, 0x20, EVENT_SOFT, 0x30002)));
    g_assert_cmpint(x86sys_vector(&s), ==, EXC_GP);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, 0x20 * 8 + 2); /* without EXT */
    g_assert_cmphex(x86sys_frame(&s, 1), ==, 0x30000);
    x86sys_free(&s);
}

static void inner_level_32(void)
{
    struct x86sys s;

    x86sys_new(&s, "i386", "pentium3");
    x86sys_protected(&s);
    x86sys_user(&s);
    g_assert_false(TRY(&s, x86_raise_err(s.c, EXC_NP, 0x50)));
    g_assert_cmpint(x86sys_vector(&s), ==, EXC_NP);
    g_assert_cmphex(SP, ==, X86SYS_STACK0 - 24);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, 0x50);
    g_assert_cmphex(x86sys_frame(&s, 2), ==, SEL_CODE3);
    g_assert_cmphex(x86sys_frame(&s, 5), ==, SEL_DATA3);
    g_assert_cmphex(s.c->seg[S_SS].selector, ==, SEL_DATA0);
    x86sys_free(&s);
}

/* A bad stack segment in the TSS: #TS with its selector, EXT set. */
static void bad_stack(void)
{
    struct x86sys s;

    x86sys_new(&s, "i386", "pentium3");
    x86sys_protected(&s);
    x86sys_user(&s);
    x86sys_gate(&s, EXC_TS, SEL_CONF, 14, 0, 0); /* on the user's stack */
    x86sys_put(&s, X86SYS_TSS + 8, 4, SEL_CODE0);
    g_assert_false(TRY(&s, x86_raise(s.c, EXC_UD)));
    g_assert_cmpint(x86sys_vector(&s), ==, EXC_TS);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, SEL_CODE0 + 1);
    g_assert_cmphex(SP, ==, X86SYS_STACK3 - 16);
    x86sys_free(&s);
}

static void virtual_8086(void)
{
    static const uint16_t sels[] = { 0x1000, 0x2000, 0x900, 0x4000, 0x5000, 0x6000 };
    struct x86sys s;

    x86sys_new(&s, "i386", "pentium3");
    x86sys_protected(&s);
    x86_set_eflags(s.c, FLAG_VM | FLAG_IF | FLAG_IOPL, ~0u);
    for (unsigned k = 0; k < S_COUNT; k++)
        x86_seg_set_real(s.c, k, sels[k]);
    SP = 0x100;
    x86_set_pc(s.c, 0x77);
    g_assert_cmpint(x86_cpl(s.c), ==, 3);
    g_assert_true(TRY(&s, x86_enter(s.c, 0x21, EVENT_EXTERNAL, false, 0, x86_eip(s.c))));
    g_assert_cmpint(x86sys_vector(&s), ==, 0x21);
    g_assert_cmphex(SP, ==, X86SYS_STACK0 - 36);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, 0x77);
    g_assert_cmphex(x86sys_frame(&s, 1), ==, sels[S_CS]);
    g_assert_cmphex(x86sys_frame(&s, 2) & FLAG_VM, ==, FLAG_VM);
    g_assert_cmphex(x86sys_frame(&s, 4), ==, sels[S_SS]);
    g_assert_cmphex(x86sys_frame(&s, 5), ==, sels[S_ES]);
    g_assert_cmphex(x86sys_frame(&s, 8), ==, sels[S_GS]);
    g_assert_cmphex(s.c->seg[S_DS].selector, ==, 0);
    g_assert_true(TRY(&s, x86_iret(s.c, 2, 0)));
    g_assert_cmphex(s.c->cpu.tcg.pc, ==, 0x20077);
    g_assert_cmphex(s.c->seg_base[S_GS], ==, 0x60000);
    g_assert_cmpint(x86_cpl(s.c), ==, 3);
    /* INT n below IOPL 3. */
    s.c->eflags &= ~(uint64_t)FLAG_IOPL;
    g_assert_false(TRY(&s, x86_software_interrupt(s.c, 0x21, EVENT_SOFT, 0x79)));
    g_assert_cmpint(x86sys_vector(&s), ==, EXC_GP);
    x86sys_free(&s);
}

static void real_mode(void)
{
    struct x86sys s;

    x86sys_new(&s, "i386", "486");
    x86sys_put(&s, 0x21 * 4, 4, 0x1234abcd);
    x86_seg_set_real(s.c, S_CS, 0x3000);
    x86_seg_set_real(s.c, S_SS, 0x900);
    SP = 2; /* wraps */
    x86_set_pc(s.c, 0x10);
    x86_set_eflags(s.c, FLAG_IF | FLAG_ZF, ~0u);
    g_assert_true(TRY(&s, x86_software_interrupt(s.c, 0x21, EVENT_SOFT, 0x12)));
    g_assert_cmphex(s.c->cpu.tcg.pc, ==, 0x12340 + 0xabcd);
    g_assert_cmphex(SP, ==, 0xfffc);
    g_assert_cmphex(x86sys_get(&s, 0x9000, 2), ==, FLAG_IF | FLAG_ZF | FLAG_FIXED);
    g_assert_cmphex(x86sys_get(&s, 0x9000 + 0xfffe, 2), ==, 0x3000);
    g_assert_cmphex(x86sys_get(&s, 0x9000 + 0xfffc, 2), ==, 0x12);
    g_assert_cmphex(x86_eflags(s.c), ==, FLAG_ZF | FLAG_FIXED);
    g_assert_true(TRY(&s, x86_iret(s.c, 1, 0)));
    g_assert_cmphex(s.c->cpu.tcg.pc, ==, 0x30012);
    g_assert_cmphex(SP, ==, 2);
    x86sys_free(&s);
}

/* NMI is blocked until IRET; an interrupt waits behind STI for one instruction. */
static void inputs(void)
{
    struct x86sys s;
    struct cpu *cpu;

    x86sys_new(&s, "x86_64", "max");
    x86sys_long_mode(&s);
    cpu = &s.c->cpu;
    g_assert_false(x86_has_work(cpu));
    x86_set_irq(cpu, X86_IRQ_NMI, true);
    g_assert_true(x86_has_work(cpu));
    x86_shadow(s.c, cpu->tcg.pc);
    g_assert_false(x86_take_interrupt(cpu));
    g_assert_true(s.c->shadow);
    x86_end_shadow(s.c);
    g_assert_true(x86_take_interrupt(cpu));
    g_assert_cmpint(x86sys_vector(&s), ==, EXC_NMI);
    x86_set_irq(cpu, X86_IRQ_NMI, true);
    g_assert_false(x86_take_interrupt(cpu));
    g_assert_true(TRY(&s, x86_iret(s.c, 3, 0)));
    g_assert_true(x86_take_interrupt(cpu));
    /* Without IF the level of INTR counts for nothing. */
    x86_set_irq(cpu, X86_IRQ_INTR, true);
    g_assert_false(x86_has_work(cpu));
    x86sys_free(&s);
}

/* DR0 at an instruction: a fault in front of it, unless RF is set; DR1 at data: a trap behind. */
static void breakpoints(void)
{
    struct cpu_page page;
    struct cpu_fault f;
    struct x86sys s;

    x86sys_new(&s, "x86_64", "max");
    x86sys_long_mode(&s);
    s.c->dr[0] = 0x30000;
    s.c->dr[1] = 0x31008;
    x86_debug_write(s.c, 7, 1 << 0 | 1 << 2 | 0xd << 20); /* DR1: stores of 4 bytes */
    g_assert_true(x86_unit_flags(&s.c->cpu) & UF_DBG_CODE);
    s.c->eflags |= FLAG_RF;
    g_assert_true(TRY(&s, x86_debug_fetch(s.c)));
    g_assert_false(TRY(&s, x86_debug_fetch(s.c)));
    g_assert_cmpint(x86sys_vector(&s), ==, EXC_DB);
    g_assert_cmphex(s.c->dr[6] & 0xf, ==, 1);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, 0x30000);

    s.c->dr[6] = 0;
    g_assert_true(x86_map(&s.c->cpu, 0x31008, ACCESS_READ, MODE_KERNEL, false, &page, &f));
    g_assert_cmpint(page.size_bits, ==, 0);
    g_assert_false(x86_map(&s.c->cpu, 0x3100a, ACCESS_WRITE, MODE_KERNEL, false, &page, &f));
    x86_take_fault(&s.c->cpu, &f);
    g_assert_true(x86_unit_flags(&s.c->cpu) & UF_TF);
    g_assert_true(x86_map(&s.c->cpu, 0x3100a, ACCESS_WRITE, MODE_KERNEL, false, &page, &f));
    s.c->cpu.tcg.pc = 0x30004;
    g_assert_false(TRY(&s, x86_debug_trap(s.c)));
    g_assert_cmphex(s.c->dr[6] & 0x400f, ==, 2);
    g_assert_cmphex(x86sys_frame(&s, 0), ==, 0x30004);
    g_assert_false(x86_unit_flags(&s.c->cpu) & UF_TF);
    x86sys_free(&s);
}

static void bad_frame(void)
{
    struct x86sys s;

    x86sys_new(&s, "x86_64", "max");
    x86sys_long_mode(&s);
    x86sys_user(&s);
    g_assert_false(TRY(&s, x86_iret(s.c, 3, 0))); /* what is on the stack is no frame */
    x86sys_free(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/x86/exc/same-level-long", same_level_long);
    g_test_add_func("/x86/exc/inner-level-long", inner_level_long);
    g_test_add_func("/x86/exc/ist", ist);
    g_test_add_func("/x86/exc/page-fault", page_fault);
    g_test_add_func("/x86/exc/double-fault", double_fault);
    g_test_add_func("/x86/exc/triple-fault", triple_fault);
    g_test_add_func("/x86/exc/benign", benign);
    g_test_add_func("/x86/exc/software", software);
    g_test_add_func("/x86/exc/inner-level-32", inner_level_32);
    g_test_add_func("/x86/exc/bad-stack", bad_stack);
    g_test_add_func("/x86/exc/virtual-8086", virtual_8086);
    g_test_add_func("/x86/exc/real", real_mode);
    g_test_add_func("/x86/exc/inputs", inputs);
    g_test_add_func("/x86/exc/breakpoints", breakpoints);
    g_test_add_func("/x86/exc/bad-frame", bad_frame);
    return g_test_run();
}
