/*
 * Privileged and atomic RISC-V instructions, as the interpreter and the host backend run them:
 * who may execute what, returns from traps, status writes, reservations.
 */
#include "fpvalues.h"
#include "rvrun.h"

enum {
    A0 = 10,
    A1 = 11,
    A2 = 12,
    ECALL = 0x00000073,
    EBREAK = 0x00100073,
    SRET = 0x10200073,
    MRET = 0x30200073,
    WFI = 0x10500073,
    SFENCE_VMA = 0x12b50073, /* a0, a1 */
    SINVAL_VMA = 0x16b50073,
    SFENCE_W_INVAL = 0x18000073,
    CBO_ZERO = 0x0045200f,  /* (a0) */
    CBO_FLUSH = 0x0025200f, /* (a0) */
    CSRR_A0_TIME = 0xc0102573,
    CSRR_A0_SATP = 0x18002573,
    CSRR_A0_MHARTID = 0xf1402573,
    CSRW_MHARTID_A0 = 0xf1451073,
    CSRRW_A0_SSCRATCH_A1 = 0x14059573,
    CSRRC_A0_SSTATUS_2 = 0x10017573, /* csrrci a0, sstatus, 2 */
    CSRRS_A0_SSTATUS_A1 = 0x1005a573,
    CSRRW_A0_SEPC_A1 = 0x14159573,
    LR_W_A0_A1 = 0x1005a52f,
    LR_D_A0_A1 = 0x1005b52f,
    SC_W_A0_A2_A1 = 0x18c5a52f,
    SC_D_A0_A2_A1 = 0x18c5b52f,
    SC_D_A1_A2_A1 = 0x18c5b5af,
    SW_A2_A1 = 0x00c5a023,
    JR_A0 = 0x00050067,
};
#define WORD (RVRUN_RAM + 0x100)

struct fixture {
    struct rvrun *r;
    struct riscv_cpu *c;
    GRand *rand;
};

static void set_up(struct fixture *f, const char *spec)
{
    f->r = rvrun_new("riscv64", spec);
    f->c = f->r->cpu;
    f->rand = fpv_rand_new();
    rvrun_randomize(f->r, f->rand);
    f->c->mtvec = 0x8000;
    f->c->stvec = 0x9000;
}

static void tear_down(struct fixture *f)
{
    g_rand_free(f->rand);
    rvrun_free(f->r);
}

static void run(struct fixture *f, const uint32_t *insn, unsigned count)
{
    rvrun_set_code(f->r, insn, count * sizeof(*insn));
    g_autofree char *what = rvrun_run(f->r);
    g_assert_cmpstr(what, ==, NULL);
}

static void run1(struct fixture *f, uint32_t insn)
{
    run(f, &insn, 1);
}

static uint64_t pc(const struct fixture *f)
{
    return f->c->cpu.tcg.pc;
}

static uint64_t x(const struct fixture *f, unsigned n)
{
    return riscv_get_x(&f->c->cpu, n);
}

/* At @priv with the bits @mstatus besides: whether @insn is an illegal instruction. */
static bool illegal(uint32_t insn, const char *spec, uint64_t priv, uint64_t mstatus)
{
    struct fixture f;
    bool is;

    set_up(&f, spec);
    f.c->cpu.tcg.hot[A0] = WORD;
    riscv_enter(f.c, priv, f.c->mstatus | mstatus);
    run1(&f, insn);
    is = f.c->mcause == EXC_ILLEGAL;
    if (is) {
        g_assert_cmphex(pc(&f), ==, 0x8000);
        g_assert_cmphex(f.c->mtval, ==, insn);
        g_assert_cmphex(f.c->mepc, ==, RVRUN_PC);
    }
    tear_down(&f);
    return is;
}

