/*
 * Vectors: loads and stores (7). Elements are accessed in order, each as a scalar access would be;
 * in pages of plain RAM straight in host memory. An access that faults leaves its element's number
 * in vstart, and the instruction goes on there when it is executed again.
 */
#include <base/shared.h>
#include "helper.h"
#include "vector.h"

#define PAGES 8 /* remembered during an instruction */

struct vaccess {
    struct riscv_cpu *c;
    uint64_t base, stride;
    unsigned mode, nf;
    enum mem_access access;
    enum vmem how;
    unsigned index_log2;
    const uint8_t *index; /* of VMEM_INDEXED */
    const uint8_t *mask;  /* v0, or NULL */
    uint8_t *data;        /* first field's registers */
    unsigned step;        /* bytes to the next field's */
    /* Pages asked for, by their low bits, and where they are; not RAM: NULL. */
    uint64_t page[PAGES];
    uint8_t *host[PAGES];
};

static void access_init(struct vaccess *m, struct riscv_cpu *c, uint64_t desc, uint64_t base,
                        uint64_t stride)
{
    m->c = c;
    m->base = base;
    m->stride = stride;
    m->mode = vdesc_mode(desc);
    m->nf = vdesc_nf(desc);
    m->access = vdesc_store(desc) ? ACCESS_WRITE : ACCESS_READ;
    m->how = vdesc_mem(desc);
    m->index_log2 = vdesc_eew(desc);
    m->index = vreg(c, vdesc_vs2(desc));
    m->mask = vdesc_vm(desc) ? NULL : vreg(c, 0);
    m->data = vreg(c, vdesc_vd(desc));
    m->step = vlenb(c) << vdesc_step(desc);
    for (unsigned k = 0; k < PAGES; k++)
        m->page[k] = 1; /* no page's address */
}

static inline bool enabled(const struct vaccess *m, unsigned i)
{
    return !m->mask || m->mask[i / 8] >> i % 8 & 1;
}

static inline uint64_t address(const struct vaccess *m, unsigned i, unsigned log2)
{
    uint64_t a = m->base;

    switch (m->how) {
    case VMEM_STRIDED: a += i * m->stride; break;
    case VMEM_INDEXED: a += velem_get(m->index, m->index_log2, i); break;
    default: a += (uint64_t)i * m->nf << log2; break;
    }
    return riscv_trunc(m->c, a);
}

/* Where [addr, addr + len) is in host memory, NULL if it is not to be had so. */
static inline uint8_t *host_at(struct vaccess *m, uint64_t addr, unsigned len)
{
    unsigned offset = addr & (TCG_PAGE_SIZE - 1), k = addr >> TCG_PAGE_BITS & (PAGES - 1);

    if (offset + len > TCG_PAGE_SIZE)
        return NULL;
    if (addr - offset != m->page[k]) {
        m->page[k] = addr - offset;
        m->host[k] = cpu_host(&m->c->cpu, addr - offset, TCG_PAGE_SIZE, m->access, m->mode);
    }
    return m->host[k] ? m->host[k] + offset : NULL;
}

static inline void copy(const struct vaccess *m, uint8_t *reg, uint8_t *host, unsigned log2)
{
    if (m->access == ACCESS_WRITE)
        shared_copy(host, reg, 1 << log2);
    else
        shared_copy(reg, host, 1 << log2);
}

/* All fields of element @i, in the way that can fault. */
static void access_slow(struct vaccess *m, unsigned i, uint64_t addr, unsigned log2)
{
    uint16_t mem = IR_MEM(log2, m->mode, 0);

    m->c->vstart = i;
    for (unsigned f = 0; f < m->nf; f++, addr += 1 << log2) {
        uint8_t *reg = m->data + f * m->step;
        addr = riscv_trunc(m->c, addr);
        if (m->access == ACCESS_WRITE)
            cpu_store(&m->c->cpu, addr, velem_get(reg, log2, i), mem);
        else
            velem_set(reg, log2, i, cpu_load(&m->c->cpu, addr, mem));
    }
}

static inline void access_fast(struct vaccess *m, unsigned i, uint8_t *host, unsigned log2)
{
    for (unsigned f = 0; f < m->nf; f++, host += 1 << log2)
        copy(m, m->data + f * m->step + (i << log2), host, log2);
}

static inline void each(struct vaccess *m, unsigned i, unsigned n, unsigned log2)
{
    for (; i < n; i++) {
        uint64_t addr = address(m, i, log2);
        uint8_t *host;
        if (!enabled(m, i))
            continue;
        host = host_at(m, addr, m->nf << log2);
        if (host)
            access_fast(m, i, host, log2);
        else
            access_slow(m, i, addr, log2);
    }
}

