/*
 * Intel 8255x: registers, interrupts, EEPROM, PHY, the PORT commands. The members of the family
 * are in i8255x-types.c.
 */
#include "i8255x.h"

#include <base/bits.h>
#include <base/log.h>

#define MMIO_SIZE  0x1000u
#define IO_SIZE    I8255X_REGS
#define FLASH_SIZE 0x20000u

#define MASK_ALL 0x01u
#define MASK_SI  0x02u

#define EE_CLOCK  0x1u
#define EE_SELECT 0x2u
#define EE_IN     0x4u
#define EE_OUT    0x8u

#define MDI_READY  0x10000000u
#define MDI_IE     0x20000000u
#define PHY_ADDR   1
#define PHY_NUMBER 1 /* in the EEPROM: an 82555 at that address is 4701h */

enum { PORT_RESET = 0, PORT_SELF_TEST = 1, PORT_SELECTIVE = 2, PORT_DUMP = 3 };

/* ---- interrupts (OSDM 6.3.1) ---- */

static void update_irq(struct i8255x *s)
{
    /* causes have masks at the same bits, but for MDI (a bit of its own there) and SWI */
    unsigned open = s->reg[SCB_ACK] & ~(s->reg[SCB_MASK] & (ACK_CX | ACK_FR | ACK_CNA | ACK_RNR));

    pci_set_intx(&s->pci, open && !(s->reg[SCB_MASK] & MASK_ALL));
}

void i8255x_cause(struct i8255x *s, unsigned bits)
{
    s->reg[SCB_ACK] |= (uint8_t)bits;
    update_irq(s);
}

void i8255x_fetch(struct i8255x *s, uint32_t addr, void *buf, uint64_t len)
{
    s->busy = true;
    space_read(&s->pci.dev.machine->memory, addr, buf, len, pci_attrs(&s->pci));
    s->busy = false;
}

void i8255x_put(struct i8255x *s, uint32_t addr, const void *buf, uint64_t len)
{
    s->busy = true;
    space_write(&s->pci.dev.machine->memory, addr, buf, len, pci_attrs(&s->pci));
    s->busy = false;
}

/* ---- EEPROM (OSDM 6.3.4 and appendix) ---- */

static void fill_eeprom(struct i8255x *s)
{
    uint16_t *w = s->eeprom.word, sum = 0;

    for (unsigned i = 0; i < 3; i++)
        w[i] = lduw_le(s->mac.byte + 2 * i);
    w[5] = 0x0201;
    w[6] = 0x4700 | PHY_NUMBER; /* an 82555 */
    w[10] = 0x4000;             /* it is one, by this signature */
    w[11] = 0x1100;
    w[12] = 0x1af4;
    for (unsigned i = 0; i + 1 < EEPROM93_WORDS; i++)
        sum = (uint16_t)(sum + w[i]);
    w[EEPROM93_WORDS - 1] = (uint16_t)(0xbaba - sum);
}

static void write_eeprom(struct i8255x *s)
{
    unsigned v = s->reg[REG_EEPROM];

    eeprom93_wires(&s->eeprom, v & EE_SELECT, v & EE_CLOCK, v & EE_IN);
}

/* ---- PHY: an 82555 ---- */

static uint16_t read_phy(const struct i8255x *s, unsigned n)
{
    unsigned v = s->phy[n];

    if (n == 1 && !nic_link(s->netdev))
        v &= ~0x24u; /* no link, negotiation is not complete */
    return (uint16_t)v;
}

static void write_phy(struct i8255x *s, unsigned n, uint16_t v)
{
    if (n == 0)
        s->phy[n] = v & 0x7d80; /* reset and new negotiation are over at once */
    else if (n == 4 || n >= 16)
        s->phy[n] = v;
}

static void reset_phy(struct i8255x *s)
{
    static const uint16_t phy[8] = { 0x3100, 0x782d, 0x02a8, 0x0154, 0x05e1, 0x45e1, 0x0001 };

    memset(s->phy, 0, sizeof(s->phy));
    memcpy(s->phy, phy, sizeof(phy));
    s->phy[16] = 3; /* full duplex, 100 Mb/s */
}

static void write_mdi(struct i8255x *s)
{
    uint32_t v = ldl_le(s->reg + REG_MDI);
    unsigned n = v >> 16 & 31;
    bool mine = (v >> 21 & 31) == PHY_ADDR;

    switch (v >> 26 & 3) {
    case 1:
        if (mine)
            write_phy(s, n, (uint16_t)v);
        break;
    case 2: v = (v & ~0xffffu) | (mine ? read_phy(s, n) : 0xffffu); break;
    default: break;
    }
    stl_le(s->reg + REG_MDI, v | MDI_READY);
    if (v & MDI_IE)
        i8255x_cause(s, ACK_MDI);
}