static void test_who_may(void)
{
    static const struct {
        uint32_t insn;
        bool m, s, u;     /* may at that privilege */
        uint64_t forbids; /* bit of mstatus that takes it from S */
    } rows[] = {
        { SRET, true, true, false, MSTATUS_TSR },
        { MRET, true, false, false, 0 },
        { WFI, true, true, false, MSTATUS_TW },
        { SFENCE_VMA, true, true, false, MSTATUS_TVM },
        { SINVAL_VMA, true, true, false, MSTATUS_TVM },
        { SFENCE_W_INVAL, true, true, false, 0 },
        { CSRR_A0_SATP, true, true, false, MSTATUS_TVM },
        { CSRR_A0_MHARTID, true, false, false, 0 },
        { CSRW_MHARTID_A0, false, false, false, 0 },
        { CSRRW_A0_SSCRATCH_A1, true, true, false, 0 },
        { CSRRC_A0_SSTATUS_2, true, true, false, 0 },
        { CSRR_A0_TIME, true, false, false, 0 }, /* mcounteren is clear */
        { CBO_ZERO, true, false, false, 0 },     /* menvcfg is clear */
        { CBO_FLUSH, true, false, false, 0 },
    };

    for (unsigned k = 0; k < G_N_ELEMENTS(rows); k++) {
        g_assert_cmpint(illegal(rows[k].insn, "max", PRIV_M, 0), ==, !rows[k].m);
        g_assert_cmpint(illegal(rows[k].insn, "max", PRIV_S, 0), ==, !rows[k].s);
        g_assert_cmpint(illegal(rows[k].insn, "max", PRIV_U, 0), ==, !rows[k].u);
        if (rows[k].forbids) {
            g_assert_true(illegal(rows[k].insn, "max", PRIV_S, rows[k].forbids));
            g_assert_false(illegal(rows[k].insn, "max", PRIV_M, rows[k].forbids));
        }
    }
    g_assert_true(illegal(SRET, "rv64,s=off,v=off", PRIV_M, 0));
    g_assert_true(illegal(CBO_ZERO, "rv64,zicboz=off", PRIV_M, 0));
}

static void test_calls(void)
{
    static const uint64_t privs[] = { PRIV_U, PRIV_S, PRIV_M };
    struct fixture f;

    for (unsigned k = 0; k < G_N_ELEMENTS(privs); k++) {
        set_up(&f, "max");
        riscv_enter(f.c, privs[k], f.c->mstatus);
        run1(&f, ECALL);
        g_assert_cmphex(f.c->mcause, ==, 8 + privs[k]);
        g_assert_cmphex(f.c->mepc, ==, RVRUN_PC);
        g_assert_cmphex((f.c->mstatus & MSTATUS_MPP) >> 11, ==, privs[k]);
        tear_down(&f);
    }
    set_up(&f, "max");
    f.c->medeleg = BIT(EXC_BREAKPOINT);
    riscv_enter(f.c, PRIV_U, f.c->mstatus);
    run1(&f, EBREAK);
    g_assert_cmphex(f.c->scause, ==, EXC_BREAKPOINT);
    g_assert_cmphex(f.c->stval, ==, RVRUN_PC);
    g_assert_cmphex(pc(&f), ==, 0x9000);
    tear_down(&f);
}

static void test_returns(void)
{
    struct fixture f;

    set_up(&f, "max");
    f.c->sepc = 0x4002;
    riscv_enter(f.c, PRIV_S, f.c->mstatus | MSTATUS_SPIE);
    run1(&f, SRET);
    g_assert_cmphex(pc(&f), ==, 0x4002);
    g_assert_cmpuint(f.c->priv, ==, PRIV_U);
    g_assert_cmphex(f.c->mstatus & (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP), ==,
                    MSTATUS_SIE | MSTATUS_SPIE);
    g_assert_cmpuint(f.c->cpu.tcg.flags & UF_PRIV, ==, PRIV_U);
    tear_down(&f);

    set_up(&f, "max");
    f.c->mepc = 0x4000;
    f.c->mstatus |= (uint64_t)PRIV_S << 11 | MSTATUS_MPRV;
    cpu_update_flags(&f.c->cpu);
    g_assert_cmpuint((f.c->cpu.tcg.flags & UF_MODE) >> UF_MODE_SHIFT, ==, MODE_S);
    run1(&f, MRET);
    g_assert_cmpuint(f.c->priv, ==, PRIV_S);
    g_assert_cmphex(f.c->mstatus & (MSTATUS_MPRV | MSTATUS_MPP | MSTATUS_MPIE | MSTATUS_MIE), ==,
                    MSTATUS_MPIE);
    tear_down(&f);
}

