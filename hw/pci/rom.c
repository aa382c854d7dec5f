/*
 * Option ROMs of PCI functions: the expansion ROM base address register (PCI Local Bus 3.0, 6.2.5.2
 * and 6.3) and the images that are shown there.
 *
 * Without romfile= a function shows the image of its type: one of bios/, or a file that packages
 * of QEMU's firmware install; where that package is not there, none.
 */
#include "private.h"

#include <string.h>
#include <base/bits.h>
#include <base/embed.h>
#include <base/error.h>
#include <hw/core/loader.h>

#define ROM_MIN   2048
#define ROM_MAX   (UINT64_C(16) << 20)
#define ROM_ON    1
#define SIGNATURE 0xaa55
#define TYPE_PC   0
#define UNIT      512

/* Fields of an image and of its PCI data structure. */
enum { IMAGE_SUM = 6, IMAGE_PCIR = 0x18, PCIR_LEN = 0x18 };
enum { PCIR_VENDOR = 4, PCIR_DEVICE = 6, PCIR_BLOCKS = 0x10, PCIR_TYPE = 0x14, PCIR_LAST = 0x15 };

/* Where packages put such files. */
static const char *const folders[] = { "/usr/share/qemu", "/usr/lib/ipxe/qemu",
                                       "/usr/share/seabios", "/usr/share/qemu-firmware" };

static unsigned rom_reg(const struct pci_device *pd)
{
    return (pd->config[PCI_HEADER_TYPE] & 0x7f) == PCI_HEADER_BRIDGE ? PCI_BRIDGE_ROM : PCI_ROM;
}

/* ---- finding ---- */

static GBytes *find_file(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(folders); i++) {
        g_autofree char *path = g_build_filename(folders[i], name, NULL);
        GBytes *file = load_file("romfile", path, ROM_MAX, NULL);

        if (file)
            return file;
    }
    return NULL;
}

static GBytes *find_image(const char *name)
{
    const struct embedded_file *f = embedded_find(name);

    return f ? g_bytes_new_static(f->data, f->size) : find_file(name);
}

/* The user's: a path, or the name of a file that would be found without one. */
static GBytes *user_image(const struct pci_device *pd, GError **err)
{
    g_autofree char *what = g_strdup_printf("%s.romfile", pd->dev.type->name);
    GBytes *file = NULL;

    if (!strchr(pd->romfile, '/') && !g_file_test(pd->romfile, G_FILE_TEST_EXISTS))
        file = find_image(pd->romfile);
    return file ? file : load_file(what, pd->romfile, ROM_MAX, err);
}

/* ---- images ---- */

/* One image serves relatives of the chip: it is told whose it is now, its sum stays. */
static void adopt_image(const struct pci_device *pd, uint8_t *image, uint8_t *pcir)
{
    uint8_t change = 0;

    if (pcir[PCIR_TYPE] != TYPE_PC)
        return;
    for (unsigned i = 0; i < 4; i++) {
        change += pcir[PCIR_VENDOR + i] - pd->config[PCI_VENDOR + i];
        pcir[PCIR_VENDOR + i] = pd->config[PCI_VENDOR + i];
    }
    image[IMAGE_SUM] += change;
}

static void adopt_rom(const struct pci_device *pd, uint8_t *rom, uint64_t size)
{
    uint64_t at = 0;

    while (at + IMAGE_PCIR + 2 <= size && lduw_le(rom + at) == SIGNATURE) {
        uint64_t pcir = at + lduw_le(rom + at + IMAGE_PCIR), len;

        if (pcir + PCIR_LEN > size || memcmp(rom + pcir, "PCIR", 4) != 0)
            return;
        adopt_image(pd, rom + at, rom + pcir);
        len = (uint64_t)lduw_le(rom + pcir + PCIR_BLOCKS) * UNIT;
        if (!len || rom[pcir + PCIR_LAST] & 0x80)
            return;
        at += len;
    }
}

static bool show(struct pci_device *pd, GBytes *file, GError **err)
{
    gsize len;
    const void *data = g_bytes_get_data(file, &len);
    uint64_t size = MAX(pow2_ceil(len), ROM_MIN);
    uint8_t *rom;

    if (!mem_region_init_rom(&pd->rom, device_mem(&pd->dev), "rom", size, err))
        return false;
    rom = pd->rom.ram->host;
    memset(rom, 0xff, size);
    memcpy(rom, data, len);
    if (!pd->romfile)
        adopt_rom(pd, rom, len);
    stl_le(pd->wmask + rom_reg(pd), (uint32_t) ~(size - 1) | ROM_ON);
    return true;
}

bool pci_rom_init(struct pci_device *pd, const char *name, GError **err)
{
    GBytes *file;
    bool ok;

    if (!pd->rombar || (pd->romfile && !pd->romfile[0]))
        return true;
    if (!pd->romfile) {
        file = name ? find_image(name) : NULL;
        if (!file)
            return true;
    } else {
        file = user_image(pd, err);
        if (!file)
            return false;
    }
    ok = show(pd, file, err);
    g_bytes_unref(file);
    return ok;
}

/* ---- the register ---- */

void pci_rom_update(struct pci_device *pd)
{
    uint32_t reg = pd->rom.size ? (uint32_t)ldl_le(pd->config + rom_reg(pd)) : 0;
    uint64_t addr = reg & ~(uint64_t)ROM_ON;
    bool on = reg & ROM_ON && lduw_le(pd->config + PCI_COMMAND) & PCI_COMMAND_MEMORY && addr &&
              addr + pd->rom.size <= UINT32_MAX;

    if (pd->rom.container && (!on || pd->rom.addr != addr))
        mem_region_remove(&pd->rom);
    if (on && !pd->rom.container)
        mem_region_add_priority(pd->bus->mmio, addr, &pd->rom, 1);
}

void pci_rom_destroy(struct pci_device *pd)
{
    mem_region_destroy(&pd->rom);
}
