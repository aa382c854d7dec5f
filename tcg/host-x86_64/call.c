/*
 * Calls of C helpers (System V calling convention).
 *
 * A helper finds in the CPU state what its flags say it looks at; pinned registers that the
 * convention lets it destroy are always saved there.
 */
#include "gen.h"

static const uint8_t arg_regs[] = { RDI, RSI, RDX, RCX, R8, R9 };

/* Moves @v into @reg, whose old content is of no more use. Values are in spill words, pinned
 * registers or slots. */
static void load_arg(struct gen *g, ir_val v, int reg)
{
    v = gen_root(g, v);
    const struct loc *l = &g->loc[v];

    if (gen_known(g, v))
        gen_load_known(g, reg, v);
    else if (l->reg != NO_REG)
        as_mov(&g->as, reg, l->reg);
    else
        as_op(&g->as, X_MOV | (ir_type_of(g->ir, v) == IR_I64 ? O_W : 0), reg, gen_home(g, v));
}

/*
 * Arguments sit in any registers and want others: repeat moving one whose goal holds no argument
 * that is still to be moved; a cycle is broken through RAX.
 */
static void move_args(struct gen *g, const ir_val *arg, const int8_t *to, unsigned n)
{
    unsigned left = (1u << n) - 1;

    while (left) {
        bool moved = false;
        for (unsigned k = 0; k < n; k++) {
            if (!(left & 1u << k))
                continue;
            bool busy = false;
            for (unsigned j = 0; j < n; j++)
                busy |= j != k && (left & 1u << j) && g->loc[gen_root(g, arg[j])].reg == to[k];
            if (busy)
                continue;
            load_arg(g, arg[k], to[k]);
            left &= ~(1u << k);
            moved = true;
        }
        if (moved)
            continue;
        unsigned k = __builtin_ctz(left);
        ir_val v = gen_root(g, arg[k]);
        as_mov(&g->as, RAX, g->loc[v].reg);
        g->loc[v].reg = RAX;
    }
}

void x86_trap(struct tcg_cpu *cpu, uint64_t helper)
{
    ((void (*)(struct tcg_cpu *))(uintptr_t)helper)(cpu);
}

void gen_call(struct gen *g, const struct ir_insn *i)
{
    const struct ir_helper *h = i->helper;
    const ir_val v[4] = { i->a, i->b, i->c, i->d };
    ir_val arg[4];
    int8_t to[4];
    unsigned n = 0, first = h->flags & IR_H_CPU ? 1 : 0;
    bool writes = h->flags & IR_H_WRITES;
    bool exact = h->flags & (IR_H_READS | IR_H_WRITES | IR_H_RAISES);

    for (; n < h->nargs; n++) {
        arg[n] = v[n];
        to[n] = arg_regs[n + first];
    }
    if (i->mem) {
        gen_x87(g, i);
        return;
    }
    g->x87_ready = false;
    gen_save_live(g, writes);
    if (h->flags & IR_H_RAISES)
        gen_set_pc(g, g->pc);
    /* R8 is pinned and perhaps an argument's register: save before, load after. */
    gen_save_pinned(g, exact);
    move_args(g, arg, to, n);
    if (first)
        as_op(&g->as, X_LEA | O_W, RDI, rm_mem(ENV, -ENV_BIAS));
    as_mov_imm(&g->as, RAX, (uintptr_t)h->fn);
    as_op(&g->as, 0xff, 2, rm_reg(RAX));
    gen_load_pinned(g, writes);
    gen_clear_regs(g, writes);
    g->locked = 1u << RAX;
    if (h->ret != IR_VOID)
        gen_def_in(g, g->pos, RAX);
}
