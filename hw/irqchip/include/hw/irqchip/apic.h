/*
 * The local APICs of all CPUs, "apic": one device, with the bus that joins them and the I/O APICs.
 *
 * Region 0 is the 1 MiB at 0xfee00000: the registers of the CPU that accesses it, and the addresses
 * of message signalled interrupts. Inputs: the unnamed line 0 is INT of the 8259 pair, at all
 * CPUs' LINT0; line 0 of group "nmi" is at their LINT1. Outputs, each with a line a CPU: groups
 * "intr" (a level), "nmi", "smi" and "init" (pulses).
 *
 * A CPU calls the apic_cpu_* functions with apic_of_cpu(dev, n) as `lapic`; they have the types of
 * struct x86_irqchip_ops and take the device lock themselves. All else wants it held.
 */
#ifndef HW_IRQCHIP_APIC_H
#define HW_IRQCHIP_APIC_H

#include <stdbool.h>
#include <stdint.h>

struct device;
struct host_irqchip;

#define APIC_BASE_ADDR 0xfee00000u

/* What the board knows; members may be NULL. */
struct apic_board_ops {
    /* The CPU whose access runs in this thread; none: 0. */
    unsigned (*current_cpu)(void *opaque);
    /* A start-up IPI for a CPU. */
    void (*sipi)(void *opaque, unsigned cpu, uint8_t vector);
    /* When a CPU's time-stamp counter reaches `tsc`, in ns of CLK_VIRTUAL. */
    int64_t (*tsc_deadline)(void *opaque, unsigned cpu, uint64_t tsc);
};

/* After realize, before the machine starts. `pic` may be NULL. */
void apic_connect(struct device *dev, const struct apic_board_ops *ops, void *opaque,
                  struct device *pic);
/* The initial APIC ID of a CPU, below 255; its number unless set. */
void apic_set_id(struct device *dev, unsigned cpu, uint8_t id);
/* As a BIOS leaves it: the first CPU takes the 8259's interrupts and NMIs. In a reset handler. */
void apic_virtual_wire(struct device *dev);

/* The host's kernel has them now, or (NULL) no longer. Before the machine starts. */
void apic_set_host(struct device *dev, const struct host_irqchip *host);

void *apic_of_cpu(struct device *dev, unsigned cpu);
int apic_cpu_ack(void *lapic);
unsigned apic_cpu_get_tpr(void *lapic); /* bits 7:4 of TPR: CR8 */
void apic_cpu_set_tpr(void *lapic, unsigned tpr);
bool apic_cpu_read_msr(void *lapic, uint32_t msr, uint64_t *val);
bool apic_cpu_write_msr(void *lapic, uint32_t msr, uint64_t val);

/* Registers to and (@load) from a page of 1 KiB as memory shows them; nothing follows from it. */
void apic_cpu_page(void *lapic, uint8_t *page, bool load);
/* The end of an interrupt at an APIC of the host's. */
void apic_cpu_eoi(void *lapic, uint8_t vector);

/* ---- for I/O APICs and devices with messages ---- */

enum apic_mode {
    APIC_FIXED = 0,
    APIC_LOWEST = 1,
    APIC_SMI = 2,
    APIC_NMI = 4,
    APIC_INIT = 5,
    APIC_SIPI = 6,
    APIC_EXTINT = 7,
};

struct apic_message {
    uint32_t dest;
    bool logical; /* destination mode */
    uint8_t mode; /* enum apic_mode; 3 means nothing */
    uint8_t vector;
    bool level; /* trigger mode */
};
void apic_send(struct device *dev, const struct apic_message *msg);
/* What a pin of the I/O APIC sends from now on. */
void apic_route(struct device *dev, unsigned pin, const struct apic_message *msg);
/* A message signalled interrupt: a write of `data` to `addr` (Intel SDM 3A, 11.11). */
void apic_msi(struct device *dev, uint64_t addr, uint32_t data);

/* Told of each end of a level-triggered interrupt. */
typedef void apic_eoi_fn(void *opaque, uint8_t vector);
#define APIC_EOI_MAX 4
void apic_on_eoi(struct device *dev, apic_eoi_fn *fn, void *opaque);
void apic_off_eoi(struct device *dev, apic_eoi_fn *fn, void *opaque);

#endif
