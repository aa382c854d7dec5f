/*
 * Interrupt controllers of CPUs that the host's kernel runs (KVM): what the board's devices reach
 * them through. Whoever runs the CPUs hands one to machine_type.use_host_irqchip.
 */
#ifndef HW_CORE_HOST_IRQCHIP_H
#define HW_CORE_HOST_IRQCHIP_H

#include <stdint.h>

/* Lines of the board's own controllers whose messages may be level-triggered. */
#define HOST_IRQCHIP_LINES 24

struct host_irqchip {
    void *opaque;
    /* Sends a message as a message signalled interrupt has it. Device lock. */
    void (*message)(void *opaque, uint64_t addr, uint32_t data);
    /* What message line @n of the board's own controller sends from now on: the kernel must know
     * of whose ends it has to tell. Device lock. */
    void (*route)(void *opaque, unsigned n, uint64_t addr, uint32_t data);
};

#endif
