/* The 82540EM's EEPROM behind its wires and EERD, its PHY behind MDIC, and the link. */
#include "e1000.h"

#include <base/bits.h>

/* ---- EEPROM (SDM, 5) ---- */

#define EECD_SK      0x001u
#define EECD_CS      0x002u
#define EECD_DI      0x004u
#define EECD_DO      0x008u
#define EECD_REQ     0x040u
#define EECD_GNT     0x080u
#define EECD_PRESENT 0x100u

#define EERD_START 0x01u
#define EERD_DONE  0x10u

#define EEPROM_SUM 0xbabau /* of all words (SDM, 5.6.35) */

void e1000_eeprom_init(struct e1000 *e)
{
    static const uint16_t rest[EEPROM93_WORDS] = {
        [0x08] = 0xffff, [0x09] = 0xffff, /* no part number */
        [0x0a] = 0x4003,                  /* signature; the words below are taken */
        [0x0b] = 0x1100, [0x0c] = 0x1af4, [0x0d] = 0x100e, [0x0e] = 0x8086,
    };
    uint16_t sum = 0;

    memcpy(e->eeprom.word, rest, sizeof(rest));
    for (unsigned i = 0; i < 3; i++)
        e->eeprom.word[i] = lduw_le(e->mac.byte + 2 * i);
    for (unsigned i = 0; i < EEPROM93_WORDS - 1; i++)
        sum = (uint16_t)(sum + e->eeprom.word[i]);
    e->eeprom.word[EEPROM93_WORDS - 1] = (uint16_t)(EEPROM_SUM - sum);
}

void e1000_eecd_write(struct e1000 *e, uint32_t value)
{
    *e1000_at(e, E_EECD) = value & (EECD_SK | EECD_CS | EECD_DI | EECD_REQ);
    eeprom93_wires(&e->eeprom, value & EECD_CS, value & EECD_SK, value & EECD_DI);
}

uint32_t e1000_eecd_read(const struct e1000 *e)
{
    uint32_t v = e->reg[E_EECD / 4];

    return v | EECD_PRESENT | (v & EECD_REQ ? EECD_GNT : 0) | (e->eeprom.data ? EECD_DO : 0);
}

uint32_t e1000_eerd(const struct e1000 *e, uint32_t value)
{
    unsigned addr = value >> 8 & 0xff;

    if (!(value & EERD_START))
        return value & 0xff00;
    return (value & 0xff00) | EERD_DONE | (uint32_t)e->eeprom.word[addr % EEPROM93_WORDS] << 16;
}

/* ---- PHY (SDM, 8 and 13.5; IEEE 802.3, 22.2.4) ---- */

#define MDIC_READY 0x10000000u
#define MDIC_INT   0x20000000u
#define MDIC_ERROR 0x40000000u
#define PHY_ADDR   1

enum phy_reg {
    PHY_CONTROL = 0,
    PHY_STATUS = 1,
    PHY_ID1 = 2,
    PHY_ID2 = 3,
    PHY_ADVERTISE = 4,
    PHY_PARTNER = 5,
    PHY_EXPANSION = 6,
    PHY_NEXT_PAGE = 7,
    PHY_1000_CONTROL = 9,
    PHY_1000_STATUS = 10,
    PHY_EXT_STATUS = 15,
    PHY_SPECIFIC_CONTROL = 16,
    PHY_SPECIFIC_STATUS = 17,
    PHY_INT_STATUS = 19,
    PHY_EXT_CONTROL = 20,
    PHY_ERRORS = 21,
};

#define CONTROL_RESET     0x8000u
#define CONTROL_LOOP      0x4000u
#define CONTROL_NEGOTIATE 0x1000u
#define CONTROL_POWER_OFF 0x0800u
#define CONTROL_ISOLATE   0x0400u
#define CONTROL_RESTART   0x0200u

#define PHY_STATUS_LINK 0x0004u
#define PHY_STATUS_DONE 0x0020u

