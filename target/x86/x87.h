/*
 * x87: operations on values, and the register stack around them.
 *
 * A value operation (enum x87_op) knows neither stack nor tags: it is handed operands and the
 * guest's control word and answers with result and status. There are two sets of them, which agree
 * bit for bit but for the transcendental functions: the host's own x87 instructions (x87-host.c, on
 * x86-64 hosts) and integer arithmetic (x87-soft.c). x87.c has the stack, the tags and exceptions;
 * translate-x87.c turns instructions into calls of its helpers.
 *
 * None of this touches slots. Generated code that runs with an unmasked exception (UF_X87SLOW)
 * calls x87_check before each waiting instruction, so that the helpers themselves never raise.
 *
 * While all exceptions are masked, generated code on an x86-64 host runs x87 instructions as they
 * are, instead of the helpers, with the guest's whole state in the host's x87 (tcg_cpu.x87).
 * Whoever looks at that state or changes it calls x87_settle() first.
 */
#ifndef X86_X87_H
#define X86_X87_H

#include "x86.h"

/* Status word. */
enum {
    X87_IE = 1 << 0,
    X87_DE = 1 << 1,
    X87_ZE = 1 << 2,
    X87_OE = 1 << 3,
    X87_UE = 1 << 4,
    X87_PE = 1 << 5,
    X87_EXC = 0x3f,
    X87_SF = 1 << 6,
    X87_ES = 1 << 7,
    X87_C0 = 1 << 8,
    X87_C1 = 1 << 9,
    X87_C2 = 1 << 10,
    X87_TOP_SHIFT = 11,
    X87_TOP = 7 << X87_TOP_SHIFT,
    X87_C3 = 1 << 14,
    X87_B = 1 << 15,
    X87_CC = X87_C0 | X87_C1 | X87_C2 | X87_C3
};
#define X87_CW_INIT  0x37f
#define X87_TW_EMPTY 0xffff

/* The second operand of arithmetic and comparisons: a register, or what memory holds. */
enum x87_kind { X87_REG, X87_F32, X87_F64, X87_I16, X87_I32, X87_KINDS };

/* Arithmetic: one row for each kind of second operand. SUBR and DIVR have operands exchanged. */
#define X87_ARITH(X) \
    X(ADD, add)      \
    X(MUL, mul) X(COM, com) X(SUB, sub) X(SUBR, subr) X(DIV, div) X(DIVR, divr)

enum x87_op {
#define X(name, insn) X87_##name, X87_##name##_LAST = X87_##name + X87_KINDS - 1,
    X87_ARITH(X)
#undef X
        X87_UCOM, /* with b */
    X87_TST,
    X87_XAM,
    X87_SQRT,
    X87_RNDINT,
    X87_F2XM1,
    X87_SIN,
    X87_COS,
    X87_SCALE, /* a by b */
    X87_PREM,
    X87_PREM1,
    X87_YL2X, /* b * log2(a) */
    X87_YL2XP1,
    X87_PATAN,  /* atan(b / a) */
    X87_PTAN,   /* r: tangent, r2: 1; C2: out of range, r is a */
    X87_SINCOS, /* r: sine, r2: cosine; C2 likewise */
    X87_XTRACT, /* r: exponent, r2: significand */
    X87_LD_F32, /* mem to r */
    X87_LD_F64,
    X87_LD_BCD, /* b to r */
    X87_ST_F32, /* a to r.lo; BCD: to r */
    X87_ST_F64,
    X87_ST_I16,
    X87_ST_I32,
    X87_ST_I64,
    X87_TT_I16, /* truncating */
    X87_TT_I32,
    X87_TT_I64,
    X87_ST_BCD,
    X87_NB_OPS,
    X87_ST_F80 = X87_NB_OPS /* not one of x87_run()'s: bits are unchanged */
};

