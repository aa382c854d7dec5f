/* The processors of a PC and what stands around each. */
#include "pc.h"

#include <string.h>

#define FPU_PORT 0xf0 /* a write takes IRQ 13 back */

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
    return strcmp(pc->m.cfg.arch, "x86_64") == 0;
}

bool pc_cpus_init(struct pc *pc, GError **err)
{
    struct machine *m = &pc->m;

    (void)err;
    pc->fpu_line = isa_bus_line(pc->isa, PC_IRQ_FPU);
    mem_region_init_io(&pc->fpu_io, m->mem, &fpu_io, pc, "ioportF0", 1);
    mem_region_add(&m->io, FPU_PORT, &pc->fpu_io);
    return true;
}

void pc_cpus_free(struct pc *pc)
{
    mem_region_destroy(&pc->fpu_io);
}
