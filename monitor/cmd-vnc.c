/*
 * Displays: VNC servers with their clients and passwords, and which display there is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <ui/vnc.h>
#include "command.h"
#include "session.h"

/* ---- what there is ---- */

static const char *const families[] = { "ipv4", "ipv6", "unix", "vsock", "unknown", NULL };
static const struct mon_type family_type = ENUM_TYPE("NetworkAddressFamily", families);

static const struct mon_member client_members[] = {
    MEMBER("host", &mon_str),
    MEMBER("service", &mon_str),
    MEMBER("family", &family_type),
    MEMBER("websocket", &mon_bool),
    OPTIONAL("x509_dname", &mon_str),
    OPTIONAL("sasl_username", &mon_str),
    { 0 },
};
static const struct mon_type client_type = OBJECT_TYPE("VncClientInfo", client_members);
static const struct mon_type clients_type = ARRAY_TYPE("[VncClientInfo]", &client_type);

static const struct mon_member info_members[] = {
    MEMBER("enabled", &mon_bool),
    OPTIONAL("host", &mon_str),
    OPTIONAL("family", &family_type),
    OPTIONAL("service", &mon_str),
    OPTIONAL("auth", &mon_str),
    OPTIONAL("clients", &clients_type),
    { 0 },
};
static const struct mon_type info_type = OBJECT_TYPE("VncInfo", info_members);

static const char *family_of(const struct vnc_client_info *c)
{
    return c->is_unix ? "unix" : strchr(c->host, ':') ? "ipv6" : "ipv4";
}

static json_t *client_json(const struct vnc_client_info *c)
{
    return json_pack("{s:s, s:s, s:s, s:b}", "host", c->host, "service", c->service, "family",
                     family_of(c), "websocket", c->websocket);
}

static void add_client(const struct vnc_client_info *c, void *list)
{
    json_array_append_new(list, client_json(c));
}

static json_t *server_json(const struct vnc *v)
{
    json_t *o = json_pack("{s:s}", "auth", vnc_auth(v));
    struct vnc_info info;

    if (vnc_info(v, 0, &info)) {
        json_object_set_new(o, "host", json_string(info.host));
        json_object_set_new(o, "service", json_string(info.service));
        json_object_set_new(o, "family", json_string(info.family));
        g_free(info.host);
        g_free(info.service);
    }
    return o;
}

/* The first one, as long as there was but one in QEMU. */
static json_t *query_vnc(struct mon *mon, const json_t *args, GError **err)
{
    const GPtrArray *vncs = mon_vncs(mon);
    json_t *o, *clients;

    (void)args, (void)err;
    if (!vncs || !vncs->len)
        return json_pack("{s:b}", "enabled", 0);
    o = server_json(vncs->pdata[0]);
    clients = json_array();
    json_object_set_new(o, "enabled", json_true());
    vnc_foreach_client(vncs->pdata[0], add_client, clients);
    json_object_set_new(o, "clients", clients);
    return o;
}

static void print_client(const struct vnc_client_info *c, void *out)
{
    g_string_append_printf(out, "  Client: %s:%s (%s)\n", c->host, c->service,
                           c->websocket ? "websocket" : family_of(c));
}

static void print_server(const struct vnc *v, GString *out)
{
    struct vnc_info info;

    g_string_append_printf(out, "%s:\n", vnc_id(v));
    for (unsigned n = 0; vnc_info(v, n, &info); n++) {
        g_string_append_printf(out, "  Server: %s:%s (%s%s)\n", info.host, info.service,
                               info.family, info.websocket ? ", websocket" : "");
        g_free(info.host);
        g_free(info.service);
    }
    g_string_append_printf(out, "    Auth: %s\n", vnc_auth(v));
    vnc_foreach_client(v, print_client, out);
}

static bool info_vnc(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    const GPtrArray *vncs = mon_vncs(mon);

    (void)args, (void)err;
    for (guint i = 0; vncs && i < vncs->len; i++)
        print_server(vncs->pdata[i], out);
    if (!vncs || !vncs->len)
        g_string_append(out, "None\n");
    return true;
}

