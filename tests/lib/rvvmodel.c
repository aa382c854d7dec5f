/*
 * See rvvmodel.h: state, groups of registers, and which kind an instruction is.
 */
#include <string.h>
#include "rvvmodel.h"

uint64_t vmodel_get(const struct vmodel *m, unsigned reg, unsigned bits, unsigned i)
{
    uint64_t v = 0;

    for (unsigned k = 0; k < bits / 8; k++)
        v |= (uint64_t)m->v[reg * m->vlenb + i * (bits / 8) + k] << 8 * k;
    return v;
}

void vmodel_set(struct vmodel *m, unsigned reg, unsigned bits, unsigned i, uint64_t val)
{
    for (unsigned k = 0; k < bits / 8; k++)
        m->v[reg * m->vlenb + i * (bits / 8) + k] = val >> 8 * k;
}

bool vmodel_mask(const struct vmodel *m, unsigned reg, unsigned i)
{
    return m->v[reg * m->vlenb + i / 8] >> i % 8 & 1;
}

void vmodel_set_mask(struct vmodel *m, unsigned reg, unsigned i, bool val)
{
    uint8_t *byte = &m->v[reg * m->vlenb + i / 8];

    *byte = (*byte & ~(1u << i % 8)) | (unsigned)val << i % 8;
}

bool vmodel_active(const struct vmodel *m, const struct vinsn *n, unsigned i)
{
    return n->vm || vmodel_mask(m, 0, i);
}

unsigned vmodel_vlmax(const struct vmodel *m, const struct vinsn *n)
{
    return m->vlenb * 8 * n->eighths / 8 / n->sew;
}

/* ---- Groups ---- */

static unsigned size(const struct vgroup *g)
{
    return g->eighths > 8 ? g->eighths / 8 : 1;
}

/* 3.4.2, 5.2: EMUL from 1/8 to 8, the first register a multiple of it. */
bool vmodel_group_ok(const struct vgroup *g)
{
    if (g->bits == 1)
        return true;
    return g->bits >= 8 && g->bits <= 64 && g->eighths >= 1 && g->eighths <= 64 &&
           g->reg % size(g) == 0;
}

bool vmodel_disjoint(const struct vgroup *a, const struct vgroup *b)
{
    for (unsigned i = 0; i < size(a); i++)
        for (unsigned j = 0; j < size(b); j++)
            if (a->reg + i == b->reg + j)
                return false;
    return true;
}

bool vmodel_overlap_ok(const struct vgroup *d, const struct vgroup *s)
{
    if (vmodel_disjoint(d, s) || d->bits == s->bits)
        return true;
    if (d->bits < s->bits) /* in the lowest-numbered part of the source */
        return d->reg == s->reg;
    /* in the highest-numbered part of the destination, and the source's EMUL is at least 1 */
    return s->eighths >= 8 && d->reg + size(d) - size(s) == s->reg;
}

/* ---- Configuration (6) ---- */

static uint64_t vill(const struct vmodel *m)
{
    return 1ULL << (m->xlen - 1);
}

static unsigned lmul_eighths(uint64_t vtype)
{
    static const uint8_t eighths[] = { 8, 16, 32, 64, 0, 1, 2, 4 };

    return eighths[vtype & 7];
}

static void set_vtype(struct vmodel *m, uint64_t vtype, uint64_t avl)
{
    unsigned sew = 8u << (vtype >> 3 & 7), eighths = lmul_eighths(vtype);

    m->vstart = 0;
    /* 3.4.2: SEW up to ELEN, with a fractional LMUL up to LMUL * ELEN */
    if (vtype >> 8 || !eighths || sew > 64 || (eighths < 8 && sew > 64 * eighths / 8)) {
        m->vtype = vill(m);
        m->vl = 0;
        return;
    }
    m->vtype = vtype;
    m->vl = m->vlenb * eighths / sew;
    if (avl < m->vl)
        m->vl = avl;
}

static void configure(struct vmodel *m, const char *name, uint32_t insn)
{
    unsigned rd = insn >> 7 & 31, rs1 = insn >> 15 & 31;
    uint64_t avl, vtype;

    if (!strcmp(name, "vsetivli")) {
        vtype = insn >> 20 & 0x3ff;
        avl = rs1;
    } else {
        vtype = strcmp(name, "vsetvl") ? insn >> 20 & 0x7ff : m->x[insn >> 20 & 31];
        avl = rs1 ? m->x[rs1] : rd ? UINT64_MAX : m->vl;
    }
    set_vtype(m, vtype, avl);
    if (rd)
        m->x[rd] = m->vl;
}

/* ---- Whole instructions ---- */

static void parse(struct vinsn *n, const struct vmodel *m, const char *name, uint32_t insn)
{
    const char *dot = strchr(name, '.');
    size_t len = dot ? (size_t)(dot - name) : strlen(name);

    memset(n, 0, sizeof(*n));
    n->name = name;
    memcpy(n->base, name, len < sizeof(n->base) - 1 ? len : sizeof(n->base) - 1);
    n->suffix = dot ? dot + 1 : "";
    n->vd = insn >> 7 & 31;
    n->vs1 = insn >> 15 & 31;
    n->vs2 = insn >> 20 & 31;
    n->vm = insn >> 25 & 1;
    n->imm = n->vs1 >= 16 ? (int)n->vs1 - 32 : (int)n->vs1;
    n->sew = 8u << (m->vtype >> 3 & 3);
    n->eighths = lmul_eighths(m->vtype);
}

enum vmodel_end vmodel_run(struct vmodel *m, const char *name, uint32_t insn)
{
    struct vinsn n;
    enum vmodel_end end;

    parse(&n, m, name, insn);
    if (!strncmp(name, "vset", 4)) {
        configure(m, name, insn);
        return VMODEL_DONE;
    }
    if ((insn & 0x7f) != 0x57)
        end = vmodel_memory(m, &n, insn);
    else if (m->vtype & vill(m))
        end = VMODEL_ILLEGAL;
    else if (!vmodel_perm(m, &n, &end))
        end = vmodel_op(m, &n);
    if (end == VMODEL_DONE)
        m->vstart = 0;
    return end;
}
