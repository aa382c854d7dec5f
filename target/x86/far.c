/*
 * Far JMP, CALL, RET and IRET (Intel volume 2; volume 3, 5.8): to code segments, through call
 * gates, to tasks, and back, in all modes.
 */
#include "stack.h"
#include "sys.h"

enum {
    SYS_TSS16 = 1,
    SYS_CALL16 = 4,
    SYS_TASK = 5,
    SYS_TSS32 = 9,
    SYS_CALL32 = 12,
};

static uint64_t cut(uint64_t v, unsigned size)
{
    return v & mask64(8 << size);
}

uint64_t x86_set_pc(struct x86_cpu *c, uint64_t eip)
{
    uint64_t pc = c->seg_base[S_CS] + eip;

    c->cpu.tcg.pc = x86_code64(c) ? eip : (uint32_t)pc;
    return c->cpu.tcg.pc;
}

static uint64_t done(struct x86_cpu *c, uint64_t eip)
{
    uint64_t pc = x86_set_pc(c, eip);

    cpu_update_flags(&c->cpu);
    return pc;
}

/* #GP(0) if code of @d cannot run at @eip. */
static void check_eip(struct x86_cpu *c, const struct x86_desc *d, uint64_t eip)
{
    if (x86_lma(c) && desc_attr(d) & ATTR_L) {
        if (!x86_canonical(c, eip))
            x86_gp(c, 0);
    } else if (eip > desc_limit(d)) {
        x86_gp(c, 0);
    }
}

static uint64_t go_real(struct x86_cpu *c, uint16_t sel, uint64_t eip)
{
    if (eip > c->seg[S_CS].limit)
        x86_gp(c, 0);
    x86_seg_set_real(c, S_CS, sel);
    return done(c, eip);
}

/* ---- JMP and CALL ---- */

/* A code segment that may be gone to without a change of privilege. */
static void check_code(struct x86_cpu *c, uint16_t sel, unsigned rpl, const struct x86_desc *d)
{
    unsigned attr = desc_attr(d), cpl = x86_cpl(c), dpl = desc_dpl(d);
    uint32_t err = sel & ~3u;

    if (attr & ATTR_DOWN ? dpl > cpl : rpl > cpl || dpl != cpl)
        x86_gp(c, err);
    if (!(attr & ATTR_P))
        x86_raise_err(c, EXC_NP, err);
    if (x86_lma(c) && attr & ATTR_L && attr & ATTR_DB)
        x86_gp(c, err);
}

static bool is_code(const struct x86_desc *d)
{
    return (desc_attr(d) & (ATTR_S | ATTR_CODE)) == (ATTR_S | ATTR_CODE);
}

/* The system descriptor that @sel names must be reachable. */
static void check_gate(struct x86_cpu *c, uint16_t sel, const struct x86_desc *d)
{
    if (desc_dpl(d) < MAX(x86_cpl(c), sel & 3u))
        x86_gp(c, sel & ~3u);
    if (!(desc_attr(d) & ATTR_P))
        x86_raise_err(c, EXC_NP, sel & ~3u);
}

/* To a task, directly or through a gate. */
static uint64_t go_task(struct x86_cpu *c, uint16_t sel, struct x86_desc *d, enum x86_switch how,
                        uint64_t next)
{
    unsigned attr = desc_attr(d);

    if ((attr & ATTR_TYPE) == SYS_TASK) {
        check_gate(c, sel, d);
        sel = d->lo >> 16;
        if (sel & 4 || !(sel & ~3u) || !x86_desc_read(c, sel, d))
            x86_gp(c, sel & ~3u);
        attr = desc_attr(d);
        if (attr & ATTR_S || ((attr & ATTR_TYPE) != SYS_TSS16 && (attr & ATTR_TYPE) != SYS_TSS32))
            x86_gp(c, sel & ~3u);
        if (!(attr & ATTR_P))
            x86_raise_err(c, EXC_NP, sel & ~3u);
    } else {
        check_gate(c, sel, d);
    }
    x86_task_switch(c, sel, d, how, next);
    cpu_update_flags(&c->cpu);
    return c->cpu.tcg.pc;
}

struct call_gate {
    uint16_t sel;
    uint64_t offset;
    unsigned size; /* log2 of a word's bytes */
    unsigned params;
};

/* Reads what a call gate says and its code segment. */
static void read_call_gate(struct x86_cpu *c, uint16_t sel, struct x86_desc *gate,
                           struct call_gate *g, struct x86_desc *code)
{
    unsigned type = desc_attr(gate) & ATTR_TYPE;
    uint32_t err;

