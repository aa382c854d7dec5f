/*
 * Parallel NOR flash with the Intel/Sharp command set (CFI publication 100,
 * JEDEC JESD68.01; Intel StrataFlash J3 datasheet for commands and status).
 * Reads come straight from memory while the chips are in array mode. Chips side
 * by side make a bank as wide as the bus (two of 16 bits one of 32); commands,
 * status and query data show in all lanes. The size need not be a power of two:
 * PCs join banks of any number of blocks.
 *
 * Regions: 0 the bank; 1 its last 128 KiB once more, for boards where a processor
 * starts below 1 MiB.
 *
 * A bank with a drive keeps its contents there; one without forgets them with
 * the machine.
 */
#include <base/bits.h>
#include <base/error.h>
#include <base/log.h>
#include <block/block.h>
#include <hw/core/machine.h>
#include <inttypes.h>
#include <string.h>

#define CHIPS_MAX    2
#define BUFFER_BITS  11 /* bytes a chip programs at once, log2 */
#define BUFFER_MAX   (CHIPS_MAX << BUFFER_BITS)
#define TOP_SIZE     0x20000
#define CFI_SIZE     0x52
#define MANUFACTURER 0x89 /* Intel */
#define CHIP_ID      0x18 /* 28F128J3 */

enum command {
    CMD_ARRAY = 0xff,
    CMD_ID = 0x90,
    CMD_QUERY = 0x98,
    CMD_STATUS = 0x70,
    CMD_CLEAR_STATUS = 0x50,
    CMD_PROGRAM = 0x40,
    CMD_PROGRAM_ALT = 0x10,
    CMD_ERASE = 0x20,
    CMD_BUFFER = 0xe8,
    CMD_LOCK = 0x60,
    CMD_CONFIRM = 0xd0,
    CMD_LOCK_SET = 0x01,
    CMD_LOCK_DOWN = 0x2f,
    CMD_AMD_RESET = 0xf0,
};

#define STATUS_READY   0x80
#define STATUS_ERASE   0x20 /* erase failed; with PROGRAM: wrong command sequence */
#define STATUS_PROGRAM 0x10
#define STATUS_LOCKED  0x02

/* What the next write is. */
enum phase { PHASE_COMMAND, PHASE_ARGUMENT, PHASE_DATA, PHASE_CONFIRM };

struct pflash {
    struct device dev;
    struct mem_region region, top;
    struct block *drive;
    uint64_t size;   /* bytes of the bank */
    uint32_t sector; /* bytes of an erase block of the bank */
    uint32_t width;  /* bytes of the bus */
    uint32_t chip_width;
    bool readonly;

    uint8_t command; /* last one; says what reads show */
    uint8_t phase;
    uint8_t status;
    uint32_t left;        /* bus words of a buffer still to come */
    uint64_t buffer_base; /* where the buffer goes, RAM offset */
    uint8_t buffer[BUFFER_MAX];
    uint8_t cfi[CFI_SIZE];
};

static uint32_t chips(const struct pflash *f)
{
    return f->width / f->chip_width;
}

/* Bytes that the bank programs at once. */
static uint32_t buffer_size(const struct pflash *f)
{
    return chips(f) << BUFFER_BITS;
}

/* ---- contents
 * --------------------------------------------------------------------------------
 */

/* Tells readers of the memory, and the drive, of a change. */
static void changed(struct pflash *f, uint64_t offset, uint64_t len)
{
    struct ram_block *b = f->region.ram;
    int e;

    ram_written(b->ram, b->base + offset, len);
    e = f->drive ? block_write_now(f->drive, offset, b->host + offset, len) : 0;
    if (e) {
        log_printf(LOG_DEVICE, "pflash: %s: write: %s\n", block_id(f->drive), g_strerror(e));
        f->status |= STATUS_PROGRAM;
    }
}

static bool writable(struct pflash *f, uint8_t error)
{
    if (f->readonly)
        f->status |= STATUS_LOCKED | error;
    return !f->readonly;
}

