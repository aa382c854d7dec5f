/*
 * The interpreter's loop. Each operation jumps straight to the next one's code; guest memory goes
 * through the first-level TLB, and what that does not hold through the runtime's slow paths.
 */
#include <string.h>
#include <base/shared.h>
#include <tcg/vec.h>
#include "ops.h"

static uint64_t rotate_left64(uint64_t x, uint64_t n)
{
    return x << (n & 63) | x >> (-n & 63);
}

static uint32_t rotate_left32(uint32_t x, uint64_t n)
{
    return x << (n & 31) | x >> (-n & 31);
}

bool interp_cond(unsigned cond, int64_t x, int64_t y)
{
    switch (cond) {
#define CASE(name, test, unused) \
    case IR_##name: return test;
        INTERP_CONDS(CASE, 0)
#undef CASE
    default: return false;
    }
}

static inline struct tcg_tlb_entry *tlb_entry(struct tcg_cpu *cpu, uint64_t addr, unsigned mem)
{
    return &cpu->tlb[ir_mem_mode(mem)][tcg_tlb_index(addr)];
}

/* Other threads may set bits in a tag for writes. */
static inline uint64_t write_tag(const struct tcg_tlb_entry *e)
{
    return __atomic_load_n(&e->write, __ATOMIC_RELAXED);
}

static inline void *host(uint64_t addend, uint64_t addr)
{
    return (void *)(uintptr_t)(addend + addr);
}

/* Whether all of [addr, addr + len) is in the page that the entry maps. */
static inline bool covers(uint64_t tag, uint64_t addr, uint64_t len)
{
    return (addr & TCG_PAGE_MASK) == tag && ((addr + len - 1) & TCG_PAGE_MASK) == tag;
}

static uint64_t extend(uint64_t v, unsigned mem, unsigned type)
{
    unsigned unused = 64 - (8u << (mem & IR_MEM_SIZE));

    if (mem & IR_MEM_SIGNED || (type == IR_I32 && unused == 32))
        return (int64_t)(v << unused) >> unused;
    return v << unused >> unused;
}

static uint64_t load_host(const void *p, unsigned mem, unsigned type)
{
    unsigned log2size = mem & IR_MEM_SIZE;
    uint64_t v = shared_load(p, 1u << log2size);

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "hosts are little endian"
#endif
    if (mem & IR_MEM_BE)
        v = __builtin_bswap64(v) >> (64 - (8u << log2size));
    return extend(v, mem, type);
}

static void store_host(void *p, unsigned mem, uint64_t v)
{
    unsigned log2size = mem & IR_MEM_SIZE;

    if (mem & IR_MEM_BE)
        v = __builtin_bswap64(v) >> (64 - (8u << log2size));
    shared_store(p, v, 1u << log2size);
}

static uint64_t narrowed(uint64_t v, unsigned type)
{
    return type == IR_I32 ? (uint64_t)(int32_t)v : v;
}

/* What slow paths get: values are zero extended. */
static uint64_t plain(uint64_t v, unsigned type)
{
    return type == IR_I32 ? (uint32_t)v : v;
}

static void load_wide(struct tcg_cpu *cpu, const struct tcg_runtime *rt, const struct interp_op *i,
                      uint64_t addr, uint64_t *to)
{
    union tcg_wide w;

    rt->load_wide(cpu, addr, &w, i->mem);
    memcpy(to, &w, (size_t)1 << (i->mem & IR_MEM_SIZE));
}

static void store_wide(struct tcg_cpu *cpu, const struct tcg_runtime *rt, const struct interp_op *i,
                       uint64_t addr, const uint64_t *from)
{
    union tcg_wide w = { .q = { 0 } };

    memcpy(&w, from, (size_t)1 << (i->mem & IR_MEM_SIZE));
    rt->store_wide(cpu, addr, &w, i->mem);
}

/* The host offset for a CHECK, if it holds. */
static bool check(struct tcg_cpu *cpu, const struct tcg_runtime *rt, const struct interp_op *i,
                  uint64_t addr, uint64_t *addend)
{
    struct tcg_tlb_entry *e = tlb_entry(cpu, addr, i->mem);
    bool write = i->mem & IR_MEM_WRITE;

    if (i->mem & IR_MEM_ALIGNED && addr & ((UINT64_C(1) << (i->mem & IR_MEM_SIZE)) - 1))
        return false;
    if (!covers(write ? write_tag(e) : e->read, addr, i->b)) {
        if (!rt->probe(cpu, addr, i->b, i->mem))
            return false;
    }
    *addend = e->addend;
    return true;
}