    check_gate(c, sel, gate);
    *g = (struct call_gate){
        .sel = gate->lo >> 16,
        .offset = (gate->lo & 0xffff) | (gate->lo >> 32 & 0xffff0000),
        .size = type == SYS_CALL16 ? 1 : 2,
        .params = gate->lo >> 32 & 31,
    };
    if (x86_lma(c)) {
        if (!x86_desc_read16(c, sel, gate) || gate->hi >> 40 & 31)
            x86_gp(c, sel & ~3u);
        g->offset |= gate->hi << 32;
        g->size = 3;
        g->params = 0;
    } else if (g->size == 1) {
        g->offset &= 0xffff;
    }
    err = g->sel & ~3u;
    if (!err)
        x86_gp(c, 0);
    if (!x86_desc_read(c, g->sel, code) || !is_code(code) || desc_dpl(code) > x86_cpl(c))
        x86_gp(c, err);
    if (x86_lma(c) && (!(desc_attr(code) & ATTR_L) || desc_attr(code) & ATTR_DB))
        x86_gp(c, err);
    if (!(desc_attr(code) & ATTR_P))
        x86_raise_err(c, EXC_NP, err);
}

static bool is_call_gate(const struct x86_cpu *c, const struct x86_desc *d)
{
    unsigned type = desc_attr(d) & ATTR_TYPE;

    return type == SYS_CALL32 || (type == SYS_CALL16 && !x86_lma(c));
}

/* TSSs and task gates are none of long mode's. */
static bool is_task(const struct x86_cpu *c, const struct x86_desc *d)
{
    unsigned type = desc_attr(d) & ATTR_TYPE;

    return !x86_lma(c) && (type == SYS_TSS16 || type == SYS_TSS32 || type == SYS_TASK);
}

static void read_target(struct x86_cpu *c, uint16_t sel, struct x86_desc *d)
{
    if (!(sel & ~3u))
        x86_gp(c, 0);
    if (!x86_desc_read(c, sel, d))
        x86_gp(c, sel & ~3u);
    if (desc_attr(d) & ATTR_S ? !is_code(d) : !is_call_gate(c, d) && !is_task(c, d))
        x86_gp(c, sel & ~3u);
}

static void set_code(struct x86_cpu *c, uint16_t sel, unsigned cpl, struct x86_desc *d)
{
    x86_seg_set(c, S_CS, (sel & ~3u) | cpl, d);
}

uint64_t x86_far_jmp(struct x86_cpu *c, uint16_t sel, uint64_t eip, unsigned opsize, uint64_t next)
{
    struct x86_desc d, code;
    struct call_gate g;

    eip = cut(eip, opsize);
    if (!x86_protected(c))
        return go_real(c, sel, eip);
    read_target(c, sel, &d);
    if (is_code(&d)) {
        check_code(c, sel, sel & 3, &d);
    } else if (is_task(c, &d)) {
        return go_task(c, sel, &d, SWITCH_JMP, next);
    } else {
        read_call_gate(c, sel, &d, &g, &code);
        if (!(desc_attr(&code) & ATTR_DOWN) && desc_dpl(&code) != x86_cpl(c))
            x86_gp(c, g.sel & ~3u);
        d = code;
        sel = g.sel;
        eip = g.offset;
    }
    check_eip(c, &d, eip);
    x86_desc_access(c, &d);
    set_code(c, sel, x86_cpl(c), &d);
    return done(c, eip);
}

/* Words of the outer stack are handed over. */
static void copy_params(struct x86_stack *to, const struct x86_stack *from,
                        const struct call_gate *g)
{
    for (unsigned k = g->params; k-- > 0;) {
        uint64_t addr = stack_addr(from, from->sp + (k << g->size), 1u << g->size);
        stack_push(to, g->size, x86_load(from->c, addr, g->size, from->mode));
    }
}

