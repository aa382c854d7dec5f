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

const char *const ir_type_name[IR_V256 + 1] = {
    "void", "i32", "i64", "f32", "f64", "v128", "v256"
};
const uint8_t ir_type_bytes[IR_V256 + 1] = { 0, 4, 8, 4, 8, 16, 32 };

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
