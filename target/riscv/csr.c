/*
 * Access to CSRs by number: what exists, who may, and the plain ones.
 */
#include "csr.h"

#define FIELD(num, name, cond, member, writable) \
    { num, 1, 0, name, cond, NULL, NULL, offsetof(struct riscv_cpu, member), writable },
#define FUNC(num, name, cond, read, write) { num, 1, 0, name, cond, read, write, 0, 0 },
#define RANGE(num, count, name, suffix, cond, read, write) \
    { num, count, suffix, name, cond, read, write, 0, 0 },
static const struct riscv_csr table[] = {
#include "csr.def"
};
#undef FIELD
#undef FUNC
#undef RANGE

const struct riscv_csr *riscv_csr_find(unsigned num)
{
    /* Row number + 1 by CSR number; made at first use. */
    static uint8_t index[4096];
    static gsize ready;

    _Static_assert(ARRAY_LEN(table) < 255, "rows fit the index");
    if (g_once_init_enter(&ready)) {
        for (unsigned k = 0; k < ARRAY_LEN(table); k++)
            for (unsigned n = 0; n < table[k].count; n++)
                index[table[k].num + n] = k + 1;
        g_once_init_leave(&ready, 1);
    }
    return num < ARRAY_LEN(index) && index[num] ? &table[index[num] - 1] : NULL;
}

char *riscv_csr_name(unsigned num)
{
    const struct riscv_csr *r = riscv_csr_find(num);
    size_t len;

    if (!r)
        return NULL;
    if (r->count == 1)
        return g_strdup(r->name);
    len = strlen(r->name);
    if (r->name[len - 1] == 'h') /* mhpmcounter3h */
        return g_strdup_printf("%.*s%uh", (int)len - 1, r->name, r->suffix + num - r->num);
    return g_strdup_printf("%s%u", r->name, r->suffix + num - r->num);
}

bool riscv_csr_allowed(const struct riscv_cpu *c, unsigned num, bool write, uint64_t priv)
{
    const struct riscv_csr *r = riscv_csr_find(num);

    if (!r || (num >> 8 & 3) > priv || (write && num >> 10 == 3))
        return false;
    return !r->cond || r->cond(c, num, priv);
}

uint64_t riscv_csr_read(struct riscv_cpu *c, unsigned num)
{
    const struct riscv_csr *r = riscv_csr_find(num);

    return riscv_trunc(c, r->read ? r->read(c, num) : *(uint64_t *)((char *)c + r->field));
}

void riscv_csr_write(struct riscv_cpu *c, unsigned num, uint64_t val, uint64_t mask)
{
    const struct riscv_csr *r = riscv_csr_find(num);

    val = riscv_trunc(c, val);
    mask = riscv_trunc(c, mask);
    if (r->write) {
        r->write(c, num, val, mask);
    } else if (!r->read) {
        uint64_t *field = (uint64_t *)((char *)c + r->field);
        *field = csr_merge(*field, val, mask & r->writable);
    }
    cpu_update_flags(&c->cpu);
    riscv_check_irq(c);
}
