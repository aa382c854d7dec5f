/*
 * MC146818 real-time clock (Motorola MC146818A, 1984) with a century byte and two banks of 128
 * bytes, as in the PIIX chips.
 *
 * Time is that of -rtc plus an offset that the guest sets by setting the clock; it is put into the
 * registers when they are read. Flags of register C that nobody waits for are worked out when it is
 * read; timers run for enabled interrupts only.
 */
#include <hw/rtc/mc146818.h>

#include <base/bits.h>
#include <base/bug.h>
#include <base/clock.h>
#include <base/error.h>
#include <hw/core/machine.h>

enum {
    SECONDS = 0,
    SECONDS_ALARM = 1,
    MINUTES = 2,
    MINUTES_ALARM = 3,
    HOURS = 4,
    HOURS_ALARM = 5,
    WEEKDAY = 6,
    DAY = 7,
    MONTH = 8,
    YEAR = 9,
    REG_A = 10,
    REG_B = 11,
    REG_C = 12,
    REG_D = 13,
    CENTURY = 0x32,
};

#define A_UIP    0x80
#define A_DIV    0x70
#define A_RATE   0x0f
#define A_RESET  0x60 /* both bits: the divider chain is held in reset */
#define A_32KHZ  0x20
#define B_SET    0x80
#define B_PIE    0x40
#define B_AIE    0x20
#define B_UIE    0x10
#define B_SQWE   0x08
#define B_BINARY 0x04
#define B_24H    0x02
#define C_IRQF   0x80
#define C_PF     0x40
#define C_AF     0x20
#define C_UF     0x10
#define D_VRT    0x80

#define ANY       0xc0 /* alarm: both bits set match all values */
#define PM        0x80
#define NO_VALUE  0xff
#define DAY_S     86400
#define TICK_HZ   32768
#define UIP_NS    244000 /* "Update cycle": UIP comes this long before the update */
#define HALF_SEC  (NS_PER_SEC / 2)
#define BANK      128
#define NMI_MASK  0x80
#define DEFAULT_A (A_32KHZ | 6)
#define DEFAULT_B B_24H

struct mc146818 {
    struct device dev;
    struct mem_region io[2];
    struct irq_line irq;
    struct timer periodic, second;
    int64_t offset;     /* ns that the guest's clock is ahead of that of -rtc */
    int64_t halted;     /* its time while it stands (SET, or divider in reset), ns since 1970 */
    int64_t seen;       /* its time up to which register C is right */
    int64_t seen_ticks; /* and ticks of TICK_HZ on the virtual clock */
    uint8_t index[2];
    uint8_t weekday; /* days that the guest's weekday is ahead of the date's */
    uint8_t cmos[MC146818_CMOS_SIZE];
};

/* ---- time ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static bool standing(const struct mc146818 *r)
{
    return (r->cmos[REG_B] & B_SET) || (r->cmos[REG_A] & A_RESET) == A_RESET;
}

/* The guest's time of day in ns since 1970. */
static int64_t now_ns(const struct mc146818 *r)
{
    if (standing(r))
        return r->halted;
    return (int64_t)((uint64_t)clock_rtc_ns(device_loop(&r->dev)) + (uint64_t)r->offset);
}

static int64_t now_ticks(const struct mc146818 *r)
{
    return (int64_t)((__int128)clock_ns(device_loop(&r->dev), CLK_VIRTUAL) * TICK_HZ / NS_PER_SEC);
}

/* What a time is beyond a whole second, in ns. */
static int64_t fraction_of(int64_t ns)
{
    int64_t f = ns % NS_PER_SEC;

    return f < 0 ? f + NS_PER_SEC : f;
}

/* Days since 1970 of a date of the Gregorian calendar, and back; years count from March so that
 * the leap day is the last of its year. */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = floor_div(y, 400), yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void date_of(int64_t days, int *year, int *month, int *day)
{
    int64_t z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = (int)(yoe + era * 400 + (*month <= 2));
}

/* ---- registers' formats ---- */

