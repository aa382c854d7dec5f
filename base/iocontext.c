/* Contexts of asynchronous work; see base/iocontext.h. */
#include <base/iocontext.h>
#include <base/loop.h>

#include <glib-unix.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/* A piece of work that somebody waits for. */
struct call {
    struct call *next;
    void (*fn)(void *opaque);
    void *opaque;
    bool done;
};

struct io_context {
    GMainContext *context;
    struct loop *loop;       /* NULL: an iothread's, with `lock` */
    pthread_mutex_t lock;    /* below the device lock */
    _Atomic uintptr_t owner; /* thread that holds `lock`, 0 for none */

    pthread_mutex_t calls_lock; /* below all others; guards the rest */
    pthread_cond_t call_done;
    struct call *calls;
};

static struct io_context *context_new(struct loop *l, GMainContext *context)
{
    struct io_context *io = g_new0(struct io_context, 1);

    io->loop = l;
    io->context = context;
    pthread_mutex_init(&io->lock, NULL);
    pthread_mutex_init(&io->calls_lock, NULL);
    pthread_cond_init(&io->call_done, NULL);
    return io;
}

struct io_context *io_context_new(void)
{
    return context_new(NULL, g_main_context_new());
}

struct io_context *io_context_of_loop(struct loop *l)
{
    return context_new(l, g_main_context_ref(loop_context(l)));
}

void io_context_free(struct io_context *io)
{
    g_main_context_unref(io->context);
    pthread_cond_destroy(&io->call_done);
    pthread_mutex_destroy(&io->calls_lock);
    pthread_mutex_destroy(&io->lock);
    g_free(io);
}

GMainContext *io_main_context(struct io_context *io)
{
    return io->context;
}

bool io_is_thread(const struct io_context *io)
{
    return !io->loop;
}

GSource *io_watch_fd(struct io_context *io, int fd,
                     gboolean (*fn)(int fd, GIOCondition cond, gpointer opaque), void *opaque,
                     GDestroyNotify end)
{
    GSource *source = g_unix_fd_source_new(fd, G_IO_IN);

    g_source_set_can_recurse(source, TRUE); /* see loop_watch_fd() */
    g_source_set_callback(source, G_SOURCE_FUNC(fn), opaque, end);
    g_source_attach(source, io->context);
    return source;
}

bool io_lock_if(struct io_context *io)
{
    uintptr_t self = (uintptr_t)pthread_self();

    if (io->loop)
        return loop_lock_if(io->loop);
    if (atomic_load_explicit(&io->owner, memory_order_relaxed) == self)
        return false;
    pthread_mutex_lock(&io->lock);
    atomic_store_explicit(&io->owner, self, memory_order_relaxed);
    return true;
}

void io_unlock_if(struct io_context *io, bool taken)
{
    if (io->loop) {
        loop_unlock_if(io->loop, taken);
    } else if (taken) {
        atomic_store_explicit(&io->owner, 0, memory_order_relaxed);
        pthread_mutex_unlock(&io->lock);
    }
}

/* One call a dispatch; which one does not matter. */
static gboolean run_call(gpointer opaque)
{
    struct io_context *io = opaque;
    struct call *c;

    pthread_mutex_lock(&io->calls_lock);
    c = io->calls;
    io->calls = c->next;
    pthread_mutex_unlock(&io->calls_lock);
    c->fn(c->opaque);
    pthread_mutex_lock(&io->calls_lock);
    c->done = true;
    pthread_cond_broadcast(&io->call_done);
    pthread_mutex_unlock(&io->calls_lock);
    return false;
}

void io_call(struct io_context *io, void (*fn)(void *opaque), void *opaque)
{
    struct call c = { .fn = fn, .opaque = opaque };
    GSource *source = g_idle_source_new();

    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, run_call, io, NULL);
    pthread_mutex_lock(&io->calls_lock);
    c.next = io->calls;
    io->calls = &c;
    g_source_attach(source, io->context);
    while (!c.done)
        pthread_cond_wait(&io->call_done, &io->calls_lock);
    pthread_mutex_unlock(&io->calls_lock);
    g_source_unref(source);
}

static void nothing(void *opaque)
{
    (void)opaque;
}

void io_settle(struct io_context *io)
{
    if (io_is_thread(io))
        io_call(io, nothing, NULL);
}
