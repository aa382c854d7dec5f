/*
 * What a vector instruction does, written down from the specification's sentences (V 1.0, the
 * sections cited), one element after the other and without a thought for speed. It knows nothing of
 * target/riscv: instructions are told by their names. Values of floating point are tcg/softfp's.
 *
 *     struct vmodel m = { .vlenb = 16, ... };
 *     switch (vmodel_run(&m, "vadd.vv", insn)) ...
 */
#ifndef TESTS_RVVMODEL_H
#define TESTS_RVVMODEL_H

#include <stdbool.h>
#include <stdint.h>

enum vmodel_end { VMODEL_DONE, VMODEL_ILLEGAL, VMODEL_FAULT };

struct vmodel {
    unsigned vlenb, xlen;
    bool half;           /* Zvfh */
    uint8_t v[32 * 128]; /* register n at n * vlenb */
    uint64_t x[32], f[32];
    uint64_t vl, vstart, vtype, vxrm, vxsat, fflags, frm;
    uint8_t *ram;
    uint64_t ram_base, ram_size, writable; /* bytes there, bytes that may be stored to */
    uint64_t fault_addr;
    bool fault_store;
};

enum vmodel_end vmodel_run(struct vmodel *m, const char *name, uint32_t insn);

/* ---- Between the model's files ---- */

struct vinsn {
    const char *name;
    char base[24];      /* up to the first dot */
    const char *suffix; /* behind it */
    unsigned vd, vs1, vs2;
    bool vm;
    int imm;               /* signed */
    unsigned sew, eighths; /* bits; LMUL * 8 */
};

/* A group of registers that an operand takes; bits 1: a mask. */
struct vgroup {
    unsigned reg, bits, eighths;
};

uint64_t vmodel_get(const struct vmodel *m, unsigned reg, unsigned bits, unsigned i);
void vmodel_set(struct vmodel *m, unsigned reg, unsigned bits, unsigned i, uint64_t val);
bool vmodel_mask(const struct vmodel *m, unsigned reg, unsigned i);
void vmodel_set_mask(struct vmodel *m, unsigned reg, unsigned i, bool val);
bool vmodel_active(const struct vmodel *m, const struct vinsn *n, unsigned i);
unsigned vmodel_vlmax(const struct vmodel *m, const struct vinsn *n);
bool vmodel_group_ok(const struct vgroup *g);
/* 5.2: @d may overlap @s in this way. */
bool vmodel_overlap_ok(const struct vgroup *d, const struct vgroup *s);
bool vmodel_disjoint(const struct vgroup *a, const struct vgroup *b);

/* rvvmodel-mem.c */
enum vmodel_end vmodel_memory(struct vmodel *m, struct vinsn *n, uint32_t insn);
/* rvvmodel-perm.c */
bool vmodel_perm(struct vmodel *m, struct vinsn *n, enum vmodel_end *end);
/* rvvmodel-op.c */
enum vmodel_end vmodel_op(struct vmodel *m, struct vinsn *n);
/* The scalar operand by the last letter of the suffix, for elements of @bits. */
uint64_t vmodel_scalar(const struct vmodel *m, const struct vinsn *n, unsigned bits);
bool vmodel_fp_ok(const struct vmodel *m, unsigned bits);
/* rvvmodel-value.c: one element. @bits: SEW. a = vs2, b = vs1 or scalar, c = vd. False: there is no
 * such instruction for SEW. */
bool vmodel_int(struct vmodel *m, const char *op, unsigned bits, uint64_t a, uint64_t b, uint64_t c,
                bool carry, uint64_t *r);
bool vmodel_float(struct vmodel *m, const char *op, unsigned bits, uint64_t a, uint64_t b,
                  uint64_t c, uint64_t *r);
/* Operands of SEW bits, or a twice as wide; the result is twice as wide. */
bool vmodel_float_wide(struct vmodel *m, const char *op, unsigned bits, bool a_is_wide, uint64_t a,
                       uint64_t b, uint64_t c, uint64_t *r);
bool vmodel_convert(struct vmodel *m, const char *name, unsigned from, unsigned to, uint64_t a,
                    uint64_t *r);

#endif
