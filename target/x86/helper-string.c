/*
 * Repeated string instructions: as many elements at once as lie in plain memory within one page and
 * one segment, the others one by one.
 *
 * Registers are those of the elements done whenever an access may fault, so the instruction can be
 * restarted. After each run the helper returns if somebody wants the CPU.
 */
#include <base/shared.h>
#include "helper.h"
#include "string-how.h"
#include "translate.h"

struct run {
    struct x86_cpu *c;
    unsigned op, log2size, bytes, seg;
    unsigned mode;
    uint64_t addr_mask;
    bool down, repeat, until_equal, step;
};

static uint64_t *reg(const struct run *r, unsigned n)
{
    return &r->c->cpu.tcg.hot[n];
}

static uint64_t offset(const struct run *r, unsigned n)
{
    return *reg(r, n) & r->addr_mask;
}

/* Writes a register as instructions of that address size do. */
static void set(const struct run *r, unsigned n, uint64_t v)
{
    uint64_t *x = reg(r, n);

    if (r->addr_mask == 0xffff)
        *x = (*x & ~UINT64_C(0xffff)) | (v & 0xffff);
    else
        *x = v & r->addr_mask;
}

static uint64_t count(const struct run *r)
{
    return r->repeat ? offset(r, R_CX) : 1;
}

static bool uses_si(const struct run *r)
{
    return r->op == STR_MOVS || r->op == STR_LODS || r->op == STR_CMPS || r->op == STR_OUTS;
}

static bool uses_di(const struct run *r)
{
    return r->op != STR_LODS && r->op != STR_OUTS;
}

/* @n elements are done. */
static void advance(const struct run *r, uint64_t n)
{
    uint64_t by = n * r->bytes;

    by = r->down ? -by : by;
    if (uses_si(r))
        set(r, R_SI, offset(r, R_SI) + by);
    if (uses_di(r))
        set(r, R_DI, offset(r, R_DI) + by);
    if (r->repeat)
        set(r, R_CX, count(r) - n);
}

static uint64_t accumulator(const struct run *r)
{
    return *reg(r, R_AX) & ~UINT64_C(0) >> (64 - 8 * r->bytes);
}

static void set_accumulator(const struct run *r, uint64_t v)
{
    uint64_t mask = ~UINT64_C(0) >> (64 - 8 * r->bytes);

    if (r->log2size == 2)
        *reg(r, R_AX) = v;
    else
        *reg(r, R_AX) = (*reg(r, R_AX) & ~mask) | v;
}

static void compared(const struct run *r, uint64_t a, uint64_t b)
{
    *reg(r, SLOT_CC_DST) = a;
    *reg(r, SLOT_CC_SRC) = b;
    *reg(r, SLOT_CC_OP) = CC_SUB | r->log2size;
}

/* Whether a comparison of that outcome ends the repetition. */
static bool ends(const struct run *r, uint64_t a, uint64_t b)
{
    return r->repeat && (a == b) == r->until_equal;
}

/* ---- One element ---- */

static uint64_t linear(const struct run *r, unsigned seg, unsigned n, bool write)
{
    return x86_seg_addr(r->c, seg, offset(r, n), r->bytes, write);
}

static uint64_t load(const struct run *r, uint64_t addr)
{
    return x86_load(r->c, addr, r->log2size, r->mode);
}

/* INS: what is read must not be lost, so the store's faults come before. */
static void input(const struct run *r)
{
    uint16_t port = *reg(r, R_DX), mem = IR_MEM(r->log2size, r->mode, IR_MEM_ANY);
    uint64_t at;

    x86_check_io(r->c, port, r->bytes);
    at = linear(r, S_ES, R_DI, true);
    if (!cpu_host(&r->c->cpu, at, r->bytes, ACCESS_WRITE, r->mode))
        cpu_amo(&r->c->cpu, at, 0, mem, IR_AMO_OR);
    x86_store(r->c, at, r->log2size, r->mode, x86_port_in(r->c, port, r->bytes));
}

