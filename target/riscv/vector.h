/*
 * The vector unit (V 1.0): what its files share.
 *
 * Generated code calls one helper per family of instructions with a descriptor (a constant of the
 * unit), a scalar operand and vl. An elementwise instruction is a row of a table (struct vop)
 * whose kernels, one per SEW, are plain loops over arrays: `d[i] = f(x[i], y[i], z[i])`. The driver
 * in vector-core.c finds the arrays, and deals with masks and vstart around the kernel.
 *
 * Tail and masked-off elements are left undisturbed, which both policies allow (3.4.3).
 */
#ifndef RISCV_VECTOR_H
#define RISCV_VECTOR_H

#include "riscv.h"

/* vector registers of a group of LMUL 8, each of the largest VLEN */
#define VGROUP_BYTES (8 * 1024 / 8)

/* What unit flags say of the vector unit, in UF_VEC. */
enum {
    UFV_SEW_SHIFT = UF_VEC_SHIFT,
    UFV_SEW = 3 << UFV_SEW_SHIFT, /* log2 of bytes */
    UFV_LMUL_SHIFT = UF_VEC_SHIFT + 2,
    UFV_LMUL = 7 << UFV_LMUL_SHIFT, /* as in vtype */
    UFV_AGNOSTIC_SHIFT = UF_VEC_SHIFT + 5,
    UFV_AGNOSTIC = 3 << UFV_AGNOSTIC_SHIFT, /* vta, vma */
    UFV_ILL = 1 << (UF_VEC_SHIFT + 7),
    UFV_VSTART = 1 << (UF_VEC_SHIFT + 8), /* vstart is not 0 */
};
#define UFV_VTYPE (UFV_SEW | UFV_LMUL | UFV_AGNOSTIC | UFV_ILL)

/* ---- Descriptors ---- */

#define VDESC(name, shift, bits)                        \
    static inline unsigned vdesc_##name(uint64_t desc)  \
    {                                                   \
        return desc >> (shift) & ((1u << (bits)) - 1);  \
    }                                                   \
    static inline uint64_t vdesc_put_##name(unsigned v) \
    {                                                   \
        return (uint64_t)v << (shift);                  \
    }
VDESC(vd, 0, 5)
VDESC(vs1, 5, 5)
VDESC(vs2, 10, 5)
VDESC(vm, 15, 1)   /* 1: not masked */
VDESC(sew, 16, 2)  /* log2 of bytes */
VDESC(lmul, 18, 3) /* as in vtype */
VDESC(rm, 21, 3)   /* enum fp_round */
VDESC(f3, 24, 3)   /* enum vform */
VDESC(op, 27, 9)   /* number of a row, or a family's own */
VDESC(mode, 36, 4) /* MMU mode of memory accesses */
VDESC(nf, 40, 4)   /* fields of a segment, registers of a whole-register access */
VDESC(eew, 44, 2)  /* log2 of the bytes of a memory element, or of an index */
VDESC(mem, 46, 3)  /* enum vmem */
VDESC(store, 49, 1)
VDESC(step, 50, 2) /* log2 of the registers from one field of a segment to the next */
#undef VDESC

/* funct3: where the second operand comes from. */
enum vform { OPIVV, OPFVV, OPMVV, OPIVI, OPIVX, OPFVF, OPMVX, OPCFG };

/* How a load or store finds its elements. */
enum vmem { VMEM_UNIT, VMEM_STRIDED, VMEM_INDEXED, VMEM_MASK, VMEM_WHOLE };

/* ---- Elementwise instructions ---- */

/* Those of enum fp_flag that are fflags'. */
#define VFP_FLAGS (FP_FLAG_NV | FP_FLAG_DZ | FP_FLAG_OF | FP_FLAG_UF | FP_FLAG_NX)

struct vkernel_args {
    void *d;
    const void *x; /* vs2 */
    const void *y; /* vs1, or the scalar, repeated */
    const void *z; /* old vd; VOP_CARRY: v0, a byte an element */
    unsigned n;
    unsigned vxrm;
    bool sat; /* out: something saturated */
    struct fp_env env;
};
typedef void vkernel(struct vkernel_args *k);

