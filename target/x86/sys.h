/*
 * The system side of an x86 CPU: what its files share, and what instruction helpers call.
 *
 * Functions that can raise a guest exception do not return then: they run on the CPU's thread,
 * inside a helper that is declared IR_H_READS and IR_H_RAISES, with cpu.tcg.pc at the instruction.
 * cpu.tcg.pc is a linear address: CS.base + EIP.
 */
#ifndef X86_SYS_H
#define X86_SYS_H

#include <base/shared.h>
#include "x86.h"

/* Bits of EFLAGS, control registers and EFER. */
enum {
    FLAG_CF = 1 << 0,
    FLAG_FIXED = 1 << 1, /* reads as 1 */
    FLAG_PF = 1 << 2,
    FLAG_AF = 1 << 4,
    FLAG_ZF = 1 << 6,
    FLAG_SF = 1 << 7,
    FLAG_TF = 1 << 8,
    FLAG_IF = 1 << 9,
    FLAG_DF = 1 << 10,
    FLAG_OF = 1 << 11,
    FLAG_IOPL = 3 << 12,
    FLAG_NT = 1 << 14,
    FLAG_RF = 1 << 16,
    FLAG_VM = 1 << 17,
    FLAG_AC = 1 << 18,
    FLAG_VIF = 1 << 19,
    FLAG_VIP = 1 << 20,
    FLAG_ID = 1 << 21,
    FLAGS_ARITH = FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF,
};
#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_VME        BIT(0)
#define CR4_PVI        BIT(1)
#define CR4_TSD        BIT(2)
#define CR4_DE         BIT(3)
#define CR4_PSE        BIT(4)
#define CR4_PAE        BIT(5)
#define CR4_MCE        BIT(6)
#define CR4_PGE        BIT(7)
#define CR4_PCE        BIT(8)
#define CR4_OSFXSR     BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP       BIT(11)
#define CR4_LA57       BIT(12)
#define CR4_FSGSBASE   BIT(16)
#define CR4_PCIDE      BIT(17)
#define CR4_OSXSAVE    BIT(18)
#define CR4_SMEP       BIT(20)
#define CR4_SMAP       BIT(21)
#define CR4_PKE        BIT(22)

#define EFER_SCE   BIT(0)
#define EFER_LME   BIT(8)
#define EFER_LMA   BIT(10)
#define EFER_NXE   BIT(11)
#define EFER_SVME  BIT(12)
#define EFER_FFXSR BIT(14)

/* Bits of x86_seg.attr (Intel volume 3, 3.4.5). */
enum {
    ATTR_TYPE = 0xf,
    ATTR_ACCESSED = 1 << 0,
    ATTR_WRITABLE = 1 << 1, /* data; code: readable */
    ATTR_DOWN = 1 << 2,     /* data: expands down; code: conforming */
    ATTR_CODE = 1 << 3,
    ATTR_S = 1 << 4, /* code or data, not system */
    ATTR_DPL_SHIFT = 5,
    ATTR_P = 1 << 7,
    ATTR_L = 1 << 13,
    ATTR_DB = 1 << 14,
    ATTR_G = 1 << 15,
};

/* ---- State ---- */

static inline bool x86_protected(const struct x86_cpu *c)
{
    return c->cr0 & CR0_PE && !(c->eflags & FLAG_VM);
}
static inline bool x86_lma(const struct x86_cpu *c)
{
    return c->efer & EFER_LMA;
}
static inline bool x86_code64(const struct x86_cpu *c)
{
    return x86_lma(c) && c->seg[S_CS].attr & ATTR_L;
}
static inline unsigned x86_iopl(const struct x86_cpu *c)
{
    return c->eflags >> 12 & 3;
}
/* EIP of the current instruction. */
static inline uint64_t x86_eip(const struct x86_cpu *c)
{
    uint64_t ip = c->cpu.tcg.pc - c->seg_base[S_CS];

    return x86_code64(c) ? ip : (uint32_t)ip;
}
/* MMU mode of implicit supervisor accesses: descriptor tables, TSS (Intel volume 3, 4.6.1). */
static inline unsigned x86_system_mode(const struct x86_cpu *c)
{
    return c->cr4 & CR4_SMAP ? MODE_KERNEL_SMAP : MODE_KERNEL;
}
/* MMU mode of data accesses at privilege @cpl. */
static inline unsigned x86_mode_at(const struct x86_cpu *c, unsigned cpl)
{
    if (cpl == 3)
        return MODE_USER;
    return c->cr4 & CR4_SMAP && !(c->eflags & FLAG_AC) ? MODE_KERNEL_SMAP : MODE_KERNEL;
}
/* Whether a linear address may be used for data in long mode. */
static inline bool x86_canonical(const struct x86_cpu *c, uint64_t addr)
{
    unsigned spare = c->cr4 & CR4_LA57 ? 7 : 16;

    return (int64_t)(addr << spare) >> spare == (int64_t)addr;
}
static inline uint64_t x86_linear(const struct x86_cpu *c, uint64_t addr)
{
    return x86_lma(c) ? addr : (uint32_t)addr;
}

