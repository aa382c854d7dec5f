/* Hyper-V's interface by name, and its leaves; see hyperv.h. */
#include "hyperv.h"

#include <string.h>
#include <base/bits.h>
#include <base/error.h>

enum { EAX, EBX, ECX, EDX };

/* Access to the MSRs that say who the guest is and where its page of hypercalls is: part of every
 * interface that calls itself "Hv#1" (2.4.4). */
#define HYPERCALL_MSRS UINT32_C(0x20)
#define NEEDS(f)       (UINT32_C(1) << HV_##f)

/* Bits of leaves 0x40000003 and 0x40000004 (2.4.4, 2.4.5). */
static const struct {
    const char *name;
    uint32_t access, features; /* EAX and EDX of the first one */
    uint32_t advice;           /* EAX of the second one */
    uint32_t needs;            /* other features */
    bool hint;                 /* nothing but a hint: any kernel can give it */
    bool never;                /* of nested virtualisation, or of a debugger that is not there */
} table[HV_FEATURE_COUNT] = {
    [HV_RELAXED] = { "hv-relaxed", .advice = 1u << 5 },
    [HV_VAPIC] = { "hv-vapic", .access = 1u << 4, .advice = 1u << 3 },
    [HV_VPINDEX] = { "hv-vpindex", .access = 1u << 6 },
    [HV_RUNTIME] = { "hv-runtime", .access = 1u << 0 },
    [HV_CRASH] = { "hv-crash", .features = 1u << 10 },
    [HV_TIME] = { "hv-time", .access = 1u << 1 | 1u << 9 },
    [HV_SYNIC] = { "hv-synic", .access = 1u << 2, .needs = NEEDS(VPINDEX) },
    [HV_STIMER] = { "hv-stimer", .access = 1u << 3, .needs = NEEDS(SYNIC) | NEEDS(TIME) },
    [HV_STIMER_DIRECT] = { "hv-stimer-direct", .features = 1u << 19, .needs = NEEDS(STIMER) },
    [HV_TLBFLUSH] = { "hv-tlbflush", .advice = 1u << 2 | 1u << 11, .needs = NEEDS(VPINDEX) },
    [HV_TLBFLUSH_EXT] = { "hv-tlbflush-ext", .features = 1u << 14, .needs = NEEDS(TLBFLUSH) },
    [HV_TLBFLUSH_DIRECT] = { "hv-tlbflush-direct", .needs = NEEDS(VAPIC), .never = true },
    [HV_IPI] = { "hv-ipi", .advice = 1u << 10 | 1u << 11, .needs = NEEDS(VPINDEX) },
    [HV_RESET] = { "hv-reset", .access = 1u << 7 },
    [HV_FREQUENCIES] = { "hv-frequencies", .access = 1u << 11, .features = 1u << 8 },
    [HV_REENLIGHTENMENT] = { "hv-reenlightenment", .access = 1u << 13 },
    [HV_XMM_INPUT] = { "hv-xmm-input", .features = 1u << 4 },
    [HV_AVIC] = { "hv-avic", .advice = 1u << 9, .hint = true },
    [HV_EVMCS] = { "hv-evmcs", .needs = NEEDS(VAPIC), .never = true },
    [HV_EMSR_BITMAP] = { "hv-emsr-bitmap", .never = true },
    [HV_SYNDBG] = { "hv-syndbg", .never = true },
    [HV_NO_SHARING] = { "hv-no-nonarch-coresharing", .advice = 1u << 18, .hint = true },
};

void x86_hyperv_init(struct x86_hyperv *h)
{
    /* Windows Server 2016, the first that tells of all these features */
    *h = (struct x86_hyperv){ .spinlocks = HYPERV_NO_SPINNER, .build = 14393, .major = 10 };
}

static void set_bit(struct x86_hyperv *h, unsigned f, bool on)
{
    uint32_t bit = UINT32_C(1) << f;

    h->on = on ? h->on | bit : h->on & ~bit;
    h->off = on ? h->off & ~bit : h->off | bit;
}

bool x86_hyperv_set(struct x86_hyperv *h, const char *name, bool on)
{
    if (!strcmp(name, "hv-passthrough")) {
        h->passthrough = on;
        return true;
    }
    if (!strcmp(name, "hv-enforce-cpuid")) {
        h->enforce_cpuid = on;
        return true;
    }
    if (!strcmp(name, "hv-apicv"))
        name = "hv-avic";
    for (unsigned f = 0; f < HV_NO_SHARING; f++)
        if (!strcmp(table[f].name, name)) {
            set_bit(h, f, on);
            return true;
        }
    return false;
}

/* The key as it was written, with dashes or underscores; the one with dashes if it was not. */
static const char *spelled(const struct opts *o, const char *name)
{
    for (size_t i = 0; i < opts_count(o); i++) {
        g_autofree char *dashed = g_strdelimit(g_strdup(opts_key_at(o, i)), "_", '-');

        if (!strcmp(dashed, name))
            return opts_key_at(o, i);
    }
    return name;
}