static void test_csrs(void)
{
    static const uint32_t sum[] = { 0x000405b7, CSRRS_A0_SSTATUS_A1 }; /* lui a1, 0x40 */
    struct fixture f;
    uint64_t before, a1;

    set_up(&f, "max");
    f.c->sscratch = 77;
    a1 = x(&f, A1);
    run1(&f, CSRRW_A0_SSCRATCH_A1);
    g_assert_cmphex(x(&f, A0), ==, 77);
    g_assert_cmphex(f.c->sscratch, ==, a1);
    f.c->cpu.tcg.hot[A1] = 0x12345;
    run1(&f, CSRRW_A0_SEPC_A1);
    g_assert_cmphex(f.c->sepc, ==, 0x12344);
    riscv_enter(f.c, PRIV_S, f.c->mstatus | MSTATUS_SIE);
    before = f.c->mstatus;
    run1(&f, CSRRC_A0_SSTATUS_2);
    g_assert_cmphex(f.c->mstatus, ==, before & ~MSTATUS_SIE);
    g_assert_cmphex(x(&f, A0), ==, before & SSTATUS_READABLE);
    /* Only what sstatus shows can be written through it; the MMU mode follows. */
    f.c->cpu.tcg.hot[A1] = ~0ULL;
    run1(&f, CSRRS_A0_SSTATUS_A1);
    g_assert_cmphex(f.c->mstatus & (MSTATUS_MPRV | MSTATUS_MIE | MSTATUS_TVM), ==, 0);
    g_assert_cmpuint((f.c->cpu.tcg.flags & UF_MODE) >> UF_MODE_SHIFT, ==, MODE_S_SUM_MXR);
    riscv_enter(f.c, PRIV_S, before & ~MSTATUS_SUM);
    run(&f, sum, 2);
    g_assert_cmpuint((f.c->cpu.tcg.flags & UF_MODE) >> UF_MODE_SHIFT, ==, MODE_S_SUM);
    g_assert_cmphex(pc(&f), ==, RVRUN_PC + 8);
    tear_down(&f);
}

/* An interrupt that is pending already is seen when it is let in. */
static void test_let_in(void)
{
    struct fixture f;

    set_up(&f, "max");
    f.c->mideleg = f.c->mie = IRQ_S;
    f.c->mip = IRQ_SSI;
    riscv_enter(f.c, PRIV_S, f.c->mstatus & ~MSTATUS_SIE);
    f.c->cpu.tcg.flags &= ~TCG_FLAGS_ATTENTION;
    f.c->cpu.tcg.hot[A1] = MSTATUS_SUM;
    run1(&f, CSRRS_A0_SSTATUS_A1);
    g_assert_false(f.c->cpu.tcg.flags & TCG_FLAGS_ATTENTION);
    f.c->cpu.tcg.hot[A1] = MSTATUS_SIE;
    run1(&f, CSRRS_A0_SSTATUS_A1);
    g_assert_true(f.c->cpu.tcg.flags & TCG_FLAGS_ATTENTION);
    tear_down(&f);
}

static void test_misaligned_jump(void)
{
    struct fixture f;

    set_up(&f, "rv64,c=off");
    f.c->cpu.tcg.hot[A0] = 0x4002;
    run1(&f, JR_A0);
    g_assert_cmphex(f.c->mcause, ==, EXC_FETCH_MISALIGNED);
    g_assert_cmphex(f.c->mtval, ==, 0x4002);
    g_assert_cmphex(f.c->mepc, ==, RVRUN_PC);
    tear_down(&f);
    set_up(&f, "rv64");
    f.c->cpu.tcg.hot[A0] = 0x4003; /* bit 0 goes */
    run1(&f, JR_A0);
    g_assert_cmphex(pc(&f), ==, 0x4002);
    tear_down(&f);
}

