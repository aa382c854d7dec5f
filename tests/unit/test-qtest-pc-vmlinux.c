/* Kernels inside of bzImages that a PC unpacks by itself: where they are then, what was changed in
 * them, and that nothing else than a kernel is taken for one. */
#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <base/bits.h>
#include <glib.h>
#include <glib/gstdio.h>
#include "qclient.h"
#ifdef CONFIG_ZLIB
#include <zlib.h>
#endif
#ifdef CONFIG_ZSTD
#include <zstd.h>
#endif

enum {
    SETUP = 1024,
    PACKED = 1024 + 0x200, /* the payload: behind the 64-bit entry */
    LINKED = 0x1000000,
    ALIGN = 0x200000,
    ROOM = 0x400000,
    SEGMENT_2 = 0x3000, /* in the file; in memory from 0x2000 on */
    TABLES = 0x6000,
    FIELD_64 = 0x100, /* offsets of what is to be changed */
    FIELD_32 = 0x108,
    FIELD_LESS = 0x2010,
    RAM_END = 64 << 20,
};
#define MAP       UINT64_C(0xffffffff80000000)
#define MAGIC     UINT64_C(0x6c656e72656b2121)
#define ZERO_PAGE 0x10000

static struct qclient *q;

/* An ELF file of two segments, and the lists behind it. Returns the length. The segments begin
 * `later` bytes later than they need to. */
static size_t make_late_elf(uint8_t *p, bool with_subtracted, unsigned later)
{
    Elf64_Ehdr e = { .e_machine = EM_X86_64,
                     .e_entry = LINKED + 0x40,
                     .e_phoff = 64,
                     .e_shoff = TABLES + later,
                     .e_phentsize = 56,
                     .e_phnum = 2,
                     .e_shentsize = 64,
                     .e_shnum = 1 };
    Elf64_Phdr ph[2] = {
        { PT_LOAD, 7, 0x1000 + later, MAP + LINKED, LINKED, 0x1000, 0x1000, 0x1000 },
        { PT_LOAD, 7, SEGMENT_2 + later, MAP + LINKED + 0x2000, LINKED + 0x2000, 0x2000, 0x9000,
          0x1000 },
    };
    uint32_t low = (uint32_t)(MAP + LINKED), lists[8];
    unsigned n = 0;

    memset(p, 0x5a, TABLES + later);
    memcpy(e.e_ident, "\177ELF\2\1\1", 8);
    memcpy(p, &e, sizeof(e));
    memcpy(p + 64, ph, sizeof(ph));
    p += later;
    memset(p + TABLES, 0, 64);
    stq_le(p + 0x1000, MAGIC);
    stq_le(p + 0x1000 + FIELD_64, MAP + LINKED + 0x1234);
    stl_le(p + 0x1000 + FIELD_32, low + 0x5678);
    stl_le(p + SEGMENT_2 + 0x10, 0x40000000);
    stl_le(p + SEGMENT_2 + 0x1ffc, 0xfeedf00d);
    lists[n++] = 0;
    lists[n++] = low + FIELD_64;
    if (with_subtracted) {
        lists[n++] = 0;
        lists[n++] = low + FIELD_LESS;
    }
    lists[n++] = 0;
    lists[n++] = low + FIELD_32;
    for (unsigned i = 0; i < n; i++)
        stl_le(p + TABLES + 64 + 4 * i, lists[i]);
    return later + TABLES + 64 + 4 * n;
}

static size_t make_elf(uint8_t *p, bool with_subtracted)
{
    return make_late_elf(p, with_subtracted, 0);
}

static size_t plain(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
    g_assert_cmpuint(len, <=, room);
    memcpy(out, in, len);
    return len;
}

#ifdef CONFIG_ZLIB
static size_t gzip(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
    z_stream z = { .next_in = (Bytef *)in, .avail_in = (uInt)len, .next_out = out };

    z.avail_out = (uInt)room;
    g_assert_cmpint(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, 0), ==, Z_OK);
    g_assert_cmpint(deflate(&z, Z_FINISH), ==, Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}
