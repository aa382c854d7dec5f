/*
 * Four clocks, each with a list of pending timers sorted by deadline. Lists are short (a few timers
 * a device, one a hart), so insertion walks from the far end, where most new deadlines belong.
 */
#include <base/clock.h>
#include <base/bug.h>
#include <base/loop.h>

#include <pthread.h>
#include <stdatomic.h>

#include "clock-private.h"

struct clock {
    pthread_mutex_t lock;
    struct timer list;        /* circular; its deadline is not used */
    _Atomic int64_t earliest; /* INT64_MAX: none; written under the lock */
    /*
     * Of a clock that can stand still: time * 2 + running, in one word so that readers need no
     * lock. While it runs, `time` is what to add to the monotonic time, else it is the time itself.
     */
    _Atomic int64_t word;
};

struct clocks {
    struct clock clock[CLK_COUNT];
    atomic_bool running;
    bool explicit_virtual; /* set before threads start */
    bool in_advance;       /* guarded by the device lock */
    void (*hook)(void *opaque);
    void *hook_opaque;
    enum clock_id rtc_source; /* set before threads start */
    int64_t rtc_offset;       /* what to add to it */
};

enum {
    TIMERS_PER_ROUND = 256,    /* then descriptors have their turn again */
    HOST_POLL_NS = 1000000000, /* CLK_HOST can jump while we sleep */
};

