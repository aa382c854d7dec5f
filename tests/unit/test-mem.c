/* Flattening of region trees, splitting of accesses, RAM states and DMA mappings. */
#include <base/bits.h>
#include <base/loop.h>
#include <mem/space.h>

struct fixture {
    struct loop *loop;
    struct mem *mem;
    struct mem_region root;
    struct address_space as;
};

static void set_up(struct fixture *f, gconstpointer data)
{
    (void)data;
    f->loop = loop_new();
    loop_lock(f->loop);
    f->mem = mem_new(f->loop);
    mem_region_init(&f->root, f->mem, "root", MEM_SIZE_ALL);
    space_init(&f->as, f->mem, &f->root, "test");
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    mem_region_destroy(&f->root);
    space_destroy(&f->as);
    mem_free(f->mem);
    loop_unlock(f->loop);
    loop_free(f->loop);
}

/* "first-last name+offset" of each range. */
static void add_range(const struct flat_range *r, void *opaque)
{
    g_string_append_printf(
        opaque, "%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x %s+%" G_GINT64_MODIFIER "x%s;",
        r->first, r->last, r->region->name, r->offset, r->readonly ? " ro" : "");
}

static void check_view(struct fixture *f, const char *want)
{
    GString *s = g_string_new(NULL);

    space_foreach(&f->as, add_range, s);
    g_assert_cmpstr(s->str, ==, want);
    g_string_free(s, TRUE);
}

static const struct io_ops no_ops = { 0 };

static void test_flatten(struct fixture *f, gconstpointer data)
{
    struct mem_region a, b, c, box, win;

    (void)data;
    mem_region_init_io(&a, f->mem, &no_ops, NULL, "a", 0x1000);
    mem_region_init_io(&b, f->mem, &no_ops, NULL, "b", 0x100);
    mem_region_init_io(&c, f->mem, &no_ops, NULL, "c", 0x100);
    mem_region_init(&box, f->mem, "box", 0x200);
    mem_region_init_alias(&win, f->mem, "win", &a, 0x800, 0x100);

    mem_region_add(&f->root, 0x1000, &a);
    check_view(f, "1000-1fff a+0;");
    mem_region_add_priority(&f->root, 0x1400, &b, 1);
    check_view(f, "1000-13ff a+0;1400-14ff b+0;1500-1fff a+500;");
    mem_region_set_enabled(&b, false);
    check_view(f, "1000-1fff a+0;");
    mem_region_set_enabled(&b, true);
    mem_region_remove(&b);

    /* lower priority shows only where nothing else is */
    mem_region_add_priority(&f->root, 0xf80, &b, -1);
    check_view(f, "f80-fff b+0;1000-1fff a+0;");
    mem_region_remove(&b);

    /* a container clips what it holds; the last byte of the space is usable */
    mem_region_add(&box, 0x180, &c);
    mem_region_add(&f->root, UINT64_MAX - 0x1ff, &box);
    check_view(f, "1000-1fff a+0;ffffffffffffff80-ffffffffffffffff c+0;");
    mem_region_set_addr(&box, 0x3000);
    check_view(f, "1000-1fff a+0;3180-31ff c+0;");

    /* an alias shows its target also below the target's start */
    mem_region_add(&f->root, 0x10, &win);
    check_view(f, "10-10f a+800;1000-1fff a+0;3180-31ff c+0;");
    mem_region_set_alias_offset(&win, 0xfc0);
    check_view(f, "10-4f a+fc0;1000-1fff a+0;3180-31ff c+0;");

    mem_region_destroy(&win);
    mem_region_destroy(&box);
    mem_region_destroy(&a);
    mem_region_destroy(&b);
    mem_region_destroy(&c);
    check_view(f, "");
}

static void count(void *opaque, struct address_space *as)
{
    (void)as;
    ++*(unsigned *)opaque;
}

