/*
 * Listings of guest code, IR and host code.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <base/log.h>
#include "dump.h"
#ifdef CONFIG_CAPSTONE
#include <base/library.h>
#include <capstone/capstone.h>

#define CS_FUNCTIONS(F, P) \
    F(P, open)             \
    F(P, option)           \
    F(P, disasm)           \
    F(P, free)             \
    F(P, close)

static struct {
    CS_FUNCTIONS(LIBRARY_POINTER, cs_)
} cs;
static struct library library = LIBRARY(cs, CAPSTONE, cs_, CS_FUNCTIONS);

static bool disassemble(FILE *f, const uint8_t *code, size_t len, uint64_t addr)
{
    g_autoptr(GError) err = NULL;
    csh h;
    cs_insn *insn;

    if (!library_open(&library, "no disassembly", &err)) {
        fprintf(f, "%s\n", err->message);
        return false;
    }
    if (cs.open(CS_ARCH_X86, CS_MODE_64, &h) != CS_ERR_OK)
        return false;
    cs.option(h, CS_OPT_SKIPDATA, CS_OPT_ON);
    size_t n = cs.disasm(h, code, len, addr, 0, &insn);
    for (size_t i = 0; i < n; i++)
        fprintf(f, "0x%016" PRIx64 ":  %-8s %s\n", insn[i].address, insn[i].mnemonic,
                insn[i].op_str);
    if (n)
        cs.free(insn, n);
    cs.close(&h);
    return true;
}
#else
static bool disassemble(FILE *f, const uint8_t *code, size_t len, uint64_t addr)
{
    (void)f, (void)code, (void)len, (void)addr;
    return false;
}
#endif

static void print_bytes(FILE *f, const uint8_t *code, size_t len, uint64_t addr)
{
    for (size_t i = 0; i < len; i++) {
        if (i % 16 == 0)
            fprintf(f, "%s0x%016" PRIx64 ": ", i ? "\n" : "", addr + i);
        fprintf(f, " %02x", code[i]);
    }
    fputc('\n', f);
}

/* Bytes of the instruction at @pc that can be read, up to a word. */
static size_t fetch(struct cpu *cpu, uint64_t pc, uint8_t *code)
{
    size_t len = 0, step = cpu->ops->insn_align;

    while (len < 4 && cpu_debug_rw(cpu, pc + len, code + len, step, false))
        len += step;
    return len;
}

static void dump_guest(FILE *f, struct cpu *cpu, const struct ir *ir)
{
    GString *s = g_string_new("");

    fprintf(f, "----------------\nIN: cpu %u\n", cpu->index);
    for (uint32_t i = 1; i < ir->count; i++) {
        uint64_t pc = ir->insn[i].imm;
        uint8_t code[4] = { 0 };

        if (ir->insn[i].op != IR_INSN)
            continue;
        size_t len = fetch(cpu, pc, code);
        unsigned used = cpu->ops->disas ? cpu->ops->disas(cpu, pc, code, len, s) : 0;
        fprintf(f, "0x%016" PRIx64 ":  ", pc);
        for (unsigned b = used ? used : len; b-- > 0;)
            fprintf(f, "%02x", code[b]);
        fprintf(f, "%*s%s\n", used == 2 ? 6 : 2, "", s->str);
        g_string_truncate(s, 0);
    }
    g_string_free(s, true);
}

#define HOTTEST 16

/* Generated code counts on while they are sorted: any order will do for those. */
static gint by_count(gconstpointer a, gconstpointer b)
{
    uint64_t x = (*(struct unit *const *)a)->count, y = (*(struct unit *const *)b)->count;

    return (y > x) - (y < x);
}

void dump_hottest(struct tcg *tcg, GString *out)
{
    g_autoptr(GPtrArray) units = g_ptr_array_new();

    for (unsigned k = 0; k < CACHE_REGIONS; k++)
        for (struct unit *u = tcg->region[k].units; u; u = u->region_next)
            if (u->count)
                g_ptr_array_add(units, u);
    g_ptr_array_sort(units, by_count);
    for (unsigned i = 0; i < MIN(units->len, HOTTEST); i++) {
        const struct unit *u = g_ptr_array_index(units, i);
        g_string_append_printf(
            out, "entered %12" PRIu64 " times: 0x%016" PRIx64 " flags %08x, %u instructions\n",
            u->count, u->pc, u->flags, u->insns);
    }
}

void dump_ir(struct cpu *cpu, const struct trans *t, const struct ir *ir, bool optimised)
{
    if (!log_wanted(optimised ? LOG_OP_OPT : LOG_OP | LOG_IN_ASM, t->start))
        return;
    FILE *f = log_begin();
    if (!optimised && log_on(LOG_IN_ASM))
        dump_guest(f, cpu, ir);
    if (optimised || log_on(LOG_OP)) {
        fprintf(f, optimised ? "OP after optimisation:\n" : "OP:\n");
        ir_print(ir, f);
    }
    log_end();
}

void dump_code(struct tcg *tcg, struct cpu *cpu, const struct unit *u)
{
    const uint8_t *code = unit_rx(tcg, u);
    unsigned size = 16 * u->size;

    (void)cpu;
    if (tcg->interp || !log_wanted(LOG_OUT_ASM, u->pc))
        return;
    FILE *f = log_begin();
    fprintf(f, "OUT: %u bytes for %u instructions at 0x%" PRIx64 "\n", size, u->insns, u->pc);
    code += BACKEND_CHECKED;
    size -= BACKEND_CHECKED;
    if (!disassemble(f, code, size, (uintptr_t)code))
        print_bytes(f, code, size, (uintptr_t)code);
    log_end();
}
