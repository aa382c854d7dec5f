/*
 * The printer of the text form (docs/ir.md). What it prints, ir_parse() reads back to the same
 * unit.
 */
#include <inttypes.h>
#include "text.h"

const char *const ir_cond_name[IR_NB_CONDS] = { "eq", "ne", "lt",  "ge",  "ltu",   "geu",
                                                "le", "gt", "leu", "gtu", "tsteq", "tstne" };
const char *const ir_fcmp_name[IR_NB_FCMPS] = { "eq", "lt", "le", "ltq", "leq" };
const char *const ir_amo_name[IR_NB_AMOS] = { "swap", "add", "and",  "or",  "xor",
                                              "min",  "max", "minu", "maxu" };
const char *const ir_round_name[IR_NB_RNDS] = { "cur", "rne", "rtz", "rdn", "rup", "rmm" };

static void print_number(FILE *to, int64_t v)
{
    if (v > -4096 && v < 4096)
        fprintf(to, "%" PRId64, v);
    else
        fprintf(to, "0x%" PRIx64, (uint64_t)v);
}

/* What stands between the operation's name and its type. */
static void print_qualifier(const struct ir_insn *i, FILE *to)
{
    switch (i->op) {
    case IR_SETCC:
    case IR_SELECT:
    case IR_EXITIF:
    case IR_TRAPIF:
    case IR_LOOPIF: fprintf(to, ".%s", ir_cond_name[i->cond]); break;
    case IR_FCMP:
        fprintf(to, ".%s%s", ir_fcmp_name[i->cond & ~IR_FCMP_SILENT],
                i->cond & IR_FCMP_SILENT ? ".silent" : "");
        break;
    case IR_AMO: fprintf(to, ".%s", ir_amo_name[i->cond]); break;
    case IR_I2F:
        if (i->cond & 7)
            fprintf(to, ".%s", ir_round_name[i->cond & 7]);
        fprintf(to, "%s", i->cond & IR_F2I_UNSIGNED ? ".u" : "");
        break;
    case IR_F2I:
        fprintf(to, ".%s%s", ir_round_name[i->cond & 7], i->cond & IR_F2I_UNSIGNED ? ".u" : "");
        break;
    case IR_FMA:
        fprintf(to, "%s%s", i->cond & IR_FMA_NEG_PRODUCT ? ".np" : "",
                i->cond & IR_FMA_NEG_ADDEND ? ".na" : "");
        break;
    case IR_V:
    case IR_VF:
        fprintf(to, ".%s.%u%s", ir_vop_info[i->cond].name, i->mem & 0xff,
                i->mem & IR_LANE_SCALAR ? "s" : "");
        break;
    default: break;
    }
}

/* " s4be:1 [%3 + 16]" */
static void print_access(const struct ir_insn *i, FILE *to)
{
    unsigned mem = i->mem;

    fprintf(to, " %c%u%s%s%s%s:%u [%%%u", mem & IR_MEM_SIGNED ? 's' : 'u', ir_mem_bytes(mem),
            mem & IR_MEM_BE ? "be" : "", mem & IR_MEM_ALIGNED ? "al" : "",
            mem & IR_MEM_WRITE ? "w" : "", mem & IR_MEM_ANY ? "any" : "", ir_mem_mode(mem), i->a);
    if (i->imm) {
        fprintf(to, " + ");
        print_number(to, i->imm);
    }
    fprintf(to, "]");
}

static void print_fence(FILE *to, unsigned mask)
{
    fprintf(to, " %s%s%s%s,", mask & 0x80 ? "i" : "", mask & 0x40 ? "o" : "",
            mask & 0x20 ? "r" : "", mask & 0x10 ? "w" : "");
    fprintf(to, " %s%s%s%s", mask & 8 ? "i" : "", mask & 4 ? "o" : "", mask & 2 ? "r" : "",
            mask & 1 ? "w" : "");
}

