/* Options that shape the machine as a whole. */
#include "machine_opts.h"

#include <base/clock.h>
#include <base/error.h>
#include <base/loop.h>

#include <limits.h>
#include <sys/prctl.h>

/* Levels of the topology that no machine has: scripts name them with the only count there is. */
static bool one_level(struct opts *o, GError **err)
{
    uint32_t n = 1;

    return opts_u32(o, "dies", 1, 1, &n, err) && opts_u32(o, "clusters", 1, 1, &n, err);
}

/* -smp: what is left out follows from the rest; more CPUs than given are cores of one socket. */
static bool set_smp(struct opts *o, struct machine_config *mc, GError **err)
{
    enum { LIMIT = 1024 };
    uint32_t cpus = 0, max = 0, sockets = 0, cores = 0, threads = 0;

    if (!opts_u32(o, "cpus", 1, LIMIT, &cpus, err) ||
        !opts_u32(o, "maxcpus", 1, LIMIT, &max, err) ||
        !opts_u32(o, "sockets", 1, LIMIT, &sockets, err) ||
        !opts_u32(o, "cores", 1, LIMIT, &cores, err) ||
        !opts_u32(o, "threads", 1, LIMIT, &threads, err) || !one_level(o, err) ||
        !opts_done(o, err)) {
        return false;
    }
    threads = threads ? threads : 1;
    if (!cores) {
        uint32_t all = max ? max : cpus ? cpus : MAX(sockets, 1) * threads;

        cores = MAX(all / (MAX(sockets, 1) * threads), 1);
    }
    if (!sockets) {
        uint32_t all = max ? max : cpus;

        sockets = MAX(all / (cores * threads), 1);
    }
    max = max ? max : sockets * cores * threads;
    cpus = cpus ? cpus : max;
    if ((uint64_t)sockets * cores * threads != max) {
        return error_set(err, "-smp: %u sockets of %u cores of %u threads do not make maxcpus=%u",
                         sockets, cores, threads, max);
    }
    if (cpus > max) {
        return error_set(err, "-smp: cpus=%u is more than maxcpus=%u", cpus, max);
    }
    mc->cpus = cpus;
    mc->max_cpus = max;
    mc->sockets = sockets;
    mc->cores = cores;
    mc->threads = threads;
    return true;
}

static bool set_memory(struct opts *o, struct machine_config *mc, GError **err)
{
    return opts_size(o, "size", 1 << 20, 1, INT64_MAX, &mc->ram_size, err) && opts_done(o, err);
}

/* Letters of drives, each at most once. */
static bool set_letters(struct opts *o, const char *key, char **to, GError **err)
{
    const char *text = opts_str(o, key, NULL);

    for (const char *p = text; p && *p; p++) {
        if (*p < 'a' || *p > 'p' || strchr(p + 1, *p)) {
            return error_set(err, "-boot: %s=%s: '%c' is %s", key, text, *p,
                             *p < 'a' || *p > 'p' ? "not one of a to p" : "there twice");
        }
    }
    *to = g_strdup(text);
    return true;
}

static bool set_boot(struct opts *o, struct machine_config *mc, GError **err)
{
    mc->boot_wait = mc->boot_retry = -1;
    return set_letters(o, "order", &mc->boot_order, err) &&
           set_letters(o, "once", &mc->boot_once, err) &&
           opts_bool(o, "menu", &mc->boot_menu, err) &&
           opts_bool(o, "strict", &mc->boot_strict, err) &&
           opts_i64(o, "splash-time", 0, UINT16_MAX, &mc->boot_wait, err) &&
           opts_i64(o, "reboot-timeout", -1, UINT16_MAX, &mc->boot_retry, err) && opts_done(o, err);
}

static bool set_name(struct opts *o, struct machine_config *mc, GError **err)
{
    const char *process = opts_str(o, "process", NULL);
    bool threads = true;

    mc->name = g_strdup(opts_str(o, "guest", NULL));
    /* Threads always have names. */
    if (!opts_bool(o, "debug-threads", &threads, err) || !opts_done(o, err)) {
        return false;
    }
    if (process) {
        prctl(PR_SET_NAME, process, 0, 0, 0);
    }
    return true;
}

/* RFC 4122 text form: 8-4-4-4-12 hexadecimal digits. */
static bool set_uuid(const char *text, uint8_t *uuid, GError **err)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t n = 0;

    if (!text) {
        return true;
    }
    for (size_t i = 0; i < sizeof(form); i++) {
        if (form[i] == 'x' ? !g_ascii_isxdigit(text[i]) : text[i] != form[i]) {
            return error_set(err, "-uuid: '%s' is not of the form %s", text, form);
        }
        if (form[i] == 'x') {
            uuid[n / 2] = (uint8_t)(uuid[n / 2] << 4 | g_ascii_xdigit_value(text[i]));
            n++;
        }
    }
    return true;
}

