/*
 * Random accesses to the registers of all devices of a board: whatever a guest does, the program
 * stays. The seed is printed and can be given back as QTEST_SEED; QTEST_FUZZ_MS says for how long
 * each board is tried.
 */
#include <inttypes.h>
#include <glib.h>
#include "pcio.h"

struct window {
    uint64_t base, size;
};

/* A window of ports. */
#define PORT (UINT64_C(1) << 63)

/* All but the finisher, which would rightly end the program. */
static const struct window virt_windows[] = {
    { 0x1000, 0x100 },        { 0x101000, 0x24 },       { 0x2000000, 0x40 },
    { 0x2004000, 0x40 },      { 0x200bff8, 8 },         { 0x2f00000, 0x20 },
    { 0x3000000, 0x10000 },   { 0xc000000, 0x200 },     { 0xc001000, 0x20 },
    { 0xc002000, 0x400 },     { 0xc200000, 0x8000 },    { 0x10000000, 8 },
    { 0x10001000, 0x8000 },   { 0x10100000, 0x18 },     { 0x20000000, 0x2000 },
    { 0x22000000, 0x2000 },   { 0x30000000, 0x100000 }, { 0x40000000, 0x100000 },
    { 0x80000000, 0x100000 },
};
static const struct window spike_windows[] = {
    { 0x1000, 0x100 },   { 0x1000000, 1 }, /* fromhost; tohost behind it would end the program */
    { 0x2000000, 0x40 }, { 0x2004000, 0x40 }, { 0x200bff8, 8 },
};

static const struct window pc_windows[] = {
    { PORT | 0x20, 2 },    { PORT | 0x40, 4 },    { PORT | 0x61, 1 },   { PORT | 0xe9, 1 },
    { PORT | 0x505, 1 },   { PORT | 0x441, 3 },   { PORT | 0x60, 1 },   { PORT | 0x64, 1 },
    { PORT | 0x70, 4 },    { PORT | 0xa0, 2 },    { PORT | 0x4d0, 2 },  { PORT | 0x00, 0x10 },
    { PORT | 0x80, 0x10 }, { PORT | 0xc0, 0x20 }, { PORT | 0x3f8, 8 },  { 0xfed00000, 0x160 },
    { 0xfec00000, 0x44 },  { 0xfee00000, 0x400 }, { 0xfee01000, 0x10 }, { PORT | 0x3b0, 0x30 },
    { PORT | 0x1ce, 4 },   { PORT | 0x5658, 4 },  { 0xa0000, 0x20000 },
};

/* The disks' registers; bus mastering at 0xc000. */
static const struct window disk_windows[] = {
    { PORT | 0x1f0, 8 }, { PORT | 0x3f6, 1 },   { PORT | 0x170, 8 },
    { PORT | 0x376, 1 }, { PORT | 0xc000, 16 },
};

static GRand *rnd;

static uint64_t random_value(void)
{
    static const uint64_t nice[] = { 0,          1,          0xff,       0x80,
                                     0x7fffffff, 0x80000000, 0x80001000, UINT64_MAX };
    uint64_t v = (uint64_t)g_rand_int(rnd) << 32 | g_rand_int(rnd);

    switch (g_rand_int_range(rnd, 0, 4)) {
    case 0: return nice[g_rand_int_range(rnd, 0, G_N_ELEMENTS(nice))];
    case 1: return v & 0xff;
    case 2: return v & 0xffffffff;
    default: return v;
    }
}

static void one_access(struct qclient *q, const struct window *w)
{
    static const char letters[] = "bwlq";
    unsigned log = (unsigned)g_rand_int_range(rnd, 0, 4), size = 1u << log;
    uint64_t offset = ((uint64_t)g_rand_int(rnd) << 8) % w->size;

    offset += (uint64_t)g_rand_int_range(rnd, 0, 256);
    offset %= w->size;
    if (g_rand_int_range(rnd, 0, 8))
        offset &= ~(uint64_t)(size - 1);
    if (w->base & PORT)
        log = log == 3 ? 0 : log; /* there are no 8-byte ports */
    if (g_rand_boolean(rnd))
        qc_queue(q, "%s%c 0x%" PRIx64, w->base & PORT ? "in" : "read", letters[log],
                 (w->base & ~PORT) + offset);
    else
        qc_queue(q, "%s%c 0x%" PRIx64 " 0x%" PRIx64, w->base & PORT ? "out" : "write", letters[log],
                 (w->base & ~PORT) + offset, random_value());
}

