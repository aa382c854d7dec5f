/* Gates on interrupt lines; see hw/core/irq.h. */
#include <hw/core/irq.h>

#include <base/bug.h>

static void or_changed(void *opaque, unsigned n, bool level)
{
    struct irq_or *g = opaque;

    g->levels = (g->levels & ~(UINT64_C(1) << n)) | (uint64_t)level << n;
    irq_set(&g->out, g->levels != 0);
}

struct irq_line irq_or_in(struct irq_or *g, unsigned n)
{
    bug_on(n >= 64);
    return (struct irq_line){ .fn = or_changed, .opaque = g, .n = n };
}

static void split_changed(void *opaque, unsigned n, bool level)
{
    const struct irq_split *s = opaque;

    (void)n;
    for (unsigned i = 0; i < IRQ_SPLIT_MAX; i++)
        irq_set(&s->out[i], level);
}

struct irq_line irq_split_in(struct irq_split *s)
{
    return (struct irq_line){ .fn = split_changed, .opaque = s };
}

static void invert_changed(void *opaque, unsigned n, bool level)
{
    (void)n;
    irq_set(opaque, !level);
}

struct irq_line irq_invert(struct irq_line *out)
{
    return (struct irq_line){ .fn = invert_changed, .opaque = out };
}
