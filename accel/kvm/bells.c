/*
 * Doorbells: writes that only say that there is something to do (mem_region_set_bells()) signal an
 * event in the kernel, and the guest goes on; the main loop does the write, or the region's own
 * context hears of it (mem_region_set_bell_context()).
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
    struct mem_region *r = b->region;
    uint64_t count;

    if (read(b->fd, &count, sizeof(count)) != sizeof(count))
        return;
    if (r->bell)
        r->bell(r->opaque, (uint32_t)(b->offset / r->bell_step));
    else
        mem_io_write(r, b->offset, 2, 0, 0);
}

static gboolean rung(int fd, GIOCondition cond, gpointer opaque)
{
    (void)fd, (void)cond;
    ring(opaque);
    return TRUE;
}

static void free_bell(void *opaque)
{
    struct bell *b = opaque;

    close(b->fd);
    g_free(b);
}

/* The bell goes with its source; where another thread is just in rung(), when that has left. */
static void remove_bell(void *opaque)
{
    struct bell *b = opaque;
    GSource *source = b->source;

    assign(b, false);
    g_source_destroy(source);
    g_source_unref(source);
}

static void listen_to(struct bell *b)
{
    const struct mem_region *r = b->region;
    struct io_context *io = r->bell_io ? r->bell_io : loop_io(b->kvm->vm.machine->loop);

    io_settle(io);
    b->source = io_watch_fd(io, b->fd, rung, b, free_bell);
}

/* Where the kernel has no more room, writes come to us as all others do. */
static void add_bell(struct kvm *kvm, struct mem_region *r, uint64_t offset, uint64_t gpa)
{
    struct bell *b = g_new0(struct bell, 1);

    *b = (struct bell){ .kvm = kvm, .region = r, .offset = offset, .gpa = gpa, .wanted = true };
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

static struct bell *find_bell(struct kvm *kvm, const struct mem_region *r, uint64_t gpa)
{
    for (unsigned i = 0; i < kvm->bells->len; i++) {
        struct bell *b = kvm->bells->pdata[i];

        if (b->region == r && b->gpa == gpa)
            return b;
    }
    return NULL;
}

static void look_at(const struct flat_range *f, void *opaque)
{
    struct kvm *kvm = opaque;
    struct mem_region *r = f->region;

    for (uint32_t i = 0; i < r->bell_count; i++) {
        uint64_t offset = (uint64_t)i * r->bell_step;
        struct bell *b;

        if (offset < f->offset || offset - f->offset > f->last - f->first)
            continue;
        b = find_bell(kvm, r, f->first + (offset - f->offset));
        if (b)
            b->wanted = true;
        else
            add_bell(kvm, r, offset, f->first + (offset - f->offset));
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
