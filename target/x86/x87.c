/*
 * The x87 register stack: operands, tags, stack faults, exceptions, and the helpers that generated
 * code calls. Values are computed by x87_run().
 *
 * Conventions of Intel SDM vol. 1, chapter 8: an unmasked invalid operation, denormal operand or
 * division by zero leaves registers and stack alone; every exception is reported by the next
 * waiting instruction.
 */
#include "fpstate.h"
#include "helper.h"
#include "sys.h"
#include "x87.h"

static const struct x86_f80 indefinite = { 0xc000000000000000, 0xffff };

void x87_init(struct x86_cpu *c)
{
    c->fpu_cw = X87_CW_INIT;
    c->fpu_sw = 0;
    c->fpu_tw = X87_TW_EMPTY;
    c->fpu_op = c->fpu_cs = c->fpu_ds = 0;
    c->fpu_ip = c->fpu_dp = 0;
    cpu_update_flags(&c->cpu);
}

/* ES is never set without UF_X87SLOW: every exception is masked then. */
static void settle(struct x86_cpu *c)
{
    bool pending = c->fpu_sw & ~c->fpu_cw & X87_EXC;

    c->fpu_sw = (c->fpu_sw & ~(X87_ES | X87_B)) | (pending ? X87_ES | X87_B : 0);
}

void x87_summarise(struct x86_cpu *c)
{
    settle(c);
    cpu_update_flags(&c->cpu);
}

static unsigned tag_of(const struct x86_f80 *v)
{
    unsigned exp = v->hi & 0x7fff;

    if (!exp && !v->lo)
        return 1;
    return exp && exp != 0x7fff && v->lo >> 63 ? 0 : 2;
}

uint16_t x87_tag_word(const struct x86_cpu *c)
{
    uint16_t tw = 0;

    for (unsigned i = 0; i < 8; i++) {
        unsigned empty = c->fpu_tw >> 2 * i & 1;

        tw |= (empty ? 3 : tag_of(&c->fpr[i])) << 2 * i;
    }
    return tw;
}

void x87_set_tag_word(struct x86_cpu *c, uint16_t tw)
{
    uint16_t empty = tw & tw >> 1 & 0x5555;

    c->fpu_tw = empty * 3;
}

struct x86_f80 x87_from_int(int64_t v)
{
    struct x86_f80 r = { 0, 0 };
    uint64_t mag = v < 0 ? -(uint64_t)v : (uint64_t)v;

    if (mag) {
        unsigned shift = (unsigned)__builtin_clzll(mag);

        r.lo = mag << shift;
        r.hi = (uint16_t)(0x3fff + 63 - shift) | (v < 0 ? 0x8000 : 0);
    }
    return r;
}

/* ---- Stack ---- */

static unsigned w_op(uint64_t w)
{
    return w & X87_W_OP;
}

static unsigned w_sti(uint64_t w)
{
    return w >> X87_W_STI_SHIFT & 7;
}

static void set_st(struct x86_cpu *c, unsigned i, struct x86_f80 v)
{
    unsigned r = x87_phys(c, i);

    c->fpr[r] = v;
    c->fpu_tw &= ~(3u << 2 * r);
}

static void move_top(struct x86_cpu *c, unsigned by)
{
    c->fpu_sw = (c->fpu_sw & ~X87_TOP) | ((x87_top(c) + by) & 7) << X87_TOP_SHIFT;
}

static void pop(struct x86_cpu *c, unsigned count)
{
    while (count--) {
        c->fpu_tw |= 3u << 2 * x87_top(c);
        move_top(c, 1);
    }
}

static void push(struct x86_cpu *c, struct x86_f80 v)
{
    move_top(c, 7);
    set_st(c, 0, v);
}

/* Reports stack overflow or underflow; whether the instruction goes on with the masked response. */
static bool stack_fault(struct x86_cpu *c, bool overflow)
{
    c->fpu_sw |= X87_IE | X87_SF | (overflow ? X87_C1 : 0);
    settle(c);
    return c->fpu_cw & X87_IE;
}

/* What every instruction but those of control does first, besides what translate-x87.c does: opcode
 * and pointers, which FSTENV stores, are slots. */
static void start(struct x86_cpu *c)
{
    c->fpu_sw &= ~X87_C1;
}

static struct x86_cpu *settled(struct cpu *cpu)
{
    struct x86_cpu *c = x86_of(cpu);

    x87_settle(c);
    return c;
}

