/*
 * The host's x87 for the guest's: value operations under the guest's control word, and the guest's
 * whole state in the host's registers, for generated code (tcg_cpu.x87).
 *
 * Exceptions stay pending in the host's status word until a waiting instruction, so unmasked ones
 * are read and cleared without ever reaching the host's kernel. Between calls the host's x87 has an
 * empty stack with TOP 0 and the C environment's control word. Its sticky flags are left as they
 * are, since clearing costs more than the arithmetic: an operation that seems to raise a flag that
 * the guest does not have yet is repeated with clear flags.
 */
#include "x87.h"

#ifdef __x86_64__

/* Behind the instruction, which left the stack as the guest's would be: ES says that an exception
 * is pending, which the stores below would wait for. */
#define STATUS        "\n\tfnstsw %%ax\n\ttestb $0x80, %%al\n\tjz 1f\n\tfnclex\n1:\n\t"
/* TOP is 7 with one value on the stack and 6 with two: bit 11. */
#define IF_ODD(insn)  "testb $8, %%ah\n\tjz 2f\n\t" insn "\n2:\n\t"
#define IF_EVEN(insn) "testb $8, %%ah\n\tjnz 2f\n\t" insn "\n2:\n\t"

#define ST_CLOBBERS "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc"
#define HOST(name, load, insn, after)                                         \
    static void host_##name(struct x87_io *io)                                \
    {                                                                         \
        __asm__ volatile(load insn STATUS after                               \
                         : "=&a"(io->sw), [r] "=m"(io->r), [r2] "=m"(io->r2)  \
                         : [a] "m"(io->a), [b] "m"(io->b), [mem] "m"(io->mem) \
                         : ST_CLOBBERS);                                      \
    }

#define LOAD_AB   "fldt %[b]\n\tfldt %[a]\n\t"
#define LOAD_A    "fldt %[a]\n\t"
#define STORE_1   "fstpt %[r]\n\t"
#define DROP      "fstp %%st(0)\n\t"
#define POP_OTHER "fstp %%st(0)"

