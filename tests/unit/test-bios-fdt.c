/*
 * The riscv firmware's devicetree reader, compiled for the host: what it reads, the node it adds,
 * and that a damaged blob never makes it leave the blob (run it with --enable-sanitize=address).
 */
#include <glib.h>
#include <string.h>
#include <stdarg.h>
#include "bios/riscv/fdt.c"
#include "bios/riscv/fdt_reserve.c"

/* Stand-ins for the parts that only exist on the target. */
static const uint8_t *mapped;
static size_t mapped_size;

bool memory_readable(uintptr_t addr)
{
    return addr - (uintptr_t)mapped < mapped_size;
}

size_t str_len(const char *s)
{
    return strlen(s);
}

bool str_equal(const char *a, const char *b)
{
    return !strcmp(a, b);
}

/* -- a small tree -------------------------------------------------------------------------------
 */

struct blob {
    GByteArray *structs, *strings;
};

static void cell(GByteArray *a, uint32_t v)
{
    uint8_t bytes[4];

    store_be32(bytes, v);
    g_byte_array_append(a, bytes, 4);
}

static void padded(GByteArray *a, const void *p, uint32_t len)
{
    static const uint8_t zeros[4];

    g_byte_array_append(a, p, len);
    g_byte_array_append(a, zeros, -len & 3);
}

static void begin(struct blob *b, const char *name)
{
    cell(b->structs, FDT_BEGIN_NODE);
    padded(b->structs, name, strlen(name) + 1);
}

static void prop(struct blob *b, const char *name, const void *value, uint32_t len)
{
    cell(b->structs, FDT_PROP);
    cell(b->structs, len);
    cell(b->structs, b->strings->len);
    g_byte_array_append(b->strings, (const uint8_t *)name, strlen(name) + 1);
    padded(b->structs, value, len);
}

static void prop_cells(struct blob *b, const char *name, unsigned n, ...)
{
    GByteArray *value = g_byte_array_new();
    va_list ap;

    va_start(ap, n);
    while (n--) {
        cell(value, va_arg(ap, uint32_t));
    }
    va_end(ap);
    prop(b, name, value->data, value->len);
    g_byte_array_unref(value);
}

static void end(struct blob *b)
{
    cell(b->structs, FDT_END_NODE);
}

/* The whole blob with `room` bytes free inside and 304 behind it; strings first or last. */
static uint8_t *finish(struct blob *b, uint32_t room, bool strings_first, uint32_t *size)
{
    static const uint8_t reservations[16];
    GByteArray *out = g_byte_array_new();
    uint32_t structs_at, strings_at;
    uint8_t *copy;

    cell(b->structs, 9);
    g_byte_array_set_size(out, HEADER_SIZE);
    memset(out->data, 0, HEADER_SIZE);
    g_byte_array_append(out, reservations, 16);
    strings_at = out->len;
    if (strings_first) {
        padded(out, b->strings->data, b->strings->len);
    }
    structs_at = out->len;
    g_byte_array_append(out, b->structs->data, b->structs->len);
    if (!strings_first) {
        strings_at = out->len;
        padded(out, b->strings->data, b->strings->len);
    }
    *size = out->len + room;
    store_be32(out->data, FDT_MAGIC);
    store_be32(out->data + HEADER_TOTALSIZE, *size);
    store_be32(out->data + HEADER_STRUCTS, structs_at);
    store_be32(out->data + HEADER_STRINGS, strings_at);
    store_be32(out->data + HEADER_RESERVATIONS, HEADER_SIZE);
    store_be32(out->data + HEADER_VERSION, 17);
    store_be32(out->data + HEADER_LAST_COMPATIBLE, 16);
    store_be32(out->data + HEADER_STRINGS_SIZE, b->strings->len);
    store_be32(out->data + HEADER_STRUCTS_SIZE, b->structs->len);
    copy = g_malloc0(*size + 304);
    memcpy(copy, out->data, out->len);
    g_byte_array_unref(out);
    g_byte_array_unref(b->structs);
    g_byte_array_unref(b->strings);
    mapped = copy;
    mapped_size = *size;
    return copy;
}

