/*
 * Random guest programs. Only the builder's functions are used, as a front end would.
 */
#include <string.h>
#include <tcg/opt.h>
#include "irgen.h"

#define POOL 64

struct value {
    ir_val v;
    enum ir_type type;
    bool some_nan; /* a NaN in it may be any quiet one: its bits must not be seen */
};

/* One guest instruction in the making. */
struct making {
    const struct irgen *p;
    struct ir *ir;
    GRand *rand;
    unsigned at;   /* its number */
    unsigned next; /* where the unit goes on */
    struct value pool[POOL];
    unsigned n;
};

static unsigned below(struct making *m, unsigned n)
{
    return g_rand_int_range(m->rand, 0, n);
}

static bool one_in(struct making *m, unsigned n)
{
    return below(m, n) == 0;
}

static uint64_t pc_of(unsigned at)
{
    return IRGEN_PC + 4 * (uint64_t)at;
}

static int64_t random_imm(struct making *m)
{
    uint64_t v = (uint64_t)g_rand_int(m->rand) << 32 | g_rand_int(m->rand);

    switch (below(m, 5)) {
    case 0: return v;
    case 1: return (int32_t)v;
    case 2: return (int64_t)(v & 0xfff) - 0x800;
    case 3: return UINT64_C(1) << (v & 63);
    default: return below(m, 70);
    }
}

static struct value keep(struct making *m, ir_val v, bool some_nan)
{
    struct value x = { v, ir_type_of(m->ir, v), some_nan };

    m->pool[m->n < POOL ? m->n++ : below(m, POOL)] = x;
    return x;
}

/* ---- Operands ---- */

static unsigned random_slot(struct making *m, enum ir_type type)
{
    switch (type) {
    case IR_I32: return IRM_W + below(m, 4);
    case IR_I64: return one_in(m, 3) ? IRM_X + below(m, 6) : IRM_H + below(m, 16);
    case IR_V128: return IRM_V + below(m, 4);
    default: return IRM_F + below(m, 6);
    }
}

static ir_val fresh(struct making *m, enum ir_type type)
{
    ir_val v;

    if (type <= IR_F64 && one_in(m, 6))
        return ir_imm(m->ir, type, random_imm(m));
    v = ir_get(m->ir, random_slot(m, type));
    return type == IR_F32 ? ir_unary(m->ir, IR_UNBOX, IR_F32, v) : v;
}

static struct value value(struct making *m, enum ir_type type)
{
    for (unsigned tries = 0; m->n && tries < 8; tries++) {
        const struct value *x = &m->pool[below(m, m->n)];
        if (x->type == type && !one_in(m, 4))
            return *x;
    }
    return keep(m, fresh(m, type), false);
}

/* One whose bits are defined. */
static ir_val bits(struct making *m, enum ir_type type)
{
    struct value x = value(m, type);

    return x.some_nan ? ir_unary(m->ir, IR_FCANON, type, x.v) : x.v;
}

static enum ir_type int_type(struct making *m)
{
    return one_in(m, 3) ? IR_I32 : IR_I64;
}

static enum ir_type float_type(struct making *m)
{
    return one_in(m, 2) ? IR_F32 : IR_F64;
}

/* Not the pointers h8 to h11, nor h15. */
static unsigned target_slot(struct making *m, enum ir_type type)
{
    for (;;) {
        unsigned s = random_slot(m, type);
        if ((s < IRM_H + 8 || s > IRM_H + 11) && s != IRM_H + 15)
            return s;
    }
}

static void set(struct making *m, struct value x)
{
    if (x.some_nan)
        x.v = ir_unary(m->ir, IR_FCANON, x.type, x.v);
    if (x.type == IR_F32) {
        x.v = ir_unary(m->ir, IR_BOX, IR_F64, x.v);
        x.type = IR_F64;
    }
    ir_set(m->ir, target_slot(m, x.type), x.v);
}

/* ---- Computing ---- */

static void unary(struct making *m)
{
    enum ir_type t = int_type(m);
    enum ir_op op = IR_NEG + below(m, IR_TRUNC - IR_NEG + 1);

    if (op == IR_SEXT32 || op == IR_ZEXT32)
        keep(m, ir_unary(m->ir, op, IR_I64, bits(m, IR_I32)), false);
    else if (op == IR_TRUNC)
        keep(m, ir_unary(m->ir, op, IR_I32, bits(m, IR_I64)), false);
    else
        keep(m, ir_unary(m->ir, op, t, bits(m, t)), false);
}

