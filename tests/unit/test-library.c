/* Libraries that are opened late: what is called, and what a broken installation is answered. */
#include <base/library.h>
#include <math.h>

/* libm stands in: every host has it, and this program does not need these of it. */
#define M_FUNCTIONS(F, P) \
    F(P, hypot)           \
    F(P, fmod)
#define BAD_FUNCTIONS(F, P) \
    F(P, hypot)             \
    F(P, no_such_thing)
#define SONAME_M    "libm.so.6"
#define DEBIAN_M    "libc6"
#define SONAME_NONE "libno-such-thing.so.7"
#define DEBIAN_NONE "libno-such-thing7"

void no_such_thing(void);

struct good {
    M_FUNCTIONS(LIBRARY_POINTER, )
};

static void test_open(void)
{
    struct good m = { 0 };
    struct library l = LIBRARY(m, M, , M_FUNCTIONS);

    for (int i = 0; i < 2; i++) {
        g_assert_true(library_open(&l, "test", NULL));
        g_assert_cmpfloat(m.hypot(3, 4), ==, 5);
        g_assert_cmpfloat(m.fmod(7, 4), ==, 3);
    }
}

static void fails(struct library *l, const char *word, const char *package)
{
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) err = NULL;

        g_assert_false(library_open(l, "test", &err));
        g_assert_true(g_str_has_prefix(err->message, "test: "));
        g_assert_nonnull(strstr(err->message, l->soname));
        g_assert_nonnull(strstr(err->message, word));
        g_assert_nonnull(strstr(err->message, package));
        g_assert_null(strchr(err->message, '\n'));
        g_assert_false(library_open(l, "test", NULL));
    }
}

static void test_missing(void)
{
    struct good m = { 0 };
    struct library l = LIBRARY(m, NONE, , M_FUNCTIONS);

    fails(&l, "No such file", "(Debian package: libno-such-thing7)");
    g_assert_null(m.hypot);
}

static void test_lacking(void)
{
    struct {
        BAD_FUNCTIONS(LIBRARY_POINTER, )
    } m = { 0 };
    struct library l = LIBRARY(m, M, , BAD_FUNCTIONS);

    fails(&l, "it has no no_such_thing ", "(Debian package: libc6)");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/library/open", test_open);
    g_test_add_func("/library/missing", test_missing);
    g_test_add_func("/library/lacking", test_lacking);
    return g_test_run();
}