static uint8_t encode(const struct mc146818 *r, unsigned v)
{
    return (uint8_t)(r->cmos[REG_B] & B_BINARY ? v : (v / 10 << 4 | v % 10));
}

static unsigned decode(const struct mc146818 *r, uint8_t v)
{
    return r->cmos[REG_B] & B_BINARY ? v : (v >> 4) * 10u + (v & 15);
}

static uint8_t encode_hour(const struct mc146818 *r, unsigned hour)
{
    if (r->cmos[REG_B] & B_24H)
        return encode(r, hour);
    return encode(r, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? PM : 0);
}

static unsigned decode_hour(const struct mc146818 *r, uint8_t v)
{
    if (r->cmos[REG_B] & B_24H)
        return decode(r, v);
    return decode(r, v & ~PM) % 12 + (v & PM ? 12 : 0);
}

/* The weekday that the date has: 0 for Sunday. */
static unsigned true_weekday(const struct mc146818 *r)
{
    int64_t days = floor_div(now_ns(r), NS_PER_SEC * DAY_S);

    return (unsigned)((days % 7 + 7 + 4) % 7); /* 1970 began on a Thursday */
}

/* Writes the time into the registers. */
static void show_time(struct mc146818 *r)
{
    int64_t t = floor_div(now_ns(r), NS_PER_SEC), days = floor_div(t, DAY_S);
    unsigned s = (unsigned)(t - days * DAY_S);
    int year, month, day;

    date_of(days, &year, &month, &day);
    r->cmos[SECONDS] = encode(r, s % 60);
    r->cmos[MINUTES] = encode(r, s / 60 % 60);
    r->cmos[HOURS] = encode_hour(r, s / 3600);
    r->cmos[WEEKDAY] = encode(r, (true_weekday(r) + r->weekday) % 7 + 1);
    r->cmos[DAY] = encode(r, (unsigned)day);
    r->cmos[MONTH] = encode(r, (unsigned)month);
    r->cmos[YEAR] = encode(r, (unsigned)year % 100);
    r->cmos[CENTURY] = encode(r, (unsigned)year / 100 % 100);
}

/* The time that the registers show, with the fraction of a second given. Values out of range carry
 * over, as in a date like February 30th between two writes. */
static int64_t shown_time(const struct mc146818 *r, int64_t fraction)
{
    int year = (int)(decode(r, r->cmos[CENTURY]) * 100 + decode(r, r->cmos[YEAR]));
    unsigned month = decode(r, r->cmos[MONTH]);
    int64_t days, s;

    days = days_of(year,
                   month < 1    ? 1
                   : month > 12 ? 12
                                : (int)month,
                   (int)decode(r, r->cmos[DAY]));
    s = days * DAY_S + decode_hour(r, r->cmos[HOURS]) * INT64_C(3600) +
        decode(r, r->cmos[MINUTES]) * INT64_C(60) + decode(r, r->cmos[SECONDS]);
    s = CLAMP(s, INT64_MIN / NS_PER_SEC + 1, INT64_MAX / NS_PER_SEC - 1); /* 1677 to 2262 */
    return s * NS_PER_SEC + fraction;
}

/* The clock is made to show `t`. */
static void set_time(struct mc146818 *r, int64_t t)
{
    r->offset = (int64_t)((uint64_t)t - (uint64_t)clock_rtc_ns(device_loop(&r->dev)));
    r->seen = t;
}

/* Nothing ties the weekday to the date: Sunday is 1, but the guest may count otherwise. */
static void set_weekday(struct mc146818 *r, unsigned shown)
{
    r->weekday = (uint8_t)((shown + 7 - 1 + 7 - true_weekday(r)) % 7);
}

static bool is_time(uint8_t index)
{
    switch (index) {
    case SECONDS:
    case MINUTES:
    case HOURS:
    case WEEKDAY:
    case DAY:
    case MONTH:
    case YEAR:
    case CENTURY: return true;
    default: return false;
    }
}

/* ---- interrupts ---- */

