/*
 * A machine that is made, runs, stops, is reset, runs again and goes leaves nothing behind in the
 * process: no descriptor, no thread, no memory; on the translator and on KVM, where there is one,
 * wherever interrupt controllers are. MYNA_CYCLES says how many lives.
 */
#include <accel/accel.h>
#include <base/loop.h>
#include <base/option.h>
#include <hw/core/machine.h>
#include <malloc.h>
#include <mem/space.h>
#include <string.h>
#include <target/cpu.h>
#include <unistd.h>

enum { WARM_UP = 5, LIVES = 25, PATIENCE_S = 60, COUNTER = 0x500, CODE = 0x7c00 };

/* What a process has. */
struct held {
    unsigned descriptors, threads;
    size_t heap;
};

static unsigned entries(const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    unsigned n = 0;

    g_assert_nonnull(dir);
    while (g_dir_read_name(dir))
        n++;
    g_dir_close(dir);
    return n;
}

static struct held held(void)
{
    struct mallinfo2 info = mallinfo2();

    return (struct held){
        .descriptors = entries("/proc/self/fd"),
        .threads = entries("/proc/self/task"),
        .heap = info.uordblks + info.hblkhd,
    };
}

/* Real-mode code at CODE that counts for ever. */
static void put_code(struct machine *m)
{
    static const uint8_t code[] = {
        0x31, 0xc0,                                     /*    xor %ax, %ax */
        0x8e, 0xd8,                                     /*    mov %ax, %ds */
        0x66, 0xff, 0x06, COUNTER & 0xff, COUNTER >> 8, /* incl COUNTER */
        0xeb, 0xf9,                                     /*    jmp to that */
    };
    struct cpu *cpu = m->cpus->pdata[0];
    unsigned count;
    const struct cpu_reg *regs = cpu->ops->regs(cpu, &count);

    for (unsigned i = 0; i < sizeof(code); i++)
        space_store(&m->memory, CODE + i, 1, code[i], (mem_attrs){ 0 });
    space_store(&m->memory, COUNTER, 4, 0, (mem_attrs){ 0 });
    for (unsigned i = 0; i < count; i++) {
        uint64_t value[16] = { strcmp(regs[i].name, "rip") ? 0 : CODE };

        if (!strcmp(regs[i].name, "cs") || !strcmp(regs[i].name, "rip"))
            g_assert_true(cpu->ops->set_reg(cpu, i, value));
    }
}

static void run_until_it_counts(struct machine *m)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    uint64_t n = 0;

    put_code(m);
    machine_start(m);
    while (!n && g_get_monotonic_time() < end) {
        loop_unlock(m->loop);
        g_usleep(100);
        loop_lock(m->loop);
        loop_step(m->loop, false);
        space_load(&m->memory, COUNTER, 4, &n, (mem_attrs){ 0 });
    }
    machine_stop(m, RUN_PAUSED);
    g_assert_cmpuint(n, >, 0);
}

/* False where the host cannot. */
static bool live(const char *accelerator)
{
    struct machine_config cfg = {
        .arch = g_strdup("x86_64"),
        .cpu = g_strdup("max"),
        .cpus = 2,
        .ram_size = 32 << 20,
        .firmware = g_strdup("none"),
    };
    opts_auto struct opts *o = opts_parse("-accel", accelerator, "accel", NULL);
    const struct accel_type *accel = accel_find(opts_str(o, "accel", NULL), NULL);
    struct loop *loop = loop_new();
    GError *err = NULL;
    struct machine *m;
    bool can;

    opts_remove(o, "accel");
    loop_lock(loop);
    m = machine_new(machine_type_find("pc", "x86_64", NULL), loop, &cfg);
    can = machine_init(m, &err);
    g_assert_no_error(err);
    g_assert_true(can);
    can = accel->init(m, o, &err);
    if (can) {
        machine_ready(m);
        machine_reset(m, CAUSE_NONE);
        run_until_it_counts(m);
        machine_reset(m, CAUSE_NONE);
        run_until_it_counts(m);
        accel->free(m);
    }
    g_clear_error(&err);
    machine_free(m);
    loop_unlock(loop);
    loop_free(loop);
    return can;
}

static void test_lives(gconstpointer accelerator)
{
    const char *many = g_getenv("MYNA_CYCLES");
    unsigned lives = many ? (unsigned)g_ascii_strtoull(many, NULL, 10) : LIVES;
    struct held before, after;

    if (g_str_has_prefix(accelerator, "kvm") && access("/dev/kvm", R_OK | W_OK)) {
        g_test_skip("no /dev/kvm");
        return;
    }
    for (unsigned i = 0; i < WARM_UP; i++) {
        if (!live(accelerator)) {
            g_test_skip("the host's KVM cannot");
            return;
        }
    }
    before = held();
    for (unsigned i = 0; i < lives; i++)
        live(accelerator);
    after = held();
    g_test_message("%u descriptors, %u threads, %zu bytes; after %u lives %u, %u, %zu",
                   before.descriptors, before.threads, before.heap, lives, after.descriptors,
                   after.threads, after.heap);
    g_assert_cmpuint(after.descriptors, ==, before.descriptors);
    g_assert_cmpuint(after.threads, ==, before.threads);
    g_assert_cmpuint(after.heap, <=, before.heap + 4096);
}

/* Blocks that malloc() keeps at hand count as used: it is to keep none. Read at the start only. */
static void count_heap_exactly(char **argv)
{
    static const char name[] = "GLIBC_TUNABLES";

    if (g_getenv(name))
        return;
    g_setenv(name, "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0:glibc.malloc.arena_max=1", 1);
    execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    count_heap_exactly(argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/machine-lives/tcg", "tcg", test_lives);
    g_test_add_data_func("/machine-lives/interp", "interp", test_lives);
#ifdef __x86_64__
    g_test_add_data_func("/machine-lives/kvm-split", "kvm", test_lives);
    g_test_add_data_func("/machine-lives/kvm-on", "kvm,kernel-irqchip=on", test_lives);
    g_test_add_data_func("/machine-lives/kvm-off", "kvm,kernel-irqchip=off", test_lives);
#endif
    return g_test_run();
}
