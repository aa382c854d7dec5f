/*
 * From devicetree to struct platform and hart table.
 *
 * Two passes, since nodes come in any order: first memory and harts, then the devices that refer to
 * the harts' interrupt controllers. Bus addresses are taken as they stand: `ranges` of the buses
 * that hold these devices are one to one on every machine this runs on.
 */
#include "platform.h"
#include "hart.h"
#include "csr.h"

struct platform platform;

static const struct range whole_firmware = { FW_BASE, FW_SIZE };

/* -- memory ranges ---------------------------------------------------------------------------- */

/* Adds a private range; ranges that touch become one, as PMP entries are few. */
static void add_private(struct range r)
{
    for (unsigned long i = 0; i < platform.private_count; i++) {
        struct range *p = &platform.private[i];

        if (r.base + r.size == p->base) {
            r.size += p->size;
        } else if (p->base + p->size == r.base) {
            r.base = p->base;
            r.size += p->size;
        } else {
            continue;
        }
        *p = platform.private[--platform.private_count];
        i = -1ul; /* the grown range may touch another */
    }
    if (platform.private_count < MAX_PRIVATE) {
        platform.private[platform.private_count++] = r;
    }
}

static void scan_memory(const struct fdt *fdt, const struct fdt_node *node)
{
    struct range r;

    for (uint32_t i = 0; platform.ram_count < MAX_RAM && fdt_reg(fdt, node, i, &r); i++) {
        platform.ram[platform.ram_count++] = r;
    }
}

bool platform_supervisor_ram(struct range range)
{
    if (range_overlap(range, whole_firmware)) {
        return false;
    }
    for (unsigned long i = 0; i < platform.ram_count; i++) {
        if (range_inside(range, platform.ram[i])) {
            return true;
        }
    }
    return false;
}

bool platform_supervisor_code(uintptr_t addr)
{
    struct range r = { addr, 4 };

    for (unsigned long i = 0; i < platform.private_count; i++) {
        if (range_overlap(r, platform.private[i])) {
            return false;
        }
    }
    return true;
}

bool platform_reserve(struct fdt *fdt, uintptr_t next_addr)
{
    struct range now = { (uintptr_t)fdt->base, fdt->size };
    struct range growth = { now.base + now.size, fdt_reserve_growth(fdt) };
    struct range next = { next_addr, 4 };

    if (!platform_supervisor_ram(now)) {
        return false;
    }
    if (growth.size && (!platform_supervisor_ram(growth) || range_overlap(growth, next) ||
                        range_overlap(growth, platform.initrd))) {
        return false;
    }
    return fdt_reserve(fdt, "mmode_resv", whole_firmware);
}

/* -- harts ------------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    uint32_t flag;
} isa_names[] = {
    { "sstc", ISA_SSTC },           { "svpbmt", ISA_SVPBMT }, { "svadu", ISA_SVADU },
    { "svade", ISA_SVADE },         { "zicbom", ISA_ZICBOM }, { "zicboz", ISA_ZICBOZ },
    { "smstateen", ISA_SMSTATEEN }, { "zkr", ISA_ZKR },       { "sscofpmf", ISA_SSCOFPMF },
};

/* Whether "rv64ima_zicsr_sstc1p0" names an extension; a version may follow the name. */
static bool isa_string_has(const char *isa, const char *name)
{
    size_t len = str_len(name);

    while (*isa) {
        while (*isa && *isa != '_') {
            isa++;
        }
        while (*isa == '_') {
            isa++;
        }
        if (str_len(isa) >= len && !memcmp(isa, name, len) &&
            (!isa[len] || isa[len] == '_' || (isa[len] >= '0' && isa[len] <= '9'))) {
            return true;
        }
    }
    return false;
}

