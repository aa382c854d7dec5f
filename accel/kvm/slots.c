/*
 * Memory slots: what of the flat memory views is RAM or ROM, told to the kernel.
 *
 * After each change of a view the wanted slots are worked out anew and compared with those that the
 * kernel has; only what differs is changed. Where a slot must make room for another, no CPU runs in
 * between: it would find nothing there for a moment.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <base/bug.h>
#include <base/error.h>
#include <base/log.h>
#include <base/loop.h>
#include "kvm.h"

/* Address lines that do not count (A20) are modelled up to here: more would take thousands of slots
 * for what only code of real mode relies on. */
#define FOLD_END (UINT64_C(16) << 20)

/* The view of system management mode is a second address space of the kernel's. */
enum { AS_MEMORY, AS_SMM };

struct wish {
    struct kvm *kvm;
    GArray *slots;
    unsigned as;
};

static bool is_logged(const struct kvm *kvm, ram_addr_t ram)
{
    const struct ram_block *b = ram_block_find(kvm->ram, ram);

    return b && g_hash_table_contains(kvm->logged, b);
}

static void add_slot(struct wish *w, const struct flat_range *r, uint64_t first, uint64_t end)
{
    struct kvm_slot s = {
        .as = (uint16_t)w->as,
        .readonly = r->readonly,
        .gpa = first,
        .size = end - first,
        .host = r->host + (first - r->first),
        .ram = r->ram + (first - r->first),
    };

    s.log = !s.readonly && is_logged(w->kvm, s.ram);
    g_array_append_val(w->slots, s);
}

/* Whole pages of memory; accesses to the rest come to us. */
static void wish_range(const struct flat_range *r, void *opaque)
{
    struct wish *w = opaque;
    uint64_t first = (r->first + RAM_PAGE_SIZE - 1) & ~(RAM_PAGE_SIZE - 1);
    uint64_t end = (r->last + 1) & ~(RAM_PAGE_SIZE - 1);

    if (!r->host || first >= end || ((uintptr_t)(r->host + (first - r->first)) & 0xfff))
        return;
    add_slot(w, r, first, end);
}

/* ---- address lines that do not count ---- */

uint64_t slots_fold(const struct kvm *kvm, uint64_t addr)
{
    return addr < FOLD_END ? addr & ~kvm->dead_lines : addr;
}

static void add_piece(GArray *out, const struct kvm_slot *s, uint64_t first, uint64_t end,
                      uint64_t at)
{
    struct kvm_slot piece = *s;

    piece.gpa = at;
    piece.size = end - first;
    piece.host += first - s->gpa;
    piece.ram += first - s->gpa;
    g_array_append_val(out, piece);
}

/* What lies where the line is low is seen where it is high, too, instead of what lies there. */
static GArray *fold(const struct kvm *kvm, GArray *slots)
{
    uint64_t line = kvm->dead_lines;
    GArray *out = g_array_new(FALSE, TRUE, sizeof(struct kvm_slot));

    for (unsigned i = 0; i < slots->len; i++) {
        const struct kvm_slot *s = &g_array_index(slots, struct kvm_slot, i);
        uint64_t end = s->gpa + s->size, at = s->gpa;

        for (; at < end && at < FOLD_END; at = (at | (line - 1)) + 1) {
            uint64_t stop = MIN(end, (at | (line - 1)) + 1);

            if (at & line)
                continue;
            add_piece(out, s, at, stop, at);
            add_piece(out, s, at, stop, at | line);
        }
        if (at < end)
            add_piece(out, s, at, end, at);
    }
    g_array_unref(slots);
    return out;
}

/* ---- the kernel's slots, as they are and as they shall be ---- */

static int set_slot(struct kvm *kvm, const struct kvm_slot *s, uint64_t size)
{
    struct kvm_userspace_memory_region r = {
        .slot = s->id | (uint32_t)s->as << 16,
        .flags = (s->readonly ? KVM_MEM_READONLY : 0) | (s->log ? KVM_MEM_LOG_DIRTY_PAGES : 0),
        .guest_phys_addr = s->gpa,
        .memory_size = size,
        .userspace_addr = (uintptr_t)s->host,
    };

    return kvm_ioctl(kvm->vm.fd, KVM_SET_USER_MEMORY_REGION, &r);
}

static bool same_place(const struct kvm_slot *a, const struct kvm_slot *b)
{
    return a->as == b->as && a->readonly == b->readonly && a->gpa == b->gpa && a->size == b->size &&
           a->host == b->host;
}

static bool overlap(const struct kvm_slot *a, const struct kvm_slot *b)
{
    return a->as == b->as && a->gpa < b->gpa + b->size && b->gpa < a->gpa + a->size;
}

static const struct kvm_slot *find_same(const GArray *list, const struct kvm_slot *s)
{
    for (unsigned i = 0; i < list->len; i++)
        if (same_place(&g_array_index(list, struct kvm_slot, i), s))
            return &g_array_index(list, struct kvm_slot, i);
    return NULL;
}

