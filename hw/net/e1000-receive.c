/* The 82540EM's receive ring and filters (SDM, 3.2 and 13.5). */
#include "e1000.h"

#include <base/bits.h>
#include <base/log.h>

#define STATUS_DONE    0x01u
#define STATUS_END     0x02u
#define STATUS_NO_SUMS 0x04u
#define STATUS_VLAN    0x08u
#define STATUS_TCP_SUM 0x20u
#define STATUS_IP_SUM  0x40u
#define STATUS_INEXACT 0x80u

#define RXCSUM_IP 0x100u
#define RXCSUM_TU 0x200u

#define LEN_MAX   1518  /* without FCS, with a tag */
#define JUMBO_MAX 16380 /* with long frames enabled */

static uint32_t reg(const struct e1000 *e, unsigned r)
{
    return e->reg[r / 4];
}

/* ---- filters ---- */

static bool is_own(const struct e1000 *e, const uint8_t *frame)
{
    for (unsigned i = 0; i < 16; i++) {
        uint32_t low = reg(e, E_RAL + 8 * i), high = reg(e, E_RAH + 8 * i);
        const uint8_t *addr = frame + (high >> 16 & 3 ? 6 : 0); /* source address on demand */

        if ((high & RAH_VALID) && ldl_le(addr) == low && lduw_le(addr + 4) == (high & 0xffff))
            return true;
    }
    return false;
}

static bool in_multicast_table(const struct e1000 *e, const uint8_t *dest)
{
    static const uint8_t shifts[4] = { 4, 3, 2, 0 };
    unsigned hash = (unsigned)lduw_le(dest + 4) >> shifts[reg(e, E_RCTL) >> 12 & 3] & 0xfff;

    return reg(e, E_MTA + hash / 32 * 4) >> (hash % 32) & 1;
}

static bool is_tagged(const struct e1000 *e, const uint8_t *frame)
{
    return lduw_be(frame + 12) == (reg(e, E_VET) & 0xffff);
}

static bool vlan_wanted(const struct e1000 *e, const uint8_t *frame)
{
    uint16_t tag = lduw_be(frame + 14);
    uint32_t rctl = reg(e, E_RCTL);

    if (!(rctl & RCTL_VFE) || !is_tagged(e, frame))
        return true;
    if ((rctl & RCTL_CFIEN) && !(tag & 0x1000) != !(rctl & RCTL_CFI))
        return false;
    return reg(e, E_VFTA + (tag & 0xfff) / 32 * 4) >> (tag % 32) & 1;
}

/* What the filters say; *inexact where software has to look again. */
static bool is_wanted(const struct e1000 *e, const uint8_t *frame, bool *inexact)
{
    uint32_t rctl = reg(e, E_RCTL);

    if (!vlan_wanted(e, frame))
        return false;
    if (is_own(e, frame))
        return true;
    if (nic_is_broadcast(frame) && (rctl & RCTL_BAM))
        return true;
    *inexact = true;
    if (!(frame[0] & 1))
        return rctl & RCTL_UPE;
    return (rctl & RCTL_MPE) || in_multicast_table(e, frame);
}

/* ---- buffers ---- */

static uint32_t buffer_size(const struct e1000 *e)
{
    uint32_t rctl = reg(e, E_RCTL), code = rctl >> 16 & 3;

    if ((rctl & RCTL_BSEX) && code)
        return 32768u >> code; /* 16384, 8192, 4096 */
    return 2048u >> code;
}

/* Descriptors that are the card's: from head up to tail. 0 where the two make no sense. */
static uint32_t free_descs(const struct e1000 *e)
{
    uint32_t n = reg(e, E_RDLEN) / E1000_DESC_LEN, head = reg(e, E_RDH), tail = reg(e, E_RDT);

    if (head >= n || tail >= n)
        return 0;
    return tail >= head ? tail - head : n - head + tail;
}

/* One frame on its way into buffers. */
struct put {
    const uint8_t *body; /* behind the addresses, and behind a tag that was taken out */
    const uint8_t *addresses;
    size_t len;   /* in the buffers, FCS included */
    size_t frame; /* without FCS */
    uint8_t status;
    uint16_t sum, tag;
};

/* Bytes [at, at+n) as the guest sees them; the FCS is not known here and reads as zero. */
static void copy_part(const struct put *p, size_t at, uint8_t *to, size_t n)
{
    size_t i = 0;

    if (at < 12) {
        i = MIN(n, 12 - at);
        memcpy(to, p->addresses + at, i);
    }
    if (i < n && at + i < p->frame) {
        size_t here = MIN(n - i, p->frame - (at + i));

        memcpy(to + i, p->body + (at + i - 12), here);
        i += here;
    }
    memset(to + i, 0, n - i);
}

