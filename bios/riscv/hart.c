/*
 * Set-up of one hart, its way into S-mode, and its mailbox.
 */
#include "hart.h"
#include "csr.h"
#include "platform.h"

unsigned long hart_ids[MAX_HARTS], hart_count;

struct hart *hart_find(unsigned long id)
{
    /* Almost every machine numbers its harts from 0. */
    if (id < hart_count && hart_ids[id] == id) {
        return hart_at(id);
    }
    for (unsigned long i = 0; i < hart_count; i++) {
        if (hart_ids[i] == id) {
            return hart_at(i);
        }
    }
    return NULL;
}

struct hart *hart_add(unsigned long id)
{
    struct hart *hart;

    if (hart_count == MAX_HARTS || hart_find(id)) {
        return NULL;
    }
    hart = hart_at(hart_count);
    memset(hart, 0, sizeof(*hart));
    hart->id = id;
    hart->index = hart_count;
    hart->state = HART_STOPPED;
    hart_ids[hart_count++] = id;
    return hart;
}

/* -- memory protection ------------------------------------------------------------------------ */

#define PMP_ENTRIES 16

static void pmp_write_addr(uint32_t n, unsigned long value)
{
#define CASE(n) \
    case n: csr_write(CSR_PMPADDR0 + n, value); break
    switch (n) {
        CASE(0);
        CASE(1);
        CASE(2);
        CASE(3);
        CASE(4);
        CASE(5);
        CASE(6);
        CASE(7);
        CASE(8);
        CASE(9);
        CASE(10);
        CASE(11);
        CASE(12);
        CASE(13);
        CASE(14);
        CASE(15);
    }
#undef CASE
}

static void pmp_write_configs(const uint8_t *config)
{
#if __riscv_xlen == 64
    const uint64_t *word = (const uint64_t *)config;

    csr_write(CSR_PMPCFG0, word[0]);
    csr_write(CSR_PMPCFG0 + 2, word[1]);
#else
    const uint32_t *word = (const uint32_t *)config;

    csr_write(CSR_PMPCFG0, word[0]);
    csr_write(CSR_PMPCFG0 + 1, word[1]);
    csr_write(CSR_PMPCFG0 + 2, word[2]);
    csr_write(CSR_PMPCFG0 + 3, word[3]);
#endif
}

/*
 * Entries decide in order (Privileged Architecture, 3.7.1): first the private ranges, without
 * permissions and unlocked, so that they bind S and U but not M; the last one opens all the rest.
 */
static void pmp_setup(void)
{
    uint8_t config[PMP_ENTRIES] __attribute__((aligned(8))) = { 0 };
    uint32_t n = 0;
    unsigned long unused;

    if (!csr_try_read(CSR_PMPADDR0, &unused)) {
        return;
    }
    for (unsigned long i = 0; i < platform.private_count; i++) {
        struct range r = platform.private[i];

        if (r.size >= 8 && !(r.size & (r.size - 1)) && !(r.base & (r.size - 1)) &&
            n < PMP_ENTRIES - 1) {
            pmp_write_addr(n, r.base >> 2 | ((r.size >> 3) - 1));
            config[n++] = PMP_NAPOT;
        } else if (n < PMP_ENTRIES - 2) {
            pmp_write_addr(n++, r.base >> 2);
            pmp_write_addr(n, (r.base + r.size) >> 2);
            config[n++] = PMP_TOR;
        }
    }
    pmp_write_addr(n, -1ul);
    config[n] = PMP_NAPOT | PMP_RWX;
    pmp_write_configs(config);
    __asm__ volatile("sfence.vma" ::: "memory");
}

/* -- extensions and delegation ---------------------------------------------------------------- */

static void write_menvcfg(uint64_t value)
{
    csr_try_write(CSR_MENVCFG, value);
#if __riscv_xlen == 32
    csr_try_write(CSR_MENVCFGH, value >> 32);
#endif
}

/*
 * Whether stimecmp is really there. It goes by the time CSR, and a hart without that may name Sstc
 * and let STCE be set nevertheless.
 */
static bool sstc_works(void)
{
    unsigned long env = 0, unused;

#if __riscv_xlen == 32
    return csr_try_read(CSR_MENVCFGH, &env) && env & MENVCFG_STCE >> 32 &&
           csr_try_read(CSR_STIMECMP, &unused);
#else
    return csr_try_read(CSR_MENVCFG, &env) && env & MENVCFG_STCE &&
           csr_try_read(CSR_STIMECMP, &unused);
#endif
}

