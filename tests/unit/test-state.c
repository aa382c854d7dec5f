/* Saved state: round trips of every kind of field, versions, and hostile bytes. */
#include <base/clock.h>
#include <base/loop.h>
#include <hw/core/state.h>

struct part {
    uint16_t a;
    bool b;
};

static const struct state_field part_fields[] = { STATE_U16(struct part, a),
                                                  STATE_BOOL(struct part, b), STATE_END };
static const struct state_table part_table = { .name = "part",
                                               .version = 1,
                                               .fields = part_fields };

struct thing {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    int64_t i64;
    bool flag;
    uint8_t buf[5];
    uint32_t regs[3];
    uint32_t n;
    uint16_t *list;
    struct part part, parts[2];
    struct timer timer;
    GString *text;
    uint32_t newer;
};

static void text_save(const void *field, struct state_writer *w)
{
    GString *const *s = field;

    state_put_u32(w, (uint32_t)(*s)->len);
    state_put(w, (*s)->str, (*s)->len);
}

static bool text_load(void *field, struct state_reader *r, GError **err)
{
    GString **s = field;
    char buf[16];
    uint32_t len;

    if (!state_get_u32(r, &len, err))
        return false;
    if (len > sizeof(buf)) {
        g_set_error_literal(err, g_quark_from_static_string("test"), 1, "text too long");
        return false;
    }
    if (!state_get(r, buf, len, err))
        return false;
    g_string_truncate(*s, 0);
    g_string_append_len(*s, buf, len);
    return true;
}

static const struct state_custom text_ops = { text_save, text_load };

static bool check_thing(void *obj, unsigned version, GError **err)
{
    const struct thing *t = obj;

    if (t->u8 < 200 && (version == 1 || version == 2))
        return true;
    g_set_error_literal(err, g_quark_from_static_string("test"), 2, "u8 out of range");
    return false;
}

static const struct state_field thing_fields[] = { STATE_U8(struct thing, u8),
                                                   STATE_U16(struct thing, u16),
                                                   STATE_U32(struct thing, u32),
                                                   STATE_U64(struct thing, u64),
                                                   STATE_I64(struct thing, i64),
                                                   STATE_BOOL(struct thing, flag),
                                                   STATE_BUF(struct thing, buf),
                                                   STATE_ARRAY(struct thing, regs),
                                                   STATE_VARRAY(struct thing, list, n, 8),
                                                   STATE_STRUCT(struct thing, part, part_table),
                                                   STATE_STRUCT_ARRAY(struct thing, parts,
                                                                      part_table),
                                                   STATE_TIMER(struct thing, timer),
                                                   STATE_CUSTOM(struct thing, text, text_ops),
                                                   STATE_U32(struct thing, newer, .since = 2),
                                                   STATE_END };
static const struct state_table v1 = {
    .name = "thing", .version = 1, .fields = thing_fields, .post_load = check_thing
};
static const struct state_table v2 = { .name = "thing",
                                       .version = 2,
                                       .min_version = 1,
                                       .fields = thing_fields,
                                       .post_load = check_thing };

static void never(void *opaque)
{
    (void)opaque;
}

static void init(struct thing *t, struct loop *l, unsigned n)
{
    *t = (struct thing){ .n = n, .list = g_new0(uint16_t, n), .text = g_string_new("?") };
    timer_init(&t->timer, l, CLK_VIRTUAL, never, t);
}

static void clear(struct thing *t)
{
    timer_del(&t->timer);
    g_free(t->list);
    g_string_free(t->text, TRUE);
}

static void fill(struct thing *t)
{
    t->u8 = 0x12;
    t->u16 = 0x3456;
    t->u32 = 0x789abcde;
    t->u64 = UINT64_C(0xfedcba9876543210);
    t->i64 = -5;
    t->flag = true;
    memcpy(t->buf, "\1\2\3\4\5", 5);
    t->regs[2] = 77;
    t->list[t->n - 1] = 0xabcd;
    t->part = (struct part){ 9, true };
    t->parts[1] = (struct part){ 10, true };
    timer_mod_ns(&t->timer, 123456789);
    g_string_assign(t->text, "hello");
    t->newer = 42;
}

