/*
 * PCI functions and buses: configuration space, windows onto registers (BARs), INTx, MSI, MSI-X.
 *
 * A function is a struct that begins with struct pci_device; its type names a struct pci_info as
 * bus_info. In realize it adds windows and capabilities; everything else is done here.
 *
 *     pci_add_bar(&e->pci, 0, PCI_BAR_MEM64 | PCI_BAR_PREFETCH, &e->registers);
 *     if (!pci_add_msix(&e->pci, 3, 1, err)) return false;
 *     pci_msix_notify(&e->pci, 2);
 *
 * Device lock throughout.
 */
#ifndef HW_PCI_PCI_H
#define HW_PCI_PCI_H

#include <hw/core/machine.h>

extern const struct bus_type pci_bus_type;
#define BUS_PCI (&pci_bus_type)

/* Registers of a type 0 header (PCI Local Bus 3.0, 6.1). */
enum pci_reg {
    PCI_VENDOR = 0x00,
    PCI_DEVICE = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION = 0x08,
    PCI_CLASS = 0x09, /* programming interface, subclass, class */
    PCI_CACHE_LINE = 0x0c,
    PCI_HEADER_TYPE = 0x0e,
    PCI_BARS = 0x10,
    PCI_SUBVENDOR = 0x2c,
    PCI_SUBDEVICE = 0x2e,
    PCI_ROM = 0x30,
    PCI_CAPS = 0x34,
    PCI_IRQ_LINE = 0x3c,
    PCI_IRQ_PIN = 0x3d,
    PCI_HEADER_LEN = 0x40,
};

/* Header type of bridges, and the windows in that header. */
#define PCI_HEADER_BRIDGE   0x01
#define PCI_IO_WINDOW       0x1c
#define PCI_MEMORY_WINDOW   0x20
#define PCI_PREFETCH_WINDOW 0x24
#define PCI_BRIDGE_ROM      0x38

#define PCI_COMMAND_IO       0x0001
#define PCI_COMMAND_MEMORY   0x0002
#define PCI_COMMAND_MASTER   0x0004
#define PCI_COMMAND_PARITY   0x0040
#define PCI_COMMAND_SERR     0x0100
#define PCI_COMMAND_INTX_OFF 0x0400
#define PCI_STATUS_INTX      0x0008
#define PCI_STATUS_CAPS      0x0010

#define PCI_CAP_MSI    0x05
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX   0x11

#define PCI_CONFIG_SIZE 256
#define PCI_BARS_COUNT  6
#define PCI_FUNCTIONS   256
#define PCI_MSIX_MAX    2048
#define PCI_DEVFN(s, f) ((uint8_t)((s) << 3 | (f)))
#define PCI_SLOT(devfn) ((devfn) >> 3)
#define PCI_FUNC(devfn) ((devfn)&7)

enum pci_bar_flags {
    PCI_BAR_MEM32 = 0,
    PCI_BAR_IO = 1,
    PCI_BAR_MEM64 = 4, /* takes the next one too */
    PCI_BAR_PREFETCH = 8,
};

struct pci_info {
    uint16_t vendor, device, subvendor, subdevice;
    uint8_t revision;
    uint8_t class_code[3]; /* programming interface, subclass, class */
    uint8_t pin;           /* 1 to 4 for INTA to INTD, 0 for none */
    const char *rom;       /* option ROM without romfile=: of bios/ or of a package; or NULL */
};

struct pci_bar {
    struct mem_region *region; /* NULL: none */
    uint8_t flags;
    bool mapped;
};

struct pci_device;

struct pci_bus {
    struct bus bus;
    struct pci_device *at[PCI_FUNCTIONS]; /* by devfn */
    struct mem_region *mmio, *io;         /* what BARs are placed in */
    struct irq_line *intx;                /* four lines */
    uint16_t asserted[4];                 /* functions that drive each line */
    uint8_t number, last; /* as the bridge to it says, 0 before; buses behind go up to last */
};

