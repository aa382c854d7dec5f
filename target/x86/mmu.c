/*
 * Paging: 32-bit, PAE, 4 and 5 levels (Intel volume 3, chapter 4), with PSE-36, NX, SMEP, SMAP,
 * protection keys, and accessed and dirty bits set atomically.
 *
 * Address spaces are named to the accelerator by numbers that are used once: dropping what is
 * cached of a PCID, or of the one space there is without PCIDs, is giving it a new number.
 */
#include <inttypes.h>
#include <base/log.h>
#include <mem/space.h>
#include "debug.h"
#include "feature.h"
#include "sys.h"

enum {
    PTE_P = 1 << 0,
    PTE_W = 1 << 1,
    PTE_U = 1 << 2,
    PTE_A = 1 << 5,
    PTE_D = 1 << 6,
    PTE_PS = 1 << 7,
    PTE_G = 1 << 8,
};
#define PTE_NX BIT(63)

/* Page fault error code. */
enum { PF_P = 1, PF_W = 2, PF_U = 4, PF_RSVD = 8, PF_I = 16, PF_PK = 32 };

#define PCIDS 4096
struct x86_spaces {
    uint64_t last;
    uint64_t of[PCIDS]; /* 0: none yet */
};

struct walk {
    struct x86_cpu *c;
    uint64_t vaddr;
    enum mem_access access;
    bool user, smap, debug;
    /* gathered from upper entries: */
    uint64_t allowed; /* PTE_W, PTE_U: and of all; PTE_NX: or of all */
    /* the entry looked at: */
    unsigned bytes; /* 4 or 8 */
    uint64_t paddr, pte;
    void *host;
    ram_addr_t ram;
};

static uint64_t a20(const struct x86_cpu *c, uint64_t paddr)
{
    return c->a20 ? paddr : paddr & ~BIT(20);
}

static bool nx_on(const struct x86_cpu *c)
{
    return c->efer & EFER_NXE;
}

/* Reads the entry at w->paddr. Tables outside RAM are read but never written. */
static void read_entry(struct walk *w)
{
    uint64_t len = w->bytes;
    struct section sec;

    w->paddr = a20(w->c, w->paddr);
    sec = space_lookup(w->c->cpu.as, w->paddr, &len);
    w->host = NULL;
    if (!sec.host || len < w->bytes) {
        w->pte = 0;
        if (!w->debug && space_load(w->c->cpu.as, w->paddr, w->bytes, &w->pte, 0) != MEM_OK)
            w->pte = 0;
        return;
    }
    if (!sec.readonly) {
        w->host = sec.host;
        w->ram = sec.ram;
    }
    w->pte = w->bytes == 4 ? __atomic_load_n((uint32_t *)sec.host, __ATOMIC_ACQUIRE)
                           : __atomic_load_n((uint64_t *)sec.host, __ATOMIC_ACQUIRE);
}

