/* The virtio network device: what its files share. */
#ifndef HW_VIRTIO_NET_H
#define HW_VIRTIO_NET_H

#include <hw/virtio/virtio.h>
#include <net/net.h>

enum { /* 5.1.3 */
       NET_F_CSUM = 0,
       NET_F_GUEST_CSUM = 1,
       NET_F_MTU = 3,
       NET_F_MAC = 5,
       NET_F_MRG_RXBUF = 15,
       NET_F_STATUS = 16,
       NET_F_CTRL_VQ = 17,
       NET_F_CTRL_RX = 18,
       NET_F_CTRL_VLAN = 19,
       NET_F_CTRL_RX_EXTRA = 20,
       NET_F_CTRL_MAC_ADDR = 23,
};

#define NET_MACS_MAX 64
#define NET_VLANS    4096

/* Which frames the driver wants (5.1.6.5.1 to 5.1.6.5.3). */
struct net_filter {
    bool promisc, allmulti, alluni, nomulti, nouni, nobcast;
    bool uni_overflow, multi_overflow; /* the driver named more than fit: take all */
    uint8_t n_uni, n_multi;
    uint8_t macs[NET_MACS_MAX * 6]; /* n_uni, then n_multi */
    uint32_t vlans[NET_VLANS / 32];
};

struct vnet {
    struct virtio v;
    struct net_port port;
    struct virtqueue *rx, *tx, *ctrl;
    struct net_filter filter;
    bool tx_blocked; /* the network takes nothing now */

    struct netdev *netdev;
    struct mac_addr mac;
    bool mrg_rxbuf, csum, guest_csum, status, ctrl_vq, ctrl_rx, ctrl_vlan, ctrl_rx_extra,
        ctrl_mac_addr;
    uint16_t mtu, rx_size, tx_size;
};

/* Frames of the last reset's default: all. */
void net_filter_reset(struct vnet *n);
bool net_filter_wants(const struct vnet *n, const uint8_t *frame, size_t len);
extern const struct state_table net_filter_state;

/* The control queue. */
void net_ctrl_kick(struct virtqueue *q);

#endif