/* What the function wants to know of its configuration space. Members may be NULL. */
struct pci_hooks {
    /* Bring config[offset, offset+size) up to date before it is read. */
    void (*before_read)(struct pci_device *pd, unsigned offset, unsigned size);
    void (*written)(struct pci_device *pd, unsigned offset, unsigned size);
    /* What pci_msix_message() says may have changed. */
    void (*msix_changed)(struct pci_device *pd);
};

struct pci_device {
    struct device dev;
    struct pci_bus *bus;
    uint8_t devfn;
    uint8_t config[PCI_CONFIG_SIZE];
    uint8_t wmask[PCI_CONFIG_SIZE]; /* bits that the guest writes */
    uint8_t saved[PCI_CONFIG_SIZE]; /* of the state table */
    struct pci_bar bars[PCI_BARS_COUNT];
    struct mem_region rom; /* zeroed: none */
    unsigned cap_end, last_cap;
    const struct pci_hooks *hooks;
    bool intx, intx_driven, intx_saved; /* wanted; seen on the line; of the state table */

    uint8_t msi, msix; /* offsets of the capabilities, 0 for none */
    uint32_t msix_vectors, msix_words, msix_longs;
    uint32_t *msix_table;   /* four words a vector */
    uint64_t *msix_pending; /* bit for each vector */
    struct mem_region msix_bar, msix_table_io, msix_pba_io;

    /* properties */
    char *addr, *romfile;
    bool multifunction;
    uint32_t rombar;
    int64_t bootindex; /* place in the order of booting from 0 on; -1: none */
};

/* ---- for functions, in realize ---- */

/* `region` is of a power of two bytes, at least 16 (4 for I/O). */
void pci_add_bar(struct pci_device *pd, unsigned n, unsigned flags, struct mem_region *region);
/* A capability of `len` bytes, with its id set; its offset. */
unsigned pci_add_cap(struct pci_device *pd, uint8_t id, unsigned len);
void pci_add_msi(struct pci_device *pd);
/* A table of `vectors` in BAR `bar`, which holds nothing else. */
bool pci_add_msix(struct pci_device *pd, unsigned vectors, unsigned bar, GError **err);
/* Undoes pci_add_msix(), in unrealize. */
void pci_remove_msix(struct pci_device *pd);

/* ---- for functions, at work ---- */

void pci_set_intx(struct pci_device *pd, bool level);
bool pci_msi_enabled(const struct pci_device *pd);
void pci_msi_notify(struct pci_device *pd);
bool pci_msix_enabled(const struct pci_device *pd);
void pci_msix_notify(struct pci_device *pd, unsigned vector);
/* The message that it would send now; false: none, as the vector or all of them are masked or off.
 */
bool pci_msix_message(const struct pci_device *pd, unsigned vector, uint64_t *addr, uint32_t *data);
static inline bool pci_bus_master(const struct pci_device *pd)
{
    return pd->config[PCI_COMMAND] & PCI_COMMAND_MASTER;
}
/* Where BAR n, which is there, is placed; false: nowhere, as registers say so or it is off. */
bool pci_bar_addr(const struct pci_device *pd, unsigned n, uint64_t *addr);
/* For DMA: who asks. */
mem_attrs pci_attrs(const struct pci_device *pd);

/* ---- for host bridges ---- */

void pci_bus_init(struct pci_bus *b, struct device *host, const char *name, struct mem_region *mmio,
                  struct mem_region *io, struct irq_line *intx);
/* An access to configuration space at bus << 16 | devfn << 8 | register, size 1, 2 or 4. Where
 * there is nobody, all ones. */
uint32_t pci_config_read(struct pci_bus *root, uint32_t where, unsigned size);
void pci_config_write(struct pci_bus *root, uint32_t where, unsigned size, uint32_t value);

/* The same for one function, all within its space. */
uint32_t pci_device_read(struct pci_device *pd, unsigned offset, unsigned size);
void pci_device_write(struct pci_device *pd, unsigned offset, unsigned size, uint32_t value);

#endif
