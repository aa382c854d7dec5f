/* The board `virt`: what its files share. */
#ifndef HW_RISCV_VIRT_H
#define HW_RISCV_VIRT_H

#include <hw/core/machine.h>
#include "boot.h"
#include "harts.h"

#define VIRT_HARTS_MAX    64
#define VIRT_TIMEBASE     10000000 /* Hz of mtime */
#define VIRT_VIRTIO_COUNT 8
#define VIRT_PLIC_SOURCES 96 /* without the reserved source 0 */

enum virt_irq {
    VIRT_IRQ_VIRTIO = 1, /* to 8 */
    VIRT_IRQ_UART = 10,
    VIRT_IRQ_RTC = 11,
    VIRT_IRQ_PCIE = 0x20, /* to 0x23: INTA to INTD */
};

enum virt_region {
    VIRT_MROM,
    VIRT_TEST,
    VIRT_RTC,
    VIRT_CLINT,
    VIRT_SSWI,
    VIRT_PCIE_PIO,
    VIRT_PLIC,
    VIRT_UART,
    VIRT_VIRTIO,
    VIRT_FW_CFG,
    VIRT_FLASH,
    VIRT_PCIE_ECAM,
    VIRT_PCIE_MMIO,
    VIRT_DRAM,
};

struct virt_range {
    uint64_t base, size;
};
extern const struct virt_range virt_map[];

struct virt {
    struct machine m;
    struct mem_region mrom;
    struct harts harts;
    struct boot boot;
    struct device *mtimer, *plic, *fw_cfg;
    struct device *virtio[VIRT_VIRTIO_COUNT]; /* NULL where there is none */
    struct device *pci;                       /* host bridge, or NULL */
    uint64_t pcie_high_base, pcie_high_size;  /* window above RAM */
    /* properties */
    bool aclint;
    void *pflash[2]; /* struct block * */
};

/* The devicetree of the board as it is now; NULL with err set. */
GBytes *virt_make_fdt(struct virt *v, GError **err);

#endif
