/*
 * High precision event timer, "hpet".
 *
 * Region 0: its registers (1 KiB, at 0xfed00000). Outputs: the unnamed group of 24 leads to the I/O
 * APIC's pins; group "legacy" of two to where the 8254 (0) and the real-time clock (1) interrupt.
 * Inputs, group "legacy": those two chips, which come through unless the HPET takes their place.
 */
#ifndef HW_TIMER_HPET_H
#define HW_TIMER_HPET_H

struct device;
struct host_irqchip;

#define HPET_ADDR 0xfed00000u

/* The 8254 is the host kernel's (hw/core/host_irqchip.h), which has to know when this takes its
 * place; NULL: no longer. Before the machine starts. */
void hpet_set_host(struct device *dev, const struct host_irqchip *host);

#endif
