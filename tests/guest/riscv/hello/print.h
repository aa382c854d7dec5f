/* print.h - text output of the built-in guest. */
#ifndef HELLO_PRINT_H
#define HELLO_PRINT_H

#include <stdint.h>

/*
 * Print `format` on the console: %s text, %u unsigned long, %x the same in hexadecimal,
 * %2 and %3 an unsigned long with at least that many digits.
 */
void print(const char *format, ...);

#endif