static void test_transaction(struct fixture *f, gconstpointer data)
{
    unsigned changes = 0;
    struct space_listener l = { .changed = count, .opaque = &changes };
    struct mem_region a, b;
    uint64_t gen;

    (void)data;
    mem_region_init_io(&a, f->mem, &no_ops, NULL, "a", 0x1000);
    mem_region_init_io(&b, f->mem, &no_ops, NULL, "b", 0x1000);
    space_add_listener(&f->as, &l);
    g_assert_cmpuint(changes, ==, 1);
    gen = space_generation(&f->as);
    mem_begin(f->mem);
    mem_region_add(&f->root, 0, &a);
    mem_region_add(&f->root, 0x1000, &b);
    check_view(f, "");
    mem_end(f->mem);
    g_assert_cmpuint(changes, ==, 2);
    g_assert_cmpuint(space_generation(&f->as), ==, gen + 1);
    /* what changes nothing visible does not bother listeners */
    mem_region_set_readonly(&f->root, false);
    mem_begin(f->mem);
    mem_region_remove(&b);
    mem_region_add(&f->root, 0x1000, &b);
    mem_end(f->mem);
    g_assert_cmpuint(changes, ==, 2);
    space_remove_listener(&f->as, &l);
    mem_region_destroy(&a);
    mem_region_destroy(&b);
}

/* A device that writes down how it was accessed. */
struct probe {
    GString *log;
    uint64_t answer;
    enum mem_result result;
};

static uint64_t probe_read(void *opaque, uint64_t offset, unsigned size)
{
    struct probe *p = opaque;

    g_string_append_printf(p->log, "r%u@%x ", size, (unsigned)offset);
    return p->answer + offset;
}

static void probe_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct probe *p = opaque;

    g_string_append_printf(p->log, "w%u@%x=%" G_GINT64_MODIFIER "x ", size, (unsigned)offset,
                           value);
}

static enum mem_result probe_read_attrs(void *opaque, uint64_t offset, unsigned size,
                                        uint64_t *value, mem_attrs attrs)
{
    struct probe *p = opaque;

    *value = attrs;
    g_string_append_printf(p->log, "R%u@%x ", size, (unsigned)offset);
    return p->result;
}

static void check_log(struct probe *p, const char *want)
{
    g_assert_cmpstr(p->log->str, ==, want);
    g_string_truncate(p->log, 0);
}

#define CHECK_READ(addr, size, want_res, want_val, want_log)                   \
    do {                                                                       \
        uint64_t v_ = 99;                                                      \
        g_assert_cmpint(space_load(&f->as, addr, size, &v_, 0), ==, want_res); \
        g_assert_cmphex(v_, ==, want_val);                                     \
        check_log(&p, want_log);                                               \
    } while (0)
#define CHECK_WRITE(addr, size, val, want_res, want_log)                        \
    do {                                                                        \
        g_assert_cmpint(space_store(&f->as, addr, size, val, 0), ==, want_res); \
        check_log(&p, want_log);                                                \
    } while (0)

static void test_split(struct fixture *f, gconstpointer data)
{
    static const struct io_ops bytes = {
        .read = probe_read, .write = probe_write, .guest_sizes = { 1, 4 }, .own_sizes = { 1, 1 }
    };
    static const struct io_ops words = { .read = probe_read,
                                         .write = probe_write,
                                         .own_sizes = { 4, 4 },
                                         .unaligned = IO_UNALIGNED_PASS };
    static const struct io_ops big = { .read = probe_read,
                                       .write = probe_write,
                                       .own_sizes = { 1, 2 },
                                       .unaligned = IO_UNALIGNED_SPLIT,
                                       .endian = IO_BIG };
    struct probe p = { .log = g_string_new(NULL), .answer = 0x11223340 };
    struct mem_region r;

    (void)data;
    mem_region_init_io(&r, f->mem, &bytes, &p, "bytes", 0x10);
    mem_region_add(&f->root, 0, &r);
    CHECK_READ(4, 2, MEM_OK, 0x4544, "r1@4 r1@5 ");
    CHECK_WRITE(4, 4, 0xa1b2c3d4, MEM_OK, "w1@4=d4 w1@5=c3 w1@6=b2 w1@7=a1 ");
    CHECK_READ(8, 8, MEM_DECODE_ERROR, 0, "");
    CHECK_READ(5, 2, MEM_DECODE_ERROR, 0, "");
    mem_region_destroy(&r);

    mem_region_init_io(&r, f->mem, &words, &p, "words", 0x10);
    mem_region_add(&f->root, 0, &r);
    CHECK_READ(6, 1, MEM_OK, 0x22, "r4@4 ");
    CHECK_READ(8, 8, MEM_OK, UINT64_C(0x1122334c11223348), "r4@8 r4@c ");
    CHECK_WRITE(6, 2, 0xbeef, MEM_OK, "w4@4=beef0000 ");
    CHECK_READ(3, 2, MEM_OK, 0x4411, "r4@0 r4@4 "); /* straddles two of the device's words */
    mem_region_destroy(&r);

    mem_region_init_io(&r, f->mem, &big, &p, "big", 0x10);
    mem_region_add(&f->root, 0, &r);
    CHECK_READ(2, 2, MEM_OK, 0x4233, "r2@2 ");
    CHECK_WRITE(0, 4, 0x44332211, MEM_OK, "w2@0=1122 w2@2=3344 ");
    CHECK_READ(1, 2, MEM_OK, 0x4241, "r1@1 r1@2 ");
    mem_region_destroy(&r);
    g_string_free(p.log, TRUE);
}

