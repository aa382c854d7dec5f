/*
 * A multiboot kernel that has a virtio disk (virtio 1.2, 4.1 and 5.2) tell its name ROUNDS times,
 * BATCHES times over: what it costs to have a device look at its queue, up to the interrupt (MSI-X)
 * that wakes the CPU. It tells and ends as kvm.S does.
 */
#include <stdint.h>

enum {
    PCI_ADDR = 0xcf8,
    PCI_DATA = 0xcfc,
    DEBUG_EXIT = 0x501,
    DEBUG_CON = 0xe9,
    BAR1 = 0x14,
    BAR4 = 0x20
};
enum { TABLE = 0xe0010000, WINDOW = 0xe0000000, APIC = 0xfee00000, SVR = 0xf0 };
enum { COMMON = 0, NOTIFY = 0x3000, STATUS = 0x14, DRIVER_SEL = 8, DRIVER = 12, QUEUE = 0x16 };
enum { SIZE = 0x18, VECTOR = 0x1a, ENABLE = 0x1c, DESC = 0x20, AVAIL = 0x28, USED = 0x30 };
enum { NEXT = 1, WRITE = 2, GET_ID = 8, ENTRIES = 8, ID_LEN = 20, IRQ = 0x31 };

/* A multiboot header (3.1.1 there), without wishes. */
__attribute__((section(".text.header"), used)) static const uint32_t header[3] = { 0x1badb002, 0,
                                                                                   -0x1badb002u };

struct desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, next;
};

static struct desc descs[ENTRIES] __attribute__((aligned(16)));
static struct {
    uint16_t flags, index, ring[ENTRIES], event;
} avail __attribute__((aligned(2)));
static volatile struct {
    uint16_t flags, index;
    struct {
        uint32_t id, len;
    } ring[ENTRIES];
    uint16_t event;
} used __attribute__((aligned(4)));
static struct {
    uint32_t type, reserved;
    uint64_t sector;
} request = { .type = GET_ID };
static uint8_t id[ID_LEN], status;

#define REG(type, offset)    (*(volatile type *)(WINDOW + (offset)))
#define MEMORY(base, offset) (*(volatile uint32_t *)((base) + (offset)))

static void out8(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static void out32(uint16_t port, uint32_t v)
{
    __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static uint32_t in32(uint16_t port)
{
    uint32_t v;

    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static uint32_t pci_read(unsigned slot, unsigned reg)
{
    out32(PCI_ADDR, 0x80000000u | slot << 11 | reg);
    return in32(PCI_DATA);
}

static void pci_write(unsigned slot, unsigned reg, uint32_t v)
{
    out32(PCI_ADDR, 0x80000000u | slot << 11 | reg);
    out32(PCI_DATA, v);
}

static __attribute__((noreturn)) void end(uint8_t code)
{
    for (;;)
        out8(DEBUG_EXIT, code);
}

static void enable_msix(unsigned slot)
{
    unsigned cap = pci_read(slot, 0x34) & 0xfc;

    while (cap && (pci_read(slot, cap) & 0xff) != 0x11)
        cap = pci_read(slot, cap) >> 8 & 0xfc;
    if (!cap)
        end(1);
    MEMORY(TABLE, 0) = APIC;
    MEMORY(TABLE, 4) = 0;
    MEMORY(TABLE, 8) = IRQ;
    MEMORY(TABLE, 12) = 0;
    pci_write(slot, cap, pci_read(slot, cap) | 0x80000000u);
}

/* Both put the windows of a disk's BAR 4 at the same places. */
static void find_disk(void)
{
    for (unsigned slot = 0; slot < 32; slot++) {
        if (pci_read(slot, 0) != 0x10421af4)
            continue;
        pci_write(slot, BAR1, TABLE);
        pci_write(slot, BAR4, WINDOW);
        pci_write(slot, BAR4 + 4, 0);
        pci_write(slot, 4, 6);
        enable_msix(slot);
        return;
    }
    end(1);
}

static void set_address(unsigned reg, const volatile void *p)
{
    REG(uint32_t, COMMON + reg) = (uint32_t)(uintptr_t)p;
    REG(uint32_t, COMMON + reg + 4) = 0;
}

static void start_disk(void)
{
    REG(uint8_t, COMMON + STATUS) = 0;
    REG(uint8_t, COMMON + STATUS) = 3;
    REG(uint32_t, COMMON + DRIVER_SEL) = 1;
    REG(uint32_t, COMMON + DRIVER) = 1; /* VERSION_1 alone */
    REG(uint8_t, COMMON + STATUS) = 11;
    REG(uint16_t, COMMON + QUEUE) = 0;
    REG(uint16_t, COMMON + SIZE) = ENTRIES;
    set_address(DESC, descs);
    set_address(AVAIL, &avail);
    set_address(USED, &used);
    REG(uint16_t, COMMON + VECTOR) = 0;
    REG(uint16_t, COMMON + ENABLE) = 1;
    REG(uint8_t, COMMON + STATUS) = 15;
    descs[0] = (struct desc){ (uintptr_t)&request, sizeof(request), NEXT, 1 };
    descs[1] = (struct desc){ (uintptr_t)id, sizeof(id), NEXT | WRITE, 2 };
    descs[2] = (struct desc){ (uintptr_t)&status, 1, WRITE, 0 };
}

/* The gate (SDM 3, 6.11) of the only interrupt that there is, and what it leads to. */
static void prepare_cpu(void)
{
    static uint64_t idt[IRQ + 1] __attribute__((aligned(8)));
    static struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) idtr = { sizeof(idt) - 1, 0 };
    extern char taken[];
    uint32_t at = (uint32_t)(uintptr_t)taken;
    uint16_t cs;

    __asm__("mov %%cs, %0" : "=r"(cs));
    idt[IRQ] = (at & 0xffff) | (uint32_t)cs << 16 | (uint64_t)((at & 0xffff0000u) | 0x8e00) << 32;
    idtr.base = (uint32_t)(uintptr_t)idt;
    __asm__ volatile("lidt %0" : : "m"(idtr));
    MEMORY(APIC, SVR) = 0x1ff;
}

__asm__(".globl taken\ntaken: movl $0, 0xfee000b0\n iret\n");

static uint32_t ticks(void)
{
    uint32_t low;

    __asm__ volatile("rdtsc" : "=a"(low) : : "edx");
    return low;
}

/* How long ROUNDS requests took. */
static uint32_t batch(void)
{
    static uint16_t n;
    uint32_t began = ticks();

    for (unsigned i = 0; i < ROUNDS; i++) {
        avail.ring[n++ % ENTRIES] = 0;
        __atomic_store_n(&avail.index, n, __ATOMIC_SEQ_CST);
        REG(uint16_t, NOTIFY) = 0;
        while (used.index != n)
            __asm__ volatile("sti\n hlt\n cli" : : : "memory"); /* HLT comes before any interrupt */
        if (status)
            end(2);
    }
    return ticks() - began;
}

__attribute__((noreturn, used)) void begin(void)
{
    uint32_t least = UINT32_MAX;

    prepare_cpu();
    find_disk();
    start_disk();
    for (unsigned i = 0; i < BATCHES; i++) {
        uint32_t took = batch();

        least = took < least ? took : least;
    }
    for (int shift = 28; shift >= 0; shift -= 4)
        out8(DEBUG_CON, (uint8_t) "0123456789abcdef"[least >> shift & 15]);
    end(3);
}

__asm__(".globl _start\n_start: movl $stack_end, %esp\n call begin\n"
        ".lcomm stack, 4096\n .set stack_end, stack + 4096\n");
