/*
 * Page tables: Sv32, Sv39, Sv48, Sv57 with Svnapot, Svpbmt, Svadu and Svade (privileged
 * architecture 4.3 to 4.6), and what physical protection adds.
 */
#include <inttypes.h>
#include <base/log.h>
#include <mem/space.h>
#include "riscv.h"

enum {
    PTE_V = 1 << 0,
    PTE_R = 1 << 1,
    PTE_W = 1 << 2,
    PTE_X = 1 << 3,
    PTE_U = 1 << 4,
    PTE_G = 1 << 5,
    PTE_A = 1 << 6,
    PTE_D = 1 << 7,
};
#define PTE_PPN64    (mask64(44) << 10)
#define PTE_RESERVED (mask64(7) << 54)
#define PTE_PBMT     (3ULL << 61)
#define PTE_N        BIT(63)

struct mmu_mode {
    uint8_t priv;
    bool sum, mxr;
};
static const struct mmu_mode modes[] = {
    [MODE_U] = { PRIV_U, false, false },       [MODE_S] = { PRIV_S, false, false },
    [MODE_S_SUM] = { PRIV_S, true, false },    [MODE_M] = { PRIV_M, false, false },
    [MODE_U_MXR] = { PRIV_U, false, true },    [MODE_S_MXR] = { PRIV_S, false, true },
    [MODE_S_SUM_MXR] = { PRIV_S, true, true },
};

struct scheme {
    uint8_t levels, pte_bytes, vpn_bits, va_bits;
};
/* By satp.MODE; the bits below vpn are the page's. */
static const struct scheme schemes[] = {
    [1] = { 2, 4, 10, 32 },
    [8] = { 3, 8, 9, 39 },
    [9] = { 4, 8, 9, 48 },
    [10] = { 5, 8, 9, 57 },
};

struct walk {
    struct riscv_cpu *c;
    const struct scheme *s;
    const struct mmu_mode *mode;
    uint64_t vaddr;
    enum mem_access access;
    bool debug;
    /* of the entry looked at: */
    uint64_t pte;
    void *host;
    ram_addr_t ram;
    bool global;
};

static unsigned satp_mode(const struct riscv_cpu *c, uint64_t satp)
{
    return c->xlen == 32 ? satp >> 31 & 1 : satp >> 60;
}

bool riscv_satp_mode_ok(const struct riscv_cpu *c, unsigned mode)
{
    return !mode || (mode < ARRAY_LEN(schemes) && schemes[mode].levels && mode <= c->satp_max &&
                     (mode == 1) == (c->xlen == 32));
}

/*
 * ASID and PPN together name the address space, so that the same ASID with another root never
 * meets the old one's mappings. Global mappings are shared by spaces of one mode only.
 */
void riscv_satp_changed(struct riscv_cpu *c, uint64_t old)
{
    if (satp_mode(c, old) != satp_mode(c, c->satp))
        tlb_flush_all(&c->cpu);
    tlb_switch_space(&c->cpu, c->satp);
}

/* Reads the entry at @paddr, which must be in RAM and readable for S mode. */
static enum fault_kind read_pte(struct walk *w, uint64_t paddr)
{
    uint64_t len = w->s->pte_bytes;
    unsigned bits = 12;
    struct section sec;

    if (!(riscv_pmp_prot(w->c, paddr, PRIV_S, &bits) & PROT_R))
        return FAULT_ACCESS;
    sec = space_lookup(w->c->cpu.as, paddr, &len);
    if (!sec.host || len < w->s->pte_bytes)
        return FAULT_ACCESS;
    w->host = sec.host;
    w->ram = sec.readonly ? RAM_ADDR_NONE : sec.ram;
    w->pte = w->s->pte_bytes == 4 ? __atomic_load_n((uint32_t *)sec.host, __ATOMIC_ACQUIRE)
                                  : __atomic_load_n((uint64_t *)sec.host, __ATOMIC_ACQUIRE);
    return FAULT_NONE;
}

/* Sets @bits in the entry if it is still what was read; *again when it is not. */
static enum fault_kind update_pte(struct walk *w, uint64_t paddr, uint64_t bits, bool *again)
{
    unsigned size_bits = 12;
    bool done;

