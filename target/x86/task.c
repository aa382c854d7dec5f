/*
 * Task state segments: stacks of inner privileges, and task switches (Intel volume 3, chapter 7).
 */
#include "sys.h"

/* Where things are in a 32-bit and in a 16-bit TSS. */
static const struct layout {
    unsigned min_limit, width; /* log2 of a word's bytes */
    unsigned eip, flags, regs, segs, nsegs, ldt;
} layouts[2] = {
    { 0x2b, 1, 14, 16, 18, 34, 4, 42 },
    { 0x67, 2, 32, 36, 40, 72, 6, 96 },
};
enum { TSS_CR3 = 28, TSS_TRAP = 100 };

/* Type 9 or 11: of 32 bits; else of 16. */
static const struct layout *layout_of(unsigned attr)
{
    return &layouts[attr >> 3 & 1];
}

static uint64_t tss_read(struct x86_cpu *c, unsigned offset, unsigned size)
{
    return x86_load(c, x86_linear(c, c->tr.base + offset), size, x86_system_mode(c));
}

void x86_tss_stack(struct x86_cpu *c, unsigned cpl, uint16_t *ss, uint64_t *sp)
{
    const struct layout *l = layout_of(c->tr.attr);
    unsigned word = 1 << l->width, at = word + cpl * 2 * word;

    if (at + word + 1 > c->tr.limit)
        x86_raise_err(c, EXC_TS, c->tr.selector & ~3u);
    *sp = tss_read(c, at, l->width);
    *ss = tss_read(c, at + word, 1);
}

uint64_t x86_tss_rsp(struct x86_cpu *c, unsigned offset)
{
    uint64_t rsp;

    if (offset + 7 > c->tr.limit)
        x86_raise_err(c, EXC_TS, c->tr.selector & ~3u);
    rsp = tss_read(c, offset, 3);
    if (!x86_canonical(c, rsp))
        x86_raise_err(c, EXC_SS, 0);
    return rsp;
}

/* ---- Switching ---- */

/* Order of segment registers in a TSS. */
static const uint8_t seg_order[] = { S_ES, S_CS, S_SS, S_DS, S_FS, S_GS };

static void set_busy(struct x86_cpu *c, uint16_t sel, bool busy)
{
    uint64_t addr = x86_linear(c, c->gdt.base + (sel & ~7u) + 5);
    unsigned mode = x86_system_mode(c);
    uint8_t type = x86_load(c, addr, 0, mode);

    x86_store(c, addr, 0, mode, busy ? type | 2 : type & ~2);
}

/* Writes the dynamic fields of the task that is left. */
static void save(struct x86_cpu *c, uint32_t flags, uint64_t next)
{
    const struct layout *l = layout_of(c->tr.attr);
    unsigned mode = x86_system_mode(c), word = 1 << l->width;
    uint64_t base = c->tr.base;

    x86_store(c, x86_linear(c, base + l->eip), l->width, mode, next);
    x86_store(c, x86_linear(c, base + l->flags), l->width, mode, flags);
    for (unsigned k = 0; k < 8; k++)
        x86_store(c, x86_linear(c, base + l->regs + k * word), l->width, mode, c->cpu.tcg.hot[k]);
    for (unsigned k = 0; k < l->nsegs; k++)
        x86_store(c, x86_linear(c, base + l->segs + k * word), 1, mode,
                  c->seg[seg_order[k]].selector);
}

struct task {
    uint32_t cr3, eip, flags, reg[8];
    uint16_t seg[6], ldt;
    bool trap;
};

static uint32_t field(struct x86_cpu *c, uint64_t base, unsigned at, unsigned size)
{
    return x86_load(c, x86_linear(c, base + at), size, x86_system_mode(c));
}

static void load(struct x86_cpu *c, const struct x86_desc *d, struct task *t)
{
    const struct layout *l = layout_of(desc_attr(d));
    uint64_t base = desc_base(d);
    unsigned word = 1 << l->width;
    /* Upper halves that a 16-bit TSS has not are all ones in registers (7.6 leaves them open). */
    uint32_t upper = l->width == 1 ? 0xffff0000 : 0;

    memset(t, 0, sizeof(*t));
    t->eip = field(c, base, l->eip, l->width);
    t->flags = field(c, base, l->flags, l->width);
    for (unsigned k = 0; k < 8; k++)
        t->reg[k] = field(c, base, l->regs + k * word, l->width) | upper;
    for (unsigned k = 0; k < l->nsegs; k++)
        t->seg[k] = field(c, base, l->segs + k * word, 1);
    t->ldt = field(c, base, l->ldt, 1);
    if (l->width == 2) {
        t->cr3 = field(c, base, TSS_CR3, 2);
        t->trap = field(c, base, TSS_TRAP, 0) & 1;
    }
}

static void load_ldt(struct x86_cpu *c, uint16_t sel)
{
    struct x86_desc d;

    c->ldt = (struct x86_table){ .selector = sel };
    if (!(sel & ~3u))
        return;
    if (sel & 4 || !x86_desc_read(c, sel, &d) ||
        (desc_attr(&d) & (ATTR_P | ATTR_S | ATTR_TYPE)) != (ATTR_P | 2))
        x86_raise_err(c, EXC_TS, sel & ~3u);
    c->ldt = (struct x86_table){ desc_base(&d), desc_limit(&d), sel, desc_attr(&d) };
}

