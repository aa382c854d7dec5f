/*
 * The disassembler on words whose meaning the RISC-V manuals give; lengths, reserved words and
 * extensions that a CPU does not have.
 */
#include <string.h>
#include <target/cpu.h>

static struct cpu *make_cpu(const char *arch, const char *spec)
{
    GError *err = NULL;
    struct cpu *cpu = cpu_create(arch, spec, &err);

    g_assert_no_error(err);
    return cpu;
}

/* Little-endian bytes of @insn, disassembled at 0x1000; "" for no instruction. */
static char *text_of(const struct cpu *cpu, uint32_t insn, unsigned *len)
{
    GString *s = g_string_new("");
    uint8_t bytes[4];

    for (unsigned i = 0; i < 4; i++)
        bytes[i] = insn >> i * 8;
    *len = cpu->ops->disas(cpu, 0x1000, bytes, 4, s);
    return g_string_free(s, FALSE);
}

static const struct {
    uint32_t insn;
    unsigned len;
    const char *text;
} words[] = {
    { 0x00000297, 4, "auipc           t0,0x0" },
    { 0xfffff537, 4, "lui             a0,0xfffff" },
    { 0x02828613, 4, "addi            a2,t0,40" },
    { 0xf1402573, 4, "csrrs           a0,mhartid,zero" },
    { 0x30047073, 4, "csrrci          zero,mstatus,8" },
    { 0x7ff01073, 4, "csrrw           zero,0x7ff,zero" },
    { 0x0202b583, 4, "ld              a1,32(t0)" },
    { 0xfe813c23, 4, "sd              s0,-8(sp)" },
    { 0x00028067, 4, "jalr            zero,0(t0)" },
    { 0xff5ff06f, 4, "jal             zero,0xff4" },
    { 0x04031663, 4, "bne             t1,zero,0x104c" },
    { 0x0f50000f, 4, "fence           iorw,ow" },
    { 0x0ff0000f, 4, "fence           iorw,iorw" },
    { 0x00000073, 4, "ecall" },
    { 0x0cf727af, 4, "amoswap.w.aq    a5,a5,(a4)" },
    { 0x1005252f, 4, "lr.w            a0,(a0)" },
    { 0x1eb5352f, 4, "sc.d.aqrl       a0,a1,(a0)" },
    { 0x02b50533, 4, "mul             a0,a0,a1" },
    { 0x00c5f553, 4, "fadd.s          fa0,fa1,fa2" },
    { 0x00852507, 4, "flw             fa0,8(a0)" },
    { 0xc0051553, 4, "fcvt.w.s        a0,fa0,rtz" },
    { 0xd0057553, 4, "fcvt.s.w        fa0,a0" },
    { 0xe0050553, 4, "fmv.x.w         a0,fa0" },
    { 0xa2b52553, 4, "feq.d           a0,fa0,fa1" },
    { 0x4505, 2, "c.li            a0,zero,1" },
    { 0x8082, 2, "c.jr            zero,0(ra)" },
    { 0x60a2, 2, "c.ldsp          ra,8(sp)" },
    { 0xbfcd, 2, "c.j             zero,0xff2" },
    { 0x0000, 0, "" },     /* defined to be illegal */
    { 0xffffffff, 0, "" }, /* likewise */
};

static void test_words(void)
{
    struct cpu *cpu = make_cpu("riscv64", "rv64");

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        unsigned len;
        char *text = text_of(cpu, words[i].insn, &len);

        g_assert_cmpstr(text, ==, words[i].text);
        g_assert_cmpuint(len, ==, words[i].len);
        g_free(text);
    }
    cpu_free(cpu);
}

static void test_lengths(void)
{
    struct cpu *cpu = make_cpu("riscv64", "rv64");
    static const uint8_t bytes[] = { 0x97, 0x02, 0x00 };
    GString *s = g_string_new("");

    for (size_t len = 0; len <= sizeof(bytes); len++)
        g_assert_cmpuint(cpu->ops->disas(cpu, 0, bytes, len, s), ==, 0);
    g_assert_cmpstr(s->str, ==, "");
    g_string_free(s, TRUE);
    cpu_free(cpu);
}

static void test_extensions(void)
{
    struct cpu *with = make_cpu("riscv64", "rv64,zba=on"),
               *without = make_cpu("riscv64", "rv64,zba=off");
    struct cpu *narrow = make_cpu("riscv32", "rv32");
    unsigned len;

    g_free(text_of(with, 0x20b52533, &len)); /* sh1add */
    g_assert_cmpuint(len, ==, 4);
    g_free(text_of(without, 0x20b52533, &len));
    g_assert_cmpuint(len, ==, 0);
    g_free(text_of(narrow, 0x0202b583, &len)); /* ld */
    g_assert_cmpuint(len, ==, 0);
    cpu_free(with);
    cpu_free(without);
    cpu_free(narrow);
}

/* Whatever comes in, it prints one line without control characters, or nothing. */
static void test_random(void)
{
    struct cpu *cpu = make_cpu("riscv64", "max");
    guint32 seed = g_test_rand_int();
    GRand *rand = g_rand_new_with_seed(seed);

    g_test_message("seed %u", seed);
    for (int i = 0; i < 200000; i++) {
        unsigned len;
        char *text = text_of(cpu, g_rand_int(rand), &len);

        g_assert_true(len == 0 || len == 2 || len == 4);
        g_assert_cmpint(*text != 0, ==, len != 0);
        for (const char *p = text; *p; p++)
            g_assert_true(g_ascii_isprint(*p));
        g_free(text);
    }
    g_rand_free(rand);
    cpu_free(cpu);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/riscv-disas/words", test_words);
    g_test_add_func("/riscv-disas/lengths", test_lengths);
    g_test_add_func("/riscv-disas/extensions", test_extensions);
    g_test_add_func("/riscv-disas/random", test_random);
    return g_test_run();
}
