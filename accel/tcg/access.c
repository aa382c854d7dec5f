/*
 * Slow paths of data access: whatever generated code does not find in the first-level TLB.
 *
 * Bytes of an access that crosses a page are both checked before any is written.
 */
#include <string.h>
#include <xmmintrin.h>
#include <base/bits.h>
#include <base/shared.h>
#include <mem/space.h>
#include "tcg.h"

static struct tcg_vcpu *vcpu(struct tcg_cpu *t)
{
    return vcpu_of((struct cpu *)t);
}

G_NORETURN static void raise_fault(struct tcg_vcpu *v, enum fault_kind kind, enum mem_access access,
                                   uint64_t addr)
{
    struct cpu_fault f = { .kind = kind, .access = access, .vaddr = addr };
    cpu_raise_fault(v->cpu, &f);
}

/* The mapping of @addr or the guest's exception; enters it in the first level. */
static struct tlb2_entry *translate(struct tcg_vcpu *v, uint64_t addr, enum mem_access access,
                                    unsigned mode, struct tlb2_entry *once)
{
    struct cpu_fault fault;
    struct tlb2_entry *t = tlb_lookup(v, addr, access, mode, once, &fault);

    if (!t)
        cpu_raise_fault(v->cpu, &fault);
    if (t != once)
        tlb_fill(v, addr, mode, t);
    return t;
}

/* Leaves before the access is done. So gdb expects it where instructions trap before they access
 * (have_nonsteppable_watchpoint): it steps over the instruction and looks at the value then. */
static void check_watch(struct tcg_vcpu *v, uint64_t addr, unsigned size, int kind)
{
    struct cpu *cpu = v->cpu;

    if (cpu->debug_skip_watch)
        return;
    for (unsigned i = 0; i < cpu->watchpoints->len; i++) {
        const struct cpu_watchpoint *w = &g_array_index(cpu->watchpoints, struct cpu_watchpoint, i);
        if (!((int)w->kind & kind) || addr + (size - 1) < w->addr || addr > w->addr + (w->len - 1))
            continue;
        v->watch_hit = true;
        cpu->debug_stop.addr = MAX(addr, w->addr);
        cpu->debug_stop.kind = w->kind;
        cpu_resume(cpu);
    }
}

/* Device code must not run under the guest's rounding mode, nor with its x87 state in the host's
 * x87, which generated code counts on when it goes on. */
static enum mem_result io(struct tcg_vcpu *v, uint64_t paddr, unsigned size, uint64_t *val,
                          bool write)
{
    struct tcg_cpu *c = &v->cpu->tcg;
    bool x87 = c->x87.in_host;
    unsigned csr = _mm_getcsr();
    enum mem_result r;

    stat_add(&v->stats.io, 1);
    cpu_sync_time(v->cpu);
    _mm_setcsr(0x1f80);
    tcg_x87_save(c);
    if (write)
        r = space_store(v->cpu->as, paddr, size, *val, 0);
    else
        r = space_load(v->cpu->as, paddr, size, val, 0);
    _mm_setcsr(csr);
    if (x87)
        c->x87.load(c);
    return r;
}

/* Not of a mapping that holds for this access alone. */
static bool is_kept(const struct tcg_vcpu *v, const struct tlb2_entry *t)
{
    return t >= v->tlb2 && t < v->tlb2 + TLB2_SIZE;
}

/*
 * Before a store: where the next fetch must see it, and it changes the unit that it is in, that
 * unit is left, and the instruction done again by itself (exec.c), so that what follows is fetched
 * anew. Instructions can be done again up to their last store, since any may fault.
 */
static void check_own_code(struct tcg_vcpu *v, const struct tlb2_entry *t, uint64_t addr,
                           unsigned len)
{
    ram_addr_t at = t->ram + (addr & (TCG_PAGE_SIZE - 1));
    struct cpu *cpu = v->cpu;

    if (!cpu->ops->sees_own_stores || !t->host || !v->in_unit || cpu->leaves_unit ||
        v->modify_pc == cpu->tcg.pc || !code_touched(v->tcg, at, len) ||
        !code_is_of(v->tcg, at, len, cpu->tcg.pc))
        return;
    v->redo = REDO_ALONE;
    v->modify_pc = cpu->tcg.pc;
    cpu_resume(cpu);
}

