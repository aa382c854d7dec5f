/* Hyper-V's interface: its options, what they need, and the leaves that come of them. */
#include <glib.h>
#include <string.h>
#include "target/x86/hyperv.h"

#define ON(f) (1u << HV_##f)

/* NULL: it is refused. */
static const struct x86_hyperv *values(const char *text, GError **err)
{
    static struct x86_hyperv h;
    opts_auto struct opts *o = opts_parse("-cpu", text, NULL, err);

    g_assert_nonnull(o);
    x86_hyperv_init(&h);
    return x86_hyperv_values(&h, o, err) && opts_done(o, err) ? &h : NULL;
}

static void refused(const char *text, const char *says)
{
    g_autoptr(GError) err = NULL;

    g_assert_null(values(text, &err));
    g_assert_nonnull(strstr(err->message, says));
}

static void test_values(void)
{
    const struct x86_hyperv *h = values("hv_spinlocks=0x1fff,hv-vendor-id=Twelve chars", NULL);

    g_assert_nonnull(h);
    g_assert_cmphex(h->spinlocks, ==, 0x1fff);
    g_assert_cmpstr(h->vendor, ==, "Twelve chars");
    g_assert_true(x86_hyperv_asked(h));
    h = values("hv-version-id-build=22621,hv_version_id_snumber=7", NULL);
    g_assert_cmpuint(h->build, ==, 22621);
    g_assert_cmpuint(h->snumber, ==, 7);
    g_assert_false(x86_hyperv_asked(h));
    h = values("hv_no_nonarch_coresharing=on", NULL);
    g_assert_cmphex(h->on, ==, ON(NO_SHARING));
    h = values("hv-no-nonarch-coresharing=auto", NULL);
    g_assert_cmphex(h->on, ==, 0);
    g_assert_true(h->sharing_auto);
    refused("hv-spinlocks=0x100000000", "hv-spinlocks");
    refused("hv-vendor-id=Thirteen char", "more than 12");
    refused("hv-version-id-sbranch=256", "hv-version-id-sbranch");
    refused("hv-no-nonarch-coresharing=perhaps", "perhaps");
}

static void test_switches(void)
{
    struct x86_hyperv h;

    x86_hyperv_init(&h);
    g_assert_false(x86_hyperv_asked(&h));
    for (unsigned f = 0; f < HV_NO_SHARING; f++) {
        g_assert_true(x86_hyperv_set(&h, x86_hyperv_name(f), true));
        g_assert_cmphex(h.on, ==, 1u << f);
        g_assert_true(x86_hyperv_set(&h, x86_hyperv_name(f), false));
        g_assert_cmphex(h.on, ==, 0);
    }
    g_assert_cmphex(h.off, ==, ON(NO_SHARING) - 1);
    g_assert_false(x86_hyperv_set(&h, "hv-unheard-of", true));
    g_assert_true(x86_hyperv_set(&h, "hv-apicv", true));
    g_assert_cmphex(h.on, ==, ON(AVIC));
    g_assert_true(x86_hyperv_set(&h, "hv-avic", false));
    g_assert_true(x86_hyperv_set(&h, "hv-passthrough", true));
    g_assert_true(x86_hyperv_asked(&h));
}

static void test_needs(void)
{
    g_autoptr(GError) err = NULL;
    uint32_t all = ON(STIMER_DIRECT) | ON(STIMER) | ON(SYNIC) | ON(TIME) | ON(VPINDEX);

    g_assert_true(x86_hyperv_check(all, &err));
    g_assert_no_error(err);
    g_assert_false(x86_hyperv_check(all & ~ON(SYNIC), &err));
    g_assert_cmpstr(err->message, ==, "-cpu: hv-stimer needs hv-synic, which is not on");
    g_assert_cmphex(x86_hyperv_settle(all), ==, all);
    g_assert_cmphex(x86_hyperv_settle(all & ~ON(VPINDEX)), ==, ON(TIME));
    g_assert_cmphex(x86_hyperv_settle(ON(TLBFLUSH) | ON(TLBFLUSH_EXT) | ON(IPI)), ==, 0);
}

/* Features that a kernel names in leaves are those that leaves made of them name. */
static void test_leaves(void)
{
    uint32_t features[4], advice[4], r[4], none[4] = { 0 };
    uint32_t never = ON(EVMCS) | ON(EMSR_BITMAP) | ON(SYNDBG) | ON(TLBFLUSH_DIRECT);
    struct x86_hyperv h;

    x86_hyperv_init(&h);
    for (unsigned f = 0; f < HV_FEATURE_COUNT; f++) {
        x86_hyperv_leaf(&h, 1u << f, 9, HYPERV_FEATURES, features);
        x86_hyperv_leaf(&h, 1u << f, 9, HYPERV_ADVICE, advice);
        g_assert_cmphex(x86_hyperv_possible(features, advice, false), ==, 1u << f & ~never);
        g_assert_cmphex(features[0] & 0x20, ==, 0x20);
        g_assert_cmphex(advice[1], ==, UINT32_MAX);
    }
    g_assert_cmphex(x86_hyperv_possible(none, none, true), ==, ON(AVIC) | ON(NO_SHARING));
    x86_hyperv_leaf(&h, ON(TIME) | ON(STIMER_DIRECT), 9, HYPERV_FEATURES, r);
    g_assert_cmphex(r[0], ==, 0x222);
    g_assert_cmphex(r[3], ==, 1u << 19);
    x86_hyperv_leaf(&h, 0, 9, HYPERV_LEAF, r);
    g_assert_cmphex(r[0], ==, HYPERV_LAST_LEAF);
    g_assert_cmpmem(&r[1], 12, "Microsoft Hv", 12);
    x86_hyperv_leaf(&h, 0, 9, HYPERV_INTERFACE, r);
    g_assert_cmpmem(r, 4, "Hv#1", 4);
    x86_hyperv_leaf(&h, 0, 9, HYPERV_INTERFACE + 1, r);
    g_assert_cmphex(r[0], ==, 14393);
    g_assert_cmphex(r[1], ==, 0xa0000);
    x86_hyperv_leaf(&h, 0, 9, HYPERV_ADVICE + 1, r);
    g_assert_cmphex(r[0], ==, 9);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/x86/hyperv/values", test_values);
    g_test_add_func("/x86/hyperv/switches", test_switches);
    g_test_add_func("/x86/hyperv/needs", test_needs);
    g_test_add_func("/x86/hyperv/leaves", test_leaves);
    return g_test_run();
}
