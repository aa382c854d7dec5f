/*
 * CSRs, privileged instructions, cache blocks, may-be-operations.
 *
 * What kernels do all the time is emitted inline: swapping sscratch, reading trap registers,
 * clearing sstatus.SIE. What unit flags say about privilege is decided while translating.
 */
#include "translate.h"
#include "sys.inc"

enum csr_op { CSR_WRITE, CSR_SET, CSR_CLEAR };

/* An access to a CSR. */
struct access {
    unsigned num, rd;
    enum csr_op op;
    bool writes;
    ir_val val; /* operand, of register type */
};

/* Registers that are slots without side effects. */
static const struct csr_slot {
    uint16_t num;
    uint8_t slot;
    bool is_pc, readonly; /* readonly: writes take the long way */
} csr_slots[] = {
    { 0x140, SLOT_SSCRATCH, false, false }, { 0x141, SLOT_SEPC, true, false },
    { 0x142, SLOT_SCAUSE, false, false },   { 0x143, SLOT_STVAL, false, false },
    { 0x180, SLOT_SATP, false, true },      { 0x340, SLOT_MSCRATCH, false, false },
    { 0x341, SLOT_MEPC, true, false },      { 0x342, SLOT_MCAUSE, false, false },
    { 0x343, SLOT_MTVAL, false, false },
};

static const struct csr_slot *slot_of(const struct trans *t, const struct access *x)
{
    if (x->num == 0x180 && t->flags & UF_TRAP_VM)
        return NULL;
    for (unsigned k = 0; k < ARRAY_LEN(csr_slots); k++)
        if (csr_slots[k].num == x->num)
            return x->writes && csr_slots[k].readonly ? NULL : &csr_slots[k];
    return NULL;
}

static ir_val combine(struct trans *t, const struct access *x, ir_val old)
{
    switch (x->op) {
    case CSR_SET: return ir_or(t->ir, old, x->val);
    case CSR_CLEAR: return ir_binary(t->ir, IR_ANDN, old, x->val);
    default: return x->val;
    }
}

static void access_slot(struct trans *t, const struct access *x, const struct csr_slot *s)
{
    ir_val old = ir_get(t->ir, s->slot), new;

    if (x->writes) {
        new = combine(t, x, old);
        if (s->is_pc)
            new = ir_and(t->ir, new, rv_imm(t, ~(int64_t)riscv_misaligned_bits(rv_cpu(t))));
        ir_set(t->ir, s->slot, new);
    }
    rv_set(t, x->rd, old);
}

/* ---- sstatus, mstatus ---- */

/* What the register shows of mstatus; on RV32 bit 63, SD, is seen as bit 31. */
static ir_val status_view(struct trans *t, ir_val m, uint64_t visible)
{
    ir_val sd;

    if (rv_is64(t))
        return visible == ~0ULL ? m : ir_and(t->ir, m, ir_imm64(t->ir, visible));
    sd = ir_shl(t->ir, ir_shr(t->ir, m, ir_imm64(t->ir, 63)), ir_imm64(t->ir, 31));
    m = ir_and(t->ir, m, ir_imm64(t->ir, visible & mask64(31)));
    return ir_trunc(t->ir, ir_or(t->ir, m, sd));
}

/* Writes through the helper, which does what follows from it; the unit ends there. */
static void status_write(struct trans *t, const struct access *x, ir_val m, uint64_t writable)
{
    struct ir *ir = t->ir;
    ir_val v = rv_wide(t, x->val), mask = ir_imm64(ir, writable);

    if (x->op != CSR_WRITE)
        mask = ir_and(ir, mask, v);
    if (x->op == CSR_CLEAR)
        v = ir_imm64(ir, 0);
    ir_set(ir, SLOT_MSTATUS, ir_call(ir, &helper_status, m, v, mask, IR_NONE));
}

