/*
 * Checks that a unit keeps the rules of docs/ir.md: operands defined before use and of the right
 * types, immediates in range, one end and that at the end.
 */
#include <glib.h>
#include <tcg/abi.h>
#include "text.h"

struct checker {
    const struct ir *ir;
    const struct ir_insn *i;
    uint32_t n;
    char *error;
};

static bool fail(struct checker *k, const char *what)
{
    if (!k->error)
        k->error = g_strdup_printf("%%%u (%s): %s", k->n, ir_op_info[k->i->op].name, what);
    return false;
}

static bool is_int(unsigned type)
{
    return type == IR_I32 || type == IR_I64;
}

static bool is_float(unsigned type)
{
    return type == IR_F32 || type == IR_F64;
}

/* @v is a value defined earlier; of @type if that is not IR_VOID. */
static bool check_value(struct checker *k, ir_val v, enum ir_type type)
{
    const struct ir_insn *d;

    if (v == IR_NONE || v >= k->n)
        return fail(k, "operand is not defined before");
    d = ir_def(k->ir, v);
    if (!(ir_op_info[d->op].props & IR_P_V) || d->type == IR_VOID)
        return fail(k, "operand is not a value");
    if (type != IR_VOID && d->type != type)
        return fail(k, "operand has the wrong type");
    return true;
}

static bool check_type(struct checker *k, bool ok)
{
    return ok || fail(k, "wrong type");
}

static bool check_slot_number(struct checker *k)
{
    return (k->i->imm >= 0 && k->i->imm < k->ir->slots->count) || fail(k, "no such slot");
}

static bool check_slot(struct checker *k)
{
    const struct ir_insn *i = k->i;

    if (!check_slot_number(k))
        return false;
    return check_type(k, i->type == k->ir->slots->slot[i->imm].type);
}

/* Address, memory operation, and the type that goes with its size. */
static bool check_access(struct checker *k)
{
    const struct ir_insn *i = k->i;
    unsigned log2size = i->mem & IR_MEM_SIZE;
    unsigned bytes = 1u << log2size;

    if (!check_value(k, i->a, IR_I64))
        return false;
    if (log2size > 4 || ir_mem_mode(i->mem) >= TCG_MMU_MODES)
        return fail(k, "bad memory operation");
    if (i->imm != (int32_t)i->imm)
        return fail(k, "displacement exceeds 32 bits");
    if (i->op == IR_CHECK)
        return check_type(k, i->type == IR_I64);
    if (is_int(i->type))
        return check_type(k, bytes <= ir_type_bytes[i->type]);
    return check_type(k, i->type != IR_VOID && bytes == ir_type_bytes[i->type]);
}

static bool check_atomic(struct checker *k)
{
    const struct ir_insn *i = k->i;

    if (!check_access(k) || !check_type(k, is_int(i->type)) || !check_value(k, i->b, i->type))
        return false;
    if (i->imm)
        return fail(k, "atomics take no displacement");
    if (i->op == IR_AMO)
        return i->cond < IR_NB_AMOS || fail(k, "bad operation");
    return check_value(k, i->c, i->type);
}

/* What @v is a constant away from, and that constant. */
static ir_val root_of(const struct ir *ir, ir_val v, int64_t *offset)
{
    int64_t c;

    *offset = 0;
    while (ir_def(ir, v)->op == IR_ADD && ir_is_const(ir, ir_def(ir, v)->b, &c)) {
        *offset = (uint64_t)*offset + (uint64_t)c;
        v = ir_def(ir, v)->a;
    }
    return v;
}

/* The host offset of LDH and STH comes from a CHECK that covers the access. */
static bool check_covered(struct checker *k, ir_val check)
{
    const struct ir_insn *i = k->i, *c;
    int64_t base, check_base;
    uint64_t at, size = 1 << (i->mem & IR_MEM_SIZE);

    if (!check_access(k) || !check_value(k, check, IR_I64))
        return false;
    c = ir_def(k->ir, check);
    if (c->op != IR_CHECK || root_of(k->ir, c->a, &check_base) != root_of(k->ir, i->a, &base))
        return fail(k, "not covered by its check");
    at = ((uint64_t)base + i->imm) - ((uint64_t)check_base + c->imm);
    if (at > c->c || size > c->c - at)
        return fail(k, "not covered by its check");
    if (i->op == IR_STH && !(c->mem & IR_MEM_WRITE))
        return fail(k, "store under a check for loads");
    return true;
}