static uint32_t scan_isa(const struct fdt *fdt, const struct fdt_node *node)
{
    const char *isa = fdt_string(fdt, node, "riscv,isa");
    uint32_t flags = 0;

    for (unsigned long i = 0; i < LENGTH(isa_names); i++) {
        if ((isa && isa_string_has(isa, isa_names[i].name)) ||
            fdt_list_has(fdt, node, "riscv,isa-extensions", isa_names[i].name)) {
            flags |= isa_names[i].flag;
        }
    }
    return flags;
}

static struct hart *scan_cpu(const struct fdt *fdt, const struct fdt_node *node)
{
    const char *type = fdt_string(fdt, node, "device_type");
    struct range id;
    struct hart *hart;

    if (!type || !str_equal(type, "cpu") || !fdt_enabled(fdt, node) ||
        !fdt_reg(fdt, node, 0, &id)) {
        return NULL;
    }
    hart = hart_add(id.base);
    if (hart) {
        hart->isa = scan_isa(fdt, node);
    }
    return hart;
}

static struct hart *hart_by_intc(uint32_t phandle)
{
    for (unsigned long i = 0; phandle && i < hart_count; i++) {
        if (hart_at(i)->intc_phandle == phandle) {
            return hart_at(i);
        }
    }
    return NULL;
}

static void scan_first(const struct fdt *fdt)
{
    struct fdt_cursor cursor;
    struct fdt_node node;
    struct hart *hart = NULL;
    uint32_t hart_depth = 0;

    for (fdt_start(&cursor, fdt); fdt_next(&cursor, &node);) {
        const char *type = fdt_string(fdt, &node, "device_type");

        if (hart && node.depth <= hart_depth) {
            hart = NULL;
        }
        if (type && str_equal(type, "memory") && fdt_enabled(fdt, &node)) {
            scan_memory(fdt, &node);
        } else if (type && str_equal(type, "cpu")) {
            hart = scan_cpu(fdt, &node);
            hart_depth = node.depth;
        } else if (hart && fdt_compatible(fdt, &node, "riscv,cpu-intc")) {
            hart->intc_phandle = fdt_number(fdt, &node, "phandle", 0);
        }
    }
}

/* -- devices ---------------------------------------------------------------------------------- */

/* Registers of the CLINT, which is MSWI and MTIMER of the ACLINT at fixed offsets. */
#define CLINT_MTIMECMP 0x4000
#define CLINT_MTIME    0xbff8

/*
 * Connects harts to the registers of one interrupt kind. Entries of "interrupts-extended" are
 * (controller, interrupt) pairs; the n-th of a kind owns the n-th register.
 */
static void connect(const struct fdt *fdt, const struct fdt_node *node, uint32_t irq,
                    uintptr_t regs, uintptr_t mtime)
{
    uint32_t len = 0, n = 0;
    const uint8_t *p = fdt_prop(fdt, node, "interrupts-extended", &len);

    for (; p && len >= 8; p += 8, len -= 8) {
        struct hart *hart = hart_by_intc(load_be32(p));

        if (load_be32(p + 4) != irq) {
            continue;
        }
        if (hart && irq == IRQ_MSI) {
            hart->msip = (volatile uint32_t *)(regs + 4 * n);
        } else if (hart) {
            hart->mtimecmp = (volatile uint32_t *)(regs + 8 * n);
            hart->mtime = (volatile uint32_t *)mtime;
        }
        n++;
    }
}

static void scan_clint(const struct fdt *fdt, const struct fdt_node *node)
{
    struct range r;

    if (fdt_reg(fdt, node, 0, &r) && r.base % 8 == 0) {
        add_private(r);
        connect(fdt, node, IRQ_MSI, r.base, 0);
        connect(fdt, node, IRQ_MTI, r.base + CLINT_MTIMECMP, r.base + CLINT_MTIME);
    }
}

static void scan_mswi(const struct fdt *fdt, const struct fdt_node *node)
{
    struct range r;

    if (fdt_reg(fdt, node, 0, &r) && r.base % 4 == 0) {
        add_private(r);
        connect(fdt, node, IRQ_MSI, r.base, 0);
    }
}

