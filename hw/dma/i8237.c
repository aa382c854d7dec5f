/*
 * Two 8237A DMA controllers (Intel 8237A, September 1993) as PCs have them: the second counts
 * words, and page registers give address bits 16 to 23. There is no memory-to-memory transfer, as
 * PCs use channel 0 for refresh.
 */
#include <hw/dma/i8237.h>

#include <string.h>
#include <base/bits.h>
#include <base/bug.h>
#include <base/error.h>
#include <hw/core/machine.h>

#define CONTROLLERS 2
#define CHANNELS    4
#define PAGES       16
#define CASCADE     4

enum {
    COMMAND = 8, /* reads: status */
    REQUEST = 9,
    SINGLE_MASK = 10,
    MODE = 11,
    CLEAR_FLIPFLOP = 12,
    MASTER_CLEAR = 13,
    CLEAR_MASK = 14,
    ALL_MASK = 15,
};

#define COMMAND_OFF    0x04
#define MODE_TYPE      0x0c
#define MODE_TO_MEMORY 0x04 /* "write transfer" */
#define MODE_TO_DEVICE 0x08
#define MODE_AUTOINIT  0x10
#define MODE_DOWN      0x20

struct channel {
    uint16_t base_addr, base_count, addr, count;
    uint8_t mode;
};

struct controller {
    struct channel ch[CHANNELS];
    uint8_t command, mask, tc, request;
    bool high; /* the flip-flop: the next byte is the high one */
};

struct i8237 {
    struct device dev;
    struct mem_region io[CONTROLLERS], page_io;
    struct controller ctl[CONTROLLERS];
    uint8_t pages[PAGES];
};

/* Port 80h + n of each channel's page; the other ones are plain memory. */
static const uint8_t page_of[CONTROLLERS * CHANNELS] = { 7, 3, 1, 2, 15, 11, 9, 10 };

/* ---- transfers ---- */

static struct controller *controller_of(struct i8237 *s, unsigned channel)
{
    bug_on(channel >= CONTROLLERS * CHANNELS || channel == CASCADE);
    return &s->ctl[channel / CHANNELS];
}

void i8237_request(struct device *dev, unsigned channel, bool on)
{
    struct controller *c = controller_of((struct i8237 *)dev, channel);
    uint8_t bit = (uint8_t)(1u << channel % CHANNELS);

    c->request = on ? c->request | bit : c->request & ~bit;
}

bool i8237_ready(const struct device *dev, unsigned channel)
{
    struct i8237 *s = (struct i8237 *)dev;
    const struct controller *c = controller_of(s, channel), *second = &s->ctl[1];

    if ((c->command & COMMAND_OFF) || (c->mask >> channel % CHANNELS & 1))
        return false;
    /* the first controller gets the bus through the cascade of the second */
    return c == second || (!(second->command & COMMAND_OFF) && !(second->mask & 1));
}

/* Where a unit lies: addresses wrap within the page, words are counted from a page of 128 KiB. */
static uint64_t unit_address(const struct i8237 *s, unsigned channel, uint16_t addr)
{
    uint8_t page = s->pages[page_of[channel]];

    if (channel < CHANNELS)
        return (uint64_t)page << 16 | addr;
    return (uint64_t)(page & 0xfe) << 16 | (uint64_t)addr << 1;
}

static void terminal_count(struct controller *c, struct channel *ch)
{
    uint8_t bit = (uint8_t)(1u << (ch - c->ch));

    c->tc |= bit;
    if (ch->mode & MODE_AUTOINIT) {
        ch->addr = ch->base_addr;
        ch->count = ch->base_count;
    } else {
        c->mask |= bit;
    }
}

static void move(struct i8237 *s, uint64_t addr, uint8_t *in, const uint8_t *out, unsigned size,
                 uint8_t type)
{
    struct address_space *as = &s->dev.machine->memory;

    if (in && type == MODE_TO_DEVICE)
        space_read(as, addr, in, size, 0);
    else if (in)
        memset(in, 0, size);
    else if (type == MODE_TO_MEMORY)
        space_write(as, addr, out, size, 0);
}

