/*
 * The interpreter's own operations: those of the IR with type and constant operands resolved, and
 * units made of them.
 *
 * Values stand in an array of 64-bit words: i32 sign extended (so that comparisons need no type),
 * f32 zero extended, vectors in two or four words.
 */
#ifndef TCG_INTERP_OPS_H
#define TCG_INTERP_OPS_H

#include <tcg/interp.h>
#include <tcg/softfp.h>

#define INTERP_MAX_WORDS 16384

/* Conditions, each with its test of int64_t x, y. */
#define INTERP_CONDS(C, ...)                        \
    C(EQ, x == y, __VA_ARGS__)                      \
    C(NE, x != y, __VA_ARGS__)                      \
    C(LT, x < y, __VA_ARGS__)                       \
    C(GE, x >= y, __VA_ARGS__)                      \
    C(LTU, (uint64_t)x < (uint64_t)y, __VA_ARGS__)  \
    C(GEU, (uint64_t)x >= (uint64_t)y, __VA_ARGS__) \
    C(LE, x <= y, __VA_ARGS__)                      \
    C(GT, x > y, __VA_ARGS__)                       \
    C(LEU, (uint64_t)x <= (uint64_t)y, __VA_ARGS__) \
    C(GTU, (uint64_t)x > (uint64_t)y, __VA_ARGS__)  \
    C(TSTEQ, !(x & y), __VA_ARGS__)                 \
    C(TSTNE, !!(x & y), __VA_ARGS__)

/* Two operands, or one and a constant (suffix I): O(name, result of int64_t x, y) */
#define INTERP_IMM_OPS(O)                          \
    O(ADD64, (uint64_t)x + (uint64_t)y)            \
    O(ADD32, (int32_t)((uint64_t)x + (uint64_t)y)) \
    O(AND, x &y)                                   \
    O(OR, x | y)                                   \
    O(XOR, x ^ y)                                  \
    O(SHL64, (uint64_t)x << (y & 63))              \
    O(SHL32, (int32_t)((uint32_t)x << (y & 31)))   \
    O(SHR64, (uint64_t)x >> (y & 63))              \
    O(SHR32, (int32_t)((uint32_t)x >> (y & 31)))   \
    O(SAR64, x >> (y & 63))                        \
    O(SAR32, x >> (y & 31))

/* Two operands. */
#define INTERP_BINARY_OPS(O)                                          \
    O(SUB64, (uint64_t)x - (uint64_t)y)                               \
    O(SUB32, (int32_t)((uint64_t)x - (uint64_t)y))                    \
    O(MUL64, (uint64_t)x *(uint64_t)y)                                \
    O(MUL32, (int32_t)((uint64_t)x * (uint64_t)y))                    \
    O(MULHS64, (__int128)x *y >> 64)                                  \
    O(MULHS32, x *y >> 32)                                            \
    O(MULHU64, (unsigned __int128)(uint64_t)x *(uint64_t)y >> 64)     \
    O(MULHU32, (int32_t)((uint64_t)(uint32_t)x * (uint32_t)y >> 32))  \
    O(MULHSU64, (__int128)x *(uint64_t)y >> 64)                       \
    O(MULHSU32, x *(int64_t)(uint32_t)y >> 32)                        \
    O(DIVS64, !y ? -1 : y == -1 ? (int64_t)(0 - (uint64_t)x) : x / y) \
    O(DIVS32, !y ? -1 : (int32_t)(x / y))                             \
    O(DIVU64, !y ? -1 : (int64_t)((uint64_t)x / (uint64_t)y))         \
    O(DIVU32, !y ? -1 : (int32_t)((uint32_t)x / (uint32_t)y))         \
    O(REMS64, !y ? x : y == -1 ? 0 : x % y)                           \
    O(REMS32, !y ? x : x % y)                                         \
    O(REMU64, !y ? x : (int64_t)((uint64_t)x % (uint64_t)y))          \
    O(REMU32, !y ? x : (int32_t)((uint32_t)x % (uint32_t)y))          \
    O(ANDN, x & ~y)                                                   \
    O(ROTL64, rotate_left64(x, y))                                    \
    O(ROTL32, (int32_t)rotate_left32(x, y))                           \
    O(ROTR64, rotate_left64(x, 0 - (uint64_t)y))                      \
    O(ROTR32, (int32_t)rotate_left32(x, 0 - (uint64_t)y))

/* One operand. */
#define INTERP_UNARY_OPS(O)                       \
    O(NEG64, 0 - (uint64_t)x)                     \
    O(NEG32, (int32_t)(0 - (uint64_t)x))          \
    O(NOT, ~x)                                    \
    O(CLZ64, x ? __builtin_clzll(x) : 64)         \
    O(CLZ32, (uint32_t)x ? __builtin_clz(x) : 32) \
    O(CTZ64, x ? __builtin_ctzll(x) : 64)         \
    O(CTZ32, (uint32_t)x ? __builtin_ctz(x) : 32) \
    O(POPCNT64, __builtin_popcountll(x))          \
    O(POPCNT32, __builtin_popcount(x))            \
    O(BSWAP64, __builtin_bswap64(x))              \
    O(BSWAP32, (int32_t)__builtin_bswap32(x))     \
    O(SEXT8, (int8_t)x)                           \
    O(SEXT16, (int16_t)x)                         \
    O(ZEXT8, (uint8_t)x)                          \
    O(ZEXT16, (uint16_t)x)                        \
    O(COPY, x)                                    \
    O(LOW32S, (int32_t)x)                         \
    O(LOW32U, (uint32_t)x)

