/*
 * fw_cfg (QEMU's docs/specs/fw_cfg). Over MMIO: data at 0 (1 to 8 bytes), selector at 8 (16 bits,
 * big-endian), DMA address at 16 (64 bits, big-endian). At I/O ports: selector at 0 (16 bits,
 * little-endian), data at 1 (a byte), and at 4 the DMA address as over MMIO.
 */
#include <hw/misc/fw_cfg.h>

#include <base/bits.h>
#include <base/bug.h>
#include <base/error.h>
#include <base/log.h>
#include <hw/core/machine.h>

#define FILES_MAX    64
#define NAME_MAX_LEN 56
#define DIR_ENTRY    64
#define KEY_NONE     0xffff

enum { REG_DATA = 0, REG_SELECT = 8, REG_DMA = 16 };
enum { PORT_SELECT = 0, PORT_DATA = 1, PORT_DMA = 4 };

/* Control word of the DMA structure. */
#define DMA_ERROR  0x01
#define DMA_READ   0x02
#define DMA_SKIP   0x04
#define DMA_SELECT 0x08
#define DMA_WRITE  0x10

#define DMA_SIGNATURE  UINT64_C(0x51454d5520434647) /* "QEMU CFG" */
#define ID_TRADITIONAL 1
#define ID_DMA         2

struct item {
    uint16_t key;
    GByteArray *data;
    bool writable;
    fw_cfg_select_fn *select;
    void *opaque;
};

struct file {
    char *name;
    struct item item;
};

struct fw_cfg {
    struct device dev;
    struct mem_region io; /* all of MMIO; selector and data at ports */
    struct mem_region dma_io;
    GArray *items;    /* of struct item; made with the first */
    GPtrArray *files; /* of struct file, sorted by name; keys follow that order */
    uint16_t key;     /* selected */
    uint32_t offset;  /* next byte of the selected item */
    uint64_t dma;     /* address being put together */
};

static void item_clear(void *p)
{
    g_byte_array_free(((struct item *)p)->data, TRUE);
}

static void file_free(void *p)
{
    struct file *f = p;

    item_clear(&f->item);
    g_free(f->name);
    g_free(f);
}

static void need_lists(struct fw_cfg *c)
{
    if (c->items)
        return;
    c->items = g_array_new(FALSE, FALSE, sizeof(struct item));
    g_array_set_clear_func(c->items, item_clear);
    c->files = g_ptr_array_new_with_free_func(file_free);
}

static GByteArray *bytes(const void *data, size_t len)
{
    GByteArray *a = g_byte_array_sized_new((guint)len);

    return g_byte_array_append(a, data, (guint)len);
}

static struct item *find_item(struct fw_cfg *c, uint16_t key)
{
    for (unsigned i = 0; i < c->items->len; i++) {
        struct item *it = &g_array_index(c->items, struct item, i);

        if (it->key == key)
            return it;
    }
    if (key >= FW_CFG_FILE_FIRST && key - FW_CFG_FILE_FIRST < (int)c->files->len)
        return &((struct file *)g_ptr_array_index(c->files, key - FW_CFG_FILE_FIRST))->item;
    return NULL;
}

void fw_cfg_add_bytes(struct device *dev, uint16_t key, const void *data, size_t len)
{
    struct fw_cfg *c = (struct fw_cfg *)dev;
    struct item it = { .key = key, .data = bytes(data, len) };

    need_lists(c);
    bug_on(find_item(c, key));
    g_array_append_val(c->items, it);
}

void fw_cfg_add_u16(struct device *dev, uint16_t key, uint16_t v)
{
    uint8_t b[2];

    stw_le(b, v);
    fw_cfg_add_bytes(dev, key, b, sizeof(b));
}

void fw_cfg_add_u32(struct device *dev, uint16_t key, uint32_t v)
{
    uint8_t b[4];

    stl_le(b, v);
    fw_cfg_add_bytes(dev, key, b, sizeof(b));
}

void fw_cfg_add_u64(struct device *dev, uint16_t key, uint64_t v)
{
    uint8_t b[8];

    stq_le(b, v);
    fw_cfg_add_bytes(dev, key, b, sizeof(b));
}