static void print_call(const struct ir_insn *i, FILE *to)
{
    const ir_val v[4] = { i->a, i->b, i->c, i->d };

    fprintf(to, " %s(", i->helper->name);
    for (unsigned n = 0; n < i->helper->nargs; n++)
        fprintf(to, "%s%%%u", n ? ", " : "", v[n]);
    fprintf(to, ")");
    if (i->mem)
        fprintf(to, ", 0x%x", i->mem);
}

static void print_values(const struct ir_insn *i, FILE *to)
{
    const ir_val v[4] = { i->a, i->b, i->c, i->d };

    for (unsigned n = 0; n < ir_op_info[i->op].nargs; n++)
        fprintf(to, "%s%%%u", n ? ", " : " ", v[n]);
}

static void print_vector(const struct ir_insn *i, FILE *to)
{
    const ir_val v[3] = { i->a, i->b, i->c };
    const char *before = " ";

    for (unsigned n = 0; n < 3; n++) {
        if (ir_vop_type(i->cond, i->mem, n + 1) == IR_VOID)
            break;
        fprintf(to, "%s%%%u", before, v[n]);
        before = ", ";
    }
    if (ir_vop_info[i->cond].props & IR_VP_N)
        fprintf(to, "%s%" PRId64, before, i->imm);
}

static void print_operands(const struct ir *ir, const struct ir_insn *i, FILE *to)
{
    switch (i->op) {
    case IR_CONST:
    case IR_PCREL:
        fprintf(to, " ");
        print_number(to, i->imm);
        break;
    case IR_GET:
    case IR_KILL: fprintf(to, " %s", ir->slots->slot[i->imm].name); break;
    case IR_SET: fprintf(to, " %s, %%%u", ir->slots->slot[i->imm].name, i->a); break;
    case IR_INSN: fprintf(to, " 0x%" PRIx64 ", %u", (uint64_t)i->imm, i->a); break;
    case IR_LD:
    case IR_LDX: print_access(i, to); break;
    case IR_ST:
    case IR_AMO:
    case IR_LDH:
        print_access(i, to);
        fprintf(to, ", %%%u", i->b);
        break;
    case IR_CHECK:
        print_access(i, to);
        fprintf(to, ", %u", i->c);
        break;
    case IR_STH:
    case IR_CMPXCHG:
    case IR_STX:
        print_access(i, to);
        fprintf(to, ", %%%u, %%%u", i->b, i->c);
        break;
    case IR_FENCE: print_fence(to, i->imm); break;
    case IR_CALL: print_call(i, to); break;
    case IR_TRAPIF:
        print_values(i, to);
        fprintf(to, ", %s", i->helper->name);
        break;
    case IR_EXITIF:
        print_values(i, to);
        fprintf(to, ", 0x%" PRIx64, (uint64_t)i->imm);
        break;
    case IR_V:
    case IR_VF: print_vector(i, to); break;
    case IR_GUARD:
    case IR_EXIT: fprintf(to, " 0x%" PRIx64, (uint64_t)i->imm); break;
    default: print_values(i, to); break;
    }
}

void ir_print(const struct ir *ir, FILE *to)
{
    fprintf(to, "unit 0x%" PRIx64 " flags 0x%x\n", ir->pc, ir->flags);
    for (uint32_t n = 1; n < ir->count; n++) {
        const struct ir_insn *i = &ir->insn[n];
        bool value = ir_op_info[i->op].props & IR_P_V && i->type != IR_VOID;

        if (i->op == IR_NOP)
            continue;
        fprintf(to, i->op == IR_INSN ? "  " : "    ");
        if (value)
            fprintf(to, "%%%u = ", n);
        fprintf(to, "%s", ir_op_info[i->op].name);
        print_qualifier(i, to);
        if (i->type != IR_VOID)
            fprintf(to, ".%s", ir_type_name[i->type]);
        print_operands(ir, i, to);
        fprintf(to, "\n");
    }
}
