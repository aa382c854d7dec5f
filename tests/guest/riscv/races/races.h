/*
 * races.h - what the tests of several harts and changing code share.
 *
 * A test is run in rounds until its time is over.  In each round hart 0 prepares, all harts run,
 * hart 0 verifies; between the three all wait for each other.
 */
#ifndef RACES_H
#define RACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HARTS 4
#define PAGE  4096

struct test {
    const char *name;
    void (*prepare)(unsigned round); /* or NULL */
    void (*run)(unsigned hart, unsigned round);
    const char *(*verify)(unsigned round); /* what is wrong, or NULL */
    void (*report)(void);                  /* at the end, or NULL */
    bool (*possible)(void);                /* or NULL: always */
};

extern const struct test litmus_tests[], atomics_tests[], smc_tests[], dma_tests[], remap_tests[];

/* Scratch for code and data; not 0-initialized between tests. */
#define ARENA_PAGES 32
extern uint8_t arena[ARENA_PAGES][PAGE];

/* All harts wait for each other. What others did before it is seen after it, variables included
 * that the compiler knows all uses of. */
__attribute__((noipa)) void barrier(void);

/* A failure seen by any hart: @what with two numbers. */
void fail(const char *what, uint64_t got, uint64_t expected);

/* Pseudo-random numbers, a series for each hart. */
uint32_t random32(unsigned hart);
void random_delay(unsigned hart, unsigned most);

static inline void pause(void)
{
    __asm__ volatile(".word 0x0100000f" : : : "memory"); /* Zihintpause */
}

static inline void fence_i(void)
{
    __asm__ volatile("fence.i" : : : "memory");
}

static inline void fence(void)
{
    __asm__ volatile("fence rw, rw" : : : "memory");
}

#define LOAD(x)     __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define STORE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)

/* Instructions to be put into memory. */
enum { ZERO, RA, A0 = 10, A1, A2, A3, T0 = 5, T1, T2 };
#define RET             0x00008067u
#define NOP             0x00000013u
#define FENCE_I         0x0000100fu
#define LUI(rd, n)      (((uint32_t)(n) << 12) | (rd) << 7 | 0x37u)
#define ADDI(rd, rs, n) (((uint32_t)(n) << 20) | (rs) << 15 | (rd) << 7 | 0x13u)
#define ADD(rd, rs, rt) ((uint32_t)(rt) << 20 | (rs) << 15 | (rd) << 7 | 0x33u)
#define DIV(rd, rs, rt) \
    ((uint32_t)(rt) << 20 | (rs) << 15 | 4u << 12 | (rd) << 7 | 1u << 25 | 0x33u)
#define S_TYPE(f, rs, rt, n) \
    (((uint32_t)(n) >> 5 & 127) << 25 | (rt) << 20 | (rs) << 15 | (f) << 12 | ((n)&31) << 7 | 0x23u)
#define SW(rt, n, rs) S_TYPE(2u, rs, rt, n)
#define SD(rt, n, rs) S_TYPE(3u, rs, rt, n)
#define LW(rd, n, rs) (((uint32_t)(n) << 20) | (rs) << 15 | 2u << 12 | (rd) << 7 | 0x03u)
/* @n: distance in bytes */
#define JAL(rd, n)                                                          \
    (((uint32_t)(n) >> 20 & 1) << 31 | ((uint32_t)(n) >> 1 & 0x3ff) << 21 | \
     ((uint32_t)(n) >> 11 & 1) << 20 | ((uint32_t)(n) >> 12 & 0xff) << 12 | (rd) << 7 | 0x6fu)
#define BNE(rs, rt, n)                                                                             \
    (((uint32_t)(n) >> 12 & 1) << 31 | ((uint32_t)(n) >> 5 & 63) << 25 | (rt) << 20 | (rs) << 15 | \
     1u << 12 | ((uint32_t)(n) >> 1 & 15) << 8 | ((uint32_t)(n) >> 11 & 1) << 7 | 0x63u)

/* Puts one instruction; the caller does the fence. */
static inline void put(void *at, uint32_t insn)
{
    STORE(*(uint32_t *)at, insn);
}

/* Calls code at @at with a0 to a3; a0 of its end. It may change t0 to t2 besides. */
static inline uint64_t call(const void *at, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
    register uint64_t r0 __asm__("a0") = a0, r1 __asm__("a1") = a1;
    register uint64_t r2 __asm__("a2") = a2, r3 __asm__("a3") = a3;

    __asm__ volatile("jalr ra, %4"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3)
                     : "r"(at)
                     : "ra", "t0", "t1", "t2", "memory");
    return r0;
}

/* Firmware makes the harts of the mask (by test number, not id) do it; returns when they have. */
void remote_fence_i(unsigned mask);
void remote_sfence(unsigned mask, uint64_t start, uint64_t size);

#endif
