/*
 * CPU models and the options of -cpu: MODEL,+feature,-feature,feature=on|off,vendor=,family=,
 * model=,stepping=,level=,xlevel=,model-id=,phys-bits=,host-phys-bits=,migratable=,pmu=,kvm=,check=,
 * enforce=,hv-*.
 */
#include <base/error.h>
#include <base/option.h>
#include "feature.h"
#include "tsc.h"

static const struct {
    const char *name;
    bool done;
} features[] = {
#define FEATURE(id, name, word, bit, done) { name, done },
#include "feature.def"
#undef FEATURE
};

static const struct model {
    const char *name, *help;
    enum x86_vendor vendor;
    uint16_t family, model, stepping;
    uint32_t level, xlevel;
    unsigned phys_bits;
    const char *id, *features;
} models[] = {
#define MODEL(name, help, vendor, family, model, stepping, level, xlevel, phys, id, features) \
    { name, help, VENDOR_##vendor, family, model, stepping, level, xlevel, phys, id, features },
#include "models.def"
#undef MODEL
};

/* Other names that users give features. */
static const struct {
    const char *other, *name;
} aliases[] = {
    { "sse3", "pni" },   { "sse4-1", "sse4.1" },  { "sse4-2", "sse4.2" },
    { "lzcnt", "abm" },  { "i64", "lm" },         { "xd", "nx" },
    { "sha", "sha-ni" }, { "ffxsr", "fxsr-opt" }, { "clflush-opt", "clflushopt" },
};

static const struct model *model_find(const char *name, size_t len)
{
    for (unsigned k = 0; k < ARRAY_LEN(models); k++)
        if (strlen(models[k].name) == len && !memcmp(models[k].name, name, len))
            return &models[k];
    return NULL;
}

/* Index of a feature, or -1. Underscores are as good as dashes. */
static int feature_find(const char *name)
{
    g_autofree char *dashed = g_strdelimit(g_strdup(name), "_", '-');
    const char *key = dashed;

    for (unsigned k = 0; k < ARRAY_LEN(aliases); k++)
        if (!strcmp(aliases[k].other, dashed))
            key = aliases[k].name;
    for (unsigned k = 0; k < FEAT_COUNT; k++)
        if (!strcmp(features[k].name, key))
            return k;
    return -1;
}

struct set {
    uint64_t bits[4];
};
static void set_put(struct set *s, unsigned k, bool on)
{
    if (on)
        s->bits[k / 64] |= BIT(k % 64);
    else
        s->bits[k / 64] &= ~BIT(k % 64);
}
static bool set_has(const struct set *s, unsigned k)
{
    return s->bits[k / 64] >> (k % 64) & 1;
}

/* Adds the words of a model's list. */
static void add_list(struct set *s, const char *list)
{
    g_auto(GStrv) words = g_strsplit(list, " ", -1);

    for (char **w = words; *w; w++) {
        if (**w == '@') {
            add_list(s, model_find(*w + 1, strlen(*w + 1))->features);
        } else if (**w == '*') {
            for (unsigned k = 0; k < FEAT_COUNT; k++)
                if (features[k].done)
                    set_put(s, k, true);
        } else if (**w == '-') {
            set_put(s, feature_find(*w + 1), false);
        } else {
            set_put(s, feature_find(*w), true);
        }
    }
}

/* ---- Options ---- */

static bool set_vendor(struct x86_model *m, const char *vendor, GError **err)
{
    if (strlen(vendor) != 12)
        return error_set(err, "-cpu: vendor=%s is not 12 characters long", vendor);
    g_strlcpy(m->vendor, vendor, sizeof(m->vendor));
    m->vendor_kind = !strcmp(vendor, "GenuineIntel")   ? VENDOR_INTEL
                     : !strcmp(vendor, "AuthenticAMD") ? VENDOR_AMD
                                                       : VENDOR_OTHER;
    return true;
}

static bool set_identity(struct x86_cpu *c, struct x86_model *m, struct opts *o, GError **err)
{
    const char *vendor = opts_str(o, "vendor", NULL), *id = opts_str(o, "model-id", NULL);
    uint32_t phys = c->phys_bits;

    m->phys_given = opts_str(o, "phys-bits", NULL) != NULL;

    if (vendor && !set_vendor(m, vendor, err))
        return false;
    if (id)
        g_strlcpy(m->id, id, sizeof(m->id));
    if (!opts_u32(o, "family", 0, 0xff + 0xf, &m->family, err) ||
        !opts_u32(o, "model", 0, 0xff, &m->model, err) ||
        !opts_u32(o, "stepping", 0, 0xf, &m->stepping, err) ||
        !opts_u32(o, "level", 0, 0x1f, &m->level, err) ||
        !opts_u32(o, "xlevel", 0, 0x8000001f, &m->xlevel, err) ||
        !opts_u32(o, "phys-bits", 32, 52, &phys, err))
        return false;
    c->phys_bits = phys;
    return true;
}

/* Features of what a hypervisor offers: KVM's own interface, and Hyper-V's. */
static bool set_offer(struct x86_model *m, const char *name, bool on)
{
    return x86_paravirtual_set(&m->paravirtual, name, on) || x86_hyperv_set(&m->hyperv, name, on);
}

static bool is_offer(const char *name)
{
    return set_offer(&(struct x86_model){ 0 }, name, true);
}

/* Sign and name of a key: "+avx", "-avx", "avx". */
static bool set_feature(struct set *s, struct set *off, struct x86_model *m, struct opts *o,
                        size_t i, GError **err)
{
    const char *key = opts_key_at(o, i);
    bool plus = *key == '+', minus = *key == '-', on = plus;
    g_autofree char *name = g_strdelimit(g_strdup(key + (plus || minus)), "_", '-');
    int k = feature_find(name);

    if (k < 0 && !is_offer(name))
        return true;
    opts_known(o, key);
    if (!plus && !minus && !opts_bool(o, key, &on, err))
        return false;
    if (set_offer(m, name, on))
        return true;
    set_put(s, k, on);
    set_put(off, k, !on);
    return true;
}

/* Names the nearest where a signed feature does not exist; opts_done() does so for others. */
static bool check_signed(struct opts *o, GError **err)
{
    for (size_t i = 0; i < opts_count(o); i++) {
        const char *key = opts_key_at(o, i);
        g_autofree char *name = g_strdelimit(g_strdup(key + 1), "_", '-');
        struct nearest near;

        if ((*key != '+' && *key != '-') || feature_find(name) >= 0 || is_offer(name))
            continue;
        nearest_init(&near, key + 1);
        for (unsigned k = 0; k < FEAT_COUNT; k++)
            nearest_try(&near, features[k].name);
        for (unsigned bit = 0; bit < 32; bit++)
            nearest_try(&near, x86_paravirtual_name(bit));
        for (unsigned f = 0; f < HV_FEATURE_COUNT; f++)
            nearest_try(&near, x86_hyperv_name(f));
        return error_set_unknown(err, "-cpu", "CPU feature", key + 1, &near);
    }
    return true;
}

/* ---- What is left out ---- */

static char *missing(const uint64_t wanted[4])
{
    GString *list = g_string_new(NULL);

    for (unsigned k = 0; k < FEAT_COUNT; k++)
        if (wanted[k / 64] >> (k % 64) & 1 && !features[k].done)
            g_string_append_printf(list, "%s%s", list->len ? ", " : "", features[k].name);
    return g_string_free(list, false);
}

bool x86_model_check_pmu(struct cpu *cpu, GError **err)
{
    const struct x86_model *m = x86_of(cpu)->model;

    if (m->pmu && m->enforce)
        return error_set(err, "-cpu %s: enforce=on, and performance counters are not implemented",
                         m->name);
    if (m->pmu && m->check && cpu->index == 0)
        g_printerr("myna: warning: -cpu %s: pmu=on: performance counters are not implemented\n",
                   m->name);
    return true;
}

/* All CPUs of a machine are alike, so the first one's warning is enough. */
bool x86_model_check(struct cpu *cpu, GError **err)
{
    const struct x86_model *m = x86_of(cpu)->model;
    g_autofree char *names = m->all ? g_strdup("") : missing(m->wanted);

    if (cpu->needs_kvm)
        return error_set(err, "-cpu: model 'host' needs -accel kvm; '-cpu max' has all that "
                              "translation has");
    if (*names && m->enforce)
        return error_set(err, "-cpu %s: enforce=on, and these features are not implemented: %s",
                         m->name, names);
    if (*names && m->check && cpu->index == 0)
        g_printerr("myna: warning: -cpu %s: features that are not implemented are left out: %s\n",
                   m->name, names);
    return x86_model_check_pmu(cpu, err);
}

/* What a feature is nothing without. */
static const struct {
    uint8_t feature, needs;
} needs[] = {
    { FEAT_SSE, FEAT_FXSR },          { FEAT_SSE2, FEAT_SSE },      { FEAT_SSE3, FEAT_SSE2 },
    { FEAT_SSSE3, FEAT_SSE3 },        { FEAT_SSE41, FEAT_SSSE3 },   { FEAT_SSE42, FEAT_SSE41 },
    { FEAT_AVX, FEAT_XSAVE },         { FEAT_AVX, FEAT_SSE42 },     { FEAT_AVX2, FEAT_AVX },
    { FEAT_FMA, FEAT_AVX },           { FEAT_F16C, FEAT_AVX },      { FEAT_XSAVEOPT, FEAT_XSAVE },
    { FEAT_XSAVEC, FEAT_XSAVE },      { FEAT_XGETBV1, FEAT_XSAVE }, { FEAT_PKU, FEAT_XSAVE },
    { FEAT_PCID, FEAT_LM },           { FEAT_LA57, FEAT_LM },       { FEAT_LM, FEAT_PAE },
    { FEAT_SYSCALL, FEAT_LM },        { FEAT_LAHF_LM, FEAT_LM },    { FEAT_PDPE1GB, FEAT_LM },
    { FEAT_CX16, FEAT_LM },           { FEAT_FSGSBASE, FEAT_LM },   { FEAT_PKU, FEAT_LM },
    { FEAT_3DNOWEXT, FEAT_3DNOW },    { FEAT_3DNOW, FEAT_MMX },     { FEAT_X2APIC, FEAT_APIC },
    { FEAT_TSC_DEADLINE, FEAT_APIC },
};

static void settle(struct set *s)
{
    bool changed;

    do {
        changed = false;
        for (unsigned k = 0; k < ARRAY_LEN(needs); k++) {
            if (!set_has(s, needs[k].feature) || set_has(s, needs[k].needs))
                continue;
            set_put(s, needs[k].feature, false);
            changed = true;
        }
    } while (changed);
}

void x86_model_limit(struct x86_cpu *c, const uint64_t possible[4])
{
    struct set set;

    for (unsigned k = 0; k < 4; k++)
        set.bits[k] = c->model->wanted[k] & possible[k];
    if (!strcmp(c->cpu.ops->arch, "i386"))
        set_put(&set, FEAT_LM, false);
    settle(&set);
    memcpy(c->feature, set.bits, sizeof(c->feature));
}

const char *x86_feature_name(enum x86_feature f)
{
    return features[f].name;
}

static struct x86_model *identity(const struct model *from)
{
    static const char *const vendors[] = {
        [VENDOR_INTEL] = "GenuineIntel", [VENDOR_AMD] = "AuthenticAMD"
    };
    struct x86_model *m = g_new0(struct x86_model, 1);

    *m = (struct x86_model){
        .name = from->name,
        .vendor_kind = from->vendor,
        .family = from->family,
        .model = from->model,
        .stepping = from->stepping,
        .level = from->level,
        .xlevel = from->xlevel,
    };
    g_strlcpy(m->vendor, vendors[from->vendor], sizeof(m->vendor));
    g_strlcpy(m->id, from->id, sizeof(m->id));
    x86_hyperv_init(&m->hyperv);
    return m;
}

/* What this emulator implements. */
static struct set implemented(void)
{
    struct set s = { { 0 } };

    for (unsigned k = 0; k < FEAT_COUNT; k++)
        set_put(&s, k, features[k].done);
    return s;
}

static bool set_options(struct x86_cpu *c, struct x86_model *m, struct set *set, struct opts *o,
                        GError **err)
{
    struct set off = { { 0 } };
    bool kvm = true;

    for (size_t i = 0; i < opts_count(o); i++)
        if (!set_feature(set, &off, m, o, i, err))
            return false;
    if (!check_signed(o, err) || !set_identity(c, m, o, err) ||
        !x86_hyperv_values(&m->hyperv, o, err) || !opts_bool(o, "check", &m->check, err) ||
        !opts_bool(o, "enforce", &m->enforce, err) || !opts_bool(o, "kvm", &kvm, err) ||
        !opts_bool(o, "pmu", &m->pmu, err) || !opts_bool(o, "migratable", &m->migratable, err) ||
        !opts_bool(o, "host-phys-bits", &m->host_phys, err) || !opts_done(o, err))
        return false;
    m->hide_kvm = !kvm;
    memcpy(m->off, off.bits, sizeof(m->off));
    return true;
}

bool x86_model_setup(struct x86_cpu *c, const char *name, const char *options, GError **err)
{
    bool host = !strcmp(name, "host");
    const struct model *from = host ? model_find("max", 3) : model_find(name, strlen(name));
    opts_auto struct opts *o = opts_parse("-cpu", options, NULL, err);
    struct set set = { { 0 } }, known = implemented();
    struct x86_model *m;

    if (!o)
        return false;
    m = identity(from);
    c->model = m;
    c->phys_bits = from->phys_bits;
    c->threads = c->cores = 1;
    c->tsc_hz = X86_TSC_HZ;
    c->is_bsp = c->a20 = true;
    m->all = !strcmp(from->name, "max");
    m->name = host ? "host" : from->name;
    c->cpu.needs_kvm = host;
    m->check = m->migratable = true;
    add_list(&set, from->features);
    set_put(&set, FEAT_HYPERVISOR, true);
    if (!set_options(c, m, &set, o, err))
        return false;
    memcpy(m->wanted, set.bits, sizeof(m->wanted));
    x86_model_limit(c, known.bits);
    /* Leaf 7 and XSAVE's are beyond the level of old models that were given such features. */
    if (x86_have(c, FEAT_XSAVE) && m->level < 13)
        m->level = 13;
    return true;
}

void x86_reach(struct cpu *cpu, uint64_t end)
{
    struct x86_cpu *c = x86_of(cpu);

    while (x86_have(c, FEAT_LM) && !c->model->phys_given && c->phys_bits < 52 &&
           end > BIT(c->phys_bits))
        c->phys_bits++;
}

void x86_model_replace(struct x86_cpu *c, const char *name)
{
    const struct model *from = model_find(name, strlen(name));
    struct set set = { { 0 } }, known = implemented();
    struct x86_model *m = identity(from);

    g_free((void *)c->model);
    c->model = m;
    c->phys_bits = from->phys_bits;
    m->check = true;
    add_list(&set, from->features);
    set_put(&set, FEAT_HYPERVISOR, true);
    memcpy(m->wanted, set.bits, sizeof(m->wanted));
    x86_model_limit(c, known.bits);
}

/* ---- The types ---- */

static const struct cpu_type host64 = { "host", "x86_64", "the host's own (with KVM)", x86_create };
static const struct cpu_type host32 = { "host", "i386", "the host's own (with KVM)", x86_create };

/* Objects of static storage, as this is outside of functions. */
#define TYPE(name, arch, help)       \
    &(const struct cpu_type)         \
    {                                \
        name, arch, help, x86_create \
    }

const struct cpu_type *const target_x86_types[] = {
#define MODEL(name, help, ...) TYPE(name, "x86_64", help),
#include "models.def"
#undef MODEL
    &host64,
#define MODEL(name, help, ...) TYPE(name, "i386", help),
#include "models.def"
#undef MODEL
    &host32, NULL
};