static const struct mon_member basic_members[] = {
    MEMBER("host", &mon_str),       MEMBER("service", &mon_str), MEMBER("family", &family_type),
    MEMBER("websocket", &mon_bool), OPTIONAL("auth", &mon_str),  { 0 },
};
static const struct mon_type basic_type = OBJECT_TYPE("VncBasicInfo", basic_members);
static const struct mon_type basics_type = ARRAY_TYPE("[VncBasicInfo]", &basic_type);
static const struct mon_member info2_members[] = {
    MEMBER("id", &mon_str),
    MEMBER("server", &basics_type),
    MEMBER("clients", &clients_type),
    MEMBER("auth", &mon_str),
    OPTIONAL("vencrypt", &mon_str),
    OPTIONAL("display", &mon_str),
    { 0 },
};
static const struct mon_type info2_type = OBJECT_TYPE("VncInfo2", info2_members);
static const struct mon_type info2s_type = ARRAY_TYPE("[VncInfo2]", &info2_type);

/* "vencrypt+x509+vnc" is auth "vencrypt" and vencrypt "x509-vnc". */
static json_t *server2_json(const struct vnc *v)
{
    json_t *clients = json_array(), *servers = json_array(), *o;
    g_auto(GStrv) auth = g_strsplit(vnc_auth(v), "+", 2);
    struct vnc_info info;

    vnc_foreach_client(v, add_client, clients);
    for (unsigned n = 0; vnc_info(v, n, &info); n++) {
        json_array_append_new(servers, json_pack("{s:s, s:s, s:s, s:b, s:s}", "host", info.host,
                                                 "service", info.service, "family", info.family,
                                                 "websocket", info.websocket, "auth", auth[0]));
        g_free(info.host);
        g_free(info.service);
    }
    o = json_pack("{s:s, s:o, s:o, s:s}", "id", vnc_id(v), "server", servers, "clients", clients,
                  "auth", auth[0]);
    if (auth[1])
        json_object_set_new(o, "vencrypt", json_string(g_strdelimit(auth[1], "+", '-')));
    return o;
}

static json_t *query_servers(struct mon *mon, const json_t *args, GError **err)
{
    const GPtrArray *vncs = mon_vncs(mon);
    json_t *list = json_array();

    (void)args, (void)err;
    for (guint i = 0; vncs && i < vncs->len; i++)
        json_array_append_new(list, server2_json(vncs->pdata[i]));
    return list;
}

/* ---- passwords ---- */

static struct vnc *find_server(struct mon *mon, const char *id, GError **err)
{
    const GPtrArray *vncs = mon_vncs(mon);

    for (guint i = 0; vncs && i < vncs->len; i++)
        if (!id || strcmp(vnc_id(vncs->pdata[i]), id) == 0)
            return vncs->pdata[i];
    if (id)
        error_set_code(err, MYNA_ERROR_NOT_FOUND, "VNC server '%s' not found", id);
    else
        error_set(err, "There is no VNC server (-vnc :0 makes one)");
    return NULL;
}

bool mon_vnc_password(struct mon *mon, const char *id, const char *password, GError **err)
{
    struct vnc *v = find_server(mon, id, err);

    return v && vnc_set_password(v, password, err);
}

static bool is_vnc(const json_t *args, GError **err)
{
    const char *protocol = json_string_value(json_object_get(args, "protocol"));

    return strcmp(protocol, "vnc") == 0 ||
           error_set(err, "Parameter 'protocol': '%s' is not there, 'vnc' is", protocol);
}

static json_t *set_password(struct mon *mon, const json_t *args, GError **err)
{
    const char *id = json_string_value(json_object_get(args, "display"));
    const char *connected = json_string_value(json_object_get(args, "connected"));
    const char *password = json_string_value(json_object_get(args, "password"));

    if (!is_vnc(args, err))
        return NULL;
    if (connected && strcmp(connected, "keep") != 0)
        error_set(err, "Parameter 'connected' must be 'keep' for VNC");
    else
        mon_vnc_password(mon, id, password, err);
    return NULL;
}

static json_t *change_vnc_password(struct mon *mon, const json_t *args, GError **err)
{
    mon_vnc_password(mon, NULL, json_string_value(json_object_get(args, "password")), err);
    return NULL;
}

/* "now", "never", "+SECONDS", "SECONDS since 1970" */
static bool parse_time(const char *text, int64_t *when, GError **err)
{
    bool relative = text[0] == '+';
    int64_t now = g_get_real_time() / G_USEC_PER_SEC;
    uint64_t n;

    if (strcmp(text, "now") == 0 || strcmp(text, "never") == 0) {
        *when = text[1] == 'o' ? now : 0;
        return true;
    }
    if (!option_u64("Parameter 'time'", text + relative, 0, INT32_MAX * (uint64_t)1000, &n, err))
        return false;
    *when = relative ? now + (int64_t)n : (int64_t)n;
    return true;
}

