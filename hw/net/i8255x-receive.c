/* The 8255x's receive unit: frame descriptors, buffer descriptors, filters (OSDM 6.5). */
#include "i8255x.h"

#include <base/bits.h>
#include <base/log.h>

/* Bits of a frame descriptor's status. */
#define RFD_NO_ROOM 0x0200u /* ran out of buffer */
#define RFD_TYPE    0x0020u /* the frame has a type, not a length */
#define RFD_GROUP   0x0002u /* did not match the own address */

/* In its command: how much of the frame it takes itself is what "load HDS" said. */
#define RFD_HEADER 0x0010u

#define CFG15_PROMISC   0x01u
#define CFG15_NO_BROAD  0x02u
#define CFG18_CRC       0x04u /* the FCS goes to memory */
#define CFG20_MULTI_IA  0x40u
#define CFG21_ALL_MULTI 0x08u

/* Longest frame that is stored, with FCS. */
#define RX_MAX   4096
/* Buffer descriptors that one frame may take. */
#define RBDS_MAX 64

enum {
    RUC_NOP = 0,
    RUC_START = 1,
    RUC_RESUME = 2,
    RUC_ABORT = 4,
    RUC_LOAD_HDS = 5,
    RUC_LOAD_BASE = 6,
    RUC_RBD_RESUME = 7
};

struct rfd {
    uint32_t at; /* guest address */
    uint16_t command, size;
    uint32_t link, rbd;
};

static bool is_wanted(const struct i8255x *s, const uint8_t *dest)
{
    unsigned hash = nic_crc(dest, 6) >> 26;

    if (s->config[15] & CFG15_PROMISC)
        return true;
    if (nic_is_broadcast(dest))
        return !(s->config[15] & CFG15_NO_BROAD);
    if (memcmp(dest, s->own, 6) == 0)
        return true;
    if (dest[0] & 1)
        return (s->config[21] & CFG21_ALL_MULTI) || (s->multicast >> hash & 1);
    return (s->config[20] & CFG20_MULTI_IA) && (s->multicast >> hash & 1);
}

static void leave_ready(struct i8255x *s, enum ru_state to)
{
    s->ru = (uint8_t)to;
    i8255x_cause(s, ACK_RNR);
}

static void load_rfd(struct i8255x *s, struct rfd *r)
{
    uint8_t raw[16];

    r->at = s->ru_base + s->ru_block;
    i8255x_fetch(s, r->at, raw, sizeof(raw));
    r->command = lduw_le(raw + 2);
    r->link = ldl_le(raw + 4);
    r->rbd = ldl_le(raw + 8);
    r->size = lduw_le(raw + 14) & COUNT_MASK;
}

/* Flexible mode: fills buffers; bytes that found room. *out_of_buffers behind the last of them. */
static uint32_t fill_buffers(struct i8255x *s, const uint8_t *data, uint32_t len,
                             bool *out_of_buffers)
{
    uint32_t done = 0;

    *out_of_buffers = s->rbd == UINT32_MAX;
    for (unsigned n = 0; done < len && n < RBDS_MAX && !*out_of_buffers; n++) {
        uint32_t at = s->ru_base + s->rbd, here;
        uint8_t raw[16], count[2];

        i8255x_fetch(s, at, raw, sizeof(raw));
        here = MIN(len - done, lduw_le(raw + 12) & COUNT_MASK);
        i8255x_put(s, ldl_le(raw + 8), data + done, here);
        done += here;
        stw_le(count, (uint16_t)(here | COUNT_F | (done == len ? COUNT_EOF : 0)));
        i8255x_put(s, at, count, sizeof(count));
        s->rbd = ldl_le(raw + 4);
        *out_of_buffers = lduw_le(raw + 12) & CB_EL;
    }
    return done;
}

static void finish_rfd(struct i8255x *s, const struct rfd *r, unsigned status, uint32_t count)
{
    uint8_t raw[4];

    stw_le(raw, (uint16_t)(MIN(count, COUNT_MASK) | COUNT_EOF | COUNT_F));
    i8255x_put(s, r->at + 12, raw, 2);
    stw_le(raw, (uint16_t)(status | CB_COMPLETE));
    i8255x_put(s, r->at, raw, 2);
}