#endif

#ifdef CONFIG_ZSTD
static size_t zstd(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
    return ZSTD_compress(out, room, in, len, 1);
}
#endif

typedef size_t packing_fn(const uint8_t *in, size_t len, uint8_t *out, size_t room);
static packing_fn *const packings[] = {
    plain,
#ifdef CONFIG_ZLIB
    gzip,
#endif
#ifdef CONFIG_ZSTD
    zstd,
#endif
};

/* A payload: the size of what is packed follows it. */
static size_t pack(packing_fn *how, const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
    size_t n = how(in, len, out, room - 4);

    if (how == plain)
        return n;
    stl_le(out + n, (uint32_t)len);
    return n + 4;
}

/* The whole file; `len` bytes of payload are in place. */
static void make_bzimage(uint8_t *p, size_t len)
{
    memset(p, 0, SETUP);
    p[0x1f1] = 1;
    stw_le(p + 0x1fe, 0xaa55);
    p[0x201] = 0x62;
    memcpy(p + 0x202, "HdrS", 4);
    stw_le(p + 0x206, 0x20f);
    p[0x211] = 1;
    stl_le(p + 0x22c, 0x7fffffff);
    stl_le(p + 0x230, ALIGN);
    p[0x234] = 1;
    stw_le(p + 0x236, 1);
    stl_le(p + 0x238, 2047);
    stl_le(p + 0x248, PACKED - SETUP);
    stl_le(p + 0x24c, (uint32_t)len);
    stq_le(p + 0x258, LINKED);
    stl_le(p + 0x260, ROOM);
}

static char *write_file(const uint8_t *image, size_t len)
{
    char *path = NULL;
    int fd = g_file_open_tmp("kernel-XXXXXX", &path, NULL);

    g_assert_cmpint(write(fd, image, len), ==, (ssize_t)len);
    g_close(fd, NULL);
    return path;
}

static void start_file(const char *path, const char *append)
{
    g_autofree char *args = g_strdup_printf(
        "-machine pc -arch x86_64 -nodefaults -m 64 -kernel %s -append %s", path, append);

    q = qc_start(args);
}

static void start(const uint8_t *image, size_t len, const char *append)
{
    g_autofree char *path = write_file(image, len);

    start_file(path, append);
    g_unlink(path);
}

static void start_elf(packing_fn *how, const uint8_t *elf, size_t len, const char *append)
{
    static uint8_t image[0x300000];
    size_t n = pack(how, elf, len, image + PACKED, sizeof(image) - PACKED);

    memset(image + SETUP, 0x90, PACKED - SETUP);
    make_bzimage(image, n);
    start(image, PACKED + n, append);
}

/* Where the kernel is; 0: nowhere. */
static uint64_t find(void)
{
    for (uint64_t at = LINKED; at < RAM_END; at += ALIGN)
        if (qc_readq(q, at) == MAGIC)
            return at;
    return 0;
}

static bool told_moved(void)
{
    return qc_readb(q, ZERO_PAGE + 0x211) & 2;
}

static void expect_fields(uint64_t at, uint64_t delta, uint64_t subtracted)
{
    g_assert_cmphex(qc_readq(q, at + FIELD_64), ==, MAP + LINKED + 0x1234 + delta);
    g_assert_cmphex(qc_readl(q, at + FIELD_32), ==, (uint32_t)(MAP + LINKED + 0x5678 + delta));
    g_assert_cmphex(qc_readl(q, at + FIELD_LESS), ==, (uint32_t)(0x40000000 - subtracted));
    g_assert_cmphex(qc_readl(q, at + 0x3ffc), ==, 0xfeedf00d);
}

