/*
 * Writing flattened devicetrees, over libfdt. Errors (out of memory, bad names) are latched: build
 * the whole tree, then check once at the end.
 *
 *     struct devtree *t = devtree_new();
 *     devtree_node(t, "/soc/serial@10000000");
 *     devtree_str(t, "/soc/serial@10000000", "compatible", "ns16550a");
 *     devtree_reg(t, "/soc/serial@10000000", 0x10000000, 0x100);
 *     GBytes *blob = devtree_finish(t, &err);
 */
#ifndef HW_CORE_DEVTREE_H
#define HW_CORE_DEVTREE_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

struct devtree;

/* A tree with an empty root. Ended by devtree_finish(). */
struct devtree *devtree_new(void);
/* A tree from a file's bytes (copied), checked; NULL with err set. */
struct devtree *devtree_open(const char *what, GBytes *blob, GError **err);
/* The finished blob, packed, and the end of `t`; NULL with err set on a latched error. */
GBytes *devtree_finish(struct devtree *t, GError **err);

/* Makes a node; its parent must be there. */
void devtree_node(struct devtree *t, const char *path);
/* The same, unless it is there already. */
void devtree_need_node(struct devtree *t, const char *path);
bool devtree_has(struct devtree *t, const char *path);

void devtree_empty(struct devtree *t, const char *path, const char *name);
void devtree_u32(struct devtree *t, const char *path, const char *name, uint32_t v);
void devtree_u64(struct devtree *t, const char *path, const char *name, uint64_t v);
void devtree_cells(struct devtree *t, const char *path, const char *name, const uint32_t *cells,
                   unsigned n);
/* Cells given one by one. */
#define DEVTREE_CELLS(t, path, name, ...)                           \
    devtree_cells(t, path, name, (const uint32_t[]){ __VA_ARGS__ }, \
                  sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))
void devtree_str(struct devtree *t, const char *path, const char *name, const char *v);
/* A list of strings, each ended by NUL, as C literal: "a\0b" with len sizeof. */
void devtree_bytes(struct devtree *t, const char *path, const char *name, const void *p,
                   unsigned len);
/* reg of one range with two address and two size cells. */
void devtree_reg(struct devtree *t, const char *path, uint64_t addr, uint64_t size);

/* Where the value of a property lies in a finished blob, in bytes from its start; false: nowhere.
 */
bool devtree_find_prop(GBytes *blob, const char *path, const char *name, uint64_t *offset);

/* A phandle that is not in use yet; and giving it to a node. */
uint32_t devtree_phandle(struct devtree *t);
void devtree_set_phandle(struct devtree *t, const char *path, uint32_t phandle);

#endif