static void binary(struct making *m)
{
    enum ir_type t = int_type(m);
    ir_val a = bits(m, t), b = one_in(m, 12) ? a : bits(m, t);

    keep(m, ir_binary(m->ir, IR_ADD + below(m, IR_ROTR - IR_ADD + 1), a, b), false);
}

static void condition(struct making *m)
{
    enum ir_type t = int_type(m);
    ir_val a = bits(m, t), b = bits(m, t);
    struct value yes, no;

    if (one_in(m, 2)) {
        keep(m, ir_setcc(m->ir, int_type(m), below(m, 12), a, b), false);
        return;
    }
    t = m->p->features & IRGEN_FLOAT && one_in(m, 3) ? float_type(m) : int_type(m);
    yes = value(m, t);
    no = value(m, t);
    keep(m, ir_select(m->ir, below(m, 12), a, b, yes.v, no.v), yes.some_nan || no.some_nan);
}

static void integer(struct making *m)
{
    switch (below(m, 6)) {
    case 0: unary(m); break;
    case 1: condition(m); break;
    default: binary(m); break;
    }
}

static void float_sign(struct making *m)
{
    static const uint8_t ops[] = { IR_FNEG, IR_FABS, IR_FSGN, IR_FSGNN, IR_FSGNX };
    enum ir_op op = ops[below(m, G_N_ELEMENTS(ops))];
    enum ir_type t = float_type(m);
    struct value a = value(m, t);

    if (ir_op_info[op].nargs == 1)
        keep(m, ir_unary(m->ir, op, t, a.v), a.some_nan);
    else
        keep(m, ir_binary(m->ir, op, a.v, bits(m, t)), a.some_nan);
}

static void float_convert(struct making *m)
{
    enum ir_type t = float_type(m), i = int_type(m);

    switch (below(m, 6)) {
    case 0:
        keep(m, ir_f2i(m->ir, i, below(m, 6) | (one_in(m, 2) ? IR_F2I_UNSIGNED : 0), value(m, t).v),
             false);
        break;
    case 1:
        keep(m, ir_i2f(m->ir, t, below(m, 6) | (one_in(m, 2) ? IR_F2I_UNSIGNED : 0), bits(m, i)),
             false);
        break;
    case 2: keep(m, ir_unary(m->ir, IR_F2F, t ^ IR_F32 ^ IR_F64, value(m, t).v), true); break;
    case 3:
        keep(m, ir_unary(m->ir, IR_FBITS, t == IR_F32 ? IR_I32 : IR_I64, bits(m, t)), false);
        break;
    case 4:
        keep(m, ir_unary(m->ir, IR_BITSF, t, bits(m, t == IR_F32 ? IR_I32 : IR_I64)), false);
        break;
    default: keep(m, ir_unary(m->ir, IR_BOX, IR_F64, bits(m, IR_F32)), false); break;
    }
}

/* Flags looked at, cleared, or kept from a comparison. */
static void float_flags(struct making *m)
{
    ir_val flags = ir_fflags(m->ir);
    enum ir_type t = float_type(m);

    keep(m, flags, false);
    if (one_in(m, 2))
        keep(m, ir_fcmp(m->ir, below(m, 5), bits(m, t), bits(m, t)), false);
    if (one_in(m, 2))
        ir_silence(m->ir, flags);
    else
        ir_fkeep(m->ir, one_in(m, 2) ? flags : bits(m, IR_I64));
}

static void floating(struct making *m)
{
    enum ir_type t = float_type(m);
    ir_val a = value(m, t).v, b = value(m, t).v;

    switch (below(m, 8)) {
    case 0: float_sign(m); break;
    case 1: float_convert(m); break;
    case 2: keep(m, ir_fcmp(m->ir, below(m, 5), a, b), false); break;
    case 3: keep(m, ir_fma(m->ir, below(m, 4), a, b, value(m, t).v), true); break;
    case 4: keep(m, ir_unary(m->ir, IR_FSQRT, t, a), true); break;
    case 5: keep(m, ir_binary(m->ir, one_in(m, 2) ? IR_FMINNUM : IR_FMAXNUM, a, b), false); break;
    case 6: float_flags(m); break;
    default: keep(m, ir_binary(m->ir, IR_FADD + below(m, 4), a, b), true); break;
    }
}

