/*
 * The ways to run IR on the test guest: the interpreter, and this host's backend, each with and
 * without the optimiser's passes.
 */
#include <tcg/interp.h>
#include <tcg/opt.h>
#include "irmachine.h"

static void *interp_new(const struct ir *ir)
{
    return interp_unit_new(ir, NULL, NULL);
}

static void interp_free(void *unit)
{
    interp_unit_free(unit);
}

static void interp_run_once(struct irm *m, void *unit)
{
    enum interp_exit how;

    if (sigsetjmp(m->unwind, 0))
        return;
    how = interp_run(&m->cpu->tcg, unit, &irm_runtime, &m->fp);
    m->how = how == INTERP_UNMERGED ? IRM_UNMERGED : IRM_LEFT;
}

#define INTERP(text, bits)                                   \
    {                                                        \
        text, bits, interp_new, interp_free, interp_run_once \
    }
const struct irm_backend irm_interp = INTERP("interp", 0);
static const struct irm_backend interp_dead = INTERP("interp-dead", OPT_DEAD | OPT_FCANON);
static const struct irm_backend interp_opt = INTERP("interp-opt", OPT_ALL);

#ifdef __x86_64__
#define HOSTS                                                                             \
    &irm_jit, &irm_jit_dead, &irm_jit_opt, &irm_jit_plain, &irm_jit_sse, &irm_jit_called, \
        &irm_jit_chained,
#else
#define HOSTS
#endif

const struct irm_backend *const irm_backends[] = { &irm_interp, &interp_dead, &interp_opt,
                                                   HOSTS NULL };
