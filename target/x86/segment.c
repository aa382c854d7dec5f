/*
 * Segment registers and descriptors (Intel volume 3, chapters 3 and 5).
 */
#include "sys.h"

/* ---- Descriptors ---- */

/* The table of @sel and its limit; NULL: there is no LDT. */
static const struct x86_table *table_of(const struct x86_cpu *c, uint16_t sel)
{
    if (!(sel & 4))
        return &c->gdt;
    return c->ldt.attr & ATTR_P ? &c->ldt : NULL;
}

static uint64_t read_word(struct x86_cpu *c, uint64_t addr)
{
    return x86_load(c, x86_linear(c, addr), 3, x86_system_mode(c));
}

bool x86_desc_read(struct x86_cpu *c, uint16_t sel, struct x86_desc *d)
{
    const struct x86_table *t = table_of(c, sel);

    if (!t || (sel | 7u) > t->limit)
        return false;
    d->addr = x86_linear(c, t->base + (sel & ~7u));
    d->lo = read_word(c, d->addr);
    d->hi = 0;
    return true;
}

bool x86_desc_read16(struct x86_cpu *c, uint16_t sel, struct x86_desc *d)
{
    const struct x86_table *t = table_of(c, sel);

    if (!x86_desc_read(c, sel, d))
        return false;
    if (!x86_lma(c))
        return true;
    if ((sel & ~7u) + 15 > t->limit)
        return false;
    d->hi = read_word(c, d->addr + 8);
    return true;
}

void x86_desc_access(struct x86_cpu *c, struct x86_desc *d)
{
    if (d->lo >> 40 & ATTR_ACCESSED)
        return;
    d->lo |= BIT(40);
    x86_store(c, d->addr + 5, 0, x86_system_mode(c), d->lo >> 40 & 0xff);
}

/* ---- Registers ---- */

/* Generated code may rely on the limit alone. */
static bool is_simple(unsigned attr)
{
    return (attr & (ATTR_P | ATTR_S | ATTR_CODE | ATTR_DOWN | ATTR_WRITABLE)) ==
           (ATTR_P | ATTR_S | ATTR_WRITABLE);
}

void x86_seg_set_raw(struct x86_cpu *c, unsigned nr, uint16_t sel, uint64_t base, uint32_t limit,
                     uint16_t attr)
{
    c->seg[nr] = (struct x86_seg){ sel, attr, limit };
    c->seg_base[nr] = base;
    c->seg_limit[nr] = is_simple(attr) ? (int64_t)limit : -1;
}

void x86_seg_set(struct x86_cpu *c, unsigned nr, uint16_t sel, const struct x86_desc *d)
{
    unsigned attr = desc_attr(d);
    /* 64-bit code has no CS base; what other segments hold is used by FS and GS only. */
    uint64_t base = nr == S_CS && x86_lma(c) && attr & ATTR_L ? 0 : desc_base(d);

    x86_seg_set_raw(c, nr, sel, base, desc_limit(d), attr);
}

/* Real mode leaves limits as they are (Intel volume 3, 10.9.2 counts on it), and takes every
 * segment for one that may be written. */
void x86_seg_set_real(struct x86_cpu *c, unsigned nr, uint16_t sel)
{
    const struct x86_seg *s = &c->seg[nr];

    if (c->eflags & FLAG_VM)
        x86_seg_set_raw(c, nr, sel, sel << 4, 0xffff, 0xf3);
    else
        x86_seg_set_raw(c, nr, sel, sel << 4, s->limit, (s->attr & (ATTR_DB | ATTR_G)) | 0x93);
}

/* Unusable. AMD's processors keep base and limit, Intel's clear them; FS and GS bases of 64-bit
 * code are set by MSR afterwards either way. */
void x86_seg_set_null(struct x86_cpu *c, unsigned nr, uint16_t sel)
{
    x86_seg_set_raw(c, nr, sel, 0, 0, 0);
}

/* The bases and limits are slots that translations use, the attributes are in the unit flags. */
static void loaded(struct x86_cpu *c)
{
    cpu_update_flags(&c->cpu);
}

void x86_ss_check(struct x86_cpu *c, uint16_t sel, unsigned cpl, unsigned vector,
                  struct x86_desc *d)
{
    uint32_t err = sel & ~3u;
    unsigned attr;

