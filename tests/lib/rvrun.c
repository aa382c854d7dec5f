/*
 * See rvrun.h.
 */
#include <stdlib.h>
#include <string.h>
#include <tcg/opt.h>
#include <target/trans.h>
#include "target/riscv/vector.h"
#include "fpvalues.h"
#include "rvrun.h"
#include "unitrun.h"

#define RAM_SIZE   (RVRUN_PAGES * TCG_PAGE_SIZE)
/* Memory and registers come from somewhere in this many values: to make all of them anew took more
 * time than to run a unit. */
#define POOL_PAIRS (16 * RAM_SIZE / 16)

/* A CPU's accelerator. */
struct rvrun_side {
    struct unitrun_side side; /* first */
    struct riscv_cpu *cpu;
    uint8_t *ram;
};

static struct rvrun_side *side_of(struct tcg_cpu *c)
{
    return ((struct cpu *)c)->accel;
}

/* ---- Memory ---- */

G_NORETURN static void fault(struct tcg_cpu *c, enum fault_kind kind, enum mem_access access,
                             uint64_t addr)
{
    struct cpu_fault f = { .kind = kind, .access = access, .vaddr = addr };

    cpu_raise_fault((struct cpu *)c, &f);
}

static bool there(uint64_t addr, uint64_t size, bool write)
{
    uint64_t limit = write ? RVRUN_RO_PAGE * TCG_PAGE_SIZE : RAM_SIZE;

    return addr - RVRUN_RAM <= limit - size;
}

/* From now on generated code accesses the page without us. */
static void fill(struct tcg_cpu *c, uint64_t addr, uint32_t mem)
{
    uint64_t page = addr & TCG_PAGE_MASK;
    unsigned mode = ir_mem_mode(mem);
    struct tcg_tlb_entry *e = &c->tlb[mode][tcg_tlb_index(addr)];

    e->read = page;
    e->write = there(page, TCG_PAGE_SIZE, true) ? page : TCG_TLB_INVALID;
    e->addend = (uintptr_t)side_of(c)->ram - RVRUN_RAM;
}

static uint8_t *access_at(struct tcg_cpu *c, uint64_t addr, uint32_t mem, bool write)
{
    unsigned size = ir_mem_bytes(mem);
    enum mem_access access = write ? ACCESS_WRITE : ACCESS_READ;

    if (mem & IR_MEM_ALIGNED && addr & (size - 1))
        fault(c, FAULT_MISALIGNED, access, addr);
    if (!there(addr, size, write))
        fault(c, FAULT_ACCESS, access, addr);
    fill(c, addr, mem);
    return side_of(c)->ram + (addr - RVRUN_RAM);
}

static uint64_t extend(uint64_t v, uint32_t mem)
{
    unsigned shift = 64 - 8 * ir_mem_bytes(mem);

    return mem & IR_MEM_SIGNED ? (uint64_t)((int64_t)(v << shift) >> shift) : v << shift >> shift;
}

static uint64_t run_load(struct tcg_cpu *c, uint64_t addr, uint32_t mem)
{
    uint64_t v = 0;

    memcpy(&v, access_at(c, addr, mem, false), ir_mem_bytes(mem));
    return extend(v, mem);
}

static void run_store(struct tcg_cpu *c, uint64_t addr, uint64_t v, uint32_t mem)
{
    memcpy(access_at(c, addr, mem, true), &v, ir_mem_bytes(mem));
}

static void run_load_wide(struct tcg_cpu *c, uint64_t addr, union tcg_wide *v, uint32_t mem)
{
    memcpy(v, access_at(c, addr, mem, false), ir_mem_bytes(mem));
}

static void run_store_wide(struct tcg_cpu *c, uint64_t addr, const union tcg_wide *v, uint32_t mem)
{
    memcpy(access_at(c, addr, mem, true), v, ir_mem_bytes(mem));
}

static uint64_t amo_result(unsigned op, uint64_t old, uint64_t v, unsigned shift)
{
    int64_t a = (int64_t)(old << shift), b = (int64_t)(v << shift);

    switch (op) {
    case IR_AMO_SWAP: return v;
    case IR_AMO_ADD: return old + v;
    case IR_AMO_AND: return old & v;
    case IR_AMO_OR: return old | v;
    case IR_AMO_XOR: return old ^ v;
    case IR_AMO_MIN: return a < b ? old : v;
    case IR_AMO_MAX: return a > b ? old : v;
    case IR_AMO_MINU: return (uint64_t)a < (uint64_t)b ? old : v;
    default: return (uint64_t)a > (uint64_t)b ? old : v;
    }
}

