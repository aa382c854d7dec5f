/*
 * Where values are: registers are allocated in one forward pass, with last uses and slot hints from
 * one backward pass.
 */
#include <tcg/opt.h>
#include "gen.h"

const uint8_t pinned_regs[NB_PINNED] = { RBX, R12, R13, R14, R15, R8, R9, R10, R11 };

/* Whether the host's instruction for an i32 operation clears the register's upper half. */
static bool clears_upper(const struct ir *ir, const struct ir_insn *i)
{
    int64_t imm;

    switch (i->op) {
    case IR_ADD:
    case IR_SUB:
    case IR_MUL:
    case IR_AND:
    case IR_OR:
    case IR_XOR:
    case IR_NEG:
    case IR_NOT:
    case IR_ZEXT8:
    case IR_ZEXT16:
    case IR_SEXT8:
    case IR_SEXT16: return true;
    case IR_SHL:
    case IR_SHR:
    case IR_SAR: return ir_is_const(ir, i->b, &imm) && imm & 31;
    case IR_LD:
    case IR_LDH: return !(i->mem & IR_MEM_SIGNED); /* also what the slow path returns */
    default: return false;
    }
}

/*
 * TRUNC is no operation here: an i32 is the low half of whatever register or word. Neither is
 * ZEXT32 of what has a clear upper half anyway, if no slot could hold just the low one.
 */
static bool is_alias(const struct gen *g, const struct ir_insn *i)
{
    if (i->op != IR_ZEXT32)
        return i->op == IR_TRUNC;
    return g->th->wide_slots && clears_upper(g->ir, &g->ir->insn[i->a]);
}

ir_val gen_root(const struct gen *g, ir_val v)
{
    while (is_alias(g, &g->ir->insn[v]))
        v = g->ir->insn[v].a;
    return v;
}

static void note_use(struct gen *g, ir_val v, uint32_t pos)
{
    if (v == IR_NONE)
        return;
    v = gen_root(g, v);
    if (!g->last[v])
        g->last[v] = pos;
}

/* Could anybody see the guest's registers at this operation? */
static bool observes(const struct ir_insn *i)
{
    return (ir_op_info[i->op].props & (IR_P_F | IR_P_X)) || (i->op == IR_CALL && !i->mem);
}

/* A SET of a pinned slot lets the value be computed in place if nothing between can tell. */
static void note_hint(struct gen *g, uint32_t pos)
{
    const struct ir_insn *set = &g->ir->insn[pos];
    ir_val v = gen_root(g, set->a);

    if (g->home[set->imm] == NO_REG || g->hint[v] != NO_SLOT)
        return;
    for (uint32_t p = pos - 1; p > v; p--) {
        const struct ir_insn *i = &g->ir->insn[p];
        if (observes(i) || ((i->op == IR_GET || i->op == IR_SET) && i->imm == set->imm) ||
            pos - p > 8)
            return;
    }
    g->hint[v] = set->imm;
}

/*
 * a + (b << n), n up to 3, is one LEA where nobody else wants the shifted value: the ADD takes b
 * itself, and n is in its `cond`. Both stand close together.
 */
static void fuse_shift(struct gen *g, uint32_t pos)
{
    struct ir_insn *add = &g->in->ir->insn[pos];
    const struct ir_insn *shl = &g->ir->insn[add->b];
    int64_t imm;

    if (shl->op != IR_SHL || g->last[add->b] || !ir_is_const(g->ir, shl->b, &imm) || imm < 1 ||
        imm > 3 || add->a == add->b || pos - add->b > 6)
        return;
    for (uint32_t p = add->b + 1; p < pos; p++) {
        ir_val v[4];
        unsigned n = opt_operands(&g->ir->insn[p], v);

        for (unsigned k = 0; k < n; k++)
            if (v[k] == add->b)
                return;
    }
    add->cond = imm;
    add->b = shl->a;
}

void gen_analyse(struct gen *g)
{
    const struct ir *ir = g->ir;

    memset(g->last, 0, ir->count * sizeof(g->last[0]));
    for (uint32_t p = 0; p < ir->count; p++) {
        g->hint[p] = NO_SLOT;
        g->loc[p] = (struct loc){ NO_REG, -1, NO_SLOT };
    }
    for (uint32_t p = ir->count - 1; p > 0; p--) {
        const struct ir_insn *i = &ir->insn[p];
        if (i->op == IR_NOP || i->op == IR_INSN || is_alias(g, i))
            continue;
        if (i->op == IR_ADD)
            fuse_shift(g, p);
        ir_val v[4];
        unsigned n = opt_operands(i, v);
        for (unsigned k = 0; k < n; k++)
            note_use(g, v[k], p);
        if (i->op == IR_SET)
            note_hint(g, p);
    }
}

