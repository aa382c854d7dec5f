/*
 * Disks: what is inserted where, and how much went through.
 */
#include <inttypes.h>
#include <string.h>
#include <block/block.h>
#include "command.h"

static const struct mon_member image_members[] = {
    MEMBER("filename", &mon_str),
    MEMBER("format", &mon_str),
    MEMBER("virtual-size", &mon_int),
    MEMBER("dirty-flag", &mon_bool),
    { 0 },
};
static const struct mon_type image_info = OBJECT_TYPE("ImageInfo", image_members);
static const struct mon_member cache_members[] = {
    MEMBER("writeback", &mon_bool),
    MEMBER("direct", &mon_bool),
    MEMBER("no-flush", &mon_bool),
    { 0 },
};
static const struct mon_type cache_info = OBJECT_TYPE("BlockdevCacheInfo", cache_members);
static const struct mon_member node_members[] = {
    MEMBER("file", &mon_str),
    OPTIONAL("node-name", &mon_str),
    MEMBER("ro", &mon_bool),
    MEMBER("drv", &mon_str),
    MEMBER("encrypted", &mon_bool),
    MEMBER("bps", &mon_int),
    MEMBER("bps_rd", &mon_int),
    MEMBER("bps_wr", &mon_int),
    MEMBER("iops", &mon_int),
    MEMBER("iops_rd", &mon_int),
    MEMBER("iops_wr", &mon_int),
    MEMBER("backing_file_depth", &mon_int),
    MEMBER("write_threshold", &mon_int),
    MEMBER("image", &image_info),
    MEMBER("cache", &cache_info),
    { 0 },
};
static const struct mon_type node_info = OBJECT_TYPE("BlockDeviceInfo", node_members);
static const struct mon_type node_list = ARRAY_TYPE("[BlockDeviceInfo]", &node_info);
static const struct mon_member block_members[] = {
    MEMBER("device", &mon_str),
    OPTIONAL("qdev", &mon_str),
    MEMBER("type", &mon_str),
    MEMBER("removable", &mon_bool),
    MEMBER("locked", &mon_bool),
    OPTIONAL("inserted", &node_info),
    OPTIONAL("tray_open", &mon_bool),
    OPTIONAL("io-status", &mon_str),
    { 0 },
};
static const struct mon_type block_info = OBJECT_TYPE("BlockInfo", block_members);
static const struct mon_type block_list = ARRAY_TYPE("[BlockInfo]", &block_info);

/* File names are bytes to the host, JSON wants UTF-8. */
static json_t *text(const char *bytes)
{
    char *valid = g_utf8_make_valid(bytes, -1);
    json_t *v = json_string(valid);

    g_free(valid);
    return v;
}

/* -blockdev's nodes have no drive, their id is the node's name. */
static bool is_drive(const struct block *b)
{
    return block_interface(b) != NULL;
}

/* Nothing is throttled, encrypted or backed by another image: those members are zero. */
static json_t *describe_node(const struct block *b)
{
    json_t *image =
        json_pack("{s:o, s:s, s:I, s:b}", "filename", text(block_filename(b)), "format",
                  block_format(b), "virtual-size", (json_int_t)block_size(b), "dirty-flag", 0);
    json_t *cache =
        json_pack("{s:b, s:b, s:b}", "writeback", block_writeback(b), "direct", 0, "no-flush", 0);
    json_t *node = json_pack("{s:o, s:b, s:s, s:b, s:o, s:o}", "file", text(block_filename(b)),
                             "ro", block_readonly(b), "drv", block_format(b), "encrypted", 0,
                             "image", image, "cache", cache);
    static const char *const zeroes[] = { "bps",
                                          "bps_rd",
                                          "bps_wr",
                                          "iops",
                                          "iops_rd",
                                          "iops_wr",
                                          "backing_file_depth",
                                          "write_threshold" };

    for (unsigned i = 0; i < G_N_ELEMENTS(zeroes); i++)
        json_object_set_new(node, zeroes[i], json_integer(0));
    if (!is_drive(b))
        json_object_set_new(node, "node-name", json_string(block_id(b)));
    return node;
}

/* Who uses it: its id, or its path if it has none. */
static void set_user(json_t *entry, const struct block *b)
{
    const char *user = block_user(b), *folder = "/machine/peripheral/";

    if (!user)
        return;
    if (g_str_has_prefix(user, folder) && !strchr(user + strlen(folder), '/'))
        user += strlen(folder);
    json_object_set_new(entry, "qdev", json_string(user));
}

static void add_block(struct block *b, void *opaque)
{
    json_t *entry = json_pack("{s:s, s:s, s:b, s:b, s:s}", "device", is_drive(b) ? block_id(b) : "",
                              "type", "unknown", "removable", block_is_removable(b), "locked",
                              block_is_locked(b), "io-status", "ok");

    if (block_has_medium(b))
        json_object_set_new(entry, "inserted", describe_node(b));
    if (block_is_removable(b))
        json_object_set_new(entry, "tray_open", json_boolean(block_tray_is_open(b)));
    set_user(entry, b);
    json_array_append_new(opaque, entry);
}

static void add_node(struct block *b, void *opaque)
{
    if (block_has_medium(b))
        json_array_append_new(opaque, describe_node(b));
}

static json_t *list_blocks(struct mon *mon, void (*fn)(struct block *b, void *opaque))
{
    json_t *list = json_array();

    if (mon_blocks(mon))
        block_foreach(mon_blocks(mon), fn, list);
    return list;
}