/* Ticks between periodic interrupts, 0 for none (table 5, 32.768 kHz time base). */
static int64_t period(const struct mc146818 *r)
{
    unsigned rate = r->cmos[REG_A] & A_RATE;

    if (!rate || (r->cmos[REG_A] & A_RESET) == A_RESET)
        return 0;
    return INT64_C(1) << (rate <= 2 ? rate + 6 : rate - 1);
}

/* Value of an alarm register, NO_VALUE where it matches all. */
static unsigned alarm_value(const struct mc146818 *r, unsigned index)
{
    uint8_t v = r->cmos[index];

    if ((v & ANY) == ANY)
        return NO_VALUE;
    return index == HOURS_ALARM ? decode_hour(r, v) : decode(r, v);
}

static bool matches(unsigned alarm, int64_t v)
{
    return alarm == NO_VALUE || alarm == v;
}

/* The first second after `t` (both since 1970) that the alarm names; INT64_MAX: never. */
static int64_t next_alarm(const struct mc146818 *r, int64_t t)
{
    unsigned s = alarm_value(r, SECONDS_ALARM), m = alarm_value(r, MINUTES_ALARM);
    unsigned h = alarm_value(r, HOURS_ALARM);
    int64_t at = t + 1;

    if ((s != NO_VALUE && s > 59) || (m != NO_VALUE && m > 59) || (h != NO_VALUE && h > 23))
        return INT64_MAX;
    while (at <= t + DAY_S) {
        int64_t of_day = at - floor_div(at, DAY_S) * DAY_S;

        if (!matches(h, of_day / 3600))
            at += 3600 - of_day % 3600;
        else if (!matches(m, of_day / 60 % 60))
            at += 60 - of_day % 60;
        else if (!matches(s, of_day % 60))
            at++;
        else
            return at;
    }
    return INT64_MAX;
}

/* Brings register C up to now. */
static void settle(struct mc146818 *r)
{
    int64_t ticks = now_ticks(r), every = period(r), now = now_ns(r);
    int64_t from = floor_div(r->seen, NS_PER_SEC), to = floor_div(now, NS_PER_SEC);

    if (every && ticks / every != r->seen_ticks / every)
        r->cmos[REG_C] |= C_PF;
    if (!standing(r) && to > from) {
        r->cmos[REG_C] |= C_UF;
        if (next_alarm(r, from) <= to)
            r->cmos[REG_C] |= C_AF;
    }
    r->seen_ticks = ticks;
    r->seen = now;
}

static void update_irq(struct mc146818 *r)
{
    bool on = r->cmos[REG_C] & r->cmos[REG_B] & (C_PF | C_AF | C_UF);

    r->cmos[REG_C] = (r->cmos[REG_C] & ~C_IRQF) | (on ? C_IRQF : 0);
    irq_set(&r->irq, on);
}

static void set_periodic(struct mc146818 *r)
{
    int64_t every = period(r);
    __int128 next = every ? (r->seen_ticks / every + 1) * every : 0;

    if (!every || !(r->cmos[REG_B] & B_PIE))
        timer_del(&r->periodic);
    else
        timer_mod_ns(&r->periodic, (int64_t)((next * NS_PER_SEC + TICK_HZ - 1) / TICK_HZ));
}

static void set_second(struct mc146818 *r)
{
    int64_t t = floor_div(r->seen, NS_PER_SEC), at = INT64_MAX;

    if (r->cmos[REG_B] & B_AIE)
        at = next_alarm(r, t);
    if (r->cmos[REG_B] & B_UIE)
        at = t + 1;
    if (standing(r) || at >= INT64_MAX / NS_PER_SEC) {
        timer_del(&r->second);
        return;
    }
    timer_mod_ns(&r->second,
                 clock_rtc_deadline(device_loop(&r->dev),
                                    (int64_t)((uint64_t)at * NS_PER_SEC - (uint64_t)r->offset)));
}

static void rearm(struct mc146818 *r)
{
    set_periodic(r);
    set_second(r);
    update_irq(r);
}

