/*
 * Helpers of system instructions. Those declared HELPER_ANY see and change everything; others are
 * handed what they need of slots.
 */
#include <sched.h>
#include "debug.h"
#include "feature.h"
#include "helper.h"
#include "msr.h"
#include "smm.h"
#include "sys.h"
#include "syscall.h"
#include "tsc.h"

/* ---- Segment registers, descriptor tables ---- */

static uint32_t h_seg_get(struct cpu *cpu, uint32_t nr)
{
    return x86_of(cpu)->seg[nr].selector;
}
HELPER_DEFINE(seg_get, IR_H_CPU, IR_I32, 1, IR_I32);

/* @next: linear address behind the instruction. */
static void h_seg_load(struct cpu *cpu, uint32_t nr, uint32_t sel, uint64_t next)
{
    struct x86_cpu *c = x86_of(cpu);

    x86_seg_load(c, nr, sel);
    if (nr == S_SS) {
        x86_shadow(c, next);
        if (__atomic_load_n(&cpu->tcg.flags, __ATOMIC_RELAXED) & UF_TF)
            c->no_trap_pc = next;
    }
}
HELPER_DEFINE(seg_load, HELPER_ANY, IR_VOID, 3, IR_I32, IR_I32, IR_I64);

static void h_umip(struct cpu *cpu)
{
    if (x86_of(cpu)->cr4 & CR4_UMIP)
        x86_gp(x86_of(cpu), 0);
}
HELPER_DEFINE(umip, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 0);

/* What SGDT and its kin show; @what: X86_TABLE_*. */
static uint64_t h_table_get(struct cpu *cpu, uint32_t what)
{
    const struct x86_cpu *c = x86_of(cpu);

    switch (what) {
    case X86_TABLE_GDT_BASE: return c->gdt.base;
    case X86_TABLE_GDT_LIMIT: return c->gdt.limit;
    case X86_TABLE_IDT_BASE: return c->idt.base;
    case X86_TABLE_IDT_LIMIT: return c->idt.limit;
    case X86_TABLE_LDT_SEL: return c->ldt.selector;
    case X86_TABLE_TR_SEL: return c->tr.selector;
    default: return c->cr0;
    }
}
HELPER_DEFINE(table_get, IR_H_CPU, IR_I64, 1, IR_I32);

static void h_table_set(struct cpu *cpu, uint32_t is_idt, uint32_t limit, uint64_t base)
{
    struct x86_cpu *c = x86_of(cpu);
    struct x86_table *t = is_idt ? &c->idt : &c->gdt;

    if (x86_code64(c) && !x86_canonical(c, base))
        x86_gp(c, 0);
    t->base = base;
    t->limit = limit;
}
HELPER_DEFINE(table_set, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 3, IR_I32, IR_I32, IR_I64);

static void h_sel_load(struct cpu *cpu, uint32_t is_tr, uint32_t sel)
{
    if (is_tr)
        x86_ltr(x86_of(cpu), sel);
    else
        x86_lldt(x86_of(cpu), sel);
}
HELPER_DEFINE(sel_load, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 2, IR_I32, IR_I32);

/* Answer of VERR and VERW: 1 or 0. */
static uint32_t h_verify(struct cpu *cpu, uint32_t sel, uint32_t write)
{
    return x86_verify(x86_of(cpu), sel, write);
}
HELPER_DEFINE(verify, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_I32, 2, IR_I32, IR_I32);

/* LAR, LSL: bit 32 is ZF, below it the result. */
static uint64_t h_lar(struct cpu *cpu, uint32_t sel, uint32_t limit)
{
    uint32_t val = 0;
    bool ok = limit ? x86_lsl(x86_of(cpu), sel, &val) : x86_lar(x86_of(cpu), sel, &val);

    return (ok ? BIT(32) : 0) | val;
}
HELPER_DEFINE(lar, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_I64, 2, IR_I32, IR_I32);

/* ---- Far transfers ---- */

