/* Threads with an event loop; see hw/backend/iothread.h. */
#include <hw/backend/iothread.h>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <base/error.h>
#include <base/iocontext.h>

struct iothread {
    struct object obj;
    struct io_context *io;
    GMainLoop *loop;
    pthread_t thread;
    int tid; /* set by the first call */
};

static void *run(void *opaque)
{
    struct iothread *t = opaque;

    g_main_context_push_thread_default(io_main_context(t->io));
    g_main_loop_run(t->loop);
    g_main_context_pop_thread_default(io_main_context(t->io));
    return NULL;
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

    t->io = io_context_new();
    t->loop = g_main_loop_new(io_main_context(t->io), FALSE);
    /* Signals are the main thread's. */
    sigfillset(&all);
    sigdelset(&all, SIGBUS); /* comes to who touches what cannot be read (base/fault.h) */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = pthread_create(&t->thread, NULL, run, t);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status) {
        g_main_loop_unref(t->loop);
        io_context_free(t->io);
        return error_set_errno(err, status, "iothread '%s': cannot make a thread", o->id);
    }
    pthread_setname_np(t->thread, "iothread");
    io_call(t->io, note_tid, t);
    return true;
}

static void iothread_free(struct object *o)
{
    struct iothread *t = (struct iothread *)o;

    io_call(t->io, end_loop, t);
    pthread_join(t->thread, NULL);
    g_main_loop_unref(t->loop);
    io_context_free(t->io);
}

struct io_context *iothread_io(struct object *o)
{
    return ((struct iothread *)o)->io;
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
