/*
 * Memory regions: the tree that says what a guest finds at which address.
 *
 * A region is a node of one of the kinds below. Containers hold other regions at offsets; where two
 * overlap, the higher priority is seen, among equals the one added last. Regions are embedded in
 * the devices that own them. All functions here but the mem_io ones want the device lock; address
 * spaces that show a changed region are flattened again before the call returns (or at the end of
 * the outermost mem_begin()/mem_end() pair).
 *
 *     mem_region_init_io(&u->io, mem, &uart_io, u, "uart", 0x100);
 *     mem_region_add(system, 0x10000000, &u->io);
 */
#ifndef MEM_REGION_H
#define MEM_REGION_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>
#include <mem/ram.h>

struct io_context;
struct loop;
struct mem;

/* What became of an access. */
enum mem_result {
    MEM_OK = 0,
    MEM_DECODE_ERROR, /* nobody answers at this address, or not to this size */
    MEM_DEVICE_ERROR, /* the device answered with an error */
};

/* Who accesses, as a bus would say; 0 is an ordinary access without particulars. */
typedef uint32_t mem_attrs;
#define MEM_ATTR_SECURE              (1u << 0) /* secure world, where the architecture has one */
#define MEM_ATTR_USER                (1u << 1) /* from user mode */
#define MEM_ATTR_DEBUG               (1u << 2) /* debugger: must not have side effects on devices */
#define MEM_ATTR_RAM_ONLY            (1u << 3) /* devices do not answer; takes no lock, in turn */
#define MEM_ATTR_REQUESTER(id)       ((uint32_t)(id) << 16) /* PCI requester id of a device's DMA */
#define MEM_ATTR_REQUESTER_OF(attrs) ((uint16_t)((attrs) >> 16))

enum mem_kind {
    MEM_CONTAINER,
    MEM_RAM,
    MEM_ROM,        /* writes are dropped */
    MEM_ROM_DEVICE, /* reads from memory while mem_region_set_direct(), writes always to io_ops */
    MEM_IO,
    MEM_ALIAS, /* a window on part of another region */
};

/* Byte order of the registers behind an io_ops. */
enum io_endian {
    IO_LITTLE,
    IO_BIG,
    IO_NATIVE, /* that of the guest CPU, see mem_set_big_endian() */
};

/* What happens to guest accesses that are not aligned to their size. */
enum io_unaligned {
    IO_UNALIGNED_ERROR, /* MEM_DECODE_ERROR */
    IO_UNALIGNED_SPLIT, /* done as byte accesses */
    IO_UNALIGNED_PASS,  /* handed to read and write as they are */
};

struct io_sizes {
    uint8_t min, max; /* bytes: 1, 2, 4 or 8; both 0 for the default */
};

/* A device's registers. All callbacks run under the device lock. `size` is 1, 2, 4 or 8 within
 * own_sizes, `offset` counts from the region's start and offset+size never exceeds its end. */
struct io_ops {
    uint64_t (*read)(void *opaque, uint64_t offset, unsigned size);
    void (*write)(void *opaque, uint64_t offset, uint64_t value, unsigned size);
    /* Instead of the two above, for devices that can refuse or that look at who asks. */
    enum mem_result (*read_attrs)(void *opaque, uint64_t offset, unsigned size, uint64_t *value,
                                  mem_attrs attrs);
    enum mem_result (*write_attrs)(void *opaque, uint64_t offset, uint64_t value, unsigned size,
                                   mem_attrs attrs);
    struct io_sizes guest_sizes; /* what the guest may do, default 1 to 8; else MEM_DECODE_ERROR */
    struct io_sizes own_sizes;   /* what the callbacks handle, default guest_sizes; the rest is
                                    split, or widened: a wider read is cut, a wider write is
                                    zero outside the bytes the guest wrote */
    enum io_unaligned unaligned;
    enum io_endian endian;
};

/*
 * Writes to a region that only say that there is something to do. Number n of them, below `count`,
 * is a write of any value and of at most `step` bytes at first + n * step; or, `by_value`, one of n
 * and of just `step` bytes at `first`. A CPU that rings a bell goes on at once; several may be
 * heard as one.
 */
struct mem_bells {
    uint64_t first;
    uint32_t step, count;
    bool by_value;
    /* What a CPU's write does, in place of the region's io_ops: in its thread, without a lock, and
     * maybe still after the region is gone, until `opaque` is released. NULL: the write is done as
     * any other. */
    void (*ring)(void *opaque, uint32_t n);
    void *opaque;
    GDestroyNotify release;
    /* Where an accelerator that has the host's kernel take the write, and tell of it by an event,
     * is to listen, and what to do there, without a lock; also from the main loop, while CPUs are
     * stopped. When the region is taken out, one may still be running. Both NULL: the main loop
     * does a write of n, or of 0 where n is the place. */
    struct io_context *io;
    void (*hear)(void *region_opaque, uint32_t n);
};

