/*
 * Instructions that change the code behind themselves: the very next instruction is the new one.
 * Each stores the variable `value` over the operand of a MOV that follows at once; the function
 * returns what that MOV loaded.
 */
#include "cpu.h"

uint32_t value;

#ifdef __x86_64__
#define R(name) "%r" name
#else
#define R(name) "%e" name
#endif
#define SAVE    "push " R("bx") "; push " R("si") "; push " R("di") "; mov " R("sp") ", " R("bp") "\n"
#define RESTORE "mov " R("bp") ", " R("sp") "; pop " R("di") "; pop " R("si") "; pop " R("bx") "\n"

/* @store and, at label 1, the instruction that it changes. */
#define CHANGER(name, store)                                      \
    word name(void);                                              \
    __asm__(".pushsection .text\n.balign 64\n" #name ": push " R( \
        "bp") "\n" SAVE store "\n1: mov $0, %eax\n" RESTORE "pop " R("bp") "; ret\n.popsection")

CHANGER(by_mov8, "mov value, %cl; mov %cl, 1f + 1");
CHANGER(by_mov32, "mov value, %ecx; mov %ecx, 1f + 1");
CHANGER(by_movs, "mov $value, %esi; mov $1f + 1, %edi; movsl");
CHANGER(by_rep_movs, "mov $value, %esi; mov $1f + 1, %edi; mov $4, %ecx; rep movsb");
CHANGER(by_stos, "mov value, %eax; mov $1f + 1, %edi; stosl");
CHANGER(by_add, "mov value, %eax; sub 1f + 1, %eax; add %eax, 1f + 1");
CHANGER(by_xchg, "mov value, %eax; xchg %eax, 1f + 1");
CHANGER(by_lock_add, "mov value, %eax; sub 1f + 1, %eax; lock add %eax, 1f + 1");
CHANGER(by_cmpxchg, "mov 1f + 1, %eax; mov value, %ecx; lock cmpxchg %ecx, 1f + 1");
CHANGER(by_cmpxchg8b, "mov 1f, %eax; mov 1f + 4, %edx; mov %edx, %ecx; mov value, %ebx\n"
                      "shl $8, %ebx; mov $0xb8, %bl; lock cmpxchg8b 1f");
CHANGER(by_fistp, "fildl value; fistpl 1f + 1");
CHANGER(by_fstp, "flds value; fstps 1f + 1");
CHANGER(by_movd, "movd value, %mm0; movd %mm0, 1f + 1");
CHANGER(by_movups, "movups 1f, %xmm0; mov value, %eax; shl $8, %eax; mov $0xb8, %al\n"
                   "pinsrw $0, %eax, %xmm0; shr $16, %eax; pinsrw $1, %eax, %xmm0\n"
                   "movups %xmm0, 1f");
/* 64-bit code pushes the four bytes behind the operand, too: they stay. */
CHANGER(by_push, "mov value, %eax; mov $1f + 1, %esp\n"
#ifdef __x86_64__
                 "mov (%rsp), %rcx; shr $32, %rcx; shl $32, %rcx; or %rcx, %rax\n"
#endif
                 "lea "
#ifdef __x86_64__
                 "8(%rsp), %rsp; push %rax"
#else
                 "4(%esp), %esp; push %eax"
#endif
);
#ifndef __x86_64__
/* Of eight words the last one, EDI, is the operand's; the others lie behind the code. */
CHANGER(by_pusha, "mov value, %edi; mov $1f + 33, %esp; mov 1f + 5, %esi; mov %ebp, saved\n"
                  "mov 1f + 9, %ebp; mov 1f + 17, %ebx; mov 1f + 21, %edx; mov 1f + 25, %ecx\n"
                  "mov 1f + 29, %eax; jmp 2f\n"
                  "1: mov $0, %eax; jmp 3f; .balign 4; .skip 40\n"
                  "2: pusha; jmp 1b\n3: mov saved, %ebp\n" RESTORE "pop %ebp; ret");
word saved;
#endif

/* Images with the code in a register's place. */
#define IMAGE(name, load, store, offset)                                                      \
    word name(void);                                                                          \
    __asm__(".pushsection .text\n.balign 64\n" #name ": push " R(                             \
        "bp") "\n" SAVE "movb $0xb8, code_image; mov value, %eax; mov %eax, code_image + 1\n" \
              "mov 8f + " #offset " + 5, %eax; mov %eax, code_image + 5; mov 8f + " #offset   \
              " + 9, %eax\n"                                                                  \
              "mov %eax, code_image + 9\n" load "; " store " 8f\n"                            \
              "jmp 8f + " #offset "\n.balign 64\n8: .skip " #offset "\n"                      \
              "mov $0, %eax; jmp 9f; nop; nop; nop; nop; nop; nop; nop; nop\n.skip 512\n"     \
              "9: " RESTORE "pop " R("bp") "; ret\n.popsection")

uint8_t code_image[16] __attribute__((aligned(16)));
IMAGE(in_fxsave, "movups code_image, %xmm0", "fxsave", 160);
IMAGE(in_fnsave, "fninit; fldt code_image", "fnsave", 28);

/* Adds 100 to 1, each an operand that was stored just before; modulo 256. */
word in_a_loop(void);
__asm__(".pushsection .text\n.balign 64\nin_a_loop: xor %eax, %eax; mov $100, %ecx\n"
        "1: mov %cl, 2f + 1; 2: add $0x11111111, %eax; and $0xff, %eax\n"
        "dec %ecx; jne 1b; ret\n.popsection");

static void check(word (*changer)(void), const char *name)
{
    static const uint32_t values[] = { 1, 2, 2, 0x123456 };
    bool good = true;

    for (unsigned k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
        value = values[k];
        word got = changer(), want = changer == by_mov8 ? (uint8_t)value : value;
        if (got != want)
            note(name, got, want);
        good &= got == want;
    }
    ok(good, name);
}

void test_code(void)
{
    check(by_mov8, "MOV of a byte changes the next instruction");
    check(by_mov32, "so does MOV of four bytes");
    check(by_movs, "MOVS");
    check(by_rep_movs, "REP MOVS");
    check(by_stos, "STOS");
    check(by_add, "ADD");
    check(by_xchg, "XCHG");
    check(by_lock_add, "LOCK ADD");
    check(by_cmpxchg, "CMPXCHG");
    check(by_cmpxchg8b, "CMPXCHG8B");
    check(by_fistp, "FISTP");
    check(by_fstp, "FSTP");
    check(by_movd, "MOVD");
    check(by_movups, "MOVUPS");
    check(by_push, "PUSH");
#ifndef __x86_64__
    check(by_pusha, "PUSHA");
#endif
    check(in_fxsave, "FXSAVE with the next instruction in its image");
    check(in_fnsave, "FNSAVE with the next instruction in its image");
    is(in_a_loop(), 5050 & 0xff, "a loop that changes its own instruction each time round");
}
