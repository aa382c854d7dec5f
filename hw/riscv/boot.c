/*
 * Firmware and kernels of RISC-V boards. The protocol between reset vector, firmware and kernel is
 * that of OpenSBI's fw_dynamic (docs/firmware/fw_dynamic.md there) and of Linux
 * (Documentation/arch/riscv/boot.rst).
 */
#include "boot.h"

#include <inttypes.h>
#include <base/bits.h>
#include <base/embed.h>
#include <base/error.h>

#define MIB            (UINT64_C(1) << 20)
#define FDT_LIMIT      UINT64_C(0xc0000000) /* 32-bit kernels and old firmware reach that far */
#define INITRD_GAP_MAX (128 * MIB)

#define FW_DYNAMIC_MAGIC   0x4942534f /* "OSBI" */
#define FW_DYNAMIC_VERSION 2
#define FW_DYNAMIC_S_MODE  1

static uint64_t ram_end(const struct boot *b)
{
    return b->ram_base + b->ram_size;
}

/* Kernels start on a boundary that their first page table can map: 2 MiB, or 4 with Sv32. */
static uint64_t kernel_align(const struct boot *b)
{
    return b->rv64 ? 2 * MIB : 4 * MIB;
}

static bool embedded_firmware(struct boot *b, GError **err)
{
    const char *name = b->rv64 ? "riscv-virt-64.bin" : "riscv-virt-32.bin";
    const struct embedded_file *f = embedded_find(name);

    if (!f)
        return error_set(err, "-bios: this program was built without its firmware '%s'", name);
    if (f->size > b->ram_size)
        return error_set(err, "-m: the firmware '%s' does not fit into %" PRIu64 " bytes", name,
                         b->ram_size);
    b->firmware_end = b->ram_base + f->size;
    return rom_add(b->machine, name, f->data, f->size, 0, b->ram_base, err);
}

/* Kernels of other CPUs are told by their headers: that is a frequent slip. */
static bool check_foreign(const char *what, const char *path, GBytes *file, GError **err)
{
    gsize len;
    const char *p = g_bytes_get_data(file, &len);

    if (len >= 64 && memcmp(p + 56, "ARM\x64", 4) == 0)
        return error_set(err, "%s: '%s' is a kernel for aarch64, the machine is riscv", what, path);
    if (len >= 0x206 && memcmp(p + 0x202, "HdrS", 4) == 0)
        return error_set(err, "%s: '%s' is a kernel for x86, the machine is riscv", what, path);
    if (len >= 8 && memcmp(p, "MZ\0\0zimg", 8) == 0)
        return error_set(err, "%s: '%s' is a compressed EFI image; unpack the kernel in it", what,
                         path);
    return true;
}

/* Loads an ELF file, or anything else as it is at `addr`; notes where it ends. */
static bool load_any(struct boot *b, const char *what, const char *path, GBytes *file,
                     uint64_t addr, uint64_t *start, uint64_t *entry, uint64_t *end, GError **err)
{
    struct riscv_image img;
    uint64_t extra = 0;
    gsize len = g_bytes_get_size(file);

    if (is_elf(file)) {
        if (!load_elf(b->machine, what, path, file, EM_RISCV, b->rv64 ? 64 : 32, 0, &b->elf, err))
            return false;
        *start = b->elf.low;
        *entry = b->elf.entry;
        *end = b->elf.high;
        return true;
    }
    if (!check_foreign(what, path, file, err) || !check_pe_sections(what, path, file, err))
        return false;
    if (addr > ram_end(b) || len > ram_end(b) - addr)
        return error_set(err,
                         "%s: '%s' has %zu bytes at 0x%" PRIx64
                         ", which is past the end of RAM at 0x%" PRIx64 "; more -m is needed",
                         what, path, len, addr, ram_end(b));
    if (parse_riscv_image(file, &img) && img.image_size > len)
        extra = img.image_size - len;
    *start = *entry = addr;
    *end = extra <= ram_end(b) - addr - len ? addr + len + extra : ram_end(b);
    return rom_add_whole(b->machine, path, file, addr, err);
}

bool boot_firmware(struct boot *b, GError **err)
{
    const char *path = b->machine->cfg.firmware;
    uint64_t start, entry;
    GBytes *file;
    bool ok;

    b->firmware_end = b->start = b->ram_base;
    if (g_strcmp0(path, "none") == 0)
        return true;
    if (!path || strcmp(path, "default") == 0)
        return embedded_firmware(b, err);
    file = load_file("-bios", path, b->ram_size, err);
    if (!file)
        return false;
    ok = load_any(b, "-bios", path, file, b->ram_base, &start, &entry, &b->firmware_end, err);
    if (ok)
        b->start = entry;
    g_bytes_unref(file);
    return ok;
}

