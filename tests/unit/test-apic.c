/* Local and I/O APICs: priorities, messages, the timer, end of interrupt, x2APIC. */
#include <base/clock.h>
#include <base/loop.h>
#include <hw/irqchip/apic.h>
#include <hw/irqchip/ioapic.h>
#include "testboard.h"

#define CPUS 3

static struct loop *loop;
static struct machine *m;
static struct device *apic, *ioapic;
static unsigned cpu; /* the one that accesses */
static bool intr[CPUS];
static unsigned nmis[CPUS], inits[CPUS], sipis[CPUS];

static void intr_changed(void *opaque, unsigned n, bool level)
{
    (void)opaque;
    intr[n] = level;
}

static void pulse(void *opaque, unsigned n, bool level)
{
    ((unsigned *)opaque)[n] += level;
}

static unsigned current_cpu(void *opaque)
{
    (void)opaque;
    return cpu;
}

static void sipi(void *opaque, unsigned n, uint8_t vector)
{
    (void)opaque;
    sipis[n] = vector;
}

static int64_t tsc_deadline(void *opaque, unsigned n, uint64_t tsc)
{
    (void)opaque, (void)n;
    return (int64_t)tsc / 2; /* 2 GHz */
}

static const struct apic_board_ops board_ops = {
    .current_cpu = current_cpu,
    .sipi = sipi,
    .tsc_deadline = tsc_deadline,
};

static uint32_t rd(unsigned reg)
{
    return space_ld32_le(&m->memory, APIC_BASE_ADDR + reg, 0, NULL);
}

static void wr(unsigned reg, uint32_t v)
{
    space_st32_le(&m->memory, APIC_BASE_ADDR + reg, v, 0);
}

static void redirect(unsigned pin, uint64_t rte)
{
    for (unsigned i = 0; i < 2; i++) {
        space_st32_le(&m->memory, IOAPIC_ADDR, 0x10 + 2 * pin + 1 - i, 0);
        space_st32_le(&m->memory, IOAPIC_ADDR + 0x10, (uint32_t)(rte >> (32 - 32 * i)), 0);
    }
}

static uint32_t redirection(unsigned pin)
{
    space_st32_le(&m->memory, IOAPIC_ADDR, 0x10 + 2 * pin, 0);
    return space_ld32_le(&m->memory, IOAPIC_ADDR + 0x10, 0, NULL);
}

static void pin(unsigned n, bool level)
{
    struct irq_line l = device_irq_in(ioapic, n);

    irq_set(&l, level);
}

static int ack(unsigned n)
{
    return apic_cpu_ack(apic_of_cpu(apic, n));
}

static void reset(void)
{
    machine_reset(m, CAUSE_NONE);
    for (cpu = CPUS; cpu-- > 0;)
        wr(0xf0, 0x1ff);
    cpu = 0;
    memset(nmis, 0, sizeof(nmis));
    memset(inits, 0, sizeof(inits));
    memset(sipis, 0, sizeof(sipis));
}

static void test_registers(void)
{
    machine_reset(m, CAUSE_NONE);
    g_assert_cmphex(rd(0x20), ==, 0);
    g_assert_cmphex(rd(0x30) & 0xff00ff, ==, 0x050014);
    g_assert_cmphex(rd(0xe0), ==, 0xffffffff);
    g_assert_cmphex(rd(0xf0), ==, 0xff);
    g_assert_cmphex(rd(0x320), ==, 0x10000);
    wr(0x320, 0x40); /* stays masked while the APIC is off */
    g_assert_cmphex(rd(0x320), ==, 0x10040);
    cpu = 2;
    g_assert_cmphex(rd(0x20), ==, 2u << 24);
    wr(0xf0, 0x1ff);
    g_assert_cmphex(rd(0x280), ==, 0);
    wr(0x400, 1); /* no such register */
    wr(0x280, 0);
    g_assert_cmphex(rd(0x280), ==, 0x80);
    cpu = 0;
}

static void ipi(uint32_t dest, uint32_t low)
{
    wr(0x310, dest << 24);
    wr(0x300, low);
}

static void test_priority(void)
{
    reset();
    ipi(0, 0x4031);
    g_assert_true(intr[0]);
    ipi(0, 0x4052);
    wr(0x80, 0x50); /* holds class 5 back */
    g_assert_false(intr[0]);
    wr(0x80, 0x40);
    g_assert_true(intr[0]);
    g_assert_cmphex(rd(0x220), ==, 1u << 18);
    g_assert_cmphex(rd(0x210), ==, 1u << 17);
    g_assert_cmpint(ack(0), ==, 0x52);
    g_assert_cmphex(rd(0xa0), ==, 0x50);
    g_assert_cmphex(rd(0x120), ==, 1u << 18);
    g_assert_false(intr[0]);
    ipi(0, 0x4061);
    g_assert_cmpint(ack(0), ==, 0x61); /* nests */
    wr(0xb0, 0);
    wr(0xb0, 0);
    apic_cpu_set_tpr(apic_of_cpu(apic, 0), 0);
    g_assert_cmpint(apic_cpu_get_tpr(apic_of_cpu(apic, 0)), ==, 0);
    g_assert_cmpint(ack(0), ==, 0x31);
    g_assert_cmpint(ack(0), ==, -1);
    wr(0xb0, 0);
    ipi(0, 0x400f); /* vectors 0 to 15 are not to be sent */
    wr(0x280, 0);
    g_assert_cmphex(rd(0x280), ==, 0x20);
}

