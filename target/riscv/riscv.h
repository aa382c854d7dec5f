/*
 * A hart's state, and what the files of this folder share.
 *
 * Registers that generated code reads and writes inline are slots (enum riscv_slot). A helper that
 * is not declared IR_H_READS must not look at those: it is handed their values, and may store the
 * same values to the struct. The hart's own thread changes everything but the atomics named so.
 */
#ifndef RISCV_RISCV_H
#define RISCV_RISCV_H

#include <pthread.h>
#include <base/bits.h>
#include <base/clock.h>
#include <target/cpu.h>
#include <target/decode.h>
#include <target/riscv.h>

enum riscv_ext {
    EXT_RV32, /* of the model, not options */
    EXT_RV64,
#define EXT(id, name, where) EXT_##id,
#include "ext.def"
#undef EXT
    EXT_COUNT
};
_Static_assert(EXT_COUNT <= 128, "bits of riscv_cpu.ext");

enum riscv_priv { PRIV_U = 0, PRIV_S = 1, PRIV_M = 3 };

/* Slots: x registers have their own number. */
enum riscv_slot {
    SLOT_X0, /* never used */
    SLOT_F0 = 32,
    SLOT_MSTATUS = 64, /* 64 bits on RV32, too; SD in bit 63 */
    SLOT_SSCRATCH,
    SLOT_SEPC,
    SLOT_SCAUSE,
    SLOT_STVAL,
    SLOT_SATP,
    SLOT_MSCRATCH,
    SLOT_MEPC,
    SLOT_MCAUSE,
    SLOT_MTVAL,
    SLOT_RES_ADDR, /* address of the reservation, RES_NONE for none */
    SLOT_RES_VAL,  /* what was read there */
    SLOT_VSTART,
    SLOT_VL,
    SLOT_FFLAGS,
    SLOT_INSNS, /* tcg.insns */
    SLOT_COUNT
};
#define RES_NONE UINT64_MAX /* odd, so no reservation has it */

/*
 * Unit flags: what translation depends on. Vector and floating point state are encoded by those who
 * translate it, in the bits reserved for them.
 */
enum {
    UF_PRIV = 3 << 0,  /* enum riscv_priv */
    UF_MODE_SHIFT = 2, /* MMU mode of data accesses */
    UF_MODE = 7 << UF_MODE_SHIFT,
    UF_FS_SHIFT = 5, /* mstatus.FS, VS: enum xs_state */
    UF_FS = 3 << UF_FS_SHIFT,
    UF_VS_SHIFT = 7,
    UF_VS = 3 << UF_VS_SHIFT,
    UF_FRM_SHIFT = 9,
    UF_FRM = 7 << UF_FRM_SHIFT,
    UF_TRAP_VM = 1 << 12, /* S mode, and TVM, TW or TSR is set: privileged instructions ask */
    UF_TIME = 1 << 13,    /* time may be read here */
    UF_VEC_SHIFT = 14,    /* 16 bits for the vector unit */
    UF_VEC = 0xffff << UF_VEC_SHIFT,
};

/* MMU modes. Those of S and U say with which of SUM and MXR. */
enum riscv_mmu_mode {
    MODE_U = 0,
    MODE_S = 1,
    MODE_S_SUM = 2,
    MODE_M = 3,
    MODE_U_MXR = 4,
    MODE_S_MXR = 5,
    MODE_S_SUM_MXR = 6,
};

enum xs_state { XS_OFF, XS_INITIAL, XS_CLEAN, XS_DIRTY };

#define MSTATUS_SIE  BIT(1)
#define MSTATUS_MIE  BIT(3)
#define MSTATUS_SPIE BIT(5)
#define MSTATUS_MPIE BIT(7)
#define MSTATUS_SPP  BIT(8)
#define MSTATUS_VS   (3ULL << 9)
#define MSTATUS_MPP  (3ULL << 11)
#define MSTATUS_FS   (3ULL << 13)
#define MSTATUS_MPRV BIT(17)
#define MSTATUS_SUM  BIT(18)
#define MSTATUS_MXR  BIT(19)
#define MSTATUS_TVM  BIT(20)
#define MSTATUS_TW   BIT(21)
#define MSTATUS_TSR  BIT(22)
#define MSTATUS_UXL  (3ULL << 32)
#define MSTATUS_SXL  (3ULL << 34)
#define MSTATUS_SD   BIT(63)

