/* What network cards share: address, sums of Ethernet, filters. */
#ifndef HW_NET_NIC_H
#define HW_NET_NIC_H

#include <hw/core/machine.h>
#include <net/net.h>

/* Shortest and longest frame of plain Ethernet, and what follows each; bytes. */
#define NIC_FRAME_MIN 60
#define NIC_FRAME_MAX 1514
#define NIC_FCS_LEN   4

/* Rows for the property tables; `field` leads to members netdev and mac. */
#define NIC_PROPS(type, netdev_field, mac_field)                \
    PROP_NETDEV(type, netdev_field, "netdev", "id of -netdev"), \
        PROP_MAC(type, mac_field, "mac", "address; by default the machine's next")

/* In realize: the machine's next address where the user gave none; and the cable, whose callbacks
 * get `opaque`. */
bool nic_attach(struct device *dev, struct netdev *netdev, struct net_port *port,
                const struct net_port_ops *ops, void *opaque, struct mac_addr *mac, GError **err);
/* Whether the cable leads anywhere; a card without one shows a link, too. */
bool nic_link(const struct netdev *netdev);

/* CRC-32 of Ethernet as it is shifted, first bit lowest, not inverted. */
uint32_t nic_crc(const uint8_t *p, size_t len);
/* The four bytes behind a frame, as a little-endian number. */
static inline uint32_t nic_fcs(const uint8_t *frame, size_t len)
{
    return ~nic_crc(frame, len);
}

/* The hash of group addresses in filters of 64 bits: the CRC's top six bits as the DP8390 numbers
 * them, the last one shifted in lowest. */
unsigned nic_hash(const uint8_t *dest);
bool nic_is_broadcast(const uint8_t *dest);

/* The frame, or where it is shorter than Ethernet's, a padded copy in `room`; *len is corrected. */
const uint8_t *nic_pad(const uint8_t *frame, size_t *len, uint8_t room[NIC_FRAME_MIN]);

#endif