static void test_destinations(void)
{
    reset();
    ipi(2, 0x4040);
    g_assert_true(!intr[0] && !intr[1] && intr[2]);
    g_assert_cmpint(ack(2), ==, 0x40);
    ipi(0xff, 0x4041);
    g_assert_true(intr[0] && intr[1]);
    ipi(0, 0xc4042); /* all but oneself */
    g_assert_cmpint(ack(1), ==, 0x42);
    g_assert_cmpint(ack(0), ==, 0x41);
    reset();
    for (cpu = 0; cpu < CPUS; cpu++)
        wr(0xd0, 1u << (24 + cpu));
    cpu = 0;
    ipi(6, 0x4850); /* logical, flat */
    g_assert_true(!intr[0] && intr[1] && intr[2]);
    reset();
    for (cpu = 0; cpu < CPUS; cpu++) {
        wr(0xe0, 0);
        wr(0xd0, 0x10000000u << (cpu / 2) | 1u << (24 + cpu % 2));
    }
    cpu = 0;
    ipi(0x13, 0x4850); /* cluster 1, its first two */
    g_assert_true(intr[0] && intr[1] && !intr[2]);
    /* lowest priority: one only, and in turn */
    reset();
    for (cpu = 0; cpu < CPUS; cpu++)
        wr(0xd0, 1u << (24 + cpu));
    cpu = 1;
    wr(0x80, 0x20);
    cpu = 0;
    ipi(7, 0x4960);
    ipi(7, 0x4961);
    g_assert_true(intr[0] && !intr[1] && intr[2]);
}

static void test_start(void)
{
    reset();
    cpu = 1;
    wr(0x80, 0x70);
    cpu = 0;
    ipi(1, 0xc500);
    ipi(1, 0x8500); /* de-assert */
    g_assert_cmpint(inits[1], ==, 1);
    ipi(1, 0x4609);
    g_assert_cmpint(sipis[1], ==, 9);
    ipi(0, 0xc4400);
    g_assert_true(!nmis[0] && nmis[1] == 1 && nmis[2] == 1);
    cpu = 1;
    g_assert_cmphex(rd(0x80), ==, 0);
    g_assert_cmphex(rd(0x20), ==, 1u << 24);
    cpu = 0;
}

static void test_timer(void)
{
    reset();
    wr(0x3e0, 0xb); /* by 1 */
    wr(0x320, 0x20040);
    wr(0x380, 1000000);
    for (unsigned i = 0; i < 100; i++) {
        clock_advance(loop, 1000000);
        g_assert_cmpint(ack(0), ==, 0x40);
        wr(0xb0, 0);
    }
    clock_advance(loop, 400000);
    g_assert_cmpuint(rd(0x390), ==, 600000);
    wr(0x320, 0x00041); /* once */
    wr(0x3e0, 0x3);     /* by 16 */
    wr(0x380, 1000);
    clock_advance(loop, 15999);
    g_assert_false(intr[0]);
    g_assert_cmpuint(rd(0x390), ==, 1);
    clock_advance(loop, 1);
    g_assert_cmpint(ack(0), ==, 0x41);
    g_assert_cmpuint(rd(0x390), ==, 0);
    wr(0xb0, 0);
    clock_advance(loop, 1000000);
    g_assert_false(intr[0]);
    wr(0x3e0, 0xb); /* what is over does not begin anew */
    g_assert_cmpuint(rd(0x390), ==, 0);
    clock_advance(loop, 1000000);
    g_assert_false(intr[0]);
    wr(0x380, 1000);
    clock_advance(loop, 400);
    wr(0x3e0, 0x0); /* the rest by 2 */
    g_assert_cmpuint(rd(0x390), ==, 600);
    clock_advance(loop, 1199);
    g_assert_false(intr[0]);
    clock_advance(loop, 1);
    g_assert_cmpint(ack(0), ==, 0x41);
    wr(0xb0, 0);
    /* deadlines */
    wr(0x320, 0x40042);
    wr(0x380, 1000); /* ignored */
    g_assert_cmpuint(rd(0x390), ==, 0);
    g_assert_true(apic_cpu_write_msr(apic_of_cpu(apic, 0), 0x6e0,
                                     2 * (uint64_t)clock_ns(loop, CLK_VIRTUAL) + 2000));
    clock_advance(loop, 999);
    g_assert_false(intr[0]);
    clock_advance(loop, 1);
    g_assert_cmpint(ack(0), ==, 0x42);
}

