/*
 * SBI extensions about harts: TIME, IPI, RFENCE, HSM and SUSP (SBI 2.0, chapters 6 to 9 and 13).
 */
#include "csr.h"
#include "platform.h"
#include "sbi.h"

static bool always(void)
{
    return true;
}

/* -- TIME ------------------------------------------------------------------------------------- */

static bool time_present(void)
{
    return timer_present(hart_self());
}

static struct sbi_ret time_call(unsigned long fid, const unsigned long *arg)
{
    uint64_t when = arg[0];

    if (fid != 0) {
        return sbi_error(SBI_ERR_NOT_SUPPORTED);
    }
#if __riscv_xlen == 32
    when |= (uint64_t)arg[1] << 32;
#endif
    timer_set(when);
    return sbi_value(0);
}

const struct sbi_extension sbi_time = { 0x54494d45, time_present, time_call };

/* -- IPI -------------------------------------------------------------------------------------- */

void sbi_send_ipi(const struct hart_set *set)
{
    struct hart *self = hart_self();

    for (unsigned long i = 0; i < hart_count; i++) {
        struct hart *hart = hart_at(i);
        uint32_t state = __atomic_load_n(&hart->state, __ATOMIC_RELAXED);

        if (!(set->word[i / BITS_PER_LONG] >> i % BITS_PER_LONG & 1)) {
            continue;
        }
        if (hart == self) {
            csr_set(CSR_MIP, IRQ_BIT(IRQ_SSI));
        } else if (state == HART_STARTED || state == HART_SUSPENDED) {
            /* Whoever finds the box empty rings; who does not relies on that ring. */
            if (!__atomic_fetch_or(&hart->mail, MAIL_SSIP, __ATOMIC_ACQ_REL)) {
                hart_ring(hart);
            }
        }
    }
}

static struct sbi_ret ipi_call(unsigned long fid, const unsigned long *arg)
{
    struct hart_set set;

    if (fid != 0) {
        return sbi_error(SBI_ERR_NOT_SUPPORTED);
    }
    if (!sbi_hart_mask(arg[0], arg[1], &set)) {
        return sbi_error(SBI_ERR_INVALID_PARAM);
    }
    sbi_send_ipi(&set);
    return sbi_value(0);
}

const struct sbi_extension sbi_ipi = { 0x735049, always, ipi_call };

/* -- RFENCE ----------------------------------------------------------------------------------- */

static struct sbi_ret rfence_call(unsigned long fid, const unsigned long *arg)
{
    struct fence fence = { .kind = FENCE_I, .start = arg[2], .size = arg[3], .asid = arg[4] };
    struct hart_set set;

    /* 3 to 6 are the hypervisor's fences. */
    switch (fid) {
    case 0: break;
    case 1: fence.kind = FENCE_VMA; break;
    case 2: fence.kind = FENCE_VMA_ASID; break;
    default: return sbi_error(SBI_ERR_NOT_SUPPORTED);
    }
    if (!sbi_hart_mask(arg[0], arg[1], &set)) {
        return sbi_error(SBI_ERR_INVALID_PARAM);
    }
    fence_remote(&set, &fence);
    return sbi_value(0);
}

const struct sbi_extension sbi_rfence = { 0x52464e43, always, rfence_call };

/* -- HSM -------------------------------------------------------------------------------------- */

#define SUSPEND_RETENTIVE     0u
#define SUSPEND_NON_RETENTIVE 0x80000000u

static struct sbi_ret hsm_start(unsigned long id, unsigned long addr, unsigned long arg)
{
    struct hart *hart = hart_find(id);
    uint32_t stopped = HART_STOPPED;

    if (!hart) {
        return sbi_error(SBI_ERR_INVALID_PARAM);
    }
    if (!platform_supervisor_code(addr)) {
        return sbi_error(SBI_ERR_INVALID_ADDRESS);
    }
    /* Harts that run together must be able to signal each other, both ways. */
    if (!hart->msip || !hart_self()->msip) {
        return sbi_error(SBI_ERR_FAILED);
    }
    if (!__atomic_compare_exchange_n(&hart->state, &stopped, HART_CLAIMED, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_RELAXED)) {
        return sbi_error(SBI_ERR_ALREADY_AVAILABLE);
    }
    hart->start_addr = addr;
    hart->start_arg = arg;
    __atomic_store_n(&hart->state, HART_START_PENDING, __ATOMIC_RELEASE);
    hart_ring(hart);
    return sbi_value(0);
}