/* How many units lie on in memory, of the `n` that are wanted. */
static uint32_t run_length(const struct channel *ch, uint32_t n)
{
    uint32_t left = (uint32_t)ch->count + 1, to_wrap = 0x10000u - ch->addr;

    if (ch->mode & MODE_DOWN)
        return 1;
    n = n < left ? n : left;
    return n < to_wrap ? n : to_wrap;
}

/* One of `in` and `out` is NULL. */
static size_t transfer(struct device *dev, unsigned channel, uint8_t *in, const uint8_t *out,
                       size_t len, bool *tc)
{
    struct i8237 *s = (struct i8237 *)dev;
    struct controller *c = controller_of(s, channel);
    struct channel *ch = &c->ch[channel % CHANNELS];
    unsigned unit = channel < CHANNELS ? 1 : 2;
    size_t done = 0;

    *tc = false;
    while (done + unit <= len && !*tc && i8237_ready(dev, channel)) {
        uint32_t n = run_length(ch, (uint32_t)MIN((len - done) / unit, 0x10000));

        move(s, unit_address(s, channel, ch->addr), in ? in + done : NULL, out ? out + done : NULL,
             n * unit, ch->mode & MODE_TYPE);
        done += n * unit;
        ch->addr = (uint16_t)(ch->mode & MODE_DOWN ? ch->addr - n : ch->addr + n);
        *tc = n > ch->count;
        ch->count = (uint16_t)(ch->count - n);
        if (*tc)
            terminal_count(c, ch);
    }
    return done;
}

size_t i8237_to_device(struct device *dev, unsigned channel, void *buf, size_t len, bool *tc)
{
    return transfer(dev, channel, buf, NULL, len, tc);
}

size_t i8237_from_device(struct device *dev, unsigned channel, const void *buf, size_t len,
                         bool *tc)
{
    return transfer(dev, channel, NULL, buf, len, tc);
}

/* ---- registers ---- */

static void write_half(struct controller *c, uint16_t *base, uint16_t *current, uint8_t v)
{
    *base = c->high ? (uint16_t)((*base & 0x00ff) | v << 8) : (uint16_t)((*base & 0xff00) | v);
    *current = *base;
    c->high = !c->high;
}

static void master_clear(struct controller *c)
{
    c->command = c->tc = c->request = 0;
    c->high = false;
    c->mask = 0x0f;
}

static void ctl_write(struct controller *c, unsigned reg, uint8_t v)
{
    uint8_t bit = (uint8_t)(1u << (v & 3));
    struct channel *ch = &c->ch[reg / 2 % CHANNELS];

    switch (reg) {
    case COMMAND: c->command = v; break;
    case REQUEST: c->request = v & 4 ? c->request | bit : c->request & ~bit; break;
    case SINGLE_MASK: c->mask = v & 4 ? c->mask | bit : c->mask & ~bit; break;
    case MODE: c->ch[v & 3].mode = v & 0xfc; break;
    case CLEAR_FLIPFLOP: c->high = false; break;
    case MASTER_CLEAR: master_clear(c); break;
    case CLEAR_MASK: c->mask = 0; break;
    case ALL_MASK: c->mask = v & 0x0f; break;
    default:
        if (reg & 1)
            write_half(c, &ch->base_count, &ch->count, v);
        else
            write_half(c, &ch->base_addr, &ch->addr, v);
        break;
    }
}

static uint8_t ctl_read(struct controller *c, unsigned reg)
{
    const struct channel *ch = &c->ch[reg / 2 % CHANNELS];
    uint16_t word = reg & 1 ? ch->count : ch->addr;
    uint8_t v;

    switch (reg) {
    case COMMAND:
        v = (uint8_t)(c->tc | c->request << 4);
        c->tc = 0;
        return v;
    case ALL_MASK: return c->mask | 0xf0;
    case REQUEST:
    case SINGLE_MASK:
    case MODE:
    case CLEAR_FLIPFLOP:
    case MASTER_CLEAR:
    case CLEAR_MASK: return 0;
    default: c->high = !c->high; return (uint8_t)(c->high ? word : word >> 8);
    }
}

