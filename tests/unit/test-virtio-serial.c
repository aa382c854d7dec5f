/* The virtio console device with a console and a channel, by a driver over qtest. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "vdriver.h"

#define RINGS (VD_RAM + 0x100000)
#define BUF   (VD_RAM + 0x300000)

#define F_MULTIPORT (UINT64_C(1) << 1)
#define F_EVENT     (UINT64_C(1) << 29)

enum { CON_RX, CON_TX, CTRL_RX, CTRL_TX, CHAN_RX, CHAN_TX, QUEUES };
enum {
    DEVICE_READY,
    DEVICE_ADD,
    DEVICE_REMOVE,
    PORT_READY,
    CONSOLE_PORT,
    RESIZE,
    PORT_OPEN,
    PORT_NAME
};

struct rig {
    char *dir;
    int con, chan; /* the test's ends */
    struct qclient *q;
    struct vdev d;
    struct vring r[QUEUES];
};

static int listen_at(const char *dir, const char *name)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", dir, name);
    g_assert_cmpint(bind(fd, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    g_assert_cmpint(listen(fd, 1), ==, 0);
    return fd;
}

static int take_peer(int listener, const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    int fd = accept(listener, NULL, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(listener);
    g_unlink(path);
    return fd;
}

static void open_rig(struct rig *r)
{
    g_autofree char *args = NULL;
    int con, chan;

    r->dir = g_dir_make_tmp("myna-serial-XXXXXX", NULL);
    con = listen_at(r->dir, "con");
    chan = listen_at(r->dir, "chan");
    args = g_strdup_printf("-machine virt -arch riscv64 -nodefaults "
                           "-chardev socket,id=c0,path=%s/con -chardev socket,id=c1,path=%s/chan "
                           "-device virtio-serial-device -device virtconsole,chardev=c0 "
                           "-device virtserialport,chardev=c1,name=org.test.0",
                           r->dir, r->dir);
    r->q = qc_start(args);
    r->con = take_peer(con, r->dir, "con");
    r->chan = take_peer(chan, r->dir, "chan");
    vd_open_mmio(&r->d, r->q, 7, 3);
    vd_start(&r->d, F_MULTIPORT | F_EVENT);
    for (unsigned i = 0; i < QUEUES; i++)
        vq_init(&r->d, &r->r[i], i, 16, RINGS + 0x10000 * i);
    vd_ok(&r->d);
}

static void close_rig(struct rig *r)
{
    qc_stop(r->q);
    close(r->con);
    close(r->chan);
    g_rmdir(r->dir);
    g_free(r->dir);
}

static uint64_t buf_of(unsigned queue, unsigned n)
{
    return BUF + queue * 0x10000 + n * 256;
}

static void add_rx(struct rig *r, unsigned queue, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct vpiece p = { buf_of(queue, r->r[queue].next), 256 };

        vq_add(&r->r[queue], &p, 0, 1);
    }
    vd_kick(&r->d, queue);
}

static void send_bytes(struct rig *r, unsigned queue, const void *data, uint32_t len)
{
    struct vpiece p = { buf_of(queue, 0), len };

    qc_memwrite(r->q, p.addr, data, len);
    vq_do(&r->r[queue], &p, 1, 0);
}

static uint32_t take(struct rig *r, unsigned queue, void *data)
{
    unsigned id;
    uint32_t len = vq_wait(&r->r[queue], &id);

    g_assert_cmpuint(len, <=, 256);
    qc_memread(r->q, buf_of(queue, id), data, len);
    return len;
}

static void control(struct rig *r, uint32_t id, uint16_t event, uint16_t value)
{
    const uint8_t m[] = { (uint8_t)id, 0, 0, 0, (uint8_t)event, 0, (uint8_t)value, 0 };

    send_bytes(r, CTRL_TX, m, sizeof(m));
}

static void expect(struct rig *r, uint32_t id, uint16_t event, uint16_t value, const char *text)
{
    uint8_t m[257] = { 0 };
    uint32_t len = take(r, CTRL_RX, m);

    g_assert_cmpuint(len, ==, 8 + strlen(text));
    g_assert_cmpuint(m[0], ==, id);
    g_assert_cmpuint(m[4], ==, event);
    g_assert_cmpuint(m[6], ==, value);
    g_assert_cmpstr((const char *)m + 8, ==, text);
}

static void negotiate(struct rig *r)
{
    g_assert_cmpuint(vd_config(&r->d, 4, 4), ==, 31);
    control(r, 0, DEVICE_READY, 1); /* before there is room for the answers */
    add_rx(r, CTRL_RX, 12);
    expect(r, 0, DEVICE_ADD, 1, "");
    expect(r, 1, DEVICE_ADD, 1, "");
    control(r, 0, PORT_READY, 1);
    expect(r, 0, CONSOLE_PORT, 1, "");
    expect(r, 0, PORT_OPEN, 1, "");
    control(r, 1, PORT_READY, 1);
    expect(r, 1, PORT_NAME, 1, "org.test.0");
    expect(r, 1, PORT_OPEN, 1, "");
    control(r, 99, PORT_READY, 1); /* nobody there */
    control(r, 0, PORT_OPEN, 1);
    control(r, 1, PORT_OPEN, 1);
}

static void expect_peer(int fd, const char *text)
{
    char buf[64] = { 0 };
    size_t n = 0;

    while (n < strlen(text)) {
        ssize_t got = read(fd, buf + n, sizeof(buf) - 1 - n);

        g_assert_cmpint(got, >, 0);
        n += (size_t)got;
    }
    g_assert_cmpstr(buf, ==, text);
}

static void expect_guest(struct rig *r, unsigned queue, const char *text)
{
    char buf[257] = { 0 };

    take(r, queue, buf);
    g_assert_cmpstr(buf, ==, text);
}

static void test_talk(void)
{
    struct rig r;

    open_rig(&r);
    negotiate(&r);
    send_bytes(&r, CON_TX, "hello", 5);
    expect_peer(r.con, "hello");
    send_bytes(&r, CHAN_TX, "channel", 7);
    expect_peer(r.chan, "channel");
    /* what comes before there are buffers waits for them */
    g_assert_cmpint(write(r.con, "early", 5), ==, 5);
    g_usleep(20000);
    add_rx(&r, CON_RX, 4);
    expect_guest(&r, CON_RX, "early");
    add_rx(&r, CHAN_RX, 4);
    g_assert_cmpint(write(r.chan, "late", 4), ==, 4);
    expect_guest(&r, CHAN_RX, "late");
    close_rig(&r);
}

/* A port holds a buffer of the guest's while it waits for input: it is not lost. */
static void test_state(void)
{
    struct rig r;
    struct vring then[QUEUES];
    char *state;

    open_rig(&r);
    negotiate(&r);
    add_rx(&r, CON_RX, 4);
    g_assert_cmpint(write(r.con, "one", 3), ==, 3);
    expect_guest(&r, CON_RX, "one");
    for (unsigned reset = 0; reset < 2; reset++) {
        state = qc_save(r.q);
        memcpy(then, r.r, sizeof(then));
        if (reset)
            qc_reset(r.q);
        qc_load(r.q, state);
        g_free(state);
        memcpy(r.r, then, sizeof(then));
        g_assert_cmpint(write(r.con, "two", 3), ==, 3);
        expect_guest(&r, CON_RX, "two");
        send_bytes(&r, CON_TX, "out", 3);
        expect_peer(r.con, "out");
        g_assert_cmphex(vd_status(&r.d), ==, 15);
    }
    close_rig(&r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-serial/talk", test_talk);
    g_test_add_func("/virtio-serial/state", test_state);
    return g_test_run();
}