/* Memory was stored to: whoever watches the page hears of it. */
static void stored(struct tcg_vcpu *v, const struct tlb2_entry *t, uint64_t addr, unsigned len)
{
    ram_addr_t at = t->ram + (addr & (TCG_PAGE_SIZE - 1));
    uint8_t *state = &ram_page_state(v->tcg->ram)[t->ram >> RAM_PAGE_BITS];

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    uint8_t bits = __atomic_load_n(state, __ATOMIC_SEQ_CST);
    if (!bits)
        return;
    if (bits & RAM_WATCH_ALL)
        ram_touch(v->tcg->ram, at, len);
    if (bits & RAM_CODE) {
        stat_add(&v->stats.code_writes, 1);
        code_written(v->tcg, at, len);
    }
    if (!__atomic_load_n(state, __ATOMIC_SEQ_CST) && is_kept(v, t))
        tlb_fill(v, addr, t->page & ~TCG_PAGE_MASK, t); /* nobody watches any more */
}

/* Within one page. Little-endian value, zero extended. */
static uint64_t load_in_page(struct tcg_vcpu *v, uint64_t addr, unsigned size, unsigned mode,
                             enum mem_access access)
{
    struct tlb2_entry once, *t = translate(v, addr, access, mode, &once);
    uint64_t val = 0, paddr = t->paddr | (addr & (TCG_PAGE_SIZE - 1));

    if (v->cpu->watchpoints->len)
        check_watch(v, addr, size, WATCH_READ);
    if (t->host)
        return shared_load(t->host + (addr & (TCG_PAGE_SIZE - 1)), size);
    if (io(v, paddr, size, &val, false) != MEM_OK)
        raise_fault(v, FAULT_ACCESS, ACCESS_READ, addr);
    return val;
}

static void store_in_page(struct tcg_vcpu *v, uint64_t addr, uint64_t val, unsigned size,
                          unsigned mode)
{
    struct tlb2_entry once, *t = translate(v, addr, ACCESS_WRITE, mode, &once);
    uint64_t paddr = t->paddr | (addr & (TCG_PAGE_SIZE - 1));

    if (v->cpu->watchpoints->len)
        check_watch(v, addr, size, WATCH_WRITE);
    if (t->host && !t->readonly) {
        check_own_code(v, t, addr, size);
        shared_store(t->host + (addr & (TCG_PAGE_SIZE - 1)), val, size);
        stored(v, t, addr, size);
    } else if (io(v, paddr, size, &val, true) != MEM_OK) {
        raise_fault(v, FAULT_ACCESS, ACCESS_WRITE, addr);
    }
}

/* An access that crosses a page may be refused as a whole. */
static void check_whole(struct tcg_vcpu *v, uint64_t addr, unsigned size, enum mem_access access)
{
    struct cpu_fault fault;

    if (v->cpu->ops->whole && !v->cpu->ops->whole(v->cpu, addr, size, access, &fault))
        cpu_raise_fault(v->cpu, &fault);
}

/* What a store of the bytes, which are in one page, would raise. */
static void check_store(struct tcg_vcpu *v, uint64_t addr, unsigned len, unsigned mode)
{
    struct tlb2_entry once, *t = translate(v, addr, ACCESS_WRITE, mode, &once);

    check_own_code(v, t, addr, len);
}

/* The same for bytes in two pages; the first one's exception comes first. */
static void check_store_across(struct tcg_vcpu *v, uint64_t addr, unsigned len, unsigned mode)
{
    unsigned first = TCG_PAGE_SIZE - (addr & (TCG_PAGE_SIZE - 1));

    check_whole(v, addr, len, ACCESS_WRITE);
    check_store(v, addr, first, mode);
    check_store(v, addr + first, len - first, mode);
}

