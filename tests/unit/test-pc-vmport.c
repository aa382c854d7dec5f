/*
 * vmport and vmmouse as a guest sees them: a BIOS of a few instructions goes through a list of
 * commands and sends what came back in its registers to port e9h.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROM_SIZE = 65536, LIST = 0x200, WAIT = 0xfe, END = 0xff, RUN_S = 30 };

/*
 * xor %ax,%ax; mov %ax,%ds; mov %ax,%es; mov $LIST,%bp
 * next: mov %cs:(%bp),%ecx; mov %cs:4(%bp),%ebx; add $8,%bp
 * cmp $END,%cl; je end; cmp $WAIT,%cl; je wait
 * mov $0x564d5868,%eax; mov $0x5658,%dx; xor %esi,%esi; xor %edi,%edi; in %dx,%eax
 * mov %eax,0x500; and so on for EBX, ECX, EDX, ESI, EDI
 * mov $0x500,%si; mov $24,%cx; mov $0xe9,%dx; cld; rep outsb; jmp next
 * wait: command 40 as above; test %ax,%ax; jz wait; jmp next
 * end: mov $0x501,%dx; mov $3,%al; out %al,%dx; hlt
 */
static const uint8_t code[] = {
    0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0xbd, 0x00, 0x02, 0x2e, 0x66, 0x8b, 0x4e, 0x00, 0x2e,
    0x66, 0x8b, 0x5e, 0x04, 0x83, 0xc5, 0x08, 0x80, 0xf9, 0xff, 0x74, 0x55, 0x80, 0xf9, 0xfe, 0x74,
    0x3c, 0x66, 0xb8, 0x68, 0x58, 0x4d, 0x56, 0xba, 0x58, 0x56, 0x66, 0x31, 0xf6, 0x66, 0x31, 0xff,
    0x66, 0xed, 0x66, 0xa3, 0x00, 0x05, 0x66, 0x89, 0x1e, 0x04, 0x05, 0x66, 0x89, 0x0e, 0x08, 0x05,
    0x66, 0x89, 0x16, 0x0c, 0x05, 0x66, 0x89, 0x36, 0x10, 0x05, 0x66, 0x89, 0x3e, 0x14, 0x05, 0xbe,
    0x00, 0x05, 0xb9, 0x18, 0x00, 0xba, 0xe9, 0x00, 0xfc, 0xf3, 0x6e, 0xeb, 0xad, 0x66, 0xb8, 0x68,
    0x58, 0x4d, 0x56, 0xb9, 0x28, 0x00, 0xba, 0x58, 0x56, 0x66, 0xed, 0x85, 0xc0, 0x74, 0xee, 0xeb,
    0x99, 0xba, 0x01, 0x05, 0xb0, 0x03, 0xee, 0xf4, 0xeb, 0xfd
};

static const struct {
    uint32_t command, argument;
} list[] = {
    { 10, 0 },          { 20, 0 },    { 19, 0 }, { 99, 0x1234 },     { 40, 0 },
    { 41, 0x45414552 }, { 40, 0 },    { 39, 1 }, { 41, 0x53424152 }, { WAIT, 0 },
    { 39, 4 },          { 41, 0xf5 }, { 40, 0 }, { END, 0 },
};

struct regs {
    uint32_t eax, ebx, ecx, edx, esi, edi;
};
enum {
    VERSION,
    RAM,
    UUID,
    UNKNOWN,
    ERROR,
    READ_ID,
    ONE_WORD,
    ID,
    ABSOLUTE,
    POINTER,
    OFF,
    ERROR2,
    ANSWERS
};

static void write_rom(const char *path)
{
    g_autofree uint8_t *rom = g_malloc0(ROM_SIZE);
    static const uint8_t start[] = { 0xea, 0, 0, 0, 0xf0 }; /* ljmp $0xf000,$0 */
    uint32_t *out = (uint32_t *)(rom + LIST);

    memcpy(rom, code, sizeof(code));
    for (unsigned i = 0; i < G_N_ELEMENTS(list); i++) {
        *out++ = GUINT32_TO_LE(list[i].command);
        *out++ = GUINT32_TO_LE(list[i].argument);
    }
    memcpy(rom + ROM_SIZE - 16, start, sizeof(start));
    g_assert_true(g_file_set_contents(path, (char *)rom, ROM_SIZE, NULL));
}

