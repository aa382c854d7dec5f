/* fdt.c - one walk over the tokens of a flattened devicetree. */
#include "string.h"
#include "fdt.h"

enum { MAGIC = 0xd00dfeed, BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4 };
enum { OFF_STRUCT = 2, OFF_STRINGS = 3, SIZE_STRUCT = 9 };

/* What is known of the node whose properties are being read. */
struct node {
    const uint32_t *reg;
    uint32_t reg_size;
    int is_memory, is_hart, is_rtc;
};

static uint32_t word(const uint32_t *p)
{
    const uint8_t *b = (const uint8_t *)p;

    return (uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

static uint64_t pair(const uint32_t *p)
{
    return (uint64_t)word(p) << 32 | word(p + 1);
}

static int starts(const void *data, uint32_t size, const char *text)
{
    size_t length = strlen(text) + 1;

    return size >= length && memcmp(data, text, length) == 0;
}

static void property(struct machine *m, struct node *n, int depth, const char *name,
                     const uint32_t *data, uint32_t size)
{
    if (strcmp(name, "timebase-frequency") == 0 && size == 4) {
        m->ticks_per_second = word(data);
    } else if (strcmp(name, "model") == 0 && depth == 1 && size < sizeof(m->model)) {
        memcpy(m->model, data, size);
    } else if (strcmp(name, "device_type") == 0) {
        n->is_memory = starts(data, size, "memory");
        n->is_hart = starts(data, size, "cpu");
    } else if (strcmp(name, "compatible") == 0) {
        n->is_rtc = starts(data, size, "google,goldfish-rtc");
    } else if (strcmp(name, "reg") == 0) {
        n->reg = data;
        n->reg_size = size;
    }
}

/* A node's properties come before its children, so the next node's start or its own end
 * completes it. */
static void complete(struct machine *m, struct node *n)
{
    if (n->is_hart)
        m->harts++;
    if (n->reg && n->reg_size >= 16) {
        if (n->is_memory && m->memory_size == 0) {
            m->memory_start = pair(n->reg);
            m->memory_size = pair(n->reg + 2);
        } else if (n->is_rtc) {
            m->rtc = pair(n->reg);
        }
    }
    memset(n, 0, sizeof(*n));
}

void machine_read(struct machine *m, const void *tree)
{
    const uint32_t *head = tree;
    const uint32_t *p, *end;
    const char *strings;
    struct node node = { 0 };
    int depth = 0;

    *m = (struct machine){ .ticks_per_second = 10000000 };
    if (head && word(head) == MAGIC) {
        p = (const uint32_t *)((const char *)tree + word(head + OFF_STRUCT));
        end = p + word(head + SIZE_STRUCT) / 4;
        strings = (const char *)tree + word(head + OFF_STRINGS);
        while (p < end) {
            uint32_t token = word(p++);

            if (token == BEGIN_NODE) {
                complete(m, &node);
                depth++;
                p += strlen((const char *)p) / 4 + 1;
            } else if (token == END_NODE) {
                complete(m, &node);
                depth--;
            } else if (token == PROP) {
                uint32_t size = word(p);

                property(m, &node, depth, strings + word(p + 1), p + 2, size);
                p += 2 + (size + 3) / 4;
            } else if (token != NOP) {
                break;
            }
        }
    }
    if (m->harts == 0)
        m->harts = 1;
    if (m->ticks_per_second == 0)
        m->ticks_per_second = 10000000;
}
