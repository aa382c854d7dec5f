/* Making and ending machines; see hw/core/machine.h. */
#include "private.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <base/bug.h>
#include <base/error.h>
#include <base/loop.h>
#include <hw/core/loader.h>
#include <hw/core/memory_backend.h>

#define PORTS_SIZE 0x10000

static void make_lists(struct machine *m)
{
    struct machine_private *p = g_new0(struct machine_private, 1);

    m->priv = p;
    p->devices = g_hash_table_new(g_str_hash, g_str_equal);
    p->ids = g_hash_table_new(g_str_hash, g_str_equal);
    p->buses = g_hash_table_new(g_str_hash, g_str_equal);
    p->numbers = g_hash_table_new(g_str_hash, g_str_equal);
    if (m->cfg.has_seed) {
        const guint32 words[] = { (guint32)m->cfg.seed, (guint32)(m->cfg.seed >> 32) };

        p->random = g_rand_new_with_seed_array(words, 2);
    }
    machine_states_init(m);
    machine_runstate_init(m);
    machine_globals_init(m);
    machine_objects_init(m);
}

struct machine *machine_new(const struct machine_type *t, struct loop *loop,
                            struct machine_config *cfg)
{
    struct machine *m = g_malloc0(t->size);
    bool taken = loop_lock_if(loop);

    m->type = t;
    m->loop = loop;
    m->cfg = *cfg;
    memset(cfg, 0, sizeof(*cfg));
    m->run_state = RUN_PRELAUNCH;
    m->cpus = g_ptr_array_new();
    make_lists(m);
    m->mem = mem_new(loop);
    mem_region_init(&m->system, m->mem, "system", MEM_SIZE_ALL);
    mem_region_init(&m->io, m->mem, "io", PORTS_SIZE);
    space_init(&m->memory, m->mem, &m->system, "memory");
    space_init(&m->ports, m->mem, &m->io, "I/O");
    bus_init(&m->root, BUS_SYSTEM, m, NULL, "main-system-bus");
    m->roms = rom_list_new(m);
    for (const struct prop *p = t->props; p && p->kind != PROP_END; p++)
        prop_default(p, m);
    loop_unlock_if(loop, taken);
    return m;
}

bool machine_set(struct machine *m, const char *prop, const char *value, GError **err)
{
    const struct prop *p = prop_find(m->type->props, prop);
    struct nearest near;
    char *what;
    bool ok;

    if (p) {
        what = g_strdup_printf("-machine %s: %s", m->type->name, prop);
        ok = prop_set(p, m, m, what, value, err);
        g_free(what);
        return ok;
    }
    nearest_init(&near, prop);
    for (p = m->type->props; p && p->kind != PROP_END; p++)
        nearest_try(&near, p->name);
    what = g_strdup_printf("-machine %s", m->type->name);
    error_set_unknown(err, what, "property", prop, &near);
    g_free(what);
    return false;
}

static bool check_cpus(struct machine *m, GError **err)
{
    struct machine_config *c = &m->cfg;

    if (!c->cpus)
        c->cpus = c->max_cpus ? c->max_cpus : 1;
    if (!c->max_cpus)
        c->max_cpus = c->cpus;
    if (c->cpus > m->type->max_cpus || c->max_cpus > m->type->max_cpus)
        return error_set(err, "-smp: %u CPUs are too many, machine '%s' takes 1 to %u",
                         MAX(c->cpus, c->max_cpus), m->type->name, m->type->max_cpus);
    if (c->max_cpus < c->cpus)
        return error_set(err, "-smp: maxcpus=%u is less than cpus=%u", c->max_cpus, c->cpus);
    return true;
}

/* -machine memory-backend=ID: its size counts, and -m may only repeat it. */
static bool take_memory_backend(struct machine *m, GError **err)
{
    struct machine_config *c = &m->cfg;
    uint64_t size;

    if (!c->memory_backend)
        return true;
    m->priv->ram_backend =
        object_find_role(m, c->memory_backend, MEMORY_BACKEND, "-machine: memory-backend", err);
    if (!m->priv->ram_backend)
        return false;
    size = memory_backend_size(m->priv->ram_backend);
    if (c->ram_size && c->ram_size != size)
        return error_set(err,
                         "-machine: memory-backend=%s has %" PRIu64 " bytes, and -m asks for "
                         "%" PRIu64,
                         c->memory_backend, size, c->ram_size);
    c->ram_size = size;
    m->priv->ram_backend->users++;
    return true;
}