static void test_round_trip(void)
{
    struct loop *l = loop_new();
    GByteArray *out = g_byte_array_new();
    GError *err = NULL;
    struct thing a, b;
    size_t used;

    loop_lock(l);
    init(&a, l, 3);
    init(&b, l, 3);
    fill(&a);
    state_save(&v2, &a, out);
    g_byte_array_append(out, (const guint8 *)"rest", 4);
    g_assert_true(state_load(&v2, &b, out->data, out->len, &used, &err));
    g_assert_no_error(err);
    g_assert_cmpuint(used, ==, out->len - 4);
    g_assert_cmpuint(b.u8, ==, a.u8);
    g_assert_cmpuint(b.u16, ==, a.u16);
    g_assert_cmpuint(b.u32, ==, a.u32);
    g_assert_cmpuint(b.u64, ==, a.u64);
    g_assert_cmpint(b.i64, ==, a.i64);
    g_assert_true(b.flag);
    g_assert_cmpmem(b.buf, 5, a.buf, 5);
    g_assert_cmpmem(b.regs, 12, a.regs, 12);
    g_assert_cmpuint(b.list[2], ==, 0xabcd);
    g_assert_true(b.part.a == 9 && b.part.b && b.parts[1].a == 10 && b.parts[1].b);
    g_assert_cmpint(timer_deadline(&b.timer), ==, 123456789);
    g_assert_cmpstr(b.text->str, ==, "hello");
    g_assert_cmpuint(b.newer, ==, 42);
    /* a timer that was not pending is taken back */
    timer_del(&a.timer);
    g_byte_array_set_size(out, 0);
    state_save(&v2, &a, out);
    g_assert_true(state_load(&v2, &b, out->data, out->len, &used, &err));
    g_assert_false(timer_pending(&b.timer));
    clear(&a);
    clear(&b);
    g_byte_array_free(out, TRUE);
    loop_unlock(l);
    loop_free(l);
}

static void expect_failure(const struct state_table *t, struct thing *obj, const GByteArray *in,
                           size_t len, const char *text)
{
    GError *err = NULL;
    size_t used;

    g_assert_false(state_load(t, obj, in->data, len, &used, &err));
    g_assert_nonnull(err);
    g_assert_nonnull(strstr(err->message, text));
    g_error_free(err);
}

static void test_versions(void)
{
    struct loop *l = loop_new();
    GByteArray *out = g_byte_array_new();
    struct thing a, b;
    size_t used;

    loop_lock(l);
    init(&a, l, 2);
    init(&b, l, 2);
    fill(&a);
    b.newer = 1234;
    /* version 1 wrote no `newer`: the same fields, cut */
    state_save(&v2, &a, out);
    g_byte_array_set_size(out, out->len - 10);
    out->data[2 + 5] = 1;
    g_assert_true(state_load(&v2, &b, out->data, out->len, &used, NULL));
    g_assert_cmpuint(b.newer, ==, 1234);
    out->data[2 + 5] = 3;
    expect_failure(&v2, &b, out, out->len, "version 3 is not one of 1 to 2");
    out->data[2 + 5] = 2;
    expect_failure(&v1, &b, out, out->len, "version 2 is not one of 1 to 1");
    expect_failure(&part_table, &b, out, out->len, "something else");
    clear(&a);
    clear(&b);
    g_byte_array_free(out, TRUE);
    loop_unlock(l);
    loop_free(l);
}

static void test_hostile(void)
{
    struct loop *l = loop_new();
    GByteArray *out = g_byte_array_new();
    GRand *rnd = g_rand_new_with_seed(7);
    struct thing a, b, other;
    size_t used;

    loop_lock(l);
    init(&a, l, 4);
    init(&b, l, 4);
    init(&other, l, 5);
    fill(&a);
    state_save(&v2, &a, out);
    for (size_t len = 0; len < out->len; len++)
        expect_failure(&v2, &b, out, len, "saved state");
    expect_failure(&v2, &other, out, out->len, "has 4 elements, this machine has 5");
    a.u8 = 255;
    g_byte_array_set_size(out, 0);
    state_save(&v2, &a, out);
    expect_failure(&v2, &b, out, out->len, "out of range");
    /* any bytes at all: an error or not, but nothing worse */
    for (unsigned i = 0; i < 20000; i++) {
        GError *err = NULL;
        uint8_t *copy = g_memdup2(out->data, out->len);

        for (int n = g_rand_int_range(rnd, 1, 4); n; n--)
            copy[g_rand_int_range(rnd, 0, (int)out->len)] = (uint8_t)g_rand_int(rnd);
        g_assert_true(state_load(&v2, &b, copy, out->len, &used, &err) == !err);
        g_clear_error(&err);
        g_free(copy);
    }
    clear(&a);
    clear(&b);
    clear(&other);
    g_rand_free(rnd);
    g_byte_array_free(out, TRUE);
    loop_unlock(l);
    loop_free(l);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/state/round-trip", test_round_trip);
    g_test_add_func("/state/versions", test_versions);
    g_test_add_func("/state/hostile", test_hostile);
    return g_test_run();
}
