/*
 * Entering the handlers of exceptions and interrupts (Intel volume 3, chapter 6).
 *
 * All that can fault is done before anything but memory changes, so that a fault on the way finds
 * the state of the instruction that began it; it comes here again while `delivering` is set and
 * becomes a double fault where 6.15 says so.
 */
#include <inttypes.h>
#include <base/log.h>
#include "debug.h"
#include "feature.h"
#include "stack.h"
#include "sys.h"

/* x86_cpu.delivering: vector + 1 and these. */
enum {
    DELIVER_VECTOR = 0x1ff,
    DELIVER_BENIGN = 1 << 9, /* not an exception: what comes is not a double fault */
    DELIVER_EXT = 1 << 10,   /* error codes of faults have EXT set */
};

static const char *const names[32] = {
    "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "?",
    "#TS", "#NP", "#SS", "#GP", "#PF", "?",   "#MF", "#AC", "#MC", "#XM",
};

static void log_event(const struct x86_cpu *c, unsigned vector, enum x86_event event, bool has_err,
                      uint32_t err)
{
    static const char *const kinds[] = {
        [EVENT_FAULT] = "fault",  [EVENT_TRAP] = "trap",  [EVENT_SOFT] = "int",
        [EVENT_SOFT_EXC] = "int", [EVENT_ICEBP] = "int1", [EVENT_EXTERNAL] = "interrupt",
    };

    if (!log_wanted(LOG_INT, c->cpu.tcg.pc))
        return;
    log_printf(LOG_INT,
               "cpu %u: %s %02x %s err %s%04x cs:ip %04x:%016" PRIx64 " ss:sp %04x:%016" PRIx64
               " flags %08x cpl %u cr2 %" PRIx64 " ax %" PRIx64 "\n",
               c->cpu.index, kinds[event], vector,
               event <= EVENT_TRAP && vector < 32 && names[vector] ? names[vector] : "",
               has_err ? "" : "-", err, c->seg[S_CS].selector, x86_eip(c), c->seg[S_SS].selector,
               c->cpu.tcg.hot[R_SP], (unsigned)x86_eflags(c), x86_cpl(c), c->cr2,
               c->cpu.tcg.hot[R_AX]);
}

/* ---- Gates ---- */

enum { GATE_TASK = 5, GATE_INT16 = 6, GATE_TRAP16 = 7, GATE_INT32 = 14, GATE_TRAP32 = 15 };

struct gate {
    uint16_t sel;
    uint64_t offset;
    unsigned type, dpl, ist;
    bool present;
};

static bool is_soft(enum x86_event event)
{
    return event == EVENT_SOFT || event == EVENT_SOFT_EXC;
}

/* 6.14.1, 6.12.1.1: reads the gate of @vector with all checks of itself. */
static void read_gate(struct x86_cpu *c, unsigned vector, enum x86_event event, struct gate *g)
{
    bool lma = x86_lma(c);
    unsigned mode = x86_system_mode(c);
    uint32_t err = vector * 8 + 2, size = lma ? 16 : 8;
    uint64_t addr = c->idt.base + vector * size, lo;
    unsigned types = lma ? 1 << GATE_INT32 | 1 << GATE_TRAP32
                         : 1 << GATE_TASK | 1 << GATE_INT16 | 1 << GATE_TRAP16 | 1 << GATE_INT32 |
                               1 << GATE_TRAP32;

    if (vector * size + size - 1 > c->idt.limit)
        x86_gp(c, err);
    lo = x86_load(c, x86_linear(c, addr), 3, mode);
    *g = (struct gate){
        .sel = lo >> 16,
        .offset = (lo & 0xffff) | (lo >> 32 & 0xffff0000),
        .type = lo >> 40 & 31,
        .dpl = lo >> 45 & 3,
        .present = lo >> 47 & 1,
    };
    if (lma) {
        g->offset |= x86_load(c, x86_linear(c, addr + 8), 3, mode) << 32;
        g->ist = lo >> 32 & 7;
    }
    if (g->type > 15 || !(types >> g->type & 1) || (is_soft(event) && g->dpl < x86_cpl(c)))
        x86_gp(c, err);
    if (!g->present)
        x86_raise_err(c, EXC_NP, err);
    if (g->type == GATE_INT16 || g->type == GATE_TRAP16)
        g->offset &= 0xffff;
}

