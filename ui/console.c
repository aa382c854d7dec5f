/* Consoles, their surfaces, and who listens; see ui/console.h. */
#include <ui/console.h>

#include <string.h>
#include <base/bug.h>
#include <base/clock.h>

/* Rounds without a change after which the pace falls, and how far. */
enum { IDLE_SOON = 30, IDLE_LONG = 150, PERIOD_SOON_MS = 33, PERIOD_LONG_MS = 100 };

struct console {
    struct consoles *set;
    const struct console_ops *ops;
    void *opaque;
    char *path;
    unsigned head;
    struct surface surface;
    GPtrArray *listeners; /* of struct console_listener */
    struct cursor *cursor;
    bool changed; /* dirty since the last flush */
    bool in_use;  /* by the guest */
    struct {
        unsigned x, y, width, height;
    } place;           /* in the guest's desktop; width 0: it is all of it */
    unsigned period;   /* ms; the shortest of the listeners', 0: none */
    unsigned idle;     /* rounds without a change */
    struct timer tick; /* only with a loop */
};

struct consoles {
    struct loop *loop;
    GPtrArray *list;                                              /* of struct console */
    GPtrArray *watches;                                           /* of struct consoles_watch */
    void (*sizer)(void *opaque, unsigned width, unsigned height); /* NULL: none */
    void *sizer_opaque;
};

struct consoles *consoles_new(struct loop *loop)
{
    struct consoles *set = g_new0(struct consoles, 1);

    set->loop = loop;
    set->list = g_ptr_array_new();
    set->watches = g_ptr_array_new();
    return set;
}

void consoles_free(struct consoles *set)
{
    bug_on(set->list->len);
    g_ptr_array_free(set->list, TRUE);
    g_ptr_array_free(set->watches, TRUE);
    g_free(set);
}

void consoles_add_watch(struct consoles *set, struct consoles_watch *w)
{
    g_ptr_array_add(set->watches, w);
}

void consoles_remove_watch(struct consoles *set, struct consoles_watch *w)
{
    g_ptr_array_remove(set->watches, w);
}

static void list_changed(const struct consoles *set)
{
    for (unsigned i = 0; i < set->watches->len; i++) {
        const struct consoles_watch *w = set->watches->pdata[i];

        w->changed(w->opaque);
    }
}

struct console *console_at(const struct consoles *set, unsigned n)
{
    return n < set->list->len ? set->list->pdata[n] : NULL;
}

struct console *console_of(const struct consoles *set, const char *path, unsigned head)
{
    for (unsigned i = 0; i < set->list->len; i++) {
        struct console *c = set->list->pdata[i];

        if (c->head == head && strcmp(c->path, path) == 0)
            return c;
    }
    return NULL;
}

/* ---- listeners ---- */

