/* sys.c - the kernel: system calls, processes, faults, files, signals, switches. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "work.h"

static uint64_t run_calls(long n)
{
    uint64_t sum = 0;

    for (long i = 0; i < n; i++)
        sum += syscall(SYS_getppid) >= 0;
    return sum;
}

/* pipes: a byte back and forth between two processes */
static uint64_t run_pipes(long n)
{
    int there[2], back[2];
    uint64_t sum = 0;
    unsigned char byte = 0;

    if (pipe(there) < 0 || pipe(back) < 0)
        return 0;
    if (fork() == 0) {
        for (long i = 0; i < n; i++)
            if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1)
                _exit(1);
        _exit(0);
    }
    for (long i = 0; i < n; i++) {
        byte = i;
        if (write(there[1], &byte, 1) == 1 && read(back[0], &byte, 1) == 1)
            sum = checksum_add(sum, byte);
    }
    wait(NULL);
    return sum;
}

static uint64_t run_forks(long n)
{
    uint64_t sum = 0;
    int status;

    for (long i = 0; i < n; i++) {
        if (fork() == 0)
            _exit(i & 7);
        wait(&status);
        sum = checksum_add(sum, WEXITSTATUS(status));
    }
    return sum;
}

static uint64_t run_execs(long n)
{
    char *argv[] = { (char *)self_path, (char *)"nop", NULL };
    uint64_t sum = 0;
    int status;
    pid_t pid;

    for (long i = 0; i < n; i++) {
        if (posix_spawn(&pid, self_path, NULL, NULL, argv, NULL) != 0)
            return 0;
        waitpid(pid, &status, 0);
        sum += WEXITSTATUS(status) == 0;
    }
    return sum;
}

/* faults: first touch of fresh pages */
static uint64_t run_faults(long n)
{
    const size_t size = 4 << 20;
    uint64_t sum = 0;

    for (long i = 0; i < n; i++) {
        char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p == MAP_FAILED)
            return 0;
        for (size_t at = 0; at < size; at += 4096)
            sum += ++p[at];
        munmap(p, size);
    }
    return sum;
}

/* protect: take a page away and give it back, each time with a fault that a handler sees */
static char *guarded;
static volatile uint64_t guard_hits;

static void on_fault(int signal)
{
    (void)signal;
    guard_hits++;
    mprotect(guarded, 4096, PROT_READ | PROT_WRITE);
}

static uint64_t run_protect(long n)
{
    struct sigaction act = { .sa_handler = on_fault };

    guarded = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (guarded == MAP_FAILED)
        return 0;
    sigaction(SIGSEGV, &act, NULL);
    for (long i = 0; i < n; i++) {
        mprotect(guarded, 4096, PROT_READ);
        *(volatile char *)guarded = i;
    }
    return guard_hits;
}

static uint64_t run_files(long n)
{
    static char block[16384];
    uint64_t sum = 0;

    for (long i = 0; i < n; i++) {
        int fd = open("/tmp/work", O_RDWR | O_CREAT | O_TRUNC, 0600);
        struct stat st;

        for (int k = 0; k < 4; k++)
            sum += write(fd, block, sizeof(block));
        lseek(fd, 0, SEEK_SET);
        for (int k = 0; k < 4; k++)
            sum += read(fd, block, sizeof(block));
        sum += fstat(fd, &st) == 0 ? st.st_size : 1;
        close(fd);
        unlink("/tmp/work");
    }
    return sum;
}

static volatile uint64_t signals;

static void on_signal(int signal)
{
    signals += signal;
}

static uint64_t run_signals(long n)
{
    struct sigaction act = { .sa_handler = on_signal };

    sigaction(SIGUSR1, &act, NULL);
    for (long i = 0; i < n; i++)
        raise(SIGUSR1);
    return signals / SIGUSR1;
}

/* yields: two processes with memory of their own take turns on one CPU */
static uint64_t run_yields(long n)
{
    uint64_t sum = 0;
    pid_t pid = fork();

    for (long i = 0; i < n; i++) {
        sched_yield();
        sum = checksum_add(sum, i);
    }
    if (pid == 0)
        _exit(0);
    wait(NULL);
    return sum;
}

const struct work sys_works[] = {
    { "calls", run_calls, 500000 },  { "pipes", run_pipes, 6000 },
    { "forks", run_forks, 700 },     { "execs", run_execs, 250 },
    { "faults", run_faults, 16 },    { "protect", run_protect, 8000 },
    { "files", run_files, 1800 },    { "signals", run_signals, 60000 },
    { "yields", run_yields, 16000 }, { 0 },
};
