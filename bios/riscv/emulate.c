/*
 * Instructions that some harts leave to firmware: reading the time, and misaligned accesses.
 */
#include "csr.h"
#include "hart.h"
#include "trap.h"

/* -- rdtime, rdtimeh -------------------------------------------------------------------------- */

/* csrrs, csrrc, csrrsi, csrrci with a zero source: a read (Unprivileged ISA, Zicsr). */
static bool is_csr_read(uint32_t insn)
{
    uint32_t function = insn >> 12 & 7;

    return (insn & 0x7f) == 0x73 && (function & 3) >= 2 && !(insn >> 15 & 31);
}

static bool fetch(struct frame *frame, uint32_t *insn, struct trap *trap)
{
    unsigned len = 2;
    uint8_t byte;

    *insn = 0;
    for (unsigned i = 0; i < len; i++) {
        if (!guest_fetch(frame->mepc + i, &byte, trap)) {
            return false;
        }
        if (i == 0 && (byte & 3) == 3) {
            len = 4;
        }
        *insn |= (uint32_t)byte << 8 * i;
    }
    return true;
}

bool emulate_illegal(struct frame *frame, const struct trap *trap)
{
    struct hart *self = hart_self();
    uint32_t insn = trap->value, csr, rd;
    bool from_u = !(frame->mstatus & MSTATUS_MPP);
    struct trap nested;
    uint64_t now;

    if (!self->emulate_time || !self->mtime) {
        return false;
    }
    /* A hart may leave mtval 0 instead of the instruction. */
    if (!insn && !fetch(frame, &insn, &nested)) {
        trap_redirect(frame, &nested);
        return true;
    }
    csr = insn >> 20;
    if (!is_csr_read(insn) || !(csr == CSR_TIME || (csr == CSR_TIMEH && __riscv_xlen == 32)) ||
        (from_u && !(csr_read(CSR_SCOUNTEREN) & COUNTEREN_TM))) {
        return false;
    }
    now = timer_now(self);
    rd = insn >> 7 & 31;
    if (rd) {
        frame->x[rd] = csr == CSR_TIMEH ? now >> 32 : now;
    }
    frame->mepc += 4;
    return true;
}

/* -- misaligned loads and stores --------------------------------------------------------------- */

struct access {
    uint8_t reg, width; /* 1 << width bytes */
    uint8_t insn_len;
    bool store, fp, zero_extend;
};

/* LOAD, LOAD-FP, STORE and STORE-FP; vectors share the -FP opcodes and have other widths. */
static bool decode_full(uint32_t insn, struct access *a)
{
    uint32_t opcode = insn & 0x7f, function = insn >> 12 & 7;

    a->insn_len = 4;
    a->store = opcode == 0x23 || opcode == 0x27;
    a->fp = opcode == 0x07 || opcode == 0x27;
    a->width = function & 3;
    a->zero_extend = function & 4;
    a->reg = insn >> (a->store ? 20 : 7) & 31;
    if (opcode != 0x03 && opcode != 0x23 && !a->fp) {
        return false;
    }
    return a->width && !(a->zero_extend && (a->fp || a->store));
}

/*
 * Quadrants 0 and 2. By the upper funct3 bits: 001 is a double, 010 a word, 011 a doubleword on
 * RV64 and a single on RV32; 101, 110, 111 store the same. 100 of quadrant 0 has Zcb's halfwords.
 */
static bool decode_compressed(uint32_t insn, struct access *a)
{
    uint32_t quadrant = insn & 3, function = insn >> 13 & 7;

    a->insn_len = 2;
    a->zero_extend = false;
    a->store = function & 4;
    a->reg = quadrant == 0 ? 8 + (insn >> 2 & 7) : insn >> (a->store ? 2 : 7) & 31;
    if (quadrant == 1) {
        return false;
    }
    switch (function & 3) {
    case 0:
        a->width = 1;
        a->fp = false;
        a->store = (insn >> 10 & 7) == 3;
        a->zero_extend = !a->store && !(insn & 1 << 6);
        return quadrant == 0 && function == 4 && (a->store || (insn >> 10 & 7) == 1);
    case 1:
        a->width = 3;
        a->fp = true;
        return true;
    case 2:
        a->width = 2;
        a->fp = false;
        return true;
    default:
        a->width = __riscv_xlen == 64 ? 3 : 2;
        a->fp = __riscv_xlen == 32;
        return true;
    }
}

/* An integer is at most a register wide; a double of a 32-bit hart fills the bytes. */
union value {
    unsigned long number;
    uint8_t bytes[8] __attribute__((aligned(8)));
};

static bool emulate_load(struct frame *frame, const struct access *a, uintptr_t addr,
                         struct trap *trap)
{
    union value v = { .bytes = { 0 } };
    unsigned shift = BITS_PER_LONG - (8u << a->width);

    for (unsigned i = 0; i < 1u << a->width; i++) {
        if (!guest_load(addr + i, &v.bytes[i], trap)) {
            return false;
        }
    }
    if (a->fp) {
        fp_load(a->reg, a->width, v.bytes);
        frame->mstatus |= MSTATUS_FS;
    } else if (a->reg) {
        long extended = (long)(v.number << shift) >> shift;

        frame->x[a->reg] = a->zero_extend ? v.number : (unsigned long)extended;
    }
    return true;
}

static bool emulate_store(struct frame *frame, const struct access *a, uintptr_t addr,
                          struct trap *trap)
{
    union value v = { .bytes = { 0 } };

    if (a->fp) {
        fp_store(a->reg, a->width, v.bytes);
    } else {
        v.number = a->reg ? frame->x[a->reg] : 0;
    }
    for (unsigned i = 0; i < 1u << a->width; i++) {
        if (!guest_store(addr + i, v.bytes[i], trap)) {
            return false;
        }
    }
    return true;
}

bool emulate_misaligned(struct frame *frame, const struct trap *trap)
{
    struct access a;
    struct trap nested;
    uint32_t insn;
    bool done;

    if (!fetch(frame, &insn, &nested)) {
        trap_redirect(frame, &nested);
        return true;
    }
    if (!((insn & 3) == 3 ? decode_full(insn, &a) : decode_compressed(insn, &a)) ||
        a.store != (trap->cause == EXC_STORE_MISALIGNED)) {
        return false;
    }
    /* Integer registers are no wider than XLEN; only doubles of a 32-bit hart are. */
    if (a.width == 3 && !a.fp && __riscv_xlen == 32) {
        return false;
    }
    done = a.store ? emulate_store(frame, &a, trap->value, &nested)
                   : emulate_load(frame, &a, trap->value, &nested);
    if (done) {
        frame->mepc += a.insn_len;
    } else {
        trap_redirect(frame, &nested);
    }
    return true;
}
