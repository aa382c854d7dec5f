/*
 * x87 instructions of a guest as the host's own (IR_X87).
 *
 * The guest's register stack, tags, control and status words are the host's while generated code
 * runs, so that results, flags and stack faults need no thought. What is left to do: operands go
 * through memory, and the first instruction in a unit, or behind a call of C that may have taken
 * the state out, sees to it that it is there.
 */
#include "gen.h"

#define IN_HOST    rm_env(offsetof(struct tcg_cpu, x87.in_host))
#define OPERAND(n) rm_env(offsetof(struct tcg_cpu, x87.operand) + 8 * (n))

/* Instructions with an operand in memory, by first byte and register field: bytes loaded or, with
 * ST, stored. Others change state that the host does not have, or are none. */
enum { ST = 16 };
static const uint8_t access_of[8][8] = {
    { 4, 4, 4, 4, 4, 4, 4, 4 }, { 4, 0, ST | 4, ST | 4, 0, 0, 0, 0 },
    { 4, 4, 4, 4, 4, 4, 4, 4 }, { 4, ST | 4, ST | 4, ST | 4, 0, 10, 0, ST | 10 },
    { 8, 8, 8, 8, 8, 8, 8, 8 }, { 8, ST | 8, ST | 8, ST | 8, 0, 0, 0, 0 },
    { 2, 2, 2, 2, 2, 2, 2, 2 }, { 2, ST | 2, ST | 2, ST | 2, 10, 8, ST | 10, ST | 8 },
};

void x86_x87_load(struct tcg_cpu *cpu)
{
    cpu->x87.load(cpu);
}

static void make_ready(struct gen *g)
{
    if (g->x87_ready)
        return;
    as_op(&g->as, 0x80, G1_CMP, IN_HOST);
    as_1(&g->as, 0);
    struct stub *s = gen_stub(g, STUB_X87, as_jcc(&g->as, CC_E));
    s->keep_xmm = gen_xmm_live(g) || g->xhomes;
    s->back = as_here(&g->as);
    g->x87_ready = true;
}

static void put_operand(struct gen *g, unsigned n, ir_val v)
{
    as_op(&g->as, X_MOV_ST | O_W, gen_use(g, v), OPERAND(n));
}

static void gen_x87_memory(struct gen *g, const struct ir_insn *i, unsigned low, unsigned field)
{
    unsigned access = access_of[low][field], bytes = access & (ST - 1);

    bug_on(!access);
    if (!(access & ST)) {
        put_operand(g, 0, i->a);
        if (bytes == 10)
            put_operand(g, 1, i->b);
    }
    as_op(&g->as, 0xd8 | low, field, OPERAND(0));
    if (access & ST)
        as_op(&g->as,
              bytes == 2   ? X_MOVZX16
              : bytes == 4 ? X_MOV
                           : X_MOV | O_W,
              gen_def(g, g->pos), OPERAND(0));
}

static void gen_x87_register(struct gen *g, const struct ir_insn *i, unsigned low, unsigned modrm)
{
    struct as *a = &g->as;
    unsigned field = modrm >> 3 & 7;
    bool is_stsw = low == 7 && modrm == 0xe0;
    bool is_comi = (low & 3) == 3 && (field == 5 || field == 6); /* DB, DF */

    if ((low == 2 || low == 3) && field < 4) { /* FCMOV */
        int c = gen_use(g, i->a);
        as_op(a, X_TEST | O_W, c, rm_reg(c));
    }
    if (is_stsw || is_comi)
        gen_take(g, RAX);
    as_1(a, 0xd8 | low);
    as_1(a, modrm);
    if (is_stsw) {
        as_op(a, X_MOVZX16, RAX, rm_reg(RAX));
    } else if (is_comi) {
        as_1(a, 0x9f); /* LAHF, then MOVZX EAX, AH */
        as_op(a, X_MOVZX8 & ~(uint32_t)O_BM, RAX, rm_reg(RSP));
        as_g1(a, 0, G1_AND, rm_reg(RAX), 0x45);
    }
    if (is_stsw || is_comi)
        gen_def_in(g, g->pos, RAX);
}

void gen_x87(struct gen *g, const struct ir_insn *i)
{
    unsigned low = i->mem >> 8 & 7, modrm = i->mem & 0xff;

    if (i->mem == IR_X87_HIGH) {
        as_op(&g->as, X_MOVZX16, gen_def(g, g->pos), OPERAND(1));
        return;
    }
    make_ready(g);
    if (modrm < 0xc0)
        gen_x87_memory(g, i, low, modrm >> 3);
    else
        gen_x87_register(g, i, low, modrm);
}
