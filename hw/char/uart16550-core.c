/*
 * 16550A UART (National Semiconductor PC16550D, June 1995; section numbers below are its).
 *
 * Sends as fast as the back end takes characters: pacing would only slow guests down. Receives with
 * FIFO, trigger levels and the character timeout of 8.4. Registers repeat every 8 bytes (shifted by
 * regshift) over the window.
 */
#include "uart16550.h"

#include <string.h>
#include <base/bits.h>
#include <base/error.h>

enum { RBR_THR = 0, IER = 1, IIR_FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };

#define IER_RX         0x01
#define IER_TX         0x02
#define IER_LINE       0x04
#define IER_MODEM      0x08
#define IIR_NONE       0x01
#define IIR_TX         0x02
#define IIR_RX         0x04
#define IIR_LINE       0x06
#define IIR_TIMEOUT    0x0c
#define IIR_MODEM      0x00
#define IIR_FIFOS      0xc0
#define FCR_ENABLE     0x01
#define FCR_CLEAR_RX   0x02
#define FCR_CLEAR_TX   0x04
#define LCR_WORD       0x03
#define LCR_STOP       0x04
#define LCR_PARITY     0x08
#define LCR_DLAB       0x80
#define MCR_DTR        0x01
#define MCR_RTS        0x02
#define MCR_OUT1       0x04
#define MCR_OUT2       0x08
#define MCR_LOOP       0x10
#define MCR_MASK       0x1f
#define LSR_READY      0x01
#define LSR_OVERRUN    0x02
#define LSR_PARITY     0x04
#define LSR_FRAMING    0x08
#define LSR_BREAK      0x10
#define LSR_THRE       0x20
#define LSR_IDLE       0x40
#define LSR_FIFO_ERROR 0x80
#define LSR_ERRORS     (LSR_OVERRUN | LSR_PARITY | LSR_FRAMING | LSR_BREAK)
#define MSR_DCTS       0x01
#define MSR_DDSR       0x02
#define MSR_TERI       0x04
#define MSR_DDCD       0x08
#define MSR_CTS        0x10
#define MSR_DSR        0x20
#define MSR_RI         0x40
#define MSR_DCD        0x80
#define MSR_DELTAS     0x0f

/* What the other end of the cable shows: it is there and ready. */
#define MSR_READY (MSR_CTS | MSR_DSR | MSR_DCD)

static void fifo_put(struct fifo *f, uint8_t c, uint8_t flags)
{
    unsigned at = (f->head + f->count) % FIFO_SIZE;

    f->data[at] = c;
    f->flags[at] = flags;
    f->count++;
}

static uint8_t fifo_get(struct fifo *f)
{
    uint8_t c = f->data[f->head];

    f->head = (f->head + 1) % FIFO_SIZE;
    f->count--;
    return c;
}

static bool fifos_on(const struct uart_core *u)
{
    return u->fcr & FCR_ENABLE;
}

static unsigned rx_room(const struct uart_core *u)
{
    return (fifos_on(u) ? FIFO_SIZE : 1) - u->rx.count;
}

static unsigned trigger_level(const struct uart_core *u)
{
    static const uint8_t levels[] = { 1, 4, 8, 14 };

    return fifos_on(u) ? levels[u->fcr >> 6] : 1;
}

/* The most urgent interrupt, as IIR shows it (table 5 of 8.6). */
static uint8_t interrupt_id(const struct uart_core *u)
{
    if ((u->ier & IER_LINE) && (u->lsr & LSR_ERRORS))
        return IIR_LINE;
    if ((u->ier & IER_RX) && u->rx.count >= trigger_level(u))
        return IIR_RX;
    if ((u->ier & IER_RX) && u->timed_out)
        return IIR_TIMEOUT;
    if ((u->ier & IER_TX) && u->tx_pending)
        return IIR_TX;
    if ((u->ier & IER_MODEM) && (u->msr & MSR_DELTAS))
        return IIR_MODEM;
    return IIR_NONE;
}

static void update_irq(struct uart_core *u)
{
    irq_set(&u->irq, interrupt_id(u) != IIR_NONE);
}

