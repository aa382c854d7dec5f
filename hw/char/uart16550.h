/*
 * The 16550A as part of a device: its registers, lines and back end. The device embeds a core,
 * gives its users UART_CORE_PROPS, and in its state table has STATE_STRUCT(struct x, uart,
 * uart_core_state).
 */
#ifndef UART16550_H
#define UART16550_H

#include <base/clock.h>
#include <chardev/chardev.h>
#include <hw/core/machine.h>

#define FIFO_SIZE 16

struct fifo {
    uint8_t data[FIFO_SIZE], flags[FIFO_SIZE]; /* flags: LSR error bits of each character */
    uint8_t head, count;
};

struct uart_core {
    struct device *owner;
    struct mem_region io;
    struct irq_line irq;
    struct chardev *chr;
    struct chardev_fe fe;
    uint32_t clock; /* Hz, into the baud rate generator */
    uint8_t regshift;

    uint8_t ier, fcr, lcr, mcr, lsr, msr, scr, dll, dlm;
    bool tx_pending; /* the THRE interrupt was not yet seen */
    bool timed_out;  /* characters below the trigger level have waited too long */
    struct fifo rx, tx;
    struct timer timeout;
};

#define UART_CORE_PROPS(type, field, hz)                                                      \
    PROP_CHARDEV(type, field.chr, "chardev", "where characters go"),                          \
        PROP_U32(type, field.clock, "clock-frequency", hz, "Hz into the baud rate generator", \
                 .min = 1)

/* In realize: the back end and the region `io`; the device shows it and wires `irq`. */
bool uart_core_init(struct uart_core *u, struct device *owner, GError **err);
void uart_core_destroy(struct uart_core *u);
void uart_core_reset(struct uart_core *u);
extern const struct state_table uart_core_state;

#endif
