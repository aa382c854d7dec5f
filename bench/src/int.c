/* int.c - integer programs: compression, hashing, sorting, parsing, arithmetic on long numbers. */
#include <stdlib.h>
#include <string.h>
#include "work.h"

/* ---- lz: greedy matches found through a hash of four bytes, then unpacked again ---- */

enum { LZ_BITS = 14, LZ_MIN = 4, LZ_MAX = 255 };

static uint32_t lz_hash(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v * 2654435761u >> (32 - LZ_BITS);
}

/* Output: 0 byte | length distance16; a match is never of length 0, so 0 says a literal. */
static size_t lz_pack(const uint8_t *in, size_t size, uint8_t *out)
{
    static uint32_t last[1 << LZ_BITS];
    size_t at = 0, to = 0;

    memset(last, 0, sizeof(last));
    while (at < size) {
        size_t length = 0, from = 0;

        if (at + LZ_MIN <= size) {
            uint32_t h = lz_hash(in + at);

            from = last[h];
            last[h] = at;
            if (at - from < 65536 && from < at)
                while (length < LZ_MAX && at + length < size &&
                       in[from + length] == in[at + length])
                    length++;
        }
        if (length >= LZ_MIN) {
            out[to++] = length;
            out[to++] = (at - from) & 255;
            out[to++] = (at - from) >> 8;
            at += length;
        } else {
            out[to++] = 0;
            out[to++] = in[at++];
        }
    }
    return to;
}

static size_t lz_unpack(const uint8_t *in, size_t size, uint8_t *out)
{
    size_t to = 0;

    for (size_t at = 0; at < size;) {
        unsigned length = in[at++];

        if (length == 0) {
            out[to++] = in[at++];
            continue;
        }
        size_t distance = in[at] | in[at + 1] << 8;

        at += 2;
        for (; length > 0; length--, to++)
            out[to] = out[to - distance];
    }
    return to;
}

static uint64_t run_lz(long n)
{
    const size_t size = 1 << 20;
    uint8_t *text = (uint8_t *)make_text(size), *packed = need(2 * size), *again = need(size);
    uint64_t sum = 0;

    for (long i = 0; i < n; i++) {
        size_t got = lz_pack(text, size, packed);

        sum = checksum_add(sum, got);
        sum =
            checksum_add(sum, lz_unpack(packed, got, again) == size && !memcmp(text, again, size));
        text[random_next(&sum) % size] = 'x';
    }
    return sum;
}

/* ---- sha256: FIPS 180-4, constants computed from the primes it takes them from ---- */

static uint32_t sha_k[64];

static uint32_t rotate(uint32_t x, int by)
{
    return x >> by | x << (32 - by);
}

/* The first 32 bits of the fraction of the cube root of p: floor(cbrt(p * 2^96)) mod 2^32. */
static uint32_t cube_root_fraction(uint32_t p)
{
    uint64_t root = 0;

    for (int bit = 34; bit >= 0; bit--) {
        unsigned __int128 t = root | 1ull << bit;

        if (t * t * t <= (unsigned __int128)p << 96)
            root = t;
    }
    return root;
}

static void sha_init(void)
{
    int found = 0;

    for (uint32_t p = 2; found < 64; p++) {
        uint32_t d = 2;

        while (d * d <= p && p % d != 0)
            d++;
        if (d * d > p)
            sha_k[found++] = cube_root_fraction(p);
    }
}

