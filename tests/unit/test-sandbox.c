/* -sandbox: what each group denies ends the process, and what a machine needs stays allowed. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "main/sandbox.h"

static void *nothing(void *opaque)
{
    return opaque;
}

static void make_thread(void)
{
    g_thread_join(g_thread_new("x", nothing, NULL));
}

static void make_process(void)
{
    if (fork() == 0) {
        _exit(0);
    }
}

static void run_program(void)
{
    execl("/bin/true", "true", NULL);
}

static void change_user(void)
{
    if (setuid(getuid()) < 0) {
        _exit(9);
    }
}

static void change_priority(void)
{
    setpriority(PRIO_PROCESS, 0, 0);
}

/* How a child ends that is sandboxed by `text` and then does fn: 0, or the number of a signal. */
static int ends(const char *text, void (*fn)(void))
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        const struct rlimit no_core = { 0, 0 };
        struct opts *o = opts_parse("-sandbox", text, "enable", NULL);

        setrlimit(RLIMIT_CORE, &no_core);
        if (!sandbox_apply(o, NULL)) {
            _exit(8);
        }
        fn();
        _exit(0);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void test_groups(void)
{
    g_assert_cmpint(ends("off,spawn=deny", make_process), ==, 0);
    g_assert_cmpint(ends("on", make_process), ==, 0);
    g_assert_cmpint(ends("on", run_program), ==, 0);
    g_assert_cmpint(ends("on,spawn=deny", make_process), ==, SIGSYS);
    g_assert_cmpint(ends("on,spawn=deny", run_program), ==, SIGSYS);
    g_assert_cmpint(ends("on,spawn=deny,elevateprivileges=deny,resourcecontrol=deny", make_thread),
                    ==, 0);
    g_assert_cmpint(ends("on", change_user), ==, 0);
    g_assert_cmpint(ends("on,elevateprivileges=deny", change_user), ==, SIGSYS);
    g_assert_cmpint(ends("on", change_priority), ==, 0);
    g_assert_cmpint(ends("on,resourcecontrol=deny", change_priority), ==, SIGSYS);
}

static void test_errors(void)
{
    static const char *const bad[] = { "maybe", "on,spawn=perhaps", "on,spwan=deny" };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        opts_auto struct opts *o = opts_parse("-sandbox", bad[i], "enable", NULL);
        g_autoptr(GError) err = NULL;

        g_assert_false(sandbox_apply(o, &err));
        g_assert_true(g_str_has_prefix(err->message, "-sandbox: "));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#ifdef CONFIG_SECCOMP
    g_test_add_func("/sandbox/groups", test_groups);
#endif
    g_test_add_func("/sandbox/errors", test_errors);
    return g_test_run();
}
