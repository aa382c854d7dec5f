/* What the files of hw/virtio share about rings. */
#ifndef HW_VIRTIO_PRIVATE_H
#define HW_VIRTIO_PRIVATE_H

#include <hw/virtio/virtio.h>

#define VIRTQ_DESC_NEXT     1
#define VIRTQ_DESC_WRITE    2
#define VIRTQ_DESC_INDIRECT 4
#define VIRTQ_DESC_SIZE     16

/* The two layouts of a ring (2.7, 2.8). */
struct virtq_layout {
    bool (*empty)(struct virtqueue *q);
    /* Takes the element at `slot`; false after virtio_broken(). */
    bool (*take)(struct virtqueue *q, uint16_t slot, struct virtq_elem *e);
    /* Finds the slot of the next element; false: none, or broken. */
    bool (*next)(struct virtqueue *q, uint16_t *slot);
    void (*advance)(struct virtqueue *q, uint16_t slots);
    void (*retreat)(struct virtqueue *q, uint16_t slots);
    void (*flush)(struct virtqueue *q);
    void (*set_kicks)(struct virtqueue *q, bool on);
    bool (*wants_irq)(struct virtqueue *q);
};

extern const struct virtq_layout virtq_split, virtq_packed;

static inline const struct virtq_layout *virtq_layout(const struct virtqueue *q)
{
    return virtio_has(q->v, VIRTIO_F_RING_PACKED) ? &virtq_packed : &virtq_split;
}

/* Guest numbers of the ring. */
static inline uint16_t ring_ld16(const struct virtqueue *q, uint64_t addr)
{
    return space_ld16_le(q->v->as, addr, q->v->attrs, NULL);
}

static inline void ring_st16(const struct virtqueue *q, uint64_t addr, uint16_t val)
{
    space_st16_le(q->v->as, addr, val, q->v->attrs);
}

struct virtq_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags; /* split layout order; packed swaps these two */
    uint16_t next;  /* packed: id */
};
bool virtq_load_desc(struct virtqueue *q, uint64_t addr, struct virtq_desc *d);

/* Begins an element, adds a descriptor's memory to it, and gives all of it back. */
void elem_begin(struct virtqueue *q, struct virtq_elem *e);
bool elem_add(struct virtq_elem *e, const struct virtq_desc *d);
void elem_end(struct virtq_elem *e, uint64_t written);
/* An indirect table (2.7.5.3, 2.8.7): `chained` entries go by NEXT, else all are taken in order. */
bool elem_add_table(struct virtq_elem *e, const struct virtq_desc *d, bool chained);

/* Around the life of a device: classes that hold still do so from before realize() on, whenever the
 * machine is stopped. Device lock held. */
void virtio_hold_begin(struct virtio *v);
void virtio_hold_end(struct virtio *v);

/* iothread.c: interrupts of devices in an iothread, and of all others. Lock of v->io held. */
void virtio_iothread_begin(struct virtio *v);
void virtio_iothread_end(struct virtio *v);
void virtio_queue_irq(struct virtqueue *q);
void virtio_config_irq(struct virtio *v);

#endif
