/*
 * Doorbells: writes that only say that there is something to do (struct mem_bells) signal an event
 * in the kernel, and the guest goes on; the main loop does the write, or the region's own context
 * hears of it. Those that are told by the value, as by old virtio drivers, would want an event for
 * each; CPUs leave the kernel for them, and ring them without a lock.
 */
#include <errno.h>
#include <inttypes.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <base/iocontext.h>
#include <base/log.h>
#include <base/loop.h>
#include "kvm.h"

struct bell {
    struct kvm *kvm;
    struct mem_region *region;
    const void *bells; /* the region's; both may be gone where an iothread is in rung() */
    struct io_context *io;
    void *opaque;
    void (*hear)(void *opaque, uint32_t n);
    uint32_t n;
    uint64_t offset; /* in the region */
    uint64_t gpa;
    int fd;
    GSource *source;
    bool wanted; /* by the view that is looked at */
};

static int assign(const struct bell *b, bool on)
{
    struct kvm_ioeventfd e = {
        .addr = b->gpa,
        .fd = b->fd,
        .flags = on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN,
    };

    return kvm_ioctl(b->kvm->vm.fd, KVM_IOEVENTFD, &e);
}

static void ring(struct bell *b)
{
    uint64_t count;

    if (read(b->fd, &count, sizeof(count)) != sizeof(count))
        return;
    if (b->hear)
        b->hear(b->opaque, b->n);
    else
        mem_io_write(b->region, b->offset, 2, 0, 0);
}

static gboolean rung(int fd, GIOCondition cond, gpointer opaque)
{
    (void)fd, (void)cond;
    ring(opaque);
    return TRUE;
}

/* An iothread that is just in rung() leaves it before the bell goes. */
static void remove_bell(void *opaque)
{
    struct bell *b = opaque;

    assign(b, false);
    g_source_destroy(b->source);
    g_source_unref(b->source);
    io_settle(b->io);
    close(b->fd);
    g_free(b);
}

static void listen_to(struct bell *b)
{
    io_settle(b->io);
    b->source = io_watch_fd(b->io, b->fd, rung, b, NULL);
}

/* Where the kernel has no more room, writes come to us as all others do. */
static void add_bell(struct kvm *kvm, const struct flat_range *f, uint32_t n, uint64_t gpa)
{
    const struct mem_bells *bells = f->bells;
    struct bell *b = g_new0(struct bell, 1);

    *b = (struct bell){ .kvm = kvm,
                        .region = f->region,
                        .bells = bells,
                        .io = bells->io ? bells->io : loop_io(kvm->vm.machine->loop),
                        .opaque = f->region->opaque,
                        .hear = bells->hear,
                        .n = n,
                        .offset = f->offset + (gpa - f->first),
                        .gpa = gpa,
                        .wanted = true };
    b->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (b->fd < 0 || assign(b, true) < 0) {
        log_printf(LOG_UNIMP, "kvm: no event for writes to %#" PRIx64 ": %s\n", gpa,
                   g_strerror(errno));
        if (b->fd >= 0)
            close(b->fd);
        g_free(b);
        return;
    }
    listen_to(b);
    g_ptr_array_add(kvm->bells, b);
}

static struct bell *find_bell(struct kvm *kvm, const struct flat_range *f, uint64_t gpa)
{
    for (unsigned i = 0; i < kvm->bells->len; i++) {
        struct bell *b = kvm->bells->pdata[i];

        if (b->region == f->region && b->bells == f->bells && b->gpa == gpa)
            return b;
    }
    return NULL;
}

static void look_at(const struct flat_range *f, void *opaque)
{
    const struct mem_bells *bells = f->bells;
    struct kvm *kvm = opaque;

    for (uint32_t i = 0; bells && !bells->by_value && i < bells->count; i++) {
        uint64_t offset = bells->first + (uint64_t)i * bells->step;
        uint64_t gpa = f->first + (offset - f->offset);
        struct bell *b;

        if (offset < f->offset || offset - f->offset > f->last - f->first)
            continue;
        b = find_bell(kvm, f, gpa);
        if (b)
            b->wanted = true;
        else
            add_bell(kvm, f, i, gpa);
    }
}

void bells_refresh(struct kvm *kvm)
{
    if (!kvm->bells)
        return;
    for (unsigned i = 0; i < kvm->bells->len; i++)
        ((struct bell *)kvm->bells->pdata[i])->wanted = false;
    space_foreach(&kvm->vm.machine->memory, look_at, kvm);
    for (unsigned i = kvm->bells->len; i-- > 0;)
        if (!((struct bell *)kvm->bells->pdata[i])->wanted)
            g_ptr_array_remove_index_fast(kvm->bells, i);
}

void bells_drain(struct kvm *kvm)
{
    for (unsigned i = 0; kvm->bells && i < kvm->bells->len; i++)
        ring(kvm->bells->pdata[i]);
}

/* An event for writes of any size (without a length) came with Linux 4.5. */
void bells_begin(struct kvm *kvm)
{
    if (kvm_check(&kvm->vm, KVM_CAP_IOEVENTFD_ANY_LENGTH) > 0)
        kvm->bells = g_ptr_array_new_with_free_func(remove_bell);
}

void bells_end(struct kvm *kvm)
{
    g_clear_pointer(&kvm->bells, g_ptr_array_unref);
}
