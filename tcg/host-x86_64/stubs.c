/*
 * Cold code behind a unit: slow paths, unlinked exits, rare floating-point cases.
 *
 * A stub that returns leaves all registers but its result as they were: the thunks see to that.
 * Arguments travel in tcg_cpu.scratch: [0] address, then result; [1] and [2] values, or both a
 * vector; [3] memop with a second word beside it.
 */
#include "gen.h"

#define SCRATCH(n) rm_env(offsetof(struct tcg_cpu, scratch) + 8 * (n))

struct stub *gen_stub(struct gen *g, enum stub_kind kind, uint32_t from)
{
    if (g->nstubs == MAX_STUBS) {
        g->failed = true;
        g->nstubs--;
    }
    struct stub *s = &g->stub[g->nstubs++];
    *s = (struct stub){ .kind = kind, .from = from, .pc = g->pc };
    return s;
}

/*
 * A bridge to C that comes back. Guest registers are exact in memory then: usually the bridge sees
 * to it, but it knows only the pinned registers' own slots.
 */
static void call_bridge(struct gen *g, enum thunk t)
{
    if (g->nborrows)
        gen_write_homes(g);
    gen_call_thunk(g, t);
}

/* JMP or CALL to a place among the thunks. */
static void jump_out(struct gen *g, uint8_t opcode, uint32_t at)
{
    int32_t rel = (int32_t)(g->th->rx + at - (g->in->rx + as_here(&g->as) + 5));

    as_1(&g->as, opcode);
    gen_note_move(g, as_here(&g->as), MOVE_CODE);
    as_4(&g->as, rel);
}

void gen_call_thunk(struct gen *g, enum thunk t)
{
    uint32_t at = g->nborrows && g->th->raw[t] ? g->th->raw[t] : g->th->at[t];
    jump_out(g, 0xe8, at);
}

void gen_jmp_thunk(struct gen *g, enum thunk t)
{
    jump_out(g, 0xe9, g->th->at[t]);
}

/* An operand in the constant pool. Its displacement counts from the end of the instruction, so it
 * is set afterwards. */
struct rm gen_constant(struct gen *g, enum thunk c)
{
    if (g->nconst == MAX_CONSTS) {
        g->failed = true;
        return rm_mem(NO_REG, 0);
    }
    g->constant[g->nconst++] = (struct constant_use){ as_here(&g->as), c };
    return rm_mem(NO_REG, CONST_MARK);
}

/* Finds the marker displacement behind each recorded position and replaces it. */
static void fix_constants(struct gen *g)
{
    for (unsigned k = 0; k < g->nconst && !g->as.full; k++) {
        uint32_t at = g->constant[k].at;
        int32_t mark = CONST_MARK;
        while (memcmp(g->as.start + at, &mark, 4))
            at++;
        int32_t rel = (int32_t)(g->th->rx + g->th->at[g->constant[k].c] - (g->in->rx + at + 4));
        memcpy(g->as.start + at, &rel, 4);
        gen_note_move(g, at, MOVE_CODE);
    }
}

/* Without a register, as stubs have none to spare. */
void gen_set_pc(struct gen *g, uint64_t pc)
{
    struct rm m = rm_env(offsetof(struct tcg_cpu, pc));
    uint32_t at;

    if ((int64_t)pc == (int32_t)pc) {
        g->out->movable = false;
        as_op(&g->as, 0xc7 | O_W, 0, m);
        as_4(&g->as, pc);
        return;
    }
    as_op(&g->as, 0xc7, 0, m);
    at = as_here(&g->as);
    as_4(&g->as, pc);
    m.disp += 4;
    as_op(&g->as, 0xc7, 0, m);
    if (as_here(&g->as) == at + BACKEND_HALVES)
        gen_note_move(g, at, MOVE_HALVES);
    else
        g->out->movable = false;
    as_4(&g->as, pc >> 32);
}

static void put_scratch(struct gen *g, unsigned n, int reg)
{
    as_op(&g->as, X_MOV_ST | O_W, reg, SCRATCH(n));
}

static void put_scratch_imm(struct gen *g, unsigned n, int32_t imm)
{
    as_op(&g->as, 0xc7 | O_W, 0, SCRATCH(n));
    as_4(&g->as, imm);
}

static void put_xmm(struct gen *g, unsigned n, int xmm)
{
    as_op(&g->as, 0xd6 | O_0F | O_66, xmm, SCRATCH(n));
}

static void put_address(struct gen *g, const struct stub *s)
{
    if (s->disp) {
        as_op(&g->as, X_LEA | O_W, s->r3, rm_mem(s->r1, s->disp));
        put_scratch(g, 0, s->r3);
    } else {
        put_scratch(g, 0, s->r1);
    }
}

