/*
 * Monitors on a machine with nothing but RAM and one fake CPU: a QMP client on a socket, and HMP
 * both through it and on a terminal of its own.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <jansson.h>
#include <base/log.h>
#include <base/loop.h>
#include <chardev/chardev.h>
#include <hw/core/machine.h>
#include <monitor/monitor.h>
#include <monitor/session.h>
#include <target/cpu.h>

enum { RAM_SIZE = 1 << 20 };

static bool bare_init(struct machine *m, GError **err)
{
    (void)err;
    mem_region_add(&m->system, 0x1000, &m->ram);
    return true;
}

static void bare_free(struct machine *m)
{
    mem_region_remove(&m->ram);
}

static const char *const archs[] = { "riscv64", NULL };
static const struct machine_type bare_machine = {
    .name = "bare",
    .help = "for tests",
    .archs = archs,
    .default_ram = RAM_SIZE,
    .max_cpus = 1,
    .size = sizeof(struct machine),
    .init = bare_init,
    .free = bare_free,
};

static const struct cpu_reg fake_rows[] = {
    { .name = "pc", .bits = 64, .number = 0, .group = "general", .gdb_type = "code_ptr" },
    { .name = "a0", .bits = 64, .number = 1, .group = "general", .gdb_type = "int" },
};

static const struct cpu_reg *fake_regs(struct cpu *cpu, unsigned *count)
{
    (void)cpu;
    *count = G_N_ELEMENTS(fake_rows);
    return fake_rows;
}

static bool fake_get_reg(struct cpu *cpu, unsigned i, void *buf)
{
    uint64_t v = i ? 0x1234 : 0x1010;

    (void)cpu;
    memcpy(buf, &v, sizeof(v));
    return true;
}

/* Two pages at 0x1000, memory beyond them; one page, not so wide a hole. */
static bool fake_map(struct cpu *cpu, uint64_t vaddr, enum mem_access access, unsigned mode,
                     bool debug, struct cpu_page *page, struct cpu_fault *fault)
{
    (void)cpu, (void)access, (void)mode, (void)debug, (void)fault;
    page->size_bits = vaddr < 0x10000 ? 12 : __builtin_ctzll(vaddr);
    page->paddr = 0x80000000 + vaddr;
    page->prot = PROT_R | (vaddr == 0x4000 ? PROT_X : PROT_W);
    page->global = vaddr == 0x4000;
    return vaddr == 0x1000 || vaddr == 0x2000 || vaddr == 0x4000;
}

static unsigned fake_data_mode(const struct cpu *cpu)
{
    (void)cpu;
    return 0;
}

static void fake_dump(struct cpu *cpu, GString *out)
{
    (void)cpu;
    g_string_append(out, "pc 1010\n");
}

static const struct cpu_ops fake_ops = {
    .arch = "riscv64",
    .insn_align = 2,
    .regs = fake_regs,
    .get_reg = fake_get_reg,
    .dump = fake_dump,
    .map = fake_map,
    .data_mode = fake_data_mode,
};

struct fixture {
    struct loop *loop;
    struct machine *machine;
    struct chardev_set *chardevs;
    struct monitors *monitors;
    struct cpu *cpu;
    int client;
    GString *input;   /* from the monitor, not yet taken */
    json_t *events;   /* names, in order */
    unsigned clients; /* made so far */
};

static int add_monitor(struct fixture *x, enum monitor_mode mode)
{
    char *arg;
    int pair[2];
    GError *err = NULL;
    struct chardev *chr;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), ==, 0);
    fcntl(pair[1], F_SETFL, O_NONBLOCK);
    arg = g_strdup_printf("socket,id=mon%u,fd=%d", x->clients++, pair[0]);
    chr = chardev_new_from_opts(x->chardevs, arg, &err);
    g_assert_no_error(err);
    g_assert_true(monitors_add(x->monitors, chr, mode, false, &err));
    g_free(arg);
    return pair[1];
}

