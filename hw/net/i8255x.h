/*
 * Inside of Intel's 8255x family of Fast Ethernet controllers: i8255x.c has what the CPU sees of
 * the registers, i8255x-command.c the command unit, i8255x-receive.c the receive unit,
 * i8255x-types.c the members of the family. All need the device lock. "OSDM" is Intel's "8255x
 * 10/100 Mbps Ethernet Controller Family Open Source Software Developer Manual".
 */
#ifndef HW_NET_I8255X_H
#define HW_NET_I8255X_H

#include "eeprom93.h"
#include "nic.h"

#include <hw/pci/pci.h>
#include <base/clock.h>

#define I8255X_REGS   64
#define I8255X_CONFIG 32
#define I8255X_PHYS   32

/* Registers (OSDM 6.3). */
enum i8255x_reg {
    SCB_STATUS = 0x00,
    SCB_ACK = 0x01,
    SCB_COMMAND = 0x02,
    SCB_MASK = 0x03,
    SCB_POINTER = 0x04,
    REG_PORT = 0x08,
    REG_EEPROM = 0x0e,
    REG_MDI = 0x10,
    REG_FLOW = 0x18, /* to REG_GCONTROL */
    REG_GCONTROL = 0x1c,
    REG_GSTATUS = 0x1d,
};

/* Causes of interrupts, in SCB_ACK. */
#define ACK_CX  0x80u /* a command with I is done */
#define ACK_FR  0x40u /* a frame was received */
#define ACK_CNA 0x20u /* the command unit left the active state */
#define ACK_RNR 0x10u /* the receive unit left the ready state */
#define ACK_MDI 0x08u
#define ACK_SWI 0x04u

enum cu_state { CU_IDLE = 0, CU_SUSPENDED = 1, CU_ACTIVE = 2 };
enum ru_state {
    RU_IDLE = 0,
    RU_SUSPENDED = 1,
    RU_NO_RESOURCES = 2,
    RU_READY = 4,
    RU_NO_RBDS = 10, /* no resources for lack of receive buffer descriptors */
};

/* Bits of commands and of receive frame descriptors that mean the same. */
#define CB_EL       0x8000u /* the list ends */
#define CB_S        0x4000u /* suspend behind this */
#define CB_I        0x2000u
#define CB_SF       0x0008u /* flexible mode */
#define CB_COMPLETE 0x8000u
#define CB_OK       0x2000u

/* Ends of lists in 14-bit counts. */
#define COUNT_EOF  0x8000u
#define COUNT_F    0x4000u
#define COUNT_MASK 0x3fffu

/* Counters of the statistics dump, in its order (OSDM 6.3.2.2). */
enum i8255x_counter { STAT_TX_GOOD = 0, STAT_RX_GOOD = 9, STAT_COUNT = 20 };

/* What makes members of the family differ. */
struct i8255x_info {
    struct pci_info pci;
    bool extended; /* 82558 and later: more counters, extended TCBs, power management */
};

struct i8255x {
    struct pci_device pci;
    struct mem_region mmio, io, flash;
    struct net_port port;
    struct timer more; /* goes on with the command list */
    struct eeprom93 eeprom;

    uint8_t reg[I8255X_REGS];
    uint8_t config[I8255X_CONFIG]; /* of the configure command */
    uint8_t own[6];
    uint64_t multicast; /* filter by hash */
    uint16_t phy[I8255X_PHYS];
    uint32_t stats[STAT_COUNT];
    uint32_t stats_addr;
    uint8_t cu, ru;             /* enum cu_state, enum ru_state */
    uint32_t cu_base, cu_block; /* current block: offset to base */
    uint32_t ru_base, ru_block;
    uint32_t rbd; /* next receive buffer descriptor */
    uint32_t hds; /* header data size */
    bool blocked; /* the network takes nothing now */
    bool busy;    /* DMA is going on: the card does not hear itself */

    /* properties */
    struct netdev *netdev;
    struct mac_addr mac;
};

static inline const struct i8255x_info *i8255x_info(const struct i8255x *s)
{
    return s->pci.dev.type->bus_info;
}

/* Adds causes of an interrupt. */
void i8255x_cause(struct i8255x *s, unsigned bits);
/* DMA of a few bytes or a frame. */
void i8255x_fetch(struct i8255x *s, uint32_t addr, void *buf, uint64_t len);
void i8255x_put(struct i8255x *s, uint32_t addr, const void *buf, uint64_t len);

/* i8255x-command.c */
void i8255x_cu_command(struct i8255x *s, unsigned command);
/* Goes on with an active list. */
void i8255x_cu_run(void *opaque);
void i8255x_writable(void *opaque);
void i8255x_default_config(struct i8255x *s);
/* The internal state, for the dump commands. */
void i8255x_dump(struct i8255x *s, uint32_t addr);

/* i8255x-receive.c */
void i8255x_ru_command(struct i8255x *s, unsigned command);
bool i8255x_receive(void *opaque, const uint8_t *frame, size_t len);

/* i8255x.c */
bool i8255x_realize(struct device *dev, GError **err);
void i8255x_unrealize(struct device *dev);
void i8255x_reset(struct device *dev);
extern const struct state_table i8255x_state;

#endif