/* @how: log2 of the operand size, and 16 for CALL. */
static uint64_t h_far_go(struct cpu *cpu, uint32_t sel, uint64_t eip, uint32_t how, uint64_t next)
{
    struct x86_cpu *c = x86_of(cpu);

    return how & 16 ? x86_far_call(c, sel, eip, how & 15, next)
                    : x86_far_jmp(c, sel, eip, how & 15, next);
}
HELPER_DEFINE(far_go, HELPER_ANY, IR_I64, 4, IR_I32, IR_I64, IR_I32, IR_I64);

static uint64_t h_far_ret(struct cpu *cpu, uint32_t opsize, uint32_t pop)
{
    return x86_far_ret(x86_of(cpu), opsize, pop);
}
HELPER_DEFINE(far_ret, HELPER_ANY, IR_I64, 2, IR_I32, IR_I32);

static uint64_t h_iret(struct cpu *cpu, uint32_t opsize, uint64_t next)
{
    return x86_iret(x86_of(cpu), opsize, next);
}
HELPER_DEFINE(iret, HELPER_ANY, IR_I64, 2, IR_I32, IR_I64);

static uint64_t h_int_n(struct cpu *cpu, uint32_t vector, uint32_t event, uint64_t next)
{
    x86_software_interrupt(x86_of(cpu), vector, event, next);
    return cpu->tcg.pc;
}
HELPER_DEFINE(int_n, HELPER_ANY, IR_I64, 3, IR_I32, IR_I32, IR_I64);

static uint64_t h_syscall(struct cpu *cpu, uint64_t next)
{
    return x86_syscall(x86_of(cpu), next);
}
HELPER_DEFINE(syscall, HELPER_ANY, IR_I64, 1, IR_I64);

static uint64_t h_sysret(struct cpu *cpu, uint32_t opsize)
{
    return x86_sysret(x86_of(cpu), opsize);
}
HELPER_DEFINE(sysret, HELPER_ANY, IR_I64, 1, IR_I32);

static uint64_t h_sysenter(struct cpu *cpu)
{
    return x86_sysenter(x86_of(cpu));
}
HELPER_DEFINE(sysenter, HELPER_ANY, IR_I64, 0);

static uint64_t h_sysexit(struct cpu *cpu, uint32_t opsize)
{
    return x86_sysexit(x86_of(cpu), opsize);
}
HELPER_DEFINE(sysexit, HELPER_ANY, IR_I64, 1, IR_I32);

/* ---- Flags ---- */

/* PUSHF in virtual-8086 mode with IOPL < 3: VIF is shown as IF (volume 3, 20.3.3). */
static uint64_t h_pushf_v86(struct cpu *cpu, uint32_t opsize)
{
    struct x86_cpu *c = x86_of(cpu);
    uint32_t flags = x86_eflags(c);

    if (!(c->cr4 & CR4_VME) || opsize > 1)
        x86_gp(c, 0);
    flags = (flags & ~(uint32_t)FLAG_IF) | FLAG_IOPL;
    return flags | (flags & FLAG_VIF ? FLAG_IF : 0);
}
HELPER_DEFINE(pushf_v86, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_I64, 1, IR_I32);

static void popf_v86(struct x86_cpu *c, uint32_t val, unsigned opsize)
{
    if (!(c->cr4 & CR4_VME) || opsize > 1 || val & FLAG_TF ||
        (val & FLAG_IF && c->eflags & FLAG_VIP))
        x86_gp(c, 0);
    x86_set_eflags(c, val | (val & FLAG_IF ? FLAG_VIF : 0),
                   FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT | FLAG_VIF);
}

static void h_popf(struct cpu *cpu, uint32_t val, uint32_t opsize)
{
    struct x86_cpu *c = x86_of(cpu);
    uint32_t mask = FLAGS_ARITH | FLAG_TF | FLAG_DF | FLAG_NT;
    bool v86 = c->eflags & FLAG_VM;

    if (v86 && x86_iopl(c) < 3) {
        popf_v86(c, val, opsize);
        return;
    }
    if (!(c->cr0 & CR0_PE) || x86_cpl(c) <= x86_iopl(c))
        mask |= FLAG_IF;
    if (!x86_cpl(c))
        mask |= FLAG_IOPL;
    if (opsize > 1) {
        mask |= FLAG_RF | FLAG_AC | FLAG_ID;
        val &= ~(uint32_t)FLAG_RF;
    }
    x86_set_eflags(c, val, mask);
}
HELPER_DEFINE(popf, HELPER_ANY, IR_VOID, 2, IR_I32, IR_I32);