struct mem_region {
    char *name;
    enum mem_kind kind;
    bool enabled;
    bool direct;   /* MEM_ROM_DEVICE: reads go to memory */
    bool busy;     /* a callback of ops runs; device lock */
    bool readonly; /* MEM_RAM shown without write permission */
    int priority;
    uint64_t size; /* bytes; MEM_SIZE_ALL means 2^64 */
    uint64_t addr; /* offset in the container */
    struct mem *mem;
    struct mem_region *container; /* NULL while nowhere */
    GPtrArray *children;          /* of mem_region, in the order they win; containers only */
    struct ram_block *ram;        /* RAM, ROM, ROM_DEVICE */
    const struct io_ops *ops;     /* IO, ROM_DEVICE */
    void *opaque;
    struct mem_region *target; /* ALIAS */
    uint64_t target_offset;
    const struct mem_bells *bells;  /* IO, or NULL; counted, as views have it, too */
    uint32_t late_first, late_size; /* IO: see mem_region_set_late() */
};

#define MEM_SIZE_ALL UINT64_MAX

/* A machine's memory: its RAM, its regions' transactions and its address spaces. `loop` owns the
 * device lock. Freed after all regions and address spaces. */
struct mem *mem_new(struct loop *loop);
void mem_free(struct mem *mem);
struct ram *mem_ram(struct mem *mem);
struct loop *mem_loop(struct mem *mem);
/* Byte order of IO_NATIVE devices; little unless set. Before any CPU runs. */
void mem_set_big_endian(struct mem *mem, bool big);
/* A board whose bus tells CPUs of no errors: what a device refuses reads as all ones, or is lost,
 * and MEM_OK comes back. Before any CPU runs. */
void mem_set_open_bus(struct mem *mem);

/* Puts off flattening until the outermost end. */
void mem_begin(struct mem *mem);
void mem_end(struct mem *mem);
/* Flattens what was changed so far, for who has to look at it before the end. */
void mem_publish(struct mem *mem);

/* Constructors. `name` is copied and is for people (info mtree). `size` in bytes, not 0. */
void mem_region_init(struct mem_region *r, struct mem *mem, const char *name, uint64_t size);
void mem_region_init_io(struct mem_region *r, struct mem *mem, const struct io_ops *ops,
                        void *opaque, const char *name, uint64_t size);
/* These allocate a RAM block that mem_region_destroy() gives back; false with `err` set on lack of
 * memory, and then nothing is left to destroy. */
bool mem_region_init_ram(struct mem_region *r, struct mem *mem, const char *name, uint64_t size,
                         GError **err) __attribute__((warn_unused_result));
/* Of something else than the default where `backing` is not NULL. */
bool mem_region_init_ram_backed(struct mem_region *r, struct mem *mem, const char *name,
                                uint64_t size, const struct ram_backing *backing, GError **err)
    __attribute__((warn_unused_result));
bool mem_region_init_rom(struct mem_region *r, struct mem *mem, const char *name, uint64_t size,
                         GError **err) __attribute__((warn_unused_result));
bool mem_region_init_rom_device(struct mem_region *r, struct mem *mem, const struct io_ops *ops,
                                void *opaque, const char *name, uint64_t size, GError **err)
    __attribute__((warn_unused_result));
/* A window on [offset, offset+size) of `target`, which must outlive it. */
void mem_region_init_alias(struct mem_region *r, struct mem *mem, const char *name,
                           struct mem_region *target, uint64_t offset, uint64_t size);
/* Takes the region out of its container, drops its children and frees what it holds. No-op on a
 * zeroed region. No CPU or I/O thread may still use pointers into its RAM. */
void mem_region_destroy(struct mem_region *r);

/* Places `sub` at `addr` of container `r`. It must not be in a container yet. */
void mem_region_add(struct mem_region *r, uint64_t addr, struct mem_region *sub);
void mem_region_add_priority(struct mem_region *r, uint64_t addr, struct mem_region *sub,
                             int priority);
/* Takes `sub` out of its container; no-op when it is in none. */
void mem_region_remove(struct mem_region *sub);

void mem_region_set_enabled(struct mem_region *r, bool enabled);
void mem_region_set_addr(struct mem_region *r, uint64_t addr);
void mem_region_set_size(struct mem_region *r, uint64_t size);
void mem_region_set_alias_offset(struct mem_region *r, uint64_t offset);
void mem_region_set_readonly(struct mem_region *r, bool readonly);
/* MEM_ROM_DEVICE: whether reads go straight to memory (true at first) or to io_ops. */
void mem_region_set_direct(struct mem_region *r, bool direct);

/* In place of those of before. @bells is copied, its opaque is the region's from now on; NULL:
 * none.
 */
void mem_region_set_bells(struct mem_region *r, const struct mem_bells *bells);
/*
 * Nothing but further accesses to devices and looks at the display (ram_sync()) can tell when
 * writes that lie within the @size bytes at @first were done: an accelerator may do them later, in
 * order, before any of those. Before the region is placed.
 */
void mem_region_set_late(struct mem_region *r, uint32_t first, uint32_t size);

/* One access to a region of io_ops, split and merged as its sizes ask. `offset` counts from the
 * region's start, `size` is 1, 2, 4 or 8. `*val` is the little-endian number of the bytes at
 * increasing addresses. On an error reads give 0. A device that is reached again from within its
 * own callback, by DMA to itself, is not called: MEM_DEVICE_ERROR. Takes the device lock unless the
 * thread holds it. The region must be known to be still there: see "Who may keep what" in
 * mem/space.h. */
enum mem_result mem_io_read(struct mem_region *r, uint64_t offset, unsigned size, uint64_t *val,
                            mem_attrs attrs);
enum mem_result mem_io_write(struct mem_region *r, uint64_t offset, unsigned size, uint64_t val,
                             mem_attrs attrs);

#endif
