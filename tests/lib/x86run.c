/*
 * See x86run.h: the two CPUs, their memory, and running code on both.
 */
#include <stdlib.h>
#include <string.h>
#include <tcg/opt.h>
#include "target/x86/fpstate.h"
#include "x86run-int.h"

#define MAX_UNITS 600 /* that one run may go through */

static struct x86run_side *side_of(struct tcg_cpu *c)
{
    return ((struct cpu *)c)->accel;
}

/* ---- Memory ---- */

/* Page fault error code: write, user; nothing is present but for the read-only page. */
G_NORETURN static void fault(struct tcg_cpu *c, bool write, uint64_t addr, unsigned mode)
{
    struct x86_cpu *x = x86_of((struct cpu *)c);
    unsigned spare = 16;
    bool canonical = (int64_t)(addr << spare) >> spare == (int64_t)addr || !x86_lma(x);
    bool present = addr - X86RUN_RAM < RAM_SIZE;
    struct cpu_fault f = {
        .kind = canonical ? FAULT_PAGE : FAULT_ACCESS,
        .access = write ? ACCESS_WRITE : ACCESS_READ,
        .vaddr = addr,
        .extra = canonical ? present | write << 1 | (mode == MODE_USER) << 2 : FAULT_X_GP,
    };

    cpu_raise_fault((struct cpu *)c, &f);
}

/* The byte's place, or NULL. */
static uint8_t *byte_at(struct x86run_side *s, uint64_t addr, bool write, unsigned mode)
{
    uint64_t limit = write ? X86RUN_RO_PAGE * TCG_PAGE_SIZE : RAM_SIZE;

    if (addr - X86RUN_RAM < limit)
        return s->ram + (addr - X86RUN_RAM);
    if (addr - X86RUN_SYS < SYS_SIZE && mode != MODE_USER)
        return s->sys + (addr - X86RUN_SYS);
    if (addr - X86RUN_PC < TCG_PAGE_SIZE && !write)
        return s->code + (addr - X86RUN_PC);
    return NULL;
}

/* From now on generated code accesses the page without us. */
static void fill(struct tcg_cpu *c, uint64_t addr, unsigned mode)
{
    struct x86run_side *s = side_of(c);
    uint64_t page = addr & TCG_PAGE_MASK;
    struct tcg_tlb_entry *e = &c->tlb[mode][tcg_tlb_index(addr)];

    e->read = page;
    e->write = byte_at(s, page, true, mode) ? page : TCG_TLB_INVALID;
    e->addend = (uintptr_t)byte_at(s, page, false, mode) - page;
}

/* An access that is refused whatever there is. */
static void check_whole(struct tcg_cpu *c, uint64_t addr, unsigned size, bool write)
{
    struct cpu *cpu = (struct cpu *)c;
    struct cpu_fault f;

    if (!x86_whole_access(cpu, addr, size, write ? ACCESS_WRITE : ACCESS_READ, &f))
        cpu_raise_fault(cpu, &f);
}

/* A logical address that generated code refused, or one that left 32 bits. */
static uint64_t plain_address(struct tcg_cpu *c, uint64_t addr, unsigned mode, bool write)
{
    struct cpu *cpu = (struct cpu *)c;
    struct cpu_page page;
    struct cpu_fault f;

    if (x86_code64(x86_of(cpu)))
        return addr;
    if (!x86_is_slow_address(addr))
        return (uint32_t)addr;
    if (!x86_map(cpu, addr, write ? ACCESS_WRITE : ACCESS_READ, mode, false, &page, &f))
        cpu_raise_fault(cpu, &f);
    return page.paddr;
}

/* Checks all, and says where the bytes are: at[0] to at[size - 1] one behind the other, or in two
 * parts, copied by copy(). */
