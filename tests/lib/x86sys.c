/*
 * See x86sys.h.
 */
#include "x86sys.h"

/* ---- Memory accesses without an accelerator: through map(), uncached ---- */

static uint64_t place(struct cpu *cpu, uint64_t addr, uint16_t mem, enum mem_access access)
{
    unsigned mode = ir_mem_mode(mem);
    struct cpu_page page;
    struct cpu_fault fault;

    if (!cpu->ops->map(cpu, addr, access, mode, false, &page, &fault))
        cpu_raise_fault(cpu, &fault);
    return page.paddr;
}

static uint64_t load(struct cpu *cpu, uint64_t addr, uint16_t mem)
{
    unsigned size = ir_mem_bytes(mem);
    uint64_t val = 0, byte;

    for (unsigned k = 0; k < size; k++) {
        space_load(cpu->as, place(cpu, addr + k, mem, ACCESS_READ), 1, &byte, 0);
        val |= byte << (8 * k);
    }
    return val;
}

static void store(struct cpu *cpu, uint64_t addr, uint64_t val, uint16_t mem)
{
    unsigned size = ir_mem_bytes(mem);

    if ((addr ^ (addr + size - 1)) & TCG_PAGE_MASK)
        place(cpu, (addr + size - 1) & TCG_PAGE_MASK, mem, ACCESS_WRITE);
    for (unsigned k = 0; k < size; k++)
        space_store(cpu->as, place(cpu, addr + k, mem, ACCESS_WRITE), 1, val >> (8 * k) & 0xff, 0);
}

static void nothing(struct cpu *cpu)
{
    (void)cpu;
}
static void no_page(struct cpu *cpu, uint64_t addr, bool globals)
{
    (void)cpu, (void)addr, (void)globals;
}
static void no_space(struct cpu *cpu, uint64_t space)
{
    (void)cpu, (void)space;
}
static void no_round(struct cpu *cpu, enum fp_round round)
{
    (void)cpu, (void)round;
}
static unsigned no_flags(struct cpu *cpu, bool clear)
{
    (void)cpu, (void)clear;
    return 0;
}

static const struct cpu_accel_ops accel = {
    .flush_all = nothing,
    .flush_page = no_page,
    .flush_nonglobal = nothing,
    .switch_space = no_space,
    .fence_i = nothing,
    .load = load,
    .store = store,
    .fp_set_round = no_round,
    .fp_flags = no_flags,
};

/* ---- Making ---- */

static void shutdown(void *opaque)
{
    ((struct x86sys *)opaque)->shutdowns++;
}
static const struct x86_platform_ops platform = { .shutdown = shutdown };

void x86sys_new(struct x86sys *s, const char *arch, const char *cpu)
{
    GError *err = NULL;

    memset(s, 0, sizeof(*s));
    s->loop = loop_new();
    loop_lock(s->loop);
    s->mem = mem_new(s->loop);
    mem_region_init(&s->root, s->mem, "root", MEM_SIZE_ALL);
    g_assert_true(mem_region_init_ram(&s->ram, s->mem, "ram", X86SYS_RAM, &err));
    mem_region_add(&s->root, 0, &s->ram);
    space_init(&s->as, s->mem, &s->root, "test");
    s->c = x86_of(cpu_create(arch, cpu, &err));
    g_assert_no_error(err);
    s->c->cpu.as = &s->as;
    s->c->cpu.accel_ops = &accel;
    s->c->cpu.unwind = &s->unwind;
    for (unsigned mode = 0; mode < TCG_MMU_MODES; mode++)
        for (unsigned k = 0; k < TCG_TLB_SIZE; k++)
            s->c->cpu.tcg.tlb[mode][k].read = s->c->cpu.tcg.tlb[mode][k].write = TCG_TLB_INVALID;
    x86_set_platform(&s->c->cpu, &platform, s);
}

void x86sys_free(struct x86sys *s)
{
    cpu_free(&s->c->cpu);
    mem_region_destroy(&s->ram);
    mem_region_destroy(&s->root);
    space_destroy(&s->as);
    mem_free(s->mem);
    loop_unlock(s->loop);
    loop_free(s->loop);
}

void x86sys_put(struct x86sys *s, uint64_t addr, unsigned size, uint64_t val)
{
    g_assert_cmpint(space_store(&s->as, addr, size, val, 0), ==, MEM_OK);
}

uint64_t x86sys_get(struct x86sys *s, uint64_t addr, unsigned size)
{
    uint64_t val = 0;

    g_assert_cmpint(space_load(&s->as, addr, size, &val, 0), ==, MEM_OK);
    return val;
}

static void put_desc(struct x86sys *s, uint16_t sel, uint32_t base, uint32_t limit, unsigned attr)
{
    uint64_t d = (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)attr << 40 |
                 (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)(base >> 24) << 56;

    x86sys_put(s, X86SYS_GDT + (sel & ~7u), 8, d);
}

static void put_gate(struct x86sys *s, uint64_t at, uint16_t sel, uint32_t offset, unsigned bits)
{
    x86sys_put(s, at, 8,
               (offset & 0xffff) | (uint64_t)sel << 16 | (uint64_t)bits << 32 |
                   (uint64_t)(offset >> 16) << 48);
}

void x86sys_gate(struct x86sys *s, unsigned vector, uint16_t sel, unsigned type, unsigned dpl,
                 unsigned ist)
{
    unsigned size = x86_lma(s->c) ? 16 : 8;

    put_gate(s, X86SYS_IDT + vector * size, sel, X86SYS_HANDLER + 16 * vector,
             ist | (type | dpl << 5 | 0x80) << 8);
    if (size == 16)
        x86sys_put(s, X86SYS_IDT + vector * 16 + 8, 8, 0);
}

