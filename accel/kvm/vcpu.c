/*
 * A CPU's thread: in and out of the kernel, requests, and halts.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <base/bug.h>
#include <base/log.h>
#include <base/loop.h>
#include "kvm.h"

/* Gets a thread out of KVM_RUN; nothing else in this program uses it. */
#define KICK_SIGNAL SIGUSR1

static void nothing(int sig)
{
    (void)sig;
}

void vcpu_signals_init(void)
{
    struct sigaction act = { .sa_handler = nothing };

    sigaction(KICK_SIGNAL, &act, NULL);
}

void vcpu_kick(struct cpu *cpu)
{
    struct kvm_cpu *k = kvm_cpu_of(cpu);

    __atomic_store_n(&k->v.run->immediate_exit, 1, __ATOMIC_SEQ_CST);
    if (cpu->has_thread && __atomic_load_n(&k->running, __ATOMIC_SEQ_CST) &&
        !pthread_equal(cpu->thread, pthread_self()))
        pthread_kill(cpu->thread, KICK_SIGNAL);
}

/* ---- the gate ---- */

void vcpu_gate_close(struct kvm *kvm)
{
    pthread_mutex_lock(&kvm->gate_lock);
    __atomic_store_n(&kvm->closed, true, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < kvm->ncpus; i++) {
        struct kvm_cpu *k = kvm->cpu[i];

        while (k && __atomic_load_n(&k->running, __ATOMIC_SEQ_CST)) {
            vcpu_kick(k->v.cpu);
            pthread_cond_wait(&kvm->gate, &kvm->gate_lock);
        }
    }
    pthread_mutex_unlock(&kvm->gate_lock);
}

void vcpu_gate_open(struct kvm *kvm)
{
    pthread_mutex_lock(&kvm->gate_lock);
    __atomic_store_n(&kvm->closed, false, __ATOMIC_SEQ_CST);
    pthread_cond_broadcast(&kvm->gate);
    pthread_mutex_unlock(&kvm->gate_lock);
}

static void enter(struct kvm_cpu *k)
{
    struct kvm *kvm = k->kvm;

    __atomic_store_n(&k->running, true, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&kvm->closed, __ATOMIC_SEQ_CST))
        return;
    pthread_mutex_lock(&kvm->gate_lock);
    while (kvm->closed) {
        __atomic_store_n(&k->running, false, __ATOMIC_SEQ_CST);
        pthread_cond_broadcast(&kvm->gate);
        pthread_cond_wait(&kvm->gate, &kvm->gate_lock);
        __atomic_store_n(&k->running, true, __ATOMIC_SEQ_CST);
    }
    pthread_mutex_unlock(&kvm->gate_lock);
}

static void leave(struct kvm_cpu *k)
{
    struct kvm *kvm = k->kvm;

    __atomic_store_n(&k->running, false, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&kvm->closed, __ATOMIC_SEQ_CST))
        return;
    pthread_mutex_lock(&kvm->gate_lock);
    pthread_cond_broadcast(&kvm->gate);
    pthread_mutex_unlock(&kvm->gate_lock);
}

/* True: there is an exit to handle. */
static bool enter_guest(struct kvm_cpu *k)
{
    if (ioctl(k->v.fd, KVM_RUN, 0) == 0)
        return true;
    if (errno != EINTR && errno != EAGAIN) {
        g_autofree char *why = g_strdup_printf("KVM_RUN: %s", g_strerror(errno));

        exit_fail(k, why);
    }
    return false;
}

/* ---- registers ---- */

/*
 * What a device has answered gets into the guest's registers at the next entry. Entered with
 * immediate_exit set the kernel does that and nothing else; an access that it hands out in pieces
 * needs several rounds.
 */
static void finish_access(struct kvm_cpu *k)
{
    while (k->unfinished) {
        bool back;

        k->unfinished = false;
        __atomic_store_n(&k->v.run->immediate_exit, 1, __ATOMIC_SEQ_CST);
        enter(k);
        back = enter_guest(k);
        leave(k);
        if (back)
            exit_handle(k);
    }
}

void kvm_take_registers(struct kvm_vcpu *v)
{
    struct kvm_cpu *k = (struct kvm_cpu *)v;
    const char *what;

    finish_access(k);
    if (v->ours)
        return;
    if (!k->kvm->guest->get(v, &what))
        log_printf(LOG_UNIMP, "kvm: cpu %u: %s: %s\n", v->cpu->index, what, g_strerror(errno));
    v->ours = true;
}