/* Sets @bits in the entry; false: it has changed since it was read. */
static bool set_bits(struct walk *w, uint64_t bits)
{
    bool done;

    if (w->debug || !(bits & ~w->pte) || !w->host)
        return true;
    if (w->bytes == 4) {
        uint32_t old = w->pte;
        done = __atomic_compare_exchange_n((uint32_t *)w->host, &old, old | bits, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    } else {
        uint64_t old = w->pte;
        done = __atomic_compare_exchange_n((uint64_t *)w->host, &old, old | bits, false,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }
    if (!done)
        return false;
    w->pte |= bits;
    ram_touch(mem_ram(w->c->cpu.as->mem), w->ram, w->bytes);
    return true;
}

/* 4.7: the error code but for what says why. */
static uint32_t access_code(const struct walk *w)
{
    const struct x86_cpu *c = w->c;
    uint32_t code = w->user ? PF_U : 0;

    if (w->access == ACCESS_WRITE)
        code |= PF_W;
    if (w->access == ACCESS_FETCH && ((nx_on(c) && c->cr4 & CR4_PAE) || c->cr4 & CR4_SMEP))
        code |= PF_I;
    return code;
}

static bool fault(const struct walk *w, uint32_t why, struct cpu_fault *f)
{
    *f = (struct cpu_fault){ FAULT_PAGE, w->access, w->vaddr, access_code(w) | why };
    return false;
}

/* Bits that must be zero in a leaf or table entry (4.3 to 4.5). @page_bits: 0 for a table. */
static bool reserved(const struct walk *w, unsigned level, unsigned page_bits)
{
    const struct x86_cpu *c = w->c;
    uint64_t bad = 0;

    if (w->bytes == 4) {
        if (page_bits != 22)
            return false;
        /* PSE-36: bits 20:13 are address bits 39:32. */
        unsigned high = x86_have(c, FEAT_PSE36) ? MIN(c->phys_bits, 40) - MIN(c->phys_bits, 32) : 0;
        return w->pte & mask64(22) & ~mask64(13 + high);
    }
    bad = mask64(52) & ~mask64(c->phys_bits);
    if (!nx_on(c))
        bad |= PTE_NX;
    if (!x86_lma(c))
        bad |= mask64(63) & ~mask64(52);
    if (page_bits > 12)
        bad |= mask64(page_bits) & ~mask64(13);
    else if (!page_bits && level > 2)
        bad |= PTE_PS;
    return w->pte & bad;
}

/* 4.6.2: what protection keys take away of PROT_R | PROT_W. */
static unsigned pkey_denies(const struct walk *w)
{
    const struct x86_cpu *c = w->c;
    uint32_t bits;

    if (!(c->cr4 & CR4_PKE) || !x86_lma(c) || !(w->allowed & PTE_U))
        return 0;
    bits = c->pkru >> (2 * (w->pte >> 59 & 15)) & 3;
    if (bits & 1)
        return PROT_R | PROT_W;
    return bits & 2 && (w->user || c->cr0 & CR0_WP) ? PROT_W : 0;
}

/* 4.6.1: PROT_* by the bits of all levels, without regard to D. */
static unsigned permissions(const struct walk *w)
{
    const struct x86_cpu *c = w->c;
    bool user_page = w->allowed & PTE_U;
    unsigned prot = PROT_R;

    if (w->user && !user_page)
        return 0;
    if (w->allowed & PTE_W || (!w->user && !(c->cr0 & CR0_WP)))
        prot |= PROT_W;
    if (!w->user && user_page && w->smap)
        prot = 0;
    if (!(w->allowed & PTE_NX) && !(!w->user && user_page && c->cr4 & CR4_SMEP))
        prot |= PROT_X;
    return prot;
}

static unsigned prot_needed(enum mem_access access)
{
    return access == ACCESS_READ ? PROT_R : access == ACCESS_WRITE ? PROT_W : PROT_X;
}

/* Address bits of a leaf. */
static uint64_t leaf_base(const struct walk *w, unsigned page_bits)
{
    if (w->bytes == 8)
        return w->pte & mask64(52) & ~mask64(page_bits);
    if (page_bits == 22)
        return (w->pte & 0xffc00000) | (w->pte >> 13 & 0xff) << 32;
    return w->pte & 0xfffff000;
}

/* A leaf was found: checks it, sets A and D; *again if it has changed meanwhile. */
static bool finish(struct walk *w, unsigned page_bits, struct cpu_page *page, struct cpu_fault *f,
                   bool *again)
{
    const struct x86_cpu *c = w->c;
    unsigned prot = permissions(w), need = prot_needed(w->access), keys = pkey_denies(w);

    if (!w->debug) {
        if (!(prot & need))
            return fault(w, PF_P, f);
        if (keys & need)
            return fault(w, PF_P | PF_PK, f);
    }
    if (!set_bits(w, PTE_A | (w->access == ACCESS_WRITE ? PTE_D : 0))) {
        *again = true;
        return true;
    }
    prot &= ~keys;
    if (!(w->pte & PTE_D) && w->host)
        prot &= ~PROT_W;
    page->paddr = a20(c, leaf_base(w, page_bits) | (w->vaddr & mask64(page_bits)));
    page->prot = prot;
    page->size_bits = c->a20 ? page_bits : MIN(page_bits, 20);
    page->global = c->cr4 & CR4_PGE && w->pte & PTE_G;
    return true;
}

/*
 * The table at @paddr is that of @level, whose entries map 2^shift bytes each. Entry by entry down
 * to the leaf; an entry that another CPU changes while its bits are set is looked at again.
 */
static bool descend(struct walk *w, uint64_t table, unsigned level, struct cpu_page *page,
                    struct cpu_fault *f)
{
    const struct x86_cpu *c = w->c;
    unsigned index_bits = w->bytes == 4 ? 10 : 9;

    for (;; level--) {
        unsigned shift = 12 + (level - 1) * index_bits;
        uint64_t upper = w->allowed;
        bool again;

        w->paddr = table + (w->vaddr >> shift & mask64(index_bits)) * w->bytes;
        page->size_bits = w->debug ? shift : 12; /* if it ends here: how much is not mapped */
        do {
            again = false;
            read_entry(w);
            if (!(w->pte & PTE_P))
                return fault(w, 0, f);
            w->allowed = (upper & w->pte & (PTE_W | PTE_U)) | (upper & PTE_NX) |
                         (nx_on(c) && w->bytes == 8 ? w->pte & PTE_NX : 0);
            bool large = w->pte & PTE_PS && ((level == 2 && (w->bytes == 8 || c->cr4 & CR4_PSE)) ||
                                             (level == 3 && x86_have(c, FEAT_PDPE1GB)));
            bool leaf = level == 1 || large;
            if (reserved(w, level, leaf ? shift : 0))
                return fault(w, PF_P | PF_RSVD, f);
            if (leaf) {
                if (!finish(w, shift, page, f, &again))
                    return false;
                if (!again)
                    return true;
            } else {
                again = !set_bits(w, PTE_A);
            }
        } while (again);
        table = w->bytes == 8 ? w->pte & mask64(52) & ~mask64(12) : w->pte & 0xfffff000;
    }
}

static bool walk(struct walk *w, struct cpu_page *page, struct cpu_fault *f)
{
    const struct x86_cpu *c = w->c;

    w->allowed = PTE_W | PTE_U;
    if (!(c->cr4 & CR4_PAE)) {
        w->bytes = 4;
        return descend(w, c->cr3 & 0xfffff000, 2, page, f);
    }
    w->bytes = 8;
    if (x86_lma(c))
        return descend(w, c->cr3 & mask64(52) & ~mask64(12), c->cr4 & CR4_LA57 ? 5 : 4, page, f);
    uint64_t pdpte = c->pdpte[w->vaddr >> 30 & 3];
    page->size_bits = w->debug ? 30 : 12;
    if (!(pdpte & PTE_P))
        return fault(w, 0, f);
    return descend(w, pdpte & mask64(52) & ~mask64(12), 2, page, f);
}

/* The largest aligned range around an address that is not canonical in which none is. */
static unsigned hole_bits(const struct x86_cpu *c, uint64_t vaddr)
{
    uint64_t first = 1ULL << (c->cr4 & CR4_LA57 ? 56 : 47), last = ~first;
    unsigned bits = 12;

    while (bits < 63 && (vaddr & ~mask64(bits + 1)) >= first && (vaddr | mask64(bits + 1)) <= last)
        bits++;
    return bits;
}

/*
 * An access that generated code found not to be plainly within its segment (x86.h): the whole
 * check, after which w->vaddr is the linear address.
 */
static bool check_segment(struct x86_cpu *c, struct walk *w, struct cpu_fault *f)
{
    unsigned seg = w->vaddr >> X86_SLOW_SEG_SHIFT & 7,
             len = (w->vaddr >> X86_SLOW_SIZE_SHIFT & 31) + 1;
    uint32_t linear = w->vaddr;

    if (!x86_seg_ok(c, seg, linear - c->seg_base[seg], len, w->access == ACCESS_WRITE)) {
        *f = (struct cpu_fault){ FAULT_ACCESS, w->access, w->vaddr,
                                 seg == S_SS ? FAULT_X_SS : FAULT_X_GP };
        return false;
    }
    w->vaddr = linear;
    return true;
}

static bool translate(struct x86_cpu *c, struct walk *w, struct cpu_page *page, struct cpu_fault *f)
{
    if (!x86_lma(c)) {
        w->vaddr = (uint32_t)w->vaddr;
    } else if (!x86_canonical(c, w->vaddr)) {
        page->size_bits = w->debug ? hole_bits(c, w->vaddr) : 12;
        *f = (struct cpu_fault){ FAULT_ACCESS, w->access, w->vaddr, FAULT_X_GP };
        return false;
    }
    if (!(c->cr0 & CR0_PG)) {
        *page = (struct cpu_page){ a20(c, w->vaddr), PROT_R | PROT_W | PROT_X, c->a20 ? 64 : 20,
                                   false };
        return true;
    }
    unsigned cookie = mem_read_begin(c->cpu.as->mem);
    bool ok = walk(w, page, f);
    mem_read_end(c->cpu.as->mem, cookie);
    return ok;
}

/*
 * Pages with data breakpoints are never cached. An access that begins at one is refused once; while
 * the breakpoint is pending (and the instruction run for the second time) it is not.
 */
static bool check_watch(const struct walk *w, struct cpu_page *page, struct cpu_fault *f)
{
    const struct x86_cpu *c = w->c;

    for (unsigned n = 0; n < 4; n++)
        if (x86_debug_enabled(c, n) && !((c->dr[n] ^ w->vaddr) & TCG_PAGE_MASK))
            page->size_bits = 0;
    if (c->debug_pending || !x86_debug_access(c, w->vaddr, w->access == ACCESS_WRITE))
        return true;
    *f = (struct cpu_fault){ FAULT_ACCESS, w->access, w->vaddr, FAULT_X_WATCH };
    return false;
}

bool x86_map(struct cpu *cpu, uint64_t vaddr, enum mem_access access, unsigned mode, bool debug,
             struct cpu_page *page, struct cpu_fault *f)
{
    struct walk w = {
        .c = x86_of(cpu),
        .vaddr = vaddr,
        .access = access,
        .user = mode == MODE_USER,
        .smap = mode == MODE_KERNEL_SMAP,
        .debug = debug,
    };
    bool slow = x86_is_slow_address(vaddr) && !x86_code64(w.c) && access != ACCESS_FETCH;
    bool ok = (!slow || check_segment(w.c, &w, f)) && translate(w.c, &w, page, f);

    if (slow)
        page->size_bits = 0;
    if (ok && !debug && access != ACCESS_FETCH && x86_debug_data(w.c))
        ok = check_watch(&w, page, f);
    if (log_wanted(LOG_MMU, vaddr))
        log_printf(LOG_MMU,
                   "cpu %u: map %016" PRIx64 " access %d mode %u: %s paddr %" PRIx64
                   " prot %u bits %u code %" PRIx64 "\n",
                   cpu->index, vaddr, access, mode, ok ? "ok" : "fault", ok ? page->paddr : 0,
                   ok ? page->prot : 0, page->size_bits, ok ? 0 : f->extra);
    return ok;
}

bool x86_whole_access(struct cpu *cpu, uint64_t vaddr, unsigned size, enum mem_access access,
                      struct cpu_fault *f)
{
    struct x86_cpu *c = x86_of(cpu);

    if (!x86_code64(c) || !x86_canonical(c, vaddr) || x86_canonical(c, vaddr + size - 1))
        return true;
    *f = (struct cpu_fault){ FAULT_ACCESS, access, vaddr, FAULT_X_GP };
    return false;
}

/* ---- PAE's pointer table (4.4.1) ---- */

bool x86_load_pdptes(struct x86_cpu *c, uint64_t cr3)
{
    uint64_t bad = (mask64(63) & ~mask64(c->phys_bits)) | PTE_NX | 0x1e6, entry[4];

    for (unsigned k = 0; k < 4; k++) {
        uint64_t paddr = a20(c, (cr3 & 0xffffffe0) + 8 * k);
        if (space_load(c->cpu.as, paddr, 8, &entry[k], 0) != MEM_OK)
            entry[k] = 0;
        if (entry[k] & PTE_P && entry[k] & bad)
            return false;
    }
    memcpy(c->pdpte, entry, sizeof(entry));
    return true;
}

/* ---- Address spaces ---- */

static struct x86_spaces *spaces(struct x86_cpu *c)
{
    if (!c->spaces)
        c->spaces = g_new0(struct x86_spaces, 1);
    return c->spaces;
}

static unsigned current_pcid(const struct x86_cpu *c)
{
    return c->cr4 & CR4_PCIDE ? c->cr3 & (PCIDS - 1) : 0;
}

void x86_mmu_switch(struct x86_cpu *c, bool keep)
{
    struct x86_spaces *s = spaces(c);
    uint64_t *space = &s->of[current_pcid(c)];

    if (!keep || !*space)
        *space = ++s->last;
    tlb_switch_space(&c->cpu, *space);
}

static void forget_spaces(struct x86_cpu *c)
{
    memset(spaces(c)->of, 0, sizeof(c->spaces->of));
}

void x86_mmu_changed(struct x86_cpu *c)
{
    forget_spaces(c);
    tlb_flush_all(&c->cpu);
    x86_mmu_switch(c, true);
}

/* Outside long mode cached addresses may lie 4 GiB beside (x86.h). */
static void flush_page(struct x86_cpu *c, uint64_t addr, bool globals_too)
{
    addr = x86_linear(c, addr);
    tlb_flush_page(&c->cpu, addr, globals_too);
    if (!x86_code64(c)) {
        tlb_flush_page(&c->cpu, addr + BIT(32), globals_too);
        tlb_flush_page(&c->cpu, addr - BIT(32), globals_too);
    }
}

void x86_invlpg(struct x86_cpu *c, uint64_t addr)
{
    flush_page(c, addr, true);
}

enum { INVPCID_ADDRESS, INVPCID_SPACE, INVPCID_ALL, INVPCID_NONGLOBAL };

void x86_invpcid(struct x86_cpu *c, uint64_t type, uint64_t pcid, uint64_t addr)
{
    struct x86_spaces *s = spaces(c);

    switch (type) {
    case INVPCID_ADDRESS:
        if (pcid == current_pcid(c)) {
            flush_page(c, addr, false);
            break;
        }
        s->of[pcid] = 0;
        break;
    case INVPCID_SPACE:
        s->of[pcid] = 0;
        if (pcid == current_pcid(c))
            x86_mmu_switch(c, false);
        break;
    case INVPCID_ALL: x86_mmu_changed(c); break;
    default:
        forget_spaces(c);
        x86_mmu_switch(c, false);
        break;
    }
}

void x86_set_pkru(struct x86_cpu *c, uint32_t val)
{
    if (val == c->pkru)
        return;
    c->pkru = val;
    if (c->cr4 & CR4_PKE)
        tlb_flush_all(&c->cpu);
}

void x86_mmu_free(struct x86_cpu *c)
{
    g_free(c->spaces);
    c->spaces = NULL;
}
