/*
 * RAM blocks and page states; see mem/ram.h for the contract.
 *
 * Lock-free readers look blocks up in a sorted array that is replaced, never changed. Replaced
 * arrays are a few words each and are kept until the ram goes away, which spares readers any
 * protocol. The state table is reserved once for the whole number space and filled in by the host
 * kernel on first touch, so that its address can be built into translated code.
 */
#include <mem/ram.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <base/bug.h>
#include <base/error.h>
#include <base/hugepage.h>

#ifndef MADV_POPULATE_WRITE /* Linux 5.14; older headers lack it, older kernels refuse it */
#define MADV_POPULATE_WRITE 23
#endif

#define NB_CLIENTS 2 /* WATCH bits */
#define LATE_SIZE  ((RAM_TOTAL_MAX >> RAM_PAGE_BITS) * sizeof(uint64_t))

/* An immutable list of blocks, sorted by base. */
struct block_list {
    unsigned n;
    struct ram_block *v[];
};

struct ram {
    struct block_list *blocks; /* atomic pointer; replaced under the device lock */
    GPtrArray *old_lists;      /* device lock */
    uint8_t *state;            /* atomic bytes */
    uint64_t
        *late[NB_CLIENTS]; /* atomic, by page number: since when it is watched, if stores may be
                              on their way that do not know, else 0; NULL without code_ops */
    uint64_t total;        /* device lock */
    const struct ram_code_ops *code_ops;
    void *code_opaque;
};

/* Zeros that cost memory where they are touched. */
static void *reserve(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    bug_on(p == MAP_FAILED);
    return p;
}

struct ram *ram_new(void)
{
    struct ram *ram = g_new0(struct ram, 1);

    ram->state = reserve(RAM_TOTAL_MAX >> RAM_PAGE_BITS);
    ram->old_lists = g_ptr_array_new_with_free_func(g_free);
    ram->blocks = g_malloc0(sizeof(struct block_list));
    return ram;
}

static void unmap_block(struct ram_block *b)
{
    munmap(b->host, b->size);
    if (b->fd >= 0)
        close(b->fd);
}

static void block_destroy(struct ram_block *b)
{
    unmap_block(b);
    g_free(b->name);
    g_free(b);
}

void ram_free(struct ram *ram)
{
    for (unsigned i = 0; i < ram->blocks->n; i++)
        block_destroy(ram->blocks->v[i]);
    g_free(ram->blocks);
    g_ptr_array_free(ram->old_lists, TRUE);
    munmap(ram->state, RAM_TOTAL_MAX >> RAM_PAGE_BITS);
    for (unsigned i = 0; i < NB_CLIENTS; i++)
        if (ram->late[i])
            munmap(ram->late[i], LATE_SIZE);
    g_free(ram);
}

void ram_set_code_ops(struct ram *ram, const struct ram_code_ops *ops, void *opaque)
{
    ram->code_ops = ops;
    ram->code_opaque = opaque;
    for (unsigned i = 0; i < NB_CLIENTS && ops && ops->watched; i++)
        if (!ram->late[i])
            ram->late[i] = reserve(LATE_SIZE);
}

static struct block_list *current_blocks(struct ram *ram)
{
    return __atomic_load_n(&ram->blocks, __ATOMIC_ACQUIRE);
}

static void publish(struct ram *ram, struct block_list *list)
{
    g_ptr_array_add(ram->old_lists, ram->blocks);
    __atomic_store_n(&ram->blocks, list, __ATOMIC_RELEASE);
}

/* The lowest number where `size` bytes fit, and the index in the list where the block belongs. A
 * page stays free between blocks, so that a run of numbers never leaves its block unseen. */
static bool find_gap(const struct block_list *list, uint64_t size, ram_addr_t *base, unsigned *idx)
{
    ram_addr_t at = 0;
    unsigned i = 0;

    for (; i < list->n; i++) {
        if (list->v[i]->base >= at + size + RAM_PAGE_SIZE)
            break;
        at = list->v[i]->base + list->v[i]->size + RAM_PAGE_SIZE;
    }
    *base = at;
    *idx = i;
    return at <= RAM_TOTAL_MAX - size;
}

