/* -daemonize and -pidfile. */
#ifndef MAIN_DAEMON_H
#define MAIN_DAEMON_H

#include <glib.h>
#include <stdbool.h>

/*
 * Forks before any thread or file exists. Returns in the child; the parent waits until the child
 * calls daemon_ready (then exits 0) or ends (then exits 1; the child has said why on stderr).
 */
bool daemon_begin(GError **err);
/* Everything is set up: lets the parent go and leaves the terminal. Nothing happens in the
 * foreground. */
bool daemon_ready(GError **err);

/*
 * Writes the process id to a file locked for the life of the process; fails if another one holds
 * it. pidfile_remove() takes it away again; nothing happens if there is none.
 */
bool pidfile_create(const char *path, GError **err);
void pidfile_remove(void);

#endif
