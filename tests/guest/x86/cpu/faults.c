/*
 * Page faults: error code, CR2, what is restored, and that nothing was stored before.
 */
#include "cpu.h"

enum { RF = 1 << 16, ERR_P = 1, ERR_W = 2 };

static uint8_t page[3 * 4096] __attribute__((aligned(4096)));
static uint8_t *const pages[3] = { page, page + 4096, page + 8192 };

static void nothing(void *at)
{
    (void)at;
}
static void add_byte(void *at)
{
    __asm__ volatile("addb $1, (%0)" : : "r"(at) : "memory");
}
static void shift_word(void *at)
{
    __asm__ volatile("shlw $1, (%0)" : : "r"(at) : "memory");
}
static void lock_add(void *at)
{
    __asm__ volatile("lock addl $1, (%0)" : : "r"(at) : "memory");
}
static void set_bit(void *at)
{
    __asm__ volatile("btsl $3, (%0)" : : "r"(at) : "memory");
}
static void load4(void *at)
{
    __asm__ volatile("movl (%0), %%eax" : : "r"(at) : "eax");
}
static void compare(void *at)
{
    __asm__ volatile("cmpl $1, (%0)" : : "r"(at) : "cc");
}
static void store4(void *at)
{
    __asm__ volatile("movl $-1, (%0)" : : "r"(at) : "memory");
}
static void store16(void *at)
{
    __asm__ volatile("pcmpeqb %%xmm0, %%xmm0; movups %%xmm0, (%0)" : : "r"(at) : "memory");
}
static void store32(void *at)
{
    __asm__ volatile("vpcmpeqb %%xmm0, %%xmm0, %%xmm0; vinsertf128 $1, %%xmm0, %%ymm0, %%ymm0\n"
                     "vmovups %%ymm0, (%0)"
                     :
                     : "r"(at)
                     : "memory");
}
static void save512(void *at)
{
    __asm__ volatile("fxsave (%0)" : : "r"(at) : "memory");
}
static void save108(void *at)
{
    __asm__ volatile("fnsave (%0)" : : "r"(at) : "memory");
}
static void store10(void *at)
{
    __asm__ volatile("fninit; fldpi; fstpt (%0)" : : "r"(at) : "memory");
}
static void exchange8(void *at)
{
    __asm__ volatile("lock cmpxchg8b (%0)"
                     :
                     : "r"(at), "a"(0), "d"(0), "b"(-1), "c"(-1)
                     : "memory", "cc");
}

/* A fault with this error code at this address; and the memory that could be written is zero. */
static void faults(void (*fn)(void *), void *at, unsigned err, void *where, const char *name)
{
    int vector = try(fn, at);
    bool clean = true;

    page_bits(pages[0], PTE_P | PTE_W);
    page_bits(pages[1], PTE_P | PTE_W);
    for (unsigned k = 0; k < 8192; k++)
        clean &= !page[k];
    ok(vector == PF && met.error == err && met_cr2 == (word)where && met.flags & RF && clean, name);
    if (vector != PF)
        note("vector", vector, PF);
    else if (met.error != err || met_cr2 != (word)where || !(met.flags & RF) || !clean) {
        note("error", met.error, err);
        note("cr2", met_cr2, (word)where);
        note("clean", clean, 1);
    }
    for (unsigned k = 0; k < 8192; k++)
        page[k] = 0;
}

/* An access at @at of @n bytes, some in pages[0] and some in pages[1]. */
static void crossing(void (*fn)(void *), uint8_t *at, const char *name)
{
    print("# ");
    print(name);
    print("\n");
    page_bits(pages[1], 0);
    faults(fn, at, ERR_W, pages[1], "the second page is not there");
    page_bits(pages[1], PTE_P);
    faults(fn, at, ERR_W | ERR_P, pages[1], "the second page is read-only");
    page_bits(pages[0], 0);
    faults(fn, at, ERR_W, at, "the first page is not there");
    page_bits(pages[0], 0);
    page_bits(pages[1], 0);
    faults(fn, at, ERR_W, at, "neither is there");
}

static void changes(void (*fn)(void *), const char *name)
{
    print("# ");
    print(name);
    print("\n");
    page_bits(pages[0], 0);
    faults(fn, pages[0] + 8, ERR_W, pages[0] + 8, "not there: fault as for a write");
    page_bits(pages[0], PTE_P);
    faults(fn, pages[0] + 8, ERR_W | ERR_P, pages[0] + 8, "read-only: fault as for a write");
}

