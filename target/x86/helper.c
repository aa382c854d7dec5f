/*
 * The list of helpers, and those that any instruction may need.
 */
#include "debug.h"
#include "helper.h"
#include "sys.h"

const struct ir_helper *const x86_helpers[] = {
#define HELPER(name) &helper_##name,
#include "helpers.def"
#undef HELPER
    NULL,
};

static void h_raise(struct cpu *cpu, uint32_t vector)
{
    x86_raise(x86_of(cpu), vector);
}
HELPER_DEFINE(raise, HELPER_ANY, IR_VOID, 1, IR_I32);

static void h_raise_error(struct cpu *cpu, uint32_t vector, uint32_t error)
{
    x86_raise_err(x86_of(cpu), vector, error);
}
HELPER_DEFINE(raise_error, HELPER_ANY, IR_VOID, 2, IR_I32, IR_I32);

#define RAISER(name, vector)                    \
    static void h_raise_##name(struct cpu *cpu) \
    {                                           \
        x86_raise(x86_of(cpu), vector);         \
    }                                           \
    HELPER_DEFINE(raise_##name, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 0)
RAISER(de, EXC_DE);
RAISER(br, EXC_BR);

/* The trap behind an instruction that began with TF set. */
static void h_step_here(struct cpu *cpu)
{
    struct x86_cpu *c = x86_of(cpu);

    if (c->no_trap_pc == cpu->tcg.pc) { /* behind the next instruction, if then */
        c->no_trap_pc = ~UINT64_C(0);
        return;
    }
    /* A breakpoint alone is no single step. */
    if (!c->debug_pending || c->eflags & FLAG_TF)
        c->dr[6] |= DR6_BS;
    x86_debug_trap(c);
}
HELPER_DEFINE(step_here, HELPER_ANY, IR_VOID, 0);

static void h_step(struct cpu *cpu, uint64_t pc)
{
    cpu->tcg.pc = pc;
    h_step_here(cpu);
}
HELPER_DEFINE(step, HELPER_ANY, IR_VOID, 1, IR_I64);

static void h_debug_fetch(struct cpu *cpu)
{
    x86_debug_fetch(x86_of(cpu));
}
HELPER_DEFINE(debug_fetch, HELPER_ANY, IR_VOID, 0);

static void h_end_shadow(struct cpu *cpu)
{
    x86_end_shadow(x86_of(cpu));
}
HELPER_DEFINE(end_shadow, IR_H_CPU | IR_H_READS, IR_VOID, 0);

/* ---- Jumps where CS is not flat ---- */

/* Linear address of @eip, which must lie within CS. */
static uint64_t h_jump_target(struct cpu *cpu, uint64_t eip)
{
    struct x86_cpu *c = x86_of(cpu);

    if (eip > c->seg[S_CS].limit)
        x86_gp(c, 0);
    return (uint32_t)(c->seg_base[S_CS] + eip);
}
HELPER_DEFINE(jump_target, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_I64, 1, IR_I64);

/* The current instruction, @len bytes, must lie within CS. */
static void h_check_code(struct cpu *cpu, uint64_t len)
{
    struct x86_cpu *c = x86_of(cpu);

    if ((uint32_t)x86_eip(c) + len - 1 > c->seg[S_CS].limit)
        x86_gp(c, 0);
}
HELPER_DEFINE(check_code, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 1, IR_I64);

/* A direct jump to linear address @pc: it stays so unless EIP wraps or is beyond the limit. */
static void h_check_jump(struct cpu *cpu, uint64_t pc, uint64_t mask)
{
    struct x86_cpu *c = x86_of(cpu);
    uint64_t eip = (uint32_t)(pc - c->seg_base[S_CS]) & mask;
    uint64_t really = h_jump_target(cpu, eip);

    if (really == pc)
        return;
    cpu->tcg.pc = really;
    cpu_resume(cpu);
}
HELPER_DEFINE(check_jump, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 2, IR_I64, IR_I64);