/* Time of one character on the line. */
static int64_t char_ns(const struct uart_core *u)
{
    unsigned divisor = u->dlm << 8 | u->dll;
    unsigned bits =
        1 + 5 + (u->lcr & LCR_WORD) + !!(u->lcr & LCR_PARITY) + (u->lcr & LCR_STOP ? 2 : 1);

    return NS_PER_SEC * 16 * (divisor ? divisor : 1) * bits / u->clock;
}

/* 8.4: the timeout counts anew with each character that comes or goes. */
static void restart_timeout(struct uart_core *u)
{
    u->timed_out = false;
    if (fifos_on(u) && u->rx.count)
        timer_mod_ns(&u->timeout, clock_ns(device_loop(u->owner), CLK_VIRTUAL) + 4 * char_ns(u));
    else
        timer_del(&u->timeout);
}

static void timeout_due(void *opaque)
{
    struct uart_core *u = opaque;

    u->timed_out = u->rx.count > 0;
    update_irq(u);
}

/* The character at the head brings its errors into LSR; bit 7 tells of any in the FIFO. */
static void show_head(struct uart_core *u)
{
    u->lsr &= ~(LSR_READY | LSR_FIFO_ERROR);
    if (!u->rx.count)
        return;
    u->lsr |= LSR_READY | u->rx.flags[u->rx.head];
    for (unsigned i = 0; fifos_on(u) && i < u->rx.count; i++)
        if (u->rx.flags[(u->rx.head + i) % FIFO_SIZE])
            u->lsr |= LSR_FIFO_ERROR;
}

static void receive_char(struct uart_core *u, uint8_t c, uint8_t flags)
{
    if (!rx_room(u)) {
        u->lsr |= LSR_OVERRUN;
        /* 8.3: without FIFOs the character in the buffer is lost, with them the new one */
        if (!fifos_on(u))
            u->rx.data[u->rx.head] = c;
    } else {
        fifo_put(&u->rx, c, flags);
        if (u->rx.count == 1)
            show_head(u);
        else if (flags)
            u->lsr |= LSR_FIFO_ERROR;
    }
    restart_timeout(u);
    update_irq(u);
}

static void transmit_done(struct uart_core *u)
{
    if (u->tx.count)
        return;
    u->lsr |= LSR_THRE | LSR_IDLE;
    u->tx_pending = true;
}

/* Hands characters on until the back end takes no more; uart_writable() goes on then. */
static void transmit(struct uart_core *u)
{
    uint8_t mask = (uint8_t)(0xff >> (3 - (u->lcr & LCR_WORD)));

    while (u->tx.count) {
        uint8_t c = u->tx.data[u->tx.head] & mask;

        if (u->mcr & MCR_LOOP)
            receive_char(u, c, 0);
        else if (!chardev_fe_put(&u->fe, c))
            break;
        fifo_get(&u->tx);
    }
    transmit_done(u);
    update_irq(u);
}

static void write_thr(struct uart_core *u, uint8_t c)
{
    unsigned size = fifos_on(u) ? FIFO_SIZE : 1;

    if (u->tx.count == size) {
        /* the one that was written last is overwritten */
        u->tx.data[(u->tx.head + u->tx.count - 1) % FIFO_SIZE] = c;
    } else {
        fifo_put(&u->tx, c, 0);
    }
    u->lsr &= ~(LSR_THRE | LSR_IDLE);
    u->tx_pending = false;
    transmit(u);
}

static void clear_fifo(struct uart_core *u, struct fifo *f)
{
    memset(f, 0, sizeof(*f));
    show_head(u);
    transmit_done(u);
}

static void write_fcr(struct uart_core *u, uint8_t v)
{
    bool toggled = (v ^ u->fcr) & FCR_ENABLE;

    u->fcr = v & FCR_ENABLE ? v & ~(FCR_CLEAR_RX | FCR_CLEAR_TX) : 0;
    if (toggled || (v & FCR_CLEAR_RX)) {
        clear_fifo(u, &u->rx);
        restart_timeout(u);
        chardev_fe_accept_input(&u->fe);
    }
    if ((toggled || (v & FCR_CLEAR_TX)) && u->tx.count)
        clear_fifo(u, &u->tx);
    update_irq(u);
}