static void compute(struct making *m)
{
    if (m->p->features & IRGEN_FLOAT && one_in(m, 3))
        floating(m);
    else
        integer(m);
}

static void insn_compute(struct making *m)
{
    for (unsigned n = 1 + below(m, 4); n > 0; n--)
        compute(m);
    for (unsigned n = 1 + below(m, 2); n > 0; n--)
        set(m, m->pool[m->n - n]);
}

/* ---- Memory ---- */

static ir_val address(struct making *m, unsigned log2size, int64_t *disp)
{
    unsigned base = below(m, 40);

    *disp = (int64_t)below(m, 24) << log2size;
    if (one_in(m, 6))
        *disp += (int64_t)below(m, 40) - 20;
    if (base < 25)
        return ir_get(m->ir, IRM_H + 8);
    if (base < 32)
        return ir_get(m->ir, IRM_H + 9);
    if (base < 36)
        return ir_get(m->ir, IRM_H + 10);
    if (base < 37)
        return ir_get(m->ir, IRM_H + 11);
    if (base < 38)
        return ir_imm64(m->ir, IRM_RAM + below(m, 7 * TCG_PAGE_SIZE));
    return ir_add(m->ir, ir_get(m->ir, IRM_H + 8),
                  ir_and(m->ir, bits(m, IR_I64), ir_imm64(m->ir, 0x1f8)));
}

static uint16_t memop(struct making *m, unsigned log2size)
{
    unsigned mem = 0;

    if (one_in(m, 2) && log2size < 4)
        mem |= IR_MEM_SIGNED;
    if (one_in(m, log2size == 4 ? 2 : 12))
        mem |= IR_MEM_ALIGNED;
    if (m->p->features & IRGEN_BIG_ENDIAN && one_in(m, 8) && log2size < 4)
        mem |= IR_MEM_BE;
    return IR_MEM(log2size, one_in(m, 10), mem);
}

/* A type that guest memory holds, and a size that goes with it. */
static enum ir_type access_type(struct making *m, unsigned *log2size)
{
    if (m->p->features & IRGEN_VECTOR && one_in(m, 5)) {
        *log2size = 4;
        return IR_V128;
    }
    if (m->p->features & IRGEN_FLOAT && one_in(m, 4)) {
        *log2size = 2 + below(m, 2);
        return *log2size == 2 ? IR_F32 : IR_F64;
    }
    *log2size = below(m, 4);
    return *log2size < 3 && one_in(m, 3) ? IR_I32 : IR_I64;
}

static void load(struct making *m)
{
    unsigned log2size;
    enum ir_type type = access_type(m, &log2size);
    int64_t disp;
    ir_val base = address(m, log2size, &disp);

    keep(m, ir_load(m->ir, type, memop(m, log2size), base, disp), false);
}

static void store(struct making *m)
{
    unsigned log2size;
    enum ir_type type = access_type(m, &log2size);
    ir_val v = bits(m, type), base;
    int64_t disp;

    base = address(m, log2size, &disp);
    ir_store(m->ir, memop(m, log2size), base, disp, v);
}

/* Moves a pointer: before an access it makes the instruction one that cannot simply be done again.
 */
static void bump_pointer(struct making *m)
{
    unsigned slot = IRM_H + 8 + one_in(m, 4);

    ir_set(m->ir, slot, ir_add(m->ir, ir_get(m->ir, slot), ir_imm64(m->ir, 8)));
}

static void insn_memory(struct making *m)
{
    if (one_in(m, 8))
        bump_pointer(m);
    if (one_in(m, 3)) {
        store(m);
    } else {
        load(m);
        set(m, m->pool[m->n - 1]);
    }
    /* Some guests' instructions do more than one access, or compute before or after. */
    if (one_in(m, 4))
        store(m);
    if (one_in(m, 4))
        insn_compute(m);
    if (one_in(m, 8))
        bump_pointer(m);
}