static bool set_sharing(struct x86_hyperv *h, struct opts *o, GError **err)
{
    static const char *const names[] = { "auto", "on", "off", NULL };
    int value = -1;

    if (!opts_enum(o, spelled(o, table[HV_NO_SHARING].name), names, &value, err))
        return false;
    h->sharing_auto = value == 0;
    if (value > 0)
        set_bit(h, HV_NO_SHARING, value == 1);
    return true;
}

bool x86_hyperv_values(struct x86_hyperv *h, struct opts *o, GError **err)
{
    const struct {
        const char *name;
        uint32_t max, *field;
    } numbers[] = {
        { "hv-spinlocks", UINT32_MAX, &h->spinlocks },
        { "hv-version-id-build", UINT32_MAX, &h->build },
        { "hv-version-id-major", UINT16_MAX, &h->major },
        { "hv-version-id-minor", UINT16_MAX, &h->minor },
        { "hv-version-id-spack", UINT32_MAX, &h->spack },
        { "hv-version-id-sbranch", UINT8_MAX, &h->sbranch },
        { "hv-version-id-snumber", 0xffffff, &h->snumber },
    };
    const char *vendor = opts_str(o, spelled(o, "hv-vendor-id"), NULL);

    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++)
        if (!opts_u32(o, spelled(o, numbers[i].name), 0, numbers[i].max, numbers[i].field, err))
            return false;
    h->spinlocks_given = opts_has(o, spelled(o, "hv-spinlocks"));
    if (vendor && strlen(vendor) > 12)
        return error_set(err, "-cpu: hv-vendor-id=%s is more than 12 characters long", vendor);
    if (vendor)
        g_strlcpy(h->vendor, vendor, sizeof(h->vendor));
    return set_sharing(h, o, err);
}

bool x86_hyperv_asked(const struct x86_hyperv *h)
{
    return h->on || h->passthrough || h->spinlocks != HYPERV_NO_SPINNER;
}

const char *x86_hyperv_name(enum x86_hyperv_feature f)
{
    return table[f].name;
}

bool x86_hyperv_check(uint32_t on, GError **err)
{
    for (unsigned f = 0; f < HV_FEATURE_COUNT; f++) {
        uint32_t lacks = table[f].needs & ~on;

        if (on >> f & 1 && lacks)
            return error_set(err, "-cpu: %s needs %s, which is not on", table[f].name,
                             table[__builtin_ctz(lacks)].name);
    }
    return true;
}

/* Rows stand behind those that they need. */
uint32_t x86_hyperv_settle(uint32_t on)
{
    for (unsigned f = 0; f < HV_FEATURE_COUNT; f++)
        if (table[f].needs & ~on)
            on &= ~(UINT32_C(1) << f);
    return on;
}

uint32_t x86_hyperv_possible(const uint32_t features[4], const uint32_t advice[4], bool hints)
{
    uint32_t can = 0;

    for (unsigned f = 0; f < HV_FEATURE_COUNT; f++) {
        bool all = !(table[f].access & ~features[EAX]) && !(table[f].features & ~features[EDX]) &&
                   !(table[f].advice & ~advice[EAX]);

        if (!table[f].never && (all || (hints && table[f].hint)))
            can |= UINT32_C(1) << f;
    }
    return can;
}

static void put_vendor(const struct x86_hyperv *h, uint32_t r[4])
{
    const char *vendor = *h->vendor ? h->vendor : "Microsoft Hv";

    memcpy(&r[EBX], vendor, strlen(vendor));
}

void x86_hyperv_leaf(const struct x86_hyperv *h, uint32_t on, unsigned max_cpus, uint32_t leaf,
                     uint32_t r[4])
{
    memset(r, 0, 4 * sizeof(*r));
    switch (leaf) {
    case HYPERV_LEAF:
        r[EAX] = HYPERV_LAST_LEAF;
        put_vendor(h, r);
        return;
    case HYPERV_INTERFACE: memcpy(&r[EAX], "Hv#1", 4); return;
    case HYPERV_INTERFACE + 1:
        r[EAX] = h->build;
        r[EBX] = h->major << 16 | h->minor;
        r[ECX] = h->spack;
        r[EDX] = h->sbranch << 24 | h->snumber;
        return;
    case HYPERV_FEATURES: r[EAX] = HYPERCALL_MSRS; break;
    case HYPERV_ADVICE: r[EBX] = h->spinlocks; break;
    case HYPERV_ADVICE + 1: r[EAX] = max_cpus; return;
    default: return;
    }
    for (unsigned f = 0; f < HV_FEATURE_COUNT; f++) {
        if (!(on >> f & 1))
            continue;
        if (leaf == HYPERV_ADVICE)
            r[EAX] |= table[f].advice;
        else
            r[EAX] |= table[f].access, r[EDX] |= table[f].features;
    }
}
