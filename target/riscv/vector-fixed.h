/*
 * Vectors: rows of the fixed-point instructions, as parts of the tables in vector-int.c.
 */
#ifndef RISCV_VECTOR_FIXED_H
#define RISCV_VECTOR_FIXED_H

#include "vector.h"

#define FIXED_ROW(name, flags)                                        \
    {                                                                 \
        { name##_8, name##_16, name##_32, name##_64 }, 0, 0, 0, flags \
    }
#define FIXED_ROW_NARROW(name)                                                  \
    {                                                                           \
        { name##_8, name##_16, name##_32, NULL }, 0, 1, 0, VOP_UIMM | VOP_FIXED \
    }

#define FIXED_ROWS_I                                                                         \
    [0x20] = FIXED_ROW(riscv_vsaddu, VOP_FIXED), [0x21] = FIXED_ROW(riscv_vsadd, VOP_FIXED), \
    [0x22] = FIXED_ROW(riscv_vssubu, VOP_FIXED), [0x23] = FIXED_ROW(riscv_vssub, VOP_FIXED), \
    [0x27] = FIXED_ROW(riscv_vsmul, VOP_FIXED), [0x2a] = FIXED_ROW(riscv_vssrl, VOP_UIMM),   \
    [0x2b] = FIXED_ROW(riscv_vssra, VOP_UIMM), [0x2e] = FIXED_ROW_NARROW(riscv_vnclipu),     \
    [0x2f] = FIXED_ROW_NARROW(riscv_vnclip),

#define FIXED_ROWS_M                                                         \
    [0x08] = FIXED_ROW(riscv_vaaddu, 0), [0x09] = FIXED_ROW(riscv_vaadd, 0), \
    [0x0a] = FIXED_ROW(riscv_vasubu, 0), [0x0b] = FIXED_ROW(riscv_vasub, 0),

#define FIXED_KERNELS(name) extern vkernel name##_8, name##_16, name##_32, name##_64;
FIXED_KERNELS(riscv_vsaddu)
FIXED_KERNELS(riscv_vsadd)
FIXED_KERNELS(riscv_vssubu)
FIXED_KERNELS(riscv_vssub)
FIXED_KERNELS(riscv_vsmul)
FIXED_KERNELS(riscv_vssrl)
FIXED_KERNELS(riscv_vssra)
FIXED_KERNELS(riscv_vaaddu)
FIXED_KERNELS(riscv_vaadd)
FIXED_KERNELS(riscv_vasubu)
FIXED_KERNELS(riscv_vasub)
extern vkernel riscv_vnclipu_8, riscv_vnclipu_16, riscv_vnclipu_32;
extern vkernel riscv_vnclip_8, riscv_vnclip_16, riscv_vnclip_32;
#undef FIXED_KERNELS

#endif
