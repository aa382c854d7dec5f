/*
 * Consoles of windows and viewers (vc): who shows them is told by the hooks of the set; where
 * nobody does, output is dropped.
 */
#include <stdio.h>
#include <string.h>
#include "backend.h"

enum { COLS = 80, ROWS = 24, SIDE_MAX = 8192, TYPED_MAX = 4096 };

struct vc {
    struct chardev chr;
    void *shown; /* of the hooks; NULL: nobody shows it */
    uint8_t typed[TYPED_MAX];
    size_t head, n; /* what the front end has not taken yet */
};

/* "80Cx24C" in characters, "800x600" in pixels, as -serial vc:SIZE has it. */
static bool parse_size(const char *text, struct chardev_vc_size *size, GError **err)
{
    unsigned w, h;
    char end;

    if (sscanf(text, "%4uCx%4uC%c", &w, &h, &end) == 2 && w && h) {
        size->cols = w;
        size->rows = h;
        return true;
    }
    if (sscanf(text, "%4ux%4u%c", &w, &h, &end) == 2 && w && h) {
        size->width = w;
        size->height = h;
        return true;
    }
    return error_set(err, "vc: '%s' is no size, such as 80Cx24C or 800x600", text);
}

static bool vc_open(struct chardev *chr, struct opts *opts, GError **err)
{
    struct vc *v = (struct vc *)chr;
    const struct chardev_hooks *hooks = &chr->set->hooks;
    const char *text = opts_str(opts, "size", NULL);
    struct chardev_vc_size size = { 0 };

    if (text && !parse_size(text, &size, err))
        return false;
    if (!opts_u32(opts, "cols", 1, SIDE_MAX, &size.cols, err) ||
        !opts_u32(opts, "rows", 1, SIDE_MAX, &size.rows, err) ||
        !opts_u32(opts, "width", 1, SIDE_MAX, &size.width, err) ||
        !opts_u32(opts, "height", 1, SIDE_MAX, &size.height, err) || !opts_done(opts, err))
        return false;
    if (!size.width)
        size.cols = size.cols ? size.cols : COLS;
    if (!size.height)
        size.rows = size.rows ? size.rows : ROWS;
    if (hooks->vc_open)
        v->shown = hooks->vc_open(hooks->opaque, chr, &size);
    chardev_opened(chr);
    return true;
}

static void vc_close(struct chardev *chr)
{
    struct vc *v = (struct vc *)chr;

    if (v->shown)
        chr->set->hooks.vc_close(v->shown);
}

static size_t vc_write(struct chardev *chr, const uint8_t *buf, size_t len)
{
    const struct vc *v = (struct vc *)chr;

    if (v->shown)
        chr->set->hooks.vc_write(v->shown, buf, len);
    return len;
}

static void vc_accept_input(struct chardev *chr)
{
    struct vc *v = (struct vc *)chr;
    size_t room;

    while (v->n && (room = chardev_can_receive(chr))) {
        size_t n = MIN(MIN(room, v->n), TYPED_MAX - v->head);
        const uint8_t *from = v->typed + v->head;

        v->head = (v->head + n) % TYPED_MAX;
        v->n -= n;
        chardev_receive(chr, from, n);
    }
}

/* What does not fit is lost, as by a keyboard. */
void chardev_vc_typed(struct chardev *chr, const void *buf, size_t len)
{
    struct vc *v = (struct vc *)chr;

    for (size_t i = 0; i < len && v->n < TYPED_MAX; i++)
        v->typed[(v->head + v->n++) % TYPED_MAX] = ((const uint8_t *)buf)[i];
    vc_accept_input(chr);
}

const struct chardev_type vc_chardev = {
    .name = "vc",
    .help = "a console of the window, or of viewers",
    .opts = "cols=N,rows=N,width=PIXELS,height=PIXELS",
    .size = sizeof(struct vc),
    .open = vc_open,
    .close = vc_close,
    .write = vc_write,
    .accept_input = vc_accept_input,
};
