/* sbi.c - the firmware calls of sbi.h. */
#include "sbi.h"

static bool has_dbcn, has_time;

struct sbi_result sbi_call(unsigned long extension, unsigned long function, unsigned long a0,
                           unsigned long a1, unsigned long a2)
{
    register unsigned long r0 __asm__("a0") = a0;
    register unsigned long r1 __asm__("a1") = a1;
    register unsigned long r2 __asm__("a2") = a2;
    register unsigned long r6 __asm__("a6") = function;
    register unsigned long r7 __asm__("a7") = extension;

    __asm__ volatile("ecall" : "+r"(r0), "+r"(r1) : "r"(r2), "r"(r6), "r"(r7) : "memory");
    return (struct sbi_result){ .error = (long)r0, .value = (long)r1 };
}

static bool probe(unsigned long extension)
{
    struct sbi_result r = sbi_call(SBI_BASE, 3, extension, 0, 0);

    return r.error == 0 && r.value != 0;
}

void sbi_init(void)
{
    has_dbcn = probe(SBI_DBCN);
    has_time = probe(SBI_TIME);
}

void sbi_put(const char *text, size_t length)
{
    while (has_dbcn && length > 0) {
        struct sbi_result r = sbi_call(SBI_DBCN, 0, length, (unsigned long)text, 0);

        if (r.error != 0)
            return;
        text += r.value;
        length -= r.value;
    }
    for (; length > 0; length--)
        sbi_call(1, 0, (unsigned char)*text++, 0, 0);
}

int sbi_get(void)
{
    unsigned char byte;
    struct sbi_result r;

    if (!has_dbcn)
        return (int)sbi_call(2, 0, 0, 0, 0).error;
    r = sbi_call(SBI_DBCN, 1, 1, (unsigned long)&byte, 0);
    return r.error == 0 && r.value == 1 ? byte : -1;
}

uint64_t time_now(void)
{
    uint64_t t;

    __asm__ volatile("rdtime %0" : "=r"(t));
    return t;
}

void sbi_wait(uint64_t ticks)
{
    const unsigned long timer = 1ul << 5;
    uint64_t end = time_now() + ticks;

    if (has_time)
        sbi_call(SBI_TIME, 0, end, 0, 0);
    else
        sbi_call(0, 0, end, 0, 0);
    /* an interrupt that is enabled in sie and pending ends wfi although sstatus.SIE is 0 */
    __asm__ volatile("csrs sie, %0" : : "r"(timer));
    while (time_now() < end)
        __asm__ volatile("wfi");
    __asm__ volatile("csrc sie, %0" : : "r"(timer));
}

void sbi_stop(bool again)
{
    sbi_call(SBI_SRST, 0, again ? 1 : 0, 0, 0);
    if (!again)
        sbi_call(8, 0, 0, 0, 0);
}
