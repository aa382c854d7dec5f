/*
 * Whether a machine runs, and what asks it to stop, reset or end. Requests come from any thread as
 * bits and are worked off by the main thread, so that resets never happen under a device's feet.
 */
#include "private.h"

#include <base/bug.h>
#include <base/clock.h>
#include <base/loop.h>

enum request {
    REQ_RESET = 1 << 0,
    REQ_SHUTDOWN = 1 << 1,
    REQ_POWERDOWN = 1 << 2,
    REQ_STOP = 1 << 3,
    REQ_SUSPEND = 1 << 4,
    REQ_WAKEUP = 1 << 5,
};

const char *const run_state_names[RUN_STATE_COUNT + 1] = {
    [RUN_PRELAUNCH] = "prelaunch",
    [RUN_RUNNING] = "running",
    [RUN_PAUSED] = "paused",
    [RUN_DEBUG] = "debug",
    [RUN_SHUTDOWN] = "shutdown",
    [RUN_SUSPENDED] = "suspended",
    [RUN_IO_ERROR] = "io-error",
    [RUN_GUEST_PANICKED] = "guest-panicked",
    [RUN_INTERNAL_ERROR] = "internal-error",
    [RUN_INMIGRATE] = "inmigrate",
    [RUN_POSTMIGRATE] = "postmigrate",
    [RUN_SAVE_VM] = "save-vm",
    [RUN_RESTORE_VM] = "restore-vm",
    [RUN_WATCHDOG] = "watchdog",
};

const char *const machine_cause_names[CAUSE_COUNT + 1] = {
    [CAUSE_NONE] = "none",
    [CAUSE_HOST_ERROR] = "host-error",
    [CAUSE_HOST_QMP_QUIT] = "host-qmp-quit",
    [CAUSE_HOST_QMP_SYSTEM_RESET] = "host-qmp-system-reset",
    [CAUSE_HOST_SIGNAL] = "host-signal",
    [CAUSE_HOST_UI] = "host-ui",
    [CAUSE_GUEST_SHUTDOWN] = "guest-shutdown",
    [CAUSE_GUEST_RESET] = "guest-reset",
    [CAUSE_GUEST_PANIC] = "guest-panic",
};

const char *run_state_name(enum run_state s)
{
    return run_state_names[s];
}

const char *machine_cause_name(enum machine_cause c)
{
    return machine_cause_names[c];
}

void machine_runstate_init(struct machine *m)
{
    struct machine_private *p = m->priv;

    p->resets = g_array_new(FALSE, FALSE, sizeof(struct reset_entry));
    p->runs = g_array_new(FALSE, FALSE, sizeof(struct run_entry));
    p->events = g_array_new(FALSE, FALSE, sizeof(struct event_entry));
    g_mutex_init(&p->request_lock);
}

void machine_runstate_destroy(struct machine *m)
{
    struct machine_private *p = m->priv;

    g_array_free(p->resets, TRUE);
    g_array_free(p->runs, TRUE);
    g_array_free(p->events, TRUE);
    g_mutex_clear(&p->request_lock);
}

/* All three lists hold a function and its opaque first, so they share add and remove. */
#define LIST_REMOVE(list, type, f, o)                                      \
    do {                                                                   \
        for (unsigned i_ = 0; i_ < (list)->len; i_++) {                    \
            const struct type *e_ = &g_array_index(list, struct type, i_); \
                                                                           \
            if (e_->fn == (f) && e_->opaque == (o)) {                      \
                g_array_remove_index(list, i_);                            \
                break;                                                     \
            }                                                              \
        }                                                                  \
    } while (0)

void machine_on_reset(struct machine *m, void (*fn)(void *opaque), void *opaque)
{
    const struct reset_entry e = { fn, opaque };

    g_array_append_val(m->priv->resets, e);
}

void machine_off_reset(struct machine *m, void (*fn)(void *opaque), void *opaque)
{
    LIST_REMOVE(m->priv->resets, reset_entry, fn, opaque);
}

void machine_on_run_state(struct machine *m, machine_run_fn *fn, void *opaque)
{
    const struct run_entry e = { fn, opaque };

    g_array_append_val(m->priv->runs, e);
}

void machine_off_run_state(struct machine *m, machine_run_fn *fn, void *opaque)
{
    LIST_REMOVE(m->priv->runs, run_entry, fn, opaque);
}

void machine_on_event(struct machine *m, machine_event_fn *fn, void *opaque)
{
    const struct event_entry e = { fn, opaque };

    g_array_append_val(m->priv->events, e);
}

void machine_off_event(struct machine *m, machine_event_fn *fn, void *opaque)
{
    LIST_REMOVE(m->priv->events, event_entry, fn, opaque);
}

void machine_emit(struct machine *m, enum machine_event e, enum machine_cause c)
{
    GArray *list = m->priv->events;

    for (unsigned i = 0; i < list->len; i++) {
        const struct event_entry entry = g_array_index(list, struct event_entry, i);

        entry.fn(entry.opaque, e, c);
    }
}

static void notify(struct machine *m)
{
    GArray *list = m->priv->runs;

    for (unsigned i = 0; i < list->len; i++) {
        const struct run_entry entry = g_array_index(list, struct run_entry, i);

        entry.fn(entry.opaque, machine_running(m), m->run_state);
    }
}

void machine_start(struct machine *m)
{
    if (machine_running(m))
        return;
    m->run_state = RUN_RUNNING;
    clock_resume(m->loop);
    notify(m);
    if (m->cpu_ops)
        m->cpu_ops->resume(m);
    machine_emit(m, EVENT_RESUME, CAUSE_NONE);
}

