/*
 * hello.c - a guest of a few kilobytes: a greeting, a command line, a way out.
 *
 * It runs in S-mode over any SBI and needs no disk, kernel or package, so that something
 * can be booted on every machine that built the emulator.
 */
#include "string.h"
#include "fdt.h"
#include "line.h"
#include "print.h"
#include "sbi.h"

struct command {
    const char *name, *help;
    void (*run)(const struct machine *m, const char *rest);
};

static void run_help(const struct machine *m, const char *rest);

static void run_info(const struct machine *m, const char *rest)
{
    struct sbi_result spec = sbi_call(SBI_BASE, 0, 0, 0, 0);
    struct sbi_result impl = sbi_call(SBI_BASE, 1, 0, 0, 0);

    print("machine   %s\r\n", m->model[0] ? m->model : "(no model name)");
    print("harts     %u\r\n", (unsigned long)m->harts);
    print("memory    %u MiB at 0x%x\r\n", m->memory_size >> 20, m->memory_start);
    print("timebase  %u Hz\r\n", (unsigned long)m->ticks_per_second);
    print("firmware  SBI %u.%u, implementation %u\r\n", (unsigned long)spec.value >> 24 & 0x7f,
          (unsigned long)spec.value & 0xffffff, (unsigned long)impl.value);
}

/* Civil date of a day count since 1970-01-01, in the proleptic Gregorian calendar. */
static void print_day(unsigned long day)
{
    static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned long year = 1970, month = 0;

    for (;;) {
        int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        unsigned long length = month == 1 && leap ? 29 : days[month];

        if (day < length)
            break;
        day -= length;
        if (++month == 12) {
            month = 0;
            year++;
        }
    }
    print("%u-%2-%2 ", year, month + 1, day + 1);
}

static void run_date(const struct machine *m, const char *rest)
{
    uint64_t t = time_now();
    uint64_t second = t / m->ticks_per_second;
    uint64_t milli = t % m->ticks_per_second * 1000 / m->ticks_per_second;

    if (m->rtc) {
        /* reading the low half latches the high one; nanoseconds since 1970 */
        uint64_t low = *(volatile uint32_t *)m->rtc;
        uint64_t high = *(volatile uint32_t *)(m->rtc + 4);
        uint64_t now = (high << 32 | low) / 1000000000;

        print_day(now / 86400);
        print("%2:%2:%2 UTC, ", now / 3600 % 24, now / 60 % 60, now % 60);
    }
    print("%u.%3 s since reset\r\n", second, milli);
}

static void run_echo(const struct machine *m, const char *rest)
{
    print("%s\r\n", rest);
}

static void run_primes(const struct machine *m, const char *rest)
{
    uint64_t start = time_now();
    unsigned long limit = 0, count = 0;

    while (*rest >= '0' && *rest <= '9' && limit < 100000000)
        limit = limit * 10 + *rest++ - '0';
    if (limit == 0)
        limit = 100000;
    for (unsigned long n = 2; n <= limit; n++) {
        unsigned long d = 2;

        while (d * d <= n && n % d != 0)
            d++;
        count += d * d > n;
    }
    print("%u primes up to %u, in %u ms\r\n", count, limit,
          (time_now() - start) * 1000 / m->ticks_per_second);
}

static void run_poweroff(const struct machine *m, const char *rest)
{
    print("Good bye.\r\n");
    sbi_stop(false);
    print("The firmware cannot power off.\r\n");
}

static void run_reboot(const struct machine *m, const char *rest)
{
    sbi_stop(true);
    print("The firmware cannot reset.\r\n");
}

static const struct command commands[] = {
    { "help", "this list", run_help },
    { "info", "what the devicetree and the firmware say", run_info },
    { "date", "date and time since reset", run_date },
    { "echo", "print the words that follow", run_echo },
    { "primes", "count the primes up to a number", run_primes },
    { "reboot", "reset the machine", run_reboot },
    { "poweroff", "leave", run_poweroff },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static void run_help(const struct machine *m, const char *rest)
{
    for (int i = 0; i < COMMANDS; i++)
        print("%s\t%s%s\r\n", commands[i].name, strlen(commands[i].name) < 8 ? "\t" : "",
              commands[i].help);
}

static void run_line(const struct machine *m, char *line)
{
    char *rest;

    while (*line == ' ')
        line++;
    if (!*line)
        return;
    for (rest = line; *rest && *rest != ' '; rest++)
        ;
    if (*rest)
        *rest++ = 0;
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, line) == 0) {
            commands[i].run(m, rest);
            return;
        }
    }
    print("%s: no such command; try help\r\n", line);
}

void guest_fault(unsigned long cause, unsigned long pc, unsigned long value)
{
    print("\r\nfault: cause %u at 0x%x, value 0x%x\r\n", cause, pc, value);
    sbi_stop(false);
}

void guest_main(unsigned long hart, const void *tree)
{
    struct machine machine;
    char line[LINE_MAX];

    sbi_init();
    machine_read(&machine, tree);
    print("\r\nHello from RISC-V: hart %u of %u, %u MiB of memory.\r\n", hart,
          (unsigned long)machine.harts, machine.memory_size >> 20);
    print("Type help for the commands.\r\n");
    for (;;) {
        line_read("hello> ", line, machine.ticks_per_second / 100);
        run_line(&machine, line);
    }
}
