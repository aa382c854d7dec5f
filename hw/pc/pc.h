/* The boards `pc` and `isapc`: what their files share. */
#ifndef HW_PC_PC_H
#define HW_PC_PC_H

#include <hw/core/machine.h>
#include <hw/isa/isa.h>
#include <target/x86.h>
#include "vmlinux.h"

#define PC_CPUS_MAX 64
#define PC_ROM_BASE 0xc0000 /* option ROMs */
#define PC_ROM_SIZE 0x20000

/* The last of the RAM below 4 GiB, where a kernel that starts without firmware finds ACPI tables.
 */
#define PC_TABLES_SIZE 0x20000

/* The root of these tables, where kernels search it. */
#define PC_RSDP       0xf0000
#define PC_SMBIOS     0xf0040
#define PC_SMBIOS_END 0x100000
/* PCI windows lie above RAM and above this. */
#define PC_PCI_HOLE   UINT64_C(0xc0000000)

enum pc_irq { PC_IRQ_SCI = 9, PC_IRQ_FPU = 13, PC_IRQ_IDE = 14 };

/* Where firmware puts PIIX4's registers, and so do we where there is none. */
enum pc_port { PC_PORT_PM = 0x600, PC_PORT_SMBUS = 0xb100 };

/* A row of the memory map, as E820 types it. */
enum pc_range_type { PC_RAM = 1, PC_RESERVED = 2, PC_ACPI = 3 };
struct pc_range {
    uint64_t base, size;
    enum pc_range_type type;
};

struct pc {
    struct machine m;
    /* memory */
    uint64_t below_4g, above_4g; /* bytes of RAM on each side of the hole */
    struct mem_region ram_low, ram_high, option_rom, bios, bios_low, no_memory, no_port;
    void *pflash[2]; /* properties: struct block *, firmware and its variables */
    /* chips; NULL on boards without PCI: host, piix3, ide, pm */
    struct device *host, *piix3, *ide, *pm, *isa_bridge, *fw_cfg;
    struct isa_bus *isa;
    struct device *pic, *pit, *rtc, *dma, *kbd, *apic, *ioapic, *hpet;
    struct irq_split irq_split[ISA_IRQS];
    struct irq_split rtc_split, kbd_split; /* to power management, besides */
    struct mem_region *rom_space;          /* where ROMs are placed: behind RAM */
    /* processors */
    struct irq_line fpu_line;
    struct mem_region fpu_io;
    int vmport; /* property: enum on_off_auto */
    /* a kernel that starts without firmware */
    bool direct_boot;
    uint32_t facs; /* where ACPI's FACS is, if it was us who placed the tables */
    bool booted;   /* -boot once= is over */
    struct x86_boot_state boot;
    bool boot_la57;         /* with five levels of page tables, if the CPU can */
    struct vmlinux vmlinux; /* where its 64-bit code is, if we unpack it */
};

/* Places RAM around the hole below 4 GiB. */
void pc_memory_init(struct pc *pc);
/* Addresses and ports where nobody answers. */
void pc_float_init(struct pc *pc);
/* The BIOS (-bios) at the ends of the first MiB and of the first 4 GiB, and the empty ROM for
 * option ROMs. */
bool pc_roms_init(struct pc *pc, GError **err);
/* flash.c: the banks of pflash0= and pflash1= at the end of 4 GiB, in the BIOS's place. */
bool pc_flash_init(struct pc *pc, GError **err);
/* Local and I/O APICs, where the ISA bus's lines then lead, too. */
bool pc_apic_init(struct pc *pc, GError **err);
/* The NMI button. */
void pc_nmi(struct machine *m);
/* The chips on the ISA bus's lines that every PC has. */
bool pc_legacy_init(struct pc *pc, GError **err);
void pc_memory_free(struct pc *pc);
/* The memory map as an array of struct pc_range, sorted; with `tables` the area of PC_TABLES_SIZE
 * is set apart. */
GArray *pc_memory_map(const struct pc *pc, bool tables);

/* Makes the CPUs and wires them to the chips that are there. */
bool pc_cpus_init(struct pc *pc, GError **err);
void pc_cpus_free(struct pc *pc);
/* VMware's port and its mouse, unless they are switched off. */
bool pc_vmport_init(struct pc *pc, GError **err);
/* machine_type.use_host_irqchip */
bool pc_use_host_irqchip(struct machine *m, const struct host_irqchip *host);
/* machine_type.host_chips */
void pc_host_chips(struct machine *m, struct host_chips *c, bool load);
/* The local APIC's ID of CPU n: threads, cores and sockets in bit fields of their own. */
uint32_t pc_apic_id(const struct pc *pc, unsigned n);
bool pc_has_long_mode(const struct pc *pc);

/* -kernel: loads it, or shows it to firmware that was asked for. `rsdp`: address of the ACPI
 * tables' root for kernels that start without firmware. */
bool pc_boot_init(struct pc *pc, uint64_t rsdp, GError **err);

/* boot_order.c: fw_cfg's file of bootindex=; brought up to date at resets. */
void pc_boot_order_init(struct pc *pc);
void pc_boot_order_ready(struct pc *pc);

#endif
