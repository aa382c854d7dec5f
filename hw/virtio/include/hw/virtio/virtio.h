/*
 * Virtio 1.2 devices: what every device shares, whichever transport it hangs on. Transports also
 * have the legacy interface, that of before 1.0, where the driver's features tell which rules hold;
 * its numbers are in the guest's byte order, which is little-endian in all guests there are.
 *
 * A device is a struct that begins with struct virtio, and a `const struct virtio_class`. The
 * transport (a virtio-mmio slot, a PCI function) is chosen by the device type, of which there is
 * one for each; see VIRTIO_DEVICE_TYPES in hw/virtio/types.h.
 *
 *     static void rng_kick(struct virtqueue *q)
 *     {
 *         struct virtq_elem e;
 *
 *         while (virtq_pop(q, &e))
 *             virtq_push(&e, fill(&e));
 *         virtq_notify(q);
 *     }
 *
 * Everything a driver puts into rings is checked here: a driver that breaks the rules makes the
 * device "broken" (DEVICE_NEEDS_RESET, 2.1.2), after which it does nothing until it is reset.
 *
 * Threads: transports call in with the device lock held. Queue handlers run in the main loop, some
 * time after the driver's notification, or within it (virtio_class.prompt), or in the iothread that
 * the device was given. Then status, features, configuration and queues are guarded by the
 * iothread's lock (base/iocontext.h), which transports take inside of the device lock
 * (virtio_lock()); all else stays with the device lock. Handlers in an iothread never take that
 * one: rings and buffers that are not in RAM make the device broken, and interrupts go by an event
 * of the accelerator's, or by the main loop (iothread.c).
 */
#ifndef HW_VIRTIO_VIRTIO_H
#define HW_VIRTIO_VIRTIO_H

#include <sys/uio.h>
#include <base/iocontext.h>
#include <hw/core/machine.h>
#include <hw/pci/pci.h>

/* Device ids (5). */
enum virtio_id {
    VIRTIO_ID_NET = 1,
    VIRTIO_ID_BLOCK = 2,
    VIRTIO_ID_CONSOLE = 3,
    VIRTIO_ID_RNG = 4,
    VIRTIO_ID_GPU = 16,
    VIRTIO_ID_INPUT = 18,
};

/* Bits of the device status (2.1). */
#define VIRTIO_S_ACKNOWLEDGE 1
#define VIRTIO_S_DRIVER      2
#define VIRTIO_S_DRIVER_OK   4
#define VIRTIO_S_FEATURES_OK 8
#define VIRTIO_S_NEEDS_RESET 64
#define VIRTIO_S_FAILED      128

/* Feature bits that are not a device's own (6). */
#define VIRTIO_F_ANY_LAYOUT    27 /* legacy */
#define VIRTIO_F_INDIRECT_DESC 28
#define VIRTIO_F_EVENT_IDX     29
#define VIRTIO_F_VERSION_1     32
#define VIRTIO_F_RING_PACKED   34
#define VIRTIO_F_RING_RESET    40

#define VIRTIO_PCI_WINDOWS  4 /* common, ISR, device, notify */
#define VIRTIO_QUEUES_MAX   64
#define VIRTQ_SIZE_MAX      1024
#define VIRTIO_CONFIG_MAX   256
#define VIRTIO_NO_VECTOR    0xffff
#define VIRTIO_LEGACY_ALIGN 4096 /* of rings in the legacy interface */
#define VIRTQ_IOV_SMALL     12
#define VIRTQ_IOV_MAX       1024      /* pieces of memory in one element */
#define VIRTQ_BOUNCE_MAX    (1 << 20) /* bytes of one element that are not RAM */
#define VIRTIO_ISR_QUEUE    1
#define VIRTIO_ISR_CONFIG   2

struct virtio;
struct virtqueue;
struct virtq_bounce;

/* A buffer that the driver made available: n_out pieces to read, then n_in to write. Embedded by
 * the device; filled by virtq_pop(), given back by virtq_push(). */
