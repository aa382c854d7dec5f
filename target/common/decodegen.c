/*
 * Turns a table of instruction patterns into C: a decision tree that finds the form of an
 * instruction word, a function that takes its operands apart and calls its handler, and the table
 * of all forms (target/decode.h). A program of the build: decodegen FILE.decode > FILE.inc
 *
 *     %name riscv_i                        prefix of what is generated
 *     %exclusive RV32 RV64                 no CPU has both
 *     @i  imm=s12@20                       a format: operands under a name
 *     addi  ............ rs1:5 000 rd:5 0010011  @i  tr_addi  I
 *
 * A line is: name, bits from the highest (0, 1, '.' for any, operand:length), operands and formats,
 * exceptions (imm!=0), the handler, and the extensions it needs ("C&RV64", "Zbb|Zbkb").
 * Operands: u5@20 five bits from bit 20; s12@20 sign extended; s(12,6-2,z4) bits put together, z4
 * four zeros; 8+u3@7 with 8 added; 2 a constant. Two forms that one word fits are an error, unless
 * bits and exceptions or exclusive extensions tell them apart, or one says over=NAME: it is a
 * special case of form NAME, which it is tried before.
 *
 * The including file defines HAVE(model, EXT) and DECODE_MODEL(t) before.
 */
#include <ctype.h>
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct piece {
    int pos; /* -1: zero bits */
    unsigned len;
};

struct operand {
    char *name;
    bool is_signed;
    int add;
    unsigned npieces;
    struct piece piece[12];
};

struct except {
    char *name;
    int value;
};

struct form {
    char *name, *handler, *ext, *over;
    unsigned bits, line, index;
    uint32_t mask, match;
    GArray *operands; /* struct operand */
    GArray *excepts;  /* struct except */
};

static const char *file_name, *prefix;
static unsigned line_no;
static GPtrArray *forms;      /* struct form */
static GHashTable *formats;   /* name -> GStrv */
static GPtrArray *exclusives; /* GStrv of two */

