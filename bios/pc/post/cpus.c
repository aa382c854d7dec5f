/*
 * Processors: memory types, the boot processor's virtual wire, and the others, which are started
 * once, get the same memory types and halt until a system starts them (Intel SDM 3, 9.4 and 12.11).
 */
#include "post.h"

#define APIC     0xfee00000u
#define MTRR_MAX 32
#define WAIT_MS  1000

enum { APIC_SVR = 0xf0, APIC_ICR = 0x300, APIC_LINT0 = 0x350, APIC_LINT1 = 0x360 };
enum { FEATURE_MSR = 1u << 5, FEATURE_APIC = 1u << 9, FEATURE_MTRR = 1u << 12 };
enum { TYPE_UC = 0, TYPE_WB = 6 };

struct msr_value {
    uint32_t index, low, high;
};

extern struct msr_value mtrr_list[];
extern uint16_t mtrr_count, ap_count;

static bool has_cpuid(void)
{
    uint32_t was, is;

    __asm__ volatile("pushfl\n\tpopl %0\n\tmovl %0, %1\n\txorl $0x200000, %1\n\tpushl %1\n\t"
                     "popfl\n\tpushfl\n\tpopl %1"
                     : "=&r"(was), "=&r"(is));
    return (was ^ is) & 0x200000;
}

static void cpuid(uint32_t leaf, uint32_t out[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3])
                     : "a"(leaf), "c"(0));
}

static void write_msr(uint32_t index, uint32_t low, uint32_t high)
{
    struct msr_value *list = LOW_VAR(mtrr_list) + 0;

    __asm__ volatile("wrmsr" : : "c"(index), "a"(low), "d"(high));
    if (LOW_VAR(mtrr_count) < MTRR_MAX)
        list[LOW_VAR(mtrr_count)++] = (struct msr_value){ index, low, high };
}

static uint32_t read_msr(uint32_t index)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return low;
}

/* Everything is write-back but the VGA's window and the hole for PCI below 4 GiB. */
static void set_memory_types(void)
{
    static const uint16_t fixed[] = { 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a,
                                      0x26b, 0x26c, 0x26d, 0x26e, 0x26f };
    uint32_t v[4], hole = SYS.ram_low > 0xbff00000 ? 0xe0000000 : 0xc0000000, bits = 36;

    cpuid(0x80000000, v);
    if (v[0] >= 0x80000008) {
        cpuid(0x80000008, v);
        bits = v[0] & 0xff;
    }
    write_msr(0x2ff, 0, 0);
    for (unsigned i = 0; i < ARRAY_LEN(fixed); i++) {
        uint32_t types = fixed[i] == 0x259 ? 0 : 0x06060606;

        write_msr(fixed[i], types, types);
    }
    if (read_msr(0xfe) & 0xff) {
        write_msr(0x200, hole | TYPE_UC, 0);
        write_msr(0x201, hole | 0x800, (uint32_t)((UINT64_C(1) << (bits - 32)) - 1));
    }
    write_msr(0x2ff, 0xc00 | TYPE_WB, 0);
}

static volatile uint32_t *apic(uint32_t reg)
{
    return (volatile uint32_t *)(uintptr_t)(APIC + reg);
}

static void wait_ms(uint32_t ms)
{
    struct limit l;

    limit_start(&l, ms);
    while (!limit_reached(&l))
        continue;
}

static void start_others(void)
{
    volatile uint16_t *count = &LOW_VAR(ap_count);
    struct limit l;

    *apic(APIC_ICR) = 0xc4500; /* INIT to all others, then SIPI at 0xf0000 */
    wait_ms(10);
    *apic(APIC_ICR) = 0xc4600 | BIOS_BASE >> 12;
    limit_start(&l, WAIT_MS);
    while (*count + 1 < SYS.cpus && !limit_reached(&l))
        continue;
    if (*count + 1 != SYS.cpus)
        log_line("cpus: %u of %u started", *count + 1, SYS.cpus);
}

void cpus_start(void)
{
    uint32_t v[4] = { 0 };

    LOW_VAR(mtrr_count) = LOW_VAR(ap_count) = 0;
    SYS.cpus = 1;
    if (SYS.has_fw_cfg)
        fw_cfg_item(5, &SYS.cpus, sizeof(SYS.cpus));
    if (has_cpuid())
        cpuid(1, v);
    if ((v[3] & FEATURE_MSR) && (v[3] & FEATURE_MTRR))
        set_memory_types();
    if (!(v[3] & FEATURE_APIC) || !SYS.has_pci)
        return;
    *apic(APIC_SVR) = 0x1ff;
    *apic(APIC_LINT0) = 0x8700; /* the 8259's */
    *apic(APIC_LINT1) = 0x8400; /* NMI */
    if (SYS.cpus > 1)
        start_others();
}