static uint64_t run_amo(struct tcg_cpu *c, uint64_t addr, uint64_t v, uint32_t mem, uint32_t op)
{
    uint8_t *at = access_at(c, addr, mem | IR_MEM_ALIGNED, true);
    uint64_t old = 0;

    memcpy(&old, at, ir_mem_bytes(mem));
    v = amo_result(op, old, v, 64 - 8 * ir_mem_bytes(mem));
    memcpy(at, &v, ir_mem_bytes(mem));
    return extend(old, mem);
}

static uint64_t run_cmpxchg(struct tcg_cpu *c, uint64_t addr, uint64_t expected, uint64_t desired,
                            uint32_t mem)
{
    uint8_t *at = access_at(c, addr, mem | IR_MEM_ALIGNED, true);
    uint64_t old = 0;

    memcpy(&old, at, ir_mem_bytes(mem));
    if (!memcmp(&old, &expected, ir_mem_bytes(mem)))
        memcpy(at, &desired, ir_mem_bytes(mem));
    return extend(old, mem);
}

static bool run_probe(struct tcg_cpu *c, uint64_t addr, uint32_t len, uint32_t mem)
{
    if ((addr ^ (addr + len - 1)) & TCG_PAGE_MASK || !there(addr, len, mem & IR_MEM_WRITE))
        return false;
    fill(c, addr, mem);
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
    for (unsigned mode = 0; mode < TCG_MMU_MODES; mode++)
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
    (void)mode;
    if ((addr & (TCG_PAGE_SIZE - 1)) + len > TCG_PAGE_SIZE ||
        !there(addr, len, access == ACCESS_WRITE))
        return NULL;
    return side_of(&cpu->tcg)->ram + (addr - RVRUN_RAM);
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
    .fp_flags = unitrun_fp_flags,
};

/* ---- One run ---- */

static bool fetch(void *opaque, uint64_t vaddr, unsigned size, uint32_t *val)
{
    struct rvrun *r = opaque;

    if (vaddr - RVRUN_PC > r->code_size - size || r->code_size < size)
        return false;
    *val = 0;
    memcpy(val, r->code + (vaddr - RVRUN_PC), size);
    return true;
}

static bool no_breakpoint(void *opaque, uint64_t vaddr)
{
    (void)opaque, (void)vaddr;
    return false;
}

static void translate(struct rvrun *r)
{
    static const struct trans_fetch how = { fetch, no_breakpoint };
    struct trans t = { .ir = &r->jit->ir,
                       .cpu = &r->cpu->cpu,
                       .flags = r->cpu->cpu.tcg.flags & ~TCG_FLAGS_ATTENTION,
                       .start = RVRUN_PC,
                       .max_insns = 64,
                       .single = r->code_size <= 4,
                       .fetch = &how,
                       .fetch_opaque = r };
    g_autofree char *wrong = NULL;

    ir_begin(t.ir, t.start, t.flags);
    trans_unit(&t);
    g_assert_cmpuint(t.insns, >, 0);
    wrong = ir_verify(t.ir);
    g_assert_cmpstr(wrong, ==, NULL);
    r->loops = t.ir->loops;
}

static size_t plain_state(size_t *first)
{
    *first = offsetof(struct riscv_cpu, f);
    return offsetof(struct riscv_cpu, mcycle) - *first;
}

/* Everything architectural from the first side to the second. */
static void copy_state(struct rvrun *r)
{
    struct riscv_cpu *from = r->side[0]->cpu, *to = r->side[1]->cpu;
    size_t first, size = plain_state(&first);

    memcpy(to->cpu.tcg.hot, from->cpu.tcg.hot, sizeof(to->cpu.tcg.hot));
    memcpy((char *)to + first, (char *)from + first, size);
    to->cpu.tcg.flags = from->cpu.tcg.flags;
    to->cpu.tcg.pc = from->cpu.tcg.pc;
    memcpy(r->side[1]->ram, r->side[0]->ram, RAM_SIZE);
}

static void prepare(struct rvrun *r, struct rvrun_side *s)
{
    struct cpu *cpu = &s->cpu->cpu;

    flush_all(cpu);
    unitrun_prepare(cpu);
    unitrun_fp_set_round(cpu, r->round);
    riscv_fp_round(s->cpu);
}

static char *differ(const char *what, uint64_t a, uint64_t b)
{
    return g_strdup_printf(
        "%s: interp 0x%016" G_GINT64_MODIFIER "x, jit 0x%016" G_GINT64_MODIFIER "x", what, a, b);
}