static void hsm_stop(void)
{
    csr_write(CSR_SIE, 0);
    __atomic_store_n(&hart_self()->state, HART_STOPPED, __ATOMIC_RELEASE);
    hart_restart();
}

static struct sbi_ret hsm_status(unsigned long id)
{
    const struct hart *hart = hart_find(id);
    uint32_t state;

    if (!hart) {
        return sbi_error(SBI_ERR_INVALID_PARAM);
    }
    state = __atomic_load_n(&hart->state, __ATOMIC_ACQUIRE);
    return sbi_value(state == HART_CLAIMED ? HART_START_PENDING : state);
}

void sbi_sleep(void)
{
    struct hart *self = hart_self();
    unsigned long wake =
        IRQ_BIT(IRQ_SSI) | IRQ_BIT(IRQ_STI) | IRQ_BIT(IRQ_SEI) | IRQ_BIT(IRQ_LCOFI);
    unsigned long pending;

    __atomic_store_n(&self->state, HART_SUSPENDED, __ATOMIC_SEQ_CST);
    while (!((pending = csr_read(CSR_MIP) & csr_read(CSR_MIE)) & wake)) {
        if (pending & IRQ_BIT(IRQ_MSI)) {
            hart_read_mail();
        } else if (pending & IRQ_BIT(IRQ_MTI)) {
            timer_expired();
        } else {
            wait_for_interrupt();
        }
    }
    __atomic_store_n(&self->state, HART_STARTED, __ATOMIC_SEQ_CST);
}

static struct sbi_ret hsm_suspend(uint32_t type, unsigned long addr, unsigned long arg)
{
    if (type == SUSPEND_RETENTIVE) {
        sbi_sleep();
        return sbi_value(0);
    }
    if (type != SUSPEND_NON_RETENTIVE) {
        return sbi_error(SBI_ERR_INVALID_PARAM);
    }
    if (!platform_supervisor_code(addr)) {
        return sbi_error(SBI_ERR_INVALID_ADDRESS);
    }
    sbi_sleep();
    hart_enter(addr, arg);
}

static struct sbi_ret hsm_call(unsigned long fid, const unsigned long *arg)
{
    switch (fid) {
    case 0: return hsm_start(arg[0], arg[1], arg[2]);
    case 1: hsm_stop(); return sbi_error(SBI_ERR_FAILED);
    case 2: return hsm_status(arg[0]);
    case 3: return hsm_suspend(arg[0], arg[1], arg[2]);
    default: return sbi_error(SBI_ERR_NOT_SUPPORTED);
    }
}

const struct sbi_extension sbi_hsm = { 0x48534d, always, hsm_call };

/* -- SUSP ------------------------------------------------------------------------------------- */

static struct sbi_ret susp_call(unsigned long fid, const unsigned long *arg)
{
    struct hart *self = hart_self();

    if (fid != 0) {
        return sbi_error(SBI_ERR_NOT_SUPPORTED);
    }
    /* Suspend to RAM is the only type there is. */
    if ((uint32_t)arg[0] != 0) {
        return sbi_error(SBI_ERR_INVALID_PARAM);
    }
    if (!platform_supervisor_code(arg[1])) {
        return sbi_error(SBI_ERR_INVALID_ADDRESS);
    }
    for (unsigned long i = 0; i < hart_count; i++) {
        if (hart_at(i) != self &&
            __atomic_load_n(&hart_at(i)->state, __ATOMIC_ACQUIRE) != HART_STOPPED) {
            return sbi_error(SBI_ERR_DENIED);
        }
    }
    sbi_sleep();
    hart_enter(arg[1], arg[2]);
}

const struct sbi_extension sbi_susp = { 0x53555350, always, susp_call };
