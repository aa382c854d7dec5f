/*
 * Guest memory as CPUs and devices on several threads access it at the same time. An aligned number
 * is never seen torn; of others, the parts that are aligned are not.
 *
 * Loads acquire and stores release. The guest's own fences make the order that it needs, but
 * ThreadSanitizer does not see fences, and on hosts that keep these orders anyway it costs nothing.
 */
#ifndef BASE_SHARED_H
#define BASE_SHARED_H

#include <stdint.h>

static inline uint64_t shared_load(const void *p, unsigned size);
static inline void shared_store(void *p, uint64_t v, unsigned size);

static __attribute__((noinline, unused)) uint64_t shared_load_halves(const void *p, unsigned size)
{
    unsigned half = size / 2;

    return shared_load(p, half) | shared_load((const char *)p + half, half) << (8 * half);
}

static __attribute__((noinline, unused)) void shared_store_halves(void *p, uint64_t v,
                                                                  unsigned size)
{
    unsigned half = size / 2;

    shared_store(p, v, half);
    shared_store((char *)p + half, v >> (8 * half), half);
}

/* The number of @size (1, 2, 4 or 8) bytes at @p in the host's order, zero extended. */
static inline uint64_t shared_load(const void *p, unsigned size)
{
    if (__builtin_expect((uintptr_t)p & (size - 1), 0))
        return shared_load_halves(p, size);
    switch (size) {
    case 1: return __atomic_load_n((const uint8_t *)p, __ATOMIC_ACQUIRE);
    case 2: return __atomic_load_n((const uint16_t *)p, __ATOMIC_ACQUIRE);
    case 4: return __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);
    default: return __atomic_load_n((const uint64_t *)p, __ATOMIC_ACQUIRE);
    }
}

/* Stores the low @size bytes of @v. */
static inline void shared_store(void *p, uint64_t v, unsigned size)
{
    if (__builtin_expect((uintptr_t)p & (size - 1), 0)) {
        shared_store_halves(p, v, size);
        return;
    }
    switch (size) {
    case 1: __atomic_store_n((uint8_t *)p, (uint8_t)v, __ATOMIC_RELEASE); break;
    case 2: __atomic_store_n((uint16_t *)p, (uint16_t)v, __ATOMIC_RELEASE); break;
    case 4: __atomic_store_n((uint32_t *)p, (uint32_t)v, __ATOMIC_RELEASE); break;
    default: __atomic_store_n((uint64_t *)p, v, __ATOMIC_RELEASE); break;
    }
}

#endif
