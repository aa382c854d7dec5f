/* mem.c - memory: chains of loads, streams, random access, library copies, bytes, misalignment. */
#include <stdlib.h>
#include <string.h>
#include "work.h"

/* chase: each load's address comes from the one before; 8 MiB, far more pages than a TLB has */
static uint64_t run_chase(long n)
{
    enum { COUNT = 1 << 21 };
    uint32_t *next = need(COUNT * sizeof(*next));
    uint64_t seed = 1, sum = 0;
    uint32_t at = 0;

    for (uint32_t i = 0; i < COUNT; i++)
        next[i] = i;
    for (uint32_t i = COUNT - 1; i > 0; i--) { /* one cycle through all (Sattolo) */
        uint32_t j = random_next(&seed) % i, t = next[i];

        next[i] = next[j];
        next[j] = t;
    }
    for (long i = 0; i < n; i++) {
        at = next[at];
        sum += at;
    }
    free(next);
    return sum;
}

/* triad: a = b + k * c over 3 MiB */
static uint64_t run_triad(long n)
{
    enum { COUNT = 1 << 17 };
    uint64_t *a = need(3 * COUNT * sizeof(*a)), *b = a + COUNT, *c = b + COUNT;

    for (int i = 0; i < 3 * COUNT; i++)
        a[i] = i;
    for (long k = 0; k < n; k++) {
        for (int i = 0; i < COUNT; i++)
            a[i] = b[i] + k * c[i];
        uint64_t *t = a;

        a = b;
        b = c;
        c = t;
    }
    return a[COUNT / 2] + b[COUNT / 3] + c[COUNT / 5];
}

/* scatter: read and write at random places of 64 MiB */
static uint64_t run_scatter(long n)
{
    enum { COUNT = 1 << 23 };
    uint64_t *a = calloc(COUNT, sizeof(*a)), seed = 2, sum = 0;

    for (long i = 0; a && i < n; i++) {
        uint64_t r = random_next(&seed);

        a[r % COUNT] += i;
        sum ^= a[(r >> 24) % COUNT];
    }
    free(a);
    return sum;
}

/* copies: the C library's memcpy, memset, memcmp, strlen and memchr from 8 bytes to 16 KiB */
static uint64_t run_copies(long n)
{
    enum { SIZE = 1 << 14 };
    char *a = make_text(SIZE), *b = need(SIZE + 1);
    uint64_t sum = 0;

    for (long i = 0; i < n; i++) {
        for (size_t size = 8; size <= SIZE; size *= 2) {
            memcpy(b, a, size);
            b[size] = 0;
            sum += strlen(b) + (memcmp(a, b, size) == 0);
            sum += memchr(b, '\1', size) == NULL;
            memset(b + size / 2, i & 127, size / 2);
            sum = checksum_add(sum, b[size - 1]);
        }
    }
    return sum;
}

/* bytes: a loop of byte loads and stores that a compiler leaves as it is */
static uint64_t run_bytes(long n)
{
    enum { SIZE = 1 << 15 };
    uint8_t *text = (uint8_t *)make_text(SIZE), map[256];
    uint64_t sum = 0;

    for (int i = 0; i < 256; i++)
        map[i] = i * 7 + 3;
    for (long k = 0; k < n; k++)
        for (int i = 0; i < SIZE; i++)
            sum += text[i] = map[text[i]] ^ (uint8_t)sum;
    return sum;
}

/* records: fields of a structure on a linked list, as compilers and databases walk them */
struct record {
    struct record *next, *other;
    uint32_t kind, count;
    uint16_t flags, size;
    uint8_t name[20];
};

static uint64_t run_records(long n)
{
    enum { COUNT = 20000 };
    struct record *all = calloc(COUNT, sizeof(*all));
    uint64_t seed = 4, sum = 0;

    for (int i = 0; all && i < COUNT; i++) {
        all[i].next = &all[random_next(&seed) % COUNT];
        all[i].other = &all[(i + 1) % COUNT];
        all[i].kind = random_next(&seed) % 5;
        all[i].size = i & 1023;
    }
    for (struct record *r = all; r && n > 0; n--) {
        r->count += r->size;
        r->flags ^= 1 << r->kind;
        r->name[r->count % sizeof(r->name)]++;
        sum += r->flags + r->other->count + r->name[3];
        r = r->kind == 2 ? r->other : r->count & 1 ? r->next : r->next->other;
    }
    return sum;
}

/*
 * unaligned: 8 and 4 byte accesses at odd addresses, some across pages; in assembly on riscv,
 * where a compiler would take bytes
 */
static inline uint64_t load64(const uint8_t *p)
{
    uint64_t v;

#ifdef __riscv
    __asm__ volatile("ld %0, (%1)" : "=r"(v) : "r"(p) : "memory");
#else
    memcpy(&v, p, sizeof(v));
#endif
    return v;
}

static inline void store32(uint8_t *p, uint32_t v)
{
#ifdef __riscv
    __asm__ volatile("sw %0, (%1)" : : "r"(v), "r"(p) : "memory");
#else
    memcpy(p, &v, sizeof(v));
#endif
}

static uint64_t run_unaligned(long n)
{
    enum { SIZE = 1 << 16 };
    uint8_t *a = (uint8_t *)make_text(SIZE + 16);
    uint64_t sum = 0;

    for (long k = 0; k < n; k++) {
        for (int i = 1; i < SIZE; i += 61) {
            sum = checksum_add(sum, load64(a + i));
            store32(a + i + 3, sum);
        }
    }
    free(a);
    return sum;
}

/* transpose: a matrix by columns, each access in another page */
static uint64_t run_transpose(long n)
{
    enum { SIDE = 1024 };
    uint32_t *a = need(SIDE * SIDE * sizeof(*a)), *b = need(SIDE * SIDE * sizeof(*b));
    uint64_t sum = 0;

    for (int i = 0; i < SIDE * SIDE; i++)
        a[i] = i;
    for (long k = 0; k < n; k++) {
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                b[x * SIDE + y] = a[y * SIDE + x] + k;
        sum = checksum_add(sum, b[k % SIDE * SIDE + 5]);
    }
    return sum;
}

const struct work mem_works[] = {
    { "chase", run_chase, 3000000 },
    { "triad", run_triad, 80 },
    { "scatter", run_scatter, 1500000 },
    { "copies", run_copies, 6000 },
    { "bytes", run_bytes, 5000 },
    { "records", run_records, 25000000 },
    { "unaligned", run_unaligned, 120000 },
    { "transpose", run_transpose, 2 },
    { 0 },
};
