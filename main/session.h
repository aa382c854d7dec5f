/* One machine from the command line to its end. */
#ifndef MAIN_SESSION_H
#define MAIN_SESSION_H

#include "config.h"

/*
 * Makes backends, machine, devices and monitors in this order, runs the machine, and takes
 * everything apart again in reverse. *status is the exit status asked for. False and err if it
 * could not be made.
 */
bool session_run(struct config *c, int *status, GError **err);

#endif
