/*
 * Commands, declared once: from a row come parsing and checking of arguments, HMP's help, QMP's
 * query-commands and query-qmp-schema.
 *
 * To add one: a row in a table of a cmd-*.c file. To add a file: a line in groups.def.
 */
#ifndef MONITOR_COMMAND_H
#define MONITOR_COMMAND_H

#include <jansson.h>
#include <base/error.h>
#include <chardev/chardev.h>
#include <hw/core/machine.h>
#include <monitor/monitor.h>

struct mon;

/* ---- Types of arguments and results ---- */

enum mon_kind {
    MON_STR,
    MON_INT,
    MON_NUMBER,
    MON_BOOL,
    MON_ANY,
    MON_OBJECT,
    MON_ARRAY,
    MON_ENUM,
};

/* How a member is written on an HMP line, where that does not follow from its type. */
enum mon_hmp {
    HMP_BY_TYPE, /* a word or quoted string, an expression, on or off */
    HMP_REST,    /* string: all that is left of the line */
    HMP_FLAG,    /* -x, x being the first letter of its name; a value follows if it is not a bool */
    HMP_FORMAT,  /* object of mon_format: /COUNT FORMAT SIZE right after the command */
    HMP_NONE,    /* cannot be given */
};

struct mon_type {
    const char *name; /* in the schema */
    enum mon_kind kind;
    const struct mon_member *members; /* of an object; ends with a NULL name */
    const struct mon_type *element;   /* of an array */
    const char *const *values;        /* of an enum, NULL at the end */
};

struct mon_member {
    const char *name;
    const struct mon_type *type;
    bool optional;
    enum mon_hmp hmp;
};

#define MEMBER(nm, ty, ...)                 \
    {                                       \
        .name = nm, .type = ty, __VA_ARGS__ \
    }
#define OPTIONAL(nm, ty, ...) MEMBER(nm, ty, .optional = true, __VA_ARGS__)
#define OBJECT_TYPE(nm, list)                           \
    {                                                   \
        .name = nm, .kind = MON_OBJECT, .members = list \
    }
#define ARRAY_TYPE(nm, of)                           \
    {                                                \
        .name = nm, .kind = MON_ARRAY, .element = of \
    }
#define ENUM_TYPE(nm, list)                          \
    {                                                \
        .name = nm, .kind = MON_ENUM, .values = list \
    }

extern const struct mon_type mon_str, mon_int, mon_number, mon_bool, mon_any, mon_empty, mon_strs,
    mon_anys;
extern const struct mon_type mon_format; /* of x and print: count, format, size */

/* Whether @value is of type @t; @name is what messages call it. Members that are not declared are
 * errors. */
bool mon_check(const struct mon_type *t, const json_t *value, const char *name, GError **err);

/* ---- Commands ---- */

struct mon_command {
    const char *qmp;               /* name in QMP; NULL: none */
    const char *hmp;               /* "stop|s", "info status"; NULL: none */
    const struct mon_member *args; /* in HMP's order; NULL for none */
    const char *params;            /* "[-a] device", for HMP's help */
    const char *help;              /* what it does, half a line */
    const struct mon_type *ret;    /* of run(); NULL: empty */
    /* Does it. Returns a new reference (NULL: success with an empty result), or sets *err. */
    json_t *(*run)(struct mon *mon, const json_t *args, GError **err);
    /* The same for people, if there is something to print; HMP calls it in place of run(). */
    bool (*text)(struct mon *mon, const json_t *args, GString *out, GError **err);
    bool more_args; /* QMP: run() checks the arguments itself, there may be others than @args */
    bool before_negotiation; /* only then: qmp_capabilities */
    /* Adds completions of the last word of an HMP line. */
    void (*complete)(struct mon *mon, GPtrArray *words);
};

/* Who runs a command, and what a session remembers between commands. */
struct mon {
    struct monitors *set;
    struct machine *machine;
    struct chardev_set *chardevs;
    struct monitor *session; /* NULL: human-monitor-command */
    unsigned cpu;            /* of x and info registers */
    char format;             /* last of x and print */
    unsigned size;
    uint64_t next_addr;
};

/* Tables, each ending with a row of two NULL names; then NULL. */
const struct mon_command *const *mon_groups(void);
/* Calls @fn for each command until it returns false. */
void mon_foreach(bool (*fn)(const struct mon_command *cmd, void *opaque), void *opaque);
const struct mon_command *mon_find_qmp(const char *name);

/* The CPU that HMP commands look at, stopped until mon_release_cpu(); NULL and an error if the
 * machine has none. */
struct cpu *mon_hold_cpu(struct mon *mon, GError **err);
void mon_release_cpu(struct mon *mon);

/* The machine's disks and networks, or NULL. */
struct block_set *mon_blocks(const struct mon *mon);
struct net_set *mon_nets(const struct mon *mon);
struct gdbstub *mon_gdbstub(const struct mon *mon);
/* See monitors_set_options(). */
bool mon_option_at(const struct mon *mon, unsigned n, struct monitor_option *o);
const GPtrArray *mon_vncs(const struct mon *mon);
const struct monitor_display *mon_display(const struct mon *mon);
/* NULL: none. */
const struct clipboard *mon_clipboard(const struct mon *mon);
/* Of the server `id`, or of the first (NULL). */
bool mon_vnc_password(struct mon *mon, const char *id, const char *password, GError **err);
extern const struct mon_type mon_vnc_event_data, mon_watchdog_action;

/* What QMP calls a CPU model: "rv64-riscv-cpu", where the widths of one architecture share a name.
 * To be freed. */
char *mon_cpu_type_name(const char *arch, const char *model);

/* Events that QMP tells of, for the schema. */
struct mon_event {
    const char *name;
    const struct mon_type *data; /* NULL: none */
};
extern const struct mon_event mon_events[]; /* ends with a NULL name */
json_t *mon_schema(void);

/* Text arguments of HMP: reads one expression off *text ("$pc+4", "0x10*(2+3)"), moves *text on. */
bool mon_expression(struct mon *mon, const char **text, int64_t *value, GError **err);

#endif
