/*
 * 8254 programmable interval timer (Intel 8254, September 1993) and the PC's port 61h (82371SB
 * 2.5.3, NMI status and control).
 *
 * Nothing is counted: a counter is the tick at which it was loaded and its count, and all that can
 * be seen is computed from the ticks that the virtual clock has had since. So nothing drifts,
 * however late a timer fires; edges of channel 0 that the host was too late for merge into one.
 */
#include <hw/timer/i8254.h>

#include <base/bits.h>
#include <base/clock.h>
#include <base/error.h>
#include <hw/core/host_irqchip.h>
#include <hw/core/machine.h>

#define CHANNELS 3
#define CONTROL  3

#define CW_BCD           0x01
#define READ_BACK_COUNT  0x20 /* active low */
#define READ_BACK_STATUS 0x10
#define STATUS_OUT       0x80
#define STATUS_NULL      0x40

#define PORTB_GATE    0x01
#define PORTB_SPEAKER 0x02
#define PORTB_WRITE   0x0f
#define PORTB_REFRESH 0x10
#define PORTB_OUT2    0x20
#define REFRESH_NS    15085

enum access { LATCH = 0, LSB = 1, MSB = 2, BOTH = 3 };

struct channel {
    uint8_t mode;   /* 0 to 5 */
    uint8_t access; /* enum access, never LATCH */
    bool bcd, gate;
    bool loaded;                       /* a count was written since the control word */
    bool running;                      /* modes 1 and 5: triggered */
    bool stopped;                      /* by the gate, `elapsed` ticks after the load */
    bool null;                         /* the count written is not in the counter yet */
    uint32_t count;                    /* ticks of a period, 1 to 65536 */
    uint32_t next;                     /* count that replaces it at switch_at; 0 for none */
    int64_t start, elapsed, switch_at; /* ticks */

    uint8_t write_low; /* with access BOTH, the first byte written */
    bool write_high, read_high;
    bool count_latched, status_latched;
    uint16_t count_latch;
    uint8_t status_latch;
};

struct i8254 {
    struct device dev;
    struct mem_region io, port61;
    struct irq_line out;
    struct timer timer;
    uint8_t portb;
    struct channel ch[CHANNELS];
    const struct host_irqchip *host;
};

/* ---- time ---- */

static int64_t ticks_now(const struct i8254 *s)
{
    return (int64_t)((__int128)clock_ns(device_loop(&s->dev), CLK_VIRTUAL) * I8254_HZ / NS_PER_SEC);
}

