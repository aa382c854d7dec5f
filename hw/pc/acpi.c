/*
 * The ACPI tables of a PC with PCI (ACPI 6.4, 5.2): FADT, FACS, MADT, HPET, WAET and a DSDT that
 * describes buses, routing of interrupts and the devices on the ISA bus. Firmware reads them from
 * fw_cfg; a kernel that starts without finds them at the end of low RAM, and their root below 1
 * MiB.
 */
#include "acpi.h"

#include <base/bits.h>
#include <hw/acpi/aml.h>
#include <hw/acpi/pcihp.h>
#include <hw/acpi/piix4.h>
#include <hw/misc/fw_cfg.h>
#include <hw/pci/i440fx.h>

#define GIB         (UINT64_C(1) << 30)
#define LAPIC_BASE  0xfee00000u
#define IOAPIC_BASE 0xfec00000u
#define HPET_BASE   0xfed00000u
#define PCI_LAST    0xfebfffffu /* below the interrupt controllers */
#define SLOTS       32

/* ISA interrupts that PCI is routed to */
static const uint32_t pci_irqs[] = { 5, 10, 11 };

/* ---- DSDT: PCI ---- */

/*
 * A system without long mode gets no window above 4 GiB. It has no need of one, and not all cope:
 * ioremap() of Debian 12's 686-pae kernel drops address bits 32 and up, on any machine.
 */
static void add_pci_windows(struct aml *a, const struct pc *pc)
{
    uint64_t high = align_up(4 * GIB + pc->above_4g, GIB);
    uint32_t low = (uint32_t)pc->below_4g;

    aml_name(a, "_CRS");
    aml_resources(a);
    aml_res_bus_window(a, 0, 255);
    aml_res_io(a, 0xcf8, 1, 8);
    aml_res_io_window(a, 0, 0xcf7);
    aml_res_io_window(a, 0xd00, 0xffff);
    aml_res_memory_window(a, 0xa0000, 0xbffff, true);
    aml_res_memory_window(a, low, PCI_LAST, false);
    if (pc_has_long_mode(pc))
        aml_res_memory_window(a, high, MAX(2 * high, 512 * GIB) - 1, false);
    aml_resources_end(a);
}

/* Slot by slot and pin by pin: which of the four links it leads to. */
static void add_pci_routing(struct aml *a)
{
    static const char *const links[] = { "LNKA", "LNKB", "LNKC", "LNKD" };

    aml_name(a, "_PRT");
    aml_open_package(a, SLOTS * 4);
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            aml_open_package(a, 4);
            aml_int(a, slot << 16 | 0xffff);
            aml_int(a, pin);
            if (slot == 1 && pin == 0) /* power management: always the SCI */
                aml_path(a, "LNKS");
            else
                aml_path(a, links[(slot + pin + 3) % 4]);
            aml_int(a, 0);
            aml_close(a);
        }
    }
    aml_close(a);
}

static void add_possible(struct aml *a, const char *name, const uint32_t *irqs, unsigned n)
{
    aml_name(a, name);
    aml_resources(a);
    aml_res_interrupts(a, irqs, n);
    aml_resources_end(a);
}

/* Methods of a link work on its route register (PIIX3, 2.2.10): bit 7 is "off". */
static void add_link_methods(struct aml *a, const char *reg)
{
    aml_open_method(a, "_STA", 0);
    aml_open_if(a);
    aml_op(a, AML_AND), aml_path(a, reg), aml_int(a, 0x80), aml_op(a, AML_NO_TARGET);
    aml_op(a, AML_RETURN), aml_int(a, 0x09);
    aml_close(a);
    aml_op(a, AML_RETURN), aml_int(a, 0x0b);
    aml_close(a);

    aml_open_method(a, "_DIS", 0);
    aml_op(a, AML_OR), aml_path(a, reg), aml_int(a, 0x80), aml_path(a, reg);
    aml_close(a);

    /* the number of the interrupt stands at 5 of the descriptor */
    aml_open_method(a, "_CRS", 0);
    add_possible(a, "BUF0", &(uint32_t){ 0 }, 1);
    aml_op(a, AML_CREATE_DWORD_FIELD), aml_path(a, "BUF0"), aml_int(a, 5), aml_path(a, "IRQN");
    aml_op(a, AML_AND), aml_path(a, reg), aml_int(a, 0x0f), aml_path(a, "IRQN");
    aml_op(a, AML_RETURN), aml_path(a, "BUF0");
    aml_close(a);

    aml_open_method(a, "_SRS", 1);
    aml_op(a, AML_CREATE_DWORD_FIELD), aml_op(a, AML_ARG0), aml_int(a, 5), aml_path(a, "IRQN");
    aml_op(a, AML_STORE), aml_path(a, "IRQN"), aml_path(a, reg);
    aml_close(a);
}

