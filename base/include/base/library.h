/*
 * Shared libraries that few runs use: they are opened when they are first needed, so that no other
 * run pays for mapping and relocating them and all that they depend on.
 *
 *     #define PNG_FUNCTIONS(F, P) F(P, create_info_struct) F(P, write_row)
 *
 *     static struct {
 *         PNG_FUNCTIONS(LIBRARY_POINTER, png_)
 *     } png;
 *     static struct library png_library = LIBRARY(png, LIBPNG, png_, PNG_FUNCTIONS);
 *
 *     if (library_open(&png_library, "screendump", err))
 *         info = png.create_info_struct(p);
 *
 * The one list gives the pointers, with the types that the library's own header declares, and the
 * names that are looked up. Data of a library cannot be had so, and macros of its header that call
 * functions must be written out.
 *
 * To add one: MYNA_LIBRARY(…, [late], …) in configure.ac, a list as above in the file that uses it.
 */
#ifndef BASE_LIBRARY_H
#define BASE_LIBRARY_H

#include <glib.h>
#include <stdbool.h>

/* Written by library_open() alone, and never again once it has returned true: what is in the table
 * of functions is a property of the process, as what the dynamic linker writes is. */
struct library {
    const char *soname;  /* of which the headers were, by configure */
    const char *package; /* Debian's name for it */
    const char *names;   /* each ends with a NUL, and the last with two */
    void **functions;    /* a table of pointers in the same order */
    int open;            /* atomic */
};

#define LIBRARY_POINTER(prefix, name) __typeof__(prefix##name) *name;
#define LIBRARY_NAME(prefix, name)    #prefix #name "\0"

/* `NAME` is that of configure.ac in capitals, `LIST` the list's. */
#define LIBRARY(table, NAME, prefix, LIST)                                                      \
    {                                                                                           \
        .soname = SONAME_##NAME, .package = DEBIAN_##NAME, .names = LIST(LIBRARY_NAME, prefix), \
        .functions = (void **)&(table)                                                          \
    }

/*
 * Whether the table can be used from now on, by any thread that has seen this return true or was
 * told by one that has. Else err has one line, beginning with `what`, that says what is wrong with
 * the library and which package brings it; the next call tries again. Any thread, any lock held;
 * costs one load once the library is open. It is never closed.
 */
bool library_open(struct library *l, const char *what, GError **err)
    __attribute__((warn_unused_result));

#endif