/* The first ns at which tick `t` has come. */
static int64_t tick_ns(int64_t t)
{
    __int128 ns = ((__int128)t * NS_PER_SEC + I8254_HZ - 1) / I8254_HZ;

    return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

static uint32_t modulus(const struct channel *c)
{
    return c->bcd ? 10000 : 0x10000;
}

static int64_t elapsed(const struct channel *c, int64_t now)
{
    if (c->stopped)
        return c->elapsed;
    return now > c->start ? now - c->start : 0; /* loaded with the clock after the write */
}

static bool periodic(const struct channel *c)
{
    return c->mode == 2 || c->mode == 3;
}

static bool triggered(const struct channel *c)
{
    return c->mode == 1 || c->mode == 5;
}

/* Mode 3: ticks of the half that is high. */
static uint32_t high_half(uint32_t count)
{
    return (count + 1) / 2;
}

/* ---- the counter ---- */

/* Periodic modes: puts in a count that was written meanwhile, at the end of the period (mode 2) or
 * of the half period (mode 3) in which it came. */
static void catch_up(struct channel *c, int64_t now)
{
    bool low;

    if (!c->next || now < c->switch_at)
        return;
    low = c->mode == 3 && (c->switch_at - c->start) % c->count != 0;
    c->start = c->switch_at - (low ? high_half(c->next) : 0);
    c->count = c->next;
    c->next = 0;
    c->null = false;
}

static int64_t half_end(const struct channel *c, int64_t d)
{
    int64_t period = d / c->count * c->count, high = period + high_half(c->count);

    return c->start + (d < high ? high : period + c->count);
}

static bool out(const struct channel *c, int64_t now)
{
    int64_t d = elapsed(c, now);

    if (!c->loaded)
        return c->mode != 0;
    if (triggered(c) && !c->running)
        return true;
    switch (c->mode) {
    case 0: return d >= c->count;
    case 1: return d >= c->count;
    case 2: return !c->gate || d % c->count != c->count - 1;
    case 3: return !c->gate || d % c->count < high_half(c->count);
    default: return d != c->count;
    }
}

/* What a read of the counting element shows (before BCD). */
static uint32_t counter(const struct channel *c, int64_t now)
{
    int64_t d = elapsed(c, now);
    uint32_t mod = modulus(c), rest;

    if (!c->loaded || (triggered(c) && !c->running))
        return c->count % mod;
    switch (c->mode) {
    case 2: return (c->count - (uint32_t)(d % c->count)) % mod;
    case 3:
        rest = (uint32_t)(d % c->count);
        if (rest >= high_half(c->count))
            rest -= high_half(c->count);
        return ((c->count & ~1u) - 2 * rest) % mod; /* counts down by two */
    default: return (uint32_t)(((int64_t)c->count - d % mod + mod) % mod);
    }
}

static uint16_t to_bcd(uint32_t v)
{
    return (uint16_t)(v / 1000 % 10 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10);
}

static uint32_t from_bcd(uint16_t v)
{
    return (v >> 12) * 1000u + (v >> 8 & 15) * 100u + (v >> 4 & 15) * 10u + (v & 15);
}

/* The tick of the next edge of OUT, -1 if none is to come. Mode 2 is low for a single tick: only
 * the rise behind it is given. */
static int64_t next_edge(const struct channel *c, int64_t now)
{
    int64_t d = elapsed(c, now);

    if (!c->loaded || c->stopped || (triggered(c) && !c->running))
        return -1;
    switch (c->mode) {
    case 2: return c->start + (d / c->count + 1) * c->count;
    case 3: return half_end(c, d);
    case 4:
    case 5:
        if (d <= c->count)
            return c->start + c->count + (d == c->count);
        return -1;
    default: return d < c->count ? c->start + c->count : -1;
    }
}

/* ---- channel 0's interrupt ---- */

static void set_timer(struct i8254 *s, int64_t now)
{
    const struct channel *c = &s->ch[0];
    int64_t edge = next_edge(c, now);

    if (edge < 0)
        timer_del(&s->timer);
    else
        timer_mod_ns(&s->timer, tick_ns(edge));
}

static void drive(struct i8254 *s)
{
    int64_t now = ticks_now(s);

    if (s->host)
        return;
    irq_set(&s->out, out(&s->ch[0], now));
    set_timer(s, now);
}

static void edge_due(void *opaque)
{
    struct i8254 *s = opaque;
    int64_t now = ticks_now(s);

    catch_up(&s->ch[0], now);
    if (s->ch[0].mode == 2)
        irq_lower(&s->out);
    drive(s);
}

/* ---- gates ---- */

static void set_gate(struct channel *c, bool gate, int64_t now)
{
    bool rise = gate && !c->gate;

    if (gate == c->gate)
        return;
    catch_up(c, now);
    if (!gate && !triggered(c) && c->loaded) {
        c->elapsed = elapsed(c, now);
        c->stopped = true;
    }
    c->gate = gate;
    if (!rise || !c->loaded)
        return;
    if (c->mode == 0 || c->mode == 4) {
        c->start = now - c->elapsed;
    } else {
        if (c->next)
            c->count = c->next;
        c->next = 0;
        c->null = false;
        c->start = now + 1;
        c->running = true;
    }
    c->stopped = false;
}

/* ---- registers ---- */

static void load(struct channel *c, uint16_t v, int64_t now)
{
    uint32_t n = c->bcd ? from_bcd(v) % modulus(c) : v;

    if (n == 0)
        n = modulus(c);
    catch_up(c, now);
    if (c->loaded && periodic(c) && !c->stopped) {
        int64_t d = elapsed(c, now);

        c->next = n;
        c->null = true;
        c->switch_at = c->mode == 3 ? half_end(c, d) : c->start + (d / c->count + 1) * c->count;
        return;
    }
    if (c->loaded && triggered(c) && c->running) {
        c->next = n; /* taken at the next trigger */
        c->switch_at = INT64_MAX;
        c->null = true;
        return;
    }
    c->count = n;
    c->next = 0;
    c->loaded = true;
    c->null = triggered(c);
    c->start = now + 1;
    c->elapsed = 0;
    c->stopped = !c->gate && !triggered(c);
}

static void write_count(struct channel *c, uint8_t v, int64_t now)
{
    switch (c->access) {
    case LSB: load(c, v, now); break;
    case MSB: load(c, (uint16_t)(v << 8), now); break;
    default:
        if (c->write_high) {
            load(c, (uint16_t)(v << 8 | c->write_low), now);
        } else {
            c->write_low = v;
            if (c->mode == 0) /* the first byte stops the counting */
                c->loaded = false;
        }
        c->write_high = !c->write_high;
        break;
    }
}

static uint16_t shown_count(const struct channel *c, int64_t now)
{
    uint32_t n = counter(c, now);

    return c->bcd ? to_bcd(n) : (uint16_t)n;
}

static void latch_count(struct channel *c, int64_t now)
{
    if (c->count_latched)
        return; /* the first one stands until it is read */
    c->count_latch = shown_count(c, now);
    c->count_latched = true;
    c->read_high = false;
}

static void latch_status(struct channel *c, int64_t now)
{
    if (c->status_latched)
        return;
    c->status_latch =
        (uint8_t)((out(c, now) ? STATUS_OUT : 0) | (c->null || !c->loaded ? STATUS_NULL : 0) |
                  c->access << 4 | c->mode << 1 | c->bcd);
    c->status_latched = true;
}

static void read_back(struct i8254 *s, uint8_t v, int64_t now)
{
    for (unsigned i = 0; i < CHANNELS; i++) {
        struct channel *c = &s->ch[i];

        if (!(v & 2u << i))
            continue;
        catch_up(c, now);
        if (!(v & READ_BACK_COUNT))
            latch_count(c, now);
        if (!(v & READ_BACK_STATUS))
            latch_status(c, now);
    }
}

static void write_control(struct i8254 *s, uint8_t v)
{
    int64_t now = ticks_now(s);
    unsigned n = v >> 6;
    struct channel *c;

    if (n == 3) {
        read_back(s, v, now);
        return;
    }
    c = &s->ch[n];
    catch_up(c, now);
    if ((v >> 4 & 3) == LATCH) {
        latch_count(c, now);
        return;
    }
    *c = (struct channel){
        .mode = (v >> 1 & 7) > 5 ? (v >> 1 & 3) : (v >> 1 & 7), /* 6 and 7 are 2 and 3 */
        .access = v >> 4 & 3,
        .bcd = v & CW_BCD,
        .gate = c->gate,
        .null = true,
        .count = c->count > 10000 && (v & CW_BCD) ? 10000 : c->count,
    };
    if (n == 0)
        drive(s);
}

static uint8_t read_count(struct channel *c, int64_t now)
{
    uint16_t v;
    bool high;

    if (c->status_latched) {
        c->status_latched = false;
        return c->status_latch;
    }
    catch_up(c, now);
    v = c->count_latched ? c->count_latch : shown_count(c, now);
    high = c->access == MSB || (c->access == BOTH && c->read_high);
    if (c->access == BOTH)
        c->read_high = !c->read_high;
    if (c->access != BOTH || high)
        c->count_latched = false;
    return (uint8_t)(high ? v >> 8 : v);
}

static uint64_t pit_read(void *opaque, uint64_t offset, unsigned size)
{
    struct i8254 *s = opaque;

    (void)size;
    return offset == CONTROL ? 0xff : read_count(&s->ch[offset], ticks_now(s));
}

static void pit_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct i8254 *s = opaque;

    (void)size;
    if (offset == CONTROL) {
        write_control(s, (uint8_t)value);
        return;
    }
    write_count(&s->ch[offset], (uint8_t)value, ticks_now(s));
    if (offset == 0)
        drive(s);
}

