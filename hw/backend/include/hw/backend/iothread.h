/*
 * -object iothread: a thread with an event loop of its own, for devices that are not to wait for
 * the main loop. Its callbacks run without the device lock.
 */
#ifndef HW_BACKEND_IOTHREAD_H
#define HW_BACKEND_IOTHREAD_H

#include <hw/core/object.h>

#define IOTHREAD "iothread" /* the role */

/* For g_source_attach(); any thread. */
GMainContext *iothread_context(struct object *o);
/* The thread's number on the host. */
int iothread_tid(const struct object *o);
/* Runs fn(opaque) in the thread and waits for it. The caller holds no lock that `fn` wants. */
void iothread_call(struct object *o, void (*fn)(void *opaque), void *opaque);

#endif
