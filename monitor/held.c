/*
 * Events for a slow client, see held.h. Few ever differ, so they are looked through, the newest
 * first: it is the one that a guest gone wild repeats.
 */
#include <stdbool.h>
#include <string.h>
#include "held.h"

static bool same_name(const json_t *a, const json_t *b)
{
    return !strcmp(json_string_value(json_object_get(a, "event")),
                   json_string_value(json_object_get(b, "event")));
}

/* json_equal() takes two NULLs for unequal. */
static bool same_data(const json_t *a, const json_t *b)
{
    const json_t *x = json_object_get(a, "data"), *y = json_object_get(b, "data");

    return x == y || json_equal(x, y);
}

static GList *find_same(const struct held *h, const json_t *event)
{
    for (GList *l = h->events.tail; l; l = l->prev)
        if (same_name(l->data, event) && same_data(l->data, event))
            return l;
    return NULL;
}

static GList *find_oldest(const struct held *h, const json_t *event)
{
    for (GList *l = h->events.head; l; l = l->next)
        if (same_name(l->data, event))
            return l;
    return NULL;
}

void held_add(struct held *h, json_t *event)
{
    GList *old = find_same(h, event);

    if (!old && h->events.length >= HELD_MAX)
        old = find_oldest(h, event);
    if (old) {
        json_decref(old->data);
        g_queue_delete_link(&h->events, old);
    }
    g_queue_push_tail(&h->events, event);
}

json_t *held_take(struct held *h)
{
    return g_queue_pop_head(&h->events);
}

void held_clear(struct held *h)
{
    json_t *event;

    while ((event = held_take(h)))
        json_decref(event);
}