static uint64_t port61_read(void *opaque, uint64_t offset, unsigned size)
{
    struct i8254 *s = opaque;
    int64_t now = ticks_now(s);
    bool refresh = clock_ns(device_loop(&s->dev), CLK_VIRTUAL) / REFRESH_NS & 1;

    (void)offset, (void)size;
    catch_up(&s->ch[2], now);
    return s->portb | (refresh ? PORTB_REFRESH : 0) | (out(&s->ch[2], now) ? PORTB_OUT2 : 0);
}

static void port61_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct i8254 *s = opaque;

    (void)offset, (void)size;
    s->portb = value & PORTB_WRITE;
    set_gate(&s->ch[2], s->portb & PORTB_GATE, ticks_now(s));
}

bool i8254_speaker(const struct device *dev, uint32_t *period)
{
    const struct i8254 *s = (const struct i8254 *)dev;
    const struct channel *c = &s->ch[2];

    *period = periodic(c) && c->loaded && c->gate ? c->count : 0;
    return s->portb & PORTB_SPEAKER;
}

static const struct io_ops pit_io = {
    .read = pit_read,
    .write = pit_write,
    .own_sizes = { 1, 1 },
};
static const struct io_ops port61_io = {
    .read = port61_read,
    .write = port61_write,
    .own_sizes = { 1, 1 },
};

