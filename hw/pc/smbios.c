/*
 * SMBIOS tables (DMTF DSP0134 3.6) that name the machine: in fw_cfg, for firmware to place, and in
 * the BIOS segment for kernels that start without.
 */
#include "smbios.h"

#include <string.h>
#include <base/bits.h>
#include <hw/misc/fw_cfg.h>

#define ANCHOR_SIZE 24 /* of the 64-bit entry point (5.2.2) */
#define MIB_OF(b)   ((uint32_t)((b) >> 20))

struct smbios {
    GByteArray *bytes;
    unsigned count;
    guint start; /* of the structure being made */
};

static void put(struct smbios *s, unsigned size, uint64_t v)
{
    uint8_t b[8];

    stq_le(b, v);
    g_byte_array_append(s->bytes, b, size);
}

static void begin(struct smbios *s, unsigned type, uint16_t handle)
{
    s->start = s->bytes->len;
    put(s, 1, type);
    put(s, 1, 0); /* length of the formatted part */
    put(s, 2, handle);
}

/* Ends the formatted part; strings (numbered from 1) follow, and an empty one. */
static void end(struct smbios *s, const char *const *strings, unsigned n)
{
    s->bytes->data[s->start + 1] = (uint8_t)(s->bytes->len - s->start);
    for (unsigned i = 0; i < n; i++)
        g_byte_array_append(s->bytes, (const guint8 *)strings[i], (guint)strlen(strings[i]) + 1);
    put(s, n ? 1 : 2, 0);
    s->count++;
}

static void add_bios(struct smbios *s)
{
    static const char *const strings[] = { "myna", PACKAGE_VERSION, "01/01/2026" };

    begin(s, 0, 0x0000);
    put(s, 1, 1), put(s, 1, 2);
    put(s, 2, 0xe000);          /* segment */
    put(s, 1, 3), put(s, 1, 0); /* date; 64 KiB */
    put(s, 8, BIT(3));          /* characteristics are not given */
    put(s, 2, 0x0400 | 0x0001); /* ACPI; a virtual machine */
    put(s, 1, 0), put(s, 1, 0), put(s, 1, 0xff), put(s, 1, 0xff);
    end(s, strings, ARRAY_LEN(strings));
}

/* The first three fields of a UUID are little-endian (7.2.1). */
static void put_uuid(struct smbios *s, const uint8_t *u)
{
    put(s, 4, ldl_be(u));
    put(s, 2, lduw_be(u + 4));
    put(s, 2, lduw_be(u + 6));
    g_byte_array_append(s->bytes, u + 8, 8);
}

static void add_system(struct smbios *s, const struct pc *pc)
{
    static const char *const strings[] = { "QEMU", "Standard PC (i440FX + PIIX, 1996)",
                                           "pc-i440fx-7.2" };

    begin(s, 1, 0x0100);
    put(s, 1, 1), put(s, 1, 2), put(s, 1, 3), put(s, 1, 0);
    put_uuid(s, pc->m.cfg.uuid);
    put(s, 1, 6), put(s, 1, 0), put(s, 1, 0); /* woken by the power switch */
    end(s, strings, ARRAY_LEN(strings));
}

static void add_chassis(struct smbios *s)
{
    static const char *const strings[] = { "QEMU" };

    begin(s, 3, 0x0300);
    put(s, 1, 1), put(s, 1, 1);                             /* type: other */
    put(s, 1, 0), put(s, 1, 0), put(s, 1, 0);               /* no version, serial number, tag */
    put(s, 1, 3), put(s, 1, 3), put(s, 1, 3), put(s, 1, 2); /* states: safe, security unknown */
    put(s, 4, 0), put(s, 1, 0), put(s, 1, 0), put(s, 1, 0), put(s, 1, 0), put(s, 1, 0);
    end(s, strings, ARRAY_LEN(strings));
}

static void add_processor(struct smbios *s, const struct pc *pc, unsigned socket)
{
    const struct machine_config *c = &pc->m.cfg;
    g_autofree char *name = g_strdup_printf("CPU %u", socket);
    const char *const strings[] = { name, "QEMU", "pc-i440fx-7.2" };
    unsigned cores = MAX(c->cores, 1), threads = cores * MAX(c->threads, 1);

    begin(s, 4, (uint16_t)(0x0400 + socket));
    put(s, 1, 1), put(s, 1, 3), put(s, 1, 1); /* central processor, family: other */
    put(s, 1, 2);
    put(s, 8, 0); /* id */
    put(s, 1, 3);
    put(s, 1, 0), put(s, 2, 0), put(s, 2, 2000), put(s, 2, 2000);
    put(s, 1, 0x41), put(s, 1, 1);                           /* there, enabled */
    put(s, 2, 0xffff), put(s, 2, 0xffff), put(s, 2, 0xffff); /* no word of caches */
    put(s, 1, 0), put(s, 1, 0), put(s, 1, 0);
    put(s, 1, MIN(cores, 255)), put(s, 1, MIN(cores, 255)), put(s, 1, MIN(threads, 255));
    put(s, 2, 0x02), put(s, 2, 1); /* characteristics unknown; family */
    put(s, 2, cores), put(s, 2, cores), put(s, 2, threads);
    end(s, strings, ARRAY_LEN(strings));
}

