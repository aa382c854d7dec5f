/*
 * What is said, what interrupts and exceptions leave behind, and the order of the tests.
 */
#include "corners.h"

enum { MET_MAX = 40, GATE_ATTR = 0x8e00, TSS_SELECTOR = 0x38 };

struct met {
    uint8_t vector;
    bool in_snippet;
    word place, error;
};

extern const uint8_t entries[], snippet_out[];
extern word snippet_stack;
extern uint8_t stack_end[];
extern uint32_t boot_info;
void call_snippet(const uint8_t *code, struct regs *r);
void trap(struct frame *f);

static struct met met[MET_MAX];
static volatile unsigned nmet;
static word base; /* of the snippet that runs; 0: none does */
void (*volatile hook)(struct frame *f);
bool stepping;
word fault_address;

void say(const char *text)
{
    while (*text)
        out8(0xe9, (uint8_t)*text++);
}

void say_hex(uint64_t v, unsigned digits)
{
    while (digits--)
        out8(0xe9, (uint8_t) "0123456789abcdef"[v >> 4 * digits & 15]);
}

void forget(void)
{
    nmet = 0;
}

void forget_but(unsigned n)
{
    nmet = nmet < n ? nmet : n;
}

unsigned met_count(void)
{
    return nmet;
}

static void tell_one(const struct met *m)
{
    say(" ");
    say_hex(m->vector, 2);
    if (m->in_snippet) {
        say("@");
        say_hex(m->place, 2);
    }
    if (m->vector == DF || (m->vector >= 10 && m->vector <= PF)) {
        say("(");
        say_hex(m->error, 4);
        say(")");
    }
}

void tell(void)
{
    for (unsigned k = 0; k < nmet && k < MET_MAX; k++)
        tell_one(&met[k]);
    say("\n");
}

void tell_sorted(void)
{
    for (unsigned k = 1; k < nmet && k < MET_MAX; k++)
        for (unsigned n = k; n && met[n].vector < met[n - 1].vector; n--) {
            struct met m = met[n];

            met[n] = met[n - 1];
            met[n - 1] = m;
        }
    tell();
}

static void end_interrupt(unsigned vector)
{
    if (vector >= PIC && vector < PIC + 16)
        out8(0x20, 0x20);
    else if (vector != SPURIOUS)
        *reg32(APIC + 0xb0) = 0;
}

/* Outside of snippets nothing may fault. */
static void give_up(const struct frame *f)
{
    say("lost: ");
    say_hex(f->vector, 2);
    say(" ");
    say_hex(f->error, 4);
    say(" at ");
    say_hex(f->ip, BITS / 4);
    say("\n");
    out8(0x501, 9);
}

/* Faults go on where the snippet was called, on its stack. */
static void end_snippet(struct frame *f)
{
    if (!base)
        give_up(f);
    f->ip = (word)snippet_out;
    f->flags &= ~(word)(FLAG_IF | FLAG_TF);
#ifdef __x86_64__
    f->cs = CODE;
    f->sp = snippet_stack;
    f->ss = DATA;
#else
    if (f->cs != CODE) { /* from ring 3: no way back by IRET alone */
        f->cs = CODE;
        __asm__ volatile("movl %0, %%esp\n"
                         "cli\n"
                         "movl %1, %%ds\n movl %1, %%es\n"
                         "jmp snippet_out"
                         :
                         : "r"(snippet_stack), "r"(DATA));
    }
#endif
}

void trap(struct frame *f)
{
    if (f->vector == PF)
        __asm__ volatile("mov %%cr2, %0" : "=r"(fault_address));
    if (nmet < MET_MAX) {
        met[nmet] = (struct met){ .vector = (uint8_t)f->vector, .error = f->error };
        met[nmet].in_snippet = base && f->ip - base < 0x100;
        met[nmet].place = f->ip - base;
    }
    nmet++;
    if (hook)
        hook(f);
    else if (f->vector == PF || (f->vector < 0x20 && f->vector != NMI && f->vector != 3 &&
                                 !(f->vector == DB && stepping)))
        end_snippet(f);
    if (f->vector >= PIC)
        end_interrupt((unsigned)f->vector);
}

void run(const uint8_t *code, struct regs *r)
{
    base = (word)code;
    r->flags |= 2;
    call_snippet(code, r);
    base = 0;
}

static void tell_regs(const struct regs *r)
{
    const word *v = &r->ax;

    for (unsigned k = 0; k < 4; k++) {
        say(" ");
        say_hex(v[k], BITS / 4);
    }
}

void probe(const char *name, const uint8_t *code, struct regs *r)
{
    say(name);
    say(":");
    forget();
    run(code, r);
    tell_regs(r);
    tell();
}

void wait_a_little(void)
{
    for (unsigned k = 0; k < 300; k++)
        in8(0x61);
}

bool told(const char *word)
{
    const uint32_t *info = (const uint32_t *)(uintptr_t)boot_info;
    const char *line = info[0] & 4 ? (const char *)(uintptr_t)info[4] : "";

    for (; *line; line++) {
        unsigned k = 0;

        while (word[k] && line[k] == word[k])
            k++;
        if (!word[k])
            return true;
    }
    return false;
}

static void make_idt(void)
{
    for (unsigned k = 0; k < 256; k++) {
        word at = (word)entries + 16 * k;
        struct descriptor *d = &idt[k * (BITS / 32)];

        d->low = (uint32_t)((at & 0xffff) | CODE << 16);
        d->high = (uint32_t)((at & 0xffff0000) | GATE_ATTR);
    }
}

static void make_tss(void)
{
    struct descriptor *d = &gdt[TSS_SELECTOR / 8];

    d->low = (uint32_t)((word)tss << 16 | 255);
    d->high = (uint32_t)(((word)tss & 0xff000000) | 0x8900 | ((word)tss >> 16 & 0xff));
    tss[1] = (uint32_t)(word)stack_end - 8192; /* the stack of ring 0 */
    tss[25] = 256 << 16;                       /* no port is the user's */
    tss[2] = BITS == 32 ? DATA : 0;
    __asm__ volatile("ltr %w0" : : "r"(TSS_SELECTOR));
}

void make_pic(void)
{
    static const uint8_t words[][2] = { { 0x20, 0x11 },    { 0xa0, 0x11 }, { 0x21, PIC },
                                        { 0xa1, PIC + 8 }, { 0x21, 4 },    { 0xa1, 2 },
                                        { 0x21, 1 },       { 0xa1, 1 },    { 0x21, 0xff },
                                        { 0xa1, 0xff } };

    for (unsigned k = 0; k < sizeof(words) / sizeof(words[0]); k++)
        out8(words[k][0], words[k][1]);
    *reg32(APIC + 0xf0) = 0x100 | SPURIOUS;
    *reg32(APIC + 0x350) = 0x700; /* LINT0 takes what comes from the 8259s */
    *reg32(APIC + 0x80) = 0;
}

int main(void)
{
    make_idt();
    make_tss();
    make_pic();
    say(BITS == 64 ? "64 bits\n" : "32 bits\n");
    test_windows();
    test_apic();
    test_nmi();
    test_code();
    test_strings();
    test_mmio();
    test_paging();
    test_smp();
    say("end\n");
    out8(0x501, 3);
    for (;;)
        __asm__ volatile("cli; hlt");
}
