/* The PC's interrupt controllers, interval timer and real-time clock. */
#include <glib.h>
#include "qclient.h"

static struct qclient *q;

static uint8_t in(uint16_t port)
{
    return (uint8_t)g_ascii_strtoull(qc_cmd(q, "inb 0x%x", port), NULL, 0);
}

static void out(uint16_t port, uint8_t v)
{
    qc_cmd(q, "outb 0x%x 0x%x", port, v);
}

/* ---- 8259: acknowledged by its poll command ---- */

enum { PIC = 0x20, PIC_DATA = 0x21, PIC2 = 0xa0, PIC2_DATA = 0xa1, ELCR = 0x4d0 };

static void line(unsigned n, bool level)
{
    qc_cmd(q, "set_irq_in /machine/pic unnamed-gpio-in %u %d", n, level);
}

static void init_pic(uint8_t icw4)
{
    static const uint16_t ports[] = { PIC, PIC2 };

    for (unsigned i = 0; i < 2; i++) {
        out(ports[i], 0x11);
        out(ports[i] + 1, i ? 0x70 : 0x08);
        out(ports[i] + 1, i ? 0x02 : 0x04);
        out(ports[i] + 1, icw4);
    }
}

static uint8_t poll(uint16_t port)
{
    out(port, 0x0c);
    return in(port);
}

static uint8_t isr(uint16_t port)
{
    out(port, 0x0b);
    return in(port);
}

static uint8_t irr(uint16_t port)
{
    out(port, 0x0a);
    return in(port);
}

static void test_pic_nesting(void)
{
    init_pic(1);
    out(PIC_DATA, 0);
    out(PIC2_DATA, 0);
    line(5, true);
    line(5, false); /* latched */
    g_assert_cmphex(irr(PIC), ==, 0x20);
    g_assert_true(qc_irq(q, 0));
    g_assert_cmphex(poll(PIC), ==, 0x85);
    g_assert_false(qc_irq(q, 0));
    g_assert_cmphex(isr(PIC), ==, 0x20);
    line(6, true);
    g_assert_false(qc_irq(q, 0)); /* lower */
    line(3, true);
    g_assert_true(qc_irq(q, 0)); /* higher */
    g_assert_cmphex(poll(PIC), ==, 0x83);
    g_assert_cmphex(isr(PIC), ==, 0x28);
    out(PIC, 0x20); /* ends the most urgent */
    g_assert_cmphex(isr(PIC), ==, 0x20);
    out(PIC, 0x65);
    g_assert_cmphex(poll(PIC), ==, 0x86);
    out(PIC, 0x66);
    line(3, false);
    line(6, false);
    g_assert_cmphex(poll(PIC), ==, 0);
}

static void test_pic_cascade(void)
{
    init_pic(1);
    line(12, true);
    line(9, true);
    g_assert_cmphex(irr(PIC), ==, 0x04);
    g_assert_cmphex(poll(PIC), ==, 0x82);
    g_assert_cmphex(poll(PIC2), ==, 0x81);
    g_assert_false(qc_irq(q, 0));
    line(8, true); /* more urgent, but the master is nested by input */
    g_assert_false(qc_irq(q, 0));
    out(PIC, 0x20);
    g_assert_true(qc_irq(q, 0));
    g_assert_cmphex(poll(PIC), ==, 0x82);
    g_assert_cmphex(poll(PIC2), ==, 0x80);
    out(PIC2, 0x20);
    out(PIC2, 0x20);
    out(PIC, 0x20);
    g_assert_cmphex(poll(PIC), ==, 0x82);
    g_assert_cmphex(poll(PIC2), ==, 0x84);
    out(PIC2, 0x20);
    out(PIC, 0x20);
    for (unsigned n = 8; n < 16; n++)
        line(n, false);

    /* special fully nested: the slave in service may go on asking */
    init_pic(0x11);
    line(12, true);
    g_assert_cmphex(poll(PIC), ==, 0x82);
    g_assert_cmphex(poll(PIC2), ==, 0x84);
    line(9, true);
    g_assert_true(qc_irq(q, 0));
    g_assert_cmphex(poll(PIC), ==, 0x82);
    line(9, false);
    line(12, false);
}

