/* An SMBus host controller with EEPROMs; see smbus.h. */
#include "smbus.h"

#include <string.h>
#include <base/bits.h>

enum {
    HSTSTS = 0,
    HSTCNT = 2,
    HSTCMD = 3,
    HSTADD = 4,
    HSTDAT0 = 5,
    HSTDAT1 = 6,
    BLKDAT = 7,
};

/* bits of HSTSTS */
#define STS_DONE  0x02
#define STS_ERROR 0x04 /* no answer, or a command that the device does not know */
#define STS_CLEAR 0x1e

/* HSTCNT */
#define CNT_START       0x40
#define CNT_PROTOCOL(c) ((c) >> 2 & 7)

enum { PROTO_QUICK = 0, PROTO_BYTE = 1, PROTO_BYTE_DATA = 2, PROTO_WORD_DATA = 3, PROTO_BLOCK = 5 };

static struct smbus_eeprom *find_eeprom(struct smbus *s)
{
    unsigned address = s->address >> 1;

    if ((address & 0x78) != 0x50 || !s->eeproms[address & 7].present)
        return NULL;
    return &s->eeproms[address & 7];
}

static uint8_t next_byte(struct smbus_eeprom *e)
{
    return e->data[e->offset++];
}

/* A block begins with its length; of an EEPROM that is whatever byte stands there. */
static bool read_block(struct smbus *s, struct smbus_eeprom *e)
{
    unsigned len = next_byte(e);

    if (!len || len > sizeof(s->block))
        return false;
    s->data0 = (uint8_t)len;
    for (unsigned i = 0; i < len; i++)
        s->block[i] = next_byte(e);
    s->block_at = 0;
    return true;
}

static bool read_eeprom(struct smbus *s, struct smbus_eeprom *e)
{
    unsigned protocol = CNT_PROTOCOL(s->control);

    if (protocol >= PROTO_BYTE_DATA)
        e->offset = s->command;
    switch (protocol) {
    case PROTO_QUICK: return true;
    case PROTO_BYTE:
    case PROTO_BYTE_DATA: s->data0 = next_byte(e); return true;
    case PROTO_WORD_DATA:
        s->data0 = next_byte(e);
        s->data1 = next_byte(e);
        return true;
    case PROTO_BLOCK: return read_block(s, e);
    default: return false;
    }
}

/* They are write-protected: only the offset is taken. */
static bool write_eeprom(struct smbus *s, struct smbus_eeprom *e)
{
    unsigned protocol = CNT_PROTOCOL(s->control);

    if (protocol == PROTO_BYTE)
        e->offset = s->command;
    return protocol == PROTO_BYTE || protocol == PROTO_QUICK;
}

static void run(struct smbus *s)
{
    struct smbus_eeprom *e = find_eeprom(s);
    bool ok = e && (s->address & 1 ? read_eeprom(s, e) : write_eeprom(s, e));

    s->status |= ok ? STS_DONE : STS_ERROR;
}

static uint64_t smbus_read(void *opaque, uint64_t offset, unsigned size)
{
    struct smbus *s = opaque;

    (void)size;
    switch (offset) {
    case HSTSTS: return s->status;
    case HSTCNT: s->block_at = 0; return s->control;
    case HSTCMD: return s->command;
    case HSTADD: return s->address;
    case HSTDAT0: return s->data0;
    case HSTDAT1: return s->data1;
    case BLKDAT: return s->block[s->block_at++ % sizeof(s->block)];
    default: return 0;
    }
}

static void smbus_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct smbus *s = opaque;
    uint8_t v = (uint8_t)value;

    (void)size;
    switch (offset) {
    case HSTSTS: s->status &= (uint8_t) ~(v & STS_CLEAR); break;
    case HSTCNT:
        s->control = v & (uint8_t)~CNT_START;
        if (v & CNT_START)
            run(s);
        break;
    case HSTCMD: s->command = v; break;
    case HSTADD: s->address = v; break;
    case HSTDAT0: s->data0 = v; break;
    case HSTDAT1: s->data1 = v; break;
    case BLKDAT: s->block[s->block_at++ % sizeof(s->block)] = v; break;
    default: break;
    }
}