static void sha_block(uint32_t state[8], const uint8_t *p)
{
    uint32_t w[64], s[8];

    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];

        w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
               (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
    memcpy(s, state, sizeof(s));
    for (int i = 0; i < 64; i++) {
        uint32_t e = s[4], a = s[0];
        uint32_t t1 = s[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                      ((e & s[5]) ^ (~e & s[6])) + sha_k[i] + w[i];
        uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                      ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

        memmove(s + 1, s, 7 * sizeof(s[0]));
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        state[i] += s[i];
}

static uint64_t run_sha256(long n)
{
    uint32_t state[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
    const size_t size = 1 << 16;
    uint8_t *text = (uint8_t *)make_text(size);

    sha_init();
    for (long i = 0; i < n; i++)
        for (size_t at = 0; at < size; at += 64)
            sha_block(state, text + at);
    return (uint64_t)state[0] << 32 | state[7];
}

/* ---- words: split text, count words in a hash table, sort them by count ---- */

enum { SLOTS = 1 << 13 };

struct word_count {
    const char *text;
    unsigned length, count;
};

static int by_count(const void *a, const void *b)
{
    const struct word_count *x = a, *y = b;
    unsigned length = x->length < y->length ? x->length : y->length;

    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    if (length == 0)
        return 0;
    int c = memcmp(x->text, y->text, length);

    return c ? c : (int)x->length - (int)y->length;
}

static void count_word(struct word_count *table, const char *text, unsigned length)
{
    uint32_t h = 5381;

    for (unsigned i = 0; i < length; i++)
        h = h * 33 ^ text[i];
    for (h %= SLOTS; table[h].length; h = (h + 1) % SLOTS)
        if (table[h].length == length && memcmp(table[h].text, text, length) == 0)
            break;
    table[h].text = text;
    table[h].length = length;
    table[h].count++;
}

static uint64_t run_words(long n)
{
    const size_t size = 1 << 20;
    char *text = make_text(size);
    struct word_count *table = need(SLOTS * sizeof(*table));
    uint64_t sum = 0;

    for (long i = 0; i < n; i++) {
        memset(table, 0, SLOTS * sizeof(*table));
        for (const char *p = text; *p;) {
            const char *start = p;

            while (*p > ' ')
                p++;
            if (p > start)
                count_word(table, start, p - start);
            while (*p && *p <= ' ')
                p++;
        }
        qsort(table, SLOTS, sizeof(*table), by_count);
        for (int k = 0; k < 100; k++)
            sum = checksum_add(sum, table[k].count * 256 + table[k].length);
    }
    return sum;
}

/* ---- sort: heap sort of numbers ---- */

static void sift(uint64_t *heap, size_t root, size_t size)
{
    uint64_t v = heap[root];

    for (size_t child; (child = 2 * root + 1) < size; root = child) {
        if (child + 1 < size && heap[child + 1] > heap[child])
            child++;
        if (heap[child] <= v)
            break;
        heap[root] = heap[child];
    }
    heap[root] = v;
}

static uint64_t run_sort(long n)
{
    const size_t size = 1 << 16;
    uint64_t *heap = need(size * sizeof(*heap)), seed = 7, sum = 0;

    for (long i = 0; i < n; i++) {
        for (size_t k = 0; k < size; k++)
            heap[k] = random_next(&seed);
        for (size_t k = size / 2; k-- > 0;)
            sift(heap, k, size);
        for (size_t end = size; end-- > 1;) {
            uint64_t v = heap[end];

            heap[end] = heap[0];
            heap[0] = v;
            sift(heap, 0, end);
        }
        for (size_t k = 0; k < size; k += 997)
            sum = checksum_add(sum, heap[k]);
    }
    return sum;
}

/* ---- match: several patterns at once with a set of states in one word (shift-and) ---- */

static uint64_t run_match(long n)
{
    static const char *const patterns[] = { "kalomi", "ren", "sta.tu", "winan", "zihum", "disser" };
    const size_t size = 1 << 20;
    char *text = make_text(size);
    uint64_t masks[256] = { 0 }, first = 0, last = 0, sum = 0;
    int bit = 0;

    for (unsigned i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        first |= 1ull << bit;
        for (const char *p = patterns[i]; *p; p++, bit++)
            for (int c = 0; c < 256; c++)
                if (*p == '.' || (unsigned char)*p == c)
                    masks[c] |= 1ull << bit;
        last |= 1ull << (bit - 1);
    }
    for (long i = 0; i < n; i++) {
        uint64_t states = 0, hits = 0;

        for (const char *p = text; *p; p++) {
            states = (states << 1 | first) & masks[(unsigned char)*p];
            if (states & last)
                hits += p - text;
        }
        sum = checksum_add(sum, hits);
    }
    return sum;
}

/* ---- digits: e to thousands of places, by division of a long number ---- */

static uint64_t run_digits(long n)
{
    const int places = 900;
    uint64_t sum = 0;
    int *rest = need((places + 2) * sizeof(*rest));

    for (long i = 0; i < n; i++) {
        for (int k = 0; k < places + 2; k++)
            rest[k] = 1;
        for (int place = 0; place < places; place++) {
            int carry = 0;

            for (int k = places + 1; k > 1; k--) {
                int v = rest[k] * 10 + carry;

                rest[k] = v % k;
                carry = v / k;
            }
            sum = checksum_add(sum, carry);
        }
    }
    return sum;
}

/* ---- product: multiplication of long numbers ---- */

static uint64_t run_product(long n)
{
    enum { LIMBS = 128 };
    uint64_t a[LIMBS], b[LIMBS], c[2 * LIMBS], seed = 3, sum = 0;

    for (int i = 0; i < LIMBS; i++) {
        a[i] = random_next(&seed) << 9 ^ i;
        b[i] = random_next(&seed) << 9 ^ i;
    }
    for (long i = 0; i < n; i++) {
        memset(c, 0, sizeof(c));
        for (int x = 0; x < LIMBS; x++) {
            uint64_t carry = 0;

            for (int y = 0; y < LIMBS; y++) {
                unsigned __int128 t = (unsigned __int128)a[x] * b[y] + c[x + y] + carry;

                c[x + y] = t;
                carry = t >> 64;
            }
            c[x + LIMBS] = carry;
        }
        memcpy(a, c + LIMBS / 2, sizeof(a));
        a[0] |= 1;
        sum = checksum_add(sum, c[LIMBS]);
    }
    return sum;
}

/* ---- paths: shortest paths in a random graph, with a binary heap ---- */

enum { NODES = 4096, EDGES = 6 };

static uint64_t shortest(const uint16_t (*to)[EDGES], const uint16_t (*cost)[EDGES], int start)
{
    static uint32_t distance[NODES];
    static uint64_t heap[NODES * EDGES + 1];
    size_t size = 1;
    uint64_t sum = 0;

    memset(distance, 0xff, sizeof(distance));
    distance[start] = 0;
    heap[0] = ~(uint64_t)start; /* sift keeps the largest on top: keys are inverted */
    while (size > 0) {
        uint64_t top = ~heap[0];
        uint32_t d = top >> 16, node = top & 0xffff;

        heap[0] = heap[--size];
        sift(heap, 0, size);
        if (d > distance[node])
            continue;
        sum += d;
        for (int e = 0; e < EDGES; e++) {
            uint32_t next = to[node][e], reach = d + cost[node][e];
            size_t at = size;

            if (reach >= distance[next])
                continue;
            distance[next] = reach;
            heap[size++] = ~((uint64_t)reach << 16 | next);
            for (; at > 0 && heap[(at - 1) / 2] < heap[at]; at = (at - 1) / 2) {
                uint64_t v = heap[at];

                heap[at] = heap[(at - 1) / 2];
                heap[(at - 1) / 2] = v;
            }
        }
    }
    return sum;
}

static uint64_t run_paths(long n)
{
    static uint16_t to[NODES][EDGES], cost[NODES][EDGES];
    uint64_t seed = 11, sum = 0;

    for (int i = 0; i < NODES; i++) {
        for (int e = 0; e < EDGES; e++) {
            to[i][e] = random_next(&seed) % NODES;
            cost[i][e] = 1 + random_next(&seed) % 1000;
        }
    }
    for (long i = 0; i < n; i++)
        sum = checksum_add(sum, shortest(to, cost, i % NODES));
    return sum;
}

const struct work int_works[] = {
    { "lz", run_lz, 25 },
    { "sha256", run_sha256, 80 },
    { "words", run_words, 18 },
    { "sort", run_sort, 40 },
    { "match", run_match, 100 },
    { "digits", run_digits, 100 },
    { "product", run_product, 9000 },
    { "paths", run_paths, 400 },
    { 0 },
};