/* `serial`: somebody reads the serial port, so that characters for it do not pile up. */
static void rare_event(struct qclient *q, bool serial)
{
    switch (g_rand_int_range(rnd, 0, 20)) {
    case 0: qc_reset(q); break;
    case 1: {
        g_autofree char *state = qc_save(q);

        qc_load(q, state);
        break;
    }
    case 2:
        if (serial)
            qc_serial_offer(q, "characters", 10);
        break;
    case 3: qc_cmd(q, "clock_step 1000000000"); break;
    default: qc_cmd(q, "clock_step"); break;
    }
}

static void fuzz(const char *args, const struct window *windows, unsigned n,
                 void (*prepare)(struct qclient *q))
{
    const char *ms = g_getenv("QTEST_FUZZ_MS");
    gint64 end = g_get_monotonic_time() + (ms ? g_ascii_strtoll(ms, NULL, 10) : 700) * 1000;
    struct qclient *q = qc_start(args);

    do {
        const struct window *w = &windows[g_rand_int_range(rnd, 0, (int)n)];

        if (prepare)
            prepare(q);
        for (unsigned i = 0; i < 200; i++)
            one_access(q, w);
        qc_settle(q);
        rare_event(q, !prepare);
    } while (g_get_monotonic_time() < end);
    qc_stop(q);
}

static void test_virt(void)
{
    fuzz("-machine virt,aclint=on -arch riscv64 -smp 2 -m 16M", virt_windows,
         G_N_ELEMENTS(virt_windows), NULL);
}

static void test_spike(void)
{
    fuzz("-machine spike -arch riscv64 -m 16M", spike_windows, G_N_ELEMENTS(spike_windows), NULL);
}

static void test_pc(void)
{
    fuzz("-machine pc -arch x86_64 -m 16M -vga std -device isa-debugcon -device pvpanic -device "
         "ib700 "
         "-action panic=none,watchdog=none",
         pc_windows, G_N_ELEMENTS(pc_windows), NULL);
}

/* Places the bus master's registers, which a reset takes away, and starts commands that random
 * writes would hardly come by: any ATA command, or a packet. */
static void prepare_disks(struct qclient *q)
{
    uint16_t base = g_rand_boolean(rnd) ? 0x1f0 : 0x170;

    pc_config_write(q, 1, 1, 0x20, 4, 0xc000);
    pc_config_write(q, 1, 1, 4, 2, 5);
    pc_out(q, 1, base + 0x206u, 0);
    pc_out(q, 1, base + 6u, 0xe0);
    pc_out(q, 1, base + 1u, g_rand_boolean(rnd));
    for (uint16_t i = 2; i < 6; i++)
        pc_out(q, 1, base + i, (uint8_t)random_value());
    if (base == 0x1f0 || g_rand_boolean(rnd)) {
        pc_out(q, 1, base + 7u, (uint8_t)random_value());
        return;
    }
    pc_out(q, 1, base + 7u, 0xa0);
    for (unsigned i = 0; i < 12; i += 4)
        pc_out(q, 4, base, (uint32_t)random_value() & (i ? 0xff00ff00 : 0xffff00ff));
}

static void test_pc_disks(void)
{
    char *disk = pc_image_new(1 << 20), *disc = pc_image_new(1 << 20);
    g_autofree char *args =
        g_strdup_printf("-machine pc -arch x86_64 -m 16M -hda %s -cdrom %s", disk, disc);

    fuzz(args, disk_windows, G_N_ELEMENTS(disk_windows), prepare_disks);
    pc_image_free(disk);
    pc_image_free(disc);
}

static const struct window floppy_windows[] = {
    { PORT | 0x3f2, 1 },
    { PORT | 0x3f4, 2 },
    { PORT | 0x3f4, 2 },
    { PORT | 0x3f7, 1 },
};

/* Sets DMA up one way or the other, and begins with a command's first bytes. */
static void prepare_floppies(struct qclient *q)
{
    static const uint8_t codes[] = { 0xe6, 0x45, 0x4d, 0x4a, 0x56, 0x0f, 0x07, 0x03, 0x02, 0x13 };

    pc_out(q, 1, 0xd6, 0xc0);
    pc_out(q, 1, 0xd4, 0);
    pc_out(q, 1, 0x0b, g_rand_boolean(rnd) ? 0x46 : 0x4a);
    pc_out(q, 1, 0x0a, 2);
    pc_out(q, 1, 0x3f2, 0x1c);
    pc_out(q, 1, 0x3f5, codes[g_rand_int_range(rnd, 0, G_N_ELEMENTS(codes))]);
    for (unsigned i = 0; i < 4; i++)
        pc_out(q, 1, 0x3f5, (uint32_t)g_rand_int_range(rnd, 0, 4));
}

