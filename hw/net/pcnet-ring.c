/* The Am79C970A's initialization block, descriptor rings, filters and loop ("Buffer Management").
 */
#include "pcnet.h"

#include <base/bits.h>

/* Bits of the word with OWN, the same in all styles of descriptors. */
#define D_OWN   0x80000000u
#define D_ERR   0x40000000u
#define RD_OFLO 0x10000000u
#define RD_BUFF 0x04000000u
#define RD_PAM  0x00400000u /* matched the physical address */
#define RD_LAFM 0x00200000u /* the filter of group addresses */
#define RD_BAM  0x00100000u /* all */
#define TD_FCS  0x20000000u
#define TD_LINT 0x10000000u
#define D_STP   0x02000000u
#define D_ENP   0x01000000u
#define D_BPE   0x00800000u

/* Bits of the transmitter's status. */
#define TS_BUFF 0x80000000u
#define TS_UFLO 0x40000000u
#define TS_LCAR 0x08000000u

/* A sender is babbling beyond this; bytes with FCS. */
#define BABBLE   1519
#define TX_MAX   4088
/* The longest ring that an initialization block can ask for; work at one go ends there, too. */
#define RING_MAX 512

/* One descriptor, in whatever style. */
struct desc {
    uint32_t at;     /* guest address */
    uint32_t addr;   /* of the buffer */
    uint32_t flags;  /* the word with OWN; bits 31 to 16 */
    uint32_t room;   /* bytes of the buffer */
    uint32_t status; /* what else there is to say: length of the frame, faults */
};

static struct address_space *space(const struct pcnet *p)
{
    return &p->pci.dev.machine->memory;
}

static void fetch(const struct pcnet *p, uint64_t addr, void *buf, uint64_t len)
{
    space_read(space(p), addr, buf, len, pci_attrs(&p->pci));
}

static void put(const struct pcnet *p, uint64_t addr, const void *buf, uint64_t len)
{
    space_write(space(p), addr, buf, len, pci_attrs(&p->pci));
}

/* ---- the styles (BCR20, "Software Style") ---- */

static bool is_wide(const struct pcnet *p)
{
    return p->bcr[BCR_STYLE] & BCR_STYLE_32;
}

/* Style 3 has buffer address and status the other way round. */
static bool is_swapped(const struct pcnet *p)
{
    return (p->bcr[BCR_STYLE] & 0xff) == 3;
}

static uint32_t desc_size(const struct pcnet *p)
{
    return is_wide(p) ? 16 : 8;
}

/* With 24-bit structures, CSR2 gives the rest of all addresses. */
static uint32_t high_byte(const struct pcnet *p)
{
    return is_wide(p) ? 0 : (uint32_t)(p->csr[CSR_IADR + 1] & 0xff00) << 16;
}

static void load_desc(const struct pcnet *p, uint32_t at, struct desc *d)
{
    uint8_t raw[16];

    d->at = at;
    fetch(p, at, raw, desc_size(p));
    if (is_wide(p)) {
        uint32_t word = ldl_le(raw + 4);

        d->addr = ldl_le(raw + (is_swapped(p) ? 8 : 0));
        d->flags = word & 0xffff0000;
        d->room = 4096 - (word & 0xfff);
        d->status = 0;
    } else {
        d->addr = lduw_le(raw) | (uint32_t)raw[2] << 16 | high_byte(p);
        d->flags = (uint32_t)raw[3] << 24;
        d->room = 4096 - (lduw_le(raw + 4) & 0xfff);
        d->status = 0;
    }
}

/* The status first: whoever sees that OWN is gone finds the rest there. */
static void store_desc(const struct pcnet *p, const struct desc *d, bool with_status)
{
    uint8_t raw[4];

    if (is_wide(p)) {
        stl_le(raw, d->status);
        if (with_status)
            put(p, d->at + (is_swapped(p) ? 0u : 8u), raw, 4);
        stw_le(raw, (uint16_t)(d->flags >> 16));
        put(p, d->at + 6u, raw, 2);
    } else {
        /* received lengths are in the low word, faults of sending in the high one */
        stw_le(raw, (uint16_t)(d->status >> 16 ? d->status >> 16 : d->status));
        if (with_status)
            put(p, d->at + 6u, raw, 2);
        raw[0] = (uint8_t)(d->flags >> 24);
        put(p, d->at + 3u, raw, 1);
    }
}

