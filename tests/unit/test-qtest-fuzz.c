/*
 * Random accesses to the registers of the boards' own chips, of drives, and of what sits on ISA and
 * virtio-mmio; see qfuzz.h. Cards are in test-qtest-fuzz-pci.c.
 */
#include "qfuzz.h"

#define PORT QF_PORT

/* All but the finisher, which would rightly end the program. */
static const struct qf_window virt_windows[] = {
    { 0x1000, 0x100 },        { 0x101000, 0x24 },       { 0x2000000, 0x40 },
    { 0x2004000, 0x40 },      { 0x200bff8, 8 },         { 0x2f00000, 0x20 },
    { 0x3000000, 0x10000 },   { 0xc000000, 0x200 },     { 0xc001000, 0x20 },
    { 0xc002000, 0x400 },     { 0xc200000, 0x8000 },    { 0x10000000, 8 },
    { 0x10001000, 0x8000 },   { 0x10100000, 0x18 },     { 0x20000000, 0x2000 },
    { 0x22000000, 0x2000 },   { 0x30000000, 0x100000 }, { 0x40000000, 0x100000 },
    { 0x80000000, 0x100000 },
};

/* A structure that begins DMA of fw_cfg: control, length, address, big-endian. */
static void fw_cfg_dma(struct qclient *q, uint64_t ram)
{
    static const uint16_t keys[] = { 0, 1, 5, 8, 0xd, 0x19, 0x20, 0x21, 0x22, 0x23, 0x28, 0xffff };
    uint32_t control = (uint32_t)QF_PICK(keys) << 16 | qf_below(32);

    qc_queue(q, "writel 0x%x 0x%x", (unsigned)ram + 0x100, GUINT32_SWAP_LE_BE(control));
    qc_queue(q, "writel 0x%x 0x%x", (unsigned)ram + 0x104,
             GUINT32_SWAP_LE_BE(qf_below(4) ? qf_below(0x3000) : (uint32_t)qf_value()));
    qc_queue(q, "writel 0x%x 0x%x", (unsigned)ram + 0x108, qf_below(8) ? 0 : (unsigned)qf_value());
    qc_queue(q, "writel 0x%x 0x%x", (unsigned)ram + 0x10c,
             GUINT32_SWAP_LE_BE((uint32_t)ram + qf_below(0x1000000)));
}

/* Begins commands of the flash, which the next writes go on with, or not; fw_cfg's DMA. */
static void prepare_virt(struct qclient *q)
{
    static const uint8_t commands[] = {
        0xff, 0x90, 0x98, 0x70, 0x50, 0x40, 0x10, 0x20, 0xe8, 0x60
    };

    for (unsigned bank = 0; bank < 2; bank++) {
        unsigned at = 0x20000000 + bank * 0x2000000 + qf_below(16) * 0x400;
        unsigned command = QF_PICK(commands) * 0x10001u;

        qc_queue(q, "writel 0x%x 0x%x", at, command);
        if (command == 0xe800e8) { /* so many words, the words, the end */
            unsigned n = qf_below(32);

            qc_queue(q, "writel 0x%x 0x%x", at, n * 0x10001u);
            for (unsigned i = 0; i <= n; i++)
                qc_queue(q, "writel 0x%x 0x%x", at + 4 * i, (unsigned)qf_value());
        }
        if (qf_below(2))
            qc_queue(q, "writel 0x%x 0xd000d0", at);
    }
    fw_cfg_dma(q, 0x80000000);
    qc_queue(q, "writel 0x10100014 0x%x", GUINT32_SWAP_LE_BE(0x80000100));
    qf_fill(q, 0x80001000, 512, 0x80000000);
}

static void test_virt(void)
{
    qf_run("-machine virt,aclint=on -arch riscv64 -smp 2 -m 16M", virt_windows,
           G_N_ELEMENTS(virt_windows), prepare_virt);
}

static const struct qf_window mmio_windows[] = {
    { 0x10001000, 0x8000 }, { 0x10001000, 0x200 },  { 0x10002000, 0x200 }, { 0x10003000, 0x200 },
    { 0x10004000, 0x200 },  { 0x10005000, 0x200 },  { 0x10006000, 0x200 }, { 0x10007000, 0x200 },
    { 0x10008000, 0x200 },  { 0x80000000, 0x8000 },
};

