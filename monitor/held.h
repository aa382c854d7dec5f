/*
 * Events that wait for a client which does not read as fast as they happen. One that says the same
 * as a later one (name and data) gives way to it, so that what is kept is small, and is what
 * happened last, in order, however long the client sleeps.
 *
 *     held_add(&h, event);
 *     while (room && (event = held_take(&h)))
 *         ...
 */
#ifndef MONITOR_HELD_H
#define MONITOR_HELD_H

#include <glib.h>
#include <jansson.h>

/* Beyond as many, the oldest of the same name gives way, whatever its data. */
enum { HELD_MAX = 256 };

/* Zeroed: empty. */
struct held {
    GQueue events; /* of json_t, by the time they happened */
};

/* Keeps a whole event, as it is to be sent; takes it over. */
void held_add(struct held *h, json_t *event);
/* The oldest, now the caller's; NULL: there is none. */
json_t *held_take(struct held *h);
void held_clear(struct held *h);

#endif
