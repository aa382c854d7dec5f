/* The 16-bit part: far memory, the BIOS data area, and what its files offer each other. */
#ifndef BIOS_PC_LOW_H
#define BIOS_PC_LOW_H

#include "bios.h"

#define FAR_ACCESS(bits, suffix, reg)                                                \
    static inline uint##bits##_t far_read##bits(uint16_t seg, uint16_t off)          \
    {                                                                                \
        uint##bits##_t v;                                                            \
        __asm__ volatile("movw %w1, %%fs\n\tmov" suffix " %%fs:(%2), %0"             \
                         : "=" reg(v)                                                \
                         : "r"(seg), "r"((uint32_t)off)                              \
                         : "memory");                                                \
        return v;                                                                    \
    }                                                                                \
    static inline void far_write##bits(uint16_t seg, uint16_t off, uint##bits##_t v) \
    {                                                                                \
        __asm__ volatile("movw %w0, %%fs\n\tmov" suffix " %2, %%fs:(%1)"             \
                         :                                                           \
                         : "r"(seg), "r"((uint32_t)off), reg(v)                      \
                         : "memory");                                                \
    }
FAR_ACCESS(8, "b", "q")
FAR_ACCESS(16, "w", "r")
FAR_ACCESS(32, "l", "r")
#undef FAR_ACCESS

/* Between any two segments. */
static inline void far_copy(uint16_t to_seg, uint16_t to, uint16_t from_seg, uint16_t from,
                            uint32_t n)
{
    uint32_t di = to, si = from;

    __asm__ volatile("pushw %%ds\n\tpushw %%es\n\tmovw %w3, %%es\n\tmovw %w4, %%ds\n\t"
                     "rep movsb\n\tpopw %%es\n\tpopw %%ds"
                     : "+D"(di), "+S"(si), "+c"(n)
                     : "r"(to_seg), "r"(from_seg)
                     : "memory");
}

static inline void far_put(uint16_t seg, uint16_t off, const void *from, uint32_t n)
{
    far_copy(seg, off, SEG_BIOS, (uint16_t)(uintptr_t)from, n);
}

static inline void far_get(void *to, uint16_t seg, uint16_t off, uint32_t n)
{
    far_copy(SEG_BIOS, (uint16_t)(uintptr_t)to, seg, off, n);
}

/* 16-bit data of a port to memory and back; off + 2 * words must not pass the segment's end. */
static inline void far_insw(uint16_t port, uint16_t seg, uint16_t off, uint32_t words)
{
    uint32_t di = off;

    __asm__ volatile("pushw %%es\n\tmovw %w2, %%es\n\trep insw\n\tpopw %%es"
                     : "+D"(di), "+c"(words)
                     : "r"(seg), "d"(port)
                     : "memory");
}

static inline void far_outsw(uint16_t port, uint16_t seg, uint16_t off, uint32_t words)
{
    uint32_t si = off;

    __asm__ volatile("pushw %%ds\n\tmovw %w2, %%ds\n\trep outsw\n\tpopw %%ds"
                     : "+S"(si), "+c"(words)
                     : "r"(seg), "d"(port)
                     : "memory");
}

/* ---- BIOS data area, segment 0x40 (the names are IBM's) ---- */

enum bda {
    BDA_COM = 0x00,
    BDA_LPT = 0x08,
    BDA_EBDA = 0x0e,
    BDA_EQUIPMENT = 0x10,
    BDA_MEMORY = 0x13,
    BDA_KBD_FLAGS = 0x17,
    BDA_KBD_FLAGS2 = 0x18,
    BDA_KBD_ALT = 0x19,
    BDA_KBD_HEAD = 0x1a,
    BDA_KBD_TAIL = 0x1c,
    BDA_KBD_BUFFER = 0x1e,
    BDA_FLOPPY_CALIBRATED = 0x3e,
    BDA_FLOPPY_MOTOR = 0x3f,
    BDA_FLOPPY_TIMEOUT = 0x40,
    BDA_FLOPPY_STATUS = 0x41,
    BDA_VIDEO_MODE = 0x49,
    BDA_VIDEO_COLUMNS = 0x4a,
    BDA_VIDEO_SIZE = 0x4c,
    BDA_CURSOR = 0x50,
    BDA_CURSOR_SHAPE = 0x60,
    BDA_CRTC = 0x63,
    BDA_TICKS = 0x6c,
    BDA_MIDNIGHT = 0x70,
    BDA_BREAK = 0x71,
    BDA_DISK_STATUS = 0x74,
    BDA_DISKS = 0x75,
    BDA_KBD_START = 0x80,
    BDA_KBD_END = 0x82,
    BDA_VIDEO_ROWS = 0x84,
    BDA_CHAR_HEIGHT = 0x85,
    BDA_KBD_FLAGS3 = 0x96,
    BDA_KBD_LEDS = 0x97,
    BDA_WAIT_FLAG_PTR = 0x98,
    BDA_WAIT_COUNT = 0x9c,
    BDA_WAIT_ACTIVE = 0xa0,
};

