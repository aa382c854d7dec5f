/*
 * Model-specific registers between struct x86_cpu and KVM. Those that the host's kernel does not
 * know are left out, and a value that it refuses is noted once.
 */
#include <base/log.h>
#include "feature.h"
#include "kvm.h"
#include "tsc.h"

#define MSR_TSC          UINT32_C(0x10)
#define MSR_TSC_DEADLINE UINT32_C(0x6e0)

struct row {
    uint32_t msr;
    uint32_t offset; /* in struct x86_cpu */
    unsigned bytes;
};

#define ROW(number, field)                                                               \
    {                                                                                    \
        number, offsetof(struct x86_cpu, field), sizeof(((struct x86_cpu *)NULL)->field) \
    }
#define MTRR(k) ROW(0x200 + 2 * k, msr.mtrr_base[k]), ROW(0x201 + 2 * k, msr.mtrr_mask[k])

static const struct row rows[] = {
    { MSR_TSC, 0, 0 }, /* by way of x86_tsc() */
    ROW(0x3a, msr.feature_control),
    ROW(0x3b, msr.tsc_adjust),
    ROW(0x48, msr.spec_ctrl),
    ROW(0x9e, smbase),
    ROW(0x174, sysenter_cs),
    ROW(0x175, sysenter_esp),
    ROW(0x176, sysenter_eip),
    ROW(0x17a, msr.mcg_status),
    ROW(0x1a0, msr.misc_enable),
    ROW(0x1d9, msr.debugctl),
    MTRR(0),
    MTRR(1),
    MTRR(2),
    MTRR(3),
    MTRR(4),
    MTRR(5),
    MTRR(6),
    MTRR(7),
    ROW(0x250, msr.mtrr_fix[0]),
    ROW(0x258, msr.mtrr_fix[1]),
    ROW(0x259, msr.mtrr_fix[2]),
    ROW(0x268, msr.mtrr_fix[3]),
    ROW(0x269, msr.mtrr_fix[4]),
    ROW(0x26a, msr.mtrr_fix[5]),
    ROW(0x26b, msr.mtrr_fix[6]),
    ROW(0x26c, msr.mtrr_fix[7]),
    ROW(0x26d, msr.mtrr_fix[8]),
    ROW(0x26e, msr.mtrr_fix[9]),
    ROW(0x26f, msr.mtrr_fix[10]),
    ROW(0x277, pat),
    ROW(0x2ff, msr.mtrr_def),
    { MSR_TSC_DEADLINE, 0, 0 }, /* the APIC's */
    ROW(0x4b564d00, msr.kvm_wall_clock),
    ROW(0x4b564d01, msr.kvm_system_time),
    ROW(0x4b564d02, msr.kvm_async_pf),
    ROW(0x4b564d03, msr.kvm_steal_time),
    ROW(0x4b564d04, msr.kvm_eoi),
    ROW(0x4b564d05, msr.kvm_poll),
    ROW(0x4b564d06, msr.kvm_async_pf_int),
    /* Hyper-V's: whose hypercalls are on before where they are, and all of the interrupt controller
     * before the timers that send by it. A timer's count may start it, which its configuration
     * behind it corrects. */
    ROW(0x40000000, msr.hv_guest_os_id),
    ROW(0x40000001, msr.hv_hypercall),
    ROW(0x40000021, msr.hv_reference_tsc),
    ROW(0x40000010, msr.hv_runtime),
    ROW(0x40000073, msr.hv_assist_page),
    ROW(0x40000080, msr.hv_scontrol),
    ROW(0x40000082, msr.hv_siefp),
    ROW(0x40000083, msr.hv_simp),
    ROW(0x40000090, msr.hv_sint[0]),
    ROW(0x40000091, msr.hv_sint[1]),
    ROW(0x40000092, msr.hv_sint[2]),
    ROW(0x40000093, msr.hv_sint[3]),
    ROW(0x40000094, msr.hv_sint[4]),
    ROW(0x40000095, msr.hv_sint[5]),
    ROW(0x40000096, msr.hv_sint[6]),
    ROW(0x40000097, msr.hv_sint[7]),
    ROW(0x40000098, msr.hv_sint[8]),
    ROW(0x40000099, msr.hv_sint[9]),
    ROW(0x4000009a, msr.hv_sint[10]),
    ROW(0x4000009b, msr.hv_sint[11]),
    ROW(0x4000009c, msr.hv_sint[12]),
    ROW(0x4000009d, msr.hv_sint[13]),
    ROW(0x4000009e, msr.hv_sint[14]),
    ROW(0x4000009f, msr.hv_sint[15]),
    ROW(0x400000b1, msr.hv_stimer[1]),
    ROW(0x400000b0, msr.hv_stimer[0]),
    ROW(0x400000b3, msr.hv_stimer[3]),
    ROW(0x400000b2, msr.hv_stimer[2]),
    ROW(0x400000b5, msr.hv_stimer[5]),
    ROW(0x400000b4, msr.hv_stimer[4]),
    ROW(0x400000b7, msr.hv_stimer[7]),
    ROW(0x400000b6, msr.hv_stimer[6]),
    ROW(0x40000100, msr.hv_crash[0]),
    ROW(0x40000101, msr.hv_crash[1]),
    ROW(0x40000102, msr.hv_crash[2]),
    ROW(0x40000103, msr.hv_crash[3]),
    ROW(0x40000104, msr.hv_crash[4]),
    ROW(0x40000105, msr.hv_crash[5]),
    ROW(0x40000106, msr.hv_reenlightenment[0]),
    ROW(0x40000107, msr.hv_reenlightenment[1]),
    ROW(0x40000108, msr.hv_reenlightenment[2]),
    ROW(0xc0000081, star),
    ROW(0xc0000082, lstar),
    ROW(0xc0000083, cstar),
    ROW(0xc0000084, sfmask),
    ROW(0xc0000102, kernel_gs_base),
    ROW(0xc0000103, tsc_aux),
    ROW(0xc0010010, msr.syscfg),
    ROW(0xc0010015, msr.hwcr),
};