static bool set_graphics(struct config *c, struct machine_config *mc, GError **err)
{
    bool graphics = !c->flag[FLAG_NOGRAPHIC];

    if (!opts_bool(c->one[ONE_MACHINE], "graphics", &graphics, err)) {
        return false;
    }
    mc->no_graphics = !graphics;
    return true;
}

static bool set_seed(const char *text, struct machine_config *mc, GError **err)
{
    mc->has_seed = text != NULL;
    return !text || option_u64("-seed", text, 0, UINT64_MAX, &mc->seed, err);
}

/* A text that -machine can give as well as an option of its own, which counts more. */
static char *text_or_key(struct config *c, enum config_text text, const char *key)
{
    const char *of_machine = opts_str(c->one[ONE_MACHINE], key, NULL);

    return g_strdup(c->text[text] ? c->text[text] : of_machine);
}

/* -action; -no-reboot and -no-shutdown are short for two of them. */
static bool set_actions(struct config *c, struct machine_config *mc, GError **err)
{
    static const char *const reboots[] = { "reset", "shutdown", NULL };
    static const char *const shutdowns[] = { "poweroff", "pause", NULL };
    struct opts *o = c->one[ONE_ACTION];
    int reboot = c->flag[FLAG_NO_REBOOT], shutdown = c->flag[FLAG_NO_SHUTDOWN];
    int watchdog = WATCHDOG_RESET, panic = PANIC_SHUTDOWN;

    if (!opts_enum(o, "reboot", reboots, &reboot, err) ||
        !opts_enum(o, "shutdown", shutdowns, &shutdown, err) ||
        !opts_enum(o, "watchdog", watchdog_action_names, &watchdog, err) ||
        !opts_enum(o, "panic", panic_action_names, &panic, err) || !opts_done(o, err)) {
        return false;
    }
    mc->no_reboot = reboot == 1;
    mc->no_shutdown = shutdown == 1;
    mc->watchdog_action = watchdog;
    mc->panic_action = panic;
    return true;
}

bool machine_opts_config(struct config *c, const char *arch, struct machine_config *mc,
                         GError **err)
{
    mc->arch = g_strdup(arch);
    mc->cpu = g_strdup(c->text[TEXT_CPU]);
    mc->kernel = text_or_key(c, TEXT_KERNEL, "kernel");
    mc->initrd = text_or_key(c, TEXT_INITRD, "initrd");
    mc->append = text_or_key(c, TEXT_APPEND, "append");
    mc->dtb = text_or_key(c, TEXT_DTB, "dtb");
    mc->firmware = text_or_key(c, TEXT_BIOS, "firmware");
    mc->dump_dtb = g_strdup(opts_str(c->one[ONE_MACHINE], "dumpdtb", NULL));
    mc->memory_backend = g_strdup(opts_str(c->one[ONE_MACHINE], "memory-backend", NULL));
    if (mc->append && !mc->kernel) {
        return error_set(err, "-append: there is no -kernel to give '%s' to", mc->append);
    }
    if (mc->initrd && !mc->kernel) {
        return error_set(err, "-initrd: there is no -kernel to give '%s' to", mc->initrd);
    }
    if (!opts_bool(c->one[ONE_MACHINE], "dump-guest-core", &mc->dump_ram, err) ||
        !set_graphics(c, mc, err)) {
        return false;
    }
    return set_actions(c, mc, err) && set_smp(c->one[ONE_SMP], mc, err) &&
           set_memory(c->one[ONE_MEMORY], mc, err) && set_boot(c->one[ONE_BOOT], mc, err) &&
           set_name(c->one[ONE_NAME], mc, err) && set_uuid(c->text[TEXT_UUID], mc->uuid, err) &&
           set_seed(c->text[TEXT_SEED], mc, err);
}

const char *machine_opts_arch(const struct config *c, GError **err)
{
    const char *arch = config_arch(c);
    g_autoptr(GHashTable) all = g_hash_table_new(g_str_hash, g_str_equal);
    g_autofree const char **names = NULL;
    g_autofree char *list = NULL;
    struct nearest n;

    nearest_init(&n, arch);
    for (const struct machine_type *const *t = machine_types(); *t; t++) {
        for (const char *const *a = (*t)->archs; *a; a++) {
            g_hash_table_add(all, (gpointer)*a);
            nearest_try(&n, *a);
        }
    }
    if (g_hash_table_contains(all, arch)) {
        return arch;
    }
    if (c->text[TEXT_ARCH] && n.best) {
        error_set_unknown(err, "-arch", "guest", arch, &n);
        return NULL;
    }
    names = (const char **)g_hash_table_get_keys_as_array(all, NULL);
    list = g_strjoinv(", ", (char **)names);
    error_set(err, "-arch: guest '%s' is not there; there are: %s", arch, list);
    return NULL;
}

