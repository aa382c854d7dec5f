/*
 * Disassembly from the tables that the translator decodes with: what is printed is what would run,
 * with exactly this CPU's extensions. Compressed forms keep their own names and show all operands.
 */
#include <inttypes.h>
#include <string.h>
#include <target/decode.h>
#include "disas.h"
#include "translate.h"

struct line {
    const struct decode_form *form;
    uint32_t insn;
    uint64_t pc;
    GString *out;
    bool first; /* no operand printed yet */
};

static const struct decode_table *const tables[] = {
#define DECODER(name) &riscv_##name##_table,
#include "decoders.def"
#undef DECODER
};

static bool has(const struct line *l, const char *name, int32_t *value)
{
    for (unsigned i = 0; i < l->form->noperands; i++) {
        if (strcmp(l->form->operand[i].name, name))
            continue;
        *value = decode_operand(&l->form->operand[i], l->insn);
        return true;
    }
    return false;
}

static G_GNUC_PRINTF(2, 3) void operand(struct line *l, const char *fmt, ...)
{
    va_list ap;

    if (!l->first)
        g_string_append_c(l->out, ',');
    l->first = false;
    va_start(ap, fmt);
    g_string_append_vprintf(l->out, fmt, ap);
    va_end(ap);
}

const char *riscv_x_name(unsigned n)
{
    static const char names[32][5] = {
        "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
        "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
        "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
    };

    return names[n & 31];
}

const char *riscv_f_name(unsigned n)
{
    static const char names[32][5] = {
        "ft0", "ft1", "ft2", "ft3", "ft4",  "ft5",  "ft6", "ft7", "fs0",  "fs1",  "fa0",
        "fa1", "fa2", "fa3", "fa4", "fa5",  "fa6",  "fa7", "fs2", "fs3",  "fs4",  "fs5",
        "fs6", "fs7", "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
    };

    return names[n & 31];
}

/* The part of "fcvt.s.w" after the n-th dot, "" if there is none. */
static const char *part(const char *name, unsigned n)
{
    while (n && (name = strchr(name, '.'))) {
        name++;
        n--;
    }
    return name ? name : "";
}

/* Whether the n-th type in the name of a move or conversion is an integer: fcvt.w.s, fmv.x.w. */
static bool is_integer(const char *name, unsigned n)
{
    char type = *part(name, n);

    return g_str_has_prefix(name, "fmv") ? type == 'x' : type == 'w' || type == 'l';
}

/* Whether an operand is a floating-point register: f... instructions, with integers on one side of
 * comparisons, classifications, moves and conversions. */
static bool is_float(const struct line *l, const char *operand_name)
{
    static const char *const to_integer[] = { "feq.", "flt.", "fle.", "fltq.", "fleq.", "fclass." };
    const char *name = l->form->name;

    if (g_str_has_prefix(name, "c.f"))
        name += 2;
    if (*name != 'f' || g_str_has_prefix(name, "fence"))
        return false;
    if (strstr(l->form->handler, "load") || strstr(l->form->handler, "store"))
        return strcmp(operand_name, "rs1") != 0;
    if (!strcmp(operand_name, "rd")) {
        for (unsigned i = 0; i < G_N_ELEMENTS(to_integer); i++)
            if (g_str_has_prefix(name, to_integer[i]))
                return false;
        return !(g_str_has_prefix(name, "fcvt") || g_str_has_prefix(name, "fmv")) ||
               !is_integer(name, 1);
    }
    return !(g_str_has_prefix(name, "fcvt") || g_str_has_prefix(name, "fmv")) ||
           !is_integer(name, 2);
}

static void print_register(struct line *l, const char *name)
{
    int32_t n;

    if (has(l, name, &n))
        operand(l, "%s", is_float(l, name) ? riscv_f_name(n) : riscv_x_name(n));
}

static bool is_name(const struct line *l, const char *const *names)
{
    const char *name = l->form->name + (g_str_has_prefix(l->form->name, "c.") ? 2 : 0);

    return g_strv_contains(names, name);
}

