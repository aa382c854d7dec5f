/*
 * Guest memory access: the first-level TLB probed inline, everything else in stubs behind the unit.
 *
 * For bytes [addr, addr + size) the entry is chosen by the first byte's page and its tag compared
 * with the last byte's, so that an access which crosses a page never hits:
 *
 *     rorx  i, addr, PAGE_BITS - log2(sizeof entry)
 *     and   i, (entries - 1) * sizeof entry
 *     lea   t, [addr + size - 1]
 *     and   t, -PAGE_SIZE
 *     cmp   t, [env + i + tlb.read]
 *     jne   stub
 *     mov   i, [env + i + tlb.addend]
 *     mov   result, [addr + i]
 */
#include "gen.h"

#define ENTRY_BITS 5
_Static_assert(sizeof(struct tcg_tlb_entry) == 1 << ENTRY_BITS, "TLB entry size");

static struct rm tlb_rm(int index, unsigned mode, size_t field)
{
    return rm_sib(ENV, index, 0, (int32_t)(offsetof(struct tcg_cpu, tlb[mode]) + field) - ENV_BIAS);
}

static struct addr use_address(struct gen *g, ir_val base, int64_t disp)
{
    int64_t imm;

    if (gen_const(g, base, &imm)) {
        int r = gen_temp(g);
        as_mov_imm(&g->as, r, imm + disp);
        return (struct addr){ r, 0 };
    }
    if (disp == (int32_t)disp && (int32_t)disp <= INT32_MAX - 4096)
        return (struct addr){ gen_use(g, base), disp };
    int r = gen_temp(g);
    as_mov_imm(&g->as, r, disp);
    as_op(&g->as, X_ADD | O_W, r, gen_rm(g, base));
    return (struct addr){ r, 0 };
}

uint32_t gen_tlb_probe(struct gen *g, struct addr at, unsigned len, unsigned align, uint16_t mem,
                       int index, int t)
{
    /* Where the range's last byte is, or what is aligned and in the same page. */
    int32_t last = at.disp + (int32_t)((len - 1) & ~(align - 1));
    struct as *a = &g->as;
    unsigned mode = ir_mem_mode(mem);
    size_t tag = mem & IR_MEM_WRITE ? offsetof(struct tcg_tlb_entry, write)
                                    : offsetof(struct tcg_tlb_entry, read);
    int from = at.base;

    g->probe = as_here(a);

    if (at.disp) {
        as_op(a, X_LEA | O_W, index, rm_mem(at.base, at.disp));
        from = index;
    }
    if (from != index && g->th->bmi2) {
        as_vex(a, V_RORX, 0, index, 0, rm_reg(from));
        as_1(a, TCG_PAGE_BITS - ENTRY_BITS);
    } else {
        if (from != index)
            as_op(a, X_MOV, index, rm_reg(from));
        as_shift(a, 0, G2_SHR, rm_reg(index), TCG_PAGE_BITS - ENTRY_BITS);
    }
    as_g1(a, 0, G1_AND, rm_reg(index), (TCG_TLB_SIZE - 1) << ENTRY_BITS);
    if (last)
        as_op(a, X_LEA | O_W, t, rm_mem(at.base, last));
    else
        as_mov(a, t, at.base);
    as_g1(a, O_W, G1_AND, rm_reg(t), (int32_t)-TCG_PAGE_SIZE | ((int32_t)align - 1));
    as_op(a, X_CMP | O_W, t, tlb_rm(index, mode, tag));
    uint32_t miss = as_jcc(a, CC_NE);
    as_op(a, X_MOV | O_W, index, tlb_rm(index, mode, offsetof(struct tcg_tlb_entry, addend)));
    return miss;
}

/* What the address of the access must be a multiple of. */
static unsigned alignment(const struct ir_insn *i)
{
    return i->mem & IR_MEM_ALIGNED ? ir_mem_bytes(i->mem) : 1;
}

void gen_host_load(struct gen *g, enum ir_type type, uint16_t mem, int rd, struct rm m)
{
    bool sign = mem & IR_MEM_SIGNED;
    uint32_t w = op_w(type), op;

    switch (mem & IR_MEM_SIZE) {
    case 0: op = sign ? X_MOVSX8 | w : X_MOVZX8; break;
    case 1: op = sign ? X_MOVSX16 | w : X_MOVZX16; break;
    case 2: op = sign && w ? X_MOVSXD : X_MOV; break;
    default: op = X_MOV | O_W;
    }
    as_op(&g->as, op, rd, m);
}

static void host_load_xmm(struct gen *g, enum ir_type type, int xd, struct rm m)
{
    as_op(&g->as, 0x10 | O_0F | (type == IR_V128 ? 0 : type == IR_F32 ? O_F3 : O_F2), xd, m);
}

/* Stores @v to host memory @m; a register for it, if one is needed, was obtained before as @rv. */
static void host_store(struct gen *g, ir_val v, int rv, uint16_t mem, struct rm m)
{
    unsigned log2size = mem & IR_MEM_SIZE;
    int64_t imm;

    if (in_xmm(ir_type_of(g->ir, v))) {
        as_op(&g->as, 0x11 | O_0F | (log2size == 4 ? 0 : log2size == 2 ? O_F3 : O_F2), rv, m);
    } else if (rv == NO_REG) {
        gen_const(g, v, &imm);
        if (log2size == 1)
            as_1(&g->as, 0x66);
        as_op(&g->as, log2size == 0 ? 0xc6 : 0xc7 | (log2size == 3 ? O_W : 0), 0, m);
        if (log2size == 0)
            as_1(&g->as, imm);
        else if (log2size == 1)
            as_bytes(&g->as, &(uint16_t){ imm }, 2);
        else
            as_4(&g->as, imm);
    } else if (log2size == 0) {
        as_op(&g->as, X_MOV_ST8, rv, m);
    } else {
        as_op(&g->as, X_MOV_ST | (log2size == 1 ? O_66 : log2size == 3 ? O_W : 0), rv, m);
    }
}

