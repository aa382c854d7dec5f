/*
 * Growing a devicetree in place by one reserved-memory node (Devicetree Specification v0.4, 3.5).
 *
 * Text is built in a small buffer first; then gaps are opened in the string and structure blocks
 * and the header's offsets behind each gap move along. No libfdt, since nothing else is ever
 * changed.
 */
#include "fdt.h"

/* Names of the properties written here; appended to the string block as they stand. */
static const char names[48] = "reg\0no-map\0ranges\0#address-cells\0#size-cells";
#define NAME_REG           0
#define NAME_NO_MAP        4
#define NAME_RANGES        11
#define NAME_ADDRESS_CELLS 18
#define NAME_SIZE_CELLS    33

struct text {
    uint8_t bytes[256];
    uint32_t len;
};

static void put_cell(struct text *t, uint32_t value)
{
    store_be32(t->bytes + t->len, value);
    t->len += 4;
}

static void put_node(struct text *t, const char *name)
{
    uint32_t len = str_len(name) + 1;

    put_cell(t, FDT_BEGIN_NODE);
    memset(t->bytes + t->len, 0, (len + 3) & ~3u);
    memcpy(t->bytes + t->len, name, len);
    t->len += (len + 3) & ~3u;
}

static void put_prop(struct text *t, uint32_t name, uint32_t len)
{
    put_cell(t, FDT_PROP);
    put_cell(t, len);
    put_cell(t, name);
}

static void put_end(struct text *t)
{
    put_cell(t, FDT_END_NODE);
}

/* A number as one or two cells. */
static void put_number(struct text *t, uintptr_t value, uint32_t cells)
{
    for (uint32_t i = cells; i-- > 0;) {
        put_cell(t, i ? (uint64_t)value >> 32 : value);
    }
}

/* NAME@HEX, as section 2.2.1 wants a node with "reg" to be called. */
static void unit_name(char *out, const char *name, uintptr_t base)
{
    uint32_t shift = 8 * sizeof(base);

    while (*name) {
        *out++ = *name++;
    }
    *out++ = '@';
    do {
        shift -= 4;
    } while (shift && !(base >> shift));
    for (;; shift -= 4) {
        *out++ = "0123456789abcdef"[base >> shift & 15];
        if (!shift) {
            break;
        }
    }
    *out = 0;
}

static void bump(struct fdt *fdt, uint32_t field, uint32_t n)
{
    store_be32(fdt->base + field, load_be32(fdt->base + field) + n);
}

/* End of the last block; what follows up to totalsize is free. */
static uint32_t used_end(const struct fdt *fdt)
{
    return fdt->structs_end > fdt->strings_end ? fdt->structs_end : fdt->strings_end;
}

/*
 * Opens a gap of n bytes (a multiple of 8, so that blocks behind keep their alignment) at offset
 * `at`, which belongs to the block that ends there.
 */
static void open_gap(struct fdt *fdt, uint32_t at, uint32_t n, bool in_strings)
{
    uint32_t end = used_end(fdt);

    memmove(fdt->base + at + n, fdt->base + at, end - at);
    if (in_strings) {
        bump(fdt, HEADER_STRINGS_SIZE, n);
        fdt->strings_end += n;
        if (fdt->structs >= at) {
            bump(fdt, HEADER_STRUCTS, n);
            fdt->structs += n;
            fdt->structs_end += n;
        }
    } else {
        bump(fdt, HEADER_STRUCTS_SIZE, n);
        fdt->structs_end += n;
        if (fdt->strings >= at) {
            bump(fdt, HEADER_STRINGS, n);
            fdt->strings += n;
            fdt->strings_end += n;
        }
    }
    if (end + n > fdt->size) {
        fdt->size = end + n;
        store_be32(fdt->base + HEADER_TOTALSIZE, fdt->size);
    }
}

uint32_t fdt_reserve_growth(const struct fdt *fdt)
{
    uint32_t want = sizeof(names) + sizeof(((struct text *)0)->bytes);
    uint32_t room = fdt->size - used_end(fdt);

    return want > room ? want - room : 0;
}

bool fdt_reserve(struct fdt *fdt, const char *name, struct range range)
{
    const char *parent_path = "/reserved-memory";
    char path[64], *unit = path + str_len(parent_path) + 1;
    struct fdt_node node, root;
    struct text text = { .len = 0 };
    uint32_t strings, at;
    uint32_t address_cells, size_cells;
    bool have_parent = fdt_find(fdt, parent_path, &node);

    memcpy(path, parent_path, str_len(parent_path));
    unit[-1] = '/';
    unit_name(unit, name, range.base);
    if (fdt_find(fdt, path, &root)) {
        return true;
    }
    /* used_end() knows of two blocks; the reservation map has to come before them, as it always
     * does. */
    if (!fdt_find(fdt, "/", &root) || load_be32(fdt->base + HEADER_RESERVATIONS) >= fdt->structs ||
        load_be32(fdt->base + HEADER_RESERVATIONS) >= fdt->strings) {
        return false;
    }
    /* The parent's cells: its own where it exists, else copied from the root (section 3.5.1). */
    address_cells = fdt_number(fdt, have_parent ? &node : &root, "#address-cells", 2);
    size_cells = fdt_number(fdt, have_parent ? &node : &root, "#size-cells", 1);
    at = fdt_children(fdt, have_parent ? &node : &root);
    if (!at || address_cells < 1 || address_cells > 2 || size_cells < 1 || size_cells > 2) {
        return false;
    }

    /* Strings first: where they precede the structure block, `at` moves. */
    strings = fdt->strings_end - fdt->strings;
    at -= fdt->structs;
    open_gap(fdt, fdt->strings_end, sizeof(names), true);
    memcpy(fdt->base + fdt->strings + strings, names, sizeof(names));
    at += fdt->structs;

    if (!have_parent) {
        put_node(&text, "reserved-memory");
        put_prop(&text, strings + NAME_ADDRESS_CELLS, 4);
        put_cell(&text, address_cells);
        put_prop(&text, strings + NAME_SIZE_CELLS, 4);
        put_cell(&text, size_cells);
        put_prop(&text, strings + NAME_RANGES, 0);
    }
    put_node(&text, unit);
    put_prop(&text, strings + NAME_REG, 4 * (address_cells + size_cells));
    put_number(&text, range.base, address_cells);
    put_number(&text, range.size, size_cells);
    put_prop(&text, strings + NAME_NO_MAP, 0);
    put_end(&text);
    if (!have_parent) {
        put_end(&text);
    }
    if (text.len % 8) {
        put_cell(&text, FDT_NOP);
    }
    open_gap(fdt, at, text.len, false);
    memcpy(fdt->base + at, text.bytes, text.len);
    return true;
}
