/*
 * Exceptions, pages, output; and the tests in turn.
 */
#include "cpu.h"

struct frame met;
word met_cr2, steps[64], dr6_seen;
unsigned nsteps;

extern const word stubs[33];
extern word page_table[];
extern uint8_t idt[], idtr[];
extern void *jump_back[5];

static unsigned tests, failures;

/* ---- Output ---- */

static void put(char c)
{
    while (!(in8(0x3fd) & 0x20))
        ;
    out8(0x3f8, c);
}

void print(const char *text)
{
    while (*text)
        put(*text++);
}

void print_hex(word v)
{
    for (int shift = sizeof(v) * 8 - 4; shift >= 0; shift -= 4)
        put("0123456789abcdef"[v >> shift & 15]);
}

static void print_number(unsigned n)
{
    if (n >= 10)
        print_number(n / 10);
    put('0' + n % 10);
}

void ok(bool good, const char *name)
{
    if (!good)
        failures++;
    print(good ? "ok " : "not ok ");
    print_number(++tests);
    print(" - ");
    print(name);
    put('\n');
}

void note(const char *what, word got, word expected)
{
    print("# ");
    print(what);
    print(": ");
    print_hex(got);
    print(", expected ");
    print_hex(expected);
    put('\n');
}

void is(word got, word expected, const char *name)
{
    ok(got == expected, name);
    if (got != expected)
        note(name, got, expected);
}

/* ---- Exceptions ---- */

static void *place[5];
static bool trying;

void trap(struct frame *f)
{
    if (f->vector == DB) {
        __asm__ volatile("mov %%db6, %0" : "=r"(dr6_seen));
        __asm__ volatile("mov %0, %%db6" : : "r"((word)0xffff0ff0));
        if (nsteps < 64)
            steps[nsteps++] = f->ip;
        f->flags |= 1 << 16; /* RF: not once more the same breakpoint */
        return;
    }
    if (f->vector == TIMER) {
        tick(f);
        return;
    }
    met = *f;
    __asm__ volatile("mov %%cr2, %0" : "=r"(met_cr2));
    if (!trying) {
        print("Bail out! exception\n");
        note("vector", f->vector, -1);
        note("address", f->ip, 0);
        note("cr2", met_cr2, 0);
        out8(0x501, 1);
    }
    __builtin_longjmp(place, 1);
}

int __attribute__((noinline)) try(void (*fn)(void *), void *arg)
{
    int vector = -1;

    trying = true;
    if (!__builtin_setjmp(place))
        fn(arg);
    else
        vector = met.vector;
    trying = false;
    return vector;
}

static void set_gate(unsigned n, word to)
{
    uint8_t *g = idt + n * (sizeof(word) == 8 ? 16 : 8);
    uint16_t cs = sizeof(word) == 8 ? 0x18 : 0x08;

    *(uint16_t *)g = to;
    *(uint16_t *)(g + 2) = cs;
    *(uint16_t *)(g + 4) = 0x8e00;
    *(uint16_t *)(g + 6) = to >> 16;
    if (sizeof(word) == 8)
        *(uint32_t *)(g + 8) = (uint64_t)to >> 32;
}

/* ---- Pages ---- */

void page_bits(void *addr, unsigned bits)
{
    word *entry = &page_table[(word)addr >> 12];

    *entry = (*entry & ~(word)7) | bits;
    __asm__ volatile("invlpg (%0)" : : "r"(addr) : "memory");
}

void main(void)
{
    for (unsigned n = 0; n < 33; n++)
        set_gate(n, stubs[n]);
    out8(0x3fb, 3); /* eight bits */
    test_code();
    test_faults();
    test_stepping();
    test_time();
    test_smp();
    print("1..");
    print_number(tests);
    put('\n');
    out8(0x501, failures ? 1 : 0);
    for (;;)
        __asm__ volatile("hlt");
}
