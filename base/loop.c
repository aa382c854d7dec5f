/*
 * The main loop: GLib's prepare, query, check and dispatch by hand, so that the device lock is
 * given up exactly around the poll, and timers get nanoseconds instead of GLib's milliseconds.
 */
#include <base/loop.h>
#include <base/bug.h>
#include <base/iocontext.h>

#include <glib-unix.h>
#include <poll.h>
#include <stdatomic.h>

#include "clock-private.h"

struct work {
    struct work *next;
    void (*fn)(void *opaque);
    void *opaque;
};

struct loop {
    GMainContext *context;
    struct clocks *clocks;
    struct io_context *io;
    pthread_mutex_t lock; /* the device lock */
    pthread_mutex_t
        gate; /* held by the main thread while it waits for `lock`: others queue behind it */
    atomic_bool main_waits;
    _Atomic uintptr_t owner;       /* thread that holds `lock`, 0 for none */
    _Atomic uintptr_t main_thread; /* 0 before the first round */
    pthread_mutex_t work_lock;
    struct work *work, **work_end; /* guarded by work_lock */
    atomic_bool quit;
    GPollFD *fds; /* main thread only */
    int fds_size;
};

static uintptr_t self(void)
{
    return (uintptr_t)pthread_self();
}

struct loop *loop_new(void)
{
    struct loop *l = g_new0(struct loop, 1);

    l->context = g_main_context_new();
    l->clocks = clocks_new();
    l->io = io_context_of_loop(l);
    l->work_end = &l->work;
    l->fds_size = 16;
    l->fds = g_new(GPollFD, l->fds_size);
    pthread_mutex_init(&l->lock, NULL);
    pthread_mutex_init(&l->gate, NULL);
    pthread_mutex_init(&l->work_lock, NULL);
    return l;
}

void loop_free(struct loop *l)
{
    if (!l) {
        return;
    }
    bug_on(l->owner);
    while (l->work) {
        struct work *w = l->work;

        l->work = w->next;
        g_free(w);
    }
    io_context_free(l->io);
    g_main_context_unref(l->context);
    clocks_free(l->clocks);
    pthread_mutex_destroy(&l->lock);
    pthread_mutex_destroy(&l->gate);
    pthread_mutex_destroy(&l->work_lock);
    g_free(l->fds);
    g_free(l);
}

GMainContext *loop_context(struct loop *l)
{
    return l->context;
}

struct clocks *loop_clocks(struct loop *l)
{
    return l->clocks;
}

struct io_context *loop_io(struct loop *l)
{
    return l->io;
}

/* ---- the device lock ---- */

void loop_lock(struct loop *l)
{
    bug_on(loop_locked(l));
    if (l->main_thread == self()) {
        if (pthread_mutex_trylock(&l->lock) != 0) {
            l->main_waits = true;
            pthread_mutex_lock(&l->gate);
            pthread_mutex_lock(&l->lock);
            l->main_waits = false;
            pthread_mutex_unlock(&l->gate);
        }
    } else {
        if (l->main_waits) {
            pthread_mutex_lock(&l->gate);
            pthread_mutex_unlock(&l->gate);
        }
        pthread_mutex_lock(&l->lock);
    }
    l->owner = self();
}

void loop_unlock(struct loop *l)
{
    bug_on(!loop_locked(l));
    l->owner = 0;
    pthread_mutex_unlock(&l->lock);
}

bool loop_locked(struct loop *l)
{
    return atomic_load_explicit(&l->owner, memory_order_relaxed) == self();
}

void loop_wait(struct loop *l, pthread_cond_t *cond)
{
    bug_on(!loop_locked(l));
    l->owner = 0;
    pthread_cond_wait(cond, &l->lock);
    l->owner = self();
}

/* ---- work for the main thread ---- */

void loop_run_in_main(struct loop *l, void (*fn)(void *opaque), void *opaque)
{
    struct work *w = g_new(struct work, 1);

    *w = (struct work){ .fn = fn, .opaque = opaque };
    pthread_mutex_lock(&l->work_lock);
    *l->work_end = w;
    l->work_end = &w->next;
    pthread_mutex_unlock(&l->work_lock);
    loop_wakeup(l);
}