static void access_bytes(struct tcg_cpu *c, uint64_t addr, uint32_t mem, bool write, void *buf)
{
    unsigned size = ir_mem_bytes(mem), mode = ir_mem_mode(mem);
    struct x86run_side *s = side_of(c);
    uint8_t *p[32];
    bool is64 = x86_code64(x86_of((struct cpu *)c));
    bool writable = write || mem & IR_MEM_WRITE; /* a store to the same place follows */

    addr = plain_address(c, addr, mode, writable);
    if (size == 16 && mem & IR_MEM_ALIGNED && addr & 15) {
        struct cpu_fault f = { .kind = FAULT_MISALIGNED, .vaddr = addr };
        cpu_raise_fault((struct cpu *)c, &f);
    }
    check_whole(c, addr, size, writable);
    for (unsigned k = 0; k < size; k++) {
        uint64_t at = is64 ? addr + k : (uint32_t)(addr + k);
        p[k] = byte_at(s, at, writable, mode);
        if (!p[k])
            fault(c, writable, at, mode);
    }
    fill(c, addr, mode);
    for (unsigned k = 0; k < size; k++)
        if (write)
            *p[k] = ((uint8_t *)buf)[k];
        else
            ((uint8_t *)buf)[k] = *p[k];
}

static uint64_t extend(uint64_t v, uint32_t mem)
{
    unsigned shift = 64 - 8 * ir_mem_bytes(mem);

    return mem & IR_MEM_SIGNED ? (uint64_t)((int64_t)(v << shift) >> shift) : v << shift >> shift;
}

static uint64_t run_load(struct tcg_cpu *c, uint64_t addr, uint32_t mem)
{
    uint64_t v = 0;

    access_bytes(c, addr, mem, false, &v);
    return extend(v, mem);
}

static void run_store(struct tcg_cpu *c, uint64_t addr, uint64_t v, uint32_t mem)
{
    access_bytes(c, addr, mem, true, &v);
}

static void run_load_wide(struct tcg_cpu *c, uint64_t addr, union tcg_wide *v, uint32_t mem)
{
    access_bytes(c, addr, mem, false, v);
}

static void run_store_wide(struct tcg_cpu *c, uint64_t addr, const union tcg_wide *v, uint32_t mem)
{
    union tcg_wide copy = *v;

    access_bytes(c, addr, mem, true, &copy);
}

static uint64_t amo_result(unsigned op, uint64_t old, uint64_t v)
{
    switch (op) {
    case IR_AMO_SWAP: return v;
    case IR_AMO_ADD: return old + v;
    case IR_AMO_AND: return old & v;
    case IR_AMO_OR: return old | v;
    case IR_AMO_XOR: return old ^ v;
    default: g_assert_not_reached();
    }
}

/* Faults as a store does. */
static uint64_t run_amo(struct tcg_cpu *c, uint64_t addr, uint64_t v, uint32_t mem, uint32_t op)
{
    unsigned mode = ir_mem_mode(mem);
    uint64_t old;

    addr = plain_address(c, addr, mode, true);
    check_whole(c, addr, ir_mem_bytes(mem), true);
    for (unsigned k = 0; k < ir_mem_bytes(mem); k++)
        if (!byte_at(side_of(c), addr + k, true, mode))
            fault(c, true, addr + k, mode);
    old = run_load(c, addr, mem & ~IR_MEM_SIGNED);
    run_store(c, addr, amo_result(op, old, v), mem);
    return extend(old, mem);
}

static uint64_t run_cmpxchg(struct tcg_cpu *c, uint64_t addr, uint64_t expected, uint64_t desired,
                            uint32_t mem)
{
    uint64_t old = run_amo(c, addr, 0, mem, IR_AMO_OR);

    if (!((old ^ expected) << (64 - 8 * ir_mem_bytes(mem))))
        run_store(c, addr, desired, mem);
    return old;
}

static bool run_probe(struct tcg_cpu *c, uint64_t addr, uint32_t len, uint32_t mem)
{
    unsigned mode = ir_mem_mode(mem);

    if (mem & IR_MEM_ALIGNED && addr & (ir_mem_bytes(mem) - 1))
        return false;
    if ((addr ^ (addr + len - 1)) & TCG_PAGE_MASK ||
        !byte_at(side_of(c), addr, mem & IR_MEM_WRITE, mode))
        return false;
    fill(c, addr, mode);
    return true;
}

static const struct tcg_runtime runtime = {
    .load = run_load,
    .store = run_store,
    .load_wide = run_load_wide,
    .store_wide = run_store_wide,
    .amo = run_amo,
    .cmpxchg = run_cmpxchg,
    .probe = run_probe,
};

/* ---- What helpers ask of an accelerator ---- */

