/*
 * What RISC-V integer instructions compute, against their definitions in plain C, on random
 * operands and both register widths.
 */
#include <inttypes.h>
#include "fpvalues.h"
#include "rvrun.h"

#define DECODER(name) extern const struct decode_table riscv_##name##_table;
#include "target/riscv/decoders.def"
#undef DECODER

/* Operands: rs1, rs2 zero extended from XLEN bits. */
struct in {
    uint64_t a, b, pc, next;
    int64_t imm;
    unsigned xlen;
};

static int64_t sx(const struct in *i, uint64_t v)
{
    return i->xlen == 32 ? (int32_t)v : (int64_t)v;
}

static unsigned count(const struct in *i, uint64_t v)
{
    return v & (i->xlen - 1);
}

#define OP(name, expr)                      \
    static uint64_t op_##name(struct in *i) \
    {                                       \
        return expr;                        \
    }
#define A    (i->a)
#define B    (i->b)
#define SA   sx(i, i->a)
#define SB   sx(i, i->b)
#define A32  ((uint32_t)i->a)
#define B32  ((uint32_t)i->b)
#define W(v) ((uint64_t)(int64_t)(int32_t)(v))

OP(lui, i->imm)
OP(auipc, i->pc + i->imm)
OP(link, i->next)
OP(addi, A + i->imm)
OP(slti, SA < i->imm)
OP(sltiu, A < (i->xlen == 32 ? (uint32_t)i->imm : (uint64_t)i->imm))
OP(xori, A ^ i->imm)
OP(ori, A | i->imm)
OP(andi, A & i->imm)
OP(slli, A << i->imm)
OP(srli, A >> i->imm)
OP(srai, SA >> i->imm)
OP(add, A + B)
OP(sub, A - B)
OP(sll, A << count(i, B))
OP(slt, SA < SB)
OP(sltu, A < B)
OP(xor, A ^ B)
OP(srl, A >> count(i, B))
OP(sra, SA >> count(i, B))
OP(or, A | B)
OP(and, A &B)
OP(not, ~A)
OP(addiw, W(A32 + (uint32_t)i->imm))
OP(slliw, W(A32 << i->imm))
OP(srliw, W(A32 >> i->imm))
OP(sraiw, W((int32_t)A32 >> i->imm))
OP(addw, W(A32 + B32))
OP(subw, W(A32 - B32))
OP(sllw, W(A32 << (B & 31)))
OP(srlw, W(A32 >> (B & 31)))
OP(sraw, W((int32_t)A32 >> (B & 31)))

OP(mul, A *B)
OP(mulh, (uint64_t)((__int128)SA *SB >> i->xlen))
OP(mulhsu, (uint64_t)((__int128)SA *(__int128)B >> i->xlen))
OP(mulhu, (uint64_t)((unsigned __int128)A *B >> i->xlen))
OP(mulw, W(A32 *B32))

static int64_t quotient(__int128 a, __int128 b)
{
    return b ? (int64_t)(a / b) : -1; /* the overflow wraps to the dividend */
}

static int64_t rest(__int128 a, __int128 b)
{
    return b ? (int64_t)(a % b) : (int64_t)a;
}

OP(div, quotient(SA, SB))
OP(divu, quotient(A, B))
OP(rem, rest(SA, SB))
OP(remu, rest(A, B))
OP(divw, W(quotient((int32_t)A, (int32_t)B)))
OP(divuw, W(quotient(A32, B32)))
OP(remw, W(rest((int32_t)A, (int32_t)B)))
OP(remuw, W(rest(A32, B32)))

OP(sh1add, (A << 1) + B)
OP(sh2add, (A << 2) + B)
OP(sh3add, (A << 3) + B)
OP(add_uw, A32 + B)
OP(sh1add_uw, ((uint64_t)A32 << 1) + B)
OP(sh2add_uw, ((uint64_t)A32 << 2) + B)
OP(sh3add_uw, ((uint64_t)A32 << 3) + B)
OP(slli_uw, (uint64_t)A32 << i->imm)
OP(zext_w, A32)
OP(andn, A & ~B)
OP(orn, A | ~B)
OP(xnor, ~(A ^ B))
OP(max, SA > SB ? A : B)
OP(maxu, A > B ? A : B)
OP(min, SA < SB ? A : B)
OP(minu, A < B ? A : B)
OP(sext_b, (int8_t)A)
OP(sext_h, (int16_t)A)
OP(zext_h, (uint16_t)A)
OP(cpopw, __builtin_popcount(A32))
OP(cpop, __builtin_popcountll(A))

