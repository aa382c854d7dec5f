/*
 * x86 CPU models, what CPUID tells of them, the options of -cpu; model-specific registers and
 * control registers with their checks; system management mode.
 */
#include "target/x86/msr.h"
#include "target/x86/smm.h"
#include "x86sys.h"

enum { EAX, EBX, ECX, EDX };

static struct x86_cpu *make(const char *arch, const char *spec)
{
    GError *err = NULL;
    struct cpu *cpu = cpu_create(arch, spec, &err);

    g_assert_no_error(err);
    return x86_of(cpu);
}

static void refused(const char *arch, const char *spec, const char *what)
{
    GError *err = NULL;

    g_assert_null(cpu_create(arch, spec, &err));
    g_assert_nonnull(strstr(err->message, what));
    g_error_free(err);
}

static void models(void)
{
    struct x86_cpu *c = make("x86_64", "qemu64");
    uint32_t out[4];

    x86_cpuid(c, 0, 0, out);
    g_assert_cmpint(out[EAX], ==, 13);
    g_assert_cmpmem(&out[EBX], 4, "Auth", 4);
    x86_cpuid(c, 1, 0, out);
    g_assert_cmphex(out[EAX], ==, 0x00060fb1); /* family 15, model 107, stepping 1 */
    g_assert_true(out[ECX] & 1u << 31);
    x86_cpuid(c, 0x40000000, 0, out);
    g_assert_cmpmem(&out[EBX], 12, "TCGTCGTCGTCG", 12);
    x86_cpuid(c, 0x80000001, 0, out);
    g_assert_true(out[EDX] & 1u << 29);
    cpu_free(&c->cpu);

    c = make("i386", "qemu64"); /* no long mode for i386 */
    x86_cpuid(c, 0x80000001, 0, out);
    g_assert_false(out[EDX] & 1u << 29);
    cpu_free(&c->cpu);

    c = make("i386", "486");
    g_assert_cmphex(c->cpu.tcg.hot[R_DX], ==, 0x480);
    cpu_free(&c->cpu);
}

/* Each model can be made, says of itself what it is, and has no feature without what that needs;
 * signatures are those of the processors. */
static void all_models(void)
{
    static const struct {
        const char *name;
        uint32_t signature;
    } rows[] = {
        { "486", 0x480 },
        { "pentium", 0x543 },
        { "pentium2", 0x652 },
        { "pentium3", 0x673 },
        { "athlon", 0x623 },
        { "phenom", 0x100f23 },
        { "qemu32", 0x663 },
        { "kvm32", 0xf61 },
        { "kvm64", 0xf61 },
        { "coreduo", 0x6e8 },
        { "core2duo", 0x6fb },
        { "n270", 0x106c2 },
        { "Conroe", 0x6f3 },
        { "Penryn", 0x10673 },
        { "Nehalem", 0x106a3 },
        { "Westmere", 0x206c1 },
        { "SandyBridge", 0x206a1 },
        { "IvyBridge", 0x306a9 },
        { "Haswell", 0x306c4 },
        { "Haswell-noTSX", 0x306c1 },
        { "Broadwell", 0x306d2 },
        { "Broadwell-noTSX", 0x306d2 },
        { "Skylake-Client", 0x506e3 },
        { "Opteron_G1", 0xf61 },
        { "Opteron_G2", 0xf61 },
        { "Opteron_G3", 0x100f23 },
        { "Opteron_G4", 0x600f12 },
        { "Opteron_G5", 0x600f20 },
        { "EPYC", 0x800f12 },
        { "EPYC-Rome", 0x830f10 },
        { "EPYC-Milan", 0xa00f11 },
        { "x86-64-v1", 0x60fb1 },
        { "x86-64-v2", 0x60fb1 },
        { "x86-64-v3", 0x60fb1 },
        { "base", 0 },
    };

    for (unsigned k = 0; k < ARRAY_LEN(rows); k++) {
        struct x86_cpu *c = make("x86_64", rows[k].name);
        uint32_t out[4];

        g_test_message("%s", rows[k].name);
        x86_cpuid(c, 1, 0, out);
        g_assert_cmphex(out[EAX], ==, rows[k].signature);
        g_assert_true(!x86_have(c, FEAT_AVX) || x86_have(c, FEAT_XSAVE));
        g_assert_false(x86_have(c, FEAT_SVM));
        x86_cpuid(c, 0x80000000, 0, out);
        g_assert_cmphex(c->model->xlevel ? out[EAX] : 0, ==, c->model->xlevel);
        cpu_free(&c->cpu);
    }
}