/* A linked load, and a conditional store that mostly fits it; at times twice. */
static void insn_linked(struct making *m, enum ir_type type, uint16_t mem, ir_val addr)
{
    ir_val expected = keep(m, ir_load_linked(m->ir, type, mem, addr), false).v;

    if (one_in(m, 4))
        store(m);
    if (one_in(m, 8))
        addr = ir_add(m->ir, addr, ir_imm64(m->ir, 8));
    if (one_in(m, 6))
        expected = bits(m, type);
    do
        set(m, keep(m, ir_store_linked(m->ir, mem & ~IR_MEM_ALIGNED, addr, expected, bits(m, type)),
                    false));
    while (one_in(m, 4));
}

static void insn_atomic(struct making *m)
{
    unsigned log2size = 2 + below(m, 2);
    enum ir_type type = log2size == 2 && one_in(m, 2) ? IR_I32 : IR_I64;
    ir_val addr = ir_get(m->ir, one_in(m, 12) ? IRM_H + 11 : IRM_H + 8), v = bits(m, type);
    uint16_t mem = IR_MEM(log2size, 0, one_in(m, 2) ? IR_MEM_SIGNED : 0);

    addr = ir_add(m->ir, addr, ir_imm64(m->ir, 8 * below(m, 4)));
    if (one_in(m, 6))
        ir_fence(m->ir, below(m, 256));
    else if (one_in(m, 3))
        insn_linked(m, type, mem, addr);
    else if (one_in(m, 3))
        set(m, keep(m, ir_cmpxchg(m->ir, mem, addr, bits(m, type), v), false));
    else
        set(m, keep(m, ir_amo(m->ir, below(m, 9), mem, addr, v), false));
}

/* A size that the operation has, its scalar form at times. */
static unsigned random_lane(struct making *m, const struct ir_vop_info *info)
{
    unsigned lane;

    do
        lane = 8u << below(m, 5);
    while (!(info->lanes & lane));
    return lane | (info->props & IR_VP_S && one_in(m, 2) ? IR_LANE_SCALAR : 0);
}

static unsigned vector_imm(struct making *m, enum ir_vop vop, unsigned lane)
{
    if (!(ir_vop_info[vop].props & IR_VP_N))
        return 0;
    switch (vop) {
    case IR_V_SXT:
    case IR_V_ZXT: return 8u << below(m, __builtin_ctz(lane) - 3);
    case IR_V_SHLI:
    case IR_V_SHRI:
    case IR_V_SARI: return below(m, lane + 3);
    case IR_V_FMA: return below(m, one_in(m, 2) ? 4 : 16);
    case IR_V_FCMP: return below(m, 32);
    default: return below(m, one_in(m, 2) ? 4 : 256);
    }
}

static void vector(struct making *m)
{
    enum ir_vop vop = below(m, IR_NB_VOPS);
    unsigned lane = random_lane(m, &ir_vop_info[vop]);
    ir_val v[3] = { IR_NONE, IR_NONE, IR_NONE };

    for (unsigned n = 0; n < 3; n++) {
        enum ir_type type = ir_vop_type(vop, lane, n + 1);
        if (type != IR_VOID)
            v[n] = bits(m, type);
    }
    keep(m, ir_v3(m->ir, vop, lane, vector_imm(m, vop, lane), v[0], v[1], v[2]), false);
}

static void insn_vector(struct making *m)
{
    enum ir_type t = int_type(m);
    ir_val v;

    if (one_in(m, 6)) {
        v = bits(m, IR_V128);
        keep(m, ir_select(m->ir, below(m, 12), bits(m, t), bits(m, t), v, bits(m, IR_V128)), false);
    }
    for (unsigned n = 1 + below(m, 4); n > 0; n--)
        vector(m);
    set(m, m->pool[m->n - 1]);
}

/* ---- Calls and control ---- */