/* Returns whether the repetition ends with it. */
static bool one(const struct run *r)
{
    uint64_t a = 0, b = 0, at;

    switch (r->op) {
    case STR_MOVS:
        a = load(r, linear(r, r->seg, R_SI, false));
        x86_store(r->c, linear(r, S_ES, R_DI, true), r->log2size, r->mode, a);
        break;
    case STR_STOS:
        at = linear(r, S_ES, R_DI, true);
        x86_store(r->c, at, r->log2size, r->mode, accumulator(r));
        break;
    case STR_LODS: set_accumulator(r, load(r, linear(r, r->seg, R_SI, false))); break;
    case STR_CMPS:
        a = load(r, linear(r, r->seg, R_SI, false));
        b = load(r, linear(r, S_ES, R_DI, false));
        break;
    case STR_INS: input(r); break;
    case STR_OUTS:
        x86_check_io(r->c, *reg(r, R_DX), r->bytes);
        a = load(r, linear(r, r->seg, R_SI, false));
        x86_port_out(r->c, *reg(r, R_DX), r->bytes, a);
        break;
    default: /* STR_SCAS */
        a = accumulator(r);
        b = load(r, linear(r, S_ES, R_DI, false));
        break;
    }
    advance(r, 1);
    if (r->op != STR_CMPS && r->op != STR_SCAS)
        return false;
    compared(r, a, b);
    return ends(r, a, b);
}

/* ---- Runs ---- */

/* Elements from @offset on within the segment's limit, the offset's width and one page. */
static uint64_t room(const struct run *r, unsigned seg, uint64_t offset)
{
    const struct x86_cpu *c = r->c;
    bool flat64 = x86_code64(c);
    uint64_t base = !flat64 || seg >= S_FS ? c->seg_base[seg] : 0, linear = base + offset;
    uint64_t in_page =
        r->down ? (linear & ~TCG_PAGE_MASK) + r->bytes : TCG_PAGE_SIZE - (linear & ~TCG_PAGE_MASK);
    uint64_t in_width = r->down ? offset + r->bytes : r->addr_mask - offset + 1;

    if ((linear & ~TCG_PAGE_MASK) + r->bytes > TCG_PAGE_SIZE)
        return 0;
    if (!flat64) {
        if (c->seg_limit[seg] < (int64_t)(offset + r->bytes - 1))
            return 0;
        if (!r->down && c->seg_limit[seg] - offset + 1 < in_page)
            in_page = c->seg_limit[seg] - offset + 1;
    }
    return (in_width && in_width < in_page ? in_width : in_page) >> r->log2size;
}

/* Host memory of @n elements, the first at @offset and the others below it if the run goes down. */
static uint8_t *host(const struct run *r, unsigned seg, uint64_t offset, uint64_t n, bool write)
{
    const struct x86_cpu *c = r->c;
    uint64_t addr = offset + (!x86_code64(c) || seg >= S_FS ? c->seg_base[seg] : 0);
    uint64_t below = r->down ? (n - 1) * r->bytes : 0;
    uint8_t *p;

    if (!x86_code64(c))
        addr = (uint32_t)addr;
    p = cpu_host(&r->c->cpu, addr - below, n * r->bytes, write ? ACCESS_WRITE : ACCESS_READ,
                 r->mode);
    return p ? p + below : NULL;
}

static void copy(const struct run *r, uint8_t *to, const uint8_t *from, uint64_t n)
{
    int64_t by = r->down ? -(int64_t)r->bytes : (int64_t)r->bytes;
    uint64_t bytes = n * r->bytes;
    bool behind = (uintptr_t)to - (uintptr_t)from >= bytes;

    if (!r->down && behind) {
        shared_copy(to, from, bytes);
        return;
    }
    for (; n; n--, to += by, from += by) /* where they overlap, what was written is read again */
        shared_store(to, shared_load(from, r->bytes), r->bytes);
}

static void fill(const struct run *r, uint8_t *to, uint64_t n)
{
    if (r->down)
        to -= (n - 1) * r->bytes;
    shared_fill(to, accumulator(r), r->bytes, n);
}