static void put_memop(struct gen *g, uint32_t mem, uint32_t word)
{
    struct rm m = SCRATCH(3);

    as_op(&g->as, 0xc7, 0, m);
    as_4(&g->as, mem);
    m.disp += 4;
    as_op(&g->as, 0xc7, 0, m);
    as_4(&g->as, word);
}

/* Address and memop are in place: tries the second-level TLB. */
static void try_refill(struct gen *g, const struct stub *s)
{
    if (!s->again)
        return;
    jump_out(g, 0xe8, g->th->at[T_REFILL]);
    as_patch(&g->as, as_jcc(&g->as, CC_E), s->again);
}

static void jump_back(struct gen *g, const struct stub *s)
{
    as_patch(&g->as, as_jmp(&g->as), s->back);
}

static void stub_load(struct gen *g, const struct stub *s)
{
    put_address(g, s);
    put_memop(g, s->mem, 0);
    try_refill(g, s);
    gen_set_pc(g, s->pc);
    if (s->type == IR_V128) {
        call_bridge(g, s->keep_xmm ? T_LOAD_WIDE_X : T_LOAD_WIDE);
        as_op(&g->as, 0x10 | O_0F, s->r2, SCRATCH(1)); /* MOVUPS */
        jump_back(g, s);
        return;
    }
    call_bridge(g, s->keep_xmm ? T_LOAD_X : T_LOAD);
    if (is_float(s->type))
        as_op(&g->as, 0x10 | O_0F | (s->type == IR_F32 ? O_F3 : O_F2), s->r2, SCRATCH(0));
    else
        as_op(&g->as, X_MOV | O_W, s->r2, SCRATCH(0));
    jump_back(g, s);
}

static void stub_store(struct gen *g, const struct stub *s)
{
    put_address(g, s);
    put_memop(g, s->mem, 0);
    try_refill(g, s);
    if (s->r2 == NO_REG)
        put_scratch_imm(g, 1, s->imm);
    else if (s->type == IR_V128)
        as_op(&g->as, 0x11 | O_0F, s->r2, SCRATCH(1));
    else if (is_float(s->type))
        put_xmm(g, 1, s->r2);
    else
        put_scratch(g, 1, s->r2);
    gen_set_pc(g, s->pc);
    if (s->type == IR_V128)
        call_bridge(g, s->keep_xmm ? T_STORE_WIDE_X : T_STORE_WIDE);
    else
        call_bridge(g, s->keep_xmm ? T_STORE_X : T_STORE);
    jump_back(g, s);
}

static void stub_check(struct gen *g, const struct stub *s)
{
    put_address(g, s);
    put_memop(g, s->mem, s->imm);
    try_refill(g, s);
    uint32_t never = as_jcc(&g->as, CC_B);
    call_bridge(g, s->keep_xmm ? T_PROBE_X : T_PROBE);
    as_op(&g->as, 0x80, G1_CMP, SCRATCH(0));
    as_1(&g->as, 0);
    as_patch(&g->as, as_jcc(&g->as, CC_NE), s->back);
    as_patch(&g->as, never, as_here(&g->as));
    gen_give_back(g);
    gen_set_pc(g, s->pc);
    gen_jmp_thunk(g, T_NOMERGE);
}

static void stub_atomic(struct gen *g, const struct stub *s)
{
    put_address(g, s);
    put_memop(g, s->mem, s->cond);
    try_refill(g, s);
    put_scratch(g, 1, s->r2);
    if (s->kind == STUB_CMPXCHG)
        put_scratch(g, 2, RCX);
    gen_set_pc(g, s->pc);
    if (s->kind == STUB_AMO)
        call_bridge(g, s->keep_xmm ? T_AMO_X : T_AMO);
    else
        call_bridge(g, s->keep_xmm ? T_CMPXCHG_X : T_CMPXCHG);
    as_op(&g->as, X_MOV | O_W, RAX, SCRATCH(0));
    jump_back(g, s);
}

static void stub_linked(struct gen *g, const struct stub *s)
{
    bool store = s->kind == STUB_STORE_LINKED;

    put_address(g, s);
    put_memop(g, s->mem, 0);
    try_refill(g, s);
    if (store) {
        put_scratch(g, 1, s->r2);
        put_scratch(g, 2, s->r3);
    }
    gen_set_pc(g, s->pc);
    if (!store) {
        call_bridge(g, s->keep_xmm ? T_LOAD_LINKED_X : T_LOAD_LINKED);
        as_op(&g->as, X_MOV | O_W, RAX, SCRATCH(0));
    } else {
        call_bridge(g, s->keep_xmm ? T_STORE_LINKED_X : T_STORE_LINKED);
        as_op(&g->as, X_MOVZX8, RAX, SCRATCH(0)); /* a bool */
        as_g1(&g->as, 0, G1_XOR, rm_reg(RAX), 1);
    }
    jump_back(g, s);
}

