/*
 * Trap dispatch and redirection.
 */
#include "trap.h"
#include "console.h"
#include "csr.h"
#include "hart.h"
#include "sbi.h"

void trap_ecall(struct frame *frame)
{
    frame->mepc += 4;
    sbi_dispatch(frame->x + 10);
}

void trap_interrupt(struct frame *frame, unsigned long cause)
{
    (void)frame;
    switch (cause & ~CAUSE_INTERRUPT) {
    case IRQ_MSI: hart_read_mail(); break;
    case IRQ_MTI: timer_expired(); break;
    }
}

void trap_exception(struct frame *frame, unsigned long cause)
{
    struct trap trap = { cause, csr_read(CSR_MTVAL) };
    bool done = false;

    switch (cause) {
    case EXC_ILLEGAL: done = emulate_illegal(frame, &trap); break;
    case EXC_LOAD_MISALIGNED:
    case EXC_STORE_MISALIGNED: done = emulate_misaligned(frame, &trap); break;
    }
    if (!done) {
        trap_redirect(frame, &trap);
    }
}

/*
 * A trap out of a guest of the hypervisor extension goes to HS-mode: hstatus takes note of where it
 * came from, as the hart itself would do (Privileged Architecture, "Trap Entry" of that extension).
 */
static void leave_guest(struct frame *frame, bool from_s)
{
    uint64_t mpv = MSTATUS64_MPV, gva = MSTATUS64_GVA, mstatus = frame->mstatus;
    unsigned long hstatus;

#if __riscv_xlen == 32
    unsigned long high = 0;

    csr_try_read(CSR_MSTATUSH, &high);
    mstatus |= (uint64_t)high << 32;
#endif
    if (!csr_try_read(CSR_HSTATUS, &hstatus)) {
        return;
    }
    hstatus &= ~(HSTATUS_SPV | HSTATUS_GVA);
    if (mstatus & mpv) {
        hstatus &= ~HSTATUS_SPVP;
        hstatus |= HSTATUS_SPV | (from_s ? HSTATUS_SPVP : 0);
    }
    hstatus |= mstatus & gva ? HSTATUS_GVA : 0;
    csr_write(CSR_HSTATUS, hstatus);
#if __riscv_xlen == 32
    csr_try_write(CSR_MSTATUSH, high & ~(mpv >> 32));
#else
    frame->mstatus &= ~mpv;
#endif
}

void trap_redirect(struct frame *frame, const struct trap *trap)
{
    unsigned long status = frame->mstatus;
    bool from_s = (status & MSTATUS_MPP) == 1ul << MSTATUS_MPP_SHIFT;

    if (csr_read(CSR_MISA) & 1ul << ('H' - 'A')) {
        leave_guest(frame, from_s);
        status = frame->mstatus;
    }
    csr_write(CSR_SEPC, frame->mepc);
    csr_write(CSR_SCAUSE, trap->cause);
    csr_write(CSR_STVAL, trap->value);
    status &= ~(MSTATUS_SPP | MSTATUS_SPIE | MSTATUS_MPP);
    status |= from_s ? MSTATUS_SPP : 0;
    status |= status & MSTATUS_SIE ? MSTATUS_SPIE : 0;
    status &= ~MSTATUS_SIE;
    status |= 1ul << MSTATUS_MPP_SHIFT;
    frame->mstatus = status;
    /* Exceptions go to the base address in both modes of stvec. */
    frame->mepc = csr_read(CSR_STVEC) & ~3ul;
}

void panic_trap(unsigned long cause, unsigned long pc, unsigned long value)
{
    console_printf("\nmyna SBI: trap in the firmware: mcause 0x%lx mepc 0x%lx mtval 0x%lx\n", cause,
                   pc, value);
}
