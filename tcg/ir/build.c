/*
 * The builder's appending half: constants, slots, memory, calls and control. It runs once for each
 * operation of each cold piece of guest code, so it neither allocates nor searches.
 */
#include <string.h>
#include "build.h"
#include "fold.h"

void ir_init(struct ir *ir, struct ir_insn *buf, uint32_t max, const struct ir_slots *slots)
{
    memset(ir, 0, sizeof(*ir));
    ir->insn = buf;
    ir->max = max;
    ir->slots = slots;
    ir_begin(ir, 0, 0);
}

static void forget_slots(struct ir *ir)
{
    memset(ir->known, 0, ir->slots->count * sizeof(ir->known[0]));
}

void ir_begin(struct ir *ir, uint64_t pc, uint32_t flags)
{
    memset(&ir->insn[0], 0, sizeof(ir->insn[0]));
    ir->count = 1;
    ir->limit = ir->max;
    ir->full = ir->ended = ir->loops = ir->movable = false;
    ir->pc = ir->cur_pc = pc;
    ir->flags = flags;
    ir->ninsns = 0;
    forget_slots(ir);
    memset(ir->recent, 0, sizeof(ir->recent));
}

struct ir_mark ir_mark(const struct ir *ir)
{
    return (struct ir_mark){ ir->count, ir->limit, ir->ninsns, ir->ended, ir->loops };
}

void ir_rewind(struct ir *ir, const struct ir_mark *mark)
{
    ir->count = mark->count;
    ir->limit = mark->limit;
    ir->ninsns = mark->ninsns;
    ir->ended = mark->ended;
    ir->loops = mark->loops;
}

struct ir_insn *ir_append(struct ir *ir, enum ir_op op, enum ir_type type)
{
    struct ir_insn *i = &ir->insn[ir->count];

    if (__builtin_expect(ir->count >= ir->limit, 0)) {
        ir->full |= !ir->ended;
        return NULL;
    }
    *i = (struct ir_insn){ .op = op, .type = type };
    ir->count++;
    return i;
}

ir_val ir_emit(struct ir *ir, enum ir_op op, enum ir_type type, ir_val a, ir_val b)
{
    struct ir_insn *i = ir_append(ir, op, type);

    if (!i)
        return IR_NONE;
    i->a = a;
    i->b = b;
    return i - ir->insn;
}

void ir_insn_start(struct ir *ir, uint64_t pc)
{
    struct ir_insn *i = &ir->insn[ir->count - 1];

    /* An instruction that needed no operation leaves no trace but the count. */
    if (i->op != IR_INSN || ir->ended)
        i = ir_append(ir, IR_INSN, IR_VOID);
    ir->cur_pc = pc;
    if (!i)
        return;
    i->a = ir->ninsns++;
    i->imm = pc;
}

ir_val ir_imm(struct ir *ir, enum ir_type type, int64_t v)
{
    ir_val *recent;
    struct ir_insn *i;

    v = ir_canon(type, v);
    recent = &ir->recent[(v ^ v >> 4 ^ v >> 12) & (sizeof(ir->recent) / sizeof(ir_val) - 1)];
    i = &ir->insn[*recent];
    if (i->op == IR_CONST && i->imm == v && i->type == type)
        return *recent;
    i = ir_append(ir, IR_CONST, type);
    if (!i)
        return IR_NONE;
    i->imm = v;
    return *recent = i - ir->insn;
}

/* Hosts load what needs more than 32 bits by one instruction, whatever the number. */
static bool is_wide(uint64_t addr)
{
    return addr >> 32 && addr >> 32 < INT32_MAX;
}

ir_val ir_pcrel(struct ir *ir, uint64_t addr)
{
    ir_val *recent = &ir->recent[addr >> 4 & (sizeof(ir->recent) / sizeof(ir_val) - 1)];
    struct ir_insn *i = &ir->insn[*recent];

    ir->movable &= is_wide(addr);
    if (!ir->movable)
        return ir_imm64(ir, addr);
    if (i->op == IR_PCREL && (uint64_t)i->imm == addr)
        return *recent;
    i = ir_append(ir, IR_PCREL, IR_I64);
    if (!i)
        return IR_NONE;
    i->imm = addr;
    return *recent = i - ir->insn;
}

bool ir_is_target(struct ir *ir, ir_val v, uint64_t *addr)
{
    const struct ir_insn *i = ir_def(ir, v);

    if (i->op != IR_CONST && i->op != IR_PCREL)
        return false;
    ir->movable &= i->op == IR_PCREL;
    *addr = i->imm;
    return true;
}

