/*
 * Atomic operations on guest memory, linked loads and conditional stores, fences.
 */
#include <glib.h>
#include "gen.h"

/* The operations without a host instruction of their own repeat a compare-and-exchange; old value
 * in RAX. */
static void amo_loop(struct gen *g, enum ir_amo op, uint32_t w, struct rm m, int rv, int t)
{
    static const uint8_t replace[] = {
        [IR_AMO_MIN] = CC_G, [IR_AMO_MAX] = CC_L, [IR_AMO_MINU] = CC_A, [IR_AMO_MAXU] = CC_B
    };

    as_op(&g->as, X_MOV | w, RAX, m);
    uint32_t again = as_here(&g->as);
    as_op(&g->as, X_MOV | w, t, rm_reg(RAX));
    switch (op) {
    case IR_AMO_AND: as_op(&g->as, X_AND | w, t, rm_reg(rv)); break;
    case IR_AMO_OR: as_op(&g->as, X_OR | w, t, rm_reg(rv)); break;
    case IR_AMO_XOR: as_op(&g->as, X_XOR | w, t, rm_reg(rv)); break;
    default:
        as_op(&g->as, X_CMP | w, t, rm_reg(rv));
        as_op(&g->as, (X_CMOV | w) + replace[op], t, rm_reg(rv));
    }
    as_1(&g->as, 0xf0);
    as_op(&g->as, X_CMPXCHG | w, t, m);
    as_jcc_to(&g->as, CC_NE, again);
}

static void atomic_inline(struct gen *g, const struct ir_insn *i, struct rm m, int rv)
{
    uint32_t w = (i->mem & IR_MEM_SIZE) == 3 ? O_W : 0;

    if (i->op == IR_CMPXCHG) {
        as_mov(&g->as, RAX, rv);
        as_1(&g->as, 0xf0);
        as_op(&g->as, X_CMPXCHG | w, RCX, m);
    } else if (i->cond == IR_AMO_SWAP || i->cond == IR_AMO_ADD) {
        as_mov(&g->as, RAX, rv);
        if (i->cond == IR_AMO_ADD)
            as_1(&g->as, 0xf0);
        as_op(&g->as, (i->cond == IR_AMO_ADD ? X_XADD : X_XCHG) | w, RAX, m);
    } else {
        amo_loop(g, i->cond, w, m, rv, RCX);
    }
    if (!w && i->type == IR_I64)
        as_op(&g->as, i->mem & IR_MEM_SIGNED ? X_MOVSXD : X_MOV, RAX, rm_reg(RAX));
}

/*
 * RAX: result; RCX: desired value or scratch; RDX: addend. Nothing may be loaded or evicted between
 * the probe and the end, as the stub joins again behind it.
 */
static void gen_atomic_op(struct gen *g, const struct ir_insn *i)
{
    unsigned log2size = i->mem & IR_MEM_SIZE;
    uint32_t miss;

    if (i->op == IR_CMPXCHG)
        gen_use_in(g, i->c, RCX);
    else
        gen_take(g, RCX);
    gen_take(g, RAX);
    gen_take(g, RDX);
    struct addr at = { gen_use(g, i->a), 0 };
    int rv = gen_use(g, i->b);
    bool slow = log2size < 2 || log2size > 3 || (i->mem & IR_MEM_BE);
    if (slow)
        miss = as_jmp(&g->as);
    else
        miss =
            gen_tlb_probe(g, at, 1u << log2size, 1u << log2size, i->mem | IR_MEM_WRITE, RDX, RAX);
    struct stub *s = gen_access_stub(g, i->op == IR_CMPXCHG ? STUB_CMPXCHG : STUB_AMO, miss, at, i);
    s->mem |= IR_MEM_WRITE | IR_MEM_ALIGNED;
    s->cond = i->cond;
    s->r2 = rv;
    s->r3 = RDX;
    if (slow)
        s->again = 0;
    if (!slow)
        atomic_inline(g, i, rm_sib(at.base, RDX, 0, 0), rv);
    s->back = as_here(&g->as);
    gen_free_dying(g);
    gen_def_in(g, g->pos, RAX);
}

static struct rm link_rm(size_t field)
{
    return rm_env(offsetof(struct tcg_cpu, link) + field);
}
#define LINK(field) link_rm(offsetof(struct tcg_link, field))

static uint32_t probe_linked(struct gen *g, struct addr at, uint16_t mem, int index, int t)
{
    unsigned size = ir_mem_bytes(mem);

    if (gen_always_slow(mem) || size < 4)
        return as_jmp(&g->as);
    return gen_tlb_probe(g, at, size, size, mem, index, t);
}

/*
 * The address's line and what is in its word are noted before the load: the host keeps loads in
 * order (SDM volume 3, 9.2.2). Who loads again and again, and stores not, waits for another CPU to
 * be done with a lock; each look takes the lines away from it, so such loads become rare.
 */
static void gen_linked_load(struct gen *g, const struct ir_insn *i)
{
    struct as *a = &g->as;

    gen_take(g, RAX);
    struct addr at = { gen_use(g, i->a), 0 };
    int host = gen_temp(g), t = gen_temp(g);
    uint32_t miss = probe_linked(g, at, i->mem, host, t);
    struct stub *s = gen_access_stub(g, STUB_LOAD_LINKED, miss, at, i);
    s->r3 = t;
    as_op(a, X_ADD | O_W, host, rm_reg(at.base));
    as_op(a, X_CMP | O_W, host, LINK(host));
    struct stub *poll = gen_stub(g, STUB_POLL, as_jcc(a, CC_E));
    as_op(a, X_MOV_ST | O_W, host, LINK(host));
    as_op(a, 0xc7, 0, LINK(polls));
    as_4(a, 0);
    poll->r1 = t;
    poll->back = as_here(a);
    as_op(a, X_MOV, t, rm_reg(host));
    as_g1(a, 0, G1_AND, rm_reg(t), TCG_LINES_MASK);
    as_op(a, X_ADD | O_W, t, rm_env(offsetof(struct tcg_cpu, lines)));
    as_op(a, X_MOV_ST | O_W, t, LINK(line));
    as_op(a, X_MOV | O_W, t, rm_mem(t, 0));
    as_op(a, X_MOV_ST | O_W, t, LINK(seen));
    gen_host_load(g, i->type, i->mem, RAX, rm_mem(host, 0));
    s->back = as_here(a);
    gen_free_dying(g);
    gen_def_in(g, g->pos, RAX);
}