/* ---- Operations ---- */

enum { P_B = 1, P_QUIET = 2, P_PUSHES = 4 }; /* reads ST(i); has no result; may have a second one */

/* What x87_run needs and changes: properties, and the condition codes it defines besides C1. */
static const struct {
    uint8_t props;
    uint16_t cc;
} op_info[X87_NB_OPS] = {
    [X87_ADD + X87_REG] = { P_B, 0 },
    [X87_MUL + X87_REG] = { P_B, 0 },
    [X87_SUB + X87_REG] = { P_B, 0 },
    [X87_SUBR + X87_REG] = { P_B, 0 },
    [X87_DIV + X87_REG] = { P_B, 0 },
    [X87_DIVR + X87_REG] = { P_B, 0 },
    [X87_COM + X87_REG] = { P_B | P_QUIET, X87_CC },
    [X87_COM + X87_F32] = { P_QUIET, X87_CC },
    [X87_COM + X87_F64] = { P_QUIET, X87_CC },
    [X87_COM + X87_I16] = { P_QUIET, X87_CC },
    [X87_COM + X87_I32] = { P_QUIET, X87_CC },
    [X87_UCOM] = { P_B | P_QUIET, X87_CC },
    [X87_TST] = { P_QUIET, X87_CC },
    [X87_SIN] = { 0, X87_C2 },
    [X87_COS] = { 0, X87_C2 },
    [X87_SCALE] = { P_B, 0 },
    [X87_PREM] = { P_B, X87_CC },
    [X87_PREM1] = { P_B, X87_CC },
    [X87_YL2X] = { P_B, 0 },
    [X87_YL2XP1] = { P_B, 0 },
    [X87_PATAN] = { P_B, 0 },
    [X87_PTAN] = { P_PUSHES, X87_C2 },
    [X87_SINCOS] = { P_PUSHES, X87_C2 },
    [X87_XTRACT] = { P_PUSHES, 0 },
};

static bool is_nan(const struct x86_f80 *v)
{
    return (v->hi & 0x7fff) == 0x7fff && v->lo << 1;
}

/* Runs the operation; false if an unmasked exception of @faults keeps its results from being used.
 */
static bool run(struct x86_cpu *c, enum x87_op op, struct x87_io *io, unsigned faults)
{
    uint16_t cc = op_info[op].cc | X87_C1;
    bool is_prem = op == X87_PREM || op == X87_PREM1, ok;

    io->cw = c->fpu_cw;
    io->sticky = is_prem ? 0 : c->fpu_sw & X87_EXC;
    x87_run(op, io);
    if (is_prem && (io->sw & (X87_IE | (~c->fpu_cw & faults)) || is_nan(&io->r)))
        cc = X87_C1 | X87_C2; /* there is no quotient */
    ok = !(io->sw & ~c->fpu_cw & faults);
    c->fpu_sw = (c->fpu_sw & ~cc) | (io->sw & (cc | X87_EXC));
    settle(c);
    return ok;
}

#define FAULTS       (X87_IE | X87_DE | X87_ZE)
#define STORE_FAULTS (FAULTS | X87_OE | X87_UE)

/* The masked response to an empty operand. */
static void underflow(struct x86_cpu *c, uint64_t w)
{
    unsigned props = op_info[w_op(w)].props;

    if (props & P_QUIET)
        c->fpu_sw |= X87_C0 | X87_C2 | X87_C3;
    else if (op_info[w_op(w)].cc)
        c->fpu_sw &= ~X87_C2;
    if (!stack_fault(c, false))
        return;
    if (!(props & P_QUIET)) {
        set_st(c, w & X87_W_TO_STI ? w_sti(w) : 0, indefinite);
        if (props & P_PUSHES)
            push(c, indefinite);
    }
    pop(c, w >> X87_W_POPS_SHIFT & 3);
}

static bool operands_empty(const struct x86_cpu *c, uint64_t w)
{
    return x87_empty(c, 0) || (op_info[w_op(w)].props & P_B && x87_empty(c, w_sti(w)));
}

