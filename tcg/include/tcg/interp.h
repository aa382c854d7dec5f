/*
 * The interpreter of the IR: runs units on any host, and is the reference that the translators are
 * tested against.
 *
 *     struct interp_unit *u = interp_unit_new(&ir, NULL, NULL);
 *     enum interp_exit how = interp_run(cpu, u, runtime, &fp);      cpu->pc says where to go on
 *     interp_unit_free(u);
 *
 * Guest registers are written as the unit does it, cpu->pc before whatever may raise, so that a
 * slow path or helper may leave by siglongjmp at any time. Units may be shared by threads; they
 * must not be freed while one runs them.
 */
#ifndef TCG_INTERP_H
#define TCG_INTERP_H

#include <tcg/abi.h>
#include <tcg/ir.h>
#include <tcg/runtime.h>

struct fp_env; /* tcg/softfp.h */
struct interp_unit;

/* Mapping of a code page that a unit relies on: cpu->map[cell][tcg_map_index(pc)] holds @id. */
struct interp_map {
    unsigned cell;
    uint32_t id;
};
/* Fills *@map for the page of @pc as it is mapped now. */
typedef void interp_map_fn(void *opaque, uint64_t pc, struct interp_map *map);

/* How a unit was left. cpu->pc is the next guest instruction. */
enum interp_exit {
    INTERP_DIRECT,    /* EXIT, EXITIF */
    INTERP_INDIRECT,  /* EXITIND */
    INTERP_PC,        /* EXITPC */
    INTERP_UNMERGED,  /* a CHECK did not hold: go on with a unit without OPT_MERGE */
    INTERP_REMAPPED,  /* a GUARD did not hold */
    INTERP_ATTENTION, /* at the loop's head: somebody wants the CPU */
};

/*
 * A unit ready to run; a copy, @ir may go. With @map the unit's own page and those of its GUARDs
 * are checked against the mapping it gives; with NULL they hold always. At most 4096 values.
 */
struct interp_unit *interp_unit_new(const struct ir *ir, interp_map_fn *map, void *opaque);
void interp_unit_free(struct interp_unit *u);
/* From now on no jump cache leads to @u; who runs it may finish. Any thread. */
void interp_unit_disable(struct interp_unit *u);
/* Bytes it takes, for statistics. */
size_t interp_unit_size(const struct interp_unit *u);

/*
 * Runs @u, and then those units that cpu->jump[] (code: struct interp_unit) names for the pc
 * arrived at, as long as they are of the CPU's flags and their page is mapped as when they were
 * made; so until the jump cache misses or attention is wanted. @fp: rounding mode and sticky flags
 * of F* operations; helpers may change it.
 */
enum interp_exit interp_run(struct tcg_cpu *cpu, const struct interp_unit *u,
                            const struct tcg_runtime *rt, struct fp_env *fp);

#endif
