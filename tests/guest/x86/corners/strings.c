/*
 * INS and OUTS, and string instructions: every size, up and down, across pages, to and from
 * devices, and faults in the middle, after which registers say how far they have come.
 */
#include "corners.h"

enum { FW_SELECT = 0x510, FW_DATA = 0x511, SELECTOR = 0x50 };

static uint8_t room[3 * PAGE] __attribute__((aligned(4096)));
#define MIDDLE (room + PAGE)

SNIPPET(t_insb, "cld\n rep insb");
SNIPPET(t_insw, "cld\n rep insw");
SNIPPET(t_insl, "cld\n rep insl");
SNIPPET(t_insb_down, "std\n rep insb\n cld");
SNIPPET(t_insl_down, "std\n rep insl\n cld");
SNIPPET(t_insb_one, "cld\n insb");
SNIPPET(t_outsb, "cld\n rep outsb");
SNIPPET(t_outsw, "cld\n rep outsw");
SNIPPET(t_outsl, "cld\n rep outsl");
SNIPPET(t_outsb_down, "std\n rep outsb\n cld");
SNIPPET(t_movsb, "cld\n rep movsb");
SNIPPET(t_movsl, "cld\n rep movsl");
SNIPPET(t_movsb_down, "std\n rep movsb\n cld");
SNIPPET(t_stosl, "cld\n rep stosl");
SNIPPET(t_lodsw, "cld\n rep lodsw");
SNIPPET(t_scasb, "cld\n repne scasb");
SNIPPET(t_cmpsb, "cld\n repe cmpsb");
#ifdef __x86_64__
SNIPPET(t_movsq, "cld\n rep movsq");
SNIPPET(t_addr32, "cld\n addr32 rep movsb");
#else
SNIPPET(t_addr16, "cld\n addr16 rep stosb");
#endif

static void fill(void)
{
    for (unsigned k = 0; k < sizeof(room); k++)
        room[k] = (uint8_t)(k * 7 + k / 256);
}

static void show(const uint8_t *p, unsigned n)
{
    say(" ");
    while (n--)
        say_hex(*p++, 2);
}

/* Addresses are said as distances from the room, or from the device's. */
static word near(word at)
{
    return at - (word)room < sizeof(room) ? at - (word)room : at & 0xffff;
}

static void string(const char *name, const uint8_t *code, struct regs r, const uint8_t *look)
{
    say(name);
    say(":");
    forget();
    fault_address = 0;
    run(code, &r);
    say(" ");
    say_hex(r.ax, 8);
    say(" ");
    say_hex(r.cx, 4);
    say(" ");
    say_hex(near(r.si), 4);
    say(" ");
    say_hex(near(r.di), 4);
    say(" ");
    say_hex(r.flags & FLAGS_SHOWN, 3);
    if (fault_address) {
        say(" at ");
        say_hex(near(fault_address), 4);
    }
    if (look)
        show(look, 8);
    tell();
}

static void select_signature(void)
{
    __asm__ volatile("outw %w0, %w1" : : "a"(0), "d"(FW_SELECT));
}

#define MEM(p) ((word)(p))

static void ports(void)
{
    fill();
    select_signature();
    string("ins bytes across pages", t_insb,
           (struct regs){ .cx = 4, .dx = FW_DATA, .di = MEM(MIDDLE - 2) }, MIDDLE - 4);
    select_signature();
    string("ins bytes down", t_insb_down,
           (struct regs){ .cx = 4, .dx = FW_DATA, .di = MEM(MIDDLE + 1) }, MIDDLE - 4);
    select_signature();
    string("ins, one", t_insb_one, (struct regs){ .cx = 9, .dx = FW_DATA, .di = MEM(MIDDLE) },
           MIDDLE);
    select_signature();
    string("ins, none", t_insb, (struct regs){ .dx = FW_DATA, .di = MEM(MIDDLE) }, MIDDLE);
    out8(0x86, 0x12);
    out8(0x87, 0x34);
    string("ins words across pages", t_insw,
           (struct regs){ .cx = 2, .dx = 0x86, .di = MEM(MIDDLE - 3) }, MIDDLE - 4);
    out32(0xcf8, 0x80000844);
    string("ins longs across pages", t_insl,
           (struct regs){ .cx = 2, .dx = 0xcf8, .di = MEM(MIDDLE - 6) }, MIDDLE - 6);
    string("ins longs down", t_insl_down,
           (struct regs){ .cx = 2, .dx = 0xcf8, .di = MEM(MIDDLE + 2) }, MIDDLE - 2);
    for (unsigned k = 0; k < 16; k++)
        MIDDLE[(int)k - 8] = (uint8_t)("abcdefghijklmno\n"[k]);
    string("outs bytes across pages", t_outsb,
           (struct regs){ .cx = 16, .dx = 0xe9, .si = MEM(MIDDLE - 8) }, NULL);
    string("outs bytes down", t_outsb_down,
           (struct regs){ .cx = 16, .dx = 0xe9, .si = MEM(MIDDLE + 7) }, NULL);
    string("outs words", t_outsw, (struct regs){ .cx = 2, .dx = 0x86, .si = MEM(MIDDLE - 1) },
           NULL);
    say_hex(in8(0x86) | in8(0x87) << 8, 4);
    string("outs longs", t_outsl, (struct regs){ .cx = 3, .dx = 0xcf8, .si = MEM(MIDDLE - 6) },
           NULL);
    string("outs, none", t_outsb, (struct regs){ .dx = 0xe9, .si = MEM(MIDDLE) }, NULL);
}

