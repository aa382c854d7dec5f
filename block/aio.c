/* Host I/O by threads, and the choice between them and io_uring; see aio.h. */
#include "aio.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>
#include <glib.h>
#include <base/bug.h>
#include <base/iocontext.h>

#define THREADS_MAX 16

struct queue {
    struct aio_op *first, **end;
};

struct aio {
    struct io_context *io;
    struct uring *uring;
    bool uring_tried;
    unsigned plugs;
    unsigned busy; /* ops with threads; lock of io */
    GSource *source;

    pthread_mutex_t lock; /* below that of io; guards the rest */
    pthread_cond_t work, ready;
    struct queue todo, finished;
    pthread_t threads[THREADS_MAX];
    unsigned n_threads, idle;
    bool ending;
};

static void queue_put(struct queue *q, struct aio_op *op)
{
    op->next = NULL;
    *q->end = op;
    q->end = &op->next;
}

static struct aio_op *queue_get(struct queue *q)
{
    struct aio_op *op = q->first;

    if (op) {
        q->first = op->next;
        if (!q->first)
            q->end = &q->first;
    }
    return op;
}

static int64_t perform(struct aio_op *op)
{
    int64_t n;

    do {
        switch (op->kind) {
        case AIO_READ: n = preadv(op->fd, op->iov, (int)op->niov, (off_t)op->offset); break;
        case AIO_WRITE: n = pwritev(op->fd, op->iov, (int)op->niov, (off_t)op->offset); break;
        case AIO_SYNC: n = fdatasync(op->fd); break;
        default: return op->call(op);
        }
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static void *worker(void *opaque)
{
    struct aio *a = opaque;
    struct aio_op *op;

    pthread_mutex_lock(&a->lock);
    for (;;) {
        while (!(op = queue_get(&a->todo)) && !a->ending) {
            a->idle++;
            pthread_cond_wait(&a->work, &a->lock);
            a->idle--;
        }
        if (!op)
            break;
        pthread_mutex_unlock(&a->lock);
        op->result = perform(op);
        pthread_mutex_lock(&a->lock);
        if (!a->finished.first)
            g_source_set_ready_time(a->source, 0);
        queue_put(&a->finished, op);
        pthread_cond_signal(&a->ready);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

/* Calls done() of what threads have finished; whether there was something. */
static bool reap(struct aio *a)
{
    struct aio_op *list;

    pthread_mutex_lock(&a->lock);
    list = a->finished.first;
    a->finished.first = NULL;
    a->finished.end = &a->finished.first;
    pthread_mutex_unlock(&a->lock);
    if (!list)
        return false;
    while (list) {
        struct aio_op *op = list;

        list = op->next;
        a->busy--;
        op->done(op, op->result);
    }
    return true;
}

static gboolean finished(gpointer opaque)
{
    struct aio *a = opaque;
    bool taken;

    taken = io_lock_if(a->io);
    g_source_set_ready_time(a->source, -1);
    if (a->uring)
        uring_reap(a->uring, false);
    reap(a);
    io_unlock_if(a->io, taken);
    return G_SOURCE_CONTINUE;
}

static gboolean dispatch(GSource *source, GSourceFunc fn, gpointer opaque)
{
    (void)source;
    return fn(opaque);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

struct aio *aio_new(struct io_context *io)
{
    struct aio *a = g_new0(struct aio, 1);

    a->io = io;
    a->todo.end = &a->todo.first;
    a->finished.end = &a->finished.first;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->work, NULL);
    pthread_cond_init(&a->ready, NULL);
    a->source = g_source_new(&source_funcs, sizeof(GSource));
    g_source_set_callback(a->source, finished, a, NULL);
    if (io_is_thread(io))
        aio_has_uring(a); /* now, as later on the thread is at work */
    io_settle(io);
    g_source_attach(a->source, io_main_context(io));
    return a;
}

void aio_free(struct aio *a)
{
    bug_on(a->busy);
    pthread_mutex_lock(&a->lock);
    a->ending = true;
    pthread_cond_broadcast(&a->work);
    pthread_mutex_unlock(&a->lock);
    for (unsigned i = 0; i < a->n_threads; i++)
        pthread_join(a->threads[i], NULL);
    g_source_destroy(a->source);
    g_source_unref(a->source);
    if (a->uring)
        uring_end(a->uring);
    io_settle(a->io);
    if (a->uring)
        uring_free(a->uring);
    pthread_cond_destroy(&a->work);
    pthread_cond_destroy(&a->ready);
    pthread_mutex_destroy(&a->lock);
    g_free(a);
}

bool aio_has_uring(struct aio *a)
{
    if (!a->uring_tried)
        a->uring = uring_new(a->io);
    a->uring_tried = true;
    return a->uring != NULL;
}

/* Threads are made as they are needed. With none at all (the host gives none), it blocks. */
static bool hand_to_thread(struct aio *a, struct aio_op *op)
{
    bool ok;

    pthread_mutex_lock(&a->lock);
    if (!a->idle && a->n_threads < THREADS_MAX &&
        pthread_create(&a->threads[a->n_threads], NULL, worker, a) == 0)
        a->n_threads++;
    ok = a->n_threads > 0;
    if (ok) {
        queue_put(&a->todo, op);
        pthread_cond_signal(&a->work);
    }
    pthread_mutex_unlock(&a->lock);
    return ok;
}

void aio_submit(struct aio *a, struct aio_op *op, bool uring)
{
    if (uring && op->kind != AIO_CALL && aio_has_uring(a) && uring_add(a->uring, op)) {
        if (!a->plugs && uring_flush(a->uring))
            g_source_set_ready_time(a->source, 0);
        return;
    }
    a->busy++;
    if (hand_to_thread(a, op))
        return;
    op->result = perform(op);
    pthread_mutex_lock(&a->lock);
    queue_put(&a->finished, op);
    pthread_mutex_unlock(&a->lock);
    g_source_set_ready_time(a->source, 0);
}

void aio_plug(struct aio *a)
{
    a->plugs++;
}

void aio_unplug(struct aio *a)
{
    bug_on(!a->plugs);
    if (--a->plugs || !a->uring || !uring_flush(a->uring))
        return;
    /* Without a detour by the main thread: it and the CPU that waits would have to be woken. What
     * is submitted by a done() is done by who called that. */
    if (!uring_reaping(a->uring))
        uring_reap(a->uring, false);
}

/* With work in both places, each is looked at in turn. */
static void wait_for_thread(struct aio *a, bool forever)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&a->lock);
    while (!a->finished.first) {
        if (forever)
            pthread_cond_wait(&a->ready, &a->lock);
        else if (pthread_cond_timedwait(&a->ready, &a->lock, &until) == ETIMEDOUT)
            break;
    }
    pthread_mutex_unlock(&a->lock);
}

void aio_wait(struct aio *a)
{
    unsigned by_uring = a->uring ? uring_busy(a->uring) : 0;

    bug_on(!by_uring && !a->busy);
    if (by_uring)
        uring_reap(a->uring, !a->busy);
    if (a->busy && !reap(a)) {
        wait_for_thread(a, !by_uring);
        reap(a);
    }
}
