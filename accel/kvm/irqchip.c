/*
 * Interrupt controllers in the kernel, and its routing table: what each line does (target/kvm.h
 * has the numbers of lines).
 *
 * With local APICs alone ("split") the kernel never sees the lines of the board's own I/O interrupt
 * controller, but tells of the ends of level-triggered interrupts whose messages are in their
 * entries. With all of them ("on") the entries lead to pins of the kernel's controllers.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <base/bits.h>
#include <base/error.h>
#include <base/log.h>
#include "kvm.h"

#define EVENT_LINES 256 /* the kernel has at least 1024 */

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

/* ---- lines for events of devices ---- */

/* The entries of the table behind the controllers' own. */
struct event_line {
    int fd; /* -1: free */
    bool on;
};

static struct event_line *lines_of(const struct kvm *kvm)
{
    return (struct event_line *)(void *)kvm->lines->data;
}

static bool assign_line(const struct kvm *kvm, unsigned n, bool on)
{
    struct kvm_irqfd e = {
        .fd = (uint32_t)lines_of(kvm)[n].fd,
        .gsi = KVM_GSI_FREE + n,
        .flags = on ? 0 : KVM_IRQFD_FLAG_DEASSIGN,
    };

    if (lines_of(kvm)[n].on == on)
        return true;
    if (kvm_ioctl(kvm->vm.fd, KVM_IRQFD, &e) < 0) {
        log_printf(LOG_UNIMP, "kvm: KVM_IRQFD: %s\n", g_strerror(errno));
        return false;
    }
    lines_of(kvm)[n].on = on;
    return true;
}

static int free_line(const struct kvm *kvm)
{
    struct event_line line = { -1, false };

    for (unsigned i = 0; i < kvm->lines->len; i++)
        if (lines_of(kvm)[i].fd < 0)
            return (int)i;
    if (kvm->lines->len == EVENT_LINES)
        return -1;
    g_array_append_val(kvm->lines, line);
    return (int)kvm->lines->len - 1;
}

static int add_line(void *opaque, int fd, uint64_t addr, uint32_t data)
{
    struct kvm *kvm = opaque;
    int n = free_line(kvm);
    struct event_line *line;

    if (n < 0)
        return -1;
    line = &lines_of(kvm)[n];
    line->fd = fd;
    set_route(&kvm->routes->entries[kvm->own_routes + (unsigned)n], KVM_GSI_FREE + (unsigned)n,
              addr, data);
    kvm->routes->nr = MAX(kvm->routes->nr, kvm->own_routes + (unsigned)n + 1);
    write_routes(kvm);
    if (kvm->host_irqchip.away || assign_line(kvm, (unsigned)n, true))
        return n;
    line->fd = -1;
    return -1;
}

static void remove_line(void *opaque, int n)
{
    const struct kvm *kvm = opaque;

    assign_line(kvm, (unsigned)n, false);
    lines_of(kvm)[n] = (struct event_line){ -1, false };
}

static void assign_lines(const struct kvm *kvm, bool on)
{
    for (unsigned i = 0; kvm->lines && i < kvm->lines->len; i++)
        if (lines_of(kvm)[i].fd >= 0)
            assign_line(kvm, i, on);
}

/* ---- controllers of the board's in the kernel ---- */

static void set_line(const struct kvm *kvm, unsigned gsi, bool level)
{
    struct kvm_irq_level l = { .irq = gsi, .level = level };

    if (kvm_ioctl(kvm->vm.fd, KVM_IRQ_LINE, &l) < 0)
        log_printf(LOG_UNIMP, "kvm: KVM_IRQ_LINE %u: %s\n", gsi, g_strerror(errno));
}

/* Devices tell levels, not changes, and the kernel is not to be asked for nothing. */
static bool changes(uint32_t *levels, unsigned n, bool level)
{
    uint32_t old = *levels;

    *levels = deposit32(old, n, 1, level);
    return *levels != old;
}

static void pic_line(void *opaque, unsigned n, bool level)
{
    struct kvm *kvm = opaque;

    if (!changes(&kvm->pic_levels, n, level))
        return;
    set_line(kvm, KVM_GSI_PIC + n, level);
    if (kvm_pic_line_is_pin(n))
        changes(&kvm->ioapic_levels, n, level);
}

static void ioapic_line(void *opaque, unsigned n, bool level)
{
    struct kvm *kvm = opaque;

    if (changes(&kvm->ioapic_levels, n, level))
        set_line(kvm, KVM_GSI_IOAPIC + n, level);
}

static void timer_silent(void *opaque, bool silent)
{
    struct kvm *kvm = opaque;

    if (kvm->vm.timer_silent == silent)
        return;
    kvm->vm.timer_silent = silent;
    if (!kvm->host_irqchip.away)
        kvm->guest->chips->silence(&kvm->vm);
}

