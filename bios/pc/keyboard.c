/* IRQ 1 and INT 16h: scan codes of set 1 become keys (Interrupt List, table 00006). */
#include "low.h"

enum { KBC_DATA = 0x60, KBC_STATUS = 0x64 };
enum { F_RSHIFT = 1, F_LSHIFT = 2, F_CTRL = 4, F_ALT = 8, F_SCROLL = 16, F_NUM = 32, F_CAPS = 64 };
enum { F2_PAUSE = 8 };
enum { F3_E1 = 1, F3_E0 = 2, F3_RCTRL = 4, F3_RALT = 8, F3_ENHANCED = 16 };

struct key {
    uint16_t plain, shift, ctrl, alt;
};

#define LETTER(scan, c)                                                                    \
    {                                                                                      \
        (scan) << 8 | (c), (scan) << 8 | ((c)-0x20), (scan) << 8 | ((c)&0x1f), (scan) << 8 \
    }
#define SIGN(scan, c, s, ctrl, alt)                     \
    {                                                   \
        (scan) << 8 | (c), (scan) << 8 | (s), ctrl, alt \
    }

static const struct key keys[] = {
    [0x01] = { 0x011b, 0x011b, 0x011b, 0x0100 },
    SIGN(0x02, '1', '!', 0, 0x7800),
    SIGN(0x03, '2', '@', 0x0300, 0x7900),
    SIGN(0x04, '3', '#', 0, 0x7a00),
    SIGN(0x05, '4', '$', 0, 0x7b00),
    SIGN(0x06, '5', '%', 0, 0x7c00),
    SIGN(0x07, '6', '^', 0x071e, 0x7d00),
    SIGN(0x08, '7', '&', 0, 0x7e00),
    SIGN(0x09, '8', '*', 0, 0x7f00),
    SIGN(0x0a, '9', '(', 0, 0x8000),
    SIGN(0x0b, '0', ')', 0, 0x8100),
    SIGN(0x0c, '-', '_', 0x0c1f, 0x8200),
    SIGN(0x0d, '=', '+', 0, 0x8300),
    SIGN(0x0e, 8, 8, 0x0e7f, 0x0e00),
    { 0x0f09, 0x0f00, 0x9400, 0xa500 },
    LETTER(0x10, 'q'),
    LETTER(0x11, 'w'),
    LETTER(0x12, 'e'),
    LETTER(0x13, 'r'),
    LETTER(0x14, 't'),
    LETTER(0x15, 'y'),
    LETTER(0x16, 'u'),
    LETTER(0x17, 'i'),
    LETTER(0x18, 'o'),
    LETTER(0x19, 'p'),
    SIGN(0x1a, '[', '{', 0x1a1b, 0x1a00),
    SIGN(0x1b, ']', '}', 0x1b1d, 0x1b00),
    SIGN(0x1c, '\r', '\r', 0x1c0a, 0x1c00),
    [0x1e] = LETTER(0x1e, 'a'),
    LETTER(0x1f, 's'),
    LETTER(0x20, 'd'),
    LETTER(0x21, 'f'),
    LETTER(0x22, 'g'),
    LETTER(0x23, 'h'),
    LETTER(0x24, 'j'),
    LETTER(0x25, 'k'),
    LETTER(0x26, 'l'),
    SIGN(0x27, ';', ':', 0, 0x2700),
    SIGN(0x28, '\'', '"', 0, 0x2800),
    SIGN(0x29, '`', '~', 0, 0x2900),
    [0x2b] = SIGN(0x2b, '\\', '|', 0x2b1c, 0x2b00),
    LETTER(0x2c, 'z'),
    LETTER(0x2d, 'x'),
    LETTER(0x2e, 'c'),
    LETTER(0x2f, 'v'),
    LETTER(0x30, 'b'),
    LETTER(0x31, 'n'),
    LETTER(0x32, 'm'),
    SIGN(0x33, ',', '<', 0, 0x3300),
    SIGN(0x34, '.', '>', 0, 0x3400),
    SIGN(0x35, '/', '?', 0, 0x3500),
    [0x37] = SIGN(0x37, '*', '*', 0x9600, 0x3700),
    [0x39] = { 0x3920, 0x3920, 0x3920, 0x3920 },
    [0x3b] = { 0x3b00, 0x5400, 0x5e00, 0x6800 },
    { 0x3c00, 0x5500, 0x5f00, 0x6900 },
    { 0x3d00, 0x5600, 0x6000, 0x6a00 },
    { 0x3e00, 0x5700, 0x6100, 0x6b00 },
    { 0x3f00, 0x5800, 0x6200, 0x6c00 },
    { 0x4000, 0x5900, 0x6300, 0x6d00 },
    { 0x4100, 0x5a00, 0x6400, 0x6e00 },
    { 0x4200, 0x5b00, 0x6500, 0x6f00 },
    { 0x4300, 0x5c00, 0x6600, 0x7000 },
    { 0x4400, 0x5d00, 0x6700, 0x7100 },
    [0x47] = SIGN(0x47, 0, '7', 0x7700, 0),
    SIGN(0x48, 0, '8', 0x8d00, 0),
    SIGN(0x49, 0, '9', 0x8400, 0),
    SIGN(0x4a, '-', '-', 0x8e00, 0x4a00),
    SIGN(0x4b, 0, '4', 0x7300, 0),
    SIGN(0x4c, 0xf0, '5', 0x8f00, 0),
    SIGN(0x4d, 0, '6', 0x7400, 0),
    SIGN(0x4e, '+', '+', 0x9000, 0x4e00),
    SIGN(0x4f, 0, '1', 0x7500, 0),
    SIGN(0x50, 0, '2', 0x9100, 0),
    SIGN(0x51, 0, '3', 0x7600, 0),
    SIGN(0x52, 0, '0', 0x9200, 0),
    SIGN(0x53, 0, '.', 0x9300, 0),
    [0x56] = SIGN(0x56, '\\', '|', 0, 0),
    { 0x8500, 0x8700, 0x8900, 0x8b00 },
    { 0x8600, 0x8800, 0x8a00, 0x8c00 },
};

