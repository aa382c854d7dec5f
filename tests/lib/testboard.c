/* See testboard.h. */
#include "testboard.h"

#include <base/clock.h>
#include <base/error.h>
#include <base/loop.h>
#include <ui/input.h>

static bool board_init(struct machine *m, GError **err)
{
    (void)m, (void)err;
    return true;
}

static const char *const archs[] = { "x86_64", NULL };
static const struct machine_type board_type = {
    .name = "board",
    .archs = archs,
    .default_ram = 1 << 20,
    .max_cpus = 4,
    .size = sizeof(struct machine),
    .init = board_init,
};

struct machine *testboard_new(struct loop **loop)
{
    struct machine_config cfg = { .arch = g_strdup("x86_64"), .ram_size = 1 << 20 };
    GError *err = NULL;
    struct machine *m;

    *loop = loop_new();
    clock_make_explicit(*loop, 0);
    cfg.cpus = cfg.max_cpus = cfg.sockets = cfg.cores = cfg.threads = 1;
    m = machine_new(&board_type, *loop, &cfg);
    m->input = input_new(*loop);
    loop_lock(*loop);
    g_assert_true(machine_init(m, &err));
    return m;
}

void testboard_free(struct machine *m, struct loop *loop)
{
    struct input *input = m->input;

    machine_free(m);
    input_free(input);
    loop_unlock(loop);
    loop_free(loop);
}

struct device *testboard_add(struct machine *m, const char *type, const char *prop, uint64_t value)
{
    struct device *dev = device_new(m, device_type_find("test", type, NULL), type);
    GError *err = NULL;

    if (prop)
        device_set_num(dev, prop, value);
    g_assert_true(device_realize(dev, NULL, &err));
    return dev;
}
