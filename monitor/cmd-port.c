/*
 * Ports of a PC by hand: `i` reads one, `o` writes one.
 */
#include <inttypes.h>
#include <base/bits.h>
#include <hw/core/machine.h>
#include "command.h"

enum { PORT_BYTES_MAX = 4 };

/* How wide the access is: /b, /h or /w; ports have no 8 bytes. */
static unsigned width(const json_t *args)
{
    json_int_t size = json_integer_value(json_object_get(json_object_get(args, "fmt"), "size"));

    return size == 1 || size == 2 ? (unsigned)size : PORT_BYTES_MAX;
}

static uint16_t number(const json_t *args)
{
    return (uint16_t)json_integer_value(json_object_get(args, "addr"));
}

static bool port_read(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    static const char suffix[] = { [1] = 'b', [2] = 'w', [4] = 'l' };
    unsigned size = width(args);
    uint64_t v = UINT64_MAX;

    (void)err;
    if (space_load(&mon->machine->ports, number(args), size, &v, 0) != MEM_OK)
        v = UINT64_MAX;
    g_string_append_printf(out, "port%c[0x%04x] = 0x%0*" PRIx64 "\n", suffix[size], number(args),
                           (int)size * 2, v & mask64(8 * size));
    return true;
}

static bool port_write(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    uint64_t v = (uint64_t)json_integer_value(json_object_get(args, "val"));
    unsigned size = width(args);

    (void)out, (void)err;
    space_store(&mon->machine->ports, number(args), size, v & mask64(8 * size), 0);
    return true;
}

static const struct mon_member read_args[] = {
    MEMBER("fmt", &mon_format, .hmp = HMP_FORMAT),
    MEMBER("addr", &mon_int),
    { 0 },
};
static const struct mon_member write_args[] = {
    MEMBER("fmt", &mon_format, .hmp = HMP_FORMAT),
    MEMBER("addr", &mon_int),
    MEMBER("val", &mon_int),
    { 0 },
};

const struct mon_command port_commands[] = {
    { .hmp = "i",
      .args = read_args,
      .params = "/fmt addr",
      .text = port_read,
      .help = "I/O port read" },
    { .hmp = "o",
      .args = write_args,
      .params = "/fmt addr value",
      .text = port_write,
      .help = "I/O port write" },
    { 0 },
};
