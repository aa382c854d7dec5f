/*
 * What to boot from: floppies, disks, CDs and ROMs with a bootstrap entry (BBS 1.01, 3.3) or with
 * disks, which a bootstrap connection vector lets them put behind INT 13h (3.2), in the
 * order of fw_cfg's `bootorder`, then of CMOS; a menu of them; INT 19h and 18h.
 */
#include "disk.h"

#define CHOICES_MAX 20
#define ESC         0x1b
#define F12         0x8600
#define NOT_LISTED  0xffff

/* Expansion headers for PnP (Plug and Play BIOS 1.0a, 3.2). */
#define PNP_SIGNATURE   0x506e5024 /* "$PnP" */
#define ROM_HEADERS_MAX 8

enum { PNP_NEXT = 0x06, PNP_PRODUCT = 0x10, PNP_BCV = 0x16, PNP_BEV = 0x1a };

#define CONNECTIONS_MAX 8

struct connection {
    uint16_t seg, entry, product, bdf;
    uint8_t first, end; /* its disks, from 80h on */
};

enum class { CLASS_FLOPPY = 1, CLASS_DISK, CLASS_CD, CLASS_NET, CLASS_KERNEL };

struct choice {
    enum class class;
    uint16_t rank, bdf;
    uint8_t unit;                 /* of floppies, and INT 13h's number of ROMs' disks */
    struct drive *d;              /* of disks and CDs; NULL of ROMs' disks */
    uint16_t seg, entry, product; /* of ROMs: bootstrap entry, name */
};

static struct choice choices[CHOICES_MAX];
static unsigned n_choices, next_choice;
static struct connection connections[CONNECTIONS_MAX];
static unsigned n_connections;
static bool sorted;
extern uint16_t stack_top;
extern char stacks_end[];

static struct choice *add(enum class class)
{
    struct choice *c = n_choices < CHOICES_MAX ? &choices[n_choices++] : &choices[0];

    c->class = class;
    return c;
}

void boot_rom_found(uint16_t segment, uint16_t bdf)
{
    uint16_t header = far_read16(segment, 0x1a);

    for (unsigned n = 0; n < ROM_HEADERS_MAX && header; n++) {
        uint16_t entry = far_read16(segment, header + PNP_BEV);
        uint16_t bcv = far_read16(segment, header + PNP_BCV);

        if (far_read32(segment, header) != PNP_SIGNATURE)
            return;
        if (bcv && n_connections < CONNECTIONS_MAX)
            connections[n_connections++] = (struct connection){
                .seg = segment,
                .entry = bcv,
                .product = far_read16(segment, header + PNP_PRODUCT),
                .bdf = bdf,
            };
        if (entry) {
            struct choice *c = add(CLASS_NET);

            c->seg = segment;
            c->entry = entry;
            c->product = far_read16(segment, header + PNP_PRODUCT);
            c->bdf = bdf;
        }
        header = far_read16(segment, header + PNP_NEXT);
    }
}

static void call_rom(uint16_t seg, uint16_t entry, uint16_t bdf)
{
    extern const char pnp[];
    struct far_call call = {
        .ip = entry, .cs = seg, .eax = bdf, .edi = (uint16_t)(uintptr_t)pnp, .es = SEG_BIOS
    };

    call_far(&call);
    __asm__ volatile("sti");
}

void boot_connect_roms(void)
{
    for (unsigned i = 0; i < n_connections; i++) {
        struct connection *v = &connections[i];

        v->first = bda_read8(BDA_DISKS);
        call_rom(v->seg, v->entry, v->bdf);
        v->end = bda_read8(BDA_DISKS);
    }
}

static void add_rom_disks(const struct connection *v)
{
    for (unsigned i = v->first; i < v->end; i++) {
        struct choice *c = add(CLASS_DISK);

        c->unit = (uint8_t)(0x80 + i);
        c->seg = v->seg;
        c->product = v->product;
        c->bdf = v->bdf;
    }
}

/* ---- order ---- */

/* Builds what an Open Firmware path of the device has in it. */
static char pattern[32];
static unsigned pattern_len;

static void pattern_put(char c)
{
    if (pattern_len < sizeof(pattern) - 1)
        pattern[pattern_len++] = c;
    pattern[pattern_len] = 0;
}

