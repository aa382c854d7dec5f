/* See qfuzz.h. */
#include "qfuzz.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <glib/gstdio.h>

#define PROMPT      "(qemu) "
#define PATIENCE_MS 60000
#define MAY_GROW    (64l << 20)
#define FUNCTIONS   64
#define PCI_IO      0xc000
#define PCI_MEM     0xe0000000u
/* What a bridge lets through; its own bus begins there. */
#define BEHIND_IO   0xe000
#define BEHIND_MEM  0xf0000000u

static GRand *rnd;
static char said[64];

/* prove shows what tests print on stderr only. */
static void say_seed(int sig)
{
    ssize_t n = write(STDERR_FILENO, said, strlen(said));

    (void)n;
    signal(sig, SIG_DFL);
    raise(sig);
}

void qf_init(int *argc, char ***argv)
{
    const char *seed = g_getenv("QTEST_SEED");
    guint32 s = seed ? (guint32)g_ascii_strtoull(seed, NULL, 0) : g_random_int();

    g_test_init(argc, argv, NULL);
    g_snprintf(said, sizeof(said), "# QTEST_SEED=%u\n", s);
    g_test_message("QTEST_SEED=%u", s);
    signal(SIGABRT, say_seed);
    /* or freed memory looks like growth */
    g_setenv("ASAN_OPTIONS", "quarantine_size_mb=16", FALSE);
    rnd = g_rand_new_with_seed(s);
}

/* ---- values ---- */

uint32_t qf_below(uint32_t n)
{
    return (uint32_t)g_rand_int_range(rnd, 0, (gint32)n);
}

uint64_t qf_value(void)
{
    static const uint64_t nice[] = { 0,          1,          0xff,       0x80,
                                     0x7fffffff, 0x80000000, 0x80001000, UINT64_MAX };
    uint64_t v = (uint64_t)g_rand_int(rnd) << 32 | g_rand_int(rnd);

    switch (qf_below(4)) {
    case 0: return QF_PICK(nice);
    case 1: return v & 0xff;
    case 2: return v & 0xffffffff;
    default: return v;
    }
}

static uint32_t word(uint32_t near)
{
    switch (qf_below(6)) {
    case 0: return qf_below(64);
    case 1: return near + qf_below(0x200) * 16;
    case 2: return (near + qf_below(0x200) * 16) | qf_below(16);
    case 3: return 1u << qf_below(32) | 1u << qf_below(32) | qf_below(0x800);
    case 4: return qf_below(0x800);
    default: return g_rand_int(rnd);
    }
}

void qf_fill(struct qclient *q, uint64_t at, unsigned words, uint32_t near)
{
    g_autofree uint32_t *w = g_new(uint32_t, words);
    g_autofree char *text = NULL;

    for (unsigned i = 0; i < words; i++)
        w[i] = GUINT32_TO_LE(word(near));
    text = g_base64_encode((const guchar *)w, 4 * words);
    qc_queue(q, "b64write 0x%" PRIx64 " %u %s", at, 4 * words, text);
}

/* What requests of all kinds of devices begin with (virtio 1.2, 5.1 to 5.8). */
static uint32_t header_word(unsigned n, uint32_t ram)
{
    static const uint32_t first[] = { 0,     1,     4,     8,     11,    13,    0x100, 0x101,
                                      0x102, 0x103, 0x104, 0x105, 0x106, 0x107, 0x10a, 0x10c,
                                      0x10d, 0x300, 0x301, 3,     6,     0x100, 0x401, 2 };

    if (n == 0)
        return QF_PICK(first);
    return n < 4 ? qf_below(8) : word(ram);
}

