/*
 * Timer interrupts and the time-stamp counter. What they were is printed, for with -icount each run
 * must give the same.
 */
#include "cpu.h"

enum { TICKS = 12, LATCH = 1193 }; /* a millisecond */

static volatile unsigned ticks;
static uint64_t stamp[TICKS];
static word from[TICKS];

static uint64_t rdtsc(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}

void tick(struct frame *f)
{
    if (ticks < TICKS) {
        stamp[ticks] = rdtsc();
        from[ticks] = f->ip;
    }
    ticks++;
    out8(0x20, 0x20);
}

static void timer_on(void)
{
    static const uint8_t words[][2] = {
        { 0x20, 0x11 }, { 0x21, TIMER },        { 0x21, 4 },         { 0x21, 1 }, { 0x21, 0xfe },
        { 0x43, 0x34 }, { 0x40, LATCH & 0xff }, { 0x40, LATCH >> 8 }
    };

    *(volatile uint32_t *)0xfee000f0 = 0x1ff; /* interrupts of the 8259 through the local APIC */
    *(volatile uint32_t *)0xfee00350 = 0x700;
    for (unsigned k = 0; k < sizeof(words) / sizeof(words[0]); k++)
        out8(words[k][0], words[k][1]);
}

void test_time(void)
{
    bool forward = true;
    uint64_t before = rdtsc();

    timer_on();
    while (ticks < TICKS) {
        if (ticks & 1)
            __asm__ volatile("sti; hlt; cli");
        else
            __asm__ volatile("sti; nop; nop; nop; cli");
    }
    out8(0x21, 0xff);
    for (unsigned k = 0; k < TICKS; k++) {
        print("# tick ");
        print_hex(stamp[k]);
        print(" at ");
        print_hex(from[k]);
        print("\n");
        forward &= stamp[k] > (k ? stamp[k - 1] : before);
    }
    ok(forward, "the time-stamp counter goes on between ticks");
}
