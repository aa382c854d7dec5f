/*
 * The text form: what is printed reads back the same; units that break the rules and text that is
 * none are refused with a line of error. MYNA_SEED repeats a run.
 */
#include <stdlib.h>
#include <string.h>
#include <tcg/opt.h>
#include "irgen.h"

#define MAX_INSNS 8000

static struct ir_insn buf[MAX_INSNS];
static uint32_t scratch[2 * MAX_INSNS];

static char *print(const struct ir *ir)
{
    size_t size;
    char *text;
    FILE *f = open_memstream(&text, &size);

    ir_print(ir, f);
    fclose(f);
    return text;
}

static uint32_t first_seed(void)
{
    const char *given = g_getenv("MYNA_SEED");
    uint32_t seed = given ? strtoul(given, NULL, 0) : g_random_int() % 1000000;

    g_test_message("MYNA_SEED=%u", seed);
    return seed;
}

static void check_same(const struct ir *a, const struct ir *b)
{
    char *text_a = print(a), *text_b = print(b);

    g_assert_cmpstr(text_a, ==, text_b);
    g_assert_cmpuint(a->loops, ==, b->loops);
    g_assert_cmpuint(a->flags, ==, b->flags);
    free(text_a);
    free(text_b);
}

static void test_round_trip(void)
{
    uint32_t seed = first_seed();
    static struct ir_insn buf2[MAX_INSNS];
    struct ir a, b;

    for (unsigned n = 0; n < 300; n++) {
        struct irgen p = { seed + n, 15, IRGEN_ALL };
        char *text, *error;

        ir_init(&a, buf, MAX_INSNS, &irm_slots);
        ir_init(&b, buf2, MAX_INSNS, &irm_slots);
        irgen_build(&p, &a, n % 10, 15);
        opt_run(&a, scratch, n % 8);
        text = print(&a);
        if (!ir_parse(&b, text, irm_helpers, &error))
            g_error("seed %u: %s\n%s", seed + n, error, text);
        check_same(&a, &b);
        free(text);
    }
}

/* Calls that name an instruction are none that irgen makes. */
static void test_x87_calls(void)
{
    static struct ir_insn buf2[MAX_INSNS];
    static const char source[] = "unit 0x1000 flags 0x0\n"
                                 "  insn 0x1000, 0\n"
                                 "    %2 = call.i64 seen(), 0x8c1\n"
                                 "    %3 = call.i64 seen(), 0x1000\n"
                                 "    exit 0x1002\n";
    struct ir a, b;
    char *text, *error;

    ir_init(&a, buf, MAX_INSNS, &irm_slots);
    ir_init(&b, buf2, MAX_INSNS, &irm_slots);
    g_assert_true(ir_parse(&a, source, irm_helpers, &error));
    g_assert_cmpuint(a.insn[2].mem, ==, IR_X87 | 0xc1);
    text = print(&a);
    g_assert_cmpstr(text, ==, source);
    g_assert_true(ir_parse(&b, text, irm_helpers, &error));
    check_same(&a, &b);
    free(text);
}

/* Parses @body behind a fixed beginning; the error, or NULL. */
static char *parse(const char *body)
{
    static const char head[] = "unit 0x1000 flags 0x0\n"
                               "  insn 0x1000, 0\n"
                               "    %a = get.i64 h0\n"
                               "    %w = get.i32 w0\n"
                               "    %f = get.f64 f0\n"
                               "    %s = unbox.f32 %f\n"
                               "    %c = check.i64 u1:0 [%a + 8], 16\n";
    char *text = g_strconcat(head, body, NULL), *error = NULL;
    struct ir ir;

    ir_init(&ir, buf, 200, &irm_slots);
    if (ir_parse(&ir, text, irm_helpers, &error))
        g_assert_null(error);
    else
        g_assert_nonnull(error);
    g_free(text);
    return error;
}

