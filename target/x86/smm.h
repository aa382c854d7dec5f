/* System management mode and INIT. */
#ifndef X86_SMM_H
#define X86_SMM_H

#include "x86.h"

void x86_smm_enter(struct x86_cpu *c);
/* RSM; shuts the CPU down if the saved state cannot be. */
void x86_rsm(struct x86_cpu *c);
/* Tells the board whether the CPU is in SMM, by in_smm: it sees other memory there. */
void x86_smm_window(struct x86_cpu *c);
/* What INIT does (Intel volume 3, table 9-1): APs wait for SIPI then. */
void x86_init(struct x86_cpu *c);

#endif