static void add_links(struct aml *a)
{
    static const char *const names[] = { "LNKA", "LNKB", "LNKC", "LNKD" };
    static const char *const regs[] = { "\\_SB.PCI0.ISA.PRQ0", "\\_SB.PCI0.ISA.PRQ1",
                                        "\\_SB.PCI0.ISA.PRQ2", "\\_SB.PCI0.ISA.PRQ3" };
    const uint32_t sci = PC_IRQ_SCI;

    for (unsigned i = 0; i < 4; i++) {
        aml_open_device(a, names[i]);
        aml_name_eisa_id(a, "_HID", "PNP0C0F");
        aml_name_int(a, "_UID", i);
        add_possible(a, "_PRS", pci_irqs, ARRAY_LEN(pci_irqs));
        add_link_methods(a, regs[i]);
        aml_close(a);
    }
    aml_open_device(a, "LNKS");
    aml_name_eisa_id(a, "_HID", "PNP0C0F");
    aml_name_int(a, "_UID", 4);
    add_possible(a, "_PRS", &sci, 1);
    add_possible(a, "_CRS", &sci, 1);
    aml_open_method(a, "_SRS", 1);
    aml_close(a);
    aml_open_method(a, "_DIS", 0);
    aml_close(a);
    aml_name_int(a, "_STA", 0x0b);
    aml_close(a);
}

/* ---- DSDT: ISA ---- */

struct isa_row {
    const char *name, *hid;
    const char *type; /* listed if the bus has such a device; NULL: always */
    unsigned uid;
    struct {
        uint16_t base;
        uint8_t len;
    } io[2];
    int irq, dma; /* -1: none */
};

static const struct isa_row isa_rows[] = {
    { "RTC", "PNP0B00", NULL, 0, { { 0x70, 8 } }, 8, -1 },
    { "KBD", "PNP0303", "i8042", 0, { { 0x60, 1 }, { 0x64, 1 } }, 1, -1 },
    { "MOU", "PNP0F13", "i8042", 0, { { 0, 0 } }, 12, -1 },
    { "FDC0", "PNP0700", "isa-fdc", 0, { { 0x3f2, 4 }, { 0x3f7, 1 } }, 6, 2 },
    { "LPT1", "PNP0400", "isa-parallel", 1, { { 0x378, 8 } }, 7, -1 },
    { "COM1", "PNP0501", "isa-serial", 1, { { 0x3f8, 8 } }, 4, -1 },
    { "COM2", "PNP0501", "isa-serial", 2, { { 0x2f8, 8 } }, 3, -1 },
    { "COM3", "PNP0501", "isa-serial", 3, { { 0x3e8, 8 } }, 4, -1 },
    { "COM4", "PNP0501", "isa-serial", 4, { { 0x2e8, 8 } }, 3, -1 },
};

/* Whether somebody's ports begin where the row says; a mouse has no ports of its own. */
static bool is_there(const struct pc *pc, const struct isa_row *row)
{
    uint64_t len = 1;
    unsigned cookie;
    struct section s;

    if (!row->type)
        return true;
    cookie = mem_read_begin(pc->m.mem);
    s = space_lookup((struct address_space *)&pc->m.ports, row->io[0].len ? row->io[0].base : 0x60,
                     &len);
    mem_read_end(pc->m.mem, cookie);
    return s.region && s.region != &pc->no_port;
}

