/*
 * Guest memory as CPUs and devices on several threads access it at the same time. Whether they do
 * is for the guest to say, so C code must not touch guest memory but through this header: numbers
 * by shared_load() and shared_store(), runs of bytes by shared_copy() and shared_fill(). What the
 * host's kernel reads and writes by itself is beyond C. All other memory is the program's own:
 * fields that several threads use are atomics, or guarded by the lock that their comment names.
 *
 * An aligned number is never seen torn; of others, the parts that are aligned are not.
 *
 * Loads acquire and stores release. The guest's own fences make the order that it needs, but
 * ThreadSanitizer does not see fences, and on hosts that keep these orders anyway it costs nothing.
 */
#ifndef BASE_SHARED_H
#define BASE_SHARED_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/*
 * Runs of bytes go by libc's functions, and the compiler is told that memory has changed behind
 * them. They keep no order among the bytes, as string instructions and DMA do not either.
 * ThreadSanitizer takes them for plain accesses, so in its builds runs go number by number.
 */
#if defined(__SANITIZE_THREAD__)
#define SHARED_BY_NUMBERS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SHARED_BY_NUMBERS 1
#endif
#endif

void shared_copy_by_numbers(void *to, const void *from, size_t n);

/* Copies @n bytes as memmove() does; either side, or both, may be guest memory. */
static inline void shared_copy(void *to, const void *from, size_t n)
{
#ifdef SHARED_BY_NUMBERS
    shared_copy_by_numbers(to, from, n);
#else
    memmove(to, from, n);
    __asm__ volatile("" ::: "memory");
#endif
}

/* @n numbers of @size (1, 2, 4 or 8) bytes, each the low ones of @v, one behind the other. */
void shared_fill(void *to, uint64_t v, unsigned size, size_t n);

#endif
