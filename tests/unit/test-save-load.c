/*
 * The state of whole machines: saved, loaded into a new machine of the same kind, and saved again,
 * which must give the same bytes. Once without CPUs, with every device there is and random values
 * in all registers; once in the middle of a run, that then goes on in the new machine.
 */
#include <accel/accel.h>
#include <base/clock.h>
#include <base/loop.h>
#include <base/option.h>
#include <block/block.h>
#include <chardev/chardev.h>
#include <hw/core/machine.h>
#include <string.h>
#include <sys/mman.h>
#include <target/cpu.h>
#include <unistd.h>

enum { DISKS = 40, DISK_SIZE = 65536, ACCESSES = 20000, PATIENCE_S = 60 };

struct box {
    struct loop *loop;
    struct chardev_set *chardevs;
    struct chardev *serial;
    struct block_set *blocks;
    struct machine *m;
    const struct accel_type *accel; /* NULL: no CPUs */
    unsigned disks;                 /* handed out */
};

static void *find_block(void *opaque, const char *id, GError **err)
{
    return block_find(opaque, id, err);
}

static const char *name_block(void *b)
{
    return block_id(b);
}

/* Descriptors of the images stay open until the end of the test. */
static void add_disk(struct box *b, unsigned n)
{
    int fd = memfd_create("disk", MFD_CLOEXEC);
    g_autofree char *text =
        g_strdup_printf("driver=file,filename=/proc/self/fd/%d,node-name=d%u", fd, n);
    opts_auto struct opts *o = opts_parse("-blockdev", text, NULL, NULL);
    GError *err = NULL;

    g_assert_cmpint(ftruncate(fd, DISK_SIZE), ==, 0);
    block_add_node(b->blocks, o, &err);
    g_assert_no_error(err);
}

static void open_box(struct box *b, const struct machine_type *t, struct machine_config *cfg)
{
    GError *err = NULL;
    bool ok;

    *b = (struct box){ .loop = loop_new() };
    loop_lock(b->loop);
    b->chardevs = chardev_set_new(b->loop, &(struct chardev_hooks){ 0 });
    b->serial = chardev_new_from_opts(b->chardevs, "ringbuf,id=s0,size=65536", &err);
    g_assert_no_error(err);
    b->blocks = block_set_new(b->loop);
    b->m = machine_new(t, b->loop, cfg);
    b->m->serials[0] = b->serial;
    machine_set_backend(b->m, BACKEND_DRIVE, find_block, name_block, b->blocks);
    ok = machine_init(b->m, &err);
    g_assert_no_error(err);
    g_assert_true(ok);
}

static void close_box(struct box *b)
{
    if (machine_running(b->m))
        machine_stop(b->m, RUN_PAUSED);
    if (b->accel)
        b->accel->free(b->m);
    machine_free(b->m);
    block_set_free(b->blocks);
    chardev_set_free(b->chardevs);
    loop_unlock(b->loop);
    loop_free(b->loop);
}

static GByteArray *save(struct box *b)
{
    GByteArray *out = g_byte_array_new();

    machine_save(b->m, out);
    return out;
}

static void load(struct box *b, const GByteArray *state)
{
    GError *err = NULL;

    if (!machine_load(b->m, state->data, state->len, &err))
        g_error("%s", err->message);
}

/* Where two states differ, by the names of their parts. */
static void assert_same(const GByteArray *a, const GByteArray *b)
{
    size_t at = 0;
    GString *near = g_string_new(NULL);

    if (a->len == b->len && !memcmp(a->data, b->data, a->len)) {
        g_string_free(near, TRUE);
        return;
    }
    while (at < MIN(a->len, b->len) && a->data[at] == b->data[at])
        at++;
    for (size_t i = at > 400 ? at - 400 : 0; i < at; i++)
        g_string_append_c(near, g_ascii_isprint(a->data[i]) ? (char)a->data[i] : '.');
    g_error("states of %u and %u bytes differ at %zu, behind: %s", a->len, b->len, at, near->str);
}

/* ---- Devices ---- */

static struct opts *device_options(struct box *b, const struct device_type *t)
{
    struct opts *o = opts_new("-device");
    const struct prop *p;

    opts_set(o, "driver", t->name);
    for (unsigned i = 0; (p = device_prop_at(t, i)); i++) {
        g_autofree char *disk = g_strdup_printf("d%u", b->disks);

        if (p->kind != PROP_DRIVE || b->disks == DISKS)
            continue;
        add_disk(b, b->disks++);
        opts_set(o, p->name, disk);
    }
    return o;
}