/* ---- initialization ---- */

static void init_wide(struct pcnet *p, uint32_t at, unsigned *rlen, unsigned *tlen)
{
    uint8_t b[28];

    fetch(p, at, b, sizeof(b));
    p->csr[CSR_MODE] = lduw_le(b);
    *rlen = b[2] >> 4;
    *tlen = b[3] >> 4;
    for (unsigned i = 0; i < 3; i++)
        p->csr[CSR_PADR + i] = lduw_le(b + 4 + 2 * i);
    for (unsigned i = 0; i < 4; i++)
        p->csr[CSR_LADRF + i] = lduw_le(b + 12 + 2 * i);
    for (unsigned i = 0; i < 2; i++) {
        p->csr[CSR_BADR + i] = lduw_le(b + 20 + 2 * i);
        p->csr[CSR_BADX + i] = lduw_le(b + 24 + 2 * i);
    }
}

static void init_narrow(struct pcnet *p, uint32_t at, unsigned *rlen, unsigned *tlen)
{
    uint16_t high = (uint16_t)(high_byte(p) >> 16);
    uint8_t b[24];

    fetch(p, at, b, sizeof(b));
    p->csr[CSR_MODE] = lduw_le(b);
    for (unsigned i = 0; i < 3; i++)
        p->csr[CSR_PADR + i] = lduw_le(b + 2 + 2 * i);
    for (unsigned i = 0; i < 4; i++)
        p->csr[CSR_LADRF + i] = lduw_le(b + 8 + 2 * i);
    p->csr[CSR_BADR] = lduw_le(b + 16);
    p->csr[CSR_BADR + 1] = b[18] | high;
    *rlen = b[19] >> 5;
    p->csr[CSR_BADX] = lduw_le(b + 20);
    p->csr[CSR_BADX + 1] = b[22] | high;
    *tlen = b[23] >> 5;
}

/* Rings of two to the power of this, 512 at most; kept negative. */
static uint16_t ring_code(unsigned log)
{
    return (uint16_t)(0x10000 - MIN(1 << log, RING_MAX));
}

void pcnet_init_block(struct pcnet *p)
{
    uint32_t at = pcnet_pair(p, CSR_IADR);
    unsigned rlen, tlen;

    if (!pci_bus_master(&p->pci)) {
        pcnet_cause(p, STATUS_MERR);
        return;
    }
    p->busy = true;
    if (is_wide(p))
        init_wide(p, at & ~3u, &rlen, &tlen);
    else
        init_narrow(p, at & ~1u, &rlen, &tlen);
    p->busy = false;
    p->csr[CSR_LENGTHS] = (uint16_t)(tlen << 12 | rlen << 8);
    p->csr[CSR_RCVRL] = ring_code(rlen);
    p->csr[CSR_XMTRL] = ring_code(tlen);
    pcnet_cause(p, STATUS_IDON);
}

uint32_t pcnet_rx_len(const struct pcnet *p)
{
    return 0x10000u - p->csr[CSR_RCVRL];
}

uint32_t pcnet_tx_len(const struct pcnet *p)
{
    return 0x10000u - p->csr[CSR_XMTRL];
}

uint32_t pcnet_rx_desc(const struct pcnet *p, uint32_t n)
{
    return pcnet_pair(p, CSR_BADR) + n % pcnet_rx_len(p) * desc_size(p);
}

uint32_t pcnet_tx_desc(const struct pcnet *p, uint32_t n)
{
    return pcnet_pair(p, CSR_BADX) + n % pcnet_tx_len(p) * desc_size(p);
}

void pcnet_rings_start(struct pcnet *p)
{
    p->rx_at = p->tx_at = 0;
}

/* ---- receiving ---- */

