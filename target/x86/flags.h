/*
 * Lazy arithmetic flags: from what cc_op says cc_dst, cc_src, cc_src2 hold, the flags can be worked
 * out. cc_op is an operation and log2 of its size in bytes.
 */
#ifndef X86_FLAGS_H
#define X86_FLAGS_H

#include "sys.h"

/* Bits above the operation's size are meaningless in dst and src where not said otherwise. */
enum cc_op {
    CC_EFLAGS = 0 << 2, /* src: the flags in their places */
    CC_ADD = 1 << 2,    /* dst: result, src: an operand */
    CC_ADC = 2 << 2,    /* and src2: carry in, 0 or 1 */
    CC_SUB = 3 << 2,    /* dst - src */
    CC_SBB = 4 << 2,    /* dst - src - src2 */
    CC_LOGIC = 5 << 2,  /* dst: result; C, O, A clear */
    CC_INC = 6 << 2,    /* dst: result, src: C, 0 or 1 */
    CC_DEC = 7 << 2,
    CC_SHL = 8 << 2,  /* dst: result, src: before the last bit was shifted: its top bit is C */
    CC_SHR = 9 << 2,  /* and SAR; its low bit is C */
    CC_MUL = 10 << 2, /* dst: low half, src (all bits): not 0 if C and O are set */
    CC_MIX = 11 << 2, /* Z, S, P from dst; C, A, O are src's bits */
    CC_COUNT = 12 << 2,
};

/* C P A Z S O in their places. */
uint64_t x86_flags_compute(uint64_t dst, uint64_t src, uint64_t src2, uint64_t op);

#endif
