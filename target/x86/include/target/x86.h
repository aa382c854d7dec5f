/*
 * x86 CPUs as boards see them: interrupt inputs, what the interrupt controllers and the board
 * answer to the CPU, and the state in which a boot loader would leave it. A CPU is made by
 * cpu_create("x86_64", "Haswell,-avx2", &err) or cpu_create("i386", "pentium", &err).
 *
 *     x86_set_irqchip(cpu, &apic_cpu_ops, apic);
 *     x86_set_platform(cpu, &pc_cpu_ops, board);
 *
 * Lines are driven by any thread; the functions in the two tables are called on the CPU's thread,
 * which does not hold the device lock then: they take it.
 */
#ifndef TARGET_X86_H
#define TARGET_X86_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;
struct loop;

/* Lines of cpu_ops.set_irq. */
enum x86_irq {
    X86_IRQ_INTR, /* level: an interrupt waits at the controllers */
    X86_IRQ_NMI,  /* rising edge */
    X86_IRQ_SMI,  /* rising edge */
    X86_IRQ_INIT, /* rising edge: reset but for what INIT keeps, then wait for SIPI unless BSP */
};

/* Local APIC, or the 8259 pair where a CPU has none. Functions may be NULL where said so. */
struct x86_irqchip_ops {
    /* Acknowledges the most urgent interrupt: its vector, or -1 if there is none any more. */
    int (*ack)(void *opaque);
    /* CR8: bits 7:4 of the task priority register. NULL: reads as 0, writes are ignored. */
    unsigned (*get_tpr)(void *opaque);
    void (*set_tpr)(void *opaque, unsigned tpr);
    /* MSRs 0x1b (APIC_BASE), 0x6e0 (TSC_DEADLINE), 0x800 to 0x8ff (x2APIC). False: #GP. NULL: the
     * CPU has no APIC. */
    bool (*read_msr)(void *opaque, uint32_t msr, uint64_t *val);
    bool (*write_msr)(void *opaque, uint32_t msr, uint64_t val);
    /* For APICs of the host's kernel (KVM): all registers to or (@load) from a page of 1 KiB as
     * memory shows them, and the end of an interrupt. NULL: it has to be here. */
    void (*page)(void *opaque, uint8_t *page, bool load);
    void (*eoi)(void *opaque, uint8_t vector);
};

/* What the board does for a CPU. */
struct x86_platform_ops {
    void (*enter_smm)(void *opaque, bool in_smm); /* SMRAM opens and closes for this CPU */
    void (*ferr)(void *opaque);     /* FERR#: an x87 exception with CR0.NE clear (IRQ 13) */
    void (*shutdown)(void *opaque); /* triple fault */
};

void x86_set_irqchip(struct cpu *cpu, const struct x86_irqchip_ops *ops, void *opaque);
void x86_set_platform(struct cpu *cpu, const struct x86_platform_ops *ops, void *opaque);
/* The loop's virtual clock drives the time-stamp counter. @apic_id: initial APIC ID, in CPUID; the
 * topology in threads a core and cores a package. Before the CPU first runs. */
void x86_set_cpu(struct cpu *cpu, struct loop *loop, uint32_t apic_id, unsigned threads,
                 unsigned cores);
uint32_t x86_apic_id(const struct cpu *cpu);
/* Whether the first CPU to start: others wait for SIPI after reset. */
void x86_set_bsp(struct cpu *cpu, bool bsp);
/* Start-up IPI: CS:IP = @vector << 12 : 0, if it waits for one. Any thread. */
void x86_sipi(struct cpu *cpu, uint8_t vector);
/* A20M#: with @on false address bit 20 is 0 for this CPU. Device lock held, any thread. */
void x86_set_a20(struct cpu *cpu, bool on);
/* Frequency of the time-stamp counter in Hz. */
uint64_t x86_tsc_hz(const struct cpu *cpu);
/* When it reaches @tsc, in ns of CLK_VIRTUAL. */
int64_t x86_tsc_ns(const struct cpu *cpu, uint64_t tsc);
/* Widens physical addresses so that they reach @end, which is the first byte behind RAM: of models
 * with long mode, unless the user has given a width. */
void x86_reach(struct cpu *cpu, uint64_t end);
/* Instruction set: 486 and better; whether the model has long mode. */
bool x86_has_long_mode(const struct cpu *cpu);
/* Whether it can have page tables of five levels. */
bool x86_has_la57(const struct cpu *cpu);

/* EAX, EBX, ECX, EDX, ESI, EDI of a CPU, from within its own access to a port: what is set is there
 * when the instruction has ended, but for what IN itself loads. */
void x86_port_regs(struct cpu *cpu, uint32_t regs[6]);
void x86_set_port_regs(struct cpu *cpu, const uint32_t regs[6]);

/*
 * The state that a boot protocol asks for, put into a CPU that does not run. Segments are flat: 4
 * GiB, CPL 0, from the GDT at @gdt whose selectors are given; interrupts off; paging on when
 * @long_mode is set, with CR3 = @cr3, CR4.PAE and EFER.LME, LMA.
 */
struct x86_boot_state {
    bool long_mode; /* 64-bit code, else 32-bit protected mode without paging */
    bool la57;      /* in long mode: page tables of five levels */
    uint64_t rip, rsp;
    uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp;
    uint64_t cr3;
    uint64_t gdt;
    uint16_t gdt_limit;
    uint16_t cs, ds; /* ds also for ES, SS, FS, GS */
};
/* Real mode, at CS:IP; for a CPU that was just reset. */
void x86_start_real(struct cpu *cpu, uint16_t cs, uint16_t ip);
void x86_set_boot_state(struct cpu *cpu, const struct x86_boot_state *s);

#endif