static bool find_overlap(const GArray *list, const struct kvm_slot *s)
{
    for (unsigned i = 0; i < list->len; i++)
        if (overlap(&g_array_index(list, struct kvm_slot, i), s))
            return true;
    return false;
}

/* ---- dirty pages ---- */

static void touch_pages(struct kvm *kvm, const struct kvm_slot *s, const uint64_t *bitmap)
{
    for (uint64_t i = 0; i < s->size >> RAM_PAGE_BITS; i++) {
        if (!bitmap[i / 64])
            i |= 63;
        else if (bitmap[i / 64] >> (i % 64) & 1)
            ram_touch(kvm->ram, s->ram + (i << RAM_PAGE_BITS), RAM_PAGE_SIZE);
    }
}

static void sync_slot(struct kvm *kvm, const struct kvm_slot *s)
{
    g_autofree uint64_t *bitmap = g_malloc0(((s->size >> RAM_PAGE_BITS) + 63) / 64 * 8);
    struct kvm_dirty_log log = { .slot = s->id | (uint32_t)s->as << 16, .dirty_bitmap = bitmap };

    if (kvm_ioctl(kvm->vm.fd, KVM_GET_DIRTY_LOG, &log) == 0)
        touch_pages(kvm, s, bitmap);
}

static bool slot_covers(const struct kvm_slot *s, ram_addr_t addr, uint64_t len)
{
    return s->ram < addr + len && addr < s->ram + s->size;
}

void slots_touch(struct kvm *kvm, uint32_t slot, uint64_t n)
{
    for (unsigned i = 0; i < kvm->slots->len; i++) {
        const struct kvm_slot *s = &g_array_index(kvm->slots, struct kvm_slot, i);

        if ((s->id | (uint32_t)s->as << 16) == slot && n < s->size >> RAM_PAGE_BITS)
            ram_touch(kvm->ram, s->ram + (n << RAM_PAGE_BITS), RAM_PAGE_SIZE);
    }
}

/* With rings, pages are told that were written when the CPUs were last outside. */
static void sync_rings(struct kvm *kvm)
{
    vcpu_gate_close(kvm);
    ring_harvest(kvm);
    vcpu_gate_open(kvm);
}

void slots_sync(struct kvm *kvm, ram_addr_t addr, uint64_t len)
{
    bool rings = false;

    for (unsigned i = 0; i < kvm->slots->len; i++) {
        const struct kvm_slot *s = &g_array_index(kvm->slots, struct kvm_slot, i);

        if (!s->log || !slot_covers(s, addr, len))
            continue;
        rings = kvm->ring_entries;
        if (!rings)
            sync_slot(kvm, s);
    }
    if (rings)
        sync_rings(kvm);
}

/* ---- the kernel's slots ---- */

static void drop(struct kvm *kvm, const struct kvm_slot *s)
{
    if (s->log && !kvm->ring_entries)
        sync_slot(kvm, s);
    bug_on(set_slot(kvm, s, 0) < 0);
    kvm->slot_used[s->id] = false;
}

static void make(struct kvm *kvm, struct kvm_slot *s)
{
    while (s->id < kvm->nslots && kvm->slot_used[s->id])
        s->id++;
    if (s->id == kvm->nslots || set_slot(kvm, s, s->size) < 0) {
        /* Accesses there come to us one by one then, which is slow and cannot run code. */
        log_printf(LOG_UNIMP, "kvm: no slot for memory at %#" PRIx64 ": %s\n", s->gpa,
                   s->id == kvm->nslots ? "there are no more" : g_strerror(errno));
        s->size = 0;
        return;
    }
    kvm->slot_used[s->id] = true;
}

/* Whether some slot has to go and something else comes to where it was. */
static bool replaces(const struct kvm *kvm, const GArray *wanted)
{
    for (unsigned i = 0; i < kvm->slots->len; i++) {
        const struct kvm_slot *s = &g_array_index(kvm->slots, struct kvm_slot, i);

        if (!find_same(wanted, s) && find_overlap(wanted, s))
            return true;
    }
    return false;
}

static void exchange(struct kvm *kvm, GArray *wanted)
{
    for (unsigned i = 0; i < kvm->slots->len; i++) {
        const struct kvm_slot *s = &g_array_index(kvm->slots, struct kvm_slot, i);

        if (!find_same(wanted, s))
            drop(kvm, s);
    }
    for (unsigned i = 0; i < wanted->len; i++) {
        struct kvm_slot *s = &g_array_index(wanted, struct kvm_slot, i);
        const struct kvm_slot *old = find_same(kvm->slots, s);

        if (!old) {
            make(kvm, s);
            continue;
        }
        s->id = old->id;
        if (s->log != old->log)
            set_slot(kvm, s, s->size);
    }
}

static void forget_empty(GArray *slots)
{
    for (unsigned i = slots->len; i-- > 0;)
        if (!g_array_index(slots, struct kvm_slot, i).size)
            g_array_remove_index(slots, i);
}