static const struct io_ops smbus_io = {
    .read = smbus_read, .write = smbus_write, .guest_sizes = { 1, 4 }, .own_sizes = { 1, 1 }
};

void smbus_init(struct smbus *s, struct device *dev)
{
    mem_region_init_io(&s->io, device_mem(dev), &smbus_io, s, "pm-smbus", 64);
}

void smbus_destroy(struct smbus *s)
{
    mem_region_destroy(&s->io);
}

void smbus_reset(struct smbus *s)
{
    s->status = s->control = s->command = s->address = s->data0 = s->data1 = s->block_at = 0;
    memset(s->block, 0, sizeof(s->block));
    for (unsigned i = 0; i < SMBUS_EEPROMS; i++)
        s->eeproms[i].offset = 0;
}

/* A module of 2^bits bytes, from 4 MiB to 1 GiB, one bank of PC133 SDRAM. */
static void describe_module(uint8_t *d, unsigned bits)
{
    static const uint8_t common[64] = {
        128,                           /* bytes written */
        8,                             /* log2 of the EEPROM's */
        4,                             /* SDRAM */
        12,                            /* rows */
        8,                             /* columns */
        1,                             /* banks of the module */
        64,                            /* data bits, */
        0,                             /* upper half */
        1,                             /* LVTTL */
        0x75,                          /* 7.5 ns at the highest CAS latency */
        0x54,                          /* 5.4 ns access */
        0,                             /* no parity */
        0x80,                          /* 15.6 us, self refresh */
        8,                             /* width of a chip */
        0,                             /* of one for errors */
        1,                             /* clocks between accesses */
        0x8f,                          /* bursts of 1, 2, 4, 8, a page */
        4,                             /* banks of a chip */
        0x04,                          /* CAS latency 3 */
        0x01,                          /* CS latency 0 */
        0x01,                          /* write latency 0 */
        0,                             /* not registered */
        0x0e,                          /* precharge all, auto precharge, write burst */
        [27] = 20,   15,   20,   45,   /* tRP, tRRD, tRCD, tRAS in ns */
        [32] = 0x15, 0x08, 0x15, 0x08, /* setup and hold */
        [62] = 0x12,                   /* revision 1.2 */
    };
    uint8_t sum = 0;

    memcpy(d, common, sizeof(common));
    /* 2^(rows + columns + 2 for four banks + 3 for 64 bits) */
    d[3] = (uint8_t)(bits <= 25 ? 11 : bits <= 28 ? 12 : 13);
    d[4] = (uint8_t)(bits - 5 - d[3]);
    d[31] = (uint8_t)(bits <= 29 ? 1 << (bits - 22) : 1); /* in units of 4 MiB; 1 is 1 GiB too */
    for (unsigned i = 0; i < 63; i++)
        sum += d[i];
    d[63] = sum;
}

void smbus_add_modules(struct smbus *s, uint64_t size)
{
    for (unsigned i = 0; i < SMBUS_EEPROMS && size >= 4 << 20; i++) {
        unsigned bits = 63 - clz64(MIN(size, UINT64_C(1) << 30));

        s->eeproms[i].present = true;
        describe_module(s->eeproms[i].data, bits);
        size -= BIT(bits);
    }
}

static const struct state_field eeprom_fields[] = { STATE_U8(struct smbus_eeprom, offset),
                                                    STATE_END };
static const struct state_table eeprom_state = { .name = "smbus-eeprom",
                                                 .version = 1,
                                                 .fields = eeprom_fields };
static const struct state_field smbus_fields[] = { STATE_STRUCT_ARRAY(struct smbus, eeproms,
                                                                      eeprom_state),
                                                   STATE_U8(struct smbus, status),
                                                   STATE_U8(struct smbus, control),
                                                   STATE_U8(struct smbus, command),
                                                   STATE_U8(struct smbus, address),
                                                   STATE_U8(struct smbus, data0),
                                                   STATE_U8(struct smbus, data1),
                                                   STATE_BUF(struct smbus, block),
                                                   STATE_U8(struct smbus, block_at),
                                                   STATE_END };
const struct state_table smbus_state = { .name = "smbus", .version = 1, .fields = smbus_fields };
