/*
 * The accelerator `kvm`: making the VM, its CPUs and their threads, and the machine's orders to
 * them.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <accel/accel.h>
#include <base/bits.h>
#include <base/bug.h>
#include <base/error.h>
#include <base/loop.h>
#include <base/option.h>
#include "kvm.h"

#define DEVICE   "/dev/kvm"
#define RING_MIN 1024u
#define RING_MAX 65536u

int kvm_ioctl(int fd, unsigned long request, void *arg)
{
    int rc;

    do
        rc = ioctl(fd, request, arg);
    while (rc < 0 && errno == EINTR);
    return rc;
}

int kvm_check(const struct kvm_vm *vm, unsigned long extension)
{
    int rc = vm->fd >= 0 ? ioctl(vm->fd, KVM_CHECK_EXTENSION, extension) : -1;

    return rc > 0 ? rc : 0;
}

static struct kvm *kvm_of(struct machine *m)
{
    return kvm_cpu_of(m->cpus->pdata[0])->kvm;
}

/* ---- the machine's orders to all CPUs; main thread, device lock held ---- */

static void wait_until_parked(struct kvm *kvm)
{
    for (unsigned i = 0; i < kvm->ncpus; i++)
        while (!kvm->cpu[i]->v.cpu->stopped)
            loop_wait(kvm->vm.machine->loop, &kvm->parked);
}

static void pause_all(struct machine *m)
{
    struct kvm *kvm = kvm_of(m);

    for (unsigned i = 0; i < kvm->ncpus; i++) {
        __atomic_store_n(&kvm->cpu[i]->v.cpu->stop_request, 1, __ATOMIC_SEQ_CST);
        cpu_kick(kvm->cpu[i]->v.cpu);
    }
    wait_until_parked(kvm);
    for (unsigned i = 0; i < kvm->ncpus; i++)
        kvm_take_registers(&kvm->cpu[i]->v);
    kvm->vm.standing = true;
    late_drain(kvm);
    irqchip_take(kvm);
    kvm->guest->vm_stopped(&kvm->vm);
    bells_drain(kvm);
    patches_remove(kvm);
}

static void resume_all(struct machine *m)
{
    struct kvm *kvm = kvm_of(m);

    patches_remove(kvm);
    patches_insert(kvm);
    kvm->guest->vm_goes_on(&kvm->vm);
    /* All of them before one runs, which may send the others interrupts; controllers last, which
     * may do so, too. */
    for (unsigned i = 0; i < kvm->ncpus; i++)
        vcpu_give_registers(kvm->cpu[i]);
    irqchip_give(kvm);
    kvm->vm.standing = false;
    for (unsigned i = 0; i < kvm->ncpus; i++) {
        struct cpu *cpu = kvm->cpu[i]->v.cpu;

        /* see accel/tcg: gdb hears first of one that has just stopped for it */
        if (!cpu->debug_hold && !cpu->debug_stop.reason && !kvm->cpu[i]->v.ours)
            __atomic_store_n(&cpu->stop_request, 0, __ATOMIC_SEQ_CST);
    }
    pthread_cond_broadcast(&kvm->resumed);
}

static void reset_all(struct machine *m)
{
    struct kvm *kvm = kvm_of(m);

    for (unsigned i = 0; i < kvm->ncpus; i++) {
        struct kvm_cpu *k = kvm->cpu[i];
        struct cpu *cpu = k->v.cpu;

        __atomic_store_n(&cpu->halted, 0, __ATOMIC_SEQ_CST);
        k->v.ours = true;
        cpu->ops->reset(cpu);
        kvm->guest->reset(&k->v);
    }
}

static const struct machine_cpu_ops machine_ops = {
    .pause = pause_all,
    .resume = resume_all,
    .reset = reset_all,
};

/* ---- services for guests: the host's CPU does these by itself ---- */

static void nothing(struct cpu *cpu)
{
    (void)cpu;
}

/* What addresses mean has changed: the kernel sees it by itself but for the lines that count. */
static void flush_all(struct cpu *cpu)
{
    if (cpu->index == 0)
        slots_lines_changed(kvm_cpu_of(cpu)->kvm);
}

