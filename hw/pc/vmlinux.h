/* The kernel inside of a bzImage, unpacked by us instead of by its own code; see vmlinux.c. */
#ifndef HW_PC_VMLINUX_H
#define HW_PC_VMLINUX_H

#include <hw/core/machine.h>

/* What the loader knows of it. Addresses are physical ones, sizes bytes below 4 GiB. */
struct vmlinux {
    struct machine *m;             /* NULL: the bzImage unpacks itself */
    uint64_t file;                 /* where each reset puts the file, without its first sectors */
    uint64_t payload, payload_len; /* what is packed in there */
    uint64_t linked;               /* the address for which it is linked (pref_address) */
    uint64_t room;                 /* what it needs from its start on (init_size) */
    uint64_t align;                /* of its start, a power of two (kernel_alignment) */
    uint64_t low, high;            /* free RAM, the end exclusive */
    uint64_t zero_page;
    bool by_chance; /* other addresses at each reset, if it can have others */
};

/* After a reset has filled memory, with no CPU running: returns the physical address where the
 * kernel's 64-bit code begins; 0 if it is to unpack itself. Device lock held. */
uint64_t vmlinux_start(const struct vmlinux *v);

#endif
