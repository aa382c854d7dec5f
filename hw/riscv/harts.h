/* The harts of a RISC-V board: making them, wiring them, describing them. */
#ifndef HW_RISCV_HARTS_H
#define HW_RISCV_HARTS_H

#include <hw/core/devtree.h>
#include <hw/core/machine.h>

/* Interrupt inputs of a hart: bits of mip (Privileged Architecture, 3.1.9). */
enum hart_irq {
    HART_SSIP = 1,
    HART_MSIP = 3,
    HART_MTIP = 7,
    HART_SEIP = 9,
    HART_MEIP = 11,
};

struct cpu;

struct harts {
    struct machine *machine;
    unsigned count;
    bool rv64;
    struct cpu *first; /* hart 0; with cfg.no_cpus only a model, for the devicetree */
};

/* Makes cfg.cpus CPUs of the model cfg.cpu and adds them to the machine; with cfg.no_cpus only the
 * number is noted. They start at `reset_pc`. */
bool harts_init(struct harts *h, struct machine *m, uint64_t reset_pc, GError **err);
/* Connects their time CSR to an ACLINT timer of `frequency` Hz. */
void harts_connect_time(struct harts *h, struct device *mtimer, uint32_t frequency);
/* What drives an input of a hart. */
struct irq_line hart_irq(struct harts *h, unsigned hart, enum hart_irq n);
void harts_free(struct harts *h);

/* Adds /cpus with all harts and gives the phandle of each one's interrupt controller in intc. */
void harts_fdt(struct harts *h, struct devtree *t, uint32_t frequency, uint32_t *intc);
/* Adds interrupts-extended to a node: each hart's controller with one or two inputs (0: none). */
void harts_fdt_irqs(struct harts *h, struct devtree *t, const char *path, const uint32_t *intc,
                    uint32_t first, uint32_t second);

#endif