static void add_isa_device(struct aml *a, const struct isa_row *row)
{
    aml_open_device(a, row->name);
    aml_name_eisa_id(a, "_HID", row->hid);
    if (row->uid)
        aml_name_int(a, "_UID", row->uid);
    aml_name_int(a, "_STA", 0x0f);
    aml_name(a, "_CRS");
    aml_resources(a);
    for (unsigned i = 0; i < ARRAY_LEN(row->io) && row->io[i].len; i++)
        aml_res_io(a, row->io[i].base, 1, row->io[i].len);
    aml_res_irq(a, (unsigned)row->irq);
    if (row->dma >= 0)
        aml_res_dma(a, (unsigned)row->dma);
    aml_resources_end(a);
    aml_close(a);
}

static void add_isa(struct aml *a, const struct pc *pc)
{
    static const char *const regs[] = { "PRQ0", "PRQ1", "PRQ2", "PRQ3" };

    aml_open_device(a, "ISA");
    aml_name_int(a, "_ADR", 0x00010000);
    aml_region(a, "PIRQ", 2, 0x60, 4);
    aml_byte_fields(a, "PIRQ", regs, ARRAY_LEN(regs));
    for (unsigned i = 0; i < ARRAY_LEN(isa_rows); i++)
        if (is_there(pc, &isa_rows[i]))
            add_isa_device(a, &isa_rows[i]);
    aml_close(a);
}

/* ---- DSDT: plugging of PCI functions ---- */

static void slot_name(char name[5], unsigned slot)
{
    g_snprintf(name, 5, "S%02X_", slot << 3);
}

static void add_slots(struct aml *a, uint32_t slots)
{
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        char name[5];

        if (!(slots >> slot & 1))
            continue;
        slot_name(name, slot);
        aml_open_device(a, name);
        aml_name_int(a, "_SUN", slot);
        aml_name_int(a, "_ADR", slot << 16);
        aml_open_method(a, "_EJ0", 1);
        aml_op(a, AML_STORE), aml_int(a, BIT(slot)), aml_path(a, "PCIE");
        aml_close(a);
        aml_close(a);
    }
}

/* A method that notifies each slot of its first argument of the second one. */
static void add_notify(struct aml *a, uint32_t slots)
{
    aml_open_method(a, "PNOT", 2);
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        char name[5];

        if (!(slots >> slot & 1))
            continue;
        slot_name(name, slot);
        aml_open_if(a);
        aml_op(a, AML_AND), aml_op(a, AML_ARG0), aml_int(a, BIT(slot)), aml_op(a, AML_NO_TARGET);
        aml_op(a, AML_NOTIFY), aml_path(a, name), aml_op(a, AML_ARG0 + 1);
        aml_close(a);
    }
    aml_close(a);
}

/* 1: what is in the slot is to be looked at; 3: it is to be given up (ACPI 6.4, 5.6.6). */
static void add_pci_hotplug(struct aml *a, const struct pc *pc)
{
    static const char *const regs[] = { "PCIU", "PCID", "PCIE" };
    uint32_t slots = acpi_pcihp_slots(i440fx_bus(pc->host));

    aml_region(a, "PCHP", 1, ACPI_PCIHP_PORT, 4 * ARRAY_LEN(regs));
    aml_dword_fields(a, "PCHP", regs, ARRAY_LEN(regs));
    add_slots(a, slots);
    add_notify(a, slots);
    aml_open_method(a, "PCNT", 0);
    aml_path(a, "PNOT"), aml_path(a, "PCIU"), aml_int(a, 1);
    aml_path(a, "PNOT"), aml_path(a, "PCID"), aml_int(a, 3);
    aml_close(a);
}

static void add_events(struct aml *a)
{
    aml_open_scope(a, "\\_GPE");
    aml_open_method(a, "_E01", 0);
    aml_path(a, "\\_SB.PCI0.PCNT");
    aml_close(a);
    aml_close(a);
}

