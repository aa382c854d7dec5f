/*
 * NaNs need not become canonical where only arithmetic sees them.
 *
 * The result of an arithmetic operation is a number or some quiet NaN; any quiet NaN gives the same
 * flags and again some quiet NaN in the next one, compares the same and converts to the same
 * integer (IEEE 754-2019, 6.2.3). A FCANON of such a result whose uses are all of that kind is
 * bypassed. Values from memory or slots may be signalling: their FCANONs stay.
 */
#include <string.h>
#include <tcg/opt.h>

static bool gives_quiet(const struct ir_insn *i)
{
    switch (i->op) {
    case IR_FADD:
    case IR_FSUB:
    case IR_FMUL:
    case IR_FDIV:
    case IR_FSQRT:
    case IR_FMA:
    case IR_F2F: return true;
    default: return false;
    }
}

static bool takes_any_nan(const struct ir_insn *i)
{
    switch (i->op) {
    case IR_FMINNUM:
    case IR_FMAXNUM:
    case IR_FCMP:
    case IR_F2I:
    case IR_FCANON: return true;
    default: return gives_quiet(i);
    }
}

static ir_val bypass(const struct ir *ir, const uint32_t *seen, ir_val v)
{
    return ir->insn[v].op == IR_FCANON && !seen[v] && gives_quiet(ir_def(ir, ir->insn[v].a))
               ? ir->insn[v].a
               : v;
}

void opt_fcanon(struct ir *ir, uint32_t *seen)
{
    bool any = false;
    ir_val v[4];

    memset(seen, 0, ir->count * sizeof(seen[0]));
    for (uint32_t n = 1; n < ir->count; n++) {
        const struct ir_insn *i = &ir->insn[n];
        unsigned count = opt_operands(i, v);

        any |= i->op == IR_FCANON;
        if (takes_any_nan(i))
            continue;
        for (unsigned k = 0; k < count; k++)
            seen[v[k]] = 1;
    }
    if (!any)
        return;
    for (uint32_t n = 1; n < ir->count; n++) {
        struct ir_insn *i = &ir->insn[n];

        if (!takes_any_nan(i))
            continue;
        i->a = bypass(ir, seen, i->a);
        i->b = bypass(ir, seen, i->b);
        i->c = bypass(ir, seen, i->c);
    }
}
