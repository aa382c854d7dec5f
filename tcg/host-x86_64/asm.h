/*
 * x86-64 instruction encoding (Intel SDM volume 2, chapter 2). Nothing here knows the IR.
 *
 * Space is not tested by callers: when it runs out `full` latches and further bytes are dropped.
 */
#ifndef HOST_X86_64_ASM_H
#define HOST_X86_64_ASM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum reg {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    NO_REG = -1
};

struct as {
    uint8_t *start, *p, *end;
    bool full;
};

/* A register or memory operand. */
struct rm {
    int8_t reg;  /* register operand if >= 0 */
    int8_t base; /* else memory [base + index * scale + disp]; NO_REG: no base, or RIP if no index
                    either */
    int8_t index;
    int8_t scale; /* log2 */
    int32_t disp;
};

static inline struct rm rm_reg(int reg)
{
    return (struct rm){ .reg = reg };
}

static inline struct rm rm_mem(int base, int32_t disp)
{
    return (struct rm){ .reg = NO_REG, .base = base, .index = NO_REG, .disp = disp };
}

static inline struct rm rm_sib(int base, int index, int scale, int32_t disp)
{
    return (struct rm){ .reg = NO_REG, .base = base, .index = index, .scale = scale, .disp = disp };
}

/* Opcode word: byte | map | mandatory prefix | flags. */
enum {
    O_0F = 1 << 8,
    O_38 = 2 << 8,
    O_3A = 3 << 8,
    O_MAP = 3 << 8,
    O_66 = 1 << 10,
    O_F3 = 2 << 10,
    O_F2 = 3 << 10,
    O_PP = 3 << 10,
    O_W = 1 << 12,  /* 64-bit operand */
    O_BR = 1 << 13, /* reg is a byte register: needs REX for sil, dil */
    O_BM = 1 << 14, /* so is rm */
};

static inline uint32_t as_here(const struct as *a)
{
    return a->p - a->start;
}

static inline void as_bytes(struct as *a, const void *b, unsigned n)
{
    if ((size_t)(a->end - a->p) < n) {
        a->full = true;
        return;
    }
    memcpy(a->p, b, n);
    a->p += n;
}

static inline void as_1(struct as *a, uint8_t v)
{
    as_bytes(a, &v, 1);
}

static inline void as_4(struct as *a, uint32_t v)
{
    as_bytes(a, &v, 4);
}

static inline void as_8(struct as *a, uint64_t v)
{
    as_bytes(a, &v, 8);
}

/* ModRM, SIB and displacement. */
static inline void as_modrm(struct as *a, int reg, struct rm m)
{
    int r = (reg & 7) << 3;
    if (m.reg >= 0) {
        as_1(a, 0xc0 | r | (m.reg & 7));
        return;
    }
    if (m.base < 0) {
        as_1(a, (m.index >= 0 ? 4 : 5) | r);
        if (m.index >= 0)
            as_1(a, m.scale << 6 | (m.index & 7) << 3 | 5);
        as_4(a, m.disp);
        return;
    }
    int mod = m.disp == 0 && (m.base & 7) != RBP ? 0 : m.disp == (int8_t)m.disp ? 0x40 : 0x80;
    if (m.index >= 0 || (m.base & 7) == RSP) {
        as_1(a, mod | r | 4);
        as_1(a, m.scale << 6 | (m.index >= 0 ? (m.index & 7) << 3 : 0x20) | (m.base & 7));
    } else {
        as_1(a, mod | r | (m.base & 7));
    }
    if (mod == 0x40)
        as_1(a, m.disp);
    else if (mod == 0x80)
        as_4(a, m.disp);
}

