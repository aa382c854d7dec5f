/*
 * Inside of the Intel 82540EM: registers.c has what the CPU sees of them, transmit.c and receive.c
 * the two rings, serial.c the EEPROM and the PHY. All need the device lock. "SDM" is Intel's
 * "PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual".
 */
#ifndef HW_NET_E1000_H
#define HW_NET_E1000_H

#include "eeprom93.h"
#include "nic.h"

#include <hw/pci/pci.h>
#include <base/clock.h>

/* Registers (SDM, 13.2), by offset. */
enum e1000_reg {
    E_CTRL = 0x0000,
    E_CTRL_DUP = 0x0004,
    E_STATUS = 0x0008,
    E_EECD = 0x0010,
    E_EERD = 0x0014,
    E_CTRL_EXT = 0x0018,
    E_MDIC = 0x0020,
    E_FCAL = 0x0028,
    E_FCT = 0x0030,
    E_VET = 0x0038,
    E_ICR = 0x00c0,
    E_ITR = 0x00c4,
    E_ICS = 0x00c8,
    E_IMS = 0x00d0,
    E_IMC = 0x00d8,
    E_RCTL = 0x0100,
    E_FCTTV = 0x0170,
    E_TXCW = 0x0178,
    E_RXCW = 0x0180,
    E_TCTL = 0x0400,
    E_TIPG = 0x0410,
    E_AIT = 0x0458,
    E_LEDCTL = 0x0e00,
    E_PBA = 0x1000,
    E_FCRTL = 0x2160,
    E_FCRTH = 0x2168,
    E_RDFH = 0x2410,
    E_RDFPC = 0x2430,
    E_RDBAL = 0x2800,
    E_RDBAH = 0x2804,
    E_RDLEN = 0x2808,
    E_RDH = 0x2810,
    E_RDT = 0x2818,
    E_RDTR = 0x2820,
    E_RXDCTL = 0x2828,
    E_RADV = 0x282c,
    E_RSRPD = 0x2c00,
    E_TXDMAC = 0x3000,
    E_TDFH = 0x3410,
    E_TDFPC = 0x3430,
    E_TDBAL = 0x3800,
    E_TDBAH = 0x3804,
    E_TDLEN = 0x3808,
    E_TDH = 0x3810,
    E_TDT = 0x3818,
    E_TIDV = 0x3820,
    E_TXDCTL = 0x3828,
    E_TADV = 0x382c,
    E_TSPMT = 0x3830,
    E_STATS = 0x4000, /* up to E_STATS_END: counters that reading clears */
    E_PRC64 = 0x405c,
    E_GPRC = 0x4074,
    E_BPRC = 0x4078,
    E_MPRC = 0x407c,
    E_GPTC = 0x4080,
    E_GORCL = 0x4088,
    E_GOTCL = 0x4090,
    E_RUC = 0x40a4,
    E_ROC = 0x40ac,
    E_TORL = 0x40c0,
    E_TOTL = 0x40c8,
    E_TPR = 0x40d0,
    E_TPT = 0x40d4,
    E_PTC64 = 0x40d8,
    E_MPTC = 0x40f0,
    E_BPTC = 0x40f4,
    E_TSCTC = 0x40f8,
    E_STATS_END = 0x40fc,
    E_RXCSUM = 0x5000,
    E_MTA = 0x5200,
    E_RAL = 0x5400, /* 16 pairs */
    E_RAH = 0x5404,
    E_VFTA = 0x5600,
    E_WUC = 0x5800,
    E_WUPL = 0x5900,
    E_WUPM = 0x5a00,
    E_FFLT = 0x5f00,
    E_REGS_END = 0x6000,
};

#define CTRL_RST     0x04000000u
#define CTRL_VME     0x40000000u
#define CTRL_PHY_RST 0x80000000u

#define STATUS_FULL_DUPLEX 0x001u
#define STATUS_LINK_UP     0x002u
#define STATUS_SPEED_1000  0x280u /* and as detected by the MAC */

/* Causes of interrupts (SDM, 13.4.17). */
#define INT_TXDW   0x0001u
#define INT_TXQE   0x0002u
#define INT_LSC    0x0004u
#define INT_RXDMT0 0x0010u
#define INT_RXT0   0x0080u
#define INT_MDAC   0x0200u
#define INT_ALL    0x1ffffu