bool gen_live_after(const struct gen *g, ir_val v)
{
    return v != IR_NONE && g->last[v] > g->pos;
}

bool gen_const(const struct gen *g, ir_val v, int64_t *imm)
{
    return ir_is_const(g->ir, v, imm);
}

bool gen_const32(const struct gen *g, ir_val v, int64_t *imm)
{
    return ir_is_const(g->ir, v, imm) && *imm == (int32_t)*imm;
}

bool gen_known(const struct gen *g, ir_val v)
{
    return g->ir->insn[v].op == IR_CONST || g->ir->insn[v].op == IR_PCREL;
}

void gen_load_known(struct gen *g, int reg, ir_val v)
{
    const struct ir_insn *i = &g->ir->insn[v];

    as_mov_imm(&g->as, reg, i->type == IR_I32 ? (uint32_t)i->imm : (uint64_t)i->imm);
    if (i->op == IR_PCREL)
        gen_note_move(g, as_here(&g->as) - 8, MOVE_ADDR);
}

static struct rm rm_spill(int word)
{
    return rm_mem(RSP, word * 8);
}

bool gen_in_xmm(const struct gen *g, ir_val v)
{
    return in_xmm(ir_type_of(g->ir, v));
}

/* The spill words it takes, counted from the first. */
static uint64_t spill_mask(const struct gen *g, ir_val v)
{
    return ir_type_of(g->ir, v) == IR_V128 ? 3 : 1;
}

static void free_spill(struct gen *g, ir_val v)
{
    if (g->loc[v].spill >= 0) {
        g->spill_used &= ~(spill_mask(g, v) << g->loc[v].spill);
        g->loc[v].spill = -1;
    }
}

/* Makes sure that @v survives losing its register. */
static void save_value(struct gen *g, ir_val v)
{
    struct loc *l = &g->loc[v];
    if (l->spill >= 0 || l->slot != NO_SLOT || gen_known(g, v))
        return;
    bool wide = ir_type_of(g->ir, v) == IR_V128;
    uint64_t left = ~g->spill_used;
    if (wide) /* two words, aligned */
        left &= left >> 1 & 0x5555555555555555;
    if (!left) {
        g->failed = true;
        return;
    }
    l->spill = __builtin_ctzll(left);
    g->spill_used |= spill_mask(g, v) << l->spill;
    if (wide)
        as_op(&g->as, 0x29 | O_0F, l->reg, rm_spill(l->spill)); /* MOVAPS */
    else if (gen_in_xmm(g, v))
        as_op(&g->as, 0xd6 | O_0F | O_66, l->reg, rm_spill(l->spill));
    else
        as_op(&g->as, X_MOV_ST | O_W, l->reg, rm_spill(l->spill));
}

static void evict(struct gen *g, int reg)
{
    ir_val v = g->in_reg[reg];
    if (v == IR_NONE)
        return;
    if (g->last[v] >= g->pos)
        save_value(g, v);
    g->loc[v].reg = NO_REG;
    g->in_reg[reg] = IR_NONE;
}

static void evict_xmm(struct gen *g, int reg)
{
    ir_val v = g->in_xmm[reg];
    if (v == IR_NONE)
        return;
    if (g->last[v] >= g->pos)
        save_value(g, v);
    g->loc[v].reg = NO_REG;
    g->in_xmm[reg] = IR_NONE;
}

/* The free register, or the one whose value is needed last. */
static int choose(struct gen *g, const ir_val *in, uint32_t candidates)
{
    int best = NO_REG;
    for (uint32_t m = candidates; m; m &= m - 1) {
        int r = __builtin_ctz(m);
        if (in[r] == IR_NONE)
            return r;
        if (best == NO_REG || g->last[in[r]] > g->last[in[best]])
            best = r;
    }
    if (best == NO_REG) {
        g->failed = true;
        return RAX;
    }
    return best;
}

int gen_temp(struct gen *g)
{
    int r = choose(g, g->in_reg, TEMPS & ~g->locked);
    evict(g, r);
    g->locked |= 1u << r;
    return r;
}

int gen_xtemp(struct gen *g)
{
    int r = choose(g, g->in_xmm, 0xffffu & ~(g->xlocked | g->xhomes));
    evict_xmm(g, r);
    g->xlocked |= 1u << r;
    return r;
}