static char *compare_slots(const struct riscv_cpu *a, const struct riscv_cpu *b)
{
    const struct ir_slots *slots = a->cpu.ops->slots;

    for (unsigned n = 1; n < slots->count; n++) {
        const struct ir_slot *s = &slots->slot[n];
        size_t size = s->type == IR_I32 ? 4 : 8;
        uint64_t va = 0, vb = 0;

        memcpy(&va, (const char *)a + s->offset, size);
        memcpy(&vb, (const char *)b + s->offset, size);
        if (va != vb)
            return differ(s->name, va, vb);
    }
    return NULL;
}

static char *compare(struct rvrun *r)
{
    struct riscv_cpu *a = r->side[0]->cpu, *b = r->side[1]->cpu;
    size_t first, size = plain_state(&first);
    char *what = compare_slots(a, b);

    if (!what && a->cpu.tcg.pc != b->cpu.tcg.pc)
        what = differ("pc", a->cpu.tcg.pc, b->cpu.tcg.pc);
    if (!what && a->fflags != b->fflags)
        what = differ("fflags", a->fflags, b->fflags);
    for (size_t n = first; !what && n < first + size; n += 8)
        if (memcmp((char *)a + n, (char *)b + n, MIN(8, first + size - n)))
            what = g_strdup_printf("struct riscv_cpu at offset %zu", n);
    if (!what && (a->cpu.tcg.flags ^ b->cpu.tcg.flags) & ~TCG_FLAGS_ATTENTION)
        what = differ("unit flags", a->cpu.tcg.flags, b->cpu.tcg.flags);
    if (what || !memcmp(r->side[0]->ram, r->side[1]->ram, RAM_SIZE))
        return what;
    for (unsigned n = 0; !what; n += 8)
        if (memcmp(r->side[0]->ram + n, r->side[1]->ram + n, 8))
            what = g_strdup_printf("memory at 0x%x", n);
    return what;
}

char *rvrun_run(struct rvrun *r)
{
    r->cpu->cpu.tcg.pc = RVRUN_PC;
    r->cpu->cpu.tcg.flags = 0;
    cpu_update_flags(&r->cpu->cpu);
    translate(r);
    if (r->loops)
        return NULL;
    copy_state(r);
    prepare(r, r->side[0]);
    prepare(r, r->side[1]);
    unitrun_run(r->jit, &r->side[0]->cpu->cpu);
    opt_run(&r->jit->ir, r->jit->scratch, OPT_ALL & ~OPT_MERGE);
    unitrun_run(r->jit, &r->side[1]->cpu->cpu);
    riscv_fp_gather(r->side[0]->cpu);
    riscv_fp_gather(r->side[1]->cpu);
    return compare(r);
}

void rvrun_set_code(struct rvrun *r, const void *code, size_t size)
{
    g_assert_cmpuint(size, <=, sizeof(r->code));
    memcpy(r->code, code, size);
    r->code_size = size;
}

/* ---- Random state ---- */

