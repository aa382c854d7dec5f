/*
 * CSRs of status, traps, identity, environment and protection (privileged architecture 3.1, 4.1).
 * All fields are WARL: a value that is not legal leaves what was there.
 */
#include "csr.h"

bool cond_s(const struct riscv_cpu *c, unsigned num, uint64_t priv)
{
    (void)num, (void)priv;
    return riscv_have(c, EXT_S);
}

bool cond_u(const struct riscv_cpu *c, unsigned num, uint64_t priv)
{
    (void)num, (void)priv;
    return riscv_have(c, EXT_U);
}

bool cond_rv32(const struct riscv_cpu *c, unsigned num, uint64_t priv)
{
    (void)num, (void)priv;
    return c->xlen == 32;
}

uint64_t read_zero(struct riscv_cpu *c, unsigned num)
{
    (void)c, (void)num;
    return 0;
}

void write_nothing(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)c, (void)num, (void)val, (void)mask;
}

/* The letters; extensions cannot be switched off at run time. */
uint64_t read_misa(struct riscv_cpu *c, unsigned num)
{
    static const struct {
        enum riscv_ext ext;
        char letter;
    } letters[] = {
        { EXT_A, 'A' }, { EXT_C, 'C' }, { EXT_D, 'D' }, { EXT_F, 'F' }, { EXT_I, 'I' },
        { EXT_M, 'M' }, { EXT_S, 'S' }, { EXT_U, 'U' }, { EXT_V, 'V' },
    };
    uint64_t v = c->xlen == 32 ? 1ULL << 30 : 2ULL << 62;

    (void)num;
    for (unsigned k = 0; k < ARRAY_LEN(letters); k++)
        if (riscv_have(c, letters[k].ext))
            v |= BIT(letters[k].letter - 'A');
    return v;
}

/* ---- Status ---- */

static uint64_t with_sd(uint64_t m)
{
    bool dirty = (m & MSTATUS_FS) == MSTATUS_FS || (m & MSTATUS_VS) == MSTATUS_VS;

    return dirty ? m | MSTATUS_SD : m & ~MSTATUS_SD;
}

void riscv_status_setup(struct riscv_cpu *c)
{
    uint64_t writable = MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP;

    if (riscv_have(c, EXT_U))
        writable |= MSTATUS_MPRV | MSTATUS_TW;
    if (riscv_have(c, EXT_S))
        writable |= MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP | MSTATUS_SUM | MSTATUS_MXR |
                    MSTATUS_TVM | MSTATUS_TSR | MSTATUS_FS;
    if (riscv_have(c, EXT_F))
        writable |= MSTATUS_FS;
    if (riscv_have(c, EXT_V))
        writable |= MSTATUS_VS;
    c->status_writable = writable;
}

uint64_t riscv_status_merge(const struct riscv_cpu *c, uint64_t old, uint64_t val, uint64_t mask)
{
    uint64_t new;

    new = csr_merge(old, val, mask & c->status_writable);
    /*
     * Whether FP registers are dirty is not tracked, as 3.1.6.6 allows: FS is off or dirty. Code is
     * then translated for two values of FS and not for four.
     */
    if (new &MSTATUS_FS)
        new |= MSTATUS_FS;
    unsigned mpp = (new &MSTATUS_MPP) >> 11;
    if (mpp == 2 || (mpp == PRIV_S && !riscv_have(c, EXT_S)) ||
        (mpp == PRIV_U && !riscv_have(c, EXT_U)))
        new = csr_merge(new, old, MSTATUS_MPP);
    return with_sd(new);
}

static uint64_t status_view(const struct riscv_cpu *c, uint64_t m)
{
    if (c->xlen == 64)
        return m;
    return (m & mask64(31)) | (m >> 63) << 31;
}

uint64_t read_mstatus(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return status_view(c, c->mstatus);
}

void write_mstatus(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)num;
    c->mstatus = riscv_status_merge(c, c->mstatus, val, mask);
}

uint64_t read_sstatus(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return status_view(c, c->mstatus & SSTATUS_READABLE);
}

void write_sstatus(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    write_mstatus(c, num, val, mask & SSTATUS_WRITABLE);
}

/* ---- Interrupts ---- */

static uint64_t all_irqs(const struct riscv_cpu *c)
{
    uint64_t bits = IRQ_MSI | IRQ_MTI | IRQ_MEI;

    if (riscv_have(c, EXT_S))
        bits |= IRQ_SSI | IRQ_STI | IRQ_SEI;
    if (riscv_have(c, EXT_Sscofpmf))
        bits |= IRQ_LCOF;
    return bits;
}

uint64_t read_mie(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->mie;
}

void write_mie(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)num;
    __atomic_store_n(&c->mie, csr_merge(c->mie, val, mask & all_irqs(c)), __ATOMIC_RELAXED);
}

