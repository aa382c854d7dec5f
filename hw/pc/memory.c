/* RAM and ROM of PCs by address. */
#include "pc.h"

#define GIB          (UINT64_C(1) << 30)
/* With more than LOWMEM_MAX of RAM, the hole for PCI is widened to a whole GiB. */
#define LOWMEM_MAX   0xe0000000u
#define LOWMEM_SPLIT 0xc0000000u

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

bool pc_roms_init(struct pc *pc, GError **err)
{
    if (!mem_region_init_rom(&pc->option_rom, pc->m.mem, "pc.rom", PC_ROM_SIZE, err))
        return false;
    mem_region_add_priority(pc->rom_space, PC_ROM_BASE, &pc->option_rom, 1);
    return true;
}

void pc_memory_free(struct pc *pc)
{
    mem_region_destroy(&pc->option_rom);
    mem_region_destroy(&pc->ram_high);
    mem_region_destroy(&pc->ram_low);
}
