/*
 * Objects: what users make with -object for devices and the machine to refer to by id (sources of
 * entropy, memory, threads, secrets). A constant type names properties and life.
 *
 *     struct dice { struct object obj; uint32_t sides; };              obj is the first member
 *     const struct object_type dice_object = {
 *         .name = "dice", .role = "rng-backend", .size = sizeof(struct dice), .help = "...",
 *         .props = dice_props, .complete = dice_complete, .free = dice_free,
 *     };
 *
 * A device takes one by a property PROP_OBJECT, which asks for a role. Device lock throughout.
 *
 * To add a type: a file in hw/backend/ with `name_object`, and a line OBJECT(name) in
 * hw/objects.def.
 */
#ifndef HW_CORE_OBJECT_H
#define HW_CORE_OBJECT_H

#include <hw/core/device.h>

struct machine;
struct object;
struct opts;

struct object_type {
    const char *name; /* as in -object */
    const char *help; /* one line */
    const char *role; /* what it can be used as: "rng-backend"; NULL: nothing by a property */
    size_t size;      /* of the struct that begins with struct object */
    const struct prop *props; /* PROP_LIST_END at the end; NULL for none */
    /* All properties are set. May fail with `err` set, and then leaves nothing behind. */
    bool (*complete)(struct object *o, GError **err);
    /* Undoes complete. */
    void (*free)(struct object *o);
};

struct object {
    const struct object_type *type;
    struct machine *machine;
    char *id;
    unsigned users; /* it cannot be deleted while there are any */
};

/* Registered types in order of hw/objects.def, NULL at the end. */
const struct object_type *const *object_types(void);
/* By name; NULL with an error that names the nearest. */
const struct object_type *object_type_find(const char *what, const char *name, GError **err);
/* For `-object TYPE,help`; to be freed. */
char *object_type_help(const struct object_type *t);

/* -object and object-add: keys qom-type, id, and the properties. Owned by the machine, which keeps
 * it longer than its devices. */
struct object *object_create(struct machine *m, struct opts *o, GError **err);
/* object-del; fails while somebody uses it. */
bool object_delete(struct machine *m, const char *id, GError **err);
/* By id; NULL when there is none. */
struct object *object_find(struct machine *m, const char *id);
/* By id, and able to play `role`; `what` begins the message. */
struct object *object_find_role(struct machine *m, const char *id, const char *role,
                                const char *what, GError **err);
/* Calls `fn` for each, in order of creation. */
void object_foreach(struct machine *m, void (*fn)(struct object *o, void *opaque), void *opaque);
/* A property as text, to be freed; NULL where unset. */
char *object_get(struct object *o, const struct prop *p);

#endif