static void select_wide(const struct interp_op *i, uint64_t *v)
{
    bool yes = interp_cond(i->mem, v[i->a], v[i->b]);

    memmove(&v[i->d], &v[yes ? i->c : i->e], ir_type_bytes[i->type]);
}

#define LABEL(name, ...)               [OP_##name] = &&do_##name,
#define LABEL_I(name, ...)             [OP_##name##I] = &&do_##name##I,
#define LABEL_LD(name, ...)            [OP_LD_##name] = &&do_LD_##name,
#define LABEL_ST(name, ...)            [OP_ST_##name] = &&do_ST_##name,
#define LABEL_LDH(name, ...)           [OP_LDH_##name] = &&do_LDH_##name,
#define LABEL_STH(name, ...)           [OP_STH_##name] = &&do_STH_##name,
#define LABEL_COND(name, test, family) [OP_##family##_##name] = &&do_##family##_##name,

#define GO goto *label[i->op]
#define NEXT \
    do {     \
        i++; \
        GO;  \
    } while (0)
#define SLOT(T) ((T *)((char *)cpu + i->imm))
#define ADDR    (v[i->a] + (uint64_t)i->imm)

#define CODE_BINARY(name, result)         \
    do_##name:                            \
    {                                     \
        int64_t x = v[i->a], y = v[i->b]; \
        v[i->d] = (result);               \
        NEXT;                             \
    }
#define CODE_IMM(name, result)           \
    do_##name##I:                        \
    {                                    \
        int64_t x = v[i->a], y = i->imm; \
        v[i->d] = (result);              \
        NEXT;                            \
    }
#define CODE_UNARY(name, result) \
    do_##name:                   \
    {                            \
        int64_t x = v[i->a];     \
        v[i->d] = (result);      \
        NEXT;                    \
    }
#define CODE_SETCC(name, test, unused)    \
    do_SETCC_##name:                      \
    {                                     \
        int64_t x = v[i->a], y = v[i->b]; \
        v[i->d] = (test);                 \
        NEXT;                             \
    }
#define CODE_SETCCI(name, test, unused)  \
    do_SETCCI_##name:                    \
    {                                    \
        int64_t x = v[i->a], y = i->imm; \
        v[i->d] = (test);                \
        NEXT;                            \
    }
#define CODE_SELECT(name, test, unused)       \
    do_SELECT_##name:                         \
    {                                         \
        int64_t x = v[i->a], y = v[i->b];     \
        v[i->d] = (test) ? v[i->c] : v[i->e]; \
        NEXT;                                 \
    }
#define CODE_BRANCH(name, second, test, taken) \
    do_##name:                                 \
    {                                          \
        int64_t x = v[i->a], y = (second);     \
        if (test)                              \
            goto taken;                        \
        NEXT;                                  \
    }
#define CODE_EXITIF(name, test, unused)  CODE_BRANCH(EXITIF_##name, v[i->b], test, do_EXIT)
#define CODE_EXITIFI(name, test, unused) CODE_BRANCH(EXITIFI_##name, (int32_t)i->b, test, do_EXIT)
#define CODE_LOOPIF(name, test, unused)  CODE_BRANCH(LOOPIF_##name, v[i->b], test, do_LOOP)
#define CODE_LOOPIFI(name, test, unused) CODE_BRANCH(LOOPIFI_##name, (int32_t)i->b, test, do_LOOP)
/* Aligned accesses to mapped pages; all others take the slow path. */
#define CODE_LD(name, T)                                                                \
    do_LD_##name:                                                                       \
    {                                                                                   \
        uint64_t addr = ADDR;                                                           \
        const struct tcg_tlb_entry *e = tlb_entry(cpu, addr, i->mem);                   \
        if (__builtin_expect((addr & (TCG_PAGE_MASK | (sizeof(T) - 1))) == e->read, 1)) \
            v[i->d] = __atomic_load_n((T *)host(e->addend, addr), __ATOMIC_ACQUIRE);    \
        else                                                                            \
            v[i->d] = (T)rt->load(cpu, addr, i->mem);                                   \
        NEXT;                                                                           \
    }
