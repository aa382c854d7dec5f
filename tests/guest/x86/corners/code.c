/*
 * Code that is changed before it runs: just ahead, behind, by itself, in the next page, by a string
 * instruction, by DMA. The processor must run what memory has (SDM 3, 12.1.3, and 9.1.3).
 */
#include "corners.h"

enum { FW_SELECT = 0x510, FW_DMA = 0x514, FW_READ = 2, FW_SIGNATURE = 0 };

#ifdef __x86_64__
#define FULL_OF_NOPS "movabs $0x9090909090909090, %rax\n"
#define PAD          ".fill 4, 1, 0x90\n"
#else
#define PAD
#define FULL_OF_NOPS "movl $0x90909090, %eax\n"
#endif

/* Snippets are run where they were linked, and so change themselves for good: each is run once. */
SNIPPET(c_ahead, "movb $2, 1f + 1\n 1: movb $1, %al\n movzbl %al, %eax");
SNIPPET(c_ahead_far, "movl $5, 1f + 1\n nop\n nop\n nop\n nop\n 1: movl $1, %eax");
SNIPPET(c_word, "movw $0xc031, 1f\n 1: .byte 0x31, 0xc9");
SNIPPET(c_back, "xorl %eax, %eax\n movl $4, %ecx\n 1: addl $1, %eax\n incb 1b + 2\n loop 1b");
SNIPPET(c_loop, "xorl %eax, %eax\n movl $300, %ecx\n 1: addl $1, %eax\n cmpl $100, %ecx\n jne 2f\n "
                "movb $3, 1b + 2\n"
                "2: loop 1b");
SNIPPET(c_call, "movb $7, 2f + 1\n call 2f\n movb $8, 2f + 1\n addl %eax, %edx\n call 2f\n addl "
                "%eax, %edx\n ret\n"
                "2: movl $1, %eax");
SNIPPET(c_rep, "mov $1f, " R(
                   di) "\n movl $8, %ecx\n movb $0x40, %al\n movl $0x100, %edx\n cld\n rep stosb\n"
                       "1: .fill 8, 1, 0x90\n movl %eax, %edx");
SNIPPET(c_jump, "movb $2f - 1f, 1f - 1\n jmp 1f\n 1: movl $1, %eax\n ret\n 2: movl $2, %eax");
SNIPPET(c_to_ud, "movw $0x0b0f, 1f\n movl $1, %eax\n 1: nop\n nop");
SNIPPET(c_push,
        "mov " R(sp) ", " R(bx) "\n mov $2f, " R(sp) "\n " FULL_OF_NOPS
                                                     "push " R(ax) "\n 1: ud2\n ud2\n" PAD
                                                                   "2: mov " R(bx) ", " R(sp));
SNIPPET(c_xchg, "movl $0x42424242, %eax\n xorl %edx, %edx\n xchgl %eax, 1f + 1\n lock incb 1f + "
                "1\n 1: movl $1, %edx");
SNIPPET(c_sse, "movl $0x00000009, %eax\n movd %eax, %xmm0\n movd %xmm0, 1f + 1\n 1: movl $1, %edx");
SNIPPET(
    c_dma,
    "movl $1f + 1, %eax\n bswapl %eax\n movl %eax, dma + 12\n movl $dma, %eax\n bswapl %eax\n movl "
    "%eax, %ecx\n"
    "movw $0x514, %dx\n xorl %eax, %eax\n outl %eax, %dx\n addw $4, %dx\n movl %ecx, %eax\n outl "
    "%eax, %dx\n"
    "xorl %ecx, %ecx\n 2: testl $0xffffffff, dma\n jnz 2b\n 1: movl $1, %edx\n xorl %eax, %eax");
SNIPPET(
    c_io,
    "mov $1f + 1, " R(
        di) "\n movw $0x510, %dx\n xorl %eax, %eax\n outw %ax, %dx\n incl %edx\n movl $4, %ecx\n"
            "cld\n rep insb\n 1: movl $1, %eax\n xorl %edi, %edi");

/* control, length, address: all big-endian (fw_cfg's interface). */
uint32_t dma[4] __attribute__((aligned(16)));

/* Two pages of code: what is in the second changes what runs at the end of the first, and back. */
static uint8_t pages[3 * PAGE] __attribute__((aligned(4096), section(".data")));

static void put(uint8_t **to, const void *from, unsigned n)
{
    for (const uint8_t *p = from; n--;)
        *(*to)++ = *p++;
}

