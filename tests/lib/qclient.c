/* See qclient.h. */
#include "qclient.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <glib.h>
#include <glib/gstdio.h>

#define PATIENCE_MS 20000
#define IRQS_MAX    256

struct qclient {
    GPid pid;
    int fd, serial;
    char *dir;
    GString *in, *queue;
    unsigned queued;
    char *reply;
    bool level[IRQS_MAX];
};

static int listen_at(const char *path)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(sa.sun_path, path, sizeof(sa.sun_path));
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), ==, 0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    return fd;
}

static void await(int fd, const char *what)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    if (poll(&p, 1, PATIENCE_MS) <= 0)
        g_error("the program does not %s", what);
}

static int accept_from(int listener, const char *path)
{
    int fd;

    await(listener, "connect");
    fd = accept(listener, NULL, NULL);
    g_assert_cmpint(fd, >=, 0);
    close(listener);
    g_unlink(path);
    return fd;
}

/* A test that fails does not leave its program behind. */
static void end_with_parent(gpointer unused)
{
    (void)unused;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

struct qclient *qc_start(const char *args)
{
    struct qclient *q = g_new0(struct qclient, 1);
    const char *myna = g_getenv("MYNA") ? g_getenv("MYNA") : "./myna";
    g_autofree char *command = NULL, *control = NULL, *serial = NULL;
    int control_fd, serial_fd;
    GError *err = NULL;
    char **argv;

    q->dir = g_dir_make_tmp("qtest-XXXXXX", &err);
    g_assert_no_error(err);
    control = g_build_filename(q->dir, "c", NULL);
    serial = g_build_filename(q->dir, "s", NULL);
    control_fd = listen_at(control);
    serial_fd = listen_at(serial);
    command = g_strdup_printf("%s -accel qtest -qtest unix:%s -serial unix:%s -display none "
                              "-nodefaults %s",
                              myna, control, serial, args);
    argv = g_strsplit(command, " ", -1);
    g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH,
                  end_with_parent, NULL, &q->pid, &err);
    g_assert_no_error(err);
    g_strfreev(argv);
    q->in = g_string_new(NULL);
    q->queue = g_string_new(NULL);
    q->serial = accept_from(serial_fd, serial);
    q->fd = accept_from(control_fd, control);
    return q;
}

static void clean_up(struct qclient *q)
{
    close(q->fd);
    close(q->serial);
    g_rmdir(q->dir);
    g_free(q->dir);
    g_free(q->reply);
    g_string_free(q->in, TRUE);
    g_string_free(q->queue, TRUE);
    g_free(q);
}

static int reap(struct qclient *q)
{
    int status = 0;

    while (waitpid(q->pid, &status, 0) < 0)
        g_assert_cmpint(errno, ==, EINTR);
    clean_up(q);
    return status;
}

