/*
 * A virtual CPU as the rest of the machine sees it, whatever its architecture and whatever runs it.
 *
 * Boards create CPUs by type name, wire their interrupt inputs and start them; accelerators run
 * them through `struct cpu_ops`; monitor and gdbstub read them through its tables. A guest's own
 * struct has `struct cpu` as first member.
 *
 * Threads: a CPU's state belongs to its thread while that runs, and to whoever holds the device
 * lock while it is stopped (cpu_run_on() brings work to it). Fields marked "any thread" are
 * atomics.
 */
#ifndef TARGET_CPU_H
#define TARGET_CPU_H

#include <pthread.h>
#include <setjmp.h>
#include <glib.h>
#include <tcg/abi.h>
#include <tcg/ir.h>
#include <tcg/softfp.h>

struct machine;
struct address_space;
struct cpu;
struct kvm_guest;
struct trans;

enum mem_access { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };
enum { PROT_R = 1, PROT_W = 2, PROT_X = 4 };

/* A page as the guest's MMU maps it. */
struct cpu_page {
    uint64_t paddr; /* of the byte asked for */
    unsigned
        prot; /* PROT_*; W only if the page may be written without another walk (dirty bit set) */
    unsigned size_bits; /* log2 of the range around the address for which the same holds, >= 0 (PMP
                           can be finer than a page) */
    bool global;        /* the same in all address spaces */
};

/* Why an access failed. */
enum fault_kind { FAULT_NONE, FAULT_PAGE, FAULT_ACCESS, FAULT_MISALIGNED, FAULT_GUEST_PAGE };

struct cpu_fault {
    enum fault_kind kind;
    enum mem_access access;
    uint64_t vaddr;
    uint64_t extra; /* guest's own detail */
};

/* A register row: what gdb, the monitor and saved state show of a CPU. */
struct cpu_reg {
    const char *name;
    uint16_t bits;        /* 8 to 1024 (vectors: at most; the CPU may have less) */
    uint16_t number;      /* gdb register number, or CPU_REG_NONE */
    const char *group;    /* gdb feature: "general", "float", "csr", "vector" */
    const char *gdb_type; /* "int", "code_ptr", "data_ptr", "ieee_double", ... */
    bool derived;         /* not saved: other rows say the same, or it goes by itself */
};
#define CPU_REG_NONE 0xffff

struct cpu_ops {
    const char *arch;     /* "riscv64" */
    const char *gdb_arch; /* "riscv:rv64" */
    const struct ir_slots *slots;
    const struct ir_helper *const
        *helpers;                /* all, terminated by NULL: for the parser and the code cache */
    unsigned insn_align;         /* 1, 2 or 4 */
    const struct kvm_guest *kvm; /* target/kvm.h; NULL: cannot run on the host's own CPU */
    bool sees_own_stores;        /* fetches see this CPU's stores at once, without a fence */
    unsigned count_slot; /* slot of tcg.insns; 0: instructions of this guest cannot be counted */

    /* For accelerators that translate, before the CPU first runs: false where it cannot be, or
     * shall not be as it is; warns of what its model has that translation lacks. NULL: all is well.
     */
    bool (*check)(struct cpu *cpu, GError **err);
    void (*reset)(struct cpu *cpu);
    void (*free)(struct cpu *cpu);

    /* Unit flags of the current state: everything that translation depends on besides the code;
     * below bit 31. */
    uint32_t (*unit_flags)(const struct cpu *cpu);
    /* MMU mode (index of first-level TLB) for fetches and privilege under @unit_flags. */
    unsigned (*fetch_mode)(uint32_t unit_flags);
    /* Emits IR for the instruction at trans->pc (see target/trans.h). */
    void (*translate)(struct trans *t);

