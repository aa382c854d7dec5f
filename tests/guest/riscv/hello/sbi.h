/*
 * sbi.h - calls of the built-in guest to its firmware (RISC-V SBI 2.0).
 *
 * Console output and input use the Debug Console extension (chapter 12) where it is there,
 * else the legacy calls (chapter 5).
 */
#ifndef HELLO_SBI_H
#define HELLO_SBI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sbi_result {
    long error, value;
};

enum {
    SBI_BASE = 0x10,
    SBI_TIME = 0x54494d45,
    SBI_SRST = 0x53525354,
    SBI_DBCN = 0x4442434e,
};

struct sbi_result sbi_call(unsigned long extension, unsigned long function, unsigned long a0,
                           unsigned long a1, unsigned long a2);

/* Look for extensions; to be called once, before the console is used. */
void sbi_init(void);

void sbi_put(const char *text, size_t length);

/* The next byte of input, or -1 where none is waiting. */
int sbi_get(void);

/* Wait until `ticks` of the time CSR have gone by, without using the host's CPU. */
void sbi_wait(uint64_t ticks);

/* Power off, or with `again` reset.  Returns where the firmware cannot. */
void sbi_stop(bool again);

uint64_t time_now(void);

#endif
