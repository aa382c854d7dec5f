/*
 * A monitor on a chardev: buffers of what both sides do not take at once, and its language.
 */
#ifndef MONITOR_SESSION_H
#define MONITOR_SESSION_H

#include "command.h"

/* HMP or QMP. */
struct monitor_language {
    void *(*create)(struct monitor *m);
    void (*free)(void *state);
    void (*opened)(void *state);
    void (*closed)(void *state);
    /* Whether it has not yet done what was last put in; NULL: never. Says monitor_input_done(). */
    bool (*busy)(void *state);
    /* Returns how much of it was taken; the rest comes again once monitor_full() is over. */
    size_t (*input)(void *state, const uint8_t *buf, size_t len);
    void (*focus)(void *state, bool in);                        /* of a mux */
    void (*event)(void *state, const char *name, json_t *data); /* @data may be NULL */
    /* Writes the next of what it keeps back while monitor_crowded(), false: nothing is. NULL: it
     * never keeps anything. */
    bool (*more)(void *state);
    void (*go_on)(void *state); /* monitor_full() may be over; NULL: that does not matter */
};
extern const struct monitor_language hmp_language, qmp_language;

struct monitor {
    struct mon mon;
    struct chardev_fe fe;
    const struct monitor_language *language;
    void *state; /* of the language */
    bool pretty;
    GByteArray *out;  /* what the client has not taken yet */
    uint8_t in[4096]; /* what the language has not taken yet */
    size_t in_len;
    GHashTable *fds; /* descriptors by name, of getfd; NULL: none yet */
};

/* Sends, or keeps for later. */
void monitor_write(struct monitor *m, const char *text, size_t len);
/* Whether so much waits for the client that no events should be added to it. */
bool monitor_crowded(const struct monitor *m);
/* Whether so much waits that no command should run. It is more than for events: however many of
 * those there are, a client that reads gets its answers. */
bool monitor_full(const struct monitor *m);
/* More input may come. */
void monitor_input_done(struct monitor *m);
/* Tells all QMP clients. Takes @data over, which may be NULL. */
void monitors_event(struct monitors *set, const char *name, json_t *data);

/* Runs an HMP line, errors included in @out. */
void hmp_execute(struct mon *mon, const char *line, GString *out);
/* Completions of the last word of @line, to be freed with the array. */
GPtrArray *hmp_complete(struct mon *mon, const char *line);
/* Prints HMP's help for @topic ("x", "info", "info mtree"), or for all if NULL. */
bool hmp_help(const char *topic, GString *out, GError **err);

#endif
