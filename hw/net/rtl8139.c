/*
 * Realtek RTL8139C+ (PCI 10ec:8139, revision 0x20; its data sheet), or without the modes of the C+
 * an RTL8139C (revision 0x10): registers, and what both have: four transmit descriptors in
 * registers, one receive ring in memory.
 */
#include "rtl8139.h"

#define HEADER 4

void rtl_cause(struct rtl8139 *s, unsigned bits)
{
    stw_le(s->reg + ISR, (uint16_t)(rtl_get16(s, ISR) | bits));
    pci_set_intx(&s->pci, rtl_get16(s, ISR) & rtl_get16(s, IMR));
}

void rtl_dma(struct rtl8139 *s, bool to_guest, uint64_t addr, void *buf, uint64_t len)
{
    struct address_space *as = &s->pci.dev.machine->memory;

    s->busy = true;
    if (to_guest)
        space_write(as, addr, buf, len, pci_attrs(&s->pci));
    else
        space_read(as, addr, buf, len, pci_attrs(&s->pci));
    s->busy = false;
}

/* ---- receiving ---- */

static uint32_t ring_size(const struct rtl8139 *s)
{
    return 8192u << (rtl_get32(s, RCR) >> 11 & 3);
}

static uint32_t ring_used(const struct rtl8139 *s)
{
    return (rtl_get16(s, CBR) - (rtl_get16(s, CAPR) + 16u)) & (ring_size(s) - 1);
}

/* Status for the header, 0: not wanted. */
static unsigned filter(const struct rtl8139 *s, const uint8_t *dest)
{
    uint32_t rcr = rtl_get32(s, RCR);
    unsigned hash = nic_hash(dest);

    if (nic_is_broadcast(dest))
        return rcr & (RCR_BROADCAST | RCR_ALL) ? RX_OK | RX_BROADCAST : 0;
    if (dest[0] & 1) {
        bool hit = (rcr & RCR_MULTICAST) && (s->reg[MAR + hash / 8] >> (hash % 8) & 1);

        return hit || (rcr & RCR_ALL) ? RX_OK | RX_MULTICAST : 0;
    }
    if (memcmp(dest, s->reg + IDR, 6) == 0)
        return rcr & (RCR_OWN | RCR_ALL) ? RX_OK | RX_OWN : 0;
    return rcr & RCR_ALL ? RX_OK : 0;
}

void rtl_plan_retry(struct rtl8139 *s)
{
    if (!timer_pending(&s->retry))
        timer_mod_ns(&s->retry, clock_ns(device_loop(&s->pci.dev), CLK_VIRTUAL) + NS_PER_MS);
}

static void store(struct rtl8139 *s, unsigned status, const uint8_t *frame, uint32_t len)
{
    uint8_t buf[HEADER + RTL_FRAME_MAX + NIC_FCS_LEN] = { 0 };
    uint32_t size = ring_size(s), at = rtl_get16(s, CBR) & (size - 1),
             total = HEADER + len + NIC_FCS_LEN;
    uint32_t first =
        rtl_get32(s, RCR) & RCR_NO_WRAP && size < 65536 ? total : MIN(total, size - at);

    stw_le(buf, (uint16_t)status);
    stw_le(buf + 2, (uint16_t)(len + NIC_FCS_LEN));
    memcpy(buf + HEADER, frame, len);
    rtl_dma(s, true, rtl_get32(s, RBSTART) + (uint64_t)at, buf, first);
    if (first < total)
        rtl_dma(s, true, rtl_get32(s, RBSTART), buf + first, total - first);
    stw_le(s->reg + CBR, (uint16_t)(align_up(at + total, 4) & (size - 1)));
    rtl_cause(s, INT_RX);
}

bool rtl_receive(void *opaque, const uint8_t *frame, size_t len)
{
    struct rtl8139 *s = opaque;
    uint8_t padded[NIC_FRAME_MIN];
    unsigned status;

    if (!(s->reg[CR] & CR_RX) || !pci_bus_master(&s->pci) || s->busy || len < 14 ||
        len > RTL_FRAME_MAX)
        return true;
    status = filter(s, frame);
    if (!status)
        return true;
    frame = nic_pad(frame, &len, padded);
    if (rtl_cplus(s, CPCR_RX))
        return rtl_cplus_receive(s, status, frame, len);
    /* a full ring must not look like an empty one */
    if (ring_used(s) + HEADER + len + NIC_FCS_LEN + 8 > ring_size(s)) {
        rtl_plan_retry(s);
        return false;
    }
    store(s, status, frame, (uint32_t)len);
    return true;
}

/* ---- sending ---- */

