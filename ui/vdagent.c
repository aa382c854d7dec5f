/*
 * Speaks with spice-vdagent; see ui/vdagent.h. Messages are cut into chunks of at most 2048 bytes,
 * which name a port: the host writes and the guest answers on that of clients.
 */
#include <ui/vdagent.h>

#include <string.h>
#include <base/bits.h>
#include <base/log.h>

enum { PORT_CLIENT = 1, PORT_SERVER = 2, PORTS };
enum {
    CHUNK_HEAD = 8,
    CHUNK_MAX = 2048,
    MSG_HEAD = 20,
    MSG_MAX = CLIPBOARD_MAX + 64, /* of what a message carries; longer ones are skipped */
    OUT_MAX = 2 * CLIPBOARD_MAX,  /* a guest that only asks and never reads gets no more answers */
    PROTOCOL = 1,
    REPORT_EVERY = 1 << 16,
};
enum msg {
    MSG_MOUSE_STATE = 1,
    MSG_MONITORS_CONFIG,
    MSG_REPLY,
    MSG_CLIPBOARD,
    MSG_DISPLAY_CONFIG,
    MSG_CAPABILITIES,
    MSG_CLIPBOARD_GRAB,
    MSG_CLIPBOARD_REQUEST,
    MSG_CLIPBOARD_RELEASE,
};
enum cap {
    CAP_MOUSE_STATE = 1 << 0,
    CAP_MONITORS_CONFIG = 1 << 1,
    CAP_CLIPBOARD_BY_DEMAND = 1 << 5,
    CAP_CLIPBOARD_SELECTION = 1 << 6,
    CAP_GUEST_CRLF = 1 << 9,
    CAP_CLIPBOARD_GRAB_SERIAL = 1 << 17,
};
enum { SELECTION_CLIPBOARD = 0 };
enum { TYPE_NONE = 0, TYPE_UTF8 = 1 };

/* A message that is being put together from chunks. */
struct assembly {
    uint8_t head[MSG_HEAD];
    unsigned head_len;
    uint32_t size, have; /* of the body */
    uint8_t *body;       /* NULL: it is skipped */
};

struct vdagent {
    struct vdagent_config cfg;
    struct clipboard_peer peer;
    struct input_device pointer;
    bool has_pointer; /* `pointer` is among the input devices */
    bool asked;       /* a text was asked for */
    uint32_t caps;    /* of the agent; 0 before it told */

    uint8_t chunk_head[CHUNK_HEAD];
    unsigned chunk_head_len;
    uint32_t chunk_left;
    struct assembly in[PORTS];

    GByteArray *out;
    size_t out_at; /* bytes of it that were read */
    int abs[2];    /* 0 to INPUT_ABS_MAX */
    uint32_t buttons;
    unsigned width, height; /* wanted size; 0: none yet */
};

/* ---- to the guest ---- */

static size_t pending(const struct vdagent *v)
{
    return v->out->len - v->out_at;
}

static void put_le32(GByteArray *a, uint32_t value)
{
    uint8_t b[4];

    stl_le(b, value);
    g_byte_array_append(a, b, sizeof(b));
}

/* For the guest to read when it does. */
static void put(struct vdagent *v, enum msg type, const uint8_t *data, size_t len)
{
    g_autoptr(GByteArray) msg = g_byte_array_new();
    size_t n;

    if (pending(v) > OUT_MAX) {
        log_guest_error("vdagent: %zu bytes wait for the guest, no more are sent\n", pending(v));
        return;
    }
    put_le32(msg, PROTOCOL);
    put_le32(msg, type);
    put_le32(msg, 0);
    put_le32(msg, 0);
    put_le32(msg, (uint32_t)len);
    g_byte_array_append(msg, data, (guint)len);
    for (size_t at = 0; at < msg->len; at += n) {
        n = MIN(msg->len - at, CHUNK_MAX);
        put_le32(v->out, PORT_CLIENT);
        put_le32(v->out, (uint32_t)n);
        g_byte_array_append(v->out, msg->data + at, (guint)n);
    }
}

static void send(struct vdagent *v, enum msg type, const uint8_t *data, size_t len)
{
    put(v, type, data, len);
    v->cfg.readable(v->cfg.opaque);
}

