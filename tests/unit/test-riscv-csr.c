/*
 * CSRs of RISC-V: WARL fields, views of one register in another, who may access what, interrupts
 * by delegation and priority, saved rows.
 */
#include <target/riscv/riscv.h>

static struct riscv_cpu *make(const char *arch, const char *spec)
{
    GError *err = NULL;
    struct cpu *cpu = cpu_create(arch, spec, &err);

    g_assert_no_error(err);
    return riscv_of(cpu);
}

static void write_csr(struct riscv_cpu *c, unsigned num, uint64_t val)
{
    riscv_csr_write(c, num, val, ~0ULL);
}

#define expect(c, num, val) g_assert_cmphex(riscv_csr_read(c, num), ==, val)

enum {
    SSTATUS = 0x100,
    SIE = 0x104,
    STVEC = 0x105,
    SEPC = 0x141,
    SIP = 0x144,
    SATP = 0x180,
    MSTATUS = 0x300,
    MISA = 0x301,
    MEDELEG = 0x302,
    MIDELEG = 0x303,
    MIE = 0x304,
    MTVEC = 0x305,
    MCOUNTEREN = 0x306,
    MENVCFG = 0x30a,
    MIP = 0x344,
    PMPCFG0 = 0x3a0,
    PMPADDR0 = 0x3b0,
};

static void test_status(void)
{
    struct riscv_cpu *c = make("riscv64", "max");

    write_csr(c, MSTATUS, ~0ULL);
    /* XLEN fields fixed, SD follows FS and VS, MPP takes 3; UBE, SBE, MBE read as zero. */
    expect(c, MSTATUS, 0x8000000a007e7faaULL);
    expect(c, SSTATUS, 0x80000002000c6722ULL);
    write_csr(c, MSTATUS, 2ULL << 11); /* MPP = 2 is reserved: keeps 3 */
    expect(c, MSTATUS, 0x0000000a00001800ULL);
    write_csr(c, MSTATUS, 1ULL << 11);
    expect(c, MSTATUS, 0x0000000a00000800ULL);
    write_csr(c, SSTATUS, ~0ULL); /* leaves M's fields alone */
    expect(c, MSTATUS, 0x8000000a000c6f22ULL);
    riscv_csr_write(c, SSTATUS, 0, MSTATUS_SUM | MSTATUS_MIE);
    expect(c, MSTATUS, 0x8000000a00086f22ULL);
    cpu_free(&c->cpu);
    c = make("riscv64", "rv64,s=off,u=off,f=off,v=off");
    write_csr(c, MSTATUS, ~0ULL);
    expect(c, MSTATUS, 0x1888ULL);
    write_csr(c, MSTATUS, 0);
    expect(c, MSTATUS, 0x1800ULL);
    g_assert_false(riscv_csr_allowed(c, SSTATUS, false, PRIV_M));
    cpu_free(&c->cpu);
    c = make("riscv32", "rv32,v=off");
    write_csr(c, MSTATUS, ~0ULL);
    expect(c, MSTATUS, 0x807e79aaULL);
    expect(c, SSTATUS, 0x800c6122ULL);
    cpu_free(&c->cpu);
}

static void test_identity(void)
{
    struct riscv_cpu *c = make("riscv64", "rv64,v=off");

    expect(c, MISA, 0x800000000014112dULL); /* ACDFIMSU */
    write_csr(c, MISA, 0);
    expect(c, MISA, 0x800000000014112dULL);
    cpu_free(&c->cpu);
    c = make("riscv32", "rv32,c=off,v=off");
    expect(c, MISA, 0x40141129ULL);
    cpu_free(&c->cpu);
}

