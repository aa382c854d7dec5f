/*
 * Devicetree reader: bounds-checked walking of the structure block.
 */
#include "fdt.h"
#include "probe.h"

static uint32_t header(const struct fdt *fdt, uint32_t field)
{
    return load_be32(fdt->base + field);
}

bool fdt_open(struct fdt *fdt, uintptr_t addr)
{
    uint32_t structs_size, strings_size;

    if (!addr || addr % 8 || !memory_readable(addr) || !memory_readable(addr + HEADER_SIZE - 1)) {
        return false;
    }
    fdt->base = (uint8_t *)addr;
    fdt->size = header(fdt, HEADER_TOTALSIZE);
    if (load_be32(fdt->base) != FDT_MAGIC || header(fdt, HEADER_VERSION) < 17 ||
        header(fdt, HEADER_LAST_COMPATIBLE) > 17 || fdt->size < HEADER_SIZE ||
        fdt->size > FDT_MAX_SIZE || addr + fdt->size < addr ||
        !memory_readable(addr + fdt->size - 1)) {
        return false;
    }
    fdt->structs = header(fdt, HEADER_STRUCTS);
    fdt->strings = header(fdt, HEADER_STRINGS);
    structs_size = header(fdt, HEADER_STRUCTS_SIZE);
    strings_size = header(fdt, HEADER_STRINGS_SIZE);
    if (fdt->structs % 4 || structs_size % 4 || fdt->structs > fdt->size ||
        structs_size > fdt->size - fdt->structs || fdt->strings > fdt->size ||
        strings_size > fdt->size - fdt->strings) {
        return false;
    }
    fdt->structs_end = fdt->structs + structs_size;
    fdt->strings_end = fdt->strings + strings_size;
    return true;
}

/* The string at `pos` if it ends before `end`, else NULL. */
static const char *bounded_string(const struct fdt *fdt, uint32_t pos, uint32_t end)
{
    for (uint32_t i = pos; i < end; i++) {
        if (!fdt->base[i]) {
            return (const char *)fdt->base + pos;
        }
    }
    return NULL;
}

struct fdt_property {
    const char *name;
    const uint8_t *value;
    uint32_t len;
};

/* Reads the property whose token is at *pos and moves *pos behind it. */
static bool read_property(const struct fdt *fdt, uint32_t *pos, struct fdt_property *prop)
{
    uint32_t at = *pos, name;

    if (fdt->structs_end - at < 12) {
        return false;
    }
    prop->len = load_be32(fdt->base + at + 4);
    name = load_be32(fdt->base + at + 8);
    at += 12;
    if (prop->len > fdt->structs_end - at || name >= fdt->strings_end - fdt->strings) {
        return false;
    }
    prop->value = fdt->base + at;
    prop->name = bounded_string(fdt, fdt->strings + name, fdt->strings_end);
    *pos = at + ((prop->len + 3) & ~3u);
    return prop->name && *pos <= fdt->structs_end;
}

/* The next property of a node: skips NOPs, ends at the first token of another kind. */
static bool next_property(const struct fdt *fdt, uint32_t *pos, struct fdt_property *prop)
{
    while (fdt->structs_end - *pos >= 4) {
        switch (load_be32(fdt->base + *pos)) {
        case FDT_NOP: *pos += 4; break;
        case FDT_PROP: return read_property(fdt, pos, prop);
        default: return false;
        }
    }
    return false;
}

uint32_t fdt_children(const struct fdt *fdt, const struct fdt_node *node)
{
    struct fdt_property prop;
    uint32_t pos = node->props, token;

    while (next_property(fdt, &pos, &prop)) {
    }
    token = fdt->structs_end - pos >= 4 ? load_be32(fdt->base + pos) : 0;
    return token == FDT_BEGIN_NODE || token == FDT_END_NODE ? pos : 0;
}

void fdt_start(struct fdt_cursor *cursor, const struct fdt *fdt)
{
    cursor->fdt = fdt;
    cursor->pos = fdt->structs;
    cursor->depth = 0;
    /* Section 2.3.5: 2 and 1 unless the parent says otherwise. */
    cursor->level[0].address_cells = 2;
    cursor->level[0].size_cells = 1;
}

/* Takes a node whose name is at cursor->pos; the cursor then stands behind its properties. */
static bool begin_node(struct fdt_cursor *cursor, struct fdt_node *node)
{
    const struct fdt *fdt = cursor->fdt;
    uint32_t depth = cursor->depth, cells;

    node->name = bounded_string(fdt, cursor->pos, fdt->structs_end);
    if (!node->name || depth >= FDT_MAX_DEPTH) {
        return false;
    }
    node->depth = depth;
    node->address_cells = cursor->level[depth].address_cells;
    node->size_cells = cursor->level[depth].size_cells;
    node->props = cursor->pos + ((str_len(node->name) + 4) & ~3u);
    if (node->props > fdt->structs_end) {
        return false;
    }
    cursor->pos = node->props;
    cursor->depth = depth + 1;
    cells = fdt_number(fdt, node, "#address-cells", 2);
    cursor->level[depth + 1].address_cells = cells < 8 ? cells : 8;
    cells = fdt_number(fdt, node, "#size-cells", 1);
    cursor->level[depth + 1].size_cells = cells < 8 ? cells : 8;
    return true;
}