/* Before an atomic operation in parts: leaves the unit, and the instruction is done again by itself
 * while all other CPUs stand still. */
static void be_exclusive(struct tcg_vcpu *v)
{
    if (v->tcg->nvcpus == 1 || v->tcg->icount.on || !v->in_unit || v->exclusive)
        return;
    v->redo = REDO_EXCLUSIVE;
    cpu_resume(v->cpu);
}

static bool crosses(uint64_t addr, unsigned size)
{
    return (addr & (TCG_PAGE_SIZE - 1)) + size > TCG_PAGE_SIZE;
}

static uint64_t swap(uint64_t val, unsigned size)
{
    return __builtin_bswap64(val) >> (64 - 8 * size);
}

static uint64_t extend(uint64_t val, uint32_t mem)
{
    unsigned bits = 8 * ir_mem_bytes(mem);

    if (bits < 64 && (mem & IR_MEM_SIGNED))
        return (uint64_t)((int64_t)(val << (64 - bits)) >> (64 - bits));
    return bits < 64 ? val & ((1ull << bits) - 1) : val;
}

uint64_t access_load(struct tcg_cpu *c, uint64_t addr, uint32_t mem)
{
    struct tcg_vcpu *v = vcpu(c);
    unsigned size = ir_mem_bytes(mem), mode = ir_mem_mode(mem);
    enum mem_access access = mem & IR_MEM_WRITE ? ACCESS_WRITE : ACCESS_READ;
    uint64_t val = 0;

    stat_add(&v->stats.tlb_slow, 1);
    if ((mem & IR_MEM_ALIGNED) && (addr & (size - 1)))
        raise_fault(v, FAULT_MISALIGNED, access, addr);
    if (crosses(addr, size)) {
        check_whole(v, addr, size, access);
        for (unsigned i = 0; i < size; i++)
            val |= load_in_page(v, addr + i, 1, mode, access) << (8 * i);
    } else {
        val = load_in_page(v, addr, size, mode, access);
    }
    if (mem & IR_MEM_BE)
        val = swap(val, size);
    return extend(val, mem);
}

void access_store(struct tcg_cpu *c, uint64_t addr, uint64_t val, uint32_t mem)
{
    struct tcg_vcpu *v = vcpu(c);
    unsigned size = ir_mem_bytes(mem), mode = ir_mem_mode(mem);

    stat_add(&v->stats.tlb_slow, 1);
    if ((mem & IR_MEM_ALIGNED) && (addr & (size - 1)))
        raise_fault(v, FAULT_MISALIGNED, ACCESS_WRITE, addr);
    if (mem & IR_MEM_BE)
        val = swap(val, size);
    if (!crosses(addr, size)) {
        store_in_page(v, addr, val, size, mode);
        return;
    }
    check_store_across(v, addr, size, mode);
    for (unsigned i = 0; i < size; i++)
        store_in_page(v, addr + i, val >> (8 * i) & 0xff, 1, mode);
}

void access_load_wide(struct tcg_cpu *c, uint64_t addr, union tcg_wide *val, uint32_t mem)
{
    unsigned size = ir_mem_bytes(mem);

    if ((mem & IR_MEM_ALIGNED) && (addr & (size - 1)))
        raise_fault(vcpu(c), FAULT_MISALIGNED, ACCESS_READ, addr);
    if (crosses(addr, size))
        check_whole(vcpu(c), addr, size, ACCESS_READ);
    for (unsigned i = 0; i < size / 8; i++)
        val->q[i] = access_load(c, addr + 8 * i, (mem & IR_MEM_MODE) | 3);
}

void access_store_wide(struct tcg_cpu *c, uint64_t addr, const union tcg_wide *val, uint32_t mem)
{
    unsigned size = ir_mem_bytes(mem);

    if ((mem & IR_MEM_ALIGNED) && (addr & (size - 1)))
        raise_fault(vcpu(c), FAULT_MISALIGNED, ACCESS_WRITE, addr);
    if (crosses(addr, size))
        check_store_across(vcpu(c), addr, size, ir_mem_mode(mem));
    for (unsigned i = 0; i < size / 8; i++)
        access_store(c, addr + 8 * i, val->q[i], (mem & IR_MEM_MODE) | 3);
}