void gen_xtake(struct gen *g, int reg)
{
    evict_xmm(g, reg);
    g->xlocked |= 1u << reg;
}

void gen_take(struct gen *g, int reg)
{
    bug_on(g->locked & 1u << reg && !g->failed);
    evict(g, reg);
    g->locked |= 1u << reg;
}

/* Memory that holds @v; it has no register. */
struct rm gen_home(const struct gen *g, ir_val v)
{
    const struct loc *l = &g->loc[v];
    return l->slot != NO_SLOT ? rm_slot(g, l->slot) : rm_spill(l->spill >= 0 ? l->spill : 0);
}

static uint32_t load_w(const struct gen *g, ir_val v)
{
    return ir_type_of(g->ir, v) == IR_I32 ? 0 : O_W;
}

int gen_use(struct gen *g, ir_val v)
{
    v = gen_root(g, v);
    if (g->loc[v].reg == NO_REG) {
        int r = gen_temp(g);
        if (gen_known(g, v))
            gen_load_known(g, r, v);
        else
            as_op(&g->as, X_MOV | load_w(g, v), r, gen_home(g, v));
        g->loc[v].reg = r;
        g->in_reg[r] = v;
    }
    g->locked |= 1u << g->loc[v].reg;
    return g->loc[v].reg;
}

/* Is @v more than one operand of the operation being generated? */
static bool used_twice(const struct gen *g, ir_val v)
{
    ir_val arg[4];
    unsigned n = 0, nargs = opt_operands(&g->ir->insn[g->pos], arg);

    for (unsigned k = 0; k < nargs; k++)
        n += arg[k] != IR_NONE && gen_root(g, arg[k]) == v;
    return n > 1;
}

void gen_use_in(struct gen *g, ir_val v, int reg)
{
    v = gen_root(g, v);
    if (g->loc[v].reg == reg) {
        /* It is there: the value gets another place if it is needed again, as the caller may change
         * the register. */
        if (gen_live_after(g, v) || used_twice(g, v))
            save_value(g, v);
        g->loc[v].reg = NO_REG;
        g->in_reg[reg] = IR_NONE;
        g->locked |= 1u << reg;
        return;
    }
    gen_take(g, reg);
    if (gen_known(g, v))
        gen_load_known(g, reg, v);
    else if (g->loc[v].reg != NO_REG)
        as_mov(&g->as, reg, g->loc[v].reg);
    else
        as_op(&g->as, X_MOV | load_w(g, v), reg, gen_home(g, v));
}

struct rm gen_rm(struct gen *g, ir_val v)
{
    v = gen_root(g, v);
    /* A value used again is better loaded once. */
    if (g->loc[v].reg != NO_REG || gen_known(g, v) || gen_live_after(g, v))
        return rm_reg(gen_use(g, v));
    return gen_home(g, v);
}

int gen_xuse(struct gen *g, ir_val v)
{
    if (g->loc[v].reg == NO_REG) {
        int64_t imm;
        int r = gen_xtemp(g);
        if (ir_is_const(g->ir, v, &imm)) {
            if (imm == 0) {
                as_op(&g->as, 0x57 | O_0F, r, rm_reg(r));
            } else {
                int t = gen_temp(g);
                as_mov_imm(&g->as, t, imm);
                as_op(&g->as, 0x6e | O_0F | O_66 | O_W, r, rm_reg(t));
                g->locked &= ~(1u << t);
            }
        } else if (ir_type_of(g->ir, v) == IR_V128) {
            as_op(&g->as, 0x10 | O_0F, r, gen_home(g, v)); /* MOVUPS */
        } else if (ir_type_of(g->ir, v) == IR_F32) {
            as_op(&g->as, 0x10 | O_0F | O_F3, r, gen_home(g, v));
        } else {
            as_op(&g->as, 0x10 | O_0F | O_F2, r, gen_home(g, v));
        }
        g->loc[v].reg = r;
        g->in_xmm[r] = v;
    }
    g->xlocked |= 1u << g->loc[v].reg;
    return g->loc[v].reg;
}

struct rm gen_xrm(struct gen *g, ir_val v)
{
    int64_t imm;
    if (g->loc[v].reg != NO_REG || ir_is_const(g->ir, v, &imm) || gen_live_after(g, v))
        return rm_reg(gen_xuse(g, v));
    return gen_home(g, v);
}