bool vcpu_give_registers(struct kvm_cpu *k)
{
    const char *what = NULL;

    if (!k->v.ours)
        return true;
    k->v.ours = false;
    if (k->kvm->guest->put(&k->v, &what))
        return true;
    g_autofree char *why = g_strdup_printf("%s: %s", what, g_strerror(errno));
    k->v.ours = true;
    exit_fail(k, why);
    return false;
}

/* ---- gdb ---- */

static void debug_apply(struct kvm_cpu *k)
{
    const struct cpu *cpu = k->v.cpu;

    if (k->debugged || cpu->single_step || cpu->breakpoints->len || cpu->watchpoints->len)
        k->debugged = k->kvm->guest->set_debug(&k->v);
}

/* ---- requests ---- */

static bool has_work_queued(struct cpu *cpu)
{
    bool any;

    pthread_mutex_lock(&cpu->work_lock);
    any = cpu->work != NULL;
    pthread_mutex_unlock(&cpu->work_lock);
    return any;
}

static void do_work(struct kvm_cpu *k)
{
    if (!has_work_queued(k->v.cpu))
        return;
    kvm_take_registers(&k->v); /* it may be about them */
    cpu_run_work(k->v.cpu);
    if (!k->kvm->vm.standing) /* others run, and may send interrupts: the kernel has them at once */
        vcpu_give_registers(k);
}

/* Stays here while the machine does not want the CPU to run. Registers are taken when all CPUs
 * stand (accel.c): until then others can send interrupts. */
static void park(struct kvm_cpu *k)
{
    struct loop *loop = k->kvm->vm.machine->loop;
    struct cpu *cpu = k->v.cpu;

    finish_access(k);
    loop_lock(loop);
    cpu->stopped = true;
    pthread_cond_broadcast(&k->kvm->parked);
    while (cpu->stop_request && !__atomic_load_n(&k->kvm->quit, __ATOMIC_SEQ_CST)) {
        do_work(k);
        loop_wait(loop, &k->kvm->resumed);
    }
    cpu->stopped = false;
    debug_apply(k);
    loop_unlock(loop);
    __atomic_fetch_or(&cpu->tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
}

static bool is_halted(const struct cpu *cpu)
{
    return __atomic_load_n(&cpu->halted, __ATOMIC_SEQ_CST);
}

/* False: it is not to run yet. */
static bool attend(struct kvm_cpu *k)
{
    struct cpu *cpu = k->v.cpu;

    __atomic_fetch_and(&cpu->tcg.flags, ~TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
    do_work(k);
    if (__atomic_load_n(&cpu->stop_request, __ATOMIC_SEQ_CST)) {
        park(k);
        return false;
    }
    return true;
}

/* Halted CPUs whose waking we decide on wait here. What woke them is looked at anew before they
 * run: the interrupt is to come before the next instruction. */
static void wait_for_work(struct kvm_cpu *k)
{
    struct cpu *cpu = k->v.cpu;

    if (cpu->ops->has_work(cpu)) {
        __atomic_store_n(&cpu->halted, 0, __ATOMIC_SEQ_CST);
    } else {
        cpu_wait(cpu);
        __atomic_fetch_or(&cpu->tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
    }
}

static bool wants_attention(const struct cpu *cpu)
{
    return __atomic_load_n(&cpu->tcg.flags, __ATOMIC_SEQ_CST) & TCG_FLAGS_ATTENTION;
}

/* ---- running ---- */

static void run(struct kvm_cpu *k)
{
    bool back;

    if (!vcpu_give_registers(k))
        return;
    __atomic_store_n(&k->v.run->immediate_exit, 0, __ATOMIC_SEQ_CST);
    enter(k);
    if (wants_attention(k->v.cpu)) { /* see kvm.h: whoever comes later finds us inside */
        leave(k);
        return;
    }
    k->unfinished = false;
    back = enter_guest(k);
    leave(k);
    k->kvm->guest->after_run(&k->v);
    if (back)
        exit_handle(k);
}

static void run_once(struct kvm_cpu *k)
{
    struct cpu *cpu = k->v.cpu;

    if (wants_attention(cpu) && !attend(k))
        return;
    k->kvm->guest->before_run(&k->v);
    if (k->kvm->vm.irqchip == KVM_IRQCHIP_OFF && is_halted(cpu))
        wait_for_work(k);
    else
        run(k);
}

void *vcpu_thread(void *opaque)
{
    struct kvm_cpu *k = opaque;
    sigset_t kick;

    sigemptyset(&kick);
    sigaddset(&kick, KICK_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
    __atomic_store_n(&k->v.cpu->host_tid, gettid(), __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&k->kvm->quit, __ATOMIC_SEQ_CST))
        run_once(k);
    return NULL;
}