/* ---- Memory, in an MMU mode; may raise ---- */

/* @size is log2 of bytes. Most accesses hit what generated code would hit, too. */
static inline uint64_t x86_load(struct x86_cpu *c, uint64_t addr, unsigned size, unsigned mode)
{
    const struct tcg_tlb_entry *e = &c->cpu.tcg.tlb[mode][tcg_tlb_index(addr)];
    uint64_t last = addr + (1u << size) - 1;

    if (__builtin_expect((last & TCG_PAGE_MASK) == e->read, 1))
        return shared_load((void *)(uintptr_t)(addr + e->addend), 1u << size);
    return cpu_load(&c->cpu, addr, IR_MEM(size, mode, 0));
}

static inline void x86_store(struct x86_cpu *c, uint64_t addr, unsigned size, unsigned mode,
                             uint64_t val)
{
    const struct tcg_tlb_entry *e = &c->cpu.tcg.tlb[mode][tcg_tlb_index(addr)];
    uint64_t last = addr + (1u << size) - 1;

    if (__builtin_expect((last & TCG_PAGE_MASK) == __atomic_load_n(&e->write, __ATOMIC_RELAXED), 1))
        shared_store((void *)(uintptr_t)(addr + e->addend), val, 1u << size);
    else
        cpu_store(&c->cpu, addr, val, IR_MEM(size, mode, 0));
}

/* ---- Exceptions and interrupts (exception.c) ---- */

/* The current instruction raises @vector, with error code 0 where it has one. */
G_NORETURN void x86_raise(struct x86_cpu *c, unsigned vector);
G_NORETURN void x86_raise_err(struct x86_cpu *c, unsigned vector, uint32_t err);
G_NORETURN static inline void x86_gp(struct x86_cpu *c, uint32_t err)
{
    x86_raise_err(c, EXC_GP, err);
}

enum x86_event {
    EVENT_FAULT,    /* exception, returns to the instruction */
    EVENT_TRAP,     /* exception behind an instruction: @next is what follows */
    EVENT_SOFT,     /* INT n: gate's DPL is checked */
    EVENT_SOFT_EXC, /* INT3, INTO: the same, but not redirected by VME */
    EVENT_ICEBP,    /* INT1 */
    EVENT_EXTERNAL, /* interrupt, NMI */
};
/* Enters the handler of @vector: changes state and returns. @next: EIP to return to. */
void x86_enter(struct x86_cpu *c, unsigned vector, enum x86_event event, bool has_err, uint32_t err,
               uint64_t next);
/* INT n and its like; @next: EIP behind the instruction. */
void x86_software_interrupt(struct x86_cpu *c, unsigned vector, enum x86_event event,
                            uint64_t next);
/* Protected-mode IRET and its like may let interrupts in: looks for them soon. */
void x86_check_irq(struct x86_cpu *c);
void x86_take_fault(struct cpu *cpu, const struct cpu_fault *fault);
/* Whether the current instruction's @access to an address that is not canonical is one of the stack
 * (refused.c). */
bool x86_refused_on_stack(struct x86_cpu *c, enum mem_access access);
bool x86_take_interrupt(struct cpu *cpu);
bool x86_has_work(const struct cpu *cpu);
void x86_set_irq(struct cpu *cpu, unsigned line, bool level);
/* No interrupt in front of the instruction at linear address @pc. */
static inline void x86_shadow(struct x86_cpu *c, uint64_t pc)
{
    c->shadow_pc = pc;
}
/* Ends the shadow, after the one instruction that it held for. */
void x86_end_shadow(struct x86_cpu *c);