static void test_pc_floppies(void)
{
    char *a = pc_image_new(1440 * 1024), *b = pc_image_new(720 * 1024);
    g_autofree char *args =
        g_strdup_printf("-machine pc -arch x86_64 -m 16M -fda %s -fdb %s", a, b);

    fuzz(args, floppy_windows, G_N_ELEMENTS(floppy_windows), prepare_floppies);
    pc_image_free(a);
    pc_image_free(b);
}

/* A card at these places, its rings and buffers somewhere in memory. */
static const struct window e1000_windows[] = {
    { 0xfe000000, 0x6000 }, { 0xfe002800, 0x30 },    { 0xfe003800, 0x30 }, { 0xfe000000, 0x180 },
    { 0xfe000400, 4 },      { PORT | 0xc000, 0x40 }, { 0x0, 0x10000 },     { PORT | 0xcf8, 8 },
};

static void prepare_card(struct qclient *q)
{
    pc_config_write(q, 4, 0, 0x10, 4, 0xfe000000);
    pc_config_write(q, 4, 0, 0x14, 4, 0xc000);
    pc_config_write(q, 4, 0, 4, 2, 7);
}

static void test_e1000(void)
{
    fuzz("-machine pc -arch x86_64 -nodefaults -m 16M -netdev user,id=n0 "
         "-device e1000,netdev=n0,addr=4",
         e1000_windows, G_N_ELEMENTS(e1000_windows), prepare_card);
}

/* Cards with their ports first, then memory. */
static const struct window small_card_windows[] = { { 0xfe000000, 0x100 },
                                                    { PORT | 0xc000, 0x100 },
                                                    { 0x0, 0x2000 } };

static void prepare_small_card(struct qclient *q)
{
    pc_config_write(q, 4, 0, 0x10, 4, 0xc000);
    pc_config_write(q, 4, 0, 0x14, 4, 0xfe000000);
    pc_config_write(q, 4, 0, 4, 2, 7);
}

static void fuzz_card(const char *device, void (*prepare)(struct qclient *q))
{
    g_autofree char *args = g_strdup_printf("-machine pc -arch x86_64 -nodefaults -m 16M "
                                            "-netdev user,id=n0 -device %s,netdev=n0,addr=4",
                                            device);

    fuzz(args, small_card_windows, G_N_ELEMENTS(small_card_windows), prepare);
}

/* With the rings of the C+ in low memory, half of the time. */
static void prepare_rtl8139(struct qclient *q)
{
    prepare_small_card(q);
    if (g_rand_boolean(rnd))
        return;
    pc_out(q, 2, 0xc0e0, (uint32_t)g_rand_int_range(rnd, 0, 0x80) | 3);
    pc_out(q, 1, 0xc037, 0x0c);
    pc_out(q, 4, 0xc044, 0x0f);
    pc_out(q, 4, 0xc040, g_rand_boolean(rnd) ? 0x60000 : 0);
    for (unsigned i = 0; i < 3; i++) {
        uint16_t base = (uint16_t)(i == 2 ? 0xc0e4 : 0xc020 + 8 * i);

        pc_out(q, 4, base, 0x800 * i);
        pc_out(q, 4, base + 4u, 0);
        for (unsigned n = 0; n < 8; n++) { /* mostly whole frames in low memory */
            unsigned at = 0x800 * i + 16 * n;

            qc_queue(q, "writel 0x%x 0x%x", at,
                     (unsigned)(0xb0000000 | (random_value() & 0x0fff0000) |
                                (n == 7 ? 0x40000000 : 0) | (random_value() & 0x7ff)));
            qc_queue(q, "writel 0x%x 0x%x", at + 4, (unsigned)random_value());
            qc_queue(q, "writeq 0x%x 0x%x", at + 8, (unsigned)g_rand_int_range(rnd, 0, 0x2000));
        }
    }
    qc_queue(q, "writel 0x180c 0x00450008"); /* what may look like IPv4 */
    pc_out(q, 1, 0xc0d9, 0xc1);
}

static void test_rtl8139(void)
{
    fuzz_card("rtl8139", prepare_rtl8139);
}

