/*
 * Numbers that C, assembly and the linker script share.
 *
 * The firmware owns one naturally aligned block at the start of memory, so that a single PMP entry
 * (NAPOT) covers it: image, data, then one slot a hart. A slot is a stack that grows down from the
 * hart's own structure, which sits at the slot's upper end.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#define FW_BASE 0x80000000
#define FW_SIZE 0x80000

#define MAX_HARTS       64
#define SLOT_SHIFT      12
#define SLOT_SIZE       4096
#define HART_SIZE       512
#define BOOT_STACK_SIZE 4096

/* Trap frame: x0..x31 at index times the register size (x0's place is unused), then two CSRs. */
#define FRAME_MEPC    32
#define FRAME_MSTATUS 33
#define FRAME_WORDS   36

#endif
