/*
 * HTIF mailboxes. Callers hold the console's lock, except for the exit that nobody survives.
 */
#include "htif.h"
#include "util.h"

#define DEVICE_CONSOLE 1
#define CONSOLE_READ   0
#define CONSOLE_WRITE  1

#define SPIN_LIMIT (1u << 22)

struct mailbox {
    volatile uint64_t from_host, to_host;
};

/*
 * One store where the register is wide enough, since a host that polls memory must not see half a
 * request. Else the upper word last: hosts that trap the access act on that one.
 */
static void store(volatile uint64_t *box, uint64_t value)
{
#if __riscv_xlen == 64
    *box = value;
#else
    volatile uint32_t *word = (volatile uint32_t *)box;

    word[0] = (uint32_t)value;
    barrier();
    word[1] = value >> 32;
#endif
    barrier();
}

/* The upper word first: what it says is complete, the lower one is already there. */
static uint64_t fetch(const volatile uint64_t *box)
{
#if __riscv_xlen == 64
    return *box;
#else
    const volatile uint32_t *word = (const volatile uint32_t *)box;
    uint32_t high = word[1];

    barrier();
    return (uint64_t)high << 32 | word[0];
#endif
}

/* A character that the host sent while something else was going on, or -1. */
static int held = -1;

/* Takes the host's answer, which would otherwise be lost under the answer to the next request. */
static void collect(struct mailbox *box)
{
    uint64_t answer = fetch(&box->from_host);

    if (answer >> 48 == (DEVICE_CONSOLE << 8 | CONSOLE_READ)) {
        held = answer & 0xff;
    }
    if (answer) {
        store(&box->from_host, 0);
    }
}

static bool send(struct mailbox *box, uint32_t device, uint32_t command, uint32_t payload)
{
    collect(box);
    for (uint32_t i = 0; fetch(&box->to_host); i++) {
        if (i == SPIN_LIMIT) {
            return false;
        }
        collect(box);
    }
    store(&box->to_host, (uint64_t)(device << 24 | command << 16) << 32 | payload);
    return true;
}

bool htif_putc(uintptr_t base, uint8_t c)
{
    return send((struct mailbox *)base, DEVICE_CONSOLE, CONSOLE_WRITE, c);
}

int htif_getc(uintptr_t base)
{
    struct mailbox *box = (struct mailbox *)base;
    int c;

    collect(box);
    c = held;
    held = -1;
    /* Answered at once or by a later call. */
    if (c < 0) {
        send(box, DEVICE_CONSOLE, CONSOLE_READ, 0);
    }
    return c;
}

void htif_exit(uintptr_t base, uint32_t code)
{
    struct mailbox *box = (struct mailbox *)base;

    for (;;) {
        store(&box->to_host, (uint64_t)code << 1 | 1);
    }
}
