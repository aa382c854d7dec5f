/*
 * The page tables of an x86 CPU for people, by its control registers and the tables in memory, in
 * the form that monitors of PCs have had them in: info tlb, info mem.
 */
#ifndef MONITOR_MMU_X86_H
#define MONITOR_MMU_X86_H

#include <stdbool.h>
#include <glib.h>

struct cpu;

/* False: it is another CPU. */
bool mmu_x86_is(const struct cpu *cpu);
/* A line a page; runs of pages that may be accessed alike. The CPU is stopped. */
void mmu_x86_print_pages(struct cpu *cpu, GString *out);
void mmu_x86_print_runs(struct cpu *cpu, GString *out);

#endif
