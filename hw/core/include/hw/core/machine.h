/*
 * A machine: everything one guest consists of, and the types of machines that -machine can name.
 *
 * Threads: the device lock guards all of it, except that requests may come from any thread. Run
 * state changes and resets are done by the main thread.
 *
 * To add a machine: `const struct machine_type name_machine` in hw/<board>/, and a line
 * MACHINE(name) in hw/machines.def.
 */
#ifndef HW_CORE_MACHINE_H
#define HW_CORE_MACHINE_H

#include <mem/space.h>
#include <hw/core/bus.h>

struct consoles;
struct host_chips;
struct host_irqchip;
struct cpu;
struct input;
struct loop;
struct machine;
struct opts;
struct rom_list;

struct machine_type {
    const char *name;            /* "virt" */
    const char *alias;           /* other name, or NULL */
    const char *const *versions; /* more names, NULL at the end: "pc-i440fx-7.2"; or NULL */
    const char *help;            /* one line */
    const char *const *archs;    /* guests it takes, NULL at the end: "riscv64", ... */
    const char *(*default_cpu)(const char *arch); /* -cpu when not given */
    uint64_t default_ram;                         /* bytes; 0: none unless -m says so */
    uint64_t min_ram, max_ram;                    /* bytes; max 0 for none */
    unsigned max_cpus;
    size_t size;              /* of the struct that begins with struct machine */
    const struct prop *props; /* -machine name,prop=...; offsets in that struct */
    bool is_default;          /* for its architectures */
    const char *default_nic;  /* device type for -nic and default network, or NULL */
    const char *default_vga;  /* device type of the graphics card there is by default, or NULL */
    const char *drive_if;     /* what -drive without if= means: "virtio", "ide", "none" */
    bool parallel_ports;      /* takes -parallel, and has one port unless told otherwise */
    bool default_cdrom;       /* has a CD-ROM drive at index 2 of if=ide unless told otherwise */
    bool (*init)(struct machine *m, GError **err);
    /* After each reset of the CPUs: what a boot loader would have left in them. NULL: nothing. */
    void (*cpus_ready)(struct machine *m);
    /* The guest can sleep (S3): waking up is a reset that keeps RAM. */
    bool sleeps;
    /* The CPUs' interrupt controllers are the host kernel's from now on (hw/core/host_irqchip.h;
     * owned by the caller, who stays); NULL: the machine's own again. False: this board has none
     * that could be. The function itself may be NULL, too. Before the first reset. */
    bool (*use_host_irqchip)(struct machine *m, const struct host_irqchip *host);
    /* Registers of the controllers that host_irqchip.all means, from the devices to @c, or
     * (@load) back. Device lock held. */
    void (*host_chips)(struct machine *m, struct host_chips *c, bool load);
    /* The NMI button; NULL: the board has none. */
    void (*nmi)(struct machine *m);
    void (*free)(struct machine *m); /* undoes init, after all devices are gone */
};

/* What to do when a watchdog runs out, and when the guest panics (-action); names end with NULL. */
enum watchdog_action {
    WATCHDOG_RESET,
    WATCHDOG_SHUTDOWN, /* the power button */
    WATCHDOG_POWEROFF,
    WATCHDOG_PAUSE,
    WATCHDOG_DEBUG, /* tell of it */
    WATCHDOG_NONE,
    WATCHDOG_NMI,
};
extern const char *const watchdog_action_names[];
enum panic_action { PANIC_SHUTDOWN, PANIC_PAUSE, PANIC_NONE, PANIC_EXIT_FAILURE };
extern const char *const panic_action_names[];

/* What users ask of a machine; strings belong to it. */
struct machine_config {
    char *arch;
    char *cpu;                                        /* -cpu, NULL for the default */
    bool cpu_unnamed;                                 /* it is the default that is in `cpu` */
    unsigned cpus, max_cpus, sockets, cores, threads; /* -smp */
    uint64_t ram_size;                                /* bytes */
    char *memory_backend; /* -machine memory-backend=: an object that the RAM is made of, or NULL */
    bool dump_ram;        /* -machine dump-guest-core=on: RAM is in core dumps */
    char *kernel, *initrd, *append, *dtb;
    char *firmware;               /* -bios: path, "none", "default" or NULL */
    char *boot_order, *boot_once; /* -boot: letters 'a' to 'p', NULL when not given */
    bool boot_menu, boot_strict;
    bool no_graphics; /* -nographic, -machine graphics=off: firmware talks on the serial port */
    int64_t boot_wait, boot_retry; /* ms: splash-time, reboot-timeout; -1 when not given */
    char *dump_dtb;                /* -machine dumpdtb=: write the tree there and exit */
    bool has_seed;                 /* -seed */
    uint64_t seed;
    char *name;       /* -name */
    uint8_t uuid[16]; /* -uuid */
    bool no_reboot, no_shutdown;
    enum watchdog_action watchdog_action;
    enum panic_action panic_action;
    bool no_cpus; /* qtest: nobody runs the CPUs */
};

