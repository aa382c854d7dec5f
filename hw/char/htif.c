/*
 * HTIF, the host-target interface of UC Berkeley's RISC-V simulators: two 64-bit words, tohost and
 * fromhost. A command is device << 56 | command << 48 | payload.
 *
 *     device 0  payload odd: the program ends with status payload >> 1
 *               payload even: address of a system call {number, arguments}; write is known
 *     device 1  console: command 0 asks for a character, command 1 writes one
 *
 * 32-bit programs write the low half first. What programs that never write the high half (tests,
 * in a loop) mean is known when the low half is written again.
 */
#include <hw/char/htif.h>

#include <inttypes.h>
#include <base/bits.h>
#include <base/error.h>
#include <base/log.h>
#include <chardev/chardev.h>
#include <hw/core/machine.h>

#define DEV_SYSCALL    0
#define DEV_CONSOLE    1
#define CMD_GETC       0
#define CMD_PUTC       1
#define CHAR_VALID     0x100
#define SYS_WRITE      64
#define SYS_EXIT       93
#define WRITE_MAX      65536 /* bytes of one write call */
#define SIGNATURE_MAX  (16u << 20)
#define SIGNATURE_LINE 16

struct htif {
    struct device dev;
    struct mem_region tohost_io, fromhost_io;
    struct chardev *chr;
    struct chardev_fe fe;
    char *signature;                         /* file for the signature, NULL for none */
    uint64_t signature_begin, signature_end; /* guest addresses */

    uint64_t tohost, fromhost;
    bool half_written; /* the low half waits for the high one */
    bool wants_char;
};

/* Architectural tests leave their result in memory: a line of hex for each 16 bytes, highest first.
 */
static void write_signature(struct htif *h)
{
    uint64_t len = h->signature_end - h->signature_begin;
    GString *text = g_string_new(NULL);
    GError *err = NULL;
    uint8_t *buf;

    if (h->signature_end < h->signature_begin || len > SIGNATURE_MAX) {
        log_guest_error("htif: signature of 0x%" PRIx64 " bytes\n", len);
        g_string_free(text, TRUE);
        return;
    }
    buf = g_malloc0(len + SIGNATURE_LINE);
    space_read(&h->dev.machine->memory, h->signature_begin, buf, len, 0);
    for (uint64_t at = 0; at < len; at += SIGNATURE_LINE) {
        for (unsigned i = SIGNATURE_LINE; i-- > 0;)
            g_string_append_printf(text, "%02x", buf[at + i]);
        g_string_append_c(text, '\n');
    }
    if (!g_file_set_contents(h->signature, text->str, (gssize)text->len, &err)) {
        g_printerr("htif: signature: %s\n", err->message);
        g_error_free(err);
    }
    g_string_free(text, TRUE);
    g_free(buf);
}

static void end_program(struct htif *h, uint64_t status)
{
    if (h->signature)
        write_signature(h);
    machine_request_shutdown(h->dev.machine, CAUSE_GUEST_SHUTDOWN, (int)(status & 0xff));
}

static void sys_write(struct htif *h, const uint64_t *call)
{
    uint64_t len = MIN(call[3], WRITE_MAX);
    uint8_t *buf = g_malloc0(len + 1);

    if (call[1] == 1 || call[1] == 2) {
        space_read(&h->dev.machine->memory, call[2], buf, len, 0);
        chardev_fe_write(&h->fe, buf, len);
    }
    g_free(buf);
}

/* The array of the call is in memory; its first word takes the result. */
static void system_call(struct htif *h, uint64_t addr)
{
    struct address_space *as = &h->dev.machine->memory;
    uint64_t call[4];

    for (unsigned i = 0; i < ARRAY_LEN(call); i++)
        call[i] = space_ld64_le(as, addr + 8 * i, 0, NULL);
    switch (call[0]) {
    case SYS_WRITE:
        sys_write(h, call);
        space_st64_le(as, addr, call[3], 0);
        break;
    case SYS_EXIT: end_program(h, call[1]); return;
    default:
        log_unimp("htif: system call %" PRIu64 "\n", call[0]);
        space_st64_le(as, addr, (uint64_t)-38, 0); /* ENOSYS */
    }
    h->fromhost = 1;
}

static void console(struct htif *h, unsigned command, uint64_t payload)
{
    uint8_t c = (uint8_t)payload;

    if (command == CMD_PUTC) {
        chardev_fe_write(&h->fe, &c, 1);
        h->fromhost = (uint64_t)DEV_CONSOLE << 56 | (uint64_t)CMD_PUTC << 48 | CHAR_VALID | c;
    } else if (command == CMD_GETC) {
        h->wants_char = true;
        chardev_fe_accept_input(&h->fe);
    } else {
        log_unimp("htif: console command %u\n", command);
    }
}