void qf_rings(struct qclient *q, uint32_t ram)
{
    enum { PAGE = 0x1000, HALF = QF_RINGS / 2 * PAGE, DESC = 64, HEADER = 16 };
    g_autofree uint32_t *w = g_new(uint32_t, 2 * HALF / 4);
    g_autofree char *text = NULL;

    for (unsigned i = 0; i < HALF / 4; i++) {
        unsigned at = i % (PAGE / 4), field = at % 4;

        if (at >= 4 * DESC)
            w[i] = qf_below(2) ? qf_below(20) : word(ram);
        else if (field == 0)
            w[i] = ram + HALF + qf_below(HALF / 64) * 64;
        else if (field == 1)
            w[i] = qf_below(64) ? 0 : g_rand_int(rnd);
        else if (field == 2)
            w[i] = qf_below(16) ? qf_below(200) : g_rand_int(rnd);
        else
            w[i] =
                qf_below(qf_below(8) ? 4 : 8) | (qf_below(2) ? 0x80 : 0x8000) | qf_below(20) << 16;
    }
    for (unsigned i = 0; i < HALF / 4; i++)
        w[HALF / 4 + i] = header_word(i % HEADER, ram);
    for (unsigned i = 0; i < 2 * HALF / 4; i++)
        w[i] = GUINT32_TO_LE(w[i]);
    text = g_base64_encode((const guchar *)w, 2 * HALF);
    qc_queue(q, "b64write 0x%x %u %s", ram, 2 * HALF, text);
}

static void one_access(struct qclient *q, const struct qf_window *w)
{
    static const char letters[] = "bwlq";
    unsigned log = qf_below(4), size = 1u << log;
    uint64_t offset = ((uint64_t)g_rand_int(rnd) << 8) % w->size;

    offset += qf_below(256);
    offset %= w->size;
    if (qf_below(8))
        offset &= ~(uint64_t)(size - 1);
    if (w->base & QF_PORT)
        log = log == 3 ? 0 : log; /* there are no 8-byte ports */
    if (qf_below(2))
        qc_queue(q, "%s%c 0x%" PRIx64, w->base & QF_PORT ? "in" : "read", letters[log],
                 (w->base & ~QF_PORT) + offset);
    else
        qc_queue(q, "%s%c 0x%" PRIx64 " 0x%" PRIx64, w->base & QF_PORT ? "out" : "write",
                 letters[log], (w->base & ~QF_PORT) + offset, qf_value());
}

/* ---- the monitor ---- */

struct watcher {
    struct qclient *q;
    char *dir, *path;
    int monitor;
    GString *text;
};

static void await_prompt(struct watcher *w)
{
    g_string_truncate(w->text, 0);
    while (!g_str_has_suffix(w->text->str, PROMPT)) {
        struct pollfd p = { .fd = w->monitor, .events = POLLIN };
        char buf[65536];
        ssize_t n;

        if (poll(&p, 1, PATIENCE_MS) <= 0)
            g_error("the monitor does not answer");
        n = read(w->monitor, buf, sizeof(buf));
        if (n <= 0)
            g_error("the monitor went away");
        g_string_append_len(w->text, buf, n);
    }
}

/* Looks at what the guest made of the devices, and acts on them from outside. */
static void look(struct watcher *w)
{
    static const char *const lines[] = {
        "screendump /dev/null\n",
        "screendump /dev/null\n",
        "screendump /dev/null\n",
        "info pci\n",
        "info qtree\n",
        "info mtree\n",
        "info pic\n",
        "info lapic\n",
        "info mice\n",
        "info network\n",
        "info chardev\n",
        "info block\n",
        "sendkey a\n",
        "sendkey ctrl-alt-f1\n",
        "mouse_move 12 -7 1\n",
        "mouse_button 5\n",
        "mouse_button 0\n",
        "nmi\n",
        "info blockstats\n",
        "xp /64xb 0xfff0\n",
    };
    const char *line = QF_PICK(lines);

    if (write(w->monitor, line, strlen(line)) < 0)
        g_error("the monitor went away");
    await_prompt(w);
}

static void connect_monitor(struct watcher *w)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };

    g_strlcpy(sa.sun_path, w->path, sizeof(sa.sun_path));
    w->monitor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(connect(w->monitor, (struct sockaddr *)&sa, sizeof(sa)), ==, 0);
    await_prompt(w);
}

static void start(struct watcher *w, const char *args)
{
    g_autofree char *all = NULL;

    w->dir = g_dir_make_tmp("qfuzz-XXXXXX", NULL);
    w->path = g_build_filename(w->dir, "m", NULL);
    w->text = g_string_new(NULL);
    all = g_strdup_printf("%s -monitor unix:%s,server=on,wait=off -d guest_errors,unimp "
                          "-D /dev/null",
                          args, w->path);
    w->q = qc_start(all);
    connect_monitor(w);
}

