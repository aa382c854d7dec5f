/*
 * The accelerator `kvm`: what its files share. One machine's VM, its CPUs with a thread each, and
 * the memory slots.
 *
 * A thread is in the kernel's KVM_RUN, or outside. What asks for its attention sets
 * TCG_FLAGS_ATTENTION first, then run->immediate_exit, and then signals the thread; the thread
 * clears immediate_exit first and looks at the flags afterwards. So whenever a request comes,
 * either the thread sees it before it enters, or the kernel returns at once, or the signal gets it
 * out.
 */
#ifndef ACCEL_KVM_H
#define ACCEL_KVM_H

#include <linux/kvm.h>
#include <hw/core/host_irqchip.h>
#include <hw/core/machine.h>
#include <target/cpu.h>
#include <target/kvm.h>

/* A run of guest memory that the kernel knows. */
struct kvm_slot {
    uint32_t id;        /* number in the kernel */
    uint16_t as;        /* 0: memory; 1: as system management mode sees it */
    bool readonly, log; /* the guest's stores come to us; they are written down by page */
    uint64_t gpa, size;
    uint8_t *host;
    ram_addr_t ram;
};

/* What was at a breakpoint that is in memory. */
struct kvm_patch {
    uint64_t paddr;
    uint8_t old[4];
};

struct kvm_cpu {
    struct kvm_vcpu v; /* first; cpu->accel */
    struct kvm *kvm;
    struct kvm_dirty_gfn *ring; /* NULL: none */
    uint32_t ring_next;
    unsigned full_in_vain; /* returns because the ring was full, with nothing in it */
    bool running;          /* atomic: inside of KVM_RUN, or about to be */
    bool unfinished;       /* the last exit's access is to be completed by the kernel */
    bool debugged;         /* the kernel knows of wishes of gdb's */
};

struct kvm {
    struct kvm_vm vm;
    const struct kvm_guest *guest;
    struct ram *ram;
    unsigned ncpus;
    struct kvm_cpu **cpu;
    size_t run_size;
    uint32_t ring_entries;
    bool quit;                      /* atomic */
    pthread_cond_t parked, resumed; /* with the device lock */

    /* Interrupt controllers in the kernel; device lock. */
    bool irqchip_asked, used_irqchip;
    struct host_irqchip host_irqchip;
    struct kvm_irq_routing *routes;
    uint32_t pic_levels, ioapic_levels; /* as the kernel knows them */
    unsigned own_routes;                /* entries before those of lines */
    GArray *lines;                      /* for events of devices; NULL: the kernel has none */

    GArray *patches; /* of struct kvm_patch: breakpoints in memory while CPUs run; device lock */

    /* Memory slots; device lock. */
    struct space_listener listener, smm_listener, port_listener;
    GArray *slots; /* of struct kvm_slot, sorted by as and address */
    uint32_t nslots;
    uint8_t *slot_used; /* by number */
    GHashTable *logged; /* set of struct ram_block * some of whose pages are watched */
    GArray *late;       /* of struct kvm_coalesced_mmio_zone; NULL: the kernel has none */
    struct kvm_coalesced_mmio_ring *late_ring; /* consumed with the device lock */
    bool draining;                             /* it is being */
    GPtrArray *bells;    /* of struct bell; NULL: the kernel has none. Device lock */
    uint64_t dead_lines; /* a bit of addresses that does not count, or 0 */
    pthread_mutex_t gate_lock;
    pthread_cond_t gate;
    bool closed; /* atomic, written under gate_lock: no CPU may enter the kernel */
};

static inline struct kvm_cpu *kvm_cpu_of(const struct cpu *cpu)
{
    return cpu->accel;
}

/* measure.c: false where translating the guest's code is faster than the host's KVM. */
bool kvm_is_worth(const struct kvm_guest *guest, GError **err);

/* irqchip.c; before CPUs are made */
bool irqchip_begin(struct kvm *kvm, GError **err);
void irqchip_end(struct kvm *kvm);
/* All CPUs have stopped, are about to go on: the board's devices get the registers, give them.
 * Device lock held. */
void irqchip_take(struct kvm *kvm);
void irqchip_give(struct kvm *kvm);

/* slots.c */
bool slots_begin(struct kvm *kvm, GError **err);
void slots_end(struct kvm *kvm);
/* An address as the memory behind the address lines sees it. */
uint64_t slots_fold(const struct kvm *kvm, uint64_t addr);
/* The lines that count may have changed. */
void slots_lines_changed(struct kvm *kvm);
/* The page was written: number @slot as the kernel has it, page @n in it. */
void slots_touch(struct kvm *kvm, uint32_t slot, uint64_t n);
/* Brings the state of pages up to date with what CPUs have stored there. Device lock held. */
void slots_sync(struct kvm *kvm, ram_addr_t addr, uint64_t len);

/* bells.c; device lock held. drain: those that were rung and not done yet, CPUs being stopped */
void bells_begin(struct kvm *kvm);
void bells_end(struct kvm *kvm);
void bells_refresh(struct kvm *kvm);
void bells_drain(struct kvm *kvm);

/* late.c; device lock held but for late_drain(): the writes that the kernel has kept are done. */
void late_begin(struct kvm *kvm);
void late_end(struct kvm *kvm);
void late_refresh(struct kvm *kvm);
void late_drain(struct kvm *kvm);

/* ring.c: dirty pages by a ring a CPU. Device lock held. */
bool ring_enable(struct kvm *kvm, GError **err);
bool ring_map(struct kvm_cpu *k, GError **err);
void ring_unmap(struct kvm_cpu *k);
/* Takes what CPUs have written down; how much. */
unsigned ring_harvest(struct kvm *kvm);

/* patch.c; CPUs are stopped, device lock held */
void patches_insert(struct kvm *kvm);
void patches_remove(struct kvm *kvm);

/* vcpu.c */
/* Makes the thread look at requests; any thread. */
void vcpu_kick(struct cpu *cpu);
/* No CPU enters the kernel until it is opened again, and none is inside; the caller's own, if it is
 * a CPU's thread, is outside anyway. Device lock held. */
void vcpu_gate_close(struct kvm *kvm);
void vcpu_gate_open(struct kvm *kvm);
void *vcpu_thread(void *opaque);
/* The kernel gets the registers, if struct cpu holds them; false: it refused, and the machine
 * stops. The CPU's thread, or who holds the device lock while it is stopped. */
bool vcpu_give_registers(struct kvm_cpu *k);
/* Blocks the signal that kicks in this thread's future children, and sets its handler. */
void vcpu_signals_init(void);

/* exit.c */
/* What the last return from KVM_RUN asks for. */
void exit_handle(struct kvm_cpu *k);
/* The machine stops, as this CPU cannot go on; its registers are printed. */
void exit_fail(struct kvm_cpu *k, const char *why);

#endif
