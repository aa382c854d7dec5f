/*
 * RISC-V platform-level interrupt controller (RISC-V PLIC Specification 1.0.0), as SiFive lays it
 * out: sources are level-triggered, each context is a hart in one mode.
 *
 *     0x000000  priority of source n at 4*n
 *     0x001000  pending bits
 *     0x002000  enable bits of context c at 0x80*c
 *     0x200000  context c at 0x1000*c: threshold, claim/complete
 */
#include <inttypes.h>
#include <base/bits.h>
#include <base/error.h>
#include <base/log.h>
#include <hw/core/machine.h>

#define SOURCES_MAX    1024
#define CONTEXTS_MAX   1024
#define ENABLE_BASE    0x2000
#define ENABLE_STRIDE  0x80
#define CONTEXT_BASE   0x200000
#define CONTEXT_STRIDE 0x1000

struct plic {
    struct device dev;
    struct mem_region io;
    struct irq_line *out; /* one a context */
    uint32_t contexts;
    uint32_t sources;    /* with the reserved source 0 */
    uint32_t priorities; /* highest priority, 2^n - 1 */

    uint32_t words;        /* of a bitmap of sources */
    uint32_t enable_words; /* contexts * words */
    uint32_t *priority;    /* by source */
    uint32_t *pending;     /* bitmaps by source */
    uint32_t *claimed;
    uint32_t *level;
    uint32_t *enable;    /* contexts bitmaps */
    uint32_t *threshold; /* by context */
    uint64_t *counts;    /* by source: requests */
};

static bool bit_test(const uint32_t *map, unsigned n)
{
    return map[n / 32] >> (n % 32) & 1;
}

static void bit_set(uint32_t *map, unsigned n, bool on)
{
    map[n / 32] = (map[n / 32] & ~(1u << (n % 32))) | (uint32_t)on << (n % 32);
}

/* The pending and enabled source with the highest priority above `floor`, the lowest number among
 * equals; 0 for none. */
static unsigned best_source(const struct plic *p, unsigned context, uint32_t floor)
{
    const uint32_t *enable = p->enable + context * p->words;
    uint32_t best = floor;
    unsigned found = 0;

    for (unsigned w = 0; w < p->words; w++) {
        uint32_t bits = p->pending[w] & ~p->claimed[w] & enable[w];

        for (; bits; bits &= bits - 1) {
            unsigned n = w * 32 + ctz32(bits);

            if (p->priority[n] > best) {
                best = p->priority[n];
                found = n;
            }
        }
    }
    return found;
}

static void update(struct plic *p)
{
    for (unsigned c = 0; c < p->contexts; c++)
        irq_set(&p->out[c], best_source(p, c, p->threshold[c]) != 0);
}

/* The gateway: a request goes through while the source is high and not being handled; it stays
 * until it is claimed, even if the source falls meanwhile. */
static void plic_irq(void *opaque, unsigned n, bool level)
{
    struct plic *p = opaque;
    bool was_pending = bit_test(p->pending, n);

    bit_set(p->level, n, level);
    if (!level || was_pending || bit_test(p->claimed, n))
        return;
    bit_set(p->pending, n, true);
    p->counts[n]++;
    update(p);
}

static uint32_t claim(struct plic *p, unsigned context)
{
    unsigned n = best_source(p, context, 0); /* the threshold does not matter here */

    if (n) {
        bit_set(p->pending, n, false);
        bit_set(p->claimed, n, true);
        update(p);
    }
    return n;
}

static void complete(struct plic *p, unsigned context, uint32_t n)
{
    if (!n || n >= p->sources || !bit_test(p->enable + context * p->words, n) ||
        !bit_test(p->claimed, n)) {
        log_guest_error("plic: context %u completes source %u, which it cannot\n", context, n);
        return;
    }
    bit_set(p->claimed, n, false);
    if (bit_test(p->level, n))
        bit_set(p->pending, n, true);
    update(p);
}

