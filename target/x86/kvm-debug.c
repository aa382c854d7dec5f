/*
 * gdb's breakpoints, watchpoints and steps under KVM (4.77, KVM_SET_GUEST_DEBUG): the four debug
 * registers for as many as they hold, and INT3 in memory for breakpoints beyond those.
 */
#include <errno.h>
#include <base/log.h>
#include "debug.h"
#include "kvm.h"

enum { REGISTERS = 4, WHAT_FETCH = 0, WHAT_STORE = 1, WHAT_ACCESS = 3 };
enum { DR6_HIT = 15 };

/* Places that fit a register each: of 1, 2, 4 or 8 bytes and aligned to that. */
struct places {
    uint64_t addr[REGISTERS];
    uint8_t what[REGISTERS], size[REGISTERS]; /* log2 of bytes */
    unsigned n;
};

static void add_watch(struct places *p, const struct cpu_watchpoint *w)
{
    uint64_t at = w->addr, end = w->addr + w->len;

    while (at < end && p->n < REGISTERS) {
        unsigned size = 3;

        while (size && (at & ((1u << size) - 1) || at + (1u << size) > end))
            size--;
        p->addr[p->n] = at;
        p->size[p->n] = (uint8_t)size;
        p->what[p->n++] = w->kind == WATCH_WRITE ? WHAT_STORE : WHAT_ACCESS;
        at += 1u << size;
    }
    if (at < end)
        log_printf(LOG_UNIMP, "kvm: no debug register is left for a watchpoint\n");
}

static struct places places_of(const struct cpu *cpu)
{
    struct places p = { .n = 0 };

    for (unsigned i = 0; i < cpu->watchpoints->len; i++)
        add_watch(&p, &g_array_index(cpu->watchpoints, struct cpu_watchpoint, i));
    for (unsigned i = 0; i < cpu->breakpoints->len && p.n < REGISTERS; i++, p.n++)
        p.addr[p.n] = g_array_index(cpu->breakpoints, struct cpu_breakpoint, i).pc;
    return p;
}

unsigned kvm_x86_first_patched(const struct cpu *cpu)
{
    const struct places p = places_of(cpu);
    unsigned in_registers = 0;

    for (unsigned i = 0; i < p.n; i++)
        in_registers += p.what[i] == WHAT_FETCH;
    return in_registers;
}

/* DR7's length fields: 1, 2, 8, 4 bytes. */
static uint64_t dr7_of(const struct places *p)
{
    static const uint8_t lengths[] = { 0, 1, 3, 2 };
    uint64_t dr7 = 0x600;

    for (unsigned i = 0; i < p->n; i++)
        dr7 |= 2ULL << 2 * i | (uint64_t)(p->what[i] | lengths[p->size[i]] << 2) << (16 + 4 * i);
    return dr7;
}

bool kvm_x86_set_debug(struct kvm_vcpu *v)
{
    const struct cpu *cpu = v->cpu;
    const struct places p = places_of(cpu);
    struct kvm_guest_debug d = { 0 };

    if (cpu->single_step) {
        d.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
        if (!cpu->step_irqs && kvm_check(v->vm, KVM_CAP_SET_GUEST_DEBUG2) & KVM_GUESTDBG_BLOCKIRQ)
            d.control |= KVM_GUESTDBG_BLOCKIRQ;
    }
    if (p.n) {
        d.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP;
        memcpy(d.arch.debugreg, p.addr, sizeof(p.addr));
        d.arch.debugreg[7] = dr7_of(&p);
    }
    if (cpu->breakpoints->len > kvm_x86_first_patched(cpu))
        d.control |= KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
    if (ioctl(v->fd, KVM_SET_GUEST_DEBUG, &d) < 0)
        log_printf(LOG_UNIMP, "kvm: KVM_SET_GUEST_DEBUG: %s\n", g_strerror(errno));
    return d.control;
}

/* The guest's own breakpoint or step. */
static void give_back(struct kvm_vcpu *v, const struct kvm_debug_exit_arch *d)
{
    kvm_take_registers(v);
    x86_of(v->cpu)->kvm_event[0] = 1 | (uint64_t)d->exception << 16; /* injected */
    if (d->exception == EXC_DB)
        x86_of(v->cpu)->dr[6] = d->dr6;
}

static bool is_breakpoint(const struct cpu *cpu, uint64_t pc)
{
    for (unsigned i = 0; i < cpu->breakpoints->len; i++)
        if (g_array_index(cpu->breakpoints, struct cpu_breakpoint, i).pc == pc)
            return true;
    return false;
}

static bool find_hit(struct cpu *cpu, uint64_t dr6)
{
    const struct places p = places_of(cpu);

    for (unsigned i = 0; i < p.n; i++) {
        if (!(dr6 >> i & 1))
            continue;
        cpu->debug_stop.reason = p.what[i] == WHAT_FETCH ? DEBUG_BREAK : DEBUG_WATCH;
        cpu->debug_stop.addr = p.addr[i];
        cpu->debug_stop.kind = p.what[i] == WHAT_STORE ? WATCH_WRITE : WATCH_READ | WATCH_WRITE;
        for (unsigned k = 0; k < cpu->watchpoints->len; k++) {
            const struct cpu_watchpoint *w =
                &g_array_index(cpu->watchpoints, struct cpu_watchpoint, k);

            if (p.what[i] != WHAT_FETCH && p.addr[i] - w->addr < w->len)
                cpu->debug_stop.kind = w->kind;
        }
        return true;
    }
    return false;
}

enum kvm_done kvm_x86_debug_exit(struct kvm_vcpu *v)
{
    const struct kvm_debug_exit_arch *d = &v->run->debug.arch;
    struct cpu *cpu = v->cpu;

    if (d->exception == EXC_BP && is_breakpoint(cpu, d->pc))
        cpu->debug_stop.reason = DEBUG_BREAK;
    else if (d->exception == EXC_DB && d->dr6 & DR6_BS && cpu->single_step)
        cpu->debug_stop.reason = DEBUG_STEP;
    else if (d->exception != EXC_DB || !(d->dr6 & DR6_HIT) || !find_hit(cpu, d->dr6)) {
        give_back(v, d);
        return KVM_DONE;
    }
    return KVM_STOPPED;
}
