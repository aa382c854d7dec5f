/* INT 1Ah, AH=B1h: PCI BIOS 2.1; and the structures that PnP BIOSes show. */
#include "low.h"

enum { PCI_OK = 0, PCI_NO_FUNCTION = 0x81, PCI_NOT_FOUND = 0x86, PCI_BAD_REGISTER = 0x87 };

/* PnP BIOS 1.0a, 4.4: found by its signature; the checksum is filled in by the linker's side: the
 * bytes are constant. */
struct pnp_header {
    char signature[4];
    uint8_t version, length;
    uint16_t control;
    uint8_t checksum;
    uint32_t event;
    uint16_t real_ip, real_cs, protected_ip;
    uint32_t protected_base, oem;
    uint16_t real_ds;
    uint32_t protected_ds;
} __attribute__((packed));

/* The $PnP structure is made at start-up, since its checksum depends on int_pnp's place. */
struct pnp_header pnp __attribute__((aligned(16)));

void pnp_init(void);

void pnp_init(void)
{
    pnp = (struct pnp_header){ .signature = "$PnP",
                               .version = 0x10,
                               .length = sizeof(pnp),
                               .real_ip = (uint16_t)(uintptr_t)int_pnp,
                               .real_cs = SEG_BIOS,
                               .protected_ip = (uint16_t)(uintptr_t)int_pnp,
                               .protected_base = BIOS_BASE,
                               .real_ds = SEG_BIOS,
                               .protected_ds = BIOS_BASE };
    for (unsigned i = 0; i < sizeof(pnp); i++)
        pnp.checksum -= i == offsetof(struct pnp_header, checksum) ? 0 : ((uint8_t *)&pnp)[i];
}

/* The nth function with `value` in the bits `mask` of register `reg`. */
static uint8_t find(struct regs *r, uint8_t reg, uint32_t mask, uint32_t value)
{
    uint16_t n = r->si;

    for (uint32_t bdf = 0; bdf < (sys.last_bus + 1u) << 8; bdf++) {
        if (pci_read16(bdf, 0) == 0xffff)
            continue;
        if ((bdf & 7) && !(pci_read8(bdf & ~7u, 0x0e) & 0x80))
            continue;
        if ((pci_read32(bdf, reg) & mask) == value && !n--) {
            r->bx = bdf;
            return PCI_OK;
        }
    }
    return PCI_NOT_FOUND;
}

static uint8_t access(struct regs *r)
{
    uint8_t reg = (uint8_t)r->di, bytes = 1 << ((r->al - 8) % 3);

    if (r->di > 255 || reg % bytes)
        return PCI_BAD_REGISTER;
    switch (r->al) {
    case 0x08: r->cl = pci_read8(r->bx, reg); break;
    case 0x09: r->cx = pci_read16(r->bx, reg); break;
    case 0x0a: r->ecx = pci_read32(r->bx, reg); break;
    case 0x0b: pci_write8(r->bx, reg, r->cl); break;
    case 0x0c: pci_write16(r->bx, reg, r->cx); break;
    case 0x0d: pci_write32(r->bx, reg, r->ecx); break;
    }
    return PCI_OK;
}

static uint8_t installed(struct regs *r)
{
    r->edx = 0x20494350; /* "PCI " */
    r->bx = 0x0210;
    r->cl = sys.last_bus;
    r->al = 1; /* mechanism 1 */
    return PCI_OK;
}

void pci_bios(struct regs *r)
{
    uint8_t status = PCI_NO_FUNCTION;

    if (sys.has_pci) {
        if (r->al == 1)
            status = installed(r);
        else if (r->al == 2)
            status = find(r, 0, 0xffffffff, (uint32_t)r->cx << 16 | r->dx);
        else if (r->al == 3)
            status = find(r, 8, 0xffffff00, r->ecx << 8);
        else if (r->al >= 8 && r->al <= 0x0d)
            status = access(r);
    }
    r->ah = status;
    set_flag(r, FLAG_CF, status != PCI_OK);
}