static void add_memory(struct smbios *s, const struct pc *pc)
{
    static const char *const strings[] = { "DIMM 0", "QEMU" };
    uint64_t size = pc->m.cfg.ram_size;
    bool big = size >> 20 >= 0x7fff;

    begin(s, 16, 0x1000);
    put(s, 1, 1), put(s, 1, 3), put(s, 1, 6); /* other place, system memory, multi-bit ECC */
    put(s, 4, size >> 41 ? 0x80000000u : size >> 10);
    put(s, 2, 0xfffe), put(s, 2, 1);
    put(s, 8, size >> 41 ? size : 0);
    end(s, NULL, 0);

    begin(s, 17, 0x1100);
    put(s, 2, 0x1000), put(s, 2, 0xfffe);
    put(s, 2, 0xffff), put(s, 2, 0xffff); /* widths unknown */
    put(s, 2, big ? 0x7fff : MIB_OF(size));
    put(s, 1, 9), put(s, 1, 0), put(s, 1, 1), put(s, 1, 0);
    put(s, 1, 7), put(s, 2, 2); /* RAM */
    put(s, 2, 0), put(s, 1, 2), put(s, 1, 0), put(s, 1, 0), put(s, 1, 0);
    put(s, 1, 0);
    put(s, 4, big ? MIB_OF(size) : 0);
    put(s, 2, 0), put(s, 2, 0), put(s, 2, 0), put(s, 2, 0);
    end(s, strings, ARRAY_LEN(strings));
}

static void add_range(struct smbios *s, unsigned n, uint64_t base, uint64_t size)
{
    if (!size)
        return;
    begin(s, 19, (uint16_t)(0x1300 + n));
    put(s, 4, 0xffffffff), put(s, 4, 0xffffffff); /* the long fields count */
    put(s, 2, 0x1000), put(s, 1, 1);
    put(s, 8, base), put(s, 8, base + size - 1);
    end(s, NULL, 0);
}

static void build(struct smbios *s, const struct pc *pc)
{
    unsigned sockets = MAX(pc->m.cfg.sockets, 1);

    add_bios(s);
    add_system(s, pc);
    add_chassis(s);
    for (unsigned i = 0; i < MIN(sockets, PC_CPUS_MAX); i++)
        add_processor(s, pc, i);
    add_memory(s, pc);
    add_range(s, 0, 0, pc->below_4g);
    add_range(s, 1, UINT64_C(1) << 32, pc->above_4g);
    begin(s, 32, 0x2000); /* boot: no error */
    put(s, 6, 0), put(s, 1, 0);
    end(s, NULL, 0);
    begin(s, 127, 0x7f00);
    end(s, NULL, 0);
}

/* Where firmware places the tables it writes the address and makes the sum right. */
static void make_anchor(uint8_t *a, uint32_t len, uint64_t address)
{
    uint8_t sum = 0;

    memset(a, 0, ANCHOR_SIZE);
    memcpy(a, "_SM3_", 5);
    a[6] = ANCHOR_SIZE;
    a[7] = 3, a[8] = 6; /* version 3.6 */
    a[10] = 1;
    stl_le(a + 12, len);
    stq_le(a + 16, address);
    for (unsigned i = 0; i < ANCHOR_SIZE; i++)
        sum = (uint8_t)(sum - a[i]);
    a[5] = sum;
}

void pc_smbios_init(struct pc *pc)
{
    struct smbios s = { .bytes = g_byte_array_new() };
    uint8_t anchor[ANCHOR_SIZE];

    build(&s, pc);
    make_anchor(anchor, s.bytes->len, 0);
    fw_cfg_add_file(pc->fw_cfg, "etc/smbios/smbios-anchor", anchor, sizeof(anchor));
    fw_cfg_add_file(pc->fw_cfg, "etc/smbios/smbios-tables", s.bytes->data, s.bytes->len);
    g_byte_array_free(s.bytes, TRUE);
}

void pc_smbios_place(struct pc *pc, uint32_t at, uint32_t end_at)
{
    struct smbios s = { .bytes = g_byte_array_new() };
    uint8_t anchor[ANCHOR_SIZE];
    uint32_t tables = at + 32;

    build(&s, pc);
    make_anchor(anchor, s.bytes->len, tables);
    if (s.bytes->len <= end_at - tables) {
        space_write(&pc->m.memory, at, anchor, sizeof(anchor), 0);
        space_write(&pc->m.memory, tables, s.bytes->data, s.bytes->len, 0);
    }
    g_byte_array_free(s.bytes, TRUE);
}
