/*
 * Letting the machine go and saying why it stopped. All CPUs stop together; which of them run, and
 * which do one instruction, is said anew each time they are let go.
 *
 * Two CPUs may have something to tell when the machine stops, while gdb hears of one. A breakpoint
 * comes again by itself; a watchpoint would be taken as told, so it is told when that CPU is let
 * go.
 */
#include <inttypes.h>
#include "stub.h"

/* Signals as gdb numbers them. */
enum { SIG_NONE = 0, SIG_INT = 2, SIG_QUIT = 3, SIG_TRAP = 5, SIG_ABRT = 6, SIG_ALRM = 14 };

static unsigned signal_of(enum run_state s)
{
    switch (s) {
    case RUN_DEBUG: return SIG_TRAP;
    case RUN_PAUSED: return SIG_INT;
    case RUN_SHUTDOWN: return SIG_QUIT;
    case RUN_WATCHDOG: return SIG_ALRM;
    case RUN_GUEST_PANICKED:
    case RUN_INTERNAL_ERROR:
    case RUN_IO_ERROR: return SIG_ABRT;
    default: return SIG_TRAP;
    }
}

/* A CPU that has something to tell, the one in use first; NULL: none has. */
static struct cpu *teller(struct gdbstub *g)
{
    if (stub_cpu(g, g->cpu)->debug_stop.reason)
        return stub_cpu(g, g->cpu);
    for (unsigned i = 0; i < stub_cpus(g); i++)
        if (stub_cpu(g, i)->debug_stop.reason)
            return stub_cpu(g, i);
    return NULL;
}

static void append_watch(struct gdbstub *g, const struct cpu *cpu)
{
    static const char *const names[] = {
        [WATCH_WRITE] = "watch",
        [WATCH_READ] = "rwatch",
        [WATCH_READ | WATCH_WRITE] = "awatch",
    };

    g_string_append_printf(g->reply, "%s:%" PRIx64 ";", names[cpu->debug_stop.kind & 3],
                           cpu->debug_stop.addr);
}

static void append_break(struct gdbstub *g, const struct cpu *cpu)
{
    if (points_has(g, 0, cpu->tcg.pc)) {
        if (g->knows_swbreak)
            g_string_append(g->reply, "swbreak:;");
    } else if (g->knows_hwbreak && points_has(g, 1, cpu->tcg.pc)) {
        g_string_append(g->reply, "hwbreak:;");
    }
}

void stub_stop_reply(struct gdbstub *g)
{
    struct cpu *cpu = teller(g);
    unsigned sig = cpu ? SIG_TRAP : signal_of(g->machine->run_state);

    if (cpu)
        g->cpu = cpu->index;
    g->run_cpu = ALL_CPUS;
    g_string_printf(g->reply, "T%02xthread:%x;", sig, g->cpu + 1);
    if (!cpu)
        return;
    if (cpu->debug_stop.reason == DEBUG_WATCH)
        append_watch(g, cpu);
    else if (cpu->debug_stop.reason == DEBUG_BREAK)
        append_break(g, cpu);
    cpu->debug_stop.reason = DEBUG_NONE;
}

static void free_cpus(struct gdbstub *g)
{
    for (unsigned i = 0; i < stub_cpus(g); i++)
        stub_cpu(g, i)->single_step = stub_cpu(g, i)->debug_hold = false;
}

static void tell_stop(struct gdbstub *g)
{
    g->awaiting = false;
    stub_stop_reply(g);
    stub_send(g, g->reply->str, g->reply->len);
}

void stub_run_state(void *opaque, bool running, enum run_state s)
{
    struct gdbstub *g = opaque;

    (void)s;
    if (running) { /* whoever did that: what was not told is past */
        for (unsigned i = 0; i < stub_cpus(g); i++)
            stub_cpu(g, i)->debug_stop.reason = DEBUG_NONE;
        return;
    }
    free_cpus(g);
    if (g->awaiting && !g->machine->exiting)
        tell_stop(g);
}

/* Whether the machine can go on; one that was switched off needs a reset first. */
static bool can_run(const struct machine *m)
{
    return m->run_state != RUN_SHUTDOWN && m->run_state != RUN_GUEST_PANICKED &&
           m->run_state != RUN_INTERNAL_ERROR;
}

static bool watch_untold(struct gdbstub *g)
{
    for (unsigned i = 0; i < stub_cpus(g); i++) {
        struct cpu *cpu = stub_cpu(g, i);
        if (cpu->debug_stop.reason == DEBUG_WATCH && !cpu->debug_hold)
            return true;
        cpu->debug_stop.reason = DEBUG_NONE;
    }
    return false;
}

/* Lets the machine go, CPUs as their single_step and debug_hold say. No reply until it stops. */
static bool go(struct gdbstub *g)
{
    if (watch_untold(g) || !can_run(g->machine)) {
        free_cpus(g);
        stub_stop_reply(g);
        return true;
    }
    g->awaiting = true;
    machine_start(g->machine);
    return false;
}

bool cmd_why(struct gdbstub *g, const char *args, size_t len)
{
    (void)args, (void)len;
    stub_stop_reply(g);
    return true;
}

/* What follows c or s is an address to go on at; what follows C or S a signal, which no CPU can
 * take, and perhaps ";address". */
