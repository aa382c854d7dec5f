/*
 * SBI extensions about the whole machine: system reset and debug console (SBI 2.0, chapters 10
 * and 12).
 */
#include "console.h"
#include "htif.h"
#include "platform.h"
#include "sbi.h"

/* -- SRST ------------------------------------------------------------------------------------- */

enum { RESET_SHUTDOWN, RESET_COLD, RESET_WARM };
enum { REASON_NONE, REASON_FAILURE };

#define FINISHER_FAIL  0x3333
#define FINISHER_PASS  0x5555
#define FINISHER_RESET 0x7777

static void finish(uint32_t value)
{
    *(volatile uint32_t *)platform.finisher = value;
    barrier();
    for (;;) {
        wait_for_interrupt();
    }
}

struct sbi_ret sbi_system_reset(uint32_t type, uint32_t reason)
{
    uint32_t code = reason == REASON_FAILURE;

    if (type > RESET_WARM || reason > REASON_FAILURE) {
        return sbi_error(SBI_ERR_INVALID_PARAM);
    }
    if (platform.finisher) {
        if (type != RESET_SHUTDOWN) {
            finish(FINISHER_RESET);
        }
        finish(code ? FINISHER_FAIL | code << 16 : FINISHER_PASS);
    }
    /* HTIF can end a run but not restart it. */
    if (platform.htif && type == RESET_SHUTDOWN) {
        htif_exit(platform.htif, code);
    }
    return sbi_error(SBI_ERR_NOT_SUPPORTED);
}

static bool srst_present(void)
{
    return platform.finisher || platform.htif;
}

static struct sbi_ret srst_call(unsigned long fid, const unsigned long *arg)
{
    return fid == 0 ? sbi_system_reset(arg[0], arg[1]) : sbi_error(SBI_ERR_NOT_SUPPORTED);
}

const struct sbi_extension sbi_srst = { 0x53525354, srst_present, srst_call };

/* -- DBCN ------------------------------------------------------------------------------------- */

/* The buffer of arguments (size, address low, address high); NULL when it is not the caller's. */
static uint8_t *buffer(const unsigned long *arg)
{
    struct range r = { arg[1], arg[0] };

    return !arg[2] && platform_supervisor_ram(r) ? (uint8_t *)r.base : NULL;
}

static struct sbi_ret dbcn_call(unsigned long fid, const unsigned long *arg)
{
    uint8_t *bytes;
    unsigned long n;
    int c;

    if (fid == 2) {
        return sbi_error(console_putc(arg[0]) ? SBI_SUCCESS : SBI_ERR_FAILED);
    }
    if (fid > 2) {
        return sbi_error(SBI_ERR_NOT_SUPPORTED);
    }
    if (!arg[0]) {
        return sbi_value(0);
    }
    bytes = buffer(arg);
    if (!bytes) {
        return sbi_error(SBI_ERR_INVALID_PARAM);
    }
    if (fid == 0) {
        return sbi_value(console_write(bytes, arg[0]));
    }
    for (n = 0; n < arg[0] && (c = console_getc()) >= 0; n++) {
        bytes[n] = c;
    }
    return sbi_value(n);
}

const struct sbi_extension sbi_dbcn = { 0x4442434e, console_present, dbcn_call };
