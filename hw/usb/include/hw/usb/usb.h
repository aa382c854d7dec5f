/*
 * USB 1.1: devices, ports, and transfers between a host controller and a device (Universal Serial
 * Bus Specification 1.1).
 *
 * A device is a struct that begins with struct usb_device; its type names a struct usb_info as
 * bus_info, from which descriptors and standard requests are answered here. The controller hands in
 * one packet at a time; every device answers at once, with NAK when it has nothing.
 *
 *     n = usb_packet(dev, USB_IN, 1, buf, sizeof(buf));
 *
 * Device lock throughout.
 */
#ifndef HW_USB_USB_H
#define HW_USB_USB_H

#include <hw/core/machine.h>

extern const struct bus_type usb_bus_type;
#define BUS_USB (&usb_bus_type)

enum usb_pid { USB_SETUP = 0x2d, USB_IN = 0x69, USB_OUT = 0xe1 };
/* Results other than a number of bytes. */
enum { USB_NAK = -1, USB_STALL = -2, USB_NOBODY = -3, USB_BABBLE = -4 };
enum { USB_PORTS_MAX = 8, USB_ADDRESSES = 128, USB_CONTROL_MAX = 1024, USB_DEPTH_MAX = 5 };

/* 9.3: a setup packet. */
struct usb_setup {
    uint8_t type, request;
    uint16_t value, index, length;
};
enum { USB_DIR_IN = 0x80, USB_TYPE_MASK = 0x60, USB_TYPE_CLASS = 0x20, USB_TO_MASK = 0x1f };

struct usb_device;

/* bus_info of device types. */
struct usb_info {
    const uint8_t *device;      /* descriptors (9.6), as they go over the wire */
    const uint8_t *config;      /* with interfaces, endpoints and classes; its length is in it */
    const char *const *strings; /* by index from 1, NULL at the end */
    bool low_speed;
    /* Requests that the standard leaves to classes: fills or reads `data` of setup->length bytes.
     * The number of bytes, or USB_STALL. */
    int (*control)(struct usb_device *d, const struct usb_setup *s, uint8_t *data);
    /* A packet for an endpoint other than 0; bytes, or a result. */
    int (*data)(struct usb_device *d, enum usb_pid pid, unsigned ep, uint8_t *buf, size_t len);
    /* The bus was reset, or the configuration set. May be NULL. */
    void (*reset)(struct usb_device *d);
};

/* A place to plug a device in. */
struct usb_port {
    struct usb_device *dev; /* NULL: empty */
    /* Something was plugged in or out. */
    void (*changed)(struct usb_port *p);
    /* Its device signals resume (11.9), which it does whether the port sleeps or not. */
    void (*resume)(struct usb_port *p);
    void *opaque;
    unsigned number; /* from 1 */
};

/* Ports of a controller or a hub. */
struct usb_ports {
    struct usb_port port[USB_PORTS_MAX];
    unsigned n;
};

struct usb_bus {
    struct bus bus;
    struct usb_ports *root;
};

enum usb_stage { STAGE_IDLE, STAGE_IN, STAGE_OUT, STAGE_STATUS_IN, STAGE_STATUS_OUT };

struct usb_device {
    struct device dev;
    const struct usb_info *info;
    struct usb_port *port;
    struct usb_ports *hub; /* its own ports, where it is a hub */
    char *path;            /* property port=: "1.2" */
    char *serial;

    uint8_t address, configuration, pending_address;
    bool remote_wakeup;
    uint16_t halted; /* bit for each endpoint number, of either direction */
    uint8_t stage;   /* enum usb_stage */
    struct usb_setup setup;
    uint8_t data[USB_CONTROL_MAX];
    uint32_t data_len, data_at;
};

extern const struct state_table usb_device_state;
#define USB_STATE(T) STATE_STRUCT(T, usb, usb_device_state)

/* ---- for controllers and hubs ---- */

void usb_bus_init(struct usb_bus *b, struct device *host, const char *name, struct usb_ports *root);
void usb_ports_init(struct usb_ports *p, unsigned n, void (*changed)(struct usb_port *p),
                    void (*resume)(struct usb_port *p), void *opaque);
/* A bus reset by the port: address 0. */
void usb_reset(struct usb_device *d);
/* Who answers to an address behind these ports, of those for which enabled() says so; NULL: nobody.
 */
struct usb_device *usb_find(struct usb_ports *p, unsigned address,
                            bool (*enabled)(const struct usb_port *p));
/* One transaction: bytes moved (IN: into buf, at most len), or a result. */
int usb_packet(struct usb_device *d, enum usb_pid pid, unsigned ep, uint8_t *buf, size_t len);

/* For devices: there is something to fetch. Wakes a host that allowed it, where the bus sleeps. */
void usb_wakeup(struct usb_device *d);

/* usb-hub.c: whether the hub lets the port through. */
bool usb_hub_enabled(const struct usb_port *p);

#endif
