/*
 * Cuts a stream of bytes into JSON values, however they arrive, and forgives garbage: after an
 * error it goes on at the next line.
 */
#ifndef MONITOR_SPLIT_H
#define MONITOR_SPLIT_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>
#include <jansson.h>

enum { SPLIT_MAX_SIZE = 16 * 1024 * 1024, SPLIT_MAX_DEPTH = 1024 };

struct split {
    GString *text; /* the value so far */
    unsigned depth;
    char quote;  /* within a string: its quote */
    bool escape; /* the last byte was a backslash in a string */
    bool atom;   /* within a word or number outside of anything */
    bool skip;   /* after an error, until the end of the line */
};

/* Gets each value (borrowed), or NULL and what is wrong with it. */
typedef void split_fn(void *opaque, json_t *value, const char *error);

void split_init(struct split *s);
void split_free(struct split *s);
void split_reset(struct split *s);
void split_feed(struct split *s, const uint8_t *buf, size_t len, split_fn *fn, void *opaque);

#endif
