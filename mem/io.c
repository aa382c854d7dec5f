/*
 * One access to a device: checked against what the guest may do, then split or widened to what the
 * device handles, with bytes put into the lanes that the device's byte order wants.
 */
#include "internal.h"

#include <inttypes.h>
#include <base/bug.h>
#include <base/log.h>

static struct io_sizes guest_sizes(const struct io_ops *ops)
{
    return (struct io_sizes){
        .min = ops->guest_sizes.min ? ops->guest_sizes.min : 1,
        .max = ops->guest_sizes.max ? ops->guest_sizes.max : 8,
    };
}

static struct io_sizes own_sizes(const struct io_ops *ops)
{
    struct io_sizes g = guest_sizes(ops);

    return (struct io_sizes){
        .min = ops->own_sizes.min ? ops->own_sizes.min : g.min,
        .max = ops->own_sizes.max ? ops->own_sizes.max : g.max,
    };
}

static uint64_t size_mask(unsigned size)
{
    return size == 8 ? UINT64_MAX : (UINT64_C(1) << (size * 8)) - 1;
}

/* Turns a device's number into the little-endian number of its bytes, and back. */
static uint64_t lanes(const struct mem_region *r, uint64_t val, unsigned size)
{
    bool big = r->ops->endian == IO_BIG || (r->ops->endian == IO_NATIVE && r->mem->big_endian);

    return big ? __builtin_bswap64(val) >> (64 - size * 8) : val;
}

/* A call of the device's own handler; size is one of its own sizes. */
static enum mem_result call_read(struct mem_region *r, uint64_t offset, unsigned size,
                                 uint64_t *val, mem_attrs attrs)
{
    const struct io_ops *ops = r->ops;
    enum mem_result res = MEM_OK;

    *val = 0;
    if (ops->read_attrs)
        res = ops->read_attrs(r->opaque, offset, size, val, attrs);
    else if (ops->read)
        *val = ops->read(r->opaque, offset, size);
    *val = res == MEM_OK ? lanes(r, *val & size_mask(size), size) : 0;
    return res;
}

static enum mem_result call_write(struct mem_region *r, uint64_t offset, unsigned size,
                                  uint64_t val, mem_attrs attrs)
{
    const struct io_ops *ops = r->ops;

    val = lanes(r, val & size_mask(size), size);
    if (ops->write_attrs)
        return ops->write_attrs(r->opaque, offset, val, size, attrs);
    if (ops->write)
        ops->write(r->opaque, offset, val, size);
    return MEM_OK;
}

/* How an access is cut up: pieces of `step` bytes, each a device access of `wide` bytes. */
struct plan {
    unsigned step, wide;
};

static struct plan make_plan(const struct mem_region *r, uint64_t offset, unsigned size)
{
    struct io_sizes own = own_sizes(r->ops);
    bool unaligned = offset & (size - 1);
    struct plan p = { .step = MIN(size, own.max) };

    if (unaligned && r->ops->unaligned == IO_UNALIGNED_SPLIT)
        p.step = 1;
    /* An unaligned narrow access may straddle two of the device's units. */
    if (p.step < own.min && (offset & (own.min - 1)) + p.step > own.min)
        p.step = 1;
    p.wide = MAX(p.step, own.min);
    return p;
}

/* Start of the device's unit that holds the piece at `offset`. */
static uint64_t unit_start(const struct plan *p, uint64_t offset)
{
    return p->wide > p->step ? offset & ~(uint64_t)(p->wide - 1) : offset;
}

static bool fits(const struct mem_region *r, uint64_t offset, unsigned size)
{
    return offset <= region_last(r) && region_last(r) - offset >= size - 1;
}

/* Whether the guest may do this access at all. */
static bool allowed(const struct mem_region *r, uint64_t offset, unsigned size)
{
    struct io_sizes g = guest_sizes(r->ops);

    return size >= g.min && size <= g.max && fits(r, offset, size) &&
           (!(offset & (size - 1)) || r->ops->unaligned != IO_UNALIGNED_ERROR);
}

