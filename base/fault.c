/*
 * Says which file a SIGBUS is about, see base/fault.h. What runs in the handler is free of locks
 * and of allocation, as POSIX wants (signal-safety(7)). The state is static since handlers have no
 * argument.
 */
#include <base/fault.h>

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib.h>

static void (*before_end)(void);

/* A line of /proc/PID/maps: "FROM-TO PERMS OFFSET MAJOR:MINOR INODE   PATH" (proc(5)). */
struct mapping {
    uint64_t from, to, offset;
    const char *path; /* "" if there is none; in the line */
};

static bool read_hex(const char **p, uint64_t *v, char end)
{
    for (*v = 0; g_ascii_isxdigit(**p); ++*p)
        *v = *v << 4 | (uint64_t)g_ascii_xdigit_value(**p);
    return *(*p)++ == end;
}

static const char *skip_word(const char *p)
{
    while (*p && *p != ' ')
        p++;
    while (*p == ' ')
        p++;
    return p;
}

static bool parse(const char *line, struct mapping *m)
{
    if (!read_hex(&line, &m->from, '-') || !read_hex(&line, &m->to, ' '))
        return false;
    line = skip_word(line);
    if (!read_hex(&line, &m->offset, ' '))
        return false;
    m->path = skip_word(skip_word(line));
    return true;
}

/* The mapping of @at, its path in @line, which has @size bytes; longer lines are cut. */
static bool find_mapping(uint64_t at, struct mapping *m, char *line, size_t size)
{
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    bool found = false;
    size_t n = 0;
    char chunk[1024];
    ssize_t got;

    if (fd < 0)
        return false;
    while (!found && (got = read(fd, chunk, sizeof(chunk))) > 0) {
        for (ssize_t i = 0; i < got && !found; i++) {
            if (chunk[i] != '\n') {
                if (n < size - 1)
                    line[n++] = chunk[i];
                continue;
            }
            line[n] = 0;
            n = 0;
            found = parse(line, m) && at >= m->from && at < m->to;
        }
    }
    close(fd);
    return found;
}

static void say(const char *text)
{
    while (*text) {
        ssize_t n = write(STDERR_FILENO, text, strlen(text));

        if (n <= 0)
            return;
        text += n;
    }
}

static bool is_cut(const struct mapping *m, uint64_t at)
{
    struct stat st;

    return stat(m->path, &st) == 0 && (uint64_t)st.st_size <= m->offset + (at - m->from);
}

static void on_bus(int sig, siginfo_t *info, void *context)
{
    uint64_t at = (uintptr_t)info->si_addr;
    char line[PATH_MAX + 128];
    struct mapping m;

    (void)context;
    if (before_end)
        before_end();
    if (info->si_code != BUS_ADRERR || !find_mapping(at, &m, line, sizeof(line)) ||
        m.path[0] != '/') {
        /* the default action is back (SA_RESETHAND) and runs when this returns */
        raise(sig);
        return;
    }
    say("myna: '");
    say(m.path);
    say(is_cut(&m, at) ? "' was cut short while it was in use\n"
                       : "' cannot be read any more, or there is no room for it\n");
    _exit(EXIT_FAILURE);
}

void fault_explain(void (*before)(void))
{
    struct sigaction act = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO | SA_RESETHAND };

    before_end = before;
    sigaction(SIGBUS, &act, NULL);
}
