/*
 * See rvvmodel.h: elementwise instructions, reductions, operations on masks.
 */
#include <string.h>
#include "rvvmodel.h"

static bool starts(const char *s, const char *with)
{
    return !strncmp(s, with, strlen(with));
}

static bool is_one_of(const char *s, const char *list)
{
    const char *at = list;
    size_t len = strlen(s);

    while ((at = strstr(at, s))) {
        if ((at == list || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
            return true;
        at += len;
    }
    return false;
}

static uint64_t cut(uint64_t v, unsigned bits)
{
    return bits == 64 ? v : v & ((1ULL << bits) - 1);
}

uint64_t vmodel_scalar(const struct vmodel *m, const struct vinsn *n, unsigned bits)
{
    static const char unsigned_imm[] = "vsll vsrl vsra vnsrl vnsra vssrl vssra vnclipu vnclip";
    uint64_t v;

    switch (n->suffix[strlen(n->suffix) - 1] == 'm' ? n->suffix[strlen(n->suffix) - 2]
                                                    : n->suffix[strlen(n->suffix) - 1]) {
    case 'i': return cut(is_one_of(n->base, unsigned_imm) ? n->vs1 : (uint64_t)n->imm, bits);
    case 'x':
        v = n->vs1 ? m->x[n->vs1] : 0;
        return cut(m->xlen == 32 ? (uint64_t)(int32_t)v : v, bits);
    default: /* 'f': 13.1, NaN unless boxed */
        v = m->f[n->vs1];
        if (bits == 64 || v >> bits == ~0ULL >> bits)
            return cut(v, bits);
        return bits == 32 ? 0x7fc00000 : 0x7e00;
    }
}

bool vmodel_fp_ok(const struct vmodel *m, unsigned bits)
{
    return bits == 64 || bits == 32 || (bits == 16 && m->half);
}

/* ---- Elementwise ---- */

struct shape {
    unsigned d, a; /* bits of elements of vd, vs2 */
    bool has_a, has_b, carry, fp;
};

static bool is_conversion(const struct vinsn *n)
{
    return is_one_of(n->base, "vfcvt vfwcvt vfncvt");
}

static bool conversion_ok(const struct vmodel *m, const struct vinsn *n, const struct shape *s)
{
    bool to_float = strstr(n->name, ".f.x") || strstr(n->name, ".f.f");
    bool from_float = !strstr(n->name, ".f.x");

    return (!to_float || vmodel_fp_ok(m, s->d)) && (!from_float || vmodel_fp_ok(m, s->a));
}

static struct shape shape_of(const struct vinsn *n)
{
    struct shape s = { n->sew, n->sew, true, true, false, false };
    char last = n->suffix[0] ? n->suffix[1] : 0;

    s.fp = starts(n->base, "vf") || starts(n->base, "vmf");
    s.carry = is_one_of(n->base, "vadc vmadc vsbc vmsbc vmerge vfmerge");
    if (is_conversion(n)) {
        s.d = n->base[2] == 'w' ? 2 * n->sew : n->sew;
        s.a = n->base[2] == 'n' ? 2 * n->sew : n->sew;
        s.has_b = false;
        return s;
    }
    if (is_one_of(n->base, "vzext vsext")) {
        s.a = n->sew / (unsigned)(n->suffix[2] - '0');
        s.has_b = false;
        return s;
    }
    if (starts(n->base, "vw") || starts(n->base, "vfw"))
        s.d = 2 * n->sew;
    if (n->suffix[0] == 'w')
        s.a = 2 * n->sew;
    if (starts(n->base, "vms") || starts(n->base, "vmf") || starts(n->base, "vmadc"))
        s.d = 1;
    if (is_one_of(n->base, "vmv vfmv"))
        s.has_a = false;
    s.has_b = last == 'v' || (!s.has_a && n->suffix[2] == 'v');
    if (is_one_of(n->base, "vfsqrt vfrsqrt7 vfrec7 vfclass"))
        s.has_b = false;
    return s;
}

static bool shape_ok(const struct vmodel *m, const struct vinsn *n, const struct shape *s)
{
    struct vgroup d = { n->vd, s->d, s->d == 1 ? 8 : n->eighths * s->d / n->sew };
    struct vgroup a = { n->vs2, s->a, n->eighths * s->a / n->sew };
    struct vgroup b = { n->vs1, n->sew, n->eighths };

    if (s->a < 8 || !vmodel_group_ok(&d))
        return false;
    if (s->has_a && (!vmodel_group_ok(&a) || !vmodel_overlap_ok(&d, &a)))
        return false;
    if (s->has_b && (!vmodel_group_ok(&b) || !vmodel_overlap_ok(&d, &b)))
        return false;
    if (!n->vm && s->d != 1 && n->vd == 0) /* 5.3, and 11.4, 11.15 */
        return false;
    if (is_conversion(n))
        return conversion_ok(m, n, s);
    return !s->fp || vmodel_fp_ok(m, n->sew);
}

static bool one(struct vmodel *m, const struct vinsn *n, const struct shape *s, uint64_t a,
                uint64_t b, uint64_t c, bool carry, uint64_t *r)
{
    bool wide_a = s->a > n->sew;

    if (is_conversion(n))
        return vmodel_convert(m, n->name, s->a, s->d, a, r);
    if (is_one_of(n->base, "vzext vsext")) {
        bool minus = n->base[1] == 's' && a >> (s->a - 1) & 1;
        *r = minus ? a - (1ULL << s->a) : a;
        return true;
    }
    if (is_one_of(n->base, "vfmerge vfmv"))
        return vmodel_int(m, s->carry ? "vmerge" : "vmv", n->sew, a, b, c, carry, r);
    if (starts(n->base, "vfw"))
        return vmodel_float_wide(m, n->base, n->sew, wide_a, a, b, c, r);
    if (s->fp)
        return vmodel_float(m, n->base, n->sew, a, b, c, r);
    return vmodel_int(m, n->base, n->sew, a, b, c, starts(n->base, "vw") ? wide_a : carry, r);
}

static enum vmodel_end elementwise(struct vmodel *m, struct vinsn *n)
{
    struct shape s = shape_of(n);
    struct vmodel old = *m;

    if (!shape_ok(m, n, &s))
        return VMODEL_ILLEGAL;
    for (unsigned i = m->vstart; i < m->vl; i++) {
        uint64_t a, b = 0, c, r = 0;
        if (!s.carry && !vmodel_active(&old, n, i))
            continue;
        a = vmodel_get(&old, n->vs2, s.a, i);
        c = s.d == 1 ? 0 : vmodel_get(&old, n->vd, s.d, i);
        if (s.has_b)
            b = vmodel_get(&old, n->vs1, n->sew, i);
        else if (!is_conversion(n) && !is_one_of(n->base, "vzext vsext") && n->suffix[1])
            b = vmodel_scalar(&old, n, n->sew);
        if (!one(m, n, &s, a, b, c, !n->vm && vmodel_mask(&old, 0, i), &r))
            return VMODEL_ILLEGAL;
        if (s.d == 1)
            vmodel_set_mask(m, n->vd, i, r);
        else
            vmodel_set(m, n->vd, s.d, i, r);
    }
    return VMODEL_DONE;
}

/* ---- Reductions (14) ---- */

static const char *step_of(const char *base)
{
    if (starts(base, "vf"))
        return strstr(base, "sum") ? "vfadd" : strstr(base, "min") ? "vfmin" : "vfmax";
    if (starts(base, "vw"))
        return "vadd";
    return !strcmp(base + 4, "sum")    ? "vadd"
           : !strcmp(base + 4, "and")  ? "vand"
           : !strcmp(base + 4, "or")   ? "vor"
           : !strcmp(base + 4, "xor")  ? "vxor"
           : !strcmp(base + 4, "minu") ? "vminu"
           : !strcmp(base + 4, "min")  ? "vmin"
           : !strcmp(base + 4, "maxu") ? "vmaxu"
                                       : "vmax";
}

static enum vmodel_end reduction(struct vmodel *m, struct vinsn *n)
{
    struct vgroup a = { n->vs2, n->sew, n->eighths };
    bool fp = starts(n->base, "vf"), wide = starts(n->base, "vw") || starts(n->base, "vfw");
    unsigned bits = wide ? 2 * n->sew : n->sew;
    uint64_t sum;

    if (m->vstart || bits > 64 || !vmodel_group_ok(&a) || (fp && !vmodel_fp_ok(m, n->sew)))
        return VMODEL_ILLEGAL;
    if (!m->vl)
        return VMODEL_DONE;
    sum = vmodel_get(m, n->vs1, bits, 0);
    for (unsigned i = 0; i < m->vl; i++) {
        uint64_t e = vmodel_get(m, n->vs2, n->sew, i);
        if (!vmodel_active(m, n, i))
            continue;
        if (wide && fp)
            vmodel_convert(m, "vfwcvt.f.f.v", n->sew, bits, e, &e);
        else if (wide && !strcmp(n->base, "vwredsum") && e >> (n->sew - 1))
            e -= 1ULL << n->sew;
        e = cut(e, bits);
        if (fp)
            vmodel_float(m, step_of(n->base), bits, sum, e, 0, &sum);
        else
            vmodel_int(m, step_of(n->base), bits, sum, e, 0, false, &sum);
        sum = cut(sum, bits);
    }
    vmodel_set(m, n->vd, bits, 0, sum);
    return VMODEL_DONE;
}

/* ---- Masks (15) ---- */

static bool logical(const char *op, bool a, bool b)
{
    if (!strcmp(op, "vmand"))
        return a && b;
    if (!strcmp(op, "vmnand"))
        return !(a && b);
    if (!strcmp(op, "vmandn"))
        return a && !b;
    if (!strcmp(op, "vmxor"))
        return a != b;
    if (!strcmp(op, "vmor"))
        return a || b;
    if (!strcmp(op, "vmnor"))
        return !(a || b);
    if (!strcmp(op, "vmorn"))
        return a || !b;
    return a == b;
}

static void mask_to_x(struct vmodel *m, const struct vinsn *n)
{
    uint64_t count = 0, first = -1;

    for (unsigned i = 0; i < m->vl; i++) {
        if (!vmodel_active(m, n, i) || !vmodel_mask(m, n->vs2, i))
            continue;
        if (!count++)
            first = i;
    }
    if (n->vd)
        m->x[n->vd] = n->base[1] == 'c' ? count : m->xlen == 32 ? (uint32_t)first : first;
}

static void set_first(struct vmodel *m, const struct vinsn *n)
{
    struct vmodel old = *m;
    bool seen = false;

    for (unsigned i = 0; i < m->vl; i++) {
        bool here;
        if (!vmodel_active(&old, n, i))
            continue;
        here = !seen && vmodel_mask(&old, n->vs2, i);
        vmodel_set_mask(m, n->vd, i,
                        n->base[3] == 'o' ? here : !seen && (!here || n->base[3] == 'i'));
        seen |= here;
    }
}

static void iota(struct vmodel *m, const struct vinsn *n)
{
    struct vmodel old = *m;
    uint64_t count = 0;

    for (unsigned i = 0; i < m->vl; i++) {
        if (!vmodel_active(&old, n, i))
            continue;
        vmodel_set(m, n->vd, n->sew, i, count);
        count += vmodel_mask(&old, n->vs2, i);
    }
}

static enum vmodel_end mask_op(struct vmodel *m, struct vinsn *n)
{
    struct vgroup d = { n->vd, 1, 8 }, mask = { n->vs2, 1, 8 };
    struct vmodel old = *m;

    if (!strcmp(n->suffix, "mm")) {
        for (unsigned i = m->vstart; i < m->vl; i++)
            vmodel_set_mask(
                m, n->vd, i,
                logical(n->base, vmodel_mask(&old, n->vs2, i), vmodel_mask(&old, n->vs1, i)));
        return VMODEL_DONE;
    }
    if (!strcmp(n->base, "vid")) {
        struct vgroup ids = { n->vd, n->sew, n->eighths };
        if (!vmodel_group_ok(&ids) || (!n->vm && !n->vd))
            return VMODEL_ILLEGAL;
        for (unsigned i = m->vstart; i < m->vl; i++)
            if (vmodel_active(&old, n, i))
                vmodel_set(m, n->vd, n->sew, i, i);
        return VMODEL_DONE;
    }
    if (m->vstart)
        return VMODEL_ILLEGAL;
    if (is_one_of(n->base, "vcpop vfirst")) {
        mask_to_x(m, n);
        return VMODEL_DONE;
    }
    if (!strcmp(n->base, "viota"))
        d = (struct vgroup){ n->vd, n->sew, n->eighths };
    if (!vmodel_group_ok(&d) || !vmodel_disjoint(&d, &mask) || (!n->vm && !n->vd))
        return VMODEL_ILLEGAL;
    if (!strcmp(n->base, "viota"))
        iota(m, n);
    else
        set_first(m, n);
    return VMODEL_DONE;
}

enum vmodel_end vmodel_op(struct vmodel *m, struct vinsn *n)
{
    if (!strcmp(n->suffix, "vs"))
        return reduction(m, n);
    if (!strcmp(n->suffix, "mm") || is_one_of(n->base, "vid viota vcpop vfirst vmsbf vmsof vmsif"))
        return mask_op(m, n);
    return elementwise(m, n);
}