/* Any legacy-encoded instruction with a ModRM byte; an immediate follows separately. */
static inline void as_op(struct as *a, uint32_t op, int reg, struct rm m)
{
    static const uint8_t prefix[] = { 0, 0x66, 0xf3, 0xf2 };
    int pp = (op & O_PP) >> 10;
    int high = m.reg >= 0 ? m.reg : m.base >= 0 ? m.base : 0;
    int rex = (op & O_W ? 8 : 0) | (reg & 8) >> 1 | (m.reg < 0 && m.index >= 8 ? 2 : 0) | high >> 3;

    if (pp)
        as_1(a, prefix[pp]);
    if (rex || ((op & O_BR) && reg >= 4) || ((op & O_BM) && m.reg >= 4))
        as_1(a, 0x40 | rex);
    if (op & O_MAP)
        as_1(a, 0x0f);
    if ((op & O_MAP) == O_38)
        as_1(a, 0x38);
    else if ((op & O_MAP) == O_3A)
        as_1(a, 0x3a);
    as_1(a, op);
    as_modrm(a, reg, m);
}

/* VEX-encoded, 128-bit or scalar (l = 0) or 256-bit (l = 1); map and prefix from the opcode word.
 */
static inline void as_vex(struct as *a, uint32_t op, int l, int reg, int vvvv, struct rm m)
{
    int high = m.reg >= 0 ? m.reg : m.base >= 0 ? m.base : 0;
    int index = m.reg < 0 && m.index >= 8;

    if ((op & (O_MAP | O_W)) == O_0F && !index && !(high & 8)) { /* the short form */
        as_1(a, 0xc5);
        as_1(a, (reg & 8 ? 0 : 0x80) | (~vvvv & 15) << 3 | l << 2 | (op & O_PP) >> 10);
        as_1(a, op);
        as_modrm(a, reg, m);
        return;
    }
    as_1(a, 0xc4);
    as_1(a, (reg & 8 ? 0 : 0x80) | (index ? 0 : 0x40) | (high & 8 ? 0 : 0x20) | (op & O_MAP) >> 8);
    as_1(a, (op & O_W ? 0x80 : 0) | (~vvvv & 15) << 3 | l << 2 | (op & O_PP) >> 10);
    as_1(a, op);
    as_modrm(a, reg, m);
}

/* Opcodes used by name. */
enum {
    X_ADD = 0x03,
    X_OR = 0x0b,
    X_AND = 0x23,
    X_SUB = 0x2b,
    X_XOR = 0x33,
    X_CMP = 0x3b, /* reg, rm */
    X_TEST = 0x85,
    X_MOV = 0x8b,
    X_MOV_ST = 0x89,
    X_MOV_ST8 = 0x88 | O_BR,
    X_LEA = 0x8d,
    X_MOVZX8 = 0xb6 | O_0F | O_BM,
    X_MOVZX16 = 0xb7 | O_0F,
    X_MOVSX8 = 0xbe | O_0F | O_BM,
    X_MOVSX16 = 0xbf | O_0F,
    X_MOVSXD = 0x63 | O_W,
    X_IMUL = 0xaf | O_0F,
    X_CMOV = 0x40 | O_0F,
    X_SETCC = 0x90 | O_0F | O_BM,
    X_LZCNT = 0xbd | O_0F | O_F3,
    X_TZCNT = 0xbc | O_0F | O_F3,
    X_POPCNT = 0xb8 | O_0F | O_F3,
    X_BSR = 0xbd | O_0F,
    X_BSF = 0xbc | O_0F,
    X_XCHG = 0x87,
    X_XADD = 0xc1 | O_0F,
    X_CMPXCHG = 0xb1 | O_0F,
    X_CMPXCHG8 = 0xb0 | O_0F | O_BR,
    X_XCHG8 = 0x86 | O_BR,
    X_XADD8 = 0xc0 | O_0F | O_BR,
    V_ANDN = 0xf2 | O_38,
    V_SHLX = 0xf7 | O_38 | O_66,
    V_SHRX = 0xf7 | O_38 | O_F2,
    V_SARX = 0xf7 | O_38 | O_F3,
    V_RORX = 0xf0 | O_3A | O_F2,
    /* the /digit of group 1 (80, 81, 83) and of group 2 (c1, d3) and 3 (f7) */
    G1_ADD = 0,
    G1_OR = 1,
    G1_AND = 4,
    G1_SUB = 5,
    G1_XOR = 6,
    G1_CMP = 7,
    G2_ROL = 0,
    G2_ROR = 1,
    G2_SHL = 4,
    G2_SHR = 5,
    G2_SAR = 7,
    G8_BTS = 5, /* 0F BA with a bit number */
    G3_TEST = 0,
    G3_NOT = 2,
    G3_NEG = 3,
    G3_MUL = 4,
    G3_IMUL = 5,
    G3_DIV = 6,
    G3_IDIV = 7,
};

