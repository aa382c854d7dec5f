/* The 16550A by itself, for boards to place. */
#include "uart16550.h"

struct uart {
    struct device dev;
    struct uart_core uart;
};

static bool uart_realize(struct device *dev, GError **err)
{
    struct uart *u = (struct uart *)dev;

    if (!uart_core_init(&u->uart, dev, err))
        return false;
    device_add_region(dev, &u->uart.io);
    device_irq_outs(dev, NULL, &u->uart.irq, 1);
    return true;
}

static void uart_unrealize(struct device *dev)
{
    uart_core_destroy(&((struct uart *)dev)->uart);
}

static void uart_reset(struct device *dev)
{
    uart_core_reset(&((struct uart *)dev)->uart);
}

static const struct state_field uart_fields[] = { STATE_STRUCT(struct uart, uart, uart_core_state),
                                                  STATE_END };
static const struct state_table uart_state = { .name = "uart",
                                               .version = 1,
                                               .fields = uart_fields };

static const struct prop uart_props[] = { UART_CORE_PROPS(struct uart, uart, 3686400),
                                          PROP_U8(struct uart, uart.regshift, "regshift", 0,
                                                  "registers lie 1 << regshift bytes apart",
                                                  .max = 3),
                                          PROP_LIST_END };

const struct device_type uart16550_type = {
    .name = "uart16550",
    .help = "16550A serial port",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct uart),
    .internal = true,
    .category = "input",
    .realize = uart_realize,
    .reset = uart_reset,
    .unrealize = uart_unrealize,
    .props = uart_props,
    .state = &uart_state,
};