static inline uint64_t compare_sized(const struct run *r, const uint8_t *x, const uint8_t *y,
                                     uint64_t n, unsigned bytes, bool *end)
{
    int64_t by = r->down ? -(int64_t)bytes : (int64_t)bytes;
    uint64_t done = 0, a = accumulator(r), b;

    do {
        if (x) {
            a = shared_load(x, bytes);
            x += by;
        }
        b = shared_load(y, bytes);
        y += by;
        done++;
        *end = ends(r, a, b);
    } while (done < n && !*end);
    compared(r, a, b);
    return done;
}

/* Compares until the repetition ends, at most @n elements; returns how many. */
static uint64_t compare(const struct run *r, const uint8_t *x, const uint8_t *y, uint64_t n,
                        bool *end)
{
    switch (r->log2size) {
    case 0: return compare_sized(r, x, y, n, 1, end);
    case 1: return compare_sized(r, x, y, n, 2, end);
    case 2: return compare_sized(r, x, y, n, 4, end);
    default: return compare_sized(r, x, y, n, 8, end);
    }
}

/* Elements that a device gives or takes before others are let to it, and interrupts looked at. */
#define PORT_RUN 512

/* As many elements as can be done at once; 0: one by one. */
static uint64_t many(const struct run *r, bool *end)
{
    uint64_t n = count(r), k;
    uint8_t *si = NULL, *di = NULL;

    if (r->step)
        return 0;
    if (r->op >= STR_INS) {
        if (r->down)
            return 0;
        x86_check_io(r->c, *reg(r, R_DX), r->bytes);
        n = MIN(n, PORT_RUN);
    }
    if (uses_si(r) && (k = room(r, r->seg, offset(r, R_SI))) < n)
        n = k;
    if (uses_di(r) && (k = room(r, S_ES, offset(r, R_DI))) < n)
        n = k;
    if (n < 2)
        return 0;
    if (uses_si(r) && !(si = host(r, r->seg, offset(r, R_SI), n, false)))
        return 0;
    if (uses_di(r) && !(di = host(r, S_ES, offset(r, R_DI), n,
                                  r->op == STR_MOVS || r->op == STR_STOS || r->op == STR_INS)))
        return 0;
    switch (r->op) {
    case STR_MOVS: copy(r, di, si, n); break;
    case STR_STOS: fill(r, di, n); break;
    case STR_LODS:
        set_accumulator(
            r, shared_load(r->down ? si - (n - 1) * r->bytes : si + (n - 1) * r->bytes, r->bytes));
        break;
    case STR_INS:
    case STR_OUTS:
        if (!x86_port_move(r->c, *reg(r, R_DX), r->bytes, si ? si : di, n, di))
            return 0;
        break;
    default: n = compare(r, si, di, n, end); break;
    }
    advance(r, n);
    return n;
}

static bool wanted(const struct run *r)
{
    return __atomic_load_n(&r->c->cpu.tcg.flags, __ATOMIC_RELAXED) & TCG_FLAGS_ATTENTION;
}

/* Returns 1 if elements are left. */
static uint32_t h_string(struct cpu *cpu, uint32_t how)
{
    static const uint64_t masks[] = { 0, 0xffff, UINT32_MAX, UINT64_MAX };
    struct run r = {
        .c = x86_of(cpu),
        .op = how >> STR_OP & 7,
        .log2size = how & STR_SIZE,
        .bytes = 1u << (how & STR_SIZE),
        .seg = how >> STR_SEG & 7,
        .mode = cpu->ops->data_mode(cpu),
        .addr_mask = masks[how >> STR_ADDR & 3],
        .repeat = how & STR_REPEAT,
        .until_equal = how & STR_UNTIL_EQUAL,
        .step = how & STR_STEP,
    };
    bool end = false;

    r.down = (int64_t)r.c->df < 0;
    if (r.repeat && !offset(&r, R_CX))
        return 0;
    do {
        if (!many(&r, &end))
            end = one(&r);
    } while (r.repeat && !end && count(&r) && !r.step && !wanted(&r));
    return r.repeat && !end && count(&r);
}
HELPER_DEFINE(string, HELPER_ANY, IR_I32, 1, IR_I32);