/* ---- DSDT: the rest ---- */

static bool has_hpet(const struct pc *pc)
{
    return pc->hpet != NULL;
}

static void add_hpet_device(struct aml *a)
{
    aml_open_device(a, "HPET");
    aml_name_eisa_id(a, "_HID", "PNP0103");
    aml_name_int(a, "_UID", 0);
    aml_name(a, "_CRS");
    aml_resources(a);
    aml_res_memory(a, HPET_BASE, 0x400, false);
    aml_resources_end(a);
    aml_close(a);
}

static void add_cpus(struct aml *a, const struct pc *pc)
{
    for (unsigned i = 0; i < pc->m.cfg.cpus; i++) {
        char name[5];

        g_snprintf(name, sizeof(name), "C%03X", i);
        aml_open_device(a, name);
        aml_name(a, "_HID");
        aml_string(a, "ACPI0007");
        aml_name_int(a, "_UID", i);
        aml_close(a);
    }
}

/* What PM1 control is to be written for a sleep state (7.4.2) */
static void add_sleep(struct aml *a, const char *name, unsigned type)
{
    aml_name(a, name);
    aml_open_package(a, 4);
    aml_int(a, type);
    aml_int(a, type);
    aml_int(a, 0);
    aml_int(a, 0);
    aml_close(a);
}

static uint32_t add_dsdt(struct acpi_tables *t, const struct pc *pc)
{
    uint32_t at = acpi_table_begin(t, "DSDT", 2);
    struct aml a = { .bytes = t->blob };

    aml_open_scope(&a, "\\_SB");
    aml_open_device(&a, "PCI0");
    aml_name_eisa_id(&a, "_HID", "PNP0A03");
    aml_name_int(&a, "_UID", 0);
    add_pci_windows(&a, pc);
    add_pci_routing(&a);
    add_isa(&a, pc);
    if (piix4_has_pci_hotplug(pc->pm))
        add_pci_hotplug(&a, pc);
    aml_close(&a);
    add_links(&a);
    if (has_hpet(pc))
        add_hpet_device(&a);
    add_cpus(&a, pc);
    aml_close(&a);

    if (piix4_has_s3(pc->pm))
        add_sleep(&a, "\\_S3", ACPI_SLEEP_S3);
    if (piix4_has_s4(pc->pm))
        add_sleep(&a, "\\_S4", ACPI_SLEEP_S4);
    add_sleep(&a, "\\_S5", ACPI_SLEEP_S5);
    if (piix4_has_pci_hotplug(pc->pm))
        add_events(&a);
    acpi_table_end(t, at);
    return at;
}

/* ---- FADT (5.2.9) ---- */

static void put_register(struct acpi_tables *t, unsigned bits, uint16_t port)
{
    acpi_put(t, 1, 1); /* I/O space */
    acpi_put(t, 1, bits);
    acpi_put(t, 1, 0);
    acpi_put(t, 1, 0);
    acpi_put(t, 8, port);
}

static void put_no_register(struct acpi_tables *t)
{
    acpi_put(t, 4, 0);
    acpi_put(t, 8, 0);
}

/* WBINVD works, C1 is there; buttons: power is fixed hardware, sleep does not exist; reset register
 */
#define FADT_FLAGS     (1u << 0 | 1u << 2 | 1u << 5 | 1u << 10)
#define FADT_BOOT_ARCH 0x0003 /* ISA devices, keyboard controller */