/* Which filter lets the frame in, 0: none. */
static uint32_t match(const struct pcnet *p, const uint8_t *dest)
{
    unsigned mode = p->csr[CSR_MODE], hash = nic_crc(dest, 6) >> 26;
    uint8_t own[6];

    for (unsigned i = 0; i < 3; i++)
        stw_le(own + 2 * i, p->csr[CSR_PADR + i]);
    if (nic_is_broadcast(dest) && !(mode & MODE_NO_BROAD))
        return RD_BAM;
    if (!(dest[0] & 1) && !(mode & MODE_NO_OWN) && memcmp(dest, own, 6) == 0)
        return RD_PAM;
    if ((dest[0] & 1) && !nic_is_broadcast(dest) &&
        (p->csr[CSR_LADRF + hash / 16] >> (hash % 16) & 1))
        return RD_LAFM;
    return mode & MODE_PROM ? D_STP : 0; /* STP is set anyway */
}

/* Bytes that go into memory: with FCS, or (ASTRP_RCV) short frames of 802.3 without pad. */
static size_t stored_len(const struct pcnet *p, const uint8_t *frame, size_t len)
{
    unsigned type = lduw_be(frame + 12);

    if ((p->csr[CSR_TEST] & TEST_STRIP) && type < 46 && type + 14u <= len)
        return type + 14u;
    return len + NIC_FCS_LEN;
}

/* Spreads `total` bytes over descriptors, the first of which is in `d`. */
static void spread(struct pcnet *p, struct desc *d, const uint8_t *data, size_t total,
                   uint32_t matched)
{
    size_t at = 0;

    d->flags |= D_STP;
    for (;;) {
        size_t here = MIN(total - at, d->room);
        bool last = at + here == total;
        struct desc next;

        put(p, d->addr, data + at, here);
        at += here;
        d->flags &= ~D_OWN;
        p->rx_at = (p->rx_at + 1) % pcnet_rx_len(p);
        if (last) {
            d->status = (uint32_t)total;
            d->flags |= D_ENP | matched;
            store_desc(p, d, true);
            return;
        }
        load_desc(p, pcnet_rx_desc(p, p->rx_at), &next);
        if (!(next.flags & D_OWN)) {
            d->flags |= D_ERR | RD_BUFF | RD_OFLO;
            store_desc(p, d, false);
            return;
        }
        store_desc(p, d, false);
        *d = next;
        d->flags &= D_OWN;
    }
}

static bool hears(const struct pcnet *p)
{
    return (p->csr[CSR_STATUS] & STATUS_RXON) && !(p->csr[CSR_EXT] & EXT_SPND) &&
           pci_bus_master(&p->pci) && !p->busy;
}

bool pcnet_receive(void *opaque, const uint8_t *frame, size_t len)
{
    struct pcnet *p = opaque;
    uint8_t padded[NIC_FRAME_MIN], data[TX_MAX + NIC_FCS_LEN];
    uint32_t matched;
    struct desc d;

    if (!hears(p) || len < 14 || len > TX_MAX)
        return true;
    frame = nic_pad(frame, &len, padded);
    matched = match(p, frame);
    if (!matched)
        return true;
    p->busy = true;
    load_desc(p, pcnet_rx_desc(p, p->rx_at), &d);
    p->busy = false;
    if (!(d.flags & D_OWN))
        return false; /* it waits; the ring is polled */
    d.flags &= D_OWN;
    memcpy(data, frame, len);
    stl_le(data + len, nic_fcs(frame, len));
    p->busy = true;
    spread(p, &d, data, stored_len(p, frame, len), matched);
    p->busy = false;
    pcnet_cause(p, STATUS_RINT);
    return true;
}

/* ---- sending ---- */

/* What one frame's descriptors say together. */
struct gathered {
    uint8_t data[TX_MAX];
    size_t len;
    uint32_t descs; /* how many */
    bool add_fcs;   /* of the first */
    bool complete;  /* ENP was seen */
};

static void gather(struct pcnet *p, struct desc *d, struct gathered *g)
{
    g->len = 0;
    g->descs = 0;
    g->complete = false;
    g->add_fcs = d->flags & TD_FCS;
    do {
        size_t here = MIN(d->room, sizeof(g->data) - g->len);

        fetch(p, d->addr, g->data + g->len, here);
        g->len += here;
        g->descs++;
        if (d->flags & D_ENP) {
            g->complete = true;
            return;
        }
        if (g->descs == MIN(pcnet_tx_len(p), RING_MAX))
            return;
        load_desc(p, pcnet_tx_desc(p, p->tx_at + g->descs), d);
    } while (d->flags & D_OWN);
}