static void set_up(struct fixture *x, gconstpointer data)
{
    struct machine_config cfg = { .arch = g_strdup("riscv64"), .cpus = 1, .name = g_strdup("box") };
    GError *err = NULL;

    (void)data;
    x->loop = loop_new();
    x->machine = machine_new(&bare_machine, x->loop, &cfg);
    loop_lock(x->loop);
    g_assert_true(machine_init(x->machine, &err));
    x->cpu = g_new0(struct cpu, 1);
    x->cpu->ops = &fake_ops;
    x->cpu->as = &x->machine->memory;
    x->cpu->host_tid = 77;
    g_ptr_array_add(x->machine->cpus, x->cpu);
    x->chardevs = chardev_set_new(x->loop, NULL);
    x->monitors = monitors_new(x->machine, x->chardevs);
    x->client = add_monitor(x, MONITOR_QMP);
    loop_unlock(x->loop);
    x->input = g_string_new("");
    x->events = json_array();
}

static void tear_down(struct fixture *x, gconstpointer data)
{
    (void)data;
    loop_lock(x->loop);
    monitors_free(x->monitors);
    chardev_set_free(x->chardevs);
    g_ptr_array_set_size(x->machine->cpus, 0);
    machine_free(x->machine);
    loop_unlock(x->loop);
    loop_free(x->loop);
    g_free(x->cpu);
    close(x->client);
    g_string_free(x->input, TRUE);
    json_decref(x->events);
}

/* Runs the loop until the client has a whole line; takes it. */
static char *read_line(struct fixture *x)
{
    char buf[4096], *end, *line;

    while (!(end = strstr(x->input->str, "\r\n"))) {
        ssize_t n;

        loop_step(x->loop, false);
        n = read(x->client, buf, sizeof(buf));
        g_assert_cmpint(n, !=, 0);
        if (n > 0)
            g_string_append_len(x->input, buf, n);
    }
    line = g_strndup(x->input->str, end - x->input->str);
    g_string_erase(x->input, 0, end + 2 - x->input->str);
    return line;
}

/* The next answer; events on the way to it are kept. */
static json_t *answer(struct fixture *x)
{
    for (;;) {
        char *line = read_line(x);
        json_error_t error;
        json_t *message = json_loads(line, 0, &error), *name;

        g_assert_nonnull(message);
        g_free(line);
        name = json_object_get(message, "event");
        if (!name)
            return message;
        g_assert_true(json_is_integer(
            json_object_get(json_object_get(message, "timestamp"), "microseconds")));
        json_array_append(x->events, name);
        json_decref(message);
    }
}

static void put(struct fixture *x, const void *bytes, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = write(x->client, (const char *)bytes + done, len - done);

        if (n > 0)
            done += n;
        else
            loop_step(x->loop, false);
    }
}

static json_t *ask(struct fixture *x, const char *text)
{
    put(x, text, strlen(text));
    return answer(x);
}

static void negotiate(struct fixture *x)
{
    json_t *hello = answer(x);

    g_assert_nonnull(json_object_get(hello, "QMP"));
    json_decref(hello);
    json_decref(ask(x, "{\"execute\":\"qmp_capabilities\"}"));
}

/* @text asks for something that fails with @class and a description that contains @part. */
static void expect_error(struct fixture *x, const char *text, const char *class, const char *part)
{
    json_t *message = ask(x, text), *error = json_object_get(message, "error");

    g_assert_cmpstr(json_string_value(json_object_get(error, "class")), ==, class);
    if (!strstr(json_string_value(json_object_get(error, "desc")), part))
        g_error("'%s' is not in '%s'", part, json_string_value(json_object_get(error, "desc")));
    json_decref(message);
}

/* The member at a dotted path of what @command returns, as JSON text; to be freed. */
static char *returned(struct fixture *x, const char *command, const char *path)
{
    char *text = g_strdup_printf("{\"execute\":\"%s\"}", command), *dump;
    json_t *message = ask(x, text), *v = json_object_get(message, "return");
    char **parts = g_strsplit(path, ".", -1);

    g_assert_nonnull(v);
    for (char **p = parts; *p && **p; p++)
        v = json_is_array(v) ? json_array_get(v, strtoul(*p, NULL, 10)) : json_object_get(v, *p);
    dump = v ? json_dumps(v, JSON_ENCODE_ANY) : g_strdup("(none)");
    json_decref(message);
    g_strfreev(parts);
    g_free(text);
    return dump;
}