static bool make_ram(struct machine *m, GError **err)
{
    const struct machine_type *t = m->type;
    struct machine_config *c = &m->cfg;
    struct ram_backing backing = { .fd = -1, .dump = c->dump_ram };

    if (!take_memory_backend(m, err))
        return false;
    if (!c->ram_size)
        c->ram_size = t->default_ram;
    if (c->ram_size < t->min_ram || (t->max_ram && c->ram_size > t->max_ram))
        return error_set(err,
                         "-m: %" PRIu64 " MiB is not what machine '%s' takes, %" PRIu64
                         " to %" PRIu64 " MiB",
                         c->ram_size >> 20, t->name, t->min_ram >> 20,
                         (t->max_ram ? t->max_ram : RAM_TOTAL_MAX) >> 20);
    c->ram_size = (c->ram_size + RAM_PAGE_SIZE - 1) & ~(RAM_PAGE_SIZE - 1);
    if (!c->ram_size) /* a machine without */
        return true;
    if (m->priv->ram_backend)
        backing = *memory_backend_backing(m->priv->ram_backend);
    m->priv->has_ram =
        mem_region_init_ram_backed(&m->ram, m->mem, "ram", c->ram_size, &backing, err);
    return m->priv->has_ram;
}

bool machine_init(struct machine *m, GError **err)
{
    bug_on(m->priv->initialized);
    if (!m->cfg.cpu && m->type->default_cpu) {
        m->cfg.cpu = g_strdup(m->type->default_cpu(m->cfg.arch));
        m->cfg.cpu_unnamed = true;
    }
    if (!check_cpus(m, err) || !make_ram(m, err))
        return false;
    return m->type->init(m, err);
}

void machine_ready(struct machine *m)
{
    m->priv->initialized = true;
}

void machine_config_clear(struct machine_config *c)
{
    char **strings[] = { &c->arch,       &c->cpu,       &c->kernel,   &c->initrd,
                         &c->append,     &c->dtb,       &c->firmware, &c->dump_dtb,
                         &c->boot_order, &c->boot_once, &c->name };

    for (unsigned i = 0; i < G_N_ELEMENTS(strings); i++)
        g_clear_pointer(strings[i], g_free);
}

static bool unwire(struct device *dev, void *opaque)
{
    (void)opaque;
    device_unwire(dev);
    return true;
}

void machine_free(struct machine *m)
{
    struct machine_private *p = m->priv;

    /* devices that go lower their lines, where the other end may be gone already */
    bus_walk(&m->root, unwire, NULL);
    bus_destroy(&m->root);
    rom_list_free(m->roms);
    if (m->type->free)
        m->type->free(m);
    for (const struct prop *q = m->type->props; q && q->kind != PROP_END; q++)
        prop_drop(q, m);
    mem_begin(m->mem);
    mem_region_destroy(&m->ram);
    mem_region_destroy(&m->system);
    mem_region_destroy(&m->io);
    mem_end(m->mem);
    space_destroy(&m->memory);
    space_destroy(&m->ports);
    mem_free(m->mem);
    machine_runstate_destroy(m);
    machine_globals_destroy(m);
    machine_states_destroy(m);
    g_hash_table_destroy(p->devices);
    g_hash_table_destroy(p->ids);
    g_hash_table_destroy(p->buses);
    g_hash_table_destroy(p->numbers);
    machine_objects_destroy(m);
    if (p->random)
        g_rand_free(p->random);
    g_free(p);
    g_ptr_array_free(m->cpus, TRUE);
    machine_config_clear(&m->cfg);
    g_free(m);
}

void machine_set_backend(struct machine *m, enum backend_kind kind, backend_find_fn *find,
                         backend_name_fn *name, void *opaque)
{
    m->backends[kind].find = find;
    m->backends[kind].name = name;
    m->backends[kind].opaque = opaque;
}

void *machine_backend(struct machine *m, enum backend_kind kind, const char *id, GError **err)
{
    static const char *const names[] = { "chardev", "netdev", "drive" };

    if (m->backends[kind].find)
        return m->backends[kind].find(m->backends[kind].opaque, id, err);
    error_set(err, "there is no %s '%s'", names[kind], id);
    return NULL;
}

struct mac_addr machine_next_mac(struct machine *m)
{
    unsigned n = 0x123456 + m->priv->macs++;

    return (
        struct mac_addr){ { 0x52, 0x54, 0x00, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };
}

void machine_random(struct machine *m, void *buf, size_t len)
{
    uint8_t *p = buf;

    if (m->priv->random) {
        for (size_t i = 0; i < len; i++)
            p[i] = (uint8_t)g_rand_int(m->priv->random);
        return;
    }
    while (len) {
        ssize_t n = getrandom(p, len, 0);

        bug_on(n < 0 && errno != EINTR);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
}