void fw_cfg_add_string(struct device *dev, uint16_t key, const char *s)
{
    fw_cfg_add_bytes(dev, key, s, strlen(s) + 1);
}

/* Directory: big-endian count, then entries of size, key, reserved, name. */
static void rebuild_directory(struct fw_cfg *c)
{
    GByteArray *dir = find_item(c, FW_CFG_FILE_DIR)->data;

    g_byte_array_set_size(dir, 4 + c->files->len * DIR_ENTRY);
    memset(dir->data, 0, dir->len);
    stl_be(dir->data, c->files->len);
    for (unsigned i = 0; i < c->files->len; i++) {
        struct file *f = g_ptr_array_index(c->files, i);
        uint8_t *e = dir->data + 4 + i * DIR_ENTRY;

        f->item.key = (uint16_t)(FW_CFG_FILE_FIRST + i);
        stl_be(e, f->item.data->len);
        stw_be(e + 4, f->item.key);
        g_strlcpy((char *)e + 8, f->name, NAME_MAX_LEN);
    }
}

void fw_cfg_add_file_callback(struct device *dev, const char *name, const void *data, size_t len,
                              bool writable, fw_cfg_select_fn *fn, void *opaque)
{
    struct fw_cfg *c = (struct fw_cfg *)dev;
    struct file *f = g_new0(struct file, 1);
    unsigned i = 0;

    need_lists(c);
    bug_on(strlen(name) >= NAME_MAX_LEN || c->files->len == FILES_MAX);
    if (!find_item(c, FW_CFG_FILE_DIR))
        fw_cfg_add_bytes(dev, FW_CFG_FILE_DIR, "", 0);
    f->name = g_strdup(name);
    f->item = (struct item){
        .data = bytes(data, len), .writable = writable, .select = fn, .opaque = opaque
    };
    for (; i < c->files->len; i++) {
        int order = strcmp(((struct file *)g_ptr_array_index(c->files, i))->name, name);

        bug_on(order == 0);
        if (order > 0)
            break;
    }
    g_ptr_array_insert(c->files, (int)i, f);
    rebuild_directory(c);
}

void fw_cfg_add_file(struct device *dev, const char *name, const void *data, size_t len)
{
    fw_cfg_add_file_callback(dev, name, data, len, false, NULL, NULL);
}

bool fw_cfg_replace_file(struct device *dev, const char *name, const void *data, size_t len)
{
    struct fw_cfg *c = (struct fw_cfg *)dev;

    need_lists(c);
    for (unsigned i = 0; i < c->files->len; i++) {
        struct file *f = g_ptr_array_index(c->files, i);

        if (strcmp(f->name, name) == 0) {
            g_byte_array_set_size(f->item.data, 0);
            g_byte_array_append(f->item.data, data, (guint)len);
            rebuild_directory(c);
            return true;
        }
    }
    return false;
}

bool fw_cfg_read_file(struct device *dev, const char *name, void *buf, size_t len)
{
    struct fw_cfg *c = (struct fw_cfg *)dev;

    need_lists(c);
    for (unsigned i = 0; i < c->files->len; i++) {
        const struct file *f = g_ptr_array_index(c->files, i);

        if (strcmp(f->name, name) != 0 || f->item.data->len < len)
            continue;
        memcpy(buf, f->item.data->data, len);
        return true;
    }
    return false;
}

static void select_item(struct fw_cfg *c, uint16_t key)
{
    struct item *it = find_item(c, key);

    c->offset = 0;
    c->key = it ? key : KEY_NONE;
    if (it && it->select)
        it->select(it->opaque);
}

/* Bytes from the current offset on; past the end zeroes. */
static void take(struct fw_cfg *c, uint8_t *buf, uint32_t len)
{
    const struct item *it = find_item(c, c->key);
    uint32_t left = it && c->offset < it->data->len ? it->data->len - c->offset : 0;
    uint32_t n = MIN(len, left);

    memset(buf + n, 0, len - n);
    if (n)
        memcpy(buf, it->data->data + c->offset, n);
    c->offset = c->offset > UINT32_MAX - len ? UINT32_MAX : c->offset + len;
}

