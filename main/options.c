/*
 * The command line: one row for each option. To add one: a place for it in config.h and a row here;
 * help and the check of misspelt names come from the row, and a test compares the manual with the
 * table.
 */
#include <base/error.h>
#include <monitor/monitor.h>

#include "config.h"

struct option;
typedef bool option_fn(struct config *c, const struct option *o, const char *arg, GError **err);

struct option {
    const char *name;
    const char *arg;  /* how the argument is written; NULL: none */
    const char *help; /* a line; NULL: another name of the row before */
    option_fn *take;
    int where; /* which list, text, … of config.h */
    const char
        *implied; /* key of a first part without one; for flags that stand for a text, the text */
};

static bool take_flag(struct config *c, const struct option *o, const char *arg, GError **err)
{
    (void)arg;
    (void)err;
    c->flag[o->where] = true;
    return true;
}

static bool take_text(struct config *c, const struct option *o, const char *arg, GError **err)
{
    (void)err;
    g_free(c->text[o->where]);
    c->text[o->where] = g_strdup(arg);
    return true;
}

/* "-s": a text without an argument */
static bool take_fixed(struct config *c, const struct option *o, const char *arg, GError **err)
{
    (void)arg;
    return take_text(c, o, o->implied, err);
}

static bool take_stream(struct config *c, const struct option *o, const char *arg, GError **err)
{
    (void)err;
    g_ptr_array_add(c->streams[o->where], g_strdup(arg));
    return true;
}

static struct opts *parse_arg(const struct option *o, const char *arg, GError **err)
{
    g_autofree char *name = g_strconcat("-", o->name, NULL);

    return opts_parse(name, arg, o->implied, err);
}

static bool take_list(struct config *c, const struct option *o, const char *arg, GError **err)
{
    struct opts *opts = parse_arg(o, arg, err);

    if (!opts) {
        return false;
    }
    g_ptr_array_add(c->lists[o->where], opts);
    return true;
}

static bool take_one(struct config *c, const struct option *o, const char *arg, GError **err)
{
    opts_auto struct opts *opts = parse_arg(o, arg, err);

    if (!opts) {
        return false;
    }
    opts_merge(c->one[o->where], opts);
    return true;
}

/* "-hda FILE" is "-drive file=FILE,if=ide,index=0,media=disk": what is not the file is in
 * `implied`.
 */
static bool take_disk(struct config *c, const struct option *o, const char *arg, GError **err)
{
    struct opts *opts = opts_parse("-drive", o->implied, NULL, err);

    if (!opts) {
        return false;
    }
    opts_set(opts, "file", arg);
    g_ptr_array_add(c->lists[LIST_DRIVE], opts);
    return true;
}

/* "-accel kvm:tcg" is "-accel kvm -accel tcg" */
static bool take_accel(struct config *c, const struct option *o, const char *arg, GError **err)
{
    g_auto(GStrv) names = NULL;
    struct opts *opts = parse_arg(o, arg, err);

    if (!opts) {
        return false;
    }
    names = g_strsplit(opts_str(opts, "accel", ""), ":", -1);
    for (char **name = names; *name; name++) {
        struct opts *each = opts_copy(opts);

        opts_remove(each, "accel");
        opts_set(each, "accel", *name);
        g_ptr_array_add(c->accels, each);
    }
    opts_free(opts);
    return true;
}

static bool take_watchdog(struct config *c, const struct option *o, const char *arg, GError **err)
{
    (void)o, (void)err;
    opts_remove(c->one[ONE_ACTION], "watchdog");
    opts_set(c->one[ONE_ACTION], "watchdog", arg);
    return true;
}

static bool take_kvm(struct config *c, const struct option *o, const char *arg, GError **err)
{
    (void)arg;
    return take_accel(c, o, "kvm", err);
}

static bool take_usb(struct config *c, const struct option *o, const char *arg, GError **err)
{
    (void)arg;
    (void)err;
    opts_set(c->one[o->where], o->implied, "on");
    return true;
}

static bool take_keymap(struct config *c, const struct option *o, const char *arg, GError **err)
{
    (void)c;
    return strcmp(arg, "en-us") == 0 ||
           error_set(err,
                     "-%s: '%s' is not there, only 'en-us' is; windows, and viewers with QEMU's "
                     "extended key events, tell keys whatever layout they have",
                     o->name, arg);
}

static bool take_none(struct config *c, const struct option *o, const char *arg, GError **err)
{
    (void)c;
    if (strcmp(arg, "none") != 0) {
        return error_set(err, "-%s: '%s' is not there, only 'none' is", o->name, arg);
    }
    return true;
}

/* -net none is -nic none. */
static bool take_no_net(struct config *c, const struct option *o, const char *arg, GError **err)
{
    return take_none(c, o, arg, err) && take_list(c, o, arg, err);
}

