/* The RTL8139C+'s rings of descriptors, and its offloads: checksums, large sends, VLAN tags (data
 * sheet, section "C+ Mode"). */
#include "rtl8139.h"

#include <string.h>

#define DESC_LEN 16
/* A ring ends at its mark, or where the chip's counter does. */
#define RING_LEN (64u * DESC_LEN)
/* Frames at one go: both rings once around. */
#define BURST    128

/* Bits of a descriptor's first word. */
#define D_OWN     0x80000000u
#define D_EOR     0x40000000u
#define D_FS      0x20000000u
#define D_LS      0x10000000u
#define TD_LARGE  0x08000000u
#define TD_MSS(w) ((w) >> 16 & 0x7ff)
#define TD_IPCS   0x00040000u
#define TD_UDPCS  0x00020000u
#define TD_TCPCS  0x00010000u
#define RD_TCP    0x00010000u
#define RD_UDP    0x00020000u
#define RD_IP     0x00030000u
#define RD_SIZE   0x1fffu

/* Bits of the second. */
#define TD_TAG 0x00020000u
#define RD_TAG 0x00010000u

#define ETH_LEN   14
#define TYPE_IPV4 0x0800
#define TYPE_VLAN 0x8100
#define PROTO_TCP 6
#define PROTO_UDP 17
#define TCP_FIN   0x01u
#define TCP_PSH   0x08u

struct desc {
    uint64_t at, addr;
    uint32_t word, tag;
};

static void load_desc(struct rtl8139 *s, unsigned base, uint32_t offset, struct desc *d)
{
    uint8_t raw[DESC_LEN];

    d->at = (rtl_get32(s, base) | (uint64_t)rtl_get32(s, base + 4) << 32) + offset;
    rtl_dma(s, false, d->at, raw, sizeof(raw));
    d->word = ldl_le(raw);
    d->tag = ldl_le(raw + 4);
    d->addr = ldq_le(raw + 8);
}

static uint32_t next_desc(const struct desc *d, uint32_t offset)
{
    offset += DESC_LEN;
    return (d->word & D_EOR) || offset >= RING_LEN ? 0 : offset;
}

/* OWN goes with the first word: the rest is there before. */
static void store_desc(struct rtl8139 *s, const struct desc *d, bool with_tag)
{
    uint8_t raw[4];

    stl_le(raw, d->tag);
    if (with_tag)
        rtl_dma(s, true, d->at + 4, raw, 4);
    stl_le(raw, d->word);
    rtl_dma(s, true, d->at, raw, 4);
}

/* ---- receiving ---- */

/* What the host vouches for, and what the frame therefore may be said to be. */
static uint32_t protocol(const struct rtl8139 *s, const uint8_t *frame, size_t len)
{
    if (!rtl_cplus(s, CPCR_SUMS) || !net_checksums_valid(&s->port) || len < ETH_LEN + 20 ||
        lduw_be(frame + 12) != TYPE_IPV4)
        return 0;
    if (lduw_be(frame + 20) & 0x3fff) /* a fragment */
        return RD_IP;
    switch (frame[23]) {
    case PROTO_TCP: return RD_TCP;
    case PROTO_UDP: return RD_UDP;
    default: return RD_IP;
    }
}

static void count_received(struct rtl8139 *s, unsigned status)
{
    s->tally.rx_ok++;
    s->tally.rx_own += status & RX_OWN ? 1 : 0;
    s->tally.rx_broadcast += status & RX_BROADCAST ? 1 : 0;
    s->tally.rx_multicast += status & RX_MULTICAST ? 1 : 0;
}

/* Spreads the bytes over descriptors; false, and nothing is changed, where those do not do. */
static bool spread(struct rtl8139 *s, uint8_t *data, size_t len, uint32_t status, uint32_t tag)
{
    struct desc d[RING_LEN / DESC_LEN];
    uint32_t offset = s->rx_at;
    size_t room = 0, at = 0;
    unsigned n = 0;

    while (room < len) {
        if (n == ARRAY_LEN(d))
            return true; /* buffers this small get nothing */
        load_desc(s, RDSAR, offset, &d[n]);
        if (!(d[n].word & D_OWN))
            return false;
        room += d[n].word & RD_SIZE;
        offset = next_desc(&d[n++], offset);
    }
    s->rx_at = offset;
    for (unsigned i = 0; i < n; i++) {
        size_t here = MIN(len - at, d[i].word & RD_SIZE);

        rtl_dma(s, true, d[i].addr, data + at, here);
        at += here;
        d[i].tag = tag;
        d[i].word =
            (d[i].word & D_EOR) | status | (uint32_t)len | (i ? 0 : D_FS) | (i + 1 == n ? D_LS : 0);
        store_desc(s, &d[i], true);
    }
    return true;
}