/* ---- Segments (segment.c) ---- */

struct x86_desc {
    uint64_t lo, hi; /* hi: upper half of 16-byte descriptors of long mode */
    uint64_t addr;   /* linear, of the entry */
};
static inline unsigned desc_attr(const struct x86_desc *d)
{
    return d->lo >> 40 & 0xf0ff;
}
static inline unsigned desc_dpl(const struct x86_desc *d)
{
    return d->lo >> 45 & 3;
}
static inline uint64_t desc_base(const struct x86_desc *d)
{
    return (d->lo >> 16 & 0xffffff) | (d->lo >> 32 & 0xff000000);
}
static inline uint32_t desc_limit(const struct x86_desc *d)
{
    uint32_t limit = (d->lo & 0xffff) | (d->lo >> 32 & 0xf0000);

    return d->lo & BIT(55) ? limit << 12 | 0xfff : limit;
}
static inline uint32_t attr_dpl(unsigned attr)
{
    return attr >> 5 & 3;
}

/* The descriptor of @sel; false: beyond its table's limit (or the LDT is void). */
bool x86_desc_read(struct x86_cpu *c, uint16_t sel, struct x86_desc *d);
/* The same with the upper half of a system descriptor in long mode. */
bool x86_desc_read16(struct x86_cpu *c, uint16_t sel, struct x86_desc *d);
/* Sets the accessed bit in memory and in @d. */
void x86_desc_access(struct x86_cpu *c, struct x86_desc *d);
/* Segment register @nr gets what @d says; no checks. */
void x86_seg_set(struct x86_cpu *c, unsigned nr, uint16_t sel, const struct x86_desc *d);
/* The same as real and virtual-8086 mode do it: base = selector * 16. */
void x86_seg_set_real(struct x86_cpu *c, unsigned nr, uint16_t sel);
void x86_seg_set_null(struct x86_cpu *c, unsigned nr, uint16_t sel);
/* Full hidden part. */
void x86_seg_set_raw(struct x86_cpu *c, unsigned nr, uint16_t sel, uint64_t base, uint32_t limit,
                     uint16_t attr);
/* MOV and POP to a segment register (not CS), with all checks, in every mode. */
void x86_seg_load(struct x86_cpu *c, unsigned nr, uint16_t sel);
/* SS of a new stack at privilege @cpl: checked with exception @vector, read into @d. */
void x86_ss_check(struct x86_cpu *c, uint16_t sel, unsigned cpl, unsigned vector,
                  struct x86_desc *d);
/* Data segments that privilege @cpl may not use become null (return to outer level). */
void x86_segs_drop(struct x86_cpu *c, unsigned cpl);
void x86_lldt(struct x86_cpu *c, uint16_t sel);
void x86_ltr(struct x86_cpu *c, uint16_t sel);
/* The checked access of LAR, LSL, VERR, VERW; false: ZF = 0. */
bool x86_lar(struct x86_cpu *c, uint16_t sel, uint32_t *attr);
bool x86_lsl(struct x86_cpu *c, uint16_t sel, uint32_t *limit);
bool x86_verify(struct x86_cpu *c, uint16_t sel, bool write);
/* Linear address of @offset in segment @nr for @len bytes; #GP or #SS if it may not be so accessed.
 */
uint64_t x86_seg_addr(struct x86_cpu *c, unsigned nr, uint64_t offset, unsigned len, bool write);
/* Outside 64-bit mode: whether that segment may be accessed so. */
bool x86_seg_ok(const struct x86_cpu *c, unsigned nr, uint32_t offset, unsigned len, bool write);

/* ---- Far transfers (far.c), tasks (task.c) ---- */

/* @opsize: log2 of bytes, 1 to 3; @next: EIP behind the instruction. All return the new linear pc,
 * which they have also stored. */
uint64_t x86_far_jmp(struct x86_cpu *c, uint16_t sel, uint64_t eip, unsigned opsize, uint64_t next);
uint64_t x86_far_call(struct x86_cpu *c, uint16_t sel, uint64_t eip, unsigned opsize,
                      uint64_t next);
