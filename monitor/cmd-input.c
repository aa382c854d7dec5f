/*
 * Typing and pointing for the guest: sendkey, mouse_move and what QMP calls them.
 */
#include <stdlib.h>
#include <string.h>
#include <base/bits.h>
#include <base/option.h>
#include <ui/input.h>
#include "command.h"

enum { HOLD_MS = 100, HOLD_MAX_MS = 60000, KEYS_MAX = 16 };

static struct input *input_of(const struct mon *mon)
{
    return mon->machine->input;
}

static unsigned hold_time(const json_t *args)
{
    const json_t *v = json_object_get(args, "hold-time");
    json_int_t ms = v ? json_integer_value(v) : HOLD_MS;

    return (unsigned)CLAMP(ms, 1, HOLD_MAX_MS);
}

/* ---- types ---- */

static const char *const key_kinds[] = { "number", "qcode", NULL };
static const struct mon_type key_kind = ENUM_TYPE("KeyValueKind", key_kinds);
static const struct mon_member key_members[] = {
    MEMBER("type", &key_kind),
    MEMBER("data", &mon_any),
    { 0 },
};
static const struct mon_type key_value = OBJECT_TYPE("KeyValue", key_members);
static const struct mon_type key_values = ARRAY_TYPE("[KeyValue]", &key_value);

static const char *const event_kinds[] = { "key", "btn", "rel", "abs", NULL };
static const struct mon_type event_kind = ENUM_TYPE("InputEventKind", event_kinds);
static const struct mon_member event_members[] = {
    MEMBER("type", &event_kind),
    MEMBER("data", &mon_any),
    { 0 },
};
static const struct mon_type event_type = OBJECT_TYPE("InputEvent", event_members);
static const struct mon_type event_types = ARRAY_TYPE("[InputEvent]", &event_type);

static const char *const button_names[BUTTON_COUNT + 1] = {
    [BUTTON_LEFT] = "left",         [BUTTON_MIDDLE] = "middle",         [BUTTON_RIGHT] = "right",
    [BUTTON_WHEEL_UP] = "wheel-up", [BUTTON_WHEEL_DOWN] = "wheel-down", [BUTTON_SIDE] = "side",
    [BUTTON_EXTRA] = "extra",
};
static const struct mon_type button_type = ENUM_TYPE("InputButton", button_names);
static const char *const axis_names[] = { "x", "y", NULL };
static const struct mon_type axis_type = ENUM_TYPE("InputAxis", axis_names);

static const struct mon_member key_event_members[] = {
    MEMBER("key", &key_value),
    MEMBER("down", &mon_bool),
    { 0 },
};
static const struct mon_member button_event_members[] = {
    MEMBER("button", &button_type),
    MEMBER("down", &mon_bool),
    { 0 },
};
static const struct mon_member move_event_members[] = {
    MEMBER("axis", &axis_type),
    MEMBER("value", &mon_int),
    { 0 },
};
/* By enum input_kind. */
static const struct mon_type event_data[] = {
    [INPUT_KEY] = OBJECT_TYPE("InputKeyEvent", key_event_members),
    [INPUT_BUTTON] = OBJECT_TYPE("InputBtnEvent", button_event_members),
    [INPUT_REL] = OBJECT_TYPE("InputMoveEvent", move_event_members),
    [INPUT_ABS] = OBJECT_TYPE("InputMoveEvent", move_event_members),
};

static unsigned index_of(const char *const *names, const json_t *value)
{
    unsigned i = 0;

    while (names[i] && strcmp(names[i], json_string_value(value)) != 0)
        i++;
    return i;
}

/* ---- keys ---- */

static bool key_of(const json_t *value, enum key *key, GError **err)
{
    const json_t *data = json_object_get(value, "data");
    const char *name = json_string_value(data);

    if (index_of(key_kinds, json_object_get(value, "type")) == 0) {
        if (!json_is_integer(data))
            return error_set(err, "Invalid parameter type for 'data', expected: integer");
        *key = key_by_number((unsigned)json_integer_value(data));
        return true; /* a number that no key has types nothing */
    }
    if (!name)
        return error_set(err, "Invalid parameter type for 'data', expected: string");
    *key = key_by_name(name, strlen(name));
    if (*key == KEY_NONE && strcmp(name, key_name(KEY_NONE)) != 0)
        return error_set(err, "Parameter 'data' does not accept value '%s'", name);
    return true;
}

