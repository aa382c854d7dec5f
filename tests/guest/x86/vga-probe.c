/*
 * Calls what a VGA's BIOS has, on a bare machine, and says on port 0xe9 what came of it; ends the
 * machine by port 0x501. A boot sector that loads the rest, which is 16-bit C in segment 0. Where
 * the word at offset 508 is a mode of VBE, it shows a picture in that one instead, for good.
 */
#include <stdbool.h>
#include <stdint.h>

__asm__(".section .boot, \"ax\"\n"
        "start: ljmp $0, $1f\n"
        "1: xorw %ax, %ax\n"
        "movw %ax, %ds; movw %ax, %es; movw %ax, %ss; movl $0x7c00, %esp\n"
        "movw $0x0210, %ax; movw $0x7e00, %bx; movw $2, %cx; movb $0, %dh\n"
        "int $0x13\n"
        "calll probe\n"
        "2: hlt; jmp 2b\n"
        ".org 508\n"
        "picture: .word 0\n"
        ".word 0xaa55\n");

#define BUFFER 0x6000 /* of 2 KiB */

struct regs {
    uint32_t eax, ebx, ecx, edx, edi, ebp;
};

static struct regs r;
static uint16_t out_es;

/* ES is 0 in the call; what comes back in it is out_es. */
static void call(uint32_t ax, uint32_t bx, uint32_t cx, uint32_t dx)
{
    r = (struct regs){ ax, bx, cx, dx, BUFFER, BUFFER };
    __asm__ volatile("pushal\n\tpushw %%es\n\t"
                     "movl (%%esi), %%eax\n\tmovl 4(%%esi), %%ebx\n\tmovl 8(%%esi), %%ecx\n\t"
                     "movl 12(%%esi), %%edx\n\tmovl 16(%%esi), %%edi\n\tmovl 20(%%esi), %%ebp\n\t"
                     "pushl %%esi\n\tint $0x10\n\tpopl %%esi\n\t"
                     "movl %%eax, (%%esi)\n\tmovl %%ebx, 4(%%esi)\n\tmovl %%ecx, 8(%%esi)\n\t"
                     "movl %%edx, 12(%%esi)\n\tmovl %%edi, 16(%%esi)\n\tmovl %%ebp, 20(%%esi)\n\t"
                     "movw %%es, %1\n\tpopw %%es\n\tpopal"
                     :
                     : "S"(&r), "m"(out_es)
                     : "memory", "cc");
}

/* ---- saying ---- */

static void outb(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" : : "a"(v), "d"(port));
}

static void say(const char *s)
{
    while (*s)
        outb(0xe9, (uint8_t)*s++);
}

static void hex(uint32_t v, unsigned digits)
{
    outb(0xe9, ' ');
    while (digits--)
        outb(0xe9, (uint8_t) "0123456789abcdef"[v >> (4 * digits) & 15]);
}

static void line(const char *name, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    say(name);
    hex(a & 0xffff, 4);
    hex(b & 0xffff, 4);
    hex(c & 0xffff, 4);
    hex(d & 0xffff, 4);
    say("\n");
}

static void regs(const char *name)
{
    line(name, r.eax, r.ebx, r.ecx, r.edx);
}

static uint8_t far8(uint16_t seg, uint16_t off)
{
    uint8_t v;

    __asm__ volatile("movw %1, %%fs\n\tmovb %%fs:(%2), %0"
                     : "=q"(v)
                     : "r"(seg), "r"((uint32_t)off));
    return v;
}

static uint16_t buffer16(unsigned off)
{
    return *(volatile uint16_t *)(BUFFER + off);
}

/* ---- IBM's modes ---- */

