/*
 * CPUID (Intel volume 2; AMD volume 3, appendix E): what the model has, and where it sits.
 */
#include "cpuid.h"
#include "feature.h"
#include "sys.h"

enum { EAX, EBX, ECX, EDX };

static const struct {
    uint8_t word, bit;
} places[] = {
#define FEATURE(id, name, word, bit, done) { WORD_##word, bit },
#include "feature.def"
#undef FEATURE
};

uint32_t x86_feature_word(const struct x86_cpu *c, enum x86_feature_word word)
{
    uint32_t bits = 0;

    for (unsigned k = 0; k < FEAT_COUNT; k++)
        if (places[k].word == word && x86_have(c, k))
            bits |= 1u << places[k].bit;
    return bits;
}

enum x86_feature_word x86_feature_place(enum x86_feature f, unsigned *bit)
{
    *bit = places[f].bit;
    return places[f].word;
}

/* Bits that number @n things. */
static unsigned id_bits(unsigned n)
{
    return n > 1 ? 32 - clz32(n - 1) : 0;
}

static void put_text(uint32_t *out, const char *text)
{
    memcpy(out, text, 4);
}

static void leaf_0(const struct x86_cpu *c, uint32_t max, uint32_t out[4])
{
    out[EAX] = max;
    put_text(&out[EBX], c->model->vendor);
    put_text(&out[EDX], c->model->vendor + 4);
    put_text(&out[ECX], c->model->vendor + 8);
}

/* Families above 15 and models above 15 have a second field. */
static uint32_t signature(const struct x86_model *m)
{
    uint32_t family = MIN(m->family, 15), extended = m->family - family;

    return extended << 20 | (m->model >> 4) << 16 | family << 8 | (m->model & 15) << 4 |
           m->stepping;
}

static void leaf_1(const struct x86_cpu *c, uint32_t out[4])
{
    unsigned n = c->threads * c->cores;

    out[EAX] = signature(c->model);
    out[EBX] = (x86_have(c, FEAT_CLFLUSH) ? 8 << 8 : 0) | (c->apic_id & 0xff) << 24;
    out[ECX] = x86_feature_word(c, WORD_1_ECX);
    out[EDX] = x86_feature_word(c, WORD_1_EDX);
    if (c->cr4 & CR4_OSXSAVE)
        out[ECX] |= 1u << 27;
    if (n > 1) {
        out[EBX] |= MIN(n, 255) << 16;
        out[EDX] |= 1u << 28;
    }
}

/* A cache as leaves 4 and 0x8000001d tell of it; lines of 64 bytes. */
static const struct cache {
    uint8_t type, level; /* type 1 data, 2 code, 3 both */
    uint16_t ways;
    uint32_t sets;
    bool of_package;
} caches[] = {
    { 1, 1, 8, 64, false },
    { 2, 1, 8, 64, false },
    { 3, 2, 16, 4096, false },
    { 3, 3, 16, 16384, true },
};

static void leaf_4(const struct x86_cpu *c, uint32_t sub, uint32_t out[4])
{
    if (sub >= ARRAY_LEN(caches))
        return;
    const struct cache *k = &caches[sub];
    unsigned sharing = k->of_package ? c->threads * c->cores : c->threads;
    out[EAX] = k->type | k->level << 5 | 1 << 8 | (((1u << id_bits(sharing)) - 1) & 0xfff) << 14 |
               (((1u << id_bits(c->cores)) - 1) & 0x3f) << 26;
    out[EBX] = 63 | (uint32_t)(k->ways - 1) << 22;
    out[ECX] = k->sets - 1;
    out[EDX] = k->of_package ? 4 : 1; /* complex indexing; write-back invalidates */
}

static void leaf_7(const struct x86_cpu *c, uint32_t sub, uint32_t out[4])
{
    if (sub)
        return;
    out[EBX] = x86_feature_word(c, WORD_7_EBX);
    out[ECX] = x86_feature_word(c, WORD_7_ECX);
    out[EDX] = x86_feature_word(c, WORD_7_EDX);
    if (c->cr4 & CR4_PKE)
        out[ECX] |= 1u << 4;
}

/* Levels of the topology: threads of a core, threads of a package. */
static void leaf_b(const struct x86_cpu *c, uint32_t sub, uint32_t out[4])
{
    out[ECX] = sub & 0xff;
    out[EDX] = c->apic_id;
    if (sub > 1)
        return;
    out[EBX] = sub ? c->threads * c->cores : c->threads;
    out[EAX] = id_bits(c->threads) + (sub ? id_bits(c->cores) : 0);
    out[ECX] |= (sub + 1) << 8;
}

/* Offset and size of the extended states of XSAVE's area; those without are not there. */
static const struct {
    uint16_t offset, size;
} xstates[64] = { [2] = { 576, 256 }, [9] = { 832, 8 } };

uint64_t x86_xcr0_possible(const struct x86_cpu *c)
{
    uint64_t bits = 3;

    if (x86_have(c, FEAT_AVX))
        bits |= 4;
    if (x86_have(c, FEAT_PKU))
        bits |= BIT(9);
    return bits;
}

uint32_t x86_xsave_offset(unsigned state)
{
    return xstates[state].offset;
}

