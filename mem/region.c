/* Making, placing and changing regions; see mem/region.h. */
#include "internal.h"

#include <string.h>
#include <base/bug.h>

static void region_setup(struct mem_region *r, struct mem *mem, enum mem_kind kind,
                         const char *name, uint64_t size)
{
    bug_on(!size);
    memset(r, 0, sizeof(*r));
    r->mem = mem;
    r->kind = kind;
    r->name = g_strdup(name);
    r->size = size;
    r->enabled = true;
}

void mem_region_init(struct mem_region *r, struct mem *mem, const char *name, uint64_t size)
{
    region_setup(r, mem, MEM_CONTAINER, name, size);
}

void mem_region_init_io(struct mem_region *r, struct mem *mem, const struct io_ops *ops,
                        void *opaque, const char *name, uint64_t size)
{
    region_setup(r, mem, MEM_IO, name, size);
    r->ops = ops;
    r->opaque = opaque;
}

void mem_region_set_late(struct mem_region *r, uint32_t first, uint32_t size)
{
    r->late_first = first;
    r->late_size = size;
}

static bool init_backed(struct mem_region *r, struct mem *mem, enum mem_kind kind, const char *name,
                        uint64_t size, const struct ram_backing *backing, GError **err)
{
    struct ram_block *b = ram_block_new_backed(mem->ram, name, size, backing, err);

    if (!b)
        return false;
    region_setup(r, mem, kind, name, size);
    r->ram = b;
    return true;
}

bool mem_region_init_ram(struct mem_region *r, struct mem *mem, const char *name, uint64_t size,
                         GError **err)
{
    return init_backed(r, mem, MEM_RAM, name, size, NULL, err);
}

bool mem_region_init_ram_backed(struct mem_region *r, struct mem *mem, const char *name,
                                uint64_t size, const struct ram_backing *backing, GError **err)
{
    return init_backed(r, mem, MEM_RAM, name, size, backing, err);
}

bool mem_region_init_rom(struct mem_region *r, struct mem *mem, const char *name, uint64_t size,
                         GError **err)
{
    return init_backed(r, mem, MEM_ROM, name, size, NULL, err);
}

bool mem_region_init_rom_device(struct mem_region *r, struct mem *mem, const struct io_ops *ops,
                                void *opaque, const char *name, uint64_t size, GError **err)
{
    if (!init_backed(r, mem, MEM_ROM_DEVICE, name, size, NULL, err))
        return false;
    r->ops = ops;
    r->opaque = opaque;
    r->direct = true;
    return true;
}

void mem_region_init_alias(struct mem_region *r, struct mem *mem, const char *name,
                           struct mem_region *target, uint64_t offset, uint64_t size)
{
    region_setup(r, mem, MEM_ALIAS, name, size);
    r->target = target;
    r->target_offset = offset;
}

void mem_region_destroy(struct mem_region *r)
{
    struct mem *mem = r->mem;

    if (!mem)
        return;
    mem_begin(mem);
    mem_region_remove(r);
    while (r->children && r->children->len)
        mem_region_remove(g_ptr_array_index(r->children, 0));
    mem_end(mem);
    if (r->children)
        g_ptr_array_free(r->children, TRUE);
    if (r->ram)
        ram_block_free(r->ram);
    bells_unref(r->bells);
    g_free(r->name);
    memset(r, 0, sizeof(*r));
}

void mem_region_add_priority(struct mem_region *r, uint64_t addr, struct mem_region *sub,
                             int priority)
{
    unsigned i = 0;

    bug_on(sub->container || !sub->mem || !r->mem);
    if (!r->children)
        r->children = g_ptr_array_new();
    while (i < r->children->len) {
        const struct mem_region *other = g_ptr_array_index(r->children, i);

        if (priority >= other->priority)
            break;
        i++;
    }
    sub->priority = priority;
    sub->addr = addr;
    sub->container = r;
    g_ptr_array_insert(r->children, (int)i, sub);
    mem_changed(r->mem);
}

void mem_region_add(struct mem_region *r, uint64_t addr, struct mem_region *sub)
{
    mem_region_add_priority(r, addr, sub, 0);
}

void mem_region_remove(struct mem_region *sub)
{
    struct mem_region *r = sub->container;

    if (!r)
        return;
    g_ptr_array_remove(r->children, sub);
    sub->container = NULL;
    mem_changed(sub->mem);
}

void mem_region_set_enabled(struct mem_region *r, bool enabled)
{
    if (r->enabled == enabled)
        return;
    r->enabled = enabled;
    mem_changed(r->mem);
}

void mem_region_set_addr(struct mem_region *r, uint64_t addr)
{
    if (r->addr == addr)
        return;
    r->addr = addr;
    mem_changed(r->mem);
}

void mem_region_set_size(struct mem_region *r, uint64_t size)
{
    bug_on(!size || (r->ram && size > r->ram->size));
    if (r->size == size)
        return;
    r->size = size;
    mem_changed(r->mem);
}

void mem_region_set_alias_offset(struct mem_region *r, uint64_t offset)
{
    if (r->target_offset == offset)
        return;
    r->target_offset = offset;
    mem_changed(r->mem);
}

void mem_region_set_readonly(struct mem_region *r, bool readonly)
{
    if (r->readonly == readonly)
        return;
    r->readonly = readonly;
    mem_changed(r->mem);
}

void mem_region_set_direct(struct mem_region *r, bool direct)
{
    bug_on(r->kind != MEM_ROM_DEVICE);
    if (r->direct == direct)
        return;
    r->direct = direct;
    mem_changed(r->mem);
}
