/*
 * Makes this machine's KVM another one, for tests: with LD_PRELOAD, what KVM_HOST says of it is
 * what the program sees. Words, with commas between them:
 *
 * - open=ERRNO, vm=ERRNO: /dev/kvm, or making a VM, fails so;
 * - version=N of the interface;
 * - cap=NUMBER:VALUE, KVM_CHECK_EXTENSION's answer; memory slots beyond NR_MEMSLOTS (10) are
 * refused;
 * - msr=NUMBER: reading and writing it is refused;
 * - cpuid=LEAF:REGISTER:BIT: a feature is not supported (registers are 0 to 3);
 * - given=LEAF:REGISTER: tells on stderr what CPUs are given there, a line each;
 * - hyperv=BITS: the kernel has Hyper-V's interface, with these features (EAX of leaf 0x40000003)
 * and all hints; tells on stderr which capabilities CPUs switch on;
 * - slow=MICROSECONDS, which each KVM_RUN takes;
 * - exit=REASON:AFTER: from the run AFTER on the kernel comes back so, without running anything;
 * - sub=NUMBER, what KVM_EXIT_INTERNAL_ERROR, KVM_EXIT_SYSTEM_EVENT and KVM_EXIT_HYPERV say of
 * themselves.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#define FDS 256

static struct kvm_run *run_of[FDS];

/* The word's value, and what follows it after colons; false: it is not said. */
static bool wish(const char *name, unsigned long v[3])
{
    const char *at = getenv("KVM_HOST");
    size_t len = strlen(name);

    for (; at; at = strchr(at, ',')) {
        char *end;

        at += *at == ',';
        if (strncmp(at, name, len) != 0 || at[len] != '=')
            continue;
        end = (char *)at + len;
        for (unsigned k = 0; k < 3 && (k == 0 || *end == ':'); k++)
            v[k] = strtoul(end + 1, &end, 0);
        return true;
    }
    return false;
}

static int fails(unsigned long error)
{
    errno = (int)error;
    return -1;
}

static int real_ioctl(int fd, unsigned long request, void *arg)
{
    static int (*next)(int, unsigned long, void *);

    if (!next)
        next = (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT, "ioctl");
    return next(fd, request, arg);
}

static int open_any(const char *name, const char *path, int flags, mode_t mode)
{
    int (*next)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name);
    unsigned long v[3];

    if (strcmp(path, "/dev/kvm") == 0 && wish("open", v))
        return fails(v[0]);
    return next(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_any("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_any("open64", path, flags, mode);
}

static void *map_any(const char *name, void *at, size_t len, int prot, int flags, int fd,
                     off_t offset)
{
    void *(*next)(void *, size_t, int, int, int, off_t) =
        (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, name);
    void *p = next(at, len, prot, flags, fd, offset);

    if (p != MAP_FAILED && fd >= 0 && fd < FDS && offset == 0)
        run_of[fd] = p;
    return p;
}

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
    return map_any("mmap", at, len, prot, flags, fd, offset);
}

void *mmap64(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
    return map_any("mmap64", at, len, prot, flags, fd, offset);
}

static int run(int fd)
{
    static unsigned long runs;
    unsigned long v[3] = { 0 }, sub[3] = { 0 };

    if (wish("slow", v))
        usleep((useconds_t)v[0]);
    if (!wish("exit", v) || fd >= FDS || !run_of[fd] ||
        __atomic_add_fetch(&runs, 1, __ATOMIC_SEQ_CST) < v[1])
        return real_ioctl(fd, KVM_RUN, NULL);
    if (run_of[fd]->immediate_exit)
        return fails(EINTR);
    wish("sub", sub);
    run_of[fd]->exit_reason = (__u32)v[0];
    memset(run_of[fd]->padding, 0, sizeof(run_of[fd]->padding));
    if (v[0] == KVM_EXIT_INTERNAL_ERROR) {
        run_of[fd]->internal.suberror = (__u32)sub[0];
        run_of[fd]->internal.ndata = 1;
        run_of[fd]->internal.data[0] = 0xabcd;
    } else if (v[0] == KVM_EXIT_SYSTEM_EVENT) {
        run_of[fd]->system_event.type = (__u32)sub[0];
    } else if (v[0] == KVM_EXIT_HYPERV) {
        run_of[fd]->hyperv.type = (__u32)sub[0];
    }
    return 0;
}

