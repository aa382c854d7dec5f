/*
 * Flash at the end of the first 4 GiB, in place of a BIOS: bank 0 ends there and holds the
 * firmware, bank 1 ends where bank 0 starts and holds what the firmware keeps (UEFI's variables).
 * Each is as large as its drive.
 *
 *     myna -drive if=pflash,unit=0,readonly=on,format=raw,file=OVMF_CODE.fd \
 *          -drive if=pflash,unit=1,format=raw,file=VARS.fd
 */
#include "pc.h"

#include <inttypes.h>
#include <base/error.h>
#include <block/block.h>

#define FLASH_SECTOR 4096
/* Below are HPET, I/O and local APICs. */
#define FLASH_MAX    UINT64_C(0x800000)
#define FLASH_END    (UINT64_C(1) << 32)
#define LOW_END      0x100000 /* where processors of old start */

static bool check_size(const struct block *drive, uint64_t room, GError **err)
{
    uint64_t size = block_size(drive);

    if (!size || size % FLASH_SECTOR)
        return error_set(
            err, "pflash: drive '%s' has %" PRIu64 " bytes, a flash bank has a multiple of %u",
            block_id(drive), size, FLASH_SECTOR);
    if (size > room)
        return error_set(err,
                         "pflash: drive '%s' has %" PRIu64 " bytes, of the %" PRIu64
                         " for flash %" PRIu64 " are left",
                         block_id(drive), size, FLASH_MAX, room);
    return true;
}

/* A bank of chips of 8 bits that ends at `end`. */
static struct device *add_bank(struct pc *pc, unsigned n, uint64_t end, GError **err)
{
    struct device *dev;
    uint64_t size;

    if (!check_size(pc->pflash[n], FLASH_MAX - (FLASH_END - end), err))
        return NULL;
    size = block_size(pc->pflash[n]);
    dev = device_new(&pc->m, device_type_find("pc", "cfi.pflash01", NULL), n ? "flash1" : "flash0");
    device_set_num(dev, "size", size);
    device_set_num(dev, "sector-length", FLASH_SECTOR);
    device_set_num(dev, "width", 1);
    device_set_num(dev, "device-width", 1);
    device_set_ptr(dev, "drive", pc->pflash[n]);
    if (!device_realize(dev, NULL, err))
        return NULL;
    mem_region_add(pc->rom_space, end - size, dev->regions[0]);
    return dev;
}

bool pc_flash_init(struct pc *pc, GError **err)
{
    struct device *dev;
    uint64_t size;

    if (!pc->pflash[0])
        return error_set(err, "pflash1: there is no pflash0 with a firmware");
    if (pc->m.cfg.firmware)
        return error_set(err, "-bios: the firmware is in pflash0; give one of the two");
    dev = add_bank(pc, 0, FLASH_END, err);
    if (!dev)
        return false;
    size = block_size(pc->pflash[0]);
    mem_region_add_priority(pc->rom_space, LOW_END - dev->regions[1]->size, dev->regions[1], 1);
    return !pc->pflash[1] || add_bank(pc, 1, FLASH_END - size, err);
}
