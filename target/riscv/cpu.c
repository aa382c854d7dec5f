/*
 * Making, resetting and describing harts.
 */
#include <base/error.h>
#include "helper.h"
#include "riscv.h"
#include "vector.h"

unsigned riscv_mmu_mode(uint64_t priv, uint64_t mstatus)
{
    if (priv == PRIV_M)
        return MODE_M;
    if (priv == PRIV_U)
        return mstatus & MSTATUS_MXR ? MODE_U_MXR : MODE_U;
    if (mstatus & MSTATUS_SUM)
        return mstatus & MSTATUS_MXR ? MODE_S_SUM_MXR : MODE_S_SUM;
    return mstatus & MSTATUS_MXR ? MODE_S_MXR : MODE_S;
}

/* Loads and stores of M mode are done as MPP says while MPRV is set (3.1.6.3). */
static unsigned data_mode(const struct cpu *cpu)
{
    const struct riscv_cpu *c = riscv_of_const(cpu);
    uint64_t priv =
        c->mstatus & MSTATUS_MPRV && c->priv == PRIV_M ? (c->mstatus & MSTATUS_MPP) >> 11 : c->priv;

    return riscv_mmu_mode(priv, c->mstatus);
}

/* Initial and clean differ for software only; translations of the two are the same. */
static unsigned unit_xs(uint64_t field)
{
    return field == XS_INITIAL ? XS_CLEAN : field;
}

/* cond_counter() for the CSR time, without looking it up: this runs at every change of privilege.
 */
static bool time_readable(const struct riscv_cpu *c)
{
    return riscv_have(c, EXT_Zicntr) &&
           (c->priv == PRIV_M ||
            (c->mcounteren & 2 &&
             (c->priv == PRIV_S || !riscv_have(c, EXT_S) || c->scounteren & 2)));
}

uint32_t riscv_unit_flags(const struct cpu *cpu)
{
    const struct riscv_cpu *c = riscv_of_const(cpu);
    uint32_t f = c->priv | data_mode(cpu) << UF_MODE_SHIFT;
    unsigned fs = unit_xs((c->mstatus & MSTATUS_FS) >> 13);
    unsigned vs = unit_xs((c->mstatus & MSTATUS_VS) >> 9);

    f |= fs << UF_FS_SHIFT | vs << UF_VS_SHIFT;
    if (fs)
        f |= c->frm << UF_FRM_SHIFT;
    if (vs)
        f |= riscv_vector_flags(c);
    if (c->priv == PRIV_S && c->mstatus & (MSTATUS_TVM | MSTATUS_TW | MSTATUS_TSR))
        f |= UF_TRAP_VM;
    if (time_readable(c))
        f |= UF_TIME;
    return f;
}

static unsigned fetch_mode(uint32_t flags)
{
    return flags & UF_PRIV; /* MODE_U, MODE_S, MODE_M have the same numbers */
}

void riscv_reset(struct cpu *cpu)
{
    struct riscv_cpu *c = riscv_of(cpu);

    memset(cpu->tcg.hot, 0, sizeof(cpu->tcg.hot));
    memset(c->f, 0, sizeof(c->f));
    memset(c->v, 0, sizeof(c->v));
    riscv_fp_gather(c); /* and away with them */
    c->fflags = c->frm = 0;
    riscv_fp_round(c);
    c->vstart = c->vl = c->vxrm = c->vxsat = 0;
    c->vtype = 1ULL << (c->xlen - 1); /* vill */
    c->mstatus = 0;
    if (c->xlen == 64) {
        c->mstatus |= riscv_have(c, EXT_U) ? 2ULL << 32 : 0;
        c->mstatus |= riscv_have(c, EXT_S) ? 2ULL << 34 : 0;
    }
    if (!riscv_have(c, EXT_U))
        c->mstatus |= MSTATUS_MPP;
    c->sscratch = c->sepc = c->scause = c->stval = c->satp = 0;
    c->mscratch = c->mepc = c->mcause = c->mtval = 0;
    c->res_addr = RES_NONE;
    c->priv = PRIV_M;
    c->stvec = c->mtvec = 0;
    c->medeleg = c->mideleg = c->mie = 0;
    __atomic_store_n(&c->mip, 0, __ATOMIC_SEQ_CST);
    c->mcounteren = c->scounteren = c->mcountinhibit = 0;
    /* Where only Svadu is there nobody need ask for it. */
    c->menvcfg = riscv_have(c, EXT_Svadu) && !riscv_have(c, EXT_Svade) ? ENVCFG_ADUE : 0;
    c->senvcfg = 0;
    memset(c->mstateen, 0, sizeof(c->mstateen));
    memset(c->pmpcfg, 0, sizeof(c->pmpcfg));
    memset(c->pmpaddr, 0, sizeof(c->pmpaddr));
    memset(c->mhpmevent, 0, sizeof(c->mhpmevent));
    c->hpm_filtered = 0;
    riscv_stimecmp_write(c, UINT64_MAX);
    riscv_stimer_update(c);
    riscv_counters_reset(c);
    riscv_pmp_update(c);
    tlb_switch_space(cpu, 0);
    cpu->tcg.pc = c->reset_pc;
    cpu_update_flags(cpu);
}

