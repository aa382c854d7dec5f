/*
 * What text consoles pass on to libvterm: whole characters, known sequences with few parameters,
 * whatever comes and however it is cut. --seed repeats a run.
 */
#include <string.h>
#include "ui/vtsafe.h"

static char *feed(const char *bytes, size_t len)
{
    struct vtsafe s = { 0 };
    GString *out = g_string_new(NULL);

    vtsafe_feed(&s, bytes, len, out);
    return g_string_free(out, FALSE);
}

static void test_cases(void)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "plain\r\n\ttext\a", "plain\r\n\ttext\a" },
        { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
        { "\xc3x\xff\x80", "\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xe2\x82\n", "\xef\xbf\xbd\n" }, /* cut off by a control */
        { "\xc0\x80\xed\xa0\x80",
          "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* overlong; surrogate */
        { "\xc2\x9b"
          "31m",
          "31m" }, /* C1 in UTF-8 */
        { "\033[31;1mx\033[m", "\033[31;1mx\033[m" },
        { "\033[38:2::1:2:3mx", "\033[38:2::1:2:3mx" },
        { "\033[;5H\033[2J\033[?25l", "\033[;5H\033[2J\033[?25l" },
        { "\033[99999999999999999999A", "\033[9999A" },
        { "\033[1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1;1mx", "x" },
        { "\033[?12;25hx\033[?25;69hy", "\033[?12;25hxy" },
        { "\033[?69h\033[1;2s\033[>1qx", "x" },
        { "\033]0;title\007a\033]0;t\033\\b\033P$qm\033\\c", "abc" },
        { "\033]0;cut\033[1mx", "\033[1mx" },
        { "\033(0q\033(B\0337\0338", "\033(0q\033(B\0337\0338\033[?9999l" },
        { "\033[1\030x\033\032y", "xy" },
        { "\033[2\nA", "\n\033[2A" },
        { "\033[4 q\033[!p\033[1$r", "\033[4 q\033[!p" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *out = feed(cases[i].in, strlen(cases[i].in));

        g_assert_cmpstr(out, ==, cases[i].out);
    }
}

/* Of a sequence in what comes out: few parameters, all small. Returns its end. */
static const char *check_csi(const char *p)
{
    unsigned args = 1, value = 0;

    for (p += 2; *p && (*p < 0x40 || *p > 0x7e); p++) {
        value = *p >= '0' && *p <= '9' ? value * 10 + (unsigned)(*p - '0') : 0;
        args += *p == ';' || *p == ':';
        g_assert_cmpuint(value, <=, VTSAFE_ARG_MAX);
    }
    g_assert_cmpuint(args, <=, VTSAFE_ARGS);
    g_assert_true(*p);
    return p;
}

static void test_random(void)
{
    static const char likely[] =
        "\033\033\033[[[;;;:?>]P\\\a0123456789 mHrhlK\n\xc3\xa4\xf0\x9f\x9b";

    for (unsigned round = 0; round < 3000; round++) {
        char in[200];
        size_t len = (size_t)g_test_rand_int_range(0, sizeof(in)), cut;
        g_autofree char *whole = NULL;
        struct vtsafe s = { 0 };
        GString *out = g_string_new(NULL);

        for (size_t i = 0; i < len; i++)
            in[i] = g_test_rand_bit() ? likely[g_test_rand_int_range(0, sizeof(likely) - 1)]
                                      : (char)g_test_rand_int();
        whole = feed(in, len);
        g_assert_true(g_utf8_validate(whole, -1, NULL));
        for (const char *p = whole; *p; p++)
            if (p[0] == '\033' && p[1] == '[')
                p = check_csi(p);
        cut = (size_t)g_test_rand_int_range(0, (gint32)len + 1);
        vtsafe_feed(&s, in, cut, out);
        vtsafe_feed(&s, in + cut, len - cut, out);
        g_assert_cmpstr(out->str, ==, whole);
        g_string_free(out, TRUE);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vtsafe/cases", test_cases);
    g_test_add_func("/vtsafe/random", test_random);
    return g_test_run();
}