static uint32_t add_fadt(struct acpi_tables *t, uint16_t pm, uint32_t facs, uint32_t dsdt)
{
    uint32_t at = acpi_table_begin(t, "FACP", 3);

    acpi_put(t, 4, 0);
    acpi_table_point(t, at + 36, 4, facs);
    acpi_put(t, 4, 0);
    acpi_table_point(t, at + 40, 4, dsdt);
    acpi_put(t, 1, 0), acpi_put(t, 1, 0); /* profile: unspecified */
    acpi_put(t, 2, PC_IRQ_SCI);
    acpi_put(t, 4, PIIX4_APM_PORT);
    acpi_put(t, 1, PIIX4_ACPI_ON), acpi_put(t, 1, PIIX4_ACPI_OFF);
    acpi_put(t, 2, 0); /* S4BIOS, P-states: none */
    acpi_put(t, 4, pm), acpi_put(t, 4, 0);
    acpi_put(t, 4, pm + 4u), acpi_put(t, 4, 0);
    acpi_put(t, 4, 0); /* PM2 */
    acpi_put(t, 4, pm + 8u);
    acpi_put(t, 4, PIIX4_GPE_PORT), acpi_put(t, 4, 0);
    acpi_put(t, 1, 4), acpi_put(t, 1, 2), acpi_put(t, 1, 0), acpi_put(t, 1, 4); /* their lengths */
    acpi_put(t, 1, 4), acpi_put(t, 1, 0), acpi_put(t, 1, 0), acpi_put(t, 1, 0);
    acpi_put(t, 2, 0xfff), acpi_put(t, 2, 0xfff); /* C2 and C3: none */
    acpi_put(t, 4, 0);                            /* flushing, duty cycle */
    acpi_put(t, 2, 0), acpi_put(t, 1, 0), acpi_put(t, 1, 0), acpi_put(t, 1, 0x32); /* century */
    acpi_put(t, 2, FADT_BOOT_ARCH), acpi_put(t, 1, 0);
    acpi_put(t, 4, FADT_FLAGS);
    put_register(t, 8, 0xcf9);
    acpi_put(t, 1, 0x06); /* value that resets */
    acpi_put(t, 3, 0);
    acpi_put(t, 8, 0); /* X_FIRMWARE_CTRL: the 32-bit one counts */
    acpi_put(t, 8, 0);
    acpi_table_point(t, at + 140, 8, dsdt);
    put_register(t, 32, pm), put_no_register(t);
    put_register(t, 16, (uint16_t)(pm + 4)), put_no_register(t);
    put_no_register(t);
    put_register(t, 32, (uint16_t)(pm + 8));
    put_register(t, 32, PIIX4_GPE_PORT), put_no_register(t);
    acpi_table_end(t, at);
    return at;
}

/* ---- MADT (5.2.12) ---- */

static void put_override(struct acpi_tables *t, unsigned irq, unsigned gsi, unsigned flags)
{
    acpi_put(t, 1, 2), acpi_put(t, 1, 10);
    acpi_put(t, 1, 0), acpi_put(t, 1, irq);
    acpi_put(t, 4, gsi);
    acpi_put(t, 2, flags);
}

#define LEVEL_HIGH 0x000d

static uint32_t add_madt(struct acpi_tables *t, const struct pc *pc)
{
    uint32_t at = acpi_table_begin(t, "APIC", 3);

    acpi_put(t, 4, LAPIC_BASE);
    acpi_put(t, 4, 1); /* there are 8259s, too */
    for (unsigned i = 0; i < pc->m.cfg.cpus; i++) {
        acpi_put(t, 1, 0), acpi_put(t, 1, 8);
        acpi_put(t, 1, i), acpi_put(t, 1, pc_apic_id(pc, i));
        acpi_put(t, 4, 1);
    }
    acpi_put(t, 1, 1), acpi_put(t, 1, 12);
    acpi_put(t, 2, 0); /* the I/O APIC's id */
    acpi_put(t, 4, IOAPIC_BASE);
    acpi_put(t, 4, 0);
    put_override(t, 0, 2, 0);
    for (unsigned i = 0; i < ARRAY_LEN(pci_irqs); i++)
        put_override(t, pci_irqs[i], pci_irqs[i], LEVEL_HIGH);
    put_override(t, PC_IRQ_SCI, PC_IRQ_SCI, LEVEL_HIGH);
    acpi_put(t, 1, 4), acpi_put(t, 1, 6); /* NMI: LINT1 of all */
    acpi_put(t, 1, 0xff), acpi_put(t, 2, 0), acpi_put(t, 1, 1);
    acpi_table_end(t, at);
    return at;
}

