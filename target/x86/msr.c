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
    MSR_VM_CR = 0xc0010114,
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
    { 0xc0010117, AT(msr.vm_hsave), FEAT_SVM, PLAIN_IGNORE, ~0xfffULL },
};

/*
 * Registers that read as zero and take any value without effect: what firmware and kernels try
 * without looking whether it is there, or what counts and measures things that are not there.
 */
static const struct {
    uint32_t first, last;
    uint8_t vendor;  /* enum x86_vendor; VENDOR_OTHER: of all */
    uint8_t feature; /* needed, or ALWAYS */
} voids[] = {
    { 0x0, 0x1, VENDOR_OTHER, ALWAYS },   /* P5_MC_ADDR, P5_MC_TYPE */
    { 0x17, 0x17, VENDOR_OTHER, ALWAYS }, /* IA32_PLATFORM_ID */
    { 0x2a, 0x2a, VENDOR_OTHER, ALWAYS }, /* EBL_CR_POWERON */
    { 0x34, 0x34, VENDOR_OTHER, ALWAYS }, /* SMI_COUNT */
    { 0x79, 0x79, VENDOR_OTHER, ALWAYS }, /* IA32_BIOS_UPDT_TRIG */
    { MSR_UCODE_REV, MSR_UCODE_REV, VENDOR_OTHER, ALWAYS },
    { 0xc1, 0xc2, VENDOR_INTEL, ALWAYS },              /* PERFCTR0, 1 */
    { 0xcd, 0xce, VENDOR_OTHER, ALWAYS },              /* FSB_FREQ, PLATFORM_INFO */
    { 0xe7, 0xe8, VENDOR_OTHER, ALWAYS },              /* MPERF, APERF */
    { 0x119, 0x119, VENDOR_OTHER, ALWAYS },            /* BBL_CR_CTL */
    { 0x11e, 0x11e, VENDOR_OTHER, ALWAYS },            /* BBL_CR_CTL3 */
    { 0x140, 0x140, VENDOR_INTEL, ALWAYS },            /* MISC_FEATURES_ENABLES */
    { 0x186, 0x187, VENDOR_INTEL, ALWAYS },            /* EVNTSEL0, 1 */
    { 0x199, 0x199, VENDOR_INTEL, ALWAYS },            /* PERF_CTL */
    { 0x19a, 0x19d, VENDOR_OTHER, FEAT_ACPI },         /* CLOCK_MODULATION, THERM_* */
    { 0x1a2, 0x1a2, VENDOR_INTEL, ALWAYS },            /* TEMPERATURE_TARGET */
    { 0x1ad, 0x1ad, VENDOR_INTEL, ALWAYS },            /* TURBO_RATIO_LIMIT */
    { 0x1b0, 0x1b0, VENDOR_INTEL, ALWAYS },            /* ENERGY_PERF_BIAS */
    { 0x1c9, 0x1c9, VENDOR_INTEL, ALWAYS },            /* LASTBRANCH_TOS */
    { 0x1db, 0x1de, VENDOR_OTHER, ALWAYS },            /* last branch, last exception */
    { 0x1fc, 0x1fc, VENDOR_INTEL, ALWAYS },            /* POWER_CTL */
    { 0x345, 0x345, VENDOR_INTEL, ALWAYS },            /* PERF_CAPABILITIES */
    { 0x606, 0x606, VENDOR_INTEL, ALWAYS },            /* RAPL_POWER_UNIT */
    { 0x610, 0x611, VENDOR_INTEL, ALWAYS },            /* PKG_POWER_LIMIT, PKG_ENERGY_STATUS */
    { 0x639, 0x639, VENDOR_INTEL, ALWAYS },            /* PP0_ENERGY_STATUS */
    { 0xc0010000, 0xc0010007, VENDOR_AMD, ALWAYS },    /* PERFEVTSEL, PERFCTR */
    { 0xc001001f, 0xc0010020, VENDOR_OTHER, ALWAYS },  /* NB_CFG, PATCH_LOADER */
    { 0xc0010022, 0xc0010022, VENDOR_AMD, ALWAYS },    /* MC_EXP_REDIR */
    { 0xc0010041, 0xc0010042, VENDOR_AMD, ALWAYS },    /* FIDVID_CTL, FIDVID_STATUS */
    { 0xc0010044, 0xc001004a, VENDOR_AMD, ALWAYS },    /* MCi_CTL_MASK */
    { 0xc0010055, 0xc0010055, VENDOR_OTHER, ALWAYS },  /* INTERRUPT_PENDING */
    { 0xc0010058, 0xc0010058, VENDOR_OTHER, ALWAYS },  /* MMIO_CFG_BASE */
    { 0xc0010061, 0xc001006b, VENDOR_AMD, ALWAYS },    /* P-states */
    { 0xc0010111, 0xc0010113, VENDOR_OTHER, ALWAYS },  /* SMBASE, SMM_ADDR, SMM_MASK */
    { 0xc0010140, 0xc0010141, VENDOR_AMD, FEAT_OSVW }, /* no workarounds known */
    { 0xc0011020, 0xc001102c, VENDOR_OTHER, ALWAYS },  /* LS_CFG to EX_CFG */
};

