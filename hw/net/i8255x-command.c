/* The 8255x's command unit: the list of action commands (OSDM 6.4) and statistics. */
#include "i8255x.h"

#include <base/bits.h>
#include <base/log.h>

#define CB_CMD            7u
#define CB_NC             0x0010u /* the frame brings its own FCS */
#define TX_MAX            4096
#define TBD_EL            0x10000u
#define TBD_COUNT_DYNAMIC 0xff
#define DUMP_SIZE         596
#define MULTICASTS        (0x3fff / 6)

/* Commands and descriptors that are looked at before others have their turn. */
#define BURST 256

/* Bits of the configuration (OSDM 6.4.2.3). */
#define CFG6_TCO_STATS 0x04u
#define CFG6_CNA_IDLE  0x08u /* CNA for idle only */
#define CFG6_STD_TCB   0x10u
#define CFG6_STD_STATS 0x20u
#define CFG10_LOOP     0xc0u
#define CFG18_PAD      0x02u

enum {
    CUC_NOP = 0,
    CUC_START = 1,
    CUC_RESUME = 2,
    CUC_LOAD_DUMP = 4,
    CUC_DUMP = 5,
    CUC_LOAD_BASE = 6,
    CUC_DUMP_RESET = 7,
    CUC_STATIC_RESUME = 10
};

/* The start of every command block. */
struct block {
    uint32_t at; /* guest address */
    uint16_t status, command;
    uint32_t link;
    uint8_t body[24]; /* what follows, for commands that are short */
};

/* ---- statistics ---- */

static unsigned stats_len(const struct i8255x *s)
{
    if (!i8255x_info(s)->extended || (s->config[6] & CFG6_STD_STATS))
        return 64;
    return s->config[6] & CFG6_TCO_STATS ? 80 : 76;
}

/* 0xa005 or 0xa007 behind the counters tells that they are there. */
static void dump_stats(struct i8255x *s, bool clear)
{
    unsigned len = stats_len(s);
    uint8_t out[84];

    for (unsigned i = 0; i < len / 4; i++)
        stl_le(out + 4 * i, s->stats[i]);
    stl_le(out + len, clear ? 0xa007 : 0xa005);
    i8255x_put(s, s->stats_addr, out, len + 4);
    if (clear)
        memset(s->stats, 0, sizeof(s->stats));
}

/* ---- set-up ---- */

void i8255x_default_config(struct i8255x *s)
{
    static const uint8_t config[22] = { 22, 8,    0, 0,    0,    0, 0x32, 0x03, 1,    0,    0x2e,
                                        0,  0x60, 0, 0xf2, 0x48, 0, 0x40, 0xf2, 0x80, 0x3f, 5 };

    memset(s->config, 0, sizeof(s->config));
    memcpy(s->config, config, sizeof(config));
}

/* What the driver does not give stays. */
static void configure(struct i8255x *s, const struct block *b)
{
    uint8_t in[I8255X_CONFIG];
    unsigned n;

    i8255x_fetch(s, b->at + 8, in, sizeof(in));
    n = MIN(in[0] & 0x3f, I8255X_CONFIG);
    memcpy(s->config, in, MAX(n, 1));
    net_accept(&s->port);
}

static void setup_multicast(struct i8255x *s, const struct block *b)
{
    unsigned n = MIN((lduw_le(b->body) & COUNT_MASK) / 6, MULTICASTS);
    uint8_t addrs[6 * MULTICASTS];

    i8255x_fetch(s, b->at + 10, addrs, 6 * n);
    s->multicast = 0;
    for (unsigned i = 0; i < n; i++)
        s->multicast |= BIT(nic_crc(addrs + 6 * i, 6) >> 26);
}

/* The order of this memory is the chip's own affair; addresses are where tools look for them. */
void i8255x_dump(struct i8255x *s, uint32_t addr)
{
    uint8_t out[DUMP_SIZE] = { 0 };

    memcpy(out, s->config, 22);
    memcpy(out + 39, s->own, 6);
    stq_le(out + 46, s->multicast);
    i8255x_put(s, addr, out, sizeof(out));
}

/* ---- transmission (OSDM 6.4.2.5) ---- */

struct frame {
    uint8_t data[TX_MAX];
    uint32_t len;
};

static void add_part(struct i8255x *s, struct frame *f, uint32_t addr, uint32_t n)
{
    n = MIN(n, TX_MAX - f->len);
    i8255x_fetch(s, addr, f->data + f->len, n);
    f->len += n;
}

/* Adds what one buffer descriptor names; whether it says to be the last. */
static bool add_buffer(struct i8255x *s, struct frame *f, const uint8_t *tbd)
{
    uint32_t size = ldl_le(tbd + 4);

    add_part(s, f, ldl_le(tbd), size & COUNT_MASK);
    return size & TBD_EL;
}

static bool has_extended_tcbs(const struct i8255x *s)
{
    return i8255x_info(s)->extended && !(s->config[6] & CFG6_STD_TCB);
}

/* Flexible mode: data in the block first, or (extended) two descriptors there; then the array. */
static void gather_flexible(struct i8255x *s, const struct block *b, struct frame *f)
{
    uint32_t array = ldl_le(b->body), own = lduw_le(b->body + 4) & COUNT_MASK;
    unsigned count = b->body[7], done = 0;
    bool dynamic = count == TBD_COUNT_DYNAMIC, last = false;
    uint8_t tbd[8];

    if (has_extended_tcbs(s)) {
        for (; done < 2 && done < count && !last; done++)
            last = add_buffer(s, f, b->body + 8 + 8 * done) && dynamic;
    } else {
        add_part(s, f, b->at + 16, own);
    }
    for (; done < count && !last && f->len < TX_MAX; done++, array += 8) {
        i8255x_fetch(s, array, tbd, sizeof(tbd));
        last = add_buffer(s, f, tbd) && dynamic;
    }
}

