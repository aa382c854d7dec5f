/* Linux bzImage files (Linux: Documentation/arch/x86/boot.rst and zero-page.rst). */
#include "boot.h"

#include <inttypes.h>
#include <string.h>
#include <base/bits.h>
#include <base/error.h>

/* Fields of the setup header and of the zero page, at the same offsets in both. */
enum {
    ACPI_RSDP_ADDR = 0x070,
    E820_ENTRIES = 0x1e8,
    SETUP_SECTS = 0x1f1,
    SYSSIZE = 0x1f4, /* of the protected-mode part, in 16 bytes */
    BOOT_FLAG = 0x1fe,
    JUMP_LENGTH = 0x201,
    MAGIC = 0x202,
    VERSION = 0x206,
    TYPE_OF_LOADER = 0x210,
    LOADFLAGS = 0x211,
    CODE32_START = 0x214,
    RAMDISK_IMAGE = 0x218,
    RAMDISK_SIZE = 0x21c,
    HEAP_END_PTR = 0x224,
    CMD_LINE_PTR = 0x228,
    INITRD_ADDR_MAX = 0x22c,
    KERNEL_ALIGNMENT = 0x230,
    RELOCATABLE = 0x234,
    XLOADFLAGS = 0x236,
    CMDLINE_SIZE = 0x238,
    PAYLOAD_OFFSET = 0x248, /* from the start of the protected-mode part */
    PAYLOAD_LENGTH = 0x24c,
    SETUP_DATA = 0x250,
    PREF_ADDRESS = 0x258,
    INIT_SIZE = 0x260,
    E820_TABLE = 0x2d0,
};

#define ZERO_PAGE         4096
#define E820_MAX          128
#define LOADED_HIGH       0x01
#define CAN_USE_HEAP      0x80
#define KERNEL_64         0x01 /* of XLOADFLAGS */
#define USES_5_LEVELS     0x40
#define LOADER_UNKNOWN    0xff  /* without a number of its own */
#define ENTRY_64          0x200 /* from the start of the protected-mode part */
#define LOAD_ADDR         0x100000
#define HEADER_END_OLDEST 0x220 /* in version 2.02 */

/* struct setup_data */
enum { DATA_NEXT = 0, DATA_TYPE = 8, DATA_LEN = 12, DATA_BYTES = 16 };
#define SETUP_RNG_SEED 9

struct image {
    const uint8_t *p;
    size_t len, setup; /* of all; of the real-mode part */
    unsigned version;
};

static bool check_version(const struct pc_boot *b, const struct image *i, GError **err)
{
    if (i->version < 0x0204 || !(i->p[LOADFLAGS] & LOADED_HIGH))
        return error_set(err, "-kernel: '%s' is too old: boot protocol %u.%02u, 2.04 is needed",
                         b->path, i->version >> 8, i->version & 0xff);
    if (i->setup >= i->len)
        return error_set(err, "-kernel: '%s' ends within its setup code", b->path);
    if (i->len + 15 < i->setup + 16 * (uint64_t)ldl_le(i->p + SYSSIZE))
        return error_set(err, "-kernel: '%s' is truncated: it has %zu bytes of %" PRIu64, b->path,
                         i->len, i->setup + 16 * (uint64_t)ldl_le(i->p + SYSSIZE));
    return true;
}

static bool enters_long(const struct pc_boot *b, const struct image *i)
{
    return i->version >= 0x020c && lduw_le(i->p + XLOADFLAGS) & KERNEL_64 &&
           pc_has_long_mode(b->pc);
}

static const char *append_of(const struct pc_boot *b)
{
    return b->pc->m.cfg.append ? b->pc->m.cfg.append : "";
}

/* Whether the word is on the command line; with `=` at its end, whether one begins so. */
static bool has_word(const char *line, const char *word)
{
    size_t len = strlen(word);
    bool begins = word[len - 1] == '=';

    for (const char *p = line; (p = strstr(p, word)); p += len)
        if ((p == line || p[-1] == ' ') && (begins || !p[len] || p[len] == ' '))
            return true;
    return false;
}

/* Where the CPU can have page tables of five levels, a kernel's own unpacking would choose them. */
static bool wants_la57(const struct pc_boot *b, const struct image *i)
{
    return lduw_le(i->p + XLOADFLAGS) & USES_5_LEVELS && !has_word(append_of(b), "no5lvl");
}

/* How much memory the kernel takes until it can look after itself. */
static bool take_memory(struct pc_boot *b, const struct image *i, GError **err)
{
    uint64_t size = i->len - i->setup;

    b->start = LOAD_ADDR;
    b->end = b->start + size;
    if (i->version >= 0x020a) {
        uint64_t preferred = ldq_le(i->p + PREF_ADDRESS), need = ldl_le(i->p + INIT_SIZE);
        uint64_t from = MAX(LOAD_ADDR, preferred);

        if (from > b->pc->below_4g)
            from = LOAD_ADDR;
        b->end = MAX(b->end, from + need);
    }
    if (b->end > boot_ram_end(b))
        return error_set(err,
                         "-kernel: '%s' needs memory up to 0x%" PRIx64
                         ", free RAM ends at 0x%" PRIx64 "; more -m is needed",
                         b->path, b->end, boot_ram_end(b));
    return rom_add_file(&b->pc->m, b->path, i->setup, i->p + i->setup, size, 0, b->start, err);
}

static void fill_memory_map(struct pc_boot *b, uint8_t *zero)
{
    g_autoptr(GArray) map = pc_memory_map(b->pc, true);
    unsigned n = MIN(map->len, E820_MAX);

    zero[E820_ENTRIES] = (uint8_t)n;
    for (unsigned i = 0; i < n; i++) {
        const struct pc_range *r = &g_array_index(map, struct pc_range, i);
        uint8_t *e = zero + E820_TABLE + 20 * i;

        stq_le(e, r->base);
        stq_le(e + 8, r->size);
        stl_le(e + 16, r->type);
    }
}

