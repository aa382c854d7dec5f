/*
 * All commands, found by name.
 */
#include <string.h>
#include "command.h"

#define GROUP(name) extern const struct mon_command name##_commands[];
#include "groups.def"
#undef GROUP

const struct mon_command *const *mon_groups(void)
{
    static const struct mon_command *const groups[] = {
#define GROUP(name) name##_commands,
#include "groups.def"
#undef GROUP
        NULL,
    };

    return groups;
}

void mon_foreach(bool (*fn)(const struct mon_command *cmd, void *opaque), void *opaque)
{
    for (const struct mon_command *const *g = mon_groups(); *g; g++)
        for (const struct mon_command *c = *g; c->qmp || c->hmp; c++)
            if (!fn(c, opaque))
                return;
}

struct search {
    const char *name;
    const struct mon_command *found;
};

static bool match_qmp(const struct mon_command *cmd, void *opaque)
{
    struct search *s = opaque;

    if (!cmd->qmp || strcmp(cmd->qmp, s->name))
        return true;
    s->found = cmd;
    return false;
}

const struct mon_command *mon_find_qmp(const char *name)
{
    struct search s = { name, NULL };

    mon_foreach(match_qmp, &s);
    return s.found;
}
