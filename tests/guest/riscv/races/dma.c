/*
 * A disk's DMA writes code (virtio 1.2: chapters 2.7, 4.2 and 5.2). Sector n of the disk holds
 * `lui a0, n + 1; ret`; without a disk the test is skipped.
 */
#include "races.h"

#define SECTORS 64
#define PLACES  4
#define FIRST   0x10001000ul /* the board's eight virtio-mmio slots, 4 KiB each */

struct desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

static struct {
    _Alignas(16) struct desc desc[4];
    _Alignas(16) uint16_t avail[8]; /* flags, index, ring */
    _Alignas(16) struct {
        uint16_t flags, index;
        struct {
            uint32_t id, len;
        } ring[4];
    } used;
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } head;
    uint8_t status;
} queue;

static volatile uint32_t *disk;
static uint32_t version[PLACES][16]; /* a line each */
static uint32_t done;

/* A register by its offset. */
static volatile uint32_t *reg(unsigned offset)
{
    return disk + offset / 4;
}

static void set_address(unsigned offset, const void *p)
{
    *reg(offset) = (uint32_t)(uintptr_t)p;
    *reg(offset + 4) = (uintptr_t)p >> 32;
}

static bool has_disk(void)
{
    for (unsigned n = 0; n < 8; n++) {
        disk = (volatile uint32_t *)(FIRST + n * PAGE);
        if (*reg(0) == 0x74726976 && *reg(8) == 2)
            break;
        disk = NULL;
    }
    if (!disk)
        return false;
    *reg(0x70) = 0;
    *reg(0x70) = 3; /* acknowledged, there is a driver */
    *reg(0x24) = 1;
    *reg(0x20) = 1;     /* VIRTIO_F_VERSION_1 */
    *reg(0x70) = 3 | 8; /* features are good */
    *reg(0x30) = 0;
    *reg(0x38) = 4;
    set_address(0x80, queue.desc);
    set_address(0x90, queue.avail);
    set_address(0xa0, &queue.used);
    *reg(0x44) = 1;
    *reg(0x70) = 3 | 8 | 4;
    return true;
}

/* Reads a sector and waits for its arrival. */
static void read_sector(uint64_t sector, void *to)
{
    queue.head.type = 0;
    queue.head.sector = sector;
    queue.desc[0] = (struct desc){ (uintptr_t)&queue.head, 16, 1, 1 };
    queue.desc[1] = (struct desc){ (uintptr_t)to, 512, 1 | 2, 2 };
    queue.desc[2] = (struct desc){ (uintptr_t)&queue.status, 1, 2, 0 };
    queue.avail[2 + queue.avail[1] % 4] = 0;
    fence();
    STORE(queue.avail[1], queue.avail[1] + 1);
    __asm__ volatile("fence iorw, iorw" : : : "memory");
    *reg(0x50) = 0;
    while (LOAD(queue.used.index) != queue.avail[1])
        pause();
    __asm__ volatile("fence iorw, iorw" : : : "memory");
    if (queue.status)
        fail("the disk failed", queue.status, 0);
}

static uint8_t *place(unsigned k)
{
    return arena[16 + k] + 512 * k;
}

static void prepare(unsigned round)
{
    (void)round;
    for (unsigned k = 0; k < PLACES; k++) {
        put(place(k), LUI(A0, 0));
        put(place(k) + 4, RET);
        version[k][0] = 0;
    }
    done = 0;
    remote_fence_i((1 << HARTS) - 1);
}

static void run(unsigned hart, unsigned round)
{
    (void)round;
    for (unsigned n = 0; hart == 0 && n < SECTORS; n++) {
        unsigned k = random32(hart) % PLACES;
        read_sector(n, place(k));
        __atomic_store_n(&version[k][0], n + 1, __ATOMIC_RELEASE);
        fence_i();
        uint64_t got = call(place(k), 0, 0, 0, 0) >> 12;
        if (got != n + 1)
            fail("not what the disk wrote", got, n + 1);
    }
    if (hart == 0)
        STORE(done, 1);
    while (!LOAD(done)) {
        unsigned k = random32(hart) % PLACES;
        uint32_t expected = __atomic_load_n(&version[k][0], __ATOMIC_ACQUIRE);
        fence_i();
        uint64_t got = call(place(k), 0, 0, 0, 0) >> 12;
        if (got < expected)
            fail("older than what the disk wrote", got, expected);
    }
}

const struct test dma_tests[] = {
    { "DMA into code", prepare, run, NULL, NULL, has_disk },
    { 0 },
};
