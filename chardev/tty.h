/*
 * The controlling terminal in raw mode, given back as it was on every way out of the process.
 */
#ifndef CHARDEV_TTY_H
#define CHARDEV_TTY_H

#include <stdbool.h>

/* Switches the terminal @fd to raw mode; nothing happens if it is none. With @signals the keys
 * C-c, C-\ and C-z go on raising signals. */
void tty_enter_raw(int fd, bool signals);
/* Restores the settings that tty_enter_raw() found. */
void tty_leave_raw(void);

#endif
