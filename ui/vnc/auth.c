/*
 * Passwords (RFC 6143, 7.2.2): the client encrypts a challenge with the password as the key, by
 * DES, which protects little: for secrets there is TLS. After wrong ones, all tries wait, longer
 * each time, so that passwords cannot be found by trying.
 */
#include "vnc.h"

#include <base/error.h>

#ifdef CONFIG_NETTLE

#include <base/library.h>
#include <nettle/des.h>
#include <sys/random.h>

/* nettle's header turns the short names into these */
#define NETTLE_FUNCTIONS(F, P) \
    F(P, set_key)              \
    F(P, encrypt)

static struct {
    NETTLE_FUNCTIONS(LIBRARY_POINTER, nettle_des_)
} des;
static struct library library = LIBRARY(des, NETTLE, nettle_des_, NETTLE_FUNCTIONS);

enum { WAIT_FIRST_MS = 500, WAIT_MAX_MS = 16000 };

bool auth_open(GError **err)
{
    return library_open(&library, "-vnc: passwords", err);
}

void auth_begin(struct client *c)
{
    if (getrandom(c->challenge, sizeof(c->challenge), 0) != sizeof(c->challenge)) {
        c->closing = true;
        return;
    }
    client_put(c, c->challenge, sizeof(c->challenge));
    c->next = auth_reply;
}

static uint8_t reversed(uint8_t b)
{
    uint8_t r = 0;

    for (unsigned i = 0; i < 8; i++)
        r |= (uint8_t)((b >> i & 1) << (7 - i));
    return r;
}

void auth_answer(const char *password, const uint8_t challenge[CHALLENGE_LEN],
                 uint8_t answer[CHALLENGE_LEN])
{
    uint8_t key[PASSWORD_LEN] = { 0 };
    struct des_ctx ctx;

    for (unsigned i = 0; i < PASSWORD_LEN && password[i]; i++)
        key[i] = reversed((uint8_t)password[i]);
    des.set_key(&ctx, key); /* a weak key is as good as any other here */
    des.encrypt(&ctx, CHALLENGE_LEN, answer, challenge);
    explicit_bzero(&ctx, sizeof(ctx));
    explicit_bzero(key, sizeof(key));
}

/* Not ending early, so that the time it takes says nothing. */
static bool matches(const struct client *c, const char *password, const uint8_t *reply)
{
    uint8_t want[CHALLENGE_LEN], differ = 0;

    auth_answer(password, c->challenge, want);
    for (unsigned i = 0; i < sizeof(want); i++)
        differ |= want[i] ^ reply[i];
    return !differ;
}

static int64_t wait_us(unsigned failures)
{
    int64_t ms = WAIT_FIRST_MS;

    for (unsigned i = 1; i < failures && ms < WAIT_MAX_MS; i++)
        ms *= 2;
    return MIN(ms, WAIT_MAX_MS) * 1000;
}

int auth_reply(struct client *c, const uint8_t *buf, size_t len)
{
    struct vnc *v = c->vnc;
    int64_t now = g_get_monotonic_time();
    bool ok;

    if (len < sizeof(c->challenge))
        return 0;
    pthread_mutex_lock(&v->lock);
    if (now < v->not_before) {
        c->retry = v->not_before;
        pthread_mutex_unlock(&v->lock);
        return 0; /* looked at again when it is time */
    }
    c->retry = 0;
    ok = v->password && matches(c, v->password, buf) &&
         (!v->expires || g_get_real_time() / G_USEC_PER_SEC < v->expires);
    v->failures = ok ? 0 : v->failures + 1;
    v->not_before = ok ? 0 : now + wait_us(v->failures);
    pthread_mutex_unlock(&v->lock);
    if (ok)
        handshake_authenticated(c);
    else
        handshake_failed(c, "wrong password");
    return sizeof(c->challenge);
}

#else

bool auth_open(GError **err)
{
    return error_set(err, "-vnc: passwords are not there (built without nettle)");
}

/* vnc_new() lets no server ask for a password. */
void auth_begin(struct client *c)
{
    c->closing = true;
}

#endif
