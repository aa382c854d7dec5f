/*
 * The state of all devices as one run of bytes, little-endian:
 *
 *     "MYNASTAT", u32 version of this frame, u16 length and name of the machine type,
 *     i64 virtual clock in ns, then for each state u16 length and name, u32 length and bytes of
 *     state_save(); a name of length 0 ends it.
 */
#include "private.h"

#include <string.h>
#include <base/bits.h>
#include <base/bug.h>
#include <base/clock.h>
#include <base/error.h>

#define FRAME_VERSION 1
static const char magic[8] = { 'M', 'Y', 'N', 'A', 'S', 'T', 'A', 'T' };

static void entry_free(void *opaque)
{
    struct state_entry *e = opaque;

    g_free(e->name);
    g_free(e);
}

void machine_states_init(struct machine *m)
{
    m->priv->states = g_ptr_array_new_with_free_func(entry_free);
}

void machine_states_destroy(struct machine *m)
{
    g_ptr_array_free(m->priv->states, TRUE);
}

static struct state_entry *find_entry(struct machine *m, const char *name, size_t len)
{
    GPtrArray *states = m->priv->states;

    for (unsigned i = 0; i < states->len; i++) {
        struct state_entry *e = g_ptr_array_index(states, i);

        if (strlen(e->name) == len && memcmp(e->name, name, len) == 0)
            return e;
    }
    return NULL;
}

void machine_add_state(struct machine *m, const char *name, const struct state_table *t, void *obj)
{
    struct state_entry *e = g_new(struct state_entry, 1);

    bug_on(find_entry(m, name, strlen(name)));
    *e = (struct state_entry){ g_strdup(name), t, obj };
    g_ptr_array_add(m->priv->states, e);
}

void machine_remove_state(struct machine *m, const char *name)
{
    struct state_entry *e = find_entry(m, name, strlen(name));

    if (e)
        g_ptr_array_remove(m->priv->states, e);
}

static void put(GByteArray *out, uint64_t v, unsigned size)
{
    uint8_t b[8];

    stn_le(b, size, v);
    g_byte_array_append(out, b, size);
}

static void put_name(GByteArray *out, const char *name)
{
    put(out, strlen(name), 2);
    g_byte_array_append(out, (const guint8 *)name, (guint)strlen(name));
}

void machine_save(struct machine *m, GByteArray *out)
{
    bug_on(machine_running(m));
    g_byte_array_append(out, (const guint8 *)magic, sizeof(magic));
    put(out, FRAME_VERSION, 4);
    put_name(out, m->type->name);
    put(out, (uint64_t)clock_ns(m->loop, CLK_VIRTUAL), 8);
    for (unsigned i = 0; i < m->priv->states->len; i++) {
        const struct state_entry *e = g_ptr_array_index(m->priv->states, i);
        guint at;

        put_name(out, e->name);
        at = out->len;
        put(out, 0, 4);
        state_save(e->table, e->obj, out);
        stl_le(out->data + at, out->len - at - 4);
    }
    put(out, 0, 2);
}

struct cursor {
    const uint8_t *p;
    size_t left;
};

static bool take(struct cursor *c, size_t n, const uint8_t **p, GError **err)
{
    if (n > c->left) {
        error_set(err, "saved state: data ends early");
        return false;
    }
    *p = c->p;
    c->p += n;
    c->left -= n;
    return true;
}

static bool take_num(struct cursor *c, unsigned size, uint64_t *v, GError **err)
{
    const uint8_t *p;

    if (!take(c, size, &p, err))
        return false;
    *v = ldn_le(p, size);
    return true;
}

static bool take_name(struct cursor *c, const uint8_t **name, uint64_t *len, GError **err)
{
    return take_num(c, 2, len, err) && take(c, *len, name, err);
}

static bool load_frame(struct machine *m, struct cursor *c, GError **err)
{
    const uint8_t *p;
    uint64_t n;

    if (!take(c, sizeof(magic), &p, err))
        return false;
    if (memcmp(p, magic, sizeof(magic)) != 0)
        return error_set(err, "saved state: this is not the state of a machine");
    if (!take_num(c, 4, &n, err))
        return false;
    if (n != FRAME_VERSION)
        return error_set(err, "saved state: version %u of the frame is not known", (unsigned)n);
    if (!take_name(c, &p, &n, err))
        return false;
    if (n != strlen(m->type->name) || memcmp(p, m->type->name, n) != 0)
        return error_set(err, "saved state: it is of another machine than '%s'", m->type->name);
    if (!take_num(c, 8, &n, err))
        return false;
    if ((int64_t)n < 0)
        return error_set(err, "saved state: the clock is negative");
    clock_load_virtual(m->loop, (int64_t)n);
    return true;
}

static bool load_entry(struct machine *m, struct cursor *c, const uint8_t *name, uint64_t len,
                       GHashTable *seen, GError **err)
{
    struct state_entry *e = find_entry(m, (const char *)name, len);
    const uint8_t *data;
    uint64_t size;
    size_t used;

    if (!e)
        return error_set(err, "saved state: this machine has no '%.*s'", (int)MIN(len, 80), name);
    if (!g_hash_table_add(seen, e))
        return error_set(err, "saved state: '%s' comes twice", e->name);
    if (!take_num(c, 4, &size, err) || !take(c, size, &data, err))
        return false;
    if (!state_load(e->table, e->obj, data, size, &used, err)) {
        g_prefix_error(err, "%s: ", e->name);
        return false;
    }
    if (used != size)
        return error_set(err, "saved state: '%s' is longer than it should be", e->name);
    return true;
}

bool machine_load(struct machine *m, const uint8_t *data, size_t len, GError **err)
{
    struct cursor c = { data, len };
    GHashTable *seen = g_hash_table_new(NULL, NULL);
    const uint8_t *name;
    uint64_t n;
    bool ok;

    bug_on(machine_running(m));
    ok = load_frame(m, &c, err);
    while (ok) {
        ok = take_name(&c, &name, &n, err);
        if (!ok || !n)
            break;
        ok = load_entry(m, &c, name, n, seen, err);
    }
    for (unsigned i = 0; ok && i < m->priv->states->len; i++) {
        struct state_entry *e = g_ptr_array_index(m->priv->states, i);

        if (!g_hash_table_contains(seen, e))
            ok = error_set(err, "saved state: '%s' is missing", e->name);
    }
    g_hash_table_destroy(seen);
    return ok;
}