static uint8_t *small_tree(bool with_reserved, uint32_t room, bool strings_first, uint32_t *size)
{
    struct blob b = { g_byte_array_new(), g_byte_array_new() };

    begin(&b, "");
    prop_cells(&b, "#address-cells", 1, 2);
    prop_cells(&b, "#size-cells", 1, 2);
    cell(b.structs, FDT_NOP);
    prop(&b, "model", "toy", 4);
    if (with_reserved) {
        begin(&b, "reserved-memory");
        prop_cells(&b, "#address-cells", 1, 1);
        prop_cells(&b, "#size-cells", 1, 1);
        prop(&b, "ranges", "", 0);
        begin(&b, "other@90000000");
        prop_cells(&b, "reg", 2, 0x90000000, 0x1000);
        end(&b);
        end(&b);
    }
    begin(&b, "cpus");
    prop_cells(&b, "#address-cells", 1, 1);
    prop_cells(&b, "#size-cells", 1, 0);
    begin(&b, "cpu@5");
    prop_cells(&b, "reg", 1, 5);
    prop(&b, "status", "disabled", 9);
    end(&b);
    end(&b);
    begin(&b, "soc");
    prop_cells(&b, "#address-cells", 1, 2);
    prop_cells(&b, "#size-cells", 1, 2);
    begin(&b, "uart@1");
    prop(&b, "compatible", "maker,uart\0ns16550a", 20);
    prop_cells(&b, "reg", 8, 0, 0x10000000, 0, 0x100, 1, 2, 3, 4);
    end(&b);
    end(&b);
    end(&b);
    return finish(&b, room, strings_first, size);
}

/* -- tests --------------------------------------------------------------------------------------
 */

static void test_read(void)
{
    struct fdt fdt;
    struct fdt_node node;
    struct range r;
    uint32_t size;
    uint8_t *blob = small_tree(false, 0, false, &size);

    g_assert_true(fdt_open(&fdt, (uintptr_t)blob));
    g_assert_true(fdt_find(&fdt, "/", &node));
    g_assert_cmpstr(fdt_string(&fdt, &node, "model"), ==, "toy");
    g_assert_null(fdt_string(&fdt, &node, "no such"));
    g_assert_true(fdt_find(&fdt, "/cpus/cpu@5", &node));
    g_assert_false(fdt_enabled(&fdt, &node));
    g_assert_true(fdt_reg(&fdt, &node, 0, &r));
    g_assert_cmpuint(r.base, ==, 5);
    g_assert_false(fdt_reg(&fdt, &node, 1, &r));
    g_assert_true(fdt_find(&fdt, "/soc/uart@1:115200", &node));
    g_assert_true(fdt_enabled(&fdt, &node));
    g_assert_true(fdt_compatible(&fdt, &node, "ns16550a"));
    g_assert_false(fdt_compatible(&fdt, &node, "ns16550"));
    g_assert_true(fdt_reg(&fdt, &node, 0, &r));
    g_assert_cmpuint(r.base, ==, 0x10000000);
    g_assert_cmpuint(r.size, ==, 0x100);
    g_assert_true(fdt_reg(&fdt, &node, 1, &r));
    g_assert_false(fdt_reg(&fdt, &node, 2, &r));
    g_assert_false(fdt_find(&fdt, "/cpus/uart@1", &node));
    g_assert_false(fdt_find(&fdt, "/soc/uart", &node));
    g_free(blob);
}