ir_val ir_get(struct ir *ir, unsigned slot)
{
    struct ir_insn *i;

    if (ir->known[slot])
        return ir->known[slot];
    i = ir_append(ir, IR_GET, ir->slots->slot[slot].type);
    if (!i)
        return IR_NONE;
    i->imm = slot;
    return ir->known[slot] = i - ir->insn;
}

void ir_set(struct ir *ir, unsigned slot, ir_val v)
{
    struct ir_insn *i;

    if (ir->known[slot] == v)
        return;
    i = ir_append(ir, IR_SET, ir_type_of(ir, v));
    if (!i)
        return;
    i->a = v;
    i->imm = slot;
    ir->known[slot] = v;
    ir->insn[v].flags = 1;
}

void ir_kill(struct ir *ir, unsigned slot)
{
    struct ir_insn *i;

    if (!ir->known[slot])
        return;
    i = ir_append(ir, IR_KILL, IR_VOID);
    if (!i)
        return;
    i->imm = slot;
    ir->known[slot] = IR_NONE;
}

static bool fits_disp(int64_t v)
{
    return v == (int32_t)v;
}

/*
 * Brings an address into the form base + displacement of 32 bits: a constant added to the base
 * moves into the displacement, unless the sum is a guest register of its own. Of constant addresses
 * the page is the base, so that neighbours share it.
 */
static ir_val split_address(struct ir *ir, ir_val base, int64_t *disp)
{
    const struct ir_insn *i = ir_def(ir, base);
    int64_t c;

    if (i->op == IR_ADD && !ir_in_slot(ir, base) && ir_is_const(ir, i->b, &c)) {
        int64_t sum = (uint64_t)*disp + (uint64_t)c;
        if (fits_disp(sum)) {
            *disp = sum;
            return i->a;
        }
    } else if (i->op == IR_CONST) {
        uint64_t sum = (uint64_t)i->imm + (uint64_t)*disp;
        *disp = sum & 0xfff;
        return ir_imm64(ir, sum & ~UINT64_C(0xfff));
    } else if (i->op == IR_PCREL) { /* which moves by whole pages */
        uint64_t sum = (uint64_t)i->imm + (uint64_t)*disp;
        *disp = sum & 0xfff;
        return ir_pcrel(ir, sum & ~UINT64_C(0xfff));
    }
    if (!fits_disp(*disp)) {
        base = ir_add(ir, base, ir_imm64(ir, *disp));
        *disp = 0;
    }
    return base;
}

ir_val ir_load(struct ir *ir, enum ir_type type, uint16_t mem, ir_val base, int64_t disp)
{
    struct ir_insn *i;

    base = split_address(ir, base, &disp);
    i = ir_append(ir, IR_LD, type);
    if (!i)
        return IR_NONE;
    i->mem = mem;
    i->a = base;
    i->imm = disp;
    return i - ir->insn;
}

/* What is stored of @v with 1 << @log2size bytes does not need an extension of as many bits. */
static ir_val strip_extension(const struct ir *ir, ir_val v, unsigned log2size)
{
    const struct ir_insn *i = ir_def(ir, v);

    switch (i->op) {
    case IR_SEXT8:
    case IR_ZEXT8: return log2size == 0 ? i->a : v;
    case IR_SEXT16:
    case IR_ZEXT16: return log2size <= 1 ? i->a : v;
    case IR_SEXT32:
    case IR_ZEXT32: return log2size <= 2 ? i->a : v;
    default: return v;
    }
}

void ir_store(struct ir *ir, uint16_t mem, ir_val base, int64_t disp, ir_val v)
{
    struct ir_insn *i;

    v = strip_extension(ir, v, mem & IR_MEM_SIZE);
    base = split_address(ir, base, &disp);
    i = ir_append(ir, IR_ST, ir_type_of(ir, v));
    if (!i)
        return;
    i->mem = mem;
    i->a = base;
    i->b = v;
    i->imm = disp;
}

ir_val ir_check_store(struct ir *ir, uint16_t mem, ir_val base, int64_t disp, unsigned len)
{
    struct ir_insn *i;

    base = split_address(ir, base, &disp);
    if (!fits_disp(disp + len)) {
        base = ir_add(ir, base, ir_imm64(ir, disp));
        disp = 0;
    }
    i = ir_append(ir, IR_CHECK, IR_I64);
    if (!i)
        return IR_NONE;
    i->mem = (mem & IR_MEM_MODE) | IR_MEM_WRITE;
    i->a = base;
    i->c = len;
    i->imm = disp;
    return i - ir->insn;
}

