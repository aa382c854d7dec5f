/*
 * AVX helpers: gathers and masked moves, which access memory only where a mask says so.
 */
#include "fpstate.h"
#include "helper.h"
#include "sys.h"
#include "translate-sse.h"

static struct x86_v128 *half_of(struct x86_cpu *c, unsigned reg, unsigned half)
{
    return half ? &c->ymmh[reg] : &c->xmm[reg];
}

/* Lane @k of @log2size bytes of a 256-bit register. */
static uint64_t lane_get(struct x86_cpu *c, unsigned reg, unsigned log2size, unsigned k)
{
    unsigned bit = k << (log2size + 3);
    uint64_t v = half_of(c, reg, bit / 128)->q[bit % 128 / 64] >> bit % 64;

    return log2size == 2 ? v & UINT32_MAX : v;
}

static void lane_set(struct x86_cpu *c, unsigned reg, unsigned log2size, unsigned k, uint64_t v)
{
    unsigned bit = k << (log2size + 3);
    uint64_t *q = &half_of(c, reg, bit / 128)->q[bit % 128 / 64];

    if (log2size == 3)
        *q = v;
    else
        *q = (*q & ~((uint64_t)UINT32_MAX << bit % 64)) | (v & UINT32_MAX) << bit % 64;
}

static bool lane_masked(struct x86_cpu *c, unsigned reg, unsigned log2size, unsigned k)
{
    return lane_get(c, reg, log2size, k) >> ((8u << log2size) - 1) & 1;
}

/*
 * VPGATHER and VGATHER: an element that was read has its mask cleared at once, so that after a
 * fault the instruction goes on where it was. @base: linear address of offset 0; @offset: the base
 * register's value and displacement.
 */
static void h_avx_gather(struct cpu *cpu, uint64_t word, uint64_t seg_base, uint64_t offset)
{
    struct x86_cpu *c = x86_of(cpu);
    unsigned dst = word >> VM_REG & 15, mask = word >> VM_MASK & 15, index = word >> VM_INDEX & 15;
    unsigned log2size = word >> VM_LOG2 & 3, ilog2 = word >> VM_ILOG2 & 3,
             mode = word >> VM_MODE & 15;
    unsigned bytes = word >> VM_L & 1 ? 32 : 16;
    unsigned count = bytes >> (log2size > ilog2 ? log2size : ilog2);

    for (unsigned k = 0; k < count; k++) {
        uint64_t at = lane_get(c, index, ilog2, k);

        if (!lane_masked(c, mask, log2size, k)) {
            lane_set(c, mask, log2size, k, 0);
            continue;
        }
        at = ilog2 == 2 ? (uint64_t)(int64_t)(int32_t)at : at;
        at = (at << (word >> VM_SCALE & 3)) + offset;
        if (word >> VM_ADDR32 & 1)
            at = (uint32_t)at;
        at = x86_load(c, x86_linear(c, seg_base + at), log2size, mode);
        lane_set(c, dst, log2size, k, at);
        lane_set(c, mask, log2size, k, 0);
    }
    for (unsigned k = count; k < bytes >> log2size; k++)
        lane_set(c, dst, log2size, k, 0);
    if (bytes == 16)
        c->ymmh[dst] = (struct x86_v128){ { 0, 0 } };
    c->ymmh[mask] = (struct x86_v128){ { 0, 0 } };
    c->xmm[mask] = (struct x86_v128){ { 0, 0 } };
}
HELPER_DEFINE(avx_gather, HELPER_ANY, IR_VOID, 3, IR_I64, IR_I64, IR_I64);

/* Where lane @k of the operand at @addr is. */
static uint64_t lane_address(const struct x86_cpu *c, uint64_t word, uint64_t addr, unsigned k)
{
    uint64_t at = addr + (k << (word >> VM_LOG2 & 3));

    return word >> VM_ADDR32 & 1 ? (uint32_t)at
                                 : x86_operand_at(c, addr, k << (word >> VM_LOG2 & 3));
}

/* VMASKMOV and VPMASKMOV from memory: nothing is set before all has been read. */
static void h_avx_mask_load(struct cpu *cpu, uint64_t word, uint64_t addr)
{
    struct x86_cpu *c = x86_of(cpu);
    unsigned dst = word >> VM_REG & 15, mask = word >> VM_MASK & 15, log2size = word >> VM_LOG2 & 3;
    unsigned count = (word >> VM_L & 1 ? 32 : 16) >> log2size;
    uint64_t v[8];

    for (unsigned k = 0; k < count; k++) {
        uint64_t at = lane_address(c, word, addr, k);

        v[k] =
            lane_masked(c, mask, log2size, k) ? x86_load(c, at, log2size, word >> VM_MODE & 15) : 0;
    }
    for (unsigned k = 0; k < count; k++)
        lane_set(c, dst, log2size, k, v[k]);
    if (!(word >> VM_L & 1))
        c->ymmh[dst] = (struct x86_v128){ { 0, 0 } };
}
HELPER_DEFINE(avx_mask_load, HELPER_ANY, IR_VOID, 2, IR_I64, IR_I64);

static void h_avx_mask_store(struct cpu *cpu, uint64_t word, uint64_t addr)
{
    struct x86_cpu *c = x86_of(cpu);
    unsigned src = word >> VM_REG & 15, mask = word >> VM_MASK & 15, log2size = word >> VM_LOG2 & 3;
    unsigned count = (word >> VM_L & 1 ? 32 : 16) >> log2size;

    for (unsigned k = 0; k < count; k++) {
        if (lane_masked(c, mask, log2size, k))
            x86_touch_bytes(c, lane_address(c, word, addr, k), 1u << log2size,
                            word >> VM_MODE & 15);
    }
    for (unsigned k = 0; k < count; k++) {
        if (lane_masked(c, mask, log2size, k))
            x86_store(c, lane_address(c, word, addr, k), log2size, word >> VM_MODE & 15,
                      lane_get(c, src, log2size, k));
    }
}
HELPER_DEFINE(avx_mask_store, HELPER_ANY, IR_VOID, 2, IR_I64, IR_I64);