void machine_stop(struct machine *m, enum run_state s)
{
    bool was = machine_running(m);

    bug_on(s == RUN_RUNNING);
    if (was) {
        if (m->cpu_ops)
            m->cpu_ops->pause(m);
        clock_pause(m->loop);
    }
    m->run_state = s;
    notify(m);
    if (was && !m->exiting) /* SHUTDOWN said it */
        machine_emit(m, EVENT_STOP, CAUSE_NONE);
}

void machine_reset(struct machine *m, enum machine_cause c)
{
    bool was = machine_running(m);

    if (was && m->cpu_ops)
        m->cpu_ops->pause(m);
    for (unsigned i = 0; i < m->root.devices->len; i++)
        device_reset(g_ptr_array_index(m->root.devices, i));
    for (unsigned i = 0; i < m->priv->resets->len; i++) {
        const struct reset_entry e = g_array_index(m->priv->resets, struct reset_entry, i);

        e.fn(e.opaque);
    }
    if (m->cpu_ops)
        m->cpu_ops->reset(m);
    if (m->type->cpus_ready)
        m->type->cpus_ready(m);
    if (c != CAUSE_NONE)
        machine_emit(m, EVENT_RESET, c);
    if (was && m->cpu_ops)
        m->cpu_ops->resume(m);
}

static void do_shutdown(struct machine *m)
{
    enum machine_cause c = m->priv->shutdown_cause;

    machine_emit(m, EVENT_SHUTDOWN, c);
    m->exiting = !(m->cfg.no_shutdown && c == CAUSE_GUEST_SHUTDOWN);
    machine_stop(m, RUN_SHUTDOWN);
    if (!m->exiting)
        return;
    m->exit_code = m->priv->shutdown_code;
    loop_quit(m->loop);
}

static void do_reset(struct machine *m)
{
    machine_reset(m, m->priv->reset_cause);
    /* What had ended the guest is over; who stopped it has to let it go on. */
    if (m->run_state == RUN_SHUTDOWN || m->run_state == RUN_GUEST_PANICKED ||
        m->run_state == RUN_INTERNAL_ERROR)
        machine_stop(m, RUN_PAUSED);
    else if (m->run_state == RUN_SUSPENDED)
        machine_start(m);
}

static void do_wakeup(struct machine *m)
{
    if (m->run_state != RUN_SUSPENDED)
        return;
    if (m->type->sleeps) {
        m->waking = true;
        machine_reset(m, CAUSE_NONE);
        m->waking = false;
    }
    m->run_state = RUN_RUNNING;
    notify(m);
    machine_emit(m, EVENT_WAKEUP, CAUSE_NONE);
    if (m->cpu_ops)
        m->cpu_ops->resume(m);
}

/* Clocks go on: an alarm may end it. */
static void do_suspend(struct machine *m)
{
    if (!machine_running(m))
        return;
    if (m->cpu_ops)
        m->cpu_ops->pause(m);
    m->run_state = RUN_SUSPENDED;
    notify(m);
    machine_emit(m, EVENT_SUSPEND, CAUSE_NONE);
}

static void work_off(void *opaque)
{
    struct machine *m = opaque;
    struct machine_private *p = m->priv;
    enum run_state stop;
    unsigned req;

    g_mutex_lock(&p->request_lock);
    req = p->requests;
    p->requests = 0;
    stop = p->stop_state;
    g_mutex_unlock(&p->request_lock);

    if (m->exiting)
        return;
    if (req & REQ_SHUTDOWN)
        do_shutdown(m);
    if (m->exiting)
        return;
    if (req & REQ_STOP)
        machine_stop(m, stop);
    if (req & REQ_SUSPEND)
        do_suspend(m);
    if (req & REQ_RESET)
        do_reset(m);
    if (req & REQ_WAKEUP)
        do_wakeup(m);
    if (req & REQ_POWERDOWN)
        machine_emit(m, EVENT_POWERDOWN, CAUSE_NONE);
}

static void ask(struct machine *m, enum request r)
{
    m->priv->requests |= r;
    g_mutex_unlock(&m->priv->request_lock);
    loop_run_in_main(m->loop, work_off, m);
}

void machine_request_shutdown(struct machine *m, enum machine_cause c, int code)
{
    g_mutex_lock(&m->priv->request_lock);
    if (!(m->priv->requests & REQ_SHUTDOWN)) { /* the first reason counts */
        m->priv->shutdown_cause = c;
        m->priv->shutdown_code = code;
    }
    ask(m, REQ_SHUTDOWN);
}

void machine_request_reset(struct machine *m, enum machine_cause c)
{
    if (m->cfg.no_reboot) {
        machine_request_shutdown(m, c, 0);
        return;
    }
    g_mutex_lock(&m->priv->request_lock);
    m->priv->reset_cause = c;
    ask(m, REQ_RESET);
}

void machine_request_powerdown(struct machine *m)
{
    g_mutex_lock(&m->priv->request_lock);
    ask(m, REQ_POWERDOWN);
}

void machine_request_stop(struct machine *m, enum run_state s)
{
    g_mutex_lock(&m->priv->request_lock);
    m->priv->stop_state = s;
    ask(m, REQ_STOP);
}

void machine_request_suspend(struct machine *m)
{
    g_mutex_lock(&m->priv->request_lock);
    ask(m, REQ_SUSPEND);
}

void machine_request_wakeup(struct machine *m)
{
    g_mutex_lock(&m->priv->request_lock);
    ask(m, REQ_WAKEUP);
}