static void put_part(struct e1000 *e, const struct put *p, size_t at, size_t n)
{
    struct address_space *as = &e->pci.dev.machine->memory;
    uint64_t base = (uint64_t)reg(e, E_RDBAH) << 32 | reg(e, E_RDBAL);
    uint32_t *head = e1000_at(e, E_RDH);
    uint64_t desc = base + (uint64_t)*head * E1000_DESC_LEN;
    uint8_t raw[E1000_DESC_LEN], buf[16384];
    bool last = at + n == p->len;

    copy_part(p, at, buf, n);
    space_write(as, space_ld64_le(as, desc, pci_attrs(&e->pci), NULL), buf, n, pci_attrs(&e->pci));
    memset(raw, 0, sizeof(raw));
    stw_le(raw + 8, (uint16_t)n);
    stw_le(raw + 10, last ? p->sum : 0);
    raw[12] = (uint8_t)(p->status | STATUS_DONE | (last ? STATUS_END : 0));
    stw_le(raw + 14, p->tag);
    /* status last: a driver that polls it finds the rest there */
    space_write(as, desc + 8, raw + 8, 4, pci_attrs(&e->pci));
    space_write(as, desc + 12, raw + 12, 4, pci_attrs(&e->pci));
    *head = *head + 1 >= reg(e, E_RDLEN) / E1000_DESC_LEN ? 0 : *head + 1;
}

/* Sums that the sender's host vouches for: those of TCP and UDP in IPv4 without fragments. */
static uint8_t sum_status(const struct e1000 *e, const uint8_t *frame, size_t len)
{
    uint32_t rxcsum = reg(e, E_RXCSUM);
    uint8_t status = 0;

    if (!net_checksums_valid(&e->port) || len < 34 || lduw_be(frame + 12) != 0x0800)
        return STATUS_NO_SUMS;
    if (rxcsum & RXCSUM_IP)
        status |= STATUS_IP_SUM;
    if ((rxcsum & RXCSUM_TU) && (frame[23] == 6 || frame[23] == 17) &&
        !(lduw_be(frame + 20) & 0x3fff))
        status |= STATUS_TCP_SUM;
    return status ? status : STATUS_NO_SUMS;
}

static void store(struct e1000 *e, const uint8_t *frame, size_t len, bool inexact)
{
    bool strip = (reg(e, E_CTRL) & CTRL_VME) && is_tagged(e, frame);
    unsigned start = reg(e, E_RXCSUM) & 0xff;
    size_t size = buffer_size(e);
    struct put p = {
        .addresses = frame,
        .body = frame + (strip ? 16 : 12),
        .frame = len - (strip ? 4 : 0),
        .status = (uint8_t)((inexact ? STATUS_INEXACT : 0) | sum_status(e, frame, len)),
        .sum = start < len ? e1000_sum(frame + start, len - start) : 0,
    };

    if (strip) {
        p.status |= STATUS_VLAN;
        p.tag = lduw_be(frame + 14);
    }
    p.len = p.frame + (reg(e, E_RCTL) & RCTL_SECRC ? 0 : NIC_FCS_LEN);
    e->busy = true;
    for (size_t at = 0; at < p.len; at += MIN(size, p.len - at))
        put_part(e, &p, at, MIN(size, p.len - at));
    e->busy = false;
}

static bool hears(const struct e1000 *e)
{
    bool loop = e1000_phy_loops(e) || (reg(e, E_RCTL) & RCTL_LBM);

    return (reg(e, E_RCTL) & RCTL_EN) && pci_bus_master(&e->pci) &&
           (loop || (reg(e, E_STATUS) & STATUS_LINK_UP));
}

bool e1000_receive(void *opaque, const uint8_t *frame, size_t len)
{
    struct e1000 *e = opaque;
    uint32_t rctl = reg(e, E_RCTL), left, ring = reg(e, E_RDLEN) / E1000_DESC_LEN;
    uint8_t padded[NIC_FRAME_MIN];
    bool inexact = false;

    if (!hears(e) || len < 14 || e->busy)
        return true;
    if (len > (rctl & RCTL_LPE ? JUMBO_MAX : LEN_MAX)) {
        e1000_count_one(e, E_ROC);
        return true;
    }
    frame = nic_pad(frame, &len, padded);
    if (!is_wanted(e, frame, &inexact))
        return true;
    if ((uint64_t)free_descs(e) * buffer_size(e) < len + NIC_FCS_LEN)
        return false;
    store(e, frame, len, inexact);
    e1000_count(e, false, frame, len);
    left = free_descs(e);
    e1000_cause(e, INT_RXT0 | (left <= ring >> (1 + (rctl >> 8 & 3)) ? INT_RXDMT0 : 0));
    return true;
}
