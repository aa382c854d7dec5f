/* Devices, properties, buses, interrupt lines, run state and the state of a whole machine. */
#include <base/clock.h>
#include <base/error.h>
#include <base/loop.h>
#include <base/option.h>
#include <hw/core/machine.h>

struct widget {
    struct device dev;
    struct irq_line outs[2];
    bool flag;
    uint8_t small;
    uint32_t count;
    int64_t offset;
    uint64_t size;
    char *label;
    int mode, lazy;
    struct mac_addr mac;
    void *chr;
    struct device *peer;
    uint32_t reg;
    unsigned resets, levels[4];
};

static const char *const modes[] = { "slow", "fast", NULL };

static const struct prop widget_props[] = {
    PROP_BOOL(struct widget, flag, "flag", true, "a flag"),
    PROP_U8(struct widget, small, "small", 3, "a small number", .min = 1, .max = 9),
    PROP_U32(struct widget, count, "count", 7, "a number"),
    PROP_I64(struct widget, offset, "offset", -4, "a signed number"),
    PROP_SIZE(struct widget, size, "size", 4096, "a size"),
    PROP_STR(struct widget, label, "label", "none", "a text"),
    PROP_ENUM(struct widget, mode, "mode", 0, "a choice", modes),
    PROP_ONOFFAUTO(struct widget, lazy, "lazy", AUTO, "maybe"),
    PROP_MAC(struct widget, mac, "mac", "an address"),
    PROP_CHARDEV(struct widget, chr, "chardev", "characters"),
    PROP_LINK(struct widget, peer, "peer", "another device"),
    PROP_LIST_END
};

static const struct state_field widget_fields[] = { STATE_U32(struct widget, reg), STATE_END };
static const struct state_table widget_state = { .name = "widget",
                                                 .version = 1,
                                                 .fields = widget_fields };

static void widget_irq(void *opaque, unsigned n, bool level)
{
    ((struct widget *)opaque)->levels[n] = level;
}

static bool widget_realize(struct device *dev, GError **err)
{
    struct widget *w = (struct widget *)dev;

    if (w->count == 13)
        return error_set(err, "widget: 13 is an unlucky count");
    device_irq_ins(dev, NULL, widget_irq, w, 4);
    device_irq_outs(dev, NULL, w->outs, 2);
    return true;
}

static void widget_reset(struct device *dev)
{
    struct widget *w = (struct widget *)dev;

    w->resets++;
    w->reg = 0;
}

static const struct device_type widget_type = {
    .name = "widget",
    .help = "a device for tests",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct widget),
    .realize = widget_realize,
    .reset = widget_reset,
    .props = widget_props,
    .state = &widget_state,
};

struct board {
    struct machine m;
    bool turbo;
};

static bool board_init(struct machine *m, GError **err)
{
    (void)m, (void)err;
    return true;
}

static const struct prop board_props[] = {
    PROP_BOOL(struct board, turbo, "turbo", false, "go faster"), PROP_LIST_END
};
static const char *const archs[] = { "riscv64", NULL };
static const struct machine_type board_type = {
    .name = "board",
    .archs = archs,
    .default_ram = 1 << 20,
    .max_cpus = 4,
    .size = sizeof(struct board),
    .props = board_props,
    .init = board_init,
};

struct fixture {
    struct loop *loop;
    struct machine *m;
};

static void set_up(struct fixture *f, gconstpointer data)
{
    struct machine_config cfg = { 0 };
    GError *err = NULL;

    (void)data;
    f->loop = loop_new();
    f->m = machine_new(&board_type, f->loop, &cfg);
    loop_lock(f->loop);
    g_assert_true(machine_init(f->m, &err));
    g_assert_no_error(err);
}

static void tear_down(struct fixture *f, gconstpointer data)
{
    (void)data;
    machine_free(f->m);
    loop_unlock(f->loop);
    loop_free(f->loop);
}

static struct widget *add_widget(struct fixture *f, const char *name)
{
    struct device *dev = device_new(f->m, &widget_type, name);

    g_assert_true(device_realize(dev, NULL, NULL));
    return (struct widget *)dev;
}

static void expect_set(struct device *dev, const char *name, const char *value, const char *shown)
{
    GError *err = NULL;
    char *text;

    g_assert_true(device_set(dev, name, value, &err));
    g_assert_no_error(err);
    text = device_get(dev, name, NULL);
    g_assert_cmpstr(text, ==, shown);
    g_free(text);
}

