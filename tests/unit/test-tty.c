/*
 * The terminal's settings on every way out. A "shell" process with a pseudo terminal of its own
 * starts a "job" that opens the stdio chardev, ends it in some way, and compares.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <base/loop.h>
#include <chardev/chardev.h>

/* The crash is wanted: its signal is for the chardev, not for AddressSanitizer. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:handle_sigill=0:handle_sigfpe=0:handle_abort=0:"
           "handle_sigtrap=0:detect_leaks=0";
}

enum how { EXIT, CLOSE, CRASH, WAIT };

struct way_out {
    const char *name;
    enum how how;
    int signal; /* sent to a job that waits */
};

static void run_job(enum how how, int ready)
{
    struct loop *loop = loop_new();
    struct chardev_set *set = chardev_set_new(loop, NULL);
    static const int faults[] = { SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE };
    const struct rlimit no_core = { 0, 0 };

    setrlimit(RLIMIT_CORE, &no_core);
    for (unsigned i = 0; i < G_N_ELEMENTS(faults); i++)
        signal(faults[i], SIG_DFL); /* sanitizers handle them */
    if (!chardev_new_from_legacy(set, "serial0", "mon:stdio", NULL))
        _exit(99);
    if (write(ready, "r", 1) != 1)
        _exit(98);
    if (how == WAIT)
        for (;;)
            pause();
    if (how == CRASH) {
        raise(SIGSEGV);
    }
    if (how == CLOSE) {
        chardev_set_free(set);
        _exit(0);
    }
    exit(0);
}

static bool is_raw(void)
{
    struct termios t;

    return tcgetattr(0, &t) == 0 && !(t.c_lflag & (ICANON | ECHO | ISIG));
}

static bool same_as(const struct termios *before)
{
    struct termios now;

    return tcgetattr(0, &now) == 0 && now.c_lflag == before->c_lflag &&
           now.c_iflag == before->c_iflag && now.c_oflag == before->c_oflag &&
           now.c_cflag == before->c_cflag;
}

/* In the shell: a job in the foreground, once it is ready. */
static pid_t start_job(enum how how)
{
    int ready[2];
    char c;
    pid_t pid;

    if (pipe(ready) < 0)
        _exit(10);
    pid = fork();
    if (!pid) {
        setpgid(0, 0);
        signal(SIGTTOU, SIG_IGN);
        tcsetpgrp(0, getpid());
        signal(SIGTTOU, SIG_DFL);
        run_job(how, ready[1]);
    }
    close(ready[1]);
    if (read(ready[0], &c, 1) != 1)
        _exit(11);
    close(ready[0]);
    return pid;
}

static void to_foreground(pid_t pgrp)
{
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(0, pgrp);
}

/* Exit statuses say which step went wrong. */
static void shell_way_out(const struct way_out *way)
{
    struct termios before;
    pid_t pid;
    int status;

    if (tcgetattr(0, &before) < 0)
        _exit(12);
    pid = start_job(way->how);
    if (way->how == WAIT) {
        if (!is_raw())
            _exit(13);
        kill(pid, way->signal);
    }
    if (waitpid(pid, &status, 0) != pid)
        _exit(14);
    if (way->signal && (!WIFSIGNALED(status) || WTERMSIG(status) != way->signal))
        _exit(15);
    _exit(same_as(&before) ? 0 : 16);
}

static void shell_stop(const struct way_out *way)
{
    struct termios before;
    pid_t pid;
    int status;

    tcgetattr(0, &before);
    pid = start_job(way->how);
    for (int round = 0; round < 2; round++) {
        kill(pid, way->signal);
        if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
            _exit(20);
        if (way->signal == SIGTSTP && !same_as(&before))
            _exit(21);
        to_foreground(getpid());
        tcsetattr(0, TCSANOW, &before);
        to_foreground(pid);
        kill(pid, SIGCONT);
        while (!is_raw())
            g_usleep(1000);
    }
    kill(pid, SIGTERM);
    waitpid(pid, &status, 0);
    _exit(same_as(&before) ? 0 : 22);
}

static void in_shell(const struct way_out *way, void (*shell)(const struct way_out *))
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), status;
    pid_t pid;

    g_assert_cmpint(master, >=, 0);
    g_assert_cmpint(grantpt(master), ==, 0);
    g_assert_cmpint(unlockpt(master), ==, 0);
    pid = fork();
    if (!pid) {
        int slave;

        setsid();
        slave = open(ptsname(master), O_RDWR);
        ioctl(slave, TIOCSCTTY, 0);
        dup2(slave, 0);
        dup2(slave, 1);
        close(master);
        shell(way);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
    close(master);
}

static void test_way_out(gconstpointer data)
{
    in_shell(data, shell_way_out);
}

static void test_stop(gconstpointer data)
{
    in_shell(data, shell_stop);
}

int main(int argc, char **argv)
{
    static const struct way_out ways[] = {
        { "exit", EXIT, 0 },       { "close", CLOSE, 0 },      { "crash", CRASH, SIGSEGV },
        { "term", WAIT, SIGTERM }, { "hup", WAIT, SIGHUP },    { "int", WAIT, SIGINT },
        { "bus", WAIT, SIGBUS },   { "abort", WAIT, SIGABRT },
    };
    static const struct way_out stops[] = { { "tstp", WAIT, SIGTSTP }, { "stop", WAIT, SIGSTOP } };

    signal(SIGINT, SIG_DFL); /* shells have jobs in the background ignore it */
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(ways); i++) {
        char *path = g_strconcat("/tty/", ways[i].name, NULL);

        g_test_add_data_func(path, &ways[i], test_way_out);
        g_free(path);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(stops); i++) {
        char *path = g_strconcat("/tty/", stops[i].name, NULL);

        g_test_add_data_func(path, &stops[i], test_stop);
        g_free(path);
    }
    return g_test_run();
}
