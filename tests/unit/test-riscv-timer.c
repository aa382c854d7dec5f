/*
 * RISC-V time, stimecmp and counters against a clock that the test moves.
 */
#include <base/loop.h>
#include <target/riscv/riscv.h>

enum { STIMECMP = 0x14d, MENVCFG = 0x30a, INHIBIT = 0x320, EVENT3 = 0x323, COUNTER3 = 0xb03 };

struct fixture {
    struct loop *loop;
    struct riscv_cpu *c;
    uint64_t jump; /* ticks that somebody added to the time */
};

/* Ticks of 100 ns. */
static uint64_t read_time(void *opaque)
{
    struct fixture *f = opaque;

    return clock_ns(f->loop, CLK_VIRTUAL) / 100 + f->jump;
}

static int64_t deadline(void *opaque, uint64_t ticks)
{
    struct fixture *f = opaque;

    ticks -= f->jump;
    return ticks > INT64_MAX / 100 ? INT64_MAX : (int64_t)ticks * 100;
}

static const struct riscv_time_ops time_ops = { read_time, deadline };

static void set_up(struct fixture *f, const char *arch)
{
    GError *err = NULL;

    f->loop = loop_new();
    loop_lock(f->loop);
    clock_make_explicit(f->loop, 0);
    f->c = riscv_of(cpu_create(arch, "max", &err));
    g_assert_no_error(err);
    riscv_set_hart(&f->c->cpu, f->loop, 0, 0x1000);
    f->jump = 0;
    riscv_set_time(&f->c->cpu, &time_ops, f);
}

static void tear_down(struct fixture *f)
{
    cpu_free(&f->c->cpu);
    loop_unlock(f->loop);
    loop_free(f->loop);
}

static void write_csr(struct fixture *f, unsigned num, uint64_t val)
{
    riscv_csr_write(f->c, num, val, ~0ULL);
}

static bool stip(const struct fixture *f)
{
    return riscv_mip(f->c) & IRQ_STI;
}

