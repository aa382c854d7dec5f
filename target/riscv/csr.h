/*
 * The table of CSRs: rows of csr.def, with their functions in csr-*.c.
 */
#ifndef RISCV_CSR_H
#define RISCV_CSR_H

#include "riscv.h"

struct riscv_csr {
    uint16_t num, count; /* numbers num to num + count - 1 */
    uint16_t suffix;     /* of the first name of a range */
    const char *name;    /* or its beginning */
    bool (*cond)(const struct riscv_cpu *c, unsigned num, uint64_t priv);
    uint64_t (*read)(struct riscv_cpu *c, unsigned num);
    /* The bits of @mask become @val's. NULL: read-only, or a plain field. */
    void (*write)(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask);
    uint32_t field; /* offset of plain state, with read NULL */
    uint64_t writable;
};

static inline uint64_t csr_merge(uint64_t old, uint64_t val, uint64_t mask)
{
    return (old & ~mask) | (val & mask);
}

typedef bool csr_cond(const struct riscv_cpu *c, unsigned num, uint64_t priv);
typedef uint64_t csr_read(struct riscv_cpu *c, unsigned num);
typedef void csr_write(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask);

/* csr-machine.c: status, traps, identity, environment */
csr_cond cond_s, cond_u, cond_rv32, cond_senvcfg, cond_mstateen, cond_sstateen, cond_satp,
    cond_pmpcfg;
csr_read read_zero, read_misa, read_mstatus, read_sstatus, read_sie, read_mie, read_sip, read_mip,
    read_tvec, read_epc, read_medeleg, read_mideleg, read_satp, read_senvcfg, read_menvcfg,
    read_menvcfg_hi, read_mstateen, read_mstateen_hi, read_sstateen, read_pmpcfg, read_pmpaddr;
csr_write write_nothing, write_mstatus, write_sstatus, write_sie, write_mie, write_sip, write_mip,
    write_tvec, write_epc, write_medeleg, write_mideleg, write_satp, write_senvcfg, write_menvcfg,
    write_menvcfg_hi, write_mstateen, write_mstateen_hi, write_sstateen, write_pmpcfg,
    write_pmpaddr;

/* csr-counters.c: counters and time */
csr_cond cond_counter, cond_stimecmp, cond_scountovf, cond_hpmevent_hi;
csr_read read_counter, read_counter_hi, read_time, read_time_hi, read_stimecmp, read_stimecmp_hi,
    read_scountovf, read_mcountinhibit, read_hpmevent, read_hpmevent_hi;
csr_write write_counter, write_counter_hi, write_stimecmp, write_stimecmp_hi, write_mcountinhibit,
    write_hpmevent, write_hpmevent_hi;

/* csr-fp.c */
csr_cond cond_fp;
csr_read read_fflags, read_frm, read_fcsr;
csr_write write_fflags, write_frm, write_fcsr;

/* vector-cfg.c */
csr_cond cond_vector;
csr_read read_vstart, read_vxsat, read_vxrm, read_vcsr, read_vlenb;
csr_write write_vstart, write_vxsat, write_vxrm, write_vcsr;

#endif
