/*
 * See rvvmodel.h: permutations (16).
 */
#include <string.h>
#include "rvvmodel.h"

static bool starts(const char *s, const char *with)
{
    return !strncmp(s, with, strlen(with));
}

/* vmv.x.s, vmv.s.x, vfmv.f.s, vfmv.s.f: element 0, whatever LMUL is */
static bool scalar_move(struct vmodel *m, struct vinsn *n, enum vmodel_end *end)
{
    bool fp = n->base[1] == 'f';
    uint64_t v;

    if (!starts(n->name, "vmv.x.s") && !starts(n->name, "vmv.s.x") &&
        !starts(n->name, "vfmv.f.s") && !starts(n->name, "vfmv.s.f"))
        return false;
    *end = VMODEL_ILLEGAL;
    if (fp && !vmodel_fp_ok(m, n->sew))
        return true;
    *end = VMODEL_DONE;
    if (n->suffix[0] == 's') {
        if (m->vstart < m->vl)
            vmodel_set(m, n->vd, n->sew, 0, vmodel_scalar(m, n, n->sew));
        return true;
    }
    v = vmodel_get(m, n->vs2, n->sew, 0);
    if (fp)
        m->f[n->vd] = n->sew == 64 ? v : v | ~0ULL << n->sew;
    else if (n->vd)
        m->x[n->vd] = v >> (n->sew - 1) && n->sew < 64 ? v | ~0ULL << n->sew : v;
    if (m->xlen == 32)
        m->x[n->vd] = (uint32_t)m->x[n->vd];
    return true;
}

/* vmv<nr>r.v: nr * VLEN / SEW elements */
static bool whole_move(struct vmodel *m, struct vinsn *n, enum vmodel_end *end)
{
    unsigned nr = n->base[3] - '0';
    struct vmodel old = *m;

    if (strlen(n->base) != 5 || !starts(n->base, "vmv") || n->base[4] != 'r')
        return false;
    *end = n->vd % nr || n->vs2 % nr ? VMODEL_ILLEGAL : VMODEL_DONE;
    if (*end == VMODEL_DONE)
        for (unsigned i = m->vstart; i < nr * m->vlenb * 8 / n->sew; i++)
            vmodel_set(m, n->vd, n->sew, i, vmodel_get(&old, n->vs2, n->sew, i));
    return true;
}

static uint64_t unsigned_scalar(const struct vmodel *m, const struct vinsn *n)
{
    return n->suffix[1] == 'i' ? n->vs1 : n->vs1 ? m->x[n->vs1] : 0;
}

/* 16.3: what goes to element i; false: it keeps its value */
static bool slide(const struct vmodel *old, const struct vinsn *n, unsigned i, uint64_t *r)
{
    bool up = strstr(n->base, "up"), by_one = strstr(n->base, "slide1");
    uint64_t offset = by_one ? 1 : unsigned_scalar(old, n);
    uint64_t scalar = by_one ? vmodel_scalar(old, n, n->sew) : 0;

    if (up && i < offset) {
        *r = scalar;
        return by_one;
    }
    if (by_one && !up && i == old->vl - 1) {
        *r = scalar;
        return true;
    }
    if (up)
        *r = vmodel_get(old, n->vs2, n->sew, i - offset);
    else if (offset < vmodel_vlmax(old, n) && i + offset < vmodel_vlmax(old, n))
        *r = vmodel_get(old, n->vs2, n->sew, i + offset);
    else
        *r = 0;
    return true;
}

static uint64_t gather(const struct vmodel *old, const struct vinsn *n, unsigned i,
                       unsigned index_bits)
{
    uint64_t k =
        n->suffix[1] == 'v' ? vmodel_get(old, n->vs1, index_bits, i) : unsigned_scalar(old, n);

    return k < vmodel_vlmax(old, n) ? vmodel_get(old, n->vs2, n->sew, k) : 0;
}

static void compress(struct vmodel *m, const struct vinsn *n)
{
    struct vmodel old = *m;
    unsigned k = 0;

    for (unsigned i = 0; i < m->vl; i++)
        if (vmodel_mask(&old, n->vs1, i))
            vmodel_set(m, n->vd, n->sew, k++, vmodel_get(&old, n->vs2, n->sew, i));
}

bool vmodel_perm(struct vmodel *m, struct vinsn *n, enum vmodel_end *end)
{
    unsigned index_bits = strcmp(n->base, "vrgatherei16") ? n->sew : 16;
    struct vgroup d = { n->vd, n->sew, n->eighths }, a = { n->vs2, n->sew, n->eighths };
    struct vgroup index = { n->vs1, index_bits, n->eighths * index_bits / n->sew };
    struct vgroup mask = { n->vs1, 1, 8 };
    bool is_slide = starts(n->base, "vslide") || starts(n->base, "vfslide");
    bool is_gather = starts(n->base, "vrgather"), is_compress = starts(n->base, "vcompress");
    struct vmodel old = *m;

    if (scalar_move(m, n, end) || whole_move(m, n, end))
        return true;
    if (!is_slide && !is_gather && !is_compress)
        return false;
    *end = VMODEL_ILLEGAL;
    if (!vmodel_group_ok(&d) || !vmodel_group_ok(&a) || (!n->vm && !n->vd))
        return true;
    if (!strstr(n->base, "down") && !vmodel_disjoint(&d, &a))
        return true;
    if (is_gather && n->suffix[1] == 'v' &&
        (!vmodel_group_ok(&index) || !vmodel_disjoint(&d, &index)))
        return true;
    if (is_compress && (m->vstart || !vmodel_disjoint(&d, &mask)))
        return true;
    if (n->base[1] == 'f' && !vmodel_fp_ok(m, n->sew))
        return true;
    *end = VMODEL_DONE;
    if (is_compress) {
        compress(m, n);
        return true;
    }
    for (unsigned i = m->vstart; i < m->vl; i++) {
        uint64_t r;
        if (!vmodel_active(&old, n, i))
            continue;
        if (is_gather)
            vmodel_set(m, n->vd, n->sew, i, gather(&old, n, i, index_bits));
        else if (slide(&old, n, i, &r))
            vmodel_set(m, n->vd, n->sew, i, r);
    }
    return true;
}