static unsigned zeros_above(uint64_t v, unsigned width)
{
    unsigned n = 0;

    while (n < width && !(v >> (width - 1 - n) & 1))
        n++;
    return n;
}

static unsigned zeros_below(uint64_t v, unsigned width)
{
    unsigned n = 0;

    while (n < width && !(v >> n & 1))
        n++;
    return n;
}

OP(clz, zeros_above(A, i->xlen))
OP(ctz, zeros_below(A, i->xlen))
OP(clzw, zeros_above(A32, 32))
OP(ctzw, zeros_below(A32, 32))

static uint64_t rotate_right(uint64_t v, unsigned n, unsigned width)
{
    for (; n; n--)
        v = v >> 1 | (v & 1) << (width - 1);
    return v;
}

OP(ror, rotate_right(A, count(i, B), i->xlen))
OP(rol, rotate_right(A, count(i, -B), i->xlen))
OP(rori, rotate_right(A, i->imm, i->xlen))
OP(rorw, W(rotate_right(A32, B & 31, 32)))
OP(rolw, W(rotate_right(A32, -B & 31, 32)))
OP(roriw, W(rotate_right(A32, i->imm, 32)))

static uint64_t op_orc_b(struct in *i)
{
    uint64_t v = 0;

    for (unsigned k = 0; k < i->xlen; k += 8)
        if (A >> k & 0xff)
            v |= 0xffULL << k;
    return v;
}

static uint64_t op_rev8(struct in *i)
{
    uint64_t v = 0;

    for (unsigned k = 0; k < i->xlen; k += 8)
        v = v << 8 | (A >> k & 0xff);
    return v;
}

static unsigned __int128 carryless(const struct in *i)
{
    unsigned __int128 v = 0;

    for (unsigned k = 0; k < i->xlen; k++)
        if (B >> k & 1)
            v ^= (unsigned __int128)A << k;
    return v;
}

OP(clmul, (uint64_t)carryless(i))
OP(clmulh, (uint64_t)(carryless(i) >> i->xlen))
OP(clmulr, (uint64_t)(carryless(i) >> (i->xlen - 1)))
OP(bclr, A & ~(1ULL << count(i, B)))
OP(bext, A >> count(i, B) & 1)
OP(binv, A ^ 1ULL << count(i, B))
OP(bset, A | 1ULL << count(i, B))
OP(bclri, A & ~(1ULL << i->imm))
OP(bexti, A >> i->imm & 1)
OP(binvi, A ^ 1ULL << i->imm)
OP(bseti, A | 1ULL << i->imm)
OP(czero_eqz, B ? A : 0)
OP(czero_nez, B ? 0 : A)

/* By handler: compressed forms have that of the instruction they stand for. */
static const struct {
    const char *handler;
    uint64_t (*op)(struct in *i);
} ops[] = {
#define ROW(name)              \
    {                          \
        "tr_" #name, op_##name \
    }
    ROW(lui),
    ROW(auipc),
    { "tr_jal", op_link },
    { "tr_jalr", op_link },
    ROW(addi),
    ROW(slti),
    ROW(sltiu),
    ROW(xori),
    ROW(ori),
    ROW(andi),
    ROW(slli),
    ROW(srli),
    ROW(srai),
    ROW(add),
    ROW(sub),
    ROW(sll),
    ROW(slt),
    ROW(sltu),
    ROW(xor),
    ROW(srl),
    ROW(sra),
    ROW(or),
    ROW(and),
    ROW(not ),
    ROW(addiw),
    ROW(slliw),
    ROW(srliw),
    ROW(sraiw),
    ROW(addw),
    ROW(subw),
    ROW(sllw),
    ROW(srlw),
    ROW(sraw),
    ROW(mul),
    ROW(mulh),
    ROW(mulhsu),
    ROW(mulhu),
    ROW(mulw),
    ROW(div),
    ROW(divu),
    ROW(rem),
    ROW(remu),
    ROW(divw),
    ROW(divuw),
    ROW(remw),
    ROW(remuw),
    ROW(sh1add),
    ROW(sh2add),
    ROW(sh3add),
    ROW(add_uw),
    ROW(sh1add_uw),
    ROW(sh2add_uw),
    ROW(sh3add_uw),
    ROW(slli_uw),
    ROW(zext_w),
    ROW(andn),
    ROW(orn),
    ROW(xnor),
    ROW(max),
    ROW(maxu),
    ROW(min),
    ROW(minu),
    ROW(sext_b),
    ROW(sext_h),
    ROW(zext_h),
    ROW(cpopw),
    ROW(cpop),
    ROW(clz),
    ROW(ctz),
    ROW(clzw),
    ROW(ctzw),
    ROW(ror),
    ROW(rol),
    ROW(rori),
    ROW(rorw),
    ROW(rolw),
    ROW(roriw),
    ROW(orc_b),
    ROW(rev8),
    ROW(clmul),
    ROW(clmulh),
    ROW(clmulr),
    ROW(bclr),
    ROW(bext),
    ROW(binv),
    ROW(bset),
    ROW(bclri),
    ROW(bexti),
    ROW(binvi),
    ROW(bseti),
    ROW(czero_eqz),
    ROW(czero_nez),
#undef ROW
};

