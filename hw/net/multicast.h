/* The hash of group addresses in filters of 64 bits: top six bits of their Ethernet CRC. */
#ifndef HW_NET_MULTICAST_H
#define HW_NET_MULTICAST_H

#include <stdbool.h>
#include <stdint.h>

static inline unsigned multicast_hash(const uint8_t *addr)
{
    uint32_t crc = ~0u;

    for (unsigned i = 0; i < 6; i++)
        for (unsigned b = 0; b < 8; b++) {
            bool feed = (crc >> 31) ^ (addr[i] >> b & 1);

            crc = crc << 1 ^ (feed ? 0x04c11db7u : 0);
        }
    return crc >> 26;
}

#endif
