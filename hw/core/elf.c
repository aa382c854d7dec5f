/*
 * Loading ELF executables (System V ABI, chapters 4 and 5). Little-endian, 32 and 64 bit; the
 * fields of both are read into one struct. Every offset in the file is checked against its size.
 */
#include <hw/core/loader.h>

#include <inttypes.h>
#include <string.h>
#include <base/bits.h>
#include <base/error.h>

#define SYMBOLS_MAX (1u << 22)

struct elf {
    const uint8_t *p;
    uint64_t len;
    bool is64;
    uint64_t phoff, shoff, entry;
    unsigned phnum, phentsize, shnum, shentsize;
};

struct segment {
    uint32_t type;
    uint64_t offset, vaddr, paddr, filesz, memsz;
};

struct section_header {
    uint32_t type, link;
    uint64_t offset, size, entsize;
};

bool is_elf(GBytes *file)
{
    gsize len;
    const uint8_t *p = g_bytes_get_data(file, &len);

    return len >= 4 && memcmp(p, ELFMAG, SELFMAG) == 0;
}

static bool in_file(const struct elf *e, uint64_t offset, uint64_t len)
{
    return offset <= e->len && len <= e->len - offset;
}

static const char *machine_name(unsigned em)
{
    switch (em) {
    case EM_RISCV: return "riscv";
    case EM_X86_64: return "x86_64";
    case EM_386: return "i386";
    case EM_AARCH64: return "aarch64";
    case EM_ARM: return "arm";
    default: return "another CPU";
    }
}

static bool parse_header(struct elf *e, const char *what, const char *path, unsigned machine,
                         unsigned bits, GError **err)
{
    const uint8_t *p = e->p;
    unsigned em;

    if (e->len < sizeof(Elf32_Ehdr) || (p[EI_CLASS] != ELFCLASS32 && p[EI_CLASS] != ELFCLASS64))
        return error_set(err, "%s: '%s' is a truncated ELF file", what, path);
    e->is64 = p[EI_CLASS] == ELFCLASS64;
    if (e->is64 && e->len < sizeof(Elf64_Ehdr))
        return error_set(err, "%s: '%s' is a truncated ELF file", what, path);
    em = lduw_le(p + offsetof(Elf64_Ehdr, e_machine));
    if (p[EI_DATA] != ELFDATA2LSB || em != machine)
        return error_set(err, "%s: '%s' is an ELF file for %s, the machine is %s", what, path,
                         p[EI_DATA] == ELFDATA2LSB ? machine_name(em) : "a big-endian CPU",
                         machine_name(machine));
    if (e->is64 != (bits == 64))
        return error_set(err, "%s: '%s' is a %u-bit ELF file, the machine is %u-bit", what, path,
                         e->is64 ? 64 : 32, bits);
    if (e->is64) {
        e->entry = ldq_le(p + offsetof(Elf64_Ehdr, e_entry));
        e->phoff = ldq_le(p + offsetof(Elf64_Ehdr, e_phoff));
        e->shoff = ldq_le(p + offsetof(Elf64_Ehdr, e_shoff));
        e->phentsize = lduw_le(p + offsetof(Elf64_Ehdr, e_phentsize));
        e->phnum = lduw_le(p + offsetof(Elf64_Ehdr, e_phnum));
        e->shentsize = lduw_le(p + offsetof(Elf64_Ehdr, e_shentsize));
        e->shnum = lduw_le(p + offsetof(Elf64_Ehdr, e_shnum));
    } else {
        e->entry = ldl_le(p + offsetof(Elf32_Ehdr, e_entry));
        e->phoff = ldl_le(p + offsetof(Elf32_Ehdr, e_phoff));
        e->shoff = ldl_le(p + offsetof(Elf32_Ehdr, e_shoff));
        e->phentsize = lduw_le(p + offsetof(Elf32_Ehdr, e_phentsize));
        e->phnum = lduw_le(p + offsetof(Elf32_Ehdr, e_phnum));
        e->shentsize = lduw_le(p + offsetof(Elf32_Ehdr, e_shentsize));
        e->shnum = lduw_le(p + offsetof(Elf32_Ehdr, e_shnum));
    }
    if (e->phentsize < (e->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) ||
        !in_file(e, e->phoff, (uint64_t)e->phnum * e->phentsize))
        return error_set(err, "%s: '%s' has no program headers, or is truncated", what, path);
    return true;
}

static struct segment segment_at(const struct elf *e, unsigned i)
{
    const uint8_t *p = e->p + e->phoff + (uint64_t)i * e->phentsize;

    if (e->is64)
        return (struct segment){
            .type = ldl_le(p + offsetof(Elf64_Phdr, p_type)),
            .offset = ldq_le(p + offsetof(Elf64_Phdr, p_offset)),
            .vaddr = ldq_le(p + offsetof(Elf64_Phdr, p_vaddr)),
            .paddr = ldq_le(p + offsetof(Elf64_Phdr, p_paddr)),
            .filesz = ldq_le(p + offsetof(Elf64_Phdr, p_filesz)),
            .memsz = ldq_le(p + offsetof(Elf64_Phdr, p_memsz)),
        };
    return (struct segment){
        .type = ldl_le(p + offsetof(Elf32_Phdr, p_type)),
        .offset = ldl_le(p + offsetof(Elf32_Phdr, p_offset)),
        .vaddr = ldl_le(p + offsetof(Elf32_Phdr, p_vaddr)),
        .paddr = ldl_le(p + offsetof(Elf32_Phdr, p_paddr)),
        .filesz = ldl_le(p + offsetof(Elf32_Phdr, p_filesz)),
        .memsz = ldl_le(p + offsetof(Elf32_Phdr, p_memsz)),
    };
}

