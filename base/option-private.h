/* What the option parser's files share. */
#ifndef BASE_OPTION_PRIVATE_H
#define BASE_OPTION_PRIVATE_H

#include <base/option.h>

/* Parses text that begins with '{' into o; nested members become dotted keys. */
bool opts_parse_json(struct opts *o, const char *text, GError **err);

#endif
