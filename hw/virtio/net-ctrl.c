/* Virtio network device: the control queue, and the filter it sets (virtio 1.2, 5.1.6.5). */
#include "net.h"

#include <string.h>
#include <base/bits.h>
#include <base/error.h>

#define CTRL_OK  0
#define CTRL_ERR 1

enum { CLASS_RX = 0, CLASS_MAC = 1, CLASS_VLAN = 2 };
enum { MAC_TABLE_SET = 0, MAC_ADDR_SET = 1 };
enum { VLAN_ADD = 0, VLAN_DEL = 1 };

#define ETH_P_VLAN 0x8100

void net_filter_reset(struct vnet *n)
{
    memset(&n->filter, 0, sizeof(n->filter));
    n->filter.promisc = true;
    /* until the driver says that it filters VLANs, all pass */
    memset(n->filter.vlans, 0xff, sizeof(n->filter.vlans));
}

static bool is_broadcast(const uint8_t *mac)
{
    static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    return memcmp(mac, all, sizeof(all)) == 0;
}

static bool listed(const uint8_t *macs, unsigned count, const uint8_t *mac)
{
    for (unsigned i = 0; i < count; i++)
        if (memcmp(macs + 6 * i, mac, 6) == 0)
            return true;
    return false;
}

static bool wants_vlan(const struct net_filter *f, const uint8_t *frame, size_t len)
{
    unsigned id;

    if (len < 16 || lduw_be(frame + 12) != ETH_P_VLAN)
        return true;
    id = lduw_be(frame + 14) & (NET_VLANS - 1);
    return f->vlans[id / 32] >> (id % 32) & 1;
}

bool net_filter_wants(const struct vnet *n, const uint8_t *frame, size_t len)
{
    const struct net_filter *f = &n->filter;

    if (len < 14)
        return false;
    if (!wants_vlan(f, frame, len))
        return false;
    if (f->promisc)
        return true;
    if (is_broadcast(frame))
        return !f->nobcast;
    if (frame[0] & 1)
        return !f->nomulti && (f->allmulti || f->multi_overflow ||
                               listed(f->macs + 6 * f->n_uni, f->n_multi, frame));
    return !f->nouni && (f->alluni || f->uni_overflow || memcmp(frame, n->v.config, 6) == 0 ||
                         listed(f->macs, f->n_uni, frame));
}

/* What is left of a command behind what was read so far. */
struct command {
    const struct virtq_elem *e;
    size_t at;
};

static bool take(struct command *c, void *buf, size_t len)
{
    if (iov_get(virtq_out(c->e), c->e->n_out, c->at, buf, len) != len)
        return false;
    c->at += len;
    return true;
}

static bool set_rx(struct vnet *n, unsigned cmd, struct command *c)
{
    struct net_filter *f = &n->filter;
    bool *const modes[] = { &f->promisc, &f->allmulti, &f->alluni,
                            &f->nomulti, &f->nouni,    &f->nobcast };
    uint8_t on;

    if (cmd >= ARRAY_LEN(modes) || !take(c, &on, 1))
        return false;
    if (cmd >= 2 && !virtio_has(&n->v, NET_F_CTRL_RX_EXTRA))
        return false;
    *modes[cmd] = on != 0;
    return true;
}

/* One list: a count, then addresses. Those that do not fit make the filter pass all. */
static bool take_macs(struct net_filter *f, unsigned room, struct command *c, uint8_t *count,
                      bool *overflow)
{
    uint8_t *to = f->macs + 6 * f->n_uni, n4[4];
    uint32_t n;

    if (!take(c, n4, 4))
        return false;
    n = ldl_le(n4);
    *overflow = n > room;
    *count = 0;
    if (c->e->out_len - c->at < (uint64_t)n * 6)
        return false;
    if (*overflow) {
        c->at += (size_t)n * 6;
        return true;
    }
    *count = (uint8_t)n;
    return take(c, to, (size_t)n * 6);
}

