/*
 * A debugger's hold on a CPU: memory through its mapping, breakpoints, watchpoints.
 */
#include <string.h>
#include <mem/space.h>
#include <target/cpu.h>

bool cpu_debug_rw(struct cpu *cpu, uint64_t vaddr, void *buf, size_t len, bool write)
{
    uint8_t *p = buf;

    while (len) {
        struct cpu_page page;
        struct cpu_fault fault;
        size_t n = MIN(len, TCG_PAGE_SIZE - (vaddr & (TCG_PAGE_SIZE - 1)));

        if (!cpu->ops->map(cpu, vaddr, write ? ACCESS_WRITE : ACCESS_READ, cpu->ops->data_mode(cpu),
                           true, &page, &fault))
            return false;
        enum mem_result r = write ? space_write_rom(cpu->as, page.paddr, p, n)
                                  : space_read(cpu->as, page.paddr, p, n, MEM_ATTR_DEBUG);
        if (r != MEM_OK)
            return false;
        vaddr += n;
        p += n;
        len -= n;
    }
    return true;
}

static void break_changed(struct cpu *cpu, uint64_t pc)
{
    if (cpu->accel_ops)
        cpu->accel_ops->break_changed(cpu, pc);
}

static void watch_changed(struct cpu *cpu)
{
    if (cpu->accel_ops)
        cpu->accel_ops->watch_changed(cpu);
}

void cpu_breakpoint_insert(struct cpu *cpu, uint64_t pc)
{
    struct cpu_breakpoint b = { pc };

    g_array_append_val(cpu->breakpoints, b);
    break_changed(cpu, pc);
}

void cpu_breakpoint_remove(struct cpu *cpu, uint64_t pc)
{
    for (unsigned i = 0; i < cpu->breakpoints->len; i++) {
        if (g_array_index(cpu->breakpoints, struct cpu_breakpoint, i).pc != pc)
            continue;
        g_array_remove_index_fast(cpu->breakpoints, i);
        break_changed(cpu, pc);
        return;
    }
}

void cpu_watchpoint_insert(struct cpu *cpu, uint64_t addr, uint64_t len, int kind)
{
    struct cpu_watchpoint w = { addr, len, kind };

    g_array_append_val(cpu->watchpoints, w);
    watch_changed(cpu);
}

void cpu_watchpoint_remove(struct cpu *cpu, uint64_t addr, uint64_t len, int kind)
{
    for (unsigned i = 0; i < cpu->watchpoints->len; i++) {
        const struct cpu_watchpoint *w = &g_array_index(cpu->watchpoints, struct cpu_watchpoint, i);
        if (w->addr != addr || w->len != len || (int)w->kind != kind)
            continue;
        g_array_remove_index_fast(cpu->watchpoints, i);
        watch_changed(cpu);
        return;
    }
}
