/*
 * The shared pieces of generated code: into it and out of it, and the bridges to C.
 */
#include <cpuid.h>
#include <glib.h>
#include "gen.h"

struct bridge {
    enum thunk thunk;
    size_t fn; /* offset in struct backend_runtime, or 0 with @direct */
    void (*direct)(void);
    bool xmm; /* keep XMM registers */

    uint8_t args[4]; /* scratch words for the arguments behind the CPU: 0-2, MEM, WORD, END */
};
enum { END = 9, MEM = 10, WORD = 11 };

#define RT(f) offsetof(struct backend_runtime, rt.f)

static const struct bridge bridges[] = {
    { T_LOAD, RT(load), NULL, false, { 0, MEM, END } },
    { T_STORE, RT(store), NULL, false, { 0, 1, MEM, END } },
    { T_PROBE, RT(probe), NULL, false, { 0, WORD, MEM, END } },
    { T_AMO, RT(amo), NULL, false, { 0, 1, MEM, WORD } },
    { T_CMPXCHG, RT(cmpxchg), NULL, false, { 0, 1, 2, MEM } },
    { T_LOAD_X, RT(load), NULL, true, { 0, MEM, END } },
    { T_STORE_X, RT(store), NULL, true, { 0, 1, MEM, END } },
    { T_PROBE_X, RT(probe), NULL, true, { 0, WORD, MEM, END } },
    { T_AMO_X, RT(amo), NULL, true, { 0, 1, MEM, WORD } },
    { T_CMPXCHG_X, RT(cmpxchg), NULL, true, { 0, 1, 2, MEM } },
    { T_F2I_X, 0, (void (*)(void))x86_f2i, true, { 0, 1, END } },
    { T_FMA_NAN_X, 0, (void (*)(void))x86_fma_nan, true, { 0, 1, MEM, END } },
};

static const struct {
    enum thunk thunk;
    uint64_t lo, hi;
} constants[] = {
    { C_NAN64, 0x7ff8000000000000, 0 }, { C_NAN32, 0x7fc00000, 0 },
    { C_SIGN64, 1ull << 63, 0 },        { C_SIGN32, 1u << 31, 0 },
    { C_ABS64, ~0ull >> 1, 0 },         { C_ABS32, ~0u >> 1, 0 },
    { C_BOX, 0xffffffff00000000, 0 },   { C_TWO63, 0x43e0000000000000, 0 },
    { C_TWO63F, 0x5f000000, 0 },        { C_TWO31, 0x41e0000000000000, 0 },
    { C_TWO31F, 0x4f000000, 0 },
};

static const uint8_t saved_by_us[] = { RBX, RBP, R12, R13, R14, R15 };
/* Saved by bridges: temporaries, and in raw ones the pinned registers that C destroys. */
static const uint8_t temps[] = { RAX, RCX, RDX, RSI, RDI, R8, R9, R10, R11 };
#define NB_TEMPS 5

static void push(struct as *a, int r)
{
    if (r & 8)
        as_1(a, 0x41);
    as_1(a, 0x50 | (r & 7));
}

static void pop(struct as *a, int r)
{
    if (r & 8)
        as_1(a, 0x41);
    as_1(a, 0x58 | (r & 7));
}

static void call_c(struct as *a, const void *fn)
{
    as_mov_imm(a, RAX, (uintptr_t)fn);
    as_op(a, 0xff, 2, rm_reg(RAX));
}

static void begin(struct gen *g, struct backend_thunks *th, enum thunk t)
{
    while (as_here(&g->as) & 15)
        as_1(&g->as, 0xcc);
    th->at[t] = as_here(&g->as);
}

#define HOST_MXCSR  rm_mem(RSP, FRAME_SIZE - 8)
#define GUEST_MXCSR rm_env(offsetof(struct tcg_cpu, mxcsr))
enum { LDMXCSR = 2, STMXCSR = 3 };

/* void enter(struct tcg_cpu *cpu, const void *code) */
static void emit_enter(struct gen *g)
{
    struct as *a = &g->as;

    for (unsigned k = 0; k < G_N_ELEMENTS(saved_by_us); k++)
        push(a, saved_by_us[k]);
    as_g1(a, O_W, G1_SUB, rm_reg(RSP), FRAME_SIZE);
    as_op(a, X_LEA | O_W, ENV, rm_mem(RDI, ENV_BIAS));
    as_op(a, 0xae | O_0F, STMXCSR, HOST_MXCSR);
    as_op(a, 0xae | O_0F, LDMXCSR, GUEST_MXCSR);
    gen_load_pinned(g, true);
    as_op(a, 0xff, 4, rm_reg(RSI));
}

static void emit_leave(struct gen *g)
{
    struct as *a = &g->as;

    gen_save_pinned(g, true);
    as_op(a, 0xae | O_0F, STMXCSR, GUEST_MXCSR);
    as_op(a, 0xae | O_0F, LDMXCSR, HOST_MXCSR);
    as_g1(a, O_W, G1_ADD, rm_reg(RSP), FRAME_SIZE);
    for (unsigned k = G_N_ELEMENTS(saved_by_us); k-- > 0;)
        pop(a, saved_by_us[k]);
    as_1(a, 0xc3);
}

/* Asks C where to go on, with the CPU and what is in RSI, RDX; goes there. */
static void emit_ask(struct gen *g, const void *fn)
{
    gen_save_pinned(g, false);
    as_op(&g->as, X_LEA | O_W, RDI, rm_mem(ENV, -ENV_BIAS));
    call_c(&g->as, fn);
    gen_load_pinned(g, false);
    as_op(&g->as, 0xff, 4, rm_reg(RAX));
}

/* The return address points at the exit's index and its distance from the unit's start
 * (gen_unlinked). */
