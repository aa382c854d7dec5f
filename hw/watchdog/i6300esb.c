/*
 * Watchdog of the Intel 6300ESB I/O controller hub (data sheet 300641, chapter 16): two stages, of
 * which the first may interrupt and the second resets the machine.
 */
#include <base/bits.h>
#include <base/clock.h>
#include <base/error.h>
#include <hw/pci/pci.h>

/* configuration space */
enum { CONFIG = 0x60, LOCK = 0x68 };
#define CONFIG_INT_TYPE 0x03 /* 0: INTx */
#define CONFIG_FAST     0x04 /* counts microseconds, not milliseconds */
#define CONFIG_NO_RESET 0x20
#define LOCK_LOCKED     0x01
#define LOCK_ENABLE     0x02
#define LOCK_FREE_RUN   0x04

/* memory */
enum { PRELOAD1 = 0x00, PRELOAD2 = 0x04, INT_STATUS = 0x08, RELOAD = 0x0c };
#define PRELOAD_MASK   0xfffff
#define INT_ACTIVE     0x01
#define RELOAD_PING    0x100
#define RELOAD_TIMEOUT 0x200

#define PCI_HZ 33000000

struct i6300esb {
    struct pci_device pci;
    struct mem_region io;
    struct timer timer;
    uint32_t preload[2];
    uint8_t stage;    /* 0 or 1 */
    uint8_t unlocked; /* how far the sequence 80h, 86h is written */
    bool int_active, timed_out;
};

/* Preload values stand for bits 34 to 15 of a counter of PCI clocks, or bits 24 to 5. */
static void start(struct i6300esb *w, uint8_t stage)
{
    unsigned shift = w->pci.config[CONFIG] & CONFIG_FAST ? 5 : 15;
    int64_t clocks = (int64_t)(w->preload[stage] + 1) << shift;

    w->stage = stage;
    timer_mod_ns(&w->timer, clock_ns(device_loop(&w->pci.dev), CLK_VIRTUAL) +
                                (int64_t)((__int128)clocks * NS_PER_SEC / PCI_HZ));
}

static void update_irq(struct i6300esb *w)
{
    pci_set_intx(&w->pci, w->int_active);
}

static void ran_out(void *opaque)
{
    struct i6300esb *w = opaque;

    if (w->stage == 0) {
        if (!(w->pci.config[CONFIG] & CONFIG_INT_TYPE)) {
            w->int_active = true;
            update_irq(w);
        }
        start(w, w->pci.config[LOCK] & LOCK_FREE_RUN ? 0 : 1);
        return;
    }
    w->timed_out = true;
    if (!(w->pci.config[CONFIG] & CONFIG_NO_RESET))
        machine_watchdog(w->pci.dev.machine);
    start(w, 0);
}

static void config_written(struct pci_device *pd, unsigned offset, unsigned size)
{
    struct i6300esb *w = container_of(pd, struct i6300esb, pci);

    if (offset > LOCK || offset + size <= LOCK)
        return;
    if (pd->config[LOCK] & LOCK_LOCKED)
        pd->wmask[LOCK] = 0; /* until the next reset */
    if (!(pd->config[LOCK] & LOCK_ENABLE))
        timer_del(&w->timer);
    else if (!timer_pending(&w->timer))
        start(w, 0);
}

static const struct pci_hooks hooks = { .written = config_written };

static uint64_t esb_read(void *opaque, uint64_t offset, unsigned size)
{
    const struct i6300esb *w = opaque;

    (void)size;
    switch (offset) {
    case INT_STATUS: return w->int_active ? INT_ACTIVE : 0;
    case RELOAD: return w->timed_out ? RELOAD_TIMEOUT : 0;
    default: return 0; /* preload values cannot be read back */
    }
}

static void write_reload(struct i6300esb *w, uint32_t v)
{
    if ((v & 0xff) == 0x80) {
        w->unlocked = 1;
    } else if ((v & 0xff) == 0x86 && w->unlocked == 1) {
        w->unlocked = 2;
    } else if (w->unlocked == 2) {
        w->unlocked = 0;
        if (v & RELOAD_TIMEOUT)
            w->timed_out = false;
        if ((v & RELOAD_PING) && (w->pci.config[LOCK] & LOCK_ENABLE))
            start(w, 0);
    }
}

