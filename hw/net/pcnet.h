/*
 * Inside of the AMD Am79C970A, the PCnet-PCI II: pcnet.c has registers and life, pcnet-ring.c what
 * the card reads and writes in memory. All need the device lock. Sections are those of AMD's data
 * sheet (19436).
 */
#ifndef HW_NET_PCNET_H
#define HW_NET_PCNET_H

#include "nic.h"

#include <hw/pci/pci.h>
#include <base/clock.h>

#define PCNET_PORTS 32
#define PCNET_CSRS  128
#define PCNET_BCRS  40
#define PCNET_PHYS  32 /* registers of the PHY */

/* Control and status registers by number; those of two words have the low one first. */
enum pcnet_csr {
    CSR_STATUS = 0,
    CSR_IADR = 1,
    CSR_MASK = 3,
    CSR_TEST = 4,
    CSR_EXT = 5,
    CSR_LENGTHS = 6,
    CSR_LADRF = 8,
    CSR_PADR = 12,
    CSR_MODE = 15,
    CSR_IADR_AGAIN = 16,
    CSR_BADR = 24,
    CSR_NRDA = 26,
    CSR_CRDA = 28,
    CSR_BADX = 30,
    CSR_NXDA = 32,
    CSR_CXDA = 34,
    CSR_POLL_INT = 47,
    CSR_STYLE = 58,
    CSR_RCVRC = 72,
    CSR_XMTRC = 74,
    CSR_RCVRL = 76,
    CSR_XMTRL = 78,
    CSR_CHIP = 88,
    CSR_MISSED = 112,
};

#define STATUS_INIT 0x0001u
#define STATUS_STRT 0x0002u
#define STATUS_STOP 0x0004u
#define STATUS_TDMD 0x0008u
#define STATUS_TXON 0x0010u
#define STATUS_RXON 0x0020u
#define STATUS_IENA 0x0040u
#define STATUS_INTR 0x0080u
#define STATUS_IDON 0x0100u
#define STATUS_TINT 0x0200u
#define STATUS_RINT 0x0400u
#define STATUS_MERR 0x0800u
#define STATUS_MISS 0x1000u
#define STATUS_CERR 0x2000u
#define STATUS_BABL 0x4000u
#define STATUS_ERR  0x8000u

#define MASK_DXSUFLO 0x0040u

#define TEST_APAD    0x0800u /* transmitted frames are padded */
#define TEST_STRIP   0x0400u /* pads of received ones are taken off */
#define TEST_NO_POLL 0x1000u
#define TEST_MFCO    0x0200u
#define TEST_UINTCMD 0x0080u
#define TEST_UINT    0x0040u
#define TEST_RCVCCO  0x0020u
#define TEST_TXSTRT  0x0008u
#define TEST_JAB     0x0002u
#define TEST_EVENTS  (TEST_MFCO | TEST_UINT | TEST_RCVCCO | TEST_TXSTRT | TEST_JAB)

#define EXT_TOKINTD 0x8000u /* no interrupt for what was sent without fault */
#define EXT_LTINTEN 0x4000u /* interrupts where the descriptor says so */
#define EXT_SPND    0x0001u

#define MODE_PROM     0x8000u
#define MODE_NO_BROAD 0x4000u
#define MODE_NO_OWN   0x2000u
#define MODE_NO_FCS   0x0008u
#define MODE_LOOP     0x0004u
#define MODE_NO_TX    0x0002u
#define MODE_NO_RX    0x0001u

#define BCR_BUS       18
#define BCR_BUS_DWIO  0x0080u
#define BCR_STYLE     20
#define BCR_STYLE_32  0x0100u
#define BCR_STYLE_CSR 0x0200u
#define BCR_MII_ADDR  33
#define BCR_MII_DATA  34

struct pcnet {
    struct pci_device pci;
    struct mem_region io, mmio;
    struct net_port port;
    struct timer poll; /* looks at the rings */

    uint16_t csr[PCNET_CSRS], bcr[PCNET_BCRS], phy[PCNET_PHYS];
    uint8_t prom[16];
    uint8_t rap;           /* chooses the register */
    uint32_t rx_at, tx_at; /* descriptor whose turn it is */
    bool busy;             /* DMA is going on: the card does not hear itself */

    /* properties */
    struct netdev *netdev;
    struct mac_addr mac;
};

/* Adds causes to CSR0. */
void pcnet_cause(struct pcnet *p, unsigned bits);
/* The interrupt line as the registers say. */
void pcnet_update_irq(struct pcnet *p);

static inline uint32_t pcnet_pair(const struct pcnet *p, unsigned csr)
{
    return p->csr[csr] | (uint32_t)p->csr[csr + 1] << 16;
}

/* pcnet-ring.c */
/* Reads the initialization block (section "Initialization Block"). */
void pcnet_init_block(struct pcnet *p);
/* STRT: rings begin at their bases. */
void pcnet_rings_start(struct pcnet *p);
/* Sends what there is to send. */
void pcnet_transmit(void *opaque);
bool pcnet_receive(void *opaque, const uint8_t *frame, size_t len);
/* Where descriptor `n` of a ring lies; n wraps. */
uint32_t pcnet_rx_desc(const struct pcnet *p, uint32_t n);
uint32_t pcnet_tx_desc(const struct pcnet *p, uint32_t n);
uint32_t pcnet_rx_len(const struct pcnet *p);
uint32_t pcnet_tx_len(const struct pcnet *p);

#endif