/* Queues of the sort that a driver sets up, with anything in the rings (virtio 1.2, 4.2.2). */
static void prepare_mmio(struct qclient *q)
{
    for (unsigned slot = 0; slot < 8; slot++) {
        unsigned at = 0x10001000 + 0x1000 * slot;

        if (qf_below(2))
            continue;
        qc_queue(q, "writel 0x%x 0", at + 0x70);
        qc_queue(q, "writel 0x%x 3", at + 0x70);
        for (unsigned half = 0; half < 2; half++) { /* some of what is offered, and VERSION_1 */
            unsigned offered;

            qc_queue(q, "writel 0x%x %u", at + 0x14, half);
            qc_settle(q);
            offered = qc_readl(q, at + 0x10);
            qc_queue(q, "writel 0x%x %u", at + 0x24, half);
            qc_queue(q, "writel 0x%x 0x%x", at + 0x20,
                     (offered & (unsigned)qf_value()) | (half && qf_below(8)));
        }
        qc_queue(q, "writel 0x%x 11", at + 0x70);
        for (unsigned i = 0; i < 4; i++) {
            qc_queue(q, "writel 0x%x %u", at + 0x30, i);
            qc_queue(q, "writel 0x%x %u", at + 0x38, 1u << qf_below(7));
            for (unsigned ring = 0; ring < 3; ring++) {
                qc_queue(q, "writel 0x%x 0x%x", at + 0x80 + 16 * ring,
                         0x80000000 + qf_below(4) * 0x1000);
                qc_queue(q, "writel 0x%x 0", at + 0x84 + 16 * ring);
            }
            qc_queue(q, "writel 0x%x 1", at + 0x44);
        }
        qc_queue(q, "writel 0x%x 15", at + 0x70);
    }
    qf_rings(q, 0x80000000);
    for (unsigned i = 0; i < 16; i++)
        qc_queue(q, "writel 0x%x %u", 0x10001050 + 0x1000 * qf_below(8), qf_below(4));
}

static void test_virt_mmio(void)
{
    char *disk = pc_image_new(1 << 20);
    g_autofree char *args =
        g_strdup_printf("-machine virt -arch riscv64 -m 16M -netdev user,id=n0 "
                        "-drive file=%s,format=raw,if=none,id=d0 "
                        "-chardev null,id=c0 -chardev null,id=c1 "
                        "-object iothread,id=io -device virtio-blk-device,drive=d0 "
                        "-device virtio-net-device,netdev=n0,iothread=io "
                        "-device virtio-serial-device -device virtconsole,chardev=c0 "
                        "-device virtserialport,chardev=c1,name=port -device virtio-rng-device "
                        "-device virtio-gpu-device -device virtio-keyboard-device "
                        "-device virtio-mouse-device -device virtio-tablet-device",
                        disk);

    qf_run(args, mmio_windows, G_N_ELEMENTS(mmio_windows), prepare_mmio);
    pc_image_free(disk);
}

static const struct qf_window spike_windows[] = {
    { 0x1000, 0x100 },   { 0x1000000, 1 }, /* fromhost; tohost behind it would end the program */
    { 0x2000000, 0x40 }, { 0x2004000, 0x40 }, { 0x200bff8, 8 }, { 0x80000000, 0x1000 },
};

/* Commands of HTIF that do not: the console's, system calls, those of no device. */
static void prepare_spike(struct qclient *q)
{
    static const uint64_t devices[] = { 0, UINT64_C(1) << 56, UINT64_C(0x101) << 48,
                                        UINT64_C(0x102) << 48, UINT64_C(2) << 56 };
    static const unsigned calls[] = { 64, 64, 63, 0, 1000 };
    unsigned at = 0x80000000 + qf_below(0x100) * 8;

    qf_fill(q, 0x80000000, 1024, 0x80000000);
    qc_queue(q, "writeq 0x%x %u", at, QF_PICK(calls));
    qc_queue(q, "writeq 0x%x %u", at + 8, qf_below(4));
    qc_queue(q, "writeq 0x%x 0x%x", at + 16, 0x80000000 + qf_below(0x1800000));
    qc_queue(q, "writeq 0x%x 0x%x", at + 24, qf_below(8) ? qf_below(300) : (unsigned)qf_value());
    qc_queue(q, "writeq 0x1000008 0x%" G_GINT64_MODIFIER "x", QF_PICK(devices) | at);
}

static void test_spike(void)
{
    qf_run("-machine spike -arch riscv64 -m 16M", spike_windows, G_N_ELEMENTS(spike_windows),
           prepare_spike);
}

