/*
 * Runs of bytes in guest memory: what base/shared.h copies and fills is what plain loops give, at
 * all distances and alignments, the way that ThreadSanitizer's builds go too.
 */
#include <base/shared.h>
#include <stdbool.h>
#include <glib.h>

enum { SIZE = 640, ROUNDS = 20000 };

struct place {
    union {
        uint64_t aligned;
        uint8_t byte[SIZE];
    };
};

static void randomise(struct place *p)
{
    for (unsigned i = 0; i < SIZE; i++)
        p->byte[i] = (uint8_t)g_test_rand_int();
}

static void test_copy(gconstpointer data)
{
    bool by_numbers = GPOINTER_TO_INT(data);

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct place got, expected, copy;
        int n = g_test_rand_int_range(0, round % 2 ? 40 : SIZE / 2);
        int to = g_test_rand_int_range(0, SIZE - n), from = g_test_rand_int_range(0, SIZE - n);

        randomise(&got);
        copy = expected = got;
        for (int i = 0; i < n; i++)
            expected.byte[to + i] = copy.byte[from + i];
        if (by_numbers)
            shared_copy_by_numbers(got.byte + to, got.byte + from, (size_t)n);
        else
            shared_copy(got.byte + to, got.byte + from, (size_t)n);
        g_assert_cmpmem(got.byte, SIZE, expected.byte, SIZE);
    }
}

static void test_fill(void)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct place got, expected;
        unsigned size = 1u << g_test_rand_int_range(0, 4);
        int n = g_test_rand_int_range(0, SIZE / (int)size);
        int to = g_test_rand_int_range(0, SIZE - n * (int)size + 1);
        uint64_t v = (uint64_t)(uint32_t)g_test_rand_int() << 32 | (uint32_t)g_test_rand_int();

        v = round % 3 ? v : (v & 0xff) * UINT64_C(0x0101010101010101);
        randomise(&got);
        expected = got;
        for (int i = 0; i < n; i++)
            shared_store(expected.byte + to + i * (int)size, v, size);
        shared_fill(got.byte + to, v, size, (size_t)n);
        g_assert_cmpmem(got.byte, SIZE, expected.byte, SIZE);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/shared/copy", GINT_TO_POINTER(false), test_copy);
    g_test_add_data_func("/shared/copy-by-numbers", GINT_TO_POINTER(true), test_copy);
    g_test_add_func("/shared/fill", test_fill);
    return g_test_run();
}
