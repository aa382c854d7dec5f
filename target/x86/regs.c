/*
 * Registers by row: for gdb, the monitor and saved state. gdb's numbers are those of its i386 and
 * amd64 targets; in real mode its pc is the linear address, so that code is found and breakpoints
 * are met there.
 */
#include <inttypes.h>
#include "feature.h"
#include "fpstate.h"
#include "smm.h"
#include "sys.h"

enum row_kind {
    ROW_FIELD,  /* bytes at `at` */
    ROW_NARROW, /* a field of fewer bytes than gdb shows: 2 */
    ROW_EFLAGS,
    ROW_MXCSR,
    ROW_ST,  /* x87 register `at` of the stack */
    ROW_YMM, /* upper half of one, at `at`; gdb sees it with AVX, it is saved among the hidden rows
              */
    ROW_CR,  /* register number `at` */
    ROW_EFER,
    ROW_HIDDEN, /* field, saved only */
};

struct row {
    enum row_kind kind;
    uint32_t at;
};

struct rows {
    GArray *reg; /* struct cpu_reg */
    GArray *row; /* struct row */
    unsigned next;
};

static void add(struct rows *r, enum row_kind kind, uint32_t at, const char *name, unsigned bits,
                const char *group, const char *type)
{
    struct cpu_reg reg = {
        .name = name,
        .bits = bits,
        .number = kind == ROW_HIDDEN ? CPU_REG_NONE : r->next++,
        .group = group,
        .gdb_type = type,
        .derived = kind == ROW_CR || kind == ROW_EFER || kind == ROW_ST || kind == ROW_YMM,
    };
    struct row row = { kind, at };

    g_array_append_val(r->reg, reg);
    g_array_append_val(r->row, row);
}

#define ROW_BYTES      128 /* at most */
#define AT(field)      offsetof(struct x86_cpu, field)
#define SIZE_OF(field) sizeof(((struct x86_cpu *)NULL)->field)

static void add_general(struct rows *r, bool wide)
{
    static const char *const names64[] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
                                           "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
    static const uint8_t order64[] = { R_AX, R_BX, R_CX, R_DX, R_SI, R_DI, R_BP, R_SP,
                                       R_8,  R_9,  R_10, R_11, R_12, R_13, R_14, R_15 };
    static const char *const names32[] = { "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi" };
    unsigned n = wide ? 16 : 8, bits = wide ? 64 : 32;

    for (unsigned k = 0; k < n; k++) {
        unsigned reg = wide ? order64[k] : k;
        const char *name = wide ? names64[k] : names32[k];
        add(r, ROW_FIELD, AT(cpu.tcg.hot) + 8 * reg, name, bits, "general",
            reg == R_SP || reg == R_BP ? "data_ptr"
            : wide                     ? "int64"
                                       : "int32");
    }
    add(r, ROW_FIELD, AT(cpu.tcg.pc), wide ? "rip" : "eip", bits, "general", "code_ptr");
    add(r, ROW_EFLAGS, 0, "eflags", 32, "general", "i386_eflags");
}

static void add_segments(struct rows *r)
{
    static const struct {
        const char *name;
        uint8_t nr;
    } segs[] = { { "cs", S_CS }, { "ss", S_SS }, { "ds", S_DS },
                 { "es", S_ES }, { "fs", S_FS }, { "gs", S_GS } };

    for (unsigned k = 0; k < ARRAY_LEN(segs); k++)
        add(r, ROW_NARROW, AT(seg[0].selector) + sizeof(struct x86_seg) * segs[k].nr, segs[k].name,
            32, "general", "int32");
}

static void add_x87(struct rows *r)
{
    static const char *const st[] = { "st0", "st1", "st2", "st3", "st4", "st5", "st6", "st7" };

    for (unsigned k = 0; k < 8; k++)
        add(r, ROW_ST, k, st[k], 80, "general", "i387_ext");
    add(r, ROW_NARROW, AT(fpu_cw), "fctrl", 32, "general", "int");
    add(r, ROW_NARROW, AT(fpu_sw), "fstat", 32, "general", "int");
    add(r, ROW_NARROW, AT(fpu_tw), "ftag", 32, "general", "int");
    add(r, ROW_NARROW, AT(fpu_cs), "fiseg", 32, "general", "int");
    add(r, ROW_FIELD, AT(fpu_ip), "fioff", 32, "general", "int");
    add(r, ROW_NARROW, AT(fpu_ds), "foseg", 32, "general", "int");
    add(r, ROW_FIELD, AT(fpu_dp), "fooff", 32, "general", "int");
    add(r, ROW_NARROW, AT(fpu_op), "fop", 32, "general", "int");
}

