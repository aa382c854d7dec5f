/* fw_cfg, as QEMU's docs/specs/fw_cfg describes it: selector at port 0x510, data at 0x511. */
#include "post.h"

enum { PORT_SELECT = 0x510, PORT_DATA = 0x511, PORT_DMA = 0x514 };
enum { KEY_SIGNATURE = 0, KEY_ID = 1, KEY_FILES = 0x19 };
enum { ID_DMA = 2 };

static uint32_t big_endian(uint32_t v)
{
    return __builtin_bswap32(v);
}

void fw_cfg_read_more(void *to, uint32_t size)
{
    __asm__ volatile("rep insb" : "+D"(to), "+c"(size) : "d"(PORT_DATA) : "memory");
}

void fw_cfg_item(uint16_t key, void *to, uint32_t size)
{
    outw(PORT_SELECT, key);
    fw_cfg_read_more(to, size);
}

struct dma {
    uint32_t control, length; /* big-endian */
    uint64_t address;
};

enum { DMA_ERROR = 1, DMA_READ = 2, DMA_SELECT = 8 };

void fw_cfg_load(uint16_t key, void *to, uint32_t size)
{
    volatile struct dma d = { big_endian((uint32_t)key << 16 | DMA_SELECT | DMA_READ),
                              big_endian(size),
                              (uint64_t)big_endian((uint32_t)(uintptr_t)to) << 32 };
    uint32_t features = 0;

    fw_cfg_item(KEY_ID, &features, sizeof(features));
    if (!(features & ID_DMA)) {
        fw_cfg_item(key, to, size);
        return;
    }
    outl(PORT_DMA, 0);
    outl(PORT_DMA + 4, big_endian((uint32_t)(uintptr_t)&d));
    while (d.control & ~big_endian(DMA_ERROR))
        continue;
}

bool fw_cfg_there(void)
{
    char signature[4];

    fw_cfg_item(KEY_SIGNATURE, signature, sizeof(signature));
    return memcmp(signature, "QEMU", 4) == 0;
}

static void read_entry(struct fw_file *f)
{
    struct {
        uint32_t size;
        uint16_t key, reserved;
        char name[56];
    } e;

    fw_cfg_read_more(&e, sizeof(e));
    f->size = big_endian(e.size);
    f->key = (uint16_t)(big_endian(e.key) >> 16);
    memcpy(f->name, e.name, sizeof(f->name));
    f->name[sizeof(f->name) - 1] = 0;
}

bool fw_cfg_nth(unsigned n, struct fw_file *f)
{
    uint32_t count;

    if (!SYS.has_fw_cfg)
        return false;
    fw_cfg_item(KEY_FILES, &count, sizeof(count));
    if (n >= big_endian(count))
        return false;
    for (unsigned i = 0; i <= n; i++)
        read_entry(f);
    return true;
}

bool fw_cfg_find(const char *name, struct fw_file *f)
{
    uint32_t count;

    if (!SYS.has_fw_cfg)
        return false;
    fw_cfg_item(KEY_FILES, &count, sizeof(count));
    for (count = big_endian(count); count; count--) {
        read_entry(f);
        if (strlen(f->name) == strlen(name) && starts_with(f->name, name))
            return true;
    }
    return false;
}

bool starts_with(const char *s, const char *with)
{
    while (*with)
        if (*s++ != *with++)
            return false;
    return true;
}