static void test_access(void)
{
    struct riscv_cpu *c = make("riscv64", "rv64");

    g_assert_true(riscv_csr_allowed(c, MSTATUS, true, PRIV_M));
    g_assert_false(riscv_csr_allowed(c, MSTATUS, false, PRIV_S));
    g_assert_false(riscv_csr_allowed(c, SSTATUS, false, PRIV_U));
    g_assert_false(riscv_csr_allowed(c, 0xf14, true, PRIV_M)); /* read-only */
    g_assert_false(riscv_csr_allowed(c, 0x5c0, false, PRIV_M));
    g_assert_false(riscv_csr_allowed(c, 0x3a1, false, PRIV_M)); /* odd pmpcfg are RV32's */
    g_assert_false(riscv_csr_allowed(c, 0x3c0, false, PRIV_M)); /* pmpaddr16 */
    g_assert_false(riscv_csr_allowed(c, 0xc80, false, PRIV_M)); /* cycleh */
    /* Each level lets the next read counters. */
    g_assert_true(riscv_csr_allowed(c, 0xc01, false, PRIV_M));
    g_assert_false(riscv_csr_allowed(c, 0xc01, false, PRIV_S));
    write_csr(c, MCOUNTEREN, 2);
    g_assert_true(riscv_csr_allowed(c, 0xc01, false, PRIV_S));
    g_assert_false(riscv_csr_allowed(c, 0xc01, false, PRIV_U));
    write_csr(c, 0x106, 2);
    g_assert_true(riscv_csr_allowed(c, 0xc01, false, PRIV_U));
    g_assert_false(riscv_csr_allowed(c, 0xc00, false, PRIV_U));
    /* stimecmp needs STCE and TM; satp is closed by TVM. */
    g_assert_false(riscv_csr_allowed(c, 0x14d, true, PRIV_S));
    write_csr(c, MENVCFG, ~0ULL);
    g_assert_true(riscv_csr_allowed(c, 0x14d, true, PRIV_S));
    g_assert_true(riscv_csr_allowed(c, SATP, true, PRIV_S));
    write_csr(c, MSTATUS, MSTATUS_TVM);
    g_assert_false(riscv_csr_allowed(c, SATP, true, PRIV_S));
    g_assert_true(riscv_csr_allowed(c, SATP, true, PRIV_M));
    cpu_free(&c->cpu);
}

static void test_warl(void)
{
    struct riscv_cpu *c = make("riscv64", "rv64");

    write_csr(c, STVEC, 0x1001);
    expect(c, STVEC, 0x1001);
    write_csr(c, STVEC, 0x2002); /* mode 2 is reserved */
    expect(c, STVEC, 0x2001);
    write_csr(c, SEPC, 0x1003);
    expect(c, SEPC, 0x1002);
    write_csr(c, MEDELEG, ~0ULL);
    expect(c, MEDELEG, 0xb3ffULL);
    write_csr(c, MIDELEG, ~0ULL);
    expect(c, MIDELEG, 0x2222ULL);
    write_csr(c, MIE, ~0ULL);
    expect(c, MIE, 0x2aaaULL);
    expect(c, SIE, 0x2222ULL);
    write_csr(c, SATP, 8ULL << 60 | 5);
    expect(c, SATP, 8ULL << 60 | 5);
    write_csr(c, SATP, 7ULL << 60 | 9); /* no such mode: nothing is written */
    expect(c, SATP, 8ULL << 60 | 5);
    write_csr(c, SATP, 8ULL << 60 | 0xffffULL << 44); /* 16 bits of ASID */
    expect(c, SATP, 8ULL << 60 | 0xffffULL << 44);
    write_csr(c, MENVCFG, 2ULL << 4); /* CBIE = 2 is reserved */
    expect(c, MENVCFG, 0);
    cpu_free(&c->cpu);
    c = make("riscv64", "rv64,c=off,sv57=off,sv48=off");
    write_csr(c, SEPC, 0x1003);
    expect(c, SEPC, 0x1000);
    write_csr(c, SATP, 9ULL << 60);
    expect(c, SATP, 0);
    cpu_free(&c->cpu);
}

static void test_pmp_lock(void)
{
    struct riscv_cpu *c = make("riscv64", "rv64");

    write_csr(c, PMPADDR0, ~0ULL);
    expect(c, PMPADDR0, (1ULL << 54) - 1);
    write_csr(c, PMPCFG0, 0x02); /* W without R is reserved */
    expect(c, PMPCFG0, 0);
    write_csr(c, PMPCFG0, 0x8f1bULL << 8); /* entry 1 NAPOT RWX... entry 2 locked TOR */
    expect(c, PMPCFG0, 0x8f1b00ULL);
    write_csr(c, PMPADDR0 + 2, 7);
    expect(c, PMPADDR0 + 2, 0);
    write_csr(c, PMPADDR0 + 1, 7); /* the bottom of a locked TOR entry */
    expect(c, PMPADDR0 + 1, 0);
    write_csr(c, PMPCFG0, 0);
    expect(c, PMPCFG0, 0x8f0000ULL);
    cpu_free(&c->cpu);
}

