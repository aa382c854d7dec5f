/*
 * The clipboard: text that one of the parties of a machine (its guest's agent, a window, viewers)
 * copied, for the others to paste.
 *
 *     clipboard_join(board, &w->peer);                     a display, peer.changed set
 *     clipboard_set(board, &w->peer, text);                the user copied
 *
 * Device lock throughout.
 */
#ifndef UI_CLIPBOARD_H
#define UI_CLIPBOARD_H

#include <glib.h>

/* Bytes of text at most; longer ones are not taken. */
#define CLIPBOARD_MAX (1 << 20)

struct clipboard;

/* The struct is the caller's. */
struct clipboard_peer {
    /* Somebody else copied this text (UTF-8, "\n" ends lines), which is good during the call. */
    void (*changed)(void *opaque, const char *text);
    void *opaque;
};

struct clipboard *clipboard_new(void);
/* All peers have left. */
void clipboard_free(struct clipboard *b);
void clipboard_join(struct clipboard *b, struct clipboard_peer *p);
void clipboard_leave(struct clipboard *b, struct clipboard_peer *p);
/* `from` copied; text that is not UTF-8 or too long is dropped. */
void clipboard_set(struct clipboard *b, const struct clipboard_peer *from, const char *text);
/* Whether the guest takes part. */
enum clipboard_guest {
    CLIPBOARD_NO_CHANNEL, /* before anybody says something else */
    CLIPBOARD_NO_AGENT,   /* there is a channel, but nobody in the guest answers */
    CLIPBOARD_NO_TEXT,    /* somebody who shares no text */
    CLIPBOARD_SHARED,
};
void clipboard_set_guest(struct clipboard *b, enum clipboard_guest guest);
/* Why text does not come to the guest, and what helps; NULL: it does. */
const char *clipboard_trouble(const struct clipboard *b);
/* What was copied last, NULL: nothing. */
const char *clipboard_text(const struct clipboard *b);

#endif
