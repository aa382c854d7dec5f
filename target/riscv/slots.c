/*
 * Where generated code finds registers. RV32 has the same layout; what is XLEN wide is the low
 * half.
 */
#include "riscv.h"

#define X(n, name, type) \
    [n] = { name, offsetof(struct riscv_cpu, cpu.tcg.hot) + (n) * sizeof(uint64_t), type }
#define FLOAT(n) \
    [SLOT_F0 + n] = { "f" #n, offsetof(struct riscv_cpu, f) + (n) * sizeof(uint64_t), IR_F64 }
#define S(id, field, type) [SLOT_##id] = { #field, offsetof(struct riscv_cpu, field), type }

#define SLOTS(xl)                                                                                 \
    X(0, "zero", xl), X(1, "ra", xl), X(2, "sp", xl), X(3, "gp", xl), X(4, "tp", xl),             \
        X(5, "t0", xl), X(6, "t1", xl), X(7, "t2", xl), X(8, "s0", xl), X(9, "s1", xl),           \
        X(10, "a0", xl), X(11, "a1", xl), X(12, "a2", xl), X(13, "a3", xl), X(14, "a4", xl),      \
        X(15, "a5", xl), X(16, "a6", xl), X(17, "a7", xl), X(18, "s2", xl), X(19, "s3", xl),      \
        X(20, "s4", xl), X(21, "s5", xl), X(22, "s6", xl), X(23, "s7", xl), X(24, "s8", xl),      \
        X(25, "s9", xl), X(26, "s10", xl), X(27, "s11", xl), X(28, "t3", xl), X(29, "t4", xl),    \
        X(30, "t5", xl), X(31, "t6", xl), FLOAT(0), FLOAT(1), FLOAT(2), FLOAT(3), FLOAT(4),       \
        FLOAT(5), FLOAT(6), FLOAT(7), FLOAT(8), FLOAT(9), FLOAT(10), FLOAT(11), FLOAT(12),        \
        FLOAT(13), FLOAT(14), FLOAT(15), FLOAT(16), FLOAT(17), FLOAT(18), FLOAT(19), FLOAT(20),   \
        FLOAT(21), FLOAT(22), FLOAT(23), FLOAT(24), FLOAT(25), FLOAT(26), FLOAT(27), FLOAT(28),   \
        FLOAT(29), FLOAT(30), FLOAT(31), S(MSTATUS, mstatus, IR_I64), S(SSCRATCH, sscratch, xl),  \
        S(SEPC, sepc, xl), S(SCAUSE, scause, xl), S(STVAL, stval, xl), S(SATP, satp, xl),         \
        S(MSCRATCH, mscratch, xl), S(MEPC, mepc, xl), S(MCAUSE, mcause, xl), S(MTVAL, mtval, xl), \
        S(RES_ADDR, res_addr, IR_I64), S(RES_VAL, res_val, IR_I64), S(VSTART, vstart, IR_I64),    \
        S(VL, vl, IR_I64), S(FFLAGS, fflags, IR_I64),                                             \
        [SLOT_INSNS] = { "insns", offsetof(struct riscv_cpu, cpu.tcg.insns), IR_I64 }

static const struct ir_slot slots64[SLOT_COUNT] = { SLOTS(IR_I64) };
static const struct ir_slot slots32[SLOT_COUNT] = { SLOTS(IR_I32) };

/* a5 a4 sp a0 s0 a3 a1 a2 s1 ra, then the rest as compilers use them. */
static const uint8_t hot[] = {
    15, 14, 2, 10, 8, 13, 11, 12, 9, 1, 16, 17, 18, 19, 20, 6, 28, 29, 5, 7, 21, 22, 30, 31, 4,
};

const struct ir_slots riscv_slots64 = { slots64, SLOT_COUNT, hot, ARRAY_LEN(hot) };
const struct ir_slots riscv_slots32 = { slots32, SLOT_COUNT, hot, ARRAY_LEN(hot) };