/* CALL through a gate to an inner privilege. */
static uint64_t call_inner(struct x86_cpu *c, const struct call_gate *g, struct x86_desc *code,
                           uint64_t next)
{
    unsigned cpl = desc_dpl(code);
    struct x86_desc ss_desc = { 0 };
    struct x86_stack st, old;
    uint16_t ss = cpl;
    uint64_t sp;

    if (x86_lma(c)) {
        stack_flat(&st, c, x86_tss_rsp(c, 4 + 8 * cpl), cpl);
    } else {
        x86_tss_stack(c, cpl, &ss, &sp);
        x86_ss_check(c, ss, cpl, EXC_TS, &ss_desc);
        stack_desc(&st, c, &ss_desc, ss, sp, cpl);
    }
    stack_current(&old, c);
    stack_push(&st, g->size, c->seg[S_SS].selector);
    stack_push(&st, g->size, old.sp);
    copy_params(&st, &old, g);
    stack_push(&st, g->size, c->seg[S_CS].selector);
    stack_push(&st, g->size, next);
    check_eip(c, code, g->offset);
    if (x86_lma(c)) {
        x86_seg_set_raw(c, S_SS, ss, 0, 0, cpl << ATTR_DPL_SHIFT);
    } else {
        x86_desc_access(c, &ss_desc);
        x86_seg_set(c, S_SS, ss, &ss_desc);
    }
    x86_desc_access(c, code);
    stack_commit(&st);
    set_code(c, g->sel, cpl, code);
    return done(c, g->offset);
}

/* Pushes the return address and goes; @d: code. */
static uint64_t call_same(struct x86_cpu *c, uint16_t sel, struct x86_desc *d, uint64_t eip,
                          unsigned size, uint64_t next)
{
    struct x86_stack st;

    stack_current(&st, c);
    stack_push(&st, size, c->seg[S_CS].selector);
    stack_push(&st, size, next);
    check_eip(c, d, eip);
    x86_desc_access(c, d);
    stack_commit(&st);
    set_code(c, sel, x86_cpl(c), d);
    return done(c, eip);
}

static uint64_t call_real(struct x86_cpu *c, uint16_t sel, uint64_t eip, unsigned opsize,
                          uint64_t next)
{
    struct x86_stack st;

    stack_current(&st, c);
    stack_push(&st, opsize, c->seg[S_CS].selector);
    stack_push(&st, opsize, next);
    if (eip > c->seg[S_CS].limit)
        x86_gp(c, 0);
    stack_commit(&st);
    return go_real(c, sel, eip);
}

uint64_t x86_far_call(struct x86_cpu *c, uint16_t sel, uint64_t eip, unsigned opsize, uint64_t next)
{
    struct x86_desc d, code;
    struct call_gate g;

    eip = cut(eip, opsize);
    if (!x86_protected(c))
        return call_real(c, sel, eip, opsize, next);
    read_target(c, sel, &d);
    if (is_code(&d)) {
        check_code(c, sel, sel & 3, &d);
        return call_same(c, sel, &d, eip, opsize, next);
    }
    if (is_task(c, &d))
        return go_task(c, sel, &d, SWITCH_CALL, next);
    read_call_gate(c, sel, &d, &g, &code);
    if (!(desc_attr(&code) & ATTR_DOWN) && desc_dpl(&code) < x86_cpl(c))
        return call_inner(c, &g, &code, next);
    return call_same(c, g.sel, &code, g.offset, g.size, next);
}

/* ---- RET and IRET ---- */

/* The code segment that is returned to. */
static void read_return(struct x86_cpu *c, uint16_t sel, struct x86_desc *d)
{
    unsigned rpl = sel & 3, attr;
    uint32_t err = sel & ~3u;

    if (!err)
        x86_gp(c, 0);
    if (!x86_desc_read(c, sel, d) || !is_code(d) || rpl < x86_cpl(c))
        x86_gp(c, err);
    attr = desc_attr(d);
    if (attr & ATTR_DOWN ? desc_dpl(d) > rpl : desc_dpl(d) != rpl)
        x86_gp(c, err);
    if (!(attr & ATTR_P))
        x86_raise_err(c, EXC_NP, err);
    if (x86_lma(c) && attr & ATTR_L && attr & ATTR_DB)
        x86_gp(c, err);
}

/* An outer stack's SS; null is right for 64-bit code that is not the user's. */
static bool read_return_ss(struct x86_cpu *c, uint16_t ss, unsigned cpl,
                           const struct x86_desc *code, struct x86_desc *d)
{
    if (!(ss & ~3u) && x86_lma(c) && desc_attr(code) & ATTR_L && cpl < 3 && (ss & 3u) == cpl)
        return false;
    x86_ss_check(c, ss, cpl, EXC_GP, d);
    return true;
}

