/* line.c - the editor of line.h, for terminals that know ECMA-48's cursor sequences. */
#include "string.h"
#include "line.h"
#include "print.h"
#include "sbi.h"

enum { KEPT = 8 };
enum { LEFT = 0x100, RIGHT, UP, DOWN, HOME, END, DELETE };

#define CTRL(c) ((c)&0x1f)

struct editor {
    const char *prompt;
    char *text;
    int length, at;
    int back; /* how many lines back in the history */
};

static char kept[KEPT][LINE_MAX];
static unsigned kept_count;

static int wait_byte(uint64_t tick)
{
    int c;

    while ((c = sbi_get()) < 0)
        sbi_wait(tick);
    return c;
}

/* A key; cursor keys arrive as ESC [ letter, ESC O letter or ESC [ digit ~. */
static int key(uint64_t tick)
{
    static const struct {
        char name[3];
        int key;
    } names[] = { { "A", UP },  { "B", DOWN },  { "C", RIGHT }, { "D", LEFT },   { "H", HOME },
                  { "F", END }, { "1~", HOME }, { "4~", END },  { "3~", DELETE } };
    char name[3] = "";
    int c = wait_byte(tick);

    if (c != 033)
        return c;
    c = wait_byte(tick);
    if (c != '[' && c != 'O')
        return c;
    name[0] = wait_byte(tick);
    if (name[0] >= '0' && name[0] <= '9')
        name[1] = wait_byte(tick);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (memcmp(names[i].name, name, sizeof(name)) == 0)
            return names[i].key;
    return 0;
}

static void show(const struct editor *e)
{
    print("\r%s", e->prompt);
    sbi_put(e->text, e->length);
    print("\033[K");
    if (e->at < e->length)
        print("\033[%uD", (unsigned long)(e->length - e->at));
}

static void cut(struct editor *e, int from, int to)
{
    memmove(e->text + from, e->text + to, e->length - to);
    e->length -= to - from;
    e->at = from;
}

static void insert(struct editor *e, char c)
{
    if (e->length >= LINE_MAX - 1)
        return;
    memmove(e->text + e->at + 1, e->text + e->at, e->length - e->at);
    e->text[e->at++] = c;
    e->length++;
}

static void recall(struct editor *e, int step)
{
    int back = e->back + step;

    if (back < 0 || back > KEPT || (unsigned)back > kept_count)
        return;
    e->back = back;
    e->length = 0;
    if (back > 0) {
        const char *old = kept[(kept_count - back) % KEPT];

        e->length = strlen(old);
        memcpy(e->text, old, e->length);
    }
    e->at = e->length;
}

static int word_start(const struct editor *e)
{
    int i = e->at;

    while (i > 0 && e->text[i - 1] == ' ')
        i--;
    while (i > 0 && e->text[i - 1] != ' ')
        i--;
    return i;
}

static void edit(struct editor *e, int k)
{
    switch (k) {
    case LEFT: e->at -= e->at > 0; break;
    case RIGHT: e->at += e->at < e->length; break;
    case HOME:
    case CTRL('a'): e->at = 0; break;
    case END:
    case CTRL('e'): e->at = e->length; break;
    case UP: recall(e, 1); break;
    case DOWN: recall(e, -1); break;
    case DELETE:
        if (e->at < e->length)
            cut(e, e->at, e->at + 1);
        break;
    case 0x7f:
    case '\b':
        if (e->at > 0)
            cut(e, e->at - 1, e->at);
        break;
    case CTRL('u'): cut(e, 0, e->at); break;
    case CTRL('k'): e->length = e->at; break;
    case CTRL('w'): cut(e, word_start(e), e->at); break;
    default:
        if (k >= ' ' && k < 0x7f)
            insert(e, k);
    }
}

void line_read(const char *prompt, char line[LINE_MAX], uint64_t tick)
{
    struct editor e = { .prompt = prompt, .text = line };
    int k;

    show(&e);
    while ((k = key(tick)) != '\r' && k != '\n') {
        if (k == CTRL('c')) {
            print("^C");
            e.length = 0;
            break;
        }
        edit(&e, k);
        show(&e);
    }
    print("\r\n");
    line[e.length] = 0;
    if (e.length > 0)
        memcpy(kept[kept_count++ % KEPT], line, e.length + 1);
}