static void flush_all(struct cpu *cpu)
{
    for (unsigned mode = 0; mode <= MODE_SMM; mode++)
        for (unsigned n = 0; n < TCG_TLB_SIZE; n++)
            cpu->tcg.tlb[mode][n].read = cpu->tcg.tlb[mode][n].write = TCG_TLB_INVALID;
}

static void flush_page(struct cpu *cpu, uint64_t vaddr, bool globals_too)
{
    (void)vaddr, (void)globals_too;
    flush_all(cpu);
}

static void switch_space(struct cpu *cpu, uint64_t space)
{
    (void)space;
    flush_all(cpu);
}

static void fence_i(struct cpu *cpu)
{
    (void)cpu;
}

static uint64_t op_load(struct cpu *cpu, uint64_t addr, uint16_t mem)
{
    return run_load(&cpu->tcg, addr, mem);
}

static void op_store(struct cpu *cpu, uint64_t addr, uint64_t v, uint16_t mem)
{
    run_store(&cpu->tcg, addr, v, mem);
}

static void *op_host(struct cpu *cpu, uint64_t addr, unsigned len, enum mem_access access,
                     unsigned mode)
{
    if ((addr & (TCG_PAGE_SIZE - 1)) + len > TCG_PAGE_SIZE)
        return NULL;
    return byte_at(side_of(&cpu->tcg), addr, access == ACCESS_WRITE, mode);
}

static uint64_t op_amo(struct cpu *cpu, uint64_t addr, uint64_t v, uint16_t mem, enum ir_amo op)
{
    return run_amo(&cpu->tcg, addr, v, mem, op);
}

static uint64_t op_cmpxchg(struct cpu *cpu, uint64_t addr, uint64_t expected, uint64_t desired,
                           uint16_t mem)
{
    return run_cmpxchg(&cpu->tcg, addr, expected, desired, mem);
}

static const struct cpu_accel_ops accel_ops = {
    .flush_all = flush_all,
    .flush_page = flush_page,
    .flush_nonglobal = flush_all,
    .switch_space = switch_space,
    .fence_i = fence_i,
    .load = op_load,
    .store = op_store,
    .host = op_host,
    .amo = op_amo,
    .cmpxchg = op_cmpxchg,
    .fp_set_round = unitrun_fp_set_round,
    .fp_set_control = unitrun_fp_set_control,
    .fp_flags = unitrun_fp_flags,
};

/* ---- One run ---- */

static bool fetch(void *opaque, uint64_t vaddr, unsigned size, uint32_t *val)
{
    struct x86run *r = opaque;

    if (vaddr - X86RUN_PC > TCG_PAGE_SIZE - size)
        return false;
    memcpy(val, r->code + (vaddr - X86RUN_PC), size);
    return true;
}

static bool breakpoint(void *opaque, uint64_t vaddr)
{
    struct x86run *r = opaque;

    return vaddr - X86RUN_PC >= r->code_size;
}

static void translate(struct x86run *r, struct x86run_side *s)
{
    static const struct trans_fetch how = { fetch, breakpoint };
    struct tcg_cpu *c = &s->cpu->cpu.tcg;
    struct trans t = { .ir = &r->jit->ir,
                       .cpu = &s->cpu->cpu,
                       .flags = c->flags & ~TCG_FLAGS_ATTENTION,
                       .start = c->pc,
                       .max_insns = 64,
                       .no_loop = true,
                       .no_checks = s->side.unmerged,
                       .fetch = &how,
                       .fetch_opaque = r };
    g_autofree char *wrong = NULL;

    ir_begin(t.ir, t.start, t.flags);
    trans_unit(&t);
    g_assert_cmpuint(t.insns, >, 0);
    wrong = ir_verify(t.ir);
    if (wrong) {
        ir_print(t.ir, stdout);
        g_error("%s", wrong);
    }
}

static void forget_units(struct x86run *r)
{
    for (unsigned k = 0; k < 2; k++)
        g_array_set_size(r->side[k]->units, 0);
    unitrun_forget(r->jit);
}

