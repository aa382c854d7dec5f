/*
 * What a terminal is sent, made safe for libvterm, some versions of which overrun their buffers on
 * input that is not what they expect: whole UTF-8 characters only, sequences that are known, with
 * few and small parameters. Strings (titles, queries of settings) are dropped.
 *
 *     vtsafe_feed(&s, buf, len, out);      what `out` now holds is for vterm_input_write()
 *
 * State is kept between calls: sequences may be cut anywhere.
 */
#ifndef UI_VTSAFE_H
#define UI_VTSAFE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { VTSAFE_ARGS = 12, VTSAFE_ARG_MAX = 9999 };

struct vtsafe {
    enum { VTSAFE_TEXT, VTSAFE_ESC, VTSAFE_CSI, VTSAFE_STRING, VTSAFE_STRING_ESC } state;
    /* of a character that is not complete */
    uint32_t code, least;
    unsigned more;
    /* of a sequence */
    char leader, middle;
    unsigned middles, args;
    unsigned arg[VTSAFE_ARGS];
    bool given[VTSAFE_ARGS], sub[VTSAFE_ARGS]; /* has digits; is joined to the next by a colon */
};

/* All zero is the beginning. Appends to out. */
void vtsafe_feed(struct vtsafe *s, const void *buf, size_t len, GString *out);

#endif
