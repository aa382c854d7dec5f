/* Option syntax: what QEMU's command lines hold, and what they must not. */
#include <base/option.h>

#include <glib/gstdio.h>

static struct opts *parse(const char *text)
{
    g_autoptr(GError) err = NULL;
    struct opts *o = opts_parse("-device", text, "driver", &err);

    g_assert_no_error(err);
    return o;
}

static void assert_message(GError *err, const char *text)
{
    g_assert_nonnull(err);
    g_assert_cmpstr(err->message, ==, text);
    g_assert_null(strchr(err->message, '\n'));
    g_error_free(err);
}

static void test_syntax(void)
{
    opts_auto struct opts *o =
        parse("virtio-blk-pci,drive=d0,path=a,,b,,,,c,flag,nowait,eq=a=b,empty=");
    bool wait = true, flag = false;
    GError *err = NULL;

    g_assert_cmpstr(opts_str(o, "driver", NULL), ==, "virtio-blk-pci");
    g_assert_cmpstr(opts_str(o, "drive", NULL), ==, "d0");
    g_assert_cmpstr(opts_str(o, "path", NULL), ==, "a,b,,c");
    g_assert_cmpstr(opts_str(o, "eq", NULL), ==, "a=b");
    g_assert_cmpstr(opts_str(o, "empty", NULL), ==, "");
    g_assert_cmpstr(opts_str(o, "absent", "default"), ==, "default");
    g_assert_true(opts_bool(o, "flag", &flag, &err) && flag);
    g_assert_true(opts_bool(o, "wait", &wait, &err) && !wait);
    g_assert_true(opts_done(o, &err));
}

static void test_last_counts(void)
{
    opts_auto struct opts *o = parse("x,a=1,a=2,fwd=p,fwd=q");

    g_assert_cmpstr(opts_str(o, "a", NULL), ==, "2");
    g_assert_cmpstr(opts_str_nth(o, "fwd", 0), ==, "p");
    g_assert_cmpstr(opts_str_nth(o, "fwd", 1), ==, "q");
    g_assert_null(opts_str_nth(o, "fwd", 2));
}

static void test_unknown_key(void)
{
    opts_auto struct opts *o = parse("virtio-blk-pci,drvie=d0");
    GError *err = NULL;

    opts_str(o, "driver", NULL);
    opts_str(o, "drive", NULL);
    g_assert_false(opts_done(o, &err));
    assert_message(err, "-device: there is no parameter 'drvie'; did you mean 'drive'?");
}

static void test_help(void)
{
    static const char *const asked[] = { "help", "?", "virtio-blk-pci,help", "x,a=1,?" };

    for (size_t i = 0; i < G_N_ELEMENTS(asked); i++) {
        opts_auto struct opts *o = parse(asked[i]);

        g_assert_true(opts_help_asked(o));
    }
    opts_auto struct opts *o = parse("x,help=1,a=help");
    g_assert_false(opts_help_asked(o));
}

static void test_numbers(void)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } rows[] = {
        { "0", true, 0 },
        { "64", true, 64 },
        { "0x40", true, 64 },
        { "010", true, 8 },
        { "65", false, 0 },
        { "-1", false, 0 },
        { "+1", false, 0 },
        { " 1", false, 0 },
        { "1x", false, 0 },
        { "", false, 0 },
        { "99999999999999999999999", false, 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t v = 7;
        GError *err = NULL;

        g_assert_cmpint(option_u64("-smp: cpus", rows[i].text, 0, 64, &v, &err), ==, rows[i].ok);
        g_assert_cmpuint(v, ==, rows[i].ok ? rows[i].value : 7);
        g_assert_cmpint(err != NULL, ==, !rows[i].ok);
        g_clear_error(&err);
    }
    GError *err = NULL;
    uint64_t v;
    option_u64("-smp: cpus", "65", 1, 64, &v, &err);
    assert_message(err, "-smp: cpus=65 is out of range, 1 to 64 is right");
}

