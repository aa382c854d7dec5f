/*
 * What the command line asks for, before anything is made of it. Options that describe one thing
 * (-machine) are merged; options that make things (-device) are kept in the order given.
 */
#ifndef MAIN_CONFIG_H
#define MAIN_CONFIG_H

#include <base/option.h>

/* Lists of struct opts, in order. */
enum config_list {
    LIST_OBJECT,
    LIST_CHARDEV,
    LIST_DRIVE,
    LIST_BLOCKDEV,
    LIST_NETDEV,
    LIST_NIC,
    LIST_DEVICE,
    LIST_GLOBAL,
    LIST_MON,
    LIST_VNC,
    LIST_COUNT
};

/* Lists of plain words that name where a stream goes ("mon:stdio", "none", "tcp::1234"). */
enum config_streams {
    STREAMS_SERIAL,
    STREAMS_PARALLEL,
    STREAMS_MONITOR,
    STREAMS_QMP,
    STREAMS_USB, /* -usbdevice: names of devices */
    STREAMS_COUNT
};

/* Options of which later ones add to or override earlier ones. */
enum config_one {
    ONE_MACHINE,
    ONE_SMP,
    ONE_MEMORY,
    ONE_BOOT,
    ONE_RTC,
    ONE_ICOUNT,
    ONE_NAME,
    ONE_SANDBOX,
    ONE_ACTION,
    ONE_COUNT
};

/* Plain strings; the last one given counts, NULL when absent. */
enum config_text {
    TEXT_ARCH,
    TEXT_CPU,
    TEXT_KERNEL,
    TEXT_INITRD,
    TEXT_APPEND,
    TEXT_DTB,
    TEXT_BIOS,
    TEXT_DISPLAY,
    TEXT_VGA,
    TEXT_UUID,
    TEXT_PIDFILE,
    TEXT_GDB,
    TEXT_QTEST,
    TEXT_LOG_ITEMS,
    TEXT_LOG_FILE,
    TEXT_LOG_FILTER,
    TEXT_SEED,
    TEXT_COUNT
};

enum config_flag {
    FLAG_NOGRAPHIC,
    FLAG_FULL_SCREEN,
    FLAG_NODEFAULTS,
    FLAG_STOPPED, /* -S */
    FLAG_NO_REBOOT,
    FLAG_NO_SHUTDOWN,
    FLAG_DAEMONIZE,
    FLAG_VERBOSE,
    FLAG_HELP,
    FLAG_VERSION,
    FLAG_COUNT
};

struct config {
    char *program; /* base name of argv[0] */
    GPtrArray *lists[LIST_COUNT];
    GPtrArray *streams[STREAMS_COUNT]; /* of char * */
    GPtrArray *accels;                 /* of struct opts, in order of preference */
    struct opts *one[ONE_COUNT];       /* never NULL */
    char *text[TEXT_COUNT];
    bool flag[FLAG_COUNT];
};

/* An empty one. Owned by the caller. */
struct config *config_new(const char *argv0);
void config_free(struct config *c);

/* Reads the command line (argv[0] left out of it), -readconfig files included. Nothing is opened or
 * made. */
bool config_parse(struct config *c, int argc, char *const *argv, GError **err)
    __attribute__((warn_unused_result));

/* -help: the table of options; to be freed. */
char *config_help(const struct config *c);
/* The row of an option as -help prints it, for tests of the manual; NULL past the end. */
const char *config_option_at(unsigned i);
/* See monitors_set_options(). */
struct monitor_option;
bool config_pairs_at(unsigned n, struct monitor_option *o);

/*
 * The guest: -arch, else what the program is called (myna-system-X, qemu-system-X), else what the
 * headers of -kernel and -bios say, else the host's. Static storage, or owned by c. Never NULL.
 */
const char *config_arch(const struct config *c);
/* The guest an image is for, by its first bytes: ELF, PE (EFI stub), arm64 and riscv Image,
 * bzImage; NULL if they do not say. */
const char *arch_of_image(const uint8_t *data, size_t len);

#endif