    /* Maps @vaddr for @access in MMU mode @mode. On failure fills *fault and returns false. With
     * @debug: no side effects (A/D bits, counters), permissions ignored, and a failure leaves in
     * page->size_bits how far around @vaddr it fails alike (log2; 12 is always right). Runs on the
     * CPU's thread or while it is stopped. */
    bool (*map)(struct cpu *cpu, uint64_t vaddr, enum mem_access access, unsigned mode, bool debug,
                struct cpu_page *page, struct cpu_fault *fault);
    /* Called for an access that crosses a page, before its parts are mapped: false with *fault if
     * it is refused whatever these are. May be NULL. */
    bool (*whole)(struct cpu *cpu, uint64_t vaddr, unsigned size, enum mem_access access,
                  struct cpu_fault *fault);
    unsigned (*data_mode)(const struct cpu *cpu); /* MMU mode of a plain data access now */
    /* Makes the guest take the exception for @fault, raised by the instruction at tcg.pc: changes
     * state, returns. */
    void (*take_fault)(struct cpu *cpu, const struct cpu_fault *fault);
    /* Takes the most urgent enabled pending interrupt, if any: changes state, returns true. */
    bool (*take_interrupt)(struct cpu *cpu);
    /* Whether something would end a wait-for-interrupt now. Any thread, lock-free. */
    bool (*has_work)(const struct cpu *cpu);
    /* Level change of input @line (guest's numbering). Any thread. */
    void (*set_irq)(struct cpu *cpu, unsigned line, bool level);

    const struct cpu_reg *(*regs)(struct cpu *cpu, unsigned *count);
    /* Little-endian value of row @i; false: does not exist or not now. Setting fails also for
     * values that the register cannot have; rows that are saved check theirs. */
    bool (*get_reg)(struct cpu *cpu, unsigned i, void *buf);
    bool (*set_reg)(struct cpu *cpu, unsigned i, const void *buf);
    void (*dump)(struct cpu *cpu, GString *out); /* info registers */
    /* Architecture's state besides gdb rows goes through the same rows: all rows saved, in order.
     */
    /* Prints the instruction that @bytes (up to @len) are at @pc, returns its length; 0: it is none
     * of this CPU's, and nothing is printed. May be NULL. */
    unsigned (*disas)(const struct cpu *cpu, uint64_t pc, const uint8_t *bytes, size_t len,
                      GString *out);
};

/* A queued piece of work: runs on the CPU's thread between units, without the device lock. */
struct cpu_work {
    void (*fn)(struct cpu *cpu, void *opaque);
    void *opaque;
    struct cpu_work *next;
};

struct cpu_breakpoint {
    uint64_t pc;
};
struct cpu_watchpoint {
    uint64_t addr, len;
    enum { WATCH_READ = 1, WATCH_WRITE = 2 } kind;
};

struct cpu {
    struct tcg_cpu tcg; /* first */
    void *block;        /* what cpu_free() frees */
    const struct cpu_ops *ops;
    struct machine *machine;
    struct address_space *as; /* what physical addresses mean to this CPU */
    unsigned index;
    const char *model;
    bool needs_kvm; /* there is no such model but on the host's own CPU */
    sigjmp_buf
        *unwind; /* where an exception raised in a helper continues; set by the accelerator */

    /* Any thread, atomics. */
    int stop_request;      /* the machine wants it stopped */
    int halted;            /* waits for interrupt, or not started */
    struct cpu *waker;     /* whose `wake` cpu_kick() signals; itself, or one for all (-icount) */
    int host_tid;          /* its thread's id on the host (gettid), 0 while it has none */
    struct cpu_work *work; /* guarded by work_lock */
    pthread_mutex_t work_lock;
    pthread_cond_t wake; /* with work_lock: signalled by cpu_kick() */

    /* Guarded by the device lock; changed only while the CPU is stopped. */
    bool stopped;
    bool parked;           /* powered off by the board (reset keeps it) */
    bool single_step;      /* gdb: stop after each instruction */
    bool step_irqs;        /* interrupts are taken while it steps */
    bool debug_skip_watch; /* the instruction that hit a watchpoint is to run now */
    GArray *breakpoints;   /* struct cpu_breakpoint */
    bool debug_hold;       /* gdb keeps this one stopped while others run */
    GArray *watchpoints;   /* struct cpu_watchpoint */
    struct {
        int reason;
        uint64_t addr;
        int kind;
    } debug_stop; /* why the CPU stopped for gdb (enum cpu_debug) */