/* ---- PORT (OSDM 6.3.3) ---- */

static void stop_units(struct i8255x *s)
{
    s->cu = CU_IDLE;
    s->ru = RU_IDLE;
    s->blocked = false;
    timer_del(&s->more);
}

static void soft_reset(struct i8255x *s)
{
    stop_units(s);
    memset(s->reg, 0, sizeof(s->reg));
    stl_le(s->reg + REG_MDI, MDI_READY);
    memset(s->stats, 0, sizeof(s->stats));
    s->multicast = 0;
    s->stats_addr = s->cu_base = s->cu_block = s->ru_base = s->ru_block = s->hds = 0;
    s->rbd = UINT32_MAX;
    for (unsigned i = 0; i < 3; i++)
        stw_le(s->own + 2 * i, s->eeprom.word[i]);
    i8255x_default_config(s);
    reset_phy(s);
    update_irq(s);
}

static void write_port(struct i8255x *s)
{
    uint32_t v = ldl_le(s->reg + REG_PORT), addr = v & ~15u;
    uint8_t result[8];

    switch (v & 15) {
    case PORT_RESET: soft_reset(s); break;
    case PORT_SELF_TEST:
        stl_le(result, 0x04f4c0de); /* the ROM's signature: not zero */
        stl_le(result + 4, 0);      /* nothing has failed */
        i8255x_put(s, addr, result, sizeof(result));
        soft_reset(s);
        break;
    case PORT_SELECTIVE: stop_units(s); break;
    case PORT_DUMP: i8255x_dump(s, addr); break;
    default: log_guest_error("8255x: there is no port command %u\n", v & 15);
    }
}

/* ---- registers ---- */

static bool touches(unsigned at, unsigned size, unsigned reg)
{
    return at <= reg && reg < at + size;
}

/* What a driver can change by writing. */
static uint8_t kept_bits(unsigned reg)
{
    if (reg >= SCB_POINTER && reg < REG_PORT + 4)
        return 0xff;
    if (reg >= REG_MDI && reg < REG_MDI + 4)
        return reg == REG_MDI + 3 ? 0x2f : 0xff;
    if (reg >= REG_FLOW && reg <= REG_GCONTROL)
        return 0xff;
    switch (reg) {
    case SCB_COMMAND: return 0xff;
    case SCB_MASK: return 0xfd;
    case REG_EEPROM: return EE_CLOCK | EE_SELECT | EE_IN;
    default: return 0;
    }
}

/* Done at once, which clearing the command tells (OSDM 6.3.2). */
static void write_command(struct i8255x *s)
{
    unsigned v = s->reg[SCB_COMMAND];

    s->reg[SCB_COMMAND] = 0;
    if (!pci_bus_master(&s->pci))
        return;
    i8255x_ru_command(s, v & 7);
    i8255x_cu_command(s, v >> 4);
}

static void written(struct i8255x *s, unsigned at, unsigned size)
{
    if (touches(at, size, REG_PORT + 3))
        write_port(s);
    if (touches(at, size, REG_EEPROM))
        write_eeprom(s);
    if (touches(at, size, REG_MDI + 3))
        write_mdi(s);
    if (touches(at, size, SCB_COMMAND))
        write_command(s);
    update_irq(s);
}

static void reg_write(void *opaque, uint64_t offset, uint64_t v, unsigned size)
{
    struct i8255x *s = opaque;
    unsigned at = (unsigned)offset;

    if (s->busy || at + size > I8255X_REGS)
        return;
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(v >> (8 * i)), mask = kept_bits(at + i);

        if (at + i == SCB_ACK)
            s->reg[SCB_ACK] &= (uint8_t)~byte;
        if (at + i == SCB_MASK && (byte & MASK_SI))
            s->reg[SCB_ACK] |= ACK_SWI;
        s->reg[at + i] = (uint8_t)((s->reg[at + i] & ~mask) | (byte & mask));
    }
    written(s, at, size);
}

static uint64_t reg_read(void *opaque, uint64_t offset, unsigned size)
{
    struct i8255x *s = opaque;

    if (s->busy || offset + size > I8255X_REGS)
        return 0;
    s->reg[SCB_STATUS] = (uint8_t)(s->cu << 6 | s->ru << 2);
    s->reg[REG_EEPROM] = (uint8_t)((s->reg[REG_EEPROM] & ~EE_OUT) | (s->eeprom.data ? EE_OUT : 0));
    s->reg[REG_GSTATUS] = nic_link(s->netdev) ? 7 : 0; /* full duplex, 100 Mb/s, link */
    return ldn_le(s->reg + offset, size);
}

