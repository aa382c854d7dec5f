/*
 * Host-target interface, as the `spike` machine has it: two 64-bit mailboxes in memory.
 *
 * A word to the host is device number, command and payload (bits 63-56, 55-48, 47-0). Device 0 is
 * the system: payload `code << 1 | 1` ends the run. Device 1 is the console: command 1 writes the
 * character in the payload, command 0 asks for one.
 */
#ifndef HTIF_H
#define HTIF_H

#include <stdbool.h>
#include <stdint.h>

/* `base` is the address of the mailbox from the host; the one to the host follows it. */
bool htif_putc(uintptr_t base, uint8_t c);
int htif_getc(uintptr_t base);
void htif_exit(uintptr_t base, uint32_t code);

#endif
