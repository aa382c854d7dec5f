/* Options that only print: -help, -version, -machine help and their like. */
#ifndef MAIN_HELP_H
#define MAIN_HELP_H

#include "config.h"

/*
 * Whether the command line asks for something to read in place of a machine. Then *text is what to
 * print (to be freed), or err is set where that is about a thing that does not exist.
 */
bool help_asked(struct config *c, char **text, GError **err);

#endif
