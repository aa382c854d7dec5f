/*
 * Pages: accessed and dirty bits, error codes, faults while faults are delivered; and what 64-bit
 * code and segments refuse.
 *
 * Lines that begin with "=" are of what QEMU's translator (11.1), the CPU of tests/full/kvmlab.t,
 * does against the manual, without a KVM, too: it reads before it writes (ADD, and CMPXCHG where
 * there is one CPU: error codes of a read), has no P in the code of a reserved bit and no EXT in
 * that of a gate, takes the fault of an IRET at its target, and checks neither FS's base nor STOS's
 * addresses.
 * A read up to the hole in addresses is #GP or, in the lab alone, #PF from run to run; KVM with
 * nested paging takes no part in either.
 */
#include "corners.h"

enum { SLOT = 301, WP = 0x10000, MSR_EFER = 0xc0000080, NXE = 0x800 };
#define NX (1ULL << 63)
#define AT ((word)SLOT * BIG_PAGE)

static uint64_t table[512] __attribute__((aligned(4096)));
static uint8_t frames[4][PAGE] __attribute__((aligned(4096)));

static void map(unsigned n, uint64_t bits)
{
    table[n] = (word)frames[n & 3] | bits;
    directory[SLOT] = (word)table | P | W | U;
    flush();
}

SNIPPET(g_read, "movl (" R(di) "), %eax");
SNIPPET(g_write, "movl %eax, (" R(di) ")");
SNIPPET(g_rmw, "addl $1, (" R(di) ")");
SNIPPET(g_cmpxchg, "movl $-1, %eax\n lock cmpxchgl %ecx, (" R(di) ")");
SNIPPET(g_exec, "call *" R(di));
SNIPPET(g_enter, "lea (" R(di) "), " R(sp) "\n ud2");
SNIPPET(g_segment, "movw $0x48 + 0x1000, %ax\n movw %ax, %gs");
SNIPPET(g_int, "int $0x80\n nop");
SNIPPET(g_ud, "ud2");
SNIPPET(g_absent, "movw $0x50, %ax\n movw %ax, %gs");
SNIPPET(g_absent_ss, "movw $0x50, %ax\n movw %ax, %ss");
SNIPPET(g_code_ss, "movw $8, %ax\n movw %ax, %ss");
#ifdef __x86_64__
SNIPPET(g_data_cs, "pushq $0x10\n pushq $1f\n lretq\n 1: nop");
#else
SNIPPET(g_data_cs, "pushl $0x10\n pushl $1f\n lretl\n 1: nop");
#endif

static void try(const char *name, const uint8_t *code, unsigned n, unsigned offset)
{
    struct regs r = { .di = AT + n * PAGE + offset, .ax = 0x11, .cx = 0x22 };

    fault_address = 0;
    say(name);
    say(":");
    forget();
    run(code, &r);
    for (unsigned k = 0; k < 2;
         k++) { /* whether a fault leaves "accessed" is the processor's to choose */
        say(" ");
        say_hex(table[n + k] & 0xfff & ~(fault_address ? A : 0), 3);
    }
    if (fault_address) {
        say(" at ");
        say_hex(fault_address, BITS / 4);
    }
    tell();
}

static void set_wp(bool on)
{
    word cr0;

    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    cr0 = on ? cr0 | WP : cr0 & ~(word)WP;
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0));
}

static void accesses(void)
{
    static const uint64_t kinds[] = { P | W, P, W, P | W | A, P | W | A | D };

    for (unsigned k = 0; k < 5; k++) {
        say("page ");
        say_hex(kinds[k], 2);
        say("\n");
        for (unsigned what = 0; what < 4; what++) {
            static const uint8_t *const codes[] = { g_read, g_write, g_rmw, g_cmpxchg };
            static const char *const names[] = { "read", "write", "= add", "= cmpxchg" };

            map(8, kinds[k]);
            map(9, kinds[k]);
            try(names[what], codes[what], 8, 0);
            map(8, kinds[k]);
            try(names[what], codes[what], 8, 0xffe);
        }
    }
    map(8, P | W);
    map(9, P);
    try("write across, the second not to be written", g_write, 8, 0xffe);
    map(9, 0);
    try("write across, the second not there", g_write, 8, 0xffe);
    try("= add across, the second not there", g_rmw, 8, 0xffe);
    map(8, 0);
    map(9, P | W);
    try("write across, the first not there", g_write, 8, 0xffe);
    set_wp(false);
    map(8, P);
    try("write without WP", g_write, 8, 0);
    set_wp(true);
    map(8, P | W);
    directory[SLOT] = AT | P | W | BIG | 1 << 13;
    flush();
    try("= reserved bit", g_read, 8, 0);
    directory[SLOT] = 0;
    flush();
    try("no table", g_write, 8, 0);
    say("directory: ");
    map(8, P | W);
    directory[SLOT] &= ~(uint64_t)A;
    flush();
    try("read", g_read, 8, 0);
    say_hex(directory[SLOT] & 0xfff, 3);
    directory[SLOT] = AT | P | W | BIG;
    flush();
    try("\nlarge page, write", g_write, 8, 0);
    say_hex(directory[SLOT] & 0xfff, 3);
    say("\n");
}

