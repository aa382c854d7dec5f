/* Kernels that start without firmware; see boot.h. */
#include "boot.h"

#include <inttypes.h>
#include <string.h>
#include <base/bits.h>
#include <base/error.h>
#include <hw/acpi/piix4.h>
#include <hw/misc/fw_cfg.h>

#define GIB       (UINT64_C(1) << 30)
#define PAGE      4096
#define PTE_TABLE 0x3  /* present, writable */
#define PTE_LARGE 0x83 /* 2 MiB */

uint64_t boot_ram_end(const struct pc_boot *b)
{
    return b->pc->below_4g - PC_TABLES_SIZE;
}

bool boot_put(struct pc_boot *b, const char *what, const void *data, uint64_t len, uint64_t addr,
              uint64_t end, GError **err)
{
    if (len > end - addr)
        return error_set(err, "%s: %" PRIu64 " bytes are too many, at most %" PRIu64 " fit", what,
                         len, end - addr);
    return rom_add(&b->pc->m, what, data, len, 0, addr, err);
}

bool boot_put_cmdline(struct pc_boot *b, const char *text, uint64_t max, GError **err)
{
    uint64_t room = MIN(BOOT_MAPS - BOOT_CMDLINE - 1, max);

    if (strlen(text) > room)
        return error_set(err, "-append: %zu characters are too many, this kernel takes %" PRIu64,
                         strlen(text), room);
    return boot_put(b, "-append", text, strlen(text) + 1, BOOT_CMDLINE, BOOT_MAPS, err);
}

bool boot_put_initrd(struct pc_boot *b, uint64_t limit, uint64_t *addr, uint64_t *size,
                     GError **err)
{
    const char *path = b->pc->m.cfg.initrd;
    GBytes *file;
    gsize len;
    bool ok;

    *addr = *size = 0;
    if (!path)
        return true;
    file = load_file("-initrd", path, b->pc->below_4g, err);
    if (!file)
        return false;
    len = g_bytes_get_size(file);
    limit = MIN(limit, boot_ram_end(b));
    *addr = align_down(limit - MIN(len, limit), PAGE);
    *size = len;
    if (*addr < b->end)
        ok = error_set(err,
                       "-initrd: '%s' has %zu bytes, which do not fit between the kernel's end at "
                       "0x%" PRIx64 " and 0x%" PRIx64 "; more -m is needed",
                       path, len, b->end, limit);
    else
        ok = rom_add_whole(&b->pc->m, path, file, *addr, err);
    g_bytes_unref(file);
    return ok;
}

/* ---- entering ---- */

static bool put_gdt(struct pc_boot *b, bool long_mode, GError **err)
{
    uint8_t gdt[32] = { 0 };

    stq_le(gdt + BOOT_CS, long_mode ? 0x00af9b000000ffff : 0x00cf9b000000ffff);
    stq_le(gdt + BOOT_DS, 0x00cf93000000ffff);
    b->state->gdt = BOOT_GDT;
    b->state->gdt_limit = sizeof(gdt) - 1;
    b->state->cs = BOOT_CS;
    b->state->ds = BOOT_DS;
    b->state->rsp = BOOT_STACK;
    return boot_put(b, "-kernel: GDT", gdt, sizeof(gdt), BOOT_GDT, BOOT_INFO, err);
}

/* Top, four pointers to a GiB each, and their 2 MiB pages; behind them the top of five levels. */
static bool put_page_tables(struct pc_boot *b, GError **err)
{
    g_autofree uint8_t *p = g_malloc0(7 * PAGE);

    stq_le(p, (BOOT_PAGES + PAGE) | PTE_TABLE);
    stq_le(p + BOOT_PAGES57 - BOOT_PAGES, BOOT_PAGES | PTE_TABLE);
    for (unsigned i = 0; i < 4; i++)
        stq_le(p + PAGE + 8 * i, (BOOT_PAGES + (2 + i) * PAGE) | PTE_TABLE);
    for (unsigned i = 0; i < 4 * 512; i++)
        stq_le(p + 2 * PAGE + 8 * i, (uint64_t)i << 21 | PTE_LARGE);
    b->state->cr3 = BOOT_PAGES;
    return boot_put(b, "-kernel: page tables", p, 7 * PAGE, BOOT_PAGES, BOOT_CMDLINE, err);
}