static void test_pic_modes(void)
{
    char *state;

    init_pic(1);
    /* masks and special mask mode: a masked level in service blocks nobody */
    line(1, true);
    g_assert_cmphex(poll(PIC), ==, 0x81);
    line(4, true);
    g_assert_false(qc_irq(q, 0));
    out(PIC_DATA, 0x02);
    g_assert_false(qc_irq(q, 0));
    out(PIC, 0x68);
    g_assert_true(qc_irq(q, 0));
    g_assert_cmphex(poll(PIC), ==, 0x84);
    out(PIC, 0x20);
    g_assert_cmphex(isr(PIC), ==, 0x02);
    out(PIC, 0x48);
    out(PIC, 0x20);
    g_assert_cmphex(isr(PIC), ==, 0x00);
    line(1, false);
    line(4, false);
    out(PIC_DATA, 0);

    /* set priority: 4 lowest, so 5 highest */
    out(PIC, 0xc4);
    line(0, true);
    line(5, true);
    state = qc_save(q);
    g_assert_cmphex(poll(PIC), ==, 0x85);
    qc_load(q, state);
    g_free(state);
    g_assert_cmphex(poll(PIC), ==, 0x85);
    out(PIC, 0xa0); /* ends it, 5 is lowest now */
    line(6, true);
    g_assert_cmphex(poll(PIC), ==, 0x86);
    out(PIC, 0x20);
    g_assert_cmphex(poll(PIC), ==, 0x80);
    out(PIC, 0x20);
    for (unsigned n = 0; n < 8; n++)
        line(n, false);

    /* automatic end of interrupt, with rotation */
    init_pic(3);
    out(PIC, 0x80);
    line(3, true);
    g_assert_cmphex(poll(PIC), ==, 0x83);
    g_assert_cmphex(isr(PIC), ==, 0);
    line(3, false);
    line(3, true);
    line(4, true);
    g_assert_cmphex(poll(PIC), ==, 0x84);
    g_assert_cmphex(poll(PIC), ==, 0x83);
    line(3, false);
    line(4, false);

    /* levels ask as long as they are there */
    init_pic(1);
    out(ELCR, 0xff);
    out(ELCR + 1, 0xff);
    g_assert_cmphex(in(ELCR), ==, 0xf8);
    g_assert_cmphex(in(ELCR + 1), ==, 0xde);
    line(5, true);
    g_assert_cmphex(poll(PIC), ==, 0x85);
    out(PIC, 0x20);
    g_assert_true(qc_irq(q, 0));
    line(5, false);
    g_assert_false(qc_irq(q, 0));
    out(ELCR, 0);
    out(ELCR + 1, 0);
}

/* ---- 8254 ---- */

enum { CH0 = 0x40, CH2 = 0x42, CW = 0x43, PORTB = 0x61 };
#define TICK_NS 838.0953

static void step_ticks(unsigned n)
{
    qc_clock_step(q, (int64_t)(n * TICK_NS + 1));
}

static uint16_t count(unsigned ch)
{
    uint8_t low;

    out(CW, (uint8_t)(ch << 6));
    low = in((uint16_t)(CH0 + ch));
    return (uint16_t)(in((uint16_t)(CH0 + ch)) << 8 | low);
}

static void program(unsigned ch, unsigned mode, uint16_t n)
{
    out(CW, (uint8_t)(ch << 6 | 0x30 | mode << 1));
    out((uint16_t)(CH0 + ch), n & 0xff);
    out((uint16_t)(CH0 + ch), n >> 8);
}

static uint8_t status(unsigned ch)
{
    out(CW, (uint8_t)(0xe0 | 2 << ch));
    return in((uint16_t)(CH0 + ch));
}