static void test_results(struct fixture *f, gconstpointer data)
{
    static const struct io_ops ops = { .read_attrs = probe_read_attrs, .write = probe_write };
    struct probe p = { .log = g_string_new(NULL), .result = MEM_DEVICE_ERROR };
    uint8_t buf[16], zero[16] = { 0 };
    struct mem_region r;
    uint64_t v;

    (void)data;
    mem_region_init_io(&r, f->mem, &ops, &p, "r", 0x10);
    mem_region_add(&f->root, 8, &r);
    CHECK_READ(8, 4, MEM_DEVICE_ERROR, 0, "R4@0 ");
    p.result = MEM_OK;
    g_assert_cmpint(space_load(&f->as, 8, 4, &v, MEM_ATTR_REQUESTER(0x18)), ==, MEM_OK);
    g_assert_cmphex(v, ==, 0x180000);
    check_log(&p, "R4@0 ");
    /* a hole before the device: zeroes, the error is reported, the rest is done */
    memset(buf, 0xee, sizeof(buf));
    g_assert_cmpint(space_read(&f->as, 4, buf, 7, 0), ==, MEM_DECODE_ERROR);
    g_assert_cmpmem(buf, 7, zero, 7);
    check_log(&p, "R2@0 R1@2 ");
    /* accesses that run past the device's end come in pieces */
    CHECK_WRITE(0x16, 4, 0x44332211, MEM_DECODE_ERROR, "w2@e=2211 ");
    mem_region_destroy(&r);
    g_string_free(p.log, TRUE);
}

/* What a device refuses, on a board that tells nobody. */
static void test_open_bus(struct fixture *f, gconstpointer data)
{
    static const struct io_ops longs = { .read = probe_read,
                                         .write = probe_write,
                                         .guest_sizes = { 4, 4 } };
    static const struct io_ops ops = { .read_attrs = probe_read_attrs, .write = probe_write };
    static const struct io_ops bytes = { .read = probe_read,
                                         .write = probe_write,
                                         .own_sizes = { 1, 1 } };
    struct probe p = { .log = g_string_new(NULL), .result = MEM_DEVICE_ERROR, .answer = 0x40 };
    struct mem_region r;

    (void)data;
    mem_set_open_bus(f->mem);
    mem_region_init_io(&r, f->mem, &longs, &p, "longs", 0x10);
    mem_region_add(&f->root, 0, &r);
    CHECK_READ(4, 2, MEM_OK, 0xffff, "");
    CHECK_READ(1, 4, MEM_OK, 0xffffffff, "");
    CHECK_WRITE(1, 4, 5, MEM_OK, "");
    mem_region_destroy(&r);
    mem_region_init_io(&r, f->mem, &bytes, &p, "bytes", 0x10);
    mem_region_add(&f->root, 0, &r);
    CHECK_READ(1, 4, MEM_OK, 0x44434241, "r1@1 r1@2 r1@3 r1@4 ");
    CHECK_WRITE(3, 2, 0x1122, MEM_OK, "w1@3=22 w1@4=11 ");
    mem_region_destroy(&r);
    mem_region_init_io(&r, f->mem, &ops, &p, "r", 0x10);
    mem_region_add(&f->root, 0, &r);
    CHECK_READ(0, 8, MEM_OK, UINT64_MAX, "R8@0 ");
    mem_region_destroy(&r);
    g_string_free(p.log, TRUE);
}