static void add_vectors(struct rows *r, bool wide)
{
    static const char *const xmm[] = { "xmm0",  "xmm1",  "xmm2",  "xmm3", "xmm4",  "xmm5",
                                       "xmm6",  "xmm7",  "xmm8",  "xmm9", "xmm10", "xmm11",
                                       "xmm12", "xmm13", "xmm14", "xmm15" };
    static const char *const ymmh[] = { "ymm0h",  "ymm1h",  "ymm2h",  "ymm3h", "ymm4h",  "ymm5h",
                                        "ymm6h",  "ymm7h",  "ymm8h",  "ymm9h", "ymm10h", "ymm11h",
                                        "ymm12h", "ymm13h", "ymm14h", "ymm15h" };
    unsigned n = wide ? 16 : 8;

    for (unsigned k = 0; k < n; k++)
        add(r, ROW_FIELD, AT(xmm) + 16 * k, xmm[k], 128, "sse", "vec128");
    add(r, ROW_MXCSR, 0, "mxcsr", 32, "sse", "i386_mxcsr");
    for (unsigned k = 0; k < n; k++)
        add(r, ROW_YMM, AT(ymmh) + 16 * k, ymmh[k], 128, "avx", "uint128");
}

static void add_system(struct rows *r, bool wide)
{
    static const struct {
        const char *name;
        uint8_t nr;
    } crs[] = { { "cr0", 0 }, { "cr2", 2 }, { "cr3", 3 }, { "cr4", 4 }, { "cr8", 8 } };
    unsigned bits = wide ? 64 : 32;

    if (wide) {
        add(r, ROW_FIELD, AT(seg_base[S_FS]), "fs_base", 64, "segments", "int");
        add(r, ROW_FIELD, AT(seg_base[S_GS]), "gs_base", 64, "segments", "int");
        add(r, ROW_FIELD, AT(kernel_gs_base), "k_gs_base", 64, "system", "int64");
    }
    for (unsigned k = 0; k < ARRAY_LEN(crs); k++)
        add(r, ROW_CR, crs[k].nr, crs[k].name, bits, "system", wide ? "int64" : "int32");
    add(r, ROW_EFER, 0, "efer", bits, "system", wide ? "int64" : "int32");
}

/* The x87 registers where they are: gdb's count from a top that is loaded behind them. */
static void add_physical_x87(struct rows *r)
{
    static const char *const fpr[] = { ".fpr0", ".fpr1", ".fpr2", ".fpr3",
                                       ".fpr4", ".fpr5", ".fpr6", ".fpr7" };

    for (unsigned k = 0; k < ARRAY_LEN(fpr); k++)
        add(r, ROW_HIDDEN, AT(fpr[k]), fpr[k], 80, "hidden", "i387_ext");
}

/* All that the CPU is besides, exact for saving; comes last, so it wins. */
/* What is longer than the 128 bytes that a row holds at most. */
static void add_pieces(struct rows *r, uint32_t at, unsigned size, const char *const *names)
{
    for (unsigned i = 0; i < size / ROW_BYTES; i++)
        add(r, ROW_HIDDEN, at + i * ROW_BYTES, names[i], 8 * ROW_BYTES, "hidden", "int");
}

