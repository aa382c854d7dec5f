/*
 * Single steps and breakpoints, and what holds them back.
 */
#include "cpu.h"

#ifdef __x86_64__
#define R(name) "%r" name
#define OR      "orq"
#else
#define R(name) "%e" name
#define OR      "orl"
#endif

/* Steps through @insns; labels of the places in front of each are name_0 and so on. */
#define STEPPER(name, insns)                                                                  \
    void name(void);                                                                          \
    __asm__(".pushsection .text\n" #name ": mov %ss, %ecx; pushf; pushf; " OR " $0x100, (" R( \
        "sp") "); popf\n" insns "\n" #name "_end: popf\n" #name "_out: ret\n.popsection\n");  \
    extern const char name##_end[], name##_out[]

STEPPER(plain, "nop; plain_1: nop");
extern const char plain_1[];
STEPPER(loads_ss, "nop; loads_ss_1: mov %ecx, %ss; nop; loads_ss_3: nop");
extern const char loads_ss_1[], loads_ss_3[];
STEPPER(sets_if, "sti; sets_if_1: cli");
extern const char sets_if_1[];
STEPPER(repeats, "push " R("si") "; repeats_1: mov $3, %ecx; repeats_2: mov " R("sp") ", " R(
                     "si") "; repeats_3: rep lodsb; repeats_4: pop " R("si"));
extern const char repeats_1[], repeats_2[], repeats_3[], repeats_4[];
STEPPER(calls, "call 1f; calls_1: jmp calls_end; 1: ret");
extern const char calls_1[];
#ifndef __x86_64__
STEPPER(pops_ss, "push %ss; pops_ss_1: pop %ss; nop; pops_ss_3: nop");
extern const char pops_ss_1[], pops_ss_3[];
#endif

static void check(void (*fn)(void), const char *name, unsigned n, const void *const *expected)
{
    nsteps = 0;
    dr6_seen = 0;
    fn();
    bool good = nsteps == n && (dr6_seen & 0xffff) == 0x4ff0;
    for (unsigned k = 0; k < n; k++)
        good &= steps[k] == (word)expected[k];
    ok(good, name);
    for (unsigned k = 0; !good && k < nsteps; k++)
        note("step", steps[k], k < n ? (word)expected[k] : 0);
    if (!good)
        note("dr6", dr6_seen, 0xffff4ff0);
}

#define CHECK(fn, name, ...)                                                  \
    do {                                                                      \
        static const void *const at_[] = { __VA_ARGS__, fn##_end, fn##_out }; \
        check(fn, name, sizeof(at_) / sizeof(at_[0]), at_);                   \
    } while (0)

/* ---- Debug registers ---- */

static uint32_t watched[2] __attribute__((aligned(8)));

void runs_into(void);
__asm__(".pushsection .text\nruns_into: nop\nbreak_here: nop; ret\n.popsection");
extern const char break_here[];

static void writes_watched(void)
{
    __asm__ volatile("movl $1, watched; after_watch: nop" : : : "memory");
}
extern const char after_watch[];

static void changes_watched(void)
{
    __asm__ volatile("addl $1, watched; after_change: nop" : : : "memory");
}
extern const char after_change[];

static void set_break(const void *at, word dr7)
{
    __asm__ volatile("mov %0, %%db0; mov %1, %%db7" : : "r"(at), "r"(dr7));
}

static void check_break(void (*fn)(void), const void *at, word dr7, const void *where,
                        const char *name)
{
    nsteps = 0;
    dr6_seen = 0;
    set_break(at, dr7);
    fn();
    set_break(NULL, 0x400);
    ok(nsteps == 1 && steps[0] == (word)where && (dr6_seen & 0xf) == 1, name);
    if (nsteps != 1 || steps[0] != (word)where || (dr6_seen & 0xf) != 1) {
        note("steps", nsteps, 1);
        note("at", steps[0], (word)where);
        note("dr6", dr6_seen, 0xffff0ff1);
    }
}

void test_stepping(void)
{
    out8(0x21, 0xff); /* no interrupts */
    out8(0xa1, 0xff);
    CHECK(plain, "single step", plain_1);
    CHECK(loads_ss, "no step behind a load of SS", loads_ss_1, loads_ss_3);
#ifndef __x86_64__
    CHECK(pops_ss, "no step behind POP SS", pops_ss_1, pops_ss_3);
#endif
    CHECK(sets_if, "STI does not keep off single steps", sets_if_1);
    CHECK(repeats, "a step for each repetition", repeats_1, repeats_2, repeats_3, repeats_3,
          repeats_3, repeats_4);
    check_break(runs_into, break_here, 0x402, break_here, "breakpoint on an instruction");
    check_break(writes_watched, watched, 0xd0402, after_watch, "breakpoint on a write");
    check_break(changes_watched, watched, 0xd0402, after_change, "on a change");
    check_break(changes_watched, watched, 0xf0402, after_change, "on any access");
}
