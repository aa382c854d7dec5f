/*
 * What MMX instructions tell their helpers: bits of a constant word. Registers are fpr[].lo, so
 * all is done by helpers; they set TOP to 0 and all tags to valid (SDM vol. 1, 9.5.2).
 */
#ifndef X86_MMX_H
#define X86_MMX_H

enum {
    MMX_LANE = 8, /* shifts; the operation is below */
    MMX_IMM = 20,
    MMX_DST = 28,
    MMX_SRC = 32, /* register, or MMX_MEM: the value handed over */
    MMX_KIND = 36,
};
enum { MMX_MEM = 8 };

/* How 64 bits go through an operation on 128. */
enum mmx_kind {
    MMX_PLAIN,
    MMX_PAIR,      /* both operands together are the first one: packing, horizontal sums */
    MMX_PAIR_SWAP, /* the same with the source below the destination (PALIGNR) */
    MMX_HIGH,      /* the result is the upper half (PUNPCKH) */
    MMX_UNARY,     /* of the source */
    MMX_SHUFFLE,   /* the second operand's bytes are indices (PSHUFB) */
};

/* Conversions to single and to double. */
enum { MMX_TO_PS, MMX_TO_PD };

#endif
