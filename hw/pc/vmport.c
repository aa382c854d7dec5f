/* VMware's port on the board: whose registers it sees. */
#include "pc.h"

#include <hw/misc/vmport.h>
#include <target/cpu.h>

/* NULL: a test, or whoever else is no CPU. */
static struct cpu *accessing(const struct pc *pc)
{
    for (unsigned i = 0; i < pc->m.cpus->len; i++) {
        struct cpu *cpu = pc->m.cpus->pdata[i];

        if (cpu->has_thread && pthread_equal(cpu->thread, pthread_self()))
            return cpu;
    }
    return NULL;
}

static bool get_regs(void *opaque, uint32_t *regs)
{
    struct cpu *cpu = accessing(opaque);

    if (!cpu || (cpu->accel_ops->device_regs && !cpu->accel_ops->device_regs(cpu, false)))
        return false;
    x86_port_regs(cpu, regs);
    return true;
}

static void set_regs(void *opaque, const uint32_t *regs)
{
    struct cpu *cpu = accessing(opaque);

    if (!cpu)
        return;
    x86_set_port_regs(cpu, regs);
    if (cpu->accel_ops->device_regs)
        cpu->accel_ops->device_regs(cpu, true);
}

static uint64_t tsc_hz(void *opaque)
{
    const struct pc *pc = opaque;

    return x86_tsc_hz(pc->m.cpus->pdata[0]);
}

static const struct vmport_cpu_ops cpu_ops = { get_regs, set_regs, tsc_hz };

static struct device *add(struct pc *pc, const char *type, GError **err)
{
    struct device *dev = device_new(&pc->m, device_type_find("pc", type, NULL), type);

    return device_realize(dev, &pc->isa->bus, err) ? dev : NULL;
}

bool pc_vmport_init(struct pc *pc, GError **err)
{
    struct device *port, *mouse;

    if (pc->vmport == OFF)
        return true;
    port = add(pc, "vmport", err);
    if (!port)
        return false;
    vmport_connect(port, &cpu_ops, pc);
    mouse = add(pc, "vmmouse", err);
    if (!mouse)
        return false;
    vmmouse_connect(mouse, port, pc->kbd);
    return true;
}
