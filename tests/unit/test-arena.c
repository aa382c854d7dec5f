/* Arena: alignment, reuse after a reset, blocks larger than a chunk. */
#include <base/arena.h>

static void test_aligned_and_disjoint(void)
{
    struct arena a;
    uint8_t *last = NULL;

    arena_init(&a, 256);
    for (size_t n = 1; n < 200; n++) {
        uint8_t *p = arena_alloc(&a, n);

        g_assert_cmpuint((uintptr_t)p % 16, ==, 0);
        memset(p, (int)n, n);
        if (last) {
            g_assert_cmpuint(last[n - 2], ==, n - 1);
        }
        last = p;
    }
    arena_free(&a);
    g_assert_cmpuint(arena_footprint(&a), ==, 0);
}

static void test_reset_reuses(void)
{
    struct arena a;
    void *first;
    size_t size;

    arena_init(&a, 1024);
    first = arena_alloc(&a, 100);
    arena_alloc(&a, 5000);
    arena_alloc(&a, 1000);
    size = arena_footprint(&a);
    for (int i = 0; i < 10; i++) {
        arena_reset(&a);
        g_assert_true(arena_alloc(&a, 100) == first);
        arena_alloc(&a, 5000);
        arena_alloc(&a, 1000);
        g_assert_cmpuint(arena_footprint(&a), ==, size);
    }
    arena_free(&a);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/arena/aligned", test_aligned_and_disjoint);
    g_test_add_func("/arena/reset", test_reset_reuses);
    return g_test_run();
}
