/*
 * Whether KVM is worth it. Where the host is a virtual machine itself, its KVM may have to emulate
 * privileged code one instruction at a time, at a few million a second; the translator does some
 * hundred times as many. A guest of a few privileged instructions tells the two apart.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include <base/error.h>
#include "kvm.h"

/* Instructions a second; hardware does thousands of millions, emulation one at a time about two. */
#define SLOW 15e6
#define PAGE 4096u

struct trial {
    int dev, vm, cpu;
    uint8_t *page;
    struct kvm_run *run;
    size_t run_size;
};

static bool make_trial(struct trial *t)
{
    struct kvm_userspace_memory_region r = { .memory_size = PAGE };

    t->dev = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    t->vm = t->dev < 0 ? -1 : kvm_ioctl(t->dev, KVM_CREATE_VM, NULL);
    t->cpu = t->vm < 0 ? -1 : ioctl(t->vm, KVM_CREATE_VCPU, 0);
    t->page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (t->cpu < 0 || t->page == MAP_FAILED)
        return false;
    r.userspace_addr = (uintptr_t)t->page;
    t->run_size = (size_t)ioctl(t->dev, KVM_GET_VCPU_MMAP_SIZE, 0);
    t->run = mmap(NULL, t->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, t->cpu, 0);
    return t->run != MAP_FAILED && kvm_ioctl(t->vm, KVM_SET_USER_MEMORY_REGION, &r) == 0;
}

static void free_trial(struct trial *t)
{
    if (t->run && t->run != MAP_FAILED)
        munmap(t->run, t->run_size);
    if (t->page != MAP_FAILED)
        munmap(t->page, PAGE);
    for (unsigned i = 0; i < 3; i++) {
        int fd = ((const int[]){ t->cpu, t->vm, t->dev })[i];

        if (fd >= 0)
            close(fd);
    }
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Instructions a second of @rounds of the guest's loop; 0: it does not run. */
static double speed(const struct kvm_guest *guest, struct trial *t, unsigned rounds)
{
    unsigned insns = guest->set_trial(t->cpu, t->page, rounds);
    double began = seconds();

    if (!insns || kvm_ioctl(t->cpu, KVM_RUN, NULL) < 0 || t->run->exit_reason != KVM_EXIT_HLT)
        return 0;
    return insns / (seconds() - began);
}

bool kvm_is_worth(const struct kvm_guest *guest, GError **err)
{
    struct trial t = { -1, -1, -1, MAP_FAILED, NULL, 0 };
    double best = 0;
    bool ran;

    if (!guest || !guest->set_trial)
        return true;
    ran = make_trial(&t) && speed(guest, &t, 1) > 0; /* brings its page in */
    /* somebody else may have the host's CPU for a while */
    for (unsigned i = 0; ran && i < 3 && best < SLOW; i++)
        best = speed(guest, &t, 4000);
    free_trial(&t);
    if (!ran || best >= SLOW) /* what is wrong with it is said by who uses it */
        return true;
    return error_set(err,
                     "this host's KVM emulates privileged code one instruction at a "
                     "time (%.1f million a second), which is slower than to translate it",
                     best / 1e6);
}
