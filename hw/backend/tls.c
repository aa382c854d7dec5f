/* Credentials of TLS; see hw/backend/tls.h. The files are read by who uses them. */
#include <hw/backend/tls.h>

#include <base/error.h>

enum { ENDPOINT_CLIENT, ENDPOINT_SERVER };

struct creds {
    struct object obj;
    char *dir;
    int endpoint;
    bool verify_peer;
};

static bool x509_complete(struct object *o, GError **err)
{
    const struct creds *c = (struct creds *)o;

    if (!c->dir)
        return error_set(err, "tls-creds-x509 '%s': dir=FOLDER is missing", o->id);
    return g_file_test(c->dir, G_FILE_TEST_IS_DIR) ||
           error_set(err, "tls-creds-x509 '%s': dir=%s is not a folder", o->id, c->dir);
}

static bool anon_complete(struct object *o, GError **err)
{
    (void)o, (void)err;
    return true;
}

static void creds_free(struct object *o)
{
    (void)o;
}

bool tls_creds_find(struct machine *m, const char *id, const char *what, struct tls_creds *creds,
                    GError **err)
{
    const struct creds *c = (struct creds *)object_find_role(m, id, TLS_CREDS, what, err);

    if (!c)
        return false;
    *creds = (struct tls_creds){ c->dir, c->endpoint == ENDPOINT_SERVER, c->verify_peer };
    return true;
}

static const char *const endpoints[] = { "client", "server", NULL };
#define CREDS_PROPS                                                                      \
    PROP_ENUM(struct creds, endpoint, "endpoint", ENDPOINT_CLIENT, "which side uses it", \
              endpoints),                                                                \
        PROP_BOOL(struct creds, verify_peer, "verify-peer", true,                        \
                  "the other side must show one, too")

static const struct prop x509_props[] = { PROP_STR(struct creds, dir, "dir", NULL,
                                                   "folder of ca-cert.pem and the keys"),
                                          CREDS_PROPS, PROP_LIST_END };
static const struct prop anon_props[] = { CREDS_PROPS, PROP_LIST_END };

const struct object_type tls_creds_x509_object = {
    .name = "tls-creds-x509",
    .help = "certificate and key for TLS",
    .role = TLS_CREDS,
    .size = sizeof(struct creds),
    .props = x509_props,
    .complete = x509_complete,
    .free = creds_free,
};
const struct object_type tls_creds_anon_object = {
    .name = "tls-creds-anon",
    .help = "TLS without proof of who is there",
    .role = TLS_CREDS,
    .size = sizeof(struct creds),
    .props = anon_props,
    .complete = anon_complete,
    .free = creds_free,
};