#define SSTATUS_WRITABLE \
    (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_VS | MSTATUS_FS | MSTATUS_SUM | MSTATUS_MXR)
#define SSTATUS_READABLE (SSTATUS_WRITABLE | MSTATUS_UXL | MSTATUS_SD)

#define IRQ_SSI  BIT(1)
#define IRQ_MSI  BIT(3)
#define IRQ_STI  BIT(5)
#define IRQ_MTI  BIT(7)
#define IRQ_SEI  BIT(9)
#define IRQ_MEI  BIT(11)
#define IRQ_LCOF BIT(13)
#define IRQ_S    (IRQ_SSI | IRQ_STI | IRQ_SEI | IRQ_LCOF)

#define ENVCFG_FIOM  BIT(0)
#define ENVCFG_CBIE  (3ULL << 4)
#define ENVCFG_CBCFE BIT(6)
#define ENVCFG_CBZE  BIT(7)
#define ENVCFG_ADUE  BIT(61)
#define ENVCFG_PBMTE BIT(62)
#define ENVCFG_STCE  BIT(63)

enum riscv_cause {
    EXC_FETCH_MISALIGNED = 0,
    EXC_FETCH_ACCESS = 1,
    EXC_ILLEGAL = 2,
    EXC_BREAKPOINT = 3,
    EXC_LOAD_MISALIGNED = 4,
    EXC_LOAD_ACCESS = 5,
    EXC_STORE_MISALIGNED = 6,
    EXC_STORE_ACCESS = 7,
    EXC_ECALL_U = 8,
    EXC_ECALL_S = 9,
    EXC_ECALL_M = 11,
    EXC_FETCH_PAGE = 12,
    EXC_LOAD_PAGE = 13,
    EXC_STORE_PAGE = 15,
};

#define PMP_COUNT 16
enum { PMP_R = 1, PMP_W = 2, PMP_X = 4, PMP_A = 3 << 3, PMP_L = 0x80 };
enum { PMP_OFF = 0 << 3, PMP_TOR = 1 << 3, PMP_NA4 = 2 << 3, PMP_NAPOT = 3 << 3 };

/* What an entry covers, worked out when it is written. */
struct pmp_range {
    uint64_t first, last; /* inclusive; first > last: nothing */
};

#define HPM_FIRST 3
#define HPM_COUNT 16 /* mhpmcounter3 to 18 count; the others read as zero */

/* A counter: `value` at the moment it was last started, stopped or written. */
struct riscv_counter {
    uint64_t value;
    uint64_t since; /* source's count then */
};

struct riscv_cpu {
    struct cpu cpu; /* first; x registers are cpu.tcg.hot[1..31] */
    uint64_t f[32];
    uint8_t v[32 * 128] __attribute__((aligned(64))); /* vector register n at n * vlen / 8 */
    uint64_t frm;
    uint64_t vstart, vl, vtype, vxrm, vxsat;

    /* Slots. */
    uint64_t fflags; /* as last gathered: those that the host's unit and helpers hold come on top */
    uint64_t mstatus;
    uint64_t sscratch, sepc, scause, stval, satp;
    uint64_t mscratch, mepc, mcause, mtval;
    uint64_t res_addr, res_val;

    uint64_t priv; /* enum riscv_priv */
    uint64_t stvec, mtvec;
    uint64_t medeleg, mideleg, mie;
    uint64_t mip;   /* atomic: bits that software sets */
    uint64_t lines; /* atomic: bits that are driven from outside, and stimecmp's STIP */
    uint64_t mcounteren, scounteren, mcountinhibit;
    uint64_t menvcfg, senvcfg;
    uint64_t mstateen[4];
    uint8_t pmpcfg[PMP_COUNT];
    uint64_t pmpaddr[PMP_COUNT];
    struct pmp_range pmp[PMP_COUNT];
    unsigned pmp_used; /* entries up to the last that is not off */
    struct riscv_counter mcycle, minstret, hpm[HPM_COUNT];
    uint64_t mhpmevent[HPM_COUNT];
    uint64_t hpm_filtered; /* bits of counters that do not count at some privilege */

