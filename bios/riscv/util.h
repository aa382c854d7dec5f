/*
 * What a freestanding program misses: memory and string functions, byte order, ranges, atomics.
 */
#ifndef UTIL_H
#define UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define BITS_PER_LONG (8 * sizeof(unsigned long))

/* Half open in spirit, but with a size, so that it can end at the top of the address space. */
struct range {
    uintptr_t base, size;
};

/* Whether `inner` lies inside `outer`; a range of size 0 lies nowhere. No sum overflows. */
static inline bool range_inside(struct range inner, struct range outer)
{
    return inner.size && inner.base >= outer.base && inner.size <= outer.size &&
           inner.base - outer.base <= outer.size - inner.size;
}

static inline bool range_overlap(struct range a, struct range b)
{
    if (!a.size || !b.size) {
        return false;
    }
    return a.base >= b.base ? a.base - b.base < b.size : b.base - a.base < a.size;
}

static inline uint32_t load_be32(const void *p)
{
    const uint8_t *b = p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline void store_be32(void *p, uint32_t v)
{
    uint8_t *b = p;

    b[0] = v >> 24;
    b[1] = v >> 16;
    b[2] = v >> 8;
    b[3] = v;
}

/* Orders memory and devices in both directions. */
static inline void barrier(void)
{
    __asm__ volatile("fence iorw, iorw" ::: "memory");
}

static inline void wait_for_interrupt(void)
{
    __asm__ volatile("wfi" ::: "memory");
}

/* The pause hint of Zihintpause; an ordinary fence on a hart without it. */
static inline void cpu_relax(void)
{
    __asm__ volatile(".word 0x0100000f" ::: "memory");
}

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t str_len(const char *s);
bool str_equal(const char *a, const char *b);

#endif