    bool shares_memory; /* other CPUs run the guest, too: set by the accelerator */
    bool leaves_unit;   /* an exception or the like is entered: the unit it came from is over */
    bool counts_insns;  /* tcg.insns goes, and the virtual clock with it (-icount) */
    pthread_t thread;
    bool has_thread;
    const struct cpu_accel_ops *accel_ops; /* NULL: none yet */
    void *accel;                           /* accelerator's own */
};
enum cpu_debug { DEBUG_NONE, DEBUG_BREAK, DEBUG_WATCH, DEBUG_STEP };

/* A type of CPU that -cpu can name. */
struct cpu_type {
    const char *name; /* "rv64" */
    const char *arch; /* "riscv64" */
    const char *help;
    /* Creates one (not yet running) with the options after the name; NULL and *err on bad ones.
     * Owned by the machine. */
    struct cpu *(*create)(const struct cpu_type *type, const char *options, GError **err);
};
/* All types, from target/targets.def; NULL-terminated. */
const struct cpu_type *const *cpu_types(void);
/* Creates a CPU of @arch from the argument of -cpu ("rv64,v=on"). The error names the nearest
 * match. */
struct cpu *cpu_create(const char *arch, const char *spec, GError **err);
/* First half of every guest's create(): allocates page-aligned, zeroed @size bytes, fills the
 * common fields. */
void *cpu_alloc(const struct cpu_ops *ops, size_t size);
void cpu_free(struct cpu *cpu);
/* For boards, once machine and index are filled in: the register rows become part of the machine's
 * saved state. */
void cpu_add_state(struct cpu *cpu);

/* Services for guests; all on the CPU's own thread unless noted. */
/* Leaves the current helper or slow path: the guest takes @fault. Does not return. */
G_NORETURN void cpu_raise_fault(struct cpu *cpu, const struct cpu_fault *fault);
/* Leaves the current helper after state (pc included) was changed: goes on with the next unit. Does
 * not return. */
G_NORETURN void cpu_resume(struct cpu *cpu);
/* To be called after any change that unit_flags() depends on. */
void cpu_update_flags(struct cpu *cpu);
/* Any thread: makes the CPU look at its requests soon, also out of a wait. */
void cpu_kick(struct cpu *cpu);
/* Any thread: runs @fn on @cpu's thread soon (at once if called on it). With @wait until it has
 * run. */
void cpu_run_on(struct cpu *cpu, void (*fn)(struct cpu *, void *), void *opaque, bool wait);
/* Enters the wait-for-interrupt state; the guest's helper calls it, then cpu_resume()s. */
void cpu_halt(struct cpu *cpu);
/* Before the virtual clock is read for a guest that is to see it exact to the instruction; from a
 * helper that reads state (IR_H_READS), or anywhere else without effect. */
void cpu_sync_time(struct cpu *cpu);

/*
 * What an accelerator does for a CPU; cpu->accel_ops. The functions below wrap these. While a CPU
 * has no accelerator (before the machine runs, in unit tests) there is nothing cached, and flushes
 * do nothing.
 */
struct cpu_accel_ops {
    /* NULL, or what cpu_kick() does besides: gets the thread out of guest code. Any thread. */
    void (*kick)(struct cpu *cpu);
    void (*flush_all)(struct cpu *cpu);
    void (*flush_page)(struct cpu *cpu, uint64_t vaddr, bool globals_too);
    void (*flush_nonglobal)(struct cpu *cpu);
    void (*switch_space)(struct cpu *cpu, uint64_t space);
    void (*fence_i)(struct cpu *cpu);
    void (*sync_time)(struct cpu *cpu);
    uint64_t (*load)(struct cpu *cpu, uint64_t addr, uint16_t mem);
    void (*store)(struct cpu *cpu, uint64_t addr, uint64_t val, uint16_t mem);
    void *(*host)(struct cpu *cpu, uint64_t addr, unsigned len, enum mem_access access,
                  unsigned mode);
    uint64_t (*amo)(struct cpu *cpu, uint64_t addr, uint64_t val, uint16_t mem, enum ir_amo op);
    uint64_t (*cmpxchg)(struct cpu *cpu, uint64_t addr, uint64_t expected, uint64_t desired,
                        uint16_t mem);
    void (*fp_set_round)(struct cpu *cpu, enum fp_round round);
    void (*fp_set_control)(struct cpu *cpu, enum fp_round round, bool daz, bool ftz);
    unsigned (*fp_flags)(struct cpu *cpu, bool clear);
    /* Breakpoints, watchpoints or single step changed; CPU stopped, device lock held. */
    void (*break_changed)(struct cpu *cpu, uint64_t pc); /* a breakpoint came or went there */
    void (*watch_changed)(struct cpu *cpu);
    void (*info_jit)(struct cpu *cpu, GString *out);
    /* While a device answers an access of this CPU's: its general registers come to struct cpu, or
     * (@put) go back. False: they cannot. NULL: they are there. The CPU's thread. */
    bool (*device_regs)(struct cpu *cpu, bool put);
};
/* All cached mappings of this CPU are void. */
void tlb_flush_all(struct cpu *cpu);
/* Those of the page at @vaddr, in every address space; @globals_too: also global ones. */
void tlb_flush_page(struct cpu *cpu, uint64_t vaddr, bool globals_too);
/* Those that are not global, in every address space. */
void tlb_flush_nonglobal(struct cpu *cpu);
/* Non-global mappings now belong to the address space named @space (any number, e.g. ASID); cached
 * ones of other spaces are kept for their return. */
