/*
 * The kernel inside of a bzImage, unpacked and put where it runs at each reset.
 *
 * A bzImage's own code would do this at the guest's speed, in a guest whose pages have not been
 * touched yet. What it does for a kernel that needs no more than that is done here instead, from
 * what the loader has put in memory: unpacks the payload (or takes what is kept of it from another
 * start), moves the ELF file's segments to their
 * places, chooses a physical and a virtual address by chance (Linux: RANDOMIZE_BASE), and adds the
 * difference where the list behind the ELF file says. Where anything is not as expected nothing is
 * done, and the bzImage starts as usual.
 *
 * Linux: Documentation/arch/x86/boot.rst (payload_offset, init_size, kernel_alignment, KASLR_FLAG).
 */
#include "vmlinux.h"

#include <elf.h>
#include <stddef.h>
#include <string.h>
#include <base/bits.h>
#include <hw/core/loader.h>
#include "boot.h"
#ifdef CONFIG_ZLIB
#include <zlib.h>
#endif
#ifdef CONFIG_ZSTD
#include <zstd.h>
#endif

/* Kernels are linked to run within the last GiB but one of the address space. */
#define KERNEL_MAP  UINT64_C(0xffffffff80000000)
#define KERNEL_ROOM (UINT64_C(1) << 30)
#define LOADFLAGS   0x211
#define KASLR_FLAG  0x02
#define SEGMENTS    64 /* an ELF file has at most */
#define FIELD(p, type, field)                                                \
    (sizeof(((type *)0)->field) == 8   ? ldq_le((p) + offsetof(type, field)) \
     : sizeof(((type *)0)->field) == 4 ? ldl_le((p) + offsetof(type, field)) \
                                       : lduw_le((p) + offsetof(type, field)))

/* ---- unpacking ---- */

#ifdef CONFIG_ZLIB
static uint64_t inflate_all(const uint8_t *in, uint64_t len, uint8_t *out, uint64_t room)
{
    z_stream z = { .next_in = (Bytef *)in, .avail_in = (uInt)len, .next_out = out };
    int result;

    z.avail_out = (uInt)room;
    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return 0;
    result = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    return result == Z_STREAM_END ? z.total_out : 0;
}
#endif

#ifdef CONFIG_ZSTD
/* The frame is followed by the size of what it holds. */
static uint64_t zstd_all(const uint8_t *in, uint64_t len, uint8_t *out, uint64_t room)
{
    size_t frame = ZSTD_findFrameCompressedSize(in, len), n;

    if (ZSTD_isError(frame))
        return 0;
    n = ZSTD_decompress(out, room, in, frame);
    return ZSTD_isError(n) ? 0 : n;
}
#endif

static uint64_t copy_all(const uint8_t *in, uint64_t len, uint8_t *out, uint64_t room)
{
    if (len > room)
        return 0;
    memcpy(out, in, len);
    return len;
}

static bool is_plain(const uint8_t *in, uint64_t len)
{
    return len >= SELFMAG && memcmp(in, ELFMAG, SELFMAG) == 0;
}

/* Returns how many bytes it made; 0 if it cannot. No size is above 4 GiB. */
static uint64_t unpack(const uint8_t *in, uint64_t len, uint8_t *out, uint64_t room)
{
    static const struct {
        uint8_t magic[4], magic_len;
        uint64_t (*unpack)(const uint8_t *in, uint64_t len, uint8_t *out, uint64_t room);
    } packings[] = {
#ifdef CONFIG_ZLIB
        { { 0x1f, 0x8b }, 2, inflate_all },
#endif
#ifdef CONFIG_ZSTD
        { { 0x28, 0xb5, 0x2f, 0xfd }, 4, zstd_all },
#endif
    };

    if (is_plain(in, len))
        return copy_all(in, len, out, room);
    for (unsigned i = 0; i < ARRAY_LEN(packings); i++)
        if (len >= 4 && memcmp(in, packings[i].magic, packings[i].magic_len) == 0)
            return packings[i].unpack(in, len, out, room);
    return 0;
}

/* ---- the ELF file ---- */

struct kernel {
    uint8_t *file; /* the ELF file, and what lies behind it; not above p */
    uint64_t len;
    uint8_t *p; /* the kernel as it runs */
    uint64_t room;
    uint64_t linked; /* physical address for which it is linked, that of the first byte */
    uint64_t elf_end, entry,
        end; /* offsets: behind the ELF file; of the code; behind all segments */
};

/* Lists of what is to be changed lie behind the ELF file, of 32 bits each, with a 0 before each
 * list; the last one is for fields of 32 bits, the first one for fields of 64. Older kernels have
 * one more in between, of 32-bit fields from which is subtracted. */
enum { LIST_64, LIST_SUBTRACTED, LIST_32, LISTS };
static const struct {
    unsigned size;
    int sign;
} kinds[LISTS] = { [LIST_64] = { 8, 1 }, [LIST_SUBTRACTED] = { 4, -1 }, [LIST_32] = { 4, 1 } };

struct list {
    const uint8_t *p;
    uint64_t n;
};

