/*
 * Model-specific registers (Intel volume 4; AMD volume 2, appendix A): those that operating systems
 * touch. An unknown one raises #GP and is logged.
 */
#include <inttypes.h>
#include <base/log.h>
#include "feature.h"
#include "msr.h"
#include "sys.h"
#include "tsc.h"

enum {
    MSR_TSC = 0x10,
    MSR_APIC_BASE = 0x1b,
    MSR_TSC_ADJUST = 0x3b,
    MSR_PRED_CMD = 0x49,
    MSR_UCODE_REV = 0x8b,
    MSR_MTRR_CAP = 0xfe,
    MSR_ARCH_CAPABILITIES = 0x10a,
    MSR_MCG_CAP = 0x179,
    MSR_PERF_STATUS = 0x198,
    MSR_MTRR_BASE = 0x200,
    MSR_PAT = 0x277,
    MSR_MC0_CTL = 0x400,
    MSR_TSC_DEADLINE = 0x6e0,
    MSR_X2APIC = 0x800,
    MSR_X2APIC_LAST = 0x8ff,
    MSR_EFER = 0xc0000080,
    MSR_FS_BASE = 0xc0000100,
    MSR_GS_BASE = 0xc0000101,
};
enum { MTRR_VARIABLE = 8, MC_BANKS = 10 };

/* Registers that are memory with a mask. */
struct plain {
    uint32_t msr;
    uint32_t offset;
    uint8_t feature; /* FEAT_COUNT: every CPU */
    uint8_t kind;    /* PLAIN_* */
    uint64_t mask;   /* bits that may be set */
};
enum { PLAIN_GP, PLAIN_IGNORE, PLAIN_CANONICAL }; /* on other bits: #GP, ignored; addresses */

#define AT(field) offsetof(struct x86_cpu, field)
#define ALWAYS    FEAT_COUNT
#define MTRR_BASE_MASK(k)                                                                    \
    { 0x200 + 2 * k, AT(msr.mtrr_base[k]), FEAT_MTRR, PLAIN_IGNORE, 0x000ffffffffff0ffULL }, \
    {                                                                                        \
        0x201 + 2 * k, AT(msr.mtrr_mask[k]), FEAT_MTRR, PLAIN_IGNORE, 0x000ffffffffff800ULL  \
    }
#define MTRR_FIX(num, k)                                     \
    {                                                        \
        num, AT(msr.mtrr_fix[k]), FEAT_MTRR, PLAIN_GP, ~0ULL \
    }

static const struct plain plain[] = {
    { 0x3a, AT(msr.feature_control), ALWAYS, PLAIN_IGNORE, 1 },
    { 0x48, AT(msr.spec_ctrl), FEAT_SPEC_CTRL, PLAIN_GP, 7 },
    { 0x174, AT(sysenter_cs), FEAT_SEP, PLAIN_IGNORE, 0xffffffff },
    { 0x175, AT(sysenter_esp), FEAT_SEP, PLAIN_CANONICAL, ~0ULL },
    { 0x176, AT(sysenter_eip), FEAT_SEP, PLAIN_CANONICAL, ~0ULL },
    { 0x17a, AT(msr.mcg_status), FEAT_MCA, PLAIN_IGNORE, 7 },
    { 0x17b, AT(msr.mcg_ctl), FEAT_MCA, PLAIN_IGNORE, ~0ULL },
    { 0x1a0, AT(msr.misc_enable), ALWAYS, PLAIN_IGNORE, ~0ULL },
    { 0x1d9, AT(msr.debugctl), ALWAYS, PLAIN_IGNORE, 3 },
    MTRR_BASE_MASK(0),
    MTRR_BASE_MASK(1),
    MTRR_BASE_MASK(2),
    MTRR_BASE_MASK(3),
    MTRR_BASE_MASK(4),
    MTRR_BASE_MASK(5),
    MTRR_BASE_MASK(6),
    MTRR_BASE_MASK(7),
    MTRR_FIX(0x250, 0),
    MTRR_FIX(0x258, 1),
    MTRR_FIX(0x259, 2),
    MTRR_FIX(0x268, 3),
    MTRR_FIX(0x269, 4),
    MTRR_FIX(0x26a, 5),
    MTRR_FIX(0x26b, 6),
    MTRR_FIX(0x26c, 7),
    MTRR_FIX(0x26d, 8),
    MTRR_FIX(0x26e, 9),
    MTRR_FIX(0x26f, 10),
    { 0x2ff, AT(msr.mtrr_def), FEAT_MTRR, PLAIN_GP, 0xcff },
    { 0xc0000081, AT(star), FEAT_SYSCALL, PLAIN_GP, ~0ULL },
    { 0xc0000082, AT(lstar), FEAT_LM, PLAIN_CANONICAL, ~0ULL },
    { 0xc0000083, AT(cstar), FEAT_LM, PLAIN_CANONICAL, ~0ULL },
    { 0xc0000084, AT(sfmask), FEAT_SYSCALL, PLAIN_IGNORE, 0xffffffff },
    { 0xc0000102, AT(kernel_gs_base), FEAT_LM, PLAIN_CANONICAL, ~0ULL },
    { 0xc0000103, AT(tsc_aux), FEAT_RDTSCP, PLAIN_GP, 0xffffffff },
    { 0xc0010010, AT(msr.syscfg), ALWAYS, PLAIN_IGNORE, ~0ULL },
    { 0xc0010015, AT(msr.hwcr), ALWAYS, PLAIN_IGNORE, ~0ULL },
    { 0xc001001a, AT(msr.k8_top), ALWAYS, PLAIN_IGNORE, ~0ULL },
    { 0xc001001d, AT(msr.k8_top2), ALWAYS, PLAIN_IGNORE, ~0ULL },
};

