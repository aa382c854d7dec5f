/*
 * Tables over the operations of the IR, and the one place that calls a helper from its description.
 */
#include <tcg/ir.h>

#define V IR_P_V
#define P IR_P_P
#define C IR_P_C
#define S IR_P_S
#define F IR_P_F
#define X IR_P_X
#define E IR_P_E
const struct ir_op_info ir_op_info[IR_NB_OPS] = {
    [IR_NOP] = { "nop", 0, 0 },
#define IR_OP(name, text, nargs, props) [IR_##name] = { text, nargs, props },
#include <tcg/ir_ops.def>
#undef IR_OP
};
#undef V
#undef P
#undef C
#undef S
#undef F
#undef X
#undef E

/* Shapes, kinds, lanes and properties as ir_vops.def spells them. */
#define K(r, a, b, c) (IR_VK_##r | IR_VK_##a << 4 | IR_VK_##b << 8 | IR_VK_##c << 12)
#define V_0           K(V, NONE, NONE, NONE)
#define V_V           K(V, V, NONE, NONE)
#define V_VV          K(V, V, V, NONE)
#define V_VVV         K(V, V, V, V)
#define V_X           K(V, X, NONE, NONE)
#define V_LL          K(V, L, L, NONE)
#define V_VX          K(V, V, X, NONE)
#define V_VI          K(V, V, I, NONE)
#define V_VL          K(V, V, L, NONE)
#define V_F           K(V, F, NONE, NONE)
#define V_VF          K(V, V, F, NONE)
#define X_V           K(X, V, NONE, NONE)
#define I_V           K(I, V, NONE, NONE)
#define L_V           K(L, V, NONE, NONE)
#define F_V           K(F, V, NONE, NONE)
#define I_VV          K(I, V, V, NONE)
#define L8            8
#define L16           16
#define L32           32
#define L64           64
#define L128          128
#define N             IR_VP_N
#define C             IR_VP_C
#define F             IR_VP_F
#define S             IR_VP_S
const struct ir_vop_info ir_vop_info[IR_NB_VOPS] = {
#define VOP(name, text, shape, lanes, props) [IR_V_##name] = { text, shape, lanes, props },
#include <tcg/ir_vops.def>
#undef VOP
};
#undef N
#undef C
#undef F
#undef S

enum ir_type ir_vop_type(enum ir_vop vop, unsigned lane, unsigned n)
{
    const struct ir_vop_info *info = &ir_vop_info[vop];
    bool wide = (lane & 0xff) == 64;

    /* Scalar forms of one-operand operations have the other lanes in a. */
    if (lane & IR_LANE_SCALAR && n == 2)
        return IR_V128;
    switch (info->shape >> 4 * n & 15) {
    case IR_VK_V: return IR_V128;
    case IR_VK_X: return wide ? IR_I64 : IR_I32;
    case IR_VK_I: return IR_I32;
    case IR_VK_L: return IR_I64;
    case IR_VK_F: return wide ? IR_F64 : IR_F32;
    default: return IR_VOID;
    }
}

const char *const ir_type_name[IR_V128 + 1] = { "void", "i32", "i64", "f32", "f64", "v128" };
const uint8_t ir_type_bytes[IR_V128 + 1] = { 0, 4, 8, 4, 8, 16 };

/*
 * All arguments travel as 64 bits: the calling conventions of our hosts pass the first five in
 * registers, and a callee looks only at the low half of one that is 32 bits wide.
 */
static uint64_t call_plain(void (*fn)(void), unsigned n, const uint64_t *a)
{
    switch (n) {
    case 0: return ((uint64_t(*)(void))fn)();
    case 1: return ((uint64_t(*)(uint64_t))fn)(a[0]);
    case 2: return ((uint64_t(*)(uint64_t, uint64_t))fn)(a[0], a[1]);
    case 3: return ((uint64_t(*)(uint64_t, uint64_t, uint64_t))fn)(a[0], a[1], a[2]);
    default:
        return ((uint64_t(*)(uint64_t, uint64_t, uint64_t, uint64_t))fn)(a[0], a[1], a[2], a[3]);
    }
}

static uint64_t call_cpu(void (*fn)(void), void *cpu, unsigned n, const uint64_t *a)
{
    switch (n) {
    case 0: return ((uint64_t(*)(void *))fn)(cpu);
    case 1: return ((uint64_t(*)(void *, uint64_t))fn)(cpu, a[0]);
    case 2: return ((uint64_t(*)(void *, uint64_t, uint64_t))fn)(cpu, a[0], a[1]);
    case 3: return ((uint64_t(*)(void *, uint64_t, uint64_t, uint64_t))fn)(cpu, a[0], a[1], a[2]);
    default:
        return ((uint64_t(*)(void *, uint64_t, uint64_t, uint64_t, uint64_t))fn)(cpu, a[0], a[1],
                                                                                 a[2], a[3]);
    }
}

uint64_t ir_helper_call(const struct ir_helper *h, void *cpu, const uint64_t *args)
{
    uint64_t r = h->flags & IR_H_CPU ? call_cpu(h->fn, cpu, h->nargs, args)
                                     : call_plain(h->fn, h->nargs, args);

    switch (h->ret) {
    case IR_VOID: return 0;
    case IR_I32: return (uint32_t)r;
    default: return r;
    }
}