/* Programming takes ones to zeroes, never back. */
static void program(struct pflash *f, uint64_t offset, const uint8_t *data, uint64_t len)
{
    uint8_t *p = f->region.ram->host + offset;

    if (!writable(f, STATUS_PROGRAM))
        return;
    for (uint64_t i = 0; i < len; i++)
        p[i] &= data[i];
    changed(f, offset, len);
}

static void erase(struct pflash *f, uint64_t offset)
{
    uint64_t start = offset - offset % f->sector;

    if (!writable(f, STATUS_ERASE))
        return;
    memset(f->region.ram->host + start, 0xff, f->sector);
    changed(f, start, f->sector);
}

/* ---- reads
 * -----------------------------------------------------------------------------------
 */

static void set_mode(struct pflash *f, uint8_t command)
{
    f->command = command;
    mem_region_set_direct(&f->region, command == CMD_ARRAY);
}

/* A chip's answer in the lanes of all chips, cut to what the access covers. */
static uint64_t in_lanes(const struct pflash *f, uint8_t v, uint64_t offset, unsigned size)
{
    uint64_t word = 0;

    for (unsigned i = 0; i < sizeof(word); i += f->chip_width)
        word |= (uint64_t)v << (i * 8);
    return word >> ((offset % f->width) * 8) & mask64(size * 8);
}

static uint8_t id_byte(unsigned index)
{
    switch (index) {
    case 0: return MANUFACTURER;
    case 1: return CHIP_ID;
    default: return 0; /* no block is locked */
    }
}

static uint64_t pflash_read(void *opaque, uint64_t offset, unsigned size)
{
    struct pflash *f = opaque;
    unsigned index = offset / f->width & 0xff;

    switch (f->command) {
    case CMD_ARRAY: return ldn_le(f->region.ram->host + offset, size);
    case CMD_ID: return in_lanes(f, id_byte(index), offset, size);
    case CMD_QUERY: return in_lanes(f, index < CFI_SIZE ? f->cfi[index] : 0, offset, size);
    default: return in_lanes(f, f->status, offset, size);
    }
}

/* ---- writes
 * ----------------------------------------------------------------------------------
 */

static void sequence_error(struct pflash *f)
{
    f->status |= STATUS_ERASE | STATUS_PROGRAM;
    f->phase = PHASE_COMMAND;
    log_guest_error("pflash: write that does not fit command 0x%02x\n", f->command);
}

static void write_command(struct pflash *f, uint64_t offset, uint8_t v)
{
    switch (v) {
    case CMD_ARRAY:
    case CMD_AMD_RESET: set_mode(f, CMD_ARRAY); return;
    case CMD_CLEAR_STATUS:
        /* All of it, as QEMU's does until the next operation: OVMF tells flash from RAM so. */
        f->status = 0;
        set_mode(f, CMD_ARRAY);
        return;
    case CMD_ID:
    case CMD_QUERY:
    case CMD_STATUS: set_mode(f, v); return;
    case CMD_BUFFER:
        memset(f->buffer, 0xff, sizeof(f->buffer));
        f->buffer_base = offset - offset % buffer_size(f);
        break;
    case CMD_PROGRAM:
    case CMD_PROGRAM_ALT:
    case CMD_ERASE:
    case CMD_LOCK: break;
    default:
        log_guest_error("pflash: unknown command 0x%02x\n", v);
        set_mode(f, CMD_ARRAY);
        return;
    }
    f->status |= STATUS_READY;
    set_mode(f, v);
    f->phase = PHASE_ARGUMENT;
}

/* The second write of a command. */
static void write_argument(struct pflash *f, uint64_t offset, uint64_t value, unsigned size)
{
    uint8_t data[8], v = (uint8_t)value;

    f->phase = PHASE_COMMAND;
    switch (f->command) {
    case CMD_PROGRAM:
    case CMD_PROGRAM_ALT:
        stn_le(data, size, value);
        program(f, offset, data, size);
        return;
    case CMD_ERASE:
        if (v == CMD_CONFIRM)
            erase(f, offset);
        else
            sequence_error(f);
        return;
    case CMD_BUFFER:
        f->left = (value & 0xffff) + 1; /* words of a chip, less 1 */
        f->phase = PHASE_DATA;
        if (f->left > buffer_size(f) / f->width)
            sequence_error(f);
        return;
    default: /* CMD_LOCK: blocks are never locked, but the sequence is followed */
        if (v != CMD_CONFIRM && v != CMD_LOCK_SET && v != CMD_LOCK_DOWN)
            sequence_error(f);
    }
}