static bool make_memfd(struct ram_block *b, GError **err)
{
    b->fd = memfd_create(b->name, MFD_CLOEXEC);
    if (b->fd < 0)
        return error_set_errno(err, errno, "memory '%s': memfd", b->name);
    if (ftruncate(b->fd, (off_t)b->size) == 0)
        return true;
    error_set_errno(err, errno, "memory '%s': cannot get %" PRIu64 " bytes", b->name, b->size);
    close(b->fd);
    return false;
}

/* The file behind the block, or none. */
static bool open_block(struct ram_block *b, const struct ram_backing *backing, GError **err)
{
    b->fd = -1;
    if (!backing || (backing->fd < 0 && !backing->share))
        return true;
    if (backing->fd < 0)
        return make_memfd(b, err);
    b->fd = fcntl(backing->fd, F_DUPFD_CLOEXEC, 0);
    return b->fd >= 0 || error_set_errno(err, errno, "memory '%s'", b->name);
}

/* Not being able to use huge pages, to merge or to stay out of core dumps is no reason to fail. */
static void advise(struct ram_block *b, const struct ram_backing *backing)
{
    (void)madvise(b->host, b->size, MADV_HUGEPAGE);
    (void)madvise(b->host, b->size, backing && backing->dump ? MADV_DODUMP : MADV_DONTDUMP);
    if (backing && backing->merge)
        (void)madvise(b->host, b->size, MADV_MERGEABLE);
}

/* Sets errno when it fails. A file's blocks come first: without them a touched page would end the
 * process. */
static bool populate(struct ram_block *b)
{
    if (madvise(b->host, b->size, MADV_POPULATE_WRITE) == 0)
        return true;
    if (errno != EINVAL)
        return false;
    errno = b->fd >= 0 ? posix_fallocate(b->fd, 0, (off_t)b->size) : 0;
    if (errno)
        return false;
    for (uint64_t at = 0; at < b->size; at += RAM_PAGE_SIZE) {
        volatile uint8_t *p = b->host + at;

        *p = *p;
    }
    return true;
}

static bool map_block(struct ram_block *b, const struct ram_backing *backing, GError **err)
{
    int flags = MAP_NORESERVE | (backing && backing->share ? MAP_SHARED : MAP_PRIVATE);

    if (!open_block(b, backing, err))
        return false;
    b->host = huge_page_map(b->size, PROT_READ | PROT_WRITE,
                            flags | (b->fd < 0 ? MAP_ANONYMOUS : 0), b->fd);
    if (b->host == MAP_FAILED) {
        error_set_errno(err, errno, "memory '%s': cannot get %" PRIu64 " bytes", b->name, b->size);
        if (b->fd >= 0)
            close(b->fd);
        return false;
    }
    advise(b, backing);
    if (!backing || !backing->prealloc || populate(b))
        return true;
    error_set_errno(err, errno, "memory '%s': cannot allocate %" PRIu64 " bytes beforehand",
                    b->name, b->size);
    unmap_block(b);
    return false;
}

struct ram_block *ram_block_new(struct ram *ram, const char *name, uint64_t size, GError **err)
{
    return ram_block_new_backed(ram, name, size, NULL, err);
}

struct ram_block *ram_block_new_backed(struct ram *ram, const char *name, uint64_t size,
                                       const struct ram_backing *backing, GError **err)
{
    const struct block_list *old = ram->blocks;
    struct block_list *list;
    struct ram_block *b;
    ram_addr_t base = 0;
    unsigned at = 0;

    if (size == 0 || size > RAM_TOTAL_MAX - RAM_PAGE_SIZE ||
        !find_gap(old, (size + RAM_PAGE_SIZE - 1) & ~(RAM_PAGE_SIZE - 1), &base, &at)) {
        error_set(err, "memory '%s': a size of %" PRIu64 " bytes is outside 1 to %" PRIu64, name,
                  size, RAM_TOTAL_MAX - RAM_PAGE_SIZE);
        return NULL;
    }
    b = g_new0(struct ram_block, 1);
    b->ram = ram;
    b->name = g_strdup(name);
    b->size = (size + RAM_PAGE_SIZE - 1) & ~(RAM_PAGE_SIZE - 1);
    b->base = base;
    if (!map_block(b, backing, err)) {
        g_free(b->name);
        g_free(b);
        return NULL;
    }
    list = g_malloc(sizeof(*list) + (old->n + 1) * sizeof(list->v[0]));
    list->n = old->n + 1;
    memcpy(list->v, old->v, at * sizeof(list->v[0]));
    list->v[at] = b;
    memcpy(list->v + at + 1, old->v + at, (old->n - at) * sizeof(list->v[0]));
    ram->total += b->size;
    publish(ram, list);
    return b;
}

