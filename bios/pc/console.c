/*
 * INT 10h on a terminal of 80 by 25 at a serial port: instead of a VGA where there is none, or
 * beside one that a VGA's BIOS serves, where fw_cfg asks for it. What is typed there becomes keys.
 * Positions travel as ANSI sequences (ECMA-48, 8.3.21), and only when the terminal's cursor is
 * elsewhere.
 */
#include "low.h"

#define COLUMNS 80
#define ROWS    25

/* OWN: there is no other INT 10h. MIRROR: the VGA's BIOS does all but what the terminal sees. */
static enum { NO_TERMINAL, OWN, MIRROR } terminal;
static uint8_t shown_row, shown_column; /* the terminal's cursor */
static uint8_t escape;                  /* bytes of an arrow key's sequence seen */

bool console_is_serial(void)
{
    return terminal == OWN;
}

/* ---- out ---- */

static uint16_t port_now(void)
{
    return terminal == MIRROR ? sys.mirror : bda_read16(BDA_COM);
}

static void send(char c)
{
    uint16_t port = port_now();
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
}

/* Lines and blocks of code page 437 by what looks most like them. */
static char ascii(uint8_t c)
{
    if (c >= 0x20 && c < 0x7f)
        return (char)c;
    if (c == 0 || c == 0xff)
        return ' ';
    if (c == 0xb3 || c == 0xba)
        return '|';
    if (c == 0xc4 || c == 0xcd)
        return '-';
    if (c >= 0xb4 && c <= 0xda)
        return '+';
    return c >= 0xb0 && c <= 0xdf ? '#' : '?';
}

static void show(uint8_t row, uint8_t column, uint8_t c)
{
    move_to(row, column);
    send(ascii(c));
    if (++shown_column == COLUMNS)
        shown_column = 0xff; /* terminals differ in where they are now */
}

/* From `at` on; returns where the cursor is behind it. */
static uint16_t teletype(uint16_t at, uint8_t c)
{
    uint8_t row = at >> 8, column = (uint8_t)at;

    switch (c) {
    case '\a': return at;
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
    return (uint16_t)(row << 8 | column);
}

static uint16_t write_string(const struct regs *r)
{
    uint16_t at = r->dx, off = (uint16_t)r->ebp;

    for (unsigned n = r->cx; n; n--, off += r->al & 2 ? 2 : 1)
        at = teletype(at, far_read8(r->es, off));
    return at;
}

/* A window is cleared, or all lines go up. */
static void scroll(const struct regs *r)
{
    if (!r->al && !r->cx) {
        clear();
    } else if (r->ah == 0x06 && !r->cx && r->dl >= COLUMNS - 1 && r->dh >= ROWS - 1) {
        move_to(ROWS - 1, 0);
        for (uint8_t n = r->al; n; n--)
            send('\n');
    } else if (!r->al) {
        for (uint8_t row = r->ch; row <= r->dh && row < ROWS; row++)
            for (uint8_t column = r->cl; column <= r->dl && column < COLUMNS; column++)
                show(row, column, ' ');
    }
}

/* What the terminal sees of a call; where the cursor is then. */
static uint16_t follow(const struct regs *r)
{
    uint16_t at = bda_read16(BDA_CURSOR);

    switch (r->ah) {
    case 0x00: clear(); return 0;
    case 0x02: move_to(r->dh, r->dl); return r->dx;
    case 0x06:
    case 0x07: scroll(r); break;
    case 0x09:
    case 0x0a:
        for (unsigned i = 0; i < r->cx && (at & 0xff) + i < COLUMNS; i++)
            show(at >> 8, (uint8_t)(at + i), r->al);
        break;
    case 0x0e: return teletype(at, r->al);
    case 0x13: return r->al & 1 ? write_string(r) : (write_string(r), at);
    }
    return at;
}

/* Of a mode of text, page 0, 80 columns. */
static bool can_follow(void)
{
    uint8_t mode = bda_read8(BDA_VIDEO_MODE);

    return (mode == 2 || mode == 3 || mode == 7) && !bda_read8(0x62);
}

void int10(struct regs *r)
{
    if (terminal == MIRROR && can_follow())
        follow(r);
    if (terminal != OWN)
        return;
    bda_write16(BDA_CURSOR, follow(r));
    switch (r->ah) {
    case 0x00: r->al = 0x30; break;
    case 0x01: bda_write16(BDA_CURSOR_SHAPE, r->cx); break;
    case 0x03:
        r->dx = bda_read16(BDA_CURSOR);
        r->cx = bda_read16(BDA_CURSOR_SHAPE);
        break;
    case 0x08: r->ax = 0x0720; break;
    case 0x0f:
        r->ax = COLUMNS << 8 | 3;
        r->bh = 0;
        break;
    }
}

static void describe_own(void)
{
    bda_write8(BDA_VIDEO_MODE, 3);
    bda_write16(BDA_VIDEO_COLUMNS, COLUMNS);
    bda_write16(BDA_VIDEO_SIZE, 0x1000);
    bda_write16(BDA_CURSOR_SHAPE, 0x0607);
    bda_write8(BDA_VIDEO_ROWS, ROWS - 1);
    bda_write16(BDA_CHAR_HEIGHT, 16);
    bda_write16(BDA_CRTC, 0x3d4);
}

/* Ours stands in while no ROM has taken INT 10h. */
void console_init(void)
{
    uint32_t vector = far_read32(0, 0x10 * 4);

    if (terminal == MIRROR)
        return;
    terminal = vector >> 16 == SEG_BIOS ? OWN : NO_TERMINAL;
    if (terminal == OWN) {
        describe_own();
    } else if (sys.mirror) {
        terminal = MIRROR;
        mirrored = vector;
        far_write32(0, 0x10 * 4, (uint32_t)SEG_BIOS << 16 | (uint16_t)(uintptr_t)int10_mirror);
        clear();
    }
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
    uint16_t port = port_now();

    if (terminal == NO_TERMINAL || !port)
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
