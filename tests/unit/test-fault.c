/*
 * What is said when a mapped file cannot be read any more, and that other faults are as ever.
 */
#include <base/fault.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <glib.h>
#include <glib/gstdio.h>

enum { PAGE = 4096, PAGES = 8, LAST = (PAGES - 1) * PAGE };

static void goodbye(void)
{
    (void)!write(STDERR_FILENO, "<put back>", 10);
}

/* In a process of its own: maps all but the first page of that file, which loses all but two. */
static void touch_cut(int fd)
{
    const volatile char *p;

    g_assert_cmpint(ftruncate(fd, PAGES * PAGE), ==, 0);
    p = mmap(NULL, LAST, PROT_READ, MAP_PRIVATE, fd, PAGE);
    g_assert_true(p != MAP_FAILED);
    fault_explain(goodbye);
    g_assert_cmpint(ftruncate(fd, 2 * PAGE), ==, 0);
    g_assert_cmpint(p[0], ==, 0); /* is still there */
    exit(p[LAST - PAGE] + 2);
}

static void test_file(void)
{
    g_autofree char *name = NULL;
    int fd;

    if (g_test_subprocess())
        touch_cut(open(g_getenv("CUT_FILE"), O_RDWR | O_CLOEXEC));
    fd = g_file_open_tmp("a file XXXXXX", &name, NULL);
    g_setenv("CUT_FILE", name, TRUE);
    g_test_trap_subprocess(NULL, 0, 0);
    g_unlink(name);
    close(fd);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*<put back>myna: '/*a file *' was cut short while it was in use\n");
}

/* A file without a name: whether it was cut is not to be found out. */
static void test_nameless(void)
{
    if (g_test_subprocess())
        touch_cut(memfd_create("nameless", MFD_CLOEXEC));
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*<put back>myna: '/*nameless*' cannot be read any more*");
}

/* From kill(), say. */
static void test_other(void)
{
    if (g_test_subprocess()) {
        fault_explain(NULL);
        raise(SIGBUS);
        exit(EXIT_SUCCESS);
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr_unmatched("*myna:*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fault/file", test_file);
    g_test_add_func("/fault/nameless", test_nameless);
    g_test_add_func("/fault/other", test_other);
    return g_test_run();
}
