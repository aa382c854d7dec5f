/*
 * Registers by gdb's numbers, from the rows of struct cpu_ops. The g packet holds the general ones
 * alone, which are always there; gdb asks for others one by one.
 */
#include "stub.h"

enum { REG_BYTES_MAX = 1024 / 8 };

static const struct cpu_reg *rows(struct cpu *cpu, unsigned *count)
{
    return cpu->ops->regs(cpu, count);
}

static int row_named(struct cpu *cpu, const char *name)
{
    unsigned count;
    const struct cpu_reg *reg = rows(cpu, &count);

    for (unsigned i = 0; i < count; i++)
        if (!strcmp(reg[i].name, name))
            return i;
    return -1;
}

static int row_numbered(struct cpu *cpu, uint64_t number)
{
    unsigned count;
    const struct cpu_reg *reg = rows(cpu, &count);

    for (unsigned i = 0; i < count && number < CPU_REG_NONE; i++)
        if (reg[i].number == number)
            return i;
    return -1;
}

/* The register that says how long a vector is on this CPU. */
static unsigned vector_bytes(struct cpu *cpu)
{
    uint8_t buf[REG_BYTES_MAX] = { 0 };
    int i = row_named(cpu, "vlenb");
    unsigned bytes;

    if (i < 0 || !cpu->ops->get_reg(cpu, i, buf))
        return REG_BYTES_MAX;
    bytes = buf[0] | buf[1] << 8;
    return CLAMP(bytes, 1, REG_BYTES_MAX);
}

unsigned stub_reg_bytes(struct cpu *cpu, const struct cpu_reg *reg)
{
    unsigned bytes = MIN(reg->bits / 8, REG_BYTES_MAX);

    return strcmp(reg->group, "vector") || bytes < REG_BYTES_MAX ? bytes : vector_bytes(cpu);
}

static void append_reg(struct gdbstub *g, struct cpu *cpu, unsigned i)
{
    unsigned count, bytes = stub_reg_bytes(cpu, &rows(cpu, &count)[i]);
    uint8_t buf[REG_BYTES_MAX] = { 0 };

    if (cpu->ops->get_reg(cpu, i, buf))
        packet_hex(g->reply, buf, bytes);
    else
        for (unsigned k = 0; k < 2 * bytes; k++)
            g_string_append_c(g->reply, 'x'); /* not available */
}

/* Rows of the g packet, in order. */
static bool in_g(const struct cpu_reg *reg)
{
    return reg->number != CPU_REG_NONE && !strcmp(reg->group, "general");
}

bool cmd_read_all(struct gdbstub *g, const char *args, size_t len)
{
    struct cpu *cpu = stub_cpu(g, g->cpu);
    unsigned count;
    const struct cpu_reg *reg = rows(cpu, &count);

    (void)args, (void)len;
    for (unsigned i = 0; i < count; i++)
        if (in_g(&reg[i]))
            append_reg(g, cpu, i);
    return true;
}

bool cmd_write_all(struct gdbstub *g, const char *args, size_t len)
{
    struct cpu *cpu = stub_cpu(g, g->cpu);
    unsigned count;
    const struct cpu_reg *reg = rows(cpu, &count);
    g_autofree uint8_t *bytes = g_malloc0(PACKET_MAX / 2);
    size_t have = len / 2, at = 0;

    if (!packet_unhex(args, bytes, have)) {
        stub_error(g, STUB_EINVAL);
        return true;
    }
    for (unsigned i = 0; i < count; i++) {
        if (!in_g(&reg[i]))
            continue;
        if (at + reg[i].bits / 8 > have)
            break;
        cpu->ops->set_reg(cpu, i, bytes + at);
        at += reg[i].bits / 8;
    }
    g_string_assign(g->reply, "OK");
    return true;
}

bool cmd_read_reg(struct gdbstub *g, const char *args, size_t len)
{
    struct cpu *cpu = stub_cpu(g, g->cpu);
    uint64_t number;
    int i = packet_number(&args, &number) && !*args ? row_numbered(cpu, number) : -1;

    (void)len;
    if (i < 0)
        stub_error(g, STUB_EINVAL);
    else
        append_reg(g, cpu, i);
    return true;
}

bool cmd_write_reg(struct gdbstub *g, const char *args, size_t len)
{
    struct cpu *cpu = stub_cpu(g, g->cpu);
    uint8_t buf[REG_BYTES_MAX] = { 0 };
    uint64_t number;
    unsigned count;
    int i = packet_number(&args, &number) && *args == '=' ? row_numbered(cpu, number) : -1;

    (void)len;
    if (i >= 0 && packet_unhex(args + 1, buf, stub_reg_bytes(cpu, &rows(cpu, &count)[i])) &&
        cpu->ops->set_reg(cpu, i, buf))
        g_string_assign(g->reply, "OK");
    else
        stub_error(g, STUB_EINVAL);
    return true;
}

bool stub_set_pc(struct gdbstub *g, struct cpu *cpu, uint64_t pc)
{
    static const char *const names[] = { "pc", "rip", "eip" };
    uint64_t le = GUINT64_TO_LE(pc);
    int i = -1;

    (void)g;
    for (unsigned k = 0; i < 0 && k < G_N_ELEMENTS(names); k++)
        i = row_named(cpu, names[k]);
    return i >= 0 && cpu->ops->set_reg(cpu, i, &le);
}