static void flush_page(struct cpu *cpu, uint64_t vaddr, bool globals_too)
{
    (void)cpu, (void)vaddr, (void)globals_too;
}

static void switch_space(struct cpu *cpu, uint64_t space)
{
    (void)cpu, (void)space;
}

static void set_round(struct cpu *cpu, enum fp_round round)
{
    (void)cpu, (void)round;
}

static void set_control(struct cpu *cpu, enum fp_round round, bool daz, bool ftz)
{
    (void)cpu, (void)round, (void)daz, (void)ftz;
}

static unsigned fp_flags(struct cpu *cpu, bool clear)
{
    (void)cpu, (void)clear;
    return 0;
}

/* Looked at when the CPU goes on. */
static void break_changed(struct cpu *cpu, uint64_t pc)
{
    (void)cpu, (void)pc;
}

static void info_jit(struct cpu *cpu, GString *out)
{
    if (cpu->index == 0)
        g_string_append(out, "the host's CPU runs the guest's code as it is (KVM)\n");
}

static bool device_regs(struct cpu *cpu, bool put)
{
    struct kvm_cpu *k = kvm_cpu_of(cpu);

    return k->v.ours || (k->kvm->guest->general && k->kvm->guest->general(&k->v, put));
}

static const struct cpu_accel_ops cpu_services = {
    .kick = vcpu_kick,
    .flush_all = flush_all,
    .flush_page = flush_page,
    .flush_nonglobal = nothing,
    .switch_space = switch_space,
    .fence_i = nothing,
    .sync_time = nothing,
    .fp_set_round = set_round,
    .fp_set_control = set_control,
    .fp_flags = fp_flags,
    .break_changed = break_changed,
    .watch_changed = nothing,
    .info_jit = info_jit,
    .device_regs = device_regs,
};

/* ---- beginning and end ---- */

/* What went wrong and what helps. */
static bool cannot_open(int error, GError **err)
{
    const char *why;

    switch (error) {
    case ENOENT:
        why = "there is none: load the kernel module kvm-intel or kvm-amd, and see that "
              "virtualisation is on in the firmware's settings (or, in a virtual machine, nested "
              "virtualisation on its host)";
        break;
    case EACCES:
    case EPERM:
        why = "not allowed: become a member of the group that owns it (usually 'kvm'), and log in "
              "anew";
        break;
    case EBUSY: why = "busy: another hypervisor uses the CPU's virtualisation; end it"; break;
    case ENODEV:
    case ENXIO:
        why = "the CPU's virtualisation is missing or switched off in the firmware's settings";
        break;
    default: why = g_strerror(error); break;
    }
    return error_set(err, "-accel kvm: " DEVICE ": %s", why);
}

static bool open_vm(struct kvm *kvm, GError **err)
{
    int version;

    kvm->vm.dev = open(DEVICE, O_RDWR | O_CLOEXEC);
    if (kvm->vm.dev < 0)
        return cannot_open(errno, err);
    version = ioctl(kvm->vm.dev, KVM_GET_API_VERSION, 0);
    if (version != KVM_API_VERSION)
        return error_set(err,
                         "-accel kvm: " DEVICE " speaks version %d of its interface, %d is "
                         "needed: another kernel is",
                         version, KVM_API_VERSION);
    kvm->vm.fd = kvm_ioctl(kvm->vm.dev, KVM_CREATE_VM, NULL);
    if (kvm->vm.fd < 0)
        return cannot_open(errno, err);
    return true;
}

static bool check_host(struct kvm *kvm, GError **err)
{
    struct cpu *first = kvm->vm.machine->cpus->pdata[0];
    struct utsname host;
    int max = kvm_check(&kvm->vm, KVM_CAP_MAX_VCPUS);

    uname(&host);
    if (!kvm->guest || strcmp(kvm->guest->host, host.machine) != 0)
        return error_set(err, "-accel kvm: this host (%s) cannot run a guest '%s' on its own CPU",
                         host.machine, first->ops->arch);
    if (max && kvm->ncpus > (unsigned)max)
        return error_set(err, "-smp: %u CPUs are too many, this host's KVM takes 1 to %d",
                         kvm->ncpus, max);
    return kvm_check(&kvm->vm, KVM_CAP_IMMEDIATE_EXIT) ||
           error_set(err, "-accel kvm: the host's kernel is too old (4.13 is needed)");
}

