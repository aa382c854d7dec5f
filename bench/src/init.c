/*
 * init.c - process 1 of the benchmark's guest.
 *
 * The kernel command line names the work: bench.run=NAME,NAME,... bench.percent=N; a name
 * idle:SECONDS sleeps.  The console gets
 *
 *   @up UPTIME             user space runs, seconds since the kernel started
 *   @start NAME            before, and
 *   @done NAME SECONDS CHECKSUM
 *   @fail NAME STATUS      after each piece
 *   @end                   before power off
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "init.h"

enum { LINE = 2048 };

static char command_line[LINE];

static void read_file(const char *path, char *data, size_t size)
{
    int fd = open(path, O_RDONLY);
    ssize_t got = fd < 0 ? -1 : read(fd, data, size - 1);

    data[got > 0 ? got : 0] = 0;
    if (fd >= 0)
        close(fd);
}

static char *word(const char *key)
{
    static char copy[LINE];
    size_t length = strlen(key);

    strcpy(copy, command_line);
    for (char *w = strtok(copy, " \n"); w; w = strtok(NULL, " \n"))
        if (strncmp(w, key, length) == 0 && w[length] == '=')
            return strdup(w + length + 1);
    return NULL;
}

/* Run the piece in a process of its own; its one line of output ends up in `line`. */
static int run_piece(const char *name, const char *percent, char *line, size_t size)
{
    int ends[2], status = -1;
    ssize_t got;
    pid_t pid;

    line[0] = 0;
    if (pipe(ends) < 0)
        return -1;
    pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execl("/init", "/init", "run", name, percent, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    got = pid < 0 ? 0 : read(ends[0], line, size - 1);
    close(ends[0]);
    line[got > 0 ? got : 0] = 0;
    line[strcspn(line, "\n")] = 0;
    if (pid > 0)
        waitpid(pid, &status, 0);
    return status;
}

static void do_piece(const char *name, const char *percent)
{
    char line[128];
    int status;

    printf("@start %s\n", name);
    if (strncmp(name, "idle:", 5) == 0) {
        sleep(atoi(name + 5));
        printf("@done %s %d 0\n", name, atoi(name + 5));
        return;
    }
    status = run_piece(name, percent, line, sizeof(line));
    if (status == 0)
        printf("@done %s %s\n", name, line);
    else
        printf("@fail %s %d\n", name, status);
}

int init_main(void)
{
    char uptime[64];
    char *names, *percent;

    setvbuf(stdout, NULL, _IOLBF, 0);
    mkdir("/proc", 0755);
    mkdir("/tmp", 01777);
    mount("proc", "/proc", "proc", 0, NULL);
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    mount("tmp", "/tmp", "tmpfs", 0, NULL);
    read_file("/proc/uptime", uptime, sizeof(uptime));
    printf("\n@up %.*s\n", (int)strcspn(uptime, " "), uptime);
    read_file("/proc/cmdline", command_line, sizeof(command_line));
    names = word("bench.run");
    percent = word("bench.percent");
    for (char *n = names ? strtok(names, ",") : NULL; n; n = strtok(NULL, ","))
        do_piece(n, percent ? percent : "100");
    printf("@end\n");
    sync();
    reboot(RB_POWER_OFF);
    return 1;
}