static void refuse_set(struct device *dev, const char *name, const char *value, const char *text)
{
    GError *err = NULL;

    g_assert_false(device_set(dev, name, value, &err));
    g_assert_nonnull(err);
    if (!strstr(err->message, text))
        g_error("message '%s' does not hold '%s'", err->message, text);
    g_error_free(err);
}

static void test_props(struct fixture *f, gconstpointer data)
{
    struct device *dev = device_new(f->m, &widget_type, "w");
    struct widget *w = (struct widget *)dev;
    char *help;

    (void)data;
    g_assert_true(w->flag && w->small == 3 && w->count == 7 && w->offset == -4);
    g_assert_cmpstr(w->label, ==, "none");
    expect_set(dev, "flag", "off", "off");
    expect_set(dev, "small", "9", "9");
    expect_set(dev, "count", "0x10", "16");
    expect_set(dev, "offset", "-9", "-9");
    expect_set(dev, "size", "2M", "2097152");
    expect_set(dev, "label", "x,y", "x,y");
    expect_set(dev, "mode", "fast", "fast");
    expect_set(dev, "lazy", "on", "on");
    expect_set(dev, "mac", "52:54:00:12:34:aB", "52:54:00:12:34:ab");
    refuse_set(dev, "small", "10", "small");
    refuse_set(dev, "small", "0", "small");
    refuse_set(dev, "count", "4294967296", "count");
    refuse_set(dev, "count", "many", "many");
    refuse_set(dev, "flag", "perhaps", "perhaps");
    refuse_set(dev, "mode", "fats", "did you mean 'fast'");
    refuse_set(dev, "mac", "52:54:00:12:34", "MAC");
    refuse_set(dev, "mac", "52:54:00:12:34:5g", "MAC");
    refuse_set(dev, "mac", "01:54:00:12:34:56", "multicast");
    refuse_set(dev, "chardev", "nope", "nope");
    refuse_set(dev, "peer", "nope", "nope");
    refuse_set(dev, "cuont", "1", "did you mean 'count'");
    help = device_type_help(&widget_type);
    g_assert_nonnull(strstr(help, "small=<uint8> - a small number (default: 3)"));
    g_assert_nonnull(strstr(help, "mode=<slow|fast> - a choice (default: slow)"));
    g_free(help);
    device_free(dev);
}

static void test_life(struct fixture *f, gconstpointer data)
{
    struct widget *a = add_widget(f, "a"), *b = add_widget(f, NULL);
    struct device *bad = device_new(f->m, &widget_type, NULL);
    GError *err = NULL;
    GString *tree = g_string_new(NULL);

    (void)data;
    g_assert_true(device_find(f->m, "/machine/a") == &a->dev);
    g_assert_true(device_find(f->m, "/machine/widget[0]") == &b->dev);
    bus_print_tree(&f->m->root, tree);
    g_assert_nonnull(strstr(tree->str, "bus: main-system-bus\n  type System\n  dev: widget"));
    g_string_free(tree, TRUE);

    device_set_num(bad, "count", 13);
    g_assert_false(device_realize(bad, NULL, &err));
    g_assert_cmpstr(err->message, ==, "widget: 13 is an unlucky count");
    g_clear_error(&err);
    g_assert_null(device_find(f->m, "/machine/widget[1]"));

    machine_reset(f->m, CAUSE_NONE);
    g_assert_cmpuint(a->resets, ==, 1);
    g_assert_cmpuint(b->resets, ==, 1);
    device_remove(&a->dev);
    g_assert_null(device_find(f->m, "/machine/a"));
    g_assert_cmpuint(f->m->root.devices->len, ==, 1);
}

struct tap {
    unsigned n, calls;
    bool level;
};

static void tap_fn(void *opaque, unsigned n, bool level)
{
    struct tap *t = opaque;

    t->n = n;
    t->level = level;
    t->calls++;
}

