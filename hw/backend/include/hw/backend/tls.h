/* -object tls-creds-x509 and tls-creds-anon: who a server is, for options that name it by id. */
#ifndef HW_BACKEND_TLS_H
#define HW_BACKEND_TLS_H

#include <hw/core/object.h>

#define TLS_CREDS "tls-creds" /* the role */

struct tls_creds {
    const char *dir; /* of ca-cert.pem, server-cert.pem, server-key.pem; NULL: anonymous */
    bool server, verify_peer;
};

/* Strings belong to the object. False with err set where there is none; `what` begins the message.
 */
bool tls_creds_find(struct machine *m, const char *id, const char *what, struct tls_creds *creds,
                    GError **err) __attribute__((warn_unused_result));

#endif
