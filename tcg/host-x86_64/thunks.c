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

    /* Scratch words for the arguments behind the CPU: 0-2, the address of 1, MEM, WORD, END. */
    uint8_t args[4];
};
enum { AT_1 = 8, END = 9, MEM = 10, WORD = 11 };

#define RT(f) offsetof(struct backend_runtime, rt.f)

static const struct bridge bridges[] = {
    { T_LOAD, RT(load), NULL, false, { 0, MEM, END } },
    { T_STORE, RT(store), NULL, false, { 0, 1, MEM, END } },
    { T_PROBE, RT(probe), NULL, false, { 0, WORD, MEM, END } },
    { T_AMO, RT(amo), NULL, false, { 0, 1, MEM, WORD } },
    { T_CMPXCHG, RT(cmpxchg), NULL, false, { 0, 1, 2, MEM } },
    { T_LOAD_LINKED, RT(load_linked), NULL, false, { 0, MEM, END } },
    { T_STORE_LINKED, RT(store_linked), NULL, false, { 0, 1, 2, MEM } },
    { T_LOAD_WIDE, RT(load_wide), NULL, false, { 0, AT_1, MEM, END } },
    { T_STORE_WIDE, RT(store_wide), NULL, false, { 0, AT_1, MEM, END } },
    { T_LOAD_WIDE_X, RT(load_wide), NULL, true, { 0, AT_1, MEM, END } },
    { T_STORE_WIDE_X, RT(store_wide), NULL, true, { 0, AT_1, MEM, END } },
    { T_LOAD_X, RT(load), NULL, true, { 0, MEM, END } },
    { T_STORE_X, RT(store), NULL, true, { 0, 1, MEM, END } },
    { T_PROBE_X, RT(probe), NULL, true, { 0, WORD, MEM, END } },
    { T_AMO_X, RT(amo), NULL, true, { 0, 1, MEM, WORD } },
    { T_CMPXCHG_X, RT(cmpxchg), NULL, true, { 0, 1, 2, MEM } },
    { T_LOAD_LINKED_X, RT(load_linked), NULL, true, { 0, MEM, END } },
    { T_STORE_LINKED_X, RT(store_linked), NULL, true, { 0, 1, 2, MEM } },
    { T_F2I_X, 0, (void (*)(void))x86_f2i, true, { 0, 1, END } },
    { T_I2F_X, 0, (void (*)(void))x86_i2f, true, { 0, 1, END } },
    { T_FMA_NAN_X, 0, (void (*)(void))x86_fma_nan, true, { 0, 1, MEM, END } },
    { T_X87, 0, (void (*)(void))x86_x87_load, false, { END } },
    { T_X87_X, 0, (void (*)(void))x86_x87_load, true, { END } },
    { T_TRAP, 0, (void (*)(void))x86_trap, false, { 0, END } },
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

/* Goes on at the pc in memory by either level of the jump cache. Temporaries are free: no value
 * outlives a unit. */
static void emit_indirect(struct gen *g, const void *lookup)
{
    struct as *a = &g->as;
    int32_t first = offsetof(struct tcg_cpu, jump) - ENV_BIAS;
    int32_t second = offsetof(struct tcg_cpu, jump2) - ENV_BIAS;
    uint32_t miss;

    as_op(a, X_MOV | O_W, RAX, rm_env(offsetof(struct tcg_cpu, pc)));
    as_op(a, X_LEA, RCX, rm_sib(NO_REG, RAX, 3, 0));
    as_g1(a, 0, G1_AND, rm_reg(RCX), (TCG_JC_SIZE - 1) << 4);
    as_op(a, X_CMP | O_W, RAX, rm_sib(ENV, RCX, 0, first + offsetof(struct tcg_jump, pc)));
    miss = as_jcc(a, CC_NE);
    as_op(a, 0xff, 4, rm_sib(ENV, RCX, 0, first + offsetof(struct tcg_jump, code)));
    as_patch(a, miss, as_here(a));
    as_op(a, X_MOV | O_W, RCX, rm_reg(RAX));
    as_shift(a, O_W, G2_SHR, rm_reg(RCX), TCG_JC_BITS);
    as_op(a, X_XOR, RCX, rm_reg(RAX));
    as_g1(a, 0, G1_AND, rm_reg(RCX), TCG_JC_SIZE - 1);
    as_shift(a, 0, G2_SHL, rm_reg(RCX), 4);
    as_op(a, X_CMP | O_W, RAX, rm_sib(ENV, RCX, 0, second + offsetof(struct tcg_jump, pc)));
    miss = as_jcc(a, CC_NE);
    as_op(a, 0xff, 4, rm_sib(ENV, RCX, 0, second + offsetof(struct tcg_jump, code)));
    as_patch(a, miss, as_here(a));
    emit_ask(g, lookup);
}

/* Goes on at the pc in memory, where a CHECK did not hold. */
static void emit_nomerge(struct gen *g, const struct backend_thunks *th)
{
    struct as *a = &g->as;
    int32_t table = offsetof(struct tcg_cpu, unmerged) - ENV_BIAS;

    as_op(a, X_MOV | O_W, RAX, rm_env(offsetof(struct tcg_cpu, pc)));
    as_op(a, X_MOV, RCX, rm_reg(RAX));
    as_g1(a, 0, G1_AND, rm_reg(RCX), TCG_UNMERGED_SIZE - 1);
    as_shift(a, 0, G2_SHL, rm_reg(RCX), 4);
    as_op(a, X_CMP | O_W, RAX, rm_sib(ENV, RCX, 0, table + offsetof(struct tcg_jump, pc)));
    as_jcc_to(a, CC_NE, th->at[T_UNMERGED]);
    as_op(a, 0xff, 4, rm_sib(ENV, RCX, 0, table + offsetof(struct tcg_jump, code)));
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
    for (unsigned k = 0; k < 4 && b->args[k] != END; k++) {
        if (b->args[k] == AT_1)
            as_op(a, X_LEA | O_W, arg_regs[k], scratch_arg(1));
        else
            as_op(a, X_MOV | (b->args[k] >= MEM ? 0 : O_W), arg_regs[k], scratch_arg(b->args[k]));
    }
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

/*
 * Fills the first-level entry for the address in scratch[0], memop in scratch[3], from the second
 * level. ZF: done, the probe is worth repeating. CF: the page was there already; the access crosses
 * into another or is misaligned. Leaves all registers alone.
 */
static void emit_refill(struct gen *g)
{
    struct as *a = &g->as;
    struct rm mem = scratch_arg(MEM);
    size_t tlb = offsetof(struct tcg_cpu, tlb) - ENV_BIAS;
    struct rm l1_read = rm_sib(ENV, RAX, 0, tlb + offsetof(struct tcg_tlb_entry, read));
    struct rm l1_write = rm_sib(ENV, RAX, 0, tlb + offsetof(struct tcg_tlb_entry, write));
    struct rm l1_addend = rm_sib(ENV, RAX, 0, tlb + offsetof(struct tcg_tlb_entry, addend));
    uint32_t fail[8];
    unsigned nfail = 0;

    push(a, RAX);
    push(a, RCX);
    push(a, RDX);
    push(a, RSI);
    as_g1(a, O_W, G1_CMP, rm_env(offsetof(struct tcg_cpu, tlb2)), 0);
    fail[nfail++] = as_jcc(a, CC_E);
    /* RSI = mode, RDX = page | mode, RCX = second-level entry */
    as_op(a, X_MOV, RSI, mem);
    as_shift(a, 0, G2_SHR, rm_reg(RSI), IR_MEM_MODE_SHIFT);
    as_g1(a, 0, G1_AND, rm_reg(RSI), TCG_MMU_MODES - 1);
    as_op(a, X_MOV | O_W, RDX, scratch_arg(0));
    as_op(a, X_MOV | O_W, RAX, rm_reg(RDX));
    as_shift(a, O_W, G2_SHR, rm_reg(RAX), TCG_PAGE_BITS);
    as_op(a, X_MOV, RCX, rm_reg(RSI));
    as_shift(a, 0, G2_SHL, rm_reg(RCX), TCG_TLB2_BITS - 3);
    as_op(a, X_XOR, RCX, rm_reg(RAX));
    as_g1(a, 0, G1_AND, rm_reg(RCX), TCG_TLB2_SIZE - 1);
    as_shift(a, 0, G2_SHL, rm_reg(RCX), 5);
    as_op(a, X_ADD | O_W, RCX, rm_env(offsetof(struct tcg_cpu, tlb2)));
    as_g1(a, O_W, G1_AND, rm_reg(RDX), (int32_t)-TCG_PAGE_SIZE);
    as_op(a, X_OR | O_W, RDX, rm_reg(RSI));
    /* the tag, with the write bit only if the access is a store */
    as_op(a, X_MOV | O_W, RAX, rm_mem(RCX, 0));
    as_op(a, 0xf6, G3_TEST, mem);
    as_1(a, IR_MEM_WRITE);
    uint32_t store = as_jcc(a, CC_NE);
    as_g1(a, O_W, G1_AND, rm_reg(RAX), ~(int32_t)TCG_TLB2_WRITE);
    as_g1(a, O_W, G1_SUB, rm_reg(RDX), TCG_TLB2_WRITE);
    as_patch(a, store, as_here(a));
    as_g1(a, O_W, G1_ADD, rm_reg(RDX), TCG_TLB2_WRITE);
    as_op(a, X_CMP | O_W, RAX, rm_reg(RDX));
    fail[nfail++] = as_jcc(a, CC_NE);
    as_op(a, X_MOV | O_W, RAX, rm_mem(RCX, offsetof(struct tcg_tlb2_entry, stamp)));
    as_op(a, X_CMP | O_W, RAX, rm_env(offsetof(struct tcg_cpu, stamp[0])));
    uint32_t valid = as_jcc(a, CC_E);
    as_op(a, X_CMP | O_W, RAX, rm_env(offsetof(struct tcg_cpu, stamp[1])));
    fail[nfail++] = as_jcc(a, CC_NE);
    as_patch(a, valid, as_here(a));
    /* RAX = offset of the first-level entry, RDX = page */
    as_shift(a, 0, G2_SHL, rm_reg(RSI), TCG_TLB_BITS + 5);
    as_op(a, X_MOV, RAX, rm_reg(RDX));
    as_shift(a, 0, G2_SHR, rm_reg(RAX), TCG_PAGE_BITS - 5);
    as_g1(a, 0, G1_AND, rm_reg(RAX), (TCG_TLB_SIZE - 1) << 5);
    as_op(a, X_ADD, RAX, rm_reg(RSI));
    as_g1(a, O_W, G1_AND, rm_reg(RDX), (int32_t)-TCG_PAGE_SIZE);
    as_op(a, X_MOV | O_W, RSI, rm_mem(RCX, offsetof(struct tcg_tlb2_entry, addend)));
    as_op(a, 0xf6, G3_TEST, mem);
    as_1(a, IR_MEM_WRITE);
    store = as_jcc(a, CC_NE);

    as_op(a, X_CMP | O_W, RDX, l1_read);
    uint32_t there = as_jcc(a, CC_E);
    as_op(a, 0xc7 | O_W, 0, l1_write);
    as_4(a, TCG_TLB_INVALID);
    as_op(a, X_MOV_ST | O_W, RSI, l1_addend);
    as_op(a, X_MOV_ST | O_W, RDX, l1_read);
    uint32_t done = as_jmp(a);

    as_patch(a, store, as_here(a));
    as_op(a, X_CMP | O_W, RDX, l1_write);
    uint32_t there_too = as_jcc(a, CC_E);
    as_op(a, 0xc7 | O_W, 0, l1_write);
    as_4(a, TCG_TLB_INVALID);
    as_op(a, X_MOV_ST | O_W, RSI, l1_addend);
    as_op(a, X_MOV_ST | O_W, RDX, l1_read);
    /* Whoever begins to watch the page after this exchange sees the tag, before it, we see the
     * state. */
    as_op(a, X_XCHG | O_W, RDX, l1_write);
    as_op(a, X_MOV | O_W, RDX, rm_mem(RCX, offsetof(struct tcg_tlb2_entry, state)));
    as_op(a, 0x80, G1_CMP, rm_mem(RDX, 0));
    as_1(a, 0);
    uint32_t unwatched = as_jcc(a, CC_E);
    as_op(a, 0xc7 | O_W, 0, l1_write);
    as_4(a, TCG_TLB_INVALID);
    for (unsigned k = 0; k < nfail; k++)
        as_patch(a, fail[k], as_here(a));
    as_g1(a, 0, G1_OR, rm_reg(RAX), 1); /* clears ZF and CF */
    uint32_t out = as_jmp(a);
    as_patch(a, there, as_here(a));
    as_patch(a, there_too, as_here(a));
    as_g1(a, 0, G1_OR, rm_reg(RAX), 1);
    as_1(a, 0xf9); /* STC */
    uint32_t crosses = as_jmp(a);
    as_patch(a, done, as_here(a));
    as_patch(a, unwatched, as_here(a));
    as_op(a, X_XOR, RAX, rm_reg(RAX));
    as_patch(a, out, as_here(a));
    as_patch(a, crosses, as_here(a));
    pop(a, RSI);
    pop(a, RDX);
    pop(a, RCX);
    pop(a, RAX);
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

    if (__get_cpuid(1, &a, &b, &c, &d)) {
        th->fma = (c & bit_FMA) && (c & bit_AVX) && (c & bit_OSXSAVE);
        th->sse41 = c & bit_SSE4_1;
        th->vec = VEC_SSE2 | (c & bit_SSE3 ? VEC_SSE3 : 0) | (c & bit_SSSE3 ? VEC_SSSE3 : 0) |
                  (c & bit_SSE4_1 ? VEC_SSE41 : 0) | (c & bit_SSE4_2 ? VEC_SSE42 : 0) |
                  (c & bit_AES ? VEC_AES : 0) | (c & bit_PCLMUL ? VEC_CLMUL : 0);
        if (__builtin_cpu_supports("avx")) /* the host's kernel saves its registers, too */
            th->vec |= VEC_AVX | (c & bit_F16C ? VEC_F16C : 0) | (c & bit_FMA ? VEC_FMA : 0);
    }
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        th->bmi1 = b & bit_BMI;
        th->bmi2 = b & bit_BMI2;
        th->vec |= b & bit_SHA ? VEC_SHA : 0;
        if (th->vec & VEC_AVX)
            th->vec |= b & bit_AVX2 ? VEC_AVX2 : 0;
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d))
        th->lzcnt = (c & bit_LZCNT) && th->bmi1;
}

