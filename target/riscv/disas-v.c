/*
 * Disassembly of vector instructions: names as assemblers know them, where the table has one form
 * for several, and operands in the assembler's order.
 */
#include <string.h>
#include "disas.h"

static int32_t field(uint32_t insn, unsigned at, unsigned bits)
{
    return insn >> at & ((1u << bits) - 1);
}

static const struct decode_operand *find(const struct decode_form *f, const char *name)
{
    for (unsigned n = 0; n < f->noperands; n++)
        if (!strcmp(f->operand[n].name, name))
            return &f->operand[n];
    return NULL;
}

static void print_mask(const struct decode_form *f, uint32_t insn, GString *out)
{
    const struct decode_operand *vm = find(f, "vm");

    if (vm && !decode_operand(vm, insn)) /* a constant: v0 is an operand like others */
        g_string_append(out, vm->npieces ? ",v0.t" : ",v0");
}

/* "e32,m1,ta,ma" */
static void print_vtype(uint32_t vtype, GString *out)
{
    static const char lmul[8][4] = { "m1", "m2", "m4", "m8", "?", "mf8", "mf4", "mf2" };

    if (vtype >> 8 || (vtype & 7) == 4 || (vtype >> 3 & 7) > 3)
        g_string_append_printf(out, "%u", vtype);
    else
        g_string_append_printf(out, "e%u,%s,%s,%s", 8u << (vtype >> 3 & 7), lmul[vtype & 7],
                               vtype & 0x40 ? "ta" : "tu", vtype & 0x80 ? "ma" : "mu");
}

static void print_config(const struct decode_form *f, uint32_t insn, GString *out)
{
    const struct decode_operand *imm = find(f, "imm"), *avl = find(f, "avl");

    g_string_append_printf(out, "%-15s %s,", f->name, riscv_x_name(field(insn, 7, 5)));
    if (avl)
        g_string_append_printf(out, "%d,", decode_operand(avl, insn));
    else
        g_string_append_printf(out, "%s,", riscv_x_name(field(insn, 15, 5)));
    if (imm)
        print_vtype(decode_operand(imm, insn), out);
    else
        g_string_append(out, riscv_x_name(field(insn, 20, 5)));
}

/* ---- Loads and stores ---- */

static char *memory_name(const struct decode_form *f, uint32_t insn)
{
    unsigned nf = field(insn, 29, 3) + 1, bits = 8u << (field(insn, 12, 3) & 3);
    char ls = f->name[1];
    const char *kind = f->name + 2;

    if (!strcmp(kind, "m.v"))
        return g_strdup(f->name);
    if (!strcmp(f->name, "vlr"))
        return g_strdup_printf("vl%ure%u.v", nf, bits);
    if (!strcmp(f->name, "vsr"))
        return g_strdup_printf("vs%ur.v", nf);
    if (g_str_has_suffix(kind, "xei"))
        return nf == 1 ? g_strdup_printf("v%c%s%u.v", ls, kind, bits)
                       : g_strdup_printf("v%c%.2sseg%uei%u.v", ls, kind, nf, bits);
    if (!strcmp(kind, "se"))
        return nf == 1 ? g_strdup_printf("v%cse%u.v", ls, bits)
                       : g_strdup_printf("v%csseg%ue%u.v", ls, nf, bits);
    return nf == 1 ? g_strdup_printf("v%ce%u%s.v", ls, bits, kind + 1)
                   : g_strdup_printf("v%cseg%ue%u%s.v", ls, nf, bits, kind + 1);
}

static void print_memory(const struct decode_form *f, uint32_t insn, GString *out)
{
    g_autofree char *name = memory_name(f, insn);

    g_string_append_printf(out, "%-15s v%d,(%s)", name, field(insn, 7, 5),
                           riscv_x_name(field(insn, 15, 5)));
    if (find(f, "rs2"))
        g_string_append_printf(out, ",%s", riscv_x_name(field(insn, 20, 5)));
    if (find(f, "vs2"))
        g_string_append_printf(out, ",v%d", field(insn, 20, 5));
    if (find(f, "vm")->npieces)
        print_mask(f, insn, out);
}

/* ---- Arithmetic ---- */

/* The product's operands come first, vs2 last (11.13, 13.6). */
static bool is_multiply_add(uint32_t insn)
{
    unsigned f6 = insn >> 26, f3 = field(insn, 12, 3);

    if (f3 == 1 || f3 == 5)
        return (f6 >= 0x28 && f6 <= 0x2f) || f6 >= 0x3c;
    if (f3 == 2 || f3 == 6)
        return (f6 >= 0x29 && f6 <= 0x2f && f6 & 1) || f6 >= 0x3c;
    return false;
}

static bool is_unsigned_imm(uint32_t insn)
{
    unsigned f6 = insn >> 26;

    return (f6 >= 0x0c && f6 <= 0x0f) || f6 == 0x25 || f6 >= 0x28;
}

/* vs1, rs1 or imm; nothing if there is none of them. */
static void print_second(const struct decode_form *f, uint32_t insn, GString *out)
{
    int32_t n = field(insn, 15, 5);

    if (find(f, "vs1"))
        g_string_append_printf(out, ",v%d", n);
    else if (find(f, "rs1"))
        g_string_append_printf(out, ",%s",
                               field(insn, 12, 3) == 5 ? riscv_f_name(n) : riscv_x_name(n));
    else if (find(f, "imm"))
        g_string_append_printf(out, ",%d", is_unsigned_imm(insn) || n < 16 ? n : n - 32);
}

static void print_arithmetic(const struct decode_form *f, uint32_t insn, GString *out)
{
    int32_t d = field(insn, 7, 5);

    g_string_append_printf(out, "%-15s ", f->name);
    if (find(f, "vd"))
        g_string_append_printf(out, "v%d", d);
    else
        g_string_append(out, field(insn, 12, 3) == 1 ? riscv_f_name(d) : riscv_x_name(d));
    if (is_multiply_add(insn))
        print_second(f, insn, out);
    if (find(f, "vs2"))
        g_string_append_printf(out, ",v%d", field(insn, 20, 5));
    if (!is_multiply_add(insn))
        print_second(f, insn, out);
    print_mask(f, insn, out);
}

void riscv_disas_vector(const struct decode_form *f, uint32_t insn, GString *out)
{
    if ((insn & 0x7f) != 0x57)
        print_memory(f, insn, out);
    else if (field(insn, 12, 3) == 7)
        print_config(f, insn, out);
    else
        print_arithmetic(f, insn, out);
}
