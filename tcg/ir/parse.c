/*
 * The parser of the text form (docs/ir.md). It appends operations as they stand, without
 * simplifying, and accepts any text: what is not a valid unit gives one line of error.
 */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include "build.h"
#include "text.h"

#define MAX_WORD  64
#define MAX_PARTS 4

struct parser {
    struct ir *ir;
    const char *s;
    unsigned line;
    const struct ir_helper *const *helpers;
    GHashTable *values; /* name after % -> index */
    char *error;
    /* The operation of this line. */
    struct ir_insn i;
    char word[MAX_WORD]; /* storage of part[] */
    const char *part[MAX_PARTS];
    unsigned nparts;
};

static bool G_GNUC_PRINTF(2, 3) fail(struct parser *p, const char *format, ...)
{
    va_list ap;
    char *what;

    if (p->error)
        return false;
    va_start(ap, format);
    what = g_strdup_vprintf(format, ap);
    va_end(ap);
    p->error = g_strdup_printf("line %u: %s", p->line, what);
    g_free(what);
    return false;
}

static void skip_blanks(struct parser *p)
{
    while (*p->s == ' ' || *p->s == '\t' || *p->s == '\r')
        p->s++;
    if (*p->s == '#') {
        while (*p->s && *p->s != '\n')
            p->s++;
    }
}

static bool at_end(struct parser *p)
{
    skip_blanks(p);
    return !*p->s || *p->s == '\n';
}

static bool accept(struct parser *p, char c)
{
    skip_blanks(p);
    if (*p->s != c)
        return false;
    p->s++;
    return true;
}

static bool expect(struct parser *p, char c)
{
    return accept(p, c) || fail(p, "expected '%c'", c);
}

static bool is_word_char(char c)
{
    return g_ascii_isalnum(c) || c == '_' || c == '.';
}

/* A word of letters, digits, '_' and '.'; empty if there is none. */
static bool read_word(struct parser *p, char *buf)
{
    unsigned n = 0;

    skip_blanks(p);
    while (is_word_char(*p->s)) {
        if (n == MAX_WORD - 1)
            return fail(p, "a name is too long");
        buf[n++] = *p->s++;
    }
    buf[n] = '\0';
    return true;
}

static bool read_number(struct parser *p, int64_t *v)
{
    bool negative = accept(p, '-');
    char buf[MAX_WORD], *end;
    uint64_t u;

    if (!read_word(p, buf))
        return false;
    errno = 0;
    u = g_ascii_strtoull(buf, &end, 0);
    if (!g_ascii_isdigit(buf[0]) || *end || errno)
        return fail(p, "'%s' is not a 64-bit number", buf);
    *v = negative ? 0 - u : u;
    return true;
}

static bool read_value(struct parser *p, ir_val *v)
{
    char buf[MAX_WORD];

    if (!expect(p, '%') || !read_word(p, buf))
        return false;
    *v = GPOINTER_TO_UINT(g_hash_table_lookup(p->values, buf));
    return *v || fail(p, "%%%s is not defined before", buf);
}

static bool read_values(struct parser *p, unsigned n)
{
    ir_val *const v[4] = { &p->i.a, &p->i.b, &p->i.c, &p->i.d };

    for (unsigned k = 0; k < n; k++) {
        if ((k && !expect(p, ',')) || !read_value(p, v[k]))
            return false;
    }
    return true;
}

static int find_name(const char *const *names, unsigned n, const char *name)
{
    for (unsigned k = 0; k < n; k++) {
        if (!strcmp(names[k], name))
            return k;
    }
    return -1;
}

static bool read_slot(struct parser *p)
{
    const struct ir_slots *slots = p->ir->slots;
    char buf[MAX_WORD];

    if (!read_word(p, buf))
        return false;
    for (unsigned n = 0; n < slots->count; n++) {
        if (!strcmp(slots->slot[n].name, buf)) {
            p->i.imm = n;
            p->i.type = slots->slot[n].type;
            return true;
        }
    }
    return fail(p, "no slot '%s'", buf);
}

