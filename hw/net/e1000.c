/*
 * Intel 82540EM, the "PRO/1000 MT Desktop" (PCI 8086:100e): registers, interrupts, statistics. The
 * rings are in e1000-transmit.c and e1000-receive.c. Delays of single interrupts (RDTR, RADV, TIDV,
 * TADV) are taken as none; the interrupt rate is bounded by ITR.
 */
#include "e1000.h"

#include <base/bits.h>
#include <base/log.h>

#define MMIO_SIZE 0x20000u
#define IO_SIZE   0x40u

/* ---- interrupts (SDM, 13.4.17 to 13.4.21) ---- */

static void update_irq(struct e1000 *e)
{
    bool level = *e1000_at(e, E_ICR) & *e1000_at(e, E_IMS);
    uint32_t interval = *e1000_at(e, E_ITR) & 0xffff; /* in 256 ns */

    if (level && !e->irq) {
        if (timer_pending(&e->throttle))
            return;
        if (interval)
            timer_mod_ns(&e->throttle,
                         clock_ns(device_loop(&e->pci.dev), CLK_VIRTUAL) + (int64_t)interval * 256);
    }
    e->irq = level;
    pci_set_intx(&e->pci, level);
}

static void throttle_over(void *opaque)
{
    update_irq(opaque);
}

void e1000_cause(struct e1000 *e, uint32_t causes)
{
    *e1000_at(e, E_ICR) |= causes & INT_ALL;
    update_irq(e);
}

/* ---- statistics (SDM, 13.7): they stay at their highest, and reading clears ---- */

void e1000_count_one(struct e1000 *e, unsigned reg)
{
    uint32_t *r = e1000_at(e, reg);

    *r += *r != UINT32_MAX;
}

static void count_bytes(struct e1000 *e, unsigned low, uint64_t n)
{
    uint64_t v = *e1000_at(e, low) | (uint64_t)*e1000_at(e, low + 4) << 32;

    v = v + n < v ? UINT64_MAX : v + n;
    *e1000_at(e, low) = (uint32_t)v;
    *e1000_at(e, low + 4) = (uint32_t)(v >> 32);
}

/* Counters by size follow each other: 64, to 127, 255, 511, 1023, above. Lengths with FCS. */
static unsigned size_class(size_t len)
{
    unsigned n = 0;

    for (size_t limit = 65; n < 5 && len >= limit; limit = limit == 65 ? 128 : limit * 2)
        n++;
    return n;
}

void e1000_count(struct e1000 *e, bool sent, const uint8_t *frame, size_t len)
{
    bool all = nic_is_broadcast(frame);

    len += NIC_FCS_LEN;
    e1000_count_one(e, sent ? E_TPT : E_TPR);
    e1000_count_one(e, sent ? E_GPTC : E_GPRC);
    e1000_count_one(e, (sent ? E_PTC64 : E_PRC64) + 4 * size_class(len));
    if (all)
        e1000_count_one(e, sent ? E_BPTC : E_BPRC);
    else if (frame[0] & 1)
        e1000_count_one(e, sent ? E_MPTC : E_MPRC);
    count_bytes(e, sent ? E_GOTCL : E_GORCL, len);
    count_bytes(e, sent ? E_TOTL : E_TORL, len);
}

static bool is_wide_counter(unsigned reg)
{
    return reg == E_GORCL || reg == E_GOTCL || reg == E_TORL || reg == E_TOTL;
}

/* The low half of 64-bit counters stays until the high one is read. */
static uint32_t take_counter(struct e1000 *e, unsigned reg)
{
    uint32_t v = *e1000_at(e, reg);

    if (is_wide_counter(reg))
        return v;
    *e1000_at(e, reg) = 0;
    if (is_wide_counter(reg - 4))
        *e1000_at(e, reg - 4) = 0;
    return v;
}

/* ---- reset ---- */

static void load_address(struct e1000 *e)
{
    *e1000_at(e, E_RAL) = e->eeprom.word[0] | (uint32_t)e->eeprom.word[1] << 16;
    *e1000_at(e, E_RAH) = e->eeprom.word[2] | RAH_VALID;
}