static void add_hidden(struct rows *r)
{
    static const char *const ymmh[] = { ".ymmh0", ".ymmh8" };
    static const char *const zmm_high[] = { ".zmmh0", ".zmmh4", ".zmmh8", ".zmmh12" };
    static const char *const zmm_more[] = { ".zmm16", ".zmm18", ".zmm20", ".zmm22",
                                            ".zmm24", ".zmm26", ".zmm28", ".zmm30" };

#define HIDDEN(field) add(r, ROW_HIDDEN, AT(field), "." #field, 8 * SIZE_OF(field), "hidden", "int")
    HIDDEN(eflags);
    HIDDEN(seg_base);
    HIDDEN(seg_limit);
    HIDDEN(seg);
    HIDDEN(gdt);
    HIDDEN(idt);
    HIDDEN(ldt);
    HIDDEN(tr);
    HIDDEN(cr0);
    HIDDEN(cr2);
    HIDDEN(cr3);
    HIDDEN(cr4);
    HIDDEN(xcr0);
    HIDDEN(pdpte);
    HIDDEN(dr);
    HIDDEN(efer);
    HIDDEN(star);
    HIDDEN(lstar);
    HIDDEN(cstar);
    HIDDEN(sfmask);
    HIDDEN(kernel_gs_base);
    HIDDEN(tsc_aux);
    HIDDEN(pat);
    HIDDEN(sysenter_cs);
    HIDDEN(sysenter_esp);
    HIDDEN(sysenter_eip);
    HIDDEN(pkru);
    HIDDEN(fpu_ip);
    HIDDEN(fpu_dp);
    HIDDEN(smbase);
    HIDDEN(shadow);
    HIDDEN(shadow_pc);
    HIDDEN(in_smm);
    HIDDEN(nmi_blocked);
    HIDDEN(wait_sipi);
    HIDDEN(a20);
    HIDDEN(lines);
    HIDDEN(sipi_vector);
    HIDDEN(tsc_offset);
    HIDDEN(monitor_addr);
    HIDDEN(debug_pending);
    HIDDEN(cpu.halted);
    HIDDEN(kvm_event);
    HIDDEN(kvm_clock);
    HIDDEN(kvm_k);
#undef HIDDEN
    add_pieces(r, AT(ymmh), SIZE_OF(ymmh), ymmh);
    add_pieces(r, AT(kvm_zmm_high), SIZE_OF(kvm_zmm_high), zmm_high);
    add_pieces(r, AT(kvm_zmm_more), SIZE_OF(kvm_zmm_more), zmm_more);
    add_physical_x87(r);
}