size_t vdagent_read(struct vdagent *v, uint8_t *buf, size_t room)
{
    size_t n = MIN(pending(v), room);

    if (n)
        memcpy(buf, v->out->data + v->out_at, n);
    v->out_at += n;
    if (v->out_at == v->out->len) {
        g_byte_array_set_size(v->out, 0);
        v->out_at = 0;
    } else if (v->out_at >= REPORT_EVERY) {
        g_byte_array_remove_range(v->out, 0, (guint)v->out_at);
        v->out_at = 0;
    }
    return n;
}

static void send_capabilities(struct vdagent *v, bool ask)
{
    uint8_t data[8];
    uint32_t caps = (v->cfg.input ? CAP_MOUSE_STATE : 0) |
                    (v->cfg.consoles ? CAP_MONITORS_CONFIG : 0) |
                    (v->cfg.clipboard ? CAP_CLIPBOARD_BY_DEMAND | CAP_CLIPBOARD_SELECTION : 0);

    stl_le(data, ask);
    stl_le(data + 4, caps);
    put(v, MSG_CAPABILITIES, data, sizeof(data));
}

/* ---- the clipboard ---- */

/* A message about the clipboard; with selections it begins with which one. */
static void send_clipboard(struct vdagent *v, enum msg type, uint32_t format, const char *text)
{
    g_autoptr(GByteArray) a = g_byte_array_new();

    if (v->caps & CAP_CLIPBOARD_SELECTION)
        put_le32(a, SELECTION_CLIPBOARD);
    put_le32(a, format);
    if (text)
        g_byte_array_append(a, (const uint8_t *)text, (guint)strlen(text));
    send(v, type, a->data, a->len);
}

static bool shares_text(const struct vdagent *v)
{
    return v->cfg.clipboard && v->caps & CAP_CLIPBOARD_BY_DEMAND;
}

static void host_copied(void *opaque, const char *text)
{
    struct vdagent *v = opaque;

    (void)text;
    v->asked = false;
    if (shares_text(v))
        send_clipboard(v, MSG_CLIPBOARD_GRAB, TYPE_UTF8, NULL);
}

static char *change_line_ends(const char *text, const char *from, const char *to)
{
    g_auto(GStrv) lines = g_strsplit(text, from, -1);

    return g_strjoinv(to, lines);
}

static void guest_wants(struct vdagent *v, const uint8_t *p, size_t len)
{
    const char *text = clipboard_text(v->cfg.clipboard);
    g_autofree char *changed = NULL;

    if (len < 4 || ldl_le(p) != TYPE_UTF8 || !text) {
        send_clipboard(v, MSG_CLIPBOARD, TYPE_NONE, NULL);
        return;
    }
    if (v->caps & CAP_GUEST_CRLF)
        text = changed = change_line_ends(text, "\n", "\r\n");
    send_clipboard(v, MSG_CLIPBOARD, TYPE_UTF8, text);
}

static void guest_copied(struct vdagent *v, const uint8_t *p, size_t len)
{
    for (; len >= 4; p += 4, len -= 4) {
        if (ldl_le(p) != TYPE_UTF8)
            continue;
        v->asked = true;
        send_clipboard(v, MSG_CLIPBOARD_REQUEST, TYPE_UTF8, NULL);
        return;
    }
}

static void guest_text(struct vdagent *v, const uint8_t *p, size_t len)
{
    g_autofree char *text = NULL, *changed = NULL;

    if (!v->asked || len < 4 || ldl_le(p) != TYPE_UTF8)
        return;
    v->asked = false;
    text = g_strndup((const char *)p + 4, len - 4);
    changed = change_line_ends(text, "\r\n", "\n");
    clipboard_set(v->cfg.clipboard, &v->peer, changed);
}

static void clipboard_message(struct vdagent *v, enum msg type, const uint8_t *p, size_t len)
{
    if (!shares_text(v))
        return;
    if (v->caps & CAP_CLIPBOARD_SELECTION) {
        /* what is merely selected stays in the guest */
        if (len < 4 || p[0] != SELECTION_CLIPBOARD)
            return;
        p += 4;
        len -= 4;
    }
    if (type == MSG_CLIPBOARD_GRAB)
        guest_copied(v, p, len);
    else if (type == MSG_CLIPBOARD_REQUEST)
        guest_wants(v, p, len);
    else if (type == MSG_CLIPBOARD)
        guest_text(v, p, len);
}