static G_GNUC_PRINTF(1, 2) G_NORETURN void fail(const char *fmt, ...)
{
    va_list ap;

    fprintf(stderr, "%s:%u: ", file_name, line_no);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

/* ---- Reading ---- */

static unsigned read_number(const char **p)
{
    char *end;
    unsigned long v = strtoul(*p, &end, 0);

    if (end == *p)
        fail("a number is missing at '%s'", *p);
    *p = end;
    return v;
}

static void add_piece(struct operand *o, int pos, unsigned len)
{
    if (o->npieces == G_N_ELEMENTS(o->piece))
        fail("operand %s has too many pieces", o->name);
    o->piece[o->npieces++] = (struct piece){ pos, len };
}

/* "(12,6-2,z)" */
static void read_list(struct operand *o, const char **p)
{
    while (**p != ')') {
        (*p)++;
        if (**p == 'z') {
            (*p)++;
            add_piece(o, -1, isdigit(**p) ? read_number(p) : 1);
        } else {
            unsigned hi = read_number(p), lo = hi;
            if (**p == '-') {
                (*p)++;
                lo = read_number(p);
            }
            if (lo > hi || hi > 31)
                fail("bits %u-%u of operand %s", hi, lo, o->name);
            add_piece(o, lo, hi - lo + 1);
        }
        if (**p != ',' && **p != ')')
            fail("list of operand %s is not closed", o->name);
    }
    (*p)++;
}

static struct operand read_operand(const char *name, const char *text)
{
    struct operand o = { .name = g_strdup(name) };
    const char *p = text;

    if (isdigit(*p)) {
        o.add = read_number(&p);
        if (*p == '+')
            p++;
    }
    if (*p == 's' || *p == 'u') {
        o.is_signed = *p++ == 's';
        if (*p == '(') {
            read_list(&o, &p);
        } else {
            unsigned len = read_number(&p);
            if (*p++ != '@')
                fail("operand %s: '@' is missing", name);
            add_piece(&o, read_number(&p), len);
        }
    }
    if (*p)
        fail("operand %s: '%s' is left over", name, p);
    return o;
}

static bool is_bits(const char *token)
{
    if (strspn(token, "01.") == strlen(token))
        return true;
    const char *colon = strchr(token, ':');
    return colon && colon > token && isdigit(colon[1]);
}

/* Bits of the pattern come from the highest; positions are known when their number is. */
static void add_bits(struct form *f, const char *token)
{
    if (strchr(token, ':')) {
        g_auto(GStrv) part = g_strsplit(token, ":", 2);
        const char *p = part[1];
        unsigned len = read_number(&p);
        struct operand o = { .name = g_strdup(part[0]) };
        f->bits += len;
        f->mask = (uint32_t)((uint64_t)f->mask << len);
        f->match = (uint32_t)((uint64_t)f->match << len);
        add_piece(&o, -(int)f->bits, len);
        g_array_append_val(f->operands, o);
        return;
    }
    for (; *token; token++) {
        f->mask = f->mask << 1 | (*token != '.');
        f->match = f->match << 1 | (*token == '1');
        f->bits++;
    }
}

static struct operand *operand_of(const struct form *f, const char *name)
{
    for (unsigned k = 0; k < f->operands->len; k++) {
        struct operand *o = &g_array_index(f->operands, struct operand, k);
        if (!strcmp(o->name, name))
            return o;
    }
    return NULL;
}

static void read_setting(struct form *f, const char *token)
{
    const char *eq = strchr(token, '=');

    if (*token == '@') {
        char **list = g_hash_table_lookup(formats, token);
        if (!list)
            fail("there is no format %s", token);
        for (; *list; list++)
            read_setting(f, *list);
    } else if (g_str_has_prefix(token, "over=")) {
        f->over = g_strdup(eq + 1);
    } else if (eq && eq > token && eq[-1] == '!') {
        const char *p = eq + 1;
        struct except e = { g_strndup(token, eq - 1 - token), 0 };
        e.value = read_number(&p);
        g_array_append_val(f->excepts, e);
    } else if (eq) {
        g_autofree char *name = g_strndup(token, eq - token);
        if (operand_of(f, name))
            fail("operand %s is there twice", name);
        struct operand o = read_operand(name, eq + 1);
        g_array_append_val(f->operands, o);
    } else if (g_str_has_prefix(token, "tr_")) {
        f->handler = g_strdup(token);
    } else if (!f->ext) {
        f->ext = g_strdup(token);
    } else {
        fail("'%s' is left over", token);
    }
}

static void read_form(char **token)
{
    struct form *f = g_new0(struct form, 1);

    f->name = g_strdup(*token++);
    f->line = line_no;
    f->operands = g_array_new(false, false, sizeof(struct operand));
    f->excepts = g_array_new(false, false, sizeof(struct except));
    for (; *token && is_bits(*token); token++)
        add_bits(f, *token);
    if (f->bits != 16 && f->bits != 32)
        fail("%s has %u bits, not 16 or 32", f->name, f->bits);
    for (unsigned k = 0; k < f->operands->len; k++)
        g_array_index(f->operands, struct operand, k).piece[0].pos += f->bits;
    for (; *token; token++)
        read_setting(f, *token);
    if (!f->handler || !f->ext)
        fail("%s: handler and extension are needed", f->name);
    for (unsigned k = 0; k < f->excepts->len; k++)
        if (!operand_of(f, g_array_index(f->excepts, struct except, k).name))
            fail("%s: exception for an operand it does not have", f->name);
    f->index = forms->len;
    g_ptr_array_add(forms, f);
}

static void read_line(char *line)
{
    char *hash = strchr(line, '#');

    if (hash)
        *hash = 0;
    g_auto(GStrv) raw = g_strsplit_set(g_strstrip(line), " \t", -1);
    g_autoptr(GPtrArray) token = g_ptr_array_new();
    for (char **r = raw; *r; r++)
        if (**r)
            g_ptr_array_add(token, *r);
    if (!token->len)
        return;
    g_ptr_array_add(token, NULL);
    char **t = (char **)token->pdata;
    if (!strcmp(t[0], "%name") && t[1])
        prefix = g_strdup(t[1]);
    else if (!strcmp(t[0], "%exclusive") && t[1] && t[2])
        g_ptr_array_add(exclusives, g_strdupv(t + 1));
    else if (t[0][0] == '@')
        g_hash_table_insert(formats, g_strdup(t[0]), g_strdupv(t + 1));
    else if (t[0][0] == '%')
        fail("unknown directive %s", t[0]);
    else
        read_form(t);
}

/* ---- Overlaps ---- */

/* Whether all bits of the operand are fixed in @f, and then their value. */
static bool fixed_value(const struct form *f, const struct operand *o, int *value)
{
    uint64_t v = 0;
    unsigned bits = 0;

    for (unsigned k = 0; k < o->npieces; k++) {
        uint32_t ones = o->piece[k].len >= 32 ? ~0u : (1u << o->piece[k].len) - 1;
        uint32_t field = 0;
        if (o->piece[k].pos >= 0) {
            if ((f->mask >> o->piece[k].pos & ones) != ones)
                return false;
            field = f->match >> o->piece[k].pos & ones;
        }
        v = v << o->piece[k].len | field;
        bits += o->piece[k].len;
    }
    if (o->is_signed && bits)
        v = (uint64_t)((int64_t)(v << (64 - bits)) >> (64 - bits));
    *value = (int)v + o->add;
    return true;
}

static bool excluded(const struct form *general, const struct form *special)
{
    int v;

    for (unsigned k = 0; k < general->excepts->len; k++) {
        const struct except *e = &g_array_index(general->excepts, struct except, k);
        if (fixed_value(special, operand_of(general, e->name), &v) && v == e->value)
            return true;
    }
    return false;
}

/* A form needs an extension in any case if that is one of those joined by &. */
static bool needs(const struct form *f, const char *ext)
{
    g_auto(GStrv) part = g_strsplit(f->ext, "&", -1);

    return g_strv_contains((const char *const *)part, ext);
}

static bool exclusive(const struct form *a, const struct form *b)
{
    for (unsigned k = 0; k < exclusives->len; k++) {
        char **pair = exclusives->pdata[k];
        if ((needs(a, pair[0]) && needs(b, pair[1])) || (needs(a, pair[1]) && needs(b, pair[0])))
            return true;
    }
    return false;
}

static bool declared(const struct form *special, const struct form *general)
{
    return special->over && !strcmp(special->over, general->name) &&
           (special->mask & general->mask) == general->mask;
}

static void check_overlaps(void)
{
    for (unsigned i = 0; i < forms->len; i++) {
        for (unsigned j = i + 1; j < forms->len; j++) {
            const struct form *a = forms->pdata[i], *b = forms->pdata[j];
            if (a->bits != b->bits || a->mask & b->mask & (a->match ^ b->match))
                continue;
            if (excluded(a, b) || excluded(b, a) || exclusive(a, b) || declared(a, b) ||
                declared(b, a))
                continue;
            line_no = b->line;
            fail("%s overlaps %s of line %u", b->name, a->name, a->line);
        }
    }
}

/* ---- Decision tree ---- */

static void indent(unsigned depth)
{
    printf("%*s", depth * 4, "");
}

/* "A&B|C" becomes HAVE(model, A) && ...; in C && binds tighter, too. */
static void print_ext(const char *ext)
{
    g_auto(GStrv) any = g_strsplit(ext, "|", -1);

    printf("(");
    for (char **a = any; *a; a++) {
        g_auto(GStrv) all = g_strsplit(*a, "&", -1);
        printf("%s(", a == any ? "" : " || ");
        for (char **b = all; *b; b++)
            printf("%sHAVE(model, %s)", b == all ? "" : " && ", *b);
        printf(")");
    }
    printf(")");
}

static void print_operand(const struct operand *o)
{
    unsigned bits = 0;

    for (unsigned k = 0; k < o->npieces; k++)
        bits += o->piece[k].len;
    if (!bits) {
        printf("%d", o->add);
        return;
    }
    if (o->add)
        printf("%d + ", o->add);
    printf(o->is_signed ? "((int32_t)((" : "(int32_t)((");
    unsigned at = bits;
    const char *join = "";
    for (unsigned k = 0; k < o->npieces; k++) {
        const struct piece *p = &o->piece[k];
        at -= p->len;
        if (p->pos < 0)
            continue;
        uint32_t ones = p->len >= 32 ? ~0u : (1u << p->len) - 1;
        printf("%s(insn >> %d & 0x%xu) << %u", join, p->pos, ones, at);
        join = " | ";
    }
    if (o->is_signed)
        printf(") << %u) >> %u)", 32 - bits, 32 - bits);
    else
        printf("))");
}

static void print_leaf(const struct form *f, uint32_t tested, unsigned depth)
{
    indent(depth);
    printf("if (");
    if (f->mask & ~tested)
        printf("(insn & 0x%xu) == 0x%xu && ", f->mask & ~tested, f->match & ~tested);
    for (unsigned k = 0; k < f->excepts->len; k++) {
        const struct except *e = &g_array_index(f->excepts, struct except, k);
        print_operand(operand_of(f, e->name));
        printf(" != %d && ", e->value);
    }
    print_ext(f->ext);
    printf(")\n");
    indent(depth + 1);
    printf("return %u; /* %s */\n", f->index, f->name);
}

static unsigned distinct(GPtrArray *set, uint32_t mask)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    for (unsigned k = 0; k < set->len; k++)
        g_hash_table_add(seen, GUINT_TO_POINTER(((struct form *)set->pdata[k])->match & mask));
    return g_hash_table_size(seen);
}

