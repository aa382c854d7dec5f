/*
 * Chardevs without a machine: a fake front end on real pipes, sockets and pseudo terminals.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>
#include <base/loop.h>
#include <chardev/chardev.h>

struct fake {
    struct chardev_fe fe;
    size_t room; /* what can_receive says; shrinks as bytes come */
    GString *got;
    GString *events; /* a letter each */
    unsigned writables;
};

struct fixture {
    struct loop *loop;
    struct chardev_set *set;
    char *dir;
    unsigned quits;
};

static size_t fake_can_receive(void *opaque)
{
    return ((struct fake *)opaque)->room;
}

static void fake_receive(void *opaque, const uint8_t *buf, size_t len)
{
    struct fake *f = opaque;

    g_assert_cmpuint(len, >=, 1);
    g_assert_cmpuint(len, <=, f->room);
    f->room -= len;
    g_string_append_len(f->got, (const char *)buf, len);
}

static void fake_event(void *opaque, enum chardev_event event)
{
    static const char letters[] = { [CHARDEV_OPENED] = 'O',
                                    [CHARDEV_CLOSED] = 'C',
                                    [CHARDEV_BREAK] = 'B',
                                    [CHARDEV_MUX_IN] = '+',
                                    [CHARDEV_MUX_OUT] = '-' };

    g_string_append_c(((struct fake *)opaque)->events, letters[event]);
}

static void fake_writable(void *opaque)
{
    ((struct fake *)opaque)->writables++;
}

static const struct chardev_fe_ops fake_ops = {
    .can_receive = fake_can_receive,
    .receive = fake_receive,
    .event = fake_event,
    .writable = fake_writable,
};
static const struct chardev_fe_ops fake_monitor_ops = {
    .can_receive = fake_can_receive,
    .receive = fake_receive,
    .event = fake_event,
    .writable = fake_writable,
    .background = true,
};

static void fake_attach(struct fake *f, struct chardev *chr, const struct chardev_fe_ops *ops)
{
    GError *err = NULL;

    *f = (struct fake){ .room = 1 << 20 };
    f->got = g_string_new("");
    f->events = g_string_new("");
    chardev_fe_attach(&f->fe, chr, ops, f, "fake", &err);
    g_assert_no_error(err);
}

static void fake_free(struct fake *f)
{
    chardev_fe_detach(&f->fe);
    g_string_free(f->got, TRUE);
    g_string_free(f->events, TRUE);
}

static void on_quit(void *opaque)
{
    ((struct fixture *)opaque)->quits++;
}

static void set_up(struct fixture *x, gconstpointer data)
{
    struct chardev_hooks hooks = { .quit = on_quit, .opaque = x };

    (void)data;
    x->loop = loop_new();
    x->set = chardev_set_new(x->loop, &hooks);
    x->dir = g_dir_make_tmp("chardev-XXXXXX", NULL);
}

static void tear_down(struct fixture *x, gconstpointer data)
{
    char *command = g_strdup_printf("rm -rf '%s'", x->dir);

    (void)data;
    chardev_set_free(x->set);
    loop_free(x->loop);
    g_assert_cmpint(system(command), ==, 0);
    g_free(command);
    g_free(x->dir);
}

static struct chardev *create(struct fixture *x, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
static struct chardev *create(struct fixture *x, const char *fmt, ...)
{
    struct chardev *chr;
    GError *err = NULL;
    va_list ap;
    char *arg;

    va_start(ap, fmt);
    arg = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    chr = chardev_new_from_opts(x->set, arg, &err);
    g_assert_no_error(err);
    g_free(arg);
    return chr;
}

/* Runs the loop until @cond; a test that hangs is ended by its driver. */
#define PUMP_UNTIL(x, cond)           \
    do {                              \
        while (!(cond))               \
            loop_step(x->loop, true); \
    } while (0)

static void drain(struct fixture *x)
{
    while (loop_step(x->loop, false))
        ;
}

static int connect_unix(const char *path)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(sa.sun_path, path, sizeof(sa.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), ==, 0);
    return fd;
}

static void expect_read(int fd, const char *text)
{
    char buf[256];
    size_t done = 0, len = strlen(text);

    while (done < len) {
        ssize_t n = read(fd, buf + done, len - done);

        g_assert_cmpint(n, >, 0);
        done += n;
    }
    buf[done] = 0;
    g_assert_cmpstr(buf, ==, text);
}