static bool check_elf(struct kernel *k)
{
    const uint8_t *p = k->file;
    uint64_t sections, n;

    if (k->len < sizeof(Elf64_Ehdr) || memcmp(p, ELFMAG, SELFMAG) != 0 ||
        p[EI_CLASS] != ELFCLASS64 || p[EI_DATA] != ELFDATA2LSB ||
        FIELD(p, Elf64_Ehdr, e_machine) != EM_X86_64 ||
        FIELD(p, Elf64_Ehdr, e_phentsize) != sizeof(Elf64_Phdr) ||
        FIELD(p, Elf64_Ehdr, e_shentsize) != sizeof(Elf64_Shdr))
        return false;
    sections = FIELD(p, Elf64_Ehdr, e_shoff);
    n = FIELD(p, Elf64_Ehdr, e_phnum);
    k->elf_end = sections + FIELD(p, Elf64_Ehdr, e_shnum) * sizeof(Elf64_Shdr);
    k->entry = FIELD(p, Elf64_Ehdr, e_entry) - k->linked;
    return sections && sections <= k->len && k->elf_end <= k->len && n <= SEGMENTS &&
           sizeof(Elf64_Ehdr) + n * sizeof(Elf64_Phdr) <= k->len && k->entry < k->room &&
           FIELD(p, Elf64_Ehdr, e_phoff) == sizeof(Elf64_Ehdr);
}

/* Puts the file where none of its segments has to move up. Linked for large pages, it begins with
 * as much as lies before the kernel, whose first segments are in their places then. */
static bool place_file(struct kernel *k)
{
    const uint8_t *first = k->file + sizeof(Elf64_Ehdr);

    if (FIELD(first, Elf64_Phdr, p_offset) >= (uint64_t)(k->p - k->file))
        return true;
    if (k->len > k->room)
        return false;
    memmove(k->p, k->file, k->len);
    k->file = k->p;
    return true;
}

/* Segments lie in the file in order, none before its place in memory, so that each can be moved
 * down without meeting one that is not moved yet. */
static bool move_segments(struct kernel *k)
{
    Elf64_Phdr headers[SEGMENTS];
    unsigned n = FIELD(k->file, Elf64_Ehdr, e_phnum);
    uint64_t file_end = 0, lead = (uint64_t)(k->p - k->file);

    memcpy(headers, k->file + sizeof(Elf64_Ehdr), n * sizeof(Elf64_Phdr));
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *h = (const uint8_t *)&headers[i];
        uint64_t from = FIELD(h, Elf64_Phdr, p_offset), size = FIELD(h, Elf64_Phdr, p_filesz);
        uint64_t to = FIELD(h, Elf64_Phdr, p_paddr) - k->linked;
        uint64_t in_memory = FIELD(h, Elf64_Phdr, p_memsz);

        if (FIELD(h, Elf64_Phdr, p_type) != PT_LOAD)
            continue;
        if (from < file_end || from > k->elf_end || size > k->elf_end - from || from < lead ||
            to > from - lead || in_memory < size || in_memory > k->room - to)
            return false;
        if (to != from - lead)
            memmove(k->p + to, k->file + from, size);
        file_end = from + size;
        k->end = MAX(k->end, to + size);
    }
    return k->entry < k->end;
}

/* ---- another virtual address ---- */

/* False if they are not as expected. */
static bool find_lists(const struct kernel *k, struct list lists[LISTS])
{
    const uint8_t *p = k->file + k->elf_end;
    uint64_t n = (k->len - k->elf_end) / 4, starts[LISTS + 1] = { 0 };
    unsigned found = 0;

    if ((k->len - k->elf_end) % 4 || ldl_le(p))
        return false;
    for (uint64_t i = 0; i < n; i++)
        if (!ldl_le(p + 4 * i)) {
            if (found == LISTS)
                return false;
            starts[found++] = i + 1;
        }
    if (found < 2)
        return false;
    starts[found] = n + 1;
    for (unsigned i = 0; i < found; i++) {
        unsigned kind = i == found - 1 ? LIST_32 : i;

        lists[kind] = (struct list){ p + 4 * starts[i], starts[i + 1] - 1 - starts[i] };
    }
    return true;
}

/* The offset of an entry's field; `end` if it is in no segment. */
static uint64_t field_at(const struct kernel *k, const struct list *l, uint64_t i, unsigned size)
{
    uint64_t at = (uint64_t)(int64_t)(int32_t)ldl_le(l->p + 4 * i) - KERNEL_MAP - k->linked;

    return at < k->end && k->end - at >= size ? at : k->end;
}

static bool check_lists(const struct kernel *k, const struct list lists[LISTS])
{
    for (unsigned kind = 0; kind < ARRAY_LEN(kinds); kind++)
        for (uint64_t i = 0; i < lists[kind].n; i++)
            if (field_at(k, &lists[kind], i, kinds[kind].size) == k->end)
                return false;
    return true;
}