/* ---- the controller ---- */

bool kbc_can_write(void)
{
    struct limit l;

    limit_start(&l, 100);
    while (inb(KBC_STATUS) & 2)
        if (limit_reached(&l))
            return false;
    return true;
}

bool kbc_has_byte(void)
{
    struct limit l;

    limit_start(&l, 200);
    while (!(inb(KBC_STATUS) & 1))
        if (limit_reached(&l))
            return false;
    return true;
}

static void command(uint8_t c)
{
    kbc_can_write();
    outb(KBC_STATUS, c);
}

/* To the keyboard; eats its answer. */
static void tell(uint8_t byte)
{
    kbc_can_write();
    outb(KBC_DATA, byte);
    if (kbc_has_byte())
        inb(KBC_DATA);
}

void keyboard_init(void)
{
    bda_write16(BDA_KBD_START, BDA_KBD_BUFFER);
    bda_write16(BDA_KBD_END, BDA_KBD_BUFFER + 32);
    bda_write16(BDA_KBD_HEAD, BDA_KBD_BUFFER);
    bda_write16(BDA_KBD_TAIL, BDA_KBD_BUFFER);
    bda_write8(BDA_KBD_FLAGS3, F3_ENHANCED);
    for (unsigned i = 0; i < 16 && (inb(KBC_STATUS) & 1); i++)
        inb(KBC_DATA);
    command(0xaa);
    if (!kbc_has_byte() || inb(KBC_DATA) != 0x55) {
        log_line("keyboard: no controller");
        return;
    }
    command(0xae);
    tell(0xff);
    if (kbc_has_byte())
        inb(KBC_DATA); /* 0xaa: the keyboard's test passed */
    tell(0xf4);
    command(0x60);
    kbc_can_write();
    outb(KBC_DATA, 0x61); /* translation, no mouse yet, interrupts */
}

/* ---- keys ---- */

bool keyboard_put(uint16_t key)
{
    uint16_t tail = bda_read16(BDA_KBD_TAIL), next = tail + 2;

    if (next == bda_read16(BDA_KBD_END))
        next = bda_read16(BDA_KBD_START);
    if (next == bda_read16(BDA_KBD_HEAD))
        return false;
    bda_write16(tail, key);
    bda_write16(BDA_KBD_TAIL, next);
    return true;
}

/* A modifier's bit in the flags at 0x17; 0: another key. */
static uint8_t modifier(uint8_t scan)
{
    switch (scan) {
    case 0x2a: return F_LSHIFT;
    case 0x36: return F_RSHIFT;
    case 0x1d: return F_CTRL;
    case 0x38: return F_ALT;
    }
    return 0;
}

