/*
 * Interrupt lines: one end drives a level, the other end is told.
 *
 * A line is a value: whoever drives it holds a copy of where it leads, wired by the board. An
 * unwired (zeroed) line leads nowhere. All calls want the device lock.
 *
 *     struct irq_line irq;                     in the device, announced by device_irq_outs()
 *     irq_set(&u->irq, u->lsr & u->ier);       drives it
 *     device_connect_irq(uart, 0, device_irq_in(plic, 10));      the board
 */
#ifndef HW_CORE_IRQ_H
#define HW_CORE_IRQ_H

#include <stdbool.h>
#include <stdint.h>

/* Input number `n` of `opaque` has this level now; also called when it has not changed. */
typedef void irq_fn(void *opaque, unsigned n, bool level);

struct irq_line {
    irq_fn *fn;
    void *opaque;
    unsigned n;
};

static inline void irq_set(const struct irq_line *l, bool level)
{
    if (l->fn)
        l->fn(l->opaque, l->n, level);
}

static inline void irq_raise(const struct irq_line *l)
{
    irq_set(l, true);
}

static inline void irq_lower(const struct irq_line *l)
{
    irq_set(l, false);
}

static inline void irq_pulse(const struct irq_line *l)
{
    irq_set(l, true);
    irq_set(l, false);
}

/* Wired-or: the output is high while any of up to 64 inputs is. Embedded; zero is a good start.
 * The owner saves `levels` in its state table. */
struct irq_or {
    struct irq_line out;
    uint64_t levels;
};
struct irq_line irq_or_in(struct irq_or *g, unsigned n);

/* Splitter: what is driven in goes to each of `out`. */
#define IRQ_SPLIT_MAX 8
struct irq_split {
    struct irq_line out[IRQ_SPLIT_MAX];
};
struct irq_line irq_split_in(struct irq_split *s);

/* A line that shows the opposite level to `*out`, which must stay. */
struct irq_line irq_invert(struct irq_line *out);

#endif
