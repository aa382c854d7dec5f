/* The options of -vnc. */
#include "vnc.h"

#include <base/error.h>

enum { BASE_PORT = 5900, DISPLAY_MAX = 65535 - BASE_PORT };

const char *const vnc_share_names[] = { [VNC_ALLOW_EXCLUSIVE] = "allow-exclusive",
                                        [VNC_FORCE_SHARED] = "force-shared",
                                        [VNC_IGNORE] = "ignore",
                                        NULL };

/* "HOST:N", "[V6]:N" or ":N" */
static bool split(const char *text, char **host, uint64_t *n, uint64_t max, GError **err)
{
    const char *colon = strrchr(text, ':');

    if (!colon)
        return error_set(
            err, "-vnc: '%s' is neither [HOST]:DISPLAY (such as ':0') nor unix:PATH, none", text);
    if (!option_u64("-vnc: display", colon + 1, 0, max, n, err))
        return false;
    if (text[0] == '[' && colon > text + 1 && colon[-1] == ']')
        *host = g_strndup(text + 1, (gsize)(colon - text - 2));
    else
        *host = g_strndup(text, (gsize)(colon - text));
    return true;
}

static bool parse_where(struct vnc_config *cfg, const char *text, uint64_t to, GError **err)
{
    uint64_t display = 0;

    if (!text)
        return error_set(err, "-vnc: it is missing where, such as ':0' or unix:PATH");
    if (strcmp(text, "none") == 0)
        return true;
    if (g_str_has_prefix(text, "unix:")) {
        cfg->path = g_strdup(text + strlen("unix:"));
        return true;
    }
    /* a viewer that is called has a port, not a display */
    if (!split(text, &cfg->host, &display, cfg->reverse ? 65535 : DISPLAY_MAX, err))
        return false;
    cfg->port = (unsigned)display + (cfg->reverse ? 0 : BASE_PORT);
    cfg->port_end = cfg->port;
    if (to && to < display)
        return error_set(err, "-vnc: to=%u is below the display, %u", (unsigned)to,
                         (unsigned)display);
    if (to)
        cfg->port_end = (unsigned)to + BASE_PORT;
    return true;
}

/* websocket=on, PORT, HOST:PORT or unix:PATH */
static bool parse_websocket(struct vnc_config *cfg, const char *text, GError **err)
{
    uint64_t port = 0;

    if (!text || strcmp(text, "off") == 0)
        return true;
    cfg->websocket = true;
    if (strcmp(text, "on") == 0)
        return cfg->host || error_set(err, "-vnc: websocket=on wants a display's number, else a "
                                           "port or unix:PATH");
    if (g_str_has_prefix(text, "unix:")) {
        cfg->ws_path = g_strdup(text + strlen("unix:"));
        return true;
    }
    if (strchr(text, ':'))
        return split(text, &cfg->ws_host, &port, 65535, err) &&
               (cfg->ws_port = (unsigned)port, true);
    if (!option_u64("-vnc: websocket", text, 1, 65535, &port, err))
        return false;
    cfg->ws_port = (unsigned)port;
    if (!cfg->host)
        cfg->ws_host = g_strdup("");
    return true;
}

bool vnc_config_parse(struct vnc_config *cfg, struct opts *o, GError **err)
{
    uint64_t to = 0, max_clients = CLIENTS_MAX;
    bool adaptive = true;
    int share = VNC_ALLOW_EXCLUSIVE;

    cfg->id = g_strdup(opts_str(o, "id", "default"));
    if (!opts_bool(o, "reverse", &cfg->reverse, err) ||
        !opts_u64(o, "to", 0, DISPLAY_MAX, &to, err) ||
        !opts_bool(o, "password", &cfg->ask_password, err) ||
        !opts_bool(o, "lossy", &cfg->lossy, err) ||
        /* encodings are not changed behind the client's back anyway */
        !opts_bool(o, "non-adaptive", &adaptive, err) ||
        !opts_bool(o, "power-control", &cfg->power_control, err) ||
        !opts_u64(o, "connections", 1, CLIENTS_MAX, &max_clients, err) ||
        !opts_enum(o, "share", vnc_share_names, &share, err))
        return false;
    cfg->share = (enum vnc_share)share;
    cfg->max_clients = (unsigned)max_clients;
    if (cfg->lossy && !tight_open_jpeg(err))
        return false;
    return parse_where(cfg, opts_str(o, "vnc", NULL), to, err) &&
           parse_websocket(cfg, opts_str(o, "websocket", NULL), err);
}

void vnc_config_clear(struct vnc_config *cfg)
{
    g_free(cfg->id);
    g_free(cfg->name);
    g_free(cfg->host);
    g_free(cfg->path);
    g_free(cfg->ws_host);
    g_free(cfg->ws_path);
    g_free(cfg->device);
    if (cfg->password)
        explicit_bzero(cfg->password, strlen(cfg->password));
    g_free(cfg->password);
    g_free(cfg->tls.dir);
    *cfg = (struct vnc_config){ 0 };
}