static void test_errors(struct fixture *x, gconstpointer data)
{
    static const struct {
        const char *arg, *part; /* of the message */
    } cases[] = {
        { "sockt,id=a,path=/x", "did you mean 'socket'" },
        { "socket,id=a", "path=" },
        { "socket,id=a,path=/x,servr=on", "server" },
        { "socket,id=a,host=localhost,port=1,reconnect=1,server=on", "reconnect" },
        { "null", "id=" },
        { "null,id=1x", "id=1x" },
        { "ringbuf,id=a,size=3", "power of two" },
        { "file,id=a,path=/nonexistent/dir/x", "/nonexistent/dir/x" },
        { "null,id=n0", "already" },
        { "mux,id=m,chardev=n1", "did you mean 'n0'" },
    };
    struct fake f = { 0 };

    (void)data;
    create(x, "null,id=n0");
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        GError *err = NULL;

        g_assert_null(chardev_new_from_opts(x->set, cases[i].arg, &err));
        g_assert_nonnull(err);
        g_assert_nonnull(strstr(err->message, cases[i].part));
        g_assert_null(strchr(err->message, '\n'));
        g_error_free(err);
    }
    fake_attach(&f, chardev_find(x->set, "n0", NULL), &fake_ops);
    {
        struct chardev_fe other = { 0 };
        GError *err = NULL;

        g_assert_false(chardev_fe_attach(&other, f.fe.chr, &fake_ops, &f, "other", &err));
        g_assert_nonnull(strstr(err->message, "fake"));
        g_clear_error(&err);
        g_assert_false(chardev_remove(x->set, "n0", &err));
        g_error_free(err);
    }
    fake_free(&f);
    g_assert_true(chardev_remove(x->set, "n0", NULL));
}

static void test_legacy(struct fixture *x, gconstpointer data)
{
    GError *err = NULL;
    struct chardev *chr;
    char *arg, *name;

    (void)data;
    g_assert_null(chardev_new_from_legacy(x->set, "serial0", "none", &err));
    g_assert_no_error(err);
    chr = chardev_new_from_legacy(x->set, "serial0", "vc:80x25", &err);
    g_assert_no_error(err);
    g_assert_cmpstr(chardev_type_name(chr), ==, "vc");
    g_assert_true(chr == chardev_new_from_legacy(x->set, "serial1", "chardev:serial0", &err));
    chr = chardev_new_from_legacy(x->set, "serial2", "tcp:127.0.0.1:0,server,nowait", &err);
    g_assert_no_error(err);
    name = chardev_filename(chr);
    g_assert_true(g_str_has_prefix(name, "disconnected:tcp:127.0.0.1:"));
    g_assert_true(g_str_has_suffix(name, ",server=on"));
    g_free(name);
    arg = g_strdup_printf("mon:unix:%s/s,server=on,wait=off", x->dir);
    chr = chardev_new_from_legacy(x->set, "serial3", arg, &err);
    g_assert_no_error(err);
    g_assert_true(chardev_is_mux(chr));
    g_assert_nonnull(chardev_find(x->set, "serial3-base", NULL));
    g_free(arg);
    g_assert_null(chardev_new_from_legacy(x->set, "serial4", "sdtio", &err));
    g_assert_nonnull(strstr(err->message, "'stdio'"));
    g_clear_error(&err);
    g_assert_null(chardev_new_from_legacy(x->set, "serial4", "tcp:nowhere", &err));
    g_assert_nonnull(strstr(err->message, "HOST:PORT"));
    g_error_free(err);
}

static void test_ringbuf(struct fixture *x, gconstpointer data)
{
    struct chardev *chr = create(x, "ringbuf,id=r,size=8");
    struct fake f;
    uint8_t buf[16];

    (void)data;
    fake_attach(&f, chr, &fake_ops);
    g_assert_cmpstr(f.events->str, ==, "O");
    g_assert_cmpuint(chardev_fe_write(&f.fe, "abc", 3), ==, 3);
    g_assert_cmpuint(chardev_ringbuf_read(chr, buf, 2), ==, 2);
    g_assert_cmpmem(buf, 2, "ab", 2);
    g_assert_cmpuint(chardev_fe_write(&f.fe, "0123456789", 10), ==, 10);
    g_assert_cmpuint(chardev_ringbuf_read(chr, buf, sizeof(buf)), ==, 8);
    g_assert_cmpmem(buf, 8, "23456789", 8);
    g_assert_cmpuint(chardev_ringbuf_read(chr, buf, sizeof(buf)), ==, 0);
    f.room = 3;
    g_assert_cmpuint(chardev_ringbuf_write(chr, (const uint8_t *)"hello", 5), ==, 3);
    g_assert_cmpstr(f.got->str, ==, "hel");
    fake_free(&f);
}

