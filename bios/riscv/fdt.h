/*
 * A reader for flattened devicetrees (Devicetree Specification v0.4, chapter 5), and the one change
 * that firmware makes to them: reserving a range of memory.
 *
 * The blob comes from outside. Every offset is checked against the blob's size before it is used;
 * a damaged blob reads as shorter than it is, never as more.
 *
 *     struct fdt_cursor c;
 *     struct fdt_node node;
 *
 *     for (fdt_start(&c, &fdt); fdt_next(&c, &node);)
 *         if (fdt_compatible(&fdt, &node, "ns16550a"))
 *             fdt_reg(&fdt, &node, 0, &range);
 */
#ifndef FDT_H
#define FDT_H

#include <stdbool.h>
#include <stdint.h>
#include "util.h"

#define FDT_MAX_SIZE  (4u << 20)
#define FDT_MAX_DEPTH 16

/* Tokens of the structure block (section 5.4), and where the header fields are (section 5.2). */
#define FDT_MAGIC              0xd00dfeed
#define FDT_BEGIN_NODE         1
#define FDT_END_NODE           2
#define FDT_PROP               3
#define FDT_NOP                4
#define HEADER_SIZE            40
#define HEADER_TOTALSIZE       4
#define HEADER_STRUCTS         8
#define HEADER_STRINGS         12
#define HEADER_RESERVATIONS    16
#define HEADER_VERSION         20
#define HEADER_LAST_COMPATIBLE 24
#define HEADER_STRINGS_SIZE    32
#define HEADER_STRUCTS_SIZE    36

struct fdt {
    uint8_t *base;
    uint32_t size;                 /* totalsize of the header */
    uint32_t structs, structs_end; /* offsets into the blob */
    uint32_t strings, strings_end;
};

/* One node. Its properties start at `props`; `cells` are its parent's and govern its "reg". */
struct fdt_node {
    const char *name;
    uint32_t props;
    uint32_t depth; /* 0 is the root */
    uint32_t address_cells, size_cells;
};

struct fdt_cursor {
    const struct fdt *fdt;
    uint32_t pos;
    uint32_t depth; /* of the next node to begin */
    struct {
        uint8_t address_cells, size_cells;
    } level[FDT_MAX_DEPTH + 1];
};

/* Checks the header at `addr`; false when there is no readable version-17 blob. */
bool fdt_open(struct fdt *fdt, uintptr_t addr);

/* Iterate over all nodes in the order of the blob, parents before children. */
void fdt_start(struct fdt_cursor *cursor, const struct fdt *fdt);
bool fdt_next(struct fdt_cursor *cursor, struct fdt_node *node);

/* Offset of the token behind a node's properties: its first child or its end; 0 if malformed. */
uint32_t fdt_children(const struct fdt *fdt, const struct fdt_node *node);

/* Finds a node by absolute path ("/chosen"); a component must match with its unit address. */
bool fdt_find(const struct fdt *fdt, const char *path, struct fdt_node *node);

/* A property's value and length in bytes, or NULL. Values are big-endian and 4-byte aligned. */
const void *fdt_prop(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                     uint32_t *len);

/* A NUL-terminated string property, or NULL. */
const char *fdt_string(const struct fdt *fdt, const struct fdt_node *node, const char *name);

/* A property of one or two cells, or `fallback`. */
uint64_t fdt_number(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                    uint64_t fallback);

/* Whether a string list property holds `value`; fdt_compatible() asks the list "compatible". */
bool fdt_list_has(const struct fdt *fdt, const struct fdt_node *node, const char *name,
                  const char *value);
bool fdt_compatible(const struct fdt *fdt, const struct fdt_node *node, const char *value);

/* Whether "status" is absent, "okay" or "ok". */
bool fdt_enabled(const struct fdt *fdt, const struct fdt_node *node);

/* Entry `index` of "reg". False past the end or when a number does not fit a register. */
bool fdt_reg(const struct fdt *fdt, const struct fdt_node *node, uint32_t index,
             struct range *range);

/*
 * Adds /reserved-memory/NAME@BASE with "no-map" for `range`, unless it is there already. The blob
 * grows by fdt_reserve_growth() bytes at most where it has no free space of its own: the caller has
 * made sure that nothing lives behind it. False, with the blob unchanged, when it is malformed.
 */
uint32_t fdt_reserve_growth(const struct fdt *fdt);
bool fdt_reserve(struct fdt *fdt, const char *name, struct range range);

#endif