/* Frames that the driver closed with an FCS of its own lose it, for networks have none. */
static size_t wire_len(const struct pcnet *p, const struct gathered *g)
{
    bool own_fcs = (p->csr[CSR_MODE] & MODE_NO_FCS) && !g->add_fcs;

    return own_fcs && g->len >= NIC_FCS_LEN ? g->len - NIC_FCS_LEN : g->len;
}

/* False: the network takes nothing now. */
static bool pass_on(struct pcnet *p, struct gathered *g)
{
    size_t len = wire_len(p, g), sent = len;
    bool taken = true;

    if (len + NIC_FCS_LEN > BABBLE)
        pcnet_cause(p, STATUS_BABL);
    if (len < NIC_FRAME_MIN && (p->csr[CSR_TEST] & TEST_APAD)) {
        memset(g->data + len, 0, NIC_FRAME_MIN - len);
        sent = NIC_FRAME_MIN;
    }
    if (len < 14)
        return true;
    /* an answer may come before this returns */
    p->busy = false;
    if (!(p->csr[CSR_MODE] & MODE_LOOP)) {
        taken = net_send(&p->port, g->data, sent);
    } else if (!pcnet_receive(p, g->data, sent)) {
        p->csr[CSR_MISSED]++;
        pcnet_cause(p, STATUS_MISS);
    }
    p->busy = true;
    return taken;
}

/* Gives the frame's descriptors back, the last with its status; whether that one asks for an
 * interrupt. */
static bool give_back(struct pcnet *p, uint32_t count, uint32_t faults)
{
    struct desc d = { 0 };

    for (uint32_t i = 0; i < count; i++) {
        load_desc(p, pcnet_tx_desc(p, p->tx_at), &d);
        d.flags &= ~(D_OWN | D_ERR);
        if (i + 1 == count) {
            d.flags |= faults ? D_ERR : 0;
            d.status = faults;
        }
        store_desc(p, &d, i + 1 == count);
        p->tx_at = (p->tx_at + 1) % pcnet_tx_len(p);
    }
    if (faults)
        return true;
    return !(p->csr[CSR_EXT] & EXT_TOKINTD) &&
           (!(p->csr[CSR_EXT] & EXT_LTINTEN) || (d.flags & TD_LINT));
}

static uint32_t carrier_fault(const struct pcnet *p)
{
    return nic_link(p->netdev) || (p->csr[CSR_MODE] & MODE_LOOP) ? 0 : TS_LCAR;
}

/* Takes one frame from the ring; false: none, or it has to wait. */
static bool send_next(struct pcnet *p)
{
    struct gathered g;
    struct desc d;

    load_desc(p, pcnet_tx_desc(p, p->tx_at), &d);
    if (!(d.flags & D_OWN))
        return false;
    if (!(d.flags & D_STP)) { /* the rest of something that was given up */
        give_back(p, 1, 0);
        return true;
    }
    gather(p, &d, &g);
    if (!g.complete) {
        give_back(p, g.descs, TS_BUFF | TS_UFLO);
        if (!(p->csr[CSR_MASK] & MASK_DXSUFLO))
            p->csr[CSR_STATUS] &= (uint16_t)~STATUS_TXON;
        pcnet_cause(p, STATUS_TINT);
        return true;
    }
    if (!pass_on(p, &g))
        return false; /* still the card's; writable() goes on */
    p->csr[CSR_TEST] |= TEST_TXSTRT;
    if (give_back(p, g.descs, carrier_fault(p)))
        pcnet_cause(p, STATUS_TINT);
    return true;
}

void pcnet_transmit(void *opaque)
{
    struct pcnet *p = opaque;

    if (!pci_bus_master(&p->pci) || p->busy)
        return;
    p->busy = true;
    /* once around at most: whoever gives descriptors back meanwhile is served by the next poll */
    for (uint32_t i = MIN(pcnet_tx_len(p), RING_MAX); i; i--)
        if (!(p->csr[CSR_STATUS] & STATUS_TXON) || (p->csr[CSR_EXT] & EXT_SPND) || !send_next(p))
            break;
    p->busy = false;
}
