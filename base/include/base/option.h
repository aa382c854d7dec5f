/*
 * Options in the syntax of QEMU's command line, used by every option and property:
 * "key=value,key2=v2,flag,noflag" with ",," for a comma, an implied first key, and the JSON form
 * '{"driver": "…", "a": {"b": 1}}' of which nested members become dotted keys ("a.b").
 *
 *     struct opts *o = opts_parse("-smp", "4,maxcpus=8", "cpus", &err);
 *     uint64_t cpus = 1;
 *     if (!o || !opts_u64(o, "cpus", 1, 64, &cpus, &err) || !opts_done(o, &err)) …
 *
 * Each accessor marks its key as known; opts_done reports keys that nobody asked for, with the
 * nearest known one, so nothing is ignored silently. Errors are one line: option, key, value, what
 * is right. An opts belongs to one thread at a time.
 */
#ifndef BASE_OPTION_H
#define BASE_OPTION_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct opts;

/* `option` ("-device") is for messages and copied. Owned by the caller. */
struct opts *opts_new(const char *option);
/*
 * implied: key of a first part without '=', or NULL. A later part without '=' is a flag: "x" is
 * x=on, and "nox" is kept as it is (accessors of booleans know both). NULL and err on bad syntax.
 */
struct opts *opts_parse(const char *option, const char *text, const char *implied, GError **err);
struct opts *opts_copy(const struct opts *o);
void opts_free(struct opts *o);
/* g_autofree's like: `opts_auto struct opts *o = …` is freed at the end of its scope. */
static inline void opts_auto_free_(struct opts **o)
{
    opts_free(*o);
}
#define opts_auto __attribute__((cleanup(opts_auto_free_)))

const char *opts_option(const struct opts *o);
/* Adds a pair (also if the key is there: the last one counts). */
void opts_set(struct opts *o, const char *key, const char *value);
/* Adds all pairs of `from`. */
void opts_merge(struct opts *o, const struct opts *from);
void opts_remove(struct opts *o, const char *key);
size_t opts_count(const struct opts *o);
/* Pair number i in order; does not mark it as known. */
const char *opts_key_at(const struct opts *o, size_t i);
const char *opts_value_at(const struct opts *o, size_t i);
bool opts_has(const struct opts *o, const char *key);
/* "help" or "?" as a flag or as the implied first value; marks it. */
bool opts_help_asked(struct opts *o);

/* Accessors leave *value as it is where the key is absent, so it holds the default. They mark the
 * key. */
/* The string belongs to o; def where absent. */
const char *opts_str(struct opts *o, const char *key, const char *def);
/* The n-th (from 0) value of a key that may come several times (hostfwd=…); NULL past the last. */
const char *opts_str_nth(struct opts *o, const char *key, size_t n);
/* on/off, yes/no, true/false, y/n; flag and noflag. */
bool opts_bool(struct opts *o, const char *key, bool *value, GError **err);
/* Decimal, 0x, 0 octal; in [min, max]. */
bool opts_u64(struct opts *o, const char *key, uint64_t min, uint64_t max, uint64_t *value,
              GError **err);
bool opts_u32(struct opts *o, const char *key, uint32_t min, uint32_t max, uint32_t *value,
              GError **err);
bool opts_i64(struct opts *o, const char *key, int64_t min, int64_t max, int64_t *value,
              GError **err);
/* Bytes with B, K, M, G, T, P, E (powers of 1024), fractions allowed (1.5G); no suffix means
 * `unit`. */
bool opts_size(struct opts *o, const char *key, uint64_t unit, uint64_t min, uint64_t max,
               uint64_t *value, GError **err);
/* Index of one of the NULL-terminated names. */
bool opts_enum(struct opts *o, const char *key, const char *const *names, int *value, GError **err);
/* Marks a key as known without reading it. */
void opts_known(struct opts *o, const char *key);
/* False if there is a key that no accessor asked for. */
bool opts_done(struct opts *o, GError **err);

/*
 * Reads a -readconfig file and calls fn for each section in order: group "device", the section's
 * pairs (with the id, if it has one). fn owns o. Ends at the first error.
 */
typedef bool opts_section_fn(const char *group, struct opts *o, void *opaque, GError **err);
bool opts_read_config(const char *path, opts_section_fn *fn, void *opaque, GError **err);

/* The same for one value: `what` ("-m: size", "virtio-blk.num-queues") begins the message. */
bool option_bool(const char *what, const char *text, bool *value, GError **err);
bool option_u64(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *value,
                GError **err);
bool option_i64(const char *what, const char *text, int64_t min, int64_t max, int64_t *value,
                GError **err);
bool option_size(const char *what, const char *text, uint64_t unit, uint64_t min, uint64_t max,
                 uint64_t *value, GError **err);

#endif
