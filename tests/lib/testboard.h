/*
 * An empty x86 machine in this process, for chips that a test wires by itself; its clock is moved
 * by clock_advance().
 *
 *     m = testboard_new(&loop);
 *     pic = testboard_add(m, "isa-i8259", NULL, 0);
 *     testboard_free(m, loop);
 */
#ifndef TESTS_LIB_TESTBOARD_H
#define TESTS_LIB_TESTBOARD_H

#include <hw/core/machine.h>

/* The device lock is held from here to testboard_free(). The machine has keyboard and mouse
 * (ui/input.h). */
struct machine *testboard_new(struct loop **loop);
void testboard_free(struct machine *m, struct loop *loop);
/* A device of the type, named after it; `prop` gets `value` unless NULL. */
struct device *testboard_add(struct machine *m, const char *type, const char *prop, uint64_t value);

#endif
