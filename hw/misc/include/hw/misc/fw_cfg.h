/*
 * fw_cfg: a store of named blobs that firmware and guests read (QEMU's docs/specs/fw_cfg). Boards
 * make one and put into it what their firmware asks for.
 *
 *     fw_cfg_add_file(dev, "etc/boot-fail-wait", &le32, 4);
 */
#ifndef HW_MISC_FW_CFG_H
#define HW_MISC_FW_CFG_H

#include <hw/core/device.h>

/* Where fw_cfg_io lies. */
#define FW_CFG_PORT 0x510

/* Well-known keys. */
enum fw_cfg_key {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_UUID = 0x02,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_KERNEL_ADDR = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_ADDR = 0x0a,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_BOOT_MENU = 0x0e,
    FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
};

/* Called before a guest reads an item: may set new data with fw_cfg_replace(). */
typedef void fw_cfg_select_fn(void *opaque);

/* `dev` is a realized or unrealized "fw_cfg_mem" or "fw_cfg_io". Data is copied. A key or name that
 * is there already is a bug. */
void fw_cfg_add_bytes(struct device *dev, uint16_t key, const void *data, size_t len);
void fw_cfg_add_u16(struct device *dev, uint16_t key, uint16_t v);
void fw_cfg_add_u32(struct device *dev, uint16_t key, uint32_t v);
void fw_cfg_add_u64(struct device *dev, uint16_t key, uint64_t v);
void fw_cfg_add_string(struct device *dev, uint16_t key, const char *s); /* with its NUL */
/* A file: a key of its own and an entry in the directory, which is sorted by name. At most 55
 * characters. */
void fw_cfg_add_file(struct device *dev, const char *name, const void *data, size_t len);
/* The same, of which `fn` is told when the guest selects it, and which the guest may write through
 * DMA if `writable`. */
void fw_cfg_add_file_callback(struct device *dev, const char *name, const void *data, size_t len,
                              bool writable, fw_cfg_select_fn *fn, void *opaque);
/* New data for a file of any length; false: there is none of that name. */
bool fw_cfg_replace_file(struct device *dev, const char *name, const void *data, size_t len);
/* The first bytes of a file, as they are now; false: there is none of that name, or of that length.
 */
bool fw_cfg_read_file(struct device *dev, const char *name, void *buf, size_t len);

#endif
