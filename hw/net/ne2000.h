/* The DP8390 of NE2000 cards and its 32 KiB of memory, for a card on ISA and one on PCI. */
#ifndef HW_NET_NE2000_H
#define HW_NET_NE2000_H

#include <hw/core/machine.h>
#include <net/net.h>

#define NE2000_PORTS   32
#define NE2000_MEM_END 0xc000u /* 32 KiB from 0x4000; below are 32 bytes of address PROM */

struct ne2000 {
    struct mem_region io;
    struct net_port port;
    struct irq_line irq;
    struct netdev *netdev;
    struct mac_addr mac;

    uint8_t mem[NE2000_MEM_END];
    uint8_t cmd, start, stop, boundary, current; /* pages of 256 bytes */
    uint8_t tx_page, tx_status, rx_status, isr, imr;
    uint8_t rx_config, tx_config, data_config;
    uint8_t own[6], multicast[8];
    uint8_t tally[3]; /* alignment, CRC, missed */
    bool taken;       /* the boundary moved since receptions were acknowledged */
    uint16_t tx_count, dma_addr, dma_count;
};

/* What devices do with it, in realize and so on; `mac` and `netdev` are set. */
bool ne2000_init(struct ne2000 *n, struct device *dev, GError **err);
void ne2000_destroy(struct ne2000 *n);
void ne2000_reset(struct ne2000 *n);
extern const struct state_table ne2000_state;

#endif
