/*
 * Linked loads and conditional stores: what generated code leaves to C (tcg/abi.h has the
 * protocol). Where there is no plain memory a conditional store goes by the value alone.
 */
#include "tcg.h"

/* Where plain memory at @addr is, whether or not accesses may go straight there; or NULL. */
static const uint8_t *plain_memory(struct tcg_cpu *c, uint64_t addr, unsigned mode)
{
    struct tcg_vcpu *v = vcpu_of((struct cpu *)c);
    struct cpu_fault fault;
    struct tlb2_entry once, *t = tlb_lookup(v, addr, ACCESS_READ, mode, &once, &fault);

    return t && t->host ? t->host + (addr & (TCG_PAGE_SIZE - 1)) : NULL;
}

uint64_t access_load_linked(struct tcg_cpu *c, uint64_t addr, uint32_t mem)
{
    tcg_link(c, plain_memory(c, addr, ir_mem_mode(mem)));
    return access_load(c, addr, mem);
}

static bool compare_and_store(struct tcg_cpu *c, uint64_t addr, uint64_t expected, uint64_t desired,
                              uint32_t mem)
{
    uint64_t mask = ~UINT64_C(0) >> (64 - (8u << (mem & IR_MEM_SIZE)));

    return ((access_cmpxchg(c, addr, expected, desired, mem) ^ expected) & mask) == 0;
}

/* What unwinds from the store, such as a fault, may not leave the line taken. */
static bool store_to_line(struct tcg_cpu *c, uint64_t addr, uint64_t expected, uint64_t desired,
                          uint32_t mem)
{
    struct cpu *cpu = (struct cpu *)c;
    sigjmp_buf *outer = cpu->unwind, here;
    bool stored;

    if (!tcg_link_take(c))
        return false;
    cpu->unwind = &here;
    if (sigsetjmp(here, 0)) {
        tcg_link_leave(c, false);
        cpu->unwind = outer;
        siglongjmp(*outer, 1);
    }
    stored = compare_and_store(c, addr, expected, desired, mem);
    cpu->unwind = outer;
    tcg_link_leave(c, stored);
    return stored;
}

bool access_store_linked(struct tcg_cpu *c, uint64_t addr, uint64_t expected, uint64_t desired,
                         uint32_t mem)
{
    const uint8_t *host = plain_memory(c, addr, ir_mem_mode(mem));
    bool stored = false;

    if (!host)
        stored = compare_and_store(c, addr, expected, desired, mem);
    else if (c->link.host == (uintptr_t)host)
        stored = store_to_line(c, addr, expected, desired, mem);
    c->link.host = 0;
    return stored;
}
