/*
 * Where stack words lie, and the limits they must be in.
 */
#include "stack.h"

static uint64_t mask_of(unsigned attr)
{
    return attr & ATTR_DB ? UINT32_MAX : 0xffff;
}

void stack_current(struct x86_stack *st, struct x86_cpu *c)
{
    const struct x86_seg *ss = &c->seg[S_SS];

    if (x86_code64(c)) {
        stack_flat(st, c, c->cpu.tcg.hot[R_SP], x86_cpl(c));
        return;
    }
    *st = (struct x86_stack){
        .c = c,
        .base = c->seg_base[S_SS],
        .sp = c->cpu.tcg.hot[R_SP],
        .mask = mask_of(ss->attr),
        .limit = ss->limit,
        .attr = ss->attr,
        .mode = x86_mode_at(c, x86_cpl(c)),
    };
}

void stack_desc(struct x86_stack *st, struct x86_cpu *c, const struct x86_desc *d, uint16_t sel,
                uint64_t sp, unsigned cpl)
{
    *st = (struct x86_stack){
        .c = c,
        .base = desc_base(d),
        .sp = sp,
        .mask = mask_of(desc_attr(d)),
        .limit = desc_limit(d),
        .attr = desc_attr(d),
        .err = sel & ~3u,
        .mode = x86_mode_at(c, cpl),
    };
}

uint64_t stack_addr(const struct x86_stack *st, uint64_t sp, unsigned bytes)
{
    uint64_t offset = sp & st->mask, last = offset + bytes - 1;
    bool ok;

    if (st->flat) {
        ok = x86_canonical(st->c, sp) && x86_canonical(st->c, sp + bytes - 1);
        offset = sp;
    } else if (st->attr & ATTR_DOWN && !(st->attr & ATTR_CODE)) {
        ok = offset > st->limit && last <= st->mask;
    } else {
        ok = last <= st->limit;
    }
    if (!ok)
        x86_raise_err(st->c, EXC_SS, st->err);
    return st->flat ? offset : (uint32_t)(st->base + offset);
}
