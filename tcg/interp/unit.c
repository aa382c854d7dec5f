/*
 * Turns IR into units of the interpreter: operations picked by type, constants folded into those
 * that use them, values nobody uses left out, cpu->pc stored only in front of what may need it.
 */
#include <glib.h>
#include <base/bug.h>
#include "ops.h"

struct decode {
    const struct ir *ir;
    struct interp_unit *u;
    uint32_t *word;   /* IR value -> first of its words */
    uint8_t *used;    /* the value is needed in a word */
    uint64_t insn_pc; /* of the guest instruction decoded */
    bool pc_stored;   /* cpu->pc holds it */
    interp_map_fn *map;
    void *opaque;
};

/* Operations by IR operation; [0]: on i32, [1]: on i64. */
struct row {
    uint16_t reg[2], imm[2];
};
#define SAME(op)              \
    {                         \
        { OP_##op, OP_##op }, \
        {                     \
            0, 0              \
        }                     \
    }
#define SAME_IMM(op)               \
    {                              \
        { OP_##op, OP_##op },      \
        {                          \
            OP_##op##I, OP_##op##I \
        }                          \
    }
#define TYPED(op)                     \
    {                                 \
        { OP_##op##32, OP_##op##64 }, \
        {                             \
            0, 0                      \
        }                             \
    }
#define TYPED_IMM(op)                  \
    {                                  \
        { OP_##op##32, OP_##op##64 },  \
        {                              \
            OP_##op##32I, OP_##op##64I \
        }                              \
    }
static const struct row rows[IR_NB_OPS] = {
    [IR_ADD] = TYPED_IMM(ADD),  [IR_SUB] = TYPED(SUB),      [IR_MUL] = TYPED(MUL),
    [IR_MULHS] = TYPED(MULHS),  [IR_MULHU] = TYPED(MULHU),  [IR_MULHSU] = TYPED(MULHSU),
    [IR_DIVS] = TYPED(DIVS),    [IR_DIVU] = TYPED(DIVU),    [IR_REMS] = TYPED(REMS),
    [IR_REMU] = TYPED(REMU),    [IR_AND] = SAME_IMM(AND),   [IR_OR] = SAME_IMM(OR),
    [IR_XOR] = SAME_IMM(XOR),   [IR_ANDN] = SAME(ANDN),     [IR_SHL] = TYPED_IMM(SHL),
    [IR_SHR] = TYPED_IMM(SHR),  [IR_SAR] = TYPED_IMM(SAR),  [IR_ROTL] = TYPED(ROTL),
    [IR_ROTR] = TYPED(ROTR),    [IR_NEG] = TYPED(NEG),      [IR_NOT] = SAME(NOT),
    [IR_CLZ] = TYPED(CLZ),      [IR_CTZ] = TYPED(CTZ),      [IR_POPCNT] = TYPED(POPCNT),
    [IR_BSWAP] = TYPED(BSWAP),  [IR_SEXT8] = SAME(SEXT8),   [IR_SEXT16] = SAME(SEXT16),
    [IR_ZEXT8] = SAME(ZEXT8),   [IR_ZEXT16] = SAME(ZEXT16), [IR_SEXT32] = SAME(COPY),
    [IR_ZEXT32] = SAME(LOW32U), [IR_TRUNC] = SAME(LOW32S),
};
#undef SAME
#undef SAME_IMM
#undef TYPED
#undef TYPED_IMM

static bool is_narrow_const(const struct ir *ir, ir_val v)
{
    int64_t c;

    return ir_is_const(ir, v, &c) && c == (int32_t)c;
}

/* Whether operand b of @i is taken as a constant out of the operation itself. */
static bool takes_imm(const struct ir *ir, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_SETCC: return ir_def(ir, i->b)->op == IR_CONST;
    case IR_EXITIF:
    case IR_LOOPIF: return is_narrow_const(ir, i->b);
    default: return rows[i->op].imm[0] && ir_def(ir, i->b)->op == IR_CONST;
    }
}

static void find_used(struct decode *d)
{
    for (uint32_t n = 1; n < d->ir->count; n++) {
        const struct ir_insn *i = &d->ir->insn[n];
        unsigned nargs = ir_op_info[i->op].nargs;

        if (nargs > 0)
            d->used[i->a] = 1;
        if (nargs > 1 && !takes_imm(d->ir, i))
            d->used[i->b] = 1;
        if (nargs > 2)
            d->used[i->c] = 1;
        if (nargs > 3)
            d->used[i->d] = 1;
    }
}

static struct interp_op *put(struct decode *d, unsigned op)
{
    struct interp_op *o = &d->u->op[d->u->nops++];

    *o = (struct interp_op){ .op = op };
    return o;
}

static struct interp_op *put_operands(struct decode *d, unsigned op, const struct ir_insn *i)
{
    struct interp_op *o = put(d, op);

    o->a = d->word[i->a];
    o->b = d->word[i->b];
    o->mem = i->mem;
    o->type = i->type;
    return o;
}

/* In front of what may raise, or leave for the instruction it stands in. */
static void put_pc(struct decode *d)
{
    if (d->pc_stored)
        return;
    put(d, OP_PC)->imm = d->insn_pc;
    d->pc_stored = true;
}

static void put_slot(struct decode *d, const struct ir_insn *i)
{
    unsigned bytes = ir_type_bytes[i->type];
    bool get = i->op == IR_GET;
    struct interp_op *o;

    if (bytes > 8)
        o = put_operands(d, get ? OP_GETW : OP_SETW, i);
    else if (bytes == 8)
        o = put_operands(d, get ? OP_GET64 : OP_SET64, i);
    else
        o = put_operands(d, get ? OP_GET32 : OP_SET32, i);
    o->b = bytes;
    o->imm = d->ir->slots->slot[i->imm].offset;
    if (!get)
        o->a = d->word[i->a];
}

static void put_arith(struct decode *d, const struct ir_insn *i)
{
    unsigned wide = i->type == IR_I64;

    if (ir_op_info[i->op].nargs > 1 && takes_imm(d->ir, i))
        put_operands(d, rows[i->op].imm[wide], i)->imm = ir_def(d->ir, i->b)->imm;
    else
        put_operands(d, rows[i->op].reg[wide], i);
}

static void put_cond(struct decode *d, const struct ir_insn *i)
{
    bool imm = takes_imm(d->ir, i);
    struct interp_op *o;

    switch (i->op) {
    case IR_SETCC:
        o = put_operands(d, (imm ? OP_SETCCI_EQ : OP_SETCC_EQ) + i->cond, i);
        o->imm = ir_def(d->ir, i->b)->imm;
        return;
    case IR_EXITIF: o = put_operands(d, (imm ? OP_EXITIFI_EQ : OP_EXITIF_EQ) + i->cond, i); break;
    default: o = put_operands(d, (imm ? OP_LOOPIFI_EQ : OP_LOOPIF_EQ) + i->cond, i); break;
    }
    o->imm = i->imm;
    if (imm)
        o->b = ir_def(d->ir, i->b)->imm;
}

static void put_select(struct decode *d, const struct ir_insn *i)
{
    bool vector = ir_type_bytes[i->type] > 8;
    struct interp_op *o = put_operands(d, vector ? OP_SELECTW : OP_SELECT_EQ + i->cond, i);

    o->mem = i->cond;
    o->c = d->word[i->c];
    o->e = d->word[i->d];
}

static unsigned load_op(const struct ir_insn *i)
{
    static const uint16_t op[2][2][4] = {
        { { OP_LD_U1, OP_LD_U2, OP_LD_U4, OP_LD_U8 }, { OP_LD_S1, OP_LD_S2, OP_LD_S4, OP_LD_U8 } },
        { { OP_LDH_U1, OP_LDH_U2, OP_LDH_U4, OP_LDH_U8 },
          { OP_LDH_S1, OP_LDH_S2, OP_LDH_S4, OP_LDH_U8 } },
    };
    unsigned log2size = i->mem & IR_MEM_SIZE;
    bool checked = i->op == IR_LDH;

    if (log2size > 3)
        return checked ? OP_LDH_WIDE : OP_LD_WIDE;
    if (i->mem & IR_MEM_BE)
        return checked ? OP_LDH_ANY : OP_LD_ANY;
    return op[checked][i->mem & IR_MEM_SIGNED || (i->type == IR_I32 && log2size == 2)][log2size];
}

static unsigned store_op(const struct ir_insn *i)
{
    static const uint16_t op[2][4] = { { OP_ST_U1, OP_ST_U2, OP_ST_U4, OP_ST_U8 },
                                       { OP_STH_U1, OP_STH_U2, OP_STH_U4, OP_STH_U8 } };
    unsigned log2size = i->mem & IR_MEM_SIZE;
    bool checked = i->op == IR_STH;

    if (log2size > 3)
        return checked ? OP_STH_WIDE : OP_ST_WIDE;
    if (i->mem & IR_MEM_BE)
        return checked ? OP_STH_ANY : OP_ST_ANY;
    return op[checked][log2size];
}

static void put_memory(struct decode *d, const struct ir_insn *i)
{
    struct interp_op *o;

    switch (i->op) {
    case IR_LDH: o = put_operands(d, load_op(i), i); break;
    case IR_STH:
        o = put_operands(d, store_op(i), i);
        o->d = d->word[i->c];
        break;
    case IR_CHECK:
        put_pc(d);
        o = put_operands(d, OP_CHECK, i);
        o->b = i->c;
        break;
    default:
        put_pc(d);
        o = put_operands(d, i->op == IR_LD ? load_op(i) : store_op(i), i);
        break;
    }
    o->imm = i->imm;
}

static void put_atomic(struct decode *d, const struct ir_insn *i)
{
    const unsigned op = i->op == IR_AMO       ? OP_AMO
                        : i->op == IR_CMPXCHG ? OP_CMPXCHG
                        : i->op == IR_LDX     ? OP_LDX
                                              : OP_STX;
    struct interp_op *o;

    put_pc(d);
    o = put_operands(d, op, i);
    o->c = op == OP_AMO ? i->cond : d->word[i->c];
}

static void put_call(struct decode *d, const struct ir_insn *i)
{
    const uint32_t args[4] = { d->word[i->a], d->word[i->b], d->word[i->c], d->word[i->d] };
    struct interp_unit *u = d->u;

    if (!(i->helper->flags & IR_H_PURE))
        put_pc(d);
    interp_call_prepare(u->calls, u->ncalls, i->helper, args);
    put_operands(d, OP_CALL, i)->call = interp_call_at(u->calls, u->ncalls++);
}

static void put_trap(struct decode *d, const struct ir_insn *i)
{
    struct interp_op *o;

    put_pc(d);
    o = put_operands(d, OP_TRAPIF, i);
    o->mem = i->cond;
    o->helper = i->helper;
}

static void put_float(struct decode *d, const struct ir_insn *i)
{
    bool bits = ir_op_info[i->op].props & IR_P_P;
    struct interp_op *o = put_operands(d, bits ? OP_FSIGN : OP_FP, i);

    o->ir_op = i->op;
    o->mem = i->cond;
    o->from = ir_type_of(d->ir, i->a);
    o->c = d->word[i->c];
}

static void put_vector(struct decode *d, const struct ir_insn *i)
{
    struct interp_op *o = put_operands(d, OP_VECTOR, i);

    o->ir_op = i->cond;
    o->c = d->word[i->c];
    o->e = i->imm;
}

static void put_guard(struct decode *d, const struct ir_insn *i)
{
    struct interp_map map = { 0, 0 };
    struct interp_op *o;

    if (!d->map)
        return;
    d->map(d->opaque, i->imm, &map);
    o = put(d, OP_GUARD);
    o->imm = i->imm;
    o->a = map.cell;
    o->b = map.id;
}

static void put_end(struct decode *d, unsigned op, const struct ir_insn *i)
{
    put_operands(d, op, i)->imm = i->imm;
}

static void put_insn(struct decode *d, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_NOP:
    case IR_KILL: break;
    case IR_INSN:
        d->insn_pc = i->imm;
        d->pc_stored = false;
        break;
    case IR_CONST:
    case IR_PCREL: put(d, OP_CONST)->imm = i->imm; break;
    case IR_GET:
    case IR_SET: put_slot(d, i); break;
    case IR_SETCC:
    case IR_EXITIF:
    case IR_LOOPIF: put_cond(d, i); break;
    case IR_SELECT: put_select(d, i); break;
    case IR_LD:
    case IR_ST:
    case IR_LDH:
    case IR_STH:
    case IR_CHECK: put_memory(d, i); break;
    case IR_AMO:
    case IR_CMPXCHG:
    case IR_LDX:
    case IR_STX: put_atomic(d, i); break;
    case IR_FENCE: put(d, OP_FENCE)->imm = i->imm; break;
    case IR_CALL: put_call(d, i); break;
    case IR_TRAPIF: put_trap(d, i); break;
    case IR_FBITS: put_operands(d, i->type == IR_I32 ? OP_LOW32S : OP_COPY, i); break;
    case IR_BITSF: put_operands(d, i->type == IR_F32 ? OP_LOW32U : OP_COPY, i); break;
    case IR_V:
    case IR_VF: put_vector(d, i); break;
    case IR_FFLAGS: put_operands(d, OP_FFLAGS, i); break;
    case IR_FKEEP: put_operands(d, OP_FKEEP, i); break;
    case IR_GUARD: put_guard(d, i); break;
    case IR_LOOP: put_end(d, OP_LOOP, i); break;
    case IR_EXIT: put_end(d, OP_EXIT, i); break;
    case IR_EXITIND: put_end(d, OP_EXITIND, i); break;
    case IR_EXITPC: put_end(d, OP_EXITPC, i); break;
    default:
        if (rows[i->op].reg[0])
            put_arith(d, i);
        else
            put_float(d, i);
        break;
    }
}

static void decode(struct decode *d)
{
    const struct ir *ir = d->ir;
    struct interp_unit *u = d->u;

    for (uint32_t n = 1; n < ir->count; n++) {
        const struct ir_insn *i = &ir->insn[n];
        unsigned props = ir_op_info[i->op].props;
        bool value = props & IR_P_V && i->type != IR_VOID;

        if (value && !(props & IR_P_S) && !d->used[n])
            continue;
        put_insn(d, i);
        if (!value)
            continue;
        d->word[n] = u->op[u->nops - 1].d = u->nwords;
        u->nwords += (ir_type_bytes[i->type] + 7) / 8;
    }
    bug_on(u->nwords > INTERP_MAX_WORDS);
}

static uint32_t count_calls(const struct ir *ir)
{
    uint32_t calls = 0;

    for (uint32_t n = 1; n < ir->count; n++)
        calls += ir->insn[n].op == IR_CALL;
    return calls;
}

struct interp_unit *interp_unit_new(const struct ir *ir, interp_map_fn *map, void *opaque)
{
    struct decode d = { .ir = ir, .insn_pc = ir->pc, .map = map, .opaque = opaque };
    struct interp_unit *u;

    /* Each operation of the IR becomes one, with at most a PC in front of it. */
    u = g_malloc0(sizeof(*u) + 2 * ir->count * sizeof(u->op[0]));
    u->pc = ir->pc;
    u->flags = ir->flags;
    u->nwords = 1;
    u->calls = interp_calls_new(count_calls(ir));
    u->checked = map;
    if (map)
        map(opaque, ir->pc, &u->map);
    d.u = u;
    d.word = g_new0(uint32_t, ir->count);
    d.used = g_new0(uint8_t, ir->count);
    find_used(&d);
    decode(&d);
    g_free(d.word);
    g_free(d.used);
    return g_realloc(u, interp_unit_size(u) - interp_calls_size(u->ncalls));
}

void interp_unit_free(struct interp_unit *u)
{
    if (!u)
        return;
    g_free(u->calls);
    g_free(u);
}

void interp_unit_disable(struct interp_unit *u)
{
    __atomic_store_n(&u->disabled, true, __ATOMIC_SEQ_CST);
}

size_t interp_unit_size(const struct interp_unit *u)
{
    return sizeof(*u) + u->nops * sizeof(u->op[0]) + interp_calls_size(u->ncalls);
}