uint64_t x86_far_ret(struct x86_cpu *c, unsigned opsize, unsigned pop);
uint64_t x86_iret(struct x86_cpu *c, unsigned opsize, uint64_t next);
/* Goes on at CS:@eip with CS as @d says; the limit was checked. */
uint64_t x86_set_pc(struct x86_cpu *c, uint64_t eip);

enum x86_switch { SWITCH_JMP, SWITCH_CALL, SWITCH_IRET, SWITCH_INT };
/* Switches to the task whose TSS descriptor is @d; @next: EIP to save. */
void x86_task_switch(struct x86_cpu *c, uint16_t sel, struct x86_desc *d, enum x86_switch how,
                     uint64_t next);
/* SS and (E)SP or RSP for privilege @cpl from the TSS. */
void x86_tss_stack(struct x86_cpu *c, unsigned cpl, uint16_t *ss, uint64_t *sp);
uint64_t x86_tss_rsp(struct x86_cpu *c, unsigned offset);

/* ---- Flags: all of EFLAGS as PUSHF shows them ---- */
uint32_t x86_eflags(const struct x86_cpu *c);
/* Bits of @mask become @val's; unit flags are brought up to date, waiting interrupts looked for. */
void x86_set_eflags(struct x86_cpu *c, uint32_t val, uint32_t mask);

/* ---- Control registers (cr.c) ---- */
void x86_set_cr0(struct x86_cpu *c, uint64_t val);
void x86_set_cr3(struct x86_cpu *c, uint64_t val);
void x86_set_cr4(struct x86_cpu *c, uint64_t val);
uint64_t x86_get_cr8(const struct x86_cpu *c);
void x86_set_cr8(struct x86_cpu *c, uint64_t val);
/* As MOV does them, with checks; @nr 0, 2, 3, 4, 8. */
uint64_t x86_read_cr(struct x86_cpu *c, unsigned nr);
void x86_write_cr(struct x86_cpu *c, unsigned nr, uint64_t val);
/* XSETBV's check of XCR0. */
bool x86_xcr0_ok(const struct x86_cpu *c, uint64_t val);

/* ---- Ports (io.c): @size 1, 2 or 4 bytes ---- */

/* #GP(0) unless IOPL or the TSS's bitmap allows them. */
void x86_check_io(struct x86_cpu *c, uint16_t port, unsigned size);
uint32_t x86_port_in(struct x86_cpu *c, uint16_t port, unsigned size);
/* @n numbers between the port and host memory, in order. False: to be done one by one. */
bool x86_port_move(struct x86_cpu *c, uint16_t port, unsigned size, void *buf, uint64_t n, bool in);
void x86_port_out(struct x86_cpu *c, uint16_t port, unsigned size, uint32_t val);

/* ---- Paging (mmu.c) ---- */
bool x86_map(struct cpu *cpu, uint64_t vaddr, enum mem_access access, unsigned mode, bool debug,
             struct cpu_page *page, struct cpu_fault *fault);
/* struct cpu_ops.whole: no address between the first and the last byte may stop being canonical. */
bool x86_whole_access(struct cpu *cpu, uint64_t vaddr, unsigned size, enum mem_access access,
                      struct cpu_fault *fault);
/* CR3 was written: without or with PCID; @keep: translations of the space may stay. */
void x86_mmu_switch(struct x86_cpu *c, bool keep);
/* What walks depend on besides CR3 has changed. */
void x86_mmu_changed(struct x86_cpu *c);
/* Reads the PAE pointer table at @cr3; false: a reserved bit is set. */
bool x86_load_pdptes(struct x86_cpu *c, uint64_t cr3);
void x86_invlpg(struct x86_cpu *c, uint64_t addr);
void x86_invpcid(struct x86_cpu *c, uint64_t type, uint64_t pcid, uint64_t addr);
/* WRPKRU and XRSTOR. */
void x86_set_pkru(struct x86_cpu *c, uint32_t val);
void x86_mmu_free(struct x86_cpu *c);

/* cpu_fault.extra of FAULT_ACCESS. */
enum {
    FAULT_X_BUS,
    FAULT_X_GP,
    FAULT_X_SS,
    FAULT_X_WATCH, /* a data breakpoint: the instruction is run again, with a trap behind it */
};

#endif