/* The run of neighbouring bits, fixed in all forms of the set, that tells most of them apart. */
static uint32_t best_bits(GPtrArray *set, uint32_t tested)
{
    uint32_t common = ~tested, best = 0;
    unsigned best_count = 1;

    for (unsigned k = 0; k < set->len; k++)
        common &= ((struct form *)set->pdata[k])->mask;
    while (common) {
        unsigned low = __builtin_ctz(common);
        uint32_t up = common >> low;
        unsigned len = ~up ? __builtin_ctz(~up) : 32;
        uint32_t run = (len >= 32 ? ~0u : (1u << len) - 1) << low;
        unsigned count = distinct(set, run);
        if (count > best_count) {
            best_count = count;
            best = run;
        }
        common &= ~run;
    }
    return best;
}

static int more_special_first(gconstpointer a, gconstpointer b)
{
    const struct form *x = *(struct form *const *)a, *y = *(struct form *const *)b;

    if (!x->over != !y->over)
        return x->over ? -1 : 1;
    return (int)x->index - (int)y->index;
}

static void print_tree(GPtrArray *set, uint32_t tested, unsigned depth)
{
    uint32_t bits = set->len > 1 ? best_bits(set, tested) : 0;

    if (!bits) {
        g_ptr_array_sort(set, more_special_first);
        for (unsigned k = 0; k < set->len; k++)
            print_leaf(set->pdata[k], tested, depth);
        indent(depth);
        printf("return -1;\n");
        return;
    }
    unsigned low = __builtin_ctz(bits);
    g_autoptr(GHashTable) done = g_hash_table_new(NULL, NULL);
    indent(depth);
    printf("switch (insn >> %u & 0x%x) {\n", low, bits >> low);
    for (unsigned k = 0; k < set->len; k++) {
        uint32_t v = ((struct form *)set->pdata[k])->match & bits;
        if (!g_hash_table_add(done, GUINT_TO_POINTER(v)))
            continue;
        g_autoptr(GPtrArray) part = g_ptr_array_new();
        for (unsigned n = k; n < set->len; n++)
            if ((((struct form *)set->pdata[n])->match & bits) == v)
                g_ptr_array_add(part, set->pdata[n]);
        indent(depth);
        printf("case 0x%x:\n", v >> low);
        print_tree(part, tested | bits, depth + 1);
    }
    indent(depth);
    printf("default: return -1;\n");
    indent(depth);
    printf("}\n");
}

