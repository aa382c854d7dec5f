/* Names and codes of keys; see ui/input.h. */
#include <ui/input.h>

#include <string.h>

const char *const key_names[KEY_COUNT + 1] = {
    "unmapped",
#define KEY(id, name, set1, set2, set3) name,
#include <ui/keys.def>
#undef KEY
    NULL,
};

static const uint16_t codes[KEY_COUNT][3] = {
    { 0, 0, 0 },
#define KEY(id, name, set1, set2, set3) { set1, set2, set3 },
#include <ui/keys.def>
#undef KEY
};

const char *key_name(enum key k)
{
    return key_names[k];
}

enum key key_by_name(const char *name, size_t len)
{
    for (unsigned i = 1; i < KEY_COUNT; i++)
        if (strlen(key_names[i]) == len && memcmp(key_names[i], name, len) == 0)
            return i;
    return KEY_NONE;
}

uint16_t key_code(enum key k, unsigned set)
{
    return codes[k][set - 1];
}

enum key key_by_number(unsigned number)
{
    uint16_t want = (uint16_t)(number & 0x80 ? 0xe000 | (number & 0x7f) : number);

    for (unsigned i = 1; want && number < 0x100 && i < KEY_COUNT; i++)
        if (codes[i][0] == want)
            return i;
    return KEY_NONE;
}
