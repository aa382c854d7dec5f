/*
 * KVM, the host kernel's way to run a guest on the host's own CPU: what accel/kvm and a guest's
 * folder have to do with one another.
 *
 * accel/kvm owns descriptors, threads, memory slots and the exits that every guest has. What is
 * particular to a guest is a `struct kvm_guest`, which cpu_ops.kvm points to: copying registers
 * between struct cpu and the kernel, feature tables, interrupts given to a CPU before it runs,
 * exits of its own. To add one: target/<guest>/kvm.c, compiled where the host is of that
 * architecture.
 *
 * While a CPU runs, its registers are the kernel's and struct cpu holds old values. They are copied
 * out (`get`) when it stops or is asked about, and back (`put`) before it runs again.
 */
#ifndef TARGET_KVM_H
#define TARGET_KVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

struct cpu;
struct kvm_run;
struct machine;

/* Who has the interrupt controllers: we, or the kernel those of CPUs, or the kernel all. */
enum kvm_irqchip_place { KVM_IRQCHIP_OFF, KVM_IRQCHIP_SPLIT, KVM_IRQCHIP_ON };

/* What the kernel calls the lines: those of the board's I/O interrupt controller (of which it knows
 * messages or pins), those of its older ones, and from where on others take some. */
enum { KVM_GSI_IOAPIC = 0, KVM_GSI_PIC = 24, KVM_GSI_FREE = 40, KVM_CHIP_ROUTES_MAX = 64 };

/* Whether line KVM_GSI_PIC + @n leads to pin @n of the I/O APIC as well, as the board wires it: one
 * call of the kernel's tells both. */
static inline bool kvm_pic_line_is_pin(unsigned n)
{
    return n < 16 && n != 0 && n != 2;
}

struct kvm_vm {
    int dev; /* /dev/kvm */
    int fd;  /* the VM */
    struct machine *machine;
    enum kvm_irqchip_place irqchip;
    bool smm;          /* the kernel knows system management mode (x86) */
    bool standing;     /* no CPU runs: registers that others can change are struct cpu's, too */
    bool timer_silent; /* another device has the place of the board's timer */
};

struct kvm_vcpu {
    struct kvm_vm *vm;
    struct cpu *cpu;
    int fd;
    struct kvm_run *run; /* shared with the kernel */
    bool ours;           /* struct cpu holds the registers, not the kernel. The CPU's own thread,
                            or who holds the device lock while it is stopped */
    void *guest;         /* the guest's own, made by vcpu_init */
};

/* What an exit asks for. */
enum kvm_done {
    KVM_DONE,    /* handled: the CPU goes on */
    KVM_STOPPED, /* the CPU stops for gdb, cpu->debug_stop says why */
    KVM_UNKNOWN, /* not an exit of this guest's */
};

/* Controllers and timers of the board that the kernel has with kernel-irqchip=on. */
struct host_chips;
struct kvm_irq_routing_entry;
struct kvm_chips_ops {
    /* Makes them, before CPUs are. */
    bool (*make)(struct kvm_vm *vm, GError **err);
    /* Which lines lead to which of their pins; how many entries were written, at most
     * KVM_CHIP_ROUTES_MAX. */
    unsigned (*routes)(struct kvm_irq_routing_entry *e);
    /* Registers, from the kernel and to it. */
    void (*get)(struct kvm_vm *vm, struct host_chips *c);
    void (*put)(struct kvm_vm *vm, const struct host_chips *c);
    /* vm->timer_silent has changed. */
    void (*silence)(struct kvm_vm *vm);
};

struct kvm_guest {
    const char *host; /* uname -m of hosts that can run it */
    /* Puts code in a page, the guest's address 0, and a new CPU of a VM in front of it: so many
     * rounds of instructions that only the most privileged mode may use and that fast hosts run by
     * themselves, then a halt. How many instructions that is; 0: cannot be done. NULL: unknown. */
    unsigned (*set_trial)(int vcpu, uint8_t *page, unsigned rounds);
    /* Right after the VM was made, before interrupt controllers and CPUs. */
    bool (*vm_init)(struct kvm_vm *vm, GError **err);
    /* NULL: the kernel has none that are like the board's. */
    const struct kvm_chips_ops *chips;
    /* What the kernel is to call a CPU. */
    unsigned long (*vcpu_id)(const struct cpu *cpu);
    /* All CPUs have stopped, and are about to go on: time of the kernel's own stands in between. */
    void (*vm_stopped)(struct kvm_vm *vm);
    void (*vm_goes_on)(struct kvm_vm *vm);
    /* When the interrupt controllers are there: once for each CPU, before it runs. Looks whether
     * the host has what the CPU's model asks for. */
    bool (*vcpu_init)(struct kvm_vcpu *v, GError **err);
    void (*vcpu_free)(struct kvm_vcpu *v);
    /* The address bit that the machine makes 0 for this CPU, as a mask (A20); 0: none. */
    uint64_t (*dead_lines)(const struct cpu *cpu);
    /* All registers, to struct cpu and back; v->ours is the caller's to change. What other CPUs and
     * devices can change meanwhile (interrupts that wait) goes back only while vm->standing. False:
     * the kernel refused, and *what says which call. */
    bool (*get)(struct kvm_vcpu *v, const char **what);
    bool (*put)(struct kvm_vcpu *v, const char **what);
    /* Only the general registers, for devices that look at them; v->ours stays. */
    bool (*general)(struct kvm_vcpu *v, bool put);
    /* gdb's wishes (single_step, breakpoints, watchpoints of struct cpu) to the kernel; whether
     * there are any. Those from number first_patched() on are not met so: `breakpoint` is written
     * to memory while CPUs run. */
    bool (*set_debug)(struct kvm_vcpu *v);
    unsigned (*first_patched)(const struct cpu *cpu);
    uint8_t breakpoint[4];
    unsigned breakpoint_size;
    /* cpu_ops.reset() has changed struct cpu: what else belongs to the old state is forgotten. */
    void (*reset)(struct kvm_vcpu *v);
    /* The CPU's thread, without device lock: interrupts that can be given now are, or a return is
     * asked for when they can be. Without controllers in the kernel cpu->halted says whether to
     * wait, else the kernel does that. */
    void (*before_run)(struct kvm_vcpu *v);
    void (*after_run)(struct kvm_vcpu *v);
    /* Exits that accel/kvm does not know; the CPU's thread, without device lock. */
    enum kvm_done (*exit)(struct kvm_vcpu *v);
};

/* ioctl() that goes on after signals; -1 with errno. */
int kvm_ioctl(int fd, unsigned long request, void *arg);
/* KVM_CHECK_EXTENSION: 0 where the kernel does not know it. */
int kvm_check(const struct kvm_vm *vm, unsigned long extension);
/* Makes struct cpu hold the registers; the CPU's thread, or who holds the device lock while it is
 * stopped. */
void kvm_take_registers(struct kvm_vcpu *v);

#endif
