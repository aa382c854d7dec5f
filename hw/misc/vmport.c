/* See hw/misc/vmport.h. */
#include <hw/misc/vmport.h>

#include <base/bits.h>
#include <base/bug.h>
#include <base/clock.h>
#include <hw/isa/isa.h>

#define PORT       0x5658
#define MAGIC      0x564d5868u
#define COMMANDS   128
#define RAM_MAGIC  0x1177
#define MAX_LAG_US 1000000
#define APIC_HZ    1000000000u

enum command {
    GET_VERSION = 10,
    GET_UUID = 19,
    GET_RAM_SIZE = 20,
    GET_TIME = 23,
    GET_HZ = 45,
    GET_TIME_FULL = 46,
    GET_VCPU_INFO = 68,
};

struct vmport {
    struct device dev;
    struct mem_region io;
    const struct vmport_cpu_ops *cpu;
    void *opaque;
    struct {
        vmport_fn *fn;
        void *opaque;
    } commands[COMMANDS];
    uint32_t version; /* properties */
    uint8_t type;
};

static uint64_t port_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct vmport *v = opaque;
    uint32_t regs[VMPORT_REGS];
    unsigned command;

    (void)offset;
    if (size != 4 || !v->cpu || !v->cpu->get(v->opaque, regs) || regs[VMPORT_EAX] != MAGIC)
        return UINT32_MAX;
    command = regs[VMPORT_ECX] & 0xffff;
    regs[VMPORT_EAX] = UINT32_MAX;
    if (command < COMMANDS && v->commands[command].fn)
        v->commands[command].fn(v->commands[command].opaque, regs);
    v->cpu->set(v->opaque, regs);
    return regs[VMPORT_EAX];
}

static void port_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)opaque, (void)offset, (void)value, (void)size; /* only reads are commands */
}

static const struct io_ops port_io = {
    .read = port_read,
    .write = port_write,
    .guest_sizes = { 1, 4 },
    .unaligned = IO_UNALIGNED_PASS,
};

/* ---- commands ---- */

static void get_version(void *opaque, uint32_t *r)
{
    const struct vmport *v = opaque;

    r[VMPORT_EAX] = v->version;
    r[VMPORT_EBX] = MAGIC;
    r[VMPORT_ECX] = v->type;
}

static void get_uuid(void *opaque, uint32_t *r)
{
    const uint8_t *uuid = ((struct vmport *)opaque)->dev.machine->cfg.uuid;

    for (unsigned i = 0; i < 4; i++)
        r[i] = ldl_le(uuid + 4 * i);
}

static void get_ram_size(void *opaque, uint32_t *r)
{
    uint64_t size = ((struct vmport *)opaque)->dev.machine->cfg.ram_size;

    r[VMPORT_EBX] = RAM_MAGIC;
    r[VMPORT_EAX] = (uint32_t)MIN(size, UINT32_MAX);
}

static void get_time(void *opaque, uint32_t *r)
{
    int64_t now = clock_ns(device_loop(opaque), CLK_HOST);

    r[VMPORT_EAX] = (uint32_t)(now / NS_PER_SEC);
    r[VMPORT_EBX] = (uint32_t)(now % NS_PER_SEC / 1000);
    r[VMPORT_ECX] = MAX_LAG_US;
}

static void get_time_full(void *opaque, uint32_t *r)
{
    int64_t now = clock_ns(device_loop(opaque), CLK_HOST);

    r[VMPORT_EAX] = MAGIC;
    r[VMPORT_EDX] = (uint32_t)(now / NS_PER_SEC);
    r[VMPORT_ESI] = (uint32_t)(now / NS_PER_SEC >> 32);
    r[VMPORT_EBX] = (uint32_t)(now % NS_PER_SEC / 1000);
    r[VMPORT_ECX] = MAX_LAG_US;
}

static void get_hz(void *opaque, uint32_t *r)
{
    const struct vmport *v = opaque;
    uint64_t hz = v->cpu->tsc_hz(v->opaque);

    r[VMPORT_EAX] = (uint32_t)hz;
    r[VMPORT_EBX] = (uint32_t)(hz >> 32);
    r[VMPORT_ECX] = APIC_HZ;
}

/* No bit of these promises anything here. */
static void get_vcpu_info(void *opaque, uint32_t *r)
{
    (void)opaque;
    r[VMPORT_EAX] = 0;
}

static const struct {
    enum command n;
    vmport_fn *fn;
} own_commands[] = {
    { GET_VERSION, get_version },     { GET_UUID, get_uuid }, { GET_RAM_SIZE, get_ram_size },
    { GET_TIME, get_time },           { GET_HZ, get_hz },     { GET_TIME_FULL, get_time_full },
    { GET_VCPU_INFO, get_vcpu_info },
};

/* ---- life ---- */

void vmport_connect(struct device *vmport, const struct vmport_cpu_ops *ops, void *opaque)
{
    struct vmport *v = (struct vmport *)vmport;

    v->cpu = ops;
    v->opaque = opaque;
}

void vmport_set_command(struct device *vmport, unsigned n, vmport_fn *fn, void *opaque)
{
    struct vmport *v = (struct vmport *)vmport;

    bug_on(n >= COMMANDS);
    v->commands[n].fn = fn;
    v->commands[n].opaque = opaque;
}

static bool vmport_realize(struct device *dev, GError **err)
{
    struct vmport *v = (struct vmport *)dev;

    for (unsigned i = 0; i < ARRAY_LEN(own_commands); i++)
        vmport_set_command(dev, own_commands[i].n, own_commands[i].fn, v);
    mem_region_init_io(&v->io, device_mem(dev), &port_io, v, "vmport", 4);
    if (isa_add_ports(dev, &v->io, PORT, err))
        return true;
    mem_region_destroy(&v->io);
    return false;
}

static void vmport_unrealize(struct device *dev)
{
    mem_region_destroy(&((struct vmport *)dev)->io);
}

static const struct prop vmport_props[] = {
    PROP_U32(struct vmport, version, "vmware-vmx-version", 6, "version that guests are told"),
    PROP_U8(struct vmport, type, "vmware-vmx-type", 2, "product that guests are told of"),
    PROP_LIST_END
};

const struct device_type vmport_type = {
    .name = "vmport",
    .help = "VMware's port 5658h",
    .bus = BUS_ISA,
    .size = sizeof(struct vmport),
    .internal = true,
    .category = "misc",
    .realize = vmport_realize,
    .unrealize = vmport_unrealize,
    .props = vmport_props,
};