struct virtq_elem {
    struct virtqueue *q;
    uint16_t id;    /* by which the driver knows it */
    uint16_t slot;  /* where in the ring it began */
    uint16_t slots; /* entries of the ring it takes */
    unsigned n_out, n_in;
    uint64_t out_len, in_len; /* bytes */
    struct iovec *iov;
    unsigned room; /* of iov */
    struct virtq_bounce *bounces;
    struct iovec small[VIRTQ_IOV_SMALL];
};

static inline const struct iovec *virtq_out(const struct virtq_elem *e)
{
    return e->iov;
}

static inline const struct iovec *virtq_in(const struct virtq_elem *e)
{
    return e->iov + e->n_out;
}

struct virtq_used {
    uint16_t id, slots;
    uint32_t len;
};

typedef void virtq_handler(struct virtqueue *q);

struct virtqueue {
    struct virtio *v;
    virtq_handler *handler;
    unsigned index;
    uint16_t max; /* entries at most, 0: there is no such queue */
    uint16_t num; /* entries as the driver wants it */
    bool enabled;
    uint64_t desc, driver, device; /* guest addresses of the three parts (2.6) */
    uint16_t vector;               /* of MSI-X */
    uint16_t avail, used;          /* split: free-running indices; packed: positions */
    uint16_t signalled;            /* split: used index at the last look at used_event */
    bool signalled_valid;
    bool avail_wrap, used_wrap; /* packed (2.8.1) */
    bool kicks_off;             /* the driver was told not to notify */
    uint16_t inflight;          /* ring entries popped and not pushed */
    uint16_t unsignalled;       /* packed: entries used since the last look */
    unsigned n_pending;         /* filled and not flushed */
    struct virtq_used *pending; /* room for max */
    /* In an iothread: the accelerator's line for its interrupts, -1 for none, and what it is for */
    int irq_fd, irq_line;
    uint64_t irq_addr;
    uint32_t irq_data;
};

struct virtio_transport {
    /* Tells the driver that something was used, or that the configuration changed. */
    void (*queue_irq)(struct virtio *v, struct virtqueue *q);
    void (*config_irq)(struct virtio *v);
    /* The message that queue_irq() would send now; false: it does not send one. May be NULL. */
    bool (*queue_message)(struct virtio *v, const struct virtqueue *q, uint64_t *addr,
                          uint32_t *data);
    /* After the device was reset by status or by the machine. */
    void (*was_reset)(struct virtio *v);
};

struct virtio_class {
    const char *name; /* "virtio-blk" */
    enum virtio_id id;
    /* The device's own feature bits, after realize. */
    uint64_t (*features)(const struct virtio *v);
    /* Adds queues, sets config_len and fills config. */
    bool (*realize)(struct virtio *v, GError **err);
    void (*unrealize)(struct virtio *v);
    /* Drops everything popped; queues are not yet reset. May be NULL, as all below. */
    void (*reset)(struct virtio *v);
    void (*queue_reset)(struct virtio *v, struct virtqueue *q);
    /* The driver said DRIVER_OK. */
    void (*start)(struct virtio *v);
    /* Brings v->config up to date before it is read. */
    void (*get_config)(struct virtio *v);
    /* The driver wrote `size` bytes (1, 2, 4) at `offset`, all within config_len. */
    void (*set_config)(struct virtio *v, unsigned offset, unsigned size, uint32_t value);
    unsigned vectors; /* MSI-X vectors by default */
    /* Handlers run as part of the driver's notification: their work is short, or what the CPU waits
     * for anyway. */
    bool prompt;
    /* Handlers run, and memory is touched, only while the machine runs. Both are called with the
     * lock of v->io held: the first is to see to it that nothing is under way any more. */
    bool holds_still;
    void (*stopped)(struct virtio *v);
    void (*resumed)(struct virtio *v);
};

/* What a CPU touches that notifies: lives on until no window shows the device any more. */
struct virtio_kicks {
    uint64_t queues; /* atomic; bit for each queue that waits for its handler */
    GMainContext *context;
    GSource *source; /* runs the handlers, in the main loop or the iothread */
};

struct virtio {
    union {
        struct device dev;
        struct pci_device pci; /* on PCI */
    };
    const struct virtio_class *cls;
    const struct virtio_transport *transport;
    void *transport_data;
    struct address_space *as;
    mem_attrs attrs;
    bool dma_off;                       /* the bus does not let the device access memory */
    bool legacy_only;                   /* there is no other interface */
    bool legacy;                        /* the driver came by the legacy one */
    uint32_t legacy_page, legacy_align; /* MMIO: bytes by which rings are placed */