/* Elements that lie in memory as in the register: page by page. */
static void contiguous(struct vaccess *m, unsigned i, unsigned n, unsigned log2)
{
    while (i < n) {
        uint64_t addr = address(m, i, log2);
        unsigned room = TCG_PAGE_SIZE - (addr & (TCG_PAGE_SIZE - 1));
        unsigned count = MIN(n - i, room >> log2);
        uint8_t *host = count ? host_at(m, addr, 1) : NULL;
        if (!host) {
            access_slow(m, i++, addr, log2);
            continue;
        }
        if (m->access == ACCESS_WRITE)
            shared_copy(host, m->data + (i << log2), count << log2);
        else
            shared_copy(m->data + (i << log2), host, count << log2);
        i += count;
    }
}

/* Elements of a whole instruction. */
static unsigned elements(const struct riscv_cpu *c, uint64_t desc, uint64_t vl)
{
    switch (vdesc_mem(desc)) {
    case VMEM_MASK: return (vl + 7) / 8;
    case VMEM_WHOLE: return vdesc_nf(desc) * vlenb(c) >> vdesc_eew(desc);
    default: return vl;
    }
}

/* Whether elements lie in memory as in registers, none left out. */
static bool is_contiguous(uint64_t desc)
{
    enum vmem how = vdesc_mem(desc);

    return how == VMEM_WHOLE ||
           (how != VMEM_STRIDED && how != VMEM_INDEXED && vdesc_nf(desc) == 1 && vdesc_vm(desc));
}

/* All at once, if in one page of plain memory. */
static bool whole_in_page(struct riscv_cpu *c, uint64_t desc, uint64_t base, unsigned len)
{
    enum mem_access access = vdesc_store(desc) ? ACCESS_WRITE : ACCESS_READ;
    void *host, *data = vreg(c, vdesc_vd(desc));

    if ((base & (TCG_PAGE_SIZE - 1)) + len > TCG_PAGE_SIZE || !len)
        return false;
    host = cpu_host(&c->cpu, base, len, access, vdesc_mode(desc));
    if (!host)
        return false;
    shared_copy(access == ACCESS_WRITE ? host : data, access == ACCESS_WRITE ? data : host, len);
    return true;
}

static void complete(struct riscv_cpu *c, unsigned start)
{
    c->vstart = 0;
    if (start)
        cpu_update_flags(&c->cpu);
}

static void h_v_mem(struct cpu *cpu, uint64_t desc, uint64_t base, uint64_t stride, uint64_t vl)
{
    struct riscv_cpu *c = riscv_of(cpu);
    unsigned start = c->vstart, n = elements(c, desc, vl);
    unsigned log2 = vdesc_mem(desc) == VMEM_INDEXED ? vdesc_sew(desc) : vdesc_eew(desc);
    struct vaccess m;

    if (!start && is_contiguous(desc) && whole_in_page(c, desc, base, n << log2))
        return;
    access_init(&m, c, desc, base, stride);
    if (m.how == VMEM_WHOLE)
        m.nf = 1;
    if (is_contiguous(desc)) {
        contiguous(&m, start, n, log2);
    } else {
        switch (log2) {
        case 0: each(&m, start, n, 0); break;
        case 1: each(&m, start, n, 1); break;
        case 2: each(&m, start, n, 2); break;
        default: each(&m, start, n, 3); break;
        }
    }
    complete(c, start);
}
HELPER_DEFINE(v_mem, IR_H_CPU | IR_H_RAISES, IR_VOID, 4, IR_I64, IR_I64, IR_I64, IR_I64);

/* Whether element bytes [addr, addr + len) can be loaded without raising anything. */
static bool loadable(struct vaccess *m, uint64_t addr, unsigned len)
{
    uint64_t last = riscv_trunc(m->c, addr + len - 1);

    return host_at(m, addr, 1) && host_at(m, last, 1);
}

/* Fault-only-first loads (7.7): vl becomes the number of elements before the first, but for element
 * 0, that cannot be loaded; or that is not plain memory, where trimming is allowed as well. */
static uint64_t h_v_load_ff(struct cpu *cpu, uint64_t desc, uint64_t base, uint64_t vl)
{
    struct riscv_cpu *c = riscv_of(cpu);
    unsigned start = c->vstart, log2 = vdesc_eew(desc);
    struct vaccess m;

    if (!start && is_contiguous(desc) && whole_in_page(c, desc, base, vl << log2))
        return vl;
    access_init(&m, c, desc, base, 0);
    for (unsigned i = start; i < vl; i++) {
        uint64_t addr = address(&m, i, log2);
        uint8_t *host;
        if (!enabled(&m, i))
            continue;
        host = host_at(&m, addr, m.nf << log2);
        if (host) {
            access_fast(&m, i, host, log2);
        } else if (!i || loadable(&m, addr, m.nf << log2)) {
            access_slow(&m, i, addr, log2);
        } else {
            vl = i;
        }
    }
    complete(c, start);
    return vl;
}
HELPER_DEFINE(v_load_ff, IR_H_CPU | IR_H_RAISES, IR_I64, 3, IR_I64, IR_I64, IR_I64);