static void options(void)
{
    struct x86_cpu *c = make("x86_64", "qemu64,+avx2,+xsave,+avx,-sse4a,smep=on,+sse4_2,+ssse3,"
                                       "+sse4.1,vendor=GenuineIntel,family=6,stepping=3");
    uint32_t out[4];

    g_assert_true(x86_have(c, FEAT_SMEP));
    g_assert_true(x86_have(c, FEAT_AVX2));
    g_assert_cmpint(c->model->vendor_kind, ==, VENDOR_INTEL);
    x86_cpuid(c, 0xd, 0, out);
    g_assert_cmphex(out[EAX], ==, 7);
    g_assert_cmpint(out[ECX], ==, 832);
    cpu_free(&c->cpu);
    c = make("x86_64", "qemu64,+avx2"); /* nothing without XSAVE */
    g_assert_false(x86_have(c, FEAT_AVX2));
    cpu_free(&c->cpu);
    refused("x86_64", "qemu64,+avxx", "avx");
    refused("x86_64", "qemu64,vendor=Foo", "12 characters");
    refused("x86_64", "qemu65", "qemu64");
}

/* What those who translate must refuse; KVM may be able to give it. */
static void untranslated(const char *spec, const char *why)
{
    struct x86_cpu *c = make("x86_64", spec);
    GError *err = NULL;

    g_assert_false(c->cpu.ops->check(&c->cpu, &err));
    g_assert_nonnull(strstr(err->message, why));
    g_error_free(err);
    cpu_free(&c->cpu);
}

static void translated(void)
{
    struct x86_cpu *c = make("x86_64", "qemu64,check=off,+hle");

    g_assert_false(x86_have(c, FEAT_HLE));
    g_assert_true(c->cpu.ops->check(&c->cpu, NULL));
    cpu_free(&c->cpu);
    untranslated("qemu64,enforce=on,+hle", "hle");
    untranslated("host", "kvm");
}

static unsigned widened(const char *spec, uint64_t end)
{
    struct x86_cpu *c = make("x86_64", spec);
    uint32_t out[4];

    x86_reach(&c->cpu, end);
    x86_cpuid(c, 0x80000008, 0, out);
    cpu_free(&c->cpu);
    return out[EAX] & 0xff;
}

/* RAM is within reach, but where the user wants it otherwise. */
static void physical_width(void)
{
    g_assert_cmpuint(widened("qemu64", UINT64_C(1) << 40), ==, 40);
    g_assert_cmpuint(widened("qemu64", (UINT64_C(1) << 40) + 1), ==, 41);
    g_assert_cmpuint(widened("qemu64,phys-bits=40", UINT64_C(1) << 41), ==, 40);
}

static void topology(void)
{
    struct x86_cpu *c = make("x86_64", "max");
    uint32_t out[4];

    x86_set_cpu(&c->cpu, NULL, 5, 2, 3);
    x86_cpuid(c, 0xb, 0, out);
    g_assert_cmpint(out[EAX], ==, 1);
    g_assert_cmpint(out[EBX], ==, 2);
    x86_cpuid(c, 0xb, 1, out);
    g_assert_cmpint(out[EAX], ==, 3);
    g_assert_cmpint(out[EBX], ==, 6);
    g_assert_cmpint(out[EDX], ==, 5);
    x86_cpuid(c, 1, 0, out);
    g_assert_cmpint(out[EBX] >> 24, ==, 5);
    g_assert_cmpint(out[EBX] >> 16 & 0xff, ==, 6);
    cpu_free(&c->cpu);
}

static void msrs(void)
{
    struct x86sys s;
    uint64_t val;

    x86sys_new(&s, "x86_64", "max");
    x86sys_long_mode(&s);
    g_assert_true(x86_msr_write(s.c, 0xc0000082, 0xffffffff81000000));
    g_assert_true(x86_msr_read(s.c, 0xc0000082, &val));
    g_assert_cmphex(val, ==, 0xffffffff81000000);
    g_assert_false(x86_msr_write(s.c, 0xc0000082, BIT(47)));
    g_assert_true(x86_msr_write(s.c, 0xc0000101, 0x1234));
    g_assert_cmphex(s.c->seg_base[S_GS], ==, 0x1234);
    g_assert_false(x86_msr_write(s.c, 0x277, 0x0707070707070702)); /* no memory type 2 */
    g_assert_false(x86_msr_read(s.c, 0x12345678, &val));
    g_assert_false(x86_msr_write(s.c, 0xc0000080, s.c->efer & ~EFER_LME)); /* while paging */
    g_assert_true(x86_msr_write(s.c, 0xc0000080, s.c->efer | EFER_NXE | EFER_SCE));
    g_assert_true(x86_lma(s.c));
    g_assert_true(x86_msr_write(s.c, 0x10, 1000));
    g_assert_true(x86_msr_read(s.c, 0x10, &val));
    g_assert_cmpint(val, ==, 1000); /* no clock runs here */
    g_assert_true(x86_msr_read(s.c, 0x3b, &val));
    g_assert_cmpint(val, ==, 1000);
    x86sys_free(&s);
}