static void test_interrupts(void)
{
    struct riscv_cpu *c = make("riscv64", "rv64");
    struct cpu *cpu = &c->cpu;

    write_csr(c, MTVEC, 0x8000);
    write_csr(c, STVEC, 0x9001);
    write_csr(c, MIDELEG, IRQ_S);
    write_csr(c, MIE, ~0ULL);
    cpu->ops->set_irq(cpu, RISCV_IRQ_SEIP, true);
    g_assert_true(cpu->ops->has_work(cpu));
    expect(c, SIP, IRQ_SEI);
    g_assert_false(cpu->ops->take_interrupt(cpu)); /* delegated: not in M mode */
    write_csr(c, MIP, 0);                          /* the line stays */
    expect(c, SIP, IRQ_SEI);
    riscv_enter(c, PRIV_S, c->mstatus);
    g_assert_false(cpu->ops->take_interrupt(cpu)); /* SIE is clear */
    write_csr(c, SSTATUS, MSTATUS_SIE);
    cpu->tcg.pc = 0x1234;
    g_assert_true(cpu->ops->take_interrupt(cpu));
    g_assert_cmphex(cpu->tcg.pc, ==, 0x9000 + 4 * 9);
    expect(c, SEPC, 0x1234);
    expect(c, 0x142, 1ULL << 63 | 9);
    g_assert_cmphex(c->mstatus & (MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP), ==,
                    MSTATUS_SPIE | MSTATUS_SPP);
    /* M's go first, whatever MIE says below M mode. */
    cpu->ops->set_irq(cpu, RISCV_IRQ_MTIP, true);
    cpu->ops->set_irq(cpu, RISCV_IRQ_MSIP, true);
    g_assert_true(cpu->ops->take_interrupt(cpu));
    expect(c, 0x342, 1ULL << 63 | 3);
    g_assert_cmpuint(c->priv, ==, PRIV_M);
    g_assert_cmphex((c->mstatus & MSTATUS_MPP) >> 11, ==, PRIV_S);
    g_assert_false(cpu->ops->take_interrupt(cpu));
    cpu->ops->set_irq(cpu, RISCV_IRQ_SEIP, false);
    expect(c, SIP, 0);
    cpu->ops->set_irq(cpu, RISCV_IRQ_SSIP, true);
    cpu->ops->set_irq(cpu, RISCV_IRQ_SSIP, false); /* an edge: software clears it */
    expect(c, SIP, IRQ_SSI);
    riscv_csr_write(c, SIP, 0, IRQ_SSI);
    expect(c, SIP, 0);
    cpu_free(cpu);
}

static void test_traps(void)
{
    struct riscv_cpu *c = make("riscv64", "rv64");
    struct cpu_fault fault = { FAULT_PAGE, ACCESS_WRITE, 0x123456, 0 };

    write_csr(c, MTVEC, 0x8000);
    write_csr(c, STVEC, 0x9000);
    write_csr(c, MEDELEG, BIT(EXC_STORE_PAGE));
    riscv_enter(c, PRIV_U, c->mstatus);
    c->cpu.tcg.pc = 0x4000;
    c->res_addr = 0x10;
    c->cpu.ops->take_fault(&c->cpu, &fault);
    g_assert_cmphex(c->cpu.tcg.pc, ==, 0x9000);
    g_assert_cmphex(c->scause, ==, EXC_STORE_PAGE);
    g_assert_cmphex(c->stval, ==, 0x123456);
    g_assert_cmphex(c->sepc, ==, 0x4000);
    g_assert_cmphex(c->res_addr, ==, RES_NONE);
    g_assert_cmpuint(c->priv, ==, PRIV_S);
    g_assert_cmphex(c->mstatus & MSTATUS_SPP, ==, 0);
    riscv_trap(c, EXC_ILLEGAL, 0xdead); /* not delegated */
    g_assert_cmphex(c->cpu.tcg.pc, ==, 0x8000);
    g_assert_cmphex(c->mtval, ==, 0xdead);
    g_assert_cmphex((c->mstatus & MSTATUS_MPP) >> 11, ==, PRIV_S);
    riscv_trap(c, EXC_STORE_PAGE, 1); /* never from M mode to a lower one */
    g_assert_cmpuint(c->priv, ==, PRIV_M);
    cpu_free(&c->cpu);
}

