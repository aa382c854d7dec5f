/* TLS of one client, by GnuTLS: with certificates (x509), or without any proof (anonymous). */
#include "vnc.h"

#include <errno.h>
#include <base/error.h>

#ifdef CONFIG_GNUTLS

#include <base/library.h>
#include <gnutls/gnutls.h>

#define GNUTLS_FUNCTIONS(F, P)             \
    F(P, strerror)                         \
    F(P, certificate_allocate_credentials) \
    F(P, certificate_set_x509_key_file)    \
    F(P, certificate_set_x509_trust_file)  \
    F(P, init)                             \
    F(P, priority_set_direct)              \
    F(P, credentials_set)                  \
    F(P, certificate_server_set_request)   \
    F(P, transport_set_int2)               \
    F(P, anon_allocate_server_credentials) \
    F(P, anon_set_server_known_dh_params)  \
    F(P, certificate_free_credentials)     \
    F(P, deinit)                           \
    F(P, anon_free_server_credentials)     \
    F(P, certificate_verify_peers2)        \
    F(P, handshake)                        \
    F(P, error_is_fatal)                   \
    F(P, record_get_direction)             \
    F(P, record_recv)                      \
    F(P, record_send)                      \
    F(P, record_check_pending)

static struct {
    GNUTLS_FUNCTIONS(LIBRARY_POINTER, gnutls_)
} gnutls;
static struct library library = LIBRARY(gnutls, GNUTLS, gnutls_, GNUTLS_FUNCTIONS);

struct tls {
    gnutls_session_t session;
    gnutls_certificate_credentials_t x509;
    gnutls_anon_server_credentials_t anon;
    bool verify;
};

static bool failed(GError **err, const char *what, int rc)
{
    return error_set(err, "vnc: %s: %s", what, gnutls.strerror(rc));
}

static bool load_keys(struct tls *t, const struct vnc_tls *cfg, GError **err)
{
    g_autofree char *ca = g_build_filename(cfg->dir, "ca-cert.pem", NULL);
    g_autofree char *cert = g_build_filename(cfg->dir, "server-cert.pem", NULL);
    g_autofree char *key = g_build_filename(cfg->dir, "server-key.pem", NULL);
    int rc = gnutls.certificate_allocate_credentials(&t->x509);

    if (rc < 0)
        return failed(err, "tls", rc);
    rc = gnutls.certificate_set_x509_key_file(t->x509, cert, key, GNUTLS_X509_FMT_PEM);
    if (rc < 0)
        return error_set(err, "vnc: cannot read certificate '%s' with key '%s': %s", cert, key,
                         gnutls.strerror(rc));
    if (!cfg->verify_peer && !g_file_test(ca, G_FILE_TEST_EXISTS))
        return true;
    rc = gnutls.certificate_set_x509_trust_file(t->x509, ca, GNUTLS_X509_FMT_PEM);
    return rc > 0 || error_set(err, "vnc: cannot read CA certificate '%s'%s%s", ca,
                               rc < 0 ? ": " : "", rc < 0 ? gnutls.strerror(rc) : "");
}

static bool begin(struct tls *t, int fd, const struct vnc_tls *cfg, GError **err)
{
    int rc = gnutls.init(&t->session, GNUTLS_SERVER | GNUTLS_NONBLOCK);

    if (rc < 0)
        return failed(err, "tls", rc);
    rc = gnutls.priority_set_direct(
        t->session, cfg->dir ? "NORMAL" : "NORMAL:-VERS-TLS1.3:+ANON-ECDH:+ANON-DH", NULL);
    if (rc < 0)
        return failed(err, "tls", rc);
    if (cfg->dir)
        rc = gnutls.credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->x509);
    else
        rc = gnutls.credentials_set(t->session, GNUTLS_CRD_ANON, t->anon);
    if (rc < 0)
        return failed(err, "tls", rc);
    if (cfg->verify_peer)
        gnutls.certificate_server_set_request(t->session, GNUTLS_CERT_REQUIRE);
    gnutls.transport_set_int2(t->session, fd, fd);
    return true;
}

struct tls *tls_new(struct client *c, GError **err)
{
    const struct vnc_tls *cfg = &c->vnc->cfg.tls;
    struct tls *t = g_new0(struct tls, 1);
    int rc = 0;

    t->verify = cfg->verify_peer;
    if (!cfg->dir) {
        rc = gnutls.anon_allocate_server_credentials(&t->anon);
        if (rc >= 0)
            rc = gnutls.anon_set_server_known_dh_params(t->anon, GNUTLS_SEC_PARAM_MEDIUM);
        if (rc < 0)
            failed(err, "tls", rc);
    }
    if (rc < 0 || (cfg->dir && !load_keys(t, cfg, err)) || !begin(t, c->fd, cfg, err)) {
        tls_free(t);
        return NULL;
    }
    return t;
}

bool tls_check(const struct vnc_tls *cfg, GError **err)
{
    struct tls t = { 0 };
    bool ok = library_open(&library, "-vnc: TLS", err) && (!cfg->dir || load_keys(&t, cfg, err));

    if (t.x509)
        gnutls.certificate_free_credentials(t.x509);
    return ok;
}

void tls_free(struct tls *t)
{
    if (!t)
        return;
    if (t->session)
        gnutls.deinit(t->session);
    if (t->x509)
        gnutls.certificate_free_credentials(t->x509);
    if (t->anon)
        gnutls.anon_free_server_credentials(t->anon);
    g_free(t);
}

static bool peer_ok(struct tls *t)
{
    unsigned status;

    return !t->verify ||
           (gnutls.certificate_verify_peers2(t->session, &status) == 0 && status == 0);
}

int tls_shake(struct tls *t, bool *wants_write)
{
    int rc = gnutls.handshake(t->session);

    if (rc == GNUTLS_E_SUCCESS)
        return peer_ok(t) ? 1 : -1;
    if (gnutls.error_is_fatal(rc))
        return -1;
    *wants_write = gnutls.record_get_direction(t->session) == 1;
    return 0;
}

static ssize_t result(ssize_t rc)
{
    if (rc >= 0)
        return rc;
    errno = rc == GNUTLS_E_AGAIN ? EAGAIN : rc == GNUTLS_E_INTERRUPTED ? EINTR : EIO;
    return -1;
}

ssize_t tls_read(struct tls *t, void *buf, size_t len)
{
    return result(gnutls.record_recv(t->session, buf, len));
}

ssize_t tls_write(struct tls *t, const void *buf, size_t len)
{
    return result(gnutls.record_send(t->session, buf, len));
}

bool tls_has_input(const struct tls *t)
{
    return gnutls.record_check_pending(t->session) > 0;
}

#else

bool tls_check(const struct vnc_tls *cfg, GError **err)
{
    (void)cfg;
    return error_set(err, "vnc: TLS is not there (built without gnutls)");
}

struct tls *tls_new(struct client *c, GError **err)
{
    tls_check(&c->vnc->cfg.tls, err);
    return NULL;
}

void tls_free(struct tls *t)
{
    (void)t;
}

int tls_shake(struct tls *t, bool *wants_write)
{
    (void)t, (void)wants_write;
    return -1;
}

ssize_t tls_read(struct tls *t, void *buf, size_t len)
{
    (void)t, (void)buf, (void)len;
    errno = EIO;
    return -1;
}

ssize_t tls_write(struct tls *t, const void *buf, size_t len)
{
    (void)t, (void)buf, (void)len;
    errno = EIO;
    return -1;
}

bool tls_has_input(const struct tls *t)
{
    (void)t;
    return false;
}

#endif
