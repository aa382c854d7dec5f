/*
 * -icount: a guest writes down what its counters say, and when its timer interrupts; each run of it
 * gives the same, to the instruction.
 */
#include <accel/accel.h>
#include <base/clock.h>
#include <base/error.h>
#include <base/loop.h>
#include <base/option.h>
#include <hw/core/machine.h>
#include <string.h>

enum { RECORDS = 4096, PATIENCE_S = 60, INTERRUPTS = 20, TICK_NS = 100 };
#define RAM UINT64_C(0x80000000)
#define LOG (RAM + 0x200000)

/*
 * Hart 0 takes 20 interrupts of the machine timer, 50 ticks apart; in between it logs instret twice
 * in a row, time, and what the other harts have counted to; every second round it waits by wfi. The
 * handler logs -1, mepc, instret and time. Then the finisher ends it.
 */
static const uint32_t program[] = {
    0xf14022f3, /* csrr t0,mhartid */
    0x00001637, /* lui a2,0x1 */
    0x8016061b, /* addw a2,a2,-2047 */
    0x01461613, /* sll a2,a2,0x14 */
    0x00100593, /* li a1,1 */
    0x0c029a63, /* bnez t0,800000e8 */
    0x00000297, /* auipc t0,0x0 */
    0x07c28293, /* add t0,t0,124 */
    0x30529073, /* csrw mtvec,t0 */
    0x4010041b, /* addw s0,zero,1025 */
    0x01541413, /* sll s0,s0,0x15 */
    0x0200c4b7, /* lui s1,0x200c */
    0xff84849b, /* addw s1,s1,-8 */
    0x02004937, /* lui s2,0x2004 */
    0x00000993, /* li s3,0 */
    0x0004b303, /* ld t1,0(s1) */
    0x03230313, /* add t1,t1,50 */
    0x00693023, /* sd t1,0(s2) */
    0x08000293, /* li t0,128 */
    0x30429073, /* csrw mie,t0 */
    0x30046073, /* csrs mstatus,8 */
    0xc0202373, /* rdinstret t1 */
    0xc02023f3, /* rdinstret t2 */
    0xc0102e73, /* rdtime t3 */
    0x00063e83, /* ld t4,0(a2) */
    0x00643023, /* sd t1,0(s0) */
    0x00743423, /* sd t2,8(s0) */
    0x01c43823, /* sd t3,16(s0) */
    0x01d43c23, /* sd t4,24(s0) */
    0x02040413, /* add s0,s0,32 */
    0x02500e93, /* li t4,37 */
    0xfffe8e93, /* add t4,t4,-1 */
    0xfe0e9ee3, /* bnez t4,8000007c */
    0x0019ff13, /* and t5,s3,1 */
    0xfc0f06e3, /* beqz t5,80000054 */
    0x10500073, /* wfi */
    0xfc5ff06f, /* j 80000054 */
    0x34102ef3, /* csrr t4,mepc */
    0xc0202f73, /* rdinstret t5 */
    0xc0102ff3, /* rdtime t6 */
    0xfff00e13, /* li t3,-1 */
    0x01c43023, /* sd t3,0(s0) */
    0x01d43423, /* sd t4,8(s0) */
    0x01e43823, /* sd t5,16(s0) */
    0x01f43c23, /* sd t6,24(s0) */
    0x02040413, /* add s0,s0,32 */
    0x00198993, /* add s3,s3,1 */
    0x01400f13, /* li t5,20 */
    0x01e98a63, /* beq s3,t5,800000d4 */
    0x0004bf83, /* ld t6,0(s1) */
    0x032f8f93, /* add t6,t6,50 */
    0x01f93023, /* sd t6,0(s2) */
    0x30200073, /* mret */
    0x001002b7, /* lui t0,0x100 */
    0x00005337, /* lui t1,0x5 */
    0x5553031b, /* addw t1,t1,1365 */
    0x0062a023, /* sw t1,0(t0) */
    0x0000006f, /* j 800000e4 */
    0x00b6302f, /* amoadd.d zero,a1,(a2) */
    0xffdff06f, /* j 800000e8 */
};

