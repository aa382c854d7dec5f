/*
 * What the monitor tells of a PC, in the form that tools know: page tables that a BIOS of a few
 * instructions has set up, registers, ports, local APICs.
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROM_SIZE = 65536, TRIES = 1200 };

/*
 * cli; xor %ax,%ax; mov %ax,%ds
 * movl $0xe3,0x1000        4 MiB at 0: large, dirty, accessed, writable
 * movl $0x2027,0x1004      a table: accessed, user, writable
 * movl $0x5005,0x2000      a page for users to read
 * movl $0x6107,0x2004      and a global one for them to write
 * mov $0x1000,%eax; mov %eax,%cr3; mov $0x10,%eax; mov %eax,%cr4
 * mov %cr0,%eax; or $0x80000001,%eax; mov %eax,%cr0
 * mov $0x5a,%al; out %al,$0x80; hlt
 */
static const uint8_t code[] = {
    0xfa, 0x31, 0xc0, 0x8e, 0xd8, 0x66, 0xc7, 0x06, 0x00, 0x10, 0xe3, 0x00, 0x00, 0x00, 0x66, 0xc7,
    0x06, 0x04, 0x10, 0x27, 0x20, 0x00, 0x00, 0x66, 0xc7, 0x06, 0x00, 0x20, 0x05, 0x50, 0x00, 0x00,
    0x66, 0xc7, 0x06, 0x04, 0x20, 0x07, 0x61, 0x00, 0x00, 0x66, 0xb8, 0x00, 0x10, 0x00, 0x00, 0x0f,
    0x22, 0xd8, 0x66, 0xb8, 0x10, 0x00, 0x00, 0x00, 0x0f, 0x22, 0xe0, 0x0f, 0x20, 0xc0, 0x66, 0x0d,
    0x01, 0x00, 0x00, 0x80, 0x0f, 0x22, 0xc0, 0xb0, 0x5a, 0xe6, 0x80, 0xf4, 0xeb, 0xfd,
};

static char *dir, *rom, *path;
static GPid pid;
static FILE *qmp;

static void start(void)
{
    g_autofree uint8_t *bytes = g_malloc0(ROM_SIZE);
    static const uint8_t jump[] = { 0xea, 0, 0, 0, 0xf0 }; /* ljmp $0xf000,$0 */
    g_autofree char *args = NULL;
    g_auto(GStrv) argv = NULL;
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    dir = g_dir_make_tmp("monitor-XXXXXX", NULL);
    rom = g_build_filename(dir, "rom", NULL);
    path = g_build_filename(dir, "qmp", NULL);
    memcpy(bytes, code, sizeof(code));
    memcpy(bytes + ROM_SIZE - 16, jump, sizeof(jump));
    g_assert_true(g_file_set_contents(rom, (char *)bytes, ROM_SIZE, NULL));
    args =
        g_strdup_printf("%s -machine pc -arch x86_64 -accel tcg -m 16M -nodefaults -display none "
                        "-bios %s -qmp unix:%s,server=on,wait=off",
                        g_getenv("MYNA"), rom, path);
    argv = g_strsplit(args, " ", -1);
    g_assert_true(
        g_spawn_async(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL));
    g_strlcpy(a.sun_path, path, sizeof(a.sun_path));
    for (unsigned i = 0; connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0; i++) {
        g_assert_cmpuint(i, <, TRIES);
        g_usleep(50000);
    }
    qmp = fdopen(fd, "r+");
    fputs("{\"execute\":\"qmp_capabilities\"}\n", qmp);
}

static char *hmp(const char *line)
{
    char reply[1 << 16];
    json_t *root;
    char *text;

    fprintf(qmp,
            "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"%s\"},"
            "\"id\":1}\n",
            line);
    fflush(qmp);
    do
        g_assert_nonnull(fgets(reply, sizeof(reply), qmp));
    while (!strstr(reply, "\"id\""));
    root = json_loads(reply, 0, NULL);
    text = g_strdup(json_string_value(json_object_get(root, "return")));
    json_decref(root);
    g_assert_nonnull(text);
    g_strdelimit(text, "\r", '\n');
    return text;
}