static void h_x87_arith(struct cpu *cpu, uint64_t mem, uint64_t w)
{
    struct x86_cpu *c = settled(cpu);
    struct x87_io io = { .mem = mem };

    start(c);
    if (operands_empty(c, w)) {
        underflow(c, w);
        return;
    }
    io.a = c->fpr[x87_phys(c, 0)];
    io.b = c->fpr[x87_phys(c, w_sti(w))];
    if (!run(c, w_op(w), &io, FAULTS))
        return;
    if (!(op_info[w_op(w)].props & P_QUIET))
        set_st(c, w & X87_W_TO_STI ? w_sti(w) : 0, io.r);
    pop(c, w >> X87_W_POPS_SHIFT & 3);
}
HELPER_DEFINE(x87_arith, IR_H_CPU, IR_VOID, 2, IR_I64, IR_I64);

/* FPTAN, FSINCOS, FXTRACT. */
static void h_x87_two(struct cpu *cpu, uint64_t w)
{
    struct x86_cpu *c = settled(cpu);
    struct x87_io io = { 0 };

    start(c);
    if (x87_empty(c, 0)) {
        underflow(c, w);
        return;
    }
    if (!x87_empty(c, 7)) {
        c->fpu_sw &= ~op_info[w_op(w)].cc;
        if (stack_fault(c, true)) {
            set_st(c, 0, indefinite);
            push(c, indefinite);
        }
        return;
    }
    io.a = c->fpr[x87_phys(c, 0)];
    if (!run(c, w_op(w), &io, FAULTS))
        return;
    if (op_info[w_op(w)].cc & io.sw & X87_C2)
        return;
    set_st(c, 0, io.r);
    push(c, io.r2);
}
HELPER_DEFINE(x87_two, IR_H_CPU, IR_VOID, 1, IR_I64);

static void h_x87_xam(struct cpu *cpu)
{
    struct x86_cpu *c = settled(cpu);
    struct x87_io io = { .a = c->fpr[x87_phys(c, 0)], .cw = c->fpu_cw, .sticky = X87_EXC };
    uint16_t cc = X87_C0 | X87_C3 | (io.a.hi & 0x8000 ? X87_C1 : 0);

    start(c);
    if (!x87_empty(c, 0)) {
        x87_run(X87_XAM, &io);
        cc = io.sw & X87_CC;
    }
    c->fpu_sw = (c->fpu_sw & ~X87_CC) | cc;
}
HELPER_DEFINE(x87_xam, IR_H_CPU, IR_VOID, 0);

/* FCOMI and FUCOMI: ZF, PF and CF at their places in EFLAGS, which are set even if the comparison
 * faults. */
static uint64_t h_x87_comi(struct cpu *cpu, uint64_t w)
{
    struct x86_cpu *c = settled(cpu);
    struct x87_io io = { 0 };
    uint16_t old = c->fpu_sw & (X87_C0 | X87_C2 | X87_C3), cc;
    uint16_t c1 = c->fpu_sw & X87_C1;
    bool ok;

    start(c);
    if (operands_empty(c, w)) {
        ok = stack_fault(c, false);
        cc = X87_C0 | X87_C2 | X87_C3;
        c1 = 0;
    } else {
        io.a = c->fpr[x87_phys(c, 0)];
        io.b = c->fpr[x87_phys(c, w_sti(w))];
        ok = run(c, w_op(w), &io, FAULTS);
        cc = c->fpu_sw;
        c->fpu_sw = (c->fpu_sw & ~(X87_C0 | X87_C2 | X87_C3)) | old;
    }
    c->fpu_sw |= c1;
    if (ok)
        pop(c, w >> X87_W_POPS_SHIFT & 3);
    return (cc & X87_C3 ? 0x40 : 0) | (cc & X87_C2 ? 4 : 0) | (cc & X87_C0 ? 1 : 0);
}
HELPER_DEFINE(x87_comi, IR_H_CPU, IR_I64, 1, IR_I64);

/* FCHS (@change 0x8000) and FABS (0x7fff). */
static void h_x87_sign(struct cpu *cpu, uint64_t change)
{
    struct x86_cpu *c = settled(cpu);
    struct x86_f80 v = c->fpr[x87_phys(c, 0)];

    start(c);
    if (x87_empty(c, 0)) {
        if (!stack_fault(c, false))
            return;
        v = indefinite;
    } else if (change == 0x8000) {
        v.hi ^= 0x8000;
    } else {
        v.hi &= 0x7fff;
    }
    set_st(c, 0, v);
}
HELPER_DEFINE(x87_sign, IR_H_CPU, IR_VOID, 1, IR_I64);

/* ---- Loads ---- */

/* Pushes *v unless the stack is full. */
static void load(struct x86_cpu *c, struct x86_f80 v)
{
    if (!x87_empty(c, 7)) {
        if (!stack_fault(c, true))
            return;
        v = indefinite;
    }
    push(c, v);
}