/* CLI and STI where IOPL does not allow them: they work on VIF with VME or PVI, else #GP. */
static void h_cli_hard(struct cpu *cpu, uint32_t set)
{
    struct x86_cpu *c = x86_of(cpu);
    bool v86 = c->eflags & FLAG_VM;

    if (!(c->cr4 & (v86 ? CR4_VME : CR4_PVI)) || (!v86 && x86_cpl(c) != 3) ||
        (set && c->eflags & FLAG_VIP))
        x86_gp(c, 0);
    c->eflags &= ~(uint64_t)FLAG_VIF;
    if (set)
        c->eflags |= FLAG_VIF;
}
HELPER_DEFINE(cli_hard, HELPER_ANY, IR_VOID, 1, IR_I32);

/* The new flags; an interrupt that waits is taken behind the next instruction. */
static uint64_t h_sti(struct cpu *cpu, uint64_t eflags, uint64_t next)
{
    struct x86_cpu *c = x86_of(cpu);

    if (!(eflags & FLAG_IF)) {
        x86_shadow(c, next);
        c->eflags = eflags | FLAG_IF;
        x86_check_irq(c);
    }
    return eflags | FLAG_IF;
}
HELPER_DEFINE(sti, IR_H_CPU, IR_I64, 2, IR_I64, IR_I64);

static void h_set_ac(struct cpu *cpu, uint32_t set)
{
    x86_set_eflags(x86_of(cpu), set ? FLAG_AC : 0, FLAG_AC);
}
HELPER_DEFINE(set_ac, HELPER_ANY, IR_VOID, 1, IR_I32);

/* ---- Control and debug registers ---- */

static void h_lmsw(struct cpu *cpu, uint32_t val)
{
    struct x86_cpu *c = x86_of(cpu);

    x86_write_cr(c, 0, (c->cr0 & ~0xeULL) | (val & 0xf));
}
HELPER_DEFINE(lmsw, HELPER_ANY, IR_VOID, 1, IR_I32);

static uint64_t h_cr_read(struct cpu *cpu, uint32_t nr)
{
    return x86_read_cr(x86_of(cpu), nr);
}
HELPER_DEFINE(cr_read, IR_H_CPU, IR_I64, 1, IR_I32);

static void h_cr_write(struct cpu *cpu, uint32_t nr, uint64_t val)
{
    x86_write_cr(x86_of(cpu), nr, val);
}
HELPER_DEFINE(cr_write, HELPER_ANY, IR_VOID, 2, IR_I32, IR_I64);

static uint64_t h_dr_read(struct cpu *cpu, uint32_t nr)
{
    return x86_debug_read(x86_of(cpu), nr);
}
HELPER_DEFINE(dr_read, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_I64, 1, IR_I32);

static void h_dr_write(struct cpu *cpu, uint32_t nr, uint64_t val)
{
    x86_debug_write(x86_of(cpu), nr, val);
}
HELPER_DEFINE(dr_write, HELPER_ANY, IR_VOID, 2, IR_I32, IR_I64);

static void h_clts(struct cpu *cpu)
{
    x86_of(cpu)->cr0 &= ~CR0_TS;
    cpu_update_flags(cpu);
}
HELPER_DEFINE(clts, HELPER_ANY, IR_VOID, 0);

static void need_osxsave(struct x86_cpu *c)
{
    if (!(c->cr4 & CR4_OSXSAVE))
        x86_raise(c, EXC_UD);
}

/* Without INIT optimisation every enabled component counts as in use, so XCR1 shows XCR0. */
static uint64_t h_xgetbv(struct cpu *cpu, uint32_t nr)
{
    struct x86_cpu *c = x86_of(cpu);

    need_osxsave(c);
    if (nr > 1 || (nr == 1 && !x86_have(c, FEAT_XGETBV1)))
        x86_gp(c, 0);
    return c->xcr0;
}
HELPER_DEFINE(xgetbv, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_I64, 1, IR_I32);

