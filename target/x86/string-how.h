/* The argument of the helper for string instructions. */
#ifndef X86_STRING_HOW_H
#define X86_STRING_HOW_H

enum {
    STR_SIZE = 3, /* log2 of an element's bytes */
    STR_ADDR = 2, /* shift of log2 of the address size */
    STR_SEG = 4,  /* shift of the source's segment */
    STR_OP = 7,   /* shift of STR_MOVS ... */
    STR_REPEAT = 1 << 10,
    STR_UNTIL_EQUAL = 1 << 11, /* REPNE */
    STR_STEP = 1 << 12,        /* one element at a time */
};

#endif
