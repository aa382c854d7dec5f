/*
 * Ports: who may use them (IOPL, and the bitmap of the TSS, Intel volume 1, chapter 18), and the
 * way to the devices.
 */
#include <hw/core/machine.h>
#include <mem/space.h>
#include "debug.h"
#include "sys.h"
#include "x87.h"

/* The 32-bit TSS says where the bitmap begins; a bit that is clear allows a port. */
static bool bitmap_allows(struct x86_cpu *c, uint16_t port, unsigned size)
{
    unsigned mode = x86_system_mode(c), base, bits;

    if (!(c->tr.attr & ATTR_P) || !(c->tr.attr & 8) || c->tr.limit < 0x67)
        return false;
    base = x86_load(c, x86_linear(c, c->tr.base + 0x66), 1, mode) + port / 8;
    if (base + 1 > c->tr.limit)
        return false;
    bits = x86_load(c, x86_linear(c, c->tr.base + base), 1, mode);
    return !(bits >> (port % 8) & ((1u << size) - 1));
}

void x86_check_io(struct x86_cpu *c, uint16_t port, unsigned size)
{
    bool free = !(c->cr0 & CR0_PE) || (!(c->eflags & FLAG_VM) && x86_cpl(c) <= x86_iopl(c));

    if (!free && !bitmap_allows(c, port, size))
        x86_gp(c, 0);
}

uint32_t x86_port_in(struct x86_cpu *c, uint16_t port, unsigned size)
{
    uint64_t val = ~0ULL;

    x87_settle(c); /* device code may use the host's */
    if (c->cpu.machine && space_load(&c->cpu.machine->ports, port, size, &val, 0) != MEM_OK)
        val = ~0ULL;
    x86_debug_io(c, port, size);
    return val & mask64(8 * size);
}

void x86_port_out(struct x86_cpu *c, uint16_t port, unsigned size, uint32_t val)
{
    x87_settle(c);
    if (c->cpu.machine)
        space_store(&c->cpu.machine->ports, port, size, val, 0);
    x86_debug_io(c, port, size);
}

bool x86_port_move(struct x86_cpu *c, uint16_t port, unsigned size, void *buf, uint64_t n, bool in)
{
    if (!c->cpu.machine || x86_debug_ports(c))
        return false;
    x87_settle(c);
    if (in)
        space_load_n(&c->cpu.machine->ports, port, size, buf, n, 0);
    else
        space_store_n(&c->cpu.machine->ports, port, size, buf, n, 0);
    return true;
}

static const uint8_t port_regs[6] = { R_AX, R_BX, R_CX, R_DX, R_SI, R_DI };

void x86_port_regs(struct cpu *cpu, uint32_t regs[6])
{
    for (unsigned i = 0; i < 6; i++)
        regs[i] = (uint32_t)cpu->tcg.hot[port_regs[i]];
}

/* As a 32-bit instruction would. */
void x86_set_port_regs(struct cpu *cpu, const uint32_t regs[6])
{
    for (unsigned i = 0; i < 6; i++)
        cpu->tcg.hot[port_regs[i]] = regs[i];
}