/* A guest can aim a device's DMA at the device itself. That must not recurse without bound. */
static bool enter(struct mem_region *r)
{
    if (r->busy) {
        log_guest_error("access to %s from within itself\n", r->name);
        return false;
    }
    r->busy = true;
    return true;
}

static enum mem_result locked_read(struct mem_region *r, uint64_t offset, unsigned size,
                                   uint64_t *val, mem_attrs attrs)
{
    struct plan p = make_plan(r, offset, size);
    enum mem_result res = MEM_OK;

    for (unsigned i = 0; i < size && res == MEM_OK; i += p.step) {
        uint64_t at = offset + i, start = unit_start(&p, at), v = 0;

        res = fits(r, start, p.wide) ? call_read(r, start, p.wide, &v, attrs) : MEM_DECODE_ERROR;
        v = (v >> ((at - start) * 8)) & size_mask(p.step);
        *val |= v << (i * 8);
    }
    if (res != MEM_OK)
        *val = 0;
    return res;
}

static enum mem_result locked_write(struct mem_region *r, uint64_t offset, unsigned size,
                                    uint64_t val, mem_attrs attrs)
{
    struct plan p = make_plan(r, offset, size);
    enum mem_result res = MEM_OK;

    for (unsigned i = 0; i < size && res == MEM_OK; i += p.step) {
        uint64_t at = offset + i, start = unit_start(&p, at);
        uint64_t v = (val >> (i * 8)) & size_mask(p.step);

        if (!fits(r, start, p.wide))
            return MEM_DECODE_ERROR;
        res = call_write(r, start, p.wide, v << ((at - start) * 8), attrs);
    }
    return res;
}

/* What becomes of an access that the device has refused. */
static enum mem_result refused(const struct mem_region *r, enum mem_result res)
{
    return r && r->mem->open_bus ? MEM_OK : res;
}

static uint64_t refused_value(const struct mem_region *r, unsigned size)
{
    return r && r->mem->open_bus ? size_mask(size) : 0;
}

enum mem_result mem_io_read(struct mem_region *r, uint64_t offset, unsigned size, uint64_t *val,
                            mem_attrs attrs)
{
    enum mem_result res;
    bool taken;

    *val = 0;
    if (!r || !r->ops || !allowed(r, offset, size)) {
        log_guest_error("invalid read of %u bytes at %s+0x%" PRIx64 "\n", size,
                        r ? r->name : "nowhere", offset);
        *val = refused_value(r, size);
        return refused(r, MEM_DECODE_ERROR);
    }
    taken = loop_lock_if(r->mem->loop);
    res = MEM_DEVICE_ERROR;
    if (enter(r)) {
        res = locked_read(r, offset, size, val, attrs);
        r->busy = false;
    }
    loop_unlock_if(r->mem->loop, taken);
    if (res == MEM_OK)
        return res;
    *val = refused_value(r, size);
    return refused(r, res);
}

enum mem_result mem_io_write(struct mem_region *r, uint64_t offset, unsigned size, uint64_t val,
                             mem_attrs attrs)
{
    enum mem_result res;
    bool taken;

    if (r && (r->kind == MEM_ROM || r->kind == MEM_RAM) && fits(r, offset, size)) {
        log_guest_error("write of %u bytes to read-only %s+0x%" PRIx64 "\n", size, r->name, offset);
        return MEM_OK;
    }
    if (!r || !r->ops || !allowed(r, offset, size)) {
        log_guest_error("invalid write of %u bytes at %s+0x%" PRIx64 "\n", size,
                        r ? r->name : "nowhere", offset);
        return refused(r, MEM_DECODE_ERROR);
    }
    taken = loop_lock_if(r->mem->loop);
    res = MEM_DEVICE_ERROR;
    if (enter(r)) {
        res = locked_write(r, offset, size, val, attrs);
        r->busy = false;
    }
    loop_unlock_if(r->mem->loop, taken);
    return res == MEM_OK ? res : refused(r, res);
}
