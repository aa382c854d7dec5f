/* The processors of a PC and what stands around each: A20 gate, numeric errors, SMRAM. */
#include "pc.h"

#include <string.h>
#include <base/bits.h>
#include <base/loop.h>
#include <hw/core/host_irqchip.h>
#include <hw/irqchip/apic.h>
#include <hw/irqchip/i8259.h>
#include <hw/irqchip/ioapic.h>
#include <hw/pci/i440fx.h>
#include <hw/timer/hpet.h>
#include <hw/timer/i8254.h>
#include <target/cpu.h>

#define FPU_PORT 0xf0 /* a write takes IRQ 13 back */

/* ---- what a CPU asks of the board ---- */

static void enter_smm(void *opaque, bool in_smm)
{
    struct cpu *cpu = opaque;
    struct pc *pc = (struct pc *)cpu->machine;

    if (pc->host)
        cpu->as = in_smm ? i440fx_smm_space(pc->host) : &pc->m.memory;
}

static void numeric_error(void *opaque)
{
    const struct cpu *cpu = opaque;
    struct pc *pc = (struct pc *)cpu->machine;
    bool taken = loop_lock_if(pc->m.loop);

    irq_raise(&pc->fpu_line);
    loop_unlock_if(pc->m.loop, taken);
}

static void triple_fault(void *opaque)
{
    const struct cpu *cpu = opaque;

    machine_request_reset(cpu->machine, CAUSE_GUEST_RESET);
}

static const struct x86_platform_ops platform = { enter_smm, numeric_error, triple_fault };

static uint64_t fpu_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    return 0xff;
}

static void fpu_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    const struct pc *pc = opaque;

    (void)offset, (void)value, (void)size;
    irq_lower(&pc->fpu_line);
}

static const struct io_ops fpu_io = { .read = fpu_read, .write = fpu_write, .own_sizes = { 1, 1 } };

/* ---- A20 ---- */

static void a20_changed(void *opaque, unsigned n, bool level)
{
    const struct pc *pc = opaque;

    (void)n;
    for (unsigned i = 0; i < pc->m.cpus->len; i++)
        x86_set_a20(pc->m.cpus->pdata[i], level);
}

/* ---- interrupts ---- */

static void drive(void *opaque, unsigned line, bool level)
{
    struct cpu *cpu = opaque;

    cpu->ops->set_irq(cpu, line, level);
}

static struct irq_line cpu_input(struct cpu *cpu, enum x86_irq line)
{
    return (struct irq_line){ drive, cpu, line };
}

/* Threads of CPUs are the only ones whose accesses to the APICs' registers mean one CPU's own. */
static unsigned current_cpu(void *opaque)
{
    const struct pc *pc = opaque;

    for (unsigned i = 0; i < pc->m.cpus->len; i++) {
        const struct cpu *cpu = pc->m.cpus->pdata[i];

        if (cpu->has_thread && pthread_equal(cpu->thread, pthread_self()))
            return i;
    }
    return 0;
}

static void start_cpu(void *opaque, unsigned n, uint8_t vector)
{
    const struct pc *pc = opaque;

    if (n < pc->m.cpus->len)
        x86_sipi(pc->m.cpus->pdata[n], vector);
}

static int64_t tsc_deadline(void *opaque, unsigned n, uint64_t tsc)
{
    const struct pc *pc = opaque;

    return n < pc->m.cpus->len ? x86_tsc_ns(pc->m.cpus->pdata[n], tsc) : INT64_MAX;
}

static const struct apic_board_ops apic_board = { current_cpu, start_cpu, tsc_deadline };

static const struct x86_irqchip_ops apic_chip = {
    .ack = apic_cpu_ack,
    .get_tpr = apic_cpu_get_tpr,
    .set_tpr = apic_cpu_set_tpr,
    .read_msr = apic_cpu_read_msr,
    .write_msr = apic_cpu_write_msr,
    .page = apic_cpu_page,
    .eoi = apic_cpu_eoi,
};

/* Without APICs, the 8259s speak to the only CPU. */
static int pic_ack(void *opaque)
{
    struct device *pic = opaque;
    bool taken = loop_lock_if(device_loop(pic));
    int vector = i8259_pending(pic) ? i8259_ack(pic) : -1;

    loop_unlock_if(device_loop(pic), taken);
    return vector;
}

static const struct x86_irqchip_ops pic_chip = { .ack = pic_ack };