/* "s4be:1": signedness, bytes, big endian, aligned, write, MMU mode */
static bool read_memop(struct parser *p)
{
    char buf[MAX_WORD], *s = buf;
    unsigned bytes, mem = 0;
    int64_t mode;

    if (!read_word(p, buf))
        return false;
    if (*s != 's' && *s != 'u')
        return fail(p, "'%s' is not a memory operation", buf);
    mem |= *s++ == 's' ? IR_MEM_SIGNED : 0;
    bytes = g_ascii_strtoull(s, &s, 10);
    if (!bytes || bytes > 16 || bytes & (bytes - 1))
        return fail(p, "'%s' is not a memory operation", buf);
    mem |= __builtin_ctz(bytes);
    if (g_str_has_prefix(s, "be")) {
        mem |= IR_MEM_BE;
        s += 2;
    }
    if (g_str_has_prefix(s, "al")) {
        mem |= IR_MEM_ALIGNED;
        s += 2;
    }
    if (*s == 'w') {
        mem |= IR_MEM_WRITE;
        s++;
    }
    if (g_str_has_prefix(s, "any")) {
        mem |= IR_MEM_ANY;
        s += 3;
    }
    if (*s)
        return fail(p, "'%s' is not a memory operation", buf);
    if (!expect(p, ':') || !read_number(p, &mode))
        return false;
    if (mode < 0 || mode > 15)
        return fail(p, "no such MMU mode");
    p->i.mem = mem | mode << IR_MEM_MODE_SHIFT;
    return true;
}

static bool read_access(struct parser *p)
{
    if (!read_memop(p) || !expect(p, '[') || !read_value(p, &p->i.a))
        return false;
    if (accept(p, '+') && !read_number(p, &p->i.imm))
        return false;
    return expect(p, ']');
}

static bool read_fence(struct parser *p)
{
    static const char letters[] = "wroi";
    char buf[MAX_WORD];

    for (int shift = 4; shift >= 0; shift -= 4) {
        if (!read_word(p, buf))
            return false;
        for (const char *s = buf; *s; s++) {
            const char *at = strchr(letters, *s);
            if (!at)
                return fail(p, "'%s' is not a kind of access", buf);
            p->i.imm |= 1 << (at - letters) << shift;
        }
        if (shift && !expect(p, ','))
            return false;
    }
    return true;
}

static bool read_helper(struct parser *p)
{
    const struct ir_helper *h = NULL;
    char buf[MAX_WORD];

    if (!read_word(p, buf))
        return false;
    for (unsigned n = 0; p->helpers && p->helpers[n] && p->helpers[n]->name; n++) {
        if (!strcmp(p->helpers[n]->name, buf))
            h = p->helpers[n];
    }
    if (!h)
        return fail(p, "no helper '%s'", buf);
    p->i.helper = h;
    return true;
}

/* The host's instruction that may stand for a call. */
static bool read_x87(struct parser *p)
{
    int64_t v;

    if (!read_number(p, &v))
        return false;
    p->i.mem = v;
    return v == IR_X87_HIGH || (v & ~INT64_C(0x7ff)) == IR_X87 || fail(p, "no x87 instruction");
}

static bool read_call(struct parser *p)
{
    return read_helper(p) && expect(p, '(') && read_values(p, p->i.helper->nargs) &&
           expect(p, ')') && (!accept(p, ',') || read_x87(p));
}

/* The memory operand and @n values behind it. */
static bool read_access_values(struct parser *p, unsigned n)
{
    ir_val *const v[2] = { &p->i.b, &p->i.c };

    if (!read_access(p))
        return false;
    for (unsigned k = 0; k < n; k++) {
        if (!expect(p, ',') || !read_value(p, v[k]))
            return false;
    }
    return true;
}

static bool read_vector(struct parser *p)
{
    unsigned n = 0;

    while (n < 3 && ir_vop_type(p->i.cond, p->i.mem, n + 1) != IR_VOID)
        n++;
    if (!read_values(p, n))
        return false;
    if (!(ir_vop_info[p->i.cond].props & IR_VP_N))
        return true;
    return (!n || expect(p, ',')) && read_number(p, &p->i.imm);
}

