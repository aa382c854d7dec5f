/*
 * A disk in an iothread does the requests of a CPU of the translator's while somebody else holds
 * the device lock all the time: neither the notification nor the request takes it. On virtio-mmio,
 * whose register is told by the value, and on PCI, where the place is what counts.
 */
#include <accel/accel.h>
#include <base/bits.h>
#include <base/loop.h>
#include <base/option.h>
#include <block/block.h>
#include <glib/gstdio.h>
#include <hw/core/machine.h>
#include <hw/core/object.h>
#include <mem/space.h>
#include <string.h>
#include <target/cpu.h>
#include <unistd.h>

enum {
    REQUESTS = 500,
    PATIENCE_S = 60,
    CODE = 0x80000000u,
    DRIVER = CODE + 0x1000, /* the ring of available buffers; the guest's code knows these three */
    DEVICE = CODE + 0x2000, /* that of used ones */
    DONE = CODE + 0x3000,   /* set at the end; then where to notify, how often, and: it runs */
    DESC = CODE + 0x4000,
    HEADER = CODE + 0x5000,
    DATA = CODE + 0x6000,
    STATUS = CODE + 0x7000,
    SLOT = 0x10008000, /* virtio-mmio: devices are plugged into the last slot first */
    ECAM = 0x30008000, /* slot 1 */
    BAR = 0x40000000,
};

struct box {
    struct loop *loop;
    struct machine *m;
    struct block_set *blocks;
    const struct accel_type *accel;
    char *path;
};

/* Makes the same buffer available over and over, and waits for each with its eyes on the ring. */
static const uint32_t code[] = {
    0x00001497, /*    auipc s1, 1       DRIVER */
    0x00002917, /*    auipc s2, 2 */
    0xffc90913, /*    addi  s2, s2, -4  DEVICE */
    0x00003a17, /*    auipc s4, 3 */
    0xff4a0a13, /*    addi  s4, s4, -12 DONE */
    0x004a2403, /*    lw    s0, 4(s4) */
    0x00100313, /*    li    t1, 1 */
    0x006a2623, /*    sw    t1, 12(s4) */
    0x008a2983, /* 0: lw    s3, 8(s4) */
    0xfe098ee3, /*    beqz  s3, 0b */
    0x0024d283, /* 1: lhu   t0, 2(s1) */
    0x00128293, /*    addi  t0, t0, 1 */
    0x0ff0000f, /*    fence */
    0x00549123, /*    sh    t0, 2(s1) */
    0x0ff0000f, /*    fence */
    0x00042023, /*    sw    zero, 0(s0) */
    0x03029293, /*    slli  t0, t0, 48 */
    0x0302d293, /*    srli  t0, t0, 48 */
    0x00295303, /* 2: lhu   t1, 2(s2) */
    0xfe629ee3, /*    bne   t0, t1, 2b */
    0xfff98993, /*    addi  s3, s3, -1 */
    0xfc099ae3, /*    bnez  s3, 1b */
    0x00100313, /*    li    t1, 1 */
    0x006a2023, /*    sw    t1, 0(s4) */
    0x0000006f, /* 3: j     3b */
};

static void put(struct box *b, uint64_t addr, unsigned size, uint64_t value)
{
    g_assert_cmpint(space_store(&b->m->memory, addr, size, value, 0), ==, MEM_OK);
}

static uint64_t get(struct box *b, uint64_t addr, unsigned size)
{
    uint64_t value = 0;

    g_assert_cmpint(space_load(&b->m->memory, addr, size, &value, 0), ==, MEM_OK);
    return value;
}

static void *find_drive(void *opaque, const char *id, GError **err)
{
    return block_find(opaque, id, err);
}

static const char *name_drive(void *backend)
{
    return block_id(backend);
}

static struct opts *parse(const char *what, const char *text, const char *key)
{
    GError *err = NULL;
    struct opts *o = opts_parse(what, text, key, &err);

    g_assert_no_error(err);
    return o;
}

static void make_disk(struct box *b, const char *device)
{
    g_autofree char *drive = g_strdup_printf("file=%s,format=raw,if=none,id=d", b->path);
    g_autofree char *line = g_strdup_printf("%s,drive=d,iothread=io", device);
    opts_auto struct opts *disk = parse("-drive", drive, NULL);
    opts_auto struct opts *thread = parse("-object", "iothread,id=io", "qom-type");
    opts_auto struct opts *dev = parse("-device", line, "driver");
    GError *err = NULL;

    block_add_drive(b->blocks, disk, "none", &err);
    g_assert_no_error(err);
    object_create(b->m, thread, &err);
    g_assert_no_error(err);
    device_create(b->m, dev, &err);
    g_assert_no_error(err);
}

