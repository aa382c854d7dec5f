/* Strings and the log on port 0x402; compiled for both parts. */
#include "bios.h"

#include <stdarg.h>

void *memcpy(void *to, const void *from, size_t n)
{
    void *d = to;

    __asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n) : : "memory");
    return to;
}

void *memset(void *to, int c, size_t n)
{
    void *d = to;

    __asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

static void put_number(void (*put)(char), uint32_t v, unsigned base)
{
    char digits[10];
    unsigned n = 0;

    do {
        digits[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    while (n)
        put(digits[--n]);
}

static void put_string(void (*put)(char), const char *s)
{
    while (*s)
        put(*s++);
}

void format_to(void (*put)(char), const char *format, const uint32_t *args)
{
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        switch (*++format) {
        case 's': put_string(put, (const char *)(uintptr_t)*args++); break;
        case 'c': put((char)*args++); break;
        case 'x': put_number(put, *args++, 16); break;
        case 'u': put_number(put, *args++, 10); break;
        }
    }
}

static void log_put(char c)
{
    outb(0x402, (uint8_t)c);
}

/* Variable arguments are words on the stack in both modes. */
void log_line(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    format_to(log_put, format, (const uint32_t *)(void *)ap);
    va_end(ap);
    log_put('\n');
}

/* Channel 0 of the timer counts down from 65536 in mode 2. */
static uint16_t pit_count(void)
{
    uint8_t low;

    outb(0x43, 0);
    low = inb(0x40);
    return (uint16_t)(low | inb(0x40) << 8);
}

void limit_start(struct limit *l, uint32_t ms)
{
    l->last = pit_count();
    l->left = ms * 1193;
}

bool limit_reached(struct limit *l)
{
    uint16_t now = pit_count(), passed = l->last - now;

    l->last = now;
    l->left = passed < l->left ? l->left - passed : 0;
    return !l->left;
}
