/*
 * The target description: which registers there are, made from the rows of struct cpu_ops (gdb
 * manual, "Target Descriptions"). To add an architecture: rows in the table of features.
 */
#include "stub.h"

/* What gdb calls a group of rows. */
static const struct feature {
    const char *family; /* of gdb_arch, before the colon */
    const char *group, *name;
} features[] = {
    { "riscv", "general", "org.gnu.gdb.riscv.cpu" },
    { "riscv", "float", "org.gnu.gdb.riscv.fpu" },
    { "riscv", "csr", "org.gnu.gdb.riscv.csr" },
    { "riscv", "virtual", "org.gnu.gdb.riscv.virtual" },
    { "riscv", "vector", "org.gnu.gdb.riscv.vector" },
};

/* A vector register as elements of each size; the type's name is that of the rows' gdb_type. */
static void add_vector_type(GString *out, const char *name, unsigned bytes)
{
    static const struct {
        const char *name, *element;
        unsigned bytes;
    } views[] = {
        { "b", "uint8", 1 },
        { "s", "uint16", 2 },
        { "w", "uint32", 4 },
        { "l", "uint64", 8 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(views); i++)
        g_string_append_printf(out, "<vector id=\"%s_%s\" type=\"%s\" count=\"%u\"/>", name,
                               views[i].name, views[i].element, bytes / views[i].bytes);
    g_string_append_printf(out, "<union id=\"%s\">", name);
    for (unsigned i = G_N_ELEMENTS(views); i-- > 0;)
        g_string_append_printf(out, "<field name=\"%s\" type=\"%s_%s\"/>", views[i].name, name,
                               views[i].name);
    g_string_append(out, "</union>");
}

static bool shown(struct cpu *cpu, const struct cpu_reg *reg, unsigned i, const char *group)
{
    uint8_t buf[128];

    return reg->number != CPU_REG_NONE && !strcmp(reg->group, group) &&
           cpu->ops->get_reg(cpu, i, buf);
}

static void add_feature(GString *out, struct cpu *cpu, const struct feature *f)
{
    unsigned count;
    const struct cpu_reg *reg = cpu->ops->regs(cpu, &count);
    bool any = false;

    for (unsigned i = 0; i < count; i++) {
        unsigned bytes;

        if (!shown(cpu, &reg[i], i, f->group))
            continue;
        bytes = stub_reg_bytes(cpu, &reg[i]);
        if (!any) {
            g_string_append_printf(out, "<feature name=\"%s\">", f->name);
            if (!strcmp(f->group, "vector"))
                add_vector_type(out, reg[i].gdb_type, bytes);
            any = true;
        }
        g_string_append_printf(
            out, "<reg name=\"%s\" bitsize=\"%u\" regnum=\"%u\" type=\"%s\" group=\"%s\"/>\n",
            reg[i].name, 8 * bytes, reg[i].number, reg[i].gdb_type, f->group);
    }
    if (any)
        g_string_append(out, "</feature>");
}

char *stub_target_xml(struct gdbstub *g)
{
    struct cpu *cpu = stub_cpu(g, 0);
    GString *out = g_string_new("<?xml version=\"1.0\"?>"
                                "<!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>");
    const char *arch = cpu->ops->gdb_arch;
    g_autofree char *family = g_strndup(arch, strcspn(arch, ":"));

    g_string_append_printf(out, "<architecture>%s</architecture>", arch);
    for (unsigned i = 0; i < G_N_ELEMENTS(features); i++)
        if (!strcmp(features[i].family, family))
            add_feature(out, cpu, &features[i]);
    g_string_append(out, "</target>");
    return g_string_free(out, FALSE);
}
