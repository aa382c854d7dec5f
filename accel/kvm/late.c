/*
 * Writes that may be done late (mem_region_set_late()): the kernel keeps them in a ring, and the
 * guest goes on. They are done before anything else is that came after them.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <base/bits.h>
#include <base/log.h>
#include <base/loop.h>
#include "kvm.h"

struct search {
    GArray *zones;
    bool pio;
};

static bool same(const struct kvm_coalesced_mmio_zone *a, const struct kvm_coalesced_mmio_zone *b)
{
    return a->addr == b->addr && a->size == b->size && a->pio == b->pio;
}

static bool has(const GArray *zones, const struct kvm_coalesced_mmio_zone *z)
{
    for (unsigned i = 0; i < zones->len; i++)
        if (same(&g_array_index(zones, struct kvm_coalesced_mmio_zone, i), z))
            return true;
    return false;
}

/* The part of a zone that is seen here. */
static void look_at(const struct flat_range *f, void *opaque)
{
    const struct search *s = opaque;
    const struct mem_region *r = f->region;
    struct kvm_coalesced_mmio_zone z = { .pio = s->pio };
    uint64_t first, last;

    if (!r->late_size)
        return;
    first = MAX(f->offset, r->late_first);
    last = MIN(f->offset + (f->last - f->first), (uint64_t)r->late_first + r->late_size - 1);
    if (first > last)
        return;
    z.addr = f->first + (first - f->offset);
    z.size = (uint32_t)(last - first + 1);
    g_array_append_val(s->zones, z);
}

static void tell(struct kvm *kvm, const GArray *zones, const GArray *others, unsigned long request)
{
    for (unsigned i = 0; i < zones->len; i++) {
        struct kvm_coalesced_mmio_zone z = g_array_index(zones, struct kvm_coalesced_mmio_zone, i);

        if (!has(others, &z) && kvm_ioctl(kvm->vm.fd, request, &z) < 0)
            log_printf(LOG_UNIMP, "kvm: writes to %#" PRIx64 " are not kept: %s\n",
                       (uint64_t)z.addr, g_strerror(errno));
    }
}

void late_refresh(struct kvm *kvm)
{
    struct machine *m = kvm->vm.machine;
    struct search s = { NULL, false };

    if (!kvm->late)
        return;
    s.zones = g_array_new(FALSE, FALSE, sizeof(struct kvm_coalesced_mmio_zone));
    space_foreach(&m->memory, look_at, &s);
    s.pio = true;
    if (kvm_check(&kvm->vm, KVM_CAP_COALESCED_PIO))
        space_foreach(&m->ports, look_at, &s);
    tell(kvm, kvm->late, s.zones, KVM_UNREGISTER_COALESCED_MMIO);
    tell(kvm, s.zones, kvm->late, KVM_REGISTER_COALESCED_MMIO);
    g_array_unref(kvm->late);
    kvm->late = s.zones;
}

static void drain_all(struct kvm *kvm)
{
    struct kvm_coalesced_mmio_ring *ring = kvm->late_ring;
    unsigned n = ((unsigned)getpagesize() - sizeof(*ring)) / sizeof(ring->coalesced_mmio[0]);

    while (ring->first != __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE)) {
        const struct kvm_coalesced_mmio e = ring->coalesced_mmio[ring->first % n];
        struct machine *m = kvm->vm.machine;

        __atomic_store_n(&ring->first, (ring->first + 1) % n, __ATOMIC_RELEASE);
        if (e.len > sizeof(e.data))
            continue;
        if (e.pio)
            space_store(&m->ports, e.phys_addr, e.len, ldn_le(e.data, e.len), 0);
        else
            space_write(&m->memory, slots_fold(kvm, e.phys_addr), e.data, e.len, 0);
    }
}

/* A write can change the map, and so bring one here again: the first one goes on. */
void late_drain(struct kvm *kvm)
{
    struct kvm_coalesced_mmio_ring *ring = kvm->late_ring;
    struct loop *loop = kvm->vm.machine->loop;
    bool taken;

    if (!ring || __atomic_load_n(&ring->first, __ATOMIC_RELAXED) ==
                     __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE))
        return;
    taken = loop_lock_if(loop);
    if (!kvm->draining) {
        kvm->draining = true;
        drain_all(kvm);
        kvm->draining = false;
    }
    loop_unlock_if(loop, taken);
}

/* The ring is in the first CPU's pages. */
void late_begin(struct kvm *kvm)
{
    int page = kvm_check(&kvm->vm, KVM_CAP_COALESCED_MMIO);

    if (!page || ((size_t)page + 1) * (size_t)getpagesize() > kvm->run_size)
        return;
    kvm->late_ring = (void *)((char *)kvm->cpu[0]->v.run + page * getpagesize());
    kvm->late = g_array_new(FALSE, FALSE, sizeof(struct kvm_coalesced_mmio_zone));
}

void late_end(struct kvm *kvm)
{
    g_clear_pointer(&kvm->late, g_array_unref);
    kvm->late_ring = NULL;
}