static void tell_clipboard(struct vdagent *v)
{
    if (v->cfg.clipboard)
        clipboard_set_guest(v->cfg.clipboard, !v->caps         ? CLIPBOARD_NO_AGENT
                                              : shares_text(v) ? CLIPBOARD_SHARED
                                                               : CLIPBOARD_NO_TEXT);
}

/* ---- the pointer ---- */

static void pointer_event(void *opaque, const struct input_event *e)
{
    static const uint8_t masks[BUTTON_COUNT] = {
        [BUTTON_LEFT] = 1 << 1,       [BUTTON_MIDDLE] = 1 << 2, [BUTTON_RIGHT] = 1 << 3,
        [BUTTON_WHEEL_UP] = 1 << 4,   [BUTTON_SIDE] = 1 << 6,   [BUTTON_EXTRA] = 1 << 7,
        [BUTTON_WHEEL_DOWN] = 1 << 5,
    };
    struct vdagent *v = opaque;

    if (e->kind == INPUT_ABS)
        v->abs[e->axis] = CLAMP(e->value, 0, INPUT_ABS_MAX);
    else if (e->kind == INPUT_BUTTON && e->down)
        v->buttons |= masks[e->button];
    else if (e->kind == INPUT_BUTTON)
        v->buttons &= ~(uint32_t)masks[e->button];
}

static void pointer_sync(void *opaque)
{
    struct vdagent *v = opaque;
    unsigned x = (unsigned)v->abs[AXIS_X], y = (unsigned)v->abs[AXIS_Y];
    const struct console *c = v->cfg.consoles ? consoles_pointed(v->cfg.consoles, &x, &y) : NULL;
    uint8_t data[13] = { 0 };

    /* a guest that does not read sees where the pointer ends up */
    if (!c || pending(v) > CHUNK_MAX)
        return;
    stl_le(data, x);
    stl_le(data + 4, y);
    stl_le(data + 8, v->buttons);
    data[12] = (uint8_t)console_index(c); /* heads come first among the consoles */
    send(v, MSG_MOUSE_STATE, data, sizeof(data));
}

static const struct input_ops pointer_ops = {
    .name = "vdagent",
    .kinds = 1u << INPUT_BUTTON | 1u << INPUT_ABS,
    .event = pointer_event,
    .sync = pointer_sync,
};

static void set_pointer(struct vdagent *v, bool on)
{
    if (on == v->has_pointer)
        return;
    v->has_pointer = on;
    v->buttons = 0;
    if (on)
        input_add(v->cfg.input, &v->pointer, &pointer_ops, v);
    else
        input_remove(v->cfg.input, &v->pointer);
}

/* ---- the screen's size ---- */

static void want_size(void *opaque, unsigned width, unsigned height)
{
    enum { HEAD = 8, MONITOR = 20, DEPTH = 32 };
    struct vdagent *v = opaque;
    uint8_t data[HEAD + MONITOR] = { 1 };

    if (pending(v) > CHUNK_MAX || (width == v->width && height == v->height))
        return;
    v->width = width;
    v->height = height;
    stl_le(data + HEAD, height);
    stl_le(data + HEAD + 4, width);
    stl_le(data + HEAD + 8, DEPTH);
    send(v, MSG_MONITORS_CONFIG, data, sizeof(data));
}

/* ---- from the guest ---- */

static void set_caps(struct vdagent *v, uint32_t caps)
{
    v->caps = caps;
    set_pointer(v, v->cfg.input && caps & CAP_MOUSE_STATE);
    if (v->cfg.consoles)
        consoles_set_sizer(v->cfg.consoles, caps & CAP_MONITORS_CONFIG ? want_size : NULL, v);
    tell_clipboard(v);
}

static void capabilities(struct vdagent *v, const uint8_t *p, size_t len)
{
    if (len < 8)
        return;
    set_caps(v, ldl_le(p + 4));
    if (ldl_le(p))
        send_capabilities(v, false);
    v->cfg.readable(v->cfg.opaque);
    if (shares_text(v) && clipboard_text(v->cfg.clipboard))
        host_copied(v, NULL);
}

