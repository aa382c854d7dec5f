/*
 * The stub's connection: its chardev, packets in and out, acknowledgements.
 *
 * gdb waits for an answer before it asks again, so that little ever waits to be sent; of a peer
 * that does otherwise no packet is looked at until it has read.
 */
#include <string.h>
#include <base/error.h>
#include "stub.h"

enum { HOLD_INPUT_AT = 256 * 1024 };

static void flush(struct gdbstub *g)
{
    if (g->out->len) {
        size_t n = chardev_fe_write(&g->fe, g->out->data, g->out->len);
        /* A peer that has just gone has taken what was left along. */
        g_byte_array_remove_range(g->out, 0, MIN(n, g->out->len));
    }
}

static void send_byte(struct gdbstub *g, char c)
{
    g_byte_array_append(g->out, (const guint8 *)&c, 1);
}

void stub_send(struct gdbstub *g, const char *text, size_t len)
{
    g_byte_array_set_size(g->last, 0);
    packet_encode(g->last, text, len);
    g_byte_array_append(g->out, g->last->data, g->last->len);
    flush(g);
}

void stub_error(struct gdbstub *g, unsigned number)
{
    g_string_printf(g->reply, "E%02u", number);
}

/* gdb may speak while the machine runs only to interrupt it; whoever does otherwise wants it
 * stopped, too. */
static void stop_machine(struct gdbstub *g)
{
    if (machine_running(g->machine))
        machine_stop(g->machine, RUN_PAUSED);
}

static void take_packet(struct gdbstub *g)
{
    if (!g->no_ack)
        send_byte(g, '+');
    stop_machine(g);
    g_string_truncate(g->reply, 0);
    g->busy = true;
    bool now = stub_command(g);
    g->busy = false;
    if (now)
        stub_send(g, g->reply->str, g->reply->len);
    g->no_ack = g->no_ack_next;
}

static void take_event(struct gdbstub *g, enum packet_event e)
{
    switch (e) {
    case PACKET_READY: take_packet(g); break;
    case PACKET_BAD:
        if (!g->no_ack)
            send_byte(g, '-');
        break;
    case PACKET_TOO_LONG:
        if (!g->no_ack)
            send_byte(g, '+');
        stub_error(g, STUB_EINVAL);
        stub_send(g, g->reply->str, g->reply->len);
        break;
    case PACKET_NAK:
        if (g->no_ack)
            break;
        g_byte_array_append(g->out, g->last->data, g->last->len);
        flush(g);
        break;
    case PACKET_INTERRUPT: stop_machine(g); break;
    default: break;
    }
}

static size_t can_receive(void *opaque)
{
    struct gdbstub *g = opaque;

    return g->n_waiting || g->out->len > HOLD_INPUT_AT ? 0 : sizeof(g->waiting);
}

/* Does what the bytes received ask for, as long as the answers find room; the rest is for
 * writable(), which comes as a write was cut short then. */
static void take_waiting(struct gdbstub *g)
{
    size_t i;

    for (i = 0; i < g->n_waiting && g->out->len <= HOLD_INPUT_AT; i++)
        take_event(g, packet_feed(&g->in, g->waiting[i]));
    if (g->n_waiting) { /* else the peer has gone */
        g->n_waiting -= i;
        memmove(g->waiting, g->waiting + i, g->n_waiting);
    }
    flush(g);
}

static void receive(void *opaque, const uint8_t *buf, size_t len)
{
    struct gdbstub *g = opaque;

    memcpy(g->waiting, buf, len);
    g->n_waiting = len;
    take_waiting(g);
}

static void forget_peer(struct gdbstub *g)
{
    g->attached = g->awaiting = false;
    g->no_ack = g->no_ack_next = false;
    g->knows_swbreak = g->knows_hwbreak = g->physical = false;
    g->step_bits = STEP_ENABLE | STEP_NOIRQ;
    g->in.state = READ_IDLE;
    g->cpu = 0;
    g->run_cpu = ALL_CPUS;
    g->n_waiting = 0;
    g_byte_array_set_size(g->out, 0);
    g_byte_array_set_size(g->last, 0);
    stub_let_go(g);
}

static void chardev_event(void *opaque, enum chardev_event event)
{
    struct gdbstub *g = opaque;

    if (event == CHARDEV_OPENED) {
        forget_peer(g);
        g->attached = true;
        stop_machine(g);
    } else if (event == CHARDEV_CLOSED && g->attached) {
        forget_peer(g);
    }
}

static void writable(void *opaque)
{
    struct gdbstub *g = opaque;

    flush(g);
    take_waiting(g);
    chardev_fe_accept_input(&g->fe);
}

static const struct chardev_fe_ops fe_ops = {
    .can_receive = can_receive,
    .receive = receive,
    .event = chardev_event,
    .writable = writable,
};

struct gdbstub *gdbstub_new(struct machine *machine, struct monitors *monitors,
                            struct chardev_set *chardevs)
{
    struct gdbstub *g = g_new0(struct gdbstub, 1);

    g->machine = machine;
    g->monitors = monitors;
    g->chardevs = chardevs;
    g->out = g_byte_array_new();
    g->last = g_byte_array_new();
    g->reply = g_string_new(NULL);
    g->points = g_array_new(FALSE, FALSE, sizeof(struct point));
    g->run_cpu = ALL_CPUS;
    machine_on_run_state(machine, stub_run_state, g);
    return g;
}

static void hang_up(struct gdbstub *g)
{
    chardev_fe_detach(&g->fe);
    forget_peer(g);
    if (g->own_id)
        chardev_remove(g->chardevs, g->own_id, NULL);
    g_clear_pointer(&g->own_id, g_free);
}

void gdbstub_free(struct gdbstub *g)
{
    if (g->awaiting) {
        g_autofree char *gone = g_strdup_printf("W%02x", g->machine->exit_code & 0xff);
        stub_send(g, gone, strlen(gone));
    }
    machine_off_run_state(g->machine, stub_run_state, g);
    hang_up(g);
    g_byte_array_unref(g->out);
    g_byte_array_unref(g->last);
    g_string_free(g->reply, TRUE);
    g_array_unref(g->points);
    g_free(g->target_xml);
    g_free(g);
}

/* A debugger connects to its stub, not the other way round, and the machine does not wait for it:
 * with -S it is stopped anyway. */
static char *as_server(const char *stream)
{
    bool tcp = g_str_has_prefix(stream, "tcp:");

    if ((!tcp && !g_str_has_prefix(stream, "unix:")) || strstr(stream, "server"))
        return g_strdup(stream);
    return g_strconcat(stream, tcp ? ",nodelay=on" : "", ",server=on,wait=off", NULL);
}

bool gdbstub_listen(struct gdbstub *g, const char *stream, GError **err)
{
    g_autofree char *arg = as_server(stream);
    GError *why = NULL;
    struct chardev *chr;

    if (g->busy)
        return error_set(err, "gdbserver: not from within gdb");
    hang_up(g);
    if (!strcmp(stream, "none"))
        return true;
    chr = chardev_new_from_legacy(g->chardevs, "gdb", arg, &why);
    if (why) {
        g_propagate_error(err, why);
        return false;
    }
    if (!chr)
        return true;
    if (!g_str_has_prefix(stream, "chardev:"))
        g->own_id = g_strdup(chardev_id(chr));
    if (chardev_fe_attach(&g->fe, chr, &fe_ops, g, "gdb", err))
        return true;
    hang_up(g);
    return false;
}
