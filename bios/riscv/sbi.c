/*
 * Dispatch of SBI calls, and the base extension (SBI 2.0, chapters 3 and 4).
 */
#include "sbi.h"
#include "csr.h"

static const struct sbi_extension *const extensions[] = {
    &sbi_time, &sbi_ipi, &sbi_rfence, &sbi_hsm, &sbi_base, &sbi_dbcn, &sbi_srst, &sbi_susp,
};

static const struct sbi_extension *find(unsigned long id)
{
    for (unsigned long i = 0; i < LENGTH(extensions); i++) {
        if (extensions[i]->id == id) {
            return extensions[i];
        }
    }
    return NULL;
}

bool sbi_probe(unsigned long id)
{
    const struct sbi_extension *ext = find(id);

    return id < SBI_LEGACY_COUNT || (ext && ext->present());
}

void sbi_dispatch(unsigned long *a)
{
    unsigned long fid = a[6], id = a[7];
    const struct sbi_extension *ext = find(id);
    struct sbi_ret ret = { SBI_ERR_NOT_SUPPORTED, 0 };

    if (ext && ext->present()) {
        ret = ext->call(fid, a);
    } else if (id < SBI_LEGACY_COUNT && sbi_legacy(id, a)) {
        return;
    }
    a[0] = ret.error;
    a[1] = ret.value;
}

bool sbi_hart_mask(unsigned long mask, unsigned long base, struct hart_set *set)
{
    memset(set, 0, sizeof(*set));
    for (unsigned long i = 0; base == -1ul && i < hart_count; i++) {
        set->word[i / BITS_PER_LONG] |= 1ul << i % BITS_PER_LONG;
    }
    for (unsigned long i = 0; base != -1ul && i < BITS_PER_LONG; i++) {
        const struct hart *hart;

        if (!(mask >> i & 1)) {
            continue;
        }
        hart = base + i >= base ? hart_find(base + i) : NULL;
        if (!hart) {
            return false;
        }
        set->word[hart->index / BITS_PER_LONG] |= 1ul << hart->index % BITS_PER_LONG;
    }
    return true;
}

static bool base_present(void)
{
    return true;
}

static struct sbi_ret base_call(unsigned long fid, const unsigned long *arg)
{
    switch (fid) {
    case 0: return sbi_value(SBI_SPEC_VERSION);
    case 1: return sbi_value(SBI_IMPLEMENTATION_ID);
    case 2: return sbi_value(SBI_IMPLEMENTATION_VERSION);
    case 3: return sbi_value(sbi_probe(arg[0]));
    case 4: return sbi_value(csr_read(CSR_MVENDORID));
    case 5: return sbi_value(csr_read(CSR_MARCHID));
    case 6: return sbi_value(csr_read(CSR_MIMPID));
    default: return sbi_error(SBI_ERR_NOT_SUPPORTED);
    }
}

const struct sbi_extension sbi_base = { 0x10, base_present, base_call };
