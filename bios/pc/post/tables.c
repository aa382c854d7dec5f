/*
 * Tables for systems: ACPI's, put together by the script in fw_cfg's etc/table-loader (QEMU's
 * docs/specs: commands of 128 bytes), SMBIOS's (SMBIOS 3.6, 5.2), and PCI's routing table.
 */
#include "post.h"

#define FILES_MAX 16
#define ZONE_LOW  2 /* segment 0xf000 */

enum command { CMD_ALLOCATE = 1, CMD_POINTER, CMD_CHECKSUM, CMD_WRITE_POINTER };

struct loader_entry {
    uint32_t command;
    union {
        struct {
            char file[56];
            uint32_t align;
            uint8_t zone;
        } allocate;
        struct {
            char to[56], from[56];
            uint32_t offset;
            uint8_t size;
        } pointer;
        struct {
            char file[56];
            uint32_t offset, start, length;
        } checksum;
        uint8_t all[124];
    };
} __attribute__((packed));

struct loaded {
    char name[56];
    uint8_t *at;
    uint32_t size;
};

extern char tables[], tables_end[];
static struct loaded files[FILES_MAX];
static unsigned n_files;
static uint32_t low_used;

/* In segment 0xf000. */
static void *keep_low(uint32_t size, uint32_t align)
{
    uint32_t from = (uint32_t)(uintptr_t)tables + BIOS_BASE;
    uint32_t at = (from + low_used + align - 1) / align * align;

    if (at + size > (uint32_t)(uintptr_t)tables_end + BIOS_BASE)
        return NULL;
    low_used = at + size - from;
    return (void *)(uintptr_t)at;
}

static uint8_t sum_of(const uint8_t *p, uint32_t n)
{
    uint8_t sum = 0;

    while (n--)
        sum += *p++;
    return sum;
}

/* ---- ACPI ---- */

static struct loaded *find_loaded(const char *name)
{
    for (unsigned i = 0; i < n_files; i++)
        if (memcmp(files[i].name, name, sizeof(files[i].name)) == 0)
            return &files[i];
    return NULL;
}

static bool allocate(const struct loader_entry *e)
{
    struct loaded *l = &files[n_files];
    struct fw_file f;
    uint32_t align = e->allocate.align ? e->allocate.align : 1;

    if (n_files == FILES_MAX || !fw_cfg_find(e->allocate.file, &f) || (align & (align - 1)))
        return false;
    l->at = e->allocate.zone == ZONE_LOW ? keep_low(f.size, align)
                                         : (void *)(uintptr_t)memory_keep(f.size, align);
    if (!l->at)
        return false;
    memcpy(l->name, e->allocate.file, sizeof(l->name));
    l->size = f.size;
    fw_cfg_item(f.key, l->at, f.size);
    n_files++;
    return true;
}

static bool add_pointer(const struct loader_entry *e)
{
    struct loaded *to = find_loaded(e->pointer.to), *from = find_loaded(e->pointer.from);
    uint64_t v = 0;
    uint32_t size = e->pointer.size;

    if (!to || !from || size > 8 || e->pointer.offset > to->size ||
        size > to->size - e->pointer.offset)
        return false;
    memcpy(&v, to->at + e->pointer.offset, size);
    v += (uint32_t)(uintptr_t)from->at;
    memcpy(to->at + e->pointer.offset, &v, size);
    return true;
}

static bool add_checksum(const struct loader_entry *e)
{
    struct loaded *l = find_loaded(e->checksum.file);

    if (!l || e->checksum.offset >= l->size || e->checksum.start > l->size ||
        e->checksum.length > l->size - e->checksum.start)
        return false;
    l->at[e->checksum.offset] -= sum_of(l->at + e->checksum.start, e->checksum.length);
    return true;
}