/* Lines that the modem, or in loopback the own outputs (8.7), drive. */
static uint8_t modem_lines(const struct uart_core *u)
{
    if (!(u->mcr & MCR_LOOP))
        return MSR_READY;
    return (u->mcr & MCR_DTR ? MSR_DSR : 0) | (u->mcr & MCR_RTS ? MSR_CTS : 0) |
           (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0);
}

static void update_modem(struct uart_core *u)
{
    uint8_t now = modem_lines(u), was = u->msr & ~MSR_DELTAS, changed = now ^ was;

    u->msr = now | (u->msr & MSR_DELTAS);
    u->msr |= (changed & MSR_CTS ? MSR_DCTS : 0) | (changed & MSR_DSR ? MSR_DDSR : 0) |
              (changed & MSR_DCD ? MSR_DDCD : 0);
    if (was & ~now & MSR_RI)
        u->msr |= MSR_TERI; /* only the end of a ring counts */
    update_irq(u);
}

static uint8_t read_rbr(struct uart_core *u)
{
    uint8_t c = 0;

    if (u->rx.count) {
        c = fifo_get(&u->rx);
        show_head(u);
        restart_timeout(u);
        update_irq(u);
        chardev_fe_accept_input(&u->fe);
    }
    return c;
}

static uint8_t read_iir(struct uart_core *u)
{
    uint8_t id = interrupt_id(u);

    if (id == IIR_TX) {
        u->tx_pending = false;
        update_irq(u);
    }
    return id | (fifos_on(u) ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(struct uart_core *u)
{
    uint8_t v = u->lsr;

    u->lsr &= ~LSR_ERRORS;
    if (u->rx.count)
        u->rx.flags[u->rx.head] = 0;
    show_head(u);
    update_irq(u);
    return v;
}

static uint8_t read_msr(struct uart_core *u)
{
    uint8_t v = u->msr;

    u->msr &= ~MSR_DELTAS;
    update_irq(u);
    return v;
}

static uint64_t uart_read(void *opaque, uint64_t offset, unsigned size)
{
    struct uart_core *u = opaque;
    bool dlab = u->lcr & LCR_DLAB;

    (void)size;
    switch (offset >> u->regshift & 7) {
    case RBR_THR: return dlab ? u->dll : read_rbr(u);
    case IER: return dlab ? u->dlm : u->ier;
    case IIR_FCR: return read_iir(u);
    case LCR: return u->lcr;
    case MCR: return u->mcr;
    case LSR: return read_lsr(u);
    case MSR: return read_msr(u);
    default: return u->scr;
    }
}

static void write_ier(struct uart_core *u, uint8_t v)
{
    /* enabling the interrupt while there is nothing to send raises it (8.6) */
    if ((v & ~u->ier & IER_TX) && (u->lsr & LSR_THRE))
        u->tx_pending = true;
    u->ier = v & 0x0f;
    update_irq(u);
}

static void uart_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct uart_core *u = opaque;
    bool dlab = u->lcr & LCR_DLAB;
    uint8_t v = (uint8_t)value;

    (void)size;
    switch (offset >> u->regshift & 7) {
    case RBR_THR:
        if (dlab)
            u->dll = v;
        else
            write_thr(u, v);
        break;
    case IER:
        if (dlab)
            u->dlm = v;
        else
            write_ier(u, v);
        break;
    case IIR_FCR: write_fcr(u, v); break;
    case LCR: u->lcr = v; break;
    case MCR:
        u->mcr = v & MCR_MASK;
        update_modem(u);
        chardev_fe_accept_input(&u->fe);
        break;
    case SCR: u->scr = v; break;
    default: break; /* LSR and MSR are the chip's own */
    }
}

static size_t uart_can_receive(void *opaque)
{
    const struct uart_core *u = opaque;

    return u->mcr & MCR_LOOP ? 0 : rx_room(u);
}

static void uart_receive(void *opaque, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++)
        receive_char(opaque, buf[i], 0);
}

