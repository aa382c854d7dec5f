/*
 * Monitors: how people (HMP, a command line) and programs (QMP, JSON) look into a machine and steer
 * it, over any character device, several at once.
 *
 *     struct monitors *mons = monitors_new(machine, chardevs);
 *     monitors_add(mons, chr, MONITOR_QMP, false, &err);
 *
 * Main thread, device lock held.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include <stdbool.h>
#include <glib.h>

struct block_set;
struct clipboard;
struct chardev;
struct chardev_set;
struct gdbstub;
struct machine;
struct net_set;
struct monitors;
struct vnc;
struct vnc_client_info;

enum monitor_mode { MONITOR_HMP, MONITOR_QMP };

/* All monitors of one machine; both arguments outlive them. */
struct monitors *monitors_new(struct machine *machine, struct chardev_set *chardevs);
/* The machine's disks and networks, for query-block and info network; they outlive the monitors,
 * either may be NULL. */
void monitors_set_backends(struct monitors *mons, struct block_set *blocks, struct net_set *nets);
/* For the command gdbserver; outlives the monitors, or is taken back with NULL. */
void monitors_set_gdbstub(struct monitors *mons, struct gdbstub *gdb);
/* The n-th option of the command line that takes KEY=VALUE pairs, for query-command-line-options:
 * how its argument is written, "[cpus=]N[,cores=N]", and the key of a first part without one (NULL:
 * none). False past the last. */
struct monitor_option {
    const char *name, *arg, *implied;
};
void monitors_set_options(struct monitors *mons, bool (*at)(unsigned n, struct monitor_option *o));
/* What -display chose. */
struct monitor_display {
    const char *name; /* "sdl", "none" */
    bool has_window;  /* of which the others speak */
    bool full_screen, window_close, show_cursor;
};
/* Displays: VNC servers (an array of struct vnc), what -display chose, and the clipboard. All
 * outlive the monitors; NULLs take them back. */
void monitors_set_displays(struct monitors *mons, const GPtrArray *vncs,
                           const struct monitor_display *display,
                           const struct clipboard *clipboard);
/* Something became of a server's client (enum vnc_client_event). */
void monitors_vnc_event(struct monitors *mons, const struct vnc *v, unsigned event,
                        const struct vnc_client_info *info);
/* Detaches all from their chardevs; what a client has not read yet is offered once more. */
void monitors_free(struct monitors *mons);
/* A monitor on @chr. @pretty: QMP answers are indented. */
bool monitors_add(struct monitors *mons, struct chardev *chr, enum monitor_mode mode, bool pretty,
                  GError **err);
/* The same from the argument of -mon: "[chardev=]ID[,mode=readline|control][,pretty=on|off]". */
bool monitors_add_from_opts(struct monitors *mons, const char *arg, GError **err);

/* Runs one HMP command line and returns what it prints, lines ending in "\n"; to be freed. */
char *monitors_run_hmp(struct monitors *mons, const char *line);

#endif
