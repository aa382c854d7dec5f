/*
 * The console: a 16550 UART in polled mode, or HTIF on machines that have only that.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdbool.h>
#include <stdint.h>

enum console_kind { CONSOLE_NONE, CONSOLE_UART, CONSOLE_HTIF };

/* Registers are `1 << reg_shift` apart and `reg_width` (1 or 4) bytes wide. `clock` in Hz or 0. */
struct console {
    enum console_kind kind;
    uintptr_t base;
    uint32_t reg_shift, reg_width, clock;
};

/* Takes the console into use; sets a UART to 115200 8N1 when its clock is known. */
void console_init(const struct console *console);
bool console_present(void);

/* Writes one character; false when the device took none for a long time. */
bool console_putc(uint8_t c);

/* The next character received, or -1. */
int console_getc(void);

/* Writes n bytes as one piece that other harts do not interrupt; returns how many went out. */
unsigned long console_write(const uint8_t *bytes, unsigned long n);

/* Firmware's own messages; knows %s, %lu and %lx. A newline becomes CR LF. */
void console_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
