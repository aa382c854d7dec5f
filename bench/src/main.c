/*
 * main.c - one static program: the benchmark's work, and init of its guest.
 *
 *   PROGRAM list                   groups and pieces, one group a line
 *   PROGRAM run NAME [PERCENT]     do a piece, print "seconds checksum"
 *   PROGRAM nop                    exit at once
 *
 * As process 1 it is the guest's init (init.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "init.h"
#include "work.h"

const char *self_path;

static const struct group groups[] = {
    { "int", int_works },   { "call", call_works }, { "mem", mem_works },
    { "fp", fp_works },     { "simd", simd_works }, { "rvv", rvv_works },
    { "avx2", avx2_works }, { "sys", sys_works },   { "smp", smp_works },
};

enum { GROUPS = sizeof(groups) / sizeof(groups[0]) };

uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

void *need(size_t size)
{
    void *p = malloc(size);

    if (!p) {
        fprintf(stderr, "no memory\n");
        exit(1);
    }
    return p;
}

char *make_text(size_t size)
{
    static const char *const parts[] = { "ka", "lo", "mi",  "ren", "sta", "tu",  "vor", "win",
                                         "e",  "an", "dis", "ser", "po",  "qua", "zi",  "hum" };
    uint64_t seed = 42;
    char *text = need(size + 1);
    size_t at = 0;

    while (at + 24 < size) {
        /* squaring favours small numbers: a few words are frequent, as in language */
        uint64_t r = random_next(&seed) % 4096;
        uint64_t word = r * r / 4096;

        for (int i = 0; i < 3; i++, word >>= 4) {
            const char *part = parts[word & 15];

            at = stpcpy(text + at, part) - text;
        }
        text[at++] = r % 11 == 0 ? '\n' : ' ';
    }
    memset(text + at, '.', size - at);
    text[size] = 0;
    return text;
}

static int list(void)
{
    for (int g = 0; g < GROUPS; g++) {
        printf("%s", groups[g].name);
        for (const struct work *w = groups[g].works; w->name; w++)
            printf(" %s", w->name);
        printf("\n");
    }
    return 0;
}

static int run(const char *name, int percent)
{
    for (int g = 0; g < GROUPS; g++) {
        for (const struct work *w = groups[g].works; w->name; w++) {
            long n = w->n * percent / 100;
            uint64_t start, sum;

            if (strcmp(w->name, name) != 0)
                continue;
            start = now_ns();
            sum = w->run(n > 0 ? n : 1);
            printf("%.6f %016llx\n", (now_ns() - start) / 1e9, (unsigned long long)sum);
            return 0;
        }
    }
    fprintf(stderr, "no work is called %s\n", name);
    return 2;
}

int main(int argc, char **argv)
{
    if (getpid() == 1)
        return init_main();
    self_path = argv[0];
    if (argc == 2 && strcmp(argv[1], "nop") == 0)
        return 0;
    if (argc == 2 && strcmp(argv[1], "list") == 0)
        return list();
    if ((argc == 3 || argc == 4) && strcmp(argv[1], "run") == 0)
        return run(argv[2], argc == 4 ? atoi(argv[3]) : 100);
    fprintf(stderr, "usage: %s list | run NAME [PERCENT] | nop\n", argv[0]);
    return 2;
}
