/*
 * Trapping accesses; see csr_try_read() in csr.h for how the vector is borrowed.
 */
#include "probe.h"
#include "csr.h"

static bool load(uintptr_t addr, unsigned long mode, uint8_t *value)
{
    unsigned long ok, vec;
    uint8_t byte = 0;

    /* After a trap MPP is M, so the access mode is harmless until mstatus is put back. */
    __asm__ volatile("lla %1, 1f\n\t"
                     "csrrw %1, mtvec, %1\n\t"
                     "csrrs %3, mstatus, %3\n\t"
                     "li %0, 0\n\t"
                     "lbu %2, (%4)\n\t"
                     "li %0, 1\n\t"
                     ".balign 4\n"
                     "1: csrw mstatus, %3\n\t"
                     "csrw mtvec, %1"
                     : "=&r"(ok), "=&r"(vec), "+&r"(byte), "+&r"(mode)
                     : "r"(addr)
                     : "memory");
    *value = byte;
    return ok;
}

static bool report(struct trap *trap)
{
    trap->cause = csr_read(CSR_MCAUSE);
    trap->value = csr_read(CSR_MTVAL);
    return false;
}

bool memory_readable(uintptr_t addr)
{
    uint8_t unused;

    return load(addr, 0, &unused);
}

bool guest_load(uintptr_t addr, uint8_t *value, struct trap *trap)
{
    return load(addr, MSTATUS_MPRV, value) || report(trap);
}

bool guest_fetch(uintptr_t addr, uint8_t *value, struct trap *trap)
{
    if (load(addr, MSTATUS_MPRV | MSTATUS_MXR, value)) {
        return true;
    }
    report(trap);
    trap->cause = trap->cause == EXC_LOAD_PAGE ? EXC_FETCH_PAGE : EXC_FETCH_ACCESS;
    return false;
}

bool guest_store(uintptr_t addr, uint8_t value, struct trap *trap)
{
    unsigned long ok, vec, mode = MSTATUS_MPRV;

    __asm__ volatile("lla %1, 1f\n\t"
                     "csrrw %1, mtvec, %1\n\t"
                     "csrrs %2, mstatus, %2\n\t"
                     "li %0, 0\n\t"
                     "sb %3, (%4)\n\t"
                     "li %0, 1\n\t"
                     ".balign 4\n"
                     "1: csrw mstatus, %2\n\t"
                     "csrw mtvec, %1"
                     : "=&r"(ok), "=&r"(vec), "+&r"(mode)
                     : "r"(value), "r"(addr)
                     : "memory");
    return ok || report(trap);
}
