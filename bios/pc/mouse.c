/* PS/2 mouse: IRQ 12 and INT 15h, AH=C2h (Interrupt List, INT 15/AX=C200 and following). */
#include "low.h"

enum { KBC_DATA = 0x60, KBC_STATUS = 0x64, AUX = 0x20 };
enum { OK = 0, BAD_FUNCTION = 1, BAD_INPUT = 2, INTERFACE_ERROR = 3, NO_HANDLER = 5 };

static uint16_t handler_ip, handler_cs;
static uint8_t packet[8], packet_size, packet_have;

/* ---- the controller ---- */

static uint8_t read_byte(void)
{
    return kbc_has_byte() ? inb(KBC_DATA) : 0;
}

/* A byte for the mouse; true: it acknowledged. Interrupts are off. */
static bool tell(uint8_t byte)
{
    kbc_can_write();
    outb(KBC_STATUS, 0xd4);
    kbc_can_write();
    outb(KBC_DATA, byte);
    return read_byte() == 0xfa;
}

static void set_command_byte(bool on)
{
    kbc_can_write();
    outb(KBC_STATUS, on ? 0xa8 : 0xa7);
    kbc_can_write();
    outb(KBC_STATUS, 0x60);
    kbc_can_write();
    outb(KBC_DATA, on ? 0x47 : 0x61);
}

static void irq_on(bool on)
{
    outb(0xa1, on ? inb(0xa1) & ~0x10 : inb(0xa1) | 0x10);
}

/* ---- interrupts ---- */

static void call_handler(void)
{
    uint32_t target = (uint32_t)handler_cs << 16 | handler_ip;

    __asm__ volatile("pushw %%ds\n\tpushw %%es\n\tpushl %%ebp\n\t"
                     "pushl %0\n\tmovw %%sp, %%bp\n\t"
                     "pushw %w1\n\tpushw %w2\n\tpushw %w3\n\tpushw $0\n\t"
                     "lcall *(%%bp)\n\t"
                     "addw $12, %%sp\n\tpopl %%ebp\n\tpopw %%es\n\tpopw %%ds\n\tcld"
                     : "+a"(target)
                     : "b"((uint32_t)packet[0]), "c"((uint32_t)packet[1]), "d"((uint32_t)packet[2])
                     : "esi", "edi", "memory", "cc");
}

void mouse_irq(void)
{
    uint8_t status = inb(KBC_STATUS);

    if ((status & 1) && (status & AUX)) {
        packet[packet_have++ & 7] = inb(KBC_DATA);
        if (packet_have >= packet_size) {
            packet_have = 0;
            if (handler_cs)
                call_handler();
        }
    }
    outb(0xa0, 0x20);
    outb(0x20, 0x20);
}

/* ---- INT 15h ---- */

static uint8_t reset(struct regs *r)
{
    set_command_byte(true);
    if (!tell(0xff)) {
        set_command_byte(false);
        return INTERFACE_ERROR;
    }
    r->bl = read_byte();
    r->bh = read_byte();
    packet_size = 3;
    packet_have = 0;
    return OK;
}

static uint8_t enable(uint8_t on)
{
    if (on > 1)
        return BAD_INPUT;
    if (on && !handler_cs)
        return NO_HANDLER;
    packet_have = 0;
    set_command_byte(true);
    if (!tell(on ? 0xf4 : 0xf5))
        return INTERFACE_ERROR;
    irq_on(on);
    return OK;
}

static uint8_t set_value(uint8_t command, uint8_t value)
{
    return tell(command) && tell(value) ? OK : INTERFACE_ERROR;
}

static uint8_t extended(struct regs *r)
{
    switch (r->bh) {
    case 0:
        if (!tell(0xe9))
            return INTERFACE_ERROR;
        r->bl = read_byte();
        r->cl = read_byte();
        r->dl = read_byte();
        return OK;
    case 1: return tell(0xe6) ? OK : INTERFACE_ERROR;
    case 2: return tell(0xe7) ? OK : INTERFACE_ERROR;
    }
    return BAD_INPUT;
}

static uint8_t set_handler(const struct regs *r)
{
    handler_ip = r->bx;
    handler_cs = r->es;
    if (!handler_cs)
        irq_on(false);
    return OK;
}

static uint8_t service(struct regs *r)
{
    static const uint8_t rates[] = { 10, 20, 40, 60, 80, 100, 200 };

    switch (r->al) {
    case 0: return enable(r->bh);
    case 1: return reset(r);
    case 2: return r->bh < ARRAY_LEN(rates) ? set_value(0xf3, rates[r->bh]) : BAD_INPUT;
    case 3: return r->bh < 4 ? set_value(0xe8, r->bh) : BAD_INPUT;
    case 4:
        if (!tell(0xf2))
            return INTERFACE_ERROR;
        r->bh = read_byte();
        return OK;
    case 5: {
        uint8_t size = r->bh, status = size && size <= 8 ? reset(r) : BAD_INPUT;

        if (status == OK)
            packet_size = size;
        return status;
    }
    case 6: return extended(r);
    case 7: return set_handler(r);
    }
    return BAD_FUNCTION;
}

void mouse_service(struct regs *r)
{
    uint8_t irqs = inb(0x21);

    __asm__ volatile("cli");
    outb(0x21, irqs | 2);
    r->ah = service(r);
    outb(0x21, irqs);
    set_flag(r, FLAG_CF, r->ah);
}
