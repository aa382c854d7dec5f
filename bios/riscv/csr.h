/*
 * Machine-level CSRs, by number, and the bits of them that the firmware touches.
 *
 * Sources: The RISC-V Instruction Set Manual, Volume II (Privileged Architecture), chapter 2 and
 * the extension chapters. Numbers instead of names keep the source independent of how many
 * extensions an assembler has heard of; only mtvec and mstatus, which every one knows, go by name
 * where assembly is written out.
 */
#ifndef CSR_H
#define CSR_H

#define CSR_SIE           0x104
#define CSR_STVEC         0x105
#define CSR_SCOUNTEREN    0x106
#define CSR_SSCRATCH      0x140
#define CSR_SEPC          0x141
#define CSR_SCAUSE        0x142
#define CSR_STVAL         0x143
#define CSR_STIMECMP      0x14d
#define CSR_STIMECMPH     0x15d
#define CSR_SATP          0x180
#define CSR_MSTATUS       0x300
#define CSR_MISA          0x301
#define CSR_MEDELEG       0x302
#define CSR_MIDELEG       0x303
#define CSR_MIE           0x304
#define CSR_MTVEC         0x305
#define CSR_MCOUNTEREN    0x306
#define CSR_MENVCFG       0x30a
#define CSR_MSTATEEN0     0x30c
#define CSR_MSTATUSH      0x310
#define CSR_MENVCFGH      0x31a
#define CSR_MSTATEEN0H    0x31c
#define CSR_MCOUNTINHIBIT 0x320
#define CSR_MCAUSE        0x342
#define CSR_MTVAL         0x343
#define CSR_MIP           0x344
#define CSR_PMPCFG0       0x3a0
#define CSR_PMPADDR0      0x3b0
#define CSR_HSTATUS       0x600
#define CSR_MSECCFG       0x747
#define CSR_CYCLE         0xc00
#define CSR_TIME          0xc01
#define CSR_TIMEH         0xc81
#define CSR_MVENDORID     0xf11
#define CSR_MARCHID       0xf12
#define CSR_MIMPID        0xf13

#define MSTATUS_SIE        (1ul << 1)
#define MSTATUS_SPIE       (1ul << 5)
#define MSTATUS_SPP        (1ul << 8)
#define MSTATUS_VS_INITIAL (1ul << 9)
#define MSTATUS_MPP_SHIFT  11
#define MSTATUS_MPP        (3ul << MSTATUS_MPP_SHIFT)
#define MSTATUS_FS_INITIAL (1ul << 13)
#define MSTATUS_FS         (3ul << 13)
#define MSTATUS_MPRV       (1ul << 17)
#define MSTATUS_MXR        (1ul << 19)
#define MSTATUS64_GVA      (1ull << 38)
#define MSTATUS64_MPV      (1ull << 39)

#define HSTATUS_GVA  (1ul << 6)
#define HSTATUS_SPV  (1ul << 7)
#define HSTATUS_SPVP (1ul << 8)

#define IRQ_SSI         1
#define IRQ_MSI         3
#define IRQ_STI         5
#define IRQ_MTI         7
#define IRQ_SEI         9
#define IRQ_LCOFI       13
#define IRQ_BIT(n)      (1ul << (n))
#define CAUSE_INTERRUPT (1ul << (__riscv_xlen - 1))

#define EXC_FETCH_ACCESS     1
#define EXC_ILLEGAL          2
#define EXC_LOAD_MISALIGNED  4
#define EXC_LOAD_ACCESS      5
#define EXC_STORE_MISALIGNED 6
#define EXC_ECALL_S          9
#define EXC_FETCH_PAGE       12
#define EXC_LOAD_PAGE        13

#define MENVCFG_CBIE_INVALIDATE (3ull << 4)
#define MENVCFG_CBCFE           (1ull << 6)
#define MENVCFG_CBZE            (1ull << 7)
#define MENVCFG_ADUE            (1ull << 61)
#define MENVCFG_PBMTE           (1ull << 62)
#define MENVCFG_STCE            (1ull << 63)

#define MSECCFG_SSEED (1ul << 9)

#define PMP_RWX   0x07
#define PMP_TOR   0x08
#define PMP_NAPOT 0x18

#define COUNTEREN_TM 2ul

#define csr_read(csr)                                                     \
    ({                                                                    \
        unsigned long v_;                                                 \
        __asm__ volatile("csrr %0, %1" : "=r"(v_) : "i"(csr) : "memory"); \
        v_;                                                               \
    })
#define csr_write(csr, value) \
    __asm__ volatile("csrw %0, %1" ::"i"(csr), "r"((unsigned long)(value)) : "memory")
#define csr_set(csr, bits) \
    __asm__ volatile("csrs %0, %1" ::"i"(csr), "r"((unsigned long)(bits)) : "memory")
#define csr_clear(csr, bits) \
    __asm__ volatile("csrc %0, %1" ::"i"(csr), "r"((unsigned long)(bits)) : "memory")

/*
 * Accesses that may trap. The trap vector points just behind the access for its duration: with or
 * without a trap execution goes on there, and only without one has the flag been set. A trap
 * overwrites mepc, mcause, mtval and mstatus.MPP/MPIE; trap handling keeps its own copies of these.
 */
#define csr_try_read(csr, value)                              \
    ({                                                        \
        unsigned long v_ = 0, ok_, vec_;                      \
        __asm__ volatile("lla %2, 1f\n\t"                     \
                         "csrrw %2, mtvec, %2\n\t"            \
                         "li %1, 0\n\t"                       \
                         "csrr %0, %3\n\t"                    \
                         "li %1, 1\n\t"                       \
                         ".balign 4\n"                        \
                         "1: csrw mtvec, %2"                  \
                         : "+&r"(v_), "=&r"(ok_), "=&r"(vec_) \
                         : "i"(csr)                           \
                         : "memory");                         \
        *(value) = v_;                                        \
        ok_;                                                  \
    })
#define csr_try_write(csr, value)                                \
    ({                                                           \
        unsigned long ok_, vec_;                                 \
        __asm__ volatile("lla %1, 1f\n\t"                        \
                         "csrrw %1, mtvec, %1\n\t"               \
                         "li %0, 0\n\t"                          \
                         "csrw %2, %3\n\t"                       \
                         "li %0, 1\n\t"                          \
                         ".balign 4\n"                           \
                         "1: csrw mtvec, %1"                     \
                         : "=&r"(ok_), "=&r"(vec_)               \
                         : "i"(csr), "r"((unsigned long)(value)) \
                         : "memory");                            \
        ok_;                                                     \
    })

#endif
