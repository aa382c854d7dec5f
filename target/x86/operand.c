/*
 * Operands of instructions as IR: registers, addresses with their segment's base and limit, memory,
 * the stack.
 *
 * Integers of 8, 16 and 32 bits are i32. Where segments are flat, addresses are what the registers
 * hold; elsewhere each access compares its offset with the limit, and one that is beyond goes to an
 * address that no page table maps (X86_SLOW_ADDRESS), so that hot code has no branch for it.
 */
#include "translate.h"

/* ---- Values ---- */

ir_val x86_zext(struct trans *t, unsigned log2size, ir_val v)
{
    if (log2size > 1)
        return v;
    return ir_unary(t->ir, log2size ? IR_ZEXT16 : IR_ZEXT8, ir_type_of(t->ir, v), v);
}

ir_val x86_sext(struct trans *t, unsigned log2size, ir_val v)
{
    if (log2size > 1)
        return v;
    return ir_unary(t->ir, log2size ? IR_SEXT16 : IR_SEXT8, ir_type_of(t->ir, v), v);
}

ir_val x86_wide(struct trans *t, ir_val v)
{
    return ir_type_of(t->ir, v) == IR_I32 ? ir_zext32(t->ir, v) : v;
}

ir_val x86_narrow(struct trans *t, unsigned log2size, ir_val v)
{
    return log2size == 3 || ir_type_of(t->ir, v) == IR_I32 ? v : ir_trunc(t->ir, v);
}

/* ---- Registers ---- */

static bool is_high_byte(unsigned log2size, unsigned n, bool rex)
{
    return log2size == 0 && !rex && n >= 4 && n < 8;
}

ir_val x86_get_reg_val(struct trans *t, unsigned log2size, unsigned n, bool rex)
{
    struct ir *ir = t->ir;

    if (is_high_byte(log2size, n, rex)) {
        ir_val v = ir_trunc(ir, ir_get(ir, n - 4));
        return x86_zext(t, 0, ir_shr(ir, v, ir_imm32(ir, 8)));
    }
    if (log2size == 3)
        return ir_get(ir, n);
    return x86_zext(t, log2size, ir_trunc(ir, ir_get(ir, n)));
}

void x86_set_reg_val(struct trans *t, unsigned log2size, unsigned n, bool rex, ir_val v)
{
    struct ir *ir = t->ir;
    uint64_t mask = log2size ? 0xffff : 0xff;

    if (log2size >= 2) {
        ir_set(ir, n, x86_wide(t, v));
        return;
    }
    v = x86_wide(t, x86_zext(t, log2size, v));
    if (is_high_byte(log2size, n, rex)) {
        n -= 4;
        mask = 0xff00;
        v = ir_shl(ir, v, ir_imm64(ir, 8));
    }
    ir_set(ir, n, ir_or(ir, ir_and(ir, ir_get(ir, n), ir_imm64(ir, ~mask)), v));
}

/* ---- Addresses ---- */

/* An i64's low bits as the address size has them. */
static ir_val wrap(struct trans *t, unsigned addr_size, ir_val v)
{
    switch (addr_size) {
    case 1: return ir_unary(t->ir, IR_ZEXT16, IR_I64, v);
    case 2: return ir_zext32(t->ir, ir_trunc(t->ir, v));
    default: return v;
    }
}

/* Sum of base and scaled index, i64; IR_NONE if there are none. */
static ir_val registers(struct trans *t, const struct x86_insn *i)
{
    struct ir *ir = t->ir;
    ir_val v = IR_NONE, x;

    if (i->rip_relative)
        return ir_pcrel(ir, t->next);
    if (i->base >= 0)
        v = ir_get(ir, i->base);
    if (i->index >= 0) {
        x = ir_shl(ir, ir_get(ir, i->index), ir_imm64(ir, i->scale));
        v = v ? ir_add(ir, v, x) : x;
    }
    return v;
}

static ir_val offset_of(struct trans *t, const struct x86_insn *i, int64_t disp)
{
    ir_val v = registers(t, i), d = ir_imm64(t->ir, disp);

    return wrap(t, i->addr_size, v ? ir_add(t->ir, v, d) : d);
}

ir_val x86_offset(struct trans *t, const struct x86_insn *i)
{
    return offset_of(t, i, i->disp);
}

/* Segments whose base is not known to be 0. */
static bool has_base(const struct trans *t, unsigned seg)
{
    if (x86_is64(t))
        return seg >= S_FS;
    return seg >= S_FS || !(t->flags & UF_FLAT);
}