/* Both orders of operands have instructions of their own. */
#define HOST_ARITH(insn)                                              \
    HOST(insn##_r, LOAD_AB, "f" #insn " %%st(1), %%st", STORE_1 DROP) \
    HOST(insn##_f32, LOAD_A, "f" #insn "s %[mem]", STORE_1)           \
    HOST(insn##_f64, LOAD_A, "f" #insn "l %[mem]", STORE_1)           \
    HOST(insn##_i16, LOAD_A, "fi" #insn "s %[mem]", STORE_1)          \
    HOST(insn##_i32, LOAD_A, "fi" #insn "l %[mem]", STORE_1)

HOST_ARITH(add)
HOST_ARITH(mul)
HOST_ARITH(sub)
HOST_ARITH(subr)
HOST_ARITH(div)
HOST_ARITH(divr)
HOST(com_r, LOAD_AB, "fcom %%st(1)", DROP DROP)
HOST(com_f32, LOAD_A, "fcoms %[mem]", DROP)
HOST(com_f64, LOAD_A, "fcoml %[mem]", DROP)
HOST(com_i16, LOAD_A, "ficoms %[mem]", DROP)
HOST(com_i32, LOAD_A, "ficoml %[mem]", DROP)
HOST(ucom, LOAD_AB, "fucom %%st(1)", DROP DROP)
HOST(tst, LOAD_A, "ftst", DROP)
HOST(xam, LOAD_A, "fxam", DROP)
HOST(sqrt, LOAD_A, "fsqrt", STORE_1)
HOST(rndint, LOAD_A, "frndint", STORE_1)
HOST(f2xm1, LOAD_A, "f2xm1", STORE_1)
HOST(sin, LOAD_A, "fsin", STORE_1)
HOST(cos, LOAD_A, "fcos", STORE_1)
HOST(scale, LOAD_AB, "fscale", STORE_1 DROP)
HOST(prem, LOAD_AB, "fprem", STORE_1 DROP)
HOST(prem1, LOAD_AB, "fprem1", STORE_1 DROP)

/* These pop unless they do not complete. */
HOST(yl2x, LOAD_AB, "fyl2x", IF_EVEN(POP_OTHER) STORE_1)
HOST(yl2xp1, LOAD_AB, "fyl2xp1", IF_EVEN(POP_OTHER) STORE_1)
HOST(patan, LOAD_AB, "fpatan", IF_EVEN(POP_OTHER) STORE_1)

/* And these push. */
HOST(ptan, LOAD_A, "fptan", IF_EVEN("fstpt %[r2]") STORE_1)
HOST(sincos, LOAD_A, "fsincos", IF_EVEN("fstpt %[r2]") STORE_1)
HOST(xtract, LOAD_A, "fxtract", IF_EVEN("fstpt %[r2]") STORE_1)
HOST(ld_f32, "", "flds %[mem]", IF_ODD("fstpt %[r]"))
HOST(ld_f64, "", "fldl %[mem]", IF_ODD("fstpt %[r]"))
HOST(ld_bcd, "", "fbld %[b]", IF_ODD("fstpt %[r]"))
HOST(st_f32, LOAD_A, "fstps %[r]", IF_ODD(POP_OTHER))
HOST(st_f64, LOAD_A, "fstpl %[r]", IF_ODD(POP_OTHER))
HOST(st_i16, LOAD_A, "fistps %[r]", IF_ODD(POP_OTHER))
HOST(st_i32, LOAD_A, "fistpl %[r]", IF_ODD(POP_OTHER))
HOST(st_i64, LOAD_A, "fistpll %[r]", IF_ODD(POP_OTHER))
HOST(tt_i16, LOAD_A, "fisttps %[r]", IF_ODD(POP_OTHER))
HOST(tt_i32, LOAD_A, "fisttpl %[r]", IF_ODD(POP_OTHER))
HOST(tt_i64, LOAD_A, "fisttpll %[r]", IF_ODD(POP_OTHER))
HOST(st_bcd, LOAD_A, "fbstp %[r]", IF_ODD(POP_OTHER))

typedef void x87_host_fn(struct x87_io *io);

#define ROW(NAME, insn)                                                                   \
    [X87_##NAME + X87_REG] = host_##insn##_r, [X87_##NAME + X87_F32] = host_##insn##_f32, \
                  [X87_##NAME + X87_F64] = host_##insn##_f64,                             \
                  [X87_##NAME + X87_I16] = host_##insn##_i16,                             \
                  [X87_##NAME + X87_I32] = host_##insn##_i32

static x87_host_fn *const host_op[X87_NB_OPS] = {
    ROW(ADD, add),
    ROW(MUL, mul),
    ROW(COM, com),
    ROW(SUB, sub),
    ROW(SUBR, subr),
    ROW(DIV, div),
    ROW(DIVR, divr),
    [X87_UCOM] = host_ucom,
    [X87_TST] = host_tst,
    [X87_XAM] = host_xam,
    [X87_SQRT] = host_sqrt,
    [X87_RNDINT] = host_rndint,
    [X87_F2XM1] = host_f2xm1,
    [X87_SIN] = host_sin,
    [X87_COS] = host_cos,
    [X87_SCALE] = host_scale,
    [X87_PREM] = host_prem,
    [X87_PREM1] = host_prem1,
    [X87_YL2X] = host_yl2x,
    [X87_YL2XP1] = host_yl2xp1,
    [X87_PATAN] = host_patan,
    [X87_PTAN] = host_ptan,
    [X87_SINCOS] = host_sincos,
    [X87_XTRACT] = host_xtract,
    [X87_LD_F32] = host_ld_f32,
    [X87_LD_F64] = host_ld_f64,
    [X87_LD_BCD] = host_ld_bcd,
    [X87_ST_F32] = host_st_f32,
    [X87_ST_F64] = host_st_f64,
    [X87_ST_I16] = host_st_i16,
    [X87_ST_I32] = host_st_i32,
    [X87_ST_I64] = host_st_i64,
    [X87_TT_I16] = host_tt_i16,
    [X87_TT_I32] = host_tt_i32,
    [X87_TT_I64] = host_tt_i64,
    [X87_ST_BCD] = host_st_bcd,
};

/* The bits of the guest's control word that mean anything. */
static uint16_t host_control(uint16_t cw)
{
    return (cw & 0xf3f) | 0x40;
}

static void set_control(uint16_t cw)
{
    __asm__ volatile("fldcw %0" : : "m"(cw));
}

static void clear_flags(void)
{
    __asm__ volatile("fnclex");
}

void x87_host_run(enum x87_op op, struct x87_io *io)
{
    uint16_t cw = host_control(io->cw);
    bool masked = (cw & X87_EXC) == X87_EXC;

    if (!masked)
        clear_flags();
    if (cw != X87_CW_INIT)
        set_control(cw);
    host_op[op](io);
    if (masked && io->sw & X87_EXC & ~io->sticky) {
        clear_flags();
        host_op[op](io);
    }
    if (cw != X87_CW_INIT)
        set_control(X87_CW_INIT);
}

/* FSAVE's image (SDM vol. 1, 8.1.10). */
struct image {
    uint32_t cw, sw, tw, ip, cs, dp, ds;
    uint8_t st[8][10];
};

/* All exceptions are masked: none is pending. */
static void load_state(struct tcg_cpu *cpu)
{
    struct x86_cpu *c = x86_of((struct cpu *)cpu);
    struct image m = { .cw = host_control(c->fpu_cw), .sw = c->fpu_sw, .tw = c->fpu_tw };

    for (unsigned i = 0; i < 8; i++)
        memcpy(m.st[i], &c->fpr[x87_phys(c, i)], sizeof(m.st[i]));
    __asm__ volatile("frstor %0" : : "m"(m));
    cpu->x87.in_host = true;
}

static void save_state(struct tcg_cpu *cpu)
{
    struct x86_cpu *c = x86_of((struct cpu *)cpu);
    struct image m;

    __asm__ volatile("fnsave %0" : "=m"(m)); /* and FNINIT */
    c->fpu_sw = m.sw;
    x87_set_tag_word(c, m.tw);
    for (unsigned i = 0; i < 8; i++)
        memcpy(&c->fpr[x87_phys(c, i)], m.st[i], sizeof(m.st[i]));
    cpu->x87.in_host = false;
}

void x87_host_setup(struct x86_cpu *c)
{
    c->cpu.tcg.x87.load = load_state;
    c->cpu.tcg.x87.save = save_state;
}

bool x87_host_control(struct x86_cpu *c)
{
    if (c->cpu.tcg.x87.in_host)
        set_control(host_control(c->fpu_cw));
    return c->cpu.tcg.x87.in_host;
}

#endif
