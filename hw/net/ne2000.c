/*
 * NE2000: the DP8390 network interface controller (National Semiconductor's data sheet, section 10)
 * with the card's data port and reset port. Remote DMA is done when the port is accessed; frames
 * are sent at once.
 */
#include "ne2000.h"
#include "nic.h"

#include <base/bits.h>

#define MEM_START 0x4000u
#define PROM_LEN  32
#define DATA_PORT 0x10
#define RESET     0x18 /* to the end */
#define HEADER    4

#define CMD_STOP  0x01u
#define CMD_START 0x02u
#define CMD_SEND  0x04u
#define CMD_READ  0x08u
#define CMD_WRITE 0x10u
#define CMD_ABORT 0x20u

#define ISR_RECEIVED 0x01u
#define ISR_SENT     0x02u
#define ISR_DMA      0x40u
#define ISR_RESET    0x80u

#define RX_BROADCAST 0x04u
#define RX_MULTICAST 0x08u
#define RX_ALL       0x10u
#define RX_MONITOR   0x20u

#define TX_LOOPBACK 0x06u
#define DATA_WORDS  0x01u

#define RSR_OK    0x01u
#define RSR_GROUP 0x20u /* not by the own address */

static void update_irq(struct ne2000 *n)
{
    irq_set(&n->irq, n->isr & n->imr & 0x7f);
}

static bool is_running(const struct ne2000 *n)
{
    return (n->cmd & CMD_START) && !(n->cmd & CMD_STOP);
}

/* ---- memory; addresses outside read as ones ---- */

static uint8_t peek(const struct ne2000 *n, unsigned addr)
{
    addr &= 0xffff;
    return addr < PROM_LEN || (addr >= MEM_START && addr < NE2000_MEM_END) ? n->mem[addr] : 0xff;
}

static void poke(struct ne2000 *n, unsigned addr, uint8_t v)
{
    addr &= 0xffff;
    if (addr >= MEM_START && addr < NE2000_MEM_END)
        n->mem[addr] = v;
}

/* ---- receiving (section 7.0) ---- */

static bool in_multicast(const struct ne2000 *n, const uint8_t *dest)
{
    unsigned bit = nic_hash(dest);

    return n->multicast[bit / 8] >> (bit % 8) & 1;
}

static bool is_wanted(const struct ne2000 *n, const uint8_t *dest)
{
    if (nic_is_broadcast(dest))
        return n->rx_config & RX_BROADCAST;
    if (dest[0] & 1)
        return (n->rx_config & RX_MULTICAST) && in_multicast(n, dest);
    return (n->rx_config & RX_ALL) || memcmp(dest, n->own, 6) == 0;
}

/* Bytes that the ring has room for. */
static unsigned ring_room(const struct ne2000 *n)
{
    unsigned pages = n->stop - n->start, boundary = n->boundary, used;

    if (n->stop <= n->start || n->current < n->start || n->current >= n->stop)
        return 0;
    /* drivers that keep it a page behind leave it before the start: the end of the ring */
    if (boundary + 1 == n->start)
        boundary = n->stop - 1u;
    /* the chip only looks whether a page is the boundary's: elsewhere it never stops the ring */
    if (boundary < n->start || boundary >= n->stop)
        return pages * 256;
    used = (n->current + pages - boundary) % pages;
    /* a boundary that has been caught up with means an empty ring */
    return used ? (pages - used) * 256 : pages * 256;
}