/* ---- DMA ------------------------------------------------------------------------------------- */

static bool dma_read(struct fw_cfg *c, uint64_t addr, uint32_t len)
{
    uint8_t chunk[4096];

    /* Longer than memory is no buffer, and would hold up the machine for seconds. */
    if (len > c->dev.machine->cfg.ram_size)
        return false;
    while (len) {
        uint32_t n = MIN(len, sizeof(chunk));

        take(c, chunk, n);
        if (space_write(&c->dev.machine->memory, addr, chunk, n, 0) != MEM_OK)
            return false;
        addr += n;
        len -= n;
    }
    return true;
}

static bool dma_write(struct fw_cfg *c, uint64_t addr, uint32_t len)
{
    struct item *it = find_item(c, c->key);

    if (!it || !it->writable || c->offset > it->data->len || len > it->data->len - c->offset)
        return false;
    if (space_read(&c->dev.machine->memory, addr, it->data->data + c->offset, len, 0) != MEM_OK)
        return false;
    c->offset += len;
    return true;
}

/* Structure in guest memory, big-endian: control, length, address. */
static void run_dma(struct fw_cfg *c, uint64_t at)
{
    struct address_space *as = &c->dev.machine->memory;
    uint32_t control, len;
    uint64_t addr;
    uint8_t b[16];
    bool ok = true;

    if (space_read(as, at, b, sizeof(b), 0) != MEM_OK) {
        log_guest_error("fw_cfg: DMA structure at 0x%" G_GINT64_MODIFIER "x is not memory\n", at);
        return;
    }
    control = ldl_be(b);
    len = ldl_be(b + 4);
    addr = ldq_be(b + 8);
    if (control & DMA_SELECT)
        select_item(c, (uint16_t)(control >> 16));
    if (control & DMA_READ)
        ok = dma_read(c, addr, len);
    else if (control & DMA_WRITE)
        ok = dma_write(c, addr, len);
    else if (control & DMA_SKIP)
        c->offset = c->offset > UINT32_MAX - len ? UINT32_MAX : c->offset + len;
    space_st32_be(as, at, ok ? 0 : DMA_ERROR, 0);
}

/* ---- registers ------------------------------------------------------------------------------- */

/* Numbers are those of the bytes in memory order, first byte highest. */
static uint64_t read_data(struct fw_cfg *c, unsigned size)
{
    uint8_t b[8] = { 0 };
    uint64_t v = 0;

    take(c, b, size);
    for (unsigned i = 0; i < size; i++)
        v = v << 8 | b[i];
    return v;
}

static uint64_t dma_reg_read(void *opaque, uint64_t offset, unsigned size)
{
    uint8_t b[8];
    uint64_t v = 0;

    (void)opaque;
    stq_be(b, DMA_SIGNATURE);
    for (unsigned i = 0; i < size; i++)
        v = v << 8 | b[(offset + i) & 7];
    return v;
}

static void dma_reg_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct fw_cfg *c = opaque;

    if (offset == 0 && size == 8) {
        run_dma(c, value);
    } else if (offset == 0 && size == 4) {
        c->dma = value << 32;
    } else if (offset == 4 && size == 4) {
        uint64_t at = c->dma | value;

        c->dma = 0;
        run_dma(c, at);
    } else {
        log_guest_error("fw_cfg: write of %u bytes at 0x%x of the DMA address\n", size,
                        (unsigned)offset);
    }
}

static const struct io_ops dma_io = {
    .read = dma_reg_read,
    .write = dma_reg_write,
    .endian = IO_BIG,
};

static uint64_t fw_cfg_read(void *opaque, uint64_t offset, unsigned size)
{
    if (offset >= REG_DMA)
        return dma_reg_read(opaque, offset - REG_DMA, size);
    return offset < REG_SELECT ? read_data(opaque, size) : 0;
}

static void fw_cfg_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct fw_cfg *c = opaque;

    if (offset == REG_SELECT && size == 2)
        select_item(c, (uint16_t)value);
    else if (offset >= REG_DMA)
        dma_reg_write(c, offset - REG_DMA, value, size);
    else
        log_guest_error("fw_cfg: write of %u bytes at 0x%x\n", size, (unsigned)offset);
}