static void make_pattern(const struct choice *c)
{
    const uint16_t bdf = c->d ? c->d->bdf : c->bdf;
    const uint32_t args[] = { bdf >> 3 & 31, bdf & 7 };
    const uint32_t ide[] = { c->d && c->d->port == 0x170, c->d ? c->d->unit : 0 };
    const uint32_t floppy[] = { c->unit };

    pattern_len = 0;
    if (c->class == CLASS_FLOPPY)
        format_to(pattern_put, "/floppy@%x", floppy);
    else if (c->class == CLASS_NET)
        format_to(pattern_put, args[1] ? "/ethernet@%x,%x" : "/ethernet@%x", args);
    else if (!c->d || c->d->kind == DRIVE_VIRTIO)
        format_to(pattern_put, args[1] ? "/scsi@%x,%x/" : "/scsi@%x/", args);
    else
        format_to(pattern_put, "/drive@%x/disk@%x", ide);
}

static uint16_t line_in_order(const struct choice *c)
{
    uint16_t line = 0;

    make_pattern(c);
    for (const char *p = sys.boot_order; *p; p++) {
        if (memcmp(p, pattern, pattern_len) == 0)
            return line;
        line += *p == '\n';
    }
    return NOT_LISTED;
}

/* Three nibbles: first, second and third class. */
static uint16_t class_rank(enum class class)
{
    const uint8_t order[] = { cmos_read(0x3d) & 15, cmos_read(0x3d) >> 4, cmos_read(0x38) >> 4 };

    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        if (order[i] == class)
            return 0x100 + i;
    /* without any wish the usual order; what the wish leaves out comes last */
    return order[0] ? NOT_LISTED : 0x100 + class;
}

static void sort(void)
{
    for (unsigned i = 0; i < n_choices; i++) {
        struct choice c = choices[i];
        unsigned k = i;

        if (c.class == CLASS_KERNEL)
            c.rank = 0;
        else
            c.rank = sys.boot_order[0] ? line_in_order(&c) : NOT_LISTED;
        if (c.rank == NOT_LISTED)
            c.rank = class_rank(c.class);
        for (; k && choices[k - 1].rank > c.rank; k--)
            choices[k] = choices[k - 1];
        choices[k] = c;
    }
}

static void collect(void)
{
    struct drive *d;

    if (sys.has_kernel)
        add(CLASS_KERNEL);
    for (unsigned i = 0; i < floppy_count(); i++)
        add(CLASS_FLOPPY)->unit = i;
    for (unsigned i = 0; i < n_hard_disks; i++)
        add(CLASS_DISK)->d = hard_disks[i];
    for (unsigned i = 0; i < n_connections; i++)
        add_rom_disks(&connections[i]);
    for (unsigned i = 0; (d = drive_nth(DRIVE_CD, i)); i++)
        add(CLASS_CD)->d = d;
    sort();
    for (unsigned i = n_choices; i--;)
        if (choices[i].d && choices[i].class == CLASS_DISK)
            drive_first(choices[i].d);
}

/* ---- starting ---- */

static void leave(uint32_t seg_off, uint8_t drive)
{

    stack_top = (uint16_t)(uintptr_t)stacks_end;
    boot_at(seg_off, drive);
}

/* The first sector, by INT 13h, which may be a ROM's. */
static bool read_sector(uint8_t drive)
{
    for (unsigned i = 0; i < 3; i++) {
        uint16_t result = 0x0201;
        uint8_t failed;

        __asm__ volatile("pushw %%ds\n\tpushw %%es\n\tpushal\n\txorl %%ebx, %%ebx\n\t"
                         "movw %%bx, %%es\n\tmovw $0x7c00, %%bx\n\tmovw $1, %%cx\n\t"
                         "int $0x13\n\tpopal\n\tpopw %%es\n\tpopw %%ds\n\tsetc %1\n\tcld"
                         : "+a"(result), "=m"(failed)
                         : "d"((uint32_t)drive)
                         : "memory", "cc");
        if (!failed)
            return true;
    }
    return false;
}