/* False: the first descriptor of a list's end has no room, and the frame waits for another. */
static bool store(struct i8255x *s, const uint8_t *data, uint32_t len, unsigned status)
{
    bool flexible, out_of_buffers = false;
    uint32_t done, room;
    struct rfd r;

    load_rfd(s, &r);
    flexible = r.command & CB_SF;
    if (!flexible && !r.size && (r.command & CB_EL)) {
        leave_ready(s, RU_NO_RESOURCES);
        return false;
    }
    room = flexible && (r.command & RFD_HEADER) ? s->hds : r.size;
    done = MIN(len, room);
    i8255x_put(s, r.at + 16, data, done);
    if (flexible) {
        uint8_t first[4];

        stl_le(first, s->rbd);
        i8255x_put(s, r.at + 8, first, sizeof(first));
        if (done < len)
            done += fill_buffers(s, data + done, len - done, &out_of_buffers);
    }
    finish_rfd(s, &r, status | (done == len ? CB_OK : RFD_NO_ROOM), done);
    i8255x_cause(s, ACK_FR);
    if (r.command & CB_EL) {
        leave_ready(s, RU_NO_RESOURCES);
    } else if (r.command & CB_S) {
        leave_ready(s, RU_SUSPENDED); /* the link is followed when it goes on */
    } else {
        s->ru_block = r.link;
        if (out_of_buffers)
            leave_ready(s, RU_NO_RBDS);
    }
    return true;
}

bool i8255x_receive(void *opaque, const uint8_t *frame, size_t len)
{
    struct i8255x *s = opaque;
    uint8_t padded[NIC_FRAME_MIN], data[RX_MAX];
    unsigned status = 0;

    if (s->ru == RU_IDLE || !pci_bus_master(&s->pci) || s->busy || len < 14 ||
        len > RX_MAX - NIC_FCS_LEN)
        return true;
    frame = nic_pad(frame, &len, padded);
    if (!is_wanted(s, frame))
        return true;
    if (s->ru != RU_READY)
        return false;
    status |= lduw_be(frame + 12) > 1500 ? RFD_TYPE : 0;
    status |= memcmp(frame, s->own, 6) ? RFD_GROUP : 0;
    memcpy(data, frame, len);
    if (s->config[18] & CFG18_CRC) {
        stl_le(data + len, nic_fcs(frame, len));
        len += NIC_FCS_LEN;
    }
    if (!store(s, data, (uint32_t)len, status))
        return false;
    s->stats[STAT_RX_GOOD]++;
    return true;
}

static void start(struct i8255x *s, uint32_t block)
{
    struct rfd r;

    s->ru_block = block;
    load_rfd(s, &r);
    s->rbd = r.rbd;
    s->ru = RU_READY;
    net_accept(&s->port);
}

static void resume(struct i8255x *s)
{
    struct rfd r;

    if (s->ru != RU_SUSPENDED)
        return;
    load_rfd(s, &r);
    s->ru_block = r.link;
    s->ru = RU_READY;
    net_accept(&s->port);
}

void i8255x_ru_command(struct i8255x *s, unsigned command)
{
    uint32_t pointer = ldl_le(s->reg + SCB_POINTER);

    switch (command) {
    case RUC_NOP: break;
    case RUC_START: start(s, pointer); break;
    case RUC_RESUME: resume(s); break;
    case RUC_ABORT:
        if (s->ru == RU_READY)
            leave_ready(s, RU_IDLE);
        s->ru = RU_IDLE;
        net_accept(&s->port); /* what waited is lost now */
        break;
    case RUC_LOAD_HDS: s->hds = pointer & COUNT_MASK; break;
    case RUC_LOAD_BASE: s->ru_base = pointer; break;
    case RUC_RBD_RESUME:
        if (s->ru == RU_NO_RBDS) {
            s->ru = RU_READY;
            net_accept(&s->port);
        }
        break;
    default: log_guest_error("8255x: there is no command %u for the receive unit\n", command);
    }
}
