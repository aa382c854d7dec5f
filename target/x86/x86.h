/*
 * An x86 CPU's state, and what the files of this folder share.
 *
 * Registers that generated code reads and writes inline are slots (enum x86_slot). A helper that is
 * not declared IR_H_READS must not look at those: it is handed their values. The CPU's own thread
 * changes everything but the atomics named so. Names are those of Intel's and AMD's manuals.
 */
#ifndef X86_X86_H
#define X86_X86_H

#include <base/bits.h>
#include <base/clock.h>
#include <target/cpu.h>
#include <target/x86.h>

/* General registers in the encoding's order: hot[0] to hot[15]. */
enum {
    R_AX,
    R_CX,
    R_DX,
    R_BX,
    R_SP,
    R_BP,
    R_SI,
    R_DI,
    R_8,
    R_9,
    R_10,
    R_11,
    R_12,
    R_13,
    R_14,
    R_15
};
/* Segment registers in the encoding's order. */
enum x86_seg_nr { S_ES, S_CS, S_SS, S_DS, S_FS, S_GS, S_COUNT };

/*
 * Slots. The arithmetic flags (CF PF AF ZF SF OF) are lazy: cc_op says from what operation, cc_dst
 * and cc_src with which values, they are worked out when somebody looks (flags.h). `df` is 1 or -1.
 * `eflags` holds all other flags in their places, and zero in those of the arithmetic ones and DF.
 */
enum x86_slot {
    SLOT_R0, /* 16 general registers */
    SLOT_CC_DST = 16,
    SLOT_CC_SRC,
    SLOT_CC_SRC2,
    SLOT_CC_OP,
    SLOT_DF,
    SLOT_EFLAGS,
    SLOT_SEG_BASE,                            /* 6, in order of enum x86_seg_nr */
    SLOT_SEG_LIMIT = SLOT_SEG_BASE + S_COUNT, /* 6; see x86_cpu.seg_limit */
    SLOT_XMM0 = SLOT_SEG_LIMIT + S_COUNT,     /* 16: bits 127:0 */
    SLOT_YMMH0 = SLOT_XMM0 + 16,              /* 16: bits 255:128 */
    SLOT_VTMP0 = SLOT_YMMH0 + 16,             /* 4: vectors handed to helpers and back */
    SLOT_INSNS = SLOT_VTMP0 + 4,              /* tcg.insns */
    SLOT_FPU_OP,                              /* of the last x87 instruction, see x86_cpu.fpu_op */
    SLOT_FPU_IP,
    SLOT_FPU_CS,
    SLOT_FPU_DP,
    SLOT_FPU_DS,
    SLOT_SEG, /* 6: struct x86_seg, to be handed on as they are */
    SLOT_COUNT = SLOT_SEG + S_COUNT
};

/* Unit flags: what translation depends on besides the code. */
enum {
    UF_CPL = 3 << 0,
    UF_MODE_SHIFT = 2, /* MMU mode of data accesses */
    UF_MODE = 7 << UF_MODE_SHIFT,
    UF_PE = 1 << 5,
    UF_VM = 1 << 6,      /* virtual-8086 mode */
    UF_LMA = 1 << 7,     /* EFER.LMA */
    UF_CS64 = 1 << 8,    /* 64-bit code */
    UF_CS32 = 1 << 9,    /* CS.D: default sizes are 32 bits */
    UF_SS32 = 1 << 10,   /* SS.B: the stack pointer is ESP */
    UF_FLAT = 1 << 11,   /* CS, DS, ES, SS: base 0, limit 4 GiB - 1, usable for any data access */
    UF_TF = 1 << 12,     /* #DB after this instruction: EFLAGS.TF, or a breakpoint that it met */
    UF_SHADOW = 1 << 13, /* behind STI or a load of SS: interrupts wait for one instruction */
    UF_EM = 1 << 14,     /* CR0.EM, TS, MP as FPU and SSE instructions see them */
    UF_TS = 1 << 15,
    UF_MP = 1 << 16,
    UF_OSFXSR = 1 << 17, /* CR4.OSFXSR: SSE may be used */
    UF_AVX = 1 << 18,    /* CR4.OSXSAVE and XCR0 bits 2:1: VEX-encoded vectors may be used */
    UF_FPSLOW = 1 << 19, /* MXCSR unmasks an exception: SSE arithmetic goes through exact helpers */
    UF_SMM = 1 << 20,
    UF_IOPL_OK = 1 << 21,  /* CPL <= IOPL */
    UF_DBG_IO = 1 << 22,   /* CR4.DE and an I/O breakpoint is set */
    UF_DBG_CODE = 1 << 24, /* a breakpoint on fetches is set: it is looked for in front of each
                              instruction */
    UF_X87SLOW = 1 << 23,  /* x87_slow(): waiting x87 instructions look for a pending exception */
};