static bool is_void(const struct x86_cpu *c, uint32_t msr)
{
    for (unsigned k = 0; k < ARRAY_LEN(voids); k++) {
        if (msr < voids[k].first || msr > voids[k].last)
            continue;
        return (voids[k].vendor == VENDOR_OTHER || voids[k].vendor == c->model->vendor_kind) &&
               (voids[k].feature == ALWAYS || x86_have(c, voids[k].feature));
    }
    return false;
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
    case MSR_TSC:
        cpu_sync_time(&c->cpu);
        *val = x86_tsc(c);
        return true;
    case MSR_TSC_ADJUST: *val = c->msr.tsc_adjust; return x86_have(c, FEAT_TSC_ADJUST);
    case MSR_MTRR_CAP:
        *val = MTRR_VARIABLE | 1 << 8 | 1 << 10; /* fixed ranges, write combining */
        return x86_have(c, FEAT_MTRR);
    case MSR_ARCH_CAPABILITIES:
        /* Immune to Meltdown, L1TF, MDS, TSX async abort: nothing speculates here. */
        *val = BIT(0) | BIT(3) | BIT(5) | BIT(8);
        return x86_have(c, FEAT_ARCH_CAPABILITIES);
    case MSR_MCG_CAP: *val = MC_BANKS | BIT(8); return x86_have(c, FEAT_MCA);
    case MSR_VM_CR: *val = BIT(4); return c->model->vendor_kind == VENDOR_AMD; /* no SVM */
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
    if (is_void(c, msr)) {
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
        cpu_sync_time(&c->cpu);
        c->msr.tsc_adjust += val - x86_tsc(c);
        x86_tsc_set(c, val);
        return true;
    case MSR_TSC_ADJUST:
        c->tsc_offset += val - c->msr.tsc_adjust;
        c->msr.tsc_adjust = val;
        return x86_have(c, FEAT_TSC_ADJUST);
    case MSR_PRED_CMD: return x86_have(c, FEAT_SPEC_CTRL) || x86_have(c, FEAT_IBPB);
    case MSR_PERF_STATUS: return true;
    case MSR_VM_CR: return c->model->vendor_kind == VENDOR_AMD;
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
        ok = write_special(c, msr, val) || is_void(c, msr);
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
    c->msr.kvm_poll = 1;          /* as KVM has it after reset */
    c->msr.hv_crash[5] = BIT(63); /* what a guest may do with it: tell (TLFS 2.4.4, crash MSRs) */
    for (unsigned k = 0; k < ARRAY_LEN(c->msr.hv_sint); k++)
        c->msr.hv_sint[k] = BIT(16); /* masked */
    for (unsigned k = 0; k < MC_BANKS; k++)
        c->msr.mc[4 * k] = ~0ULL;
    c->msr.mcg_ctl = ~0ULL;
}
