/*
 * The devices of the machine: their tree, and plugging them while it runs.
 */
#include <inttypes.h>
#include <string.h>
#include <base/error.h>
#include <base/option.h>
#include "session.h"

static bool info_qtree(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)args, (void)err;
    bus_print_tree(&mon->machine->root, out);
    return true;
}

/* Local APICs, which have a command of their own. */
#define LAPIC "apic"

static bool print_irqs(struct device *dev, void *opaque)
{
    if (dev->type->print_irqs && strcmp(dev->type->name, LAPIC))
        dev->type->print_irqs(dev, opaque);
    return true;
}

static bool info_pic(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)args, (void)err;
    bus_walk(&mon->machine->root, print_irqs, out);
    return true;
}

struct one_kind {
    const char *type;
    GString *out;
};

static bool print_kind(struct device *dev, void *opaque)
{
    const struct one_kind *k = opaque;

    if (!strcmp(dev->type->name, k->type))
        dev->type->print_irqs(dev, k->out);
    return true;
}

static bool info_kind(struct mon *mon, const char *type, const char *what, GString *out,
                      GError **err)
{
    struct one_kind k = { type, out };
    gsize before = out->len;

    bus_walk(&mon->machine->root, print_kind, &k);
    return out->len > before || error_set(err, "the machine has no %s", what);
}

static bool info_lapic(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)args;
    return info_kind(mon, LAPIC, "local APIC", out, err);
}

static bool info_ioapic(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)args;
    return info_kind(mon, "ioapic", "I/O APIC", out, err);
}

static bool print_counts(struct device *dev, void *opaque)
{
    GString *out = opaque;
    const uint64_t *counts;
    unsigned n;

    if (!dev->type->irq_counts)
        return true;
    counts = dev->type->irq_counts(dev, &n);
    g_string_append_printf(out, "IRQ statistics for %s:\n", dev->type->name);
    for (unsigned i = 0; i < n; i++)
        if (counts[i])
            g_string_append_printf(out, "%2u: %" PRIu64 "\n", i, counts[i]);
    return true;
}

static bool info_irq(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)args, (void)err;
    bus_walk(&mon->machine->root, print_counts, out);
    return true;
}

static const struct mon_member add_args[] = {
    MEMBER("driver", &mon_str),
    OPTIONAL("bus", &mon_str),
    OPTIONAL("id", &mon_str),
    { 0 },
};

static bool add_from_text(struct mon *mon, const char *text, GError **err)
{
    struct opts *opts = opts_parse("device_add", text, "driver", err);
    GError *why = NULL;

    if (!opts)
        return false;
    if (!device_create(mon->machine, opts, &why)) {
        /* DeviceNotFound is about devices of the machine, not about words in the request. */
        why->code = MYNA_ERROR_GENERIC;
        g_propagate_error(err, why);
        opts_free(opts);
        return false;
    }
    opts_free(opts);
    return true;
}

static json_t *device_add(struct mon *mon, const json_t *args, GError **err)
{
    char *text = json_dumps(args, 0);

    add_from_text(mon, text, err);
    free(text);
    return NULL;
}

static const struct mon_member add_hmp_args[] = {
    MEMBER("device", &mon_str, .hmp = HMP_REST),
    { 0 },
};

static bool device_add_text(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)out;
    return add_from_text(mon, json_string_value(json_object_get(args, "device")), err);
}

static void complete_type(struct mon *mon, GPtrArray *words)
{
    (void)mon;
    for (const struct device_type *const *t = device_types(); *t; t++)
        if (!(*t)->internal)
            g_ptr_array_add(words, g_strdup((*t)->name));
}

static const struct mon_member id_args[] = {
    MEMBER("id", &mon_str),
    { 0 },
};

static json_t *device_del(struct mon *mon, const json_t *args, GError **err)
{
    const char *id = json_string_value(json_object_get(args, "id"));
    struct device *dev = device_find(mon->machine, id);
    bool ok;

    if (!dev) {
        error_set_code(err, MYNA_ERROR_NOT_FOUND, "Device '%s' not found", id);
        return NULL;
    }
    ok = device_ask_unplug(dev, err);
    (void)ok; /* `err` says it; an event tells when the device is gone */
    return NULL;
}

static bool add_id(struct device *dev, void *opaque)
{
    if (dev->id)
        g_ptr_array_add(opaque, g_strdup(dev->id));
    return true;
}

static void complete_id(struct mon *mon, GPtrArray *words)
{
    bus_walk(&mon->machine->root, add_id, words);
}

const struct mon_command device_commands[] = {
    { .hmp = "info qtree", .text = info_qtree, .help = "show device tree" },
    { .hmp = "info irq", .text = info_irq, .help = "show how often interrupts were asked for" },
    { .hmp = "info ioapic", .text = info_ioapic, .help = "show the state of the I/O APIC" },
    { .hmp = "info lapic", .text = info_lapic, .help = "show the state of the local APICs" },
    { .hmp = "info pic", .text = info_pic, .help = "show interrupt controllers' state" },
    { .qmp = "device_add", .args = add_args, .more_args = true, .run = device_add },
    { .hmp = "device_add",
      .args = add_hmp_args,
      .params = "driver[,prop=value][,...]",
      .text = device_add_text,
      .complete = complete_type,
      .help = "add device" },
    { .qmp = "device_del",
      .hmp = "device_del",
      .args = id_args,
      .params = "device",
      .run = device_del,
      .complete = complete_id,
      .help = "remove device" },
    { 0 },
};
