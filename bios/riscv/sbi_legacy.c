/*
 * Calls of SBI 0.1 (SBI 2.0, chapter 5). They answer in a0 alone, and name harts by a bit mask in
 * the caller's own, virtual memory.
 */
#include "console.h"
#include "csr.h"
#include "probe.h"
#include "sbi.h"

/* Harts of the mask at `addr`, all of them for NULL. False when it cannot be read. */
static bool read_mask(uintptr_t addr, struct hart_set *set)
{
    struct trap trap;

    if (!addr) {
        return sbi_hart_mask(0, -1ul, set);
    }
    memset(set, 0, sizeof(*set));
    for (unsigned long i = 0; i < hart_count; i++) {
        unsigned long id = hart_ids[i];
        uint8_t byte;

        if (id >= MAX_HARTS) {
            continue;
        }
        if (!guest_load(addr + id / 8, &byte, &trap)) {
            return false;
        }
        set->word[i / BITS_PER_LONG] |= (unsigned long)(byte >> id % 8 & 1) << i % BITS_PER_LONG;
    }
    return true;
}

bool sbi_legacy(unsigned long id, unsigned long *a)
{
    struct fence fence = { .kind = FENCE_I, .start = a[1], .size = a[2], .asid = a[3] };
    struct hart_set set;
    int c;

    switch (id) {
    case 0: a[0] = sbi_time.call(0, a).error; return true;
    case 1: a[0] = console_putc(a[0]) ? 0 : SBI_ERR_FAILED; return true;
    case 2:
        c = console_getc();
        a[0] = c;
        return true;
    case 3:
        csr_clear(CSR_MIP, IRQ_BIT(IRQ_SSI));
        a[0] = 0;
        return true;
    case 8: a[0] = sbi_system_reset(0, 0).error; return true;
    }
    if (!read_mask(a[0], &set)) {
        a[0] = SBI_ERR_INVALID_PARAM;
        return true;
    }
    switch (id) {
    case 4: sbi_send_ipi(&set); break;
    case 5: fence_remote(&set, &fence); break;
    case 6:
        fence.kind = FENCE_VMA;
        fence_remote(&set, &fence);
        break;
    case 7:
        fence.kind = FENCE_VMA_ASID;
        fence_remote(&set, &fence);
        break;
    default: return false;
    }
    a[0] = 0;
    return true;
}
