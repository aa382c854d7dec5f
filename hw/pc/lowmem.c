/*
 * What a BIOS leaves in the first 640 KiB, for kernels that start without one and yet look: the
 * data area with ports and memory size, and interrupt vectors that say no to every call (carry
 * set), so that one who calls in real mode goes on with what else it knows.
 */
#include "setup.h"

#include <base/bits.h>

#define BDA         0x400
#define BDA_COM     (BDA + 0x00)
#define BDA_EBDA    (BDA + 0x0e) /* segment */
#define BDA_EQUIP   (BDA + 0x10)
#define BDA_MEMORY  (BDA + 0x13) /* KiB below the EBDA */
#define EBDA        0x9fc00      /* the first byte is its size in KiB */
#define STUBS       (EBDA + 0x10)
#define CALLS_FIRST 0x10 /* vectors that are calls */
#define CALLS_LAST  0x1a
#define VECTORS     256
#define EQUIP_FPU   0x0002
#define EQUIP_PS2   0x0004
#define EQUIP_COLOR 0x0020 /* 80x25 */
#define UART_LCR    3
#define LCR_8N1     3

static const uint8_t stubs[] = {
    0xcf,                   /* iret */
    0x55, 0x89, 0xe5,       /* push bp; mov bp, sp */
    0x80, 0x4e, 0x06, 0x01, /* or byte [bp + 6], 1: carry in the flags that iret takes */
    0x5d, 0xcf,             /* pop bp; iret */
};
enum { STUB_IRET = 0, STUB_REFUSE = 1 };

static void put_vectors(struct pc *pc)
{
    space_write(&pc->m.memory, STUBS, stubs, sizeof(stubs), 0);
    for (unsigned i = 0; i < VECTORS; i++) {
        bool call = i >= CALLS_FIRST && i <= CALLS_LAST;
        uint32_t offset = STUBS - EBDA + (call ? STUB_REFUSE : STUB_IRET);

        space_st32_le(&pc->m.memory, 4 * i, (uint32_t)(EBDA >> 4) << 16 | offset, 0);
    }
}

/* Serial ports are at 8 bits without parity; who is there says so. Returns their number. */
static unsigned set_up_serial(struct pc *pc)
{
    static const uint16_t ports[] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
    unsigned n = 0;

    for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
        enum mem_result res;

        space_st8(&pc->m.ports, ports[i] + UART_LCR, LCR_8N1, 0);
        if (space_ld8(&pc->m.ports, ports[i] + UART_LCR, 0, &res) == LCR_8N1)
            space_st16_le(&pc->m.memory, BDA_COM + 2 * n++, ports[i], 0);
    }
    return n;
}

void pc_low_memory_set_up(struct pc *pc)
{
    struct address_space *m = &pc->m.memory;
    unsigned n;

    put_vectors(pc);
    n = set_up_serial(pc);
    space_st16_le(m, BDA_EBDA, EBDA >> 4, 0);
    space_st16_le(m, BDA_EQUIP, (uint16_t)(EQUIP_FPU | EQUIP_PS2 | EQUIP_COLOR | n << 9), 0);
    space_st16_le(m, BDA_MEMORY, EBDA >> 10, 0);
    space_st8(m, EBDA, 1, 0);
}