bool fdt_next(struct fdt_cursor *cursor, struct fdt_node *node)
{
    const struct fdt *fdt = cursor->fdt;
    struct fdt_property prop;

    while (fdt->structs_end - cursor->pos >= 4) {
        switch (load_be32(fdt->base + cursor->pos)) {
        case FDT_NOP: cursor->pos += 4; break;
        case FDT_PROP:
            if (!read_property(fdt, &cursor->pos, &prop)) {
                return false;
            }
            break;
        case FDT_END_NODE:
            if (!cursor->depth--) {
                return false;
            }
            cursor->pos += 4;
            break;
        case FDT_BEGIN_NODE: cursor->pos += 4; return begin_node(cursor, node);
        default: return false;
        }
    }
    return false;
}

bool fdt_find(const struct fdt *fdt, const char *path, struct fdt_node *node)
{
    struct fdt_cursor cursor;
    uint32_t matched = 0; /* depth of the path's part found so far */
    size_t len;

    fdt_start(&cursor, fdt);
    if (*path != '/' || !fdt_next(&cursor, node)) {
        return false;
    }
    while (*path == '/') {
        path++;
    }
    while (*path) {
        for (len = 0; path[len] && path[len] != '/' && path[len] != ':'; len++) {
        }
        do {
            if (!fdt_next(&cursor, node) || node->depth <= matched) {
                return false;
            }
        } while (node->depth != matched + 1 || str_len(node->name) != len ||
                 memcmp(node->name, path, len));
        matched++;
        path += len;
        /* ":115200" and the like may follow a path in /chosen. */
        if (*path == ':') {
            break;
        }
        while (*path == '/') {
            path++;
        }
    }
    return true;
}

const void *fdt_prop(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                     uint32_t *len)
{
    struct fdt_property prop;

    for (uint32_t pos = node->props; next_property(fdt, &pos, &prop);) {
        if (str_equal(prop.name, name)) {
            *len = prop.len;
            return prop.value;
        }
    }
    return NULL;
}

const char *fdt_string(const struct fdt *fdt, const struct fdt_node *node, const char *name)
{
    uint32_t len;
    const char *value = fdt_prop(fdt, node, name, &len);

    return value && len && !value[len - 1] ? value : NULL;
}

/* `cells` big-endian cells as one number; false when it does not fit 64 bits. */
static bool read_cells(const uint8_t *p, uint32_t cells, uint64_t *value)
{
    *value = 0;
    for (; cells; cells--, p += 4) {
        if (*value >> 32) {
            return false;
        }
        *value = *value << 32 | load_be32(p);
    }
    return true;
}

uint64_t fdt_number(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                    uint64_t fallback)
{
    uint32_t len;
    const uint8_t *p = fdt_prop(fdt, node, name, &len);
    uint64_t value;

    return p && (len == 4 || len == 8) && read_cells(p, len / 4, &value) ? value : fallback;
}

bool fdt_list_has(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                  const char *value)
{
    uint32_t len;
    const char *p = fdt_prop(fdt, node, name, &len);
    const char *end;

    if (!p || !len || p[len - 1]) {
        return false;
    }
    for (end = p + len; p < end; p += str_len(p) + 1) {
        if (str_equal(p, value)) {
            return true;
        }
    }
    return false;
}

bool fdt_compatible(const struct fdt *fdt, const struct fdt_node *node, const char *value)
{
    return fdt_list_has(fdt, node, "compatible", value);
}

bool fdt_enabled(const struct fdt *fdt, const struct fdt_node *node)
{
    const char *status = fdt_string(fdt, node, "status");

    return !status || str_equal(status, "okay") || str_equal(status, "ok");
}

bool fdt_reg(const struct fdt *fdt, const struct fdt_node *node, uint32_t index,
             struct range *range)
{
    uint32_t len, entry = 4 * (node->address_cells + node->size_cells);
    const uint8_t *p = fdt_prop(fdt, node, "reg", &len);
    uint64_t base, size;

    if (!p || !entry || index >= len / entry) {
        return false;
    }
    p += index * entry;
    if (!read_cells(p, node->address_cells, &base) ||
        !read_cells(p + 4 * node->address_cells, node->size_cells, &size) || base > UINTPTR_MAX) {
        return false;
    }
    range->base = base;
    range->size = size > UINTPTR_MAX - base ? UINTPTR_MAX - base : size;
    return true;
}