/* Loads and stores, through the first-level TLB or a CHECK: O(name, type in memory) */
#define INTERP_LOADS(O) \
    O(U1, uint8_t)      \
    O(S1, int8_t)       \
    O(U2, uint16_t)     \
    O(S2, int16_t)      \
    O(U4, uint32_t)     \
    O(S4, int32_t)      \
    O(U8, uint64_t)
#define INTERP_STORES(O) \
    O(U1, uint8_t)       \
    O(U2, uint16_t)      \
    O(U4, uint32_t)      \
    O(U8, uint64_t)

/* Those with a piece of code of their own. */
#define INTERP_OTHER_OPS(O) \
    O(CONST)                \
    O(GET64)                \
    O(GET32)                \
    O(GETW)                 \
    O(SET64)                \
    O(SET32)                \
    O(SETW)                 \
    O(PC)                   \
    O(SELECTW)              \
    O(LD_ANY)               \
    O(LD_WIDE)              \
    O(ST_ANY)               \
    O(ST_WIDE)              \
    O(CHECK)                \
    O(LDH_ANY)              \
    O(LDH_WIDE)             \
    O(STH_ANY)              \
    O(STH_WIDE)             \
    O(AMO)                  \
    O(CMPXCHG)              \
    O(LDX)                  \
    O(STX)                  \
    O(TRAPIF)               \
    O(FENCE)                \
    O(CALL)                 \
    O(FP)                   \
    O(FFLAGS)               \
    O(FKEEP)                \
    O(FSIGN)                \
    O(VECTOR)               \
    O(LOOP)                 \
    O(GUARD)                \
    O(EXIT)                 \
    O(EXITIND)              \
    O(EXITPC)

#define INTERP_ENUM(name, ...)               OP_##name,
#define INTERP_ENUM_I(name, ...)             OP_##name##I,
#define INTERP_ENUM_LD(name, ...)            OP_LD_##name,
#define INTERP_ENUM_ST(name, ...)            OP_ST_##name,
#define INTERP_ENUM_LDH(name, ...)           OP_LDH_##name,
#define INTERP_ENUM_STH(name, ...)           OP_STH_##name,
#define INTERP_ENUM_COND(name, test, family) OP_##family##_##name,
enum interp_op_number {
    INTERP_OTHER_OPS(INTERP_ENUM) INTERP_IMM_OPS(INTERP_ENUM) INTERP_IMM_OPS(INTERP_ENUM_I)
        INTERP_BINARY_OPS(INTERP_ENUM) INTERP_UNARY_OPS(INTERP_ENUM) INTERP_LOADS(INTERP_ENUM_LD)
            INTERP_STORES(INTERP_ENUM_ST) INTERP_LOADS(INTERP_ENUM_LDH)
                INTERP_STORES(INTERP_ENUM_STH) INTERP_CONDS(INTERP_ENUM_COND, SETCC)
                    INTERP_CONDS(INTERP_ENUM_COND, SETCCI) INTERP_CONDS(INTERP_ENUM_COND, SELECT)
                        INTERP_CONDS(INTERP_ENUM_COND, EXITIF)
                            INTERP_CONDS(INTERP_ENUM_COND, EXITIFI)
                                INTERP_CONDS(INTERP_ENUM_COND, LOOPIF)
                                    INTERP_CONDS(INTERP_ENUM_COND, LOOPIFI) OP_COUNT
};

/* One operation. @d, @a, @b: indices of value words; @b is a number where a constant stands. */
struct interp_op {
    uint16_t op;   /* enum interp_op_number */
    uint16_t mem;  /* memop; FP, SELECTW, TRAPIF: cond; VECTOR: lane size */
    uint8_t ir_op; /* FP: enum ir_op; VECTOR: enum ir_vop */
    uint8_t type;  /* enum ir_type of the result */
    uint8_t from;  /* FP: enum ir_type of operand a */
    uint32_t d, a, b;
    union {
        int64_t imm;
        struct {
            uint32_t c, e; /* third and fourth operand; VECTOR: e is the immediate */
        };
        const struct interp_call *call;
        const struct ir_helper *helper; /* TRAPIF */
    };
};

struct interp_unit {
    uint64_t pc;
    uint32_t flags;
    bool disabled;         /* atomic: not to be entered any more */
    bool checked;          /* @map is to be compared at entry */
    struct interp_map map; /* of its own page */
    uint32_t nops, nwords;
    struct interp_call *calls; /* one an OP_CALL */
    uint32_t ncalls;
    struct interp_op op[];
};

/* A call of a helper, prepared. */
struct interp_call;
struct interp_call *interp_calls_new(uint32_t n);
size_t interp_calls_size(uint32_t n);
void interp_call_prepare(struct interp_call *calls, uint32_t n, const struct ir_helper *h,
                         const uint32_t *args);
const struct interp_call *interp_call_at(const struct interp_call *calls, uint32_t n);
/* Result in the form that values have. */
uint64_t interp_call_run(const struct interp_call *call, void *cpu, const uint64_t *words);

/* Floating-point operations that raise flags. */
uint64_t interp_fp(struct fp_env *fp, const struct interp_op *i, uint64_t a, uint64_t b,
                   uint64_t c);
/* Those that only move bits: FCANON, FNEG to FSGNX, BOX, UNBOX. */
uint64_t interp_fsign(const struct interp_op *i, uint64_t a, uint64_t b);
bool interp_cond(unsigned cond, int64_t x, int64_t y);

#endif