static void stop(struct watcher *w)
{
    qc_stop(w->q);
    close(w->monitor);
    g_unlink(w->path);
    g_rmdir(w->dir);
    g_string_free(w->text, TRUE);
    g_free(w->path);
    g_free(w->dir);
}

/* ---- rounds ---- */

/* Bytes of the program that are in memory. */
static long resident(struct qclient *q)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/statm", qc_pid(q)), *text = NULL;
    long pages = 0;

    if (g_file_get_contents(path, &text, NULL, NULL) && strchr(text, ' '))
        pages = strtol(strchr(text, ' '), NULL, 10);
    return pages * sysconf(_SC_PAGESIZE);
}

/* What comes now and then. */
static void rare_event(struct watcher *w)
{
    struct qclient *q = w->q;

    switch (qf_below(20)) {
    case 0: qc_reset(q); break;
    case 1: {
        g_autofree char *state = qc_save(q);

        qc_load(q, state);
        break;
    }
    case 2: qc_serial_offer(q, "characters", 10); break;
    case 3: qc_cmd(q, "clock_step 1000000000"); break;
    case 4:
    case 5:
    case 6: look(w); break;
    default: qc_cmd(q, "clock_step"); break;
    }
    qc_serial_drop(q);
}

static void rounds(struct watcher *w, const struct qf_window *windows, unsigned n,
                   qf_prepare_fn *prepare)
{
    const char *ms = g_getenv("QTEST_FUZZ_MS");
    gint64 begin = g_get_monotonic_time();
    gint64 length = (ms ? g_ascii_strtoll(ms, NULL, 10) : 400) * 1000;
    gint64 now = begin;
    long before = 0;
    unsigned done = 0;

    for (; now < begin + length; now = g_get_monotonic_time(), done++) {
        if (prepare)
            prepare(w->q);
        for (unsigned i = 0; n && i < 200; i++)
            one_access(w->q, &windows[qf_below(n)]);
        qc_settle(w->q);
        rare_event(w);
        if (!before && now > begin + length / 3)
            before = resident(w->q);
    }
    g_test_message("%u rounds, resident %ld KiB, a third on its way %ld KiB", done,
                   resident(w->q) >> 10, before >> 10);
    if (before && resident(w->q) > before + MAY_GROW)
        g_error("the program grew from %ld to %ld KiB", before >> 10, resident(w->q) >> 10);
}

void qf_run(const char *args, const struct qf_window *windows, unsigned n, qf_prepare_fn *prepare)
{
    struct watcher w;

    start(&w, args);
    rounds(&w, windows, n, prepare);
    stop(&w);
}

/* ---- PCI ---- */

struct function {
    unsigned bus, devfn;
    uint32_t id;
    uint64_t bar[6];
    uint32_t at[6];  /* what to write there */
    unsigned window; /* of a bridge: bus number behind it */
};

/* Of the machine that is running: prepare functions are told no more than it. */
static struct {
    struct function f[FUNCTIONS];
    unsigned n, buses;
    uint32_t io, mem;
    GArray *windows;
    qf_prepare_fn *more;
} pci;

static uint32_t config_at(unsigned bus, unsigned devfn, unsigned reg)
{
    return 0x80000000u | bus << 16 | devfn << 8 | (reg & 0xfc);
}

static uint32_t config_read(struct qclient *q, unsigned bus, unsigned devfn, unsigned reg)
{
    pc_out(q, 4, 0xcf8, config_at(bus, devfn, reg));
    return pc_in(q, 4, 0xcfc);
}

static void config_write(struct qclient *q, unsigned bus, unsigned devfn, unsigned reg,
                         unsigned size, uint32_t v)
{
    static const char letters[] = " bw l";

    qc_queue(q, "outl 0xcf8 0x%x", config_at(bus, devfn, reg));
    qc_queue(q, "out%c 0x%x 0x%x", letters[size], 0xcfc + (reg & 3), v);
}

static void add_window(uint64_t base, uint64_t size)
{
    struct qf_window w = { base, size };

    g_array_append_val(pci.windows, w);
    w.size = MIN(size, 0x100); /* where most registers are */
    g_array_append_val(pci.windows, w);
}

