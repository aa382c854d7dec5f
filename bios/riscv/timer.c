/*
 * The supervisor's timer: stimecmp where the hart has it, else the machine timer, whose interrupt
 * is passed on as a pending supervisor timer interrupt.
 */
#include "hart.h"
#include "csr.h"

bool timer_present(const struct hart *hart)
{
    return hart->sstc || hart->mtimecmp;
}

static void write_stimecmp(uint64_t when)
{
#if __riscv_xlen == 32
    /* The upper half first, at its maximum: no instant between the writes looks expired. */
    csr_write(CSR_STIMECMPH, -1ul);
    csr_write(CSR_STIMECMP, when);
    csr_write(CSR_STIMECMPH, when >> 32);
#else
    csr_write(CSR_STIMECMP, when);
#endif
}

void timer_set(uint64_t when)
{
    struct hart *self = hart_self();

    if (self->sstc) {
        write_stimecmp(when);
        return;
    }
    if (!self->mtimecmp) {
        return;
    }
#if __riscv_xlen == 64
    *(volatile uint64_t *)self->mtimecmp = when;
#else
    self->mtimecmp[1] = -1u;
    self->mtimecmp[0] = (uint32_t)when;
    self->mtimecmp[1] = when >> 32;
#endif
    csr_clear(CSR_MIP, IRQ_BIT(IRQ_STI));
    csr_set(CSR_MIE, IRQ_BIT(IRQ_MTI));
}

uint64_t timer_now(const struct hart *hart)
{
#if __riscv_xlen == 64
    return *(volatile uint64_t *)hart->mtime;
#else
    uint32_t high, low;

    do {
        high = hart->mtime[1];
        low = hart->mtime[0];
    } while (high != hart->mtime[1]);
    return (uint64_t)high << 32 | low;
#endif
}

void timer_expired(void)
{
    csr_clear(CSR_MIE, IRQ_BIT(IRQ_MTI));
    csr_set(CSR_MIP, IRQ_BIT(IRQ_STI));
}
