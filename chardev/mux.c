/*
 * Several front ends share one back end. All of them write; one, the focus, gets what is typed.
 * C-a C takes a command (C-a h lists them). Escapes are looked for as bytes arrive, not as the
 * front end takes them, so C-a x works however busy the guest is.
 */
#include <inttypes.h>
#include <string.h>
#include <base/bits.h>
#include "backend.h"

enum { MAX_USERS = 16, INPUT_SIZE = 4096, PENDING_SIZE = 1024 };

struct mux_user {
    struct chardev_fe *fe; /* NULL: free slot */
    uint8_t input[INPUT_SIZE];
    size_t head, tail; /* free-running; head - tail <= INPUT_SIZE */
};

struct mux {
    struct chardev chr;
    struct chardev_fe base;
    struct mux_user *users[MAX_USERS]; /* kept once allocated, see there for free slots */
    int focus;                         /* -1: none yet */
    bool escaped;                      /* the last byte was the escape character */
    bool timestamps, line_start;
    int64_t start; /* monotonic us at which timestamps were switched on */
    char pending[PENDING_SIZE];
    size_t npending; /* our own output that the base did not take yet */
};

static void flush_pending(struct mux *m)
{
    size_t n = chardev_fe_write(&m->base, m->pending, m->npending);

    m->npending -= n;
    memmove(m->pending, m->pending + n, m->npending);
}

/* Help and timestamps; what does not fit is lost rather than kept for ever. */
static void own_output(struct mux *m, const char *text)
{
    size_t n = MIN(strlen(text), PENDING_SIZE - m->npending);

    memcpy(m->pending + m->npending, text, n);
    m->npending += n;
    flush_pending(m);
}

static bool taken(const struct mux *m, int slot)
{
    return slot >= 0 && m->users[slot] && m->users[slot]->fe;
}

static void user_event(struct mux_user *u, enum chardev_event event)
{
    if (u && u->fe && u->fe->ops->event)
        u->fe->ops->event(u->fe->opaque, event);
}

static void feed(struct mux_user *u)
{
    while (u->fe && u->fe->ops->can_receive && u->head != u->tail) {
        size_t at = u->tail % INPUT_SIZE;
        size_t n = MIN(u->head - u->tail, INPUT_SIZE - at);

        n = MIN(n, u->fe->ops->can_receive(u->fe->opaque));
        if (!n)
            return;
        u->tail += n;
        u->fe->ops->receive(u->fe->opaque, u->input + at, n);
    }
}

static void set_focus(struct mux *m, int slot)
{
    if (slot == m->focus)
        return;
    if (m->focus >= 0)
        user_event(m->users[m->focus], CHARDEV_MUX_OUT);
    m->focus = slot;
    if (slot >= 0) {
        user_event(m->users[slot], CHARDEV_MUX_IN);
        feed(m->users[slot]);
    }
}

static void next_focus(struct mux *m)
{
    for (int i = 1; i <= MAX_USERS; i++) {
        int slot = (m->focus + i) % MAX_USERS;

        if (taken(m, slot)) {
            set_focus(m, slot);
            return;
        }
    }
}

static void print_help(struct mux *m)
{
    char esc[8];
    GString *s = g_string_new("\r\n");

    g_snprintf(esc, sizeof(esc), "C-%c", 'a' - 1 + m->chr.set->escape);
    g_string_append_printf(s, "%s h    print this help\r\n", esc);
    g_string_append_printf(s, "%s x    exit emulator\r\n", esc);
    g_string_append_printf(s, "%s t    toggle console timestamps\r\n", esc);
    g_string_append_printf(s, "%s b    send break (magic sysrq)\r\n", esc);
    g_string_append_printf(s, "%s c    switch between console and monitor\r\n", esc);
    g_string_append_printf(s, "%s %s  sends %s\r\n", esc, esc, esc);
    own_output(m, s->str);
    g_string_free(s, true);
}

/* The character after the escape; true if it is the focus's to see. */
static bool command(struct mux *m, uint8_t c)
{
    if (c == m->chr.set->escape)
        return true;
    switch (c) {
    case '?':
    case 'h': print_help(m); break;
    case 'x':
        own_output(m, "myna: Terminated\r\n");
        if (m->chr.set->hooks.quit)
            m->chr.set->hooks.quit(m->chr.set->hooks.opaque);
        break;
    case 'b':
        if (m->focus >= 0)
            user_event(m->users[m->focus], CHARDEV_BREAK);
        break;
    case 'c': next_focus(m); break;
    case 't':
        m->timestamps = !m->timestamps;
        m->start = g_get_monotonic_time();
        m->line_start = false;
        break;
    default: break;
    }
    return false;
}

static bool wanted(struct mux *m, uint8_t c)
{
    if (m->escaped) {
        m->escaped = false;
        return command(m, c);
    }
    m->escaped = m->chr.set->escape && c == m->chr.set->escape;
    return !m->escaped;
}

static size_t mux_can_receive(void *opaque)
{
    struct mux *m = opaque;
    struct mux_user *u = m->focus >= 0 ? m->users[m->focus] : NULL;

    /* Switching the focus in the middle of a chunk needs the same room in the next one. */
    return u && u->head - u->tail == INPUT_SIZE ? 0 : 1;
}

static void mux_receive(void *opaque, const uint8_t *buf, size_t len)
{
    struct mux *m = opaque;

    for (size_t i = 0; i < len; i++) {
        struct mux_user *u;

        if (!wanted(m, buf[i]) || m->focus < 0)
            continue;
        u = m->users[m->focus];
        if (u->head - u->tail < INPUT_SIZE)
            u->input[u->head++ % INPUT_SIZE] = buf[i];
        feed(u);
    }
}