/* Registers that read as zero and take any value without effect: what firmware and kernels try
 * without looking whether it is there. */
static bool is_void(uint32_t msr)
{
    switch (msr) {
    case 0x0:  /* P5_MC_ADDR */
    case 0x1:  /* P5_MC_TYPE */
    case 0x17: /* IA32_PLATFORM_ID */
    case 0x2a: /* EBL_CR_POWERON */
    case 0x34: /* SMI_COUNT */
    case 0x79: /* IA32_BIOS_UPDT_TRIG */
    case MSR_UCODE_REV:
    case 0xce:       /* PLATFORM_INFO */
    case 0x119:      /* BBL_CR_CTL */
    case 0x11e:      /* BBL_CR_CTL3 */
    case 0xc0010020: /* PATCH_LOADER */
    case 0xc001001f: /* NB_CFG */
    case 0xc0010055: /* INTERRUPT_PENDING */
    case 0xc0010058: /* MMIO_CFG_BASE */
    case 0xc0010111: /* SMBASE: AMD's view of it */
    case 0xc0010112: /* SMM_ADDR */
    case 0xc0010113: /* SMM_MASK */
    case 0xc0011020 ... 0xc001102b: /* LS_CFG to DE_CFG */ return true;
    default: return false;
    }
}

static const struct plain *find_plain(const struct x86_cpu *c, uint32_t msr)
{
    unsigned lo = 0, hi = ARRAY_LEN(plain);

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        if (plain[mid].msr < msr)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == ARRAY_LEN(plain) || plain[lo].msr != msr)
        return NULL;
    if (plain[lo].feature != ALWAYS && !x86_have(c, plain[lo].feature))
        return NULL;
    return &plain[lo];
}

static uint64_t *mc_bank(struct x86_cpu *c, uint32_t msr)
{
    if (msr < MSR_MC0_CTL || msr >= MSR_MC0_CTL + 4 * MC_BANKS || !x86_have(c, FEAT_MCA))
        return NULL;
    return &c->msr.mc[msr - MSR_MC0_CTL];
}

static bool is_apic(uint32_t msr)
{
    return msr == MSR_APIC_BASE || msr == MSR_TSC_DEADLINE ||
           (msr >= MSR_X2APIC && msr <= MSR_X2APIC_LAST);
}

static bool read_special(struct x86_cpu *c, uint32_t msr, uint64_t *val)
{
    const uint64_t *bank = mc_bank(c, msr);

    if (bank) {
        *val = *bank;
        return true;
    }
    switch (msr) {
    case MSR_TSC: *val = x86_tsc(c); return true;
    case MSR_TSC_ADJUST: *val = c->msr.tsc_adjust; return x86_have(c, FEAT_TSC_ADJUST);
    case MSR_MTRR_CAP:
        *val = MTRR_VARIABLE | 1 << 8 | 1 << 10; /* fixed ranges, write combining */
        return x86_have(c, FEAT_MTRR);
    case MSR_ARCH_CAPABILITIES:
        /* Immune to Meltdown, L1TF, MDS, TSX async abort: nothing speculates here. */
        *val = BIT(0) | BIT(3) | BIT(5) | BIT(8);
        return x86_have(c, FEAT_ARCH_CAPABILITIES);
    case MSR_MCG_CAP: *val = MC_BANKS | BIT(8); return x86_have(c, FEAT_MCA);
    case MSR_PERF_STATUS: *val = 1000 | 4ULL << 40; return true;
    case MSR_PAT: *val = c->pat; return x86_have(c, FEAT_PAT);
    case MSR_EFER: *val = c->efer; return x86_have(c, FEAT_LM) || x86_have(c, FEAT_NX);
    case MSR_FS_BASE: *val = c->seg_base[S_FS]; return x86_have(c, FEAT_LM);
    case MSR_GS_BASE: *val = c->seg_base[S_GS]; return x86_have(c, FEAT_LM);
    default: return false;
    }
}