/* CS, SS and the pointer of an outer (or, in 64-bit code, any) return. */
static void set_return(struct x86_cpu *c, uint16_t cs, struct x86_desc *code, uint16_t ss,
                       struct x86_desc *ss_desc, bool has_ss, uint64_t sp)
{
    unsigned cpl = cs & 3, old = x86_cpl(c);
    uint64_t *rsp = &c->cpu.tcg.hot[R_SP];

    x86_desc_access(c, code);
    if (has_ss) {
        x86_desc_access(c, ss_desc);
        x86_seg_set(c, S_SS, ss, ss_desc);
    } else {
        x86_seg_set_raw(c, S_SS, ss, 0, 0, cpl << ATTR_DPL_SHIFT);
    }
    set_code(c, cs, cpl, code);
    if (x86_code64(c))
        *rsp = sp;
    else if (c->seg[S_SS].attr & ATTR_DB)
        *rsp = (uint32_t)sp;
    else
        *rsp = (*rsp & ~0xffffULL) | (sp & 0xffff);
    if (cpl != old)
        x86_segs_drop(c, cpl);
}

static uint64_t ret_real(struct x86_cpu *c, unsigned opsize, unsigned pop)
{
    struct x86_stack st;
    uint64_t eip;
    uint16_t sel;

    stack_current(&st, c);
    eip = stack_pop(&st, opsize);
    sel = stack_pop(&st, opsize);
    if (eip > c->seg[S_CS].limit)
        x86_gp(c, 0);
    stack_skip(&st, pop);
    stack_commit(&st);
    return go_real(c, sel, eip);
}

uint64_t x86_far_ret(struct x86_cpu *c, unsigned opsize, unsigned pop)
{
    struct x86_desc d, ss_desc;
    struct x86_stack st;
    uint64_t eip, sp;
    uint16_t sel, ss;
    bool has_ss;

    if (!x86_protected(c))
        return ret_real(c, opsize, pop);
    stack_current(&st, c);
    eip = stack_pop(&st, opsize);
    sel = stack_pop(&st, opsize);
    read_return(c, sel, &d);
    if ((sel & 3u) == x86_cpl(c)) {
        check_eip(c, &d, eip);
        stack_skip(&st, pop);
        x86_desc_access(c, &d);
        stack_commit(&st);
        set_code(c, sel, sel & 3, &d);
        return done(c, eip);
    }
    stack_skip(&st, pop);
    sp = stack_pop(&st, opsize);
    ss = stack_pop(&st, opsize);
    has_ss = read_return_ss(c, ss, sel & 3, &d, &ss_desc);
    check_eip(c, &d, eip);
    set_return(c, sel, &d, ss, &ss_desc, has_ss, sp + pop);
    return done(c, eip);
}

/* Flags that IRET may change at privilege @cpl. */
static uint32_t iret_mask(const struct x86_cpu *c, unsigned cpl, unsigned opsize)
{
    uint32_t mask = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT;

    if (cpl <= x86_iopl(c))
        mask |= FLAG_IF;
    if (cpl == 0)
        mask |= FLAG_IOPL;
    if (opsize > 1) {
        mask |= FLAG_RF | FLAG_AC | FLAG_ID;
        if (cpl == 0)
            mask |= FLAG_VIF | FLAG_VIP;
    }
    return mask;
}

static uint64_t iret_real(struct x86_cpu *c, unsigned opsize)
{
    struct x86_stack st;
    uint64_t eip;
    uint32_t flags, mask;
    uint16_t sel;

    stack_current(&st, c);
    eip = stack_pop(&st, opsize);
    sel = stack_pop(&st, opsize);
    flags = stack_pop(&st, opsize);
    if (eip > c->seg[S_CS].limit)
        x86_gp(c, 0);
    mask = iret_mask(c, 0, opsize) & ~(uint32_t)(FLAG_VIF | FLAG_VIP);
    if (c->eflags & FLAG_VM)
        mask &= ~FLAG_IOPL;
    stack_commit(&st);
    x86_set_eflags(c, flags, mask);
    return go_real(c, sel, eip);
}

/* 20.3.3: 16-bit IRET of a virtual-8086 program with IOPL < 3 works on VIF. */
static uint64_t iret_vme(struct x86_cpu *c)
{
    struct x86_stack st;
    uint32_t flags;
    uint64_t eip;
    uint16_t sel;

    stack_current(&st, c);
    eip = stack_pop(&st, 1);
    sel = stack_pop(&st, 1);
    flags = stack_pop(&st, 1);
    if (flags & FLAG_TF || (c->eflags & FLAG_VIP && flags & FLAG_IF) || eip > c->seg[S_CS].limit)
        x86_gp(c, 0);
    stack_commit(&st);
    x86_set_eflags(c, flags | (flags & FLAG_IF ? FLAG_VIF : 0),
                   FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_VIF);
    return go_real(c, sel, eip);
}

