/*
 * The 82540EM's transmit ring (SDM, 3.3 to 3.5): legacy and extended descriptors, checksums, TCP
 * segmentation, VLAN tags. Bursts are bounded; a timer goes on with what is left.
 */
#include "e1000.h"

#include <base/bits.h>
#include <base/error.h>
#include <base/log.h>

#define BURST_DESCS  512 /* in one go, */
#define BURST_FRAMES 512 /* and segments */
#define MSS_MIN      32  /* smaller ones would only cost time */

/* Bits of the command byte; what bits 2 and 3 mean depends on the kind. */
#define CMD_EOP  0x01u
#define CMD_IFCS 0x02u
#define CMD_IC   0x04u /* legacy */
#define CMD_TSE  0x04u /* extended */
#define CMD_RS   0x08u
#define CMD_RPS  0x10u
#define CMD_DEXT 0x20u
#define CMD_VLE  0x40u

#define CONTEXT_TCP 0x01u
#define CONTEXT_IP4 0x02u

#define OPTION_IP 0x01u
#define OPTION_TU 0x02u

#define STATUS_DONE 0x01u
#define FCS_LEN     4
#define MIN_LEN     60
#define TCP_FINAL   0x09u /* FIN and PSH: only the last segment has them */

struct desc {
    uint64_t addr;
    uint32_t len;
    uint8_t command, kind, options;
    uint8_t sum_start, sum_at; /* legacy */
    uint16_t tag;
};

