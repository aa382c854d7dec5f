/*
 * Inside of the RTL8139C+ (its data sheet): rtl8139.c has registers and the four transmit
 * descriptors and the receive ring of the RTL8139, rtl8139-cplus.c the rings of descriptors that
 * the C+ has besides. All need the device lock.
 */
#ifndef HW_NET_RTL8139_H
#define HW_NET_RTL8139_H

#include "eeprom93.h"
#include "nic.h"

#include <hw/pci/pci.h>
#include <base/bits.h>
#include <base/clock.h>

#define RTL_WINDOW 256u

/* Registers by offset. */
enum rtl_reg {
    IDR = 0x00,
    MAR = 0x08,
    TSD = 0x10,  /* four each */
    DTCCR = TSD, /* of the C+: where counters are dumped */
    TSAD = 0x20,
    TNPDS = TSAD, /* of the C+: rings of normal and high priority */
    THPDS = 0x28,
    RBSTART = 0x30,
    CR = 0x37,
    CAPR = 0x38,
    CBR = 0x3a,
    IMR = 0x3c,
    ISR = 0x3e,
    TCR = 0x40,
    RCR = 0x44,
    TCTR = 0x48,
    MPC = 0x4c,
    EECR = 0x50,
    CONFIG1 = 0x52,
    TIMER_INT = 0x54,
    MSR = 0x58,
    CONFIG3 = 0x59,
    CONFIG4 = 0x5a,
    MULINT = 0x5c,
    TSAD_STATUS = 0x60,
    BMCR = 0x62,
    BMSR = 0x64,
    ANAR = 0x66,
    ANLPAR = 0x68,
    ANER = 0x6a,
    CONFIG5 = 0xd8,
    TPPOLL = 0xd9,
    CPCR = 0xe0,
    RDSAR = 0xe4,
    ETTHR = 0xec,
};

#define CR_RESET 0x10u
#define CR_RX    0x08u
#define CR_TX    0x04u
#define CR_EMPTY 0x01u

#define INT_RX      0x0001u
#define INT_TX      0x0004u
#define INT_RX_NONE 0x0010u /* no descriptor is there */
#define INT_LINK    0x0020u
#define INT_TX_NONE 0x0080u
#define INT_SOFT    0x0100u
#define INT_TIMEOUT 0x4000u

#define TSD_OWN 0x2000u
#define TSD_OK  0x8000u

#define TCR_LOOPBACK 0x00060000u
#define TCR_CHIP     0x74000000u /* RTL8139C */
#define TCR_CPLUS    0x00800000u /* and the C+ */

#define CPCR_TX   0x01u
#define CPCR_RX   0x02u
#define CPCR_SUMS 0x20u /* of received frames are checked */
#define CPCR_VLAN 0x40u /* tags of received frames are taken out */

#define TPPOLL_HIGH   0x80u
#define TPPOLL_NORMAL 0x40u
#define TPPOLL_INT    0x01u

#define RCR_ALL       0x01u
#define RCR_OWN       0x02u
#define RCR_MULTICAST 0x04u
#define RCR_BROADCAST 0x08u
#define RCR_NO_WRAP   0x80u

#define RX_OK        0x0001u
#define RX_BROADCAST 0x2000u
#define RX_OWN       0x4000u
#define RX_MULTICAST 0x8000u

#define EECR_UNLOCKED 0xc0u
#define RTL_FRAME_MAX 1792

/* Counters of the C+, as they are dumped. */
struct rtl_tally {
    uint64_t tx_ok, rx_ok, rx_own, rx_broadcast;
    uint32_t rx_multicast;
};

struct rtl8139 {
    struct pci_device pci;
    struct mem_region io, mmio;
    struct net_port port;
    struct timer timer; /* TimerInt */
    struct timer retry; /* looks for room for a frame that waits */
    struct eeprom93 eeprom;
    uint8_t reg[RTL_WINDOW];
    int64_t timer_base;       /* when TCTR was 0 */
    uint8_t next;             /* transmit descriptor whose turn it is */
    uint32_t rx_at, tx_at[2]; /* C+: bytes from a ring's base; normal and high priority */
    struct rtl_tally tally;
    GQueue waiting; /* C+: of GBytes: frames that the network did not take */
    bool busy;      /* DMA is going on: the card does not hear itself */

    /* properties */
    struct netdev *netdev;
    struct mac_addr mac;
    bool cplus;
};

static inline uint32_t rtl_get32(const struct rtl8139 *s, unsigned reg)
{
    return ldl_le(s->reg + reg);
}

static inline uint16_t rtl_get16(const struct rtl8139 *s, unsigned reg)
{
    return lduw_le(s->reg + reg);
}

static inline bool rtl_cplus(const struct rtl8139 *s, unsigned bit)
{
    return s->reg[CPCR] & bit;
}

/* Adds causes of an interrupt. */
void rtl_cause(struct rtl8139 *s, unsigned bits);
void rtl_dma(struct rtl8139 *s, bool to_guest, uint64_t addr, void *buf, uint64_t len);
/* A frame that went out and comes back in the loop, or one from the network. */
bool rtl_receive(void *opaque, const uint8_t *frame, size_t len);

/* A frame was refused: there may be room soon. */
void rtl_plan_retry(struct rtl8139 *s);

/* rtl8139-cplus.c */
/* Stores a frame that passed the filter with `status`; false: there is no descriptor for it now. */
bool rtl_cplus_receive(struct rtl8139 *s, unsigned status, const uint8_t *frame, size_t len);
/* Sends what waits, then what both rings have. */
void rtl_cplus_transmit(struct rtl8139 *s);
void rtl_cplus_reset(struct rtl8139 *s);
void rtl_cplus_dump_tally(struct rtl8139 *s);
extern const struct state_table rtl_tally_state;

#endif