    /* The platform's time and our timer on it. */
    struct loop *loop;
    const struct riscv_time_ops *time;
    void *time_opaque;
    pthread_mutex_t stimer_lock; /* stimecmp against STIP in lines; innermost but clock locks */
    uint64_t stimecmp;           /* stimer_lock */
    bool stimer_on;              /* stimer_lock; menvcfg.STCE */
    struct timer stimer, hpm_timer;

    /* The model; does not change. */
    uint64_t ext[2];          /* bits of enum riscv_ext */
    uint64_t status_writable; /* bits of mstatus */
    unsigned xlen;            /* 32 or 64 */
    unsigned satp_max;        /* the largest satp.MODE: 0, 1 (Sv32), 8, 9, 10 */
    unsigned vlen, elen;
    uint64_t hartid, reset_pc;
};

static inline struct riscv_cpu *riscv_of(struct cpu *cpu)
{
    return (struct riscv_cpu *)cpu;
}
static inline const struct riscv_cpu *riscv_of_const(const struct cpu *cpu)
{
    return (const struct riscv_cpu *)cpu;
}

static inline bool riscv_have(const struct riscv_cpu *c, enum riscv_ext ext)
{
    return c->ext[ext / 64] >> ext % 64 & 1;
}
static inline void riscv_set_ext(struct riscv_cpu *c, enum riscv_ext ext, bool on)
{
    c->ext[ext / 64] = (c->ext[ext / 64] & ~BIT(ext % 64)) | (uint64_t)on << ext % 64;
}

/* An address or register value as @c's registers hold it. */
static inline uint64_t riscv_trunc(const struct riscv_cpu *c, uint64_t v)
{
    return c->xlen == 32 ? (uint32_t)v : v;
}

/* Low bits that an instruction's address must not have. */
static inline uint64_t riscv_misaligned_bits(const struct riscv_cpu *c)
{
    return riscv_have(c, EXT_Zca) ? 1 : 3;
}

/* ext.c */
/* Sets a model's extensions, then those of @options ("v=on,vlen=256"); checks that they fit. */
bool riscv_ext_setup(struct riscv_cpu *c, const char *model, const char *options, GError **err);

/* cpu.c */
uint32_t riscv_unit_flags(const struct cpu *cpu);
/* MMU mode of data accesses with @mstatus at privilege @priv. */
unsigned riscv_mmu_mode(uint64_t priv, uint64_t mstatus);
void riscv_reset(struct cpu *cpu);

/* trap.c */
/* Takes exception @cause of the instruction at tcg.pc: changes state, returns. */
void riscv_trap(struct riscv_cpu *c, uint64_t cause, uint64_t tval);
/* The same from a helper that was called with exact state. Does not return. */
G_NORETURN void riscv_raise(struct riscv_cpu *c, uint64_t cause, uint64_t tval);
G_NORETURN void riscv_illegal(struct riscv_cpu *c, uint32_t insn);
void riscv_take_fault(struct cpu *cpu, const struct cpu_fault *fault);
bool riscv_take_interrupt(struct cpu *cpu);
bool riscv_has_work(const struct cpu *cpu);
void riscv_set_irq(struct cpu *cpu, unsigned line, bool level);
/* Pending bits as mip reads. */
uint64_t riscv_mip(const struct riscv_cpu *c);
/* To be called on the hart's thread when what enables interrupts has changed. */
void riscv_check_irq(struct riscv_cpu *c);
/* Privilege and mstatus change together, with what follows from it. */
void riscv_enter(struct riscv_cpu *c, uint64_t priv, uint64_t mstatus);