/* MMU modes: who asks, and whether SMAP forbids user pages. */
enum x86_mmu_mode {
    MODE_USER = 0,
    MODE_KERNEL = 1,      /* supervisor; user pages too (SMAP off or EFLAGS.AC) */
    MODE_KERNEL_SMAP = 2, /* supervisor; not user pages */
    MODE_SMM = 3,         /* system management mode without paging: sees SMRAM */
};

enum x86_exception {
    EXC_DE = 0,
    EXC_DB = 1,
    EXC_NMI = 2,
    EXC_BP = 3,
    EXC_OF = 4,
    EXC_BR = 5,
    EXC_UD = 6,
    EXC_NM = 7,
    EXC_DF = 8,
    EXC_TS = 10,
    EXC_NP = 11,
    EXC_SS = 12,
    EXC_GP = 13,
    EXC_PF = 14,
    EXC_MF = 16,
    EXC_AC = 17,
    EXC_MC = 18,
    EXC_XM = 19,
};

/* A segment register with its hidden part: base and limit are slots (x86_cpu.seg_base, seg_limit).
 */
struct x86_seg {
    uint16_t selector;
    uint16_t attr;  /* descriptor bits 55:52 and 47:40: type, S, DPL, P, AVL, L, D/B, G as bits 0-7,
                       12-15 */
    uint32_t limit; /* as the descriptor gives it, in bytes */
};

/* GDTR, IDTR; LDTR and TR have selector and attr besides. */
struct x86_table {
    uint64_t base;
    uint32_t limit;
    uint16_t selector, attr;
};

/* An 80-bit register: x87 value, or MMX register in `lo`. */
struct x86_f80 {
    uint64_t lo;
    uint16_t hi;
} __attribute__((aligned(16)));

struct x86_v128 {
    uint64_t q[2];
} __attribute__((aligned(16)));

/* MSRs that are nothing but memory, or nearly. */
struct x86_msrs {
    uint64_t mtrr_def, mtrr_fix[11], mtrr_base[8], mtrr_mask[8];
    uint64_t misc_enable, spec_ctrl, tsc_adjust, mcg_status, mcg_ctl, mc[40];
    uint64_t feature_control, debugctl, smi_count, platform_info;
    uint64_t syscfg, hwcr, vm_hsave, k8_top, k8_top2;
    /* Of KVM's paravirtual interface, which there is only there. */
    uint64_t kvm_wall_clock, kvm_system_time, kvm_async_pf, kvm_steal_time, kvm_eoi, kvm_poll,
        kvm_async_pf_int;
    /* Of Hyper-V's: the partition's, which the first CPU has, and each CPU's own. */
    uint64_t hv_guest_os_id, hv_hypercall, hv_reference_tsc, hv_crash[6], hv_reenlightenment[3];
    uint64_t hv_runtime, hv_assist_page, hv_scontrol, hv_siefp, hv_simp, hv_sint[16];
    uint64_t hv_stimer[8]; /* configuration and count of each */
};

struct x86_model;
struct trans;

struct x86_cpu {
    /* First; general registers are hot[0..15], cc_dst, cc_src, cc_src2, cc_op hot[16..19].
     * cpu.tcg.pc is the linear address of the instruction: CS base + EIP, 32 bits outside 64-bit
     * code. Outside long mode the upper halves of the general registers are zero. */
    struct cpu cpu;

    /*
     * Slots. seg_limit: offset of the segment's last byte; -1 where generated code must not rely on
     * that alone (no descriptor, expand-down, not both readable and writable): map()
     * decides then. Selectors loaded in real and virtual-8086 mode give 0xffff or what big real
     * mode left.
     */
    uint64_t df, eflags;
    uint64_t seg_base[S_COUNT];
    int64_t seg_limit[S_COUNT];
    struct x86_v128 xmm[16], ymmh[16], vtmp[4];

    struct x86_seg seg[S_COUNT];
    struct x86_table gdt, idt, ldt, tr;
    uint64_t cr0, cr2, cr3, cr4, xcr0;
    uint64_t pdpte[4]; /* PAE: as loaded with CR3 */
    uint64_t dr[8];    /* dr[4], dr[5] unused */
    uint64_t efer, star, lstar, cstar, sfmask, kernel_gs_base, tsc_aux, pat;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint32_t pkru;

    /* x87 and MMX: physical registers; control and status words (TOP in it) as FSTENV shows them.
     * Of each tag only 3 (empty) and 0 (not empty) are used; x87_tag_word() has all four. While
     * cpu.tcg.x87.in_host, registers, status and tags are in the host's x87: x87_settle(). */
    struct x86_f80 fpr[8];
    uint16_t fpu_cw, fpu_sw, fpu_tw;
    /* Slots: the last instruction's opcode, its address and that of its operand. Of cs and ds bits
     * 15:0 count; behind them is what else struct x86_seg holds. */
    uint64_t fpu_op, fpu_cs, fpu_ds;
    uint64_t fpu_ip, fpu_dp;
    uint32_t sse_pending; /* exceptions of the instruction in progress, for sse_report */
    uint32_t mxcsr;       /* as last gathered: host's sticky flags are added when it is read */