/* ---- where the host's kernel has it ---- */

void i8254_set_host(struct device *dev, const struct host_irqchip *host)
{
    struct i8254 *s = (struct i8254 *)dev;

    s->host = host;
    if (host) {
        timer_del(&s->timer);
        irq_lower(&s->out);
    } else {
        drive(s);
    }
}

static uint8_t bytes_left(const struct channel *c, bool high)
{
    return c->access == BOTH && high ? 4 : c->access;
}

static struct host_pit_counter store(const struct i8254 *s, const struct channel *c)
{
    int64_t age = elapsed(c, ticks_now(s));

    return (struct host_pit_counter){
        .mode = c->mode,
        .access = c->access,
        .next_read = bytes_left(c, c->read_high),
        .next_write = bytes_left(c, c->write_high),
        .low_written = c->write_low,
        .latched = c->count_latched ? bytes_left(c, c->read_high) : 0,
        .latch = c->count_latch,
        .status = c->status_latch,
        .status_latched = c->status_latched,
        .bcd = c->bcd,
        .gate = c->gate,
        .loaded = c->loaded,
        .count = c->next ? c->next : c->count,
        .age = (int64_t)((__int128)age * NS_PER_SEC / I8254_HZ),
    };
}

static void load_counter(const struct i8254 *s, struct channel *c, const struct host_pit_counter *r)
{
    int64_t age = (int64_t)((__int128)MAX(r->age, 0) * I8254_HZ / NS_PER_SEC);

    if (!r->loaded)
        return;
    *c = (struct channel){
        .mode = r->mode <= 5 ? r->mode : 3,
        .access = CLAMP(r->access, LSB, BOTH),
        .bcd = r->bcd,
        .gate = r->gate,
        .loaded = true,
        .write_low = r->low_written,
        .write_high = r->next_write == 4,
        .read_high = (r->latched ? r->latched : r->next_read) == 4,
        .count_latched = r->latched,
        .count_latch = r->latch,
        .status_latched = r->status_latched,
        .status_latch = r->status,
        .start = ticks_now(s) - age,
        .elapsed = age,
    };
    c->count = CLAMP(r->count, 1, modulus(c));
    c->running = triggered(c);
    c->stopped = !c->gate && !triggered(c);
}

void i8254_registers(struct device *dev, struct host_chips *r, bool load)
{
    struct i8254 *s = (struct i8254 *)dev;

    for (unsigned i = 0; i < CHANNELS; i++) {
        if (load)
            load_counter(s, &s->ch[i], &r->pit[i]);
        else
            r->pit[i] = store(s, &s->ch[i]);
    }
    if (load)
        s->portb = r->port61 & PORTB_WRITE;
    else
        r->port61 = s->portb;
}

