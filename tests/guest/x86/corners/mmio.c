/*
 * Devices' memory: every size and kind of access, at every place: in a device, across its pages,
 * and across the border between RAM and a device. The device is a VGA whose planes are written all
 * at once and read one at a time, which makes its window of 64 KiB at 0xa0000 behave as memory
 * does.
 */
#include "corners.h"

enum { WINDOW = 0xa0000, SHOWN = 16 };

#define MEM(text) text " (" R(di) ")"

SNIPPET(m_load8, "xorl %eax, %eax\n movb (" R(di) "), %al\n movzbl (" R(di) "), %ecx\n movsbl (" R(
                     di) "), %edx");
SNIPPET(m_load16, "xorl %eax, %eax\n movw (" R(di) "), %ax\n movzwl (" R(di) "), %ecx\n movswl (" R(
                      di) "), %edx");
SNIPPET(m_load32, "movl (" R(di) "), %eax\n movl 3(" R(di) "), %ecx");
SNIPPET(m_load_f, "mov (" R(di) "), %ax\n mov 1(" R(di) "), %ah\n mov 2(" R(di) "), %ch");
SNIPPET(m_store8, "movb %al, (" R(di) ")\n movb $0x5a, 2(" R(di) ")\n movb %ch, 4(" R(di) ")");
SNIPPET(m_store16, "movw %ax, (" R(di) ")\n movw $0x5aa5, 5(" R(di) ")");
SNIPPET(m_store32, "movl %eax, (" R(di) ")\n movl $0x12345678, 7(" R(di) ")");
SNIPPET(m_store_nt, "movnti %eax, (" R(di) ")");
SNIPPET(m_add, "addl %eax, (" R(di) ")");
SNIPPET(m_adcb, "stc\n adcb $0x7f, (" R(di) ")");
SNIPPET(m_sbbw, "stc\n sbbw %cx, (" R(di) ")");
SNIPPET(m_and, "andl $0x0ff0f00f, (" R(di) ")");
SNIPPET(m_orb, "orb %al, (" R(di) ")");
SNIPPET(m_xor, "xorl %ecx, (" R(di) ")");
SNIPPET(m_inc, "incw (" R(di) ")");
SNIPPET(m_dec, "decl (" R(di) ")");
SNIPPET(m_not, "notl (" R(di) ")");
SNIPPET(m_neg, "negb (" R(di) ")");
SNIPPET(m_shl, "shll $4, (" R(di) ")");
SNIPPET(m_ror, "movl $5, %ecx\n rorl %cl, (" R(di) ")");
SNIPPET(m_cmp, "cmpl %eax, (" R(di) ")");
SNIPPET(m_test, "testb $0x81, (" R(di) ")");
SNIPPET(m_alu, "addl (" R(di) "), %eax\n xorl 1(" R(di) "), %ecx\n subl 2(" R(di) "), %edx");
SNIPPET(m_xchg, "xchgl %eax, (" R(di) ")\n xchgb %cl, 4(" R(di) ")");
SNIPPET(m_xadd, "lock xaddl %eax, (" R(di) ")");
SNIPPET(m_lock_inc, "lock incl (" R(di) ")");
SNIPPET(m_lock_or, "lock orw %ax, (" R(di) ")");
SNIPPET(m_cmpxchg, "movl (" R(di) "), %eax\n lock cmpxchgl %ecx, (" R(di) ")");
SNIPPET(m_cmpxchg_no, "xorl %eax, %eax\n lock cmpxchgl %ecx, (" R(di) ")");
SNIPPET(m_cmpxchg8b, "movl (" R(di) "), %eax\n movl 4(" R(
                         di) "), %edx\n movl $0xabcdef01, %ebx\n lock cmpxchg8b (" R(di) ")");
SNIPPET(m_cmpxchg8b_no, "xorl %eax, %eax\n lock cmpxchg8b (" R(di) ")");
SNIPPET(m_bts, "btsl $9, (" R(di) ")\n btl $40, (" R(di) ")\n movl $35, %ecx\n lock btcl %ecx, (" R(
                   di) ")");
SNIPPET(m_mul, "mull (" R(di) ")\n imull (" R(di) "), %ecx");
SNIPPET(m_div, "xorl %edx, %edx\n movl $0x7fffffff, %eax\n divw (" R(di) ")");
SNIPPET(m_pop, "push $0x77\n pop (" R(di) ")");
SNIPPET(m_scan, "bsfl (" R(di) "), %eax\n bsrl 1(" R(di) "), %ecx");
SNIPPET(m_shld, "shldl $3, %eax, (" R(di) ")\n movb $5, %cl\n shrdw %cl, %dx, 1(" R(di) ")");
SNIPPET(m_rcl, "stc\n rcll $3, (" R(di) ")\n rcrb (" R(di) ")");
SNIPPET(m_cmov, "stc\n cmovcl (" R(di) "), %eax\n cmovnc (" R(di) "), %cx");
SNIPPET(m_system,
        "smsw (" R(di) ")\n str 3(" R(di) ")\n sldt 5(" R(di) ")\n mov %ss, 8(" R(di) ")");
