/* -sandbox: system calls that this process gives up for good. */
#ifndef MAIN_SANDBOX_H
#define MAIN_SANDBOX_H

#include <base/option.h>

/* on|off, obsolete=, elevateprivileges=, spawn=, resourcecontrol= (allow|deny). Last thing before
 * the machine runs; threads made later inherit it. A denied call ends the process. */
bool sandbox_apply(struct opts *o, GError **err);

#endif
