/*
 * A, Zacas, Zawrs (unprivileged architecture 13 to 16).
 *
 * A reservation is an address and the value read there; SC succeeds if memory still holds that
 * value. With several harts it fails, too, where another hart's SC stored to the line since (LDX
 * and STX of the IR): lists that are changed by LR and SC alone, as lock-free ones are, may rely on
 * that when an element comes back to where it was. Stores and AMOs of other harts are told by the
 * value, which spares them any cost: if they bring back the value that was read, SC may succeed
 * where the architecture (13.2) has it fail.
 */
#include "translate.h"
#include "a.inc"

enum { W = 2, D = 3 }; /* log2 of bytes */

static ir_val address(struct trans *t, unsigned rs1)
{
    return rv_wide(t, rv_get(t, rs1));
}

static ir_val get(struct trans *t, unsigned n, unsigned size)
{
    return size == W ? rv_get32(t, n) : rv_get(t, n);
}

static void set(struct trans *t, unsigned n, unsigned size, ir_val v)
{
    if (size == W)
        rv_set32(t, n, v);
    else
        rv_set(t, n, v);
}

/* ---- LR, SC ---- */

static void fence_before(struct trans *t, const struct args *a)
{
    if (a->rl)
        ir_fence(t->ir, (IR_FENCE_R | IR_FENCE_W) << 4 | IR_FENCE_R);
}

static bool load_reserved(struct trans *t, const struct args *a, unsigned size)
{
    enum ir_type type = size == W ? IR_I32 : IR_I64;
    uint16_t mem = rv_mem(t, size, IR_MEM_ALIGNED);
    ir_val addr = address(t, a->rs1);
    ir_val v;

    fence_before(t, a);
    if (t->cpu->shares_memory)
        v = ir_load_linked(t->ir, type, mem, addr);
    else
        v = ir_load(t->ir, type, mem, addr, 0);
    if (a->aq)
        ir_fence(t->ir, IR_FENCE_R << 4 | IR_FENCE_R | IR_FENCE_W);
    ir_set(t->ir, SLOT_RES_ADDR, addr);
    ir_set(t->ir, SLOT_RES_VAL, size == W ? ir_zext32(t->ir, v) : v);
    set(t, a->rd, size, v);
    return true;
}

/* 1 if it did not store. */
static ir_val compare_and_store(struct trans *t, unsigned size, ir_val addr, ir_val expected,
                                ir_val new)
{
    uint16_t mem = rv_mem(t, size, 0);
    ir_val failed;

    if (size == W)
        expected = ir_trunc(t->ir, expected);
    if (!t->cpu->shares_memory)
        return ir_setcc(t->ir, rv_type(t), IR_NE, ir_cmpxchg(t->ir, mem, addr, expected, new),
                        expected);
    failed = ir_store_linked(t->ir, mem, addr, expected, new);
    return size == W && rv_type(t) == IR_I64 ? ir_zext32(t->ir, failed) : failed;
}

/*
 * Without a reservation for the address it fails through a side exit that sees rd = 1 and no
 * reservation; those of before come back behind it, since the store may still fault, or be held up
 * by a watchpoint and run again.
 */
static bool store_conditional(struct trans *t, const struct args *a, unsigned size)
{
    struct ir *ir = t->ir;
    ir_val addr = address(t, a->rs1), new = get(t, a->rs2, size);
    ir_val reserved = ir_get(ir, SLOT_RES_ADDR), expected = ir_get(ir, SLOT_RES_VAL);
    ir_val rd = rv_get(t, a->rd), failed;

    rv_set(t, a->rd, rv_imm(t, 1));
    ir_set(ir, SLOT_RES_ADDR, ir_imm64(ir, RES_NONE));
    ir_exit_if(ir, IR_NE, reserved, addr, t->next);
    rv_set(t, a->rd, rd);
    ir_set(ir, SLOT_RES_ADDR, addr);
    failed = compare_and_store(t, size, addr, expected, new);
    ir_set(ir, SLOT_RES_ADDR, ir_imm64(ir, RES_NONE));
    rv_set(t, a->rd, failed);
    return true;
}

#define HANDLER(name, how, size)                                 \
    static bool tr_##name(struct trans *t, const struct args *a) \
    {                                                            \
        return how(t, a, size);                                  \
    }
HANDLER(lr_w, load_reserved, W)
HANDLER(lr_d, load_reserved, D)
HANDLER(sc_w, store_conditional, W)
HANDLER(sc_d, store_conditional, D)

/* ---- AMO ---- */

static bool amo(struct trans *t, const struct args *a, unsigned size, enum ir_amo op)
{
    ir_val addr = address(t, a->rs1);

    set(t, a->rd, size, ir_amo(t->ir, op, rv_mem(t, size, 0), addr, get(t, a->rs2, size)));
    return true;
}

#define AMO(name, op)                                                   \
    static bool tr_amo##name##_w(struct trans *t, const struct args *a) \
    {                                                                   \
        return amo(t, a, W, IR_AMO_##op);                               \
    }                                                                   \
    static bool tr_amo##name##_d(struct trans *t, const struct args *a) \
    {                                                                   \
        return amo(t, a, D, IR_AMO_##op);                               \
    }
AMO(swap, SWAP)
AMO(add, ADD)
AMO(xor, XOR)
AMO(and, AND)
AMO(or, OR)
AMO(min, MIN)
AMO(max, MAX)
AMO(minu, MINU)
AMO(maxu, MAXU)

/* ---- Compare and swap ---- */

static bool amocas(struct trans *t, const struct args *a, unsigned size)
{
    ir_val addr = address(t, a->rs1);

    set(t, a->rd, size,
        ir_cmpxchg(t->ir, rv_mem(t, size, 0), addr, get(t, a->rd, size), get(t, a->rs2, size)));
    return true;
}
HANDLER(amocas_w, amocas, W)
HANDLER(amocas_d, amocas, D)

/* RV32: 64 bits in registers n and n + 1, both zero for x0. */
static ir_val get_pair(struct trans *t, unsigned n)
{
    ir_val lo, hi;

    if (!n)
        return ir_imm64(t->ir, 0);
    lo = ir_zext32(t->ir, rv_get(t, n));
    hi = ir_zext32(t->ir, rv_get(t, n + 1));
    return ir_or(t->ir, lo, ir_shl(t->ir, hi, ir_imm64(t->ir, 32)));
}

static bool tr_amocas_pair(struct trans *t, const struct args *a)
{
    ir_val old;

    if (a->rd & 1 || a->rs2 & 1)
        return false;
    old = ir_cmpxchg(t->ir, rv_mem(t, D, 0), address(t, a->rs1), get_pair(t, a->rd),
                     get_pair(t, a->rs2));
    if (a->rd) {
        rv_set(t, a->rd, ir_trunc(t->ir, old));
        rv_set(t, a->rd + 1, ir_trunc(t->ir, ir_shr(t->ir, old, ir_imm64(t->ir, 32))));
    }
    return true;
}

static bool tr_amocas_q(struct trans *t, const struct args *a)
{
    if (a->rd & 1 || a->rs2 & 1)
        return false;
    ir_call(t->ir, &helper_amocas_q, address(t, a->rs1), ir_imm32(t->ir, a->rd),
            ir_imm32(t->ir, a->rs2), IR_NONE);
    return true;
}

/* Waiting may end at any time for any reason: a chance for other harts is enough. */
static bool tr_wrs(struct trans *t, const struct args *a)
{
    (void)a;
    ir_call(t->ir, &helper_pause, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    return true;
}
