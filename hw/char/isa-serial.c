/* Serial ports of PCs: a 16550A on the ISA bus, by default at the places of COM1 to COM4. */
#include "uart16550.h"

#include <base/error.h>
#include <hw/isa/isa.h>

#define PORTS 4
#define UNSET UINT32_MAX

static const uint16_t port_base[PORTS] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
static const uint8_t port_irq[PORTS] = { 4, 3, 4, 3 };

struct isa_serial {
    struct device dev;
    struct uart_core uart;
    uint32_t index, iobase, irq;
};

/* The first of COM1 to COM4 that no other serial port has. */
static uint32_t next_index(struct device *dev)
{
    uint32_t used = 0;

    for (unsigned i = 0; i < dev->bus->devices->len; i++) {
        const struct device *other = g_ptr_array_index(dev->bus->devices, i);

        if (other->type == dev->type && ((const struct isa_serial *)other)->index < PORTS)
            used |= 1u << ((const struct isa_serial *)other)->index;
    }
    for (unsigned n = 0; n < PORTS; n++)
        if (!(used & 1u << n))
            return n;
    return PORTS;
}

static bool choose(struct isa_serial *s, GError **err)
{
    if (s->index == UNSET)
        s->index = next_index(&s->dev);
    if (s->index >= PORTS && (s->iobase == UNSET || s->irq == UNSET))
        return error_set(err,
                         "isa-serial: port %u has no usual place: give iobase= and irq=", s->index);
    if (s->iobase == UNSET)
        s->iobase = port_base[s->index];
    if (s->irq == UNSET)
        s->irq = port_irq[s->index];
    return true;
}

static bool serial_realize(struct device *dev, GError **err)
{
    struct isa_serial *s = (struct isa_serial *)dev;

    if (!choose(s, err) || !uart_core_init(&s->uart, dev, err))
        return false;
    device_irq_outs(dev, NULL, &s->uart.irq, 1);
    if (isa_connect_irq(dev, 0, s->irq, err) && isa_add_ports(dev, &s->uart.io, s->iobase, err))
        return true;
    uart_core_destroy(&s->uart);
    return false;
}

static void serial_unrealize(struct device *dev)
{
    uart_core_destroy(&((struct isa_serial *)dev)->uart);
}

static void serial_reset(struct device *dev)
{
    uart_core_reset(&((struct isa_serial *)dev)->uart);
}

static const struct state_field serial_fields[] = {
    STATE_STRUCT(struct isa_serial, uart, uart_core_state), STATE_END
};
static const struct state_table serial_state = { .name = "isa-serial",
                                                 .version = 1,
                                                 .fields = serial_fields };

static const struct prop serial_props[] = {
    UART_CORE_PROPS(struct isa_serial, uart, 1843200),
    PROP_U32(struct isa_serial, index, "index", UNSET, "0 to 3 for COM1 to COM4"),
    PROP_U32(struct isa_serial, iobase, "iobase", UNSET, "first of its 8 ports"),
    PROP_U32(struct isa_serial, irq, "irq", UNSET, "interrupt line"), PROP_LIST_END
};

const struct device_type isa_serial_type = {
    .name = "isa-serial",
    .help = "16550A serial port on the ISA bus",
    .bus = BUS_ISA,
    .size = sizeof(struct isa_serial),
    .category = "input",
    .realize = serial_realize,
    .reset = serial_reset,
    .unrealize = serial_unrealize,
    .props = serial_props,
    .state = &serial_state,
};
