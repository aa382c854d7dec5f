/*
 * Sources of entropy; see hw/backend/rng.h. rng-builtin is the machine's own (the same at each run
 * with -seed), rng-random a file or character device of the host, rng-egd a daemon that speaks the
 * EGD protocol: command 2 and a count of 1 to 255 are answered by as many bytes.
 */
#include <hw/backend/rng.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <base/error.h>
#include <base/loop.h>
#include <chardev/chardev.h>
#include <hw/core/machine.h>

#define EGD_MAX  255
#define READ_MAX 4096

struct request {
    size_t len;
    rng_fn *fn;
    void *opaque;
};

struct rng {
    struct object obj;
    GQueue waiting; /* of struct request */
    /* rng-random */
    char *filename;
    int fd;
    GSource *watch; /* NULL while nobody waits */
    /* rng-egd */
    struct chardev *chr;
    struct chardev_fe fe;
    uint8_t answer[EGD_MAX];
    unsigned got, wanted; /* bytes of the answer under way; wanted 0: none is */
    unsigned unsent;      /* of the command's two bytes */
};

/* ---- requests ---- */

static void add_request(struct rng *r, size_t len, rng_fn *fn, void *opaque)
{
    struct request *q = g_new(struct request, 1);

    *q = (struct request){ len, fn, opaque };
    g_queue_push_tail(&r->waiting, q);
}

/* Gives bytes to the oldest request, which is then done. */
static void answer_first(struct rng *r, const uint8_t *bytes, size_t len)
{
    struct request *q = g_queue_pop_head(&r->waiting);

    if (!q)
        return; /* cancelled meanwhile */
    q->fn(q->opaque, bytes, MIN(len, q->len));
    g_free(q);
}

void rng_cancel(struct object *source, void *opaque)
{
    struct rng *r = (struct rng *)source;

    for (GList *l = r->waiting.head, *next; l; l = next) {
        struct request *q = l->data;

        next = l->next;
        if (q->opaque != opaque)
            continue;
        g_queue_delete_link(&r->waiting, l);
        g_free(q);
    }
}

static void drop_requests(struct rng *r)
{
    g_queue_clear_full(&r->waiting, g_free);
}

/* ---- rng-random ---- */

/* Whether more could come. */
static bool read_once(struct rng *r)
{
    const struct request *q = g_queue_peek_head(&r->waiting);
    uint8_t buf[READ_MAX];
    ssize_t n;

    if (!q)
        return false;
    n = read(r->fd, buf, MIN(q->len, sizeof(buf)));
    if (n > 0) {
        answer_first(r, buf, (size_t)n);
        return true;
    }
    if (n == 0)
        fprintf(stderr, "myna: rng-random '%s': '%s' is at its end\n", r->obj.id, r->filename);
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static gboolean readable(int fd, GIOCondition cond, gpointer opaque)
{
    struct rng *r = opaque;

    (void)fd, (void)cond;
    if (read_once(r) && r->waiting.length)
        return true;
    g_source_unref(r->watch);
    r->watch = NULL;
    return false;
}

static void random_request(struct rng *r)
{
    if (!r->watch)
        r->watch = loop_watch_fd(r->obj.machine->loop, r->fd, G_IO_IN, readable, r);
}

static bool random_complete(struct object *o, GError **err)
{
    struct rng *r = (struct rng *)o;

    r->fd = open(r->filename, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (r->fd < 0)
        return error_set_errno(err, errno, "rng-random: cannot open '%s'", r->filename);
    return true;
}

static void random_free(struct object *o)
{
    struct rng *r = (struct rng *)o;

    if (r->watch) {
        g_source_destroy(r->watch);
        g_source_unref(r->watch);
    }
    close(r->fd);
    drop_requests(r);
}

/* ---- rng-egd ---- */

static void egd_send(struct rng *r)
{
    const uint8_t command[2] = { 2, (uint8_t)r->wanted };

    r->unsent -= (unsigned)chardev_fe_write(&r->fe, command + 2 - r->unsent, r->unsent);
}

static void egd_ask(struct rng *r)
{
    const struct request *q = g_queue_peek_head(&r->waiting);

    if (!q || r->wanted || !chardev_fe_is_open(&r->fe))
        return;
    r->wanted = (unsigned)MIN(q->len, EGD_MAX);
    r->got = 0;
    r->unsent = 2;
    egd_send(r);
    chardev_fe_accept_input(&r->fe);
}

static size_t egd_can_receive(void *opaque)
{
    const struct rng *r = opaque;

    return r->wanted - r->got;
}

static void egd_receive(void *opaque, const uint8_t *buf, size_t len)
{
    struct rng *r = opaque;

    memcpy(r->answer + r->got, buf, len);
    r->got += (unsigned)len;
    if (r->got < r->wanted)
        return;
    r->wanted = 0;
    answer_first(r, r->answer, r->got);
    r->got = 0;
    egd_ask(r);
}

static void egd_event(void *opaque, enum chardev_event event)
{
    struct rng *r = opaque;

    if (event == CHARDEV_CLOSED)
        r->wanted = r->got = r->unsent = 0;
    else if (event == CHARDEV_OPENED)
        egd_ask(r);
}

static void egd_writable(void *opaque)
{
    egd_send(opaque);
}

static const struct chardev_fe_ops egd_ops = {
    .can_receive = egd_can_receive,
    .receive = egd_receive,
    .event = egd_event,
    .writable = egd_writable,
};

static bool egd_complete(struct object *o, GError **err)
{
    struct rng *r = (struct rng *)o;

    if (!r->chr)
        return error_set(err, "rng-egd: chardev is missing");
    return chardev_fe_attach(&r->fe, r->chr, &egd_ops, r, "rng-egd", err);
}

static void egd_free(struct object *o)
{
    struct rng *r = (struct rng *)o;

    chardev_fe_detach(&r->fe);
    drop_requests(r);
}

/* ---- types ---- */

static const struct prop random_props[] = {
    PROP_STR(struct rng, filename, "filename", "/dev/urandom", "file that bytes are read from"),
    PROP_LIST_END
};
static const struct prop egd_props[] = {
    PROP_CHARDEV(struct rng, chr, "chardev", "where the daemon is"), PROP_LIST_END
};

const struct object_type rng_builtin_object = {
    .name = "rng-builtin",
    .help = "entropy of the emulator, by -seed where given",
    .role = RNG_BACKEND,
    .size = sizeof(struct rng),
};

const struct object_type rng_random_object = {
    .name = "rng-random",
    .help = "entropy of a file or device of the host",
    .role = RNG_BACKEND,
    .size = sizeof(struct rng),
    .props = random_props,
    .complete = random_complete,
    .free = random_free,
};

const struct object_type rng_egd_object = {
    .name = "rng-egd",
    .help = "entropy of a daemon that speaks EGD's protocol",
    .role = RNG_BACKEND,
    .size = sizeof(struct rng),
    .props = egd_props,
    .complete = egd_complete,
    .free = egd_free,
};

void rng_request(struct object *source, size_t len, rng_fn *fn, void *opaque)
{
    struct rng *r = (struct rng *)source;
    uint8_t buf[READ_MAX];

    if (source->type == &rng_builtin_object) {
        len = MIN(len, sizeof(buf));
        machine_random(source->machine, buf, len);
        fn(opaque, buf, len);
        return;
    }
    add_request(r, len, fn, opaque);
    if (source->type == &rng_random_object)
        random_request(r);
    else
        egd_ask(r);
}
