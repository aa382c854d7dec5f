/*
 * See x86run.h: states to start from, what became of them, and random instructions.
 */
#include <string.h>
#include "fpvalues.h"
#include "x86run-int.h"

/* ---- System tables ---- */

static void put(uint8_t *at, uint64_t v)
{
    memcpy(at, &v, 8);
}

static void gate(uint8_t *idt, unsigned vector, enum x86run_mode mode)
{
    uint64_t handler = HANDLERS + vector * 16;
    uint64_t low =
        (handler & 0xffff) | 0x10 << 16 | UINT64_C(0xee) << 40 | (handler & 0xffff0000) << 32;

    if (mode == X86RUN_REAL) {
        uint32_t seg_off = vector * 16; /* 0000:vector * 16 */
        memcpy(idt + vector * 4, &seg_off, 4);
    } else if (mode == X86RUN_64) {
        put(idt + vector * 16, low);
        put(idt + vector * 16 + 8, handler >> 32);
    } else {
        put(idt + vector * 8, low);
    }
}

static void system_tables(struct x86run *r)
{
    struct x86_cpu *c = r->cpu;
    uint8_t *sys = r->side[0]->sys;
    bool is64 = r->mode == X86RUN_64;

    memset(sys, 0, SYS_SIZE);
    put(sys + 0x10, is64 ? UINT64_C(0x00af9b000000ffff) : UINT64_C(0x00cf9b000000ffff));
    put(sys + 0x18, UINT64_C(0x00cf93000000ffff));
    put(sys + SYS_TSS + 4, X86RUN_SYS + SYS_STACK);
    if (!is64)
        put(sys + SYS_TSS + 8, 0x18);
    for (unsigned v = 0; v < 256; v++)
        gate(sys + SYS_IDT, v, r->mode);
    c->gdt = (struct x86_table){ .base = X86RUN_SYS, .limit = 0x3ff };
    c->idt = (struct x86_table){ .base = X86RUN_SYS + SYS_IDT, .limit = 0xfff };
    c->tr = (struct x86_table){
        .base = X86RUN_SYS + SYS_TSS, .limit = 0x67, .selector = 0x40, .attr = 0x8b
    };
}

static void segment(struct x86_cpu *c, unsigned nr, uint16_t sel, uint64_t base, uint32_t limit,
                    uint16_t attr)
{
    x86_seg_set_raw(c, nr, sel, base, limit, attr);
}

static void segments(struct x86run *r)
{
    static const uint8_t data[] = { S_ES, S_SS, S_DS, S_FS, S_GS };
    struct x86_cpu *c = r->cpu;
    bool flat = r->mode == X86RUN_64 || r->mode == X86RUN_32;
    uint64_t base = flat ? 0 : X86RUN_RAM;
    uint32_t limit = flat ? UINT32_MAX : 0xffff;
    uint16_t attr = r->mode == X86RUN_REAL ? 0x93 : flat ? 0xc0f3 : 0x00f3;
    uint16_t sel = r->mode == X86RUN_16 ? X86RUN_LDT(1) : 0x2b; /* the host's */
    uint16_t extra = r->mode == X86RUN_16 ? X86RUN_LDT(2) : 0x2b;

    for (unsigned k = 0; k < G_N_ELEMENTS(data); k++)
        segment(c, data[k], sel, base, limit, attr);
    if (flat)
        segment(c, S_GS, 0, X86RUN_GS, limit, attr); /* as ARCH_SET_GS leaves it */
    else
        segment(c, S_ES, extra, X86RUN_RAM + 0x800, 0x2fff, attr);
    switch (r->mode) {
    case X86RUN_64: segment(c, S_CS, 0x33, 0, UINT32_MAX, 0xa0fb); break;
    case X86RUN_32: segment(c, S_CS, 0x23, 0, UINT32_MAX, 0xc0fb); break;
    case X86RUN_16: segment(c, S_CS, X86RUN_LDT(0), X86RUN_PC, 0xffff, 0x00fb); break;
    case X86RUN_REAL: segment(c, S_CS, 0x23, X86RUN_PC, 0xffff, 0x93); break;
    }
}