static void test_pit_modes(void)
{
    uint16_t a;

    qc_reset(q);
    init_pic(1);
    /* 0: interrupt on terminal count */
    program(0, 0, 1000);
    g_assert_cmphex(status(0), ==, 0x30);
    step_ticks(500);
    a = count(0);
    g_assert_cmpint(a, >=, 498);
    g_assert_cmpint(a, <=, 502);
    g_assert_cmphex(irr(PIC), ==, 0);
    step_ticks(503);
    g_assert_cmphex(irr(PIC), ==, 1);
    g_assert_cmphex(status(0), ==, 0xb0);
    step_ticks(10);
    g_assert_cmpint(count(0), >, 65000); /* counts on */

    /* 2: a tick each period */
    init_pic(3);
    program(0, 2, 11931); /* a little under 10 ms */
    poll(PIC);
    qc_clock_step(q, 5000);
    for (unsigned i = 0; i < 100; i++) {
        qc_clock_step(q, 10000000);
        g_assert_cmphex(poll(PIC), ==, 0x80);
        g_assert_cmphex(poll(PIC), ==, 0);
    }
    /* a new count takes effect with the next period */
    out(CH0, 100);
    out(CH0, 0);
    g_assert_cmphex(status(0), ==, 0xf4);
    g_assert_cmpint(count(0), >, 1000);
    step_ticks(11932);
    g_assert_cmphex(status(0), ==, 0xb4);
    g_assert_cmpint(count(0), <=, 100);

    /* 3: a square wave; the count goes down by two */
    program(2, 3, 1000);
    out(PORTB, 1);
    step_ticks(1);
    g_assert_cmphex(in(PORTB)&0x20, ==, 0x20);
    step_ticks(500);
    g_assert_cmphex(in(PORTB)&0x20, ==, 0);
    a = count(2);
    g_assert_cmpint(a, >=, 990);
    g_assert_cmpint(a & 1, ==, 0);
    step_ticks(500);
    g_assert_cmphex(in(PORTB)&0x20, ==, 0x20);
    out(PORTB, 0); /* the gate stops it, high */
    step_ticks(500);
    g_assert_cmphex(in(PORTB)&0x20, ==, 0x20);
    a = count(2);
    step_ticks(77);
    g_assert_cmpint(count(2), ==, a);

    /* 1 and 5: triggered by the gate */
    program(2, 1, 200);
    step_ticks(300);
    g_assert_cmphex(in(PORTB)&0x20, ==, 0x20);
    out(PORTB, 1);
    step_ticks(100);
    g_assert_cmphex(in(PORTB)&0x20, ==, 0);
    step_ticks(102);
    g_assert_cmphex(in(PORTB)&0x20, ==, 0x20);

    /* 0 stands while the gate is low */
    program(2, 0, 1000);
    step_ticks(300);
    out(PORTB, 0);
    step_ticks(2000);
    a = count(2);
    g_assert_cmpint(a, >=, 697);
    g_assert_cmpint(a, <=, 701);
    out(PORTB, 1);
    step_ticks(703);
    g_assert_cmphex(in(PORTB)&0x20, ==, 0x20);
}

static void test_pit_access(void)
{
    uint8_t low;
    char *state;

    /* BCD */
    out(CW, 0xb1);
    out(CH2, 0x00);
    out(CH2, 0x10);
    out(PORTB, 1);
    step_ticks(11);
    out(CW, 0x80);
    low = in(CH2);
    g_assert_cmphex(low, >=, 0x88);
    g_assert_cmphex(low, <=, 0x91);
    g_assert_cmphex(in(CH2), ==, 0x09);
    /* a latch holds while the counter goes on; status is read before it */
    out(CW, 0xc8);
    step_ticks(500);
    g_assert_cmphex(in(CH2), ==, 0x31);
    state = qc_save(q);
    low = in(CH2);
    g_assert_cmphex(in(CH2), ==, 0x09);
    qc_load(q, state);
    g_assert_cmphex(in(CH2), ==, low);
    g_assert_cmphex(in(CH2), ==, 0x09);
    g_assert_cmphex(in(CH2)&0, ==, 0);
    g_assert_cmphex(in(CH2), <, 0x09);
    g_free(state);
    /* one byte only */
    out(CW, 0x90);
    out(CH2, 50);
    g_assert_cmpint(in(CH2), <=, 50);
    /* the refresh bit toggles */
    low = in(PORTB)&0x10;
    qc_clock_step(q, 15085);
    g_assert_cmphex(in(PORTB)&0x10, !=, low);
}

/* ---- MC146818 ---- */

static uint8_t cmos(uint8_t i)
{
    out(0x70, i);
    return in(0x71);
}

static void set_cmos(uint8_t i, uint8_t v)
{
    out(0x70, i);
    out(0x71, v);
}