static bool send_next(struct rtl8139 *s)
{
    uint8_t *tsd = s->reg + TSD + 4 * s->next, frame[RTL_FRAME_MAX];
    uint32_t len = MIN(ldl_le(tsd) & 0x1fff, sizeof(frame));

    if (ldl_le(tsd) & TSD_OWN)
        return false;
    rtl_dma(s, false, rtl_get32(s, TSAD + 4 * s->next), frame, len);
    if (rtl_get32(s, TCR) & TCR_LOOPBACK)
        rtl_receive(s, frame, len);
    else if (len >= 14 && !net_send(&s->port, frame, len))
        return false; /* still the card's; writable() goes on */
    stl_le(tsd, ldl_le(tsd) | TSD_OWN | TSD_OK);
    s->next = (s->next + 1) % 4;
    rtl_cause(s, INT_TX);
    return true;
}

static void send_all(void *opaque)
{
    struct rtl8139 *s = opaque;

    if (!(s->reg[CR] & CR_TX) || !pci_bus_master(&s->pci) || s->busy)
        return;
    if (rtl_cplus(s, CPCR_TX)) {
        rtl_cplus_transmit(s);
        return;
    }
    for (unsigned i = 0; i < 4 && send_next(s); i++)
        continue;
}

static uint16_t transmit_summary(const struct rtl8139 *s)
{
    unsigned v = 0;

    for (unsigned i = 0; i < 4; i++) {
        uint32_t tsd = rtl_get32(s, TSD + 4 * i);

        v |= (tsd & TSD_OWN ? 1u << i : 0) | (tsd & TSD_OK ? 0x1000u << i : 0);
    }
    return (uint16_t)v;
}

/* ---- timer, 33 MHz; link ---- */

static uint32_t timer_count(struct rtl8139 *s)
{
    int64_t ns = clock_ns(device_loop(&s->pci.dev), CLK_VIRTUAL) - s->timer_base;

    return (uint32_t)(ns / 30);
}

static void arm_timer(struct rtl8139 *s)
{
    uint32_t at = rtl_get32(s, TIMER_INT), left = at - timer_count(s);

    if (!at)
        timer_del(&s->timer);
    else
        timer_mod_ns(&s->timer,
                     clock_ns(device_loop(&s->pci.dev), CLK_VIRTUAL) + MAX(left, 1) * INT64_C(30));
}

static void timer_over(void *opaque)
{
    rtl_cause(opaque, INT_TIMEOUT);
}

static void show_link(struct rtl8139 *s)
{
    bool up = nic_link(s->netdev);

    s->reg[MSR] = (uint8_t)((s->reg[MSR] & ~4) | (up ? 0 : 4));
    stw_le(s->reg + BMSR, up ? 0x782d : 0x7809);
    stw_le(s->reg + ANLPAR, up ? 0x45e1 : 0);
    stw_le(s->reg + ANER, up ? 1 : 0);
}

static void link_changed(void *opaque, bool up)
{
    (void)up;
    show_link(opaque);
    rtl_cause(opaque, INT_LINK);
}

/* ---- registers ---- */

static void soft_reset(struct rtl8139 *s)
{
    uint8_t own[6];

    memcpy(own, s->reg + IDR, 6);
    memset(s->reg, 0, sizeof(s->reg));
    memcpy(s->reg + IDR, own, 6);
    for (unsigned i = 0; i < 4; i++)
        stl_le(s->reg + TSD + 4 * i, TSD_OWN);
    stl_le(s->reg + TCR, TCR_CHIP | (s->cplus ? TCR_CPLUS : 0));
    rtl_cplus_reset(s);
    stw_le(s->reg + CAPR, 0xfff0);
    s->reg[CONFIG1] = 0x0c;
    stw_le(s->reg + BMCR, 0x3100);
    stw_le(s->reg + ANAR, 0x05e1);
    s->next = 0;
    timer_del(&s->timer);
    show_link(s);
    rtl_cause(s, 0);
}

