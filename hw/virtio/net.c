/* Virtio network device (virtio 1.2, 5.1): one pair of queues and a control queue. */
#include "net.h"

#include <string.h>
#include <base/bits.h>
#include <base/error.h>
#include <hw/backend/iothread.h>
#include <hw/virtio/types.h>

/* Header of each frame (5.1.6). */
enum { H_FLAGS = 0, H_CSUM_START = 6, H_CSUM_OFFSET = 8, H_NUM_BUFFERS = 10, H_MAX = 12 };
#define H_NEEDS_CSUM 1
#define H_DATA_VALID 2

enum { C_MAC = 0, C_STATUS = 6, C_MTU = 10, C_LEN = 12 };
#define STATUS_LINK_UP 1

#define TX_BURST 256
#define RX_PARTS 64 /* buffers that one frame may take */

static struct vnet *vnet_of(struct virtio *v)
{
    return (struct vnet *)v;
}

static uint64_t net_features(const struct virtio *v)
{
    const struct vnet *n = (const struct vnet *)v;
    bool ctrl = n->ctrl_vq;

    return BIT(NET_F_MAC) | (n->mrg_rxbuf ? BIT(NET_F_MRG_RXBUF) : 0) |
           (n->csum ? BIT(NET_F_CSUM) : 0) | (n->guest_csum ? BIT(NET_F_GUEST_CSUM) : 0) |
           (n->status ? BIT(NET_F_STATUS) : 0) | (n->mtu ? BIT(NET_F_MTU) : 0) |
           (ctrl ? BIT(NET_F_CTRL_VQ) : 0) | (ctrl && n->ctrl_rx ? BIT(NET_F_CTRL_RX) : 0) |
           (ctrl && n->ctrl_vlan ? BIT(NET_F_CTRL_VLAN) : 0) |
           (ctrl && n->ctrl_rx_extra ? BIT(NET_F_CTRL_RX_EXTRA) : 0) |
           (ctrl && n->ctrl_mac_addr ? BIT(NET_F_CTRL_MAC_ADDR) : 0);
}

/* 5.1.6.1: for legacy drivers num_buffers is there only where it can be other than 1. */
static size_t header_len(const struct vnet *n)
{
    return virtio_modern(&n->v) || virtio_has(&n->v, NET_F_MRG_RXBUF) ? H_MAX : H_NUM_BUFFERS;
}

/* ---- to the guest ---- */

/* Takes buffers for `len` bytes; how many, or 0 when there are not enough now. */
static unsigned take_buffers(struct vnet *n, struct virtq_elem *parts, size_t len)
{
    unsigned limit = virtio_has(&n->v, NET_F_MRG_RXBUF) ? RX_PARTS : 1, count = 0;
    uint64_t room = 0;

    while (room < len && count < limit) {
        if (!virtq_pop(n->rx, &parts[count])) {
            while (count)
                virtq_unpop(&parts[--count]);
            return 0;
        }
        room += parts[count++].in_len;
    }
    return count;
}

/* Spreads header and frame over buffers; what does not fit is cut and counts as lost. */
static void fill_buffers(struct vnet *n, struct virtq_elem *parts, unsigned count,
                         const uint8_t *frame, size_t len)
{
    uint8_t header[H_MAX] = { 0 };
    size_t done = 0;

    if (virtio_has(&n->v, NET_F_GUEST_CSUM) && net_checksums_valid(&n->port))
        header[H_FLAGS] = H_DATA_VALID;
    stw_le(header + H_NUM_BUFFERS, (uint16_t)count);
    for (unsigned i = 0; i < count; i++) {
        struct virtq_elem *e = &parts[i];
        size_t head = i ? 0 : iov_put(virtq_in(e), e->n_in, 0, header, header_len(n));
        size_t body = iov_put(virtq_in(e), e->n_in, head, frame + done, len - done);

        done += body;
        virtq_fill(e, head + body);
    }
    virtq_flush(n->rx);
    virtq_notify(n->rx);
}

/* Asks to be told of new buffers; whether there were some after all. */
static bool wait_for_buffers(struct vnet *n)
{
    return !virtq_kicks_on(n->rx);
}

