/*
 * RISC-V harts as boards see them: what to write into the devicetree, where time comes from, which
 * interrupt inputs there are. A hart is made by cpu_create("riscv64", "rv64,zba=off", &err).
 *
 *     riscv_set_hart(cpu, loop, hartid, 0x1000);
 *     riscv_set_time(cpu, &aclint_time, aclint);
 *     char *isa = riscv_isa(cpu);                   "rv64imafdc_zicbom_..."
 */
#ifndef TARGET_RISCV_H
#define TARGET_RISCV_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct loop;

/* Lines of cpu_ops.set_irq: their bits in mip. */
enum riscv_irq {
    RISCV_IRQ_SSIP = 1, /* a rising edge sets the bit, software clears it */
    RISCV_IRQ_MSIP = 3,
    RISCV_IRQ_MTIP = 7,
    RISCV_IRQ_SEIP = 9,
    RISCV_IRQ_MEIP = 11,
};

/* Bytes that one cache-block instruction works on: riscv,cbom-block-size, riscv,cboz-block-size. */
#define RISCV_CACHE_BLOCK 64

/* The platform's real-time counter, the CSR time. Called by any thread, without the device lock. */
struct riscv_time_ops {
    uint64_t (*read)(void *opaque);
    /* Nanoseconds of CLK_VIRTUAL at which the counter reaches @ticks, INT64_MAX for never. */
    int64_t (*deadline)(void *opaque, uint64_t ticks);
};

/* Wires a new hart; both before it first runs. @reset_pc: where it starts. Without a time source
 * time reads as 0 and stimecmp never matches. @ops and @opaque must outlive the hart. */
void riscv_set_hart(struct cpu *cpu, struct loop *loop, uint64_t hartid, uint64_t reset_pc);
void riscv_set_time(struct cpu *cpu, const struct riscv_time_ops *ops, void *opaque);

/* To be called when the counter was set: timers on it are due at another time then. Any thread. */
void riscv_time_jumped(struct cpu *cpu);

uint64_t riscv_hartid(const struct cpu *cpu);
/* 32 or 64 */
unsigned riscv_xlen(const struct cpu *cpu);

/* Devicetree texts; g_free() / g_strfreev(). riscv,isa: "rv64imafdc_zicbom"; riscv,isa-base:
 * "rv64i"; riscv,isa-extensions: "i", "m", ... */
char *riscv_isa(const struct cpu *cpu);
const char *riscv_isa_base(const struct cpu *cpu);
char **riscv_isa_extensions(const struct cpu *cpu);
/* "riscv,sv57", "riscv,none" */
const char *riscv_mmu_type(const struct cpu *cpu);
bool riscv_has_ext(const struct cpu *cpu, const char *name);

/* Registers of a hart that does not run, for boards that play boot loader. @n: 1 to 31. */
void riscv_set_x(struct cpu *cpu, unsigned n, uint64_t val);
uint64_t riscv_get_x(const struct cpu *cpu, unsigned n);
void riscv_set_pc(struct cpu *cpu, uint64_t pc);

#endif
