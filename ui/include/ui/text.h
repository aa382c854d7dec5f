/*
 * Text consoles: an xterm for a character stream, as a console beside those of graphics cards.
 *
 *     t = text_console_new(consoles, "serial0", 80, 24, send, uart);
 *     text_console_write(t, "hello\r\n", 7);
 *
 * 24-bit colours, UTF-8, 1000 lines to look back at with Shift-PgUp. Device lock throughout.
 */
#ifndef UI_TEXT_H
#define UI_TEXT_H

#include <ui/console.h>

#define TEXT_COLS_MAX 512
#define TEXT_ROWS_MAX 256

struct text_console;

/* Whether this program was built with it. */
bool text_console_is_built(void);
/* `send` gets what is typed, and what the terminal answers. */
struct text_console *text_console_new(struct consoles *set, const char *name, unsigned cols,
                                      unsigned rows,
                                      void (*send)(void *opaque, const char *buf, size_t len),
                                      void *opaque);
void text_console_free(struct text_console *t);
void text_console_write(struct text_console *t, const void *buf, size_t len);
/* Size of a character in pixels. */
void text_cell(unsigned *width, unsigned *height);

#endif