static void probe_mode(uint8_t mode)
{
    bool text = mode < 4 || mode == 7;

    call(mode, 0, 0, 0);
    call(0x0f00, 0, 0, 0);
    say("mode");
    hex(mode, 2);
    line("", r.eax, r.ebx >> 8, far8(0x40, 0x84), far8(0x40, 0x85));
    /* a character, and what is read back where it is and beside it */
    call(0x0200, 0, 0, 0x0203);
    call(0x0941, text ? 0x1e : 0x0001, 2, 0);
    call(0x0800, 0, 0, 0);
    line(" char", r.eax & (text ? 0xffff : 0xff), 0, 0, 0);
    call(0x0200, 0, 0, 0x0205);
    call(0x0800, 0, 0, 0);
    line(" none", r.eax & 0xff, 0, 0, 0);
    /* up by a line, and down by two */
    call(0x0601, 0x0700, 0, 0x1827);
    call(0x0200, 0, 0, 0x0104);
    call(0x0800, 0, 0, 0);
    line(" up", r.eax & 0xff, 0, 0, 0);
    call(0x0702, 0x0700, 0, 0x1827);
    call(0x0200, 0, 0, 0x0304);
    call(0x0800, 0, 0, 0);
    line(" down", r.eax & 0xff, 0, 0, 0);
    if (text)
        return;
    call(0x0c01, 0, 100, 100);
    call(0x0d00, 0, 100, 100);
    line(" pixel", r.eax & 0xff, 0, 0, 0);
    call(0x0d00, 0, 101, 100);
    line(" beside", r.eax & 0xff, 0, 0, 0);
}

static void probe_text(void)
{
    static const char text[] = "text\r\nmore";

    call(3, 0, 0, 0);
    call(0x1301, 0x0007, sizeof(text) - 1, 0x1800);
    for (unsigned i = 0; i < sizeof(text) - 1; i++)
        *(volatile uint8_t *)(BUFFER + i) = (uint8_t)text[i];
    call(3, 0, 0, 0);
    call(0x1301, 0x0007, sizeof(text) - 1, 0x1800); /* at the last line: it scrolls */
    call(0x0300, 0, 0, 0);
    regs("cursor");
    line("rows", far8(0xb800, 23 * 160), far8(0xb800, 24 * 160), far8(0xb800, 24 * 160 + 1), 0);
    call(0x0501, 0, 0, 0); /* page 1 */
    call(0x0e58, 0, 0, 0);
    line("page", far8(0xb900, 0), far8(0x40, 0x62), far8(0x40, 0x4e), far8(0x40, 0x4f));
    call(3, 0, 0, 0);
    call(0x1112, 0, 0, 0); /* 8x8: 50 rows */
    line("rows50", far8(0x40, 0x84), far8(0x40, 0x85), 0, 0);
    call(0x1201, 0x30, 0, 0);
    call(3, 0, 0, 0);
    line("lines350", far8(0x40, 0x84), far8(0x40, 0x85), 0, 0);
    call(0x1202, 0x30, 0, 0);
    call(3, 0, 0, 0);
    line("lines400", far8(0x40, 0x84), far8(0x40, 0x85), 0, 0);
}

static void probe_fonts(void)
{
    static const uint8_t which[] = { 2, 3, 6 };

    for (unsigned i = 0; i < sizeof(which); i++) {
        uint8_t height = which[i] == 3 ? 8 : which[i] == 2 ? 14 : 16, any = 0;

        call(0x1130, which[i] << 8, 0, 0);
        for (unsigned k = 0; k < height; k++)
            any |= far8(out_es, (uint16_t)r.ebp + 'A' * height + k);
        line("font", which[i], any != 0, far8(out_es, (uint16_t)r.ebp + 0xdb * height), 0);
    }
}

static void probe_rest(void)
{
    call(0x1200, 0x10, 0, 0);
    regs("ega");
    call(0x1a00, 0, 0, 0);
    regs("dcc");
    call(0x1010, 5, 0x1122, 0x3300);
    call(0x1015, 5, 0, 0);
    regs("dac");
    call(0x1000, 0x3901, 0, 0);
    call(0x1007, 1, 0, 0);
    regs("attr");
    call(0x1b00, 0, 0, 0);
    line("state", r.eax & 0xff, *(volatile uint8_t *)(BUFFER + 4), buffer16(5),
         *(volatile uint8_t *)(BUFFER + 0x22));
    call(0x1c00, 0, 7, 0);
    line("save", r.eax & 0xff, r.ebx, 0, 0);
    call(0x1c01, BUFFER, 7, 0);
    call(0x13, 0, 0, 0);
    call(0x1c02, BUFFER, 7, 0);
    call(0x0f00, 0, 0, 0);
    regs("back");
}

/* ---- VBE ---- */