void ram_block_clear(struct ram_block *block)
{
    if (block->fd >= 0 || madvise(block->host, block->size, MADV_DONTNEED) < 0)
        memset(block->host, 0, block->size);
    ram_written(block->ram, block->base, block->size);
}

void ram_block_free(struct ram_block *b)
{
    struct ram *ram = b->ram;
    const struct block_list *old = ram->blocks;
    struct block_list *list = g_malloc0(sizeof(*list) + old->n * sizeof(list->v[0]));

    for (unsigned i = 0; i < old->n; i++)
        if (old->v[i] != b)
            list->v[list->n++] = old->v[i];
    bug_on(list->n + 1 != old->n);
    ram_written(ram, b->base, b->size);
    memset(ram->state + (b->base >> RAM_PAGE_BITS), 0, b->size >> RAM_PAGE_BITS);
    ram->total -= b->size;
    publish(ram, list);
    block_destroy(b);
}

struct ram_block *ram_block_find(struct ram *ram, ram_addr_t addr)
{
    const struct block_list *list = current_blocks(ram);
    unsigned lo = 0, hi = list->n;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;
        struct ram_block *b = list->v[mid];

        if (addr < b->base)
            hi = mid;
        else if (addr - b->base >= b->size)
            lo = mid + 1;
        else
            return b;
    }
    return NULL;
}

ram_addr_t ram_addr_from_host(struct ram *ram, const void *host)
{
    const struct block_list *list = current_blocks(ram);
    uintptr_t p = (uintptr_t)host;

    for (unsigned i = 0; i < list->n; i++) {
        const struct ram_block *b = list->v[i];

        if (p - (uintptr_t)b->host < b->size)
            return b->base + (p - (uintptr_t)b->host);
    }
    return RAM_ADDR_NONE;
}

void ram_foreach(struct ram *ram, void (*fn)(struct ram_block *block, void *opaque), void *opaque)
{
    const struct block_list *list = ram->blocks;

    for (unsigned i = 0; i < list->n; i++)
        fn(list->v[i], opaque);
}

uint64_t ram_total(const struct ram *ram)
{
    return ram->total;
}

uint8_t *ram_page_state(struct ram *ram)
{
    return ram->state;
}

/* First and last page of a byte range; false when it is empty. */
static bool page_range(ram_addr_t addr, uint64_t len, uint64_t *first, uint64_t *last)
{
    if (!len)
        return false;
    bug_on(addr >= RAM_TOTAL_MAX || len > RAM_TOTAL_MAX - addr);
    *first = addr >> RAM_PAGE_BITS;
    *last = (addr + len - 1) >> RAM_PAGE_BITS;
    return true;
}

/* Bits seen in the range's bytes after dropping `clear` and adding `set`. */
static unsigned change_bits(struct ram *ram, ram_addr_t addr, uint64_t len, unsigned clear,
                            unsigned set)
{
    uint64_t p, last;
    unsigned seen = 0;

    if (!page_range(addr, len, &p, &last))
        return 0;
    for (; p <= last; p++) {
        uint8_t s = __atomic_load_n(&ram->state[p], __ATOMIC_SEQ_CST);

        /* Mostly there is nothing to do; a plain load keeps the line shared. */
        if (s & clear)
            s = __atomic_fetch_and(&ram->state[p], (uint8_t)~clear, __ATOMIC_SEQ_CST);
        if (set & ~(unsigned)s)
            s |= __atomic_fetch_or(&ram->state[p], (uint8_t)set, __ATOMIC_SEQ_CST);
        seen |= s;
    }
    return seen;
}