/* Reads the handler's code segment; its new privilege. */
static unsigned read_handler(struct x86_cpu *c, const struct gate *g, struct x86_desc *d)
{
    uint32_t err = g->sel & ~3u;
    unsigned attr, cpl = x86_cpl(c);

    if (!err)
        x86_gp(c, 0);
    if (!x86_desc_read(c, g->sel, d))
        x86_gp(c, err);
    attr = desc_attr(d);
    if (!(attr & ATTR_S) || !(attr & ATTR_CODE) || desc_dpl(d) > cpl)
        x86_gp(c, err);
    if (!(attr & ATTR_P))
        x86_raise_err(c, EXC_NP, err);
    if (x86_lma(c) && (!(attr & ATTR_L) || attr & ATTR_DB))
        x86_gp(c, err);
    if (attr & ATTR_DOWN) /* conforming */
        return cpl;
    return desc_dpl(d);
}

/* What is pushed as EFLAGS: a fault's RF is set, so that it is not met again (17.3.1.1). */
static uint32_t flags_image(const struct x86_cpu *c, unsigned vector, enum x86_event event)
{
    uint32_t flags = x86_eflags(c);

    if (event == EVENT_FAULT && vector != EXC_DF && vector != EXC_DB)
        flags |= FLAG_RF;
    return flags;
}

static void enter_flags(struct x86_cpu *c, unsigned gate_type)
{
    uint64_t clear = FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM;

    if (!(gate_type & 1))
        clear |= FLAG_IF;
    c->eflags &= ~clear;
}

static void set_handler(struct x86_cpu *c, const struct gate *g, struct x86_desc *d, unsigned cpl)
{
    x86_seg_set(c, S_CS, (g->sel & ~3u) | cpl, d);
}

/* 6.14: long mode. */
static void enter64(struct x86_cpu *c, unsigned vector, enum x86_event event, bool has_err,
                    uint32_t err, uint64_t next)
{
    struct gate g;
    struct x86_desc d;
    struct x86_stack st;
    unsigned cpl, old = x86_cpl(c);

    read_gate(c, vector, event, &g);
    cpl = read_handler(c, &g, &d);
    stack_flat(&st, c, c->cpu.tcg.hot[R_SP], cpl);
    if (g.ist)
        st.sp = x86_tss_rsp(c, 36 + 8 * (g.ist - 1));
    else if (cpl != old)
        st.sp = x86_tss_rsp(c, 4 + 8 * cpl);
    st.sp &= ~15ULL;
    stack_push(&st, 3, c->seg[S_SS].selector);
    stack_push(&st, 3, c->cpu.tcg.hot[R_SP]);
    stack_push(&st, 3, flags_image(c, vector, event));
    stack_push(&st, 3, c->seg[S_CS].selector);
    stack_push(&st, 3, next);
    if (has_err)
        stack_push(&st, 3, err);
    x86_desc_access(c, &d);

    enter_flags(c, g.type);
    c->cpu.tcg.hot[R_SP] = st.sp;
    set_handler(c, &g, &d, cpl);
    if (cpl != old)
        x86_seg_set_raw(c, S_SS, cpl, 0, 0, cpl << ATTR_DPL_SHIFT);
    x86_set_pc(c, g.offset);
}

static void push_frame(struct x86_stack *st, unsigned size, uint32_t flags, uint64_t next,
                       bool has_err, uint32_t err)
{
    stack_push(st, size, flags);
    stack_push(st, size, st->c->seg[S_CS].selector);
    stack_push(st, size, next);
    if (has_err)
        stack_push(st, size, err);
}

static void push_v86_segments(struct x86_stack *st, unsigned size)
{
    static const uint8_t order[] = { S_GS, S_FS, S_DS, S_ES };

    for (unsigned k = 0; k < ARRAY_LEN(order); k++)
        stack_push(st, size, st->c->seg[order[k]].selector);
}

/* To an inner privilege, from virtual-8086 mode too. */
static void enter_inner(struct x86_cpu *c, const struct gate *g, struct x86_desc *d, unsigned cpl,
                        uint32_t flags, uint64_t next, bool has_err, uint32_t err)
{
    unsigned size = g->type >= GATE_INT32 ? 2 : 1;
    bool v86 = c->eflags & FLAG_VM;
    struct x86_desc ss_desc;
    struct x86_stack st;
    uint16_t ss;
    uint64_t sp;

    if (v86 && cpl)
        x86_gp(c, g->sel & ~3u);
    x86_tss_stack(c, cpl, &ss, &sp);
    x86_ss_check(c, ss, cpl, EXC_TS, &ss_desc);
    stack_desc(&st, c, &ss_desc, ss, sp, cpl);
    if (v86)
        push_v86_segments(&st, size);
    stack_push(&st, size, c->seg[S_SS].selector);
    stack_push(&st, size, c->cpu.tcg.hot[R_SP]);
    push_frame(&st, size, flags, next, has_err, err);
    x86_desc_access(c, &ss_desc);
    x86_desc_access(c, d);

    enter_flags(c, g->type);
    if (v86) {
        static const uint8_t data[] = { S_ES, S_DS, S_FS, S_GS };
        for (unsigned k = 0; k < ARRAY_LEN(data); k++)
            x86_seg_set_null(c, data[k], 0);
    }
    x86_seg_set(c, S_SS, ss, &ss_desc);
    stack_commit(&st);
    set_handler(c, g, d, cpl);
    x86_set_pc(c, g->offset);
}

