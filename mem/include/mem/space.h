/*
 * Address spaces: what CPUs and DMA see of a tree of regions.
 *
 * The tree is flattened to sorted ranges that do not overlap. A change of the tree builds a new
 * flat view under the device lock and publishes it; readers take no lock.
 *
 * Who may keep what
 * - A `struct section` is good inside mem_read_begin()/mem_read_end(), or while the device lock is
 *   held. Sections must not be used across either end. Read sections nest and may be long, but
 *   must not wait for a topology change.
 * - Host pointers into RAM stay mapped until the block is freed, which its owner does only with
 *   CPUs stopped. So host pointers and ram_addr_t may be kept longer than the section, as TLBs do,
 *   as long as a listener drops them when the topology changes.
 * - Region pointers may be kept, too (TLB entries for I/O), but only used with the device lock
 *   held and space_generation() seen unchanged since the lookup, since a device takes its regions
 *   out and goes away under the lock.
 *
 *     uint32_t v = space_ld32_le(as, 0x1000, 0, &res);
 *     res = space_write(as, desc.addr, buf, len, MEM_ATTR_REQUESTER(id));
 */
#ifndef MEM_SPACE_H
#define MEM_SPACE_H

#include <stddef.h>
#include <mem/region.h>

/* A run of guest addresses that lead to consecutive offsets of one region. */
struct flat_range {
    uint64_t first, last; /* guest addresses, inclusive */
    struct mem_region *region;
    uint64_t offset; /* in the region, of `first` */
    uint8_t *host;   /* memory of `first` for direct reads, or NULL */
    ram_addr_t ram;  /* its number, or RAM_ADDR_NONE */
    bool readonly;   /* writes do not go to the memory: dropped, or (ROM_DEVICE) to io_ops */
    const struct mem_bells *bells; /* the region's, which live as long as the view; or NULL */
};

struct flat_view {
    unsigned n;
    struct flat_range *ranges; /* sorted by first */
};

struct address_space {
    char *name;
    struct mem *mem;
    struct mem_region *root;
    struct flat_view *view; /* atomic pointer; replaced under the device lock */
    uint64_t generation;    /* atomic; counts replacements */
    GPtrArray *listeners;   /* device lock */
};

/* Where an address leads. */
struct section {
    struct mem_region *region; /* NULL: nothing there */
    uint64_t offset;           /* in region */
    uint8_t *host;             /* memory to read (and write unless readonly), NULL for I/O */
    ram_addr_t ram;            /* number of *host, RAM_ADDR_NONE for I/O */
    bool readonly;
    const struct mem_bells *bells; /* or NULL */
};

/* Told after each change of an address space, under the device lock, before the changing call
 * returns. Accelerators drop what they cached (they may do so asynchronously as long as I/O
 * checks space_generation(), see above). */
struct space_listener {
    void (*changed)(void *opaque, struct address_space *as);
    void *opaque;
};

/* `name` is copied; `root` must outlive the space. Device lock held. */
void space_init(struct address_space *as, struct mem *mem, struct mem_region *root,
                const char *name);
void space_destroy(struct address_space *as);

/* The listener is called once at registration too; the struct stays the caller's. */
void space_add_listener(struct address_space *as, struct space_listener *l);
void space_remove_listener(struct address_space *as, struct space_listener *l);
uint64_t space_generation(const struct address_space *as);

/* Read sections; any thread. */
unsigned mem_read_begin(struct mem *mem);
void mem_read_end(struct mem *mem, unsigned cookie);
/* Frees `p` with `fn` when all read sections that may see it have ended. Device lock held. */
void mem_retire(struct mem *mem, void *p, GDestroyNotify fn);

/* Looks an address up. `*len` (bytes, not 0) is cut to where the answer stops being the same. In a
 * read section or under the device lock. */
struct section space_lookup(struct address_space *as, uint64_t addr, uint64_t *len);

/* Calls `fn` for each range in order of address. Device lock held. */
void space_foreach(struct address_space *as, void (*fn)(const struct flat_range *r, void *opaque),
                   void *opaque);