static void load_acpi(void)
{
    struct loader_entry e;
    struct fw_file f;

    if (!fw_cfg_find("etc/table-loader", &f))
        return;
    for (uint32_t i = 0; i < f.size / sizeof(e); i++) {
        bool ok = true;

        fw_cfg_item(f.key, &e, 0);
        for (uint32_t k = 0; k <= i; k++)
            fw_cfg_read_more(&e, sizeof(e));
        if (e.command == CMD_ALLOCATE)
            ok = allocate(&e);
        else if (e.command == CMD_POINTER)
            ok = add_pointer(&e);
        else if (e.command == CMD_CHECKSUM)
            ok = add_checksum(&e);
        if (!ok)
            log_line("acpi: command %u of kind %u cannot be done", i, e.command);
    }
}

/* FADT's "FIRMWARE_CTRL" and the FACS's "firmware waking vector" (ACPI 6.4, 5.2.9 and 5.2.10). The
 * tables are in memory that is reserved, so that they are as they were. */
uint32_t wake_vector(void)
{
    for (unsigned i = 0; i < n_files; i++) {
        const uint8_t *t = files[i].at, *end = t + files[i].size;

        for (; t + 64 <= end; t++) {
            uint32_t facs;

            if (memcmp(t, "FACP", 4) != 0)
                continue;
            memcpy(&facs, t + 36, 4);
            return facs ? *(uint32_t *)(uintptr_t)(facs + 12) : 0;
        }
    }
    return 0;
}

/* ---- SMBIOS ---- */

static void load_smbios(void)
{
    struct fw_file anchor, body;
    uint8_t *a;
    uint32_t at;

    if (!fw_cfg_find("etc/smbios/smbios-tables", &body) ||
        !fw_cfg_find("etc/smbios/smbios-anchor", &anchor) || anchor.size < 0x18)
        return;
    a = keep_low(anchor.size, 16);
    at = memory_keep(body.size, 16);
    if (!a || !at)
        return;
    fw_cfg_item(anchor.key, a, anchor.size);
    fw_cfg_item(body.key, (void *)(uintptr_t)at, body.size);
    if (memcmp(a, "_SM_", 4) == 0 && anchor.size >= 0x1f) {
        memcpy(a + 0x18, &at, 4);
        a[0x15] -= sum_of(a + 0x10, 15);
        a[4] -= sum_of(a, 0x1f);
    } else if (memcmp(a, "_SM3_", 5) == 0) {
        memcpy(a + 0x10, &at, 4);
        memset(a + 0x14, 0, 4);
        a[5] -= sum_of(a, anchor.size);
    }
}

/* ---- PCI interrupt routing ($PIR 1.0) ---- */

#define PIR_SLOTS 8

struct pir_slot {
    uint8_t bus, devfn;
    struct {
        uint8_t link;
        uint16_t irqs;
    } __attribute__((packed)) pin[4];
    uint8_t slot, reserved;
} __attribute__((packed));

struct pir {
    char signature[4];
    uint16_t version, size;
    uint8_t router_bus, router_devfn;
    uint16_t only_pci;
    uint32_t compatible, mini_data;
    uint8_t reserved[11], checksum;
    struct pir_slot slots[PIR_SLOTS];
} __attribute__((packed));

static void make_pir(void)
{
    struct pir *p = SYS.has_pci ? keep_low(sizeof(*p), 16) : NULL;

    if (!p)
        return;
    *p = (struct pir){ .signature = "$PIR",
                       .version = 0x100,
                       .size = sizeof(*p),
                       .router_devfn = 1 << 3,
                       .compatible = 0x70008086 };
    for (unsigned i = 0; i < PIR_SLOTS; i++) {
        p->slots[i].devfn = (i + 1) << 3;
        p->slots[i].slot = i;
        for (unsigned pin = 0; pin < 4; pin++) {
            p->slots[i].pin[pin].link = 0x60 + (i + pin) % 4;
            p->slots[i].pin[pin].irqs = 0x0c00;
        }
    }
    p->checksum -= sum_of((uint8_t *)p, sizeof(*p));
}

uint32_t post_tables(uint32_t unused)
{
    (void)unused;
    make_pir();
    load_acpi();
    load_smbios();
    return 0;
}