#define TELL(c, what, ...)                                                 \
    do {                                                                   \
        for (unsigned i_ = 0; i_ < (c)->listeners->len; i_++) {            \
            const struct console_listener *l_ = (c)->listeners->pdata[i_]; \
                                                                           \
            if (l_->ops->what)                                             \
                l_->ops->what(l_->opaque, ##__VA_ARGS__);                  \
        }                                                                  \
    } while (0)

/* ---- pace ---- */

static unsigned next_period(const struct console *c)
{
    if (c->idle < IDLE_SOON)
        return c->period;
    return MAX(c->period, c->idle < IDLE_LONG ? PERIOD_SOON_MS : PERIOD_LONG_MS);
}

static void next_tick(struct console *c)
{
    if (c->period && c->ops->refresh)
        timer_mod_ns(&c->tick, clock_ns(c->set->loop, CLK_REALTIME) + next_period(c) * NS_PER_MS);
}

static void tick(void *opaque)
{
    struct console *c = opaque;

    c->idle = MIN(c->idle + 1, IDLE_LONG);
    next_tick(c);
    console_refresh(c); /* sets idle to 0 where something changed */
}

void console_pace(struct console *c, struct console_listener *l, unsigned ms)
{
    l->period = ms;
    c->period = 0;
    for (unsigned i = 0; i < c->listeners->len; i++) {
        const struct console_listener *o = c->listeners->pdata[i];

        if (o->period && (!c->period || o->period < c->period))
            c->period = o->period;
    }
    if (!c->set->loop)
        return;
    c->idle = 0;
    if (c->period)
        next_tick(c);
    else
        timer_del(&c->tick);
}

void consoles_wake(struct consoles *set)
{
    for (unsigned i = 0; i < set->list->len; i++) {
        struct console *c = set->list->pdata[i];

        if (c->idle >= IDLE_SOON && c->period) {
            c->idle = 0;
            next_tick(c);
        }
    }
}

/* ---- for devices ---- */

/* What a console shows before its device drew anything. */
#define FIRST_WIDTH  640
#define FIRST_HEIGHT 480

static bool surface_alloc(struct surface *s, unsigned width, unsigned height)
{
    uint32_t *pixels = g_try_malloc0_n((size_t)width * height, sizeof(*pixels));

    if (!pixels)
        return false;
    g_free(s->pixels);
    *s = (struct surface){ width, height, width, pixels };
    return true;
}

/* Pictures come before texts, whichever were made first. */
static int place_of(const struct consoles *set, const struct console_ops *ops)
{
    guint i = set->list->len;

    while (!ops->type && i && console_is_text(set->list->pdata[i - 1]))
        i--;
    return (int)i;
}

struct console *console_add(struct consoles *set, const struct console_ops *ops, void *opaque,
                            const char *path, unsigned head)
{
    struct console *c;

    if (!set)
        return NULL;
    c = g_new0(struct console, 1);
    c->set = set;
    c->ops = ops;
    c->opaque = opaque;
    c->path = g_strdup(path);
    c->head = head;
    c->listeners = g_ptr_array_new();
    c->surface = (struct surface){ FIRST_WIDTH, FIRST_HEIGHT, FIRST_WIDTH,
                                   g_new0(uint32_t, FIRST_WIDTH * FIRST_HEIGHT) };
    if (set->loop)
        timer_init(&c->tick, set->loop, CLK_REALTIME, tick, c);
    g_ptr_array_insert(set->list, place_of(set, ops), c);
    list_changed(set);
    return c;
}

void console_set_ops(struct console *c, const struct console_ops *ops, void *opaque)
{
    if (!c)
        return;
    c->ops = ops;
    c->opaque = opaque;
}

void console_remove(struct console *c)
{
    if (!c)
        return;
    g_ptr_array_remove(c->set->list, c);
    if (c->set->loop)
        timer_del(&c->tick);
    while (c->listeners->len) {
        const struct console_listener *l = g_ptr_array_remove_index(c->listeners, 0);

        if (l->ops->gone)
            l->ops->gone(l->opaque);
    }
    list_changed(c->set);
    g_ptr_array_free(c->listeners, TRUE);
    g_free(c->cursor);
    g_free(c->surface.pixels);
    g_free(c->path);
    g_free(c);
}

const struct surface *console_resize(struct console *c, unsigned width, unsigned height)
{
    width = CLAMP(width, 1, SURFACE_MAX);
    height = CLAMP(height, 1, SURFACE_MAX);
    if ((width == c->surface.width && height == c->surface.height) ||
        !surface_alloc(&c->surface, width, height))
        return &c->surface;
    c->changed = true;
    TELL(c, resized, &c->surface);
    return &c->surface;
}

void console_dirty(struct console *c, unsigned x, unsigned y, unsigned width, unsigned height)
{
    const struct surface *s = &c->surface;

    if (x >= s->width || y >= s->height || !width || !height)
        return;
    width = MIN(width, s->width - x);
    height = MIN(height, s->height - y);
    c->changed = true;
    TELL(c, dirty, x, y, width, height);
}

void console_flush(struct console *c)
{
    if (!c->changed)
        return;
    c->changed = false;
    c->idle = 0;
    TELL(c, flush);
}

void console_set_in_use(struct console *c, bool in_use)
{
    if (!c || c->in_use == in_use)
        return;
    c->in_use = in_use;
    list_changed(c->set);
}

void console_set_place(struct console *c, unsigned x, unsigned y, unsigned width, unsigned height)
{
    if (!c)
        return;
    c->place.x = x;
    c->place.y = y;
    c->place.width = width;
    c->place.height = height;
}

struct cursor *cursor_new(unsigned width, unsigned height)
{
    struct cursor *cursor;

    if (!width || !height || width > CURSOR_MAX || height > CURSOR_MAX)
        return NULL;
    cursor = g_malloc0(sizeof(*cursor) + sizeof(uint32_t) * width * height);
    cursor->width = width;
    cursor->height = height;
    return cursor;
}

void console_set_cursor(struct console *c, const struct cursor *cursor)
{
    struct cursor *old = c ? c->cursor : NULL;

    if (!c || (!old && !cursor))
        return;
    c->cursor =
        cursor
            ? g_memdup2(cursor, sizeof(*cursor) + sizeof(uint32_t) * cursor->width * cursor->height)
            : NULL;
    TELL(c, cursor, c->cursor);
    g_free(old);
}

void console_move_cursor(struct console *c, int x, int y)
{
    if (c)
        TELL(c, moved, x, y);
}

/* ---- for displays ---- */

const char *console_path(const struct console *c)
{
    return c->path;
}

unsigned console_head(const struct console *c)
{
    return c->head;
}

unsigned console_index(const struct console *c)
{
    unsigned i = 0;

    g_ptr_array_find(c->set->list, c, &i);
    return i;
}

const struct cursor *console_cursor(const struct console *c)
{
    return c->cursor;
}

void consoles_set_sizer(struct consoles *set,
                        void (*want)(void *opaque, unsigned width, unsigned height), void *opaque)
{
    if (want == set->sizer && (!want || opaque == set->sizer_opaque))
        return;
    set->sizer = want;
    set->sizer_opaque = opaque;
    list_changed(set);
}

static bool has_sizer(const struct console *c)
{
    return c->set->sizer && !console_is_text(c) && console_index(c) == 0;
}

bool console_takes_size(const struct console *c)
{
    return c->ops->wanted_size || has_sizer(c);
}

void console_want_size(struct console *c, unsigned width, unsigned height)
{
    if (!width && !height) {
        if (c->ops->wanted_size && !c->listeners->len)
            c->ops->wanted_size(c->opaque, 0, 0);
        return;
    }
    width = CLAMP(width, 1, SURFACE_MAX);
    height = CLAMP(height, 1, SURFACE_MAX);
    if (c->ops->wanted_size)
        c->ops->wanted_size(c->opaque, width, height);
    else if (has_sizer(c))
        c->set->sizer(c->set->sizer_opaque, width, height);
}

bool console_in_use(const struct console *c)
{
    return c->in_use;
}

/* ---- pointers ---- */

void console_point(const struct console *c, struct input *in, unsigned x, unsigned y)
{
    if (c->place.width)
        input_point(in, c->place.x + x, c->place.y + y, c->place.width, c->place.height);
    else
        input_point(in, x, y, c->surface.width, c->surface.height);
}

static unsigned pixel_at(unsigned abs, unsigned size)
{
    return (abs * (size - 1) + INPUT_ABS_MAX / 2) / INPUT_ABS_MAX;
}

/* Nearly always the first one: others have no place unless there is a desktop of several. */
const struct console *consoles_pointed(const struct consoles *set, unsigned *x, unsigned *y)
{
    const struct console *first = console_at(set, 0);
    bool whole = first && !first->place.width;
    unsigned px, py;

    if (!first)
        return NULL;
    px = pixel_at(*x, whole ? first->surface.width : first->place.width);
    py = pixel_at(*y, whole ? first->surface.height : first->place.height);
    for (unsigned i = 0; i < set->list->len && !whole; i++) {
        const struct console *c = set->list->pdata[i];

        if (c->place.width == first->place.width && px - c->place.x < c->surface.width &&
            py - c->place.y < c->surface.height) {
            *x = px - c->place.x;
            *y = py - c->place.y;
            return c;
        }
    }
    *x = px;
    *y = py;
    return first;
}

bool console_is_text(const struct console *c)
{
    return c->ops->type != NULL;
}

void console_type(struct console *c, enum key key, uint32_t character, unsigned mods)
{
    if (c->ops->type)
        c->ops->type(c->opaque, key, character, mods);
}

const struct surface *console_surface(const struct console *c)
{
    return &c->surface;
}

void console_refresh(struct console *c)
{
    if (c->ops->refresh)
        c->ops->refresh(c->opaque);
    console_flush(c);
}

void console_listen(struct console *c, struct console_listener *l,
                    const struct console_listener_ops *ops, void *opaque)
{
    l->ops = ops;
    l->opaque = opaque;
    l->period = 0;
    g_ptr_array_add(c->listeners, l);
    if (ops->resized)
        ops->resized(opaque, &c->surface);
    if (ops->cursor)
        ops->cursor(opaque, c->cursor);
}

void console_unlisten(struct console *c, struct console_listener *l)
{
    console_pace(c, l, 0);
    g_ptr_array_remove(c->listeners, l);
}
