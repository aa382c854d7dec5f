/*
 * System management mode: SMI, RSM and the state save area, in AMD's 64-bit layout (AMD volume 2,
 * 10.2.3) for CPUs with long mode, else in that of Intel volume 3, 31.4.1, whose reserved part
 * holds the hidden halves of segment registers.
 */
#include <inttypes.h>
#include <base/log.h>
#include <mem/space.h>
#include "feature.h"
#include "smm.h"
#include "sys.h"

/* Offsets from SMBASE. */
enum { SMM_ENTRY = 0x8000, SMM_REVISION = 0xfefc, SMM_BASE64 = 0xff00, SMM_BASE32 = 0xfef8 };
enum { REVISION64 = 0x20064, REVISION32 = 0x20000 }; /* bit 17: SMBASE may be moved */

/* A field of the CPU that is saved as it is. */
struct field {
    uint16_t at;
    uint8_t size; /* bytes */
    uint32_t offset;
};
#define AT(member) offsetof(struct x86_cpu, member)
#define REG(n)     AT(cpu.tcg.hot[n])

static const struct field fields64[] = {
    { 0xfe64, 2, AT(gdt.limit) }, { 0xfe68, 8, AT(gdt.base) }, { 0xfe84, 2, AT(idt.limit) },
    { 0xfe88, 8, AT(idt.base) },  { 0xfed0, 8, AT(efer) },     { 0xff48, 8, AT(cr4) },
    { 0xff50, 8, AT(cr3) },       { 0xff58, 8, AT(cr0) },      { 0xff60, 8, AT(dr[7]) },
    { 0xff68, 8, AT(dr[6]) },     { 0xff80, 8, REG(R_15) },    { 0xff88, 8, REG(R_14) },
    { 0xff90, 8, REG(R_13) },     { 0xff98, 8, REG(R_12) },    { 0xffa0, 8, REG(R_11) },
    { 0xffa8, 8, REG(R_10) },     { 0xffb0, 8, REG(R_9) },     { 0xffb8, 8, REG(R_8) },
    { 0xffc0, 8, REG(R_DI) },     { 0xffc8, 8, REG(R_SI) },    { 0xffd0, 8, REG(R_BP) },
    { 0xffd8, 8, REG(R_SP) },     { 0xffe0, 8, REG(R_BX) },    { 0xffe8, 8, REG(R_DX) },
    { 0xfff0, 8, REG(R_CX) },     { 0xfff8, 8, REG(R_AX) },
};
static const struct field fields32[] = {
    { 0xff64, 4, AT(gdt.base) },  { 0xff68, 4, AT(gdt.limit) }, { 0xff6c, 4, AT(idt.base) },
    { 0xff70, 4, AT(idt.limit) }, { 0xff74, 4, AT(cr4) },       { 0xffc8, 4, AT(dr[7]) },
    { 0xffcc, 4, AT(dr[6]) },     { 0xffd0, 4, REG(R_AX) },     { 0xffd4, 4, REG(R_CX) },
    { 0xffd8, 4, REG(R_DX) },     { 0xffdc, 4, REG(R_BX) },     { 0xffe0, 4, REG(R_SP) },
    { 0xffe4, 4, REG(R_BP) },     { 0xffe8, 4, REG(R_SI) },     { 0xffec, 4, REG(R_DI) },
    { 0xfff8, 4, AT(cr3) },       { 0xfffc, 4, AT(cr0) },
};
#define EFLAGS64 0xff70
#define RIP64    0xff78
#define EFLAGS32 0xfff4
#define EIP32    0xfff0

static void put(struct x86_cpu *c, unsigned at, unsigned size, uint64_t val)
{
    space_store(c->cpu.as, (uint64_t)c->smbase + at, size, val, 0);
}

static uint64_t get(struct x86_cpu *c, unsigned at, unsigned size)
{
    uint64_t val = 0;

    space_load(c->cpu.as, (uint64_t)c->smbase + at, size, &val, 0);
    return val;
}

static void put_fields(struct x86_cpu *c, const struct field *f, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        uint64_t val = 0;
        memcpy(&val, (char *)c + f[k].offset, f[k].size);
        put(c, f[k].at, f[k].size, val);
    }
}

static void get_fields(struct x86_cpu *c, const struct field *f, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        uint64_t val = get(c, f[k].at, f[k].size);
        memcpy((char *)c + f[k].offset, &val, f[k].size);
    }
}

/* ---- Segments: ES, CS, SS, DS, FS, GS, then LDTR and TR ---- */

struct hidden {
    uint16_t sel, attr;
    uint32_t limit;
    uint64_t base;
};

static struct hidden hidden_of(const struct x86_cpu *c, unsigned k)
{
    const struct x86_table *t = k == S_COUNT ? &c->ldt : &c->tr;

    if (k < S_COUNT)
        return (struct hidden){ c->seg[k].selector, c->seg[k].attr, c->seg[k].limit,
                                c->seg_base[k] };
    return (struct hidden){ t->selector, t->attr, t->limit, t->base };
}

static void set_hidden(struct x86_cpu *c, unsigned k, const struct hidden *h)
{
    struct x86_table *t = k == S_COUNT ? &c->ldt : &c->tr;

    if (k < S_COUNT)
        x86_seg_set_raw(c, k, h->sel, h->base, h->limit, h->attr);
    else
        *t = (struct x86_table){ h->base, h->limit, h->sel, h->attr };
}

