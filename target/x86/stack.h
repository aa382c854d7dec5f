/*
 * The stack as far transfers and exceptions use it: words are pushed and popped through a copy of
 * the pointer, which becomes the CPU's when all has gone well.
 *
 *     stack_current(&st, c);
 *     stack_push(&st, 2, flags);
 *     stack_commit(&st);
 */
#ifndef X86_STACK_H
#define X86_STACK_H

#include "sys.h"

struct x86_stack {
    struct x86_cpu *c;
    uint64_t base, sp;
    uint64_t mask; /* of the pointer's bits that count: 16, 32 or 64 */
    uint32_t limit;
    uint16_t attr;
    uint16_t err; /* error code of #SS */
    uint8_t mode; /* MMU mode */
    bool flat;    /* 64-bit: no limit */
};

/* 64-bit mode, at privilege @cpl. */
static inline void stack_flat(struct x86_stack *st, struct x86_cpu *c, uint64_t sp, unsigned cpl)
{
    *st = (struct x86_stack){
        .c = c, .sp = sp, .mask = ~0ULL, .mode = x86_mode_at(c, cpl), .flat = true
    };
}

/* The current one. */
void stack_current(struct x86_stack *st, struct x86_cpu *c);
/* That of a checked descriptor; faults name its selector. */
void stack_desc(struct x86_stack *st, struct x86_cpu *c, const struct x86_desc *d, uint16_t sel,
                uint64_t sp, unsigned cpl);
/* Linear address of the word at @sp; #SS beyond the limit. */
uint64_t stack_addr(const struct x86_stack *st, uint64_t sp, unsigned bytes);

static inline void stack_push(struct x86_stack *st, unsigned size, uint64_t val)
{
    uint64_t sp = st->sp - (1u << size);

    x86_store(st->c, stack_addr(st, sp, 1u << size), size, st->mode, val);
    st->sp = (st->sp & ~st->mask) | (sp & st->mask);
}
static inline uint64_t stack_pop(struct x86_stack *st, unsigned size)
{
    uint64_t val = x86_load(st->c, stack_addr(st, st->sp, 1u << size), size, st->mode);

    st->sp = (st->sp & ~st->mask) | ((st->sp + (1u << size)) & st->mask);
    return val;
}
static inline void stack_skip(struct x86_stack *st, unsigned bytes)
{
    st->sp = (st->sp & ~st->mask) | ((st->sp + bytes) & st->mask);
}
/* The pointer becomes the CPU's: bits beyond the mask stay as they were. */
static inline void stack_commit(const struct x86_stack *st)
{
    uint64_t *sp = &st->c->cpu.tcg.hot[R_SP];

    *sp = (*sp & ~st->mask) | (st->sp & st->mask);
}

#endif