static bool take_address(struct gdbstub *g, const char *args)
{
    struct cpu *cpu = stub_cpu(g, g->run_cpu == ALL_CPUS ? g->cpu : g->run_cpu);
    uint64_t val;

    if (g_ascii_isupper(g->in.data[0])) {
        if (!packet_number(&args, &val))
            return false;
        if (*args == ';')
            args++;
        else
            return !*args;
    }
    if (!*args)
        return true;
    return packet_number(&args, &val) && !*args && stub_set_pc(g, cpu, val);
}

bool cmd_continue(struct gdbstub *g, const char *args, size_t len)
{
    (void)len;
    if (take_address(g, args))
        return go(g);
    stub_error(g, STUB_EINVAL);
    return true;
}

static void step(const struct gdbstub *g, struct cpu *cpu)
{
    cpu->single_step = g->step_bits & STEP_ENABLE;
    cpu->step_irqs = !(g->step_bits & STEP_NOIRQ);
}

bool cmd_step_bits(struct gdbstub *g, const char *args, size_t len)
{
    (void)args, (void)len;
    g_string_printf(g->reply, "ENABLE=%x,NOIRQ=%x", STEP_ENABLE, STEP_NOIRQ);
    return true;
}

bool cmd_get_step(struct gdbstub *g, const char *args, size_t len)
{
    (void)args, (void)len;
    g_string_printf(g->reply, "0x%x", g->step_bits);
    return true;
}

bool cmd_set_step(struct gdbstub *g, const char *args, size_t len)
{
    uint64_t bits;

    (void)len;
    if (*args == '=')
        args += g_str_has_prefix(args, "=0x") ? 3 : 1;
    else
        args = "";
    if (packet_number(&args, &bits) && !*args && !(bits & ~(uint64_t)(STEP_ENABLE | STEP_NOIRQ))) {
        g->step_bits = bits;
        g_string_assign(g->reply, "OK");
    } else {
        stub_error(g, STUB_EINVAL);
    }
    return true;
}

bool cmd_step(struct gdbstub *g, const char *args, size_t len)
{
    (void)len;
    if (take_address(g, args)) {
        step(g, stub_cpu(g, g->run_cpu == ALL_CPUS ? g->cpu : g->run_cpu));
        return go(g);
    }
    stub_error(g, STUB_EINVAL);
    return true;
}

bool cmd_vcont_help(struct gdbstub *g, const char *args, size_t len)
{
    (void)args, (void)len;
    g_string_assign(g->reply, "vCont;c;C;s;S;t");
    return true;
}

enum action { ACT_NONE, ACT_CONTINUE, ACT_STEP, ACT_STOP };

/* ";c", ";C05", ";s:1", ...: the first that names a CPU is for it. */
static bool read_action(struct gdbstub *g, const char **p, enum action *per_cpu)
{
    enum action act;
    unsigned index = ALL_CPUS;
    uint64_t sig;
    char letter = **p ? *(*p)++ : 0;

    switch (letter) {
    case 'c':
    case 'C': act = ACT_CONTINUE; break;
    case 's':
    case 'S': act = ACT_STEP; break;
    case 't': act = ACT_STOP; break;
    default: return false;
    }
    if (g_ascii_isupper(letter) && !packet_number(p, &sig))
        return false;
    if (**p == ':') {
        (*p)++;
        if (!stub_thread(g, p, &index))
            return false;
    }
    for (unsigned i = 0; i < stub_cpus(g); i++)
        if ((index == ALL_CPUS || index == i) && per_cpu[i] == ACT_NONE)
            per_cpu[i] = act;
    return true;
}

bool cmd_vcont(struct gdbstub *g, const char *args, size_t len)
{
    g_autofree enum action *per_cpu = g_new0(enum action, stub_cpus(g));
    bool any = false;

    (void)len;
    while (*args == ';') {
        args++;
        if (!read_action(g, &args, per_cpu))
            break;
    }
    for (unsigned i = 0; i < stub_cpus(g); i++)
        any |= per_cpu[i] == ACT_CONTINUE || per_cpu[i] == ACT_STEP;
    if (*args || !any) {
        stub_error(g, STUB_EINVAL);
        return true;
    }
    for (unsigned i = 0; i < stub_cpus(g); i++) {
        stub_cpu(g, i)->single_step = false;
        if (per_cpu[i] == ACT_STEP)
            step(g, stub_cpu(g, i));
        stub_cpu(g, i)->debug_hold = per_cpu[i] == ACT_NONE || per_cpu[i] == ACT_STOP;
    }
    return go(g);
}

void stub_let_go(struct gdbstub *g)
{
    struct machine *m = g->machine;
    bool pause = machine_running(m) && m->cpu_ops;

    if (pause)
        m->cpu_ops->pause(m);
    points_clear(g);
    free_cpus(g);
    for (unsigned i = 0; i < stub_cpus(g); i++)
        stub_cpu(g, i)->debug_stop.reason = DEBUG_NONE;
    if (pause)
        m->cpu_ops->resume(m);
}

/* The machine goes on by itself. */
bool cmd_detach(struct gdbstub *g, const char *args, size_t len)
{
    (void)args, (void)len;
    stub_let_go(g);
    if (can_run(g->machine))
        machine_start(g->machine);
    g_string_assign(g->reply, "OK");
    return true;
}

bool cmd_kill(struct gdbstub *g, const char *args, size_t len)
{
    (void)args, (void)len;
    machine_request_shutdown(g->machine, CAUSE_HOST_UI, 0);
    return false;
}

bool cmd_vkill(struct gdbstub *g, const char *args, size_t len)
{
    cmd_kill(g, args, len);
    g_string_assign(g->reply, "OK");
    return true;
}