/* Entries before the one that is refused are done, and counted. */
static int msrs(int fd, unsigned long request, struct kvm_msrs *m)
{
    unsigned long v[3];
    unsigned all = m->nmsrs;
    int done;

    if (wish("msr", v))
        for (unsigned k = 0; k < all; k++)
            if (m->entries[k].index == v[0])
                m->nmsrs = k;
    done = m->nmsrs ? real_ioctl(fd, request, m) : 0;
    m->nmsrs = all;
    return done;
}

static bool is_hyperv(unsigned long capability)
{
    switch (capability) {
    case KVM_CAP_HYPERV:
    case KVM_CAP_HYPERV_SYNIC2:
    case KVM_CAP_HYPERV_ENFORCE_CPUID: return true;
    default: return false;
    }
}

static int supported_hyperv(int fd, struct kvm_cpuid2 *list)
{
    unsigned long v[3];

    if (!wish("hyperv", v))
        return real_ioctl(fd, KVM_GET_SUPPORTED_HV_CPUID, list);
    list->nent = 2;
    list->entries[0] = (struct kvm_cpuid_entry2){ .function = 0x40000003, .eax = (__u32)v[0] };
    list->entries[1] =
        (struct kvm_cpuid_entry2){ .function = 0x40000004, .eax = 0xc2c, .ebx = 0xfff };
    return 0;
}

static int enable(int fd, struct kvm_enable_cap *cap)
{
    unsigned long v[3];

    if (!wish("hyperv", v) || !is_hyperv(cap->cap))
        return real_ioctl(fd, KVM_ENABLE_CAP, cap);
    fprintf(stderr, "capability %u: %llu\n", cap->cap, cap->args[0]);
    return 0;
}

static int check(int fd, unsigned long extension)
{
    unsigned long v[3];

    if (wish("cap", v) && v[0] == extension)
        return (int)v[1];
    if (wish("hyperv", v) && is_hyperv(extension))
        return 1;
    return real_ioctl(fd, KVM_CHECK_EXTENSION, (void *)extension);
}

static int set_slot(int fd, const struct kvm_userspace_memory_region *r)
{
    unsigned long v[3];

    if (wish("cap", v) && v[0] == KVM_CAP_NR_MEMSLOTS && (r->slot & 0xffff) >= v[1])
        return fails(EINVAL);
    return real_ioctl(fd, KVM_SET_USER_MEMORY_REGION, (void *)r);
}

static int supported(int fd, struct kvm_cpuid2 *list)
{
    unsigned long v[3];
    int rc = real_ioctl(fd, KVM_GET_SUPPORTED_CPUID, list);

    for (unsigned k = 0; rc == 0 && wish("cpuid", v) && k < list->nent; k++)
        if (list->entries[k].function == v[0])
            (&list->entries[k].eax)[v[1]] &= ~(1u << v[2]);
    return rc;
}

static int given(int fd, struct kvm_cpuid2 *list)
{
    unsigned long v[3];

    for (unsigned k = 0; wish("given", v) && k < list->nent; k++)
        if (list->entries[k].function == v[0])
            fprintf(stderr, "CPUID 0x%lx: 0x%08x\n", v[0], (&list->entries[k].eax)[v[1]]);
    return real_ioctl(fd, KVM_SET_CPUID2, list);
}

int ioctl(int fd, unsigned long request, ...)
{
    unsigned long v[3];
    va_list args;
    void *arg;

    va_start(args, request);
    arg = va_arg(args, void *);
    va_end(args);
    switch (request) {
    case KVM_GET_API_VERSION: return wish("version", v) ? (int)v[0] : real_ioctl(fd, request, arg);
    case KVM_CREATE_VM: return wish("vm", v) ? fails(v[0]) : real_ioctl(fd, request, arg);
    case KVM_CHECK_EXTENSION: return check(fd, (unsigned long)arg);
    case KVM_SET_USER_MEMORY_REGION: return set_slot(fd, arg);
    case KVM_GET_SUPPORTED_CPUID: return supported(fd, arg);
    case KVM_GET_SUPPORTED_HV_CPUID: return supported_hyperv(fd, arg);
    case KVM_ENABLE_CAP: return enable(fd, arg);
    case KVM_SET_CPUID2: return given(fd, arg);
    case KVM_GET_MSRS:
    case KVM_SET_MSRS: return msrs(fd, request, arg);
    case KVM_RUN: return run(fd);
    default: return real_ioctl(fd, request, arg);
    }
}