static void h_xsetbv(struct cpu *cpu, uint32_t nr, uint64_t val)
{
    struct x86_cpu *c = x86_of(cpu);

    need_osxsave(c);
    if (nr || !x86_xcr0_ok(c, val))
        x86_gp(c, 0);
    c->xcr0 = val;
    cpu_update_flags(cpu);
}
HELPER_DEFINE(xsetbv, HELPER_ANY, IR_VOID, 2, IR_I32, IR_I64);

static void need_pke(struct x86_cpu *c)
{
    if (!(c->cr4 & CR4_PKE))
        x86_raise(c, EXC_UD);
    if ((uint32_t)c->cpu.tcg.hot[R_CX])
        x86_gp(c, 0);
}

static uint32_t h_rdpkru(struct cpu *cpu)
{
    need_pke(x86_of(cpu));
    return x86_of(cpu)->pkru;
}
HELPER_DEFINE(rdpkru, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_I32, 0);

static void h_wrpkru(struct cpu *cpu, uint32_t val)
{
    struct x86_cpu *c = x86_of(cpu);

    need_pke(c);
    if ((uint32_t)c->cpu.tcg.hot[R_DX])
        x86_gp(c, 0);
    x86_set_pkru(c, val);
}
HELPER_DEFINE(wrpkru, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 1, IR_I32);

static uint64_t h_rdmsr(struct cpu *cpu, uint32_t nr)
{
    uint64_t val;

    if (!x86_msr_read(x86_of(cpu), nr, &val))
        x86_gp(x86_of(cpu), 0);
    return val;
}
HELPER_DEFINE(rdmsr, HELPER_ANY, IR_I64, 1, IR_I32);

static void h_wrmsr(struct cpu *cpu, uint32_t nr, uint64_t val)
{
    if (!x86_msr_write(x86_of(cpu), nr, val))
        x86_gp(x86_of(cpu), 0);
}
HELPER_DEFINE(wrmsr, HELPER_ANY, IR_VOID, 2, IR_I32, IR_I64);

/* ---- Counters and identity ---- */

static void h_check_tsd(struct cpu *cpu)
{
    if (x86_of(cpu)->cr4 & CR4_TSD)
        x86_gp(x86_of(cpu), 0);
}
HELPER_DEFINE(check_tsd, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 0);

static uint64_t h_rdtsc(struct cpu *cpu)
{
    cpu_sync_time(cpu);
    return x86_tsc(x86_of(cpu));
}
HELPER_DEFINE(rdtsc, IR_H_CPU | IR_H_READS, IR_I64, 0);

/* No counter is there to be read. */
static void h_rdpmc(struct cpu *cpu)
{
    x86_gp(x86_of(cpu), 0);
}
HELPER_DEFINE(rdpmc, HELPER_ANY, IR_VOID, 0);

static uint64_t h_tsc_aux(struct cpu *cpu)
{
    return x86_of(cpu)->tsc_aux;
}
HELPER_DEFINE(tsc_aux, IR_H_CPU, IR_I64, 0);

static uint64_t h_random(struct cpu *cpu)
{
    return x86_random(x86_of(cpu));
}
HELPER_DEFINE(random, IR_H_CPU, IR_I64, 0);

static void h_cpuid(struct cpu *cpu)
{
    uint64_t *hot = cpu->tcg.hot;
    uint32_t out[4];

    x86_cpuid(x86_of(cpu), hot[R_AX], hot[R_CX], out);
    hot[R_AX] = out[0];
    hot[R_BX] = out[1];
    hot[R_CX] = out[2];
    hot[R_DX] = out[3];
}
HELPER_DEFINE(cpuid, IR_H_CPU | IR_H_READS | IR_H_WRITES, IR_VOID, 0);

/* The new base of GS. */
static uint64_t h_swapgs(struct cpu *cpu, uint64_t base)
{
    struct x86_cpu *c = x86_of(cpu);
    uint64_t other = c->kernel_gs_base;

    c->kernel_gs_base = base;
    return other;
}
HELPER_DEFINE(swapgs, IR_H_CPU, IR_I64, 1, IR_I64);

static void h_check_fsgsbase(struct cpu *cpu)
{
    if (!(x86_of(cpu)->cr4 & CR4_FSGSBASE))
        x86_raise(x86_of(cpu), EXC_UD);
}
HELPER_DEFINE(check_fsgsbase, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 0);