static bool new_cpu(struct kvm *kvm, unsigned n, GError **err)
{
    struct kvm_cpu *k = g_new0(struct kvm_cpu, 1);
    struct cpu *cpu = kvm->vm.machine->cpus->pdata[n];

    kvm->cpu[n] = k;
    k->kvm = kvm;
    k->v = (struct kvm_vcpu){ .vm = &kvm->vm, .cpu = cpu, .ours = true, .run = MAP_FAILED };
    k->v.fd = ioctl(kvm->vm.fd, KVM_CREATE_VCPU, kvm->guest->vcpu_id(cpu));
    if (k->v.fd < 0)
        return error_set_errno(err, errno, "-accel kvm: cannot make CPU %u", n);
    k->v.run = mmap(NULL, kvm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, k->v.fd, 0);
    if (k->v.run == MAP_FAILED)
        return error_set_errno(err, errno, "-accel kvm: CPU %u", n);
    if (!ring_map(k, err) || !kvm->guest->vcpu_init(&k->v, err))
        return false;
    cpu->accel = k;
    cpu->accel_ops = &cpu_services;
    cpu->stop_request = 1;
    return true;
}

static void free_cpu(struct kvm *kvm, struct kvm_cpu *k)
{
    struct cpu *cpu = k->v.cpu;

    cpu->accel_ops = NULL;
    cpu->accel = NULL;
    cpu->has_thread = false;
    kvm->guest->vcpu_free(&k->v);
    ring_unmap(k);
    if (k->v.run != MAP_FAILED)
        munmap(k->v.run, kvm->run_size);
    if (k->v.fd >= 0)
        close(k->v.fd);
    g_free(k);
}

static bool make_cpus(struct kvm *kvm, GError **err)
{
    int size = ioctl(kvm->vm.dev, KVM_GET_VCPU_MMAP_SIZE, 0);

    if (size < (int)sizeof(struct kvm_run))
        return error_set_errno(err, errno, "-accel kvm: " DEVICE);
    kvm->run_size = (size_t)size;
    kvm->cpu = g_new0(struct kvm_cpu *, kvm->ncpus);
    for (unsigned i = 0; i < kvm->ncpus; i++)
        if (!new_cpu(kvm, i, err))
            return false;
    return true;
}