static void test_refused(void)
{
    /* Each with what its error must contain; NULL: it is valid. */
    static const struct {
        const char *body, *error;
    } cases[] = {
        { "exit 0x2000", NULL },
        { "%x = add.i64 %a, %a # and why\n\n exit 0x2000", NULL },
        { "", "does not end" },
        { "exit 1\nexit 2", "goes on behind its end" },
        { "%x = add.i64 %a, %w\nexit 1", "wrong type" },
        { "%x = add.i64 %a, %nix\nexit 1", "line 8: %nix is not defined" },
        { "%x = add.i64 %a\nexit 1", "expected ','" },
        { "%x = add.i64 %a, %a, %a\nexit 1", "goes on where it should end" },
        { "%x = add %a, %a\nexit 1", "defines no value" },
        { "%x = add.f64 %f, %f\nexit 1", "wrong type" },
        { "%x = add.i65 %a, %a\nexit 1", "does not take" },
        { "%x = frob.i64 %a\nexit 1", "no operation 'frob'" },
        { "%a = neg.i64 %a\nexit 1", "defined twice" },
        { "%x = set.i64 h0, %a\nexit 1", "defines no value" },
        { "set.i64 h99, %a\nexit 1", "no slot 'h99'" },
        { "set.i64 w0, %a\nexit 1", "wrong type" },
        { "%x = setcc.i64 %a, %a\nexit 1", "needs a condition" },
        { "%x = setcc.eq.i64 %a, %w\nexit 1", "wrong type" },
        { "%x = select.eq.i64 %a, %a, %a, %w\nexit 1", "wrong type" },
        { "exitif.eq.i32 %a, %a, 5\nexit 1", "wrong type" },
        { "%x = ld.i64 u3:0 [%a]\nexit 1", "not a memory operation" },
        { "%x = ld.i64 u8:9 [%a]\nexit 1", "bad memory operation" },
        { "%x = ld.i64 u8:99 [%a]\nexit 1", "no such MMU mode" },
        { "%x = ld.i32 u8:0 [%a]\nexit 1", "wrong type" },
        { "%x = ld.f64 u4:0 [%a]\nexit 1", "wrong type" },
        { "%x = ld.i64 u8:0 [%w]\nexit 1", "wrong type" },
        { "%x = ld.i64 u8:0 [%a + 0x80000000]\nexit 1", "exceeds 32 bits" },
        { "st.i32 u4:0 [%a], %a\nexit 1", "wrong type" },
        { "%x = ldh.i64 u8:0 [%a + 16], %c\nexit 1", NULL },
        { "%x = ldh.i64 u8:0 [%a + 17], %c\nexit 1", "not covered" },
        { "%x = ldh.i64 u8:0 [%a + 7], %c\nexit 1", "not covered" },
        { "%x = ldh.i64 u8:0 [%a + 8], %a\nexit 1", "not covered" },
        { "sth.i64 u8:0 [%a + 8], %a, %c\nexit 1", "check for loads" },
        { "%x = check.i64 u1:0 [%a], 0\nexit 1", "bad length" },
        { "%x = amo.nix.i64 u8:0 [%a], %a\nexit 1", "needs a condition" },
        { "%x = amo.add.i64 u8:0 [%a + 4], %a\nexit 1", "no displacement" },
        { "fence q, r\nexit 1", "not a kind of access" },
        { "%x = call.i64 nix(%a)\nexit 1", "no helper 'nix'" },
        { "%x = call.i64 pure2(%a)\nexit 1", "expected ','" },
        { "%x = call.i32 pure2(%a, %a)\nexit 1", "wrong type" },
        { "%x = call.i64 pure2(%a, %w)\nexit 1", "wrong type" },
        { "%x = call.i64 pure2(%a, %a), 0x7ff\nexit 1", "no x87 instruction" },
        { "%x = fma.np.f32 %s, %s, %f\nexit 1", "wrong type" },
        { "%x = fcmp.eq.i32 %f, %f\nexit 1", "wrong type" },
        { "%x = f2i.i64 %f\nexit 1", "needs a condition" },
        { "%x = f2f.f64 %f\nexit 1", "wrong type" },
        { "%x = sext32.i64 %a\nexit 1", "wrong type" },
        { "%x = box.f64 %f\nexit 1", "wrong type" },
        { "exitind %w", "wrong type" },
        { "%x = const.i64 18446744073709551616\nexit 1", "not a 64-bit number" },
        { "%x = const.v128 1\nexit 1", "wrong type" },
        { "loop.i64", "wrong type" },
    };

    for (unsigned n = 0; n < G_N_ELEMENTS(cases); n++) {
        char *error = parse(cases[n].body);

        if (!cases[n].error != !error || (error && !strstr(error, cases[n].error)))
            g_error("'%s': %s", cases[n].body, error ? error : "no error");
        g_free(error);
    }
}

/* Printed text with a few bytes changed, and pieces of it put together anew: never more than an
 * error. */
static void test_hostile(void)
{
    static const char bytes[] = "%=.,[]()+-:#\n 0189afx_sw\xff";
    uint32_t seed = first_seed();
    GRand *rand = g_rand_new_with_seed(seed);
    unsigned refused = 0;
    struct ir ir;

    for (unsigned n = 0; n < 3000; n++) {
        struct irgen p = { seed + n / 100, 4, IRGEN_ALL };
        char *text, *error;
        size_t size;

        ir_init(&ir, buf, MAX_INSNS, &irm_slots);
        irgen_build(&p, &ir, 0, 4);
        text = print(&ir);
        size = strlen(text);
        for (unsigned k = g_rand_int_range(rand, 1, 5); k > 0; k--) {
            char *at = text + g_rand_int_range(rand, 0, size);
            size_t len = g_rand_int_range(rand, 1, 30);

            len = MIN(len, size - (at - text));
            if (g_rand_boolean(rand))
                *at = bytes[g_rand_int_range(rand, 0, sizeof(bytes) - 1)];
            else
                memmove(text + g_rand_int_range(rand, 0, size - len + 1), at, len);
        }
        ir_init(&ir, buf, g_rand_int_range(rand, 2, MAX_INSNS), &irm_slots);
        if (!ir_parse(&ir, text, irm_helpers, &error)) {
            g_assert_null(strchr(error, '\n'));
            g_free(error);
            refused++;
        }
        free(text);
    }
    g_assert_cmpuint(refused, >, 1000);
    g_rand_free(rand);
}

/* Rules that text cannot break, and those that opt_run() leaves to its callers. */
static void test_verify(void)
{
    struct ir ir;
    char *error;
    ir_val a;

    ir_init(&ir, buf, 100, &irm_slots);
    error = ir_verify(&ir);
    g_assert_nonnull(strstr(error, "empty"));
    g_free(error);
    a = ir_get(&ir, IRM_H);
    a = ir_add(&ir, a, ir_get(&ir, IRM_H + 1));
    ir_exit(&ir, 0);
    g_assert_null(ir_verify(&ir));
    ir.insn[a].b = a;
    error = ir_verify(&ir);
    g_assert_nonnull(strstr(error, "not defined before"));
    g_free(error);
    ir.insn[a].op = IR_NB_OPS;
    error = ir_verify(&ir);
    g_assert_nonnull(strstr(error, "no such operation"));
    g_free(error);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ir/text/round-trip", test_round_trip);
    g_test_add_func("/ir/text/x87-calls", test_x87_calls);
    g_test_add_func("/ir/text/refused", test_refused);
    g_test_add_func("/ir/text/hostile", test_hostile);
    g_test_add_func("/ir/text/verify", test_verify);
    return g_test_run();
}
