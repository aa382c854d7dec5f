/*
 * Our own mistakes: a condition that cannot be true unless this program is wrong. Never for
 * anything a guest, a user, an image or a packet can bring about.
 *
 *     bug_on(ring->head > ring->size);
 */
#ifndef BASE_BUG_H
#define BASE_BUG_H

/* Prints where and why, calls the hooks of bug_set_hook, and aborts. */
_Noreturn void bug_stop(const char *file, int line, const char *func, const char *what);

/*
 * One function that is called before the program aborts, to print the machine's state and put the
 * terminal back. It runs once; a bug within it aborts at once. NULL takes it away.
 */
void bug_set_hook(void (*hook)(void *opaque), void *opaque);

#define bug_on(cond)                                       \
    do {                                                   \
        if (__builtin_expect(!!(cond), 0)) {               \
            bug_stop(__FILE__, __LINE__, __func__, #cond); \
        }                                                  \
    } while (0)

/* A place that cannot be reached. */
#define bug_here(what) bug_stop(__FILE__, __LINE__, __func__, what)

#endif