/* The caller's. A list that is too short is refused, and its right length said. */
static struct kvm_msr_list *msr_list(const struct kvm_vcpu *v)
{
    struct kvm_msr_list probe = { 0 }, *list;

    (void)ioctl(v->vm->dev, KVM_GET_MSR_INDEX_LIST, &probe);
    list = g_malloc0(sizeof(*list) + probe.nmsrs * sizeof(list->indices[0]));
    list->nmsrs = probe.nmsrs;
    if (ioctl(v->vm->dev, KVM_GET_MSR_INDEX_LIST, list) < 0)
        list->nmsrs = 0;
    return list;
}

/* MTRRs and PAT are not in the kernel's list, which it says to be no full one. */
static bool unlisted(uint32_t msr)
{
    return msr >= 0x200 && msr <= 0x2ff;
}

static bool is_hyperv(uint32_t msr)
{
    return msr >> 16 == 0x4000;
}

/* Of the registers of Hyper-V's interrupt controller and timers the kernel lists the first ones. */
static uint32_t listed_as(uint32_t msr)
{
    if (msr >= 0x40000080 && msr <= 0x4000009f)
        return 0x40000080;
    return msr >= 0x400000b0 && msr <= 0x400000b7 ? 0x400000b0 : msr;
}

static bool listed(const struct kvm_msr_list *list, uint32_t msr)
{
    msr = listed_as(msr);
    for (unsigned i = 0; i < list->nmsrs; i++)
        if (list->indices[i] == msr)
            return true;
    return unlisted(msr);
}

void kvm_x86_msr_init(struct kvm_vcpu *v)
{
    struct kvm_x86 *x = kvm_x86_of(v);
    struct kvm_msr_list *list = msr_list(v);

    x->msrs = g_malloc0(sizeof(*x->msrs) + sizeof(x->msrs->entries[0]) * ARRAY_LEN(rows));
    x->refused = g_new0(bool, ARRAY_LEN(rows));
    x->last = g_new0(uint64_t, ARRAY_LEN(rows));
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        x->refused[i] = !listed(list, rows[i].msr) ||
                        (is_hyperv(rows[i].msr) && !kvm_x86_hyperv_has(v, rows[i].msr)) ||
                        (rows[i].msr == MSR_TSC_DEADLINE && v->vm->irqchip == KVM_IRQCHIP_OFF);
    g_free(list);
}

void kvm_x86_msr_free(struct kvm_vcpu *v)
{
    g_free(kvm_x86_of(v)->msrs);
    g_free(kvm_x86_of(v)->refused);
    g_free(kvm_x86_of(v)->last);
}

static void note(const struct kvm_vcpu *v, struct kvm_x86 *x, unsigned row, const char *what)
{
    x->refused[row] = true;
    if (v->cpu->index == 0)
        log_printf(LOG_UNIMP, "kvm: the host refuses to %s MSR %#x, which is left out\n", what,
                   rows[row].msr);
}

/*
 * Both calls do entries in order and say how many they did; the one after those is refused, and the
 * rest is tried again without it. @of[i]: row of entry i.
 */