static uint64_t (*op_of(const struct decode_form *f))(struct in *i)
{
    for (unsigned k = 0; k < G_N_ELEMENTS(ops); k++)
        if (!strcmp(ops[k].handler, f->handler))
            return ops[k].op;
    return NULL;
}

static int operand(const struct decode_form *f, const char *name, uint32_t insn)
{
    for (unsigned n = 0; n < f->noperands; n++)
        if (!strcmp(f->operand[n].name, name))
            return decode_operand(&f->operand[n], insn);
    return 0;
}

static void check(struct rvrun *r, const struct decode_form *f, uint64_t (*op)(struct in *),
                  uint32_t insn)
{
    struct cpu *cpu = &r->cpu->cpu;
    unsigned rs1 = operand(f, "rs1", insn), rs2 = operand(f, "rs2", insn);
    unsigned rd = operand(f, "rd", insn);
    struct in in = {
        .a = rs1 ? riscv_get_x(cpu, rs1) : 0,
        .b = rs2 ? riscv_get_x(cpu, rs2) : 0,
        .pc = RVRUN_PC,
        .next = RVRUN_PC + f->bits / 8,
        .imm = operand(f, "imm", insn),
        .xlen = r->cpu->xlen,
    };
    uint64_t want = riscv_trunc(r->cpu, op(&in));

    r->cpu->mcause = 0;
    g_autofree char *what = rvrun_run(r);
    if (r->cpu->mcause == EXC_ILLEGAL && in.xlen == 32 && in.imm >= 32)
        return; /* a reserved shift count */
    if (what || r->loops || !rd)
        return; /* test-riscv-forms reports differences */
    if (riscv_get_x(cpu, rd) != want)
        g_error("%s %08x of %" PRIx64 ", %" PRIx64 ": %" PRIx64 ", not %" PRIx64, f->name, insn,
                in.a, in.b, riscv_get_x(cpu, rd), want);
}

static void check_table(struct rvrun *r, const struct decode_table *t, unsigned *seen)
{
    GRand *rand = fpv_rand_new();

    for (unsigned form = 0; form < t->count; form++) {
        uint64_t (*op)(struct in *) = op_of(&t->form[form]);
        uint32_t insn;

        if (!op)
            continue;
        *seen += 1;
        for (unsigned k = rvrun_count(50); k && rvrun_encode(r, t, form, rand, &insn); k--) {
            rvrun_randomize(r, rand);
            rvrun_set_code(r, &insn, t->form[form].bits / 8);
            check(r, &t->form[form], op, insn);
        }
    }
    g_rand_free(rand);
}

static void test_arch(const void *arch)
{
    struct rvrun *r = rvrun_new(arch, "max");
    unsigned seen = 0;

    check_table(r, &riscv_i_table, &seen);
    check_table(r, &riscv_m_table, &seen);
    check_table(r, &riscv_b_table, &seen);
    g_assert_cmpuint(seen, >=, G_N_ELEMENTS(ops)); /* no row of ops[] is misspelt */
    rvrun_free(r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/riscv-int/64", "riscv64", test_arch);
    g_test_add_data_func("/riscv-int/32", "riscv32", test_arch);
    return g_test_run();
}
