/* INT 10h, AH=01h to 0Ah, 0Eh, 13h: cursor, pages, characters. */
#include "vga.h"

enum { CURSOR_OFF = 0x20, PAGES = 8 };
enum { WRITE_MOVES = 1, WRITE_ATTRIBUTES = 2 };

static uint8_t columns(void)
{
    return (uint8_t)bda_read16(BDA_VIDEO_COLUMNS);
}

static uint8_t last_row(void)
{
    return bda_read8(BDA_VIDEO_ROWS);
}

uint16_t page_offset(uint8_t page)
{
    return (uint16_t)(page * bda_read16(BDA_VIDEO_SIZE));
}

static struct cell cursor(uint8_t page)
{
    uint16_t at = bda_read16(BDA_CURSOR + 2 * (page & (PAGES - 1)));

    return (struct cell){ at >> 8, (uint8_t)at };
}

static uint16_t cell_offset(uint8_t page, struct cell at)
{
    return page_offset(page) + 2 * (at.row * columns() + at.column);
}

static void crtc_word(uint8_t index, uint16_t v)
{
    uint16_t crtc = crtc_port();

    indexed_write(crtc, index, v >> 8);
    indexed_write(crtc, index + 1, (uint8_t)v);
}

void cursor_move(uint8_t page, uint8_t row, uint8_t column)
{
    page &= PAGES - 1;
    bda_write16(BDA_CURSOR + 2 * page, (uint16_t)(row << 8 | column));
    if (page == bda_read8(BDA_PAGE))
        crtc_word(0x0e, cell_offset(page, (struct cell){ row, column }) / 2);
}

/* Programs written for characters of eight lines are understood where they are higher: an underline
 * stays one, a block becomes as high as the character. */
void cursor_shape(uint8_t start, uint8_t end)
{
    uint8_t height = bda_read8(BDA_CHAR_HEIGHT), lines = end - start;

    bda_write16(BDA_CURSOR_SHAPE, (uint16_t)(start << 8 | end));
    if (!(bda_read8(BDA_VIDEO_CONTROL) & CONTROL_NO_EMULATION) && height > 8 && end < 8 &&
        start <= end) {
        if (end >= 6 && lines <= 2) {
            end = height - 2;
            start = end - lines;
        } else {
            start = start * height / 8;
            end = (end + 1) * height / 8 - 1;
        }
    }
    indexed_write(crtc_port(), 0x0a, start & 0x3f);
    indexed_write(crtc_port(), 0x0b, end & 0x1f);
}

void page_select(uint8_t page)
{
    const rom struct mode *m = mode_now();
    struct cell at = cursor(page);
    uint16_t start = page_offset(page);

    if (!m || page >= PAGES || m->kind == KIND_BYTES)
        return;
    bda_write8(BDA_PAGE, page);
    bda_write16(BDA_PAGE_START, start);
    crtc_word(0x0c, m->kind == KIND_PLANES ? start : start / 2);
    cursor_move(page, at.row, at.column);
}

/* ---- characters ---- */

static void text_scroll(uint16_t seg, uint8_t lines, uint8_t fill, struct cell from, struct cell to,
                        bool down)
{
    uint8_t page = bda_read8(BDA_PAGE), height = to.row - from.row + 1;
    uint16_t bytes = columns() * 2, width = to.column - from.column + 1;
    uint16_t at = cell_offset(page, (struct cell){ down ? to.row : from.row, from.column });
    uint16_t step = down ? -bytes : bytes;

    for (uint8_t i = 0; i < height; i++, at += step) {
        if (i + lines < height)
            far_copy(seg, at, seg, at + lines * step, width * 2);
        else
            far_fill(seg, at, (uint16_t)(fill << 8 | ' '), width);
    }
}

void scroll(uint8_t lines, uint8_t fill, struct cell from, struct cell to, bool down)
{
    const rom struct mode *m = mode_now();

    if (to.row > last_row())
        to.row = last_row();
    if (to.column >= columns())
        to.column = columns() - 1;
    if (!m || from.row > to.row || from.column > to.column)
        return;
    if (!lines || lines > to.row - from.row + 1)
        lines = to.row - from.row + 1;
    if (m->kind == KIND_TEXT)
        text_scroll(m->segment, lines, fill, from, to, down);
    else
        dots_scroll(m, lines, fill, from, to, down);
}