uint32_t x86_xsave_size(uint64_t states, bool compact)
{
    uint32_t size = 576;

    for (unsigned k = 2; k < 64; k++) {
        if (!(states >> k & 1))
            continue;
        if (compact)
            size += xstates[k].size;
        else
            size = MAX(size, (uint32_t)xstates[k].offset + xstates[k].size);
    }
    return size;
}

static void leaf_d(const struct x86_cpu *c, uint32_t sub, uint32_t out[4])
{
    uint64_t possible = x86_xcr0_possible(c);

    if (!x86_have(c, FEAT_XSAVE))
        return;
    if (sub == 0) {
        out[EAX] = possible;
        out[EBX] = x86_xsave_size(c->xcr0, false);
        out[ECX] = x86_xsave_size(possible, false);
        out[EDX] = possible >> 32;
    } else if (sub == 1) {
        out[EAX] = x86_feature_word(c, WORD_D1_EAX);
        if (x86_have(c, FEAT_XSAVEC))
            out[EBX] = x86_xsave_size(c->xcr0, true);
    } else if (sub < 64 && possible >> sub & 1) {
        out[EAX] = xstates[sub].size;
        out[EBX] = xstates[sub].offset;
    }
}

static void leaf_hypervisor(const struct x86_cpu *c, uint32_t leaf, uint32_t out[4])
{
    static const char text[] = "TCGTCGTCGTCG"; /* as guests look for it to find a translator */

    if (!x86_have(c, FEAT_HYPERVISOR) || leaf != 0x40000000)
        return;
    out[EAX] = 0x40000001;
    put_text(&out[EBX], text);
    put_text(&out[ECX], text + 4);
    put_text(&out[EDX], text + 8);
}

static void basic(const struct x86_cpu *c, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    switch (leaf) {
    case 0: leaf_0(c, c->model->level, out); break;
    case 1: leaf_1(c, out); break;
    case 2: /* 32K + 32K first level, 2M second level */
        out[EAX] = 1;
        out[EDX] = 0x002c307d;
        break;
    case 4: leaf_4(c, sub, out); break;
    case 5:
        if (x86_have(c, FEAT_MONITOR)) {
            out[EAX] = out[EBX] = 64;
            out[ECX] = 3;
        }
        break;
    case 6: out[EAX] = x86_feature_word(c, WORD_6_EAX); break;
    case 7: leaf_7(c, sub, out); break;
    case 0xb: leaf_b(c, sub, out); break;
    case 0xd: leaf_d(c, sub, out); break;
    default: break;
    }
}

/* AMD repeats leaf 1's EDX in that of 0x80000001, where the two agree. */
#define AMD_COMMON 0x0183f3ffu

static void leaf_81(const struct x86_cpu *c, uint32_t out[4])
{
    out[EAX] = signature(c->model);
    out[ECX] = x86_feature_word(c, WORD_81_ECX);
    out[EDX] = x86_feature_word(c, WORD_81_EDX);
    if (c->model->vendor_kind == VENDOR_INTEL)
        return;
    out[EDX] |= x86_feature_word(c, WORD_1_EDX) & AMD_COMMON;
    if (c->threads * c->cores > 1)
        out[ECX] |= 2;
}

static void leaf_88(const struct x86_cpu *c, uint32_t out[4])
{
    unsigned n = c->threads * c->cores;

    out[EAX] = c->phys_bits;
    if (x86_have(c, FEAT_LM))
        out[EAX] |= (x86_have(c, FEAT_LA57) ? 57 : 48) << 8;
    out[EBX] = x86_feature_word(c, WORD_88_EBX);
    if (n > 1)
        out[ECX] = (n - 1) | id_bits(n) << 12;
}

static void extended(const struct x86_cpu *c, uint32_t leaf, uint32_t out[4])
{
    switch (leaf) {
    case 0x80000000: leaf_0(c, c->model->xlevel, out); break;
    case 0x80000001: leaf_81(c, out); break;
    case 0x80000002 ... 0x80000004: memcpy(out, c->model->id + 16 * (leaf - 0x80000002), 16); break;
    case 0x80000005: /* first level, AMD's way */
        out[EAX] = out[EBX] = 0x01ff01ff;
        out[ECX] = out[EDX] = 32 << 24 | 8 << 16 | 1 << 8 | 64;
        break;
    case 0x80000006:
        out[ECX] = 4096u << 16 | 8 << 12 | 1 << 8 | 64;
        out[EDX] = 32u << 18 | 8 << 12 | 1 << 8 | 64;
        break;
    case 0x80000007: out[EDX] = x86_feature_word(c, WORD_87_EDX); break;
    case 0x80000008: leaf_88(c, out); break;
    default: break;
    }
}

void x86_cpuid(const struct x86_cpu *c, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    memset(out, 0, 4 * sizeof(*out));
    if (leaf >> 16 == 0x4000 && x86_have(c, FEAT_HYPERVISOR)) {
        leaf_hypervisor(c, leaf, out);
        return;
    }
    if (leaf >> 31) {
        if (leaf <= c->model->xlevel) {
            extended(c, leaf, out);
            return;
        }
        leaf = c->model->level;
    }
    /* Beyond the last leaf Intel's processors answer as for it. */
    basic(c, MIN(leaf, c->model->level), sub, out);
}