#define ASSERT_RETURNS(x, command, path, expected) \
    do {                                           \
        char *got_ = returned(x, command, path);   \
        g_assert_cmpstr(got_, ==, expected);       \
        free(got_);                                \
    } while (0)

static void test_negotiation(struct fixture *x, gconstpointer data)
{
    json_t *hello = answer(x), *message;

    (void)data;
    message = json_object_get(json_object_get(hello, "QMP"), "version");
    g_assert_true(json_is_integer(json_object_get(json_object_get(message, "qemu"), "major")));
    g_assert_cmpuint(
        json_array_size(json_object_get(json_object_get(hello, "QMP"), "capabilities")), ==, 0);
    json_decref(hello);
    expect_error(x, "{\"execute\":\"query-version\"}", "CommandNotFound", "qmp_capabilities");
    expect_error(x, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}",
                 "GenericError", "oob");
    json_decref(ask(x, "{\"execute\":\"qmp_capabilities\"}"));
    expect_error(x, "{\"execute\":\"qmp_capabilities\"}", "CommandNotFound", "already complete");
    expect_error(x, "{\"exec-oob\":\"query-version\"}", "GenericError", "'exec-oob' is unexpected");
    message = ask(x, "{'execute':'query-name','id':{'a':[1,\"it's\"]}}");
    g_assert_cmpstr(
        json_string_value(json_array_get(json_object_get(json_object_get(message, "id"), "a"), 1)),
        ==, "it's");
    json_decref(message);
}

static void test_errors(struct fixture *x, gconstpointer data)
{
    static const struct {
        const char *text, *class, *part;
    } cases[] = {
        { "{\"execute\":\"nosuch\"}", "CommandNotFound", "The command nosuch has not been found" },
        { "{\"execute\":5}", "GenericError", "'execute' must be a string" },
        { "{\"execute\":\"stop\",\"x\":1}", "GenericError", "QMP input member 'x' is unexpected" },
        { "{\"execute\":\"stop\",\"arguments\":{\"x\":1}}", "GenericError",
          "Parameter 'x' is unexpected" },
        { "{\"execute\":\"stop\",\"arguments\":1}", "GenericError", "must be an object" },
        { "{\"execute\":\"human-monitor-command\"}", "GenericError",
          "Parameter 'command-line' is missing" },
        { "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":1}}",
          "GenericError", "Invalid parameter type for 'command-line', expected: string" },
        { "{\"execute\":\"chardev-add\",\"arguments\":{\"id\":\"a\",\"backend\":{\"type\":1}}}",
          "GenericError", "'backend.type', expected: string" },
        { "{\"execute\":\"chardev-remove\",\"arguments\":{\"id\":\"mon0\"}}", "GenericError",
          "busy" },
        { "{\"execute\":\"device-list-properties\",\"arguments\":{\"typename\":\"nosuch\"}}",
          "DeviceNotFound", "'nosuch' not found" },
        { "{}", "GenericError", "lacks member 'execute'" },
        { "[1]", "GenericError", "must be a JSON object" },
        { "5 ", "GenericError", "must be a JSON object" },
        { "nonsense\n", "GenericError", "invalid keyword 'nonsense'" },
        { "}\n", "GenericError", "expecting value" },
        { "{]\n", "GenericError", "JSON parse error" },
        { "{\"a\":1,\"a\":2}", "GenericError", "duplicate key" },
        { "{\"a\n\n", "GenericError", "JSON parse error" },
        { "{\"execute\":\"\xc3\x28\"}", "GenericError", "JSON parse error" },
    };

    (void)data;
    negotiate(x);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        expect_error(x, cases[i].text, cases[i].class, cases[i].part);
    ASSERT_RETURNS(x, "query-name", "name", "\"box\"");
}

