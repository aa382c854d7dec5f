/*
 * CPUs: which there are, their registers, the types that -cpu knows.
 */
#include <string.h>
#include <target/cpu.h>
#include "command.h"

static const struct mon_member props_members[] = {
    OPTIONAL("core-id", &mon_int),
    { 0 },
};
static const struct mon_type props_info = OBJECT_TYPE("CpuInstanceProperties", props_members);
static const struct mon_member cpu_members[] = {
    MEMBER("cpu-index", &mon_int), MEMBER("qom-path", &mon_str), OPTIONAL("thread-id", &mon_int),
    MEMBER("props", &props_info),  MEMBER("target", &mon_str),   { 0 },
};
static const struct mon_type cpu_info = OBJECT_TYPE("CpuInfoFast", cpu_members);
static const struct mon_type cpu_list = ARRAY_TYPE("[CpuInfoFast]", &cpu_info);

static struct cpu *cpu_at(const struct mon *mon, unsigned i)
{
    return g_ptr_array_index(mon->machine->cpus, i);
}

static json_t *query_cpus(struct mon *mon, const json_t *args, GError **err)
{
    json_t *list = json_array();

    (void)args, (void)err;
    for (unsigned i = 0; i < mon->machine->cpus->len; i++) {
        struct cpu *cpu = cpu_at(mon, i);
        char *path = g_strdup_printf("/machine/cpu[%u]", i);

        json_array_append_new(list,
                              json_pack("{s:i, s:s, s:i, s:{s:i}, s:s}", "cpu-index", i, "qom-path",
                                        path, "thread-id", g_atomic_int_get(&cpu->host_tid),
                                        "props", "core-id", i, "target", mon->machine->cfg.arch));
        g_free(path);
    }
    return list;
}

static bool info_cpus(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)args, (void)err;
    for (unsigned i = 0; i < mon->machine->cpus->len; i++)
        g_string_append_printf(out, "%c CPU #%u: thread_id=%d\n", i == mon->cpu ? '*' : ' ', i,
                               g_atomic_int_get(&cpu_at(mon, i)->host_tid));
    return true;
}

static const struct mon_member registers_args[] = {
    OPTIONAL("all", &mon_bool, .hmp = HMP_FLAG),
    OPTIONAL("vcpu", &mon_int),
    { 0 },
};

static bool dump_cpu(struct mon *mon, unsigned index, GString *out, GError **err)
{
    unsigned current = mon->cpu;
    struct cpu *cpu;

    mon->cpu = index;
    cpu = mon_hold_cpu(mon, err);
    if (cpu) {
        g_string_append_printf(out, "\nCPU#%u\n", index);
        cpu->ops->dump(cpu, out);
        mon_release_cpu(mon);
    }
    mon->cpu = current;
    return cpu != NULL;
}

static bool info_registers(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    const json_t *vcpu = json_object_get(args, "vcpu");
    json_int_t index = vcpu ? json_integer_value(vcpu) : mon->cpu;

    if (vcpu && (index < 0 || index >= mon->machine->cpus->len))
        return error_set(err, "CPU#%" JSON_INTEGER_FORMAT " not available", index);
    if (!json_is_true(json_object_get(args, "all")))
        return dump_cpu(mon, index, out, err);
    for (unsigned i = 0; i < mon->machine->cpus->len; i++)
        if (!dump_cpu(mon, i, out, err))
            return false;
    return true;
}

static const struct mon_member cpu_args[] = {
    MEMBER("index", &mon_int),
    { 0 },
};

static bool select_cpu(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    json_int_t index = json_integer_value(json_object_get(args, "index"));

    (void)out;
    if (index < 0 || index >= mon->machine->cpus->len)
        return error_set(err, "invalid CPU index");
    mon->cpu = index;
    return true;
}

static const struct mon_member definition_members[] = {
    MEMBER("name", &mon_str),
    MEMBER("typename", &mon_str),
    MEMBER("static", &mon_bool),
    MEMBER("deprecated", &mon_bool),
    { 0 },
};
static const struct mon_type definition_info = OBJECT_TYPE("CpuDefinitionInfo", definition_members);
static const struct mon_type definition_list = ARRAY_TYPE("[CpuDefinitionInfo]", &definition_info);

char *mon_cpu_type_name(const char *arch, const char *model)
{
    return g_strdup_printf("%s-%s-cpu", model, g_str_has_prefix(arch, "riscv") ? "riscv" : arch);
}

static json_t *query_definitions(struct mon *mon, const json_t *args, GError **err)
{
    const char *arch = mon->machine->cfg.arch;
    json_t *list = json_array();

    (void)args, (void)err;
    for (const struct cpu_type *const *t = cpu_types(); *t; t++) {
        char *type;

        if (strcmp((*t)->arch, arch))
            continue;
        type = mon_cpu_type_name(arch, (*t)->name);
        json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:b}", "name", (*t)->name,
                                              "typename", type, "static", 0, "deprecated", 0));
        g_free(type);
    }
    return list;
}

static bool info_jit(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    struct cpu *held = mon_hold_cpu(mon, err);
    size_t before = out->len;

    (void)args;
    if (!held)
        return false;
    for (unsigned i = 0; i < mon->machine->cpus->len; i++) {
        struct cpu *cpu = cpu_at(mon, i);

        if (cpu->accel_ops && cpu->accel_ops->info_jit)
            cpu->accel_ops->info_jit(cpu, out);
    }
    mon_release_cpu(mon);
    return out->len > before || error_set(err, "JIT information is only available with accel=tcg");
}

const struct mon_command cpu_commands[] = {
    { .qmp = "query-cpus-fast",
      .run = query_cpus,
      .ret = &cpu_list,
      .hmp = "info cpus",
      .text = info_cpus,
      .help = "show infos for each CPU" },
    { .qmp = "query-cpu-definitions", .run = query_definitions, .ret = &definition_list },
    { .hmp = "info registers",
      .args = registers_args,
      .params = "[-a] [vcpu]",
      .text = info_registers,
      .help = "show the cpu registers (-a: show register info for all cpus; vcpu: specific vCPU "
              "to query)" },
    { .hmp = "info jit", .text = info_jit, .help = "show dynamic compiler info" },
    { .hmp = "cpu",
      .args = cpu_args,
      .params = "index",
      .text = select_cpu,
      .help = "set the default CPU" },
    { 0 },
};