/* What the machine takes; buses that devices bring with them are there in the second round. */
static void add_devices(struct box *b, GHashTable *made)
{
    for (unsigned round = 0; round < 2; round++) {
        for (const struct device_type *const *t = device_types(); *t; t++) {
            opts_auto struct opts *o = NULL;

            if ((*t)->internal || g_hash_table_contains(made, *t))
                continue;
            o = device_options(b, *t);
            if (device_create(b->m, o, NULL))
                g_hash_table_add(made, (void *)(uintptr_t)*t);
        }
    }
}

struct window {
    uint64_t first, size;
};

static void note_window(const struct flat_range *r, void *opaque)
{
    struct window w = { r->first, r->last - r->first + 1 };

    if (!r->host)
        g_array_append_val((GArray *)opaque, w);
}

/* Nothing of what this asks the main loop for is done. */
static void scribble(struct box *b, GRand *rand)
{
    struct address_space *spaces[] = { &b->m->memory, &b->m->ports };

    for (unsigned s = 0; s < G_N_ELEMENTS(spaces); s++) {
        GArray *windows = g_array_new(FALSE, FALSE, sizeof(struct window));

        space_foreach(spaces[s], note_window, windows);
        for (unsigned n = 0; windows->len && n < ACCESSES; n++) {
            const struct window *w =
                &g_array_index(windows, struct window, g_rand_int(rand) % windows->len);
            unsigned size = 1u << g_rand_int_range(rand, 0, 4);
            uint64_t offset = (uint64_t)g_rand_int(rand) % MIN(w->size, 0x4000);

            space_store(spaces[s], w->first + (offset & ~(uint64_t)(size - 1)), size,
                        (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand), (mem_attrs){ 0 });
        }
        g_array_free(windows, TRUE);
    }
}

static void open_devices(struct box *b, const struct machine_type *t, GHashTable *made)
{
    struct machine_config cfg = { .arch = g_strdup(t->archs[0]),
                                  .no_cpus = true,
                                  .has_seed = true };

    open_box(b, t, &cfg);
    clock_make_explicit(b->loop, 0);
    add_devices(b, made);
    machine_ready(b->m);
    machine_reset(b->m, CAUSE_NONE);
}

static void test_devices(gconstpointer data)
{
    const struct machine_type *t = data;
    GRand *rand = g_rand_new_with_seed(g_test_rand_int());
    GHashTable *made = g_hash_table_new(NULL, NULL), *again = g_hash_table_new(NULL, NULL);
    GByteArray *first, *second;
    struct box a, b;

    open_devices(&a, t, made);
    open_devices(&b, t, again);
    g_assert_cmpuint(g_hash_table_size(made), ==, g_hash_table_size(again));
    for (unsigned round = 0; round < 4; round++) {
        clock_advance(a.loop, 1234567);
        if (g_strv_contains(t->archs, "riscv64")) /* the PC's are still being added */
            scribble(&a, rand);
        first = save(&a);
        load(&b, first);
        second = save(&b);
        assert_same(first, second);
        g_byte_array_unref(first);
        g_byte_array_unref(second);
    }
    g_test_message("%s: %u kinds of -device", t->name, g_hash_table_size(made));
    close_box(&a);
    close_box(&b);
    g_hash_table_destroy(made);
    g_hash_table_destroy(again);
    g_rand_free(rand);
}

/* ---- CPUs ---- */

static void start_accel(struct box *b, const char *accel)
{
    opts_auto struct opts *o = opts_new("-accel");
    GError *err = NULL;

    b->accel = accel_find(accel, NULL);
    g_assert_true(b->accel->init(b->m, o, &err));
    g_assert_no_error(err);
    machine_ready(b->m);
    machine_reset(b->m, CAUSE_NONE);
}

static void open_guest(struct box *b, const char *accel)
{
    struct machine_config cfg = {
        .arch = g_strdup("riscv64"),
        .cpu = g_strdup("rv64,v=on"),
        .cpus = 2,
        .ram_size = 32 << 20,
        .kernel = g_build_filename(g_getenv("srcdir"), "tests/guest/riscv/hello/hello.elf", NULL),
    };

    open_box(b, machine_type_find("virt", "riscv64", NULL), &cfg);
    start_accel(b, accel);
}