static bool access_status(struct trans *t, const struct access *x, bool s)
{
    struct ir *ir = t->ir;
    ir_val m = ir_get(ir, SLOT_MSTATUS);
    ir_val view = status_view(t, m, s ? SSTATUS_READABLE : ~0ULL);
    int64_t bits;
    bool ends = false;

    /* Before the helper, which changes mstatus itself: the old value may have no other place. */
    rv_set(t, x->rd, view);
    if (x->writes && x->op == CSR_CLEAR && ir_is_const(ir, x->val, &bits) &&
        !(bits & ~(int64_t)(s ? MSTATUS_SIE : MSTATUS_SIE | MSTATUS_MIE))) {
        ir_set(ir, SLOT_MSTATUS, ir_and(ir, m, ir_imm64(ir, ~bits)));
    } else if (x->writes) {
        status_write(t, x, m, s ? SSTATUS_WRITABLE : mask64(rv_cpu(t)->xlen));
        ends = true;
    }
    if (ends)
        trans_resync(t);
    return true;
}

/* ---- The rest ---- */

/* What a write stores, as a value and a mask of the bits that become it. */
static ir_val written(struct trans *t, const struct access *x, ir_val *mask)
{
    ir_val v = rv_wide(t, x->val);

    *mask = x->op == CSR_WRITE ? ir_imm64(t->ir, -1) : v;
    return x->op == CSR_CLEAR ? ir_imm64(t->ir, 0) : v;
}

/* The flags now; those in the slot come on top of what the host's unit and helpers hold. */
static ir_val read_fflags_now(struct trans *t)
{
    ir_val raised = ir_fflags(t->ir);
    ir_val v = ir_or(t->ir, ir_get(t->ir, SLOT_FFLAGS), raised);

    t->guest[GUEST_FFLAGS] = v;
    t->guest[GUEST_RAISED] = raised;
    return v;
}

/*
 * C's math functions save fflags, compare, and restore them: isless() and the like must not raise
 * flags for quiet NaNs, but flt and fle do. Such comparisons are then made without raising any.
 */
static bool restores_fflags(struct trans *t, const struct access *x)
{
    ir_val saved = t->guest[GUEST_FFLAGS];
    bool straddles = (t->pc ^ (t->next - 1)) & TCG_PAGE_MASK; /* may be taken back */

    return x->op == CSR_WRITE && !x->rd && saved && x->val == saved && !straddles &&
           ir_silence(t->ir, t->guest[GUEST_RAISED]);
}

static void write_fflags_now(struct trans *t, const struct access *x, ir_val old)
{
    struct ir *ir = t->ir;
    ir_val v = ir_and(ir, rv_wide(t, x->val), ir_imm64(ir, 0x1f));

    if (x->op == CSR_SET) {
        ir_set(ir, SLOT_FFLAGS, ir_or(ir, ir_get(ir, SLOT_FFLAGS), v));
        return;
    }
    if (x->op == CSR_CLEAR)
        v = ir_binary(ir, IR_ANDN, old, v);
    ir_fkeep(ir, v);
    ir_set(ir, SLOT_FFLAGS, v);
}

/* No translation depends on flags. */
static bool access_fflags(struct trans *t, const struct access *x)
{
    ir_val old = IR_NONE;

    if (restores_fflags(t, x))
        return true;
    if (x->rd || x->op == CSR_CLEAR)
        old = read_fflags_now(t);
    if (x->writes)
        write_fflags_now(t, x, old);
    if (x->rd)
        rv_set(t, x->rd, rv_narrow(t, old));
    return true;
}

/* frm and fcsr when they are only read: frm is part of what the unit depends on. */
static bool read_rounding(struct trans *t, const struct access *x)
{
    uint64_t frm = (t->flags & UF_FRM) >> UF_FRM_SHIFT;
    ir_val v = ir_imm64(t->ir, frm);

    if (x->num == 0x003)
        v = ir_or(t->ir, read_fflags_now(t), ir_imm64(t->ir, frm << 5));
    rv_set(t, x->rd, rv_narrow(t, v));
    return true;
}

