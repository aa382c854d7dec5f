/*
 * Saved state: versioned lists of fields, saved to and loaded from bytes.
 *
 * A table names each field of a struct that is guest-visible state. Fields are written in order,
 * each with its kind, element size and count, so that hostile or foreign bytes are found before
 * they are believed: loading checks all of that, bounds every length by the table's own, and then
 * lets post_load judge the values. A struct is half loaded after an error: reset or free it.
 *
 *     static const struct state_field rtc_fields[] = {
 *         STATE_U8(struct rtc, index),
 *         STATE_BUF(struct rtc, cmos),
 *         STATE_TIMER(struct rtc, tick),
 *         STATE_BOOL(struct rtc, dst, .since = 2),
 *         STATE_END
 *     };
 *     static const struct state_table rtc_state = {
 *         .name = "mc146818", .version = 2, .min_version = 1, .fields = rtc_fields,
 *     };
 */
#ifndef HW_CORE_STATE_H
#define HW_CORE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <glib.h>

struct state_table;
struct state_writer;
struct state_reader;

enum state_kind {
    STATE_KIND_END = 0, /* numbers are part of the byte format */
    STATE_KIND_INT = 1,
    STATE_KIND_BOOL = 2,
    STATE_KIND_STRUCT = 3,
    STATE_KIND_TIMER = 4,
    STATE_KIND_CUSTOM = 5,
};

/* State that no other kind describes. `load` checks everything it reads. */
struct state_custom {
    void (*save)(const void *field, struct state_writer *w);
    bool (*load)(void *field, struct state_reader *r, GError **err);
};

struct state_field {
    const char *name;
    enum state_kind kind;
    uint16_t since; /* version that brought it; older data leaves the field as it is */
    uint16_t size;  /* bytes of an element: 1, 2, 4, 8 for INT, else of the C object */
    uint32_t count; /* elements; with count_u32, the ceiling */
    size_t offset;  /* of the field in the struct */
    bool indirect;  /* the field is a pointer to the elements, allocated before load */
    bool counted;   /* how many elements: the uint32_t at count_offset, which must not differ
                       between the saved and the loading machine */
    size_t count_offset;
    const struct state_table *table;   /* STRUCT */
    const struct state_custom *custom; /* CUSTOM */
};

struct state_table {
    const char *name;
    uint16_t version;     /* written */
    uint16_t min_version; /* oldest that is still read, 0 for version */
    const struct state_field *fields;
    void (*pre_save)(void *obj);
    /* Derives what was not saved and judges the rest. `version` is that of the data. */
    bool (*post_load)(void *obj, unsigned version, GError **err);
};

#define STATE_ELEM(type, field) sizeof(((type *)0)->field[0])
#define STATE_LEN(type, field)  (sizeof(((type *)0)->field) / sizeof(((type *)0)->field[0]))
#define STATE_INT_(type, field, ctype, ...)                                              \
    {                                                                                    \
        .name = #field, .kind = STATE_KIND_INT, .size = sizeof(ctype), .count = 1,       \
        .offset = offsetof(type, field) + 0 * sizeof(&((type *)0)->field == (ctype *)0), \
        __VA_ARGS__                                                                      \
    }
/* All rows take further initialisers at the end: `.since = 2` for a field that version 2 brought.
 */
/* One number; the field must have exactly this type. Enums are saved by STATE_ENUM. */
#define STATE_U8(type, field, ...)  STATE_INT_(type, field, uint8_t, __VA_ARGS__)
#define STATE_U16(type, field, ...) STATE_INT_(type, field, uint16_t, __VA_ARGS__)
#define STATE_U32(type, field, ...) STATE_INT_(type, field, uint32_t, __VA_ARGS__)
#define STATE_U64(type, field, ...) STATE_INT_(type, field, uint64_t, __VA_ARGS__)
#define STATE_I32(type, field, ...) STATE_INT_(type, field, int32_t, __VA_ARGS__)
#define STATE_I64(type, field, ...) STATE_INT_(type, field, int64_t, __VA_ARGS__)
#define STATE_ENUM(type, field, ...)                                                            \
    {                                                                                           \
        .name = #field, .kind = STATE_KIND_INT, .size = sizeof(((type *)0)->field), .count = 1, \
        .offset = offsetof(type, field), __VA_ARGS__                                            \
    }