    if (w->ram == RAM_ADDR_NONE || !(riscv_pmp_prot(w->c, paddr, PRIV_S, &size_bits) & PROT_W))
        return FAULT_ACCESS;
    if (w->s->pte_bytes == 4) {
        uint32_t old = w->pte;
        done = __atomic_compare_exchange_n((uint32_t *)w->host, &old, old | bits, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    } else {
        uint64_t old = w->pte;
        done = __atomic_compare_exchange_n((uint64_t *)w->host, &old, old | bits, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }
    if (done) {
        w->pte |= bits;
        ram_touch(mem_ram(w->c->cpu.as->mem), w->ram, w->s->pte_bytes);
    }
    *again = !done;
    return FAULT_NONE;
}

/* 4.4.1, 5.1, 6.1: bits that must be zero. */
static bool reserved_bits(const struct walk *w, bool leaf, unsigned level)
{
    uint64_t bad = PTE_RESERVED;

    if (w->s->pte_bytes == 4)
        return !leaf && w->pte & (PTE_A | PTE_D | PTE_U);
    if (!leaf)
        bad |= PTE_A | PTE_D | PTE_U | PTE_PBMT | PTE_N;
    if (!(w->c->menvcfg & ENVCFG_PBMTE))
        bad |= PTE_PBMT;
    if (!riscv_have(w->c, EXT_Svnapot) || level)
        bad |= PTE_N;
    if (w->pte & bad || (w->pte & PTE_PBMT) == PTE_PBMT)
        return true;
    return w->pte & PTE_N && (w->pte >> 10 & 0xf) != 8; /* 64 KiB is all there is */
}

static bool permitted(const struct walk *w)
{
    uint64_t pte = w->pte;

    if (w->debug)
        return true;
    if (w->mode->priv == PRIV_U && !(pte & PTE_U))
        return false;
    if (w->mode->priv == PRIV_S && pte & PTE_U && (w->access == ACCESS_FETCH || !w->mode->sum))
        return false;
    switch (w->access) {
    case ACCESS_FETCH: return pte & PTE_X;
    case ACCESS_WRITE: return pte & PTE_W;
    default: return pte & PTE_R || (w->mode->mxr && pte & PTE_X);
    }
}

static unsigned prot_of(const struct walk *w)
{
    unsigned prot = 0;

    if (w->pte & PTE_R || (w->mode->mxr && w->pte & PTE_X))
        prot |= PROT_R;
    if (w->pte & PTE_W && w->pte & PTE_D)
        prot |= PROT_W;
    if (w->pte & PTE_X && !(w->mode->priv == PRIV_S && w->pte & PTE_U))
        prot |= PROT_X;
    if (w->mode->priv == PRIV_S && w->pte & PTE_U && !w->mode->sum)
        prot = 0;
    return prot;
}

/* A leaf was found at @paddr: checks it, sets A and D. */
static enum fault_kind finish_leaf(struct walk *w, uint64_t paddr, unsigned level, bool *again)
{
    uint64_t ppn = w->s->pte_bytes == 4 ? w->pte >> 10 & mask64(22) : (w->pte & PTE_PPN64) >> 10;
    uint64_t need = PTE_A | (w->access == ACCESS_WRITE ? PTE_D : 0);

    if (ppn & mask64(level * w->s->vpn_bits) || !permitted(w))
        return FAULT_PAGE;
    if (w->debug || !(need & ~w->pte))
        return FAULT_NONE;
    if (!riscv_have(w->c, EXT_Svadu) || !(w->c->menvcfg & ENVCFG_ADUE))
        return FAULT_PAGE;
    return update_pte(w, paddr, need, again);
}

static bool canonical(const struct walk *w)
{
    unsigned spare = 64 - w->s->va_bits;

    return w->s->pte_bytes == 4 || (int64_t)(w->vaddr << spare) >> spare == (int64_t)w->vaddr;
}

static void fill_page(const struct walk *w, unsigned level, struct cpu_page *page)
{
    unsigned bits = 12 + level * w->s->vpn_bits;
    uint64_t base;

    if (w->s->pte_bytes == 4) {
        base = (w->pte >> 10 & mask64(22)) << 12;
    } else {
        base = (w->pte & PTE_PPN64) << 2;
        if (w->pte & PTE_N) {
            bits = 16;
            base &= ~mask64(16);
        }
    }
    page->paddr = base | (w->vaddr & mask64(bits));
    page->prot = prot_of(w);
    page->size_bits = bits;
    page->global = w->global;
}

/* The largest aligned range around an address that is not canonical in which none is. */
static unsigned hole_bits(const struct walk *w)
{
    uint64_t first = 1ULL << (w->s->va_bits - 1), last = ~first;
    unsigned bits = 12;

    while (bits < 63 && (w->vaddr & ~mask64(bits + 1)) >= first &&
           (w->vaddr | mask64(bits + 1)) <= last)
        bits++;
    return bits;
}

static enum fault_kind walk(struct walk *w, struct cpu_page *page)
{
    uint64_t satp = w->c->satp;
    uint64_t table = (satp & (w->s->pte_bytes == 4 ? mask64(22) : mask64(44))) << 12;
    bool again = false;

    page->size_bits = 12;
    if (!canonical(w)) {
        if (w->debug)
            page->size_bits = hole_bits(w);
        return FAULT_PAGE;
    }
    for (int level = w->s->levels - 1; level >= 0; level--) {
        unsigned shift = 12 + level * w->s->vpn_bits;
        uint64_t vpn = w->vaddr >> shift & mask64(w->s->vpn_bits);
        uint64_t paddr = table + vpn * w->s->pte_bytes;
        enum fault_kind kind;

        page->size_bits = w->debug ? shift : 12; /* if it ends here: how much is not mapped */
        do {
            kind = read_pte(w, paddr);
            if (kind)
                return kind;
            if (!(w->pte & PTE_V) || (w->pte & (PTE_R | PTE_W)) == PTE_W)
                return FAULT_PAGE;
            bool leaf = w->pte & (PTE_R | PTE_X);
            if (reserved_bits(w, leaf, level))
                return FAULT_PAGE;
            w->global |= !!(w->pte & PTE_G);
            if (!leaf)
                break;
            kind = finish_leaf(w, paddr, level, &again);
            if (kind)
                return kind;
            if (!again) {
                fill_page(w, level, page);
                return FAULT_NONE;
            }
        } while (again);
        table =
            w->s->pte_bytes == 4 ? (w->pte >> 10 & mask64(22)) << 12 : (w->pte & PTE_PPN64) << 2;
    }
    return FAULT_PAGE;
}

static unsigned prot_needed(enum mem_access access)
{
    return access == ACCESS_READ ? PROT_R : access == ACCESS_WRITE ? PROT_W : PROT_X;
}

static enum fault_kind translate(struct riscv_cpu *c, uint64_t vaddr, enum mem_access access,
                                 const struct mmu_mode *mode, bool debug, struct cpu_page *page)
{
    unsigned scheme = mode->priv == PRIV_M ? 0 : satp_mode(c, c->satp);
    enum fault_kind kind;

    if (!scheme) {
        *page = (struct cpu_page){ vaddr, PROT_R | PROT_W | PROT_X, 56, mode->priv == PRIV_M };
        if (c->xlen == 64 && vaddr >> 56 && !debug)
            return FAULT_ACCESS;
    } else {
        struct walk w = {
            .c = c,
            .s = &schemes[scheme],
            .mode = mode,
            .vaddr = vaddr,
            .access = access,
            .debug = debug,
        };
        unsigned cookie = mem_read_begin(c->cpu.as->mem);
        kind = walk(&w, page);
        mem_read_end(c->cpu.as->mem, cookie);
        if (kind)
            return kind;
    }
    if (debug)
        return FAULT_NONE;
    page->prot &= riscv_pmp_prot(c, page->paddr, mode->priv, &page->size_bits);
    return page->prot & prot_needed(access) ? FAULT_NONE : FAULT_ACCESS;
}

bool riscv_map(struct cpu *cpu, uint64_t vaddr, enum mem_access access, unsigned mode, bool debug,
               struct cpu_page *page, struct cpu_fault *fault)
{
    struct riscv_cpu *c = riscv_of(cpu);
    enum fault_kind kind = translate(c, vaddr, access, &modes[mode], debug, page);

    if (log_wanted(LOG_MMU, vaddr))
        log_printf(LOG_MMU,
                   "cpu %u: map %016" PRIx64 " access %d mode %u: fault %d paddr %" PRIx64
                   " prot %u bits %u\n",
                   cpu->index, vaddr, access, mode, kind, kind ? 0 : page->paddr,
                   kind ? 0 : page->prot, kind ? 0 : page->size_bits);
    if (!kind)
        return true;
    *fault = (struct cpu_fault){ .kind = kind, .access = access, .vaddr = vaddr };
    return false;
}
