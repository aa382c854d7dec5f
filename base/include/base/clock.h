/*
 * Clocks and timers. Four clocks hang off each loop; all count nanoseconds.
 *
 *     timer_init(&u->tx_timer, loop, CLK_VIRTUAL, uart_tx_done, u);
 *     timer_mod_ns(&u->tx_timer, clock_ns(loop, CLK_VIRTUAL) + 86 * NS_PER_US);
 *
 * Callbacks run in the main loop with the device lock held, and see the timer as not pending.
 * Timers may be set and deleted from any thread with or without the device lock; with it held,
 * after timer_del the callback neither runs nor will run. Timers due at one time run in the order
 * in which they were set.
 *
 * CLK_VIRTUAL has two modes. Free-running (default): it goes with the host's monotonic time while
 * the machine runs, between clock_resume and clock_pause; it starts paused, at 0. Explicit
 * (-icount, qtest): it only moves by clock_set_virtual and clock_advance, and its timers run inside
 * these calls.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_US  1000LL
#define NS_PER_MS  1000000LL
#define NS_PER_SEC 1000000000LL

struct loop;

enum clock_id {
    CLK_REALTIME, /* host's monotonic time; goes on while the machine is stopped: user interfaces */
    CLK_HOST,     /* host's time of day (since 1970); may jump: real-time clocks */
    CLK_VIRTUAL,  /* the guest's time: nearly every device */
    CLK_VIRTUAL_RT, /* stops with the machine, but goes with the host even under -icount */
    CLK_COUNT
};

typedef void timer_fn(void *opaque);

/* Embed it; fields are private. */
struct timer {
    struct loop *loop;
    timer_fn *cb;
    void *opaque;
    struct timer *prev, *next; /* list of its clock, by deadline; guarded by the clock's lock */
    int64_t deadline;          /* ns; -1: not pending. Atomic, written under the clock's lock */
    enum clock_id clock;
};

/* Now, in ns. Cheap, no lock, any thread. */
int64_t clock_ns(struct loop *l, enum clock_id id);

/* Allocates nothing. The timer must be deleted before its memory goes. */
void timer_init(struct timer *t, struct loop *l, enum clock_id id, timer_fn *cb, void *opaque);
/* Fires once at `deadline` (absolute, ns, negative counts as 0); moves it if pending. A deadline of
 * INT64_MAX never comes. */
void timer_mod_ns(struct timer *t, int64_t deadline);
/* As timer_mod_ns, but only ever moves a pending timer to an earlier time. */
void timer_mod_earlier_ns(struct timer *t, int64_t deadline);
/* Nothing happens if it is not pending. */
void timer_del(struct timer *t);
bool timer_pending(const struct timer *t);
/* -1 when not pending. */
int64_t timer_deadline(const struct timer *t);

/* The machine runs or stops: CLK_VIRTUAL (free-running) and CLK_VIRTUAL_RT go or stand. Device lock
 * held. clock_pause() lets timers run that are due at the time at which the clocks now stand. */
void clock_resume(struct loop *l);
void clock_pause(struct loop *l);
bool clock_running(struct loop *l);

/* The earliest deadline of a clock, absolute, INT64_MAX if there is none. Any thread. */
int64_t clock_deadline(struct loop *l, enum clock_id id);

/* Puts CLK_VIRTUAL in explicit mode at `now` ns; before the machine starts. */
void clock_make_explicit(struct loop *l, int64_t now);
bool clock_is_explicit(struct loop *l);
/* Moves explicit CLK_VIRTUAL to `now` (never backwards) and runs timers that became due, in order,
 * each seeing its own deadline as the time. Device lock held, from any thread but not from a timer.
 */
void clock_set_virtual(struct loop *l, int64_t now);
/* The same short of any deadline: no timer runs, no lock is needed. For the one thread whose
 * instructions are the time. */
void clock_note_virtual(struct loop *l, int64_t now);
void clock_advance(struct loop *l, int64_t delta);
/* Moves free-running or explicit CLK_VIRTUAL without running timers: for loading a saved machine.
 */
void clock_load_virtual(struct loop *l, int64_t now);

/*
 * The time of day that the guest's real-time clock shows (-rtc), in ns since 1970: CLK_HOST unless
 * set otherwise. To set it, give the clock it goes by and what it shows now; before the machine
 * starts.
 */
int64_t clock_rtc_ns(struct loop *l);
void clock_set_rtc(struct loop *l, enum clock_id source, int64_t now);
/* For alarms: the clock to put a timer on, and the deadline on it at which the guest's clock shows
 * `rtc`. */
enum clock_id clock_rtc_source(struct loop *l);
int64_t clock_rtc_deadline(struct loop *l, int64_t rtc);

/*
 * Called when the earliest deadline of CLK_VIRTUAL may have changed, from the thread that changed
 * it, with no lock of the clock held: -icount's vCPU recomputes its budget. Set before the machine
 * starts.
 */
void clock_set_deadline_hook(struct loop *l, void (*hook)(void *opaque), void *opaque);

#endif