void qc_stop(struct qclient *q)
{
    int status;

    kill(q->pid, SIGTERM);
    status = reap(q);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

int qc_wait_exit(struct qclient *q)
{
    int status = reap(q);

    g_assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int qc_pid(const struct qclient *q)
{
    return q->pid;
}

static void send_all(int fd, const char *p, size_t len)
{
    while (len) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            g_error("the program went away: %s", g_strerror(errno));
        p += n;
        len -= (size_t)n;
    }
}

/* A line without its end, to be freed. */
static char *get_line(struct qclient *q)
{
    char *end, *line;
    char buf[65536];

    while (!(end = memchr(q->in->str, '\n', q->in->len))) {
        ssize_t n;

        await(q->fd, "answer");
        n = read(q->fd, buf, sizeof(buf));
        if (n <= 0)
            g_error("the program went away");
        g_string_append_len(q->in, buf, n);
    }
    line = g_strndup(q->in->str, (gsize)(end - q->in->str));
    g_string_erase(q->in, 0, end + 1 - q->in->str);
    return line;
}

/* Interrupts are told as they happen, before the reply of the command that brought them. */
static bool take_irq(struct qclient *q, const char *line)
{
    unsigned n;
    char what[8];

    if (sscanf(line, "IRQ %7s %u", what, &n) != 2)
        return false;
    g_assert_cmpuint(n, <, IRQS_MAX);
    q->level[n] = strcmp(what, "raise") == 0;
    return true;
}

static const char *run(struct qclient *q, const char *fmt, va_list ap)
{
    GString *s = g_string_new(NULL);

    g_string_vprintf(s, fmt, ap);
    g_string_append_c(s, '\n');
    send_all(q->fd, s->str, s->len);
    g_string_free(s, TRUE);
    do {
        g_free(q->reply);
        q->reply = get_line(q);
    } while (take_irq(q, q->reply));
    if (!g_str_has_prefix(q->reply, "OK"))
        return NULL;
    return q->reply + (q->reply[2] ? 3 : 2);
}

const char *qc_try(struct qclient *q, const char *fmt, ...)
{
    const char *r;
    va_list ap;

    va_start(ap, fmt);
    r = run(q, fmt, ap);
    va_end(ap);
    return r;
}

const char *qc_cmd(struct qclient *q, const char *fmt, ...)
{
    const char *r;
    va_list ap;

    va_start(ap, fmt);
    r = run(q, fmt, ap);
    va_end(ap);
    if (!r)
        g_error("'%s' was answered with '%s'", fmt, q->reply);
    return r;
}

void qc_queue(struct qclient *q, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_string_append_vprintf(q->queue, fmt, ap);
    va_end(ap);
    g_string_append_c(q->queue, '\n');
    q->queued++;
}

void qc_settle(struct qclient *q)
{
    send_all(q->fd, q->queue->str, q->queue->len);
    g_string_truncate(q->queue, 0);
    for (; q->queued; q->queued--) {
        do {
            g_free(q->reply);
            q->reply = get_line(q);
        } while (take_irq(q, q->reply));
    }
}

#define ACCESSORS(letter, type)                                                                \
    type qc_read##letter(struct qclient *q, uint64_t addr)                                     \
    {                                                                                          \
        return (type)g_ascii_strtoull(qc_cmd(q, "read" #letter " 0x%" PRIx64, addr), NULL, 0); \
    }                                                                                          \
    void qc_write##letter(struct qclient *q, uint64_t addr, type v)                            \
    {                                                                                          \
        qc_cmd(q, "write" #letter " 0x%" PRIx64 " 0x%" PRIx64, addr, (uint64_t)v);             \
    }
ACCESSORS(b, uint8_t)
ACCESSORS(w, uint16_t)
ACCESSORS(l, uint32_t)
ACCESSORS(q, uint64_t)

void qc_memread(struct qclient *q, uint64_t addr, void *buf, size_t len)
{
    gsize got;
    guchar *data = g_base64_decode(qc_cmd(q, "b64read 0x%" PRIx64 " %zu", addr, len), &got);

    g_assert_cmpuint(got, ==, len);
    memcpy(buf, data, len);
    g_free(data);
}

void qc_memwrite(struct qclient *q, uint64_t addr, const void *buf, size_t len)
{
    g_autofree char *text = g_base64_encode(buf, len);

    qc_cmd(q, "b64write 0x%" PRIx64 " %zu %s", addr, len, text);
}

int64_t qc_clock_step(struct qclient *q, int64_t ns)
{
    const char *r = ns < 0 ? qc_cmd(q, "clock_step") : qc_cmd(q, "clock_step %" PRId64, ns);

    return g_ascii_strtoll(r, NULL, 10);
}

void qc_intercept(struct qclient *q, const char *path, bool outs)
{
    qc_cmd(q, "irq_intercept_%s %s", outs ? "out" : "in", path);
}

bool qc_irq(struct qclient *q, unsigned n)
{
    g_assert_cmpuint(n, <, IRQS_MAX);
    return q->level[n];
}

void qc_serial_send(struct qclient *q, const void *buf, size_t len)
{
    send_all(q->serial, buf, len);
}

void qc_serial_offer(struct qclient *q, const void *buf, size_t len)
{
    if (send(q->serial, buf, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
        g_error("the program went away: %s", g_strerror(errno));
}

void qc_serial_expect(struct qclient *q, const char *want)
{
    size_t len = strlen(want), got = 0;
    g_autofree char *buf = g_malloc0(len + 1);

    while (got < len) {
        ssize_t n;

        await(q->serial, "write to its serial port");
        n = read(q->serial, buf + got, len - got);
        if (n <= 0)
            g_error("the serial port was closed");
        got += (size_t)n;
    }
    g_assert_cmpstr(buf, ==, want);
}

void qc_serial_drop(struct qclient *q)
{
    char buf[4096];

    while (recv(q->serial, buf, sizeof(buf), MSG_DONTWAIT) > 0)
        ;
}

char *qc_save(struct qclient *q)
{
    return g_strdup(qc_cmd(q, "savestate"));
}

void qc_load(struct qclient *q, const char *state)
{
    qc_cmd(q, "loadstate %s", state);
}

void qc_reset(struct qclient *q)
{
    qc_cmd(q, "reset");
}