struct x87_io {
    uint16_t cw;          /* the guest's */
    uint16_t sticky;      /* exceptions that the guest's status has already */
    uint16_t sw;          /* out: exceptions and C0 to C3; those in `sticky` may be set, too */
    struct x86_f80 a, b;  /* ST(0) and the other register */
    uint64_t mem;         /* memory operand */
    struct x86_f80 r, r2; /* results; undefined if an unmasked #I, #D or #Z is in sw */
};

/* Runs @op. An unmasked exception is only reported; with unmasked overflow or underflow results
 * for registers are scaled by 2^-24576 or 2^24576 as the architecture says. */
void x87_soft_run(enum x87_op op, struct x87_io *io);
#ifdef __x86_64__
void x87_host_run(enum x87_op op, struct x87_io *io);
#define x87_run x87_host_run
/* For generated code: how the state gets into the host's x87 and out again (tcg_cpu.x87). */
void x87_host_setup(struct x86_cpu *c);
/* Hands on a control word that masks all exceptions, if the state is there. Whether it is. */
bool x87_host_control(struct x86_cpu *c);
#else
#define x87_run x87_soft_run
static inline void x87_host_setup(struct x86_cpu *c)
{
    (void)c;
}
static inline bool x87_host_control(struct x86_cpu *c)
{
    (void)c;
    return false;
}
#endif

/* Signed 64-bit integer as 80-bit value; exact. */
struct x86_f80 x87_from_int(int64_t v);

/*
 * What a helper must know of its instruction, a constant in generated code.
 */
enum {
    X87_W_OP = 0x7f,        /* enum x87_op */
    X87_W_STI_SHIFT = 7,    /* other register */
    X87_W_TO_STI = 1 << 10, /* the result goes to it instead of ST(0) */
    X87_W_POPS_SHIFT = 11,  /* 0 to 2 registers popped after it */
    X87_W_MODE_SHIFT = 13,  /* x87_store: MMU mode, 4 bits, and log2 of bytes (F80, BCD: 4) */
    X87_W_SIZE_SHIFT = 17,
};

/* In an instruction's row: log2 of the bytes stored; x87_env: restores, with the registers. */
enum { X87_ARG_SIZE_SHIFT = 20, ENV_LOAD = 1, ENV_REGS = 2 };
/* Format of FSTENV's image (SDM vol. 1, 8.1.10), beside its MMU mode in the low 4 bits. */
enum { ENV_32 = 16, ENV_REAL = 32 };

static inline unsigned x87_top(const struct x86_cpu *c)
{
    return c->fpu_sw >> X87_TOP_SHIFT & 7;
}

/* The register that ST(@i) is. */
static inline unsigned x87_phys(const struct x86_cpu *c, unsigned i)
{
    return (x87_top(c) + i) & 7;
}

static inline bool x87_empty(const struct x86_cpu *c, unsigned i)
{
    return c->fpu_tw >> 2 * x87_phys(c, i) & 1;
}

/* Registers, status and tags are those in @c from here on, not in the host's x87. On the CPU's
 * thread, or while it does not run generated code. */
static inline void x87_settle(struct x86_cpu *c)
{
    tcg_x87_save(&c->cpu.tcg);
}

/* FNINIT's state; also what reset leaves, but for the control word. */
void x87_init(struct x86_cpu *c);
/* Brings ES and B in line with control and status words, and unit flags with them. */
void x87_summarise(struct x86_cpu *c);
/* Whether generated code must call x87_check (UF_X87SLOW): an exception is unmasked. */
static inline bool x87_slow(const struct x86_cpu *c)
{
    return (c->fpu_cw & X87_EXC) != X87_EXC;
}
/* The tag word as FSTENV stores it, with valid, zero and special told apart. */
uint16_t x87_tag_word(const struct x86_cpu *c);
/* Takes a tag word: only empty registers count. */
void x87_set_tag_word(struct x86_cpu *c, uint16_t tw);
/* What an MMX instruction does to the stack: TOP is 0, all registers are in use. */
static inline void x87_enter_mmx(struct x86_cpu *c)
{
    x87_settle(c);
    c->fpu_sw &= ~X87_TOP;
    c->fpu_tw = 0;
}

#endif
