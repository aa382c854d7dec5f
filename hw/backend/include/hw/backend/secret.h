/* -object secret: passwords and keys, that other options name by id instead of spelling them out.
 */
#ifndef HW_BACKEND_SECRET_H
#define HW_BACKEND_SECRET_H

#include <hw/core/object.h>

#define SECRET "secret" /* the role */

/* Bytes of the secret with that id, which belong to it; NULL with err set. `what` begins the
 * message. A NUL that is not counted follows them. */
const uint8_t *secret_find(struct machine *m, const char *id, const char *what, size_t *len,
                           GError **err);

#endif