static void test_irq(struct fixture *f, gconstpointer data)
{
    struct widget *a = add_widget(f, "a"), *b = add_widget(f, "b");
    struct irq_or gate = { .out = device_irq_in(&b->dev, 0) };
    struct irq_split split = { .out = { device_irq_in(&b->dev, 1), device_irq_in(&b->dev, 2) } };
    struct irq_line straight = device_irq_in(&b->dev, 3), inv = irq_invert(&straight);
    struct irq_line in0 = irq_or_in(&gate, 0), in5 = irq_or_in(&gate, 5);
    struct irq_line in = irq_split_in(&split);
    struct tap outs = { 0 }, ins = { 0 };

    (void)data;
    irq_raise(&a->outs[0]); /* leads nowhere */
    irq_raise(&in0);
    irq_raise(&in5);
    irq_lower(&in0);
    g_assert_cmpuint(b->levels[0], ==, 1);
    irq_lower(&in5);
    g_assert_cmpuint(b->levels[0], ==, 0);
    irq_raise(&in);
    g_assert_true(b->levels[1] && b->levels[2]);
    irq_lower(&inv);
    g_assert_true(b->levels[3]);

    device_connect_irq(&a->dev, 1, device_irq_in(&b->dev, 0));
    g_assert_true(device_tap_irqs(&a->dev, true, NULL, tap_fn, &outs));
    g_assert_false(device_tap_irqs(&a->dev, true, NULL, tap_fn, &outs));
    g_assert_false(device_tap_irqs(&a->dev, true, "named", tap_fn, &outs));
    g_assert_true(device_tap_irqs(&b->dev, false, NULL, tap_fn, &ins));
    irq_raise(&a->outs[1]);
    g_assert_true(outs.n == 1 && outs.level && outs.calls == 1);
    g_assert_true(ins.n == 0 && ins.level && ins.calls == 1);
    g_assert_true(b->levels[0]);
}

static void test_snapshot(struct fixture *f, gconstpointer data)
{
    struct widget *a = add_widget(f, "a"), *b = add_widget(f, "b");
    GByteArray *out = g_byte_array_new();
    GError *err = NULL;

    (void)data;
    a->reg = 11;
    b->reg = 22;
    clock_load_virtual(f->loop, 5000);
    machine_save(f->m, out);
    machine_reset(f->m, CAUSE_NONE);
    clock_load_virtual(f->loop, 9000);
    g_assert_true(machine_load(f->m, out->data, out->len, &err));
    g_assert_no_error(err);
    g_assert_true(a->reg == 11 && b->reg == 22);
    g_assert_cmpint(clock_ns(f->loop, CLK_VIRTUAL), ==, 5000);
    for (size_t len = 0; len < out->len; len++) {
        g_assert_false(machine_load(f->m, out->data, len, &err));
        g_clear_error(&err);
    }
    device_remove(&b->dev);
    g_assert_false(machine_load(f->m, out->data, out->len, &err));
    g_assert_nonnull(strstr(err->message, "/machine/b"));
    g_clear_error(&err);
    add_widget(f, "b");
    add_widget(f, "c");
    g_assert_false(machine_load(f->m, out->data, out->len, &err));
    g_assert_cmpstr(err->message, ==, "saved state: '/machine/c' is missing");
    g_error_free(err);
    g_byte_array_free(out, TRUE);
}

static void note_event(void *opaque, enum machine_event e, enum machine_cause c)
{
    static const char *const names[] = { "STOP",      "RESUME",  "RESET", "SHUTDOWN",
                                         "POWERDOWN", "SUSPEND", "WAKEUP" };

    g_string_append_printf(opaque, "%s(%s) ", names[e], machine_cause_name(c));
}

static void turn(struct fixture *f)
{
    loop_unlock(f->loop);
    while (loop_step(f->loop, false))
        continue;
    loop_lock(f->loop);
}

static void test_requests(struct fixture *f, gconstpointer data)
{
    struct widget *a = add_widget(f, "a");
    GString *log = g_string_new(NULL);

    (void)data;
    machine_on_event(f->m, note_event, log);
    machine_start(f->m);
    machine_request_reset(f->m, CAUSE_GUEST_RESET);
    g_assert_cmpuint(a->resets, ==, 0);
    turn(f);
    g_assert_cmpuint(a->resets, ==, 1);
    machine_request_powerdown(f->m);
    machine_request_suspend(f->m);
    turn(f);
    g_assert_cmpint(f->m->run_state, ==, RUN_SUSPENDED);
    machine_request_wakeup(f->m);
    turn(f);
    g_assert_true(machine_running(f->m) && clock_running(f->loop));
    machine_request_stop(f->m, RUN_DEBUG);
    turn(f);
    g_assert_cmpint(f->m->run_state, ==, RUN_DEBUG);
    machine_request_shutdown(f->m, CAUSE_GUEST_SHUTDOWN, 3);
    machine_request_shutdown(f->m, CAUSE_HOST_SIGNAL, 0);
    turn(f);
    g_assert_true(f->m->exiting);
    g_assert_cmpint(f->m->exit_code, ==, 3);
    g_assert_cmpstr(log->str, ==,
                    "RESUME(none) RESET(guest-reset) SUSPEND(none) POWERDOWN(none) WAKEUP(none) "
                    "STOP(none) SHUTDOWN(guest-shutdown) ");
    machine_off_event(f->m, note_event, log);
    g_string_free(log, TRUE);
}