/* Takes the link's line, its word's address is left in RDX; the jumps for when that cannot be go
 * to @fail. Returns the one for when another's number has to be given back. */
static uint32_t take_line(struct gen *g, uint32_t fail[3])
{
    struct as *a = &g->as;

    as_op(a, X_MOV | O_W, RDX, LINK(line));
    as_op(a, X_MOV | O_W, RAX, LINK(seen));
    as_op(a, X_CMP | O_W, RAX, rm_mem(RDX, 0));
    fail[0] = as_jcc(a, CC_NE);
    as_op(a, 0xf6, G3_TEST, rm_reg(RAX)); /* TEST AL, imm8 */
    as_1(a, TCG_LINE_STORING);
    fail[1] = as_jcc(a, CC_NE);
    as_1(a, 0xf0);
    as_op(a, 0xba | O_0F | O_W, G8_BTS, rm_mem(RDX, 0));
    as_1(a, __builtin_ctz(TCG_LINE_STORING));
    fail[2] = as_jcc(a, CC_B);
    /* Nobody else changes it now; it may have moved on before. */
    as_g1(a, O_W, G1_ADD, rm_reg(RAX), TCG_LINE_STORING);
    as_op(a, X_CMP | O_W, RAX, rm_mem(RDX, 0));
    return as_jcc(a, CC_NE);
}

/*
 * The protocol of tcg/abi.h, with RAX and RDX (the addend, at first) alone: the operands may need
 * all other registers. What is bound to fail is found by plain loads, which leave the lines where
 * they are. RAX becomes the result.
 */
static void store_linked(struct gen *g, uint16_t mem, int base, int expected, int desired)
{
    uint32_t w = (mem & IR_MEM_SIZE) == 3 ? O_W : 0, fail[5];
    struct as *a = &g->as;

    as_op(a, X_ADD | O_W, RDX, rm_reg(base));
    as_op(a, X_CMP | O_W, RDX, LINK(host));
    fail[0] = as_jcc(a, CC_NE);
    as_op(a, X_CMP | w, expected, rm_mem(RDX, 0));
    fail[1] = as_jcc(a, CC_NE);
    uint32_t moved = take_line(g, fail + 2);
    as_op(a, X_MOV | O_W, RDX, LINK(host));
    as_mov(a, RAX, expected);
    as_1(a, 0xf0);
    as_op(a, X_CMPXCHG | w, desired, rm_mem(RDX, 0));
    as_op(a, X_MOV | O_W, RDX, LINK(line));
    uint32_t differs = as_jcc(a, CC_NE);
    as_g1(a, O_W, G1_ADD, rm_mem(RDX, 0), TCG_LINE_STORED - TCG_LINE_STORING);
    as_op(a, X_XOR, RAX, rm_reg(RAX));
    uint32_t done = as_jmp(a);
    as_patch(a, moved, as_here(a));
    as_patch(a, differs, as_here(a));
    as_g1(a, O_W, G1_SUB, rm_mem(RDX, 0), TCG_LINE_STORING);
    for (unsigned k = 0; k < G_N_ELEMENTS(fail); k++)
        as_patch(a, fail[k], as_here(a));
    as_mov_imm(a, RAX, 1);
    as_patch(a, done, as_here(a));
    as_op(a, 0xc7 | O_W, 0, LINK(host));
    as_4(a, 0);
}

static void gen_linked_store(struct gen *g, const struct ir_insn *i)
{
    gen_take(g, RAX);
    gen_take(g, RDX);
    struct addr at = { gen_use(g, i->a), 0 };
    int expected = gen_use(g, i->b), desired = gen_use(g, i->c);
    uint32_t miss = probe_linked(g, at, i->mem | IR_MEM_WRITE, RDX, RAX);
    struct stub *s = gen_access_stub(g, STUB_STORE_LINKED, miss, at, i);
    s->mem |= IR_MEM_WRITE | IR_MEM_ALIGNED;
    s->r2 = expected;
    s->r3 = desired;
    store_linked(g, i->mem, at.base, expected, desired);
    s->back = as_here(&g->as);
    gen_free_dying(g);
    gen_def_in(g, g->pos, RAX);
}

static void gen_fence(struct gen *g, const struct ir_insn *i)
{
    /* The host keeps every order but that of a store before a load (SDM volume 3, 9.2.2). */
    if ((i->imm >> 4 & IR_FENCE_W) &&
        (i->imm & IR_FENCE_R)) { /* lock or dword [rsp], 0 is quicker than MFENCE */
        as_1(&g->as, 0xf0);
        as_g1(&g->as, 0, G1_OR, rm_mem(RSP, FRAME_SIZE - 8), 0);
    }
}

void gen_atomic(struct gen *g, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_FENCE: gen_fence(g, i); break;
    case IR_LDX: gen_linked_load(g, i); break;
    case IR_STX: gen_linked_store(g, i); break;
    default: gen_atomic_op(g, i);
    }
}
