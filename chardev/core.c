/*
 * The seam between front ends and back ends: who uses what, events, copies to a log file.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "backend.h"

/* Enough for what a guest prints in GATHER_US. */
#define GATHER_BYTES 1024
#define GATHER_US    1000
#define RETRY_US     20000 /* while the back end takes nothing */

struct chardev_gather {
    GSource *source;
    unsigned n;
    uint8_t data[GATHER_BYTES];
};

bool chardev_fe_attach(struct chardev_fe *fe, struct chardev *chr, const struct chardev_fe_ops *ops,
                       void *opaque, const char *user, GError **err)
{
    if (chr->fe) {
        error_set(err, "chardev '%s' is already used by %s (needs mux=on)", chr->id, chr->fe->user);
        return false;
    }
    *fe = (struct chardev_fe){ .ops = ops, .opaque = opaque, .user = g_strdup(user) };
    if (chr->type->mux) {
        if (!chr->type->mux->attach(chr, fe, err)) {
            g_free(fe->user);
            *fe = (struct chardev_fe){ 0 };
            return false;
        }
        return true;
    }
    fe->chr = chr;
    chr->fe = fe;
    if (chr->open && ops->event)
        ops->event(opaque, CHARDEV_OPENED);
    chardev_fe_accept_input(fe);
    return true;
}