/* What CTRL.RST does: everything but PCI configuration, EEPROM and PHY (SDM, 14.1). */
static void reset_mac(struct e1000 *e)
{
    memset(e->reg, 0, sizeof(e->reg));
    *e1000_at(e, E_CTRL) = 0x00140241; /* full duplex, 1000 Mb/s, set link up */
    *e1000_at(e, E_PBA) = 0x00100030;  /* 48 KiB to receive, 16 to transmit */
    *e1000_at(e, E_LEDCTL) = 0x07068302;
    *e1000_at(e, E_VET) = 0x8100;
    e1000_transmit_reset(e);
    timer_del(&e->throttle);
    timer_del(&e->more);
    load_address(e);
    e1000_link_update(e);
    *e1000_at(e, E_ICR) = 0;
    e->irq = false;
    pci_set_intx(&e->pci, false);
}

static void e1000_reset(struct device *dev)
{
    struct e1000 *e = (struct e1000 *)dev;

    timer_del(&e->link_timer);
    eeprom93_reset(&e->eeprom);
    e->io_addr = 0;
    e1000_phy_reset(e);
    reset_mac(e);
}

/* ---- registers ---- */

/* Those that keep what is written, and which bits of it. */
static const struct {
    uint16_t first, last;
    uint32_t mask;
} kept[] = {
    { E_CTRL_EXT, E_CTRL_EXT, ~0u }, { E_FCAL, E_FCAL + 4, ~0u }, { E_FCT, E_FCT, 0xffff },
    { E_VET, E_VET, 0xffff },        { E_ITR, E_ITR, 0xffff },    { E_RCTL, E_RCTL, ~0u },
    { E_FCTTV, E_FCTTV, 0xffff },    { E_TXCW, E_TXCW, ~0u },     { E_TCTL, E_TCTL, ~0u },
    { E_TIPG, E_TIPG, ~0u },         { E_AIT, E_AIT, 0xffff },    { E_LEDCTL, E_LEDCTL, ~0u },
    { E_PBA, E_PBA, ~0u },           { E_FCRTL, E_FCRTL, ~0u },   { E_FCRTH, E_FCRTH, ~0u },
    { E_RDFH, E_RDFPC, 0x1fff },     { E_RDBAL, E_RDBAL, ~15u },  { E_RDBAH, E_RDBAH, ~0u },
    { E_RDLEN, E_RDLEN, 0xfff80 },   { E_RDH, E_RDH, 0xffff },    { E_RDT, E_RDT, 0xffff },
    { E_RDTR, E_RDTR, 0xffff },      { E_RXDCTL, E_RXDCTL, ~0u }, { E_RADV, E_RADV, 0xffff },
    { E_RSRPD, E_RSRPD, 0xfff },     { E_TXDMAC, E_TXDMAC, 1 },   { E_TDFH, E_TDFPC, 0x1fff },
    { E_TDBAL, E_TDBAL, ~15u },      { E_TDBAH, E_TDBAH, ~0u },   { E_TDLEN, E_TDLEN, 0xfff80 },
    { E_TDH, E_TDH, 0xffff },        { E_TDT, E_TDT, 0xffff },    { E_TIDV, E_TIDV, 0xffff },
    { E_TXDCTL, E_TXDCTL, ~0u },     { E_TADV, E_TADV, 0xffff },  { E_TSPMT, E_TSPMT, ~0u },
    { E_RXCSUM, E_RXCSUM, 0x7ff },   { E_MTA, E_MTA + 508, ~0u }, { E_RAL, E_RAL + 124, ~0u },
    { E_VFTA, E_VFTA + 508, ~0u },   { E_WUC, E_WUPL - 4, ~0u },  { E_WUPM, E_WUPM + 124, ~0u },
    { E_FFLT, E_FFLT + 24, 0x7ff },
};

static uint32_t kept_bits(unsigned reg)
{
    for (unsigned i = 0; i < ARRAY_LEN(kept); i++)
        if (reg >= kept[i].first && reg <= kept[i].last)
            return kept[i].mask;
    return 0;
}

