/* Address spaces: publishing views, lookups, and copies in and out; see mem/space.h. */
#include "internal.h"

#include <string.h>
#include <base/bits.h>
#include <base/bug.h>
#include <base/shared.h>

static void view_retire(void *view)
{
    flat_view_free(view);
}

static struct flat_view *view_of(const struct address_space *as)
{
    return __atomic_load_n(&as->view, __ATOMIC_SEQ_CST);
}

void space_update(struct address_space *as)
{
    struct flat_view *view = flat_view_new(as->root), *old = as->view;

    if (flat_view_equal(view, old)) {
        flat_view_free(view);
        return;
    }
    __atomic_store_n(&as->view, view, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&as->generation, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < as->listeners->len; i++) {
        struct space_listener *l = g_ptr_array_index(as->listeners, i);

        l->changed(l->opaque, as);
    }
    mem_retire(as->mem, old, view_retire);
}

void space_init(struct address_space *as, struct mem *mem, struct mem_region *root,
                const char *name)
{
    memset(as, 0, sizeof(*as));
    as->name = g_strdup(name);
    as->mem = mem;
    as->root = root;
    as->listeners = g_ptr_array_new();
    as->view = flat_view_new(root);
    g_ptr_array_add(mem->spaces, as);
}

void space_destroy(struct address_space *as)
{
    if (!as->mem)
        return;
    g_ptr_array_remove(as->mem->spaces, as);
    mem_retire(as->mem, as->view, view_retire);
    g_ptr_array_free(as->listeners, TRUE);
    g_free(as->name);
    memset(as, 0, sizeof(*as));
}

void space_add_listener(struct address_space *as, struct space_listener *l)
{
    g_ptr_array_add(as->listeners, l);
    l->changed(l->opaque, as);
}

void space_remove_listener(struct address_space *as, struct space_listener *l)
{
    g_ptr_array_remove(as->listeners, l);
}

uint64_t space_generation(const struct address_space *as)
{
    return __atomic_load_n(&as->generation, __ATOMIC_SEQ_CST);
}

/* Cuts *len to the bytes from addr to last, inclusive. */
static void cut(uint64_t *len, uint64_t addr, uint64_t last)
{
    if (*len - 1 > last - addr)
        *len = last - addr + 1;
}

struct section space_lookup(struct address_space *as, uint64_t addr, uint64_t *len)
{
    const struct flat_view *v = view_of(as);
    unsigned i = range_at(v->ranges, v->n, addr);
    const struct flat_range *r = i < v->n ? &v->ranges[i] : NULL;
    struct section s = { .ram = RAM_ADDR_NONE };
    uint64_t skip;

    if (!r || r->first > addr) {
        cut(len, addr, r ? r->first - 1 : UINT64_MAX);
        return s;
    }
    cut(len, addr, r->last);
    skip = addr - r->first;
    s.region = r->region;
    s.offset = r->offset + skip;
    s.readonly = r->readonly;
    s.bells = r->bells;
    if (r->host) {
        s.host = r->host + skip;
        s.ram = r->ram + skip;
    }
    return s;
}

void space_foreach(struct address_space *as, void (*fn)(const struct flat_range *r, void *opaque),
                   void *opaque)
{
    const struct flat_view *v = as->view;

    for (unsigned i = 0; i < v->n; i++)
        fn(&v->ranges[i], opaque);
}

/* The largest aligned power of two that fits in len and that the device takes from a guest. */
static unsigned io_size(const struct section *s, uint64_t len)
{
    unsigned max = s->region && s->region->ops && s->region->ops->guest_sizes.max
                       ? s->region->ops->guest_sizes.max
                       : 8;

    while (max > len || (s->offset & (max - 1)))
        max >>= 1;
    return max;
}

/* Reads up to *len bytes of something that is not memory; device lock held. */
static enum mem_result io_read_some(struct address_space *as, uint64_t addr, uint8_t *buf,
                                    uint64_t *len, mem_attrs attrs)
{
    struct section s = space_lookup(as, addr, len);
    enum mem_result res;
    uint64_t val;
    unsigned size;

    if (s.host) { /* the topology changed since the caller looked */
        shared_copy(buf, s.host, *len);
        return MEM_OK;
    }
    if (!s.region) {
        memset(buf, 0, *len);
        return MEM_DECODE_ERROR;
    }
    size = io_size(&s, *len);
    *len = size;
    res = mem_io_read(s.region, s.offset, size, &val, attrs);
    stn_le(buf, size, val);
    return res;
}