static void store(struct ne2000 *n, const uint8_t *frame, unsigned len)
{
    unsigned total = len + HEADER + NIC_FCS_LEN, pages = (total + 255) / 256,
             next = n->current + pages;
    unsigned at = n->current * 256u;
    uint8_t header[HEADER] = { 0 };

    if (next >= n->stop)
        next -= n->stop - n->start;
    n->rx_status = (uint8_t)(RSR_OK | (frame[0] & 1 ? RSR_GROUP : 0));
    header[0] = n->rx_status;
    header[1] = (uint8_t)next;
    stw_le(header + 2,
           (uint16_t)(len + NIC_FCS_LEN)); /* not the header (section 7.0, buffer ring) */
    for (unsigned i = 0; i < total; i++) {
        poke(n, at, i < HEADER ? header[i] : i < HEADER + len ? frame[i - HEADER] : 0);
        if (++at == n->stop * 256u)
            at = n->start * 256u;
    }
    n->current = (uint8_t)next;
    n->isr |= ISR_RECEIVED;
    update_irq(n);
}

static bool ne2000_receive(void *opaque, const uint8_t *frame, size_t len)
{
    struct ne2000 *n = opaque;
    uint8_t padded[NIC_FRAME_MIN];

    if (!is_running(n) || (n->rx_config & RX_MONITOR) || len < 14 || len > NIC_FRAME_MAX + 4 ||
        !is_wanted(n, frame))
        return true;
    frame = nic_pad(frame, &len, padded);
    if (ring_room(n) < len + HEADER + NIC_FCS_LEN + 256)
        return false; /* waits until the boundary moves */
    store(n, frame, (unsigned)len);
    return true;
}

/* ---- sending (section 8.0) ---- */

static void transmit(struct ne2000 *n)
{
    uint8_t frame[NIC_FRAME_MAX + 4];
    unsigned len = MIN(n->tx_count, sizeof(frame));

    for (unsigned i = 0; i < len; i++)
        frame[i] = peek(n, n->tx_page * 256u + i);
    if (!(n->tx_config & TX_LOOPBACK) && len >= 14 && !net_send(&n->port, frame, len))
        return; /* and is still sending */
    n->tx_status = 0x01;
    n->cmd &= (uint8_t)~CMD_SEND;
    n->isr |= ISR_SENT;
    update_irq(n);
}

/* ---- registers ---- */

static void write_command(struct ne2000 *n, uint8_t v)
{
    /* neither start nor stop leaves the state as it is; sending ends by itself (section 10.3) */
    if (!(v & (CMD_START | CMD_STOP)))
        v |= n->cmd & (CMD_START | CMD_STOP);
    n->cmd = v | (n->cmd & CMD_SEND);
    if (v & CMD_STOP) {
        n->isr |= ISR_RESET;
        n->cmd &= (uint8_t)~CMD_SEND;
        return;
    }
    n->isr &= (uint8_t)~ISR_RESET;
    if ((v & (CMD_READ | CMD_WRITE)) && !(v & CMD_ABORT) && !n->dma_count) {
        n->isr |= ISR_DMA;
        update_irq(n);
    }
    if (v & CMD_SEND)
        transmit(n);
    net_accept(&n->port);
}

static uint8_t take_tally(struct ne2000 *n, unsigned i)
{
    uint8_t v = n->tally[i];

    n->tally[i] = 0;
    return v;
}

static uint8_t read_page0(struct ne2000 *n, unsigned reg)
{
    switch (reg) {
    case 1:
    case 8: return (uint8_t)n->dma_addr;
    case 2:
    case 9: return (uint8_t)(n->dma_addr >> 8);
    case 3: return n->boundary;
    case 4: return n->tx_status;
    case 7: return n->isr;
    case 10: return 0x50; /* RTL8029's mark in an unused place of the DP8390 */
    case 11: return 0x43;
    case 12: return n->rx_status;
    case 13:
    case 14:
    case 15: return take_tally(n, reg - 13);
    default: return 0;
    }
}

static uint8_t read_page1(const struct ne2000 *n, unsigned reg)
{
    if (reg < 7)
        return n->own[reg - 1];
    return reg == 7 ? n->current : n->multicast[reg - 8];
}

