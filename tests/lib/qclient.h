/*
 * The test's side of qtest: starts the program ($MYNA) without CPUs and drives its devices.
 *
 *     struct qclient *q = qc_start("-machine virt -smp 2");
 *     qc_writel(q, 0x10000000, 'x');
 *     g_assert_true(qc_serial_wait(q, "x"));
 *     qc_stop(q);
 *
 * Everything that goes wrong on the way ends the test with a message.
 */
#ifndef TESTS_LIB_QCLIENT_H
#define TESTS_LIB_QCLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct qclient;

/* `args` are split at spaces. The first serial port is connected to the test. */
struct qclient *qc_start(const char *args);
/* Ends the program by SIGTERM and checks that it went in peace. */
void qc_stop(struct qclient *q);
/* Waits for the program to end by itself; its exit status. */
int qc_wait_exit(struct qclient *q);
/* Its process. */
int qc_pid(const struct qclient *q);

/* One command; the reply behind "OK ", owned by q until the next command. NULL after FAIL. */
const char *qc_try(struct qclient *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, where FAIL ends the test. */
const char *qc_cmd(struct qclient *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Many commands at once: queued without waiting; qc_settle() takes all replies, of which any may be
 * FAIL. */
void qc_queue(struct qclient *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void qc_settle(struct qclient *q);

uint8_t qc_readb(struct qclient *q, uint64_t addr);
uint16_t qc_readw(struct qclient *q, uint64_t addr);
uint32_t qc_readl(struct qclient *q, uint64_t addr);
uint64_t qc_readq(struct qclient *q, uint64_t addr);
void qc_writeb(struct qclient *q, uint64_t addr, uint8_t v);
void qc_writew(struct qclient *q, uint64_t addr, uint16_t v);
void qc_writel(struct qclient *q, uint64_t addr, uint32_t v);
void qc_writeq(struct qclient *q, uint64_t addr, uint64_t v);
void qc_memread(struct qclient *q, uint64_t addr, void *buf, size_t len);
void qc_memwrite(struct qclient *q, uint64_t addr, const void *buf, size_t len);

/* Moves the virtual clock; to the next timer for ns < 0. Returns the time. */
int64_t qc_clock_step(struct qclient *q, int64_t ns);

/* Intercepts a device's inputs or (outs) outputs; one device a run. Level as last told. */
void qc_intercept(struct qclient *q, const char *path, bool outs);
bool qc_irq(struct qclient *q, unsigned n);

/* Serial port: sends to the guest; takes what the guest sent until it is `want` (NUL-terminated).
 */
void qc_serial_send(struct qclient *q, const void *buf, size_t len);
/* The same, but what the program does not take now is dropped. */
void qc_serial_offer(struct qclient *q, const void *buf, size_t len);
void qc_serial_expect(struct qclient *q, const char *want);
/* Takes what is there now, whatever it is. */
void qc_serial_drop(struct qclient *q);

/* State of all devices; saved text is to be freed. */
char *qc_save(struct qclient *q);
void qc_load(struct qclient *q, const char *state);
void qc_reset(struct qclient *q);

#endif
