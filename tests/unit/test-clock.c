/* Loop and clocks: order, explicit time, work from other threads. No test waits for a length of
 * time. */
#include <base/clock.h>
#include <base/loop.h>

struct trail {
    struct loop *loop;
    struct timer a, b, c;
    GString *text;
};

static void note(struct trail *t, const char *name)
{
    g_assert_true(loop_locked(t->loop));
    g_string_append_printf(t->text, "%s@%d ", name, (int)clock_ns(t->loop, CLK_VIRTUAL));
}

static void fire_a(void *opaque)
{
    struct trail *t = opaque;

    g_assert_false(timer_pending(&t->a));
    note(t, "a");
}

static void fire_b(void *opaque)
{
    struct trail *t = opaque;

    note(t, "b");
    timer_mod_ns(&t->b, clock_ns(t->loop, CLK_VIRTUAL) + 30);
}

static void fire_c(void *opaque)
{
    struct trail *t = opaque;

    note(t, "c");
    timer_del(&t->a);
}

static void trail_init(struct trail *t, enum clock_id id)
{
    t->loop = loop_new();
    t->text = g_string_new(NULL);
    timer_init(&t->a, t->loop, id, fire_a, t);
    timer_init(&t->b, t->loop, id, fire_b, t);
    timer_init(&t->c, t->loop, id, fire_c, t);
}

static void trail_free(struct trail *t)
{
    timer_del(&t->a);
    timer_del(&t->b);
    timer_del(&t->c);
    g_string_free(t->text, TRUE);
    loop_free(t->loop);
}

static void test_explicit(void)
{
    struct trail t;

    trail_init(&t, CLK_VIRTUAL);
    clock_make_explicit(t.loop, 100);
    loop_lock(t.loop);
    timer_mod_ns(&t.a, 150);
    timer_mod_ns(&t.b, 120);
    timer_mod_ns(&t.c, 180);
    g_assert_cmpint(clock_deadline(t.loop, CLK_VIRTUAL), ==, 120);
    clock_advance(t.loop, 60); /* to 160: b, then a and b again in the order of setting */
    g_assert_cmpstr(t.text->str, ==, "b@120 a@150 b@150 ");
    timer_mod_ns(&t.a, 185);
    clock_set_virtual(t.loop, 1); /* never backwards */
    g_assert_cmpint(clock_ns(t.loop, CLK_VIRTUAL), ==, 160);
    clock_set_virtual(t.loop, 190);
    g_assert_cmpstr(t.text->str, ==, "b@120 a@150 b@150 c@180 b@180 ");
    g_assert_false(timer_pending(&t.a));
    g_assert_cmpint(timer_deadline(&t.b), ==, 210);
    loop_unlock(t.loop);
    loop_step(t.loop, false); /* does not run explicit timers */
    g_assert_cmpint(timer_deadline(&t.b), ==, 210);
    trail_free(&t);
}

static void test_earlier(void)
{
    struct trail t;

    trail_init(&t, CLK_VIRTUAL);
    timer_mod_earlier_ns(&t.a, 50);
    timer_mod_earlier_ns(&t.a, 70);
    g_assert_cmpint(timer_deadline(&t.a), ==, 50);
    timer_mod_earlier_ns(&t.a, 40);
    g_assert_cmpint(timer_deadline(&t.a), ==, 40);
    timer_mod_ns(&t.a, -5);
    g_assert_cmpint(timer_deadline(&t.a), ==, 0);
    timer_del(&t.a);
    g_assert_cmpint(clock_deadline(t.loop, CLK_VIRTUAL), ==, INT64_MAX);
    trail_free(&t);
}

static void test_stopped_machine(void)
{
    struct trail t;
    int64_t before;

    trail_init(&t, CLK_VIRTUAL);
    timer_mod_ns(&t.c, 0);
    loop_step(t.loop, false);
    g_assert_cmpstr(t.text->str, ==, ""); /* due, but the machine stands */
    g_assert_cmpint(clock_ns(t.loop, CLK_VIRTUAL), ==, 0);
    loop_lock(t.loop);
    clock_resume(t.loop);
    loop_unlock(t.loop);
    while (!t.text->len) {
        loop_step(t.loop, true);
    }
    loop_lock(t.loop);
    clock_pause(t.loop);
    loop_unlock(t.loop);
    before = clock_ns(t.loop, CLK_VIRTUAL);
    g_assert_cmpint(before, >, 0);
    g_assert_cmpint(clock_ns(t.loop, CLK_VIRTUAL), ==, before);
    trail_free(&t);
}

static void test_realtime_timer_ends_wait(void)
{
    struct trail t;

    trail_init(&t, CLK_REALTIME);
    timer_mod_ns(&t.a, clock_ns(t.loop, CLK_REALTIME) + NS_PER_MS);
    while (timer_pending(&t.a)) {
        loop_step(t.loop, true);
    }
    g_assert_true(g_str_has_prefix(t.text->str, "a@"));
    trail_free(&t);
}

enum { POSTS = 2000, POSTERS = 3 };

struct posts {
    struct loop *loop;
    unsigned count; /* guarded by the device lock */
};

static void count_post(void *opaque)
{
    struct posts *p = opaque;

    g_assert_true(loop_locked(p->loop));
    if (++p->count == 2 * POSTS * POSTERS) {
        loop_quit(p->loop);
    }
}

static void *poster(void *opaque)
{
    struct posts *p = opaque;

    for (unsigned i = 0; i < POSTS; i++) {
        loop_run_in_main(p->loop, count_post, p);
        loop_lock(p->loop);
        count_post(p);
        loop_unlock(p->loop);
    }
    return NULL;
}

static void test_threads(void)
{
    struct posts p = { .loop = loop_new() };
    pthread_t threads[POSTERS];

    for (unsigned i = 0; i < POSTERS; i++) {
        g_assert_cmpint(pthread_create(&threads[i], NULL, poster, &p), ==, 0);
    }
    loop_run(p.loop);
    for (unsigned i = 0; i < POSTERS; i++) {
        pthread_join(threads[i], NULL);
    }
    g_assert_cmpuint(p.count, ==, 2 * POSTS * POSTERS);
    loop_free(p.loop);
}

static void *set_timer(void *opaque)
{
    struct trail *t = opaque;

    timer_mod_ns(&t->a, 0);
    return NULL;
}

/* A timer set by another thread wakes a loop that sleeps without end. */
static void test_timer_of_other_thread(void)
{
    struct trail t;
    pthread_t thread;

    trail_init(&t, CLK_REALTIME);
    g_assert_cmpint(pthread_create(&thread, NULL, set_timer, &t), ==, 0);
    while (!t.text->len) {
        loop_step(t.loop, true);
    }
    pthread_join(thread, NULL);
    trail_free(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/clock/explicit", test_explicit);
    g_test_add_func("/clock/earlier", test_earlier);
    g_test_add_func("/clock/stopped", test_stopped_machine);
    g_test_add_func("/clock/realtime", test_realtime_timer_ends_wait);
    g_test_add_func("/clock/other-thread", test_timer_of_other_thread);
    g_test_add_func("/loop/threads", test_threads);
    return g_test_run();
}
