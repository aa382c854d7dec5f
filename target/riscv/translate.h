/*
 * What the translate-*.c share. Each of them includes its own table:
 *
 *     #include "translate.h"
 *     #include "i.inc"                  made of i.decode
 *
 *     static bool tr_add(struct trans *t, const struct args *a)
 *     {
 *         rv_set(t, a->rd, ir_add(t->ir, rv_get(t, a->rs1), rv_get(t, a->rs2)));
 *         return true;
 *     }
 *
 * A handler returns false before it emitted anything where the instruction is illegal after all.
 */
#ifndef RISCV_TRANSLATE_H
#define RISCV_TRANSLATE_H

#include <target/trans.h>
#include "helper.h"
#include "riscv.h"

#define DECODE_MODEL(t)  ((t)->cpu)
#define HAVE(model, ext) riscv_have((const struct riscv_cpu *)(model), EXT_##ext)

#define DECODER(name)                                                          \
    bool riscv_##name##_decode(struct trans *t, uint32_t insn, unsigned bits); \
    extern const struct decode_table riscv_##name##_table;
#include "decoders.def"
#undef DECODER

/* What trans.guest[] holds. */
enum {
    GUEST_INSN,   /* the instruction word */
    GUEST_FFLAGS, /* value of fflags when they were last read in this unit, IR_NONE: not yet */
    GUEST_RAISED, /* the FFLAGS operation that it is made of */
};

static inline const struct riscv_cpu *rv_cpu(const struct trans *t)
{
    return riscv_of_const(t->cpu);
}

static inline bool rv_is64(const struct trans *t)
{
    return rv_cpu(t)->xlen == 64;
}

/* The type of an x register. */
static inline enum ir_type rv_type(const struct trans *t)
{
    return rv_is64(t) ? IR_I64 : IR_I32;
}

static inline unsigned rv_priv(const struct trans *t)
{
    return t->flags & UF_PRIV;
}

static inline ir_val rv_imm(struct trans *t, int64_t v)
{
    return ir_imm(t->ir, rv_type(t), v);
}

/* An address computed from the pc. */
static inline ir_val rv_pcrel(struct trans *t, uint64_t addr)
{
    return rv_type(t) == IR_I64 ? ir_pcrel(t->ir, addr) : rv_imm(t, addr);
}

static inline ir_val rv_get(struct trans *t, unsigned n)
{
    return n ? ir_get(t->ir, n) : rv_imm(t, 0);
}

static inline void rv_set(struct trans *t, unsigned n, ir_val v)
{
    if (n)
        ir_set(t->ir, n, v);
}

/* The low 32 bits of a register, as i32; and a register set to a sign-extended i32. */
static inline ir_val rv_get32(struct trans *t, unsigned n)
{
    ir_val v = rv_get(t, n);

    return rv_is64(t) ? ir_trunc(t->ir, v) : v;
}

static inline void rv_set32(struct trans *t, unsigned n, ir_val v)
{
    rv_set(t, n, rv_is64(t) ? ir_sext32(t->ir, v) : v);
}

/* A value of register type as i64, zero extended; and back. */
static inline ir_val rv_wide(struct trans *t, ir_val v)
{
    return rv_is64(t) ? v : ir_zext32(t->ir, v);
}

static inline ir_val rv_narrow(struct trans *t, ir_val v)
{
    return rv_is64(t) ? v : ir_trunc(t->ir, v);
}

/* Memop of a plain data access of 1 << @log2size bytes. */
static inline uint16_t rv_mem(const struct trans *t, unsigned log2size, unsigned bits)
{
    return IR_MEM(log2size, (t->flags & UF_MODE) >> UF_MODE_SHIFT, bits);
}

/* Base and displacement of the address rs1 + imm; RV32 wraps at 4 GiB. */
static inline ir_val rv_base(struct trans *t, unsigned rs1, int64_t imm, int64_t *disp)
{
    if (rv_is64(t)) {
        *disp = imm;
        return rv_get(t, rs1);
    }
    *disp = 0;
    return ir_zext32(t->ir, ir_add(t->ir, rv_get(t, rs1), rv_imm(t, imm)));
}

/* A code address as the guest's registers hold it. */
static inline uint64_t rv_pc(const struct trans *t, uint64_t pc)
{
    return riscv_trunc(rv_cpu(t), pc);
}

/* translate.c; each ends the unit. */
void rv_raise(struct trans *t, enum riscv_cause cause, ir_val tval);
void rv_raise_illegal(struct trans *t);
/* Goes on at @pc, where unit flags may be others. */
void rv_resync_at(struct trans *t, uint64_t pc);
/* The instruction's bits. */
uint32_t rv_insn(const struct trans *t);
/*
 * Makes sure that mstatus has @bits set while this instruction runs (FS, VS dirty): where it has
 * not by the unit flags, emits code that sets them and starts the instruction again. Returns false
 * then; the handler returns true at once.
 */
bool rv_need_status(struct trans *t, uint64_t bits, bool have);

#endif