static void test_no_reboot(struct fixture *f, gconstpointer data)
{
    (void)data;
    f->m->cfg.no_reboot = f->m->cfg.no_shutdown = true;
    machine_start(f->m);
    machine_request_shutdown(f->m, CAUSE_GUEST_SHUTDOWN, 0);
    turn(f);
    g_assert_false(f->m->exiting);
    g_assert_cmpint(f->m->run_state, ==, RUN_SHUTDOWN);
    machine_request_reset(f->m, CAUSE_GUEST_RESET);
    turn(f);
    g_assert_true(f->m->exiting);
}

struct alarm {
    struct timer timer;
    struct loop *loop;
    unsigned rings, again;
};

static void alarm_rings(void *opaque)
{
    struct alarm *a = opaque;

    a->rings++;
    if (a->again && a->again--)
        timer_mod_ns(&a->timer, clock_ns(a->loop, a->timer.clock));
}

/* What was due when the machine stopped is done, so that its state is that of the time it shows. */
static void test_stop(struct fixture *f, gconstpointer data)
{
    static const enum clock_id clocks[] = { CLK_VIRTUAL, CLK_VIRTUAL_RT };
    struct alarm due[2] = { { .again = 2 } }, late = { .loop = f->loop },
                 endless = { .again = ~0u };

    (void)data;
    machine_start(f->m);
    for (unsigned i = 0; i < G_N_ELEMENTS(clocks); i++) {
        due[i].loop = f->loop;
        timer_init(&due[i].timer, f->loop, clocks[i], alarm_rings, &due[i]);
        timer_mod_ns(&due[i].timer, clock_ns(f->loop, clocks[i]));
    }
    timer_init(&late.timer, f->loop, CLK_VIRTUAL, alarm_rings, &late);
    timer_mod_ns(&late.timer, clock_ns(f->loop, CLK_VIRTUAL) + 3600 * NS_PER_SEC);
    machine_stop(f->m, RUN_PAUSED);
    g_assert_cmpuint(due[0].rings, ==, 3);
    g_assert_cmpuint(due[1].rings, ==, 1);
    g_assert_cmpuint(late.rings, ==, 0);
    timer_del(&late.timer);
    machine_start(f->m);
    endless.loop = f->loop;
    timer_init(&endless.timer, f->loop, CLK_VIRTUAL, alarm_rings, &endless);
    timer_mod_ns(&endless.timer, 0);
    machine_stop(f->m, RUN_PAUSED); /* comes to an end */
    g_assert_cmpuint(endless.rings, >, 1);
    timer_del(&endless.timer);
}

static void test_machine(struct fixture *f, gconstpointer data)
{
    struct machine_config cfg = { .cpus = 9 };
    GError *err = NULL;
    struct machine *m;
    uint8_t a[8], b[8];

    (void)data;
    g_assert_true(machine_set(f->m, "turbo", "on", &err));
    g_assert_true(((struct board *)f->m)->turbo);
    g_assert_false(machine_set(f->m, "trubo", "on", &err));
    g_assert_nonnull(strstr(err->message, "did you mean 'turbo'"));
    g_clear_error(&err);
    m = machine_new(&board_type, f->loop, &cfg);
    g_assert_false(machine_init(m, &err));
    g_assert_nonnull(strstr(err->message, "takes 1 to 4"));
    g_clear_error(&err);
    machine_free(m);
    cfg = (struct machine_config){ .has_seed = true, .seed = 5 };
    m = machine_new(&board_type, f->loop, &cfg);
    machine_random(m, a, sizeof(a));
    machine_free(m);
    cfg = (struct machine_config){ .has_seed = true, .seed = 5 };
    m = machine_new(&board_type, f->loop, &cfg);
    machine_random(m, b, sizeof(b));
    machine_free(m);
    g_assert_cmpmem(a, 8, b, 8);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, fn) g_test_add("/device/" name, struct fixture, NULL, set_up, fn, tear_down)
    ADD("props", test_props);
    ADD("life", test_life);
    ADD("irq", test_irq);
    ADD("snapshot", test_snapshot);
    ADD("requests", test_requests);
    ADD("no-reboot", test_no_reboot);
    ADD("stop", test_stop);
    ADD("machine", test_machine);
    return g_test_run();
}
