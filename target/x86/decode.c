/*
 * From code bytes to a row of the instruction tables: prefixes, opcode maps, ModRM, immediates
 * (Intel volume 2, chapter 2 and appendix A).
 *
 * The rows' notation is taken apart once, and the rows are chained by opcode map and opcode.
 */
#include <string.h>
#include <base/bug.h>
#include "fpstate.h"
#include "mmx.h"
#include "translate-sse.h"
#include "translate.h"
#include "x87.h"

const struct x86_form x86_forms[] = {
#define X86(encoding, name, operands, handler, arg, flags, feature, undefined) \
    { encoding, name, operands, x86_tr_##handler, arg, flags, FEAT_##feature, undefined },
#include "forms.def"
#undef X86
};
const unsigned x86_nforms = ARRAY_LEN(x86_forms);

/* What is made of the rows; written once, before anybody else reads it. */
struct tables {
    struct x86_pattern pattern[ARRAY_LEN(x86_forms)];
    uint16_t first[MAP_COUNT][256]; /* index + 1, or 0 */
    uint16_t next[ARRAY_LEN(x86_forms)];
    bool has_modrm[MAP_COUNT][256];
};

#define PP_BIT(pp) (1u << (pp))
#define PP_ANY     0xf

/* ---- The rows' notation ---- */

/* What a separator takes apart; this is done to all rows at each start, so without the heap. */
struct words {
    char text[48];
    const char *word[12]; /* ends with NULL */
};

static void split(struct words *w, const char *text, char separator)
{
    char *p = w->text;
    unsigned n = 0;

    bug_on(g_strlcpy(w->text, text, sizeof(w->text)) >= sizeof(w->text));
    while (p && *p) {
        bug_on(n + 1 == ARRAY_LEN(w->word));
        w->word[n++] = p;
        p = strchr(p, separator);
        if (p)
            *p++ = 0;
    }
    w->word[n] = NULL;
}

static void parse_vex(struct x86_pattern *p, const char *word)
{
    struct words parts;
    const char *const *part = parts.word;

    split(&parts, word, '.');
    p->pp_mask = PP_BIT(PP_NONE);
    p->map = MAP_VEX0F;
    for (unsigned k = 1; part[k]; k++) {
        const char *s = part[k];

        if (!strcmp(s, "128") || !strcmp(s, "L0") || !strcmp(s, "LZ"))
            p->l = 0;
        else if (!strcmp(s, "256") || !strcmp(s, "L1"))
            p->l = 1;
        else if (!strcmp(s, "W0") || !strcmp(s, "W1"))
            p->w = s[1] - '0';
        else if (!strcmp(s, "66"))
            p->pp_mask = PP_BIT(PP_66);
        else if (!strcmp(s, "F3"))
            p->pp_mask = PP_BIT(PP_F3);
        else if (!strcmp(s, "F2"))
            p->pp_mask = PP_BIT(PP_F2);
        else if (!strcmp(s, "0F38"))
            p->map = MAP_VEX0F38;
        else if (!strcmp(s, "0F3A"))
            p->map = MAP_VEX0F3A;
        else
            bug_on(strcmp(s, "0F") && strcmp(s, "NP") && strcmp(s, "LIG") && strcmp(s, "WIG"));
    }
}

/* A word in front of the opcode; false: the opcode begins. */
static bool parse_prefix(struct x86_pattern *p, const char *word, bool first)
{
    if (!strcmp(word, "NP"))
        p->pp_mask = PP_BIT(PP_NONE);
    else if (!strcmp(word, "NFx"))
        p->pp_mask = PP_BIT(PP_NONE) | PP_BIT(PP_66);
    else if (first && !strcmp(word, "66"))
        p->pp_mask = PP_BIT(PP_66);
    else if (first && !strcmp(word, "F3"))
        p->pp_mask = PP_BIT(PP_F3);
    else if (first && !strcmp(word, "F2"))
        p->pp_mask = PP_BIT(PP_F2);
    else if (!strcmp(word, "REX.W") || !strcmp(word, "W1"))
        p->w = 1;
    else if (!strcmp(word, "W0"))
        p->w = 0;
    else if (!strncmp(word, "VEX.", 4))
        parse_vex(p, word);
    else
        return false;
    return true;
}

/* Bytes: the map's escapes, the opcode, perhaps a whole ModRM. */
static void parse_byte(struct x86_pattern *p, unsigned byte, bool reg, bool *have_opcode)
{
    if (*have_opcode) {
        p->modrm = byte;
        p->has_modrm = true;
    } else if (p->map == MAP_1 && byte == 0x0f) {
        p->map = MAP_0F;
    } else if (p->map == MAP_0F && byte == 0x38) {
        p->map = MAP_0F38;
    } else if (p->map == MAP_0F && byte == 0x3a) {
        p->map = MAP_0F3A;
    } else {
        p->opcode = byte;
        p->opcode_mask = reg ? 0xf8 : 0xff;
        *have_opcode = true;
    }
}

static void parse_encoding(struct x86_pattern *p, const char *text)
{
    struct words words;
    const char *const *word = words.word;
    bool have_opcode = false;
    /* The prefixes F2, F3, 66 as opcodes do not occur. */
    unsigned k = 0;

    split(&words, text, ' ');
    *p = (struct x86_pattern){ .modrm = -1, .ext = -1, .pp_mask = PP_ANY, .w = -1, .l = -1 };
    while (parse_prefix(p, word[k], k == 0 || !strcmp(word[0], "REX.W")))
        k++;
    for (; word[k]; k++) {
        const char *s = word[k];

        if (s[0] == '/') {
            p->has_modrm = true;
            p->ext = s[1] == 'r' ? -1 : s[1] - '0';
        } else if (!strcmp(s, "m") || !strcmp(s, "r")) {
            p->mod = s[0];
        } else {
            bug_on(!g_ascii_isxdigit(s[0]) || !g_ascii_isxdigit(s[1]));
            parse_byte(p, g_ascii_xdigit_value(s[0]) << 4 | g_ascii_xdigit_value(s[1]), s[2] == '+',
                       &have_opcode);
        }
    }
    bug_on(!have_opcode);
}

static bool parse_fixed(struct x86_pattern *p, unsigned n, const char *s)
{
    static const struct {
        const char *name;
        char size;
        uint8_t reg;
    } names[] = {
        { "AL", 'b', R_AX },  { "CL", 'b', R_CX },  { "AX", 'w', R_AX },  { "DX", 'w', R_DX },
        { "eAX", 'v', R_AX }, { "eBP", 'v', R_BP }, { "eCX", 'v', R_CX }, { "eDX", 'v', R_DX },
    };

    for (unsigned k = 0; k < ARRAY_LEN(names); k++) {
        if (strcmp(s, names[k].name))
            continue;
        p->operand[n].kind = OPK_FIXED;
        p->operand[n].size = names[k].size;
        p->operand[n].reg = names[k].reg;
        return true;
    }
    return false;
}

static void parse_operand(struct x86_pattern *p, unsigned n, const char *s)
{
    static const struct {
        char type;
        uint8_t kind;
    } kinds[] = {
        { 'E', OPK_E },     { 'G', OPK_G },   { 'R', OPK_R },      { 'M', OPK_M },
        { 'B', OPK_B },     { 'Z', OPK_Z },   { 'I', OPK_IMM },    { 'J', OPK_REL },
        { 'O', OPK_MOFFS }, { 'A', OPK_FAR }, { 'X', OPK_STRING }, { 'Y', OPK_STRING },
    };

    p->operand[n].type = s[0];
    p->operand[n].size = s[0] ? s[1] : 0;
    p->operand[n].kind = OPK_OTHER;
    if (parse_fixed(p, n, s))
        return;
    if (!strcmp(s, "1")) {
        p->operand[n].kind = OPK_IMM;
        p->operand[n].size = '1';
        return;
    }
    for (unsigned k = 0; k < ARRAY_LEN(kinds); k++)
        if (kinds[k].type == s[0])
            p->operand[n].kind = kinds[k].kind;
    p->operand[n].is_signed = s[0] == 'I' && (strlen(s) == 3 || s[1] == 'z');
}

static void parse_operands(struct x86_pattern *p, const char *text)
{
    struct words words;
    const char *const *word = words.word;

    split(&words, text, ',');
    for (p->noperands = 0; word[p->noperands]; p->noperands++) {
        bug_on(p->noperands == ARRAY_LEN(p->operand));
        parse_operand(p, p->noperands, word[p->noperands]);
    }
}

static void add_row(struct tables *tab, unsigned n)
{
    struct x86_pattern *p = &tab->pattern[n];
    uint16_t *at;

    parse_encoding(p, x86_forms[n].encoding);
    parse_operands(p, x86_forms[n].operands);
    for (unsigned op = p->opcode; (op & p->opcode_mask) == p->opcode; op++) {
        tab->has_modrm[p->map][op] |= p->has_modrm;
        /* Only rows without "+r" share an opcode, but for the first of several. */
        at = &tab->first[p->map][op];
        while (*at && *at != n + 1)
            at = &tab->next[*at - 1];
        *at = n + 1;
    }
}

static const struct tables *tables(void)
{
    static struct tables made;
    static gsize ready;

    if (g_once_init_enter(&ready)) {
        for (unsigned n = 0; n < x86_nforms; n++)
            add_row(&made, n);
        g_once_init_leave(&ready, 1);
    }
    return &made;
}

const struct x86_pattern *x86_pattern(const struct x86_form *form)
{
    return &tables()->pattern[form - x86_forms];
}

/* ---- Decoding ---- */

struct decoder {
    struct trans *t;
    struct x86_insn *i;
    const struct tables *tab;
    unsigned len;
    uint8_t rex; /* the byte, or 0 */
    bool overlong;
};

/* 15 bytes at most, else #GP (volume 2, 2.3.11). */
static uint8_t next_byte(struct decoder *d)
{
    uint8_t byte;

    if (d->len == 15) {
        d->overlong = true;
        return 0;
    }
    byte = trans_fetch8(d->t, d->len);
    d->i->bytes[d->len / 8] |= (uint64_t)byte << d->len % 8 * 8;
    d->len++;
    return byte;
}

static uint64_t next_bytes(struct decoder *d, unsigned count)
{
    uint64_t v = 0;

    for (unsigned k = 0; k < count; k++)
        v |= (uint64_t)next_byte(d) << 8 * k;
    return v;
}

static int64_t next_signed(struct decoder *d, unsigned count)
{
    unsigned shift = 64 - 8 * count;

    return (int64_t)(next_bytes(d, count) << shift) >> shift;
}

static void segment_prefix(struct decoder *d, unsigned seg)
{
    /* In 64-bit code the overrides of ES, CS, SS and DS mean nothing. */
    if (x86_is64(d->t) && seg < S_FS)
        return;
    d->i->prefixes |= PFX_SEG;
    d->i->seg = seg;
}

/* Takes all prefixes; returns the byte behind them. */
static uint8_t prefixes(struct decoder *d)
{
    struct x86_insn *i = d->i;

    for (;;) {
        uint8_t b = next_byte(d);

        switch (b) {
        case 0x26: segment_prefix(d, S_ES); break;
        case 0x2e: segment_prefix(d, S_CS); break;
        case 0x36: segment_prefix(d, S_SS); break;
        case 0x3e: segment_prefix(d, S_DS); break;
        case 0x64: segment_prefix(d, S_FS); break;
        case 0x65: segment_prefix(d, S_GS); break;
        case 0x66: i->prefixes |= PFX_66; break;
        case 0x67: i->prefixes |= PFX_67; break;
        case 0xf0: i->prefixes |= PFX_LOCK; break;
        case 0xf2: i->prefixes = (i->prefixes & ~PFX_REP) | PFX_REPNE; break;
        case 0xf3: i->prefixes = (i->prefixes & ~PFX_REPNE) | PFX_REP; break;
        default:
            if (!x86_is64(d->t) || (b & 0xf0) != 0x40)
                return b;
            d->rex = b;
            continue;
        }
        d->rex = 0; /* one that is not directly in front of the opcode is ignored */
        if (d->overlong)
            return 0;
    }
}

/* C4 and C5, whose second byte is @b. False: #UD. */
static bool vex(struct decoder *d, bool three, uint8_t b)
{
    struct x86_insn *i = d->i;
    uint8_t last = b;

    if (i->prefixes & (PFX_66 | PFX_REP | PFX_REPNE | PFX_LOCK) || d->rex ||
        !x86_is_protected(d->t))
        return false;
    d->rex = 0x40 | (b & 0x80 ? 0 : 4);
    i->map = MAP_VEX0F;
    if (three) {
        if ((b & 31) < 1 || (b & 31) > 3)
            return false;
        i->map = MAP_VEX0F + (b & 31) - 1;
        last = next_byte(d);
        if (x86_is64(d->t))
            d->rex |= (b & 0x40 ? 0 : 2) | (b & 0x20 ? 0 : 1);
        d->rex |= last & 0x80 ? 8 : 0;
    }
    i->prefixes |= PFX_VEX;
    i->vvvv = ~last >> 3 & (x86_is64(d->t) ? 15 : 7);
    i->vex_l = last >> 2 & 1;
    i->vex_used = (last & 0x78) != 0x78;
    i->pp = last & 3;
    i->opcode = next_byte(d);
    return true;
}

/* Map and opcode. False: #UD. */
static bool opcode(struct decoder *d)
{
    struct x86_insn *i = d->i;
    uint8_t b = prefixes(d);

    i->opcode = b;
    if (b == 0xc4 || b == 0xc5) {
        uint8_t second = trans_fetch8(d->t, d->len);

        if (x86_is64(d->t) || second >= 0xc0) {
            next_byte(d);
            return vex(d, b == 0xc4, second);
        }
    }
    if (i->prefixes & PFX_REPNE)
        i->pp = PP_F2;
    else if (i->prefixes & PFX_REP)
        i->pp = PP_F3;
    else if (i->prefixes & PFX_66)
        i->pp = PP_66;
    if (d->rex)
        i->prefixes |= PFX_REX;
    if (b != 0x0f)
        return true;
    i->map = MAP_0F;
    i->opcode = next_byte(d);
    if (i->opcode == 0x38 || i->opcode == 0x3a) {
        i->map = i->opcode == 0x38 ? MAP_0F38 : MAP_0F3A;
        i->opcode = next_byte(d);
    }
    return true;
}

static bool has_feature(const struct trans *t, uint8_t feature)
{
    return feature == FEAT_NONE || x86_have(x86_tr_cpu(t), feature);
}

static bool matches(const struct decoder *d, const struct x86_form *f, const struct x86_pattern *p)
{
    const struct x86_insn *i = d->i;

    if (p->modrm >= 0 && i->modrm != p->modrm)
        return false;
    if (p->ext >= 0 && (i->modrm >> 3 & 7) != p->ext)
        return false;
    if (p->mod && (i->mod == 3) != (p->mod == 'r'))
        return false;
    if (!(p->pp_mask & PP_BIT(i->pp)) || (p->w >= 0 && i->w != p->w) ||
        (p->l >= 0 && i->vex_l != p->l))
        return false;
    if (f->flags & (x86_is64(d->t) ? X_NO64 : X_ONLY64))
        return false;
    return has_feature(d->t, f->feature);
}

static const struct x86_form *find(const struct decoder *d)
{
    for (unsigned n = d->tab->first[d->i->map][d->i->opcode]; n; n = d->tab->next[n - 1])
        if (matches(d, &x86_forms[n - 1], &d->tab->pattern[n - 1]))
            return &x86_forms[n - 1];
    return NULL;
}

static void sizes(struct decoder *d)
{
    struct x86_insn *i = d->i;
    bool has66 = i->prefixes & PFX_66;

    if (!x86_is64(d->t)) {
        i->size = !!(d->t->flags & UF_CS32) != has66 ? 2 : 1;
        i->w = false;
        return;
    }
    if (i->w)
        i->size = 3;
    else if (i->form->flags & X_F64)
        i->size = 3;
    else if (has66)
        i->size = 1;
    else
        i->size = i->form->flags & X_D64 ? 3 : 2;
}

/* 2.1.5, table 2-1. */
static void memory16(struct decoder *d)
{
    static const int8_t base[] = { R_BX, R_BX, R_BP, R_BP, R_SI, R_DI, R_BP, R_BX };
    static const int8_t index[] = { R_SI, R_DI, R_SI, R_DI, -1, -1, -1, -1 };
    struct x86_insn *i = d->i;

    i->base = base[i->modrm & 7];
    i->index = index[i->modrm & 7];
    if (i->mod == 0 && (i->modrm & 7) == 6) {
        i->base = -1;
        i->disp = next_signed(d, 2);
    } else if (i->mod) {
        i->disp = next_signed(d, i->mod);
    }
}

/* Tables 2-2, 2-3; volume 2, 2.2.1.3 to 2.2.1.6 for 64-bit code. */
static void memory32(struct decoder *d)
{
    struct x86_insn *i = d->i;
    unsigned rm = i->modrm & 7, rex_b = d->rex & 1 ? 8 : 0;

    if (rm == 4) {
        uint8_t sib = next_byte(d);

        i->scale = sib >> 6;
        i->index = (sib >> 3 & 7) | (d->rex & 2 ? 8 : 0);
        if (i->index == 4 && !(i->form->flags & X_VSIB))
            i->index = -1;
        rm = sib & 7;
        i->base = rm | rex_b;
        if (rm == 5 && i->mod == 0)
            i->base = -1;
    } else {
        i->base = rm | rex_b;
        if (rm == 5 && i->mod == 0) {
            i->base = -1;
            i->rip_relative = x86_is64(d->t);
        }
    }
    if (i->mod == 1)
        i->disp = next_signed(d, 1);
    else if (i->mod == 2 || i->base < 0)
        i->disp = next_signed(d, 4);
}

static bool rm_is_always_register(const struct x86_pattern *p)
{
    for (unsigned n = 0; n < p->noperands; n++)
        if (p->operand[n].kind == OPK_R)
            return true;
    return p->modrm >= 0;
}

static void modrm(struct decoder *d)
{
    struct x86_insn *i = d->i;

    i->reg = (i->modrm >> 3 & 7) | (d->rex & 4 ? 8 : 0);
    i->rm = (i->modrm & 7) | (d->rex & 1 ? 8 : 0);
    i->is_mem = i->mod != 3 && !rm_is_always_register(i->pattern);
    if (!i->is_mem)
        return;
    if (i->addr_size == 1)
        memory16(d);
    else
        memory32(d);
    if (!(i->prefixes & PFX_SEG))
        i->seg = i->base == R_SP || i->base == R_BP ? S_SS : S_DS;
}

/* The immediate of an operand, if it is one. */
static void immediate(struct decoder *d, unsigned n, uint64_t *imm)
{
    struct x86_insn *i = d->i;
    unsigned z = i->size == 1 ? 2 : 4;

    switch (i->pattern->operand[n].kind) {
    case OPK_IMM:
        switch (i->pattern->operand[n].size) {
        case '1': *imm = 1; break;
        case 'b':
            *imm = i->pattern->operand[n].is_signed ? (uint64_t)next_signed(d, 1) : next_byte(d);
            break;
        case 'w': *imm = next_bytes(d, 2); break;
        case 'z': *imm = next_signed(d, z); break;
        default: *imm = next_bytes(d, 1u << i->size); break;
        }
        break;
    case OPK_REL: *imm = next_signed(d, i->pattern->operand[n].size == 'b' ? 1 : z); break;
    case OPK_MOFFS: *imm = next_bytes(d, 1u << i->addr_size); break;
    case OPK_FAR:
        i->imm = next_bytes(d, z);
        i->imm2 = next_bytes(d, 2);
        break;
    case OPK_OTHER:
        if (i->pattern->operand[n].type == 'L')
            *imm = next_byte(d);
        break;
    default: break;
    }
}

static void immediates(struct decoder *d)
{
    struct x86_insn *i = d->i;
    bool first = true;

    for (unsigned n = 0; n < i->pattern->noperands; n++) {
        unsigned before = d->len;

        immediate(d, n, first ? &i->imm : &i->imm2);
        first &= d->len == before;
    }
}

/* A jump's displacement becomes the target. */
static void relative_target(struct decoder *d)
{
    struct x86_insn *i = d->i;

    for (unsigned n = 0; n < i->pattern->noperands; n++) {
        if (i->pattern->operand[n].kind != OPK_REL)
            continue;
        i->imm += d->t->next;
        if (!x86_is64(d->t))
            i->imm = (uint32_t)i->imm;
    }
}

static bool decode(struct decoder *d)
{
    struct x86_insn *i = d->i;

    if (!opcode(d))
        return false;
    i->w = d->rex & 8;
    i->addr_size = x86_is64(d->t) ? 3 : d->t->flags & UF_CS32 ? 2 : 1;
    if (i->prefixes & PFX_67)
        i->addr_size = i->addr_size == 2 ? 1 : 2;
    if (d->tab->has_modrm[i->map][i->opcode]) {
        i->modrm = next_byte(d);
        i->mod = i->modrm >> 6;
    }
    i->form = find(d);
    if (!i->form)
        return false;
    i->pattern = &d->tab->pattern[i->form - x86_forms];
    i->arg = i->form->arg;
    sizes(d);
    if (i->pattern->has_modrm)
        modrm(d);
    else
        i->rm = (i->opcode & 7) | (d->rex & 1 ? 8 : 0);
    immediates(d);
    return true;
}

bool x86_decode(struct trans *t, struct x86_insn *i)
{
    struct decoder d = { .t = t, .i = i, .tab = tables() };
    bool ok;

    memset(i, 0, sizeof(*i));
    i->base = i->index = -1;
    i->seg = S_DS;
    ok = decode(&d);
    i->len = d.overlong ? 16 : d.len;
    t->next = t->pc + d.len;
    if (!x86_is64(t))
        t->next = (uint32_t)t->next;
    if (!ok || d.overlong || t->fetch_failed)
        return false;
    relative_target(&d);
    return true;
}