/* Addresses: imm(rs1) instead of two operands. */
static bool is_memory(const struct line *l)
{
    static const char *const names[] = { "lb",   "lh",   "lw",    "ld",    "lbu",   "lhu",   "lwu",
                                         "sb",   "sh",   "sw",    "sd",    "lwsp",  "ldsp",  "swsp",
                                         "sdsp", "jalr", "jr",    "flw",   "fld",   "flh",   "fsw",
                                         "fsd",  "fsh",  "flwsp", "fldsp", "fswsp", "fsdsp", NULL };

    return is_name(l, names);
}

static bool is_relative(const struct line *l)
{
    static const char *const names[] = { "beq", "bne", "blt",  "bge",  "bltu", "bgeu",
                                         "jal", "j",   "beqz", "bnez", NULL };

    return is_name(l, names);
}

static void print_immediate(struct line *l)
{
    static const char *const upper[] = { "lui", "auipc", NULL };
    int32_t imm, base;

    if (!has(l, "imm", &imm))
        return;
    if (is_memory(l) && has(l, "rs1", &base))
        operand(l, "%d(%s)", imm, riscv_x_name(base));
    else if (is_relative(l))
        operand(l, "0x%" PRIx64, l->pc + (int64_t)imm);
    else if (is_name(l, upper))
        operand(l, "0x%x", (uint32_t)imm >> 12);
    else
        operand(l, "%d", imm);
}

static void print_csr(struct line *l)
{
    int32_t num;
    char *name;

    if (!has(l, "csr", &num))
        return;
    name = riscv_csr_name(num);
    if (name)
        operand(l, "%s", name);
    else
        operand(l, "0x%x", num);
    g_free(name);
}

static void print_fence(struct line *l)
{
    static const char *const sets[] = { "pred", "succ" };
    int32_t bits;

    for (unsigned i = 0; i < 2; i++) {
        char text[5];
        unsigned n = 0;

        if (!has(l, sets[i], &bits))
            continue;
        for (unsigned b = 0; b < 4; b++)
            if (bits & (8 >> b))
                text[n++] = "iorw"[b];
        text[n] = 0;
        operand(l, "%s", n ? text : "0");
    }
}

static void print_rounding(struct line *l)
{
    static const char names[8][4] = { "rne", "rtz", "rdn", "rup", "rmm", "?5", "?6", "dyn" };
    int32_t rm;

    if (has(l, "rm", &rm) && rm != 7)
        operand(l, "%s", names[rm & 7]);
}

static void print_name(struct line *l)
{
    int32_t aq = 0, rl = 0;
    char *name;

    has(l, "aq", &aq);
    has(l, "rl", &rl);
    name = g_strconcat(l->form->name, aq || rl ? "." : "", aq ? "aq" : "", rl ? "rl" : "", NULL);
    g_string_append_printf(l->out, l->form->noperands ? "%-15s " : "%s", name);
    g_free(name);
}

/* Atomics and cbo name a register that holds an address. */
static bool is_indirect(const struct line *l)
{
    int32_t v;

    return has(l, "aq", &v) || g_str_has_prefix(l->form->name, "cbo.");
}

static void print_form(struct line *l)
{
    int32_t base;

    print_name(l);
    print_register(l, "rd");
    print_csr(l);
    if (is_indirect(l)) {
        print_register(l, "rs2");
        if (has(l, "rs1", &base))
            operand(l, "(%s)", riscv_x_name(base));
        return;
    }
    if (!is_memory(l))
        print_register(l, "rs1");
    print_register(l, "rs2");
    print_register(l, "rs3");
    print_immediate(l);
    print_fence(l);
    print_rounding(l);
}

unsigned riscv_disas(const struct cpu *cpu, uint64_t pc, const uint8_t *bytes, size_t len,
                     GString *out)
{
    unsigned size = len && (bytes[0] & 3) == 3 ? 4 : 2;
    uint32_t insn = 0;

    if (len < size)
        return 0;
    memcpy(&insn, bytes, size); /* instructions are little-endian, as is the host */
    for (unsigned i = 0; i < G_N_ELEMENTS(tables); i++) {
        int index = tables[i]->find(cpu, insn, size * 8);
        struct line l = { .insn = insn, .pc = pc, .out = out, .first = true };

        if (index < 0)
            continue;
        l.form = &tables[i]->form[index];
        if (tables[i] == &riscv_v_table)
            riscv_disas_vector(l.form, insn, out);
        else
            print_form(&l);
        return size;
    }
    return 0;
}
