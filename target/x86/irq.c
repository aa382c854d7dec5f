/*
 * Interrupt inputs: INTR, NMI, SMI, INIT and start-up IPIs, and when they are taken.
 */
#include "smm.h"
#include "sys.h"

enum {
    LINE_INTR = 1 << X86_IRQ_INTR,
    LINE_NMI = 1 << X86_IRQ_NMI,
    LINE_SMI = 1 << X86_IRQ_SMI,
    LINE_INIT = 1 << X86_IRQ_INIT,
    LINE_SIPI = 1 << 8,
};

static uint32_t lines_of(const struct x86_cpu *c)
{
    return __atomic_load_n(&c->lines, __ATOMIC_SEQ_CST);
}

static void clear_line(struct x86_cpu *c, uint32_t line)
{
    __atomic_fetch_and(&c->lines, ~line, __ATOMIC_SEQ_CST);
}

/* Lines that would be heeded now. */
static uint32_t takeable(const struct x86_cpu *c)
{
    uint32_t lines = lines_of(c);

    if (__builtin_expect(!lines, 1))
        return 0;
    if (c->wait_sipi)
        return lines & (LINE_INIT | LINE_SIPI);
    if (!(c->eflags & FLAG_IF))
        lines &= ~LINE_INTR;
    if (c->nmi_blocked)
        lines &= ~LINE_NMI;
    if (c->in_smm)
        lines &= ~(LINE_SMI | LINE_INIT);
    return lines;
}

bool x86_has_work(const struct cpu *cpu)
{
    return takeable(x86_of_const(cpu)) & ~LINE_SIPI ||
           (x86_of_const(cpu)->wait_sipi && takeable(x86_of_const(cpu)));
}

static void attention(struct x86_cpu *c)
{
    __atomic_fetch_or(&c->cpu.tcg.flags, TCG_FLAGS_ATTENTION, __ATOMIC_SEQ_CST);
}

void x86_check_irq(struct x86_cpu *c)
{
    if (takeable(c))
        attention(c);
}

void x86_end_shadow(struct x86_cpu *c)
{
    c->shadow = 0;
    cpu_update_flags(&c->cpu);
    attention(c);
}

/* Waiting for SIPI: everything but INIT is ignored. */
static bool waiting(struct x86_cpu *c, uint32_t lines)
{
    if (lines & LINE_INIT) {
        clear_line(c, LINE_INIT);
        x86_init(c);
        return true;
    }
    if (!(lines & LINE_SIPI)) {
        cpu_halt(&c->cpu);
        return false;
    }
    clear_line(c, LINE_SIPI);
    c->wait_sipi = false;
    __atomic_store_n(&c->cpu.halted, 0, __ATOMIC_SEQ_CST);
    c->eflags = 0;
    x86_seg_set_real(c, S_CS, __atomic_load_n(&c->sipi_vector, __ATOMIC_SEQ_CST) << 8);
    x86_set_pc(c, 0);
    return true;
}

/* Behind STI or a load of SS one instruction is to be run first; then we are asked again. */
static bool in_shadow(struct x86_cpu *c)
{
    if (c->shadow_pc == c->cpu.tcg.pc) {
        c->shadow = 1;
        cpu_update_flags(&c->cpu);
    }
    c->shadow_pc = ~0ULL;
    return c->shadow;
}

static bool take_intr(struct x86_cpu *c)
{
    int vector = c->irqchip && c->irqchip->ack ? c->irqchip->ack(c->irqchip_opaque) : -1;

    if (vector < 0)
        return false;
    x86_enter(c, vector, EVENT_EXTERNAL, false, 0, x86_eip(c));
    return true;
}

bool x86_take_interrupt(struct cpu *cpu)
{
    struct x86_cpu *c = x86_of(cpu);
    uint32_t lines = takeable(c);

    if (c->wait_sipi)
        return waiting(c, lines);
    if (lines & LINE_SIPI) {
        if (!(lines_of(c) & LINE_INIT)) /* behind INIT it is meant for us, who were slow */
            clear_line(c, LINE_SIPI);
        lines &= ~LINE_SIPI;
    }
    if (!lines || in_shadow(c))
        return false;
    if (lines & LINE_SMI) {
        clear_line(c, LINE_SMI);
        x86_smm_enter(c);
        return true;
    }
    if (lines & LINE_INIT) {
        clear_line(c, LINE_INIT);
        x86_init(c);
        return true;
    }
    if (lines & LINE_NMI) {
        clear_line(c, LINE_NMI);
        c->nmi_blocked = true;
        x86_enter(c, EXC_NMI, EVENT_EXTERNAL, false, 0, x86_eip(c));
        return true;
    }
    return take_intr(c);
}

void x86_set_irq(struct cpu *cpu, unsigned line, bool level)
{
    struct x86_cpu *c = x86_of(cpu);

    if (!level) {
        if (line == X86_IRQ_INTR)
            clear_line(c, LINE_INTR);
        return;
    }
    if (line == X86_IRQ_INIT) /* a start-up IPI before it was for nobody */
        clear_line(c, LINE_SIPI);
    __atomic_fetch_or(&c->lines, 1u << line, __ATOMIC_SEQ_CST);
    cpu_kick(cpu);
}

void x86_sipi(struct cpu *cpu, uint8_t vector)
{
    struct x86_cpu *c = x86_of(cpu);

    __atomic_store_n(&c->sipi_vector, vector, __ATOMIC_SEQ_CST);
    __atomic_fetch_or(&c->lines, LINE_SIPI, __ATOMIC_SEQ_CST);
    cpu_kick(cpu);
}