static uint32_t read_reg(struct e1000 *e, unsigned reg)
{
    uint32_t v;

    if (reg >= E_REGS_END)
        return 0; /* packet buffer memory and the rest: nothing to see */
    if (reg >= E_STATS && reg <= E_STATS_END)
        return take_counter(e, reg);
    switch (reg) {
    case E_ICR:
        v = *e1000_at(e, E_ICR);
        *e1000_at(e, E_ICR) = 0;
        update_irq(e);
        return v;
    case E_CTRL_DUP: return *e1000_at(e, E_CTRL);
    case E_EECD: return e1000_eecd_read(e);
    default: return *e1000_at(e, reg);
    }
}

static void write_ctrl(struct e1000 *e, uint32_t v)
{
    if (v & CTRL_RST) {
        reset_mac(e);
        return;
    }
    if (v & CTRL_PHY_RST) {
        e1000_phy_reset(e);
        e1000_link_update(e);
    }
    *e1000_at(e, E_CTRL) = v & ~(CTRL_RST | CTRL_PHY_RST);
}

/* What writing does beyond keeping. */
static void written(struct e1000 *e, unsigned reg)
{
    switch (reg) {
    case E_TCTL:
        if (!(*e1000_at(e, E_TCTL) & TCTL_EN))
            e->tx.begun = false;
        e1000_transmit(e);
        break;
    case E_TDT: e1000_transmit(e); break;
    case E_RDT:
    case E_RCTL: net_accept(&e->port); break;
    case E_ITR: update_irq(e); break;
    default: break;
    }
}

static void write_reg(struct e1000 *e, unsigned reg, uint32_t v)
{
    uint32_t mask;

    switch (reg) {
    case E_CTRL:
    case E_CTRL_DUP: write_ctrl(e, v); return;
    case E_EECD: e1000_eecd_write(e, v); return;
    case E_EERD: *e1000_at(e, E_EERD) = e1000_eerd(e, v); return;
    case E_MDIC: e1000_mdic(e, v); return;
    case E_ICR:
        *e1000_at(e, E_ICR) &= ~v;
        update_irq(e);
        return;
    case E_ICS: e1000_cause(e, v); return;
    case E_IMS:
        *e1000_at(e, E_IMS) |= v & INT_ALL;
        update_irq(e);
        return;
    case E_IMC:
        *e1000_at(e, E_IMS) &= ~v;
        update_irq(e);
        return;
    default: break;
    }
    mask = kept_bits(reg);
    if (!mask) {
        log_unimp("e1000: write of 0x%x to register 0x%x\n", v, reg);
        return;
    }
    *e1000_at(e, reg) = v & mask;
    written(e, reg);
}

static uint64_t mmio_read(void *opaque, uint64_t offset, unsigned size)
{
    struct e1000 *e = opaque;

    (void)size;
    return e->busy ? 0 : read_reg(e, (unsigned)offset);
}

static void mmio_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct e1000 *e = opaque;

    (void)size;
    if (!e->busy)
        write_reg(e, (unsigned)offset, (uint32_t)value);
}

/* Ports: an address and the register behind it (SDM, 13.2.2). */
static uint64_t port_read(void *opaque, uint64_t offset, unsigned size)
{
    struct e1000 *e = opaque;

    switch (offset) {
    case 0: return e->io_addr;
    case 4: return e->io_addr < MMIO_SIZE ? mmio_read(e, e->io_addr & ~3u, size) : 0;
    default: return 0;
    }
}

static void port_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct e1000 *e = opaque;

    if (offset == 0)
        e->io_addr = (uint32_t)value;
    else if (offset == 4 && e->io_addr < MMIO_SIZE)
        mmio_write(e, e->io_addr & ~3u, value, size);
}

static const struct io_ops mmio_ops = {
    .read = mmio_read, .write = mmio_write, .guest_sizes = { 1, 8 }, .own_sizes = { 4, 4 }
};
static const struct io_ops port_ops = {
    .read = port_read, .write = port_write, .guest_sizes = { 1, 4 }, .own_sizes = { 4, 4 }
};

