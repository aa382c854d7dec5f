/*
 * Merging of memory checks: accesses of one straight line whose addresses are constants away from
 * one value, close to each other and in the same MMU mode, share one CHECK in front of the first;
 * they become LDH and STH, which only add the host offset that CHECK found.
 *
 * When a CHECK does not hold, the unit is left for its unmerged variant at the guest instruction
 * that the CHECK stands in. A CHECK of the front end's joins a group like an access, and what it
 * covers is covered by the group's. So nothing with an effect may stand between that instruction's
 * start and the CHECK. Side exits between the accesses are harmless: a check has no effect that a
 * guest can see. A group ends where mappings or the order of accesses may change.
 */
#include <string.h>
#include <tcg/opt.h>

#define MAX_GROUPS 64  /* in a unit */
#define MAX_OPEN   8   /* at a time */
#define MAX_SPAN   200 /* insns over which a host offset is kept in a register */

struct group {
    uint32_t first; /* index of the first access */
    uint32_t count;
    ir_val root;    /* value that all addresses are relative to */
    int64_t base;   /* first access: its operand minus root */
    int64_t lo, hi; /* first byte minus root, and behind the last */
    uint16_t mode;  /* IR_MEM_MODE bits */
    bool write;
    bool aligned;   /* holds accesses that must be aligned, of the size of a vector: */
    int64_t vector; /* one of them minus root */
    ir_val check;   /* its CHECK, once placed */
};

struct merge {
    struct ir *ir;
    uint32_t *member; /* per insn: 1 + index of its group, or 0 */
    uint32_t *moved;  /* per insn: its index after placing the CHECKs */
    struct group group[MAX_GROUPS];
    unsigned ngroups;
    uint8_t open[MAX_OPEN]; /* groups that accesses may still join */
    unsigned nopen;
    bool clean; /* nothing with an effect since the guest instruction's start */
};

#define VECTOR_SIZE 16

/* Must be aligned, which a CHECK can see to for one size: that of vectors. */
static bool is_aligned(const struct ir_insn *i)
{
    return i->mem & IR_MEM_ALIGNED;
}

static bool is_mergeable(const struct ir_insn *i)
{
    if (i->op == IR_CHECK)
        return !is_aligned(i);
    return (i->op == IR_LD || i->op == IR_ST) && !(i->mem & IR_MEM_BE) &&
           (!is_aligned(i) || ir_mem_bytes(i->mem) == VECTOR_SIZE);
}

/* Behind it, what a CHECK found before may not hold. */
static bool is_barrier(const struct ir_insn *i)
{
    switch (i->op) {
    case IR_FENCE:
    case IR_AMO:
    case IR_CMPXCHG:
    case IR_LDX:
    case IR_STX:
    case IR_GUARD: return true;
    case IR_CALL: return !(i->helper->flags & IR_H_PURE) && !i->mem;
    default: return false;
    }
}

/* An access: the value its address is relative to, and the range. */
struct range {
    ir_val root;
    int64_t base; /* operand minus root */
    int64_t lo, hi;
};

static struct range range_of(const struct ir *ir, const struct ir_insn *i)
{
    struct range r = { i->a, 0, 0, 0 };
    int64_t c;

    while (ir->insn[r.root].op == IR_ADD && ir_is_const(ir, ir->insn[r.root].b, &c) &&
           c == (int32_t)c) {
        r.base += c;
        r.root = ir->insn[r.root].a;
    }
    r.lo = r.base + i->imm;
    r.hi = r.lo + (i->op == IR_CHECK ? i->c : ir_mem_bytes(i->mem));
    return r;
}

static struct group *find_open(struct merge *m, const struct ir_insn *i, uint32_t n,
                               const struct range *r)
{
    for (unsigned k = 0; k < m->nopen; k++) {
        struct group *g = &m->group[m->open[k]];
        int64_t lo = r->lo < g->lo ? r->lo : g->lo, hi = r->hi > g->hi ? r->hi : g->hi;

        if (g->root == r->root && g->mode == (i->mem & IR_MEM_MODE) &&
            hi - lo <= OPT_MERGE_WINDOW && lo - VECTOR_SIZE - g->base >= INT32_MIN &&
            n - g->first <= MAX_SPAN &&
            !(g->aligned && is_aligned(i) && (r->lo - g->vector) & (VECTOR_SIZE - 1)))
            return g;
    }
    return NULL;
}

static struct group *open_group(struct merge *m, const struct ir_insn *i, uint32_t n,
                                const struct range *r)
{
    struct group *g;

    if (!m->clean || m->ngroups == MAX_GROUPS)
        return NULL;
    if (m->nopen == MAX_OPEN)
        memmove(m->open, m->open + 1, --m->nopen);
    g = &m->group[m->ngroups];
    *g = (struct group){
        .first = n,
        .root = r->root,
        .base = r->base,
        .lo = r->lo,
        .hi = r->hi,
        .mode = i->mem & IR_MEM_MODE,
    };
    m->open[m->nopen++] = m->ngroups++;
    return g;
}