static uint8_t read_page2(const struct ne2000 *n, unsigned reg)
{
    switch (reg) {
    case 1: return n->start;
    case 2: return n->stop;
    case 4: return n->tx_page;
    case 12: return n->rx_config | 0xc0;
    case 13: return n->tx_config | 0xe0;
    case 14: return n->data_config | 0x80;
    case 15: return n->imr | 0x80;
    default: return 0;
    }
}

static uint8_t read_reg(struct ne2000 *n, unsigned reg)
{
    if (!reg)
        return n->cmd;
    switch (n->cmd >> 6) {
    case 0: return read_page0(n, reg);
    case 1: return read_page1(n, reg);
    case 2: return read_page2(n, reg);
    default: return 0;
    }
}

/*
 * 8390 drivers take a few frames and acknowledge the rest with them, since on a wire the next frame
 * is never far. Frames come here in bursts, and then none until these are answered: a driver that
 * took some and left others is told again.
 */
static void acknowledge(struct ne2000 *n, uint8_t v)
{
    n->isr &= (uint8_t) ~(v & 0x7f);
    if (!(v & ISR_RECEIVED))
        return;
    /* the boundary is a page behind, or where the next frame comes, when all are taken */
    if (n->taken && ring_room(n) / 256 + 1 < (unsigned)(n->stop - n->start))
        n->isr |= ISR_RECEIVED;
    n->taken = false;
}

static void write_page0(struct ne2000 *n, unsigned reg, uint8_t v)
{
    switch (reg) {
    case 1: n->start = v; break;
    case 2: n->stop = v; break;
    case 3:
        n->boundary = v;
        n->taken = true;
        net_accept(&n->port);
        break;
    case 4: n->tx_page = v; break;
    case 5: n->tx_count = (uint16_t)((n->tx_count & 0xff00) | v); break;
    case 6: n->tx_count = (uint16_t)((n->tx_count & 0xff) | v << 8); break;
    case 7: acknowledge(n, v); break;
    case 8: n->dma_addr = (uint16_t)((n->dma_addr & 0xff00) | v); break;
    case 9: n->dma_addr = (uint16_t)((n->dma_addr & 0xff) | v << 8); break;
    case 10: n->dma_count = (uint16_t)((n->dma_count & 0xff00) | v); break;
    case 11: n->dma_count = (uint16_t)((n->dma_count & 0xff) | v << 8); break;
    case 12: n->rx_config = v & 0x3f; break;
    case 13: n->tx_config = v & 0x1f; break;
    case 14: n->data_config = v & 0x7f; break;
    default: n->imr = v & 0x7f; break;
    }
    update_irq(n);
}

static void write_reg(struct ne2000 *n, unsigned reg, uint8_t v)
{
    if (!reg)
        write_command(n, v);
    else if (n->cmd >> 6 == 0)
        write_page0(n, reg, v);
    else if (n->cmd >> 6 == 1 && reg < 7)
        n->own[reg - 1] = v;
    else if (n->cmd >> 6 == 1 && reg == 7)
        n->current = v;
    else if (n->cmd >> 6 == 1)
        n->multicast[reg - 8] = v;
}

/* ---- the data port: bytes, or words with the low byte first ---- */

static void dma_step(struct ne2000 *n)
{
    if (!n->dma_count)
        return;
    if (++n->dma_addr == n->stop * 256u && n->stop > n->start)
        n->dma_addr = (uint16_t)(n->start * 256u);
    if (!--n->dma_count) {
        n->isr |= ISR_DMA;
        update_irq(n);
    }
}

/* Bytes that an access moves on. */
static unsigned dma_width(const struct ne2000 *n, unsigned size)
{
    return n->data_config & DATA_WORDS ? MAX(size, 2) : 1;
}

static uint64_t data_read(struct ne2000 *n, unsigned size)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < dma_width(n, size); i++) {
        if (i < size)
            v |= (uint64_t)peek(n, n->dma_addr) << (8 * i);
        dma_step(n);
    }
    return v;
}

