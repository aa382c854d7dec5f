/*
 * What machine this is, and what machines and accelerators there are.
 */
#include <string.h>
#include <accel/accel.h>
#include "command.h"

static const struct mon_member name_members[] = {
    OPTIONAL("name", &mon_str),
    { 0 },
};
static const struct mon_type name_info = OBJECT_TYPE("NameInfo", name_members);

static json_t *query_name(struct mon *mon, const json_t *args, GError **err)
{
    json_t *result = json_object();

    (void)args, (void)err;
    if (mon->machine->cfg.name)
        json_object_set_new(result, "name", json_string(mon->machine->cfg.name));
    return result;
}

static bool info_name(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)args, (void)err;
    if (mon->machine->cfg.name)
        g_string_append_printf(out, "%s\n", mon->machine->cfg.name);
    return true;
}

static const struct mon_member uuid_members[] = {
    MEMBER("UUID", &mon_str),
    { 0 },
};
static const struct mon_type uuid_info = OBJECT_TYPE("UuidInfo", uuid_members);

static void uuid_text(const struct machine *m, GString *out)
{
    for (unsigned i = 0; i < sizeof(m->cfg.uuid); i++)
        g_string_append_printf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                               m->cfg.uuid[i]);
}

static json_t *query_uuid(struct mon *mon, const json_t *args, GError **err)
{
    GString *s = g_string_new("");
    json_t *result;

    (void)args, (void)err;
    uuid_text(mon->machine, s);
    result = json_pack("{s:s}", "UUID", s->str);
    g_string_free(s, true);
    return result;
}

static bool info_uuid(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)args, (void)err;
    uuid_text(mon->machine, out);
    g_string_append(out, "\n");
    return true;
}

static const struct mon_member target_members[] = {
    MEMBER("arch", &mon_str),
    { 0 },
};
static const struct mon_type target_info = OBJECT_TYPE("TargetInfo", target_members);

static json_t *query_target(struct mon *mon, const json_t *args, GError **err)
{
    (void)args, (void)err;
    return json_pack("{s:s}", "arch", mon->machine->cfg.arch);
}

static const struct mon_member kvm_members[] = {
    MEMBER("enabled", &mon_bool),
    MEMBER("present", &mon_bool),
    { 0 },
};
static const struct mon_type kvm_info = OBJECT_TYPE("KvmInfo", kvm_members);

static json_t *query_kvm(struct mon *mon, const json_t *args, GError **err)
{
    const struct machine *m = mon->machine;
    const struct accel_type *kvm = accel_find("kvm", NULL);
    bool present = kvm && kvm->usable && kvm->usable(m->cfg.arch);

    (void)args, (void)err;
    return json_pack("{s:b, s:b}", "enabled", g_strcmp0(m->accel, "kvm") == 0, "present", present);
}

static bool info_kvm(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)args, (void)err;
    g_string_append_printf(out, "kvm support: %s\n",
                           g_strcmp0(mon->machine->accel, "kvm") == 0 ? "enabled" : "disabled");
    return true;
}

static const struct mon_member machine_members[] = {
    MEMBER("name", &mon_str),
    OPTIONAL("alias", &mon_str),
    OPTIONAL("is-default", &mon_bool),
    MEMBER("cpu-max", &mon_int),
    MEMBER("hotpluggable-cpus", &mon_bool),
    MEMBER("numa-mem-supported", &mon_bool),
    MEMBER("deprecated", &mon_bool),
    OPTIONAL("default-cpu-type", &mon_str),
    { 0 },
};
static const struct mon_type machine_info = OBJECT_TYPE("MachineInfo", machine_members);
static const struct mon_type machine_list = ARRAY_TYPE("[MachineInfo]", &machine_info);

/* Under one of its names; the alias and being the default are the first one's. */
static json_t *describe_machine(const struct machine_type *t, const char *name, const char *arch)
{
    json_t *entry =
        json_pack("{s:s, s:i, s:b, s:b, s:b}", "name", name, "cpu-max", (int)t->max_cpus,
                  "hotpluggable-cpus", 0, "numa-mem-supported", 0, "deprecated", 0);
    const char *model = t->default_cpu ? t->default_cpu(arch) : NULL;

    if (t->alias && name == t->name)
        json_object_set_new(entry, "alias", json_string(t->alias));
    if (t->is_default && name == t->name)
        json_object_set_new(entry, "is-default", json_true());
    if (model) {
        char *type = mon_cpu_type_name(arch, model);

        json_object_set_new(entry, "default-cpu-type", json_string(type));
        g_free(type);
    }
    return entry;
}

static json_t *query_machines(struct mon *mon, const json_t *args, GError **err)
{
    const char *arch = mon->machine->cfg.arch;
    json_t *list = json_array();

    (void)args, (void)err;
    for (const struct machine_type *const *t = machine_types(); *t; t++) {
        if (!g_strv_contains((*t)->archs, arch))
            continue;
        json_array_append_new(list, describe_machine(*t, (*t)->name, arch));
        for (const char *const *v = (*t)->versions; v && *v; v++)
            json_array_append_new(list, describe_machine(*t, *v, arch));
    }
    return list;
}

static const struct mon_member memory_members[] = {
    MEMBER("base-memory", &mon_int),
    { 0 },
};
static const struct mon_type memory_info = OBJECT_TYPE("MemoryInfo", memory_members);

static json_t *query_memory_size(struct mon *mon, const json_t *args, GError **err)
{
    (void)args, (void)err;
    return json_pack("{s:I}", "base-memory", (json_int_t)mon->machine->cfg.ram_size);
}

const struct mon_command query_commands[] = {
    { .qmp = "query-name",
      .run = query_name,
      .ret = &name_info,
      .hmp = "info name",
      .text = info_name,
      .help = "show the current VM name" },
    { .qmp = "query-uuid",
      .run = query_uuid,
      .ret = &uuid_info,
      .hmp = "info uuid",
      .text = info_uuid,
      .help = "show the current VM UUID" },
    { .qmp = "query-target", .run = query_target, .ret = &target_info },
    { .qmp = "query-kvm",
      .run = query_kvm,
      .ret = &kvm_info,
      .hmp = "info kvm",
      .text = info_kvm,
      .help = "show KVM information" },
    { .qmp = "query-machines", .run = query_machines, .ret = &machine_list },
    { .qmp = "query-memory-size-summary", .run = query_memory_size, .ret = &memory_info },
    { 0 },
};
