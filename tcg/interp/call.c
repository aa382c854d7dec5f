/*
 * Calls of helpers from the interpreter: through libffi, which knows the host's calling
 * convention, or by ir_helper_call() where the program is built without it.
 */
#include <glib.h>
#include "ops.h"
#ifdef CONFIG_FFI
#include <ffi.h>
#endif

struct interp_call {
    const struct ir_helper *helper;
    uint32_t arg[4]; /* indices of value words */
#ifdef CONFIG_FFI
    ffi_cif cif;
    ffi_type *type[5];
#endif
};

struct interp_call *interp_calls_new(uint32_t n)
{
    return n ? g_new0(struct interp_call, n) : NULL;
}

size_t interp_calls_size(uint32_t n)
{
    return n * sizeof(struct interp_call);
}

const struct interp_call *interp_call_at(const struct interp_call *calls, uint32_t n)
{
    return &calls[n];
}

#ifdef CONFIG_FFI
static ffi_type *ffi_type_of(unsigned type)
{
    switch (type) {
    case IR_VOID: return &ffi_type_void;
    case IR_I32: return &ffi_type_uint32;
    default: return &ffi_type_uint64;
    }
}

static void prepare(struct interp_call *c)
{
    const struct ir_helper *h = c->helper;
    unsigned n = 0;

    if (h->flags & IR_H_CPU)
        c->type[n++] = &ffi_type_pointer;
    for (unsigned k = 0; k < h->nargs; k++)
        c->type[n++] = ffi_type_of(h->arg[k]);
    /* Fails only for types unknown to it. */
    ffi_prep_cif(&c->cif, FFI_DEFAULT_ABI, n, ffi_type_of(h->ret), c->type);
}

static uint64_t run(const struct interp_call *c, void *cpu, const uint64_t *words)
{
    const struct ir_helper *h = c->helper;
    uint64_t wide[4];
    uint32_t narrow[4];
    void *arg[5];
    ffi_arg result = 0;
    unsigned n = 0;

    if (h->flags & IR_H_CPU)
        arg[n++] = &cpu;
    for (unsigned k = 0; k < h->nargs; k++) {
        wide[k] = words[c->arg[k]];
        narrow[k] = wide[k];
        arg[n++] = h->arg[k] == IR_I32 ? (void *)&narrow[k] : (void *)&wide[k];
    }
    ffi_call((ffi_cif *)&c->cif, h->fn, &result, arg);
    return result;
}
#else
static void prepare(struct interp_call *c)
{
    (void)c;
}

static uint64_t run(const struct interp_call *c, void *cpu, const uint64_t *words)
{
    uint64_t arg[4];

    for (unsigned k = 0; k < c->helper->nargs; k++) {
        arg[k] = words[c->arg[k]];
        if (c->helper->arg[k] == IR_I32)
            arg[k] = (uint32_t)arg[k];
    }
    return ir_helper_call(c->helper, cpu, arg);
}
#endif

void interp_call_prepare(struct interp_call *calls, uint32_t n, const struct ir_helper *h,
                         const uint32_t *args)
{
    struct interp_call *c = &calls[n];

    c->helper = h;
    for (unsigned k = 0; k < 4; k++)
        c->arg[k] = args[k];
    prepare(c);
}

uint64_t interp_call_run(const struct interp_call *call, void *cpu, const uint64_t *words)
{
    uint64_t r = run(call, cpu, words);

    return call->helper->ret == IR_I32 ? (uint64_t)(int32_t)r : r;
}
