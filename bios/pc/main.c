/* Start-up's order, and the way from interrupt vectors to their handlers. */
#include "low.h"

struct system sys;
extern uint16_t stack_top;

enum { PIC1 = 0x20, PIC2 = 0xa0, EOI = 0x20 };
enum { ENTRY_SIZE = 8 };

/* ---- interrupts ---- */

static void end_of_irq(uint8_t vector)
{
    if (vector >= 0x70)
        outb(PIC2, EOI);
    outb(PIC1, EOI);
}

#define SOFT_INT(n)                                                                           \
    __asm__ volatile("pushw %%ds\n\tpushw %%es\n\tpushal\n\tint %0\n\tpopal\n\tpopw %%es\n\t" \
                     "popw %%ds\n\tcld"                                                       \
                     :                                                                        \
                     : "i"(n)                                                                 \
                     : "memory", "cc")

static void handle_irq(uint8_t vector)
{
    switch (vector) {
    case 0x08:
        tick();
        SOFT_INT(0x1c);
        break;
    case 0x09: keyboard_irq(); return;
    case 0x0e: floppy_irq(); break;
    case 0x70: rtc_tick(); break;
    case 0x71: /* IRQ 9 is where IRQ 2 was on XTs */
        outb(PIC2, EOI);
        SOFT_INT(0x0a);
        return;
    case 0x74: mouse_irq(); return;
    case 0x75: /* the numeric processor's error */
        outb(0xf0, 0);
        end_of_irq(vector);
        SOFT_INT(0x02);
        return;
    }
    end_of_irq(vector);
}

void dispatch(struct regs *r);

void dispatch(struct regs *r)
{
    static void (*const services[])(struct regs *) = {
        [0x10 - 0x10] = int10, [0x13 - 0x10] = int13, [0x14 - 0x10] = int14, [0x15 - 0x10] = int15,
        [0x16 - 0x10] = int16, [0x17 - 0x10] = int17, [0x1a - 0x10] = int1a,
    };

    switch (r->vector) {
    case 0x11: r->ax = bda_read16(BDA_EQUIPMENT); return;
    case 0x12: r->ax = bda_read16(BDA_MEMORY); return;
    case 0x18: boot_next();
    case 0x19: boot_start();
    case PMM_VECTOR: pmm_call(r); return;
    }
    if (r->vector < 0x10 || r->vector >= 0x70) {
        handle_irq((uint8_t)r->vector);
        return;
    }
    if (r->flags & FLAG_IF)
        __asm__ volatile("sti");
    if (services[r->vector - 0x10])
        services[r->vector - 0x10](r);
}

/* ---- start-up ---- */

static void set_vector(uint8_t vector, const char *handler)
{
    far_write32(0, vector * 4, (uint32_t)SEG_BIOS << 16 | (uint16_t)(uintptr_t)handler);
}

static void init_vectors(void)
{
    for (unsigned v = 0; v < 0x78; v++)
        set_vector(v, int_nothing);
    for (unsigned v = 0x08; v <= 0x1a; v++)
        set_vector(v, int_low + (v - 0x08) * ENTRY_SIZE);
    for (unsigned v = 0x70; v <= 0x77; v++)
        set_vector(v, int_high + (v - 0x70) * ENTRY_SIZE);
    far_write32(0, 0x1d * 4, 0);
    far_write32(0, 0x1f * 4, 0);
    for (unsigned v = 0x60; v < 0x68; v++)
        far_write32(0, v * 4, 0);
    for (unsigned v = 0x78; v < 0x100; v++)
        far_write32(0, v * 4, 0);
}

static void init_bda(void)
{
    for (unsigned i = 0; i < 0x100; i += 2)
        bda_write16(i, 0);
    for (unsigned i = 0; i < 1024; i += 2)
        far_write16(SEG_EBDA, i, 0);
    far_write8(SEG_EBDA, 0, 1); /* KiB */
    bda_write16(BDA_EBDA, SEG_EBDA);
    bda_write16(BDA_MEMORY, SEG_EBDA >> 6);
    bda_write16(BDA_EQUIPMENT, cmos_read(0x14) | 0x02);
}

