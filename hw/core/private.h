/* What the files of hw/core share. */
#ifndef HW_CORE_PRIVATE_H
#define HW_CORE_PRIVATE_H

#include <hw/core/machine.h>
#include <hw/core/object.h>

/* Properties; `obj` is the struct that offsets count from, `what` begins messages. */
const struct prop *prop_find(const struct prop *list, const char *name);
void prop_default(const struct prop *p, void *obj);
void prop_drop(const struct prop *p, void *obj); /* frees what it owns */
bool prop_set(const struct prop *p, void *obj, struct machine *m, const char *what,
              const char *value, GError **err);
char *prop_get(const struct prop *p, const void *obj, struct machine *m);
void prop_store_num(const struct prop *p, void *obj, uint64_t v);
void prop_store_str(const struct prop *p, void *obj, const char *v);
void prop_store_ptr(const struct prop *p, void *obj, void *v);

/* Whether `id` is well formed and no key of `taken`; `what` begins the message. */
bool id_is_free(const char *what, const char *id, GHashTable *taken, GError **err);

struct state_entry {
    char *name;
    const struct state_table *table;
    void *obj;
};

struct reset_entry {
    void (*fn)(void *opaque);
    void *opaque;
};

struct run_entry {
    machine_run_fn *fn;
    void *opaque;
};

struct event_entry {
    machine_event_fn *fn;
    void *opaque;
};

/* The machine's own lists; device lock, except the requests. */
struct machine_private {
    GHashTable *devices; /* path -> struct device */
    GHashTable *ids;     /* id -> struct device */
    GHashTable *buses;   /* name -> struct bus */
    GHashTable *numbers; /* type name -> how many were made */
    GPtrArray *globals;  /* -global, in the order given */
    GPtrArray *objects;  /* of struct object, in order of creation */
    GHashTable *objects_by_id;
    GPtrArray *states; /* of state_entry, in order of registration */
    GArray *resets, *runs, *events;
    device_unplugged_fn *unplugged;
    void *unplugged_opaque;
    unsigned macs;
    GRand *random; /* with -seed */
    bool has_ram, initialized;
    struct object *ram_backend; /* NULL: none was named */

    GMutex request_lock; /* below the device lock */
    unsigned requests;   /* bits of enum request */
    enum machine_cause reset_cause, shutdown_cause;
    int shutdown_code;
    enum run_state stop_state;
};

void machine_runstate_init(struct machine *m);
void machine_runstate_destroy(struct machine *m);
void machine_states_init(struct machine *m);
void machine_states_destroy(struct machine *m);
void machine_objects_init(struct machine *m);
void machine_objects_destroy(struct machine *m);
void machine_globals_init(struct machine *m);
void machine_globals_destroy(struct machine *m);
/* Changes what a new device has by default. */
void machine_apply_globals(struct device *dev);
/* Outputs lead nowhere from now on. */
void device_unwire(struct device *dev);
void machine_emit(struct machine *m, enum machine_event e, enum machine_cause c);

#endif