static void test_signed(void)
{
    int64_t v = 0;
    GError *err = NULL;

    g_assert_true(option_i64("x", "-5", -10, 10, &v, NULL));
    g_assert_cmpint(v, ==, -5);
    g_assert_false(option_i64("x", "-11", -10, 10, &v, &err));
    assert_message(err, "x=-11 is out of range, -10 to 10 is right");
    g_assert_false(option_i64("x", "--1", -10, 10, &v, NULL));
    g_assert_false(option_i64("x", "-", -10, 10, &v, NULL));
}

static void test_sizes(void)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } rows[] = {
        { "1", true, 1 << 20 },
        { "1K", true, 1 << 10 },
        { "1k", true, 1 << 10 },
        { "512M", true, 512ULL << 20 },
        { "1.5G", true, 3ULL << 29 },
        { "7B", true, 7 },
        { "0x10", true, 16ULL << 20 },
        { "16E", false, 0 },
        { "15E", true, 15ULL << 60 },
        { "99999999999999999999E", false, 0 },
        { "1.G", false, 0 },
        { ".5G", false, 0 },
        { "1GB", false, 0 },
        { "1Q", false, 0 },
        { "-1M", false, 0 },
        { "M", false, 0 },
        { "", false, 0 },
        { "1.99999999999999999999999999999999999999999", false, 0 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t v = 0;
        bool ok = option_size("-m: size", rows[i].text, 1 << 20, 0, UINT64_MAX, &v, NULL);

        g_test_message("%s", rows[i].text);
        g_assert_cmpint(ok, ==, rows[i].ok);
        g_assert_cmpuint(v, ==, rows[i].value);
    }
}

static void test_enum(void)
{
    static const char *const names[] = { "unsafe", "writeback", "none", NULL };
    opts_auto struct opts *o = parse("x,cache=writebak");
    int v = 1;
    GError *err = NULL;

    g_assert_false(opts_enum(o, "cache", names, &v, &err));
    assert_message(err, "-device: cache=writebak is not known; did you mean 'writeback'?");
    opts_set(o, "cache", "zzzzz");
    err = NULL;
    g_assert_false(opts_enum(o, "cache", names, &v, &err));
    assert_message(err, "-device: cache=zzzzz is not known; it is one of: unsafe, writeback, none");
    opts_set(o, "cache", "none");
    g_assert_true(opts_enum(o, "cache", names, &v, NULL));
    g_assert_cmpint(v, ==, 2);
}

static void test_json(void)
{
    opts_auto struct opts *o = parse("{\"driver\": \"e,x\", \"n\": -3, \"b\": true, \"c\": false, "
                                     "\"file\": {\"driver\": \"raw\", \"deep\": {\"x\": 1}}, "
                                     "\"list\": [\"p\", {\"q\": 2}]}");
    static const char *const expected[][2] = {
        { "driver", "e,x" },      { "n", "-3" },          { "b", "on" },     { "c", "off" },
        { "file.driver", "raw" }, { "file.deep.x", "1" }, { "list.0", "p" }, { "list.1.q", "2" },
    };

    g_assert_cmpuint(opts_count(o), ==, G_N_ELEMENTS(expected));
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
        g_assert_cmpstr(opts_str(o, expected[i][0], NULL), ==, expected[i][1]);
    }
}

static void test_hostile(void)
{
    static const char *const bad[] = {
        "x,=1",
        "x,,=1,=",
        "=",
        "{",
        "{}}",
        "{\"a\":null}",
        "{\"a\":1,\"a\":2}",
        "{\"\":1}",
        "{\"a\":{\"\":1}}",
        "{\"a\":\"\\u0000\"}",
        "[1]x{",
        "{\"a\":1e999}",
    };
    g_autofree char *deep = g_strnfill(5000, '[');
    g_autofree char *deep_json = g_strconcat("{\"a\":", deep, NULL);
    g_autofree char *commas = g_strnfill(100001, ',');
    GError *err = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct opts *o = opts_parse("-device", bad[i], NULL, &err);

        g_test_message("%s", bad[i]);
        if (strcmp(bad[i], "[1]x{") == 0) { /* a flag of a strange name: unknown, but well-formed */
            g_assert_false(opts_done(o, &err));
        } else {
            g_assert_null(o);
        }
        opts_free(o);
        g_assert_null(strchr(err->message, '\n'));
        g_clear_error(&err);
    }
    g_assert_null(opts_parse("-device", deep_json, NULL, &err));
    g_clear_error(&err);
    /* An odd number of commas: all but one pair up to the driver's name. */
    opts_auto struct opts *o = opts_parse("-device", commas, "driver", &err);
    g_assert_no_error(err);
    g_assert_cmpuint(strlen(opts_str(o, "driver", NULL)), ==, 50000);
}

