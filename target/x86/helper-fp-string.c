/*
 * PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (Intel SDM vol. 2, 4.1): every element of one string
 * against every one of the other, what that gives summed up by the operation, then polarity.
 */
#include "helper.h"
#include "sys.h"

/* Word bits 0 and 1; 15:8: immediate; 16: 64-bit lengths. */
enum { STR_MASK = 1, STR_EXPLICIT = 2 };

struct strings {
    bool words, is_signed;
    unsigned n;      /* elements in a register */
    unsigned len[2]; /* valid ones of the first and second operand */
    int32_t e[2][16];
};

static void fetch(struct strings *s, const struct x86_v128 *v, unsigned which)
{
    for (unsigned k = 0; k < s->n; k++) {
        unsigned bits = 128 / s->n;
        uint64_t e = v->q[k * bits / 64] >> k * bits % 64;

        if (s->words)
            s->e[which][k] = s->is_signed ? (int16_t)e : (uint16_t)e;
        else
            s->e[which][k] = s->is_signed ? (int8_t)e : (uint8_t)e;
    }
}

static unsigned explicit_length(const struct strings *s, uint64_t reg, bool wide)
{
    int64_t len = wide ? (int64_t)reg : (int32_t)reg;

    if (len < -(int64_t)s->n || len > (int64_t)s->n)
        return s->n;
    return (unsigned)(len < 0 ? -len : len);
}

static unsigned implicit_length(const struct strings *s, unsigned which)
{
    unsigned k = 0;

    while (k < s->n && s->e[which][k])
        k++;
    return k;
}

static bool equal_any(const struct strings *s, unsigned j)
{
    for (unsigned i = 0; i < s->len[0]; i++) {
        if (s->e[0][i] == s->e[1][j])
            return true;
    }
    return false;
}

static bool in_range(const struct strings *s, unsigned j)
{
    for (unsigned i = 0; i + 1 < s->len[0]; i += 2) {
        if (s->e[0][i] <= s->e[1][j] && s->e[1][j] <= s->e[0][i + 1])
            return true;
    }
    return false;
}

/* The first string stands in the second one at @j, as far as that goes. */
static bool substring(const struct strings *s, unsigned j)
{
    for (unsigned i = 0; i < s->len[0] && i + j < s->n; i++) {
        if (i + j >= s->len[1] || s->e[0][i] != s->e[1][i + j])
            return false;
    }
    return true;
}

static unsigned aggregate(const struct strings *s, unsigned op)
{
    unsigned r = 0;

    for (unsigned j = 0; j < s->n; j++) {
        bool in0 = j < s->len[0], in1 = j < s->len[1], bit;

        switch (op) {
        case 0: bit = in1 && equal_any(s, j); break;
        case 1: bit = in1 && in_range(s, j); break;
        case 2: bit = in0 == in1 && (!in0 || s->e[0][j] == s->e[1][j]); break;
        default: bit = substring(s, j); break;
        }
        r |= (unsigned)bit << j;
    }
    return r;
}

static void store_mask(struct x86_cpu *c, const struct strings *s, unsigned r, bool expand)
{
    struct x86_v128 v = { { r, 0 } };
    unsigned bits = 128 / s->n;

    if (expand) {
        v.q[0] = 0;
        for (unsigned k = 0; k < s->n; k++) {
            if (r >> k & 1)
                v.q[k * bits / 64] |= (s->words ? 0xffffull : 0xffull) << k * bits % 64;
        }
    }
    c->vtmp[3] = v;
}

/* The flags, and the index in bits 63:32; a mask goes to vtmp[3]. */
static uint64_t h_sse_strings(struct cpu *cpu, uint64_t word, uint64_t ax, uint64_t dx)
{
    struct x86_cpu *c = x86_of(cpu);
    unsigned imm = word >> 8 & 0xff, r, index;
    struct strings s = { .words = imm & 1, .is_signed = imm & 2, .n = imm & 1 ? 8 : 16 };
    unsigned all = (1u << s.n) - 1;

    for (unsigned k = 0; k < 2; k++) {
        fetch(&s, &c->vtmp[k], k);
        if (word & STR_EXPLICIT)
            s.len[k] = explicit_length(&s, k ? dx : ax, word >> 16 & 1);
        else
            s.len[k] = implicit_length(&s, k);
    }
    r = aggregate(&s, imm >> 2 & 3);
    if ((imm & 0x30) == 0x10)
        r ^= all;
    else if ((imm & 0x30) == 0x30)
        r ^= (1u << s.len[1]) - 1;
    if (word & STR_MASK)
        store_mask(c, &s, r, imm & 0x40);
    index =
        imm & 0x40 ? 31 - (unsigned)__builtin_clz(r | 1) : (unsigned)__builtin_ctz(r | 1u << 31);
    if (!r)
        index = s.n;
    return (uint64_t)index << 32 | (r ? FLAG_CF : 0) | (s.len[1] < s.n ? FLAG_ZF : 0) |
           (s.len[0] < s.n ? FLAG_SF : 0) | (r & 1 ? FLAG_OF : 0);
}
HELPER_DEFINE(sse_strings, IR_H_CPU | IR_H_READS | IR_H_WRITES, IR_I64, 3, IR_I64, IR_I64, IR_I64);