static uint64_t first_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return ctl_read(&((struct i8237 *)opaque)->ctl[0], (unsigned)offset);
}

static void first_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    ctl_write(&((struct i8237 *)opaque)->ctl[0], (unsigned)offset, (uint8_t)value);
}

static uint64_t second_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return ctl_read(&((struct i8237 *)opaque)->ctl[1], (unsigned)offset / 2);
}

static void second_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    ctl_write(&((struct i8237 *)opaque)->ctl[1], (unsigned)offset / 2, (uint8_t)value);
}

static uint64_t page_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)size;
    return ((struct i8237 *)opaque)->pages[offset];
}

static void page_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)size;
    ((struct i8237 *)opaque)->pages[offset] = (uint8_t)value;
}

static const struct io_ops ctl_io[CONTROLLERS] = {
    { .read = first_read, .write = first_write, .own_sizes = { 1, 1 } },
    { .read = second_read, .write = second_write, .own_sizes = { 1, 1 } },
};
static const struct io_ops page_io = {
    .read = page_read,
    .write = page_write,
    .own_sizes = { 1, 1 },
};

/* ---- the device ---- */

static bool i8237_realize(struct device *dev, GError **err)
{
    struct i8237 *s = (struct i8237 *)dev;

    (void)err;
    mem_region_init_io(&s->io[0], device_mem(dev), &ctl_io[0], s, "dma", 16);
    mem_region_init_io(&s->page_io, device_mem(dev), &page_io, s, "dma-page", PAGES);
    mem_region_init_io(&s->io[1], device_mem(dev), &ctl_io[1], s, "dma2", 32);
    device_add_region(dev, &s->io[0]);
    device_add_region(dev, &s->page_io);
    device_add_region(dev, &s->io[1]);
    return true;
}

static void i8237_unrealize(struct device *dev)
{
    struct i8237 *s = (struct i8237 *)dev;

    mem_region_destroy(&s->io[0]);
    mem_region_destroy(&s->io[1]);
    mem_region_destroy(&s->page_io);
}

static void i8237_reset(struct device *dev)
{
    struct i8237 *s = (struct i8237 *)dev;

    memset(s->ctl, 0, sizeof(s->ctl));
    memset(s->pages, 0, sizeof(s->pages));
    master_clear(&s->ctl[0]);
    master_clear(&s->ctl[1]);
}

static const struct state_field channel_fields[] = {
    STATE_U16(struct channel, base_addr), STATE_U16(struct channel, base_count),
    STATE_U16(struct channel, addr),      STATE_U16(struct channel, count),
    STATE_U8(struct channel, mode),       STATE_END
};
static const struct state_table channel_state = { .name = "channel",
                                                  .version = 1,
                                                  .fields = channel_fields };
static const struct state_field ctl_fields[] = { STATE_STRUCT_ARRAY(struct controller, ch,
                                                                    channel_state),
                                                 STATE_U8(struct controller, command),
                                                 STATE_U8(struct controller, mask),
                                                 STATE_U8(struct controller, tc),
                                                 STATE_U8(struct controller, request),
                                                 STATE_BOOL(struct controller, high),
                                                 STATE_END };
static const struct state_table ctl_state = { .name = "controller",
                                              .version = 1,
                                              .fields = ctl_fields };
static const struct state_field i8237_fields[] = { STATE_STRUCT_ARRAY(struct i8237, ctl, ctl_state),
                                                   STATE_BUF(struct i8237, pages), STATE_END };
static const struct state_table i8237_state = { .name = "i8237",
                                                .version = 1,
                                                .fields = i8237_fields };

const struct device_type i8237_type = {
    .name = "i8257",
    .help = "two 8237A DMA controllers",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct i8237),
    .internal = true,
    .category = "misc",
    .realize = i8237_realize,
    .reset = i8237_reset,
    .unrealize = i8237_unrealize,
    .state = &i8237_state,
};