static enum mem_result io_write_some(struct address_space *as, uint64_t addr, const uint8_t *buf,
                                     uint64_t *len, mem_attrs attrs)
{
    struct section s = space_lookup(as, addr, len);

    if (s.host && !s.readonly) {
        shared_copy(s.host, buf, *len);
        ram_written(as->mem->ram, s.ram, *len);
        return MEM_OK;
    }
    if (!s.region)
        return MEM_DECODE_ERROR;
    if (s.region->kind == MEM_ROM || s.region->kind == MEM_RAM)
        return MEM_OK;
    *len = io_size(&s, *len);
    return mem_io_write(s.region, s.offset, (unsigned)*len, ldn_le(buf, (unsigned)*len), attrs);
}

enum mem_result space_read(struct address_space *as, uint64_t addr, void *buf, uint64_t len,
                           mem_attrs attrs)
{
    struct mem *mem = as->mem;
    enum mem_result first = MEM_OK, res;
    uint8_t *p = buf;

    while (len) {
        unsigned cookie = mem_read_begin(mem);
        uint64_t n = len;
        struct section s = space_lookup(as, addr, &n);

        if (s.host)
            shared_copy(p, s.host, n);
        mem_read_end(mem, cookie);
        if (!s.host && attrs & MEM_ATTR_RAM_ONLY) {
            memset(p, 0, n);
            first = MEM_DECODE_ERROR;
        } else if (!s.host) {
            bool taken = loop_lock_if(mem->loop);

            n = len;
            res = io_read_some(as, addr, p, &n, attrs);
            first = first == MEM_OK ? res : first;
            loop_unlock_if(mem->loop, taken);
        }
        p += n;
        addr += n;
        len -= n;
    }
    return first;
}

enum mem_result space_write(struct address_space *as, uint64_t addr, const void *buf, uint64_t len,
                            mem_attrs attrs)
{
    struct mem *mem = as->mem;
    enum mem_result first = MEM_OK, res;
    const uint8_t *p = buf;

    while (len) {
        unsigned cookie = mem_read_begin(mem);
        uint64_t n = len;
        struct section s = space_lookup(as, addr, &n);
        bool direct = s.host && !s.readonly, rung = false;

        if (direct) {
            shared_copy(s.host, p, n);
            ram_written(mem->ram, s.ram, n);
        } else if (s.bells && n <= 8 && is_pow2(n) && !(attrs & MEM_ATTR_RAM_ONLY)) {
            rung = bells_ring(s.bells, s.offset, n, ldn_le(p, (unsigned)n));
        }
        mem_read_end(mem, cookie);
        if (rung) {
            /* that was all */
        } else if (!direct && attrs & MEM_ATTR_RAM_ONLY) {
            first = MEM_DECODE_ERROR;
        } else if (!direct) {
            bool taken = loop_lock_if(mem->loop);

            n = len;
            res = io_write_some(as, addr, p, &n, attrs);
            first = first == MEM_OK ? res : first;
            loop_unlock_if(mem->loop, taken);
        }
        p += n;
        addr += n;
        len -= n;
    }
    return first;
}

enum mem_result space_set(struct address_space *as, uint64_t addr, uint8_t byte, uint64_t len,
                          mem_attrs attrs)
{
    enum mem_result first = MEM_OK, res;
    uint8_t chunk[1024];

    memset(chunk, byte, sizeof(chunk));
    while (len) {
        uint64_t n = MIN(len, sizeof(chunk));

        res = space_write(as, addr, chunk, n, attrs);
        first = first == MEM_OK ? res : first;
        addr += n;
        len -= n;
    }
    return first;
}

enum mem_result space_write_rom(struct address_space *as, uint64_t addr, const void *buf,
                                uint64_t len)
{
    enum mem_result first = MEM_OK;
    const uint8_t *p = buf;

    while (len) {
        unsigned cookie = mem_read_begin(as->mem);
        uint64_t n = len;
        struct section s = space_lookup(as, addr, &n);

        if (s.region && s.region->ram) {
            uint64_t offset = s.offset;

            shared_copy(s.region->ram->host + offset, p, n);
            ram_written(as->mem->ram, s.region->ram->base + offset, n);
        } else {
            first = MEM_DECODE_ERROR;
        }
        mem_read_end(as->mem, cookie);
        p += n;
        addr += n;
        len -= n;
    }
    return first;
}

void *space_map(struct address_space *as, uint64_t addr, uint64_t *len, bool write)
{
    unsigned cookie;
    struct section s;

    if (!*len)
        return NULL;
    cookie = mem_read_begin(as->mem);
    s = space_lookup(as, addr, len);
    mem_read_end(as->mem, cookie);
    return s.host && !(write && s.readonly) ? s.host : NULL;
}

void space_unmap(struct address_space *as, void *host, uint64_t len, bool write, uint64_t done)
{
    ram_addr_t addr;

    if (!write || !done)
        return;
    bug_on(done > len);
    addr = ram_addr_from_host(as->mem->ram, host);
    bug_on(addr == RAM_ADDR_NONE);
    ram_written(as->mem->ram, addr, done);
}