static void test_mux(struct fixture *x, gconstpointer data)
{
    struct chardev *base, *mux;
    struct fake serial, monitor;
    uint8_t out[512];
    size_t n;

    (void)data;
    mux = create(x, "ringbuf,id=m,mux=on");
    base = chardev_find(x->set, "m-base", NULL);
    fake_attach(&monitor, mux, &fake_monitor_ops);
    g_assert_cmpstr(monitor.events->str, ==, "O+");
    fake_attach(&serial, mux, &fake_ops);
    g_assert_cmpstr(monitor.events->str, ==, "O+-");
    g_assert_cmpstr(serial.events->str, ==, "O+");
#define TYPE(text) chardev_ringbuf_write(base, (const uint8_t *)text, sizeof(text) - 1)
    TYPE("ab\001bc\001\001d");
    g_assert_cmpstr(serial.got->str, ==, "abc\001d");
    g_assert_cmpstr(serial.events->str, ==, "O+B");
    TYPE("\001cq\001c");
    g_assert_cmpstr(monitor.got->str, ==, "q");
    g_assert_cmpstr(serial.events->str, ==, "O+B-+");

    /* A front end that does not read neither loses bytes nor stops the escapes. */
    serial.room = 1;
    TYPE("xyz\001x");
    g_assert_cmpstr(serial.got->str, ==, "abc\001dx");
    g_assert_cmpuint(x->quits, ==, 1);
    serial.room = 100;
    chardev_fe_accept_input(&serial.fe);
    g_assert_cmpstr(serial.got->str, ==, "abc\001dxyz");

    while (chardev_ringbuf_read(base, out, sizeof(out)))
        ;
    TYPE("\001h");
    n = chardev_ringbuf_read(base, out, sizeof(out) - 1);
    out[n] = 0;
    g_assert_nonnull(strstr((char *)out, "C-a x"));
    TYPE("\001t");
    chardev_fe_write(&serial.fe, "one\ntwo", 7);
    n = chardev_ringbuf_read(base, out, sizeof(out) - 1);
    out[n] = 0;
    g_assert_true(g_str_has_prefix((char *)out, "one\n[00:00:"));
    g_assert_true(g_str_has_suffix((char *)out, "] two"));
#undef TYPE
    fake_free(&serial);
    g_assert_cmpstr(monitor.events->str, ==, "O+-+-+");
    fake_free(&monitor);
}

static void test_mux_input_is_bounded(struct fixture *x, gconstpointer data)
{
    struct chardev *mux = create(x, "ringbuf,id=m,mux=on");
    struct chardev *base = chardev_find(x->set, "m-base", NULL);
    uint8_t block[10000];
    struct fake f;
    size_t took;

    (void)data;
    memset(block, 'x', sizeof(block));
    fake_attach(&f, mux, &fake_ops);
    f.room = 0;
    took = chardev_ringbuf_write(base, block, sizeof(block));
    g_assert_cmpuint(took, <, sizeof(block));
    f.room = 1 << 20;
    chardev_fe_accept_input(&f.fe);
    g_assert_cmpuint(f.got->len, ==, took);
    fake_free(&f);
}

static void test_file(struct fixture *x, gconstpointer data)
{
    char *path = g_build_filename(x->dir, "out", NULL), *text;
    struct fake f;

    (void)data;
    fake_attach(&f, create(x, "file,id=f,path=%s", path), &fake_ops);
    g_assert_cmpuint(chardev_fe_write(&f.fe, "one", 3), ==, 3);
    fake_free(&f);
    g_assert_true(chardev_remove(x->set, "f", NULL));
    fake_attach(&f, create(x, "file,id=f,path=%s,append=on", path), &fake_ops);
    chardev_fe_write(&f.fe, "two", 3);
    fake_free(&f);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "onetwo");
    g_free(text);
    g_free(path);
}

static void test_pipe(struct fixture *x, gconstpointer data)
{
    char *in = g_build_filename(x->dir, "p.in", NULL),
         *out = g_build_filename(x->dir, "p.out", NULL);
    struct fake f;
    int to, from;

    (void)data;
    g_assert_cmpint(mkfifo(in, 0600), ==, 0);
    g_assert_cmpint(mkfifo(out, 0600), ==, 0);
    fake_attach(&f, create(x, "pipe,id=p,path=%s/p", x->dir), &fake_ops);
    to = open(in, O_WRONLY);
    from = open(out, O_RDONLY);
    g_assert_cmpint(write(to, "hello", 5), ==, 5);
    PUMP_UNTIL(x, f.got->len == 5);
    chardev_fe_write(&f.fe, "world", 5);
    expect_read(from, "world");
    close(to);
    close(from);
    fake_free(&f);
    g_free(in);
    g_free(out);
}

