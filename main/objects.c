/* -object: things that devices refer to by id. There is no kind of them yet that a device could
 * use. */
#include "parts.h"

#include <base/error.h>

bool objects_check(const struct config *c, GError **err)
{
    const GPtrArray *list = c->lists[LIST_OBJECT];

    if (list->len) {
        return error_set(err, "-object: there is no object type '%s'",
                         opts_str(list->pdata[0], "qom-type", ""));
    }
    return true;
}
