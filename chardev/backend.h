/*
 * What a back end implements, and what it may call. To add one: write its file with a
 * `const struct chardev_type NAME_chardev`, and add it to backends.def.
 */
#ifndef CHARDEV_BACKEND_H
#define CHARDEV_BACKEND_H

#include <base/error.h>
#include <base/loop.h>
#include <base/option.h>
#include <chardev/chardev.h>

struct chardev_type {
    const char *name, *help;
    const char *opts; /* "path=,append=on|off", for help */
    size_t size;      /* of its struct, which begins with struct chardev */
    /* Reads its options, checks with opts_done() that there are no others, and only then acts.
     * Fails without leaving anything behind. Calls chardev_opened() if there is a peer already. */
    bool (*open)(struct chardev *chr, struct opts *opts, GError **err);
    void (*close)(struct chardev *chr);
    /* Takes 0 to @len bytes without blocking. After taking fewer it must call chardev_writable()
     * when there is room. NULL: drops everything. */
    size_t (*write)(struct chardev *chr, const uint8_t *buf, size_t len);
    /* The front end may take more, or has gone: look at chardev_can_receive() again. */
    void (*accept_input)(struct chardev *chr);
    /* The guest opened or closed its end, or nobody uses this one any more (closed). */
    void (*guest_open)(struct chardev *chr, bool open);
    /* Newest descriptor the peer passed, or -1. */
    int (*take_fd)(struct chardev *chr);
    char *(*filename)(const struct chardev *chr);
    bool gathers; /* a write costs a system call: bytes wait for others (chardev_fe_put()) */
    /* Muxes only: they look after their front ends themselves. */
    const struct chardev_mux_ops *mux;
};

struct chardev_mux_ops {
    bool (*attach)(struct chardev *chr, struct chardev_fe *fe, GError **err);
    void (*detach)(struct chardev *chr, struct chardev_fe *fe);
    size_t (*write)(struct chardev *chr, struct chardev_fe *fe, const uint8_t *buf, size_t len);
    bool (*used)(const struct chardev *chr);
};

struct chardev {
    const struct chardev_type *type;
    struct chardev_set *set;
    char *id;
    struct chardev_fe *fe; /* its user; NULL for muxes */
    bool open;             /* there is a peer */
    int log_fd;            /* copy of all output (logfile=), or -1 */
};

struct chardev_set {
    struct loop *loop;
    struct chardev_hooks hooks;
    GPtrArray *chardevs; /* in order of creation; freed in reverse */
    unsigned escape;
    struct chardev *stdio; /* who has the terminal */
};

/* For back ends. */
size_t chardev_can_receive(struct chardev *chr);
void chardev_receive(struct chardev *chr, const uint8_t *buf, size_t len);
void chardev_opened(struct chardev *chr);
void chardev_closed(struct chardev *chr);
void chardev_event(struct chardev *chr, enum chardev_event event);
void chardev_writable(struct chardev *chr);
/* Attaches a callback to the set's main loop. The caller owns the source. */
GSource *chardev_watch(struct chardev *chr, int fd, GIOCondition cond, loop_fd_fn *fn,
                       void *opaque);
GSource *chardev_timer(struct chardev *chr, unsigned ms, GSourceFunc fn, void *opaque);
/* Destroys *source, if any, and sets it to NULL. */
void chardev_unwatch(GSource **source);

/* The path= of an option, or NULL and an error. */
const char *chardev_need_path(struct chardev *chr, struct opts *opts, GError **err);

/* Opens a chardev of @type called @id and adds it to the set. */
struct chardev *chardev_create(struct chardev_set *set, const struct chardev_type *type,
                               const char *id, struct opts *opts, GError **err);
const struct chardev_type *const *chardev_types(void);
extern const struct chardev_type mux_chardev;

#endif