static void enter_task(struct x86_cpu *c, const struct gate *g, bool has_err, uint32_t err,
                       uint64_t next)
{
    uint32_t bad = g->sel & ~3u;
    struct x86_desc d;
    unsigned attr;

    if (g->sel & 4 || !x86_desc_read(c, g->sel, &d))
        x86_gp(c, bad);
    attr = desc_attr(&d);
    if (attr & ATTR_S || ((attr & ATTR_TYPE) != 1 && (attr & ATTR_TYPE) != 9))
        x86_gp(c, bad);
    if (!(attr & ATTR_P))
        x86_raise_err(c, EXC_NP, bad);
    x86_task_switch(c, g->sel, &d, SWITCH_INT, next);
    if (has_err) {
        struct x86_stack st;
        stack_current(&st, c);
        stack_push(&st, (attr & ATTR_TYPE) == 9 ? 2 : 1, err);
        stack_commit(&st);
    }
}

/* 6.12: protected mode. */
static void enter32(struct x86_cpu *c, unsigned vector, enum x86_event event, bool has_err,
                    uint32_t err, uint64_t next)
{
    uint32_t flags = flags_image(c, vector, event);
    struct gate g;
    struct x86_desc d;
    struct x86_stack st;
    unsigned cpl;

    read_gate(c, vector, event, &g);
    if (g.type == GATE_TASK) {
        enter_task(c, &g, has_err, err, next);
        return;
    }
    cpl = read_handler(c, &g, &d);
    if (cpl != x86_cpl(c)) {
        enter_inner(c, &g, &d, cpl, flags, next, has_err, err);
        return;
    }
    if (c->eflags & FLAG_VM)
        x86_gp(c, g.sel & ~3u);
    stack_current(&st, c);
    push_frame(&st, g.type >= GATE_INT32 ? 2 : 1, flags, next, has_err, err);
    if (g.offset > desc_limit(&d))
        x86_gp(c, 0);
    x86_desc_access(c, &d);

    enter_flags(c, g.type);
    stack_commit(&st);
    set_handler(c, &g, &d, cpl);
    x86_set_pc(c, g.offset);
}

/* Through the vector table: real mode (volume 3, 20.1.4), and redirected ones of virtual-8086 mode
 * (20.3.3) with the table at 0. */
static void enter_real(struct x86_cpu *c, unsigned vector, uint64_t base, uint32_t flags,
                       uint64_t next, uint64_t clear)
{
    unsigned mode = x86_mode_at(c, x86_cpl(c));
    uint32_t entry = x86_load(c, (uint32_t)(base + vector * 4), 2, mode);
    struct x86_stack st;

    stack_current(&st, c);
    push_frame(&st, 1, flags, next, false, 0);
    stack_commit(&st);
    c->eflags &= ~clear;
    x86_seg_set_real(c, S_CS, entry >> 16);
    x86_set_pc(c, entry & 0xffff);
}

void x86_enter(struct x86_cpu *c, unsigned vector, enum x86_event event, bool has_err, uint32_t err,
               uint64_t next)
{
    log_event(c, vector, event, has_err, err);
    c->delivering = (vector + 1) | (event <= EVENT_TRAP ? 0 : DELIVER_BENIGN) |
                    (is_soft(event) ? 0 : DELIVER_EXT);
    c->cpu.leaves_unit = true;
    if (!(c->cr0 & CR0_PE)) {
        if (vector * 4 + 3 > c->idt.limit)
            x86_gp(c, 0);
        enter_real(c, vector, c->idt.base, x86_eflags(c), next, FLAG_IF | FLAG_TF | FLAG_AC);
    } else if (x86_lma(c)) {
        enter64(c, vector, event, has_err, err, next);
    } else {
        enter32(c, vector, event, has_err, err, next);
    }
    c->delivering = 0;
    c->cpu.leaves_unit = false;
    cpu_update_flags(&c->cpu);
}

/* ---- Exceptions ---- */

static bool has_error_code(unsigned vector)
{
    return vector == EXC_DF || (vector >= EXC_TS && vector <= EXC_PF) || vector == EXC_AC;
}

static bool contributory(unsigned vector)
{
    return vector == EXC_DE || (vector >= EXC_TS && vector <= EXC_GP);
}

/* Table 6-5: whether @second while @first is delivered is a double fault. */
static bool doubles(unsigned first, unsigned second)
{
    if (first == EXC_PF)
        return second == EXC_PF || contributory(second);
    return contributory(first) && contributory(second);
}

