/*
 * The x86-64 backend: one unit from IR to code, and the changes to code that may be running.
 */
#include "gen.h"

static void gen_insn(struct gen *g, const struct ir_insn *i)
{
    switch ((enum ir_op)i->op) {
    case IR_INSN:
        g->went_back |= g->pc > (uint64_t)i->imm;
        g->pc = i->imm;
        break;
    case IR_KILL: break;
    case IR_GET: gen_get(g, i); break;
    case IR_SET: gen_set(g, i); break;
    case IR_LD:
    case IR_ST:
    case IR_CHECK:
    case IR_LDH:
    case IR_STH: gen_memory(g, i); break;
    case IR_AMO:
    case IR_CMPXCHG:
    case IR_LDX:
    case IR_STX:
    case IR_FENCE: gen_atomic(g, i); break;
    case IR_CALL: gen_call(g, i); break;
    case IR_FADD ... IR_FKEEP: gen_float(g, i); break;
    case IR_V:
    case IR_VF: gen_vector(g, i); break;
    case IR_EXITIF ... IR_EXITPC: gen_control(g, i); break;
    default: gen_int(g, i);
    }
}

/* A result that nobody uses gives its register back. */
static void drop_unused(struct gen *g)
{
    ir_val v = g->pos;
    int r = g->loc[v].reg;

    if (g->last[v] || r == NO_REG)
        return;
    if (g->in_reg[r] == v)
        g->in_reg[r] = IR_NONE;
    if (g->in_xmm[r] == v)
        g->in_xmm[r] = IR_NONE;
    g->loc[v].reg = NO_REG;
}

static void gen_body(struct gen *g)
{
    for (g->pos = 1; g->pos < g->ir->count && !g->as.full && !g->failed; g->pos++) {
        const struct ir_insn *i = &g->ir->insn[g->pos];
        if (i->op == IR_NOP || i->op == IR_TRUNC || i->op == IR_CONST || i->op == IR_PCREL)
            continue;
        if ((ir_op_info[i->op].props & IR_P_P) && !g->last[g->pos])
            continue;
        g->locked = g->xlocked = 0;
        gen_insn(g, i);
        gen_finish(g);
        if (ir_op_info[i->op].props & IR_P_V)
            drop_unused(g);
    }
}

static void start(struct gen *g, struct backend_thunks *th, const struct backend_in *in,
                  struct backend_out *out)
{
    g->as = (struct as){ in->rw, in->rw, in->rw + in->room, false };
    g->in = in;
    g->out = out;
    g->th = th;
    g->ir = in->ir;
    g->pc = in->ir->pc;
    gen_default_homes(g);
    g->spill_used = 0;
    g->nstubs = g->nconst = 0;
    g->failed = g->went_back = g->x87_ready = false;
    memset(g->in_reg, 0, sizeof(g->in_reg));
    memset(g->in_xmm, 0, sizeof(g->in_xmm));
    memset(g->slot_val, 0, th->slots->count * sizeof(g->slot_val[0]));
    out->nexits = out->nmoves = 0;
    out->movable = in->ir->movable && !in->counter;
}

static bool x86_generate(struct backend_thunks *th, const struct backend_in *in,
                         struct backend_out *out)
{
    struct gen *g = th->gen;

    if (in->ir->count > MAX_INSNS)
        return false;
    start(g, th, in, out);
    as_8(&g->as, (uintptr_t)in->unit);
    as_8(&g->as, 0);
    gen_checked_entry(g);
    out->entry = as_here(&g->as);
    if (in->counter) {
        as_mov_imm(&g->as, RAX, (uintptr_t)in->counter);
        as_op(&g->as, 0xff | O_W, 0, rm_mem(RAX, 0));
    }
    if (in->ir->loops)
        gen_borrow(g);
    g->head = as_here(&g->as);
    gen_analyse(g);
    gen_body(g);
    gen_stubs(g);
    while (as_here(&g->as) & 15 && !g->as.full)
        as_1(&g->as, 0xcc);
    out->size = as_here(&g->as);
    if (!out->movable)
        out->nmoves = 0;
    return !g->as.full && !g->failed;
}

/* Fields are laid out so that they lie within 8 bytes: a store replaces them at once for any CPU
 * that runs there. */
static void store4(uint8_t *at, uint32_t v)
{
    __atomic_store_n((uint32_t *)(void *)at, v, __ATOMIC_RELEASE);
}

static void x86_link(uint8_t *rw, const uint8_t *rx, const struct backend_link *x,
                     const struct backend_map *map, const void *target)
{
    const uint8_t *to = target ? target : rx + x->unlinked;

    if (target && x->guard) {
        store4(rw + x->guard, map->cell - ENV_BIAS);
        store4(rw + x->guard + 4, map->id);
    }
    store4(rw + x->jump, (uint32_t)(to - (rx + x->jump + 4)));
}

/* The entry compares unit flags with a value they never have. */
static void x86_disable(uint8_t *rw)
{
    uint32_t at = HEADER_SIZE;

    while (rw[at] == 0x90)
        at++;
    store4(rw + at + 6, ~TCG_FLAGS_ATTENTION);
}

const struct backend backend_host = {
    .name = "x86_64",
    .init = host_init,
    .fini = host_fini,
    .generate = x86_generate,
    .enter = host_enter,
    .leave = host_leave,
    .link = x86_link,
    .copy = x86_copy,
    .disable = x86_disable,
    .fp_flags = x86_fp_flags,
    .fp_take_flags = x86_fp_take_flags,
    .fp_set_round = x86_fp_set_round,
    .fp_set_control = x86_fp_set_control,
};
