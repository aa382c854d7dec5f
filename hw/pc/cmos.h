/* The contents of the clock's memory; see cmos.c. */
#ifndef HW_PC_CMOS_H
#define HW_PC_CMOS_H

#include "pc.h"

/* Whether -boot names what a PC can boot from. */
bool pc_cmos_check(struct pc *pc, GError **err);
/* At each reset, with all drives there; the order of -boot once= counts the first time. */
void pc_cmos_ready(struct pc *pc);

#endif
