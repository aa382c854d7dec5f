/*
 * The way into the evaluator: picks the operation's function, gives floating point the rules of
 * SSE.
 */
#include "vec.h"

static vec_fn *const table[IR_NB_VOPS] = {
#define VOP(name, text, shape, lanes, props) [IR_V_##name] = vec_##name,
#include <tcg/ir_vops.def>
#undef VOP
};

static void take(union vec *v, const uint64_t *from, unsigned kind)
{
    if (kind != IR_VK_NONE)
        memcpy(v, from, kind == IR_VK_V ? 16 : 8);
}

void ir_vop_eval(struct fp_env *fp, enum ir_vop vop, unsigned lane, unsigned imm, uint64_t *d,
                 const uint64_t *a, const uint64_t *b, const uint64_t *c)
{
    unsigned shape = ir_vop_info[vop].shape;
    bool scalar = lane & IR_LANE_SCALAR;
    struct vec_op o = { .lane = lane & 0xff, .scalar = scalar, .imm = imm };
    struct fp_env env = { .nan = FP_NAN_X86, .toint = FP_TOINT_X86, .default_nan_sign = true };
    union vec r = { .q = { 0 } };

    take(&o.a, a, shape >> 4 & 15);
    take(&o.b, b, scalar ? IR_VK_V : shape >> 8 & 15);
    take(&o.c, c, shape >> 12 & 15);
    if (ir_vop_info[vop].props & IR_VP_F) {
        env.round = fp->round;
        env.flush = fp->flush;
        env.denormals_are_zero = fp->denormals_are_zero;
        o.fp = &env;
    }
    table[vop](&o, &r);
    if (o.fp)
        fp->flags |= env.flags;
    memcpy(d, &r, (shape & 15) == IR_VK_V ? 16 : 8);
}
