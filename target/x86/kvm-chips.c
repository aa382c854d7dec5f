/*
 * The chips around x86 CPUs in the kernel (4.24 to 4.27, 4.71, 4.72): 8259s, I/O APIC and 8254, and
 * their registers between the kernel and struct host_chips.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <base/error.h>
#include <base/log.h>
#include <hw/core/host_irqchip.h>
#include "kvm.h"

#define IOAPIC_BASE 0xfec00000u

enum { CASCADE = 2, TIMER_PIN = 2, PIT_NOT_SET = 0xff };

static bool make(struct kvm_vm *vm, GError **err)
{
    struct kvm_pit_config pit = { .flags = KVM_PIT_SPEAKER_DUMMY };

    if (!kvm_check(vm, KVM_CAP_IRQCHIP) || !kvm_check(vm, KVM_CAP_PIT_STATE2))
        return error_set(err, "-accel kvm: kernel-irqchip=on: the host's kernel has no such chips: "
                              "'split' needs only local APICs");
    if (kvm_ioctl(vm->fd, KVM_CREATE_IRQCHIP, NULL) < 0)
        return error_set_errno(err, errno, "-accel kvm: kernel-irqchip=on: KVM_CREATE_IRQCHIP");
    if (kvm_ioctl(vm->fd, KVM_CREATE_PIT2, &pit) < 0)
        return error_set_errno(err, errno, "-accel kvm: kernel-irqchip=on: KVM_CREATE_PIT2");
    return true;
}

static struct kvm_irq_routing_entry entry(uint32_t gsi, uint32_t chip, uint32_t pin)
{
    return (struct kvm_irq_routing_entry){
        .gsi = gsi,
        .type = KVM_IRQ_ROUTING_IRQCHIP,
        .u.irqchip = { .irqchip = chip, .pin = pin },
    };
}

/* The kernel's 8254 raises line 0, which leads to both controllers, as on the board; it comes last,
 * as the kernel tells ends of interrupts to the last line that names a pin. */
static unsigned routes(struct kvm_irq_routing_entry *e)
{
    unsigned n = 0;

    for (unsigned i = 1; i < HOST_IRQCHIP_LINES; i++)
        e[n++] = entry(KVM_GSI_IOAPIC + i, KVM_IRQCHIP_IOAPIC, i);
    for (unsigned i = 0; i < 16; i++) {
        if (i != CASCADE)
            e[n++] = entry(KVM_GSI_PIC + i, i / 8 ? KVM_IRQCHIP_PIC_SLAVE : KVM_IRQCHIP_PIC_MASTER,
                           i % 8);
        if (kvm_pic_line_is_pin(i))
            e[n++] = entry(KVM_GSI_PIC + i, KVM_IRQCHIP_IOAPIC, i);
    }
    e[n++] = entry(0, KVM_IRQCHIP_PIC_MASTER, 0);
    e[n++] = entry(0, KVM_IRQCHIP_IOAPIC, TIMER_PIN);
    return n;
}

/* ---- 8259s ---- */

static void get_pic(const struct kvm_pic_state *k, struct host_pic *r)
{
    *r = (struct host_pic){
        .latched = k->irr & (uint8_t)~k->elcr,
        .imr = k->imr,
        .isr = k->isr,
        .elcr = k->elcr,
        .base = k->irq_base,
        .lowest = (k->priority_add + 7) & 7,
        .next_icw = k->init_state ? k->init_state + 1 : 0,
        .need_icw4 = k->init4,
        .read_isr = k->read_reg_select,
        .poll = k->poll,
        .special_mask = k->special_mask,
        .rotate_aeoi = k->rotate_on_auto_eoi,
        .aeoi = k->auto_eoi,
        .nested = k->special_fully_nested_mode,
    };
}

static void put_pic(const struct host_pic *r, unsigned chip, struct kvm_pic_state *k)
{
    static const uint8_t elcr_mask[] = { 0xf8, 0xde };

    *k = (struct kvm_pic_state){
        .last_irr = r->lines,
        .irr = (r->latched & (uint8_t)~r->elcr) | (r->lines & r->elcr),
        .imr = r->imr,
        .isr = r->isr,
        .priority_add = (r->lowest + 1) & 7,
        .irq_base = r->base,
        .read_reg_select = r->read_isr,
        .poll = r->poll,
        .special_mask = r->special_mask,
        .init_state = r->next_icw ? r->next_icw - 1 : 0,
        .auto_eoi = r->aeoi,
        .rotate_on_auto_eoi = r->rotate_aeoi,
        .special_fully_nested_mode = r->nested,
        .init4 = r->need_icw4,
        .elcr = r->elcr,
        .elcr_mask = elcr_mask[chip],
    };
}

/* ---- I/O APIC ---- */

static void get_ioapic(const struct kvm_ioapic_state *k, struct host_ioapic *r)
{
    r->select = (uint8_t)k->ioregsel;
    r->id = (uint8_t)k->id;
    for (unsigned i = 0; i < HOST_IRQCHIP_LINES; i++)
        r->rte[i] = k->redirtbl[i].bits;
}

