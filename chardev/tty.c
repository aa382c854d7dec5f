/*
 * Raw mode of the terminal, and the ways back: exit(), signals that kill, stop and continue.
 *
 * The state is static since signal handlers have no argument, and since a process has one
 * controlling terminal, however many machines it holds. Handlers replace only default actions, so
 * whoever handles a signal in its own way (clean shutdown, host faults of generated code) keeps
 * it.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>
#include <chardev/chardev.h>
#include "tty.h"

static struct {
    int fd;
    struct termios cooked, raw;
    volatile sig_atomic_t active; /* @cooked is what to go back to */
    bool handlers;
} tty = { .fd = -1 };

/* A background process must leave the terminal alone: the kernel would stop it with SIGTTOU. */
static bool in_foreground(void)
{
    return tcgetpgrp(tty.fd) == getpgrp();
}

static void apply(const struct termios *mode)
{
    int saved = errno;

    if (in_foreground())
        tcsetattr(tty.fd, TCSANOW, mode);
    errno = saved;
}

void tty_leave_raw(void)
{
    if (!tty.active)
        return;
    apply(&tty.cooked);
    tty.active = 0;
}

void chardev_leave_terminal(void)
{
    tty_leave_raw();
}

/* SA_RESETHAND has put the default action back; it runs when the handler returns. */
static void on_fatal(int sig)
{
    tty_leave_raw();
    raise(sig);
}

/* Stops within the handler, under the default action; comes back when continued, or at once in a
 * process group without a shell, where the kernel ignores SIGTSTP. */
static void on_stop(int sig)
{
    struct sigaction fallback = { .sa_handler = SIG_DFL }, own;
    sigset_t set, old;

    if (tty.active)
        apply(&tty.cooked);
    sigaction(sig, &fallback, &own);
    sigemptyset(&set);
    sigaddset(&set, sig);
    raise(sig);
    sigprocmask(SIG_UNBLOCK, &set, &old);
    sigprocmask(SIG_SETMASK, &old, NULL);
    sigaction(sig, &own, NULL);
    if (tty.active)
        apply(&tty.raw);
}

/* After SIGSTOP, which nobody can catch, the shell has changed the modes. */
static void on_continue(int sig)
{
    (void)sig;
    if (tty.active)
        apply(&tty.raw);
}

static void handle_if_default(int sig, void (*fn)(int), int flags)
{
    struct sigaction old, sa = { .sa_handler = fn, .sa_flags = flags };

    if (sigaction(sig, NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
        old.sa_handler == SIG_DFL)
        sigaction(sig, &sa, NULL);
}

static void install_handlers(void)
{
    static const int fatal[] = { SIGHUP,  SIGINT, SIGQUIT, SIGTERM, SIGSEGV, SIGBUS,
                                 SIGABRT, SIGILL, SIGFPE,  SIGTRAP, SIGSYS };

    for (unsigned i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        handle_if_default(fatal[i], on_fatal, SA_RESETHAND);
    handle_if_default(SIGTSTP, on_stop, SA_RESTART);
    handle_if_default(SIGCONT, on_continue, SA_RESTART);
    atexit(tty_leave_raw);
}

void tty_enter_raw(int fd, bool signals)
{
    if (tty.active || tcgetattr(fd, &tty.cooked) < 0)
        return;
    tty.fd = fd;
    tty.raw = tty.cooked;
    tty.raw.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    tty.raw.c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN);
    if (!signals)
        tty.raw.c_lflag &= ~ISIG;
    tty.raw.c_cflag = (tty.raw.c_cflag & ~(CSIZE | PARENB)) | CS8;
    tty.raw.c_cc[VMIN] = 1;
    tty.raw.c_cc[VTIME] = 0;
    tty.active = 1;
    if (!tty.handlers)
        install_handlers();
    tty.handlers = true;
    apply(&tty.raw);
}