static void look(void *opaque)
{
    struct kvm *kvm = opaque;
    struct machine *m = kvm->vm.machine;
    struct host_chips chips;

    kvm->guest->chips->get(&kvm->vm, &chips);
    m->type->host_chips(m, &chips, true);
}

void irqchip_take(struct kvm *kvm)
{
    assign_lines(kvm, false); /* an interrupt in the kernel from here on would be lost */
    kvm->host_irqchip.away = true;
    if (kvm->vm.irqchip == KVM_IRQCHIP_ON)
        look(kvm);
}

void irqchip_give(struct kvm *kvm)
{
    struct machine *m = kvm->vm.machine;
    struct host_chips chips;

    if (kvm->vm.irqchip == KVM_IRQCHIP_ON) {
        m->type->host_chips(m, &chips, false);
        kvm->guest->chips->put(&kvm->vm, &chips);
    }
    kvm->host_irqchip.away = false;
    assign_lines(kvm, true);
}

/* ---- beginning and end ---- */

static const char *const names[] = { "off", "split", "on" };

static bool make_chips(struct kvm *kvm, GError **err)
{
    struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args = { HOST_IRQCHIP_LINES } };

    if (kvm->vm.irqchip == KVM_IRQCHIP_ON)
        return kvm->guest->chips->make(&kvm->vm, err);
    return kvm_ioctl(kvm->vm.fd, KVM_ENABLE_CAP, &cap) >= 0 ||
           error_set_errno(err, errno, "-accel kvm: kernel-irqchip=split");
}

static void make_routes(struct kvm *kvm)
{
    kvm->routes = g_malloc0(sizeof(*kvm->routes) +
                            (KVM_CHIP_ROUTES_MAX + EVENT_LINES) * sizeof(kvm->routes->entries[0]));
    if (kvm->vm.irqchip == KVM_IRQCHIP_ON) {
        kvm->routes->nr = kvm->guest->chips->routes(kvm->routes->entries);
    } else {
        kvm->routes->nr = HOST_IRQCHIP_LINES;
        for (unsigned i = 0; i < HOST_IRQCHIP_LINES; i++)
            set_route(&kvm->routes->entries[i], i, 0, 0);
    }
    kvm->own_routes = kvm->routes->nr;
    write_routes(kvm);
}

/* Why the kernel cannot have the controllers that were asked for, or NULL. */
static const char *cannot_have(const struct kvm *kvm)
{
    const struct machine *m = kvm->vm.machine;

    if (!m->type->use_host_irqchip)
        return "the machine has no local APICs";
    if (kvm->vm.irqchip == KVM_IRQCHIP_ON)
        return m->type->host_chips && kvm->guest->chips ? NULL : "the kernel has no such chips";
    return kvm_check(&kvm->vm, KVM_CAP_SPLIT_IRQCHIP) ? NULL : "the host's kernel is too old (4.5)";
}

bool irqchip_begin(struct kvm *kvm, GError **err)
{
    struct machine *m = kvm->vm.machine;
    const char *why = NULL;

    if (kvm->vm.irqchip == KVM_IRQCHIP_OFF)
        return true;
    why = cannot_have(kvm);
    if (why) {
        if (kvm->irqchip_asked)
            return error_set(err, "-accel kvm: kernel-irqchip=%s: %s", names[kvm->vm.irqchip], why);
        kvm->vm.irqchip = KVM_IRQCHIP_OFF;
        return true;
    }
    if (!make_chips(kvm, err))
        return false;
    make_routes(kvm);
    kvm->host_irqchip = (struct host_irqchip){
        .opaque = kvm,
        .all = kvm->vm.irqchip == KVM_IRQCHIP_ON,
        .away = true,
        .message = message,
        .route = route,
        .pic_line = pic_line,
        .ioapic_line = ioapic_line,
        .timer_silent = timer_silent,
        .look = look,
    };
    if (kvm_check(&kvm->vm, KVM_CAP_IRQFD)) {
        kvm->lines = g_array_new(FALSE, FALSE, sizeof(struct event_line));
        kvm->host_irqchip.add_line = add_line;
        kvm->host_irqchip.remove_line = remove_line;
    }
    m->host_irqchip = &kvm->host_irqchip;
    kvm->used_irqchip = m->type->use_host_irqchip(m, &kvm->host_irqchip);
    if (kvm->used_irqchip)
        return true;
    return error_set(err, "-accel kvm: kernel-irqchip=%s: the machine has no local APICs",
                     names[kvm->vm.irqchip]);
}

void irqchip_end(struct kvm *kvm)
{
    struct machine *m = kvm->vm.machine;

    if (kvm->used_irqchip)
        m->type->use_host_irqchip(m, NULL);
    m->host_irqchip = NULL;
    g_clear_pointer(&kvm->lines, g_array_unref);
    g_free(kvm->routes);
}
