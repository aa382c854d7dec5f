/*
 * Tests of an x86 processor as system software sees it, run from a multiboot loader in 32-bit or
 * 64-bit code without an operating system. Output, as TAP, goes to the first serial port; the end
 * to isa-debug-exit at 0x501.
 */
#ifndef CPU_H
#define CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uintptr_t word;

/* What the exception stubs push. */
struct frame {
#ifdef __x86_64__
    word ax, cx, dx, bx, bp, si, di, r[8];
#else
    word di, si, bp, sp_unused, bx, dx, cx, ax;
#endif
    word vector, error, ip, cs, flags, sp, ss;
};

enum { DB = 1, UD = 6, SS = 12, GP = 13, PF = 14, TIMER = 32 };
enum { PTE_P = 1, PTE_W = 2 };

/* The last exception that was met, and what CR2 was then. */
extern struct frame met;
extern word met_cr2;
/* Addresses that #DB reported, while stepping. */
extern word steps[64];
extern unsigned nsteps;
extern word dr6_seen;

/* Runs @fn(@arg); if it raises, the vector, else -1. */
int try(void (*fn)(void *), void *arg);

void ok(bool good, const char *name);
void note(const char *what, word got, word expected);
/* ok() if equal, else with a note(). */
void is(word got, word expected, const char *name);
void print(const char *text);
void print_hex(word v);

/* The page of @addr gets these bits (PTE_); those of others stay. */
void page_bits(void *addr, unsigned bits);

static inline void out8(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" : : "a"(v), "d"(port));
}
static inline uint8_t in8(uint16_t port)
{
    uint8_t v;
    __asm__ volatile("inb %1, %0" : "=a"(v) : "d"(port));
    return v;
}
static inline void cpuid(uint32_t leaf, uint32_t r[4])
{
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "0"(leaf), "2"(0));
}

void test_code(void);     /* code.c */
void test_faults(void);   /* faults.c */
void test_stepping(void); /* step.c */
void test_time(void);     /* time.c */
void tick(struct frame *f);
void test_smp(void); /* smp.c */

#endif