static void write_data(struct pflash *f, uint64_t offset, uint64_t value, unsigned size)
{
    if (f->buffer_base != offset - offset % buffer_size(f)) {
        /* the first word says which buffer-sized page is meant, the others stay in
         * it */
        for (unsigned i = 0; i < buffer_size(f); i++) {
            if (f->buffer[i] != 0xff) {
                sequence_error(f);
                return;
            }
        }
        f->buffer_base = offset - offset % buffer_size(f);
    }
    stn_le(f->buffer + offset % buffer_size(f), size, value);
    if (!--f->left)
        f->phase = PHASE_CONFIRM;
}

static void write_confirm(struct pflash *f, uint8_t v)
{
    if (v != CMD_CONFIRM) {
        sequence_error(f);
        return;
    }
    f->phase = PHASE_COMMAND;
    program(f, f->buffer_base, f->buffer, buffer_size(f));
}

static void pflash_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct pflash *f = opaque;

    switch ((enum phase)f->phase) {
    case PHASE_COMMAND: write_command(f, offset, (uint8_t)value); break;
    case PHASE_ARGUMENT: write_argument(f, offset, value, size); break;
    case PHASE_DATA: write_data(f, offset, value, size); break;
    case PHASE_CONFIRM: write_confirm(f, (uint8_t)value); break;
    }
}

static const struct io_ops pflash_io = {
    .read = pflash_read,
    .write = pflash_write,
    .own_sizes = { 1, 4 },
};

/* ---- life
 * ------------------------------------------------------------------------------------
 */

static uint8_t log2_up(uint64_t n)
{
    return n > 1 ? (uint8_t)(64 - clz64(n - 1)) : 0;
}

/* CFI query data of one chip (JESD68.01, table 1 to 4). */
static void make_cfi(struct pflash *f)
{
    const uint32_t chip_sector = f->sector / chips(f);
    const uint32_t blocks = (uint32_t)(f->size / f->sector);
    uint8_t *c = f->cfi;

    memcpy(c + 0x10, "QRY", 3);
    stw_le(c + 0x13, 0x0001); /* Intel/Sharp extended command set */
    stw_le(c + 0x15, 0x0031); /* its table */
    c[0x1b] = 0x27;           /* Vcc 2.7 to 3.6 V */
    c[0x1c] = 0x36;
    c[0x1f] = 7; /* typical times as powers of two: word, buffer (us), erase (ms) */
    c[0x20] = 7;
    c[0x21] = 10;
    c[0x23] = 2; /* at most so many times longer, powers of two */
    c[0x24] = 2;
    c[0x25] = 2;
    c[0x27] = log2_up(f->size / chips(f));
    stw_le(c + 0x28, f->chip_width == 2); /* x8 or x16 */
    stw_le(c + 0x2a, BUFFER_BITS);
    c[0x2c] = 1; /* one region of equal blocks */
    stw_le(c + 0x2d, (uint16_t)(blocks - 1));
    stw_le(c + 0x2f, (uint16_t)(chip_sector >> 8));
    memcpy(c + 0x31, "PRI10", 5);
    c[0x3d] = 0x33; /* best Vcc 3.3 V; no features, no protection registers */
}

static bool load_contents(struct pflash *f, GError **err)
{
    int e;

    if (block_size(f->drive) != f->size)
        return error_set(err,
                         "pflash: drive '%s' has %" PRIu64 " bytes, the flash bank has %" PRIu64,
                         block_id(f->drive), block_size(f->drive), f->size);
    if (!block_attach(f->drive, f->dev.path, err))
        return false;
    e = block_read_now(f->drive, 0, f->region.ram->host, f->size);
    if (!e)
        return true;
    block_detach(f->drive);
    return error_set_errno(err, e, "pflash: drive '%s'", block_id(f->drive));
}

