/*
 * A guest that says whether the host's CPU runs privileged code by itself: a loop of instructions
 * that only the kernel may use and that hardware virtualisation leaves to the CPU.
 */
#include "kvm.h"
#include "sys.h"

/* 1: cli; mov %cr2, %eax; sldt %bx; dec %ecx; jnz 1b; hlt */
static const uint8_t code[] = { 0xfa, 0x0f, 0x20, 0xd0, 0x66, 0x0f,
                                0x00, 0xc3, 0x49, 0x75, 0xf5, 0xf4 };
enum { INSNS = 5 };

static void flat(struct kvm_segment *s, unsigned type)
{
    *s = (struct kvm_segment){ .limit = UINT32_MAX,
                               .type = (__u8)type,
                               .present = 1,
                               .s = 1,
                               .db = 1,
                               .g = 1,
                               .selector = type == 11 ? 8 : 16 };
}

/* 32-bit code without paging: real mode is emulated on some hosts that are fast otherwise. */
unsigned kvm_x86_set_trial(int vcpu, uint8_t *page, unsigned rounds)
{
    struct kvm_regs regs = { .rflags = FLAG_FIXED, .rcx = rounds };
    struct kvm_sregs s;

    memcpy(page, code, sizeof(code));
    if (ioctl(vcpu, KVM_GET_SREGS, &s) < 0)
        return 0;
    flat(&s.cs, 11);
    flat(&s.ds, 3);
    s.es = s.fs = s.gs = s.ss = s.ds;
    s.cr0 |= CR0_PE;
    if (ioctl(vcpu, KVM_SET_SREGS, &s) < 0 || ioctl(vcpu, KVM_SET_REGS, &regs) < 0)
        return 0;
    return rounds * INSNS + 1;
}
