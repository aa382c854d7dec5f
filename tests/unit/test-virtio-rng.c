/* The virtio entropy device and the objects that feed it, by a driver over qtest. */
#include <glib.h>
#include <glib/gstdio.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "vdriver.h"

#define RING   (VD_RAM + 0x10000)
#define BUFFER (VD_RAM + 0x200000)

#define MACHINE "-machine virt -arch riscv64 -nodefaults "

static void test_period(void)
{
    struct qclient *q = qc_start("-machine virt -arch riscv64 -nodefaults "
                                 "-device virtio-rng-device,max-bytes=64,period=1000");
    struct vpiece p = { BUFFER, 48 };
    struct vring r;
    struct vdev d;
    char *state;

    vd_open_mmio(&d, q, 7, 4);
    vd_start(&d, 0);
    vq_init(&d, &r, 0, 8, RING);
    vd_ok(&d);
    g_assert_cmpuint(vq_do(&r, &p, 0, 1), ==, 48);
    g_assert_true(qc_readq(q, BUFFER) || qc_readq(q, BUFFER + 8));
    g_assert_cmpuint(vq_do(&r, &p, 0, 1), ==, 16); /* what is left of the period */
    vq_add(&r, &p, 0, 1);
    vd_kick(&d, 0);
    state = qc_save(q);
    g_assert_false(vq_used(&r));
    qc_load(q, state);
    g_free(state);
    qc_clock_step(q, 1000000000);
    g_assert_cmpuint(vq_wait(&r, NULL), ==, 48);
    qc_stop(q);
}

/* Starts the device on an object; its ring is ready. */
static struct qclient *open_rng(const char *object, struct vdev *d, struct vring *r)
{
    g_autofree char *args = g_strdup_printf(
        MACHINE "%s -device virtio-rng-device,rng=r0,bus=virtio-mmio-bus.0", object);
    struct qclient *q = qc_start(args);

    vd_open_mmio(d, q, 0, 4);
    vd_start(d, 0);
    vq_init(d, r, 0, 8, RING);
    vd_ok(d);
    return q;
}

static void ask(struct vdev *d, struct vring *r, uint32_t len)
{
    const struct vpiece p = { BUFFER, len };

    vq_add(r, &p, 0, 1);
    vd_kick(d, 0);
}

static void expect(struct qclient *q, struct vring *r, const char *bytes, uint32_t len)
{
    g_autofree char *got = g_malloc(len);

    g_assert_cmpuint(vq_wait(r, NULL), ==, len);
    qc_memread(q, BUFFER, got, len);
    g_assert_cmpmem(got, len, bytes, len);
}

static void test_builtin_seed(void)
{
    uint64_t value[2];

    for (unsigned i = 0; i < 2; i++) {
        struct vring r;
        struct vdev d;
        struct qclient *q = open_rng("-seed 7 -object rng-builtin,id=r0", &d, &r);

        ask(&d, &r, 8);
        g_assert_cmpuint(vq_wait(&r, NULL), ==, 8);
        value[i] = qc_readq(q, BUFFER);
        qc_stop(q);
    }
    g_assert_cmphex(value[0], ==, value[1]);
}

/* A buffer waits for a source that has nothing, over a save and a load as well. */
static void test_random(void)
{
    g_autofree char *folder = g_dir_make_tmp("myna-rng-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "fifo", NULL);
    g_autofree char *object = g_strdup_printf("-object rng-random,id=r0,filename=%s", path);
    struct vring r;
    struct vdev d;
    struct qclient *q;
    char *state;
    int fd;

    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    fd = open(path, O_RDWR);
    q = open_rng(object, &d, &r);
    ask(&d, &r, 48);
    g_assert_false(vq_used(&r));
    state = qc_save(q);
    qc_load(q, state);
    g_free(state);
    g_assert_cmpint(write(fd, "0123456789", 10), ==, 10);
    expect(q, &r, "0123456789", 10);
    /* a reset forgets a request; what comes later is for the next */
    ask(&d, &r, 48);
    g_assert_false(vq_used(&r));
    vd_start(&d, 0);
    vq_init(&d, &r, 0, 8, RING);
    vd_ok(&d);
    g_assert_cmpint(write(fd, "abc", 3), ==, 3);
    ask(&d, &r, 2);
    expect(q, &r, "ab", 2);
    ask(&d, &r, 2);
    expect(q, &r, "c", 1);
    qc_stop(q);
    close(fd);
    g_unlink(path);
    g_rmdir(folder);
}

static void answer_egd(int fd, unsigned wanted, const char *bytes)
{
    uint8_t command[2];

    g_assert_cmpint(recv(fd, command, 2, MSG_WAITALL), ==, 2);
    g_assert_cmpuint(command[0], ==, 2);
    g_assert_cmpuint(command[1], ==, wanted);
    g_assert_cmpint(send(fd, bytes, wanted, 0), ==, (ssize_t)wanted);
}

static void test_egd(void)
{
    g_autofree char *folder = g_dir_make_tmp("myna-rng-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "egd", NULL);
    g_autofree char *object =
        g_strdup_printf("-chardev socket,id=c0,path=%s -object rng-egd,id=r0,chardev=c0", path);
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), fd;
    char many[255];
    struct vring r;
    struct vdev d;
    struct qclient *q;

    g_strlcpy(a.sun_path, path, sizeof(a.sun_path));
    g_assert_cmpint(bind(listener, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    q = open_rng(object, &d, &r);
    fd = accept(listener, NULL, NULL);
    ask(&d, &r, 5);
    answer_egd(fd, 5, "hello");
    expect(q, &r, "hello", 5);
    memset(many, 'x', sizeof(many));
    ask(&d, &r, 1000);
    answer_egd(fd, 255, many);
    expect(q, &r, many, 255);
    qc_stop(q);
    close(fd);
    close(listener);
    g_unlink(path);
    g_rmdir(folder);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-rng/period", test_period);
    g_test_add_func("/virtio-rng/builtin-seed", test_builtin_seed);
    g_test_add_func("/virtio-rng/random", test_random);
    g_test_add_func("/virtio-rng/egd", test_egd);
    return g_test_run();
}
