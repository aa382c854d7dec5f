/*
 * Reset, INIT, the state a boot protocol wants, and what boards set up.
 */
#include <base/log.h>
#include "feature.h"
#include "msr.h"
#include "smm.h"
#include "sys.h"
#include "tsc.h"

/* Intel volume 3, table 9-1: what reset and INIT have in common. */
static void reset_core(struct x86_cpu *c)
{
    uint32_t sig[4];

    x86_cpuid(c, 1, 0, sig);
    memset(c->cpu.tcg.hot, 0, sizeof(c->cpu.tcg.hot));
    c->cpu.tcg.hot[R_DX] = sig[0];
    c->eflags = 0;
    c->df = 1;
    c->cr2 = c->cr3 = c->cr4 = 0;
    c->efer = 0;
    c->delivering = 0;
    c->debug_pending = 0;
    c->shadow = 0;
    c->shadow_pc = c->no_trap_pc = ~0ULL;
    c->monitor_addr = ~0ULL;
    memset(c->kvm_event, 0, sizeof(c->kvm_event));
    c->nmi_blocked = c->in_smm = false;
    for (unsigned k = 0; k < S_COUNT; k++)
        x86_seg_set_raw(c, k, 0, 0, 0xffff, 0x93);
    x86_seg_set_raw(c, S_CS, 0xf000, 0xffff0000, 0xffff, 0x93);
    c->gdt = (struct x86_table){ .limit = 0xffff };
    c->idt = (struct x86_table){ .limit = 0xffff };
    c->ldt = (struct x86_table){ .limit = 0xffff, .attr = 0x82 };
    c->tr = (struct x86_table){ .limit = 0xffff, .attr = 0x8b };
    memset(c->dr, 0, sizeof(c->dr));
    c->dr[6] = 0xffff0ff0;
    c->dr[7] = 0x400;
    x86_set_pc(c, 0xfff0);
}

/* Others than the first CPU wait for their start-up IPI. */
static void wait_or_run(struct x86_cpu *c)
{
    c->wait_sipi = !c->is_bsp;
    __atomic_store_n(&c->cpu.halted, c->wait_sipi, __ATOMIC_SEQ_CST);
    x86_mmu_changed(c);
    cpu_update_flags(&c->cpu);
}