static void init_pics(void)
{
    static const uint8_t words[][2] = {
        { 0x11, 0x11 }, { 0x08, 0x70 }, { 0x04, 0x02 }, { 0x01, 0x01 }, { 0xb8, 0x8f }
    };

    for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
        outb(PIC1 + (i > 0), words[i][0]);
        outb(PIC2 + (i > 0), words[i][1]);
    }
}

static uint8_t rom_sum(uint16_t seg)
{
    uint8_t sum = 0;

    for (uint32_t left = far_read8(seg, 2) * 512u; left; left -= 16, seg++)
        for (unsigned i = 0; i < 16; i++)
            sum += far_read8(seg, i);
    return sum;
}

/* Its entry is called with the PCI function and PnP's structure (PCI Firmware 3.0, 5.2.1.21). */
static uint16_t run_rom(uint16_t seg, uint16_t bdf)
{
    extern const char pnp[];
    struct far_call c = { .ip = 3,
                          .cs = seg,
                          .eax = bdf,
                          .ebx = 0xffff,
                          .edx = 0xffff,
                          .edi = (uint16_t)(uintptr_t)pnp,
                          .es = SEG_BIOS };
    uint16_t size;

    if (far_read16(seg, 0) != 0xaa55 || rom_sum(seg))
        return 0;
    call_far(&c);
    size = far_read8(seg, 2) * 32u; /* in paragraphs; the entry may have shrunk it */
    log_line("rom: %x: %x paragraphs", seg, size);
    return size;
}

static void run_roms(void)
{
    uint16_t seg = 0xc000;
    uint32_t next;

    pmm_open();
    while ((next = call32(post_next_rom, seg)) != 0) {
        uint16_t size = run_rom(seg, next >> 16);

        if (size)
            boot_rom_found(seg, next >> 16);
        seg += (size + 0x7f) & ~0x7f;
        if (seg == 0xc000 + ((size + 0x7f) & ~0x7f))
            console_init();
    }
}

/* Goes on with what slept (ACPI 6.4, 16.3.1.4), whose memory is not to be written, where the FACS
 * says, which is an address in real mode. */
void wake_up(void) __attribute__((noreturn));

void wake_up(void)
{
    uint32_t vector;

    stack_top -= 0x800;
    log_line("bios: wake up");
    init_pics();
    outb(PIC1 + 1, 0xff);
    outb(PIC2 + 1, 0xff);
    timer_init();
    vector = call32(post_wake, 0);
    log_line("wake: vector %x", vector);
    if (vector)
        __asm__ volatile("pushw %w0\n\tpushw %w1\n\tlretw" : : "r"(vector >> 4), "r"(vector & 15));
    outb(0xcf9, 6);
    for (;;)
        __asm__ volatile("hlt");
}

void post(void) __attribute__((noreturn));

void post(void)
{
    extern void pnp_init(void);

    stack_top -= 0x800;
    pnp_init();
    log_line("bios: start");
    init_vectors();
    init_bda();
    init_pics();
    time_init();
    call32(post_machine, 0);
    for (unsigned i = 0; i < sys.map_count; i++)
        log_line("map: %x:%x + %x:%x: %u", (uint32_t)(sys.map[i].base >> 32),
                 (uint32_t)sys.map[i].base, (uint32_t)(sys.map[i].size >> 32),
                 (uint32_t)sys.map[i].size, sys.map[i].type);
    serial_init();
    keyboard_init();
    console_init();
    run_roms();
    console_init();
    time_init();
    __asm__ volatile("sti");
    disks_init();
    boot_connect_roms();
    call32(post_tables, 0);
    boot_start();
}
