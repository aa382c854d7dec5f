/*
 * Reference evaluation: every operation through 128-bit arithmetic or bit by bit, so that it shares
 * no method with the builder or a backend.
 */
#include "ireval.h"

typedef __int128 wide;

static uint64_t bits_of(enum ir_type type, uint64_t v)
{
    return type == IR_I32 || type == IR_F32 ? v & UINT32_MAX : v;
}

static wide as_signed(unsigned width, uint64_t v)
{
    bool negative = v >> (width - 1) & 1;
    wide w = v;

    return negative ? w - ((wide)1 << width) : w;
}

static uint64_t extend(uint64_t v, unsigned from, bool is_signed)
{
    v &= (UINT64_C(1) << from) - 1;
    return is_signed ? (uint64_t)as_signed(from, v) : v;
}

bool ireval_cond(enum ir_cond c, enum ir_type type, uint64_t a, uint64_t b)
{
    unsigned width = type == IR_I32 ? 32 : 64;
    wide sa, sb, ua, ub;

    a = bits_of(type, a);
    b = bits_of(type, b);
    sa = as_signed(width, a);
    sb = as_signed(width, b);
    ua = a;
    ub = b;
    switch (c) {
    case IR_EQ: return a == b;
    case IR_NE: return a != b;
    case IR_LT: return sa < sb;
    case IR_GE: return sa >= sb;
    case IR_LTU: return ua < ub;
    case IR_GEU: return ua >= ub;
    case IR_LE: return sa <= sb;
    case IR_GT: return sa > sb;
    case IR_LEU: return ua <= ub;
    case IR_GTU: return ua > ub;
    case IR_TSTEQ: return (a & b) == 0;
    default: return (a & b) != 0;
    }
}

static uint64_t divide(unsigned op, unsigned width, uint64_t a, uint64_t b)
{
    wide sa = as_signed(width, a), sb = as_signed(width, b);

    if (b == 0)
        return op == IR_DIVS || op == IR_DIVU ? UINT64_MAX : a;
    switch (op) {
    case IR_DIVS: return sa / sb;
    case IR_REMS: return sa % sb;
    case IR_DIVU: return a / b;
    default: return a % b;
    }
}

static uint64_t shift(unsigned op, unsigned width, uint64_t a, uint64_t b)
{
    for (unsigned n = b % width; n > 0; n--) {
        uint64_t top = a >> (width - 1) & 1, low = a & 1;

        switch (op) {
        case IR_SHL: a = a << 1; break;
        case IR_SHR: a = a >> 1; break;
        case IR_SAR: a = a >> 1 | top << (width - 1); break;
        case IR_ROTL: a = a << 1 | top; break;
        default: a = a >> 1 | low << (width - 1); break;
        }
        if (width == 32)
            a &= UINT32_MAX;
    }
    return a;
}

bool ireval_is_binary(unsigned op)
{
    return op >= IR_ADD && op <= IR_ROTR;
}

static uint64_t binary(unsigned op, unsigned width, uint64_t a, uint64_t b)
{
    wide sa = as_signed(width, a), sb = as_signed(width, b);

    switch (op) {
    case IR_ADD: return a + b;
    case IR_SUB: return a - b;
    case IR_MUL: return a * b;
    case IR_MULHS: return (sa * sb) >> width;
    case IR_MULHU: return ((unsigned __int128)a * b) >> width;
    case IR_MULHSU: return (sa * (wide)b) >> width;
    case IR_DIVS:
    case IR_DIVU:
    case IR_REMS:
    case IR_REMU: return divide(op, width, a, b);
    case IR_AND: return a & b;
    case IR_OR: return a | b;
    case IR_XOR: return a ^ b;
    case IR_ANDN: return a & ~b;
    default: return shift(op, width, a, b);
    }
}

static unsigned count(unsigned op, unsigned width, uint64_t a)
{
    unsigned n = 0;

    for (unsigned k = 0; k < width; k++) {
        unsigned at = op == IR_CLZ ? width - 1 - k : k;
        bool set = a >> at & 1;

        if (op == IR_POPCNT)
            n += set;
        else if (set)
            return k;
    }
    return op == IR_POPCNT ? n : width;
}

static uint64_t swap_bytes(unsigned width, uint64_t a)
{
    uint64_t r = 0;

    for (unsigned k = 0; k < width; k += 8)
        r |= (a >> k & 0xff) << (width - 8 - k);
    return r;
}

bool ireval_is_unary(unsigned op)
{
    return op >= IR_NEG && op <= IR_TRUNC;
}

static uint64_t unary(unsigned op, unsigned width, uint64_t a)
{
    switch (op) {
    case IR_NEG: return 0 - a;
    case IR_NOT: return ~a;
    case IR_CLZ:
    case IR_CTZ:
    case IR_POPCNT: return count(op, width, a);
    case IR_BSWAP: return swap_bytes(width, a);
    case IR_SEXT8:
    case IR_ZEXT8: return extend(a, 8, op == IR_SEXT8);
    case IR_SEXT16:
    case IR_ZEXT16: return extend(a, 16, op == IR_SEXT16);
    case IR_SEXT32:
    case IR_ZEXT32: return extend(a, 32, op == IR_SEXT32);
    default: return a;
    }
}

static bool float_bits(const struct ir_insn *i, const uint64_t v[4], uint64_t *r)
{
    bool narrow = i->type == IR_F32;
    uint64_t sign = narrow ? 0x80000000u : UINT64_C(1) << 63;
    uint64_t inf = narrow ? 0x7f800000u : UINT64_C(0x7ff) << 52;
    uint64_t nan = narrow ? 0x7fc00000u : UINT64_C(0xfff) << 51;

    switch (i->op) {
    case IR_FCANON: *r = (v[0] & ~sign) > inf ? nan : v[0]; return true;
    case IR_FNEG: *r = v[0] ^ sign; return true;
    case IR_FABS: *r = v[0] & ~sign; return true;
    case IR_FSGN: *r = (v[0] & ~sign) | (v[1] & sign); return true;
    case IR_FSGNN: *r = (v[0] & ~sign) | ((v[1] ^ sign) & sign); return true;
    case IR_FSGNX: *r = v[0] ^ (v[1] & sign); return true;
    case IR_FBITS:
    case IR_BITSF: *r = v[0]; return true;
    case IR_BOX: *r = v[0] | UINT64_C(0xffffffff) << 32; return true;
    case IR_UNBOX: *r = v[0] >> 32 == UINT32_MAX ? v[0] & UINT32_MAX : 0x7fc00000; return true;
    default: return false;
    }
}

bool ireval(const struct ir_insn *i, enum ir_type from, const uint64_t v[4], uint64_t *r)
{
    unsigned width = i->type == IR_I32 ? 32 : 64;

    if (i->op == IR_CONST || i->op == IR_PCREL)
        *r = i->imm;
    else if (i->op == IR_SETCC)
        *r = ireval_cond(i->cond, from, v[0], v[1]);
    else if (i->op == IR_SELECT)
        *r = ireval_cond(i->cond, from, v[0], v[1]) ? v[2] : v[3];
    else if (ireval_is_binary(i->op))
        *r = binary(i->op, width, v[0], v[1]);
    else if (ireval_is_unary(i->op))
        *r = unary(i->op, width, v[0]);
    else if (!float_bits(i, v, r))
        return false;
    *r = bits_of(i->type, *r);
    return true;
}