/* Keys of -machine that are not properties of the type but belong to other options. */
static bool is_common_key(const char *key)
{
    static const char *const keys[] = { "type",
                                        "accel",
                                        "kernel",
                                        "initrd",
                                        "append",
                                        "dtb",
                                        "usb",
                                        "firmware",
                                        "dumpdtb",
                                        "memory-backend",
                                        "dump-guest-core",
                                        "graphics",
                                        "kernel-irqchip",
                                        "kernel_irqchip",
                                        NULL };

    return g_strv_contains(keys, key);
}

/* DRIVER.PROP=VALUE, or driver=,property=,value= */
static bool add_global(struct opts *o, struct machine *m, GError **err)
{
    const char *driver = opts_str(o, "driver", NULL);
    const char *prop = opts_str(o, "property", NULL);
    const char *value = opts_str(o, "value", NULL);
    g_autofree char *before_dot = NULL;

    if (!driver && opts_count(o) == 1) {
        const char *key = opts_key_at(o, 0), *dot = strchr(key, '.');

        if (dot) {
            before_dot = g_strndup(key, (gsize)(dot - key));
            return machine_add_global(m, before_dot, dot + 1, opts_value_at(o, 0), err);
        }
    }
    if (!driver || !prop || !value) {
        return error_set(err, "-global: the form is DRIVER.PROP=VALUE");
    }
    return opts_done(o, err) && machine_add_global(m, driver, prop, value, err);
}

bool machine_opts_props(struct config *c, struct machine *m, GError **err)
{
    struct opts *o = c->one[ONE_MACHINE];

    for (guint i = 0; i < c->lists[LIST_GLOBAL]->len; i++) {
        if (!add_global(c->lists[LIST_GLOBAL]->pdata[i], m, err)) {
            return false;
        }
    }
    for (size_t i = 0; i < opts_count(o); i++) {
        const char *key = opts_key_at(o, i);

        if (!is_common_key(key) && !machine_set(m, key, opts_value_at(o, i), err)) {
            return false;
        }
    }
    return true;
}

/* base=: a word or a date as ISO 8601 (in UTC where it does not say). */
static bool rtc_base(const char *text, int64_t *seconds, GError **err)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autoptr(GDateTime) date = NULL;
    g_autofree char *at_midnight = NULL;

    *seconds = g_date_time_to_unix(now);
    if (strcmp(text, "utc") == 0) {
        return true;
    }
    if (strcmp(text, "localtime") == 0) {
        *seconds += g_date_time_get_utc_offset(now) / G_TIME_SPAN_SECOND;
        return true;
    }
    if (!strchr(text, 'T')) {
        at_midnight = g_strconcat(text, "T00:00:00", NULL);
    }
    date = g_date_time_new_from_iso8601(at_midnight ? at_midnight : text, utc);
    if (!date) {
        return error_set(
            err, "-rtc: base=%s is not utc, localtime or a date such as 2026-01-31T12:00:00", text);
    }
    *seconds = g_date_time_to_unix(date);
    return true;
}

static bool set_rtc(struct opts *o, struct loop *l, GError **err)
{
    static const char *const clocks[] = { "host", "rt", "vm", NULL };
    static const enum clock_id ids[] = { CLK_HOST, CLK_REALTIME, CLK_VIRTUAL };
    const char *base = opts_str(o, "base", "utc");
    int64_t seconds, now = clock_ns(l, CLK_HOST);
    int clock = 0;

    if (!opts_enum(o, "clock", clocks, &clock, err) || !rtc_base(base, &seconds, err) ||
        !opts_done(o, err)) {
        return false;
    }
    if (strcmp(base, "utc") != 0) {
        now = seconds * NS_PER_SEC;
    }
    clock_set_rtc(l, ids[clock], now);
    return true;
}

static bool set_icount(struct opts *o, struct icount *ic, GError **err)
{
    const char *shift = opts_str(o, "shift", NULL);
    bool align = false;
    int64_t n = -1;

    *ic = (struct icount){ .on = opts_count(o) > 0, .shift = -1, .sleep = true };
    if (!opts_bool(o, "sleep", &ic->sleep, err) || !opts_bool(o, "align", &align, err) ||
        !opts_done(o, err)) {
        return false;
    }
    if (shift && strcmp(shift, "off") == 0) {
        ic->on = false;
        return true;
    }
    if (shift && strcmp(shift, "auto") != 0 &&
        !option_i64("-icount: shift", shift, 0, 10, &n, err)) {
        return false;
    }
    if (align) {
        return error_set(err, "-icount: align=on is not there");
    }
    ic->shift = (int)n;
    return true;
}

bool machine_opts_clocks(struct config *c, struct loop *l, struct icount *icount, GError **err)
{
    return set_rtc(c->one[ONE_RTC], l, err) && set_icount(c->one[ONE_ICOUNT], icount, err);
}
