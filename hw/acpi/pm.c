/* ACPI's fixed hardware; see hw/acpi/pm.h. */
#include <hw/acpi/pm.h>

#include <base/bits.h>
#include <base/bug.h>
#include <base/log.h>

#define SLEEP_TYPE(ctl) ((ctl) >> 10 & 7)
#define CTL_KEPT        0x1c03 /* SLP_TYP, BM_RLD, SCI_EN; SLP_EN and GBL_RLS read as zero */
#define ENABLE_BITS     (ACPI_PM_TIMER | ACPI_PM_GLOBAL | ACPI_PM_POWER_BUTTON | ACPI_PM_RTC)
#define TIMER_HALF      0x800000 /* bit 23, the highest of a 24-bit timer, changes that often */

static uint64_t ticks_at(int64_t ns)
{
    return (uint64_t)((unsigned __int128)ns * ACPI_PM_TIMER_HZ / NS_PER_SEC);
}

static int64_t time_of(uint64_t ticks)
{
    unsigned __int128 ns =
        ((unsigned __int128)ticks * NS_PER_SEC + ACPI_PM_TIMER_HZ - 1) / ACPI_PM_TIMER_HZ;

    return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

static uint64_t ticks(const struct acpi_pm *pm)
{
    return ticks_at(clock_ns(device_loop(pm->dev), CLK_VIRTUAL));
}

/* The timer's status bit is found out when somebody looks; only if enabled a host timer runs. */
static void look_at_timer(struct acpi_pm *pm)
{
    if (ticks(pm) >= pm->overflow_at)
        pm->status |= ACPI_PM_TIMER;
}

static void update(struct acpi_pm *pm)
{
    bool sci;

    look_at_timer(pm);
    sci = (pm->ctl & ACPI_PM_SCI_ENABLE) &&
          ((pm->status & pm->enable & ENABLE_BITS) || (pm->gpe_status & pm->gpe_enable));
    irq_set(pm->sci, sci);
    if ((pm->enable & ACPI_PM_TIMER) && !(pm->status & ACPI_PM_TIMER))
        timer_mod_ns(&pm->overflow, time_of(pm->overflow_at));
    else
        timer_del(&pm->overflow);
}

static void overflow_due(void *opaque)
{
    update(opaque);
}

static void await_overflow(struct acpi_pm *pm)
{
    pm->overflow_at = align_down(ticks(pm), TIMER_HALF) + TIMER_HALF;
}

void acpi_pm_event(struct acpi_pm *pm, uint16_t bits)
{
    pm->status |= bits;
    update(pm);
}

void acpi_pm_wake(struct acpi_pm *pm, uint16_t bits)
{
    struct machine *m = pm->dev->machine;

    if (m->run_state != RUN_SUSPENDED) {
        acpi_pm_event(pm, bits);
        return;
    }
    pm->wake_cause = bits;
    machine_request_wakeup(m);
}

void acpi_pm_gpe(struct acpi_pm *pm, unsigned n)
{
    bug_on(n >= ACPI_GPES);
    pm->gpe_status |= (uint16_t)BIT(n);
    update(pm);
}

void acpi_pm_enable(struct acpi_pm *pm, bool on)
{
    pm->ctl = (uint16_t)((pm->ctl & ~ACPI_PM_SCI_ENABLE) | (on ? ACPI_PM_SCI_ENABLE : 0));
    update(pm);
}

/* ---- registers ---- */

static uint64_t events_read(void *opaque, uint64_t offset, unsigned size)
{
    struct acpi_pm *pm = opaque;

    (void)size;
    update(pm);
    return offset ? pm->enable : pm->status;
}

static void events_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct acpi_pm *pm = opaque;

    (void)size;
    update(pm);
    if (offset) {
        pm->enable = (uint16_t)value & ENABLE_BITS;
    } else {
        if (value & pm->status & ACPI_PM_TIMER)
            await_overflow(pm);
        pm->status &= (uint16_t)~value;
    }
    update(pm);
}

static const struct io_ops events_io = {
    .read = events_read, .write = events_write, .guest_sizes = { 1, 4 }, .own_sizes = { 2, 2 }
};

static void go_to_sleep(struct acpi_pm *pm, unsigned type)
{
    struct machine *m = pm->dev->machine;

    if (type == ACPI_SLEEP_S5 || (type == ACPI_SLEEP_S4 && !pm->disable_s4)) {
        machine_request_shutdown(m, CAUSE_GUEST_SHUTDOWN, 0);
    } else if (type == ACPI_SLEEP_S3 && !pm->disable_s3) {
        pm->wake_cause = ACPI_PM_POWER_BUTTON;
        machine_request_suspend(m);
    } else {
        log_guest_error("%s: there is no sleep state of type %u\n", pm->dev->type->name, type);
    }
}

