/* A 16550A on PCI: 1b36:0002, registers in the I/O window of BAR 0. */
#include "uart16550.h"

#include <hw/pci/pci.h>

struct pci_serial {
    struct pci_device pci;
    struct uart_core uart;
};

static void irq_changed(void *opaque, unsigned n, bool level)
{
    (void)n;
    pci_set_intx(opaque, level);
}

static bool serial_realize(struct device *dev, GError **err)
{
    struct pci_serial *s = (struct pci_serial *)dev;

    if (!uart_core_init(&s->uart, dev, err))
        return false;
    s->uart.irq = (struct irq_line){ irq_changed, &s->pci, 0 };
    pci_add_bar(&s->pci, 0, PCI_BAR_IO, &s->uart.io);
    return true;
}

static void serial_unrealize(struct device *dev)
{
    uart_core_destroy(&((struct pci_serial *)dev)->uart);
}

static void serial_reset(struct device *dev)
{
    uart_core_reset(&((struct pci_serial *)dev)->uart);
}

static const struct state_field serial_fields[] = {
    STATE_STRUCT(struct pci_serial, uart, uart_core_state), STATE_END
};
static const struct state_table serial_state = { .name = "pci-serial",
                                                 .version = 1,
                                                 .fields = serial_fields };

static const struct prop serial_props[] = { UART_CORE_PROPS(struct pci_serial, uart, 1843200),
                                            PROP_LIST_END };

static const struct pci_info serial_info = {
    .vendor = 0x1b36,
    .device = 0x0002,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .revision = 1,
    .class_code = { 0x02, 0x00, 0x07 }, /* 16550-compatible serial controller */
    .pin = 1,
};

const struct device_type pci_serial_type = {
    .name = "pci-serial",
    .help = "16550A serial port on PCI",
    .bus = BUS_PCI,
    .size = sizeof(struct pci_serial),
    .category = "input",
    .realize = serial_realize,
    .reset = serial_reset,
    .unrealize = serial_unrealize,
    .props = serial_props,
    .state = &serial_state,
    .bus_info = &serial_info,
};