/* From ring 0 to virtual-8086 mode: the rest of the frame follows. */
static uint64_t iret_to_v86(struct x86_cpu *c, struct x86_stack *st, uint64_t eip, uint16_t sel,
                            uint32_t flags)
{
    static const uint8_t order[] = { S_SS, S_ES, S_DS, S_FS, S_GS };
    uint16_t sels[ARRAY_LEN(order)];
    uint64_t sp = stack_pop(st, 2);

    for (unsigned k = 0; k < ARRAY_LEN(order); k++)
        sels[k] = stack_pop(st, 2);
    x86_set_eflags(c, flags, iret_mask(c, 0, 2) | FLAG_VM);
    for (unsigned k = 0; k < ARRAY_LEN(order); k++)
        x86_seg_set_real(c, order[k], sels[k]);
    x86_seg_set_real(c, S_CS, sel);
    c->cpu.tcg.hot[R_SP] = sp;
    return done(c, eip & 0xffff);
}

/* NT: back to the task that called this one. */
static uint64_t iret_task(struct x86_cpu *c, uint64_t next)
{
    unsigned mode = x86_system_mode(c);
    uint16_t sel = x86_load(c, x86_linear(c, c->tr.base), 1, mode);
    struct x86_desc d;
    unsigned type;

    if (sel & 4 || !(sel & ~3u) || !x86_desc_read(c, sel, &d))
        x86_raise_err(c, EXC_TS, sel & ~3u);
    type = desc_attr(&d) & (ATTR_S | ATTR_TYPE);
    if (type != 3 && type != 11)
        x86_raise_err(c, EXC_TS, sel & ~3u);
    if (!(desc_attr(&d) & ATTR_P))
        x86_raise_err(c, EXC_NP, sel & ~3u);
    x86_task_switch(c, sel, &d, SWITCH_IRET, next);
    cpu_update_flags(&c->cpu);
    return c->cpu.tcg.pc;
}

static uint64_t iret_protected(struct x86_cpu *c, unsigned opsize)
{
    unsigned old = x86_cpl(c);
    uint32_t mask = iret_mask(c, old, opsize), flags;
    struct x86_desc d, ss_desc;
    struct x86_stack st;
    uint64_t eip, sp;
    uint16_t sel, ss;
    bool has_ss;

    stack_current(&st, c);
    eip = stack_pop(&st, opsize);
    sel = stack_pop(&st, opsize);
    flags = stack_pop(&st, opsize);
    if (flags & FLAG_VM && !x86_lma(c) && old == 0 && opsize == 2)
        return iret_to_v86(c, &st, eip, sel, flags);
    read_return(c, sel, &d);
    if ((sel & 3u) == old && !x86_code64(c)) {
        check_eip(c, &d, eip);
        x86_desc_access(c, &d);
        stack_commit(&st);
        set_code(c, sel, sel & 3, &d);
    } else {
        sp = stack_pop(&st, opsize);
        ss = stack_pop(&st, opsize);
        has_ss = read_return_ss(c, ss, sel & 3, &d, &ss_desc);
        check_eip(c, &d, eip);
        set_return(c, sel, &d, ss, &ss_desc, has_ss, sp);
    }
    x86_set_pc(c, eip);
    x86_set_eflags(c, flags, mask);
    return c->cpu.tcg.pc;
}

uint64_t x86_iret(struct x86_cpu *c, unsigned opsize, uint64_t next)
{
    uint64_t pc;

    if (!(c->cr0 & CR0_PE)) {
        pc = iret_real(c, opsize);
    } else if (c->eflags & FLAG_VM) {
        if (x86_iopl(c) == 3)
            pc = iret_real(c, opsize);
        else if (c->cr4 & CR4_VME && opsize == 1)
            pc = iret_vme(c);
        else
            x86_gp(c, 0);
    } else if (c->eflags & FLAG_NT) {
        if (x86_lma(c))
            x86_gp(c, 0);
        pc = iret_task(c, next);
    } else {
        pc = iret_protected(c, opsize);
    }
    c->nmi_blocked = false;
    x86_check_irq(c);
    return pc;
}