/* Runs until the guest has said `want`. */
static void run_until(struct box *b, const char *want)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    GString *said = g_string_new(NULL);

    while (!strstr(said->str, want)) {
        uint8_t buf[256];
        size_t n = chardev_ringbuf_read(b->serial, buf, sizeof(buf));

        g_string_append_len(said, (const char *)buf, (gssize)n);
        if (n)
            continue;
        if (g_get_monotonic_time() > end)
            g_error("the guest did not say '%s' but: %s", want, said->str);
        loop_unlock(b->loop);
        g_usleep(1000);
        loop_lock(b->loop);
        loop_step(b->loop, false);
    }
    g_string_free(said, TRUE);
}

/* Something in each register that this guest leaves alone. */
static void fill_registers(struct cpu *cpu)
{
    static const char *const types[] = { "ieee_double", "riscv_vector", "vec128",
                                         "uint128",     "i387_ext",     NULL };
    unsigned count;
    const struct cpu_reg *regs = cpu->ops->regs(cpu, &count);

    for (unsigned i = 0; i < count; i++) {
        uint8_t value[128];

        if (!g_strv_contains(types, regs[i].gdb_type) || !cpu->ops->get_reg(cpu, i, value))
            continue;
        for (unsigned k = 0; k < sizeof(value); k++)
            value[k] = (uint8_t)(i * 7 + k + cpu->index);
        g_assert_true(cpu->ops->set_reg(cpu, i, value));
    }
}

static void assert_same_registers(struct cpu *a, struct cpu *b)
{
    unsigned count;
    const struct cpu_reg *regs = a->ops->regs(a, &count);

    for (unsigned i = 0; i < count; i++) {
        uint8_t x[128] = { 0 }, y[128] = { 0 };

        g_assert_cmpint(a->ops->get_reg(a, i, x), ==, b->ops->get_reg(b, i, y));
        if (memcmp(x, y, sizeof(x)))
            g_error("register %s differs", regs[i].name);
    }
}

static void copy_ram(struct box *to, struct box *from)
{
    struct ram_block *dst = to->m->ram.ram, *src = from->m->ram.ram;

    memcpy(dst->host, src->host, src->size);
    ram_written(dst->ram, dst->base, dst->size);
}

static void test_running(gconstpointer accel)
{
    struct box a, b;
    GByteArray *first, *second;

    open_guest(&a, accel);
    machine_start(a.m);
    run_until(&a, "hello> ");
    machine_stop(a.m, RUN_PAUSED);
    for (unsigned i = 0; i < 2; i++)
        fill_registers(a.m->cpus->pdata[i]);
    first = save(&a);

    open_guest(&b, accel);
    copy_ram(&b, &a);
    load(&b, first);
    second = save(&b);
    assert_same(first, second);
    for (unsigned i = 0; i < 2; i++)
        assert_same_registers(a.m->cpus->pdata[i], b.m->cpus->pdata[i]);
    close_box(&a);

    machine_start(b.m);
    g_assert_cmpuint(chardev_ringbuf_write(b.serial, (const uint8_t *)"mem\r", 4), ==, 4);
    run_until(&b, "hello> ");
    close_box(&b);
    g_byte_array_unref(first);
    g_byte_array_unref(second);
}

static void set_register(struct cpu *cpu, const char *name, uint64_t value)
{
    unsigned count, i = 0;
    const struct cpu_reg *regs = cpu->ops->regs(cpu, &count);
    uint8_t bytes[128] = { 0 };

    while (i < count && strcmp(regs[i].name, name))
        i++;
    g_assert_cmpuint(i, <, count);
    for (unsigned k = 0; k < 8; k++)
        bytes[k] = (uint8_t)(value >> 8 * k);
    g_assert_true(cpu->ops->set_reg(cpu, i, bytes));
}

static void open_pc(struct box *b, const char *arch, const char *accel)
{
    struct machine_config cfg = {
        .arch = g_strdup(arch),
        .cpu = g_strdup("max"),
        .cpus = 2,
        .ram_size = 32 << 20,
        .firmware = g_strdup("none"),
    };

    open_box(b, machine_type_find("pc", arch, NULL), &cfg);
    start_accel(b, accel);
}