SNIPPET(m_push, "push (" R(di) ")\n pop " R(ax));
SNIPPET(m_setcc, "stc\n setc (" R(di) ")\n setnc 1(" R(di) ")");
SNIPPET(m_movs, "mov " R(di) ", " R(
                    si) "\n addl $2, %edi\n cld\n movl $2, %ecx\n rep movsl\n xorl %esi, %esi");
SNIPPET(m_stos, "movl $5, %ecx\n cld\n rep stosw");
SNIPPET(m_cmps, "mov " R(di) ", " R(
                    si) "\n incl %esi\n movl $9, %ecx\n cld\n repe cmpsb\n xorl %esi, %esi");
SNIPPET(m_lods,
        "mov " R(di) ", " R(si) "\n cld\n lodsl\n movl %eax, %edx\n lodsb\n xorl %esi, %esi");
SNIPPET(m_sse,
        "movups (" R(di) "), %xmm0\n movups %xmm0, room16\n movups room16 + 4, %xmm1\n movups "
                         "%xmm1, (" R(di) ")\n"
                                          "movl room16, %eax\n movl room16 + 12, %ecx");
SNIPPET(
    m_sse_int,
    "movdqu (" R(di) "), %xmm0\n movdqu %xmm0, room16\n movl room16 + 8, %eax\n movdqu %xmm0, 1(" R(
        di) ")");
SNIPPET(m_call, "mov $1f, " R(ax) "\n movl %eax, (" R(di) ")\n movl $0, 4(" R(
                    di) ")\n xorl %eax, %eax\n"
                        "call *(" R(di) ")\n movl $2f, (" R(di) ")\n jmp *(" R(
                            di) ")\n 1: incl %eax\n ret\n 2: incl %eax\n movl $0, (" R(di) ")");
#ifdef __x86_64__
SNIPPET(m_load64, "movq (%rdi), %rax\n movslq 2(%rdi), %rcx");
SNIPPET(m_store64, "movq %rax, (%rdi)\n movq $-5, 8(%rdi)");
SNIPPET(m_add64, "addq %rax, (%rdi)\n lock decq 8(%rdi)");
SNIPPET(m_xchg64, "xchgq %rax, (%rdi)");
#endif

uint8_t room16[32] __attribute__((aligned(16)));

static const struct {
    const char *name;
    const uint8_t *code;
    bool needs_memory; /* at the place, or what behaves so */
} rows[] = {
    /* Not among them, as Linux' KVM (6.12) cannot do them to devices, nor with QEMU on it: it gives
     * up at CMPXCHG16B, POPCNT, STMXCSR and the FPU's, and begins SGDT, SIDT and LGDT over and
     * over. */
    { "load 8", m_load8, 0 },
    { "load 16", m_load16, 0 },
    { "load 32", m_load32, 0 },
    { "load high", m_load_f, 0 },
    { "store 8", m_store8, 0 },
    { "store 16", m_store16, 0 },
    { "store 32", m_store32, 0 },
    { "movnti", m_store_nt, 0 },
    { "add", m_add, 0 },
    { "adc", m_adcb, 0 },
    { "sbb", m_sbbw, 0 },
    { "and", m_and, 0 },
    { "or", m_orb, 0 },
    { "xor", m_xor, 0 },
    { "inc", m_inc, 0 },
    { "dec", m_dec, 0 },
    { "not", m_not, 0 },
    { "neg", m_neg, 0 },
    { "shl", m_shl, 0 },
    { "ror", m_ror, 0 },
    { "cmp", m_cmp, 0 },
    { "test", m_test, 0 },
    { "alu", m_alu, 0 },
    { "xchg", m_xchg, 0 },
    { "lock xadd", m_xadd, 0 },
    { "lock inc", m_lock_inc, 0 },
    { "lock or", m_lock_or, 0 },
    { "cmpxchg", m_cmpxchg, 0 },
    { "cmpxchg, other", m_cmpxchg_no, 0 },
    { "cmpxchg8b", m_cmpxchg8b, 0 },
    { "cmpxchg8b, other", m_cmpxchg8b_no, 0 },
    { "bts, bt, btc", m_bts, 0 },
    { "mul, imul", m_mul, 0 },
    { "div", m_div, 0 },
    { "push", m_push, 0 },
    { "pop", m_pop, 0 },
    { "bsf, bsr", m_scan, 0 },
    { "shld, shrd", m_shld, 0 },
    { "rcl, rcr", m_rcl, 0 },
    { "cmov", m_cmov, 0 },
    { "smsw, str, sldt, mov ss", m_system, 0 },
    { "setc", m_setcc, 0 },
    { "movs", m_movs, 0 },
    { "stos", m_stos, 0 },
    { "cmps", m_cmps, 0 },
    { "lods", m_lods, 0 },
    { "movups", m_sse, 0 },
    { "movdqu", m_sse_int, 0 },
    { "call, jmp", m_call, 1 },
#ifdef __x86_64__
    { "load 64", m_load64, 0 },
    { "store 64", m_store64, 0 },
    { "add 64", m_add64, 0 },
    { "xchg 64", m_xchg64, 0 },
#endif
};

