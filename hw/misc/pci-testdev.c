/*
 * pci-testdev (QEMU's docs/specs/pci-testdev): counts the writes that a guest makes to one place,
 * to measure what an access costs. BAR 0 is memory, BAR 1 ports; with membar=SIZE BAR 2 is memory
 * that nobody answers in.
 *
 * A BAR begins with a header: the number of a test is written to byte 0; then it says how the test
 * is done (width, offset, data, count so far, name), or nothing where there is no such test.
 */
#include <inttypes.h>

#include <base/bits.h>
#include <base/error.h>
#include <hw/pci/pci.h>

enum { HDR_TEST = 0, HDR_WIDTH = 1, HDR_OFFSET = 4, HDR_DATA = 8, HDR_COUNT = 12, HDR_NAME = 16 };
enum { NO_TEST = 0xff, NAME_SIZE = 32, BARS = 2 };
enum { MATCHED = 0xfa, ANY = 0xce };

/* Whether other data counts, too. */
static const struct {
    const char *name;
    uint8_t data;
    bool any;
} tests[] = {
    { "no-eventfd", MATCHED, false },
    { "wildcard-eventfd", ANY, true },
    { "datamatch-eventfd", MATCHED, false },
};

static const struct window {
    const char *prefix;
    uint32_t size, target; /* where the writes go: a byte for each test */
} windows[BARS] = { { "mmio-", 4096, 0x800 }, { "portio-", 256, 0x80 } };

struct testdev_bar {
    struct mem_region io;
    const struct window *window;
    uint8_t test;
    uint32_t count;
};

struct testdev {
    struct pci_device pci;
    struct testdev_bar bars[BARS];
    struct mem_region membar;
    uint64_t membar_size;
};

static uint64_t testdev_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct testdev_bar *b = opaque;
    uint8_t header[HDR_NAME + NAME_SIZE] = { 0 };

    if (b->test >= ARRAY_LEN(tests) || offset + size > sizeof(header))
        return 0;
    header[HDR_TEST] = b->test;
    header[HDR_WIDTH] = 1;
    stl_le(header + HDR_OFFSET, b->window->target + b->test);
    stl_le(header + HDR_DATA, tests[b->test].data);
    stl_le(header + HDR_COUNT, b->count);
    g_snprintf((char *)header + HDR_NAME, NAME_SIZE, "%s%s", b->window->prefix,
               tests[b->test].name);
    return ldn_le(header + offset, size);
}

static void testdev_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct testdev_bar *b = opaque;

    (void)size;
    if (offset == HDR_TEST) {
        b->test = value < ARRAY_LEN(tests) ? (uint8_t)value : NO_TEST;
        b->count = 0;
    } else if (b->test < ARRAY_LEN(tests) && offset == b->window->target + b->test) {
        b->count += tests[b->test].any || (uint8_t)value == tests[b->test].data;
    }
}

static const struct io_ops testdev_io = {
    .read = testdev_read, .write = testdev_write, .guest_sizes = { 1, 4 }, .own_sizes = { 1, 4 }
};

static bool testdev_realize(struct device *dev, GError **err)
{
    struct testdev *t = (struct testdev *)dev;

    if (t->membar_size && (t->membar_size < 16 || (t->membar_size & (t->membar_size - 1))))
        return error_set(err, "pci-testdev.membar: %" PRIu64 " is not a power of two from 16 on",
                         t->membar_size);
    for (unsigned i = 0; i < BARS; i++) {
        t->bars[i].window = &windows[i];
        mem_region_init_io(&t->bars[i].io, device_mem(dev), &testdev_io, &t->bars[i], "pci-testdev",
                           windows[i].size);
        pci_add_bar(&t->pci, i, i ? PCI_BAR_IO : PCI_BAR_MEM32, &t->bars[i].io);
    }
    if (t->membar_size) {
        mem_region_init(&t->membar, device_mem(dev), "pci-testdev-membar", t->membar_size);
        pci_add_bar(&t->pci, 2, PCI_BAR_MEM64 | PCI_BAR_PREFETCH, &t->membar);
    }
    return true;
}

static void testdev_unrealize(struct device *dev)
{
    struct testdev *t = (struct testdev *)dev;

    for (unsigned i = 0; i < BARS; i++)
        mem_region_destroy(&t->bars[i].io);
    mem_region_destroy(&t->membar);
}

static void testdev_reset(struct device *dev)
{
    struct testdev *t = (struct testdev *)dev;

    for (unsigned i = 0; i < BARS; i++) {
        t->bars[i].test = NO_TEST;
        t->bars[i].count = 0;
    }
}

static const struct state_field bar_fields[] = { STATE_U8(struct testdev_bar, test),
                                                 STATE_U32(struct testdev_bar, count), STATE_END };
static const struct state_table bar_state = { .name = "pci-testdev-bar",
                                              .version = 1,
                                              .fields = bar_fields };

static const struct state_field testdev_fields[] = {
    STATE_STRUCT_ARRAY(struct testdev, bars, bar_state), STATE_END
};
static const struct state_table testdev_state = { .name = "pci-testdev",
                                                  .version = 1,
                                                  .fields = testdev_fields };

static const struct prop testdev_props[] = { PROP_SIZE(struct testdev, membar_size, "membar", 0,
                                                       "bytes of a third BAR; 0: there is none"),
                                             PROP_LIST_END };

static const struct pci_info testdev_info = {
    .vendor = 0x1b36,
    .device = 0x0005,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = { 0x00, 0xff, 0x00 },
};

const struct device_type pci_testdev_type = {
    .name = "pci-testdev",
    .help = "counts a guest's writes, for tests",
    .bus = BUS_PCI,
    .size = sizeof(struct testdev),
    .category = "misc",
    .realize = testdev_realize,
    .reset = testdev_reset,
    .unrealize = testdev_unrealize,
    .props = testdev_props,
    .state = &testdev_state,
    .bus_info = &testdev_info,
};