static void load_cs(struct x86_cpu *c, uint16_t sel, uint32_t eip)
{
    uint32_t err = sel & ~3u;
    unsigned attr, rpl = sel & 3;
    struct x86_desc d;

    if (!err || !x86_desc_read(c, sel, &d))
        x86_raise_err(c, EXC_TS, err);
    attr = desc_attr(&d);
    if (!(attr & ATTR_S) || !(attr & ATTR_CODE) ||
        (attr & ATTR_DOWN ? desc_dpl(&d) > rpl : desc_dpl(&d) != rpl))
        x86_raise_err(c, EXC_TS, err);
    if (!(attr & ATTR_P))
        x86_raise_err(c, EXC_NP, err);
    x86_desc_access(c, &d);
    x86_seg_set(c, S_CS, sel, &d);
    x86_set_pc(c, eip);
}

static void load_data(struct x86_cpu *c, unsigned nr, uint16_t sel, unsigned cpl)
{
    uint32_t err = sel & ~3u;
    struct x86_desc d;
    unsigned attr;

    if (!err)
        return;
    if (!x86_desc_read(c, sel, &d))
        x86_raise_err(c, EXC_TS, err);
    attr = desc_attr(&d);
    if (!(attr & ATTR_S) || (attr & ATTR_CODE && !(attr & ATTR_WRITABLE)) ||
        ((attr & (ATTR_CODE | ATTR_DOWN)) != (ATTR_CODE | ATTR_DOWN) &&
         desc_dpl(&d) < MAX(cpl, sel & 3u)))
        x86_raise_err(c, EXC_TS, err);
    if (!(attr & ATTR_P))
        x86_raise_err(c, EXC_NP, err);
    x86_desc_access(c, &d);
    x86_seg_set(c, nr, sel, &d);
}

/* Segment registers of the new task; what is wrong with them is its own fault. */
static void load_segments(struct x86_cpu *c, const struct task *t)
{
    unsigned cpl = t->seg[S_CS] & 3;
    struct x86_desc d;

    if (t->flags & FLAG_VM) {
        for (unsigned k = 0; k < S_COUNT; k++)
            x86_seg_set_real(c, k, t->seg[k]);
        load_ldt(c, t->ldt);
        x86_set_pc(c, t->eip);
        return;
    }
    for (unsigned k = 0; k < S_COUNT; k++)
        x86_seg_set_null(c, k, t->seg[k]);
    c->seg[S_SS].attr = cpl << ATTR_DPL_SHIFT;
    load_ldt(c, t->ldt);
    load_cs(c, t->seg[S_CS], t->eip);
    x86_ss_check(c, t->seg[S_SS], cpl, EXC_TS, &d);
    x86_desc_access(c, &d);
    x86_seg_set(c, S_SS, t->seg[S_SS], &d);
    load_data(c, S_ES, t->seg[S_ES], cpl);
    load_data(c, S_DS, t->seg[S_DS], cpl);
    load_data(c, S_FS, t->seg[S_FS], cpl);
    load_data(c, S_GS, t->seg[S_GS], cpl);
}

/* 7.3, in the order given there. */
void x86_task_switch(struct x86_cpu *c, uint16_t sel, struct x86_desc *d, enum x86_switch how,
                     uint64_t next)
{
    const struct layout *l = layout_of(desc_attr(d));
    uint32_t flags = x86_eflags(c);
    uint16_t old = c->tr.selector;
    bool nests = how == SWITCH_CALL || how == SWITCH_INT;
    struct task t;

    if (desc_limit(d) < l->min_limit)
        x86_raise_err(c, EXC_TS, sel & ~3u);
    if (how == SWITCH_IRET)
        flags &= ~(uint32_t)FLAG_NT;
    load(c, d, &t);
    c->cpu.leaves_unit = true; /* from here on it is not to be done again */
    if (!nests)
        set_busy(c, old, false);
    save(c, flags, next);
    if (nests)
        x86_store(c, x86_linear(c, desc_base(d)), 1, x86_system_mode(c), old);
    if (how != SWITCH_IRET)
        set_busy(c, sel, true);

    c->tr = (struct x86_table){ desc_base(d), desc_limit(d), sel, desc_attr(d) | 2 };
    c->cr0 |= CR0_TS;
    if (c->cr0 & CR0_PG && l->width == 2 && t.cr3 != c->cr3)
        x86_set_cr3(c, t.cr3);
    for (unsigned k = 0; k < 8; k++)
        c->cpu.tcg.hot[k] = t.reg[k];
    c->dr[7] &= ~0x55ULL; /* local breakpoints */
    c->eflags &= ~(uint64_t)FLAG_VM;
    c->seg_base[S_CS] = 0;
    x86_set_eflags(c, t.flags | (nests ? FLAG_NT : 0), ~0u);
    c->cpu.tcg.pc = t.eip;
    c->cpu.leaves_unit = how == SWITCH_INT;
    load_segments(c, &t);
    if (t.trap) {
        c->dr[6] |= BIT(15);
        x86_raise(c, EXC_DB);
    }
}
