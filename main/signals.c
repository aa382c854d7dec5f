/*
 * SIGINT, SIGTERM and SIGHUP end the machine in order; a broken pipe is an error like any other,
 * and SIGBUS is said to be about which file (base/fault.h).
 */
#include "parts.h"

#include <base/error.h>
#include <base/fault.h>
#include <base/loop.h>

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static gboolean take_signal(int fd, GIOCondition cond, gpointer opaque)
{
    struct session *s = opaque;
    struct signalfd_siginfo info;

    (void)cond;
    if (read(fd, &info, sizeof(info)) != sizeof(info)) {
        return TRUE;
    }
    fprintf(stderr, "%s: ended by signal %u (%s)\n", s->config->program, info.ssi_signo,
            g_strsignal((gint)info.ssi_signo));
    if (s->machine) {
        machine_request_shutdown(s->machine, CAUSE_HOST_SIGNAL, 0);
    }
    return TRUE;
}

bool signals_begin(struct session *s, GError **err)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    fault_explain(chardev_leave_terminal);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->signal_fd < 0) {
        return error_set_errno(err, errno, "signalfd");
    }
    s->signals = loop_watch_fd(s->loop, s->signal_fd, G_IO_IN, take_signal, s);
    return true;
}

void signals_end(struct session *s)
{
    if (s->signals) {
        g_source_destroy(s->signals);
        g_source_unref(s->signals);
        close(s->signal_fd);
    }
}
