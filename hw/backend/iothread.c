/* Threads with an event loop; see hw/backend/iothread.h. */
#include <hw/backend/iothread.h>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <base/error.h>

struct iothread {
    struct object obj;
    GMainContext *context;
    GMainLoop *loop;
    pthread_t thread;
    int tid; /* set by the first call */
};

/* A piece of work and whoever waits for it. */
struct call {
    void (*fn)(void *opaque);
    void *opaque;
    pthread_mutex_t lock;
    pthread_cond_t done_cond;
    bool done;
};

static void *run(void *opaque)
{
    struct iothread *t = opaque;

    g_main_context_push_thread_default(t->context);
    g_main_loop_run(t->loop);
    g_main_context_pop_thread_default(t->context);
    return NULL;
}

static gboolean run_call(gpointer opaque)
{
    struct call *c = opaque;

    c->fn(c->opaque);
    pthread_mutex_lock(&c->lock);
    c->done = true;
    pthread_cond_signal(&c->done_cond);
    pthread_mutex_unlock(&c->lock);
    return false;
}

void iothread_call(struct object *o, void (*fn)(void *opaque), void *opaque)
{
    struct iothread *t = (struct iothread *)o;
    struct call c = { .fn = fn, .opaque = opaque };
    GSource *source = g_idle_source_new();

    pthread_mutex_init(&c.lock, NULL);
    pthread_cond_init(&c.done_cond, NULL);
    g_source_set_priority(source, G_PRIORITY_DEFAULT);
    g_source_set_callback(source, run_call, &c, NULL);
    g_source_attach(source, t->context);
    g_source_unref(source);
    pthread_mutex_lock(&c.lock);
    while (!c.done)
        pthread_cond_wait(&c.done_cond, &c.lock);
    pthread_mutex_unlock(&c.lock);
    pthread_cond_destroy(&c.done_cond);
    pthread_mutex_destroy(&c.lock);
}

static void note_tid(void *opaque)
{
    ((struct iothread *)opaque)->tid = (int)syscall(SYS_gettid);
}

static void end_loop(void *opaque)
{
    g_main_loop_quit(((struct iothread *)opaque)->loop);
}

static bool iothread_complete(struct object *o, GError **err)
{
    struct iothread *t = (struct iothread *)o;
    sigset_t all, before;
    int status;

    t->context = g_main_context_new();
    t->loop = g_main_loop_new(t->context, FALSE);
    /* Signals are the main thread's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = pthread_create(&t->thread, NULL, run, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status) {
        g_main_loop_unref(t->loop);
        g_main_context_unref(t->context);
        return error_set_errno(err, status, "iothread '%s': cannot make a thread", o->id);
    }
    pthread_setname_np(t->thread, "iothread");
    iothread_call(o, note_tid, t);
    return true;
}

static void iothread_free(struct object *o)
{
    struct iothread *t = (struct iothread *)o;

    iothread_call(o, end_loop, t);
    pthread_join(t->thread, NULL);
    g_main_loop_unref(t->loop);
    g_main_context_unref(t->context);
}

GMainContext *iothread_context(struct object *o)
{
    return ((struct iothread *)o)->context;
}

int iothread_tid(const struct object *o)
{
    return ((const struct iothread *)o)->tid;
}

const struct object_type iothread_object = {
    .name = "iothread",
    .help = "a thread with an event loop",
    .role = IOTHREAD,
    .size = sizeof(struct iothread),
    .complete = iothread_complete,
    .free = iothread_free,
};
