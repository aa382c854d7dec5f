/*
 * Models, extensions and the options of -cpu: rv64, rv32, rva22s64, max.
 */
#include <ctype.h>
#include <base/error.h>
#include <base/option.h>
#include "riscv.h"

enum { B = 1, P = 2, X = 4 }; /* where an extension is on by default: base models, rva22s64, max */

static const struct {
    enum riscv_ext id;
    const char *name;
    unsigned where;
} exts[] = {
#define EXT(id, name, where) { EXT_##id, name, where },
#include "ext.def"
#undef EXT
};

/* What an extension cannot be without. */
static const struct {
    enum riscv_ext ext, needs;
} needs[] = {
    { EXT_D, EXT_F },          { EXT_F, EXT_Zicsr },        { EXT_V, EXT_D },
    { EXT_Zvfh, EXT_V },       { EXT_Zvfh, EXT_Zfhmin },    { EXT_Zfh, EXT_F },
    { EXT_Zfhmin, EXT_F },     { EXT_Zfa, EXT_F },          { EXT_Zcb, EXT_Zca },
    { EXT_Zcd, EXT_Zca },      { EXT_Zcd, EXT_D },          { EXT_Zcf, EXT_Zca },
    { EXT_Zcf, EXT_F },        { EXT_Zcmop, EXT_Zca },      { EXT_Zacas, EXT_A },
    { EXT_Zicntr, EXT_Zicsr }, { EXT_Zihpm, EXT_Zicsr },    { EXT_S, EXT_U },
    { EXT_Sstc, EXT_S },       { EXT_Sscofpmf, EXT_Zihpm }, { EXT_Sscofpmf, EXT_S },
    { EXT_Svadu, EXT_S },      { EXT_Svade, EXT_S },        { EXT_Svinval, EXT_S },
    { EXT_Svnapot, EXT_S },    { EXT_Svpbmt, EXT_S },
};

static const char *ext_name(enum riscv_ext id)
{
    for (unsigned k = 0; k < ARRAY_LEN(exts); k++)
        if (exts[k].id == id)
            return exts[k].name;
    return "?";
}

/*
 * An extension that is on only by default goes when what it needs is switched off; asked for, the
 * conflict is an error.
 */
static bool settle_needs(struct riscv_cpu *c, const bool *asked, GError **err)
{
    bool changed;

    do {
        changed = false;
        for (unsigned k = 0; k < ARRAY_LEN(needs); k++) {
            if (!riscv_have(c, needs[k].ext) || riscv_have(c, needs[k].needs))
                continue;
            if (!asked[needs[k].ext]) {
                riscv_set_ext(c, needs[k].ext, false);
            } else if (!asked[needs[k].needs]) {
                riscv_set_ext(c, needs[k].needs, true);
            } else {
                return error_set(err, "-cpu: %s=on needs %s=on", ext_name(needs[k].ext),
                                 ext_name(needs[k].needs));
            }
            changed = true;
        }
    } while (changed);
    return true;
}

/* C is the sum of Zca and, with floating point, Zcd and (RV32) Zcf. */
static void settle_compressed(struct riscv_cpu *c, const bool *asked)
{
    static const enum riscv_ext parts[] = { EXT_Zca, EXT_Zcd, EXT_Zcf, EXT_Zcb, EXT_Zcmop };

    for (unsigned k = 0; k < ARRAY_LEN(parts); k++) {
        if (asked[parts[k]])
            continue;
        if (!riscv_have(c, EXT_C))
            riscv_set_ext(c, parts[k], false);
        else if (k == 0)
            riscv_set_ext(c, parts[k], true);
    }
    if (c->xlen == 64)
        riscv_set_ext(c, EXT_Zcf, false);
}

static bool set_vector(struct riscv_cpu *c, struct opts *o, GError **err)
{
    uint64_t vlen = 128, elen = 64;

    if (!opts_u64(o, "vlen", 128, 1024, &vlen, err) || !opts_u64(o, "elen", 32, 64, &elen, err))
        return false;
    if (!is_pow2(vlen))
        return error_set(err, "-cpu: vlen=%u is not 128, 256, 512 or 1024", (unsigned)vlen);
    if (elen != 64)
        return error_set(err, "-cpu: elen=%u is not 64, which V needs", (unsigned)elen);
    c->vlen = vlen;
    c->elen = elen;
    return true;
}