static uint64_t random64(GRand *rand)
{
    return (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
}

static uint64_t random_x(GRand *rand)
{
    static const uint64_t special[] = { 0,          1,          2,         INT32_MAX,
                                        0x80000000, UINT32_MAX, INT64_MAX, 1ULL << 63,
                                        UINT64_MAX, 31,         63,        (uint64_t)INT32_MIN,
                                        0x100000000 };
    uint64_t v = random64(rand);

    switch (g_rand_int_range(rand, 0, 8)) {
    case 0: return special[g_rand_int_range(rand, 0, G_N_ELEMENTS(special))];
    case 1: return v >> g_rand_int_range(rand, 0, 64);
    case 2: return (uint64_t)((int64_t)v >> g_rand_int_range(rand, 0, 64));
    case 3: return v;
    case 4: /* near a page's end, anywhere, and also just outside */
        return RVRUN_RAM + g_rand_int_range(rand, 0, RVRUN_PAGES + 1) * TCG_PAGE_SIZE -
               g_rand_int_range(rand, -16, 17);
    default: return RVRUN_RAM + (v % (RAM_SIZE - 4096) + 2048) / 8 * 8;
    }
}

static uint64_t random_f(GRand *rand, const struct fpv_shape *shapes, GArray **special)
{
    unsigned k = g_rand_int_range(rand, 0, 3);
    uint64_t v = fpv_random(&shapes[k], rand, special[k]);

    switch (k) {
    case 0: break;
    case 1: v |= UINT64_C(0xffffffff00000000); break;
    default: v |= UINT64_C(0xffffffffffff0000); break;
    }
    /* Boxes with a hole. */
    return g_rand_int_range(rand, 0, 20) ? v : v & ~(UINT64_C(1) << g_rand_int_range(rand, 16, 64));
}

/* Random numbers and floating-point values by turns. */
static void fill_pool(struct rvrun *r, GRand *rand)
{
    static const struct fpv_shape shapes[] = { { 11, 52, false },
                                               { 8, 23, false },
                                               { 5, 10, false } };
    GArray *special[3];

    for (unsigned k = 0; k < 3; k++)
        special[k] = fpv_special(&shapes[k]);
    r->pool = g_new(uint64_t, POOL_PAIRS * 2);
    for (unsigned n = 0; n < POOL_PAIRS * 2; n += 2) {
        r->pool[n] = random_f(rand, shapes, special);
        r->pool[n + 1] = random64(rand);
    }
    for (unsigned k = 0; k < 3; k++)
        g_array_unref(special[k]);
}

/* A pair to begin with, so that @size bytes follow it. */
static const uint64_t *from_pool(struct rvrun *r, GRand *rand, size_t size)
{
    return r->pool + 2 * g_rand_int_range(rand, 0, POOL_PAIRS - size / 16 + 1);
}

void rvrun_randomize(struct rvrun *r, GRand *rand)
{
    struct riscv_cpu *c = r->cpu;

    if (!r->pool)
        fill_pool(r, rand);
    riscv_reset(&c->cpu);
    for (unsigned n = 1; n < 32; n++)
        c->cpu.tcg.hot[n] = riscv_trunc(c, random_x(rand));
    for (unsigned n = 0; n < 32; n++)
        c->f[n] = *from_pool(r, rand, 16);
    memcpy(c->v, from_pool(r, rand, sizeof(c->v)), sizeof(c->v));
    riscv_vset(c, g_rand_int_range(rand, 0, 256), g_rand_int_range(rand, 0, c->vlen + 1));
    memcpy(r->ram, from_pool(r, rand, RAM_SIZE), RAM_SIZE);
    c->mstatus |= MSTATUS_FS | MSTATUS_VS | MSTATUS_SD;
    c->frm = g_rand_int_range(rand, 0, FP_RMM + 1);
    c->fflags = g_rand_int_range(rand, 0, 32) & g_rand_int_range(rand, 0, 32);
    r->round = g_rand_int_range(rand, 0, 4);
    if (g_rand_boolean(rand)) { /* a reservation that may hold */
        uint64_t at = RVRUN_RAM + g_rand_int_range(rand, 0, RAM_SIZE) / 8 * 8;
        c->res_addr = at;
        memcpy(&c->res_val, r->ram + (at - RVRUN_RAM), 8);
    }
}

bool rvrun_encode(const struct rvrun *r, const struct decode_table *table, unsigned form,
                  GRand *rand, uint32_t *insn)
{
    const struct decode_form *f = &table->form[form];

    for (unsigned tries = 0; tries < 1000; tries++) {
        *insn = f->match | (g_rand_int(rand) & ~f->mask);
        if (f->bits == 16)
            *insn &= 0xffff;
        if (decode_matches(f, *insn) && table->find(r->cpu, *insn, f->bits) == (int)form)
            return true;
    }
    return false;
}

unsigned rvrun_count(unsigned normal)
{
    const char *s = g_getenv("MYNA_COUNT");

    return s ? (unsigned)g_ascii_strtoull(s, NULL, 0) : normal;
}

/* ---- Begin and end ---- */

static struct rvrun_side *side_new(const char *arch, const char *cpu, bool jit)
{
    struct rvrun_side *s = g_new0(struct rvrun_side, 1);
    g_autoptr(GError) err = NULL;

    s->cpu = (struct riscv_cpu *)cpu_create(arch, cpu, &err);
    g_assert_no_error(err);
    s->ram = aligned_alloc(TCG_PAGE_SIZE, RAM_SIZE);
    g_assert_true(s->ram);
    s->side.jit = jit;
    s->cpu->cpu.accel = s;
    s->cpu->cpu.accel_ops = &accel_ops;
    s->cpu->cpu.unwind = &s->side.unwind;
    tcg_forget_jumps(&s->cpu->cpu.tcg);
    return s;
}

struct rvrun *rvrun_new(const char *arch, const char *cpu)
{
    struct rvrun *r = g_new0(struct rvrun, 1);

    r->side[0] = side_new(arch, cpu, false);
    r->side[1] = side_new(arch, cpu, true);
    r->cpu = r->side[0]->cpu;
    r->ram = r->side[0]->ram;
    r->jit = unitrun_new(r->cpu->cpu.ops->slots, &runtime);
    return r;
}

void rvrun_free(struct rvrun *r)
{
    for (unsigned k = 0; k < 2; k++) {
        r->side[k]->cpu->cpu.accel_ops = NULL;
        cpu_free(&r->side[k]->cpu->cpu);
        free(r->side[k]->ram);
        g_free(r->side[k]);
    }
    unitrun_free(r->jit);
    g_free(r->pool);
    g_free(r);
}