static void move_up(void *at)
{
    uint8_t *from = pages[2], *to = at;
    word n = 64;

    __asm__ volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(n) : : "memory");
}

static void repeated(void)
{
    for (unsigned k = 0; k < 4096; k++)
        page[8192 + k] = k + 1;
    page_bits(pages[1], 0);
    is(try(move_up, pages[1] - 20), PF, "REP MOVS to a page that is not there");
    is(met_cr2, (word)pages[1], "its address");
    is(met.cx, 44, "what is left of it");
    is(met.di, (word)pages[1], "where it has got");
    is(met.si, (word)pages[2] + 20, "and from where");
    is(*(volatile uint8_t *)(pages[1] - 1), 20, "what it has stored");
    page_bits(pages[1], PTE_P | PTE_W);
    for (unsigned k = 0; k < 64; k++)
        page[4096 - 32 + k] = 0;
}

#ifdef __x86_64__
static void load4_frame(void *at)
{
    __asm__ volatile("push %%rbp; mov %0, %%rbp; movl (%%rbp), %%eax; pop %%rbp"
                     :
                     : "r"(at)
                     : "eax");
}
static void store4_frame(void *at)
{
    __asm__ volatile("push %%rbp; mov %0, %%rbp; movl $-1, (%%rbp); pop %%rbp"
                     :
                     : "r"(at)
                     : "memory");
}
/* An access of four bytes or more that begins below the hole and ends in it (volume 1, 3.3.7.1). */
static void canonical(void (*fn)(void *), unsigned vector, const char *name)
{
    bool good = true;

    for (unsigned below = 1; below < 4; below++) {
        good &= try(fn, (void *)((1UL << 47) - below)) == (int)vector && !met.error;
        good &= try(fn, (void *)((1UL << 47) + (below << 12))) == (int)vector && !met.error;
    }
    ok(good && try(fn, (void *)((1UL << 47) - 32)) == PF, name);
}

static void at_the_hole(void)
{
    canonical(load4, GP, "a load across the last canonical address");
    canonical(store4, GP, "a store");
    canonical(lock_add, GP, "LOCK ADD");
    canonical(store16, GP, "MOVUPS");
    canonical(exchange8, GP, "LOCK CMPXCHG8B");
    canonical(load4_frame, SS, "a load by the frame pointer");
    canonical(store4_frame, SS, "a store by it");
}
#endif

static bool use_avx(void)
{
    uint32_t r[4];

    cpuid(1, r);
    if (!(r[2] >> 26 & 1) || !(r[2] >> 28 & 1))
        return false;
    __asm__ volatile("mov %%cr4, %0; or $0x40000, %0; mov %0, %%cr4; xsetbv"
                     :
                     : "r"((word)0), "a"(7), "d"(0), "c"(0));
    return true;
}

void test_faults(void)
{
    uint8_t *end = pages[1];

    is(try(nothing, NULL), -1, "nothing does not fault");
    page_bits(pages[0], 0);
    faults(load4, pages[0] + 4, 0, pages[0] + 4, "a load from a page that is not there");
    page_bits(pages[0], 0);
    faults(compare, pages[0] + 4, 0, pages[0] + 4, "CMP with memory is a load");
    changes(add_byte, "ADD");
    changes(shift_word, "SHL");
    changes(lock_add, "LOCK ADD");
    changes(set_bit, "BTS");
    changes(exchange8, "CMPXCHG8B");
    crossing(store4, end - 2, "MOV");
    crossing(lock_add, end - 3, "LOCK ADD");
    crossing(exchange8, end - 4, "LOCK CMPXCHG8B");
    crossing(store10, end - 9, "FSTP of ten bytes");
    crossing(store16, end - 1, "MOVUPS");
    if (use_avx()) {
        crossing(store32, end - 1, "VMOVUPS, first half across");
        crossing(store32, end - 16, "VMOVUPS, a half on each");
        crossing(store32, end - 31, "VMOVUPS, second half across");
    }
    crossing(save108, end - 54, "FNSAVE");
    crossing(save512, end - 256, "FXSAVE");
    repeated();
#ifdef __x86_64__
    at_the_hole();
#endif
}
