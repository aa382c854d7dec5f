/*
 * QMP: JSON commands and answers, one session. Greeting, negotiation, then commands; events come
 * between answers once negotiation is done. To a client that is slow to read, they come in the same
 * order still, but without those that a later one repeats (held.h).
 */
#include <string.h>
#include <base/loop.h>
#include "held.h"
#include "session.h"
#include "split.h"
#include "version.h"

struct qmp {
    struct monitor *monitor;
    struct split split;
    GQueue *requests; /* of struct request, not yet run */
    GSource *next;    /* runs the first of them */
    struct held held; /* events, not yet sent */
    bool negotiated;
};

/* A value that came, or what was wrong with it. */
struct request {
    json_t *value; /* NULL: an error */
    char *error;
};

static void request_free(void *data)
{
    struct request *r = data;

    json_decref(r->value);
    g_free(r->error);
    g_free(r);
}

static void forget_requests(struct qmp *q)
{
    g_queue_clear_full(q->requests, request_free);
    if (!q->next)
        return;
    g_source_destroy(q->next);
    g_source_unref(q->next);
    q->next = NULL;
}

static void *qmp_create(struct monitor *m)
{
    struct qmp *q = g_new0(struct qmp, 1);

    q->monitor = m;
    q->requests = g_queue_new();
    split_init(&q->split);
    return q;
}

static void qmp_free(void *state)
{
    struct qmp *q = state;

    forget_requests(q);
    held_clear(&q->held);
    g_queue_free(q->requests);
    split_free(&q->split);
    g_free(q);
}

/* Takes @message over. */
static void put(struct qmp *q, json_t *message)
{
    char *text = json_dumps(message, JSON_ENSURE_ASCII | (q->monitor->pretty ? JSON_INDENT(4) : 0));

    if (text) {
        GString *line = g_string_new(text);

        g_string_append(line, "\r\n");
        monitor_write(q->monitor, line->str, line->len);
        g_string_free(line, true);
        free(text);
    }
    json_decref(message);
}

static bool put_held(void *state)
{
    struct qmp *q = state;
    json_t *event = held_take(&q->held);

    if (event)
        put(q, event);
    return event != NULL;
}

/* An answer comes after all that happened before it. Takes @message over. */
static void send(struct qmp *q, json_t *message)
{
    while (put_held(q))
        ;
    put(q, message);
}

static void qmp_opened(void *state)
{
    struct qmp *q = state;

    q->negotiated = false;
    split_reset(&q->split);
    send(q, json_pack("{s:{s:o, s:[]}}", "QMP", "version", monitor_version(), "capabilities"));
}

static void qmp_closed(void *state)
{
    struct qmp *q = state;

    q->negotiated = false;
    split_reset(&q->split);
    forget_requests(q);
    held_clear(&q->held);
}

static const char *class_name(const GError *err)
{
    if (err->domain != MYNA_ERROR)
        return "GenericError";
    switch (err->code) {
    case MYNA_ERROR_NOT_FOUND: return "DeviceNotFound";
    case MYNA_ERROR_INACTIVE: return "DeviceNotActive";
    case MYNA_ERROR_COMMAND: return "CommandNotFound";
    default: return "GenericError";
    }
}

/* Error texts may quote the user's bytes; JSON wants UTF-8. */
static void send_error(struct qmp *q, const GError *err, json_t *id)
{
    char *text = g_utf8_make_valid(err->message, -1);
    json_t *message = json_object();

    if (id)
        json_object_set(message, "id", id);
    json_object_set_new(message, "error",
                        json_pack("{s:s, s:s}", "class", class_name(err), "desc", text));
    g_free(text);
    send(q, message);
}

/* What a request may hold, and that it holds a command (QMP specification, "Issuing Commands"). */
static const char *check_request(const json_t *request, GError **err)
{
    const char *key;
    json_t *item;

    if (!json_is_object(request)) {
        error_set(err, "QMP input must be a JSON object");
        return NULL;
    }
    json_object_foreach((json_t *)request, key, item)
    {
        if (!strcmp(key, "execute")) {
            if (!json_is_string(item)) {
                error_set(err, "QMP input member '%s' must be a string", key);
                return NULL;
            }
        } else if (!strcmp(key, "arguments")) {
            if (!json_is_object(item)) {
                error_set(err, "QMP input member 'arguments' must be an object");
                return NULL;
            }
        } else if (strcmp(key, "id")) { /* exec-oob too: the capability is not offered */
            error_set(err, "QMP input member '%s' is unexpected", key);
            return NULL;
        }
    }
    key = json_string_value(json_object_get(request, "execute"));
    if (!key)
        error_set(err, "QMP input lacks member 'execute'");
    return key;
}

