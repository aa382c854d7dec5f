/*
 * Breakpoints and watchpoints: kept here as gdb names them, set in all CPUs. They never change
 * guest memory, so that "software" and "hardware" ones differ in name only.
 */
#include "stub.h"

enum { POINTS_MAX = 4096, POINT_BREAK = 0, POINT_HBREAK = 1, POINT_LAST = 4 };

/* Digits 2, 3, 4 of Z. */
static const int watch_kind[] = {
    [2] = WATCH_WRITE,
    [3] = WATCH_READ,
    [4] = WATCH_READ | WATCH_WRITE,
};

static void set(struct gdbstub *g, const struct point *p, bool on)
{
    for (unsigned i = 0; i < stub_cpus(g); i++) {
        struct cpu *cpu = stub_cpu(g, i);

        if (p->type <= POINT_HBREAK)
            (on ? cpu_breakpoint_insert : cpu_breakpoint_remove)(cpu, p->addr);
        else
            (on ? cpu_watchpoint_insert : cpu_watchpoint_remove)(cpu, p->addr, p->len,
                                                                 watch_kind[p->type]);
    }
}

static int find(const struct gdbstub *g, const struct point *p)
{
    for (unsigned i = 0; i < g->points->len; i++) {
        const struct point *have = &g_array_index(g->points, struct point, i);
        if (have->type == p->type && have->addr == p->addr && have->len == p->len)
            return i;
    }
    return -1;
}

/* "type,addr,kind"; conditions and commands behind it are left to gdb. A breakpoint's kind is the
 * size of the instruction and means nothing here. */
static bool read_point(const char *p, struct point *out)
{
    uint64_t type, kind;

    if (!packet_number(&p, &type) || type > POINT_LAST || *p++ != ',' ||
        !packet_number(&p, &out->addr) || *p++ != ',' || !packet_number(&p, &kind) ||
        (*p && *p != ';'))
        return false;
    out->type = type;
    out->len = type <= POINT_HBREAK ? 1 : kind;
    return out->len && out->addr + (out->len - 1) >= out->addr;
}

bool cmd_insert(struct gdbstub *g, const char *args, size_t len)
{
    struct point p;

    (void)len;
    if (!read_point(args, &p)) {
        stub_error(g, STUB_EINVAL);
    } else if (g->points->len >= POINTS_MAX) {
        stub_error(g, STUB_ENOSPC);
    } else {
        if (find(g, &p) < 0) { /* setting one twice is setting it once */
            g_array_append_val(g->points, p);
            set(g, &p, true);
        }
        g_string_assign(g->reply, "OK");
    }
    return true;
}

bool cmd_remove(struct gdbstub *g, const char *args, size_t len)
{
    struct point p;
    int i;

    (void)len;
    if (!read_point(args, &p)) {
        stub_error(g, STUB_EINVAL);
        return true;
    }
    i = find(g, &p);
    if (i >= 0) {
        g_array_remove_index_fast(g->points, i);
        set(g, &p, false);
    }
    g_string_assign(g->reply, "OK");
    return true;
}

void points_clear(struct gdbstub *g)
{
    for (unsigned i = 0; i < g->points->len; i++)
        set(g, &g_array_index(g->points, struct point, i), false);
    g_array_set_size(g->points, 0);
}

bool points_has(const struct gdbstub *g, unsigned type, uint64_t pc)
{
    const struct point p = { .type = type, .addr = pc, .len = 1 };

    return find(g, &p) >= 0;
}
