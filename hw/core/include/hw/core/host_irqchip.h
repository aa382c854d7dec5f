/*
 * Interrupt controllers of CPUs that the host's kernel runs (KVM): what the board's devices reach
 * them through. Whoever runs the CPUs hands one to machine_type.use_host_irqchip.
 *
 * While CPUs run the registers are the kernel's; while the machine is stopped, and before it
 * starts, they are the board's devices', which work then as if there were no kernel (`away`).
 */
#ifndef HW_CORE_HOST_IRQCHIP_H
#define HW_CORE_HOST_IRQCHIP_H

#include <stdbool.h>
#include <stdint.h>

/* Lines of the board's own controllers whose messages may be level-triggered. */
#define HOST_IRQCHIP_LINES 24

struct host_irqchip {
    void *opaque;
    bool all;  /* the 8259s, the I/O APIC and the 8254 are the kernel's, not only local APICs */
    bool away; /* the registers are the board's now. Device lock */
    /* Sends a message as a message signalled interrupt has it. Device lock. */
    void (*message)(void *opaque, uint64_t addr, uint32_t data);
    /* What message line @n of the board's own controller sends from now on: the kernel must know
     * of whose ends it has to tell. Not with `all`. Device lock. */
    void (*route)(void *opaque, unsigned n, uint64_t addr, uint32_t data);
    /* With `all`: levels of the inputs of the 8259s and of the I/O APIC, always told, whoever has
     * the registers; whether the HPET has taken the 8254's line; and a wish that the board's
     * devices show the registers as they are just now. Device lock. */
    void (*pic_line)(void *opaque, unsigned n, bool level);
    void (*ioapic_line)(void *opaque, unsigned n, bool level);
    void (*timer_silent)(void *opaque, bool silent);
    void (*look)(void *opaque);
    /* From now on signals of the eventfd @fd send the message, without a lock and at once; while
     * the machine stands they stay in the eventfd. The number of the line, or -1: there is none
     * left. After the second, signals stay, too. Both NULL: there are no such lines. Device lock.
     */
    int (*add_line)(void *opaque, int fd, uint64_t addr, uint32_t data);
    void (*remove_line)(void *opaque, int line);
};

/* The kernel has the registers of all controllers now. */
static inline bool host_irqchip_has_all(const struct host_irqchip *h)
{
    return h && h->all && !h->away;
}

/* ---- registers on their way between the board's devices and the kernel ---- */

/* One 8259 (names as in its data sheet). Levels of its inputs are the board's. */
struct host_pic {
    uint8_t lines, latched, imr, isr, elcr, base;
    uint8_t lowest;   /* the input of lowest priority */
    uint8_t next_icw; /* 2 to 4 while it is being initialised, else 0 */
    bool need_icw4, read_isr, poll, special_mask, rotate_aeoi, aeoi, nested;
};

struct host_ioapic {
    uint8_t select, id;
    uint32_t lines;
    uint64_t rte[HOST_IRQCHIP_LINES];
};

/* One counter of the 8254. Bytes: 0 none, 1 the low one, 2 the high one, 3 both, the low one first,
 * 4 both, of which the high one is next. */
struct host_pit_counter {
    uint8_t mode, access, next_read, next_write, low_written, status;
    uint8_t latched; /* bytes of `latch` that are still to be read */
    bool bcd, gate, loaded, status_latched;
    uint32_t count; /* 1 to 65536 */
    uint16_t latch;
    int64_t age; /* ns since the count was loaded */
};

struct host_chips {
    struct host_pic pic[2];
    struct host_ioapic ioapic;
    struct host_pit_counter pit[3];
    uint8_t port61; /* bits 0 and 1 */
};

#endif
