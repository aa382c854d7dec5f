/*
 * Dirty pages by rings (-accel kvm,dirty-ring-size=N): each CPU's pages that were written, in the
 * order in which they were, instead of a bitmap a slot. What is taken costs by pages written, not
 * by the size of memory.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <base/error.h>
#include <base/log.h>
#include "kvm.h"

static size_t ring_bytes(const struct kvm *kvm)
{
    return kvm->ring_entries * sizeof(struct kvm_dirty_gfn);
}

bool ring_enable(struct kvm *kvm, GError **err)
{
    struct kvm_enable_cap cap = { .cap = KVM_CAP_DIRTY_LOG_RING_ACQ_REL,
                                  .args = { ring_bytes(kvm) } };
    int max;

    if (!kvm->ring_entries)
        return true;
    max = kvm_check(&kvm->vm, KVM_CAP_DIRTY_LOG_RING_ACQ_REL);
    if (!max) {
        cap.cap = KVM_CAP_DIRTY_LOG_RING;
        max = kvm_check(&kvm->vm, KVM_CAP_DIRTY_LOG_RING);
    }
    if (!max)
        return error_set(err,
                         "-accel kvm: dirty-ring-size: the host's KVM has no rings (Linux 5.11 "
                         "has, for x86)");
    if (ring_bytes(kvm) > (size_t)max)
        return error_set(err,
                         "-accel kvm: dirty-ring-size=%u is too large, the host takes up to %zu",
                         kvm->ring_entries, (size_t)max / sizeof(struct kvm_dirty_gfn));
    return kvm_ioctl(kvm->vm.fd, KVM_ENABLE_CAP, &cap) >= 0 ||
           error_set_errno(err, errno, "-accel kvm: dirty-ring-size=%u", kvm->ring_entries);
}

bool ring_map(struct kvm_cpu *k, GError **err)
{
    void *ring;

    if (!k->kvm->ring_entries)
        return true;
    ring = mmap(NULL, ring_bytes(k->kvm), PROT_READ | PROT_WRITE, MAP_SHARED, k->v.fd,
                (off_t)KVM_DIRTY_LOG_PAGE_OFFSET * getpagesize());
    if (ring == MAP_FAILED)
        return error_set_errno(err, errno, "-accel kvm: dirty-ring-size");
    k->ring = ring;
    return true;
}

void ring_unmap(struct kvm_cpu *k)
{
    if (k->ring)
        munmap(k->ring, ring_bytes(k->kvm));
    k->ring = NULL;
}

static unsigned harvest(struct kvm_cpu *k)
{
    unsigned n = 0;

    for (;; n++) {
        struct kvm_dirty_gfn *e = &k->ring[k->ring_next % k->kvm->ring_entries];

        if (__atomic_load_n(&e->flags, __ATOMIC_ACQUIRE) != KVM_DIRTY_GFN_F_DIRTY)
            return n;
        slots_touch(k->kvm, e->slot, e->offset);
        __atomic_store_n(&e->flags, KVM_DIRTY_GFN_F_RESET, __ATOMIC_RELEASE);
        k->ring_next++;
    }
}

unsigned ring_harvest(struct kvm *kvm)
{
    unsigned n = 0;

    for (unsigned i = 0; i < kvm->ncpus; i++)
        if (kvm->cpu[i] && kvm->cpu[i]->ring)
            n += harvest(kvm->cpu[i]);
    if (n && kvm_ioctl(kvm->vm.fd, KVM_RESET_DIRTY_RINGS, NULL) < 0)
        log_printf(LOG_UNIMP, "kvm: KVM_RESET_DIRTY_RINGS: %s\n", g_strerror(errno));
    return n;
}
