/*
 * Errors of the user (options, images) and of the host, as GError with one line of text: what,
 * which value, what would be right. Functions that can fail take a GError ** last and return false
 * or NULL.
 *
 *     if (n > 64) {
 *         return error_set(err, "-smp: cpus=%u is too many, machine '%s' takes 1 to 64", n, name);
 *     }
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <glib.h>
#include <stdbool.h>

GQuark myna_error_quark(void);
#define MYNA_ERROR myna_error_quark()

enum myna_error {
    MYNA_ERROR_GENERIC,   /* QMP class GenericError */
    MYNA_ERROR_NOT_FOUND, /* QMP class DeviceNotFound */
    MYNA_ERROR_COMMAND,   /* QMP class CommandNotFound */
    MYNA_ERROR_INACTIVE,  /* QMP class DeviceNotActive */
};

/* Sets *err (which may be NULL) and returns false, so that a function can end with it. */
bool error_set(GError **err, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/* The same with a code other than GENERIC. */
bool error_set_code(GError **err, enum myna_error code, const char *fmt, ...) G_GNUC_PRINTF(3, 4);
/* The same with ": " and the text of errno value `number` at the end. */
bool error_set_errno(GError **err, int number, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

/*
 * Finds the name nearest to a misspelt word: feed it every candidate, then read `best`, which stays
 * NULL where nothing is near enough to be meant.
 */
struct nearest {
    const char *word;
    const char *best; /* one of the names fed, not a copy */
    unsigned distance;
};

void nearest_init(struct nearest *n, const char *word);
void nearest_try(struct nearest *n, const char *name);
/* Over a NULL-terminated list; returns NULL where nothing is near. */
const char *nearest_of(const char *word, const char *const *names);

/*
 * "<what>: there is no <kind> '<word>'; did you mean '<best>'?" Returns false. n may be NULL.
 * `what` is an option ("-device") or a command.
 */
bool error_set_unknown(GError **err, const char *what, const char *kind, const char *word,
                       const struct nearest *n);

#endif
