/* Serial EEPROM; see eeprom93.h. */
#include "eeprom93.h"

/* Start bit, two bits of command, six of address; then sixteen of data. */
enum { COMMAND_BITS = 9, WORD_BITS = 16 };
enum { CMD_CONTROL = 0, CMD_WRITE = 1, CMD_READ = 2, CMD_ERASE = 3 };

/* The command is complete. */
static void wire_command(struct eeprom93 *e)
{
    unsigned addr = e->in & 0x3f;

    switch (e->in >> 6 & 3) {
    case CMD_READ:
        e->out = e->word[addr];
        e->data = false; /* the dummy bit before the word */
        break;
    case CMD_ERASE:
        if (e->writable)
            e->word[addr] = 0xffff;
        break;
    case CMD_CONTROL:
        if (addr >> 4 == 3)
            e->writable = true;
        else if (addr >> 4 == 0)
            e->writable = false;
        break;
    default: break; /* a write waits for its word */
    }
}

static void wire_clock(struct eeprom93 *e, bool di)
{
    unsigned cmd;

    if (!e->started) {
        e->data = true; /* nobody drives it until a word is read */
        e->started = di;
        e->bits = di;
        e->in = di;
        return;
    }
    if (e->bits < COMMAND_BITS) {
        e->in = e->in << 1 | di;
        if (++e->bits == COMMAND_BITS)
            wire_command(e);
        return;
    }
    cmd = e->in >> 6 & 3;
    if (e->bits < COMMAND_BITS + WORD_BITS) {
        e->bits++;
        if (cmd == CMD_READ) {
            e->data = e->out >> 15;
            e->out = (uint16_t)(e->out << 1);
            return;
        }
        e->out = (uint16_t)(e->out << 1 | di);
        if (e->bits == COMMAND_BITS + WORD_BITS && cmd == CMD_WRITE && e->writable)
            e->word[e->in & 0x3f] = e->out;
    }
}

void eeprom93_wires(struct eeprom93 *e, bool select, bool clock, bool in)
{
    bool rises = clock && !e->clock;

    e->clock = clock;
    if (!select) {
        e->started = false;
        e->data = true; /* ready */
    } else if (rises) {
        wire_clock(e, in);
    }
}

void eeprom93_reset(struct eeprom93 *e)
{
    e->clock = e->data = e->writable = e->started = false;
    e->bits = 0;
    e->in = e->out = 0;
}

static const struct state_field fields[] = { STATE_ARRAY(struct eeprom93, word),
                                             STATE_U32(struct eeprom93, in),
                                             STATE_U16(struct eeprom93, out),
                                             STATE_U8(struct eeprom93, bits),
                                             STATE_BOOL(struct eeprom93, clock),
                                             STATE_BOOL(struct eeprom93, data),
                                             STATE_BOOL(struct eeprom93, writable),
                                             STATE_BOOL(struct eeprom93, started),
                                             STATE_END };
const struct state_table eeprom93_state = { .name = "eeprom93", .version = 1, .fields = fields };