static void h_check_canonical(struct cpu *cpu, uint64_t addr)
{
    if (!x86_canonical(x86_of(cpu), addr))
        x86_gp(x86_of(cpu), 0);
}
HELPER_DEFINE(check_canonical, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 1, IR_I64);

/* ---- Translations ---- */

static void h_invlpg(struct cpu *cpu, uint64_t addr)
{
    x86_invlpg(x86_of(cpu), addr);
}
HELPER_DEFINE(invlpg, HELPER_ANY, IR_VOID, 1, IR_I64);

static void h_invpcid(struct cpu *cpu, uint64_t type, uint64_t pcid, uint64_t addr)
{
    struct x86_cpu *c = x86_of(cpu);

    if (type > 3 || pcid >> 12 || (type == 0 && !x86_canonical(c, addr)) ||
        (type < 2 && pcid && !(c->cr4 & CR4_PCIDE)))
        x86_gp(c, 0);
    x86_invpcid(c, type, pcid, addr);
}
HELPER_DEFINE(invpcid, HELPER_ANY, IR_VOID, 3, IR_I64, IR_I64, IR_I64);

/* ---- Waiting ---- */

static void h_hlt(struct cpu *cpu, uint64_t next)
{
    cpu->tcg.pc = next;
    cpu_halt(cpu);
    cpu_resume(cpu);
}
HELPER_DEFINE(hlt, HELPER_ANY, IR_VOID, 1, IR_I64);

static void h_monitor(struct cpu *cpu, uint64_t addr)
{
    struct x86_cpu *c = x86_of(cpu);

    if ((uint32_t)c->cpu.tcg.hot[R_CX])
        x86_gp(c, 0);
    c->monitor_addr = addr;
}
HELPER_DEFINE(monitor, HELPER_ANY, IR_VOID, 1, IR_I64);

/*
 * MWAIT may end at any time (volume 3, 9.10.3). A CPU that is alone can sleep: nobody but devices,
 * which interrupt, could write what it waits for. Else others get the host's processor.
 */
static void h_mwait(struct cpu *cpu, uint64_t next)
{
    struct x86_cpu *c = x86_of(cpu);
    bool armed = c->monitor_addr != ~0ULL;

    if ((uint32_t)c->cpu.tcg.hot[R_CX] > 1)
        x86_gp(c, 0);
    c->monitor_addr = ~0ULL;
    cpu->tcg.pc = next;
    if (armed && x86_alone(c))
        cpu_halt(cpu);
    else
        sched_yield();
    cpu_resume(cpu);
}
HELPER_DEFINE(mwait, HELPER_ANY, IR_VOID, 1, IR_I64);

static void h_rsm(struct cpu *cpu)
{
    struct x86_cpu *c = x86_of(cpu);

    if (!c->in_smm)
        x86_raise(c, EXC_UD);
    x86_rsm(c);
    cpu_resume(cpu);
}
HELPER_DEFINE(rsm, HELPER_ANY, IR_VOID, 0);

/* ---- Ports ---- */

static uint32_t h_port_in(struct cpu *cpu, uint32_t port, uint32_t size)
{
    struct x86_cpu *c = x86_of(cpu);

    x86_check_io(c, port, size);
    return x86_port_in(c, port, size);
}
HELPER_DEFINE(port_in, HELPER_ANY, IR_I32, 2, IR_I32, IR_I32);

static void h_port_out(struct cpu *cpu, uint32_t port, uint32_t size, uint32_t val)
{
    struct x86_cpu *c = x86_of(cpu);

    x86_check_io(c, port, size);
    x86_port_out(c, port, size, val);
}
HELPER_DEFINE(port_out, HELPER_ANY, IR_VOID, 3, IR_I32, IR_I32, IR_I32);

/* Behind an instruction that may have met an I/O breakpoint. */
static void h_debug_trap(struct cpu *cpu, uint64_t next)
{
    struct x86_cpu *c = x86_of(cpu);

    if (!c->debug_pending)
        return;
    cpu->tcg.pc = next;
    x86_debug_trap(c);
}
HELPER_DEFINE(debug_trap, HELPER_ANY, IR_VOID, 1, IR_I64);