#define STATE_BOOL(type, field, ...)                                                    \
    {                                                                                   \
        .name = #field, .kind = STATE_KIND_BOOL, .size = 1, .count = 1,                 \
        .offset = offsetof(type, field) + 0 * sizeof(&((type *)0)->field == (bool *)0), \
        __VA_ARGS__                                                                     \
    }
/* Arrays of fixed length inside the struct, elements of 1, 2, 4 or 8 bytes. */
#define STATE_ARRAY(type, field, ...)                                                 \
    {                                                                                 \
        .name = #field, .kind = STATE_KIND_INT, .size = STATE_ELEM(type, field),      \
        .count = STATE_LEN(type, field), .offset = offsetof(type, field), __VA_ARGS__ \
    }
#define STATE_BUF(type, field, ...) STATE_ARRAY(type, field, __VA_ARGS__)
#define STATE_BOOL_ARRAY(type, field, ...)                                                   \
    {                                                                                        \
        .name = #field, .kind = STATE_KIND_BOOL, .size = 1, .count = STATE_LEN(type, field), \
        .offset = offsetof(type, field), __VA_ARGS__                                         \
    }
/* A pointer to `count_field` (uint32_t, set up by realize, at most max) elements. */
#define STATE_VARRAY(type, field, count_field, max, ...)                                          \
    {                                                                                             \
        .name = #field, .kind = STATE_KIND_INT, .size = STATE_ELEM(type, field), .count = (max),  \
        .offset = offsetof(type, field), .indirect = true, .counted = true,                       \
        .count_offset =                                                                           \
            offsetof(type, count_field) + 0 * sizeof(&((type *)0)->count_field == (uint32_t *)0), \
        __VA_ARGS__                                                                               \
    }
/* Structs inside the struct, by their own table (version included). */
#define STATE_STRUCT(type, field, sub, ...)                                                        \
    {                                                                                              \
        .name = #field, .kind = STATE_KIND_STRUCT, .size = sizeof(((type *)0)->field), .count = 1, \
        .offset = offsetof(type, field), .table = &(sub), __VA_ARGS__                              \
    }
#define STATE_STRUCT_ARRAY(type, field, sub, ...)                                          \
    {                                                                                      \
        .name = #field, .kind = STATE_KIND_STRUCT, .size = STATE_ELEM(type, field),        \
        .count = STATE_LEN(type, field), .offset = offsetof(type, field), .table = &(sub), \
        __VA_ARGS__                                                                        \
    }
#define STATE_STRUCT_VARRAY(type, field, count_field, max, sub, ...)                        \
    {                                                                                       \
        .name = #field, .kind = STATE_KIND_STRUCT, .size = STATE_ELEM(type, field),         \
        .count = (max), .offset = offsetof(type, field), .indirect = true, .counted = true, \
        .count_offset = offsetof(type, count_field), .table = &(sub), __VA_ARGS__           \
    }
/* A struct timer: its deadline. Initialised by realize. */
#define STATE_TIMER(type, field, ...)                                    \
    {                                                                    \
        .name = #field, .kind = STATE_KIND_TIMER, .size = 8, .count = 1, \
        .offset = offsetof(type, field), __VA_ARGS__                     \
    }
#define STATE_CUSTOM(type, field, ops, ...)                               \
    {                                                                     \
        .name = #field, .kind = STATE_KIND_CUSTOM, .size = 1, .count = 1, \
        .offset = offsetof(type, field), .custom = &(ops), __VA_ARGS__    \
    }
#define STATE_END              \
    {                          \
        .kind = STATE_KIND_END \
    }

/* Appends obj's state to `out`. */
void state_save(const struct state_table *t, void *obj, GByteArray *out);
/* Loads what state_save() wrote. `*used` gets the bytes eaten; more may follow. */
bool state_load(const struct state_table *t, void *obj, const uint8_t *data, size_t len,
                size_t *used, GError **err) __attribute__((warn_unused_result));

/* For STATE_CUSTOM. Reads beyond the end fail and set err. */
void state_put(struct state_writer *w, const void *p, size_t len);
void state_put_u32(struct state_writer *w, uint32_t v);
void state_put_u64(struct state_writer *w, uint64_t v);
bool state_get(struct state_reader *r, void *p, size_t len, GError **err);
bool state_get_u32(struct state_reader *r, uint32_t *v, GError **err);
bool state_get_u64(struct state_reader *r, uint64_t *v, GError **err);

#endif