/* MSRs one by one, as a row holds at most 128 bytes. */
static void add_msrs(struct rows *r)
{
    static const char *const mc[] = { ".mc0", ".mc8", ".mc16", ".mc24", ".mc32" };

    _Static_assert(8 * ARRAY_LEN(mc) == ARRAY_LEN(((struct x86_cpu *)NULL)->msr.mc), "all banks");
#define MSR(field) \
    add(r, ROW_HIDDEN, AT(msr.field), "." #field, 8 * SIZE_OF(msr.field), "hidden", "int")
    MSR(mtrr_def);
    MSR(mtrr_fix);
    MSR(mtrr_base);
    MSR(mtrr_mask);
    MSR(misc_enable);
    MSR(spec_ctrl);
    MSR(tsc_adjust);
    MSR(mcg_status);
    MSR(mcg_ctl);
    MSR(feature_control);
    MSR(debugctl);
    MSR(syscfg);
    MSR(hwcr);
    MSR(k8_top);
    MSR(k8_top2);
    MSR(kvm_wall_clock);
    MSR(kvm_system_time);
    MSR(kvm_async_pf);
    MSR(kvm_steal_time);
    MSR(kvm_eoi);
    MSR(kvm_poll);
    MSR(kvm_async_pf_int);
    MSR(hv_guest_os_id);
    MSR(hv_hypercall);
    MSR(hv_reference_tsc);
    MSR(hv_crash);
    MSR(hv_reenlightenment);
    MSR(hv_runtime);
    MSR(hv_assist_page);
    MSR(hv_scontrol);
    MSR(hv_siefp);
    MSR(hv_simp);
    MSR(hv_sint);
    MSR(hv_stimer);
#undef MSR
    for (unsigned k = 0; k < ARRAY_LEN(mc); k++)
        add(r, ROW_HIDDEN, AT(msr.mc[8 * k]), mc[k], 512, "hidden", "int");
}

static const struct rows *rows_of(const struct x86_cpu *c)
{
    static struct rows rows[2]; /* i386, x86_64; the same for all CPUs */
    static gsize ready[2];
    bool wide = strcmp(c->cpu.ops->arch, "i386");

    if (g_once_init_enter(&ready[wide])) {
        struct rows *r = &rows[wide];
        r->reg = g_array_new(false, false, sizeof(struct cpu_reg));
        r->row = g_array_new(false, false, sizeof(struct row));
        add_general(r, wide);
        add_segments(r);
        add_x87(r);
        add_vectors(r, wide);
        add_system(r, wide);
        add_hidden(r);
        add_msrs(r);
        g_once_init_leave(&ready[wide], 1);
    }
    return &rows[wide];
}

const struct cpu_reg *x86_regs(struct cpu *cpu, unsigned *count)
{
    const struct rows *r = rows_of(x86_of(cpu));

    *count = r->reg->len;
    return (const struct cpu_reg *)r->reg->data;
}

/* Registers are physical, gdb's count from the top of the stack. */
static struct x86_f80 *st(struct x86_cpu *c, unsigned n)
{
    return &c->fpr[((c->fpu_sw >> 11) + n) & 7];
}

bool x86_get_reg(struct cpu *cpu, unsigned i, void *buf)
{
    struct x86_cpu *c = x86_of(cpu);
    const struct rows *r = rows_of(c);
    const struct row *row = &g_array_index(r->row, struct row, i);
    const struct cpu_reg *reg = &g_array_index(r->reg, struct cpu_reg, i);
    unsigned bytes = reg->bits / 8;

    if (row->kind == ROW_YMM && !x86_have(c, FEAT_AVX))
        return false;
    switch (row->kind) {
    case ROW_NARROW: stl_le(buf, *(uint16_t *)((char *)c + row->at)); break;
    case ROW_EFLAGS: stl_le(buf, x86_eflags(c)); break;
    case ROW_ST: memcpy(buf, st(c, row->at), 10); break;
    case ROW_MXCSR: stl_le(buf, x86_mxcsr(c)); break;
    case ROW_CR: stn_le(buf, bytes, x86_read_cr(c, row->at)); break;
    case ROW_EFER: stn_le(buf, bytes, c->efer); break;
    default: memcpy(buf, (char *)c + row->at, bytes); break;
    }
    return true;
}

/* gdb sets control registers without the checks of MOV; what cannot be is left out. */
static void set_cr(struct x86_cpu *c, unsigned nr, uint64_t val)
{
    switch (nr) {
    case 0: x86_set_cr0(c, val); break;
    case 2: c->cr2 = val; break;
    case 3:
        c->cr3 = val;
        x86_mmu_switch(c, false);
        break;
    case 4: x86_set_cr4(c, val); break;
    default: x86_set_cr8(c, val & 15); break;
    }
}

/* A segment register that is set from outside: real mode's way, else the selector alone. */
static void set_narrow(struct x86_cpu *c, uint32_t at, uint16_t val)
{
    uint32_t first = AT(seg[0].selector);

    if (at >= first && at < first + S_COUNT * sizeof(struct x86_seg) && !x86_protected(c))
        x86_seg_set_real(c, (at - first) / sizeof(struct x86_seg), val);
    else
        *(uint16_t *)((char *)c + at) = val;
    cpu_update_flags(&c->cpu);
}

static bool is_switch(uint32_t at)
{
    return at == AT(shadow) || at == AT(in_smm) || at == AT(nmi_blocked) || at == AT(wait_sipi) ||
           at == AT(a20);
}

/* Whatever follows from a field follows here as well. */
static bool set_hidden(struct x86_cpu *c, uint32_t at, const void *buf, unsigned bytes)
{
    if (is_switch(at) && *(const uint8_t *)buf > 1)
        return false;
    memcpy((char *)c + at, buf, bytes);
    if (at == AT(in_smm))
        x86_smm_window(c);
    if (at == AT(cr3) || at == AT(efer) || at == AT(a20) || at == AT(pdpte))
        x86_mmu_changed(c);
    cpu_update_flags(&c->cpu);
    return true;
}

bool x86_set_reg(struct cpu *cpu, unsigned i, const void *buf)
{
    struct x86_cpu *c = x86_of(cpu);
    const struct rows *r = rows_of(c);
    const struct row *row = &g_array_index(r->row, struct row, i);
    const struct cpu_reg *reg = &g_array_index(r->reg, struct cpu_reg, i);
    unsigned bytes = reg->bits / 8;

    if (row->kind == ROW_YMM && !x86_have(c, FEAT_AVX))
        return false;
    switch (row->kind) {
    case ROW_NARROW: set_narrow(c, row->at, lduw_le(buf)); break;
    case ROW_EFLAGS:
        x86_set_eflags(c, ldl_le(buf),
                       FLAGS_ARITH | FLAG_DF | FLAG_TF | FLAG_IF | FLAG_IOPL | FLAG_NT | FLAG_RF |
                           FLAG_AC | FLAG_ID);
        break;
    case ROW_ST: memcpy(st(c, row->at), buf, 10); break;
    case ROW_MXCSR: x86_set_mxcsr(c, ldl_le(buf) & MXCSR_MASK); break;
    case ROW_CR: set_cr(c, row->at, ldn_le(buf, bytes)); break;
    case ROW_EFER: break; /* follows from CR0 and guest code; saved among the hidden rows */
    case ROW_HIDDEN: return set_hidden(c, row->at, buf, bytes);
    default:
        memcpy((char *)c + row->at, buf, bytes);
        if (row->at < AT(cpu.tcg.hot) + sizeof(cpu->tcg.hot) && bytes == 4)
            memset((char *)c + row->at + 4, 0, 4);
        break;
    }
    return true;
}

/* ---- info registers ---- */

/* "CS =0008 0000000000000000 ffffffff 00af9b00 DPL=0 CS64 [-RA]" */
static void dump_segment(const struct x86_cpu *c, GString *out, const char *name, uint16_t sel,
                         uint64_t base, uint32_t limit, unsigned attr, bool system)
{
    static const char *const sys_names[2][16] = {
        { "Reserved", "TSS16-avl", "LDT", "TSS16-busy", "CallGate16", "TaskGate", "IntGate16",
          "TrapGate16", "Reserved", "TSS32-avl", "Reserved", "TSS32-busy", "CallGate32", "Reserved",
          "IntGate32", "TrapGate32" },
        { "<hiword>", "Reserved", "LDT", "Reserved", "Reserved", "Reserved", "Reserved", "Reserved",
          "Reserved", "TSS64-avl", "Reserved", "TSS64-busy", "CallGate64", "Reserved", "IntGate64",
          "TrapGate64" },
    };
    uint32_t flags = (attr & 0xff) << 8 | (attr & 0xf000) << 8;

    g_string_append_printf(out, "%-3s=%04x %0*" PRIx64 " %08x %08x", name, sel, x86_lma(c) ? 16 : 8,
                           base, limit, flags);
    if (!(c->cr0 & CR0_PE) || !(attr & ATTR_P)) {
        g_string_append_c(out, '\n');
        return;
    }
    g_string_append_printf(out, " DPL=%u ", attr_dpl(attr));
    if (system || !(attr & ATTR_S))
        g_string_append(out, sys_names[x86_lma(c)][attr & ATTR_TYPE]);
    else if (attr & ATTR_CODE)
        g_string_append_printf(out, "%s [%c%c%c]",
                               attr & ATTR_L    ? "CS64"
                               : attr & ATTR_DB ? "CS32"
                                                : "CS16",
                               attr & ATTR_DOWN ? 'C' : '-', attr & ATTR_WRITABLE ? 'R' : '-',
                               attr & ATTR_ACCESSED ? 'A' : '-');
    else
        g_string_append_printf(out, "%s [%c%c%c]", attr & ATTR_DB || x86_lma(c) ? "DS  " : "DS16",
                               attr & ATTR_DOWN ? 'E' : '-', attr & ATTR_WRITABLE ? 'W' : '-',
                               attr & ATTR_ACCESSED ? 'A' : '-');
    g_string_append_c(out, '\n');
}

static void dump_general(const struct x86_cpu *c, GString *out, bool wide)
{
    static const char *const names[] = { "AX", "BX", "CX", "DX", "SI", "DI", "BP", "SP" };
    static const uint8_t order[] = { R_AX, R_BX, R_CX, R_DX, R_SI, R_DI, R_BP, R_SP };
    const uint64_t *hot = c->cpu.tcg.hot;

    for (unsigned k = 0; k < 8; k++)
        g_string_append_printf(out, "%c%s=%0*" PRIx64 "%c", wide ? 'R' : 'E', names[k],
                               wide ? 16 : 8, hot[order[k]], k % 4 == 3 ? '\n' : ' ');
    for (unsigned k = 8; wide && k < 16; k++)
        g_string_append_printf(out, "R%-2u=%016" PRIx64 "%c", k, hot[k], k % 4 == 3 ? '\n' : ' ');
}

static void dump_flags(const struct x86_cpu *c, GString *out, bool wide)
{
    static const struct {
        uint16_t bit;
        char name;
    } bits[] = { { FLAG_DF, 'D' }, { FLAG_OF, 'O' }, { FLAG_SF, 'S' }, { FLAG_ZF, 'Z' },
                 { FLAG_AF, 'A' }, { FLAG_PF, 'P' }, { FLAG_CF, 'C' } };
    uint32_t f = x86_eflags(c);

    g_string_append_printf(out, "%cIP=%0*" PRIx64 " %cFL=%08x [", wide ? 'R' : 'E', wide ? 16 : 8,
                           x86_eip(c), wide ? 'R' : 'E', f);
    for (unsigned k = 0; k < ARRAY_LEN(bits); k++)
        g_string_append_c(out, f & bits[k].bit ? bits[k].name : '-');
    g_string_append_printf(out, "] CPL=%u II=%u A20=%u SMM=%u HLT=%u\n", x86_cpl(c), c->shadow,
                           c->a20, c->in_smm, c->cpu.halted != 0);
}

static void dump_system(const struct x86_cpu *c, GString *out)
{
    static const char *const names[] = { "ES", "CS", "SS", "DS", "FS", "GS" };
    int width = x86_lma(c) ? 16 : 8;

    for (unsigned k = 0; k < S_COUNT; k++)
        dump_segment(c, out, names[k], c->seg[k].selector, c->seg_base[k], c->seg[k].limit,
                     c->seg[k].attr, false);
    dump_segment(c, out, "LDT", c->ldt.selector, c->ldt.base, c->ldt.limit, c->ldt.attr, true);
    dump_segment(c, out, "TR", c->tr.selector, c->tr.base, c->tr.limit, c->tr.attr, true);
    g_string_append_printf(out, "GDT=     %0*" PRIx64 " %08x\n", width, c->gdt.base, c->gdt.limit);
    g_string_append_printf(out, "IDT=     %0*" PRIx64 " %08x\n", width, c->idt.base, c->idt.limit);
    g_string_append_printf(out, "CR0=%08x CR2=%0*" PRIx64 " CR3=%0*" PRIx64 " CR4=%08x\n",
                           (uint32_t)c->cr0, width, c->cr2, width, c->cr3, (uint32_t)c->cr4);
    for (unsigned k = 0; k < 4; k++)
        g_string_append_printf(out, "DR%u=%016" PRIx64 "%c", k, c->dr[k], k == 3 ? '\n' : ' ');
    g_string_append_printf(out, "DR6=%016" PRIx64 " DR7=%016" PRIx64 "\n", c->dr[6], c->dr[7]);
    g_string_append_printf(out, "EFER=%016" PRIx64 "\n", c->efer);
}

static void dump_float(struct x86_cpu *c, GString *out, bool wide)
{
    unsigned top = c->fpu_sw >> 11 & 7, empty = 0;

    for (unsigned k = 0; k < 8; k++)
        if ((c->fpu_tw >> (2 * k) & 3) != 3)
            empty |= 1u << k;
    g_string_append_printf(out, "FCW=%04x FSW=%04x [ST=%u] FTW=%02x MXCSR=%08x\n", c->fpu_cw,
                           c->fpu_sw, top, empty, x86_mxcsr(c));
    for (unsigned k = 0; k < 8; k++)
        g_string_append_printf(out, "FPR%u=%016" PRIx64 " %04x%c", k, c->fpr[k].lo, c->fpr[k].hi,
                               k % 2 ? '\n' : ' ');
    for (unsigned k = 0; k < (wide ? 16u : 8u); k++)
        g_string_append_printf(out, "XMM%02u=%016" PRIx64 " %016" PRIx64 "%c", k, c->xmm[k].q[1],
                               c->xmm[k].q[0], k % 2 ? '\n' : ' ');
}

void x86_dump(struct cpu *cpu, GString *out)
{
    struct x86_cpu *c = x86_of(cpu);
    bool wide = strcmp(cpu->ops->arch, "i386") && x86_code64(c);

    dump_general(c, out, wide);
    dump_flags(c, out, wide);
    dump_system(c, out);
    dump_float(c, out, wide);
}
