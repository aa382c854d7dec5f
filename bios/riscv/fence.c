/*
 * Fences on other harts.
 *
 * A hart has one request of its own, and each hart has a set of those whose requests it still has
 * to carry out. So there is no queue that could run full, and as a waiting hart answers others, no
 * two can wait for each other.
 */
#include "hart.h"

/* Above this many pages one fence of everything is cheaper than one a page. */
#define MAX_PAGES 64
#define PAGE_SIZE 4096ul

static void fence_all(const struct fence *fence)
{
    if (fence->kind == FENCE_VMA_ASID) {
        __asm__ volatile("sfence.vma x0, %0" ::"r"(fence->asid) : "memory");
    } else {
        __asm__ volatile("sfence.vma" ::: "memory");
    }
}

void fence_local(const struct fence *fence)
{
    unsigned long start = fence->start & ~(PAGE_SIZE - 1), end = fence->start + fence->size;

    if (fence->kind == FENCE_I) {
        __asm__ volatile("fence.i" ::: "memory");
        return;
    }
    /* Size 0 at address 0, and size -1, mean everything (SBI 2.0, chapter 8). */
    if (!fence->size || end < fence->start || end - start > MAX_PAGES * PAGE_SIZE) {
        fence_all(fence);
        return;
    }
    for (; start < end; start += PAGE_SIZE) {
        if (fence->kind == FENCE_VMA_ASID) {
            __asm__ volatile("sfence.vma %0, %1" ::"r"(start), "r"(fence->asid) : "memory");
        } else {
            __asm__ volatile("sfence.vma %0" ::"r"(start) : "memory");
        }
    }
}

void fence_answer(void)
{
    struct hart *self = hart_self();

    for (unsigned long w = 0; w < HART_WORDS; w++) {
        unsigned long from;

        if (!__atomic_load_n(&self->fence_from.word[w], __ATOMIC_RELAXED)) {
            continue;
        }
        from = __atomic_exchange_n(&self->fence_from.word[w], 0, __ATOMIC_ACQ_REL);
        for (unsigned long bit = 0; from >> bit; bit++) {
            if (from >> bit & 1) {
                struct fence *fence = &hart_at(w * BITS_PER_LONG + bit)->fence;

                fence_local(fence);
                __atomic_fetch_sub(&fence->left, 1, __ATOMIC_ACQ_REL);
            }
            if (bit == BITS_PER_LONG - 1) {
                break;
            }
        }
    }
}

void fence_remote(const struct hart_set *set, const struct fence *fence)
{
    struct hart *self = hart_self();
    bool here = false;

    self->fence = *fence;
    /* The request itself counts as one, so that it cannot reach 0 before all have been asked. */
    __atomic_store_n(&self->fence.left, 1, __ATOMIC_SEQ_CST);
    barrier();
    for (unsigned long i = 0; i < hart_count; i++) {
        struct hart *hart = hart_at(i);
        uint32_t state;

        if (!(set->word[i / BITS_PER_LONG] >> i % BITS_PER_LONG & 1)) {
            continue;
        }
        if (hart == self) {
            here = true;
            continue;
        }
        /* A hart that is not running fences everything before it enters S-mode. */
        state = __atomic_load_n(&hart->state, __ATOMIC_SEQ_CST);
        if (state != HART_STARTED && state != HART_SUSPENDED) {
            continue;
        }
        __atomic_fetch_add(&self->fence.left, 1, __ATOMIC_RELAXED);
        __atomic_fetch_or(&hart->fence_from.word[self->index / BITS_PER_LONG],
                          1ul << self->index % BITS_PER_LONG, __ATOMIC_ACQ_REL);
        hart_ring(hart);
    }
    if (here) {
        fence_local(fence);
    }
    __atomic_fetch_sub(&self->fence.left, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&self->fence.left, __ATOMIC_ACQUIRE)) {
        fence_answer();
        cpu_relax();
    }
}
