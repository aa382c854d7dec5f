/* Multiboot kernels (Multiboot Specification 0.6.96), with modules of -initrd "file args,file". */
#include "boot.h"

#include <inttypes.h>
#include <string.h>
#include <base/bits.h>
#include <base/error.h>

#define SEARCH       8192
#define HEADER_MAGIC 0x1badb002
#define ENTRY_MAGIC  0x2badb002
#define FLAG_ADDRESS (1u << 16) /* the header says where the image goes */
#define FLAG_REFUSED 0xfff8u    /* demands that nobody has defined, beyond alignment, map, video */
#define PAGE         4096
#define INFO_SIZE    116
#define MODULE_ENTRY 16
#define MAP_ENTRY    24
#define MODULES_MAX  64
#define LOADER_NAME  "myna"

/* flags of the information */
#define INFO_MEMORY  0x001
#define INFO_CMDLINE 0x004
#define INFO_MODULES 0x008
#define INFO_MAP     0x040
#define INFO_LOADER  0x200

struct mb {
    struct pc_boot *b;
    const uint8_t *p;
    size_t len, header;
    uint32_t entry;
    uint8_t info[INFO_SIZE];
    GByteArray *strings; /* at BOOT_STRINGS */
    GByteArray *modules; /* their list */
};

static bool find_header(struct mb *m)
{
    for (size_t i = 0; i + 12 <= MIN(m->len, SEARCH); i += 4) {
        uint32_t magic = ldl_le(m->p + i), flags = ldl_le(m->p + i + 4);

        if (magic == HEADER_MAGIC && magic + flags + ldl_le(m->p + i + 8) == 0 &&
            (!(flags & FLAG_ADDRESS) || i + 32 <= m->len)) {
            m->header = i;
            return true;
        }
    }
    return false;
}

/* The header's own addresses: 3.1.3. */
static bool load_by_header(struct mb *m, GError **err)
{
    const uint8_t *h = m->p + m->header;
    uint64_t header = ldl_le(h + 12), load = ldl_le(h + 16), load_end = ldl_le(h + 20),
             bss_end = ldl_le(h + 24), from, size;

    if (load > header || header - load > m->header)
        return error_set(err,
                         "-kernel: '%s': the multiboot header's load address 0x%" PRIx64
                         " does not fit its own 0x%" PRIx64,
                         m->b->path, load, header);
    from = m->header - (header - load);
    size = load_end ? load_end - load : m->len - from;
    if (load_end && load_end < load)
        return error_set(err, "-kernel: '%s': the multiboot header ends before it begins",
                         m->b->path);
    if (size > m->len - from)
        return error_set(err, "-kernel: '%s' ends before what its multiboot header says",
                         m->b->path);
    m->b->start = load;
    m->b->end = MAX(load + size, bss_end);
    if (load < 0x100000 || m->b->end > boot_ram_end(m->b))
        return error_set(err,
                         "-kernel: '%s' goes to 0x%" PRIx64 "-0x%" PRIx64
                         ", free RAM is from 0x100000 to 0x%" PRIx64,
                         m->b->path, load, m->b->end, boot_ram_end(m->b));
    m->entry = ldl_le(h + 28);
    return rom_add_file(&m->b->pc->m, m->b->path, from, m->p + from, size, m->b->end - load - size,
                        load, err);
}

static bool load_image(struct mb *m, GError **err)
{
    struct elf_image elf;
    bool is64;

    if (ldl_le(m->p + m->header + 4) & FLAG_ADDRESS)
        return load_by_header(m, err);
    if (!is_elf(m->b->file) || m->len < sizeof(Elf64_Ehdr))
        return error_set(err, "-kernel: '%s': a multiboot kernel without addresses must be ELF",
                         m->b->path);
    is64 = m->p[EI_CLASS] == ELFCLASS64;
    if (!load_elf(&m->b->pc->m, "-kernel", m->b->path, m->b->file, is64 ? EM_X86_64 : EM_386,
                  is64 ? 64 : 32, 0, &elf, err))
        return false;
    m->b->start = elf.low;
    m->b->end = elf.high;
    m->entry = (uint32_t)elf.entry;
    return true;
}

static uint32_t add_string(struct mb *m, const char *s)
{
    uint32_t at = BOOT_STRINGS + m->strings->len;

    g_byte_array_append(m->strings, (const guint8 *)s, (guint)strlen(s) + 1);
    return at;
}