enum run_state {
    RUN_PRELAUNCH, /* -S */
    RUN_RUNNING,
    RUN_PAUSED,
    RUN_DEBUG,
    RUN_SHUTDOWN,
    RUN_SUSPENDED,
    RUN_IO_ERROR,
    RUN_GUEST_PANICKED,
    RUN_INTERNAL_ERROR,
    RUN_INMIGRATE,
    RUN_POSTMIGRATE,
    RUN_SAVE_VM,
    RUN_RESTORE_VM,
    RUN_WATCHDOG,
    RUN_STATE_COUNT
};
/* As QMP spells them, NULL at the end. */
extern const char *const run_state_names[];
const char *run_state_name(enum run_state s);

/* Why a shutdown or reset came, as QMP's ShutdownCause spells it. */
enum machine_cause {
    CAUSE_NONE,
    CAUSE_HOST_ERROR,
    CAUSE_HOST_QMP_QUIT,
    CAUSE_HOST_QMP_SYSTEM_RESET,
    CAUSE_HOST_SIGNAL,
    CAUSE_HOST_UI,
    CAUSE_GUEST_SHUTDOWN,
    CAUSE_GUEST_RESET,
    CAUSE_GUEST_PANIC,
    CAUSE_COUNT
};
extern const char *const machine_cause_names[]; /* NULL at the end */
const char *machine_cause_name(enum machine_cause c);
static inline bool machine_cause_is_guest(enum machine_cause c)
{
    return c >= CAUSE_GUEST_SHUTDOWN;
}

enum machine_event {
    EVENT_STOP,
    EVENT_RESUME,
    EVENT_RESET,
    EVENT_SHUTDOWN,
    EVENT_POWERDOWN,
    EVENT_SUSPEND,
    EVENT_WAKEUP,
    EVENT_WATCHDOG,
    EVENT_GUEST_PANICKED,
};

/* What an accelerator does for the machine's CPUs; all in the main thread, device lock held. */
struct machine_cpu_ops {
    void (*pause)(struct machine *m); /* returns when no CPU runs guest code */
    void (*resume)(struct machine *m);
    void (*reset)(struct machine *m); /* all CPUs, while paused */
};

enum backend_kind { BACKEND_CHARDEV, BACKEND_NETDEV, BACKEND_DRIVE, BACKEND_COUNT };
/* Finds a backend by id; NULL with err (nearest match) set. */
typedef void *backend_find_fn(void *opaque, const char *id, GError **err);
/* Id of a backend, for printing; owned by the backend. */
typedef const char *backend_name_fn(void *backend);

#define MACHINE_SERIALS   4
#define MACHINE_PARALLELS 3

struct machine {
    const struct machine_type *type;
    struct machine_config cfg;
    struct loop *loop;
    struct mem *mem;
    struct mem_region system; /* root of `memory`: what physical addresses mean */
    struct mem_region io;     /* root of `ports` (x86); 64 KiB */
    struct address_space memory;
    struct address_space ports;
    struct address_space *smm_memory; /* `memory` in system management mode (x86); NULL: the same */
    struct mem_region ram; /* main memory; the board places it (or parts, through aliases) */
    GPtrArray *cpus;       /* of struct cpu, by index; the board adds them */
    struct bus root;       /* BUS_SYSTEM */
    void *serials[MACHINE_SERIALS];     /* struct chardev * of -serial, NULL for none */
    void *parallels[MACHINE_PARALLELS]; /* the same of -parallel */
    struct input *input;                /* keyboards and mice (ui/input.h), NULL for none */
    struct consoles *consoles;          /* what is seen (ui/console.h), NULL for nobody to look */
    struct rom_list *roms;              /* hw/core/loader.h */

    enum run_state run_state;
    const struct host_irqchip *host_irqchip; /* the accelerator's, while there is one; or NULL */
    const struct machine_cpu_ops *cpu_ops;
    const char *accel; /* which accelerator they are of; NULL: none yet */
    struct {
        backend_find_fn *find;
        backend_name_fn *name;
        void *opaque;
    } backends[BACKEND_COUNT];
    bool waking;   /* a reset ends a sleep: RAM is kept */
    int exit_code; /* of the process, once run_state is RUN_SHUTDOWN */
    bool exiting;  /* the main loop is to end */
    struct machine_private *priv;
};

