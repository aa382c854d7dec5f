/* The boards `pc` and `isapc`: what their files share. */
#ifndef HW_PC_PC_H
#define HW_PC_PC_H

#include <hw/core/machine.h>
#include <hw/isa/isa.h>

#define PC_CPUS_MAX 64
#define PC_ROM_BASE 0xc0000 /* option ROMs */
#define PC_ROM_SIZE 0x20000

enum pc_irq { PC_IRQ_SCI = 9 };

struct pc {
    struct machine m;
    /* memory */
    uint64_t below_4g, above_4g; /* bytes of RAM on each side of the hole */
    struct mem_region ram_low, ram_high, option_rom, bios, bios_low, no_memory, no_port;
    /* chips; NULL on boards without PCI: host, piix3, pm */
    struct device *host, *piix3, *pm, *isa_bridge, *fw_cfg;
    struct isa_bus *isa;
    struct device *pic, *pit, *rtc;
    struct mem_region *rom_space; /* where ROMs are placed: behind RAM */
};

/* Places RAM around the hole below 4 GiB. */
void pc_memory_init(struct pc *pc);
/* Addresses and ports where nobody answers. */
void pc_float_init(struct pc *pc);
/* The BIOS (-bios) at the ends of the first MiB and of the first 4 GiB, and the empty ROM for
 * option ROMs. */
bool pc_roms_init(struct pc *pc, GError **err);
/* The chips on the ISA bus's lines that every PC has. */
bool pc_legacy_init(struct pc *pc, GError **err);
void pc_memory_free(struct pc *pc);

#endif
