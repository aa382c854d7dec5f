/*
 * Images put into guest memory: firmware, kernels, initial disks.
 *
 * What is loaded is kept as a list of blobs that every reset writes again, so that a guest that
 * overwrote its firmware boots as the first time. Files are untrusted: every size in them is
 * checked against the file and against where the image may go. Device lock held.
 *
 *     struct elf_image elf;
 *     if (!load_elf(m, path, EM_RISCV, 0, 64, &elf, err)) return false;
 */
#ifndef HW_CORE_LOADER_H
#define HW_CORE_LOADER_H

#include <elf.h>
#include <base/kept.h>
#include <hw/core/machine.h>

/* Largest file that is read. */
#define LOADER_FILE_MAX (UINT64_C(4) << 30)

struct rom_list *rom_list_new(struct machine *m);
void rom_list_free(struct rom_list *l);

/* Adds bytes (copied) for guest address `addr`, written to RAM or ROM there at each reset, followed
 * by `zeroes` zero bytes. Fails when it overlaps another blob. `name` is for people. */
bool rom_add(struct machine *m, const char *name, const void *data, uint64_t len, uint64_t zeroes,
             uint64_t addr, GError **err) __attribute__((warn_unused_result));
/* The same for bytes that the file `path` holds at `offset`. Many of them are not kept but read
 * from the file again, if it really holds them (it may be packed); a change of it is told on
 * stderr. */
bool rom_add_file(struct machine *m, const char *path, uint64_t offset, const void *data,
                  uint64_t len, uint64_t zeroes, uint64_t addr, GError **err)
    __attribute__((warn_unused_result));
/* The same for all bytes of what load_file() gave for `path`, which are kept where they differ. */
bool rom_add_whole(struct machine *m, const char *path, GBytes *file, uint64_t addr, GError **err)
    __attribute__((warn_unused_result));
/* LOADER_SEED bytes at `addr`, within a blob, are random, others at each reset: what a kernel takes
 * for granted of a seed. */
#define LOADER_SEED 32
void rom_add_seed(struct machine *m, uint64_t addr);
/* Overwrites bytes of a blob that rom_add() added (the fdt of a board, at each boot). False: none
 * there. */
bool rom_replace(struct machine *m, uint64_t addr, const void *data, uint64_t len);
/* The file from which a blob was read. */
struct rom_file {
    int fd; /* the list's */
    uint64_t offset;
    struct file_id id;
};
/* That of the blob at `addr` at the last reset; false if it was not read from a file, or that has
 * changed. */
bool rom_file_at(struct machine *m, uint64_t addr, struct rom_file *file);
/* The list, for `info roms`. */
void rom_print(struct machine *m, GString *out);

/* A file's bytes, unpacked if it is gzip'ed (and kept so, base/kept.h); at most `max` of them.
 * `what` begins messages ("-kernel"). NULL with err set. The bytes of a large file are those on the
 * disk itself: let go of them before the machine runs. */
GBytes *load_file(const char *what, const char *path, uint64_t max, GError **err);

struct elf_image {
    bool is64;
    uint64_t entry;            /* physical, where the entry lies in a loaded segment */
    uint64_t low, high;        /* physical addresses of what was loaded, high exclusive */
    uint64_t tohost, fromhost; /* symbols, 0 where there is none */
    uint64_t begin_signature, end_signature;
};
bool is_elf(GBytes *file);
/* Loads the segments of an ELF file at their physical addresses plus `bias`. `machine` is the EM_
 * number it must have, `bits` 32 or 64. */
bool load_elf(struct machine *m, const char *what, const char *path, GBytes *file, unsigned machine,
              unsigned bits, uint64_t bias, struct elf_image *out, GError **err)
    __attribute__((warn_unused_result));

/* Header of a RISC-V Linux Image (Documentation/arch/riscv/boot-image-header.rst). */
struct riscv_image {
    uint64_t text_offset; /* from the start of RAM (rounded to 2 or 4 MiB) */
    uint64_t image_size;  /* with bss; 0 in very old ones */
};
/* Whether the file is one; fills `out`. */
bool parse_riscv_image(GBytes *file, struct riscv_image *out);
/* An image with an EFI stub says by its PE header (PE/COFF 2 to 4) where its sections lie in the
 * file; false with err set if it does not hold them all. True for anything else. */
bool check_pe_sections(const char *what, const char *path, GBytes *file, GError **err);

#endif
