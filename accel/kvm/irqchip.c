/*
 * Interrupt controllers in the kernel, and its routing table: which message each line sends.
 *
 * Lines 0 to 23 are those of the board's own I/O interrupt controller: the kernel never sees them,
 * but tells of the ends of level-triggered interrupts whose messages are in their entries. Behind
 * them come lines that others take: kvm_route_take().
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <base/error.h>
#include <base/log.h>
#include "kvm.h"

static void message(void *opaque, uint64_t addr, uint32_t data)
{
    const struct kvm *kvm = opaque;
    struct kvm_msi msi = { .address_lo = (uint32_t)addr,
                           .address_hi = (uint32_t)(addr >> 32),
                           .data = data };

    if (kvm_ioctl(kvm->vm.fd, KVM_SIGNAL_MSI, &msi) < 0)
        log_printf(LOG_GUEST, "kvm: message %#x to %#" PRIx64 ": %s\n", data, addr,
                   g_strerror(errno));
}

static void write_routes(struct kvm *kvm)
{
    if (kvm_ioctl(kvm->vm.fd, KVM_SET_GSI_ROUTING, kvm->routes) < 0)
        log_printf(LOG_UNIMP, "kvm: KVM_SET_GSI_ROUTING: %s\n", g_strerror(errno));
}

static void set_route(struct kvm_irq_routing_entry *e, uint32_t line, uint64_t addr, uint32_t data)
{
    *e = (struct kvm_irq_routing_entry){
        .gsi = line,
        .type = KVM_IRQ_ROUTING_MSI,
        .u.msi = { .address_lo = (uint32_t)addr,
                   .address_hi = (uint32_t)(addr >> 32),
                   .data = data },
    };
}

/* Only of level-triggered messages the kernel must know. */
static void route(void *opaque, unsigned n, uint64_t addr, uint32_t data)
{
    struct kvm *kvm = opaque;
    struct kvm_irq_routing_entry e, *old = &kvm->routes->entries[n];

    set_route(&e, n, addr, data);
    if (memcmp(&e.u.msi, &old->u.msi, sizeof(e.u.msi)) == 0)
        return;
    *old = e;
    if (data & 0x8000)
        write_routes(kvm);
}

bool irqchip_begin(struct kvm *kvm, GError **err)
{
    struct machine *m = kvm->vm.machine;
    struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { HOST_IRQCHIP_LINES } };
    bool asked = kvm->irqchip_asked;

    if (kvm->vm.irqchip == KVM_IRQCHIP_OFF)
        return true;
    kvm->host_irqchip = (struct host_irqchip){ kvm, message, route };
    if (!kvm_check(&kvm->vm, KVM_CAP_SPLIT_IRQCHIP) || !m->type->use_host_irqchip ||
        !m->type->use_host_irqchip(m, &kvm->host_irqchip)) {
        kvm->vm.irqchip = KVM_IRQCHIP_OFF;
        return !asked || error_set(err, "-accel kvm: kernel-irqchip=split: %s",
                                   m->type->use_host_irqchip ? "the host's kernel is too old (4.5)"
                                                             : "the machine has no local APICs");
    }
    kvm->used_irqchip = true;
    if (kvm_ioctl(kvm->vm.fd, KVM_ENABLE_CAP, &cap) < 0)
        return error_set_errno(err, errno, "-accel kvm: kernel-irqchip=split");
    kvm->routes =
        g_malloc0(sizeof(*kvm->routes) + HOST_IRQCHIP_LINES * sizeof(kvm->routes->entries[0]));
    kvm->routes->nr = HOST_IRQCHIP_LINES;
    for (unsigned i = 0; i < HOST_IRQCHIP_LINES; i++)
        set_route(&kvm->routes->entries[i], i, 0, 0);
    write_routes(kvm);
    return true;
}

void irqchip_end(struct kvm *kvm)
{
    struct machine *m = kvm->vm.machine;

    if (kvm->used_irqchip)
        m->type->use_host_irqchip(m, NULL);
    g_free(kvm->routes);
}
