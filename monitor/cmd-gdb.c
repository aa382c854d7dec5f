/*
 * The gdb stub, switched while the machine runs.
 */
#include <string.h>
#include <gdbstub/gdbstub.h>
#include "command.h"

static const struct mon_member gdbserver_args[] = {
    OPTIONAL("device", &mon_str, .hmp = HMP_REST),
    { 0 },
};

static bool gdbserver(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    const char *device = json_string_value(json_object_get(args, "device"));
    struct gdbstub *gdb = mon_gdbstub(mon);

    if (!device)
        device = "tcp::1234";
    if (!gdb)
        return error_set(err, "gdbserver: there is no gdb stub");
    if (!gdbstub_listen(gdb, device, err))
        return false;
    if (!strcmp(device, "none"))
        g_string_append(out, "Disabled gdbserver\n");
    else
        g_string_append_printf(out, "Waiting for gdb connection on device '%s'\n", device);
    return true;
}

const struct mon_command gdb_commands[] = {
    { .hmp = "gdbserver",
      .args = gdbserver_args,
      .params = "[device]",
      .text = gdbserver,
      .help = "start gdbserver on given device (default 'tcp::1234'), stop with 'none'" },
    { 0 },
};
