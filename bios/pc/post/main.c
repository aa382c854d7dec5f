/* What start-up does in 32-bit mode: memory, PCI, processors, option ROMs. */
#include "post.h"

#define ROM_END 0xe0000u

static void read_settings(void)
{
    struct fw_file f;
    uint16_t menu = 0;

    SYS.has_fw_cfg = fw_cfg_there();
    if (!SYS.has_fw_cfg)
        return;
    fw_cfg_item(0x0e, &menu, sizeof(menu));
    SYS.has_kernel = kernel_size() != 0;
    SYS.menu = menu != 0;
    SYS.menu_wait_ms = 2500;
    if (fw_cfg_find("etc/boot-menu-wait", &f))
        fw_cfg_item(f.key, &SYS.menu_wait_ms, f.size < 4 ? f.size : 4);
    if (fw_cfg_find("etc/sercon-port", &f))
        fw_cfg_item(f.key, &SYS.mirror, sizeof(SYS.mirror));
    if (fw_cfg_find("bootorder", &f))
        fw_cfg_item(f.key, SYS.boot_order,
                    f.size < sizeof(SYS.boot_order) ? f.size : sizeof(SYS.boot_order) - 1);
}

uint32_t post_machine(uint32_t unused)
{
    (void)unused;
    read_settings();
    memory_find();
    pci_setup();
    cpus_start();
    memory_map();
    return 0;
}

/* Chips come from a reset; of memory only ours may be written. The address of the system's code to
 * wake up, or 0. */
uint32_t post_wake(uint32_t unused)
{
    (void)unused;
    pci_setup();
    cpus_start();
    outb(0xd6, 0xc0); /* the first DMA controller works through the second */
    outb(0xd4, 0);
    return wake_vector();
}

/* ---- option ROMs (PCI Firmware 3.0, 5.1) ---- */

/* Finds the image for PCs in the ROM that is shown at `rom`; its size in bytes, 0 if none. */
static uint32_t find_image(const uint8_t *rom, uint32_t rom_size, uint32_t *offset)
{
    uint32_t at = 0;

    while (at + 0x1c < rom_size && rom[at] == 0x55 && rom[at + 1] == 0xaa) {
        uint32_t pcir = at + (rom[at + 0x18] | rom[at + 0x19] << 8);
        uint32_t size;

        if (pcir + 0x18 > rom_size || memcmp(rom + pcir, "PCIR", 4) != 0)
            return 0;
        size = (rom[pcir + 0x10] | rom[pcir + 0x11] << 8) * 512u;
        if (rom[pcir + 0x14] == 0) {
            *offset = at;
            return size < rom_size - at ? size : rom_size - at;
        }
        if ((rom[pcir + 0x15] & 0x80) || !size)
            return 0;
        at += size;
    }
    return 0;
}

static bool copy_pci_rom(uint16_t bdf, uint32_t to)
{
    uint32_t bar, mask, offset = 0, size;

    if (pci_read8(bdf, 0x0e) & 0x7f)
        return false;
    bar = pci_read32(bdf, 0x30) & ~1u;
    pci_write32(bdf, 0x30, 0xfffff800);
    mask = pci_read32(bdf, 0x30) & 0xfffff800;
    pci_write32(bdf, 0x30, bar | 1);
    size = bar && mask ? find_image((const uint8_t *)(uintptr_t)bar, -mask, &offset) : 0;
    if (size && size <= ROM_END - to)
        memcpy((void *)(uintptr_t)to, (const uint8_t *)(uintptr_t)bar + offset, size);
    else
        size = 0;
    pci_write32(bdf, 0x30, bar);
    return size;
}

static bool copy_file_rom(unsigned n, uint32_t to, bool *more)
{
    struct fw_file f;

    *more = fw_cfg_nth(n, &f);
    if (!*more || !(starts_with(f.name, "genroms/") || starts_with(f.name, "vgaroms/")) ||
        f.size > ROM_END - to)
        return false;
    fw_cfg_item(f.key, (void *)(uintptr_t)to, f.size);
    return *(uint16_t *)(uintptr_t)to == 0xaa55;
}

/* Without PAM there is nothing to copy: a card shows its ROM where it runs. */
static bool is_there(uint32_t segment)
{
    const uint16_t *rom = (const uint16_t *)(uintptr_t)(segment << 4);

    return !SYS.has_pci && segment << 4 < ROM_END && *rom == 0xaa55;
}

/* Displays come first, since the VGA's BIOS belongs at 0xc0000. */
uint32_t post_next_rom(uint32_t segment)
{
    static enum { VGA, FILES, OTHERS, DONE } stage;
    static uint32_t next;

    if (is_there(segment))
        return segment;
    for (; stage != DONE; stage++, next = 0) {
        bool more;

        if (stage == FILES) {
            do
                if (copy_file_rom(next++, segment << 4, &more))
                    return segment;
            while (more);
            continue;
        }
        while (SYS.has_pci && (next = pci_next(next)) != 0x10000) {
            uint16_t bdf = (uint16_t)next++;

            if ((pci_read8(bdf, 0x0b) == 3) == (stage == VGA) && copy_pci_rom(bdf, segment << 4))
                return segment | (uint32_t)bdf << 16;
        }
    }
    return 0;
}
