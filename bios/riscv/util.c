/*
 * Memory and string functions. The compiler may call the first four on its own, so they are
 * complete; they are small rather than fast, as nothing large is ever moved.
 */
#include "util.h"

void *memmove(void *to, const void *from, size_t n)
{
    uint8_t *t = to;
    const uint8_t *f = from;

    if (t < f) {
        for (size_t i = 0; i < n; i++) {
            t[i] = f[i];
        }
    } else {
        while (n--) {
            t[n] = f[n];
        }
    }
    return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
    return memmove(to, from, n);
}

void *memset(void *to, int value, size_t n)
{
    uint8_t *t = to;

    while (n--) {
        *t++ = (uint8_t)value;
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    for (; n; n--, x++, y++) {
        if (*x != *y) {
            return *x - *y;
        }
    }
    return 0;
}

size_t str_len(const char *s)
{
    size_t n = 0;

    while (s[n]) {
        n++;
    }
    return n;
}

bool str_equal(const char *a, const char *b)
{
    size_t n = str_len(a);

    return n == str_len(b) && !memcmp(a, b, n);
}