/* Register for a value to be stored; none for constants that an instruction can hold. */
static int use_stored(struct gen *g, ir_val v)
{
    if (in_xmm(ir_type_of(g->ir, v)))
        return gen_xuse(g, v);
    return gen_const32(g, v, &(int64_t){ 0 }) ? NO_REG : gen_use(g, v);
}

struct stub *gen_access_stub(struct gen *g, enum stub_kind kind, uint32_t from, struct addr at,
                             const struct ir_insn *i)
{
    struct stub *s = gen_stub(g, kind, from);
    s->r1 = at.base;
    s->disp = at.disp;
    s->mem = i->mem;
    s->type = i->type;
    s->again = gen_always_slow(i->mem) ? 0 : g->probe;
    s->keep_xmm = gen_xmm_live(g) || g->xhomes;
    return s;
}

static void gen_ld(struct gen *g, const struct ir_insn *i)
{
    unsigned size = ir_mem_bytes(i->mem);
    struct addr at = use_address(g, i->a, i->imm);
    int index = gen_temp(g), t = gen_temp(g);
    uint32_t miss;

    if (in_xmm(i->type)) /* now: behind the probe nothing may be evicted */
        gen_xdef(g, g->pos);
    if (gen_always_slow(i->mem))
        miss = as_jmp(&g->as);
    else
        miss = gen_tlb_probe(g, at, size, alignment(i), i->mem, index, t);
    struct stub *s = gen_access_stub(g, STUB_LOAD, miss, at, i);
    s->r3 = t;
    if (in_xmm(i->type)) {
        s->r2 = g->loc[g->pos].reg;
        if (!gen_always_slow(i->mem))
            host_load_xmm(g, i->type, s->r2, rm_sib(at.base, index, 0, at.disp));
    } else {
        g->locked &= ~(1u << t | 1u << index);
        gen_free_dying(g);
        s->r2 = gen_def(g, g->pos);
        if (!gen_always_slow(i->mem))
            gen_host_load(g, i->type, i->mem, s->r2, rm_sib(at.base, index, 0, at.disp));
    }
    s->back = as_here(&g->as);
}

static void gen_st(struct gen *g, const struct ir_insn *i)
{
    unsigned size = ir_mem_bytes(i->mem);
    struct addr at = use_address(g, i->a, i->imm);
    int rv = use_stored(g, i->b);
    int index = gen_temp(g), t = gen_temp(g);
    uint32_t miss;

    if (gen_always_slow(i->mem))
        miss = as_jmp(&g->as);
    else
        miss = gen_tlb_probe(g, at, size, alignment(i), i->mem | IR_MEM_WRITE, index, t);
    struct stub *s = gen_access_stub(g, STUB_STORE, miss, at, i);
    s->mem |= IR_MEM_WRITE;
    s->r2 = rv;
    s->r3 = t;
    if (rv == NO_REG)
        gen_const(g, i->b, &s->imm);
    s->type = ir_type_of(g->ir, i->b);
    if (!gen_always_slow(i->mem))
        host_store(g, i->b, rv, i->mem, rm_sib(at.base, index, 0, at.disp));
    s->back = as_here(&g->as);
}

static void gen_check(struct gen *g, const struct ir_insn *i)
{
    struct addr at = use_address(g, i->a, i->imm);
    int index = gen_temp(g), t = gen_temp(g);
    uint32_t miss = gen_tlb_probe(g, at, i->c, alignment(i), i->mem, index, t);
    struct stub *s = gen_access_stub(g, STUB_CHECK, miss, at, i);

    s->imm = i->c;
    s->r3 = t;
    s->back = s->again;
    gen_free_dying(g);
    gen_def_in(g, g->pos, index);
}

static void gen_ldh(struct gen *g, const struct ir_insn *i)
{
    struct addr at = use_address(g, i->a, i->imm);
    int addend = gen_use(g, i->b);

    gen_free_dying(g);
    struct rm m = rm_sib(at.base, addend, 0, at.disp);
    if (in_xmm(i->type))
        host_load_xmm(g, i->type, gen_xdef(g, g->pos), m);
    else
        gen_host_load(g, i->type, i->mem, gen_def(g, g->pos), m);
}

static void gen_sth(struct gen *g, const struct ir_insn *i)
{
    struct addr at = use_address(g, i->a, i->imm);
    int addend = gen_use(g, i->c);

    host_store(g, i->b, use_stored(g, i->b), i->mem, rm_sib(at.base, addend, 0, at.disp));
}

void gen_memory(struct gen *g, const struct ir_insn *i)
{
    switch (i->op) {
    case IR_LD: gen_ld(g, i); break;
    case IR_ST: gen_st(g, i); break;
    case IR_CHECK: gen_check(g, i); break;
    case IR_LDH: gen_ldh(g, i); break;
    default: gen_sth(g, i);
    }
}