/* Whether all of a segment lands in memory; space_lookup() stops at each change of region. */
static bool lands_in_memory(struct machine *m, uint64_t addr, uint64_t size)
{
    mem_publish(m->mem); /* the machine is being put together */
    while (size) {
        uint64_t len = size;
        struct section s = space_lookup(&m->memory, addr, &len);

        if (!s.region || !s.region->ram)
            return false;
        addr += len;
        size -= len;
    }
    return true;
}

static bool load_segment(struct machine *m, const struct elf *e, const struct segment *s,
                         const char *what, const char *path, uint64_t bias, GError **err)
{
    uint64_t addr = s->paddr + bias;
    uint64_t memsz = MAX(s->memsz, s->filesz);

    if (!in_file(e, s->offset, s->filesz))
        return error_set(err, "%s: '%s' is truncated: a segment lies outside of the file", what,
                         path);
    if (memsz - 1 > UINT64_MAX - addr || !lands_in_memory(m, addr, memsz))
        return error_set(
            err, "%s: '%s' does not fit: 0x%" PRIx64 " bytes at 0x%" PRIx64 " are not all memory",
            what, path, memsz, addr);
    return rom_add_file(m, path, s->offset, e->p + s->offset, s->filesz, memsz - s->filesz, addr,
                        err);
}

static struct section_header section_at(const struct elf *e, unsigned i)
{
    const uint8_t *p = e->p + e->shoff + (uint64_t)i * e->shentsize;

    if (e->is64)
        return (struct section_header){
            .type = ldl_le(p + offsetof(Elf64_Shdr, sh_type)),
            .link = ldl_le(p + offsetof(Elf64_Shdr, sh_link)),
            .offset = ldq_le(p + offsetof(Elf64_Shdr, sh_offset)),
            .size = ldq_le(p + offsetof(Elf64_Shdr, sh_size)),
            .entsize = ldq_le(p + offsetof(Elf64_Shdr, sh_entsize)),
        };
    return (struct section_header){
        .type = ldl_le(p + offsetof(Elf32_Shdr, sh_type)),
        .link = ldl_le(p + offsetof(Elf32_Shdr, sh_link)),
        .offset = ldl_le(p + offsetof(Elf32_Shdr, sh_offset)),
        .size = ldl_le(p + offsetof(Elf32_Shdr, sh_size)),
        .entsize = ldl_le(p + offsetof(Elf32_Shdr, sh_entsize)),
    };
}

static void note_symbol(struct elf_image *out, const char *name, uint64_t value)
{
    const struct {
        const char *name;
        uint64_t *where;
    } wanted[] = {
        { "tohost", &out->tohost },
        { "fromhost", &out->fromhost },
        { "begin_signature", &out->begin_signature },
        { "end_signature", &out->end_signature },
    };

    for (unsigned i = 0; i < ARRAY_LEN(wanted); i++)
        if (strcmp(name, wanted[i].name) == 0)
            *wanted[i].where = value;
}

static void scan_symbols(const struct elf *e, const struct section_header *syms,
                         const struct section_header *strs, struct elf_image *out)
{
    uint64_t entsize = e->is64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
    uint64_t n = MIN(syms->size / entsize, SYMBOLS_MAX);

    if (!in_file(e, syms->offset, syms->size) || !in_file(e, strs->offset, strs->size) ||
        !strs->size || e->p[strs->offset + strs->size - 1])
        return;
    for (uint64_t i = 0; i < n; i++) {
        const uint8_t *p = e->p + syms->offset + i * entsize;
        uint32_t name = ldl_le(p); /* st_name comes first in both */
        uint64_t value = e->is64 ? ldq_le(p + offsetof(Elf64_Sym, st_value))
                                 : ldl_le(p + offsetof(Elf32_Sym, st_value));

        if (name < strs->size)
            note_symbol(out, (const char *)e->p + strs->offset + name, value);
    }
}

/* Symbols are a convenience; a file without them, or with broken ones, still loads. */
static void find_symbols(const struct elf *e, struct elf_image *out)
{
    size_t least = e->is64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);

    if (e->shentsize < least || !in_file(e, e->shoff, (uint64_t)e->shnum * e->shentsize))
        return;
    for (unsigned i = 0; i < e->shnum; i++) {
        struct section_header syms = section_at(e, i), strs;

        if (syms.type != SHT_SYMTAB || syms.link >= e->shnum)
            continue;
        strs = section_at(e, syms.link);
        scan_symbols(e, &syms, &strs, out);
    }
}

bool load_elf(struct machine *m, const char *what, const char *path, GBytes *file, unsigned machine,
              unsigned bits, uint64_t bias, struct elf_image *out, GError **err)
{
    gsize len;
    struct elf e = { .p = g_bytes_get_data(file, &len) };
    bool any = false;

    e.len = len;
    memset(out, 0, sizeof(*out));
    if (!parse_header(&e, what, path, machine, bits, err))
        return false;
    out->is64 = e.is64;
    out->low = UINT64_MAX;
    out->entry = e.entry + bias;
    for (unsigned i = 0; i < e.phnum; i++) {
        struct segment s = segment_at(&e, i);

        if (s.type != PT_LOAD || !MAX(s.memsz, s.filesz))
            continue;
        if (!load_segment(m, &e, &s, what, path, bias, err))
            return false;
        any = true;
        out->low = MIN(out->low, s.paddr + bias);
        out->high = MAX(out->high, s.paddr + bias + MAX(s.memsz, s.filesz));
        /* The entry is a virtual address where the two differ. */
        if (e.entry - s.vaddr < s.memsz)
            out->entry = e.entry - s.vaddr + s.paddr + bias;
    }
    if (!any)
        return error_set(err, "%s: '%s' has nothing to load", what, path);
    find_symbols(&e, out);
    return true;
}