/* r1 is scratch. */
static void stub_poll(struct gen *g, const struct stub *s)
{
    enum { PATIENCE = 16, PAUSES = 16 };
    struct rm polls = rm_env(offsetof(struct tcg_cpu, link.polls));

    as_g1(&g->as, 0, G1_ADD, polls, 1);
    as_g1(&g->as, 0, G1_CMP, polls, PATIENCE);
    as_patch(&g->as, as_jcc(&g->as, CC_BE), s->back);
    as_mov_imm(&g->as, s->r1, PAUSES);
    uint32_t again = as_here(&g->as);
    as_1(&g->as, 0xf3); /* PAUSE */
    as_1(&g->as, 0x90);
    as_g1(&g->as, 0, G1_SUB, rm_reg(s->r1), 1);
    as_jcc_to(&g->as, CC_NE, again);
    jump_back(g, s);
}

/* RAX: dividend; r1: divisor, 0 or (signed) -1; results as the IR defines them in RAX and RDX. */
static void stub_div(struct gen *g, const struct stub *s)
{
    uint32_t w = op_w(s->type);
    bool is_signed = s->cond & 1;

    as_op(&g->as, X_TEST | w, s->r1, rm_reg(s->r1));
    uint32_t zero = as_jcc(&g->as, CC_E);
    if (is_signed) {
        as_op(&g->as, 0xf7 | w, G3_NEG, rm_reg(RAX));
        as_op(&g->as, X_XOR, RDX, rm_reg(RDX));
        jump_back(g, s);
    }
    as_patch(&g->as, zero, as_here(&g->as));
    as_mov(&g->as, RDX, RAX);
    as_g1(&g->as, O_W, G1_OR, rm_reg(RAX), -1);
    jump_back(g, s);
}

/* r1, r2: equal or unordered; r1 becomes the minimum (cond: maximum) number. */
static void stub_minmax(struct gen *g, const struct stub *s)
{
    bool f32 = s->type == IR_F32;
    uint32_t ucomis = 0x2e | O_0F | (f32 ? 0 : O_66);

    as_op(&g->as, ucomis, s->r1, rm_reg(s->r2));
    uint32_t nan = as_jcc(&g->as, CC_P);
    /* Equal: zeros may differ in sign. Min: OR of the signs; max: AND. */
    as_op(&g->as, (s->cond ? 0x54 : 0x56) | O_0F, s->r1, rm_reg(s->r2));
    jump_back(g, s);
    as_patch(&g->as, nan, as_here(&g->as));
    as_op(&g->as, ucomis, s->r2, rm_reg(s->r2));
    uint32_t keep = as_jcc(&g->as, CC_P); /* b is the NaN: a, or the default if both are */
    as_op(&g->as, 0x28 | O_0F, s->r1, rm_reg(s->r2));
    jump_back(g, s);
    as_patch(&g->as, keep, as_here(&g->as));
    as_op(&g->as, ucomis, s->r1, rm_reg(s->r1));
    as_patch(&g->as, as_jcc(&g->as, CC_NP), s->back);
    as_op(&g->as, 0x28 | O_0F, s->r1, gen_constant(g, f32 ? C_NAN32 : C_NAN64));
    jump_back(g, s);
}

static void stub_f2i(struct gen *g, const struct stub *s)
{
    put_xmm(g, 0, s->r2);
    put_scratch_imm(g, 1, s->imm);
    call_bridge(g, T_F2I_X);
    as_op(&g->as, X_MOV | O_W, s->r1, SCRATCH(0));
    jump_back(g, s);
}

static void stub_i2f(struct gen *g, const struct stub *s)
{
    put_scratch(g, 0, s->r1);
    put_scratch_imm(g, 1, s->imm);
    call_bridge(g, T_I2F_X);
    as_op(&g->as, 0x10 | O_0F | O_F2, s->r2, SCRATCH(0));
    jump_back(g, s);
}

/* Raises, and does not come back. */
static void stub_trap(struct gen *g, const struct stub *s)
{
    as_mov_imm(&g->as, RAX, s->imm);
    put_scratch(g, 0, RAX);
    gen_set_pc(g, s->pc);
    call_bridge(g, T_TRAP);
}

static void load_mxcsr(struct gen *g)
{
    as_op(&g->as, 0xae | O_0F, 2, rm_env(offsetof(struct tcg_cpu, fp_saved)));
}

