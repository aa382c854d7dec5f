/*
 * Guest registers: slots in their homes and in memory, and the borrowing of registers by loops.
 */
#include "gen.h"

static void mov_slot(struct gen *g, bool to_memory, int reg, int slot)
{
    enum ir_type type = g->th->slots->slot[slot].type;

    if (type == IR_V128) /* MOVUPS */
        as_op(&g->as, (to_memory ? 0x11 : 0x10) | O_0F, reg, rm_slot(g, slot));
    else if (is_float(type)) /* MOVQ either way */
        as_op(&g->as, to_memory ? 0xd6 | O_0F | O_66 : 0x7e | O_0F | O_F3, reg, rm_slot(g, slot));
    else
        as_op(&g->as, (to_memory ? X_MOV_ST : X_MOV) | op_w(type), reg, rm_slot(g, slot));
}

static void mov_reg(struct gen *g, bool is_xmm, int to, int from)
{
    if (is_xmm && to != from)
        as_op(&g->as, 0x28 | O_0F, to, rm_reg(from));
    else if (!is_xmm)
        as_mov(&g->as, to, from);
}

static ir_val *holders(struct gen *g, bool is_xmm)
{
    return is_xmm ? g->in_xmm : g->in_reg;
}

/* Loads a value that lives in memory only. */
static void load_value(struct gen *g, ir_val v)
{
    if (gen_in_xmm(g, v))
        gen_xuse(g, v);
    else
        gen_use(g, v);
}

/* The slot is about to change: a live value that only it holds gets another place. */
static void detach_slot(struct gen *g, int slot)
{
    ir_val v = g->slot_val[slot];
    int home = g->home[slot];

    g->slot_val[slot] = IR_NONE;
    if (v == IR_NONE || gen_known(g, v))
        return;
    struct loc *l = &g->loc[v];
    if (home == NO_REG) {
        if (l->slot != slot)
            return;
        if (l->reg == NO_REG && l->spill < 0 && gen_live_after(g, v))
            load_value(g, v);
        l->slot = NO_SLOT;
        return;
    }
    bool is_xmm = gen_in_xmm(g, v);
    if (l->reg != home || is_xmm != in_xmm(g->th->slots->slot[slot].type))
        return;
    holders(g, is_xmm)[home] = IR_NONE;
    l->reg = NO_REG;
    if (!gen_live_after(g, v) || l->spill >= 0 || l->slot != NO_SLOT)
        return;
    int t = is_xmm ? gen_xtemp(g) : gen_temp(g);
    mov_reg(g, is_xmm, t, home);
    l->reg = t;
    holders(g, is_xmm)[t] = v;
}

/* The home that the result may be computed in, if no live value is lost by that. */
bool gen_hinted(struct gen *g, ir_val v, ir_val *in, int *reg)
{
    int slot = g->hint[v];

    if (slot == NO_SLOT)
        return false;
    int home = g->home[slot];
    ir_val old = in[home];
    if (old != IR_NONE && gen_live_after(g, old))
        return false;
    if (old != IR_NONE)
        g->loc[old].reg = NO_REG;
    g->slot_val[slot] = IR_NONE;
    *reg = home;
    return true;
}

void gen_get(struct gen *g, const struct ir_insn *i)
{
    ir_val v = g->pos;
    int slot = i->imm, home = g->home[slot];
    bool is_xmm = gen_in_xmm(g, v);

    if (g->slot_val[slot] == IR_NONE) {
        g->slot_val[slot] = v;
        if (home != NO_REG) {
            g->loc[v].reg = home;
            holders(g, is_xmm)[home] = v;
        } else {
            g->loc[v].slot = slot;
        }
        return;
    }
    /* The value it holds has a name already: this one is a copy. */
    int r = is_xmm ? gen_xdef(g, v) : gen_def(g, v);
    if (home != NO_REG)
        mov_reg(g, is_xmm, r, home);
    else
        mov_slot(g, false, r, slot);
}

static uint32_t load_w(const struct gen *g, ir_val v)
{
    return ir_type_of(g->ir, v) == IR_I32 ? 0 : O_W;
}

static void set_home(struct gen *g, int slot, int home, ir_val v)
{
    struct loc *l = &g->loc[v];
    bool is_xmm = gen_in_xmm(g, v);
    ir_val *in = holders(g, is_xmm);

    if (!is_xmm && gen_known(g, v)) {
        gen_load_known(g, home, v);
    } else if (is_xmm) {
        int x = gen_xuse(g, v);
        mov_reg(g, true, home, x);
        if (!(g->xhomes & 1u << x) && g->ir->insn[v].op != IR_CONST) {
            in[x] = IR_NONE;
            l->reg = home;
            in[home] = v;
        }
    } else if (l->reg == NO_REG) {
        as_op(&g->as, X_MOV | load_w(g, v), home, gen_home(g, v));
        l->reg = home;
        in[home] = v;
    } else {
        as_mov(&g->as, home, l->reg);
        if (TEMPS & 1u << l->reg) {
            in[l->reg] = IR_NONE;
            l->reg = home;
            in[home] = v;
        }
    }
    g->slot_val[slot] = v;
}