/* Bytes to and from the space; parts are done as far as they go, the first error is returned.
 * Where nothing answers, reads give zeroes. I/O is done in the largest aligned pieces. Any
 * thread, without a read section; the device lock is taken around I/O unless held. */
enum mem_result space_read(struct address_space *as, uint64_t addr, void *buf, uint64_t len,
                           mem_attrs attrs);
enum mem_result space_write(struct address_space *as, uint64_t addr, const void *buf, uint64_t len,
                            mem_attrs attrs);
enum mem_result space_set(struct address_space *as, uint64_t addr, uint8_t byte, uint64_t len,
                          mem_attrs attrs);
/* Writes RAM and ROM alike, skips everything else: for loaders and debuggers. */
enum mem_result space_write_rom(struct address_space *as, uint64_t addr, const void *buf,
                                uint64_t len);

/* One number of 1, 2, 4 or 8 bytes, little-endian. Aligned ones in RAM are single-copy atomic. */
enum mem_result space_load(struct address_space *as, uint64_t addr, unsigned size, uint64_t *val,
                           mem_attrs attrs);
enum mem_result space_store(struct address_space *as, uint64_t addr, unsigned size, uint64_t val,
                            mem_attrs attrs);

/* `n` loads or stores one after the other at one address, a device's FIFO, whose numbers lie at
 * `buf` in order. What nothing answers reads as all ones. */
void space_load_n(struct address_space *as, uint64_t addr, unsigned size, void *buf, uint64_t n,
                  mem_attrs attrs);
void space_store_n(struct address_space *as, uint64_t addr, unsigned size, const void *buf,
                   uint64_t n, mem_attrs attrs);

/* Short forms; `res` may be NULL, errors then read as 0. */
uint8_t space_ld8(struct address_space *as, uint64_t addr, mem_attrs attrs, enum mem_result *res);
uint16_t space_ld16_le(struct address_space *as, uint64_t addr, mem_attrs attrs,
                       enum mem_result *res);
uint32_t space_ld32_le(struct address_space *as, uint64_t addr, mem_attrs attrs,
                       enum mem_result *res);
uint64_t space_ld64_le(struct address_space *as, uint64_t addr, mem_attrs attrs,
                       enum mem_result *res);
uint16_t space_ld16_be(struct address_space *as, uint64_t addr, mem_attrs attrs,
                       enum mem_result *res);
uint32_t space_ld32_be(struct address_space *as, uint64_t addr, mem_attrs attrs,
                       enum mem_result *res);
uint64_t space_ld64_be(struct address_space *as, uint64_t addr, mem_attrs attrs,
                       enum mem_result *res);
enum mem_result space_st8(struct address_space *as, uint64_t addr, uint8_t val, mem_attrs attrs);
enum mem_result space_st16_le(struct address_space *as, uint64_t addr, uint16_t val,
                              mem_attrs attrs);
enum mem_result space_st32_le(struct address_space *as, uint64_t addr, uint32_t val,
                              mem_attrs attrs);
enum mem_result space_st64_le(struct address_space *as, uint64_t addr, uint64_t val,
                              mem_attrs attrs);
enum mem_result space_st16_be(struct address_space *as, uint64_t addr, uint16_t val,
                              mem_attrs attrs);
enum mem_result space_st32_be(struct address_space *as, uint64_t addr, uint32_t val,
                              mem_attrs attrs);
enum mem_result space_st64_be(struct address_space *as, uint64_t addr, uint64_t val,
                              mem_attrs attrs);

/* Direct access for DMA. Gives the host address of guest memory at `addr` and cuts `*len` to what
 * is contiguous; NULL when that is not RAM (or, for writing, not writable): use space_read() and
 * space_write() there. Each mapping is ended with space_unmap(), which is where writes are noticed;
 * `done` is how many bytes from the start may have been written. Any thread. */
void *space_map(struct address_space *as, uint64_t addr, uint64_t *len, bool write);
void space_unmap(struct address_space *as, void *host, uint64_t len, bool write, uint64_t done);

/* For `info mtree`: the trees of all spaces, or (flat) their ranges. Device lock held. */
void mem_print(struct mem *mem, GString *out, bool flat);

#endif