static json_t *expire_password(struct mon *mon, const json_t *args, GError **err)
{
    const char *id = json_string_value(json_object_get(args, "display"));
    const char *time = json_string_value(json_object_get(args, "time"));
    int64_t when;
    struct vnc *v;

    if (!is_vnc(args, err) || !parse_time(time, &when, err))
        return NULL;
    v = find_server(mon, id, err);
    if (v)
        vnc_expire_password(v, when);
    return NULL;
}

static const char *const connected_names[] = { "keep", "fail", "disconnect", NULL };
static const struct mon_type connected_type = ENUM_TYPE("SetPasswordAction", connected_names);
static const struct mon_member set_args[] = {
    MEMBER("protocol", &mon_str),
    MEMBER("password", &mon_str),
    OPTIONAL("display", &mon_str, .hmp = HMP_FLAG),
    OPTIONAL("connected", &connected_type),
    { 0 },
};
static const struct mon_member expire_args[] = {
    MEMBER("protocol", &mon_str),
    MEMBER("time", &mon_str),
    OPTIONAL("display", &mon_str, .hmp = HMP_FLAG),
    { 0 },
};
static const struct mon_member change_args[] = { MEMBER("password", &mon_str), { 0 } };

/* ---- which display ---- */

static const char *const display_names[] = { "none", "sdl", NULL };
static const struct mon_type display_type = ENUM_TYPE("DisplayType", display_names);
static const struct mon_member options_members[] = { MEMBER("type", &display_type),
                                                     OPTIONAL("full-screen", &mon_bool),
                                                     OPTIONAL("window-close", &mon_bool),
                                                     OPTIONAL("show-cursor", &mon_bool),
                                                     { 0 } };
static const struct mon_type options_type = OBJECT_TYPE("DisplayOptions", options_members);

static json_t *query_display(struct mon *mon, const json_t *args, GError **err)
{
    const struct monitor_display *d = mon_display(mon);

    (void)args, (void)err;
    if (!d || !d->has_window)
        return json_pack("{s:s}", "type", d ? d->name : display_names[0]);
    return json_pack("{s:s, s:b, s:b, s:b}", "type", d->name, "full-screen", d->full_screen,
                     "window-close", d->window_close, "show-cursor", d->show_cursor);
}

const struct mon_command vnc_commands[] = {
    { .qmp = "query-vnc",
      .run = query_vnc,
      .ret = &info_type,
      .hmp = "info vnc",
      .text = info_vnc,
      .help = "show VNC servers and their clients" },
    { .qmp = "query-vnc-servers", .run = query_servers, .ret = &info2s_type },
    { .qmp = "set_password",
      .run = set_password,
      .args = set_args,
      .hmp = "set_password",
      .params = "protocol password [-d display] [action-if-connected]",
      .help = "set the password of a VNC server" },
    { .qmp = "expire_password",
      .run = expire_password,
      .args = expire_args,
      .hmp = "expire_password",
      .params = "protocol time [-d display]",
      .help = "set when the password of a VNC server ends: now, never, +SECONDS" },
    { .qmp = "change-vnc-password", .run = change_vnc_password, .args = change_args },
    { .qmp = "query-display-options", .run = query_display, .ret = &options_type },
    { 0 },
};

/* ---- events ---- */

static const struct mon_member event_members[] = {
    MEMBER("server", &basic_type),
    MEMBER("client", &client_type),
    { 0 },
};
const struct mon_type mon_vnc_event_data = OBJECT_TYPE("VncEventData", event_members);

void monitors_vnc_event(struct monitors *mons, const struct vnc *v, unsigned event,
                        const struct vnc_client_info *info)
{
    static const char *const names[] = {
        [VNC_CLIENT_CONNECTED] = "VNC_CONNECTED",
        [VNC_CLIENT_INITIALIZED] = "VNC_INITIALIZED",
        [VNC_CLIENT_GONE] = "VNC_DISCONNECTED",
    };
    json_t *server = server_json(v);

    if (!json_object_get(server, "family")) { /* it called the client */
        json_object_set_new(server, "host", json_string(""));
        json_object_set_new(server, "service", json_string(""));
        json_object_set_new(server, "family", json_string("unknown"));
    }
    json_object_set_new(server, "websocket", json_boolean(info->websocket));
    monitors_event(mons, names[event],
                   json_pack("{s:o, s:o}", "server", server, "client", client_json(info)));
}