void tlb_switch_space(struct cpu *cpu, uint64_t space);
/* Stores of this CPU to code are to be seen by its fetches from here on. */
void cpu_fence_i(struct cpu *cpu);

/* Guest memory as data access of this CPU, for helpers (segment loads, vector memory, page-table
 * walkers do not use these). @mem as in tcg/ir.h. May raise; pc must be exact. */
uint64_t cpu_load(struct cpu *cpu, uint64_t addr, uint16_t mem);
void cpu_store(struct cpu *cpu, uint64_t addr, uint64_t val, uint16_t mem);
/* Host address for [addr, addr + len) within one page if it is plain RAM that may be accessed so,
 * else NULL after raising nothing: the caller then uses cpu_load/cpu_store, which raise precisely.
 */
void *cpu_host(struct cpu *cpu, uint64_t addr, unsigned len, enum mem_access access, unsigned mode);
/* Atomic on guest memory; mem as for IR. May raise. */
uint64_t cpu_amo(struct cpu *cpu, uint64_t addr, uint64_t val, uint16_t mem, enum ir_amo op);
uint64_t cpu_cmpxchg(struct cpu *cpu, uint64_t addr, uint64_t expected, uint64_t desired,
                     uint16_t mem);

/* Floating point environment that generated FP code runs under. */
enum { FP_NX = 1, FP_UF = 2, FP_OF = 4, FP_DZ = 8, FP_NV = 16 };
/* Beside them, a denormal operand was used (x86's DE): to be masked off where there is no such. */
enum { FP_DE = 64 };
/* Rounding for F* operations that follow: FP_RNE, FP_RTZ, FP_RDN or FP_RUP. */
void cpu_fp_set_round(struct cpu *cpu, enum fp_round round);
/* Rounding, and whether denormal operands count as zeros (@daz) and denormal results become zeros
 * (@ftz), as x86's MXCSR has them. Exceptions are always masked: a guest that unmasks one looks at
 * the flags. */
void cpu_fp_set_control(struct cpu *cpu, enum fp_round round, bool daz, bool ftz);
/* Sticky flags raised by F* operations since they were last cleared: the guest ORs them into its
 * own. Looking is much cheaper than clearing. */
unsigned cpu_fp_flags(struct cpu *cpu);
void cpu_fp_clear_flags(struct cpu *cpu);

/* Debugger's view: virtual memory through the current mapping; false if any byte is unmapped. */
bool cpu_debug_rw(struct cpu *cpu, uint64_t vaddr, void *buf, size_t len, bool write);
void cpu_breakpoint_insert(struct cpu *cpu, uint64_t pc);
void cpu_breakpoint_remove(struct cpu *cpu, uint64_t pc);
void cpu_watchpoint_insert(struct cpu *cpu, uint64_t addr, uint64_t len, int kind);
void cpu_watchpoint_remove(struct cpu *cpu, uint64_t addr, uint64_t len, int kind);

/* Runs the queued work; on the CPU's thread. */
void cpu_run_work(struct cpu *cpu);
/* Waits until kicked, unless there is something to do already. On the CPU's thread. */
void cpu_wait(struct cpu *cpu);

#endif