static const struct qf_window pc_windows[] = {
    { PORT | 0x20, 2 },    { PORT | 0x40, 4 },      { PORT | 0x61, 1 },   { PORT | 0xe9, 1 },
    { PORT | 0x505, 1 },   { PORT | 0x441, 3 },     { PORT | 0x60, 1 },   { PORT | 0x64, 1 },
    { PORT | 0x70, 4 },    { PORT | 0xa0, 2 },      { PORT | 0x4d0, 2 },  { PORT | 0x00, 0x10 },
    { PORT | 0x80, 0x10 }, { PORT | 0xc0, 0x20 },   { PORT | 0x3f8, 8 },  { 0xfed00000, 0x160 },
    { 0xfec00000, 0x44 },  { 0xfee00000, 0x400 },   { 0xfee01000, 0x10 }, { PORT | 0x3b0, 0x30 },
    { PORT | 0x1ce, 4 },   { PORT | 0x5658, 4 },    { 0xa0000, 0x20000 }, { PORT | 0x510, 12 },
    { PORT | 0xb2, 2 },    { PORT | 0x92, 1 },      { PORT | 0x378, 8 },  { PORT | 0x700, 16 },
    { PORT | 0xe0, 20 },   { PORT | 0x608, 0x38 },  { PORT | 0xcf8, 8 },  { PORT | 0x2f8, 8 },
    { 0xff000000, 0x40 },  { PORT | 0xae00, 0x20 },
};

/* Places power management and SMBus, whose addresses are in the configuration of the PIIX4
 * (82371AB, 7.1), and begins what takes several writes: a transfer on the SMBus, commands of the
 * keyboard controller and of what is behind it, DMA of fw_cfg, VMware's backdoor. PM1 control
 * is not among the windows: it would rightly switch the PC off. */
static void prepare_pc(struct qclient *q)
{
    static const uint8_t kbd[] = { 0xf0, 0xed, 0xf3, 0xff, 0xf2, 0xf4, 0xf5 };
    static const uint8_t ctl[] = { 0x20, 0x60, 0xaa, 0xab, 0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xa8 };

    pc_config_write(q, 1, 3, 0x40, 4, 0x601);
    pc_config_write(q, 1, 3, 0x80, 1, 1);
    pc_config_write(q, 1, 3, 0x90, 4, 0x701);
    pc_config_write(q, 1, 3, 0xd2, 1, 1);
    qc_queue(q, "outb 0x703 0x%x", (unsigned)qf_value() & 0xff);
    qc_queue(q, "outb 0x704 0x%x", 0xa0 | qf_below(16));
    qc_queue(q, "outb 0x702 0x%x", 0x40 | qf_below(8) << 2);
    qc_queue(q, "outb 0x64 0x%x", QF_PICK(ctl));
    qc_queue(q, "outb 0x60 0x%x", QF_PICK(kbd));
    fw_cfg_dma(q, 0);
    qc_queue(q, "outl 0x518 0x%x", GUINT32_SWAP_LE_BE(0x100));
}

static void test_pc(void)
{
    qf_run("-machine pc -arch x86_64 -m 16M -vga std -device isa-debugcon -device pvpanic "
           "-device pc-testdev -device ib700 -chardev null,id=c0 -chardev null,id=c1 "
           "-device isa-parallel,chardev=c1 "
           "-device isa-serial,chardev=c0 -action panic=none,watchdog=none",
           pc_windows, G_N_ELEMENTS(pc_windows), prepare_pc);
}

static const struct qf_window isa_windows[] = {
    { PORT | 0x1f0, 8 },  { PORT | 0x3f6, 1 },    { PORT | 0x3f2, 4 },  { PORT | 0x378, 4 },
    { PORT | 0x300, 32 }, { PORT | 0x3b0, 0x30 }, { 0xa0000, 0x20000 }, { PORT | 0x3c4, 2 },
    { PORT | 0x3ce, 2 },  { PORT | 0x3d4, 2 },    { PORT | 0x1ce, 4 },  { PORT | 0x5658, 4 },
    { PORT | 0x60, 1 },   { PORT | 0x64, 1 },     { PORT | 0x3c8, 2 },
};

/* A packed-pixel mode of Cirrus, or one of VBE, for some of the rounds. */
static void prepare_isa(struct qclient *q)
{
    if (qf_below(2))
        return;
    qc_queue(q, "outb 0x3c2 0x67");
    qc_queue(q, "outw 0x3c4 0x1206");
    qc_queue(q, "outw 0x3c4 0x1107");
    for (unsigned reg = 1; reg < 5; reg++) {
        qc_queue(q, "outw 0x1ce %u", reg);
        qc_queue(q, "outw 0x1d0 %u",
                 reg == 3   ? 8u << qf_below(3)
                 : reg == 4 ? 1u
                            : 8 * qf_below(99));
    }
    qc_queue(q, "outb 0x3c0 0x20");
}

