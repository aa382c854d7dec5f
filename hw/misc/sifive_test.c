/*
 * SiFive test finisher: one register that ends the simulation or resets the machine. Firmware and
 * Linux find it in the devicetree as a syscon for power off and reboot.
 */
#include <hw/core/machine.h>
#include <base/log.h>

#define FINISHER_FAIL  0x3333
#define FINISHER_PASS  0x5555
#define FINISHER_RESET 0x7777

struct finisher {
    struct device dev;
    struct mem_region io;
};

static uint64_t finisher_read(void *opaque, uint64_t offset, unsigned size)
{
    (void)opaque, (void)offset, (void)size;
    return 0;
}

static void finisher_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct machine *m = ((struct finisher *)opaque)->dev.machine;
    unsigned code = value >> 16 & 0xffff;

    (void)size;
    if (offset == 0) {
        switch (value & 0xffff) {
        case FINISHER_FAIL: machine_request_shutdown(m, CAUSE_GUEST_PANIC, (int)code); return;
        case FINISHER_PASS: machine_request_shutdown(m, CAUSE_GUEST_SHUTDOWN, 0); return;
        case FINISHER_RESET: machine_request_reset(m, CAUSE_GUEST_RESET); return;
        }
    }
    log_guest_error("sifive_test: write of 0x%x at 0x%x means nothing\n", (unsigned)value,
                    (unsigned)offset);
}

static const struct io_ops finisher_io = {
    .read = finisher_read,
    .write = finisher_write,
    .guest_sizes = { 2, 4 },
};

static bool finisher_realize(struct device *dev, GError **err)
{
    struct finisher *f = (struct finisher *)dev;

    (void)err;
    mem_region_init_io(&f->io, device_mem(dev), &finisher_io, f, "sifive-test", 0x1000);
    device_add_region(dev, &f->io);
    return true;
}

static void finisher_unrealize(struct device *dev)
{
    mem_region_destroy(&((struct finisher *)dev)->io);
}

const struct device_type sifive_test_type = {
    .name = "riscv.sifive.test",
    .help = "SiFive test finisher: power off and reset",
    .bus = BUS_SYSTEM,
    .size = sizeof(struct finisher),
    .internal = true,
    .category = "misc",
    .realize = finisher_realize,
    .unrealize = finisher_unrealize,
};
