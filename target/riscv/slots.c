/*
 * Where generated code finds registers. RV32 has the same layout; what is XLEN wide is the low
 * half.
 */
#include "riscv.h"

#define X(n, name, type) \
    [n] = { name, offsetof(struct riscv_cpu, cpu.tcg.hot) + (n) * sizeof(uint64_t), type }
#define F(n) \
    [SLOT_F0 + n] = { "f" #n, offsetof(struct riscv_cpu, f) + (n) * sizeof(uint64_t), IR_F64 }
#define S(id, field, type) [SLOT_##id] = { #field, offsetof(struct riscv_cpu, field), type }

#define SLOTS(xl)                                                                                 \
    X(0, "zero", xl), X(1, "ra", xl), X(2, "sp", xl), X(3, "gp", xl), X(4, "tp", xl),             \
        X(5, "t0", xl), X(6, "t1", xl), X(7, "t2", xl), X(8, "s0", xl), X(9, "s1", xl),           \
        X(10, "a0", xl), X(11, "a1", xl), X(12, "a2", xl), X(13, "a3", xl), X(14, "a4", xl),      \
        X(15, "a5", xl), X(16, "a6", xl), X(17, "a7", xl), X(18, "s2", xl), X(19, "s3", xl),      \
        X(20, "s4", xl), X(21, "s5", xl), X(22, "s6", xl), X(23, "s7", xl), X(24, "s8", xl),      \
        X(25, "s9", xl), X(26, "s10", xl), X(27, "s11", xl), X(28, "t3", xl), X(29, "t4", xl),    \
        X(30, "t5", xl), X(31, "t6", xl), F(0)                                                    \
    , F(1)                                                                                        \
    , F(2)                                                                                        \
    , F(3)                                                                                        \
    , F(4)                                                                                        \
    , F(5)                                                                                        \
    , F(6)                                                                                        \
    , F(7)                                                                                        \
    , F(8)                                                                                        \
    , F(9)                                                                                        \
    , F(10)                                                                                       \
    , F(11)                                                                                       \
    , F(12)                                                                                       \
    , F(13)                                                                                       \
    , F(14)                                                                                       \
    , F(15)                                                                                       \
    , F(16)                                                                                       \
    , F(17)                                                                                       \
    , F(18)                                                                                       \
    , F(19)                                                                                       \
    , F(20)                                                                                       \
    , F(21)                                                                                       \
    , F(22)                                                                                       \
    , F(23)                                                                                       \
    , F(24)                                                                                       \
    , F(25)                                                                                       \
    , F(26)                                                                                       \
    , F(27)                                                                                       \
    , F(28)                                                                                       \
    , F(29)                                                                                       \
    , F(30)                                                                                       \
    , F(31)                                                                                       \
    , S(MSTATUS, mstatus, IR_I64), S(SSCRATCH, sscratch, xl), S(SEPC, sepc, xl),                  \
        S(SCAUSE, scause, xl), S(STVAL, stval, xl), S(SATP, satp, xl), S(MSCRATCH, mscratch, xl), \
        S(MEPC, mepc, xl), S(MCAUSE, mcause, xl), S(MTVAL, mtval, xl),                            \
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
