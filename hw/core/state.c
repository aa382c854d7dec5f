/*
 * Saved state as bytes. All numbers are little-endian.
 *
 *     table:  u16 length of name, name, u16 version, fields in order
 *     field:  u8 kind, u8 element size, u32 count, then for
 *             INT count*size bytes; BOOL count bytes of 0 or 1; TIMER i64 deadline or -1;
 *             STRUCT count tables; CUSTOM u32 length and as many bytes
 */
#include <hw/core/state.h>

#include <string.h>
#include <base/bits.h>
#include <base/bug.h>
#include <base/clock.h>
#include <base/error.h>

#define DEPTH_MAX 16

struct state_writer {
    GByteArray *out;
};

struct state_reader {
    const uint8_t *data;
    size_t len, pos;
    unsigned depth;
    const char *where; /* table and field, for messages */
    const char *field;
};

void state_put(struct state_writer *w, const void *p, size_t len)
{
    g_byte_array_append(w->out, p, (guint)len);
}

static void put_num(struct state_writer *w, uint64_t v, unsigned size)
{
    uint8_t b[8];

    stn_le(b, size, v);
    state_put(w, b, size);
}

void state_put_u32(struct state_writer *w, uint32_t v)
{
    put_num(w, v, 4);
}

void state_put_u64(struct state_writer *w, uint64_t v)
{
    put_num(w, v, 8);
}

static bool bad(struct state_reader *r, GError **err, const char *what)
{
    error_set(err, "saved state: %s%s%s at byte %zu: %s", r->where ? r->where : "start",
              r->field ? "." : "", r->field ? r->field : "", r->pos, what);
    return false;
}

bool state_get(struct state_reader *r, void *p, size_t len, GError **err)
{
    if (len > r->len - r->pos)
        return bad(r, err, "data ends early");
    memcpy(p, r->data + r->pos, len);
    r->pos += len;
    return true;
}

static bool get_num(struct state_reader *r, unsigned size, uint64_t *v, GError **err)
{
    uint8_t b[8];

    if (!state_get(r, b, size, err))
        return false;
    *v = ldn_le(b, size);
    return true;
}

bool state_get_u32(struct state_reader *r, uint32_t *v, GError **err)
{
    uint64_t n;

    if (!get_num(r, 4, &n, err))
        return false;
    *v = (uint32_t)n;
    return true;
}

bool state_get_u64(struct state_reader *r, uint64_t *v, GError **err)
{
    return get_num(r, 8, v, err);
}

static uint32_t field_count(const struct state_field *f, const void *obj)
{
    uint32_t n = f->count;

    if (f->counted) {
        memcpy(&n, (const char *)obj + f->count_offset, sizeof(n));
        bug_on(n > f->count);
    }
    return n;
}

/* Where the elements are; NULL for an absent indirect array of length 0. */
static char *field_data(const struct state_field *f, const void *obj)
{
    char *p = (char *)(uintptr_t)obj + f->offset;

    if (f->indirect)
        memcpy(&p, (const void *)p, sizeof(p));
    return p;
}

/* Host-order integer of 1, 2, 4 or 8 bytes. */
static uint64_t host_get(const void *p, unsigned size)
{
    switch (size) {
    case 1: return *(const uint8_t *)p;
    case 2: return *(const uint16_t *)p;
    case 4: return *(const uint32_t *)p;
    default: bug_on(size != 8); return *(const uint64_t *)p;
    }
}

static void host_set(void *p, unsigned size, uint64_t v)
{
    switch (size) {
    case 1: *(uint8_t *)p = (uint8_t)v; break;
    case 2: *(uint16_t *)p = (uint16_t)v; break;
    case 4: *(uint32_t *)p = (uint32_t)v; break;
    default: bug_on(size != 8); *(uint64_t *)p = v;
    }
}

static void save_table(const struct state_table *t, void *obj, struct state_writer *w);

static void save_custom(const struct state_field *f, const char *p, struct state_writer *w)
{
    guint at = w->out->len;

    state_put_u32(w, 0);
    f->custom->save(p, w);
    stl_le(w->out->data + at, w->out->len - at - 4);
}

static void save_field(const struct state_field *f, const void *obj, struct state_writer *w)
{
    uint32_t n = field_count(f, obj);
    char *p = field_data(f, obj);
    bool plain = f->kind == STATE_KIND_INT || f->kind == STATE_KIND_BOOL;

    put_num(w, f->kind, 1);
    put_num(w, plain ? f->size : 0, 1);
    put_num(w, n, 4);
    for (uint32_t i = 0; i < n; i++, p += f->size) {
        switch (f->kind) {
        case STATE_KIND_INT: put_num(w, host_get(p, f->size), f->size); break;
        case STATE_KIND_BOOL: put_num(w, *(bool *)p, 1); break;
        case STATE_KIND_TIMER:
            put_num(w, (uint64_t)timer_deadline((struct timer *)(void *)p), 8);
            break;
        case STATE_KIND_STRUCT: save_table(f->table, p, w); break;
        case STATE_KIND_CUSTOM: save_custom(f, p, w); break;
        case STATE_KIND_END: break;
        }
    }
}