/* Moves the pointer until the guest has seen it and ended the program. */
static int move_until_end(pid_t pid, int in)
{
    static const char move[] =
        "{\"execute\":\"qmp_capabilities\"}\n"
        "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":["
        "{\"type\":\"abs\",\"data\":{\"axis\":\"x\",\"value\":4660}},"
        "{\"type\":\"abs\",\"data\":{\"axis\":\"y\",\"value\":22136}},"
        "{\"type\":\"btn\",\"data\":{\"button\":\"left\",\"down\":true}}]}}\n";
    gint64 end = g_get_monotonic_time() + RUN_S * G_TIME_SPAN_SECOND;
    int status;

    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (g_get_monotonic_time() > end)
            g_error("the guest has not come to its end");
        if (write(in, move, sizeof(move) - 1) < 0)
            g_test_message("the monitor is gone");
        g_usleep(50000);
    }
    return status;
}

/* What the guest sent. */
static char *run(const char *options, gsize *len)
{
    g_autofree char *dir = g_dir_make_tmp("vmport-XXXXXX", NULL);
    g_autofree char *rom = g_build_filename(dir, "rom", NULL);
    g_autofree char *out = g_build_filename(dir, "out", NULL);
    g_autofree char *args = g_strdup_printf(
        "%s -machine pc%s -arch x86_64 -accel tcg -m 48M -nodefaults -display none -bios %s "
        "-uuid 00112233-4455-6677-8899-aabbccddeeff -device isa-debugcon,chardev=d "
        "-chardev file,id=d,path=%s -device isa-debug-exit -qmp stdio",
        g_getenv("MYNA"), options, rom, out);
    g_auto(GStrv) argv = g_strsplit(args, " ", -1);
    char *answers = NULL;
    GPid pid;
    int in;

    write_rom(rom);
    g_assert_true(g_spawn_async_with_pipes(NULL, argv, NULL,
                                           G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL,
                                           NULL, NULL, &pid, &in, NULL, NULL, NULL));
    g_assert_cmpint(WEXITSTATUS(move_until_end(pid, in)), ==, 7);
    close(in);
    g_assert_true(g_file_get_contents(out, &answers, len, NULL));
    g_unlink(rom);
    g_unlink(out);
    g_rmdir(dir);
    return answers;
}

static void test_answers(void)
{
    gsize len;
    g_autofree char *bytes = run("", &len);
    const struct regs *r = (const struct regs *)bytes;

    g_assert_cmpuint(len, ==, ANSWERS * sizeof(*r));
    g_assert_cmphex(r[VERSION].eax, ==, 6);
    g_assert_cmphex(r[VERSION].ebx, ==, 0x564d5868);
    g_assert_cmphex(r[VERSION].ecx, ==, 2);
    g_assert_cmphex(r[RAM].eax, ==, 48 << 20);
    g_assert_cmphex(r[RAM].ebx, ==, 0x1177);
    g_assert_cmphex(r[UUID].eax, ==, 0x33221100);
    g_assert_cmphex(r[UUID].edx, ==, 0xffeeddcc);
    g_assert_cmphex(r[UNKNOWN].eax, ==, 0xffffffff);
    g_assert_cmphex(r[UNKNOWN].ebx, ==, 0x1234);
    g_assert_cmphex(r[ERROR].eax, ==, 0xffff0000);
    g_assert_cmphex(r[ONE_WORD].eax, ==, 1);
    g_assert_cmphex(r[ID].eax, ==, 0x3442554a);
    g_assert_cmphex(r[POINTER].eax, ==, 0x20);
    g_assert_cmphex(r[POINTER].ebx, ==, 2 * 4660);
    g_assert_cmphex(r[POINTER].ecx, ==, 2 * 22136);
    g_assert_cmphex(r[POINTER].edx, ==, 0);
    g_assert_cmphex(r[ERROR2].eax, ==, 0xffff0000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vmport/answers", test_answers);
    return g_test_run();
}