static uint64_t plic_read(void *opaque, uint64_t offset, unsigned size)
{
    struct plic *p = opaque;
    uint64_t word = offset / 4, rel;

    (void)size;
    if (offset < 4 * (uint64_t)p->sources)
        return p->priority[word];
    if (offset >= 0x1000 && offset - 0x1000 < 4 * (uint64_t)p->words)
        return p->pending[(offset - 0x1000) / 4];
    rel = offset - ENABLE_BASE;
    if (offset >= ENABLE_BASE && rel / ENABLE_STRIDE < p->contexts) {
        if (rel % ENABLE_STRIDE / 4 < p->words)
            return p->enable[rel / ENABLE_STRIDE * p->words + rel % ENABLE_STRIDE / 4];
        return 0;
    }
    rel = offset - CONTEXT_BASE;
    if (offset >= CONTEXT_BASE && rel / CONTEXT_STRIDE < p->contexts) {
        if (rel % CONTEXT_STRIDE == 0)
            return p->threshold[rel / CONTEXT_STRIDE];
        if (rel % CONTEXT_STRIDE == 4)
            return claim(p, (unsigned)(rel / CONTEXT_STRIDE));
    }
    log_guest_error("plic: read of reserved register 0x%" PRIx64 "\n", offset);
    return 0;
}

static void write_enable(struct plic *p, uint64_t rel, uint32_t v)
{
    unsigned context = (unsigned)(rel / ENABLE_STRIDE), w = rel % ENABLE_STRIDE / 4;
    uint32_t valid = ~0u;

    if (w >= p->words)
        return;
    if (w == 0)
        valid &= ~1u; /* there is no source 0 */
    if (w == p->words - 1 && p->sources % 32)
        valid &= (1u << (p->sources % 32)) - 1;
    p->enable[context * p->words + w] = v & valid;
    update(p);
}

static void plic_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct plic *p = opaque;
    uint32_t v = (uint32_t)value;
    uint64_t rel;

    (void)size;
    if (offset && offset < 4 * (uint64_t)p->sources) {
        p->priority[offset / 4] = v & p->priorities;
        update(p);
        return;
    }
    rel = offset - ENABLE_BASE;
    if (offset >= ENABLE_BASE && rel / ENABLE_STRIDE < p->contexts) {
        write_enable(p, rel, v);
        return;
    }
    rel = offset - CONTEXT_BASE;
    if (offset >= CONTEXT_BASE && rel / CONTEXT_STRIDE < p->contexts) {
        unsigned context = (unsigned)(rel / CONTEXT_STRIDE);

        if (rel % CONTEXT_STRIDE == 0) {
            p->threshold[context] = v & p->priorities;
            update(p);
            return;
        }
        if (rel % CONTEXT_STRIDE == 4) {
            complete(p, context, v);
            return;
        }
    }
    log_guest_error("plic: write of 0x%" PRIx32 " to reserved register 0x%" PRIx64 "\n", v, offset);
}

static const struct io_ops plic_io = {
    .read = plic_read,
    .write = plic_write,
    .guest_sizes = { 4, 4 },
};

static bool plic_realize(struct device *dev, GError **err)
{
    struct plic *p = (struct plic *)dev;

    if (!is_pow2((uint64_t)p->priorities + 1))
        return error_set(err, "plic: num-priorities=%u is not a power of two less 1",
                         p->priorities);
    p->words = (p->sources + 31) / 32;
    p->enable_words = p->contexts * p->words;
    p->priority = g_new0(uint32_t, p->sources);
    p->pending = g_new0(uint32_t, p->words);
    p->claimed = g_new0(uint32_t, p->words);
    p->level = g_new0(uint32_t, p->words);
    p->enable = g_new0(uint32_t, p->enable_words);
    p->threshold = g_new0(uint32_t, p->contexts);
    p->out = g_new0(struct irq_line, p->contexts);
    p->counts = g_new0(uint64_t, p->sources);
    mem_region_init_io(&p->io, device_mem(dev), &plic_io, p, "plic", 0x600000);
    device_add_region(dev, &p->io);
    device_irq_ins(dev, NULL, plic_irq, p, p->sources);
    device_irq_outs(dev, NULL, p->out, p->contexts);
    return true;
}

static void plic_unrealize(struct device *dev)
{
    struct plic *p = (struct plic *)dev;

    mem_region_destroy(&p->io);
    g_free(p->priority);
    g_free(p->pending);
    g_free(p->claimed);
    g_free(p->level);
    g_free(p->enable);
    g_free(p->threshold);
    g_free(p->counts);
    g_free(p->out);
}

