/* What a device offers to be wired, and how boards wire it; see hw/core/device.h. */
#include "private.h"

#include <string.h>
#include <base/bug.h>

void device_add_region(struct device *dev, struct mem_region *r)
{
    bug_on(dev->n_regions == DEVICE_REGIONS_MAX);
    dev->regions[dev->n_regions++] = r;
}

void device_map(struct device *dev, unsigned i, uint64_t addr)
{
    bug_on(i >= dev->n_regions);
    mem_region_add(&dev->machine->system, addr, dev->regions[i]);
}

static struct irq_group *find_group(GPtrArray *groups, const char *name)
{
    for (unsigned i = 0; i < groups->len; i++) {
        struct irq_group *g = g_ptr_array_index(groups, i);

        if (g_strcmp0(g->name, name) == 0)
            return g;
    }
    return NULL;
}

static struct irq_group *new_group(GPtrArray *groups, const char *name, unsigned n)
{
    struct irq_group *g = g_new0(struct irq_group, 1);

    bug_on(find_group(groups, name));
    g->name = name;
    g->n = n;
    g_ptr_array_add(groups, g);
    return g;
}

void device_irq_ins(struct device *dev, const char *name, irq_fn *fn, void *opaque, unsigned n)
{
    struct irq_group *g = new_group(dev->irqs_in, name, n);

    g->fn = fn;
    g->opaque = opaque;
}

void device_irq_outs(struct device *dev, const char *name, struct irq_line *lines, unsigned n)
{
    new_group(dev->irqs_out, name, n)->outs = lines;
}

static void input_changed(void *opaque, unsigned n, bool level)
{
    const struct irq_group *g = opaque;

    g->fn(g->opaque, n, level);
    if (g->tap)
        g->tap(g->tap_opaque, n, level);
}

struct irq_line device_irq_in_named(struct device *dev, const char *name, unsigned n)
{
    struct irq_group *g = find_group(dev->irqs_in, name);

    bug_on(!g || n >= g->n);
    return (struct irq_line){ .fn = input_changed, .opaque = g, .n = n };
}

bool device_has_irq_in(struct device *dev, const char *name, unsigned n)
{
    const struct irq_group *g = find_group(dev->irqs_in, name);

    return g && n < g->n;
}

struct irq_line device_irq_in(struct device *dev, unsigned n)
{
    return device_irq_in_named(dev, NULL, n);
}

void device_connect_irq_named(struct device *dev, const char *name, unsigned n, struct irq_line to)
{
    struct irq_group *g = find_group(dev->irqs_out, name);

    bug_on(!g || n >= g->n);
    (g->wired ? g->wired : g->outs)[n] = to;
}

void device_connect_irq(struct device *dev, unsigned n, struct irq_line to)
{
    device_connect_irq_named(dev, NULL, n, to);
}

void device_unwire(struct device *dev)
{
    for (unsigned i = 0; i < dev->irqs_out->len; i++) {
        const struct irq_group *g = g_ptr_array_index(dev->irqs_out, i);

        memset(g->wired ? g->wired : g->outs, 0, g->n * sizeof(*g->outs));
    }
}

static void output_changed(void *opaque, unsigned n, bool level)
{
    const struct irq_group *g = opaque;

    irq_set(&g->wired[n], level);
    g->tap(g->tap_opaque, n, level);
}

bool device_tap_irqs(struct device *dev, bool outputs, const char *name, irq_fn *tap, void *opaque)
{
    struct irq_group *g = find_group(outputs ? dev->irqs_out : dev->irqs_in, name);

    if (!g || g->tap)
        return false;
    g->tap = tap;
    g->tap_opaque = opaque;
    if (outputs) {
        g->wired = g_memdup2(g->outs, g->n * sizeof(*g->outs));
        for (unsigned i = 0; i < g->n; i++)
            g->outs[i] = (struct irq_line){ .fn = output_changed, .opaque = g, .n = i };
    }
    return true;
}
