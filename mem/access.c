/*
 * Loads and stores of single numbers. Those that are aligned and in RAM are one host access, so
 * that rings shared with a running CPU are never seen torn.
 */
#include "internal.h"

#include <base/bits.h>
#include <base/shared.h>

/* On a bus without errors a CPU does an unaligned access that the device would refuse in pieces. */
static bool in_pieces(const struct section *s, uint64_t addr, unsigned size)
{
    const struct mem_region *r = s->region;

    return addr & (size - 1) && r && r->mem->open_bus && r->ops &&
           r->ops->unaligned == IO_UNALIGNED_ERROR;
}

enum mem_result space_load(struct address_space *as, uint64_t addr, unsigned size, uint64_t *val,
                           mem_attrs attrs)
{
    unsigned cookie = mem_read_begin(as->mem);
    uint64_t len = size;
    struct section s = space_lookup(as, addr, &len);
    uint8_t buf[8] = { 0 };
    enum mem_result res;
    bool taken;

    if (s.host && len == size && !((uintptr_t)s.host & (size - 1))) {
        *val = shared_load(s.host, size);
        mem_read_end(as->mem, cookie);
        return MEM_OK;
    }
    mem_read_end(as->mem, cookie);
    if (attrs & MEM_ATTR_RAM_ONLY) {
        res = space_read(as, addr, buf, size, attrs);
        *val = ldn_le(buf, size);
        return res;
    }
    taken = loop_lock_if(as->mem->loop);
    len = size;
    s = space_lookup(as, addr, &len);
    if (s.host || len != size || in_pieces(&s, addr, size)) {
        res = space_read(as, addr, buf, size, attrs);
        *val = ldn_le(buf, size);
    } else {
        res = mem_io_read(s.region, s.offset, size, val, attrs);
    }
    loop_unlock_if(as->mem->loop, taken);
    return res;
}

enum mem_result space_store(struct address_space *as, uint64_t addr, unsigned size, uint64_t val,
                            mem_attrs attrs)
{
    unsigned cookie = mem_read_begin(as->mem);
    uint64_t len = size;
    struct section s = space_lookup(as, addr, &len);
    uint8_t buf[8];
    enum mem_result res;
    bool taken;

    if (s.host && !s.readonly && len == size && !((uintptr_t)s.host & (size - 1))) {
        shared_store(s.host, val, size);
        ram_written(as->mem->ram, s.ram, size);
        mem_read_end(as->mem, cookie);
        return MEM_OK;
    }
    if (s.bells && len == size && !(attrs & MEM_ATTR_RAM_ONLY) &&
        bells_ring(s.bells, s.offset, size, val)) {
        mem_read_end(as->mem, cookie);
        return MEM_OK;
    }
    mem_read_end(as->mem, cookie);
    if (attrs & MEM_ATTR_RAM_ONLY) {
        stn_le(buf, size, val);
        return space_write(as, addr, buf, size, attrs);
    }
    taken = loop_lock_if(as->mem->loop);
    len = size;
    s = space_lookup(as, addr, &len);
    if ((s.host && !s.readonly) || len != size || in_pieces(&s, addr, size)) {
        stn_le(buf, size, val);
        res = space_write(as, addr, buf, size, attrs);
    } else {
        res = mem_io_write(s.region, s.offset, size, val, attrs);
    }
    loop_unlock_if(as->mem->loop, taken);
    return res;
}

/* Where the device is, again after each change of the space. Device lock held. */
struct fifo {
    struct address_space *as;
    uint64_t addr, len, generation;
    struct section s;
};

static bool fifo_is_io(struct fifo *f, unsigned size)
{
    uint64_t now = space_generation(f->as);

    if (!f->len || f->generation != now) {
        f->generation = now;
        f->len = size;
        f->s = space_lookup(f->as, f->addr, &f->len);
    }
    return !f->s.host && f->len == size;
}

void space_load_n(struct address_space *as, uint64_t addr, unsigned size, void *buf, uint64_t n,
                  mem_attrs attrs)
{
    struct fifo f = { .as = as, .addr = addr };
    bool taken = loop_lock_if(as->mem->loop);
    uint8_t *to = buf;

    for (; n; n--, to += size) {
        uint64_t val;
        enum mem_result res = fifo_is_io(&f, size)
                                  ? mem_io_read(f.s.region, f.s.offset, size, &val, attrs)
                                  : space_load(as, addr, size, &val, attrs);

        stn_le(to, size, res == MEM_OK ? val : UINT64_MAX);
    }
    loop_unlock_if(as->mem->loop, taken);
}

void space_store_n(struct address_space *as, uint64_t addr, unsigned size, const void *buf,
                   uint64_t n, mem_attrs attrs)
{
    struct fifo f = { .as = as, .addr = addr };
    bool taken = loop_lock_if(as->mem->loop);
    const uint8_t *from = buf;

    for (; n; n--, from += size) {
        if (fifo_is_io(&f, size))
            mem_io_write(f.s.region, f.s.offset, size, ldn_le(from, size), attrs);
        else
            space_store(as, addr, size, ldn_le(from, size), attrs);
    }
    loop_unlock_if(as->mem->loop, taken);
}

static uint64_t load(struct address_space *as, uint64_t addr, unsigned size, mem_attrs attrs,
                     enum mem_result *res)
{
    uint64_t val = 0;
    enum mem_result r = space_load(as, addr, size, &val, attrs);

    if (res)
        *res = r;
    return val;
}

uint8_t space_ld8(struct address_space *as, uint64_t addr, mem_attrs attrs, enum mem_result *res)
{
    return (uint8_t)load(as, addr, 1, attrs, res);
}

enum mem_result space_st8(struct address_space *as, uint64_t addr, uint8_t val, mem_attrs attrs)
{
    return space_store(as, addr, 1, val, attrs);
}

#define SAME(v) (v)
#define ACCESSORS(bits, order, conv)                                                  \
    uint##bits##_t space_ld##bits##_##order(struct address_space *as, uint64_t addr,  \
                                            mem_attrs attrs, enum mem_result *res)    \
    {                                                                                 \
        return conv((uint##bits##_t)load(as, addr, (bits) / 8, attrs, res));          \
    }                                                                                 \
    enum mem_result space_st##bits##_##order(struct address_space *as, uint64_t addr, \
                                             uint##bits##_t val, mem_attrs attrs)     \
    {                                                                                 \
        return space_store(as, addr, (bits) / 8, conv(val), attrs);                   \
    }

ACCESSORS(16, le, SAME)
ACCESSORS(32, le, SAME)
ACCESSORS(64, le, SAME)
ACCESSORS(16, be, GUINT16_SWAP_LE_BE)
ACCESSORS(32, be, GUINT32_SWAP_LE_BE)
ACCESSORS(64, be, GUINT64_SWAP_LE_BE)
