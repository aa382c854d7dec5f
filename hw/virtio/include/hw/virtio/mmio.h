/*
 * The virtio-mmio transport (virtio 1.2, 4.2): a window of 0x200 bytes with one interrupt line and
 * a bus that takes one device. Boards make the slots ("virtio-mmio"), users plug devices into them.
 */
#ifndef HW_VIRTIO_MMIO_H
#define HW_VIRTIO_MMIO_H

#include <hw/core/bus.h>

extern const struct bus_type virtio_bus_type;
#define BUS_VIRTIO (&virtio_bus_type)

#define VIRTIO_MMIO_SIZE 0x200

/* Of device types on that bus, whose bus_info is their struct virtio_class. */
bool virtio_mmio_realize(struct device *dev, GError **err);
void virtio_mmio_unrealize(struct device *dev);
void virtio_mmio_reset(struct device *dev);

#endif