static void test_moved(void)
{
    uint8_t elf[0x8000];

    for (unsigned how = 0; how < ARRAY_LEN(packings); how++)
        for (unsigned subtracted = 0; subtracted < 2; subtracted++) {
            bool other_base = false, other_delta = false;
            uint64_t base = 0, delta = 0;

            start_elf(packings[how], elf, make_elf(elf, subtracted), "quiet");
            for (unsigned k = 0; k < 12; k++) {
                uint64_t at = find(), by;

                g_assert_cmphex(at, !=, 0);
                by = qc_readq(q, at + FIELD_64) - (MAP + LINKED + 0x1234);
                g_assert_cmphex(by % ALIGN, ==, 0);
                g_assert_cmphex(by, <=, (UINT64_C(1) << 30) - ROOM - LINKED);
                expect_fields(at, by, subtracted ? by : 0);
                g_assert_true(told_moved());
                other_base = other_base || (k && at != base);
                other_delta = other_delta || (k && by != delta);
                base = at;
                delta = by;
                qc_writeq(q, at, 0);
                qc_reset(q);
            }
            g_assert_true(other_base);
            g_assert_true(other_delta);
            qc_stop(q);
        }
}

/* Linked for pages of 2 MiB, what comes before the first segment is as long; or nearly. */
static void test_large_pages(void)
{
    static const unsigned later[] = { ALIGN - 0x1000, ALIGN - 0x2000, ALIGN, ALIGN + 0x3000 };
    static uint8_t elf[ALIGN + 0x10000];

    for (unsigned i = 0; i < ARRAY_LEN(later); i++) {
        uint64_t at, by;

        start_elf(plain, elf, make_late_elf(elf, true, later[i]), "quiet");
        at = find();
        g_assert_cmphex(at, !=, 0);
        by = qc_readq(q, at + FIELD_64) - (MAP + LINKED + 0x1234);
        expect_fields(at, by, by);
        qc_stop(q);
        start_elf(plain, elf, make_late_elf(elf, true, later[i]), "nokaslr");
        g_assert_cmphex(find(), ==, LINKED);
        expect_fields(LINKED, 0, 0);
        qc_stop(q);
    }
}

/* On wish, and where nothing says what would have to be changed, it is where it is linked. */
static void test_not_moved(void)
{
    uint8_t elf[0x8000];
    size_t len = make_elf(elf, true);

    start_elf(plain, elf, len, "nokaslr");
    g_assert_cmphex(find(), ==, LINKED);
    expect_fields(LINKED, 0, 0);
    g_assert_false(told_moved());
    qc_stop(q);
    start_elf(plain, elf, TABLES + 64, "quiet");
    g_assert_cmphex(find(), !=, 0);
    expect_fields(find(), 0, 0);
    g_assert_false(told_moved());
    qc_stop(q);
}

/* Words at which only the kernel's own code looks, before it is unpacked. */
static void test_left_alone(void)
{
    static const char *const words[] = { "mem=32M", "memmap=1M@48M", "hugepages=1",
                                         "movable_node" };
    static const char *const other[] = { "xmem=32M", "mem", "movable_nodes" };
    uint8_t elf[0x8000];
    size_t len = make_elf(elf, true);

    for (unsigned i = 0; i < ARRAY_LEN(words); i++) {
        start_elf(plain, elf, len, words[i]);
        g_assert_cmphex(find(), ==, 0);
        qc_stop(q);
    }
    for (unsigned i = 0; i < ARRAY_LEN(other); i++) {
        start_elf(plain, elf, len, other[i]);
        g_assert_cmphex(find(), !=, 0);
        qc_stop(q);
    }
}

/* The bzImage's own code is to look at what is not as expected. */
static void expect_refused(const uint8_t *elf, size_t len, const char *append)
{
    start_elf(plain, elf, len, append);
    g_assert_cmphex(qc_readl(q, 0x100000), ==, 0x90909090);
    g_assert_false(told_moved());
    qc_stop(q);
}

