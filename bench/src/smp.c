/* smp.c - two threads at once: apart, on the same data, waiting for each other. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include "work.h"

struct shared {
    long n;
    atomic_ulong counter;
    atomic_flag lock;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    uint64_t plain;
    int turn;
};

struct job {
    struct shared *shared;
    void (*work)(struct shared *s, int who);
    int who;
};

static void *job_run(void *arg)
{
    struct job *j = arg;

    j->work(j->shared, j->who);
    return NULL;
}

/* Run work on two threads; the state that they share is returned in *s. */
static void together(struct shared *s, long n, void (*work)(struct shared *s, int who))
{
    struct job jobs[2];
    pthread_t other;

    *s = (struct shared){ .n = n, .lock = ATOMIC_FLAG_INIT };
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->changed, NULL);
    for (int i = 0; i < 2; i++)
        jobs[i] = (struct job){ s, work, i };
    if (pthread_create(&other, NULL, job_run, &jobs[1]) != 0)
        return;
    job_run(&jobs[0]);
    pthread_join(other, NULL);
}

static void apart(struct shared *s, int who)
{
    uint64_t seed = who + 1, sum = 0;

    for (long i = 0; i < s->n; i++)
        sum = checksum_add(sum, random_next(&seed));
    atomic_fetch_xor(&s->counter, sum);
}

static uint64_t run_apart(long n)
{
    struct shared s;

    together(&s, n, apart);
    return s.counter;
}

static void count(struct shared *s, int who)
{
    for (long i = 0; i < s->n; i++)
        atomic_fetch_add(&s->counter, 1 + who);
}

static uint64_t run_count(long n)
{
    struct shared s;

    together(&s, n, count);
    return s.counter;
}

static void compare(struct shared *s, int who)
{
    for (long i = 0; i < s->n; i++) {
        unsigned long old = atomic_load_explicit(&s->counter, memory_order_relaxed);

        while (!atomic_compare_exchange_weak(&s->counter, &old, old + 3 + who))
            ;
    }
}

static uint64_t run_compare(long n)
{
    struct shared s;

    together(&s, n, compare);
    return s.counter;
}

static void spin(struct shared *s, int who)
{
    (void)who;
    for (long i = 0; i < s->n; i++) {
        while (atomic_flag_test_and_set_explicit(&s->lock, memory_order_acquire))
            ;
        s->plain++;
        atomic_flag_clear_explicit(&s->lock, memory_order_release);
    }
}

static uint64_t run_spin(long n)
{
    struct shared s;

    together(&s, n, spin);
    return s.plain;
}

static void mutex(struct shared *s, int who)
{
    (void)who;
    for (long i = 0; i < s->n; i++) {
        pthread_mutex_lock(&s->mutex);
        s->plain++;
        pthread_mutex_unlock(&s->mutex);
    }
}

static uint64_t run_mutex(long n)
{
    struct shared s;

    together(&s, n, mutex);
    return s.plain;
}

static void turns(struct shared *s, int who)
{
    for (long i = 0; i < s->n; i++) {
        pthread_mutex_lock(&s->mutex);
        while (s->turn != who)
            pthread_cond_wait(&s->changed, &s->mutex);
        s->plain = checksum_add(s->plain, who);
        s->turn = !who;
        pthread_cond_signal(&s->changed);
        pthread_mutex_unlock(&s->mutex);
    }
}

static uint64_t run_turns(long n)
{
    struct shared s;

    together(&s, n, turns);
    return s.plain;
}

const struct work smp_works[] = {
    { "apart", run_apart, 60000000 },
    { "count", run_count, 25000000 },
    { "compare", run_compare, 15000000 },
    { "spin", run_spin, 8000000 },
    { "mutex", run_mutex, 2000000 },
    { "turns", run_turns, 4000 },
    { 0 },
};