static bool set_mmu(struct riscv_cpu *c, struct opts *o, GError **err)
{
    static const struct {
        const char *name;
        unsigned mode;
    } schemes[] = { { "sv39", 8 }, { "sv48", 9 }, { "sv57", 10 } };

    if (c->xlen == 32) {
        c->satp_max = 1;
        return true;
    }
    c->satp_max = 10;
    for (int k = ARRAY_LEN(schemes) - 1; k >= 0; k--) {
        bool on = schemes[k].mode <= c->satp_max;
        if (!opts_bool(o, schemes[k].name, &on, err))
            return false;
        if (!on)
            c->satp_max = MIN(c->satp_max, k ? schemes[k - 1].mode : 0);
    }
    for (unsigned k = 1; k < ARRAY_LEN(schemes); k++) { /* each needs those before it (4.5) */
        bool on = false;
        if (!opts_bool(o, schemes[k].name, &on, err))
            return false;
        if (on && schemes[k].mode > c->satp_max)
            return error_set(err, "-cpu: %s=on needs %s=on", schemes[k].name, schemes[k - 1].name);
    }
    return true;
}

bool riscv_ext_setup(struct riscv_cpu *c, const char *model, const char *options, GError **err)
{
    unsigned where = !strcmp(model, "max") ? X : g_str_has_prefix(model, "rva") ? P : B;
    bool asked[EXT_COUNT] = { false };
    opts_auto struct opts *o = opts_parse("-cpu", options, NULL, err);

    if (!o)
        return false;
    riscv_set_ext(c, c->xlen == 32 ? EXT_RV32 : EXT_RV64, true);
    for (unsigned k = 0; k < ARRAY_LEN(exts); k++) {
        bool on = exts[k].where & where;
        g_autofree char *off = g_strconcat("no", exts[k].name, NULL);
        asked[exts[k].id] = opts_has(o, exts[k].name) || opts_has(o, off);
        if (!opts_bool(o, exts[k].name, &on, err))
            return false;
        riscv_set_ext(c, exts[k].id, on);
    }
    if (!set_vector(c, o, err) || !set_mmu(c, o, err) || !opts_done(o, err))
        return false;
    if (!riscv_have(c, EXT_I) || !riscv_have(c, EXT_Zicsr))
        return error_set(err, "-cpu: i=off and zicsr=off are not possible");
    settle_compressed(c, asked);
    if (!settle_needs(c, asked, err))
        return false;
    if (!riscv_have(c, EXT_S))
        c->satp_max = 0;
    return true;
}

/* ---- What the devicetree says ---- */

/* Privilege modes and models are not extensions. */
static bool listed(const struct riscv_cpu *c, unsigned k)
{
    return riscv_have(c, exts[k].id) && exts[k].id != EXT_S && exts[k].id != EXT_U;
}

char *riscv_isa(const struct cpu *cpu)
{
    const struct riscv_cpu *c = riscv_of_const(cpu);
    GString *s = g_string_new(NULL);

    g_string_printf(s, "rv%u", c->xlen);
    for (unsigned k = 0; k < ARRAY_LEN(exts); k++) {
        if (!listed(c, k))
            continue;
        if (exts[k].name[1])
            g_string_append_c(s, '_');
        g_string_append(s, exts[k].name);
    }
    return g_string_free(s, false);
}

const char *riscv_isa_base(const struct cpu *cpu)
{
    return riscv_of_const(cpu)->xlen == 32 ? "rv32i" : "rv64i";
}

char **riscv_isa_extensions(const struct cpu *cpu)
{
    GPtrArray *list = g_ptr_array_new();

    for (unsigned k = 0; k < ARRAY_LEN(exts); k++)
        if (listed(riscv_of_const(cpu), k))
            g_ptr_array_add(list, g_strdup(exts[k].name));
    g_ptr_array_add(list, NULL);
    return (char **)g_ptr_array_free(list, false);
}

const char *riscv_mmu_type(const struct cpu *cpu)
{
    switch (riscv_of_const(cpu)->satp_max) {
    case 1: return "riscv,sv32";
    case 8: return "riscv,sv39";
    case 9: return "riscv,sv48";
    case 10: return "riscv,sv57";
    default: return "riscv,none";
    }
}

bool riscv_has_ext(const struct cpu *cpu, const char *name)
{
    for (unsigned k = 0; k < ARRAY_LEN(exts); k++)
        if (!strcmp(exts[k].name, name))
            return riscv_have(riscv_of_const(cpu), exts[k].id);
    return false;
}