static void test_ram(struct fixture *f, gconstpointer data)
{
    struct mem_region ram, rom;
    const char text[] = "0123456789";
    char back[sizeof(text)];
    uint64_t len = 0x10000;
    struct section s;

    (void)data;
    g_assert_true(mem_region_init_ram(&ram, f->mem, "ram", 0x4000, NULL));
    g_assert_true(mem_region_init_rom(&rom, f->mem, "rom", 0x1000, NULL));
    mem_region_add(&f->root, 0x8000, &ram);
    mem_region_add(&f->root, 0xc000, &rom);
    g_assert_cmpint(space_write(&f->as, 0x8ffb, text, sizeof(text), 0), ==, MEM_OK);
    g_assert_cmpint(space_read(&f->as, 0x8ffb, back, sizeof(back), 0), ==, MEM_OK);
    g_assert_cmpstr(back, ==, text);
    g_assert_cmphex(space_ld32_be(&f->as, 0x8ffc, 0, NULL), ==, 0x31323334);
    g_assert_cmphex(space_ld64_le(&f->as, 0x8ffd, 0, NULL), ==, UINT64_C(0x3938373635343332));

    s = space_lookup(&f->as, 0x9000, &len);
    g_assert_true(s.region == &ram && s.host == ram.ram->host + 0x1000 && !s.readonly);
    g_assert_cmphex(len, ==, 0x3000);
    g_assert_cmphex(s.ram, ==, ram.ram->base + 0x1000);
    g_assert_cmphex(ram_addr_from_host(mem_ram(f->mem), s.host), ==, s.ram);

    /* ROM: writes vanish, the loader's do not; a write across the border goes as far as RAM */
    g_assert_cmpint(space_st32_le(&f->as, 0xc000, 5, 0), ==, MEM_OK);
    g_assert_cmphex(space_ld32_le(&f->as, 0xc000, 0, NULL), ==, 0);
    g_assert_cmpint(space_write(&f->as, 0xbffe, "abcd", 4, 0), ==, MEM_OK);
    g_assert_cmphex(space_ld32_be(&f->as, 0xbffe, 0, NULL), ==, 0x61620000);
    g_assert_cmpint(space_write_rom(&f->as, 0xbffe, "abcd", 4), ==, MEM_OK);
    g_assert_cmphex(space_ld32_be(&f->as, 0xbffe, 0, NULL), ==, 0x61626364);
    g_assert_cmpint(space_write_rom(&f->as, 0xcffe, "abcd", 4), ==, MEM_DECODE_ERROR);
    mem_region_destroy(&ram);
    mem_region_destroy(&rom);
}

struct notes {
    unsigned written, watched, settled;
    ram_addr_t addr;
};

static void note_written(void *opaque, ram_addr_t addr, uint64_t len)
{
    struct notes *n = opaque;

    (void)len;
    n->written++;
    n->addr = addr;
}

static uint64_t note_watched(void *opaque, ram_addr_t addr, uint64_t len)
{
    (void)addr, (void)len;
    return ++((struct notes *)opaque)->watched;
}

static bool is_settled(void *opaque, uint64_t moment)
{
    return moment <= ((struct notes *)opaque)->settled;
}