static bool check_linked_load(struct checker *k)
{
    const struct ir_insn *i = k->i;

    if (!check_access(k) || !check_type(k, is_int(i->type)))
        return false;
    if (i->imm)
        return fail(k, "linked loads take no displacement");
    return i->mem & IR_MEM_ALIGNED || fail(k, "linked loads are aligned");
}

static bool check_memory(struct checker *k)
{
    const struct ir_insn *i = k->i;

    switch (i->op) {
    case IR_LD: return check_access(k);
    case IR_ST: return check_access(k) && check_value(k, i->b, i->type);
    case IR_LDH: return check_covered(k, i->b);
    case IR_STH: return check_covered(k, i->c) && check_value(k, i->b, i->type);
    case IR_LDX: return check_linked_load(k);
    case IR_CHECK:
        return check_access(k) && ((i->c > 0 && i->c <= TCG_PAGE_SIZE) || fail(k, "bad length"));
    default: return check_atomic(k);
    }
}

static bool check_call(struct checker *k)
{
    const struct ir_insn *i = k->i;
    const ir_val v[4] = { i->a, i->b, i->c, i->d };
    const struct ir_helper *h = i->helper;

    if (!h || h->nargs > 4)
        return fail(k, "bad helper");
    for (unsigned n = 0; n < 4; n++) {
        if (n < h->nargs ? !check_value(k, v[n], h->arg[n]) : v[n] && !fail(k, "too many operands"))
            return false;
    }
    return check_type(k, i->type == h->ret && (i->type == IR_VOID || is_int(i->type)));
}

static bool check_cond(struct checker *k, enum ir_type type)
{
    const struct ir_insn *i = k->i;

    if (i->cond >= IR_NB_CONDS)
        return fail(k, "bad condition");
    return check_type(k, is_int(type)) && check_value(k, i->a, type) && check_value(k, i->b, type);
}

/* Conversions: the operand's type where it is not the result's. */
static bool check_convert(struct checker *k)
{
    const struct ir_insn *i = k->i;
    unsigned from;

    if (!check_value(k, i->a, IR_VOID))
        return false;
    from = ir_type_of(k->ir, i->a);
    switch (i->op) {
    case IR_SEXT32:
    case IR_ZEXT32: return check_type(k, from == IR_I32 && i->type == IR_I64);
    case IR_TRUNC: return check_type(k, from == IR_I64 && i->type == IR_I32);
    case IR_F2I:
        if ((i->cond & 7) >= IR_NB_RNDS || i->cond > 15)
            return fail(k, "bad rounding");
        return check_type(k, is_float(from) && is_int(i->type));
    case IR_I2F:
        if ((i->cond & 7) >= IR_NB_RNDS || i->cond > 15)
            return fail(k, "bad rounding");
        return check_type(k, is_int(from) && is_float(i->type));
    case IR_F2F: return check_type(k, is_float(from) && is_float(i->type) && from != i->type);
    case IR_FBITS:
        return check_type(k, is_float(from) && is_int(i->type) &&
                                 ir_type_bytes[from] == ir_type_bytes[i->type]);
    case IR_BITSF:
        return check_type(k, is_int(from) && is_float(i->type) &&
                                 ir_type_bytes[from] == ir_type_bytes[i->type]);
    case IR_BOX: return check_type(k, from == IR_F32 && i->type == IR_F64);
    default: return check_type(k, from == IR_F64 && i->type == IR_F32);
    }
}

/* Arithmetic whose operands all have the result's type. */
static bool check_plain(struct checker *k)
{
    const struct ir_insn *i = k->i;
    const ir_val v[3] = { i->a, i->b, i->c };

    if (!check_type(k, i->op < IR_FADD ? is_int(i->type) : is_float(i->type)))
        return false;
    for (unsigned n = 0; n < ir_op_info[i->op].nargs; n++) {
        if (!check_value(k, v[n], i->type))
            return false;
    }
    return i->op != IR_FMA || i->cond <= 3 || fail(k, "bad signs");
}

