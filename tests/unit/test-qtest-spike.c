/* HTIF of the board spike, and ELF files that say where its words are. */
#include <elf.h>
#include <glib.h>
#include <glib/gstdio.h>
#include "qclient.h"

#define FROMHOST        0x1000000u
#define TOHOST          0x1000008u
#define RAM             0x80000000u
#define CONSOLE(cmd, c) (UINT64_C(1) << 56 | (uint64_t)(cmd) << 48 | (c))

/* A character takes a while through the socket. */
static void await_answer(struct qclient *q)
{
    for (int i = 0; i < 10000 && !qc_readq(q, FROMHOST); i++)
        g_usleep(1000);
}

static void test_console(void)
{
    struct qclient *q = qc_start("-machine spike -arch riscv64");
    char *state;

    qc_writeq(q, TOHOST, CONSOLE(1, 'A'));
    qc_serial_expect(q, "A");
    g_assert_cmphex(qc_readq(q, TOHOST), ==, 0);
    g_assert_cmphex(qc_readq(q, FROMHOST), ==, CONSOLE(1, 0x100 | 'A'));
    qc_writeq(q, FROMHOST, 0);
    /* halves, low first; an odd character is no exit */
    qc_writel(q, TOHOST, 'a');
    qc_writel(q, TOHOST + 4, 0x01010000);
    qc_serial_expect(q, "a");
    qc_writeq(q, FROMHOST, 0);

    qc_writeq(q, TOHOST, CONSOLE(0, 0));
    g_assert_cmphex(qc_readq(q, FROMHOST), ==, 0);
    state = qc_save(q);
    qc_serial_send(q, "xy", 2);
    await_answer(q);
    g_assert_cmphex(qc_readq(q, FROMHOST), ==, CONSOLE(0, 0x100 | 'x'));
    qc_load(q, state);
    g_free(state);
    qc_writel(q, FROMHOST, 0);
    await_answer(q);
    g_assert_cmphex(qc_readl(q, FROMHOST), ==, 0x100 | 'y');
    qc_stop(q);
}

static void test_calls(void)
{
    struct qclient *q = qc_start("-machine spike -arch riscv32");
    const uint64_t call[] = { 64, 1, RAM + 0x3000, 5 }, other[] = { 1000, 0, 0, 0 };

    qc_memwrite(q, RAM + 0x2000, call, sizeof(call));
    qc_memwrite(q, RAM + 0x3000, "hello", 5);
    qc_writeq(q, TOHOST, RAM + 0x2000);
    qc_serial_expect(q, "hello");
    g_assert_cmphex(qc_readq(q, FROMHOST), ==, 1);
    g_assert_cmphex(qc_readq(q, RAM + 0x2000), ==, 5);
    qc_memwrite(q, RAM + 0x2000, other, sizeof(other));
    qc_writeq(q, TOHOST, RAM + 0x2000);
    g_assert_cmphex(qc_readq(q, RAM + 0x2000), ==, (uint64_t)-38);
    /* a test program's loop, which writes the low half only */
    qc_writel(q, TOHOST, 7 << 1 | 1);
    qc_try(q, "writel 0x%x 0x%x", TOHOST, 7 << 1 | 1);
    g_assert_cmpint(qc_wait_exit(q), ==, 7);
}

struct image {
    Elf64_Ehdr eh;
    Elf64_Phdr ph;
    Elf64_Shdr sh[3];
    Elf64_Sym sym[5];
    char names[64];
    uint32_t code[16];
};

static struct image make_image(void)
{
    static const char names[] = "\0tohost\0fromhost\0begin_signature\0end_signature";
    struct image i = {
        .eh = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
                .e_type = ET_EXEC,
                .e_machine = EM_RISCV,
                .e_version = EV_CURRENT,
                .e_entry = 0xffffffff80100004,
                .e_phoff = offsetof(struct image, ph),
                .e_shoff = offsetof(struct image, sh),
                .e_ehsize = sizeof(Elf64_Ehdr),
                .e_phentsize = sizeof(Elf64_Phdr),
                .e_phnum = 1,
                .e_shentsize = sizeof(Elf64_Shdr),
                .e_shnum = 3 },
        .ph = { .p_type = PT_LOAD,
                .p_offset = offsetof(struct image, code),
                .p_vaddr = 0xffffffff80100000,
                .p_paddr = RAM + 0x100000,
                .p_filesz = 64,
                .p_memsz = 0x2000 },
        .sh = { { 0 },
                { .sh_type = SHT_SYMTAB,
                  .sh_link = 2,
                  .sh_offset = offsetof(struct image, sym),
                  .sh_size = 5 * sizeof(Elf64_Sym),
                  .sh_entsize = sizeof(Elf64_Sym) },
                { .sh_type = SHT_STRTAB,
                  .sh_offset = offsetof(struct image, names),
                  .sh_size = 64 } },
        .sym = { { 0 },
                 { .st_name = 1, .st_value = RAM + 0x101000 },
                 { .st_name = 8, .st_value = RAM + 0x101040 },
                 { .st_name = 17, .st_value = RAM + 0x101100 },
                 { .st_name = 33, .st_value = RAM + 0x101120 } },
    };

    memcpy(i.names, names, sizeof(names));
    for (unsigned n = 0; n < 16; n++)
        i.code[n] = 0x13 + (n << 20);
    return i;
}

