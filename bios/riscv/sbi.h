/*
 * The Supervisor Binary Interface, version 2.0: dispatch and what the extensions share.
 */
#ifndef SBI_H
#define SBI_H

#include <stdbool.h>
#include "hart.h"

#define SBI_SPEC_VERSION           (2ul << 24)
#define SBI_IMPLEMENTATION_ID      0x6d796e61 /* "myna"; not among the registered small numbers */
#define SBI_IMPLEMENTATION_VERSION 0x10000

enum {
    SBI_SUCCESS = 0,
    SBI_ERR_FAILED = -1,
    SBI_ERR_NOT_SUPPORTED = -2,
    SBI_ERR_INVALID_PARAM = -3,
    SBI_ERR_DENIED = -4,
    SBI_ERR_INVALID_ADDRESS = -5,
    SBI_ERR_ALREADY_AVAILABLE = -6,
    SBI_ERR_ALREADY_STARTED = -7,
    SBI_ERR_ALREADY_STOPPED = -8,
};

struct sbi_ret {
    long error;
    unsigned long value;
};

/*
 * An extension: `present` says whether this machine has it, `call` carries out function `fid` with
 * the arguments a0..a5. To add one: a file with its `struct sbi_extension`, and a line in sbi.c.
 */
struct sbi_extension {
    unsigned long id;
    bool (*present)(void);
    struct sbi_ret (*call)(unsigned long fid, const unsigned long *arg);
};

extern const struct sbi_extension sbi_base, sbi_time, sbi_ipi, sbi_rfence, sbi_hsm, sbi_srst,
    sbi_dbcn, sbi_susp;

/* Carries out the call in a[0..7] (a0 to a7) and leaves the result in a[0] and a[1]. */
void sbi_dispatch(unsigned long *a);

/* Whether extension `id` answers calls. */
bool sbi_probe(unsigned long id);

/* The calls of SBI 0.1, extensions 0 to 8; they answer in a0 alone. */
#define SBI_LEGACY_COUNT 9
bool sbi_legacy(unsigned long id, unsigned long *a);

static inline struct sbi_ret sbi_error(long error)
{
    return (struct sbi_ret){ error, 0 };
}

static inline struct sbi_ret sbi_value(unsigned long value)
{
    return (struct sbi_ret){ SBI_SUCCESS, value };
}

/* Harts of a hart_mask/hart_mask_base pair; false when one of them is not in the table. */
bool sbi_hart_mask(unsigned long mask, unsigned long base, struct hart_set *set);

/* Makes the supervisor software interrupt pending on the running harts of `set`. */
void sbi_send_ipi(const struct hart_set *set);

/* Ends or restarts the machine; returns only where that cannot be done. */
struct sbi_ret sbi_system_reset(uint32_t type, uint32_t reason);

/* Sleeps until an interrupt that S-mode has enabled is pending; serves other harts meanwhile. */
void sbi_sleep(void);

#endif
