/*
 * Guest memory for people: x, xp and print; disassembly; the memory map.
 */
#include <inttypes.h>
#include <string.h>
#include <target/cpu.h>
#include "command.h"

enum { LINE = 16, MAX_INSN = 16 };

struct dump {
    struct mon *mon;
    struct cpu *cpu; /* held */
    bool physical;
    uint64_t addr;
    char format;
    unsigned size;
    GString *out;
};

static bool read_guest(struct dump *d, uint64_t addr, void *buf, size_t len)
{
    if (d->physical)
        return space_read(d->cpu->as, addr, buf, len, MEM_ATTR_DEBUG) == MEM_OK;
    return cpu_debug_rw(d->cpu, addr, buf, len, false);
}

static void print_char(GString *out, uint8_t c)
{
    if (c == '\'' || c == '\\')
        g_string_append_printf(out, "'\\%c'", c);
    else if (c == '\n' || c == '\r')
        g_string_append_printf(out, "'\\%c'", c == '\n' ? 'n' : 'r');
    else if (c >= ' ' && c < 0x7f)
        g_string_append_printf(out, "'%c'", c);
    else
        g_string_append_printf(out, "'\\x%02x'", c);
}

/* Columns are as wide as the largest number of the size. */
static void print_item(GString *out, char format, unsigned size, uint64_t v)
{
    static const int decimal_digits[] = { [1] = 3, [2] = 5, [4] = 10, [8] = 20 };
    unsigned spare = 64 - size * 8;

    switch (format) {
    case 'o': g_string_append_printf(out, "%#*" PRIo64, (int)(size * 8 + 2) / 3 + 1, v); break;
    case 'd':
        g_string_append_printf(out, "%*" PRId64, decimal_digits[size] + 1,
                               (int64_t)(v << spare) >> spare);
        break;
    case 'u': g_string_append_printf(out, "%*" PRIu64, decimal_digits[size], v); break;
    case 'c': print_char(out, v); break;
    default: g_string_append_printf(out, "0x%0*" PRIx64, (int)size * 2, v); break;
    }
}

static bool dump_line(struct dump *d, unsigned items)
{
    uint8_t bytes[LINE];

    g_string_append_printf(d->out, "%016" PRIx64 ":", d->addr);
    if (!read_guest(d, d->addr, bytes, items * d->size)) {
        g_string_append(d->out, " Cannot access memory\n");
        return false;
    }
    for (unsigned i = 0; i < items; i++) {
        uint64_t v = 0;

        for (unsigned b = 0; b < d->size; b++)
            v |= (uint64_t)bytes[i * d->size + b] << b * 8;
        g_string_append_c(d->out, ' ');
        print_item(d->out, d->format, d->size, v);
    }
    g_string_append_c(d->out, '\n');
    d->addr += items * d->size;
    return true;
}

static void dump_items(struct dump *d, uint64_t count)
{
    unsigned per_line = d->size == 1 && d->format != 'c' ? 8 : LINE / d->size;

    while (count) {
        unsigned n = MIN(count, per_line);

        if (!dump_line(d, n))
            return;
        count -= n;
    }
}

/* Reads as much as is mapped, since the last instruction may end with its page. */
static size_t read_insn(struct dump *d, uint8_t *bytes)
{
    for (size_t len = MAX_INSN; len; len--)
        if (read_guest(d, d->addr, bytes, len))
            return len;
    return 0;
}

static void print_insn(struct dump *d, const uint8_t *bytes, size_t len, const char *text)
{
    GString *hex = g_string_new("");

    for (size_t i = len; i-- > 0;)
        g_string_append_printf(hex, "%02x", bytes[i]);
    g_string_append_printf(d->out, "0x%016" PRIx64 ":  %-16s  %s\n", d->addr, hex->str, text);
    g_string_free(hex, true);
}