enum vop_flags {
    VOP_UIMM = 1 << 0,  /* the immediate is unsigned */
    VOP_UNARY = 1 << 1, /* vs1 is no operand */
    VOP_FP = 1 << 2,
    VOP_FIXED = 1 << 3, /* may saturate */
    VOP_XINT = 1 << 4,  /* x holds integers though VOP_FP */
    VOP_CMP = 1 << 5,   /* the result is a mask: kernels deliver bytes */
    VOP_CARRY = 1 << 6, /* v0 is an operand, not a mask; without it (vm = 1) zeros */
};

struct vop {
    vkernel *fn[4]; /* by log2 of SEW in bytes; NULL: reserved */
    int8_t dw, xw;  /* d's and x's elements have SEW << dw bits */
    uint8_t f16;    /* bits of those SEW at which half precision is needed */
    uint8_t flags;
};

/* Rows at numbers no funct6 has. */
#define VOP_MV 0x3f /* vmv.v.v, .x, .i */

/* Tables: by funct6, or by the operation's number in vs1. */
enum vop_table { VOPS_I, VOPS_M, VOPS_F, VOPS_EXT, VOPS_FCVT, VOPS_F1, VOPS_COUNT };
extern const struct vop riscv_vops_i[64], riscv_vops_m[64], riscv_vops_f[64];
extern const struct vop riscv_vops_ext[64], riscv_vops_fcvt[64], riscv_vops_f1[64];

/* Row of op number table * 64 + index; NULL: none such. */
const struct vop *riscv_vop(unsigned op);

/* Loops over separate elements may be vectorised: a destination that overlaps a source either is
 * the same element by element, or obeys the rules of 5.2, by which no element is written before it
 * is read. */
#ifdef __clang__
#define VECTOR_LOOP _Pragma("clang loop vectorize(assume_safety)")
#else
#define VECTOR_LOOP _Pragma("GCC ivdep")
#endif

/*
 * Defines kernel @name_@W. The types of d, x, y, z are of U, S (SEW bits), U2, S2 (twice that);
 * @expr makes an element of a (x), b (y), c (z).
 */
#define VKERNEL(name, W, W2, DT, XT, YT, ZT, expr)              \
    static void name##_##W(struct vkernel_args *k)              \
    {                                                           \
        typedef VUINT(W) U;                                     \
        typedef VINT(W) S;                                      \
        typedef VUINT(W2) U2;                                   \
        typedef VINT(W2) S2;                                    \
        enum { BITS = W };                                      \
        DT *d = k->d;                                           \
        const XT *x = k->x;                                     \
        const YT *y = k->y;                                     \
        const ZT *z = k->z;                                     \
        unsigned n = k->n;                                      \
        (void)x, (void)y, (void)z, (void)sizeof(S), (void)BITS; \
        (void)sizeof(U), (void)sizeof(U2), (void)sizeof(S2);    \
        VECTOR_LOOP                                             \
        for (unsigned i = 0; i < n; i++) {                      \
            XT a = x[i];                                        \
            YT b = y[i];                                        \
            ZT c = z[i];                                        \
            (void)a, (void)b, (void)c;                          \
            d[i] = expr;                                        \
        }                                                       \
    }
#define VUINT(W)  VUINT_(W)
#define VUINT_(W) vuint##W##_t
#define VINT(W)   VINT_(W)
#define VINT_(W)  vint##W##_t
typedef uint8_t vuint8_t;
typedef uint16_t vuint16_t;
typedef uint32_t vuint32_t;
typedef uint64_t vuint64_t;
typedef unsigned __int128 vuint128_t;
typedef int8_t vint8_t;
typedef int16_t vint16_t;
typedef int32_t vint32_t;
typedef int64_t vint64_t;
typedef __int128 vint128_t;

/* All four widths; the three that can be widened. */
#define VKERNELS(name, DT, XT, YT, ZT, expr)    \
    VKERNEL(name, 8, 16, DT, XT, YT, ZT, expr)  \
    VKERNEL(name, 16, 32, DT, XT, YT, ZT, expr) \
    VKERNEL(name, 32, 64, DT, XT, YT, ZT, expr) \
    VKERNEL(name, 64, 128, DT, XT, YT, ZT, expr)