static void index(uint16_t port, uint8_t n, uint8_t v)
{
    out8(port, n);
    out8(port + 1, v);
}

/* Graphics, 64 KiB at 0xa0000, all planes; @chained: byte by byte to one of the four. */
static void set_vga(bool chained)
{
    out8(0x3c2, 0x63);
    index(0x3c4, 2, 15);
    index(0x3c4, 4, chained ? 14 : 6);
    index(0x3ce, 0, 0);
    index(0x3ce, 1, 0);
    index(0x3ce, 3, 0);
    index(0x3ce, 4, 0);
    index(0x3ce, 5, 0x40);
    index(0x3ce, 6, 5);
    index(0x3ce, 8, 0xff);
}

static void fill(volatile uint8_t *at)
{
    for (unsigned k = 0; k < SHOWN; k++)
        at[k] = (uint8_t)(0x3c + 0x1d * k);
}

static void access(unsigned row, word at)
{
    struct regs r = { .ax = 0x87654321, .cx = 0x1f2e3d4c, .dx = 0x0badcafe, .di = at };
    volatile uint8_t *p = (volatile uint8_t *)at;

    fill(p);
    say(rows[row].name);
    say(":");
    forget();
    run(rows[row].code, &r);
    for (unsigned k = 0; k < 4; k++) {
        say(" ");
        say_hex((&r.ax)[k], BITS / 4);
    }
    say(" ");
    say_hex(r.di - at, 2);
    say(" ");
    for (unsigned k = 0; k < SHOWN; k++)
        say_hex(p[k], 2);
    tell();
}

static void all(const char *name, word at, bool memory)
{
    say("-- ");
    say(name);
    say("\n");
    for (unsigned k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
        if (memory || !rows[k].needs_memory)
            access(k, at);
}

/* Where the device itself says what size came: the local APIC and the I/O APIC take 32 bits alone.
 */
static void sizes(void)
{
    volatile uint8_t *hpet = (volatile uint8_t *)HPET;

    say("hpet: ");
    for (unsigned k = 0; k < 8; k++)
        say_hex(hpet[k], 2);
    say_hex(*(volatile uint16_t *)(hpet + 1), 4);
    say_hex(*(volatile uint16_t *)(hpet + 3), 4);
    say_hex(*(volatile uint32_t *)(hpet + 2), 8);
    say_hex(*(volatile uint32_t *)(hpet + 0x3fe), 8);
    say("\nend of the I/O APIC: ");
    say_hex(*(volatile uint32_t *)(word)(IOAPIC + 0xffe), 8);
    say("\nnobody: ");
    say_hex(*(volatile uint32_t *)(word)0xfea00000, 8);
    *(volatile uint32_t *)(word)0xfea00000 = 5;
    say_hex(*(volatile uint32_t *)(word)0xfea00000, 8);
    say("\nROM: ");
    say_hex(*(volatile uint32_t *)(word)0xfffffff0 != 0, 1);
    *(volatile uint32_t *)(word)0xffffff00 = *(volatile uint32_t *)(word)0xffffff00 + 1;
    say("\n");
}

void test_mmio(void)
{
    set_vga(false);
    all("a device", WINDOW + 0x100, true);
    all("a device, not aligned", WINDOW + 0x203, true);
    all("across its pages", WINDOW + 0x1ffd, true);
    all("from memory to a device", WINDOW - 3, false);
    all("off the end", WINDOW + 0xfffe, false);
    set_vga(true);
    all("a device as memory", WINDOW + 0x300, true);
    all("across pages of it", WINDOW + 0x2ffe, true);
    set_vga(false);
    sizes();
}
