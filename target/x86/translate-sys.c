/*
 * System instructions to IR: segment registers, far transfers, control registers, ports.
 */
#include "sys.h"
#include "syscall.h"
#include "translate.h"

static ir_val call0(struct trans *t, const struct ir_helper *h)
{
    return ir_call(t->ir, h, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
}
static ir_val call1(struct trans *t, const struct ir_helper *h, ir_val a)
{
    return ir_call(t->ir, h, a, IR_NONE, IR_NONE, IR_NONE);
}
static ir_val call2(struct trans *t, const struct ir_helper *h, ir_val a, ir_val b)
{
    return ir_call(t->ir, h, a, b, IR_NONE, IR_NONE);
}
static ir_val imm32(struct trans *t, int32_t v)
{
    return ir_imm32(t->ir, v);
}
static ir_val next_pc(struct trans *t)
{
    return ir_pcrel(t->ir, t->next);
}
/* A 32-bit register's value, and EDX:EAX. */
static ir_val reg32(struct trans *t, unsigned n)
{
    return x86_get_reg_val(t, 2, n, true);
}
static void set_reg32(struct trans *t, unsigned n, ir_val v)
{
    x86_set_reg_val(t, 2, n, true, v);
}
static ir_val get_edx_eax(struct trans *t)
{
    ir_val high = ir_zext32(t->ir, reg32(t, R_DX)), low = ir_zext32(t->ir, reg32(t, R_AX));

    return ir_or(t->ir, ir_shl(t->ir, high, ir_imm64(t->ir, 32)), low);
}
static void set_edx_eax(struct trans *t, ir_val v)
{
    set_reg32(t, R_AX, ir_trunc(t->ir, v));
    set_reg32(t, R_DX, ir_trunc(t->ir, ir_shr(t->ir, v, ir_imm64(t->ir, 32))));
}
/* log2 of the size of MOV to and from control and debug registers. */
static unsigned natural(const struct trans *t)
{
    return x86_is64(t) ? 3 : 2;
}

/* ---- Segment registers ---- */

static ir_val selector(struct trans *t, unsigned nr)
{
    return call1(t, &helper_seg_get, imm32(t, nr));
}

/* A store is of 16 bits whatever the operand size. */
static void write_selector(struct trans *t, const struct x86_insn *i, ir_val sel)
{
    if (i->is_mem)
        x86_tr_store(t, 1, x86_address(t, i, 0, 2), sel);
    else
        x86_set_reg_val(t, i->size, i->rm, true, i->size == 3 ? ir_zext32(t->ir, sel) : sel);
}

bool x86_tr_mov_from_seg(struct trans *t, const struct x86_insn *i)
{
    unsigned nr = i->reg & 7;

    if (nr >= S_COUNT)
        return false;
    write_selector(t, i, selector(t, nr));
    return true;
}

/* In 64-bit code no unit flag depends on data segments, but SS has the privilege. */
static void load_segment(struct trans *t, unsigned nr, ir_val sel)
{
    ir_call(t->ir, &helper_seg_load, imm32(t, nr), sel, next_pc(t), IR_NONE);
}
static void after_load(struct trans *t, unsigned nr)
{
    if (!x86_is64(t) || nr == S_SS)
        x86_tr_resync(t);
}

bool x86_tr_mov_to_seg(struct trans *t, const struct x86_insn *i)
{
    unsigned nr = i->reg & 7;

    if (nr >= S_COUNT || nr == S_CS)
        return false;
    load_segment(t, nr, x86_read(t, i, 1));
    after_load(t, nr);
    return true;
}

bool x86_tr_push_seg(struct trans *t, const struct x86_insn *i)
{
    ir_val sel = selector(t, i->arg);

    x86_push(t, i->size, i->size == 3 ? ir_zext32(t->ir, sel) : sel);
    return true;
}

bool x86_tr_pop_seg(struct trans *t, const struct x86_insn *i)
{
    ir_val sel = x86_peek(t, i->size, 0);

    sel = i->size == 3 ? ir_trunc(t->ir, sel) : sel;
    load_segment(t, i->arg, ir_and(t->ir, sel, imm32(t, 0xffff)));
    x86_move_sp(t, 1 << i->size);
    after_load(t, i->arg);
    return true;
}

/* Offset and selector of a far pointer in memory. */
static ir_val read_far(struct trans *t, const struct x86_insn *i, ir_val *sel)
{
    int bytes = 1 << i->size;
    ir_val offset = x86_tr_load(t, i->size, x86_address(t, i, 0, bytes));

    *sel = x86_tr_load(t, 1, x86_address(t, i, bytes, 2));
    return offset;
}

bool x86_tr_load_far(struct trans *t, const struct x86_insn *i)
{
    ir_val sel, offset = read_far(t, i, &sel);

    /* Interrupts wait behind MOV and POP of SS alone, as ESP comes later there (6.8.3). */
    ir_call(t->ir, &helper_seg_load, imm32(t, i->arg), sel, ir_imm64(t->ir, ~0ULL), IR_NONE);
    x86_set_reg_val(t, i->size, i->reg, true, offset);
    after_load(t, i->arg);
    return true;
}

/* ---- Far transfers ---- */

static void far_go(struct trans *t, const struct x86_insn *i, ir_val sel, ir_val eip)
{
    ir_val pc = ir_call(t->ir, &helper_far_go, sel, eip, imm32(t, i->size | (i->arg ? 16 : 0)),
                        x86_tr_eip(t, t->next));

    x86_tr_goto_ind(t, pc);
}

bool x86_tr_far_direct(struct trans *t, const struct x86_insn *i)
{
    far_go(t, i, imm32(t, i->imm2), ir_imm64(t->ir, i->imm));
    return true;
}

bool x86_tr_far_indirect(struct trans *t, const struct x86_insn *i)
{
    ir_val sel, offset = read_far(t, i, &sel);

    far_go(t, i, sel, x86_wide(t, offset));
    return true;
}

bool x86_tr_far_ret(struct trans *t, const struct x86_insn *i)
{
    x86_tr_goto_ind(t, call2(t, &helper_far_ret, imm32(t, i->size), imm32(t, i->imm)));
    return true;
}

bool x86_tr_iret(struct trans *t, const struct x86_insn *i)
{
    x86_tr_goto_ind(t, call2(t, &helper_iret, imm32(t, i->size), x86_tr_eip(t, t->next)));
    return true;
}

/* Entering a handler clears TF: no trap follows. */
static void interrupt(struct trans *t, unsigned vector, enum x86_event event)
{
    trans_goto_ind(t, ir_call(t->ir, &helper_int_n, imm32(t, vector), imm32(t, event),
                              x86_tr_eip(t, t->next), IR_NONE));
}

bool x86_tr_int_n(struct trans *t, const struct x86_insn *i)
{
    if (i->arg == EXC_BP)
        interrupt(t, EXC_BP, EVENT_SOFT_EXC);
    else if (i->arg == EXC_DB)
        interrupt(t, EXC_DB, EVENT_ICEBP);
    else
        interrupt(t, i->imm, EVENT_SOFT);
    return true;
}

bool x86_tr_into(struct trans *t, const struct x86_insn *i)
{
    ir_val flags = x86_tr_eflags(t);

    (void)i;
    ir_exit_if(t->ir, IR_TSTEQ, flags, ir_imm64(t->ir, FLAG_OF), t->next);
    interrupt(t, EXC_OF, EVENT_SOFT_EXC);
    return true;
}

bool x86_tr_syscall(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    trans_goto_ind(t, call1(t, &helper_syscall, x86_tr_eip(t, t->next)));
    return true;
}

bool x86_tr_sysret(struct trans *t, const struct x86_insn *i)
{
    x86_tr_goto_ind(t, call1(t, &helper_sysret, imm32(t, i->w ? 3 : 2)));
    return true;
}

bool x86_tr_sysenter(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    if (!(t->flags & UF_PE)) {
        x86_tr_raise_error(t, EXC_GP, 0);
        return true;
    }
    trans_goto_ind(t, call0(t, &helper_sysenter));
    return true;
}

bool x86_tr_sysexit(struct trans *t, const struct x86_insn *i)
{
    if (!(t->flags & UF_PE)) {
        x86_tr_raise_error(t, EXC_GP, 0);
        return true;
    }
    x86_tr_goto_ind(t, call1(t, &helper_sysexit, imm32(t, i->w ? 3 : 2)));
    return true;
}

/* ---- Flags ---- */

bool x86_tr_pushf(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    ir_val v;

    if (x86_is_v86(t) && !(t->flags & UF_IOPL_OK))
        v = call1(t, &helper_pushf_v86, imm32(t, i->size));
    else
        v = ir_and(ir, x86_tr_eflags(t), ir_imm64(ir, ~(int64_t)(FLAG_VM | FLAG_RF)));
    x86_push(t, i->size, x86_narrow(t, i->size, v));
    return true;
}

bool x86_tr_popf(struct trans *t, const struct x86_insn *i)
{
    ir_val v = x86_peek(t, i->size, 0);

    if (i->size == 3)
        v = ir_trunc(t->ir, v);
    call2(t, &helper_popf, v, imm32(t, i->size));
    x86_move_sp(t, 1 << i->size);
    x86_tr_resync(t);
    return true;
}

static bool may_change_if(const struct trans *t)
{
    return t->flags & UF_IOPL_OK || !(t->flags & UF_PE);
}

bool x86_tr_cli(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;

    (void)i;
    if (may_change_if(t))
        ir_set(ir, SLOT_EFLAGS,
               ir_and(ir, ir_get(ir, SLOT_EFLAGS), ir_imm64(ir, ~(int64_t)FLAG_IF)));
    else
        call1(t, &helper_cli_hard, imm32(t, 0));
    return true;
}

bool x86_tr_sti(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;

    (void)i;
    if (!may_change_if(t)) {
        call1(t, &helper_cli_hard, imm32(t, 1));
        return true;
    }
    ir_set(ir, SLOT_EFLAGS, call2(t, &helper_sti, ir_get(ir, SLOT_EFLAGS), next_pc(t)));
    /* an interrupt that waits is to come before a CLI that follows: "sti; nop; cli" lets it in */
    x86_tr_resync(t);
    return true;
}

bool x86_tr_set_ac(struct trans *t, const struct x86_insn *i)
{
    call1(t, &helper_set_ac, imm32(t, i->arg));
    x86_tr_resync(t);
    return true;
}

/* ---- Descriptor tables ---- */

static void check_umip(struct trans *t)
{
    if (x86_tr_cpl(t))
        call0(t, &helper_umip);
}

static ir_val table(struct trans *t, unsigned what)
{
    return call1(t, &helper_table_get, imm32(t, what));
}

bool x86_tr_store_sel(struct trans *t, const struct x86_insn *i)
{
    check_umip(t);
    write_selector(t, i, ir_trunc(t->ir, table(t, i->arg ? X86_TABLE_TR_SEL : X86_TABLE_LDT_SEL)));
    return true;
}

bool x86_tr_load_sel(struct trans *t, const struct x86_insn *i)
{
    call2(t, &helper_sel_load, imm32(t, i->arg), x86_read(t, i, 0));
    return true;
}

bool x86_tr_store_table(struct trans *t, const struct x86_insn *i)
{
    unsigned size = natural(t);
    ir_val base;

    check_umip(t);
    x86_tr_store(t, 1, x86_address(t, i, 0, 2),
                 ir_trunc(t->ir, table(t, X86_TABLE_GDT_LIMIT + i->arg)));
    base = table(t, X86_TABLE_GDT_BASE + i->arg);
    x86_tr_store(t, size, x86_address(t, i, 2, 1 << size), x86_narrow(t, size, base));
    return true;
}

/* With 16-bit operands the base has 24 bits. */
bool x86_tr_load_table(struct trans *t, const struct x86_insn *i)
{
    unsigned size = natural(t);
    ir_val limit = x86_tr_load(t, 1, x86_address(t, i, 0, 2)), base;

    base = x86_wide(t, x86_tr_load(t, size, x86_address(t, i, 2, 1 << size)));
    if (i->size == 1 && !x86_is64(t))
        base = ir_and(t->ir, base, ir_imm64(t->ir, 0xffffff));
    ir_call(t->ir, &helper_table_set, imm32(t, i->arg), limit, base, IR_NONE);
    return true;
}

bool x86_tr_smsw(struct trans *t, const struct x86_insn *i)
{
    ir_val v;

    check_umip(t);
    v = table(t, X86_TABLE_MSW);
    if (i->is_mem)
        x86_tr_store(t, 1, x86_address(t, i, 0, 2), ir_trunc(t->ir, v));
    else
        x86_set_reg_val(t, i->size, i->rm, true, x86_narrow(t, i->size, v));
    return true;
}

bool x86_tr_lmsw(struct trans *t, const struct x86_insn *i)
{
    call1(t, &helper_lmsw, x86_read(t, i, 0));
    x86_tr_resync(t);
    return true;
}

/* ZF becomes @zf (i32 0 or 1), the other flags stay. */
static void set_zf(struct trans *t, ir_val flags, ir_val zf)
{
    struct ir *ir = t->ir;
    ir_val bit = ir_shl(ir, ir_zext32(ir, zf), ir_imm64(ir, 6));

    flags = ir_and(ir, flags, ir_imm64(ir, FLAGS_ARITH & ~FLAG_ZF));
    x86_tr_set_arith(t, ir_or(ir, flags, bit));
}

bool x86_tr_verify(struct trans *t, const struct x86_insn *i)
{
    ir_val sel = x86_read(t, i, 0), flags = x86_tr_eflags(t);

    set_zf(t, flags, call2(t, &helper_verify, sel, imm32(t, i->arg)));
    return true;
}

bool x86_tr_lar(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    ir_val sel = x86_read(t, i, 1), flags = x86_tr_eflags(t);
    ir_val old = x86_wide(t, x86_get_reg_val(t, i->size, i->reg, true));
    ir_val r = call2(t, &helper_lar, sel, imm32(t, i->arg)), zf, v;

    zf = ir_shr(ir, r, ir_imm64(ir, 32));
    v = ir_zext32(ir, ir_trunc(ir, r));
    v = ir_select(ir, IR_NE, zf, ir_imm64(ir, 0), v, old);
    x86_set_reg_val(t, i->size, i->reg, true, x86_narrow(t, i->size, v));
    set_zf(t, flags, ir_trunc(ir, zf));
    return true;
}

bool x86_tr_arpl(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    ir_val dst = x86_read(t, i, 0), src = x86_read(t, i, 1), flags = x86_tr_eflags(t);
    ir_val rpl = ir_and(ir, src, imm32(t, 3)), less, raised;

    less = ir_setcc(ir, IR_I32, IR_LTU, ir_and(ir, dst, imm32(t, 3)), rpl);
    raised = ir_or(ir, ir_and(ir, dst, imm32(t, 0xfffc)), rpl);
    x86_write(t, i, 0, ir_select(ir, IR_NE, less, imm32(t, 0), raised, dst));
    set_zf(t, flags, less);
    return true;
}

/* ---- Control and debug registers ---- */

static bool cr_exists(unsigned nr)
{
    return nr == 0 || nr == 2 || nr == 3 || nr == 4 || nr == 8;
}

bool x86_tr_mov_from_cr(struct trans *t, const struct x86_insn *i)
{
    unsigned size = natural(t);

    if (!cr_exists(i->reg))
        return false;
    x86_set_reg_val(t, size, i->rm, true,
                    x86_narrow(t, size, call1(t, &helper_cr_read, imm32(t, i->reg))));
    return true;
}

bool x86_tr_mov_to_cr(struct trans *t, const struct x86_insn *i)
{
    if (!cr_exists(i->reg))
        return false;
    call2(t, &helper_cr_write, imm32(t, i->reg),
          x86_wide(t, x86_get_reg_val(t, natural(t), i->rm, true)));
    x86_tr_resync(t);
    return true;
}

bool x86_tr_mov_from_dr(struct trans *t, const struct x86_insn *i)
{
    unsigned size = natural(t);

    if (i->reg > 7)
        return false;
    x86_set_reg_val(t, size, i->rm, true,
                    x86_narrow(t, size, call1(t, &helper_dr_read, imm32(t, i->reg))));
    return true;
}

bool x86_tr_mov_to_dr(struct trans *t, const struct x86_insn *i)
{
    if (i->reg > 7)
        return false;
    call2(t, &helper_dr_write, imm32(t, i->reg),
          x86_wide(t, x86_get_reg_val(t, natural(t), i->rm, true)));
    x86_tr_resync(t);
    return true;
}

bool x86_tr_clts(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    call0(t, &helper_clts);
    x86_tr_resync(t);
    return true;
}

bool x86_tr_xgetbv(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    set_edx_eax(t, call1(t, &helper_xgetbv, reg32(t, R_CX)));
    return true;
}

bool x86_tr_xsetbv(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    call2(t, &helper_xsetbv, reg32(t, R_CX), get_edx_eax(t));
    x86_tr_resync(t);
    return true;
}

bool x86_tr_rdpkru(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    set_reg32(t, R_AX, call0(t, &helper_rdpkru));
    set_reg32(t, R_DX, imm32(t, 0));
    return true;
}

bool x86_tr_wrpkru(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    call1(t, &helper_wrpkru, reg32(t, R_AX));
    return true;
}

bool x86_tr_rdmsr(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    set_edx_eax(t, call1(t, &helper_rdmsr, reg32(t, R_CX)));
    return true;
}

bool x86_tr_wrmsr(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    call2(t, &helper_wrmsr, reg32(t, R_CX), get_edx_eax(t));
    x86_tr_resync(t);
    return true;
}

/* ---- Counters and identity ---- */

bool x86_tr_rdtsc(struct trans *t, const struct x86_insn *i)
{
    if (x86_tr_cpl(t))
        call0(t, &helper_check_tsd);
    set_edx_eax(t, call0(t, &helper_rdtsc));
    if (i->arg)
        set_reg32(t, R_CX, ir_trunc(t->ir, call0(t, &helper_tsc_aux)));
    return true;
}

bool x86_tr_rdpmc(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    call0(t, &helper_rdpmc);
    x86_tr_end(t);
    return true;
}

bool x86_tr_rdpid(struct trans *t, const struct x86_insn *i)
{
    unsigned size = natural(t);

    x86_set_reg_val(t, size, i->rm, true, x86_narrow(t, size, call0(t, &helper_tsc_aux)));
    return true;
}

/* There is always a number: CF is set, the other flags are clear. */
bool x86_tr_rdrand(struct trans *t, const struct x86_insn *i)
{
    x86_set_reg_val(t, i->size, i->rm, true, x86_narrow(t, i->size, call0(t, &helper_random)));
    x86_tr_set_arith(t, ir_imm64(t->ir, FLAG_CF));
    return true;
}

bool x86_tr_cpuid(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    call0(t, &helper_cpuid);
    return true;
}

bool x86_tr_swapgs(struct trans *t, const struct x86_insn *i)
{
    unsigned slot = SLOT_SEG_BASE + S_GS;

    (void)i;
    ir_set(t->ir, slot, call1(t, &helper_swapgs, ir_get(t->ir, slot)));
    return true;
}

bool x86_tr_read_base(struct trans *t, const struct x86_insn *i)
{
    unsigned size = i->w ? 3 : 2;

    call0(t, &helper_check_fsgsbase);
    x86_set_reg_val(t, size, i->rm, true,
                    x86_narrow(t, size, ir_get(t->ir, SLOT_SEG_BASE + i->arg)));
    return true;
}

bool x86_tr_write_base(struct trans *t, const struct x86_insn *i)
{
    ir_val v = x86_wide(t, x86_get_reg_val(t, i->w ? 3 : 2, i->rm, true));

    call0(t, &helper_check_fsgsbase);
    if (i->w)
        call1(t, &helper_check_canonical, v);
    ir_set(t->ir, SLOT_SEG_BASE + i->arg, v);
    return true;
}

/* ---- Caches and translations ---- */

bool x86_tr_invlpg(struct trans *t, const struct x86_insn *i)
{
    call1(t, &helper_invlpg, x86_address_val(t, i, 0, 1));
    x86_tr_resync(t);
    return true;
}

bool x86_tr_invpcid(struct trans *t, const struct x86_insn *i)
{
    ir_val type = x86_wide(t, x86_get_reg_val(t, natural(t), i->reg, true));
    ir_val pcid = x86_tr_load(t, 3, x86_address(t, i, 0, 8));
    ir_val addr = x86_tr_load(t, 3, x86_address(t, i, 8, 8));

    ir_call(t->ir, &helper_invpcid, type, pcid, addr, IR_NONE);
    x86_tr_resync(t);
    return true;
}

/* Memory is coherent; what is left is the faults of a load. */
bool x86_tr_clflush(struct trans *t, const struct x86_insn *i)
{
    x86_tr_load(t, 0, x86_address(t, i, 0, 1));
    return true;
}

bool x86_tr_clzero(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    ir_val line =
        ir_and(ir, x86_wide(t, x86_get_reg_val(t, i->addr_size, R_AX, true)), ir_imm64(ir, -64));

    for (unsigned k = 0; k < 64; k += 8)
        x86_tr_store(t, 3, x86_tr_linear(t, i->seg, ir_add(ir, line, ir_imm64(ir, k)), 8),
                     ir_imm64(ir, 0));
    return true;
}

bool x86_tr_fence(struct trans *t, const struct x86_insn *i)
{
    enum { ALL = IR_FENCE_R | IR_FENCE_W | IR_FENCE_I | IR_FENCE_O };

    if (i->arg)
        ir_fence(t->ir, ALL << 4 | ALL);
    return true;
}

/* ---- Waiting ---- */

static bool wait_with(struct trans *t, const struct ir_helper *h)
{
    call1(t, h, next_pc(t));
    trans_end(t);
    return true;
}

bool x86_tr_hlt(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    return wait_with(t, &helper_hlt);
}

bool x86_tr_mwait(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    return wait_with(t, &helper_mwait);
}

bool x86_tr_monitor(struct trans *t, const struct x86_insn *i)
{
    ir_val offset = x86_wide(t, x86_get_reg_val(t, i->addr_size, R_AX, true));
    struct x86_addr a = x86_tr_linear(t, i->seg, offset, 1);

    x86_tr_load(t, 0, a);
    call1(t, &helper_monitor, ir_add(t->ir, a.base, ir_imm64(t->ir, a.disp)));
    return true;
}

bool x86_tr_rsm(struct trans *t, const struct x86_insn *i)
{
    (void)i;
    call0(t, &helper_rsm);
    trans_end(t);
    return true;
}

/* ---- Ports ---- */

/* Bit 0 of the row's argument: operand size, else byte; bit 1: the port is in DX. */
static ir_val port_of(struct trans *t, const struct x86_insn *i)
{
    return i->arg & 2 ? x86_get_reg_val(t, 1, R_DX, true) : imm32(t, i->imm);
}
static unsigned port_size(const struct x86_insn *i)
{
    return i->arg & 1 ? MIN(i->size, 2) : 0;
}

static void after_port(struct trans *t)
{
    if (t->flags & UF_DBG_IO)
        call1(t, &helper_debug_trap, next_pc(t));
}

bool x86_tr_port_in(struct trans *t, const struct x86_insn *i)
{
    unsigned size = port_size(i);
    ir_val v = call2(t, &helper_port_in, port_of(t, i), imm32(t, 1 << size));

    x86_set_reg_val(t, size, R_AX, true, v);
    after_port(t);
    return true;
}

/* The unit ends: a device may have raised SMI, moved memory or switched A20. */
bool x86_tr_port_out(struct trans *t, const struct x86_insn *i)
{
    unsigned size = port_size(i);

    ir_call(t->ir, &helper_port_out, port_of(t, i), imm32(t, 1 << size),
            x86_get_reg_val(t, size, R_AX, true), IR_NONE);
    after_port(t);
    x86_tr_resync(t);
    return true;
}