void x86_init(struct x86_cpu *c)
{
    log_printf(LOG_INT | LOG_CPU_RESET, "cpu %u: INIT\n", c->cpu.index);
    c->cr0 = (c->cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
    reset_core(c);
    wait_or_run(c);
    if (c->wait_sipi)
        __atomic_fetch_or(&c->cpu.tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
}

void x86_reset(struct cpu *cpu)
{
    struct x86_cpu *c = x86_of(cpu);

    reset_core(c);
    c->cr0 = CR0_CD | CR0_NW | CR0_ET;
    c->xcr0 = 1;
    c->smbase = 0x30000;
    c->star = c->lstar = c->cstar = c->sfmask = c->kernel_gs_base = c->tsc_aux = 0;
    c->sysenter_cs = c->sysenter_esp = c->sysenter_eip = 0;
    c->pkru = 0;
    memset(c->pdpte, 0, sizeof(c->pdpte));
    memset(c->xmm, 0, sizeof(c->xmm));
    memset(c->ymmh, 0, sizeof(c->ymmh));
    memset(c->kvm_k, 0, sizeof(c->kvm_k));
    memset(c->kvm_zmm_high, 0, sizeof(c->kvm_zmm_high));
    memset(c->kvm_zmm_more, 0, sizeof(c->kvm_zmm_more));
    memset(c->fpr, 0, sizeof(c->fpr));
    c->fpu_cw = 0x40;
    c->fpu_sw = 0;
    c->fpu_tw = 0x5555;
    c->fpu_op = c->fpu_cs = c->fpu_ds = 0;
    c->fpu_ip = c->fpu_dp = 0;
    c->mxcsr = 0x1f80;
    x86_msr_reset(c);
    x86_tsc_set(c, 0);
    __atomic_fetch_and(&c->lines, 1u << X86_IRQ_INTR, __ATOMIC_SEQ_CST);
    wait_or_run(c);
}

void x86_free(struct cpu *cpu)
{
    struct x86_cpu *c = x86_of(cpu);

    x86_mmu_free(c);
    g_free((void *)c->model);
    c->model = NULL;
}

/* ---- For boards ---- */

void x86_set_irqchip(struct cpu *cpu, const struct x86_irqchip_ops *ops, void *opaque)
{
    x86_of(cpu)->irqchip = ops;
    x86_of(cpu)->irqchip_opaque = opaque;
}

void x86_set_platform(struct cpu *cpu, const struct x86_platform_ops *ops, void *opaque)
{
    x86_of(cpu)->platform = ops;
    x86_of(cpu)->platform_opaque = opaque;
}

void x86_set_cpu(struct cpu *cpu, struct loop *loop, uint32_t apic_id, unsigned threads,
                 unsigned cores)
{
    struct x86_cpu *c = x86_of(cpu);

    c->loop = loop;
    c->apic_id = apic_id;
    c->threads = MAX(threads, 1);
    c->cores = MAX(cores, 1);
}

uint32_t x86_apic_id(const struct cpu *cpu)
{
    return x86_of_const(cpu)->apic_id;
}

void x86_set_bsp(struct cpu *cpu, bool bsp)
{
    struct x86_cpu *c = x86_of(cpu);

    c->is_bsp = bsp;
    wait_or_run(c);
}

static void change_a20(struct cpu *cpu, void *opaque)
{
    struct x86_cpu *c = x86_of(cpu);
    bool on = opaque;

    if (c->a20 == on)
        return;
    c->a20 = on;
    x86_mmu_changed(c);
}

void x86_set_a20(struct cpu *cpu, bool on)
{
    cpu_run_on(cpu, change_a20, on ? cpu : NULL, false);
}

uint64_t x86_tsc_hz(const struct cpu *cpu)
{
    return x86_of_const(cpu)->tsc_hz;
}

int64_t x86_tsc_ns(const struct cpu *cpu, uint64_t tsc)
{
    int64_t ns = tsc - x86_of_const(cpu)->tsc_offset;

    return MAX(ns, 0);
}

bool x86_has_long_mode(const struct cpu *cpu)
{
    return x86_have(x86_of_const(cpu), FEAT_LM);
}

bool x86_has_la57(const struct cpu *cpu)
{
    return x86_have(x86_of_const(cpu), FEAT_LA57);
}

/* ---- Boot protocols ---- */

static void flat_segments(struct x86_cpu *c, const struct x86_boot_state *s)
{
    static const uint8_t data[] = { S_ES, S_SS, S_DS, S_FS, S_GS };
    unsigned code = 0x9b | ATTR_G | (s->long_mode ? ATTR_L : ATTR_DB);

    x86_seg_set_raw(c, S_CS, s->cs, 0, UINT32_MAX, code);
    for (unsigned k = 0; k < ARRAY_LEN(data); k++)
        x86_seg_set_raw(c, data[k], s->ds, 0, UINT32_MAX, 0x93 | ATTR_G | ATTR_DB);
}

void x86_start_real(struct cpu *cpu, uint16_t cs, uint16_t ip)
{
    struct x86_cpu *c = x86_of(cpu);

    x86_seg_set_real(c, S_CS, cs);
    x86_set_pc(c, ip);
    cpu_update_flags(cpu);
}

void x86_set_boot_state(struct cpu *cpu, const struct x86_boot_state *s)
{
    struct x86_cpu *c = x86_of(cpu);
    uint64_t *hot = cpu->tcg.hot;

    c->gdt = (struct x86_table){ .base = s->gdt, .limit = s->gdt_limit };
    c->cr0 = CR0_PE | CR0_ET | CR0_NE;
    if (s->long_mode) {
        c->cr4 = CR4_PAE | (s->la57 ? CR4_LA57 : 0);
        c->cr3 = s->cr3;
        c->cr0 |= CR0_PG;
        c->efer = EFER_LME | EFER_LMA;
    }
    c->eflags = 0;
    flat_segments(c, s);
    hot[R_AX] = s->rax;
    hot[R_BX] = s->rbx;
    hot[R_CX] = s->rcx;
    hot[R_DX] = s->rdx;
    hot[R_SI] = s->rsi;
    hot[R_DI] = s->rdi;
    hot[R_BP] = s->rbp;
    hot[R_SP] = s->rsp;
    x86_set_pc(c, s->rip);
    x86_mmu_changed(c);
    cpu_update_flags(cpu);
}