static void scan_mtimer(const struct fdt *fdt, const struct fdt_node *node)
{
    struct range counter, compare;

    if (fdt_reg(fdt, node, 0, &counter) && fdt_reg(fdt, node, 1, &compare) &&
        counter.base % 8 == 0 && compare.base % 8 == 0) {
        add_private(counter);
        add_private(compare);
        connect(fdt, node, IRQ_MTI, compare.base, counter.base);
    }
}

static void scan_finisher(const struct fdt *fdt, const struct fdt_node *node)
{
    struct range r;

    if (fdt_reg(fdt, node, 0, &r)) {
        platform.finisher = r.base;
    }
}

static void scan_htif(const struct fdt *fdt, const struct fdt_node *node)
{
    struct range r;

    if (fdt_reg(fdt, node, 0, &r) && r.base % 8 == 0) {
        platform.htif = r.base;
    }
}

/* The node that /chosen names as output, or any UART as long as there is no better one. */
static void scan_uart(const struct fdt *fdt, const struct fdt_node *node)
{
    struct fdt_node chosen, aliases, out;
    const char *path = NULL;
    struct range r;
    bool named = false;

    if (fdt_find(fdt, "/chosen", &chosen)) {
        path = fdt_string(fdt, &chosen, "stdout-path");
    }
    if (path && *path != '/' && fdt_find(fdt, "/aliases", &aliases)) {
        path = fdt_string(fdt, &aliases, path);
    }
    if (path && fdt_find(fdt, path, &out)) {
        named = out.props == node->props;
    }
    if ((platform.console.kind != CONSOLE_NONE && !named) || !fdt_reg(fdt, node, 0, &r)) {
        return;
    }
    platform.console.kind = CONSOLE_UART;
    platform.console.base = r.base;
    platform.console.reg_shift = fdt_number(fdt, node, "reg-shift", 0) & 3;
    platform.console.reg_width = fdt_number(fdt, node, "reg-io-width", 1);
    platform.console.clock = fdt_number(fdt, node, "clock-frequency", 0);
}

static const struct {
    const char *compatible;
    void (*scan)(const struct fdt *fdt, const struct fdt_node *node);
} drivers[] = {
    { "riscv,clint0", scan_clint },     { "sifive,clint0", scan_clint },
    { "riscv,aclint-mswi", scan_mswi }, { "riscv,aclint-mtimer", scan_mtimer },
    { "sifive,test0", scan_finisher },  { "sifive,test1", scan_finisher },
    { "ns16550a", scan_uart },          { "ns16550", scan_uart },
    { "ucb,htif0", scan_htif },
};

static void scan_devices(const struct fdt *fdt)
{
    struct fdt_cursor cursor;
    struct fdt_node node;

    for (fdt_start(&cursor, fdt); fdt_next(&cursor, &node);) {
        for (unsigned long i = 0; i < LENGTH(drivers) && fdt_enabled(fdt, &node); i++) {
            if (fdt_compatible(fdt, &node, drivers[i].compatible)) {
                drivers[i].scan(fdt, &node);
                break;
            }
        }
    }
    if (platform.console.kind == CONSOLE_NONE && platform.htif) {
        platform.console.kind = CONSOLE_HTIF;
        platform.console.base = platform.htif;
    }
}

void platform_scan(const struct fdt *fdt)
{
    struct fdt_node chosen;

    add_private(whole_firmware);
    scan_first(fdt);
    scan_devices(fdt);
    if (fdt_find(fdt, "/chosen", &chosen)) {
        uint64_t start = fdt_number(fdt, &chosen, "linux,initrd-start", 0);
        uint64_t end = fdt_number(fdt, &chosen, "linux,initrd-end", 0);

        if (start < end && end <= UINTPTR_MAX) {
            platform.initrd.base = start;
            platform.initrd.size = end - start;
        }
    }
}
