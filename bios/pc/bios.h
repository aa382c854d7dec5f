/*
 * What the parts of the BIOS share. The 16-bit part sees segment 0xf000 alone and reaches the rest
 * of memory through far_*(); the 32-bit part sees all of it flat.
 */
#ifndef BIOS_PC_BIOS_H
#define BIOS_PC_BIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define SEG_BIOS     0xf000
#define BIOS_BASE    0xf0000u
#define PAGE         4096u
#define KERNEL_SETUP 0x10000u /* 16-bit part of a kernel without boot loader */
#define KERNEL_STACK 0x1000u  /* bytes above its heap */
/* The 16-bit part's variable, seen from 32-bit code. */
#define LOW_VAR(v)   (*(__typeof__(&(v)))(BIOS_BASE + (uint32_t)(uintptr_t) & (v)))

/* The caller's registers; the order is entry.S's. */
struct regs {
#define REG(name, x)            \
    union {                     \
        uint32_t e##name;       \
        uint16_t name;          \
        struct {                \
            uint8_t x##l, x##h; \
        };                      \
    }
    union {
        uint32_t edi;
        uint16_t di;
    };
    union {
        uint32_t esi;
        uint16_t si;
    };
    uint32_t ebp, esp;
    REG(bx, b);
    REG(dx, d);
    REG(cx, c);
    REG(ax, a);
#undef REG
    uint16_t ds, es, fs, gs, vector, ip, cs, flags;
};

enum { FLAG_CF = 1, FLAG_ZF = 0x40, FLAG_IF = 0x200 };

static inline void set_flag(struct regs *r, uint16_t flag, bool on)
{
    r->flags = on ? r->flags | flag : r->flags & ~flag;
}

/* ---- ports ---- */

static inline void outb(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t v)
{
    __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static inline void outl(uint16_t port, uint32_t v)
{
    __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
    uint8_t v;

    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint16_t inw(uint16_t port)
{
    uint16_t v;

    __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint32_t inl(uint16_t port)
{
    uint32_t v;

    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static inline uint8_t cmos_read(uint8_t index)
{
    outb(0x70, index | 0x80);
    return inb(0x71);
}

static inline void cmos_write(uint8_t index, uint8_t v)
{
    outb(0x70, index | 0x80);
    outb(0x71, v);
}

/* ---- PCI configuration, mechanism 1; bdf: bus, device, function in 16 bits ---- */

static inline void pci_select(uint16_t bdf, uint8_t reg)
{
    outl(0xcf8, 0x80000000u | (uint32_t)bdf << 8 | (reg & 0xfc));
}

static inline uint32_t pci_read32(uint16_t bdf, uint8_t reg)
{
    pci_select(bdf, reg);
    return inl(0xcfc);
}

static inline uint16_t pci_read16(uint16_t bdf, uint8_t reg)
{
    pci_select(bdf, reg);
    return inw(0xcfc + (reg & 2));
}

static inline uint8_t pci_read8(uint16_t bdf, uint8_t reg)
{
    pci_select(bdf, reg);
    return inb(0xcfc + (reg & 3));
}

static inline void pci_write32(uint16_t bdf, uint8_t reg, uint32_t v)
{
    pci_select(bdf, reg);
    outl(0xcfc, v);
}

static inline void pci_write16(uint16_t bdf, uint8_t reg, uint16_t v)
{
    pci_select(bdf, reg);
    outw(0xcfc + (reg & 2), v);
}

static inline void pci_write8(uint16_t bdf, uint8_t reg, uint8_t v)
{
    pci_select(bdf, reg);
    outb(0xcfc + (reg & 3), v);
}

/* ---- util.c, in both parts ---- */

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
/* To port 0x402: %s, %c, %x, %u with 32-bit arguments. */
void log_line(const char *format, ...);
/* The same to any stream of characters. */
void format_to(void (*put)(char), const char *format, const uint32_t *args);

/* A limit that counts without interrupts. */
struct limit {
    uint16_t last;
    uint32_t left; /* in 1193182ths of a second */
};

void limit_start(struct limit *l, uint32_t ms);
bool limit_reached(struct limit *l);

/* ---- what start-up learns and services tell ---- */

struct map_entry {
    uint64_t base, size;
    uint32_t type;
} __attribute__((packed));

enum { MAP_RAM = 1, MAP_RESERVED = 2, MAP_ACPI = 3, MAP_MAX = 32 };

struct system {
    struct map_entry map[MAP_MAX];
    uint32_t map_count;
    uint32_t ram_low;      /* end of RAM below 4 GiB, without what the BIOS keeps */
    uint32_t ram_high_64k; /* RAM above 4 GiB, in units of 64 KiB */
    uint32_t menu_wait_ms;
    uint16_t cpus;
    uint16_t mirror; /* serial port that shows what INT 10h writes; 0: none */
    uint8_t has_pci, last_bus, menu, has_fw_cfg, has_kernel;
    char boot_order[512]; /* fw_cfg's `bootorder` */
};

extern struct system sys;

#endif