/* Random rings in low memory, begun or stopped now and then. */
static void prepare_pcnet(struct qclient *q)
{
    static const uint8_t commands[] = { 0x04, 0x41, 0x42, 0x43, 0x48, 0x4a };

    prepare_small_card(q);
    if (g_rand_boolean(rnd))
        pc_out(q, 4, 0xc010, 0);
    for (unsigned i = 0; i < 64; i++)
        qc_queue(q, "writel 0x%x 0x%x", (unsigned)g_rand_int_range(rnd, 0, 0x800) * 4,
                 (unsigned)random_value());
    for (unsigned mode = 0; mode < 2; mode++) { /* 16-bit ports, 32-bit ports */
        uint16_t rap = mode ? 0xc014 : 0xc012, bdp = mode ? 0xc01c : 0xc016;
        unsigned size = mode ? 4 : 2;

        pc_out(q, size, rap, 20);
        pc_out(q, size, bdp, (uint32_t)g_rand_int_range(rnd, 0, 4));
        pc_out(q, size, rap, 2);
        pc_out(q, size, 0xc010, 0);
        pc_out(q, size, rap, 0);
        pc_out(q, size, 0xc010, commands[g_rand_int_range(rnd, 0, G_N_ELEMENTS(commands))]);
    }
}

static void test_pcnet(void)
{
    fuzz_card("pcnet", prepare_pcnet);
}

/* Random blocks and descriptors in low memory, begun with by both units. */
static void prepare_i8255x(struct qclient *q)
{
    static const uint8_t scb[] = { 0x10, 0x01, 0x20, 0x02, 0x40, 0x50, 0x70, 0x60, 0x06, 0x11 };

    pc_config_write(q, 4, 0, 0x10, 4, 0xfe000000);
    pc_config_write(q, 4, 0, 0x14, 4, 0xc000);
    pc_config_write(q, 4, 0, 4, 2, 7);
    for (unsigned i = 0; i < 64; i++)
        qc_queue(q, "writel 0x%x 0x%x", (unsigned)g_rand_int_range(rnd, 0, 0x800) * 4,
                 (unsigned)random_value() & (g_rand_boolean(rnd) ? 0x1ffc : ~0u));
    for (unsigned i = 0; i < 4; i++) {
        pc_out(q, 4, 0xc004, (uint32_t)g_rand_int_range(rnd, 0, 0x200) * 16);
        pc_out(q, 1, 0xc002, scb[g_rand_int_range(rnd, 0, G_N_ELEMENTS(scb))]);
    }
}

static void test_i8255x(void)
{
    static const char *const types[] = { "i82557b", "i82551", "i82559er" };

    fuzz_card(types[g_rand_int_range(rnd, 0, 3)], prepare_i8255x);
}

static const struct window legacy_windows[] = { { PORT | 0xc000, 0x40 },
                                                { PORT | 0xc040, 0x40 },
                                                { 0x0, 0x2000 } };

/* Queues of random rings in low memory, by the legacy interface of a network card and a disk. */
static void prepare_legacy(struct qclient *q)
{
    for (unsigned i = 0; i < 2; i++) {
        uint16_t base = (uint16_t)(0xc000 + 0x40 * i);

        pc_config_write(q, 4 + i, 0, 0x10, 4, base);
        pc_config_write(q, 4 + i, 0, 4, 2, 7);
        pc_out(q, 4, base + 4u, (uint32_t)random_value());
        for (uint16_t n = 0; n < 3; n++) {
            pc_out(q, 2, base + 14u, n);
            pc_out(q, 4, base + 8u, (uint32_t)g_rand_int_range(rnd, 0, 3));
        }
        pc_out(q, 1, base + 18u, (uint32_t)g_rand_int_range(rnd, 0, 8));
        pc_out(q, 2, base + 16u, (uint32_t)g_rand_int_range(rnd, 0, 3));
    }
    for (unsigned i = 0; i < 32; i++) /* descriptors, and the index of what is available */
        qc_queue(q, "writel 0x%x 0x%x", (unsigned)g_rand_int_range(rnd, 0, 0x400) * 4,
                 (unsigned)random_value() & 0x3ffff);
    qc_queue(q, "writew 0x1002 0x%x", (unsigned)g_rand_int_range(rnd, 0, 200));
    qc_queue(q, "writew 0x2002 0x%x", (unsigned)g_rand_int_range(rnd, 0, 200));
}

static void test_virtio_legacy(void)
{
    char *disk = pc_image_new(1 << 20);
    g_autofree char *args =
        g_strdup_printf("-machine pc -arch x86_64 -nodefaults -m 16M -netdev user,id=n0 "
                        "-device virtio-net-pci,netdev=n0,addr=4 "
                        "-drive file=%s,format=raw,if=none,id=d0 "
                        "-device virtio-blk-pci,drive=d0,disable-modern=on,addr=5",
                        disk);

    fuzz(args, legacy_windows, G_N_ELEMENTS(legacy_windows), prepare_legacy);
    pc_image_free(disk);
}

