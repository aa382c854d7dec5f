/*
 * An x86 CPU with 1 MiB of RAM at address 0 and no accelerator: tests call the system side's
 * functions and look at the state they leave.
 *
 *     x86sys_new(&s, "x86_64", "max");
 *     x86sys_long_mode(&s);
 *     g_assert_true(TRY(&s, x86_seg_load(s.c, S_DS, 0x33)));
 *     g_assert_cmphex(s.c->seg[S_DS].selector, ==, 0x33);
 *
 * Tables: GDT at X86SYS_GDT with the segments of enum x86sys_sel, IDT at X86SYS_IDT whose gates
 * lead to X86SYS_HANDLER + 16 * vector, TSS at X86SYS_TSS with the stack of ring 0 at
 * X86SYS_STACK0.
 */
#ifndef TESTS_X86SYS_H
#define TESTS_X86SYS_H

#include <setjmp.h>
#include <base/loop.h>
#include <mem/space.h>
#include "target/x86/feature.h"
#include "target/x86/sys.h"

#define X86SYS_RAM     0x100000
#define X86SYS_GDT     0x1000
#define X86SYS_IDT     0x2000
#define X86SYS_TSS     0x4000
#define X86SYS_TSS2    0x5000
#define X86SYS_LDT     0x6000
#define X86SYS_STACK0  0x8000
#define X86SYS_STACK3  0x9000
#define X86SYS_IST1    0xa000
#define X86SYS_TABLES  0x10000 /* page tables from here on */
#define X86SYS_HANDLER 0x40000

enum x86sys_sel {
    SEL_CODE0 = 0x08,
    SEL_DATA0 = 0x10,
    SEL_CODE3 = 0x1b,
    SEL_DATA3 = 0x23,
    SEL_TSS = 0x28,  /* 16 bytes in long mode */
    SEL_TSS2 = 0x38, /* an available 32-bit TSS */
    SEL_DOWN = 0x43, /* expand-down data, DPL 3, limit 0xffff */
    SEL_CONF = 0x48, /* conforming code, DPL 0 */
    SEL_ABSENT = 0x53,
    SEL_GATE = 0x5b,  /* call gate to CODE0, DPL 3, two words; 16 bytes in long mode */
    SEL_LDT = 0x68,   /* 16 bytes in long mode */
    SEL_TASK = 0x7b,  /* task gate to TSS2, DPL 3 */
    SEL_XONLY = 0x83, /* execute-only code, DPL 3 */
    SEL_RO = 0x8b,    /* read-only data, DPL 3 */
    SEL_LAST = 0x90,
};

struct x86sys {
    struct x86_cpu *c;
    struct loop *loop;
    struct mem *mem;
    struct mem_region root, ram;
    struct address_space as;
    sigjmp_buf unwind;
    int shutdowns; /* triple faults */
};

void x86sys_new(struct x86sys *s, const char *arch, const char *cpu);
void x86sys_free(struct x86sys *s);
/* Protected mode without paging, 64-bit mode with the first GiB mapped at 0: ring 0, stack at
 * X86SYS_STACK0 + 0x800. */
void x86sys_protected(struct x86sys *s);
void x86sys_long_mode(struct x86sys *s);
/* To ring 3, as IRET would: CODE3, DATA3, stack X86SYS_STACK3. */
void x86sys_user(struct x86sys *s);
/* A gate of the IDT; @type as in the descriptor. */
void x86sys_gate(struct x86sys *s, unsigned vector, uint16_t sel, unsigned type, unsigned dpl,
                 unsigned ist);
void x86sys_put(struct x86sys *s, uint64_t addr, unsigned size, uint64_t val);
uint64_t x86sys_get(struct x86sys *s, uint64_t addr, unsigned size);

/* Whether @call came back; false: it raised, and the CPU is in the handler. */
#define TRY(s, call) (sigsetjmp((s)->unwind, 0) ? false : ((void)(call), true))

/* The vector whose handler the CPU is in, or -1; and its frame's words from the top: the error code
 * first if there is one. */
int x86sys_vector(const struct x86sys *s);
uint64_t x86sys_frame(struct x86sys *s, unsigned n);

#endif
