/*
 * virtio-blk over PCI, modern (virtio 1.2, 4.1 and 5.2), as hard disks. The device's registers are
 * reached through the capability for configuration access (4.1.4.9), since BARs lie where 16-bit
 * code cannot go.
 */
#include "disk.h"

#define RING        8
#define DEVICES_MAX 4

enum { CAP_COMMON = 1, CAP_NOTIFY, CAP_ISR, CAP_DEVICE, CAP_PCI, CAPS };
enum { S_ACKNOWLEDGE = 1, S_DRIVER = 2, S_DRIVER_OK = 4, S_FEATURES_OK = 8 };
enum common {
    C_DEVICE_SELECT = 0,
    C_DEVICE_FEATURE = 4,
    C_DRIVER_SELECT = 8,
    C_DRIVER_FEATURE = 12,
    C_STATUS = 20,
    C_QUEUE_SELECT = 22,
    C_QUEUE_SIZE = 24,
    C_QUEUE_ENABLE = 28,
    C_QUEUE_NOTIFY = 30,
    C_QUEUE_DESC = 32,
    C_QUEUE_DRIVER = 40,
    C_QUEUE_DEVICE = 48,
};
enum { DESC_NEXT = 1, DESC_WRITE = 2 };

struct descriptor {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

struct queue {
    struct descriptor desc[RING];
    struct {
        uint16_t flags, index, ring[RING], event;
    } avail;
    struct {
        uint16_t flags, index;
        struct {
            uint32_t id, len;
        } ring[RING];
        uint16_t event;
    } used __attribute__((aligned(4)));
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header;
    uint8_t status;
    /* where the registers are */
    struct {
        uint8_t bar;
        uint32_t offset;
    } cap[CAPS];
    uint8_t pci_cap;
    uint32_t notify;
} __attribute__((aligned(16)));

static struct queue queues[DEVICES_MAX];
static unsigned n_queues;

/* ---- registers ---- */

static void aim(uint16_t bdf, const struct queue *q, unsigned cap, uint32_t reg, uint8_t size)
{
    pci_write8(bdf, q->pci_cap + 4, q->cap[cap].bar);
    pci_write32(bdf, q->pci_cap + 8, q->cap[cap].offset + reg);
    pci_write32(bdf, q->pci_cap + 12, size);
}

static uint32_t get(uint16_t bdf, const struct queue *q, unsigned cap, uint32_t reg, uint8_t size)
{
    aim(bdf, q, cap, reg, size);
    return size == 1   ? pci_read8(bdf, q->pci_cap + 16)
           : size == 2 ? pci_read16(bdf, q->pci_cap + 16)
                       : pci_read32(bdf, q->pci_cap + 16);
}

static void set(uint16_t bdf, const struct queue *q, unsigned cap, uint32_t reg, uint8_t size,
                uint32_t v)
{
    aim(bdf, q, cap, reg, size);
    if (size == 1)
        pci_write8(bdf, q->pci_cap + 16, (uint8_t)v);
    else if (size == 2)
        pci_write16(bdf, q->pci_cap + 16, (uint16_t)v);
    else
        pci_write32(bdf, q->pci_cap + 16, v);
}

static bool find_caps(uint16_t bdf, struct queue *q, uint32_t *multiplier)
{
    unsigned seen = 0;
    uint8_t at = pci_read8(bdf, 0x34), type;

    for (unsigned n = 0; at >= 0x40 && n < 48; n++, at = pci_read8(bdf, at + 1)) {
        if (pci_read8(bdf, at) != 0x09)
            continue;
        type = pci_read8(bdf, at + 3);
        if (!type || type >= CAPS || (seen & 1u << type))
            continue;
        seen |= 1u << type;
        q->cap[type].bar = pci_read8(bdf, at + 4);
        q->cap[type].offset = pci_read32(bdf, at + 8);
        if (type == CAP_NOTIFY)
            *multiplier = pci_read32(bdf, at + 16);
        if (type == CAP_PCI)
            q->pci_cap = at;
    }
    return seen == 0x3e;
}

/* ---- setting up (3.1.1) ---- */

static uint32_t address_of(const void *p)
{
    return BIOS_BASE + (uint16_t)(uintptr_t)p;
}

static void set_address(uint16_t bdf, const struct queue *q, uint32_t reg, const void *p)
{
    set(bdf, q, CAP_COMMON, reg, 4, address_of(p));
    set(bdf, q, CAP_COMMON, reg + 4, 4, 0);
}

static bool set_features(uint16_t bdf, const struct queue *q)
{
    set(bdf, q, CAP_COMMON, C_DRIVER_SELECT, 4, 0);
    set(bdf, q, CAP_COMMON, C_DRIVER_FEATURE, 4, 0);
    set(bdf, q, CAP_COMMON, C_DRIVER_SELECT, 4, 1);
    set(bdf, q, CAP_COMMON, C_DRIVER_FEATURE, 4, 1); /* VIRTIO_F_VERSION_1 */
    set(bdf, q, CAP_COMMON, C_STATUS, 1, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK);
    return get(bdf, q, CAP_COMMON, C_STATUS, 1) & S_FEATURES_OK;
}

static bool start(uint16_t bdf, struct queue *q, uint32_t multiplier)
{
    set(bdf, q, CAP_COMMON, C_STATUS, 1, 0);
    set(bdf, q, CAP_COMMON, C_STATUS, 1, S_ACKNOWLEDGE | S_DRIVER);
    if (!set_features(bdf, q))
        return false;
    set(bdf, q, CAP_COMMON, C_QUEUE_SELECT, 2, 0);
    if (get(bdf, q, CAP_COMMON, C_QUEUE_SIZE, 2) < RING)
        return false;
    set(bdf, q, CAP_COMMON, C_QUEUE_SIZE, 2, RING);
    set_address(bdf, q, C_QUEUE_DESC, q->desc);
    set_address(bdf, q, C_QUEUE_DRIVER, &q->avail);
    set_address(bdf, q, C_QUEUE_DEVICE, &q->used);
    q->notify = get(bdf, q, CAP_COMMON, C_QUEUE_NOTIFY, 2) * multiplier;
    q->avail.flags = 1; /* no interrupts */
    set(bdf, q, CAP_COMMON, C_QUEUE_ENABLE, 2, 1);
    set(bdf, q, CAP_COMMON, C_STATUS, 1, S_ACKNOWLEDGE | S_DRIVER | S_FEATURES_OK | S_DRIVER_OK);
    return true;
}

static void add(uint16_t bdf)
{
    struct queue *q = &queues[n_queues];
    uint32_t multiplier = 0;
    struct drive *d;

    if (n_queues == DEVICES_MAX || !find_caps(bdf, q, &multiplier))
        return;
    pci_write16(bdf, 4, pci_read16(bdf, 4) | 6);
    if (!start(bdf, q, multiplier))
        return;
    d = drive_add(DRIVE_VIRTIO);
    if (!d)
        return;
    d->unit = n_queues++;
    d->bdf = bdf;
    d->sector_size = 512;
    d->sectors = get(bdf, q, CAP_DEVICE, 0, 4) | (uint64_t)get(bdf, q, CAP_DEVICE, 4, 4) << 32;
    memcpy(d->name, "Virtio disk", 12);
    log_line("virtio: %x: %x sectors", bdf, (uint32_t)d->sectors);
}

void virtio_find(void)
{
    for (uint32_t bdf = 0; bdf < (sys.last_bus + 1u) << 8; bdf++) {
        uint32_t id = pci_read32(bdf, 0);

        if ((bdf & 7) && !(pci_read8(bdf & ~7u, 0x0e) & 0x80))
            continue;
        if (id == 0x10421af4 || id == 0x10011af4)
            add(bdf);
    }
}

/* ---- requests ---- */

uint8_t virtio_io(struct drive *d, const struct transfer *t)
{
    struct queue *q = &queues[d->unit];
    volatile uint16_t *used = &q->used.index;
    uint32_t len = t->count * 512u;
    struct limit l;

    q->header.type = t->write;
    q->header.sector = t->lba;
    q->status = 0xff;
    q->desc[0] = (struct descriptor){ address_of(&q->header), 16, DESC_NEXT, 1 };
    q->desc[1] = (struct descriptor){ (uint32_t)t->seg * 16 + t->off, len,
                                      DESC_NEXT | (t->write ? 0 : DESC_WRITE), 2 };
    q->desc[2] = (struct descriptor){ address_of(&q->status), 1, DESC_WRITE, 0 };
    q->avail.ring[q->avail.index % RING] = 0;
    __asm__ volatile("" : : : "memory");
    q->avail.index++;
    set(d->bdf, q, CAP_NOTIFY, q->notify, 2, 0);
    limit_start(&l, 20000);
    while (*used != q->avail.index)
        if (limit_reached(&l))
            return DISK_TIMEOUT;
    return *(volatile uint8_t *)&q->status ? DISK_CONTROLLER : DISK_OK;
}