static void periodic_due(void *opaque)
{
    settle(opaque);
    set_periodic(opaque);
    update_irq(opaque);
}

static void second_due(void *opaque)
{
    settle(opaque);
    set_second(opaque);
    update_irq(opaque);
}

/* ---- registers ---- */

/* While the clock stands its registers are plain memory, so that they can be set one by one. */
static void halt(struct mc146818 *r)
{
    show_time(r);
    r->halted = r->seen;
}

/* With the divider released the first update comes after half a second ("Divider control"), else
 * with the fraction of a second that it stood at. */
static void go_on(struct mc146818 *r, bool was_reset)
{
    int64_t fraction = fraction_of(r->halted);
    unsigned weekday = decode(r, r->cmos[WEEKDAY]) % 7;

    set_time(r, shown_time(r, was_reset ? HALF_SEC : fraction));
    set_weekday(r, weekday);
}

static void write_control(struct mc146818 *r, uint8_t index, uint8_t v)
{
    bool was = standing(r), was_reset = (r->cmos[REG_A] & A_RESET) == A_RESET;
    uint8_t a = r->cmos[REG_A], b = r->cmos[REG_B];

    settle(r);
    if (index == REG_A)
        a = v & ~A_UIP;
    else
        b = v & B_SET ? v & ~B_UIE : v; /* SET clears UIE */
    if (!was && ((b & B_SET) || (a & A_RESET) == A_RESET))
        halt(r);
    r->cmos[REG_A] = a;
    r->cmos[REG_B] = b;
    if (was && !standing(r))
        go_on(r, was_reset);
    rearm(r);
}

static void write_time(struct mc146818 *r, uint8_t index, uint8_t v)
{
    int64_t now;

    if (standing(r)) {
        r->cmos[index] = v;
        return;
    }
    settle(r);
    now = now_ns(r);
    show_time(r);
    r->cmos[index] = v;
    if (index == WEEKDAY)
        set_weekday(r, decode(r, v) % 7);
    else
        set_time(r, shown_time(r, fraction_of(now)));
    rearm(r);
}

static void cmos_write(struct mc146818 *r, uint8_t index, uint8_t v)
{
    if (is_time(index)) {
        write_time(r, index, v);
        return;
    }
    switch (index) {
    case REG_A:
    case REG_B: write_control(r, index, v); return;
    case REG_C:
    case REG_D: return; /* read only */
    case SECONDS_ALARM:
    case MINUTES_ALARM:
    case HOURS_ALARM:
        settle(r);
        r->cmos[index] = v;
        rearm(r);
        return;
    default: r->cmos[index] = v; return;
    }
}

static uint8_t read_a(const struct mc146818 *r)
{
    int64_t now = now_ns(r);
    int64_t left = NS_PER_SEC - fraction_of(now);

    return r->cmos[REG_A] | (!standing(r) && left <= UIP_NS ? A_UIP : 0);
}

static uint8_t read_c(struct mc146818 *r)
{
    uint8_t v;

    settle(r);
    update_irq(r);
    v = r->cmos[REG_C];
    r->cmos[REG_C] = 0;
    update_irq(r);
    return v;
}

static uint8_t cmos_read(struct mc146818 *r, uint8_t index)
{
    if (is_time(index) && !standing(r))
        show_time(r);
    switch (index) {
    case REG_A: return read_a(r);
    case REG_C: return read_c(r);
    case REG_D: return D_VRT;
    default: return r->cmos[index];
    }
}

/* The index register cannot be read; bit 7 of it masks NMIs, of which a PC without parity errors
 * has none to mask. */
static uint64_t low_read(void *opaque, uint64_t offset, unsigned size)
{
    struct mc146818 *r = opaque;

    (void)size;
    return offset ? cmos_read(r, r->index[0]) : 0xff;
}

static void low_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct mc146818 *r = opaque;

    (void)size;
    if (offset)
        cmos_write(r, r->index[0], (uint8_t)value);
    else
        r->index[0] = value & ~NMI_MASK;
}