static void control(struct x86run *r)
{
    struct x86_cpu *c = r->cpu;

    c->cr0 = CR0_ET | CR0_NE | CR0_MP | (r->mode == X86RUN_REAL ? 0 : CR0_PE);
    c->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_FSGSBASE;
    c->efer = EFER_SCE | EFER_NXE;
    c->xcr0 = 7;
    if (r->mode == X86RUN_64) {
        c->cr0 |= CR0_PG | CR0_WP;
        c->cr4 |= CR4_PAE;
        c->efer |= EFER_LME | EFER_LMA;
    }
}

/* ---- Random state ---- */

static uint64_t random64(GRand *rand)
{
    return (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
}

static uint64_t random_reg(const struct x86run *r, GRand *rand)
{
    static const uint64_t special[] = { 0,          1,          2,         INT32_MAX,
                                        0x80000000, UINT32_MAX, INT64_MAX, 1ULL << 63,
                                        UINT64_MAX, 31,         63,        0x7f,
                                        0x80,       0x7fff,     0x8000,    0xffff };
    uint64_t v = random64(rand), ram = X86RUN_RAM;

    if (r->mode >= X86RUN_16)
        ram = v & ~UINT64_C(0xffff);
    switch (g_rand_int_range(rand, 0, 9)) {
    case 0: return special[g_rand_int_range(rand, 0, G_N_ELEMENTS(special))];
    case 1: return v >> g_rand_int_range(rand, 0, 64);
    case 2: return (uint64_t)((int64_t)v >> g_rand_int_range(rand, 0, 64));
    case 3: return v;
    case 4: return v & 0xff;
    case 5: /* near a page's end, anywhere, and also just outside */
        return ram + g_rand_int_range(rand, 0, X86RUN_PAGES + 1) * TCG_PAGE_SIZE -
               g_rand_int_range(rand, -16, 17);
    default: return ram + (v % (RAM_SIZE - 4096) + 1024) / 8 * 8;
    }
}

static void random_flags(struct x86_cpu *c, GRand *rand)
{
    uint64_t *hot = c->cpu.tcg.hot;

    c->df = g_rand_int_range(rand, 0, 4) ? 1 : -1;
    c->eflags = FLAG_IF;
    hot[SLOT_CC_DST] = random64(rand);
    hot[SLOT_CC_SRC] = random64(rand) & (g_rand_boolean(rand) ? ~UINT64_C(0) : 0xff);
    hot[SLOT_CC_SRC2] = g_rand_int_range(rand, 0, 2);
    hot[SLOT_CC_OP] = g_rand_boolean(rand) ? CC_EFLAGS : g_rand_int_range(rand, 0, CC_COUNT);
    if ((hot[SLOT_CC_OP] & ~3) == CC_EFLAGS)
        hot[SLOT_CC_SRC] &= FLAGS_ARITH;
    if ((hot[SLOT_CC_OP] & ~3) == CC_MIX)
        hot[SLOT_CC_SRC] &= FLAG_CF | FLAG_AF | FLAG_OF;
    if ((hot[SLOT_CC_OP] & ~3) == CC_INC || (hot[SLOT_CC_OP] & ~3) == CC_DEC)
        hot[SLOT_CC_SRC] &= FLAG_CF;
}

static void random_vectors(struct x86run *r, GRand *rand)
{
    static const struct fpv_shape shapes[] = { { 11, 52, false }, { 8, 23, false } };
    uint64_t *vector = (uint64_t *)r->cpu->xmm;

    for (unsigned k = 0; k < 2; k++)
        if (!r->special[k])
            r->special[k] = fpv_special(&shapes[k]);
    for (unsigned n = 0; n < (sizeof(r->cpu->xmm) + sizeof(r->cpu->ymmh)) / 8; n++) {
        uint64_t v = random64(rand);

        switch (v >> 32 & 3) {
        case 0:
            v = fpv_random(&shapes[1], rand, r->special[1]);
            v = v << 32 | (uint32_t)fpv_random(&shapes[1], rand, r->special[1]);
            break;
        case 1: v = fpv_random(&shapes[0], rand, r->special[0]); break;
        default: break;
        }
        vector[n] = v;
    }
}

/* Words of many magnitudes, quickly. */
static void random_memory(struct x86run *r, GRand *rand)
{
    uint64_t v = random64(rand) | 1;

    for (unsigned n = 0; n < RAM_SIZE; n += 8) {
        v ^= v << 13;
        v ^= v >> 7;
        v ^= v << 17;
        uint64_t word = v >> (n & 24);
        memcpy(r->ram + n, &word, 8);
    }
}

void x86run_randomize(struct x86run *r, GRand *rand)
{
    struct x86_cpu *c = r->cpu;

    c->eflags = 0;
    control(r);
    segments(r);
    system_tables(r);
    for (unsigned n = 0; n < 16; n++) {
        uint64_t v = random_reg(r, rand);
        c->cpu.tcg.hot[n] = r->mode == X86RUN_64 ? v : (uint32_t)v;
    }
    if (g_rand_int_range(rand, 0, 4)) {
        uint64_t sp = X86RUN_RAM + g_rand_int_range(rand, 256, 3 * TCG_PAGE_SIZE - 256);
        c->cpu.tcg.hot[R_SP] = r->mode >= X86RUN_16 ? sp & 0xffff : sp;
    }
    random_flags(c, rand);
    x86run_random_fp(r, rand);
    random_vectors(r, rand);
    random_memory(r, rand);
    c->cr2 = 0;
}

/* ---- Before and after ---- */

void x86run_keep(struct x86run *r)
{
    const struct x86_cpu *c = r->cpu;

    memcpy(r->before.reg, c->cpu.tcg.hot, sizeof(r->before.reg));
    memcpy(r->before.xmm, c->xmm, sizeof(c->xmm));
    memcpy(r->before.ymmh, c->ymmh, sizeof(c->ymmh));
    memcpy(r->before.ram, r->ram, RAM_SIZE);
    r->before.eflags = x86_eflags(c);
    x86run_keep_fp(r);
}

static uint64_t frame_word(const struct x86run *r, unsigned n)
{
    unsigned bytes = r->mode == X86RUN_64 ? 8 : 4;
    uint64_t at = r->cpu->cpu.tcg.hot[R_SP] - X86RUN_SYS + n * bytes, v = 0;

    g_assert_cmpuint(at, <=, SYS_SIZE - bytes);
    memcpy(&v, r->side[0]->sys + at, bytes);
    return v;
}

static bool has_error(int vector)
{
    return vector == EXC_DF || (vector >= EXC_TS && vector <= EXC_PF) || vector == EXC_AC;
}

void x86run_outcome(struct x86run *r)
{
    struct x86_cpu *c = r->cpu;
    uint64_t pc = c->cpu.tcg.pc, handlers = r->mode == X86RUN_REAL ? 0 : HANDLERS;
    unsigned k;

    r->vector = -1;
    r->error = 0;
    r->pc = pc;
    r->eflags = x86_eflags(c);
    if (pc - handlers >= 256 * 16 || (pc & 15) || (r->mode != X86RUN_REAL && x86_cpl(c)))
        return; /* where a jump may lead, too */
    r->vector = (pc - handlers) / 16;
    if (r->mode == X86RUN_REAL)
        return;
    k = has_error(r->vector);
    r->error = k ? frame_word(r, 0) : 0;
    r->pc = frame_word(r, k) + (r->mode == X86RUN_16 ? X86RUN_PC : 0);
    r->eflags = frame_word(r, k + 2) & ~(uint64_t)FLAG_RF;
    c->cpu.tcg.hot[R_SP] = frame_word(r, k + 3);
}

char *x86run_hex(const uint8_t *bytes, size_t size)
{
    GString *s = g_string_new(NULL);

    for (size_t k = 0; k < size; k++)
        g_string_append_printf(s, "%02x", bytes[k]);
    return g_string_free(s, FALSE);
}

void x86run_report(const struct x86run *r, const char *name, const char *what)
{
    g_autofree char *code = x86run_hex(r->code, r->code_size);

    g_printerr("# MYNA_SEED=%u: %s: %s; code %s\n", fpv_seed(), name, what, code);
    g_test_message("%s: %s", name, what);
    g_test_message("code %s", code);
    for (unsigned n = 0; n < 8; n++)
        g_test_message("%s %016" G_GINT64_MODIFIER "x   %s %016" G_GINT64_MODIFIER "x",
                       x86_slots.slot[n].name, r->before.reg[n], x86_slots.slot[n + 8].name,
                       r->before.reg[n + 8]);
    g_test_message("eflags %" G_GINT64_MODIFIER "x, then %" G_GINT64_MODIFIER
                   "x; mxcsr %x fcw %x fsw %x ftw %x",
                   r->before.eflags, r->eflags, r->before.mxcsr, r->before.cw, r->before.sw,
                   r->before.tw);
    for (unsigned n = 0; n < 16; n++)
        g_test_message("ymm%u %016" G_GINT64_MODIFIER "x %016" G_GINT64_MODIFIER
                       "x %016" G_GINT64_MODIFIER "x %016" G_GINT64_MODIFIER "x",
                       n, r->before.ymmh[n].q[1], r->before.ymmh[n].q[0], r->before.xmm[n].q[1],
                       r->before.xmm[n].q[0]);
    for (unsigned n = 0; n < 8; n++)
        g_test_message("fpr%u %04x %016" G_GINT64_MODIFIER "x", n, r->before.fpr[n].hi,
                       r->before.fpr[n].lo);
    g_test_fail();
}

/* ---- Random instructions ---- */

static unsigned prefixes(const struct x86run *r, const struct x86_form *f, GRand *rand, uint8_t *b)
{
    const struct x86_pattern *p = x86_pattern(f);
    unsigned n = 0;

    if (!g_rand_int_range(rand, 0, 12))
        b[n++] = 0x67;
    /* Flat code segments count as writable to generated code, not to the host. */
    if (!g_rand_int_range(rand, 0, 16))
        b[n++] = (uint8_t[]){ 0x26, 0x36, 0x3e, 0x65,
                              r->mode == X86RUN_32 ? 0x3e : 0x2e }[g_rand_int_range(rand, 0, 5)];
    if (f->flags & X_LOCK && !g_rand_int_range(rand, 0, 6))
        b[n++] = 0xf0;
    if (f->flags & X_REP && g_rand_boolean(rand))
        b[n++] = g_rand_boolean(rand) ? 0xf2 : 0xf3;
    if (p->map >= MAP_VEX0F)
        return n;
    switch (p->pp_mask) {
    case 1 << PP_66: b[n++] = 0x66; break;
    case 1 << PP_F3: b[n++] = 0xf3; break;
    case 1 << PP_F2: b[n++] = 0xf2; break;
    default: break;
    }
    /* AMD's processors make jumps of 64-bit code 16 bits wide then. */
    if (p->pp_mask != 1 << PP_NONE && p->pp_mask != 1 << PP_66 &&
        !(r->mode == X86RUN_64 && f->flags & X_F64) && !g_rand_int_range(rand, 0, 4))
        b[n++] = 0x66;
    if (r->mode == X86RUN_64 && (p->w == 1 || !g_rand_int_range(rand, 0, 2)))
        b[n++] = 0x40 | (g_rand_int(rand) & 15) | (p->w == 1 ? 8 : 0);
    return n;
}

static unsigned opcode(const struct x86run *r, const struct x86_form *f, GRand *rand, uint8_t *b)
{
    static const uint8_t pp_of[] = { [1] = 0, [2] = 1, [4] = 2, [8] = 3 };
    const struct x86_pattern *p = x86_pattern(f);
    uint8_t op = p->opcode | (g_rand_int(rand) & ~p->opcode_mask), any = g_rand_int(rand);
    unsigned n = 0;

    if (p->map >= MAP_VEX0F) {
        b[n++] = 0xc4;
        b[n++] = ((r->mode == X86RUN_64 ? any : 0xe0) & 0xe0) | (p->map - MAP_VEX0F + 1);
        any = g_rand_int(rand);
        any = (any & 0x78) | (p->w < 0 ? any & 0x80 : p->w << 7) |
              (p->l < 0 ? any & 4 : p->l << 2) | pp_of[p->pp_mask & 15];
        if (!strchr(f->operands, 'B') && !strchr(f->operands, 'H'))
            any |= 0x78;
        b[n++] = any;
    } else if (p->map != MAP_1) {
        b[n++] = 0x0f;
        if (p->map == MAP_0F38)
            b[n++] = 0x38;
        if (p->map == MAP_0F3A)
            b[n++] = 0x3a;
    }
    b[n++] = op;
    if (p->modrm >= 0) {
        b[n++] = p->modrm;
    } else if (p->has_modrm) {
        uint8_t m = g_rand_int(rand);

        if (p->ext >= 0)
            m = (m & 0xc7) | p->ext << 3;
        if (p->mod == 'r')
            m |= 0xc0;
        b[n++] = m;
    }
    return n;
}

static bool fetch(void *opaque, uint64_t vaddr, unsigned size, uint32_t *val)
{
    memcpy(val, (uint8_t *)opaque + (vaddr - X86RUN_PC), size);
    return true;
}

bool x86run_decode(struct x86run *r, const uint8_t *bytes, struct x86_insn *i)
{
    static const struct trans_fetch how = { fetch, NULL };
    struct trans t = {
        .cpu = &r->cpu->cpu, .pc = X86RUN_PC, .fetch = &how, .fetch_opaque = (void *)bytes
    };

    t.flags = x86_unit_flags(t.cpu);
    return x86_decode(&t, i);
}

void x86run_aim(struct x86run *r, uint8_t *bytes, int32_t rel)
{
    struct x86_insn i;

    if (!x86run_decode(r, bytes, &i) || i.pattern->operand[0].kind != OPK_REL)
        return;
    unsigned size = i.pattern->operand[0].size == 'b' ? 1 : i.size == 1 ? 2 : 4;
    memcpy(bytes + i.len - size, &rel, size);
}

/* Results that the manual leaves undefined: SHLD and SHRD of 16 bits by more than that. */
static bool is_defined(const struct x86_insn *i)
{
    bool is_double = i->form->handler == x86_tr_shift_double;

    return !is_double || i->size > 1 ||
           (i->pattern->operand[2].kind == OPK_IMM && (i->imm & 31) <= 16);
}

unsigned x86run_encode(struct x86run *r, const struct x86_form *form, GRand *rand, uint8_t *bytes)
{
    struct x86_insn i;

    if (form->flags & (r->mode == X86RUN_64 ? X_NO64 : X_ONLY64))
        return 0;
    control(r);
    segments(r);
    for (unsigned tries = 0; tries < 200; tries++) {
        unsigned n = prefixes(r, form, rand, bytes);

        n += opcode(r, form, rand, bytes + n);
        for (; n < 32; n++)
            bytes[n] = g_rand_boolean(rand) ? g_rand_int(rand) : 0;
        if (!x86run_decode(r, bytes, &i) || i.form != form || i.len > 15)
            continue;
        if (!is_defined(&i))
            continue;
        x86run_aim(r, bytes, g_rand_int_range(rand, 0, 64));
        return i.len;
    }
    return 0;
}