static void set_memory(struct gen *g, int slot, enum ir_type type, ir_val v)
{
    int64_t imm;

    if (in_xmm(type)) {
        mov_slot(g, true, gen_xuse(g, v), slot);
    } else if (gen_const32(g, v, &imm)) {
        as_op(&g->as, 0xc7 | op_w(type), 0, rm_slot(g, slot));
        as_4(&g->as, imm);
    } else {
        mov_slot(g, true, gen_use(g, v), slot);
    }
    g->slot_val[slot] = v;
    if (g->loc[v].slot == NO_SLOT && !gen_known(g, v) && ir_type_of(g->ir, v) == type)
        g->loc[v].slot = slot;
}

void gen_set(struct gen *g, const struct ir_insn *i)
{
    int slot = i->imm, home = g->home[slot];
    ir_val v = gen_root(g, i->a);

    if (g->slot_val[slot] == v)
        return;
    if (home != NO_REG && g->loc[v].reg == home && holders(g, gen_in_xmm(g, v))[home] == v) {
        g->slot_val[slot] = v; /* computed in place */
        return;
    }
    detach_slot(g, slot);
    if (home != NO_REG)
        set_home(g, slot, home, v);
    else
        set_memory(g, slot, g->th->slots->slot[slot].type, v);
}

static void move_pinned(struct gen *g, bool all, bool to_memory)
{
    for (int k = 0; k < NB_PINNED; k++) {
        int r = pinned_regs[k], slot = g->slot_of_pin[r];
        if (slot != NO_SLOT && (all || (r >= R8 && r <= R11)))
            mov_slot(g, to_memory, r, slot);
    }
    for (unsigned k = 0; k < g->nborrows; k++)
        if (g->borrow[k].displaced == NO_SLOT)
            mov_slot(g, to_memory, g->borrow[k].reg, g->borrow[k].slot);
}

void gen_save_pinned(struct gen *g, bool all)
{
    move_pinned(g, all, true);
}

void gen_load_pinned(struct gen *g, bool all)
{
    move_pinned(g, all, false);
}

void gen_write_homes(struct gen *g)
{
    move_pinned(g, true, true);
}

/* Borrowing. */

void gen_default_homes(struct gen *g)
{
    memcpy(g->home, g->th->pin_of_slot, sizeof(g->home));
    memcpy(g->slot_of_pin, g->th->slot_of_pin, sizeof(g->slot_of_pin));
    g->xhomes = 0;
    g->nborrows = 0;
}

struct usage {
    uint16_t uses[IR_MAX_SLOTS];
    bool set[IR_MAX_SLOTS];
    unsigned calls;
};

static void count_uses(const struct gen *g, struct usage *u)
{
    memset(u, 0, sizeof(*u));
    for (uint32_t p = 1; p < g->ir->count; p++) {
        const struct ir_insn *i = &g->ir->insn[p];
        if (i->op == IR_GET || i->op == IR_SET) {
            u->uses[i->imm]++;
            u->set[i->imm] |= i->op == IR_SET;
        }
        u->calls += (i->op == IR_CALL && !i->mem) || gen_vector_calls(g, i);
    }
}

/* The slot without a home that is used most, twice at least. */
static int most_used(const struct gen *g, const struct usage *u, bool want_xmm)
{
    int best = NO_SLOT;

    for (unsigned s = 0; s < g->th->slots->count; s++) {
        enum ir_type type = g->th->slots->slot[s].type;
        if (g->home[s] != NO_REG || u->uses[s] < 2 || in_xmm(type) != want_xmm ||
            (!want_xmm && type != IR_I64 && type != IR_I32))
            continue;
        if (best == NO_SLOT || u->uses[s] > u->uses[best])
            best = s;
    }
    return best;
}

static void take_home(struct gen *g, const struct usage *u, int slot, int reg, int displaced)
{
    g->borrow[g->nborrows++] =
        (struct borrow){ .reg = reg, .slot = slot, .displaced = displaced, .dirty = u->set[slot] };
    g->home[slot] = reg;
    if (displaced == NO_SLOT) {
        g->xhomes |= 1u << reg;
    } else {
        g->home[displaced] = NO_REG;
        g->slot_of_pin[reg] = slot;
    }
}

static void choose_borrows(struct gen *g)
{
    struct usage u;
    int slot;

    count_uses(g, &u);
    for (int k = NB_PINNED - 1; k >= 0; k--) {
        int r = pinned_regs[k], displaced = g->slot_of_pin[r];
        if (displaced == NO_SLOT || u.uses[displaced])
            continue;
        if ((slot = most_used(g, &u, false)) == NO_SLOT)
            break;
        take_home(g, &u, slot, r, displaced);
    }
    /* Calls destroy all XMM registers: not worth it then. */
    for (int x = 15; !u.calls && x > 15 - MAX_XHOMES; x--) {
        if ((slot = most_used(g, &u, true)) == NO_SLOT)
            break;
        take_home(g, &u, slot, x, NO_SLOT);
    }
}

void gen_borrow(struct gen *g)
{
    choose_borrows(g);
    for (unsigned k = 0; k < g->nborrows; k++) {
        const struct borrow *b = &g->borrow[k];
        if (b->displaced != NO_SLOT)
            mov_slot(g, true, b->reg, b->displaced);
        mov_slot(g, false, b->reg, b->slot);
    }
}

void gen_give_back(struct gen *g)
{
    for (unsigned k = 0; k < g->nborrows; k++) {
        const struct borrow *b = &g->borrow[k];
        if (b->dirty)
            mov_slot(g, true, b->reg, b->slot);
        if (b->displaced != NO_SLOT)
            mov_slot(g, false, b->reg, b->displaced);
    }
}
