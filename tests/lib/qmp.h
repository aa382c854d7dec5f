/*
 * QMP for tests that wait for one thing after the other.
 *
 *     FILE *qmp = qmp_open(path);        // -qmp unix:PATH,server=on,wait=off
 *     qmp_command(qmp, "stop");
 *     qmp_expect(qmp, "\"STOP\"");
 *
 * What goes wrong ends the test.
 */
#ifndef TESTS_LIB_QMP_H
#define TESTS_LIB_QMP_H

#include <stdio.h>

/* Connects and leaves the greeting behind; fclose() ends it. */
FILE *qmp_open(const char *path);
void qmp_command(FILE *qmp, const char *name);
/* With arguments, a JSON object. */
void qmp_command_with(FILE *qmp, const char *name, const char *arguments);
/* Reads lines until there is one with `text`. */
void qmp_expect(FILE *qmp, const char *text);

#endif