static void extensions_setup(struct hart *self)
{
    uint64_t env = 0;

    env |= self->isa & ISA_SSTC ? MENVCFG_STCE : 0;
    env |= self->isa & ISA_SVPBMT ? MENVCFG_PBMTE : 0;
    env |= self->isa & ISA_ZICBOM ? MENVCFG_CBIE_INVALIDATE | MENVCFG_CBCFE : 0;
    env |= self->isa & ISA_ZICBOZ ? MENVCFG_CBZE : 0;
    /* With both named, page faults (Svade) are what the supervisor finds at boot. */
    env |= (self->isa & (ISA_SVADU | ISA_SVADE)) == ISA_SVADU ? MENVCFG_ADUE : 0;
    write_menvcfg(env);
    self->sstc = self->isa & ISA_SSTC && sstc_works();
    if (!self->sstc) {
        /* With STCE set, STIP could not be made pending by the firmware. */
        write_menvcfg(env & ~MENVCFG_STCE);
    }

    if (self->isa & ISA_SMSTATEEN) {
        csr_try_write(CSR_MSTATEEN0, -1ul);
#if __riscv_xlen == 32
        csr_try_write(CSR_MSTATEEN0H, -1ul);
#endif
    }
    if (self->isa & ISA_ZKR) {
        csr_try_write(CSR_MSECCFG, MSECCFG_SSEED);
    }
}

/* Exceptions that S-mode handles by itself; 10 and 20-23 exist with the hypervisor extension. */
#define DELEGATED                                                                              \
    (1ul << 0 | 1ul << 1 | 1ul << 3 | 1ul << 5 | 1ul << 7 | 1ul << 8 | 1ul << 10 | 1ul << 12 | \
     1ul << 13 | 1ul << 15 | 1ul << 18 | 1ul << 20 | 1ul << 21 | 1ul << 22 | 1ul << 23)

static void delegate(struct hart *self)
{
    unsigned long exceptions = DELEGATED, unused;
    unsigned long interrupts = IRQ_BIT(IRQ_SSI) | IRQ_BIT(IRQ_STI) | IRQ_BIT(IRQ_SEI);

    /* Illegal instructions are ours only where one of them, rdtime, must be emulated. */
    self->emulate_time = !csr_try_read(CSR_TIME, &unused);
    if (!self->emulate_time) {
        exceptions |= 1ul << EXC_ILLEGAL;
    }
    if (self->isa & ISA_SSCOFPMF) {
        interrupts |= IRQ_BIT(IRQ_LCOFI);
    }
    csr_write(CSR_MEDELEG, exceptions);
    csr_write(CSR_MIDELEG, interrupts);
}

extern uint8_t trap_entry[];

void hart_setup(void)
{
    struct hart *self = hart_self();

    csr_write(CSR_MTVEC, trap_entry);
    csr_write(CSR_MIE, 0);
    csr_try_write(CSR_MCOUNTEREN, -1ul);
    csr_try_write(CSR_SCOUNTEREN,
                  7); /* cycle, time, instret: what kernels expect to find, as OpenSBI sets it */
    csr_try_write(CSR_MCOUNTINHIBIT, 0);
    extensions_setup(self);
    delegate(self);
    pmp_setup();
}

/* -- starting and stopping -------------------------------------------------------------------- */

void hart_enter(unsigned long addr, unsigned long arg)
{
    struct hart *self = hart_self();

    __atomic_store_n(&self->state, HART_STARTED, __ATOMIC_SEQ_CST);
    /* After STARTED is visible: from then on others send their fences, before they need not. */
    barrier();
    csr_write(CSR_SATP, 0);
    __asm__ volatile("fence.i\n\tsfence.vma" ::: "memory");
    csr_write(CSR_SIE, 0);
    csr_write(CSR_SSCRATCH, 0);
    csr_write(CSR_STVEC, addr);
    csr_write(CSR_MSTATUS, 1ul << MSTATUS_MPP_SHIFT | MSTATUS_FS_INITIAL | MSTATUS_VS_INITIAL);
    csr_set(CSR_MIE, IRQ_BIT(IRQ_MSI));
    __asm__ volatile("csrw mepc, %0" ::"r"(addr));
    supervisor_enter(self->id, arg);
}

void hart_wait(void)
{
    struct hart *self = hart_self();

    csr_write(CSR_MIE, IRQ_BIT(IRQ_MSI));
    for (;;) {
        hart_read_mail();
        if (__atomic_load_n(&self->state, __ATOMIC_ACQUIRE) == HART_START_PENDING) {
            /* Nothing of an earlier life may be pending. */
            csr_clear(CSR_MIP, IRQ_BIT(IRQ_SSI) | IRQ_BIT(IRQ_STI));
            timer_set(-1ull);
            hart_enter(self->start_addr, self->start_arg);
        }
        wait_for_interrupt();
    }
}

/* -- mail ------------------------------------------------------------------------------------- */

void hart_ring(struct hart *hart)
{
    barrier();
    *hart->msip = 1;
}

void hart_read_mail(void)
{
    struct hart *self = hart_self();
    unsigned long mail;

    /* The bell is silenced before the box is emptied: what comes in between rings again. */
    if (self->msip) {
        *self->msip = 0;
    }
    barrier();
    mail = __atomic_exchange_n(&self->mail, 0, __ATOMIC_ACQ_REL);
    if (mail & MAIL_SSIP) {
        csr_set(CSR_MIP, IRQ_BIT(IRQ_SSI));
    }
    fence_answer();
}
