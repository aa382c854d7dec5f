/* -accel tcg,jitdump=on,perfmap=on: what perf reads (linux: jitdump-specification.txt). */
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <glib.h>
#include <glib/gstdio.h>

struct load {
    uint32_t id, size;
    uint64_t time;
    uint32_t pid, tid;
    uint64_t vma, address, code_size, index;
};

/* Runs a guest that powers off by itself; the process that was. */
static unsigned run_guest(void)
{
    g_autofree char *kernel =
        g_build_filename(g_getenv("srcdir"), "tests/guest/riscv/races/races.elf", NULL);
    const char *argv[] = { g_getenv("MYNA"),
                           "-arch",
                           "riscv64",
                           "-M",
                           "virt",
                           "-smp",
                           "4",
                           "-m",
                           "64M",
                           "-append",
                           "ms=1 only=lr,",
                           "-display",
                           "none",
                           "-serial",
                           "null",
                           "-accel",
                           "tcg,jitdump=on,perfmap=on",
                           "-kernel",
                           kernel,
                           NULL };
    GError *err = NULL;
    GPid pid;
    int status;

    g_spawn_async(NULL, (char **)(uintptr_t)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                  &err);
    g_assert_no_error(err);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_cmpint(status, ==, 0);
    return pid;
}

static char *read_file(const char *kind, unsigned pid, const char *suffix, gsize *len)
{
    g_autofree char *name = g_strdup_printf("/tmp/%s-%u.%s", kind, pid, suffix);
    char *text = NULL;
    GError *err = NULL;

    g_file_get_contents(name, &text, len, &err);
    g_assert_no_error(err);
    g_unlink(name);
    return text;
}

static uint32_t word(const char *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* One unit, by the line of the map that it must have, too. */
static void check_unit(const char *p, const char *map, unsigned pid, uint64_t index)
{
    struct load l;
    const char *name = p + sizeof(l);
    g_autofree char *line = NULL;

    memcpy(&l, p, sizeof(l));
    g_assert_cmpuint(l.size, ==, sizeof(l) + strlen(name) + 1 + l.code_size);
    g_assert_cmpuint(l.pid, ==, pid);
    g_assert_cmphex(l.vma, ==, l.address);
    g_assert_cmpuint(l.index, ==, index);
    g_assert_true(g_str_has_prefix(name, "guest_"));
    line =
        g_strdup_printf("%" G_GINT64_MODIFIER "x %x %s\n", l.address, (unsigned)l.code_size, name);
    g_assert_nonnull(strstr(map, line));
}

static void test_jitdump(void)
{
    unsigned pid = run_guest(), units = 0;
    gsize len, map_len;
    g_autofree char *dump = read_file("jit", pid, "dump", &len);
    g_autofree char *map = read_file("perf", pid, "map", &map_len);
    gsize at = 40;

    g_assert_cmpuint(len, >, 40 + 16);
    g_assert_cmphex(word(dump), ==, 0x4a695444);
    g_assert_cmpuint(word(dump + 4), ==, 1);
    g_assert_cmpuint(word(dump + 8), ==, 40);
    g_assert_cmpuint(word(dump + 20), ==, pid);
    for (; word(dump + at) == 0; at += word(dump + at + 4)) {
        g_assert_cmpuint(word(dump + at + 4), <=, len - 16 - at);
        check_unit(dump + at, map, pid, units++);
    }
    g_assert_cmpuint(word(dump + at), ==, 3); /* the end */
    g_assert_cmpuint(at + 16, ==, len);
    g_assert_cmpuint(units, >, 20);
    g_assert_nonnull(strstr(map, "guest_80200000\n"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/jitdump/records", test_jitdump);
    return g_test_run();
}