static void test_limits(struct fixture *x, gconstpointer data)
{
    enum { BIG = 17 * 1024 * 1024 };
    char *text = g_malloc(BIG);

    (void)data;
    negotiate(x);
    memset(text, '[', 4000);
    text[4000] = '\n';
    put(x, text, 4001);
    expect_error(x, "", "GenericError", "nesting depth limit");
    memset(text, 'x', BIG);
    memcpy(text, "{\"", 2);
    text[BIG - 1] = '\n';
    put(x, text, BIG);
    expect_error(x, "", "GenericError", "size limit");
    g_free(text);
    put(x, "{\"execute\":\"\xff", 13);
    ASSERT_RETURNS(x, "query-name", "name", "\"box\"");
}

/* Any bytes at all: answered or ignored, and afterwards the session works as before. */
static void test_garbage(struct fixture *x, gconstpointer data)
{
    static const char last[] = "\xff\n\n\xff{\"execute\":\"query-name\",\"id\":\"last\"}";
    static const char *const tokens[] = { "{",
                                          "}",
                                          "[",
                                          "]",
                                          ":",
                                          ",",
                                          "\"",
                                          "'",
                                          "\\",
                                          "\n",
                                          "1e9",
                                          "\"execute\"",
                                          "\"query-status\"",
                                          "\"arguments\"",
                                          "\"id\"",
                                          "null",
                                          "true",
                                          "-",
                                          "\xff",
                                          "\x80" };
    guint32 seed = g_test_rand_int();
    GRand *rand = g_rand_new_with_seed(seed);

    (void)data;
    g_test_message("seed %u", seed);
    negotiate(x);
    for (int round = 0; round < 2000; round++) {
        char byte = g_rand_int(rand);

        if (g_rand_int_range(rand, 0, 4)) {
            const char *t = tokens[g_rand_int_range(rand, 0, G_N_ELEMENTS(tokens))];

            put(x, t, strlen(t));
        } else {
            put(x, &byte, 1);
        }
        if (round % 100 == 0) {
            char buf[65536];

            loop_step(x->loop, false);
            while (read(x->client, buf, sizeof(buf)) > 0)
                ;
        }
    }
    g_rand_free(rand);
    put(x, last, sizeof(last) - 1);
    for (bool found = false; !found;) {
        char *line = read_line(x);

        found = strstr(line, "\"last\"") != NULL;
        g_free(line);
    }
}

static void test_run_state(struct fixture *x, gconstpointer data)
{
    static const char *const expected[] = { "RESUME", "STOP", "POWERDOWN", "RESET", "SHUTDOWN" };

    (void)data;
    negotiate(x);
    ASSERT_RETURNS(x, "query-status", "status", "\"prelaunch\"");
    json_decref(ask(x, "{\"execute\":\"cont\"}"));
    ASSERT_RETURNS(x, "query-status", "",
                   "{\"status\": \"running\", \"singlestep\": false, "
                   "\"running\": true}");
    json_decref(ask(x, "{\"execute\":\"stop\"}"));
    json_decref(ask(x, "{\"execute\":\"stop\"}"));
    ASSERT_RETURNS(x, "query-status", "status", "\"paused\"");
    json_decref(ask(x, "{\"execute\":\"system_powerdown\"}"));
    json_decref(ask(x, "{\"execute\":\"query-name\"}"));
    json_decref(ask(x, "{\"execute\":\"system_reset\"}"));
    json_decref(ask(x, "{\"execute\":\"query-name\"}"));
    json_decref(ask(x, "{\"execute\":\"quit\"}"));
    json_decref(ask(x, "{\"execute\":\"query-name\"}"));
    g_assert_true(x->machine->exiting);
    g_assert_cmpuint(json_array_size(x->events), ==, G_N_ELEMENTS(expected));
    for (unsigned i = 0; i < G_N_ELEMENTS(expected); i++)
        g_assert_cmpstr(json_string_value(json_array_get(x->events, i)), ==, expected[i]);
}