static ir_val segmented(struct trans *t, unsigned seg, ir_val offset, unsigned bytes)
{
    struct ir *ir = t->ir;
    uint64_t slow = X86_SLOW_ADDRESS | (uint64_t)seg << X86_SLOW_SEG_SHIFT |
                    (uint64_t)(bytes - 1) << X86_SLOW_SIZE_SHIFT;
    ir_val base = ir_get(ir, SLOT_SEG_BASE + seg), limit = ir_get(ir, SLOT_SEG_LIMIT + seg);
    ir_val last = ir_add(ir, offset, ir_imm64(ir, bytes - 1));
    ir_val linear = wrap(t, 2, ir_add(ir, base, offset));

    return ir_select(ir, IR_LE, last, limit, linear, ir_or(ir, linear, ir_imm64(ir, slow)));
}

struct x86_addr x86_tr_linear(struct trans *t, unsigned seg, ir_val offset, unsigned bytes)
{
    if (!has_base(t, seg))
        return (struct x86_addr){ offset, 0 };
    if (x86_is64(t))
        return (struct x86_addr){ ir_add(t->ir, ir_get(t->ir, SLOT_SEG_BASE + seg), offset), 0 };
    return (struct x86_addr){ segmented(t, seg, offset, bytes), 0 };
}

struct x86_addr x86_address(struct trans *t, const struct x86_insn *i, int32_t offset,
                            unsigned bytes)
{
    int64_t disp = (int64_t)i->disp + offset;
    bool based = has_base(t, i->seg);
    ir_val v;

    /* The displacement stays outside where nothing has to be done to the sum: 64-bit addresses, and
     * 32-bit ones outside long mode, where map() truncates. */
    if (i->addr_size == 3) {
        v = registers(t, i);
        if (based) {
            ir_val base = ir_get(t->ir, SLOT_SEG_BASE + i->seg);
            v = v ? ir_add(t->ir, base, v) : base;
        }
        return v ? (struct x86_addr){ v, disp } : (struct x86_addr){ ir_imm64(t->ir, disp), 0 };
    }
    if (i->addr_size == 2 && !based && !(t->flags & UF_LMA) && disp == (int32_t)disp &&
        (i->base >= 0 || i->index >= 0)) {
        v = registers(t, i);
        return (struct x86_addr){ i->index >= 0 ? wrap(t, 2, v) : v, disp };
    }
    /* Its parts lie one behind the other even where the first one's address would go round. */
    v = offset_of(t, i, i->disp);
    return x86_tr_linear(t, i->seg, offset ? ir_add(t->ir, v, ir_imm64(t->ir, offset)) : v, bytes);
}

ir_val x86_address_val(struct trans *t, const struct x86_insn *i, int32_t offset, unsigned bytes)
{
    struct x86_addr a = x86_address(t, i, offset, bytes);
    ir_val v = ir_add(t->ir, a.base, ir_imm64(t->ir, a.disp));

    return x86_is64(t) || !a.disp ? v : wrap(t, 2, v);
}

ir_val x86_tr_load(struct trans *t, unsigned log2size, struct x86_addr a)
{
    return ir_load(t->ir, x86_type(log2size), x86_mem(t, log2size), a.base, a.disp);
}

void x86_tr_store(struct trans *t, unsigned log2size, struct x86_addr a, ir_val v)
{
    ir_store(t->ir, x86_mem(t, log2size), a.base, a.disp, v);
}

ir_val x86_tr_eip(struct trans *t, uint64_t pc)
{
    if (x86_is64(t) || t->flags & UF_FLAT)
        return ir_pcrel(t->ir, pc);
    return wrap(t, 2, ir_sub(t->ir, ir_imm64(t->ir, pc), ir_get(t->ir, SLOT_SEG_BASE + S_CS)));
}

/* ---- Operands ---- */

unsigned x86_size_of(const struct x86_insn *i, unsigned n)
{
    switch (i->pattern->operand[n].size) {
    case 'b': return i->pattern->operand[n].is_signed ? i->size : 0;
    case 'w': return 1;
    case 'd': return 2;
    case 'q': return 3;
    case 'y': return i->w ? 3 : 2;
    case 'z':
        if (i->pattern->operand[n].kind == OPK_STRING) /* ports have 32 bits at most */
            return i->size == 1 ? 1 : 2;
        return i->size;
    default: return i->size;
    }
}