static bool check_vector(struct checker *k)
{
    const struct ir_insn *i = k->i;
    const ir_val v[3] = { i->a, i->b, i->c };
    const struct ir_vop_info *info = &ir_vop_info[i->cond];
    unsigned lane = i->mem & 0xff;

    if (i->cond >= IR_NB_VOPS || !!(info->props & IR_VP_F) != (i->op == IR_VF))
        return fail(k, "bad operation");
    if (!(info->lanes & lane) || lane & (lane - 1) || i->mem & ~(IR_LANE_SCALAR | 0xffu) ||
        (i->mem & IR_LANE_SCALAR && !(info->props & IR_VP_S)))
        return fail(k, "bad lane size");
    if (i->imm < 0 || i->imm > (info->props & IR_VP_N ? 0xff : 0))
        return fail(k, "bad immediate");
    for (unsigned n = 0; n < 3; n++) {
        enum ir_type type = ir_vop_type(i->cond, i->mem, n + 1);

        if (type == IR_VOID ? v[n] && !fail(k, "too many operands") : !check_value(k, v[n], type))
            return false;
    }
    return check_type(k, i->type == ir_vop_type(i->cond, i->mem, 0));
}

static bool check_insn(struct checker *k)
{
    const struct ir_insn *i = k->i;

    switch (i->op) {
    case IR_NOP:
    case IR_INSN:
    case IR_GUARD:
    case IR_LOOP:
    case IR_EXIT:
    case IR_EXITPC: return check_type(k, i->type == IR_VOID);
    case IR_CONST: return check_type(k, is_int(i->type) || is_float(i->type));
    case IR_PCREL: return check_type(k, i->type == IR_I64);
    case IR_GET: return check_slot(k);
    case IR_KILL: return check_slot_number(k);
    case IR_SET: return check_slot(k) && check_value(k, i->a, i->type);
    case IR_SETCC:
        return check_value(k, i->a, IR_VOID) && check_type(k, is_int(i->type)) &&
               check_cond(k, ir_type_of(k->ir, i->a));
    case IR_SELECT:
        return check_value(k, i->a, IR_VOID) && check_cond(k, ir_type_of(k->ir, i->a)) &&
               check_value(k, i->c, i->type) && check_value(k, i->d, i->type);
    case IR_EXITIF:
    case IR_LOOPIF: return check_cond(k, i->type);
    case IR_TRAPIF:
        return check_cond(k, i->type) && ((i->helper && i->helper->flags & IR_H_RAISES &&
                                           i->helper->flags & IR_H_CPU && !i->helper->nargs) ||
                                          fail(k, "bad helper"));
    case IR_EXITIND: return check_value(k, i->a, IR_I64);
    case IR_FFLAGS: return check_type(k, i->type == IR_I64);
    case IR_FKEEP: return check_value(k, i->a, IR_I64);
    case IR_FENCE: return (i->imm >= 0 && i->imm <= 0xff) || fail(k, "bad mask");
    case IR_CALL: return check_call(k);
    case IR_FCMP:
        return check_value(k, i->a, IR_VOID) &&
               check_type(k, i->type == IR_I64 && is_float(ir_type_of(k->ir, i->a))) &&
               check_value(k, i->b, ir_type_of(k->ir, i->a)) &&
               ((i->cond & ~IR_FCMP_SILENT) < IR_NB_FCMPS || fail(k, "bad condition"));
    case IR_V:
    case IR_VF: return check_vector(k);
    case IR_LD:
    case IR_ST:
    case IR_CHECK:
    case IR_LDH:
    case IR_STH:
    case IR_AMO:
    case IR_CMPXCHG:
    case IR_LDX:
    case IR_STX: return check_memory(k);
    case IR_SEXT32:
    case IR_ZEXT32:
    case IR_TRUNC:
    case IR_F2I:
    case IR_I2F:
    case IR_F2F:
    case IR_FBITS:
    case IR_BITSF:
    case IR_BOX:
    case IR_UNBOX: return check_convert(k);
    default: return check_plain(k);
    }
}

char *ir_verify(const struct ir *ir)
{
    struct checker k = { .ir = ir };

    if (ir->count < 2 || ir->count > ir->max)
        return g_strdup("the unit is empty");
    for (k.n = 1; k.n < ir->count; k.n++) {
        bool last = k.n == ir->count - 1;

        k.i = &ir->insn[k.n];
        if (k.i->op >= IR_NB_OPS)
            return g_strdup_printf("%%%u: no such operation", k.n);
        if (k.i->type > IR_V128)
            return g_strdup_printf("%%%u: no such type", k.n);
        if (!check_insn(&k))
            return k.error;
        if (!!(ir_op_info[k.i->op].props & IR_P_E) != last) {
            fail(&k, last ? "does not end the unit" : "the unit goes on behind its end");
            return k.error;
        }
    }
    return NULL;
}