static uint64_t control_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct acpi_pm *pm = opaque;

    (void)offset, (void)size;
    return pm->ctl;
}

static void control_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct acpi_pm *pm = opaque;

    (void)offset, (void)size;
    pm->ctl = (uint16_t)value & CTL_KEPT;
    if (value & ACPI_PM_SLEEP_ENABLE)
        go_to_sleep(pm, SLEEP_TYPE(value));
    update(pm);
}

static const struct io_ops control_io = {
    .read = control_read, .write = control_write, .guest_sizes = { 1, 4 }, .own_sizes = { 2, 2 }
};

static uint64_t count_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct acpi_pm *pm = opaque;

    (void)offset, (void)size;
    return ticks(pm) & 0xffffff;
}

static void count_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    (void)opaque, (void)offset, (void)value, (void)size; /* read-only */
}

static const struct io_ops count_io = {
    .read = count_read, .write = count_write, .guest_sizes = { 1, 4 }, .own_sizes = { 4, 4 }
};

static uint64_t gpe_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct acpi_pm *pm = opaque;

    (void)size;
    return (offset < 2 ? pm->gpe_status : pm->gpe_enable) >> (offset % 2 * 8) & 0xff;
}

static void gpe_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct acpi_pm *pm = opaque;
    unsigned shift = offset % 2 * 8;

    (void)size;
    if (offset < 2)
        pm->gpe_status &= (uint16_t) ~(value << shift);
    else
        pm->gpe_enable = (uint16_t)((pm->gpe_enable & ~(0xffu << shift)) | value << shift);
    update(pm);
}

static const struct io_ops gpe_io = {
    .read = gpe_read, .write = gpe_write, .guest_sizes = { 1, 4 }, .own_sizes = { 1, 1 }
};

/* ---- life ---- */

static void machine_event(void *opaque, enum machine_event e, enum machine_cause cause)
{
    struct acpi_pm *pm = opaque;

    (void)cause;
    if (e == EVENT_POWERDOWN)
        acpi_pm_wake(pm, ACPI_PM_POWER_BUTTON);
    else if (e == EVENT_WAKEUP)
        acpi_pm_event(pm, ACPI_PM_WAKE | pm->wake_cause);
}

void acpi_pm_init(struct acpi_pm *pm, struct device *dev, struct irq_line *sci)
{
    struct mem *mem = device_mem(dev);

    pm->dev = dev;
    pm->sci = sci;
    mem_region_init_io(&pm->events, mem, &events_io, pm, "acpi-evt", 4);
    mem_region_init_io(&pm->control, mem, &control_io, pm, "acpi-cnt", 2);
    mem_region_init_io(&pm->count, mem, &count_io, pm, "acpi-tmr", 4);
    mem_region_init_io(&pm->gpe, mem, &gpe_io, pm, "acpi-gpe0", 4);
    timer_init(&pm->overflow, device_loop(dev), CLK_VIRTUAL, overflow_due, pm);
    machine_on_event(dev->machine, machine_event, pm);
}

void acpi_pm_destroy(struct acpi_pm *pm)
{
    machine_off_event(pm->dev->machine, machine_event, pm);
    timer_del(&pm->overflow);
    mem_region_destroy(&pm->gpe);
    mem_region_destroy(&pm->count);
    mem_region_destroy(&pm->control);
    mem_region_destroy(&pm->events);
}

void acpi_pm_reset(struct acpi_pm *pm)
{
    pm->status = pm->enable = pm->ctl = pm->gpe_status = pm->gpe_enable = 0;
    await_overflow(pm);
    update(pm);
}

/* Who saves looks, too. The interrupt comes when it would have: the lines behind it may have been
 * saved already. */
static void pm_saved(void *obj)
{
    look_at_timer(obj);
}

static bool pm_loaded(void *obj, unsigned version, GError **err)
{
    (void)version, (void)err;
    update(obj);
    return true;
}

static const struct state_field pm_fields[] = {
    STATE_U64(struct acpi_pm, overflow_at), STATE_U16(struct acpi_pm, status),
    STATE_U16(struct acpi_pm, enable),      STATE_U16(struct acpi_pm, ctl),
    STATE_U16(struct acpi_pm, gpe_status),  STATE_U16(struct acpi_pm, gpe_enable),
    STATE_U16(struct acpi_pm, wake_cause),  STATE_END
};
const struct state_table acpi_pm_state = {
    .name = "acpi-pm",
    .version = 1,
    .fields = pm_fields,
    .pre_save = pm_saved,
    .post_load = pm_loaded,
};