enum cc {
    CC_O = 0,
    CC_B = 2,
    CC_AE = 3,
    CC_E = 4,
    CC_NE = 5,
    CC_BE = 6,
    CC_A = 7,
    CC_S = 8,
    CC_P = 10,
    CC_NP = 11,
    CC_L = 12,
    CC_GE = 13,
    CC_LE = 14,
    CC_G = 15
};

/* Group 1 with immediate; @w is O_W or 0. */
static inline void as_g1(struct as *a, uint32_t w, int g, struct rm m, int32_t imm)
{
    as_op(a, (imm == (int8_t)imm ? 0x83 : 0x81) | w, g, m);
    if (imm == (int8_t)imm)
        as_1(a, imm);
    else
        as_4(a, imm);
}

static inline void as_shift(struct as *a, uint32_t w, int g, struct rm m, unsigned n)
{
    as_op(a, 0xc1 | w, g, m);
    as_1(a, n);
}

static inline void as_mov(struct as *a, int to, int from)
{
    if (to != from)
        as_op(a, X_MOV | O_W, to, rm_reg(from));
}

/* Loads a constant without touching the flags. */
static inline void as_mov_imm(struct as *a, int to, uint64_t v)
{
    if (v <= 0xffffffffu) {
        if (to & 8)
            as_1(a, 0x41);
        as_1(a, 0xb8 | (to & 7));
        as_4(a, v);
    } else if ((int64_t)v == (int32_t)v) {
        as_op(a, 0xc7 | O_W, 0, rm_reg(to));
        as_4(a, v);
    } else {
        as_1(a, 0x48 | (to >> 3));
        as_1(a, 0xb8 | (to & 7));
        as_8(a, v);
    }
}

/* Jumps: return the position of the rel32 field, to be set by as_patch(). */
static inline uint32_t as_jcc(struct as *a, int cc)
{
    as_1(a, 0x0f);
    as_1(a, 0x80 | cc);
    as_4(a, 0);
    return as_here(a) - 4;
}

static inline uint32_t as_jmp(struct as *a)
{
    as_1(a, 0xe9);
    as_4(a, 0);
    return as_here(a) - 4;
}

static inline void as_patch(struct as *a, uint32_t field, uint32_t target)
{
    if (!a->full) {
        int32_t rel = (int32_t)(target - (field + 4));
        memcpy(a->start + field, &rel, 4);
    }
}

/* Jump back to a position already emitted; short where it reaches. */
static inline void as_jcc_to(struct as *a, int cc, uint32_t target)
{
    int32_t rel = (int32_t)(target - (as_here(a) + 2));
    if (rel == (int8_t)rel) {
        as_1(a, 0x70 | cc);
        as_1(a, rel);
    } else {
        as_patch(a, as_jcc(a, cc), target);
    }
}

/* Pads with nops until a 4-byte field @ahead bytes on does not straddle 8 bytes, so that it can be
 * patched while it runs. */
static inline void as_align_field(struct as *a, unsigned ahead)
{
    while (((uintptr_t)(a->p + ahead) & 7) > 4 && !a->full)
        as_1(a, 0x90);
}

#endif
