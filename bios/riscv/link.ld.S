/* Linker script: everything between FW_BASE and FW_BASE + FW_SIZE, the image first. */
#include "layout.h"

OUTPUT_ARCH(riscv)
ENTRY(_start)

SECTIONS
{
    . = FW_BASE;
    .text : { *(.text.start) *(.text .text.*) }
    .rodata : { *(.rodata .rodata.* .srodata .srodata.*) }
    .data : ALIGN(16) { *(.data .data.* .sdata .sdata.*) . = ALIGN(16); }
    .bss (NOLOAD) : ALIGN(16) {
        _bss_start = .;
        *(.bss .bss.* .sbss .sbss.* COMMON)
        . = ALIGN(16);
        _bss_end = .;
    }
    .slots (NOLOAD) : ALIGN(SLOT_SIZE) {
        hart_slots = .;
        . += MAX_HARTS * SLOT_SIZE;
    }
    ASSERT(. <= FW_BASE + FW_SIZE, "the firmware outgrew its reserved block")
    ASSERT(SIZEOF(.text) + SIZEOF(.rodata) + SIZEOF(.data) < 65536, "the image is over 64 KiB")
    /DISCARD/ : { *(.comment) *(.note*) *(.eh_frame*) *(.riscv.attributes) }
}
