/*
 * Instructions that one CPU does while the others stand still: atomics that no single instruction
 * of the host can do.
 *
 * The CPU has left its unit, and asks the others to leave theirs; they wait until it is done, as
 * does who wants the same. Nobody waits here with a lock held that another CPU might want on its
 * way out.
 */
#include <unistd.h>
#include "tcg.h"

/* Until nobody else is exclusive. */
static void wait_for_turn(struct tcg_vcpu *v)
{
    struct tcg *tcg = v->tcg;

    cache_offline(v);
    pthread_mutex_lock(&tcg->exclusive_lock);
    while (__atomic_load_n(&tcg->exclusive, __ATOMIC_SEQ_CST))
        pthread_cond_wait(&tcg->exclusive_over, &tcg->exclusive_lock);
    pthread_mutex_unlock(&tcg->exclusive_lock);
}

void exclusive_yield(struct tcg_vcpu *v)
{
    struct tcg *tcg = v->tcg;

    /* Whoever becomes exclusive after the look sees that this CPU is back, and waits for it. */
    while (__atomic_load_n(&tcg->exclusive, __ATOMIC_SEQ_CST)) {
        wait_for_turn(v);
        cache_online(v);
    }
}

static bool all_others_stand(const struct tcg_vcpu *self)
{
    const struct tcg *tcg = self->tcg;

    for (unsigned i = 0; i < tcg->nvcpus; i++)
        if (tcg->vcpu[i] != self &&
            __atomic_load_n(&tcg->vcpu[i]->seen, __ATOMIC_SEQ_CST) != UINT64_MAX)
            return false;
    return true;
}

void exclusive_begin(struct tcg_vcpu *v)
{
    struct tcg *tcg = v->tcg;
    struct tcg_vcpu *none = NULL;

    while (!__atomic_compare_exchange_n(&tcg->exclusive, &none, v, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
        wait_for_turn(v);
        cache_online(v);
        none = NULL;
    }
    for (unsigned i = 0; i < tcg->nvcpus; i++)
        if (tcg->vcpu[i] != v)
            cpu_kick(tcg->vcpu[i]->cpu);
    while (!all_others_stand(v))
        usleep(10);
}

void exclusive_end(struct tcg_vcpu *v)
{
    struct tcg *tcg = v->tcg;

    pthread_mutex_lock(&tcg->exclusive_lock);
    __atomic_store_n(&tcg->exclusive, NULL, __ATOMIC_SEQ_CST);
    pthread_cond_broadcast(&tcg->exclusive_over);
    pthread_mutex_unlock(&tcg->exclusive_lock);
}