static json_t *query_block(struct mon *mon, const json_t *args, GError **err)
{
    (void)args, (void)err;
    return list_blocks(mon, add_block);
}

static json_t *query_nodes(struct mon *mon, const json_t *args, GError **err)
{
    (void)args, (void)err;
    return list_blocks(mon, add_node);
}

static const struct mon_member stats_members[] = {
    MEMBER("rd_bytes", &mon_int),
    MEMBER("wr_bytes", &mon_int),
    MEMBER("unmap_bytes", &mon_int),
    MEMBER("rd_operations", &mon_int),
    MEMBER("wr_operations", &mon_int),
    MEMBER("flush_operations", &mon_int),
    MEMBER("unmap_operations", &mon_int),
    MEMBER("failed_rd_operations", &mon_int),
    MEMBER("failed_wr_operations", &mon_int),
    MEMBER("failed_flush_operations", &mon_int),
    MEMBER("failed_unmap_operations", &mon_int),
    { 0 },
};
static const struct mon_type stats_info = OBJECT_TYPE("BlockDeviceStats", stats_members);
static const struct mon_member stats_entry_members[] = {
    OPTIONAL("device", &mon_str),
    OPTIONAL("qdev", &mon_str),
    OPTIONAL("node-name", &mon_str),
    MEMBER("stats", &stats_info),
    { 0 },
};
static const struct mon_type stats_entry = OBJECT_TYPE("BlockStats", stats_entry_members);
static const struct mon_type stats_list = ARRAY_TYPE("[BlockStats]", &stats_entry);

static const struct {
    enum block_op op;
    const char *bytes, *operations, *failed;
} stats_names[] = {
    { BLOCK_READ, "rd_bytes", "rd_operations", "failed_rd_operations" },
    { BLOCK_WRITE, "wr_bytes", "wr_operations", "failed_wr_operations" },
    { BLOCK_FLUSH, NULL, "flush_operations", "failed_flush_operations" },
    { BLOCK_DISCARD, "unmap_bytes", "unmap_operations", "failed_unmap_operations" },
};

static void add_stats(struct block *b, void *opaque)
{
    const struct block_stats sum = block_stats(b), *s = &sum;
    json_t *stats = json_object(), *entry;

    for (unsigned i = 0; i < G_N_ELEMENTS(stats_names); i++) {
        enum block_op op = stats_names[i].op;

        if (stats_names[i].bytes)
            json_object_set_new(stats, stats_names[i].bytes, json_integer(s->bytes[op]));
        json_object_set_new(stats, stats_names[i].operations, json_integer(s->ops[op]));
        json_object_set_new(stats, stats_names[i].failed, json_integer(s->errors[op]));
    }
    entry =
        json_pack("{s:s, s:o}", is_drive(b) ? "device" : "node-name", block_id(b), "stats", stats);
    set_user(entry, b);
    json_array_append_new(opaque, entry);
}

static json_t *query_stats(struct mon *mon, const json_t *args, GError **err)
{
    (void)args, (void)err;
    return list_blocks(mon, add_stats);
}

static void print_block(struct block *b, void *opaque)
{
    GString *out = opaque;

    if (block_has_medium(b))
        g_string_append_printf(out, "%s%s: %s (%s%s)\n", out->len ? "\n" : "", block_id(b),
                               block_filename(b), block_format(b),
                               block_readonly(b) ? ", read-only" : "");
    else
        g_string_append_printf(out, "%s%s: [not inserted]\n", out->len ? "\n" : "", block_id(b));
    if (block_user(b))
        g_string_append_printf(out, "    Attached to:      %s\n", block_user(b));
    if (block_is_removable(b))
        g_string_append_printf(out, "    Removable device: %slocked, tray %s\n",
                               block_is_locked(b) ? "" : "not ",
                               block_tray_is_open(b) ? "open" : "closed");
    if (block_has_medium(b))
        g_string_append_printf(out, "    Cache mode:       %s\n",
                               block_writeback(b) ? "writeback" : "writethrough");
}

static bool info_block(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)args, (void)err;
    if (mon_blocks(mon))
        block_foreach(mon_blocks(mon), print_block, out);
    return true;
}

static void print_stats(struct block *b, void *opaque)
{
    const struct block_stats sum = block_stats(b), *s = &sum;

    g_string_append_printf(opaque, "%s:", block_id(b));
    for (unsigned i = 0; i < G_N_ELEMENTS(stats_names); i++) {
        enum block_op op = stats_names[i].op;

        if (stats_names[i].bytes)
            g_string_append_printf(opaque, " %s=%" PRIu64, stats_names[i].bytes, s->bytes[op]);
        g_string_append_printf(opaque, " %s=%" PRIu64, stats_names[i].operations, s->ops[op]);
    }
    g_string_append_c(opaque, '\n');
}

static bool info_blockstats(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    (void)args, (void)err;
    if (mon_blocks(mon))
        block_foreach(mon_blocks(mon), print_stats, out);
    return true;
}

const struct mon_command block_commands[] = {
    { .qmp = "query-block",
      .run = query_block,
      .ret = &block_list,
      .hmp = "info block",
      .text = info_block,
      .help = "show info of all block devices" },
    { .qmp = "query-named-block-nodes", .run = query_nodes, .ret = &node_list },
    { .qmp = "query-blockstats",
      .run = query_stats,
      .ret = &stats_list,
      .hmp = "info blockstats",
      .text = info_blockstats,
      .help = "show block device statistics" },
    { 0 },
};