static void test_refused(void)
{
    static const struct {
        unsigned at, size;
        uint64_t value;
    } changes[] = {
        { 4, 1, ELFCLASS32 },
        { 5, 1, ELFDATA2MSB },
        { 18, 2, EM_RISCV },
        { 24, 8, LINKED - 1 },      /* entry */
        { 32, 8, 65 },              /* program headers */
        { 40, 8, UINT64_MAX - 32 }, /* section headers */
        { 40, 8, 0 },
        { 54, 2, 32 },
        { 56, 2, 0xffff },
        { 64 + 8, 8, UINT64_MAX },       /* first segment: where in the file */
        { 64 + 32, 8, UINT64_MAX },      /* how much */
        { 64 + 24, 8, LINKED + 0x1001 }, /* later in memory than in the file */
        { 64 + 24, 8, 0 },
        { 64 + 40, 8, ROOM + 1 },           /* more in memory than there is */
        { 64 + 56 + 8, 8, 0x1800 },         /* within the first */
        { TABLES + 64, 4, 1 },              /* lists: no 0 before them */
        { TABLES + 68, 4, 0 },              /* too many */
        { TABLES + 68, 4, 0x81000000 - 4 }, /* outside of the kernel */
        { TABLES + 84, 4, 0x81003ffe },
    };
    uint8_t elf[0x8000];
    size_t len = make_elf(elf, true);

    for (unsigned i = 0; i < ARRAY_LEN(changes); i++) {
        uint8_t *at = elf + changes[i].at;

        g_test_message("change %u", i);
        make_elf(elf, true);
        memcpy(at, (uint8_t[8]){ 0 }, changes[i].size);
        for (unsigned b = 0; b < changes[i].size; b++)
            at[b] = (uint8_t)(changes[i].value >> 8 * b);
        expect_refused(elf, len, "quiet");
    }
    make_elf(elf, true);
    expect_refused(elf, len - 1, "quiet");
    expect_refused(elf, TABLES + 63, "quiet");
}

/* Random damage, the payload's and the headers': the program lives. */
static void test_damaged(void)
{
    static uint8_t image[0x10000];
    uint8_t elf[0x8000];
    size_t len = make_elf(elf, true);
    uint32_t seed = g_test_rand_int();
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

    g_test_message("seed %u", seed);
    for (unsigned i = 0; i < 60; i++) {
        size_t n = pack(packings[i % ARRAY_LEN(packings)], elf, len, image + PACKED,
                        sizeof(image) - PACKED);
        bool headers = i & 1;

        make_bzimage(image, n);
        for (unsigned k = 0; k < 4; k++) {
            if (headers)
                image[0x230 + g_rand_int_range(rand, 0, 0x34)] = (uint8_t)g_rand_int(rand);
            else
                image[PACKED + g_rand_int_range(rand, 0, MIN(n, 256))] = (uint8_t)g_rand_int(rand);
        }
        stl_le(image + 0x238, 2047);
        stl_le(image + 0x260, ROOM);
        stq_le(image + 0x258, LINKED);
        start(image, PACKED + n, "quiet");
        qc_reset(q);
        g_assert_cmphex(qc_readl(q, ZERO_PAGE + 0x202), ==, 0x53726448);
        qc_stop(q);
    }
}

#if defined(CONFIG_ZSTD) || defined(CONFIG_ZLIB)
/* The one file that begins so in the folder; NULL: there is none within ten seconds. */
static char *kept_file(const char *folder, const char *start_of_name)
{
    for (unsigned i = 0; i < 1000; i++) {
        GDir *dir = g_dir_open(folder, 0, NULL);
        const char *name;
        char *path = NULL;

        while (dir && !path && (name = g_dir_read_name(dir)))
            if (g_str_has_prefix(name, start_of_name))
                path = g_build_filename(folder, name, NULL);
        if (dir)
            g_dir_close(dir);
        if (path)
            return path;
        g_usleep(10000);
    }
    return NULL;
}

