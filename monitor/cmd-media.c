/*
 * Disks that come and go: eject, change, trays.
 */
#include <string.h>
#include <base/option.h>
#include <block/block.h>
#include "command.h"

struct lookup {
    const char *id;
    struct block *found;
};

/* A device's id is the last part of its path. */
static void match_user(struct block *b, void *opaque)
{
    struct lookup *l = opaque;
    const char *user = block_user(b), *slash = user ? strrchr(user, '/') : NULL;

    if (user && (strcmp(user, l->id) == 0 || (slash && strcmp(slash + 1, l->id) == 0)))
        l->found = b;
}

/* By `device`, the drive's id, or by `id`, that of the device that has it. */
static struct block *find(struct mon *mon, const json_t *args, GError **err)
{
    const char *device = json_string_value(json_object_get(args, "device"));
    struct lookup l = { .id = json_string_value(json_object_get(args, "id")) };

    if (!device == !l.id) {
        error_set(err, "Need exactly one of 'device' and 'id'");
        return NULL;
    }
    if (!mon_blocks(mon)) {
        error_set(err, "Device '%s' not found", device ? device : l.id);
        return NULL;
    }
    if (device)
        return block_find(mon_blocks(mon), device, err);
    block_foreach(mon_blocks(mon), match_user, &l);
    if (!l.found)
        error_set(err, "Device '%s' not found", l.id);
    return l.found;
}

static bool forced(const json_t *args)
{
    return json_is_true(json_object_get(args, "force"));
}

static json_t *eject(struct mon *mon, const json_t *args, GError **err)
{
    struct block *b = find(mon, args, err);

    if (b)
        block_eject(b, forced(args), err);
    return NULL;
}

static json_t *open_tray(struct mon *mon, const json_t *args, GError **err)
{
    struct block *b = find(mon, args, err);

    if (b)
        block_open_tray(b, forced(args), err);
    return NULL;
}

static json_t *close_tray(struct mon *mon, const json_t *args, GError **err)
{
    struct block *b = find(mon, args, err);

    if (b)
        block_close_tray(b);
    return NULL;
}

static json_t *remove_medium(struct mon *mon, const json_t *args, GError **err)
{
    struct block *b = find(mon, args, err);

    if (b)
        block_remove_medium(b, err);
    return NULL;
}

/* Whether it is written to stays as it is unless they say. */
static const char *readonly_of(const struct block *b, const char *mode)
{
    if (g_strcmp0(mode, "read-only") == 0)
        return "on";
    if (g_strcmp0(mode, "read-write") == 0)
        return "off";
    return block_readonly(b) ? "on" : "off";
}

static json_t *change(struct mon *mon, const json_t *args, GError **err)
{
    const char *format = json_string_value(json_object_get(args, "format"));
    const char *mode = json_string_value(json_object_get(args, "read-only-mode"));
    opts_auto struct opts *o = opts_new("change");
    struct block *b = find(mon, args, err);

    if (!b)
        return NULL;
    opts_set(o, "file", json_string_value(json_object_get(args, "filename")));
    if (format)
        opts_set(o, "format", format);
    opts_set(o, "read-only", readonly_of(b, mode));
    block_change(b, o, forced(args), err);
    return NULL;
}

/* "change vnc password WORD" is of another kind, but goes by the same name. */
static bool hmp_change(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    const char *device = json_string_value(json_object_get(args, "device"));
    const char *what = json_string_value(json_object_get(args, "filename"));
    const char *word = json_string_value(json_object_get(args, "format"));
    GError *why = NULL;

    (void)out;
    if (g_strcmp0(device, "vnc") == 0) {
        if (g_strcmp0(what, "password") != 0)
            return error_set(err, "change vnc: only 'password' can be changed");
        return word ? mon_vnc_password(mon, NULL, word, err)
                    : error_set(err, "change vnc password: the password is missing");
    }
    change(mon, args, &why);
    if (why)
        g_propagate_error(err, why);
    return !why;
}

static const char *const mode_names[] = { "retain", "read-only", "read-write", NULL };
static const struct mon_type mode_type = ENUM_TYPE("BlockdevChangeReadOnlyMode", mode_names);

static const struct mon_member forced_args[] = {
    OPTIONAL("force", &mon_bool, .hmp = HMP_FLAG),
    OPTIONAL("device", &mon_str),
    OPTIONAL("id", &mon_str, .hmp = HMP_NONE),
    { 0 },
};
static const struct mon_member which_args[] = {
    OPTIONAL("device", &mon_str),
    OPTIONAL("id", &mon_str, .hmp = HMP_NONE),
    { 0 },
};
static const struct mon_member id_args[] = { MEMBER("id", &mon_str), { 0 } };
static const struct mon_member change_args[] = {
    OPTIONAL("force", &mon_bool, .hmp = HMP_FLAG),
    OPTIONAL("device", &mon_str),
    MEMBER("filename", &mon_str),
    OPTIONAL("format", &mon_str),
    OPTIONAL("read-only-mode", &mode_type),
    OPTIONAL("id", &mon_str, .hmp = HMP_NONE),
    { 0 },
};

const struct mon_command media_commands[] = {
    { .qmp = "eject",
      .run = eject,
      .args = forced_args,
      .hmp = "eject",
      .params = "[-f] device",
      .help = "take a disk out of its drive; -f: even if the guest locked it" },
    { .qmp = "blockdev-open-tray", .run = open_tray, .args = forced_args },
    { .qmp = "blockdev-close-tray", .run = close_tray, .args = which_args },
    { .qmp = "blockdev-remove-medium", .run = remove_medium, .args = id_args },
    { .qmp = "blockdev-change-medium",
      .run = change,
      .args = change_args,
      .hmp = "change",
      .text = hmp_change,
      .params = "[-f] device filename [format [read-only-mode]]",
      .help = "put another disk into a drive" },
    { 0 },
};