/* FLD of 32 and 64 bits, FBLD. */
static void h_x87_load(struct cpu *cpu, uint64_t mem, uint64_t high, uint64_t w)
{
    struct x86_cpu *c = settled(cpu);
    struct x87_io io = { .mem = mem, .b = { mem, (uint16_t)high } };

    /* Some processors load a denormal even if #D is unmasked: TOP tells. */
    start(c);
    if (x87_empty(c, 7) && !run(c, w_op(w), &io, FAULTS) && !(io.sw & X87_TOP))
        return;
    load(c, io.r);
}
HELPER_DEFINE(x87_load, IR_H_CPU, IR_VOID, 3, IR_I64, IR_I64, IR_I64);

/* FILD: @mem is sign extended. */
static void h_x87_load_int(struct cpu *cpu, uint64_t mem)
{
    struct x86_cpu *c = settled(cpu);

    start(c);
    load(c, x87_from_int((int64_t)mem));
}
HELPER_DEFINE(x87_load_int, IR_H_CPU, IR_VOID, 1, IR_I64);

static void h_x87_load_80(struct cpu *cpu, uint64_t mem, uint64_t high)
{
    struct x86_cpu *c = settled(cpu);

    start(c);
    load(c, (struct x86_f80){ mem, (uint16_t)high });
}
HELPER_DEFINE(x87_load_80, IR_H_CPU, IR_VOID, 2, IR_I64, IR_I64);

static void h_x87_load_st(struct cpu *cpu, uint64_t w)
{
    struct x86_cpu *c = settled(cpu);
    struct x86_f80 v = c->fpr[x87_phys(c, w_sti(w))];

    start(c);
    if (!x87_empty(c, w_sti(w)))
        load(c, v);
    else if (stack_fault(c, false))
        push(c, indefinite);
}
HELPER_DEFINE(x87_load_st, IR_H_CPU, IR_VOID, 1, IR_I64);

/*
 * FLD1 to FLDZ: significands rounded down and the bit that rounding to nearest adds; log2(10),
 * log2(e), pi, log10(2), ln(2).
 */
static void h_x87_const(struct cpu *cpu, uint64_t which)
{
    static const struct {
        uint64_t significand;
        uint16_t exp;
        uint8_t nearest, up;
    } k[8] = {
        { 0x8000000000000000, 0x3fff, 0, 0 },
        { 0xd49a784bcd1b8afe, 0x4000, 0, 1 },
        { 0xb8aa3b295c17f0bb, 0x3fff, 1, 1 },
        { 0xc90fdaa22168c234, 0x4000, 1, 1 },
        { 0x9a209a84fbcff798, 0x3ffd, 1, 1 },
        { 0xb17217f7d1cf79ab, 0x3ffe, 1, 1 },
        { 0, 0, 0, 0 },
        { 0, 0, 0, 0 },
    };
    struct x86_cpu *c = settled(cpu);
    unsigned rc = c->fpu_cw >> 10 & 3;
    struct x86_f80 v = { k[which & 7].significand, k[which & 7].exp };

    if (rc == 0)
        v.lo += k[which & 7].nearest;
    else if (rc == 2)
        v.lo += k[which & 7].up;
    start(c);
    load(c, v);
}
HELPER_DEFINE(x87_const, IR_H_CPU, IR_VOID, 1, IR_I64);

/* ---- Stores ---- */

/* The value that a store puts into memory; false: it does not store. */
static bool store_value(struct x86_cpu *c, uint64_t w, struct x86_f80 *v)
{
    static const struct x86_f80 empty[] = { [X87_ST_F32] = { 0xffc00000, 0 },
                                            [X87_ST_F64] = { 0xfff8000000000000, 0 },
                                            [X87_ST_I16] = { 0x8000, 0 },
                                            [X87_TT_I16] = { 0x8000, 0 },
                                            [X87_ST_I32] = { 0x80000000, 0 },
                                            [X87_TT_I32] = { 0x80000000, 0 },
                                            [X87_ST_I64] = { 1ull << 63, 0 },
                                            [X87_TT_I64] = { 1ull << 63, 0 },
                                            [X87_ST_BCD] = { 0xc000000000000000, 0xffff },
                                            [X87_ST_F80] = { 0xc000000000000000, 0xffff } };
    struct x87_io io = { .a = c->fpr[x87_phys(c, 0)] };

    if (x87_empty(c, 0)) {
        *v = empty[w_op(w)];
        return stack_fault(c, false);
    }
    *v = io.a;
    if (w_op(w) == X87_ST_F80)
        return true;
    if (!run(c, w_op(w), &io, STORE_FAULTS))
        return false;
    *v = io.r;
    return true;
}