static void test_ioapic(void)
{
    GByteArray *state = g_byte_array_new();
    GError *err = NULL;

    reset();
    redirect(5, UINT64_C(1) << 56 | 0x71); /* edge */
    pin(5, true);
    g_assert_cmpint(ack(1), ==, 0x71);
    pin(5, false);
    g_assert_cmpint(ack(1), ==, -1);
    redirect(10, UINT64_C(1) << 56 | 0x8081); /* level */
    pin(10, true);
    g_assert_cmpint(ack(1), ==, 0x81);
    g_assert_cmphex(redirection(10), ==, 0xc081);
    machine_save(m, state);
    cpu = 1;
    wr(0xb0, 0); /* the line is still high */
    g_assert_cmpint(ack(1), ==, 0x81);
    pin(10, false);
    wr(0xb0, 0);
    g_assert_cmphex(redirection(10), ==, 0x8081);
    g_assert_cmpint(ack(1), ==, -1);
    wr(0xb0, 0);
    g_assert_true(machine_load(m, state->data, state->len, &err));
    g_assert_cmphex(redirection(10), ==, 0xc081);
    pin(10, false);
    wr(0xb0, 0);
    g_assert_cmphex(redirection(10), ==, 0x8081);
    cpu = 0;
    /* masked */
    redirect(10, UINT64_C(1) << 56 | 0x18081);
    pin(10, true);
    g_assert_cmpint(ack(1), ==, -1);
    redirect(10, UINT64_C(1) << 56 | 0x8081);
    g_assert_true(intr[1]);
    pin(10, false);
    /* messages of devices */
    space_st32_le(&m->memory, 0xfee02000, 0x91, 0);
    g_assert_cmpint(ack(2), ==, 0x91);
    space_st32_le(&m->memory, 0xfee00000, 0x92, 0);
    g_assert_cmpint(ack(0), ==, 0x92);
    g_byte_array_free(state, TRUE);
}

static bool wrmsr(uint32_t n, uint64_t v)
{
    return apic_cpu_write_msr(apic_of_cpu(apic, 0), n, v);
}

static uint64_t rdmsr(uint32_t n)
{
    uint64_t v = 0;

    g_assert_true(apic_cpu_read_msr(apic_of_cpu(apic, 0), n, &v));
    return v;
}

static void test_x2apic(void)
{
    uint64_t v;

    reset();
    g_assert_cmphex(rdmsr(0x1b), ==, 0xfee00900);
    g_assert_false(apic_cpu_read_msr(apic_of_cpu(apic, 0), 0x802, &v));
    g_assert_false(wrmsr(0x1b, 0xfee00500)); /* not without EN */
    g_assert_true(wrmsr(0x1b, 0xfee00d00));
    g_assert_false(wrmsr(0x1b, 0xfee00900)); /* not back */
    g_assert_cmphex(rdmsr(0x802), ==, 0);
    g_assert_cmphex(rdmsr(0x80d), ==, 1);
    g_assert_cmphex(rd(0x30), ==, 0xffffffff);
    g_assert_false(wrmsr(0x802, 1));
    g_assert_false(wrmsr(0x80e, 0));
    g_assert_false(wrmsr(0x808, 0x100));
    g_assert_true(wrmsr(0x83f, 0x55)); /* to oneself */
    g_assert_cmpint(ack(0), ==, 0x55);
    g_assert_false(wrmsr(0x80b, 1));
    g_assert_true(wrmsr(0x80b, 0));
    g_assert_true(wrmsr(0x830, UINT64_C(2) << 32 | 0x66));
    g_assert_cmpint(ack(2), ==, 0x66);
    g_assert_cmphex(rdmsr(0x830), ==, UINT64_C(2) << 32 | 0x66);
    g_assert_true(wrmsr(0x1b, 0xfee00100)); /* off */
    g_assert_cmphex(rd(0x30), ==, 0xffffffff);
    g_assert_true(wrmsr(0x1b, 0xfee00900));
    g_assert_cmphex(rd(0x30) & 0xff, ==, 0x14);
}

int main(int argc, char **argv)
{
    int r;

    g_test_init(&argc, &argv, NULL);
    m = testboard_new(&loop);
    apic = testboard_add(m, "apic", "cpus", CPUS);
    ioapic = testboard_add(m, "ioapic", NULL, 0);
    device_map(apic, 0, APIC_BASE_ADDR);
    device_map(ioapic, 0, IOAPIC_ADDR);
    ioapic_connect(ioapic, apic);
    apic_connect(apic, &board_ops, NULL, NULL);
    for (unsigned i = 0; i < CPUS; i++) {
        device_connect_irq_named(apic, "intr", i, (struct irq_line){ intr_changed, NULL, i });
        device_connect_irq_named(apic, "nmi", i, (struct irq_line){ pulse, nmis, i });
        device_connect_irq_named(apic, "init", i, (struct irq_line){ pulse, inits, i });
    }
    g_test_add_func("/apic/registers", test_registers);
    g_test_add_func("/apic/priority", test_priority);
    g_test_add_func("/apic/destinations", test_destinations);
    g_test_add_func("/apic/start", test_start);
    g_test_add_func("/apic/timer", test_timer);
    g_test_add_func("/apic/ioapic", test_ioapic);
    g_test_add_func("/apic/x2apic", test_x2apic);
    r = g_test_run();
    testboard_free(m, loop);
    return r;
}