static bool work_pending(struct loop *l)
{
    bool pending;

    pthread_mutex_lock(&l->work_lock);
    pending = l->work != NULL;
    pthread_mutex_unlock(&l->work_lock);
    return pending;
}

/* What is handed over meanwhile waits for the next round. */
static bool run_work(struct loop *l)
{
    struct work *list;

    pthread_mutex_lock(&l->work_lock);
    list = l->work;
    l->work = NULL;
    l->work_end = &l->work;
    pthread_mutex_unlock(&l->work_lock);
    if (!list) {
        return false;
    }
    while (list) {
        struct work *w = list;

        list = w->next;
        w->fn(w->opaque);
        g_free(w);
    }
    return true;
}

GSource *loop_watch_fd(struct loop *l, int fd, GIOCondition cond, loop_fd_fn *fn, void *opaque)
{
    GSource *source = g_unix_fd_source_new(fd, cond);

    /* else GLib takes the descriptor out of the poll set while fn() runs, and wakes itself for
     * that, twice */
    g_source_set_can_recurse(source, TRUE);
    g_source_set_callback(source, G_SOURCE_FUNC(fn), opaque, NULL);
    g_source_attach(source, l->context);
    return source;
}

/* ---- rounds ---- */

static int query_fds(struct loop *l, int priority, int *timeout_ms)
{
    int n;

    while ((n = g_main_context_query(l->context, priority, timeout_ms, l->fds, l->fds_size)) >
           l->fds_size) {
        l->fds_size = n;
        l->fds = g_renew(GPollFD, l->fds, n);
    }
    return n;
}

/* GPollFD has the layout of struct pollfd (g_poll relies on it too). */
static void poll_unlocked(struct loop *l, int n, int64_t timeout_ns)
{
    struct timespec ts = { .tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000 };

    loop_unlock(l);
    ppoll((struct pollfd *)l->fds, (nfds_t)n, timeout_ns == INT64_MAX ? NULL : &ts, NULL);
    loop_lock(l);
}

static bool round_locked(struct loop *l, bool block)
{
    int priority, timeout_ms, n;
    int64_t timeout_ns;
    bool any = false;

    g_main_context_prepare(l->context, &priority);
    n = query_fds(l, priority, &timeout_ms);
    timeout_ns = clocks_timeout(l->clocks);
    if (timeout_ms >= 0) {
        timeout_ns = MIN(timeout_ns, (int64_t)timeout_ms * 1000000);
    }
    if (!block || l->quit || work_pending(l)) {
        timeout_ns = 0;
    }
    for (int i = 0; i < n; i++) {
        l->fds[i].revents = 0; /* poll leaves them alone when a signal ends it */
    }
    poll_unlocked(l, n, timeout_ns);
    if (g_main_context_check(l->context, priority, l->fds, n)) {
        g_main_context_dispatch(l->context);
        any = true;
    }
    any |= run_work(l);
    any |= clocks_run(l->clocks);
    return any;
}

bool loop_step(struct loop *l, bool block)
{
    bool taken, any;

    l->main_thread = self();
    bug_on(!g_main_context_acquire(l->context));
    taken = loop_lock_if(l);
    any = round_locked(l, block);
    loop_unlock_if(l, taken);
    g_main_context_release(l->context);
    return any;
}

void loop_run(struct loop *l)
{
    l->main_thread = self();
    bug_on(!g_main_context_acquire(l->context));
    loop_lock(l);
    while (!l->quit) {
        round_locked(l, true);
    }
    l->quit = false;
    loop_unlock(l);
    g_main_context_release(l->context);
}

void loop_quit(struct loop *l)
{
    l->quit = true;
    loop_wakeup(l);
}

void loop_wakeup(struct loop *l)
{
    /* The main thread looks at everything before it sleeps anyway. */
    if (l->main_thread != self()) {
        g_main_context_wakeup(l->context);
    }
}