static void save_table(const struct state_table *t, void *obj, struct state_writer *w)
{
    size_t len = strlen(t->name);

    if (t->pre_save)
        t->pre_save(obj);
    put_num(w, len, 2);
    state_put(w, t->name, len);
    put_num(w, t->version, 2);
    for (const struct state_field *f = t->fields; f->kind != STATE_KIND_END; f++)
        save_field(f, obj, w);
}

void state_save(const struct state_table *t, void *obj, GByteArray *out)
{
    struct state_writer w = { .out = out };

    save_table(t, obj, &w);
}

static bool load_table(const struct state_table *t, void *obj, struct state_reader *r,
                       GError **err);

static bool load_timer(struct timer *t, struct state_reader *r, GError **err)
{
    uint64_t v;

    if (!get_num(r, 8, &v, err))
        return false;
    if ((int64_t)v < -1)
        return bad(r, err, "a timer's deadline is negative");
    if ((int64_t)v == -1)
        timer_del(t);
    else
        timer_mod_ns(t, (int64_t)v);
    return true;
}

static bool load_custom(const struct state_field *f, char *p, struct state_reader *r, GError **err)
{
    struct state_reader sub = *r;
    uint32_t len;

    if (!state_get_u32(r, &len, err))
        return false;
    if (len > r->len - r->pos)
        return bad(r, err, "data ends early");
    sub.pos = r->pos;
    sub.len = r->pos + len;
    if (!f->custom->load(p, &sub, err))
        return false;
    if (sub.pos != sub.len)
        return bad(&sub, err, "there is more data than the field takes");
    r->pos = sub.len;
    return true;
}

static bool load_element(const struct state_field *f, char *p, struct state_reader *r, GError **err)
{
    uint64_t v;

    switch (f->kind) {
    case STATE_KIND_INT:
        if (!get_num(r, f->size, &v, err))
            return false;
        host_set(p, f->size, v);
        return true;
    case STATE_KIND_BOOL:
        if (!get_num(r, 1, &v, err))
            return false;
        if (v > 1)
            return bad(r, err, "a boolean is neither 0 nor 1");
        *(bool *)p = v;
        return true;
    case STATE_KIND_TIMER: return load_timer((struct timer *)(void *)p, r, err);
    case STATE_KIND_STRUCT: return load_table(f->table, p, r, err);
    case STATE_KIND_CUSTOM: return load_custom(f, p, r, err);
    case STATE_KIND_END: break;
    }
    return true;
}

static bool load_field(const struct state_field *f, void *obj, struct state_reader *r, GError **err)
{
    bool plain = f->kind == STATE_KIND_INT || f->kind == STATE_KIND_BOOL;
    uint64_t kind, size, count;
    uint32_t n = field_count(f, obj);
    char *p = field_data(f, obj);

    r->field = f->name;
    if (!get_num(r, 1, &kind, err) || !get_num(r, 1, &size, err) || !get_num(r, 4, &count, err))
        return false;
    if (kind != (uint64_t)f->kind || size != (plain ? f->size : 0u))
        return bad(r, err, "is of another kind or size");
    if (count != n)
        return error_set(
            err, "saved state: %s.%s: has %" G_GUINT64_FORMAT " elements, this machine has %u",
            r->where, f->name, count, n);
    for (uint32_t i = 0; i < n; i++, p += f->size)
        if (!load_element(f, p, r, err))
            return false;
    return true;
}

static bool load_header(const struct state_table *t, struct state_reader *r, uint64_t *version,
                        GError **err)
{
    unsigned min = t->min_version ? t->min_version : t->version;
    size_t want = strlen(t->name);
    uint64_t len;

    if (!get_num(r, 2, &len, err))
        return false;
    if (len != want || len > r->len - r->pos || memcmp(r->data + r->pos, t->name, want) != 0)
        return bad(r, err, "is the state of something else");
    r->pos += want;
    if (!get_num(r, 2, version, err))
        return false;
    if (*version > t->version || *version < min)
        return error_set(err, "saved state: %s: version %u is not one of %u to %u", t->name,
                         (unsigned)*version, min, t->version);
    return true;
}

static bool load_table(const struct state_table *t, void *obj, struct state_reader *r, GError **err)
{
    const char *where = r->where, *field = r->field;
    uint64_t version;

    bug_on(r->depth >= DEPTH_MAX);
    r->depth++;
    r->where = t->name;
    r->field = NULL;
    if (!load_header(t, r, &version, err))
        return false;
    for (const struct state_field *f = t->fields; f->kind != STATE_KIND_END; f++)
        if (f->since <= version && !load_field(f, obj, r, err))
            return false;
    r->depth--;
    r->where = where;
    r->field = field;
    return !t->post_load || t->post_load(obj, (unsigned)version, err);
}

bool state_load(const struct state_table *t, void *obj, const uint8_t *data, size_t len,
                size_t *used, GError **err)
{
    struct state_reader r = { .data = data, .len = len };

    if (!load_table(t, obj, &r, err))
        return false;
    *used = r.pos;
    return true;
}
