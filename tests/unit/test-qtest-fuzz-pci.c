/*
 * Random accesses to cards on the PCI bus, their rings, lists and commands in guest memory begun
 * with as drivers do; see qfuzz.h. All BARs of all cards are hit in the last tests.
 */
#include "qfuzz.h"

#define PORT QF_PORT

/* A card at these places, its rings and buffers somewhere in memory. */
static const struct qf_window e1000_windows[] = {
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
    qf_run("-machine pc -arch x86_64 -nodefaults -m 16M -netdev user,id=n0 "
           "-device e1000,netdev=n0,addr=4",
           e1000_windows, G_N_ELEMENTS(e1000_windows), prepare_card);
}

/* Cards with their ports first, then memory. */
static const struct qf_window small_card_windows[] = { { 0xfe000000, 0x100 },
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

    qf_run(args, small_card_windows, G_N_ELEMENTS(small_card_windows), prepare);
}

/* With the rings of the C+ in low memory, half of the time. */
static void prepare_rtl8139(struct qclient *q)
{
    prepare_small_card(q);
    if (qf_below(2))
        return;
    pc_out(q, 2, 0xc0e0, qf_below(0x80) | 3);
    pc_out(q, 1, 0xc037, 0x0c);
    pc_out(q, 4, 0xc044, 0x0f);
    pc_out(q, 4, 0xc040, qf_below(2) ? 0x60000 : 0);
    for (unsigned i = 0; i < 3; i++) {
        uint16_t base = (uint16_t)(i == 2 ? 0xc0e4 : 0xc020 + 8 * i);

        pc_out(q, 4, base, 0x800 * i);
        pc_out(q, 4, base + 4u, 0);
        for (unsigned n = 0; n < 8; n++) { /* mostly whole frames in low memory */
            unsigned at = 0x800 * i + 16 * n;

            qc_queue(q, "writel 0x%x 0x%x", at,
                     (unsigned)(0xb0000000 | (qf_value() & 0x0fff0000) | (n == 7 ? 0x40000000 : 0) |
                                (qf_value() & 0x7ff)));
            qc_queue(q, "writel 0x%x 0x%x", at + 4, (unsigned)qf_value());
            qc_queue(q, "writeq 0x%x 0x%x", at + 8, qf_below(0x2000));
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
    if (qf_below(2))
        pc_out(q, 4, 0xc010, 0);
    for (unsigned i = 0; i < 64; i++)
        qc_queue(q, "writel 0x%x 0x%x", qf_below(0x800) * 4, (unsigned)qf_value());
    for (unsigned mode = 0; mode < 2; mode++) { /* 16-bit ports, 32-bit ports */
        uint16_t rap = mode ? 0xc014 : 0xc012, bdp = mode ? 0xc01c : 0xc016;
        unsigned size = mode ? 4 : 2;

        pc_out(q, size, rap, 20);
        pc_out(q, size, bdp, qf_below(4));
        pc_out(q, size, rap, 2);
        pc_out(q, size, 0xc010, 0);
        pc_out(q, size, rap, 0);
        pc_out(q, size, 0xc010, QF_PICK(commands));
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
        qc_queue(q, "writel 0x%x 0x%x", qf_below(0x800) * 4,
                 (unsigned)qf_value() & (qf_below(2) ? 0x1ffc : ~0u));
    for (unsigned i = 0; i < 4; i++) {
        pc_out(q, 4, 0xc004, qf_below(0x200) * 16);
        pc_out(q, 1, 0xc002, QF_PICK(scb));
    }
}

static void test_i8255x(void)
{
    static const char *const types[] = { "i82557b", "i82551", "i82559er" };

    fuzz_card(QF_PICK(types), prepare_i8255x);
}

static const struct qf_window legacy_windows[] = { { PORT | 0xc000, 0x40 },
                                                   { PORT | 0xc040, 0x40 },
                                                   { 0x0, 0x2000 } };

/* Queues of random rings in low memory, by the legacy interface of a network card and a disk. */
static void prepare_legacy(struct qclient *q)
{
    for (unsigned i = 0; i < 2; i++) {
        uint16_t base = (uint16_t)(0xc000 + 0x40 * i);

        pc_config_write(q, 4 + i, 0, 0x10, 4, base);
        pc_config_write(q, 4 + i, 0, 4, 2, 7);
        pc_out(q, 4, base + 4u, (uint32_t)qf_value());
        for (uint16_t n = 0; n < 3; n++) {
            pc_out(q, 2, base + 14u, n);
            pc_out(q, 4, base + 8u, qf_below(3));
        }
        pc_out(q, 1, base + 18u, qf_below(8));
        pc_out(q, 2, base + 16u, qf_below(3));
    }
    for (unsigned i = 0; i < 32; i++) /* descriptors, and the index of what is available */
        qc_queue(q, "writel 0x%x 0x%x", qf_below(0x400) * 4, (unsigned)qf_value() & 0x3ffff);
    qc_queue(q, "writew 0x1002 0x%x", qf_below(200));
    qc_queue(q, "writew 0x2002 0x%x", qf_below(200));
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

    qf_run(args, legacy_windows, G_N_ELEMENTS(legacy_windows), prepare_legacy);
    pc_image_free(disk);
}

static void prepare_ne2k(struct qclient *q)
{
    pc_config_write(q, 4, 0, 0x10, 4, 0xc000);
    pc_config_write(q, 4, 0, 4, 2, 5);
}

static const struct qf_window ne2000_windows[] = { { PORT | 0x300, 32 }, { PORT | 0xc000, 32 } };

static void test_ne2000(void)
{
    qf_run("-machine pc -arch x86_64 -nodefaults -m 16M -netdev user,id=n0 -netdev user,id=n1 "
           "-device ne2k_isa,netdev=n0 -device ne2k_pci,netdev=n1,addr=4",
           ne2000_windows, G_N_ELEMENTS(ne2000_windows), prepare_ne2k);
}

/* Cirrus: ports, window, BARs; packed pixels, and blits of all kinds about to start. */
static const struct qf_window cirrus_windows[] = {
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
            pc_out(q, 2, 0x3ce, i | (uint32_t)qf_value() << 8);
    pc_out(q, 2, 0x3ce, 0x0d32);
    /* a width and a height that are done soon */
    pc_out(q, 2, 0x3ce, 0x0021);
    pc_out(q, 2, 0x3ce, 0x0023);
    pc_out(q, 2, 0x3ce, 0x0231);
}

static void test_cirrus(void)
{
    qf_run("-machine pc -arch x86_64 -nodefaults -m 16M -device cirrus-vga,addr=4", cirrus_windows,
           G_N_ELEMENTS(cirrus_windows), prepare_cirrus);
}

/* ---- all BARs of whole groups of cards ---- */

/* A mode of each Bochs-like card, by its registers in BAR 2; a picture for ramfb, by DMA of fw_cfg.
 */
static void prepare_screens(struct qclient *q)
{
    static const unsigned fourcc[] = { 0x34325258, 0x34325241, 0x34324752, 0x36314752, 0x20203852 };
    uint64_t at;

    for (unsigned n = 0; (at = qf_bar(0x12341111, n, 2)); n++) {
        for (unsigned reg = 1; reg < 5; reg++)
            qc_queue(q, "writew 0x%x %u", (unsigned)at + 0x500 + 2 * reg,
                     reg == 3   ? 8u << qf_below(3)
                     : reg == 4 ? 0x41u
                                : 8 * qf_below(150));
        for (unsigned reg = 6; reg < 10; reg++)
            qc_queue(q, "writew 0x%x %u", (unsigned)at + 0x500 + 2 * reg, qf_below(700));
    }
    qc_queue(q, "writeq 0x2000 0x%" G_GINT64_MODIFIER "x", GUINT64_SWAP_LE_BE(qf_below(0x1000000)));
    qc_queue(q, "writel 0x2008 0x%x", GUINT32_SWAP_LE_BE(QF_PICK(fourcc)));
    qc_queue(q, "writel 0x200c 0");
    for (unsigned i = 0; i < 3; i++)
        qc_queue(
            q, "writel 0x%x 0x%x", 0x2010 + 4 * i,
            GUINT32_SWAP_LE_BE(qf_below(8) ? qf_below(i == 2 ? 5000 : 900) : (unsigned)qf_value()));
    qc_queue(q, "writel 0x100 0x%x", GUINT32_SWAP_LE_BE((0x20 + qf_below(16)) << 16 | 0x18));
    qc_queue(q, "writel 0x104 0x%x", GUINT32_SWAP_LE_BE(28));
    qc_queue(q, "writeq 0x108 0x%" G_GINT64_MODIFIER "x", GUINT64_SWAP_LE_BE(0x2000));
    qc_queue(q, "outl 0x514 0");
    qc_queue(q, "outl 0x518 0x%x", GUINT32_SWAP_LE_BE(0x100));
}

static void set_up_modern(struct qclient *q, unsigned at)
{
    static const struct {
        unsigned at, size;
    } rings[] = { { 0x20, 4 }, { 0x28, 4 }, { 0x30, 4 } };

    qc_queue(q, "writeb 0x%x 0", at + 0x14);
    qc_queue(q, "writeb 0x%x 3", at + 0x14);
    for (unsigned half = 0; half < 2; half++) { /* some of what is offered, and VERSION_1 */
        unsigned offered;

        qc_queue(q, "writel 0x%x %u", at, half);
        qc_settle(q);
        offered = qc_readl(q, at + 4);
        qc_queue(q, "writel 0x%x %u", at + 8, half);
        qc_queue(q, "writel 0x%x 0x%x", at + 12,
                 (offered & (unsigned)qf_value()) | (half && qf_below(8)));
    }
    qc_queue(q, "writeb 0x%x 11", at + 0x14);
    for (unsigned i = 0; i < 4; i++) {
        qc_queue(q, "writew 0x%x %u", at + 0x16, i);
        qc_queue(q, "writew 0x%x %u", at + 0x18, 1u << qf_below(7));
        for (unsigned k = 0; k < G_N_ELEMENTS(rings); k++)
            qc_queue(q, "writeq 0x%x 0x%x", at + rings[k].at, 0x10000 + qf_below(4) * 0x1000);
        qc_queue(q, "writew 0x%x 1", at + 0x1c);
    }
    qc_queue(q, "writeb 0x%x 15", at + 0x14);
    for (unsigned i = 0; i < 4; i++)
        qc_queue(q, "writew 0x%x %u", at + 0x3000 + 4 * i, i);
}

/* Queues by the modern interface (virtio 1.2, 4.1.4.3; BAR 4), of which any may be without. */
static void prepare_virtio(struct qclient *q)
{
    qf_rings(q, 0x10000);
    for (unsigned id = 0x1000; id < 0x1080; id++) {
        uint64_t at;

        for (unsigned n = 0; (at = qf_bar(0x1af4u << 16 | id, n, 4)); n++)
            if (qf_below(2))
                set_up_modern(q, (unsigned)at);
    }
}

/* Frame list, queues and transfers at 0x4000 to 0x7fff (UHCI 1.1, 3); the ports enabled. */
static void prepare_usb(struct qclient *q)
{
    static const unsigned pids[] = { 0x2d, 0x69, 0xe1, 0x69, 0 };
    static const unsigned kinds[] = { 0x80, 0, 0x81, 0x21, 0xa1, 0x23, 0xa3 };
    unsigned io = (unsigned)(qf_bar(0x80867020, qf_below(2), 4) & ~PORT);

    for (unsigned i = 0; i < 16; i++)
        qc_queue(q, "writel 0x%x 0x%x", 0x4000 + 4 * i, 0x5000 + qf_below(32) * 16 + qf_below(4));
    for (unsigned i = 0; i < 64; i++) {
        unsigned at = 0x5000 + 16 * i;

        qc_queue(q, "writel 0x%x 0x%x", at, 0x5000 + qf_below(64) * 16 + qf_below(8));
        if (i % 4) { /* a transfer, or a queue of some */
            qc_queue(q, "writel 0x%x 0x%x", at + 4, 0x800000 | ((unsigned)qf_value() & 0x3f000000));
            qc_queue(q, "writel 0x%x 0x%x", at + 8,
                     QF_PICK(pids) | qf_below(5) << 8 | qf_below(3) << 15 | qf_below(4) << 19 |
                         (qf_below(4) ? 7u : qf_below(0x800)) << 21);
            qc_queue(q, "writel 0x%x 0x%x", at + 12, 0x6000 + qf_below(32) * 8);
        } else {
            qc_queue(q, "writel 0x%x 0x%x", at + 4, 0x5000 + qf_below(64) * 16 + qf_below(2) * 4);
        }
    }
    for (unsigned i = 0; i < 32; i++) {
        qc_queue(q, "writel 0x%x 0x%x", 0x6000 + 8 * i,
                 QF_PICK(kinds) | qf_below(14) << 8 | qf_below(5) << (16 + 8 * qf_below(2)));
        qc_queue(q, "writel 0x%x 0x%x", 0x6004 + 8 * i, qf_below(10) | qf_below(100) << 16);
    }
    qc_queue(q, "outw 0x%x 0", io);
    qc_queue(q, "outl 0x%x 0x4000", io + 8);
    qc_queue(q, "outw 0x%x 0", io + 6);
    for (unsigned i = 0; i < 2; i++)
        qc_queue(q, "outw 0x%x 4", io + 16 + 2 * i);
    qc_queue(q, "outw 0x%x 1", io);
    qc_queue(q, "clock_step %u", qf_below(20) * 1000000);
}

static void test_usb(void)
{
    qf_run_pci("-machine pc -arch x86_64 -m 16M -device piix3-usb-uhci -device piix3-usb-uhci "
               "-device usb-tablet,bus=usb-bus.0 -device usb-mouse,bus=usb-bus.0 "
               "-device usb-hub,bus=usb-bus.1,port=1 -device usb-kbd,bus=usb-bus.1,port=1.1 "
               "-device usb-tablet,bus=usb-bus.1,port=1.2",
               NULL, 0, prepare_usb);
}

static const struct {
    const char *name, *args;
    qf_prepare_fn *prepare;
} groups[] = {
    { "screens", "-device VGA -device bochs-display -device secondary-vga -device ramfb",
      prepare_screens },
    { "virtio-vga",
      "-device virtio-vga -device virtio-keyboard-pci -device virtio-mouse-pci "
      "-device virtio-tablet-pci -device virtio-rng-pci-non-transitional",
      prepare_virtio },
    { "virtio",
      "-device virtio-gpu-pci,max_outputs=2 -device virtio-serial-pci -chardev null,id=c1 "
      "-chardev null,id=c2 -device virtconsole,chardev=c1 "
      "-device virtserialport,chardev=c2,name=p -device virtio-net-pci,netdev=n0 "
      "-device virtio-rng-pci",
      prepare_virtio },
    { "virtio-others",
      "-object iothread,id=io -device virtio-net-pci-non-transitional,netdev=n0,iothread=io "
      "-device virtio-net-pci-transitional,netdev=n1 -device virtio-serial-pci-transitional "
      "-device virtio-serial-pci-non-transitional -device virtio-rng-pci-transitional",
      prepare_virtio },
    { "bridge",
      "-device pci-bridge,id=b,chassis_nr=1 -device e1000,netdev=n0,bus=b "
      "-device pci-serial,chardev=c0,bus=b -device pvpanic-pci -device i6300esb "
      "-device pci-testdev "
      "-device rtl8139,netdev=n1,bus=b -action panic=none,watchdog=none",
      NULL },
    { "i8255x-1",
      "-device i82550,netdev=n0 -device i82551 -device i82557a -device i82557b -device i82557c "
      "-device i82558a",
      NULL },
    { "i8255x-2",
      "-device i82558b,netdev=n0 -device i82559a -device i82559b -device i82559c -device i82559er "
      "-device i82562 -device i82801",
      NULL },
    { "others", "-device ne2k_pci,netdev=n0 -device pcnet,netdev=n1 -device cirrus-vga", NULL },
};

static void test_group(gconstpointer data)
{
    unsigned i = GPOINTER_TO_UINT(data);
    g_autofree char *args = g_strdup_printf("-machine pc -arch x86_64 -m 16M -netdev user,id=n0 "
                                            "-netdev user,id=n1 -chardev null,id=c0 %s",
                                            groups[i].args);

    qf_run_pci(args, NULL, 0, groups[i].prepare);
}

static void test_disks(void)
{
    char *d[3];
    g_autofree char *args = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(d); i++)
        d[i] = pc_image_new(1 << 20);
    args = g_strdup_printf("-machine pc -arch x86_64 -m 16M "
                           "-drive file=%s,format=raw,if=none,id=d0 "
                           "-drive file=%s,format=raw,if=none,id=d1 "
                           "-drive file=%s,format=raw,if=none,id=d2 -object iothread,id=io "
                           "-device virtio-blk-pci,drive=d0,iothread=io "
                           "-device virtio-blk-pci-transitional,drive=d1,num-queues=4 "
                           "-device virtio-blk-pci-non-transitional,drive=d2,packed=on",
                           d[0], d[1], d[2]);
    qf_run_pci(args, NULL, 0, prepare_virtio);
    for (unsigned i = 0; i < G_N_ELEMENTS(d); i++)
        pc_image_free(d[i]);
}

int main(int argc, char **argv)
{
    qf_init(&argc, &argv);
    g_test_add_func("/fuzz/cirrus", test_cirrus);
    g_test_add_func("/fuzz/e1000", test_e1000);
    g_test_add_func("/fuzz/ne2000", test_ne2000);
    g_test_add_func("/fuzz/rtl8139", test_rtl8139);
    g_test_add_func("/fuzz/pcnet", test_pcnet);
    g_test_add_func("/fuzz/i8255x", test_i8255x);
    g_test_add_func("/fuzz/virtio-legacy", test_virtio_legacy);
    g_test_add_func("/fuzz/usb", test_usb);
    g_test_add_func("/fuzz/virtio-disks", test_disks);
    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++) {
        g_autofree char *path = g_strdup_printf("/fuzz/%s", groups[i].name);

        g_test_add_data_func(path, GUINT_TO_POINTER(i), test_group);
    }
    return g_test_run();
}