static void open_box(struct box *b, const char *device)
{
    struct machine_config cfg = {
        .arch = g_strdup("riscv64"),
        .cpus = 1,
        .ram_size = 32 << 20,
        .firmware = g_strdup("none"),
    };
    opts_auto struct opts *none = opts_new("-accel");
    GError *err = NULL;
    int fd = g_file_open_tmp("myna-bells-XXXXXX", &b->path, NULL);

    g_assert_cmpint(ftruncate(fd, 1 << 20), ==, 0);
    close(fd);
    b->loop = loop_new();
    loop_lock(b->loop);
    b->m = machine_new(machine_type_find("virt", "riscv64", NULL), b->loop, &cfg);
    b->blocks = block_set_new(b->loop);
    machine_set_backend(b->m, BACKEND_DRIVE, find_drive, name_drive, b->blocks);
    g_assert_true(machine_init(b->m, &err));
    make_disk(b, device);
    b->accel = accel_find("tcg", NULL);
    g_assert_true(b->accel->init(b->m, none, &err));
    machine_ready(b->m);
    machine_reset(b->m, CAUSE_NONE);
}

static void close_box(struct box *b)
{
    b->accel->free(b->m);
    machine_free(b->m);
    block_set_free(b->blocks);
    loop_unlock(b->loop);
    loop_free(b->loop);
    g_unlink(b->path);
    g_free(b->path);
}

/* One buffer: a request's header, room for a sector, and its status. */
static void put_request(struct box *b)
{
    const struct {
        uint64_t addr;
        uint32_t len, flags_next;
    } desc[] = { { HEADER, 16, 1 | 1 << 16 }, { DATA, 512, 3 | 2 << 16 }, { STATUS, 1, 2 } };

    for (unsigned i = 0; i < ARRAY_LEN(desc); i++) {
        put(b, DESC + 16 * i, 8, desc[i].addr);
        put(b, DESC + 16 * i + 8, 4, desc[i].len);
        put(b, DESC + 16 * i + 12, 4, desc[i].flags_next);
    }
    put(b, STATUS, 1, 0xee);
}

static void wait_for(struct box *b, uint64_t addr)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;

    while (!get(b, addr, 4) && g_get_monotonic_time() < end)
        g_usleep(1000);
    g_assert_cmpuint(get(b, addr, 4), ==, 1);
}

static void runs(struct box *b, uint64_t notify)
{
    struct cpu *cpu = b->m->cpus->pdata[0];

    put_request(b);
    put(b, DONE + 4, 4, notify);
    for (unsigned i = 0; i < ARRAY_LEN(code); i++)
        put(b, CODE + 4 * i, 4, code[i]);
    cpu->tcg.pc = CODE;
    machine_start(b->m);
    loop_unlock(b->loop); /* CPUs want it to start */
    wait_for(b, DONE + 12);
    loop_lock(b->loop); /* and stop */
    put(b, DONE + 8, 4, REQUESTS);
    wait_for(b, DONE);
    g_assert_cmpuint(get(b, DEVICE + 2, 2), ==, REQUESTS);
    g_assert_cmpuint(get(b, STATUS, 1), ==, 0);
    machine_stop(b->m, RUN_PAUSED);
}

static void test_mmio(void)
{
    static const uint32_t steps[][2] = {
        { 0x70, 0 }, { 0x70, 3 },      { 0x24, 1 }, { 0x20, 1 },      { 0x24, 0 },
        { 0x20, 0 }, { 0x70, 11 },     { 0x30, 0 }, { 0x38, 16 },     { 0x80, DESC },
        { 0x84, 0 }, { 0x90, DRIVER }, { 0x94, 0 }, { 0xa0, DEVICE }, { 0xa4, 0 },
        { 0x44, 1 }, { 0x70, 15 },
    };
    struct box b;

    open_box(&b, "virtio-blk-device");
    g_assert_cmpuint(get(&b, SLOT + 8, 4), ==, 2);
    for (unsigned i = 0; i < ARRAY_LEN(steps); i++)
        put(&b, SLOT + steps[i][0], 4, steps[i][1]);
    runs(&b, SLOT + 0x50);
    close_box(&b);
}

static void test_pci(void)
{
    static const struct {
        uint32_t reg, size, value;
    } steps[] = {
        { 0x14, 1, 0 }, { 0x14, 1, 3 },      { 0x08, 4, 1 }, { 0x0c, 4, 1 },      { 0x08, 4, 0 },
        { 0x0c, 4, 0 }, { 0x14, 1, 11 },     { 0x16, 2, 0 }, { 0x18, 2, 16 },     { 0x20, 4, DESC },
        { 0x24, 4, 0 }, { 0x28, 4, DRIVER }, { 0x2c, 4, 0 }, { 0x30, 4, DEVICE }, { 0x34, 4, 0 },
        { 0x1c, 2, 1 }, { 0x14, 1, 15 },
    };
    struct box b;

    open_box(&b, "virtio-blk-pci,addr=1");
    put(&b, ECAM + 0x20, 4, BAR);
    put(&b, ECAM + 0x24, 4, 0);
    put(&b, ECAM + 0x04, 2, 6);
    for (unsigned i = 0; i < ARRAY_LEN(steps); i++)
        put(&b, BAR + steps[i].reg, steps[i].size, steps[i].value);
    runs(&b, BAR + 0x3000);
    close_box(&b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virtio-bells/mmio", test_mmio);
    g_test_add_func("/virtio-bells/pci", test_pci);
    return g_test_run();
}
