/*
 * amocas.q: compare and swap of 16 bytes (Zacas).
 */
#include "helper.h"
#include "riscv.h"

/* Registers @rd, @rd + 1 and @rs2, @rs2 + 1; x0 stands for a pair of zeros. */
static unsigned __int128 pair(const struct riscv_cpu *c, unsigned n)
{
    const uint64_t *x = c->cpu.tcg.hot;

    return n ? (unsigned __int128)x[n + 1] << 64 | x[n] : 0;
}

#ifdef __x86_64__
__attribute__((target("cx16")))
#endif
static unsigned __int128
swap(unsigned __int128 *p, unsigned __int128 old, unsigned __int128 new)
{
    return __sync_val_compare_and_swap(p, old, new);
}

/*
 * Where the block is no plain memory, or holds code that must be noticed to change, it is done in
 * two halves; the hart then sees the effect, but others may see half of it.
 */
static unsigned __int128 swap_halves(struct cpu *cpu, uint64_t addr, unsigned __int128 old,
                                     unsigned __int128 new)
{
    uint16_t mem = IR_MEM(3, cpu->ops->data_mode(cpu), 0);
    unsigned __int128 was = cpu_amo(cpu, addr, 0, mem, IR_AMO_OR); /* faults as a store does */

    was |= (unsigned __int128)cpu_amo(cpu, addr + 8, 0, mem, IR_AMO_OR) << 64;
    if (was != old)
        new = was;
    cpu_store(cpu, addr, new, mem);
    cpu_store(cpu, addr + 8, new >> 64, mem);
    return was;
}

static void h_amocas_q(struct cpu *cpu, uint64_t addr, uint32_t rd, uint32_t rs2)
{
    struct riscv_cpu *c = riscv_of(cpu);
    unsigned __int128 was;
    void *host;

    if (addr & 15)
        riscv_raise(c, EXC_STORE_MISALIGNED, addr);
    host = cpu_host(cpu, addr, 16, ACCESS_WRITE, cpu->ops->data_mode(cpu));
    was = host ? swap(host, pair(c, rd), pair(c, rs2))
               : swap_halves(cpu, addr, pair(c, rd), pair(c, rs2));
    if (!rd)
        return;
    cpu->tcg.hot[rd] = was;
    cpu->tcg.hot[rd + 1] = was >> 64;
}
HELPER_DEFINE(amocas_q, IR_H_CPU | IR_H_READS | IR_H_WRITES | IR_H_RAISES, IR_VOID, 3, IR_I64,
              IR_I32, IR_I32);
