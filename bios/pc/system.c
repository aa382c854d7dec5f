/* INT 15h: system services (Interrupt List; ACPI 6.4, 15.1 for E820h; APM 1.2). */
#include "low.h"

enum { E820_SIGNATURE = 0x534d4150, NOT_SUPPORTED = 0x86 };

/* C0h: AT, model 0xfc; two 8259, clock, keyboard intercept, EBDA; no MCA. */
static const struct {
    uint16_t length;
    uint8_t model, submodel, revision, features[5];
} __attribute__((packed)) configuration = { 8, 0xfc, 0, 0, { 0x74, 0x40 } };

/* ---- A20 ---- */

static void a20(struct regs *r)
{
    uint8_t port = inb(0x92);

    switch (r->al) {
    case 0:
    case 1: outb(0x92, r->al ? (port & ~1) | 2 : port & ~3); break;
    case 2: r->al = port >> 1 & 1; break;
    case 3:
        r->bx = 3; /* by the keyboard's controller and by port 0x92 */
        break;
    default:
        r->ah = NOT_SUPPORTED;
        set_flag(r, FLAG_CF, true);
        return;
    }
    r->ah = 0;
}

/* ---- memory ---- */

/* The caller's descriptor table has the source's descriptor at 0x10, the target's at 0x18. */
static uint32_t descriptor_base(const struct regs *r, uint16_t at)
{
    uint32_t low = far_read32(r->es, r->si + at + 2) & 0xffffff;

    return low | (uint32_t)far_read8(r->es, r->si + at + 7) << 24;
}

static void move_block(struct regs *r)
{
    uint8_t port = inb(0x92);

    outb(0x92, (port & ~1) | 2);
    if (r->cx <= 0x8000)
        move_high(descriptor_base(r, 0x18), descriptor_base(r, 0x10), r->cx * 2u);
    outb(0x92, port & ~1);
    r->ah = r->cx > 0x8000 ? 2 : 0;
    set_flag(r, FLAG_CF, r->ah);
    set_flag(r, FLAG_ZF, !r->ah);
}

static uint32_t kib_above_1m(void)
{
    return (sys.ram_low - 0x100000) >> 10;
}

static void extended_memory(struct regs *r)
{
    uint32_t kib = kib_above_1m();

    r->ax = kib > 0xfc00 ? 0xfc00 : kib;
}

static void e801(struct regs *r)
{
    uint32_t kib = kib_above_1m();

    r->ax = r->cx = kib > 0x3c00 ? 0x3c00 : kib;
    r->bx = r->dx = kib > 0x3c00 ? (kib - 0x3c00) >> 6 : 0;
}

static void e820(struct regs *r)
{
    if (r->edx != E820_SIGNATURE || r->ecx < 20 || r->ebx >= sys.map_count) {
        r->ah = NOT_SUPPORTED;
        set_flag(r, FLAG_CF, true);
        return;
    }
    far_put(r->es, r->di, &sys.map[r->ebx], 20);
    r->ebx = r->ebx + 1 < sys.map_count ? r->ebx + 1 : 0;
    r->eax = E820_SIGNATURE;
    r->ecx = 20;
}

static void memory_size(struct regs *r)
{
    switch (r->al) {
    case 0x01: e801(r); break;
    case 0x20: e820(r); break;
    case 0x81:
        e801(r);
        r->eax = r->ax, r->ebx = r->bx, r->ecx = r->cx, r->edx = r->dx;
        break;
    default: r->ah = NOT_SUPPORTED; set_flag(r, FLAG_CF, true);
    }
}

/* ---- power ---- */

static bool real_mode_apm(struct regs *r)
{
    switch (r->al) {
    case 0x00:
        r->ax = 0x0102;
        r->bx = 0x504d; /* "PM" */
        r->cx = 0;
        return true;
    case 0x01:
    case 0x04:
    case 0x05:
    case 0x08:
    case 0x0d:
    case 0x0e:
    case 0x0f:
        if (r->al == 0x0e)
            r->ax = 0x0102;
        return true;
    case 0x07:
        if (r->bx == 1 && r->cx == 3 && sys.has_pci) {
            outw(0x604, 0x2000); /* PIIX4: SLP_EN, soft off */
            for (;;)
                __asm__ volatile("cli; hlt");
        }
        return r->cx < 3;
    case 0x0a:
        r->bx = 0x01ff; /* on line, no battery */
        r->cx = 0x80ff;
        r->dx = 0xffff;
        return true;
    }
    return false;
}

void apm(struct regs *r)
{
    bool ok;

    if (r->al == 0x0b) {
        r->ah = 0x80; /* no event */
        set_flag(r, FLAG_CF, true);
        return;
    }
    ok = real_mode_apm(r);
    if (!ok)
        r->ah = r->al == 2 || r->al == 3 ? 0x06 : 0x0c;
    set_flag(r, FLAG_CF, !ok);
}

void int15(struct regs *r)
{
    set_flag(r, FLAG_CF, false);
    switch (r->ah) {
    case 0x24: a20(r); break;
    case 0x4f: /* keyboard intercept: the key is processed */ set_flag(r, FLAG_CF, true); break;
    case 0x53: apm(r); break;
    case 0x80:
    case 0x81:
    case 0x82:
    case 0x85:
    case 0x90:
    case 0x91:
    case 0xec: r->ah = 0; break;
    case 0x83:
    case 0x86: time_wait(r); break;
    case 0x87: move_block(r); break;
    case 0x88: extended_memory(r); break;
    case 0xc0:
        r->es = SEG_BIOS;
        r->bx = (uint16_t)(uintptr_t)&configuration;
        r->ah = 0;
        break;
    case 0xc1: r->es = SEG_EBDA; break;
    case 0xc2: mouse_service(r); break;
    case 0xe8: memory_size(r); break;
    default: r->ah = NOT_SUPPORTED; set_flag(r, FLAG_CF, true);
    }
}