static void put_gdt(struct x86sys *s, bool wide)
{
    unsigned code = wide ? 0xa000 : 0xc000;

    put_desc(s, SEL_CODE0, 0, 0xfffff, code | 0x9b);
    put_desc(s, SEL_DATA0, 0, 0xfffff, 0xc093);
    put_desc(s, SEL_CODE3, 0, 0xfffff, code | 0xfb);
    put_desc(s, SEL_DATA3, 0, 0xfffff, 0xc0f2); /* not accessed yet */
    put_desc(s, SEL_TSS, X86SYS_TSS, 0x2067, 0x8b);
    if (wide)
        x86sys_put(s, X86SYS_GDT + SEL_TSS + 8, 8, 0);
    else
        put_desc(s, SEL_TSS2, X86SYS_TSS2, 0x67, 0x89);
    put_desc(s, SEL_DOWN, 0, 0xffff, 0x40f7);
    put_desc(s, SEL_CONF, 0, 0xfffff, code | 0x9f);
    put_desc(s, SEL_ABSENT, 0, 0xfffff, 0xc073);
    put_gate(s, X86SYS_GDT + (SEL_GATE & ~7), SEL_CODE0, X86SYS_HANDLER, 0xec02);
    put_desc(s, SEL_LDT, X86SYS_LDT, 0xff, 0x82);
    if (wide) {
        x86sys_put(s, X86SYS_GDT + (SEL_GATE & ~7) + 8, 8, 0);
        x86sys_put(s, X86SYS_GDT + SEL_LDT + 8, 8, 0);
    } else {
        put_gate(s, X86SYS_GDT + (SEL_TASK & ~7), SEL_TSS2, 0, 0xe500);
    }
    put_desc(s, SEL_XONLY, 0, 0xfffff, code | 0xf9);
    put_desc(s, SEL_RO, 0, 0xfffff, 0xc0f1);
}

static void put_idt(struct x86sys *s)
{
    for (unsigned v = 0; v < 256; v++)
        x86sys_gate(s, v, SEL_CODE0, 14, v == 3 || v == 0x80 ? 3 : 0, 0);
}

static void tables(struct x86sys *s, bool wide)
{
    struct x86_cpu *c = s->c;

    c->gdt = (struct x86_table){ .base = X86SYS_GDT, .limit = SEL_LAST - 1 };
    c->idt = (struct x86_table){ .base = X86SYS_IDT, .limit = wide ? 0xfff : 0x7ff };
    c->tr = (struct x86_table){ X86SYS_TSS, 0x2067, SEL_TSS, 0x8b };
    c->ldt = (struct x86_table){ 0 };
    put_gdt(s, wide);
    put_idt(s);
    if (wide) {
        x86sys_put(s, X86SYS_TSS + 4, 8, X86SYS_STACK0);
        x86sys_put(s, X86SYS_TSS + 36, 8, X86SYS_IST1);
    } else {
        x86sys_put(s, X86SYS_TSS + 4, 4, X86SYS_STACK0);
        x86sys_put(s, X86SYS_TSS + 8, 4, SEL_DATA0);
    }
}

static void ring0(struct x86sys *s, bool wide)
{
    struct x86_boot_state b = {
        .long_mode = wide,
        .rip = 0x30000,
        .rsp = X86SYS_STACK0 + 0x800,
        .cr3 = X86SYS_TABLES,
        .gdt = X86SYS_GDT,
        .gdt_limit = SEL_LAST - 1,
        .cs = SEL_CODE0,
        .ds = SEL_DATA0,
    };

    x86_set_boot_state(&s->c->cpu, &b);
    tables(s, wide);
}

void x86sys_protected(struct x86sys *s)
{
    ring0(s, false);
}

void x86sys_long_mode(struct x86sys *s)
{
    x86sys_put(s, X86SYS_TABLES, 8, (X86SYS_TABLES + 0x1000) | 7);
    x86sys_put(s, X86SYS_TABLES + 0x1000, 8, (X86SYS_TABLES + 0x2000) | 7);
    for (unsigned k = 0; k < 512; k++)
        x86sys_put(s, X86SYS_TABLES + 0x2000 + 8 * k, 8, k << 21 | 0x87);
    ring0(s, true);
}

void x86sys_user(struct x86sys *s)
{
    struct x86_desc d;

    x86_desc_read(s->c, SEL_CODE3, &d);
    x86_seg_set(s->c, S_CS, SEL_CODE3, &d);
    x86_desc_read(s->c, SEL_DATA3, &d);
    x86_seg_set(s->c, S_SS, SEL_DATA3, &d);
    x86_seg_set(s->c, S_DS, SEL_DATA3, &d);
    x86_seg_set(s->c, S_ES, SEL_DATA3, &d);
    s->c->cpu.tcg.hot[R_SP] = X86SYS_STACK3;
    cpu_update_flags(&s->c->cpu);
}

int x86sys_vector(const struct x86sys *s)
{
    uint64_t at = s->c->cpu.tcg.pc - X86SYS_HANDLER;

    return at < 16 * 256 && at % 16 == 0 ? (int)(at / 16) : -1;
}

uint64_t x86sys_frame(struct x86sys *s, unsigned n)
{
    unsigned size = x86_lma(s->c) ? 8 : 4;

    return x86sys_get(s, s->c->cpu.tcg.hot[R_SP] + n * size, size);
}