static void update_modifier(uint8_t bit, bool released, bool e0)
{
    uint8_t flags = bda_read8(BDA_KBD_FLAGS), flags2 = bda_read8(BDA_KBD_FLAGS2);
    uint8_t flags3 = bda_read8(BDA_KBD_FLAGS3);

    if (bit & (F_CTRL | F_ALT)) {
        uint8_t right = bit == F_CTRL ? F3_RCTRL : F3_RALT, left = bit == F_CTRL ? 1 : 2;

        if (e0)
            flags3 = released ? flags3 & ~right : flags3 | right;
        else
            flags2 = released ? flags2 & ~left : flags2 | left;
        released = !(flags3 & right) && !(flags2 & left);
    } else if (e0) {
        return; /* a shift that the keyboard puts around its extended keys */
    }
    bda_write8(BDA_KBD_FLAGS2, flags2);
    bda_write8(BDA_KBD_FLAGS3, flags3);
    bda_write8(BDA_KBD_FLAGS, released ? flags & ~bit : flags | bit);
    if (bit == F_ALT && released && bda_read8(BDA_KBD_ALT)) {
        keyboard_put(bda_read8(BDA_KBD_ALT));
        bda_write8(BDA_KBD_ALT, 0);
    }
}

static bool update_lock(uint8_t scan, bool released)
{
    uint8_t bit = scan == 0x3a ? F_CAPS : scan == 0x45 ? F_NUM : scan == 0x46 ? F_SCROLL : 0;
    uint8_t held;

    if (!bit)
        return false;
    held = bda_read8(BDA_KBD_FLAGS2);
    if (!released && !(held & bit))
        bda_write8(BDA_KBD_FLAGS, bda_read8(BDA_KBD_FLAGS) ^ bit);
    bda_write8(BDA_KBD_FLAGS2, released ? held & ~bit : held | bit);
    return true;
}

/* Alt and digits on the keypad spell a character's number. */
static bool alt_digit(uint8_t scan)
{
    static const uint8_t digits[] = { 7, 8, 9, 255, 4, 5, 6, 255, 1, 2, 3, 0 };

    if (scan < 0x47 || scan > 0x52 || digits[scan - 0x47] == 255)
        return false;
    bda_write8(BDA_KBD_ALT, bda_read8(BDA_KBD_ALT) * 10 + digits[scan - 0x47]);
    return true;
}

static uint16_t extended_key(uint8_t scan, uint8_t flags)
{
    if (scan == 0x1c)
        return flags & F_ALT ? 0xa600 : flags & F_CTRL ? 0xe00a : 0xe00d;
    if (scan == 0x35)
        return flags & F_ALT ? 0xa400 : flags & F_CTRL ? 0x9500 : 0xe02f;
    if (scan < 0x47 || scan > 0x53)
        return 0;
    if (flags & F_ALT)
        return (uint16_t)((scan + 0x50) << 8);
    if (flags & F_CTRL)
        return keys[scan].ctrl | 0xe0;
    return (uint16_t)(scan << 8 | 0xe0);
}

static uint16_t plain_key(uint8_t scan, uint8_t flags)
{
    const struct key *k = &keys[scan];
    bool shift = flags & (F_LSHIFT | F_RSHIFT);
    uint8_t c = (uint8_t)k->plain;

    if (flags & F_ALT)
        return k->alt;
    if (flags & F_CTRL)
        return k->ctrl;
    if (((flags & F_CAPS) && c >= 'a' && c <= 'z') ||
        ((flags & F_NUM) && scan >= 0x47 && scan <= 0x53))
        shift = !shift;
    return shift ? k->shift : k->plain;
}

static void special(uint8_t scan, bool e0, uint8_t flags)
{
    if (scan == 0x53 && (flags & (F_CTRL | F_ALT)) == (F_CTRL | F_ALT)) {
        bda_write16(0x72, 0x1234);
        outb(0xcf9, 6);
        outb(KBC_STATUS, 0xfe);
    } else if (e0 && scan == 0x46) {
        bda_write8(BDA_BREAK, 0x80);
        __asm__ volatile("int $0x1b" : : : "memory");
        keyboard_put(0);
    } else if (e0 && scan == 0x37) {
        __asm__ volatile("int $0x05" : : : "memory");
    }
}