static void test_rtc_time(void)
{
    char *state;

    qc_reset(q); /* the timer stands */
    g_assert_cmphex(cmos(9), ==, 0x04);
    g_assert_cmphex(cmos(0x32), ==, 0x20);
    g_assert_cmphex(cmos(0x0d), ==, 0x80);
    set_cmos(0x0b, 0x82);
    set_cmos(9, 0x99);
    set_cmos(8, 0x02);
    set_cmos(7, 0x31);
    set_cmos(8, 0x12);
    set_cmos(0x32, 0x19);
    set_cmos(6, 0x06); /* a Friday */
    set_cmos(4, 0x23);
    set_cmos(2, 0x59);
    set_cmos(0, 0x58);
    qc_clock_step(q, 5000000000);
    g_assert_cmphex(cmos(0), ==, 0x58); /* stands */
    set_cmos(0x0b, 0x02);
    state = qc_save(q);
    qc_clock_step(q, 3000000000);
    g_assert_cmphex(cmos(0x32), ==, 0x20);
    g_assert_cmphex(cmos(9), ==, 0x00);
    g_assert_cmphex(cmos(8), ==, 0x01);
    g_assert_cmphex(cmos(7), ==, 0x01);
    g_assert_cmphex(cmos(6), ==, 0x07);
    g_assert_cmphex(cmos(4), ==, 0x00);
    g_assert_cmphex(cmos(0), <=, 0x02);
    /* 12 hours, binary */
    set_cmos(0x0b, 0x04);
    g_assert_cmphex(cmos(4), ==, 12);
    qc_clock_step(q, 13 * 3600 * INT64_C(1000000000));
    g_assert_cmphex(cmos(4), ==, 0x81);
    set_cmos(0x0b, 0x02);
    g_assert_cmphex(cmos(4), ==, 0x13);
    qc_load(q, state);
    g_assert_cmphex(cmos(9), ==, 0x99);
    g_free(state);
    set_cmos(0x5f, 0xa5);
    out(0x72, 0x10);
    out(0x73, 0x5a);
    g_assert_cmphex(cmos(0x5f), ==, 0xa5);
    g_assert_cmphex(in(0x73), ==, 0x5a);
}

/* 64 bits of nanoseconds end in 2262: time goes on with 1677, and can be set there. */
static void test_rtc_end(void)
{
    char *state = qc_save(q);

    set_cmos(0x0b, 0x02);
    set_cmos(0x32, 0x22);
    set_cmos(9, 0x99);
    g_assert_cmphex(cmos(9), ==, 0x62);
    for (unsigned i = 0; i < 16 && cmos(9) == 0x62; i++)
        qc_clock_step(q, 250000000);
    g_assert_cmphex(cmos(9), ==, 0x77);
    g_assert_cmphex(cmos(0x0a) & 0x7f, ==, 0x26);
    set_cmos(2, 0x30);
    g_assert_cmphex(cmos(2), ==, 0x30);
    qc_load(q, state);
    g_free(state);
}

static void test_rtc_irq(void)
{
    unsigned n = 0;

    init_pic(3);
    out(PIC_DATA, 0x01);
    cmos(0x0c);
    set_cmos(0x0a, 0x26);
    set_cmos(0x0b, 0x42);
    for (unsigned i = 0; i < 1024; i++) {
        qc_clock_step(q, 976563);
        if (qc_irq(q, 0)) {
            g_assert_cmphex(poll(PIC), ==, 0x82);
            g_assert_cmphex(poll(PIC2), ==, 0x80);
            g_assert_cmphex(cmos(0x0c) & 0xc0, ==, 0xc0);
            n++;
        }
    }
    g_assert_cmpint(n, >=, 1022);
    /* update: once a second */
    set_cmos(0x0b, 0x12);
    cmos(0x0c);
    qc_clock_step(q, 1000000000);
    g_assert_cmphex(cmos(0x0c) & 0x90, ==, 0x90);
    g_assert_cmphex(cmos(0x0c), ==, 0);
    /* alarm: each hour at :30:00 */
    set_cmos(0x0b, 0x22);
    set_cmos(5, 0xff);
    set_cmos(3, 0x30);
    set_cmos(1, 0x00);
    cmos(0x0c);
    for (unsigned i = n = 0; i < 7200; i++) {
        qc_clock_step(q, 1000000000);
        if (cmos(0x0c) & 0x20) {
            g_assert_cmphex(cmos(2), ==, 0x30);
            n++;
        }
    }
    g_assert_cmpint(n, ==, 2);
    set_cmos(0x0b, 0x02);
}

int main(int argc, char **argv)
{
    int r;

    g_test_init(&argc, &argv, NULL);
    q = qc_start("-machine pc -arch x86_64 -rtc base=2004-05-06T07:08:09,clock=vm");
    qc_intercept(q, "/machine/pic", true);
    g_test_add_func("/pic/nesting", test_pic_nesting);
    g_test_add_func("/pic/cascade", test_pic_cascade);
    g_test_add_func("/pic/modes", test_pic_modes);
    g_test_add_func("/pit/modes", test_pit_modes);
    g_test_add_func("/pit/access", test_pit_access);
    g_test_add_func("/rtc/time", test_rtc_time);
    g_test_add_func("/rtc/end", test_rtc_end);
    g_test_add_func("/rtc/irq", test_rtc_irq);
    r = g_test_run();
    qc_stop(q);
    return r;
}