static bool put_initrd(struct pc_boot *b, const struct image *i, uint8_t *zero, GError **err)
{
    uint64_t limit = (uint64_t)ldl_le(i->p + INITRD_ADDR_MAX) + 1, addr, size;

    if (!boot_put_initrd(b, limit, &addr, &size, err))
        return false;
    stl_le(zero + RAMDISK_IMAGE, (uint32_t)addr);
    stl_le(zero + RAMDISK_SIZE, (uint32_t)size);
    return true;
}

/* Without a seed, programs that want random numbers early wait for a second or so. */
static bool put_seed(struct pc_boot *b, const struct image *i, uint8_t *zero, GError **err)
{
    uint8_t data[DATA_BYTES + LOADER_SEED] = { 0 };

    if (i->version < 0x0209)
        return true;
    stl_le(data + DATA_TYPE, SETUP_RNG_SEED);
    stl_le(data + DATA_LEN, LOADER_SEED);
    stq_le(zero + SETUP_DATA, BOOT_DATA);
    rom_add_seed(&b->pc->m, BOOT_DATA + DATA_BYTES);
    return boot_put(b, "-kernel: seed", data, sizeof(data), BOOT_DATA, BOOT_STRINGS, err);
}

/* Whether its own code, and nobody else, looks at the command line: at memory that is to be left
 * alone. */
static bool unpacks_itself(const char *append)
{
    static const char *const words[] = { "mem=", "memmap=", "hugepages=", "movable_node" };

    for (unsigned i = 0; i < ARRAY_LEN(words); i++)
        if (has_word(append, words[i]))
            return true;
    return false;
}

/* What is needed to unpack it at each reset, if it is one with 64-bit code. */
static void describe_kernel(struct pc_boot *b, const struct image *i, const char *append,
                            uint64_t initrd)
{
    uint64_t size = i->len - i->setup, offset, len, align, linked;

    if (!enters_long(b, i) || unpacks_itself(append))
        return;
    offset = ldl_le(i->p + PAYLOAD_OFFSET);
    len = ldl_le(i->p + PAYLOAD_LENGTH);
    align = ldl_le(i->p + KERNEL_ALIGNMENT);
    linked = ldq_le(i->p + PREF_ADDRESS);
    if (offset > size || len > size - offset || !is_pow2(align))
        return;
    b->pc->vmlinux = (struct vmlinux){
        .m = &b->pc->m,
        .file = LOAD_ADDR,
        .payload = LOAD_ADDR + offset,
        .payload_len = len,
        .linked = linked,
        .room = ldl_le(i->p + INIT_SIZE),
        .align = align,
        .low = MAX(LOAD_ADDR + size, linked),
        .high = initrd ? initrd : boot_ram_end(b),
        .zero_page = BOOT_INFO,
        .by_chance = i->p[RELOCATABLE] && !has_word(append, "nokaslr"),
    };
}

static bool put_zero_page(struct pc_boot *b, const struct image *i, GError **err)
{
    uint8_t zero[ZERO_PAGE] = { 0 };
    const char *append = append_of(b);
    size_t header_end = MAX(MAGIC + i->p[JUMP_LENGTH], HEADER_END_OLDEST);
    uint64_t cmdline_max = i->version >= 0x0206 ? ldl_le(i->p + CMDLINE_SIZE) : 255;

    memcpy(zero + SETUP_SECTS, i->p + SETUP_SECTS,
           MIN(header_end, MIN(i->len, E820_TABLE)) - SETUP_SECTS);
    zero[TYPE_OF_LOADER] = LOADER_UNKNOWN;
    zero[LOADFLAGS] |= CAN_USE_HEAP;
    stw_le(zero + HEAP_END_PTR, 0xfe00);
    stl_le(zero + CODE32_START, LOAD_ADDR);
    stl_le(zero + CMD_LINE_PTR, BOOT_CMDLINE);
    stq_le(zero + ACPI_RSDP_ADDR, b->rsdp);
    fill_memory_map(b, zero);
    if (!put_initrd(b, i, zero, err))
        return false;
    describe_kernel(b, i, append, ldl_le(zero + RAMDISK_IMAGE));
    return put_seed(b, i, zero, err) && boot_put_cmdline(b, append, cmdline_max, err) &&
           boot_put(b, "-kernel: zero page", zero, sizeof(zero), BOOT_INFO, BOOT_PAGES, err);
}

bool boot_linux(struct pc_boot *b, bool *is, GError **err)
{
    struct image i = { 0 };

    i.p = g_bytes_get_data(b->file, &i.len);
    *is = i.len >= E820_TABLE && lduw_le(i.p + BOOT_FLAG) == 0xaa55 &&
          memcmp(i.p + MAGIC, "HdrS", 4) == 0;
    if (!*is)
        return true;
    i.setup = ((i.p[SETUP_SECTS] ? i.p[SETUP_SECTS] : 4) + 1u) * 512;
    i.version = lduw_le(i.p + VERSION);
    if (!check_version(b, &i, err) || !take_memory(b, &i, err) || !put_zero_page(b, &i, err))
        return false;
    b->state->rsi = BOOT_INFO;
    if (!enters_long(b, &i))
        return boot_enter_protected(b, LOAD_ADDR, err);
    b->pc->boot_la57 = wants_la57(b, &i);
    return boot_enter_long(b, LOAD_ADDR + ENTRY_64, err);
}
