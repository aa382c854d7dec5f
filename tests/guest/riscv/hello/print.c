/* print.c - the formatter of print.h. */
#include <stdarg.h>
#include "string.h"
#include "print.h"
#include "sbi.h"

static void put_number(unsigned long n, unsigned base, int width)
{
    char text[24], *p = text + sizeof(text);

    do {
        *--p = "0123456789abcdef"[n % base];
        n /= base;
        width--;
    } while (n > 0 || width > 0);
    sbi_put(p, text + sizeof(text) - p);
}

void print(const char *format, ...)
{
    va_list args;
    const char *start = format, *s;

    va_start(args, format);
    for (; *format; format++) {
        if (*format != '%')
            continue;
        sbi_put(start, format - start);
        switch (*++format) {
        case 's':
            s = va_arg(args, const char *);
            sbi_put(s, strlen(s));
            break;
        case 'x': put_number(va_arg(args, unsigned long), 16, 1); break;
        case 'u': put_number(va_arg(args, unsigned long), 10, 1); break;
        default: put_number(va_arg(args, unsigned long), 10, *format - '0'); break;
        }
        start = format + 1;
    }
    sbi_put(start, format - start);
    va_end(args);
}