static void insn_call(struct making *m)
{
    const struct ir_helper *const *h = irm_helpers;
    struct ir *ir = m->ir;
    ir_val v;

    switch (below(m, 10)) {
    case 0:
        v = ir_call(ir, h[IRM_HELPER_PURE_I32], bits(m, IR_I32), IR_NONE, IR_NONE, IR_NONE);
        break;
    case 1:
        v = ir_call(ir, h[IRM_HELPER_MIX4], bits(m, IR_I32), bits(m, IR_I64), bits(m, IR_I32),
                    bits(m, IR_I64));
        break;
    case 2: v = ir_call(ir, h[IRM_HELPER_SEEN], IR_NONE, IR_NONE, IR_NONE, IR_NONE); break;
    case 3: ir_call(ir, h[IRM_HELPER_BUMP], bits(m, IR_I64), IR_NONE, IR_NONE, IR_NONE); return;
    case 4:
        if (one_in(m, 2)) {
            enum ir_type t = one_in(m, 2) ? IR_I32 : IR_I64;
            ir_trap_if(ir, one_in(m, 4) ? below(m, 12) : IR_EQ, bits(m, t), bits(m, t),
                       h[IRM_HELPER_RAISE]);
            return;
        }
        ir_call(ir, h[IRM_HELPER_RAISE_IF], bits(m, IR_I32), IR_NONE, IR_NONE, IR_NONE);
        return;
    case 6: ir_call(ir, h[IRM_HELPER_ROUND], bits(m, IR_I32), IR_NONE, IR_NONE, IR_NONE); return;
    case 5: ir_call(ir, h[IRM_HELPER_REMAP], IR_NONE, IR_NONE, IR_NONE, IR_NONE); return;
    default:
        v = ir_call(ir, h[IRM_HELPER_PURE2], bits(m, IR_I64), bits(m, IR_I64), IR_NONE, IR_NONE);
        break;
    }
    set(m, keep(m, v, false));
}

static void branch_back(struct making *m)
{
    struct ir *ir = m->ir;
    ir_val fuel = ir_add(ir, ir_get(ir, IRM_H + 15), ir_imm64(ir, -1)), zero = ir_imm64(ir, 0);
    unsigned target = one_in(m, 2) ? 0 : below(m, m->at + 1);

    ir_set(ir, IRM_H + 15, fuel);
    if (one_in(m, 3)) {
        ir_exit_if(ir, IR_LT, fuel, zero, pc_of(m->at + 1));
        if (pc_of(target) == ir->pc)
            ir_loop(ir);
        else
            ir_exit(ir, pc_of(target));
    } else if (pc_of(target) == ir->pc) {
        ir_loop_if(ir, IR_GE, fuel, zero);
    } else {
        ir_exit_if(ir, IR_GE, fuel, zero, pc_of(target));
    }
}

static void insn_branch(struct making *m)
{
    enum ir_type t = int_type(m);
    struct ir *ir = m->ir;
    unsigned ahead = 1 + below(m, 6);
    ir_val v;

    switch (below(m, 16)) {
    case 0: m->next = m->at + ahead; break;
    case 1:
        v = ir_setcc(ir, IR_I64, below(m, 12), bits(m, t), bits(m, t));
        ir_exit_ind(ir, ir_add(ir, ir_shl(ir, v, ir_imm64(ir, 2)), ir_imm64(ir, pc_of(m->at + 1))));
        break;
    case 2:
        v = ir_imm64(ir, pc_of(m->at + ahead));
        ir_call(ir, irm_helpers[IRM_HELPER_JUMP], v, IR_NONE, IR_NONE, IR_NONE);
        ir_exit_pc(ir);
        break;
    case 3:
    case 4:
    case 5:
    case 6: branch_back(m); break;
    default: ir_exit_if(ir, below(m, 12), bits(m, t), bits(m, t), pc_of(m->at + ahead)); break;
    }
}

/* ---- Register pressure ---- */

/* Reads many slots, computes on all of them, writes the slots while the old values are still to be
 * used. */
static void insn_pressure(struct making *m)
{
    enum { N = 20 };
    struct ir *ir = m->ir;
    ir_val old[N], new[N], sum = ir_imm64(ir, random_imm(m));
    unsigned turn = below(m, N), n = 4 + below(m, N - 3);

    for (unsigned k = 0; k < n; k++) {
        old[k] = ir_get(ir, k < 8 ? IRM_H + k : k < 14 ? IRM_X + k - 8 : IRM_H + 12 + k % 3);
        if (one_in(m, 4))
            old[k] = ir_load(ir, IR_I64, IR_MEM(3, 0, 0), ir_get(ir, IRM_H + 8), 8 * k);
    }
    for (unsigned k = 0; k < n; k++)
        new[k] = ir_binary(ir, IR_ADD + below(m, IR_ROTR - IR_ADD + 1), old[k], old[below(m, n)]);
    for (unsigned k = 0; k < 8 && k < n; k++)
        ir_set(ir, IRM_H + k, one_in(m, 2) ? new[(k + turn) % n] : old[(k + turn) % n]);
    for (unsigned k = 0; k < n; k++)
        sum = ir_add(ir, ir_xor(ir, sum, old[k]), new[n - 1 - k]);
    ir_set(ir, IRM_X + 5, sum);
}

