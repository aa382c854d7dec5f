/* See vtsafe.h; sequences as in ECMA-48 and xterm's ctlseqs. */
#include "vtsafe.h"

#include <string.h>

#define REPLACEMENT 0xfffd

static void put_code(GString *out, uint32_t code)
{
    bool surrogate = code >= 0xd800 && code < 0xe000;

    /* C1 controls, which UTF-8 can hold as well, are not for terminals of today */
    if (code >= 0x80 && code < 0xa0)
        return;
    g_string_append_unichar(out, surrogate || code > 0x10ffff ? REPLACEMENT : code);
}

/* A character that was not finished. */
static void end_character(struct vtsafe *s, GString *out)
{
    if (s->more)
        put_code(out, REPLACEMENT);
    s->more = 0;
}

static void begin_character(struct vtsafe *s, uint8_t c, GString *out)
{
    s->more = c >= 0xf0 && c < 0xf5 ? 3 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xc2 && c < 0xe0 ? 1 : 0;
    s->least = s->more == 3 ? 0x10000 : s->more == 2 ? 0x800 : 0x80;
    s->code = c & (0x3fu >> s->more);
    if (!s->more)
        put_code(out, REPLACEMENT);
}

static void text(struct vtsafe *s, uint8_t c, GString *out)
{
    if (c >= 0x80 && c < 0xc0 && s->more) {
        s->code = s->code << 6 | (c & 0x3f);
        if (!--s->more)
            put_code(out, s->code < s->least ? REPLACEMENT : s->code);
        return;
    }
    end_character(s, out);
    if (c < 0x80)
        g_string_append_c(out, (char)c);
    else
        begin_character(s, c, out);
}

/* ESC, at most one intermediate, final. */
static void finish_escape(const struct vtsafe *s, uint8_t c, GString *out)
{
    if (!s->middles && strchr("78=>DEHMc", c)) {
        g_string_append_printf(out, "\033%c", c);
        /* a place that was on the screen when it was larger: any CSI brings the cursor back */
        if (c == '8')
            g_string_append(out, "\033[?9999l");
    } else if (s->middles == 1 && strchr("()*+", s->middle) && strchr("0AB", c)) {
        g_string_append_printf(out, "\033%c%c", s->middle, c);
    }
}

static bool known_csi(const struct vtsafe *s, uint8_t c)
{
    if (s->middles)
        return s->middles == 1 && !s->leader &&
               ((s->middle == ' ' && c == 'q') || (s->middle == '!' && c == 'p'));
    switch (s->leader) {
    case 0: return strchr("@ABCDEFGHIJKLMPSTXZ`abcdefghlmnr", c);
    case '?': return strchr("hlnJK", c);
    case '>': return c == 'c';
    default: return false;
    }
}

/* Modes that are passed on: what keys and the mouse send, origin, wrapping, the cursor's look, the
 * other screen, pasting; not margins at the sides. */
static bool known_mode(unsigned mode)
{
    static const unsigned modes[] = { 1,    5,    6,    7,    12,   25,   1000, 1002, 1003,
                                      1004, 1005, 1006, 1015, 1047, 1048, 1049, 2004 };

    for (size_t i = 0; i < G_N_ELEMENTS(modes); i++)
        if (modes[i] == mode)
            return true;
    return false;
}

static bool known_modes(const struct vtsafe *s)
{
    for (unsigned i = 0; i <= s->args; i++)
        if (!known_mode(s->arg[i]))
            return false;
    return true;
}

static void finish_csi(const struct vtsafe *s, uint8_t c, GString *out)
{
    if (!known_csi(s, c) || (s->leader == '?' && strchr("hl", c) && !known_modes(s)))
        return;
    g_string_append(out, "\033[");
    if (s->leader)
        g_string_append_c(out, s->leader);
    for (unsigned i = 0; i <= s->args; i++) {
        if (s->given[i])
            g_string_append_printf(out, "%u", s->arg[i]);
        if (i < s->args)
            g_string_append_c(out, s->sub[i] ? ':' : ';');
    }
    if (s->middles)
        g_string_append_c(out, s->middle);
    g_string_append_c(out, (char)c);
}

static void csi(struct vtsafe *s, uint8_t c, GString *out)
{
    if (c >= '0' && c <= '9') {
        s->arg[s->args] = MIN(s->arg[s->args] * 10 + (c - '0'), VTSAFE_ARG_MAX);
        s->given[s->args] = true;
    } else if (c == ';' || c == ':') {
        if (s->args == VTSAFE_ARGS - 1) { /* too many: the sequence is forgotten */
            s->leader = '<';
            return;
        }
        s->sub[s->args++] = c == ':';
        s->arg[s->args] = 0;
        s->given[s->args] = false;
    } else if (c >= '<' && c <= '?') {
        s->leader = s->leader || s->args || s->given[0] ? '<' : (char)c;
    } else if (c >= 0x20 && c < 0x30) {
        s->middle = (char)c;
        s->middles++;
    } else {
        if (c >= 0x40 && c < 0x7f)
            finish_csi(s, c, out);
        s->state = VTSAFE_TEXT;
    }
}

static void escape(struct vtsafe *s, uint8_t c, GString *out)
{
    if (c == '[') {
        s->state = VTSAFE_CSI;
        s->leader = 0;
        s->middles = s->args = s->arg[0] = 0;
        s->given[0] = false;
    } else if (strchr("]PX^_", c)) {
        s->state = VTSAFE_STRING;
    } else if (c >= 0x20 && c < 0x30) {
        s->middle = (char)c;
        s->middles++;
    } else {
        finish_escape(s, c, out);
        s->state = VTSAFE_TEXT;
    }
}

static void feed(struct vtsafe *s, uint8_t c, GString *out)
{
    bool string = s->state == VTSAFE_STRING || s->state == VTSAFE_STRING_ESC;

    if (c == 0 || c == 0x7f)
        return;
    if (c == 0x18 || c == 0x1a) { /* CAN, SUB */
        s->state = VTSAFE_TEXT;
    } else if (c == 0x1b) {
        end_character(s, out);
        s->state = string ? VTSAFE_STRING_ESC : VTSAFE_ESC;
        s->middles = 0;
    } else if (s->state == VTSAFE_STRING_ESC && c != '\\') {
        escape(s, c, out);
    } else if (string) { /* to BEL, or ESC backslash */
        s->state = c == 7 || s->state == VTSAFE_STRING_ESC ? VTSAFE_TEXT : VTSAFE_STRING;
    } else if (c < 0x20) { /* controls act within sequences, too */
        end_character(s, out);
        g_string_append_c(out, (char)c);
    } else if (s->state == VTSAFE_ESC) {
        escape(s, c, out);
    } else if (s->state == VTSAFE_CSI) {
        csi(s, c, out);
    } else {
        text(s, c, out);
    }
}

void vtsafe_feed(struct vtsafe *s, const void *buf, size_t len, GString *out)
{
    for (size_t i = 0; i < len; i++)
        feed(s, ((const uint8_t *)buf)[i], out);
}