void ir_store_checked(struct ir *ir, uint16_t mem, ir_val check, unsigned offset, ir_val v)
{
    struct ir_insn *i = ir_append(ir, IR_STH, ir_type_of(ir, v));

    if (!i)
        return;
    i->mem = mem;
    i->a = ir_def(ir, check)->a;
    i->b = v;
    i->c = check;
    i->imm = ir_def(ir, check)->imm + offset;
}

ir_val ir_amo(struct ir *ir, enum ir_amo op, uint16_t mem, ir_val addr, ir_val v)
{
    struct ir_insn *i = ir_append(ir, IR_AMO, ir_type_of(ir, v));

    if (!i)
        return IR_NONE;
    i->cond = op;
    i->mem = mem;
    i->a = addr;
    i->b = v;
    return i - ir->insn;
}

static ir_val conditional_store(struct ir *ir, enum ir_op op, uint16_t mem, ir_val addr,
                                ir_val expected, ir_val desired)
{
    struct ir_insn *i = ir_append(ir, op, ir_type_of(ir, expected));

    if (!i)
        return IR_NONE;
    i->mem = mem;
    i->a = addr;
    i->b = expected;
    i->c = desired;
    return i - ir->insn;
}

ir_val ir_cmpxchg(struct ir *ir, uint16_t mem, ir_val addr, ir_val expected, ir_val desired)
{
    return conditional_store(ir, IR_CMPXCHG, mem, addr, expected, desired);
}

ir_val ir_load_linked(struct ir *ir, enum ir_type type, uint16_t mem, ir_val addr)
{
    struct ir_insn *i = ir_append(ir, IR_LDX, type);

    if (!i)
        return IR_NONE;
    i->mem = mem | IR_MEM_ALIGNED;
    i->a = addr;
    return i - ir->insn;
}

ir_val ir_store_linked(struct ir *ir, uint16_t mem, ir_val addr, ir_val expected, ir_val desired)
{
    return conditional_store(ir, IR_STX, mem, addr, expected, desired);
}

void ir_fence(struct ir *ir, unsigned mask)
{
    struct ir_insn *i = ir_append(ir, IR_FENCE, IR_VOID);

    if (i)
        i->imm = mask & 0xff;
}

/* Calls a pure helper whose arguments are all known while translating. */
static bool fold_call(struct ir *ir, const struct ir_helper *h, const ir_val *v, ir_val *result)
{
    uint64_t args[4];

    if (h->flags != IR_H_PURE || h->ret == IR_VOID || !h->nargs)
        return false;
    for (unsigned n = 0; n < h->nargs; n++) {
        if (!ir_is_imm(ir, v[n]))
            return false;
        args[n] = ir_def(ir, v[n])->imm;
        if (h->arg[n] == IR_I32)
            args[n] = (uint32_t)args[n];
    }
    *result = ir_imm(ir, h->ret, ir_helper_call(h, NULL, args));
    return true;
}

ir_val ir_call(struct ir *ir, const struct ir_helper *h, ir_val a, ir_val b, ir_val c, ir_val d)
{
    const ir_val args[4] = { a, b, c, d };
    struct ir_insn *i;
    ir_val v;

    if (h->flags & IR_H_PURE && fold_call(ir, h, args, &v))
        return v;
    i = ir_append(ir, IR_CALL, h->ret);
    if (!i)
        return IR_NONE;
    i->a = a;
    i->b = b;
    i->c = c;
    i->d = d;
    i->helper = h;
    if (h->flags & IR_H_WRITES)
        forget_slots(ir);
    return i - ir->insn;
}

ir_val ir_call_x87(struct ir *ir, unsigned x87, const struct ir_helper *h, ir_val a, ir_val b,
                   ir_val c)
{
    ir_val v = ir_call(ir, h, a, b, c, IR_NONE);

    if (v != IR_NONE)
        ir->insn[v].mem = x87;
    return v;
}

ir_val ir_fma(struct ir *ir, unsigned signs, ir_val a, ir_val b, ir_val c)
{
    struct ir_insn *i = ir_append(ir, IR_FMA, ir_type_of(ir, a));

    if (!i)
        return IR_NONE;
    i->cond = signs;
    i->a = a;
    i->b = b;
    i->c = c;
    return i - ir->insn;
}