static void triple_fault(struct x86_cpu *c)
{
    log_printf(LOG_INT | LOG_CPU_RESET, "cpu %u: triple fault at %016" PRIx64 "\n", c->cpu.index,
               c->cpu.tcg.pc);
    c->delivering = 0;
    if (c->platform && c->platform->shutdown)
        c->platform->shutdown(c->platform_opaque);
    /* Shutdown: only reset, INIT or NMI get out of it. */
    c->eflags &= ~(uint64_t)FLAG_IF;
    cpu_halt(&c->cpu);
    cpu_update_flags(&c->cpu);
}

/* The current instruction's exception: enters the handler, returns. */
static void exception(struct x86_cpu *c, unsigned vector, uint32_t err)
{
    unsigned first = (c->delivering & DELIVER_VECTOR) - 1;

    if (c->delivering) {
        if (c->delivering & DELIVER_EXT && vector >= EXC_TS && vector <= EXC_GP)
            err |= 1;
        if (!(c->delivering & DELIVER_BENIGN)) {
            if (first == EXC_DF && (contributory(vector) || vector == EXC_PF)) {
                triple_fault(c);
                return;
            }
            if (doubles(first, vector)) {
                vector = EXC_DF;
                err = 0;
            }
        }
    }
    if (vector == EXC_DB)
        c->dr[7] &= ~BIT(13); /* GD */
    x86_enter(c, vector, EVENT_FAULT, has_error_code(vector), err, x86_eip(c));
}

void x86_raise_err(struct x86_cpu *c, unsigned vector, uint32_t err)
{
    exception(c, vector, err);
    cpu_resume(&c->cpu);
}

void x86_raise(struct x86_cpu *c, unsigned vector)
{
    x86_raise_err(c, vector, 0);
}

void x86_take_fault(struct cpu *cpu, const struct cpu_fault *fault)
{
    struct x86_cpu *c = x86_of(cpu);

    switch (fault->kind) {
    case FAULT_PAGE:
    case FAULT_GUEST_PAGE:
        c->cr2 = fault->vaddr;
        exception(c, EXC_PF, fault->extra);
        break;
    case FAULT_MISALIGNED: exception(c, EXC_GP, 0); break;
    default:
        if (fault->extra == FAULT_X_WATCH) {
            c->debug_pending = x86_debug_access(c, fault->vaddr, fault->access == ACCESS_WRITE);
            cpu_update_flags(cpu);
            break;
        }
        if (!fault->extra)
            log_guest_error("x86: nothing to access at %" PRIx64 ", pc %" PRIx64 "\n", fault->vaddr,
                            c->cpu.tcg.pc);
        bool stack = fault->extra == FAULT_X_SS ||
                     (fault->extra == FAULT_X_GP && x86_refused_on_stack(c, fault->access));
        exception(c, stack ? EXC_SS : EXC_GP, 0);
        break;
    }
}

/* ---- INT n ---- */

/* 20.3.3: the redirection bitmap lies below the I/O bitmap; true: to the program's own handler. */
static bool redirected(struct x86_cpu *c, unsigned vector)
{
    unsigned mode = x86_system_mode(c);
    uint32_t at;

    if (c->tr.limit < 0x67)
        return false;
    at = x86_load(c, x86_linear(c, c->tr.base + 0x66), 1, mode);
    if (at < 32 || at - 32 + vector / 8 > c->tr.limit)
        return false;
    at = at - 32 + vector / 8;
    return !(x86_load(c, x86_linear(c, c->tr.base + at), 0, mode) >> (vector % 8) & 1);
}

/* INT n in virtual-8086 mode; false: through the IDT after all. */
static bool int_v86(struct x86_cpu *c, unsigned vector, uint64_t next)
{
    bool low = x86_iopl(c) < 3;
    uint32_t flags = x86_eflags(c);
    uint64_t clear = FLAG_TF | FLAG_AC;

    if (c->cr4 & CR4_VME && redirected(c, vector)) {
        if (low) {
            flags = (flags & ~(uint32_t)FLAG_IF) | FLAG_IOPL | (flags & FLAG_VIF ? FLAG_IF : 0);
            clear |= FLAG_VIF;
        } else {
            clear |= FLAG_IF;
        }
        enter_real(c, vector, 0, flags, next, clear);
        cpu_update_flags(&c->cpu);
        return true;
    }
    if (low)
        x86_gp(c, 0);
    return false;
}

void x86_software_interrupt(struct x86_cpu *c, unsigned vector, enum x86_event event, uint64_t next)
{
    if (event == EVENT_SOFT && c->eflags & FLAG_VM && int_v86(c, vector, next))
        return;
    x86_enter(c, vector, event, false, 0, next);
}
