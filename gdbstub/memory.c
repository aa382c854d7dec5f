/*
 * Memory as gdb reads and writes it: through the chosen CPU's mapping, or by physical address.
 */
#include <mem/space.h>
#include "stub.h"

static bool transfer(struct gdbstub *g, uint64_t addr, uint8_t *buf, size_t len, bool write)
{
    struct cpu *cpu = stub_cpu(g, g->cpu);

    if (!g->physical)
        return cpu_debug_rw(cpu, addr, buf, len, write);
    return (write ? space_write_rom(cpu->as, addr, buf, len)
                  : space_read(cpu->as, addr, buf, len, MEM_ATTR_DEBUG)) == MEM_OK;
}

/* "addr,length", followed by @end. */
static bool read_range(const char **p, uint64_t *addr, uint64_t *len, char end)
{
    if (!packet_number(p, addr) || *(*p)++ != ',' || !packet_number(p, len) || **p != end)
        return false;
    return !*len || *addr + (*len - 1) >= *addr;
}

/* As much as can be read up to the first page that cannot. */
bool cmd_read_memory(struct gdbstub *g, const char *args, size_t len)
{
    uint8_t buf[PACKET_MAX / 2];
    uint64_t addr, size, done = 0;

    (void)len;
    if (!read_range(&args, &addr, &size, 0)) {
        stub_error(g, STUB_EINVAL);
        return true;
    }
    size = MIN(size, sizeof(buf));
    while (done < size) {
        uint64_t at = addr + done;
        size_t n = MIN(size - done, TCG_PAGE_SIZE - (at & (TCG_PAGE_SIZE - 1)));

        if (!transfer(g, at, buf + done, n, false))
            break;
        done += n;
    }
    if (size && !done)
        stub_error(g, STUB_EFAULT);
    else
        packet_hex(g->reply, buf, done);
    return true;
}

static void write_bytes(struct gdbstub *g, uint64_t addr, uint8_t *buf, size_t len)
{
    if (transfer(g, addr, buf, len, true))
        g_string_assign(g->reply, "OK");
    else
        stub_error(g, STUB_EFAULT);
}

bool cmd_write_memory(struct gdbstub *g, const char *args, size_t len)
{
    uint8_t buf[PACKET_MAX / 2];
    uint64_t addr, size;

    (void)len;
    if (!read_range(&args, &addr, &size, ':') || size > sizeof(buf) ||
        !packet_unhex(args + 1, buf, size))
        stub_error(g, STUB_EINVAL);
    else
        write_bytes(g, addr, buf, size);
    return true;
}

bool cmd_write_binary(struct gdbstub *g, const char *args, size_t len)
{
    const char *end = args + len;
    uint64_t addr, size;

    if (!read_range(&args, &addr, &size, ':') || (uint64_t)(end - args - 1) != size)
        stub_error(g, STUB_EINVAL);
    else
        write_bytes(g, addr, (uint8_t *)args + 1, size);
    return true;
}

bool cmd_get_phys(struct gdbstub *g, const char *args, size_t len)
{
    (void)args, (void)len;
    g_string_assign(g->reply, g->physical ? "1" : "0");
    return true;
}

bool cmd_set_phys(struct gdbstub *g, const char *args, size_t len)
{
    if (len != 2 || args[0] != ':' || (args[1] != '0' && args[1] != '1')) {
        stub_error(g, STUB_EINVAL);
        return true;
    }
    g->physical = args[1] == '1';
    g_string_assign(g->reply, "OK");
    return true;
}
