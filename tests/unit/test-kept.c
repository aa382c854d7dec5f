/* Copies kept for the next start: what is found again, and for whom; how many stay. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <base/kept.h>
#include <glib/gstdio.h>

#define BYTES (2u << 20)

static const struct file_id file = { 1, 2, 3, { 4, 5 }, { 6, 7 } };
static char *folder;

static unsigned count(void)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    unsigned n = 0;

    while (dir && g_dir_read_name(dir))
        n++;
    if (dir)
        g_dir_close(dir);
    return n;
}

/* Disks are waited for elsewhere. */
static GBytes *get_soon(const struct file_id *id, const char *how)
{
    for (unsigned i = 0; i < 1000; i++) {
        GBytes *got = kept_get(id, how);

        if (got)
            return got;
        g_usleep(10000);
    }
    return NULL;
}

static void expect(const struct file_id *id, const char *how, uint8_t byte)
{
    g_autoptr(GBytes) got = get_soon(id, how);
    gsize len;
    const uint8_t *p;

    g_assert_nonnull(got);
    p = g_bytes_get_data(got, &len);
    g_assert_cmpuint(len, ==, BYTES);
    for (unsigned i = 0; i < len; i++)
        g_assert_cmpuint(p[i], ==, byte);
}

static void put(const struct file_id *id, const char *how, uint8_t byte)
{
    g_autofree uint8_t *data = g_malloc(BYTES);

    memset(data, byte, BYTES);
    kept_put(id, how, data, BYTES);
    memset(data, ~byte, BYTES); /* is ours again */
}

static void test_found(void)
{
    struct file_id others[] = { file, file, file, file, file, file, file };

    others[0].device++;
    others[1].inode++;
    others[2].size++;
    others[3].modified.tv_sec++;
    others[4].modified.tv_nsec++;
    others[5].changed.tv_sec++;
    others[6].changed.tv_nsec++;
    g_assert_null(kept_get(&file, "one"));
    put(&file, "one", 0x11);
    expect(&file, "one", 0x11);
    g_assert_null(kept_get(&file, "two"));
    put(&file, "two", 0x22);
    expect(&file, "two", 0x22);
    expect(&file, "one", 0x11);
    for (unsigned i = 0; i < G_N_ELEMENTS(others); i++) {
        g_assert_false(file_id_same(&file, &others[i]));
        g_assert_null(kept_get(&others[i], "one"));
    }
    put(&file, "one", 0x33); /* is there already */
    put(&others[0], "one", 0x44);
    expect(&others[0], "one", 0x44);
    expect(&file, "one", 0x11);
}

static void test_not_kept(void)
{
    struct file_id now = file;
    unsigned n = count();

    kept_put(&file, "small", "x", 1);
    clock_gettime(CLOCK_REALTIME, &now.changed);
    g_assert_false(kept_wanted(&now));
    g_assert_true(kept_wanted(&file));
    put(&now, "new", 1);
    now.changed.tv_sec += 1000;
    put(&now, "future", 1);
    g_setenv("MYNA_KEEP", "off", TRUE);
    g_assert_false(kept_wanted(&file));
    put(&file, "unwanted", 1);
    g_assert_null(kept_get(&file, "one"));
    g_unsetenv("MYNA_KEEP");
    g_chmod(folder, 0770);
    put(&file, "anybody's", 1);
    g_assert_null(kept_get(&file, "one"));
    g_chmod(folder, 0700);
    g_usleep(300000);
    g_assert_cmpuint(count(), ==, n);
    expect(&file, "one", 0x11);
}

/* Somebody else's file in our folder. */
static void test_links(void)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;
    g_autofree char *path = NULL, *other = g_build_filename(folder, "..", "other", NULL);

    while ((name = g_dir_read_name(dir)) && !g_str_has_prefix(name, "two-"))
        ;
    path = g_build_filename(folder, name, NULL);
    g_dir_close(dir);
    g_assert_cmpint(g_rename(path, other), ==, 0);
    g_assert_cmpint(symlink(other, path), ==, 0);
    g_assert_null(kept_get(&file, "two"));
    g_unlink(path);
    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    g_assert_null(kept_get(&file, "two"));
    g_unlink(path);
    g_assert_cmpint(truncate(other, 0), ==, 0);
    g_assert_cmpint(g_rename(other, path), ==, 0);
    g_assert_null(kept_get(&file, "two"));
    g_unlink(path);
}

/* Those used last stay. */
static void test_old(void)
{
    struct file_id id = file;

    for (unsigned i = 0; i < 20; i++) {
        id.inode = 100 + i;
        put(&id, "many", (uint8_t)i);
        expect(&id, "many", (uint8_t)i);
        expect(&file, "one", 0x11);
        g_usleep(10000);
    }
    for (unsigned i = 0; i < 1000 && count() > 16; i++)
        g_usleep(10000);
    g_assert_cmpuint(count(), ==, 16);
    id.inode = 100;
    g_assert_null(kept_get(&id, "many"));
    expect(&file, "one", 0x11);
}

static void remove_all(const char *path)
{
    const char *argv[] = { "rm", "-rf", path, NULL };

    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL,
                 NULL);
}

int main(int argc, char **argv)
{
    g_autofree char *cache = g_dir_make_tmp("kept-XXXXXX", NULL);
    int status;

    g_setenv("XDG_CACHE_HOME", cache, TRUE);
    g_unsetenv("MYNA_KEEP");
    folder = g_build_filename(cache, "myna", "unpacked", NULL);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kept/found", test_found);
    g_test_add_func("/kept/not-kept", test_not_kept);
    g_test_add_func("/kept/links", test_links);
    g_test_add_func("/kept/old", test_old);
    status = g_test_run();
    remove_all(cache);
    g_free(folder);
    return status;
}
