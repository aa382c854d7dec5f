/*
 * memory-backend-ram, -memfd and -file: what a machine's RAM is made of, by a user's wish.
 */
#ifndef HW_CORE_MEMORY_BACKEND_H
#define HW_CORE_MEMORY_BACKEND_H

#include <hw/core/object.h>

#define MEMORY_BACKEND "memory-backend" /* the role */

/* Both of an object of that role. */
uint64_t memory_backend_size(const struct object *o);
/* As long as the object. */
const struct ram_backing *memory_backend_backing(const struct object *o);

#endif