/* Bits of each byte that stay as written. */
static uint8_t kept_bits(const struct rtl8139 *s, unsigned reg)
{
    bool unlocked = (s->reg[EECR] & EECR_UNLOCKED) == EECR_UNLOCKED;

    if (reg < MAR)
        return unlocked && reg < 6 ? 0xff : 0;
    if (reg < CR)
        return 0xff;
    switch (reg) {
    case CR: return CR_RX | CR_TX;
    case CAPR:
    case CAPR + 1:
    case IMR:
    case IMR + 1:
    case MULINT:
    case MULINT + 1: return 0xff;
    case EECR: return 0xce;
    case CONFIG1:
    case CONFIG3:
    case CONFIG4: return unlocked ? 0xff : 0;
    case TCR + 1: return 0x07;
    case TCR + 2: return 0x07;
    case TCR + 3: return 0x03;
    default: break;
    }
    if (reg >= CONFIG5 && !s->cplus)
        return 0;
    if (reg == CPCR || (reg >= RDSAR && reg <= ETTHR))
        return 0xff;
    if ((reg >= RCR && reg < RCR + 4) || (reg >= TIMER_INT && reg < TIMER_INT + 4))
        return 0xff;
    if ((reg >= BMCR && reg < BMCR + 2) || (reg >= ANAR && reg < ANAR + 2))
        return reg == BMCR + 1 ? 0x31 : 0xff;
    return 0;
}

static void write_byte(struct rtl8139 *s, unsigned reg, uint8_t v)
{
    uint8_t mask = kept_bits(s, reg);

    if (reg == CR && v & CR_RESET) {
        soft_reset(s);
        return;
    }
    if (reg == ISR || reg == ISR + 1)
        s->reg[reg] &= (uint8_t)~v;
    else
        s->reg[reg] = (uint8_t)((s->reg[reg] & ~mask) | (v & mask));
}

static bool touches(unsigned reg, unsigned size, unsigned first, unsigned len)
{
    return reg < first + len && first < reg + size;
}

/* Registers that mean something else, or are there, in the C+ only. */
static void cplus_written(struct rtl8139 *s, unsigned reg, unsigned size, uint64_t v)
{
    if (touches(reg, size, DTCCR, 1) && rtl_cplus(s, CPCR_TX | CPCR_RX))
        rtl_cplus_dump_tally(s);
    if (touches(reg, size, TNPDS, 4))
        s->tx_at[0] = 0;
    if (touches(reg, size, THPDS, 4))
        s->tx_at[1] = 0;
    if (touches(reg, size, RDSAR, 4))
        s->rx_at = 0;
    if (touches(reg, size, TPPOLL, 1) && (uint8_t)(v >> 8 * (TPPOLL - reg)) & TPPOLL_INT)
        rtl_cause(s, INT_SOFT);
    if (touches(reg, size, TPPOLL, 1))
        send_all(s);
    /* drivers that have refilled their ring let interrupts in again */
    if (touches(reg, size, IMR, 4))
        net_accept(&s->port);
}

static void written(struct rtl8139 *s, unsigned reg, unsigned size)
{
    if (touches(reg, size, EECR, 1))
        eeprom93_wires(&s->eeprom, s->reg[EECR] & 8, s->reg[EECR] & 4, s->reg[EECR] & 2);
    if (touches(reg, size, MPC, 4))
        stl_le(s->reg + MPC, 0);
    if (touches(reg, size, TCTR, 4))
        s->timer_base = clock_ns(device_loop(&s->pci.dev), CLK_VIRTUAL);
    if (touches(reg, size, TCTR, 4) || touches(reg, size, TIMER_INT, 4))
        arm_timer(s);
    if ((touches(reg, size, TSD, 16) && !rtl_cplus(s, CPCR_TX)) || touches(reg, size, CR, 1))
        send_all(s);
    if (touches(reg, size, CR, 3) || touches(reg, size, RCR, 4))
        net_accept(&s->port);
    rtl_cause(s, 0);
}

static uint64_t reg_read(void *opaque, uint64_t offset, unsigned size)
{
    struct rtl8139 *s = opaque;

    s->reg[CR] = (uint8_t)((s->reg[CR] & ~CR_EMPTY) | (ring_used(s) ? 0 : CR_EMPTY));
    s->reg[EECR] = (uint8_t)((s->reg[EECR] & ~1) | s->eeprom.data);
    stw_le(s->reg + TSAD_STATUS, transmit_summary(s));
    if (touches((unsigned)offset, size, TCTR, 4))
        stl_le(s->reg + TCTR, timer_count(s));
    return ldn_le(s->reg + offset, size);
}

static void reg_write(void *opaque, uint64_t offset, uint64_t v, unsigned size)
{
    struct rtl8139 *s = opaque;

    if (s->busy)
        return;
    for (unsigned i = 0; i < size; i++)
        write_byte(s, (unsigned)offset + i, (uint8_t)(v >> (8 * i)));
    written(s, (unsigned)offset, size);
    if (s->cplus)
        cplus_written(s, (unsigned)offset, size, v);
}

static const struct io_ops reg_ops = {
    .read = reg_read, .write = reg_write, .guest_sizes = { 1, 8 }, .own_sizes = { 1, 4 }
};

/* ---- life ---- */

