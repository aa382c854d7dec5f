/*
 * LR and SC among several harts; amocas.q: compare and swap of 16 bytes (Zacas).
 */
#include "helper.h"
#include "riscv.h"

/*
 * The line's word (cpu_reservation) is the number of SCs that stored to it, times two, and odd
 * while one is about to. LR notes it before it loads; SC makes it odd, if it is what LR saw and
 * even, then compares and swaps, then makes it even again. So of two SCs whose LRs saw the same
 * number one fails, and an LR that comes between the two steps of another's SC leads to none.
 */
enum { RES_STORING = 1, RES_STORED = 2 };

static uint64_t *word_of(struct cpu *cpu, uint64_t addr)
{
    return cpu_reservation(cpu, addr, cpu->ops->data_mode(cpu));
}

static void h_lr(struct cpu *cpu, uint64_t addr)
{
    uint64_t *word = word_of(cpu, addr);

    riscv_of(cpu)->res_token = word ? __atomic_load_n(word, __ATOMIC_ACQUIRE) : 0;
}
HELPER_DEFINE(lr, IR_H_CPU, IR_VOID, 1, IR_I64);

static bool swap_word(void *p, uint64_t old, uint64_t new, unsigned size)
{
    if (size == 4)
        return __sync_bool_compare_and_swap((uint32_t *)p, (uint32_t)old, (uint32_t) new);
    return __sync_bool_compare_and_swap((uint64_t *)p, old, new);
}

/* Takes the line for an SC whose LR saw @token. */
static bool take_line(uint64_t *word, uint64_t token)
{
    return __atomic_compare_exchange_n(word, &token, token | RES_STORING, false, __ATOMIC_SEQ_CST,
                                       __ATOMIC_SEQ_CST);
}

static void leave_line(uint64_t *word, uint64_t token, bool stored)
{
    __atomic_store_n(word, token + (stored ? RES_STORED : 0), __ATOMIC_RELEASE);
}

static bool compare_and_store(struct riscv_cpu *c, uint64_t addr, uint64_t new, unsigned log2size)
{
    uint64_t mask = ~UINT64_C(0) >> (64 - (8u << log2size));
    uint64_t old = cpu_cmpxchg(&c->cpu, addr, c->res_val, new,
                               IR_MEM(log2size, c->cpu.ops->data_mode(&c->cpu), 0));

    return ((old ^ c->res_val) & mask) == 0;
}

/* Where a store must be noticed, or is a fault: what unwinds from it may not leave the line taken.
 */
static bool store_noticed(struct riscv_cpu *c, uint64_t addr, uint64_t new, unsigned log2size)
{
    uint64_t *word = word_of(&c->cpu, addr);
    sigjmp_buf *outer = c->cpu.unwind, here;
    bool stored;

    if (!word)
        return compare_and_store(c, addr, new, log2size);
    if (!take_line(word, c->res_token))
        return false;
    c->cpu.unwind = &here;
    if (sigsetjmp(here, 0)) {
        leave_line(word, c->res_token, false);
        c->cpu.unwind = outer;
        siglongjmp(*outer, 1);
    }
    stored = compare_and_store(c, addr, new, log2size);
    c->cpu.unwind = outer;
    leave_line(word, c->res_token, stored);
    return stored;
}

/* 0 if it stored, else 1; the reservation is for @addr. */
static uint64_t h_sc(struct cpu *cpu, uint64_t addr, uint64_t new, uint32_t log2size)
{
    struct riscv_cpu *c = riscv_of(cpu);
    uint64_t token = c->res_token, *word;
    void *host;
    bool stored;

    if (token & RES_STORING)
        return 1;
    host = cpu_host(cpu, addr, 1u << log2size, ACCESS_WRITE, cpu->ops->data_mode(cpu));
    if (!host)
        return !store_noticed(c, addr, new, log2size);
    word = word_of(cpu, addr);
    if (!word || !take_line(word, token))
        return 1;
    stored = swap_word(host, c->res_val, new, 1u << log2size);
    leave_line(word, token, stored);
    return !stored;
}
HELPER_DEFINE(sc, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_I64, 3, IR_I64, IR_I64, IR_I32);

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
