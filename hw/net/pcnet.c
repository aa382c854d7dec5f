/*
 * AMD Am79C970A, the PCnet-PCI II (PCI 1022:2000): address PROM, registers in 16-bit and 32-bit
 * I/O mode (sections "I/O Resources", "User Accessible Registers"), interrupts, polling.
 */
#include "pcnet.h"

#include <base/bits.h>
#include <base/log.h>

/* Registers behind the PROM; half as far apart in 16-bit mode. */
enum { PORT_PROM_END = 0x10, PORT_DATA = 0, PORT_ADDR = 1, PORT_RESET = 2, PORT_BUS_DATA = 3 };

/* How often rings are looked at where CSR47 leaves it at its default: 65536 clocks of PCI. */
#define CLOCK_NS    30
#define POLL_MIN_NS 200000

/* ---- interrupts ---- */

void pcnet_update_irq(struct pcnet *p)
{
    unsigned test = p->csr[CSR_TEST], s = p->csr[CSR_STATUS];
    /* masks of the events in CSR4 are one bit below */
    unsigned open = test & TEST_EVENTS & ~(test << 1);
    /* CERR makes none; UINT has no mask */
    bool intr = (s & 0x5f00 & ~p->csr[CSR_MASK]) || open || (test & TEST_UINT);

    s &= ~(STATUS_INTR | STATUS_ERR);
    s |= intr ? STATUS_INTR : 0;
    s |= s & (STATUS_BABL | STATUS_CERR | STATUS_MISS | STATUS_MERR) ? STATUS_ERR : 0;
    p->csr[CSR_STATUS] = (uint16_t)s;
    pci_set_intx(&p->pci, intr && (s & STATUS_IENA));
}

void pcnet_cause(struct pcnet *p, unsigned bits)
{
    p->csr[CSR_STATUS] |= (uint16_t)bits;
    pcnet_update_irq(p);
}

/* ---- polling ("Polling"): drivers need not say that there is something to send ---- */

static void plan_poll(struct pcnet *p)
{
    int64_t clocks = 0x10000 - p->csr[CSR_POLL_INT];
    int64_t ns = MAX(clocks * CLOCK_NS, POLL_MIN_NS);

    if (!(p->csr[CSR_STATUS] & (STATUS_TXON | STATUS_RXON)))
        timer_del(&p->poll);
    else if (!timer_pending(&p->poll))
        timer_mod_ns(&p->poll, clock_ns(device_loop(&p->pci.dev), CLK_VIRTUAL) + ns);
}

static void poll_rings(void *opaque)
{
    struct pcnet *p = opaque;

    if (!(p->csr[CSR_TEST] & TEST_NO_POLL))
        pcnet_transmit(p);
    net_accept(&p->port);
    plan_poll(p);
}

/* ---- CSR0 ---- */

/* "STOP": also what comes first in both kinds of reset. */
static void stop(struct pcnet *p)
{
    p->csr[CSR_STATUS] = STATUS_STOP;
    p->csr[CSR_TEST] &= (uint16_t)~TEST_EVENTS;
    p->csr[CSR_EXT] &= EXT_TOKINTD | EXT_LTINTEN;
    net_accept(&p->port); /* what waited is lost now */
    plan_poll(p);
    pcnet_update_irq(p);
}

static void start(struct pcnet *p)
{
    unsigned mode = p->csr[CSR_MODE];

    p->csr[CSR_STATUS] &= (uint16_t)~STATUS_STOP;
    p->csr[CSR_STATUS] |= STATUS_STRT;
    p->csr[CSR_STATUS] |=
        (uint16_t)((mode & MODE_NO_TX ? 0 : STATUS_TXON) | (mode & MODE_NO_RX ? 0 : STATUS_RXON));
    pcnet_rings_start(p);
    plan_poll(p);
}