static void refresh(struct kvm *kvm)
{
    struct machine *m = kvm->vm.machine;
    struct wish w = { kvm, g_array_new(FALSE, TRUE, sizeof(struct kvm_slot)), AS_MEMORY };
    bool gate;

    space_foreach(&m->memory, wish_range, &w);
    if (kvm->vm.smm && m->smm_memory) {
        w.as = AS_SMM;
        space_foreach(m->smm_memory, wish_range, &w);
    }
    if (kvm->dead_lines)
        w.slots = fold(kvm, w.slots);
    gate = replaces(kvm, w.slots);
    if (gate)
        vcpu_gate_close(kvm);
    if (kvm->ring_entries)
        ring_harvest(kvm); /* its entries have the numbers of slots as they are */
    exchange(kvm, w.slots);
    if (gate)
        vcpu_gate_open(kvm);
    forget_empty(w.slots);
    g_array_unref(kvm->slots);
    kvm->slots = w.slots;
}

void slots_lines_changed(struct kvm *kvm)
{
    struct loop *loop = kvm->vm.machine->loop;
    uint64_t dead = kvm->guest->dead_lines(kvm->vm.machine->cpus->pdata[0]);
    bool taken = loop_lock_if(loop);

    if (dead != kvm->dead_lines) {
        kvm->dead_lines = dead;
        refresh(kvm);
    }
    loop_unlock_if(loop, taken);
}

static void map_changed(void *opaque, struct address_space *as)
{
    (void)as;
    refresh(opaque);
    bells_refresh(opaque);
    late_refresh(opaque);
}

static void ports_changed(void *opaque, struct address_space *as)
{
    (void)as;
    late_refresh(opaque);
}

/* ---- memory's news ---- */

static void sync_pages(void *opaque, ram_addr_t addr, uint64_t len)
{
    struct kvm *kvm = opaque;
    bool taken = loop_lock_if(kvm->vm.machine->loop);

    late_drain(kvm);
    slots_sync(kvm, addr, len);
    loop_unlock_if(kvm->vm.machine->loop, taken);
}

/* The first watch on a block makes the kernel write down stores to it from then on. */
static uint64_t watch_pages(void *opaque, ram_addr_t addr, uint64_t len)
{
    struct kvm *kvm = opaque;
    struct ram_block *b = ram_block_find(kvm->ram, addr);
    bool taken = loop_lock_if(kvm->vm.machine->loop);

    (void)len;
    if (b && g_hash_table_add(kvm->logged, b))
        refresh(kvm);
    loop_unlock_if(kvm->vm.machine->loop, taken);
    return 0; /* the kernel has no stores on their way when it answers */
}

/* The CPUs see what others write to memory by themselves. */
static void written(void *opaque, ram_addr_t addr, uint64_t len)
{
    (void)opaque, (void)addr, (void)len;
}

static const struct ram_code_ops ram_ops = { .written = written,
                                             .watched = watch_pages,
                                             .sync = sync_pages };

bool slots_begin(struct kvm *kvm, GError **err)
{
    struct machine *m = kvm->vm.machine;
    int n = kvm_check(&kvm->vm, KVM_CAP_NR_MEMSLOTS);

    if (kvm_check(&kvm->vm, KVM_CAP_READONLY_MEM) <= 0)
        return error_set(err, "-accel kvm: the host's kernel has no read-only memory for ROMs");
    kvm->nslots = n > 0 ? (uint32_t)n : 32;
    kvm->slot_used = g_malloc0(kvm->nslots);
    kvm->slots = g_array_new(FALSE, TRUE, sizeof(struct kvm_slot));
    kvm->logged = g_hash_table_new(NULL, NULL);
    bells_begin(kvm);
    late_begin(kvm);
    kvm->listener = (struct space_listener){ map_changed, kvm };
    space_add_listener(&m->memory, &kvm->listener);
    kvm->smm_listener = kvm->listener;
    if (kvm->vm.smm && m->smm_memory)
        space_add_listener(m->smm_memory, &kvm->smm_listener);
    kvm->port_listener = (struct space_listener){ ports_changed, kvm };
    space_add_listener(&m->ports, &kvm->port_listener);
    ram_set_code_ops(kvm->ram, &ram_ops, kvm);
    return true;
}

void slots_end(struct kvm *kvm)
{
    struct machine *m = kvm->vm.machine;

    if (!kvm->slots)
        return;
    ram_set_code_ops(kvm->ram, NULL, NULL);
    space_remove_listener(&m->memory, &kvm->listener);
    space_remove_listener(&m->ports, &kvm->port_listener);
    bells_end(kvm);
    late_end(kvm);
    if (kvm->vm.smm && m->smm_memory)
        space_remove_listener(m->smm_memory, &kvm->smm_listener);
    g_array_unref(kvm->slots);
    g_hash_table_unref(kvm->logged);
    g_free(kvm->slot_used);
}
