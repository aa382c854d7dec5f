/* Where log lines go, and which of them. */
#include <base/log.h>
#include <base/error.h>

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <unistd.h>

uint32_t log_mask;

struct range {
    uint64_t first, last; /* both included */
};

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER; /* guards all of the following */
static FILE *log_file;                                       /* NULL: stderr */
static GArray *log_ranges; /* of struct range; NULL: all addresses */

static const struct {
    const char *name, *help;
} log_items[] = {
#define ROW_(id, name, help) { name, help },
    LOG_ITEMS(ROW_)
#undef ROW_
};

FILE *log_begin(void)
{
    pthread_mutex_lock(&log_lock);
    return log_file ? log_file : stderr;
}

void log_end(void)
{
    fflush(log_file ? log_file : stderr);
    pthread_mutex_unlock(&log_lock);
}

static void G_GNUC_PRINTF(1, 0) log_write(const char *fmt, va_list ap)
{
    FILE *f = log_begin();

    vfprintf(f, fmt, ap);
    log_end();
}

void log_printf(uint32_t items, const char *fmt, ...)
{
    va_list ap;

    if (log_on(items)) {
        va_start(ap, fmt);
        log_write(fmt, ap);
        va_end(ap);
    }
}

enum { LIMIT_PER_SECOND = 10 };

void log_limited(struct log_site *site, uint32_t item, const char *fmt, ...)
{
    int64_t now = g_get_monotonic_time() / G_USEC_PER_SEC;
    uint32_t held = 0;
    bool pass;
    va_list ap;

    pthread_mutex_lock(&log_lock);
    if (site->second != now) {
        held = site->suppressed;
        *site = (struct log_site){ .second = now };
    }
    pass = site->count < LIMIT_PER_SECOND;
    if (pass) {
        site->count++;
    } else {
        site->suppressed++;
    }
    pthread_mutex_unlock(&log_lock);
    if (!pass) {
        return;
    }
    if (held) {
        log_printf(item, "(%" PRIu32 " like the next one were not shown)\n", held);
    }
    va_start(ap, fmt);
    log_write(fmt, ap);
    va_end(ap);
}

static bool add_item(const char *name, uint32_t *mask, GError **err)
{
    bool off = name[0] == '-';
    struct nearest n;

    name += off;
    if (strcmp(name, "all") == 0) {
        *mask = off ? 0 : ~LOG_NOCHAIN;
        return true;
    }
    nearest_init(&n, name);
    for (unsigned i = 0; i < LOG_BIT_COUNT; i++) {
        if (strcmp(name, log_items[i].name) == 0) {
            *mask = off ? *mask & ~(1u << i) : *mask | 1u << i;
            return true;
        }
        nearest_try(&n, log_items[i].name);
    }
    return error_set_unknown(err, "-d", "log item", name, &n);
}

bool log_set_items(const char *list, GError **err)
{
    g_auto(GStrv) names = g_strsplit(list, ",", -1);
    uint32_t mask = 0;

    for (char **name = names; *name; name++) {
        if (**name && strcmp(*name, "none") != 0 && !add_item(*name, &mask, err)) {
            return false;
        }
    }
    __atomic_store_n(&log_mask, mask, __ATOMIC_RELAXED);
    return true;
}

char *log_help(void)
{
    GString *s =
        g_string_new("Log items (a list separated by commas; 'all'; '-item' takes one away):\n");

    for (unsigned i = 0; i < LOG_BIT_COUNT; i++) {
        g_string_append_printf(s, "  %-14s %s\n", log_items[i].name, log_items[i].help);
    }
    return g_string_free(s, FALSE);
}

char *log_get_items(void)
{
    GString *s = g_string_new(NULL);

    for (unsigned i = 0; i < LOG_BIT_COUNT; i++) {
        if (log_on(1u << i)) {
            g_string_append_printf(s, "%s%s", s->len ? "," : "", log_items[i].name);
        }
    }
    if (!s->len) {
        g_string_append(s, "none");
    }
    return g_string_free(s, FALSE);
}

/* "%d" becomes the process id, once; any other '%' is refused, as it would be lost. */
static char *expand_name(const char *path, GError **err)
{
    const char *p = strchr(path, '%');

    if (!p) {
        return g_strdup(path);
    }
    if (p[1] != 'd' || strchr(p + 1, '%')) {
        error_set(err, "-D: '%s': only one %%d (process id) may be in the name", path);
        return NULL;
    }
    return g_strdup_printf("%.*s%d%s", (int)(p - path), path, (int)getpid(), p + 2);
}

bool log_set_file(const char *path, GError **err)
{
    g_autofree char *name = path ? expand_name(path, err) : NULL;
    FILE *f = NULL;

    if (path && !name) {
        return false;
    }
    if (name) {
        f = fopen(name, "we");
        if (!f) {
            return error_set_errno(err, errno, "-D: cannot open '%s'", name);
        }
    }
    pthread_mutex_lock(&log_lock);
    if (log_file) {
        fclose(log_file);
    }
    log_file = f;
    pthread_mutex_unlock(&log_lock);
    return true;
}

static bool parse_number(const char *text, const char **end, uint64_t *value)
{
    errno = 0;
    *value = g_ascii_strtoull(text, (char **)end, 0);
    return *end != text && errno == 0 && g_ascii_isdigit(text[0]);
}

static bool parse_range(const char *text, struct range *r)
{
    uint64_t a, b;
    const char *p;

    if (!parse_number(text, &p, &a)) {
        return false;
    }
    if (g_str_has_prefix(p, "..")) {
        *r = (struct range){ a, 0 };
        return parse_number(p + 2, &p, &r->last) && !*p && r->last >= a;
    }
    if ((*p != '+' && *p != '-') || !parse_number(p + 1, &text, &b) || *text || b == 0) {
        return false;
    }
    if (*p == '+') {
        *r = (struct range){ a, a + (b - 1) };
    } else {
        *r = (struct range){ a - (b - 1), a };
    }
    return r->last >= r->first;
}

bool log_set_filter(const char *ranges, GError **err)
{
    g_auto(GStrv) parts = g_strsplit(ranges, ",", -1);
    GArray *list = g_array_new(FALSE, FALSE, sizeof(struct range));

    if (!*parts) {
        g_array_free(list, TRUE);
        return error_set(err, "-dfilter: no range given");
    }
    for (char **p = parts; *p; p++) {
        struct range r;

        if (!parse_range(*p, &r)) {
            g_array_free(list, TRUE);
            return error_set(
                err, "-dfilter: '%s' is not a range (start+size, end-size or first..last)", *p);
        }
        g_array_append_val(list, r);
    }
    pthread_mutex_lock(&log_lock);
    if (log_ranges) {
        g_array_free(log_ranges, TRUE);
    }
    log_ranges = list;
    pthread_mutex_unlock(&log_lock);
    return true;
}

bool log_wanted_slow(uint64_t addr)
{
    bool wanted;

    pthread_mutex_lock(&log_lock);
    wanted = !log_ranges || !log_ranges->len;
    for (guint i = 0; log_ranges && i < log_ranges->len && !wanted; i++) {
        const struct range *r = &g_array_index(log_ranges, struct range, i);

        wanted = addr >= r->first && addr <= r->last;
    }
    pthread_mutex_unlock(&log_lock);
    return wanted;
}

void log_close(void)
{
    pthread_mutex_lock(&log_lock);
    if (log_file) {
        fclose(log_file);
    }
    log_file = NULL;
    if (log_ranges) {
        g_array_free(log_ranges, TRUE);
    }
    log_ranges = NULL;
    pthread_mutex_unlock(&log_lock);
}