static void check_reserved(bool with_reserved, uint32_t room, bool strings_first)
{
    struct range firmware = { 0x80000000, 0x80000 }, r;
    struct fdt fdt, again;
    struct fdt_node node;
    uint32_t size, len;
    uint8_t *blob = small_tree(with_reserved, room, strings_first, &size);

    g_assert_true(fdt_open(&fdt, (uintptr_t)blob));
    g_assert_cmpuint(fdt_reserve_growth(&fdt), <=, 304);
    g_assert_true(fdt_reserve(&fdt, "mmode_resv", firmware));
    mapped_size = load_be32(blob + HEADER_TOTALSIZE);
    g_assert_cmpuint(mapped_size, <=, size + 304);
    if (room >= 304) {
        g_assert_cmpuint(mapped_size, ==, size);
    }
    g_assert_true(fdt_open(&again, (uintptr_t)blob));
    g_assert_true(fdt_find(&again, "/reserved-memory/mmode_resv@80000000", &node));
    g_assert_nonnull(fdt_prop(&again, &node, "no-map", &len));
    g_assert_true(fdt_reg(&again, &node, 0, &r));
    g_assert_cmpuint(r.base, ==, firmware.base);
    g_assert_cmpuint(r.size, ==, firmware.size);
    g_assert_cmpint(fdt_find(&again, "/reserved-memory/other@90000000", &node), ==, with_reserved);
    /* What was there is still there, properties of the root included. */
    g_assert_true(fdt_find(&again, "/", &node));
    g_assert_cmpstr(fdt_string(&again, &node, "model"), ==, "toy");
    g_assert_true(fdt_find(&again, "/soc/uart@1", &node));
    g_assert_true(fdt_compatible(&again, &node, "ns16550a"));
    /* A second time changes nothing. */
    size = mapped_size;
    g_assert_true(fdt_reserve(&again, "mmode_resv", firmware));
    g_assert_cmpuint(load_be32(blob + HEADER_TOTALSIZE), ==, size);
    g_free(blob);
}

static void test_reserve(void)
{
    for (unsigned i = 0; i < 8; i++) {
        check_reserved(i & 1, i & 2 ? 304 : 0, i & 4);
    }
}

static void test_refuse(void)
{
    static const uint32_t fields[] = { 0,
                                       HEADER_TOTALSIZE,
                                       HEADER_STRUCTS,
                                       HEADER_STRINGS,
                                       HEADER_STRINGS_SIZE,
                                       HEADER_STRUCTS_SIZE };
    struct fdt fdt;
    uint32_t size;

    g_assert_false(fdt_open(&fdt, 0));
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++) {
        uint8_t *blob = small_tree(false, 0, false, &size);

        store_be32(blob + fields[i], 0xfffffff0);
        g_assert_false(fdt_open(&fdt, (uintptr_t)blob));
        g_free(blob);
    }
}

/* Reads everything there is, then changes it; only memory errors count. */
static void use(uint8_t *blob)
{
    struct range firmware = { 0x80000000, 0x80000 }, r;
    struct fdt_cursor cursor;
    struct fdt_node node;
    struct fdt fdt;

    if (!fdt_open(&fdt, (uintptr_t)blob)) {
        return;
    }
    for (fdt_start(&cursor, &fdt); fdt_next(&cursor, &node);) {
        fdt_enabled(&fdt, &node);
        fdt_compatible(&fdt, &node, "ns16550a");
        fdt_reg(&fdt, &node, 0, &r);
        fdt_number(&fdt, &node, "reg", 0);
    }
    fdt_find(&fdt, "/soc/uart@1", &node);
    fdt_reserve(&fdt, "mmode_resv", firmware);
}

static void test_damage(void)
{
    uint32_t size;

    for (unsigned round = 0; round < 20000; round++) {
        uint8_t *blob = small_tree(round & 1, 0, round & 2, &size);

        for (int n = g_test_rand_int_range(1, 5); n; n--) {
            uint32_t at = g_test_rand_int_range(0, size);

            blob[at] =
                g_test_rand_bit() ? g_test_rand_int_range(0, 256) : g_test_rand_int_range(0, 12);
        }
        use(blob);
        g_free(blob);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bios-fdt/read", test_read);
    g_test_add_func("/bios-fdt/reserve", test_reserve);
    g_test_add_func("/bios-fdt/refuse", test_refuse);
    g_test_add_func("/bios-fdt/damage", test_damage);
    return g_test_run();
}