static void start_sector(uint8_t drive, bool check)
{
    if (!read_sector(drive) || (check && far_read16(0x7c0, 510) != 0xaa55)) {
        print("nothing to boot there\n");
        return;
    }
    leave(0x7c00, drive);
}

static void start_cd(struct drive *d)
{
    uint16_t segment;
    uint8_t drive = cd_boot(d, &segment);

    if (!drive) {
        print("nothing to boot there\n");
        return;
    }
    leave((uint32_t)segment << 16, drive == 0xff ? 0 : drive);
}

static void start_rom(const struct choice *c)
{
    call_rom(c->seg, c->entry, c->bdf);
}

/* In real mode with all segments at its first byte. */
static void start_kernel(void)
{
    if (!call32(post_kernel, 0)) {
        print("no kernel that can be started\n");
        return;
    }
    __asm__ volatile("cli\n\tmovw %w0, %%ds\n\tmovw %w0, %%es\n\tmovw %w0, %%fs\n\t"
                     "movw %w0, %%gs\n\tmovw %w0, %%ss\n\tmovl %1, %%esp\n\tljmp %2, $0"
                     :
                     : "r"(KERNEL_SETUP >> 4), "i"(0xe000), "i"((KERNEL_SETUP >> 4) + 0x20));
    __builtin_unreachable();
}

static void describe_rom(const struct choice *c)
{
    char ch;

    print(" (");
    for (unsigned i = 0; c->product && i < 40 && (ch = (char)far_read8(c->seg, c->product + i));
         i++)
        print("%c", ch);
    print(c->product ? ")" : "ROM at %x)", c->seg);
}

static void describe(const struct choice *c)
{
    static const char *const names[] = { "", "Floppy", "Disk", "CD", "Network", "Kernel" };

    print("%s", names[c->class]);
    if (c->class == CLASS_FLOPPY)
        print(" %u", c->unit);
    else if (c->seg)
        describe_rom(c);
    else if (c->d)
        print(" (%s)", c->d->name);
}

static uint8_t disk_number(const struct choice *c)
{
    return c->d ? (uint8_t)(0x80 + (c->d == hard_disks[0] ? 0 : 1)) : c->unit;
}

static void start(const struct choice *c)
{
    print("Booting from ");
    describe(c);
    print("\n");
    log_line("boot: class %u", c->class);
    switch (c->class) {
    case CLASS_FLOPPY: start_sector(c->unit, !(cmos_read(0x38) & 1)); break;
    case CLASS_DISK: start_sector(disk_number(c), true); break;
    case CLASS_CD: start_cd(c->d); break;
    case CLASS_NET: start_rom(c); break;
    case CLASS_KERNEL: start_kernel(); break;
    }
}

void boot_next(void)
{
    stack_top = (uint16_t)((uintptr_t)stacks_end - 0x800);
    __asm__ volatile("sti");
    while (next_choice < n_choices) {
        struct choice *c = &choices[next_choice++];

        if (c->d && c->class == CLASS_DISK)
            drive_first(c->d);
        start(c);
    }
    print("No bootable device.\n");
    log_line("boot: nothing left");
    for (;;)
        __asm__ volatile("hlt");
}

/* ---- menu ---- */

static void menu(void)
{
    struct choice chosen;
    uint16_t key;

    print("\nPress ESC or F12 for the boot menu\n");
    key = key_wait(sys.menu_wait_ms);
    if ((key & 0xff) != ESC && key != F12)
        return;
    for (unsigned i = 0; i < n_choices; i++) {
        print("%c. ", i + (i < 9 ? (unsigned)'1' : 'a' - 9u));
        describe(&choices[i]);
        print("\n");
    }
    for (;;) {
        unsigned n;

        key = key_wait(60000) & 0xff;
        n = key - (key >= 'a' ? 'a' - 9u : (unsigned)'1');
        if (key == ESC)
            return;
        if (n >= n_choices)
            continue;
        chosen = choices[n];
        for (; n; n--)
            choices[n] = choices[n - 1];
        choices[0] = chosen;
        return;
    }
}

void boot_start(void)
{
    if (!sorted) {
        sorted = true;
        collect();
        pmm_close();
        print("myna BIOS\n");
        if (sys.menu)
            menu();
    }
    next_choice = 0;
    boot_next();
}
