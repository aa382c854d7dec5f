/*
 * Shared by the files of the gdb stub: one connection's state, and what each file does for it.
 */
#ifndef GDBSTUB_STUB_H
#define GDBSTUB_STUB_H

#include <chardev/chardev.h>
#include <gdbstub/gdbstub.h>
#include <hw/core/machine.h>
#include <target/cpu.h>
#include "packet.h"

/* A breakpoint or watchpoint that gdb has set, in all CPUs. */
struct point {
    unsigned type; /* digit of Z: 0 breakpoint, 1 hardware breakpoint, 2 to 4 watchpoints */
    uint64_t addr, len;
};

/* What a step is, as qqemu.sstep numbers it. */
enum step_bit {
    STEP_ENABLE = 1, /* else it goes on until something else stops it */
    STEP_NOIRQ = 2,  /* no interrupt is taken meanwhile */
};

struct gdbstub {
    struct machine *machine;
    struct monitors *monitors;
    struct chardev_set *chardevs;
    char *own_id; /* of the chardev, if it goes with the stub */
    struct chardev_fe fe;
    bool attached; /* gdb is there */
    struct packet_reader in;
    uint8_t waiting[4096]; /* received, but there is too much to send yet */
    size_t n_waiting;
    GByteArray *out;  /* waits to be sent */
    GByteArray *last; /* the packet sent last, for NAK */
    GString *reply;   /* to the command being worked on */
    bool busy;        /* a command is being worked on */
    bool no_ack, no_ack_next;
    bool awaiting; /* gdb has let the machine go and waits for a stop reply */
    bool knows_swbreak, knows_hwbreak;
    bool physical;      /* memory is addressed by the machine, not by a CPU's mapping */
    unsigned step_bits; /* enum step_bit */
    unsigned cpu;       /* index that registers and memory are of */
    unsigned run_cpu;   /* index that c and s are for, or ALL_CPUS */
    unsigned next_info; /* of qsThreadInfo */
    GArray *points;     /* of struct point */
    char *target_xml;   /* made when first asked for */
};
#define ALL_CPUS (~0u)

static inline unsigned stub_cpus(const struct gdbstub *g)
{
    return g->machine->cpus->len;
}

static inline struct cpu *stub_cpu(const struct gdbstub *g, unsigned index)
{
    return g->machine->cpus->pdata[index];
}

/* gdbstub.c */
/* Sends @text as a packet of its own, ahead of the reply. */
void stub_send(struct gdbstub *g, const char *text, size_t len);
/* The reply is "E" and this number. */
void stub_error(struct gdbstub *g, unsigned number);
enum { STUB_EFAULT = 14, STUB_EINVAL = 22, STUB_ENOSPC = 28 };

/* command.c: does what the packet in g->in says, fills g->reply; returns whether to send that. */
bool stub_command(struct gdbstub *g);
/* Reads a thread id: *index, or ALL_CPUS for -1 and 0. False if there is no such CPU. */
bool stub_thread(struct gdbstub *g, const char **p, unsigned *index);

/*
 * A command: takes what follows its name. Returns whether the reply is to be sent now. @args ends
 * in NUL at @len, and may have others in binary data.
 */
typedef bool stub_fn(struct gdbstub *g, const char *args, size_t len);

/* memory.c */
stub_fn cmd_read_memory, cmd_write_memory, cmd_write_binary, cmd_set_phys, cmd_get_phys;
/* registers.c */
stub_fn cmd_read_all, cmd_write_all, cmd_read_reg, cmd_write_reg;
bool stub_set_pc(struct gdbstub *g, struct cpu *cpu, uint64_t pc);
/* Bytes of row @reg in this CPU; a row's bits are the most there can be. */
unsigned stub_reg_bytes(struct cpu *cpu, const struct cpu_reg *reg);
/* query.c */
stub_fn cmd_supported, cmd_no_ack, cmd_attached, cmd_current, cmd_first_info, cmd_next_info;
stub_fn cmd_extra_info, cmd_features, cmd_monitor;
/* target-xml.c: the description of CPU 0's registers; owned by the caller. */
char *stub_target_xml(struct gdbstub *g);
/* points.c */
stub_fn cmd_insert, cmd_remove;
/* Removes all; CPUs must be stopped. */
void points_clear(struct gdbstub *g);
/* Whether a breakpoint of @type stands at @pc. */
bool points_has(const struct gdbstub *g, unsigned type, uint64_t pc);
/* run.c */
stub_fn cmd_why, cmd_continue, cmd_step, cmd_vcont, cmd_vcont_help, cmd_detach, cmd_kill;
stub_fn cmd_vkill, cmd_step_bits, cmd_get_step, cmd_set_step;
/* The machine has stopped: the stop reply goes to g->reply. */
void stub_stop_reply(struct gdbstub *g);
/* The machine's run state has changed. */
void stub_run_state(void *opaque, bool running, enum run_state s);
/* Takes back all that steers the CPUs, running or not. */
void stub_let_go(struct gdbstub *g);

#endif