static void riscv_free(struct cpu *cpu)
{
    struct riscv_cpu *c = riscv_of(cpu);

    riscv_timers_free(c);
    pthread_mutex_destroy(&c->stimer_lock);
}

#define OPS(xlen)                                                                                  \
    {                                                                                              \
        .arch = "riscv" #xlen, .gdb_arch = "riscv:rv" #xlen, .slots = &riscv_slots##xlen,          \
        .helpers = riscv_helpers, .insn_align = 2, .count_slot = SLOT_INSNS, .reset = riscv_reset, \
        .free = riscv_free, .unit_flags = riscv_unit_flags, .fetch_mode = fetch_mode,              \
        .translate = riscv_translate, .map = riscv_map, .data_mode = data_mode,                    \
        .take_fault = riscv_take_fault, .take_interrupt = riscv_take_interrupt,                    \
        .has_work = riscv_has_work, .set_irq = riscv_set_irq, .regs = riscv_regs,                  \
        .get_reg = riscv_get_reg, .set_reg = riscv_set_reg, .dump = riscv_dump,                    \
        .disas = riscv_disas,                                                                      \
    }
static const struct cpu_ops ops64 = OPS(64), ops32 = OPS(32);

static struct cpu *create(const struct cpu_type *type, const char *options, GError **err)
{
    bool is32 = !strcmp(type->arch, "riscv32");
    struct riscv_cpu *c = cpu_alloc(is32 ? &ops32 : &ops64, sizeof(*c));

    c->xlen = is32 ? 32 : 64;
    c->reset_pc = 0x1000;
    pthread_mutex_init(&c->stimer_lock, NULL);
    if (!riscv_ext_setup(c, type->name, options, err)) {
        cpu_free(&c->cpu);
        return NULL;
    }
    riscv_status_setup(c);
    riscv_reset(&c->cpu);
    return &c->cpu;
}

static const struct cpu_type rv64 = { "rv64", "riscv64",
                                      "64-bit hart with the extensions Linux likes", create };
static const struct cpu_type rva22s64 = { "rva22s64", "riscv64", "what profile RVA22S64 demands",
                                          create };
static const struct cpu_type max64 = { "max", "riscv64", "every extension there is", create };
static const struct cpu_type rv32 = { "rv32", "riscv32",
                                      "32-bit hart with the extensions Linux likes", create };
static const struct cpu_type max32 = { "max", "riscv32", "every extension there is", create };

const struct cpu_type *const target_riscv_types[] = {
    &rv64, &rva22s64, &max64, &rv32, &max32, NULL
};

/* ---- For boards ---- */

void riscv_set_hart(struct cpu *cpu, struct loop *loop, uint64_t hartid, uint64_t reset_pc)
{
    struct riscv_cpu *c = riscv_of(cpu);

    c->hartid = hartid;
    c->reset_pc = reset_pc;
    cpu->tcg.pc = reset_pc;
    if (!c->loop) {
        c->loop = loop;
        riscv_timers_init(c);
    }
}

void riscv_set_time(struct cpu *cpu, const struct riscv_time_ops *ops, void *opaque)
{
    struct riscv_cpu *c = riscv_of(cpu);

    c->time = ops;
    c->time_opaque = opaque;
}

uint64_t riscv_hartid(const struct cpu *cpu)
{
    return riscv_of_const(cpu)->hartid;
}

unsigned riscv_xlen(const struct cpu *cpu)
{
    return riscv_of_const(cpu)->xlen;
}

void riscv_set_x(struct cpu *cpu, unsigned n, uint64_t val)
{
    cpu->tcg.hot[n] = riscv_trunc(riscv_of(cpu), val);
}

uint64_t riscv_get_x(const struct cpu *cpu, unsigned n)
{
    return riscv_trunc(riscv_of_const(cpu), cpu->tcg.hot[n]);
}

void riscv_set_pc(struct cpu *cpu, uint64_t pc)
{
    cpu->tcg.pc = riscv_trunc(riscv_of(cpu), pc);
}
