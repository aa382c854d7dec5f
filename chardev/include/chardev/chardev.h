/*
 * Character streams: between a front end (a serial port, a monitor, the gdb stub) and a back end
 * (terminal, socket, file...). Bytes the front end cannot take stay with the sender, so a guest can
 * neither block the emulator nor fill its memory.
 *
 *     static const struct chardev_fe_ops uart_ops = { .can_receive = uart_room, ... };
 *     chardev_fe_attach(&uart->fe, chr, &uart_ops, uart, "serial0", err);
 *     n = chardev_fe_write(&uart->fe, buf, len);   if n < len, ops->writable comes later
 *     chardev_fe_accept_input(&uart->fe);          after room appeared behind can_receive
 *
 * Threads: everything here is called with the device lock held; the callbacks are too. They come
 * from the main loop, or from within attach, write and accept_input.
 */
#ifndef CHARDEV_CHARDEV_H
#define CHARDEV_CHARDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

struct chardev;
struct chardev_set;
struct loop;
struct opts;

enum chardev_event {
    CHARDEV_OPENED,  /* the other end is there; also said once on attach if it already is */
    CHARDEV_CLOSED,  /* it went away; what is written now is dropped */
    CHARDEV_BREAK,   /* serial break condition received */
    CHARDEV_MUX_IN,  /* this front end of a mux now has the keyboard */
    CHARDEV_MUX_OUT, /* and now it has not */
};

/* What a front end offers. Members may be NULL. */
struct chardev_fe_ops {
    /* How many bytes receive() would take now. Without it nothing is ever received. */
    size_t (*can_receive)(void *opaque);
    /* @len is at least 1 and at most what can_receive() said. */
    void (*receive)(void *opaque, const uint8_t *buf, size_t len);
    void (*event)(void *opaque, enum chardev_event event);
    /* Comes once after a write was cut short, when there is room again. */
    void (*writable)(void *opaque);
    /* Leaves the focus of a mux to the others until the user switches (monitors). */
    bool background;
};

/* A front end's handle, part of the user's own struct. Zeroed: not attached. */
struct chardev_fe {
    struct chardev *chr;
    const struct chardev_fe_ops *ops;
    void *opaque;
    char *user;                    /* who, for error messages */
    bool want_writable;            /* a write was cut short since the last writable() */
    unsigned slot;                 /* index in a mux */
    struct chardev_gather *gather; /* private: what was put and is not yet sent, or NULL */
};

/* Makes @fe the one user of @chr (of a mux: one more user). @user names it ("serial0"). Fails if
 * the back end is taken. OPENED and MUX_IN/OUT may be delivered before this returns. */
bool chardev_fe_attach(struct chardev_fe *fe, struct chardev *chr, const struct chardev_fe_ops *ops,
                       void *opaque, const char *user, GError **err);
/* Gives the back end up; no callback comes afterwards. Nothing happens if not attached. */
void chardev_fe_detach(struct chardev_fe *fe);
/* Sends. Returns how many bytes were taken, 0 to @len; less than @len means that writable() will
 * be called. Never blocks. Without a back end or a peer, all is taken and dropped. */
size_t chardev_fe_write(struct chardev_fe *fe, const void *buf, size_t len);
/* Sends one byte, within a millisecond: what a guest prints byte by byte goes out in larger pieces.
 * False: it was not taken, writable() will be called. */
bool chardev_fe_put(struct chardev_fe *fe, uint8_t byte);
/* To be called when can_receive() may have grown from 0. */
void chardev_fe_accept_input(struct chardev_fe *fe);
/* Whether the other end is there. */
bool chardev_fe_is_open(const struct chardev_fe *fe);
/* Where a guest's program opens and closes the front end (a virtio channel): it did. */
void chardev_fe_guest_open(struct chardev_fe *fe, bool open);
/* A file descriptor the peer passed along with its last bytes (unix sockets), owned by the caller
 * from here on, or -1. */
int chardev_fe_take_fd(struct chardev_fe *fe);

struct chardev_vc_size {
    uint32_t cols, rows, width, height;
};

/* What the guest's agent (qemu-vdagent) is for. */
struct chardev_agent {
    bool mouse, clipboard;
};

