/* One machine from the command line to its end. */
#include "session.h"

#include <base/error.h>

bool session_run(struct config *c, int *status, GError **err)
{
    *status = 1;
    return error_set(err, "-machine: there is no machine for guest '%s'", config_arch(c));
}
