/*
 * Pages that have just begun to hold translated code: stores to them that are on their way.
 *
 * A CPU's store to plain memory is two steps, a look at the TLB and the store itself, and while it
 * is between them (a CHECK serves stores far behind it) another CPU may mark the page as code. So
 * after the mark there may still come stores that nobody is told of. To make CPUs stop for each
 * mark would be dear; but what such stores change need not be seen before the guest says so. So
 *
 *  - a unit is made from a copy of the code. Its lines are marked, then the copy is compared with
 *    memory, and only if nothing has changed is the unit entered in the table. What was stored
 *    before is found by this, and what is stored later by a CPU that has seen the mark finds the
 *    unit (code_written).
 *  - where the mark is the page's first, the copy is kept until every CPU has been outside of
 *    generated code since: then no store can be on its way any more. Until then FENCE.I, on any
 *    CPU, compares the kept copies with memory: a store that its fetches must see was made known to
 *    the CPU before, by whatever means, so it is in memory by now. What has changed is removed. One
 *    more comparison when the copy is dropped finds the stores since the last FENCE.I.
 *
 * Why that is enough. Let CPU A store S into a line that unit u is made from, CPU B run FENCE.I
 * after it knows of S, and u's copy be without S; then B finds no u behind its FENCE.I. Hosts keep
 * the order of loads and of stores, and state bytes, tags, lines, epoch, `seen` and nfresh are
 * changed by locked instructions. With tcg.lock held, u's maker (1) sets the page's state byte,
 * each CPU's tag, the epoch and nfresh, then lines; (2) compares; (3) enters u.
 *
 *  - S is in memory before (2) reads the line: u is never entered. Entering it first and taking it
 *    out again does not do: B, which has no reason to take the lock, may find it meanwhile.
 *  - S comes later, and A has seen the state byte or a tag of (1), or is a device (ram_written()):
 *    it looks at lines behind S, thus behind (1), and removes u under the lock, that is behind (3)
 *    and before anything that tells B of S.
 *  - S comes later, and A's look at the TLB was before (1): A has not been outside of generated
 *    code since, so its `seen` is older than the epoch until S is in memory. B sees nfresh as (1)
 *    left it, since (2) has read the line before S, and compares under the lock; unless the copy is
 *    gone. It goes with the page's last unit, so without u, or by a comparison that comes after it
 *    was found that every CPU has been outside, thus after S.
 *  - Lines that are marked while the page has others need no epoch of their own: stores that do not
 *    know of the page are those that the first mark overtook, and their copy is kept while that
 *    one's is. The mark goes with the last unit, and the next one begins anew.
 *  - Units are found without the lock. Whoever found u before it was removed has run no FENCE.I
 *    since; links to u and its checked entry are undone by whoever removes it, with the lock held.
 *  - Who made u may run it once even if (2) finds it changed: its own FENCE.I came before the copy.
 *
 * A guest whose fetches see stores without a fence needs the same comparison where its architecture
 * has CPUs take note of each other's code (on x86: at serializing instructions).
 */
#include <string.h>
#include "tcg.h"

#define LINE_WORDS 8 /* of 64 bits in a line of struct code_page */
/* So many pages are worth a kick for CPUs that stay in generated code. */
#define MANY       64

struct fresh {
    ram_addr_t addr;
    const uint8_t *host;
    uint64_t epoch; /* every CPU that has seen it sees the mark */
    struct fresh *prev, *next;
    uint64_t copy[RAM_PAGE_SIZE / sizeof(uint64_t)]; /* of lines that are marked */
};

void code_copy(uint64_t *copy, const uint8_t *host, unsigned line)
{
    const uint64_t *from = (const uint64_t *)host;

    for (unsigned i = line * LINE_WORDS; i < (line + 1) * LINE_WORDS; i++)
        copy[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

static bool same(const uint64_t *copy, const uint8_t *host, unsigned line)
{
    const uint64_t *now = (const uint64_t *)host;

    for (unsigned i = line * LINE_WORDS; i < (line + 1) * LINE_WORDS; i++)
        if (copy[i] != __atomic_load_n(&now[i], __ATOMIC_RELAXED))
            return false;
    return true;
}

uint64_t code_changed(const uint64_t *copy, const uint8_t *host, uint64_t lines)
{
    uint64_t changed = 0;

    for (; lines; lines &= lines - 1) {
        unsigned line = __builtin_ctzll(lines);
        if (!same(copy, host, line))
            changed |= 1ull << line;
    }
    return changed;
}

void fresh_begin(struct tcg *tcg, struct code_page *p, ram_addr_t addr, const uint8_t *host)
{
    if (tcg->nvcpus == 1) /* who translates is not between two steps */
        return;
    struct fresh *f = g_new(struct fresh, 1);
    f->addr = addr;
    f->host = host;
    f->epoch = __atomic_add_fetch(&tcg->epoch, 1, __ATOMIC_SEQ_CST);
    f->next = NULL;
    f->prev = tcg->fresh_last;
    *(f->prev ? &f->prev->next : &tcg->fresh_first) = f;
    tcg->fresh_last = f;
    p->fresh = f;
    __atomic_store_n(&tcg->nfresh, tcg->nfresh + 1, __ATOMIC_SEQ_CST);
}

void fresh_keep(struct code_page *p, const uint64_t *copy, uint64_t lines)
{
    for (; p->fresh && lines; lines &= lines - 1) {
        unsigned i = __builtin_ctzll(lines) * LINE_WORDS;
        memcpy(&p->fresh->copy[i], &copy[i], LINE_WORDS * sizeof(copy[i]));
    }
}

void fresh_end(struct tcg *tcg, struct code_page *p)
{
    struct fresh *f = p->fresh;

    if (!f)
        return;
    *(f->prev ? &f->prev->next : &tcg->fresh_first) = f->next;
    *(f->next ? &f->next->prev : &tcg->fresh_last) = f->prev;
    p->fresh = NULL;
    g_free(f);
    __atomic_store_n(&tcg->nfresh, tcg->nfresh - 1, __ATOMIC_SEQ_CST);
}

/* Compares those that no store is on its way to any more, and ends them; with @all: compares all.
 * Lock held. */
static void compare(struct tcg *tcg, bool all)
{
    struct fresh *next;

    for (struct fresh *f = tcg->fresh_first; f; f = next) {
        bool over = cache_all_seen(tcg, f->epoch, false); /* first, then the bytes */
        if (!over && !all)
            break;
        struct code_page *p = code_page_of(tcg, f->addr);
        uint64_t changed = code_changed(f->copy, f->host, p->lines);
        if (changed) { /* units of other pages may go, and with them other copies */
            stat_add(&tcg->stats.late_stores, 1);
            if (code_remove(tcg, f->addr, changed))
                code_call_out(tcg);
            next = tcg->fresh_first;
            continue;
        }
        next = f->next;
        if (over)
            fresh_end(tcg, p);
    }
}

void fresh_settle(struct tcg *tcg)
{
    compare(tcg, false);
    if (tcg->nfresh >= MANY && tcg->nfresh % MANY == 0)
        cache_all_seen(tcg, tcg->fresh_first->epoch, true);
}

void fresh_compare(struct tcg *tcg)
{
    if (!__atomic_load_n(&tcg->nfresh, __ATOMIC_SEQ_CST))
        return;
    pthread_mutex_lock(&tcg->lock);
    compare(tcg, true);
    pthread_mutex_unlock(&tcg->lock);
}
