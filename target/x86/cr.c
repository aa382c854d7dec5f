/*
 * Control registers (Intel volume 3, 2.5) and what follows from changing them.
 */
#include "feature.h"
#include "sys.h"

/* Long mode is active while paging is on and enabled (9.8.5). */
static void update_lma(struct x86_cpu *c)
{
    bool on = c->efer & EFER_LME && c->cr0 & CR0_PG;

    if (on == x86_lma(c))
        return;
    c->efer ^= EFER_LMA;
    if (!on)
        for (unsigned k = 0; k < 16; k++)
            c->cpu.tcg.hot[k] = (uint32_t)c->cpu.tcg.hot[k];
}

void x86_set_cr0(struct x86_cpu *c, uint64_t val)
{
    uint64_t old = c->cr0;

    c->cr0 = (val & (CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW |
                     CR0_CD | CR0_PG)) |
             CR0_ET;
    update_lma(c);
    if ((old ^ c->cr0) & (CR0_PG | CR0_WP | CR0_PE))
        x86_mmu_changed(c);
    cpu_update_flags(&c->cpu);
}

static bool pae_paging(const struct x86_cpu *c, uint64_t cr0, uint64_t cr4)
{
    return cr0 & CR0_PG && cr4 & CR4_PAE && !(c->efer & EFER_LME);
}

static void write_cr0(struct x86_cpu *c, uint64_t val)
{
    bool turns_on = val & CR0_PG && !(c->cr0 & CR0_PG);
    bool turns_off = !(val & CR0_PG) && c->cr0 & CR0_PG;

    if (val >> 32 || (val & CR0_PG && !(val & CR0_PE)) || (val & CR0_NW && !(val & CR0_CD)))
        x86_gp(c, 0);
    if (turns_on && c->efer & EFER_LME && (!(c->cr4 & CR4_PAE) || c->seg[S_CS].attr & ATTR_L))
        x86_gp(c, 0);
    if (turns_off && (x86_code64(c) || c->cr4 & CR4_PCIDE))
        x86_gp(c, 0);
    if (((val ^ c->cr0) & (CR0_CD | CR0_NW | CR0_PG)) && pae_paging(c, val, c->cr4) &&
        !x86_load_pdptes(c, c->cr3))
        x86_gp(c, 0);
    x86_set_cr0(c, val);
}

/* Without PCIDs all but global translations go (4.10.4.1). */
static void switch_space(struct x86_cpu *c, bool keep)
{
    x86_mmu_switch(c, keep);
}

void x86_set_cr3(struct x86_cpu *c, uint64_t val)
{
    if (pae_paging(c, c->cr0, c->cr4) && !x86_load_pdptes(c, val))
        x86_gp(c, 0);
    c->cr3 = val;
    switch_space(c, false);
}

#define CR3_NOFLUSH BIT(63)

static void write_cr3(struct x86_cpu *c, uint64_t val)
{
    bool pcid = c->cr4 & CR4_PCIDE, keep = pcid && val & CR3_NOFLUSH;

    if (pcid)
        val &= ~CR3_NOFLUSH;
    if (x86_lma(c) && val & ~mask64(c->phys_bits))
        x86_gp(c, 0);
    if (pae_paging(c, c->cr0, c->cr4) && !x86_load_pdptes(c, val))
        x86_gp(c, 0);
    c->cr3 = val;
    switch_space(c, keep);
}

static uint64_t cr4_possible(const struct x86_cpu *c)
{
    static const struct {
        uint8_t feature;
        uint64_t bits;
    } table[] = {
        { FEAT_VME, CR4_VME | CR4_PVI }, { FEAT_TSC, CR4_TSD },    { FEAT_DE, CR4_DE },
        { FEAT_PSE, CR4_PSE },           { FEAT_PAE, CR4_PAE },    { FEAT_MCE, CR4_MCE },
        { FEAT_PGE, CR4_PGE },           { FEAT_MMX, CR4_PCE },    { FEAT_FXSR, CR4_OSFXSR },
        { FEAT_SSE, CR4_OSXMMEXCPT },    { FEAT_UMIP, CR4_UMIP },  { FEAT_LA57, CR4_LA57 },
        { FEAT_FSGSBASE, CR4_FSGSBASE }, { FEAT_PCID, CR4_PCIDE }, { FEAT_XSAVE, CR4_OSXSAVE },
        { FEAT_SMEP, CR4_SMEP },         { FEAT_SMAP, CR4_SMAP },  { FEAT_PKU, CR4_PKE },
    };
    uint64_t all = 0;

    for (unsigned k = 0; k < ARRAY_LEN(table); k++)
        if (x86_have(c, table[k].feature))
            all |= table[k].bits;
    return all;
}

void x86_set_cr4(struct x86_cpu *c, uint64_t val)
{
    uint64_t changed = c->cr4 ^ val;

    c->cr4 = val;
    if (changed &
        (CR4_PSE | CR4_PAE | CR4_PGE | CR4_LA57 | CR4_PCIDE | CR4_SMEP | CR4_SMAP | CR4_PKE))
        x86_mmu_changed(c);
    cpu_update_flags(&c->cpu);
}

static void write_cr4(struct x86_cpu *c, uint64_t val)
{
    uint64_t changed = c->cr4 ^ val;

    if (val & ~cr4_possible(c))
        x86_gp(c, 0);
    if (x86_lma(c) && (!(val & CR4_PAE) || changed & CR4_LA57))
        x86_gp(c, 0);
    if (changed & val & CR4_PCIDE && (!x86_lma(c) || c->cr3 & 0xfff))
        x86_gp(c, 0);
    if (changed & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_SMEP) && pae_paging(c, c->cr0, val) &&
        !x86_load_pdptes(c, c->cr3))
        x86_gp(c, 0);
    x86_set_cr4(c, val);
}

uint64_t x86_get_cr8(const struct x86_cpu *c)
{
    return c->irqchip && c->irqchip->get_tpr ? c->irqchip->get_tpr(c->irqchip_opaque) : 0;
}

void x86_set_cr8(struct x86_cpu *c, uint64_t val)
{
    if (c->irqchip && c->irqchip->set_tpr)
        c->irqchip->set_tpr(c->irqchip_opaque, val);
}

uint64_t x86_read_cr(struct x86_cpu *c, unsigned nr)
{
    switch (nr) {
    case 0: return c->cr0;
    case 2: return c->cr2;
    case 3: return c->cr3;
    case 4: return c->cr4;
    default: return x86_get_cr8(c);
    }
}

void x86_write_cr(struct x86_cpu *c, unsigned nr, uint64_t val)
{
    switch (nr) {
    case 0: write_cr0(c, val); break;
    case 2: c->cr2 = val; break;
    case 3: write_cr3(c, val); break;
    case 4: write_cr4(c, val); break;
    default:
        if (val > 15)
            x86_gp(c, 0);
        x86_set_cr8(c, val);
        x86_check_irq(c);
        break;
    }
}

/* 13.3: x87 always, AVX only with SSE. */
bool x86_xcr0_ok(const struct x86_cpu *c, uint64_t val)
{
    uint64_t possible = 3;

    if (x86_have(c, FEAT_AVX))
        possible |= 4;
    if (x86_have(c, FEAT_PKU))
        possible |= BIT(9);
    return val & 1 && !(val & ~possible) && (!(val & 4) || val & 2);
}