static void uart_event(void *opaque, enum chardev_event event)
{
    if (event == CHARDEV_BREAK)
        receive_char(opaque, 0, LSR_BREAK);
}

static void uart_writable(void *opaque)
{
    transmit(opaque);
}

static const struct chardev_fe_ops uart_fe = {
    .can_receive = uart_can_receive,
    .receive = uart_receive,
    .event = uart_event,
    .writable = uart_writable,
};

static const struct io_ops uart_io = {
    .read = uart_read,
    .write = uart_write,
    .own_sizes = { 1, 1 },
};

bool uart_core_init(struct uart_core *u, struct device *owner, GError **err)
{
    u->owner = owner;
    timer_init(&u->timeout, device_loop(owner), CLK_VIRTUAL, timeout_due, u);
    if (u->chr && !chardev_fe_attach(&u->fe, u->chr, &uart_fe, u, owner->path, err))
        return false;
    mem_region_init_io(&u->io, device_mem(owner), &uart_io, u, "serial", 8u << u->regshift);
    return true;
}

void uart_core_destroy(struct uart_core *u)
{
    mem_region_destroy(&u->io);
    timer_del(&u->timeout);
    chardev_fe_detach(&u->fe);
}

void uart_core_reset(struct uart_core *u)
{
    u->ier = u->fcr = u->lcr = u->mcr = u->scr = u->dlm = 0;
    u->dll = 12;
    u->lsr = LSR_THRE | LSR_IDLE;
    u->msr = MSR_READY;
    u->tx_pending = u->timed_out = false;
    memset(&u->rx, 0, sizeof(u->rx));
    memset(&u->tx, 0, sizeof(u->tx));
    timer_del(&u->timeout);
    update_irq(u);
}

static bool fifo_valid(void *obj, unsigned version, GError **err)
{
    const struct fifo *f = obj;

    (void)version;
    if (f->head < FIFO_SIZE && f->count <= FIFO_SIZE)
        return true;
    return error_set(err, "saved state: uart16550: FIFO index out of range");
}

static const struct state_field fifo_fields[] = { STATE_BUF(struct fifo, data),
                                                  STATE_BUF(struct fifo, flags),
                                                  STATE_U8(struct fifo, head),
                                                  STATE_U8(struct fifo, count), STATE_END };
static const struct state_table fifo_state = {
    .name = "fifo", .version = 1, .fields = fifo_fields, .post_load = fifo_valid
};

static bool uart_loaded(void *obj, unsigned version, GError **err)
{
    struct uart_core *u = obj;

    (void)version;
    if (!fifos_on(u) && (u->rx.count > 1 || u->tx.count > 1))
        return error_set(err, "saved state: uart16550: more than one character without FIFO");
    u->ier &= 0x0f;
    u->mcr &= MCR_MASK;
    if (u->tx.count)
        transmit(u);
    return true;
}

static const struct state_field uart_fields[] = { STATE_U8(struct uart_core, ier),
                                                  STATE_U8(struct uart_core, fcr),
                                                  STATE_U8(struct uart_core, lcr),
                                                  STATE_U8(struct uart_core, mcr),
                                                  STATE_U8(struct uart_core, lsr),
                                                  STATE_U8(struct uart_core, msr),
                                                  STATE_U8(struct uart_core, scr),
                                                  STATE_U8(struct uart_core, dll),
                                                  STATE_U8(struct uart_core, dlm),
                                                  STATE_BOOL(struct uart_core, tx_pending),
                                                  STATE_BOOL(struct uart_core, timed_out),
                                                  STATE_STRUCT(struct uart_core, rx, fifo_state),
                                                  STATE_STRUCT(struct uart_core, tx, fifo_state),
                                                  STATE_TIMER(struct uart_core, timeout),
                                                  STATE_END };
const struct state_table uart_core_state = {
    .name = "uart16550", .version = 1, .fields = uart_fields, .post_load = uart_loaded
};
