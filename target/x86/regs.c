/*
 * Registers by row: for gdb, the monitor and saved state; numbers and order are those of gdb's
 * i386:x86-64 and i386 targets.
 */
#include <inttypes.h>
#include "sys.h"

enum row_kind { ROW_GENERAL, ROW_IP, ROW_FLAGS, ROW_SELECTOR };

/* Beside each cpu_reg: which register it is. */
struct row {
    struct cpu_reg reg;
    enum row_kind kind;
    unsigned n;
};

#define GENERAL(bits, name, gdb, n)                                                      \
    {                                                                                    \
        { name, bits, gdb, "general", (n) == R_SP || (n) == R_BP ? "data_ptr" : "int" }, \
            ROW_GENERAL, n                                                               \
    }
#define SELECTORS(gdb)                                                     \
    { { "cs", 32, gdb, "general", "int" }, ROW_SELECTOR, S_CS },           \
        { { "ss", 32, (gdb) + 1, "general", "int" }, ROW_SELECTOR, S_SS }, \
        { { "ds", 32, (gdb) + 2, "general", "int" }, ROW_SELECTOR, S_DS }, \
        { { "es", 32, (gdb) + 3, "general", "int" }, ROW_SELECTOR, S_ES }, \
        { { "fs", 32, (gdb) + 4, "general", "int" }, ROW_SELECTOR, S_FS }, \
    {                                                                      \
        { "gs", 32, (gdb) + 5, "general", "int" }, ROW_SELECTOR, S_GS      \
    }

static const struct row rows64[] = {
    GENERAL(64, "rax", 0, R_AX),
    GENERAL(64, "rbx", 1, R_BX),
    GENERAL(64, "rcx", 2, R_CX),
    GENERAL(64, "rdx", 3, R_DX),
    GENERAL(64, "rsi", 4, R_SI),
    GENERAL(64, "rdi", 5, R_DI),
    GENERAL(64, "rbp", 6, R_BP),
    GENERAL(64, "rsp", 7, R_SP),
    GENERAL(64, "r8", 8, R_8),
    GENERAL(64, "r9", 9, R_9),
    GENERAL(64, "r10", 10, R_10),
    GENERAL(64, "r11", 11, R_11),
    GENERAL(64, "r12", 12, R_12),
    GENERAL(64, "r13", 13, R_13),
    GENERAL(64, "r14", 14, R_14),
    GENERAL(64, "r15", 15, R_15),
    { { "rip", 64, 16, "general", "code_ptr" }, ROW_IP, 0 },
    { { "eflags", 32, 17, "general", "int" }, ROW_FLAGS, 0 },
    SELECTORS(18),
};

static const struct row rows32[] = {
    GENERAL(32, "eax", 0, R_AX),
    GENERAL(32, "ecx", 1, R_CX),
    GENERAL(32, "edx", 2, R_DX),
    GENERAL(32, "ebx", 3, R_BX),
    GENERAL(32, "esp", 4, R_SP),
    GENERAL(32, "ebp", 5, R_BP),
    GENERAL(32, "esi", 6, R_SI),
    GENERAL(32, "edi", 7, R_DI),
    { { "eip", 32, 8, "general", "code_ptr" }, ROW_IP, 0 },
    { { "eflags", 32, 9, "general", "int" }, ROW_FLAGS, 0 },
    SELECTORS(10),
};

static const struct row *row_of(const struct cpu *cpu, unsigned i)
{
    return strcmp(cpu->ops->arch, "i386") ? &rows64[i] : &rows32[i];
}

const struct cpu_reg *x86_regs(struct cpu *cpu, unsigned *count)
{
    static struct cpu_reg regs64[ARRAY_LEN(rows64)], regs32[ARRAY_LEN(rows32)];
    static gsize ready;
    bool is64 = strcmp(cpu->ops->arch, "i386");

    if (g_once_init_enter(&ready)) {
        for (unsigned k = 0; k < ARRAY_LEN(rows64); k++)
            regs64[k] = rows64[k].reg;
        for (unsigned k = 0; k < ARRAY_LEN(rows32); k++)
            regs32[k] = rows32[k].reg;
        g_once_init_leave(&ready, 1);
    }
    *count = is64 ? ARRAY_LEN(rows64) : ARRAY_LEN(rows32);
    return is64 ? regs64 : regs32;
}

bool x86_get_reg(struct cpu *cpu, unsigned i, void *buf)
{
    struct x86_cpu *c = x86_of(cpu);
    const struct row *r = row_of(cpu, i);
    uint64_t v;

    switch (r->kind) {
    case ROW_GENERAL: v = cpu->tcg.hot[r->n]; break;
    case ROW_IP: v = x86_eip(c); break;
    case ROW_FLAGS: v = x86_eflags(c); break;
    default: v = c->seg[r->n].selector; break;
    }
    stn_le(buf, r->reg.bits / 8, v);
    return true;
}

/* Selectors only where loading one needs no descriptor. */
bool x86_set_reg(struct cpu *cpu, unsigned i, const void *buf)
{
    struct x86_cpu *c = x86_of(cpu);
    const struct row *r = row_of(cpu, i);
    uint64_t v = ldn_le(buf, r->reg.bits / 8);

    switch (r->kind) {
    case ROW_GENERAL: cpu->tcg.hot[r->n] = v; break;
    case ROW_IP: x86_set_pc(c, v); break;
    case ROW_FLAGS: x86_set_eflags(c, v, ~0u); break;
    default:
        if (x86_protected(c))
            return v == c->seg[r->n].selector;
        x86_seg_set_real(c, r->n, v);
        cpu_update_flags(cpu);
        break;
    }
    return true;
}

void x86_dump(struct cpu *cpu, GString *out)
{
    static const char *const names[] = { "es", "cs", "ss", "ds", "fs", "gs" };
    struct x86_cpu *c = x86_of(cpu);
    unsigned count = x86_code64(c) ? 16 : 8;

    for (unsigned n = 0; n < count; n++)
        g_string_append_printf(out, "%-3s %016" PRIx64 "%s", x86_slots.slot[n].name,
                               cpu->tcg.hot[n], n % 4 == 3 ? "\n" : "  ");
    g_string_append_printf(out, "rip %016" PRIx64 "  eflags %08x  cpl %u\n", x86_eip(c),
                           x86_eflags(c), x86_cpl(c));
    for (unsigned n = 0; n < S_COUNT; n++)
        g_string_append_printf(out, "%s  %04x base %016" PRIx64 " limit %08x attr %04x\n", names[n],
                               c->seg[n].selector, c->seg_base[n], c->seg[n].limit, c->seg[n].attr);
    g_string_append_printf(out,
                           "cr0 %016" PRIx64 "  cr2 %016" PRIx64 "  cr3 %016" PRIx64
                           "  cr4 %016" PRIx64 "  efer %016" PRIx64 "\n",
                           c->cr0, c->cr2, c->cr3, c->cr4, c->efer);
}
