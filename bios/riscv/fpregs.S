/*
 * Moves between floating-point registers and memory, by register number. Encodings are spelled as
 * words, since the firmware itself is built for an ISA without floating point.
 *
 *   void fp_load(unsigned reg, unsigned width, void *buffer)    flh, flw, fld for width 1, 2, 3
 *   void fp_store(unsigned reg, unsigned width, void *buffer)   fsh, fsw, fsd
 */
    .text
    .macro table base, shift
    .irp r, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
    .word \base | (\r << \shift)
    ret
    .endr
    .irp r, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    .word \base | (\r << \shift)
    ret
    .endr
    .endm

    /* Index (width - 1) * 32 + reg, eight bytes an entry. */
    .macro dispatch tables
    addi a1, a1, -1
    slli a1, a1, 5
    add a0, a0, a1
    slli a0, a0, 3
    lla t0, \tables
    add t0, t0, a0
    jr t0
    .endm

    .globl fp_load
fp_load:
    dispatch fp_loads
    .globl fp_store
fp_store:
    dispatch fp_stores

    .balign 8
fp_loads:
    table 0x00061007, 7
    table 0x00062007, 7
    table 0x00063007, 7
fp_stores:
    table 0x00061027, 20
    table 0x00062027, 20
    table 0x00063027, 20