    uint8_t shadow; /* UF_SHADOW */
    /* Behind STI or a load of SS: linear address of the instruction in front of which no interrupt
     * is taken; ~0: none. take_interrupt() sets `shadow` if it meets it. */
    uint64_t shadow_pc;
    /* Within a load of SS that is stepped through: what follows it, in front of which no #DB is
     * raised (6.8.3). Else anything. */
    uint64_t no_trap_pc;
    uint32_t debug_pending; /* DR6 bits of breakpoints met: #DB behind this instruction */
    uint32_t delivering;    /* the exception or interrupt being entered, see exception.c; 0: none */
    bool in_smm, nmi_blocked, wait_sipi, is_bsp, a20;
    uint32_t smbase;
    uint64_t kvm_event[2]; /* what KVM had begun to deliver when the CPU stopped (kvm-regs.c) */
    uint64_t kvm_clock;  /* of the first CPU: kvmclock's ns when the machine stopped; 0: unknown */
    uint32_t lines;      /* atomic: bits of enum x86_irq that wait, and a SIPI */
    uint8_t sipi_vector; /* atomic */

    const struct x86_irqchip_ops *irqchip;
    void *irqchip_opaque;
    const struct x86_platform_ops *platform;
    void *platform_opaque;
    struct loop *loop;
    int64_t tsc_offset;
    uint64_t tsc_hz;

    struct x86_msrs msr;
    struct x86_spaces *spaces; /* mmu.c's own */
    uint64_t monitor_addr;     /* armed by MONITOR; ~0: not */

    /* The model; does not change. */
    const struct x86_model *model;
    uint64_t feature[4]; /* bits of enum x86_feature */
    uint32_t apic_id, threads, cores;
    unsigned phys_bits;

    /* AVX-512, which only KVM has: k0 to k7, upper halves of zmm0 to zmm15, zmm16 to zmm31 */
    uint64_t kvm_k[8], kvm_zmm_high[16 * 4], kvm_zmm_more[16 * 8];
};

/*
 * Data addresses outside 64-bit code. Generated code checks offsets against seg_limit; where the
 * check fails it accesses this address instead, which no page table can map: map() takes it apart,
 * does the whole check of segment type and limit, and then translates the linear address that its
 * low 32 bits are, for this one access (page->size_bits 0), or fails with #GP or #SS.
 *
 * Outside long mode a displacement may carry a linear address out of 32 bits, to [-2 GiB, 6 GiB):
 * map() takes it modulo 4 GiB, and who flushes a page flushes it at these places too.
 */
#define X86_SLOW_ADDRESS (UINT64_C(1) << 63)
enum { X86_SLOW_SEG_SHIFT = 40, X86_SLOW_SIZE_SHIFT = 44 }; /* segment number; bytes - 1 (5 bits) */
static inline bool x86_is_slow_address(uint64_t vaddr)
{
    return vaddr >> 62 == 2;
}

static inline struct x86_cpu *x86_of(struct cpu *cpu)
{
    return (struct x86_cpu *)cpu;
}
static inline const struct x86_cpu *x86_of_const(const struct cpu *cpu)
{
    return (const struct x86_cpu *)cpu;
}

/* Current privilege: SS.DPL, which real mode (0) and virtual-8086 mode (3) keep up too. */
static inline unsigned x86_cpl(const struct x86_cpu *c)
{
    return c->seg[S_SS].attr >> 5 & 3;
}

/* ---- cpu.c, slots.c ---- */

extern const struct ir_slots x86_slots;
extern const struct ir_helper *const x86_helpers[];
uint32_t x86_unit_flags(const struct cpu *cpu);
unsigned x86_mode_of_flags(uint32_t unit_flags); /* MMU mode of fetches and plain data accesses */
unsigned x86_data_mode(const struct cpu *cpu);
void x86_translate(struct trans *t);

/* ---- Ports (io.c): may raise #GP, #DB. @size 1, 2, 4 ---- */

void x86_check_io(struct x86_cpu *c, uint16_t port, unsigned size);
uint32_t x86_port_in(struct x86_cpu *c, uint16_t port, unsigned size);
void x86_port_out(struct x86_cpu *c, uint16_t port, unsigned size, uint32_t val);

/* ---- What cpu.c puts into struct cpu_ops besides what sys.h declares, and create() ---- */

void x86_reset(struct cpu *cpu);
void x86_free(struct cpu *cpu);
const struct cpu_reg *x86_regs(struct cpu *cpu, unsigned *count);
bool x86_get_reg(struct cpu *cpu, unsigned i, void *buf);
bool x86_set_reg(struct cpu *cpu, unsigned i, const void *buf);
void x86_dump(struct cpu *cpu, GString *out);
extern const struct cpu_type *const target_x86_types[]; /* one row a model and architecture */
/* cpu_type.create of all of them. */
struct cpu *x86_create(const struct cpu_type *type, const char *options, GError **err);

#endif