static void test_server(struct fixture *x, gconstpointer data)
{
    char *path = g_build_filename(x->dir, "s", NULL), *name;
    struct chardev *chr = create(x, "socket,id=s,path=%s,server=on,wait=off", path);
    struct fake f;
    int fd;

    (void)data;
    fake_attach(&f, chr, &fake_ops);
    name = chardev_filename(chr);
    g_assert_true(g_str_has_prefix(name, "disconnected:unix:"));
    g_free(name);
    g_assert_cmpuint(chardev_fe_write(&f.fe, "lost", 4), ==, 4);
    for (int round = 0; round < 2; round++) {
        g_string_truncate(f.events, 0);
        g_string_truncate(f.got, 0);
        fd = connect_unix(path);
        PUMP_UNTIL(x, f.events->len);
        g_assert_cmpstr(f.events->str, ==, "O");
        chardev_fe_write(&f.fe, "hi", 2);
        expect_read(fd, "hi");
        g_assert_cmpint(write(fd, "yo", 2), ==, 2);
        PUMP_UNTIL(x, f.got->len == 2);
        close(fd);
        PUMP_UNTIL(x, f.events->len == 2);
        g_assert_cmpstr(f.events->str, ==, "OC");
    }
    fake_free(&f);
    g_assert_true(chardev_remove(x->set, "s", NULL));
    g_assert_cmpint(access(path, F_OK), !=, 0);
    g_free(path);
}

/* A peer that does not read holds up the writer, who is told when there is room. */
static void test_flow_control(struct fixture *x, gconstpointer data)
{
    char *path = g_build_filename(x->dir, "s", NULL);
    struct chardev *chr = create(x, "socket,id=s,path=%s,server=on,wait=off", path);
    uint8_t block[4096] = { 0 };
    size_t sent = 0, seen = 0, n;
    struct fake f;
    int fd;

    (void)data;
    fake_attach(&f, chr, &fake_ops);
    fd = connect_unix(path);
    PUMP_UNTIL(x, f.events->len);
    do {
        n = chardev_fe_write(&f.fe, block, sizeof(block));
        sent += n;
    } while (n == sizeof(block));
    drain(x);
    g_assert_cmpuint(f.writables, ==, 0);
    while (seen < sent)
        seen += read(fd, block, sizeof(block));
    PUMP_UNTIL(x, f.writables == 1);

    /* And a front end that does not read holds up the peer; nothing is lost when that leaves. */
    f.room = 0;
    g_assert_cmpint(write(fd, "abcdef", 6), ==, 6);
    drain(x);
    close(fd);
    drain(x);
    f.room = 4;
    chardev_fe_accept_input(&f.fe);
    PUMP_UNTIL(x, f.got->len == 4);
    drain(x);
    f.room = 4;
    chardev_fe_accept_input(&f.fe);
    PUMP_UNTIL(x, f.got->len == 6);
    PUMP_UNTIL(x, f.events->len == 2);
    g_assert_cmpstr(f.got->str, ==, "abcdef");
    fake_free(&f);
    g_free(path);
}

/* Peers that come and go while nobody reads do not keep the next one out. */
static void test_nobody_reads(struct fixture *x, gconstpointer data)
{
    char *path = g_build_filename(x->dir, "s", NULL);
    struct chardev *chr = create(x, "socket,id=s,path=%s,server=on,wait=off", path);
    struct fake f;

    (void)data;
    fake_attach(&f, chr, &fake_ops);
    f.room = 0;
    for (unsigned i = 0; i < 3; i++) {
        int fd = connect_unix(path);

        drain(x);
        g_assert_cmpint(write(fd, "abc", 3), ==, 3);
        drain(x);
        close(fd);
        drain(x);
    }
    g_assert_cmpstr(f.events->str, ==, "OCOCO");
    f.room = 4;
    chardev_fe_accept_input(&f.fe);
    PUMP_UNTIL(x, f.events->len == 6);
    g_assert_cmpstr(f.got->str, ==, "abc");
    fake_free(&f);
    g_free(path);
}

