/*
 * A list of system calls that end the process. Names are looked up at run time, so that a call
 * which this host's kernel or libseccomp does not know is left out.
 */
#include "sandbox.h"

#include <base/error.h>

#ifdef CONFIG_SECCOMP
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#endif

static const char *const allow_deny[] = { "allow", "deny", NULL };

struct group {
    const char *key;
    bool default_deny;
    const char *const *calls;
};

#ifdef CONFIG_SECCOMP
/* Nobody here ever needs these: loading kernels and modules, changing the system's clock, mounting.
 */
static const char *const always[] = {
    "reboot",          "swapon",      "swapoff",       "syslog",        "mount",
    "umount",          "umount2",     "kexec_load",    "afs_syscall",   "vserver",
    "kexec_file_load", "init_module", "finit_module",  "delete_module", "acct",
    "settimeofday",    "stime",       "clock_settime", "clock_adjtime", "adjtimex",
    "pivot_root",      "move_mount",  "open_tree",     "fsopen",        "fsconfig",
    "fsmount",         "bpf",         "quotactl",      "add_key",       "request_key",
    "keyctl",          NULL,
};
#endif

static const char *const obsolete[] = {
    "readdir",  "_sysctl",  "bdflush", "create_module", "get_kernel_syms", "query_module",
    "sgetmask", "ssetmask", "sysfs",   "uselib",        "ustat",           NULL,
};
static const char *const elevate[] = {
    "setuid",    "setgid",    "setpgid",  "setsid",   "setreuid",  "setregid",
    "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups", NULL,
};
static const char *const spawn[] = { "fork", "vfork", "execve", "execveat", NULL };
static const char *const resources[] = {
    "setpriority",       "sched_setparam", "sched_setscheduler",
    "sched_setaffinity", "sched_setattr",  NULL,
};

static const struct group groups[] = {
    { "obsolete", true, obsolete },
    { "elevateprivileges", false, elevate },
    { "spawn", false, spawn },
    { "resourcecontrol", false, resources },
};

#ifdef CONFIG_SECCOMP

static bool deny(scmp_filter_ctx ctx, const char *const *calls, GError **err)
{
    for (; *calls; calls++) {
        int number = seccomp_syscall_resolve_name(*calls);
        int r = number < 0 ? 0 : seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, number, 0);

        if (r < 0) {
            return error_set_errno(err, -r, "-sandbox: cannot deny %s", *calls);
        }
    }
    return true;
}

/*
 * Threads stay allowed: clone without CLONE_THREAD makes a process. The flags of clone3 are in
 * memory, where a filter cannot look, so it is said to be missing, and libc takes clone.
 */
static bool deny_processes(scmp_filter_ctx ctx, GError **err)
{
    int r = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));

    if (r >= 0) {
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    }
    return r >= 0 || error_set_errno(err, -r, "-sandbox: cannot deny processes");
}

static bool install(const bool *denied, GError **err)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    bool ok = ctx && deny(ctx, always, err);
    int r;

    for (size_t i = 0; i < G_N_ELEMENTS(groups) && ok; i++) {
        ok = !denied[i] || (deny(ctx, groups[i].calls, err) &&
                            (groups[i].calls != spawn || deny_processes(ctx, err)));
    }
    if (ok) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1); /* also threads that run by now */
        r = seccomp_load(ctx);
        ok = r >= 0 || error_set_errno(err, -r, "-sandbox: the kernel refuses the filter");
    }
    seccomp_release(ctx);
    return ok;
}

#else

static bool install(const bool *denied, GError **err)
{
    (void)denied;
    return error_set(err, "-sandbox: this build has no libseccomp");
}

#endif

bool sandbox_apply(struct opts *o, GError **err)
{
    bool on = false, denied[G_N_ELEMENTS(groups)];

    if (!opts_bool(o, "enable", &on, err)) {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
        int choice = groups[i].default_deny;

        if (!opts_enum(o, groups[i].key, allow_deny, &choice, err)) {
            return false;
        }
        denied[i] = choice;
    }
    return opts_done(o, err) && (!on || install(denied, err));
}
