/*
 * QEMU's qtest protocol: a machine without CPUs whose devices a test drives line by line.
 *
 *     readl 0x10000000\n             OK 0x0000000000000000\n
 *     clock_step 1000\n              OK 1000\n
 *     irq_intercept_in /machine/plic IRQ raise 10\n (whenever it happens)
 *
 * Commands: {read,write}{b,w,l,q}, {in,out}{b,w,l}, read, write, b64read, b64write, memset,
 * clock_step, clock_set, irq_intercept_in, irq_intercept_out, set_irq_in, endianness; and beyond
 * QEMU's: savestate and loadstate (base64 of machine_save()), reset.
 */
#ifndef QTEST_QTEST_H
#define QTEST_QTEST_H

#include <chardev/chardev.h>
#include <hw/core/machine.h>

struct qtest;

/* Serves `chr` from now on. With -accel qtest the virtual clock moves by commands only. Device lock
 * held. */
struct qtest *qtest_new(struct machine *m, struct chardev *chr, GError **err);
/* Before the machine goes. */
void qtest_free(struct qtest *q);

#endif