static void write_status(struct pcnet *p, uint16_t v)
{
    uint16_t *s = &p->csr[CSR_STATUS];

    if (v & STATUS_STOP) {
        stop(p);
        return;
    }
    *s &= (uint16_t) ~(v & 0x7f00);
    *s = (uint16_t)((*s & ~STATUS_IENA) | (v & STATUS_IENA));
    if ((v & STATUS_INIT) && !(*s & STATUS_INIT)) {
        *s &= (uint16_t)~STATUS_STOP;
        *s |= STATUS_INIT;
        pcnet_init_block(p);
    }
    if ((v & STATUS_STRT) && !(*s & STATUS_STRT))
        start(p);
    if (v & STATUS_TDMD)
        pcnet_transmit(p);
    pcnet_update_irq(p);
    net_accept(&p->port);
}

/* ---- the other CSRs ---- */

static void write_test(struct pcnet *p, uint16_t v)
{
    uint16_t events = p->csr[CSR_TEST] & TEST_EVENTS & (uint16_t)~v;

    p->csr[CSR_TEST] = (uint16_t)((v & ~(TEST_EVENTS | TEST_UINTCMD)) | events);
    if (v & TEST_UINTCMD)
        p->csr[CSR_TEST] |= TEST_UINT;
    pcnet_update_irq(p);
}

static void write_ext(struct pcnet *p, uint16_t v)
{
    /* what stays; the events of power saving and magic packets do not happen */
    p->csr[CSR_EXT] = v & (EXT_TOKINTD | EXT_LTINTEN | 0x0400 | 0x0100 | 0x002e | EXT_SPND);
    pcnet_transmit(p);
    net_accept(&p->port);
}

static void write_style(struct pcnet *p, uint16_t v)
{
    static const uint16_t bits[4] = { BCR_STYLE_CSR, BCR_STYLE_32, BCR_STYLE_CSR | BCR_STYLE_32,
                                      BCR_STYLE_CSR | BCR_STYLE_32 };
    unsigned style = v & 0xff;

    if (style > 3) {
        log_guest_error("pcnet: there is no software style %u\n", style);
        style = 0;
    }
    p->bcr[BCR_STYLE] = (uint16_t)(style | bits[style] | (v & 0x0400));
    p->csr[CSR_STYLE] = p->bcr[BCR_STYLE];
}

static bool is_quiet(const struct pcnet *p)
{
    return (p->csr[CSR_STATUS] & STATUS_STOP) || (p->csr[CSR_EXT] & EXT_SPND);
}

/* Those that are written only while the card is stopped or suspended. */
static bool is_setup(unsigned n)
{
    return n == 1 || n == 2 || (n >= CSR_LADRF && n <= 46) || (n >= CSR_STYLE && n <= 86);
}

static bool is_readonly(unsigned n)
{
    return n == CSR_LENGTHS || n == CSR_CHIP || n == CSR_CHIP + 1;
}

/* The position in a ring behind RCVRC and XMTRC, which count up to the length kept negative. */
static uint32_t position(uint16_t counter, uint16_t code)
{
    return (uint16_t)(counter - code) % (0x10000u - code);
}

static void write_csr(struct pcnet *p, unsigned n, uint16_t v)
{
    if (n >= PCNET_CSRS || is_readonly(n) || (is_setup(n) && !is_quiet(p)))
        return;
    switch (n) {
    case CSR_STATUS: write_status(p, v); break;
    case CSR_MASK:
        p->csr[n] = v & 0x5f7c;
        pcnet_update_irq(p);
        break;
    case CSR_TEST: write_test(p, v); break;
    case CSR_EXT: write_ext(p, v); break;
    case CSR_IADR_AGAIN:
    case CSR_IADR_AGAIN + 1: p->csr[n - CSR_IADR_AGAIN + CSR_IADR] = v; break;
    case CSR_STYLE: write_style(p, v); break;
    case CSR_RCVRC: p->rx_at = position(v, p->csr[CSR_RCVRL]); break;
    case CSR_XMTRC: p->tx_at = position(v, p->csr[CSR_XMTRL]); break;
    case CSR_MISSED: p->csr[n] = 0; break;
    default: p->csr[n] = v; break;
    }
}