static ir_val emit_cond(struct ir *ir, enum ir_op op, enum ir_type type, unsigned cond, ir_val a,
                        ir_val b)
{
    ir_val v = ir_emit(ir, op, type, a, b);

    if (v)
        ir->insn[v].cond = cond;
    return v;
}

ir_val ir_fcmp(struct ir *ir, enum ir_fcmp c, ir_val a, ir_val b)
{
    return emit_cond(ir, IR_FCMP, IR_I64, c, a, b);
}

ir_val ir_f2i(struct ir *ir, enum ir_type type, unsigned how, ir_val a)
{
    return emit_cond(ir, IR_F2I, type, how, a, IR_NONE);
}

ir_val ir_i2f(struct ir *ir, enum ir_type type, unsigned how, ir_val a)
{
    return emit_cond(ir, IR_I2F, type, how, a, IR_NONE);
}

ir_val ir_fflags(struct ir *ir)
{
    return ir_emit(ir, IR_FFLAGS, IR_I64, IR_NONE, IR_NONE);
}

void ir_fkeep(struct ir *ir, ir_val flags)
{
    ir_emit(ir, IR_FKEEP, IR_VOID, flags, IR_NONE);
}

bool ir_silence(struct ir *ir, ir_val fflags)
{
    for (ir_val v = fflags + 1; v < ir->count; v++) {
        unsigned props = ir_op_info[ir->insn[v].op].props;
        bool harmless = props & IR_P_P || ir->insn[v].op == IR_INSN || ir->insn[v].op == IR_GET ||
                        ir->insn[v].op == IR_SET || ir->insn[v].op == IR_KILL ||
                        ir->insn[v].op == IR_FCMP;

        if (!harmless)
            return false;
    }
    for (ir_val v = fflags + 1; v < ir->count; v++)
        if (ir->insn[v].op == IR_FCMP)
            ir->insn[v].cond |= IR_FCMP_SILENT;
    return true;
}

/* What ends the unit: whatever the front end appends behind it cannot be reached. */
static void end_unit(struct ir *ir, enum ir_op op, ir_val a, uint64_t pc)
{
    struct ir_insn *i = ir_append(ir, op, IR_VOID);

    if (!i)
        return;
    i->a = a;
    i->imm = pc;
    ir->loops |= op == IR_LOOP;
    ir->limit = ir->count;
    ir->ended = true;
}

void ir_exit_if(struct ir *ir, enum ir_cond c, ir_val a, ir_val b, uint64_t pc)
{
    int known = ir_simplify_cond(ir, &c, &a, &b);
    ir_val v;

    if (known >= 0) {
        if (known)
            ir_exit(ir, pc);
        return;
    }
    v = emit_cond(ir, IR_EXITIF, ir_type_of(ir, a), c, a, b);
    if (v)
        ir->insn[v].imm = pc;
}

void ir_trap_if(struct ir *ir, enum ir_cond c, ir_val a, ir_val b, const struct ir_helper *h)
{
    int known = ir_simplify_cond(ir, &c, &a, &b);
    ir_val v;

    if (known > 0)
        ir_call(ir, h, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
    if (known >= 0)
        return;
    v = emit_cond(ir, IR_TRAPIF, ir_type_of(ir, a), c, a, b);
    if (v)
        ir->insn[v].helper = h;
}

void ir_loop_if(struct ir *ir, enum ir_cond c, ir_val a, ir_val b)
{
    int known = ir_simplify_cond(ir, &c, &a, &b);

    if (known >= 0) {
        if (known)
            ir_loop(ir);
        return;
    }
    if (emit_cond(ir, IR_LOOPIF, ir_type_of(ir, a), c, a, b))
        ir->loops = true;
}

void ir_guard(struct ir *ir, uint64_t pc)
{
    struct ir_insn *i = ir_append(ir, IR_GUARD, IR_VOID);

    if (i)
        i->imm = pc;
}

void ir_loop(struct ir *ir)
{
    end_unit(ir, IR_LOOP, IR_NONE, 0);
}

void ir_exit(struct ir *ir, uint64_t pc)
{
    end_unit(ir, IR_EXIT, IR_NONE, pc);
}

void ir_exit_ind(struct ir *ir, ir_val pc)
{
    end_unit(ir, IR_EXITIND, pc, 0);
}

void ir_exit_pc(struct ir *ir)
{
    end_unit(ir, IR_EXITPC, IR_NONE, 0);
}
