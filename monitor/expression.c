/*
 * Integer expressions of HMP: C's operators and precedence on 64 bits, numbers in C's notations,
 * 'c', and $register of the current CPU.
 */
#include <string.h>
#include <target/cpu.h>
#include "command.h"

struct parser {
    struct mon *mon;
    const char *at;
    GError **err;
    unsigned depth; /* of parentheses and signs: bounded, since the text is a client's */
};
enum { MAX_DEPTH = 64 };

static bool binary(struct parser *p, unsigned level, uint64_t *v);

static void skip_space(struct parser *p)
{
    while (g_ascii_isspace(*p->at))
        p->at++;
}

static bool read_row(struct cpu *cpu, unsigned i, unsigned bits, uint64_t *v)
{
    uint8_t bytes[128] = { 0 };

    if (bits > sizeof(bytes) * 8 || !cpu->ops->get_reg(cpu, i, bytes))
        return false;
    *v = 0;
    for (unsigned b = 0; b < 8 && b * 8 < bits; b++)
        *v |= (uint64_t)bytes[b] << b * 8;
    return true;
}

/* The row of that name; `count` if there is none. */
static unsigned find_row(const struct cpu_reg *rows, unsigned count, const char *name, size_t len)
{
    unsigned i = 0;

    while (i < count && (strlen(rows[i].name) != len || strncmp(rows[i].name, name, len)))
        i++;
    return i;
}

/* $eax, as monitors of PCs have always taken it, where it is called rax. */
static unsigned find_other_name(const struct cpu_reg *rows, unsigned count, const char *name,
                                size_t len)
{
    g_autofree char *other = g_strndup(name, len);

    if (len != 3 || other[0] != 'e')
        return count;
    other[0] = 'r';
    return find_row(rows, count, other, len);
}

static bool register_value(struct parser *p, uint64_t *v)
{
    size_t len = strspn(p->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    const struct cpu_reg *rows;
    struct cpu *cpu = mon_hold_cpu(p->mon, p->err);
    unsigned count = 0, i;
    bool found;

    if (!cpu)
        return false;
    rows = cpu->ops->regs ? cpu->ops->regs(cpu, &count) : NULL;
    i = find_row(rows, count, p->at, len);
    if (i == count)
        i = find_other_name(rows, count, p->at, len);
    found = i < count && read_row(cpu, i, rows[i].bits, v);
    if (!found && len == 2 && !strncmp(p->at, "pc", 2)) {
        *v = cpu->tcg.pc; /* of x86, the linear address */
        found = true;
    }
    mon_release_cpu(p->mon);
    if (!found)
        return error_set(p->err, "unknown register");
    p->at += len;
    return true;
}

static bool number(struct parser *p, uint64_t *v)
{
    char *end;

    if (!*p->at)
        return error_set(p->err, "unexpected end of expression");
    if (!g_ascii_isdigit(*p->at))
        return error_set(p->err, "invalid char '%c' in expression", *p->at);
    errno = 0;
    *v = g_ascii_strtoull(p->at, &end, 0);
    if (errno == ERANGE)
        return error_set(p->err, "number too large");
    p->at = end;
    return true;
}

static bool unary(struct parser *p, uint64_t *v)
{
    char c;
    bool ok;

    skip_space(p);
    c = *p->at;
    if (c && strchr("-+~!(", c)) {
        if (++p->depth > MAX_DEPTH)
            return error_set(p->err, "expression is nested more than %d deep", MAX_DEPTH);
        p->at++;
        ok = c == '(' ? binary(p, 0, v) : unary(p, v);
        p->depth--;
        if (!ok)
            return false;
        if (c == '(' && *p->at++ != ')') {
            p->at--;
            return error_set(p->err, "')' expected");
        }
        *v = c == '-' ? -*v : c == '~' ? ~*v : c == '!' ? !*v : *v;
    } else if (c == '$') {
        p->at++;
        if (!register_value(p, v))
            return false;
    } else if (c == '\'' && p->at[1] && p->at[2] == '\'') {
        *v = (uint8_t)p->at[1];
        p->at += 3;
    } else if (!number(p, v)) {
        return false;
    }
    skip_space(p);
    return true;
}

static const struct {
    const char *text;
    unsigned level; /* binds tighter the higher */
} operators[] = {
    { "|", 0 }, { "^", 1 }, { "&", 2 }, { "<<", 3 }, { ">>", 3 },
    { "+", 4 }, { "-", 4 }, { "*", 5 }, { "/", 5 },  { "%", 5 },
};
enum { TOP_LEVEL = 6 };

static bool apply(struct parser *p, char op, uint64_t *v, uint64_t w)
{
    switch (op) {
    case '|': *v |= w; break;
    case '^': *v ^= w; break;
    case '&': *v &= w; break;
    case '<': *v = w < 64 ? *v << w : 0; break;
    case '>': *v = w < 64 ? *v >> w : 0; break;
    case '+': *v += w; break;
    case '-': *v -= w; break;
    case '*': *v *= w; break;
    case '/':
    case '%':
        if (!w)
            return error_set(p->err, "division by zero");
        *v = op == '/' ? *v / w : *v % w;
        break;
    }
    return true;
}

static bool binary(struct parser *p, unsigned level, uint64_t *v)
{
    if (level == TOP_LEVEL)
        return unary(p, v);
    if (!binary(p, level + 1, v))
        return false;
    for (unsigned i = 0; i < G_N_ELEMENTS(operators); i++) {
        uint64_t w;

        if (operators[i].level != level || !g_str_has_prefix(p->at, operators[i].text))
            continue;
        p->at += strlen(operators[i].text);
        if (!binary(p, level + 1, &w) || !apply(p, *operators[i].text, v, w))
            return false;
        i = -1; /* again from the first operator */
    }
    return true;
}

bool mon_expression(struct mon *mon, const char **text, int64_t *value, GError **err)
{
    struct parser p = { .mon = mon, .at = *text, .err = err };
    uint64_t v = 0;

    if (!binary(&p, 0, &v))
        return false;
    *text = p.at;
    *value = (int64_t)v;
    return true;
}