/* All but the unlocking itself takes effect only behind it. */
static void esb_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct i6300esb *w = opaque;

    (void)size;
    switch (offset) {
    case PRELOAD1:
    case PRELOAD2:
        if (w->unlocked == 2)
            w->preload[offset / 4] = value & PRELOAD_MASK;
        w->unlocked = 0;
        break;
    case INT_STATUS:
        if (w->unlocked == 2 && (value & INT_ACTIVE))
            w->int_active = false;
        w->unlocked = 0;
        update_irq(w);
        break;
    case RELOAD: write_reload(w, (uint32_t)value); break;
    }
}

static const struct io_ops esb_io = {
    .read = esb_read,
    .write = esb_write,
    .own_sizes = { 4, 4 },
};

static bool esb_realize(struct device *dev, GError **err)
{
    struct i6300esb *w = (struct i6300esb *)dev;

    (void)err;
    timer_init(&w->timer, device_loop(dev), CLK_VIRTUAL, ran_out, w);
    w->pci.hooks = &hooks;
    w->pci.wmask[CONFIG] = CONFIG_INT_TYPE | CONFIG_FAST | CONFIG_NO_RESET;
    mem_region_init_io(&w->io, device_mem(dev), &esb_io, w, "i6300esb", 16);
    pci_add_bar(&w->pci, 0, PCI_BAR_MEM32, &w->io);
    return true;
}

static void esb_unrealize(struct device *dev)
{
    struct i6300esb *w = (struct i6300esb *)dev;

    mem_region_destroy(&w->io);
    timer_del(&w->timer);
}

static void esb_reset(struct device *dev)
{
    struct i6300esb *w = (struct i6300esb *)dev;

    timer_del(&w->timer);
    w->preload[0] = w->preload[1] = PRELOAD_MASK;
    w->stage = w->unlocked = 0;
    w->int_active = false;
    w->pci.config[CONFIG] = w->pci.config[LOCK] = 0;
    w->pci.wmask[LOCK] = LOCK_LOCKED | LOCK_ENABLE | LOCK_FREE_RUN;
    update_irq(w);
}

static bool esb_loaded(void *obj, unsigned version, GError **err)
{
    struct i6300esb *w = obj;

    (void)version;
    if (w->stage > 1 || w->unlocked > 2 || (w->preload[0] | w->preload[1]) > PRELOAD_MASK)
        return error_set(err, "saved state: i6300esb: stage or preload value out of range");
    w->pci.wmask[LOCK] =
        w->pci.config[LOCK] & LOCK_LOCKED ? 0 : LOCK_LOCKED | LOCK_ENABLE | LOCK_FREE_RUN;
    return true;
}

static const struct state_field esb_fields[] = { STATE_ARRAY(struct i6300esb, preload),
                                                 STATE_U8(struct i6300esb, stage),
                                                 STATE_U8(struct i6300esb, unlocked),
                                                 STATE_BOOL(struct i6300esb, int_active),
                                                 STATE_BOOL(struct i6300esb, timed_out),
                                                 STATE_TIMER(struct i6300esb, timer),
                                                 STATE_END };
static const struct state_table esb_state = {
    .name = "i6300esb", .version = 1, .fields = esb_fields, .post_load = esb_loaded
};

static const struct pci_info esb_info = {
    .vendor = 0x8086,
    .device = 0x25ab,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = { 0x00, 0x80, 0x08 },
    .pin = 1,
};

const struct device_type i6300esb_type = {
    .name = "i6300esb",
    .help = "watchdog of the Intel 6300ESB",
    .bus = BUS_PCI,
    .size = sizeof(struct i6300esb),
    .category = "watchdog",
    .realize = esb_realize,
    .reset = esb_reset,
    .unrealize = esb_unrealize,
    .state = &esb_state,
    .bus_info = &esb_info,
};
