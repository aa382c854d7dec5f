/*
 * What generated code and the interpreter need from the accelerator that runs them: slow paths of
 * memory access and the way on from an exit. The accelerator fills one `struct tcg_runtime`; the
 * translator library knows neither guest nor device.
 *
 * Functions that may raise a guest exception do not return then; they expect slots and
 * tcg_cpu.pc to be exact. Addresses and values are zero extended.
 */
#ifndef TCG_RUNTIME_H
#define TCG_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>
#include <tcg/abi.h>

union tcg_wide {
    uint8_t b[16];
    uint64_t q[2];
};

struct tcg_runtime {
    /* Loads up to 8 bytes, extended to 64 bits as @mem (enum IR_MEM_*) says. May raise. */
    uint64_t (*load)(struct tcg_cpu *cpu, uint64_t addr, uint32_t mem);
    void (*store)(struct tcg_cpu *cpu, uint64_t addr, uint64_t val, uint32_t mem);
    /* 16 byte accesses. */
    void (*load_wide)(struct tcg_cpu *cpu, uint64_t addr, union tcg_wide *val, uint32_t mem);
    void (*store_wide)(struct tcg_cpu *cpu, uint64_t addr, const union tcg_wide *val, uint32_t mem);
    /* @op: enum ir_amo. The old value, extended as @mem says. */
    uint64_t (*amo)(struct tcg_cpu *cpu, uint64_t addr, uint64_t val, uint32_t mem, uint32_t op);
    uint64_t (*cmpxchg)(struct tcg_cpu *cpu, uint64_t addr, uint64_t expected, uint64_t desired,
                        uint32_t mem);
    /* As load, links the address's line (abi.h). May raise. */
    uint64_t (*load_linked)(struct tcg_cpu *cpu, uint64_t addr, uint32_t mem);
    /* Whether it stored (STX). May raise. */
    bool (*store_linked)(struct tcg_cpu *cpu, uint64_t addr, uint64_t expected, uint64_t desired,
                         uint32_t mem);
    /*
     * For CHECK: makes [addr, addr + len) hit the first-level TLB if it lies in one page of plain
     * RAM. Never raises, and changes nothing that the guest can see but accessed bits: where a
     * store would set a dirty bit, it fails, and where @addr is not aligned as @mem wants it. With
     * IR_MEM_WRITE the range is good for loads, too. Returns whether it did.
     */
    bool (*probe)(struct tcg_cpu *cpu, uint64_t addr, uint32_t len, uint32_t mem);
    /* The code to go on with at cpu->pc; a unit's checked entry or the leave stub. Never NULL. */
    const void *(*lookup)(struct tcg_cpu *cpu);
};

#endif
