/* INT 14h (serial ports) and INT 17h (parallel ports), after the Interrupt List. */
#include "low.h"

enum { RBR = 0, DLL = 0, DLM = 1, IER = 1, LCR = 3, MCR = 4, LSR = 5, MSR = 6 };
enum { LSR_DATA = 1, LSR_EMPTY = 0x20, TIMED_OUT = 0x80 };

static void set_rate(uint16_t port, uint16_t divisor, uint8_t format)
{
    outb(port + LCR, 0x80 | format);
    outb(port + DLL, divisor & 0xff);
    outb(port + DLM, divisor >> 8);
    outb(port + LCR, format);
    outb(port + IER, 0);
}

static unsigned find_coms(void)
{
    static const uint16_t ports[] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
    unsigned n = 0;

    for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
        outb(ports[i] + IER, 2);
        if (inb(ports[i] + IER) != 2)
            continue;
        set_rate(ports[i], 1, 3);
        outb(ports[i] + MCR, 3);
        bda_write16(BDA_COM + 2 * n++, ports[i]);
    }
    return n;
}

static unsigned find_lpts(void)
{
    static const uint16_t ports[] = { 0x378, 0x278, 0x3bc };
    unsigned n = 0;

    for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
        outb(ports[i], 0xaa);
        if (inb(ports[i]) == 0xaa)
            bda_write16(BDA_LPT + 2 * n++, ports[i]);
    }
    return n;
}

void serial_init(void)
{
    uint16_t equipment = bda_read16(BDA_EQUIPMENT) & 0x31ff;

    bda_write16(BDA_EQUIPMENT, equipment | find_coms() << 9 | find_lpts() << 14);
    for (unsigned i = 0; i < 4; i++) {
        far_write8(SEG_BDA, 0x78 + i, 0x14);
        far_write8(SEG_BDA, 0x7c + i, 1);
    }
}

/* Waits for a bit of the line's status. */
static bool wait_line(uint16_t port, uint8_t bit)
{
    struct limit l;

    limit_start(&l, 1000);
    while (!(inb(port + LSR) & bit))
        if (limit_reached(&l))
            return false;
    return true;
}

void int14(struct regs *r)
{
    static const uint16_t divisors[] = { 1047, 768, 384, 192, 96, 48, 24, 12 };
    uint16_t port = r->dx < 4 ? bda_read16(BDA_COM + 2 * r->dx) : 0;

    if (!port)
        return;
    switch (r->ah) {
    case 0: set_rate(port, divisors[r->al >> 5], r->al & 0x1f); break;
    case 1:
        if (!wait_line(port, LSR_EMPTY)) {
            r->ah = inb(port + LSR) | TIMED_OUT;
            return;
        }
        outb(port, r->al);
        r->ah = inb(port + LSR);
        return;
    case 2:
        if (!wait_line(port, LSR_DATA)) {
            r->ah = TIMED_OUT;
            return;
        }
        r->ah = inb(port + LSR) & 0x1e;
        r->al = inb(port + RBR);
        return;
    case 3: break;
    default: return;
    }
    r->ah = inb(port + LSR);
    r->al = inb(port + MSR);
}

/* The status has its inverted bits turned round, as IBM's does. */
static uint8_t printer_status(uint16_t port)
{
    return (inb(port + 1) ^ 0x48) & 0xf8;
}

void int17(struct regs *r)
{
    uint16_t port = r->dx < 3 ? bda_read16(BDA_LPT + 2 * r->dx) : 0;
    struct limit l;

    if (!port || r->ah > 2)
        return;
    if (r->ah == 1) {
        outb(port + 2, 0x08);
        delay_us(50);
        outb(port + 2, 0x0c);
    } else if (r->ah == 0) {
        limit_start(&l, 500);
        while (!(inb(port + 1) & 0x80))
            if (limit_reached(&l)) {
                r->ah = printer_status(port) | 1;
                return;
            }
        outb(port, r->al);
        outb(port + 2, 0x0d);
        delay_us(2);
        outb(port + 2, 0x0c);
    }
    r->ah = printer_status(port);
}