/* What Linux, the BSDs and Windows touch without asking whether it is there. */
static void msrs_of_systems(void)
{
    static const uint32_t of_all[] = {
        0x17,  0x2a,  0x3a,       0x79,       0x8b,       0xcd,       0xce,      0xe7,
        0xe8,  0xfe,  0x174,      0x179,      0x17a,      0x198,      0x1a0,     0x1d9,
        0x1db, 0x1de, 0x200,      0x20f,      0x250,      0x26f,      0x277,     0x2ff,
        0x400, 0x403, 0xc0010015, 0xc001001f, 0xc0010055, 0xc0010112, 0xc0011029
    };
    static const uint32_t of_intel[] = { 0xc1, 0x140, 0x186, 0x199, 0x1a2, 0x1b0, 0x606 };
    static const uint32_t of_amd[] = { 0xc0010000, 0xc0010004, 0xc0010041, 0xc0010044,
                                       0xc0010061, 0xc0010114, 0xc0010140 };
    struct x86_cpu *intel = make("x86_64", "Nehalem"), *amd = make("x86_64", "EPYC");
    uint64_t val;

    for (unsigned k = 0; k < ARRAY_LEN(of_all); k++) {
        g_test_message("MSR %x", of_all[k]);
        g_assert_true(x86_msr_read(intel, of_all[k], &val));
        g_assert_true(x86_msr_read(amd, of_all[k], &val));
        if (of_all[k] == 0xfe || of_all[k] == 0x179) /* capabilities cannot be written */
            continue;
        g_assert_true(x86_msr_write(intel, of_all[k], 0));
        g_assert_true(x86_msr_write(amd, of_all[k], 0));
    }
    for (unsigned k = 0; k < ARRAY_LEN(of_intel); k++) {
        g_assert_true(x86_msr_read(intel, of_intel[k], &val));
        g_assert_false(x86_msr_read(amd, of_intel[k], &val));
        g_assert_true(x86_msr_write(intel, of_intel[k], 0));
    }
    for (unsigned k = 0; k < ARRAY_LEN(of_amd); k++) {
        g_assert_true(x86_msr_read(amd, of_amd[k], &val));
        g_assert_false(x86_msr_read(intel, of_amd[k], &val));
        g_assert_true(x86_msr_write(amd, of_amd[k], 0));
    }
    cpu_free(&intel->cpu);
    cpu_free(&amd->cpu);
}

static int cr_fault(struct x86sys *s, unsigned nr, uint64_t val)
{
    return TRY(s, x86_write_cr(s->c, nr, val)) ? -1 : x86sys_vector(s);
}

static void control_registers(void)
{
    struct x86sys s;

    x86sys_new(&s, "x86_64", "max");
    x86sys_long_mode(&s);
    g_assert_cmpint(cr_fault(&s, 0, CR0_PG), ==, EXC_GP); /* without PE */
    g_assert_cmpint(cr_fault(&s, 0, CR0_PE), ==, EXC_GP); /* paging off in 64-bit code */
    g_assert_cmpint(cr_fault(&s, 0, s.c->cr0 | BIT(32)), ==, EXC_GP);
    g_assert_cmpint(cr_fault(&s, 4, 0), ==, EXC_GP); /* PAE off in long mode */
    g_assert_cmpint(cr_fault(&s, 4, CR4_PAE | BIT(15)), ==, EXC_GP);
    g_assert_cmpint(cr_fault(&s, 4, CR4_PAE | CR4_PCIDE), ==, -1);
    g_assert_cmpint(cr_fault(&s, 3, BIT(63) | X86SYS_TABLES | 5), ==, -1);
    g_assert_cmphex(s.c->cr3, ==, X86SYS_TABLES | 5);
    g_assert_cmpint(cr_fault(&s, 3, BIT(51)), ==, EXC_GP);
    g_assert_cmpint(cr_fault(&s, 8, 16), ==, EXC_GP);
    g_assert_false(x86_xcr0_ok(s.c, 4 | 1)); /* AVX without SSE */
    g_assert_true(x86_xcr0_ok(s.c, 7));
    x86sys_free(&s);
}

