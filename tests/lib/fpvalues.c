/* Operands for floating-point tests: see fpvalues.h. */
#include "fpvalues.h"

fpv_u128 fpv_pack(const struct fpv_shape *s, bool sign, int exp, fpv_u128 frac)
{
    int pos = s->frac_bits + s->explicit_bit;
    fpv_u128 integer = s->explicit_bit && exp ? (fpv_u128)1 << s->frac_bits : 0;

    return (fpv_u128)sign << (pos + s->exp_bits) | (fpv_u128)exp << pos | integer |
           (frac & (((fpv_u128)1 << s->frac_bits) - 1));
}

static void add_both(GArray *a, const struct fpv_shape *s, int exp, fpv_u128 frac)
{
    fpv_u128 v = fpv_pack(s, false, exp, frac), w = fpv_pack(s, true, exp, frac);

    g_array_append_val(a, v);
    g_array_append_val(a, w);
}

GArray *fpv_special(const struct fpv_shape *s)
{
    static const int integer_exps[] = { -1, 0, 1, 6, 7, 8, 14, 15, 16, 30, 31, 32, 62, 63, 64 };
    int max = (1 << s->exp_bits) - 1, bias = max / 2;
    int exps[] = { 1,
                   2,
                   bias - s->frac_bits - 1,
                   bias - s->frac_bits,
                   bias + s->frac_bits,
                   bias + s->frac_bits + 1,
                   bias / 2,
                   bias + bias / 2,
                   max - 2,
                   max - 1 };
    fpv_u128 one = 1, top = one << (s->frac_bits - 1), ones = (top << 1) - 1;
    fpv_u128 fracs[] = { 0, 1, top, ones };
    GArray *a = g_array_new(false, false, sizeof(fpv_u128));

    for (size_t i = 0; i < G_N_ELEMENTS(exps); i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(fracs) && exps[i] > 0 && exps[i] < max; k++) {
            add_both(a, s, exps[i], fracs[k]);
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(integer_exps); i++) {
        int n = s->frac_bits - integer_exps[i];
        bool half = n > 0 && n < s->frac_bits;

        if (bias + integer_exps[i] < max) {
            add_both(a, s, bias + integer_exps[i], 0);
            add_both(a, s, bias + integer_exps[i], ones);
            add_both(a, s, bias + integer_exps[i], half ? one << (n - 1) : 1); /* ends in .5 */
            add_both(a, s, bias + integer_exps[i], half ? ones - (one << (n - 1)) + 1 : top);
        }
    }
    for (size_t k = 0; k < G_N_ELEMENTS(fracs); k++) {
        add_both(a, s, 0, fracs[k]);
        add_both(a, s, 0, fracs[k] >> 1);
    }
    add_both(a, s, max, 0);
    add_both(a, s, max, 1);
    add_both(a, s, max, top - 1);
    add_both(a, s, max, top);
    add_both(a, s, max, top | 5);
    return a;
}

static fpv_u128 random_bits(GRand *rand)
{
    fpv_u128 v = 0;

    for (int i = 0; i < 4; i++) {
        v = v << 32 | g_rand_int(rand);
    }
    return v;
}

/* Mostly dense, else a few runs of ones or a single bit, at which roundings tie. */
static fpv_u128 random_fraction(const struct fpv_shape *s, GRand *rand)
{
    fpv_u128 v = random_bits(rand), one = 1;

    switch (g_rand_int_range(rand, 0, 6)) {
    case 0: return one << g_rand_int_range(rand, 0, s->frac_bits);
    case 1: return ~(one << g_rand_int_range(rand, 0, s->frac_bits));
    case 2: return v << g_rand_int_range(rand, 0, s->frac_bits);
    case 3: return (one << g_rand_int_range(rand, 0, s->frac_bits)) - 1;
    default: return v;
    }
}

fpv_u128 fpv_random(const struct fpv_shape *s, GRand *rand, GArray *special)
{
    int max = (1 << s->exp_bits) - 1, exp;

    switch (g_rand_int_range(rand, 0, 8)) {
    case 0: return g_array_index(special, fpv_u128, g_rand_int_range(rand, 0, special->len));
    case 1: exp = g_rand_int_range(rand, 0, max + 1); break;
    case 2: exp = g_rand_int_range(rand, 0, 3); break;
    case 3: exp = max - g_rand_int_range(rand, 1, 4); break;
    default: exp = CLAMP(max / 2 + g_rand_int_range(rand, -70, 70), 0, max - 1); break;
    }
    return fpv_pack(s, g_rand_boolean(rand), exp, random_fraction(s, rand));
}

static guint32 seed;

guint32 fpv_seed(void)
{
    return seed;
}

GRand *fpv_rand_new(void)
{
    const char *s = g_getenv("MYNA_SEED");

    seed = s ? (guint32)g_ascii_strtoull(s, NULL, 0) : g_random_int();
    g_test_message("MYNA_SEED=%u", seed);
    return g_rand_new_with_seed(seed);
}