/* ---- life ---- */

static void link_changed(void *opaque, bool up)
{
    (void)up;
    e1000_link_update(opaque);
}

static const struct net_port_ops net_ops = {
    .receive = e1000_receive,
    .writable = e1000_writable,
    .link_changed = link_changed,
};

static bool e1000_realize(struct device *dev, GError **err)
{
    struct e1000 *e = (struct e1000 *)dev;
    struct loop *loop = device_loop(dev);

    if (!nic_attach(dev, e->netdev, &e->port, &net_ops, e, &e->mac, err))
        return false;
    e1000_eeprom_init(e);
    e1000_transmit_reset(e);
    timer_init(&e->link_timer, loop, CLK_VIRTUAL, e1000_link_timer, e);
    timer_init(&e->throttle, loop, CLK_VIRTUAL, throttle_over, e);
    timer_init(&e->more, loop, CLK_VIRTUAL, e1000_transmit, e);
    mem_region_init_io(&e->mmio, device_mem(dev), &mmio_ops, e, "e1000", MMIO_SIZE);
    mem_region_init_io(&e->io, device_mem(dev), &port_ops, e, "e1000-io", IO_SIZE);
    pci_add_bar(&e->pci, 0, PCI_BAR_MEM32, &e->mmio);
    pci_add_bar(&e->pci, 1, PCI_BAR_IO, &e->io);
    return true;
}

static void e1000_unrealize(struct device *dev)
{
    struct e1000 *e = (struct e1000 *)dev;

    net_detach(&e->port);
    timer_del(&e->link_timer);
    timer_del(&e->throttle);
    timer_del(&e->more);
    e1000_transmit_reset(e);
    mem_region_destroy(&e->io);
    mem_region_destroy(&e->mmio);
}

/* ---- state ---- */

static bool e1000_loaded(void *obj, unsigned version, GError **err)
{
    struct e1000 *e = obj;

    (void)version, (void)err;
    /* every field is good with any value; the cable is that of the loading machine */
    e1000_link_update(e);
    if (*e1000_at(e, E_TDH) != *e1000_at(e, E_TDT))
        timer_mod_ns(&e->more, clock_ns(device_loop(&e->pci.dev), CLK_VIRTUAL));
    return true;
}

static const struct state_field e1000_fields[] = { STATE_ARRAY(struct e1000, reg),
                                                   STATE_ARRAY(struct e1000, phy),
                                                   STATE_STRUCT(struct e1000, eeprom,
                                                                eeprom93_state),
                                                   STATE_STRUCT(struct e1000, tx, e1000_tx_state),
                                                   STATE_BUF(struct e1000, tx_frame),
                                                   STATE_U32(struct e1000, io_addr),
                                                   STATE_BOOL(struct e1000, irq),
                                                   STATE_TIMER(struct e1000, link_timer),
                                                   STATE_TIMER(struct e1000, throttle),
                                                   STATE_TIMER(struct e1000, more),
                                                   STATE_END };
static const struct state_table e1000_state = {
    .name = "e1000", .version = 1, .fields = e1000_fields, .post_load = e1000_loaded
};

static const struct prop e1000_props[] = { NIC_PROPS(struct e1000, netdev, mac), PROP_LIST_END };

static const struct pci_info e1000_info = {
    .rom = "efi-e1000.rom",
    .vendor = 0x8086,
    .device = 0x100e,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .revision = 3,
    .class_code = { 0x00, 0x00, 0x02 }, /* Ethernet controller */
    .pin = 1,
};

const struct device_type e1000_type = {
    .name = "e1000",
    .alias = "e1000-82540em",
    .help = "Intel 82540EM gigabit Ethernet",
    .bus = BUS_PCI,
    .size = sizeof(struct e1000),
    .category = "network",
    .realize = e1000_realize,
    .reset = e1000_reset,
    .unrealize = e1000_unrealize,
    .props = e1000_props,
    .state = &e1000_state,
    .bus_info = &e1000_info,
};
