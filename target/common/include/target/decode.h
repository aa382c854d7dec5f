/*
 * Tables that decodegen makes of target/<guest>/<name>.decode: which instructions there are. The
 * translator uses the decision tree made of the same lines; test generators and listings read
 * these.
 */
#ifndef TARGET_DECODE_H
#define TARGET_DECODE_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of the instruction word that an operand is put together from, most significant first. */
struct decode_piece {
    int8_t pos;  /* lowest bit in the word; negative: zero bits */
    uint8_t len; /* bits */
};

/* An operand: the pieces, sign extended if so, plus `add`. */
struct decode_operand {
    const char *name;
    bool is_signed;
    uint8_t npieces; /* 0: the constant `add` */
    int32_t add;
    struct decode_piece piece[12];
};

/* Values of an operand that belong to other instructions or are reserved. */
struct decode_except {
    const char *name; /* of the operand */
    int32_t value;
};

struct decode_form {
    const char *name;    /* "addi" */
    const char *handler; /* "tr_addi" */
    const char *ext;     /* condition: names joined by & and |, & first */
    unsigned bits;       /* 16 or 32 */
    uint32_t mask, match;
    unsigned noperands, nexcepts;
    const struct decode_operand *operand;
    const struct decode_except *except;
};

struct decode_table {
    const char *name;
    const struct decode_form *form;
    unsigned count;
    /* Index of the form that @insn is on CPU model @model, or -1. */
    int (*find)(const void *model, uint32_t insn, unsigned bits);
};

/* The value of operand @o in @insn. */
static inline int32_t decode_operand(const struct decode_operand *o, uint32_t insn)
{
    uint64_t v = 0;
    unsigned bits = 0;

    for (unsigned k = 0; k < o->npieces; k++) {
        const struct decode_piece *p = &o->piece[k];
        uint32_t field = p->pos < 0 ? 0 : insn >> p->pos & (uint32_t)((1ULL << p->len) - 1);
        v = v << p->len | field;
        bits += p->len;
    }
    if (o->is_signed && bits)
        v = (uint64_t)((int64_t)(v << (64 - bits)) >> (64 - bits));
    return (int32_t)v + o->add;
}

/* Whether @insn is form @f, extensions aside. */
static inline bool decode_matches(const struct decode_form *f, uint32_t insn)
{
    if ((insn & f->mask) != f->match)
        return false;
    for (unsigned k = 0; k < f->nexcepts; k++)
        for (unsigned n = 0; n < f->noperands; n++)
            if (!__builtin_strcmp(f->operand[n].name, f->except[k].name) &&
                decode_operand(&f->operand[n], insn) == f->except[k].value)
                return false;
    return true;
}

#endif