static void print_find(void)
{
    printf("static int %s_find(const void *model, uint32_t insn, unsigned bits)\n{\n", prefix);
    printf("    (void)model;\n");
    for (unsigned width = 16; width <= 32; width += 16) {
        g_autoptr(GPtrArray) set = g_ptr_array_new();
        for (unsigned k = 0; k < forms->len; k++)
            if (((struct form *)forms->pdata[k])->bits == width)
                g_ptr_array_add(set, forms->pdata[k]);
        if (!set->len)
            continue;
        printf("    if (bits == %u) {\n", width);
        print_tree(set, 0, 2);
        printf("    }\n");
    }
    printf("    return -1;\n}\n\n");
}

/* ---- The rest of the output ---- */

static void print_args(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

    printf("struct args {\n");
    for (unsigned k = 0; k < forms->len; k++) {
        const struct form *f = forms->pdata[k];
        for (unsigned n = 0; n < f->operands->len; n++) {
            char *name = g_array_index(f->operands, struct operand, n).name;
            if (g_hash_table_add(seen, name))
                printf("    int32_t %s;\n", name);
        }
    }
    if (!g_hash_table_size(seen))
        printf("    int32_t none;\n");
    printf("};\n\n");
    for (unsigned k = 0; k < forms->len; k++) {
        char *handler = ((struct form *)forms->pdata[k])->handler;
        if (g_hash_table_add(seen, handler))
            printf("static bool %s(struct trans *t, const struct args *a);\n", handler);
    }
    printf("\n");
}