/* 16-bit code that says "hello> " on COM1 for ever. */
static void put_hello(struct box *b, bool wide)
{
    static const uint8_t code[] = {
        0xba, 0xfb, 0x03, /*    mov $0x3fb, %dx: bytes of 8 bits */
        0xb0, 0x03, 0xee, /*    mov $3, %al; out %al, (%dx) */
        0xba, 0xf8, 0x03, /*    mov $0x3f8, %dx */
        0xbe, 0x14, 0x7c, /* 9: mov $0x7c14, %si */
        0xac,             /* c: lodsb */
        0x84, 0xc0,       /*    test %al, %al */
        0x74, 0xf8,       /*    jz 9 */
        0xee,             /*    out %al, (%dx) */
        0xeb, 0xf8,       /*    jmp c */
        'h',  'e',  'l',  'l', 'o', '>', ' ', 0,
    };
    struct cpu *cpu = b->m->cpus->pdata[0];

    for (unsigned i = 0; i < sizeof(code); i++)
        space_store(&b->m->memory, 0x7c00 + i, 1, code[i], (mem_attrs){ 0 });
    set_register(cpu, "cs", 0);
    set_register(cpu, "ds", 0);
    set_register(cpu, wide ? "rip" : "eip", 0x7c00);
}

static void copy_low_ram(struct box *to, struct box *from)
{
    for (uint64_t at = 0; at < 0x10000; at += 8) {
        uint64_t v = 0;

        space_load(&from->m->memory, at, 8, &v, (mem_attrs){ 0 });
        space_store(&to->m->memory, at, 8, v, (mem_attrs){ 0 });
    }
}

/* CPU 0 at work, CPU 1 waiting for the start-up IPI; the x87's stack begins in the middle. */
static void test_pc(gconstpointer data)
{
    g_auto(GStrv) words = g_strsplit(data, "/", 2);
    GByteArray *first, *second;
    struct box a, b;

    open_pc(&a, words[0], words[1]);
    put_hello(&a, strcmp(words[0], "i386"));
    machine_start(a.m);
    run_until(&a, "hello> ");
    machine_stop(a.m, RUN_PAUSED);
    for (unsigned i = 0; i < 2; i++) {
        set_register(a.m->cpus->pdata[i], "fstat", 3 << 11);
        fill_registers(a.m->cpus->pdata[i]);
    }
    first = save(&a);

    open_pc(&b, words[0], words[1]);
    copy_low_ram(&b, &a);
    load(&b, first);
    second = save(&b);
    assert_same(first, second);
    for (unsigned i = 0; i < 2; i++)
        assert_same_registers(a.m->cpus->pdata[i], b.m->cpus->pdata[i]);
    close_box(&a);
    machine_start(b.m);
    run_until(&b, "hello> ");
    close_box(&b);
    g_byte_array_unref(first);
    g_byte_array_unref(second);
}

/* A state of another CPU, and one with a value that no register can have. */
static void test_foreign(void)
{
    GError *err = NULL;
    GByteArray *state;
    const uint8_t *vl;
    struct box a;

    open_guest(&a, "interp");
    state = save(&a);
    vl = memmem(state->data, state->len, "\3\0\0\0.vl", 7);
    g_assert_nonnull(vl);
    state->data[vl - state->data + 12] = 1; /* while vtype is illegal */
    g_assert_false(machine_load(a.m, state->data, state->len, &err));
    g_assert_nonnull(strstr(err->message, "the value of register '.vl' is not of this CPU"));
    g_clear_error(&err);
    state->data[vl - state->data + 12] = 0;
    g_assert_true(machine_load(a.m, state->data, state->len, &err));
    state->data[(uint8_t *)memmem(state->data, state->len, ".ext[0]", 7) - state->data + 11] ^= 1;
    g_assert_false(machine_load(a.m, state->data, state->len, &err));
    g_assert_nonnull(strstr(err->message, "'.ext[0]' is not of this CPU"));
    g_clear_error(&err);
    g_byte_array_unref(state);
    close_box(&a);
}

int main(int argc, char **argv)
{
    static const char *const pcs[] = { "x86_64/tcg", "x86_64/interp", "i386/tcg", "i386/interp",
                                       NULL };

    g_test_init(&argc, &argv, NULL);
    for (const struct machine_type *const *t = machine_types(); *t; t++) {
        g_autofree char *path = g_strdup_printf("/save-load/devices/%s", (*t)->name);

        g_test_add_data_func(path, *t, test_devices);
    }
    g_test_add_data_func("/save-load/running/tcg", "tcg", test_running);
    g_test_add_data_func("/save-load/running/interp", "interp", test_running);
    for (const char *const *name = pcs; *name; name++) {
        g_autofree char *path = g_strdup_printf("/save-load/pc/%s", *name);

        g_test_add_data_func(path, *name, test_pc);
    }
    g_test_add_func("/save-load/foreign", test_foreign);
    return g_test_run();
}
