/*
 * work.h - the benchmark's pieces of work.
 *
 * A piece is a function that does `n` units of work and returns a checksum, which must be the
 * same on every machine.  A group is a table of pieces; groups are listed in main.c.  To add a
 * piece: write the function, add a row with an n that takes about a second on an emulator.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include <stddef.h>
#include <stdint.h>

struct work {
    const char *name;
    uint64_t (*run)(long n);
    long n;
};

struct group {
    const char *name;
    const struct work *works; /* ends with an empty row */
};

extern const struct work int_works[], call_works[], mem_works[], fp_works[], simd_works[],
    rvv_works[], avx2_works[], sys_works[], smp_works[];

/* Random numbers, the same on every machine (a linear congruence, its high bits mixed). */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t x = *state = *state * 6364136223846793005u + 1442695040888963407u;

    x ^= x >> 33;
    return x * 0xff51afd7ed558ccdu >> 8;
}

static inline uint64_t checksum_add(uint64_t sum, uint64_t value)
{
    return (sum << 7 | sum >> 57) + value * 0x9e3779b97f4a7c15u;
}

/* Bits of a double, for checksums. */
static inline uint64_t double_bits(double d)
{
    uint64_t u;

    __builtin_memcpy(&u, &d, sizeof(u));
    return u;
}

/* Words of pseudo-text, NUL-terminated; the caller frees.  Exits where memory is short. */
char *make_text(size_t size);

void *need(size_t size); /* malloc or exit */

uint64_t now_ns(void);

/* Path of this very program, for pieces that execute it. */
extern const char *self_path;

#endif
