/*
 * Keysyms (X11's keysymdef.h, RFC 6143, 7.5.4) as keys of a US keyboard, for clients that do not
 * know the extended key event, which says which key it was.
 */
#include "vnc.h"

static const struct {
    uint32_t keysym;
    enum key key;
} specials[] = {
    { 0xff08, KEY_BACKSPACE },   { 0xff09, KEY_TAB },        { 0xfe20, KEY_TAB },
    { 0xff0d, KEY_RET },         { 0xff13, KEY_PAUSE },      { 0xff14, KEY_SCROLL_LOCK },
    { 0xff15, KEY_SYSRQ },       { 0xff1b, KEY_ESC },        { 0xff50, KEY_HOME },
    { 0xff51, KEY_LEFT },        { 0xff52, KEY_UP },         { 0xff53, KEY_RIGHT },
    { 0xff54, KEY_DOWN },        { 0xff55, KEY_PGUP },       { 0xff56, KEY_PGDN },
    { 0xff57, KEY_END },         { 0xff61, KEY_PRINT },      { 0xff63, KEY_INSERT },
    { 0xff67, KEY_MENU },        { 0xff6b, KEY_PAUSE },      { 0xff7f, KEY_NUM_LOCK },
    { 0xff8d, KEY_KP_ENTER },    { 0xff95, KEY_KP_7 },       { 0xff96, KEY_KP_4 },
    { 0xff97, KEY_KP_8 },        { 0xff98, KEY_KP_6 },       { 0xff99, KEY_KP_2 },
    { 0xff9a, KEY_KP_9 },        { 0xff9b, KEY_KP_3 },       { 0xff9c, KEY_KP_1 },
    { 0xff9d, KEY_KP_5 },        { 0xff9e, KEY_KP_0 },       { 0xff9f, KEY_KP_DECIMAL },
    { 0xffaa, KEY_KP_MULTIPLY }, { 0xffab, KEY_KP_ADD },     { 0xffac, KEY_KP_COMMA },
    { 0xffad, KEY_KP_SUBTRACT }, { 0xffae, KEY_KP_DECIMAL }, { 0xffaf, KEY_KP_DIVIDE },
    { 0xffb0, KEY_KP_0 },        { 0xffb1, KEY_KP_1 },       { 0xffb2, KEY_KP_2 },
    { 0xffb3, KEY_KP_3 },        { 0xffb4, KEY_KP_4 },       { 0xffb5, KEY_KP_5 },
    { 0xffb6, KEY_KP_6 },        { 0xffb7, KEY_KP_7 },       { 0xffb8, KEY_KP_8 },
    { 0xffb9, KEY_KP_9 },        { 0xffbd, KEY_KP_EQUALS },  { 0xffbe, KEY_F1 },
    { 0xffbf, KEY_F2 },          { 0xffc0, KEY_F3 },         { 0xffc1, KEY_F4 },
    { 0xffc2, KEY_F5 },          { 0xffc3, KEY_F6 },         { 0xffc4, KEY_F7 },
    { 0xffc5, KEY_F8 },          { 0xffc6, KEY_F9 },         { 0xffc7, KEY_F10 },
    { 0xffc8, KEY_F11 },         { 0xffc9, KEY_F12 },        { 0xffe1, KEY_SHIFT },
    { 0xffe2, KEY_SHIFT_R },     { 0xffe3, KEY_CTRL },       { 0xffe4, KEY_CTRL_R },
    { 0xffe5, KEY_CAPS_LOCK },   { 0xffe7, KEY_META_L },     { 0xffe8, KEY_META_R },
    { 0xffe9, KEY_ALT },         { 0xffea, KEY_ALT_R },      { 0xffeb, KEY_META_L },
    { 0xffec, KEY_META_R },      { 0xffff, KEY_DELETE },     { 0xfe03, KEY_ALT_R },
};

/* Printable ASCII, from space on: the key, whether shifted or not. */
static const uint8_t ascii[0x7f - 0x20] = {
    KEY_SPC,
    KEY_D1,
    KEY_APOSTROPHE,
    KEY_D3,
    KEY_D4,
    KEY_D5,
    KEY_D7,
    KEY_APOSTROPHE,
    KEY_D9,
    KEY_D0,
    KEY_D8,
    KEY_EQUAL,
    KEY_COMMA,
    KEY_MINUS,
    KEY_DOT,
    KEY_SLASH,
    KEY_D0,
    KEY_D1,
    KEY_D2,
    KEY_D3,
    KEY_D4,
    KEY_D5,
    KEY_D6,
    KEY_D7,
    KEY_D8,
    KEY_D9,
    KEY_SEMICOLON,
    KEY_SEMICOLON,
    KEY_COMMA,
    KEY_EQUAL,
    KEY_DOT,
    KEY_SLASH,
    KEY_D2,
    KEY_A,
    KEY_B,
    KEY_C,
    KEY_D,
    KEY_E,
    KEY_F,
    KEY_G,
    KEY_H,
    KEY_I,
    KEY_J,
    KEY_K,
    KEY_L,
    KEY_M,
    KEY_N,
    KEY_O,
    KEY_P,
    KEY_Q,
    KEY_R,
    KEY_S,
    KEY_T,
    KEY_U,
    KEY_V,
    KEY_W,
    KEY_X,
    KEY_Y,
    KEY_Z,
    KEY_BRACKET_LEFT,
    KEY_BACKSLASH,
    KEY_BRACKET_RIGHT,
    KEY_D6,
    KEY_MINUS,
    KEY_GRAVE_ACCENT,
    KEY_A,
    KEY_B,
    KEY_C,
    KEY_D,
    KEY_E,
    KEY_F,
    KEY_G,
    KEY_H,
    KEY_I,
    KEY_J,
    KEY_K,
    KEY_L,
    KEY_M,
    KEY_N,
    KEY_O,
    KEY_P,
    KEY_Q,
    KEY_R,
    KEY_S,
    KEY_T,
    KEY_U,
    KEY_V,
    KEY_W,
    KEY_X,
    KEY_Y,
    KEY_Z,
    KEY_BRACKET_LEFT,
    KEY_BACKSLASH,
    KEY_BRACKET_RIGHT,
    KEY_GRAVE_ACCENT,
};

enum key vnc_key_of_keysym(uint32_t keysym)
{
    if (keysym >= 0x20 && keysym < 0x7f)
        return ascii[keysym - 0x20];
    for (unsigned i = 0; i < G_N_ELEMENTS(specials); i++)
        if (specials[i].keysym == keysym)
            return specials[i].key;
    return KEY_NONE;
}

uint32_t vnc_keysym_character(uint32_t keysym)
{
    if ((keysym >= 0x20 && keysym < 0x7f) || (keysym >= 0xa0 && keysym <= 0xff))
        return keysym;
    /* 0x01000000 on: Unicode */
    if (keysym >> 24 == 1 && g_unichar_validate(keysym & 0xffffff))
        return keysym & 0xffffff;
    /* the keypad's digits and signs */
    if (keysym >= 0xffaa && keysym <= 0xffb9)
        return keysym - 0xffaa + '*';
    return 0;
}
