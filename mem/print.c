/* What `info mtree` shows. */
#include "internal.h"

#include <inttypes.h>

static const char *const kind_names[] = {
    [MEM_CONTAINER] = "container", [MEM_RAM] = "ram", [MEM_ROM] = "rom",
    [MEM_ROM_DEVICE] = "romd",     [MEM_IO] = "i/o",  [MEM_ALIAS] = "alias",
};

static void print_region(GString *out, const struct mem_region *r, uint64_t base, unsigned depth)
{
    g_string_append_printf(out, "%*s%016" PRIx64 "-%016" PRIx64 " (prio %d, %s%s): %s",
                           (int)(2 * depth), "", base, base + region_last(r), r->priority,
                           kind_names[r->kind], r->readonly ? ", read-only" : "", r->name);
    if (r->kind == MEM_ALIAS)
        g_string_append_printf(out, " -> %s @%016" PRIx64 "-%016" PRIx64, r->target->name,
                               r->target_offset, r->target_offset + region_last(r));
    g_string_append_printf(out, "%s\n", r->enabled ? "" : " [disabled]");
    for (unsigned i = 0; r->children && i < r->children->len; i++) {
        const struct mem_region *sub = g_ptr_array_index(r->children, i);

        print_region(out, sub, base + sub->addr, depth + 1);
    }
}

static void print_range(const struct flat_range *r, void *opaque)
{
    GString *out = opaque;

    g_string_append_printf(out, "  %016" PRIx64 "-%016" PRIx64 " (%s%s): %s", r->first, r->last,
                           kind_names[r->region->kind], r->readonly ? ", read-only" : "",
                           r->region->name);
    if (r->offset)
        g_string_append_printf(out, " @%016" PRIx64, r->offset);
    g_string_append_c(out, '\n');
}

void mem_print(struct mem *mem, GString *out, bool flat)
{
    for (unsigned i = 0; i < mem->spaces->len; i++) {
        struct address_space *as = g_ptr_array_index(mem->spaces, i);

        g_string_append_printf(out, "address-space: %s\n", as->name);
        if (flat)
            space_foreach(as, print_range, out);
        else
            print_region(out, as->root, 0, 1);
        g_string_append_c(out, '\n');
    }
}
