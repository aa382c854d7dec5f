/*
 * Mappings that the host can give huge pages: aligned to their size.
 */
#ifndef BASE_HUGEPAGE_H
#define BASE_HUGEPAGE_H

#include <stddef.h>

/* Bytes; of x86 and, with 4 KiB pages, AArch64 and RISC-V hosts. */
#define HUGE_PAGE ((size_t)2 << 20)

/*
 * mmap() of @size bytes at an address that the host chooses, a multiple of HUGE_PAGE if @size is as
 * much; @prot, @flags and @fd as there, offset 0. MAP_FAILED with errno set; nothing stays mapped
 * then. The caller unmaps it with munmap(). Any thread.
 */
void *huge_page_map(size_t size, int prot, int flags, int fd);

#endif
