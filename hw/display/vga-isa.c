/* `isa-vga`: the VGA on the ISA bus, with its frame buffer where DISPI has always had it. */
#include "vga.h"

#include <base/embed.h>
#include <hw/core/loader.h>
#include <hw/isa/isa.h>

#define ISA_LFB 0xe0000000u
#define ISA_ROM 0xc0000u

struct isa_vga {
    struct device dev;
    struct vga vga;
};

bool vga_isa_place_bios(struct device *dev, const char *name, GError **err)
{
    const struct embedded_file *f = embedded_find(name);

    return !f || rom_add(dev->machine, f->name, f->data, f->size, 0, ISA_ROM, err);
}

static bool isa_vga_realize(struct device *dev, GError **err)
{
    struct isa_vga *p = (struct isa_vga *)dev;
    const struct isa_bus *b = isa_bus_of(dev);

    if (!vga_isa_place_bios(dev, "vga-bios.bin", err) || !vga_init(&p->vga, dev, err))
        return false;
    vga_place(&p->vga, b->io, b->mem);
    mem_region_add_priority(b->mem, ISA_LFB, &p->vga.vram, 1);
    return true;
}

static void isa_vga_unrealize(struct device *dev)
{
    vga_destroy(&((struct isa_vga *)dev)->vga);
}

static void isa_vga_reset(struct device *dev)
{
    vga_reset(&((struct isa_vga *)dev)->vga);
}

static const struct state_field isa_vga_fields[] = { STATE_STRUCT(struct isa_vga, vga, vga_state),
                                                     STATE_END };
static const struct state_table isa_vga_state = { .name = "isa-vga",
                                                  .version = 1,
                                                  .fields = isa_vga_fields };

static const struct prop isa_vga_props[] = { VGA_PROPS(struct isa_vga, vga), PROP_LIST_END };

const struct device_type vga_isa_type = {
    .name = "isa-vga",
    .help = "VGA with Bochs VBE on ISA",
    .bus = BUS_ISA,
    .size = sizeof(struct isa_vga),
    .category = "display",
    .realize = isa_vga_realize,
    .reset = isa_vga_reset,
    .unrealize = isa_vga_unrealize,
    .props = isa_vga_props,
    .state = &isa_vga_state,
};
