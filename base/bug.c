/* Stops the program where it found itself wrong. */
#include <base/bug.h>

static struct {
    void (*fn)(void *opaque);
    void *opaque;
} bug_hook;

void bug_set_hook(void (*hook)(void *opaque), void *opaque)
{
    bug_hook.fn = hook;
    bug_hook.opaque = opaque;
}

void bug_stop(const char *file, int line, const char *func, const char *what)
{
    void (*fn)(void *opaque) = bug_hook.fn;

    fprintf(stderr, "myna: bug at %s:%d in %s: %s\n", file, line, func, what);
    bug_hook.fn = NULL;
    if (fn) {
        fn(bug_hook.opaque);
    }
    abort();
}
