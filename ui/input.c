/* Who gets which events, and typing for monitors; see ui/input.h. */
#include <ui/input.h>

#include <base/bug.h>
#include <base/clock.h>

/* Keys waiting to be typed; what would be more is dropped, as by a keyboard's buffer. */
#define TYPED_MAX 1024

/* An event of typed text, and how long after the one before it comes. */
struct typed {
    enum key key;
    bool down;
    int64_t wait; /* ns */
};

struct input {
    GPtrArray *devices; /* of struct input_device; the first that wants an event gets it */
    unsigned next_index;
    struct timer timer;
    GQueue typed; /* of struct typed */
    struct loop *loop;
    unsigned leds;
    const struct input_device *pointer; /* that was moved last; NULL: none */
    GPtrArray *watches;                 /* of struct input_watch */
};

static void type_next(void *opaque);

struct input *input_new(struct loop *loop)
{
    struct input *in = g_new0(struct input, 1);

    in->loop = loop;
    in->devices = g_ptr_array_new();
    in->watches = g_ptr_array_new();
    g_queue_init(&in->typed);
    timer_init(&in->timer, loop, CLK_VIRTUAL, type_next, in);
    return in;
}

void input_free(struct input *in)
{
    bug_on(in->devices->len);
    timer_del(&in->timer);
    g_queue_clear_full(&in->typed, g_free);
    g_ptr_array_free(in->devices, TRUE);
    g_ptr_array_free(in->watches, TRUE);
    g_free(in);
}

/* ---- watches ---- */

