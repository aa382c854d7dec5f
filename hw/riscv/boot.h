/* How RISC-V boards boot: firmware, kernel, initrd, and the reset vector that starts them. */
#ifndef HW_RISCV_BOOT_H
#define HW_RISCV_BOOT_H

#include <hw/core/devtree.h>
#include <hw/core/loader.h>

struct boot {
    struct machine *machine;
    bool rv64;
    uint64_t ram_base, ram_size;
    uint64_t firmware_end; /* exclusive; ram_base where there is none */
    uint64_t start;        /* where the reset vector jumps */
    uint64_t kernel_entry; /* what firmware is to start next, 0 for none */
    uint64_t kernel_start, kernel_end;
    uint64_t initrd_start, initrd_end; /* both 0: none */
    uint64_t fdt;                      /* where the devicetree lies, 0 for nowhere yet */
    struct elf_image elf; /* of firmware or kernel, for its symbols; zero without ELF */
};

#define BOOT_MROM_BASE 0x1000
#define BOOT_MROM_SIZE 0xf000

/* -bios: none, default (the firmware that comes with the program), or a file. Loads it at the start
 * of RAM unless it is an ELF file that says where. */
bool boot_firmware(struct boot *b, GError **err);
/* -kernel and -initrd behind the firmware. */
bool boot_kernel(struct boot *b, GError **err);
bool boot_initrd(struct boot *b, GError **err);
/* Adds /chosen's bootargs and initrd. */
void boot_fdt_chosen(const struct boot *b, struct devtree *t);
/* Places the tree near the end of RAM, below 3 GiB. */
bool boot_place_fdt(struct boot *b, GBytes *fdt, GError **err);
/* Writes the code at BOOT_MROM_BASE: a0 = hart id, a1 = devicetree, a2 = struct fw_dynamic_info,
 * then to b->start. */
bool boot_reset_vector(struct boot *b, GError **err);

#endif