static const struct mon_command *find_command(struct qmp *q, const char *name, GError **err)
{
    const struct mon_command *cmd = mon_find_qmp(name);

    if (!q->negotiated && !(cmd && cmd->before_negotiation)) {
        error_set_code(err, MYNA_ERROR_COMMAND,
                       "Expecting capabilities negotiation with 'qmp_capabilities'");
        return NULL;
    }
    if (!cmd)
        error_set_code(err, MYNA_ERROR_COMMAND, "The command %s has not been found", name);
    if (cmd && cmd->before_negotiation && q->negotiated) {
        error_set_code(err, MYNA_ERROR_COMMAND,
                       "Capabilities negotiation is already complete, command ignored");
        return NULL;
    }
    return cmd;
}

static json_t *execute(struct qmp *q, const json_t *request, GError **err)
{
    const char *name = check_request(request, err);
    const struct mon_command *cmd = name ? find_command(q, name, err) : NULL;
    json_t *args, *given, *result = NULL;
    GError *local = NULL;

    if (!cmd)
        return NULL;
    given = json_object_get(request, "arguments");
    args = given ? json_incref(given) : json_object();
    {
        const struct mon_type t = { .kind = MON_OBJECT, .members = cmd->args };

        if (cmd->more_args || mon_check(&t, args, "", &local))
            result = cmd->run(&q->monitor->mon, args, &local);
    }
    json_decref(args);
    if (local) {
        g_propagate_error(err, local);
        return NULL;
    }
    if (cmd->before_negotiation)
        q->negotiated = true;
    return result ? result : json_object();
}

static void answer(struct qmp *q, json_t *value, const char *error)
{
    json_t *id = json_is_object(value) ? json_incref(json_object_get(value, "id")) : NULL;
    json_t *result = NULL, *message;
    GError *err = NULL;

    if (error)
        error_set(&err, "%s", error);
    else
        result = execute(q, value, &err);
    if (err) {
        send_error(q, err, id);
        g_error_free(err);
    } else {
        message = json_pack("{s:o}", "return", result);
        if (id)
            json_object_set(message, "id", id);
        send(q, message);
    }
    json_decref(id);
}

static bool may_run(const struct qmp *q)
{
    return !g_queue_is_empty(q->requests) && !monitor_full(q->monitor);
}

static gboolean run_next(void *opaque)
{
    struct qmp *q = opaque;
    struct request *r = g_queue_pop_head(q->requests);

    answer(q, r->value, r->error);
    request_free(r);
    monitor_input_done(q->monitor);
    if (!q->next) /* the client went away on the way */
        return G_SOURCE_REMOVE;
    if (may_run(q))
        return G_SOURCE_CONTINUE;
    g_source_unref(q->next);
    q->next = NULL;
    return G_SOURCE_REMOVE;
}

/* One command a round of the main loop: what a command asks of the machine, a reset say, is done
 * before the next one looks. */
static void run_requests(void *state)
{
    struct qmp *q = state;

    if (q->next || !may_run(q))
        return;
    q->next = g_idle_source_new();
    g_source_set_priority(q->next, G_PRIORITY_DEFAULT);
    g_source_set_callback(q->next, run_next, q, NULL);
    g_source_attach(q->next, loop_context(q->monitor->mon.machine->loop));
}

static void on_value(void *opaque, json_t *value, const char *error)
{
    struct qmp *q = opaque;
    struct request *r = g_new0(struct request, 1);

    r->value = json_incref(value);
    r->error = g_strdup(error);
    g_queue_push_tail(q->requests, r);
    run_requests(q);
}

/* A chunk of input may hold many requests, so this bounds them together with the chunk's size. */
static bool qmp_busy(void *state)
{
    return !g_queue_is_empty(((struct qmp *)state)->requests);
}

static size_t qmp_input(void *state, const uint8_t *buf, size_t len)
{
    struct qmp *q = state;

    split_feed(&q->split, buf, len, on_value, q);
    return len;
}

static void qmp_event(void *state, const char *name, json_t *data)
{
    struct qmp *q = state;
    int64_t now = g_get_real_time();
    json_t *message;

    if (!q->negotiated)
        return;
    message = json_pack("{s:{s:I, s:I}, s:s}", "timestamp", "seconds", (json_int_t)(now / 1000000),
                        "microseconds", (json_int_t)(now % 1000000), "event", name);
    if (data)
        json_object_set(message, "data", data);
    held_add(&q->held, message);
    while (!monitor_crowded(q->monitor) && put_held(q))
        ;
}

const struct monitor_language qmp_language = {
    .create = qmp_create,
    .free = qmp_free,
    .opened = qmp_opened,
    .closed = qmp_closed,
    .input = qmp_input,
    .busy = qmp_busy,
    .event = qmp_event,
    .more = put_held,
    .go_on = run_requests,
};