static void scan_code(uint8_t code)
{
    static uint8_t pause_left; /* bytes after 0xe1 */
    uint8_t flags3 = bda_read8(BDA_KBD_FLAGS3), scan = code & 0x7f, flags, bit;
    bool released = code & 0x80, e0 = flags3 & F3_E0;
    uint16_t key;

    if (code == 0xe1) {
        pause_left = 2;
        return;
    }
    if (pause_left) {
        pause_left--;
        return;
    }
    bda_write8(BDA_KBD_FLAGS3, code == 0xe0 ? flags3 | F3_E0 : flags3 & ~F3_E0);
    if (code == 0xe0)
        return;
    bit = modifier(scan);
    if (bit) {
        update_modifier(bit, released, e0);
        return;
    }
    flags = bda_read8(BDA_KBD_FLAGS);
    if (!e0 && update_lock(scan, released))
        return;
    if (released || scan >= ARRAY_LEN(keys) || ((flags & F_ALT) && !e0 && alt_digit(scan)))
        return;
    special(scan, e0, flags);
    key = e0 ? extended_key(scan, flags) : plain_key(scan, flags);
    if (key)
        keyboard_put(key);
}

/* Programs may change or eat a code in INT 15h, AH=4Fh. */
static bool intercept(uint8_t *code)
{
    uint32_t ax = 0x4f00 | *code;
    uint8_t keep;

    __asm__ volatile("pushw %%ds\n\tpushw %%es\n\tstc\n\tint $0x15\n\tsetc %1\n\tpopw %%es\n\t"
                     "popw %%ds"
                     : "+a"(ax), "=q"(keep)
                     :
                     : "memory", "cc");
    *code = (uint8_t)ax;
    return keep;
}

void keyboard_irq(void)
{
    uint8_t code;

    if (inb(KBC_STATUS) & 1) {
        code = inb(KBC_DATA);
        if (intercept(&code))
            scan_code(code);
    }
    __asm__ volatile("cli");
    outb(0x20, 0x20);
}

/* ---- INT 16h ---- */

static bool peek(uint16_t *key)
{
    uint16_t head;

    console_poll();
    head = bda_read16(BDA_KBD_HEAD);
    if (head == bda_read16(BDA_KBD_TAIL))
        return false;
    *key = bda_read16(head);
    return true;
}

static void drop(void)
{
    uint16_t head = bda_read16(BDA_KBD_HEAD) + 2;

    bda_write16(BDA_KBD_HEAD, head == bda_read16(BDA_KBD_END) ? bda_read16(BDA_KBD_START) : head);
}

/* What the functions of the first keyboards say of a key. False: they do not know it. */
static bool old_key(uint16_t *key)
{
    uint8_t scan = *key >> 8, c = (uint8_t)*key;

    if (scan == 0xe0)
        *key = (uint16_t)((c == 0x2f ? 0x35 : 0x1c) << 8 | c);
    else if (scan > 0x84)
        return false;
    else if ((c == 0xe0 || c == 0xf0) && scan)
        *key &= 0xff00;
    return c != 0xf0;
}

static bool get_key(uint16_t *key, bool enhanced)
{
    while (peek(key)) {
        if (enhanced) {
            if ((*key & 0xff) == 0xf0 && *key >> 8)
                *key &= 0xff00;
            return true;
        }
        if (old_key(key))
            return true;
        drop();
    }
    return false;
}

static void wait_key(struct regs *r, bool enhanced)
{
    while (!get_key(&r->ax, enhanced))
        __asm__ volatile("sti; hlt" : : : "memory");
    drop();
}

void int16(struct regs *r)
{
    bool enhanced = r->ah & 0x10;
    uint16_t key;

    switch (r->ah) {
    case 0x00:
    case 0x10: wait_key(r, enhanced); break;
    case 0x01:
    case 0x11:
        set_flag(r, FLAG_ZF, !get_key(&key, enhanced));
        if (!(r->flags & FLAG_ZF))
            r->ax = key;
        else
            __asm__ volatile("sti; nop" : : : "memory");
        break;
    case 0x02: r->al = bda_read8(BDA_KBD_FLAGS); break;
    case 0x03:
        if (r->al == 5) {
            __asm__ volatile("cli");
            tell(0xf3);
            tell((uint8_t)((r->bh & 3) << 5 | (r->bl & 31)));
        }
        break;
    case 0x05: r->al = !keyboard_put(r->cx); break;
    case 0x09:
        r->al = 0x30; /* rates can be set, enhanced functions are there */
        break;
    case 0x12:
        r->al = bda_read8(BDA_KBD_FLAGS);
        r->ah = (bda_read8(BDA_KBD_FLAGS2) & 0x73) | (bda_read8(BDA_KBD_FLAGS3) & 0x0c);
        break;
    case 0x92: r->ah = 0x80; break;
    case 0xa2: break;
    }
}

uint16_t key_wait(uint32_t ms)
{
    struct limit l;
    uint16_t key;

    limit_start(&l, ms);
    do {
        if (get_key(&key, false)) {
            drop();
            return key;
        }
    } while (!limit_reached(&l));
    return 0;
}