static void emit_link(struct gen *g, const void *fn)
{
    struct as *a = &g->as;

    pop(a, RAX);
    as_op(a, X_MOV, RDX, rm_mem(RAX, 0));
    as_op(a, X_MOV, RCX, rm_mem(RAX, 4));
    as_op(a, X_SUB | O_W, RAX, rm_reg(RCX));
    as_op(a, X_MOV | O_W, RSI, rm_mem(RAX, 0));
    emit_ask(g, fn);
}

static struct rm scratch_arg(unsigned n)
{
    size_t at = offsetof(struct tcg_cpu, scratch);
    return rm_env(n == MEM ? at + 24 : n == WORD ? at + 28 : at + 8 * n);
}

static void move_xmms(struct as *a, uint32_t op)
{
    for (int x = 0; x < 16; x++)
        as_op(a, op | O_0F, x, rm_mem(RSP, 16 * x));
}

static void emit_bridge(struct gen *g, const struct bridge *b, const struct backend_runtime *rt,
                        bool raw)
{
    static const uint8_t arg_regs[] = { RSI, RDX, RCX, R8 };
    struct as *a = &g->as;
    unsigned npush = raw ? G_N_ELEMENTS(temps) : NB_TEMPS;
    const void *fn =
        b->direct ? (const void *)b->direct : *(const void *const *)((const char *)rt + b->fn);

    for (unsigned k = 0; k < npush; k++)
        push(a, temps[k]);
    if (b->xmm) {
        as_g1(a, O_W, G1_SUB, rm_reg(RSP), 256);
        move_xmms(a, 0x29);
    }
    if (!raw)
        gen_save_pinned(g, true); /* the guest's registers are exact, should C raise an exception */
    as_op(a, X_LEA | O_W, RDI, rm_mem(ENV, -ENV_BIAS));
    for (unsigned k = 0; k < 4 && b->args[k] != END; k++)
        as_op(a, X_MOV | (b->args[k] >= MEM ? 0 : O_W), arg_regs[k], scratch_arg(b->args[k]));
    call_c(a, fn);
    if (b->thunk == T_PROBE || b->thunk == T_PROBE_X)
        as_op(a, X_MOVZX8, RAX, rm_reg(RAX));
    as_op(a, X_MOV_ST | O_W, RAX, scratch_arg(0));
    if (!raw)
        gen_load_pinned(g, false);
    if (b->xmm) {
        move_xmms(a, 0x28);
        as_g1(a, O_W, G1_ADD, rm_reg(RSP), 256);
    }
    while (npush-- > 0)
        pop(a, temps[npush]);
    as_1(a, 0xc3);
}

static void assign_pins(struct backend_thunks *th, const struct ir_slots *slots)
{
    th->slots = slots;
    memset(th->pin_of_slot, NO_REG, sizeof(th->pin_of_slot));
    for (int r = 0; r < 16; r++)
        th->slot_of_pin[r] = NO_SLOT;
    for (unsigned k = 0; k < slots->nhot && k < NB_PINNED; k++) {
        th->pin_of_slot[slots->hot[k]] = pinned_regs[k];
        th->slot_of_pin[pinned_regs[k]] = slots->hot[k];
    }
}

static void find_features(struct backend_thunks *th)
{
    unsigned a, b, c, d;

    if (__get_cpuid(1, &a, &b, &c, &d))
        th->fma = (c & bit_FMA) && (c & bit_AVX) && (c & bit_OSXSAVE);
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        th->bmi1 = b & bit_BMI;
        th->bmi2 = b & bit_BMI2;
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d))
        th->lzcnt = (c & bit_LZCNT) && th->bmi1;
}

size_t x86_init(struct backend_thunks **thunks, uint8_t *rw, const uint8_t *rx, size_t room,
                const struct backend_runtime *rt, const struct ir_slots *slots)
{
    struct backend_thunks *th = g_new0(struct backend_thunks, 1);
    struct gen *g = th->gen = g_new0(struct gen, 1);

    *thunks = th;
    th->rx = rx;
    assign_pins(th, slots);
    find_features(th);
    g->th = th;
    gen_default_homes(g);
    g->as = (struct as){ rw, rw, rw + room, false };
    for (unsigned k = 0; k < G_N_ELEMENTS(constants); k++) {
        begin(g, th, constants[k].thunk);
        as_8(&g->as, constants[k].lo);
        as_8(&g->as, constants[k].hi);
    }
    begin(g, th, T_ENTER);
    emit_enter(g);
    begin(g, th, T_LEAVE);
    emit_leave(g);
    begin(g, th, T_LOOKUP);
    emit_ask(g, (const void *)rt->rt.lookup);
    begin(g, th, T_NOMERGE);
    emit_ask(g, (const void *)rt->nomerge);
    begin(g, th, T_LINK);
    emit_link(g, (const void *)rt->link);
    for (unsigned k = 0; k < G_N_ELEMENTS(bridges); k++) {
        begin(g, th, bridges[k].thunk);
        th->raw[bridges[k].thunk] = as_here(&g->as);
        emit_bridge(g, &bridges[k], rt, true);
        begin(g, th, bridges[k].thunk);
        emit_bridge(g, &bridges[k], rt, false);
    }
    bug_on(g->as.full);
    return as_here(&g->as);
}

void x86_fini(struct backend_thunks *th)
{
    g_free(th->gen);
    g_free(th);
}

void x86_enter(const struct backend_thunks *th, struct tcg_cpu *cpu, const void *code)
{
    ((void (*)(struct tcg_cpu *, const void *))(uintptr_t)(th->rx + th->at[T_ENTER]))(cpu, code);
}

const void *x86_leave(const struct backend_thunks *th)
{
    return th->rx + th->at[T_LEAVE];
}
