/* System calls and other things that only helpers of system instructions need. */
#ifndef X86_SYSCALL_H
#define X86_SYSCALL_H

#include "x86.h"

/* All return the new pc, having stored it. @next: RIP behind the instruction. */
uint64_t x86_syscall(struct x86_cpu *c, uint64_t next);
uint64_t x86_sysret(struct x86_cpu *c, unsigned opsize);
uint64_t x86_sysenter(struct x86_cpu *c);
uint64_t x86_sysexit(struct x86_cpu *c, unsigned opsize);

/* 64 bits of RDRAND: of the host, or of the machine's seed. */
uint64_t x86_random(struct x86_cpu *c);
/* Whether there is no other CPU. */
bool x86_alone(const struct x86_cpu *c);

/* What the helper table_get returns. */
enum {
    X86_TABLE_GDT_BASE,
    X86_TABLE_IDT_BASE,
    X86_TABLE_GDT_LIMIT,
    X86_TABLE_IDT_LIMIT,
    X86_TABLE_LDT_SEL,
    X86_TABLE_TR_SEL,
    X86_TABLE_MSW
};

#endif
