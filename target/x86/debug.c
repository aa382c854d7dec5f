/*
 * Debug registers: breakpoints on fetches, data and ports (Intel volume 3, 17.2, 17.3).
 */
#include "debug.h"

static enum x86_watch watch_of(const struct x86_cpu *c, unsigned n)
{
    return c->dr[7] >> (16 + 4 * n) & 3;
}

static unsigned bytes_of(const struct x86_cpu *c, unsigned n)
{
    static const uint8_t bytes[] = { 1, 2, 8, 4 };

    return bytes[c->dr[7] >> (18 + 4 * n) & 3];
}

bool x86_debug_enabled(const struct x86_cpu *c, unsigned n)
{
    return c->dr[7] >> (2 * n) & 3;
}

static bool any(const struct x86_cpu *c, enum x86_watch what)
{
    if (!(c->dr[7] & 0xff))
        return false;
    for (unsigned n = 0; n < 4; n++)
        if (x86_debug_enabled(c, n) && watch_of(c, n) == what)
            return true;
    return false;
}

bool x86_debug_fetches(const struct x86_cpu *c)
{
    return any(c, WATCH_FETCH);
}

bool x86_debug_ports(const struct x86_cpu *c)
{
    return c->cr4 & CR4_DE && any(c, WATCH_IO);
}

bool x86_debug_data(const struct x86_cpu *c)
{
    return any(c, WATCH_STORE) || any(c, WATCH_ACCESS);
}

/* Bits of DR6 for breakpoints of the kinds in @kinds that lie in [addr, addr + len). */
static unsigned met(const struct x86_cpu *c, unsigned kinds, uint64_t addr, unsigned len)
{
    unsigned bits = 0;

    for (unsigned n = 0; n < 4; n++) {
        uint64_t size = bytes_of(c, n), at = c->dr[n] & ~(size - 1);
        if (kinds >> watch_of(c, n) & 1 && addr < at + size && at < addr + len)
            bits |= 1u << n;
    }
    return bits;
}

/* DR6 shows all that match, whether enabled or not, but it takes an enabled one. */
static unsigned enabled(const struct x86_cpu *c, unsigned bits)
{
    for (unsigned n = 0; n < 4; n++)
        if (bits >> n & 1 && x86_debug_enabled(c, n))
            return bits;
    return 0;
}

void x86_debug_io(struct x86_cpu *c, uint16_t port, unsigned size)
{
    if (x86_debug_ports(c))
        c->debug_pending |= enabled(c, met(c, 1 << WATCH_IO, port, size));
}

unsigned x86_debug_access(const struct x86_cpu *c, uint64_t addr, bool write)
{
    unsigned kinds = 1 << WATCH_ACCESS | (write ? 1 << WATCH_STORE : 0);

    return enabled(c, met(c, kinds, addr, 1));
}

void x86_debug_trap(struct x86_cpu *c)
{
    c->dr[6] |= c->debug_pending;
    c->debug_pending = 0;
    cpu_update_flags(&c->cpu);
    x86_enter(c, EXC_DB, EVENT_TRAP, false, 0, x86_eip(c));
    cpu_resume(&c->cpu);
}

void x86_debug_fetch(struct x86_cpu *c)
{
    unsigned bits;

    if (c->eflags & FLAG_RF) {
        c->eflags &= ~(uint64_t)FLAG_RF;
        return;
    }
    bits = enabled(c, met(c, 1 << WATCH_FETCH, c->cpu.tcg.pc, 1));
    if (!bits)
        return;
    c->dr[6] |= bits;
    x86_raise(c, EXC_DB);
}

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE forbids that; GD guards all. */
static unsigned check(struct x86_cpu *c, unsigned nr)
{
    if ((nr == 4 || nr == 5) && c->cr4 & CR4_DE)
        x86_raise(c, EXC_UD);
    if (c->dr[7] & DR7_GD) {
        c->dr[6] |= DR6_BD;
        x86_raise(c, EXC_DB);
    }
    return nr == 4 || nr == 5 ? nr + 2 : nr;
}

uint64_t x86_debug_read(struct x86_cpu *c, unsigned nr)
{
    return c->dr[check(c, nr)];
}

void x86_debug_write(struct x86_cpu *c, unsigned nr, uint64_t val)
{
    bool watched = x86_debug_data(c);

    nr = check(c, nr);
    if (nr >= 6 && x86_code64(c) && val >> 32)
        x86_gp(c, 0);
    if (nr == 6)
        val = (val & 0xe00f) | 0xffff0ff0;
    else if (nr == 7)
        val = (val & 0xffff2bff) | 0x400;
    c->dr[nr] = val;
    /* Watched pages are never cached. */
    if (watched || x86_debug_data(c))
        tlb_flush_all(&c->cpu);
    cpu_update_flags(&c->cpu);
}
