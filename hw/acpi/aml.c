/* Writing AML; see hw/acpi/aml.h. */
#include <hw/acpi/aml.h>

#include <string.h>
#include <base/bits.h>
#include <base/bug.h>

/* Encoding (ACPI 6.4, 20.2) */
enum {
    OP_ONE = 0x01,
    OP_NAME = 0x08,
    OP_BYTE = 0x0a,
    OP_WORD = 0x0b,
    OP_DWORD = 0x0c,
    OP_STRING = 0x0d,
    OP_QWORD = 0x0e,
    OP_SCOPE = 0x10,
    OP_BUFFER = 0x11,
    OP_PACKAGE = 0x12,
    OP_METHOD = 0x14,
    OP_DUAL_NAME = 0x2e,
    OP_MULTI_NAME = 0x2f,
    OP_EXT = 0x5b,
    EXT_REGION = 0x80,
    EXT_FIELD = 0x81,
    EXT_DEVICE = 0x82,
    OP_IF = 0xa0,
};

void aml_init(struct aml *a)
{
    *a = (struct aml){ .bytes = g_byte_array_new() };
}

static void put(struct aml *a, unsigned size, uint64_t v)
{
    uint8_t b[8];

    stq_le(b, v);
    g_byte_array_append(a->bytes, b, size);
}

static void put8(struct aml *a, unsigned v)
{
    put(a, 1, v);
}

void aml_op(struct aml *a, enum aml_opcode op)
{
    put8(a, op);
}

void aml_int(struct aml *a, uint64_t v)
{
    if (v <= 1) {
        put8(a, v ? OP_ONE : 0);
    } else if (v <= UINT8_MAX) {
        put8(a, OP_BYTE), put(a, 1, v);
    } else if (v <= UINT16_MAX) {
        put8(a, OP_WORD), put(a, 2, v);
    } else if (v <= UINT32_MAX) {
        put8(a, OP_DWORD), put(a, 4, v);
    } else {
        put8(a, OP_QWORD), put(a, 8, v);
    }
}

void aml_string(struct aml *a, const char *s)
{
    put8(a, OP_STRING);
    g_byte_array_append(a->bytes, (const guint8 *)s, (guint)strlen(s) + 1);
}

/* Four characters, filled up with '_'. */
static void put_segment(struct aml *a, const char *s, size_t len)
{
    uint8_t seg[4] = { '_', '_', '_', '_' };

    bug_on(!len || len > 4);
    memcpy(seg, s, len);
    g_byte_array_append(a->bytes, seg, 4);
}

void aml_path(struct aml *a, const char *path)
{
    unsigned n = 1;

    while (*path == '\\' || *path == '^')
        put8(a, (uint8_t)*path++);
    if (!*path) {
        put8(a, 0);
        return;
    }
    for (const char *p = path; *p; p++)
        n += *p == '.';
    if (n == 2)
        put8(a, OP_DUAL_NAME);
    else if (n > 2)
        put8(a, OP_MULTI_NAME), put8(a, n);
    for (; n; n--) {
        size_t len = strcspn(path, ".");

        put_segment(a, path, len);
        path += len + 1;
    }
}

/* Three letters of five bits and four hexadecimal digits, big-endian (6.1.5). */
void aml_eisa_id(struct aml *a, const char *id)
{
    uint32_t v = 0;
    uint8_t b[4];

    for (unsigned i = 0; i < 3; i++)
        v = v << 5 | ((uint32_t)(id[i] - '@') & 0x1f);
    for (unsigned i = 3; i < 7; i++)
        v = v << 4 | (uint32_t)g_ascii_xdigit_value(id[i]);
    stl_be(b, v);
    put8(a, OP_DWORD);
    g_byte_array_append(a->bytes, b, 4);
}

void aml_name(struct aml *a, const char *name)
{
    put8(a, OP_NAME);
    aml_path(a, name);
}

void aml_name_int(struct aml *a, const char *name, uint64_t v)
{
    aml_name(a, name);
    aml_int(a, v);
}

void aml_name_eisa_id(struct aml *a, const char *name, const char *id)
{
    aml_name(a, name);
    aml_eisa_id(a, id);
}

/* ---- what has a length ---- */

static void open_here(struct aml *a)
{
    bug_on(a->depth == AML_DEPTH_MAX);
    a->open[a->depth++] = a->bytes->len;
}

/* PkgLength (20.2.4) counts itself: six bits in one byte, or four and more bytes of eight. */
static unsigned encode_length(uint8_t *out, uint32_t len)
{
    unsigned extra;

    if (len + 1 < 1 << 6) {
        out[0] = (uint8_t)(len + 1);
        return 1;
    }
    for (extra = 1; len + 1 + extra >= 1u << (4 + 8 * extra);)
        extra++;
    bug_on(extra > 3);
    len += 1 + extra;
    out[0] = (uint8_t)(extra << 6 | (len & 15));
    for (unsigned i = 0; i < extra; i++)
        out[1 + i] = (uint8_t)(len >> (4 + 8 * i));
    return 1 + extra;
}