static void test_queries(struct fixture *x, gconstpointer data)
{
    (void)data;
    negotiate(x);
    ASSERT_RETURNS(x, "query-uuid", "UUID", "\"00000000-0000-0000-0000-000000000000\"");
    ASSERT_RETURNS(x, "query-target", "arch", "\"riscv64\"");
    ASSERT_RETURNS(x, "query-cpus-fast", "0.thread-id", "77");
    ASSERT_RETURNS(x, "query-cpus-fast", "0.target", "\"riscv64\"");
    ASSERT_RETURNS(x, "query-chardev", "0.label", "\"mon0\"");
    ASSERT_RETURNS(x, "query-chardev", "0.frontend-open", "true");
    ASSERT_RETURNS(x, "query-memory-size-summary", "base-memory", "1048576");
    ASSERT_RETURNS(x, "query-kvm", "enabled", "false");
    json_decref(ask(x, "{\"execute\":\"chardev-add\",\"arguments\":{\"id\":\"r\",\"backend\":"
                       "{\"type\":\"ringbuf\",\"data\":{\"size\":16}}}}"));
    ASSERT_RETURNS(x, "query-chardev", "1.filename", "\"ringbuf\"");
    json_decref(ask(x, "{\"execute\":\"chardev-remove\",\"arguments\":{\"id\":\"r\"}}"));
    ASSERT_RETURNS(x, "query-chardev", "1.filename", "(none)");
}

static void test_objects(struct fixture *x, gconstpointer data)
{
    json_t *message;

    (void)data;
    negotiate(x);
    message = ask(x, "{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"/machine\","
                     "\"property\":\"type\"}}");
    g_assert_cmpstr(json_string_value(json_object_get(message, "return")), ==, "bare-machine");
    json_decref(message);
    message = ask(x, "{\"execute\":\"qom-list\",\"arguments\":{\"path\":\"/machine/peripheral\"}}");
    g_assert_cmpuint(json_array_size(json_object_get(message, "return")), ==, 1);
    json_decref(message);
    expect_error(x, "{\"execute\":\"qom-list\",\"arguments\":{\"path\":\"/nosuch\"}}",
                 "DeviceNotFound", "/nosuch");
    expect_error(x, "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"nosuch\",\"x\":1}}",
                 "GenericError", "nosuch");
    expect_error(x, "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"nosuch\"}}",
                 "DeviceNotFound", "nosuch");
}

/* Every type that the schema names is in it, once, and so is every command. */
static void test_schema(struct fixture *x, gconstpointer data)
{
    json_t *schema, *commands, *row;
    GHashTable *names = g_hash_table_new(g_str_hash, g_str_equal);
    static const char *const references[] = { "arg-type", "ret-type", "element-type" };
    size_t i, k;

    (void)data;
    negotiate(x);
    schema = ask(x, "{\"execute\":\"query-qmp-schema\"}");
    commands = ask(x, "{\"execute\":\"query-commands\"}");
    json_array_foreach(json_object_get(schema, "return"), i, row) g_assert_true(
        g_hash_table_add(names, (char *)json_string_value(json_object_get(row, "name"))));
    json_array_foreach(json_object_get(schema, "return"), i, row)
    {
        json_t *member;

        for (k = 0; k < G_N_ELEMENTS(references); k++) {
            const char *name = json_string_value(json_object_get(row, references[k]));

            g_assert_true(!name || g_hash_table_contains(names, name));
        }
        json_array_foreach(json_object_get(row, "members"), k, member)
        {
            const char *type = json_string_value(json_object_get(member, "type"));

            g_assert_true(!type || g_hash_table_contains(names, type));
        }
    }
    json_array_foreach(json_object_get(commands, "return"), i, row) g_assert_true(
        g_hash_table_contains(names, json_string_value(json_object_get(row, "name"))));
    g_assert_cmpuint(i, >, 20);
    g_hash_table_unref(names);
    json_decref(schema);
    json_decref(commands);
}

