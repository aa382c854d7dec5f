/*
 * The fixed hardware of ACPI (ACPI 6.4, 4.8.3): PM1 event and control registers, the power
 * management timer, and one block of general-purpose events. A chip embeds it, places its regions
 * and is told of sleep.
 *
 *     acpi_pm_init(&p->pm, dev, &p->sci);
 *     mem_region_add(&p->window, 0, &p->pm.events);
 */
#ifndef HW_ACPI_PM_H
#define HW_ACPI_PM_H

#include <base/clock.h>
#include <hw/core/machine.h>

#define ACPI_PM_TIMER_HZ 3579545
#define ACPI_GPES        16

/* Bits of PM1 status and enable. */
enum {
    ACPI_PM_TIMER = 0x0001,
    ACPI_PM_GLOBAL = 0x0020,
    ACPI_PM_POWER_BUTTON = 0x0100,
    ACPI_PM_SLEEP_BUTTON = 0x0200,
    ACPI_PM_RTC = 0x0400,
    ACPI_PM_WAKE = 0x8000, /* status only */
};
/* Bits of PM1 control. */
enum { ACPI_PM_SCI_ENABLE = 0x0001, ACPI_PM_SLEEP_ENABLE = 0x2000 };

/* SLP_TYP of the states, as the DSDT is to give them. */
enum { ACPI_SLEEP_S5 = 0, ACPI_SLEEP_S3 = 1, ACPI_SLEEP_S4 = 2 };

struct acpi_pm {
    struct device *dev;
    struct irq_line *sci;
    struct mem_region events;  /* 4 bytes: status, enable */
    struct mem_region control; /* 2 bytes */
    struct mem_region count;   /* 4 bytes: the timer */
    struct mem_region gpe;     /* 4 bytes: status, enable */
    struct timer overflow;
    uint64_t overflow_at; /* ticks at which the timer's status bit is next set */
    uint16_t status, enable, ctl, gpe_status, gpe_enable;
    uint8_t disable_s3, disable_s4; /* properties of the chip */
    uint16_t wake_cause;            /* bits of PM1 status, for when the guest has woken up */
};

/* `sci` is the device's output, driven from here. */
void acpi_pm_init(struct acpi_pm *pm, struct device *dev, struct irq_line *sci);
void acpi_pm_destroy(struct acpi_pm *pm);
void acpi_pm_reset(struct acpi_pm *pm);
/* A cause to wake up, as bits of PM1 status; no more than an event while the guest is awake. */
void acpi_pm_wake(struct acpi_pm *pm, uint16_t bits);
/* ACPI mode or not, as the firmware's SMI handler would switch it. */
void acpi_pm_enable(struct acpi_pm *pm, bool on);
/* An event happened; n of the general-purpose ones. */
void acpi_pm_event(struct acpi_pm *pm, uint16_t bits);
void acpi_pm_gpe(struct acpi_pm *pm, unsigned n);

extern const struct state_table acpi_pm_state;

#endif