static bool read_operands(struct parser *p)
{
    int64_t n;

    switch (p->i.op) {
    case IR_CONST:
    case IR_PCREL: return read_number(p, &p->i.imm);
    case IR_GET:
    case IR_KILL: return read_slot(p);
    case IR_SET: return read_slot(p) && expect(p, ',') && read_value(p, &p->i.a);
    case IR_INSN:
        if (!read_number(p, &p->i.imm) || !expect(p, ',') || !read_number(p, &n))
            return false;
        p->i.a = n;
        return true;
    case IR_CHECK:
        if (!read_access(p) || !expect(p, ',') || !read_number(p, &n))
            return false;
        p->i.c = n < 0 || n > UINT32_MAX ? 0 : n;
        return true;
    case IR_LD:
    case IR_LDX: return read_access_values(p, 0);
    case IR_ST:
    case IR_AMO:
    case IR_LDH: return read_access_values(p, 1);
    case IR_STH:
    case IR_CMPXCHG:
    case IR_STX: return read_access_values(p, 2);
    case IR_FENCE: return read_fence(p);
    case IR_CALL: return read_call(p);
    case IR_TRAPIF: return read_values(p, 2) && expect(p, ',') && read_helper(p);
    case IR_EXITIF: return read_values(p, 2) && expect(p, ',') && read_number(p, &p->i.imm);
    case IR_V:
    case IR_VF: return read_vector(p);
    case IR_GUARD:
    case IR_EXIT: return read_number(p, &p->i.imm);
    default: return read_values(p, ir_op_info[p->i.op].nargs);
    }
}

/* Takes the next part of the operation's name if it is in the list. */
static int take_part(struct parser *p, unsigned *at, const char *const *names, unsigned n)
{
    int found = *at < p->nparts ? find_name(names, n, p->part[*at]) : -1;

    *at += found >= 0;
    return found;
}

static bool take_flag(struct parser *p, unsigned *at, const char *name)
{
    return take_part(p, at, &name, 1) == 0;
}

/* A vector operation, and its lane size with an 's' behind it for the scalar form. */
static bool read_vop(struct parser *p, unsigned *at)
{
    unsigned vop = 0;
    uint64_t lane;
    char *end;

    if (p->nparts < 3)
        return fail(p, "'%s' needs an operation and a lane size", p->part[0]);
    while (vop < IR_NB_VOPS && strcmp(ir_vop_info[vop].name, p->part[*at]))
        vop++;
    if (vop == IR_NB_VOPS)
        return fail(p, "no vector operation '%s'", p->part[*at]);
    lane = g_ascii_strtoull(p->part[*at + 1], &end, 10);
    if (lane > 128 || (*end && strcmp(end, "s")))
        return fail(p, "'%s' is not a lane size", p->part[*at + 1]);
    *at += 2;
    p->i.cond = vop;
    p->i.mem = lane | (*end ? IR_LANE_SCALAR : 0);
    return true;
}

/* What stands between name and type: the condition and its like. */
static bool read_qualifier(struct parser *p, unsigned *at)
{
    int c = 0;

    switch (p->i.op) {
    case IR_SETCC:
    case IR_SELECT:
    case IR_EXITIF:
    case IR_TRAPIF:
    case IR_LOOPIF: c = take_part(p, at, ir_cond_name, IR_NB_CONDS); break;
    case IR_FCMP:
        c = take_part(p, at, ir_fcmp_name, IR_NB_FCMPS);
        if (c >= 0 && take_flag(p, at, "silent"))
            c |= IR_FCMP_SILENT;
        break;
    case IR_AMO: c = take_part(p, at, ir_amo_name, IR_NB_AMOS); break;
    case IR_I2F:
        c = take_part(p, at, ir_round_name, IR_NB_RNDS);
        c = c < 0 ? IR_RND_CUR : c;
        if (take_flag(p, at, "u"))
            c |= IR_F2I_UNSIGNED;
        break;
    case IR_F2I:
        c = take_part(p, at, ir_round_name, IR_NB_RNDS);
        if (c >= 0 && take_flag(p, at, "u"))
            c |= IR_F2I_UNSIGNED;
        break;
    case IR_FMA:
        c = take_flag(p, at, "np") ? IR_FMA_NEG_PRODUCT : 0;
        c |= take_flag(p, at, "na") ? IR_FMA_NEG_ADDEND : 0;
        break;
    case IR_V:
    case IR_VF: return read_vop(p, at);
    default: break;
    }
    if (c < 0)
        return fail(p, "'%s' needs a condition", p->part[0]);
    p->i.cond = c;
    return true;
}

static bool find_op(struct parser *p)
{
    for (unsigned op = IR_NOP + 1; op < IR_NB_OPS; op++) {
        if (!strcmp(ir_op_info[op].name, p->part[0])) {
            p->i.op = op;
            return true;
        }
    }
    return fail(p, "no operation '%s'", p->part[0]);
}

