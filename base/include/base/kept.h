/*
 * Unpacked copies of files, kept in the user's cache folder for the next start.
 *
 * A kernel is packed once and started many times, and unpacking it takes longer than all else
 * before its first instruction. Copies are found by what the file system says of the packed file,
 * not by its contents, which would have to be read for that. Where nothing can be kept (no such
 * folder, it is somebody else's, MYNA_KEEP=off in the environment) nothing is, without a word.
 *
 * Any thread; no state but the folder's.
 */
#ifndef BASE_KEPT_H
#define BASE_KEPT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <glib.h>

/* A file and its contents: whoever writes to it changes the time `changed`, and cannot set it. */
struct file_id {
    uint64_t device, inode, size;
    struct timespec modified, changed;
};

/* False: it is no regular file. */
bool file_id_of(int fd, struct file_id *id);
bool file_id_same(const struct file_id *a, const struct file_id *b);
/* The same, but for what does not touch the contents: other names, another owner. */
bool file_id_unwritten(const struct file_id *a, const struct file_id *b);

/* A file's pages themselves: reading a kernel into memory of our own, only to look at its header,
 * takes longer than all else of a machine's start. NULL: it cannot be mapped. Who has it must let
 * go of it soon if others can cut the file: this process ends then. */
GBytes *file_map(int fd, size_t len);

/* What is kept of a file, unpacked @how (a word, which is part of a file's name); NULL if nothing
 * is. The bytes are those of the copy itself, which nobody changes. */
GBytes *kept_get(const struct file_id *of, const char *how);
/* Whether kept_put() would keep something of this file. */
bool kept_wanted(const struct file_id *of);
/* Keeps these bytes, which the caller may change afterwards: they are a file's that has had this
 * identity since before they were read. A file that has just been written is left alone, as one
 * more change would not be seen, and so are small ones. */
void kept_put(const struct file_id *of, const char *how, const void *data, size_t len);

#endif