/* ---- Reservations ---- */

static uint64_t word(const struct fixture *f)
{
    return ldq_le(f->r->ram + (WORD - RVRUN_RAM));
}

static void put_word(struct fixture *f, uint64_t v)
{
    stq_le(f->r->ram + (WORD - RVRUN_RAM), v);
}

static void test_reservation(void)
{
    static const uint32_t pair_w[] = { LR_W_A0_A1, SC_W_A0_A2_A1 };
    static const uint32_t pair_d[] = { LR_D_A0_A1, SC_D_A0_A2_A1 };
    static const uint32_t between[] = { LR_W_A0_A1, SW_A2_A1, SC_W_A0_A2_A1 };
    static const uint32_t twice[] = { LR_D_A0_A1, SC_D_A0_A2_A1, SC_D_A0_A2_A1 };
    struct fixture f;

    set_up(&f, "max");
    f.c->cpu.tcg.hot[A1] = WORD;
    f.c->cpu.tcg.hot[A2] = 0x1122334455667788;
    put_word(&f, 0xf00000000f000000);
    run(&f, pair_w, 2);
    g_assert_cmphex(x(&f, A0), ==, 0);
    g_assert_cmphex(word(&f), ==, 0xf000000055667788);
    run(&f, pair_d, 2);
    g_assert_cmphex(x(&f, A0), ==, 0);
    g_assert_cmphex(word(&f), ==, 0x1122334455667788);
    run1(&f, LR_W_A0_A1);
    g_assert_cmphex(x(&f, A0), ==, 0x55667788);
    put_word(&f, 0xffffffff80000000);
    run1(&f, LR_W_A0_A1);
    g_assert_cmphex(x(&f, A0), ==, 0xffffffff80000000);
    /* Somebody wrote in between. */
    run(&f, between, 3);
    g_assert_cmphex(x(&f, A0), ==, 1);
    /* A second SC has no reservation; nor has one of another address. */
    run(&f, twice, 3);
    g_assert_cmphex(x(&f, A0), ==, 1);
    run1(&f, LR_D_A0_A1);
    f.c->cpu.tcg.hot[A1] = WORD + 8;
    run1(&f, SC_D_A0_A2_A1);
    g_assert_cmphex(x(&f, A0), ==, 1);
    g_assert_cmphex(pc(&f), ==, RVRUN_PC + 4);
    tear_down(&f);
}

/* A store that faults leaves rd as it was. */
static void test_faulting_sc(void)
{
    uint64_t ro = RVRUN_RAM + RVRUN_RO_PAGE * TCG_PAGE_SIZE;
    struct fixture f;

    set_up(&f, "max");
    f.c->cpu.tcg.hot[A1] = ro;
    f.c->res_addr = ro;
    f.c->res_val = ldq_le(f.r->ram + (ro - RVRUN_RAM));
    run1(&f, SC_D_A1_A2_A1);
    g_assert_cmphex(f.c->mcause, ==, EXC_STORE_ACCESS);
    g_assert_cmphex(f.c->mtval, ==, ro);
    g_assert_cmphex(x(&f, A1), ==, ro);
    f.c->cpu.tcg.hot[A1] = WORD + 4;
    riscv_enter(f.c, PRIV_M, f.c->mstatus);
    run1(&f, LR_D_A0_A1);
    g_assert_cmphex(f.c->mcause, ==, EXC_LOAD_MISALIGNED);
    g_assert_cmphex(f.c->mtval, ==, WORD + 4);
    tear_down(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/riscv-priv/who-may", test_who_may);
    g_test_add_func("/riscv-priv/calls", test_calls);
    g_test_add_func("/riscv-priv/returns", test_returns);
    g_test_add_func("/riscv-priv/csrs", test_csrs);
    g_test_add_func("/riscv-priv/let-in", test_let_in);
    g_test_add_func("/riscv-priv/misaligned-jump", test_misaligned_jump);
    g_test_add_func("/riscv-priv/reservation", test_reservation);
    g_test_add_func("/riscv-priv/faulting-sc", test_faulting_sc);
    return g_test_run();
}