void ram_written(struct ram *ram, ram_addr_t addr, uint64_t len)
{
    uint64_t p, last;
    unsigned seen = 0;

    if (!page_range(addr, len, &p, &last))
        return;
    /* Always a read-modify-write, never a mere load: an accelerator sets RAM_CODE first and reads
     * the bytes afterwards, and the order of the two on the state byte decides who sees whom. */
    for (; p <= last; p++)
        seen |= __atomic_fetch_and(&ram->state[p], (uint8_t)~RAM_WATCH_ALL, __ATOMIC_SEQ_CST);
    if ((seen & RAM_CODE) && ram->code_ops)
        ram->code_ops->written(ram->code_opaque, addr, len);
}

void ram_touch(struct ram *ram, ram_addr_t addr, uint64_t len)
{
    change_bits(ram, addr, len, RAM_WATCH_ALL, 0);
}

void ram_set_code(struct ram *ram, ram_addr_t addr, uint64_t len)
{
    change_bits(ram, addr, len, 0, RAM_CODE);
}

void ram_clear_code(struct ram *ram, ram_addr_t addr, uint64_t len)
{
    change_bits(ram, addr, len, RAM_CODE, 0);
}

static uint64_t *late_of(struct ram *ram, enum ram_state client)
{
    return ram->late[__builtin_ctz(client)];
}

void ram_watch(struct ram *ram, ram_addr_t addr, uint64_t len, enum ram_state client)
{
    uint64_t *late = late_of(ram, client), moment, p, last;

    change_bits(ram, addr, len, 0, client);
    if (!page_range(addr, len, &p, &last) || !ram->code_ops || !ram->code_ops->watched)
        return;
    moment = ram->code_ops->watched(ram->code_opaque, addr, len);
    for (; p <= last; p++)
        __atomic_store_n(&late[p], moment, __ATOMIC_RELAXED);
}

void ram_unwatch(struct ram *ram, ram_addr_t addr, uint64_t len, enum ram_state client)
{
    change_bits(ram, addr, len, client, 0);
}

/* Whether a store that did not know of the watch may have reached the page, and none is on its way
 * any more. */
static bool late_done(struct ram *ram, uint64_t page, enum ram_state client)
{
    uint64_t *late = late_of(ram, client), moment;

    if (!late || !ram->code_ops)
        return false;
    moment = __atomic_load_n(&late[page], __ATOMIC_RELAXED);
    return moment && ram->code_ops->settled(ram->code_opaque, moment);
}

void ram_sync(struct ram *ram, ram_addr_t addr, uint64_t len)
{
    if (ram->code_ops && ram->code_ops->sync)
        ram->code_ops->sync(ram->code_opaque, addr, len);
}

bool ram_is_dirty(struct ram *ram, ram_addr_t addr, uint64_t len, enum ram_state client)
{
    uint64_t p, last;

    if (!page_range(addr, len, &p, &last))
        return false;
    for (; p <= last; p++)
        if (!(__atomic_load_n(&ram->state[p], __ATOMIC_SEQ_CST) & client) ||
            late_done(ram, p, client))
            return true;
    return false;
}

bool ram_take_dirty(struct ram *ram, ram_addr_t addr, uint64_t len, enum ram_state client)
{
    uint64_t p, last;
    bool late = false;

    if (!page_range(addr, len, &p, &last))
        return false;
    for (; p <= last; p++) {
        if (!(__atomic_load_n(&ram->state[p], __ATOMIC_SEQ_CST) & client)) {
            ram_watch(ram, addr, len, client);
            return true;
        }
        if (late_done(ram, p, client)) { /* it is watched already, by all */
            __atomic_store_n(&late_of(ram, client)[p], 0, __ATOMIC_RELAXED);
            late = true;
        }
    }
    return late;
}