static bool take_nothing(struct config *c, const struct option *o, const char *arg, GError **err)
{
    (void)c;
    (void)o;
    (void)arg;
    (void)err;
    return true;
}

static bool take_config_file(struct config *c, const struct option *o, const char *arg,
                             GError **err);

/* Rows without help continue the row before. Sections begin with a row that has only a help text.
 */
static const struct option options[] = {
    { .help = "The machine" },
    { "arch", "NAME", "guest: riscv64, riscv32 (default: by program name, kernel, host)", take_text,
      TEXT_ARCH, NULL },
    { "machine", "[type=]NAME[,PROP=VALUE...]", "machine; 'help' lists them", take_one, ONE_MACHINE,
      "type" },
    { "M", "NAME", NULL, take_one, ONE_MACHINE, "type" },
    { "cpu", "NAME[,FEATURE=on|off...]", "CPU model; 'help' lists them", take_text, TEXT_CPU,
      NULL },
    { "accel", "NAME[,OPT=VALUE...]", "tcg, interp, kvm or qtest; several: the first that works",
      take_accel, 0, "accel" },
    { "enable-kvm", NULL, "the same as -accel kvm", take_kvm, 0, "accel" },
    { "smp", "[cpus=]N[,maxcpus=N][,sockets=N][,cores=N][,threads=N]", "number of CPUs", take_one,
      ONE_SMP, "cpus" },
    { "m", "[size=]SIZE", "memory, in MiB or with a suffix (1G)", take_one, ONE_MEMORY, "size" },
    { "name", "[guest=]NAME[,process=NAME]", "name of the guest, of the process", take_one,
      ONE_NAME, "guest" },
    { "uuid", "UUID", "the machine's UUID", take_text, TEXT_UUID, NULL },
    { "global", "DRIVER.PROP=VALUE", "default of a property for all devices of a type", take_list,
      LIST_GLOBAL, NULL },
    { "rtc", "[base=utc|localtime|DATE][,clock=host|rt|vm]", "what the guest's clock shows",
      take_one, ONE_RTC, NULL },
    { "icount", "[shift=]N|auto[,sleep=on|off]", "time by instructions: 2^N ns each", take_one,
      ONE_ICOUNT, "shift" },
    { "seed", "N", "seed of all randomness given to the guest", take_text, TEXT_SEED, NULL },

    { .help = "What it boots" },
    { "kernel", "FILE", "kernel: ELF or Linux image", take_text, TEXT_KERNEL, NULL },
    { "initrd", "FILE", "initial RAM disk", take_text, TEXT_INITRD, NULL },
    { "append", "TEXT", "the kernel's command line", take_text, TEXT_APPEND, NULL },
    { "dtb", "FILE", "device tree in place of the machine's own", take_text, TEXT_DTB, NULL },
    { "boot", "[order=]LETTERS[,once=LETTERS][,menu=on|off][,strict=on|off]",
      "what firmware tries: a floppy, c disk, d CD, n network", take_one, ONE_BOOT, "order" },
    { "bios", "FILE", "firmware; 'default' is built in, 'none' for none", take_text, TEXT_BIOS,
      NULL },

    { .help = "Devices" },
    { "device", "DRIVER[,PROP=VALUE...]",
      "a device; 'help' lists them, 'DRIVER,help' its properties", take_list, LIST_DEVICE,
      "driver" },
    { "drive", "[file=FILE][,format=raw][,if=TYPE][,id=ID][,readonly=on]", "a disk image",
      take_list, LIST_DRIVE, NULL },
    { "hda", "FILE", "disk 0 of the IDE controllers; -hdb, -hdc, -hdd: 1 to 3", take_disk, 0,
      "if=ide,index=0,media=disk" },
    { "hdb", "FILE", NULL, take_disk, 0, "if=ide,index=1,media=disk" },
    { "hdc", "FILE", NULL, take_disk, 0, "if=ide,index=2,media=disk" },
    { "hdd", "FILE", NULL, take_disk, 0, "if=ide,index=3,media=disk" },
    { "cdrom", "FILE", "a CD in the third IDE drive", take_disk, 0, "if=ide,index=2,media=cdrom" },
    { "fda", "FILE", "floppy disk in the first drive; -fdb: in the second", take_disk, 0,
      "if=floppy,index=0" },
    { "fdb", "FILE", NULL, take_disk, 0, "if=floppy,index=1" },
    { "blockdev", "[driver=]NAME,node-name=ID[,OPT=VALUE...]", "a block node", take_list,
      LIST_BLOCKDEV, "driver" },
    { "netdev", "[type=]user,id=ID[,OPT=VALUE...]", "a network", take_list, LIST_NETDEV, "type" },
    { "nic", "[type=]user|none[,model=DRIVER][,mac=MAC][,OPT=VALUE...]", "a network and its card",
      take_list, LIST_NIC, "type" },
    { "net", "none", "no default network", take_no_net, LIST_NIC, "type" },
    { "object", "[qom-type=]TYPE,id=ID[,PROP=VALUE...]",
      "an object that devices refer to; 'help' lists the types", take_list, LIST_OBJECT,
      "qom-type" },
    { "nodefaults", NULL, "none of the devices that come by default", take_flag, FLAG_NODEFAULTS,
      NULL },
    { "vga", "std|cirrus|virtio|none", "the graphics card", take_text, TEXT_VGA, NULL },
    { "usb", NULL, "a USB controller: -machine usb=on", take_usb, ONE_MACHINE, "usb" },
    { "usbdevice", "tablet|mouse|keyboard", "a USB device, with a controller for it", take_stream,
      STREAMS_USB, NULL },

    { .help = "Terminals and monitors" },
    { "chardev", "[backend=]TYPE,id=ID[,OPT=VALUE...]",
      "a character stream; 'help' lists the types", take_list, LIST_CHARDEV, "backend" },
    { "serial", "STREAM",
      "next serial port: stdio, mon:stdio, pty, null, none, file:F, tcp:H:P, unix:P", take_stream,
      STREAMS_SERIAL, NULL },
    { "parallel", "STREAM", "next parallel port: what is printed goes there", take_stream,
      STREAMS_PARALLEL, NULL },
    { "monitor", "STREAM", "the human monitor", take_stream, STREAMS_MONITOR, NULL },
    { "qmp", "STREAM", "a QMP monitor", take_stream, STREAMS_QMP, NULL },
    { "mon", "[chardev=]ID[,mode=readline|control][,pretty=on]", "a monitor on a -chardev",
      take_list, LIST_MON, "chardev" },
    { "nographic", NULL, "no display; serial port and monitor share the terminal (C-a h for help)",
      take_flag, FLAG_NOGRAPHIC, NULL },
    { "display", "none|sdl[,OPT=VALUE...]|vnc=WHERE[,OPT=VALUE...]",
      "who shows the guest's screen (default: a window where there is a desktop)", take_text,
      TEXT_DISPLAY, NULL },
    { "sdl", NULL, "the same as -display sdl", take_fixed, TEXT_DISPLAY, "sdl" },
    { "full-screen", NULL, "the window begins in full screen", take_flag, FLAG_FULL_SCREEN, NULL },
    { "k", "en-us", "keyboard of viewers that tell characters, not keys", take_keymap, 0, NULL },
    { "vnc", "[vnc=][HOST]:DISPLAY|unix:PATH|none[,OPT=VALUE...]", "a VNC server", take_list,
      LIST_VNC, "vnc" },

    { .help = "Running" },
    { "S", NULL, "do not start the CPUs ('cont' does)", take_flag, FLAG_STOPPED, NULL },
    { "no-reboot", NULL, "end in place of a reboot", take_flag, FLAG_NO_REBOOT, NULL },
    { "no-shutdown", NULL, "stop in place of the end when the guest powers off", take_flag,
      FLAG_NO_SHUTDOWN, NULL },
    { "action", "reboot=ACTION|shutdown=ACTION|panic=ACTION|watchdog=ACTION",
      "what becomes of a guest that reboots, powers off, panics or hangs", take_one, ONE_ACTION,
      NULL },
    { "watchdog-action", "ACTION", "the same as -action watchdog=ACTION", take_watchdog, 0, NULL },
    { "daemonize", NULL, "go to the background once everything is set up", take_flag,
      FLAG_DAEMONIZE, NULL },
    { "pidfile", "FILE", "write the process id there", take_text, TEXT_PIDFILE, NULL },
    { "sandbox", "on|off[,obsolete=..][,elevateprivileges=..][,spawn=..][,resourcecontrol=..]",
      "system calls that are denied: each 'allow' or 'deny'", take_one, ONE_SANDBOX, "enable" },
    { "readconfig", "FILE", "more options, from a file", take_config_file, 0, NULL },
    { "no-user-config", NULL, "accepted: there are no such files", take_nothing, 0, NULL },

    { .help = "Debugging" },
    { "gdb", "STREAM", "wait for gdb there (tcp::1234)", take_text, TEXT_GDB, NULL },
    { "s", NULL, "the same as -gdb tcp::1234", take_fixed, TEXT_GDB, "tcp::1234" },
    { "qtest", "STREAM", "speak the qtest protocol there", take_text, TEXT_QTEST, NULL },
    { "d", "ITEM[,ITEM...]", "log; 'help' lists the items", take_text, TEXT_LOG_ITEMS, NULL },
    { "D", "FILE", "log to a file", take_text, TEXT_LOG_FILE, NULL },
    { "dfilter", "RANGE[,RANGE...]", "log only code at START+SIZE, FIRST..LAST", take_text,
      TEXT_LOG_FILTER, NULL },
    { "v", NULL, "say what is chosen by default", take_flag, FLAG_VERBOSE, NULL },
    { "help", NULL, "this list", take_flag, FLAG_HELP, NULL },
    { "h", NULL, NULL, take_flag, FLAG_HELP, NULL },
    { "?", NULL, NULL, take_flag, FLAG_HELP, NULL },
    { "version", NULL, "version and what it was built with", take_flag, FLAG_VERSION, NULL },
};

