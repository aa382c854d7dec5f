/* line.h - line input with editing for the built-in guest. */
#ifndef HELLO_LINE_H
#define HELLO_LINE_H

#include <stdint.h>

enum { LINE_MAX = 96 };

/*
 * Print `prompt`, read a line of at most LINE_MAX - 1 characters into `line`.  Left, right,
 * home, end, backspace, delete, C-a, C-e, C-u, C-k and C-w edit; up and down bring back
 * earlier lines; C-c gives an empty line.  `tick` is the pause between looks at the
 * keyboard, in ticks of the time CSR.
 */
void line_read(const char *prompt, char line[LINE_MAX], uint64_t tick);

#endif