static void print_decode(void)
{
    printf("bool %s_decode(struct trans *t, uint32_t insn, unsigned bits)\n{\n", prefix);
    printf("    struct args a = { 0 };\n\n");
    printf("    switch (%s_find(DECODE_MODEL(t), insn, bits)) {\n", prefix);
    for (unsigned k = 0; k < forms->len; k++) {
        const struct form *f = forms->pdata[k];
        printf("    case %u: /* %s */\n", k, f->name);
        for (unsigned n = 0; n < f->operands->len; n++) {
            const struct operand *o = &g_array_index(f->operands, struct operand, n);
            printf("        a.%s = ", o->name);
            print_operand(o);
            printf(";\n");
        }
        printf("        return %s(t, &a);\n", f->handler);
    }
    printf("    default: return false;\n    }\n}\n\n");
}

static void print_form_details(const struct form *f)
{
    if (f->operands->len) {
        printf("static const struct decode_operand %s_operands_%u[] = {\n", prefix, f->index);
        for (unsigned n = 0; n < f->operands->len; n++) {
            const struct operand *o = &g_array_index(f->operands, struct operand, n);
            printf("    { \"%s\", %d, %u, %d, {", o->name, o->is_signed, o->npieces, o->add);
            for (unsigned k = 0; k < o->npieces; k++)
                printf(" { %d, %u },", o->piece[k].pos, o->piece[k].len);
            printf(o->npieces ? " } },\n" : " { 0, 0 } } },\n");
        }
        printf("};\n");
    }
    if (f->excepts->len) {
        printf("static const struct decode_except %s_excepts_%u[] = {\n", prefix, f->index);
        for (unsigned n = 0; n < f->excepts->len; n++) {
            const struct except *e = &g_array_index(f->excepts, struct except, n);
            printf("    { \"%s\", %d },\n", e->name, e->value);
        }
        printf("};\n");
    }
}

static void print_table(void)
{
    for (unsigned k = 0; k < forms->len; k++)
        print_form_details(forms->pdata[k]);
    printf("static const struct decode_form %s_forms[] = {\n", prefix);
    for (unsigned k = 0; k < forms->len; k++) {
        const struct form *f = forms->pdata[k];
        printf("    { \"%s\", \"%s\", \"%s\", %u, 0x%xu, 0x%xu, %u, %u, ", f->name, f->handler,
               f->ext, f->bits, f->mask, f->match, f->operands->len, f->excepts->len);
        if (f->operands->len)
            printf("%s_operands_%u, ", prefix, k);
        else
            printf("NULL, ");
        if (f->excepts->len)
            printf("%s_excepts_%u },\n", prefix, k);
        else
            printf("NULL },\n");
    }
    printf("};\n\nconst struct decode_table %s_table = {\n", prefix);
    printf("    \"%s\", %s_forms, %u, %s_find,\n};\n", prefix, prefix, forms->len, prefix);
}

int main(int argc, char **argv)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) err = NULL;

    if (argc != 2 || !g_file_get_contents(argv[1], &text, NULL, &err)) {
        fprintf(stderr, "decodegen: %s\n", err ? err->message : "usage: decodegen FILE");
        return 1;
    }
    file_name = argv[1];
    forms = g_ptr_array_new();
    exclusives = g_ptr_array_new();
    formats = g_hash_table_new(g_str_hash, g_str_equal);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **l = lines; *l; l++) {
        line_no++;
        read_line(*l);
    }
    if (!prefix || !forms->len)
        fail("%%name or forms are missing");
    check_overlaps();
    printf("/* Made by decodegen; do not edit. */\n");
    print_args();
    print_find();
    print_decode();
    print_table();
    return 0;
}
