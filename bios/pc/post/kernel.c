/*
 * A Linux kernel that was given to the machine: from fw_cfg to where its 16-bit part wants it
 * (Linux, Documentation/arch/x86/boot.rst; fields by their names there). That part asks the BIOS
 * for memory and displays by itself.
 */
#include "post.h"

enum {
    KEY_KERNEL_SIZE = 0x08,
    KEY_INITRD_SIZE = 0x0b,
    KEY_KERNEL = 0x11,
    KEY_INITRD = 0x12,
    KEY_CMDLINE_SIZE = 0x14,
    KEY_CMDLINE = 0x15,
    KEY_SETUP_SIZE = 0x17,
    KEY_SETUP = 0x18,
};

/* Offsets in the 16-bit part. */
enum {
    MAGIC = 0x202,
    VERSION = 0x206,
    TYPE_OF_LOADER = 0x210,
    LOADFLAGS = 0x211,
    RAMDISK_IMAGE = 0x218,
    RAMDISK_SIZE = 0x21c,
    HEAP_END_PTR = 0x224,
    CMD_LINE_PTR = 0x228,
    INITRD_ADDR_MAX = 0x22c,
};
enum { LOADED_HIGH = 0x01, CAN_USE_HEAP = 0x80 };

#define SETUP_MAX   0x8000u
#define HEAP_END    0xe000u /* and of the stack */
#define CMDLINE     (KERNEL_SETUP + HEAP_END)
#define CMDLINE_MAX 0x2000u
#define HIGH        0x100000u

static uint32_t number(uint16_t key)
{
    uint32_t v = 0;

    fw_cfg_item(key, &v, sizeof(v));
    return v;
}

uint32_t kernel_size(void)
{
    return number(KEY_SETUP_SIZE) ? number(KEY_KERNEL_SIZE) : 0;
}

static void *field(unsigned offset)
{
    return (void *)(uintptr_t)(KERNEL_SETUP + offset);
}

static void set_field(unsigned offset, uint32_t v)
{
    memcpy(field(offset), &v, sizeof(v));
}

/* As high as the kernel allows, where its own growth does not reach. */
static bool load_initrd(uint16_t version, uint32_t kernel_end)
{
    uint32_t size = number(KEY_INITRD_SIZE), last = 0x37ffffff, at;

    if (!size)
        return true;
    if (version >= 0x203)
        memcpy(&last, field(INITRD_ADDR_MAX), sizeof(last));
    at = last < SYS.ram_low ? last + 1 : SYS.ram_low;
    if (at < kernel_end || size > at - kernel_end)
        return false;
    at = (at - size) & ~(PAGE - 1);
    if (at < kernel_end)
        return false;
    fw_cfg_load(KEY_INITRD, (void *)(uintptr_t)at, size);
    set_field(RAMDISK_IMAGE, at);
    set_field(RAMDISK_SIZE, size);
    return true;
}

/* 1: it is there, to be entered at KERNEL_SETUP + 0x200 in real mode. */
uint32_t post_kernel(uint32_t unused)
{
    uint32_t setup = number(KEY_SETUP_SIZE), size = kernel_size();
    uint32_t cmdline = number(KEY_CMDLINE_SIZE);
    uint16_t version;

    (void)unused;
    if (setup < 0x400 || setup > SETUP_MAX || cmdline > CMDLINE_MAX || size > SYS.ram_low - HIGH)
        return 0;
    fw_cfg_load(KEY_SETUP, field(0), setup);
    memcpy(&version, field(VERSION), sizeof(version));
    if (memcmp(field(MAGIC), "HdrS", 4) != 0 || version < 0x202 ||
        !(*(uint8_t *)field(LOADFLAGS) & LOADED_HIGH))
        return 0;
    fw_cfg_load(KEY_KERNEL, (void *)(uintptr_t)HIGH, size);
    fw_cfg_load(KEY_CMDLINE, (void *)(uintptr_t)CMDLINE, cmdline);
    *(uint8_t *)field(TYPE_OF_LOADER) = 0xff;
    *(uint8_t *)field(LOADFLAGS) |= CAN_USE_HEAP;
    set_field(HEAP_END_PTR, HEAP_END - 0x200 - KERNEL_STACK);
    set_field(CMD_LINE_PTR, CMDLINE);
    log_line("kernel: %u bytes, protocol %x", size, version);
    return load_initrd(version, HIGH + size);
}