    uint8_t status, isr;
    bool broken;
    uint64_t driver_features;
    uint32_t device_sel, driver_sel; /* which 32 feature bits the registers show */
    uint16_t queue_sel;
    uint16_t config_vector;
    uint32_t generation; /* of config */
    uint8_t config[VIRTIO_CONFIG_MAX];
    unsigned config_len;

    uint32_t n_queues;
    struct virtqueue *queues;
    struct virtio_kicks *kicks;
    struct object *iothread; /* property of some devices, or NULL */
    struct io_context *io;   /* where queue handlers run */
    bool held;               /* kicks are left alone (virtio_hold_begin()) */
    GSource *irq_source;     /* in the main loop, for interrupts that an iothread asks for: */
    uint64_t irqs;           /* atomic; bit for each queue */
    bool config_irq_due;     /* atomic */

    /* PCI: BAR 0 where there is a legacy interface; BAR 4, and the capability for access by
     * configuration space */
    struct mem_region legacy_io, modern, windows[VIRTIO_PCI_WINDOWS];
    uint8_t pci_cap;

    /* properties */
    bool indirect_desc, event_idx, packed, queue_reset;
    bool disable_modern, ioeventfd;
    int disable_legacy;
    uint32_t vectors;
};

/* Rows for the property tables of all devices; T is the device's struct, beginning with v. */
#define VIRTIO_PROPS(T)                                                                         \
    PROP_BOOL(T, v.indirect_desc, "indirect_desc", true, "descriptors in tables of their own"), \
        PROP_BOOL(T, v.event_idx, "event_idx", true, "suppress notifications by index"),        \
        PROP_BOOL(T, v.packed, "packed", false, "packed rings"),                                \
        PROP_BOOL(T, v.queue_reset, "queue_reset", true, "queues can be reset one by one")

/* Those of PCI functions, besides. Notifications never wait for a device, so ioeventfd means
 * nothing; it is taken for the sake of scripts that set it. */
#define VIRTIO_PCI_PROPS(T)                                                                       \
    PROP_ONOFFAUTO(T, v.disable_legacy, "disable-legacy", AUTO, "no interface of before 1.0"),    \
        PROP_BOOL(T, v.disable_modern, "disable-modern", false, "no interface of 1.0 and later"), \
        PROP_U32(T, v.vectors, "vectors", UINT32_MAX, "MSI-X vectors; 4294967295: as it fits"),   \
        PROP_BOOL(T, v.ioeventfd, "ioeventfd", true, "without effect: it is always so")

/* Row for the state tables of all devices. */
extern const struct state_table virtio_state;
#define VIRTIO_STATE(T) STATE_STRUCT(T, v, virtio_state)

/* ---- for devices ---- */

