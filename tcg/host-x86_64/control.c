/*
 * Ways out of a unit, and its entry.
 */
#include "gen.h"

#define FLAGS offsetof(struct tcg_cpu, flags)

/* Compares unit flags, and with them the attention bit; the field of the jump taken when they
 * differ. */
static uint32_t attention(struct gen *g)
{
    as_op(&g->as, 0x81, G1_CMP, rm_env(FLAGS));
    as_4(&g->as, g->ir->flags);
    return as_jcc(&g->as, CC_NE);
}

/* cmp dword [env + cell], id in its longest form, so that both can be patched; position of the
 * disp32. */
static uint32_t map_compare(struct gen *g, struct backend_map map)
{
    as_1(&g->as, 0x81);
    as_1(&g->as, 0x80 | G1_CMP << 3 | ENV);
    uint32_t field = as_here(&g->as);
    as_4(&g->as, map.cell - ENV_BIAS);
    as_4(&g->as, map.id);
    return field;
}

void gen_checked_entry(struct gen *g)
{
    const struct ir *ir = g->ir;

    as_align_field(&g->as, 6); /* disable() changes the immediate while others run here */
    as_1(&g->as, 0x81);
    as_1(&g->as, 0x80 | G1_CMP << 3 | ENV);
    as_4(&g->as, FLAGS - ENV_BIAS);
    as_4(&g->as, ir->flags);
    uint32_t f1 = as_jcc(&g->as, CC_NE);
    gen_note_move(g, map_compare(g, g->in->map(g->in->opaque, ir->pc)), MOVE_MAP);
    uint32_t f2 = as_jcc(&g->as, CC_NE);
    enum stub_kind otherwise = g->in->unmerged ? STUB_UNMERGED : STUB_SLOW_PC;
    struct stub *s = gen_stub(g, otherwise, f1);
    s->from2 = f2;
    s->pc = ir->pc;
    if (g->in->page2) {
        gen_note_move(g, map_compare(g, g->in->map(g->in->opaque, g->in->page2)), MOVE_MAP);
        gen_stub(g, otherwise, as_jcc(&g->as, CC_NE))->pc = ir->pc;
    }
}

static bool same_page(uint64_t a, uint64_t b)
{
    return ((a ^ b) & TCG_PAGE_MASK) == 0;
}

/* Only a jump back can close a loop, be it at this exit or one that the unit followed before: these
 * look for attention. */
static bool is_backward(const struct gen *g, uint64_t pc)
{
    return pc <= g->pc || g->went_back;
}

static uint32_t new_exit(struct gen *g, uint64_t pc)
{
    if (g->out->nexits == BACKEND_MAX_EXITS) {
        g->failed = true;
        return 0;
    }
    g->out->exit[g->out->nexits] = (struct backend_exit){ .pc = pc };
    return g->out->nexits++;
}

/* Checks and link of exit @e, inline or in a stub. */
static void exit_sequence(struct gen *g, uint32_t e)
{
    struct backend_exit *x = &g->out->exit[e];
    uint32_t f1 = 0, f2 = 0;

    gen_give_back(g);

    if (is_backward(g, x->pc))
        f1 = attention(g);
    if (!same_page(x->pc, g->ir->pc)) {
        x->link.guard = map_compare(g, (struct backend_map){ offsetof(struct tcg_cpu, map), 0 });
        f2 = as_jcc(&g->as, CC_NE);
    }
    if (f1 || f2) { /* what was borrowed is given back already */
        struct stub *s = gen_stub(g, STUB_SLOW_PC, f1 ? f1 : f2);
        s->from2 = f1 ? f2 : 0;
        s->pc = x->pc;
    }
    as_align_field(&g->as, 1);
    x->link.jump = as_jmp(&g->as);
}

void gen_exit_stub(struct gen *g, const struct stub *s)
{
    g->pc = s->pc;
    exit_sequence(g, s->exit);
}

