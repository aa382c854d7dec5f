/*
 * See x86prog.h.
 */
#include <string.h>
#include "x86prog.h"
#include "x86run-int.h"

#define ROOM_OF_ONE 64 /* bytes of an instruction and what prepares for it */

/* Rows of all tables come in this order. */
#define X86(encoding, name, operands, handler, arg, flags, feature, undefined) encoding,
static const char *const int_rows[] = {
#include "target/x86/int.def"
};
static const char *const sys_rows[] = {
#include "target/x86/sys.def"
};
#undef X86

bool x86prog_is_system(const struct x86_form *f)
{
    size_t row = f - x86_forms;

    return row >= G_N_ELEMENTS(int_rows) && row < G_N_ELEMENTS(int_rows) + G_N_ELEMENTS(sys_rows);
}

static bool is_integer(const struct x86_form *f)
{
    return f - x86_forms < (ptrdiff_t)G_N_ELEMENTS(int_rows);
}

/* The segments FS, and GS in 32-bit code, are the test's own on the host. */
bool x86prog_on_host(const struct x86run *r, const struct x86_form *f, const uint8_t *bytes)
{
    if (f->flags & (X_NOHOST | X_CPL0) || !x86run_has_host(r->mode) || !x86run_host_has(f->feature))
        return false;
    /* Limits are checked for the whole operand, not for the lanes that the mask chooses. */
    if (r->mode == X86RUN_16 && f->handler == x86_tr_avx_maskmov)
        return false;
    /* With addresses of 32 bits, some processors go round at 4 GiB from one lane to the next. */
    if (f->handler == x86_tr_avx_maskmov && memchr(bytes, 0x67, 4))
        return false;
    /* AMD's processors have a bit in MXCSR (MM, 17) that is reserved here. */
    if (f->handler == x86_tr_sse_ldmxcsr)
        return false;
    return r->mode == X86RUN_64 || (bytes[0] != 0x65 && bytes[1] != 0x65);
}

/* Processors differ in which byte of a large or masked operand they touch first. */
static bool goes_any_way(const struct x86_form *f)
{
    return f->handler == x86_tr_x87_env || f->handler == x86_tr_sse_mov_to ||
           f->handler == x86_tr_sse_maskmov || f->handler == x86_tr_avx_maskmov;
}

void x86prog_allow(struct x86run *r, const struct x86_form *f, const uint8_t *bytes)
{
    /* Processors differ in which operand they read first, in what POPA leaves of registers, and in
     * how much ENTER touches at the new top of the stack, which may be more than is below the
     * limit; that a code segment is not writable they see before they read what they are to
     * change. */
    r->any_fault = f->handler == x86_tr_popa || f->handler == x86_tr_enter ||
                   (f->handler == x86_tr_string && f->arg == STR_CMPS) ||
                   (r->mode == X86RUN_16 && memchr(bytes, 0x2e, 4));
    r->any_address = goes_any_way(f);
    /* Of vectors in 16-bit segments one half may be beyond the limit, the other one not there. */
    r->any_fault |= r->mode == X86RUN_16 && !is_integer(f);
    /* Products and sums of DPPS are computed at once here. */
    r->any_exception = f->handler == x86_tr_sse_vv && (f->arg & 0xff) == IR_V_FDP;
}

/* ---- Preparing for an instruction ---- */

struct maker {
    struct x86prog *p;
    struct x86run *r;
    GRand *rand;
};

static void emit(struct maker *m, const void *bytes, unsigned n)
{
    memcpy(m->p->code + m->p->size, bytes, n);
    m->p->size += n;
}

/* MOV reg, val */
static void emit_mov(struct maker *m, unsigned reg, uint64_t val)
{
    bool wide = m->r->mode == X86RUN_64 && val > UINT32_MAX;
    uint8_t b[10], n = 0;

    if (m->r->mode >= X86RUN_16)
        b[n++] = 0x66;
    if (reg >= 8 || wide)
        b[n++] = 0x40 | (wide ? 8 : 0) | reg >> 3;
    b[n++] = 0xb8 | (reg & 7);
    emit(m, b, n);
    emit(m, &val, wide ? 8 : 4);
}

/* CMP reg, imm: all flags are defined again. */
static void emit_cmp(struct maker *m)
{
    uint8_t b[] = { 0x83, 0xf8 | g_rand_int_range(m->rand, 0, 8), g_rand_int(m->rand) };

    emit(m, b, sizeof(b));
}

static bool one_in(struct maker *m, unsigned n)
{
    return !g_rand_int_range(m->rand, 0, n);
}