static void test_page_state(struct fixture *f, gconstpointer data)
{
    static const struct ram_code_ops ops = { .written = note_written,
                                             .watched = note_watched,
                                             .settled = is_settled };
    struct ram *ram = mem_ram(f->mem);
    struct notes n = { 0 };
    struct mem_region r;
    ram_addr_t base;
    uint64_t len = 0x2000;
    uint8_t *p;

    (void)data;
    g_assert_true(mem_region_init_ram(&r, f->mem, "r", 0x4000, NULL));
    mem_region_add(&f->root, 0, &r);
    ram_set_code_ops(ram, &ops, &n);
    base = r.ram->base;
    g_assert_cmphex(ram_page_state(ram)[base >> RAM_PAGE_BITS], ==, 0);

    ram_watch(ram, base, 0x4000, RAM_WATCH_VGA);
    g_assert_cmpuint(n.watched, ==, 1);
    g_assert_false(ram_is_dirty(ram, base, 0x4000, RAM_WATCH_VGA));
    space_st8(&f->as, 0x1fff, 1, 0);
    g_assert_true(ram_is_dirty(ram, base + 0x1000, 1, RAM_WATCH_VGA));
    g_assert_false(ram_is_dirty(ram, base + 0x2000, 0x2000, RAM_WATCH_VGA));
    g_assert_true(ram_take_dirty(ram, base, 0x4000, RAM_WATCH_VGA));
    g_assert_false(ram_take_dirty(ram, base, 0x4000, RAM_WATCH_VGA));

    /* Stores that were on their way when it was watched for the second time. */
    g_assert_cmpuint(n.watched, ==, 2);
    n.settled = 1;
    g_assert_false(ram_is_dirty(ram, base, 0x4000, RAM_WATCH_VGA));
    n.settled = 2;
    g_assert_true(ram_is_dirty(ram, base, 0x4000, RAM_WATCH_VGA));
    g_assert_true(ram_take_dirty(ram, base, 0x1000, RAM_WATCH_VGA));
    g_assert_false(ram_take_dirty(ram, base, 0x1000, RAM_WATCH_VGA));
    g_assert_true(ram_take_dirty(ram, base, 0x4000, RAM_WATCH_VGA));
    g_assert_false(ram_take_dirty(ram, base, 0x4000, RAM_WATCH_VGA));
    g_assert_cmpuint(n.watched, ==, 2);
    g_assert_false(ram_is_dirty(ram, base, 0x4000, RAM_WATCH_VGA));

    ram_set_code(ram, base + 0x1000, 1);
    space_st8(&f->as, 0xfff, 1, 0);
    g_assert_cmpuint(n.written, ==, 0);
    space_write(&f->as, 0xffe, "abcd", 4, 0);
    g_assert_cmpuint(n.written, ==, 1);
    g_assert_cmphex(n.addr, ==, base + 0xffe);

    /* DMA: noticed at the end, and only as far as it went */
    p = space_map(&f->as, 0x800, &len, true);
    g_assert_true(p == r.ram->host + 0x800);
    space_unmap(&f->as, p, len, true, 0x800);
    g_assert_cmpuint(n.written, ==, 1);
    space_unmap(&f->as, p, len, true, 0x801);
    g_assert_cmpuint(n.written, ==, 2);
    ram_clear_code(ram, base + 0x1000, 1);
    space_st8(&f->as, 0x1000, 1, 0);
    g_assert_cmpuint(n.written, ==, 2);
    ram_set_code_ops(ram, NULL, NULL);
    mem_region_destroy(&r);
}

/* A block of this process' own, and one of a file, which others may see. */
static void test_clear(struct fixture *f, gconstpointer data)
{
    const struct ram_backing shared = { .fd = -1, .share = true };
    const struct ram_backing *const backings[] = { NULL, &shared };
    struct ram *ram = mem_ram(f->mem);

    (void)data;
    for (unsigned k = 0; k < 2; k++) {
        struct ram_block *b = ram_block_new_backed(ram, "b", 0x3000, backings[k], NULL);

        g_assert_nonnull(b);
        memset(b->host, 0x5a, b->size);
        ram_watch(ram, b->base, b->size, RAM_WATCH_VGA);
        ram_block_clear(b);
        for (unsigned i = 0; i < b->size; i++)
            g_assert_cmphex(b->host[i], ==, 0);
        g_assert_true(ram_take_dirty(ram, b->base + 0x2000, 1, RAM_WATCH_VGA));
        b->host[0x1234] = 1;
        g_assert_cmphex(b->host[0x1234], ==, 1);
        ram_block_free(b);
    }
}

static void test_map_bounds(struct fixture *f, gconstpointer data)
{
    struct mem_region r, io;
    uint64_t len = UINT64_MAX;

    (void)data;
    g_assert_true(mem_region_init_ram(&r, f->mem, "r", 0x1000, NULL));
    mem_region_init_io(&io, f->mem, &no_ops, NULL, "io", 0x1000);
    mem_region_add(&f->root, 0x1000, &r);
    mem_region_add(&f->root, 0x2000, &io);
    g_assert_nonnull(space_map(&f->as, 0x1800, &len, false));
    g_assert_cmphex(len, ==, 0x800);
    g_assert_null(space_map(&f->as, 0x2000, &len, false));
    g_assert_null(space_map(&f->as, 0xfff, &len, false));
    mem_region_set_readonly(&r, true);
    g_assert_null(space_map(&f->as, 0x1000, &len, true));
    g_assert_nonnull(space_map(&f->as, 0x1000, &len, false));
    mem_region_destroy(&r);
    mem_region_destroy(&io);
}