bool x86_msr_read(struct x86_cpu *c, uint32_t msr, uint64_t *val)
{
    const struct plain *p = find_plain(c, msr);

    if (p) {
        *val = *(const uint64_t *)((const char *)c + p->offset);
        return true;
    }
    if (is_apic(msr))
        return c->irqchip && c->irqchip->read_msr &&
               c->irqchip->read_msr(c->irqchip_opaque, msr, val);
    if (read_special(c, msr, val))
        return true;
    if (is_void(msr)) {
        *val = 0;
        return true;
    }
    log_guest_error("x86: read of unknown MSR %#x at %" PRIx64 "\n", msr, c->cpu.tcg.pc);
    return false;
}

static bool write_efer(struct x86_cpu *c, uint64_t val)
{
    uint64_t possible = 0, old = c->efer;

    if (x86_have(c, FEAT_SYSCALL))
        possible |= EFER_SCE;
    if (x86_have(c, FEAT_LM))
        possible |= EFER_LME | EFER_LMA;
    if (x86_have(c, FEAT_NX))
        possible |= EFER_NXE;
    if (x86_have(c, FEAT_FXSR_OPT))
        possible |= EFER_FFXSR;
    if (val & ~possible || (c->cr0 & CR0_PG && (val ^ old) & EFER_LME))
        return false;
    c->efer = (val & ~EFER_LMA) | (old & EFER_LMA);
    if ((old ^ c->efer) & EFER_NXE)
        x86_mmu_changed(c);
    cpu_update_flags(&c->cpu);
    return true;
}

/* Memory types 2, 3 and those above 7 are none (11.12.2). */
static bool write_pat(struct x86_cpu *c, uint64_t val)
{
    for (unsigned k = 0; k < 8; k++) {
        unsigned type = val >> (8 * k) & 0xff;
        if (type > 7 || type == 2 || type == 3)
            return false;
    }
    c->pat = val;
    return true;
}

static bool write_base(struct x86_cpu *c, unsigned nr, uint64_t val)
{
    if (!x86_have(c, FEAT_LM) || !x86_canonical(c, val))
        return false;
    c->seg_base[nr] = val;
    return true;
}

static bool write_special(struct x86_cpu *c, uint32_t msr, uint64_t val)
{
    uint64_t *bank = mc_bank(c, msr);

    if (bank) {
        /* Status registers may only be cleared. */
        if ((msr & 3) && val)
            return false;
        *bank = val;
        return true;
    }
    switch (msr) {
    case MSR_TSC:
        c->msr.tsc_adjust += val - x86_tsc(c);
        x86_tsc_set(c, val);
        return true;
    case MSR_TSC_ADJUST:
        c->tsc_offset += val - c->msr.tsc_adjust;
        c->msr.tsc_adjust = val;
        return x86_have(c, FEAT_TSC_ADJUST);
    case MSR_PRED_CMD: return x86_have(c, FEAT_SPEC_CTRL) || x86_have(c, FEAT_IBPB);
    case MSR_PERF_STATUS: return true;
    case MSR_PAT: return x86_have(c, FEAT_PAT) && write_pat(c, val);
    case MSR_EFER: return (x86_have(c, FEAT_LM) || x86_have(c, FEAT_NX)) && write_efer(c, val);
    case MSR_FS_BASE: return write_base(c, S_FS, val);
    case MSR_GS_BASE: return write_base(c, S_GS, val);
    default: return false;
    }
}

static bool write_plain(struct x86_cpu *c, const struct plain *p, uint64_t val)
{
    if (p->kind == PLAIN_CANONICAL && x86_have(c, FEAT_LM) && !x86_canonical(c, val))
        return false;
    if (val & ~p->mask && p->kind == PLAIN_GP)
        return false;
    *(uint64_t *)((char *)c + p->offset) = val & p->mask;
    return true;
}

bool x86_msr_write(struct x86_cpu *c, uint32_t msr, uint64_t val)
{
    const struct plain *p = find_plain(c, msr);
    bool ok;

    if (p)
        ok = write_plain(c, p, val);
    else if (is_apic(msr))
        ok = c->irqchip && c->irqchip->write_msr &&
             c->irqchip->write_msr(c->irqchip_opaque, msr, val);
    else
        ok = write_special(c, msr, val) || is_void(msr);
    if (!ok)
        log_guest_error("x86: write of %" PRIx64 " to MSR %#x at %" PRIx64 " refused\n", val, msr,
                        c->cpu.tcg.pc);
    return ok;
}

void x86_msr_reset(struct x86_cpu *c)
{
    memset(&c->msr, 0, sizeof(c->msr));
    c->pat = 0x0007040600070406ULL;
    c->msr.misc_enable = 1; /* fast strings */
    c->msr.feature_control = 1;
    c->msr.kvm_poll = 1; /* as KVM has it after reset */
    for (unsigned k = 0; k < MC_BANKS; k++)
        c->msr.mc[4 * k] = ~0ULL;
    c->msr.mcg_ctl = ~0ULL;
}