/* What the set needs of its surroundings. Members may be NULL. */
struct chardev_hooks {
    void (*quit)(void *opaque); /* the user typed C-a x */
    /* Shows the stream of a vc; NULL (as result, too): nobody does. Its size is asked for in
     * characters or in pixels, what is 0 was not given. */
    void *(*vc_open)(void *opaque, struct chardev *chr, const struct chardev_vc_size *size);
    void (*vc_write)(void *shown, const void *buf, size_t len);
    void (*vc_close)(void *shown);
    /* Speaks with the agent; NULL (as result, too): nobody does. */
    void *(*agent_open)(void *opaque, struct chardev *chr, const struct chardev_agent *what);
    void (*agent_connected)(void *agent, bool open);
    void (*agent_write)(void *agent, const void *buf, size_t len);
    size_t (*agent_read)(void *agent, void *buf, size_t room); /* 0: there is nothing */
    void (*agent_close)(void *agent);
    void *opaque;
};

/* What was typed there. */
void chardev_vc_typed(struct chardev *chr, const void *buf, size_t len);

/* agent_read() has something. */
void chardev_agent_readable(struct chardev *chr);

/* All back ends of one machine. Runs in @loop, which outlives it. */
struct chardev_set *chardev_set_new(struct loop *loop, const struct chardev_hooks *hooks);
/* Closes all; front ends must be detached before. The terminal gets its old settings back. */
void chardev_set_free(struct chardev_set *set);
/* The escape character of muxes, 0 to 26 (C-a is 1, the default); 0 switches escapes off. */
void chardev_set_escape(struct chardev_set *set, unsigned character);

/* The terminal gets its old settings back, as the process ends now; from a signal handler, too. */
void chardev_leave_terminal(void);

/* Creates from the argument of -chardev ("socket,id=c0,path=/tmp/s,server=on,wait=off", or a JSON
 * object). Owned by the set. Blocks until a client is there for server sockets with wait=on. */
struct chardev *chardev_new_from_opts(struct chardev_set *set, const char *arg, GError **err);
/* The same from options that were parsed before; they stay the caller's. */
struct chardev *chardev_new_parsed(struct chardev_set *set, struct opts *opts, GError **err);
/* Creates from the short form of -serial, -monitor, -qmp, -gdb: "stdio", "mon:stdio",
 * "tcp:host:port,server=on", "unix:path", "file:path", "pipe:path", "pty", "null", "vc", or
 * "chardev:id" for an existing one. @id becomes its name unless it names an existing one. "none"
 * gives NULL without error. */
struct chardev *chardev_new_from_legacy(struct chardev_set *set, const char *id, const char *arg,
                                        GError **err);
/* By id; the error names the nearest match. */
struct chardev *chardev_find(struct chardev_set *set, const char *id, GError **err);
/* Closes and removes; fails if a front end uses it. */
bool chardev_remove(struct chardev_set *set, const char *id, GError **err);
/* Calls @fn for each, in order of creation. */
void chardev_foreach(struct chardev_set *set, void (*fn)(struct chardev *chr, void *opaque),
                     void *opaque);
/* Prints what -chardev help shows. */
void chardev_print_help(GString *out);

const char *chardev_id(const struct chardev *chr);
const char *chardev_type_name(const struct chardev *chr);
/* Where it leads, as QMP shows it ("unix:/tmp/s,server=on", "pty:/dev/pts/3"). Caller frees. */
char *chardev_filename(const struct chardev *chr);
/* Whether a front end is attached and the other end is there. */
bool chardev_frontend_open(const struct chardev *chr);
bool chardev_is_mux(const struct chardev *chr);
/* Names of all types, NULL-terminated. */
const char *const *chardev_type_names(void);

/* Ring buffers ("ringbuf"): what the front end wrote, and input for it. */
bool chardev_is_ringbuf(const struct chardev *chr);
/* Removes up to @len of the oldest bytes, returns how many. */
size_t chardev_ringbuf_read(struct chardev *chr, uint8_t *buf, size_t len);
/* Gives bytes to the front end as if the guest's peer had typed them; returns how many it took. */
size_t chardev_ringbuf_write(struct chardev *chr, const uint8_t *buf, size_t len);

#endif
