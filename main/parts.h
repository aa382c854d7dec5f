/* A running session, shared by the files that make its parts. */
#ifndef MAIN_PARTS_H
#define MAIN_PARTS_H

#include <accel/accel.h>
#include <block/block.h>
#include <chardev/chardev.h>
#include <gdbstub/gdbstub.h>
#include <hw/core/machine.h>
#include <monitor/monitor.h>
#include <net/net.h>
#include <ui/sdl.h>
#include <ui/vnc.h>

#include "config.h"
#include "machine_opts.h"

/* A monitor that is to be made once there is a machine. */
struct monitor_wish {
    struct chardev *chr;
    bool qmp, pretty;
};

enum display_kind { DISPLAY_NONE, DISPLAY_SDL };

struct session {
    struct config *config;
    struct loop *loop;
    struct chardev_set *chardevs;
    struct input *input;
    struct consoles *consoles;
    struct clipboard *clipboard;
    enum display_kind display;
    struct opts *display_opts; /* of -display */
    bool graphical;            /* somebody looks at consoles */
    GPtrArray *vncs;           /* of struct vnc; NULL until their turn */
    struct sdl *window;        /* NULL: none */
    struct monitor_display shown;
    struct input_watch typing;
    struct chardev *serials[MACHINE_SERIALS];
    struct chardev *parallels[MACHINE_PARALLELS];
    GArray *wishes; /* of struct monitor_wish */
    struct monitors *monitors;
    struct gdbstub *gdb; /* NULL until its turn */
    struct icount icount;
    struct machine *machine;        /* NULL until its turn */
    const struct accel_type *accel; /* NULL until its turn */
    struct qtest *qtest;            /* NULL without -qtest */
    struct block_set *blocks;       /* NULL until their turn */
    struct net_set *nets;           /* the same */
    GPtrArray *cards;               /* of struct opts: network cards to be made */
    GSource *signals;
    int signal_fd;
};

/* Signals that end the program become shutdown requests. Before any thread is made. */
bool signals_begin(struct session *s, GError **err);
void signals_end(struct session *s);

/* -blockdev and -drive, once the machine's type is known. */
bool backends_make(struct session *s, GError **err);
/* Devices that they imply. */
bool backends_add_devices(struct session *s, GError **err);
/* When all devices are gone. */
void backends_free(struct session *s);

/* -display, -vnc, -sdl: which there are to be, before anything is made. */
bool displays_choose(struct session *s, GError **err);
/* For struct chardev_hooks: text consoles of the displays. */
void *displays_vc_open(void *opaque, struct chardev *chr, const struct chardev_vc_size *size);
void displays_vc_write(void *shown, const void *buf, size_t len);
void displays_vc_close(void *shown);
/* The same: the guest's agent. */
void *displays_agent_open(void *opaque, struct chardev *chr, const struct chardev_agent *what);
void displays_agent_connected(void *agent, bool open);
void displays_agent_write(void *agent, const void *buf, size_t len);
size_t displays_agent_read(void *agent, void *buf, size_t room);
void displays_agent_close(void *agent);
/* Once there are a machine and monitors. */
bool displays_make(struct session *s, GError **err);
/* Before the machine goes. */
void displays_free(struct session *s);

/* The names of -vga, before anything is made. */
bool graphics_check(struct config *c, GError **err);
/* The graphics card of -vga, or that there is by default; before other devices, since its slot is
 * a well-known one. */
bool graphics_add_device(struct session *s, GError **err);

/* -usb and -usbdevice: before and after other devices. */
bool usb_add_controller(struct session *s, GError **err);
bool usb_add_devices(struct session *s, GError **err);

/* -object, once there is a machine without devices. */
bool objects_make(struct session *s, GError **err);

/* The same for -netdev, -nic, and the network there is by default. */
bool networks_make(struct session *s, GError **err);
bool networks_add_devices(struct session *s, GError **err);
void networks_free(struct session *s);

/* The names of -accel, before anything is made. */
bool accel_check(struct config *c, GError **err);
/* Whether CPUs are needed at all: -accel qtest has none. */
bool accel_runs_cpus(const struct config *c);
/* -accel: gives the machine's CPUs to who runs them. */
bool accel_choose(struct session *s, GError **err);

/* -chardev, -serial, -monitor, -qmp, -mon, and what they are by default. */
/* Whether what is printed is to go anywhere. */
bool streams_wish_parallel(const struct config *c);
bool streams_make(struct session *s, GError **err);
/* The monitors wished for, once there is a machine. */
bool streams_add_monitors(struct session *s, GError **err);
/* The gdb stub, on -gdb's stream if there is one. */
bool streams_add_gdb(struct session *s, GError **err);

#endif
