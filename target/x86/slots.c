/*
 * Where generated code finds registers.
 */
#include "x86.h"

#define R(n, name) \
    [n] = { name, offsetof(struct x86_cpu, cpu.tcg.hot) + (n) * sizeof(uint64_t), IR_I64 }
#define F(id, name, field) [SLOT_##id] = { name, offsetof(struct x86_cpu, field), IR_I64 }
#define SEG(n, name)                                                                         \
    [SLOT_SEG_BASE + (n)] = { name "_base", offsetof(struct x86_cpu, seg_base[n]), IR_I64 }, \
                     [SLOT_SEG_LIMIT + (n)] = { name "_limit",                               \
                                                offsetof(struct x86_cpu, seg_limit[n]), IR_I64 }
#define V(n)                                                                     \
    [SLOT_XMM0 + (n)] = { "xmm" #n, offsetof(struct x86_cpu, xmm[n]), IR_V128 }, \
                 [SLOT_YMMH0 + (n)] = { "ymmh" #n, offsetof(struct x86_cpu, ymmh[n]), IR_V128 }

#define SELECTOR(n, name) [SLOT_SEG + (n)] = { name, offsetof(struct x86_cpu, seg[n]), IR_I64 }
_Static_assert(sizeof(struct x86_seg) == sizeof(uint64_t), "a segment register is read at once");
#define TMP(n) [SLOT_VTMP0 + (n)] = { "vtmp" #n, offsetof(struct x86_cpu, vtmp[n]), IR_V128 }

static const struct ir_slot slots[SLOT_COUNT] = {
    R(0, "rax"),
    R(1, "rcx"),
    R(2, "rdx"),
    R(3, "rbx"),
    R(4, "rsp"),
    R(5, "rbp"),
    R(6, "rsi"),
    R(7, "rdi"),
    R(8, "r8"),
    R(9, "r9"),
    R(10, "r10"),
    R(11, "r11"),
    R(12, "r12"),
    R(13, "r13"),
    R(14, "r14"),
    R(15, "r15"),
    R(SLOT_CC_DST, "cc_dst"),
    R(SLOT_CC_SRC, "cc_src"),
    R(SLOT_CC_SRC2, "cc_src2"),
    R(SLOT_CC_OP, "cc_op"),
    F(DF, "df", df),
    F(EFLAGS, "eflags", eflags),
    SEG(S_ES, "es"),
    SEG(S_CS, "cs"),
    SEG(S_SS, "ss"),
    SEG(S_DS, "ds"),
    SEG(S_FS, "fs"),
    SEG(S_GS, "gs"),
    V(0),
    V(1),
    V(2),
    V(3),
    V(4),
    V(5),
    V(6),
    V(7),
    V(8),
    V(9),
    V(10),
    V(11),
    V(12),
    V(13),
    V(14),
    V(15),
    TMP(0),
    TMP(1),
    TMP(2),
    TMP(3),
    F(INSNS, "insns", cpu.tcg.insns),
    F(FPU_OP, "fpu_op", fpu_op),
    F(FPU_IP, "fpu_ip", fpu_ip),
    F(FPU_CS, "fpu_cs", fpu_cs),
    F(FPU_DP, "fpu_dp", fpu_dp),
    F(FPU_DS, "fpu_ds", fpu_ds),
    SELECTOR(S_ES, "es"),
    SELECTOR(S_CS, "cs"),
    SELECTOR(S_SS, "ss"),
    SELECTOR(S_DS, "ds"),
    SELECTOR(S_FS, "fs"),
    SELECTOR(S_GS, "gs"),
};

/* As compilers use them. */
static const uint8_t hot[] = { R_AX, R_SP, R_DX, R_CX, R_DI, R_SI, R_BX, R_BP,
                               R_8,  R_12, R_13, R_9,  R_14, R_15, R_10, R_11 };

const struct ir_slots x86_slots = { slots, SLOT_COUNT, hot, ARRAY_LEN(hot) };