/* mmu.c */
bool riscv_map(struct cpu *cpu, uint64_t vaddr, enum mem_access access, unsigned mode, bool debug,
               struct cpu_page *page, struct cpu_fault *fault);
/* satp was written from @old. */
void riscv_satp_changed(struct riscv_cpu *c, uint64_t old);
/* Whether satp.MODE @mode exists on this model. */
bool riscv_satp_mode_ok(const struct riscv_cpu *c, unsigned mode);

/* pmp.c */
/* What @priv may do at @paddr, PROT_*; *size_bits is lowered to the log2 of the range around @paddr
 * of which the same can be said. */
unsigned riscv_pmp_prot(const struct riscv_cpu *c, uint64_t paddr, uint64_t priv,
                        unsigned *size_bits);
void riscv_pmp_update(struct riscv_cpu *c);
uint64_t riscv_pmpcfg_read(const struct riscv_cpu *c, unsigned reg);
void riscv_pmpcfg_write(struct riscv_cpu *c, unsigned reg, uint64_t val);
void riscv_pmpaddr_write(struct riscv_cpu *c, unsigned n, uint64_t val);

/* csr.c */
struct riscv_csr;
const struct riscv_csr *riscv_csr_find(unsigned num);
/* Name of a CSR, NULL if there is none at @num; g_free(). */
char *riscv_csr_name(unsigned num);
/* Whether CSR @num exists and may be accessed now. */
bool riscv_csr_allowed(const struct riscv_cpu *c, unsigned num, bool write, uint64_t priv);
uint64_t riscv_csr_read(struct riscv_cpu *c, unsigned num);
/* Bits of @mask get @val's; flags and interrupts follow. */
void riscv_csr_write(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask);
/* Which bits of mstatus the model has. */
void riscv_status_setup(struct riscv_cpu *c);
/* mstatus with the bits of @mask written as @val; legalised. */
uint64_t riscv_status_merge(const struct riscv_cpu *c, uint64_t old, uint64_t val, uint64_t mask);

/* counters.c */
uint64_t riscv_time(struct riscv_cpu *c);
void riscv_timers_init(struct riscv_cpu *c);
void riscv_timers_free(struct riscv_cpu *c);
void riscv_stimecmp_write(struct riscv_cpu *c, uint64_t val);
/* STIP as stimecmp and menvcfg.STCE want it. */
void riscv_stimer_update(struct riscv_cpu *c);
/* Counter @n: 0 cycle, 2 instret, 3 and up hpmcounter. */
uint64_t riscv_counter_read(struct riscv_cpu *c, unsigned n);
void riscv_counter_write(struct riscv_cpu *c, unsigned n, uint64_t val);
void riscv_countinhibit_write(struct riscv_cpu *c, uint64_t val);
void riscv_hpmevent_write(struct riscv_cpu *c, unsigned n, uint64_t val);
/* Privilege becomes @priv: for counters that count at some levels only (hpm_filtered). */
void riscv_counters_enter(struct riscv_cpu *c, uint64_t priv);
void riscv_counters_reset(struct riscv_cpu *c);
uint64_t riscv_scountovf(const struct riscv_cpu *c);

/* regs.c */
const struct cpu_reg *riscv_regs(struct cpu *cpu, unsigned *count);
bool riscv_get_reg(struct cpu *cpu, unsigned i, void *buf);
bool riscv_set_reg(struct cpu *cpu, unsigned i, const void *buf);
void riscv_dump(struct cpu *cpu, GString *out);
/* disas.c: as cpu_ops.disas */
unsigned riscv_disas(const struct cpu *cpu, uint64_t pc, const uint8_t *bytes, size_t len,
                     GString *out);

/* csr-fp.c */
/* Flags that generated code raised go to fflags, which is exact then. */
void riscv_fp_gather(struct riscv_cpu *c);
/* frm was set: generated code is to round so. */
void riscv_fp_round(struct riscv_cpu *c);

/* slots.c */
extern const struct ir_slots riscv_slots64, riscv_slots32;

/* translate.c */
void riscv_translate(struct trans *t);

#endif