static void test_reconnect(struct fixture *x, gconstpointer data)
{
    char *path = g_build_filename(x->dir, "s", NULL);
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd;
    struct fake f;

    (void)data;
    fake_attach(&f, create(x, "socket,id=s,path=%s,reconnect=1", path), &fake_ops);
    drain(x);
    g_assert_cmpstr(f.events->str, ==, "");
    g_strlcpy(sa.sun_path, path, sizeof(sa.sun_path));
    g_assert_cmpint(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    PUMP_UNTIL(x, f.events->len == 1);
    fd = accept(listener, NULL, NULL);
    close(fd);
    PUMP_UNTIL(x, f.events->len == 3);
    g_assert_cmpstr(f.events->str, ==, "OCO");
    fake_free(&f);
    close(listener);
    g_free(path);
}

static void test_passed_fd(struct fixture *x, gconstpointer data)
{
    char control[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec iov = { "x", 1 };
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
    };
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
    int pair[2], pipes[2], fd;
    struct fake f;

    (void)data;
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    g_assert_cmpint(pipe(pipes), ==, 0);
    fake_attach(&f, create(x, "socket,id=s,fd=%d", pair[0]), &fake_ops);
    g_assert_cmpstr(f.events->str, ==, "O");
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &pipes[0], sizeof(int));
    g_assert_cmpint(sendmsg(pair[1], &msg, 0), ==, 1);
    PUMP_UNTIL(x, f.got->len == 1);
    fd = chardev_fe_take_fd(&f.fe);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(pipes[1], "z", 1), ==, 1);
    expect_read(fd, "z");
    g_assert_cmpint(chardev_fe_take_fd(&f.fe), ==, -1);
    close(fd);
    close(pipes[0]);
    close(pipes[1]);
    close(pair[1]);
    fake_free(&f);
}

static void test_telnet(struct fixture *x, gconstpointer data)
{
    static const uint8_t greeting[] = { 255, 251, 1, 255, 251, 3, 255, 251, 0, 255, 253, 0 };
    static const uint8_t input[] = { 'a', 255, 253, 1, 'b', 255, 255,  255, 243,
                                     255, 250, 24,  0, 255, 240, '\r', 0,   'c' };
    uint8_t buf[sizeof(greeting)];
    int pair[2];
    struct fake f;

    (void)data;
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    fake_attach(&f, create(x, "socket,id=s,fd=%d,telnet=on", pair[0]), &fake_ops);
    g_assert_cmpint(read(pair[1], buf, sizeof(buf)), ==, sizeof(greeting));
    g_assert_cmpmem(buf, sizeof(buf), greeting, sizeof(greeting));
    g_assert_cmpint(write(pair[1], input, sizeof(input)), ==, sizeof(input));
    PUMP_UNTIL(x, f.got->len == 5);
    g_assert_cmpmem(f.got->str, f.got->len, "ab\377\rc", 5);
    g_assert_cmpstr(f.events->str, ==, "OB");
    g_assert_cmpuint(chardev_fe_write(&f.fe, "x\377y", 3), ==, 3);
    expect_read(pair[1], "x\377\377y");
    close(pair[1]);
    fake_free(&f);
}

static void test_pty(struct fixture *x, gconstpointer data)
{
    struct chardev *chr = create(x, "pty,id=p");
    char *name = chardev_filename(chr);
    struct fake f;
    int fd;

    (void)data;
    g_assert_true(g_str_has_prefix(name, "pty:/dev/"));
    fake_attach(&f, chr, &fake_ops);
    g_assert_cmpstr(f.events->str, ==, "");
    for (int round = 0; round < 2; round++) {
        g_string_truncate(f.events, 0);
        fd = open(name + 4, O_RDWR | O_NOCTTY);
        g_assert_cmpint(fd, >=, 0);
        PUMP_UNTIL(x, f.events->len);
        g_assert_cmpstr(f.events->str, ==, "O");
        chardev_fe_write(&f.fe, "hi\n", 3);
        expect_read(fd, "hi\n");
        g_assert_cmpint(write(fd, "\003x", 2), ==, 2);
        PUMP_UNTIL(x, f.got->len == 2u * (round + 1));
        close(fd);
        PUMP_UNTIL(x, f.events->len == 2);
        g_assert_cmpstr(f.events->str, ==, "OC");
    }
    fake_free(&f);
    g_free(name);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(name) g_test_add("/chardev/" #name, struct fixture, NULL, set_up, test_##name, tear_down)
    T(errors);
    T(legacy);
    T(ringbuf);
    T(mux);
    T(mux_input_is_bounded);
    T(file);
    T(pipe);
    T(server);
    T(flow_control);
    T(nobody_reads);
    T(reconnect);
    T(passed_fd);
    T(telnet);
    T(pty);
    return g_test_run();
}