/* False: the network takes nothing now. */
static bool transmit(struct i8255x *s, const struct block *b)
{
    struct frame f = { .len = 0 };

    /* an array address of all ones means simplified mode, too */
    if ((b->command & CB_SF) && ldl_le(b->body) != UINT32_MAX)
        gather_flexible(s, b, &f);
    else
        add_part(s, &f, b->at + 16, lduw_le(b->body + 4) & COUNT_MASK);
    if ((b->command & CB_NC) && f.len >= NIC_FCS_LEN)
        f.len -= NIC_FCS_LEN;
    if (f.len < NIC_FRAME_MIN && (s->config[18] & CFG18_PAD)) {
        memset(f.data + f.len, 0, NIC_FRAME_MIN - f.len);
        f.len = NIC_FRAME_MIN;
    }
    if (f.len >= 14) {
        if ((s->config[10] & CFG10_LOOP) || (s->phy[0] & 0x4000))
            i8255x_receive(s, f.data, f.len);
        else if (!net_send(&s->port, f.data, f.len))
            return false;
    }
    s->stats[STAT_TX_GOOD]++;
    return true;
}

/* ---- the list ---- */

static void load_block(struct i8255x *s, struct block *b)
{
    uint8_t raw[32];

    b->at = s->cu_base + s->cu_block;
    i8255x_fetch(s, b->at, raw, sizeof(raw));
    b->status = lduw_le(raw);
    b->command = lduw_le(raw + 2);
    b->link = ldl_le(raw + 4);
    memcpy(b->body, raw + 8, sizeof(b->body));
}

static bool do_nothing(struct i8255x *s, const struct block *b)
{
    (void)s, (void)b; /* NOP; microcode, of which there is no use; diagnosis, which passes */
    return true;
}

static bool do_address(struct i8255x *s, const struct block *b)
{
    memcpy(s->own, b->body, 6);
    return true;
}

static bool do_configure(struct i8255x *s, const struct block *b)
{
    configure(s, b);
    return true;
}

static bool do_multicast(struct i8255x *s, const struct block *b)
{
    setup_multicast(s, b);
    return true;
}

static bool do_dump(struct i8255x *s, const struct block *b)
{
    i8255x_dump(s, ldl_le(b->body));
    return true;
}

/* By code; false: to be tried again later. */
static bool (*const commands[8])(struct i8255x *s, const struct block *b) = {
    do_nothing, do_address, do_configure, do_multicast, transmit, do_nothing, do_dump, do_nothing,
};

static void leave_active(struct i8255x *s, enum cu_state to)
{
    s->cu = (uint8_t)to;
    if (to == CU_IDLE || !(s->config[6] & CFG6_CNA_IDLE))
        i8255x_cause(s, ACK_CNA);
}

/* Marks a block as done and goes on behind it. The driver may have changed command and link. */
static void finish(struct i8255x *s, const struct block *b)
{
    uint8_t raw[8];

    stw_le(raw, CB_COMPLETE | CB_OK);
    i8255x_put(s, b->at, raw, 2);
    i8255x_fetch(s, b->at, raw, sizeof(raw));
    if (b->command & CB_I)
        i8255x_cause(s, ACK_CX);
    if (lduw_le(raw + 2) & CB_EL) {
        leave_active(s, CU_IDLE);
    } else if (lduw_le(raw + 2) & CB_S) {
        leave_active(s, CU_SUSPENDED); /* the link is followed when it goes on */
    } else {
        s->cu_block = ldl_le(raw + 4);
    }
}

void i8255x_cu_run(void *opaque)
{
    struct i8255x *s = opaque;
    struct block b;

    if (s->blocked || s->busy || !pci_bus_master(&s->pci))
        return;
    for (unsigned i = 0; s->cu == CU_ACTIVE; i++) {
        if (i == BURST) { /* a list can be a circle */
            timer_mod_ns(&s->more,
                         clock_ns(device_loop(&s->pci.dev), CLK_VIRTUAL) + 10 * NS_PER_MS);
            return;
        }
        load_block(s, &b);
        if (!commands[b.command & CB_CMD](s, &b)) {
            s->blocked = true;
            return;
        }
        finish(s, &b);
    }
}

void i8255x_writable(void *opaque)
{
    struct i8255x *s = opaque;

    s->blocked = false;
    i8255x_cu_run(s);
}

static void resume(struct i8255x *s)
{
    uint8_t link[4];

    if (s->cu == CU_SUSPENDED) {
        i8255x_fetch(s, s->cu_base + s->cu_block + 4, link, 4);
        s->cu_block = ldl_le(link);
        s->cu = CU_ACTIVE;
    }
    i8255x_cu_run(s);
}

void i8255x_cu_command(struct i8255x *s, unsigned command)
{
    uint32_t pointer = ldl_le(s->reg + SCB_POINTER);

    switch (command) {
    case CUC_NOP: break;
    case CUC_START:
        s->cu_block = pointer;
        s->cu = CU_ACTIVE;
        i8255x_cu_run(s);
        break;
    case CUC_RESUME:
    case CUC_STATIC_RESUME: resume(s); break;
    case CUC_LOAD_DUMP: s->stats_addr = pointer; break;
    case CUC_DUMP: dump_stats(s, false); break;
    case CUC_LOAD_BASE: s->cu_base = pointer; break;
    case CUC_DUMP_RESET: dump_stats(s, true); break;
    default: log_guest_error("8255x: there is no command %u for the command unit\n", command);
    }
}
