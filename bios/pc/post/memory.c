/* How much RAM there is, by CMOS, and the map that INT 15h, AX=E820h shows (ACPI 6.4, 15.1). */
#include "post.h"

#define MIB       (1u << 20)
#define EBDA      0x9fc00u
#define BIOS_AREA 0xe0000u
#define ROM_TOP   0xfffc0000u /* 256 KiB below 4 GiB */
#define KEPT      0x60000u    /* tables and what start-up needs */

enum {
    CMOS_ABOVE_1M = 0x30,  /* KiB, at most 63 MiB */
    CMOS_ABOVE_16M = 0x34, /* 64 KiB each */
    CMOS_ABOVE_4G = 0x5b,  /* 64 KiB each, 24 bits */
};

static uint32_t ram_end, kept_from;

static uint32_t cmos_16(uint8_t index)
{
    return cmos_read(index) | (uint32_t)cmos_read(index + 1) << 8;
}

void memory_find(void)
{
    uint32_t above_16m = cmos_16(CMOS_ABOVE_16M);

    ram_end = above_16m ? 16 * MIB + (above_16m << 16) : MIB + (cmos_16(CMOS_ABOVE_1M) << 10);
    kept_from = ram_end;
    SYS.ram_low = ram_end > MIB + 2 * KEPT ? ram_end - KEPT : ram_end;
    SYS.ram_high_64k = cmos_16(CMOS_ABOVE_4G) | (uint32_t)cmos_read(CMOS_ABOVE_4G + 2) << 16;
}

uint32_t memory_keep(uint32_t size, uint32_t align)
{
    uint32_t room = kept_from - SYS.ram_low;

    if (size > room || (kept_from - size) / align * align < SYS.ram_low)
        return 0;
    kept_from = (kept_from - size) / align * align;
    return kept_from;
}

static void add(uint64_t base, uint64_t end, uint32_t type)
{
    struct map_entry *e = &SYS.map[SYS.map_count];

    if (end <= base || SYS.map_count == MAP_MAX)
        return;
    *e = (struct map_entry){ base, end - base, type };
    SYS.map_count++;
}

/* Ranges that fw_cfg's etc/e820 has and RAM does not cover: reserved ones. */
static void add_board_ranges(void)
{
    struct fw_file f;
    struct map_entry e;

    if (!fw_cfg_find("etc/e820", &f))
        return;
    for (unsigned i = 0; i < f.size / sizeof(e); i++) {
        fw_cfg_find("etc/e820", &f);
        fw_cfg_item(f.key, &e, 0);
        for (unsigned k = 0; k <= i; k++)
            fw_cfg_read_more(&e, sizeof(e));
        if (e.type != MAP_RAM)
            add(e.base, e.base + e.size, e.type);
    }
}

void memory_map(void)
{
    uint64_t four_gib = UINT64_C(1) << 32;

    add(0, EBDA, MAP_RAM);
    add(EBDA, 0xa0000, MAP_RESERVED);
    add(BIOS_AREA, MIB, MAP_RESERVED);
    add(MIB, SYS.ram_low, MAP_RAM);
    add(SYS.ram_low, ram_end, MAP_RESERVED);
    add_board_ranges();
    add(ROM_TOP, four_gib, MAP_RESERVED);
    add(four_gib, four_gib + ((uint64_t)SYS.ram_high_64k << 16), MAP_RAM);
}
