/*
 * ELF kernels with a PVH entry: an ELF note gives a 32-bit entry, which finds a structure about the
 * machine in EBX (Xen: docs/misc/pvh.pandoc and public/arch-x86/hvm/start_info.h).
 */
#include "boot.h"

#include <string.h>
#include <base/bits.h>
#include <base/error.h>

#define NOTE_PHYS32_ENTRY 18
#define START_MAGIC       0x336ec578
#define START_SIZE        56
#define MODULE_SIZE       32
#define MAP_ENTRY         24

/* Walks the notes in [p, p+len) for the entry. */
static bool find_note(const uint8_t *p, uint64_t len, uint32_t *entry)
{
    while (len >= 12) {
        uint64_t name = ldl_le(p), desc = ldl_le(p + 4);
        uint64_t at = 12 + align_up(name, 4), next = at + align_up(desc, 4);

        if (at + desc > len)
            return false;
        if (ldl_le(p + 8) == NOTE_PHYS32_ENTRY && name == 4 && memcmp(p + 12, "Xen", 4) == 0 &&
            desc >= 4) {
            *entry = ldl_le(p + at);
            return true;
        }
        if (next > len)
            return false;
        p += next;
        len -= next;
    }
    return false;
}

static bool find_entry(GBytes *file, uint32_t *entry)
{
    gsize len;
    const uint8_t *p = g_bytes_get_data(file, &len);
    bool is64 = p[EI_CLASS] == ELFCLASS64;
    uint64_t ph = is64 ? ldq_le(p + 32) : ldl_le(p + 28);
    unsigned size = lduw_le(p + (is64 ? 54 : 42)), count = lduw_le(p + (is64 ? 56 : 44));

    if (size < (is64 ? 56u : 32u))
        return false;
    for (unsigned i = 0; i < count; i++, ph += size) {
        uint64_t at, n;

        if (ph > len || size > len - ph)
            return false;
        at = is64 ? ldq_le(p + ph + 8) : ldl_le(p + ph + 4);
        n = is64 ? ldq_le(p + ph + 32) : ldl_le(p + ph + 16);
        if (ldl_le(p + ph) == PT_NOTE && at <= len && n <= len - at && find_note(p + at, n, entry))
            return true;
    }
    return false;
}

static bool put_map(struct pc_boot *b, unsigned *count, GError **err)
{
    g_autoptr(GArray) map = pc_memory_map(b->pc, true);
    g_autofree uint8_t *out = g_malloc0(map->len * MAP_ENTRY);

    for (unsigned i = 0; i < map->len; i++) {
        const struct pc_range *r = &g_array_index(map, struct pc_range, i);

        stq_le(out + i * MAP_ENTRY, r->base);
        stq_le(out + i * MAP_ENTRY + 8, r->size);
        stl_le(out + i * MAP_ENTRY + 16, r->type);
    }
    *count = map->len;
    return boot_put(b, "-kernel: memory map", out, map->len * MAP_ENTRY, BOOT_MAPS, BOOT_STRINGS,
                    err);
}

static bool put_start_info(struct pc_boot *b, GError **err)
{
    uint8_t info[START_SIZE + MODULE_SIZE] = { 0 };
    const char *append = b->pc->m.cfg.append ? b->pc->m.cfg.append : "";
    uint64_t addr, size;
    unsigned count;

    if (!put_map(b, &count, err) || !boot_put_cmdline(b, append, UINT64_MAX, err) ||
        !boot_put_initrd(b, boot_ram_end(b), &addr, &size, err))
        return false;
    stl_le(info, START_MAGIC);
    stl_le(info + 4, 1); /* version */
    stl_le(info + 12, size ? 1 : 0);
    stq_le(info + 16, BOOT_INFO + START_SIZE);
    stq_le(info + 24, BOOT_CMDLINE);
    stq_le(info + 32, b->rsdp);
    stq_le(info + 40, BOOT_MAPS);
    stl_le(info + 48, count);
    stq_le(info + START_SIZE, addr);
    stq_le(info + START_SIZE + 8, size);
    return boot_put(b, "-kernel: start info", info, sizeof(info), BOOT_INFO, BOOT_PAGES, err);
}

bool boot_pvh(struct pc_boot *b, bool *is, GError **err)
{
    gsize len;
    const uint8_t *p = g_bytes_get_data(b->file, &len);
    struct elf_image elf;
    uint32_t entry;
    bool is64;

    if (!is_elf(b->file) || len < sizeof(Elf64_Ehdr) || p[EI_DATA] != ELFDATA2LSB ||
        !find_entry(b->file, &entry))
        return true;
    *is = true;
    is64 = p[EI_CLASS] == ELFCLASS64;
    if (!load_elf(&b->pc->m, "-kernel", b->path, b->file, is64 ? EM_X86_64 : EM_386, is64 ? 64 : 32,
                  0, &elf, err))
        return false;
    b->start = elf.low;
    b->end = elf.high;
    b->state->rbx = BOOT_INFO;
    return put_start_info(b, err) && boot_enter_protected(b, entry, err);
}
