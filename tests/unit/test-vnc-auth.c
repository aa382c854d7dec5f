/* What a viewer that knows the password answers, by the example of FIPS 81, annex B. */
#include <glib.h>
#include <ui/vnc/vnc.h>

#ifdef CONFIG_NETTLE

/* The example's key, 0123456789abcdef, with the bits of each byte in reverse (RFC 6143, 7.2.2). */
static const char password[] = "\x80\xc4\xa2\xe6\x91\xd5\xb3\xf7";

static void test_answer(void)
{
    static const uint8_t want[CHALLENGE_LEN] = { 0x3f, 0xa4, 0x0e, 0x8a, 0x98, 0x4d, 0x48, 0x15,
                                                 0x6a, 0x27, 0x17, 0x87, 0xab, 0x88, 0x83, 0xf9 };
    uint8_t got[CHALLENGE_LEN];

    auth_answer(password, (const uint8_t *)"Now is the time for all ", got);
    g_assert_cmpmem(got, sizeof(got), want, sizeof(want));
}

/* A key of zeros is weak, and valid all the same: the empty password. */
static void test_weak(void)
{
    static const uint8_t zeros[CHALLENGE_LEN];
    static const uint8_t want[8] = { 0x8c, 0xa6, 0x4d, 0xe9, 0xc1, 0xb1, 0x23, 0xa7 };
    uint8_t got[CHALLENGE_LEN];

    auth_answer("", zeros, got);
    g_assert_cmpmem(got, 8, want, 8);
    g_assert_cmpmem(got + 8, 8, want, 8);
}

static void test_long(void)
{
    static const uint8_t challenge[CHALLENGE_LEN] = { 1, 2, 3 };
    uint8_t of_eight[CHALLENGE_LEN], of_more[CHALLENGE_LEN];

    auth_answer("12345678", challenge, of_eight);
    auth_answer("123456789", challenge, of_more);
    g_assert_cmpmem(of_eight, CHALLENGE_LEN, of_more, CHALLENGE_LEN);
}

#endif

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#ifdef CONFIG_NETTLE
    g_assert_true(auth_open(NULL));
    g_test_add_func("/vnc/auth/answer", test_answer);
    g_test_add_func("/vnc/auth/weak", test_weak);
    g_test_add_func("/vnc/auth/long", test_long);
#endif
    return g_test_run();
}