static void devices(void)
{
    uint8_t *at = MIDDLE;

    fill();
    string("device to memory", t_movsl, (struct regs){ .cx = 3, .si = HPET, .di = MEM(at - 6) },
           at - 6);
    show(at + 2, 4);
    say("\n");
    *reg32(HPET + 0x10) = 0; /* its counter stands */
    *reg32(HPET + 0xf4) = 0;
    for (unsigned k = 0; k < 8; k++)
        at[k] = (uint8_t)(0x11 * k);
    string("memory to device", t_movsl, (struct regs){ .cx = 2, .si = MEM(at), .di = HPET + 0xf0 },
           NULL);
    say_hex(*reg32(HPET + 0xf0), 8);
    say_hex(*reg32(HPET + 0xf4), 8);
    string("device to device", t_movsl, (struct regs){ .cx = 1, .si = HPET, .di = HPET + 0xf0 },
           NULL);
    say_hex(*reg32(HPET + 0xf0), 8);
    string("stos to a device", t_stosl,
           (struct regs){ .ax = 0x1234567, .cx = 2, .di = HPET + 0xf0 }, NULL);
    say_hex(*reg32(HPET + 0xf4), 8);
    out32(0xcf8, 0x80000000);
    string("ins to a device", t_insl, (struct regs){ .cx = 1, .dx = 0xcf8, .di = HPET + 0xf0 },
           NULL);
    say_hex(*reg32(HPET + 0xf0), 8);
    string("outs from a device", t_outsl, (struct regs){ .cx = 1, .dx = 0xcf8, .si = HPET + 0xf0 },
           NULL);
    string("lods from a device", t_lodsw, (struct regs){ .cx = 2, .si = HPET }, NULL);
    string("scas in a device", t_scasb, (struct regs){ .ax = 0x80, .cx = 8, .di = HPET }, NULL);
    for (unsigned k = 0; k < 8; k++)
        at[k] = ((volatile uint8_t *)HPET)[k];
    at[6] ^= 1;
    string("cmps with a device", t_cmpsb, (struct regs){ .cx = 8, .si = HPET, .di = MEM(at) },
           NULL);
}

/* A table for one directory entry, one page of which is not there, or not to be written. */
static uint64_t table[512] __attribute__((aligned(4096)));

static void set_page(uint8_t *page, unsigned bits)
{
    word big = (word)page & ~(word)(BIG_PAGE - 1);

    for (unsigned k = 0; k < 512; k++)
        table[k] = (big + k * PAGE) | P | W;
    table[((word)page - big) / PAGE] = (word)page | bits;
    directory[big / BIG_PAGE] = (word)table | P | W;
    flush();
}

static void faults(void)
{
    fill();
    select_signature();
    set_page(MIDDLE, W);
    string("ins to a page that is not there", t_insb,
           (struct regs){ .cx = 4, .dx = FW_DATA, .di = MEM(MIDDLE - 2) }, NULL);
    string("ins down", t_insl_down,
           (struct regs){ .cx = 4, .dx = 0xcf8, .di = MEM(MIDDLE + PAGE + 4) }, NULL);
    string("outs", t_outsb, (struct regs){ .cx = 4, .dx = 0x80, .si = MEM(MIDDLE - 3) }, NULL);
    string("outs words", t_outsw, (struct regs){ .cx = 4, .dx = 0x80, .si = MEM(MIDDLE - 3) },
           NULL);
    string("movs", t_movsl, (struct regs){ .cx = 9, .si = MEM(room), .di = MEM(MIDDLE - 10) },
           NULL);
    string("movs from it", t_movsb,
           (struct regs){ .cx = 9, .si = MEM(MIDDLE - 2), .di = MEM(room) }, NULL);
    string("movs down", t_movsb_down,
           (struct regs){ .cx = 9, .si = MEM(room + 50), .di = MEM(MIDDLE + PAGE + 2) }, NULL);
    string("stos", t_stosl, (struct regs){ .cx = 9, .di = MEM(MIDDLE - 8) }, NULL);
    string("scas", t_scasb, (struct regs){ .ax = 0x1ff, .cx = 9, .di = MEM(MIDDLE - 2) }, NULL);
    string("movs from a device", t_movsl,
           (struct regs){ .cx = 9, .si = HPET, .di = MEM(MIDDLE - 4) }, NULL);
    set_page(MIDDLE, P);
    string("ins to a page to be read", t_insb,
           (struct regs){ .cx = 4, .dx = FW_DATA, .di = MEM(MIDDLE - 2) }, NULL);
    string("movs to it", t_movsl, (struct regs){ .cx = 4, .si = MEM(room), .di = MEM(MIDDLE - 4) },
           NULL);
    directory[(word)room / BIG_PAGE] = ((word)room & ~(word)(BIG_PAGE - 1)) | P | W | BIG;
    flush();
#ifdef __x86_64__
    string("movs q", t_movsq, (struct regs){ .cx = 3, .si = MEM(room), .di = MEM(MIDDLE - 4) },
           MIDDLE - 4);
    string("addr32", t_addr32,
           (struct regs){ .cx = 0x100000002, .si = MEM(room) | 1ULL << 33, .di = MEM(MIDDLE) },
           MIDDLE);
    string("= to a hole in addresses", t_stosl, (struct regs){ .cx = 9, .di = 0x7ffffffffffe },
           NULL);
#else
    string("addr16", t_addr16, (struct regs){ .ax = 0x5a, .cx = 0x10002, .di = 0x7fff },
           (const uint8_t *)0x7ffe);
#endif
}

void test_strings(void)
{
    say("-- strings\n");
    ports();
    devices();
    faults();
}