static void insn_float_pressure(struct making *m)
{
    struct ir *ir = m->ir;
    ir_val v[18];

    for (unsigned k = 0; k < 6; k++)
        v[k] = ir_get(ir, IRM_F + k);
    for (unsigned k = 6; k < 18; k++)
        v[k] = ir_binary(ir, IR_FADD + below(m, 3), v[below(m, k)], v[k - 6]);
    for (unsigned k = 0; k < 6; k++) {
        ir_val w = v[6 + (k * 5 + 3) % 12];
        ir_set(ir, IRM_F + k, ir_unary(ir, IR_FCANON, IR_F64, w));
    }
    for (unsigned k = 0; k < 6; k++)
        keep(m, ir_fcmp(ir, IR_FLT, v[k], v[17 - k]), false);
    ir_set(ir, IRM_X + 4, m->pool[m->n - 1].v);
}

/* More vectors, and floats beside them, than there are registers; spilled in pairs of words. */
static void insn_vector_pressure(struct making *m)
{
    enum { N = 22 };
    struct ir *ir = m->ir;
    ir_val v[N], f[6];

    for (unsigned k = 0; k < 4; k++)
        v[k] = ir_get(ir, IRM_V + k);
    for (unsigned k = 4; k < N; k++)
        v[k] = ir_v2(ir, one_in(m, 2) ? IR_V_ADD : IR_V_UNPLO, 8u << below(m, 4), 0, v[k - 4],
                     v[below(m, k)]);
    for (unsigned k = 0; k < 6; k++)
        f[k] = ir_v1(ir, IR_V_TOF, 64, 0, v[3 * k]);
    for (unsigned k = 0; k < 4; k++)
        ir_set(ir, IRM_V + k, v[5 + (k * 7 + below(m, 3)) % (N - 5)]);
    for (unsigned k = 0; k < 6; k++)
        ir_set(ir, IRM_F + k, f[5 - k]);
    for (unsigned k = 0; k < N; k++)
        v[0] = ir_v2(ir, IR_V_SUB, 32, 0, v[0], v[N - 1 - k]);
    ir_set(ir, IRM_V + 1, v[0]);
}

/* ---- Programs ---- */

static void make(struct making *m)
{
    unsigned f = m->p->features, kind = below(m, 24);

    ir_insn_start(m->ir, pc_of(m->at));
    if (kind < 6 && f & IRGEN_MEMORY)
        insn_memory(m);
    else if (kind == 6 && f & IRGEN_ATOMIC)
        insn_atomic(m);
    else if (kind < 9 && f & IRGEN_CALL)
        insn_call(m);
    else if (kind < 12 && f & IRGEN_BRANCH)
        insn_branch(m);
    else if ((kind == 12 || kind > 20) && f & IRGEN_VECTOR)
        insn_vector(m);
    else if (kind == 16 && f & IRGEN_VECTOR && f & IRGEN_PRESSURE)
        insn_vector_pressure(m);
    else if (kind == 13 && f & IRGEN_PRESSURE)
        insn_pressure(m);
    else if (kind == 14 && f & IRGEN_PRESSURE && f & IRGEN_FLOAT)
        insn_float_pressure(m);
    else if (kind == 15 && f & IRGEN_GUARD)
        ir_guard(m->ir, pc_of(m->at));
    else
        insn_compute(m);
}

void irgen_build(const struct irgen *p, struct ir *ir, unsigned from, unsigned count)
{
    struct making m = { .p = p, .ir = ir, .rand = g_rand_new(), .at = from };

    ir_begin(ir, pc_of(from), 0);
    for (; count > 0 && m.at < p->insns && !ir->ended; count--) {
        const guint32 seed[2] = { p->seed, m.at };

        g_rand_set_seed_array(m.rand, seed, 2);
        m.next = m.at + 1;
        m.n = 0;
        make(&m);
        m.at = m.next;
    }
    ir_exit(ir, pc_of(m.at));
    g_rand_free(m.rand);
    g_assert_false(ir->full);
}

