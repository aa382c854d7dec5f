/* The 93C46: 64 words of EEPROM behind four wires, as network cards have it (its data sheet). */
#ifndef HW_NET_EEPROM93_H
#define HW_NET_EEPROM93_H

#include <hw/core/state.h>

#define EEPROM93_WORDS 64

struct eeprom93 {
    uint16_t word[EEPROM93_WORDS];
    uint32_t in;   /* bits clocked in since it was selected, first one highest */
    uint16_t out;  /* word that is being read or written */
    uint8_t bits;  /* how many */
    bool clock;    /* level of SK */
    bool data;     /* level of DO */
    bool writable; /* EWEN was given */
    bool started;  /* a start bit was seen */
};

/* Levels of CS, SK and DI. */
void eeprom93_wires(struct eeprom93 *e, bool select, bool clock, bool in);
/* All but the words. */
void eeprom93_reset(struct eeprom93 *e);
extern const struct state_table eeprom93_state;

#endif
