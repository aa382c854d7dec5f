/*
 * INT 10h where there is no VGA: the screen is a terminal of 80 by 25 on the first serial port,
 * and what is typed there becomes keys. Positions travel as ANSI sequences (ECMA-48, 8.3.21), and
 * only when the terminal's cursor is elsewhere.
 */
#include "low.h"

#define COLUMNS 80
#define ROWS    25

static bool active;
static uint8_t shown_row, shown_column; /* the terminal's cursor */
static uint8_t escape;                  /* bytes of an arrow key's sequence seen */

bool console_is_serial(void)
{
    return active;
}

/* ---- out ---- */

static void send(char c)
{
    uint16_t port = bda_read16(BDA_COM);
    struct limit l;

    if (!port)
        return;
    limit_start(&l, 100);
    while (!(inb(port + 5) & 0x20))
        if (limit_reached(&l))
            return;
    outb(port, (uint8_t)c);
}

static void send_format(const char *format, uint32_t a, uint32_t b)
{
    const uint32_t args[] = { a, b };

    format_to(send, format, args);
}

static void move_to(uint8_t row, uint8_t column)
{
    if (row != shown_row || column != shown_column)
        send_format("\033[%u;%uH", row + 1u, column + 1u);
    shown_row = row;
    shown_column = column;
}

static void clear(void)
{
    send_format("\033[H\033[2J", 0, 0);
    shown_row = shown_column = 0;
    bda_write16(BDA_CURSOR, 0);
}

static void show(uint8_t row, uint8_t column, uint8_t c)
{
    move_to(row, column);
    send(c >= 0x20 && c < 0x7f ? (char)c : c ? '?' : ' ');
    if (++shown_column == COLUMNS)
        shown_column = 0xff; /* terminals differ in where they are now */
}

static void teletype(uint8_t c)
{
    uint16_t at = bda_read16(BDA_CURSOR);
    uint8_t row = at >> 8, column = (uint8_t)at;

    switch (c) {
    case '\a': return;
    case '\b': column -= column > 0; break;
    case '\r': column = 0; break;
    case '\n': row++; break;
    default:
        show(row, column++, c);
        if (column == COLUMNS) {
            column = 0;
            row++;
        }
    }
    if (row == ROWS) { /* a line feed on the last line scrolls there, too */
        move_to(--row, 0);
        send('\n');
    }
    if (c == '\r' && row == shown_row) {
        send('\r');
        shown_column = 0;
    } else if (c == '\n' && row == shown_row + 1) {
        send('\n');
        shown_row++;
    }
    bda_write16(BDA_CURSOR, (uint16_t)(row << 8 | column));
}

static void write_string(const struct regs *r)
{
    uint16_t at = bda_read16(BDA_CURSOR), off = (uint16_t)r->ebp;

    bda_write16(BDA_CURSOR, r->dx);
    for (unsigned n = r->cx; n; n--, off += r->al & 2 ? 2 : 1)
        teletype(far_read8(r->es, off));
    if (!(r->al & 1))
        bda_write16(BDA_CURSOR, at);
}

void int10(struct regs *r)
{
    uint16_t at = bda_read16(BDA_CURSOR);

    if (!active)
        return;
    switch (r->ah) {
    case 0x00:
        clear();
        r->al = 0x30;
        break;
    case 0x01: bda_write16(BDA_CURSOR_SHAPE, r->cx); break;
    case 0x02:
        bda_write16(BDA_CURSOR, r->dx);
        move_to(r->dh, r->dl);
        break;
    case 0x03:
        r->dx = at;
        r->cx = bda_read16(BDA_CURSOR_SHAPE);
        break;
    case 0x06:
    case 0x07:
        if (!r->al)
            clear();
        break;
    case 0x08: r->ax = 0x0720; break;
    case 0x09:
    case 0x0a:
        for (unsigned i = 0; i < r->cx && (at & 0xff) + i < COLUMNS; i++)
            show(at >> 8, (uint8_t)(at + i), r->al);
        break;
    case 0x0e: teletype(r->al); break;
    case 0x0f:
        r->ax = COLUMNS << 8 | 3;
        r->bh = 0;
        break;
    case 0x13: write_string(r); break;
    }
}

/* Ours stands in while no ROM has taken INT 10h. */
void console_init(void)
{
    active = far_read16(0, 0x10 * 4 + 2) == SEG_BIOS;
    if (!active)
        return;
    bda_write8(BDA_VIDEO_MODE, 3);
    bda_write16(BDA_VIDEO_COLUMNS, COLUMNS);
    bda_write16(BDA_VIDEO_SIZE, 0x1000);
    bda_write16(BDA_CURSOR_SHAPE, 0x0607);
    bda_write8(BDA_VIDEO_ROWS, ROWS - 1);
    bda_write16(BDA_CHAR_HEIGHT, 16);
    bda_write16(BDA_CRTC, 0x3d4);
}

/* ---- in ---- */

/* The scan code of a character on the American layout. */
static uint16_t key_of(uint8_t c)
{
    static const char rows[] = "\0\033"
                               "1234567890-=\b\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./";
    static const char shifted[] =
        "\0\033!@#$%^&*()_+\b\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?";
    uint8_t plain = c;

    if (c == 0x7f)
        plain = c = '\b';
    else if (c == ' ')
        return 0x3920;
    else if (c < 0x20 && c != '\r' && c != '\t' && c != '\b' && c != 0x1b)
        plain = c + 0x60;
    for (unsigned i = 1; i < sizeof(rows) - 1; i++)
        if ((uint8_t)rows[i] == plain || (uint8_t)shifted[i] == plain)
            return (uint16_t)(i << 8 | c);
    return c;
}

void console_poll(void)
{
    static const uint16_t arrows[] = { 0x48e0, 0x50e0, 0x4de0, 0x4be0 };
    uint16_t port = bda_read16(BDA_COM);

    if (!active || !port)
        return;
    while (inb(port + 5) & 1) {
        uint8_t c = inb(port);

        if (escape == 1 && c == '[') {
            escape = 2;
        } else if (escape == 2) {
            escape = 0;
            if (c >= 'A' && c <= 'D')
                keyboard_put(arrows[c - 'A']);
        } else if (c == 0x1b && (inb(port + 5) & 1)) {
            escape = 1;
        } else {
            escape = 0;
            keyboard_put(key_of(c));
        }
    }
}

/* ---- start-up's own messages ---- */

static void print_char(char c)
{
    if (c == '\n')
        print_char('\r');
    __asm__ volatile("pushal\n\tpushw %%ds\n\tpushw %%es\n\tint $0x10\n\tpopw %%es\n\tpopw %%ds\n\t"
                     "popal"
                     :
                     : "a"(0x0e00 | (uint8_t)c), "b"(7)
                     : "memory", "cc");
}

void print(const char *format, ...)
{
    __builtin_va_list ap;

    __builtin_va_start(ap, format);
    format_to(print_char, format, (const uint32_t *)(void *)ap);
    __builtin_va_end(ap);
}