static void gen_exit_if(struct gen *g, const struct ir_insn *i)
{
    uint32_t e = new_exit(g, i->imm);
    struct backend_exit *x = &g->out->exit[e];

    gen_compare(g, i->type, i->cond, i->a, i->b);
    if (!g->nborrows && same_page(x->pc, g->ir->pc) && !is_backward(g, x->pc)) {
        as_align_field(&g->as, 2);
        x->link.jump = as_jcc(&g->as, gen_cc(i->cond));
    } else {
        struct stub *s = gen_stub(g, STUB_EXIT, as_jcc(&g->as, gen_cc(i->cond)));
        s->exit = e;
        s->pc = g->pc;
    }
}

static void gen_trap_if(struct gen *g, const struct ir_insn *i)
{
    gen_compare(g, i->type, i->cond, i->a, i->b);
    gen_stub(g, STUB_TRAP, as_jcc(&g->as, gen_cc(i->cond)))->imm = (intptr_t)i->helper->fn;
}

/* A stub that goes on at @pc the slow way, from within the unit. */
static void slow_exit(struct gen *g, uint32_t from, uint64_t pc)
{
    struct stub *s = gen_stub(g, STUB_SLOW_PC, from);
    s->pc = pc;
    s->inside = true;
}

static void gen_loop(struct gen *g)
{
    as_op(&g->as, 0x81, G1_CMP, rm_env(FLAGS));
    as_4(&g->as, g->ir->flags);
    as_jcc_to(&g->as, CC_E, g->head);
    slow_exit(g, as_jmp(&g->as), g->ir->pc);
}

static void gen_loop_if(struct gen *g, const struct ir_insn *i)
{
    gen_compare(g, i->type, i->cond, i->a, i->b);
    uint32_t over = as_jcc(&g->as, gen_cc(i->cond) ^ 1);
    gen_loop(g);
    as_patch(&g->as, over, as_here(&g->as));
}

static void gen_exit_ind(struct gen *g, const struct ir_insn *i)
{
    int target = gen_use(g, i->a), t = gen_temp(g);

    if (g->nborrows) { /* the register may be about to be given back */
        int copy = gen_temp(g);
        as_mov(&g->as, copy, target);
        target = copy;
        gen_give_back(g);
    }

    as_op(&g->as, X_LEA, t, rm_sib(NO_REG, target, 3, 0));
    as_g1(&g->as, 0, G1_AND, rm_reg(t), (TCG_JC_SIZE - 1) << 4);
    int32_t at = offsetof(struct tcg_cpu, jump) - ENV_BIAS;
    as_op(&g->as, X_CMP | O_W, target, rm_sib(ENV, t, 0, at + offsetof(struct tcg_jump, pc)));
    struct stub *s = gen_stub(g, STUB_IND, as_jcc(&g->as, CC_NE));
    s->r1 = target;
    as_op(&g->as, 0xff, 4, rm_sib(ENV, t, 0, at + offsetof(struct tcg_jump, code)));
}

static void gen_guard(struct gen *g, const struct ir_insn *i)
{
    gen_note_move(g, map_compare(g, g->in->map(g->in->opaque, i->imm)), MOVE_MAP);
    slow_exit(g, as_jcc(&g->as, CC_NE), i->imm);
}

void gen_control(struct gen *g, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_EXITIF: gen_exit_if(g, i); break;
    case IR_TRAPIF: gen_trap_if(g, i); break;
    case IR_LOOPIF: gen_loop_if(g, i); break;
    case IR_LOOP: gen_loop(g); break;
    case IR_EXIT: exit_sequence(g, new_exit(g, i->imm)); break;
    case IR_EXITIND: gen_exit_ind(g, i); break;
    case IR_GUARD: gen_guard(g, i); break;
    default: /* EXITPC */ gen_give_back(g); gen_jmp_thunk(g, T_INDIRECT);
    }
}