    if (!(sel & ~3u) || !x86_desc_read(c, sel, d))
        x86_raise_err(c, vector, err);
    attr = desc_attr(d);
    if ((sel & 3u) != cpl || desc_dpl(d) != cpl || !(attr & ATTR_S) || attr & ATTR_CODE ||
        !(attr & ATTR_WRITABLE))
        x86_raise_err(c, vector, err);
    if (!(attr & ATTR_P))
        x86_raise_err(c, EXC_SS, err);
}

static void load_ss(struct x86_cpu *c, uint16_t sel)
{
    unsigned cpl = x86_cpl(c);
    struct x86_desc d;

    if (!(sel & ~3u)) {
        if (!x86_code64(c) || cpl == 3 || (sel & 3u) != cpl)
            x86_gp(c, 0);
        x86_seg_set_raw(c, S_SS, sel, 0, 0, cpl << ATTR_DPL_SHIFT);
        return;
    }
    x86_ss_check(c, sel, cpl, EXC_GP, &d);
    x86_desc_access(c, &d);
    x86_seg_set(c, S_SS, sel, &d);
}

static bool is_conforming(unsigned attr)
{
    return (attr & (ATTR_CODE | ATTR_DOWN)) == (ATTR_CODE | ATTR_DOWN);
}

static void load_data(struct x86_cpu *c, unsigned nr, uint16_t sel)
{
    uint32_t err = sel & ~3u;
    struct x86_desc d;
    unsigned attr;

    if (!err) {
        x86_seg_set_null(c, nr, sel);
        return;
    }
    if (!x86_desc_read(c, sel, &d))
        x86_gp(c, err);
    attr = desc_attr(&d);
    if (!(attr & ATTR_S) || (attr & ATTR_CODE && !(attr & ATTR_WRITABLE)))
        x86_gp(c, err);
    if (!is_conforming(attr) && desc_dpl(&d) < MAX(x86_cpl(c), sel & 3u))
        x86_gp(c, err);
    if (!(attr & ATTR_P))
        x86_raise_err(c, EXC_NP, err);
    x86_desc_access(c, &d);
    x86_seg_set(c, nr, sel, &d);
}

void x86_seg_load(struct x86_cpu *c, unsigned nr, uint16_t sel)
{
    if (!x86_protected(c))
        x86_seg_set_real(c, nr, sel);
    else if (nr == S_SS)
        load_ss(c, sel);
    else
        load_data(c, nr, sel);
    loaded(c);
}

void x86_segs_drop(struct x86_cpu *c, unsigned cpl)
{
    static const uint8_t data[] = { S_ES, S_DS, S_FS, S_GS };

    for (unsigned k = 0; k < ARRAY_LEN(data); k++) {
        struct x86_seg *s = &c->seg[data[k]];
        if (!(s->attr & ATTR_P) || !(s->attr & ATTR_S)) {
            /* A null selector stays; its RPL may not name an inner level any more. */
            if (!(s->selector & ~3u))
                s->selector = 0;
            continue;
        }
        if (!is_conforming(s->attr) && attr_dpl(s->attr) < cpl)
            x86_seg_set_null(c, data[k], 0);
    }
}

/* ---- LDTR, TR ---- */

enum { SYS_TSS16 = 1, SYS_LDT = 2, SYS_TSS32 = 9 };

/* A system descriptor of the GDT; #GP if it cannot be one. */
static void read_system(struct x86_cpu *c, uint16_t sel, struct x86_desc *d)
{
    if (sel & 4 || !x86_desc_read16(c, sel, d) || desc_attr(d) & ATTR_S ||
        (x86_lma(c) && d->hi >> 40 & 0x1f))
        x86_gp(c, sel & ~3u);
}

static void set_system(struct x86_cpu *c, struct x86_table *t, uint16_t sel,
                       const struct x86_desc *d)
{
    t->selector = sel;
    t->base = desc_base(d) | (x86_lma(c) ? d->hi << 32 : 0);
    t->limit = desc_limit(d);
    t->attr = desc_attr(d);
}

void x86_lldt(struct x86_cpu *c, uint16_t sel)
{
    struct x86_desc d;

    if (!(sel & ~3u)) {
        c->ldt.selector = sel;
        c->ldt.attr = 0;
        return;
    }
    read_system(c, sel, &d);
    if ((desc_attr(&d) & ATTR_TYPE) != SYS_LDT)
        x86_gp(c, sel & ~3u);
    if (!(desc_attr(&d) & ATTR_P))
        x86_raise_err(c, EXC_NP, sel & ~3u);
    set_system(c, &c->ldt, sel, &d);
}