static const uint16_t phy_at_reset[32] = {
    [PHY_CONTROL] = 0x1140,      [PHY_STATUS] = 0x7949,     [PHY_ID1] = 0x0141,
    [PHY_ID2] = 0x0c20,          [PHY_ADVERTISE] = 0x0de1,  [PHY_NEXT_PAGE] = 0x2001,
    [PHY_1000_CONTROL] = 0x0e00, [PHY_EXT_STATUS] = 0x3000, [PHY_SPECIFIC_CONTROL] = 0x0068,
    [PHY_EXT_CONTROL] = 0x0d60,
};
#define PHY_READ_ONLY                                                                              \
    (BIT(PHY_STATUS) | BIT(PHY_ID1) | BIT(PHY_ID2) | BIT(PHY_PARTNER) | BIT(PHY_EXPANSION) |       \
     BIT(PHY_1000_STATUS) | BIT(PHY_EXT_STATUS) | BIT(PHY_SPECIFIC_STATUS) | BIT(PHY_INT_STATUS) | \
     BIT(PHY_ERRORS))

#define NEGOTIATION_NS (50 * NS_PER_MS)

bool e1000_phy_loops(const struct e1000 *e)
{
    return e->phy[PHY_CONTROL] & CONTROL_LOOP;
}

static bool has_link(const struct e1000 *e)
{
    if (e->phy[PHY_CONTROL] & (CONTROL_POWER_OFF | CONTROL_ISOLATE))
        return false;
    return !timer_pending(&e->link_timer) && (!e->netdev || netdev_link(e->netdev));
}

void e1000_link_update(struct e1000 *e)
{
    bool up = has_link(e), was = *e1000_at(e, E_STATUS) & STATUS_LINK_UP;
    bool negotiated = up && (e->phy[PHY_CONTROL] & CONTROL_NEGOTIATE);

    e->phy[PHY_STATUS] = (uint16_t)(phy_at_reset[PHY_STATUS] | (up ? PHY_STATUS_LINK : 0) |
                                    (negotiated ? PHY_STATUS_DONE : 0));
    e->phy[PHY_PARTNER] = negotiated ? 0x45e1 : 0;      /* all that 10 and 100 Mb/s have */
    e->phy[PHY_EXPANSION] = negotiated ? 0x0003 : 0;    /* and the partner negotiates */
    e->phy[PHY_1000_STATUS] = negotiated ? 0x3c00 : 0;  /* 1000 Mb/s, both receivers well */
    e->phy[PHY_SPECIFIC_STATUS] = up ? 0xac00 : 0x8000; /* 1000 Mb/s, full duplex, resolved */
    *e1000_at(e, E_STATUS) = STATUS_FULL_DUPLEX | STATUS_SPEED_1000 | (up ? STATUS_LINK_UP : 0);
    if (up != was)
        e1000_cause(e, INT_LSC);
}

void e1000_link_timer(void *opaque)
{
    e1000_link_update(opaque);
}

static void negotiate(struct e1000 *e)
{
    timer_mod_ns(&e->link_timer, clock_ns(device_loop(&e->pci.dev), CLK_VIRTUAL) + NEGOTIATION_NS);
    e1000_link_update(e);
}

void e1000_phy_reset(struct e1000 *e)
{
    memcpy(e->phy, phy_at_reset, sizeof(e->phy));
}

static void phy_write(struct e1000 *e, unsigned reg, uint16_t value)
{
    if (PHY_READ_ONLY >> reg & 1)
        return;
    e->phy[reg] = value;
    if (reg != PHY_CONTROL)
        return;
    if (value & CONTROL_RESET)
        e1000_phy_reset(e);
    e->phy[reg] &= (uint16_t) ~(CONTROL_RESET | CONTROL_RESTART);
    if ((value & CONTROL_RESET) || (value & CONTROL_RESTART && value & CONTROL_NEGOTIATE))
        negotiate(e);
    else
        e1000_link_update(e);
}

void e1000_mdic(struct e1000 *e, uint32_t value)
{
    unsigned op = value >> 26 & 3, reg = value >> 16 & 31;
    uint32_t answer = value & ~(MDIC_READY | MDIC_ERROR);

    if (value & MDIC_READY)
        return; /* the driver asks for nothing (SDM, 13.4.7) */
    if ((value >> 21 & 31) != PHY_ADDR || (op != 1 && op != 2))
        answer |= MDIC_ERROR;
    else if (op == 1)
        phy_write(e, reg, (uint16_t)value);
    else
        answer = (answer & 0xffff0000u) | e->phy[reg];
    *e1000_at(e, E_MDIC) = answer | MDIC_READY;
    if (value & MDIC_INT)
        e1000_cause(e, INT_MDAC);
}
