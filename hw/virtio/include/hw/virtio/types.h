/*
 * Device types of a virtio device: one for each transport, from one description.
 *
 *     VIRTIO_DEVICE_TYPES(rng, struct rng, "virtio-rng", rng_class, rng_props, rng_state,
 *                         "random numbers", "misc")
 *
 * makes virtio_rng_device_type ("virtio-rng-device").
 */
#ifndef HW_VIRTIO_TYPES_H
#define HW_VIRTIO_TYPES_H

#include <hw/virtio/mmio.h>
#include <hw/virtio/virtio.h>

#define VIRTIO_DEVICE_TYPES(ident, T, nm, class, own_props, table, hlp, cat) \
    const struct device_type virtio_##ident##_device_type = {                \
        .name = nm "-device",                                                \
        .help = hlp " (virtio-mmio)",                                        \
        .bus = BUS_VIRTIO,                                                   \
        .size = sizeof(T),                                                   \
        .category = cat,                                                     \
        .realize = virtio_mmio_realize,                                      \
        .reset = virtio_mmio_reset,                                          \
        .unrealize = virtio_mmio_unrealize,                                  \
        .props = own_props,                                                  \
        .state = &(table),                                                   \
        .bus_info = &(class),                                                \
    }

#endif