bool boot_enter_long(struct pc_boot *b, uint64_t rip, GError **err)
{
    b->state->long_mode = true;
    b->state->rip = rip;
    return put_gdt(b, true, err) && put_page_tables(b, err);
}

bool boot_enter_protected(struct pc_boot *b, uint32_t eip, GError **err)
{
    b->state->rip = eip;
    return put_gdt(b, false, err);
}

/* ---- choosing ---- */

static bool load_kernel(struct pc_boot *b, GError **err)
{
    static bool (*const loaders[])(struct pc_boot *, bool *,
                                   GError **) = { boot_linux, boot_multiboot, boot_pvh };

    for (unsigned i = 0; i < ARRAY_LEN(loaders); i++) {
        bool is = false;

        if (!loaders[i](b, &is, err))
            return false;
        if (is)
            return true;
    }
    return error_set(
        err,
        "-kernel: '%s' is no Linux bzImage, no multiboot kernel and no ELF file with a "
        "PVH entry",
        b->path);
}

/* Firmware that was asked for loads the kernel by itself, from fw_cfg. */
static bool show_file(struct device *fw_cfg, const char *what, const char *path, uint16_t size_key,
                      uint16_t data_key, GError **err)
{
    GBytes *file = load_file(what, path, UINT32_MAX, err);
    gsize len;
    const void *data;

    if (!file)
        return false;
    data = g_bytes_get_data(file, &len);
    fw_cfg_add_u32(fw_cfg, size_key, (uint32_t)len);
    fw_cfg_add_bytes(fw_cfg, data_key, data, len);
    g_bytes_unref(file);
    return true;
}

static bool show_kernel(struct pc *pc, GError **err)
{
    const struct machine_config *c = &pc->m.cfg;
    const char *append = c->append ? c->append : "";
    GBytes *file = load_file("-kernel", c->kernel, UINT32_MAX, err);
    gsize len, setup = 0;
    const uint8_t *data;

    if (!file)
        return false;
    data = g_bytes_get_data(file, &len);
    if (len > 0x206 && memcmp(data + 0x202, "HdrS", 4) == 0)
        setup = MIN(((data[0x1f1] ? data[0x1f1] : 4) + 1u) * 512, len);
    fw_cfg_add_u32(pc->fw_cfg, FW_CFG_SETUP_SIZE, (uint32_t)setup);
    fw_cfg_add_bytes(pc->fw_cfg, FW_CFG_SETUP_DATA, data, setup);
    fw_cfg_add_u32(pc->fw_cfg, FW_CFG_KERNEL_SIZE, (uint32_t)(len - setup));
    fw_cfg_add_bytes(pc->fw_cfg, FW_CFG_KERNEL_DATA, data + setup, len - setup);
    fw_cfg_add_u32(pc->fw_cfg, FW_CFG_CMDLINE_SIZE, (uint32_t)strlen(append) + 1);
    fw_cfg_add_string(pc->fw_cfg, FW_CFG_CMDLINE_DATA, append);
    g_bytes_unref(file);
    return !c->initrd ||
           show_file(pc->fw_cfg, "-initrd", c->initrd, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA, err);
}

bool pc_boot_init(struct pc *pc, uint64_t rsdp, GError **err)
{
    struct pc_boot b = { .pc = pc, .path = pc->m.cfg.kernel, .rsdp = rsdp, .state = &pc->boot };
    bool ok;

    if (!pc->direct_boot)
        return !b.path || show_kernel(pc, err);
    if (pc->below_4g < 2 * PC_TABLES_SIZE + (1 << 20))
        return error_set(err, "-m: too little for a -kernel");
    b.file = load_file("-kernel", b.path, pc->below_4g, err);
    if (!b.file)
        return false;
    ok = load_kernel(&b, err);
    g_bytes_unref(b.file);
    return ok;
}