size_t host_init(struct backend_thunks **thunks, uint8_t *rw, const uint8_t *rx, size_t room,
                 const struct backend_runtime *rt, const struct ir_slots *slots)
{
    struct backend_thunks *th = g_new0(struct backend_thunks, 1);
    struct gen *g = th->gen = g_new0(struct gen, 1);

    *thunks = th;
    th->rx = rx;
    assign_pins(th, slots);
    th->wide_slots = true;
    for (unsigned n = 0; n < slots->count; n++)
        th->wide_slots &= slots->slot[n].type != IR_I32;
    find_features(th);
    g->th = th;
    gen_default_homes(g);
    g->as = (struct as){ rw, rw, rw + room, false };
    for (unsigned k = 0; k < G_N_ELEMENTS(constants); k++) {
        begin(g, th, constants[k].thunk);
        as_8(&g->as, constants[k].lo);
        as_8(&g->as, constants[k].hi);
    }
    begin(g, th, C_FLAGS);
    for (unsigned csr = 0; csr < 64; csr++)
        as_1(&g->as, x86_flags_of(csr) & 0x1f);
    begin(g, th, T_ENTER);
    emit_enter(g);
    begin(g, th, T_LEAVE);
    emit_leave(g);
    begin(g, th, T_LOOKUP);
    emit_ask(g, (const void *)rt->rt.lookup);
    begin(g, th, T_INDIRECT);
    emit_indirect(g, (const void *)rt->rt.lookup);
    begin(g, th, T_UNMERGED);
    emit_ask(g, (const void *)rt->nomerge);
    begin(g, th, T_NOMERGE);
    emit_nomerge(g, th);
    begin(g, th, T_LINK);
    emit_link(g, (const void *)rt->link);
    begin(g, th, T_REFILL);
    emit_refill(g);
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

void host_fini(struct backend_thunks *th)
{
    g_free(th->gen);
    g_free(th);
}

void host_enter(const struct backend_thunks *th, struct tcg_cpu *cpu, const void *code)
{
    ((void (*)(struct tcg_cpu *, const void *))(uintptr_t)(th->rx + th->at[T_ENTER]))(cpu, code);
    tcg_x87_save(cpu);
}

const void *host_leave(const struct backend_thunks *th)
{
    return th->rx + th->at[T_LEAVE];
}