/* Memory for an atomic operation; anything else is an access fault. */
static void *atomic_host(struct tcg_vcpu *v, uint64_t addr, uint32_t mem, struct tlb2_entry **t,
                         struct tlb2_entry *once)
{
    unsigned size = ir_mem_bytes(mem);

    stat_add(&v->stats.tlb_slow, 1);
    if (addr & (size - 1) && !(mem & IR_MEM_ANY))
        raise_fault(v, FAULT_MISALIGNED, ACCESS_WRITE, addr);
    *t = translate(v, addr, ACCESS_WRITE, ir_mem_mode(mem), once);
    if (v->cpu->watchpoints->len)
        check_watch(v, addr, size, WATCH_READ | WATCH_WRITE);
    if (!(*t)->host || (*t)->readonly)
        raise_fault(v, FAULT_ACCESS, ACCESS_WRITE, addr);
    check_own_code(v, *t, addr, size);
    return (*t)->host + (addr & (TCG_PAGE_SIZE - 1));
}

static uint64_t amo_result(enum ir_amo op, uint64_t old, uint64_t val, unsigned bits)
{
    int64_t so = (int64_t)(old << (64 - bits)), sv = (int64_t)(val << (64 - bits));
    uint64_t uo = so, uv = sv;

    switch (op) {
    case IR_AMO_SWAP: return val;
    case IR_AMO_ADD: return old + val;
    case IR_AMO_AND: return old & val;
    case IR_AMO_OR: return old | val;
    case IR_AMO_XOR: return old ^ val;
    case IR_AMO_MIN: return so < sv ? old : val;
    case IR_AMO_MAX: return so > sv ? old : val;
    case IR_AMO_MINU: return uo < uv ? old : val;
    default: return uo > uv ? old : val;
    }
}

static uint64_t host_cmpxchg(void *p, uint64_t expected, uint64_t desired, unsigned size)
{
    switch (size) {
    case 1: return __sync_val_compare_and_swap((uint8_t *)p, (uint8_t)expected, (uint8_t)desired);
    case 2:
        return __sync_val_compare_and_swap((uint16_t *)p, (uint16_t)expected, (uint16_t)desired);
    case 4:
        return __sync_val_compare_and_swap((uint32_t *)p, (uint32_t)expected, (uint32_t)desired);
    default: return __sync_val_compare_and_swap((uint64_t *)p, expected, desired);
    }
}

/*
 * Whether no instruction of the host can do it, but a load and a store may instead (IR_MEM_ANY):
 * across pages, and where there is no plain memory. Faults as a store does.
 */
static bool in_parts(struct tcg_vcpu *v, uint64_t addr, uint32_t mem)
{
    struct tlb2_entry once, *t;

    if (!(mem & IR_MEM_ANY))
        return false;
    if (!crosses(addr, ir_mem_bytes(mem))) {
        t = translate(v, addr, ACCESS_WRITE, ir_mem_mode(mem), &once);
        return !t->host || t->readonly;
    }
    check_store_across(v, addr, ir_mem_bytes(mem), ir_mem_mode(mem));
    be_exclusive(v);
    return true;
}

static uint64_t amo_in_parts(struct tcg_cpu *c, uint64_t addr, uint64_t val, uint32_t mem,
                             uint32_t op)
{
    uint32_t plain = mem & ~(IR_MEM_ALIGNED | IR_MEM_SIGNED);
    uint64_t old = access_load(c, addr, plain);

    access_store(c, addr, amo_result(op, old, val, 8 * ir_mem_bytes(mem)), plain);
    return extend(old, mem);
}

static uint64_t cmpxchg_in_parts(struct tcg_cpu *c, uint64_t addr, uint64_t expected,
                                 uint64_t desired, uint32_t mem)
{
    uint32_t plain = mem & ~(IR_MEM_ALIGNED | IR_MEM_SIGNED);
    uint64_t old = access_load(c, addr, plain);

    access_store(c, addr, old == extend(expected, plain) ? desired : old, plain);
    return extend(old, mem);
}