struct record {
    uint64_t v[4];
};

struct trace {
    struct record r[RECORDS];
};

struct run {
    const char *accel, *sleep;
    unsigned cpus, shift;
};

static struct machine *make(struct loop *loop, const struct run *how)
{
    struct machine_config cfg = { .arch = g_strdup("riscv64"),
                                  .cpus = how->cpus,
                                  .ram_size = 16 << 20,
                                  .firmware = g_strdup("none") };
    struct machine *m = machine_new(machine_type_find("virt", "riscv64", NULL), loop, &cfg);
    g_autofree char *options = g_strdup_printf("icount=%u,icount-sleep=%s", how->shift, how->sleep);
    opts_auto struct opts *o = opts_parse("-accel", options, NULL, NULL);
    GError *err = NULL;

    g_assert_true(machine_init(m, &err));
    g_assert_true(accel_find(how->accel, NULL)->init(m, o, &err));
    g_assert_no_error(err);
    machine_ready(m);
    machine_reset(m, CAUSE_NONE);
    space_write(&m->memory, RAM, program, sizeof(program), 0);
    return m;
}

static struct trace *run(const struct run *how)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    struct trace *t = g_new0(struct trace, 1);
    struct loop *loop = loop_new();
    struct machine *m;

    loop_lock(loop);
    m = make(loop, how);
    machine_start(m);
    while (!m->exiting) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        loop_unlock(loop);
        g_usleep(500);
        loop_lock(loop);
        loop_step(loop, false);
    }
    space_read(&m->memory, LOG, t->r, sizeof(t->r), 0);
    accel_find(how->accel, NULL)->free(m);
    machine_free(m);
    loop_unlock(loop);
    loop_free(loop);
    return t;
}

/* What holds in every trace. */
static void check(const struct trace *t, const struct run *how)
{
    unsigned interrupts = 0;
    uint64_t last = 0, fired = 0;

    for (unsigned i = 0; i < RECORDS && t->r[i].v[0]; i++) {
        const uint64_t *v = t->r[i].v;
        bool irq = v[0] == UINT64_MAX;
        uint64_t insns = irq ? v[2] : v[1], ticks = irq ? v[3] : v[2];

        interrupts += irq;
        if (!irq)
            g_assert_cmpuint(v[1], ==, v[0] + 1);
        /* the handler is there as soon as the time has come; it may read mtime a tick later */
        if (irq && fired && how->cpus == 1 && how->shift == 0)
            g_assert_cmpuint(ticks - fired - 50, <=, 1);
        if (irq)
            fired = ticks;
        g_assert_cmpuint(insns, >, last);
        last = insns;
        /* time goes with the instructions; alone and before it ever idled, exactly */
        if (how->cpus == 1 && interrupts < 2)
            g_assert_cmpuint(ticks, ==, ((insns + 1) << how->shift) / TICK_NS);
    }
    g_assert_cmpuint(interrupts, ==, INTERRUPTS);
}

static void test_repeats(void)
{
    static const struct run runs[] = {
        { "tcg", "off", 1, 0 },    { "tcg", "off", 1, 0 }, { "tcg", "on", 1, 0 },
        { "interp", "off", 1, 0 }, { "tcg", "off", 1, 4 }, { "interp", "on", 1, 4 },
        { "tcg", "off", 3, 2 },    { "tcg", "off", 3, 2 }, { "interp", "off", 3, 2 },
    };
    struct trace *before = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(runs); i++) {
        struct trace *t = run(&runs[i]);

        g_test_message("%s, sleep=%s, %u harts, shift %u", runs[i].accel, runs[i].sleep,
                       runs[i].cpus, runs[i].shift);
        check(t, &runs[i]);
        if (i && runs[i].cpus == runs[i - 1].cpus && runs[i].shift == runs[i - 1].shift)
            g_assert_cmpmem(t, sizeof(*t), before, sizeof(*before));
        g_free(before);
        before = t;
    }
    g_free(before);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/icount/repeats", test_repeats);
    return g_test_run();
}
