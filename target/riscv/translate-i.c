/*
 * RV32I and RV64I with their compressed forms: arithmetic, memory, jumps, fences (unprivileged
 * architecture 2, 4, 26).
 */
#include "translate.h"
#include "i.inc"

/* ---- Arithmetic ---- */

static bool binary(struct trans *t, const struct args *a, enum ir_op op)
{
    rv_set(t, a->rd, ir_binary(t->ir, op, rv_get(t, a->rs1), rv_get(t, a->rs2)));
    return true;
}

static bool binary_imm(struct trans *t, const struct args *a, enum ir_op op)
{
    rv_set(t, a->rd, ir_binary(t->ir, op, rv_get(t, a->rs1), rv_imm(t, a->imm)));
    return true;
}

static bool shift_imm(struct trans *t, const struct args *a, enum ir_op op)
{
    return (unsigned)a->imm < rv_cpu(t)->xlen && binary_imm(t, a, op);
}

static bool binary_w(struct trans *t, const struct args *a, enum ir_op op)
{
    rv_set32(t, a->rd, ir_binary(t->ir, op, rv_get32(t, a->rs1), rv_get32(t, a->rs2)));
    return true;
}

static bool binary_imm_w(struct trans *t, const struct args *a, enum ir_op op)
{
    rv_set32(t, a->rd, ir_binary(t->ir, op, rv_get32(t, a->rs1), ir_imm32(t->ir, a->imm)));
    return true;
}

static bool set_if(struct trans *t, const struct args *a, enum ir_cond c, ir_val b)
{
    rv_set(t, a->rd, ir_setcc(t->ir, rv_type(t), c, rv_get(t, a->rs1), b));
    return true;
}

static bool tr_nop(struct trans *t, const struct args *a)
{
    (void)t, (void)a;
    return true;
}

static bool tr_lui(struct trans *t, const struct args *a)
{
    rv_set(t, a->rd, rv_imm(t, a->imm));
    return true;
}

static bool tr_auipc(struct trans *t, const struct args *a)
{
    rv_set(t, a->rd, rv_pcrel(t, t->pc + a->imm));
    return true;
}

static bool tr_not(struct trans *t, const struct args *a)
{
    rv_set(t, a->rd, ir_unary(t->ir, IR_NOT, rv_type(t), rv_get(t, a->rs1)));
    return true;
}

static bool tr_slti(struct trans *t, const struct args *a)
{
    return set_if(t, a, IR_LT, rv_imm(t, a->imm));
}

static bool tr_sltiu(struct trans *t, const struct args *a)
{
    return set_if(t, a, IR_LTU, rv_imm(t, a->imm));
}

static bool tr_slt(struct trans *t, const struct args *a)
{
    return set_if(t, a, IR_LT, rv_get(t, a->rs2));
}

static bool tr_sltu(struct trans *t, const struct args *a)
{
    return set_if(t, a, IR_LTU, rv_get(t, a->rs2));
}