/* ---- reading ---- */

static const struct option *find_option(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        if (options[i].name && strcmp(options[i].name, name) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

static bool unknown_option(const char *word, GError **err)
{
    struct nearest n;

    nearest_init(&n, word + strspn(word, "-"));
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        if (options[i].name) {
            nearest_try(&n, options[i].name);
        }
    }
    return n.best ? error_set(err, "%s: there is no such option; did you mean '-%s'?", word, n.best)
                  : error_set(err, "%s: there is no such option; -help lists them", word);
}

bool config_parse(struct config *c, int argc, char *const *argv, GError **err)
{
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        const struct option *o;

        if (word[0] != '-') {
            return error_set(err, "'%s' is not an option; disk images go to -drive file=%s", word,
                             word);
        }
        o = find_option(word + (word[1] == '-' ? 2 : 1));
        if (!o) {
            return unknown_option(word, err);
        }
        if (o->arg && i + 1 >= argc) {
            return error_set(err, "-%s: an argument is missing: %s", o->name, o->arg);
        }
        if (!o->take(c, o, o->arg ? argv[++i] : NULL, err)) {
            return false;
        }
    }
    return true;
}

/* A section is an option with its pairs, a few by other names, as QEMU writes them; one that takes
 * a plain text cannot stand in a file. */
