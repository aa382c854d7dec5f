/*
 * Which command a packet is. To add one: a row here, and its function in the file of its kind.
 */
#include "stub.h"

struct command {
    const char *name;
    stub_fn *run;
};

/* "OK" to what needs nothing done. */
static bool cmd_ok(struct gdbstub *g, const char *args, size_t len)
{
    (void)args, (void)len;
    g_string_assign(g->reply, "OK");
    return true;
}

bool stub_thread(struct gdbstub *g, const char **p, unsigned *index)
{
    uint64_t process, id;

    *index = ALL_CPUS;
    if (**p == 'p') { /* "pPROCESS.THREAD"; there is one process, and alone it means all of it */
        (*p)++;
        if (**p == '-' && (*p)[1] == '1')
            *p += 2;
        else if (!packet_number(p, &process))
            return false;
        if (**p != '.')
            return true;
        (*p)++;
    }
    if (**p == '-' && (*p)[1] == '1') {
        *p += 2;
        return true;
    }
    if (!packet_number(p, &id) || id > stub_cpus(g))
        return false;
    if (id)
        *index = id - 1;
    return true;
}

/* H: which thread the commands that follow are for. */
static bool cmd_select(struct gdbstub *g, const char *args, size_t len)
{
    const char *p = args + 1;
    unsigned index;

    if (!len || (args[0] != 'g' && args[0] != 'c') || !stub_thread(g, &p, &index) || *p) {
        stub_error(g, STUB_EINVAL);
        return true;
    }
    if (args[0] == 'c')
        g->run_cpu = index;
    else if (index != ALL_CPUS)
        g->cpu = index;
    return cmd_ok(g, args, len);
}

/* T: is the thread alive? */
static bool cmd_alive(struct gdbstub *g, const char *args, size_t len)
{
    unsigned index;

    if (stub_thread(g, &args, &index) && index != ALL_CPUS)
        return cmd_ok(g, args, len);
    stub_error(g, STUB_EINVAL);
    return true;
}

/* A name of one letter is followed by anything, a longer one by what ends it. */
static const struct command commands[] = {
    { "?", cmd_why },
    { "g", cmd_read_all },
    { "G", cmd_write_all },
    { "p", cmd_read_reg },
    { "P", cmd_write_reg },
    { "m", cmd_read_memory },
    { "M", cmd_write_memory },
    { "X", cmd_write_binary },
    { "c", cmd_continue },
    { "C", cmd_continue },
    { "s", cmd_step },
    { "S", cmd_step },
    { "Z", cmd_insert },
    { "z", cmd_remove },
    { "H", cmd_select },
    { "T", cmd_alive },
    { "D", cmd_detach },
    { "k", cmd_kill },
    { "vCont?", cmd_vcont_help },
    { "vCont", cmd_vcont },
    { "vKill", cmd_vkill },
    { "qSupported", cmd_supported },
    { "QStartNoAckMode", cmd_no_ack },
    { "qAttached", cmd_attached },
    { "qC", cmd_current },
    { "qfThreadInfo", cmd_first_info },
    { "qsThreadInfo", cmd_next_info },
    { "qThreadExtraInfo", cmd_extra_info },
    { "qXfer:features:read", cmd_features },
    { "qRcmd", cmd_monitor },
    { "qSymbol", cmd_ok },
    { "qqemu.sstepbits", cmd_step_bits },
    { "qqemu.sstep", cmd_get_step },
    { "Qqemu.sstep", cmd_set_step },
    { "qqemu.PhyMemMode", cmd_get_phys },
    { "Qqemu.PhyMemMode", cmd_set_phys },
};

bool stub_command(struct gdbstub *g)
{
    const char *data = g->in.data;

    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        const struct command *c = &commands[i];
        size_t n = strlen(c->name);

        if (strncmp(data, c->name, n) || (n > 1 && g_ascii_isalnum(data[n])))
            continue;
        return c->run(g, data + n, g->in.len - n);
    }
    return true; /* the empty reply: no such command */
}
