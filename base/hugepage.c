/*
 * Aligned mappings; see base/hugepage.h for the contract.
 */
#include <base/hugepage.h>

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

void *huge_page_map(size_t size, int prot, int flags, int fd)
{
    size_t slack = size >= HUGE_PAGE ? HUGE_PAGE : 0;
    uint8_t *room, *at;

    if (size > SIZE_MAX - slack) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    room = mmap(NULL, size + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return MAP_FAILED;
    at = room + (slack ? -(uintptr_t)room & (HUGE_PAGE - 1) : 0);
    if (mmap(at, size, prot, flags | MAP_FIXED, fd, 0) == MAP_FAILED) {
        int why = errno;

        munmap(room, size + slack);
        errno = why;
        return MAP_FAILED;
    }
    if (at > room)
        munmap(room, at - room);
    if (at + size < room + size + slack)
        munmap(at + size, room + size + slack - (at + size));
    return at;
}
