/*
 * What a PC's battery-backed memory tells firmware: sizes of memory, drives, where to boot from.
 * Places are those of the AT (IBM Technical Reference, "CMOS RAM") and, from 0x34 on, those that
 * SeaBIOS reads (its src/hw/rtc.h lists them).
 */
#include "cmos.h"

#include <string.h>
#include <base/error.h>
#include <hw/rtc/mc146818.h>

enum {
    CMOS_FLOPPIES = 0x10,
    CMOS_DISKS = 0x12,
    CMOS_EQUIPMENT = 0x14,
    CMOS_BASE_KIB = 0x15,
    CMOS_EXTENDED_KIB = 0x17,
    CMOS_DISK_TYPES = 0x19,
    CMOS_SUM = 0x2e,
    CMOS_EXTENDED_KIB_2 = 0x30,
    CMOS_BEYOND_16MIB = 0x34,
    CMOS_BOOT_THIRD = 0x38,
    CMOS_BOOT = 0x3d,
    CMOS_BEYOND_4GIB = 0x5b,
    CMOS_CPUS = 0x5f,
};

#define EQUIPMENT_FLOPPY 0x01
#define EQUIPMENT_FPU    0x02
#define EQUIPMENT_MOUSE  0x04
#define DISK_EXTENDED    0x0f
#define DISK_TYPE        47
#define NO_SIGNATURE     0x01 /* boots floppies without 55AA */
#define MIB              (UINT64_C(1) << 20)
#define BOOT_DEVICES     3

static void set(struct pc *pc, unsigned at, unsigned size, uint64_t v)
{
    for (unsigned i = 0; i < size; i++)
        mc146818_set(pc->rtc, (uint8_t)(at + i), (uint8_t)(v >> (8 * i)));
}

static void set_memory(struct pc *pc)
{
    uint64_t low = pc->below_4g, extended = low > MIB ? (low - MIB) >> 10 : 0;

    set(pc, CMOS_BASE_KIB, 2, 640);
    set(pc, CMOS_EXTENDED_KIB, 2, MIN(extended, 65535));
    set(pc, CMOS_EXTENDED_KIB_2, 2, MIN(extended, 65535));
    set(pc, CMOS_BEYOND_16MIB, 2, low > 16 * MIB ? MIN((low - 16 * MIB) >> 16, 65535) : 0);
    set(pc, CMOS_BEYOND_4GIB, 3, pc->above_4g >> 16);
    set(pc, CMOS_CPUS, 1, pc->m.cfg.cpus - 1);
}

/* ---- drives ---- */

static unsigned unit_of(struct device *dev)
{
    g_autofree char *unit = device_get(dev, "unit", NULL);

    return unit ? (unsigned)g_ascii_strtoull(unit, NULL, 10) : 0;
}

static unsigned floppy_type(struct device *dev)
{
    g_autofree char *type = device_get(dev, "drive-type", NULL);

    return g_strcmp0(type, "120") == 0 ? 2 : g_strcmp0(type, "288") == 0 ? 5 : 4;
}

static void set_floppies(struct pc *pc)
{
    struct bus *bus = bus_find(&pc->m, "floppy-bus.0");
    unsigned types = 0, count = 0;

    for (unsigned i = 0; bus && i < bus->devices->len; i++) {
        struct device *dev = g_ptr_array_index(bus->devices, i);

        types |= floppy_type(dev) << (unit_of(dev) ? 0 : 4);
        count++;
    }
    set(pc, CMOS_FLOPPIES, 1, types);
    set(pc, CMOS_EQUIPMENT, 1,
        EQUIPMENT_FPU | EQUIPMENT_MOUSE | (count ? EQUIPMENT_FLOPPY | (count - 1) << 6 : 0));
}

static void set_disks(struct pc *pc)
{
    struct bus *bus = bus_find(&pc->m, "ide.0");
    unsigned types = 0;

    for (unsigned i = 0; i < 2; i++)
        set(pc, CMOS_DISK_TYPES + i, 1, 0);
    for (unsigned i = 0; bus && i < bus->devices->len; i++) {
        struct device *dev = g_ptr_array_index(bus->devices, i);
        unsigned unit = unit_of(dev) & 1;

        if (strcmp(dev->type->name, "ide-hd") != 0)
            continue;
        types |= DISK_EXTENDED << (unit ? 0 : 4);
        set(pc, CMOS_DISK_TYPES + unit, 1, DISK_TYPE);
    }
    set(pc, CMOS_DISKS, 1, types);
}

/* ---- boot order ---- */

static unsigned boot_code(char letter)
{
    switch (letter) {
    case 'a':
    case 'b': return 1;
    case 'c': return 2;
    case 'd': return 3;
    case 'n': return 4;
    default: return 0;
    }
}

static bool check_order(const char *key, const char *order, GError **err)
{
    if (!order)
        return true;
    for (const char *p = order; *p; p++)
        if (!boot_code(*p))
            return error_set(err, "-boot: %s=%s: '%c' is not one of a, b, c, d, n", key, order, *p);
    if (strlen(order) > BOOT_DEVICES)
        return error_set(err, "-boot: %s=%s: a PC tries at most %u", key, order, BOOT_DEVICES);
    return true;
}

static void set_order(struct pc *pc)
{
    const struct machine_config *c = &pc->m.cfg;
    const char *order = c->boot_order ? c->boot_order : "cad";
    unsigned codes[BOOT_DEVICES] = { 0 };

    if (c->boot_once && !pc->booted)
        order = c->boot_once;
    for (unsigned i = 0; i < BOOT_DEVICES && order[i]; i++)
        codes[i] = boot_code(order[i]);
    set(pc, CMOS_BOOT, 1, codes[0] | codes[1] << 4);
    set(pc, CMOS_BOOT_THIRD, 1, codes[2] << 4 | NO_SIGNATURE);
    pc->booted = true;
}

bool pc_cmos_check(struct pc *pc, GError **err)
{
    return check_order("order", pc->m.cfg.boot_order, err) &&
           check_order("once", pc->m.cfg.boot_once, err);
}

/* The AT's sum over 0x10 to 0x2d, high byte first. */
static void set_sum(struct pc *pc)
{
    unsigned sum = 0;

    for (unsigned i = CMOS_FLOPPIES; i < CMOS_SUM; i++)
        sum += mc146818_get(pc->rtc, (uint8_t)i);
    set(pc, CMOS_SUM, 1, sum >> 8);
    set(pc, CMOS_SUM + 1, 1, sum);
}

void pc_cmos_ready(struct pc *pc)
{
    set_memory(pc);
    set_floppies(pc);
    set_disks(pc);
    set_order(pc);
    set_sum(pc);
}
