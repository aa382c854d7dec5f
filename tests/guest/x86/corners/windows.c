/*
 * Where an interrupt that waits is taken: after what lets it in, and not one instruction later or
 * earlier (SDM 2, STI, MOV, POP; 3, 6.8.3). Each snippet is run with a request of the 8259
 * (ExtINT), of the local APIC itself, and of a pin of the I/O APIC; and stepped through.
 */
#include "corners.h"

SNIPPET(w_sti_cli, "sti\n cli");
SNIPPET(w_sti_nop, "sti\n nop\n cli");
SNIPPET(w_sti_sti, "sti\n sti\n nop\n cli");
SNIPPET(w_sti_nops, "sti\n nop\n nop\n nop\n cli");
SNIPPET(w_popf, "pushf\n orl $0x200, (" R(sp) ")\n popf\n nop\n cli");
SNIPPET(w_popf_cli, "pushf\n orl $0x200, (" R(sp) ")\n popf\n cli");
SNIPPET(w_sti_popf, "pushf\n sti\n popf\n nop\n cli");
SNIPPET(w_sti_ret, "call 1f\n nop\n cli\n ret\n 1: sti");
SNIPPET(w_sti_jump, "sti\n jmp 1f\n nop\n 1: nop\n cli");
SNIPPET(w_sti_loop, "movl $3, %ecx\n 1: sti\n loop 1b\n nop\n cli");
SNIPPET(w_hlt, "sti\n hlt\n nop\n cli");
SNIPPET(w_in, "sti\n inb $0x61, %al\n nop\n cli");
SNIPPET(w_out, "sti\n outb %al, $0x80\n nop\n cli");
SNIPPET(w_mmio, "sti\n movl 0xfed00000, %eax\n nop\n cli");
SNIPPET(w_rep, "mov $buffer, " R(di) "\n movl $9, %ecx\n sti\n nop\n rep stosb\n cli");
SNIPPET(w_rep_0, "mov $buffer, " R(di) "\n xorl %ecx, %ecx\n sti\n rep stosb\n nop\n cli");
SNIPPET(w_cpuid, "push " R(bx) "\n xorl %eax, %eax\n sti\n cpuid\n cli\n pop " R(
                     bx) "\n"
                         "xorl %eax, %eax\n xorl %ecx, %ecx\n xorl %edx, %edx");
SNIPPET(w_cr, "mov %cr0, " R(ax) "\n sti\n mov " R(ax) ", %cr0\n nop\n cli");
SNIPPET(w_int, "sti\n int $3\n cli");
SNIPPET(w_ud, "sti\n ud2");
#ifdef __x86_64__
SNIPPET(w_iret, "mov %ss, %eax\n mov %rsp, %rcx\n push %rax\n push %rcx\n pushf\n orl $0x200, "
                "(%rsp)\n push $8\n"
                "push $1f\n iretq\n 1: nop\n cli");
SNIPPET(w_pop_fs, "mov %fs, %eax\n push %rax\n sti\n pop %fs\n nop\n cli");
SNIPPET(
    w_sysret,
    "movq %rsp, %rbx\n movl $0xc0000081, %ecx\n xorl %eax, %eax\n movl $0x200008, %edx\n wrmsr\n"
    "movl $0xc0000082, %ecx\n movl $2f, %eax\n xorl %edx, %edx\n wrmsr\n"
    "movl $0xc0000084, %ecx\n movl $0x200, %eax\n wrmsr\n"
    "movl $1f, %ecx\n movl $0x202, %r11d\n xorl %eax, %eax\n sysretq\n"
    "1: nop\n nop\n syscall\n nop\n 2: nop\n movq %rbx, %rsp\n xorl %ecx, %ecx");
#else
SNIPPET(w_iret, "pushf\n orl $0x200, (%esp)\n push $8\n push $1f\n iret\n 1: nop\n cli");
SNIPPET(w_popss_alone, "push %ss\n pushf\n orl $0x200, (%esp)\n popf\n pop %ss\n nop\n cli");
SNIPPET(w_lss, "push %ss\n push %esp\n addl $4, (%esp)\n sti\n lss (%esp), %esp\n nop\n cli");
SNIPPET(
    w_sysexit,
    "movl %esp, %ebx\n movl $0x174, %ecx\n movl $8, %eax\n xorl %edx, %edx\n wrmsr\n"
    "incl %ecx\n movl %esp, %eax\n wrmsr\n incl %ecx\n movl $2f, %eax\n wrmsr\n"
    "movl %esp, %ecx\n movl $1f, %edx\n xorl %eax, %eax\n sti\n sysexit\n"
    "1: nop\n nop\n sysenter\n nop\n 2: nop\n movl %ebx, %esp\n xorl %edx, %edx\n xorl %ecx, %ecx\n"
    "movl %ss, %eax\n movl %eax, %ds\n movl %eax, %es\n xorl %eax, %eax");
#endif

/*
 * Lines that begin with "=" are of what the CPU of tests/full/kvmlab.t (QEMU's translator, 7.2 to
 * 11.1) does its own way, without a KVM, too: STI with IF set already holds interrupts up once
 * more, and so does a REP of nothing; a string instruction has a step more than repetitions.
 *
 * Rows with several of STI, MOV SS and POP SS in a row that let in the same interrupt are missing:
 * all but the first of them may hold it up or not (SDM 2, MOV), and QEMU's does not.
 */
