/* QMP line by line. */
#include "qmp.h"

#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

FILE *qmp_open(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    FILE *qmp;

    g_strlcpy(a.sun_path, path, sizeof(a.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    qmp = fdopen(fd, "r+");
    g_assert_nonnull(qmp);
    qmp_command(qmp, "qmp_capabilities");
    return qmp;
}

void qmp_command(FILE *qmp, const char *name)
{
    qmp_command_with(qmp, name, "{}");
}

void qmp_command_with(FILE *qmp, const char *name, const char *arguments)
{
    fprintf(qmp, "{\"execute\":\"%s\",\"arguments\":%s}\n", name, arguments);
    fflush(qmp);
}

void qmp_expect(FILE *qmp, const char *text)
{
    char line[4096];

    do
        g_assert_nonnull(fgets(line, sizeof(line), qmp));
    while (!strstr(line, text));
}