static bool disassemble(struct dump *d, uint64_t count, GError **err)
{
    GString *text = g_string_new("");

    if (!d->cpu->ops->disas)
        error_set(err, "there is no disassembler for %s", d->cpu->ops->arch);
    for (; d->cpu->ops->disas && count; count--) {
        uint8_t bytes[MAX_INSN];
        size_t len = read_insn(d, bytes), used;

        if (!len) {
            g_string_append_printf(d->out, "0x%016" PRIx64 ":  Cannot access memory\n", d->addr);
            break;
        }
        g_string_truncate(text, 0);
        used = d->cpu->ops->disas(d->cpu, d->addr, bytes, len, text);
        if (!used) {
            used = MIN(len, d->cpu->ops->insn_align);
            g_string_assign(text, "(no instruction)");
        }
        print_insn(d, bytes, used, text->str);
        d->addr += used;
    }
    g_string_free(text, true);
    return d->cpu->ops->disas != NULL;
}

static bool examine(struct mon *mon, const json_t *args, bool physical, GString *out, GError **err)
{
    const json_t *fmt = json_object_get(args, "fmt");
    uint64_t count = json_integer_value(json_object_get(fmt, "count"));
    struct dump d = { .mon = mon,
                      .physical = physical,
                      .addr = json_integer_value(json_object_get(args, "addr")),
                      .format = *json_string_value(json_object_get(fmt, "format")),
                      .size = json_integer_value(json_object_get(fmt, "size")),
                      .out = out };
    bool ok = true;

    d.cpu = mon_hold_cpu(mon, err);
    if (!d.cpu)
        return false;
    if (d.format == 'i')
        ok = disassemble(&d, count, err);
    else
        dump_items(&d, count);
    mon_release_cpu(mon);
    return ok;
}

static bool examine_virtual(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    return examine(mon, args, false, out, err);
}

static bool examine_physical(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    return examine(mon, args, true, out, err);
}

static bool print(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    const json_t *fmt = json_object_get(args, "fmt");
    uint64_t v = json_integer_value(json_object_get(args, "expr"));

    (void)mon, (void)err;
    switch (*json_string_value(json_object_get(fmt, "format"))) {
    case 'o': g_string_append_printf(out, "%#" PRIo64 "\n", v); break;
    case 'd': g_string_append_printf(out, "%" PRId64 "\n", (int64_t)v); break;
    case 'u': g_string_append_printf(out, "%" PRIu64 "\n", v); break;
    case 'c':
        print_char(out, v);
        g_string_append_c(out, '\n');
        break;
    default: g_string_append_printf(out, "%#" PRIx64 "\n", v); break;
    }
    return true;
}

static bool info_mtree(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)err;
    mem_print(mon->machine->mem, out, json_is_true(json_object_get(args, "flat")));
    return true;
}

static const struct mon_member examine_args[] = {
    MEMBER("fmt", &mon_format, .hmp = HMP_FORMAT),
    MEMBER("addr", &mon_int),
    { 0 },
};
static const struct mon_member print_args[] = {
    MEMBER("fmt", &mon_format, .hmp = HMP_FORMAT),
    MEMBER("expr", &mon_int),
    { 0 },
};
static const struct mon_member mtree_args[] = {
    OPTIONAL("flat", &mon_bool, .hmp = HMP_FLAG),
    { 0 },
};

const struct mon_command memory_commands[] = {
    { .hmp = "x",
      .args = examine_args,
      .params = "/fmt addr",
      .text = examine_virtual,
      .help = "virtual memory dump starting at 'addr'" },
    { .hmp = "xp",
      .args = examine_args,
      .params = "/fmt addr",
      .text = examine_physical,
      .help = "physical memory dump starting at 'addr'" },
    { .hmp = "print|p",
      .args = print_args,
      .params = "/fmt expr",
      .text = print,
      .help = "print expression value (use $reg for CPU register access)" },
    { .hmp = "info mtree",
      .args = mtree_args,
      .params = "[-f]",
      .text = info_mtree,
      .help = "show memory tree (-f: flat view of each address space)" },
    { 0 },
};
