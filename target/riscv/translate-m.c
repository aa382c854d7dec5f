/*
 * M and Zmmul (unprivileged architecture 12).
 */
#include "translate.h"
#include "m.inc"

static bool binary(struct trans *t, const struct args *a, enum ir_op op)
{
    rv_set(t, a->rd, ir_binary(t->ir, op, rv_get(t, a->rs1), rv_get(t, a->rs2)));
    return true;
}

static bool binary_w(struct trans *t, const struct args *a, enum ir_op op)
{
    rv_set32(t, a->rd, ir_binary(t->ir, op, rv_get32(t, a->rs1), rv_get32(t, a->rs2)));
    return true;
}

#define HANDLER(name, how, op)                                   \
    static bool tr_##name(struct trans *t, const struct args *a) \
    {                                                            \
        return how(t, a, IR_##op);                               \
    }
HANDLER(mul, binary, MUL)
HANDLER(mulh, binary, MULHS)
HANDLER(mulhsu, binary, MULHSU)
HANDLER(mulhu, binary, MULHU)
HANDLER(div, binary, DIVS)
HANDLER(divu, binary, DIVU)
HANDLER(rem, binary, REMS)
HANDLER(remu, binary, REMU)
HANDLER(mulw, binary_w, MUL)
HANDLER(divw, binary_w, DIVS)
HANDLER(divuw, binary_w, DIVU)
HANDLER(remw, binary_w, REMS)
HANDLER(remuw, binary_w, REMU)