static char *temp_file(const void *data, size_t len)
{
    GError *err = NULL;
    char *path;
    int fd = g_file_open_tmp("image-XXXXXX", &path, &err);

    g_assert_no_error(err);
    g_close(fd, NULL);
    g_file_set_contents(path, data, (gssize)len, &err);
    g_assert_no_error(err);
    return path;
}

static void test_elf(void)
{
    struct image img = make_image();
    g_autofree char *path = temp_file(&img, sizeof(img));
    g_autofree char *sig = g_strdup_printf("%s.sig", path), *text = NULL;
    g_autofree char *args = g_strdup_printf(
        "-machine spike,signature=%s -arch riscv64 -bios none -kernel %s", sig, path);
    struct qclient *q = qc_start(args);

    /* the entry is virtual in the file, physical for the reset vector */
    g_assert_cmphex(qc_readq(q, 0x1018), ==, RAM + 0x100004);
    g_assert_cmphex(qc_readl(q, RAM + 0x10003c), ==, img.code[15]);
    qc_writel(q, RAM + 0x10003c, 0);
    qc_writel(q, RAM + 0x100040, 99); /* bss */
    qc_reset(q);
    g_assert_cmphex(qc_readl(q, RAM + 0x10003c), ==, img.code[15]);
    g_assert_cmphex(qc_readl(q, RAM + 0x100040), ==, 0);

    qc_writeq(q, RAM + 0x101100, UINT64_C(0x0123456789abcdef));
    qc_writel(q, RAM + 0x101110, 0xcafe);
    qc_try(q, "writeq 0x%x 1", RAM + 0x101000);
    g_assert_cmpint(qc_wait_exit(q), ==, 0);
    g_assert_true(g_file_get_contents(sig, &text, NULL, NULL));
    g_assert_cmpstr(text, ==,
                    "00000000000000000123456789abcdef\n"
                    "0000000000000000000000000000cafe\n");
    g_unlink(sig);
    g_unlink(path);
}

/* Starts with a broken kernel: status 1 and one line that holds `text`. */
static void refuse(const void *data, size_t len, const char *text)
{
    g_autofree char *path = temp_file(data, len), *out = NULL;
    const char *myna = g_getenv("MYNA") ? g_getenv("MYNA") : "./myna";
    const char *argv[] = { myna,    "-machine", "spike", "-arch",    "riscv64", "-accel",
                           "qtest", "-qtest",   "null",  "-display", "none",    "-bios",
                           "none",  "-kernel",  path,    NULL };
    GError *err = NULL;
    int status;

    g_spawn_sync(NULL, (char **)(uintptr_t)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &out,
                 &status, &err);
    g_assert_no_error(err);
    g_assert_false(g_spawn_check_wait_status(status, NULL));
    if (!strstr(out, text) || strchr(out, '\n') != out + strlen(out) - 1)
        g_error("'%s' does not hold '%s' in one line", out, text);
    g_unlink(path);
}

static void test_bad_elf(void)
{
    struct image img = make_image();

    refuse(&img, 0, "is empty");
    refuse(&img, 20, "truncated");
    refuse(&img, sizeof(Elf64_Ehdr), "truncated");
    refuse(&img, offsetof(struct image, code) + 63, "truncated");
    img.eh.e_machine = EM_X86_64;
    refuse(&img, sizeof(img), "for x86_64");
    img = make_image();
    img.eh.e_ident[EI_CLASS] = ELFCLASS32;
    refuse(&img, sizeof(img), "32-bit");
    img = make_image();
    img.ph.p_memsz = UINT64_MAX;
    refuse(&img, sizeof(img), "does not fit");
    img = make_image();
    img.ph.p_paddr = 0x12345678;
    refuse(&img, sizeof(img), "does not fit");
    img = make_image();
    img.ph.p_type = PT_NOTE;
    refuse(&img, sizeof(img), "nothing to load");
    img = make_image();
    img.eh.e_phoff = UINT64_MAX - 8;
    refuse(&img, sizeof(img), "truncated");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/spike/console", test_console);
    g_test_add_func("/spike/calls", test_calls);
    g_test_add_func("/spike/elf", test_elf);
    g_test_add_func("/spike/bad-elf", test_bad_elf);
    return g_test_run();
}
