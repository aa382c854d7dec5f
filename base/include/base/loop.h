/*
 * The main loop of one machine: a GLib main context, the device lock, and work handed to the main
 * thread.
 *
 *     struct loop *l = loop_new();
 *     loop_run_in_main(l, update_display, d);   // from any thread
 *     loop_run(l);                              // until loop_quit
 *     loop_free(l);
 *
 * Threads and locks, for the whole program:
 *  - The main thread holds the device lock all the time except while it sleeps in poll. So
 * everything that is dispatched from the context (file descriptors, timers, work items) runs with
 * it held.
 *  - A vCPU thread takes it around device registers (mem/ does so, but for bells: mem/region.h) and
 * interrupt delivery, never around guest code. RAM, the translator and the virtio data plane do
 * without it.
 *  - Disks and queues of devices in an iothread have its lock (base/iocontext.h) instead.
 *  - Lock order, outermost first: device lock, an iothread's lock, translator locks, clock locks
 * (base/clock.h), the log. Nobody calls out of his module with a lock below the device lock held.
 *  - Locks are pthread mutexes, not GMutex, and so known to ThreadSanitizer.
 *  - Never wait for another thread with the device lock held, unless that thread cannot want it.
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

struct clocks;
struct io_context;
struct loop;

/* Owned by the caller. The context is not the process's default one: attach sources to
 * loop_context(). */
struct loop *loop_new(void);
void loop_free(struct loop *l);

/* For g_source_attach; any thread may attach and destroy. Callbacks run in the main thread, lock
 * held. */
GMainContext *loop_context(struct loop *l);
/* The clocks of base/clock.h that hang off this loop. */
struct clocks *loop_clocks(struct loop *l);
/* The main loop as what block devices and virtio work in. */
struct io_context *loop_io(struct loop *l);

/* The device lock: not recursive. The main thread goes first, so vCPUs cannot starve it. */
void loop_lock(struct loop *l);
void loop_unlock(struct loop *l);
/* Whether the calling thread holds it. */
bool loop_locked(struct loop *l);
/* Takes it unless held; returns whether it did, for the matching loop_unlock_if. */
static inline bool loop_lock_if(struct loop *l)
{
    if (loop_locked(l)) {
        return false;
    }
    loop_lock(l);
    return true;
}

static inline void loop_unlock_if(struct loop *l, bool taken)
{
    if (taken) {
        loop_unlock(l);
    }
}

/* Waits on cond and gives up the device lock meanwhile; the caller holds it. Spurious wake-ups
 * happen. */
void loop_wait(struct loop *l, pthread_cond_t *cond);

/*
 * Runs fn(opaque) once in the main thread with the device lock held, after what was handed over
 * before, never within this call. From any thread, with any locks. Work left when the loop is freed
 * never runs.
 */
void loop_run_in_main(struct loop *l, void (*fn)(void *opaque), void *opaque);

/* Watches a descriptor: fn(fd, G_IO_*, opaque) as long as it returns true. Returns the attached
 * source, which the caller ends by g_source_destroy and g_source_unref. */
typedef gboolean loop_fd_fn(int fd, GIOCondition cond, gpointer opaque);
GSource *loop_watch_fd(struct loop *l, int fd, GIOCondition cond, loop_fd_fn *fn, void *opaque);

/* Dispatches until loop_quit; takes the device lock on entry (the caller does not hold it) and
 * gives it up at the end. The calling thread is the main thread from then on. */
void loop_run(struct loop *l);
/* One round of the same; waits for something to happen if `block`. Returns whether something did.
 */
bool loop_step(struct loop *l, bool block);
/* Makes loop_run return at the end of its round; any thread. */
void loop_quit(struct loop *l);
/* Makes a sleeping loop look at its sources and timers anew; any thread. */
void loop_wakeup(struct loop *l);

#endif
