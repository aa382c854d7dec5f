/*
 * What is delicate where somebody else runs the code, in 32-bit code with PAE paging and in 64-bit
 * code: short snippets, each of which is run between known registers; what came of it (interrupts
 * and exceptions with the place where they were taken, registers, memory) is said at the debug
 * console, port 0xe9. Whoever runs it must say the same, byte for byte.
 */
#ifndef CORNERS_H
#define CORNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uintptr_t word;

/* What the entries of the IDT leave on the stack. */
struct frame {
#ifdef __x86_64__
    word r[8];
#else
    word es, ds;
#endif
    word di, si, bp, unused, bx, dx, cx, ax;
    word vector, error, ip, cs, flags;
    word sp, ss; /* of 64-bit code, or from ring 3 */
};

/* Registers before and after a snippet, which is called as a function. */
struct regs {
    word ax, bx, cx, dx, si, di, flags;
};

enum { DB = 1, NMI = 2, UD = 6, DF = 8, GP = 13, PF = 14 };
enum { PIC = 0x20, SELF = 0x40, PIN = 0x41, LOW = 0x31, HIGH = 0x61, LVT = 0x42, SPURIOUS = 0xff };
enum { APIC = 0xfee00000, IOAPIC = 0xfec00000, HPET = 0xfed00000 };
enum { CODE = 8, DATA = 16, USER_CODE = 0x33, USER_DATA = 0x2b };
enum { FLAG_CF = 1, FLAG_TF = 0x100, FLAG_IF = 0x200, FLAGS_SHOWN = 0x8d5 };
enum { PAGE = 4096, BIG_PAGE = 2 << 20 };
enum { P = 1, W = 2, U = 4, A = 0x20, D = 0x40, BIG = 0x80 };

/* SNIPPET(name, text): code in assembler, which ends with a return of its own. */
#define SNIPPET(name, text)                                                               \
    extern const uint8_t name[];                                                          \
    __asm__(".pushsection .text\n" #name ":\n" text "\n ret\n.size " #name ", . - " #name \
            "\n.popsection")

/* The stack's and the address registers' names in both kinds of code. */
#ifdef __x86_64__
#define R(name)   "%r" #name
#define WORD_MOVE "movq"
#define BITS      64
#else
#define R(name)   "%e" #name
#define WORD_MOVE "movl"
#define BITS      32
#endif

/* main.c */
void say(const char *text);
void say_hex(uint64_t v, unsigned digits);
/* What was met since forget(), as "vector@place" with the error code where there is one. */
void forget(void);
void tell(void);
void tell_sorted(void); /* by vectors */
void forget_but(unsigned n);
unsigned met_count(void);
/* Runs @code; a fault ends it. */
void run(const uint8_t *code, struct regs *r);
/* The same, with a name in front and what was met behind. */
void probe(const char *name, const uint8_t *code, struct regs *r);
/* Called for each interrupt and each NMI, or NULL. */
extern void (*volatile hook)(struct frame *f);
/* Whether #DB goes on where it was, instead of ending the snippet. */
extern bool stepping;
extern word fault_address; /* CR2 of the last #PF */
void wait_a_little(void);
/* Sets the 8259s up as at the start, which drops edges that wait in them. */
void make_pic(void);
/* Whether the kernel's command line has the word: what is to be left out. */
bool told(const char *word);

/* start.S: the tables that paging begins with; directory entries of 2 MiB for the first 4 GiB. */
extern uint64_t directory[2048], pdpt[512];
extern uint8_t ap_start[], ap_end[];
struct descriptor {
    uint32_t low, high;
};
extern struct descriptor gdt[], idt[];
extern uint32_t tss[];
void flush(void);

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
static inline void out32(uint16_t port, uint32_t v)
{
    __asm__ volatile("outl %0, %1" : : "a"(v), "d"(port));
}
static inline volatile uint32_t *reg32(word at)
{
    return (volatile uint32_t *)at;
}
static inline uint64_t rdmsr(uint32_t n)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(n));
    return (uint64_t)high << 32 | low;
}
static inline void wrmsr(uint32_t n, uint64_t v)
{
    __asm__ volatile("wrmsr" : : "c"(n), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}
static inline void cpuid(uint32_t leaf, uint32_t r[4])
{
    __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "0"(leaf), "2"(0));
}

/* apic.c: one request that waits while IF is clear. */
void arm_pic(void);
void arm_self(void);
void arm_pin(void);
void pit_oneshot(void);
void pin(unsigned n, uint32_t low);

void test_windows(void);
void test_apic(void);
void test_nmi(void);
void test_code(void);
void test_strings(void);
void test_mmio(void);
void test_paging(void);
void test_smp(void);

#endif