/* The register that operand @n is; -1: it is none. */
static int register_of(const struct x86_insn *i, unsigned n)
{
    switch (i->pattern->operand[n].kind) {
    case OPK_E: return i->is_mem ? -1 : i->rm;
    case OPK_R:
    case OPK_Z: return i->rm;
    case OPK_G: return i->reg;
    case OPK_B: return i->vvvv;
    case OPK_FIXED: return i->pattern->operand[n].reg;
    default: return -1;
    }
}

struct x86_place x86_place(struct trans *t, const struct x86_insn *i, unsigned n)
{
    struct x86_place p = { .reg = register_of(i, n), .log2size = x86_size_of(i, n) };

    p.rex = i->prefixes & PFX_REX;
    if (p.reg >= 0)
        return p;
    if (i->pattern->operand[n].kind == OPK_MOFFS)
        p.addr = x86_tr_linear(t, i->seg, ir_imm64(t->ir, i->imm), 1u << p.log2size);
    else
        p.addr = x86_address(t, i, 0, 1u << p.log2size);
    return p;
}

ir_val x86_get_to_change(struct trans *t, const struct x86_place *p)
{
    if (p->reg >= 0)
        return x86_get(t, p);
    return ir_load(t->ir, x86_type(p->log2size), x86_mem(t, p->log2size) | IR_MEM_WRITE,
                   p->addr.base, p->addr.disp);
}

ir_val x86_get(struct trans *t, const struct x86_place *p)
{
    if (p->reg >= 0)
        return x86_get_reg_val(t, p->log2size, p->reg, p->rex);
    return x86_tr_load(t, p->log2size, p->addr);
}

void x86_set(struct trans *t, const struct x86_place *p, ir_val v)
{
    if (p->reg >= 0)
        x86_set_reg_val(t, p->log2size, p->reg, p->rex, v);
    else
        x86_tr_store(t, p->log2size, p->addr, v);
}

ir_val x86_read(struct trans *t, const struct x86_insn *i, unsigned n)
{
    unsigned log2size = x86_size_of(i, n);
    struct x86_place p;

    if (i->pattern->operand[n].kind == OPK_IMM) {
        uint64_t mask = log2size < 3 ? (UINT64_C(1) << (8 << log2size)) - 1 : ~UINT64_C(0);
        bool second = n && i->pattern->operand[n - 1].kind == OPK_IMM;
        return ir_imm(t->ir, x86_type(log2size), (second ? i->imm2 : i->imm) & mask);
    }
    p = x86_place(t, i, n);
    return x86_get(t, &p);
}

void x86_write(struct trans *t, const struct x86_insn *i, unsigned n, ir_val v)
{
    struct x86_place p = x86_place(t, i, n);

    x86_set(t, &p, v);
}

/* ---- The stack ---- */

/* log2 of the stack pointer's size. */
static unsigned sp_size(const struct trans *t)
{
    return x86_is64(t) ? 3 : t->flags & UF_SS32 ? 2 : 1;
}

/* The stack pointer plus @bytes, as offset. */
static ir_val sp_plus(struct trans *t, int64_t bytes)
{
    if (sp_size(t) == 2)
        return ir_zext32(
            t->ir, ir_add(t->ir, ir_trunc(t->ir, ir_get(t->ir, R_SP)), ir_imm32(t->ir, bytes)));
    return wrap(t, sp_size(t), ir_add(t->ir, ir_get(t->ir, R_SP), ir_imm64(t->ir, bytes)));
}

struct x86_addr x86_stack(struct trans *t, int64_t offset, unsigned bytes)
{
    if (x86_is64(t) || (t->flags & (UF_SS32 | UF_FLAT | UF_LMA)) == (UF_SS32 | UF_FLAT))
        return (struct x86_addr){ ir_get(t->ir, R_SP), offset };
    return x86_tr_linear(t, S_SS, sp_plus(t, offset), bytes);
}

void x86_move_sp(struct trans *t, int64_t bytes)
{
    ir_val sp = sp_plus(t, bytes);

    if (sp_size(t) == 1)
        x86_set_reg_val(t, 1, R_SP, false, ir_trunc(t->ir, sp));
    else
        ir_set(t->ir, R_SP, sp);
}

void x86_push(struct trans *t, unsigned log2size, ir_val v)
{
    int64_t bytes = INT64_C(1) << log2size;

    x86_tr_store(t, log2size, x86_stack(t, -bytes, bytes), v);
    x86_move_sp(t, -bytes);
}

ir_val x86_peek(struct trans *t, unsigned log2size, int32_t skip)
{
    return x86_tr_load(t, log2size, x86_stack(t, skip, 1u << log2size));
}
