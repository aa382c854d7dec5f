/*
 * POST Memory Manager (PMM 1.01): memory that option ROMs use while the machine starts, for
 * instance to keep there what does not fit below 1 MiB. Its structure is gone when a system is
 * booted; what was lent belongs to the system then.
 */
#include "low.h"

#define BLOCKS_MAX  16
#define MIB         (1u << 20)
#define PARAGRAPH   16u
#define ANONYMOUS   0xffffffffu
#define HIGH_MAX    (16 * MIB) /* lent at most, below the end of RAM */
#define HIGH_LOWEST (2 * MIB)
/* of conventional memory what neither boot sectors nor what INT 13h reads are in */
#define LOW_BASE    0x20000u
#define LOW_END     0x80000u

enum { PMM_ALLOCATE = 0, PMM_FIND = 1, PMM_DEALLOCATE = 2 };
enum { FLAG_LOW = 1, FLAG_HIGH = 2, FLAG_ALIGNED = 4 };

struct pmm_header {
    char signature[4];
    uint8_t revision, length, checksum;
    uint16_t ip, cs;
    uint8_t reserved[5];
} __attribute__((packed));

struct block {
    uint32_t base, size, handle; /* size: 0 for none */
};

struct pool {
    uint32_t base, end;
};

/* Found by its signature at a paragraph of the BIOS's segment. */
static struct pmm_header header __attribute__((aligned(16)));
static struct block blocks[BLOCKS_MAX];

void pmm_open(void)
{
    header = (struct pmm_header){ .signature = "$PMM",
                                  .revision = 1,
                                  .length = sizeof(header),
                                  .ip = (uint16_t)(uintptr_t)int_pmm,
                                  .cs = SEG_BIOS };
    for (unsigned i = 0; i < sizeof(header); i++)
        header.checksum -= i == offsetof(struct pmm_header, checksum) ? 0 : ((uint8_t *)&header)[i];
}

void pmm_close(void)
{
    memset(&header, 0, sizeof(header));
}

static struct pool pool_of(bool high)
{
    struct pool p = { LOW_BASE, LOW_END };

    if (high) {
        p.end = sys.ram_low;
        p.base = p.end > HIGH_LOWEST + HIGH_MAX ? p.end - HIGH_MAX : HIGH_LOWEST;
    }
    return p;
}

/* The block that has a part of base..end, NULL if all of it is free. */
static const struct block *overlapping(uint32_t base, uint32_t end)
{
    for (unsigned i = 0; i < BLOCKS_MAX; i++)
        if (blocks[i].size && blocks[i].base < end && base < blocks[i].base + blocks[i].size)
            return &blocks[i];
    return NULL;
}

/* Downwards from the pool's end; 0: no room. */
static uint32_t place(struct pool p, uint32_t size, uint32_t align)
{
    while (p.end > p.base && p.end - p.base >= size) {
        uint32_t base = (p.end - size) & ~(align - 1);
        const struct block *b = overlapping(base, base + size);

        if (base < p.base)
            break;
        if (!b)
            return base;
        p.end = b->base;
    }
    return 0;
}

/* Of what place() would find room for, in paragraphs. */
static uint32_t largest(struct pool p)
{
    uint32_t size = 0;

    for (uint32_t step = HIGH_MAX; step >= PARAGRAPH; step /= 2)
        if (place(p, size + step, PARAGRAPH))
            size += step;
    return size / PARAGRAPH;
}

static struct block *find(uint32_t handle)
{
    for (unsigned i = 0; handle != ANONYMOUS && i < BLOCKS_MAX; i++)
        if (blocks[i].size && blocks[i].handle == handle)
            return &blocks[i];
    return NULL;
}

static uint32_t allocate(bool high, uint32_t paragraphs, uint32_t handle, uint16_t flags)
{
    uint32_t align = flags & FLAG_ALIGNED ? paragraphs & -paragraphs : 1;

    if (!paragraphs)
        return largest(pool_of(high));
    if (find(handle) || paragraphs > HIGH_MAX / PARAGRAPH)
        return 0;
    for (unsigned i = 0; i < BLOCKS_MAX; i++) {
        struct block *b = &blocks[i];

        if (b->size)
            continue;
        b->base = place(pool_of(high), paragraphs * PARAGRAPH, align * PARAGRAPH);
        b->size = b->base ? paragraphs * PARAGRAPH : 0;
        b->handle = handle;
        log_line("pmm: %x paragraphs at %x", paragraphs, b->base);
        return b->base;
    }
    return 0;
}

static uint32_t deallocate(uint32_t base)
{
    for (unsigned i = 0; i < BLOCKS_MAX; i++) {
        if (blocks[i].size && blocks[i].base == base) {
            blocks[i].size = 0;
            return 0;
        }
    }
    return 1;
}

/* AX, EBX, ECX, SI: function and arguments; the answer goes to DX:AX. */
void pmm_call(struct regs *r)
{
    uint32_t answer = r->ax == PMM_DEALLOCATE ? 1 : 0;
    const struct block *b;

    switch (r->ax) {
    case PMM_ALLOCATE:
        if (r->si & FLAG_LOW)
            answer = allocate(false, r->ebx, r->ecx, r->si);
        if (!answer && (r->si & FLAG_HIGH))
            answer = allocate(true, r->ebx, r->ecx, r->si);
        break;
    case PMM_FIND:
        b = find(r->ebx);
        answer = b ? b->base : 0;
        break;
    case PMM_DEALLOCATE: answer = deallocate(r->ebx); break;
    default: answer = 0xffffffff; break;
    }
    r->ax = (uint16_t)answer;
    r->dx = (uint16_t)(answer >> 16);
}
