/* Runs of bytes in guest memory; see base/shared.h. */
#include <base/shared.h>

/* The largest number that is aligned on both sides, and within @n. */
static unsigned step(const char *to, const char *from, size_t n)
{
    uintptr_t bits = (uintptr_t)to | (uintptr_t)from | 8;
    unsigned size = (unsigned)(bits & -bits);

    while (size > n)
        size /= 2;
    return size;
}

static void copy_up(char *to, const char *from, size_t n)
{
    while (n) {
        unsigned size = step(to, from, n);

        shared_store(to, shared_load(from, size), size);
        to += size;
        from += size;
        n -= size;
    }
}

static void copy_down(char *to, const char *from, size_t n)
{
    while (n) {
        unsigned size = step(to + n, from + n, n);

        n -= size;
        shared_store(to + n, shared_load(from + n, size), size);
    }
}

void shared_copy_by_numbers(void *to, const void *from, size_t n)
{
    if ((uintptr_t)to - (uintptr_t)from >= n)
        copy_up(to, from, n);
    else
        copy_down(to, from, n);
}

static void fill_by_pattern(char *to, uint64_t v, size_t n)
{
    uint64_t pattern[32];

    for (size_t i = 0; i < sizeof(pattern) / 8 && 8 * i < n; i++)
        pattern[i] = v;
    for (; n >= sizeof(pattern); to += sizeof(pattern), n -= sizeof(pattern))
        shared_copy(to, pattern, sizeof(pattern));
    shared_copy(to, pattern, n);
}

void shared_fill(void *to, uint64_t v, unsigned size, size_t n)
{
    uint64_t ones = ~UINT64_C(0), all = v & ones >> (64 - 8 * size);

    all *= ones / (ones >> (64 - 8 * size)); /* repeated in 64 bits */
#ifndef SHARED_BY_NUMBERS
    if (all == (v & 0xff) * (ones / 0xff)) {
        memset(to, (int)(v & 0xff), n * size);
        __asm__ volatile("" ::: "memory");
        return;
    }
#endif
    fill_by_pattern(to, all, n * size);
}
