/*
 * Which exception the address of a data access in 64-bit code raises that is not canonical: #SS
 * where it is of the stack (Intel volume 1, 3.7.5: by RSP or RBP as base, without FS and GS; volume
 * 3, 6.15), else #GP. Generated code does not tell the two apart, so the instruction is looked at
 * once more.
 */
#include <string.h>
#include "sys.h"
#include "translate.h"

static bool fetch(void *opaque, uint64_t vaddr, unsigned size, uint32_t *val)
{
    struct cpu *cpu = opaque;
    uint8_t bytes[4] = { 0 };
    const void *at = cpu_host(cpu, vaddr, size, ACCESS_READ, cpu->ops->data_mode(cpu));

    if (at)
        memcpy(bytes, at, size);
    else if (!cpu_debug_rw(cpu, vaddr, bytes, size, false)) /* code that may not be read as data */
        return false;
    *val = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    return true;
}

bool x86_refused_on_stack(struct x86_cpu *c, enum mem_access access)
{
    static const struct trans_fetch how = { fetch, NULL };
    struct trans t = {
        .cpu = &c->cpu, .pc = c->cpu.tcg.pc, .fetch = &how, .fetch_opaque = &c->cpu
    };
    struct x86_insn i;
    bool uses_stack, reads_stack;

    if (!x86_code64(c) || access == ACCESS_FETCH)
        return false;
    t.flags = x86_unit_flags(t.cpu);
    if (!x86_decode(&t, &i))
        return false;
    uses_stack = i.form->flags & (X_D64 | X_F64);
    reads_stack = i.form->handler == x86_tr_pop_mem;
    if (i.is_mem && (!uses_stack || (access == ACCESS_READ) != reads_stack))
        return i.seg == S_SS;
    return uses_stack;
}
