/*
 * See rvvmodel.h: loads and stores (7). Which one follows from the instruction's fields.
 */
#include "rvvmodel.h"

struct access {
    bool store, strided, indexed, first_only, whole, mask;
    unsigned nf, bits, index_bits;
    unsigned count; /* elements */
    uint64_t base, stride;
    struct vgroup data, index;
};

static uint64_t x_of(const struct vmodel *m, unsigned n)
{
    return n ? m->x[n] : 0;
}

static bool parse(const struct vmodel *m, const struct vinsn *n, uint32_t insn, struct access *x)
{
    static const uint8_t widths[] = { 8, 0, 0, 0, 0, 16, 32, 64 };
    unsigned mop = insn >> 26 & 3, width = widths[insn >> 12 & 7];
    bool unit = mop == 0;

    *x = (struct access){ .store = insn & 0x20, .strided = mop == 2, .indexed = mop & 1 };
    x->first_only = unit && n->vs2 == 16;
    x->whole = unit && n->vs2 == 8;
    x->mask = unit && n->vs2 == 11;
    x->nf = (insn >> 29) + 1;
    x->base = x_of(m, n->vs1);
    x->stride = x_of(m, n->vs2);
    x->bits = x->indexed ? n->sew : width;
    x->index_bits = width;
    x->count = x->mask ? (m->vl + 7) / 8 : x->whole ? x->nf * m->vlenb * 8 / width : m->vl;
    x->data = (struct vgroup){ n->vd, x->bits, n->eighths * x->bits / n->sew };
    x->index = (struct vgroup){ n->vs2, width, n->eighths * width / n->sew };
    return width;
}

static bool legal(const struct vmodel *m, const struct vinsn *n, const struct access *x)
{
    unsigned regs = x->data.eighths > 8 ? x->data.eighths / 8 : 1;

    if (x->whole)
        return !(x->nf & (x->nf - 1)) && n->vd % x->nf == 0;
    if (m->vtype >> (m->xlen - 1))
        return false;
    if (x->mask)
        return true;
    if (!vmodel_group_ok(&x->data) || x->nf * regs > 8 || n->vd + x->nf * regs > 32)
        return false;
    if (!n->vm && !x->store && !n->vd)
        return false;
    if (!x->indexed)
        return true;
    if (!vmodel_group_ok(&x->index) || x->index_bits > m->xlen)
        return false;
    for (unsigned k = 0; k < x->nf && !x->store && x->nf > 1; k++) { /* 7.8.3 */
        struct vgroup field = { n->vd + k * regs, x->bits, x->data.eighths };
        if (!vmodel_disjoint(&field, &x->index))
            return false;
    }
    return x->store || vmodel_overlap_ok(&x->data, &x->index);
}

static uint64_t address(const struct vmodel *m, const struct vinsn *n, const struct access *x,
                        unsigned i, unsigned field)
{
    uint64_t a = x->base + field * x->bits / 8;

    if (x->strided)
        a += i * x->stride;
    else if (x->indexed)
        a += vmodel_get(m, n->vs2, x->index_bits, i);
    else
        a += (uint64_t)i * (x->whole ? 1 : x->nf) * x->bits / 8;
    return m->xlen == 32 ? (uint32_t)a : a;
}

static bool element(struct vmodel *m, const struct access *x, unsigned reg, unsigned i,
                    uint64_t addr)
{
    uint64_t at = addr - m->ram_base, bytes = x->bits / 8, v = 0;
    uint64_t limit = x->store ? m->writable : m->ram_size;

    if (at >= limit || bytes > limit - at) {
        m->fault_addr = addr;
        m->fault_store = x->store;
        return false;
    }
    if (x->store)
        v = vmodel_get(m, reg, x->bits, i);
    for (unsigned k = 0; k < bytes; k++) {
        if (x->store)
            m->ram[at + k] = v >> 8 * k;
        else
            v |= (uint64_t)m->ram[at + k] << 8 * k;
    }
    if (!x->store)
        vmodel_set(m, reg, x->bits, i, v);
    return true;
}

enum vmodel_end vmodel_memory(struct vmodel *m, struct vinsn *n, uint32_t insn)
{
    struct vmodel old = *m;
    struct access x;
    unsigned regs, fields;

    if (!parse(m, n, insn, &x) || !legal(m, n, &x))
        return VMODEL_ILLEGAL;
    regs = x.mask || x.data.eighths <= 8 ? 1 : x.data.eighths / 8;
    fields = x.whole ? 1 : x.nf;
    for (unsigned i = m->vstart; i < x.count; i++) {
        struct vmodel before = *m;
        if (!vmodel_active(&old, n, i))
            continue;
        for (unsigned k = 0; k < fields; k++) {
            if (element(m, &x, n->vd + k * regs, i, address(&old, n, &x, i, k)))
                continue;
            if (x.first_only && i > 0) { /* 7.7; nothing of the element is loaded */
                *m = before;
                m->vl = i;
                return VMODEL_DONE;
            }
            m->vstart = i;
            return VMODEL_FAULT;
        }
    }
    return VMODEL_DONE;
}