/* ---- the device ---- */

static bool i8254_realize(struct device *dev, GError **err)
{
    struct i8254 *s = (struct i8254 *)dev;

    (void)err;
    timer_init(&s->timer, device_loop(dev), CLK_VIRTUAL, edge_due, s);
    mem_region_init_io(&s->io, device_mem(dev), &pit_io, s, "pit", 4);
    mem_region_init_io(&s->port61, device_mem(dev), &port61_io, s, "pcspk", 1);
    device_add_region(dev, &s->io);
    device_add_region(dev, &s->port61);
    device_irq_outs(dev, NULL, &s->out, 1);
    return true;
}

static void i8254_unrealize(struct device *dev)
{
    struct i8254 *s = (struct i8254 *)dev;

    mem_region_destroy(&s->io);
    mem_region_destroy(&s->port61);
    timer_del(&s->timer);
}

/* The chip comes up undefined; as on PCs nothing counts until it is told to. */
static void i8254_reset(struct device *dev)
{
    struct i8254 *s = (struct i8254 *)dev;

    s->portb = 0;
    for (unsigned i = 0; i < CHANNELS; i++)
        s->ch[i] = (struct channel){
            .mode = i ? 3 : 0, .access = BOTH, .gate = i != 2, .null = true, .count = 0x10000
        };
    drive(s);
}

static bool channel_loaded(void *obj, unsigned version, GError **err)
{
    const struct channel *c = obj;

    (void)version;
    if (c->mode <= 5 && c->access >= LSB && c->access <= BOTH && c->count >= 1 &&
        c->count <= modulus(c) && c->next <= modulus(c) && c->elapsed >= 0 &&
        c->start <= INT64_MAX / 2 && c->start >= -0x10000)
        return true;
    return error_set(err, "saved state: isa-pit: mode, count or time out of range");
}

static const struct state_field channel_fields[] = { STATE_U8(struct channel, mode),
                                                     STATE_U8(struct channel, access),
                                                     STATE_BOOL(struct channel, bcd),
                                                     STATE_BOOL(struct channel, gate),
                                                     STATE_BOOL(struct channel, loaded),
                                                     STATE_BOOL(struct channel, running),
                                                     STATE_BOOL(struct channel, stopped),
                                                     STATE_BOOL(struct channel, null),
                                                     STATE_U32(struct channel, count),
                                                     STATE_U32(struct channel, next),
                                                     STATE_I64(struct channel, start),
                                                     STATE_I64(struct channel, elapsed),
                                                     STATE_I64(struct channel, switch_at),
                                                     STATE_U8(struct channel, write_low),
                                                     STATE_BOOL(struct channel, write_high),
                                                     STATE_BOOL(struct channel, read_high),
                                                     STATE_BOOL(struct channel, count_latched),
                                                     STATE_BOOL(struct channel, status_latched),
                                                     STATE_U16(struct channel, count_latch),
                                                     STATE_U8(struct channel, status_latch),
                                                     STATE_END };
static const struct state_table channel_state = {
    .name = "channel", .version = 1, .fields = channel_fields, .post_load = channel_loaded
};

static bool i8254_loaded(void *obj, unsigned version, GError **err)
{
    struct i8254 *s = obj;

    (void)version, (void)err;
    s->portb &= PORTB_WRITE;
    drive(s);
    return true;
}

static const struct state_field i8254_fields[] = {
    STATE_U8(struct i8254, portb), STATE_STRUCT_ARRAY(struct i8254, ch, channel_state), STATE_END
};
static const struct state_table i8254_state = {
    .name = "i8254", .version = 1, .fields = i8254_fields, .post_load = i8254_loaded
};

const struct device_type i8254_type = {
    .name = "isa-pit",
    .help = "8254 interval timer, and port 61h",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct i8254),
    .internal = true,
    .category = "misc",
    .realize = i8254_realize,
    .reset = i8254_reset,
    .unrealize = i8254_unrealize,
    .state = &i8254_state,
};
