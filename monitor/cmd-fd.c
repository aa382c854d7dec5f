/*
 * Descriptors that the client of a monitor passes along with a command (SCM_RIGHTS), under names of
 * its own, and what takes them: VNC viewers that somebody else let in.
 */
#include <string.h>
#include <unistd.h>
#include <ui/vnc.h>
#include "command.h"
#include "session.h"

static void close_fd(gpointer fd)
{
    close(GPOINTER_TO_INT(fd));
}

static json_t *getfd(struct mon *mon, const json_t *args, GError **err)
{
    const char *name = json_string_value(json_object_get(args, "fdname"));
    struct monitor *m = (struct monitor *)mon;
    int fd = chardev_fe_take_fd(&m->fe);

    if (fd < 0) {
        error_set(err, "No file descriptor supplied via SCM_RIGHTS");
        return NULL;
    }
    if (g_ascii_isdigit(name[0])) {
        close(fd);
        error_set(err, "Parameter 'fdname' expects a name not starting with a digit");
        return NULL;
    }
    if (!m->fds)
        m->fds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_fd);
    g_hash_table_replace(m->fds, g_strdup(name), GINT_TO_POINTER(fd));
    return json_object();
}

/* Takes it out of the table; -1 and err: there is none of that name. */
static int take_fd(struct mon *mon, const json_t *args, GError **err)
{
    const char *name = json_string_value(json_object_get(args, "fdname"));
    struct monitor *m = (struct monitor *)mon;
    gpointer key, fd;

    if (!m->fds || !g_hash_table_steal_extended(m->fds, name, &key, &fd)) {
        error_set(err, "File descriptor named '%s' not found", name);
        return -1;
    }
    g_free(key);
    return GPOINTER_TO_INT(fd);
}

static json_t *closefd(struct mon *mon, const json_t *args, GError **err)
{
    int fd = take_fd(mon, args, err);

    if (fd < 0)
        return NULL;
    close(fd);
    return json_object();
}

static json_t *add_client(struct mon *mon, const json_t *args, GError **err)
{
    const char *protocol = json_string_value(json_object_get(args, "protocol"));
    const GPtrArray *vncs = mon_vncs(mon);
    int fd;

    if (strcmp(protocol, "vnc") != 0 || !vncs || !vncs->len) {
        error_set(err, "protocol '%s' is not there; 'vnc' is, with -vnc", protocol);
        return NULL;
    }
    fd = take_fd(mon, args, err);
    if (fd < 0)
        return NULL;
    vnc_add_client(vncs->pdata[0], fd, json_is_true(json_object_get(args, "skipauth")));
    return json_object();
}

static const struct mon_member name_args[] = { MEMBER("fdname", &mon_str), { 0 } };
static const struct mon_member client_args[] = {
    MEMBER("protocol", &mon_str),
    MEMBER("fdname", &mon_str),
    OPTIONAL("skipauth", &mon_bool),
    OPTIONAL("tls", &mon_bool),
    { 0 },
};

const struct mon_command fd_commands[] = {
    { .qmp = "getfd", .run = getfd, .args = name_args },
    { .qmp = "closefd", .run = closefd, .args = name_args },
    { .qmp = "add_client", .run = add_client, .args = client_args },
    { 0 },
};
