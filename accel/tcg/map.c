/*
 * Mapping ids: a number for each (virtual page, RAM page, privilege) that code was fetched through.
 *
 * Units and links name the ids they were made under; a CPU's mapping cells hold the ids in force.
 * So a change of address space or of page tables costs nothing but cells to be filled again, and
 * units serve every address space that maps the same code to the same place.
 */
#include <string.h>
#include <mem/space.h>
#include "tcg.h"

static guint hash_info(gconstpointer p)
{
    const struct map_info *m = p;
    return (m->vpage >> TCG_PAGE_BITS) * 31 + (m->ram >> TCG_PAGE_BITS) * 17 + m->mode;
}

static gboolean same_info(gconstpointer a, gconstpointer b)
{
    const struct map_info *x = a, *y = b;
    return x->vpage == y->vpage && x->ram == y->ram && x->mode == y->mode && x->global == y->global;
}

size_t map_cell(const struct tcg *tcg, uint32_t id)
{
    const struct map_info *m = &tcg->map[id];
    return offsetof(struct tcg_cpu, map) +
           (m->global * TCG_MAP_SIZE + tcg_map_index(m->vpage)) * sizeof(uint32_t);
}

/* Lock held. Ids start at 1. */
static uint32_t intern(struct tcg *tcg, const struct map_info *info)
{
    gpointer id;

    if (!tcg->map_index)
        tcg->map_index = g_hash_table_new(hash_info, same_info);
    if (g_hash_table_lookup_extended(tcg->map_index, info, NULL, &id))
        return GPOINTER_TO_UINT(id);
    if (tcg->nmaps + 1 == MAX_MAPS) { /* start anew: no unit, no cell may know an old id */
        unit_remove_all(tcg);
        g_hash_table_remove_all(tcg->map_index);
        tcg->nmaps = 0;
        for (unsigned c = 0; c < tcg->nvcpus; c++)
            tcg->vcpu[c]->forget_maps = true;
    }
    uint32_t n = ++tcg->nmaps;
    tcg->map[n] = *info;
    g_hash_table_insert(tcg->map_index, &tcg->map[n], GUINT_TO_POINTER(n));
    return n;
}

static void fill_cell(struct tcg_vcpu *v, bool global, unsigned index, uint32_t id)
{
    uint32_t *cell = &v->cpu->tcg.map[global][index];

    if (!*cell && v->cells[global].n < CELLS_NOTED)
        v->cells[global].index[v->cells[global].n++] = index;
    *cell = id;
}

void map_forget(struct tcg_vcpu *v, bool global)
{
    uint32_t *cells = v->cpu->tcg.map[global];

    if (v->cells[global].n < CELLS_NOTED)
        for (unsigned k = 0; k < v->cells[global].n; k++)
            cells[v->cells[global].index[k]] = 0;
    else
        memset(cells, 0, sizeof(v->cpu->tcg.map[global]));
    v->cells[global].n = 0;
}

uint32_t map_current(struct cpu *cpu, uint64_t pc, uint32_t flags, struct cpu_fault *fault)
{
    struct tcg_vcpu *v = vcpu_of(cpu);
    struct tcg *tcg = v->tcg;
    unsigned mode = cpu->ops->fetch_mode(flags), index = tcg_map_index(pc);
    uint64_t page = pc & TCG_PAGE_MASK;
    struct tlb2_entry once, *t;

    for (unsigned global = 0; global < 2; global++) {
        uint32_t id = cpu->tcg.map[global][index];
        if (id && tcg->map[id].vpage == page && tcg->map[id].mode == mode)
            return id;
    }
    t = tlb_lookup(v, pc, ACCESS_FETCH, mode, &once, fault);
    if (!t)
        return 0;
    if (!t->host ||
        t == &once) { /* code in device registers, or protected more finely than pages */
        *fault = (struct cpu_fault){ FAULT_ACCESS, ACCESS_FETCH, pc, 0 };
        if (!t->host)
            return 0;
    }
    struct map_info info = { page, t->ram, t->host, mode, t->global };
    pthread_mutex_lock(&tcg->lock);
    uint32_t id = intern(tcg, &info);
    pthread_mutex_unlock(&tcg->lock);
    if (t != &once)
        fill_cell(v, info.global, index, id);
    return id;
}
