/* What network cards share; see nic.h. */
#include "nic.h"

#include <string.h>

bool nic_attach(struct device *dev, struct netdev *netdev, struct net_port *port,
                const struct net_port_ops *ops, void *opaque, struct mac_addr *mac, GError **err)
{
    static const struct mac_addr none;

    if (netdev && !netdev_attach(netdev, port, ops, opaque, dev->path, err))
        return false;
    if (memcmp(mac, &none, sizeof(none)) == 0)
        *mac = machine_next_mac(dev->machine);
    return true;
}

bool nic_link(const struct netdev *netdev)
{
    return !netdev || netdev_link(netdev);
}

/* Half a byte at a time: what the low four bits of the register add when they are shifted out. */
uint32_t nic_crc(const uint8_t *p, size_t len)
{
    static const uint32_t step[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
        0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = ~0u;

    for (size_t i = 0; i < len; i++) {
        crc = crc >> 4 ^ step[(crc ^ p[i]) & 15];
        crc = crc >> 4 ^ step[(crc ^ p[i] >> 4) & 15];
    }
    return crc;
}

unsigned nic_hash(const uint8_t *dest)
{
    uint32_t crc = nic_crc(dest, 6);
    unsigned hash = 0;

    for (unsigned i = 0; i < 6; i++)
        hash = hash << 1 | (crc >> i & 1);
    return hash;
}

bool nic_is_broadcast(const uint8_t *dest)
{
    static const uint8_t all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    return memcmp(dest, all, sizeof(all)) == 0;
}

const uint8_t *nic_pad(const uint8_t *frame, size_t *len, uint8_t room[NIC_FRAME_MIN])
{
    if (*len >= NIC_FRAME_MIN)
        return frame;
    memset(room, 0, NIC_FRAME_MIN);
    memcpy(room, frame, *len);
    *len = NIC_FRAME_MIN;
    return room;
}