void aml_close(struct aml *a)
{
    guint at, len;
    uint8_t prefix[4];
    unsigned n;

    bug_on(!a->depth);
    at = a->open[--a->depth];
    len = a->bytes->len - at;
    n = encode_length(prefix, len);
    g_byte_array_set_size(a->bytes, a->bytes->len + n);
    memmove(a->bytes->data + at + n, a->bytes->data + at, len);
    memcpy(a->bytes->data + at, prefix, n);
}

void aml_open_scope(struct aml *a, const char *path)
{
    put8(a, OP_SCOPE);
    open_here(a);
    aml_path(a, path);
}

void aml_open_device(struct aml *a, const char *name)
{
    put8(a, OP_EXT), put8(a, EXT_DEVICE);
    open_here(a);
    aml_path(a, name);
}

void aml_open_method(struct aml *a, const char *name, unsigned args)
{
    put8(a, OP_METHOD);
    open_here(a);
    aml_path(a, name);
    put8(a, args | 8); /* serialized: it may make names */
}

void aml_open_package(struct aml *a, unsigned count)
{
    put8(a, OP_PACKAGE);
    open_here(a);
    put8(a, count);
}

void aml_open_if(struct aml *a)
{
    put8(a, OP_IF);
    open_here(a);
}

void aml_region(struct aml *a, const char *name, uint8_t space, uint32_t offset, uint32_t len)
{
    put8(a, OP_EXT), put8(a, EXT_REGION);
    aml_path(a, name);
    put8(a, space);
    aml_int(a, offset);
    aml_int(a, len);
}

/* Flags: width of accesses, no lock, and what becomes of bits beside those written. Lengths in bits
 * are below 64: one byte. */
static void put_fields(struct aml *a, const char *region, unsigned flags, unsigned bits,
                       const char *const *names, unsigned n)
{
    put8(a, OP_EXT), put8(a, EXT_FIELD);
    open_here(a);
    aml_path(a, region);
    put8(a, flags);
    for (unsigned i = 0; i < n; i++) {
        aml_path(a, names[i]);
        put8(a, bits);
    }
    aml_close(a);
}

void aml_byte_fields(struct aml *a, const char *region, const char *const *names, unsigned n)
{
    put_fields(a, region, 0x01, 8, names, n); /* preserved */
}

void aml_dword_fields(struct aml *a, const char *region, const char *const *names, unsigned n)
{
    put_fields(a, region, 0x43, 32, names, n); /* zero */
}

/* ---- resources: a buffer of descriptors ---- */

void aml_resources(struct aml *a)
{
    put8(a, OP_BUFFER);
    open_here(a);
    put8(a, OP_WORD);
    a->resources = a->bytes->len;
    put(a, 2, 0);
}

void aml_resources_end(struct aml *a)
{
    put8(a, 0x79), put8(a, 0); /* end tag without a checksum */
    stw_le(a->bytes->data + a->resources, (uint16_t)(a->bytes->len - a->resources - 2));
    aml_close(a);
}

void aml_res_io(struct aml *a, uint16_t base, uint8_t align, uint8_t len)
{
    put8(a, 0x47), put8(a, 1); /* decodes 16 bits */
    put(a, 2, base), put(a, 2, base);
    put8(a, align), put8(a, len);
}

void aml_res_irq(struct aml *a, unsigned irq)
{
    put8(a, 0x22); /* edge, active high */
    put(a, 2, BIT(irq));
}

void aml_res_dma(struct aml *a, unsigned channel)
{
    put8(a, 0x2a);
    put8(a, (unsigned)BIT(channel));
    put8(a, 0); /* compatible, 8 bits */
}

void aml_res_memory(struct aml *a, uint32_t base, uint32_t len, bool writable)
{
    put8(a, 0x86), put(a, 2, 9);
    put8(a, writable);
    put(a, 4, base), put(a, 4, len);
}

void aml_res_interrupts(struct aml *a, const uint32_t *irqs, unsigned n)
{
    put8(a, 0x89), put(a, 2, 2 + 4 * n);
    put8(a, 0x09); /* consumer, level, active high, shared */
    put8(a, n);
    for (unsigned i = 0; i < n; i++)
        put(a, 4, irqs[i]);
}

/* Address space descriptors (6.4.3.5): tag and width, resource type, flags of the type. */
static void put_window(struct aml *a, unsigned width, unsigned type, unsigned flags, uint64_t first,
                       uint64_t last)
{
    put8(a, width == 2 ? 0x88 : width == 4 ? 0x87 : 0x8a);
    put(a, 2, 3 + 5 * width);
    put8(a, type);
    put8(a, 0x0c); /* producer; both ends are fixed */
    put8(a, flags);
    put(a, width, 0); /* granularity */
    put(a, width, first);
    put(a, width, last);
    put(a, width, 0); /* translation */
    put(a, width, last - first + 1);
}

void aml_res_bus_window(struct aml *a, uint16_t first, uint16_t last)
{
    put_window(a, 2, 2, 0, first, last);
}

void aml_res_io_window(struct aml *a, uint16_t first, uint16_t last)
{
    put_window(a, 2, 1, 0x03, first, last); /* the whole range */
}

void aml_res_memory_window(struct aml *a, uint64_t first, uint64_t last, bool cacheable)
{
    put_window(a, last > UINT32_MAX ? 8 : 4, 0, cacheable ? 0x03 : 0x01, first, last);
}
