/*
 * Device types of a virtio device: one for each transport, from one description.
 *
 *     #define RNG_PROPS PROP_..., PROP_...
 *     VIRTIO_DEVICE_TYPES(rng, struct rng, "virtio-rng", rng_class, VIRTIO_ID_RNG, 0x00, 0xff,
 *                         RNG_PROPS, rng_state, "random numbers", "misc")
 *
 * (0x00, 0xff: base class and subclass on PCI) makes virtio_rng_device_type ("virtio-rng-device"),
 * virtio_rng_pci_type ("virtio-rng-pci"), virtio_rng_pci_transitional_type
 * ("virtio-rng-pci-transitional") and virtio_rng_pci_modern_type
 * ("virtio-rng-pci-non-transitional"), each of which wants its line in hw/devices.def.
 */
#ifndef HW_VIRTIO_TYPES_H
#define HW_VIRTIO_TYPES_H

#include <hw/virtio/mmio.h>
#include <hw/virtio/pci.h>
#include <hw/virtio/virtio.h>

/* 4.1.2: device ids of modern functions begin at 0x1040. */
#define VIRTIO_PCI_VENDOR 0x1af4
#define VIRTIO_PCI_BASE   0x1040

#define VIRTIO_DEVICE_TYPES(ident, T, nm, class, vid, base, subclass, own_props, table, hlp, cat) \
    VIRTIO_MMIO_TYPE_(ident, T, nm, class, table, hlp, cat, own_props)                            \
    VIRTIO_PCI_TYPE_(ident, _pci, T, nm "-pci", nm, class, vid, base, subclass, table,            \
                     hlp " (virtio-pci)", cat, VIRTIO_PCI_ANY)                                    \
    VIRTIO_PCI_TYPE_(ident, _pci_transitional, T, nm "-pci-transitional", NULL, class, vid, base, \
                     subclass, table, hlp " (virtio-pci, both interfaces)", cat,                  \
                     VIRTIO_PCI_TRANSITIONAL)                                                     \
    VIRTIO_PCI_TYPE_(ident, _pci_modern, T, nm "-pci-non-transitional", NULL, class, vid, base,   \
                     subclass, table, hlp " (virtio-pci, never the old interface)", cat,          \
                     VIRTIO_PCI_MODERN)

/* The same for devices that there never were before 1.0: "-device" and "-pci". */
#define VIRTIO_MODERN_TYPES(ident, T, nm, class, vid, base, subclass, own_props, table, hlp, cat) \
    VIRTIO_MMIO_TYPE_(ident, T, nm, class, table, hlp, cat, own_props)                            \
    VIRTIO_PCI_TYPE_(ident, _pci, T, nm "-pci", NULL, class, vid, base, subclass, table,          \
                     hlp " (virtio-pci)", cat, VIRTIO_PCI_MODERN)

/* Also the properties of the PCI functions. The own properties come last, as they have commas. */
#define VIRTIO_MMIO_TYPE_(ident, T, nm, class, table, hlp, cat, ...)                       \
    static const struct prop ident##_mmio_props[] = { __VA_ARGS__, VIRTIO_PROPS(T),        \
                                                      PROP_LIST_END };                     \
    static const struct prop ident##_pci_props[] = { __VA_ARGS__, VIRTIO_PROPS(T),         \
                                                     VIRTIO_PCI_PROPS(T), PROP_LIST_END }; \
    const struct device_type virtio_##ident##_device_type = {                              \
        .name = nm "-device",                                                              \
        .help = hlp " (virtio-mmio)",                                                      \
        .bus = BUS_VIRTIO,                                                                 \
        .size = sizeof(T),                                                                 \
        .category = cat,                                                                   \
        .realize = virtio_mmio_realize,                                                    \
        .reset = virtio_mmio_reset,                                                        \
        .unrealize = virtio_mmio_unrealize,                                                \
        .props = ident##_mmio_props,                                                       \
        .state = &(table),                                                                 \
        .bus_info = &(class),                                                              \
    };

#define VIRTIO_PCI_TYPE_(ident, kind, T, nm, other, class, vid, base, subclass, table, hlp, cat, \
                         which)                                                                  \
    static const struct virtio_pci_info ident##kind##_info = {                                   \
        .pci = { .vendor = VIRTIO_PCI_VENDOR,                                                    \
                 .device = VIRTIO_PCI_BASE + vid,                                                \
                 .subvendor = VIRTIO_PCI_VENDOR,                                                 \
                 .subdevice = 0x1100,                                                            \
                 .revision = 1,                                                                  \
                 .class_code = { 0x00, subclass, base },                                         \
                 .pin = 1,                                                                       \
                 .rom = (vid) == VIRTIO_ID_NET ? "efi-virtio.rom" : NULL },                      \
        .cls = &(class),                                                                         \
        .mode = which,                                                                           \
    };                                                                                           \
    const struct device_type virtio_##ident##kind##_type = {                                     \
        .name = nm,                                                                              \
        .alias = other,                                                                          \
        .help = hlp,                                                                             \
        .bus = BUS_PCI,                                                                          \
        .size = sizeof(T),                                                                       \
        .category = cat,                                                                         \
        .realize = virtio_pci_realize,                                                           \
        .reset = virtio_pci_reset,                                                               \
        .unrealize = virtio_pci_unrealize,                                                       \
        .props = ident##_pci_props,                                                              \
        .state = &(table),                                                                       \
        .bus_info = &ident##kind##_info,                                                         \
    };

#endif