static json_t *send_key(struct mon *mon, const json_t *args, GError **err)
{
    const json_t *list = json_object_get(args, "keys");
    enum key keys[KEYS_MAX];
    size_t n = json_array_size(list);

    if (n > KEYS_MAX) {
        error_set(err, "send-key: at most %d keys can be pressed together", KEYS_MAX);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        if (!key_of(json_array_get(list, i), &keys[i], err))
            return NULL;
    input_type(input_of(mon), keys, (unsigned)n, hold_time(args));
    return NULL;
}

/* One key of "ctrl-alt-0x10". */
static bool hmp_key(const char *word, size_t len, enum key *key, GError **err)
{
    char text[32];

    if (len == 0 || len >= sizeof(text))
        return error_set(err, "sendkey: '%.*s' is not a key", (int)MIN(len, 40), word);
    memcpy(text, word, len);
    text[len] = '\0';
    if (g_str_has_prefix(text, "0x"))
        *key = key_by_number((unsigned)strtoul(text, NULL, 16));
    else if (strcmp(text, "<") == 0)
        *key = KEY_LESS;
    else
        *key = key_by_name(text, len);
    return *key != KEY_NONE || error_set(err, "sendkey: unknown key '%s'", text);
}

static bool sendkey(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    const char *p = json_string_value(json_object_get(args, "keys"));
    enum key keys[KEYS_MAX];
    unsigned n = 0;

    (void)out;
    do {
        size_t len = strcspn(p, "-");

        if (n == KEYS_MAX)
            return error_set(err, "sendkey: at most %d keys can be pressed together", KEYS_MAX);
        if (!hmp_key(p, len, &keys[n++], err))
            return false;
        p += len;
    } while (*p++ == '-');
    input_type(input_of(mon), keys, n, hold_time(args));
    return true;
}

static const struct mon_member send_key_args[] = {
    MEMBER("keys", &key_values, .hmp = HMP_NONE),
    OPTIONAL("hold-time", &mon_int),
    { 0 },
};
static const struct mon_member sendkey_args[] = {
    MEMBER("keys", &mon_str),
    OPTIONAL("hold-time", &mon_int),
    { 0 },
};

/* ---- events ---- */

static bool event_of(const json_t *value, struct input_event *e, GError **err)
{
    const json_t *data = json_object_get(value, "data");

    e->kind = index_of(event_kinds, json_object_get(value, "type"));
    if (!mon_check(&event_data[e->kind], data, "data", err))
        return false;
    e->down = json_is_true(json_object_get(data, "down"));
    e->value = (int)CLAMP(json_integer_value(json_object_get(data, "value")), -INPUT_ABS_MAX - 1,
                          INPUT_ABS_MAX);
    if (e->kind == INPUT_KEY)
        return key_of(json_object_get(data, "key"), &e->key, err);
    if (e->kind == INPUT_BUTTON)
        e->button = index_of(button_names, json_object_get(data, "button"));
    else
        e->axis = index_of(axis_names, json_object_get(data, "axis"));
    return true;
}

/* All are checked before the first is sent. */
static json_t *input_send_event(struct mon *mon, const json_t *args, GError **err)
{
    const json_t *list = json_object_get(args, "events");
    size_t n = json_array_size(list);
    g_autofree struct input_event *events = g_new0(struct input_event, n + 1);

    for (size_t i = 0; i < n; i++)
        if (!event_of(json_array_get(list, i), &events[i], err))
            return NULL;
    for (size_t i = 0; i < n; i++)
        input_send(input_of(mon), &events[i]);
    input_sync(input_of(mon));
    return NULL;
}

static const struct mon_member send_event_args[] = {
    OPTIONAL("device", &mon_str),
    OPTIONAL("head", &mon_int),
    MEMBER("events", &event_types, .hmp = HMP_NONE),
    { 0 },
};

/* ---- mice ---- */

static const struct mon_member mouse_members[] = {
    MEMBER("name", &mon_str),
    MEMBER("index", &mon_int),
    MEMBER("current", &mon_bool),
    MEMBER("absolute", &mon_bool),
    { 0 },
};
static const struct mon_type mouse_type = OBJECT_TYPE("MouseInfo", mouse_members);
static const struct mon_type mouse_types = ARRAY_TYPE("[MouseInfo]", &mouse_type);

static bool is_mouse(const struct input_device *dev)
{
    return dev->ops->kinds & (1u << INPUT_REL | 1u << INPUT_ABS);
}

static void add_mouse(const struct input_device *dev, bool current, void *list)
{
    if (is_mouse(dev))
        json_array_append_new(list, json_pack("{s:s, s:i, s:b, s:b}", "name", dev->ops->name,
                                              "index", (int)dev->index, "current", current,
                                              "absolute", dev->ops->kinds >> INPUT_ABS & 1));
}

static json_t *query_mice(struct mon *mon, const json_t *args, GError **err)
{
    json_t *list = json_array();

    (void)args, (void)err;
    input_foreach(input_of(mon), add_mouse, list);
    return list;
}

static void print_mouse(const struct input_device *dev, bool current, void *out)
{
    if (is_mouse(dev))
        g_string_append_printf(out, "%c Mouse #%u: %s%s\n", current ? '*' : ' ', dev->index,
                               dev->ops->name,
                               dev->ops->kinds >> INPUT_ABS & 1 ? " (absolute)" : "");
}

static bool info_mice(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    gsize before = out->len;

    (void)args, (void)err;
    input_foreach(input_of(mon), print_mouse, out);
    if (out->len == before)
        g_string_append(out, "No mouse devices connected\n");
    return true;
}

static int int_arg(const json_t *args, const char *name)
{
    return (int)CLAMP(json_integer_value(json_object_get(args, name)), -INPUT_ABS_MAX,
                      INPUT_ABS_MAX);
}

/* Words, and not expressions, of which "10 -5" would be one. */
static bool step_arg(const json_t *args, const char *name, int *step, GError **err)
{
    const char *word = json_string_value(json_object_get(args, name));
    int64_t n = 0;

    if (word && !option_i64("mouse_move", word, -INPUT_ABS_MAX, INPUT_ABS_MAX, &n, err))
        return false;
    *step = (int)n;
    return true;
}

static bool mouse_move(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    struct input *in = input_of(mon);
    enum input_button wheel;
    int dx, dy, dz;

    (void)out;
    if (!step_arg(args, "dx", &dx, err) || !step_arg(args, "dy", &dy, err) ||
        !step_arg(args, "dz", &dz, err))
        return false;
    wheel = dz > 0 ? BUTTON_WHEEL_UP : BUTTON_WHEEL_DOWN;
    input_move(in, dx, dy);
    if (dz) {
        input_button(in, wheel, true);
        input_button(in, wheel, false);
    }
    input_sync(in);
    return true;
}

/* Bits of the state: left, right, middle. */
static bool mouse_button(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    static const enum input_button bits[] = { BUTTON_LEFT, BUTTON_RIGHT, BUTTON_MIDDLE };
    int state = int_arg(args, "state");

    (void)out, (void)err;
    for (unsigned i = 0; i < ARRAY_LEN(bits); i++)
        input_button(input_of(mon), bits[i], state >> i & 1);
    input_sync(input_of(mon));
    return true;
}

static bool mouse_set(struct mon *mon, const json_t *args, GString *out, GError **err)
{
    int index = int_arg(args, "index");

    (void)out;
    return (index >= 0 && input_choose(input_of(mon), (unsigned)index)) ||
           error_set(err, "Mouse at index '%d' not found", index);
}

static const struct mon_member move_args[] = {
    MEMBER("dx", &mon_str),
    MEMBER("dy", &mon_str),
    OPTIONAL("dz", &mon_str),
    { 0 },
};
static const struct mon_member button_args[] = { MEMBER("state", &mon_int), { 0 } };
static const struct mon_member set_args[] = { MEMBER("index", &mon_int), { 0 } };

const struct mon_command input_commands[] = {
    { .qmp = "send-key", .args = send_key_args, .run = send_key, .help = "press keys together" },
    { .hmp = "sendkey",
      .args = sendkey_args,
      .params = "keys [hold_ms]",
      .text = sendkey,
      .help = "send keys to the VM (e.g. 'sendkey ctrl-alt-f1', default hold time=100 ms)" },
    { .qmp = "input-send-event",
      .args = send_event_args,
      .run = input_send_event,
      .help = "send keyboard and mouse events" },
    { .qmp = "query-mice",
      .run = query_mice,
      .ret = &mouse_types,
      .hmp = "info mice",
      .text = info_mice,
      .help = "show which guest mouse is receiving events" },
    { .hmp = "mouse_move",
      .args = move_args,
      .params = "dx dy [dz]",
      .text = mouse_move,
      .help = "send mouse move events" },
    { .hmp = "mouse_button",
      .args = button_args,
      .params = "state",
      .text = mouse_button,
      .help = "change mouse button state (1=L, 2=R, 4=M)" },
    { .hmp = "mouse_set",
      .args = set_args,
      .params = "index",
      .text = mouse_set,
      .help = "set which mouse device receives events" },
    { 0 },
};