static uint16_t read_csr(const struct pcnet *p, unsigned n)
{
    unsigned high = n & 1 ? 16 : 0;

    switch (n & ~1u) {
    case CSR_IADR_AGAIN: return p->csr[n - CSR_IADR_AGAIN + CSR_IADR];
    case CSR_NRDA: return (uint16_t)(pcnet_rx_desc(p, p->rx_at + 1) >> high);
    case CSR_CRDA: return (uint16_t)(pcnet_rx_desc(p, p->rx_at) >> high);
    case CSR_NXDA: return (uint16_t)(pcnet_tx_desc(p, p->tx_at + 1) >> high);
    case CSR_CXDA: return (uint16_t)(pcnet_tx_desc(p, p->tx_at) >> high);
    default: break;
    }
    if (n == CSR_RCVRC)
        return (uint16_t)(p->csr[CSR_RCVRL] + p->rx_at);
    if (n == CSR_XMTRC)
        return (uint16_t)(p->csr[CSR_XMTRL] + p->tx_at);
    return n < PCNET_CSRS ? p->csr[n] : 0;
}

/* ---- bus configuration registers ---- */

/* LEDOUT of a light that shows the link. */
static uint16_t read_led(const struct pcnet *p, unsigned n)
{
    bool lit = (p->bcr[n] & 0x40) && nic_link(p->netdev);

    return (uint16_t)((p->bcr[n] & 0x7fff) | (lit ? 0x8000 : 0));
}

static uint16_t read_phy(const struct pcnet *p)
{
    unsigned n = p->bcr[BCR_MII_ADDR] & 31, v = p->phy[n];

    if (n == 1 && !nic_link(p->netdev))
        v &= ~0x24u; /* no link, negotiation is not complete */
    return (uint16_t)v;
}

static uint16_t read_bcr(const struct pcnet *p, unsigned n)
{
    if (n >= 4 && n <= 7)
        return read_led(p, n);
    if (n == BCR_MII_DATA)
        return read_phy(p);
    return n < PCNET_BCRS ? p->bcr[n] : 0;
}

/* Which bits of the PHY's control register stay: not the reset and the new negotiation. */
static void write_phy(struct pcnet *p, uint16_t v)
{
    unsigned n = p->bcr[BCR_MII_ADDR] & 31;

    if (n == 0)
        p->phy[n] = v & 0x7d80;
    else if (n == 4)
        p->phy[n] = v;
}

static void write_bcr(struct pcnet *p, unsigned n, uint16_t v)
{
    static const uint16_t kept[PCNET_BCRS] = {
        [2] = 0xf2ff, [4] = 0x7fff,  [5] = 0x7fff,           [6] = 0x7fff,
        [7] = 0x7fff, [9] = 0x0003,  [BCR_BUS] = 0xfe60,     [19] = 0x0017,
        [21] = 0,     [22] = 0xffff, [BCR_MII_ADDR] = 0x3ff,
    };

    if (n == BCR_STYLE && is_quiet(p))
        write_style(p, v);
    else if (n == BCR_MII_DATA)
        write_phy(p, v);
    else if (n < PCNET_BCRS)
        p->bcr[n] = (uint16_t)((p->bcr[n] & ~kept[n]) | (v & kept[n]));
}

/* ---- reset ---- */