/* The copy is a convenience: a full disk must not stop the guest. */
static void log_output(struct chardev *chr, const uint8_t *buf, size_t len)
{
    while (len) {
        ssize_t n = write(chr->log_fd, buf, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        buf += n;
        len -= n;
    }
}

static size_t send_now(struct chardev_fe *fe, const void *buf, size_t len)
{
    struct chardev *chr = fe->chr;
    size_t n = len;

    if (chr->type->mux)
        n = chr->type->mux->write(chr, fe, buf, len);
    else if (chr->type->write && chr->open)
        n = chr->type->write(chr, buf, len);
    if (chr->log_fd >= 0)
        log_output(chr, buf, n);
    return n;
}

/* ---- bytes that are put, until they are sent ---- */

/* Whether all is gone. */
static bool gather_send(struct chardev_fe *fe)
{
    struct chardev_gather *g = fe->gather;
    size_t n;

    if (!g || !g->n)
        return true;
    n = send_now(fe, g->data, g->n);
    g->n -= n;
    memmove(g->data, g->data + n, g->n);
    g_source_set_ready_time(g->source, g->n ? g_get_monotonic_time() + RETRY_US : -1);
    return !g->n;
}

static gboolean gather_due(gpointer opaque)
{
    struct chardev_fe *fe = opaque;

    if (gather_send(fe) && fe->want_writable) {
        fe->want_writable = false;
        if (fe->ops->writable)
            fe->ops->writable(fe->opaque);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean gather_dispatch(GSource *source, GSourceFunc fn, gpointer opaque)
{
    (void)source;
    return fn(opaque);
}

static GSourceFuncs gather_funcs = { .dispatch = gather_dispatch };

static void gather_begin(struct chardev_fe *fe)
{
    struct chardev_gather *g = fe->gather = g_new0(struct chardev_gather, 1);

    g->source = g_source_new(&gather_funcs, sizeof(GSource));
    g_source_set_callback(g->source, gather_due, fe, NULL);
    g_source_attach(g->source, loop_context(fe->chr->set->loop));
}

bool chardev_fe_put(struct chardev_fe *fe, uint8_t byte)
{
    struct chardev_gather *g;

    if (!fe->chr || !fe->chr->type->gathers)
        return chardev_fe_write(fe, &byte, 1);
    if (!fe->gather)
        gather_begin(fe);
    g = fe->gather;
    if (g->n == GATHER_BYTES)
        gather_send(fe);
    if (g->n == GATHER_BYTES) {
        fe->want_writable = true;
        return false;
    }
    if (!g->n)
        g_source_set_ready_time(g->source, g_get_monotonic_time() + GATHER_US);
    g->data[g->n++] = byte;
    return true;
}

size_t chardev_fe_write(struct chardev_fe *fe, const void *buf, size_t len)
{
    size_t n = 0;

    if (!fe->chr || !len)
        return len;
    if (gather_send(fe))
        n = send_now(fe, buf, len);
    fe->want_writable |= n < len;
    return n;
}

static void gather_end(struct chardev_fe *fe)
{
    if (!fe->gather)
        return;
    gather_send(fe);
    chardev_unwatch(&fe->gather->source);
    g_clear_pointer(&fe->gather, g_free);
}

void chardev_fe_detach(struct chardev_fe *fe)
{
    struct chardev *chr = fe->chr;

    if (!chr)
        return;
    gather_end(fe);
    if (chr->type->mux)
        chr->type->mux->detach(chr, fe);
    else
        chr->fe = NULL;
    if (chr->type->guest_open)
        chr->type->guest_open(chr, false);
    g_free(fe->user);
    *fe = (struct chardev_fe){ 0 };
}

void chardev_fe_accept_input(struct chardev_fe *fe)
{
    if (fe->chr && fe->chr->type->accept_input)
        fe->chr->type->accept_input(fe->chr);
}

bool chardev_fe_is_open(const struct chardev_fe *fe)
{
    return fe->chr && fe->chr->open;
}

int chardev_fe_take_fd(struct chardev_fe *fe)
{
    return fe->chr && fe->chr->type->take_fd ? fe->chr->type->take_fd(fe->chr) : -1;
}

void chardev_fe_guest_open(struct chardev_fe *fe, bool open)
{
    if (fe->chr && fe->chr->type->guest_open)
        fe->chr->type->guest_open(fe->chr, open);
}

size_t chardev_can_receive(struct chardev *chr)
{
    struct chardev_fe *fe = chr->fe;

    return fe && fe->ops->can_receive ? fe->ops->can_receive(fe->opaque) : 0;
}

void chardev_receive(struct chardev *chr, const uint8_t *buf, size_t len)
{
    if (chr->fe && chr->fe->ops->receive)
        chr->fe->ops->receive(chr->fe->opaque, buf, len);
}

void chardev_event(struct chardev *chr, enum chardev_event event)
{
    if (chr->fe && chr->fe->ops->event)
        chr->fe->ops->event(chr->fe->opaque, event);
}

void chardev_opened(struct chardev *chr)
{
    chr->open = true;
    chardev_event(chr, CHARDEV_OPENED);
}

void chardev_closed(struct chardev *chr)
{
    if (!chr->open)
        return;
    chr->open = false;
    chardev_event(chr, CHARDEV_CLOSED);
    chardev_writable(chr); /* whoever waits for room may go on: writes are dropped now */
}

void chardev_writable(struct chardev *chr)
{
    struct chardev_fe *fe = chr->fe;

    if (!fe || !fe->want_writable)
        return;
    fe->want_writable = false;
    if (fe->ops->writable)
        fe->ops->writable(fe->opaque);
}

GSource *chardev_watch(struct chardev *chr, int fd, GIOCondition cond, loop_fd_fn *fn, void *opaque)
{
    return loop_watch_fd(chr->set->loop, fd, cond, fn, opaque);
}

GSource *chardev_timer(struct chardev *chr, unsigned ms, GSourceFunc fn, void *opaque)
{
    GSource *source = g_timeout_source_new(ms);

    g_source_set_callback(source, fn, opaque, NULL);
    g_source_attach(source, loop_context(chr->set->loop));
    return source;
}

void chardev_unwatch(GSource **source)
{
    if (!*source)
        return;
    g_source_destroy(*source);
    g_source_unref(*source);
    *source = NULL;
}

static bool open_log(struct chardev *chr, struct opts *opts, GError **err)
{
    const char *path = opts_str(opts, "logfile", NULL);
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC;
    bool append = false;

    if (!opts_bool(opts, "logappend", &append, err))
        return false;
    if (!path)
        return true;
    flags |= append ? O_APPEND : O_TRUNC;
    chr->log_fd = open(path, flags, 0666);
    if (chr->log_fd < 0)
        return error_set_errno(err, errno, "chardev '%s': cannot open logfile '%s'", chr->id, path);
    return true;
}

const char *chardev_need_path(struct chardev *chr, struct opts *opts, GError **err)
{
    const char *path = opts_str(opts, "path", NULL);

    if (!path || !*path) {
        error_set(err, "chardev '%s': %s needs path=NAME", chr->id, chr->type->name);
        return NULL;
    }
    return path;
}

static void chardev_free(void *data)
{
    struct chardev *chr = data;

    if (chr->log_fd >= 0)
        close(chr->log_fd);
    g_free(chr->id);
    g_free(chr);
}

struct chardev *chardev_create(struct chardev_set *set, const struct chardev_type *type,
                               const char *id, struct opts *opts, GError **err)
{
    struct chardev *chr = g_malloc0(type->size);

    chr->type = type;
    chr->set = set;
    chr->id = g_strdup(id);
    chr->log_fd = -1;
    if (!open_log(chr, opts, err) || !type->open(chr, opts, err)) {
        chardev_free(chr);
        return NULL;
    }
    g_ptr_array_add(set->chardevs, chr);
    return chr;
}

static void close_at(struct chardev_set *set, unsigned i)
{
    struct chardev *chr = g_ptr_array_index(set->chardevs, i);

    if (chr->fe)
        gather_end(chr->fe);
    if (chr->type->close)
        chr->type->close(chr);
    if (chr->fe)
        chardev_fe_detach(chr->fe);
    g_ptr_array_remove_index(set->chardevs, i);
}

static bool chardev_used(const struct chardev *chr)
{
    return chr->type->mux ? chr->type->mux->used(chr) : chr->fe != NULL;
}

bool chardev_remove(struct chardev_set *set, const char *id, GError **err)
{
    struct chardev *chr = chardev_find(set, id, err);
    unsigned i = 0;

    if (!chr)
        return false;
    if (chardev_used(chr)) {
        error_set(err, "Chardev '%s' is busy", id);
        return false;
    }
    g_ptr_array_find(set->chardevs, chr, &i);
    close_at(set, i);
    return true;
}

struct chardev_set *chardev_set_new(struct loop *loop, const struct chardev_hooks *hooks)
{
    struct chardev_set *set = g_new0(struct chardev_set, 1);

    set->loop = loop;
    if (hooks)
        set->hooks = *hooks;
    set->chardevs = g_ptr_array_new_with_free_func(chardev_free);
    set->escape = 1;
    return set;
}

void chardev_set_free(struct chardev_set *set)
{
    if (!set)
        return;
    while (set->chardevs->len)
        close_at(set, set->chardevs->len - 1); /* muxes before their bases */
    g_ptr_array_free(set->chardevs, true);
    g_free(set);
}

void chardev_set_escape(struct chardev_set *set, unsigned character)
{
    set->escape = character;
}

void chardev_foreach(struct chardev_set *set, void (*fn)(struct chardev *chr, void *opaque),
                     void *opaque)
{
    for (unsigned i = 0; i < set->chardevs->len; i++)
        fn(g_ptr_array_index(set->chardevs, i), opaque);
}

const char *chardev_id(const struct chardev *chr)
{
    return chr->id;
}

const char *chardev_type_name(const struct chardev *chr)
{
    return chr->type->name;
}

char *chardev_filename(const struct chardev *chr)
{
    return chr->type->filename ? chr->type->filename(chr) : g_strdup(chr->type->name);
}

bool chardev_frontend_open(const struct chardev *chr)
{
    return chr->open && chardev_used(chr);
}

bool chardev_is_mux(const struct chardev *chr)
{
    return chr->type->mux != NULL;
}