#define VKERNELS_WIDE(name, DT, XT, YT, ZT, expr) \
    VKERNEL(name, 8, 16, DT, XT, YT, ZT, expr)    \
    VKERNEL(name, 16, 32, DT, XT, YT, ZT, expr)   \
    VKERNEL(name, 32, 64, DT, XT, YT, ZT, expr)
#define VFN(name)                                 \
    {                                             \
        name##_8, name##_16, name##_32, name##_64 \
    }
#define VFN_WIDE(name)                       \
    {                                        \
        name##_8, name##_16, name##_32, NULL \
    }

/* ---- State ---- */

static inline unsigned vlenb(const struct riscv_cpu *c)
{
    return c->vlen / 8;
}

static inline void *vreg(struct riscv_cpu *c, unsigned n)
{
    return c->v + n * vlenb(c);
}

/* log2 of LMUL from its encoding */
static inline int vlmul_log2(unsigned vlmul)
{
    return (int)(vlmul ^ 4) - 4;
}

/* Elements of a group. @sew: log2 of bytes. */
static inline unsigned vlmax_of(const struct riscv_cpu *c, unsigned sew, unsigned vlmul)
{
    int lmul = vlmul_log2(vlmul);

    return lmul >= 0 ? vlenb(c) << lmul >> sew : vlenb(c) >> -lmul >> sew;
}

static inline bool vmask_bit(const struct riscv_cpu *c, unsigned reg, unsigned i)
{
    return c->v[reg * (c->vlen / 8) + i / 8] >> i % 8 & 1;
}

static inline uint64_t velem_get(const void *base, unsigned log2, unsigned i)
{
    switch (log2) {
    case 0: return ((const uint8_t *)base)[i];
    case 1: return ((const uint16_t *)base)[i];
    case 2: return ((const uint32_t *)base)[i];
    default: return ((const uint64_t *)base)[i];
    }
}

static inline void velem_set(void *base, unsigned log2, unsigned i, uint64_t v)
{
    switch (log2) {
    case 0: ((uint8_t *)base)[i] = v; break;
    case 1: ((uint16_t *)base)[i] = v; break;
    case 2: ((uint32_t *)base)[i] = v; break;
    default: ((uint64_t *)base)[i] = v; break;
    }
}

static inline int64_t velem_sext(uint64_t v, unsigned log2)
{
    return (int64_t)(v << (64 - (8 << log2))) >> (64 - (8 << log2));
}

/* vector-core.c */
/* The first element to work on; vstart is 0 from then on (the instruction is to complete). */
unsigned riscv_vstart_take(struct riscv_cpu *c);
/* A byte an element: 1 where element i is from @start on and, if masked, enabled by v0. */
void riscv_vactive(const struct riscv_cpu *c, uint64_t desc, unsigned start, unsigned n,
                   uint8_t *act);
/* Fills @n elements of 1 << @log2 bytes. */
void riscv_vsplat(void *d, unsigned log2, uint64_t v, unsigned n);
/* d[i] = t[i] where act[i]. */
void riscv_vblend(void *d, const void *t, const uint8_t *act, unsigned log2, unsigned n);
/* Bits of register @vd where act[i] become bytes[i]. */
void riscv_vpack(struct riscv_cpu *c, unsigned vd, const uint8_t *bytes, const uint8_t *act,
                 unsigned n);

/* vector-cfg.c */
/* Writes vtype; vl for @avl. Returns vl. */
uint64_t riscv_vset(struct riscv_cpu *c, uint64_t vtype, uint64_t avl);
bool riscv_vtype_ok(const struct riscv_cpu *c, uint64_t vtype);
/* What unit flags say of a vtype that is not ill. */
static inline uint32_t riscv_vtype_flags(uint64_t vtype)
{
    return (vtype >> 3 & 3) << UFV_SEW_SHIFT | (vtype & 7) << UFV_LMUL_SHIFT |
           (vtype >> 6 & 3) << UFV_AGNOSTIC_SHIFT;
}
/* The vector unit's part of unit flags. */
uint32_t riscv_vector_flags(const struct riscv_cpu *c);

#endif
