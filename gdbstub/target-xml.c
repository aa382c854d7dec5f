/*
 * The target description: which registers there are, made from the rows of struct cpu_ops (gdb
 * manual, "Target Descriptions"). To add an architecture: rows in the table of features.
 */
#include "stub.h"

#define FLAG(name, bit) "<field name=\"" name "\" start=\"" #bit "\" end=\"" #bit "\"/>"
static const char eflags_type[] = "<flags id=\"i386_eflags\" size=\"4\">" FLAG("CF", 0) FLAG("", 1)
    FLAG("PF", 2) FLAG("AF", 4) FLAG("ZF", 6) FLAG("SF", 7) FLAG("TF", 8) FLAG("IF", 9)
        FLAG("DF", 10) FLAG("OF", 11) FLAG("NT", 14) FLAG("RF", 16) FLAG("VM", 17) FLAG("AC", 18)
            FLAG("VIF", 19) FLAG("VIP", 20) FLAG("ID", 21) "</flags>";
static const char sse_types[] =
    "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
    "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
    "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
    "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
    "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
    "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
    "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
    "<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>"
    "<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
    "<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/></union>"
    "<flags id=\"i386_mxcsr\" size=\"4\">" FLAG("IE", 0) FLAG("DE", 1) FLAG("ZE", 2) FLAG("OE", 3)
        FLAG("UE", 4) FLAG("PE", 5) FLAG("DAZ", 6) FLAG("IM", 7) FLAG("DM", 8) FLAG("ZM", 9)
            FLAG("OM", 10) FLAG("UM", 11) FLAG("PM", 12) FLAG("FZ", 15) "</flags>";
#undef FLAG

/* What gdb calls a group of rows. */
static const struct feature {
    const char *family; /* of gdb_arch, before the colon */
    const char *group, *name;
    const char *types; /* of registers, defined in front of them; NULL: none */
} features[] = {
    { "riscv", "general", "org.gnu.gdb.riscv.cpu", NULL },
    { "riscv", "float", "org.gnu.gdb.riscv.fpu", NULL },
    { "riscv", "csr", "org.gnu.gdb.riscv.csr", NULL },
    { "riscv", "virtual", "org.gnu.gdb.riscv.virtual", NULL },
    { "riscv", "vector", "org.gnu.gdb.riscv.vector", NULL },
    { "i386", "general", "org.gnu.gdb.i386.core", eflags_type },
    { "i386", "sse", "org.gnu.gdb.i386.sse", sse_types },
    { "i386", "segments", "org.gnu.gdb.i386.segments", NULL },
    { "i386", "avx", "org.gnu.gdb.i386.avx", NULL },
    { "i386", "system", "org.gnu.gdb.i386.system", NULL },
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
            if (f->types)
                g_string_append(out, f->types);
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