static bool read_op(struct parser *p)
{
    unsigned at = 1;
    int type;

    if (!read_word(p, p->word))
        return false;
    p->nparts = 0;
    for (char *s = p->word, *dot; s; s = dot) {
        if (p->nparts == MAX_PARTS)
            return fail(p, "too many parts in the operation's name");
        p->part[p->nparts++] = s;
        dot = strchr(s, '.');
        if (dot)
            *dot++ = '\0';
    }
    if (!find_op(p) || !read_qualifier(p, &at))
        return false;
    type = take_part(p, &at, ir_type_name, G_N_ELEMENTS(ir_type_name));
    p->i.type = type < 0 ? IR_VOID : type;
    return at == p->nparts || fail(p, "'%s' has a part that it does not take", p->part[0]);
}

/* Values keep their numbers if they can, so that printed text reads back as it was. */
static bool pad_to(struct parser *p, const char *name)
{
    char *end;
    uint64_t n = g_ascii_strtoull(name, &end, 10);

    if (*end || n >= p->ir->limit)
        return true;
    while (p->ir->count < n) {
        if (!ir_append(p->ir, IR_NOP, IR_VOID))
            return fail(p, "the unit is too long");
    }
    return true;
}

static bool append(struct parser *p, const char *name)
{
    enum ir_type type = p->i.type;
    struct ir_insn *i;
    bool is_value;

    if (p->i.op == IR_CONST && (type == IR_I32 || type == IR_F32))
        p->i.imm = type == IR_I32 ? (int32_t)p->i.imm : (int64_t)(uint32_t)p->i.imm;
    is_value = ir_op_info[p->i.op].props & IR_P_V && type != IR_VOID;
    if (*name) {
        if (!is_value)
            return fail(p, "'%s' defines no value", ir_op_info[p->i.op].name);
        if (g_hash_table_contains(p->values, name))
            return fail(p, "%%%s is defined twice", name);
        if (!pad_to(p, name))
            return false;
    }
    i = ir_append(p->ir, p->i.op, type);
    if (!i)
        return fail(p, "the unit is too long");
    *i = p->i;
    if (*name)
        g_hash_table_insert(p->values, g_strdup(name), GUINT_TO_POINTER(i - p->ir->insn));
    if (i->op == IR_INSN)
        p->ir->ninsns++;
    p->ir->loops |= i->op == IR_LOOP || i->op == IR_LOOPIF;
    return true;
}

static bool parse_line(struct parser *p)
{
    char name[MAX_WORD] = "";

    if (accept(p, '%') && (!read_word(p, name) || !expect(p, '=')))
        return false;
    memset(&p->i, 0, sizeof(p->i));
    if (!read_op(p) || !read_operands(p))
        return false;
    if (!at_end(p))
        return fail(p, "the line goes on where it should end");
    return append(p, name);
}

/* "unit PC flags NUMBER" */
static bool parse_head(struct parser *p)
{
    char word[MAX_WORD];
    int64_t pc, flags;

    if (!read_word(p, word))
        return false;
    if (strcmp(word, "unit"))
        return fail(p, "expected 'unit'");
    if (!read_number(p, &pc) || !read_word(p, word))
        return false;
    if (strcmp(word, "flags"))
        return fail(p, "expected 'flags'");
    if (!read_number(p, &flags))
        return false;
    ir_begin(p->ir, pc, flags);
    return at_end(p) || fail(p, "the line goes on where it should end");
}

static bool parse_lines(struct parser *p)
{
    bool head = true;

    for (; *p->s; p->s += *p->s == '\n', p->line++) {
        if (at_end(p))
            continue;
        if (!(head ? parse_head(p) : parse_line(p)))
            return false;
        head = false;
    }
    return !head || fail(p, "no unit");
}

bool ir_parse(struct ir *ir, const char *text, const struct ir_helper *const *helpers, char **error)
{
    struct parser p = { .ir = ir, .s = text, .line = 1, .helpers = helpers };
    bool ok;

    p.values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    ok = parse_lines(&p);
    g_hash_table_destroy(p.values);
    if (ok) {
        p.error = ir_verify(ir);
        ok = !p.error;
    }
    ir->limit = ir->count;
    ir->ended = true;
    *error = p.error;
    return ok;
}