uint16_t e1000_sum(const uint8_t *p, size_t len)
{
    uint64_t sum = 0;

    for (; len >= 4; p += 4, len -= 4)
        sum += ldl_be(p);
    if (len >= 2)
        sum += lduw_be(p);
    if (len & 1)
        sum += (uint64_t)p[len & 2] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* ---- frames ---- */

/* Puts the sum of [start, end) at `at`; nonsense changes nothing. */
static void insert_sum(uint8_t *frame, size_t len, size_t start, size_t at, size_t last)
{
    size_t end = last && last < len ? last + 1 : len;

    if (start >= end || at + 2 > len)
        return;
    stw_be(frame + at, (uint16_t)~e1000_sum(frame + start, end - start));
}

static void send_bytes(struct e1000 *e, const uint8_t *frame, size_t len)
{
    e1000_count(e, true, frame, len);
    if (e1000_phy_loops(e) || *e1000_at(e, E_RCTL) & RCTL_LBM) {
        e1000_receive(e, frame, len);
        return;
    }
    if (!(*e1000_at(e, E_STATUS) & STATUS_LINK_UP))
        return;
    if (e->tx.blocked || !net_send(&e->port, frame, len)) {
        e->tx.blocked = true;
        g_queue_push_tail(&e->tx.waiting, g_bytes_new(frame, len));
    }
}

/* Tags and pads what is complete. */
static void send_frame(struct e1000 *e, const uint8_t *frame, size_t len)
{
    uint8_t buf[NET_FRAME_MAX];
    size_t tag = e->tx.tagged ? 4 : 0, total = len + tag;

    if (len < 14 || total > sizeof(buf))
        return;
    if (!tag && len >= MIN_LEN) {
        send_bytes(e, frame, len);
        return;
    }
    memcpy(buf, frame, 12);
    if (tag) {
        stw_be(buf + 12, (uint16_t)*e1000_at(e, E_VET));
        stw_be(buf + 14, e->tx.tag);
    }
    memcpy(buf + 12 + tag, frame + 12, len - 12);
    if (total < MIN_LEN && (*e1000_at(e, E_TCTL) & TCTL_PSP)) {
        memset(buf + total, 0, MIN_LEN - total);
        total = MIN_LEN;
    }
    send_bytes(e, buf, total);
}

static void insert_sums(struct e1000_tx *t, const struct e1000_context *c)
{
    if (t->options & OPTION_TU)
        insert_sum(t->frame, t->len, c->tu_start, c->tu_at, c->tu_end);
    if (t->options & OPTION_IP)
        insert_sum(t->frame, t->len, c->ip_start, c->ip_at, c->ip_end);
}

/* ---- segmentation (SDM, 3.5) ---- */

static void add16(uint8_t *frame, size_t len, size_t at, uint32_t value)
{
    if (at + 2 <= len)
        stw_be(frame + at, (uint16_t)(lduw_be(frame + at) + value));
}

static void set16(uint8_t *frame, size_t len, size_t at, size_t value)
{
    if (at + 2 <= len)
        stw_be(frame + at, (uint16_t)value);
}

/* The driver's sum of the pseudo header lacks the length (SDM, 3.5.7). */
static void add_length_to_sum(struct e1000_tx *t, const struct e1000_context *c)
{
    uint32_t sum;

    if (c->tu_at + 2u > t->len || c->tu_start >= t->len)
        return;
    sum = lduw_be(t->frame + c->tu_at) + (t->len - c->tu_start);
    stw_be(t->frame + c->tu_at, (uint16_t)((sum & 0xffff) + (sum >> 16)));
}

/* Makes the headers those of this segment. */
static void fix_headers(struct e1000_tx *t, const struct e1000_context *c, bool last)
{
    uint8_t *f = t->frame;
    size_t len = t->len, ip = c->ip_start, tu = c->tu_start;

    if (c->command & CONTEXT_IP4) {
        set16(f, len, ip + 2, len > ip ? len - ip : 0);
        add16(f, len, ip + 4, t->segments);
    } else {
        set16(f, len, ip + 4, len > ip + 40 ? len - ip - 40 : 0);
    }
    if (!(c->command & CONTEXT_TCP)) {
        set16(f, len, tu + 4, len > tu ? len - tu : 0);
    } else if (tu + 14 <= len) {
        stl_be(f + tu + 4, ldl_be(f + tu + 4) + t->done);
        if (!last)
            f[tu + 13] &= (uint8_t)~TCP_FINAL;
    }
    add_length_to_sum(t, c);
}

static void send_segment(struct e1000 *e, bool last)
{
    struct e1000_tx *t = &e->tx;
    const struct e1000_context *c = &t->context[1];
    uint32_t payload = t->len - c->header;

    memcpy(t->header, t->frame, c->header);
    fix_headers(t, c, last);
    insert_sums(t, c);
    send_frame(e, t->frame, t->len);
    memcpy(t->frame, t->header, c->header);
    t->len = c->header;
    t->done += payload;
    t->segments++;
}

static uint32_t segment_size(const struct e1000_context *c)
{
    uint32_t mss = MAX(c->mss, MSS_MIN);

    return MIN(mss, NET_FRAME_MAX - c->header - 4u);
}

static void fetch(struct e1000 *e, uint64_t addr, uint32_t len)
{
    e->busy = true;
    space_read(&e->pci.dev.machine->memory, addr, e->tx.frame + e->tx.len, len, pci_attrs(&e->pci));
    e->busy = false;
    e->tx.len += len;
}

static void add_segmented(struct e1000 *e, uint64_t addr, uint32_t len)
{
    struct e1000_tx *t = &e->tx;
    const struct e1000_context *c = &t->context[1];

    while (len) {
        uint32_t want = t->len < c->header ? c->header : c->header + segment_size(c), n;

        /* one that is full goes when there is more, so that the last one is known to be it */
        if (t->len >= want) {
            send_segment(e, false);
            continue;
        }
        n = MIN(len, want - t->len);
        fetch(e, addr, n);
        addr += n;
        len -= n;
    }
}

/* ---- descriptors ---- */

static struct desc parse(const uint8_t *raw)
{
    uint32_t low = ldl_le(raw + 8), high = ldl_le(raw + 12);
    struct desc d = { .addr = ldq_le(raw),
                      .command = (uint8_t)(low >> 24),
                      .tag = (uint16_t)(high >> 16) };

    if (d.command & CMD_DEXT) {
        d.len = low & 0xfffff;
        d.kind = low >> 20 & 15;
        d.options = (uint8_t)(high >> 8);
    } else {
        d.len = low & 0xffff;
        d.sum_at = (uint8_t)(low >> 16);
        d.sum_start = (uint8_t)(high >> 8);
    }
    return d;
}

static void take_context(struct e1000 *e, const uint8_t *raw)
{
    uint32_t low = ldl_le(raw + 8);
    bool segments = low >> 24 & CMD_TSE;
    struct e1000_context *c = &e->tx.context[segments];

    /* a frame that is under way keeps the headers it began with */
    if (e->tx.begun && e->tx.segmenting == segments) {
        log_guest_error("e1000: a context in the middle of a frame\n");
        return;
    }
    *c = (struct e1000_context){
        .ip_start = raw[0],
        .ip_at = raw[1],
        .ip_end = lduw_le(raw + 2),
        .tu_start = raw[4],
        .tu_at = raw[5],
        .tu_end = lduw_le(raw + 6),
        .payload = low & 0xfffff,
        .command = (uint8_t)(low >> 24),
        .header = raw[13],
        .mss = lduw_le(raw + 14),
    };
    if (segments)
        e1000_count_one(e, E_TSCTC);
}

static void begin_frame(struct e1000 *e, const struct desc *d)
{
    struct e1000_tx *t = &e->tx;

    t->begun = true;
    t->segmenting = (d->command & CMD_DEXT) && (d->command & CMD_TSE);
    t->options = d->options;
    t->len = t->done = t->segments = 0;
    t->tagged = t->bad = false;
}

static void end_frame(struct e1000 *e, const struct desc *d)
{
    struct e1000_tx *t = &e->tx;

    t->begun = false;
    if ((d->command & CMD_VLE) && (*e1000_at(e, E_CTRL) & CTRL_VME)) {
        t->tagged = true;
        t->tag = d->tag;
    }
    if (t->bad)
        return;
    if (t->segmenting) {
        if (t->len > t->context[1].header || (!t->done && t->len == t->context[1].header))
            send_segment(e, true);
        return;
    }
    if (!(d->command & CMD_IFCS))
        t->len -= MIN(t->len, FCS_LEN); /* the driver's own; none is kept here */
    if (d->command & CMD_DEXT)
        insert_sums(t, &t->context[0]);
    else if (d->command & CMD_IC)
        insert_sum(t->frame, t->len, d->sum_start, d->sum_at, 0);
    send_frame(e, t->frame, t->len);
}

static void take_data(struct e1000 *e, const struct desc *d)
{
    struct e1000_tx *t = &e->tx;

    if (!t->begun)
        begin_frame(e, d);
    if (t->segmenting && (d->command & CMD_VLE) && (*e1000_at(e, E_CTRL) & CTRL_VME)) {
        t->tagged = true; /* of every segment, those before the last descriptor too */
        t->tag = d->tag;
    }
    if (t->segmenting)
        add_segmented(e, d->addr, d->len);
    else if (d->len > NET_FRAME_MAX - t->len)
        t->bad = true;
    else
        fetch(e, d->addr, d->len);
    if (d->command & CMD_EOP)
        end_frame(e, d);
}

static uint64_t ring_base(struct e1000 *e)
{
    return (uint64_t)*e1000_at(e, E_TDBAH) << 32 | *e1000_at(e, E_TDBAL);
}

/* One descriptor; the causes of its write-back. */
static uint32_t do_descriptor(struct e1000 *e, uint64_t at)
{
    struct address_space *as = &e->pci.dev.machine->memory;
    uint8_t raw[E1000_DESC_LEN];
    struct desc d;

    e->busy = true;
    space_read(as, at, raw, sizeof(raw), pci_attrs(&e->pci));
    e->busy = false;
    d = parse(raw);
    if ((d.command & CMD_DEXT) && d.kind == 0)
        take_context(e, raw);
    else if (!(d.command & CMD_DEXT) || d.kind == 1)
        take_data(e, &d);
    else
        log_guest_error("e1000: transmit descriptor of kind %u\n", d.kind);
    if (!(d.command & (CMD_RS | CMD_RPS)))
        return 0;
    raw[12] |= STATUS_DONE;
    e->busy = true;
    space_write(as, at + 12, raw + 12, 1, pci_attrs(&e->pci));
    e->busy = false;
    return INT_TXDW;
}

static bool may_send(struct e1000 *e)
{
    return (*e1000_at(e, E_TCTL) & TCTL_EN) && pci_bus_master(&e->pci) && !e->tx.blocked &&
           !e->busy;
}

void e1000_transmit(void *opaque)
{
    struct e1000 *e = opaque;
    uint32_t n = *e1000_at(e, E_TDLEN) / E1000_DESC_LEN, tail = *e1000_at(e, E_TDT);
    uint32_t *head = e1000_at(e, E_TDH), causes = 0, frames = *e1000_at(e, E_TPT);
    unsigned budget = BURST_DESCS;

    if (!may_send(e) || *head == tail)
        return;
    if (*head >= n || tail >= n) {
        log_guest_error("e1000: transmit head %u or tail %u is not in the ring of %u\n", *head,
                        tail, n);
        return;
    }
    while (*head != tail && !e->tx.blocked && budget &&
           *e1000_at(e, E_TPT) - frames < BURST_FRAMES) {
        causes |= do_descriptor(e, ring_base(e) + (uint64_t)*head * E1000_DESC_LEN);
        *head = *head + 1 == n ? 0 : *head + 1;
        budget--;
    }
    if (*head != tail && !e->tx.blocked)
        timer_mod_ns(&e->more, clock_ns(device_loop(&e->pci.dev), CLK_VIRTUAL));
    e1000_cause(e, causes | (*head == tail ? INT_TXQE : 0));
}

void e1000_writable(void *opaque)
{
    struct e1000 *e = opaque;
    GBytes *b;

    e->tx.blocked = false;
    while ((b = g_queue_pop_head(&e->tx.waiting))) {
        gsize len;
        const uint8_t *frame = g_bytes_get_data(b, &len);

        if (!net_send(&e->port, frame, len)) {
            g_queue_push_head(&e->tx.waiting, b);
            e->tx.blocked = true;
            return;
        }
        g_bytes_unref(b);
    }
    timer_mod_ns(&e->more, clock_ns(device_loop(&e->pci.dev), CLK_VIRTUAL));
}

void e1000_transmit_reset(struct e1000 *e)
{
    g_queue_clear_full(&e->tx.waiting, (GDestroyNotify)g_bytes_unref);
    memset(&e->tx, 0, sizeof(e->tx));
    g_queue_init(&e->tx.waiting);
    e->tx.frame = e->tx_frame;
}

static const struct state_field context_fields[] = { STATE_U8(struct e1000_context, ip_start),
                                                     STATE_U8(struct e1000_context, ip_at),
                                                     STATE_U8(struct e1000_context, tu_start),
                                                     STATE_U8(struct e1000_context, tu_at),
                                                     STATE_U16(struct e1000_context, ip_end),
                                                     STATE_U16(struct e1000_context, tu_end),
                                                     STATE_U32(struct e1000_context, payload),
                                                     STATE_U8(struct e1000_context, header),
                                                     STATE_U8(struct e1000_context, command),
                                                     STATE_U16(struct e1000_context, mss),
                                                     STATE_END };
static const struct state_table context_state = { .name = "e1000-context",
                                                  .version = 1,
                                                  .fields = context_fields };

static bool tx_loaded(void *obj, unsigned version, GError **err)
{
    struct e1000_tx *t = obj;

    (void)version;
    /* frames that waited are lost, as on a wire */
    g_queue_clear_full(&t->waiting, (GDestroyNotify)g_bytes_unref);
    t->blocked = false;
    if (t->len > NET_FRAME_MAX ||
        (t->segmenting && t->len > t->context[1].header + segment_size(&t->context[1])) ||
        (t->segmenting && t->segments && t->len < t->context[1].header))
        return error_set(err, "e1000: a frame of %u bytes", t->len);
    return true;
}

static const struct state_field tx_fields[] = { STATE_STRUCT_ARRAY(struct e1000_tx, context,
                                                                   context_state),
                                                STATE_U32(struct e1000_tx, len),
                                                STATE_U32(struct e1000_tx, done),
                                                STATE_U32(struct e1000_tx, segments),
                                                STATE_U16(struct e1000_tx, tag),
                                                STATE_U8(struct e1000_tx, options),
                                                STATE_BOOL(struct e1000_tx, begun),
                                                STATE_BOOL(struct e1000_tx, segmenting),
                                                STATE_BOOL(struct e1000_tx, tagged),
                                                STATE_BOOL(struct e1000_tx, bad),
                                                STATE_END };
const struct state_table e1000_tx_state = {
    .name = "e1000-tx", .version = 1, .fields = tx_fields, .post_load = tx_loaded
};