static void read_cell(struct regs *r)
{
    const rom struct mode *m = mode_now();

    if (!m)
        return;
    if (m->kind == KIND_TEXT)
        r->ax = far_read16(m->segment, cell_offset(r->bh, cursor(r->bh)));
    else
        r->al = dots_read(m, r->bh, cursor(r->bh));
}

/* One character; in text without `has_color` the attribute stays. */
static void show(uint8_t page, struct cell at, uint8_t c, uint8_t color, bool has_color)
{
    const rom struct mode *m = mode_now();
    uint16_t off = cell_offset(page, at);

    if (!m)
        return;
    if (m->kind != KIND_TEXT) {
        dots_show(m, page, at, c, color);
        return;
    }
    far_write8(m->segment, off, c);
    if (has_color)
        far_write8(m->segment, off + 1, color);
}

/* Goes on in the next row, as text in memory does. */
static void write_cells(const struct regs *r, bool has_color)
{
    struct cell at = cursor(r->bh);

    for (unsigned n = r->cx; n && at.row <= last_row(); n--) {
        show(r->bh, at, r->al, r->bl, has_color);
        if (++at.column == columns()) {
            at.column = 0;
            at.row++;
        }
    }
}

/* What the line that scrolls in is filled with: the attribute at the cursor. */
static uint8_t fill_of(uint8_t page, struct cell at)
{
    const rom struct mode *m = mode_now();

    return m && m->kind == KIND_TEXT ? far_read8(m->segment, cell_offset(page, at) + 1) : 0;
}

static void beep(void)
{
    uint8_t was = inb(0x61);

    outb(0x43, 0xb6);
    outb(0x42, 0x33); /* about 900 Hz */
    outb(0x42, 0x05);
    outb(0x61, was | 3);
    for (unsigned i = 0; i < 60000; i++)
        inb(0x61);
    outb(0x61, was);
}

static void put(uint8_t page, uint8_t c, uint8_t color, bool has_color)
{
    struct cell at = cursor(page);

    switch (c) {
    case '\a': beep(); return;
    case '\b': at.column -= at.column > 0; break;
    case '\r': at.column = 0; break;
    case '\n': at.row++; break;
    default:
        show(page, at, c, color, has_color);
        if (++at.column >= columns()) {
            at.column = 0;
            at.row++;
        }
    }
    if (at.row > last_row()) {
        at.row = last_row();
        if (page == bda_read8(BDA_PAGE))
            scroll(1, fill_of(page, at), (struct cell){ 0, 0 }, (struct cell){ at.row, 0xff },
                   false);
    }
    cursor_move(page, at.row, at.column);
}

void teletype(uint8_t page, uint8_t c, uint8_t color)
{
    put(page, c, color, false);
}

/* ES:BP, at DH:DL of page BH. */
static void write_string(const struct regs *r)
{
    struct cell was = cursor(r->bh);
    uint16_t off = (uint16_t)r->ebp;

    cursor_move(r->bh, r->dh == 0xff ? was.row : r->dh, r->dh == 0xff ? was.column : r->dl);
    for (unsigned n = r->cx; n; n--) {
        uint8_t c = far_read8(r->es, off++), color = r->bl;

        if (r->al & WRITE_ATTRIBUTES)
            color = far_read8(r->es, off++);
        put(r->bh, c, color, true);
    }
    if (!(r->al & WRITE_MOVES))
        cursor_move(r->bh, was.row, was.column);
}

void int10_text(struct regs *r)
{
    switch (r->ah) {
    case 0x01: cursor_shape(r->ch, r->cl); break;
    case 0x02: cursor_move(r->bh, r->dh, r->dl); break;
    case 0x03:
        r->dx = bda_read16(BDA_CURSOR + 2 * (r->bh & (PAGES - 1)));
        r->cx = bda_read16(BDA_CURSOR_SHAPE);
        break;
    case 0x04: r->ah = 0; break; /* there is no light pen */
    case 0x05: page_select(r->al); break;
    case 0x06:
    case 0x07:
        scroll(r->al, r->bh, (struct cell){ r->ch, r->cl }, (struct cell){ r->dh, r->dl },
               r->ah == 0x07);
        break;
    case 0x08: read_cell(r); break;
    case 0x09: write_cells(r, true); break;
    case 0x0a: write_cells(r, false); break;
    case 0x0e: teletype(bda_read8(BDA_PAGE), r->al, r->bl); break;
    case 0x13: write_string(r); break;
    }
}