static bool access_any(struct trans *t, const struct access *x)
{
    struct ir *ir = t->ir;
    ir_val insn = ir_imm32(ir, rv_insn(t)), v, mask;

    if (!x->writes) {
        v = ir_call(ir, &helper_csr_read, insn, IR_NONE, IR_NONE, IR_NONE);
        rv_set(t, x->rd, rv_narrow(t, v));
        return true;
    }
    v = written(t, x, &mask);
    v = ir_call(ir, &helper_csr_access, insn, v, mask, IR_NONE);
    rv_set(t, x->rd, rv_narrow(t, v));
    trans_resync(t);
    return true;
}

static bool access_csr(struct trans *t, const struct access *x)
{
    const struct csr_slot *s;

    if (!riscv_csr_find(x->num) || (x->num >> 8 & 3) > rv_priv(t) ||
        (x->writes && x->num >> 10 == 3))
        return false;
    if (x->num >= 0x001 && x->num <= 0x003) {
        if (!HAVE(t->cpu, F) || !(t->flags & UF_FS))
            return false;
        if (x->num == 0x001)
            return access_fflags(t, x);
        if (!x->writes)
            return read_rounding(t, x);
    }
    if (x->num == 0xc01 && t->flags & UF_TIME && !t->count_slot) {
        ir_val v = ir_call(t->ir, &helper_time, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
        rv_set(t, x->rd, rv_narrow(t, v));
        return true;
    }
    if ((x->num == 0xc20 || x->num == 0xc22) && HAVE(t->cpu, V) && t->flags & UF_VS) {
        ir_val v = x->num == 0xc20 ? ir_get(t->ir, SLOT_VL) : ir_imm64(t->ir, rv_cpu(t)->vlen / 8);
        rv_set(t, x->rd, rv_narrow(t, v));
        return true;
    }
    if ((x->num >> 8) == 1 && !HAVE(t->cpu, S))
        return false;
    if (x->num == 0x100 || x->num == 0x300)
        return access_status(t, x, x->num == 0x100);
    s = slot_of(t, x);
    if (!s)
        return access_any(t, x);
    access_slot(t, x, s);
    return true;
}

/* Set and clear with x0 or 0 do not write (Zicsr). */
static bool csr_reg(struct trans *t, const struct args *a, enum csr_op op)
{
    struct access x = { a->csr, a->rd, op, op == CSR_WRITE || a->rs1, rv_get(t, a->rs1) };

    return access_csr(t, &x);
}

static bool csr_imm(struct trans *t, const struct args *a, enum csr_op op)
{
    struct access x = { a->csr, a->rd, op, op == CSR_WRITE || a->imm, rv_imm(t, a->imm) };

    return access_csr(t, &x);
}

#define HANDLER(name, how, op)                                   \
    static bool tr_##name(struct trans *t, const struct args *a) \
    {                                                            \
        return how(t, a, op);                                    \
    }
HANDLER(csrrw, csr_reg, CSR_WRITE)
HANDLER(csrrs, csr_reg, CSR_SET)
HANDLER(csrrc, csr_reg, CSR_CLEAR)
HANDLER(csrrwi, csr_imm, CSR_WRITE)
HANDLER(csrrsi, csr_imm, CSR_SET)
HANDLER(csrrci, csr_imm, CSR_CLEAR)

/* ---- Calls and returns ---- */

static bool tr_ecall(struct trans *t, const struct args *a)
{
    (void)a;
    ir_call(t->ir, &helper_ecall, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    trans_end(t);
    return true;
}

static bool tr_ebreak(struct trans *t, const struct args *a)
{
    (void)a;
    rv_raise(t, EXC_BREAKPOINT, ir_pcrel(t->ir, t->pc));
    return true;
}

/* S mode is stopped by @bit of mstatus if that is set: seldom, so the flags only say "perhaps". */
static void check_trap_vm(struct trans *t, uint64_t bit)
{
    if (t->flags & UF_TRAP_VM)
        ir_call(t->ir, &helper_check_trap_vm, ir_imm32(t->ir, rv_insn(t)), ir_imm64(t->ir, bit),
                IR_NONE, IR_NONE);
}

static void trap_return(struct trans *t, const struct ir_helper *h, unsigned epc)
{
    ir_val pc = rv_wide(t, ir_get(t->ir, epc));
    ir_val m = ir_get(t->ir, SLOT_MSTATUS);
    uint64_t known;

    ir_set(t->ir, SLOT_MSTATUS, ir_call(t->ir, h, m, IR_NONE, IR_NONE, IR_NONE));
    if (ir_is_target(t->ir, pc, &known))
        rv_resync_at(t, known); /* a direct jump would keep the unit flags */
    else
        trans_goto_ind(t, pc);
}

static bool tr_sret(struct trans *t, const struct args *a)
{
    (void)a;
    if (rv_priv(t) == PRIV_U)
        return false;
    check_trap_vm(t, MSTATUS_TSR);
    trap_return(t, &helper_sret, SLOT_SEPC);
    return true;
}

static bool tr_mret(struct trans *t, const struct args *a)
{
    (void)a;
    if (rv_priv(t) != PRIV_M)
        return false;
    trap_return(t, &helper_mret, SLOT_MEPC);
    return true;
}

/* 3.3.3. U mode may not wait where S mode is there. */
static bool tr_wfi(struct trans *t, const struct args *a)
{
    (void)a;
    if (rv_priv(t) == PRIV_U && HAVE(t->cpu, S))
        return false;
    check_trap_vm(t, MSTATUS_TW);
    ir_call(t->ir, &helper_wfi, ir_pcrel(t->ir, t->next), IR_NONE, IR_NONE, IR_NONE);
    trans_end(t);
    return true;
}

/* ---- Address translation ---- */

static bool tr_sfence_vma(struct trans *t, const struct args *a)
{
    unsigned operands = (a->rs1 ? 1 : 0) | (a->rs2 ? 2 : 0);

    if (rv_priv(t) == PRIV_U)
        return false;
    check_trap_vm(t, MSTATUS_TVM);
    ir_call(t->ir, &helper_sfence_vma, rv_wide(t, rv_get(t, a->rs1)), ir_imm32(t->ir, operands),
            IR_NONE, IR_NONE);
    trans_resync(t);
    return true;
}

/* sinval.vma has done the work. */
static bool tr_inval_fence(struct trans *t, const struct args *a)
{
    (void)a;
    return rv_priv(t) != PRIV_U;
}

/* ---- Cache blocks ---- */

static ir_val block_address(struct trans *t, unsigned rs1)
{
    return rv_wide(t, ir_and(t->ir, rv_get(t, rs1), rv_imm(t, -RISCV_CACHE_BLOCK)));
}

static void cbo_check(struct trans *t, uint64_t bits)
{
    if (rv_priv(t) != PRIV_M)
        ir_call(t->ir, &helper_cbo_check, ir_imm32(t->ir, rv_insn(t)), ir_imm64(t->ir, bits),
                IR_NONE, IR_NONE);
}

static bool manage(struct trans *t, const struct args *a, uint64_t bits)
{
    cbo_check(t, bits);
    ir_call(t->ir, &helper_cbo_touch, rv_wide(t, rv_get(t, a->rs1)), IR_NONE, IR_NONE, IR_NONE);
    return true;
}

HANDLER(cbo_inval, manage, ENVCFG_CBIE)
HANDLER(cbo_clean, manage, ENVCFG_CBCFE)

static bool tr_cbo_zero(struct trans *t, const struct args *a)
{
    ir_val base = block_address(t, a->rs1), zero = ir_imm64(t->ir, 0);

    cbo_check(t, ENVCFG_CBZE);
    for (unsigned k = 0; k < RISCV_CACHE_BLOCK; k += 8)
        ir_store(t->ir, rv_mem(t, 3, 0), base, k, zero);
    return true;
}

static bool tr_mop(struct trans *t, const struct args *a)
{
    rv_set(t, a->rd, rv_imm(t, 0));
    return true;
}
