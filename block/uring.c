/* Host I/O by io_uring; see aio.h. */
#include "aio.h"

#include <glib.h>

#ifdef CONFIG_LIBURING

#include <errno.h>
#include <liburing.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <base/iocontext.h>

#define RING_ENTRIES 256

struct uring {
    struct io_uring ring;
    struct io_context *io;
    int event_fd; /* the kernel writes to it when something has ended, but not within a flush */
    GSource *source;
    unsigned reaping;
    unsigned busy;   /* added and not reaped */
    unsigned unsent; /* added and not yet given to the kernel */
};

static gboolean ring_ready(int fd, GIOCondition cond, gpointer opaque)
{
    struct uring *u = opaque;
    bool taken = io_lock_if(u->io);
    eventfd_t count;

    (void)cond;
    eventfd_read(fd, &count);
    uring_reap(u, false);
    io_unlock_if(u->io, taken);
    return G_SOURCE_CONTINUE;
}

struct uring *uring_new(struct io_context *io)
{
    struct uring *u = g_new0(struct uring, 1);

    /* fails where the kernel is old or a container forbids it */
    if (io_uring_queue_init(RING_ENTRIES, &u->ring, 0) < 0)
        goto out_free;
    u->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (u->event_fd < 0)
        goto out_ring;
    if (io_uring_register_eventfd(&u->ring, u->event_fd) < 0)
        goto out_event;
    u->io = io;
    u->source = io_watch_fd(io, u->event_fd, ring_ready, u, NULL);
    return u;

out_event:
    close(u->event_fd);
out_ring:
    io_uring_queue_exit(&u->ring);
out_free:
    g_free(u);
    return NULL;
}

void uring_end(struct uring *u)
{
    g_source_destroy(u->source);
}

void uring_free(struct uring *u)
{
    g_source_unref(u->source);
    io_uring_queue_exit(&u->ring);
    close(u->event_fd);
    g_free(u);
}

bool uring_add(struct uring *u, struct aio_op *op)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);

    if (!sqe) {
        uring_flush(u);
        sqe = io_uring_get_sqe(&u->ring);
    }
    if (!sqe)
        return false;
    switch (op->kind) {
    case AIO_READ: io_uring_prep_readv(sqe, op->fd, op->iov, op->niov, op->offset); break;
    case AIO_WRITE: io_uring_prep_writev(sqe, op->fd, op->iov, op->niov, op->offset); break;
    default: io_uring_prep_fsync(sqe, op->fd, IORING_FSYNC_DATASYNC); break;
    }
    io_uring_sqe_set_data(sqe, op);
    u->busy++;
    u->unsent++;
    return true;
}

static bool has_ended(struct uring *u)
{
    struct io_uring_cqe *cqe;

    return io_uring_peek_cqe(&u->ring, &cqe) == 0;
}

bool uring_flush(struct uring *u)
{
    if (!u->unsent)
        return false;
    io_uring_cq_eventfd_toggle(&u->ring, false);
    while (u->unsent) {
        int n = io_uring_submit(&u->ring);

        if (n > 0)
            u->unsent -= MIN((unsigned)n, u->unsent);
        else if (n != -EINTR)
            break; /* EAGAIN, EBUSY: tried again when something was reaped */
    }
    io_uring_cq_eventfd_toggle(&u->ring, true);
    /* what the kernel did not tell of must be seen below */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return has_ended(u);
}

unsigned uring_busy(const struct uring *u)
{
    return u->busy;
}

void uring_reap(struct uring *u, bool wait)
{
    struct io_uring_cqe *cqe;

    uring_flush(u);
    while (u->busy && wait && io_uring_wait_cqe(&u->ring, &cqe) == -EINTR)
        continue;
    u->reaping++;
    do {
        while (io_uring_peek_cqe(&u->ring, &cqe) == 0) {
            struct aio_op *op = io_uring_cqe_get_data(cqe);
            int64_t result = cqe->res;

            io_uring_cqe_seen(&u->ring, cqe);
            u->busy--;
            op->done(op, result);
        }
    } while (uring_flush(u));
    u->reaping--;
}

bool uring_reaping(const struct uring *u)
{
    return u->reaping;
}

#else

struct uring *uring_new(struct io_context *io)
{
    (void)io;
    return NULL;
}

void uring_end(struct uring *u)
{
    (void)u;
}

void uring_free(struct uring *u)
{
    (void)u;
}

bool uring_add(struct uring *u, struct aio_op *op)
{
    (void)u, (void)op;
    return false;
}

bool uring_flush(struct uring *u)
{
    (void)u;
    return false;
}

unsigned uring_busy(const struct uring *u)
{
    (void)u;
    return 0;
}

void uring_reap(struct uring *u, bool wait)
{
    (void)u, (void)wait;
}

bool uring_reaping(const struct uring *u)
{
    (void)u;
    return false;
}

#endif
