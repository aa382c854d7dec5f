/*
 * Every exception in every mode: where the CPU goes, the frame (error code, address, CS, flags, old
 * stack), CR2 and DR6, what EFLAGS becomes, and that nothing else changes. What raises them:
 *
 *     vector   kind         causes that are tested                           where
 *     0  #DE   fault        DIV, IDIV by zero and overflow, AAM 0            test-x86-forms, -host
 *     1  #DB   fault, trap  fetch, data, step, ICEBP                         test-x86-exc, x86cpu.t
 *     2  NMI   interrupt    the line; blocked until IRET                     test-x86-exc
 *     3  #BP   trap         INT3                                             here
 *     4  #OF   trap         INTO                                             here
 *     5  #BR   fault        BOUND                                            test-x86-forms
 *     6  #UD   fault        UD0-2, LOCK, features, modes                     test-x86-decode,
 * -forms 7  #NM   fault        CR0.TS, EM                                       test-x86-fpstate 8
 * #DF   abort        two contributory ones; then shutdown             test-x86-exc 10 #TS   fault
 * bad TSS, its stacks and segments                 test-x86-exc, -task 11 #NP   fault        gates,
 * segments                                  test-x86-exc, -seg 12 #SS   fault        limits,
 * stacks, SS not present                   test-x86-seg, -forms 13 #GP   fault        limits,
 * types, privilege, MSRs, reserved bits    -seg, -cpuid, -forms 14 #PF   fault        not present,
 * write, user, reserved, fetch, keys  test-x86-mmu, x86cpu.t 16 #MF   fault        waiting x87
 * instructions                         test-x86-forms, -host 17 #AC   fault        - 18 #MC   abort
 * - 19 #XM   fault        unmasked exceptions of SSE and AVX               test-x86-forms, -host
 */
#include "target/x86/debug.h"
#include "x86sys.h"

enum mode { REAL, V86, PROTECTED, PROTECTED_USER, LONG, LONG_USER, COMPAT, MODES };
static const char *const mode_names[MODES] = {
    "real", "v86", "protected", "protected-user", "long", "long-user", "compatibility",
};

static const struct {
    uint8_t vector;
    bool has_error, trap;
} rows[] = {
    { EXC_DE, false, false }, { EXC_DB, false, false }, { EXC_BP, false, true },
    { EXC_OF, false, true },  { EXC_BR, false, false }, { EXC_UD, false, false },
    { EXC_NM, false, false }, { EXC_DF, true, false },  { EXC_TS, true, false },
    { EXC_NP, true, false },  { EXC_SS, true, false },  { EXC_GP, true, false },
    { EXC_PF, true, false },  { EXC_MF, false, false }, { EXC_AC, true, false },
    { EXC_MC, false, false }, { EXC_XM, false, false },
};

#define SET_FLAGS (FLAG_IF | FLAG_CF | FLAG_ZF | FLAG_DF | FLAG_NT | FLAG_AC)

/* The state that an exception interrupts. */
struct before {
    uint64_t ip, sp, flags;
    uint16_t sel[S_COUNT];
};

static void begin(struct x86sys *s, enum mode mode)
{
    static const uint16_t sels[S_COUNT] = { 0x1000, 0x3000, 0x900, 0x4000, 0x5000, 0x6000 };

    x86sys_new(s, mode < LONG ? "i386" : "x86_64", "max");
    if (mode == REAL) {
        for (unsigned v = 0; v < 256; v++)
            x86sys_put(s, v * 4, 4, (X86SYS_HANDLER >> 4) << 16 | v * 16);
    } else if (mode < LONG) {
        x86sys_protected(s);
    } else {
        x86sys_long_mode(s);
    }
    for (unsigned v = 0; v < 32 && mode != REAL; v++) /* INT3 and INTO are for all */
        x86sys_gate(s, v, SEL_CODE0, 14, 3, 0);
    if (mode == PROTECTED_USER || mode == LONG_USER || mode == COMPAT)
        x86sys_user(s);
    if (mode == COMPAT)
        x86_seg_set_raw(s->c, S_CS, SEL_CODE3, 0, UINT32_MAX, 0xc0fb);
    x86_set_eflags(s->c, SET_FLAGS | (mode == V86 ? FLAG_VM | FLAG_IOPL : 0), ~0u);
    if (mode == V86 || mode == REAL) {
        for (unsigned k = 0; k < S_COUNT; k++)
            x86_seg_set_real(s->c, k, sels[k]);
        s->c->cpu.tcg.hot[R_SP] = 0x200;
    }
    x86_set_pc(s->c, mode == V86 || mode == REAL ? 0x77 : 0x30000);
    for (unsigned r = 0; r < 8; r++)
        if (r != R_SP)
            s->c->cpu.tcg.hot[r] = 0x1111 * r;
}

static void raise_it(struct x86sys *s, unsigned vector, uint32_t err, bool trap, uint64_t ip)
{
    struct cpu_fault f = { FAULT_PAGE, ACCESS_WRITE, 0x7654321, err };

    if (trap)
        (void)TRY(s, x86_software_interrupt(s->c, vector, EVENT_SOFT_EXC, ip + 1));
    else if (vector == EXC_PF)
        (void)TRY(s, cpu_raise_fault(&s->c->cpu, &f));
    else
        (void)TRY(s, x86_raise_err(s->c, vector, err));
}