static int64_t monotonic_ns(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

struct clocks *clocks_new(void)
{
    struct clocks *cs = g_new0(struct clocks, 1);

    cs->rtc_source = CLK_HOST;
    for (unsigned i = 0; i < CLK_COUNT; i++) {
        struct clock *c = &cs->clock[i];

        pthread_mutex_init(&c->lock, NULL);
        c->list.prev = c->list.next = &c->list;
        c->earliest = INT64_MAX;
    }
    return cs;
}

void clocks_free(struct clocks *cs)
{
    for (unsigned i = 0; i < CLK_COUNT; i++) {
        pthread_mutex_destroy(&cs->clock[i].lock);
    }
    g_free(cs);
}

static int64_t clocks_now(struct clocks *cs, enum clock_id id)
{
    int64_t word;

    switch (id) {
    case CLK_REALTIME: return monotonic_ns(CLOCK_MONOTONIC);
    case CLK_HOST: return monotonic_ns(CLOCK_REALTIME);
    default:
        word = atomic_load_explicit(&cs->clock[id].word, memory_order_acquire);
        return (word >> 1) + (word & 1 ? monotonic_ns(CLOCK_MONOTONIC) : 0);
    }
}

int64_t clock_ns(struct loop *l, enum clock_id id)
{
    return clocks_now(loop_clocks(l), id);
}

static void set_word(struct clock *c, int64_t now, bool running)
{
    int64_t time = running ? now - monotonic_ns(CLOCK_MONOTONIC) : now;

    atomic_store_explicit(&c->word, time * 2 + running, memory_order_release);
}

/* ---- timers ---- */

void timer_init(struct timer *t, struct loop *l, enum clock_id id, timer_fn *cb, void *opaque)
{
    *t = (struct timer){ .loop = l, .cb = cb, .opaque = opaque, .clock = id, .deadline = -1 };
}

static struct clock *clock_of(const struct timer *t)
{
    return &loop_clocks(t->loop)->clock[t->clock];
}

static void set_deadline(struct timer *t, int64_t deadline)
{
    __atomic_store_n(&t->deadline, deadline, __ATOMIC_RELAXED);
}

static void update_earliest(struct clock *c)
{
    int64_t deadline = c->list.next == &c->list ? INT64_MAX : c->list.next->deadline;

    atomic_store_explicit(&c->earliest, deadline, memory_order_release);
}

static void unlink_timer(struct timer *t)
{
    t->prev->next = t->next;
    t->next->prev = t->prev;
    t->prev = t->next = NULL;
    set_deadline(t, -1);
}

static void link_timer(struct clock *c, struct timer *t, int64_t deadline)
{
    struct timer *p = c->list.prev;

    while (p != &c->list && p->deadline > deadline) {
        p = p->prev;
    }
    set_deadline(t, deadline);
    t->prev = p;
    t->next = p->next;
    p->next->prev = t;
    p->next = t;
}

/* Tells whoever waits for the earliest deadline that it is another one. */
static void announce(struct loop *l, enum clock_id id, int64_t before, int64_t after)
{
    struct clocks *cs = loop_clocks(l);

    if (before == after) {
        return;
    }
    if (id == CLK_VIRTUAL && cs->hook) {
        cs->hook(cs->hook_opaque);
    }
    if (after < before && !(id == CLK_VIRTUAL && cs->explicit_virtual)) {
        loop_wakeup(l);
    }
}

static void modify(struct timer *t, int64_t deadline, bool only_earlier)
{
    struct clock *c = clock_of(t);
    int64_t before, after;

    bug_on(!t->cb);
    deadline = MAX(deadline, 0);
    pthread_mutex_lock(&c->lock);
    if (only_earlier && t->deadline >= 0 && t->deadline <= deadline) {
        pthread_mutex_unlock(&c->lock);
        return;
    }
    before = c->earliest;
    if (t->deadline >= 0) {
        unlink_timer(t);
    }
    link_timer(c, t, deadline);
    update_earliest(c);
    after = c->earliest;
    pthread_mutex_unlock(&c->lock);
    announce(t->loop, t->clock, before, after);
}

void timer_mod_ns(struct timer *t, int64_t deadline)
{
    modify(t, deadline, false);
}

void timer_mod_earlier_ns(struct timer *t, int64_t deadline)
{
    modify(t, deadline, true);
}

void timer_del(struct timer *t)
{
    struct clock *c;
    int64_t before, after;

    if (!t->loop) {
        return;
    }
    c = clock_of(t);
    pthread_mutex_lock(&c->lock);
    before = c->earliest;
    if (t->deadline >= 0) {
        unlink_timer(t);
        update_earliest(c);
    }
    after = c->earliest;
    pthread_mutex_unlock(&c->lock);
    announce(t->loop, t->clock, before, after);
}

int64_t timer_deadline(const struct timer *t)
{
    return __atomic_load_n(&t->deadline, __ATOMIC_RELAXED);
}

bool timer_pending(const struct timer *t)
{
    return t->loop && timer_deadline(t) >= 0;
}

/* Takes the first timer due at `now` off the list; NULL if there is none. INT64_MAX is never. */
static struct timer *take_due(struct clock *c, int64_t now)
{
    struct timer *t = NULL;

    if (atomic_load_explicit(&c->earliest, memory_order_acquire) > now) {
        return NULL;
    }
    pthread_mutex_lock(&c->lock);
    if (c->list.next != &c->list && c->list.next->deadline <= now &&
        c->list.next->deadline != INT64_MAX) {
        t = c->list.next;
        unlink_timer(t);
        update_earliest(c);
    }
    pthread_mutex_unlock(&c->lock);
    return t;
}

/* ---- for the loop ---- */

static bool loop_runs(struct clocks *cs, enum clock_id id)
{
    switch (id) {
    case CLK_VIRTUAL: return cs->running && !cs->explicit_virtual;
    case CLK_VIRTUAL_RT: return cs->running;
    default: return true;
    }
}

int64_t clocks_timeout(struct clocks *cs)
{
    int64_t timeout = INT64_MAX;

    for (unsigned i = 0; i < CLK_COUNT; i++) {
        int64_t earliest = atomic_load_explicit(&cs->clock[i].earliest, memory_order_acquire);
        int64_t left;

        if (earliest == INT64_MAX || !loop_runs(cs, i)) {
            continue;
        }
        left = MAX(earliest - clocks_now(cs, i), 0);
        if (i == CLK_HOST) {
            left = MIN(left, HOST_POLL_NS);
        }
        timeout = MIN(timeout, left);
    }
    return timeout;
}

bool clocks_run(struct clocks *cs)
{
    bool any = false;

    for (unsigned i = 0; i < CLK_COUNT; i++) {
        int64_t now;

        if (cs->clock[i].earliest == INT64_MAX) {
            continue;
        }
        now = clocks_now(cs, i);
        for (unsigned n = 0; n < TIMERS_PER_ROUND && loop_runs(cs, i); n++) {
            struct timer *t = take_due(&cs->clock[i], now);

            if (!t) {
                break;
            }
            t->cb(t->opaque);
            any = true;
        }
    }
    return any;
}

/* ---- running, stopping, moving ---- */

static void set_running(struct loop *l, bool running)
{
    struct clocks *cs = loop_clocks(l);

    bug_on(!loop_locked(l));
    if (cs->running == running) {
        return;
    }
    cs->running = running;
    set_word(&cs->clock[CLK_VIRTUAL_RT], clocks_now(cs, CLK_VIRTUAL_RT), running);
    if (!cs->explicit_virtual) {
        set_word(&cs->clock[CLK_VIRTUAL], clocks_now(cs, CLK_VIRTUAL), running);
    }
    loop_wakeup(l);
}

void clock_resume(struct loop *l)
{
    set_running(l, true);
}

/* A timer that sets itself anew for a time that is over must not keep the machine from stopping. */
static void run_late(struct clocks *cs, enum clock_id id)
{
    int64_t now = clocks_now(cs, id);

    for (unsigned n = 0; n < TIMERS_PER_ROUND; n++) {
        struct timer *t = take_due(&cs->clock[id], now);

        if (!t)
            break;
        t->cb(t->opaque);
    }
}

void clock_pause(struct loop *l)
{
    struct clocks *cs = loop_clocks(l);
    bool was = cs->running;

    set_running(l, false);
    if (!was)
        return;
    if (!cs->explicit_virtual)
        run_late(cs, CLK_VIRTUAL);
    run_late(cs, CLK_VIRTUAL_RT);
}

bool clock_running(struct loop *l)
{
    return loop_clocks(l)->running;
}

int64_t clock_deadline(struct loop *l, enum clock_id id)
{
    return atomic_load_explicit(&loop_clocks(l)->clock[id].earliest, memory_order_acquire);
}

void clock_make_explicit(struct loop *l, int64_t now)
{
    struct clocks *cs = loop_clocks(l);

    cs->explicit_virtual = true;
    set_word(&cs->clock[CLK_VIRTUAL], now, false);
}

bool clock_is_explicit(struct loop *l)
{
    return loop_clocks(l)->explicit_virtual;
}

void clock_set_virtual(struct loop *l, int64_t now)
{
    struct clocks *cs = loop_clocks(l);
    struct clock *c = &cs->clock[CLK_VIRTUAL];
    struct timer *t;

    bug_on(!loop_locked(l) || !cs->explicit_virtual || cs->in_advance);
    now = MAX(now, clocks_now(cs, CLK_VIRTUAL));
    cs->in_advance = true;
    for (;;) {
        int64_t due = atomic_load_explicit(&c->earliest, memory_order_acquire);

        if (due > now || due == INT64_MAX) {
            break;
        }
        set_word(c, MAX(due, clocks_now(cs, CLK_VIRTUAL)), false);
        t = take_due(c, due);
        if (t) {
            t->cb(t->opaque);
        }
    }
    set_word(c, now, false);
    cs->in_advance = false;
}

void clock_note_virtual(struct loop *l, int64_t now)
{
    struct clocks *cs = loop_clocks(l);

    bug_on(!cs->explicit_virtual);
    set_word(&cs->clock[CLK_VIRTUAL], now, false);
}

void clock_advance(struct loop *l, int64_t delta)
{
    int64_t now = clock_ns(l, CLK_VIRTUAL);

    clock_set_virtual(l, delta > INT64_MAX / 2 - now ? INT64_MAX / 2 : now + MAX(delta, 0));
}

void clock_load_virtual(struct loop *l, int64_t now)
{
    struct clocks *cs = loop_clocks(l);

    bug_on(!loop_locked(l));
    set_word(&cs->clock[CLK_VIRTUAL], now, cs->running && !cs->explicit_virtual);
    loop_wakeup(l);
}

int64_t clock_rtc_ns(struct loop *l)
{
    struct clocks *cs = loop_clocks(l);

    return clocks_now(cs, cs->rtc_source) + cs->rtc_offset;
}

void clock_set_rtc(struct loop *l, enum clock_id source, int64_t now)
{
    struct clocks *cs = loop_clocks(l);

    cs->rtc_source = source;
    cs->rtc_offset = now - clocks_now(cs, source);
}

enum clock_id clock_rtc_source(struct loop *l)
{
    return loop_clocks(l)->rtc_source;
}

int64_t clock_rtc_deadline(struct loop *l, int64_t rtc)
{
    int64_t offset = loop_clocks(l)->rtc_offset, deadline;

    if (__builtin_sub_overflow(rtc, offset, &deadline)) /* guests set alarms to any time */
        return offset < 0 ? INT64_MAX : INT64_MIN;
    return deadline;
}

void clock_set_deadline_hook(struct loop *l, void (*hook)(void *opaque), void *opaque)
{
    struct clocks *cs = loop_clocks(l);

    cs->hook_opaque = opaque;
    cs->hook = hook;
}