/* An offset in memory that may be written, with room around it. */
static uint32_t random_offset(struct maker *m, unsigned align)
{
    uint32_t at = g_rand_int_range(m->rand, 0x400, 0x1700);

    return at & ~(align - 1);
}

/* The same as an offset in segment @seg. */
static uint64_t random_address(struct maker *m, unsigned seg, bool is_vector)
{
    unsigned align = one_in(m, is_vector ? 32 : 4) ? 1 : 32;
    uint64_t at = random_offset(m, align);

    return m->r->mode >= X86RUN_16 || seg == S_GS ? at : at + X86RUN_RAM;
}

/* Base or index get the value that makes the address one in memory. */
static bool prepare_memory(struct maker *m, const struct x86_insn *i)
{
    uint64_t at = random_address(m, i->seg, !is_integer(i->form)), val;

    if (i->form->flags & X_VSIB || i->rip_relative || (i->base < 0 && i->index < 0) ||
        i->base == i->index || (i->addr_size == 1) != (m->r->mode >= X86RUN_16))
        return false;
    val = at - i->disp;
    if (i->base < 0) {
        emit_mov(m, i->index, (int64_t)val >> i->scale);
        return true;
    }
    if (i->index >= 0) {
        uint64_t index = g_rand_int_range(m->rand, 0, 256);
        emit_mov(m, i->index, index);
        val -= index << i->scale;
    }
    if (i->addr_size == 1)
        val = (uint16_t)val;
    else if (i->addr_size == 2)
        val = (uint32_t)val;
    emit_mov(m, i->base, val);
    return true;
}

static uint64_t random_stack(struct maker *m)
{
    uint64_t at = random_offset(m, one_in(m, 8) ? 1 : 8);

    return m->r->mode >= X86RUN_16 ? at : at + X86RUN_RAM;
}

static bool prepare_string(struct maker *m, const struct x86_insn *i)
{
    if ((i->addr_size == 1) != (m->r->mode >= X86RUN_16))
        return false;
    emit_mov(m, R_SI, random_address(m, i->seg, false));
    emit_mov(m, R_DI, random_address(m, S_ES, false));
    if (i->prefixes & (PFX_REP | PFX_REPNE))
        emit_mov(m, R_CX, g_rand_int_range(m->rand, 0, 24));
    return true;
}

static bool uses_stack(const struct x86_form *f)
{
    return f->handler == x86_tr_push || f->handler == x86_tr_pop || f->handler == x86_tr_pop_mem ||
           f->handler == x86_tr_pusha || f->handler == x86_tr_popa || f->handler == x86_tr_enter ||
           f->handler == x86_tr_leave || f->handler == x86_tr_call;
}

/* A dividend that mostly gives a quotient that fits. */
static void prepare_division(struct maker *m, const struct x86_insn *i)
{
    static const uint8_t xor_edx[] = { 0x31, 0xd2 }, movzx_eax[] = { 0x0f, 0xb6, 0xc0 };

    if (x86_size_of(i, 0))
        emit(m, xor_edx, sizeof(xor_edx));
    else
        emit(m, movzx_eax, sizeof(movzx_eax));
}

/* False: it will hardly be carried out. */
static bool prepare(struct maker *m, const struct x86_insn *i)
{
    const struct x86_form *f = i->form;

    if (f->handler == x86_tr_string)
        return prepare_string(m, i);
    if (i->pattern->noperands &&
        (i->pattern->operand[0].kind == OPK_MOFFS || i->pattern->operand[1].kind == OPK_MOFFS))
        return false;
    if (f->handler == x86_tr_xlat)
        emit_mov(m, R_BX, random_address(m, i->seg, false));
    if (f->handler == x86_tr_div)
        prepare_division(m, i);
    if (f->handler == x86_tr_bit_test && i->is_mem && i->pattern->operand[1].kind == OPK_G) {
        if ((int)i->reg == i->base || (int)i->reg == i->index)
            return false;
        emit_mov(m, i->reg, g_rand_int_range(m->rand, 0, 512));
    }
    if (i->is_mem && f->handler != x86_tr_lea && f->handler != x86_tr_nop && !prepare_memory(m, i))
        return false;
    if (uses_stack(f) && !(i->is_mem && (i->base == R_SP || i->base == R_BP)) && !one_in(m, 16)) {
        emit_mov(m, R_SP, random_stack(m));
        if (f->handler == x86_tr_enter || f->handler == x86_tr_leave)
            emit_mov(m, R_BP, random_stack(m));
    }
    return !(f->handler == x86_tr_aam && !i->imm) && f->handler != x86_tr_bound;
}

/* ---- Instructions ---- */

/* Some programs are of one kind mostly: an MMX instruction fills the x87 stack. */
enum taste { ANY, INTEGER, X87, MMX, VECTOR };