uint64_t read_sie(struct riscv_cpu *c, unsigned num)
{
    return read_mie(c, num) & c->mideleg;
}

void write_sie(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    write_mie(c, num, val, mask & c->mideleg);
}

uint64_t read_mip(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return riscv_mip(c);
}

/* Other threads set bits of mip at the same time. */
static void mip_write_bits(struct riscv_cpu *c, uint64_t val, uint64_t mask)
{
    __atomic_fetch_or(&c->mip, val & mask, __ATOMIC_SEQ_CST);
    __atomic_fetch_and(&c->mip, val | ~mask, __ATOMIC_SEQ_CST);
}

void write_mip(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    uint64_t writable = all_irqs(c) & IRQ_S;

    (void)num;
    if (c->menvcfg & ENVCFG_STCE) /* Sstc: STIP shows the comparison */
        writable &= ~IRQ_STI;
    mip_write_bits(c, val, mask & writable);
}

uint64_t read_sip(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return riscv_mip(c) & c->mideleg;
}

void write_sip(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)num;
    mip_write_bits(c, val, mask & c->mideleg & (IRQ_SSI | IRQ_LCOF) & all_irqs(c));
}

uint64_t read_mideleg(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->mideleg;
}

void write_mideleg(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)num;
    c->mideleg = csr_merge(c->mideleg, val, mask & all_irqs(c) & IRQ_S);
}

/* What can happen below M mode; a call from M mode cannot. */
#define MEDELEG_WRITABLE                                                                          \
    (BIT(EXC_FETCH_MISALIGNED) | BIT(EXC_FETCH_ACCESS) | BIT(EXC_ILLEGAL) | BIT(EXC_BREAKPOINT) | \
     BIT(EXC_LOAD_MISALIGNED) | BIT(EXC_LOAD_ACCESS) | BIT(EXC_STORE_MISALIGNED) |                \
     BIT(EXC_STORE_ACCESS) | BIT(EXC_ECALL_U) | BIT(EXC_ECALL_S) | BIT(EXC_FETCH_PAGE) |          \
     BIT(EXC_LOAD_PAGE) | BIT(EXC_STORE_PAGE))

uint64_t read_medeleg(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->medeleg;
}

void write_medeleg(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)num;
    c->medeleg = csr_merge(c->medeleg, val, mask & MEDELEG_WRITABLE);
}

/* ---- Traps ---- */

/* Modes 2 and 3 are reserved. */
static uint64_t tvec_merge(uint64_t old, uint64_t val, uint64_t mask)
{
    uint64_t new = csr_merge(old, val, mask);

    return new & 2 ? (new & ~3ULL) | (old & 3) : new;
}

/* The supervisor's CSR of each pair has the lower number. */
static uint64_t *tvec_of(struct riscv_cpu *c, unsigned num)
{
    return num < 0x300 ? &c->stvec : &c->mtvec;
}

static uint64_t *epc_of(struct riscv_cpu *c, unsigned num)
{
    return num < 0x300 ? &c->sepc : &c->mepc;
}

uint64_t read_tvec(struct riscv_cpu *c, unsigned num)
{
    return *tvec_of(c, num);
}

void write_tvec(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    *tvec_of(c, num) = tvec_merge(*tvec_of(c, num), val, mask);
}

uint64_t read_epc(struct riscv_cpu *c, unsigned num)
{
    return *epc_of(c, num);
}

void write_epc(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    *epc_of(c, num) = csr_merge(*epc_of(c, num), val, mask) & ~riscv_misaligned_bits(c);
}

/* ---- Address translation and protection ---- */

bool cond_satp(const struct riscv_cpu *c, unsigned num, uint64_t priv)
{
    return cond_s(c, num, priv) && !(priv == PRIV_S && c->mstatus & MSTATUS_TVM);
}

uint64_t read_satp(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->satp;
}

/* A mode that does not exist makes the whole write have no effect (4.1.11). */
void write_satp(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    uint64_t old = c->satp, new = csr_merge(old, val, mask);

    (void)num;
    if (c->xlen == 32) {
        if (!riscv_satp_mode_ok(c, new >> 31))
            return;
    } else if (!riscv_satp_mode_ok(c, new >> 60)) {
        return;
    }
    c->satp = new;
    if (new != old)
        riscv_satp_changed(c, old);
}

bool cond_pmpcfg(const struct riscv_cpu *c, unsigned num, uint64_t priv)
{
    (void)priv;
    return c->xlen == 32 || !(num & 1);
}

uint64_t read_pmpcfg(struct riscv_cpu *c, unsigned num)
{
    return riscv_pmpcfg_read(c, num - 0x3a0);
}