static void test_stimecmp(void)
{
    struct fixture f;

    set_up(&f, "riscv64");
    write_csr(&f, STIMECMP, 0);
    g_assert_false(stip(&f)); /* STCE is off */
    write_csr(&f, MENVCFG, ENVCFG_STCE);
    g_assert_true(stip(&f));
    write_csr(&f, STIMECMP, 50);
    g_assert_false(stip(&f));
    clock_advance(f.loop, 4999);
    g_assert_false(stip(&f));
    __atomic_fetch_and(&f.c->cpu.tcg.flags, ~TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
    clock_advance(f.loop, 1);
    g_assert_true(stip(&f));
    g_assert_true(f.c->cpu.tcg.flags & TCG_FLAGS_ATTENTION);
    riscv_csr_write(f.c, 0x344, 0, IRQ_STI); /* read-only while STCE is set */
    g_assert_true(stip(&f));
    write_csr(&f, STIMECMP, 40);
    g_assert_true(stip(&f));
    write_csr(&f, STIMECMP, 60);
    write_csr(&f, STIMECMP, 70); /* moved before it came */
    clock_advance(f.loop, 1500);
    g_assert_false(stip(&f));
    clock_advance(f.loop, 500);
    g_assert_true(stip(&f));
    write_csr(&f, MENVCFG, 0);
    g_assert_false(stip(&f));
    riscv_csr_write(f.c, 0x344, IRQ_STI, IRQ_STI); /* M's to write now */
    g_assert_true(stip(&f));
    tear_down(&f);
}

/* Time is set while the timer runs: the timer is due when the new time says so. */
static void test_time_jump(void)
{
    struct fixture f;

    set_up(&f, "riscv64");
    write_csr(&f, MENVCFG, ENVCFG_STCE);
    write_csr(&f, STIMECMP, 1000);
    f.jump = 900;
    riscv_time_jumped(&f.c->cpu);
    g_assert_false(stip(&f));
    clock_advance(f.loop, 9999);
    g_assert_false(stip(&f));
    clock_advance(f.loop, 1);
    g_assert_true(stip(&f));
    f.jump = 0;
    riscv_time_jumped(&f.c->cpu);
    g_assert_false(stip(&f));
    f.jump = 5000;
    riscv_time_jumped(&f.c->cpu);
    g_assert_true(stip(&f));
    tear_down(&f);
}

/* RV32 writes halves; the value in between must not fire for good. */
static void test_stimecmp32(void)
{
    struct fixture f;

    set_up(&f, "riscv32");
    write_csr(&f, 0x31a, ENVCFG_STCE >> 32);
    write_csr(&f, 0x15d, ~0ULL);
    write_csr(&f, STIMECMP, 5);
    write_csr(&f, 0x15d, 0);
    g_assert_false(stip(&f));
    clock_advance(f.loop, 500);
    g_assert_true(stip(&f));
    g_assert_cmphex(riscv_csr_read(f.c, 0xc01), ==, 5);
    tear_down(&f);
}

static void test_counters(void)
{
    struct fixture f;

    set_up(&f, "riscv64");
    write_csr(&f, 0xb00, 1000);
    clock_advance(f.loop, 10);
    g_assert_cmpuint(riscv_csr_read(f.c, 0xb00), ==, 1010);
    write_csr(&f, INHIBIT, 1);
    clock_advance(f.loop, 10);
    g_assert_cmpuint(riscv_csr_read(f.c, 0xc00), ==, 1010);
    write_csr(&f, INHIBIT, ~0ULL);
    g_assert_cmphex(riscv_csr_read(f.c, INHIBIT), ==, 0x7fffd);
    write_csr(&f, INHIBIT, 0);
    clock_advance(f.loop, 7);
    g_assert_cmpuint(riscv_csr_read(f.c, 0xb00), ==, 1017);
    /* Counts nothing until an event is chosen; not where it is told not to. */
    g_assert_cmpuint(riscv_csr_read(f.c, COUNTER3), ==, 0);
    write_csr(&f, EVENT3, 1 | BIT(61)); /* not in S */
    clock_advance(f.loop, 5);
    g_assert_cmpuint(riscv_csr_read(f.c, COUNTER3), ==, 5);
    riscv_enter(f.c, PRIV_S, f.c->mstatus);
    clock_advance(f.loop, 5);
    riscv_enter(f.c, PRIV_U, f.c->mstatus);
    clock_advance(f.loop, 3);
    g_assert_cmpuint(riscv_csr_read(f.c, COUNTER3), ==, 8);
    tear_down(&f);
}

static void test_overflow(void)
{
    struct fixture f;

    set_up(&f, "riscv64");
    write_csr(&f, EVENT3, 1);
    write_csr(&f, COUNTER3, -100ULL);
    clock_advance(f.loop, 99);
    g_assert_cmphex(riscv_mip(f.c) & IRQ_LCOF, ==, 0);
    clock_advance(f.loop, 1);
    g_assert_cmphex(riscv_mip(f.c) & IRQ_LCOF, ==, IRQ_LCOF);
    g_assert_cmphex(riscv_csr_read(f.c, EVENT3), ==, 1ULL << 63 | 1);
    g_assert_cmphex(riscv_csr_read(f.c, 0xda0), ==, 8);
    riscv_csr_write(f.c, 0x344, 0, IRQ_LCOF);
    write_csr(&f, COUNTER3, -100ULL); /* OF still set: no second interrupt */
    clock_advance(f.loop, 200);
    g_assert_cmphex(riscv_mip(f.c) & IRQ_LCOF, ==, 0);
    g_assert_cmpuint(riscv_csr_read(f.c, COUNTER3), ==, 100);
    tear_down(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/riscv-timer/stimecmp", test_stimecmp);
    g_test_add_func("/riscv-timer/stimecmp32", test_stimecmp32);
    g_test_add_func("/riscv-timer/time-jump", test_time_jump);
    g_test_add_func("/riscv-timer/counters", test_counters);
    g_test_add_func("/riscv-timer/overflow", test_overflow);
    return g_test_run();
}