static void write_at(const char *path, uint64_t at, uint32_t value)
{
    int fd = g_open(path, O_WRONLY, 0);
    uint8_t bytes[4];

    stl_le(bytes, value);
    g_assert_cmpint(pwrite(fd, bytes, sizeof(bytes), (off_t)at), ==, sizeof(bytes));
    g_close(fd, NULL);
}

/* Starts and resets the machine; returns the kernel's last word. */
static uint32_t last_word(const char *path)
{
    uint32_t first, second;

    start_file(path, "nokaslr");
    g_assert_cmphex(find(), ==, LINKED);
    first = qc_readl(q, LINKED + 0x3ffc);
    qc_writel(q, LINKED + 0x3ffc, 0);
    qc_reset(q);
    second = qc_readl(q, LINKED + 0x3ffc);
    qc_stop(q);
    g_assert_cmphex(first, ==, second);
    return first;
}

/* An unpacked copy is kept, and the next start takes it; but not for a file that has changed. */
static void test_kept(void)
{
    static uint8_t elf[ALIGN + 0x10000], image[ALIGN + 0x20000];
    const unsigned later = ALIGN - 0x1000;
    g_autofree char *cache = g_dir_make_tmp("cache-XXXXXX", NULL), *path = NULL, *kept = NULL;
    g_autofree char *folder = g_build_filename(cache, "myna", "unpacked", NULL);
    size_t len = make_late_elf(elf, true, later), n;
    g_autofree char *command = g_strdup_printf("rm -rf %s", cache);

    for (unsigned i = 0x1000; i < later; i++) /* nothing that could be packed */
        elf[i] = (uint8_t)g_test_rand_int();
    n = pack(packings[ARRAY_LEN(packings) - 1], elf, len, image + PACKED, sizeof(image) - PACKED);
    make_bzimage(image, n);
    path = write_file(image, PACKED + n);
    g_setenv("XDG_CACHE_HOME", cache, TRUE);
    g_unsetenv("MYNA_KEEP");
    g_assert_cmphex(last_word(path), ==, 0xfeedf00d); /* too new to be kept */
    g_assert_false(g_file_test(folder, G_FILE_TEST_EXISTS));
    g_usleep(3000000);
    start_file(path, "nokaslr");
    kept = kept_file(folder, "bzImage-");
    g_assert_nonnull(kept);
    g_assert_cmphex(qc_readl(q, LINKED + 0x3ffc), ==, 0xfeedf00d);
    qc_stop(q);
    write_at(kept, SEGMENT_2 + later + 0x1ffc, 0x11223344);
    g_assert_cmphex(last_word(path), ==, 0x11223344);
    g_chmod(kept, 0666);
    g_assert_cmphex(last_word(path), ==, 0xfeedf00d);
    g_chmod(kept, 0600);
    g_assert_cmphex(last_word(path), ==, 0x11223344);
    g_chmod(folder, 0777);
    g_assert_cmphex(last_word(path), ==, 0xfeedf00d);
    g_chmod(folder, 0700);
    g_setenv("MYNA_KEEP", "off", TRUE);
    g_assert_cmphex(last_word(path), ==, 0xfeedf00d);
    g_unsetenv("MYNA_KEEP");
    write_at(path, 0, 0);
    g_assert_cmphex(last_word(path), ==, 0xfeedf00d);
    g_setenv("MYNA_KEEP", "off", TRUE);
    g_unlink(path);
    g_spawn_command_line_sync(command, NULL, NULL, NULL, NULL);
}
#endif

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmlinux/moved", test_moved);
    g_test_add_func("/vmlinux/large-pages", test_large_pages);
    g_test_add_func("/vmlinux/not-moved", test_not_moved);
    g_test_add_func("/vmlinux/left-alone", test_left_alone);
    g_test_add_func("/vmlinux/refused", test_refused);
    g_test_add_func("/vmlinux/damaged", test_damaged);
#if defined(CONFIG_ZSTD) || defined(CONFIG_ZLIB)
    g_test_add_func("/vmlinux/kept", test_kept);
#endif
    return g_test_run();
}