/* Levels are the sources' business and stay. */
static void plic_reset(struct device *dev)
{
    struct plic *p = (struct plic *)dev;

    memset(p->priority, 0, p->sources * sizeof(uint32_t));
    memset(p->enable, 0, p->enable_words * sizeof(uint32_t));
    memset(p->threshold, 0, p->contexts * sizeof(uint32_t));
    memset(p->claimed, 0, p->words * sizeof(uint32_t));
    memcpy(p->pending, p->level, p->words * sizeof(uint32_t));
    update(p);
}

static bool plic_loaded(void *obj, unsigned version, GError **err)
{
    struct plic *p = obj;
    uint32_t last = p->sources % 32 ? ~((1u << (p->sources % 32)) - 1) : 0;
    uint32_t stray = 0;

    (void)version;
    for (unsigned c = 0; c < p->contexts; c++)
        stray |= p->enable[c * p->words + p->words - 1] & last;
    stray |= (p->pending[p->words - 1] | p->claimed[p->words - 1]) & last;
    for (unsigned n = 0; n < p->sources; n++)
        stray |= p->priority[n] & ~p->priorities;
    if (stray)
        return error_set(err, "saved state: plic: sources or priorities that do not exist");
    update(p);
    return true;
}

static const uint64_t *plic_counts(const struct device *dev, unsigned *n)
{
    const struct plic *p = (const struct plic *)dev;

    *n = p->sources;
    return p->counts;
}

static void plic_print(struct device *dev, GString *out)
{
    struct plic *p = (struct plic *)dev;

    g_string_append_printf(out, "%s:\n", dev->path);
    for (unsigned n = 1; n < p->sources; n++)
        if (bit_test(p->level, n) || bit_test(p->pending, n) || bit_test(p->claimed, n))
            g_string_append_printf(out, "  source %u: priority %u%s%s%s\n", n, p->priority[n],
                                   bit_test(p->level, n) ? ", high" : "",
                                   bit_test(p->pending, n) ? ", pending" : "",
                                   bit_test(p->claimed, n) ? ", claimed" : "");
    for (unsigned c = 0; c < p->contexts; c++) {
        g_string_append_printf(out, "  context %u: threshold %u, enabled:", c, p->threshold[c]);
        for (unsigned n = 1; n < p->sources; n++)
            if (bit_test(p->enable + c * p->words, n))
                g_string_append_printf(out, " %u", n);
        g_string_append_c(out, '\n');
    }
}

static const struct state_field plic_fields[] = {
    STATE_VARRAY(struct plic, priority, sources, SOURCES_MAX),
    STATE_VARRAY(struct plic, pending, words, SOURCES_MAX / 32),
    STATE_VARRAY(struct plic, claimed, words, SOURCES_MAX / 32),
    STATE_VARRAY(struct plic, level, words, SOURCES_MAX / 32),
    STATE_VARRAY(struct plic, enable, enable_words, CONTEXTS_MAX *(SOURCES_MAX / 32)),
    STATE_VARRAY(struct plic, threshold, contexts, CONTEXTS_MAX),
    STATE_END
};
static const struct state_table plic_state = {
    .name = "plic", .version = 1, .fields = plic_fields, .post_load = plic_loaded
};

static const struct prop plic_props[] = {
    PROP_U32(struct plic, contexts, "num-contexts", 1, "harts times modes", .min = 1,
             .max = CONTEXTS_MAX),
    PROP_U32(struct plic, sources, "num-sources", 97, "sources, with the reserved number 0",
             .min = 2, .max = SOURCES_MAX),
    PROP_U32(struct plic, priorities, "num-priorities", 7, "highest priority, a power of two - 1"),
    PROP_LIST_END
};

const struct device_type plic_type = {
    .name = "riscv.sifive.plic",
    .help = "RISC-V platform-level interrupt controller",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct plic),
    .internal = true,
    .category = "misc",
    .realize = plic_realize,
    .reset = plic_reset,
    .unrealize = plic_unrealize,
    .print_irqs = plic_print,
    .irq_counts = plic_counts,
    .props = plic_props,
    .state = &plic_state,
};
