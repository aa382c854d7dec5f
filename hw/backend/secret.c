/*
 * Secrets; see hw/backend/secret.h. The bytes come from data= or file=, as they are or in base64.
 * They are wiped before their memory is given back, and properties do not show them.
 */
#include <hw/backend/secret.h>

#include <string.h>
#include <base/error.h>

#define SECRET_MAX (1 << 20)

enum { FORMAT_RAW, FORMAT_BASE64 };

struct secret {
    struct object obj;
    char *data, *file;
    int format;
    uint8_t *bytes;
    size_t len;
};

static void wipe(void *p, size_t len)
{
    if (p)
        explicit_bzero(p, len);
}

/* g_base64_decode() skips what is none; here such text is an error. */
static bool check_base64(const struct secret *s, const char *text, size_t len, GError **err)
{
    size_t digits = 0, pads = 0;

    for (size_t i = 0; i < len; i++) {
        if (g_ascii_isspace(text[i]))
            continue;
        if (text[i] == '=')
            pads++;
        else if (pads || !(g_ascii_isalnum(text[i]) || strchr("+/", text[i])))
            return error_set(err, "secret '%s': that is not base64", s->obj.id);
        else
            digits++;
    }
    if ((digits + pads) % 4 || pads > 2)
        return error_set(err, "secret '%s': that is not base64", s->obj.id);
    return true;
}

/* Takes `text` over, which a NUL follows. */
static bool take_bytes(struct secret *s, char *text, size_t len, GError **err)
{
    bool ok = true;

    if (s->format == FORMAT_RAW) {
        s->bytes = (uint8_t *)text;
        s->len = len;
        return true;
    }
    ok = check_base64(s, text, len, err);
    if (ok) {
        gsize n;
        g_autofree uint8_t *bytes = g_base64_decode(text, &n);

        s->bytes = g_malloc0(n + 1);
        memcpy(s->bytes, bytes, n);
        s->len = n;
        wipe(bytes, n);
    }
    wipe(text, len);
    g_free(text);
    return ok;
}

static bool secret_complete(struct object *o, GError **err)
{
    struct secret *s = (struct secret *)o;
    GError *why = NULL;
    char *text = NULL;
    gsize len;

    if (!s->data == !s->file)
        return error_set(err, "secret '%s': give one of data and file", o->id);
    if (s->file && !g_file_get_contents(s->file, &text, &len, &why)) {
        error_set(err, "secret '%s': cannot read '%s': %s", o->id, s->file, why->message);
        g_error_free(why);
        return false;
    }
    if (s->data) {
        len = strlen(s->data);
        text = g_strdup(s->data);
        wipe(s->data, len);
        g_clear_pointer(&s->data, g_free);
    }
    if (len > SECRET_MAX) {
        wipe(text, len);
        g_free(text);
        return error_set(err, "secret '%s': '%s' is longer than %d bytes", o->id, s->file,
                         SECRET_MAX);
    }
    return take_bytes(s, text, len, err);
}

static void secret_free(struct object *o)
{
    struct secret *s = (struct secret *)o;

    wipe(s->bytes, s->len);
    g_free(s->bytes);
}

const uint8_t *secret_find(struct machine *m, const char *id, const char *what, size_t *len,
                           GError **err)
{
    const struct secret *s = (struct secret *)object_find_role(m, id, SECRET, what, err);

    if (!s)
        return NULL;
    *len = s->len;
    return s->bytes;
}

static const char *const formats[] = { "raw", "base64", NULL };
static const struct prop secret_props[] = {
    PROP_STR(struct secret, data, "data", NULL, "the secret itself"),
    PROP_STR(struct secret, file, "file", NULL, "file that holds it"),
    PROP_ENUM(struct secret, format, "format", FORMAT_RAW, "how it is written", formats),
    PROP_LIST_END
};

const struct object_type secret_object = {
    .name = "secret",
    .help = "a password or key",
    .role = SECRET,
    .size = sizeof(struct secret),
    .props = secret_props,
    .complete = secret_complete,
    .free = secret_free,
};