static bool transfer(struct kvm_vcpu *v, unsigned long request, struct kvm_msrs *m, uint8_t *of)
{
    struct kvm_x86 *x = kvm_x86_of(v);
    bool put = request == KVM_SET_MSRS;

    for (unsigned begin = 0; begin < m->nmsrs;) {
        struct {
            struct kvm_msrs head;
            struct kvm_msr_entry entries[ARRAY_LEN(rows)];
        } part = { .head.nmsrs = m->nmsrs - begin };
        int done;

        memcpy(part.entries, m->entries + begin, part.head.nmsrs * sizeof(part.entries[0]));
        done = ioctl(v->fd, request, &part);
        if (done < 0)
            return false;
        memcpy(m->entries + begin, part.entries, (unsigned)done * sizeof(part.entries[0]));
        begin += (unsigned)done;
        if (begin < m->nmsrs) {
            note(v, x, of[begin], put ? "set" : "read");
            begin++;
        }
    }
    return true;
}

/* The deadline is one of the things that others (the timer itself) change meanwhile. */
static unsigned collect(const struct kvm_x86 *x, bool with_tsc, bool with_deadline, uint8_t *of)
{
    unsigned n = 0;

    x->msrs->nmsrs = 0;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (x->refused[i] || (rows[i].msr == MSR_TSC && !with_tsc) ||
            (rows[i].msr == MSR_TSC_DEADLINE && !with_deadline))
            continue;
        x->msrs->entries[n].index = rows[i].msr;
        x->msrs->entries[n].data = 0;
        of[n++] = (uint8_t)i;
    }
    x->msrs->nmsrs = n;
    return n;
}

static void load(struct x86_cpu *c, const struct row *r, uint64_t val)
{
    if (r->msr == MSR_TSC)
        x86_tsc_set(c, val);
    else if (r->msr == MSR_TSC_DEADLINE)
        c->irqchip->write_msr(c->irqchip_opaque, r->msr, val);
    else
        stn_le((char *)c + r->offset, r->bytes, val);
}

static uint64_t value(const struct x86_cpu *c, const struct row *r)
{
    uint64_t val = 0;

    if (r->msr == MSR_TSC)
        return x86_tsc(c);
    if (r->msr != MSR_TSC_DEADLINE)
        return ldn_le((const char *)c + r->offset, r->bytes);
    c->irqchip->read_msr(c->irqchip_opaque, r->msr, &val);
    return val;
}

bool kvm_x86_get_msrs(struct kvm_vcpu *v)
{
    struct kvm_x86 *x = kvm_x86_of(v);
    struct x86_cpu *c = x86_of(v->cpu);
    uint8_t of[ARRAY_LEN(rows)];
    unsigned n = collect(x, true, true, of);

    if (!transfer(v, KVM_GET_MSRS, x->msrs, of))
        return false;
    for (unsigned i = 0; i < n; i++) {
        const struct row *r = &rows[of[i]];

        if (x->refused[of[i]])
            continue;
        load(c, r, x->msrs->entries[i].data);
        x->last[of[i]] = x->msrs->entries[i].data;
    }
    x->tsc_known = true;
    x->host_tsc_offset = (uint64_t)c->tsc_offset;
    return true;
}

/*
 * A write to one of Hyper-V's registers does something, even if it is what the register has: a
 * timer's period begins anew, the page of hypercalls is written. So those alone are put that
 * somebody changed since they were read.
 */
static void drop_unchanged(struct kvm_x86 *x, uint8_t *of)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < x->msrs->nmsrs; i++) {
        const struct kvm_msr_entry *e = &x->msrs->entries[i];

        if (is_hyperv(e->index) && e->data == x->last[of[i]])
            continue;
        x->last[of[i]] = e->data;
        x->msrs->entries[kept] = *e;
        of[kept++] = of[i];
    }
    x->msrs->nmsrs = kept;
}

/* The time-stamp counter goes on by itself; it is set only where somebody changed it: a reset, a
 * saved machine. Written each time it would lag a little more, and differ between CPUs. */
bool kvm_x86_put_msrs(struct kvm_vcpu *v)
{
    struct kvm_x86 *x = kvm_x86_of(v);
    const struct x86_cpu *c = x86_of(v->cpu);
    uint8_t of[ARRAY_LEN(rows)];
    bool tsc = x->tsc_known && x->host_tsc_offset != (uint64_t)c->tsc_offset;
    unsigned n = collect(x, tsc, v->vm->standing, of);

    for (unsigned i = 0; i < n; i++)
        x->msrs->entries[i].data = value(c, &rows[of[i]]);
    drop_unchanged(x, of);
    x->host_tsc_offset = (uint64_t)c->tsc_offset;
    return transfer(v, KVM_SET_MSRS, x->msrs, of);
}