/* Words of 16 bits in real mode. */
static uint64_t word(struct x86sys *s, enum mode mode, unsigned n)
{
    if (mode == REAL)
        return x86sys_get(s, 0x9000 + s->c->cpu.tcg.hot[R_SP] + 2 * n, 2);
    return x86sys_frame(s, n);
}

static void check_frame(struct x86sys *s, enum mode mode, unsigned row, uint32_t err,
                        const struct before *was)
{
    uint64_t flags = was->flags;
    bool inner = mode == V86 || mode == PROTECTED_USER || mode == LONG_USER || mode == COMPAT;
    unsigned n = 0;

    if (rows[row].has_error && mode != REAL)
        g_assert_cmphex(word(s, mode, n++), ==, err);
    g_assert_cmphex(word(s, mode, n++), ==, was->ip + rows[row].trap);
    g_assert_cmphex(word(s, mode, n++) & 0xffff, ==, was->sel[S_CS]);
    /* Faults set RF in what they push, so that breakpoints on the instruction are not met twice. */
    if (!rows[row].trap && rows[row].vector != EXC_DB && rows[row].vector != EXC_DF)
        flags |= FLAG_RF;
    g_assert_cmphex(word(s, mode, n++), ==, mode == REAL ? flags & 0xffff : flags);
    if (inner || mode >= LONG) {
        g_assert_cmphex(word(s, mode, n++), ==, was->sp);
        g_assert_cmphex(word(s, mode, n++) & 0xffff, ==, was->sel[S_SS]);
    }
    for (unsigned k = 0; mode == V86 && k < 4; k++) {
        static const uint8_t order[] = { S_ES, S_DS, S_FS, S_GS };
        g_assert_cmphex(word(s, mode, n++) & 0xffff, ==, was->sel[order[k]]);
        g_assert_cmphex(s->c->seg[order[k]].selector, ==, 0);
    }
}

static void check_state(struct x86sys *s, enum mode mode, unsigned row)
{
    uint64_t cleared = FLAG_IF | FLAG_TF | FLAG_RF | FLAG_VM | FLAG_NT, flags = x86_eflags(s->c);

    g_assert_cmpint(x86sys_vector(s), ==, rows[row].vector);
    g_assert_cmpint(x86_cpl(s->c), ==, 0);
    if (mode == REAL)
        cleared = FLAG_IF | FLAG_TF | FLAG_RF | FLAG_AC;
    g_assert_cmphex(flags & cleared, ==, 0);
    g_assert_cmphex(flags & (FLAG_CF | FLAG_ZF | FLAG_DF), ==, FLAG_CF | FLAG_ZF | FLAG_DF);
    g_assert_cmphex(s->c->cr2, ==, rows[row].vector == EXC_PF ? 0x7654321 : 0);
    for (unsigned r = 0; r < 8; r++)
        if (r != R_SP)
            g_assert_cmphex(s->c->cpu.tcg.hot[r], ==, 0x1111 * r);
}

static void back(struct x86sys *s, enum mode mode, unsigned row, const struct before *was)
{
    s->c->cpu.tcg.hot[R_SP] += rows[row].has_error && mode != REAL ? mode < LONG ? 4 : 8 : 0;
    g_assert_true(TRY(s, x86_iret(s->c, mode == REAL ? 1 : mode < LONG ? 2 : 3, 0)));
    g_assert_cmphex(x86_eip(s->c), ==, was->ip + rows[row].trap);
    g_assert_cmphex(s->c->cpu.tcg.hot[R_SP], ==, was->sp);
    g_assert_cmphex((x86_eflags(s->c) ^ was->flags) & ~(uint64_t)FLAG_RF &
                        (mode == REAL ? 0xffff : UINT32_MAX),
                    ==, 0);
    g_assert_cmphex(s->c->seg[S_CS].selector, ==, was->sel[S_CS]);
    g_assert_cmphex(s->c->seg[S_SS].selector, ==, was->sel[S_SS]);
}

static void in_mode(const void *opaque)
{
    enum mode mode = GPOINTER_TO_UINT(opaque);

    for (unsigned row = 0; row < ARRAY_LEN(rows); row++) {
        uint32_t err = rows[row].vector == EXC_PF ? 6 : rows[row].vector == EXC_DF ? 0 : 0x48;
        struct x86sys s;
        struct before was;

        g_test_message("%s, vector %u", mode_names[mode], rows[row].vector);
        begin(&s, mode);
        was = (struct before){ .ip = x86_eip(s.c),
                               .sp = s.c->cpu.tcg.hot[R_SP],
                               .flags = x86_eflags(s.c) };
        for (unsigned k = 0; k < S_COUNT; k++)
            was.sel[k] = s.c->seg[k].selector;
        raise_it(&s, rows[row].vector, err, rows[row].trap, was.ip);
        check_state(&s, mode, row);
        check_frame(&s, mode, row, err, &was);
        back(&s, mode, row, &was);
        x86sys_free(&s);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned m = 0; m < MODES; m++) {
        g_autofree char *path = g_strdup_printf("/x86/vectors/%s", mode_names[m]);
        g_test_add_data_func(path, GUINT_TO_POINTER(m), in_mode);
    }
    return g_test_run();
}