/* Its size, then a place for it; the number of registers it takes. */
static unsigned place_bar(struct qclient *q, struct function *f, unsigned i)
{
    uint32_t mask, size, *next;
    bool io;

    config_write(q, f->bus, f->devfn, 0x10 + 4 * i, 4, UINT32_MAX);
    qc_settle(q);
    mask = config_read(q, f->bus, f->devfn, 0x10 + 4 * i);
    io = mask & 1;
    mask &= io ? 0xfffcu : ~15u;
    if (!mask)
        return 1;
    size = mask & -mask;
    next = io ? &pci.io : &pci.mem;
    *next = (*next + size - 1) & ~(size - 1);
    f->at[i] = *next;
    f->bar[i] = io ? *next | QF_PORT : *next;
    add_window(f->bar[i], size);
    *next += size;
    return (config_read(q, f->bus, f->devfn, 0x10 + 4 * i) & 7) == 4 ? 2 : 1;
}

static void find_bus(struct qclient *q, unsigned bus);

static void find_function(struct qclient *q, unsigned bus, unsigned devfn)
{
    struct function *f = &pci.f[pci.n];
    unsigned bars = 6;

    *f = (struct function){ .bus = bus, .devfn = devfn, .id = config_read(q, bus, devfn, 0) };
    f->id = f->id << 16 | f->id >> 16;
    if (f->id == UINT32_MAX || ++pci.n == FUNCTIONS)
        return;
    if ((config_read(q, bus, devfn, 0x0c) >> 16 & 0x7f) == 1) {
        bars = 2;
        f->window = ++pci.buses;
        pci.io = BEHIND_IO;
        pci.mem = BEHIND_MEM;
        config_write(q, bus, devfn, 0x18, 4, f->window << 16 | f->window << 8 | bus);
        qc_settle(q);
        find_bus(q, f->window);
    }
    for (unsigned i = 0; i < bars;)
        i += place_bar(q, f, i);
}

static void find_bus(struct qclient *q, unsigned bus)
{
    for (unsigned slot = 0; slot < 32; slot++)
        if (config_read(q, bus, slot << 3, 0) != UINT32_MAX)
            for (unsigned k = 0; k < 8; k++)
                find_function(q, bus, slot << 3 | k);
}

uint64_t qf_bar(uint32_t id, unsigned n, unsigned bar)
{
    for (unsigned i = 0; i < pci.n; i++)
        if (pci.f[i].id == id && !n--)
            return pci.f[i].bar[bar];
    return 0;
}

/* Everything decodes again, whatever the last round did to it. */
static void place(struct qclient *q)
{
    for (unsigned i = 0; i < pci.n; i++) {
        const struct function *f = &pci.f[i];

        for (unsigned k = 0; k < 6; k++)
            if (f->bar[k])
                config_write(q, f->bus, f->devfn, 0x10 + 4 * k, 4, f->at[k]);
        if (f->window) {
            config_write(q, f->bus, f->devfn, 0x18, 4, f->window << 16 | f->window << 8 | f->bus);
            config_write(q, f->bus, f->devfn, 0x1c, 2, 0xf0 << 8 | BEHIND_IO >> 8);
            config_write(q, f->bus, f->devfn, 0x20, 4, 0xf7f00000 | BEHIND_MEM >> 16);
        }
        config_write(q, f->bus, f->devfn, 4, 2, 7);
    }
}

static void prepare_pci(struct qclient *q)
{
    place(q);
    if (pci.more)
        pci.more(q);
    if (qf_below(4))
        return;
    for (unsigned i = 0; i < 8; i++) {
        const struct function *f = &pci.f[qf_below(pci.n)];

        config_write(q, f->bus, f->devfn, qf_below(64) * 4, 4, (uint32_t)qf_value());
    }
}

void qf_run_pci(const char *args, const struct qf_window *windows, unsigned n,
                qf_prepare_fn *prepare)
{
    struct watcher w;

    pci.windows = g_array_new(FALSE, FALSE, sizeof(struct qf_window));
    pci.n = pci.buses = 0;
    pci.io = PCI_IO;
    pci.mem = PCI_MEM;
    pci.more = prepare;
    start(&w, args);
    find_bus(w.q, 0);
    add_window(0, 0x10000);
    g_array_append_vals(pci.windows, windows, n);
    rounds(&w, &g_array_index(pci.windows, struct qf_window, 0), pci.windows->len, prepare_pci);
    stop(&w);
    g_array_free(pci.windows, TRUE);
}