static bool set_mac(struct vnet *n, unsigned cmd, struct command *c)
{
    struct net_filter *f = &n->filter;
    uint8_t mac[6], uni;

    if (cmd == MAC_ADDR_SET) {
        if (!virtio_has(&n->v, NET_F_CTRL_MAC_ADDR) || !take(c, mac, sizeof(mac)))
            return false;
        memcpy(n->v.config, mac, sizeof(mac));
        return true;
    }
    if (cmd != MAC_TABLE_SET)
        return false;
    f->n_uni = f->n_multi = 0;
    if (!take_macs(f, NET_MACS_MAX, c, &uni, &f->uni_overflow))
        return false;
    f->n_uni = uni;
    return take_macs(f, NET_MACS_MAX - f->n_uni, c, &f->n_multi, &f->multi_overflow);
}

static bool set_vlan(struct vnet *n, unsigned cmd, struct command *c)
{
    uint8_t raw[2];
    unsigned id;

    if (cmd > VLAN_DEL || !take(c, raw, 2) || (id = lduw_le(raw)) >= NET_VLANS)
        return false;
    if (cmd == VLAN_ADD)
        n->filter.vlans[id / 32] |= 1u << (id % 32);
    else
        n->filter.vlans[id / 32] &= ~(1u << (id % 32));
    return true;
}

static bool run_command(struct vnet *n, const struct virtq_elem *e)
{
    struct command c = { .e = e };
    uint8_t head[2];

    if (!take(&c, head, 2))
        return false;
    switch (head[0]) {
    case CLASS_RX: return virtio_has(&n->v, NET_F_CTRL_RX) && set_rx(n, head[1], &c);
    case CLASS_MAC: return set_mac(n, head[1], &c);
    case CLASS_VLAN: return virtio_has(&n->v, NET_F_CTRL_VLAN) && set_vlan(n, head[1], &c);
    default: return false;
    }
}

void net_ctrl_kick(struct virtqueue *q)
{
    struct vnet *n = (struct vnet *)q->v;
    unsigned budget = q->num;
    struct virtq_elem e;

    while (budget-- && virtq_pop(q, &e)) {
        uint8_t ack;

        if (!e.in_len) {
            virtio_broken(&n->v, "a command without room for its answer");
            virtq_drop(&e);
            return;
        }
        ack = run_command(n, &e) ? CTRL_OK : CTRL_ERR;
        iov_put(virtq_in(&e), e.n_in, 0, &ack, 1);
        virtq_push(&e, 1);
    }
    virtq_notify(q);
    if (!virtq_kicks_on(q))
        virtio_kick(&n->v, q->index);
}

static bool filter_loaded(void *obj, unsigned version, GError **err)
{
    const struct net_filter *f = obj;

    (void)version;
    if (f->n_uni + f->n_multi <= NET_MACS_MAX)
        return true;
    return error_set(err, "saved state: virtio-net: %u addresses, there is room for %u",
                     f->n_uni + f->n_multi, NET_MACS_MAX);
}

static const struct state_field filter_fields[] = { STATE_BOOL(struct net_filter, promisc),
                                                    STATE_BOOL(struct net_filter, allmulti),
                                                    STATE_BOOL(struct net_filter, alluni),
                                                    STATE_BOOL(struct net_filter, nomulti),
                                                    STATE_BOOL(struct net_filter, nouni),
                                                    STATE_BOOL(struct net_filter, nobcast),
                                                    STATE_BOOL(struct net_filter, uni_overflow),
                                                    STATE_BOOL(struct net_filter, multi_overflow),
                                                    STATE_U8(struct net_filter, n_uni),
                                                    STATE_U8(struct net_filter, n_multi),
                                                    STATE_BUF(struct net_filter, macs),
                                                    STATE_ARRAY(struct net_filter, vlans),
                                                    STATE_END };
const struct state_table net_filter_state = {
    .name = "filter", .version = 1, .fields = filter_fields, .post_load = filter_loaded
};