static const struct io_ops reg_ops = {
    .read = reg_read, .write = reg_write, .guest_sizes = { 1, 8 }, .own_sizes = { 1, 4 }
};

/* There is no flash. */
static uint64_t flash_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque, (void)offset;
    return mask64(8 * size);
}

static void flash_write(void *opaque, uint64_t offset, uint64_t v, unsigned size)
{
    (void)opaque, (void)offset, (void)v, (void)size;
}

static const struct io_ops flash_ops = {
    .read = flash_read, .write = flash_write, .guest_sizes = { 1, 8 }, .own_sizes = { 1, 4 }
};

/* ---- life ---- */

static const struct net_port_ops net_ops = {
    .receive = i8255x_receive,
    .writable = i8255x_writable,
};

/* Power management: versions and states as the chips have them; D3 keeps everything. */
static void add_power_cap(struct i8255x *s)
{
    unsigned at = pci_add_cap(&s->pci, 0x01, 8);

    stw_le(s->pci.config + at + 2, 0x7e21);
    stw_le(s->pci.wmask + at + 4, 0x0103);
}

bool i8255x_realize(struct device *dev, GError **err)
{
    struct i8255x *s = (struct i8255x *)dev;
    struct mem *mem = device_mem(dev);

    if (!nic_attach(dev, s->netdev, &s->port, &net_ops, s, &s->mac, err))
        return false;
    fill_eeprom(s);
    timer_init(&s->more, device_loop(dev), CLK_VIRTUAL, i8255x_cu_run, s);
    mem_region_init_io(&s->mmio, mem, &reg_ops, s, "8255x", MMIO_SIZE);
    mem_region_init_io(&s->io, mem, &reg_ops, s, "8255x-io", IO_SIZE);
    mem_region_init_io(&s->flash, mem, &flash_ops, s, "8255x-flash", FLASH_SIZE);
    pci_add_bar(&s->pci, 0, PCI_BAR_MEM32 | PCI_BAR_PREFETCH, &s->mmio);
    pci_add_bar(&s->pci, 1, PCI_BAR_IO, &s->io);
    pci_add_bar(&s->pci, 2, PCI_BAR_MEM32, &s->flash);
    stw_le(s->pci.config + PCI_STATUS, 0x0280); /* fast back to back, medium */
    if (i8255x_info(s)->extended)
        add_power_cap(s);
    s->pci.config[0x3e] = 8;
    s->pci.config[0x3f] = 0x18;
    return true;
}

void i8255x_unrealize(struct device *dev)
{
    struct i8255x *s = (struct i8255x *)dev;

    net_detach(&s->port);
    timer_del(&s->more);
    mem_region_destroy(&s->flash);
    mem_region_destroy(&s->io);
    mem_region_destroy(&s->mmio);
}

void i8255x_reset(struct device *dev)
{
    struct i8255x *s = (struct i8255x *)dev;

    eeprom93_reset(&s->eeprom);
    soft_reset(s);
}

static bool loaded(void *obj, unsigned version, GError **err)
{
    struct i8255x *s = obj;

    (void)version, (void)err;
    s->cu = MIN(s->cu, CU_ACTIVE);
    s->ru &= 15;
    s->blocked = false; /* the loading machine's network says when it takes nothing */
    if (s->cu == CU_ACTIVE)
        timer_mod_ns(&s->more, clock_ns(device_loop(&s->pci.dev), CLK_VIRTUAL));
    return true;
}

static const struct state_field fields[] = { STATE_STRUCT(struct i8255x, eeprom, eeprom93_state),
                                             STATE_BUF(struct i8255x, reg),
                                             STATE_BUF(struct i8255x, config),
                                             STATE_BUF(struct i8255x, own),
                                             STATE_U64(struct i8255x, multicast),
                                             STATE_ARRAY(struct i8255x, phy),
                                             STATE_ARRAY(struct i8255x, stats),
                                             STATE_U32(struct i8255x, stats_addr),
                                             STATE_U8(struct i8255x, cu),
                                             STATE_U8(struct i8255x, ru),
                                             STATE_U32(struct i8255x, cu_base),
                                             STATE_U32(struct i8255x, cu_block),
                                             STATE_U32(struct i8255x, ru_base),
                                             STATE_U32(struct i8255x, ru_block),
                                             STATE_U32(struct i8255x, rbd),
                                             STATE_U32(struct i8255x, hds),
                                             STATE_TIMER(struct i8255x, more),
                                             STATE_END };
const struct state_table i8255x_state = {
    .name = "8255x", .version = 1, .fields = fields, .post_load = loaded
};