void x86_ltr(struct x86_cpu *c, uint16_t sel)
{
    struct x86_desc d;
    unsigned type;

    if (!(sel & ~3u))
        x86_gp(c, 0);
    read_system(c, sel, &d);
    type = desc_attr(&d) & ATTR_TYPE;
    if (type != SYS_TSS32 && (type != SYS_TSS16 || x86_lma(c)))
        x86_gp(c, sel & ~3u);
    if (!(desc_attr(&d) & ATTR_P))
        x86_raise_err(c, EXC_NP, sel & ~3u);
    d.lo |= BIT(41); /* busy */
    x86_store(c, d.addr + 5, 0, x86_system_mode(c), d.lo >> 40 & 0xff);
    set_system(c, &c->tr, sel, &d);
}

/* ---- LAR, LSL, VERR, VERW ---- */

/* The descriptor if @sel may look at it; @types: of system descriptors that count. */
static bool inspect(struct x86_cpu *c, uint16_t sel, unsigned types, struct x86_desc *d)
{
    unsigned attr;

    if (!(sel & ~3u) || !x86_desc_read(c, sel, d))
        return false;
    attr = desc_attr(d);
    if (!(attr & ATTR_S)) {
        if (!(types >> (attr & ATTR_TYPE) & 1))
            return false;
    } else if (is_conforming(attr)) {
        return true;
    }
    return desc_dpl(d) >= MAX(x86_cpl(c), sel & 3u);
}

/* System types by number; long mode knows the 64-bit ones alone. */
enum {
    LAR_TYPES = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 9 | 1 << 11 | 1 << 12,
    LAR_TYPES64 = 1 << 2 | 1 << 9 | 1 << 11 | 1 << 12,
    LSL_TYPES = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 9 | 1 << 11,
    LSL_TYPES64 = 1 << 2 | 1 << 9 | 1 << 11,
};

bool x86_lar(struct x86_cpu *c, uint16_t sel, uint32_t *attr)
{
    struct x86_desc d;

    if (!inspect(c, sel, x86_lma(c) ? LAR_TYPES64 : LAR_TYPES, &d))
        return false;
    *attr = d.lo >> 32 & 0x00f0ff00;
    return true;
}

bool x86_lsl(struct x86_cpu *c, uint16_t sel, uint32_t *limit)
{
    struct x86_desc d;

    if (!inspect(c, sel, x86_lma(c) ? LSL_TYPES64 : LSL_TYPES, &d))
        return false;
    *limit = desc_limit(&d);
    return true;
}

bool x86_verify(struct x86_cpu *c, uint16_t sel, bool write)
{
    struct x86_desc d;
    unsigned attr;

    if (!inspect(c, sel, 0, &d))
        return false;
    attr = desc_attr(&d);
    if (attr & ATTR_CODE)
        return !write && attr & ATTR_WRITABLE;
    return !write || attr & ATTR_WRITABLE;
}

/* ---- Accesses by helpers ---- */

static bool may_access(const struct x86_cpu *c, unsigned attr, bool write)
{
    if (!x86_protected(c))
        return true;
    if (!(attr & ATTR_P))
        return false;
    if (attr & ATTR_CODE)
        return !write && attr & ATTR_WRITABLE;
    return !write || attr & ATTR_WRITABLE;
}

bool x86_seg_ok(const struct x86_cpu *c, unsigned nr, uint32_t offset, unsigned len, bool write)
{
    const struct x86_seg *s = &c->seg[nr];
    uint64_t last = (uint64_t)offset + len - 1;

    if (!may_access(c, s->attr, write))
        return false;
    if ((s->attr & (ATTR_CODE | ATTR_DOWN)) == ATTR_DOWN)
        return offset > s->limit && last <= (s->attr & ATTR_DB ? UINT32_MAX : 0xffff);
    return last <= s->limit;
}

uint64_t x86_seg_addr(struct x86_cpu *c, unsigned nr, uint64_t offset, unsigned len, bool write)
{
    bool ok;

    if (x86_code64(c)) {
        offset += nr >= S_FS ? c->seg_base[nr] : 0;
        ok = x86_canonical(c, offset) && x86_canonical(c, offset + len - 1);
    } else {
        ok = x86_seg_ok(c, nr, offset, len, write);
        offset = (uint32_t)(c->seg_base[nr] + offset);
    }
    if (!ok)
        x86_raise_err(c, nr == S_SS ? EXC_SS : EXC_GP, 0);
    return offset;
}