/* One module: behind the kernel and those before, on a page of its own. */
static bool add_module(struct mb *m, const char *text, GError **err)
{
    g_autofree char *path = g_strndup(text, strcspn(text, " "));
    uint64_t addr = align_up(m->b->end, PAGE), limit = boot_ram_end(m->b);
    uint8_t entry[MODULE_ENTRY] = { 0 };
    GBytes *file = load_file("-initrd", path, m->b->pc->below_4g, err);
    gsize len;
    bool ok;

    if (!file)
        return false;
    len = g_bytes_get_size(file);
    if (addr > limit || len > limit - addr) {
        g_bytes_unref(file);
        return error_set(err,
                         "-initrd: '%s' has %zu bytes, %" PRIu64 " are left; more -m is needed",
                         path, len, addr > limit ? 0 : limit - addr);
    }
    ok = rom_add_whole(&m->b->pc->m, path, file, addr, err);
    g_bytes_unref(file);
    m->b->end = addr + len;
    stl_le(entry, (uint32_t)addr);
    stl_le(entry + 4, (uint32_t)(addr + len));
    stl_le(entry + 8, add_string(m, text));
    g_byte_array_append(m->modules, entry, sizeof(entry));
    return ok;
}

static bool add_modules(struct mb *m, GError **err)
{
    g_auto(GStrv) list = g_strsplit(m->b->pc->m.cfg.initrd ? m->b->pc->m.cfg.initrd : "", ",", -1);

    if (g_strv_length(list) > MODULES_MAX)
        return error_set(err, "-initrd: more than %u modules", MODULES_MAX);
    for (char **text = list; *text; text++)
        if (!add_module(m, g_strchug(*text), err))
            return false;
    return true;
}

/* The list of modules and then the memory map, both at BOOT_MAPS. */
static bool put_lists(struct mb *m, GError **err)
{
    g_autoptr(GArray) map = pc_memory_map(m->b->pc, true);
    unsigned modules = m->modules->len;

    stl_le(m->info + 20, modules / MODULE_ENTRY);
    stl_le(m->info + 24, BOOT_MAPS);
    stl_le(m->info + 44, map->len * MAP_ENTRY);
    stl_le(m->info + 48, BOOT_MAPS + modules);
    for (unsigned i = 0; i < map->len; i++) {
        const struct pc_range *r = &g_array_index(map, struct pc_range, i);
        uint8_t e[MAP_ENTRY];

        stl_le(e, MAP_ENTRY - 4); /* does not count itself */
        stq_le(e + 4, r->base);
        stq_le(e + 12, r->size);
        stl_le(e + 20, r->type);
        g_byte_array_append(m->modules, e, sizeof(e));
    }
    return boot_put(m->b, "-kernel: module list", m->modules->data, m->modules->len, BOOT_MAPS,
                    BOOT_STRINGS, err);
}

/* "path args" is the command line, as boot loaders of this kind pass it. */
static bool put_info(struct mb *m, GError **err)
{
    const struct machine_config *c = &m->b->pc->m.cfg;
    g_autofree char *line = g_strconcat(c->kernel, c->append ? " " : "", c->append, NULL);
    uint64_t upper = boot_ram_end(m->b) - 0x100000; /* up to the first hole: 3.3 */

    stl_le(m->info, INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MAP | INFO_LOADER);
    stl_le(m->info + 4, 0x9fc00 >> 10);
    stl_le(m->info + 8, (uint32_t)(upper >> 10));
    stl_le(m->info + 16, BOOT_CMDLINE);
    stl_le(m->info + 64, add_string(m, LOADER_NAME));
    return put_lists(m, err) && boot_put_cmdline(m->b, line, UINT64_MAX, err) &&
           boot_put(m->b, "-initrd: strings", m->strings->data, m->strings->len, BOOT_STRINGS,
                    BOOT_LOW_END, err) &&
           boot_put(m->b, "-kernel: multiboot information", m->info, sizeof(m->info), BOOT_INFO,
                    BOOT_PAGES, err);
}

static bool load(struct mb *m, GError **err)
{
    uint32_t flags = ldl_le(m->p + m->header + 4);

    if (flags & FLAG_REFUSED)
        return error_set(err, "-kernel: '%s': its multiboot header demands what is not there: 0x%x",
                         m->b->path, flags & FLAG_REFUSED);
    if (!load_image(m, err) || !add_modules(m, err) || !put_info(m, err))
        return false;
    m->b->state->rax = ENTRY_MAGIC;
    m->b->state->rbx = BOOT_INFO;
    return boot_enter_protected(m->b, m->entry, err);
}

bool boot_multiboot(struct pc_boot *b, bool *is, GError **err)
{
    struct mb m = { .b = b };
    bool ok;

    m.p = g_bytes_get_data(b->file, &m.len);
    *is = find_header(&m);
    if (!*is)
        return true;
    m.strings = g_byte_array_new();
    m.modules = g_byte_array_new();
    ok = load(&m, err);
    g_byte_array_free(m.strings, TRUE);
    g_byte_array_free(m.modules, TRUE);
    return ok;
}
