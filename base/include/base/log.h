/*
 * The log of -d ITEMS, -D FILE and -dfilter RANGES. Off costs one test of a word.
 *
 *     if (log_on(LOG_INT)) {
 *         log_printf(LOG_INT, "cpu %u: trap %" PRIu64 "\n", index, cause);
 *     }
 *     log_guest_error("plic: write of %" PRIx64 " to reserved register\n", off);
 *
 * Any thread may log; one log_printf is never torn, several lines that belong together go between
 * log_begin and log_end. The mask is the program's one global variable; set it before threads
 * start, or from the monitor (it is read without ordering).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* LOG_ITEM(identifier, name in -d, help); to add an item, add a line. */
#define LOG_ITEMS(LOG_ITEM)                                                        \
    LOG_ITEM(IN_ASM, "in_asm", "guest code of each unit as it is translated")      \
    LOG_ITEM(OP, "op", "IR of each unit before optimisation")                      \
    LOG_ITEM(OP_OPT, "op_opt", "IR of each unit after optimisation")               \
    LOG_ITEM(OUT_ASM, "out_asm", "host code of each unit")                         \
    LOG_ITEM(EXEC, "exec", "each unit as it is entered from the dispatcher")       \
    LOG_ITEM(INT, "int", "traps and interrupts")                                   \
    LOG_ITEM(MMU, "mmu", "address translation: walks, faults, flushes")            \
    LOG_ITEM(UNIMP, "unimp", "use of what is not implemented")                     \
    LOG_ITEM(GUEST, "guest_errors", "things a guest does that hardware ignores")   \
    LOG_ITEM(CPU, "cpu", "registers before each unit entered from the dispatcher") \
    LOG_ITEM(CPU_RESET, "cpu_reset", "registers at each CPU reset")                \
    LOG_ITEM(PAGE, "page", "memory map as it changes")                             \
    LOG_ITEM(STRACE, "strace", "environment calls from the guest to firmware")     \
    LOG_ITEM(NOCHAIN, "nochain", "do not chain units, so that exec shows all")     \
    LOG_ITEM(DEVICE, "device", "register accesses of devices")                     \
    LOG_ITEM(TRACE, "trace", "events of the emulator's own parts")

enum log_bit {
#define LOG_BIT_(id, name, help) LOG_BIT_##id,
    LOG_ITEMS(LOG_BIT_)
#undef LOG_BIT_
        LOG_BIT_COUNT
};

enum log_item {
#define LOG_MASK_(id, name, help) LOG_##id = 1u << LOG_BIT_##id,
    LOG_ITEMS(LOG_MASK_)
#undef LOG_MASK_
};

extern uint32_t log_mask;

static inline bool log_on(uint32_t items)
{
    return __builtin_expect((__atomic_load_n(&log_mask, __ATOMIC_RELAXED) & items) != 0, 0);
}

/* Writes if any of the items is on. */
void log_printf(uint32_t items, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

/* The log's stream, locked against other threads until log_end(); not NULL. Do not close it. */
FILE *log_begin(void);
void log_end(void);

/*
 * -d: "int,guest_errors", "all", "-int" takes one away again. Sets the mask. "help" is an error;
 * callers look for it first and print log_help(). Unknown items name the nearest.
 */
bool log_set_items(const char *list, GError **err);
/* A line for each item, as -d help shows them; to be freed. */
char *log_help(void);
/* The items that are on, separated by commas, "none" for none; to be freed. */
char *log_get_items(void);

/* -D: writes there from now on, NULL for stderr. %d in the name is the process id. */
bool log_set_file(const char *path, GError **err);

/* -dfilter: "0x80000000+0x1000,0x1000..0x1fff,0x9000-0x100" (start+size, first..last, end-size). */
bool log_set_filter(const char *ranges, GError **err);
/* Whether a guest address is to be shown: in one of the ranges, or there are none. */
bool log_wanted_slow(uint64_t addr);
static inline bool log_wanted(uint32_t items, uint64_t addr)
{
    return log_on(items) && log_wanted_slow(addr);
}

/* Flushes and closes; for the end of the program and for tests. */
void log_close(void);

/* One place in the source that may log too often: the first lines pass, then one a second. */
struct log_site {
    uint32_t count; /* lines let through or held back in this second */
    uint32_t suppressed;
    int64_t second; /* monotonic time, s */
};

void log_limited(struct log_site *site, uint32_t item, const char *fmt, ...) G_GNUC_PRINTF(3, 4);

#define log_guest_error(...) LOG_LIMITED_(LOG_GUEST, __VA_ARGS__)
#define log_unimp(...)       LOG_LIMITED_(LOG_UNIMP, __VA_ARGS__)
#define LOG_LIMITED_(item, ...)                       \
    do {                                              \
        if (log_on(item)) {                           \
            static struct log_site site_;             \
            log_limited(&site_, (item), __VA_ARGS__); \
        }                                             \
    } while (0)

#endif
