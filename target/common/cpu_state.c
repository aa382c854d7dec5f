/*
 * The saved state of a CPU: its register rows by name, so that rows may be added and moved. Saved
 * as u32 count, then for each row u32 length and name, u32 size and the little-endian value.
 */
#include <string.h>
#include <base/error.h>
#include <hw/core/machine.h>
#include <target/cpu.h>

enum { NAME_MAX_LEN = 64, VALUE_MAX = 1024 / 8 };

/* Whether row @i belongs to the state; its value is in @value then. */
static bool saved(struct cpu *cpu, const struct cpu_reg *reg, unsigned i, uint8_t *value)
{
    memset(value, 0, VALUE_MAX);
    return !reg->derived && cpu->ops->get_reg(cpu, i, value);
}

static void save_rows(const void *field, struct state_writer *w)
{
    struct cpu *cpu = (struct cpu *)field;
    uint8_t value[VALUE_MAX];
    unsigned count, n = 0;
    const struct cpu_reg *regs = cpu->ops->regs(cpu, &count);

    for (unsigned i = 0; i < count; i++)
        n += saved(cpu, &regs[i], i, value);
    state_put_u32(w, n);
    for (unsigned i = 0; i < count; i++) {
        if (!saved(cpu, &regs[i], i, value))
            continue;
        state_put_u32(w, (uint32_t)strlen(regs[i].name));
        state_put(w, regs[i].name, strlen(regs[i].name));
        state_put_u32(w, regs[i].bits / 8);
        state_put(w, value, regs[i].bits / 8);
    }
}

/* A name or value with its length before it. */
static bool get_piece(struct state_reader *r, void *buf, uint32_t max, uint32_t *len, GError **err)
{
    if (!state_get_u32(r, len, err))
        return false;
    if (*len > max)
        return error_set(err, "saved state: a piece of a CPU has %u bytes, at most %u are right",
                         *len, max);
    return state_get(r, buf, *len, err);
}

static bool load_row(struct cpu *cpu, GHashTable *missing, struct state_reader *r, GError **err)
{
    char name[NAME_MAX_LEN + 1];
    uint8_t value[VALUE_MAX];
    uint32_t len, size;
    gpointer index;

    if (!get_piece(r, name, NAME_MAX_LEN, &len, err) || !get_piece(r, value, VALUE_MAX, &size, err))
        return false;
    name[len] = '\0';
    if (!g_hash_table_steal_extended(missing, name, NULL, &index))
        return error_set(err, "saved state: this CPU has no register '%s', or it comes twice",
                         name);
    if (size != cpu->ops->regs(cpu, &(unsigned){ 0 })[GPOINTER_TO_UINT(index)].bits / 8)
        return error_set(err, "saved state: register '%s' has %u bytes", name, size);
    return cpu->ops->set_reg(cpu, GPOINTER_TO_UINT(index), value) ||
           error_set(err, "saved state: the value of register '%s' is not of this CPU", name);
}

static bool load_rows(void *field, struct state_reader *r, GError **err)
{
    struct cpu *cpu = field;
    g_autoptr(GHashTable) missing = g_hash_table_new(g_str_hash, g_str_equal);
    uint8_t value[VALUE_MAX];
    unsigned count;
    uint32_t n;
    const struct cpu_reg *regs = cpu->ops->regs(cpu, &count);

    for (unsigned i = 0; i < count; i++)
        if (saved(cpu, &regs[i], i, value))
            g_hash_table_insert(missing, (void *)(uintptr_t)regs[i].name, GUINT_TO_POINTER(i));
    if (!state_get_u32(r, &n, err))
        return false;
    for (; n; n--)
        if (!load_row(cpu, missing, r, err))
            return false;
    if (g_hash_table_size(missing))
        return error_set(err, "saved state: a register of CPU %u is missing", cpu->index);
    return true;
}

static bool loaded(void *obj, unsigned version, GError **err)
{
    struct cpu *cpu = obj;

    (void)version, (void)err;
    tlb_flush_all(cpu);
    cpu_update_flags(cpu);
    cpu_kick(cpu);
    return true;
}

static const struct state_custom rows = { save_rows, load_rows };
static const struct state_field cpu_fields[] = { { .name = "registers",
                                                   .kind = STATE_KIND_CUSTOM,
                                                   .size = 1,
                                                   .count = 1,
                                                   .offset = 0,
                                                   .custom = &rows },
                                                 STATE_END };
static const struct state_table cpu_state = {
    .name = "cpu", .version = 1, .fields = cpu_fields, .post_load = loaded
};

void cpu_add_state(struct cpu *cpu)
{
    g_autofree char *name = g_strdup_printf("/machine/cpu[%u]", cpu->index);

    machine_add_state(cpu->machine, name, &cpu_state, cpu);
}