/*
 * The whole instruction but for the store itself, which has been found to be possible: the value,
 * bits 63:0. With all exceptions masked.
 */
static uint64_t h_x87_store_value(struct cpu *cpu, uint64_t w)
{
    struct x86_cpu *c = settled(cpu);
    struct x86_f80 v = { 0, 0 };

    start(c);
    store_value(c, w, &v);
    pop(c, w >> X87_W_POPS_SHIFT & 3);
    c->cpu.tcg.x87.operand[1] = v.hi;
    return v.lo;
}
HELPER_DEFINE(x87_store_value, IR_H_CPU, IR_I64, 1, IR_I64);

/* Bits 79:64 of the value before. */
static uint64_t h_x87_store_high(struct cpu *cpu)
{
    return cpu->tcg.x87.operand[1] & 0xffff;
}
HELPER_DEFINE(x87_store_high, IR_H_CPU, IR_I64, 0);

/* The whole store, which may fault, of any kind and with exceptions unmasked, to the linear address
 * @addr; its size and MMU mode are in @w. */
static void h_x87_store(struct cpu *cpu, uint64_t addr, uint64_t w)
{
    struct x86_cpu *c = settled(cpu);
    unsigned mode = w >> X87_W_MODE_SHIFT & 0xf, size = w >> X87_W_SIZE_SHIFT & 7;
    uint16_t old = c->fpu_sw, sw;
    struct x86_f80 v = { 0, 0 };
    bool ok;

    start(c);
    ok = store_value(c, w, &v);
    sw = c->fpu_sw;
    c->fpu_sw = old;
    if (!ok || size == 4)
        x86_touch_bytes(c, addr, size == 4 ? 10 : 1u << size, mode);
    if (ok)
        cpu_store(cpu, addr, v.lo, IR_MEM(size == 4 ? 3 : size, mode, 0));
    if (ok && size == 4)
        cpu_store(cpu, addr + 8, v.hi, IR_MEM(1, mode, 0));
    c->fpu_sw = sw;
    if (ok)
        pop(c, w >> X87_W_POPS_SHIFT & 3);
}
HELPER_DEFINE(x87_store, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 2, IR_I64, IR_I64);

/* FST ST(i); with X87_W_TO_STI (FSTPNCE) an empty register is no fault. */
static void h_x87_store_st(struct cpu *cpu, uint64_t w)
{
    struct x86_cpu *c = settled(cpu);
    struct x86_f80 v = c->fpr[x87_phys(c, 0)];

    start(c);
    if (x87_empty(c, 0) && !(w & X87_W_TO_STI)) {
        if (!stack_fault(c, false))
            return;
        v = indefinite;
    }
    set_st(c, w_sti(w), v);
    pop(c, w >> X87_W_POPS_SHIFT & 3);
}
HELPER_DEFINE(x87_store_st, IR_H_CPU, IR_VOID, 1, IR_I64);

/* ---- Moves and the stack itself ---- */

static void h_x87_xch(struct cpu *cpu, uint64_t w)
{
    struct x86_cpu *c = settled(cpu);
    unsigned i = w_sti(w);
    struct x86_f80 a = c->fpr[x87_phys(c, 0)], b = c->fpr[x87_phys(c, i)];

    start(c);
    if (x87_empty(c, 0) || x87_empty(c, i)) {
        if (!stack_fault(c, false))
            return;
        a = x87_empty(c, 0) ? indefinite : a;
        b = x87_empty(c, i) ? indefinite : b;
    }
    set_st(c, 0, b);
    set_st(c, i, a);
}
HELPER_DEFINE(x87_xch, IR_H_CPU, IR_VOID, 1, IR_I64);

static void h_x87_cmov(struct cpu *cpu, uint64_t cond, uint64_t w)
{
    struct x86_cpu *c = settled(cpu);
    unsigned i = w_sti(w);
    uint16_t c1 = c->fpu_sw & X87_C1;

    start(c);
    if (x87_empty(c, 0) || x87_empty(c, i)) {
        if (stack_fault(c, false))
            set_st(c, 0, indefinite);
        return;
    }
    c->fpu_sw |= c1;
    if (cond)
        set_st(c, 0, c->fpr[x87_phys(c, i)]);
}
HELPER_DEFINE(x87_cmov, IR_H_CPU, IR_VOID, 2, IR_I64, IR_I64);