/* IA-PC HPET 1.0a, 3.2.4 */
static uint32_t add_hpet(struct acpi_tables *t)
{
    uint32_t at = acpi_table_begin(t, "HPET", 1);

    acpi_put(t, 4, 0x8086a201);
    acpi_put(t, 4, 0); /* memory */
    acpi_put(t, 8, HPET_BASE);
    acpi_put(t, 1, 0), acpi_put(t, 2, 0), acpi_put(t, 1, 0);
    acpi_table_end(t, at);
    return at;
}

/* Windows ACPI Emulated Devices Table: the PM timer never has a value between two, so that one
 * read of it is enough instead of three. */
static uint32_t add_waet(struct acpi_tables *t)
{
    enum { PM_TIMER_GOOD = 1 << 1 };
    uint32_t at = acpi_table_begin(t, "WAET", 1);

    acpi_put(t, 4, PM_TIMER_GOOD);
    acpi_table_end(t, at);
    return at;
}

/* ---- all ---- */

/* Returns where in the blob the FACS is. */
static uint32_t build(struct acpi_tables *t, const struct pc *pc, uint16_t pm)
{
    uint32_t tables[4], facs, dsdt;
    unsigned n = 0;

    acpi_tables_init(t);
    facs = acpi_facs(t);
    dsdt = add_dsdt(t, pc);
    tables[n++] = add_fadt(t, pm, facs, dsdt);
    tables[n++] = add_madt(t, pc);
    if (has_hpet(pc))
        tables[n++] = add_hpet(t);
    tables[n++] = add_waet(t);
    acpi_root(t, tables, n);
    return facs;
}

/* Before firmware reads a file: where it has put the PM registers is known only then. */
static void refresh(void *opaque)
{
    struct pc *pc = opaque;
    g_autoptr(GByteArray) commands = g_byte_array_new();
    uint16_t pm = piix4_pm_base(pc->pm);
    uint8_t rsdp[ACPI_RSDP_SIZE];
    struct acpi_tables t;

    build(&t, pc, pm ? pm : PC_PORT_PM);
    acpi_loader(&t, rsdp, commands);
    fw_cfg_replace_file(pc->fw_cfg, "etc/acpi/tables", t.blob->data, t.blob->len);
    fw_cfg_replace_file(pc->fw_cfg, "etc/acpi/rsdp", rsdp, sizeof(rsdp));
    fw_cfg_replace_file(pc->fw_cfg, "etc/table-loader", commands->data, commands->len);
    acpi_tables_clear(&t);
}

void pc_acpi_init(struct pc *pc)
{
    static const char *const files[] = { "etc/acpi/rsdp", "etc/acpi/tables", "etc/table-loader" };

    /* what firmware may do with S3 and S4: bit 7 "is there", and the value for PM1 control */
    const uint8_t states[6] = { 128,
                                0,
                                0,
                                (uint8_t)(ACPI_SLEEP_S3 | piix4_has_s3(pc->pm) << 7),
                                (uint8_t)(ACPI_SLEEP_S4 | piix4_has_s4(pc->pm) << 7),
                                128 };

    fw_cfg_add_file(pc->fw_cfg, "etc/system-states", states, sizeof(states));
    for (unsigned i = 0; i < ARRAY_LEN(files); i++)
        fw_cfg_add_file_callback(pc->fw_cfg, files[i], "", 0, false, refresh, pc);
}

void pc_acpi_ready(struct pc *pc)
{
    refresh(pc);
}

uint32_t pc_acpi_place(struct pc *pc, uint64_t base, uint8_t rsdp[ACPI_RSDP_SIZE])
{
    struct acpi_tables t;
    uint32_t len;

    pc->facs = (uint32_t)base + build(&t, pc, PC_PORT_PM);
    acpi_place(&t, base, rsdp);
    len = t.blob->len;
    if (len <= PC_TABLES_SIZE)
        space_write(&pc->m.memory, base, t.blob->data, len, 0);
    acpi_tables_clear(&t);
    return len;
}