/* S_RESET: everything but how the card sits on the bus. */
static void soft_reset(struct pcnet *p)
{
    uint16_t style = p->bcr[BCR_STYLE];

    memset(p->csr, 0, sizeof(p->csr));
    p->csr[CSR_TEST] = 0x0115;
    p->csr[CSR_STYLE] = style;
    p->csr[CSR_RCVRL] = p->csr[CSR_XMTRL] = 0xffff;
    p->csr[80] = 0x1410;
    p->csr[CSR_CHIP] = 0x1003; /* part 2621h of manufacturer 1 */
    p->csr[CSR_CHIP + 1] = 0x0262;
    p->csr[100] = 0x0200;
    for (unsigned i = 0; i < 3; i++)
        p->csr[CSR_PADR + i] = lduw_le(p->prom + 2 * i);
    p->rap = 0;
    p->rx_at = p->tx_at = 0;
    stop(p);
}

static void pcnet_reset(struct device *dev)
{
    static const uint16_t bcrs[PCNET_BCRS] = {
        [0] = 0x0005,  [1] = 0x0005, [2] = 0x0002,  [4] = 0x00c0,  [5] = 0x0084,
        [6] = 0x0088,  [7] = 0x0090, [18] = 0x9001, [19] = 0x0002, [BCR_STYLE] = BCR_STYLE_CSR,
        [22] = 0xff06,
    };
    /* 100 Mb/s, full duplex, negotiated; an Am79C873 by its name */
    static const uint16_t phy[PCNET_PHYS] = { 0x3100, 0x786d, 0x0000, 0x6b71, 0x01e1, 0x45e1, 1 };
    struct pcnet *p = (struct pcnet *)dev;

    memcpy(p->bcr, bcrs, sizeof(bcrs));
    memcpy(p->phy, phy, sizeof(phy));
    soft_reset(p);
}

/* ---- ports ---- */

static bool is_wide(const struct pcnet *p)
{
    return p->bcr[BCR_BUS] & BCR_BUS_DWIO;
}

static void write_port(struct pcnet *p, unsigned port, uint16_t v)
{
    switch (port) {
    case PORT_DATA: write_csr(p, p->rap, v); break;
    case PORT_ADDR: p->rap = (uint8_t)v; break;
    case PORT_BUS_DATA: write_bcr(p, p->rap, v); break;
    default: break;
    }
}

static uint32_t read_port(struct pcnet *p, unsigned port)
{
    uint32_t both;

    switch (port) {
    case PORT_DATA:
        both = read_csr(p, p->rap);
        return p->rap == CSR_CHIP ? both | (uint32_t)read_csr(p, CSR_CHIP + 1) << 16 : both;
    case PORT_ADDR: return p->rap;
    case PORT_RESET: soft_reset(p); return 0;
    case PORT_BUS_DATA: return read_bcr(p, p->rap);
    default: return 0;
    }
}

/* Accesses of the other mode's size find nothing. */
static uint64_t port_read(void *opaque, uint64_t offset, unsigned size)
{
    struct pcnet *p = opaque;
    unsigned width = is_wide(p) ? 4 : 2;

    if (p->busy)
        return 0;
    if (offset < PORT_PROM_END)
        return ldn_le(p->prom + offset, size);
    if (size != width || offset % width)
        return mask64(8 * size);
    return read_port(p, (unsigned)(offset - PORT_PROM_END) / width) & mask64(8 * size);
}

static void port_write(void *opaque, uint64_t offset, uint64_t v, unsigned size)
{
    struct pcnet *p = opaque;
    unsigned width;

    if (p->busy)
        return;
    /* what makes the card one of 32-bit registers, until the next hardware reset */
    if (size == 4 && offset == PORT_PROM_END)
        p->bcr[BCR_BUS] |= BCR_BUS_DWIO;
    width = is_wide(p) ? 4 : 2;
    if (offset < PORT_PROM_END) {
        if (p->bcr[2] & 0x0100) /* APROMWE */
            stn_le(p->prom + offset, size, v);
    } else if (size == width && offset % width == 0) {
        write_port(p, (unsigned)(offset - PORT_PROM_END) / width, (uint16_t)v);
    }
}

static const struct io_ops port_ops = {
    .read = port_read, .write = port_write, .guest_sizes = { 1, 4 }, .own_sizes = { 1, 4 }
};