static void check(const char *line, const char *want)
{
    g_autofree char *text = hmp(line);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GString) got = g_string_new(NULL);

    for (char **l = lines; *l; l++)
        if (**l)
            g_string_append_printf(got, "%s\n", *l);
    g_assert_cmpstr(got->str, ==, want);
}

/* Until the BIOS has come to its end. */
static void await_halt(void)
{
    for (unsigned i = 0;; i++) {
        g_autofree char *text = hmp("info registers");

        if (strstr(text, "HLT=1"))
            return;
        g_assert_cmpuint(i, <, TRIES);
        g_usleep(50000);
    }
}

static void test_pages(void)
{
    await_halt();
    check("info tlb", "0000000000000000: 0000000000000000 --PDA---W\n"
                      "0000000000400000: 0000000000005000 -------U-\n"
                      "0000000000401000: 0000000000006000 -G-----UW\n");
    check("info mem", "0000000000000000-0000000000400000 0000000000400000 -rw\n"
                      "0000000000400000-0000000000401000 0000000000001000 ur-\n"
                      "0000000000401000-0000000000402000 0000000000001000 urw\n");
}

static void test_registers(void)
{
    await_halt();
    check("p/x $pc", "0xf004c\n");
    check("p/x $eax & 0xff", "0x5a\n");
}

static void test_ports(void)
{
    check("o/b 0x70 0x5a", "");
    check("o/b 0x71 0x12", "");
    check("o/h 0x70 0x345b", "");
    check("o/b 0x70 0x5a", "");
    check("i/b 0x71", "portb[0x0071] = 0x12\n");
    check("o/b 0x70 0x5b", "");
    check("i/b 0x71", "portb[0x0071] = 0x34\n");
    check("i/w 0xcf8", "portl[0x0cf8] = 0x00000000\n");
    check("i/h 0x5000", "portw[0x5000] = 0xffff\n");
}

static void test_interrupts(void)
{
    g_autofree char *lapic = hmp("info lapic"), *pic = hmp("info pic");
    g_autofree char *ioapic = hmp("info ioapic");

    g_assert_true(g_str_has_prefix(lapic, "dumping local APIC state for CPU 0"));
    g_assert_nonnull(
        strstr(lapic, "LVTT\t 0x00010000 active-hi edge  masked         one-shot     Fixed  (vec"));
    g_assert_nonnull(strstr(pic, "  pin 23 0x0000000000010000 dest=0 vec=0   active-hi edge  "
                                 "masked fixed  physical"));
    g_assert_nonnull(strstr(pic, "  Remote IRR (none)"));
    g_assert_null(strstr(pic, "local APIC"));
    g_assert_true(g_str_has_prefix(ioapic, "ioapic0: ver=0x20 "));
    g_assert_nonnull(strstr(ioapic, "  Remote IRR (none)"));
    g_assert_null(strstr(ioapic, "irq_base"));
}

/* A byte that the keyboard controller makes up, with its interrupt. */
static void test_irq_counts(void)
{
    g_autofree char *before = hmp("info irq"), *after = NULL;

    g_assert_nonnull(strstr(before, "IRQ statistics for isa-i8259:"));
    g_assert_nonnull(strstr(before, "IRQ statistics for ioapic:"));
    g_assert_null(strstr(before, " 1: "));
    check("o/b 0x64 0x60", "");
    check("o/b 0x60 0x01", "");
    check("o/b 0x64 0xd2", "");
    check("o/b 0x60 0x1e", "");
    after = hmp("info irq");
    g_assert_nonnull(strstr(after, " 1: 1"));
}

int main(int argc, char **argv)
{
    int status, child;

    g_test_init(&argc, &argv, NULL);
    start();
    g_test_add_func("/pc-monitor/pages", test_pages);
    g_test_add_func("/pc-monitor/registers", test_registers);
    g_test_add_func("/pc-monitor/ports", test_ports);
    g_test_add_func("/pc-monitor/interrupts", test_interrupts);
    g_test_add_func("/pc-monitor/irq-counts", test_irq_counts);
    status = g_test_run();
    fputs("{\"execute\":\"quit\"}\n", qmp);
    fclose(qmp);
    g_assert_cmpint(waitpid(pid, &child, 0), ==, pid);
    g_assert_cmpint(child, ==, 0);
    g_unlink(rom);
    g_unlink(path);
    g_rmdir(dir);
    return status;
}
