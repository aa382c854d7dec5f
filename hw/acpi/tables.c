/* ACPI tables and how they are placed; see hw/acpi/tables.h. */
#include <hw/acpi/tables.h>

#include <string.h>
#include <base/bits.h>
#include <base/bug.h>

#define OEM_ID       "MYNA  "
#define OEM_TABLE_ID "MYNAPC  "
#define CREATOR_ID   "MYNA"
#define LENGTH       4 /* offsets in a header */
#define CHECKSUM     9

/* Commands of etc/table-loader (QEMU's docs/specs/fw_cfg), 128 bytes each. */
#define COMMAND_SIZE 128
#define FILE_NAME    56
#define FILE_TABLES  "etc/acpi/tables"
#define FILE_RSDP    "etc/acpi/rsdp"
enum { CMD_ALLOCATE = 1, CMD_ADD_POINTER = 2, CMD_ADD_CHECKSUM = 3 };
enum { ZONE_HIGH = 1, ZONE_FSEG = 2 };

/* RSDP (5.2.5.3) */
enum { RSDP_SUM = 8, RSDP_RSDT = 16, RSDP_XSDT = 24, RSDP_SUM_ALL = 32, RSDP_OLD_SIZE = 20 };

void acpi_tables_init(struct acpi_tables *t)
{
    t->blob = g_byte_array_new();
    t->pointers = g_array_new(FALSE, FALSE, sizeof(struct acpi_pointer));
    t->sums = g_array_new(FALSE, FALSE, sizeof(struct acpi_sum));
    t->rsdt = t->xsdt = 0;
}

void acpi_tables_clear(struct acpi_tables *t)
{
    g_byte_array_free(t->blob, TRUE);
    g_array_free(t->pointers, TRUE);
    g_array_free(t->sums, TRUE);
}

void acpi_put(struct acpi_tables *t, unsigned size, uint64_t v)
{
    uint8_t b[8];

    stq_le(b, v);
    g_byte_array_append(t->blob, b, size);
}

static void put_text(struct acpi_tables *t, const char *s)
{
    g_byte_array_append(t->blob, (const guint8 *)s, (guint)strlen(s));
}

static void align_blob(struct acpi_tables *t, unsigned align)
{
    while (t->blob->len % align)
        acpi_put(t, 1, 0);
}

uint32_t acpi_table_begin(struct acpi_tables *t, const char *signature, uint8_t revision)
{
    uint32_t at;

    align_blob(t, 8);
    at = t->blob->len;
    put_text(t, signature);
    acpi_put(t, 4, 0); /* length */
    acpi_put(t, 1, revision);
    acpi_put(t, 1, 0); /* checksum */
    put_text(t, OEM_ID);
    put_text(t, OEM_TABLE_ID);
    acpi_put(t, 4, 1);
    put_text(t, CREATOR_ID);
    acpi_put(t, 4, 1);
    bug_on(t->blob->len - at != ACPI_HEADER_SIZE);
    return at;
}

void acpi_table_end(struct acpi_tables *t, uint32_t table)
{
    const struct acpi_sum s = { table, t->blob->len - table };

    stl_le(t->blob->data + table + LENGTH, s.len);
    g_array_append_val(t->sums, s);
}

void acpi_table_point(struct acpi_tables *t, uint32_t at, unsigned size, uint32_t to)
{
    const struct acpi_pointer p = { at, size };

    stn_le(t->blob->data + at, size, to);
    g_array_append_val(t->pointers, p);
}

uint32_t acpi_facs(struct acpi_tables *t)
{
    uint32_t at;

    align_blob(t, 64);
    at = t->blob->len;
    put_text(t, "FACS");
    acpi_put(t, 4, 64);
    for (unsigned i = 8; i < 64; i += 8)
        acpi_put(t, 8, 0);
    return at;
}

static uint32_t root_table(struct acpi_tables *t, const char *signature, unsigned width,
                           const uint32_t *tables, unsigned n)
{
    uint32_t at = acpi_table_begin(t, signature, 1);

    for (unsigned i = 0; i < n; i++) {
        acpi_put(t, width, 0);
        acpi_table_point(t, t->blob->len - width, width, tables[i]);
    }
    acpi_table_end(t, at);
    return at;
}

void acpi_root(struct acpi_tables *t, const uint32_t *tables, unsigned n)
{
    t->rsdt = root_table(t, "RSDT", 4, tables, n);
    t->xsdt = root_table(t, "XSDT", 8, tables, n);
}