static void visit_access(struct merge *m, const struct ir_insn *i, uint32_t n)
{
    struct range r = range_of(m->ir, i);
    struct group *g = find_open(m, i, n, &r);

    if (!g)
        g = open_group(m, i, n, &r);
    if (!g)
        return;
    g->lo = r.lo < g->lo ? r.lo : g->lo;
    g->hi = r.hi > g->hi ? r.hi : g->hi;
    g->write |= i->op == IR_ST || (i->op == IR_CHECK && i->mem & IR_MEM_WRITE);
    if (is_aligned(i)) {
        g->aligned = true;
        g->vector = r.lo;
    }
    g->count++;
    m->member[n] = 1 + (g - m->group);
}

static void find_groups(struct merge *m)
{
    const struct ir *ir = m->ir;

    for (uint32_t n = 1; n < ir->count; n++) {
        const struct ir_insn *i = &ir->insn[n];

        m->member[n] = 0;
        if (is_mergeable(i))
            visit_access(m, i, n);
        if (is_barrier(i))
            m->nopen = 0;
        if (i->op == IR_INSN)
            m->clean = true;
        else if (ir_op_info[i->op].props & IR_P_S)
            m->clean = false;
    }
}

/* Numbers the insns as they will stand with the CHECKs in place. Returns how many CHECKs. */
static unsigned number(struct merge *m)
{
    struct ir *ir = m->ir;
    unsigned room = ir->max - ir->count, checks = 0, next = 0;

    for (uint32_t n = 0; n < ir->count; n++) {
        for (; next < m->ngroups && m->group[next].first == n; next++) {
            struct group *g = &m->group[next];

            if (g->count < 2 || checks == room)
                continue;
            g->check = n + checks++;
        }
        m->moved[n] = n + checks;
    }
    return checks;
}

/* In front of the first access, whose operand it takes. With aligned accesses the range begins at a
 * place aligned like them: by that no page is added to it. */
static void place_check(struct merge *m, const struct group *g, ir_val a)
{
    int64_t lo = g->aligned ? g->lo - ((g->lo - g->vector) & (VECTOR_SIZE - 1)) : g->lo;
    unsigned align = g->aligned ? IR_MEM_ALIGNED | __builtin_ctz(VECTOR_SIZE) : 0;

    m->ir->insn[g->check] = (struct ir_insn){
        .op = IR_CHECK,
        .type = IR_I64,
        .mem = g->mode | (g->write ? IR_MEM_WRITE : 0) | align,
        .a = a,
        .c = g->hi - lo,
        .imm = lo - g->base,
    };
}

/* The group of a member that has a CHECK, or NULL. */
static const struct group *checked_group(const struct merge *m, uint32_t n)
{
    const struct group *g = n && m->member[n] ? &m->group[m->member[n] - 1] : NULL;

    return g && g->check ? g : NULL;
}

/* What an operand is called once all is in place. Only insns behind it have been moved yet. */
static ir_val renamed(const struct merge *m, ir_val v)
{
    const struct group *g = m->ir->insn[v].op == IR_CHECK ? checked_group(m, v) : NULL;

    return g ? g->check : m->moved[v];
}

/* Moves one insn to its place, with its operands renamed; a member gets its host offset. */
static void move_insn(struct merge *m, uint32_t n)
{
    struct ir_insn *i = &m->ir->insn[m->moved[n]];
    const struct group *g = checked_group(m, n);
    unsigned nargs;

    *i = m->ir->insn[n];
    nargs = ir_op_info[i->op].nargs;
    i->a = nargs > 0 ? renamed(m, i->a) : i->a;
    i->b = nargs > 1 ? renamed(m, i->b) : i->b;
    i->c = nargs > 2 ? renamed(m, i->c) : i->c;
    i->d = nargs > 3 ? renamed(m, i->d) : i->d;
    if (!g)
        return;
    if (g->first == n)
        place_check(m, g, i->a);
    if (i->op == IR_LD) {
        i->op = IR_LDH;
        i->b = g->check;
    } else if (i->op == IR_ST) {
        i->op = IR_STH;
        i->c = g->check;
    } else {
        *i = (struct ir_insn){ .op = IR_NOP };
    }
}

void opt_merge(struct ir *ir, uint32_t *scratch)
{
    struct merge m;
    unsigned checks;

    m.ir = ir;
    m.member = scratch;
    m.moved = scratch + ir->max;
    m.ngroups = m.nopen = 0;
    m.clean = false;
    find_groups(&m);
    if (!m.ngroups)
        return;
    checks = number(&m);
    if (!checks)
        return;
    for (uint32_t n = ir->count - 1; n > 0; n--)
        move_insn(&m, n);
    ir->count += checks;
}
