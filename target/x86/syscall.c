/*
 * SYSCALL, SYSRET, SYSENTER, SYSEXIT (Intel volume 2; AMD volume 3), and chance.
 */
#include <sys/random.h>
#include <hw/core/machine.h>
#include "feature.h"
#include "syscall.h"
#include "sys.h"
#include "tsc.h"

static void flat_code(struct x86_cpu *c, uint16_t sel, unsigned dpl, bool is64)
{
    x86_seg_set_raw(c, S_CS, sel, 0, UINT32_MAX,
                    0x9b | dpl << ATTR_DPL_SHIFT | ATTR_G | (is64 ? ATTR_L : ATTR_DB));
}

static void flat_stack(struct x86_cpu *c, uint16_t sel, unsigned dpl)
{
    x86_seg_set_raw(c, S_SS, sel, 0, UINT32_MAX, 0x93 | dpl << ATTR_DPL_SHIFT | ATTR_G | ATTR_DB);
}

static uint64_t go(struct x86_cpu *c, uint64_t rip)
{
    uint64_t pc = x86_set_pc(c, rip);

    cpu_update_flags(&c->cpu);
    return pc;
}

uint64_t x86_syscall(struct x86_cpu *c, uint64_t next)
{
    uint64_t *hot = c->cpu.tcg.hot;
    bool code64 = x86_code64(c);

    if (!(c->efer & EFER_SCE) || !(c->cr0 & CR0_PE) || c->eflags & FLAG_VM ||
        (c->model->vendor_kind == VENDOR_INTEL && !code64))
        x86_raise(c, EXC_UD);
    hot[R_CX] = next;
    if (x86_lma(c)) {
        hot[R_11] = x86_eflags(c) & ~(uint32_t)FLAG_RF;
        x86_set_eflags(c, 0, (uint32_t)c->sfmask | FLAG_RF);
        flat_code(c, c->star >> 32 & 0xfffc, 0, true);
    } else {
        x86_set_eflags(c, 0, FLAG_IF | FLAG_RF | FLAG_VM);
        flat_code(c, c->star >> 32 & 0xfffc, 0, false);
    }
    flat_stack(c, (c->star >> 32 & 0xfffc) + 8, 0);
    if (!x86_lma(c))
        return go(c, (uint32_t)c->star);
    return go(c, code64 ? c->lstar : c->cstar);
}

/* Flags that SYSRET takes from R11. */
#define SYSRET_FLAGS (0x3c7fd7u & ~(uint32_t)FLAG_RF)

uint64_t x86_sysret(struct x86_cpu *c, unsigned opsize)
{
    uint64_t *hot = c->cpu.tcg.hot, rip = hot[R_CX];
    uint16_t base = c->star >> 48;
    bool to64 = opsize == 3;

    if (!(c->efer & EFER_SCE) || (c->model->vendor_kind == VENDOR_INTEL && !x86_code64(c)))
        x86_raise(c, EXC_UD);
    if (!to64)
        rip = (uint32_t)rip;
    else if (!x86_canonical(c, rip))
        x86_gp(c, 0);
    flat_code(c, (base + (to64 ? 16 : 0)) | 3, 3, to64);
    flat_stack(c, (base + 8) | 3, 3);
    if (x86_lma(c))
        x86_set_eflags(c, hot[R_11], SYSRET_FLAGS);
    else
        x86_set_eflags(c, FLAG_IF, FLAG_IF);
    x86_check_irq(c);
    return go(c, rip);
}

uint64_t x86_sysenter(struct x86_cpu *c)
{
    uint16_t cs = c->sysenter_cs & 0xfffc;

    if (!cs)
        x86_gp(c, 0);
    x86_set_eflags(c, 0, FLAG_VM | FLAG_IF | FLAG_RF);
    flat_code(c, cs, 0, x86_lma(c));
    flat_stack(c, cs + 8, 0);
    c->cpu.tcg.hot[R_SP] = x86_lma(c) ? c->sysenter_esp : (uint32_t)c->sysenter_esp;
    return go(c, x86_lma(c) ? c->sysenter_eip : (uint32_t)c->sysenter_eip);
}

uint64_t x86_sysexit(struct x86_cpu *c, unsigned opsize)
{
    uint64_t *hot = c->cpu.tcg.hot, rip = hot[R_DX], rsp = hot[R_CX];
    uint16_t cs = c->sysenter_cs & 0xfffc;
    bool to64 = opsize == 3;

    if (!cs || (to64 && (!x86_canonical(c, rip) || !x86_canonical(c, rsp))))
        x86_gp(c, 0);
    flat_code(c, (cs + (to64 ? 32 : 16)) | 3, 3, to64);
    flat_stack(c, (cs + (to64 ? 40 : 24)) | 3, 3);
    hot[R_SP] = to64 ? rsp : (uint32_t)rsp;
    return go(c, to64 ? rip : (uint32_t)rip);
}

uint64_t x86_random(struct x86_cpu *c)
{
    uint64_t val = 0;

    if (c->cpu.machine)
        machine_random(c->cpu.machine, &val, sizeof(val));
    else if (getrandom(&val, sizeof(val), 0) < 0)
        val = x86_tsc(c);
    return val;
}

bool x86_alone(const struct x86_cpu *c)
{
    return !c->cpu.machine || c->cpu.machine->cpus->len <= 1;
}
