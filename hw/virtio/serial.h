/* The virtio console device and its ports: what its files share. */
#ifndef HW_VIRTIO_SERIAL_H
#define HW_VIRTIO_SERIAL_H

#include <chardev/chardev.h>
#include <hw/virtio/virtio.h>

#define SERIAL_PORTS_MAX 31

enum { SERIAL_F_MULTIPORT = 1 };

extern const struct bus_type virtio_serial_bus_type;

struct serial_port;

struct vserial {
    struct virtio v;
    struct bus bus;
    struct serial_port *ports[SERIAL_PORTS_MAX];
    GQueue control; /* of GBytes: messages for the driver that wait for buffers */
    bool driver_ready;
    uint32_t max_ports;
};

struct serial_port {
    struct device dev;
    struct vserial *serial;
    struct chardev *chr;
    struct chardev_fe fe;
    char *name;
    uint32_t nr;
    bool is_console;
    bool guest_open; /* somebody in the guest has it open */
    bool has_rx, has_tx;
    struct virtq_elem rx, tx; /* taken and not yet given back */
    uint64_t tx_done;         /* bytes of tx that are sent */
};

struct virtqueue *serial_queue(struct vserial *s, unsigned port, bool tx);
/* The driver's buffers on a port's queues. */
void serial_port_kick_rx(struct serial_port *p);
void serial_port_kick_tx(struct serial_port *p);
/* Gives up what was taken from the rings; `undo`: so that it is taken again. */
void serial_port_drop(struct serial_port *p, bool undo);
void serial_port_set_open(struct serial_port *p, bool open);
/* The other end is there or not: the driver is told. */
void serial_tell_open(struct vserial *s, const struct serial_port *p, bool open);
/* A port comes or goes. */
bool serial_add_port(struct vserial *s, struct serial_port *p, GError **err);
void serial_remove_port(struct vserial *s, struct serial_port *p);

#endif
