/* RAM and ROM of PCs by address. */
#include "pc.h"

#include <inttypes.h>
#include <base/bits.h>
#include <base/embed.h>
#include <base/error.h>
#include <hw/core/loader.h>

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

#define FLOAT_PRIORITY (-2) /* behind everything */
/* what a BIOS keeps for itself of the first MiB */
#define EBDA           0x9fc00
#define VGA            0xa0000
#define BIOS_SEGMENT   0xf0000

#define BIOS_UNIT    65536u
#define BIOS_MAX     (16 * MIB)
#define BIOS_LOW_MAX UINT64_C(0x20000)

/* With more than LOWMEM_MAX of RAM, the hole for PCI is widened to a whole GiB. */
#define LOWMEM_MAX   0xe0000000u
#define LOWMEM_SPLIT 0xc0000000u

/* Where nobody answers, the lines of the bus float high. */
static uint64_t float_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque, (void)offset;
    return mask64(8 * size);
}

static void float_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)opaque, (void)offset, (void)value, (void)size;
}

static const struct io_ops float_io = { .read = float_read,
                                        .write = float_write,
                                        .unaligned = IO_UNALIGNED_PASS };

void pc_float_init(struct pc *pc)
{
    struct machine *m = &pc->m;

    mem_set_open_bus(m->mem);
    mem_region_init_io(&pc->no_memory, m->mem, &float_io, NULL, "nobody", MEM_SIZE_ALL);
    mem_region_add_priority(pc->rom_space, 0, &pc->no_memory, FLOAT_PRIORITY);
    mem_region_init_io(&pc->no_port, m->mem, &float_io, NULL, "nobody", m->io.size);
    mem_region_add_priority(&m->io, 0, &pc->no_port, FLOAT_PRIORITY);
}

void pc_memory_init(struct pc *pc)
{
    struct machine *m = &pc->m;
    uint64_t size = m->cfg.ram_size;

    pc->below_4g = size > LOWMEM_MAX ? LOWMEM_SPLIT : size;
    pc->above_4g = size - pc->below_4g;
    mem_region_init_alias(&pc->ram_low, m->mem, "ram-below-4g", &m->ram, 0, pc->below_4g);
    mem_region_add(&m->system, 0, &pc->ram_low);
    if (!pc->above_4g)
        return;
    mem_region_init_alias(&pc->ram_high, m->mem, "ram-above-4g", &m->ram, pc->below_4g,
                          pc->above_4g);
    mem_region_add(&m->system, 4 * GIB, &pc->ram_high);
}

static void add_range(GArray *map, uint64_t base, uint64_t end, enum pc_range_type type)
{
    const struct pc_range r = { base, end - base, type };

    if (end > base)
        g_array_append_val(map, r);
}

GArray *pc_memory_map(const struct pc *pc, bool tables)
{
    GArray *map = g_array_new(FALSE, FALSE, sizeof(struct pc_range));
    uint64_t end = pc->below_4g - (tables ? PC_TABLES_SIZE : 0);

    add_range(map, 0, EBDA, PC_RAM);
    add_range(map, EBDA, VGA, PC_RESERVED);
    add_range(map, BIOS_SEGMENT, MIB, PC_RESERVED);
    add_range(map, MIB, end, PC_RAM);
    add_range(map, end, pc->below_4g, PC_ACPI);
    add_range(map, 4 * GIB, 4 * GIB + pc->above_4g, PC_RAM);
    return map;
}

/* Without PAM there is no shadow RAM: the BIOS's variables are where it is, and what option ROMs
 * are copied to is RAM, too. */
static bool init_rom(struct pc *pc, struct mem_region *r, const char *name, uint64_t size,
                     GError **err)
{
    return pc->host ? mem_region_init_rom(r, pc->m.mem, name, size, err)
                    : mem_region_init_ram(r, pc->m.mem, name, size, err);
}

static bool add_option_rom(struct pc *pc, GError **err)
{
    if (!init_rom(pc, &pc->option_rom, "pc.rom", PC_ROM_SIZE, err))
        return false;
    mem_region_add_priority(pc->rom_space, PC_ROM_BASE, &pc->option_rom, 1);
    return true;
}

/* The last 128 KiB are seen below 1 MiB, too: that is where processors of old start. */
static bool place_bios(struct pc *pc, uint64_t size, GError **err)
{
    uint64_t low = MIN(size, BIOS_LOW_MAX);

    if (!init_rom(pc, &pc->bios, "pc.bios", size, err))
        return false;
    mem_region_add(pc->rom_space, 4 * GIB - size, &pc->bios);
    mem_region_init_alias(&pc->bios_low, pc->m.mem, "isa-bios", &pc->bios, size - low, low);
    mem_region_add_priority(pc->rom_space, MIB - low, &pc->bios_low, 1);
    return true;
}

static bool load_bios(struct pc *pc, const char *name, const uint8_t *data, uint64_t size,
                      GError **err)
{
    if (!size || size % BIOS_UNIT)
        return error_set(err, "-bios: '%s' has %" PRIu64 " bytes, a BIOS has a multiple of %u",
                         name, size, BIOS_UNIT);
    return place_bios(pc, size, err) && rom_add(&pc->m, name, data, size, 0, 4 * GIB - size, err);
}

static bool load_bios_file(struct pc *pc, const char *path, GError **err)
{
    GBytes *file = load_file("-bios", path, BIOS_MAX, err);
    gsize size;
    const uint8_t *data;
    bool ok;

    if (!file)
        return false;
    data = g_bytes_get_data(file, &size);
    ok = load_bios(pc, path, data, size, err);
    g_bytes_unref(file);
    return ok;
}

/* A kernel needs none, and without any the processor would find nothing. */
static bool load_default_bios(struct pc *pc, GError **err)
{
    const struct embedded_file *f = embedded_find("pc-bios.bin");

    if (f)
        return load_bios(pc, "pc-bios.bin", f->data, f->size, err);
    if (pc->m.cfg.kernel || pc->m.cfg.no_cpus)
        return true;
    return error_set(err, "-bios: this program was built without a BIOS; give one, or a -kernel");
}

bool pc_roms_init(struct pc *pc, GError **err)
{
    const char *path = pc->m.cfg.firmware;

    if (!add_option_rom(pc, err))
        return false;
    if (pc->pflash[0] || pc->pflash[1])
        return pc_flash_init(pc, err);
    if (g_strcmp0(path, "none") == 0)
        return true;
    return path && strcmp(path, "default") != 0 ? load_bios_file(pc, path, err)
                                                : load_default_bios(pc, err);
}

void pc_memory_free(struct pc *pc)
{
    mem_region_destroy(&pc->no_port);
    mem_region_destroy(&pc->no_memory);
    mem_region_destroy(&pc->bios_low);
    mem_region_destroy(&pc->bios);
    mem_region_destroy(&pc->option_rom);
    mem_region_destroy(&pc->ram_high);
    mem_region_destroy(&pc->ram_low);
}