static bool take_section(const char *group, struct opts *opts, void *opaque, GError **err)
{
    static const char *const other[][2] = { { "memory", "m" },
                                            { "smp-opts", "smp" },
                                            { "boot-opts", "boot" } };
    struct config *c = opaque;
    const struct option *o = find_option(group);
    g_autofree char *word = g_strconcat("-", group, NULL);

    for (size_t i = 0; !o && i < G_N_ELEMENTS(other); i++)
        o = strcmp(group, other[i][0]) == 0 ? find_option(other[i][1]) : NULL;
    if (o && o->take == take_list) {
        g_ptr_array_add(c->lists[o->where], opts);
        return true;
    }
    if (o && o->take == take_one) {
        opts_merge(c->one[o->where], opts);
    } else if (o) {
        error_set(err, "-readconfig: [%s]: this option cannot stand in a file", group);
    } else {
        unknown_option(word, err);
    }
    opts_free(opts);
    return o && o->take == take_one;
}

static bool take_config_file(struct config *c, const struct option *o, const char *arg,
                             GError **err)
{
    (void)o;
    return opts_read_config(arg, take_section, c, err);
}

/* ---- help ---- */

enum { HELP_COLUMN = 34 };

char *config_help(const struct config *c)
{
    GString *s = g_string_new(NULL);

    g_string_append_printf(s,
                           "myna %s: runs a whole computer of one architecture on another\n"
                           "usage: %s [options]\n",
                           PACKAGE_VERSION, c->program);
    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        const struct option *o = &options[i];
        gsize start = s->len + 2;

        if (!o->name) {
            g_string_append_printf(s, "\n%s:\n", o->help);
            continue;
        }
        g_string_append_printf(s, "  -%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
        if (o->help && s->len - start >= HELP_COLUMN) {
            g_string_append_printf(s, "\n%*s", HELP_COLUMN + 2, "");
        } else if (o->help) {
            g_string_append_printf(s, "%*s", (int)(HELP_COLUMN - (s->len - start)), "");
        }
        g_string_append_printf(s, "%s\n", o->help ? o->help : "");
    }
    return g_string_free(s, FALSE);
}

const char *config_option_at(unsigned i)
{
    unsigned n = 0;

    for (size_t k = 0; k < G_N_ELEMENTS(options); k++) {
        if (options[k].name && n++ == i) {
            return options[k].name;
        }
    }
    return NULL;
}

bool config_pairs_at(unsigned n, struct monitor_option *to)
{
    for (size_t k = 0; k < G_N_ELEMENTS(options); k++) {
        const struct option *o = &options[k];
        bool pairs = o->take == take_list || o->take == take_one || o->take == take_accel;

        /* those without help are other names */
        if (pairs && o->arg && o->help && n-- == 0) {
            *to = (struct monitor_option){ o->name, o->arg, o->implied };
            return true;
        }
    }
    return false;
}