#define TELL(in, what, ...)                                          \
    do {                                                             \
        for (unsigned i_ = 0; i_ < (in)->watches->len; i_++) {       \
            const struct input_watch *w_ = (in)->watches->pdata[i_]; \
                                                                     \
            if (w_->what)                                            \
                w_->what(w_->opaque, ##__VA_ARGS__);                 \
        }                                                            \
    } while (0)

void input_add_watch(struct input *in, struct input_watch *w)
{
    g_ptr_array_add(in->watches, w);
}

void input_remove_watch(struct input *in, struct input_watch *w)
{
    g_ptr_array_remove(in->watches, w);
}

void input_set_leds(struct input *in, unsigned leds)
{
    if (in->leds == leds)
        return;
    in->leds = leds;
    TELL(in, leds, leds);
}

unsigned input_leds(const struct input *in)
{
    return in->leds;
}

/* ---- devices ---- */

void input_add(struct input *in, struct input_device *dev, const struct input_ops *ops,
               void *opaque)
{
    dev->ops = ops;
    dev->opaque = opaque;
    dev->index = in->next_index++;
    g_ptr_array_insert(in->devices, 0, dev);
    TELL(in, devices);
}

void input_remove(struct input *in, struct input_device *dev)
{
    g_ptr_array_remove(in->devices, dev);
    if (in->pointer == dev)
        in->pointer = NULL;
    TELL(in, devices);
}

bool input_choose(struct input *in, unsigned index)
{
    for (unsigned i = 0; i < in->devices->len; i++) {
        struct input_device *dev = in->devices->pdata[i];

        if (dev->index != index)
            continue;
        g_ptr_array_remove_index(in->devices, i);
        in->pointer = NULL;
        g_ptr_array_insert(in->devices, 0, dev);
        TELL(in, devices);
        return true;
    }
    return false;
}

static struct input_device *taker(const struct input *in, enum input_kind kind)
{
    for (unsigned i = 0; i < in->devices->len; i++) {
        struct input_device *dev = in->devices->pdata[i];

        if (dev->ops->kinds & 1u << kind)
            return dev;
    }
    return NULL;
}

void input_foreach(struct input *in,
                   void (*fn)(const struct input_device *dev, bool current, void *opaque),
                   void *opaque)
{
    for (unsigned n = 0; n < in->next_index; n++)
        for (unsigned i = 0; i < in->devices->len; i++) {
            const struct input_device *dev = in->devices->pdata[i];
            bool current = false;

            if (dev->index != n)
                continue;
            for (unsigned k = INPUT_KEY; k <= INPUT_ABS; k++)
                current |= taker(in, k) == dev;
            fn(dev, current, opaque);
        }
}

bool input_takes(const struct input *in, enum input_kind kind)
{
    return taker(in, kind) != NULL;
}

/* ---- events ---- */

/* Of two pointers, the one that is moved has the buttons. */
bool input_send(struct input *in, const struct input_event *e)
{
    const struct input_device *dev = taker(in, e->kind);

    if (e->kind == INPUT_BUTTON && in->pointer && in->pointer->ops->kinds & 1u << INPUT_BUTTON)
        dev = in->pointer;
    if (!dev)
        return false;
    if (e->kind == INPUT_REL || e->kind == INPUT_ABS)
        in->pointer = dev;
    dev->ops->event(dev->opaque, e);
    return true;
}

void input_sync(struct input *in)
{
    TELL(in, active);
    for (unsigned i = 0; i < in->devices->len; i++) {
        const struct input_device *dev = in->devices->pdata[i];

        if (dev->ops->sync)
            dev->ops->sync(dev->opaque);
    }
}

bool input_key(struct input *in, enum key k, bool down)
{
    return input_send(in, &(struct input_event){ .kind = INPUT_KEY, .key = k, .down = down });
}

bool input_button(struct input *in, enum input_button b, bool down)
{
    return input_send(in, &(struct input_event){ .kind = INPUT_BUTTON, .button = b, .down = down });
}

bool input_move(struct input *in, int dx, int dy)
{
    return input_send(in,
                      &(struct input_event){ .kind = INPUT_REL, .axis = AXIS_X, .value = dx }) &&
           input_send(in, &(struct input_event){ .kind = INPUT_REL, .axis = AXIS_Y, .value = dy });
}

static bool point_axis(struct input *in, enum input_axis axis, unsigned at, unsigned size)
{
    int value = size > 1 ? (int)((uint64_t)MIN(at, size - 1) * INPUT_ABS_MAX / (size - 1)) : 0;

    return input_send(in, &(struct input_event){ .kind = INPUT_ABS, .axis = axis, .value = value });
}

bool input_point(struct input *in, unsigned x, unsigned y, unsigned width, unsigned height)
{
    return point_axis(in, AXIS_X, x, width) && point_axis(in, AXIS_Y, y, height);
}

void input_hold(struct input *in, struct keys_held *h, enum key k, bool down)
{
    if (down)
        h->down[k / 8] |= (uint8_t)(1 << k % 8);
    else
        h->down[k / 8] &= (uint8_t) ~(1 << k % 8);
    input_key(in, k, down);
}

void input_release(struct input *in, struct keys_held *h)
{
    bool any = false;

    for (enum key k = KEY_NONE; k < KEY_COUNT; k++) {
        if (key_held(h, k)) {
            input_hold(in, h, k, false);
            any = true;
        }
    }
    if (any)
        input_sync(in);
}

/* ---- typing ---- */

static void type_next(void *opaque)
{
    struct input *in = opaque;
    struct typed *t = g_queue_pop_head(&in->typed);

    while (t) {
        input_key(in, t->key, t->down);
        input_sync(in);
        g_free(t);
        t = g_queue_peek_head(&in->typed);
        if (t && t->wait) {
            timer_mod_ns(&in->timer, clock_ns(in->loop, CLK_VIRTUAL) + t->wait);
            return;
        }
        t = g_queue_pop_head(&in->typed);
    }
}

static void queue_key(struct input *in, enum key key, bool down, int64_t wait)
{
    struct typed *t = g_new(struct typed, 1);

    *t = (struct typed){ key, down, wait };
    g_queue_push_tail(&in->typed, t);
}

void input_type(struct input *in, const enum key *keys, unsigned n, unsigned hold_ms)
{
    bool idle = g_queue_is_empty(&in->typed);
    int64_t hold = (int64_t)(hold_ms ? hold_ms : 1) * NS_PER_MS;

    if (!n || g_queue_get_length(&in->typed) + 2 * n > TYPED_MAX)
        return;
    for (unsigned i = 0; i < n; i++)
        queue_key(in, keys[i], true, i || idle ? 0 : hold);
    for (unsigned i = n; i-- > 0;)
        queue_key(in, keys[i], false, i == n - 1 ? hold : 0);
    if (idle)
        type_next(in);
}