/* In realize: the next queue, of at most `size` entries (a power of two up to VIRTQ_SIZE_MAX). */
struct virtqueue *virtio_add_queue(struct virtio *v, unsigned size, virtq_handler *handler);
static inline bool virtio_has(const struct virtio *v, unsigned feature)
{
    return v->driver_features >> feature & 1;
}
/* Whether the driver goes by the rules of 1.0 and later. */
static inline bool virtio_modern(const struct virtio *v)
{
    return virtio_has(v, VIRTIO_F_VERSION_1);
}
/* Whether the driver is running and the device works. */
bool virtio_running(const struct virtio *v);
/* Tells the driver to look at config anew; v->config is already changed. */
void virtio_config_changed(struct virtio *v);
/* The lock of what handlers work with, for who holds the device lock; nests. */
static inline bool virtio_lock(struct virtio *v)
{
    return io_lock_if(v->io);
}
static inline void virtio_unlock(struct virtio *v, bool taken)
{
    io_unlock_if(v->io, taken);
}
/* The driver broke a rule: stops the device until it is reset. */
void virtio_broken(struct virtio *v, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* The next available buffer; false when there is none (or the device is broken). */
bool virtq_pop(struct virtqueue *q, struct virtq_elem *e) __attribute__((warn_unused_result));
/* Gives the buffer back with `len` bytes written; the driver sees it at once. */
void virtq_push(struct virtq_elem *e, uint64_t len);
/* The same in two steps: what was filled is seen by the driver, all at once, after a flush. */
void virtq_fill(struct virtq_elem *e, uint64_t len);
void virtq_flush(struct virtqueue *q);
/* Forgets the buffer without giving it back; for resets. */
void virtq_drop(struct virtq_elem *e);
/* Undoes virtq_pop() of the elements popped last, in reverse order of popping. */
void virtq_unpop(struct virtq_elem *e);
/* Pops again an element that was in flight when the state was saved. */
bool virtq_restore(struct virtqueue *q, struct virtq_elem *e, uint16_t slot)
    __attribute__((warn_unused_result));
/* An interrupt, if the driver wants one for what was flushed. */
void virtq_notify(struct virtqueue *q);
/* Whether there is nothing to pop. */
bool virtq_empty(struct virtqueue *q);
/* Switches the driver's notifications; virtq_kicks_on() returns false when buffers came meanwhile,
 * which will not be notified of. */
void virtq_kicks_off(struct virtqueue *q);
bool virtq_kicks_on(struct virtqueue *q) __attribute__((warn_unused_result));
static inline bool virtq_ready(const struct virtqueue *q)
{
    return q->enabled && virtio_running(q->v);
}

/* Bytes between a buffer and pieces of memory, from byte `skip` of the pieces; returns how many
 * there were. */
size_t iov_get(const struct iovec *iov, unsigned n, size_t skip, void *buf, size_t len);
size_t iov_put(const struct iovec *iov, unsigned n, size_t skip, const void *buf, size_t len);
size_t iov_bytes(const struct iovec *iov, unsigned n);

/* ---- for transports ---- */

bool virtio_init(struct virtio *v, const struct virtio_class *cls,
                 const struct virtio_transport *transport, void *data, GError **err)
    __attribute__((warn_unused_result));
void virtio_destroy(struct virtio *v);
void virtio_reset(struct virtio *v);
uint64_t virtio_features(const struct virtio *v);
/* The 32 bits that device_sel and driver_sel name. */
uint32_t virtio_get_features(const struct virtio *v);
uint32_t virtio_get_driver_features(const struct virtio *v);
void virtio_set_features(struct virtio *v, uint32_t value);
/* The legacy interface's: no more than what is offered there. */
uint32_t virtio_legacy_features(const struct virtio *v);
void virtio_legacy_set_features(struct virtio *v, uint32_t value);
void virtio_legacy_set_status(struct virtio *v, uint8_t status);
void virtio_set_status(struct virtio *v, uint8_t status);
/* The queue that queue_sel names; NULL: none. */
struct virtqueue *virtio_queue(struct virtio *v);
void virtq_set_num(struct virtqueue *q, uint32_t num);
/* Low or high half of one of desc, driver, device. */
void virtq_set_addr(struct virtqueue *q, uint64_t *addr, bool high, uint32_t value);
void virtq_enable(struct virtqueue *q, bool on);
/* Legacy: where all parts of a ring lie, one behind the other (2.7.2), the used ring at the next
 * multiple of `align`, a power of two. 0 gives the queue up. */
void virtq_set_base(struct virtqueue *q, uint64_t base, uint32_t align);
void virtq_reset(struct virtqueue *q);
/* The driver's notification of queue `n`. */
void virtio_notified(struct virtio *v, uint32_t n);
/* Has queue `n`'s handler run from the main loop, or the iothread. */
void virtio_kick(struct virtio *v, uint32_t n);
/* The place in a transport's window where the driver notifies (mem/region.h): CPUs do not take the
 * device lock there unless the class is prompt. */
void virtio_set_bells(struct virtio *v, struct mem_region *window, uint64_t first, uint32_t step,
                      bool by_value);
/* What transport->queue_message() says may have changed. Device lock held. */
void virtio_route_irqs(struct virtio *v);
uint32_t virtio_config_read(struct virtio *v, uint64_t offset, unsigned size);
void virtio_config_write(struct virtio *v, uint64_t offset, unsigned size, uint32_t value);

#endif
