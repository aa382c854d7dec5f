/*
 * The order of the passes, and use of values.
 */
#include <string.h>
#include <tcg/opt.h>

void opt_run(struct ir *ir, uint32_t *scratch, unsigned passes)
{
    /* Merging first: accesses that cannot fault any more let dead slots be seen. */
    if (passes & OPT_MERGE)
        opt_merge(ir, scratch);
    if (passes & OPT_FCANON)
        opt_fcanon(ir, scratch);
    if (passes & OPT_DEAD)
        opt_dead(ir, scratch);
}

void opt_uses(const struct ir *ir, uint32_t *last_use)
{
    memset(last_use, 0, ir->count * sizeof(last_use[0]));
    for (uint32_t n = 1; n < ir->count; n++) {
        ir_val v[4];
        unsigned count = opt_operands(&ir->insn[n], v);

        for (unsigned k = 0; k < count; k++)
            last_use[v[k]] = n;
    }
    last_use[0] = 0;
}