static void message(struct vdagent *v, enum msg type, const uint8_t *p, size_t len)
{
    switch (type) {
    case MSG_CAPABILITIES: capabilities(v, p, len); break;
    case MSG_CLIPBOARD:
    case MSG_CLIPBOARD_GRAB:
    case MSG_CLIPBOARD_REQUEST: clipboard_message(v, type, p, len); break;
    default: break;
    }
}

static void forget(struct assembly *a)
{
    g_free(a->body);
    *a = (struct assembly){ 0 };
}

static void begin_body(struct assembly *a)
{
    a->size = ldl_le(a->head + 16);
    if (ldl_le(a->head) == PROTOCOL && a->size <= MSG_MAX)
        a->body = g_try_malloc(a->size + 1);
    if (!a->body)
        log_guest_error("vdagent: message %u of %u bytes is skipped\n", ldl_le(a->head + 4),
                        a->size);
}

/* Bytes of one port. */
static void assemble(struct vdagent *v, struct assembly *a, const uint8_t *p, size_t len)
{
    while (len) {
        size_t n;

        if (a->head_len < MSG_HEAD) {
            n = MIN(len, MSG_HEAD - a->head_len);
            memcpy(a->head + a->head_len, p, n);
            a->head_len += (unsigned)n;
            if (a->head_len == MSG_HEAD)
                begin_body(a);
        } else {
            n = MIN(len, a->size - a->have);
            if (a->body)
                memcpy(a->body + a->have, p, n);
            a->have += (uint32_t)n;
        }
        p += n;
        len -= n;
        if (a->head_len == MSG_HEAD && a->have == a->size) {
            if (a->body)
                message(v, ldl_le(a->head + 4), a->body, a->size);
            forget(a);
        }
    }
}

static size_t chunk_header(struct vdagent *v, const uint8_t *p, size_t len)
{
    size_t n = MIN(len, CHUNK_HEAD - v->chunk_head_len);

    memcpy(v->chunk_head + v->chunk_head_len, p, n);
    v->chunk_head_len += (unsigned)n;
    if (v->chunk_head_len == CHUNK_HEAD)
        v->chunk_left = ldl_le(v->chunk_head + 4);
    return n;
}

void vdagent_receive(struct vdagent *v, const uint8_t *buf, size_t len)
{
    while (len) {
        size_t n;

        if (v->chunk_head_len < CHUNK_HEAD) {
            n = chunk_header(v, buf, len);
        } else {
            uint32_t port = ldl_le(v->chunk_head);

            n = MIN(len, v->chunk_left);
            v->chunk_left -= (uint32_t)n;
            if (port == PORT_CLIENT || port == PORT_SERVER)
                assemble(v, &v->in[port], buf, n);
        }
        if (v->chunk_head_len == CHUNK_HEAD && !v->chunk_left)
            v->chunk_head_len = 0;
        buf += n;
        len -= n;
    }
}

/* ---- life ---- */

static void start_over(struct vdagent *v)
{
    for (unsigned i = 0; i < PORTS; i++)
        forget(&v->in[i]);
    v->chunk_head_len = 0;
    v->chunk_left = 0;
    v->asked = false;
    v->width = v->height = 0;
    g_byte_array_set_size(v->out, 0);
    v->out_at = 0;
    set_caps(v, 0);
}

void vdagent_connected(struct vdagent *v, bool open)
{
    start_over(v);
    if (open)
        send_capabilities(v, true);
}

struct vdagent *vdagent_new(const struct vdagent_config *cfg)
{
    struct vdagent *v = g_new0(struct vdagent, 1);

    v->cfg = *cfg;
    v->out = g_byte_array_new();
    v->peer = (struct clipboard_peer){ .changed = host_copied, .opaque = v };
    if (cfg->clipboard)
        clipboard_join(cfg->clipboard, &v->peer);
    tell_clipboard(v);
    return v;
}

void vdagent_free(struct vdagent *v)
{
    start_over(v);
    if (v->cfg.clipboard) {
        clipboard_leave(v->cfg.clipboard, &v->peer);
        clipboard_set_guest(v->cfg.clipboard, CLIPBOARD_NO_CHANNEL);
    }
    g_byte_array_free(v->out, TRUE);
    g_free(v);
}
