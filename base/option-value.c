/* One value of an option: truth, number, size. The message says what was given and what would be
 * right. */
#include <base/option.h>
#include <base/error.h>

#include <errno.h>
#include <inttypes.h>

bool option_bool(const char *what, const char *text, bool *value, GError **err)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {
        { "on", true },   { "off", false },   { "yes", true }, { "no", false },
        { "true", true }, { "false", false }, { "y", true },   { "n", false },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (strcmp(text, words[i].word) == 0) {
            *value = words[i].value;
            return true;
        }
    }
    return error_set(err, "%s=%s: that is neither on nor off", what, text);
}

bool option_u64(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *value,
                GError **err)
{
    char *end;
    uint64_t v;

    /* strtoull would take blanks and signs. */
    if (!g_ascii_isdigit(text[0])) {
        return error_set(err, "%s=%s: that is not a number", what, text);
    }
    errno = 0;
    v = g_ascii_strtoull(text, &end, 0);
    if (*end) {
        return error_set(err, "%s=%s: that is not a number", what, text);
    }
    if (errno == ERANGE || v < min || v > max) {
        return error_set(err, "%s=%s is out of range, %" PRIu64 " to %" PRIu64 " is right", what,
                         text, min, max);
    }
    *value = v;
    return true;
}

bool option_i64(const char *what, const char *text, int64_t min, int64_t max, int64_t *value,
                GError **err)
{
    char *end;
    int64_t v;

    if (!g_ascii_isdigit(text[text[0] == '-'])) {
        return error_set(err, "%s=%s: that is not a number", what, text);
    }
    errno = 0;
    v = g_ascii_strtoll(text, &end, 0);
    if (*end) {
        return error_set(err, "%s=%s: that is not a number", what, text);
    }
    if (errno == ERANGE || v < min || v > max) {
        return error_set(err, "%s=%s is out of range, %" PRId64 " to %" PRId64 " is right", what,
                         text, min, max);
    }
    *value = v;
    return true;
}

/* Bytes of one suffix letter, 0 for none that is known. */
static uint64_t suffix_unit(char c)
{
    static const char letters[] = "BKMGTPE";
    const char *p = strchr(letters, g_ascii_toupper(c));

    return p ? 1ULL << (10 * (p - letters)) : 0;
}

enum { MAX_FRACTION_DIGITS = 18 };

/* "1.5": whole and the fraction as numerator over `scale`, a power of ten. */
static bool parse_decimal(const char *text, char **end, uint64_t *whole, uint64_t *num,
                          uint64_t *scale)
{
    errno = 0;
    *whole = g_ascii_strtoull(text, end, strncmp(text, "0x", 2) == 0 ? 16 : 10);
    *num = 0;
    *scale = 1;
    if (errno || !g_ascii_isdigit(text[0])) {
        return false;
    }
    if (**end == '.') {
        const char *p = *end + 1;

        if (!g_ascii_isdigit(*p)) {
            return false;
        }
        for (; g_ascii_isdigit(*p) && p - *end <= MAX_FRACTION_DIGITS; p++) {
            *num = *num * 10 + (uint64_t)(*p - '0');
            *scale *= 10;
        }
        *end = (char *)p;
    }
    return true;
}

bool option_size(const char *what, const char *text, uint64_t unit, uint64_t min, uint64_t max,
                 uint64_t *value, GError **err)
{
    uint64_t whole, num, scale;
    unsigned __int128 v;
    char *end;

    if (!parse_decimal(text, &end, &whole, &num, &scale)) {
        return error_set(err, "%s=%s: that is not a size (as 512M or 1.5G)", what, text);
    }
    if (*end) {
        unit = suffix_unit(*end);
        if (!unit || end[1]) {
            return error_set(err, "%s=%s: a size ends in one of B K M G T P E", what, text);
        }
    }
    v = (unsigned __int128)whole * unit + (unsigned __int128)num * unit / scale;
    if (v < min || v > max) {
        return error_set(err, "%s=%s is out of range, %" PRIu64 " to %" PRIu64 " bytes are right",
                         what, text, min, max);
    }
    *value = (uint64_t)v;
    return true;
}