static void fill_rsdp(uint8_t *rsdp, uint64_t rsdt, uint64_t xsdt)
{
    memset(rsdp, 0, ACPI_RSDP_SIZE);
    memcpy(rsdp, "RSD PTR ", 8);
    memcpy(rsdp + 9, OEM_ID, 6);
    rsdp[15] = 2; /* revision */
    stl_le(rsdp + RSDP_RSDT, (uint32_t)rsdt);
    stl_le(rsdp + 20, ACPI_RSDP_SIZE);
    stq_le(rsdp + RSDP_XSDT, xsdt);
}

static uint8_t negative_sum(const uint8_t *p, size_t len)
{
    uint8_t sum = 0;

    while (len--)
        sum = (uint8_t)(sum - *p++);
    return sum;
}

void acpi_place(struct acpi_tables *t, uint64_t base, uint8_t rsdp[ACPI_RSDP_SIZE])
{
    uint8_t *p = t->blob->data;

    for (unsigned i = 0; i < t->pointers->len; i++) {
        const struct acpi_pointer *q = &g_array_index(t->pointers, struct acpi_pointer, i);

        stn_le(p + q->at, q->size, ldn_le(p + q->at, q->size) + base);
    }
    for (unsigned i = 0; i < t->sums->len; i++) {
        const struct acpi_sum *s = &g_array_index(t->sums, struct acpi_sum, i);

        p[s->start + CHECKSUM] = negative_sum(p + s->start, s->len);
    }
    fill_rsdp(rsdp, base + t->rsdt, base + t->xsdt);
    rsdp[RSDP_SUM] = negative_sum(rsdp, RSDP_OLD_SIZE);
    rsdp[RSDP_SUM_ALL] = negative_sum(rsdp, ACPI_RSDP_SIZE);
}

/* ---- for firmware ---- */

static void allocate(GByteArray *out, const char *file, uint32_t align, uint8_t zone)
{
    uint8_t c[COMMAND_SIZE] = { 0 };

    stl_le(c, CMD_ALLOCATE);
    g_strlcpy((char *)c + 4, file, FILE_NAME);
    stl_le(c + 4 + FILE_NAME, align);
    c[8 + FILE_NAME] = zone;
    g_byte_array_append(out, c, sizeof(c));
}

/* The address of the tables is added to a number in `file`. */
static void add_pointer(GByteArray *out, const char *file, uint32_t at, uint32_t size)
{
    uint8_t c[COMMAND_SIZE] = { 0 };

    stl_le(c, CMD_ADD_POINTER);
    g_strlcpy((char *)c + 4, file, FILE_NAME);
    g_strlcpy((char *)c + 4 + FILE_NAME, FILE_TABLES, FILE_NAME);
    stl_le(c + 4 + 2 * FILE_NAME, at);
    c[8 + 2 * FILE_NAME] = (uint8_t)size;
    g_byte_array_append(out, c, sizeof(c));
}

static void add_checksum(GByteArray *out, const char *file, uint32_t at, uint32_t start,
                         uint32_t len)
{
    uint8_t c[COMMAND_SIZE] = { 0 };

    stl_le(c, CMD_ADD_CHECKSUM);
    g_strlcpy((char *)c + 4, file, FILE_NAME);
    stl_le(c + 4 + FILE_NAME, at);
    stl_le(c + 8 + FILE_NAME, start);
    stl_le(c + 12 + FILE_NAME, len);
    g_byte_array_append(out, c, sizeof(c));
}

void acpi_loader(const struct acpi_tables *t, uint8_t rsdp[ACPI_RSDP_SIZE], GByteArray *commands)
{
    fill_rsdp(rsdp, t->rsdt, t->xsdt);
    allocate(commands, FILE_RSDP, 16, ZONE_FSEG);
    allocate(commands, FILE_TABLES, 64, ZONE_HIGH);
    for (unsigned i = 0; i < t->pointers->len; i++) {
        const struct acpi_pointer *p = &g_array_index(t->pointers, struct acpi_pointer, i);

        add_pointer(commands, FILE_TABLES, p->at, p->size);
    }
    for (unsigned i = 0; i < t->sums->len; i++) {
        const struct acpi_sum *s = &g_array_index(t->sums, struct acpi_sum, i);

        add_checksum(commands, FILE_TABLES, s->start + CHECKSUM, s->start, s->len);
    }
    add_pointer(commands, FILE_RSDP, RSDP_RSDT, 4);
    add_pointer(commands, FILE_RSDP, RSDP_XSDT, 8);
    add_checksum(commands, FILE_RSDP, RSDP_SUM, 0, RSDP_OLD_SIZE);
    add_checksum(commands, FILE_RSDP, RSDP_SUM_ALL, 0, ACPI_RSDP_SIZE);
}