static const struct {
    const char *name;
    const uint8_t *code;
    bool returns_to_ring_3;
} windows[] = {
    { "sti; cli", w_sti_cli, false },
    { "sti; nop; cli", w_sti_nop, false },
    { "sti; sti; nop", w_sti_sti, false },
    { "sti; nop; nop", w_sti_nops, false },
    { "popf; nop", w_popf, false },
    { "popf; cli", w_popf_cli, false },
    { "sti; popf without", w_sti_popf, false },
    { "sti; ret", w_sti_ret, false },
    { "sti; jmp", w_sti_jump, false },
    { "= sti; loop", w_sti_loop, false },
    { "sti; hlt", w_hlt, false },
    { "sti; in", w_in, false },
    { "sti; out", w_out, false },
    { "sti; mmio", w_mmio, false },
    { "sti; nop; rep stos", w_rep, false },
    { "= sti; rep stos of none", w_rep_0, false },
    { "sti; cpuid", w_cpuid, false },
    { "sti; mov cr0", w_cr, false },
    { "sti; int3", w_int, false },
    { "sti; ud2", w_ud, false },
    { "iret", w_iret, false },
#ifdef __x86_64__
    { "sti; pop fs", w_pop_fs, false },
    { "sysret", w_sysret, true },
#else
    { "popf; pop ss", w_popss_alone, false },
    { "sti; lss", w_lss, false },
    { "sti; sysexit", w_sysexit, true },
#endif
};

uint8_t buffer[64];

/* All memory is the user's, too, while a snippet goes to ring 3. */
static void open_memory(bool open)
{
    for (unsigned k = 0; k < 2; k++)
        directory[k] = open ? directory[k] | U : directory[k] & ~(uint64_t)U;
    flush();
}

static void quiet(void)
{
    pin(2, 0x10000);
    make_pic(); /* the pin's edge waits in the 8259 */
}

/* Which of two is taken first is the controllers' to choose (KVM's give the 8259's way before the
 * local APIC's): they are said by vectors. */
static void arm_both(void)
{
    arm_pic();
    arm_self();
}

static void all(const char *name, void (*arm)(void))
{
    say(name);
    say("\n");
    for (unsigned k = 0; k < sizeof(windows) / sizeof(windows[0]); k++) {
        struct regs r = { 0 };

        open_memory(windows[k].returns_to_ring_3);
        arm();
        say(windows[k].name);
        say(":");
        forget();
        run(windows[k].code, &r);
        for (unsigned n = 0; n < 2; n++) /* where the snippet did not let it in */
            __asm__ volatile("sti\n nop\n cli");
        (arm == arm_both ? tell_sorted : tell)();
        open_memory(false);
        quiet();
    }
}

/* ---- single steps, and what holds them up ---- */

SNIPPET(s_plain, "pushf\n orl $0x100, (" R(sp) ")\n popf\n nop\n nop\n pushf\n andl $~0x100, (" R(
                     sp) ")\n popf\n nop");
SNIPPET(s_rep, "mov $buffer, " R(di) "\n movl $3, %ecx\n pushf\n orl $0x100, (" R(
                   sp) ")\n popf\n rep stosb\n"
                       "pushf\n andl $~0x100, (" R(sp) ")\n popf\n nop");
SNIPPET(s_out, "pushf\n orl $0x100, (" R(
                   sp) ")\n popf\n outb %al, $0x80\n inb $0x61, %al\n movl 0xfed00000, %eax\n"
                       "pushf\n andl $~0x100, (" R(sp) ")\n popf\n nop\n xorl %eax, %eax");
SNIPPET(s_int, "pushf\n orl $0x100, (" R(sp) ")\n popf\n int $3\n nop\n pushf\n andl $~0x100, (" R(
                   sp) ")\n popf\n nop");
SNIPPET(s_jump, "movl $2, %ecx\n pushf\n orl $0x100, (" R(
                    sp) ")\n popf\n 1: loop 1b\n call 2f\n"
                        "pushf\n andl $~0x100, (" R(sp) ")\n popf\n nop\n ret\n 2: nop");
SNIPPET(s_sti,
        "pushf\n orl $0x100, (" R(sp) ")\n popf\n sti\n nop\n cli\n pushf\n andl $~0x100, (" R(
            sp) ")\n popf\n nop");
SNIPPET(s_cpuid, "push " R(bx) "\n xorl %eax, %eax\n pushf\n orl $0x100, (" R(
                     sp) ")\n popf\n cpuid\n nop\n"
                         "pushf\n andl $~0x100, (" R(sp) ")\n popf\n nop\n pop " R(
                             bx) "\n"
                                 "xorl %eax, %eax\n xorl %ecx, %ecx\n xorl %edx, %edx");
SNIPPET(s_icebp, ".byte 0xf1\n nop");

static void steps(void)
{
    struct regs r = { 0 };

    stepping = true;
    probe("steps", s_plain, &r);
    probe("= steps, rep", s_rep, &r);
    probe("steps, in and out", s_out, &r);
    probe("steps, int3", s_int, &r);
    probe("steps, loop and call", s_jump, &r);
    probe("steps, sti", s_sti, &r);
    probe("steps, cpuid", s_cpuid, &r);
    probe("icebp", s_icebp, &r);
    stepping = false;
}

void test_windows(void)
{
    all("-- windows, 8259", arm_pic);
    all("-- windows, local APIC", arm_self);
    all("-- windows, I/O APIC", arm_pin);
    all("-- windows, 8259 and local APIC", arm_both);
    steps();
}