/* Registered types in order of hw/machines.def, NULL at the end. */
const struct machine_type *const *machine_types(void);
/* By name (or alias) for an architecture; name NULL: its default. */
const struct machine_type *machine_type_find(const char *name, const char *arch, GError **err);

/* A machine without devices. `cfg` is moved: the caller's is cleared. Properties come next
 * (machine_set()), then machine_init(). Takes the device lock itself where needed. */
struct machine *machine_new(const struct machine_type *t, struct loop *loop,
                            struct machine_config *cfg);
/* -machine name,prop=value. */
bool machine_set(struct machine *m, const char *prop, const char *value, GError **err)
    __attribute__((warn_unused_result));
/* -global: another default of a property of all devices of a type that are made from now on. */
bool machine_add_global(struct machine *m, const char *driver, const char *prop, const char *value,
                        GError **err) __attribute__((warn_unused_result));
/* Makes memory, then calls the type's init; checks sizes and numbers before. Device lock held. */
bool machine_init(struct machine *m, GError **err) __attribute__((warn_unused_result));
/* The machine is complete; devices made from now on are plugged into a running machine. */
void machine_ready(struct machine *m);
/* All devices, CPUs, memory. CPUs are paused. Device lock held. */
void machine_free(struct machine *m);
void machine_config_clear(struct machine_config *cfg);

/* Backends of properties. */
void machine_set_backend(struct machine *m, enum backend_kind kind, backend_find_fn *find,
                         backend_name_fn *name, void *opaque);
void *machine_backend(struct machine *m, enum backend_kind kind, const char *id, GError **err);

/* Run state; main thread. machine_start() from any stopped state; machine_stop() pauses the CPUs
 * and the virtual clock, and has run all timers that were due by then. */
void machine_start(struct machine *m);
void machine_stop(struct machine *m, enum run_state s);
static inline bool machine_running(const struct machine *m)
{
    return m->run_state == RUN_RUNNING;
}
/* Told after each change. */
typedef void machine_run_fn(void *opaque, bool running, enum run_state s);
void machine_on_run_state(struct machine *m, machine_run_fn *fn, void *opaque);
void machine_off_run_state(struct machine *m, machine_run_fn *fn, void *opaque);

/* Requests; any thread, done soon by the main thread. */
void machine_request_reset(struct machine *m, enum machine_cause c);
/* Ends the process with `code` (or stops, with -no-shutdown and a guest's cause). */
void machine_request_shutdown(struct machine *m, enum machine_cause c, int code);
/* The power button. */
void machine_request_powerdown(struct machine *m);
void machine_request_stop(struct machine *m, enum run_state s);
void machine_request_suspend(struct machine *m);
void machine_request_wakeup(struct machine *m);
/* A watchdog ran out, the guest says that it panicked: does what cfg asks for; any thread. */
void machine_watchdog(struct machine *m);
void machine_panicked(struct machine *m);
/* False: the board has no NMI. Device lock held. */
bool machine_nmi(struct machine *m);

/* Reset handlers run in order of registration, after all devices were reset and before CPUs are.
 * They may write guest memory. */
void machine_on_reset(struct machine *m, void (*fn)(void *opaque), void *opaque);
void machine_off_reset(struct machine *m, void (*fn)(void *opaque), void *opaque);
/* Resets everything now; main thread, or before the machine first runs. */
void machine_reset(struct machine *m, enum machine_cause c);

/* Events for QMP and for devices (power button). `cause` where the event has one. */
typedef void machine_event_fn(void *opaque, enum machine_event e, enum machine_cause cause);
void machine_on_event(struct machine *m, machine_event_fn *fn, void *opaque);
void machine_off_event(struct machine *m, machine_event_fn *fn, void *opaque);

/* Saved state beyond devices (CPUs, boards): under a name unique in the machine. */
void machine_add_state(struct machine *m, const char *name, const struct state_table *t, void *obj);
void machine_remove_state(struct machine *m, const char *name);
/* All state but RAM, of a stopped machine, as bytes; and back. After a failed load the machine is
 * to be reset before it goes on. */
void machine_save(struct machine *m, GByteArray *out);
bool machine_load(struct machine *m, const uint8_t *data, size_t len, GError **err)
    __attribute__((warn_unused_result));

/* The next of the machine's own MAC addresses, 52:54:00:12:34:56 and up. */
struct mac_addr machine_next_mac(struct machine *m);
/* Bytes of entropy for the guest; the same at each run with -seed. */
void machine_random(struct machine *m, void *buf, size_t len);

#endif
