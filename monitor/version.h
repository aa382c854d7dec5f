/*
 * Which version of the interface monitors announce.
 */
#ifndef MONITOR_VERSION_H
#define MONITOR_VERSION_H

#include <jansson.h>

/* Clients decide by this number which commands and options there are, so it is that of the QEMU
 * release whose interface is spoken here; our own version is the package's. */
#define INTERFACE_MAJOR 7
#define INTERFACE_MINOR 2
#define INTERFACE_MICRO 0

/* As query-version returns it; a new reference. */
static inline json_t *monitor_version(void)
{
    return json_pack("{s:{s:i, s:i, s:i}, s:s}", "qemu", "micro", INTERFACE_MICRO, "minor",
                     INTERFACE_MINOR, "major", INTERFACE_MAJOR, "package", "myna " PACKAGE_VERSION);
}

#endif