static enum taste taste_of(const struct x86_form *f)
{
    if (is_integer(f))
        return INTEGER;
    if (!strncmp(f->encoding, "D8", 2) || (f->encoding[0] == 'D' && f->encoding[1] >= '9'))
        return X87;
    return strpbrk(f->operands, "PQN") || f->handler == x86_tr_mmx_empty ? MMX : VECTOR;
}

static bool fits(const struct maker *m, const struct x86_form *f, enum taste taste)
{
    if (x86prog_is_system(f) || f->flags & (X_NOHOST | X_CPL0) || f->handler == x86_tr_ud ||
        f->handler == x86_tr_call_ind || f->handler == x86_tr_jmp_ind || f->handler == x86_tr_ret)
        return false;
    if (strchr(f->operands, 'J') && g_rand_int_range(m->rand, 0, 6))
        return false;
    return taste == ANY || taste_of(f) == taste || !g_rand_int_range(m->rand, 0, 8);
}

/* Or may skip the comparison that would define it. */
static bool sees_af(const struct x86_form *f)
{
    return f->handler == x86_tr_lahf || f->handler == x86_tr_bcd || strchr(f->operands, 'J');
}

/* Appends an instruction and what prepares for it; the last one may be any. */
static void append(struct maker *m, enum taste taste, bool last)
{
    struct x86prog *p = m->p;
    struct x86prog_insn *k = &p->insn[p->count];
    unsigned size = p->size;
    uint8_t bytes[32];

    for (;; p->size = size) {
        const struct x86_form *f = &x86_forms[g_rand_int_range(m->rand, 0, x86_nforms)];
        uint16_t undefined = p->count ? k[-1].undefined : 0;
        struct x86_insn i;
        unsigned len = fits(m, f, taste) ? x86run_encode(m->r, f, m->rand, bytes) : 0;

        if (!len || !x86prog_on_host(m->r, f, bytes) ||
            (m->r->mode == X86RUN_16 && memchr(bytes, 0x2e, 4)))
            continue;
        x86run_decode(m->r, bytes, &i);
        if (undefined & ~U_AF || (sees_af(f) && undefined)) {
            emit_cmp(m);
            undefined = 0;
        }
        if (!prepare(m, &i) && !last)
            continue;
        *k = (struct x86prog_insn){ f, p->size, p->size + len, undefined | f->undefined, false };
        emit(m, bytes, len);
        p->count++;
        return;
    }
}

/* Jumps lead to behind the next instruction, or just on. */
static void aim_jumps(struct maker *m)
{
    struct x86prog *p = m->p;

    for (unsigned k = 0; k + 1 < p->count; k++) {
        int rel = p->insn[k + 1].end - p->insn[k].end;
        bool skip = g_rand_boolean(m->rand) && rel < 128;

        if (!strchr(p->insn[k].form->operands, 'J'))
            continue;
        x86run_aim(m->r, p->code + p->insn[k].start, skip ? rel : 0);
        p->insn[k + 1].skipped = skip;
    }
}

void x86prog_make(struct x86prog *p, struct x86run *r, GRand *rand)
{
    static const enum taste tastes[] = { ANY, ANY, ANY, INTEGER, X87, X87, MMX, VECTOR, VECTOR };
    struct maker m = { p, r, rand };
    enum taste taste = tastes[g_rand_int_range(rand, 0, G_N_ELEMENTS(tastes))];

    memset(p, 0, sizeof(*p));
    while (p->count < X86PROG_MAX - 1 && p->size + 2 * ROOM_OF_ONE < X86RUN_MAX_CODE)
        append(&m, taste, false);
    append(&m, taste, true);
    aim_jumps(&m);
}

/* ---- How far a run got ---- */

/* Instructions that end at @at or before. */
static unsigned passed(const struct x86prog *p, uint64_t at)
{
    unsigned k = 0;

    while (k < p->count && p->insn[k].end <= at)
        k++;
    return k;
}

unsigned x86prog_reached(const struct x86prog *p, const struct x86run *r)
{
    unsigned n = passed(p, r->pc - X86RUN_PC), count = 0;

    for (unsigned k = 0; k < n; k++)
        count += !p->insn[k].skipped;
    return count;
}

const struct x86prog_insn *x86prog_stopped(const struct x86prog *p, const struct x86run *r)
{
    unsigned n = passed(p, r->pc - X86RUN_PC);

    return n < p->count ? &p->insn[n] : NULL;
}

uint16_t x86prog_undefined(const struct x86prog *p, const struct x86run *r)
{
    unsigned n = passed(p, r->pc - X86RUN_PC);

    return n ? p->insn[n - 1].undefined : 0;
}