static bool start_threads(struct kvm *kvm, GError **err)
{
    vcpu_signals_init();
    for (unsigned i = 0; i < kvm->ncpus; i++) {
        struct cpu *cpu = kvm->cpu[i]->v.cpu;

        __atomic_fetch_or(&cpu->tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
        cpu->has_thread = true;
        if (pthread_create(&cpu->thread, NULL, vcpu_thread, kvm->cpu[i]) != 0) {
            cpu->has_thread = false;
            return error_set(err, "-accel: cannot start a thread for each of %u CPUs", kvm->ncpus);
        }
    }
    wait_until_parked(kvm); /* from here on they touch registers with the device lock held */
    return true;
}

static void end_threads(struct kvm *kvm)
{
    struct loop *loop = kvm->vm.machine->loop;

    __atomic_store_n(&kvm->quit, true, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < kvm->ncpus; i++)
        if (kvm->cpu[i] && kvm->cpu[i]->v.cpu->has_thread)
            cpu_kick(kvm->cpu[i]->v.cpu);
    pthread_cond_broadcast(&kvm->resumed);
    loop_unlock(loop);
    for (unsigned i = 0; i < kvm->ncpus; i++)
        if (kvm->cpu[i] && kvm->cpu[i]->v.cpu->has_thread)
            pthread_join(kvm->cpu[i]->v.cpu->thread, NULL);
    loop_lock(loop);
}

static void kvm_end(struct kvm *kvm)
{
    if (kvm->cpu)
        end_threads(kvm);
    slots_end(kvm);
    irqchip_end(kvm);
    kvm->vm.machine->cpu_ops = NULL;
    for (unsigned i = 0; kvm->cpu && i < kvm->ncpus; i++)
        if (kvm->cpu[i])
            free_cpu(kvm, kvm->cpu[i]);
    if (kvm->vm.fd >= 0)
        close(kvm->vm.fd);
    if (kvm->vm.dev >= 0)
        close(kvm->vm.dev);
    pthread_mutex_destroy(&kvm->gate_lock);
    pthread_cond_destroy(&kvm->gate);
    pthread_cond_destroy(&kvm->parked);
    pthread_cond_destroy(&kvm->resumed);
    g_array_unref(kvm->patches);
    g_free(kvm->cpu);
    g_free(kvm);
}

static bool read_options(struct kvm *kvm, struct opts *o, GError **err)
{
    static const char *const irqchips[] = { "off", "on", "split", NULL };
    static const enum kvm_irqchip_place places[] = { KVM_IRQCHIP_OFF, KVM_IRQCHIP_ON,
                                                     KVM_IRQCHIP_SPLIT };
    int irqchip = 2;

    kvm->irqchip_asked = opts_has(o, "kernel-irqchip");

    if (!opts_enum(o, "kernel-irqchip", irqchips, &irqchip, err) ||
        !opts_u32(o, "dirty-ring-size", 0, RING_MAX, &kvm->ring_entries, err))
        return false;
    if (kvm->ring_entries && (kvm->ring_entries < RING_MIN || !is_pow2(kvm->ring_entries)))
        return error_set(err, "-accel kvm: dirty-ring-size=%u is no power of two from %u to %u",
                         kvm->ring_entries, RING_MIN, RING_MAX);
    kvm->vm.irqchip = places[irqchip];
    return opts_done(o, err);
}

static bool kvm_init(struct machine *m, struct opts *opts, GError **err)
{
    struct kvm *kvm = g_new0(struct kvm, 1);
    struct cpu *first = m->cpus->pdata[0];

    kvm->vm = (struct kvm_vm){ .dev = -1, .fd = -1, .machine = m, .standing = true };
    kvm->guest = first->ops->kvm;
    kvm->ram = mem_ram(m->mem);
    kvm->ncpus = m->cpus->len;
    kvm->patches = g_array_new(FALSE, FALSE, sizeof(struct kvm_patch));
    pthread_mutex_init(&kvm->gate_lock, NULL);
    pthread_cond_init(&kvm->gate, NULL);
    pthread_cond_init(&kvm->parked, NULL);
    pthread_cond_init(&kvm->resumed, NULL);
    if (read_options(kvm, opts, err) && open_vm(kvm, err) && check_host(kvm, err) &&
        kvm->guest->vm_init(&kvm->vm, err) && ring_enable(kvm, err) && irqchip_begin(kvm, err) &&
        make_cpus(kvm, err) && slots_begin(kvm, err)) {
        m->cpu_ops = &machine_ops;
        if (start_threads(kvm, err))
            return true;
    }
    kvm_end(kvm);
    return false;
}

static bool kvm_usable(const char *arch)
{
    struct utsname host;
    int dev;

    uname(&host);
    if (strcmp(host.machine, "x86_64") != 0 ||
        (strcmp(arch, "x86_64") != 0 && strcmp(arch, "i386") != 0))
        return false;
    dev = open(DEVICE, O_RDWR | O_CLOEXEC);
    if (dev >= 0)
        close(dev);
    return dev >= 0;
}

static bool kvm_worth(struct machine *m, GError **err)
{
    const struct cpu *first = m->cpus->pdata[0];

    /* a model that nobody else has leaves no choice */
    return first->needs_kvm || kvm_is_worth(first->ops->kvm, err);
}

static void kvm_free(struct machine *m)
{
    kvm_end(kvm_of(m));
}

const struct accel_type accel_kvm = {
    .name = "kvm",
    .help = "runs guest code on the host's own CPU",
    .worth = kvm_worth,
    .init = kvm_init,
    .usable = kvm_usable,
    .free = kvm_free,
};