static void test_hmp(struct fixture *x, gconstpointer data)
{
    static const struct {
        const char *line, *out;
    } cases[] = {
        { "", "" },
        { "info name", "box\n" },
        { "info status", "VM status: paused (prelaunch)\n" },
        { "nosuch", "unknown command: 'nosuch'\n" },
        { "info nosuch", "unknown command: 'info nosuch'\n" },
        { "p 5*3", "0xf\n" },
        { "p/d 2+3*4-(1<<2)", "10\n" },
        { "print/d -5", "-5\n" },
        { "p/u -1", "18446744073709551615\n" },
        { "p/o 65", "0101\n" },
        { "p/c 65", "'A'\n" },
        { "p 7%4|8", "0xb\n" },
        { "p $a0+1", "0x1235\n" },
        { "p $zz", "unknown register\nTry \"help print\" for more information\n" },
        { "p 1/0", "division by zero\nTry \"help print\" for more information\n" },
        { "p (1", "')' expected\nTry \"help print\" for more information\n" },
        { "p", "unexpected end of expression\nTry \"help print\" for more information\n" },
        { "x/y 0", "invalid char in format: 'y'\nTry \"help x\" for more information\n" },
        { "stop now", "stop|s: extraneous characters at the end of line\n"
                      "Try \"help stop\" for more information\n" },
        { "info mtree -z", "info mtree: unsupported option -z\n"
                           "Try \"help info mtree\" for more information\n" },
        { "xp/2xw 0x1010", "0000000000001010: 0x33221100 0x77665544\n" },
        { "xp/xg $pc", "0000000000001010: 0x7766554433221100\n" },
        { "xp/3ub 0x1010", "0000000000001010:   0  17  34\n" },
        { "xp/2dh 0x1016", "0000000000001016:  30566      0\n" },
        { "xp/2c 0x1014", "0000000000001014: 'D' 'U'\n" },
        { "xp/2xw 0xffffffff0000", "0000ffffffff0000: Cannot access memory\n" },
        { "info registers", "\nCPU#0\npc 1010\n" },
        { "info registers 3", "CPU#3 not available\n" },
        { "cpu 1", "invalid CPU index\n" },
        { "info mem", "vaddr            paddr            size             attr\n"
                      "---------------- ---------------- ---------------- ----\n"
                      "0000000000001000 0000000080001000 0000000000002000 rw--\n"
                      "0000000000004000 0000000080004000 0000000000001000 r-xg\n" },
        { "info cpus", "* CPU #0: thread_id=77\n" },
        { "help stop", "stop|s  -- stop emulation\n" },
        { "ringbuf_read mon0 3", "mon0 is not a ringbuf device\n" },
        { "chardev-remove nosuch", "Error: Chardev 'nosuch' not found\n" },
        { "chardev-remove mon1", "Error: Chardev 'mon1' not found; did you mean 'mon0'?\n" },
    };
    static const uint8_t bytes[] = { 0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77 };

    (void)data;
    loop_lock(x->loop);
    space_write(&x->machine->memory, 0x1010, bytes, sizeof(bytes), 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *out = monitors_run_hmp(x->monitors, cases[i].line);

        g_assert_cmpstr(out, ==, cases[i].out);
        g_free(out);
    }
    loop_unlock(x->loop);
}

static void test_hmp_log(struct fixture *x, gconstpointer data)
{
    char *out;

    (void)data;
    out = monitors_run_hmp(x->monitors, "log int,guest_errors");
    g_assert_cmpstr(out, ==, "");
    g_assert_cmpuint(log_mask, ==, LOG_INT | LOG_GUEST);
    g_free(out);
    g_free(monitors_run_hmp(x->monitors, "log none"));
    g_assert_cmpuint(log_mask, ==, 0);
    out = monitors_run_hmp(x->monitors, "log guest_eror");
    g_assert_nonnull(strstr(out, "guest_errors"));
    g_free(out);
}

/* What a user sees after typing @keys; waits for the @part that comes last. */
static void type(struct fixture *x, const char *keys, const char *part)
{
    put(x, keys, strlen(keys));
    g_string_truncate(x->input, 0);
    while (!strstr(x->input->str, part)) {
        char buf[4096];
        ssize_t n;

        loop_step(x->loop, false);
        n = read(x->client, buf, sizeof(buf));
        if (n > 0)
            g_string_append_len(x->input, buf, n);
    }
}

