/*
 * Bits and bytes: fields of words, sign extension, powers of two, unaligned loads and stores in a
 * given byte order. All inline, no state.
 *
 *     uint32_t rd = extract32(insn, 7, 5);
 *     int64_t imm = sextract32(insn, 20, 12);
 *     uint16_t vendor = lduw_le(cfg + 0);
 */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BIT(n)                          (1ULL << (n))
#define ARRAY_LEN(a)                    (sizeof(a) / sizeof((a)[0]))
/* The struct of which ptr is the member. */
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* A mask of the low `len` bits, 0 <= len <= 64. */
static inline uint64_t mask64(unsigned len)
{
    return len >= 64 ? ~0ULL : (1ULL << len) - 1;
}

/* Field of `len` bits (1 to the width) at bit `pos`; pos + len within the width. */
static inline uint32_t extract32(uint32_t v, unsigned pos, unsigned len)
{
    return (v >> pos) & (~0U >> (32 - len));
}

static inline uint64_t extract64(uint64_t v, unsigned pos, unsigned len)
{
    return (v >> pos) & (~0ULL >> (64 - len));
}

/* The same, sign extended. */
static inline int32_t sextract32(uint32_t v, unsigned pos, unsigned len)
{
    return (int32_t)(v << (32 - len - pos)) >> (32 - len);
}

static inline int64_t sextract64(uint64_t v, unsigned pos, unsigned len)
{
    return (int64_t)(v << (64 - len - pos)) >> (64 - len);
}

/* `v` with its field replaced by the low bits of `field`. */
static inline uint32_t deposit32(uint32_t v, unsigned pos, unsigned len, uint32_t field)
{
    uint32_t mask = (~0U >> (32 - len)) << pos;

    return (v & ~mask) | ((field << pos) & mask);
}

static inline uint64_t deposit64(uint64_t v, unsigned pos, unsigned len, uint64_t field)
{
    uint64_t mask = (~0ULL >> (64 - len)) << pos;

    return (v & ~mask) | ((field << pos) & mask);
}

static inline bool is_pow2(uint64_t v)
{
    return v && !(v & (v - 1));
}

/* The power of two at or above v; 0 where it would be 2^64. pow2_ceil(0) is 1. */
static inline uint64_t pow2_ceil(uint64_t v)
{
    if (v <= 1) {
        return 1;
    }
    return v > (1ULL << 63) ? 0 : 1ULL << (64 - __builtin_clzll(v - 1));
}

/* The power of two at or below v, 0 for 0. */
static inline uint64_t pow2_floor(uint64_t v)
{
    return v ? 1ULL << (63 - __builtin_clzll(v)) : 0;
}

/* `align` is a power of two; align_up wraps to 0 at the top. */
static inline uint64_t align_down(uint64_t v, uint64_t align)
{
    return v & ~(align - 1);
}

static inline uint64_t align_up(uint64_t v, uint64_t align)
{
    return (v + align - 1) & ~(align - 1);
}

static inline bool is_aligned(uint64_t v, uint64_t align)
{
    return !(v & (align - 1));
}

static inline unsigned ctz64(uint64_t v) /* 64 for 0 */
{
    return v ? (unsigned)__builtin_ctzll(v) : 64;
}

static inline unsigned clz64(uint64_t v) /* 64 for 0 */
{
    return v ? (unsigned)__builtin_clzll(v) : 64;
}

static inline unsigned ctz32(uint32_t v) /* 32 for 0 */
{
    return v ? (unsigned)__builtin_ctz(v) : 32;
}

static inline unsigned clz32(uint32_t v) /* 32 for 0 */
{
    return v ? (unsigned)__builtin_clz(v) : 32;
}

static inline uint64_t rol64(uint64_t v, unsigned n)
{
    return v << (n & 63) | v >> (-n & 63);
}

static inline uint64_t ror64(uint64_t v, unsigned n)
{
    return v >> (n & 63) | v << (-n & 63);
}

static inline uint32_t rol32(uint32_t v, unsigned n)
{
    return v << (n & 31) | v >> (-n & 31);
}

static inline uint32_t ror32(uint32_t v, unsigned n)
{
    return v >> (n & 31) | v << (-n & 31);
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define BITS_LE_(bits, v) (v)
#define BITS_BE_(bits, v) __builtin_bswap##bits(v)
#else
#define BITS_LE_(bits, v) __builtin_bswap##bits(v)
#define BITS_BE_(bits, v) (v)
#endif

/*
 * lduw_le, ldl_le, ldq_le, stw_le, stl_le, stq_le and the same with _be: 16, 32 and 64 bits at any
 * address. Loads are unsigned.
 */
#define BITS_ACCESS_(ld, st, bits, order, conv)                \
    static inline uint##bits##_t ld##_##order(const void *p)   \
    {                                                          \
        uint##bits##_t v;                                      \
                                                               \
        memcpy(&v, p, sizeof(v));                              \
        return conv(bits, v);                                  \
    }                                                          \
    static inline void st##_##order(void *p, uint##bits##_t v) \
    {                                                          \
        v = conv(bits, v);                                     \
        memcpy(p, &v, sizeof(v));                              \
    }
BITS_ACCESS_(lduw, stw, 16, le, BITS_LE_)
BITS_ACCESS_(lduw, stw, 16, be, BITS_BE_)
BITS_ACCESS_(ldl, stl, 32, le, BITS_LE_)
BITS_ACCESS_(ldl, stl, 32, be, BITS_BE_)
BITS_ACCESS_(ldq, stq, 64, le, BITS_LE_)
BITS_ACCESS_(ldq, stq, 64, be, BITS_BE_)
#undef BITS_ACCESS_

/* Little-endian access of `size` 1, 2, 4 or 8 bytes, for code with the size in a variable. */
static inline uint64_t ldn_le(const void *p, unsigned size)
{
    switch (size) {
    case 1: return *(const uint8_t *)p;
    case 2: return lduw_le(p);
    case 4: return ldl_le(p);
    default: return ldq_le(p);
    }
}

static inline void stn_le(void *p, unsigned size, uint64_t v)
{
    switch (size) {
    case 1: *(uint8_t *)p = (uint8_t)v; break;
    case 2: stw_le(p, (uint16_t)v); break;
    case 4: stl_le(p, (uint32_t)v); break;
    default: stq_le(p, v); break;
    }
}

#endif