static void data_write(struct ne2000 *n, uint64_t v, unsigned size)
{
    for (unsigned i = 0; i < dma_width(n, size) && n->dma_count; i++) {
        if (i < size)
            poke(n, n->dma_addr, (uint8_t)(v >> (8 * i)));
        dma_step(n);
    }
}

static uint64_t port_read(void *opaque, uint64_t offset, unsigned size)
{
    struct ne2000 *n = opaque;
    uint64_t v = 0;

    if (offset >= DATA_PORT && offset < RESET)
        return data_read(n, size);
    if (offset >= RESET) {
        ne2000_reset(n);
        return 0;
    }
    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)read_reg(n, (unsigned)offset + i) << (8 * i);
    return v;
}

static void port_write(void *opaque, uint64_t offset, uint64_t v, unsigned size)
{
    struct ne2000 *n = opaque;

    if (offset >= DATA_PORT && offset < RESET)
        data_write(n, v, size);
    else if (offset < DATA_PORT)
        for (unsigned i = 0; i < size; i++)
            write_reg(n, (unsigned)offset + i, (uint8_t)(v >> (8 * i)));
}

static const struct io_ops port_ops = {
    .read = port_read, .write = port_write, .guest_sizes = { 1, 4 }, .own_sizes = { 1, 4 }
};

/* ---- life ---- */

static void ne2000_writable(void *opaque)
{
    struct ne2000 *n = opaque;

    if (n->cmd & CMD_SEND)
        transmit(n);
}

static const struct net_port_ops net_ops = { .receive = ne2000_receive,
                                             .writable = ne2000_writable };

void ne2000_reset(struct ne2000 *n)
{
    n->cmd = CMD_STOP | CMD_ABORT;
    n->isr = ISR_RESET;
    n->imr = 0;
    n->tx_config = n->rx_config = 0;
    n->dma_count = 0;
    n->taken = false;
    memset(n->tally, 0, sizeof(n->tally));
    /* the address PROM: each byte twice, 0x57 at the end says that the card takes words */
    for (unsigned i = 0; i < PROM_LEN / 2; i++)
        n->mem[2 * i] = n->mem[2 * i + 1] = i < 6 ? n->mac.byte[i] : i >= 14 ? 0x57 : 0;
    update_irq(n);
}

bool ne2000_init(struct ne2000 *n, struct device *dev, GError **err)
{
    if (!nic_attach(dev, n->netdev, &n->port, &net_ops, n, &n->mac, err))
        return false;
    mem_region_init_io(&n->io, device_mem(dev), &port_ops, n, dev->type->name, NE2000_PORTS);
    return true;
}

void ne2000_destroy(struct ne2000 *n)
{
    net_detach(&n->port);
    mem_region_destroy(&n->io);
}

static const struct state_field ne2000_fields[] = {
    STATE_BUF(struct ne2000, mem),       STATE_U8(struct ne2000, cmd),
    STATE_U8(struct ne2000, start),      STATE_U8(struct ne2000, stop),
    STATE_U8(struct ne2000, boundary),   STATE_U8(struct ne2000, current),
    STATE_U8(struct ne2000, tx_page),    STATE_U8(struct ne2000, tx_status),
    STATE_U8(struct ne2000, rx_status),  STATE_U8(struct ne2000, isr),
    STATE_U8(struct ne2000, imr),        STATE_U8(struct ne2000, rx_config),
    STATE_U8(struct ne2000, tx_config),  STATE_U8(struct ne2000, data_config),
    STATE_BUF(struct ne2000, own),       STATE_BUF(struct ne2000, multicast),
    STATE_BUF(struct ne2000, tally),     STATE_BOOL(struct ne2000, taken),
    STATE_U16(struct ne2000, tx_count),  STATE_U16(struct ne2000, dma_addr),
    STATE_U16(struct ne2000, dma_count), STATE_END
};
const struct state_table ne2000_state = { .name = "ne2000", .version = 1, .fields = ne2000_fields };
