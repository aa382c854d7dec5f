/* The state that firmware would leave the board in; see setup.c. */
#ifndef HW_PC_SETUP_H
#define HW_PC_SETUP_H

#include "pc.h"

/* At each reset, once devices are reset and images are in memory. */
void pc_set_up(struct pc *pc);
/* lowmem.c: the part of it that is in low memory, and the serial ports that it names. */
void pc_low_memory_set_up(struct pc *pc);

#endif