bool pc_use_host_irqchip(struct machine *m, const struct host_irqchip *host)
{
    const struct pc *pc = (struct pc *)m;

    if (!pc->apic)
        return false;
    apic_set_host(pc->apic, host);
    if (host && !host->all)
        host = NULL;
    i8259_set_host(pc->pic, host);
    ioapic_set_host(pc->ioapic, host);
    i8254_set_host(pc->pit, host);
    hpet_set_host(pc->hpet, host);
    return true;
}

void pc_host_chips(struct machine *m, struct host_chips *c, bool load)
{
    const struct pc *pc = (struct pc *)m;

    i8259_registers(pc->pic, c->pic, load);
    ioapic_registers(pc->ioapic, &c->ioapic, load);
    i8254_registers(pc->pit, c, load);
}

static void wire_cpu(struct pc *pc, struct cpu *cpu, unsigned n)
{
    if (!pc->apic) {
        device_connect_irq(pc->pic, 0, cpu_input(cpu, X86_IRQ_INTR));
        x86_set_irqchip(cpu, &pic_chip, pc->pic);
        return;
    }
    apic_set_id(pc->apic, n, (uint8_t)pc_apic_id(pc, n));
    device_connect_irq_named(pc->apic, "intr", n, cpu_input(cpu, X86_IRQ_INTR));
    device_connect_irq_named(pc->apic, "nmi", n, cpu_input(cpu, X86_IRQ_NMI));
    device_connect_irq_named(pc->apic, "smi", n, cpu_input(cpu, X86_IRQ_SMI));
    device_connect_irq_named(pc->apic, "init", n, cpu_input(cpu, X86_IRQ_INIT));
    x86_set_irqchip(cpu, &apic_chip, apic_of_cpu(pc->apic, n));
}

/* ---- making them ---- */

static unsigned bits_for(unsigned count)
{
    unsigned bits = 0;

    while (1u << bits < count)
        bits++;
    return bits;
}

uint32_t pc_apic_id(const struct pc *pc, unsigned n)
{
    const struct machine_config *c = &pc->m.cfg;
    unsigned threads = MAX(c->threads, 1), cores = MAX(c->cores, 1);
    unsigned thread_bits = bits_for(threads), core_bits = bits_for(cores);
    unsigned thread = n % threads, core = n / threads % cores, socket = n / (threads * cores);

    return thread | core << thread_bits | socket << (thread_bits + core_bits);
}

bool pc_has_long_mode(const struct pc *pc)
{
    if (!pc->m.cpus->len)
        return strcmp(pc->m.cfg.arch, "x86_64") == 0;
    return x86_has_long_mode(pc->m.cpus->pdata[0]);
}

static bool add_cpu(struct pc *pc, unsigned n, GError **err)
{
    struct machine *m = &pc->m;
    struct cpu *cpu = cpu_create(m->cfg.arch, m->cfg.cpu, err);

    if (!cpu)
        return false;
    cpu->machine = m;
    cpu->as = &m->memory;
    cpu->index = n;
    x86_set_cpu(cpu, m->loop, pc_apic_id(pc, n), MAX(m->cfg.threads, 1), MAX(m->cfg.cores, 1));
    x86_set_bsp(cpu, n == 0);
    if (pc->above_4g)
        x86_reach(cpu, BIT(32) + pc->above_4g);
    x86_set_platform(cpu, &platform, cpu);
    wire_cpu(pc, cpu, n);
    g_ptr_array_add(m->cpus, cpu);
    cpu_add_state(cpu);
    return true;
}

bool pc_cpus_init(struct pc *pc, GError **err)
{
    struct machine *m = &pc->m;

    device_connect_irq_named(pc->kbd, "a20", 0, (struct irq_line){ a20_changed, pc, 0 });
    pc->fpu_line = isa_bus_line(pc->isa, PC_IRQ_FPU);
    mem_region_init_io(&pc->fpu_io, m->mem, &fpu_io, pc, "ioportF0", 1);
    mem_region_add(&m->io, FPU_PORT, &pc->fpu_io);
    if (pc->apic)
        apic_connect(pc->apic, &apic_board, pc, pc->pic);
    for (unsigned i = 0; i < m->cfg.cpus && !m->cfg.no_cpus; i++)
        if (!add_cpu(pc, i, err))
            return false;
    if (pc->pm && m->cpus->len)
        device_connect_irq_named(pc->pm, "smi", 0, cpu_input(m->cpus->pdata[0], X86_IRQ_SMI));
    return true;
}

void pc_cpus_free(struct pc *pc)
{
    mem_region_destroy(&pc->fpu_io);
    g_ptr_array_foreach(pc->m.cpus, (GFunc)(void (*)(void))cpu_free, NULL);
}
