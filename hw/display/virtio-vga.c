/*
 * `virtio-vga`: a VGA for firmware and boot loaders, and a virtio GPU for the guest's driver, in
 * one PCI function. The first console shows the VGA until the driver has something to show.
 *
 * BAR 0 is the display memory, BAR 2 the VGA's registers as in `VGA`; virtio has BARs 1 and 4.
 */
#include "vga.h"
#include "virtio-gpu.h"

#include <hw/virtio/types.h>

struct virtio_vga {
    union {
        struct virtio v;
        struct gpu gpu;
    };
    struct vga vga;
    bool by_driver;
};

/* Until the driver is there, a size has no one to go to. */
static void wanted_size(void *opaque, unsigned width, unsigned height)
{
    struct virtio_vga *d = opaque;

    gpu_console_ops.wanted_size(&d->gpu.scanouts[0], width, height);
}

static void refresh(void *opaque)
{
    struct virtio_vga *d = opaque;

    if (!d->by_driver)
        vga_console_ops.refresh(&d->vga);
}

static const struct console_ops both_ops = { .refresh = refresh, .wanted_size = wanted_size };

static void taken_over(struct gpu *g, bool by_driver)
{
    struct virtio_vga *d = (struct virtio_vga *)g;

    d->by_driver = by_driver;
    d->vga.redraw = true;
}

static bool realize(struct device *dev, GError **err)
{
    struct virtio_vga *d = (struct virtio_vga *)dev;

    if (!virtio_pci_realize(dev, err))
        return false;
    if (!vga_init(&d->vga, dev, err)) {
        virtio_pci_unrealize(dev);
        return false;
    }
    /* the VGA draws on the GPU's first head */
    console_remove(d->vga.con);
    d->vga.con = d->gpu.scanouts[0].con;
    console_set_ops(d->vga.con, &both_ops, d);
    d->gpu.taken_over = taken_over;
    vga_place(&d->vga, d->v.pci.bus->io, d->v.pci.bus->mmio);
    pci_add_bar(&d->v.pci, 0, PCI_BAR_MEM32 | PCI_BAR_PREFETCH, &d->vga.vram);
    return true;
}

static void unrealize(struct device *dev)
{
    struct virtio_vga *d = (struct virtio_vga *)dev;

    d->vga.con = NULL; /* the GPU's */
    vga_destroy(&d->vga);
    virtio_pci_unrealize(dev);
}

static void reset(struct device *dev)
{
    struct virtio_vga *d = (struct virtio_vga *)dev;

    virtio_pci_reset(dev);
    vga_reset(&d->vga);
}

static const struct prop virtio_vga_props[] = {
    GPU_PROPS(struct virtio_vga, gpu), VGA_PROPS(struct virtio_vga, vga),
    VIRTIO_PROPS(struct virtio_vga), VIRTIO_PCI_PROPS(struct virtio_vga), PROP_LIST_END
};

static const struct state_field fields[] = { STATE_STRUCT(struct virtio_vga, gpu, gpu_state),
                                             STATE_STRUCT(struct virtio_vga, vga, vga_state),
                                             STATE_END };
static const struct state_table virtio_vga_state = { .name = "virtio-vga",
                                                     .version = 1,
                                                     .fields = fields };

static const struct virtio_pci_info virtio_vga_info = {
    .pci = { .vendor = VIRTIO_PCI_VENDOR,
             .device = VIRTIO_PCI_BASE + VIRTIO_ID_GPU,
             .subvendor = VIRTIO_PCI_VENDOR,
             .subdevice = 0x1100,
             .revision = 1,
             .rom = "vga-bios.bin",
             .class_code = { 0x00, 0x00, 0x03 },
             .pin = 1 },
    .cls = &gpu_class,
    .mode = VIRTIO_PCI_MODERN,
};

const struct device_type virtio_vga_type = {
    .name = "virtio-vga",
    .help = "VGA and virtio graphics card",
    .bus = BUS_PCI,
    .size = sizeof(struct virtio_vga),
    .category = "display",
    .realize = realize,
    .reset = reset,
    .unrealize = unrealize,
    .props = virtio_vga_props,
    .state = &virtio_vga_state,
    .bus_info = &virtio_vga_info,
};