/* Linux's 8139too acknowledges what it has not read yet when it has had its share, and relies on
 * the next frame to be told again: of that which waits here. */
static void retry(void *opaque)
{
    struct rtl8139 *s = opaque;

    if (!rtl_cplus(s, CPCR_RX) && ring_used(s))
        rtl_cause(s, INT_RX);
    net_accept(&s->port);
}

static const struct net_port_ops net_ops = {
    .receive = rtl_receive,
    .writable = send_all,
    .link_changed = link_changed,
};

static bool rtl_realize(struct device *dev, GError **err)
{
    struct rtl8139 *s = (struct rtl8139 *)dev;

    if (!nic_attach(dev, s->netdev, &s->port, &net_ops, s, &s->mac, err))
        return false;
    s->eeprom.word[0] = 0x8129;
    s->eeprom.word[1] = 0x10ec;
    s->eeprom.word[2] = 0x8139;
    for (unsigned i = 0; i < 3; i++)
        s->eeprom.word[7 + i] = lduw_le(s->mac.byte + 2 * i);
    timer_init(&s->timer, device_loop(dev), CLK_VIRTUAL, timer_over, s);
    timer_init(&s->retry, device_loop(dev), CLK_VIRTUAL, retry, s);
    if (!s->cplus)
        s->pci.config[PCI_REVISION] = 0x10;
    mem_region_init_io(&s->io, device_mem(dev), &reg_ops, s, "rtl8139-io", RTL_WINDOW);
    mem_region_init_io(&s->mmio, device_mem(dev), &reg_ops, s, "rtl8139", RTL_WINDOW);
    pci_add_bar(&s->pci, 0, PCI_BAR_IO, &s->io);
    pci_add_bar(&s->pci, 1, PCI_BAR_MEM32, &s->mmio);
    return true;
}

static void rtl_unrealize(struct device *dev)
{
    struct rtl8139 *s = (struct rtl8139 *)dev;

    net_detach(&s->port);
    timer_del(&s->timer);
    rtl_cplus_reset(s);
    mem_region_destroy(&s->mmio);
    mem_region_destroy(&s->io);
}

static void rtl_reset(struct device *dev)
{
    struct rtl8139 *s = (struct rtl8139 *)dev;

    eeprom93_reset(&s->eeprom);
    for (unsigned i = 0; i < 3; i++)
        stw_le(s->reg + IDR + 2 * i, s->eeprom.word[7 + i]);
    s->timer_base = clock_ns(device_loop(dev), CLK_VIRTUAL);
    soft_reset(s);
}

static bool rtl_loaded(void *obj, unsigned version, GError **err)
{
    struct rtl8139 *s = obj;

    (void)version, (void)err;
    s->next %= 4;
    show_link(s); /* the cable is that of the loading machine */
    return true;
}

static const struct state_field rtl_fields[] = {
    STATE_STRUCT(struct rtl8139, eeprom, eeprom93_state),
    STATE_BUF(struct rtl8139, reg),
    STATE_I64(struct rtl8139, timer_base),
    STATE_U8(struct rtl8139, next),
    STATE_TIMER(struct rtl8139, timer),
    STATE_U32(struct rtl8139, rx_at, .since = 2),
    STATE_ARRAY(struct rtl8139, tx_at, .since = 2),
    STATE_STRUCT(struct rtl8139, tally, rtl_tally_state, .since = 2),
    STATE_TIMER(struct rtl8139, retry, .since = 2),
    STATE_END
};
static const struct state_table rtl_state = {
    .name = "rtl8139", .version = 2, .min_version = 1, .fields = rtl_fields, .post_load = rtl_loaded
};

static const struct prop rtl_props[] = {
    NIC_PROPS(struct rtl8139, netdev, mac),
    PROP_BOOL(struct rtl8139, cplus, "c-plus", true,
              "descriptor rings and offloads of the C+; off: an RTL8139C"),
    PROP_LIST_END
};

static const struct pci_info rtl_info = {
    .rom = "efi-rtl8139.rom",
    .vendor = 0x10ec,
    .device = 0x8139,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .revision = 0x20,
    .class_code = { 0x00, 0x00, 0x02 }, /* Ethernet controller */
    .pin = 1,
};

const struct device_type rtl8139_type = {
    .name = "rtl8139",
    .help = "Realtek RTL8139C+",
    .bus = BUS_PCI,
    .size = sizeof(struct rtl8139),
    .category = "network",
    .realize = rtl_realize,
    .reset = rtl_reset,
    .unrealize = rtl_unrealize,
    .props = rtl_props,
    .state = &rtl_state,
    .bus_info = &rtl_info,
};
