/*
 * An HMP line taken apart by the declaration of its command.
 */
#ifndef MONITOR_HMP_PARSE_H
#define MONITOR_HMP_PARSE_H

#include "command.h"

/* The command that @line names ("info status", "x/4xw"); *rest is what follows the name. NULL and
 * an error if there is none. */
const struct mon_command *hmp_find(const char *line, const char **rest, GError **err);
/* Arguments as an object that mon_check() accepts; NULL and an error. */
json_t *hmp_arguments(struct mon *mon, const struct mon_command *cmd, const char *rest,
                      GError **err);
/* Whether @word is one of the names in "stop|s". */
bool hmp_is_name(const char *names, const char *word, size_t len);

#endif
