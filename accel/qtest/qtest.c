/* The qtest protocol; see qtest/qtest.h. */
#include <qtest/qtest.h>

#include <inttypes.h>
#include <string.h>
#include <accel/accel.h>
#include <base/bits.h>
#include <base/clock.h>
#include <base/error.h>
#include <base/option.h>

/* Ceilings of one transfer, and so of a line (hex takes two characters a byte). */
#define TRANSFER_MAX  (16u << 20)
#define LINE_MAX_LEN  (2 * TRANSFER_MAX + 256)
#define WORDS_MAX     6
/* While as much waits to be read, nothing more is taken. */
#define HOLD_INPUT_AT (1u << 20)

struct qtest {
    struct machine *machine;
    struct chardev_fe fe;
    GString *in, *out;
    bool skipping; /* the line is too long: to its end */
};

struct command {
    const char *name;
    unsigned args; /* least number of words behind the name */
    void (*run)(struct qtest *q, char **arg, unsigned n);
};

static void flush(struct qtest *q)
{
    size_t n = chardev_fe_write(&q->fe, q->out->str, q->out->len);

    g_string_erase(q->out, 0, (gssize)n);
}

static void reply(struct qtest *q, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
static void reply(struct qtest *q, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_string_append_vprintf(q->out, fmt, ap);
    va_end(ap);
    g_string_append_c(q->out, '\n');
    flush(q);
}

static void fail(struct qtest *q, GError *err)
{
    reply(q, "FAIL %s", err->message);
    g_error_free(err);
}

static bool number(struct qtest *q, const char *text, uint64_t max, uint64_t *v)
{
    GError *err = NULL;

    if (option_u64("qtest", text, 0, max, v, &err))
        return true;
    fail(q, err);
    return false;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void run_load(struct qtest *q, struct address_space *as, unsigned size, const char *addr)
{
    uint64_t a, v = 0;

    if (!number(q, addr, UINT64_MAX, &a))
        return;
    space_load(as, a, size, &v, 0);
    reply(q, "OK 0x%016" PRIx64, v);
}

static void run_store(struct qtest *q, struct address_space *as, unsigned size, char **arg)
{
    uint64_t a, v;

    if (!number(q, arg[0], UINT64_MAX, &a) || !number(q, arg[1], UINT64_MAX, &v))
        return;
    space_store(as, a, size, v & mask64(size * 8), 0);
    reply(q, "OK");
}

#define MEMORY(letter, size)                                               \
    static void run_read##letter(struct qtest *q, char **arg, unsigned n)  \
    {                                                                      \
        (void)n;                                                           \
        run_load(q, &q->machine->memory, size, arg[0]);                    \
    }                                                                      \
    static void run_write##letter(struct qtest *q, char **arg, unsigned n) \
    {                                                                      \
        (void)n;                                                           \
        run_store(q, &q->machine->memory, size, arg);                      \
    }                                                                      \
    static void run_in##letter(struct qtest *q, char **arg, unsigned n)    \
    {                                                                      \
        (void)n;                                                           \
        run_load(q, &q->machine->ports, size, arg[0]);                     \
    }                                                                      \
    static void run_out##letter(struct qtest *q, char **arg, unsigned n)   \
    {                                                                      \
        (void)n;                                                           \
        run_store(q, &q->machine->ports, size, arg);                       \
    }

MEMORY(b, 1)
MEMORY(w, 2)
MEMORY(l, 4)

static void run_readq(struct qtest *q, char **arg, unsigned n)
{
    (void)n;
    run_load(q, &q->machine->memory, 8, arg[0]);
}

static void run_writeq(struct qtest *q, char **arg, unsigned n)
{
    (void)n;
    run_store(q, &q->machine->memory, 8, arg);
}

/* A buffer read from guest memory; NULL after a reply of failure. */
static uint8_t *fetch(struct qtest *q, char **arg, uint64_t *len)
{
    uint64_t addr;
    uint8_t *buf;

    if (!number(q, arg[0], UINT64_MAX, &addr) || !number(q, arg[1], TRANSFER_MAX, len))
        return NULL;
    buf = g_malloc0(*len + 1);
    space_read(&q->machine->memory, addr, buf, *len, 0);
    return buf;
}

static void run_read(struct qtest *q, char **arg, unsigned n)
{
    uint64_t len;
    uint8_t *buf = fetch(q, arg, &len);

    (void)n;
    if (!buf)
        return;
    g_string_append(q->out, "OK 0x");
    for (uint64_t i = 0; i < len; i++)
        g_string_append_printf(q->out, "%02x", buf[i]);
    reply(q, "%s", "");
    g_free(buf);
}

static void run_b64read(struct qtest *q, char **arg, unsigned n)
{
    uint64_t len;
    uint8_t *buf = fetch(q, arg, &len);
    char *text;

    (void)n;
    if (!buf)
        return;
    text = g_base64_encode(buf, len);
    reply(q, "OK %s", text);
    g_free(text);
    g_free(buf);
}

static void run_write(struct qtest *q, char **arg, unsigned n)
{
    const char *hex = arg[2];
    uint64_t addr, len;
    uint8_t *buf;

    (void)n;
    if (!number(q, arg[0], UINT64_MAX, &addr) || !number(q, arg[1], TRANSFER_MAX, &len))
        return;
    if (strncmp(hex, "0x", 2) != 0 || strlen(hex + 2) < 2 * len) {
        reply(q, "FAIL qtest: the data is shorter than the size says");
        return;
    }
    hex += 2;
    buf = g_malloc(len + 1);
    for (uint64_t i = 0; i < len; i++)
        buf[i] = (uint8_t)(g_ascii_xdigit_value(hex[2 * i]) << 4 |
                           (g_ascii_xdigit_value(hex[2 * i + 1]) & 15));
    space_write(&q->machine->memory, addr, buf, len, 0);
    g_free(buf);
    reply(q, "OK");
}

static void run_b64write(struct qtest *q, char **arg, unsigned n)
{
    uint64_t addr, len;
    gsize got;
    guchar *data;

    (void)n;
    if (!number(q, arg[0], UINT64_MAX, &addr) || !number(q, arg[1], TRANSFER_MAX, &len))
        return;
    data = g_base64_decode(arg[2], &got);
    space_write(&q->machine->memory, addr, data, MIN(len, got), 0);
    g_free(data);
    reply(q, "OK");
}

static void run_memset(struct qtest *q, char **arg, unsigned n)
{
    uint64_t addr, len, v;

    (void)n;
    if (!number(q, arg[0], UINT64_MAX, &addr) || !number(q, arg[1], TRANSFER_MAX, &len) ||
        !number(q, arg[2], UINT64_MAX, &v))
        return;
    space_set(&q->machine->memory, addr, (uint8_t)v, len, 0);
    reply(q, "OK");
}

static void run_endianness(struct qtest *q, char **arg, unsigned n)
{
    (void)arg, (void)n;
    reply(q, "OK little");
}

/* ---- clock ----------------------------------------------------------------------------------- */

static void clock_reply(struct qtest *q)
{
    reply(q, "OK %" PRId64, clock_ns(q->machine->loop, CLK_VIRTUAL));
}

static bool explicit_clock(struct qtest *q)
{
    if (clock_is_explicit(q->machine->loop))
        return true;
    reply(q, "FAIL the clock runs by itself; -accel qtest stops it");
    return false;
}

/* Without an argument: to the next timer. */
static void run_clock_step(struct qtest *q, char **arg, unsigned n)
{
    struct loop *loop = q->machine->loop;
    int64_t now = clock_ns(loop, CLK_VIRTUAL), next = clock_deadline(loop, CLK_VIRTUAL);
    uint64_t step = next == INT64_MAX || next < now ? 0 : (uint64_t)(next - now);

    if (n && !number(q, arg[0], INT64_MAX - (uint64_t)now, &step))
        return;
    if (!explicit_clock(q))
        return;
    clock_advance(loop, (int64_t)step);
    clock_reply(q);
}

static void run_clock_set(struct qtest *q, char **arg, unsigned n)
{
    uint64_t v;

    (void)n;
    if (!number(q, arg[0], INT64_MAX, &v) || !explicit_clock(q))
        return;
    clock_set_virtual(q->machine->loop, (int64_t)v);
    clock_reply(q);
}

/* ---- interrupts ------------------------------------------------------------------------------ */

static void irq_seen(void *opaque, unsigned n, bool level)
{
    reply(opaque, "IRQ %s %u", level ? "raise" : "lower", n);
}

static struct device *find_device(struct qtest *q, const char *path)
{
    struct device *dev = device_find(q->machine, path);

    if (!dev)
        reply(q, "FAIL Unknown device '%s'", path);
    return dev;
}

static void intercept(struct qtest *q, bool outs, char **arg, unsigned n)
{
    struct device *dev = find_device(q, arg[0]);

    if (!dev)
        return;
    if (device_tap_irqs(dev, outs, n > 1 ? arg[1] : NULL, irq_seen, q))
        reply(q, "OK");
    else
        reply(q, "FAIL '%s' has no such lines, or they are intercepted already", arg[0]);
}

static void run_irq_intercept_in(struct qtest *q, char **arg, unsigned n)
{
    intercept(q, false, arg, n);
}

static void run_irq_intercept_out(struct qtest *q, char **arg, unsigned n)
{
    intercept(q, true, arg, n);
}

/* set_irq_in PATH NAME NUMBER LEVEL; the unnamed group is "unnamed-gpio-in". */
static void run_set_irq_in(struct qtest *q, char **arg, unsigned n)
{
    struct device *dev = find_device(q, arg[0]);
    const char *name = strcmp(arg[1], "unnamed-gpio-in") == 0 ? NULL : arg[1];
    uint64_t line, level;
    struct irq_line in;

    (void)n;
    if (!dev || !number(q, arg[2], UINT32_MAX, &line) || !number(q, arg[3], UINT32_MAX, &level))
        return;
    if (!device_has_irq_in(dev, name, (unsigned)line)) {
        reply(q, "FAIL '%s' has no line '%s' %s", arg[0], arg[1], arg[2]);
        return;
    }
    in = device_irq_in_named(dev, name, (unsigned)line);
    irq_set(&in, level != 0);
    reply(q, "OK");
}

/* ---- state ----------------------------------------------------------------------------------- */

static void run_savestate(struct qtest *q, char **arg, unsigned n)
{
    GByteArray *state = g_byte_array_new();
    bool was = machine_running(q->machine);
    char *text;

    (void)arg, (void)n;
    machine_stop(q->machine, RUN_SAVE_VM);
    machine_save(q->machine, state);
    if (was)
        machine_start(q->machine);
    text = g_base64_encode(state->data, state->len);
    reply(q, "OK %s", text);
    g_free(text);
    g_byte_array_free(state, TRUE);
}

static void run_loadstate(struct qtest *q, char **arg, unsigned n)
{
    bool was = machine_running(q->machine);
    GError *err = NULL;
    gsize len;
    guchar *data = g_base64_decode(arg[0], &len);

    (void)n;
    machine_stop(q->machine, RUN_RESTORE_VM);
    if (machine_load(q->machine, data, len, &err))
        reply(q, "OK");
    else
        fail(q, err);
    if (was)
        machine_start(q->machine);
    g_free(data);
}

static void run_reset(struct qtest *q, char **arg, unsigned n)
{
    (void)arg, (void)n;
    machine_reset(q->machine, CAUSE_HOST_QMP_SYSTEM_RESET);
    reply(q, "OK");
}

/* ---- lines ----------------------------------------------------------------------------------- */

static const struct command commands[] = {
    { "readb", 1, run_readb },
    { "readw", 1, run_readw },
    { "readl", 1, run_readl },
    { "readq", 1, run_readq },
    { "writeb", 2, run_writeb },
    { "writew", 2, run_writew },
    { "writel", 2, run_writel },
    { "writeq", 2, run_writeq },
    { "inb", 1, run_inb },
    { "inw", 1, run_inw },
    { "inl", 1, run_inl },
    { "outb", 2, run_outb },
    { "outw", 2, run_outw },
    { "outl", 2, run_outl },
    { "read", 2, run_read },
    { "write", 3, run_write },
    { "b64read", 2, run_b64read },
    { "b64write", 3, run_b64write },
    { "memset", 3, run_memset },
    { "clock_step", 0, run_clock_step },
    { "clock_set", 1, run_clock_set },
    { "irq_intercept_in", 1, run_irq_intercept_in },
    { "irq_intercept_out", 1, run_irq_intercept_out },
    { "set_irq_in", 4, run_set_irq_in },
    { "endianness", 0, run_endianness },
    { "savestate", 0, run_savestate },
    { "loadstate", 1, run_loadstate },
    { "reset", 0, run_reset },
};

static void run_line(struct qtest *q, char *line)
{
    char *words[WORDS_MAX], *save = NULL;
    unsigned n = 0;

    for (char *w = strtok_r(line, " \r", &save); w && n < WORDS_MAX;
         w = strtok_r(NULL, " \r", &save))
        words[n++] = w;
    if (!n)
        return;
    for (unsigned i = 0; i < ARRAY_LEN(commands); i++) {
        const struct command *c = &commands[i];

        if (strcmp(c->name, words[0]) != 0)
            continue;
        if (n - 1 < c->args)
            reply(q, "FAIL '%s' needs %u arguments", c->name, c->args);
        else
            c->run(q, words + 1, n - 1);
        return;
    }
    reply(q, "FAIL Unknown command '%s'", words[0]);
}

static size_t qtest_can_receive(void *opaque)
{
    const struct qtest *q = opaque;

    return q->out->len > HOLD_INPUT_AT ? 0 : 65536;
}

static void qtest_receive(void *opaque, const uint8_t *buf, size_t len)
{
    struct qtest *q = opaque;
    char *end;

    g_string_append_len(q->in, (const char *)buf, (gssize)len);
    while ((end = memchr(q->in->str, '\n', q->in->len))) {
        *end = '\0';
        if (!q->skipping)
            run_line(q, q->in->str);
        q->skipping = false;
        g_string_erase(q->in, 0, end + 1 - q->in->str);
    }
    if (q->in->len > LINE_MAX_LEN) {
        g_string_truncate(q->in, 0);
        if (!q->skipping)
            reply(q, "FAIL the line is too long");
        q->skipping = true;
    }
}

static void qtest_writable(void *opaque)
{
    struct qtest *q = opaque;

    flush(q);
    chardev_fe_accept_input(&q->fe);
}

static const struct chardev_fe_ops qtest_fe = {
    .can_receive = qtest_can_receive,
    .receive = qtest_receive,
    .writable = qtest_writable,
};

struct qtest *qtest_new(struct machine *m, struct chardev *chr, GError **err)
{
    struct qtest *q = g_new0(struct qtest, 1);

    q->machine = m;
    q->in = g_string_new(NULL);
    q->out = g_string_new(NULL);
    if (!chardev_fe_attach(&q->fe, chr, &qtest_fe, q, "-qtest", err)) {
        qtest_free(q);
        return NULL;
    }
    return q;
}

void qtest_free(struct qtest *q)
{
    chardev_fe_detach(&q->fe);
    g_string_free(q->in, TRUE);
    g_string_free(q->out, TRUE);
    g_free(q);
}

static bool init(struct machine *m, struct opts *opts, GError **err)
{
    if (!opts_done(opts, err))
        return false;
    clock_make_explicit(m->loop, 0);
    return true;
}

static void no_free(struct machine *m)
{
    (void)m;
}

const struct accel_type accel_qtest = {
    .name = "qtest",
    .help = "runs no CPU; devices are driven by -qtest",
    .init = init,
    .free = no_free,
};
