/*
 * Where asynchronous work of some devices and disks is done: the main loop with the device lock, or
 * an iothread with a lock of its own, which then guards all that belongs to that work.
 *
 *     bool taken = io_lock_if(io);       in a callback of its context, or in the main thread
 *     ...
 *     io_unlock_if(io, taken);
 *
 * Locks are taken in the order device lock, lock of an iothread. Who holds the second one alone, as
 * callbacks in an iothread do, never takes the first one, so that the main thread may wait for it.
 */
#ifndef BASE_IOCONTEXT_H
#define BASE_IOCONTEXT_H

#include <stdbool.h>
#include <glib.h>

struct io_context;
struct loop;

/* One with a lock of its own, for a thread that runs io_main_context(). */
struct io_context *io_context_new(void);
/* The same for the main loop, whose lock is the device lock; loop_io() has it. */
struct io_context *io_context_of_loop(struct loop *l);
/* No source may be left. */
void io_context_free(struct io_context *io);

/* For g_source_attach(); any thread. */
GMainContext *io_main_context(struct io_context *io);
/* Whether it is an iothread's. */
bool io_is_thread(const struct io_context *io);

/* Watches a descriptor for input: fn(fd, G_IO_*, opaque) as long as it returns true, without a lock
 * in an iothread; `end` (or NULL) gets opaque when fn() will not be called again. Returns the
 * attached source, which the caller ends by g_source_destroy and g_source_unref. */
GSource *io_watch_fd(struct io_context *io, int fd,
                     gboolean (*fn)(int fd, GIOCondition cond, gpointer opaque), void *opaque,
                     GDestroyNotify end);

/* Takes the lock unless the calling thread holds it; returns whether it did, for the other. */
bool io_lock_if(struct io_context *io);
void io_unlock_if(struct io_context *io, bool taken);

/* Runs fn(opaque) in an iothread and waits for it. The caller holds no lock that `fn` wants. */
void io_call(struct io_context *io, void (*fn)(void *opaque), void *opaque);
/* Returns when no callback runs in an iothread that began before; of the main loop none does. Later
 * ones see what the caller has done until now, which GLib's own locks do not tell ThreadSanitizer.
 * The caller does not hold the iothread's lock. */
void io_settle(struct io_context *io);

#endif