static void mux_base_event(void *opaque, enum chardev_event event)
{
    struct mux *m = opaque;

    if (event == CHARDEV_OPENED || event == CHARDEV_CLOSED)
        m->chr.open = event == CHARDEV_OPENED;
    if (event == CHARDEV_BREAK) {
        if (m->focus >= 0)
            user_event(m->users[m->focus], event);
        return;
    }
    for (int i = 0; i < MAX_USERS; i++)
        user_event(m->users[i], event);
}

static void mux_base_writable(void *opaque)
{
    struct mux *m = opaque;

    flush_pending(m);
    for (int i = 0; i < MAX_USERS && !m->npending; i++) {
        struct chardev_fe *fe = m->users[i] ? m->users[i]->fe : NULL;

        if (!fe || !fe->want_writable)
            continue;
        fe->want_writable = false;
        if (fe->ops->writable)
            fe->ops->writable(fe->opaque);
    }
}

static const struct chardev_fe_ops mux_fe_ops = {
    .can_receive = mux_can_receive,
    .receive = mux_receive,
    .event = mux_base_event,
    .writable = mux_base_writable,
};

static bool mux_open(struct chardev *chr, struct opts *opts, GError **err)
{
    struct mux *m = (struct mux *)chr;
    struct chardev *base;

    base = chardev_find(chr->set, opts_str(opts, "chardev", ""), err);
    if (!base || !opts_done(opts, err))
        return false;
    m->focus = -1;
    return chardev_fe_attach(&m->base, base, &mux_fe_ops, m, chr->id, err);
}

static void mux_close(struct chardev *chr)
{
    struct mux *m = (struct mux *)chr;

    for (int i = 0; i < MAX_USERS; i++) {
        if (taken(m, i))
            chardev_fe_detach(m->users[i]->fe);
        g_free(m->users[i]);
    }
    chardev_fe_detach(&m->base);
}

static bool mux_attach(struct chardev *chr, struct chardev_fe *fe, GError **err)
{
    struct mux *m = (struct mux *)chr;
    int slot = 0;

    while (slot < MAX_USERS && taken(m, slot))
        slot++;
    if (slot == MAX_USERS)
        return error_set(err, "chardev '%s': a mux has at most %d users", chr->id, MAX_USERS);
    if (!m->users[slot])
        m->users[slot] = g_new0(struct mux_user, 1);
    m->users[slot]->head = m->users[slot]->tail = 0;
    m->users[slot]->fe = fe;
    fe->chr = chr;
    fe->slot = slot;
    if (chr->open)
        user_event(m->users[slot], CHARDEV_OPENED);
    if (m->focus < 0 || (!fe->ops->background && m->users[m->focus]->fe->ops->background))
        set_focus(m, slot);
    else
        user_event(m->users[slot], CHARDEV_MUX_OUT);
    chardev_fe_accept_input(&m->base);
    return true;
}

static void mux_detach(struct chardev *chr, struct chardev_fe *fe)
{
    struct mux *m = (struct mux *)chr;
    int slot = fe->slot;

    m->users[slot]->fe = NULL;
    if (m->focus != slot)
        return;
    m->focus = -1;
    next_focus(m);
}

/* A line's first byte comes after its stamp; a line is never stamped unless there is room. */
static size_t write_stamped(struct mux *m, const uint8_t *buf, size_t len)
{
    size_t done = 0;

    while (done < len && !m->npending) {
        const uint8_t *end = memchr(buf + done, '\n', len - done);
        size_t n = end ? (size_t)(end - buf) + 1 - done : len - done, taken;

        if (m->line_start) {
            int64_t ms = (g_get_monotonic_time() - m->start) / 1000;
            char stamp[40];

            g_snprintf(stamp, sizeof(stamp), "[%02d:%02d:%02d.%03d] ", (int)(ms / 3600000),
                       (int)(ms / 60000 % 60), (int)(ms / 1000 % 60), (int)(ms % 1000));
            m->line_start = false;
            own_output(m, stamp);
            continue;
        }
        taken = chardev_fe_write(&m->base, buf + done, n);
        done += taken;
        if (taken < n)
            break;
        m->line_start = end != NULL;
    }
    return done;
}

static size_t mux_write(struct chardev *chr, struct chardev_fe *fe, const uint8_t *buf, size_t len)
{
    struct mux *m = (struct mux *)chr;

    (void)fe;
    if (m->npending)
        flush_pending(m);
    if (m->npending)
        return 0;
    if (m->timestamps)
        return write_stamped(m, buf, len);
    return chardev_fe_write(&m->base, buf, len);
}

static bool mux_used(const struct chardev *chr)
{
    const struct mux *m = (const struct mux *)chr;

    for (int i = 0; i < MAX_USERS; i++)
        if (taken(m, i))
            return true;
    return false;
}

static void mux_accept_input(struct chardev *chr)
{
    struct mux *m = (struct mux *)chr;

    if (m->focus >= 0)
        feed(m->users[m->focus]);
    chardev_fe_accept_input(&m->base);
}

static const struct chardev_mux_ops mux_ops = {
    .attach = mux_attach,
    .detach = mux_detach,
    .write = mux_write,
    .used = mux_used,
};

const struct chardev_type mux_chardev = {
    .name = "mux",
    .help = "several users of one other chardev",
    .opts = "chardev=ID",
    .size = sizeof(struct mux),
    .gathers = true,
    .open = mux_open,
    .close = mux_close,
    .accept_input = mux_accept_input,
    .mux = &mux_ops,
};