uint64_t access_amo(struct tcg_cpu *c, uint64_t addr, uint64_t val, uint32_t mem, uint32_t op)
{
    struct tcg_vcpu *v = vcpu(c);
    struct tlb2_entry once, *t;
    unsigned size = ir_mem_bytes(mem);

    if (in_parts(v, addr, mem))
        return amo_in_parts(c, addr, val, mem, op);
    void *p = atomic_host(v, addr, mem, &t, &once);
    bool be = mem & IR_MEM_BE;
    uint64_t raw = shared_load(p, size), seen;

    for (;;) {
        uint64_t old = be ? swap(raw, size) : raw;
        uint64_t new = amo_result(op, old, val, 8 * size);
        seen = host_cmpxchg(p, raw, be ? swap(new, size) : new, size);
        if (seen == raw)
            break;
        raw = seen;
    }
    stored(v, t, addr, size);
    return extend(be ? swap(seen, size) : seen, mem);
}

uint64_t access_cmpxchg(struct tcg_cpu *c, uint64_t addr, uint64_t expected, uint64_t desired,
                        uint32_t mem)
{
    struct tcg_vcpu *v = vcpu(c);
    struct tlb2_entry once, *t;
    unsigned size = ir_mem_bytes(mem);

    if (in_parts(v, addr, mem))
        return cmpxchg_in_parts(c, addr, expected, desired, mem);
    void *p = atomic_host(v, addr, mem, &t, &once);
    bool be = mem & IR_MEM_BE;
    uint64_t mask = size < 8 ? (1ull << (8 * size)) - 1 : ~0ull;
    uint64_t seen;

    expected &= mask;
    seen = host_cmpxchg(p, be ? swap(expected, size) : expected, be ? swap(desired, size) : desired,
                        size);
    stored(v, t, addr, size);
    return extend(be ? swap(seen, size) : seen, mem);
}

static uint64_t tag_for(const struct tcg_tlb_entry *e, enum mem_access access)
{
    return access == ACCESS_READ ? e->read : __atomic_load_n(&e->write, __ATOMIC_RELAXED);
}

void *access_host(struct cpu *cpu, uint64_t addr, unsigned len, enum mem_access access,
                  unsigned mode)
{
    struct tcg_vcpu *v = vcpu_of(cpu);
    struct tcg_tlb_entry *e = &cpu->tcg.tlb[mode][tcg_tlb_index(addr)];
    uint64_t page = addr & TCG_PAGE_MASK;
    struct cpu_fault fault;
    struct tlb2_entry once, *t;

    if (crosses(addr, len) || access == ACCESS_FETCH)
        return NULL;
    if (tag_for(e, access) != page) {
        t = tlb_lookup(v, addr, access, mode, &once, &fault);
        if (!t || t == &once)
            return NULL;
        tlb_fill(v, addr, mode, t);
        if (tag_for(e, access) != page)
            return NULL;
    }
    return (void *)(uintptr_t)(addr + e->addend);
}

/*
 * A check may be for a store that a side exit or a fault before it keeps from being done, so it
 * must not set a dirty bit: the mapping is looked up as for a load, and where that does not allow
 * stores the unmerged variant does them one by one.
 */
bool access_probe(struct tcg_cpu *c, uint64_t addr, uint32_t len, uint32_t mem)
{
    const struct tcg_tlb_entry *e = &c->tlb[ir_mem_mode(mem)][tcg_tlb_index(addr)];

    if (mem & IR_MEM_ALIGNED && addr & (ir_mem_bytes(mem) - 1))
        return false;
    return access_host((struct cpu *)c, addr, len, ACCESS_READ, ir_mem_mode(mem)) &&
           (!(mem & IR_MEM_WRITE) || tag_for(e, ACCESS_WRITE) == (addr & TCG_PAGE_MASK));
}