static void run_command(struct htif *h)
{
    unsigned device = h->tohost >> 56, command = h->tohost >> 48 & 0xff;
    uint64_t payload = h->tohost & mask64(48);

    h->half_written = false;
    if (!h->tohost)
        return;
    h->tohost = 0; /* taken */
    if (device == DEV_CONSOLE)
        console(h, command, payload);
    else if (device == DEV_SYSCALL && command == 0 && (payload & 1))
        end_program(h, payload >> 1);
    else if (device == DEV_SYSCALL && command == 0)
        system_call(h, payload);
    else
        log_unimp("htif: device %u, command %u\n", device, command);
}

static uint64_t tohost_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct htif *h = opaque;

    return h->tohost >> (offset * 8) & mask64(size * 8);
}

static void tohost_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct htif *h = opaque;

    if (size == 8) {
        h->tohost = value;
        run_command(h);
    } else if (offset == 0) {
        if (h->half_written)
            run_command(h);
        h->tohost = value;
        h->half_written = value != 0;
    } else {
        h->tohost = (uint32_t)h->tohost | value << 32;
        run_command(h);
    }
}

static uint64_t fromhost_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct htif *h = opaque;

    return h->fromhost >> (offset * 8) & mask64(size * 8);
}

static void fromhost_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct htif *h = opaque;

    h->fromhost = deposit64(h->fromhost, (unsigned)offset * 8, size * 8, value);
    chardev_fe_accept_input(&h->fe);
}

static const struct io_ops tohost_ops = {
    .read = tohost_read,
    .write = tohost_write,
    .guest_sizes = { 4, 8 },
};
static const struct io_ops fromhost_ops = {
    .read = fromhost_read,
    .write = fromhost_write,
    .guest_sizes = { 4, 8 },
};

static size_t htif_can_receive(void *opaque)
{
    const struct htif *h = opaque;

    return h->wants_char && !h->fromhost;
}

static void htif_receive(void *opaque, const uint8_t *buf, size_t len)
{
    struct htif *h = opaque;

    (void)len;
    h->wants_char = false;
    h->fromhost = (uint64_t)DEV_CONSOLE << 56 | (uint64_t)CMD_GETC << 48 | CHAR_VALID | buf[0];
}

static const struct chardev_fe_ops htif_fe = {
    .can_receive = htif_can_receive,
    .receive = htif_receive,
};

static bool htif_realize(struct device *dev, GError **err)
{
    struct htif *h = (struct htif *)dev;

    if (h->chr && !chardev_fe_attach(&h->fe, h->chr, &htif_fe, h, dev->path, err))
        return false;
    mem_region_init_io(&h->tohost_io, device_mem(dev), &tohost_ops, h, "htif-tohost", 8);
    mem_region_init_io(&h->fromhost_io, device_mem(dev), &fromhost_ops, h, "htif-fromhost", 8);
    device_add_region(dev, &h->tohost_io);
    device_add_region(dev, &h->fromhost_io);
    return true;
}

static void htif_unrealize(struct device *dev)
{
    struct htif *h = (struct htif *)dev;

    mem_region_destroy(&h->tohost_io);
    mem_region_destroy(&h->fromhost_io);
    chardev_fe_detach(&h->fe);
}

static void htif_reset(struct device *dev)
{
    struct htif *h = (struct htif *)dev;

    h->tohost = h->fromhost = 0;
    h->half_written = h->wants_char = false;
}

void htif_set_signature(struct device *dev, uint64_t begin, uint64_t end)
{
    struct htif *h = (struct htif *)dev;

    h->signature_begin = begin;
    h->signature_end = end;
}

static const struct state_field htif_fields[] = { STATE_U64(struct htif, tohost),
                                                  STATE_U64(struct htif, fromhost),
                                                  STATE_BOOL(struct htif, half_written),
                                                  STATE_BOOL(struct htif, wants_char), STATE_END };
static const struct state_table htif_state = { .name = "htif",
                                               .version = 1,
                                               .fields = htif_fields };

static const struct prop htif_props[] = {
    PROP_CHARDEV(struct htif, chr, "chardev", "where the console is"),
    PROP_STR(struct htif, signature, "signature", NULL, "file for the signature of a test"),
    PROP_LIST_END
};

const struct device_type htif_type = {
    .name = "riscv.htif",
    .help = "host-target interface of RISC-V simulators",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct htif),
    .internal = true,
    .category = "misc",
    .realize = htif_realize,
    .reset = htif_reset,
    .unrealize = htif_unrealize,
    .props = htif_props,
    .state = &htif_state,
};