#define RCTL_EN    0x00000002u
#define RCTL_UPE   0x00000008u
#define RCTL_MPE   0x00000010u
#define RCTL_LPE   0x00000020u
#define RCTL_LBM   0x000000c0u
#define RCTL_BAM   0x00008000u
#define RCTL_VFE   0x00040000u
#define RCTL_CFIEN 0x00080000u
#define RCTL_CFI   0x00100000u
#define RCTL_BSEX  0x02000000u
#define RCTL_SECRC 0x04000000u

#define TCTL_EN  0x2u
#define TCTL_PSP 0x8u

#define RAH_VALID 0x80000000u

#define E1000_DESC_LEN 16

/* A context of offloads, as the driver described it (SDM, 3.3.6). */
struct e1000_context {
    uint8_t ip_start, ip_at, tu_start, tu_at; /* where sums begin and go, bytes */
    uint16_t ip_end, tu_end;                  /* last byte, 0: the frame's */
    uint32_t payload;                         /* bytes behind the headers */
    uint8_t header, command;
    uint16_t mss;
};

/* The frame that descriptors are adding up to. */
struct e1000_tx {
    struct e1000_context context[2]; /* for single frames, and for segmentation */
    uint8_t *frame;                  /* tx_frame below */
    uint8_t header[256];             /* of each segment, as the driver gave it */
    uint32_t len;                    /* in frame */
    uint32_t done;                   /* payload bytes that earlier segments took */
    uint32_t segments;               /* sent so far */
    uint16_t tag;
    uint8_t options;                /* POPTS of the first descriptor */
    bool begun, segmenting, tagged; /* decided by the first descriptor */
    bool bad;                       /* too long: dropped at its end */
    bool blocked;                   /* the network takes nothing now */
    GQueue waiting;                 /* of GBytes: frames that it did not take */
};

struct e1000 {
    struct pci_device pci;
    struct mem_region mmio, io;
    struct net_port port;
    struct timer link_timer; /* negotiation ends */
    struct timer throttle;   /* no interrupt before (ITR) */
    struct timer more;       /* goes on with a ring after a burst */

    uint32_t reg[E_REGS_END / 4];
    uint16_t phy[32];
    struct eeprom93 eeprom;
    struct e1000_tx tx;
    uint8_t tx_frame[NET_FRAME_MAX];
    uint32_t io_addr; /* register behind IODATA */
    bool irq;         /* level of the interrupt line */
    bool busy;        /* DMA is going on: the card does not hear itself */

    /* properties */
    struct netdev *netdev;
    struct mac_addr mac;
};

static inline uint32_t *e1000_at(struct e1000 *e, unsigned reg)
{
    return &e->reg[reg / 4];
}

/* Adds causes of an interrupt. */
void e1000_cause(struct e1000 *e, uint32_t causes);
/* Counts a frame (without FCS) in the registers of one direction. */
void e1000_count(struct e1000 *e, bool sent, const uint8_t *frame, size_t len);
void e1000_count_one(struct e1000 *e, unsigned reg);

/* serial.c */
void e1000_eeprom_init(struct e1000 *e);
uint32_t e1000_eecd_read(const struct e1000 *e);
void e1000_eecd_write(struct e1000 *e, uint32_t value);
uint32_t e1000_eerd(const struct e1000 *e, uint32_t value);
void e1000_mdic(struct e1000 *e, uint32_t value);
void e1000_phy_reset(struct e1000 *e);
/* Brings PHY and STATUS to what the cable says. */
void e1000_link_update(struct e1000 *e);
void e1000_link_timer(void *opaque);
bool e1000_phy_loops(const struct e1000 *e);

/* transmit.c */
void e1000_transmit(void *opaque);
void e1000_transmit_reset(struct e1000 *e);
/* The network takes frames again. */
void e1000_writable(void *opaque);
extern const struct state_table e1000_tx_state;

/* receive.c */
/* False: there are no buffers for it now. */
bool e1000_receive(void *opaque, const uint8_t *frame, size_t len);

/* Ones' complement sum of the bytes, folded, not inverted. */
uint16_t e1000_sum(const uint8_t *p, size_t len);

#endif
