/*
 * RAM of a machine: blocks of host memory and one state byte for each 4 KiB page.
 *
 * All blocks of a machine share one number space, `ram_addr_t`, that has nothing to do with where
 * the guest sees them: a page keeps its number when a board remaps it, and one page seen at two
 * guest addresses has one number. Numbers index the page state table, so translated code can test
 * a page with one load from `ram_page_state(ram)[addr >> RAM_PAGE_BITS]`.
 *
 * A state byte of 0 means that nobody wants to hear of writes: stores may go straight to memory.
 * Any bit set sends a store through ram_written(), whose cost the watcher asked for.
 *
 *     struct ram *ram = ram_new();
 *     struct ram_block *b = ram_block_new(ram, "main", 64 << 20, &err);
 *     memcpy(b->host + 16, data, n);
 *     ram_written(ram, b->base + 16, n);
 */
#ifndef MEM_RAM_H
#define MEM_RAM_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define RAM_PAGE_BITS 12
#define RAM_PAGE_SIZE (UINT64_C(1) << RAM_PAGE_BITS)
/* Ceiling of all blocks together; the state table reserves 1/4096 of it as address space. */
#define RAM_TOTAL_MAX (UINT64_C(1) << 42)

typedef uint64_t ram_addr_t;
#define RAM_ADDR_NONE UINT64_MAX

/* Bits of a page's state byte. A WATCH bit asks for the next write and is dropped by it. */
enum ram_state {
    RAM_WATCH_VGA = 1 << 0,       /* a display wants to know what to redraw */
    RAM_WATCH_MIGRATION = 1 << 1, /* migration wants to know what to send again */
    RAM_CODE = 1 << 7,            /* the accelerator holds translations of this page */
};
#define RAM_WATCH_ALL (RAM_WATCH_VGA | RAM_WATCH_MIGRATION)

struct ram;

struct ram_block {
    struct ram *ram;
    char *name;
    uint8_t *host;   /* mapping of the whole block, page aligned; stays until ram_block_free() */
    uint64_t size;   /* bytes, a multiple of RAM_PAGE_SIZE */
    int fd;          /* memfd or file behind the mapping, offset 0; owned by the block. -1: memory
                        of this process alone */
    ram_addr_t base; /* number of the first byte, page aligned */
};

/* What the accelerator provides to keep its translations and its write shortcuts right. */
struct ram_code_ops {
    /* Bytes of a page with RAM_CODE were written by something other than a CPU (DMA, loader,
     * debugger), or went away with their block. Any thread. */
    void (*written)(void *opaque, ram_addr_t addr, uint64_t len);
    /* WATCH bits were set in this range: stores that skip the state byte (TLB entries that allow
     * direct writes) must look at it again before the call returns. Stores that looked before may
     * still be on their way; they are done once settled() says so of the moment, not 0, that is
     * returned. NULL: there are no such stores. Any thread. */
    uint64_t (*watched)(void *opaque, ram_addr_t addr, uint64_t len);
    /* Present if watched() is. Never waits. Any thread. */
    bool (*settled)(void *opaque, uint64_t moment);
    /* Stores of CPUs that the accelerator cannot tell of when they are made (KVM) are to be told of
     * now, by ram_touch(). May be NULL. Any thread. */
    void (*sync)(void *opaque, ram_addr_t addr, uint64_t len);
};

/* What a block is made of, where the default (memory of this process, huge pages where the host
 * likes, not in core dumps) is not wanted. */
struct ram_backing {
    int fd;        /* file to map from offset 0, at least as long; stays the caller's. -1: none */
    bool share;    /* other processes that map the file see it; else memory of this process */
    bool prealloc; /* takes the pages from the host now */
    bool merge;    /* the host may merge equal pages (KSM) */
    bool dump;     /* in core dumps */
};

struct ram *ram_new(void);
/* Frees all blocks too. No CPU and no I/O thread may be running. */
void ram_free(struct ram *ram);

/* Registers the accelerator's hooks (NULL to drop them), before any CPU runs. */
void ram_set_code_ops(struct ram *ram, const struct ram_code_ops *ops, void *opaque);

/* A new zeroed block of `size` bytes (rounded up to a page). NULL with `err` set when the host has
 * no such amount. The ram owns it. Device lock held. */
struct ram_block *ram_block_new(struct ram *ram, const char *name, uint64_t size, GError **err);
/* The same made of something else. `backing` NULL: the default. */
struct ram_block *ram_block_new_backed(struct ram *ram, const char *name, uint64_t size,
                                       const struct ram_backing *backing, GError **err);
/* Gives the block back. The caller has removed it from all address spaces and stopped whoever may
 * still hold a host pointer from before. Device lock held. */
void ram_block_free(struct ram_block *block);

/* Makes all bytes zero, as ram_written() has to know. The host gets the pages back where they are
 * of this process alone: what nobody wrote to costs nothing. */
void ram_block_clear(struct ram_block *block);

/* The block holding `addr`, or NULL. Any thread. */
struct ram_block *ram_block_find(struct ram *ram, ram_addr_t addr);
/* The number of a host address inside some block, or RAM_ADDR_NONE. Any thread. */
ram_addr_t ram_addr_from_host(struct ram *ram, const void *host);
/* Calls `fn` for each block in order of number. Device lock held. */
void ram_foreach(struct ram *ram, void (*fn)(struct ram_block *block, void *opaque), void *opaque);
/* Bytes in all blocks. */
uint64_t ram_total(const struct ram *ram);

/* The state table, indexed by page number (ram_addr_t >> RAM_PAGE_BITS); never moves. */
uint8_t *ram_page_state(struct ram *ram);

/* To be called after bytes were written by anything but a CPU's own store: drops WATCH bits and
 * tells the accelerator of translated pages. [addr, addr+len) lies in one block. Any thread. */
void ram_written(struct ram *ram, ram_addr_t addr, uint64_t len);

/* For CPU stores to a page with a nonzero state: drops WATCH bits. The caller handles RAM_CODE. */
void ram_touch(struct ram *ram, ram_addr_t addr, uint64_t len);

/* Marks pages as holding translated code, and takes the mark off. */
void ram_set_code(struct ram *ram, ram_addr_t addr, uint64_t len);
void ram_clear_code(struct ram *ram, ram_addr_t addr, uint64_t len);

/* Dirty tracking. ram_watch() starts to watch a range with the client's WATCH bit; a page is dirty
 * once the bit is gone. ram_take_dirty() says whether any page of the range was written since it
 * was watched, and watches it again. Stores that were on their way when a page began to be watched
 * drop no bit, and may reach memory after the client has read it: once all of them have, the page
 * counts as dirty one more time, written or not. */
void ram_watch(struct ram *ram, ram_addr_t addr, uint64_t len, enum ram_state client);
void ram_unwatch(struct ram *ram, ram_addr_t addr, uint64_t len, enum ram_state client);
/* To be called before a look at a range, however many calls that takes: CPUs' stores may be known
 * to the accelerator alone until then. */
void ram_sync(struct ram *ram, ram_addr_t addr, uint64_t len);
bool ram_is_dirty(struct ram *ram, ram_addr_t addr, uint64_t len, enum ram_state client);
bool ram_take_dirty(struct ram *ram, ram_addr_t addr, uint64_t len, enum ram_state client);

#endif