/* FFREE and FFREEP. */
static void h_x87_free(struct cpu *cpu, uint64_t w)
{
    struct x86_cpu *c = settled(cpu);

    start(c);
    c->fpu_tw |= 3u << 2 * x87_phys(c, w_sti(w));
    pop(c, w >> X87_W_POPS_SHIFT & 3);
}
HELPER_DEFINE(x87_free, IR_H_CPU, IR_VOID, 1, IR_I64);

/* FINCSTP (@by 1), FDECSTP (7), FNOP (0). */
static void h_x87_spin(struct cpu *cpu, uint64_t by)
{
    struct x86_cpu *c = settled(cpu);
    uint16_t c1 = by ? 0 : c->fpu_sw & X87_C1;

    start(c);
    c->fpu_sw |= c1;
    move_top(c, by & 7);
}
HELPER_DEFINE(x87_spin, IR_H_CPU, IR_VOID, 1, IR_I64);

/* ---- Control ---- */

static uint64_t h_x87_get_cw(struct cpu *cpu)
{
    return x86_of(cpu)->fpu_cw;
}
HELPER_DEFINE(x87_get_cw, IR_H_CPU, IR_I64, 0);

static uint64_t h_x87_get_sw(struct cpu *cpu)
{
    return settled(cpu)->fpu_sw;
}
HELPER_DEFINE(x87_get_sw, IR_H_CPU, IR_I64, 0);

/* These may change unit flags. Goes on at @next if they did, unless that is 0: then the caller
 * does.
 */
static void flags_may_differ(struct x86_cpu *c, bool was_slow, uint64_t next)
{
    if (x87_slow(c) == was_slow)
        return;
    cpu_update_flags(&c->cpu);
    if (!next)
        return;
    c->cpu.tcg.pc = next;
    cpu_resume(&c->cpu);
}

static void h_x87_set_cw(struct cpu *cpu, uint64_t cw, uint64_t next)
{
    struct x86_cpu *c = x86_of(cpu);
    bool slow = x87_slow(c);

    c->fpu_cw = (cw & 0x1f3f) | 0x40;
    if (!x87_slow(c) && x87_host_control(c))
        return; /* it was not slow before, either */
    x87_settle(c);
    settle(c);
    flags_may_differ(c, slow, next);
}
HELPER_DEFINE(x87_set_cw, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 2, IR_I64, IR_I64);

static void h_x87_init(struct cpu *cpu, uint64_t next)
{
    struct x86_cpu *c = settled(cpu);
    bool slow = x87_slow(c);

    x87_init(c);
    flags_may_differ(c, slow, next);
}
HELPER_DEFINE(x87_init, HELPER_ANY, IR_VOID, 1, IR_I64);

static void h_x87_clex(struct cpu *cpu, uint64_t next)
{
    struct x86_cpu *c = settled(cpu);
    bool slow = x87_slow(c);

    c->fpu_sw &= ~(X87_EXC | X87_SF | X87_ES | X87_B);
    flags_may_differ(c, slow, next);
}
HELPER_DEFINE(x87_clex, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 1, IR_I64);

static void h_x87_emms(struct cpu *cpu)
{
    struct x86_cpu *c = settled(cpu);

    x87_enter_mmx(c);
    c->fpu_tw = X87_TW_EMPTY;
}
HELPER_DEFINE(x87_emms, IR_H_CPU, IR_VOID, 0);

/*
 * Before a waiting instruction while an exception may be pending. With CR0.NE clear the processor
 * stops for the interrupt that FERR# leads to (SDM vol. 1, D.1.2.1) and then tries again.
 */
static void h_x87_check(struct cpu *cpu)
{
    struct x86_cpu *c = settled(cpu);

    if (!(c->fpu_sw & X87_ES))
        return;
    if (c->cr0 & CR0_NE)
        x86_raise(c, EXC_MF);
    if (c->platform && c->platform->ferr)
        c->platform->ferr(c->platform_opaque);
    cpu_halt(cpu);
    cpu_resume(cpu);
}
HELPER_DEFINE(x87_check, IR_H_CPU | IR_H_READS | IR_H_RAISES, IR_VOID, 0);
