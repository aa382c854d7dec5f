/* -object: things that devices refer to by id, made before any of them. */
#include "parts.h"

#include <base/error.h>
#include <hw/core/object.h>

bool objects_make(struct session *s, GError **err)
{
    const GPtrArray *list = s->config->lists[LIST_OBJECT];

    for (guint i = 0; i < list->len; i++) {
        if (!object_create(s->machine, list->pdata[i], err)) {
            return false;
        }
    }
    return true;
}