static void test_rom_device(struct fixture *f, gconstpointer data)
{
    static const struct io_ops ops = { .read = probe_read, .write = probe_write };
    struct probe p = { .log = g_string_new(NULL), .answer = 7 };
    struct mem_region r;

    (void)data;
    g_assert_true(mem_region_init_rom_device(&r, f->mem, &ops, &p, "r", 0x1000, NULL));
    mem_region_add(&f->root, 0, &r);
    r.ram->host[4] = 0x42;
    CHECK_READ(4, 1, MEM_OK, 0x42, "");
    CHECK_WRITE(4, 1, 0x98, MEM_OK, "w1@4=98 ");
    mem_region_set_direct(&r, false);
    CHECK_READ(4, 1, MEM_OK, 11, "r1@4 ");
    mem_region_set_direct(&r, true);
    CHECK_READ(4, 1, MEM_OK, 0x42, "");
    mem_region_destroy(&r);
    g_string_free(p.log, TRUE);
}

static void bump(void *p)
{
    ++*(unsigned *)p;
}

/* What was retired goes only when readers that may have seen it are gone. */
static void test_retire(struct fixture *f, gconstpointer data)
{
    unsigned freed = 0, other = 0, outer, inner;

    (void)data;
    mem_retire(f->mem, &freed, bump);
    g_assert_cmpuint(freed, ==, 1);
    outer = mem_read_begin(f->mem);
    mem_retire(f->mem, &freed, bump);
    g_assert_cmpuint(freed, ==, 1);
    inner = mem_read_begin(f->mem);
    mem_read_end(f->mem, outer);
    mem_retire(f->mem, &other, bump);
    mem_read_end(f->mem, inner);
    mem_retire(f->mem, &other, bump);
    g_assert_cmpuint(freed, ==, 2);
    g_assert_cmpuint(other, ==, 2);
}

static void test_random(struct fixture *f, gconstpointer data)
{
    enum { N = 12, SPACE = 0x400 };
    GRand *rnd = g_rand_new_with_seed(42);
    struct mem_region r[N];
    unsigned order[N];

    (void)data;
    for (unsigned i = 0; i < N; i++)
        mem_region_init_io(&r[i], f->mem, &no_ops, NULL, "r", 0x200);
    for (unsigned round = 0; round < 300; round++) {
        struct mem_region *owner[SPACE] = { 0 };
        uint64_t at[N];

        mem_begin(f->mem);
        for (unsigned i = 0; i < N; i++) {
            mem_region_remove(&r[i]);
            at[i] = (uint64_t)g_rand_int_range(rnd, 0, SPACE - 0x40);
            mem_region_set_size(&r[i], (uint64_t)g_rand_int_range(rnd, 1, 0x40));
            order[i] = i;
        }
        for (unsigned i = 0; i < N; i++)
            mem_region_add_priority(&f->root, at[i], &r[order[i]], (int)(i % 3));
        mem_end(f->mem);
        /* painted over byte by byte, losers first */
        for (int prio = 0; prio < 3; prio++)
            for (unsigned i = 0; i < N; i++)
                for (uint64_t b = 0; r[i].priority == prio && b < r[i].size; b++)
                    owner[at[i] + b] = &r[i];
        for (uint64_t a = 0; a < SPACE; a++) {
            uint64_t len = 1;
            struct section s = space_lookup(&f->as, a, &len);

            g_assert_true(s.region == owner[a]);
            g_assert_true(!s.region || s.offset == a - at[s.region - r]);
        }
    }
    for (unsigned i = 0; i < N; i++)
        mem_region_destroy(&r[i]);
    g_rand_free(rnd);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, fn) g_test_add("/mem/" name, struct fixture, NULL, set_up, fn, tear_down)
    ADD("flatten", test_flatten);
    ADD("transaction", test_transaction);
    ADD("split", test_split);
    ADD("results", test_results);
    ADD("open-bus", test_open_bus);
    ADD("ram", test_ram);
    ADD("page-state", test_page_state);
    ADD("clear", test_clear);
    ADD("map-bounds", test_map_bounds);
    ADD("rom-device", test_rom_device);
    ADD("retire", test_retire);
    ADD("random", test_random);
    return g_test_run();
}