/* All rows of one hart, set on another, read the same. */
static void test_rows(void)
{
    struct riscv_cpu *a = make("riscv64", "rv64"), *b = make("riscv64", "rv64");
    GRand *rand = g_rand_new_with_seed(3);
    const struct cpu_reg *reg;
    uint8_t x[128], y[128];
    unsigned count;

    reg = a->cpu.ops->regs(&a->cpu, &count);
    for (unsigned n = 1; n < 32; n++)
        riscv_set_x(&a->cpu, n, (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand));
    write_csr(a, MSTATUS, MSTATUS_SUM | MSTATUS_FS);
    write_csr(a, SATP, 9ULL << 60 | 77);
    write_csr(a, PMPADDR0, 1234);
    write_csr(a, PMPCFG0, 0x9f);
    riscv_enter(a, PRIV_S, a->mstatus);
    for (unsigned i = 0; i < count; i++)
        if (a->cpu.ops->get_reg(&a->cpu, i, x))
            b->cpu.ops->set_reg(&b->cpu, i, x);
    for (unsigned i = 0; i < count; i++) {
        memset(x, 0, sizeof(x));
        memset(y, 0, sizeof(y));
        g_assert_cmpint(a->cpu.ops->get_reg(&a->cpu, i, x), ==, b->cpu.ops->get_reg(&b->cpu, i, y));
        if (memcmp(x, y, reg[i].bits / 8))
            g_error("row %s differs", reg[i].name);
    }
    g_assert_cmphex(a->cpu.tcg.flags, ==, b->cpu.tcg.flags);
    g_rand_free(rand);
    cpu_free(&a->cpu);
    cpu_free(&b->cpu);
}

static void check_refused(const char *arch, const char *spec, const char *what)
{
    GError *err = NULL;

    g_assert_null(cpu_create(arch, spec, &err));
    g_assert_nonnull(err);
    g_assert_nonnull(strstr(err->message, what));
    g_assert_null(strchr(err->message, '\n'));
    g_error_free(err);
}

static void test_options(void)
{
    struct riscv_cpu *c = make("riscv64", "rv64,zba=off,v=on,vlen=256");
    g_autofree char *isa = riscv_isa(&c->cpu);

    g_assert_true(g_str_has_prefix(isa, "rv64imafdcv_"));
    g_assert_null(strstr(isa, "zba"));
    g_assert_nonnull(strstr(isa, "_zbb_"));
    g_assert_cmpstr(riscv_mmu_type(&c->cpu), ==, "riscv,sv57");
    cpu_free(&c->cpu);
    c = make("riscv64", "rv64,f=off"); /* takes what stands on it along */
    g_assert_false(riscv_has_ext(&c->cpu, "d"));
    g_assert_false(riscv_has_ext(&c->cpu, "zcd"));
    cpu_free(&c->cpu);
    check_refused("riscv64", "rv46", "rv64");
    check_refused("riscv64", "rv64,zbaa=on", "zba");
    check_refused("riscv64", "rv64,vlen=100", "vlen");
    check_refused("riscv64", "rv64,f=off,d=on", "needs f=on");
    check_refused("riscv64", "rv64,sv48=on,sv39=off", "sv48=on needs sv39=on");
    check_refused("riscv32", "rv64", "rv32");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/riscv-csr/status", test_status);
    g_test_add_func("/riscv-csr/identity", test_identity);
    g_test_add_func("/riscv-csr/access", test_access);
    g_test_add_func("/riscv-csr/warl", test_warl);
    g_test_add_func("/riscv-csr/pmp-lock", test_pmp_lock);
    g_test_add_func("/riscv-csr/interrupts", test_interrupts);
    g_test_add_func("/riscv-csr/traps", test_traps);
    g_test_add_func("/riscv-csr/rows", test_rows);
    g_test_add_func("/riscv-csr/options", test_options);
    return g_test_run();
}