#define HANDLER(name, how, op)                                   \
    static bool tr_##name(struct trans *t, const struct args *a) \
    {                                                            \
        return how(t, a, IR_##op);                               \
    }
HANDLER(addi, binary_imm, ADD)
HANDLER(xori, binary_imm, XOR)
HANDLER(ori, binary_imm, OR)
HANDLER(andi, binary_imm, AND)
HANDLER(slli, shift_imm, SHL)
HANDLER(srli, shift_imm, SHR)
HANDLER(srai, shift_imm, SAR)
HANDLER(add, binary, ADD)
HANDLER(sub, binary, SUB)
HANDLER(sll, binary, SHL)
HANDLER(xor, binary, XOR)
HANDLER(srl, binary, SHR)
HANDLER(sra, binary, SAR)
HANDLER(or, binary, OR)
HANDLER(and, binary, AND)
HANDLER(addiw, binary_imm_w, ADD)
HANDLER(slliw, binary_imm_w, SHL)
HANDLER(srliw, binary_imm_w, SHR)
HANDLER(sraiw, binary_imm_w, SAR)
HANDLER(addw, binary_w, ADD)
HANDLER(subw, binary_w, SUB)
HANDLER(sllw, binary_w, SHL)
HANDLER(srlw, binary_w, SHR)
HANDLER(sraw, binary_w, SAR)

/* ---- Memory ---- */

static bool load(struct trans *t, const struct args *a, unsigned log2size, unsigned bits)
{
    int64_t disp;
    ir_val base = rv_base(t, a->rs1, a->imm, &disp);

    rv_set(t, a->rd, ir_load(t->ir, rv_type(t), rv_mem(t, log2size, bits), base, disp));
    return true;
}

static bool store(struct trans *t, const struct args *a, unsigned log2size)
{
    int64_t disp;
    ir_val base = rv_base(t, a->rs1, a->imm, &disp);

    ir_store(t->ir, rv_mem(t, log2size, 0), base, disp, rv_get(t, a->rs2));
    return true;
}

#define LOAD(name, log2size, bits)                               \
    static bool tr_##name(struct trans *t, const struct args *a) \
    {                                                            \
        return load(t, a, log2size, bits);                       \
    }
#define STORE(name, log2size)                                    \
    static bool tr_##name(struct trans *t, const struct args *a) \
    {                                                            \
        return store(t, a, log2size);                            \
    }
LOAD(lb, 0, IR_MEM_SIGNED)
LOAD(lh, 1, IR_MEM_SIGNED)
LOAD(lw, 2, IR_MEM_SIGNED)
LOAD(ld, 3, 0)
LOAD(lbu, 0, 0)
LOAD(lhu, 1, 0)
LOAD(lwu, 2, 0)
STORE(sb, 0)
STORE(sh, 1)
STORE(sw, 2)
STORE(sd, 3)

/* ---- Jumps ---- */

/* Without C targets must be multiples of four (2.2). */
static bool misaligned(struct trans *t, uint64_t pc)
{
    return pc & riscv_misaligned_bits(rv_cpu(t));
}

static bool tr_jal(struct trans *t, const struct args *a)
{
    uint64_t target = rv_pc(t, t->pc + a->imm);

    if (misaligned(t, target)) {
        rv_raise(t, EXC_FETCH_MISALIGNED, ir_pcrel(t->ir, target));
        return true;
    }
    rv_set(t, a->rd, rv_pcrel(t, t->next));
    trans_goto(t, target);
    return true;
}

static bool tr_jalr(struct trans *t, const struct args *a)
{
    ir_val pc = ir_add(t->ir, rv_get(t, a->rs1), rv_imm(t, a->imm));

    pc = rv_wide(t, ir_and(t->ir, pc, rv_imm(t, -2)));
    if (!HAVE(t->cpu, Zca))
        ir_call(t->ir, &helper_check_target, pc, IR_NONE, IR_NONE, IR_NONE);
    rv_set(t, a->rd, rv_pcrel(t, t->next));
    trans_goto_ind(t, pc);
    return true;
}

static bool branch(struct trans *t, const struct args *a, enum ir_cond c)
{
    uint64_t target = rv_pc(t, t->pc + a->imm);
    ir_val x = rv_get(t, a->rs1), y = rv_get(t, a->rs2);

    if (misaligned(t, target)) { /* only a branch that is taken faults */
        ir_exit_if(t->ir, c ^ 1, x, y, t->next);
        rv_raise(t, EXC_FETCH_MISALIGNED, ir_pcrel(t->ir, target));
        return true;
    }
    trans_branch(t, c, x, y, target);
    return true;
}

HANDLER(beq, branch, EQ)
HANDLER(bne, branch, NE)
HANDLER(blt, branch, LT)
HANDLER(bge, branch, GE)
HANDLER(bltu, branch, LTU)
HANDLER(bgeu, branch, GEU)

static bool tr_ebreak(struct trans *t, const struct args *a)
{
    (void)a;
    rv_raise(t, EXC_BREAKPOINT, ir_pcrel(t->ir, t->pc));
    return true;
}

/* ---- Fences ---- */

/* Input and output count as memory. fence.tso orders all but stores before loads. */
static bool tr_fence(struct trans *t, const struct args *a)
{
    unsigned pred = (a->pred | a->pred >> 2) & 3, succ = (a->succ | a->succ >> 2) & 3;

    if (a->fm == 8 && pred == 3 && succ == 3) {
        ir_fence(t->ir, IR_FENCE_R << 4 | IR_FENCE_R | IR_FENCE_W);
        ir_fence(t->ir, IR_FENCE_W << 4 | IR_FENCE_W);
    } else {
        ir_fence(t->ir, pred << 4 | succ);
    }
    return true;
}

static bool tr_pause(struct trans *t, const struct args *a)
{
    (void)a;
    ir_call(t->ir, &helper_pause, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    return true;
}

static bool tr_fence_i(struct trans *t, const struct args *a)
{
    (void)a;
    ir_call(t->ir, &helper_fence_i, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    trans_resync(t);
    return true;
}