/* Random strings of what matters to the parser: it takes or refuses them, and no more. */
static void test_random(void)
{
    static const char *const bits[] = { "a",  "b",  "no",   "=",  ",",    ",,", "{",
                                        "}",  "[",  "]",    ":",  "\"",   "on", "help",
                                        "1K", "-1", "null", "\n", "\xff", "." };
    unsigned taken = 0, refused = 0;

    for (unsigned round = 0; round < 50000; round++) {
        g_autoptr(GString) s = g_string_new(g_test_rand_bit() ? "{" : NULL);
        g_autoptr(GError) err = NULL;
        opts_auto struct opts *o = NULL;
        uint64_t size = 0;
        bool flag = false;

        for (int n = g_test_rand_int_range(0, 20); n > 0; n--) {
            g_string_append(s, bits[g_test_rand_int_range(0, G_N_ELEMENTS(bits))]);
        }
        o = opts_parse("-x", s->str, g_test_rand_bit() ? "a" : NULL, &err);
        g_assert_cmpint(o == NULL, ==, err != NULL);
        if (!o) {
            refused++;
            continue;
        }
        taken++;
        opts_help_asked(o);
        if (opts_bool(o, "b", &flag, &err) && opts_size(o, "a", 1, 0, 1 << 20, &size, &err) &&
            opts_done(o, &err)) {
            g_assert_no_error(err);
        } else {
            g_assert_nonnull(err);
        }
        g_assert_cmpuint(size, <=, 1 << 20);
    }
    g_assert_cmpuint(taken, >, 1000);
    g_assert_cmpuint(refused, >, 1000);
}

static bool collect(const char *group, struct opts *o, void *opaque, GError **err)
{
    GString *s = opaque;

    (void)err;
    g_string_append_printf(s, "[%s]", group);
    for (size_t i = 0; i < opts_count(o); i++) {
        g_string_append_printf(s, "%s=%s;", opts_key_at(o, i), opts_value_at(o, i));
    }
    opts_free(o);
    return true;
}

static bool read_config(const char *text, GString *s, GError **err)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("myna-config-XXXXXX", &path, NULL);
    bool ok;

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    ok = opts_read_config(path, collect, s, err);
    g_unlink(path);
    g_close(fd, NULL);
    return ok;
}

static void test_config(void)
{
    g_autoptr(GString) s = g_string_new(NULL);
    static const char *const bad[] = { "a = \"b\"\n",   "[device\n",    "[device \"x]\n",
                                       "[d]\nx\n",      "[d]\nx = y\n", "[d]\n= \"y\"\n",
                                       "[d]\nx = \"\n", "[\n" };

    g_assert_true(read_config(
        "# c\n[device \"d0\"]\n  driver = \"virtio-blk\"\n\n[machine]\n x=\"a=b\"\n", s, NULL));
    g_assert_cmpstr(s->str, ==, "[device]id=d0;driver=virtio-blk;[machine]x=a=b;");
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) err = NULL;

        g_test_message("%s", bad[i]);
        g_assert_false(read_config(bad[i], s, &err));
        g_assert_nonnull(err);
        g_assert_null(strchr(err->message, '\n'));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/option/syntax", test_syntax);
    g_test_add_func("/option/last-counts", test_last_counts);
    g_test_add_func("/option/unknown-key", test_unknown_key);
    g_test_add_func("/option/help", test_help);
    g_test_add_func("/option/numbers", test_numbers);
    g_test_add_func("/option/signed", test_signed);
    g_test_add_func("/option/sizes", test_sizes);
    g_test_add_func("/option/enum", test_enum);
    g_test_add_func("/option/json", test_json);
    g_test_add_func("/option/hostile", test_hostile);
    g_test_add_func("/option/random", test_random);
    g_test_add_func("/option/config", test_config);
    return g_test_run();
}
