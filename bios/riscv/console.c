/*
 * Console output and input, shared by all harts.
 */
#include <stdarg.h>
#include "console.h"
#include "htif.h"
#include "util.h"

/* Registers of the 16550 (PC16550D data sheet, table 2). */
enum { UART_DATA = 0, UART_IER = 1, UART_FCR = 2, UART_LCR = 3, UART_MCR = 4, UART_LSR = 5 };
#define UART_DLL         0
#define UART_DLM         1
#define LSR_DATA_READY   0x01
#define LSR_THR_EMPTY    0x20
#define LCR_8N1          0x03
#define LCR_DLAB         0x80
#define FCR_ENABLE_CLEAR 0x07
#define BAUD             115200

/* Polls before a silent transmitter is given up, so that a stuck line cannot stall a hart for good.
 */
#define SPIN_LIMIT (1u << 22)

static struct console con;
static int lock;

static uint8_t uart_read(uint32_t reg)
{
    uintptr_t addr = con.base + ((uintptr_t)reg << con.reg_shift);

    return con.reg_width == 4 ? *(volatile uint32_t *)addr : *(volatile uint8_t *)addr;
}

static void uart_write(uint32_t reg, uint8_t value)
{
    uintptr_t addr = con.base + ((uintptr_t)reg << con.reg_shift);

    if (con.reg_width == 4) {
        *(volatile uint32_t *)addr = value;
    } else {
        *(volatile uint8_t *)addr = value;
    }
}

void console_init(const struct console *console)
{
    con = *console;
    if (con.kind != CONSOLE_UART) {
        return;
    }
    uart_write(UART_IER, 0);
    if (con.clock >= 16 * BAUD) {
        uint32_t divisor = (con.clock + 8 * BAUD) / (16 * BAUD);

        uart_write(UART_LCR, LCR_DLAB);
        uart_write(UART_DLL, divisor);
        uart_write(UART_DLM, divisor >> 8);
    }
    uart_write(UART_LCR, LCR_8N1);
    uart_write(UART_FCR, FCR_ENABLE_CLEAR);
    uart_write(UART_MCR, 0);
}

bool console_present(void)
{
    return con.kind != CONSOLE_NONE;
}

static bool put(uint8_t c)
{
    switch (con.kind) {
    case CONSOLE_UART:
        for (uint32_t i = 0; i < SPIN_LIMIT; i++) {
            if (uart_read(UART_LSR) & LSR_THR_EMPTY) {
                uart_write(UART_DATA, c);
                return true;
            }
        }
        return false;
    case CONSOLE_HTIF: return htif_putc(con.base, c);
    default: return false;
    }
}

static void take_lock(void)
{
    while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE)) {
        cpu_relax();
    }
}

static void drop_lock(void)
{
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

unsigned long console_write(const uint8_t *bytes, unsigned long n)
{
    unsigned long done;

    take_lock();
    for (done = 0; done < n && put(bytes[done]); done++) {
    }
    drop_lock();
    return done;
}

bool console_putc(uint8_t c)
{
    return console_write(&c, 1);
}

int console_getc(void)
{
    int c = -1;

    take_lock();
    if (con.kind == CONSOLE_UART && uart_read(UART_LSR) & LSR_DATA_READY) {
        c = uart_read(UART_DATA);
    } else if (con.kind == CONSOLE_HTIF) {
        c = htif_getc(con.base);
    }
    drop_lock();
    return c;
}

static void put_text(const char *s)
{
    for (; *s; s++) {
        if (*s == '\n') {
            put('\r');
        }
        put(*s);
    }
}

static void put_number(unsigned long value, unsigned base)
{
    char digits[24], *p = digits + sizeof(digits);

    *--p = 0;
    do {
        *--p = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    put_text(p);
}

void console_printf(const char *format, ...)
{
    char one[2] = { 0 };
    va_list ap;

    va_start(ap, format);
    take_lock();
    for (; *format; format++) {
        if (format[0] == '%' && format[1]) {
            switch (*++format) {
            case 's': put_text(va_arg(ap, const char *)); break;
            case 'l': put_number(va_arg(ap, unsigned long), *++format == 'x' ? 16 : 10); break;
            }
        } else {
            one[0] = *format;
            put_text(one);
        }
    }
    drop_lock();
    va_end(ap);
}