/* MXCSR as the FFLAGS before stored it. EFLAGS stay. */
static void stub_fcmp(struct gen *g, const struct stub *s)
{
    load_mxcsr(g);
    jump_back(g, s);
}

static void stub_fkeep(struct gen *g, const struct stub *s)
{
    struct rm sticky = rm_env(offsetof(struct tcg_cpu, fp_sticky));

    as_op(&g->as, 0x80, G1_AND, rm_env(offsetof(struct tcg_cpu, fp_saved)));
    as_1(&g->as, 0xc0);
    load_mxcsr(g);
    as_op(&g->as, 0xc7, 0, sticky);
    as_4(&g->as, 0);
    jump_back(g, s);
}

static void stub_fma_nan(struct gen *g, const struct stub *s)
{
    put_xmm(g, 0, s->r1);
    put_xmm(g, 1, s->r2);
    put_memop(g, s->type == IR_F64, 0);
    call_bridge(g, T_FMA_NAN_X);
    jump_back(g, s);
}

static void stub_x87(struct gen *g, const struct stub *s)
{
    call_bridge(g, s->keep_xmm ? T_X87_X : T_X87);
    jump_back(g, s);
}

static void stub_load_constant(struct gen *g, const struct stub *s, enum thunk c)
{
    as_op(&g->as, 0x28 | O_0F, s->r1, gen_constant(g, c));
    jump_back(g, s);
}

static void gen_one(struct gen *g, const struct stub *s)
{
    switch ((enum stub_kind)s->kind) {
    case STUB_EXIT: gen_exit_stub(g, s); break;
    case STUB_SLOW_PC:
        if (s->inside)
            gen_give_back(g);
        gen_set_pc(g, s->pc);
        gen_jmp_thunk(g, T_LOOKUP);
        break;
    case STUB_UNMERGED:
        gen_set_pc(g, s->pc);
        gen_jmp_thunk(g, T_UNMERGED);
        break;
    case STUB_IND:
        as_op(&g->as, X_MOV_ST | O_W, s->r1, rm_env(offsetof(struct tcg_cpu, pc)));
        gen_jmp_thunk(g, T_INDIRECT);
        break;
    case STUB_LOAD: stub_load(g, s); break;
    case STUB_STORE: stub_store(g, s); break;
    case STUB_CHECK: stub_check(g, s); break;
    case STUB_AMO:
    case STUB_CMPXCHG: stub_atomic(g, s); break;
    case STUB_POLL: stub_poll(g, s); break;
    case STUB_LOAD_LINKED:
    case STUB_STORE_LINKED: stub_linked(g, s); break;
    case STUB_CANON: stub_load_constant(g, s, s->type == IR_F32 ? C_NAN32 : C_NAN64); break;
    case STUB_UNBOX: stub_load_constant(g, s, C_NAN32); break;
    case STUB_FMINMAX: stub_minmax(g, s); break;
    case STUB_F2I: stub_f2i(g, s); break;
    case STUB_I2F: stub_i2f(g, s); break;
    case STUB_FCMP: stub_fcmp(g, s); break;
    case STUB_FKEEP: stub_fkeep(g, s); break;
    case STUB_FMA_NAN: stub_fma_nan(g, s); break;
    case STUB_TRAP: stub_trap(g, s); break;
    case STUB_DIV: stub_div(g, s); break;
    case STUB_X87: stub_x87(g, s); break;
    }
}

/* The unlinked form of an exit: names itself to the link thunk by two words behind the call. */
static void gen_unlinked(struct gen *g, uint32_t e)
{
    struct backend_exit *x = &g->out->exit[e];

    x->link.unlinked = as_here(&g->as);
    as_patch(&g->as, x->link.jump, x->link.unlinked);
    gen_set_pc(g, x->pc);
    gen_call_thunk(g, T_LINK);
    as_4(&g->as, e);
    as_4(&g->as, as_here(&g->as) - 4); /* distance of these words from the unit's start */
}

void gen_stubs(struct gen *g)
{
    /* Stubs may ask for further stubs (an exit's checks): the list grows while it is worked off. */
    for (unsigned k = 0; k < g->nstubs && !g->as.full && !g->failed; k++) {
        struct stub s = g->stub[k];
        if (s.from)
            as_patch(&g->as, s.from, as_here(&g->as));
        if (s.from2)
            as_patch(&g->as, s.from2, as_here(&g->as));
        gen_one(g, &s);
    }
    for (uint32_t e = 0; e < g->out->nexits && !g->as.full && !g->failed; e++)
        gen_unlinked(g, e);
    if (!g->failed)
        fix_constants(g);
}