#define SEG_BDA  0x40
#define SEG_EBDA 0x9fc0

#define bda_read8(off)      far_read8(SEG_BDA, off)
#define bda_read16(off)     far_read16(SEG_BDA, off)
#define bda_read32(off)     far_read32(SEG_BDA, off)
#define bda_write8(off, v)  far_write8(SEG_BDA, off, v)
#define bda_write16(off, v) far_write16(SEG_BDA, off, v)
#define bda_write32(off, v) far_write32(SEG_BDA, off, v)

/* ---- entry.S ---- */

struct far_call {
    uint16_t ip, cs;
    uint32_t eax, ebx, edx, edi;
    uint16_t es;
};

uint32_t call32(uint32_t (*function)(uint32_t), uint32_t argument);
void move_high(uint32_t to, uint32_t from, uint32_t bytes);
void call_far(struct far_call *c);
void boot_at(uint32_t seg_off, uint32_t drive) __attribute__((noreturn));
extern const char int_low[], int_high[], int_nothing[], int_pnp[], int_pmm[], int10_mirror[];
/* Whom int10_mirror goes on to: a far pointer. */
extern uint32_t mirrored;

/* Functions of the 32-bit part. */
uint32_t post_machine(uint32_t unused);
uint32_t post_tables(uint32_t unused);
uint32_t post_wake(uint32_t unused);
uint32_t post_kernel(uint32_t unused);
/* Copies the next option ROM to memory: its segment in bits 15..0, the PCI function's number in
 * bits 31..16; 0 after the last. The argument is the end of the ROMs so far, as a segment. */
uint32_t post_next_rom(uint32_t segment);

/* ---- time.c ---- */

void delay_us(uint32_t us);
void timer_init(void); /* channel 0, which limits count by */
void time_init(void);
void tick(void);     /* IRQ 0 */
void rtc_tick(void); /* IRQ 8 */
void int1a(struct regs *r);
/* INT 15h, AH=83h and 86h */
void time_wait(struct regs *r);

/* ---- others ---- */

void int10(struct regs *r);
void int13(struct regs *r);
void int14(struct regs *r);
void int15(struct regs *r);
void int16(struct regs *r);
void int17(struct regs *r);
void pci_bios(struct regs *r);
void apm(struct regs *r);

void keyboard_init(void);
void keyboard_irq(void); /* IRQ 1 */
/* Puts a key into the buffer; false: full. */
bool keyboard_put(uint16_t key);
/* Waits for the controller to take or to have a byte. */
bool kbc_can_write(void);
bool kbc_has_byte(void);
void mouse_irq(void); /* IRQ 12 */
void mouse_service(struct regs *r);

void serial_init(void);
void console_init(void);
/* Keys that came on the serial console. */
void console_poll(void);
bool console_is_serial(void);
/* Through INT 10h. */
void print(const char *format, ...);
uint16_t key_wait(uint32_t ms); /* 0: none came */

void disks_init(void);
void floppy_irq(void);
void floppy_motor_tick(void);
void boot_next(void) __attribute__((noreturn));
void boot_start(void) __attribute__((noreturn));
void boot_rom_found(uint16_t segment, uint16_t bdf);
/* ROMs whose disks are behind INT 13h take it over; behind our own disks. */
void boot_connect_roms(void);

/* ---- pmm.c ---- */

#define PMM_VECTOR 0x6f /* how int_pmm's calls come to dispatch() */
void pmm_open(void);
void pmm_close(void);
void pmm_call(struct regs *r);

#endif