/* The kernel sends what is in irr: edges have been sent when they came. */
static void put_ioapic(const struct host_ioapic *r, struct kvm_ioapic_state *k)
{
    *k = (struct kvm_ioapic_state){ .base_address = IOAPIC_BASE,
                                    .ioregsel = r->select,
                                    .id = r->id };
    for (unsigned i = 0; i < HOST_IRQCHIP_LINES; i++) {
        k->redirtbl[i].bits = r->rte[i];
        if (k->redirtbl[i].fields.trig_mode)
            k->irr |= r->lines & 1u << i;
    }
}

/* ---- 8254 ---- */

static int64_t host_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Of channel 0, whose counting is a timer of the kernel's, the age is not told. */
static struct host_pit_counter get_counter(const struct kvm_pit_channel_state *k, unsigned n)
{
    return (struct host_pit_counter){
        .mode = k->mode,
        .access = k->rw_mode,
        .next_read = k->read_state,
        .next_write = k->write_state,
        .low_written = k->write_latch,
        .status = k->status,
        .latched = k->count_latched,
        .bcd = k->bcd,
        .gate = k->gate,
        .loaded = k->mode != PIT_NOT_SET,
        .status_latched = k->status_latched,
        .count = k->count,
        .latch = k->latched_count,
        .age = n ? host_now() - k->count_load_time : 0,
    };
}

static void put_counter(const struct host_pit_counter *r, struct kvm_pit_channel_state *k)
{
    *k = (struct kvm_pit_channel_state){
        .count = r->count,
        .latched_count = r->latch,
        .count_latched = r->latched,
        .status_latched = r->status_latched,
        .status = r->status,
        .read_state = r->next_read,
        .write_state = r->next_write,
        .write_latch = r->low_written,
        .rw_mode = r->access,
        .mode = r->loaded ? r->mode : PIT_NOT_SET,
        .bcd = r->bcd,
        .gate = r->gate,
        .count_load_time = host_now() - r->age,
    };
}

static void get_pit(const struct kvm_pit_state2 *k, struct host_chips *c)
{
    for (unsigned i = 0; i < 3; i++)
        c->pit[i] = get_counter(&k->channels[i], i);
    c->port61 = (uint8_t)(k->channels[2].gate | (k->flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON ? 2 : 0));
}

static void put_pit(const struct kvm_vm *vm, const struct host_chips *c, struct kvm_pit_state2 *k)
{
    *k = (struct kvm_pit_state2){
        .flags = (vm->timer_silent ? KVM_PIT_FLAGS_HPET_LEGACY : 0) |
                 (c->port61 & 2 ? KVM_PIT_FLAGS_SPEAKER_DATA_ON : 0),
    };
    for (unsigned i = 0; i < 3; i++)
        put_counter(&c->pit[i], &k->channels[i]);
}

/* ---- all of them ---- */

static void call(const struct kvm_vm *vm, unsigned long request, void *arg, const char *what)
{
    if (kvm_ioctl(vm->fd, request, arg) < 0)
        log_printf(LOG_UNIMP, "kvm: %s: %s\n", what, g_strerror(errno));
}

static void get(struct kvm_vm *vm, struct host_chips *c)
{
    struct kvm_irqchip chip;
    struct kvm_pit_state2 pit = { .flags = 0 };

    for (unsigned i = 0; i < 2; i++) {
        chip = (struct kvm_irqchip){ .chip_id = i };
        call(vm, KVM_GET_IRQCHIP, &chip, "KVM_GET_IRQCHIP");
        get_pic(&chip.chip.pic, &c->pic[i]);
    }
    chip = (struct kvm_irqchip){ .chip_id = KVM_IRQCHIP_IOAPIC };
    call(vm, KVM_GET_IRQCHIP, &chip, "KVM_GET_IRQCHIP");
    get_ioapic(&chip.chip.ioapic, &c->ioapic);
    call(vm, KVM_GET_PIT2, &pit, "KVM_GET_PIT2");
    get_pit(&pit, c);
}

static void put(struct kvm_vm *vm, const struct host_chips *c)
{
    struct kvm_irqchip chip;
    struct kvm_pit_state2 pit;

    for (unsigned i = 0; i < 2; i++) {
        chip = (struct kvm_irqchip){ .chip_id = i };
        put_pic(&c->pic[i], i, &chip.chip.pic);
        call(vm, KVM_SET_IRQCHIP, &chip, "KVM_SET_IRQCHIP");
    }
    chip = (struct kvm_irqchip){ .chip_id = KVM_IRQCHIP_IOAPIC };
    put_ioapic(&c->ioapic, &chip.chip.ioapic);
    call(vm, KVM_SET_IRQCHIP, &chip, "KVM_SET_IRQCHIP");
    put_pit(vm, c, &pit);
    call(vm, KVM_SET_PIT2, &pit, "KVM_SET_PIT2");
}

static void silence(struct kvm_vm *vm)
{
    struct kvm_pit_state2 pit;

    if (kvm_ioctl(vm->fd, KVM_GET_PIT2, &pit) < 0)
        return;
    pit.flags &= ~KVM_PIT_FLAGS_HPET_LEGACY;
    pit.flags |= vm->timer_silent ? KVM_PIT_FLAGS_HPET_LEGACY : 0;
    call(vm, KVM_SET_PIT2, &pit, "KVM_SET_PIT2");
}

const struct kvm_chips_ops kvm_x86_chips = { make, routes, get, put, silence };
