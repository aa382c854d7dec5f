/*
 * Boot: one hart, whichever wins the lottery in start.S, looks at the machine; then every hart sets
 * itself up and one of them goes on to the next stage.
 */
#include "console.h"
#include "fdt.h"
#include "hart.h"
#include "probe.h"
#include "platform.h"
#include "sbi.h"

/* The FW_DYNAMIC boot protocol: what the stage before passes in a2. Fields are register wide. */
#define DYNAMIC_MAGIC        0x4942534f
#define DYNAMIC_MODE_S       1
#define DYNAMIC_QUIET        1
#define DYNAMIC_NO_BOOT_HART (-1ul)

struct fw_dynamic_info {
    unsigned long magic, version;
    unsigned long next_addr, next_mode;
    unsigned long options;
    unsigned long boot_hart; /* from version 2 on */
};

/* Called by start.S. */
void cold_init(unsigned long id, uintptr_t fdt_addr, uintptr_t info_addr);
void hart_main(void) __attribute__((noreturn));

static bool read_info(uintptr_t addr, struct fw_dynamic_info *info)
{
    if (!addr || addr % sizeof(long) || !memory_readable(addr) ||
        !memory_readable(addr + sizeof(*info) - 1)) {
        return false;
    }
    memcpy(info, (const void *)addr, sizeof(*info));
    if (info->version < 2) {
        info->boot_hart = DYNAMIC_NO_BOOT_HART;
    }
    return info->magic == DYNAMIC_MAGIC;
}

/* The reason why there is no way on, or NULL. */
static const char *next_stage_fault(bool have_info, const struct fw_dynamic_info *info)
{
    if (!have_info) {
        return "nobody says what to boot (no FW_DYNAMIC information in a2)";
    }
    if (!info->next_addr) {
        return "no next stage: give the machine a kernel";
    }
    if (info->next_mode != DYNAMIC_MODE_S) {
        return "the next stage wants another mode than S";
    }
    return platform_supervisor_code(info->next_addr) ? NULL
                                                     : "the next stage overlaps the firmware";
}

void cold_init(unsigned long id, uintptr_t fdt_addr, uintptr_t info_addr)
{
    struct fw_dynamic_info info = { 0 };
    bool have_info = read_info(info_addr, &info);
    const char *fault;
    struct hart *boot;
    struct fdt fdt;

    if (!fdt_open(&fdt, fdt_addr)) {
        return;
    }
    platform_scan(&fdt);
    console_init(&platform.console);
    fault = next_stage_fault(have_info, &info);
    boot = hart_find(info.boot_hart);
    if (!boot) {
        boot = hart_find(id);
    }
    if (!fault && !boot) {
        fault = "the devicetree does not list the hart that runs";
    }
    if (fault) {
        console_printf("myna SBI: %s\n", fault);
        return;
    }
    if (!(info.options & DYNAMIC_QUIET)) {
        console_printf("myna SBI %lu.%lu: %lu hart%s, next stage at 0x%lx\n",
                       (unsigned long)SBI_IMPLEMENTATION_VERSION >> 16,
                       (unsigned long)SBI_IMPLEMENTATION_VERSION & 0xffff, hart_count,
                       hart_count == 1 ? "" : "s", info.next_addr);
    }
    if (!platform_reserve(&fdt, info.next_addr)) {
        console_printf("myna SBI: no room in the devicetree to reserve the firmware's memory\n");
    }
    boot->start_addr = info.next_addr;
    boot->start_arg = fdt_addr;
    boot->state = HART_START_PENDING;
}

void hart_main(void)
{
    hart_setup();
    hart_wait();
}