/* isa-fdc and isa-ide are the board's. */
static void test_isa(void)
{
    static const char *const cards[] = { "isa-vga", "isa-cirrus-vga" };
    char *disk = pc_image_new(1 << 20), *disc = pc_image_new(1 << 20);
    char *a = pc_image_new(1440 * 1024);
    g_autofree char *args = g_strdup_printf(
        "-machine isapc -arch x86_64 -m 16M -device %s "
        "-drive file=%s,format=raw,if=none,id=d0 -drive file=%s,format=raw,if=none,id=d1 "
        "-drive file=%s,format=raw,if=none,id=d2 -device ide-hd,drive=d0 "
        "-device ide-cd,drive=d1 -device floppy,drive=d2 "
        "-netdev user,id=n0 -device ne2k_isa,netdev=n0 -chardev null,id=c0 -chardev null,id=c1 "
        "-device isa-parallel,chardev=c0 -device isa-debugcon,chardev=c1",
        QF_PICK(cards), disk, disc, a);

    qf_run(args, isa_windows, G_N_ELEMENTS(isa_windows), prepare_isa);
    pc_image_free(disk);
    pc_image_free(disc);
    pc_image_free(a);
}

/* The disks' registers; bus mastering at 0xc000. */
static const struct qf_window disk_windows[] = {
    { PORT | 0x1f0, 8 }, { PORT | 0x3f6, 1 },   { PORT | 0x170, 8 },
    { PORT | 0x376, 1 }, { PORT | 0xc000, 16 }, { 0, 0x1000 },
};

/* Places the bus master's registers, which a reset takes away, and starts commands that random
 * writes would hardly come by: any ATA command, or a packet. */
static void prepare_disks(struct qclient *q)
{
    uint16_t base = qf_below(2) ? 0x1f0 : 0x170;

    pc_config_write(q, 1, 1, 0x20, 4, 0xc000);
    pc_config_write(q, 1, 1, 4, 2, 5);
    pc_out(q, 1, base + 0x206u, 0);
    pc_out(q, 1, base + 6u, 0xe0);
    pc_out(q, 1, base + 1u, qf_below(2));
    for (uint16_t i = 2; i < 6; i++)
        pc_out(q, 1, base + i, (uint8_t)qf_value());
    if (base == 0x1f0 || qf_below(2)) {
        pc_out(q, 1, base + 7u, (uint8_t)qf_value());
        return;
    }
    pc_out(q, 1, base + 7u, 0xa0);
    for (unsigned i = 0; i < 12; i += 4)
        pc_out(q, 4, base, (uint32_t)qf_value() & (i ? 0xff00ff00 : 0xffff00ff));
}

static void test_pc_disks(void)
{
    char *disk = pc_image_new(1 << 20), *disc = pc_image_new(1 << 20);
    g_autofree char *args =
        g_strdup_printf("-machine pc -arch x86_64 -m 16M -hda %s -cdrom %s", disk, disc);

    qf_run(args, disk_windows, G_N_ELEMENTS(disk_windows), prepare_disks);
    pc_image_free(disk);
    pc_image_free(disc);
}

static const struct qf_window floppy_windows[] = {
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
    pc_out(q, 1, 0x0b, qf_below(2) ? 0x46 : 0x4a);
    pc_out(q, 1, 0x0a, 2);
    pc_out(q, 1, 0x3f2, 0x1c);
    pc_out(q, 1, 0x3f5, QF_PICK(codes));
    for (unsigned i = 0; i < 4; i++)
        pc_out(q, 1, 0x3f5, qf_below(4));
}

static void test_pc_floppies(void)
{
    char *a = pc_image_new(1440 * 1024), *b = pc_image_new(720 * 1024);
    g_autofree char *args =
        g_strdup_printf("-machine pc -arch x86_64 -m 16M -fda %s -fdb %s", a, b);

    qf_run(args, floppy_windows, G_N_ELEMENTS(floppy_windows), prepare_floppies);
    pc_image_free(a);
    pc_image_free(b);
}

int main(int argc, char **argv)
{
    qf_init(&argc, &argv);
    g_test_add_func("/fuzz/virt", test_virt);
    g_test_add_func("/fuzz/virt-mmio", test_virt_mmio);
    g_test_add_func("/fuzz/spike", test_spike);
    g_test_add_func("/fuzz/pc", test_pc);
    g_test_add_func("/fuzz/isapc", test_isa);
    g_test_add_func("/fuzz/pc-disks", test_pc_disks);
    g_test_add_func("/fuzz/pc-floppies", test_pc_floppies);
    return g_test_run();
}
