/* Debug registers. */
#ifndef X86_DEBUG_H
#define X86_DEBUG_H

#include "sys.h"

enum { DR6_BD = 1 << 13, DR6_BS = 1 << 14, DR6_BT = 1 << 15 };
enum { DR7_GD = 1 << 13 };

/* What a breakpoint register waits for (DR7's R/W fields). */
enum x86_watch { WATCH_FETCH, WATCH_STORE, WATCH_IO, WATCH_ACCESS };

/* Whether breakpoint @n is enabled for @what (WATCH_STORE and WATCH_ACCESS go together). */
bool x86_debug_enabled(const struct x86_cpu *c, unsigned n);
/* Some enabled breakpoint is on fetches; is on ports, with CR4.DE. */
bool x86_debug_fetches(const struct x86_cpu *c);
bool x86_debug_ports(const struct x86_cpu *c);
bool x86_debug_data(const struct x86_cpu *c);
/* MOV from and to debug registers, with all checks but CPL; @nr 0 to 7. */
uint64_t x86_debug_read(struct x86_cpu *c, unsigned nr);
void x86_debug_write(struct x86_cpu *c, unsigned nr, uint64_t val);
/* A port was used: the trap behind the instruction waits for it to end. */
void x86_debug_io(struct x86_cpu *c, uint16_t port, unsigned size);
/* Bits of DR6 for an access to linear address @addr. */
unsigned x86_debug_access(const struct x86_cpu *c, uint64_t addr, bool write);
/* The trap for what is pending, behind the instruction before tcg.pc; does not return. */
G_NORETURN void x86_debug_trap(struct x86_cpu *c);
/* In front of the instruction at tcg.pc: #DB if a breakpoint is there. */
void x86_debug_fetch(struct x86_cpu *c);

#endif
