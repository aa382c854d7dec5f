/* Going to the background, and the file that says which process it is. Process-wide by nature. */
#include "daemon.h"

#include <base/error.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int ready_fd = -1; /* the child's end of the pipe to its waiting parent */

static struct {
    char *path;
    int fd;
} pidfile = { NULL, -1 };

/* The parent: one byte from the child means success. */
static G_GNUC_NORETURN void wait_for_child(int fd)
{
    char byte;
    ssize_t n;

    do {
        n = read(fd, &byte, 1);
    } while (n < 0 && errno == EINTR);
    _exit(n == 1 ? 0 : 1);
}

bool daemon_begin(GError **err)
{
    int fds[2];
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) < 0) {
        return error_set_errno(err, errno, "-daemonize: pipe");
    }
    pid = fork();
    if (pid < 0) {
        return error_set_errno(err, errno, "-daemonize: fork");
    }
    if (pid > 0) {
        close(fds[1]);
        wait_for_child(fds[0]);
    }
    close(fds[0]);
    ready_fd = fds[1];
    setsid();
    /* A second fork: a process that leads no session cannot get a terminal by opening one. */
    pid = fork();
    if (pid < 0) {
        return error_set_errno(err, errno, "-daemonize: fork");
    }
    if (pid > 0) {
        _exit(0);
    }
    umask(027);
    return true;
}

bool daemon_ready(GError **err)
{
    int null;

    if (ready_fd < 0) {
        return true;
    }
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || chdir("/") < 0) {
        return error_set_errno(err, errno, "-daemonize");
    }
    for (int fd = 0; fd <= 2; fd++) {
        dup2(null, fd);
    }
    close(null);
    if (write(ready_fd, "", 1) != 1) {
        return error_set_errno(err, errno, "-daemonize: pipe");
    }
    close(ready_fd);
    ready_fd = -1;
    return true;
}

bool pidfile_create(const char *path, GError **err)
{
    char text[32];
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

    if (fd < 0) {
        return error_set_errno(err, errno, "-pidfile: cannot open '%s'", path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        close(fd);
        return error_set(err, "-pidfile: '%s' belongs to another running process", path);
    }
    if (ftruncate(fd, 0) < 0 || write(fd, text, (size_t)len) != len) {
        error_set_errno(err, errno, "-pidfile: cannot write '%s'", path);
        close(fd);
        return false;
    }
    pidfile.path = g_canonicalize_filename(path, NULL); /* -daemonize changes the folder */
    pidfile.fd = fd;
    return true;
}

void pidfile_remove(void)
{
    if (pidfile.path) {
        unlink(pidfile.path);
        close(pidfile.fd);
        g_clear_pointer(&pidfile.path, g_free);
    }
}
