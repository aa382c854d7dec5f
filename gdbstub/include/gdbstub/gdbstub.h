/*
 * The gdb stub: lets gdb look into a machine and steer it by the remote serial protocol, over any
 * character device. A thread of gdb's is a CPU, numbered from 1.
 *
 *     struct gdbstub *g = gdbstub_new(machine, monitors, chardevs);
 *     gdbstub_listen(g, "tcp::1234", &err);
 *
 * Main thread, device lock held.
 */
#ifndef GDBSTUB_GDBSTUB_H
#define GDBSTUB_GDBSTUB_H

#include <stdbool.h>
#include <glib.h>

struct chardev_set;
struct gdbstub;
struct machine;
struct monitors;

/* A stub that listens nowhere yet. The arguments outlive it; @monitors runs what gdb's `monitor`
 * sends and may be NULL: then there is no such command. */
struct gdbstub *gdbstub_new(struct machine *machine, struct monitors *monitors,
                            struct chardev_set *chardevs);
/* Tells gdb the exit status if it waits for the machine, and lets go of the machine. */
void gdbstub_free(struct gdbstub *g);
/*
 * Waits for gdb on @stream, as -gdb takes it ("tcp::1234", "unix:path", "chardev:id"), instead of
 * where it did so far; "none" for nowhere. Sockets are servers that nobody waits for unless the
 * stream says otherwise. On failure it listens nowhere.
 */
bool gdbstub_listen(struct gdbstub *g, const char *stream, GError **err)
    __attribute__((warn_unused_result));

#endif
