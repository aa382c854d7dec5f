/*
 * A VNC server: shows a console to viewers, and gives their keys and pointers to the machine.
 *
 *     struct vnc *v = vnc_new(&cfg, &err);      cfg from vnc_config_parse()
 *     vnc_set_password(v, "secret");
 *
 * Main thread, device lock held.
 */
#ifndef UI_VNC_H
#define UI_VNC_H

#include <base/option.h>
#include <ui/clipboard.h>
#include <ui/console.h>
#include <ui/input.h>

struct loop;
struct vnc;

enum vnc_share { VNC_ALLOW_EXCLUSIVE, VNC_FORCE_SHARED, VNC_IGNORE };
extern const char *const vnc_share_names[]; /* NULL at the end */

/* What the server asks of its surroundings. Members may be NULL. */
enum vnc_power { VNC_SHUTDOWN, VNC_REBOOT, VNC_RESET };
struct vnc_client_info {
    const char *host, *service; /* of the client; service "" for unix sockets */
    bool is_unix, websocket;
};
enum vnc_client_event { VNC_CLIENT_CONNECTED, VNC_CLIENT_INITIALIZED, VNC_CLIENT_GONE };
struct vnc_hooks {
    /* A client with power-control=on presses a button. */
    void (*power)(void *opaque, enum vnc_power what);
    void (*client)(void *opaque, struct vnc *v, enum vnc_client_event event,
                   const struct vnc_client_info *info);
    void *opaque;
};

/* Where TLS keys are: a folder with ca-cert.pem, server-cert.pem and server-key.pem. */
struct vnc_tls {
    char *dir;        /* NULL: anonymous, that is without any proof of who is there */
    bool verify_peer; /* clients must show a certificate that the CA signed */
};

/* Strings are owned. */
struct vnc_config {
    char *id;
    struct loop *loop;
    struct consoles *consoles;
    struct input *input;
    struct clipboard *clipboard; /* NULL: none */
    struct vnc_hooks hooks;
    char *name; /* of the guest, for the viewer's title; NULL: "myna" */

    char *host, *path; /* where it listens: TCP (host "": everywhere), or a unix socket; both NULL:
                          nowhere */
    unsigned port, port_end; /* the first and the last that may be taken */
    bool reverse;            /* connects to a viewer that listens there */
    bool websocket;
    char *ws_host, *ws_path;
    unsigned ws_port; /* 0: 5700 and the display's number */
    char *device;     /* path of the device that is shown; NULL: the first console */
    unsigned head;
    bool ask_password, lossy, power_control;
    enum vnc_share share;
    unsigned max_clients;
    char *password; /* from password-secret=, or NULL */
    bool has_tls;
    struct vnc_tls tls;
};

/* Reads the argument of -vnc: "HOST:DISPLAY", "unix:PATH" or "none" as `vnc`, and the options that
 * are the server's own. tls-creds, password-secret and display are the caller's (he knows the
 * machine's objects); so are pointers and hooks. */
bool vnc_config_parse(struct vnc_config *cfg, struct opts *o, GError **err)
    __attribute__((warn_unused_result));
void vnc_config_clear(struct vnc_config *cfg);

/* `cfg` is moved: the caller's is cleared. NULL and err where it cannot listen. */
struct vnc *vnc_new(struct vnc_config *cfg, GError **err) __attribute__((warn_unused_result));
/* Every client's connection is cut. */
void vnc_free(struct vnc *v);

const char *vnc_id(const struct vnc *v);
/* False: the server does not ask for passwords. At most 8 bytes count, as the protocol has it. */
bool vnc_set_password(struct vnc *v, const char *password, GError **err)
    __attribute__((warn_unused_result));
/* Seconds since 1970 from which on the password is wrong; 0: never. */
void vnc_expire_password(struct vnc *v, int64_t when);
/* Clients that are there are cut off (`connected=disconnect`). */
void vnc_disconnect_all(struct vnc *v);
/* Takes over a connected socket; of a trusted client neither password nor TLS is asked. */
void vnc_add_client(struct vnc *v, int fd, bool trusted);

/* "none", "vnc", "vencrypt+x509+vnc", ... */
const char *vnc_auth(const struct vnc *v);
struct vnc_info {
    const char *family;   /* "ipv4", "ipv6", "unix" */
    char *host, *service; /* to be freed */
    bool websocket;
};
/* The n-th socket on which it listens; false past the last. */
bool vnc_info(const struct vnc *v, unsigned n, struct vnc_info *info);
void vnc_foreach_client(const struct vnc *v,
                        void (*fn)(const struct vnc_client_info *info, void *opaque), void *opaque);

#endif
