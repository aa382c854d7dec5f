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

static bool send(struct mailbox *box, uint32_t device, uint32_t command, uint32_t payload)
{
    for (uint32_t i = 0; box->to_host; i++) {
        if (i == SPIN_LIMIT) {
            return false;
        }
        /* An answer that nobody fetched would keep the host from taking the next request. */
        store(&box->from_host, 0);
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
    uint64_t answer = box->from_host;
    int c = -1;

    /* The answer to the request of an earlier call may have come; then a new request goes out. */
    if (answer >> 48 == (DEVICE_CONSOLE << 8 | CONSOLE_READ)) {
        c = answer & 0xff;
    }
    store(&box->from_host, 0);
    send(box, DEVICE_CONSOLE, CONSOLE_READ, 0);
    return c;
}

void htif_exit(uintptr_t base, uint32_t code)
{
    struct mailbox *box = (struct mailbox *)base;

    for (;;) {
        store(&box->to_host, (uint64_t)code << 1 | 1);
    }
}