static void not_to_be_run(void)
{
    bool on = rdmsr(MSR_EFER) & NXE;

    if (!on)
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | NXE);
    frames[0][0] = 0xc3;
    map(8, P | W);
    try("call", g_exec, 8, 0);
    map(8, P | W | NX);
    try("call, not to be run", g_exec, 8, 0);
    try("read, not to be run", g_read, 8, 0);
    map(8, W);
    try("call, not there", g_exec, 8, 0);
    if (!on)
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) & ~(uint64_t)NXE);
}

/* ---- faults while another is delivered ---- */

static void set_gate(unsigned vector, uint32_t off, uint32_t on)
{
    uint32_t *high = &idt[vector * (BITS / 32)].high;

    *high = (*high & ~off) | on;
}

static void nested(void)
{
#ifdef __x86_64__
    static uint8_t stack[1024] __attribute__((aligned(16)));

    tss[9] = (uint32_t)(word)stack + sizeof(stack); /* IST 1 */
    set_gate(DF, 7, 1);
    map(8, 0);
    try("no stack for an exception", g_enter, 8, 0x800);
    set_gate(DF, 7, 0);
#endif
    set_gate(UD, 0x8000, 0);
    try("= a gate that is not there", g_ud, 8, 0);
    set_gate(UD, 0, 0x8000);
    set_gate(UD, 0x1f00, 0);
    try("= no gate", g_ud, 8, 0);
    set_gate(UD, 0, 0xe00);
    set_gate(0x80, 0x8000, 0);
    try("int, a gate that is not there", g_int, 8, 0);
    set_gate(0x80, 0, 0x8000);
    try("a segment beyond the table", g_segment, 8, 0);
    gdt[10].high &= ~0x8000u;
    try("a segment that is not there", g_absent, 8, 0);
    try("a stack that is not there", g_absent_ss, 8, 0);
    gdt[10].high |= 0x8000u;
    try("code as a stack", g_code_ss, 8, 0);
    try("data as code", g_data_cs, 8, 0);
}

/* ---- ring 3 ---- */

#ifdef __x86_64__
#define RING_3                                                                                   \
    "movq %rsp, %rbx\n pushq $0x2b\n pushq %rbx\n pushq $2\n pushq $0x33\n pushq $1f\n iretq\n " \
    "1: nop\n"
#else
#define RING_3                                                                                    \
    "movl $0x2b, %ebx\n movl %ebx, %ds\n movl %ebx, %es\n movl %esp, %ebx\n pushl $0x2b\n pushl " \
    "%ebx\n"                                                                                      \
    "pushl $2\n pushl $0x33\n pushl $1f\n iretl\n 1: nop\n"
#endif

SNIPPET(u_read, RING_3 "movl (" R(di) "), %eax\n ud2");
SNIPPET(u_write, RING_3 "movl %eax, (" R(di) ")\n ud2");
SNIPPET(u_exec, RING_3 "jmp *" R(di));
SNIPPET(u_hlt, RING_3 "hlt");
SNIPPET(u_cli, RING_3 "cli");
SNIPPET(u_in, RING_3 "inb $0x61, %al");
SNIPPET(u_outs, RING_3 "movw $0xe9, %dx\n outsb");
SNIPPET(u_int, RING_3 "int $0x80");
SNIPPET(u_int_open, RING_3 "int $0x81\n nop\n ud2");
SNIPPET(u_cr, RING_3 "mov %cr0, " R(ax));
SNIPPET(u_lgdt, RING_3 "lgdt (" R(di) ")");
SNIPPET(u_msr, RING_3 "rdmsr");
SNIPPET(u_popf, RING_3 "pushf\n orl $0x3200, (" R(sp) ")\n popf\n pushf\n pop " R(ax) "\n ud2");
SNIPPET(u_sgdt, RING_3 "smsw %ax\n ud2");
SNIPPET(u_step, RING_3 "pushf\n orl $0x100, (" R(sp) ")\n popf\n nop\n nop\n ud2");

