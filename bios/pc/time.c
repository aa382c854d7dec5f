/* The timer's ticks, the clock and INT 1Ah (Interrupt List, INT 1A and INT 15/86). */
#include "low.h"

#define TICKS_A_DAY 1573040u

enum { RTC_SECONDS = 0, RTC_MINUTES = 2, RTC_HOURS = 4, RTC_DAY = 7, RTC_MONTH = 8, RTC_YEAR = 9 };
enum { RTC_A = 0x0a, RTC_B = 0x0b, RTC_C = 0x0c, RTC_CENTURY = 0x32 };
enum { B_SET = 0x80, B_PERIODIC = 0x40, B_ALARM = 0x20, B_24H = 0x02 };

void delay_us(uint32_t us)
{
    struct limit l;

    limit_start(&l, 0);
    l.left = us + us / 5 + 1;
    while (!limit_reached(&l))
        continue;
}

static uint32_t bcd(uint8_t v)
{
    return (v >> 4) * 10u + (v & 15);
}

void timer_init(void)
{
    outb(0x43, 0x34); /* channel 0, mode 2, 65536 */
    outb(0x40, 0);
    outb(0x40, 0);
}

void time_init(void)
{
    uint32_t seconds;

    timer_init();
    cmos_write(RTC_A, 0x26);
    cmos_write(RTC_B, B_24H);
    cmos_read(RTC_C);
    seconds = bcd(cmos_read(RTC_HOURS)) * 3600 + bcd(cmos_read(RTC_MINUTES)) * 60 +
              bcd(cmos_read(RTC_SECONDS));
    bda_write32(BDA_TICKS, seconds * 18 + seconds * 2065 / 10000);
    outb(0xa1, inb(0xa1) & ~1);
}

void tick(void)
{
    uint32_t ticks = bda_read32(BDA_TICKS) + 1;

    if (ticks >= TICKS_A_DAY) {
        ticks = 0;
        bda_write8(BDA_MIDNIGHT, bda_read8(BDA_MIDNIGHT) + 1);
    }
    bda_write32(BDA_TICKS, ticks);
    floppy_motor_tick();
    console_poll();
}

/* ---- waiting by the clock's periodic interrupt, 1024 a second ---- */

static void stop_wait(void)
{
    bda_write8(BDA_WAIT_ACTIVE, 0);
    cmos_write(RTC_B, cmos_read(RTC_B) & ~B_PERIODIC);
}

void rtc_tick(void)
{
    uint8_t why = cmos_read(RTC_C);
    uint32_t left;

    if (why & B_ALARM)
        __asm__ volatile("int $0x4a" : : : "memory");
    if (!(why & B_PERIODIC) || !bda_read8(BDA_WAIT_ACTIVE))
        return;
    left = bda_read32(BDA_WAIT_COUNT);
    if (left > 977) {
        bda_write32(BDA_WAIT_COUNT, left - 977);
        return;
    }
    far_write8(bda_read16(BDA_WAIT_FLAG_PTR + 2), bda_read16(BDA_WAIT_FLAG_PTR),
               far_read8(bda_read16(BDA_WAIT_FLAG_PTR + 2), bda_read16(BDA_WAIT_FLAG_PTR)) | 0x80);
    stop_wait();
}

static void start_wait(struct regs *r)
{
    set_flag(r, FLAG_CF, bda_read8(BDA_WAIT_ACTIVE));
    if (bda_read8(BDA_WAIT_ACTIVE))
        return;
    bda_write16(BDA_WAIT_FLAG_PTR, r->bx);
    bda_write16(BDA_WAIT_FLAG_PTR + 2, r->es);
    bda_write32(BDA_WAIT_COUNT, (uint32_t)r->cx << 16 | r->dx);
    bda_write8(BDA_WAIT_ACTIVE, 1);
    cmos_write(RTC_B, cmos_read(RTC_B) | B_PERIODIC);
}

void time_wait(struct regs *r)
{
    uint32_t us = (uint32_t)r->cx << 16 | r->dx;

    set_flag(r, FLAG_CF, false);
    if (r->ah == 0x86) {
        for (; us > 1000000; us -= 1000000)
            delay_us(1000000);
        delay_us(us);
    } else if (r->al == 0) {
        start_wait(r);
    } else {
        stop_wait();
    }
}

/* ---- INT 1Ah ---- */

static void set_clock(bool on)
{
    uint8_t b = cmos_read(RTC_B);

    cmos_write(RTC_B, on ? b & ~B_SET : b | B_SET);
}

static void get_time(struct regs *r)
{
    r->ch = cmos_read(RTC_HOURS);
    r->cl = cmos_read(RTC_MINUTES);
    r->dh = cmos_read(RTC_SECONDS);
    r->dl = cmos_read(RTC_B) & 1;
}

static void get_date(struct regs *r)
{
    r->ch = cmos_read(RTC_CENTURY);
    r->cl = cmos_read(RTC_YEAR);
    r->dh = cmos_read(RTC_MONTH);
    r->dl = cmos_read(RTC_DAY);
}

static void set_time(const struct regs *r)
{
    set_clock(false);
    cmos_write(RTC_HOURS, r->ch);
    cmos_write(RTC_MINUTES, r->cl);
    cmos_write(RTC_SECONDS, r->dh);
    cmos_write(RTC_B, (cmos_read(RTC_B) & ~1) | (r->dl & 1));
    set_clock(true);
}

static void set_date(const struct regs *r)
{
    set_clock(false);
    cmos_write(RTC_CENTURY, r->ch);
    cmos_write(RTC_YEAR, r->cl);
    cmos_write(RTC_MONTH, r->dh);
    cmos_write(RTC_DAY, r->dl);
    set_clock(true);
}

static void set_alarm(struct regs *r)
{
    set_flag(r, FLAG_CF, cmos_read(RTC_B) & B_ALARM);
    if (r->flags & FLAG_CF)
        return;
    cmos_write(RTC_HOURS + 1, r->ch);
    cmos_write(RTC_MINUTES + 1, r->cl);
    cmos_write(RTC_SECONDS + 1, r->dh);
    cmos_write(RTC_B, cmos_read(RTC_B) | B_ALARM);
}

void int1a(struct regs *r)
{
    uint8_t function = r->ah;

    if (function == 0xb1) {
        pci_bios(r);
        return;
    }
    set_flag(r, FLAG_CF, function > 7);
    switch (function) {
    case 0:
        __asm__ volatile("cli");
        r->cx = bda_read16(BDA_TICKS + 2);
        r->dx = bda_read16(BDA_TICKS);
        r->al = bda_read8(BDA_MIDNIGHT);
        bda_write8(BDA_MIDNIGHT, 0);
        break;
    case 1:
        bda_write32(BDA_TICKS, (uint32_t)r->cx << 16 | r->dx);
        bda_write8(BDA_MIDNIGHT, 0);
        break;
    case 2: get_time(r); break;
    case 3: set_time(r); break;
    case 4: get_date(r); break;
    case 5: set_date(r); break;
    case 6: set_alarm(r); break;
    case 7: cmos_write(RTC_B, cmos_read(RTC_B) & ~B_ALARM); break;
    }
}
