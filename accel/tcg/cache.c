/*
 * Memory for generated code: one memfd mapped twice, writable and executable, cut into regions that
 * are filled in turn.
 *
 * The region behind the one being filled is always empty or being emptied: its units are removed
 * when the one before it comes into use, and a whole region's worth of code later every CPU has
 * been out of them, so that nobody waits. A CPU that has not (it runs one loop all the time) is
 * kicked out.
 */
#include <sys/mman.h>
#include <unistd.h>
#include <base/error.h>
#include <base/hugepage.h>
#include "tcg.h"

#define ARENA_CHUNK (64u << 10)

#ifndef MADV_COLLAPSE /* Linux 6.1; older headers lack it, older kernels refuse it */
#define MADV_COLLAPSE 25
#endif

bool cache_init(struct tcg *tcg, GError **err)
{
    int fd = memfd_create("myna-code", MFD_CLOEXEC);
    void *rw = MAP_FAILED, *rx = MAP_FAILED;
    size_t size = tcg->cache_size;

    if (fd >= 0 && ftruncate(fd, size) == 0) {
        rw = huge_page_map(size, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
        rx = huge_page_map(size, PROT_READ | PROT_EXEC, MAP_SHARED, fd);
    }
    if (fd >= 0)
        close(fd);
    if (rw == MAP_FAILED || rx == MAP_FAILED)
        return error_set_errno(err, errno, "-accel tcg: cannot map %zu MiB of code cache",
                               size >> 20);
    tcg->cache_rw = rw;
    tcg->cache_rx = rx;
    tcg->region_size = size / CACHE_REGIONS & ~(size_t)63;
    for (unsigned k = 0; k < CACHE_REGIONS; k++) {
        tcg->region[k].rw = tcg->cache_rw + k * tcg->region_size;
        tcg->region[k].rx = tcg->cache_rx + k * tcg->region_size;
        arena_init(&tcg->region[k].arena, ARENA_CHUNK);
    }
    tcg->filling = SIZE_MAX;
    tcg->epoch = tcg->evict_epoch = 1;
    return true;
}

static void free_units(struct tcg *tcg, struct region *r)
{
    for (struct unit *u = r->units; u; u = u->region_next)
        unit_free(tcg, u);
    r->units = NULL;
    arena_free(&r->arena);
}

void cache_free(struct tcg *tcg)
{
    for (unsigned k = 0; k < CACHE_REGIONS; k++)
        free_units(tcg, &tcg->region[k]);
    if (tcg->cache_rw)
        munmap(tcg->cache_rw, tcg->cache_size);
    if (tcg->cache_rx)
        munmap((void *)tcg->cache_rx, tcg->cache_size);
}

static void evict(struct tcg *tcg, struct region *r)
{
    if (!r->units || r->evicted)
        return;
    for (struct unit *u = r->units; u; u = u->region_next)
        unit_remove(tcg, u);
    /* Who sees the new epoch sees that it is one of an eviction. */
    __atomic_store_n(&tcg->evict_epoch, tcg->epoch + 1, __ATOMIC_SEQ_CST);
    r->evicted = __atomic_add_fetch(&tcg->epoch, 1, __ATOMIC_SEQ_CST);
    stat_add(&tcg->stats.evictions, 1);
}

bool cache_all_seen(struct tcg *tcg, uint64_t epoch, bool kick)
{
    bool all = true;

    for (unsigned c = 0; c < tcg->nvcpus; c++) {
        if (__atomic_load_n(&tcg->vcpu[c]->seen, __ATOMIC_SEQ_CST) >= epoch)
            continue;
        all = false;
        if (kick)
            cpu_kick(tcg->vcpu[c]->cpu);
    }
    return all;
}

/* Takes back an evicted region once no CPU can be in it any more. */
static void reclaim(struct tcg *tcg, struct region *r)
{
    for (bool kick = true; !cache_all_seen(tcg, r->evicted, kick); kick = false) {
        pthread_mutex_unlock(&tcg->lock);
        usleep(50);
        pthread_mutex_lock(&tcg->lock);
    }
    free_units(tcg, r);
    r->used = 0;
    r->evicted = 0;
}

/*
 * What was written once is seldom written again, but counts as resident in both views. Pages that
 * are dropped from the writable one keep their contents and come back when they are written. Worth
 * the call are: a CPU that rests, some code; one that translates, more of it.
 */
#define REST_BYTES (1u << 20)
#define MOST_BYTES (4u << 20)
#define LINK_BYTES (16u << 10) /* a link patched brings back a page of older code, huge perhaps */

static void drop_written(struct tcg *tcg, size_t least)
{
    uint64_t made = stat_get(&tcg->stats.bytes) + LINK_BYTES * stat_get(&tcg->stats.links);

    if (made - stat_get(&tcg->rested) < least)
        return;
    __atomic_store_n(&tcg->rested, made, __ATOMIC_RELAXED);
    madvise(tcg->cache_rw, tcg->cache_size, MADV_DONTNEED);
}

void cache_rest(struct tcg *tcg)
{
    drop_written(tcg, REST_BYTES);
}

/*
 * Code lies in many small pieces all over the cache, and a host that runs in a virtual machine
 * itself pays for each miss of its TLB with a nested walk. So the host is asked for a huge page
 * before two MiB are filled, while there is next to nothing to be copied to it.
 */
static void join_pages(struct tcg *tcg, const struct region *r)
{
    size_t now = (r->rx + r->used - tcg->cache_rx) & ~(HUGE_PAGE - 1);

    if (now == tcg->filling)
        return;
    tcg->filling = now;
    if (!tcg->no_huge && now + HUGE_PAGE <= tcg->cache_size)
        tcg->no_huge = madvise((uint8_t *)tcg->cache_rx + now, HUGE_PAGE, MADV_COLLAPSE) < 0;
}

struct region *cache_room(struct tcg *tcg, struct tcg_vcpu *self)
{
    drop_written(tcg, MOST_BYTES);
    join_pages(tcg, &tcg->region[tcg->cur]);
    for (;;) {
        struct region *r = &tcg->region[tcg->cur];
        if (!r->evicted && r->used + r->lost + BACKEND_UNIT_ROOM <= tcg->region_size)
            return r;
        cache_quiescent(self);
        unsigned next = (tcg->cur + 1) % CACHE_REGIONS;
        evict(tcg, &tcg->region[next]);
        cache_quiescent(self);
        if (tcg->region[next].evicted)
            reclaim(tcg, &tcg->region[next]);
        tcg->cur = next;
        evict(tcg, &tcg->region[(next + 1) % CACHE_REGIONS]);
    }
}

void cache_forget_jumps(struct cpu *cpu)
{
    tcg_forget_jumps(&cpu->tcg);
}

/*
 * Jump cache entries may lead into code that is about to be overwritten. They are looked at last:
 * to a CPU that comes back online, what was evicted until others see it there may be overwritten
 * without waiting for it.
 */
static void see(struct tcg_vcpu *v, uint64_t to)
{
    uint64_t epoch = __atomic_load_n(&v->tcg->epoch, __ATOMIC_SEQ_CST), evicted;

    __atomic_store_n(&v->seen, to ? to : epoch, __ATOMIC_SEQ_CST);
    evicted = __atomic_load_n(&v->tcg->evict_epoch, __ATOMIC_SEQ_CST);
    if (v->jumps_epoch != evicted) {
        cache_forget_jumps(v->cpu);
        v->jumps_epoch = evicted;
    }
}

void cache_quiescent(struct tcg_vcpu *v)
{
    see(v, 0);
}

void cache_online(struct tcg_vcpu *v)
{
    see(v, 0);
}

void cache_offline(struct tcg_vcpu *v)
{
    see(v, UINT64_MAX);
}