/* Has the kernel run `delta` higher than it is linked for. */
static void relocate(struct kernel *k, const struct list lists[LISTS], uint64_t delta)
{
    for (unsigned kind = 0; kind < ARRAY_LEN(kinds); kind++)
        for (uint64_t i = 0; i < lists[kind].n; i++) {
            uint8_t *at = k->p + field_at(k, &lists[kind], i, kinds[kind].size);

            if (kinds[kind].size == 8)
                stq_le(at, ldq_le(at) + delta);
            else
                stl_le(at, ldl_le(at) + (uint32_t)delta * (uint32_t)kinds[kind].sign);
        }
}

/* ---- where to ---- */

/* A multiple of the kernel's alignment from `low` on, such that `size` bytes end below `high`. */
static uint64_t choose(const struct vmlinux *v, uint64_t low, uint64_t high, uint64_t size)
{
    uint64_t chance;

    low = align_up(low, v->align);
    if (high < low || high - low < size)
        return 0;
    machine_random(v->m, &chance, sizeof(chance));
    return low + chance % ((high - low - size) / v->align + 1) * v->align;
}

/*
 * Unpacks the payload in `f` and keeps that. Memory of the guest's has no part in it, where a
 * device might still write something for its driver: another guest may run what is kept. Returns
 * NULL where there is no memory for it, or the file is no longer the same.
 */
static GBytes *unpack_and_keep(const struct vmlinux *v, const struct rom_file *f, uint64_t room)
{
    g_autoptr(GBytes) file = file_map(f->fd, f->id.size);
    const uint8_t *payload = file ? g_bytes_get_data(file, NULL) : NULL;
    g_autofree uint8_t *plain = g_try_malloc(room);
    struct file_id now;
    uint64_t len;

    if (!payload || !plain)
        return NULL;
    payload += f->offset + (v->payload - v->file);
    len = unpack(payload, v->payload_len, plain, room);
    if (!len || !file_id_of(f->fd, &now) || !file_id_same(&now, &f->id))
        return NULL;
    kept_put(&f->id, "bzImage", plain, len);
    return g_bytes_new_take(g_steal_pointer(&plain), len);
}

/* The ELF file that the payload is, for a packed one from a copy if it can be. */
static uint64_t get_file(const struct vmlinux *v, const uint8_t *payload, uint8_t *to,
                         uint64_t room)
{
    g_autoptr(GBytes) plain = NULL;
    struct rom_file f;

    if (!is_plain(payload, v->payload_len) && rom_file_at(v->m, v->file, &f)) {
        plain = kept_get(&f.id, "bzImage");
        if (!plain && kept_wanted(&f.id))
            plain = unpack_and_keep(v, &f, room);
    }
    if (plain)
        return copy_all(g_bytes_get_data(plain, NULL), g_bytes_get_size(plain), to, room);
    return unpack(payload, v->payload_len, to, room);
}

/* Unpacks to `to` and puts the kernel `lead` bytes behind that. What is there is the guest's RAM,
 * which the kernel overwrites whatever happens now. */
static bool put_kernel(const struct vmlinux *v, const uint8_t *payload, uint8_t *to, uint64_t lead,
                       bool *moved, uint64_t *entry)
{
    struct kernel k = { .file = to, .p = to + lead, .room = v->room, .linked = v->linked };
    struct list lists[LISTS] = { 0 };
    uint64_t virtual;

    k.len = get_file(v, payload, to, v->room + lead);
    if (!k.len || !check_elf(&k) || !place_file(&k) || !move_segments(&k))
        return false;
    *entry = k.entry;
    *moved = false;
    if (!v->by_chance || k.len == k.elf_end) /* not built to run at others */
        return true;
    virtual = choose(v, v->linked, KERNEL_ROOM, v->room);
    if (virtual < v->linked || !find_lists(&k, lists) || !check_lists(&k, lists))
        return false;
    relocate(&k, lists, virtual - v->linked);
    *moved = true;
    return true;
}

uint64_t vmlinux_start(const struct vmlinux *v)
{
    struct address_space *as = &v->m->memory;
    uint64_t base = v->by_chance ? choose(v, v->low, v->high, v->room) : v->linked;
    uint64_t lead = base >= v->payload + v->payload_len + v->align ? v->align : 0;
    uint64_t len = v->payload_len, room = v->room + lead, entry = 0;
    uint8_t *payload, *to;
    bool done, moved = false;

    if (base < v->low || base > v->high || v->high - base < v->room)
        return 0;
    payload = space_map(as, v->payload, &len, false);
    to = space_map(as, base - lead, &room, true);
    done = payload && to && len == v->payload_len && room == v->room + lead &&
           put_kernel(v, payload, to, lead, &moved, &entry);
    if (to)
        space_unmap(as, to, room, true, room);
    if (payload)
        space_unmap(as, payload, len, false, 0);
    if (done && moved) {
        uint8_t flags = space_ld8(as, v->zero_page + LOADFLAGS, 0, NULL);

        (void)space_st8(as, v->zero_page + LOADFLAGS, flags | KASLR_FLAG, 0);
    }
    return done ? base + entry : 0;
}