void write_pmpcfg(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    riscv_pmpcfg_write(c, num - 0x3a0, csr_merge(read_pmpcfg(c, num), val, mask));
}

uint64_t read_pmpaddr(struct riscv_cpu *c, unsigned num)
{
    return c->pmpaddr[num - 0x3b0];
}

void write_pmpaddr(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    riscv_pmpaddr_write(c, num - 0x3b0, csr_merge(read_pmpaddr(c, num), val, mask));
}

/* ---- Environment ---- */

static uint64_t envcfg_bits(const struct riscv_cpu *c)
{
    uint64_t bits = ENVCFG_FIOM;

    if (riscv_have(c, EXT_Zicbom))
        bits |= ENVCFG_CBIE | ENVCFG_CBCFE;
    if (riscv_have(c, EXT_Zicboz))
        bits |= ENVCFG_CBZE;
    return bits;
}

/* CBIE = 2 is reserved. */
static uint64_t envcfg_merge(uint64_t old, uint64_t val, uint64_t mask)
{
    uint64_t new = csr_merge(old, val, mask);

    return (new &ENVCFG_CBIE) == 2ULL << 4 ? csr_merge(new, old, ENVCFG_CBIE) : new;
}

static void menvcfg_set(struct riscv_cpu *c, uint64_t val, uint64_t mask)
{
    uint64_t old = c->menvcfg, writable = envcfg_bits(c);

    if (riscv_have(c, EXT_Svadu))
        writable |= ENVCFG_ADUE;
    if (riscv_have(c, EXT_Svpbmt))
        writable |= ENVCFG_PBMTE;
    if (riscv_have(c, EXT_Sstc))
        writable |= ENVCFG_STCE;
    c->menvcfg = envcfg_merge(old, val, mask & writable);
    if ((old ^ c->menvcfg) & ENVCFG_STCE) {
        __atomic_fetch_and(&c->mip, ~IRQ_STI, __ATOMIC_SEQ_CST);
        riscv_stimer_update(c);
    }
    if ((old ^ c->menvcfg) & (ENVCFG_ADUE | ENVCFG_PBMTE))
        tlb_flush_all(&c->cpu);
}

uint64_t read_menvcfg(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->menvcfg;
}

void write_menvcfg(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)num;
    menvcfg_set(c, val, mask);
}

uint64_t read_menvcfg_hi(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->menvcfg >> 32;
}

void write_menvcfg_hi(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)num;
    menvcfg_set(c, val << 32, mask << 32);
}

#define STATEEN_ENVCFG BIT(62)
#define STATEEN_SE     BIT(63)

bool cond_senvcfg(const struct riscv_cpu *c, unsigned num, uint64_t priv)
{
    if (!cond_s(c, num, priv) || !cond_u(c, num, priv))
        return false;
    return priv == PRIV_M || !riscv_have(c, EXT_Smstateen) || c->mstateen[0] & STATEEN_ENVCFG;
}

uint64_t read_senvcfg(struct riscv_cpu *c, unsigned num)
{
    (void)num;
    return c->senvcfg;
}

void write_senvcfg(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    (void)num;
    c->senvcfg = envcfg_merge(c->senvcfg, val, mask & envcfg_bits(c));
}

/* Smstateen: senvcfg and the sstateen registers are all there is to be guarded. */
bool cond_mstateen(const struct riscv_cpu *c, unsigned num, uint64_t priv)
{
    (void)priv;
    return riscv_have(c, EXT_Smstateen) && (num < 0x31c || c->xlen == 32);
}

bool cond_sstateen(const struct riscv_cpu *c, unsigned num, uint64_t priv)
{
    if (!riscv_have(c, EXT_Smstateen) || !cond_s(c, num, priv))
        return false;
    return priv == PRIV_M || c->mstateen[num & 3] & STATEEN_SE;
}

static void mstateen_set(struct riscv_cpu *c, unsigned n, uint64_t val, uint64_t mask)
{
    mask &= n ? STATEEN_SE : STATEEN_SE | STATEEN_ENVCFG;
    c->mstateen[n] = csr_merge(c->mstateen[n], val, mask);
}

uint64_t read_mstateen(struct riscv_cpu *c, unsigned num)
{
    return c->mstateen[num & 3];
}

void write_mstateen(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    mstateen_set(c, num & 3, val, mask);
}

uint64_t read_mstateen_hi(struct riscv_cpu *c, unsigned num)
{
    return c->mstateen[num & 3] >> 32;
}

void write_mstateen_hi(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    mstateen_set(c, num & 3, val << 32, mask << 32);
}

/* None of the state it guards from U mode exists here. */
uint64_t read_sstateen(struct riscv_cpu *c, unsigned num)
{
    return read_zero(c, num);
}

void write_sstateen(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    write_nothing(c, num, val, mask);
}