/* SMI and RSM bring everything back, in both layouts. */
static void management_mode(const char *arch, const char *cpu, bool wide)
{
    struct x86sys s;
    uint64_t cr0, cr3;

    x86sys_new(&s, arch, cpu);
    if (wide)
        x86sys_long_mode(&s);
    else
        x86sys_protected(&s);
    x86sys_user(&s);
    cr0 = s.c->cr0;
    cr3 = s.c->cr3;
    s.c->cpu.tcg.hot[R_SI] = 0x12345678;
    x86_set_eflags(s.c, FLAG_IF | FLAG_CF, ~0u);
    x86_smm_enter(s.c);
    g_assert_true(s.c->in_smm);
    g_assert_cmphex(s.c->cpu.tcg.pc, ==, 0x38000);
    g_assert_cmphex(s.c->cr0 & (CR0_PE | CR0_PG), ==, 0);
    g_assert_cmphex(x86sys_get(&s, 0x3fefc, 4), ==, wide ? 0x20064 : 0x20000);
    x86sys_put(&s, wide ? 0x3ff00 : 0x3fef8, 4, 0x50000); /* SMBASE moves */
    s.c->cpu.tcg.hot[R_SI] = 0;
    x86_rsm(s.c);
    g_assert_false(s.c->in_smm);
    g_assert_cmphex(s.c->cpu.tcg.pc, ==, 0x30000);
    g_assert_cmphex(s.c->cr0, ==, cr0);
    g_assert_cmphex(s.c->cr3, ==, cr3);
    g_assert_cmphex(s.c->cpu.tcg.hot[R_SI], ==, 0x12345678);
    g_assert_cmphex(s.c->seg[S_SS].selector, ==, SEL_DATA3);
    g_assert_cmphex(s.c->seg[S_SS].limit, ==, UINT32_MAX);
    g_assert_cmpint(x86_cpl(s.c), ==, 3);
    g_assert_cmphex(x86_eflags(s.c), ==, FLAG_IF | FLAG_CF | FLAG_FIXED);
    g_assert_cmphex(s.c->smbase, ==, 0x50000);
    g_assert_cmphex(s.c->gdt.base, ==, X86SYS_GDT);
    x86sys_free(&s);
}

static void management_mode_32(void)
{
    management_mode("i386", "pentium3", false);
}
static void management_mode_64(void)
{
    management_mode("x86_64", "max", true);
}

/* All rows, saved and loaded into another CPU, give the same rows again. */
static void registers(void)
{
    static const char *const archs[] = { "i386", "x86_64" };

    for (unsigned a = 0; a < ARRAY_LEN(archs); a++) {
        struct x86_cpu *from = make(archs[a], "max"), *to = make(archs[a], "max");
        unsigned count;
        const struct cpu_reg *reg = x86_regs(&from->cpu, &count);
        uint8_t buf[128], back[128];

        from->cpu.tcg.pc = 0x1234;
        from->cpu.tcg.hot[R_DI] = 0x55;
        x86_set_eflags(from, FLAG_DF | FLAG_ZF, ~0u);
        x86_seg_set_raw(from, S_FS, 3, 0x7000, 0x1fff, 0xc0f3);
        from->xmm[3].q[1] = 77;
        for (unsigned i = 0; i < count; i++) {
            g_assert_cmpint(reg[i].bits, <=, 1024);
            if (x86_get_reg(&from->cpu, i, buf))
                g_assert_true(x86_set_reg(&to->cpu, i, buf));
        }
        for (unsigned i = 0; i < count; i++) {
            if (!x86_get_reg(&from->cpu, i, buf))
                continue;
            g_assert_true(x86_get_reg(&to->cpu, i, back));
            g_test_message("%s %s", archs[a], reg[i].name);
            g_assert_cmpmem(back, reg[i].bits / 8, buf, reg[i].bits / 8);
        }
        g_assert_cmphex(to->seg_base[S_FS], ==, 0x7000);
        cpu_free(&from->cpu);
        cpu_free(&to->cpu);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/x86/cpuid/models", models);
    g_test_add_func("/x86/cpuid/all", all_models);
    g_test_add_func("/x86/cpuid/options", options);
    g_test_add_func("/x86/cpuid/translated", translated);
    g_test_add_func("/x86/cpuid/topology", topology);
    g_test_add_func("/x86/cpuid/width", physical_width);
    g_test_add_func("/x86/msr/values", msrs);
    g_test_add_func("/x86/msr/systems", msrs_of_systems);
    g_test_add_func("/x86/cr/checks", control_registers);
    g_test_add_func("/x86/smm/32", management_mode_32);
    g_test_add_func("/x86/smm/64", management_mode_64);
    g_test_add_func("/x86/regs/saved", registers);
    return g_test_run();
}
