/*
 * Questions about the stub and its threads, the target description, and the monitor.
 */
#include <monitor/monitor.h>
#include "stub.h"

bool cmd_supported(struct gdbstub *g, const char *args, size_t len)
{
    (void)len;
    g->knows_swbreak = strstr(args, "swbreak+") != NULL;
    g->knows_hwbreak = strstr(args, "hwbreak+") != NULL;
    g_string_printf(g->reply,
                    "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;vContSupported+;"
                    "swbreak+;hwbreak+",
                    PACKET_MAX);
    return true;
}

bool cmd_no_ack(struct gdbstub *g, const char *args, size_t len)
{
    (void)args, (void)len;
    g->no_ack_next = true;
    g_string_assign(g->reply, "OK");
    return true;
}

/* The machine was there before gdb: to quit is to detach. */
bool cmd_attached(struct gdbstub *g, const char *args, size_t len)
{
    (void)args, (void)len;
    g_string_assign(g->reply, "1");
    return true;
}

bool cmd_current(struct gdbstub *g, const char *args, size_t len)
{
    (void)args, (void)len;
    g_string_printf(g->reply, "QC%x", g->cpu + 1);
    return true;
}

bool cmd_first_info(struct gdbstub *g, const char *args, size_t len)
{
    g->next_info = 0;
    return cmd_next_info(g, args, len);
}

bool cmd_next_info(struct gdbstub *g, const char *args, size_t len)
{
    enum { AT_ONCE = 256 };
    unsigned end = MIN(stub_cpus(g), g->next_info + AT_ONCE);

    (void)args, (void)len;
    if (g->next_info >= end)
        g_string_assign(g->reply, "l");
    for (unsigned i = g->next_info; i < end; i++)
        g_string_append_printf(g->reply, "%c%x", i == g->next_info ? 'm' : ',', i + 1);
    g->next_info = end;
    return true;
}

bool cmd_extra_info(struct gdbstub *g, const char *args, size_t len)
{
    unsigned index;

    (void)len;
    if (*args++ != ',' || !stub_thread(g, &args, &index) || index == ALL_CPUS || *args) {
        stub_error(g, STUB_EINVAL);
        return true;
    }
    struct cpu *cpu = stub_cpu(g, index);
    g_autofree char *text =
        g_strdup_printf("CPU#%u %s [%s]", index, cpu->model,
                        __atomic_load_n(&cpu->halted, __ATOMIC_SEQ_CST) ? "halted" : "running");
    packet_hex(g->reply, text, strlen(text));
    return true;
}

/* ":target.xml:offset,length" */
bool cmd_features(struct gdbstub *g, const char *args, size_t len)
{
    static const char name[] = ":target.xml:";
    uint64_t offset, size;

    (void)len;
    if (!g_str_has_prefix(args, name)) {
        g_string_assign(g->reply, "E00");
        return true;
    }
    args += strlen(name);
    if (!packet_number(&args, &offset) || *args++ != ',' || !packet_number(&args, &size) || *args) {
        g_string_assign(g->reply, "E00");
        return true;
    }
    if (!g->target_xml)
        g->target_xml = stub_target_xml(g);
    uint64_t total = strlen(g->target_xml);
    offset = MIN(offset, total);
    size = MIN(MIN(size, PACKET_MAX / 2), total - offset);
    g_string_append_c(g->reply, offset + size < total ? 'm' : 'l');
    g_string_append_len(g->reply, g->target_xml + offset, size);
    return true;
}

/* What a command prints goes out as console output, in packets that gdb has room for. */
static void send_output(struct gdbstub *g, const char *text)
{
    enum { CHUNK = PACKET_MAX / 4 };

    for (size_t left = strlen(text), n; left; text += n, left -= n) {
        n = MIN(left, CHUNK);
        g_string_assign(g->reply, "O");
        packet_hex(g->reply, text, n);
        stub_send(g, g->reply->str, g->reply->len);
    }
}

/* ",command line in hexadecimal" */
bool cmd_monitor(struct gdbstub *g, const char *args, size_t len)
{
    g_autofree char *line = g_malloc0(len / 2 + 1);

    if (!g->monitors)
        return true;
    if (len < 1 || *args != ',' || !packet_unhex(args + 1, line, (len - 1) / 2)) {
        stub_error(g, STUB_EINVAL);
        return true;
    }
    g_autofree char *text = monitors_run_hmp(g->monitors, line);
    send_output(g, text);
    g_string_assign(g->reply, "OK");
    return true;
}