/* A program as one backend runs it. */
struct running {
    const struct irgen *p;
    const struct irm_backend *b;
    unsigned insns;
    void **unit[2]; /* [1]: unmerged, one instruction each */
    struct ir ir;
    struct ir_insn *buf;
    uint32_t *scratch;
};

static void build(struct running *r, unsigned from, unsigned insns, unsigned passes)
{
    char *wrong;

    irgen_build(r->p, &r->ir, from, insns);
    opt_run(&r->ir, r->scratch, passes);
    wrong = ir_verify(&r->ir);
    if (wrong) {
        ir_print(&r->ir, stdout);
        g_error("seed %u: %s", r->p->seed, wrong);
    }
}

static void running_init(struct running *r, const struct irgen *p, const struct irm_backend *b,
                         unsigned insns)
{
    unsigned max = IRGEN_ROOM(insns);

    *r = (struct running){ .p = p, .b = b, .insns = insns };
    r->unit[0] = g_new0(void *, p->insns);
    r->unit[1] = g_new0(void *, p->insns);
    r->buf = g_new(struct ir_insn, max);
    r->scratch = g_new(uint32_t, 2 * max);
    ir_init(&r->ir, r->buf, max, &irm_slots);
}

static void running_free(struct running *r)
{
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned n = 0; n < r->p->insns; n++) {
            if (r->unit[k][n])
                r->b->free_unit(r->unit[k][n]);
        }
        g_free(r->unit[k]);
    }
    g_free(r->buf);
    g_free(r->scratch);
}

static void *unit_at(struct running *r, unsigned at, bool unmerged)
{
    void **u = &r->unit[unmerged][at];

    if (!*u) {
        unsigned insns = unmerged ? 1 : r->insns;

        do {
            build(r, at, insns, unmerged ? 0 : r->b->passes);
            *u = r->b->new_unit(&r->ir);
            insns = (insns + 1) / 2;
        } while (!*u && r->ir.ninsns > 1);
        g_assert_nonnull(*u);
    }
    return *u;
}

static void *next_unit(struct irm *m, bool unmerged)
{
    struct running *r = m->program;
    uint64_t at = (m->cpu->tcg.pc - IRGEN_PC) / 4;

    return at < r->p->insns ? unit_at(r, at, unmerged) : NULL;
}

static void run(struct running *r, struct irm *m)
{
    bool unmerged = false;

    m->program = r;
    m->next_unit = next_unit;
    m->cpu->tcg.pc = IRGEN_PC;
    for (unsigned steps = 0;; steps++) {
        uint64_t at = (m->cpu->tcg.pc - IRGEN_PC) / 4;

        g_assert_cmpuint(steps, <, 10000);
        if (at >= r->p->insns)
            break;
        m->how = IRM_LEFT;
        r->b->run(m, unit_at(r, at, unmerged));
        unmerged = m->how == IRM_UNMERGED;
        if (m->how == IRM_FAULT || m->how == IRM_RAISED)
            break;
    }
}

char *irgen_compare(const struct irgen *p, const struct irm_backend *a, unsigned insns_a,
                    const struct irm_backend *b, unsigned insns_b)
{
    struct irm *ma = irm_new(), *mb = irm_new();
    GRand *rand = g_rand_new_with_seed(p->seed);
    struct running ra, rb;
    char *wrong;

    irm_randomize(ma, rand);
    irm_copy(mb, ma);
    running_init(&ra, p, a, insns_a);
    running_init(&rb, p, b, insns_b);
    run(&ra, ma);
    run(&rb, mb);
    wrong = irm_compare(ma, mb);
    running_free(&ra);
    running_free(&rb);
    g_rand_free(rand);
    irm_free(ma);
    irm_free(mb);
    return wrong;
}

void irgen_print(const struct irgen *p, unsigned insns, unsigned passes, FILE *to)
{
    struct running r;

    running_init(&r, p, &irm_interp, insns);
    for (unsigned n = 0; n < p->insns; n += insns) {
        build(&r, n, insns, passes);
        ir_print(&r.ir, to);
    }
    running_free(&r);
}
