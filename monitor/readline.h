/*
 * Editing of one line on a terminal: cursor, history, completion. Knows the keys of ANSI terminals
 * and of Emacs.
 */
#ifndef MONITOR_READLINE_H
#define MONITOR_READLINE_H

#include <stdbool.h>
#include <glib.h>

enum { READLINE_MAX = 4095, READLINE_HISTORY = 64 };

struct readline_ops {
    void (*print)(void *opaque, const char *text);
    void (*line)(void *opaque, const char *line); /* Enter was typed; no prompt is shown after it */
    /* Completions of the last word of @line; freed by the caller. */
    GPtrArray *(*complete)(void *opaque, const char *line);
    void *opaque;
};

struct readline {
    struct readline_ops ops;
    const char *prompt;
    char line[READLINE_MAX + 1];
    size_t len, cursor;
    char escape[8]; /* a key's sequence so far, without ESC */
    size_t nescape;
    bool in_escape;
    GQueue *history; /* of char *, newest first */
    int recall;      /* index in history of what is shown, -1: the line being typed */
    char *typed;     /* the line being typed, while another is shown */
};

void readline_init(struct readline *r, const char *prompt, const struct readline_ops *ops);
void readline_free(struct readline *r);
void readline_byte(struct readline *r, char c);
/* Prints the prompt and what is typed so far. */
void readline_show(struct readline *r);
/* Forgets what is typed so far. */
void readline_clear(struct readline *r);

#endif