#define CODE_ST(name, T)                                                                     \
    do_ST_##name:                                                                            \
    {                                                                                        \
        uint64_t addr = ADDR;                                                                \
        const struct tcg_tlb_entry *e = tlb_entry(cpu, addr, i->mem);                        \
        if (__builtin_expect((addr & (TCG_PAGE_MASK | (sizeof(T) - 1))) == write_tag(e), 1)) \
            __atomic_store_n((T *)host(e->addend, addr), (T)v[i->b], __ATOMIC_RELEASE);      \
        else                                                                                 \
            rt->store(cpu, addr, (T)v[i->b], i->mem);                                        \
        NEXT;                                                                                \
    }

/* Under a CHECK; of any alignment. */
#define CODE_LDH(name, T)                                         \
    do_LDH_##name:                                                \
    {                                                             \
        v[i->d] = (T)shared_load(host(v[i->b], ADDR), sizeof(T)); \
        NEXT;                                                     \
    }
#define CODE_STH(name, T)                                         \
    do_STH_##name:                                                \
    {                                                             \
        shared_store(host(v[i->d], ADDR), (T)v[i->b], sizeof(T)); \
        NEXT;                                                     \
    }

static enum interp_exit run_unit(struct tcg_cpu *cpu, const struct interp_unit *u,
                                 const struct tcg_runtime *rt, struct fp_env *fp)
{
    static const void *const label[OP_COUNT] = {
        INTERP_OTHER_OPS(LABEL) INTERP_IMM_OPS(LABEL) INTERP_IMM_OPS(LABEL_I)
            INTERP_BINARY_OPS(LABEL) INTERP_UNARY_OPS(LABEL) INTERP_LOADS(LABEL_LD)
                INTERP_STORES(LABEL_ST) INTERP_LOADS(LABEL_LDH) INTERP_STORES(LABEL_STH)
                    INTERP_CONDS(LABEL_COND, SETCC) INTERP_CONDS(LABEL_COND, SETCCI)
                        INTERP_CONDS(LABEL_COND, SELECT) INTERP_CONDS(LABEL_COND, EXITIF)
                            INTERP_CONDS(LABEL_COND, EXITIFI) INTERP_CONDS(LABEL_COND, LOOPIF)
                                INTERP_CONDS(LABEL_COND, LOOPIFI)
    };
    const struct interp_op *i = u->op;
    uint64_t *v = __builtin_alloca(u->nwords * sizeof(*v));

    v[0] = 0; /* stands for operands that an operation does not have */
    GO;

    /* clang-format off */
    INTERP_IMM_OPS(CODE_BINARY)
    INTERP_IMM_OPS(CODE_IMM)
    INTERP_BINARY_OPS(CODE_BINARY)
    INTERP_UNARY_OPS(CODE_UNARY)
    INTERP_LOADS(CODE_LD)
    INTERP_STORES(CODE_ST)
    INTERP_LOADS(CODE_LDH)
    INTERP_STORES(CODE_STH)
    INTERP_CONDS(CODE_SETCC, 0)
    INTERP_CONDS(CODE_SETCCI, 0)
    INTERP_CONDS(CODE_SELECT, 0)
    INTERP_CONDS(CODE_EXITIF, 0)
    INTERP_CONDS(CODE_EXITIFI, 0)
    INTERP_CONDS(CODE_LOOPIF, 0)
    INTERP_CONDS(CODE_LOOPIFI, 0)
    /* clang-format on */

do_CONST:
    v[i->d] = i->imm;
    NEXT;
do_GET64:
    v[i->d] = *SLOT(uint64_t);
    NEXT;
do_GET32:
    v[i->d] = *SLOT(int32_t);
    NEXT;
do_GETW:
    memcpy(&v[i->d], SLOT(void), i->b);
    NEXT;
do_SET64:
    *SLOT(uint64_t) = v[i->a];
    NEXT;
do_SET32:
    *SLOT(uint32_t) = v[i->a];
    NEXT;
do_SETW:
    memcpy(SLOT(void), &v[i->a], i->b);
    NEXT;
do_PC:
    cpu->pc = i->imm;
    NEXT;
do_SELECTW:
    select_wide(i, v);
    NEXT;
do_LD_ANY:
    v[i->d] = narrowed(rt->load(cpu, ADDR, i->mem), i->type);
    NEXT;
do_LD_WIDE:
    load_wide(cpu, rt, i, ADDR, &v[i->d]);
    NEXT;
do_ST_ANY:
    rt->store(cpu, ADDR, plain(v[i->b], i->type), i->mem);
    NEXT;
do_ST_WIDE:
    store_wide(cpu, rt, i, ADDR, &v[i->b]);
    NEXT;
do_CHECK:
    if (!check(cpu, rt, i, ADDR, &v[i->d]))
        return INTERP_UNMERGED;
    NEXT;
do_LDH_ANY:
    v[i->d] = load_host(host(v[i->b], ADDR), i->mem, i->type);
    NEXT;
do_LDH_WIDE:
    memcpy(&v[i->d], host(v[i->b], ADDR), (size_t)1 << (i->mem & IR_MEM_SIZE));
    NEXT;
do_STH_ANY:
    store_host(host(v[i->d], ADDR), i->mem, v[i->b]);
    NEXT;
do_STH_WIDE:
    memcpy(host(v[i->d], ADDR), &v[i->b], (size_t)1 << (i->mem & IR_MEM_SIZE));
    NEXT;
do_AMO:
    v[i->d] = narrowed(rt->amo(cpu, v[i->a], plain(v[i->b], i->type), i->mem, i->c), i->type);
    NEXT;
do_CMPXCHG:
    v[i->d] = narrowed(
        rt->cmpxchg(cpu, v[i->a], plain(v[i->b], i->type), plain(v[i->c], i->type), i->mem),
        i->type);
    NEXT;
do_LDX:
    v[i->d] = narrowed(rt->load_linked(cpu, v[i->a], i->mem), i->type);
    NEXT;
do_STX:
    v[i->d] =
        !rt->store_linked(cpu, v[i->a], plain(v[i->b], i->type), plain(v[i->c], i->type), i->mem);
    NEXT;
do_FENCE:
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    NEXT;
do_TRAPIF:
    if (interp_cond(i->mem, v[i->a], v[i->b]))
        ir_helper_call(i->helper, cpu, NULL);
    NEXT;
do_CALL:
    v[i->d] = interp_call_run(i->call, cpu, v);
    NEXT;
do_FP:
    v[i->d] = interp_fp(fp, i, v[i->a], v[i->b], v[i->c]);
    NEXT;
do_FFLAGS:
    v[i->d] = (fp->flags & 0x1f) | cpu->fp_sticky;
    NEXT;
do_FKEEP:
    if (((fp->flags & 0x1f) | cpu->fp_sticky) & ~v[i->a])
        fp->flags = cpu->fp_sticky = 0;
    NEXT;
do_FSIGN:
    v[i->d] = interp_fsign(i, v[i->a], v[i->b]);
    NEXT;
do_VECTOR:
    ir_vop_eval(fp, i->ir_op, i->mem, i->e, &v[i->d], &v[i->a], &v[i->b], &v[i->c]);
    if (i->type == IR_I32)
        v[i->d] = (int32_t)v[i->d];
    NEXT;
do_LOOP:
    if (__atomic_load_n(&cpu->flags, __ATOMIC_RELAXED) & TCG_FLAGS_ATTENTION) {
        cpu->pc = u->pc;
        return INTERP_ATTENTION;
    }
    i = u->op;
    GO;
do_GUARD:
    if (cpu->map[i->a][tcg_map_index(i->imm)] != i->b) {
        cpu->pc = i->imm;
        return INTERP_REMAPPED;
    }
    NEXT;
do_EXIT:
    cpu->pc = i->imm;
    return INTERP_DIRECT;
do_EXITIND:
    cpu->pc = v[i->a];
    return INTERP_INDIRECT;
do_EXITPC:
    return INTERP_PC;
}

/* The unit to go on with at cpu->pc, if the jump cache has it and it is valid now. */
static const struct interp_unit *next_unit(const struct tcg_cpu *cpu)
{
    const struct tcg_jump *j = &cpu->jump[tcg_jump_index(cpu->pc)];
    const struct interp_unit *u = j->code;

    if (j->pc != cpu->pc || !u || __atomic_load_n(&u->disabled, __ATOMIC_ACQUIRE))
        return NULL;
    /* Attention is a bit of the flags, which no unit has. */
    if (u->flags != __atomic_load_n(&cpu->flags, __ATOMIC_RELAXED))
        return NULL;
    if (u->checked && cpu->map[u->map.cell][tcg_map_index(u->pc)] != u->map.id)
        return NULL;
    return u;
}

enum interp_exit interp_run(struct tcg_cpu *cpu, const struct interp_unit *u,
                            const struct tcg_runtime *rt, struct fp_env *fp)
{
    enum interp_exit how;

    do {
        how = run_unit(cpu, u, rt, fp);
        if (how >= INTERP_UNMERGED)
            break;
        u = next_unit(cpu);
    } while (u);
    return how;
}