static bool pflash_realize(struct device *dev, GError **err)
{
    struct pflash *f = (struct pflash *)dev;

    if (f->chip_width > f->width || !is_pow2(f->width) || !is_pow2(f->chip_width) ||
        chips(f) > CHIPS_MAX)
        return error_set(err, "pflash: width %u is not one or two times device-width %u", f->width,
                         f->chip_width);
    if (!is_pow2(f->sector) || f->sector < buffer_size(f))
        return error_set(err, "pflash: sector-length %u is not a power of two from %u on",
                         f->sector, buffer_size(f));
    if (!f->size || f->size % f->sector)
        return error_set(err, "pflash: size %" PRIu64 " is not a multiple of the sector-length %u",
                         f->size, f->sector);
    if (!mem_region_init_rom_device(&f->region, device_mem(dev), &pflash_io, f, dev->path + 9,
                                    f->size, err))
        return false;
    if (f->drive && !load_contents(f, err)) {
        mem_region_destroy(&f->region);
        return false;
    }
    f->readonly = f->drive && block_readonly(f->drive);
    f->command = CMD_ARRAY;
    make_cfi(f);
    mem_region_init_alias(&f->top, device_mem(dev), "top", &f->region,
                          f->size - MIN(f->size, TOP_SIZE), MIN(f->size, TOP_SIZE));
    device_add_region(dev, &f->region);
    device_add_region(dev, &f->top);
    return true;
}

static void pflash_unrealize(struct device *dev)
{
    struct pflash *f = (struct pflash *)dev;

    mem_region_destroy(&f->top);
    mem_region_destroy(&f->region);
    if (f->drive)
        block_detach(f->drive);
}

static void pflash_reset(struct device *dev)
{
    struct pflash *f = (struct pflash *)dev;

    f->phase = PHASE_COMMAND;
    f->status = STATUS_READY;
    f->left = 0;
    set_mode(f, CMD_ARRAY);
}

static bool pflash_loaded(void *obj, unsigned version, GError **err)
{
    struct pflash *f = obj;

    (void)version;
    if (f->phase > PHASE_CONFIRM || f->buffer_base % buffer_size(f) || f->buffer_base >= f->size ||
        (f->phase == PHASE_DATA && (!f->left || f->left > buffer_size(f) / f->width)))
        return error_set(err, "saved state: pflash: a value is out of range");
    set_mode(f, f->command);
    return true;
}

static const struct state_field pflash_fields[] = { STATE_U8(struct pflash, command),
                                                    STATE_U8(struct pflash, phase),
                                                    STATE_U8(struct pflash, status),
                                                    STATE_U32(struct pflash, left),
                                                    STATE_U64(struct pflash, buffer_base),
                                                    STATE_BUF(struct pflash, buffer),
                                                    STATE_END };
static const struct state_table pflash_state = {
    .name = "cfi.pflash01", .version = 1, .fields = pflash_fields, .post_load = pflash_loaded
};

static const struct prop pflash_props[] = {
    PROP_DRIVE(struct pflash, drive, "drive", "what the flash keeps its contents in"),
    PROP_SIZE(struct pflash, size, "size", 32 << 20, "bytes of the bank", .min = 1 << 12,
              .max = 1 << 30),
    PROP_U32(struct pflash, sector, "sector-length", 256 << 10, "bytes of an erase block"),
    PROP_U32(struct pflash, width, "width", 4, "bytes of the bus", .min = 1, .max = 4),
    PROP_U32(struct pflash, chip_width, "device-width", 2, "bytes of a chip's bus", .min = 1,
             .max = 2),
    PROP_LIST_END
};

const struct device_type pflash_cfi01_type = {
    .name = "cfi.pflash01",
    .help = "parallel NOR flash, Intel command set",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct pflash),
    .internal = true,
    .category = "storage",
    .realize = pflash_realize,
    .reset = pflash_reset,
    .unrealize = pflash_unrealize,
    .props = pflash_props,
    .state = &pflash_state,
};