bool boot_kernel(struct boot *b, GError **err)
{
    const char *path = b->machine->cfg.kernel;
    uint64_t addr = b->firmware_end;
    GBytes *file;
    bool ok;

    if (!path) {
        if (b->machine->cfg.initrd)
            return error_set(err, "-initrd: it needs a -kernel");
        if (b->machine->cfg.append)
            return error_set(err, "-append: it needs a -kernel");
        return true;
    }
    file = load_file("-kernel", path, b->ram_size, err);
    if (!file)
        return false;
    if (b->firmware_end > b->ram_base)
        addr = align_up(addr, kernel_align(b));
    ok = load_any(b, "-kernel", path, file, addr, &b->kernel_start, &b->kernel_entry,
                  &b->kernel_end, err);
    g_bytes_unref(file);
    return ok;
}

/* Far enough behind the kernel that what it unpacks or allocates first does not meet the disk. */
bool boot_initrd(struct boot *b, GError **err)
{
    const char *path = b->machine->cfg.initrd;
    uint64_t addr, limit = ram_end(b);
    GBytes *file;
    gsize len;
    bool ok;

    if (!path)
        return true;
    addr = b->kernel_start + MIN(b->ram_size / 2, INITRD_GAP_MAX);
    addr = align_up(MAX(addr, b->kernel_end), 4096);
    file = load_file("-initrd", path, b->ram_size, err);
    if (!file)
        return false;
    len = g_bytes_get_size(file);
    if (addr > limit || len > limit - addr)
        ok = error_set(err,
                       "-initrd: '%s' has %zu bytes, which do not fit between 0x%" PRIx64
                       " and the end of RAM at 0x%" PRIx64 "; more -m is needed",
                       path, len, addr, limit);
    else
        ok = rom_add_whole(b->machine, path, file, addr, err);
    b->initrd_start = addr;
    b->initrd_end = addr + len;
    g_bytes_unref(file);
    return ok;
}

void boot_fdt_chosen(const struct boot *b, struct devtree *t)
{
    const char *append = b->machine->cfg.append;

    devtree_need_node(t, "/chosen");
    if (append)
        devtree_str(t, "/chosen", "bootargs", append);
    if (b->initrd_end) {
        devtree_u64(t, "/chosen", "linux,initrd-start", b->initrd_start);
        devtree_u64(t, "/chosen", "linux,initrd-end", b->initrd_end);
    }
}

bool boot_place_fdt(struct boot *b, GBytes *fdt, GError **err)
{
    gsize len;
    const void *data = g_bytes_get_data(fdt, &len);
    uint64_t end = MIN(ram_end(b), MAX(FDT_LIMIT, b->ram_base + 16 * MIB));
    uint64_t least = MAX(b->kernel_end, b->firmware_end);
    uint64_t room = align_up(len, 4096) + 65536; /* firmware adds to it in place */

    /* A disk that reaches the end pushes the tree below it. */
    if (b->initrd_end > end - MIN(room, end) && b->initrd_start < end)
        end = b->initrd_start;
    if (end < b->ram_base + room)
        return error_set(err, "-m: no room for the devicetree of %zu bytes", len);
    b->fdt = align_down(end - room, end - b->ram_base >= 8 * MIB ? 2 * MIB : 4096);
    if (b->fdt < least)
        return error_set(err, "-m: no room for the devicetree behind firmware and kernel");
    return rom_add(b->machine, "fdt", data, len, 0, b->fdt, err);
}

static unsigned put_word(uint8_t *p, unsigned at, bool rv64, uint64_t v)
{
    if (!rv64) {
        stl_le(p + at, (uint32_t)v);
        return at + 4;
    }
    stq_le(p + at, v);
    return at + 8;
}

bool boot_reset_vector(struct boot *b, GError **err)
{
    /* start at 24, fdt at 32, info at 40 in both widths */
    static const uint32_t code64[] = {
        0x00000297, /* auipc t0, 0 */
        0x02828613, /* addi  a2, t0, 40 */
        0xf1402573, /* csrr  a0, mhartid */
        0x0202b583, /* ld    a1, 32(t0) */
        0x0182b283, /* ld    t0, 24(t0) */
        0x00028067, /* jr    t0 */
    };
    static const uint32_t code32[] = {
        0x00000297, /* auipc t0, 0 */
        0x02828613, /* addi  a2, t0, 40 */
        0xf1402573, /* csrr  a0, mhartid */
        0x0202a583, /* lw    a1, 32(t0) */
        0x0182a283, /* lw    t0, 24(t0) */
        0x00028067, /* jr    t0 */
    };
    const uint64_t info[] = { FW_DYNAMIC_MAGIC,  FW_DYNAMIC_VERSION, b->kernel_entry,
                              FW_DYNAMIC_S_MODE, 0 /* options */,    0 /* boot hart */ };
    uint8_t rom[40 + sizeof(info)] = { 0 };
    unsigned end = 40;

    for (unsigned i = 0; i < ARRAY_LEN(code64); i++)
        stl_le(rom + 4 * i, b->rv64 ? code64[i] : code32[i]);
    stq_le(rom + 24, b->start);
    stq_le(rom + 32, b->fdt);
    for (unsigned i = 0; i < ARRAY_LEN(info); i++)
        end = put_word(rom, end, b->rv64, info[i]);
    return rom_add(b->machine, "reset vector", rom, end, 0, BOOT_MROM_BASE, err);
}