static void test_editing(struct fixture *x, gconstpointer data)
{
    (void)data;
    close(x->client);
    loop_lock(x->loop);
    x->client = add_monitor(x, MONITOR_HMP);
    loop_unlock(x->loop);
    type(x, "", "monitor - type 'help' for more information\r\n(qemu) ");
    type(x, "p 5\r", "\r\n0x5\r\n(qemu) ");
    type(x,
         "\033[A\177"
         "6\r",
         "\r\n0x6\r\n(qemu) "); /* up, backspace */
    type(x,
         "5\001p \005"
         "7\r",
         "\r\n0x39\r\n(qemu) ");                               /* home, end */
    type(x, "p 123\002\033[D\033[3~\r", "\r\n0xd\r\n(qemu) "); /* left, left, delete */
    type(x, "junk junk\027\027p 9\r", "\r\n0x9\r\n(qemu) ");   /* words */
    type(x, "junk\025info na\t\r", "\r\nbox\r\n(qemu) ");      /* completion */
    type(x, "info u\t\r", "0000\r\n(qemu) ");
    type(x, "chardev-remove mo\t\t", "mon1");
    type(x, "\003\020\020\020\016\016\020\r", "\r\nbox\r\n(qemu) "); /* history */
    type(x, "p 3\033[99;99;99z\033\r\r", "\r\n0x3\r\n(qemu) ");
}

/* ---- clients that are slow to read ---- */

static void happen(struct fixture *x, const char *name, json_t *data)
{
    loop_lock(x->loop);
    monitors_event(x->monitors, name, data);
    loop_unlock(x->loop);
}

static void happen_resets(struct fixture *x, unsigned n)
{
    while (n--)
        happen(x, "RESET", json_pack("{s:b, s:s}", "guest", 1, "reason", "guest-reset"));
}

static json_t *next_message(struct fixture *x)
{
    g_autofree char *line = read_line(x);
    json_t *message = json_loads(line, 0, NULL);

    g_assert_nonnull(message);
    return message;
}

static double when(const json_t *event)
{
    const json_t *t = json_object_get(event, "timestamp");

    return (double)json_integer_value(json_object_get(t, "seconds")) +
           (double)json_integer_value(json_object_get(t, "microseconds")) / 1e6;
}

/* Events in order up to @last, taken as @tag of their data, else their name. Their times rise. */
static char *events_until(struct fixture *x, const char *tag, const char *last, unsigned *total)
{
    GString *order = g_string_new("");
    double before = 0;

    for (*total = 0;; ++*total) {
        json_t *e = next_message(x);
        const char *name = json_string_value(json_object_get(e, "event"));
        const char *part = json_string_value(json_object_get(json_object_get(e, "data"), tag));
        bool end = !strcmp(name, last);

        g_assert_cmpfloat(when(e), >=, before);
        before = when(e);
        if (strcmp(name, "RESET"))
            g_string_append_printf(order, "%s ", part ? part : name);
        json_decref(e);
        if (end)
            return g_string_free(order, FALSE);
    }
}

/* Who sleeps while a guest resets itself without end finds all else that happened, in order. */
static void test_sleeper(struct fixture *x, gconstpointer data)
{
    static const char *const names[] = { "RESUME", "STOP", "RESUME", "STOP", "SHUTDOWN" };
    char *order;
    unsigned total;

    (void)data;
    negotiate(x);
    happen(x, "SUSPEND", NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        happen_resets(x, 20000);
        happen(x, names[i], NULL);
    }
    order = events_until(x, "", "SHUTDOWN", &total);
    g_assert_cmpstr(order, ==, "SUSPEND RESUME STOP SHUTDOWN ");
    g_assert_cmpuint(total, <, 10000);
    g_free(order);
}

/* Events that differ without end push out the oldest of their kind, and no others. */
static void test_many_different(struct fixture *x, gconstpointer data)
{
    enum { MANY = 20000 };
    char *order, *last = g_strdup_printf(" dev%u STOP ", MANY - 1);
    unsigned total;

    (void)data;
    negotiate(x);
    happen_resets(x, 20000);
    happen(x, "WAKEUP", NULL);
    for (unsigned i = 0; i < MANY; i++) {
        g_autofree char *id = g_strdup_printf("dev%u", i);

        happen(x, "DEVICE_DELETED", json_pack("{s:s, s:s}", "path", "/", "device", id));
    }
    happen(x, "STOP", NULL);
    order = events_until(x, "device", "STOP", &total);
    g_assert_true(g_str_has_prefix(order, "WAKEUP dev"));
    g_assert_true(g_str_has_suffix(order, last));
    g_assert_cmpuint(total, <, 10000);
    g_free(order);
    g_free(last);
}