/* Attributes as AMD's control blocks have them: 12 bits together. */
static unsigned at64(unsigned k)
{
    return k < S_COUNT ? 0xfe00 + 16 * k : k == S_COUNT ? 0xfe70 : 0xfe90;
}

static void put_segment(struct x86_cpu *c, unsigned k, bool wide)
{
    /* Selectors of the 32-bit layout, in our order. */
    static const uint16_t sel32[] = {
        0xffa8, 0xffac, 0xffb0, 0xffb4, 0xffb8, 0xffbc, 0xffc0, 0xffc4
    };
    struct hidden h = hidden_of(c, k);

    if (wide) {
        put(c, at64(k), 2, h.sel);
        put(c, at64(k) + 2, 2, (h.attr & 0xff) | (h.attr >> 4 & 0xf00));
        put(c, at64(k) + 4, 4, h.limit);
        put(c, at64(k) + 8, 8, h.base);
        return;
    }
    put(c, sel32[k], 4, h.sel);
    put(c, 0xff04 + 12 * k, 4, h.base);
    put(c, 0xff04 + 12 * k + 4, 4, h.limit);
    put(c, 0xff04 + 12 * k + 8, 4, h.attr | (uint32_t)h.sel << 16);
}

static void get_segment(struct x86_cpu *c, unsigned k, bool wide)
{
    struct hidden h;

    if (wide) {
        unsigned attr = get(c, at64(k) + 2, 2);
        h.sel = get(c, at64(k), 2);
        h.attr = (attr & 0xff) | (attr & 0xf00) << 4;
        h.limit = get(c, at64(k) + 4, 4);
        h.base = get(c, at64(k) + 8, 8);
    } else {
        uint32_t both = get(c, 0xff04 + 12 * k + 8, 4);
        h.sel = both >> 16;
        h.attr = both;
        h.base = get(c, 0xff04 + 12 * k, 4);
        h.limit = get(c, 0xff04 + 12 * k + 4, 4);
    }
    set_hidden(c, k, &h);
}

/* ---- SMI and RSM ---- */

static bool is_wide(const struct x86_cpu *c)
{
    return x86_have(c, FEAT_LM);
}

static void save(struct x86_cpu *c)
{
    bool wide = is_wide(c);

    for (unsigned k = 0; k < S_COUNT + 2; k++)
        put_segment(c, k, wide);
    if (wide)
        put_fields(c, fields64, ARRAY_LEN(fields64));
    else
        put_fields(c, fields32, ARRAY_LEN(fields32));
    put(c, wide ? EFLAGS64 : EFLAGS32, wide ? 8 : 4, x86_eflags(c));
    put(c, wide ? RIP64 : EIP32, wide ? 8 : 4, x86_eip(c));
    put(c, SMM_REVISION, 4, wide ? REVISION64 : REVISION32);
    put(c, wide ? SMM_BASE64 : SMM_BASE32, 4, c->smbase);
}

void x86_smm_window(struct x86_cpu *c)
{
    if (c->platform && c->platform->enter_smm)
        c->platform->enter_smm(c->platform_opaque, c->in_smm);
}

void x86_smm_enter(struct x86_cpu *c)
{
    log_printf(LOG_INT, "cpu %u: SMI at %016" PRIx64 "\n", c->cpu.index, c->cpu.tcg.pc);
    c->in_smm = true;
    x86_smm_window(c);
    save(c);
    c->nmi_blocked = true;
    c->efer = 0;
    c->cr4 = 0;
    c->cr0 &= ~(CR0_PE | CR0_EM | CR0_TS | CR0_PG);
    c->dr[7] = 0x400;
    x86_set_eflags(c, 0, ~0u);
    for (unsigned k = 0; k < S_COUNT; k++)
        x86_seg_set_raw(c, k, 0, 0, UINT32_MAX, 0x8093);
    x86_seg_set_raw(c, S_CS, c->smbase >> 4, c->smbase, UINT32_MAX, 0x8093);
    x86_set_pc(c, SMM_ENTRY);
    x86_mmu_changed(c);
    cpu_update_flags(&c->cpu);
}

void x86_rsm(struct x86_cpu *c)
{
    bool wide = is_wide(c);
    uint64_t eip, flags;

    for (unsigned k = 0; k < S_COUNT + 2; k++)
        get_segment(c, k, wide);
    flags = get(c, wide ? EFLAGS64 : EFLAGS32, wide ? 8 : 4);
    eip = get(c, wide ? RIP64 : EIP32, wide ? 8 : 4);
    if (wide)
        get_fields(c, fields64, ARRAY_LEN(fields64));
    else
        get_fields(c, fields32, ARRAY_LEN(fields32));
    c->gdt.limit &= 0xffff;
    c->idt.limit &= 0xffff;
    c->smbase = get(c, wide ? SMM_BASE64 : SMM_BASE32, 4);
    c->in_smm = false;
    c->nmi_blocked = false;
    x86_smm_window(c);
    x86_set_eflags(c, flags, ~0u);
    x86_set_pc(c, eip);
    x86_mmu_changed(c);
    if (c->cr0 & CR0_PG && c->cr4 & CR4_PAE && !x86_lma(c))
        x86_load_pdptes(c, c->cr3);
    cpu_update_flags(&c->cpu);
    x86_check_irq(c);
}
