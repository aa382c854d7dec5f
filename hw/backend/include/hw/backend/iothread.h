/*
 * -object iothread: a thread with an event loop of its own, for devices that are not to wait for
 * the main loop. Its callbacks run without the device lock.
 */
#ifndef HW_BACKEND_IOTHREAD_H
#define HW_BACKEND_IOTHREAD_H

#include <hw/core/object.h>

struct io_context;

#define IOTHREAD "iothread" /* the role */

/* Its context and lock. */
struct io_context *iothread_io(struct object *o);
/* The thread's number on the host. */
int iothread_tid(const struct object *o);

#endif
