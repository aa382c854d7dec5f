/* Local APICs: what their files share. Chapter numbers are those of volume 3A of Intel's manual,
 * "Advanced programmable interrupt controller". */
#ifndef APIC_PRIVATE_H
#define APIC_PRIVATE_H

#include <hw/irqchip/apic.h>
#include <base/clock.h>
#include <hw/core/host_irqchip.h>
#include <hw/core/machine.h>

#define APIC_CPUS_MAX 255
#define APIC_WORDS    8 /* of 32 vectors */
#define APIC_HZ       1000000000

/* Registers by number: offset / 16, or MSR - 0x800 (table 11-1, 11-6). */
enum apic_reg {
    REG_ID = 0x02,
    REG_VERSION = 0x03,
    REG_TPR = 0x08,
    REG_APR = 0x09,
    REG_PPR = 0x0a,
    REG_EOI = 0x0b,
    REG_RRD = 0x0c,
    REG_LDR = 0x0d,
    REG_DFR = 0x0e,
    REG_SVR = 0x0f,
    REG_ISR = 0x10,
    REG_TMR = 0x18,
    REG_IRR = 0x20,
    REG_ESR = 0x28,
    REG_ICR = 0x30,
    REG_ICR_HIGH = 0x31,
    REG_LVT = 0x32,
    REG_COUNT_INIT = 0x38,
    REG_COUNT = 0x39,
    REG_DIVIDE = 0x3e,
    REG_SELF_IPI = 0x3f,
    REG_END = 0x40,
};

/* Local vector table, from REG_LVT on. */
enum apic_lvt { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVTS };

#define LVT_VECTOR       0x000ff
#define LVT_MODE         0x00700
#define LVT_PENDING      0x01000
#define LVT_POLARITY     0x02000
#define LVT_IRR          0x04000
#define LVT_LEVEL        0x08000
#define LVT_MASKED       0x10000
#define LVT_PERIODIC     0x20000
#define LVT_DEADLINE     0x40000
#define LVT_MODE_OF(lvt) (((lvt)&LVT_MODE) >> 8)

#define SVR_ENABLE           0x0100
#define SVR_NO_EOI_BROADCAST 0x1000

#define ESR_SEND_VECTOR    0x20
#define ESR_RECEIVE_VECTOR 0x40
#define ESR_REGISTER       0x80

#define MSR_APIC_BASE    0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC       0x800
#define BASE_BSP         0x100
#define BASE_X2APIC      0x400
#define BASE_ENABLE      0x800

struct apics;

struct lapic {
    struct apics *all;
    unsigned cpu;
    uint8_t initial_id;
    struct timer timer;

    uint64_t base; /* MSR */
    uint8_t id, tpr;
    uint32_t ldr, dfr, svr, esr, esr_seen, divide;
    uint64_t icr;
    uint32_t lvt[LVTS];
    uint32_t isr[APIC_WORDS], tmr[APIC_WORDS], irr[APIC_WORDS];
    uint8_t lines;   /* levels of LINT0 and LINT1 */
    bool extint;     /* asked for by a message */
    uint32_t count;  /* initial count of the timer */
    int64_t started; /* ns of CLK_VIRTUAL at which it began */
    uint64_t tsc_deadline;
};

struct apics {
    struct device dev;
    struct mem_region io;
    uint32_t cpus;
    bool x2apic;
    struct lapic *lapic; /* by CPU */
    struct irq_line *intr, *nmi, *smi, *init;
    struct device *pic;
    const struct apic_board_ops *ops;
    void *opaque;
    const struct host_irqchip *host; /* NULL: everything is here */
    unsigned turn;                   /* where the search for the lowest priority begins */
    struct {
        apic_eoi_fn *fn;
        void *opaque;
    } eoi[APIC_EOI_MAX];
};

static inline bool lapic_enabled(const struct lapic *l)
{
    return l->base & BASE_ENABLE;
}

static inline bool lapic_x2(const struct lapic *l)
{
    return (l->base & (BASE_ENABLE | BASE_X2APIC)) == (BASE_ENABLE | BASE_X2APIC);
}

/* apic.c: accepting interrupts. */
void lapic_update(struct lapic *l);
/* A message that has reached this APIC. */
void lapic_accept(struct lapic *l, uint8_t mode, uint8_t vector, bool level);
void lapic_local(struct lapic *l, enum apic_lvt n);
void lapic_error(struct lapic *l, uint32_t bits);
void lapic_eoi(struct lapic *l);
void lapic_reset(struct lapic *l);
uint8_t lapic_ppr(const struct lapic *l);
void lapic_set_lines(struct lapic *l, uint8_t lines);

/* apic-bus.c: where messages go. */
void lapic_send_ipi(struct lapic *l);
uint32_t lapic_x2_ldr(const struct lapic *l); /* logical x2APIC ID */

/* apic-host.c */
void apic_host_send(struct apics *a, const struct apic_message *msg);
int apic_host_ack(struct lapic *l);

/* apic-timer.c */
uint32_t lapic_timer_count(const struct lapic *l);
void lapic_timer_start(struct lapic *l, uint32_t count);
/* LVT or divider changed, or the state was loaded. */
void lapic_timer_changed(struct lapic *l);
/* What is left of the count goes on at another pace. */
void lapic_timer_divide(struct lapic *l, uint32_t divide);
/* A count that is over counts as over now, however late the main loop is: before its entry changes.
 */
void lapic_timer_settle(struct lapic *l);
void lapic_timer_set_deadline(struct lapic *l, uint64_t tsc);
void lapic_timer_due(void *opaque);
/* The count began so that @left of it is left; nothing is armed. */
void lapic_timer_began(struct lapic *l, uint32_t left);

/* apic-regs.c: registers; false: there is none, or it cannot be accessed so. */
bool lapic_read(struct lapic *l, unsigned reg, uint32_t *val);
bool lapic_write(struct lapic *l, unsigned reg, uint32_t val);
extern const struct io_ops apic_io;

#endif