static void release(struct gen *g, ir_val v)
{
    if (v == IR_NONE)
        return;
    v = gen_root(g, v);
    if (gen_live_after(g, v))
        return;
    int r = g->loc[v].reg;
    if (r == NO_REG)
        return;
    if (gen_in_xmm(g, v)) {
        if (g->xhomes & 1u << r)
            return;
        if (g->in_xmm[r] == v)
            g->in_xmm[r] = IR_NONE;
        g->xlocked &= ~(1u << r);
        g->loc[v].reg = NO_REG;
    } else if (TEMPS & 1u << r) {
        if (g->in_reg[r] == v)
            g->in_reg[r] = IR_NONE;
        g->locked &= ~(1u << r);
        g->loc[v].reg = NO_REG;
    }
}

/* Operands whose last use this is give up their registers, which the result may then take. */
void gen_free_dying(struct gen *g)
{
    ir_val v[4];
    unsigned n = opt_operands(&g->ir->insn[g->pos], v);

    for (unsigned k = 0; k < n; k++)
        release(g, v[k]);
}

/* The operation is complete: they give up their spill words, too, which it may have read to its
 * end. */
void gen_finish(struct gen *g)
{
    ir_val v[4];
    unsigned n = opt_operands(&g->ir->insn[g->pos], v);

    gen_free_dying(g);
    for (unsigned k = 0; k < n; k++)
        if (v[k] != IR_NONE && !gen_live_after(g, gen_root(g, v[k])))
            free_spill(g, gen_root(g, v[k]));
}

int gen_def(struct gen *g, ir_val v)
{
    int r;

    if (!gen_hinted(g, v, g->in_reg, &r))
        r = gen_temp(g);
    g->loc[v].reg = r;
    g->in_reg[r] = v;
    g->locked |= 1u << r;
    return r;
}

void gen_def_in(struct gen *g, ir_val v, int reg)
{
    g->loc[v].reg = reg;
    g->in_reg[reg] = v;
}

int gen_xdef(struct gen *g, ir_val v)
{
    int r;

    if (!gen_hinted(g, v, g->in_xmm, &r))
        r = gen_xtemp(g);
    g->loc[v].reg = r;
    g->in_xmm[r] = v;
    g->xlocked |= 1u << r;
    return r;
}

bool gen_xmm_live(const struct gen *g)
{
    for (int r = 0; r < 16; r++)
        if (g->in_xmm[r] != IR_NONE && g->last[g->in_xmm[r]] >= g->pos)
            return true;
    return false;
}

/* A value that lives on gets a place that a call leaves alone; its registers stay valid until then.
 */
static void save_over_call(struct gen *g, ir_val v, bool pinned_too)
{
    if (!gen_live_after(g, v))
        return;
    if (pinned_too)
        g->loc[v].slot = NO_SLOT;
    save_value(g, v);
}

/* Values that only a slot's memory holds are loaded, as a helper is going to change the slot. */
static void load_slot_values(struct gen *g)
{
    for (unsigned s = 0; s < g->th->slots->count; s++) {
        ir_val v = g->slot_val[s];
        if (v == IR_NONE || g->loc[v].slot == NO_SLOT || !gen_live_after(g, v))
            continue;
        if (gen_in_xmm(g, v))
            gen_xuse(g, v);
        else
            gen_use(g, v);
        g->locked = g->xlocked = 0;
        g->loc[v].slot = NO_SLOT;
    }
}

void gen_save_live(struct gen *g, bool pinned_too)
{
    if (pinned_too)
        load_slot_values(g);
    for (int r = 0; r < 16; r++) {
        if (pinned_too || !(g->xhomes & 1u << r))
            save_over_call(g, g->in_xmm[r], pinned_too);
        if (pinned_too || (TEMPS & 1u << r))
            save_over_call(g, g->in_reg[r], pinned_too);
    }
}

static void clear(struct gen *g, ir_val *holder)
{
    if (*holder != IR_NONE)
        g->loc[*holder].reg = NO_REG;
    *holder = IR_NONE;
}

void gen_clear_regs(struct gen *g, bool pinned_too)
{
    for (int r = 0; r < 16; r++) {
        if (pinned_too || !(g->xhomes & 1u << r))
            clear(g, &g->in_xmm[r]);
        if (pinned_too || (TEMPS & 1u << r))
            clear(g, &g->in_reg[r]);
    }
    for (unsigned s = 0; pinned_too && s < g->th->slots->count; s++) {
        if (g->slot_val[s] != IR_NONE)
            g->loc[g->slot_val[s]].slot = NO_SLOT;
        g->slot_val[s] = IR_NONE;
    }
}
