/*
 * What the guest shows: screendump; and what it copied.
 */
#include <string.h>
#include <ui/clipboard.h>
#include <ui/console.h>
#include "command.h"

static const char *const formats[] = { [PICTURE_PPM] = "ppm", [PICTURE_PNG] = "png", NULL };
static const struct mon_type format_type = ENUM_TYPE("ImageFormat", formats);

/* The console asked for, by default the first. */
static struct console *choose(struct mon *mon, const json_t *args, GError **err)
{
    const struct consoles *set = mon->machine->consoles;
    const char *id = json_string_value(json_object_get(args, "device"));
    json_int_t head = json_integer_value(json_object_get(args, "head"));
    const struct device *dev = id ? device_find(mon->machine, id) : NULL;
    struct console *c;

    if (!id && head) {
        error_set(err, "'head' must be specified together with 'device'");
        return NULL;
    }
    if (id && !dev) {
        error_set_code(err, MYNA_ERROR_NOT_FOUND, "Device '%s' not found", id);
        return NULL;
    }
    if (!set || head < 0 || head > UINT16_MAX)
        c = NULL;
    else
        c = dev ? console_of(set, dev->path, (unsigned)head) : console_at(set, 0);
    if (!c)
        error_set(err, "There is no console to take a screendump from");
    return c;
}

static json_t *screendump(struct mon *mon, const json_t *args, GError **err)
{
    const char *format = json_string_value(json_object_get(args, "format"));
    const char *path = json_string_value(json_object_get(args, "filename"));
    bool png = format && strcmp(format, formats[PICTURE_PNG]) == 0;
    struct console *c = choose(mon, args, err);

    if (!c)
        return NULL;
    console_refresh(c);
    if (!picture_write("screendump", path, png ? PICTURE_PNG : PICTURE_PPM, console_surface(c),
                       err))
        return NULL;
    return json_object();
}

static const struct mon_member screendump_args[] = {
    MEMBER("filename", &mon_str),
    OPTIONAL("format", &format_type, .hmp = HMP_FLAG),
    OPTIONAL("device", &mon_str),
    OPTIONAL("head", &mon_int),
    { 0 },
};

static bool info_clipboard(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    const struct clipboard *b = mon_clipboard(mon);
    const char *trouble = b ? clipboard_trouble(b) : "there are no displays";
    const char *text = b ? clipboard_text(b) : NULL;

    (void)args, (void)err;
    g_string_append_printf(out, "text: %zu bytes\n", text ? strlen(text) : 0);
    if (trouble)
        g_string_append_printf(out, "guest: takes no part: %s\n", trouble);
    else
        g_string_append(out, "guest: takes part\n");
    return true;
}

const struct mon_command display_commands[] = {
    { .hmp = "info clipboard",
      .text = info_clipboard,
      .help = "show whether text that is copied crosses between guest and displays" },
    { .qmp = "screendump",
      .hmp = "screendump",
      .args = screendump_args,
      .params = "filename [-f format] [device [head]]",
      .help = "write the guest's screen to a file, as PPM or PNG",
      .run = screendump },
    { 0 },
};
