/*
 * Making x86 CPUs, and what their translations depend on.
 */
#include "debug.h"
#include "feature.h"
#include "helper.h"
#ifdef __x86_64__
#include "kvm.h"
#endif
#include "sys.h"
#include "x87.h"

unsigned x86_data_mode(const struct cpu *cpu)
{
    const struct x86_cpu *c = x86_of_const(cpu);

    return x86_mode_at(c, x86_cpl(c));
}

unsigned x86_mode_of_flags(uint32_t unit_flags)
{
    return (unit_flags & UF_CPL) == 3 ? MODE_USER : MODE_KERNEL;
}

static bool is_flat(const struct x86_cpu *c, unsigned seg)
{
    return c->seg_base[seg] == 0 && c->seg[seg].limit == UINT32_MAX &&
           (seg == S_CS || c->seg_limit[seg] == UINT32_MAX);
}

/* What addresses and sizes mean. */
static uint32_t segment_flags(const struct x86_cpu *c)
{
    uint32_t f = 0;

    if (c->cr0 & CR0_PE)
        f |= c->eflags & FLAG_VM ? UF_PE | UF_VM : UF_PE;
    if (x86_lma(c))
        f |= UF_LMA;
    if (x86_code64(c))
        return f | UF_CS64;
    if (c->seg[S_CS].attr & ATTR_DB)
        f |= UF_CS32;
    if (c->seg[S_SS].attr & ATTR_DB)
        f |= UF_SS32;
    if (is_flat(c, S_CS) && is_flat(c, S_DS) && is_flat(c, S_ES) && is_flat(c, S_SS))
        f |= UF_FLAT;
    return f;
}

/* Which vector and x87 instructions there are, and how they behave. */
static uint32_t float_flags(const struct x86_cpu *c)
{
    uint32_t f = 0;

    f |= c->cr0 & CR0_EM ? UF_EM : 0;
    f |= c->cr0 & CR0_TS ? UF_TS : 0;
    f |= c->cr0 & CR0_MP ? UF_MP : 0;
    f |= c->cr4 & CR4_OSFXSR ? UF_OSFXSR : 0;
    f |= c->cr4 & CR4_OSXSAVE && (c->xcr0 & 6) == 6 ? UF_AVX : 0;
    f |= (~c->mxcsr & 0x1f80) ? UF_FPSLOW : 0;
    return f | (x87_slow(c) ? UF_X87SLOW : 0);
}

uint32_t x86_unit_flags(const struct cpu *cpu)
{
    const struct x86_cpu *c = x86_of_const(cpu);
    unsigned cpl = x86_cpl(c);
    uint32_t f = cpl | x86_mode_at(c, cpl) << UF_MODE_SHIFT;

    f |= segment_flags(c) | float_flags(c);
    f |= c->eflags & FLAG_TF || c->debug_pending ? UF_TF : 0;
    f |= c->shadow ? UF_SHADOW : 0;
    f |= c->in_smm ? UF_SMM : 0;
    f |= cpl <= x86_iopl(c) ? UF_IOPL_OK : 0;
    f |= x86_debug_ports(c) ? UF_DBG_IO : 0;
    f |= x86_debug_fetches(c) ? UF_DBG_CODE : 0;
    return f;
}

#ifdef __x86_64__
#define KVM_GUEST &x86_kvm
#else
#define KVM_GUEST NULL
#endif

#define OPS(arch_name, gdb)                                                                     \
    {                                                                                           \
        .arch = arch_name, .gdb_arch = gdb, .slots = &x86_slots, .helpers = x86_helpers,        \
        .insn_align = 1, .sees_own_stores = true, .count_slot = SLOT_INSNS, .reset = x86_reset, \
        .free = x86_free, .unit_flags = x86_unit_flags, .fetch_mode = x86_mode_of_flags,        \
        .translate = x86_translate, .map = x86_map, .whole = x86_whole_access,                  \
        .data_mode = x86_data_mode, .take_fault = x86_take_fault,                               \
        .take_interrupt = x86_take_interrupt, .has_work = x86_has_work, .set_irq = x86_set_irq, \
        .regs = x86_regs, .get_reg = x86_get_reg, .set_reg = x86_set_reg, .dump = x86_dump,     \
        .check = x86_model_check, .kvm = KVM_GUEST,                                             \
    }
static const struct cpu_ops ops64 = OPS("x86_64", "i386:x86-64"), ops32 = OPS("i386", "i386");

struct cpu *x86_create(const struct cpu_type *type, const char *options, GError **err)
{
    struct x86_cpu *c = cpu_alloc(strcmp(type->arch, "i386") ? &ops64 : &ops32, sizeof(*c));

    if (!x86_model_setup(c, type->name, options, err)) {
        cpu_free(&c->cpu);
        return NULL;
    }
    x87_host_setup(c);
    x86_reset(&c->cpu);
    return &c->cpu;
}
