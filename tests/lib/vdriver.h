/*
 * A virtio driver over qtest: finds a device behind virtio-mmio or PCI, sets it up, and makes
 * requests with split or packed rings.
 *
 *     struct vdev d;
 *     vd_open_mmio(&d, q, 7);
 *     vd_start(&d, wanted features);
 *     vq_init(&d, &ring, 0, 16, RAM + 0x10000);
 *     vd_ok(&d);
 *     vq_add(&ring, pieces, n_out, n_in);
 *     len = vq_wait(&ring);
 */
#ifndef TESTS_LIB_VDRIVER_H
#define TESTS_LIB_VDRIVER_H

#include "qclient.h"

#define VD_RAM 0x80000000u

struct vdev {
    struct qclient *q;
    bool pci;
    uint64_t base;                       /* registers of the slot, or common configuration */
    uint64_t notify, isr, config, shift; /* PCI; shift: bytes between queues */
    uint64_t msix;                       /* table */
    unsigned msix_cap;
    unsigned slot;     /* number on the bus */
    uint64_t features; /* agreed on */
};

struct vring {
    struct vdev *d;
    unsigned index, num;
    bool packed;
    uint64_t desc, driver, device;
    unsigned next;        /* free descriptor */
    uint16_t avail, used; /* split: indices; packed: position of the next used */
    bool avail_wrap, used_wrap;
    unsigned added[256]; /* packed: slots of each id */
};

struct vpiece {
    uint64_t addr;
    uint32_t len;
};

/* The slot of that number; it must hold a device of type `id`. */
void vd_open_mmio(struct vdev *d, struct qclient *q, unsigned slot, unsigned id);
/* The function in that slot of bus 0: places its windows, turns memory and bus mastering on. */
void vd_open_pci(struct vdev *d, struct qclient *q, unsigned slot, unsigned id);
/* Configuration space of a function. */
uint64_t vd_ecam(unsigned slot, unsigned reg);
/* MSI-X: vector `n` writes `data` to `addr`; enables it, and gives it to a queue. */
void vd_msix(struct vdev *d, unsigned n, uint64_t addr, uint32_t data);
void vd_queue_vector(struct vdev *d, unsigned queue, unsigned n);
/* Registers, whatever the transport. */
uint8_t vd_status(struct vdev *d);
void vd_set_status(struct vdev *d, uint8_t status);
uint64_t vd_offered(struct vdev *d);
void vd_accept(struct vdev *d, uint64_t features);
uint8_t vd_isr(struct vdev *d); /* and acknowledges it */
void vd_reset_queue(struct vdev *d, unsigned queue);
unsigned vd_queue_max(struct vdev *d, unsigned queue);
uint64_t vd_config(struct vdev *d, unsigned offset, unsigned size);
void vd_set_config(struct vdev *d, unsigned offset, unsigned size, uint32_t value);
void vd_kick(struct vdev *d, unsigned queue);

/* Reset to FEATURES_OK with `want` and VERSION_1; what is not offered ends the test. */
void vd_start(struct vdev *d, uint64_t want);
/* DRIVER_OK. */
void vd_ok(struct vdev *d);
/* A ring at `mem` (page aligned, at most 64 KiB), enabled. Packed if the feature was taken. */
void vq_init(struct vdev *d, struct vring *r, unsigned index, unsigned num, uint64_t mem);
/* Makes a chain available, without notification; its id. */
unsigned vq_add(struct vring *r, const struct vpiece *p, unsigned n_out, unsigned n_in);
/* Whether something was used and not waited for. */
bool vq_used(struct vring *r);
/* Waits for the next used one; its length, and its id where asked for. */
uint32_t vq_wait(struct vring *r, unsigned *id);
/* vq_add, vd_kick, vq_wait. */
uint32_t vq_do(struct vring *r, const struct vpiece *p, unsigned n_out, unsigned n_in);
/* Waits until the device says that it is broken, or the test ends. */
void vd_wait_broken(struct vdev *d);

#endif