/* ---- life ---- */

static void link_changed(void *opaque, bool up)
{
    (void)opaque, (void)up; /* BCR4 and the PHY show it when they are read */
}

static const struct net_port_ops net_ops = {
    .receive = pcnet_receive,
    .writable = pcnet_transmit,
    .link_changed = link_changed,
};

/* The address, two W, and a sum of it all ("Address PROM Space"). */
static void fill_prom(struct pcnet *p)
{
    unsigned sum = 0;

    memcpy(p->prom, p->mac.byte, 6);
    p->prom[14] = p->prom[15] = 'W';
    for (unsigned i = 0; i < sizeof(p->prom); i++)
        sum += p->prom[i];
    stw_le(p->prom + 12, (uint16_t)sum);
}

static bool pcnet_realize(struct device *dev, GError **err)
{
    struct pcnet *p = (struct pcnet *)dev;

    if (!nic_attach(dev, p->netdev, &p->port, &net_ops, p, &p->mac, err))
        return false;
    fill_prom(p);
    timer_init(&p->poll, device_loop(dev), CLK_VIRTUAL, poll_rings, p);
    mem_region_init_io(&p->io, device_mem(dev), &port_ops, p, "pcnet-io", PCNET_PORTS);
    mem_region_init_io(&p->mmio, device_mem(dev), &port_ops, p, "pcnet", PCNET_PORTS);
    pci_add_bar(&p->pci, 0, PCI_BAR_IO, &p->io);
    pci_add_bar(&p->pci, 1, PCI_BAR_MEM32, &p->mmio);
    stw_le(p->pci.config + PCI_STATUS, 0x0280); /* fast back to back, medium */
    p->pci.config[0x3e] = 6;
    p->pci.config[0x3f] = 0xff;
    return true;
}

static void pcnet_unrealize(struct device *dev)
{
    struct pcnet *p = (struct pcnet *)dev;

    net_detach(&p->port);
    timer_del(&p->poll);
    mem_region_destroy(&p->mmio);
    mem_region_destroy(&p->io);
}

static bool pcnet_loaded(void *obj, unsigned version, GError **err)
{
    struct pcnet *p = obj;

    (void)version, (void)err;
    p->rx_at %= pcnet_rx_len(p);
    p->tx_at %= pcnet_tx_len(p);
    return true;
}

static const struct state_field pcnet_fields[] = {
    STATE_ARRAY(struct pcnet, csr), STATE_ARRAY(struct pcnet, bcr),  STATE_ARRAY(struct pcnet, phy),
    STATE_BUF(struct pcnet, prom),  STATE_U8(struct pcnet, rap),     STATE_U32(struct pcnet, rx_at),
    STATE_U32(struct pcnet, tx_at), STATE_TIMER(struct pcnet, poll), STATE_END
};
static const struct state_table pcnet_state = {
    .name = "pcnet", .version = 1, .fields = pcnet_fields, .post_load = pcnet_loaded
};

static const struct prop pcnet_props[] = { NIC_PROPS(struct pcnet, netdev, mac), PROP_LIST_END };

static const struct pci_info pcnet_info = {
    .rom = "efi-pcnet.rom",
    .vendor = 0x1022,
    .device = 0x2000,
    .revision = 0x10,
    .class_code = { 0x00, 0x00, 0x02 }, /* Ethernet controller */
    .pin = 1,
};

const struct device_type pcnet_type = {
    .name = "pcnet",
    .help = "AMD PCnet-PCI II (Am79C970A)",
    .bus = BUS_PCI,
    .size = sizeof(struct pcnet),
    .category = "network",
    .realize = pcnet_realize,
    .reset = pcnet_reset,
    .unrealize = pcnet_unrealize,
    .props = pcnet_props,
    .state = &pcnet_state,
    .bus_info = &pcnet_info,
};
