/*
 * VMware's port 5658h ("vmport"), by which guests ask the machine about itself: IN of 32 bits with
 * a magic number in EAX, a command in CX and its argument in EBX, answered in registers. And
 * "vmmouse", a pointer in absolute coordinates behind it.
 *
 *     vmport_connect(port, &cpu_ops, board);
 *     vmmouse_connect(mouse, port, keyboard_controller);
 *
 * Source: the drivers in Linux (drivers/input/mouse/vmmouse.c, arch/x86/include/asm/vmware.h) and
 * the protocol's description in open-vm-tools.
 */
#ifndef HW_MISC_VMPORT_H
#define HW_MISC_VMPORT_H

#include <hw/core/machine.h>

enum vmport_reg {
    VMPORT_EAX,
    VMPORT_EBX,
    VMPORT_ECX,
    VMPORT_EDX,
    VMPORT_ESI,
    VMPORT_EDI,
    VMPORT_REGS
};

/* Registers of the CPU that is accessing the port, from within its access. */
struct vmport_cpu_ops {
    /* False: no CPU's are to be had. */
    bool (*get)(void *opaque, uint32_t regs[VMPORT_REGS]);
    void (*set)(void *opaque, const uint32_t regs[VMPORT_REGS]);
    uint64_t (*tsc_hz)(void *opaque);
};

typedef void vmport_fn(void *opaque, uint32_t regs[VMPORT_REGS]);

void vmport_connect(struct device *vmport, const struct vmport_cpu_ops *ops, void *opaque);
/* Who answers command `n`, below 128. `fn` NULL: nobody. */
void vmport_set_command(struct device *vmport, unsigned n, vmport_fn *fn, void *opaque);

/* Commands go to the mouse; news of it are told by interrupts of the PS/2 mouse of `i8042`. */
void vmmouse_connect(struct device *vmmouse, struct device *vmport, struct device *i8042);

#endif