static void prepare_ne2k(struct qclient *q)
{
    pc_config_write(q, 4, 0, 0x10, 4, 0xc000);
    pc_config_write(q, 4, 0, 4, 2, 5);
}

static const struct window ne2000_windows[] = { { PORT | 0x300, 32 }, { PORT | 0xc000, 32 } };

static void test_ne2000(void)
{
    fuzz("-machine pc -arch x86_64 -nodefaults -m 16M -netdev user,id=n0 -netdev user,id=n1 "
         "-device ne2k_isa,netdev=n0 -device ne2k_pci,netdev=n1,addr=4",
         ne2000_windows, G_N_ELEMENTS(ne2000_windows), prepare_ne2k);
}

/* Cirrus: ports, window, BARs; packed pixels, and blits of all kinds about to start. */
static const struct window cirrus_windows[] = {
    { PORT | 0x3b0, 0x30 },    { PORT | 0x3ce, 2 },    { 0xa0000, 0x20000 },
    { 0xe0000000, 0x2000000 }, { 0xf0000000, 0x1000 }, { 0xf0000100, 0x44 },
};

static void prepare_cirrus(struct qclient *q)
{
    pc_config_write(q, 4, 0, 0x10, 4, 0xe0000000);
    pc_config_write(q, 4, 0, 0x14, 4, 0xf0000000);
    pc_config_write(q, 4, 0, 4, 2, 3);
    pc_out(q, 1, 0x3c2, 0x67);
    pc_out(q, 2, 0x3c4, 0x1107);
    pc_out(q, 2, 0x3c4, 0x0112);
    for (uint32_t i = 0x20; i < 0x36; i++)
        if (i != 0x31)
            pc_out(q, 2, 0x3ce, i | (uint32_t)random_value() << 8);
    pc_out(q, 2, 0x3ce, 0x0d32);
    /* a width and a height that are done soon */
    pc_out(q, 2, 0x3ce, 0x0021);
    pc_out(q, 2, 0x3ce, 0x0023);
    pc_out(q, 2, 0x3ce, 0x0231);
}

static void test_cirrus(void)
{
    fuzz("-machine pc -arch x86_64 -nodefaults -m 16M -device cirrus-vga,addr=4", cirrus_windows,
         G_N_ELEMENTS(cirrus_windows), prepare_cirrus);
}

/* The BARs of -vga std and its relatives. */
static const struct window vga_windows[] = {
    { 0xe0000000, 0x1000000 }, { 0xf0000000, 0x1000 },    { 0xf0000400, 0x220 },
    { 0xf0010000, 0x1000 },    { 0xe2000000, 0x1000000 }, { 0xa0000, 0x20000 },
};

static void prepare_vga(struct qclient *q)
{
    for (unsigned i = 0; i < 2; i++) {
        pc_config_write(q, 4 + i, 0, 0x10, 4, 0xe0000000 + i * 0x2000000);
        pc_config_write(q, 4 + i, 0, 0x18, 4, 0xf0000000 + i * 0x10000);
        pc_config_write(q, 4 + i, 0, 4, 2, 3);
    }
}

static void test_vga(void)
{
    fuzz("-machine pc -arch x86_64 -nodefaults -m 16M -device VGA,addr=4 -device "
         "bochs-display,addr=5",
         vga_windows, G_N_ELEMENTS(vga_windows), prepare_vga);
}

int main(int argc, char **argv)
{
    const char *seed = g_getenv("QTEST_SEED");
    guint32 s = seed ? (guint32)g_ascii_strtoull(seed, NULL, 0) : g_random_int();

    g_test_init(&argc, &argv, NULL);
    g_test_message("QTEST_SEED=%u", s);
    rnd = g_rand_new_with_seed(s);
    g_test_add_func("/fuzz/cirrus", test_cirrus);
    g_test_add_func("/fuzz/vga", test_vga);
    g_test_add_func("/fuzz/virt", test_virt);
    g_test_add_func("/fuzz/spike", test_spike);
    g_test_add_func("/fuzz/pc", test_pc);
    g_test_add_func("/fuzz/pc-disks", test_pc_disks);
    g_test_add_func("/fuzz/pc-floppies", test_pc_floppies);
    g_test_add_func("/fuzz/e1000", test_e1000);
    g_test_add_func("/fuzz/ne2000", test_ne2000);
    g_test_add_func("/fuzz/rtl8139", test_rtl8139);
    g_test_add_func("/fuzz/pcnet", test_pcnet);
    g_test_add_func("/fuzz/i8255x", test_i8255x);
    g_test_add_func("/fuzz/virtio-legacy", test_virtio_legacy);
    return g_test_run();
}