/* Resets come ten times as fast as they are read: answers do not wait for the last of them. */
static void test_flood(struct fixture *x, gconstpointer data)
{
    static const char *const commands[] = { "stop", "query-status", "cont" };

    (void)data;
    negotiate(x);
    happen_resets(x, 20000);
    for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autofree char *text = g_strdup_printf("{\"execute\":\"%s\"}", commands[i]);
        bool answered = false;

        put(x, text, strlen(text));
        for (unsigned lines = 0; !answered; lines++) {
            json_t *message = next_message(x);

            happen_resets(x, 10);
            answered = json_object_get(message, "return") != NULL;
            json_decref(message);
            g_assert_cmpuint(lines, <, 20000);
        }
    }
}

/* The event of a command still comes before its answer. */
static void test_order(struct fixture *x, gconstpointer data)
{
    bool resumed = false, answered = false;

    (void)data;
    negotiate(x);
    happen_resets(x, 20000);
    put(x, "{\"execute\":\"cont\"}", 18);
    while (!answered) {
        json_t *message = next_message(x);
        const char *name = json_string_value(json_object_get(message, "event"));

        resumed |= name && !strcmp(name, "RESUME");
        answered = json_object_get(message, "return") != NULL;
        json_decref(message);
    }
    g_assert_true(resumed);
}

static bool has_chardev(struct fixture *x, const char *id)
{
    bool found;

    loop_lock(x->loop);
    found = chardev_find(x->chardevs, id, NULL) != NULL;
    loop_unlock(x->loop);
    return found;
}

static void step_often(struct fixture *x)
{
    for (unsigned i = 0; i < 500; i++)
        loop_step(x->loop, false);
}

/* Commands with long answers, as many as come in one piece, and one that leaves a trace. */
static void ask_much(struct fixture *x, const char *much, unsigned n, const char *last)
{
    g_autoptr(GString) all = g_string_new("");

    for (unsigned i = 0; i < n; i++)
        g_string_append(all, much);
    g_string_append(all, last);
    g_assert_cmpuint(all->len, <, 4096);
    put(x, all->str, all->len);
    step_often(x);
}

/* Who asks and does not read is not served until it has read; then all is answered. */
static void test_deaf(struct fixture *x, gconstpointer data)
{
    enum { N = 80 };

    (void)data;
    negotiate(x);
    ask_much(x, "{\"execute\":\"query-qmp-schema\"}\n", N,
             "{\"execute\":\"chardev-add\",\"arguments\":"
             "{\"id\":\"r\",\"backend\":{\"type\":\"null\",\"data\":{}}}}\n");
    g_assert_false(has_chardev(x, "r"));
    for (unsigned i = 0; i <= N; i++) {
        json_t *message = answer(x);

        g_assert_nonnull(json_object_get(message, "return"));
        json_decref(message);
    }
    g_assert_true(has_chardev(x, "r"));
}

static void test_deaf_hmp(struct fixture *x, gconstpointer data)
{
    (void)data;
    close(x->client);
    loop_lock(x->loop);
    x->client = add_monitor(x, MONITOR_HMP);
    loop_unlock(x->loop);
    ask_much(x, "help\r", 100, "chardev-add null,id=r\r");
    g_assert_false(has_chardev(x, "r"));
    type(x, "p 0x123\r", "\r\n0x123\r\n(qemu) ");
    g_assert_true(has_chardev(x, "r"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(name) g_test_add("/monitor/" #name, struct fixture, NULL, set_up, test_##name, tear_down)
    T(negotiation);
    T(errors);
    T(limits);
    T(garbage);
    T(run_state);
    T(queries);
    T(objects);
    T(schema);
    T(hmp);
    T(hmp_log);
    T(editing);
    T(sleeper);
    T(many_different);
    T(flood);
    T(order);
    T(deaf);
    T(deaf_hmp);
    return g_test_run();
}