bool rtl_cplus_receive(struct rtl8139 *s, unsigned status, const uint8_t *frame, size_t len)
{
    bool tagged = rtl_cplus(s, CPCR_VLAN) && lduw_be(frame + 12) == TYPE_VLAN;
    size_t head = tagged ? 12 : 0, skip = tagged ? 16 : 0;
    /* groups are told by the same bits as in the ring of old, eleven places up */
    uint32_t word = (status & (RX_BROADCAST | RX_OWN | RX_MULTICAST)) << 11;
    uint8_t data[RTL_FRAME_MAX + NIC_FCS_LEN];
    uint32_t tag = 0;

    memcpy(data, frame, head);
    memcpy(data + head, frame + skip, len - skip);
    if (tagged) /* in the frame's byte order */
        tag = RD_TAG | lduw_le(frame + 14);
    len -= skip - head;
    word |= protocol(s, data, len);
    stl_le(data + len, nic_fcs(data, len));
    if (!spread(s, data, len + NIC_FCS_LEN, word, tag)) {
        rtl_cause(s, INT_RX_NONE);
        rtl_plan_retry(s);
        return false;
    }
    count_received(s, status);
    rtl_cause(s, INT_RX);
    return true;
}

/* ---- checksums ---- */

static uint64_t sum_of(const uint8_t *p, size_t len)
{
    uint64_t sum = 0;

    for (; len >= 2; p += 2, len -= 2)
        sum += lduw_be(p);
    return len ? sum + ((uint64_t)*p << 8) : sum;
}