static void probe_vbe_mode(uint16_t mode)
{
    uint16_t got;

    call(0x4f01, 0, mode, 0);
    say("vbe");
    hex(mode, 3);
    line("", r.eax, buffer16(0x12), buffer16(0x14), *(volatile uint8_t *)(BUFFER + 0x19));
    got = buffer16(0) & 0x80 ? mode | 0x4000 : mode;
    call(0x4f02, got, 0, 0);
    if ((r.eax & 0xffff) != 0x004f)
        regs(" refused");
    call(0x4f03, 0, 0, 0);
    if ((r.ebx & 0xffff) != got)
        regs(" other");
}

static void probe_vbe(void)
{
    uint16_t modes[112];
    unsigned n = 0;

    *(volatile uint32_t *)BUFFER = 0x32454256; /* VBE2 */
    call(0x4f00, 0, 0, 0);
    line("vesa", r.eax, buffer16(0), buffer16(4), buffer16(0x12));
    for (uint16_t at = buffer16(0x0e); n < 112; at += 2) {
        modes[n] = far8(buffer16(0x10), at) | far8(buffer16(0x10), at + 1) << 8;
        if (modes[n] == 0xffff)
            break;
        n++;
    }
    for (unsigned i = 0; i < n; i++)
        probe_vbe_mode(modes[i]);
    call(0x4f02, 0x103, 0, 0); /* 800x600x8 in banks */
    call(0x4f05, 0, 0, 3);
    call(0x4f05, 0x100, 0, 0);
    regs("window");
    call(0x4f06, 0, 1024, 0);
    regs("line");
    call(0x4f07, 0, 8, 100);
    call(0x4f07, 1, 0, 0);
    regs("start");
    call(0x4f08, 0x800, 0, 0);
    regs("dac8");
    *(volatile uint32_t *)BUFFER = 0x00a1b2c3;
    call(0x4f09, 0, 1, 7);
    *(volatile uint32_t *)BUFFER = 0;
    call(0x4f09, 1, 1, 7);
    line("palette", r.eax, buffer16(0), buffer16(2), 0);
    call(0x4f04, 0, 15, 0);
    regs("vsave");
    call(0x4f04, BUFFER, 15, 1);
    call(3, 0, 0, 0);
    call(0x4f04, BUFFER, 15, 2);
    call(0x4f03, 0, 0, 0);
    regs("vback");
    call(0x4f0a, 0, 0, 0);
    line("pm", r.eax, r.ecx != 0, 0, 0);
    call(0x4f15, 1, 0, 0);
    line("edid", r.eax, buffer16(0), buffer16(6), 0);
    call(0x4f02, 3, 0, 0);
    call(0x4f03, 0, 0, 0);
    regs("text");
}

/* ---- a picture, through the window: a square of 16 by 16 dots and the last dot are white ---- */

static uint32_t window = ~0u;

static void paint(uint32_t at, uint32_t bytes)
{
    for (; bytes; bytes--, at++) {
        if (at >> 16 != window) {
            window = at >> 16;
            call(0x4f05, 0, 0, window);
        }
        __asm__ volatile("movw %w0, %%fs\n\tmovb $0xff, %%fs:(%1)"
                         :
                         : "r"(0xa000), "r"(at & 0xffff)
                         : "memory");
    }
}

static void show_picture(uint16_t mode)
{
    uint32_t line_bytes, height, size;

    call(0x4f01, 0, mode, 0);
    line_bytes = buffer16(0x10);
    height = buffer16(0x14);
    size = (*(volatile uint8_t *)(BUFFER + 0x19) + 7) / 8;
    call(0x4f02, mode, 0, 0);
    *(volatile uint32_t *)BUFFER = 0x003f3f3f;
    call(0x4f09, 0, 1, 255);
    for (unsigned y = 0; y < 16; y++)
        paint(y * line_bytes, 16 * size);
    paint(height * line_bytes - size, size);
    say("shown\n");
    for (;;)
        __asm__ volatile("hlt");
}

void probe(void);

void probe(void)
{
    extern const volatile uint16_t picture;

    if (picture)
        show_picture(picture);
    for (uint8_t m = 0; m < 0x14; m++)
        if (m < 8 || m > 12)
            probe_mode(m);
    probe_text();
    probe_fonts();
    probe_rest();
    probe_vbe();
    say("end\n");
    outb(0x501, 0);
}