/* The unit where the CPU is, made if there is none yet. */
static const struct unitrun_unit *unit_at(struct x86run *r, struct x86run_side *s)
{
    struct cpu *cpu = &s->cpu->cpu;
    struct x86run_unit new = { .pc = cpu->tcg.pc,
                               .flags = cpu->tcg.flags & ~TCG_FLAGS_ATTENTION,
                               .unmerged = s->side.unmerged };

    for (unsigned k = 0; k < s->units->len; k++) {
        const struct x86run_unit *u = &g_array_index(s->units, struct x86run_unit, k);
        if (u->pc == new.pc && u->flags == new.flags && u->unmerged == new.unmerged)
            return u->unit;
    }
    if (!unitrun_has_room(r->jit))
        forget_units(r);
    translate(r, s);
    if (s->side.jit)
        opt_run(&r->jit->ir, r->jit->scratch, new.unmerged ? OPT_ALL & ~OPT_MERGE : OPT_ALL);
    new.unit = unitrun_make(r->jit, cpu);
    g_array_append_val(s->units, new);
    return new.unit;
}

static bool inside(const struct x86run *r, const struct x86run_side *s)
{
    return s->cpu->cpu.tcg.pc - X86RUN_PC < r->code_size;
}

/* From unit to unit until the code is left. */
static void run_side(struct x86run *r, struct x86run_side *s)
{
    unsigned n;

    for (n = 0; n < MAX_UNITS && inside(r, s); n++) {
        const struct unitrun_unit *unit = unit_at(r, s);

        s->side.unmerged = false;
        unitrun_enter(r->jit, &s->cpu->cpu, unit);
    }
    r->skipped |= n == MAX_UNITS;
    if (!s->side.jit)
        r->units = n;
}

static size_t plain_state(size_t *first)
{
    *first = offsetof(struct x86_cpu, df);
    return offsetof(struct x86_cpu, shadow) - *first;
}

/* Everything architectural from the first side to the second. */
static void copy_state(struct x86run *r)
{
    struct x86_cpu *from = r->side[0]->cpu, *to = r->side[1]->cpu;
    size_t first, size = plain_state(&first);

    memcpy(to->cpu.tcg.hot, from->cpu.tcg.hot, sizeof(to->cpu.tcg.hot));
    memcpy((char *)to + first, (char *)from + first, size);
    to->cpu.tcg.flags = from->cpu.tcg.flags;
    to->cpu.tcg.pc = from->cpu.tcg.pc;
    memcpy(r->side[1]->ram, r->side[0]->ram, RAM_SIZE);
    memcpy(r->side[1]->sys, r->side[0]->sys, SYS_SIZE);
}

static void prepare(struct x86run_side *s)
{
    struct cpu *cpu = &s->cpu->cpu;

    flush_all(cpu);
    unitrun_prepare(cpu);
    x86_set_mxcsr(s->cpu, s->cpu->mxcsr);
    s->cpu->shadow = 0;
    s->cpu->shadow_pc = ~UINT64_C(0);
    s->cpu->delivering = 0;
}

static char *differ(const char *what, uint64_t a, uint64_t b)
{
    return g_strdup_printf(
        "%s: interp 0x%016" G_GINT64_MODIFIER "x, jit 0x%016" G_GINT64_MODIFIER "x", what, a, b);
}

static char *compare(struct x86run *r)
{
    struct x86_cpu *a = r->side[0]->cpu, *b = r->side[1]->cpu;
    size_t first, size = plain_state(&first);
    char *what = NULL;

    /* Flags may be lazy in different ways: units of the two begin at different places. */
    if (x86_eflags(a) != x86_eflags(b))
        what = differ("eflags", x86_eflags(a), x86_eflags(b));
    for (unsigned n = 0; !what && n < 16; n++)
        if (a->cpu.tcg.hot[n] != b->cpu.tcg.hot[n])
            what = differ(x86_slots.slot[n].name, a->cpu.tcg.hot[n], b->cpu.tcg.hot[n]);
    if (!what && a->cpu.tcg.pc != b->cpu.tcg.pc)
        what = differ("pc", a->cpu.tcg.pc, b->cpu.tcg.pc);
    for (size_t n = first; !what && n < first + size; n += 8)
        if (memcmp((char *)a + n, (char *)b + n, MIN(8, first + size - n)))
            what = g_strdup_printf("struct x86_cpu at offset %zu", n);
    if (!what && (a->cpu.tcg.flags ^ b->cpu.tcg.flags) & ~TCG_FLAGS_ATTENTION)
        what = differ("unit flags", a->cpu.tcg.flags, b->cpu.tcg.flags);
    if (!what && !memcmp(r->side[0]->ram, r->side[1]->ram, RAM_SIZE) &&
        !memcmp(r->side[0]->sys, r->side[1]->sys, SYS_SIZE))
        return NULL;
    for (unsigned n = 0; !what && n < RAM_SIZE; n += 8)
        if (memcmp(r->side[0]->ram + n, r->side[1]->ram + n, 8))
            what = g_strdup_printf("memory at 0x%x", n);
    for (unsigned n = 0; !what && n < SYS_SIZE; n += 8)
        if (memcmp(r->side[0]->sys + n, r->side[1]->sys + n, 8))
            what = g_strdup_printf("system's memory at 0x%x", n);
    return what;
}