static uint64_t high_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct mc146818 *r = opaque;

    (void)size;
    return offset ? r->cmos[BANK + r->index[1]] : r->index[1];
}

static void high_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct mc146818 *r = opaque;

    (void)size;
    if (offset)
        r->cmos[BANK + r->index[1]] = (uint8_t)value;
    else
        r->index[1] = value & (BANK - 1);
}

static const struct io_ops rtc_io[2] = {
    { .read = low_read, .write = low_write, .own_sizes = { 1, 1 } },
    { .read = high_read, .write = high_write, .own_sizes = { 1, 1 } },
};

void mc146818_set(struct device *dev, uint8_t index, uint8_t value)
{
    bug_on(is_time(index) || index <= REG_D);
    ((struct mc146818 *)dev)->cmos[index] = value;
}

uint8_t mc146818_get(const struct device *dev, uint8_t index)
{
    return ((const struct mc146818 *)dev)->cmos[index];
}

/* ---- the device ---- */

static bool rtc_realize(struct device *dev, GError **err)
{
    static const char *const names[2] = { "rtc", "rtc-extended" };
    struct mc146818 *r = (struct mc146818 *)dev;
    struct loop *loop = device_loop(dev);

    (void)err;
    timer_init(&r->periodic, loop, CLK_VIRTUAL, periodic_due, r);
    timer_init(&r->second, loop, clock_rtc_source(loop), second_due, r);
    for (unsigned i = 0; i < 2; i++) {
        mem_region_init_io(&r->io[i], device_mem(dev), &rtc_io[i], r, names[i], 2);
        mem_region_set_late(&r->io[i], 0, 1); /* the index */
        device_add_region(dev, &r->io[i]);
    }
    device_irq_outs(dev, NULL, &r->irq, 1);
    r->cmos[REG_A] = DEFAULT_A;
    r->cmos[REG_B] = DEFAULT_B;
    return true;
}

static void rtc_unrealize(struct device *dev)
{
    struct mc146818 *r = (struct mc146818 *)dev;

    mem_region_destroy(&r->io[0]);
    mem_region_destroy(&r->io[1]);
    timer_del(&r->periodic);
    timer_del(&r->second);
}

/* The battery keeps time and memory; what RESET# clears is in "Reset". */
static void rtc_reset(struct device *dev)
{
    struct mc146818 *r = (struct mc146818 *)dev;

    r->cmos[REG_B] &= ~(B_PIE | B_AIE | B_UIE | B_SQWE);
    r->cmos[REG_C] = 0;
    r->index[0] = r->index[1] = 0;
    r->seen = now_ns(r);
    r->seen_ticks = now_ticks(r);
    rearm(r);
}

static bool rtc_loaded(void *obj, unsigned version, GError **err)
{
    struct mc146818 *r = obj;

    (void)version;
    if (r->index[0] >= BANK || r->index[1] >= BANK || r->weekday >= 7 || r->seen_ticks < 0 ||
        r->seen_ticks > INT64_MAX / NS_PER_SEC * TICK_HZ)
        return error_set(err, "saved state: mc146818rtc: index or time out of range");
    rearm(r);
    return true;
}

static const struct state_field rtc_fields[] = {
    STATE_I64(struct mc146818, offset), STATE_I64(struct mc146818, halted),
    STATE_I64(struct mc146818, seen),   STATE_I64(struct mc146818, seen_ticks),
    STATE_BUF(struct mc146818, index),  STATE_U8(struct mc146818, weekday),
    STATE_BUF(struct mc146818, cmos),   STATE_END
};
static const struct state_table rtc_state = {
    .name = "mc146818", .version = 1, .fields = rtc_fields, .post_load = rtc_loaded
};

const struct device_type mc146818_type = {
    .name = "mc146818rtc",
    .help = "MC146818 real-time clock with CMOS memory",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct mc146818),
    .internal = true,
    .category = "misc",
    .realize = rtc_realize,
    .reset = rtc_reset,
    .unrealize = rtc_unrealize,
    .state = &rtc_state,
};
