/* The members of Intel's 8255x family: a row each. To add one: its row, and its DEVICE() line. */
#include "i8255x.h"

static const struct prop props[] = { NIC_PROPS(struct i8255x, netdev, mac), PROP_LIST_END };

#define I8255X(ident, nm, dev, rev, later, subven, subdev)                     \
    static const struct i8255x_info ident##_info = {                           \
        .pci = { .vendor = 0x8086,                                             \
                 .device = dev,                                                \
                 .subvendor = subven,                                          \
                 .subdevice = subdev,                                          \
                 .revision = rev,                                              \
                 .class_code = { 0x00, 0x00, 0x02 }, /* Ethernet controller */ \
                 .pin = 1,                                                     \
                 .rom = "efi-eepro100.rom" },                                  \
        .extended = later,                                                     \
    };                                                                         \
    const struct device_type ident##_type = {                                  \
        .name = #ident,                                                        \
        .help = "Intel " nm " Fast Ethernet",                                  \
        .bus = BUS_PCI,                                                        \
        .size = sizeof(struct i8255x),                                         \
        .category = "network",                                                 \
        .realize = i8255x_realize,                                             \
        .reset = i8255x_reset,                                                 \
        .unrealize = i8255x_unrealize,                                         \
        .props = props,                                                        \
        .state = &i8255x_state,                                                \
        .bus_info = &ident##_info,                                             \
    };

I8255X(i82550, "82550", 0x1209, 0x0e, true, 0x1af4, 0x1100)
I8255X(i82551, "82551", 0x1209, 0x0f, true, 0x1af4, 0x1100)
I8255X(i82557a, "82557A", 0x1229, 0x01, false, 0x1af4, 0x1100)
I8255X(i82557b, "82557B", 0x1229, 0x02, false, 0x1af4, 0x1100)
I8255X(i82557c, "82557C", 0x1229, 0x03, false, 0x1af4, 0x1100)
I8255X(i82558a, "82558A", 0x1229, 0x04, true, 0x1af4, 0x1100)
I8255X(i82558b, "82558B", 0x1229, 0x05, true, 0x1af4, 0x1100)
I8255X(i82559a, "82559A", 0x1229, 0x06, true, 0x1af4, 0x1100)
I8255X(i82559b, "82559B", 0x1229, 0x07, true, 0x1af4, 0x1100)
I8255X(i82559c, "82559C", 0x1229, 0x0c, true, 0x8086, 0x0040)
I8255X(i82559er, "82559ER", 0x1209, 0x09, true, 0x1af4, 0x1100)
I8255X(i82562, "82562", 0x1209, 0x0e, true, 0x1af4, 0x1100)
I8255X(i82801, "82801 (ICH)", 0x2449, 0x03, true, 0x1af4, 0x1100)