static void ring_3(void)
{
    static const struct {
        const char *name;
        const uint8_t *code;
        uint64_t page;
    } rows[] = {
        { "read", u_read, P | W | U },
        { "read, not the user's", u_read, P | W },
        { "write", u_write, P | W | U },
        { "write, only to be read", u_write, P | U },
        { "write, not there", u_write, U | W },
        { "run, not the user's", u_exec, P },
        { "hlt", u_hlt, P },
        { "cli", u_cli, P },
        { "in", u_in, P },
        { "outs", u_outs, P },
        { "int 80", u_int, P },
        { "int 81", u_int_open, P },
        { "mov cr0", u_cr, P },
        { "lgdt", u_lgdt, P },
        { "rdmsr", u_msr, P },
        { "popf", u_popf, P },
        { "smsw", u_sgdt, P },
        { "step", u_step, P },
    };

    say("-- ring 3\n");
    set_gate(0x81, 0, 0x6000);
    for (unsigned k = 0; k < 2; k++)
        directory[k] |= U;
#ifdef __x86_64__
    pdpt[0] |= U;
#endif
    for (unsigned k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
        map(8, rows[k].page);
        stepping = rows[k].code == u_step;
        try(rows[k].name, rows[k].code, 8, 0);
    }
    stepping = false;
    for (unsigned k = 0; k < 2; k++)
        directory[k] &= ~(uint64_t)U;
    flush();
}

#ifdef __x86_64__
/* ---- addresses that are none ---- */

#define NOWHERE "movabs $0x800000000000, %rdi\n"
SNIPPET(h_read, NOWHERE "movl (%rdi), %eax");
SNIPPET(h_last, NOWHERE "movl -2(%rdi), %eax");
SNIPPET(h_jump, NOWHERE "jmp *%rdi");
SNIPPET(h_call, NOWHERE "call *%rdi");
SNIPPET(h_ret, NOWHERE "push %rdi\n ret");
SNIPPET(h_iret, NOWHERE
        "movq %rsp, %rbx\n pushq $0x10\n pushq %rbx\n pushq $2\n pushq $8\n pushq %rdi\n iretq");
SNIPPET(h_base, "movl $0xc0000100, %ecx\n xorl %eax, %eax\n movl $0x8000, %edx\n wrmsr");
SNIPPET(h_invlpg, NOWHERE "invlpg (%rdi)\n xorl %edi, %edi");
SNIPPET(h_msr, "movl $0x12345, %ecx\n rdmsr");
SNIPPET(h_cr0, "movl $0x80000000, %eax\n movq %rax, %cr0");
SNIPPET(h_cr4, "xorl %eax, %eax\n movq %rax, %cr4");
SNIPPET(h_cr3, "mov %cr3, %rax\n btsq $63, %rax\n movq %rax, %cr3");
SNIPPET(h_into, ".byte 0x06");

static void long_mode(void)
{
    static const struct {
        const char *name;
        const uint8_t *code;
    } rows[] = {
        { "read", h_read },
        { "= read up to it", h_last },
        { "jmp", h_jump },
        { "call", h_call },
        { "ret", h_ret },
        { "= iret", h_iret },
        { "= base of FS", h_base },
        { "invlpg", h_invlpg },
        { "no such MSR", h_msr },
        { "CR0 without PE", h_cr0 },
        { "CR4 without PAE", h_cr4 },
        { "push es", h_into },
        { "CR3 with bit 63", h_cr3 }, /* the lab's CPU takes it, and cannot enter then */
    };
    unsigned n = sizeof(rows) / sizeof(rows[0]) - told("no-cr3");

    say("-- long mode\n");
    for (unsigned k = 0; k < n; k++)
        try(rows[k].name, rows[k].code, 8, 0);
}
#endif

void flush(void)
{
    word cr3;

    __asm__ volatile("mov %%cr3, %0\n mov %0, %%cr3" : "=r"(cr3) : : "memory");
}

void test_paging(void)
{
    say("-- pages\n");
    accesses();
    not_to_be_run();
    nested();
    ring_3();
#ifdef __x86_64__
    long_mode();
#endif
    directory[SLOT] = AT | P | W | BIG;
    flush();
}