static bool net_receive(void *opaque, const uint8_t *frame, size_t len)
{
    struct vnet *n = opaque;
    struct virtq_elem parts[RX_PARTS];
    unsigned count;

    if (n->v.held) /* frames wait while the machine is stopped */
        return false;
    /* a card that is not set up hears nothing */
    if (!virtq_ready(n->rx) || !net_filter_wants(n, frame, len))
        return true;
    count = take_buffers(n, parts, len + header_len(n));
    if (!count && !n->v.broken && wait_for_buffers(n))
        count = take_buffers(n, parts, len + header_len(n));
    if (!count)
        return n->v.broken;
    virtq_kicks_off(n->rx);
    fill_buffers(n, parts, count, frame, len);
    return true;
}

static void rx_kick(struct virtqueue *q)
{
    net_accept(&vnet_of(q->v)->port);
}

/* ---- from the guest ---- */

static uint16_t checksum(const uint8_t *p, size_t len)
{
    uint64_t sum = 0;

    for (; len >= 2; p += 2, len -= 2)
        sum += lduw_be(p);
    if (len)
        sum += (uint64_t)*p << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* 5.1.6.2.1: the driver left the sum of the pseudo header in the field. False: it lies outside. */
static bool finish_checksum(uint8_t *frame, size_t len, const uint8_t *header)
{
    size_t start = lduw_le(header + H_CSUM_START), at = start + lduw_le(header + H_CSUM_OFFSET);
    uint16_t sum;

    if (start >= len || at + 2 > len)
        return false;
    sum = checksum(frame + start, len - start);
    stw_be(frame + at, sum ? sum : 0xffff); /* zero would mean "none" in UDP */
    return true;
}

/* False: the network takes nothing now. */
static bool send_frame(struct vnet *n, const struct virtq_elem *e)
{
    uint8_t header[H_MAX], frame[NET_FRAME_MAX];
    size_t head = header_len(n), len;

    if (iov_get(virtq_out(e), e->n_out, 0, header, head) != head) {
        virtio_broken(&n->v, "a frame without header");
        return true;
    }
    len = iov_get(virtq_out(e), e->n_out, head, frame, sizeof(frame));
    if (len < 14 || e->out_len - head > sizeof(frame))
        return true;
    if ((header[H_FLAGS] & H_NEEDS_CSUM) && !finish_checksum(frame, len, header))
        return true;
    return net_send(&n->port, frame, len);
}

static void send_frames(struct vnet *n)
{
    struct virtqueue *q = n->tx;
    unsigned budget = TX_BURST;
    struct virtq_elem e;

    do {
        virtq_kicks_off(q);
        while (budget && virtq_pop(q, &e)) {
            budget--;
            if (!send_frame(n, &e)) {
                n->tx_blocked = true;
                virtq_unpop(&e);
                break;
            }
            virtq_push(&e, 0);
        }
        virtq_notify(q);
        if (n->tx_blocked)
            return;
        if (!budget) {
            virtio_kick(&n->v, q->index);
            return;
        }
    } while (!virtq_kicks_on(q));
}

static void tx_kick(struct virtqueue *q)
{
    struct vnet *n = vnet_of(q->v);

    if (!n->tx_blocked)
        send_frames(n);
}

static void net_writable(void *opaque)
{
    struct vnet *n = opaque;

    n->tx_blocked = false;
    virtio_kick(&n->v, n->tx->index);
}

static void net_link_changed(void *opaque, bool up)
{
    struct vnet *n = opaque;

    stw_le(n->v.config + C_STATUS, up ? STATUS_LINK_UP : 0);
    virtio_config_changed(&n->v);
}

static const struct net_port_ops net_ops = {
    .receive = net_receive,
    .writable = net_writable,
    .link_changed = net_link_changed,
};

/* ---- life ---- */

static bool is_pow2_between(unsigned n, unsigned low, unsigned high)
{
    return is_pow2(n) && n >= low && n <= high;
}

static bool net_realize(struct virtio *v, GError **err)
{
    static const struct mac_addr none;
    struct vnet *n = vnet_of(v);

    if (!is_pow2_between(n->rx_size, 64, VIRTQ_SIZE_MAX) ||
        !is_pow2_between(n->tx_size, 64, VIRTQ_SIZE_MAX))
        return error_set(err, "%s: rx_queue_size and tx_queue_size are powers of two, 64 to %u",
                         v->dev.type->name, VIRTQ_SIZE_MAX);
    if (n->netdev && !netdev_attach(n->netdev, &n->port, &net_ops, n, v->dev.path, err))
        return false;
    if (memcmp(&n->mac, &none, sizeof(none)) == 0)
        n->mac = machine_next_mac(v->dev.machine);
    n->rx = virtio_add_queue(v, n->rx_size, rx_kick);
    n->tx = virtio_add_queue(v, n->tx_size, tx_kick);
    if (n->ctrl_vq)
        n->ctrl = virtio_add_queue(v, 64, net_ctrl_kick);
    v->config_len = C_LEN;
    memcpy(v->config + C_MAC, &n->mac, sizeof(n->mac));
    stw_le(v->config + C_STATUS, !n->netdev || netdev_link(n->netdev) ? STATUS_LINK_UP : 0);
    stw_le(v->config + C_STATUS + 2, 1); /* pairs of queues */
    stw_le(v->config + C_MTU, n->mtu);
    net_filter_reset(n);
    net_set_io(&n->port, v->io);
    return true;
}

static void net_unrealize(struct virtio *v)
{
    net_detach(&vnet_of(v)->port);
}

static void net_reset(struct virtio *v)
{
    struct vnet *n = vnet_of(v);

    memcpy(v->config + C_MAC, &n->mac, sizeof(n->mac));
    n->tx_blocked = false;
    net_filter_reset(n);
}

static void net_queue_reset(struct virtio *v, struct virtqueue *q)
{
    struct vnet *n = vnet_of(v);

    if (q == n->tx)
        n->tx_blocked = false;
}

/* A driver that filters VLANs adds those that it wants (5.1.6.5.3). */
static void net_start(struct virtio *v)
{
    struct vnet *n = vnet_of(v);

    if (virtio_has(v, NET_F_CTRL_VLAN))
        memset(n->filter.vlans, 0, sizeof(n->filter.vlans));
}

/* 5.1.4.1: legacy drivers set the address by writing it. */
static void net_set_config(struct virtio *v, unsigned offset, unsigned size, uint32_t value)
{
    if (!virtio_modern(v) && offset + size <= C_STATUS)
        stn_le(v->config + offset, size, value);
}

static const struct virtio_class net_class = {
    .name = "virtio-net",
    .id = VIRTIO_ID_NET,
    .features = net_features,
    .realize = net_realize,
    .unrealize = net_unrealize,
    .reset = net_reset,
    .queue_reset = net_queue_reset,
    .start = net_start,
    .set_config = net_set_config,
    .vectors = 4,
    .holds_still = true,
};

static const struct state_field net_fields[] = {
    VIRTIO_STATE(struct vnet), STATE_STRUCT(struct vnet, filter, net_filter_state), STATE_END
};
static const struct state_table net_state = { .name = "virtio-net",
                                              .version = 1,
                                              .fields = net_fields };

#define NET_PROPS                                                                                 \
    PROP_NETDEV(struct vnet, netdev, "netdev", "id of -netdev"),                                  \
        PROP_OBJECT(struct vnet, v.iothread, "iothread", "where frames come and go", IOTHREAD),   \
        PROP_MAC(struct vnet, mac, "mac", "address; by default the machine's next"),              \
        PROP_BOOL(struct vnet, mrg_rxbuf, "mrg_rxbuf", true, "frames over several buffers"),      \
        PROP_BOOL(struct vnet, csum, "csum", true, "checksums of sent frames are made here"),     \
        PROP_BOOL(struct vnet, guest_csum, "guest_csum", true, "checksums need no second check"), \
        PROP_BOOL(struct vnet, status, "status", true, "tell of the link"),                       \
        PROP_BOOL(struct vnet, ctrl_vq, "ctrl_vq", true, "control queue"),                        \
        PROP_BOOL(struct vnet, ctrl_rx, "ctrl_rx", true, "receive modes"),                        \
        PROP_BOOL(struct vnet, ctrl_vlan, "ctrl_vlan", true, "VLAN filter"),                      \
        PROP_BOOL(struct vnet, ctrl_rx_extra, "ctrl_rx_extra", true, "more receive modes"),       \
        PROP_BOOL(struct vnet, ctrl_mac_addr, "ctrl_mac_addr", true,                              \
                  "the guest sets the address"),                                                  \
        PROP_U16(struct vnet, mtu, "host_mtu", 0, "MTU for the guest, 0: its own", .max = 65535), \
        PROP_U16(struct vnet, rx_size, "rx_queue_size", 256, "entries"),                          \
        PROP_U16(struct vnet, tx_size, "tx_queue_size", 256, "entries")

VIRTIO_DEVICE_TYPES(net, struct vnet, "virtio-net", net_class, VIRTIO_ID_NET, 0x02, 0x00, NET_PROPS,
                    net_state, "network card", "network")