char *x86run_run(struct x86run *r)
{
    char *what;

    r->cpu->cpu.tcg.pc = X86RUN_PC;
    r->cpu->cpu.tcg.flags = 0;
    cpu_update_flags(&r->cpu->cpu);
    r->skipped = false;
    copy_state(r);
    x86run_keep(r);
    prepare(r->side[0]);
    prepare(r->side[1]);
    run_side(r, r->side[0]);
    run_side(r, r->side[1]);
    x86_mxcsr(r->side[0]->cpu);
    x86_mxcsr(r->side[1]->cpu);
    what = r->skipped ? NULL : compare(r);
    x86run_outcome(r);
    return what;
}

void x86run_set_code(struct x86run *r, const void *code, size_t size)
{
    g_assert_cmpuint(size, <=, X86RUN_MAX_CODE);
    memset(r->code, 0xcc, X86RUN_MAX_CODE + 1);
    memcpy(r->code, code, size);
    r->code_size = size;
    forget_units(r);
}

uint64_t x86run_count(uint64_t normal)
{
    const char *s = g_getenv("MYNA_COUNT");

    return s ? g_ascii_strtoull(s, NULL, 0) : normal;
}

/* ---- Begin and end ---- */

static struct x86run_side *side_new(const char *arch, const char *cpu, bool jit)
{
    struct x86run_side *s = g_new0(struct x86run_side, 1);
    g_autoptr(GError) err = NULL;

    s->cpu = x86_of(cpu_create(arch, cpu, &err));
    g_assert_no_error(err);
    s->ram = aligned_alloc(TCG_PAGE_SIZE, RAM_SIZE);
    s->sys = aligned_alloc(TCG_PAGE_SIZE, SYS_SIZE);
    g_assert_true(s->ram && s->sys);
    s->side.jit = jit;
    s->units = g_array_new(false, false, sizeof(struct x86run_unit));
    s->cpu->cpu.accel = s;
    s->cpu->cpu.accel_ops = &accel_ops;
    s->cpu->cpu.unwind = &s->side.unwind;
    tcg_forget_jumps(&s->cpu->cpu.tcg);
    return s;
}

struct x86run *x86run_new(const char *arch, const char *cpu, enum x86run_mode mode)
{
    struct x86run *r = g_new0(struct x86run, 1);

    r->mode = mode;
    r->side[0] = side_new(arch, cpu, false);
    r->side[1] = side_new(arch, cpu, true);
    r->cpu = r->side[0]->cpu;
    r->ram = r->side[0]->ram;
    r->before.ram = g_malloc(RAM_SIZE);
    r->side[0]->code = r->side[1]->code = r->code;
    r->jit = unitrun_new(&x86_slots, &runtime);
    memset(r->code, 0xcc, sizeof(r->code));
    return r;
}

void x86run_free(struct x86run *r)
{
    for (unsigned k = 0; k < 2; k++) {
        r->side[k]->cpu->cpu.accel_ops = NULL;
        cpu_free(&r->side[k]->cpu->cpu);
        free(r->side[k]->ram);
        free(r->side[k]->sys);
        g_array_unref(r->side[k]->units);
        g_free(r->side[k]);
    }
    for (unsigned k = 0; k < G_N_ELEMENTS(r->special); k++)
        if (r->special[k])
            g_array_unref(r->special[k]);
    g_free(r->before.ram);
    unitrun_free(r->jit);
    g_free(r);
}