/* mov $V, %eax over the border of two pages, and ret; its operand is changed each time. */
static void across(void)
{
    for (unsigned before = 1; before < 5; before++) {
        uint8_t *p = pages + PAGE - before;
        struct regs r = { 0 };

        put(&p, "\xb8\x01\x02\x03\x04\xc3", 6);
        say("across pages, ");
        say_hex(before, 1);
        say(":");
        for (unsigned k = 0; k < 5; k++) {
            if (k)
                ((volatile uint8_t *)pages)[PAGE - before + k] = (uint8_t)(0x10 * k);
            run(pages + PAGE - before, &r);
            say(" ");
            say_hex(r.ax, 8);
        }
        say("\n");
    }
}

/* A function in one page changes one in the next page, and the other way round; over and over. */
static void next_page(void)
{
    uint32_t at = (uint32_t)(word)pages;
    uint8_t *p = pages;
    struct regs r = { .cx = 5 };

    /* 1: incb second + 2; call second; loop 1b; ret; second: addl $1, %eax; incb first's; ret */
    put(&p, "\xfe\x04\x25", BITS == 64 ? 3 : 0);
    if (BITS == 32)
        put(&p, "\xfe\x05", 2);
    at += PAGE + 2;
    put(&p, &at, 4);
    put(&p, "\xe8", 1);
    at = (uint32_t)(PAGE - (p + 4 - pages));
    put(&p, &at, 4);
    put(&p, "\xe2", 1);
    *p = (uint8_t)(pages - (p + 1));
    p++;
    put(&p, "\xc3", 1);
    p = pages + PAGE;
    put(&p, "\x83\xc0\x01\xc3", 4);
    run(pages, &r);
    say("next page: ");
    say_hex(r.ax, 8);
    say("\n");
}

/* The same place through another address, and another page behind the same address. */
static void by_alias(void)
{
    uint64_t saved = directory[300];
    volatile uint8_t *alias =
        (volatile uint8_t *)(300u * BIG_PAGE) + ((word)pages & (BIG_PAGE - 1));
    struct regs r = { 0 };

    directory[300] = ((word)pages & ~(word)(BIG_PAGE - 1)) | P | W | BIG;
    flush();
    for (unsigned k = 0; k < 6; k++)
        pages[k] = (uint8_t) "\xb8\x01\x02\x03\x04\xc3"[k];
    say("by another address:");
    for (unsigned k = 1; k < 4; k++) {
        alias[k] = (uint8_t)(0xa0 + k);
        run(pages, &r);
        say(" ");
        say_hex(r.ax, 8);
    }
    for (unsigned k = 1; k < 3; k++) {
        pages[k] = (uint8_t)(0xb0 + k);
        run((const uint8_t *)alias, &r);
        say(" ");
        say_hex(r.ax, 8);
    }
    say("\nanother page:");
    for (unsigned k = 0; k < 3; k++) {
        uint8_t *there = (uint8_t *)((4 + k) * (word)BIG_PAGE);

        for (unsigned n = 0; n < 6; n++)
            there[n] = (uint8_t) "\xb8\x01\x02\x03\x04\xc3"[n];
        there[1] = (uint8_t)(0xc0 + k);
        directory[300] = (word)there | P | W | BIG;
        flush();
        run((const uint8_t *)(300u * (word)BIG_PAGE), &r);
        say(" ");
        say_hex(r.ax, 8);
    }
    say("\n");
    directory[300] = saved;
    flush();
}

void test_code(void)
{
    static const struct {
        const char *name;
        const uint8_t *code;
    } rows[] = {
        { "just ahead", c_ahead },
        { "a little ahead", c_ahead_far },
        { "another instruction", c_word },
        { "behind", c_back },
        { "in a loop", c_loop },
        { "called", c_call },
        { "by rep stos", c_rep },
        { "a jump", c_jump },
        { "to ud2", c_to_ud },
        { "by push", c_push },
        { "by xchg", c_xchg },
        { "by sse", c_sse },
        { "by dma", c_dma },
        { "by ins", c_io },
    };

    say("-- code\n");
    dma[0] = __builtin_bswap32(FW_SIGNATURE << 16 | 8 | FW_READ);
    dma[1] = __builtin_bswap32(4);
    for (unsigned k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
        struct regs r = { 0 };

        probe(rows[k].name, rows[k].code, &r);
    }
    across();
    next_page();
    by_alias();
}