static const struct io_ops fw_cfg_io = {
    .read = fw_cfg_read,
    .write = fw_cfg_write,
    .endian = IO_BIG,
};

static uint64_t port_read(void *opaque, uint64_t offset, unsigned size)
{
    return offset == PORT_DATA && size == 1 ? read_data(opaque, 1) : 0;
}

static void port_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    if (offset == PORT_SELECT && size == 2)
        select_item(opaque, (uint16_t)value);
    else
        log_guest_error("fw_cfg: write of %u bytes at port 0x%x\n", size, (unsigned)offset);
}

static const struct io_ops port_io = { .read = port_read,
                                       .write = port_write,
                                       .guest_sizes = { 1, 2 } };

static void add_standard_items(struct fw_cfg *c)
{
    struct device *dev = &c->dev;

    fw_cfg_add_bytes(dev, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_add_u32(dev, FW_CFG_ID, ID_TRADITIONAL | ID_DMA);
    fw_cfg_add_bytes(dev, FW_CFG_UUID, dev->machine->cfg.uuid, 16);
    fw_cfg_add_u64(dev, FW_CFG_RAM_SIZE, dev->machine->cfg.ram_size);
    if (!find_item(c, FW_CFG_FILE_DIR)) {
        uint8_t none[4] = { 0 };

        fw_cfg_add_bytes(dev, FW_CFG_FILE_DIR, none, sizeof(none));
    }
    c->key = KEY_NONE;
}

static bool fw_cfg_mem_realize(struct device *dev, GError **err)
{
    struct fw_cfg *c = (struct fw_cfg *)dev;

    (void)err;
    add_standard_items(c);
    mem_region_init_io(&c->io, device_mem(dev), &fw_cfg_io, c, "fw_cfg", 0x18);
    device_add_region(dev, &c->io);
    return true;
}

static bool fw_cfg_io_realize(struct device *dev, GError **err)
{
    struct fw_cfg *c = (struct fw_cfg *)dev;
    struct machine *m = dev->machine;

    (void)err;
    add_standard_items(c);
    mem_region_init_io(&c->io, m->mem, &port_io, c, "fwcfg", 2);
    mem_region_init_io(&c->dma_io, m->mem, &dma_io, c, "fwcfg.dma", 8);
    mem_region_add(&m->io, FW_CFG_PORT, &c->io);
    mem_region_add(&m->io, FW_CFG_PORT + PORT_DMA, &c->dma_io);
    return true;
}

static void fw_cfg_unrealize(struct device *dev)
{
    struct fw_cfg *c = (struct fw_cfg *)dev;

    mem_region_destroy(&c->io);
    mem_region_destroy(&c->dma_io);
    g_array_free(c->items, TRUE);
    g_ptr_array_free(c->files, TRUE);
}

static void fw_cfg_reset(struct device *dev)
{
    struct fw_cfg *c = (struct fw_cfg *)dev;

    select_item(c, FW_CFG_SIGNATURE);
    c->dma = 0;
}

static const struct state_field fw_cfg_fields[] = { STATE_U16(struct fw_cfg, key),
                                                    STATE_U32(struct fw_cfg, offset),
                                                    STATE_U64(struct fw_cfg, dma), STATE_END };
static const struct state_table fw_cfg_state = { .name = "fw_cfg",
                                                 .version = 1,
                                                 .fields = fw_cfg_fields };

const struct device_type fw_cfg_mem_type = {
    .name = "fw_cfg_mem",
    .help = "firmware configuration store",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct fw_cfg),
    .internal = true,
    .category = "misc",
    .realize = fw_cfg_mem_realize,
    .reset = fw_cfg_reset,
    .unrealize = fw_cfg_unrealize,
    .state = &fw_cfg_state,
};

const struct device_type fw_cfg_io_type = {
    .name = "fw_cfg_io",
    .help = "firmware configuration store at I/O ports",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct fw_cfg),
    .internal = true,
    .category = "misc",
    .realize = fw_cfg_io_realize,
    .reset = fw_cfg_reset,
    .unrealize = fw_cfg_unrealize,
    .state = &fw_cfg_state,
};