static uint16_t folded(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* An IPv4 packet behind the addresses of a frame. */
struct packet {
    uint8_t *ip, *body;
    size_t head, len; /* of the IP header; of what is behind it */
};

static bool find_packet(uint8_t *frame, size_t len, struct packet *p)
{
    size_t total;

    if (len < ETH_LEN + 20 || lduw_be(frame + 12) != TYPE_IPV4 || frame[ETH_LEN] >> 4 != 4)
        return false;
    p->ip = frame + ETH_LEN;
    p->head = (p->ip[0] & 15) * 4u;
    total = MIN(lduw_be(p->ip + 2), len - ETH_LEN);
    if (p->head < 20 || total < p->head)
        return false;
    p->body = p->ip + p->head;
    p->len = total - p->head;
    return true;
}

static void sum_ip(const struct packet *p)
{
    stw_be(p->ip + 10, 0);
    stw_be(p->ip + 10, folded(sum_of(p->ip, p->head)));
}

/* With the pseudo header, whatever the driver has put in the field. */
static void sum_body(const struct packet *p, unsigned proto, size_t field)
{
    uint16_t sum;

    if (p->len < field + 2)
        return;
    stw_be(p->body + field, 0);
    sum = folded(sum_of(p->ip + 12, 8) + proto + p->len + sum_of(p->body, p->len));
    /* zero would mean "none" in UDP */
    stw_be(p->body + field, sum || proto != PROTO_UDP ? sum : 0xffff);
}

static void add_sums(uint8_t *frame, size_t len, uint32_t word)
{
    struct packet p;

    if (!(word & (TD_IPCS | TD_UDPCS | TD_TCPCS)) || !find_packet(frame, len, &p))
        return;
    if (word & TD_IPCS)
        sum_ip(&p);
    if ((word & TD_TCPCS) && p.ip[9] == PROTO_TCP)
        sum_body(&p, PROTO_TCP, 16);
    else if ((word & TD_UDPCS) && p.ip[9] == PROTO_UDP)
        sum_body(&p, PROTO_UDP, 6);
}

/* ---- sending ---- */

/* What one frame's descriptors say together; `data` has room for a tag in front. */
struct gathered {
    uint8_t room[4];
    uint8_t data[NET_FRAME_MAX];
    size_t len;
    uint32_t word, tag; /* of the first */
};

/* Frames that the network does not take now wait in order; a large send makes many. */
static void pass_on(struct rtl8139 *s, const uint8_t *frame, size_t len)
{
    if (rtl_get32(s, TCR) & TCR_LOOPBACK)
        rtl_receive(s, frame, len);
    else if (!g_queue_is_empty(&s->waiting) || !net_send(&s->port, frame, len))
        g_queue_push_tail(&s->waiting, g_bytes_new(frame, len));
}

static bool flush_waiting(struct rtl8139 *s)
{
    GBytes *b;

    while ((b = g_queue_peek_head(&s->waiting))) {
        gsize len;
        const uint8_t *frame = g_bytes_get_data(b, &len);

        if (!net_send(&s->port, frame, len))
            return false;
        g_bytes_unref(g_queue_pop_head(&s->waiting));
    }
    return true;
}

/* One frame of at most Ethernet's size, with its tag. */
static void send_frame(struct rtl8139 *s, uint8_t *frame, size_t len, uint32_t tag)
{
    if (tag & TD_TAG) { /* `frame` has four bytes in front */
        memmove(frame - 4, frame, 12);
        frame -= 4;
        len += 4;
        stw_be(frame + 12, TYPE_VLAN);
        stw_le(frame + 14, (uint16_t)tag);
    }
    pass_on(s, frame, len);
}

/* A large send: the TCP stream behind the headers goes in pieces of at most the MSS. */
static void send_large(struct rtl8139 *s, struct gathered *g)
{
    size_t mss = TD_MSS(g->word), head, done = 0, all;
    uint8_t room[4 + 256 + 2048], *frame = room + 4;
    struct packet p;

    if (!mss || !find_packet(g->data, g->len, &p) || p.ip[9] != PROTO_TCP || p.len < 20)
        return;
    head = (size_t)(p.body - g->data) + (p.body[12] >> 4) * 4u;
    if (p.body[12] >> 4 < 5 || head > g->len || head + mss > sizeof(room) - 4)
        return;
    all = g->len - head;
    for (unsigned n = 0; done < all || !n; n++) {
        size_t here = MIN(mss, all - done);
        struct packet q;

        memcpy(frame, g->data, head);
        memcpy(frame + head, g->data + head + done, here);
        stw_be(frame + ETH_LEN + 2, (uint16_t)(head - ETH_LEN + here));
        stw_be(frame + ETH_LEN + 4, (uint16_t)(lduw_be(p.ip + 4) + n));
        if (!find_packet(frame, head + here, &q))
            return;
        stl_be(q.body + 4, ldl_be(p.body + 4) + (uint32_t)done);
        done += here;
        if (done < all)
            q.body[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
        sum_ip(&q);
        sum_body(&q, PROTO_TCP, 16);
        send_frame(s, frame, head + here, g->tag);
    }
}

/* Adds up one frame from the ring; how many descriptors, 0: there is no whole one. */
static unsigned gather(struct rtl8139 *s, unsigned base, uint32_t offset, struct gathered *g)
{
    struct desc d;

    g->len = 0;
    for (unsigned n = 1; n <= RING_LEN / DESC_LEN; n++) {
        size_t here;

        load_desc(s, base, offset, &d);
        if (!(d.word & D_OWN))
            return 0;
        if (n == 1) {
            g->word = d.word;
            g->tag = d.tag;
        }
        here = MIN(d.word & 0xffff, sizeof(g->data) - g->len);
        rtl_dma(s, false, d.addr, g->data + g->len, here);
        g->len += here;
        if (d.word & D_LS)
            return n;
        offset = next_desc(&d, offset);
    }
    return 0;
}

static void give_back(struct rtl8139 *s, unsigned base, uint32_t *offset, unsigned n)
{
    struct desc d;

    while (n--) {
        load_desc(s, base, *offset, &d);
        d.word &= D_EOR | D_FS | D_LS; /* no fault */
        store_desc(s, &d, false);
        *offset = next_desc(&d, *offset);
    }
}

static bool send_next(struct rtl8139 *s, unsigned ring)
{
    unsigned base = ring ? THPDS : TNPDS, n;
    struct gathered g;

    n = gather(s, base, s->tx_at[ring], &g);
    if (!n)
        return false;
    if (g.len < ETH_LEN) {
        ; /* nothing that a network could carry */
    } else if (g.word & TD_LARGE) {
        send_large(s, &g);
    } else {
        add_sums(g.data, g.len, g.word);
        send_frame(s, g.data, g.len, g.tag);
    }
    s->tally.tx_ok++;
    give_back(s, base, &s->tx_at[ring], n);
    rtl_cause(s, INT_TX);
    return true;
}

void rtl_cplus_transmit(struct rtl8139 *s)
{
    unsigned n = 0;

    if (!flush_waiting(s))
        return;
    while (n < BURST && g_queue_is_empty(&s->waiting) && (send_next(s, 1) || send_next(s, 0)))
        n++;
    if (n && n < BURST)
        rtl_cause(s, INT_TX_NONE);
}

/* ---- counters ---- */

/* Bit 3 of the address asks for them, and goes when they are there. */
void rtl_cplus_dump_tally(struct rtl8139 *s)
{
    const struct rtl_tally *t = &s->tally;
    uint8_t out[64] = { 0 };

    if (!(s->reg[DTCCR] & 8))
        return;
    stq_le(out, t->tx_ok);
    stq_le(out + 8, t->rx_ok);
    stq_le(out + 40, t->rx_own);
    stq_le(out + 48, t->rx_broadcast);
    stl_le(out + 56, t->rx_multicast);
    rtl_dma(s, true, (rtl_get32(s, DTCCR) & ~63u) | (uint64_t)rtl_get32(s, DTCCR + 4) << 32, out,
            sizeof(out));
    s->reg[DTCCR] &= (uint8_t)~8;
}

void rtl_cplus_reset(struct rtl8139 *s)
{
    g_queue_clear_full(&s->waiting, (GDestroyNotify)g_bytes_unref);
    timer_del(&s->retry);
    memset(&s->tally, 0, sizeof(s->tally));
    s->rx_at = s->tx_at[0] = s->tx_at[1] = 0;
}

static const struct state_field tally_fields[] = {
    STATE_U64(struct rtl_tally, tx_ok),        STATE_U64(struct rtl_tally, rx_ok),
    STATE_U64(struct rtl_tally, rx_own),       STATE_U64(struct rtl_tally, rx_broadcast),
    STATE_U32(struct rtl_tally, rx_multicast), STATE_END
};
const struct state_table rtl_tally_state = { .name = "rtl8139-tally",
                                             .version = 1,
                                             .fields = tally_fields };
